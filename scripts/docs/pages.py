# SPDX-License-Identifier: MIT
"""Writing the rst pages."""

import re
import textwrap

from docs import clauses as clause_marks

ROLES = {
    "macro": "macro",
    "function-macro": "macro",
    "enumerator": "enumerator",
    "struct": "struct",
    "union": "union",
    "enum": "enum",
    "typedef": "type",
    "function": "func",
}
TAGS = ("struct", "union", "enum")
SECOND = "c"        # the name space for a function that shares its name with a structure
KEPT = re.compile(r"(``.+?``|:[\w:]+:`[^`]*`|`[^`]+`_{0,2}|\*\*\[HDB-[\w-]+\]\*\*)", re.S)
AGGREGATE_MENTION = re.compile(r"(?<![\w`])(struct|union|enum)\s+(\w+)\b(?!`)")
STRESSED_AGGREGATE = re.compile(r"\*(struct|union|enum)\s+(\w+)\*")
STRESSED = re.compile(r"(?<![\w*])\*([A-Z][^*]*)\*(?![\w*])")
STRESSED_CALL = re.compile(r"(?<![\w*])\*([A-Za-z_]\w+)\(\)\*(?![\w*])")
KEPT_OR_STRESSED = re.compile(KEPT.pattern[:-1] + r"|\*+[^*\s][^*]*\*+)", re.S)
CALL_MENTION = re.compile(r"(?<![\w`.>])([A-Za-z_]\w+)\(\)")
BARE_MENTION = re.compile(r"(?<![\w`\\/*])(HDMABUF_[A-Z0-9_]+)(?![\w*(`])")
KERNEL_DOC_ROLE = re.compile(r":c:type:`([\w ]+?) <(\w+)>`|:c:type:`(\w+)`")
UNDERLINE = re.compile(r"^([-=~^\"'#*+.])\1{2,}$")
QUALIFIERS = re.compile(r"^(?:(?:static|inline|extern|__inline__|__inline|[A-Z][A-Z0-9]*_[A-Z0-9_]*)\s+)+")
ERRORS = re.compile(r"^(Errors(?: of [A-Z_]+)?:)(?=\s)")
LITERAL_WIDTH = 60      # a macro's value is shown if it's not longer


class Symbols:
    """What all the pages document, so that mentions can be made links."""

    def __init__(self):
        self.tags = {}          # kinds of structures, unions and enums
        self.ordinary = {}      # kinds of everything else
        self.titles = {}        # of chapters and sections: their labels

    def add(self, header, page):
        for title in titles(header):
            self.titles.setdefault(title, []).append(label(page, title))
        documented = header.documented()
        for declaration in header.declarations:
            if declaration.name not in documented:
                continue
            names = self.tags if declaration.kind in TAGS else self.ordinary
            names.setdefault(declaration.name, declaration.kind)
            if declaration.kind == "enum":
                for member in declaration.members:
                    self.ordinary.setdefault(member.name, "enumerator")

    def is_shared(self, name):
        """C has two name spaces, Sphinx one: a structure and a function of one name collide."""
        return name in self.tags and name in self.ordinary

    def role(self, name, shown=None):
        """The link to a symbol that is no tag, or None when it is not documented."""
        kind = self.ordinary.get(name)
        if kind is None:
            return None
        if self.is_shared(name):
            shown = shown or name + ("()" if kind in ("function", "function-macro") else "")
            return f":c:{ROLES[kind]}:`{shown} <{SECOND}.{name}>`"
        target = f"{shown} <{name}>" if shown and shown != name else name
        return f":c:{ROLES[kind]}:`{target}`"

    def tag(self, name, shown):
        """The link to a structure, union or enum, or None."""
        kind = self.tags.get(name)
        return f":c:{ROLES[kind]}:`{shown} <{name}>`" if kind else None

    def link(self, text):
        """Make the mentions of symbols and clauses in running text lead to them."""
        parts = KEPT.split(text)
        parts[::2] = [self.link_plain(part) for part in parts[::2]]
        parts[1::2] = [self.link_kept(part) for part in parts[1::2]]
        return "".join(parts)

    def title(self, match):
        """*The session*, in running text, leads to what has that title."""
        labels = self.titles.get(" ".join(match[1].split()), ())
        return f":ref:`{match[1]} <{labels[0]}>`" if len(labels) == 1 else match[0]

    def link_plain(self, text):
        text = STRESSED_AGGREGATE.sub(self.aggregate, clause_marks.link(text))
        text = STRESSED_CALL.sub(self.call, text)
        text = STRESSED.sub(self.title, text)
        parts = KEPT_OR_STRESSED.split(text)
        for place in range(0, len(parts), 2):
            part = AGGREGATE_MENTION.sub(self.aggregate, parts[place])
            part = CALL_MENTION.sub(self.call, part)
            parts[place] = BARE_MENTION.sub(lambda match: self.role(match[1]) or match[0], part)
        return "".join(parts)

    def call(self, match):
        return self.role(match[1]) or match[0]

    def aggregate(self, match):
        if self.tags.get(match[2]) != match[1]:
            return match[0]
        return self.tag(match[2], f"{match[1]} {match[2]}")

    def link_kept(self, text):
        literal = re.match(r"^``(?:(struct|union|enum) )?(\w+)(\(\))?``$", text)
        if literal:
            linked = self.tag(literal[2], text[2:-2]) if literal[1] else self.role(literal[2])
            return linked or text
        written = KERNEL_DOC_ROLE.fullmatch(text)
        if written:
            name, shown = written[2] or written[3], written[1] or written[3]
            return self.tag(name, shown) or self.role(name, shown) or f"``{shown}``"
        return text


