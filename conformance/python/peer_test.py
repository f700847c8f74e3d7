#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run hdmabuf_peer.py against the reference programs in $BUILD/bin, and against itself.

Every case starts a backend and a frontend, and wants both to exit with 0 and to have seen the
same pixels.  Prints a line a case, and exits with 0 if none failed.
"""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

PEER = [sys.executable, str(Path(__file__).resolve().parent / "hdmabuf_peer.py")]
BIN = Path(os.environ.get("BUILD", "build")).resolve() / "bin"
BACKEND, FRONTEND = BIN / "hdmabuf-backend", BIN / "hdmabuf-frontend"
LIMIT = 8.0                                         # seconds for a case
Command = list[str]


class Skip(Exception):
    pass


class Case:
    """A place for a socket, and the programs that meet there."""

    def __init__(self, place: str) -> None:
        self.place, self.path = Path(place), str(Path(place) / "socket")
        self.end = time.monotonic() + LIMIT
        self.running: list[subprocess.Popen[str]] = []

    def peer(self, role: str, *options: str) -> Command:
        return [*PEER, "--role", role, "--endpoint", f"local:{self.path}", "--verify", *options]

    def reference(self, program: Path, *options: str) -> Command:
        if not program.exists():
            raise Skip(f"no {program}")
        return [str(program), f"--platform=local:{self.path}", "--verify", *options]

    def start(self, command: Command) -> subprocess.Popen[str]:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.running.append(program)
        return program

    def finish(self, program: subprocess.Popen[str], code: int = 0) -> tuple[int, str]:
        """The frames and the CRC that a program reports."""
        out, err = program.communicate(timeout=max(0.1, self.end - time.monotonic()))
        assert program.returncode == code, f"exit status {program.returncode}: {err.strip()[-200:]}"
        frames, crc = re.search(r"\b(\d+) frames", out), re.search(r"crc32 ([0-9a-f]{8})\b", out)
        assert frames and crc, f"no summary in {out!r}"
        return int(frames[1]), crc[1]

    def meet(self, backend: Command, frontend: Command, frames: int) -> None:
        first, second = self.start(backend), self.start(frontend)
        seen, shared = self.finish(first), self.finish(second)
        assert seen == shared, f"the backend has {seen}, the frontend {shared}"
        assert seen[0] == frames, f"{seen[0]} frames instead of {frames}"

    def clean_up(self) -> None:
        for program in self.running:
            if program.poll() is None:
                program.kill()
            program.communicate()


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, octets of a pixel and rows of a PNG of eight bits a sample."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, data, width, octets = 8, b"", 0, 0
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        chunk = png[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, _, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunk)
            assert depth == 8 and colour in (2, 6) and not interlaced, "an unusual PNG"
            octets = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            data += chunk
        at += 12 + length
    data, stride = zlib.decompress(data), width * octets
    rows, above = [], bytes(stride)
    for start in range(0, len(data), stride + 1):
        row = bytearray(data[start + 1:start + 1 + stride])
        for n in range(stride if data[start] else 0):
            left, over = (row[n - octets], above[n - octets]) if n >= octets else (0, 0)
            guess = left + above[n] - over
            row[n] = (row[n] + (0, left, above[n], (left + above[n]) // 2, min(
                (left, above[n], over), key=lambda each: abs(guess - each)))[data[start]]) & 0xFF
        above = bytes(row)
        rows.append(above)
    return width, octets, rows


def frontend_exports(form: str, *options: str) -> Callable[[Case], None]:
    def run(case: Case) -> None:
        case.meet(case.reference(BACKEND, "--sink=null", "--once"),
                  case.peer("frontend", "--export", "--frames", "20", "--size", "321x203",
                            "--directory", form, *options), 20)
    return run


def backend_imports(form: str, *options: str) -> Callable[[Case], None]:
    def run(case: Case) -> None:
        case.meet(case.peer("backend", "--once"),
                  case.reference(FRONTEND, "--source=pattern:320x200", "--frames=50",
                                 f"--directory={form}", *options), 50)
    return run


def backend_exports(case: Case) -> None:
    case.meet(case.peer("backend", "--export", "--once", "--frames", "30"),
              case.reference(FRONTEND, "--export-from=backend", "--sink=null", "--once"), 30)


def frontend_imports(case: Case) -> None:
    case.meet(case.reference(BACKEND, "--export-from=backend", "--source=pattern:320x200",
                             "--frames=50", "--once"),
              case.peer("frontend", "--once"), 50)


def same_pixels(case: Case) -> None:
    """The picture that the reference shows is the one that was drawn."""
    shown = case.place / "shown.png"
    case.meet(case.reference(BACKEND, f"--sink=png:{shown}", "--once"),
              case.peer("frontend", "--export", "--frames", "3", "--size", "64x48"), 3)
    width, octets, rows = pixels(shown.read_bytes())
    assert (width, len(rows)) == (64, 48), "another size"
    for y, row in enumerate(rows):
        for x in range(width):
            n = (2 * 2 + y) % 64 + x                # the third frame of the pattern
            red, green, blue = n * 3 & 0xFF, n >> 1 & 0xFF, n & 0xFF
            assert row[x * octets:x * octets + 3] == bytes((red, green, blue)), f"pixel {x},{y}"


def itself(exporter: str, *options: str) -> Callable[[Case], None]:
    def run(case: Case) -> None:
        export = ("--export", "--frames", "20", "--size", "333x111", *options)
        case.meet(case.peer("backend", "--once", *(export if exporter == "backend" else ())),
                  case.peer("frontend", "--once", *(export if exporter == "frontend" else ())), 20)
    return run


def death_of_frontend(case: Case) -> None:
    """A backend goes on to serve when a frontend is killed in the middle."""
    backend = case.start(case.peer("backend"))
    first = case.start(case.reference(FRONTEND, "--source=pattern:64x64", "--frames=0"))
    time.sleep(0.8)
    first.kill()
    first.wait()
    second = case.start(case.reference(FRONTEND, "--source=pattern:64x64", "--frames=10"))
    assert case.finish(second)[0] == 10
    backend.send_signal(signal.SIGTERM)
    frames, _ = case.finish(backend)
    assert frames > 10, f"{frames} frames of both frontends"


def death_of_backend(case: Case) -> None:
    """A frontend goes on with another backend when one is killed in the middle."""
    first = case.start(case.reference(BACKEND, "--sink=null"))
    frontend = case.start(case.peer("frontend", "--export", "--frames", "0", "--size", "64x16"))
    time.sleep(0.8)
    first.kill()
    first.wait()
    second = case.start(case.reference(BACKEND, "--sink=null"))
    time.sleep(0.8)
    second.send_signal(signal.SIGTERM)
    rest, _ = case.finish(second)
    frontend.send_signal(signal.SIGTERM)
    frames, _ = case.finish(frontend)
    assert 0 < rest < frames, f"{frames} frames, {rest} of them with the second backend"


CASES: list[tuple[str, Callable[[Case], None]]] = [
    ("frontend-exports-list", frontend_exports("list", "--scatter")),
    ("frontend-exports-table", frontend_exports("table", "--data-offset", "52")),
    ("frontend-exports-extents", frontend_exports("extents", "--rights", "read-write")),
    ("frontend-exports-scattered-extents", frontend_exports("extents", "--scatter")),
    ("frontend-exports-same-pixels", same_pixels),
    ("backend-imports-list", backend_imports("list")),
    ("backend-imports-table", backend_imports("table", "--rights=read-write")),
    ("backend-imports-extents", backend_imports("extents", "--buffers=1")),
    ("backend-exports", backend_exports),
    ("frontend-imports", frontend_imports),
    ("itself-frontend-exports", itself("frontend", "--scatter")),
    ("itself-frontend-lends", itself("frontend", "--rights", "lend")),
    ("itself-backend-exports", itself("backend", "--directory", "table")),
    ("death-of-frontend", death_of_frontend),
    ("death-of-backend", death_of_backend),
]


def main() -> int:
    passed = failed = skipped = 0
    for number, (name, run) in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory(prefix="hdmabuf-") as place:
            case = Case(place)
            try:
                run(case)
                passed += 1
                result = f"ok {number} - python.{name}"
            except Skip as why:
                skipped += 1
                result = f"ok {number} - python.{name} # SKIP {why}"
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                failed += 1
                why = "took too long" if isinstance(error, subprocess.TimeoutExpired) else error
                result = f"not ok {number} - python.{name} # {why}".replace("\n", " ")
            finally:
                case.clean_up()
        print(result, flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
