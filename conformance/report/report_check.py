#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Read a report from standard input as strictly as its format allows; report_test runs this.

    report_check.py FORMAT TEXT...

Every TEXT must be found in what the report says once it is parsed.  FORMAT is html, junit or tap.
Exits 0 if all is well, 1 with a line on standard error if not.
"""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "br"}
ATTRIBUTES = {"aria-hidden", "charset", "class", "content", "href", "http-equiv", "id", "lang", "name", "scope",
              "style"}


class Wrong(Exception):
    pass


def require(condition: object, what: str) -> None:
    if not condition:
        raise Wrong(what)


# ---- HTML ---------------------------------------------------------------------------------------

class Page(HTMLParser):
    """Elements are closed in order, ids are unique, links lead somewhere, nothing is fetched or run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        require(tag not in ("script", "img", "link", "iframe", "object"), f"<{tag}>")
        for name, value in attrs:
            require(name in ATTRIBUTES, f"attribute {name} of <{tag}>")
            require(name != "style" or re.fullmatch(r"flex-grow:\d+", value or ""), f"style {value}")
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        require(self.open and self.open[-1] == tag, f"</{tag}> in {self.open}")
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            require("url(" not in data and "@import" not in data, "a style that fetches something")
        else:
            self.text.append(data)


def html(report: str) -> str:
    page = Page()
    page.feed(report)
    page.close()
    require(not page.open, f"{page.open} are not closed")
    require(len(page.ids) == len(set(page.ids)), "an id twice")
    for link in page.links:
        require(link[0] == "#" and link[1:] in page.ids, f"link {link} leads nowhere")
    return "".join(page.text)


# ---- JUnit --------------------------------------------------------------------------------------

def junit(report: str) -> str:
    root = ElementTree.fromstring(report.encode())
    require(root.tag == "testsuites", root.tag)
    suite, = root
    cases = suite.findall("testcase")
    for element in (root, suite):
        require(int(element.attrib["tests"]) == len(cases), "count of tests")
        for name, tag in ("failures", "failure"), ("errors", "error"):
            require(int(element.attrib[name]) == len(suite.findall(f"testcase/{tag}")), f"count of {name}")
    require(int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped")), "count of skipped")
    names = [(case.attrib["classname"], case.attrib["name"]) for case in cases]
    require(len(names) == len(set(names)), "a test twice")
    for case in cases:
        float(case.attrib["time"])
    require(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"]), "timestamp")
    return "\n".join(["".join(root.itertext()), *(value for element in root.iter() for value in element.attrib.values())])


# ---- TAP ----------------------------------------------------------------------------------------

TEST = re.compile(r"(not )?ok (\d+) - ((?:[^#\\]|\\[#\\])*?)(?: # (SKIP) (.*))?")
PAIR = re.compile(r' *(?:- )?(?:[a-z ]+: )?("(?:[^"\\]|\\.)*")')
LIST = re.compile(r"  [a-z]+: (\[.*\])")
HEADING = re.compile(r"  [a-z]+:")


def tap_value(line: str) -> str:
    if HEADING.fullmatch(line):
        return ""
    if found := LIST.fullmatch(line):
        return " ".join(json.loads(found[1]))
    found = PAIR.fullmatch(line)
    require(found, f"not YAML as it is written here: {line}")
    return json.loads(found[1])


def tap(report: str) -> str:
    lines = [line for line in report.split("\n") if not line.startswith("#")]
    require(lines[0] == "TAP version 14", "version")
    plan = re.fullmatch(r"1\.\.(\d+)(?: # SKIP .*)?", lines[1])
    require(plan, "plan")
    require(lines.pop() == "", "the last line ends")
    count, block, said = 0, False, []
    for line in lines[2:]:
        if block:
            block = line != "  ..."
            said.append(tap_value(line) if block else "")
            continue
        if line == "  ---":
            require(count, "a block before all tests")
            block = True
            continue
        test = TEST.fullmatch(line)
        require(test, f"neither test nor block: {line}")
        count += 1
        require(int(test[2]) == count, "tests are numbered")
        require(not (test[1] and test[4]), "a skipped test that is not ok")
        said += [re.sub(r"\\([#\\])", r"\1", part) for part in (test[3], test[5] or "")]
    require(not block, "a block that does not end")
    require(count == int(plan[1]), "the plan is kept")
    return "\n".join(said)


def main() -> int:
    form, *texts = sys.argv[1:]
    report = sys.stdin.buffer.read().decode()
    try:
        said = {"html": html, "junit": junit, "tap": tap}[form](report)
        for text in texts:
            require(text in said, f"does not say {text!r}")
    except (Wrong, ElementTree.ParseError, ValueError) as error:
        print(f"report_check.py: {form}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
