# SPDX-License-Identifier: MIT
"""What the specification calls things: numbers, structures, and reasons to refuse."""

from __future__ import annotations

import mmap
import os
import sys
from enum import IntEnum, IntFlag
from struct import Struct

VERSION = 1
CHANNEL_MAGIC, DESCRIPTOR_MAGIC, LOCAL_MAGIC = 0x43424448, 0x44424448, 0x4C424448
RING_ORDER_MAX, TIMELINE_PAGES_MAX, CHANNEL_REFERENCES_MAX = 6, 64, 256
SLOT, CELL, DESCRIPTOR_OCTETS, PRIVATE_MIN, PLANES = 64, 64, 256, 1024, 4
NO_TIMELINE = 0xFFFFFFFF
MORE = 1                                            # the flag of HAND_OFF
GROUP_MAX = 4
LOCAL_VERSION, RECORD_OCTETS = 1, 1024
GRANTS_MAX, GRANTED_PAGES_MAX, MEMORIES_MAX = 131072, 16777216, 1024
PAGE = mmap.PAGESIZE
PAGE_SHIFT = PAGE.bit_length() - 1
RING_START = 2**32 - PAGE // 128                    # the indices wrap after one trip of a ring
M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


class Op(IntEnum):
    HELLO, CLOSE, ECHO = 0x01, 0x02, 0x03
    EXPORT, UPDATE, UNEXPORT, RELEASED = 0x10, 0x11, 0x12, 0x13
    HAND_OFF, QUERY, ALLOCATE, CPU_BEGIN, CPU_END = 0x14, 0x15, 0x16, 0x17, 0x18
    TIMELINE_CREATE, TIMELINE_DESTROY = 0x20, 0x21


class Status(IntEnum):
    (OK, UNKNOWN_OPERATION, NOT_NEGOTIATED, WRONG_STATE, RESERVED, NO_SUCH_BUFFER,
     NO_SUCH_TIMELINE, WRONG_ROLE, INVALID, DUPLICATE, LIMIT, BAD_REFERENCE, UNSUPPORTED, DENIED,
     NO_MEMORY, NO_REFERENCES, BUSY, WRONG_EPOCH, CLOSING, LOST, CANCELLED, TIMED_OUT,
     FAILED) = range(23)


class Where(IntEnum):
    NOWHERE, REQUEST, DESCRIPTOR, DIRECTORY, PAGE, CHANNEL = range(6)


class Feature(IntFlag):
    (TABLE, EXTENTS, UPDATE, LEND, ALLOCATE, CPU_ACCESS, GROUP, CYCLIC,
     WRITE_COMBINED) = (1 << n for n in range(9))


class SessionState(IntEnum):
    DOWN, READY, GREETING, CONNECTED, CLOSING = range(5)


class BufferState(IntEnum):
    (NONE, EXPORTING, LIVE, LENT, RETIRING, QUARANTINED, IMPORTED, MAPPED, ORPHANED) = range(9)


class Rights(IntEnum):
    READ_ONLY, READ_WRITE, LEND = 1, 2, 3


class Kind(IntEnum):
    RAW, PICTURE, CYCLIC = 1, 2, 3


class Format(IntEnum):
    LIST, TABLE, EXTENTS = 0, 1, 2


class Packet(IntEnum):
    ATTACH, RECORD, GRANT, REVOKE, REVOKED, LEAVE = 1, 2, 3, 4, 5, 6


CACHED, WRITE_COMBINED = 1, 2                       # enum hdmabuf_attribute
CREATOR, PEER = 1, 2                                # enum hdmabuf_signaller
DONE, SHUTDOWN, SUSPEND, FAULT = 1, 2, 3, 4         # enum hdmabuf_reason
READ, WRITE = 1, 2                                  # access of a processor