def titles(header):
    """The titles of a header's chapters, and of the sections in them."""
    for comment in header.comments:
        if comment.kind != "DOC":
            continue
        yield comment.name
        for (_, text), (_, under) in zip(comment.lines, comment.lines[1:]):
            if is_heading(text, under):
                yield text


def is_heading(text, under):
    return bool(text.strip()) and not text.startswith(" ") and UNDERLINE.match(under) is not None \
        and len(under) >= len(text)


def label_headings(lines, page, symbols):
    """Let sections be led to, as far as their titles tell them apart."""
    out = []
    for text, under in zip(lines, lines[1:] + [""]):
        if is_heading(text, under) and len(symbols.titles.get(text, ())) == 1:
            out += [f".. _{label(page, text)}:", ""]
        out.append(text)
    return out


def link_prose(lines, symbols):
    """Link paragraphs; leave headings, tables and directives as they are."""
    out = []
    place = 0
    while place < len(lines):
        end = place
        while end < len(lines) and lines[end].strip():
            end += 1
        paragraph = lines[place:end]
        if paragraph and is_prose(paragraph):
            paragraph = symbols.link("\n".join(paragraph)).split("\n")
        out += paragraph
        if end < len(lines):
            out.append(lines[end])
        place = end + 1
    return out


def is_prose(paragraph):
    for line in paragraph:
        bare = line.strip()
        if UNDERLINE.match(bare) or re.match(r"^=+( +=+)+$", bare) or bare[0] in "|+" and bare[-1] in "|+":
            return False
    first = paragraph[0].strip()
    return not (re.match(r"^:[\w-]+:( |$)", first) or first.startswith((".. ", "HDMABUFBLOCK")))


