# SPDX-License-Identifier: MIT
"""What is answered to the other end's requests, and what an answer must be."""

from __future__ import annotations

from .buffers import HERE, Buffer, Content, HandOff, Limits
from .descriptors import FIELD, Descriptor, Picture, check_descriptor, read_directory
from .rings import Timeline
from .wire import (ALLOCATE, ALLOCATE_ANSWER, BUFFER, CACHED, CELL, CLOSE, CPU_ACCESS, CREATOR,
                   DESCRIPTOR_OCTETS, DONE, ERROR, EXPORT, FAULT, FEATURE_OF, GROUP_MAX, HAND_OFF,
                   HEADER, HELLO, M32, M64, MORE, NO_TIMELINE, PAGE, PEER, PRIVATE_MIN,
                   QUERY_ANSWER, READ, TIMELINE, UNEXPORT, UNEXPORT_ANSWER, WRITE, WRITE_COMBINED,
                   BufferState, Faults, Feature, Kind, Op, Refusal, Rights, SessionState, Status,
                   Where, name_of, note)

HAND_OFFS_MAX = 128                                 # of a buffer, noted and not finished with


class Answers:
    """The half of a session that answers requests; the other half has all that it keeps."""

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
            elif op == Op.HAND_OFF and not HAND_OFF.unpack(body)[5] & MORE:
                self._begin_turn()                  # the group ends with those before
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
        buffer = self._check_access(body, faults, False)
        self.app.asked(Op.CPU_BEGIN)
        buffer.accesses += 1                        # caches are coherent here: nothing to do
        return b""

    def _on_cpu_end(self, body: bytes, faults: Faults) -> bytes:
        buffer = self._check_access(body, faults, True)
        self.app.asked(Op.CPU_END)
        buffer.accesses -= 1
        return b""

    def _check_access(self, body: bytes, faults: Faults, ending: bool) -> Buffer:
        ident, offset, octets, access, zero, zero1 = CPU_ACCESS.unpack(body)
        faults.zero(44, zero)
        faults.zero(48, zero1)
        buffer = self._find(ident, faults)
        size = buffer.descriptor.size
        faults.add(buffer.state not in HERE or (ending and not buffer.accesses),
                   Status.WRONG_STATE, 8)
        faults.add(offset >= size, Status.INVALID, 24, offset)
        faults.add(octets == 0 or octets > size - offset, Status.INVALID, 32, octets)
        faults.add(not READ <= access <= READ | WRITE, Status.INVALID, 40, access)
        faults.add(bool(access & WRITE) and buffer.exported
                   and buffer.descriptor.rights == Rights.READ_ONLY, Status.DENIED, 40, access)
        faults.settle()
        return buffer

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
