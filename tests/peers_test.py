#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The two reference programs, end to end: as a user runs, breaks and kills them.

Prints a line for each test, and as the last one "N passed, N failed, N skipped".
BUILD is where the programs were built. Arguments are the names of tests to run;
without any, it is all of them.
"""

import contextlib
import json
import os
import random
import re
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bin")
LIMIT = 60 if "sanitize" in BIN else 20

EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE = 64, 65, 66, 69
EX_CANTCREAT, EX_IOERR, EX_TEMPFAIL = 73, 74, 75


class Skip(Exception):
    """What a test needs is not there."""


def check(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(thing) for thing in what))


def equal(is_, should, *what):
    check(is_ == should, *what, "is", repr(is_)[:400], "not", repr(should)[:400])


def until(condition, what, limit=None):
    """Waits for something that another process does."""
    end = time.monotonic() + (limit or LIMIT)
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.002)
    raise AssertionError(f"after {limit or LIMIT} s still not: {what}")


# ---- Programs ----------------------------------------------------------------


class Program:
    """A running program, and what it has said so far."""

    def __init__(self, name, arguments, stdin=subprocess.DEVNULL, stdout=None, stderr=None,
                 env=None):
        self.name = name
        self.err = tempfile.TemporaryFile()
        self.out = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [os.path.join(BIN, "hdmabuf-" + name), *arguments], env=env,
            stdin=stdin, stdout=stdout or self.out, stderr=stderr or self.err)
        self.pid = self.process.pid

    def stderr(self):
        return os.pread(self.err.fileno(), 1 << 20, 0).decode()

    def stdout(self):
        return os.pread(self.out.fileno(), 1 << 24, 0)

    def says(self, text):
        until(lambda: text in self.stderr() or not self.runs(), f"{self.name} says {text}")
        check(text in self.stderr(), f"{self.name} said:", self.stderr())

    def runs(self):
        return self.process.poll() is None

    def ends(self, status=0):
        try:
            is_ = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end; it said: {self.stderr()}") from None
        equal(is_, status, f"exit status of {self.name}, which said {self.stderr()[-4000:]!r},")
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.ends()

    def summary(self):
        return json.loads(self.stdout())

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def mappings(self):
        with open(f"/proc/{self.pid}/maps", encoding="ascii") as maps:
            return sum("memfd" in line for line in maps)


class World:
    """A folder, and the programs that were started in it."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = self.path("socket")
        self.programs = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, name, *arguments, **options):
        program = Program(name, arguments, **options)
        self.programs.append(program)
        return program

    def peer(self, name, *arguments, **options):
        return self.run(name, "--platform", "local:" + self.socket, *arguments, **options)

    def backend(self, *arguments, **options):
        return self.peer("backend", *arguments, **options)

    def frontend(self, *arguments, **options):
        return self.peer("frontend", *arguments, **options)

    def share(self, exporter, source, sink, *both):
        """Both ends, from the one to the other; returns them when they are done."""
        importer = "backend" if exporter == "frontend" else "frontend"
        both = ("--export-from", exporter, "--once", *both)
        sharing = self.peer(exporter, *both, "--source", *source)
        showing = self.peer(importer, *both, "--sink", sink)
        until(lambda: not (sharing.runs() and showing.runs()), "the end")
        for program in (sharing, showing):
            if not program.runs():
                program.ends()
        return sharing.ends(), showing.ends()

    def write(self, name, octets):
        with open(self.path(name), "wb") as file:
            file.write(octets)
        return self.path(name)

    def read(self, name):
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def drop(self, program):
        """One that has ended, and that nobody wants to know of any more."""
        self.programs.remove(program)
        program.err.close()
        program.out.close()

    def end(self):
        for program in self.programs:
            if program.runs():
                program.kill()


ENDS = ("frontend", "backend")


def other(end):
    return ENDS[1 - ENDS.index(end)]


# ---- Pictures ----------------------------------------------------------------


def chunk(name, octets):
    return (struct.pack(">I", len(octets)) + name + octets +
            struct.pack(">I", zlib.crc32(name + octets)))


