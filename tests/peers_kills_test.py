#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hdmabuf-frontend and hdmabuf-backend, killed at random moments while pictures flow.

	peers_kills_test.py				a few kills of each kind
	peers_kills_test.py --soak KILLS [SEED]		so many, half of them of frontends

Either program is the survivor, and either shares the pictures. After each kill the survivor
has no more descriptors, mappings, children and threads than before; then the program that
was killed is started anew, the pictures that arrive are the right ones, and nothing but
the socket is in the folder. In the end, the survivor's memory is what it was, and it ends
in good order. The seed says what is done when; how fast the machine is, it cannot say.

BUILD is where the programs were built.
"""

import concurrent.futures
import os
import random
import re
import signal
import sys
import tempfile
import time
import zlib

from peers_test import BIN, ENDS, World, check, equal, other, until

# Of the pattern that is shared.
WIDTH, HEIGHT = 64, 32
BUFFERS = 3
# Pictures that a new session has to show.
FRAMES = 8
# Kills before the survivor's memory is looked at, and octets that it may have more in the end.
SETTLED, MORE = 10, 1 << 20

FRAME = re.compile(r": frame (\d+): crc32 so far ([0-9a-f]{8})$")


# ---- The pattern, from its description -------------------------------------------


def grey(value):
    return bytes((value, value, value, 255))


BARS = b"".join(bytes((255 * (bar & 1), 255 * (bar >> 1 & 1), 255 * (bar >> 2), 255)) * (WIDTH // 8)
                for bar in (7, 6, 3, 2, 5, 4, 1, 0))
RAMP = b"".join(grey(x * 256 // WIDTH) for x in range(WIDTH))
BARS_ROWS, RAMP_END, SIDE = HEIGHT - HEIGHT // 4, HEIGHT - HEIGHT // 8, HEIGHT // 8


def bounce(way, span):
    way %= 2 * span
    return min(way, 2 * span - way)


def pattern(number):
    """The pixels of a frame: bars with a box, a ramp, and the number."""
    left, top = bounce(number * 5, WIDTH - SIDE), bounce(number * 3, BARS_ROWS - SIDE)
    boxed = BARS[:left * 4] + grey(128) * SIDE + BARS[(left + SIDE) * 4:]
    scrolled = number * 4 % WIDTH * 4
    counter = b"".join(grey(255 * (number >> (63 - i) & 1)) for i in range(64))
    return (BARS * top + boxed * SIDE + BARS * (BARS_ROWS - SIDE - top) +
            (RAMP[scrolled:] + RAMP[:scrolled]) * (RAMP_END - BARS_ROWS) +
            counter * (HEIGHT - RAMP_END))


class Frames:
    """The frames that a program tells of: each has to be the right one."""

    def __init__(self, program):
        self.program = program
        self.told = 0  # octets
        self.count = 0
        self.next = None
        self.crc = 0

    def look(self):
        """Returns how many there were so far."""
        text = os.pread(self.program.err.fileno(), 1 << 24, self.told)
        text = text[:text.rfind(b"\n") + 1]
        self.told += len(text)
        for line in text.decode().splitlines():
            found = FRAME.search(line)
            if found:
                self.add(int(found[1]), int(found[2], 16), line)
        return self.count

    def add(self, number, crc, line):
        # An exporter that was started anew begins anew; an importer begins anywhere.
        if number == 0 or self.next is None:
            self.next, self.crc = number, 0
        equal(number, self.next, "number of the next frame in", line)
        self.crc = zlib.crc32(pattern(number), self.crc)
        equal(f"{crc:08x}", f"{self.crc:08x}", "pixels of", line)
        self.next += 1
        self.count += 1


# ---- What the survivor has -------------------------------------------------------


def fields(program):
    with open(f"/proc/{program.pid}/status", encoding="ascii") as lines:
        return dict(line.split(":", 1) for line in lines)


def private_octets(program):
    return int(fields(program)["RssAnon"].split()[0]) * 1024


def children(program):
    with open(f"/proc/{program.pid}/task/{program.pid}/children", encoding="ascii") as text:
        return text.read().split()


# ---- A soak ------------------------------------------------------------------------


class Soak:
    """One survivor, and those that are killed at its other end."""

    def __init__(self, folder, survivor, exporter, chance):
        self.world = World(folder)
        self.survivor, self.exporter, self.chance = survivor, exporter, chance
        self.program = self.start(survivor)
        self.program.says("waiting")
        # One more where a frontend is about to try the socket again.
        self.idle = self.program.descriptors() + 1
        self.frames = Frames(self.program)
        self.seconds = None  # that it takes until pictures flow
        self.kills = self.flowing = self.sessions = 0
        self.octets = None

    def start(self, end):
        if end != self.exporter:
            options = ("--sink", "null")
        else:
            options = ("--source", f"pattern:{WIDTH}x{HEIGHT}", "--frames", "0", "--rate", "1000",
                       "--buffers", str(BUFFERS), "--directory",
                       self.chance.choice(("list", "table", "extents")))
        return self.world.peer(end, "--export-from", self.exporter, "--verify", "--verbose",
                               *options)

    def start_victim(self):
        return self.start(other(self.survivor))

    def stops(self):
        """A frontend ends when a backend that shares with it stops, so it is killed instead."""
        return (self.survivor, self.exporter) != ("frontend", "backend")

    def importer_frames(self, victim):
        return Frames(victim) if self.survivor == self.exporter else self.frames

    def await_frames(self, victim, frames, count):
        until(lambda: frames.look() >= count or not (victim.runs() and self.program.runs()),
              f"{count} frames arrive")
        check(victim.runs(), "the new program ended:", victim.stderr()[-1000:])

    def check_whole(self):
        """Nothing of the other end is left."""
        # An exporter keeps the frames that were not finished with.
        kept = BUFFERS if self.survivor == self.exporter else 0

        def is_alone():
            check(self.program.runs(), "the survivor ended:", self.program.stderr()[-1000:])
            return (self.program.mappings() <= kept and
                    self.program.descriptors() - self.program.mappings() <= self.idle)

        until(is_alone, f"{self.survivor} lets go of memory and descriptors")
        equal(children(self.program), [], "children")
        equal(fields(self.program)["Threads"].strip(), "1", "threads")
        self.frames.look()

    def check_folder(self):
        """The socket of a backend that was killed is removed by the next, whatever it is called."""
        check(set(os.listdir(self.world.folder)) <= {"socket"}, os.listdir(self.world.folder))

    def kill_once(self):
        victim = self.start_victim()
        frames = self.importer_frames(victim)
        before = frames.look()
        if self.chance.random() < 0.5:
            self.await_frames(victim, frames, before + 1)
            time.sleep(self.chance.random() * 0.03)
        else:
            time.sleep(self.chance.random() * self.seconds)
        if self.chance.random() < 0.125:
            victim.process.send_signal(signal.SIGSTOP)
            time.sleep(self.chance.random() * 0.05)
        victim.kill()
        self.check_whole()
        self.kills += 1
        self.flowing += frames.look() > before
        equal(victim.process.returncode, -signal.SIGKILL, "exit status of the victim, which said",
              victim.stderr()[-1000:])
        self.world.drop(victim)

    def check_new_session(self):
        began = time.monotonic()
        program = self.start_victim()
        frames = self.importer_frames(program)
        before = frames.look()
        self.await_frames(program, frames, before + 1)
        self.check_folder()
        took = time.monotonic() - began
        # The machine may have become slower, or faster.
        self.seconds = (7 * self.seconds + took) / 8 if self.seconds else took
        self.await_frames(program, frames, before + FRAMES)
        if self.stops():
            program.stop()
        else:
            program.kill()
        self.check_whole()
        self.sessions += 1
        self.world.drop(program)

    def run(self, kills):
        self.check_new_session()
        while self.kills < kills:
            self.kill_once()
            self.check_new_session()
            if self.kills == min(SETTLED, kills):
                self.octets = private_octets(self.program)
            if self.kills % 100 == 0:
                print(f"# {self.kills} of {other(self.survivor)}, {self.exporter} shares", flush=True)
        self.finish()

    def finish(self):
        octets = private_octets(self.program)
        # A sanitizer keeps what was freed.
        if "sanitize" not in BIN:
            check(octets <= self.octets + MORE, octets, "octets of memory, not", self.octets)
        self.program.stop()
        # A backend that is killed leaves its socket behind.
        equal(os.listdir(self.world.folder), [] if self.survivor == "backend" or self.stops() else
              ["socket"], "files")
        print(f"# {self.kills} of {other(self.survivor)}, {self.exporter} shares: "
              f"{self.flowing} while pictures flowed; {self.sessions} new sessions, "
              f"{self.frames.count} frames told; octets {self.octets}, then {octets}", flush=True)


def soak(survivor, exporter, kills, chance):
    with tempfile.TemporaryDirectory(prefix="hdmabuf-kills-") as folder:
        one = Soak(folder, survivor, exporter, chance)
        try:
            one.run(kills)
        except AssertionError as reason:
            raise AssertionError(f"kill {one.kills} of {other(survivor)}, {exporter} shares: "
                                 f"{reason}") from None
        finally:
            one.world.end()
        return one


def kinds():
    return [(survivor, exporter) for survivor in ENDS for exporter in ENDS]


def soaks(kills, seed):
    """One of each kind, side by side: most of the time, programs wait for each other."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return [pool.submit(soak, *kind, kills * (number + 1) // 4 - kills * number // 4,
                            random.Random(f"{seed} {number}"))
                for number, kind in enumerate(kinds())]


