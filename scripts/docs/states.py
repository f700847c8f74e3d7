# SPDX-License-Identifier: MIT
"""State diagrams and tables, from the X-macros of the header."""

from docs import drawing

SIZE = 11
EVENT_SIZE = 9.5


def rows_of(rows, role):
    """What a role's machine consists of: (state, event, next)."""
    return [row[1:] for row in rows if row[0] in (role, "BOTH")]


def draw(machine, role, rows, link):
    """The directive with the picture, and the table under it.

    link(symbol, shown) leads to the documentation of a state or event, or is None.
    """
    whose = "both ends" if role == "BOTH" else role.lower()
    caption = f"States: {machine.lower()}, {whose}"
    return drawing.directive(caption, graph(rows)) + [""] + table(machine, rows, link)


def states_in_order(rows):
    """Those that are left first, so that the initial state leads."""
    found = []
    for state, _, _ in rows:
        if state not in found:
            found.append(state)
    for _, _, after in rows:
        if after not in found:
            found.append(after)
    return found


def graph(rows):
    states = states_in_order(rows)
    lines = [
        "digraph states {",
        '  graph [rankdir=TB, nodesep=0.45, ranksep=0.45, pad=0.1, bgcolor="transparent"];',
        f'  node [shape=box, style="rounded,filled", fillcolor="{drawing.BOX}", color="{drawing.ACCENT}",',
        f'        fontname="{drawing.FONT}", fontcolor="{drawing.INK}", fontsize={SIZE},',
        '        margin="0.16,0.08", height=0.34];',
        f'  edge [color="{drawing.LINE}", fontname="{drawing.FONT}", fontcolor="{drawing.INK}",',
        f"        fontsize={EVENT_SIZE}, arrowsize=0.7];",
        f'  start [shape=circle, style=filled, fillcolor="{drawing.INK}", color="{drawing.INK}",',
        '         label="", width=0.14, height=0.14, fixedsize=true];',
    ]
    lines += [f"  {drawing.quote(state)};" for state in states]
    lines += [f"  start -> {drawing.quote(states[0])};"]
    common, single = split_common(rows, states)
    for number, ((label, after), events) in enumerate(common.items()):
        lines += [f'  any{number} [shape=plaintext, style="", fontname="Helvetica-Oblique", '
                  f"label={drawing.quote(label)}];",
                  f"  any{number} -> {drawing.quote(after)} [style=dashed, weight=8, "
                  f"label={event_label(events)}];"]
    for (state, after), events in single.items():
        lines += [f"  {drawing.quote(state)} -> {drawing.quote(after)} [label={event_label(events)}];"]
    return lines + ["}"]


def event_label(events):
    # The blanks keep the text off the line beside which dot writes it.
    return '"' + "\\l".join("&nbsp;" + event + "&nbsp;" for event in events) + '\\l"'


def split_common(rows, states):
    """Arrows that leave from nearly every state are drawn once, from 'any state'."""
    sources = {}
    for state, event, after in rows:
        sources.setdefault((event, after), []).append(state)
    common, single = {}, {}
    for state, event, after in rows:
        among = sources[event, after]
        missing = [other for other in states if other not in among and other != after]
        if len(among) >= 4 and len(missing) <= 1:
            label = "any state" + (f" but {missing[0]}" if missing else "")
            events = common.setdefault((label, after), [])
        else:
            events = single.setdefault((state, after), [])
        if event not in events:
            events.append(event)
    return common, single


def table(machine, rows, link):
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 30 40 30", "",
             "   * - State", "     - Event", "     - Next"]
    for row in rows:
        cells = [link(f"HDMABUF_{machine}_{word}", word) or word for word in row]
        lines += [f"   * - {cells[0]}", f"     - {cells[1]}", f"     - {cells[2]}"]
    return lines
