#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that check-instructions fails when a path has grown, and only then."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(os.environ.get("BUILD", "build")) / "bench"
RECORD = HERE / "instructions.txt"
PATH = "ring_round_trip"


def check(record: Path, program: Path = PROGRAMS / "instructions", *arguments: str) -> tuple[int, str]:
    """The exit status of check-instructions, and what it said."""
    result = subprocess.run([HERE / "check-instructions", "--record", record, "--program", program, *arguments],
                            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.returncode, result.stdout


def scaled(text: str, factor: float) -> str:
    """A record in which one path has another count."""
    lines = []
    for line in text.splitlines():
        if line.startswith(f"{PATH} "):
            line = f"{PATH} {float(line.split()[1]) * factor:.2f}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def cases(folder: Path) -> list[tuple[str, int, str, tuple[int, str]]]:
    """Name, the status there should be, what should be said, and what came of it."""
    now = folder / "now.txt"
    made = check(now, PROGRAMS / "instructions", "--update")
    text = now.read_text() if now.exists() else ""

    def with_record(changed: str) -> tuple[int, str]:
        record = folder / "record.txt"
        record.write_text(changed)
        return check(record)

    seeded = check(now, PROGRAMS / "instructions-seeded")
    without = "".join(line for line in text.splitlines(True) if not line.startswith(f"{PATH} "))
    return [
        ("a record is written", 0, "", made),
        ("its counts are found again", 0, "+0.00 %", check(now)),
        ("a second copy of each message is found", 1, f" {PATH} takes", seeded),
        ("so it is in format 1", 1, f" marked_{PATH} takes", seeded),
        ("4 % more are found", 1, f"{PATH} takes", with_record(scaled(text, 1 / 1.04))),
        ("2 % more are let pass", 0, "", with_record(scaled(text, 1 / 1.02))),
        ("less is let pass", 0, "", with_record(scaled(text, 2))),
        ("a path that is not in the record is found", 1, f"{PATH} is not in the record", with_record(without)),
        ("a path that is no more is found", 1, "gone is in the record and is no path", with_record(text + "gone 7\n")),
        ("counts of another compiler are not compared", 77, "not compared",
         with_record(text.replace("compiler: ", "compiler: other "))),
        ("a record that is not there is told", 70, "there is no", check(folder / "none.txt")),
    ]


def main() -> int:
    status, said = check(RECORD)
    if status == 77:
        print(f"ok 1 - check-instructions # SKIP {said.strip()}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    failed = 0
    with tempfile.TemporaryDirectory(prefix="hdmabuf-instructions-test-") as folder:
        results = cases(Path(folder))
    for number, (name, expected, words, (status, said)) in enumerate(results, 1):
        good = status == expected and words in said
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        if not good:
            print(f"# status {status}, not {expected}; it should say '{words}' and says:\n{said}")
    print(f"{len(results) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
