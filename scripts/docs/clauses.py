# SPDX-License-Identifier: MIT
"""Normative clauses: found in the comments, marked in the pages, listed on one of their own."""

import re

CLAUSE_ID = r"HDB-[A-Z]+-\d{3}"
START = re.compile(r"^(\s*)\[(" + CLAUSE_ID + r")\]\s+(.*)$")
MENTION = re.compile(r"\[(" + CLAUSE_ID + r")\]|(?<![\w`<[-])(" + CLAUSE_ID + r")(?![\w`>-]|\])")
DUTY = re.compile(r"\b(MUST NOT|MUST|SHOULD NOT|SHOULD)\b")
LITERAL = re.compile(r"(``.+?``)", re.S)

GROUPS = {
    "BOTH": ("Both ends", "Whoever speaks the protocol, in whichever role."),
    "FE": ("The frontend", "The end that makes the channel's memory."),
    "BE": ("The backend", "The end that attaches to the channel."),
    "EXP": ("The exporter", "The end whose buffer it is, be it frontend or backend."),
    "IMP": ("The importer", "The end that uses the other's buffer, be it frontend or backend."),
    "PLAT": ("The platform", "What carries the protocol between the ends."),
}


class Clause:
    def __init__(self, name, shown, line, text):
        self.name = name
        self.shown = shown      # the header that states it
        self.line = line
        self.text = text        # as in the header, on one line
        self.rst = text         # as on the page, on one line
        self.page = ""
        self.chapter = ""

    def group(self):
        return self.name.split("-")[1]

    def number(self):
        return int(self.name.split("-")[2])


def collect(header):
    """The clauses that a header states, in its order."""
    found = []
    for comment in header.comments:
        current = None
        for number, text in comment.lines:
            start = START.match(text)
            if start:
                current = Clause(start[2], header.shown, number, start[3])
                found.append(current)
            elif not text.strip():
                current = None
            elif current:
                current.text += " " + text.strip()
    return found


def problems(headers, clauses):
    """What is wrong with the clauses of all headers: (header, line, message)."""
    seen = {}
    for clause in clauses:
        if clause.name in seen:
            first = seen[clause.name]
            yield clause.shown, clause.line, f"{clause.name} is stated already at {first.shown}:{first.line}"
        seen.setdefault(clause.name, clause)
        duties = DUTY.findall("".join(LITERAL.split(clause.text)[::2]))
        if len(duties) != 1:
            listed = ", ".join(duties) if duties else "none"
            yield (clause.shown, clause.line,
                   f"{clause.name} has to say MUST, MUST NOT or SHOULD once; it says: {listed}")
        if clause.text.endswith("::"):
            yield (clause.shown, clause.line,
                   f"{clause.name} ends in '::', but a clause ends at its blank line")
    for header in headers:
        yield from bad_mentions(header, seen)


def bad_mentions(header, known):
    for comment in header.comments:
        for paragraph in paragraphs(comment):
            text = " ".join(line for _, line in paragraph)
            for number, line in paragraph:
                for name in re.findall(r"\b" + CLAUSE_ID + r"\b", line):
                    if name not in known:
                        yield header.shown, number, f"{name} is mentioned, but no clause has that name"
            prose = "".join(LITERAL.split(text)[::2])
            if DUTY.search(prose) and not START.match(paragraph[0][1]) and "RFC 2119" not in prose:
                yield (header.shown, paragraph[0][0],
                       "a duty outside a clause: give it an id, or say it without MUST and SHOULD")


def paragraphs(comment):
    current = []
    for number, text in comment.lines + [(0, "")]:
        if text.strip():
            current.append((number, text))
        elif current:
            yield current
            current = []


def mark(lines, by_name, page, chapter):
    """Give every clause in the lines of a page its label and its looks."""
    out = []
    place = 0
    while place < len(lines):
        start = START.match(lines[place])
        fresh = place == 0 or not lines[place - 1].strip()
        if not (start and fresh and start[2] in by_name):
            out.append(lines[place])
            place += 1
            continue
        margin, name = start[1], start[2]
        body = [start[3]]
        place += 1
        while place < len(lines) and lines[place].strip():
            body.append(lines[place].strip())
            place += 1
        clause = by_name[name]
        body = stress(body)
        clause.rst, clause.page, clause.chapter = " ".join(body), page, chapter
        out += [f"{margin}.. _{name}:", "", f"{margin}.. container:: clause", "",
                f"{margin}   **[{name}]** {body[0]}"]
        out += [f"{margin}   {line}" for line in body[1:]]
    return out


def stress(lines):
    """Print the duty in bold, unless it stands in a literal."""
    parts = LITERAL.split("\n".join(lines))
    parts[::2] = [DUTY.sub(r"**\1**", part) for part in parts[::2]]
    return "".join(parts).split("\n")


def link(text):
    """Make mentions of clauses in running text lead to them."""
    return MENTION.sub(lambda match: ":ref:`{0} <{0}>`".format(match[1] or match[2]), text)


def index_page(clauses):
    """The rst of the page that lists all clauses by who must obey."""
    lines = ["=======", "Clauses", "=======", ""]
    lines += ["Everything that the protocol demands, by who must obey. Each identifier leads to the place",
              "where the clause is explained. Identifiers are never used again for something else, and",
              "never renumbered.", ""]
    groups = list(GROUPS) + sorted({clause.group() for clause in clauses} - set(GROUPS))
    counts = [(group, [clause for clause in clauses if clause.group() == group]) for group in groups]
    counts = [(group, members) for group, members in counts if members]
    lines += summary(counts)
    for group, members in counts:
        lines += group_section(group, members)
    return lines


def title_of(group):
    return GROUPS.get(group, (f"The {group.lower()} platform",
                              f"Either end, and what lies between them, on the ``{group.lower()}`` platform."))


def summary(counts):
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 40 20 20 20", "",
             "   * - Who", "     - Prefix", "     - MUST, MUST NOT", "     - SHOULD"]
    for group, members in counts:
        should = sum(1 for clause in members if "SHOULD" in "".join(DUTY.findall(clause.text)))
        lines += [f"   * - {title_of(group)[0]}", f"     - ``HDB-{group}``",
                  f"     - {len(members) - should}", f"     - {should}"]
    return lines + [""]


def group_section(group, members):
    title, who = title_of(group)
    lines = [title, "=" * len(title), "", who, "",
             ".. list-table::", "   :class: clauses", "   :widths: 18 82", ""]
    for clause in sorted(members, key=Clause.number):
        lines += [f"   * - :ref:`{clause.name} <{clause.name}>`", f"     - {clause.rst}"]
    return lines + [""]
