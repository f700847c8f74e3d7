#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Peers that must not pass a single test: with them the conformance suite is tested."""

from __future__ import annotations

import os
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from hdmabuf.buffers import Limits
from hdmabuf.link import Failure, Peer
from hdmabuf.session import Application, Session, ignore
from hdmabuf.wire import HEADER, SLOT, Op, SessionState, Status

USAGE = """usage: null_peer.py KIND

Started like an implementation under test, with HDMABUF_ENDPOINT and HDMABUF_ROLE in the
environment; it passes no test of the conformance suite.  A frontend connects again and again.
KIND is one of these:

{kinds}

Exit status: 0 after SIGTERM where sessions are established, or of `exits`; 64 wrong usage, 69 the
endpoint is of no use; else killed by a signal.
"""


# ---------------------------------------------------------------- without a word of the protocol


def exits(role: str, path: str) -> None:
    """exits with status 0 at once"""


def hangs(role: str, path: str) -> None:
    """never opens the endpoint, and ignores everything but the signals that kill"""
    while True:
        signal.pause()


def silent(role: str, path: str) -> None:
    """connects, or accepts connections, and never says anything"""
    connections = []
    meet(role, path, connections.append)


def closes(role: str, path: str) -> None:
    """closes a connection as soon as it is there"""
    meet(role, path, socket.socket.close)


def garbage(role: str, path: str) -> None:
    """sends random octets as packets, as long as somebody takes them"""
    def send(sock: socket.socket) -> None:
        try:
            while True:
                sock.send(os.urandom(random.randint(1, 1100)), socket.MSG_NOSIGNAL)
        except OSError:
            sock.close()

    meet(role, path, send)


def meet(role: str, path: str, greet: Callable[[socket.socket], object]) -> None:
    """Greet everybody who comes, or the backend; that again when it has closed."""
    if role == "backend":
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        listener.listen(16)
        while True:
            greet(listener.accept()[0])
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            sock.connect(path)
            greet(sock)
            while sock.fileno() >= 0 and sock.recv(2048):
                pass
        except OSError:
            sock.close()
        time.sleep(0.02)


# ------------------------------------------------------------------- after a proper handshake


def yes(role: str, path: str) -> None:
    """answers every request with status OK and the payload of the request"""
    class Yes(Session):
        def _handle(self, message: bytes) -> bytes:
            ident, op, _ = HEADER.unpack_from(message)
            if self.state == SessionState.GREETING:
                return super()._handle(message)
            return HEADER.pack(ident, op, Status.OK) + message[HEADER.size:]

    play(role, path, Yes)


def echo(role: str, path: str) -> None:
    """answers no request, but sends it back as one of its own"""
    class Echo(Session):
        def _handle(self, message: bytes) -> bytes:
            if self.state == SessionState.GREETING:
                return super()._handle(message)
            self.responder.publish = bool           # whatever is answered, nobody sees it
            op = HEADER.unpack_from(message)[1]
            self._queue.append((op, message[HEADER.size:], ignore))
            return message

    play(role, path, Echo)


def crashes(role: str, path: str) -> None:
    """aborts when the session is established"""
    class Crashing(Session):
        def flush(self) -> None:
            super().flush()
            if self.state == SessionState.CONNECTED:
                os.abort()

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    play(role, path, Crashing)


def garbage_rings(role: str, path: str) -> None:
    """establishes a session, then writes rubbish into the rings and timelines"""
    class Garbage(Session):
        def work(self) -> bool:
            if self.state != SessionState.CONNECTED:
                return super().work()
            time.sleep(0.001)                       # let the other end have the processor, too
            requests, answers, *cells = self._windows
            if random.random() < 0.9:               # one more request, with nothing but rubbish
                self.requester.put(HEADER.pack(random.getrandbits(32), random.choice(list(Op)), 0)
                                   + os.urandom(SLOT - HEADER.size))
                self.requester.publish()
            else:                                   # or with rubbish for its place
                ring = random.choice((requests, answers))
                ring.write(0, os.urandom(ring.octets))
            for area in cells:
                area.write(0, os.urandom(area.octets))
            self.conn.notify()
            return True

        def arm(self) -> bool:
            return self.state == SessionState.CONNECTED or super().arm()

    play(role, path, Garbage)


def play(role: str, path: str, kind: type[Session]) -> None:
    class Player(Application):
        session_type = kind

        def limits(self, slots: int) -> Limits:
            return Limits(1 << 28, 64, 64, 2048, slots)

    peer = Peer(role, path, Player)
    try:
        peer.run()
    finally:
        peer.clean_up()


KINDS = {kind.__name__.replace("_", "-"): kind
         for kind in (silent, closes, garbage, garbage_rings, yes, echo, crashes, hangs, exits)}


def main() -> int:
    if sys.argv[1:] in (["-h"], ["--help"]):
        print(USAGE.format(kinds="\n".join(f"  {name:14} {kind.__doc__}"
                                           for name, kind in KINDS.items())), end="")
        return 0
    role, endpoint = os.environ.get("HDMABUF_ROLE"), os.environ.get("HDMABUF_ENDPOINT", "")
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        return fail(64, "one kind must be named; --help lists them")
    if role not in ("frontend", "backend") or not endpoint.startswith("local:"):
        return fail(64, "HDMABUF_ROLE must be frontend or backend, HDMABUF_ENDPOINT local:PATH")
    try:
        KINDS[sys.argv[1]](role, endpoint.removeprefix("local:"))
    except Failure as error:
        return fail(error.code, str(error))
    except OSError as error:
        return fail(69, f"{endpoint}: {error.strerror}")
    return 0


def fail(code: int, text: str) -> int:
    print(f"null_peer: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