def png(width, height, depth, color, rows, *extra):
    """A PNG file of rows that are packed already, each with another filter type."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    step = max(1, channels * depth // 8)
    before = bytes(len(rows[0]))
    data = bytearray()
    for y, row in enumerate(rows):
        data.append(y % 5)
        data += bytes((row[i] - predict(y % 5, row, before, i, step)) & 255
                      for i in range(len(row)))
        before = row
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)) +
            b"".join(extra) + chunk(b"IDAT", zlib.compress(bytes(data))) + chunk(b"IEND", b""))


def predict(kind, row, before, i, step):
    left = row[i - step] if i >= step else 0
    above = before[i]
    corner = before[i - step] if i >= step else 0
    if kind < 3:
        return (0, left, above)[kind]
    if kind == 3:
        return (left + above) // 2
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))


def png_pixels(octets):
    """Width, height and pixels, as R, G, B, A, of a PNG as the programs write it."""
    equal(octets[:8], b"\x89PNG\r\n\x1a\n", "signature")
    at, data = 8, b""
    while at < len(octets):
        length, name = struct.unpack_from(">I4s", octets, at)
        body = octets[at + 8:at + 8 + length]
        equal(octets[at:at + 12 + length], chunk(name, body), "chunk")
        if name == b"IHDR":
            width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        elif name == b"IDAT":
            data += body
        at += 12 + length
    equal((depth, interlaced), (8, 0), "depth, interlacing")
    step = {0: 1, 2: 3, 6: 4}[color]
    data = zlib.decompress(data)
    before, pixels = bytes(width * step), []
    for y in range(height):
        line = data[y * (width * step + 1):(y + 1) * (width * step + 1)]
        row = bytearray()
        for i in range(width * step):
            row.append(0)
            row[i] = (line[1 + i] + predict(line[0], row, before, i, step)) & 255
        before = row
        for x in range(0, len(row), step):
            pixel = tuple(row[x:x + step])
            pixels.append({1: pixel * 3 + (255,), 3: pixel + (255,), 4: pixel}[step])
    return width, height, pixels


def opaque(values):
    return [(r, g, b, 255) for r, g, b in values]


def triples(octets):
    return list(zip(octets[0::3], octets[1::3], octets[2::3]))


def rows_of(octets, height):
    length = len(octets) // height
    return [octets[y * length:(y + 1) * length] for y in range(height)]


def pack(values, depth):
    """Rows of small values, with several of them in an octet."""
    rows = []
    for row in values:
        bits = "".join(format(value, f"0{depth}b") for value in row)
        bits += "0" * (-len(bits) % 8)
        rows.append(bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8)))
    return rows


def png_samples():
    """Name, file, and pixels as R, G, B, A, of each kind of PNG."""
    noise = random.Random(1)
    width, height = 61, 37
    count = width * height
    grey = noise.randbytes(count)
    rgb, rgba = noise.randbytes(count * 3), noise.randbytes(count * 4)
    grey_alpha, palette = noise.randbytes(count * 2), noise.randbytes(256 * 3)
    colors = triples(palette)
    veil = noise.randbytes(256)

    def file(depth, color, octets, *extra):
        return png(width, height, depth, color, rows_of(octets, height), *extra)

    yield "grey", file(8, 0, grey), opaque((v, v, v) for v in grey)
    yield "rgb", file(8, 2, rgb), opaque(triples(rgb))
    yield "rgba", file(8, 6, rgba), list(zip(*(rgba[i::4] for i in range(4))))
    yield ("grey-alpha", file(8, 4, grey_alpha),
           [(v, v, v, a) for v, a in zip(grey_alpha[0::2], grey_alpha[1::2])])
    yield ("palette", file(8, 3, grey, chunk(b"PLTE", palette)),
           opaque(colors[v] for v in grey))
    yield ("palette-alpha", file(8, 3, grey, chunk(b"PLTE", palette), chunk(b"tRNS", veil)),
           [colors[v] + (veil[v],) for v in grey])
    for depth in (1, 2, 4):
        top = (1 << depth) - 1
        small = [[v & top for v in row] for row in rows_of(grey, height)]
        yield (f"grey-{depth}", png(width, height, depth, 0, pack(small, depth)),
               opaque((v * 255 // top,) * 3 for row in small for v in row))


def y4m_frame_octets(width, height, chroma):
    half, tall = (width + 1) // 2, (height + 1) // 2
    return width * height + 2 * {
        "420jpeg": half * tall, "420mpeg2": half * tall, "422": half * height,
        "444": width * height, "mono": 0}[chroma]


def y4m(frames, width=64, height=36, chroma="420jpeg", words=""):
    """A stream whose frame n begins with n, so that it can be told which it is."""
    noise = random.Random(2)
    octets = y4m_frame_octets(width, height, chroma)
    stream = [f"YUV4MPEG2 W{width} H{height} F25:1 C{chroma}{words}\n".encode()]
    for number in range(frames):
        stream.append(b"FRAME\n" + struct.pack(">I", number) + noise.randbytes(octets - 4))
    return b"".join(stream)


def y4m_split(stream, width=64, height=36, chroma="420jpeg"):
    """Header, and the complete frames."""
    octets = 6 + y4m_frame_octets(width, height, chroma)
    header, _, rest = stream.partition(b"\n")
    return header, [rest[i:i + octets] for i in range(0, len(rest) - octets + 1, octets)]


def frame_numbers(stream):
    return [struct.unpack_from(">I", frame, 6)[0] for frame in y4m_split(stream)[1]]


def needs(world, *arguments):
    """Skips what the programs were built without."""
    program = world.frontend("--source", "png:" + world.path("nothing.png"), *arguments)
    program.process.wait(LIMIT)
    if "built without" in program.stderr():
        raise Skip(program.stderr().strip())


# ---- Tests -------------------------------------------------------------------


def help_and_version(world):
    for end in ENDS:
        text = world.run(end, "--help").ends().stdout().decode()
        for word in ("--platform", "--source", "--sink", "--control", "--record", "--ring-format", "HDMABUF_ENDPOINT",
                     "Exit status", "66", "75"):
            check(word in text, word, "is not in the help of", end)
        check(text.startswith(f"Usage: hdmabuf-{end}"), text[:40])
        text = world.run(end, "--version").ends().stdout().decode()
        check(text.startswith(f"hdmabuf-{end} "), text)


def wrong_usage_is_told_in_one_line(world):
    platform = ["--platform", "local:" + world.socket]
    wrong = [
        [], ["--platform"], ["--nonsense"], platform + ["extra"], ["--platform", "nowhere:x"],
        ["--platform", "local"], ["--platform", "local:"],
        platform + ["--export-from", "me"], platform + ["--source", "jpeg:x"],
        platform + ["--source", "pattern:0x0"], platform + ["--source", "png:"],
        platform + ["--sink", "null"], platform + ["--frames", "x"],
        platform + ["--frames", "-1"], platform + ["--frames", "4294967296"],
        platform + ["--buffers", "0"], platform + ["--buffers", "33"],
        platform + ["--rate", "0"], platform + ["--rate", "1/0"], platform + ["--rate", "1x"],
        platform + ["--rate", "9999999999"], platform + ["--memory", "ram"],
        platform + ["--directory", "tree"], platform + ["--rights", "none"],
        platform + ["--ring-format", "2"], platform + ["--ring-format", "marks"],
        platform + ["--export-from", "backend", "--source", "pattern"],
        platform + ["--export-from", "backend", "--frames", "3"],
        platform + ["--export-from", "backend", "--sink", "jpeg:x"],
        platform + ["--export-from", "backend", "--sink", "y4m:"],
        platform + ["--export-from", "backend", "--sink", "y4m:-", "--json"],
        ["--control"], platform + ["--control", "--source", "pattern"],
        platform + ["--sink", "null", "--control"], platform + ["--control", "--once"],
        platform + ["--control", "--json"], platform + ["--control", "--verify"],
        platform + ["--control", "--export-from", "frontend"],
    ]
    for arguments in wrong:
        program = world.run("frontend", *arguments)
        program.ends(EX_USAGE)
        said = program.stderr()
        equal(said.count("\n"), 1, "lines for", arguments, repr(said), "which")
        check(said.startswith("hdmabuf-frontend: "), said)
        equal(program.stdout(), b"", "standard output for", arguments)
    program = world.run("backend", *platform, "--source", "pattern").ends(EX_USAGE)
    check("--source" in program.stderr() and "--export-from" in program.stderr(),
          program.stderr())
    displif, sndif = ["--protocol", "displif"], ["--protocol", "sndif"]
    for end, *wrong in [
            ("frontend", *displif), ("backend", "--protocol", "vga"),
            ("backend", *displif, "--control"), ("backend", *displif, "--record", "x"),
            ("backend", *displif, "--ring-format", "0"),
            ("backend", *displif, "--export-from", "backend"),
            ("backend", *displif, "--source", "pattern"), ("backend", *sndif, "--verify"),
            ("backend", *sndif, "--json"), ("backend", *sndif, "--buffers", "2")]:
        program = world.run(end, "--platform", "xen:", *wrong).ends(EX_USAGE)
        equal(program.stderr().count("\n"), 1, "lines for", *wrong)


def place_is_taken_from_the_environment(world):
    env = dict(os.environ, HDMABUF_ENDPOINT="local:" + world.socket)
    backend = world.run("backend", "--once", "--sink", "null", env=env)
    world.run("frontend", "--once", "--frames", "2", env=env).ends()
    backend.ends()
    # What is given goes before it.
    elsewhere = "local:" + world.path("nowhere/socket")
    world.run("backend", "--platform", elsewhere, "--control", env=env).ends(EX_UNAVAILABLE)


def judged(world, name):
    """How many events a trace has, in which no clause is broken."""
    program = world.run("conformance", "--trace", world.path(name)).ends()
    words = program.stdout().decode().split()
    equal(words[1:], ["events:", "0", "failures,", "0", "warnings"], "what was found in", name)
    return int(words[0])


def both_ends_are_recorded(world):
    for exporter in ENDS:
        both = ("--export-from", exporter, "--once", "--record")
        sharing = world.peer(exporter, *both, world.path("sharing.pcapng"), "--source",
                             "pattern:64x32", "--frames", "20")
        showing = world.peer(other(exporter), *both, world.path("showing.pcapng"), "--sink", "null")
        sharing.ends()
        showing.ends()
        # At least HELLO, three buffers, a timeline, and twenty hand-offs, with their answers.
        for name in "sharing.pcapng", "showing.pcapng":
            check(judged(world, name) > 2 * (1 + 3 + 1 + 20), name)
    # A trace is in order whenever its program is killed.
    backend = world.backend("--sink", "null", "--record", world.path("killed.pcapng"))
    world.frontend("--once", "--frames", "2").ends()
    backend.kill()
    check(judged(world, "killed.pcapng") > 10, "killed")


def record_that_cannot_be_written(world):
    program = world.backend("--record", world.path("nowhere/x")).ends(EX_CANTCREAT)
    equal(program.stderr().count("\n"), 1, "lines")
    check("nowhere/x" in program.stderr(), program.stderr())
    if not os.path.exists("/dev/full"):
        raise Skip("there is no /dev/full")
    program = world.backend("--record", "/dev/full").ends(EX_CANTCREAT)
    check("/dev/full" in program.stderr(), program.stderr())


def both_ends_see_the_same(world):
    needs(world, "--source", "pattern:1x1", "--json")
    for end in ENDS:
        sharing, showing = world.share(end, ("pattern:333x127", "--frames", "40"), "null",
                                       "--verify", "--json")
        sent, seen = sharing.summary(), showing.summary()
        equal(sent["role"], end, "role")
        for key in ("frames", "octets", "width", "height", "fourcc", "crc32"):
            equal(seen[key], sent[key], key)
        equal((sent["frames"], sent["sessions"]), (40, 1), "frames, sessions")
        check(sent["octets"] >= 40 * 333 * 127 * 4, sent)
        equal(sharing.stderr() + showing.stderr(), "", "standard error")


def each_frame_has_its_crc(world):
    sharing, showing = world.share("frontend", ("pattern:64x32", "--frames", "7"), "null",
                                   "--verify", "--verbose")

    def crcs(program):
        return [line.partition(": ")[2] for line in program.stderr().splitlines()
                if "crc32 so far" in line]

    equal(crcs(sharing), crcs(showing), "frames")
    equal(len(set(crcs(sharing))), 7, "different frames")


def summary_is_one_line(world):
    for program in world.share("backend", ("pattern:64x32", "--frames", "3"), "null"):
        text = program.stdout().decode()
        equal(text.count("\n"), 1, "lines")
        check(text.startswith(program.name + ": 3 frames of 64x32 XR24"), text)


def buffers_and_directories(world):
    stream = y4m(23, 640, 480)
    source = world.write("in.y4m", stream)
    for number, (buffers, directory) in enumerate(
            [("1", "list"), ("2", "table"), ("5", "extents"), ("32", "list")]):
        sink = f"out{number}.y4m"
        world.share(ENDS[number % 2], ("y4m:" + source, "--buffers", buffers,
                                       "--directory", directory), "y4m:" + world.path(sink))
        equal(world.read(sink), stream, buffers, directory, "stream")


def ring_format_of(world, name):
    """What the channel page of a recorded session says in its octets 28 to 31."""
    trace = world.read(name)
    return struct.unpack_from("<I", trace, trace.index(b"HDBC") + 28)[0]


def rings_of_both_formats(world):
    stream = y4m(7)
    source = world.write("in.y4m", stream)
    for number, (front, back, format_) in enumerate(
            [("0", "0", 0), ("1", "1", 1), ("0", None, 0), (None, "0", 0), ("1", None, 1),
             (None, "1", 1), (None, None, 1)]):
        exporter = ENDS[number % 2]
        both = ("--export-from", exporter, "--once", "--record")
        more = {"frontend": front, "backend": back}
        sink = f"out{number}.y4m"

        def end(name, *arguments):
            chosen = ("--ring-format", more[name]) if more[name] else ()
            return world.peer(name, *both, world.path(name + ".pcapng"), *chosen, *arguments)

        sharing = end(exporter, "--source", "y4m:" + source)
        showing = end(other(exporter), "--sink", "y4m:" + world.path(sink))
        sharing.ends()
        showing.ends()
        equal(world.read(sink), stream, front, back, "stream")
        for name in ENDS:
            equal(ring_format_of(world, name + ".pcapng"), format_, front, back, "format")
            judged(world, name + ".pcapng")


def no_ring_format_in_common(world):
    backend = world.backend("--sink", "null", "--ring-format", "0")
    frontend = world.frontend("--ring-format", "1", "--source", "pattern:64x32", "--frames", "2", "--verbose")
    frontend.says("offers none of this end's ring formats")
    check(frontend.runs(), "the frontend waits for another backend")
    backend.stop()
    world.backend("--once", "--sink", "null", "--ring-format", "1").ends()
    frontend.ends()


def kinds_of_memory(world):
    stream = y4m(5)
    source = world.write("in.y4m", stream)
    for memory in ("memfd", "udmabuf", "dma-heap"):
        for rights in ("read-only", "read-write"):
            frontend = world.frontend("--once", "--source", "y4m:" + source,
                                      "--memory", memory, "--rights", rights)
            backend = world.backend("--once", "--sink", "y4m:" + world.path("out.y4m"))
            status = frontend.process.wait(LIMIT)
            backend.process.wait(LIMIT)
            if status == EX_UNAVAILABLE and memory != "memfd":
                equal(frontend.stderr().count("\n"), 1, frontend.stderr())
                continue
            frontend.ends()
            backend.ends()
            equal(world.read("out.y4m"), stream, memory, rights, "stream")


def png_pixel_for_pixel(world):
    needs(world)
    for name, file, pixels in png_samples():
        source = world.write(name + ".png", file)
        for end in ENDS:
            sink = f"{name}-{end}.png"
            world.share(end, ("png:" + source,), "png:" + world.path(sink))
            width, height, received = png_pixels(world.read(sink))
            equal((width, height), (61, 37), name, "size")
            check(received == pixels, name, "from the", end, "is another picture")


def png_one_file_a_frame(world):
    needs(world)
    world.share("frontend", ("pattern:64x32", "--frames", "3"),
                "png:" + world.path("frame-%02d.png"))
    files = [world.read(f"frame-{number:02}.png") for number in range(4)]
    equal([bool(file) for file in files], [True, True, True, False], "files")
    equal(len({tuple(png_pixels(file)[2]) for file in files[:3]}), 3, "different frames")


def y4m_octet_for_octet(world):
    kinds = [(64, 36, "420jpeg", ""), (33, 17, "420mpeg2", " Ip A1:1 XYSCSS=420MPEG2"),
             (50, 21, "422", " XCOLORRANGE=FULL"), (31, 9, "444", ""), (40, 10, "mono", "")]
    for number, (width, height, chroma, words) in enumerate(kinds):
        stream = y4m(8, width, height, chroma, words)
        source = world.write(f"{number}.y4m", stream)
        for end in ENDS:
            sink = f"{number}-{end}.y4m"
            world.share(end, ("y4m:" + source,), "y4m:" + world.path(sink))
            equal(world.read(sink), stream, width, height, chroma, "from", end)


def y4m_words_of_frames_travel(world):
    header, frames = y4m_split(y4m(9))
    words = [b"", b" Ixyz", b" Ixyz", b" XFRAME=4", b"", b"", b" X1", b" X2", b" X3"]
    stream = header + b"\n" + b"".join(
        b"FRAME" + word + frame[5:] for word, frame in zip(words, frames))
    source = world.write("in.y4m", stream)
    for end in ENDS:
        world.share(end, ("y4m:" + source,), "y4m:" + world.path("out.y4m"))
        equal(world.read("out.y4m"), stream, "stream")


def y4m_from_pipe_to_pipe(world):
    stream = y4m(30)
    for end in ENDS:
        both = ("--once", "--export-from", end)
        sharing = world.peer(end, *both, "--source", "y4m:-", stdin=subprocess.PIPE)
        showing = world.peer(other(end), *both, "--sink", "y4m:-")
        pipe = sharing.process.stdin
        for i in range(0, len(stream), 5000):
            pipe.write(stream[i:i + 5000])
            pipe.flush()
            time.sleep(0.001)
        pipe.close()
        sharing.ends()
        showing.ends()
        equal(showing.stdout(), stream, "stream")
        check(showing.stderr().startswith(other(end) + ": 30 frames"), showing.stderr())


def either_may_be_first(world):
    for first in ENDS:
        arguments = {"frontend": ("--source", "pattern:64x32", "--frames", "5"),
                     "backend": ("--once", "--sink", "null")}
        early = world.peer(first, *arguments[first])
        time.sleep(0.15)
        check(early.runs(), first, "did not wait")
        late = world.peer(other(first), *arguments[other(first)])
        early.ends()
        late.ends()


def backend_serves_one_after_the_other(world):
    backend = world.backend("--sink", "y4m:" + world.path("out.y4m"))
    streams = [y4m(4), y4m(6, 32, 18), y4m(3)]
    for number, stream in enumerate(streams):
        world.frontend("--source", "y4m:" + world.write(f"{number}.y4m", stream)).ends()
    backend.stop()
    equal([world.read(name) for name in ("out.y4m", "out-2.y4m", "out-3.y4m")], streams,
          "streams")
    check(b" 13 frames" in backend.stdout() and b"3 sessions" in backend.stdout(),
          backend.stdout())


def backend_serves_many_at_once(world):
    backend = world.backend("--sink", "y4m:" + world.path("out.y4m"))
    streams = [y4m(20, 32 + 2 * number, 18) for number in range(6)]
    frontends = [world.frontend("--rate", "200", "--source",
                                "y4m:" + world.write(f"{number}.y4m", stream))
                 for number, stream in enumerate(streams)]
    for frontend in frontends:
        frontend.ends()
    backend.stop()
    received = [world.read("out.y4m")] + [world.read(f"out-{n}.y4m") for n in range(2, 7)]
    equal(sorted(received), sorted(streams), "streams")


def backend_shares_with_many_at_once(world):
    stream = y4m(20)
    backend = world.backend("--export-from", "backend", "--rate", "200",
                            "--source", "y4m:" + world.write("in.y4m", stream))
    frontends = [world.frontend("--export-from", "backend",
                                "--sink", "y4m:" + world.path(f"{number}.y4m"))
                 for number in range(4)]
    for frontend in frontends:
        frontend.ends()
    backend.stop()
    for number in range(4):
        equal(world.read(f"{number}.y4m"), stream, "stream", number)


def frames_come_at_their_rate(world):
    needs(world, "--source", "pattern:1x1", "--json")
    for rate, frames, per_second in (("50", 26, 50), ("29.97", 16, 29.97),
                                     ("30000/1001", 16, 30000 / 1001)):
        sharing, _ = world.share("frontend", ("pattern:64x32", "--frames", str(frames),
                                              "--rate", rate), "null", "--json")
        wanted = (frames - 1) / per_second
        seconds = sharing.summary()["seconds"]
        check(wanted * 0.98 <= seconds <= wanted * 1.5 + 0.2, rate, seconds, "not", wanted)


def importer_killed_exporter_goes_on(world):
    stream = y4m(150)
    source = world.write("in.y4m", stream)
    for end in ENDS:
        both = ("--export-from", end)
        sharing = world.peer(end, *both, "--rate", "300", "--source", "y4m:" + source)
        for number, enough in ((1, 10), (2, 25), (3, None)):
            sink = f"{end}-{number}.y4m"
            showing = world.peer(other(end), *both, "--sink", "y4m:" + world.path(sink))
            if enough:
                until(lambda: len(frame_numbers(world.read(sink))) >= enough or
                      not showing.runs(), f"{enough} frames")
                showing.kill()
                sharing.says("was lost")
        if end == "frontend":
            sharing.ends()
            showing.stop()
        else:
            showing.ends()
            sharing.stop()
        next_frame = 0
        for number in (1, 2, 3):
            received = world.read(f"{end}-{number}.y4m")
            numbers = frame_numbers(received)
            check(next_frame - 4 <= numbers[0] <= next_frame, "frame", numbers[0], "comes after",
                  next_frame - 1)
            equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "frames")
            equal(y4m_split(received)[1], y4m_split(stream)[1][numbers[0]:numbers[-1] + 1],
                  "pixels")
            next_frame = numbers[-1] + 1
        equal(next_frame, 150, "frames")


def importer_killed_pipe_loses_nothing(world):
    """What was read from a pipe cannot be read again: it must be kept."""
    stream = y4m(40)
    header = stream.index(b"\n") + 1
    octets = (len(stream) - header) // 40
    frontend = world.frontend("--buffers", "4", "--source", "y4m:-", stdin=subprocess.PIPE)
    backend = world.backend("--sink", "y4m:" + world.path("1.y4m"))
    pipe = frontend.process.stdin
    pipe.write(stream[:header + 10 * octets])
    pipe.flush()
    until(lambda: frame_numbers(world.read("1.y4m")) == list(range(10)), "10 frames")
    backend.process.send_signal(signal.SIGSTOP)
    pipe.write(stream[header + 10 * octets:header + 16 * octets])
    pipe.flush()
    time.sleep(0.1)
    backend.kill()
    frontend.says("frame 10 is next")
    backend = world.backend("--sink", "y4m:" + world.path("2.y4m"))
    pipe.write(stream[header + 16 * octets:])
    pipe.close()
    frontend.ends()
    backend.stop()
    equal(frame_numbers(world.read("2.y4m")), list(range(10, 40)), "frames after the loss")
    equal(y4m_split(world.read("2.y4m"))[1], y4m_split(stream)[1][10:], "pixels")


def exporter_killed_importer_goes_on(world):
    stream = y4m(80)
    source = world.write("in.y4m", stream)
    for end in ENDS:
        both = ("--export-from", end)
        showing = world.peer(other(end), *both, "--sink", "y4m:" + world.path(end + ".y4m"))
        sharing = world.peer(end, *both, "--rate", "300", "--source", "y4m:" + source)
        until(lambda: len(frame_numbers(world.read(end + ".y4m"))) >= 10, "10 frames")
        sharing.kill()
        showing.says("was lost")
        sharing = world.peer(end, *both, "--source", "y4m:" + source)
        if end == "frontend":
            sharing.ends()
            showing.stop()
        else:
            showing.ends()
            sharing.stop()
        cut = frame_numbers(world.read(end + ".y4m"))
        check(10 <= len(cut) < 80, len(cut), "frames before the loss")
        equal(world.read(end + "-2.y4m"), stream, "stream after the loss")


def once_tells_of_a_loss(world):
    for end in ENDS:
        for killed in ENDS:
            both = ("--export-from", end)
            programs = {
                end: world.peer(end, *both, "--once", "--frames", "0", "--rate", "200",
                                "--source", "pattern:64x32"),
                other(end): world.peer(other(end), *both, "--once", "--verbose",
                                       "--sink", "null")}
            programs[other(end)].says("frame 5")
            programs[killed].kill()
            survivor = programs[other(killed)].ends(EX_TEMPFAIL)
            lines = [line for line in survivor.stderr().splitlines() if "was lost" in line]
            equal(len(lines), 1, "lines about the loss in", repr(survivor.stderr()))
            check("frames" in survivor.stdout().decode(), "no summary:", survivor.stdout())


def deaths_leak_nothing(world):
    for end in ENDS:
        both = ("--export-from", end, "--verbose")
        arguments = {end: ("--frames", "0", "--source", "pattern:320x200"),
                     other(end): ("--sink", "null")}
        for survivor in ENDS:
            program = world.peer(survivor, *both, *arguments[survivor])
            program.says("waiting")
            # One more where a frontend is about to try the socket again.
            idle = program.descriptors() + 1
            # An exporter keeps the frames that were not finished with, 3 at most.
            kept = 3 if survivor == end else 0
            for _ in range(4):
                victim = world.peer(other(survivor), *both, *arguments[other(survivor)])
                importer = victim if survivor == end else program
                lines = importer.stderr().count(": frame ")
                until(lambda: importer.stderr().count(": frame ") > lines + 20, "frames")
                victim.kill()
                until(lambda: program.mappings() <= kept and
                      program.descriptors() - program.mappings() <= idle,
                      f"{survivor} has let go of memory and descriptors")
            program.stop()


def signals_end_in_good_order(world):
    for number in (signal.SIGINT, signal.SIGTERM):
        for end in ENDS:
            for stopped in ENDS:
                both = ("--export-from", end)
                sharing = world.peer(end, *both, "--frames", "0", "--source", "pattern:64x32",
                                     "--rate", "100")
                showing = world.peer(other(end), *both, "--sink", "null", "--verbose")
                showing.says("frame 3")
                programs = {end: sharing, other(end): showing}
                began = time.monotonic()
                programs[stopped].stop(number)
                took = time.monotonic() - began
                check(took < LIMIT / 20, stopped, "took", took, "s")
                equal(programs[stopped].stdout().count(b"\n"), 1, "summaries")
                left = programs[other(stopped)]
                if other(stopped) == "frontend" and end == "backend":
                    left.ends()
                else:
                    time.sleep(0.02)
                    check(left.runs(), other(stopped), "ended, too:", left.stderr())
                    check("was lost" not in left.stderr(), left.stderr())
                    left.stop(number)


def signal_does_not_wait_for_ever(world):
    for end in ENDS:
        both = ("--export-from", end)
        programs = {
            end: world.peer(end, *both, "--frames", "0", "--source", "pattern:64x32"),
            other(end): world.peer(other(end), *both, "--sink", "null", "--verbose")}
        programs[other(end)].says("frame 3")
        programs["backend"].process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        programs["frontend"].stop()
        took = time.monotonic() - began
        check(took < 1 + LIMIT / 20, took, "s")
        programs["backend"].kill()


def second_signal_ends_at_once(world):
    backend = world.backend("--sink", "null", "--verbose")
    frontend = world.frontend("--frames", "0", "--source", "pattern:64x32")
    backend.says("frame 3")
    backend.process.send_signal(signal.SIGSTOP)
    frontend.process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    check(frontend.runs(), "there was no time for a second signal")
    frontend.process.send_signal(signal.SIGINT)
    frontend.ends(-signal.SIGINT)


def signals_end_the_wait(world):
    for end in ENDS:
        program = world.peer(end, "--verbose")
        program.says("waiting")
        program.stop()
        check(b": 0 frames" in program.stdout(), program.stdout())
    sharing = world.frontend("--source", "y4m:-", stdin=subprocess.PIPE)
    backend = world.backend("--sink", "null", "--verbose")
    stream = y4m(2)
    sharing.process.stdin.write(stream[:-100])
    sharing.process.stdin.flush()
    backend.says("frame 0")
    time.sleep(0.05)
    sharing.stop(signal.SIGINT)
    backend.stop()


def bad_input_is_told(world):
    backend = world.backend("--sink", "y4m:" + world.path("out.y4m"))
    whole = y4m(5)
    cases = [("y4m:" + world.path("nothing.y4m"), EX_NOINPUT),
             ("y4m:" + world.folder, EX_DATAERR),
             ("y4m:" + world.write("empty.y4m", b""), EX_DATAERR),
             ("y4m:" + world.write("text.y4m", b"hello world\n"), EX_DATAERR),
             ("y4m:" + world.write("header.y4m", whole[:20]), EX_DATAERR)]
    for source, status in cases:
        program = world.frontend("--source", source).ends(status)
        equal(program.stderr().count("\n"), 1, "lines", program.stderr())
        equal(program.stdout(), b"", "standard output")
    # Cut off in the middle: what came before is shared, then it is told.
    cut = world.write("cut.y4m", whole[:-1000])
    program = world.frontend("--source", "y4m:" + cut).ends(EX_DATAERR)
    equal(program.stderr().count("\n"), 1, "lines", program.stderr())
    check("cut off" in program.stderr() and "frame 5" in program.stderr(), program.stderr())
    until(lambda: frame_numbers(world.read("out.y4m")) == [0, 1, 2, 3], "four frames")
    # The backend has not minded.
    world.frontend("--source", "y4m:" + world.write("whole.y4m", whole)).ends()
    backend.stop()
    equal(world.read("out-2.y4m"), whole, "stream")


def bad_png_is_told(world):
    needs(world)
    _, whole, _ = next(png_samples())
    wrong = bytearray(whole)
    wrong[60] ^= 1
    cases = [("png:" + world.path("nothing.png"), EX_NOINPUT),
             ("png:" + world.write("empty.png", b""), EX_DATAERR),
             ("png:" + world.write("cut.png", whole[:len(whole) // 2]), EX_DATAERR),
             ("png:" + world.write("wrong.png", bytes(wrong)), EX_DATAERR),
             ("png:" + world.write("huge.png", whole[:8] + chunk(
                 b"IHDR", struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 0, 0, 0, 0)) +
                 whole[33:]), EX_DATAERR)]
    for source, status in cases:
        program = world.frontend("--source", source).ends(status)
        equal(program.stderr().count("\n"), 1, "lines", program.stderr())


def bad_output_is_told(world):
    for sink in ("y4m:" + world.path("no/where.y4m"), "png:" + world.path("no/where.png")):
        program = world.backend("--sink", sink).ends(EX_CANTCREAT)
        equal(program.stderr().count("\n"), 1, "lines", program.stderr())
    source = "y4m:" + world.write("in.y4m", y4m(50, 640, 480))
    for end in ENDS:
        both = ("--once", "--export-from", end)
        sharing = world.peer(end, *both, "--source", source)
        showing = world.peer(other(end), *both, "--sink", "y4m:/dev/full")
        showing.ends(EX_IOERR)
        check("/dev/full" in showing.stderr(), showing.stderr())
        equal(sharing.process.wait(LIMIT) in (EX_IOERR, EX_TEMPFAIL), True, "told to the other")
        equal(sharing.stderr().count("\n"), 1, "lines", sharing.stderr())


def answers_that_cannot_be_written(world):
    for end in ENDS:
        with open("/dev/full", "wb") as full:
            program = world.peer(end, "--control", stdin=subprocess.PIPE, stdout=full)
        program.process.stdin.write(b"hold on\n")
        program.process.stdin.flush()
        program.ends(EX_IOERR)
        program.process.stdin.close()
        equal(program.stderr().count("\n"), 1, "lines", program.stderr())


def sink_that_fails_ends_the_exporter(world):
    """Or it would begin anew for ever, with a backend that serves on."""
    backend = world.backend("--sink", "y4m:/dev/full")
    source = "y4m:" + world.write("in.y4m", y4m(50, 640, 480))
    frontend = world.frontend("--source", source).ends(EX_IOERR)
    check("could not take frame 0" in frontend.stderr(), frontend.stderr())
    backend.process.terminate()
    backend.ends(EX_IOERR)


def picture_that_no_sink_takes(world):
    backend = world.backend("--sink", "y4m:" + world.path("out.y4m"))
    frontend = world.frontend("--source", "pattern:64x32").ends(EX_IOERR)
    check("could not take frame 0" in frontend.stderr(), frontend.stderr())
    backend.says("Y4M cannot hold")
    backend.process.terminate()
    backend.ends(EX_IOERR)


def picture_that_is_too_big(world):
    backend = world.backend("--sink", "null")
    frontend = world.frontend("--source", "pattern:16384x16384", "--frames", "1")
    frontend.process.wait(LIMIT)
    if frontend.process.returncode:
        frontend.ends(EX_UNAVAILABLE)
        equal(frontend.stderr().count("\n"), 1, frontend.stderr())
    else:
        check("turns" in frontend.stderr(), frontend.stderr())
    backend.stop()


def window_or_what_else(world):
    source = ("--source", "pattern:64x32", "--frames", "5")
    hidden = {name: value for name, value in os.environ.items()
              if name not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
    # By default it is no error to have no display, but it is said.
    backend = world.backend("--once", env=hidden)
    world.frontend(*source).ends()
    backend.ends()
    check("window: " in backend.stderr() and "not shown" in backend.stderr(), backend.stderr())
    # A window that was asked for is another matter.
    backend = world.backend("--sink", "window", env=hidden).ends(EX_UNAVAILABLE)
    equal(backend.stderr().count("\n"), 1, "lines", backend.stderr())
    if "built without" in backend.stderr():
        raise Skip(backend.stderr().strip())
    # Two at a time, with a driver that draws into memory.
    backend = world.backend(env={**hidden, "SDL_VIDEODRIVER": "dummy"})
    frontends = [world.frontend(*source, "--rate", "50") for _ in range(2)]
    for frontend in frontends:
        frontend.ends()
    world.frontend(*source).ends()
    backend.stop()
    check(b"15 frames" in backend.stdout(), backend.stdout())


def progress_is_for_terminals(world):
    outer, inner = os.openpty()
    backend = world.backend("--sink", "null")
    frontend = world.frontend("--source", "pattern:64x32", "--frames", "20", "--rate", "50",
                              stderr=inner)
    frontend.ends()
    os.close(inner)
    text = os.read(outer, 1 << 16).decode()
    os.close(outer)
    check("of 20 frames" in text and text.count("\r") > 2, repr(text))
    backend.stop()
    check("\r" not in backend.stderr(), repr(backend.stderr()))


def platform_that_is_not_there(world):
    program = world.run("backend", "--platform", "local:" + world.path("no/socket"),
                        "--sink", "null").ends(EX_UNAVAILABLE)
    equal(program.stderr().count("\n"), 1, "lines", program.stderr())
    first = world.backend("--sink", "null")
    until(lambda: os.path.exists(world.socket), "socket")
    second = world.backend("--sink", "null").ends(EX_UNAVAILABLE)
    equal(second.stderr().count("\n"), 1, "lines", second.stderr())
    check(world.socket in second.stderr(), second.stderr())
    first.stop()


def killed_backend_is_replaced(world):
    backend = world.backend("--sink", "null")
    until(lambda: os.path.exists(world.socket), "socket")
    backend.kill()
    check(os.path.exists(world.socket), "the socket is gone")
    backend = world.backend("--sink", "null", "--once")
    world.frontend("--source", "pattern:64x32", "--frames", "3").ends()
    backend.ends()


def permissions_are_the_users(world):
    old = os.umask(0o077)
    try:
        backend = world.backend("--sink", "null")
        mode = until(lambda: os.path.exists(world.socket) and os.stat(world.socket).st_mode,
                     "socket")
    finally:
        os.umask(old)
    equal(oct(stat.S_IMODE(mode) & 0o077), "0o0", "permissions for others")
    backend.stop()


def status_of(program):
    with open(f"/proc/{program.pid}/status", encoding="ascii") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


def privileges_are_dropped(world):
    with open("/proc/self/status", encoding="ascii") as own:
        if "Seccomp_filters" not in own.read():
            raise Skip("the kernel does not count filters of system calls")
    for end, more in (("frontend", ()), ("frontend", ("--control",)), ("backend", ()),
                      ("backend", ("--export-from", "backend"))):
        program = world.run(end, "--platform", "local:" + world.socket, "--verbose", *more,
                            stdin=subprocess.PIPE)
        program.says("waiting")
        status = status_of(program)
        equal(status["NoNewPrivs"], "1", "no_new_privs of", end, *more)
        equal(int(status["CapEff"], 16) & ~2, 0, "capabilities")
        with open("/proc/self/status", encoding="ascii") as own:
            before = re.search(r"Seccomp_filters:\t(\d+)", own.read()).group(1)
        check(int(status["Seccomp_filters"]) == int(before) + 1, "filters of", end, *more)
        program.stop()
        program.process.stdin.close()


def user_is_changed(world):
    world.frontend("--user", "no-such-user").ends(EX_UNAVAILABLE)
    world.run("frontend", "--platform", "xen:0", "--user", "nobody").ends(EX_USAGE)
    if os.getuid():
        raise Skip("not root")
    os.chmod(world.folder, 0o755)
    backend = world.backend("--sink", "null", "--user", "nobody", "--verbose")
    backend.says("waiting")
    check(status_of(backend)["Uid"].split()[:3] != ["0"] * 3, status_of(backend)["Uid"])
    equal(int(status_of(backend)["CapEff"], 16), 0, "capabilities")
    world.frontend("--source", "pattern:64x32", "--frames", "3").ends()
    backend.stop()


def nothing_is_left(world):
    before = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    world.share("frontend", ("pattern:64x32", "--frames", "3"), "null")
    world.share("backend", ("pattern:64x32", "--frames", "3"), "null")
    backend = world.backend("--sink", "null")
    until(lambda: os.path.exists(world.socket), "socket")
    backend.stop()
    equal(os.listdir(world.folder), [], "files")
    after = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    equal({name for name in after - before if "hdmabuf" in name}, set(), "/dev/shm")


TESTS = [
    help_and_version, wrong_usage_is_told_in_one_line, place_is_taken_from_the_environment,
    both_ends_are_recorded, record_that_cannot_be_written, both_ends_see_the_same,
    each_frame_has_its_crc, summary_is_one_line, buffers_and_directories, rings_of_both_formats,
    no_ring_format_in_common, kinds_of_memory,
    png_pixel_for_pixel, png_one_file_a_frame, y4m_octet_for_octet, y4m_words_of_frames_travel,
    y4m_from_pipe_to_pipe, either_may_be_first, backend_serves_one_after_the_other,
    backend_serves_many_at_once, backend_shares_with_many_at_once, frames_come_at_their_rate,
    importer_killed_exporter_goes_on, importer_killed_pipe_loses_nothing,
    exporter_killed_importer_goes_on, once_tells_of_a_loss, deaths_leak_nothing,
    signals_end_in_good_order, signal_does_not_wait_for_ever, second_signal_ends_at_once,
    signals_end_the_wait, bad_input_is_told, bad_png_is_told,
    bad_output_is_told, answers_that_cannot_be_written, sink_that_fails_ends_the_exporter,
    picture_that_no_sink_takes, picture_that_is_too_big, window_or_what_else, progress_is_for_terminals,
    platform_that_is_not_there, killed_backend_is_replaced,
    permissions_are_the_users, privileges_are_dropped, user_is_changed, nothing_is_left,
]


def run(test):
    with tempfile.TemporaryDirectory(prefix="hdmabuf-peers-") as folder:
        world = World(folder)
        with contextlib.closing(contextlib.ExitStack()) as stack:
            stack.callback(world.end)
            test(world)


def main():
    names = sys.argv[1:]
    os.environ.pop("HDMABUF_ENDPOINT", None)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for number, test in enumerate([t for t in TESTS if not names or t.__name__ in names], 1):
        line = f"{number} - peers.{test.__name__}"
        began = time.monotonic()
        try:
            run(test)
            counts["passed"] += 1
            print("ok", line, flush=True)
        except Skip as reason:
            counts["skipped"] += 1
            print("ok", line, "# SKIP", reason, flush=True)
        except (AssertionError, OSError, ValueError, LookupError, struct.error,
                subprocess.SubprocessError) as reason:
            counts["failed"] += 1
            print(f"not ok {line}\n#   {reason}", flush=True)
        if os.environ.get("PEERS_TEST_TIMES"):
            print(f"#   {time.monotonic() - began:.1f} s", flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] or not any(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
