#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether each kind of null peer does what it says, in both roles.

The other end is a socket where that is enough, else the peer in Python, whose events and notes
say what has come.  Prints a line a case, and exits with 0 if none failed.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
NULL = [sys.executable, str(HERE / "null_peer.py")]
PEER = [sys.executable, str(HERE.parent / "python" / "hdmabuf_peer.py"), "--control", "-vv"]
LIMIT = 20.0                                        # seconds for a case
OTHER = {"frontend": "backend", "backend": "frontend"}


class Case:
    """A null peer in a role, and what meets it."""

    def __init__(self, place: str, role: str) -> None:
        self.path, self.role, self.end = f"{place}/socket", role, time.monotonic() + LIMIT
        self.running: list[subprocess.Popen[str]] = []
        self._said = ""

    def start(self, command: list[str], role: str) -> subprocess.Popen[str]:
        program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ, HDMABUF_ROLE=role, HDMABUF_ENDPOINT=f"local:{self.path}"))
        self.running.append(program)
        return program

    def null(self, kind: str) -> subprocess.Popen[str]:
        return self.start([*NULL, kind], self.role)

    def peer(self) -> subprocess.Popen[str]:
        return self.start(PEER, OTHER[self.role])

    def left(self) -> float:
        return max(0.0, self.end - time.monotonic())

    def meet(self) -> socket.socket:
        """A connection with a null peer that was started."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if self.role == "backend":
            while True:
                try:
                    sock.connect(self.path)
                    break
                except OSError:
                    assert self.left(), "nobody listens"
                    time.sleep(0.01)
        else:
            with sock as listener:
                listener.bind(self.path)
                listener.listen()
                listener.settimeout(self.left())
                sock = listener.accept()[0]
        sock.settimeout(self.left())
        return sock

    def tell(self, program: subprocess.Popen[str], command: str) -> None:
        assert program.stdin
        program.stdin.write(command + "\n")
        program.stdin.flush()

    def expect(self, program: subprocess.Popen[str], text: str) -> None:
        """Read what the peer says until this is among it."""
        assert program.stdout
        while text not in self._said:
            ready = select.select([program.stdout], [], [], self.left())[0]
            assert ready, f"no {text!r} in {self._said[-300:]!r}"
            data = os.read(program.stdout.fileno(), 65536).decode()
            assert data, f"the end, and no {text!r} in {self._said[-300:]!r}"
            self._said += data
        self._said = self._said.partition(text)[2]

    def quit(self, program: subprocess.Popen[str]) -> None:
        """The peer is still there, and ends as it should."""
        assert program.stdin
        program.stdin.close()
        assert program.wait(self.left()) == 0, "the peer has not ended in good order"

    def clean_up(self) -> None:
        for program in self.running:
            if program.poll() is None:
                program.kill()
            program.wait()


def silent(case: Case) -> None:
    case.null("silent")
    with case.meet() as sock:
        sock.settimeout(0.2)
        try:
            raise AssertionError(f"it says {sock.recv(100)!r}")
        except TimeoutError:
            pass


def closes(case: Case) -> None:
    case.null("closes")
    with case.meet() as sock:
        assert sock.recv(100) == b"", "it says something"


def garbage(case: Case) -> None:
    case.null("garbage")
    with case.meet() as sock:
        packets = [sock.recv(2048) for _ in range(20)]
    assert len({len(packet) for packet in packets}) > 1, "all packets have one size"
    assert not any(packet.startswith(b"HDBL") for packet in packets), "that is a packet"


def garbage_rings(case: Case) -> None:
    case.null("garbage-rings")
    peer = case.peer()
    for _ in range(2):
        case.expect(peer, "event connected")
        case.expect(peer, "event disconnected 19")
    case.quit(peer)


def yes(case: Case) -> None:
    case.null("yes")
    peer = case.peer()
    case.expect(peer, "event connected")
    case.tell(peer, "echo " + "5a" * 56)
    case.expect(peer, f"event echoed {'5a' * 56} 0")
    case.tell(peer, "export a size=1")              # whose answer must not have a payload
    case.expect(peer, "an answer to EXPORT that is none")
    case.quit(peer)


def echo(case: Case) -> None:
    case.null("echo")
    peer = case.peer()
    case.expect(peer, "event connected")
    case.tell(peer, "export a size=1")
    case.expect(peer, "refused operation 0x10: DUPLICATE")
    case.quit(peer)


def crashes(case: Case) -> None:
    null, peer = case.null("crashes"), case.peer()
    case.expect(peer, "event connected")
    case.expect(peer, "event disconnected 19")
    assert null.wait(case.left()) == -signal.SIGABRT
    case.quit(peer)


def hangs(case: Case) -> None:
    null, peer = case.null("hangs"), case.peer()
    assert null.stdin
    null.stdin.close()
    time.sleep(0.3)
    assert null.poll() is None, "it has ended with its standard input"
    assert OTHER[case.role] == "backend" or not os.path.exists(case.path), "it has an endpoint"
    null.terminate()
    assert null.wait(case.left()) == -signal.SIGTERM
    case.quit(peer)


def exits(case: Case) -> None:
    assert case.null("exits").wait(case.left()) == 0
    assert not os.path.exists(case.path), "it has an endpoint"


def usage(case: Case) -> None:
    assert case.null("perfect").wait(case.left()) == 64
    helped = case.null("--help")
    assert helped.wait(case.left()) == 0 and helped.stdout
    text = helped.stdout.read()
    for kind in KINDS:
        assert f"  {kind} " in text, f"{kind} is not in --help"


KINDS: dict[str, Callable[[Case], None]] = {
    "silent": silent, "closes": closes, "garbage": garbage, "garbage-rings": garbage_rings,
    "yes": yes, "echo": echo, "crashes": crashes, "hangs": hangs, "exits": exits}


def main() -> int:
    cases = [(name, role, run) for name, run in [*KINDS.items(), ("usage", usage)]
             for role in ("backend", "frontend")]
    failed = 0
    for number, (name, role, run) in enumerate(cases, 1):
        with tempfile.TemporaryDirectory(prefix="hdmabuf-") as place:
            case, result = Case(place, role), "ok"
            try:
                run(case)
                why = ""
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                failed += 1
                result, why = "not ok", f" # {error}".replace("\n", " ")
            finally:
                case.clean_up()
        print(f"{result} {number} - null.{name}-{role}{why}", flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
