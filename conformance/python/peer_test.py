#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run hdmabuf_peer.py against the reference programs in $BUILD/bin, and against itself.

Every case starts a backend and a frontend.  Those that share pictures have to exit with 0 and to
have seen the same pixels; those that are commanded (docs/control.rst) to tell what is expected.
Prints a line a case, and exits with 0 if none failed.
"""

from __future__ import annotations

import os
import re
import select
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
LIMIT = 20.0                                        # seconds for a case
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

    def await_frame(self, peer: subprocess.Popen[str]) -> None:
        """Wait until a Python peer that was started with -v has a frame through, in a session."""
        said = b""
        assert peer.stderr
        while b"first frame" not in said:
            left = max(0.0, self.end - time.monotonic())
            assert select.select([peer.stderr], [], [], left)[0], "no frame comes"
            data = os.read(peer.stderr.fileno(), 4096)
            assert data, "it has ended, and no frame has come"
            said += data

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


class Commanded:
    """A program that follows the control protocol."""

    def __init__(self, case: Case, kind: str, role: str) -> None:
        command = PEER if kind == "python" else [str(BACKEND if role == "backend" else FRONTEND)]
        if kind == "reference" and not Path(command[0]).exists():
            raise Skip(f"no {command[0]}")
        self.program = subprocess.Popen(
            [*command, "--control"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=dict(os.environ, HDMABUF_ROLE=role,
                                             HDMABUF_ENDPOINT=f"local:{case.path}"))
        case.running.append(self.program)           # type: ignore
        self.case, self.lines, self._rest = case, [], b""

    def _read(self) -> None:
        """Wait for more lines."""
        assert self.program.stdout
        left = max(0.0, self.case.end - time.monotonic())
        assert select.select([self.program.stdout], [], [], left)[0], f"silence: {self.lines}"
        data = os.read(self.program.stdout.fileno(), 65536)
        assert data, f"it has ended: {self.lines}"
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode() for line in lines]

    def expect(self, start: str) -> str:
        """Take the first line that begins so, and return the rest of it."""
        while True:
            for line in self.lines:
                if line.startswith(start):
                    self.lines.remove(line)
                    return line[len(start):].strip()
            self._read()

    def send(self, command: str) -> str:
        """Give a command and return what is answered."""
        assert self.program.stdin
        self.program.stdin.write(command.encode() + b"\n")
        self.program.stdin.flush()
        while True:
            for line in self.lines:
                if line.split(" ")[0] in ("ok", "no", "unsupported"):
                    self.lines.remove(line)
                    return line
            self._read()

    def do(self, *commands: str) -> None:
        for command in commands:
            answer = self.send(command)
            assert answer == "ok", f"{command}: {answer}"

    def echo(self) -> None:
        """A round trip: whatever was sent before has been taken."""
        octets = os.urandom(56).hex()
        self.do(f"echo {octets}")
        self.expect(f"event echoed {octets} 0")

    def has_not(self, start: str) -> None:
        found = [line for line in self.lines if line.startswith(start)]
        assert not found, f"unexpected: {found}"

    def end(self) -> None:
        """It ends in good order with its standard input."""
        assert self.program.stdin
        self.program.stdin.close()
        self.program.stdin = None
        code = self.program.wait(max(0.1, self.case.end - time.monotonic()))
        assert code == 0, f"exit status {code}"


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
    backend = case.start(case.peer("backend", "-v"))
    first = case.start(case.reference(FRONTEND, "--source=pattern:64x64", "--frames=0"))
    case.await_frame(backend)
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
    frontend = case.start(case.peer("frontend", "--export", "--frames", "0", "--size", "64x16",
                                    "-v"))
    case.await_frame(frontend)
    first.kill()
    first.wait()
    second = case.start(case.reference(BACKEND, "--sink=null"))
    case.await_frame(frontend)
    second.send_signal(signal.SIGTERM)
    rest, _ = case.finish(second)
    frontend.send_signal(signal.SIGTERM)
    frames, _ = case.finish(frontend)
    assert 0 < rest < frames, f"{frames} frames, {rest} of them with the second backend"


# ----------------------------------------------------------------------- told what to do

Story = Callable[[Commanded, Commanded], None]


def pattern_crc(octets: int) -> str:
    return f"{zlib.crc32(bytes((n + n // 256 * 7) % 256 for n in range(octets))):08x}"


def share(exporter: Commanded, importer: Commanded, name: str, options: str) -> str:
    """Export a buffer; returns its id."""
    exporter.do(f"export {name} {options}")
    exporter.expect(f"event exported {name} 0")
    return importer.expect("event imported")


def directories(exporter: Commanded, importer: Commanded) -> None:
    exporter.do("timeline t signaller=peer")
    for point, (form, size) in enumerate([("list", 5 << 20), ("table", 5 << 20),
                                          ("extents", 70000)], 1):
        buffer = share(exporter, importer, form,
                       f"directory={form} size={size} offset=77 rights=read-write private=100")
        exporter.do(f"hand-off {form} stamp={point} signal=t@{point}", f"wait t {point}")
        told = importer.expect(f"event turn {buffer}")
        assert told == f"stamp={point} crc={pattern_crc(size)}", told
        exporter.expect(f"event reached t {point} 0")
        exporter.do(f"query {form}")
        exporter.expect(f"event queried {form} 0")
        exporter.do(f"unexport {form} grace=1000")
        importer.expect(f"event retire {buffer}")
        exporter.expect(f"event released {form}")
    exporter.has_not("event quarantined")


def types(exporter: Commanded, importer: Commanded) -> None:
    for kind in ("raw", "picture", "cyclic"):
        buffer = share(exporter, importer, kind, f"type={kind} size=4800 tag=7")
        exporter.do(f"hand-off {kind}")
        assert importer.expect(f"event turn {buffer} stamp=0") == f"crc={pattern_crc(4800)}"


def updates(exporter: Commanded, importer: Commanded) -> None:
    buffer = share(exporter, importer, "a", "size=100")
    for tag, private in ((1, 0), (2, 1000)):
        exporter.do(f"update a tag={tag} private={private}")
        exporter.echo()
    exporter.do("hand-off a")
    importer.expect(f"event turn {buffer}")


def lends(exporter: Commanded, importer: Commanded) -> None:
    buffer = share(exporter, importer, "a", "size=9000 rights=lend")
    importer.do("hold on")
    exporter.do("hand-off a stamp=9")
    exporter.echo()
    for command in ("hand-off a", "fill a 1", "update a tag=1"):
        assert exporter.send(command).startswith("no"), f"{command} while it is lent"
    importer.do(f"map {buffer}", f"fill {buffer} 7", "hold off")
    crc = f"stamp=9 crc={zlib.crc32(bytes([7]) * 9000):08x}"
    assert importer.expect(f"event turn {buffer}") == crc
    assert exporter.expect("event turn a") == crc
    exporter.do("fill a 1")


def hands_back(exporter: Commanded, importer: Commanded) -> None:
    buffer = share(exporter, importer, "a", "size=3 rights=read-write")
    importer.do(f"map {buffer}", f"fill {buffer} 66", f"hand-off {buffer} stamp=4")
    assert exporter.expect("event turn a stamp=4") == f"crc={zlib.crc32(b'BBB'):08x}"
    buffer = share(exporter, importer, "b", "size=3")
    assert importer.send(f"hand-off {buffer}").startswith("no"), "it is read-only"


def groups(exporter: Commanded, importer: Commanded) -> None:
    one, two = (share(exporter, importer, name, f"size={size}")
                for name, size in (("one", 10), ("two", 20)))
    exporter.do("hand-off one stamp=1 more")
    sent = exporter.send("echo " + "00" * 56) == "ok"   # which may have to wait, or be refused
    time.sleep(0.05)
    importer.has_not("event turn")
    exporter.do("hand-off two stamp=2")
    if sent:
        exporter.expect("event echoed " + "00" * 56)
    importer.expect(f"event turn {one} stamp=1")
    importer.expect(f"event turn {two} stamp=2")


def waits(exporter: Commanded, importer: Commanded) -> None:
    buffer = share(exporter, importer, "a", "size=10")
    exporter.do("timeline w signaller=creator point=4294967295", "timeline t signaller=peer")
    exporter.echo()
    exporter.do("hand-off a wait=w@4294967297 signal=t@1", "wait t 1", "signal w 4294967296")
    exporter.echo()
    importer.has_not("event turn")
    exporter.do("signal w 4294967297")
    importer.expect(f"event turn {buffer} stamp=0 crc=")
    exporter.expect("event reached t 1 0")
    exporter.do("hand-off a wait=w@4294967299 signal=t@2 stamp=2", "wait t 2", "fail w 22")
    importer.expect(f"event turn {buffer} stamp=2 status=22")
    exporter.expect("event reached t 2 0")


def unexports_while_waiting(exporter: Commanded, importer: Commanded) -> None:
    share(exporter, importer, "a", "size=10")
    exporter.do("timeline w signaller=creator", "timeline t signaller=peer")
    exporter.echo()
    exporter.do("hand-off a wait=w@1 signal=t@1", "wait t 1", "unexport a grace=500")
    exporter.expect("event reached t 1 0")
    exporter.expect("event released a")
    exporter.do("wait t 2", "destroy t")
    exporter.expect("event reached t 2 20")


def keeps(exporter: Commanded, importer: Commanded) -> None:
    buffer = share(exporter, importer, "a", "size=10")
    importer.do("keep on", f"map {buffer}")
    exporter.do("unexport a")
    importer.expect(f"event retire {buffer}")
    exporter.expect("event quarantined a")
    exporter.has_not("event released")
    importer.do(f"release {buffer}")
    exporter.expect("event released a")


def rejects(exporter: Commanded, importer: Commanded) -> None:
    importer.do("reject 13")
    exporter.do("export a size=1")
    exporter.expect("event exported a 13")
    share(exporter, importer, "b", "size=1")


def allocates(exporter: Commanded, importer: Commanded) -> None:
    for wish in ("size=70000 rights=read-write", f"width=16 height=2 fourcc={0x34325258}"):
        importer.do(f"allocate {wish} tag=3")
        buffer = importer.expect("event allocated").partition(" ")[0]
        importer.expect(f"event imported {buffer}")
        exporter.expect(f"event exported {buffer} 0")
        exporter.do(f"hand-off {buffer}")
        importer.expect(f"event turn {buffer} stamp=0 crc=")


def accesses(exporter: Commanded, importer: Commanded) -> None:
    buffer = share(exporter, importer, "a", "size=100")
    for end, name in ((exporter, "a"), (importer, buffer)):
        end.do(f"cpu-begin {name} offset=1 octets=99 access=read",
               f"cpu-end {name} offset=1 octets=99 access=read")
        end.echo()


def releases(exporter: Commanded, importer: Commanded) -> None:
    buffer = share(exporter, importer, "a", "size=10")
    importer.do(f"map {buffer}", f"unmap {buffer}", f"release {buffer}")
    exporter.expect("event released a")
    assert exporter.send("hand-off a").startswith("no"), "it is not there any more"


def closes(exporter: Commanded, importer: Commanded) -> None:
    for closer in (exporter, importer):
        share(exporter, importer, "a", "size=10")
        closer.do("close 2")
        for end in (exporter, importer):
            end.expect("event disconnected 0")
            end.expect("event connected")
        exporter.expect("event released a")


def closes_while_kept(exporter: Commanded, importer: Commanded) -> None:
    buffer = share(exporter, importer, "a", "size=10")
    importer.do("keep on", f"map {buffer}")
    exporter.do("close")
    exporter.expect("event quarantined a")
    for end in (exporter, importer):
        end.expect("event disconnected 0")
        end.expect("event connected")
    exporter.has_not("event released")
    importer.do(f"release {buffer}")
    exporter.expect("event released a")


def is_lost(exporter: Commanded, importer: Commanded) -> None:
    """The importer dies, and another takes its place."""
    share(exporter, importer, "a", "size=10")
    exporter.do("timeline t signaller=peer", "wait t 1")
    importer.program.kill()
    importer.program.wait()
    exporter.expect("event disconnected 19")
    exporter.expect("event reached t 1 19")
    exporter.expect("event quarantined a")
    exporter.expect("event released a")


def refuses(exporter: Commanded, importer: Commanded) -> None:
    share(exporter, importer, "a", "size=10")
    for command, answer in (
            ("dance", "unsupported"), ("export b size=1 colour=red", "unsupported"),
            ("export b", "no"), ("export b size=0", "no"), ("export b size=x", "no"),
            (f"export b size={'9' * 5000}", "no"), ("export b size=\N{BLACK HEART SUIT}", "no"),
            ("export b_ size=1", "no"), ("export a size=1", "no"),
            (f"export b size={1 << 62}", "no"), ("export b size=1 offset=99999", "no"),
            ("export b size=1 private=99999", "no"), ("hand-off nothing", "no"),
            ("hand-off a signal=t@1", "no"), ("signal t 1", "no"), ("wait peer:9 1", "no"),
            ("echo 00", "no"), ("map a", "no"), ("release a", "no")):
        told = exporter.send(command)
        assert told.split(" ")[0] == answer, f"{command}: {told}"
    exporter.echo()


STORIES: list[Story] = [directories, types, updates, lends, hands_back, groups, waits,
                        unexports_while_waiting, keeps, rejects, allocates, accesses, releases,
                        closes, is_lost, refuses]


def told(story: Story, exporter: str, role: str, importer: str) -> Callable[[Case], None]:
    """A story with these kinds of programs, of which the exporter has this role."""
    def run(case: Case) -> None:
        first = Commanded(case, exporter, role)
        second = Commanded(case, importer, "frontend" if role == "backend" else "backend")
        for end in (first, second):
            end.expect("event connected")
        story(first, second)
        if second.program.poll() is None:
            second.end()
        first.end()
    return run


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
    *[(f"told-{story.__name__.replace('_', '-')}-{exporter}-to-{importer}",
       told(story, exporter, role, importer))
      for story in STORIES
      for exporter, role, importer in (("python", "frontend", "python"),
                                       ("python", "backend", "reference"),
                                       ("reference", "backend", "python"))],
    ("told-closes-while-kept", told(closes_while_kept, "python", "backend", "python")),
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
