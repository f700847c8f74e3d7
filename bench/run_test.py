#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that the benchmark measures what its rows name, and judges it as it says.

No time is asserted: each group is run for one round.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import xml.dom.minidom
from pathlib import Path

sys.dont_write_bytecode = True      # build products go below build/ only
HERE = Path(__file__).resolve().parent

loader = importlib.machinery.SourceFileLoader("run", str(HERE / "run"))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)

FIELDS = {"name", "unit", "ours", "reference", "ratio", "spread", "target", "verdict"}
# What only a full run measures, and what another program does.
NOT_QUICK = ("1GiB", "4GiB", "/1000/", "/10000/", "/100000/", "ringtest/", "instructions ", "lab ")
LIMIT = 120                         # seconds for a group
NEEDS_XEN = "xen/"


def measured(ours: list[float], reference: list[float]) -> run.Measured:
    result = run.Measured()
    for number, (mine, theirs) in enumerate(zip(ours, reference)):
        result.add("test", f"burst\t{number}\tours\t{mine}\nburst\t{number}\ttheirs\t{theirs}")
    return result


def judged(most: float | None = None, least: float | None = None) -> dict:
    """Rounds of 1 : 2, 2 : 2 and 9 : 3, the middle of which is 1."""
    return run.judge(run.Row("section", "row", "ns", "ours", "theirs", most, least),
                     measured([1, 2, 9], [2, 2, 3]))


def ratio_of_rounds() -> bool:
    row = judged()
    return row["ratio"] == 1 and row["ours"] == 2 and row["reference"] == 2 and row["spread"] == 1.25


def the_fields_of_a_row() -> bool:
    return FIELDS <= judged().keys()


def verdicts() -> bool:
    return [judged()["verdict"], judged(1.0)["verdict"], judged(0.99)["verdict"], judged(1.05, 0.95)["verdict"],
            judged(1.2, 1.1)["verdict"]] == [None, "met", "missed", "met", "missed"]


def a_value_without_reference() -> bool:
    values = run.Measured()
    values.add("test", "value\tcount\t7")
    row = run.judge(run.Row("section", "row", "octets", "count", most=6), values)
    return row["ours"] == 7 and row["ratio"] is None and row["verdict"] == "missed"


def what_was_not_measured() -> bool:
    values = run.Measured()
    values.add("test", "skip\tall\tno reason")
    return run.judge(run.Row("section", "row", "ns", "ours", "theirs"), values) is None and \
        values.skipped == [("all", "no reason")]


def every_row_is_measured() -> bool:
    """One round of each group, without a row that names something else."""
    values = run.Measured()
    for group in run.ROUNDS:
        result = subprocess.run([run.PROGRAM, group, "--rounds", "1", "--quick"], text=True, check=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=LIMIT)
        values.add(group, result.stdout)
    skipped = NOT_QUICK
    if not (run.PROGRAM.parent / "xen_instructions").exists():
        skipped += (NEEDS_XEN,)
    if len(os.sched_getaffinity(0)) < 2:
        skipped += ("/cross/",)
    missing = [row.name for row in run.all_rows()
               if not any(words in f"{row.ours} {row.reference}" for words in skipped)
               and run.judge(row, values) is None]
    for name in missing:
        print(f"# not measured: {name}")
    return not missing


def a_picture_of_the_table() -> bool:
    with tempfile.TemporaryDirectory(prefix="hdmabuf-bench-test-") as folder:
        table = Path(folder) / "bench.json"
        table.write_text(json.dumps([judged(1.05), judged(0.5)]))
        result = subprocess.run([HERE / "picture", table], text=True, check=True, stdout=subprocess.PIPE)
        missing = subprocess.run([HERE / "picture", Path(folder) / "none"], stderr=subprocess.DEVNULL)
    picture = xml.dom.minidom.parseString(result.stdout)
    texts = [node.firstChild.data for node in picture.getElementsByTagName("text")]
    return texts.count("row") == 2 and any("met" in text for text in texts) and \
        any("missed" in text for text in texts) and missing.returncode == 66


def wrong_usage() -> bool:
    commands = ([HERE / "run", "nonsense"], [HERE / "run", "--nonsense"], [run.PROGRAM], [run.PROGRAM, "nonsense"],
                [run.PROGRAM, "rings", "--rounds", "0"], [HERE / "fetch-ringtest", "--nonsense"])
    return all(subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 64
               for command in commands)


TESTS = (ratio_of_rounds, the_fields_of_a_row, verdicts, a_value_without_reference, what_was_not_measured, every_row_is_measured,
         a_picture_of_the_table, wrong_usage)


def main() -> int:
    failed = 0
    for number, test in enumerate(TESTS, 1):
        try:
            good = test()
        except (run.Trouble, subprocess.SubprocessError, OSError) as trouble:
            print(f"# {trouble}")
            good = False
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {test.__name__}", flush=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
