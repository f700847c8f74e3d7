# SPDX-License-Identifier: MIT
"""A session: requests and answers, buffers, timelines."""

from __future__ import annotations

import collections
import os
import time
from collections.abc import Callable

from .buffers import (FIELD, Descriptor, Picture, check_descriptor, directory_pages,
                      find_extents, read_directory, write_directory)
from .local import Connection, OwnGrant
from .memory import OwnMemory, Window
from .rings import Requester, Responder, Timeline
from .wire import (ALLOCATE, ALLOCATE_ANSWER, BUFFER, CACHED, CELL, CLOSE, CPU_ACCESS, CREATOR,
                   DESCRIPTOR_MAGIC, DESCRIPTOR_OCTETS, DONE, ERROR, EXPORT, FAULT, FEATURE_OF,
                   GROUP_MAX, HAND_OFF, HEADER, HELLO, M32, M64, MORE, NO_TIMELINE, PAGE,
                   PAGE_SHIFT, PEER, PRIVATE_MIN, QUERY_ANSWER, READ, TIMELINE, UNEXPORT,
                   UNEXPORT_ANSWER, WRITE, WRITE_COMBINED, Broken, BufferState, Faults, Feature,
                   Format, Kind, Op, Refusal, Rights, SessionState, Status, Where, known_status,
                   name_of, note, up)

Limits = collections.namedtuple("Limits", "max_octets max_buffers max_timelines max_private "
                                          "max_in_flight", defaults=[0, 0, 0, 0, 0])
Done = Callable[[Status, bytes], None]
HAND_OFFS_MAX = 128                                 # of a buffer, noted and not finished with
ACCESSES_MAX = 64                                   # of processors, to a buffer
CROSSED = 0.1                                       # seconds in which RELEASED is to be found
HERE = (BufferState.LIVE, BufferState.LENT, BufferState.IMPORTED, BufferState.MAPPED)
IMPORTED = (BufferState.IMPORTED, BufferState.MAPPED)


class Buffer:
    """A buffer at either end: the exporter has ``grant``, the importer ``references``."""

    def __init__(self, descriptor: Descriptor, state: BufferState) -> None:
        self.descriptor, self.state = descriptor, state
        self.name = descriptor.id.hex()             # by which the application knows it
        self.window: Window | None = None
        self.references: list[int] = []
        self.grant: OwnGrant | None = None
        self.lent = False                           # at either end: the importer has it
        self.hand_offs = 0
        self.pending: list[HandOff] = []            # hand-offs that are not finished with
        self.deadline = 0.0                         # of UNEXPORT
        self.updating = False                       # UPDATE is not answered
        self.accesses: collections.Counter[tuple[int, int, int]] = collections.Counter()

    @property
    def exported(self) -> bool:
        return self.grant is not None

    @property
    def id(self) -> bytes:
        return self.descriptor.id

    def here(self) -> bool:
        """Whether it is this end's turn, if it is one that is lent."""
        return self.descriptor.rights != Rights.LEND or self.lent != self.exported

    def writable(self) -> bool:
        return self.exported or self.descriptor.rights != Rights.READ_ONLY


class HandOff:
    """A hand-off that was received; the metadata is as it was then."""

    def __init__(self, buffer: Buffer, stamp: int, wait: Timeline | None, wait_point: int,
                 signal: Timeline | None, signal_point: int) -> None:
        self.buffer, self.descriptor, self.stamp = buffer, buffer.descriptor, stamp
        self.wait, self.wait_point = wait, wait_point
        self.signal, self.signal_point = signal, signal_point
        self.status: Status | None = None           # how the wait has ended
        self.done = False                           # this end has finished with it

    def waited(self, status: Status) -> None:
        if self.status is None:
            self.status = status


class Content(collections.namedtuple("Content", "size rights kind metadata tag private form "
                                                "data_offset",
                                     defaults=[Rights.READ_ONLY, Kind.RAW, b"", 0, b"",
                                               Format.LIST, 0])):
    """What a buffer shall hold that is going to be exported."""

    __slots__ = ()

    def pages(self) -> int:
        return up(self.data_offset + self.size, PAGE)


