# SPDX-License-Identifier: MIT
"""Reading a C header: its kernel-doc comments, its declarations, its tables.

Not a compiler: it knows what a public header holds, which is directives, aggregates,
typedefs, prototypes, inline functions and assertions.
"""

import re

DOC_TITLE = re.compile(r"^DOC:\s*(.*)$")
DOC_SYMBOL = re.compile(r"^(?:(struct|union|enum|typedef)\s+|define\s+)?([A-Za-z_]\w*)\s*(?:\([^)]*\))?\s*"
                        r"(?:[-:].*)?$")
FILE_TITLE = re.compile(r"^\w+\.h - (.*)$")
DOC_MEMBER = re.compile(r"^@(\w[\w.]*|\.\.\.)\s*:\s*(.*)$")
INLINE_DOC = re.compile(r"/\*\*\s*@([\w.]+)\s*:")
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)]*\))?(?=[\s]|$)(.*)$", re.S)
TABLE = re.compile(r"^HDMABUF_(\w+)_TABLE$")
TABLE_ROW = re.compile(r"\bX\(\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*\)")
AGGREGATE = re.compile(r"^(typedef\s+)?(struct|union|enum)\b\s*(\w*)\s*\{(.*)\}\s*"
                       r"(?:__\w+(?:\([^)]*\))?\s*)*(\w*)\s*$", re.S)
NESTED = re.compile(r"^(?:const\s+|volatile\s+)*(struct|union)\s*(\w*)\s*\{(.*)\}\s*(\w*)\s*(\[[^]]*\])?$", re.S)
OPAQUE = re.compile(r"^(struct|union)\s+(\w+)$")
FUNCTION = re.compile(r"^(?P<type>[\w\s*]+?[\s*])(?P<name>[A-Za-z_]\w*)\s*\((?P<args>.*)\)\s*$", re.S)
FUNCTION_POINTER = re.compile(r"\(\s*\*\s*(\w+)\s*\)\s*\(")


class Comment:
    """One kernel-doc comment: what it is for, and its lines with their numbers."""

    def __init__(self, start, end, lines):
        self.start = start      # number of the line with the opening mark
        self.end = end          # number of the line with the closing mark
        self.lines = lines      # (number, text without the leading star)
        self.kind = None        # "DOC", or what is documented, or "" for macro and function
        self.name = ""
        self.purpose = ""       # of a header as a whole
        self.title_line = start
        self.read_title()

    def read_title(self):
        for number, text in self.lines:
            if not text.strip():
                continue
            self.title_line = number
            title = DOC_TITLE.match(text.strip())
            symbol = DOC_SYMBOL.match(text.strip())
            if title:
                self.kind, self.name = "DOC", title[1].strip()
            elif symbol:
                self.kind, self.name = symbol[1] or "", symbol[2]
            return

    def members(self):
        found = {}
        for number, text in self.lines:
            match = DOC_MEMBER.match(text.strip())
            if match:
                found[match[1]] = number
        return found


class Member:
    def __init__(self, name, kind, type_name, line, members=()):
        self.name = name                # "" for an unnamed struct or union
        self.kind = kind                # "struct", "union" or "" for anything else
        self.type_name = type_name      # the tag when its type is a struct or union
        self.line = line
        self.members = list(members)    # of a struct or union written on the spot
        self.flexible = False           # an array without a length
        self.array = False
        self.value = ""                 # of an enumerator


class Declaration:
    def __init__(self, kind, name, line, text):
        self.kind = kind        # macro, function-macro, struct, union, enum, typedef, function
        self.name = name
        self.line = line
        self.text = text        # as in the header, without comments
        self.members = []       # of an aggregate: Member; of an enum: likewise, by name only
        self.inline_docs = {}   # members documented where they stand
        self.value = ""         # of an object-like macro, on one line
        self.parameters = ""    # of a function-like macro, with the parentheses


