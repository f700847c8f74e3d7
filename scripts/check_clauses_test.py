#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that check-clauses finds what it is there to find."""

import importlib.machinery
import importlib.util
import os
import sys

sys.dont_write_bytecode = True      # build products go below build/ only
HERE = os.path.dirname(os.path.realpath(__file__))

loader = importlib.machinery.SourceFileLoader("check_clauses", os.path.join(HERE, "check-clauses"))
check_clauses = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_clauses", loader))
loader.exec_module(check_clauses)

CLAUSES = {"HDB-A-001": "It MUST be so.", "HDB-A-002": "It MUST NOT be otherwise."}
TESTS = {"group.one": ["HDB-A-001"]}
REASON = "nobody can see it from outside"
UNTESTABLE = {"HDB-A-002": REASON}
REVIEWED = {name: check_clauses.digest(text) for name, text in CLAUSES.items()}

# What is put in place of what is right, and what has to be said of it.
CASES = [
    ("all is well", {}, None),
    ("a clause without a test", {"untestable": {}}, "HDB-A-002 has no test"),
    ("a test without a clause", {"tests": {**TESTS, "group.two": [""]}}, "group.two is about no clause"),
    ("a test of an unknown clause", {"tests": {**TESTS, "group.two": ["HDB-A-009"]}}, "HDB-A-009, which is no clause"),
    ("a tested clause that can't be tested", {"tests": {**TESTS, "group.two": ["HDB-A-002"]}}, "and cannot be tested"),
    ("no reason", {"untestable": {"HDB-A-002": "hard"}}, "'hard' is no reason"),
    ("a reason for an unknown clause", {"untestable": {**UNTESTABLE, "HDB-A-009": REASON}}, "HDB-A-009 is no clause"),
    ("a changed clause", {"clauses": {**CLAUSES, "HDB-A-001": "It MUST be thus."}}, "look at its tests (group.one)"),
    ("a new clause", {"reviewed": {"HDB-A-001": REVIEWED["HDB-A-001"]}}, "HDB-A-002 is new"),
    ("a clause that is gone", {"reviewed": {**REVIEWED, "HDB-A-003": "00"}}, "HDB-A-003 is no clause"),
]


def main():
    failed = 0
    for number, (name, change, expected) in enumerate(CASES, 1):
        right = {"clauses": CLAUSES, "tests": TESTS, "untestable": UNTESTABLE, "reviewed": REVIEWED}
        found = list(check_clauses.problems(**{**right, **change}))
        good = any(expected in line for line in found) if expected else not found
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        if not good:
            print(f"# expected '{expected}', found {found}")
    print(f"{len(CASES) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
