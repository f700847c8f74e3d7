# SPDX-License-Identifier: MIT
"""Sequence diagrams.

Graphviz has no layout for them, so everything is placed here and neato is only the pen:
every node is pinned, and lines run between points.
"""

import re

from docs import drawing

SIZE = 11           # points of the text
HEAD = 12           # points of an actor's name
LEADING = 14        # from one line of text to the next
STEP = 14           # the least room between two steps
NOTE_LIMIT = 190    # where a note is broken into lines
ARROW_LIMIT = 330   # where the text of an arrow is
NARROWEST = 170     # between two lifelines
LEFT = ("frontend", "exporter", "requester")

ARROW = re.compile(r"^(?P<source>[\w .-]+?)\s*(?P<kind>-->|->)\s*(?P<target>[\w .-]+?)\s*:\s*(?P<text>.*)$")
REMARK = re.compile(r"^(?P<actor>[\w .-]+?)\s*:\s*(?P<text>.*)$")


class BadSequence(ValueError):
    """A line that is neither an arrow, nor a note, nor a pause: (offset, message)."""


class Step:
    def __init__(self, kind, source=None, target=None, text=""):
        self.kind = kind
        self.source = source
        self.target = target
        self.text = text
        self.lines = []

    def height(self):
        if self.kind == "pause":
            return 26
        tall = LEADING * len(self.lines)
        return tall + (12 if self.kind == "note" else 6)

    def width(self):
        return max(drawing.text_width(line, SIZE) for line in self.lines)


def parse(lines):
    """Turn the lines of a sequence into (actors, steps)."""
    actors = []
    steps = []
    for offset, line in enumerate(lines):
        line = line.strip()
        if not line:
            continue
        step = parse_line(line)
        if step is None:
            raise BadSequence(offset, f"'{line}' is neither 'actor -> actor: text' nor "
                              "'actor: note' nor '...'")
        for actor in (step.source, step.target):
            if actor is not None and actor not in actors:
                actors.append(actor)
        steps.append(step)
    # Always the same one at the left, whoever speaks first.
    actors.sort(key=lambda actor: actor not in LEFT)
    return actors, steps


def parse_line(line):
    if line == "...":
        return Step("pause")
    arrow = ARROW.match(line)
    if arrow:
        kind = "arrow" if arrow["kind"] == "->" else "dashed"
        if arrow["source"] == arrow["target"]:
            return Step("note", arrow["source"], None, arrow["text"])
        return Step(kind, arrow["source"], arrow["target"], arrow["text"])
    remark = REMARK.match(line)
    if remark:
        return Step("note", remark["actor"], None, remark["text"])
    return None


def columns(actors, steps):
    """Place the lifelines: wide enough apart for what is written between and on them."""
    wants = {}
    half = {actor: drawing.text_width(actor, HEAD) / 2 + 14 for actor in actors}
    for step in steps:
        if step.kind == "note":
            half[step.source] = max(half[step.source], step.width() / 2 + 12)
        elif step.kind in ("arrow", "dashed"):
            ends = sorted((actors.index(step.source), actors.index(step.target)))
            wants[tuple(ends)] = max(wants.get(tuple(ends), 0), step.width() + 40)
    places = [0.0]
    for right in range(1, len(actors)):
        place = places[-1] + max(NARROWEST, half[actors[right - 1]] + 14, half[actors[right]] + 14)
        for (first, last), want in wants.items():
            if last == right:
                place = max(place, places[first] + want)
        places.append(place)
    return dict(zip(actors, places))


class Pen:
    """Writes pinned nodes and lines between points, in points, y downwards."""

    def __init__(self):
        self.nodes = []
        self.edges = []
        self.count = 0

    def point(self, x, y):
        name = f"p{self.count}"
        self.count += 1
        self.nodes.append(f'{name} [shape=point, style=invis, width=0, height=0, label="", {pin(x, y)}];')
        return name

    def box(self, x, y, width, height, lines, look):
        size = f"fixedsize=true, width={width / 72:.2f}, height={height / 72:.2f}"
        label = drawing.quote_lines(lines)
        self.nodes.append(f"b{self.count} [shape=box, {size}, label={label}, {pin(x, y)}, {look}];")
        self.count += 1

    def line(self, start, end, look):
        first, last = self.point(*start), self.point(*end)
        self.edges.append(f"{first} -> {last} [{look}];")


