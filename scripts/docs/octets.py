# SPDX-License-Identifier: MIT
"""Checking octet diagrams against the structures as the compiler lays them out."""

import os
import re
import shutil
import subprocess
import tempfile

CELL = 8            # characters to an octet
ROW = 8             # octets to a row
RULER = re.compile(r"^\s*0\s+1\s+2\s+3\s+4\s+5\s+6\s+7\s*$")
BORDER = re.compile(r"^\s*(?:(\d+)\s+)?(\+[-+ |.]*\+)\s*$")
ROW_LINE = re.compile(r"^\s*(\d+|\.\.\.)?\s*(\|.*\|)\s*$")
NAME = re.compile(r"^([A-Za-z_][\w.]*)(\[[^]]*\])?(\s.*)?$")


class BadDiagram(ValueError):
    """(line, message)"""


class Field:
    def __init__(self, name, start, line):
        self.name = name
        self.start = start
        self.end = start
        self.line = line


def find(comment):
    """The diagrams in a comment: lists of (number, text) that start with the ruler."""
    found = []
    lines = comment.lines
    for place, (_, text) in enumerate(lines):
        if not RULER.match(text):
            continue
        end = place + 1
        while end < len(lines) and (BORDER.match(lines[end][1]) or ROW_LINE.match(lines[end][1])):
            end += 1
        found.append(lines[place:end])
    return found


def read(diagram):
    """(fields, drawn size or None when the end is left open)."""
    left = next((text.index("+") for _, text in diagram if BORDER.match(text)), None)
    if left is None:
        raise BadDiagram(diagram[0][0], "the diagram has no border")
    fields = []
    here = 0
    open_end = False
    for number, text in diagram[1:]:
        row = ROW_LINE.match(text)
        border = BORDER.match(text)
        label = (row or border)[1]
        if label and label != "...":
            here = check_label(number, int(label), here, open_end, fields)
            open_end = False
        if row:
            open_end = read_row(number, text, left, here, fields) or open_end
            here += ROW
    return fields, None if open_end else here


def check_label(number, label, here, open_end, fields):
    if label == here or (open_end and label >= here - ROW):
        if fields:
            fields[-1].end = label
        return label
    raise BadDiagram(number, f"the row is labelled {label}, but octet {here} is due")


def read_row(number, text, left, here, fields):
    """Add a row's cells to the fields. True if it stands for any number of rows."""
    cells = split_row(number, text, left)
    elided = False
    for start, end, name in cells:
        continues = name in ("", "...", ":")
        elided = elided or name == "..."
        if continues and not fields:
            raise BadDiagram(number, "the first cell has no name")
        if not continues:
            match = NAME.match(name)
            if not match:
                raise BadDiagram(number, f"'{name}' is not the name of a field")
            fields.append(Field(match[1], here + start, number))
        fields[-1].end = here + end
    return elided


