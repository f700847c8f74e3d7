# SPDX-License-Identifier: MIT
"""Which public symbols have no documentation: kernel-doc passes those over in silence."""

NEEDED = {
    "macro": "macro",
    "function-macro": "macro",
    "struct": "struct",
    "union": "union",
    "enum": "enum",
    "typedef": "typedef",
    "function": "function",
}


def problems(header):
    """(line, message) for everything that is public and undocumented."""
    comments = header.documented()
    seen = set()
    for declaration in header.declarations:
        if declaration.name in seen or is_private(declaration, header):
            continue
        seen.add(declaration.name)
        comment = comments.get(declaration.name)
        if comment is None:
            yield declaration.line, f"{NEEDED[declaration.kind]} {declaration.name} is not documented"
            continue
        yield from member_problems(declaration, comment)


def is_private(declaration, header):
    """Include guards, and what does not outlive the header."""
    if declaration.kind not in ("macro", "function-macro"):
        return not declaration.name
    name = declaration.name
    return name.endswith("_H") or name.startswith("_") or name in header.undefined


def member_problems(declaration, comment):
    if declaration.kind not in ("struct", "union", "enum"):
        return
    documented = dict(comment.members(), **declaration.inline_docs)
    known = dict(member_paths(declaration.members))
    for path, line in known.items():
        if path not in documented and not path.split(".")[-1].startswith("zero"):
            yield line, f"{declaration.kind} {declaration.name}: member {path} is not documented"
    for path, line in documented.items():
        if path not in known:
            yield line, f"{declaration.kind} {declaration.name}: there is no member {path}"


def member_paths(members, prefix=""):
    for member in members:
        if member.name:
            yield prefix + member.name, member.line
        inner = prefix + member.name + "." if member.name else prefix
        yield from member_paths(member.members, inner)