def pin(x, y):
    # A hundredth of an inch is 0.7 points: finer than anybody sees, and stable to print.
    return f'pos="{x / 72 + 0:.2f},{-y / 72 + 0:.2f}!"'


def draw(caption, lines):
    """The graphviz directive for a sequence."""
    actors, steps = parse(lines)
    if not actors:
        raise BadSequence(0, "a sequence without actors")
    for step in steps:
        limit = NOTE_LIMIT if step.kind == "note" else ARROW_LIMIT
        step.lines = drawing.wrap(step.text, SIZE, limit) if step.text else []
    place = columns(actors, steps)
    pen = Pen()
    bottom, pauses = draw_steps(pen, place, steps)
    for actor in actors:
        draw_lifeline(pen, place[actor], bottom, pauses)
        heads = (0, bottom + 13) if bottom > 420 else (0,)
        for y in heads:
            draw_head(pen, place[actor], y, actor)
    return drawing.directive(caption[:1].upper() + caption[1:], frame(pen))


def draw_steps(pen, place, steps):
    y = 13 + STEP
    pauses = []
    for step in steps:
        height = step.height()
        if step.kind == "pause":
            pauses.append((y, y + height))
        elif step.kind == "note":
            look = (f'style="filled", fillcolor="{drawing.NOTE}", color="{drawing.NOTE_EDGE}", '
                    f"fontsize={SIZE}")
            pen.box(place[step.source], y + height / 2, step.width() + 16, height, step.lines, look)
        else:
            draw_arrow(pen, place, step, y, height)
        y += height + STEP
    return y, pauses


def draw_arrow(pen, place, step, y, height):
    start, end = place[step.source], place[step.target]
    text = LEADING * len(step.lines)
    # Between two neighbours there is no lifeline for the text to cover.
    far = abs(list(place).index(step.source) - list(place).index(step.target)) > 1
    look = f'style="filled", fillcolor="{"white" if far else "none"}", color="none", fontsize={SIZE}'
    pen.box((start + end) / 2, y + text / 2, step.width() + 4, text, step.lines, look)
    dashed = "style=dashed, " if step.kind == "dashed" else ""
    arrow = f'{dashed}color="{drawing.ACCENT}", penwidth=1.4, arrowhead=normal, arrowsize=0.8'
    pen.line((start, y + height - 1), (end, y + height - 1), arrow)


def draw_lifeline(pen, x, bottom, pauses):
    solid = f'color="{drawing.FAINT}", penwidth=1.0, arrowhead=none'
    y = 0
    for start, end in pauses:
        pen.line((x, y), (x, start), solid)
        pen.line((x, start), (x, end), f'color="{drawing.LINE}", penwidth=2, arrowhead=none, style=dotted')
        y = end
    pen.line((x, y), (x, bottom), solid)


def draw_head(pen, x, y, actor):
    width = drawing.text_width(actor, HEAD) + 28
    look = (f'style="filled,rounded", fillcolor="{drawing.BOX}", color="{drawing.ACCENT}", '
            f'fontname="Helvetica-Bold", fontsize={HEAD}')
    pen.box(x, y, width, 26, [actor], look)


def frame(pen):
    lines = [
        "digraph sequence {",
        "  graph [layout=neato, splines=line, outputorder=edgesfirst, overlap=true, pad=0.1,",
        '         bgcolor="transparent"];',
        f'  node [fontname="{drawing.FONT}", fontcolor="{drawing.INK}", margin=0];',
        "  edge [headclip=false, tailclip=false];",
    ]
    lines += ["  " + line for line in pen.nodes]
    lines += ["  " + line for line in pen.edges]
    return lines + ["}"]
