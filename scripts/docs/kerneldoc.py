# SPDX-License-Identifier: MIT
"""Running kernel-doc, and reading what it prints, whichever version it is.

The versions differ in indentation and in wrapping containers, and all of them mangle
literal blocks that hold an at sign, an ampersand or a per cent sign. So it is given a
copy of the header in which those parts are tokens, on lines of the same numbers, and
what it prints is read back into items that look alike for every version.
"""

import glob
import os
import re
import subprocess
import tempfile
import textwrap

PLACES = "/usr/lib/linux-kbuild-*/scripts/kernel-doc"
BLOCK = "HDMABUFBLOCK%04dX"
BLOCK_LINE = re.compile(r"^(\s*)HDMABUFBLOCK(\d{4})X\s*$")
TITLE = "HDMABUFTITLE%04dX"
TITLE_LINE = re.compile(r"^\*\*HDMABUFTITLE(\d{4})X\*\*$")
TITLE_LABEL = re.compile(r"^\.\. _HDMABUFTITLE\d{4}X:$")
CONTAINER = ".. container:: kernelindent"
SYMBOL_LINE = re.compile(r"^\.\. c:(?:function|macro|struct|union|enum|type):: (.*)$")
SECTION_LINE = re.compile(r"^\s*\*\*(Parameters|Constants|Definition|Members|Syntax|Description|Context|"
                          r"Returns?|Notes?|Examples?)\*\*(?:::)?\s*$", re.I)
TERM_LINE = re.compile(r"^``(.+?)``$")
END = "\0"
# Stand-ins from Unicode's private use area, which no header contains.
MANGLED = {"@": "\ue000", "&": "\ue001", "%": "\ue002", "\\": "\ue003"}
WARNING = re.compile(r"^(.*?):(\d+): (?:warning|error): (.*)$")
RESERVED_MEMBER = re.compile(r"member '(?:[\w.]*\.)?zero\w*' not described")


class Item:
    """A chapter (DOC) or the documentation of one symbol."""

    def __init__(self, comment):
        self.comment = comment
        self.purpose = []
        self.terms = []         # (name, lines) of the parameters, members or constants
        self.sections = []      # (name, lines), and for a DOC one that has no name


def find():
    """The newest kernel-doc of Debian's linux-kbuild packages, or None."""
    def version(path):
        return [int(number) for number in re.findall(r"\d+", path)]

    chosen = os.environ.get("KERNEL_DOC")
    if chosen:
        return chosen if os.access(chosen, os.X_OK) else None
    found = sorted(glob.glob(PLACES), key=version)
    return found[-1] if found else None


class Protected:
    """The copy of the header that kernel-doc is given, and how to get back from it."""

    def __init__(self, header, expand):
        self.header = header
        self.expand = expand        # called with a comment and a directive: lines, or None
        self.blocks = []
        self.titles = []
        self.lines = []             # the copy
        self.numbers = []           # for each of its lines, the number in the header
        copied = 0
        for comment in header.comments:
            if comment.kind is None:    # stands within a declaration: kernel-doc knows what to do
                continue
            self.add(range(copied + 1, comment.start), header.lines[copied:comment.start - 1])
            self.add([comment.start], ["/**"])
            self.add([number for number, _ in comment.lines], self.protect(comment))
            self.add([comment.end], [" */"])
            copied = comment.end
        self.add(range(copied + 1, len(header.lines) + 1), header.lines[copied:])
        self.open_opaque()

    def open_opaque(self):
        """kernel-doc has no idea of structures that are only named: give them an inside."""
        for place, line in enumerate(self.lines):
            named = re.match(r"^((?:struct|union)\s+\w+)\s*;$", line)
            if named and self.lines[place - 1] == " */":
                self.lines[place] = named[1] + " { int zero; };"

    def add(self, numbers, lines):
        self.numbers += numbers
        self.lines += lines

    def protect(self, comment):
        texts = [text for _, text in comment.lines]
        if comment.kind == "DOC":
            place = comment.title_line - comment.lines[0][0]
            texts[place] = "DOC: " + TITLE % len(self.titles)
            self.titles.append(comment)
        else:
            # With the word, kernel-doc takes a hyphen in what follows for the end of the name.
            place = comment.title_line - comment.lines[0][0]
            texts[place] = re.sub(r"^(\s*)define\s+", r"\1", texts[place])
        self.take_blocks(comment, texts)
        texts = hide_inline("\n".join(texts)).split("\n")
        return [(" * " + text).rstrip() for text in texts]

    def take_blocks(self, comment, texts):
        place = 0
        while place < len(texts):
            end = indented_end(texts, place)
            lines = self.taken(comment, comment.lines[place][0], texts[place:end])
            if lines is None:
                place += 1
                continue
            is_directive = texts[place].lstrip().startswith(".. ")
            self.replace(texts, place if is_directive else place + 1, end, lines)
            place = end

    def taken(self, comment, number, lines):
        """What stands for a directive or for a literal block; None if it's neither."""
        first = lines[0].strip()
        if first.startswith(".. "):
            return self.expand(comment, number, lines)
        if first.endswith("::") and any(line.strip() for line in lines[1:]):
            return textwrap.dedent("\n".join(lines[1:])).strip("\n").split("\n")
        return None

    def replace(self, texts, start, end, lines):
        while end > start and not texts[end - 1].strip():
            end -= 1
        while not texts[start].strip():
            start += 1
        margin = min(len(text) - len(text.lstrip()) for text in texts[start:end] if text.strip())
        texts[start] = " " * margin + BLOCK % len(self.blocks)
        self.blocks.append(lines)
        for place in range(start + 1, end):
            texts[place] = ""

    def restore(self, lines):
        """Put the blocks back into lines that kernel-doc printed, and tidy them."""
        out = []
        for line in lines:
            match = BLOCK_LINE.match(line)
            if match:
                out += [(match[1] + text).rstrip() for text in self.blocks[int(match[2])]]
            else:
                out.append(show_inline(line))
        return squeeze(out)


