#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""That no test of the conformance suite passes with a peer that does nothing, or nonsense.

Of each group of tests, one is tried with each kind of null peer in each role, another one with
another kind; --all tries every test with every kind, which takes half an hour.  The statement
claims everything.  Prints a line a run, and exits with 0 if none failed, 77 if there is nothing
to be tested.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUITE = Path(os.environ.get("BUILD", "build")) / "bin" / "hdmabuf-conformance"
NULL = HERE / "null" / "null_peer.py"
ROLES = ("backend", "frontend")
FIRST = "session.is_established"        # without it, the others take longer
PATIENCE = 200                          # milliseconds
LIMIT = 60                              # seconds for a run of a sample
AT_ONCE = 3
GOOD = ("PASS", "WARN")


def output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def kinds() -> list[str]:
    text = output(sys.executable, NULL, "--help")
    listed = text.split("KIND is one of these:")[1].split("Exit status")[0]
    return re.findall(r"^  ([a-z-]+) ", listed, re.M)


def options() -> list[str]:
    text = output(SUITE, "--help")
    listed = text.split("The options are:")[1].split("Exit status")[0]
    return re.findall(r"^  ([a-z-]+) ", listed, re.M)


def tests(role: str) -> list[str]:
    listed = output(SUITE, "--role", role, "--list").splitlines()
    return [line.split("\t")[0] for line in listed if re.match(r"\w+\.\w+\t", line)]


def sample(names: list[str], number: int) -> list[str]:
    """One test of each group, and another one for another number."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.split(".")[0], []).append(name)
    return [FIRST, *(group[number % len(group)] for group in groups.values())]


def run(kind: str, role: str, wanted: list[str], place: Path, limit: float | None) -> list[str]:
    """What is wrong with a run of the suite."""
    report = place / f"{kind}-{role}.json"
    command = [SUITE, "--role", role, "--iut", f"exec '{sys.executable}' '{NULL}' {kind}",
               "--statement", place / "statement", "--patience", PATIENCE, "--jobs", 4,
               "--seed", 1, "--report", f"json:{report}"]
    for name in wanted:
        command += ["--test", name]
    try:
        done = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return [f"does not end within {limit} seconds"]
    if done.returncode != 1:
        return [f"exit status {done.returncode}: {done.stderr.strip()}"]
    results = json.loads(report.read_text(encoding="utf-8"))["tests"]
    wrong = [f"{each['name']}: {each['verdict']}" for each in results
             if each["verdict"] in (*GOOD, "ERROR")]
    missing = set(wanted) - {each["name"] for each in results}
    return wrong + [f"{name}: not in the report" for name in sorted(missing)]


def main() -> int:
    everything = sys.argv[1:] == ["--all"]
    if sys.argv[1:] and not everything:
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 64
    if not SUITE.exists():
        print(f"1..0 # SKIP {SUITE} is not there: make all")
        return 77
    listed = {role: tests(role) for role in ROLES}
    pairs = [(kind, role) for kind in kinds() for role in ROLES]
    failed = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        place = Path(folder)
        (place / "statement").write_text(
            "name null\n" + "".join(f"claims {word}\n" for word in options()), encoding="utf-8")

        def try_pair(number: int) -> list[str]:
            kind, role = pairs[number]
            wanted = listed[role] if everything else sample(listed[role], number)
            return run(kind, role, wanted, place, None if everything else LIMIT)

        began = time.monotonic()
        for number, wrong in enumerate(pool.map(try_pair, range(len(pairs)))):
            print(f"{'not ok' if wrong else 'ok'} {number + 1} - {' as '.join(pairs[number])}",
                  flush=True)
            for line in wrong:
                print(f"# {line}")
            failed += bool(wrong)
        print(f"# took {time.monotonic() - began:.0f} seconds")
    print(f"1..{len(pairs)}")
    print(f"{len(pairs) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