class Header:
    def __init__(self, path, shown, title=""):
        """With a title, the comment at the top is a chapter of that title."""
        self.path = path
        self.shown = shown      # the name to print: relative to the tree
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        self.lines = self.text.split("\n")
        self.comments = read_comments(self.lines)
        if title:
            self.comments[:0] = read_top(self.lines, title)
        self.bare = blank_comments(self.text)
        self.declarations = []
        self.undefined = set(re.findall(r"^[ \t]*#[ \t]*undef[ \t]+(\w+)", self.bare, re.M))
        code = self.read_directives()
        self.read_code(code)
        self.declarations.sort(key=lambda declaration: declaration.line)

    def find(self, name, kinds, after=0):
        """The first declaration of a name that stands after a line."""
        for declaration in self.declarations:
            if declaration.name == name and declaration.kind in kinds and declaration.line > after:
                return declaration
        return None

    def documented(self):
        """The comments that document a symbol, by name."""
        return {comment.name: comment for comment in self.comments
                if comment.kind not in (None, "DOC")}

    def tables(self):
        """The state machines: {"SESSION": [(role, state, event, next), ...]}."""
        found = {}
        for declaration in self.declarations:
            name = TABLE.match(declaration.name)
            if name and declaration.kind == "function-macro":
                found[name[1]] = TABLE_ROW.findall(declaration.text)
        return found

    def read_directives(self):
        """Collect the macros; return the text with every directive blanked out."""
        kept = []
        lines = self.bare.split("\n")
        number = 0
        while number < len(lines):
            start = number
            if not lines[number].lstrip().startswith("#"):
                kept.append(lines[number])
                number += 1
                continue
            while lines[number].rstrip().endswith("\\") and number + 1 < len(lines):
                number += 1
            number += 1
            kept += [""] * (number - start)
            self.read_define(start + 1, "\n".join(lines[start:number]))
        return "\n".join(kept)

    def read_define(self, line, text):
        match = DEFINE.match(text)
        if not match:
            return
        kind = "function-macro" if match[2] else "macro"
        declaration = Declaration(kind, match[1], line, text)
        declaration.value = " ".join(match[3].replace("\\\n", " ").split())
        declaration.parameters = match[2] or ""
        self.declarations.append(declaration)

    def read_code(self, code):
        code = re.sub(r'extern\s+"C"\s*\{', lambda match: " " * len(match[0]), code)
        for start, text in chunks(code):
            line = code.count("\n", 0, start) + 1
            self.read_declaration(line, text)

    def read_declaration(self, line, text):
        aggregate = AGGREGATE.match(text)
        if aggregate:
            self.read_aggregate(line, text, aggregate)
            return
        if text.startswith("typedef"):
            name = FUNCTION_POINTER.search(text) or re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*$", text) \
                or re.search(r"(\w+)\s*\([^()]*\)\s*$", text)
            if name:
                self.declarations.append(Declaration("typedef", name[1], line, text))
            return
        if is_assertion(text):
            return
        opaque = OPAQUE.match(text)
        if opaque and any(comment.name == opaque[2] and comment.end == line - 1 for comment in self.comments):
            self.declarations.append(Declaration(opaque[1], opaque[2], line, text))
            return
        function = FUNCTION.match(text)
        if function:
            self.declarations.append(Declaration("function", function["name"], line, text))

    def read_aggregate(self, line, text, match):
        kind, tag, body, alias = match[2], match[3], match[4], match[5]
        declaration = Declaration(kind, tag or alias, line, text)
        body_line = line + text[:match.start(4)].count("\n")
        if kind == "enum":
            declaration.members = read_enumerators(body, body_line)
        else:
            declaration.members = read_members(body, body_line)
        last = line + text.count("\n")
        for number in range(line, last + 1):
            for name in INLINE_DOC.findall(self.lines[number - 1]):
                declaration.inline_docs[name] = number
        for comment in self.comments:
            if line <= comment.start <= last:
                declaration.inline_docs.update(comment.members())
        self.declarations.append(declaration)