def split_row(number, text, left):
    text = text.rstrip()
    if len(text) != left + ROW * CELL + 1:
        raise BadDiagram(number, f"the row ends in column {len(text)}, not {left + ROW * CELL + 1}")
    bars = [place for place in range(left, len(text)) if text[place] == "|"]
    for bar in bars:
        if (bar - left) % CELL:
            raise BadDiagram(number, f"the bar in column {bar + 1} is not between two octets")
    return [((first - left) // CELL, (last - left) // CELL, text[first + 1:last].strip())
            for first, last in zip(bars, bars[1:])]


class Place:
    """Where a member lies: its path from the structure, to be measured."""

    def __init__(self, path, sized, leaf):
        self.path = path
        self.sized = sized      # not so for a flexible array
        self.leaf = leaf
        self.start = 0
        self.size = 0

    def last(self):
        return self.path.split(".")[-1]

    def is_zero(self):
        return self.last().startswith("zero")


def places(aggregate, aggregates, prefix=""):
    """Every member of a structure, and those of the structures in it."""
    found = []
    for member in aggregate.members:
        path = prefix + member.name
        inside = member if member.members else aggregates.get(member.type_name)
        nested = inside is not None and bool(inside.members)
        if member.name:
            found.append(Place(path, not member.flexible, not nested))
        if nested:
            step = path + ("[0]." if member.array else ".")
            found += places(inside, aggregates, step if member.name else prefix)
    return found


def measure(includes, folders, structures):
    """Compile and run a program that says where everything is.

    structures: {"struct name": [Place, ...]}. Returns {"struct name": size}.
    """
    lines = ["#include <stdio.h>", "#include <stddef.h>"]
    lines += [f"#include <{include}>" for include in includes]
    lines += ["int main(void)", "{"]
    for structure, members in structures.items():
        lines.append(f'\tprintf("%lu\\n", (unsigned long)sizeof({structure}));')
        for place in members:
            size = f"sizeof((({structure} *)0)->{place.path})" if place.sized else "0"
            lines.append(f'\tprintf("%lu %lu\\n", (unsigned long)offsetof({structure}, {place.path}), '
                         f"(unsigned long){size});")
    lines += ["\treturn 0;", "}", ""]
    answers = iter(compile_and_run("\n".join(lines), folders))
    sizes = {}
    for structure, members in structures.items():
        sizes[structure] = int(next(answers))
        for place in members:
            place.start, place.size = (int(word) for word in next(answers).split())
    return sizes


class NoCompiler(RuntimeError):
    """The host compiler is missing."""


class Refused(RuntimeError):
    """The host compiler does not like the headers."""


def compile_and_run(program, folders):
    compiler = os.environ.get("CC", "cc").split()
    if not shutil.which(compiler[0]):
        raise NoCompiler(f"the C compiler '{compiler[0]}' is missing: apt-get install gcc")
    with tempfile.TemporaryDirectory(prefix="hdmabuf-octets-") as folder:
        source, binary = os.path.join(folder, "octets.c"), os.path.join(folder, "octets")
        with open(source, "w", encoding="utf-8") as file:
            file.write(program)
        command = compiler + ["-o", binary, source] + [f"-I{place}" for place in folders]
        built = subprocess.run(command, stderr=subprocess.PIPE, encoding="utf-8", check=False)
        if built.returncode:
            reason = next((line for line in built.stderr.split("\n") if "error" in line), "no reason given")
            raise Refused(f"the octet diagrams cannot be checked, as the compiler says: {reason}")
        ran = subprocess.run([binary], stdout=subprocess.PIPE, encoding="utf-8", check=True)
        return ran.stdout.split("\n")


def compare(structure, diagram, members, size):
    """Where a diagram differs from the compiled structure: (line, message)."""
    try:
        fields, drawn = read(diagram)
    except BadDiagram as bad:
        yield bad.args[0], f"the diagram of {structure} cannot be read: {bad.args[1]}"
        return
    if drawn is None and fields:
        fields[-1].end = drawn = size
    if drawn != size:
        yield diagram[-1][0], f"the diagram of {structure} draws {drawn} octets; it has {size}"
    zeros = set()
    for field in fields:
        if field.name.startswith("zero"):
            zeros.update(range(field.start, field.end))
        else:
            yield from compare_field(structure, field, members)
    reserved = set()
    for place in members:
        if place.is_zero() and place.leaf:
            reserved.update(range(place.start, place.start + place.size))
    # A part that is drawn as a whole may have reserved octets within.
    parts = {octet for field in fields for place in members if place.last() == field.name and not place.leaf
             for octet in range(place.start, place.start + place.size)}
    odd = sorted(zeros ^ (reserved - parts))
    if odd:
        what = "draws as zero what is not reserved"
        if odd[0] not in zeros:
            what = "does not draw as zero what is reserved"
        yield diagram[0][0], f"the diagram of {structure} {what}: octet {odd[0]}"


def compare_field(structure, field, members):
    place = next((place for place in members if place.path == field.name), None)
    if place is None:
        alike = [place for place in members if place.last() == field.name]
        # A part that is there more than once is the one drawn here, if any is.
        alike.sort(key=lambda place: place.start != field.start)
        place = alike[0] if alike else None
    if place is None:
        yield field.line, f"the diagram of {structure} draws '{field.name}', which is not a member"
        return
    size = place.size if place.sized else field.end - field.start
    if (field.start, field.end) != (place.start, place.start + size):
        yield field.line, (f"the diagram of {structure} draws '{field.name}' at {field.start} with "
                           f"{field.end - field.start} octets; it is at {place.start} with {size}")
