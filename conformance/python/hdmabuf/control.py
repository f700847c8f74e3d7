# SPDX-License-Identifier: MIT
"""An application that does what it is told: the control protocol of the conformance suite."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator

from .buffers import Buffer, Content, HandOff, Limits
from .descriptors import Picture, fourcc
from .link import Peer
from .rings import Timeline
from .session import Application, Session, ignore
from .wire import (ALLOCATE_ANSWER, CREATOR, CYCLIC, DONE, M32, M64, NO_TIMELINE, PAGE, PEER, READ,
                   WRITE, BufferState, Format, Kind, Op, Refusal, Rights, Status, name_of)

# What the data of a buffer is filled with; it repeats after 65536 octets.
_octets = bytes(range(256)) * 2
PATTERN = b"".join(_octets[n * 7 % 256:n * 7 % 256 + 256] for n in range(256))

RIGHTS = {"read-only": Rights.READ_ONLY, "read-write": Rights.READ_WRITE, "lend": Rights.LEND}
DIRECTORIES = {"list": Format.LIST, "table": Format.TABLE, "extents": Format.EXTENTS}
KINDS = {"raw": Kind.RAW, "picture": Kind.PICTURE, "cyclic": Kind.CYCLIC}
ACCESSES = {"read": READ, "write": WRITE, "both": READ | WRITE}
SIGNALLERS = {"creator": CREATOR, "peer": PEER}
SWITCH = {"on": True, "off": False}


class No(Exception):
    """A command cannot be carried out."""


class Unsupported(Exception):
    """There is no such command or option here."""


def number(text: str, most: int = M64) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20) or int(text) > most:
        raise No(f"{text} is no number up to {most}")
    return int(text)


def choice(choices: dict) -> Callable:
    def choose(text: str):
        if text not in choices:
            raise Unsupported
        return choices[text]
    return choose


def point(text: str) -> tuple[str, int]:
    """TIMELINE@POINT"""
    timeline, at, digits = text.rpartition("@")
    if not at:
        raise No(f"{text} is no TIMELINE@POINT")
    return timeline, number(digits)


class Told(Application):
    """The sessions of one link, one after the other."""

    def __init__(self, console: ControlPeer) -> None:
        self.console = console
        self.now: Session | None = None
        self.timelines: dict[str, Timeline] = {}
        self._kept: set[Buffer] = set()             # mapped until they are released

    @property
    def holding(self) -> bool:                      # type: ignore
        return self.console.hold

    def limits(self, slots: int) -> Limits:
        return Limits(1 << 28, 64, 32, 2048, slots)

    def connected(self, session: Session) -> None:
        self.now = session
        self.console.apps.insert(0, self)
        self.console.tell("event connected")

    def over(self, status: Status) -> None:
        self.now, self.timelines = None, {}
        self.console.apps.remove(self)
        self.console.tell(f"event disconnected {status}")

    def asked(self, op: Op) -> None:
        reject, self.console.reject = self.console.reject, None
        if reject is not None:
            raise Refusal(reject)

    def imported(self, buffer: Buffer) -> None:
        self.console.tell(f"event imported {buffer.name}")

    def turn(self, session: Session, parts: list[HandOff]) -> None:
        for part in parts:
            buffer, d = part.buffer, part.descriptor
            if part.status == Status.OK and buffer.window:
                crc = buffer.window.crc32(d.data_offset, d.size, 0)
                result = f"crc={crc:08x}"
            else:
                result = f"status={part.status}"
            self.console.tell(f"event turn {buffer.name} stamp={part.stamp} {result}")
            if buffer.lent and not buffer.exported:
                try:
                    session.hand_back(buffer, part.stamp)
                except Refusal:
                    pass                            # it is wanted back, or the session is over

    def retire(self, buffer: Buffer) -> None:
        self.console.tell(f"event retire {buffer.name}")

    def keeps(self, buffer: Buffer) -> bool:
        if self.console.keep:
            self._kept.add(buffer)
        return buffer in self._kept

    def orphans(self) -> Iterator[Buffer]:
        return (each for each in self._kept if each.state == BufferState.ORPHANED)

    def let_go(self, buffer: Buffer) -> None:
        """Unmap an orphan."""
        self._kept.discard(buffer)
        buffer.state = BufferState.NONE
        if buffer.window:
            buffer.window.close()

    def keep_nothing(self) -> None:
        for buffer in list(self.orphans()):
            self.let_go(buffer)
        self._kept = set()

    def allocated(self, buffer: Buffer) -> None:
        draw(buffer)

    def exported(self, buffer: Buffer, status: Status) -> None:
        self.console.tell(f"event exported {buffer.name} {status}")

    def quarantined(self, buffer: Buffer) -> None:
        self.console.tell(f"event quarantined {buffer.name}")

    def released(self, buffer: Buffer) -> None:
        self.console.tell(f"event released {buffer.name}")


def draw(buffer: Buffer) -> None:
    """The data that a buffer has at first."""
    assert buffer.window is not None
    buffer.window.repeat(buffer.descriptor.data_offset, buffer.descriptor.size, PATTERN)


def metadata(kind: Kind, size: int) -> bytes:
    if kind == Kind.RAW:
        return b""
    if size < 4 or size > 1 << 32 or (kind == Kind.CYCLIC and size % 4):
        raise No("no such size for this type")
    if kind == Kind.CYCLIC:
        return CYCLIC.pack(0, 1, 48000, 4, size, NO_TIMELINE, b"")
    return Picture(size // 4, 1, fourcc("XR24"), 1, 0, 0, [(0, size // 4 * 4)]).pack()


def private(octets: int) -> bytes:
    if octets > PAGE:
        raise No("too much private data")
    return bytes(i % 256 for i in range(octets))


class ControlPeer(Peer):
    """Obeys the lines of standard input and tells on standard output what happens.

    A command goes to the session that has the buffer or timeline it names, else to the one that
    was established last.
    """

    def __init__(self, options) -> None:
        super().__init__(options.role, options.endpoint, lambda: Told(self))
        self.apps: list[Told] = []                  # that have a session, the latest first
        self.keep = self.hold = False
        self.reject: int | None = None
        self._input, self._ended, self._plain = b"", False, False
        try:
            self.epoll.register(0, select.EPOLLIN)
        except PermissionError:                     # a file, which is always ready
            self._plain = True
        except OSError:                             # none at all
            self._ended = True

    # -- lines

    def tell(self, line: str) -> None:
        data = line.encode("ascii", "replace") + b"\n"
        while data:
            try:
                data = data[os.write(1, data):]
            except OSError:                         # nobody listens any more
                self._ended = True
                return

    def ready(self, fd: int) -> None:
        if fd == 0:
            data = os.read(0, 65536)
            self._input += data
            if not data:
                self._ended = True
                self.epoll.unregister(0)

    def look(self) -> bool:
        """Obey what was read before the links were looked at: it may say what they have seen."""
        if self._plain and not self._ended:
            data = os.read(0, 65536)
            self._input, self._ended = self._input + data, not data
        *lines, self._input = self._input.split(b"\n")
        for line in lines:
            self.tell(self._obey(line.decode("latin-1")))
        if self._ended and not self.stopping:
            self.stop()
        return bool(lines)

    def stop(self) -> None:
        self.keep = False
        for link in self.links:
            link.app.keep_nothing()                 # type: ignore
        super().stop()

    def _obey(self, line: str) -> str:
        """The answer to a command."""
        name, *words = line.split(" ")
        if name not in COMMANDS:
            return "unsupported"
        command, places = COMMANDS[name]
        if len(words) < places:
            return "no words are missing"
        try:
            command(self, *words[:places], words[places:])
            for app in self.apps:                   # before anybody is told
                app.now.flush()                     # type: ignore
            return "ok"
        except Unsupported:
            return "unsupported"
        except No as why:
            return f"no {why}"
        except Refusal as refusal:
            return "no " + name_of(refusal.status).lower().replace("_", " ")
        except (MemoryError, OSError):
            return "no memory"

    # -- what words mean

    @staticmethod
    def _options(words: list[str], **kinds: Callable) -> dict:
        options = {}
        for word in words:
            key, equals, value = word.partition("=")
            if key not in kinds or not equals:
                raise Unsupported
            if key in options:
                raise No(f"{key} comes twice")
            options[key] = kinds[key](value)
        return options

    @staticmethod
    def _need(options: dict, *keys: str) -> list:
        for key in keys:
            if key not in options:
                raise No(f"{key} is missing")
        return [options[key] for key in keys]

    def _latest(self) -> Told:
        if not self.apps:
            raise No("not connected")
        return self.apps[0]

    @staticmethod
    def _new(name: str, taken: bool) -> None:
        if not name or not all(each.isascii() and (each.isalnum() or each == "-")
                               for each in name):
            raise No("that is no name")
        if taken:
            raise No("the name is taken")

    def _buffer(self, name: str) -> tuple[Session, Buffer]:
        """Of a live session."""
        for app in self.apps:
            session = app.now
            for buffer in session.buffers.values() if session else ():
                if buffer.name == name and session:
                    return session, buffer
        raise No("no such buffer")

    def _timeline(self, name: str) -> tuple[Told, Session, Timeline]:
        for app in self.apps:
            assert app.now
            if name.startswith("peer:"):
                timeline = app.now.their_timelines.get(number(name[5:]))
            else:
                timeline = app.timelines.get(name)
            if timeline and timeline.open:
                return app, app.now, timeline
        raise No("no such timeline")

    def _told(self, event: str, name: str) -> Callable[[Status, bytes], None]:
        """For an event that says how a request has ended."""
        return lambda status, _: self.tell(f"event {event} {name} {status}")

    @staticmethod
    def _nothing(words: list[str]) -> None:
        if words:
            raise Unsupported

    # -- commands

    def _export(self, name: str, words: list[str]) -> None:
        options = self._options(words, size=number, offset=number, rights=choice(RIGHTS),
                                directory=choice(DIRECTORIES), type=choice(KINDS), tag=number,
                                private=number, attributes=choice({"cached": True}))
        [size] = self._need(options, "size")
        session = self._latest().now
        assert session
        self._new(name, any(each.name == name for each in session.buffers.values()))
        kind = options.get("type", Kind.RAW)
        content = Content(size, options.get("rights", Rights.READ_ONLY), kind,
                          metadata(kind, size), options.get("tag", 0),
                          private(options.get("private", 0)),
                          options.get("directory", Format.LIST), options.get("offset", 0))
        buffer = session.export(content, self._told("exported", name))
        buffer.name = name
        draw(buffer)

    def _update(self, name: str, words: list[str]) -> None:
        options = self._options(words, tag=number, private=number)
        session, buffer = self._buffer(name)
        old = buffer.descriptor
        octets = private(options["private"]) if "private" in options else old.private
        session.update(buffer, options.get("tag", old.tag), octets, self._told("updated", name))

    def _hand_off(self, name: str, words: list[str]) -> None:
        more = "more" in words
        options = self._options([word for word in words if word != "more"], wait=point,
                                signal=point, stamp=number)
        session, buffer = self._buffer(name)
        fields: dict = {}
        for key in ("wait", "signal"):
            if key in options:
                timeline, fields[key + "_point"] = options[key]
                app, _, fields[key] = self._timeline(timeline)
                if app.now is not session:
                    raise No("the timeline is of another session")
        session.hand_off(buffer, self._told("handed-off", name), options.get("stamp", 0),
                         more=more, **fields)

    def _unexport(self, name: str, words: list[str]) -> None:
        options = self._options(words, grace=number)
        session, buffer = self._buffer(name)
        session.unexport(buffer, options.get("grace", 0), ignore)

    def _query(self, name: str, words: list[str]) -> None:
        self._nothing(words)
        session, buffer = self._buffer(name)
        session.query(buffer, self._told("queried", name))

    def _cpu_begin(self, name: str, words: list[str]) -> None:
        self._access(Op.CPU_BEGIN, name, words)

    def _cpu_end(self, name: str, words: list[str]) -> None:
        self._access(Op.CPU_END, name, words)

    def _access(self, op: Op, name: str, words: list[str]) -> None:
        options = self._options(words, offset=number, octets=number, access=choice(ACCESSES))
        offset, octets, access = self._need(options, "offset", "octets", "access")
        session, buffer = self._buffer(name)
        session.access(op, buffer, offset, octets, access, ignore)

    def _allocate(self, words: list[str]) -> None:
        def word(text: str) -> int:
            return number(text, M32)

        options = self._options(words, size=number, width=word, height=word, fourcc=word,
                                tag=number, rights=choice(RIGHTS))
        session = self._latest().now
        assert session

        def done(status: Status, body: bytes) -> None:
            name = ALLOCATE_ANSWER.unpack(body)[0].hex() if status == Status.OK else "-"
            self.tell(f"event allocated {name} {status}")

        picture = tuple(options.get(key, 0) for key in ("width", "height", "fourcc"))
        session.allocate(options.get("size", 0), picture,
                         options.get("rights", Rights.READ_ONLY), options.get("tag", 0), done)

    def _create(self, name: str, words: list[str]) -> None:
        options = self._options(words, signaller=choice(SIGNALLERS), point=number)
        [signaller] = self._need(options, "signaller")
        app = self._latest()
        assert app.now
        old = app.timelines.get(name)
        self._new(name, old is not None and old.number in app.now.my_timelines)
        app.timelines[name] = app.now.create_timeline(signaller, options.get("point", 0), ignore)

    def _signal(self, name: str, at: str, words: list[str]) -> None:
        self._nothing(words)
        _, session, timeline = self._timeline(name)
        session.signal(timeline, number(at))

    def _fail(self, name: str, status: str, words: list[str]) -> None:
        self._nothing(words)
        _, session, timeline = self._timeline(name)
        session.fail(timeline, self._status(status, M32))

    @staticmethod
    def _status(text: str, most: int) -> int:
        status = number(text, most)
        if status == Status.OK:
            raise No("0 is no fault")
        return status

    def _wait(self, name: str, at: str, words: list[str]) -> None:
        self._nothing(words)
        _, session, timeline = self._timeline(name)
        wanted = number(at)
        session.wait(timeline, wanted,
                     lambda status: self.tell(f"event reached {name} {wanted} {status}"))

    def _destroy(self, name: str, words: list[str]) -> None:
        self._nothing(words)
        app, session, timeline = self._timeline(name)
        if timeline is not app.timelines.get(name):
            raise No("it is the other end's")
        session.destroy_timeline(timeline, ignore)

    def _echo(self, digits: str, words: list[str]) -> None:
        self._nothing(words)
        if len(digits) != 112 or digits.strip("0123456789abcdefABCDEF"):
            raise No("these are not 56 octets")
        session = self._latest().now
        assert session

        def done(status: Status, body: bytes) -> None:
            self.tell(f"event echoed {body.hex() if status == Status.OK else '-'} {status}")

        session.echo(bytes.fromhex(digits), done)

    def _fill(self, name: str, octet: str, words: list[str]) -> None:
        self._nothing(words)
        value = number(octet, 255)
        _, buffer = self._buffer(name)
        if buffer.window is None or not buffer.writable():
            raise No("it is not mapped and writable")
        # [HDB-EXP-009] [HDB-IMP-017] [HDB-BOTH-044]
        if not buffer.here() or any(part.status is None for part in buffer.pending):
            raise No("it is not the turn of this end")
        buffer.window.repeat(buffer.descriptor.data_offset, buffer.descriptor.size,
                             bytes([value]) * 65536)

    def _map(self, name: str, words: list[str]) -> None:
        self._nothing(words)
        session, buffer = self._buffer(name)
        try:
            session.map(buffer)
        except Refusal as refusal:
            if refusal.status == Status.BAD_REFERENCE:
                session.give_back(buffer)           # it is of no use
            raise

    def _unmap(self, name: str, words: list[str]) -> None:
        self._nothing(words)
        if not self._let_go_orphan(name):
            session, buffer = self._buffer(name)
            session.unmap(buffer)

    def _release(self, name: str, words: list[str]) -> None:
        self._nothing(words)
        if not self._let_go_orphan(name):
            session, buffer = self._buffer(name)
            session.give_back(buffer)

    def _let_go_orphan(self, name: str) -> bool:
        for link in self.links:
            for buffer in list(link.app.orphans()):     # type: ignore
                if buffer.name == name:
                    link.app.let_go(buffer)             # type: ignore
                    return True
        return False

    def _keep(self, switch: str, words: list[str]) -> None:
        self._nothing(words)
        self.keep = choice(SWITCH)(switch)

    def _hold(self, switch: str, words: list[str]) -> None:
        self._nothing(words)
        self.hold = choice(SWITCH)(switch)

    def _reject(self, status: str, words: list[str]) -> None:
        self._nothing(words)
        self.reject = self._status(status, 0xFFFF)

    def _close(self, words: list[str]) -> None:
        reason = number(words[0]) if words else DONE
        self._nothing(words[1:])
        session = self._latest().now
        assert session
        session.close(reason)


# What each command is, and how many words it takes before its options.
COMMANDS: dict[str, tuple[Callable, int]] = {
    "export": (ControlPeer._export, 1), "update": (ControlPeer._update, 1),
    "hand-off": (ControlPeer._hand_off, 1), "unexport": (ControlPeer._unexport, 1),
    "query": (ControlPeer._query, 1), "cpu-begin": (ControlPeer._cpu_begin, 1),
    "cpu-end": (ControlPeer._cpu_end, 1), "allocate": (ControlPeer._allocate, 0),
    "timeline": (ControlPeer._create, 1), "signal": (ControlPeer._signal, 2),
    "fail": (ControlPeer._fail, 2), "wait": (ControlPeer._wait, 2),
    "destroy": (ControlPeer._destroy, 1), "echo": (ControlPeer._echo, 1),
    "fill": (ControlPeer._fill, 2), "map": (ControlPeer._map, 1),
    "unmap": (ControlPeer._unmap, 1), "release": (ControlPeer._release, 1),
    "keep": (ControlPeer._keep, 1), "hold": (ControlPeer._hold, 1),
    "reject": (ControlPeer._reject, 1), "close": (ControlPeer._close, 0)}


def run(options) -> int:
    peer = ControlPeer(options)
    try:
        return peer.run()
    finally:
        peer.clean_up()