def read_comments(lines):
    """The kernel-doc comments, also those of one line."""
    comments = []
    start = None
    body = []
    for number, line in enumerate(lines, 1):
        text = line.expandtabs(8)
        if start is None:
            opening = re.match(r"^\s*/\*\*(?=\s|$)\s*(.*)$", text)
            if not opening:
                continue
            start, body, text = number, [], opening[1]
        else:
            text = strip_star(text)
        end = text.find("*/")
        text = text[:end].rstrip() if end >= 0 else text
        if text or number > start and end < 0:
            body.append((number, text))
        if end >= 0:
            comments.append(Comment(start, number, body))
            start = None
    return comments


def read_top(lines, title):
    """The comment that says what a header is for: none, or a list of one."""
    for start, line in enumerate(lines[:5], 1):
        purpose = FILE_TITLE.match(strip_star(lines[start])) if line == "/*" else None
        if not purpose:
            continue
        end = next(number for number in range(start, len(lines) + 1) if "*/" in lines[number - 1])
        body = [(number, strip_star(lines[number - 1].expandtabs(8))) for number in range(start + 1, end)]
        comment = Comment(start, end, body)
        comment.kind, comment.name, comment.purpose = "DOC", title, purpose[1]
        return [comment]
    return []


def strip_star(line):
    return re.sub(r"^\s*\*(?!/) ?", "", line).rstrip()


def blank_comments(text):
    """Replace comments by blanks, so that places and line numbers stay."""
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)

    def blank(match):
        if match[0][0] in "\"'":
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])

    return pattern.sub(blank, text)


def chunks(code):
    """Split code into declarations: (offset, text without the closing semicolon)."""
    depth = 0
    start = 0
    for place, char in enumerate(code):
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth < 0:       # closes an extern "C"
                depth, start = 0, place + 1
            elif depth == 0 and is_function_head(code[start:code.index("{", start)]):
                yield stripped(code, start, code.index("{", start))
                start = place + 1
        elif char == ";" and depth == 0:
            yield stripped(code, start, place)
            start = place + 1


def stripped(code, start, end):
    text = code[start:end]
    return start + len(text) - len(text.lstrip()), text.strip()


def is_function_head(text):
    return ")" in text and not re.search(r"\b(struct|union|enum)\s+\w*\s*$", text)


def is_assertion(text):
    return re.match(r"^(_Static_assert|static_assert|[A-Z_][A-Z0-9_]*)\s*\(", text) is not None


def read_enumerators(body, line):
    members = []
    place = 0
    for part in body.split(","):
        name = re.match(r"\s*(\w+)", part)
        if name:
            at = line + body[:place + name.start(1)].count("\n")
            members.append(Member(name[1], "", "", at))
            members[-1].value = " ".join(part.partition("=")[2].split())
        place += len(part) + 1
    return members


def read_members(body, line):
    members = []
    for start, text in member_texts(body):
        at = line + body[:start].count("\n")
        nested = NESTED.match(text)
        if nested:
            inside = read_members(nested[3], at + text[:nested.start(3)].count("\n"))
            members.append(Member(nested[4], nested[1], "", at, inside))
            members[-1].array = nested[5] is not None
        else:
            members += plain_members(text, at)
    return members


def member_texts(body):
    depth = 0
    start = 0
    for place, char in enumerate(body):
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
        elif char == ";" and depth == 0:
            yield stripped(body, start, place)
            start = place + 1


def plain_members(text, line):
    if is_assertion(text):
        return []
    pointer = FUNCTION_POINTER.search(text)
    if pointer:
        return [Member(pointer[1], "", "", line)]
    tag = re.match(r"^(?:const\s+|volatile\s+)*(struct|union)\s+(\w+)", text)
    members = []
    for part in text.split(","):
        name = re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*(?::\s*\d+\s*)?$", part)
        if name:
            by_value = tag and "*" not in part
            members.append(Member(name[1], tag[1] if by_value else "", tag[2] if by_value else "", line))
            members[-1].flexible = re.search(r"\[\s*\]\s*$", part) is not None
            members[-1].array = "[" in part
    return members