def run_tests():
    failed = 0
    for number, one in enumerate(soaks(12, 1)):
        survivor, exporter = kinds()[number]
        line = f"{number + 1} - peers_kills.{other(survivor)}_killed_{exporter}_shares"
        try:
            one.result()
            print("ok", line, flush=True)
        except (AssertionError, OSError) as reason:
            failed += 1
            print(f"not ok {line}\n#   {reason}", flush=True)
    print(f"{len(kinds()) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


def run_soak(kills, seed):
    print(f"seed {seed}", flush=True)
    flowing = done = 0
    for one in (each.result() for each in soaks(kills, seed)):
        flowing += one.flowing
        done += one.kills
    # Pictures must have flowed, and must have been about to. Of a few, that is a matter of luck.
    check(done < 100 or 0 < flowing < done, flowing, "of", done, "killed while pictures flowed")
    print(f"{done} kills of the programs: survivors whole, nothing left, {done} new sessions "
          "with the right pictures")


def main():
    words = sys.argv[1:]
    os.environ.pop("HDMABUF_ENDPOINT", None)
    if not words:
        return run_tests()
    if words[0] != "--soak" or not all(word.isdigit() for word in words[1:]) or \
            len(words) not in (2, 3) or int(words[1]) < 4:
        print(__doc__, file=sys.stderr)
        return 64
    seed = int(words[2]) if len(words) == 3 else random.SystemRandom().randrange(1 << 32)
    try:
        run_soak(int(words[1]), seed)
    except (AssertionError, OSError) as reason:
        print(f"seed {seed}: {reason}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
