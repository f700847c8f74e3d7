#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs and the library are built so that they are hard to take over.

Looks at them with readelf. A program that is built the other way must be found to be
wrong in each respect. Prints a line for each test, and as the last one "N passed, N failed,
N skipped". BUILD is where the programs were built, CC the compiler.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
CC = shlex.split(os.environ.get("CC", "cc"))


def readelf(path, *options):
    done = subprocess.run(["readelf", "--wide", *options, path], check=True, text=True,
                          capture_output=True, env=dict(os.environ, LC_ALL="C"))
    return done.stdout


class Binary:
    """What readelf says of a program or library."""

    def __init__(self, path):
        self.header = readelf(path, "--file-header")
        self.segments = readelf(path, "--program-headers")
        self.dynamic = readelf(path, "--dynamic")
        self.needs = re.findall(r" UND ([\w@.]+)", readelf(path, "--dyn-syms"))
        self.sanitized = any(name.startswith(("__asan_", "__tsan_", "__ubsan_"))
                             for name in self.needs)

    def segment(self, name):
        return [line.split() for line in self.segments.splitlines()
                if line.split()[:1] == [name]]

    def imports(self, pattern):
        return any(re.fullmatch(pattern, name.split("@")[0]) for name in self.needs)


def flags_of(segment):
    """R, W, E of a line of --program-headers, which may have spaces between."""
    return "".join(segment[6:-1])


# ---- What is asked of each; what is returned is why not ------------------------


def is_position_independent(binary):
    if " DYN " not in binary.header:
        return "is loaded at a fixed address"
    return None


def has_relocations_read_only(binary):
    if not binary.segment("GNU_RELRO"):
        return "has no GNU_RELRO"
    if not re.search(r"\(FLAGS(_1)?\).*\bNOW\b|\(BIND_NOW\)|\(FLAGS\).*BIND_NOW", binary.dynamic):
        return "binds lazily, so that what it calls stays writable"
    return None


def has_no_code_that_can_be_written(binary):
    for segment in binary.segment("LOAD") + binary.segment("GNU_STACK"):
        flags = flags_of(segment)
        if segment[0] == "GNU_STACK" and "E" in flags:
            return "has an executable stack"
        if "W" in flags and "E" in flags:
            return "has code that can be written"
    if not binary.segment("GNU_STACK"):
        return "does not say that its stack is not executable"
    if "(TEXTREL)" in binary.dynamic:
        return "has relocations in its code"
    return None


def guards_its_stack(binary):
    return None if binary.imports("__stack_chk_fail") else "does not look at its stack's guard"


def is_fortified(binary):
    if binary.sanitized or binary.imports(r"__\w+_chk"):
        return None
    return "calls no function that checks sizes"


def looks_nowhere_else(binary):
    return "has a path of its own" if re.search(r"\((RPATH|RUNPATH)\)", binary.dynamic) else None


CHECKS = [is_position_independent, has_relocations_read_only, has_no_code_that_can_be_written,
          guards_its_stack, is_fortified, looks_nowhere_else]


# ---- Tests ---------------------------------------------------------------------


def products():
    for folder in ("bin", "lib"):
        for name in sorted(os.listdir(os.path.join(BUILD, folder))):
            path = os.path.join(BUILD, folder, name)
            if os.access(path, os.X_OK) and not os.path.islink(path) and not name.endswith(".a"):
                yield path


SOFT = """
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
	char text[16];

	strcpy(text, argv[argc - 1]);
	return puts(text) < 0;
}
"""


def soft(*more):
    """A program that has none of all this."""
    with tempfile.TemporaryDirectory(prefix="hdmabuf-hardened-") as folder:
        path = os.path.join(folder, "soft")
        subprocess.run(
            [*CC, "-w", "-O2", "-no-pie", "-fno-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE",
             "-Wl,-z,norelro,-z,lazy,-z,execstack,-rpath,/tmp", *more, "-x", "c", "-", "-o",
             path], input=SOFT, text=True, check=True)
        return Binary(path)


def binary_is(path):
    def test():
        binary = Binary(path)
        wrong = [why for why in (check(binary) for check in CHECKS) if why]
        assert not wrong, f"{path} " + "; it ".join(wrong)
    return "is_hard." + os.path.basename(path), test


def found_soft():
    binary = soft()
    for check in CHECKS:
        assert check(binary), f"{check.__name__} finds nothing wrong with a program that is soft"


def found_lazy():
    assert has_relocations_read_only(soft("-Wl,-z,relro")), "lazy binding is not found"


def main():
    paths = list(products())
    tests = [binary_is(path) for path in paths]
    tests += [("found.soft", found_soft), ("found.lazy", found_lazy)]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    if not any("libhdmabuf.so" in path for path in paths):
        tests.append(("is_there", lambda: (_ for _ in ()).throw(AssertionError("no library"))))
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            counts["passed"] += 1
            print(f"ok {number} - hardened.{name}")
        except (AssertionError, OSError, subprocess.SubprocessError) as reason:
            counts["failed"] += 1
            print(f"not ok {number} - hardened.{name}\n#   {reason}")
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