class Session:
    """What two ends share between a handshake and its end."""

    def __init__(self, conn: Connection, app: Application, backend: bool, epochs: tuple[int, int],
                 offered: Feature, windows: list[Window], starts: tuple[int, int]) -> None:
        """The windows and starts are those of this end, then of the other; rings, then cells."""
        mine, theirs, self._my_cells, self._their_cells = self._windows = windows
        self.conn, self.app, self.backend = conn, app, backend
        self.epochs, self.offered = epochs, offered
        self.requester, self.responder = Requester(mine, starts[0]), Responder(theirs, starts[1])
        self.limits: Limits = app.limits(self.responder.slots)
        self.state = SessionState.GREETING
        self.features = Feature(0)
        self.theirs = Limits(max_in_flight=1)       # all that may be sent before is HELLO
        self.failed = False                         # HELLO was refused
        self.peer_closed = self.close_answered = False
        self.released = False                       # the end promises that nothing is mapped
        self.over = False
        self._close_sent = False
        self._queue: collections.deque[tuple[Op, bytes, Done]] = collections.deque()
        self._deferred: list[tuple[Op, bytes, Done]] = []
        self._unanswered: dict[int, tuple[Op, bytes, Done]] = {}
        self._id = 0
        self._sending = 0                           # hand-offs of a group whose rest is to come
        self.buffers: dict[bytes, Buffer] = {}
        self.my_timelines: dict[int, Timeline] = {}
        self.their_timelines: dict[int, Timeline] = {}
        self._group: list[HandOff] = []
        self._group_due = False
        self._turns: list[list[HandOff]] = []       # a group each [HDB-BOTH-048]
        self._notify = False

    # -- one look at everything

    def work(self) -> bool:
        """Take what has come, in bounded time [HDB-BOTH-012]; true if there is more."""
        found = self.responder.find()
        self._take_answers()                                            # [HDB-BOTH-017]
        for _ in range(found):
            if self.peer_closed or self.failed:
                break
            self.responder.answer(self._handle(self.responder.next()))
        self._notify |= self.responder.publish()
        more = any([each.look() for each in self._timelines()])
        more |= self._finish_turns(4)
        now = time.monotonic()
        for buffer in [each for each in self.buffers.values() if 0 < each.deadline <= now]:
            self._expired(buffer)
        return more

    def flush(self) -> None:
        """Send what may be sent, and notify once for everything."""
        while self._queue and self._may_send():
            op, body, done = self._queue.popleft()
            while self._id in self._unanswered:                         # [HDB-BOTH-031]
                self._id = (self._id + 1) & M32
            self._unanswered[self._id] = op, body, done
            self.requester.put(HEADER.pack(self._id, op, 0) + body)
            self._id = (self._id + 1) & M32
            self._close_sent |= op == Op.CLOSE
        self._notify |= self.requester.publish()
        if self._notify:
            self._notify = False
            self.conn.notify()

    def arm(self) -> bool:
        """Before sleeping; true if there is something to do already."""
        return any([self.requester.arm(), self.responder.arm(),
                    *[each.arm() for each in self._timelines()]])

    def deadline(self) -> float:
        return min((each.deadline for each in self.buffers.values() if each.deadline > 0),
                   default=float("inf"))

    def _timelines(self) -> list[Timeline]:
        return [*self.my_timelines.values(), *self.their_timelines.values()]

    def _may_send(self) -> bool:
        """[HDB-BOTH-008] [HDB-BOTH-024] [HDB-LOCAL-015]"""
        return (self.conn.flushed and not self.peer_closed
                and len(self._unanswered) < min(self.requester.slots, self.theirs.max_in_flight))

    # -- this end's requests; Refusal is raised for what this end must not ask for

    def _request(self, op: Op, body: bytes, done: Done, grouped: bool = False) -> None:
        """Send a request as soon as it may be sent."""
        if self.over or self.peer_closed or self.state == SessionState.CLOSING:
            done(Status.LOST, bytes(56))                                # [HDB-BOTH-024]
            return
        entry = op, body.ljust(56, b"\0"), done                         # [HDB-BOTH-001]
        if self._sending and not grouped and op != Op.CLOSE:            # [HDB-BOTH-049]
            self._deferred.append(entry)
        else:
            self._queue.append(entry)

    def _take_answers(self) -> None:
        for message in self.requester.take():
            ident, op, number = HEADER.unpack_from(message)
            sent, request, done = self._unanswered.get(ident, (None, b"", None))
            if sent != op or done is None:                              # [HDB-BOTH-011]
                raise Broken("an answer to nothing")
            del self._unanswered[ident]
            body = message[HEADER.size:]
            if not proper_answer(sent, number, request, body):          # [HDB-BOTH-064]
                raise Broken(f"an answer to {sent.name} that is none")
            done(known_status(number), body)

    def _require(self, condition: bool, status: Status = Status.WRONG_STATE) -> None:
        if not condition:
            raise Refusal(status)

    def _require_connected(self, feature: Feature = Feature(0)) -> None:
        """[HDB-BOTH-018]"""
        self._require(self.state == SessionState.CONNECTED and not self.over)
        self._require(not feature & ~self.features, Status.NOT_NEGOTIATED)

    def hello(self, features: Feature) -> None:
        """[HDB-FE-006]"""
        def done(status: Status, body: bytes) -> None:
            if status != Status.OK:
                self.failed = status != Status.LOST
                if self.failed:
                    note(f"HELLO was refused: {refusal_text(status, body)}")
                return
            (frontend, backend, accepted, *limits, _) = HELLO.unpack(body)
            if (frontend, backend) != self.epochs or accepted != features:  # [HDB-FE-005]
                raise Broken("the answer to HELLO is for another session")
            self._connected(Limits(*limits), features)

        self._request(Op.HELLO, HELLO.pack(*self.epochs, features, *self.limits, 0), done)

    def _connected(self, theirs: Limits, features: Feature) -> None:
        self.theirs, self.features = theirs, features
        self.state = SessionState.CONNECTED
        self.app.connected(self)

    def close(self, reason: int) -> None:
        """End the session in good order."""
        self._require_connected()
        self._require(DONE <= reason <= FAULT, Status.INVALID)

        def done(status: Status, _: bytes) -> None:
            self.close_answered = True
            self.released = status == Status.OK

        self._finish_turns(32)
        for buffer in [each for each in self.buffers.values() if not each.exported]:
            if buffer.state == BufferState.RETIRING:
                self.give_back(buffer)
            else:
                self._let_go(buffer)                                    # [HDB-BOTH-023]
        self._request(Op.CLOSE, CLOSE.pack(reason, b""), done)
        self.state = SessionState.CLOSING

    def create_timeline(self, signaller: int, point: int, done: Done) -> Timeline:
        self._require_connected()
        self._require(0 <= point <= M64, Status.INVALID)
        most = min(self.theirs.max_timelines, self._my_cells.octets // CELL)
        free = [number for number in range(most) if number not in self.my_timelines]
        self._require(bool(free), Status.LIMIT)                         # [HDB-BOTH-052]
        timeline = Timeline(self._my_cells, free[0], signaller == CREATOR, point)
        timeline.initialise()
        self.my_timelines[timeline.number] = timeline

        def answered(status: Status, body: bytes) -> None:
            timeline.created = status == Status.OK
            if status != Status.OK:
                timeline.end(status)
                del self.my_timelines[timeline.number]
            done(status, body)

        self._request(Op.TIMELINE_CREATE, TIMELINE.pack(timeline.number, signaller, point, b""),
                      answered)
        return timeline

    def destroy_timeline(self, timeline: Timeline, done: Done) -> None:
        self._require_connected()
        self._require(timeline.created and timeline.open)
        timeline.created = False
        timeline.end(Status.CANCELLED)                                  # [HDB-BOTH-061]

        def answered(status: Status, body: bytes) -> None:
            self.my_timelines.pop(timeline.number, None)
            done(status, body)

        self._request(Op.TIMELINE_DESTROY, TIMELINE.pack(timeline.number, 0, 0, b""), answered)

    def signal(self, timeline: Timeline, point: int) -> None:
        """Store a point in a timeline that this end signals [HDB-BOTH-055]."""
        self._require(timeline.signalled_here, Status.WRONG_ROLE)
        self._require(timeline.created and timeline.open and not timeline.error)
        self._require(timeline.point <= point <= M64, Status.INVALID)
        self._notify |= timeline.signal(point)

    def fail(self, timeline: Timeline, status: int) -> None:
        """Store an error in a timeline that this end signals."""
        self._require(timeline.signalled_here, Status.WRONG_ROLE)
        self._require(timeline.created and timeline.open and not timeline.error)
        timeline.fail(status)
        self._notify = True

    def wait(self, timeline: Timeline, point: int, done: Callable[[Status], None]) -> None:
        """Wait for a point of a timeline that the other end signals."""
        self._require(not timeline.signalled_here, Status.WRONG_ROLE)
        self._require(timeline.open)
        self._require(0 <= point <= M64, Status.INVALID)
        timeline.wait(point, done)

    def check_room(self, pages: int, private: int) -> None:
        """Whether the other end would take another buffer [HDB-BOTH-020] [HDB-EXP-008]."""
        taken = [each.descriptor.pages for each in self.buffers.values() if each.exported]
        if len(taken) >= self.theirs.max_buffers:
            raise Refusal(Status.LIMIT, Where.NOWHERE, 0, self.theirs.max_buffers)
        if (sum(taken) + pages) * PAGE > self.theirs.max_octets:
            raise Refusal(Status.LIMIT, Where.REQUEST, 8, self.theirs.max_octets)
        self._require(private <= self.theirs.max_private, Status.LIMIT)

    def export(self, content: Content, done: Done, scatter: bool = False) -> Buffer:
        """Share new memory, which stays shared until the buffer is released [HDB-EXP-004].

        The buffer can be drawn into at once, and handed off when ``done`` is called with OK
        [HDB-EXP-007].
        """
        self._require_connected({Format.TABLE: Feature.TABLE, Format.EXTENTS: Feature.EXTENTS}
                                .get(content.form, Feature(0))
                                | (Feature.LEND if content.rights == Rights.LEND else 0)
                                | (Feature.CYCLIC if content.kind == Kind.CYCLIC else 0))
        pages = content.pages()
        self._require(content.size > 0 and 0 <= content.data_offset < PAGE, Status.INVALID)
        self._require(len(content.private) <= PAGE - DESCRIPTOR_OCTETS, Status.INVALID)
        self.check_room(pages, len(content.private))
        order = list(range(pages - 1, -1, -1) if scatter else range(pages))
        memory = OwnMemory(pages, content.rights == Rights.READ_ONLY)
        grant = self._grant(memory)                 # each page once [HDB-EXP-006]
        references = [grant.first + n for n in order]
        entries = len(find_extents(references)) if content.form == Format.EXTENTS else pages
        shown, window = self._show(1 + directory_pages(content.form, entries), grant)
        below = range(shown.first + 1, shown.first + shown.memory.pages)
        directory = shown.memory.window(1)
        top = write_directory(content.form, references, below, directory)
        directory.close()
        d = Descriptor(DESCRIPTOR_MAGIC, DESCRIPTOR_OCTETS + len(content.private),
                       os.urandom(16), 1, content.size, pages, entries, top,  # [HDB-EXP-001]
                       len(below), content.form, content.data_offset, PAGE_SHIFT, content.rights,
                       CACHED, content.tag, content.kind, len(content.private), content.metadata,
                       b"", content.private)
        buffer = Buffer(d, BufferState.EXPORTING)
        buffer.grant, buffer.window = grant, memory.scattered(order)
        self.buffers[d.id] = buffer

        def answered(status: Status, body: bytes) -> None:
            if status == Status.OK:
                buffer.state = BufferState.LIVE
            elif not self.over:
                self._release(buffer)
            done(status, body)

        self._describe(Op.EXPORT, d, shown, window, answered)
        return buffer

    def update(self, buffer: Buffer, tag: int, private: bytes, done: Done) -> None:
        """Change a buffer's metadata [HDB-EXP-011]."""
        self._require_connected(Feature.UPDATE)
        self._require(buffer.exported, Status.WRONG_ROLE)
        self._require(buffer.state == BufferState.LIVE and not buffer.updating)  # [HDB-EXP-009]
        self._require(len(private) <= PAGE - DESCRIPTOR_OCTETS, Status.INVALID)
        self._require(len(private) <= self.theirs.max_private, Status.LIMIT)
        old = buffer.descriptor
        d = old._replace(generation=old.generation + 1, length=DESCRIPTOR_OCTETS + len(private),
                         tag=tag, private_octets=len(private), private=private)
        shown, window = self._show(1, None)

        def answered(status: Status, body: bytes) -> None:
            if status == Status.OK:
                buffer.descriptor = d
            buffer.updating = False
            done(status, body)

        buffer.updating = True
        self._describe(Op.UPDATE, d, shown, window, answered)

    def _grant(self, memory: OwnMemory) -> OwnGrant:
        try:
            return self.conn.grant(memory)
        except MemoryError:
            memory.free()
            raise

    def _show(self, pages: int, data: OwnGrant | None) -> tuple[OwnGrant, Window]:
        """Memory for a descriptor and a directory, which goes after the answer."""
        try:
            shown = OwnMemory(pages, True)
            return self._grant(shown), shown.window(0, 1)
        except MemoryError:
            if data:
                self.conn.revoke(data, data.memory.free)
            raise

    def _describe(self, op: Op, d: Descriptor, shown: OwnGrant, window: Window,
                  done: Done) -> None:
        window.write(0, d.pack())
        window.close()

        def answered(status: Status, body: bytes) -> None:
            self.conn.revoke(shown, shown.memory.free)                  # [HDB-EXP-003]
            done(status, body)

        self._request(op, EXPORT.pack(d.id, shown.first, d.length, 0, b""), answered)

    def hand_off(self, buffer: Buffer, done: Done, stamp: int = 0, wait: Timeline | None = None,
                 wait_point: int = 0, signal: Timeline | None = None, signal_point: int = 0,
                 more: bool = False) -> None:
        """Pass a buffer on, or back; ``more`` says that the next one belongs to it."""
        self._require_connected(Feature.GROUP if more else Feature(0))
        self._require_may_hand_off(buffer)
        self._require(not more or self._sending < GROUP_MAX - 1, Status.INVALID)
        for timeline, here in ((wait, True), (signal, False)):
            if timeline:
                self._require(timeline.open)
                self._require(self.my_timelines.get(timeline.number) is timeline
                              and timeline.signalled_here == here, Status.WRONG_ROLE)
        self._require(0 <= wait_point <= M64 and 0 <= stamp <= M64, Status.INVALID)
        if signal:                                                      # [HDB-BOTH-046]
            self._require(max(signal.named, signal.reached()) < signal_point <= M64,
                          Status.INVALID)
            signal.named = signal_point
        numbers = [timeline.number if timeline else NO_TIMELINE for timeline in (wait, signal)]
        self._sending = self._sending + 1 if more else 0
        self._send_hand_off(buffer, done, (wait_point, signal_point, *numbers,
                                           MORE if more else 0, 0, stamp), True)
        if not more:
            self._queue += self._deferred
            self._deferred = []

    def hand_back(self, buffer: Buffer, stamp: int) -> None:
        """Pass a lent buffer back, between all groups of this end."""
        self._require_connected()
        self._require_may_hand_off(buffer)
        self._send_hand_off(buffer, ignore, (0, 0, NO_TIMELINE, NO_TIMELINE, 0, 0, stamp), False)

    def _require_may_hand_off(self, buffer: Buffer) -> None:
        if buffer.exported:
            self._require(buffer.state == BufferState.LIVE)
        else:
            self._require(buffer.state in IMPORTED)                     # [HDB-IMP-021]
            self._require(buffer.writable(), Status.DENIED)
        self._require(buffer.here())                                    # [HDB-EXP-009]

    def _send_hand_off(self, buffer: Buffer, done: Done, fields: tuple[int, ...],
                       grouped: bool) -> None:
        def lend(there: bool) -> None:
            if buffer.descriptor.rights == Rights.LEND:
                buffer.lent = there
                if buffer.state in (BufferState.LIVE, BufferState.LENT):
                    buffer.state = BufferState.LENT if there else BufferState.LIVE

        def answered(status: Status, body: bytes) -> None:
            if status != Status.OK:
                lend(not buffer.exported)
            done(status, body)

        lend(buffer.exported)
        self._request(Op.HAND_OFF, HAND_OFF.pack(buffer.id, *fields), answered, grouped)

    def unexport(self, buffer: Buffer, grace_ms: int, done: Done) -> None:
        """Take a buffer back; the application is told when it is free, or in quarantine."""
        self._require_connected()
        self._require(buffer.exported, Status.WRONG_ROLE)
        self._require(buffer.state in (BufferState.LIVE, BufferState.LENT))
        self._require(0 <= grace_ms <= M32, Status.INVALID)

        def answered(status: Status, body: bytes) -> None:
            done(status, body)
            if buffer.state != BufferState.RETIRING or self.over:
                return                              # RELEASED has crossed it
            if status == Status.OK and not UNEXPORT_ANSWER.unpack(body)[0]:
                self._release(buffer)
            elif status in (Status.OK, Status.NO_SUCH_BUFFER):
                grace = grace_ms / 1000 if status == Status.OK else CROSSED
                buffer.deadline = time.monotonic() + grace
            else:
                self._expired(buffer)

        buffer.state = BufferState.RETIRING
        self._cancel(buffer)                                            # [HDB-BOTH-065]
        self._request(Op.UNEXPORT, UNEXPORT.pack(buffer.id, grace_ms, 0, b""), answered)

    def query(self, buffer: Buffer, done: Done) -> None:
        self._require_connected()
        self._request(Op.QUERY, BUFFER.pack(buffer.id, b""), done)

    def echo(self, octets: bytes, done: Done) -> None:
        self._require_connected()
        self._request(Op.ECHO, octets, done)

    def access(self, op: Op, buffer: Buffer, offset: int, octets: int, access: int,
               done: Done) -> None:
        """CPU_BEGIN or CPU_END."""
        self._require_connected(Feature.CPU_ACCESS)
        self._require(buffer.state in HERE)
        self._request(op, CPU_ACCESS.pack(buffer.id, offset, octets, access, 0, b""), done)

    def allocate(self, size: int, picture: tuple[int, int, int], rights: Rights, tag: int,
                 done: Done) -> None:
        """Ask the other end for a buffer; ``picture`` is width, height and pixel format."""
        self._require_connected(Feature.ALLOCATE
                                | (Feature.LEND if rights == Rights.LEND else Feature(0)))
        self._request(Op.ALLOCATE, ALLOCATE.pack(size, tag, 0, *picture, rights, CACHED, 0, b""),
                      done)

    # -- buffers of this end

    def _release(self, buffer: Buffer) -> None:
        """The importer has it no more [HDB-EXP-012]."""
        self.buffers.pop(buffer.id, None)
        self._cancel(buffer)
        if buffer.state != BufferState.QUARANTINED:
            buffer.state, buffer.deadline = BufferState.NONE, 0.0
            self._revoke(buffer)

    def _revoke(self, buffer: Buffer) -> None:
        """Ask for its pages; they are out of use until they are revoked [HDB-EXP-013]."""
        grant, window = buffer.grant, buffer.window
        if grant is None or window is None:
            return
        buffer.window = None
        window.close()

        def revoked() -> None:
            grant.memory.free()
            self.app.released(buffer)

        self.conn.revoke(grant, revoked, lambda: self._quarantine(buffer))

    def _quarantine(self, buffer: Buffer) -> None:
        if buffer.state != BufferState.QUARANTINED:
            buffer.state = BufferState.QUARANTINED
            pages = buffer.descriptor.pages
            note(f"a buffer of {pages} pages is in quarantine")         # [HDB-EXP-014]
            self.app.quarantined(buffer)

    def _expired(self, buffer: Buffer) -> None:
        """The grace period of UNEXPORT is over."""
        buffer.deadline = 0.0
        self._quarantine(buffer)
        self._revoke(buffer)

    # -- buffers of the other end

    def map(self, buffer: Buffer) -> None:
        """With the rights of the buffer, and no more [HDB-IMP-004]."""
        self._require(not buffer.exported, Status.WRONG_ROLE)
        if buffer.window:                                               # [HDB-IMP-008]
            return
        self._require(buffer.state == BufferState.IMPORTED)             # [HDB-IMP-021]
        try:
            buffer.window = self.conn.map(buffer.references, Rights(buffer.descriptor.rights))
        except KeyError as error:
            reference = error.args[0]
            raise Refusal(Status.BAD_REFERENCE, Where.PAGE, buffer.references.index(reference),
                          reference) from None
        buffer.state = BufferState.MAPPED

    def unmap(self, buffer: Buffer) -> None:
        self._require(not buffer.exported, Status.WRONG_ROLE)
        if buffer.state == BufferState.RETIRING:
            self.give_back(buffer)
        else:
            self._unmap(buffer)

    def give_back(self, buffer: Buffer) -> None:
        """Send RELEASED, asked for or not [HDB-IMP-020] [HDB-IMP-022]."""
        self._require(not buffer.exported, Status.WRONG_ROLE)
        self._let_go(buffer)
        buffer.state = BufferState.NONE
        self.buffers.pop(buffer.id, None)
        self._request(Op.RELEASED, BUFFER.pack(buffer.id, b""), ignore)

    def _let_go(self, buffer: Buffer) -> None:
        self._cancel(buffer)
        self._unmap(buffer)

    def _unmap(self, buffer: Buffer) -> None:
        if buffer.window:
            buffer.window.close()
            buffer.window = None
            if buffer.state == BufferState.MAPPED:
                buffer.state = BufferState.IMPORTED

    # -- hand-offs that were received

    def _begin_turn(self) -> None:
        """The last hand-off of a group has come, or was refused [HDB-BOTH-044]."""
        group, self._group, self._group_due = self._group, [], False
        for part in group:
            if part.status is not None:             # it was cancelled while the rest was due
                self._finished(part)
            elif part.wait:
                part.wait.wait(part.wait_point, part.waited)
            else:
                part.status = Status.OK
        if group:
            self._turns.append(group)

    def _finish_turns(self, most: int) -> bool:
        """Do what the hand-offs ask for; true if some are left that could be done."""
        ready = [turn for turn in self._turns
                 if all(part.status is not None for part in turn)
                 and not (self.app.holding and any(part.status == Status.OK for part in turn))]
        for turn in ready[:most]:
            self._turns.remove(turn)
            for part in turn:
                self._make_accessible(part)
            self.app.turn(self, turn)
            for part in turn:
                self._finished(part)
        return len(ready) > most

    def _make_accessible(self, part: HandOff) -> None:
        if part.status != Status.OK or part.buffer.exported:
            return
        try:
            self.map(part.buffer)
        except (Refusal, MemoryError) as error:     # found out late: HDB-IMP-014
            part.status = Status.NO_MEMORY if isinstance(error, MemoryError) else error.status
            note(f"a buffer cannot be mapped: {error}")
            self.give_back(part.buffer)

    def _finished(self, part: HandOff) -> None:
        """[HDB-BOTH-045]"""
        if part.done:
            return
        part.done = True
        part.buffer.pending.remove(part)
        timeline = part.signal
        while timeline and timeline.due and timeline.due[0].done:
            point = timeline.due.popleft().signal_point
            if timeline.open:
                self._notify |= timeline.signal(point)

    def _cancel(self, buffer: Buffer) -> None:
        """The hand-offs that still wait are not carried out any more [HDB-BOTH-065]."""
        for part in list(buffer.pending):
            if part.status in (None, Status.OK):
                part.status = Status.CANCELLED
            if part not in self._group:
                self._finished(part)

    # -- the other end's requests

    def _handle(self, message: bytes) -> bytes:
        """A request's answer [HDB-BOTH-032] [HDB-BOTH-033] [HDB-BOTH-037] [HDB-BOTH-038]."""
        ident, number, zero = HEADER.unpack_from(message)
        body = message[HEADER.size:]
        try:
            if number not in Op.__members__.values():                   # [HDB-BOTH-036]
                raise Refusal(Status.UNKNOWN_OPERATION, Where.REQUEST, 4, number)
            self._check_feature(Op(number), body)
            self._check_state(Op(number))
            answer = self._obey(Op(number), zero, body)
            return HEADER.pack(ident, number, Status.OK) + answer.ljust(56, b"\0")
        except MemoryError:
            refusal = Refusal(Status.NO_MEMORY)
        except Refusal as error:
            refusal = error
        note(f"refused operation {number:#x}: {refusal}", 2)
        return (HEADER.pack(ident, number, refusal.status)
                + ERROR.pack(refusal.where, 0, refusal.offset, refusal.value & M64, b""))

    def _check_feature(self, op: Op, body: bytes) -> None:
        """[HDB-BOTH-019]"""
        if FEATURE_OF.get(op, Feature(0)) & ~self.features:
            raise Refusal(Status.NOT_NEGOTIATED, Where.REQUEST, 4, op)
        if op == Op.HAND_OFF and not self.features & Feature.GROUP:
            flags = HAND_OFF.unpack(body)[5]
            if flags & MORE:
                raise Refusal(Status.NOT_NEGOTIATED, Where.REQUEST, 48, flags)

    def _check_state(self, op: Op) -> None:
        wrong = Refusal(Status.WRONG_STATE, Where.REQUEST, 4, op)
        greeting = self.state == SessionState.GREETING
        if self.state == SessionState.CLOSING and op != Op.CLOSE:
            raise Refusal(Status.CLOSING)                               # [HDB-BOTH-026]
        if op == Op.HELLO and not (self.backend and greeting):          # [HDB-FE-009]
            raise wrong
        if op != Op.HELLO and greeting:                                 # [HDB-BE-007]
            raise wrong
        if self._group_due and op not in (Op.HAND_OFF, Op.CLOSE):       # [HDB-BOTH-050]
            raise wrong

    def _obey(self, op: Op, zero: int, body: bytes) -> bytes:
        """Do what is asked for; Refusal is raised for what is wrong with it."""
        faults = Faults(Where.REQUEST)
        faults.zero(6, zero)
        try:
            return getattr(self, "_on_" + op.name.lower())(body, faults)
        except Refusal:
            if op == Op.HELLO:
                self.failed = True
            elif op == Op.HAND_OFF:                 # the rest is due all the same
                self._group_due = bool(HAND_OFF.unpack(body)[5] & MORE)
                if not self._group_due:
                    self._begin_turn()
            raise

    def _on_hello(self, body: bytes, faults: Faults) -> bytes:
        frontend, backend, features, *limits, zero = HELLO.unpack(body)
        theirs = Limits(*limits)
        faults.zero(56, zero)
        faults.settle()                             # the order is its own
        for offset, epoch, mine in ((8, frontend, self.epochs[0]), (16, backend, self.epochs[1])):
            faults.add(epoch != mine, Status.WRONG_EPOCH, offset, epoch)    # [HDB-BE-008]
        faults.settle()
        unknown = features & ~int(self.offered)
        faults.add(unknown != 0, Status.NOT_NEGOTIATED, 24, features)   # [HDB-BE-009]
        faults.add(theirs.max_buffers != 0 and theirs.max_private < PRIVATE_MIN,
                   Status.INVALID, 48, theirs.max_private)              # [HDB-BOTH-041]
        faults.add(theirs.max_in_flight == 0, Status.INVALID, 52, 0)
        faults.settle()
        self._connected(theirs, Feature(features))                      # [HDB-BE-004]
        return HELLO.pack(*self.epochs, features, *self.limits, 0)

    def _on_close(self, body: bytes, faults: Faults) -> bytes:
        reason, zero = CLOSE.unpack(body)
        faults.zero(12, zero)
        faults.add(not DONE <= reason <= FAULT, Status.INVALID, 8, reason)
        faults.settle()
        self._finish_turns(32)                      # what was handed off before is still looked at
        kept = False
        for buffer in [each for each in self.buffers.values() if not each.exported]:
            if buffer.window and self.app.keeps(buffer):
                kept = True
            else:
                self._let_go(buffer)                                    # [HDB-BOTH-025]
        if not self._close_sent:
            self.peer_closed, self.released = True, not kept
        if kept:
            raise Refusal(Status.BUSY)
        return b""

    def _on_echo(self, body: bytes, faults: Faults) -> bytes:
        faults.settle()
        return body

    def _on_export(self, body: bytes, faults: Faults) -> bytes:
        ident, reference, length, zero, zero1 = EXPORT.unpack(body)
        imported = [each for each in self.buffers.values() if not each.exported]
        faults.zero(36, zero)
        faults.zero(40, zero1)
        faults.add(not any(ident), Status.INVALID, 8)
        faults.add(ident in self.buffers, Status.DUPLICATE, 8)          # [HDB-IMP-001]
        faults.add(not DESCRIPTOR_OCTETS <= length <= PAGE, Status.INVALID, 32, length)
        if len(imported) >= self.limits.max_buffers:                    # [HDB-BOTH-021]
            faults.found.append(Refusal(Status.LIMIT, Where.NOWHERE, 0, self.limits.max_buffers))
        d = self._read_descriptor(ident, reference, length, None, faults)
        taken = sum(each.descriptor.pages for each in imported)
        if (taken + d.pages) * PAGE > self.limits.max_octets:           # [HDB-BOTH-022]
            raise Refusal(Status.LIMIT, Where.DESCRIPTOR, FIELD["pages"], self.limits.max_octets)
        references = read_directory(self.conn, d)                       # [HDB-IMP-003]
        self._check_known(d)
        self.app.asked(Op.EXPORT)
        buffer = Buffer(d, BufferState.IMPORTED)
        buffer.references = references
        self.buffers[ident] = buffer
        self.app.imported(buffer)
        return b""

    def _read_descriptor(self, ident: bytes, reference: int, length: int,
                         old: Descriptor | None, faults: Faults) -> Descriptor:
        """The descriptor, when nothing is wrong with the request that names it."""
        most = self.limits.max_private
        faults.add(length - DESCRIPTOR_OCTETS > most, Status.LIMIT, 32, most)
        faults.settle()
        try:
            page = self.conn.copy_page(reference)                       # [HDB-IMP-002]
        except KeyError:
            raise Refusal(Status.BAD_REFERENCE, Where.REQUEST, 24, reference) from None
        return check_descriptor(page, ident, length, self.features, old)

    @staticmethod
    def _check_known(d: Descriptor) -> None:
        """[HDB-IMP-006]"""
        if d.type == Kind.PICTURE:
            picture = Picture.unpack(d.metadata)
            if picture.rows() is None:
                offset, value = (16, picture.modifier) if picture.modifier else (8, picture.fourcc)
                raise Refusal(Status.UNSUPPORTED, Where.DESCRIPTOR, FIELD["metadata"] + offset,
                              value)

    def _find(self, ident: bytes, faults: Faults, role: bool | None = None) -> Buffer:
        """[HDB-BOTH-042]; ``role`` is whether it must be a buffer that this end exported."""
        buffer = self.buffers.get(ident)
        faults.add(buffer is None, Status.NO_SUCH_BUFFER, 8)
        if buffer and role is not None:                                 # [HDB-BOTH-043]
            faults.add(buffer.exported != role, Status.WRONG_ROLE, 8)
        if buffer is None:
            faults.settle()
        return buffer                                                   # type: ignore

    def _on_update(self, body: bytes, faults: Faults) -> bytes:
        ident, reference, length, zero, zero1 = EXPORT.unpack(body)
        faults.zero(36, zero)
        faults.zero(40, zero1)
        buffer = self._find(ident, faults, False)
        faults.add(buffer.state == BufferState.RETIRING or buffer.lent, Status.WRONG_STATE, 8)
        faults.add(not DESCRIPTOR_OCTETS <= length <= PAGE, Status.INVALID, 32, length)
        d = self._read_descriptor(ident, reference, length, buffer.descriptor, faults)
        self._check_known(d)
        self.app.asked(Op.UPDATE)
        buffer.descriptor = d
        return b""

    def _on_unexport(self, body: bytes, faults: Faults) -> bytes:
        ident, _, zero, zero1 = UNEXPORT.unpack(body)
        self._finish_turns(4)                       # what can be done, before it has come
        faults.zero(28, zero)
        faults.zero(32, zero1)
        buffer = self._find(ident, faults, False)
        faults.add(buffer.state == BufferState.RETIRING, Status.WRONG_STATE, 8)
        faults.settle()
        self._cancel(buffer)                                            # [HDB-BOTH-065]
        self.app.retire(buffer)
        if buffer.window and self.app.keeps(buffer):                    # [HDB-IMP-019]
            buffer.state = BufferState.RETIRING
            return UNEXPORT_ANSWER.pack(1, b"")
        self._unmap(buffer)
        self.buffers.pop(ident, None)
        return UNEXPORT_ANSWER.pack(0, b"")

    def _on_released(self, body: bytes, faults: Faults) -> bytes:
        ident, zero = BUFFER.unpack(body)
        faults.zero(24, zero)
        buffer = self._find(ident, faults, True)
        faults.add(buffer.state == BufferState.EXPORTING, Status.WRONG_STATE, 8)
        faults.settle()
        self._release(buffer)                                           # [HDB-EXP-015]
        return b""

    def _on_query(self, body: bytes, faults: Faults) -> bytes:
        ident, zero = BUFFER.unpack(body)
        faults.zero(24, zero)
        buffer = self._find(ident, faults)
        faults.settle()
        d = buffer.descriptor
        return QUERY_ANSWER.pack(buffer.state, d.rights, d.size, d.pages, d.generation, d.tag,
                                 buffer.hand_offs, d.type, d.private_octets)

    def _on_hand_off(self, body: bytes, faults: Faults) -> bytes:
        (ident, wait_point, signal_point, wait_number, signal_number, flags, zero,
         stamp) = HAND_OFF.unpack(body)
        faults.zero(52, zero)
        wait = self._their_timeline(wait_number, 40, False, faults)
        line = self._their_timeline(signal_number, 44, True, faults)
        buffer = self._find(ident, faults)
        lend = buffer.descriptor.rights == Rights.LEND                  # [HDB-BOTH-051]
        faults.add(buffer.state not in HERE or (lend and buffer.here()), Status.WRONG_STATE, 8)
        faults.add(wait_number == NO_TIMELINE and wait_point != 0, Status.INVALID, 24, wait_point)
        past = max(line.named, line.point) if line else 0               # [HDB-BOTH-047]
        faults.add(signal_point <= past if line else signal_point != 0, Status.INVALID, 32,
                   signal_point)
        fourth = bool(flags & MORE) and len(self._group) == GROUP_MAX - 1
        faults.add(bool(flags & ~MORE) or fourth, Status.INVALID, 48, flags)
        faults.add(buffer.exported and buffer.descriptor.rights == Rights.READ_ONLY,
                   Status.DENIED, 8)                                    # [HDB-EXP-010]
        faults.settle()
        if len(buffer.pending) >= HAND_OFFS_MAX:                        # [HDB-BOTH-067]
            raise Refusal(Status.NO_MEMORY)
        self._note_hand_off(HandOff(buffer, stamp, wait, wait_point, line, signal_point))
        self._group_due = bool(flags & MORE)
        if not self._group_due:                                         # [HDB-BOTH-048]
            self._begin_turn()
        return b""

    def _note_hand_off(self, part: HandOff) -> None:
        buffer = part.buffer
        if buffer.descriptor.rights == Rights.LEND:
            buffer.lent = not buffer.exported
            if buffer.exported:
                buffer.state = BufferState.LIVE
        if part.signal:
            part.signal.named = part.signal_point
            part.signal.due.append(part)
        buffer.hand_offs += 1
        buffer.pending.append(part)
        self._group.append(part)

    def _their_timeline(self, number: int, offset: int, here: bool,
                        faults: Faults) -> Timeline | None:
        """A timeline that a hand-off names, and who must signal it."""
        timeline = self.their_timelines.get(number)
        faults.add(timeline is None and number != NO_TIMELINE, Status.NO_SUCH_TIMELINE, offset,
                   number)
        faults.add(timeline is not None and timeline.signalled_here != here, Status.WRONG_ROLE,
                   offset, number)
        return timeline

    def _on_cpu_begin(self, body: bytes, faults: Faults) -> bytes:
        buffer, access = self._check_access(body, faults, False)
        if sum(buffer.accesses.values()) >= ACCESSES_MAX:
            raise Refusal(Status.NO_MEMORY)
        self.app.asked(Op.CPU_BEGIN)
        buffer.accesses[access] += 1                # caches are coherent here: nothing to do
        return b""

    def _on_cpu_end(self, body: bytes, faults: Faults) -> bytes:
        buffer, access = self._check_access(body, faults, True)
        self.app.asked(Op.CPU_END)
        buffer.accesses[access] -= 1
        return b""

    def _check_access(self, body: bytes, faults: Faults,
                      ending: bool) -> tuple[Buffer, tuple[int, int, int]]:
        ident, offset, octets, access, zero, zero1 = CPU_ACCESS.unpack(body)
        faults.zero(44, zero)
        faults.zero(48, zero1)
        buffer = self._find(ident, faults)
        key, size = (offset, octets, access), buffer.descriptor.size
        faults.add(buffer.state not in HERE or (ending and not buffer.accesses[key]),
                   Status.WRONG_STATE, 8)
        faults.add(offset >= size, Status.INVALID, 24, offset)
        faults.add(octets == 0 or octets > size - offset, Status.INVALID, 32, octets)
        faults.add(not READ <= access <= READ | WRITE, Status.INVALID, 40, access)
        faults.add(bool(access & WRITE) and buffer.exported
                   and buffer.descriptor.rights == Rights.READ_ONLY, Status.DENIED, 40, access)
        faults.settle()
        return buffer, key

    def _on_allocate(self, body: bytes, faults: Faults) -> bytes:
        (size, tag, modifier, width, height, code, rights, attributes, zero,
         zero1) = ALLOCATE.unpack(body)
        fields = ((32, width), (36, height), (40, code))
        wanted = any(value for _, value in fields)
        picture = Picture.laid_out(width, height, code, 1 if size else 64)
        least = picture.octets() if wanted and picture else 0
        faults.add(rights == Rights.LEND and not self.features & Feature.LEND,
                   Status.NOT_NEGOTIATED, 44, rights)
        faults.add(attributes == WRITE_COMBINED, Status.NOT_NEGOTIATED, 48, attributes)
        faults.zero(52, zero)
        faults.zero(56, zero1)
        faults.add(size == 0 and not wanted or 0 < size < least, Status.INVALID, 8, size)
        faults.add(not wanted and modifier != 0, Status.INVALID, 24, modifier)
        for offset, value in fields if wanted else ():
            faults.add(value == 0, Status.INVALID, offset)
        faults.add(least > M64, Status.INVALID, 32, width)              # [HDB-BOTH-062]
        faults.add(rights not in Rights.__members__.values(), Status.INVALID, 44, rights)
        faults.add(attributes not in (CACHED, WRITE_COMBINED), Status.INVALID, 48, attributes)
        faults.settle()
        content = Content(size or least, Rights(rights), Kind.PICTURE if wanted else Kind.RAW,
                          b"", tag)
        self.check_room(content.pages(), 0)
        if wanted:
            faults.add(modifier != 0, Status.UNSUPPORTED, 24, modifier)
            faults.add(picture is None, Status.UNSUPPORTED, 40, code)
            faults.add(picture is not None and picture.plane[0][1] > M32, Status.UNSUPPORTED, 32,
                       width)
            faults.settle()
            content = content._replace(metadata=picture.pack())         # type: ignore
        self.app.asked(Op.ALLOCATE)
        buffer = self.export(content, lambda status, _: self.app.exported(buffer, status))
        self.app.allocated(buffer)                                      # [HDB-EXP-016]
        return ALLOCATE_ANSWER.pack(buffer.id, b"")                     # [HDB-EXP-017]

    def _on_timeline_create(self, body: bytes, faults: Faults) -> bytes:
        number, signaller, point, zero = TIMELINE.unpack(body)
        cells = self._their_cells.octets // CELL
        most = min(self.limits.max_timelines, cells)
        faults.zero(24, zero)
        faults.add(number in self.their_timelines, Status.DUPLICATE, 8, number)
        faults.add(signaller not in (CREATOR, PEER), Status.INVALID, 12, signaller)
        timeline = Timeline(self._their_cells, number, signaller == PEER, point)
        if number < cells:
            faults.add(timeline.load() != point or timeline.load_error() != 0, Status.INVALID, 16,
                       point)
        faults.add(number >= most, Status.LIMIT, 8, most)               # [HDB-BOTH-021]
        faults.settle()
        timeline.created = True
        self.their_timelines[number] = timeline
        return b""

    def _on_timeline_destroy(self, body: bytes, faults: Faults) -> bytes:
        number, signaller, point, zero = TIMELINE.unpack(body)
        faults.zero(12, signaller)
        faults.zero(16, point)
        faults.zero(24, zero)
        faults.add(number not in self.their_timelines, Status.NO_SUCH_TIMELINE, 8, number)
        faults.settle()
        self.their_timelines.pop(number).end(Status.CANCELLED)          # [HDB-BOTH-061]
        return b""

    # -- the end

    def end(self, status: Status) -> None:
        """The session is lost, or closed if the status is OK; clean up."""
        if self.over:
            return
        connected = self.state in (SessionState.CONNECTED, SessionState.CLOSING)
        self.over, self.state = True, SessionState.DOWN
        if connected:
            self.app.over(status)
        for timeline in self._timelines():                              # [HDB-BOTH-027]
            timeline.end(Status.LOST)
        for turn in self._turns:
            lost = [part for part in turn if part.status not in (None, Status.OK)]
            if lost:
                self.app.turn(self, lost)
        requests = [*self._unanswered.values(), *self._queue, *self._deferred]
        self._unanswered = {}
        for _, _, done in requests:
            done(Status.LOST, bytes(56))
        for buffer in list(self.buffers.values()):
            self._end_buffer(buffer)
        self.buffers = {}
        for window in self._windows:                                    # [HDB-BE-010]
            window.close()

    def _end_buffer(self, buffer: Buffer) -> None:
        if buffer.exported and self.released:                           # [HDB-EXP-012]
            self._release(buffer)
        elif buffer.exported:                                           # [HDB-EXP-013]
            self._expired(buffer)
        elif buffer.window and self.app.keeps(buffer):
            buffer.state = BufferState.ORPHANED
        else:                                                           # [HDB-BOTH-028]
            self._unmap(buffer)


def ignore(status: Status, body: bytes) -> None:
    """Nothing depends on the answer."""


def refusal_text(status: Status, body: bytes) -> str:
    """What an answer complains of, for people."""
    where, _, offset, value, _ = ERROR.unpack(body)
    return f"{name_of(status)} ({Where(where).name} {offset}, value {value})"


def proper_answer(op: Op, status: int, request: bytes, body: bytes) -> bool:
    """Whether all fields of an answer have values that are allowed [HDB-BOTH-064]."""
    if status != Status.OK:
        where, zero, _, _, zero1 = ERROR.unpack(body)
        return (status != Status.LOST and where < Where.CHANNEL and not zero and not any(zero1))
    if op == Op.HELLO:
        (_, _, _, *limits, zero) = HELLO.unpack(body)
        theirs = Limits(*limits)
        return (not zero and theirs.max_in_flight > 0
                and not (theirs.max_buffers and theirs.max_private < PRIVATE_MIN))
    if op == Op.ECHO:
        return body == request
    if op == Op.UNEXPORT:
        mapped, zero = UNEXPORT_ANSWER.unpack(body)
        return mapped <= 1 and not any(zero)
    if op == Op.QUERY:
        state, rights, _, _, _, _, _, kind, _ = QUERY_ANSWER.unpack(body)
        return (state in BufferState.__members__.values()
                and rights in Rights.__members__.values() and kind in Kind.__members__.values())
    if op == Op.ALLOCATE:
        ident, zero = ALLOCATE_ANSWER.unpack(body)
        return any(ident) and not any(zero)
    return not any(body)


class Application:
    """What is done with a session; this application does nothing, and wants nothing."""

    session_type = Session                          # what its sessions are
    finished = False                                # there is nothing more to do
    error = ""                                      # why it could not be done
    holding = False                                 # hand-offs are not carried out yet

    def limits(self, slots: int) -> Limits:
        return Limits(max_timelines=64, max_in_flight=slots)

    def connected(self, session: Session) -> None:
        """A session has begun."""

    def over(self, status: Status) -> None:
        """It has ended, in good order if the status is OK."""

    def asked(self, op: Op) -> None:
        """Raise Refusal for a request that is in order, but not wanted."""

    def imported(self, buffer: Buffer) -> None:
        """The other end has exported a buffer."""

    def turn(self, session: Session, parts: list[HandOff]) -> None:
        """Buffers were handed off; those whose part has status OK may be accessed now."""

    def retire(self, buffer: Buffer) -> None:
        """The other end wants a buffer back."""

    def keeps(self, buffer: Buffer) -> bool:
        """Whether a mapped buffer of the other end stays mapped all the same."""
        return False

    def allocated(self, buffer: Buffer) -> None:
        """The other end has asked for a buffer, which is being exported."""

    def exported(self, buffer: Buffer, status: Status) -> None:
        """The export of a buffer that it has asked for is answered."""

    def quarantined(self, buffer: Buffer) -> None:
        """A buffer of this end is in quarantine."""

    def released(self, buffer: Buffer) -> None:
        """A buffer of this end is free."""
