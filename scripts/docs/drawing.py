# SPDX-License-Identifier: MIT
"""What all drawings share: colours, the width of a text, wrapping, quoting for dot."""

FONT = "Helvetica,Arial,sans-serif"
INK = "#2b3a42"
LINE = "#4a6572"
FAINT = "#9fb1ba"
ACCENT = "#1f6f9f"
BOX = "#e8f1f6"
NOTE = "#fdf6dd"
NOTE_EDGE = "#cdb56a"

NARROW = set("iljtfr.,:;|!()[]'`/ I")
WIDE = set("mwMW@%")


def text_width(text, size):
    """About how many points a line of text is wide; rather too much than too little."""
    units = 0.0
    for char in text:
        if char in NARROW:
            units += 0.37
        elif char in WIDE:
            units += 0.98
        elif char.isupper() or char == "_":
            units += 0.73
        else:
            units += 0.63
    return units * size


def wrap(text, size, limit):
    """Break a text into lines of at most limit points, at blanks."""
    lines = []
    current = ""
    for word in text.split():
        longer = f"{current} {word}".strip()
        if current and text_width(longer, size) > limit:
            lines.append(current)
            current = word
        else:
            current = longer
    return lines + [current]


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quote_lines(lines):
    return '"' + "\\n".join(quote(line)[1:-1] for line in lines) + '"'


def directive(caption, dot_lines):
    """A graphviz directive with nothing but what kernel-render understands too."""
    out = [".. graphviz::", f"   :alt: {caption}", f"   :caption: {caption}", ""]
    return out + ["   " + line if line else "" for line in dot_lines]