HEADER = Struct("<IHH")
ERROR = Struct("<IIQQ32s")
HELLO = Struct("<QQQQIIIIQ")
CLOSE = Struct("<I52s")
EXPORT = Struct("<16sQII24s")
UNEXPORT = Struct("<16sII32s")
UNEXPORT_ANSWER = Struct("<I52s")
BUFFER = Struct("<16s40s")
QUERY_ANSWER = Struct("<IIQQQQQII")
HAND_OFF = Struct("<16sQQIIIIQ")
ALLOCATE = Struct("<QQQIIIIII8s")
ALLOCATE_ANSWER = Struct("<16s40s")
CPU_ACCESS = Struct("<16sQQII16s")
TIMELINE = Struct("<IIQ40s")
CHANNEL = Struct("<IIQQIIIIIIII8s")
DESCRIPTOR = Struct("<II16sQQQQQIIIIIIQII96s56s")
PICTURE = Struct("<IIIIQII")
PLANE = Struct("<QII")
CYCLIC = Struct("<IIIIII72s")
LOCAL_PACKET = Struct("<IIIIIIQII")

FEATURE_OF = {Op.UPDATE: Feature.UPDATE, Op.ALLOCATE: Feature.ALLOCATE,
              Op.CPU_BEGIN: Feature.CPU_ACCESS, Op.CPU_END: Feature.CPU_ACCESS}
FEATURES = (Feature.TABLE | Feature.EXTENTS | Feature.UPDATE | Feature.LEND | Feature.ALLOCATE
            | Feature.CPU_ACCESS | Feature.GROUP | Feature.CYCLIC)

# The order in which faults count [HDB-BOTH-038]; what is not here comes last.  That an operation
# is unknown, or the session not in a state for it, has been seen before anything is compared.
RANK = {Status.NOT_NEGOTIATED: 0, Status.WRONG_EPOCH: 1, Status.RESERVED: 2,
        Status.NO_SUCH_BUFFER: 3, Status.NO_SUCH_TIMELINE: 3, Status.WRONG_ROLE: 4,
        Status.WRONG_STATE: 5, Status.INVALID: 6, Status.DUPLICATE: 6, Status.LIMIT: 7,
        Status.BAD_REFERENCE: 8}


def name_of(status: int) -> str:
    return Status(status).name if status in Status.__members__.values() else str(status)


class Refusal(Exception):
    """A request is refused, for this reason [HDB-BOTH-039]."""

    def __init__(self, status: int, where: Where = Where.NOWHERE, offset: int = 0,
                 value: int = 0) -> None:
        super().__init__(f"{name_of(status)} ({where.name} {offset}, {value})")
        self.status, self.where, self.offset, self.value = status, where, offset, value

    def rank(self) -> tuple[int, int]:
        return RANK.get(self.status, 9), self.offset


class Faults:
    """All that is wrong with one piece of memory; the first fault counts [HDB-BOTH-038]."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self.found: list[Refusal] = []

    def add(self, wrong: bool, status: Status, offset: int, value: int = 0) -> None:
        if wrong:
            self.found.append(Refusal(status, self._where, offset, value))

    def zero(self, offset: int, content: int | bytes) -> None:
        """A zero field [HDB-BOTH-002]."""
        number = isinstance(content, int)
        self.add(bool(content) if number else any(content), Status.RESERVED, offset,
                 content if number else 0)

    def settle(self) -> None:
        if self.found:
            raise min(self.found, key=Refusal.rank)


class Broken(Exception):
    """The other end has broken the rules of the ring: the session is lost."""


class BadPacket(Exception):
    """The other end has broken the rules of the binding: the connection is closed."""


def known_status(number: int) -> Status:
    """[HDB-BOTH-040]"""
    return Status(number) if number in Status.__members__.values() else Status.FAILED


def random_epoch() -> int:
    """[HDB-BOTH-015]"""
    return int.from_bytes(os.urandom(8), "little") or 1


def up(number: int, unit: int) -> int:
    """How many units the number fills."""
    return -(-number // unit)


class Log:
    """How much is told on standard error."""

    verbose = 0


def note(text: str, level: int = 1) -> None:
    if Log.verbose >= level:
        print(f"hdmabuf_peer: {text}", file=sys.stderr, flush=True)
