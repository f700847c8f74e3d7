# SPDX-License-Identifier: MIT
"""A session: this end's requests, buffers, timelines."""

from __future__ import annotations

import collections
import os
import time
from collections.abc import Callable

from .answers import Answers, proper_answer, refusal_text
from .buffers import HERE, Buffer, Content, HandOff, Limits
from .descriptors import Descriptor, directory_pages, find_extents, write_directory
from .local import Connection, OwnGrant
from .memory import OwnMemory, Window
from .rings import Requester, Responder, Timeline
from .wire import (ALLOCATE, BUFFER, CACHED, CELL, CLOSE, CPU_ACCESS, CREATOR, DESCRIPTOR_MAGIC,
                   DESCRIPTOR_OCTETS, DONE, EXPORT, FAULT, GROUP_MAX, HAND_OFF, HEADER, HELLO, M32,
                   M64, MORE, NO_TIMELINE, PAGE, PAGE_SHIFT, TIMELINE, UNEXPORT, UNEXPORT_ANSWER,
                   Broken, BufferState, Feature, Format, Kind, Op, Refusal, Rights, SessionState,
                   Status, Where, known_status, note)

Done = Callable[[Status, bytes], None]
AT_ONCE = 32                                        # requests, before others are looked at
CROSSED = 0.1                                       # seconds in which RELEASED is to be found


class Session(Answers):
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
        return self._work(AT_ONCE)

    def work_all(self) -> None:
        """The same, and all of it, when there will be no other time: CLOSE may have crossed."""
        self._work(self.responder.slots)

    def _work(self, most: int) -> bool:
        found = self.responder.find()
        self._take_answers()                                            # [HDB-BOTH-017]
        for _ in range(min(found, most)):
            if self.peer_closed or self.failed:
                break
            self.responder.answer(self._handle(self.responder.next()))
        self._notify |= self.responder.publish()
        more = any([each.look() for each in self._timelines()]) or found > most
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
            self._require(buffer.state in HERE)                         # [HDB-IMP-021]
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