class Page:
    """The page of one header."""

    def __init__(self, name, title, header, protected, symbols, clauses):
        self.name = name            # as in docs/, without .rst
        self.title = title
        self.header = header
        self.protected = protected
        self.symbols = symbols
        self.clauses = clauses      # by name
        self.chapter = ""

    def render(self, items):
        lines = [".. SPDX-License-Identifier: MIT",
                 f".. Made from {self.header.shown} by scripts/make-docs. Change it there.", ""]
        rule = "=" * len(self.title)
        lines += [rule, self.title, rule, ""]
        for item in items:
            lines += self.chapter_lines(item) if item.comment.kind == "DOC" else self.symbol_lines(item)
            lines.append("")
        return tidy(lines)

    def prose(self, lines):
        lines = clause_marks.mark(lines, self.clauses, self.name, self.chapter)
        return self.protected.restore(link_prose(lines, self.symbols))

    def chapter_lines(self, item):
        title = item.comment.name
        self.chapter = title
        lines = [f"*{item.comment.purpose}*", ""] if item.comment.purpose else []
        if title and title != self.title:
            lines = [title, "=" * len(title), ""]
            if len(self.symbols.titles[title]) == 1:
                lines = [f".. _{label(self.name, title)}:", ""] + lines
        return lines + label_headings(self.prose(item.sections[0][1]), self.name, self.symbols)

    def symbol_lines(self, item):
        kinds = (item.comment.kind, "typedef") if item.comment.kind else ("macro", "function-macro", "function")
        declaration = self.header.find(item.comment.name, kinds, item.comment.end)
        if declaration is None:
            return []
        body = {
            "macro": self.macro_body,
            "function-macro": self.callable_body,
            "function": self.callable_body,
            "typedef": self.typedef_body,
            "enum": self.enum_body,
        }.get(declaration.kind, self.aggregate_body)(item, declaration)
        lines = [f".. c:{directive(declaration)}:: {signature(declaration)}", ""] + indented(body)
        if declaration.kind not in TAGS and self.symbols.is_shared(declaration.name):
            lines = [f".. c:namespace-push:: {SECOND}", ""] + lines + ["", ".. c:namespace-pop::", ""]
        return lines

    def macro_body(self, item, declaration):
        purpose = self.prose(item.purpose)
        if declaration.value and len(declaration.value) <= LITERAL_WIDTH:
            purpose = [f"``{plain_value(declaration.value)}``: " + " ".join(purpose)]
        return purpose + [""] + self.section_lines(item)

    def callable_body(self, item, declaration):
        lines = self.prose(item.purpose) + [""]
        rest = [section for section in item.sections if not section[0].lower().startswith("return")]
        for name, body in rest:
            lines += self.one_section(name, body)
        fields = [(f":param {parameter_name(term)}:", self.prose(text)) for term, text in item.terms
                  if term not in ("void", "``void``")]
        fields += [(":return:", self.prose(body)) for name, body in item.sections
                   if name.lower().startswith("return")]
        for name, body in fields:
            lines += field(name, body)
        return lines

    def typedef_body(self, item, declaration):
        lines = self.prose(item.purpose) + [""] + code(declaration.text)
        return lines + self.callable_body(item, declaration)[len(self.prose(item.purpose)) + 1:]

    def enum_body(self, item, declaration):
        lines = self.prose(item.purpose) + [""] + self.section_lines(item)
        for name, text in item.terms:
            value = next((member.value for member in declaration.members if member.name == name), "")
            shown = f"{name} = {value}" if value else name
            lines += [f".. c:enumerator:: {shown}", ""] + indented(self.prose(text)) + [""]
        return lines

    def aggregate_body(self, item, declaration):
        lines = self.prose(item.purpose) + [""] + self.section_lines(item)
        lines += self.member_table(item.terms)
        return lines + ["**Definition**", ""] + code(declaration.text) if declaration.members else lines

    def member_table(self, terms):
        terms = [(name, text) for name, text in terms if not name.split(".")[-1].startswith("zero")]
        if not terms:
            return []
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 25 75", "   :class: members", "",
                 "   * - Member", "     - Meaning"]
        for name, text in terms:
            body = indented(self.prose(text), "       ") or ["       "]
            lines += [f"   * - ``{name}``", "     - " + body[0].lstrip()] + body[1:]
        return lines + [""]

    def section_lines(self, item):
        lines = []
        for name, body in item.sections:
            lines += self.one_section(name, body)
        return lines

    def one_section(self, name, body):
        body = self.prose(body)
        if name == "Description":
            return [ERRORS.sub(r"**\1**", line) for line in body] + [""]
        if body and is_prose(body[:1]):
            return [f"**{name}:** {body[0]}"] + body[1:] + [""]
        return [f"**{name}:**", ""] + body + [""]


def label(page, title):
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return f"{page.split('/')[-1]}-{slug}"


def directive(declaration):
    return {"function-macro": "macro", "typedef": "type"}.get(declaration.kind, declaration.kind)


def signature(declaration):
    if declaration.kind == "function-macro":
        return declaration.name + " ".join(declaration.parameters.replace("\\\n", " ").split())
    if declaration.kind == "function":
        text = " ".join(declaration.text.split())
        return QUALIFIERS.sub("", text)
    return declaration.name


def plain_value(value):
    """A value without the wrapping that only a compiler needs."""
    value = re.sub(r"\(u?int\d+_t\)|\bUINT\d+_C(?=\()", "", value)
    value = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", value)
    return re.sub(r"^\(([^()]*)\)$", r"\1", value).strip()


def parameter_name(term):
    pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", term)
    if pointer:
        return pointer[1]
    words = re.findall(r"\w+|\.\.\.", term.split("[")[0])
    return words[-1] if words else term


def field(name, body):
    if not body:
        return [name, ""]
    return [f"{name} {body[0]}"] + indented(body[1:]) + [""]


def code(text):
    """A declaration as it stands in the header, without its comments."""
    lines = [line.rstrip() for line in text.expandtabs(8).split("\n")]
    lines = textwrap.dedent("\n".join(line for line in lines if line)).split("\n")
    lines[-1] += ";"
    return [".. code-block:: c", ""] + indented(lines) + [""]


def indented(lines, margin="   "):
    return [margin + line if line else "" for line in lines]


def tidy(lines):
    out = []
    for line in lines:
        line = line.rstrip()
        if line or (out and out[-1]):
            out.append(line)
    while out and not out[-1]:
        out.pop()
    return out + [""]


def contents_page(title, intro, entries):
    """A page that does nothing but lead to others. entries: (name, purpose)."""
    rule = "=" * len(title)
    lines = [".. SPDX-License-Identifier: MIT", ".. Made by scripts/make-docs.", "", rule, title, rule, "", intro, "",
             ".. list-table::", "   :widths: 35 65", ""]
    for name, purpose in entries:
        lines += [f"   * - :doc:`{name}`", f"     - {purpose}"]
    lines += ["", ".. toctree::", "   :hidden:", ""]
    return lines + [f"   {name}" for name, _ in entries] + [""]