def indent(text):
    """How far the text of a line is indented; that of a list's item starts after its mark."""
    return len(re.match(r"\s*(?:(?:[-*+]|\d+\.|#\.)\s+)?", text)[0])


def indented_end(texts, place):
    """Where the lines end that are indented more than the one at place."""
    margin = indent(texts[place])
    end = place + 1
    if not texts[place].strip():
        return end
    while end < len(texts) and (not texts[end].strip() or indent(texts[end]) > margin):
        end += 1
    return end


def hide_inline(text):
    def hide(match):
        return "".join(MANGLED.get(char, char) for char in match[0])

    return re.sub(r"``(?:[^`\n]|`(?!`)|\n(?!\s*\n))+?``", hide, text)


def show_inline(text):
    for char, stand_in in MANGLED.items():
        text = text.replace(stand_in, char)
    return text


def squeeze(lines):
    """No blank lines at the ends, and nowhere two together."""
    out = []
    for line in lines:
        if line.strip() or (out and out[-1]):
            out.append(line.rstrip())
    while out and not out[-1]:
        out.pop()
    return out


def run(program, protected):
    """(lines, problems) of kernel-doc over a protected header."""
    with tempfile.TemporaryDirectory(prefix="hdmabuf-docs-") as folder:
        path = os.path.join(folder, "header.h")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(protected.lines))
        environment = dict(os.environ, LC_ALL="C.UTF-8")
        for name in ("KBUILD_VERBOSE", "KCFLAGS", "KDOC_WERROR", "SRCTREE"):
            environment.pop(name, None)
        command = [program, "-rst", "-sphinx-version", "5.3.0", path]
        result = subprocess.run(command, env=environment, cwd=folder, encoding="utf-8", check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    problems = []
    for line in result.stderr.split("\n"):
        match = WARNING.match(line)
        if match and not RESERVED_MEMBER.search(match[3]) and "no structured comments" not in match[3]:
            number = protected.numbers[min(int(match[2]), len(protected.numbers)) - 1]
            problems.append((number, "kernel-doc: " + match[3]))
    return result.stdout.split("\n"), problems


def read(lines, protected):
    """Turn what kernel-doc printed into items, in the order of the header."""
    items = []
    awaited = [comment for comment in protected.header.comments if comment.kind not in (None, "DOC")]
    start = None
    for place, line in enumerate(lines + [END]):
        comment = starts_item(line, protected, awaited)
        if comment is None and line is not END:
            continue
        if start is not None:
            fill(items[-1], lines[start:place])
        if comment is not None:
            items.append(Item(comment))
            start = place + 1
    return items


def starts_item(line, protected, awaited):
    title = TITLE_LINE.match(line)
    if title:
        return protected.titles[int(title[1])]
    symbol = SYMBOL_LINE.match(line)
    if not symbol:
        return None
    words = re.findall(r"\w+", symbol[1])
    for place, comment in enumerate(awaited):
        if comment.name in words:
            del awaited[:place + 1]
            return comment
    return None


def fill(item, lines):
    lines = [line for line in lines if not TITLE_LABEL.match(line) and line.strip() != CONTAINER]
    if item.comment.kind == "DOC":
        item.sections.append(("", squeeze(lines)))
        return
    parts = split_sections(lines)
    item.purpose = read_purpose(item, parts[0][1])
    for name, body in parts[1:]:
        body = dedent(body)
        if name in ("Parameters", "Members", "Constants"):
            item.terms = [(term, squeeze(text)) for term, text in read_terms(body)]
        elif name not in ("Definition", "Syntax"):
            item.sections.append((name, squeeze(body)))


def split_sections(lines):
    parts = [("", [])]
    for line in lines:
        match = SECTION_LINE.match(line)
        if match:
            parts.append((match[1], []))
        else:
            parts[-1][1].append(line)
    return parts


def read_purpose(item, lines):
    """The line after the dash, without the signature that is printed over it."""
    signature = "``" + item.comment.name
    lines = [line.replace("**Typedef**: ", "") for line in lines if not line.startswith(signature)]
    return squeeze(dedent(lines))


def read_terms(lines):
    terms = []
    for line in lines:
        match = TERM_LINE.match(line)
        if match:
            terms.append((match[1], []))
        elif terms:
            terms[-1][1].append(line)
    return [(name, dedent(text)) for name, text in terms]


def dedent(lines):
    return textwrap.dedent("\n".join(lines)).split("\n")
