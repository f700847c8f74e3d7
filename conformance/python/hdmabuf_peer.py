#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hyper-dmabuf peer that was written from the specification alone.

It speaks version 1 of the protocol over the local binding (``local:PATH``), as frontend or
backend, as the end that exports pictures or the end that imports them.  Python 3.11 or later
on Linux, and nothing but the standard library.  From the bottom up:

    Window, OwnMemory        memory, the other's and this end's
    Connection               the platform: packets, records, references, notification
    Requester, Responder     the two rings
    Timeline                 points, and waits for them
    Descriptor, directories  how a buffer is described
    Session                  requests and answers, buffers, timelines
    Link                     epochs, offers, answers, loss
    Exporter, Importer       what is done with it all
    Peer                     the loop around it, and the command line

One thread does everything, and nothing blocks.  Identifiers in brackets name the clauses of the
specification that a piece of code obeys.
"""

from __future__ import annotations

import argparse
import array
import bisect
import collections
import errno
import fcntl
import mmap
import os
import re
import resource
import select
import signal
import socket
import stat
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import NamedTuple, Optional

# ---------------------------------------------------------------------------- the specification

VERSION = 1
CHANNEL_MAGIC, DESCRIPTOR_MAGIC, LOCAL_MAGIC = 0x43424448, 0x44424448, 0x4C424448
RING_ORDER_MAX, TIMELINE_PAGES_MAX, CHANNEL_REFERENCES_MAX = 6, 64, 256
SLOT, CELL, DESCRIPTOR_OCTETS, PRIVATE_MIN, PLANES = 64, 64, 256, 1024, 4
NO_TIMELINE = 0xFFFFFFFF
MORE = 1                                            # the flag of HAND_OFF
GROUP_MAX = 4
LOCAL_VERSION, RECORD_OCTETS = 1, 1024
GRANTS_MAX, GRANTED_PAGES_MAX, MEMORIES_MAX = 65536, 16777216, 1024
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

HEADER = struct.Struct("<IHH")
ERROR = struct.Struct("<IIQQ32s")
HELLO = struct.Struct("<QQQQIIIIQ")
CLOSE = struct.Struct("<I52s")
EXPORT = struct.Struct("<16sQII24s")
UNEXPORT = struct.Struct("<16sII32s")
BUFFER = struct.Struct("<16s40s")
QUERY_ANSWER = struct.Struct("<IIQQQQQII")
HAND_OFF = struct.Struct("<16sQQIIIIQ")
CPU_ACCESS = struct.Struct("<16sQQII16s")
TIMELINE = struct.Struct("<IIQ40s")
CHANNEL = struct.Struct("<IIQQIIIIIIII8s")
DESCRIPTOR = struct.Struct("<II16sQQQQQIIIIIIQII96s56s")
PICTURE = struct.Struct("<IIIIQII")
PLANE = struct.Struct("<QII")
CYCLIC = struct.Struct("<IIIIII72s")
LOCAL_PACKET = struct.Struct("<IIIIIIQII")

FEATURE_OF = {Op.UPDATE: Feature.UPDATE, Op.ALLOCATE: Feature.ALLOCATE,
              Op.CPU_BEGIN: Feature.CPU_ACCESS, Op.CPU_END: Feature.CPU_ACCESS}
FEATURES = (Feature.TABLE | Feature.EXTENTS | Feature.UPDATE | Feature.LEND
            | Feature.CPU_ACCESS | Feature.GROUP | Feature.CYCLIC)

PIXELS_MAX = 16384                                  # in a row, and rows, that are looked at
# Planes of the pixel formats that are known here: octets of a sample, columns and rows it covers.
PIXELS: dict[str, list[tuple[int, int, int]]] = {
    "R8  ": [(1, 1, 1)], "RG16": [(2, 1, 1)], "RG24": [(3, 1, 1)], "BG24": [(3, 1, 1)],
    "YUYV": [(4, 2, 1)], "UYVY": [(4, 2, 1)],
    "NV12": [(1, 1, 1), (2, 2, 2)], "NV21": [(1, 1, 1), (2, 2, 2)], "P010": [(2, 1, 1), (4, 2, 2)],
    "YU12": [(1, 1, 1), (1, 2, 2), (1, 2, 2)], "YV12": [(1, 1, 1), (1, 2, 2), (1, 2, 2)],
    "YU16": [(1, 1, 1), (1, 2, 1), (1, 2, 1)], "YU24": [(1, 1, 1), (1, 1, 1), (1, 1, 1)],
    **{code: [(4, 1, 1)] for code in ("XR24", "AR24", "XB24", "AB24", "RX24", "RA24", "BX24",
                                      "BA24", "XR30", "AR30", "XB30", "AB30")},
}


def fourcc(code: str) -> int:
    """The number of a pixel format."""
    return int.from_bytes(code.encode("ascii"), "little")


class Refusal(Exception):
    """A request is refused, for this reason [HDB-BOTH-039]."""

    def __init__(self, status: Status, where: Where = Where.NOWHERE, offset: int = 0,
                 value: int = 0) -> None:
        super().__init__(f"{status.name} ({where.name} {offset}, {value})")
        self.status, self.where, self.offset, self.value = status, where, offset, value


class Broken(Exception):
    """The other end has broken the rules of the ring or of the connection."""


class Failure(Exception):
    """What ends the program, with this exit status."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def known_status(number: int) -> Status:
    """[HDB-BOTH-040]"""
    return Status(number) if number in Status.__members__.values() else Status.FAILED


def random_epoch() -> int:
    """[HDB-BOTH-015]"""
    return int.from_bytes(os.urandom(8), "little") or 1


def up(number: int, unit: int) -> int:
    """How many units the number fills."""
    return -(-number // unit)


# --------------------------------------------------------------------------------------- memory

_fence = threading.Lock()


def barrier() -> None:
    """A full barrier: taking a lock is an atomic read-modify-write on every machine."""
    with _fence:
        pass


def le32(number: int) -> int:
    """A word of memory as a native number, or the other way round."""
    if sys.byteorder == "little":
        return number
    return int.from_bytes(number.to_bytes(4, "big"), "little")


class Window:
    """Pages of memory as one run of octets, wherever they lie.

    Python cannot map at a chosen address, so a window is a list of mappings.  Words are loaded
    and stored through views of native words, in one access each; a page never straddles two
    pieces, so a slot, a cell or a word does not either.
    """

    def __init__(self, pieces: list[memoryview], maps: Optional[list[mmap.mmap]] = None,
                 closed: Optional[Callable[[], None]] = None) -> None:
        self._pieces, self._maps, self._closed = pieces, maps or [], closed
        self._words = [piece.cast("I") for piece in pieces]
        self._starts: list[int] = []
        self.octets = 0
        for piece in pieces:
            self._starts.append(self.octets)
            self.octets += len(piece)

    def _at(self, offset: int) -> tuple[int, int]:
        n = bisect.bisect_right(self._starts, offset) - 1
        return n, offset - self._starts[n]

    def load32(self, offset: int) -> int:
        n, inner = self._at(offset)
        return le32(self._words[n][inner >> 2])

    def store32(self, offset: int, number: int) -> None:
        n, inner = self._at(offset)
        self._words[n][inner >> 2] = le32(number & M32)

    def chunks(self, offset: int, octets: int) -> Iterator[memoryview]:
        """The octets of a range, as views of the memory."""
        while octets > 0:
            n, inner = self._at(offset)
            chunk = self._pieces[n][inner:inner + octets]
            yield chunk
            offset += len(chunk)
            octets -= len(chunk)

    def read(self, offset: int, octets: int) -> bytes:
        """A private copy [HDB-BOTH-009]."""
        return b"".join(bytes(chunk) for chunk in self.chunks(offset, octets))

    def write(self, offset: int, data: bytes | memoryview) -> None:
        data, done = memoryview(data), 0
        for chunk in self.chunks(offset, len(data)):
            chunk[:] = data[done:done + len(chunk)]
            done += len(chunk)

    def crc32(self, offset: int, octets: int, crc: int) -> int:
        for chunk in self.chunks(offset, octets):
            crc = zlib.crc32(chunk, crc)
        return crc

    def close(self) -> None:
        """Unmap it."""
        for view in (*self._words, *self._pieces):
            view.release()
        for each in self._maps:
            each.close()
        self._pieces, self._words, self._maps, self._starts = [], [], [], []
        closed, self._closed = self._closed, None
        if closed:
            closed()


F_SEAL_FUTURE_WRITE = 0x10                          # fcntl has no name for it yet


class OwnMemory:
    """New memory of this end, zeroed, to be granted once and then freed.

    [HDB-EXP-002] [HDB-LOCAL-011]
    """

    def __init__(self, pages: int, read_only: bool) -> None:
        self.pages, self.read_only = pages, read_only
        self.fd = os.memfd_create("hdmabuf", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, pages * PAGE)
        self._map = mmap.mmap(self.fd, pages * PAGE)
        self._view = memoryview(self._map)
        # This end's mapping, made before, stays writable [HDB-LOCAL-007] [HDB-LOCAL-009].
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, seals | (F_SEAL_FUTURE_WRITE if read_only else 0))

    def window(self, first: int = 0, count: Optional[int] = None) -> Window:
        end = self.pages if count is None else first + count
        return Window([self._view[first * PAGE:end * PAGE]] if end > first else [])

    def scattered(self, order: list[int]) -> Window:
        """Its pages in another order."""
        return Window([self._view[n * PAGE:(n + 1) * PAGE] for n in order])

    def free(self) -> None:
        """Let it go; all windows are closed by then."""
        self._view.release()
        self._map.close()
        os.close(self.fd)


# ------------------------------------------------------------------------- the platform: local


@dataclass
class PeerMemory:
    """Memory of the other end: one descriptor, however many grants."""

    key: tuple[int, int]
    fd: int
    writable: bool
    grants: int = 0


@dataclass
class PeerGrant:
    """References of the other end."""

    first: int
    count: int
    offset: int
    rights: Rights
    memory: PeerMemory
    mappings: int = 0
    revoking: bool = False


@dataclass
class OwnGrant:
    """References that this end has given to memory of its own."""

    first: int
    memory: OwnMemory
    revoked: Optional[Callable[[], None]] = None    # set when REVOKE is sent

    def references(self) -> range:
        return range(self.first, self.first + self.memory.pages)


NUMBER = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)
KEYS: dict[str, tuple[int, int]] = {
    "epoch": (1, M64), "version-min": (1, M32), "version-max": (1, M32), "features": (0, M64),
    "ring-formats": (0, M64), "ring-order-max": (0, RING_ORDER_MAX),
    "timeline-max": (0, TIMELINE_PAGES_MAX), "error": (1, 0xFFFF), "peer-epoch": (1, M64),
    "channel": (1, M64)}
OFFER = ("epoch", "version-min", "version-max", "features", "ring-formats", "ring-order-max",
         "timeline-max")
ANSWER = ("epoch", "peer-epoch", "channel")


def parse_record(text: bytes, wanted: tuple[str, ...]) -> dict[str, int]:
    """A record as numbers; nothing if it is absent or not in order [HDB-BOTH-004]."""
    record: dict[str, int] = {}
    lines = text.split(b"\n")
    if lines.pop():
        return {}                                   # the last line is not ended
    for line in lines:
        if not all(0x20 <= octet < 0x7F for octet in line) or b"=" not in line:
            return {}
        key, value = line.decode("ascii").split("=", 1)
        if key not in KEYS:
            continue
        low, high = KEYS[key]
        if key in record or not NUMBER.fullmatch(value) or not low <= int(value) <= high:
            return {}
        record[key] = int(value)
    if any(key not in record for key in wanted):
        return {}
    if record.get("version-min", 0) > record.get("version-max", M32):
        return {}
    return record


def print_record(record: dict[str, int]) -> bytes:
    return "".join(f"{key}={value}\n" for key, value in record.items()).encode("ascii")


class Connection:
    """One connection: what the platform provides to a pair of ends."""

    _normal_device = -1                             # st_dev of a memfd of ordinary pages

    def __init__(self, sock: socket.socket, wanted: tuple[str, ...]) -> None:
        self.sock, self._wanted = sock, wanted
        sock.setblocking(False)
        self.began = time.monotonic()
        self.event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._peer_event = -1
        self._out: collections.deque[tuple[bytes, int]] = collections.deque()
        self.attached = False
        self.record: dict[str, int] = {}            # of the other end; empty if there is none
        self.left = self.ended = self.peer_left = self.peer_ended = False
        self._grants: dict[int, PeerGrant] = {}     # of the other end, by first reference
        self._firsts: list[int] = []
        self._memories: dict[tuple[int, int], PeerMemory] = {}
        self._pages = 0
        self._own: dict[int, OwnGrant] = {}
        self._next = 1
        self.notifications = 0
        self._pid, self._pidfd = self._process()
        self.send(Packet.ATTACH, version=LOCAL_VERSION, page_shift=PAGE_SHIFT, fd=self.event)

    def _process(self) -> tuple[int, int]:
        """The process at the other end, and a descriptor of it [HDB-LOCAL-021]."""
        try:
            data = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            pid = struct.unpack("iii", data)[0]
        except OSError:
            return 0, -1
        try:
            return pid, self.sock.getsockopt(socket.SOL_SOCKET, 77)     # SO_PEERPIDFD
        except OSError:
            pass
        try:
            return pid, os.pidfd_open(pid)
        except OSError:
            return pid, -1

    # -- sending

    def send(self, kind: Packet, version: int = 0, page_shift: int = 0, first: int = 0,
             count: int = 0, offset: int = 0, rights: int = 0, text: bytes = b"",
             fd: int = -1) -> None:
        if self.left:                               # [HDB-LOCAL-019]
            return
        packet = LOCAL_PACKET.pack(LOCAL_MAGIC, kind, version, page_shift, first, count, offset,
                                   rights, len(text))
        self._out.append((packet + text, fd))
        self.left = kind == Packet.LEAVE
        self.flush()

    def flush(self) -> None:
        while self._out:
            packet, fd = self._out[0]
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
            try:
                self.sock.sendmsg([packet], rights if fd >= 0 else [], socket.MSG_NOSIGNAL)
            except BlockingIOError:
                if len(self._out) > 4096:           # somebody who never reads
                    raise Broken("the other end does not read its socket") from None
                return
            except OSError:                         # it is gone; its end of file will come
                self._out.clear()
                return
            self._out.popleft()

    @property
    def flushed(self) -> bool:
        """Whether all GRANTs are in the socket [HDB-LOCAL-015]."""
        return not self._out

    def publish(self, record: dict[str, int]) -> None:
        self.send(Packet.RECORD, text=print_record(record))

    def notify(self) -> None:
        if self._peer_event < 0:
            return
        try:
            os.set_blocking(self._peer_event, False)                    # [HDB-LOCAL-012]
            os.eventfd_write(self._peer_event, 1)
        except BlockingIOError:
            pass                                    # full: it will look anyway
        self.notifications += 1

    # -- receiving

    def receive(self, most: int = 256) -> bool:
        """Take packets that have come; true if there may be more."""
        for _ in range(most):
            if self.peer_ended:
                return False
            try:
                data, ancillary, flags, _ = self.sock.recvmsg(
                    LOCAL_PACKET.size + RECORD_OCTETS + 1, socket.CMSG_SPACE(64),
                    socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return False
            except OSError:
                data, ancillary, flags = b"", [], 0
            fds = array.array("i")
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
            if not data:
                self.peer_ended, self.record = True, {}                 # [HDB-PLAT-012]
            try:
                if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
                    raise Broken("a packet is too large")
                if data and not self.peer_left:
                    self._take(data, fds)
            finally:
                for fd in fds:                      # [HDB-LOCAL-004]
                    os.close(fd)
        return True

    def _take(self, data: bytes, fds: array.array[int]) -> None:
        """Check a packet and obey it [HDB-LOCAL-003]; clears ``fds`` of what it keeps."""
        if len(data) < LOCAL_PACKET.size:
            raise Broken("a packet is too small")
        (magic, kind, version, page_shift, first, count, offset, rights,
         length) = LOCAL_PACKET.unpack_from(data)
        text = data[LOCAL_PACKET.size:]
        if magic != LOCAL_MAGIC or kind not in Packet.__members__.values():
            raise Broken("a packet is none of this binding")
        if (kind == Packet.ATTACH) == self.attached:                    # [HDB-LOCAL-002]
            raise Broken("ATTACH is not the first packet, or not the only one")
        if len(fds) != (kind in (Packet.ATTACH, Packet.GRANT)):
            raise Broken("a packet has the wrong number of descriptors")
        if len(text) != length or (length and kind != Packet.RECORD) or length > RECORD_OCTETS:
            raise Broken("a packet has the wrong size")
        runs = kind in (Packet.GRANT, Packet.REVOKE, Packet.REVOKED)
        if ((kind != Packet.ATTACH and (version or page_shift)) or (not runs and (first or count))
                or (kind != Packet.GRANT and (offset or rights))):
            raise Broken("a field that must be zero is not")            # [HDB-BOTH-001]
        if kind == Packet.ATTACH:
            self._attach(version, page_shift, fds)
        elif kind == Packet.RECORD:
            self.record = parse_record(text, self._wanted)
        elif self.left and kind in (Packet.GRANT, Packet.REVOKE):
            pass                                    # LEAVE was the answer to all of them
        elif kind == Packet.GRANT:
            self._grant(first, count, offset, rights, fds)
        elif kind == Packet.REVOKE:
            self._revoke(first, count)
        elif kind == Packet.REVOKED:
            grant = self._own.get(first)
            if grant is None or count != grant.memory.pages or grant.revoked is None:
                raise Broken("REVOKED without REVOKE")
            del self._own[first]
            grant.revoked()
        elif kind == Packet.LEAVE:
            self.peer_left, self.record = True, {}

    def _attach(self, version: int, page_shift: int, fds: array.array[int]) -> None:
        if version != LOCAL_VERSION or page_shift != PAGE_SHIFT:
            raise Broken(f"the other end has version {version} and page shift {page_shift}")
        if os.readlink(f"/proc/self/fd/{fds[0]}") != "anon_inode:[eventfd]":
            raise Broken("ATTACH without an eventfd")                   # [HDB-LOCAL-022]
        self._peer_event = fds.pop()
        os.set_blocking(self._peer_event, False)                        # [HDB-LOCAL-012]
        self.attached = True

    def _grant(self, first: int, count: int, offset: int, rights: int,
               fds: array.array[int]) -> None:
        """[HDB-LOCAL-008]"""
        if first == 0 or count == 0 or first + count - 1 > M32:         # [HDB-LOCAL-006]
            raise Broken("GRANT of an impossible run")
        at = bisect.bisect_left(self._firsts, first)
        before = self._grants[self._firsts[at - 1]] if at else None
        if ((at < len(self._firsts) and self._firsts[at] < first + count)
                or (before and before.first + before.count > first)):
            raise Broken("GRANT of references that are in use")
        if rights not in (Rights.READ_ONLY, Rights.READ_WRITE) or offset % PAGE:
            raise Broken("GRANT with wrong rights or offset")
        info = os.fstat(fds[0])
        access = fcntl.fcntl(fds[0], fcntl.F_GETFL) & os.O_ACCMODE
        if access == os.O_WRONLY or (rights == Rights.READ_WRITE and access != os.O_RDWR):
            raise Broken("GRANT of memory that is not open as it should be")  # [HDB-LOCAL-017]
        if offset + count * PAGE > self._sealed_size(fds[0], info):     # [HDB-LOCAL-007]
            raise Broken("GRANT of memory that is not there")
        key = (info.st_dev, info.st_ino)
        if (len(self._grants) >= GRANTS_MAX or self._pages + count > GRANTED_PAGES_MAX
                or (key not in self._memories and len(self._memories) >= MEMORIES_MAX)):
            raise Broken("more is granted than may be")                 # [HDB-LOCAL-005]
        memory = self._memories.get(key)
        if memory is None:
            memory = PeerMemory(key, fds.pop(), access == os.O_RDWR)
            self._memories[key] = memory
        elif access == os.O_RDWR and not memory.writable:
            os.close(memory.fd)
            memory.fd, memory.writable = fds.pop(), True
        memory.grants += 1
        self._grants[first] = PeerGrant(first, count, offset, Rights(rights), memory)
        self._firsts.insert(at, first)
        self._pages += count

    def _sealed_size(self, fd: int, info: os.stat_result) -> int:
        """The octets that are sure to be behind a descriptor [HDB-LOCAL-007]."""
        if (stat.S_IFMT(info.st_mode) == 0
                and os.readlink(f"/proc/self/fd/{fd}").startswith("/dmabuf:")):
            return os.lseek(fd, 0, os.SEEK_END)
        if Connection._normal_device < 0:
            sample = os.memfd_create("hdmabuf", os.MFD_CLOEXEC)
            Connection._normal_device = os.fstat(sample).st_dev
            os.close(sample)
        try:
            seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
        except OSError:
            return 0
        if not seals & fcntl.F_SEAL_SHRINK or info.st_dev != Connection._normal_device:
            return 0                                                    # [HDB-LOCAL-016]
        return info.st_size

    def _revoke(self, first: int, count: int) -> None:
        grant = self._grants.get(first)
        if grant is None or grant.count != count or grant.revoking:     # [HDB-LOCAL-018]
            raise Broken("REVOKE of what is not one grant")
        grant.revoking = True
        self._forget(grant)

    def _forget(self, grant: PeerGrant) -> None:
        """[HDB-LOCAL-010]"""
        if not grant.revoking or grant.mappings or grant.first not in self._grants:
            return
        del self._grants[grant.first]
        del self._firsts[bisect.bisect_left(self._firsts, grant.first)]
        self._pages -= grant.count
        grant.memory.grants -= 1
        if not grant.memory.grants:
            os.close(grant.memory.fd)
            del self._memories[grant.memory.key]
        self.send(Packet.REVOKED, first=grant.first, count=grant.count)

    # -- references

    def _find(self, reference: int) -> Optional[PeerGrant]:
        at = bisect.bisect_right(self._firsts, reference)
        grant = self._grants[self._firsts[at - 1]] if at else None
        if grant is None or reference >= grant.first + grant.count or grant.revoking:
            return None
        return grant

    def page_of(self, reference: int) -> tuple[tuple[int, int], int]:
        """Which page of which memory it is, to compare it with others."""
        grant = self._find(reference)
        if grant is None:
            self.receive()                          # what names it may have overtaken its GRANT
            grant = self._find(reference)
        if grant is None:
            raise KeyError(reference)
        return grant.memory.key, grant.offset + (reference - grant.first) * PAGE

    def map(self, references: list[int], rights: Rights, write: bool) -> Window:
        """Map pages in order, all or none [HDB-PLAT-006]; KeyError names the one that fails.

        They must have been granted with as many rights as are named here.
        """
        runs: list[list[int]] = []                  # offset, octets, number of the first page
        memories: list[PeerMemory] = []
        grants: dict[int, PeerGrant] = {}
        for n, reference in enumerate(references):
            _, offset = self.page_of(reference)
            grant = self._find(reference)
            if grant is None or (rights != Rights.READ_ONLY and grant.rights == Rights.READ_ONLY):
                raise KeyError(reference)
            grants[grant.first] = grant
            if runs and memories[-1] is grant.memory and sum(runs[-1][:2]) == offset:
                runs[-1][1] += PAGE
            else:
                runs.append([offset, PAGE, n])
                memories.append(grant.memory)
        pieces: list[memoryview] = []
        maps: list[mmap.mmap] = []
        try:
            for (offset, octets, n), memory in zip(runs, memories):
                maps.append(mmap.mmap(memory.fd, octets, flags=mmap.MAP_SHARED, offset=offset,
                                      prot=mmap.PROT_READ | (mmap.PROT_WRITE if write else 0)))
                pieces.append(memoryview(maps[-1]))
        except (OSError, ValueError) as error:
            Window(pieces, maps).close()
            if getattr(error, "errno", 0) in (errno.ENOMEM, errno.EMFILE, errno.ENFILE):
                raise MemoryError from None
            raise KeyError(references[n]) from None
        for grant in grants.values():
            grant.mappings += 1

        def closed() -> None:
            for grant in grants.values():
                grant.mappings -= 1
                self._forget(grant)

        return Window(pieces, maps, closed)

    def copy_page(self, reference: int) -> bytes:
        """[HDB-IMP-002]"""
        window = self.map([reference], Rights.READ_ONLY, False)
        try:
            return window.read(0, PAGE)
        finally:
            window.close()

    def grant(self, memory: OwnMemory) -> OwnGrant:
        """Give new references to all pages of some memory [HDB-LOCAL-014]."""
        pages = memory.pages
        if (len(self._own) >= GRANTS_MAX or len(self._own) >= MEMORIES_MAX
                or sum(each.memory.pages for each in self._own.values()) + pages
                > GRANTED_PAGES_MAX):
            raise MemoryError
        first = self._next if self._next + pages - 1 <= M32 else 1
        for each in sorted(self._own.values(), key=lambda each: each.first):
            if each.first < first + pages and first < each.first + each.memory.pages:
                first = each.first + each.memory.pages
        if first + pages - 1 > M32:
            raise MemoryError
        self._next = first + pages
        grant = OwnGrant(first, memory)
        self._own[first] = grant
        rights = Rights.READ_ONLY if memory.read_only else Rights.READ_WRITE
        self.send(Packet.GRANT, first=first, count=pages, rights=rights, fd=memory.fd)
        return grant

    def revoke(self, grant: OwnGrant, revoked: Callable[[], None]) -> None:
        """Ask for references back, and be told when nothing of them is mapped any more."""
        if grant.first not in self._own or grant.revoked:
            return
        grant.revoked = revoked
        if self.left:
            self._settle()
        else:
            self.send(Packet.REVOKE, first=grant.first, count=grant.memory.pages)

    def descriptors(self) -> int:
        return len(self._memories)

    # -- the end

    def leave(self) -> None:
        """[HDB-LOCAL-020]: called when nothing of the other's is mapped any more."""
        if self.ended:
            return
        self.send(Packet.LEAVE)
        self.ended = True
        try:
            self.flush()
            self.sock.shutdown(socket.SHUT_WR)
        except (OSError, Broken):
            pass
        for memory in self._memories.values():
            os.close(memory.fd)
        self._grants, self._firsts, self._memories, self._pages = {}, [], {}, 0

    def _settle(self) -> bool:
        """Take the references for revoked if they are [HDB-LOCAL-021]."""
        if not self.peer_ended:
            return False
        if self._own and not (self.peer_left or self._pid == os.getpid() or self._pidfd < 0):
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            if not poll.poll(0):
                return False
        own, self._own = self._own, {}
        for grant in own.values():
            if grant.revoked:
                grant.revoked()
            else:
                grant.memory.free()
        return True

    def over(self) -> bool:
        """Whether nothing is left to be done; closes everything then."""
        if not self.ended or not self._settle():
            return False
        self.sock.close()
        for fd in (self.event, self._peer_event, self._pidfd):
            if fd >= 0:
                os.close(fd)
        return True


# ------------------------------------------------------------------------- rings and timelines


class Requester:
    """This end's ring: requests go out, answers come in.  It begins at start [HDB-BOTH-068]."""

    def __init__(self, window: Window, start: int) -> None:
        self._window, self.slots = window, window.octets // 128
        self._produced = self._published = self._taken = start          # [HDB-BOTH-007]

    def put(self, message: bytes) -> None:
        self._window.write(SLOT + self._produced % self.slots * SLOT, message)
        self._produced = (self._produced + 1) & M32

    def publish(self) -> bool:
        """Show what was put; true if the other end wants a notification [HDB-BOTH-013]."""
        old, new = self._published, self._produced
        if old == new:
            return False
        barrier()
        self._window.store32(0, new)
        self._published = new
        barrier()
        return (new - self._window.load32(4)) & M32 < (new - old) & M32

    def take(self) -> list[bytes]:
        """The answers that have come."""
        produced = self._window.load32(8)
        if (produced - self._taken) & M32 > (self._published - self._taken) & M32:
            raise Broken("more answers than requests")                  # [HDB-BOTH-010]
        barrier()
        answers = []
        while self._taken != produced:
            answers.append(self._window.read(SLOT + self._taken % self.slots * SLOT, SLOT))
            self._taken = (self._taken + 1) & M32
        return answers

    def arm(self) -> bool:
        """Ask for a notification; true if there is something already [HDB-BOTH-014]."""
        self._window.store32(12, self._taken + 1)
        barrier()
        return self._window.load32(8) != self._taken


class Responder:
    """The other end's ring: requests come in, answers go out.

    Every request is answered when it is handled, in order, so what is answered is what is consumed
    [HDB-BOTH-034] [HDB-BOTH-035].  The ring begins at start [HDB-BOTH-068].
    """

    def __init__(self, window: Window, start: int) -> None:
        self._window, self.slots = window, window.octets // 128
        self._answered = self._published = start                        # [HDB-BOTH-007]

    def find(self) -> int:
        """How many requests there are."""
        found = (self._window.load32(0) - self._answered) & M32
        if found > self.slots:
            raise Broken("more requests than slots")                    # [HDB-BOTH-010]
        barrier()
        return found

    def next(self) -> bytes:
        return self._window.read(SLOT + self._answered % self.slots * SLOT, SLOT)

    def answer(self, message: bytes) -> None:
        self._window.write(SLOT + self._answered % self.slots * SLOT, message)
        self._answered = (self._answered + 1) & M32

    def publish(self) -> bool:
        """[HDB-BOTH-013]"""
        old, new = self._published, self._answered
        if old == new:
            return False
        barrier()
        self._window.store32(8, new)
        self._published = new
        barrier()
        return (new - self._window.load32(12)) & M32 < (new - old) & M32

    def arm(self) -> bool:
        """[HDB-BOTH-014]"""
        self._window.store32(4, self._answered + 1)
        barrier()
        return self._window.load32(0) != self._answered


@dataclass(eq=False)
class Wait:
    """Somebody wants to know when a point is reached."""

    point: int
    done: Callable[[Status], None]


class Timeline:
    """A timeline at one end, with its cell; its words have one writer each [HDB-BOTH-054]."""

    def __init__(self, window: Window, number: int, signalled_here: bool, point: int) -> None:
        self._window, self._cell, self.signalled_here = window, number * CELL, signalled_here
        self.number, self.point, self.named = number, point, point
        self.open = True
        self.error = 0
        self.waits: list[Wait] = []
        self.turns: collections.deque[tuple[Turn, int]] = collections.deque()

    def load(self) -> Optional[int]:
        """The point in the cell; none while it is being moved."""
        high = self._window.load32(self._cell)
        barrier()
        low = self._window.load32(self._cell + 4)
        barrier()
        return high << 32 | low if self._window.load32(self._cell + 8) == high else None

    def initialise(self) -> None:
        """The cell before TIMELINE_CREATE [HDB-BOTH-053]"""
        for offset, word in ((8, self.point >> 32), (4, self.point), (0, self.point >> 32),
                             (12, 0), (32, 0)):
            self._window.store32(self._cell + offset, word)

    def signal(self, point: int) -> bool:
        """Store a point; true if the other end wants a notification [HDB-BOTH-057/058]."""
        old, self.point = self.point, point
        barrier()
        self._window.store32(self._cell + 8, point >> 32)
        barrier()
        self._window.store32(self._cell + 4, point)
        barrier()
        self._window.store32(self._cell, point >> 32)
        barrier()
        wake = self._window.load32(self._cell + 32)
        return (point - wake) & M32 < (point - old) & M32 or point >> 32 != old >> 32

    def look(self) -> bool:
        """See what was signalled and end waits; true if any ended."""
        if not self.open or self.signalled_here or not self.waits:
            return False
        self.point = max(self.point, self.load() or 0)                  # [HDB-BOTH-056]
        self.error = self.error or self._window.load32(self._cell + 12)
        done = [wait for wait in self.waits if wait.point <= self.point or self.error]
        self.waits = [wait for wait in self.waits if wait not in done]
        for wait in done:                                               # [HDB-BOTH-060]
            wait.done(Status.OK if wait.point <= self.point else known_status(self.error))
        return bool(done)

    def arm(self) -> bool:
        """[HDB-BOTH-059]"""
        if not self.waits:
            return False
        self._window.store32(self._cell + 32, min(wait.point for wait in self.waits))
        barrier()
        return self.look()

    def end(self, status: Status) -> None:
        """[HDB-BOTH-061]"""
        self.open = False
        waits, self.waits = self.waits, []
        for wait in waits:
            wait.done(status)


# ----------------------------------------------------------------- descriptors and directories


class Descriptor(NamedTuple):
    """struct hdmabuf_descriptor; ``private`` is what follows it."""

    magic: int
    length: int
    id: bytes
    generation: int
    size: int
    pages: int
    entries: int
    directory: int
    directory_pages: int
    directory_format: int
    data_offset: int
    page_shift: int
    rights: int
    attributes: int
    tag: int
    type: int
    private_octets: int
    metadata: bytes
    zero: bytes
    private: bytes = b""

    def pack(self) -> bytes:
        return DESCRIPTOR.pack(*self[:-1]) + self.private


# Where a field of the descriptor lies, for errors.
FIELD = {"magic": 0, "length": 4, "id": 8, "generation": 24, "size": 32, "pages": 40,
         "entries": 48, "directory": 56, "directory_pages": 64, "directory_format": 68,
         "data_offset": 72, "page_shift": 76, "rights": 80, "attributes": 84, "tag": 88,
         "type": 96, "private_octets": 100, "metadata": 104, "zero": 200}
CHANGEABLE = {"generation", "length", "tag", "type", "metadata", "private_octets", "private"}


class Picture(NamedTuple):
    """struct hdmabuf_picture; only the planes that lie in the buffer."""

    width: int
    height: int
    fourcc: int
    planes: int
    modifier: int
    plane_first: int
    plane: list[tuple[int, int]]                    # offset and stride

    @classmethod
    def unpack(cls, metadata: bytes) -> Picture:
        (width, height, code, planes, modifier, first, count) = PICTURE.unpack_from(metadata)
        plane = [PLANE.unpack_from(metadata, PICTURE.size + n * PLANE.size)[:2]
                 for n in range(min(count, PLANES))]
        return cls(width, height, code, planes, modifier, first, plane)

    def pack(self) -> bytes:
        return (PICTURE.pack(self.width, self.height, self.fourcc, self.planes, self.modifier,
                             self.plane_first, len(self.plane))
                + b"".join(PLANE.pack(offset, stride, 0) for offset, stride in self.plane)
                ).ljust(96, b"\0")

    def rows(self) -> Optional[list[tuple[int, int, int, int]]]:
        """Of each plane here offset, stride, octets of a row and rows; none if not known."""
        code = self.fourcc.to_bytes(4, "little").decode("latin-1")
        samples = PIXELS.get(code)
        if (samples is None or self.modifier or len(samples) != self.planes
                or max(self.width, self.height) > PIXELS_MAX):
            return None
        return [(offset, stride, up(self.width, columns) * octets, up(self.height, rows))
                for (offset, stride), (octets, columns, rows)
                in zip(self.plane, samples[self.plane_first:])]

    def fits(self, size: int) -> bool:
        """[HDB-IMP-006]"""
        return all(octets <= stride and offset + (rows - 1) * stride + octets <= size
                   for offset, stride, octets, rows in self.rows() or [])


def check_zero(d: Descriptor) -> None:
    """The zero fields of a descriptor [HDB-IMP-023]."""
    zero = {200: d.zero}
    if d.type == Kind.RAW:
        zero[104] = d.metadata
    elif d.type == Kind.CYCLIC:
        zero[128] = d.metadata[24:]
    elif d.type == Kind.PICTURE:
        count = PICTURE.unpack_from(d.metadata)[6]
        for n in range(PLANES):
            at = PICTURE.size + n * PLANE.size
            skip = 12 if n < count else 0
            zero[104 + at + skip] = d.metadata[at + skip:at + PLANE.size]
    for offset, octets in zero.items():
        if any(octets):
            raise Refusal(Status.RESERVED, Where.DESCRIPTOR, offset)


def check_metadata(d: Descriptor) -> None:
    """[HDB-IMP-009], for the metadata"""
    def wrong(offset: int, value: int) -> Refusal:
        return Refusal(Status.INVALID, Where.DESCRIPTOR, FIELD["metadata"] + offset, value)

    if d.type == Kind.PICTURE:
        (width, height, code, planes, _, first, count) = PICTURE.unpack_from(d.metadata)
        for offset, value in ((0, width), (4, height), (8, code), (28, count)):
            if value == 0:
                raise wrong(offset, 0)
        if not 1 <= planes <= PLANES:
            raise wrong(12, planes)
        if first >= planes:
            raise wrong(24, first)
        if first + count > planes:
            raise wrong(28, count)
        for n in range(PLANES):
            at = PICTURE.size + n * PLANE.size
            offset, stride, _ = PLANE.unpack_from(d.metadata, at)
            if n < count and offset >= d.size:
                raise wrong(at, offset)
            if n < count and not 0 < stride <= d.size:
                raise wrong(at + 8, stride)
    elif d.type == Kind.CYCLIC:
        (_, channels, rate, frame, period, _, _) = CYCLIC.unpack(d.metadata)
        for offset, value in ((4, channels), (8, rate), (12, frame), (16, period)):
            if value == 0:
                raise wrong(offset, 0)
        for offset, value in ((12, frame), (16, period)):
            if d.size % value:
                raise wrong(offset, value)


def table_levels(entries: int) -> list[int]:
    """Pages of each level of a TABLE, from the bottom to the top."""
    levels = [up(entries, PAGE // 4)]
    while levels[-1] > 1:
        levels.append(up(levels[-1], PAGE // 4))
    return levels


PER_LIST, PER_TABLE, PER_EXTENTS = PAGE // 4 - 1, PAGE // 4, (PAGE - 16) // 16


def directory_pages(form: int, entries: int) -> int:
    if form == Format.TABLE:
        return sum(table_levels(entries))
    return up(entries, PER_LIST if form == Format.LIST else PER_EXTENTS)


def check_descriptor(page: bytes, ident: bytes, length: int, features: Feature,
                     old: Optional[Descriptor]) -> Descriptor:
    """Everything about a descriptor that can be said without its directory [HDB-IMP-009].

    ``old`` is what is known of the buffer if this belongs to an UPDATE.  In the order of
    [HDB-BOTH-038]: features, zero fields, values.
    """
    d = Descriptor(*DESCRIPTOR.unpack_from(page), page[DESCRIPTOR_OCTETS:length])

    def wrong(name: str, status: Status = Status.INVALID) -> Refusal:
        value = getattr(d, name)
        return Refusal(status, Where.DESCRIPTOR, FIELD[name],
                       value if isinstance(value, int) else 0)

    for name, value, feature in (("directory_format", Format.TABLE, Feature.TABLE),
                                 ("directory_format", Format.EXTENTS, Feature.EXTENTS),
                                 ("rights", Rights.LEND, Feature.LEND),
                                 ("attributes", WRITE_COMBINED, Feature.WRITE_COMBINED),
                                 ("type", Kind.CYCLIC, Feature.CYCLIC)):
        if getattr(d, name) == value and not features & feature:
            raise wrong(name, Status.NOT_NEGOTIATED)                    # [HDB-BOTH-019]
    check_zero(d)
    if d.magic != DESCRIPTOR_MAGIC:
        raise wrong("magic")
    if d.length != length:
        raise wrong("length")
    if d.id != ident:
        raise wrong("id")
    if d.generation != (old.generation + 1 if old else 1):              # [HDB-IMP-018]
        raise wrong("generation")
    if d.size == 0:
        raise wrong("size")
    if d.page_shift != PAGE_SHIFT:
        raise wrong("page_shift")
    if d.data_offset >= PAGE:
        raise wrong("data_offset")
    if d.data_offset + d.size > M64:                                    # [HDB-BOTH-062]
        raise wrong("size")
    if d.pages != up(d.data_offset + d.size, PAGE):                     # [HDB-IMP-011]
        raise wrong("pages")
    if d.directory_format not in Format.__members__.values():
        raise wrong("directory_format")
    if d.directory_format == Format.EXTENTS:
        if not 1 <= d.entries <= d.pages:
            raise wrong("entries")
    elif d.entries != d.pages:
        raise wrong("entries")
    if d.directory_pages != directory_pages(d.directory_format, d.entries):
        raise wrong("directory_pages")
    if d.rights not in Rights.__members__.values():
        raise wrong("rights")
    if d.attributes not in (CACHED, WRITE_COMBINED):
        raise wrong("attributes")
    if d.type not in Kind.__members__.values():
        raise wrong("type")
    if d.private_octets != length - DESCRIPTOR_OCTETS:
        raise wrong("private_octets")
    check_metadata(d)
    for name in FIELD if old else ():
        if name not in CHANGEABLE and getattr(d, name) != getattr(old, name):
            raise wrong(name)                                           # [HDB-IMP-018]
    return d


def read_directory(conn: Connection, d: Descriptor) -> list[int]:
    """The references of a buffer's pages; each page of the directory is copied once."""
    def bad(entry: int, value: int, status: Status = Status.BAD_REFERENCE) -> Refusal:
        return Refusal(status, Where.DIRECTORY, entry, value)

    def copy(reference: int, entry: int) -> bytes:
        try:
            return conn.copy_page(reference)
        except KeyError:
            if reference == d.directory:
                raise Refusal(Status.BAD_REFERENCE, Where.DESCRIPTOR, FIELD["directory"],
                              reference) from None
            raise bad(entry, reference) from None

    def rest(page: bytes, used: int, entry: int) -> None:
        if any(page[used:]):                        # [HDB-EXP-005]
            raise bad(entry, 0, Status.RESERVED)

    references: list[int] = []
    if d.directory_format == Format.TABLE:
        level = [d.directory]
        for count in [*reversed(table_levels(d.entries)[:-1]), d.entries]:
            below: list[int] = []
            for n, reference in enumerate(level):
                some = min(count - len(below), PER_TABLE)
                page = copy(reference, n)
                below += struct.unpack_from(f"<{some}I", page)
                rest(page, some * 4, len(below))
            if 0 in below:                                              # [HDB-IMP-012]
                raise bad(below.index(0), 0)
            level = below
        references = level
    else:
        extents = d.directory_format == Format.EXTENTS
        per, link = (PER_EXTENTS, d.directory) if extents else (PER_LIST, d.directory)
        for first in range(0, d.entries, per):
            page = copy(link, first)
            some = min(d.entries - first, per)
            rest(page, 16 + some * 16 if extents else 4 + some * 4, first + some)
            link = struct.unpack_from("<Q" if extents else "<I", page)[0]
            if (link == 0) != (first + some == d.entries):              # [HDB-IMP-012]
                raise bad(first + some, link)
            if not extents:
                references += struct.unpack_from(f"<{some}I", page, 4)
                continue
            count, zero = struct.unpack_from("<II", page, 8)
            if count != some:                                           # [HDB-IMP-016]
                raise bad(first, count, Status.INVALID)
            if zero:
                raise bad(first, zero, Status.RESERVED)
            for n in range(some):                                       # [HDB-IMP-015]
                reference, run = struct.unpack_from("<QQ", page, 16 + n * 16)
                if reference == 0:
                    raise bad(first + n, 0)
                if (run == 0 or reference + run - 1 > M32
                        or run > d.pages - len(references)):
                    raise bad(first + n, run, Status.INVALID)
                references += range(reference, reference + run)
        if 0 in references:
            raise bad(references.index(0), 0)                           # [HDB-IMP-012]
        if len(references) != d.pages:
            raise bad(d.entries - 1, len(references), Status.INVALID)   # [HDB-IMP-015]
    seen = set()
    for n, reference in enumerate(references):
        try:
            page_key = conn.page_of(reference)
        except KeyError:
            raise Refusal(Status.BAD_REFERENCE, Where.PAGE, n, reference) from None
        if page_key in seen:                                            # [HDB-IMP-013]
            raise Refusal(Status.DUPLICATE, Where.PAGE, n, reference)
        seen.add(page_key)
    return references


def write_directory(form: Format, references: list[int], pages: range, window: Window) -> int:
    """Fill pages of a directory [HDB-EXP-005]; returns the entries it has."""
    if form == Format.TABLE:
        at, level = 0, references
        for count in table_levels(len(references)):
            for n in range(count):
                some = level[n * PER_TABLE:(n + 1) * PER_TABLE]
                window.write((at + n) * PAGE, struct.pack(f"<{len(some)}I", *some))
            level = list(pages[at:at + count])
            at += count
        return len(references)
    if form == Format.LIST:
        for n in range(up(len(references), PER_LIST)):
            some = references[n * PER_LIST:(n + 1) * PER_LIST]
            link = pages[n + 1] if (n + 1) * PER_LIST < len(references) else 0
            window.write(n * PAGE, struct.pack(f"<{len(some) + 1}I", link, *some))
        return len(references)
    extents = find_extents(references)
    for n in range(up(len(extents), PER_EXTENTS)):
        part = extents[n * PER_EXTENTS:(n + 1) * PER_EXTENTS]
        link = pages[n + 1] if (n + 1) * PER_EXTENTS < len(extents) else 0
        window.write(n * PAGE, struct.pack("<QII", link, len(part), 0)
                     + b"".join(struct.pack("<QQ", *extent) for extent in part))
    return len(extents)


def find_extents(references: list[int]) -> list[tuple[int, int]]:
    extents: list[tuple[int, int]] = []
    for reference in references:
        if extents and sum(extents[-1]) == reference:
            extents[-1] = (extents[-1][0], extents[-1][1] + 1)
        else:
            extents.append((reference, 1))
    return extents


# ------------------------------------------------------------------------------------- session


@dataclass
class Limits:
    """What an end is willing to hold for the other."""

    max_octets: int = 0
    max_buffers: int = 0
    max_timelines: int = 0
    max_private: int = 0
    max_in_flight: int = 0


@dataclass(eq=False)
class Buffer:
    """A buffer at either end: the exporter has ``grant``, the importer ``references``."""

    descriptor: Descriptor
    state: BufferState
    window: Optional[Window] = None
    references: list[int] = field(default_factory=list)
    grant: Optional[OwnGrant] = None
    lent: bool = False                              # at either end: the importer has it
    hand_offs: int = 0
    turns: int = 0                                  # hand-offs that are not finished with
    deadline: float = 0.0                           # of UNEXPORT
    accesses: collections.Counter[tuple[int, int, int]] = field(
        default_factory=collections.Counter)

    @property
    def exported(self) -> bool:
        return self.grant is not None

    @property
    def id(self) -> bytes:
        return self.descriptor.id


@dataclass(eq=False)
class HandOff:
    buffer: Buffer
    descriptor: Descriptor                          # as it was when the hand-off came
    signal: Optional[Timeline]
    signal_point: int
    wait: Optional[Timeline]
    wait_point: int
    stamp: int


@dataclass(eq=False)
class Turn:
    """A hand-off, or a group of them [HDB-BOTH-048]."""

    parts: list[HandOff]
    waiting: int = 0
    status: Status = Status.OK
    done: bool = False


TURNS_MAX = 4096                                    # hand-offs noted and not finished with
ACCESSES_MAX = 64
Done = Callable[[Status, bytes], None]


class Session:
    """What two ends share between a handshake and its end."""

    def __init__(self, conn: Connection, app: Application, backend: bool, epochs: tuple[int, int],
                 limits: Limits, offered: Feature, mine: Window, theirs: Window,
                 my_cells: Window, their_cells: Window, starts: tuple[int, int]) -> None:
        self.conn, self.app, self.backend = conn, app, backend
        self.epochs, self.limits, self.offered = epochs, limits, offered
        self.requester, self.responder = Requester(mine, starts[0]), Responder(theirs, starts[1])
        self._my_cells, self._their_cells = my_cells, their_cells
        self.windows = [mine, theirs, my_cells, their_cells]
        self.state = SessionState.GREETING
        self.features = Feature(0)
        self.theirs = Limits(max_in_flight=1)       # all that may be sent before is HELLO
        self.failed = False                         # HELLO was refused
        self.peer_closed = self.close_answered = False
        self.released = False                       # the end promises that nothing is mapped
        self.over = False
        self._queue: collections.deque[tuple[Op, bytes, Done]] = collections.deque()
        self._unanswered: dict[int, tuple[Op, Done]] = {}
        self._id = 0
        self.buffers: dict[bytes, Buffer] = {}
        self.my_timelines: dict[int, Timeline] = {}
        self.their_timelines: dict[int, Timeline] = {}
        self._group: list[HandOff] = []
        self._group_due = False
        self._turns: list[Turn] = []
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
            self._unanswered[self._id] = op, done
            self.requester.put(HEADER.pack(self._id, op, 0) + body)
            self._id = (self._id + 1) & M32
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
        """[HDB-BOTH-008] [HDB-LOCAL-015]"""
        return (self.conn.flushed
                and len(self._unanswered) < min(self.requester.slots, self.theirs.max_in_flight))

    # -- this end's requests

    def request(self, op: Op, body: bytes, done: Done) -> None:
        """Send a request as soon as it may be sent."""
        # A backend has nothing to ask before HELLO is answered [HDB-BE-006].
        if self.over or self.peer_closed or self.state == SessionState.CLOSING:
            done(Status.LOST if self.over else Status.CLOSING, bytes(56))   # [HDB-BOTH-024]
        else:
            self._queue.append((op, body.ljust(56, b"\0"), done))       # [HDB-BOTH-001]

    def _take_answers(self) -> None:
        for message in self.requester.take():
            ident, op, status = HEADER.unpack_from(message)
            if self._unanswered.get(ident, (None,))[0] != op:           # [HDB-BOTH-011]
                raise Broken("an answer to nothing")
            _, done = self._unanswered.pop(ident)
            done(known_status(status), message[HEADER.size:])

    def hello(self, features: Feature) -> None:
        """[HDB-FE-006]"""
        def done(status: Status, body: bytes) -> None:
            if status != Status.OK:
                self.failed = status != Status.LOST
                note(f"HELLO was refused: {refusal_text(status, body)}")
                return
            (frontend, backend, accepted, *limits, zero) = HELLO.unpack(body)
            theirs = Limits(*limits)
            if ((frontend, backend) != self.epochs or accepted != features or zero
                    or theirs.max_in_flight == 0                        # [HDB-FE-005]
                    or (theirs.max_buffers and theirs.max_private < PRIVATE_MIN)):
                raise Broken("the answer to HELLO is not one")
            self.theirs, self.features = theirs, features
            self.state = SessionState.CONNECTED
            self.app.connected(self)

        self.request(Op.HELLO, HELLO.pack(*self.epochs, features, *vars(self.limits).values(), 0),
                     done)

    def close(self, reason: int) -> None:
        """End the session in good order."""
        if self.state != SessionState.CONNECTED or self.over:
            return

        def done(status: Status, _: bytes) -> None:
            self.close_answered = True
            self.released = status == Status.OK

        for buffer in list(self.buffers.values()):
            if not buffer.exported:
                self._unmap(buffer)                                     # [HDB-BOTH-023]
        queue, self._queue = self._queue, collections.deque()
        self.request(Op.CLOSE, CLOSE.pack(reason, b""), done)
        self.state = SessionState.CLOSING
        for _, _, dropped in queue:
            dropped(Status.CLOSING, bytes(56))

    def create_timeline(self, number: int, signaller: int,
                        done: Callable[[Optional[Timeline], Status], None]) -> None:
        if number >= min(self.theirs.max_timelines, self._my_cells.octets // CELL):
            done(None, Status.LIMIT)                                    # [HDB-BOTH-052]
            return
        timeline = Timeline(self._my_cells, number, signaller == CREATOR, 0)
        timeline.initialise()
        self.my_timelines[number] = timeline

        def answered(status: Status, _: bytes) -> None:
            if status != Status.OK:
                del self.my_timelines[number]
            done(timeline if status == Status.OK else None, status)

        self.request(Op.TIMELINE_CREATE, TIMELINE.pack(number, signaller, 0, b""), answered)

    def destroy_timeline(self, timeline: Timeline, done: Done) -> None:
        timeline.end(Status.CANCELLED)                                  # [HDB-BOTH-061]

        def answered(status: Status, body: bytes) -> None:
            self.my_timelines.pop(timeline.number, None)
            done(status, body)

        self.request(Op.TIMELINE_DESTROY, TIMELINE.pack(timeline.number, 0, 0, b""), answered)

    def export(self, memory: OwnMemory, order: list[int], size: int, data_offset: int,
               rights: Rights, form: Format, picture: Picture, tag: int,
               done: Callable[[Optional[Buffer], Status, str], None]) -> None:
        """Share memory whose pages come in this order, each once [HDB-EXP-006].

        It stays shared until the buffer is released [HDB-EXP-004], and is the caller's to hand
        off when ``done`` is called with the buffer [HDB-EXP-007].
        """
        grant = self.conn.grant(memory)
        references = [grant.first + n for n in order]
        entries = len(find_extents(references)) if form == Format.EXTENTS else len(references)
        # Descriptor and directory lie in memory of their own, which goes after the answer.
        shown = OwnMemory(1 + directory_pages(form, entries), True)
        shown_grant = self.conn.grant(shown)
        pages = range(shown_grant.first + 1, shown_grant.first + shown.pages)
        window = shown.window(1)
        write_directory(form, references, pages, window)
        window.close()
        top = pages[-1] if form == Format.TABLE else pages[0]
        d = Descriptor(DESCRIPTOR_MAGIC, DESCRIPTOR_OCTETS, os.urandom(16),  # [HDB-EXP-001]
                       1, size, len(order), entries, top, len(pages), form, data_offset,
                       PAGE_SHIFT, rights, CACHED, tag, Kind.PICTURE, 0, picture.pack(), b"")
        window = shown.window(0, 1)
        window.write(0, d.pack())
        window.close()
        buffer = Buffer(d, BufferState.EXPORTING, memory.scattered(order), grant=grant)
        self.buffers[d.id] = buffer

        def answered(status: Status, body: bytes) -> None:
            self.conn.revoke(shown_grant, shown.free)                   # [HDB-EXP-003]
            if status == Status.OK:
                buffer.state = BufferState.LIVE
                done(buffer, status, "")
            else:
                if not self.over:
                    self._release(buffer)
                done(None, status, refusal_text(status, body))

        self.request(Op.EXPORT, EXPORT.pack(d.id, shown_grant.first, d.length, 0, b""), answered)

    def hand_off(self, buffer: Buffer, timeline: Optional[Timeline], point: int, stamp: int,
                 done: Done) -> None:
        """Pass a buffer on, or a lent one back."""
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
        number = timeline.number if timeline else NO_TIMELINE
        self.request(Op.HAND_OFF, HAND_OFF.pack(buffer.id, 0, point, NO_TIMELINE, number, 0, 0,
                                                stamp), answered)

    def unexport(self, buffer: Buffer, grace_ms: int) -> None:
        """Take a buffer back; the application is told when it is gone."""
        def done(status: Status, body: bytes) -> None:
            if buffer.state != BufferState.RETIRING or self.over:
                return                              # RELEASED has crossed it
            if status == Status.OK and struct.unpack_from("<I", body)[0]:
                buffer.deadline = time.monotonic() + grace_ms / 1000
            elif status == Status.OK:
                self._release(buffer)
            else:
                self._expired(buffer)

        buffer.state = BufferState.RETIRING
        self.request(Op.UNEXPORT, UNEXPORT.pack(buffer.id, grace_ms, 0, b""), done)

    # -- buffers

    def _release(self, buffer: Buffer) -> None:
        """The importer has it no more [HDB-EXP-012]."""
        self.buffers.pop(buffer.id, None)
        buffer.state, buffer.deadline = BufferState.NONE, 0.0
        self._revoke(buffer)
        self.app.released(buffer)

    def _revoke(self, buffer: Buffer) -> None:
        """Ask for its pages; they are out of use until they are revoked [HDB-EXP-013]."""
        grant, window = buffer.grant, buffer.window
        if grant is None or window is None:
            return
        buffer.window = None
        window.close()
        self.conn.revoke(grant, grant.memory.free)

    def _expired(self, buffer: Buffer) -> None:
        """The grace period of UNEXPORT is over."""
        buffer.deadline = 0.0
        if buffer.exported:
            buffer.state = BufferState.QUARANTINED
            pages = buffer.descriptor.pages
            note(f"a buffer of {pages} pages is in quarantine")         # [HDB-EXP-014]
            self._revoke(buffer)
            self.app.released(buffer)
        else:
            for turn in self._turns:
                if any(part.buffer is buffer for part in turn.parts):
                    turn.status = Status.CANCELLED                      # never to be accessed
            self._retire(buffer)

    def _unmap(self, buffer: Buffer) -> None:
        if buffer.window:
            buffer.window.close()
            buffer.window = None
            if buffer.state == BufferState.MAPPED:
                buffer.state = BufferState.IMPORTED

    def _retire(self, buffer: Buffer) -> None:
        """[HDB-IMP-020] [HDB-IMP-022]"""
        self._unmap(buffer)
        buffer.state, buffer.deadline = BufferState.NONE, 0.0
        self.buffers.pop(buffer.id, None)
        self.request(Op.RELEASED, BUFFER.pack(buffer.id, b""), lambda status, body: None)

    def _finish_turns(self, most: int) -> bool:
        """Do what the hand-offs ask for; true if some are left that could be done."""
        ready = [turn for turn in self._turns if not turn.waiting or turn.status != Status.OK]
        for turn in ready[:most]:
            if turn.status == Status.OK and all(part.buffer.window or part.buffer.exported
                                                for part in turn.parts):
                self.app.turn(self, turn.parts)
            turn.done = True
            self._turns.remove(turn)
            for part in turn.parts:
                part.buffer.turns -= 1
                buffer = part.buffer
                if buffer.state == BufferState.RETIRING and not (buffer.turns or buffer.exported):
                    self._retire(buffer)
                timeline = part.signal
                while timeline and timeline.turns and timeline.turns[0][0].done:
                    _, point = timeline.turns.popleft()                 # [HDB-BOTH-045]
                    if timeline.open:
                        self._notify |= timeline.signal(point)
        return len(ready) > most

    def _find(self, ident: bytes) -> Buffer:
        """[HDB-BOTH-042]"""
        buffer = self.buffers.get(ident)
        if buffer is None:
            raise Refusal(Status.NO_SUCH_BUFFER, Where.REQUEST, 8)
        return buffer

    # -- the other end's requests

    def _handle(self, message: bytes) -> bytes:
        """A request's answer [HDB-BOTH-032] [HDB-BOTH-033] [HDB-BOTH-037] [HDB-BOTH-038]."""
        ident, number, zero = HEADER.unpack_from(message)
        body = message[HEADER.size:]
        try:
            if number not in Op.__members__.values():                   # [HDB-BOTH-036]
                raise Refusal(Status.UNKNOWN_OPERATION, Where.REQUEST, 4, number)
            op = Op(number)
            feature = FEATURE_OF.get(op, Feature(0))
            if op == Op.HAND_OFF and HAND_OFF.unpack(body)[5] & MORE:
                feature = Feature.GROUP
            if feature & ~self.features:                                # [HDB-BOTH-019]
                raise Refusal(Status.NOT_NEGOTIATED, Where.REQUEST, 4, number)
            if op == Op.HELLO:
                if not self.backend or self.state != SessionState.GREETING:
                    raise Refusal(Status.WRONG_STATE, Where.REQUEST, 4, number)
            elif self.state == SessionState.GREETING:                   # [HDB-BE-007]
                raise Refusal(Status.WRONG_STATE, Where.REQUEST, 4, number)
            elif self.state == SessionState.CLOSING and op != Op.CLOSE:
                raise Refusal(Status.CLOSING)                           # [HDB-BOTH-026]
            elif self._group_due and op not in (Op.HAND_OFF, Op.CLOSE):
                raise Refusal(Status.WRONG_STATE, Where.REQUEST, 4, number)  # [HDB-BOTH-050]
            if zero:
                raise Refusal(Status.RESERVED, Where.REQUEST, 6, zero)  # [HDB-BOTH-002]
            answer = getattr(self, "_on_" + op.name.lower())(body)
            return HEADER.pack(ident, number, Status.OK) + answer.ljust(56, b"\0")
        except Refusal as refusal:
            note(f"refused operation {number:#x}: {refusal}", 2)
            if number == Op.HAND_OFF and self._group_due and not HAND_OFF.unpack(body)[5] & MORE:
                self._end_group()
            if number == Op.HELLO and self.state == SessionState.GREETING:
                self.failed = True
            return (HEADER.pack(ident, number, refusal.status)
                    + ERROR.pack(refusal.where, 0, refusal.offset, refusal.value & M64, b""))

    @staticmethod
    def _zero(offset: int, *fields: int | bytes) -> None:
        """[HDB-BOTH-002]"""
        for each in fields:
            if any(each) if isinstance(each, bytes) else each:
                raise Refusal(Status.RESERVED, Where.REQUEST, offset,
                              each if isinstance(each, int) else 0)

    def _on_hello(self, body: bytes) -> bytes:
        frontend, backend, features, *limits, zero = HELLO.unpack(body)
        self._zero(56, zero)
        for offset, epoch, mine in ((8, frontend, self.epochs[0]), (16, backend, self.epochs[1])):
            if epoch != mine:                                           # [HDB-BE-008]
                raise Refusal(Status.WRONG_EPOCH, Where.REQUEST, offset, epoch)
        if features & ~int(self.offered):                               # [HDB-BE-009]
            raise Refusal(Status.NOT_NEGOTIATED, Where.REQUEST, 24, features)
        theirs = Limits(*limits)
        if theirs.max_buffers and theirs.max_private < PRIVATE_MIN:     # [HDB-BOTH-041]
            raise Refusal(Status.INVALID, Where.REQUEST, 48, theirs.max_private)
        if theirs.max_in_flight == 0:
            raise Refusal(Status.INVALID, Where.REQUEST, 52, 0)
        self.theirs, self.features = theirs, Feature(features)
        self.state = SessionState.CONNECTED                             # [HDB-BE-004]
        self.app.connected(self)
        return HELLO.pack(*self.epochs, features, *vars(self.limits).values(), 0)

    def _on_close(self, body: bytes) -> bytes:
        reason, zero = CLOSE.unpack(body)
        self._zero(12, zero)
        if not DONE <= reason <= FAULT:
            raise Refusal(Status.INVALID, Where.REQUEST, 8, reason)
        self._finish_turns(32)                      # what was handed off before is still looked at
        for buffer in self.buffers.values():
            if not buffer.exported:
                self._unmap(buffer)                                     # [HDB-BOTH-025]
        if self.state != SessionState.CLOSING:
            self.peer_closed = self.released = True
        return b""

    def _on_echo(self, body: bytes) -> bytes:
        return body

    def _on_export(self, body: bytes) -> bytes:
        ident, reference, length, zero, zero1 = EXPORT.unpack(body)
        self._zero(36, zero)
        self._zero(40, zero1)
        if not any(ident):
            raise Refusal(Status.INVALID, Where.REQUEST, 8)
        self._check_length(length)
        if ident in self.buffers:                                       # [HDB-IMP-001]
            raise Refusal(Status.DUPLICATE, Where.REQUEST, 8)
        imported = [each for each in self.buffers.values() if not each.exported]
        if len(imported) >= self.limits.max_buffers:                    # [HDB-BOTH-021]
            raise Refusal(Status.LIMIT, Where.REQUEST, 8, self.limits.max_buffers)
        d = self._copy_descriptor(ident, reference, length, None)
        taken = sum(each.descriptor.pages for each in imported)
        if (taken + d.pages) * PAGE > self.limits.max_octets:           # [HDB-BOTH-022]
            raise Refusal(Status.LIMIT, Where.DESCRIPTOR, FIELD["pages"], self.limits.max_octets)
        references = read_directory(self.conn, d)                       # [HDB-IMP-003]
        if d.attributes != CACHED:                                      # [HDB-IMP-005]
            raise Refusal(Status.UNSUPPORTED, Where.DESCRIPTOR, FIELD["attributes"], d.attributes)
        self.app.wants(d)
        buffer = Buffer(d, BufferState.IMPORTED, references=references)
        try:                                        # never written to here [HDB-IMP-004]
            buffer.window = self.conn.map(references, Rights(d.rights), False)
        except KeyError as error:                                       # [HDB-IMP-014]
            page = references.index(error.args[0])
            raise Refusal(Status.BAD_REFERENCE, Where.PAGE, page, error.args[0]) from None
        except MemoryError:
            raise Refusal(Status.NO_MEMORY) from None
        buffer.state = BufferState.MAPPED                               # [HDB-IMP-008]
        self.buffers[ident] = buffer
        return b""

    def _check_length(self, length: int) -> None:
        if not DESCRIPTOR_OCTETS <= length <= PAGE:
            raise Refusal(Status.INVALID, Where.REQUEST, 32, length)
        if length - DESCRIPTOR_OCTETS > self.limits.max_private:        # [HDB-BOTH-021]
            raise Refusal(Status.LIMIT, Where.REQUEST, 32, self.limits.max_private)

    def _copy_descriptor(self, ident: bytes, reference: int, length: int,
                         old: Optional[Descriptor]) -> Descriptor:
        try:
            page = self.conn.copy_page(reference)                       # [HDB-IMP-002]
        except KeyError:
            raise Refusal(Status.BAD_REFERENCE, Where.REQUEST, 24, reference) from None
        d = check_descriptor(page, ident, length, self.features, old)
        if d.type == Kind.CYCLIC:
            number = CYCLIC.unpack(d.metadata)[5]
            timeline = self.their_timelines.get(number)
            if number != NO_TIMELINE and (timeline is None or timeline.signalled_here):
                raise Refusal(Status.INVALID, Where.DESCRIPTOR, FIELD["metadata"] + 20, number)
        return d

    def _on_update(self, body: bytes) -> bytes:
        ident, reference, length, zero, zero1 = EXPORT.unpack(body)
        self._zero(36, zero)
        self._zero(40, zero1)
        buffer = self._find(ident)
        if buffer.exported:                                             # [HDB-BOTH-043]
            raise Refusal(Status.WRONG_ROLE, Where.REQUEST, 8)
        if buffer.state == BufferState.RETIRING or buffer.lent:
            raise Refusal(Status.WRONG_STATE, Where.REQUEST, 8)
        self._check_length(length)
        d = self._copy_descriptor(ident, reference, length, buffer.descriptor)
        self.app.wants(d)
        buffer.descriptor = d
        return b""

    def _on_unexport(self, body: bytes) -> bytes:
        ident, grace_ms, zero, zero1 = UNEXPORT.unpack(body)
        self._zero(28, zero)
        self._zero(32, zero1)
        buffer = self._find(ident)
        if buffer.exported:                                             # [HDB-BOTH-043]
            raise Refusal(Status.WRONG_ROLE, Where.REQUEST, 8)
        if buffer.state == BufferState.RETIRING:
            raise Refusal(Status.WRONG_STATE, Where.REQUEST, 8)
        if buffer.turns:                            # it is still looked at [HDB-IMP-019]
            buffer.state = BufferState.RETIRING
            buffer.deadline = time.monotonic() + grace_ms / 1000
            return struct.pack("<I", 1)
        self._unmap(buffer)
        del self.buffers[ident]
        return struct.pack("<I", 0)

    def _on_released(self, body: bytes) -> bytes:
        ident, zero = BUFFER.unpack(body)
        self._zero(24, zero)
        buffer = self._find(ident)
        if not buffer.exported:                                         # [HDB-BOTH-043]
            raise Refusal(Status.WRONG_ROLE, Where.REQUEST, 8)
        if buffer.state == BufferState.QUARANTINED:                     # [HDB-EXP-015]
            del self.buffers[ident]
        else:
            self._release(buffer)
        return b""

    def _on_query(self, body: bytes) -> bytes:
        ident, zero = BUFFER.unpack(body)
        self._zero(24, zero)
        buffer = self._find(ident)
        d = buffer.descriptor
        return QUERY_ANSWER.pack(buffer.state, d.rights, d.size, d.pages, d.generation, d.tag,
                                 buffer.hand_offs, d.type, d.private_octets)

    def _on_hand_off(self, body: bytes) -> bytes:
        (ident, wait_point, signal_point, wait_number, signal_number, flags, zero,
         stamp) = HAND_OFF.unpack(body)
        self._zero(52, zero)
        buffer = self._find(ident)
        wait, signal_line = (self._their_timeline(number, offset, here) for number, offset, here
                             in ((wait_number, 40, False), (signal_number, 44, True)))
        lend = buffer.descriptor.rights == Rights.LEND
        states = ((BufferState.LIVE, BufferState.LENT) if buffer.exported
                  else (BufferState.IMPORTED, BufferState.MAPPED))
        if buffer.state not in states or (lend and buffer.lent != buffer.exported):
            raise Refusal(Status.WRONG_STATE, Where.REQUEST, 8)         # [HDB-BOTH-051]
        if flags & ~MORE or (flags & MORE and len(self._group) == GROUP_MAX - 1):
            raise Refusal(Status.INVALID, Where.REQUEST, 48, flags)
        if wait is None and wait_point:
            raise Refusal(Status.INVALID, Where.REQUEST, 24, wait_point)
        if signal_point and signal_line is None:
            raise Refusal(Status.INVALID, Where.REQUEST, 32, signal_point)
        if signal_line and signal_point <= max(signal_line.named, signal_line.point):
            raise Refusal(Status.INVALID, Where.REQUEST, 32, signal_point)  # [HDB-BOTH-047]
        if buffer.exported and buffer.descriptor.rights == Rights.READ_ONLY:
            raise Refusal(Status.DENIED, Where.REQUEST, 8)              # [HDB-EXP-010]
        if len(self._turns) + len(self._group) >= TURNS_MAX:
            raise Refusal(Status.NO_MEMORY)
        if lend:
            buffer.lent = not buffer.exported
            if buffer.exported:
                buffer.state = BufferState.LIVE
        if signal_line:
            signal_line.named = signal_point
        buffer.hand_offs += 1
        buffer.turns += 1
        self._group.append(HandOff(buffer, buffer.descriptor, signal_line, signal_point, wait,
                                   wait_point, stamp))
        self._group_due = bool(flags & MORE)
        if not self._group_due:                                         # [HDB-BOTH-048]
            self._end_group()
        return b""

    def _end_group(self) -> None:
        """The last hand-off of a group has come, or was refused."""
        group, self._group, self._group_due = self._group, [], False
        if group:
            self._begin_turn(Turn(group))

    def _their_timeline(self, number: int, offset: int, here: bool) -> Optional[Timeline]:
        if number == NO_TIMELINE:
            return None
        timeline = self.their_timelines.get(number)
        if timeline is None:
            raise Refusal(Status.NO_SUCH_TIMELINE, Where.REQUEST, offset, number)
        if timeline.signalled_here != here:
            raise Refusal(Status.WRONG_ROLE, Where.REQUEST, offset, number)
        return timeline

    def _begin_turn(self, turn: Turn) -> None:
        """[HDB-BOTH-044]"""
        def reached(status: Status) -> None:
            turn.waiting -= 1
            if turn.status == Status.OK:
                turn.status = status

        for part in turn.parts:
            if part.wait:
                turn.waiting += 1
                part.wait.waits.append(Wait(part.wait_point, reached))
            if part.signal:
                part.signal.turns.append((turn, part.signal_point))
        self._turns.append(turn)

    def _on_cpu_begin(self, body: bytes) -> bytes:
        buffer, access = self._cpu_access(body)
        if sum(buffer.accesses.values()) >= ACCESSES_MAX:
            raise Refusal(Status.NO_MEMORY)
        buffer.accesses[access] += 1                # caches are coherent here: nothing to do
        return b""

    def _on_cpu_end(self, body: bytes) -> bytes:
        buffer, access = self._cpu_access(body, ending=True)
        buffer.accesses[access] -= 1
        return b""

    def _cpu_access(self, body: bytes, ending: bool = False
                    ) -> tuple[Buffer, tuple[int, int, int]]:
        ident, offset, octets, access, zero, zero1 = CPU_ACCESS.unpack(body)
        self._zero(44, zero)
        self._zero(48, zero1)
        buffer = self._find(ident)
        key = (offset, octets, access)
        if (buffer.state not in (BufferState.LIVE, BufferState.LENT, BufferState.IMPORTED,
                                 BufferState.MAPPED)
                or (ending and not buffer.accesses[key])):
            raise Refusal(Status.WRONG_STATE, Where.REQUEST, 8)
        size = buffer.descriptor.size
        if offset >= size:
            raise Refusal(Status.INVALID, Where.REQUEST, 24, offset)
        if octets == 0 or octets > size - offset:                       # [HDB-BOTH-062]
            raise Refusal(Status.INVALID, Where.REQUEST, 32, octets)
        if not 1 <= access <= 3:
            raise Refusal(Status.INVALID, Where.REQUEST, 40, access)
        if access & 2 and buffer.exported and buffer.descriptor.rights == Rights.READ_ONLY:
            raise Refusal(Status.DENIED, Where.REQUEST, 40, access)
        return buffer, key

    def _on_timeline_create(self, body: bytes) -> bytes:
        number, signaller, point, zero = TIMELINE.unpack(body)
        self._zero(24, zero)
        if signaller not in (CREATOR, PEER):
            raise Refusal(Status.INVALID, Where.REQUEST, 12, signaller)
        if number in self.their_timelines:
            raise Refusal(Status.DUPLICATE, Where.REQUEST, 8, number)
        most = min(self.limits.max_timelines, self._their_cells.octets // CELL)
        if number >= most:                                              # [HDB-BOTH-021]
            raise Refusal(Status.LIMIT, Where.REQUEST, 8, most)
        timeline = Timeline(self._their_cells, number, signaller == PEER, point)
        if timeline.load() != point:
            raise Refusal(Status.INVALID, Where.REQUEST, 16, point)
        self.their_timelines[number] = timeline
        return b""

    def _on_timeline_destroy(self, body: bytes) -> bytes:
        number, signaller, point, zero = TIMELINE.unpack(body)
        self._zero(12, signaller)
        self._zero(16, point)
        self._zero(24, zero)
        if number not in self.their_timelines:
            raise Refusal(Status.NO_SUCH_TIMELINE, Where.REQUEST, 8, number)
        self.their_timelines.pop(number).end(Status.CANCELLED)          # [HDB-BOTH-061]
        return b""

    # -- the end

    def end(self) -> None:
        """The session is lost or closed; clean up."""
        if self.over:
            return
        self.over = True
        for timeline in self._timelines():                              # [HDB-BOTH-027]
            timeline.end(Status.LOST)
        unanswered, self._unanswered = self._unanswered, {}
        queue, self._queue = self._queue, collections.deque()
        for done in [done for _, done in unanswered.values()] + [done for _, _, done in queue]:
            done(Status.LOST, bytes(56))
        pages = sum(each.descriptor.pages for each in self.buffers.values() if each.exported)
        if pages and not self.released:
            note(f"{pages} pages of buffers are in quarantine")         # [HDB-EXP-014]
        for buffer in list(self.buffers.values()):
            if not buffer.exported:
                self._unmap(buffer)                                     # [HDB-BOTH-028]
            else:                                   # [HDB-EXP-012], or quarantine [HDB-EXP-013]
                buffer.state = BufferState.NONE if self.released else BufferState.QUARANTINED
                self._revoke(buffer)
        self.buffers = {}
        for window in self.windows:                                     # [HDB-BE-010]
            window.close()
        self.state = SessionState.DOWN


def refusal_text(status: Status, body: bytes) -> str:
    """What an answer complains of, for people."""
    where, _, offset, value, _ = ERROR.unpack(body)
    place = Where(where).name.lower() if where in Where.__members__.values() else str(where)
    return f"{status.name} ({place} {offset}, value {value})"


# --------------------------------------------------------------------------------- one connection


PATIENCE = 5.0                                      # seconds, with a CLOSE that is not answered


class Link:
    """A connection and the sessions over it, one after the other."""

    def __init__(self, peer: Peer, conn: Connection, app: Application) -> None:
        self.peer, self.conn, self.app = peer, conn, app
        self.state = SessionState.READY
        self.session: Optional[Session] = None
        self.epoch = 0                              # this end's
        self.sessions = 0                           # that are over
        self.good = True                            # all of them were closed in good order
        self.gone = False                           # this end wants nothing more of it
        self._patience = float("inf")               # until when CLOSE is to be answered

    def step(self) -> bool:
        """Look at everything once; true if there is more to do at once."""
        more = False
        try:
            self.conn.flush()
            more = self.conn.receive()
            if not self.gone:
                more |= self._serve()
        except Broken as error:
            note(f"the connection is closed: {error}")
            self.leave()
        if (self.conn.peer_left or self.conn.peer_ended) and not self.gone:
            self.leave()
        elif not self.conn.attached and time.monotonic() > self.conn.began + 3:
            self.leave()                                                # [HDB-LOCAL-013]
        return more

    def _serve(self) -> bool:
        session, more = self.session, False
        if session:
            try:
                more = session.work()
                session.flush()
                if session.close_answered:
                    session.flush()
                    self._over(SessionState.DOWN, True)
                elif session.peer_closed:
                    self._over(SessionState.READY, True)
                elif session.failed:
                    self._over(SessionState.READY, False)
                elif self._peer_epoch() != session.epochs[self._other]:     # [HDB-BOTH-016]
                    while session.work():
                        pass
                    self._over(SessionState.READY, session.peer_closed or session.close_answered)
                elif time.monotonic() > self._patience:
                    raise Broken("CLOSE is not answered")
                else:
                    if session.state == SessionState.CLOSING != self.state:
                        self._patience = time.monotonic() + PATIENCE
                    self.state = session.state
                    more |= session.arm()
            except Broken as error:
                note(f"the session is lost: {error}")
                self._over(SessionState.READY, False)
        if self.session is None and self.state == SessionState.READY and self.conn.attached:
            more |= self._look_for_peer()
        return more

    _other = 0                                      # index of the other end's epoch

    def _peer_epoch(self) -> int:
        return self.conn.record.get("epoch", 0)

    def _look_for_peer(self) -> bool:
        raise NotImplementedError

    def _over(self, state: SessionState, good: bool) -> None:
        """The session is over; what is next is in the state."""
        session, self.session = self.session, None
        if session is None:
            return
        self._patience = float("inf")
        connected = session.state in (SessionState.CONNECTED, SessionState.CLOSING)
        if session.state == SessionState.CLOSING:
            state = SessionState.DOWN
        session.end()
        self._withdraw_channel()
        self.state = state
        if connected:
            self.sessions += 1
            self.good &= good
            note("the session is over" + ("" if good else ": it was lost"))
            self.app.over(good)
        if state == SessionState.DOWN or not isinstance(self, BackendLink):
            self.conn.publish({})                   # so the backend knows, and offers anew

    def _withdraw_channel(self) -> None:
        pass

    def leave(self) -> None:
        """Be done with the connection."""
        if self.gone:
            return
        self.gone = True
        if self.session:
            good = self.session.peer_closed or self.session.close_answered
            self._over(SessionState.DOWN, good)
        self.state = SessionState.DOWN
        self.conn.leave()

    def deadline(self) -> float:
        if self.gone:
            return time.monotonic() + 0.5           # until the other end has ended its side
        if not self.conn.attached:
            return self.conn.began + 3.01
        return min(self.session.deadline() if self.session else float("inf"), self._patience)


class BackendLink(Link):
    """A backend's link: it offers, and maps the channel that answers."""

    def _offer(self, error: int) -> None:
        self.epoch = random_epoch()
        record = {"epoch": self.epoch, "version-min": VERSION, "version-max": VERSION,
                  "features": int(FEATURES), "ring-formats": 1, "ring-order-max": RING_ORDER_MAX,
                  "timeline-max": TIMELINE_PAGES_MAX}
        if error:
            record["error"] = error
        self.conn.publish(record)

    def _over(self, state: SessionState, good: bool) -> None:
        super()._over(state, good)
        if self.state == SessionState.READY and not self.gone:
            self._offer(0)

    def _look_for_peer(self) -> bool:
        record = self.conn.record
        if self.epoch == 0:
            self._offer(0)
        if record.get("peer-epoch") != self.epoch:                      # [HDB-BE-005]
            return False
        windows: list[Window] = []
        try:
            front_start, back_start = self._open_channel(record, windows)
        except Refusal as refusal:                                      # [HDB-BE-003]
            for window in windows:
                window.close()
            note(f"the channel is refused: {refusal}")
            self._offer(refusal.status)
            return False
        epochs = (record["epoch"], self.epoch)
        mine, theirs, my_cells, their_cells = windows[1], windows[0], windows[3], windows[2]
        self.session = Session(self.conn, self.app, True, epochs,
                               self.app.limits(theirs.octets // 128), FEATURES, mine, theirs,
                               my_cells, their_cells, (back_start, front_start))
        self.state = SessionState.GREETING
        return True

    def _open_channel(self, record: dict[str, int], windows: list[Window]) -> tuple[int, int]:
        """Check the channel page and map what it names [HDB-BE-001] [HDB-BE-002].

        Return where the frontend's ring and the backend's ring begin.
        """
        def wrong(offset: int, value: int, status: Status = Status.INVALID) -> Refusal:
            return Refusal(status, Where.CHANNEL, offset, value)

        try:
            page = self.conn.copy_page(record["channel"])
        except KeyError:
            raise wrong(0, record["channel"], Status.BAD_REFERENCE) from None
        (magic, version, epoch_frontend, epoch_backend, page_shift, ring_format, frontend_order,
         backend_order, timeline_pages, count, front_start, back_start,
         zero) = CHANNEL.unpack_from(page)
        if magic != CHANNEL_MAGIC:
            raise wrong(0, magic)
        if version != VERSION:
            raise wrong(4, version)
        if epoch_frontend != record["epoch"]:
            raise wrong(8, epoch_frontend, Status.WRONG_EPOCH)
        if epoch_backend != self.epoch:
            raise wrong(16, epoch_backend, Status.WRONG_EPOCH)
        if page_shift != PAGE_SHIFT:
            raise wrong(24, page_shift)
        if ring_format != 0:
            raise wrong(28, ring_format)
        for offset, order in ((32, frontend_order), (36, backend_order)):
            if order > RING_ORDER_MAX:
                raise wrong(offset, order)
        if timeline_pages > TIMELINE_PAGES_MAX:
            raise wrong(40, timeline_pages)
        areas = [1 << frontend_order, 1 << backend_order, timeline_pages, timeline_pages]
        if count != sum(areas):
            raise wrong(44, count)
        if any(zero) or any(page[64 + 8 * count:]):
            raise wrong(56, 0, Status.RESERVED)
        references = list(struct.unpack_from(f"<{count}Q", page, 64))
        try:
            for pages in areas:
                windows.append(self.conn.map(references[:pages], Rights.READ_WRITE, True))
                del references[:pages]
        except KeyError as error:
            raise wrong(64, error.args[0], Status.BAD_REFERENCE) from None
        except MemoryError:
            raise wrong(64, 0, Status.NO_MEMORY) from None
        return front_start, back_start


class FrontendLink(Link):
    """A frontend's link: it makes a channel for every offer."""

    _other = 1

    def __init__(self, peer: Peer, conn: Connection, app: Application) -> None:
        super().__init__(peer, conn, app)
        self._grant: Optional[OwnGrant] = None
        self._answered = 0                          # epoch of the offer answered last
        self._not_before = 0.0
        self._attempts = 0
        self._refused = False                       # HELLO was

    def _look_for_peer(self) -> bool:
        offer = self.conn.record
        if not offer or offer["epoch"] == self._answered:
            return False
        if (not offer["version-min"] <= VERSION <= offer["version-max"]
                or not offer["ring-formats"] & 1):
            return False
        if offer.get("error") or self._refused:                         # [HDB-FE-003]
            now = time.monotonic()
            if self._not_before == 0.0:
                if offer.get("error"):
                    status = known_status(offer["error"]).name
                    note(f"the backend has refused a channel: {status}")
                self._attempts += 1
                self._not_before = now + min(0.1 * 2 ** self._attempts, 10)
            if now < self._not_before:
                return False
        self._not_before, self._refused = 0.0, False
        self._attempt(offer)
        return True

    def _over(self, state: SessionState, good: bool) -> None:
        self._refused = self.session is not None and self.session.failed
        super()._over(state, good)

    def deadline(self) -> float:
        return min(super().deadline(), self._not_before or float("inf"))

    def _attempt(self, offer: dict[str, int]) -> None:
        """Make a channel [HDB-FE-001], put HELLO into it, and publish it [HDB-FE-002]."""
        self.epoch, self._answered = random_epoch(), offer["epoch"]
        cells = min(1, offer["timeline-max"])
        pages = [1, 1, cells, cells]                # both rings have one page
        memory = OwnMemory(1 + sum(pages), False)
        grant = self.conn.grant(memory)
        references = grant.references()
        head = CHANNEL.pack(CHANNEL_MAGIC, VERSION, self.epoch, offer["epoch"], PAGE_SHIFT, 0, 0,
                            0, cells, sum(pages), RING_START, RING_START, b"")
        window = memory.window(0, 1)
        window.write(0, head + struct.pack(f"<{sum(pages)}Q", *references[1:]))
        window.close()
        windows, at = [], 1
        for count in pages:
            windows.append(memory.window(at, count))
            at += count
        for ring in windows[:2]:                                        # [HDB-FE-004]
            for offset in (0, 8):
                ring.store32(offset, RING_START)
                ring.store32(offset + 4, RING_START + 1)
        mine, theirs, my_cells, their_cells = windows
        features = Feature(offer["features"] & FEATURES)                # [HDB-FE-007]
        self.session = Session(self.conn, self.app, False, (self.epoch, offer["epoch"]),
                               self.app.limits(theirs.octets // 128), features, mine, theirs,
                               my_cells, their_cells, (RING_START, RING_START))
        self._grant, self.state = grant, SessionState.GREETING
        self.session.hello(features)
        self.session.flush()
        self.conn.publish({"epoch": self.epoch, "peer-epoch": offer["epoch"],
                           "channel": grant.first})

    def _withdraw_channel(self) -> None:
        grant, self._grant = self._grant, None
        if grant:                                                       # [HDB-FE-008]
            self.conn.revoke(grant, grant.memory.free)


# ------------------------------------------------------------------------------- the applications


@dataclass
class Totals:
    """What the summary says."""

    verify: bool
    frames: int = 0
    crc: int = 0

    def line(self) -> str:
        return f"{self.frames} frames" + (f", crc32 {self.crc:08x}" if self.verify else "")


class Application:
    """What a link calls when something happens; this one does nothing."""

    finished = False                                # there is nothing more to do
    error = ""                                      # why it could not be done

    def limits(self, slots: int) -> Limits:
        return Limits(max_timelines=64, max_in_flight=slots)

    def connected(self, session: Session) -> None:
        """A session has begun."""

    def wants(self, d: Descriptor) -> None:
        """Refuse a buffer that is no use here."""

    def turn(self, session: Session, parts: list[HandOff]) -> None:
        """Buffers were handed off, and may be accessed."""

    def released(self, buffer: Buffer) -> None:
        """A buffer of this end is back, or in quarantine."""

    def over(self, good: bool) -> None:
        """The session is over."""


class Importer(Application):
    """Looks at every picture that it is handed, once, and believes nothing of it [HDB-IMP-007].

    It looks only when a hand-off says so, at lent buffers as at others [HDB-IMP-017].
    """

    def __init__(self, totals: Totals) -> None:
        self.totals = totals

    def limits(self, slots: int) -> Limits:
        return Limits(1 << 30, 256, 64, PAGE - DESCRIPTOR_OCTETS, slots)

    def wants(self, d: Descriptor) -> None:
        if d.type != Kind.PICTURE:
            return
        picture = Picture.unpack(d.metadata)
        if picture.rows() is None:
            raise Refusal(Status.UNSUPPORTED, Where.DESCRIPTOR, FIELD["metadata"] + 8,
                          picture.fourcc)
        if not picture.fits(d.size):                                    # [HDB-IMP-006]
            raise Refusal(Status.INVALID, Where.DESCRIPTOR, FIELD["metadata"] + PICTURE.size)

    def turn(self, session: Session, parts: list[HandOff]) -> None:
        self.totals.frames += 1
        for part in parts if self.totals.verify else ():
            if part.buffer.window and part.descriptor.type == Kind.PICTURE:
                self.totals.crc = picture_crc(part.buffer.window, part.descriptor,
                                              self.totals.crc)
        for part in parts:
            if part.buffer.lent and part.buffer.state != BufferState.RETIRING:  # [HDB-IMP-021]
                session.hand_off(part.buffer, None, 0, part.stamp, lambda status, body: None)


def picture_crc(window: Window, d: Descriptor, crc: int) -> int:
    """The CRC of the pixels of a picture, row by row, without what lies between the rows."""
    for offset, stride, octets, rows in Picture.unpack(d.metadata).rows() or []:
        offset += d.data_offset
        if stride == octets:
            octets, rows = octets * rows, 1
        for row in range(rows):
            crc = window.crc32(offset + row * stride, octets, crc)
    return crc


class Exporter(Application):
    """Shares a moving pattern, frame by frame, in some buffers that take turns."""

    GRACE_MS = 100

    def __init__(self, options: argparse.Namespace, totals: Totals) -> None:
        self.options, self.totals = options, totals
        self.width, self.height = options.size
        self.stride = up(self.width * 4, 64) * 64
        self.size = self.stride * self.height
        ramp = bytes(value & 0xFF for n in range(self.width * 2)
                     for value in (n, n >> 1, n * 3, 0xFF))
        self._ramp = memoryview(ramp)
        self._done = 0                              # frames that are finished with
        self._session: Optional[Session] = None
        self._timeline: Optional[Timeline] = None
        self._buffers: list[Buffer] = []
        self._due_back: dict[Buffer, int] = {}      # how often they have to be heard of
        self._point = self._base = self._due = 0

    def connected(self, session: Session) -> None:
        self._session, self._buffers, self._due = session, [], 0
        self._point, self._base = 0, self._done
        pages = up(self.options.data_offset + self.size, PAGE)
        count = min(self.options.buffers, session.theirs.max_buffers,   # [HDB-EXP-008]
                    session.theirs.max_octets // (pages * PAGE))
        if count == 0:
            self._fail("the other end takes no such buffer")
            return

        def created(timeline: Optional[Timeline], status: Status) -> None:
            if timeline is None:
                self._refused(status, f"the other end takes no timeline: {status.name}")
                return
            self._timeline, self._due = timeline, count
            for n in range(count):
                self._export(session, pages, n)

        session.create_timeline(0, PEER, created)

    def _export(self, session: Session, pages: int, tag: int) -> None:
        rights = self.options.rights
        form = self.options.directory
        feature = {Format.TABLE: Feature.TABLE, Format.EXTENTS: Feature.EXTENTS}.get(form)
        if feature and not session.features & feature:                  # [HDB-BOTH-018]
            form = Format.LIST
        if rights == Rights.LEND and not session.features & Feature.LEND:
            rights = Rights.READ_WRITE
        order = list(range(pages))
        if self.options.scatter:
            order.reverse()
        picture = Picture(self.width, self.height, fourcc("XR24"), 1, 0, 0, [(0, self.stride)])

        def exported(buffer: Optional[Buffer], status: Status, why: str) -> None:
            self._due -= 1
            if buffer is None:
                self._refused(status, f"a buffer was refused: {why}")
            else:
                self._buffers.append(buffer)
                self._next(buffer)

        try:
            memory = OwnMemory(pages, rights == Rights.READ_ONLY)
            session.export(memory, order, self.size, self.options.data_offset, rights, form,
                           picture, tag, exported)
        except (OSError, MemoryError):
            self._fail("there is no memory for the buffers")

    def _next(self, buffer: Buffer) -> None:
        """Draw the next frame into a buffer and hand it off."""
        session, timeline = self._session, self._timeline
        frame = self._base + self._point
        if session is None or timeline is None or buffer not in self._buffers or self.finished:
            return
        if self.options.frames and frame >= self.options.frames:
            if self._done >= self.options.frames and not self._due:
                self._wind_up(session)
            return
        self._point += 1                            # [HDB-BOTH-046]
        point = self._point
        self._draw(buffer, frame)

        # A lent buffer has to come back, too, before it is touched again [HDB-EXP-009].
        self._due_back[buffer] = 2 if buffer.descriptor.rights == Rights.LEND else 1

        def reached(status: Status) -> None:
            if status == Status.OK:
                self._back(buffer)
            elif not self.finished:
                self._refused(status, f"the timeline has ended: {status.name}")

        def answered(status: Status, body: bytes) -> None:
            if status != Status.OK and buffer in self._buffers:
                self._refused(status, f"a hand-off was refused: {refusal_text(status, body)}")

        timeline.waits.append(Wait(point, reached))
        session.hand_off(buffer, timeline, point, frame, answered)

    def _draw(self, buffer: Buffer, frame: int) -> None:
        assert buffer.window is not None
        offset, width = buffer.descriptor.data_offset, self.width * 4
        for row in range(self.height):
            at = (frame * 2 + row) % self.width * 4
            buffer.window.write(offset + row * self.stride, self._ramp[at:at + width])

    def _back(self, buffer: Buffer) -> None:
        """The importer is done with a frame."""
        self._due_back[buffer] = self._due_back.get(buffer, 0) - 1
        if self._due_back[buffer]:
            return
        if self.totals.verify and buffer.window:
            self.totals.crc = picture_crc(buffer.window, buffer.descriptor, self.totals.crc)
        self._done += 1
        self.totals.frames += 1
        self._next(buffer)

    def turn(self, session: Session, parts: list[HandOff]) -> None:
        for part in parts:                          # a lent buffer comes back
            if part.descriptor.rights == Rights.LEND:
                self._back(part.buffer)

    def _wind_up(self, session: Session) -> None:
        """Take everything back and close."""
        for buffer in list(self._buffers):
            session.unexport(buffer, self.GRACE_MS)

    def released(self, buffer: Buffer) -> None:
        session, timeline = self._session, self._timeline
        if buffer not in self._buffers or session is None or timeline is None:
            return
        self._buffers.remove(buffer)
        if self._buffers or session.over:
            return
        if self.options.frames and self._done >= self.options.frames:
            self.finished = True
            session.destroy_timeline(timeline, lambda status, body: session.close(DONE))
        else:
            self._fail("the other end has released all buffers")

    def _refused(self, status: Status, why: str) -> None:
        """Something cannot be done; that the session ends is no reason to give up."""
        if status not in (Status.LOST, Status.CLOSING):
            self._fail(why)

    def _fail(self, why: str) -> None:
        self.error = self.error or why
        self.finished = True
        if self._session:
            self._session.close(SHUTDOWN)

    def over(self, good: bool) -> None:
        self._session = self._timeline = None
        self._buffers, self._due_back = [], {}


# -------------------------------------------------------------------------------- the loop around

_verbose = 0


def note(text: str, level: int = 1) -> None:
    if _verbose >= level:
        print(f"hdmabuf_peer: {text}", file=sys.stderr, flush=True)


class Peer:
    """All links of one process."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.path = options, options.endpoint
        self.backend = options.role == "backend"
        self.totals = Totals(options.verify)
        self.links: list[Link] = []
        self.listener: Optional[socket.socket] = None
        self.stopping = 0.0                         # when it was asked to stop
        self.app = self._application()
        self.epoll = select.epoll()

    def _application(self) -> Application:
        return Exporter(self.options, self.totals) if self.options.export else Importer(self.totals)

    def listen(self) -> None:
        """[HDB-LOCAL-001]"""
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            probe.connect(self.path)
            raise Failure(69, f"somebody listens at {self.path}")
        except ConnectionRefusedError:
            if not stat.S_ISSOCK(os.stat(self.path).st_mode):
                raise Failure(69, f"{self.path} is no socket") from None
            os.unlink(self.path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Failure(69, f"{self.path}: {error.strerror}") from None
        finally:
            probe.close()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.listener.bind(self.path)
        except OSError as error:
            raise Failure(69, f"{self.path}: {error.strerror}") from None
        self.listener.listen(16)
        self.listener.setblocking(False)
        self.epoll.register(self.listener, select.EPOLLIN)

    def _accept(self) -> None:
        while self.listener and not self.stopping:
            try:
                sock, _ = self.listener.accept()
            except BlockingIOError:
                return
            except OSError:                         # no descriptors are left [HDB-LOCAL-005]
                if self.links:
                    max(self.links, key=lambda link: link.conn.descriptors()).leave()
                return
            self._add(sock, BackendLink, ANSWER, self._application())

    def _connect(self) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.setblocking(False)
        try:
            sock.connect(self.path)
        except OSError:
            sock.close()
            return
        self._add(sock, FrontendLink, OFFER, self.app)

    def _add(self, sock: socket.socket, kind: type[Link], wanted: tuple[str, ...],
             app: Application) -> None:
        try:
            conn = Connection(sock, wanted)
        except OSError:
            sock.close()
            return
        self.links.append(kind(self, conn, app))
        self.epoll.register(sock, select.EPOLLIN | select.EPOLLRDHUP)
        # Edges need no reading, which a peer could make block [HDB-BOTH-003].
        self.epoll.register(conn.event, select.EPOLLIN | select.EPOLLET)

    def run(self) -> int:
        if self.backend:
            self.listen()
        wakeup, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer)
        self.epoll.register(wakeup, select.EPOLLIN | select.EPOLLET)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        retry = 0.0
        while True:
            if not (self.backend or self.stopping or self.links) and time.monotonic() > retry:
                self._connect()
                retry = time.monotonic() + 0.1
            more = False
            for link in list(self.links):
                more |= self._step(link)
            result = self._result()
            if result is not None:
                return result
            if self.backend:
                self._accept()
            now = time.monotonic()
            due = min((link.deadline() for link in self.links), default=float("inf"))
            if self.stopping or (not self.links and not self.backend):
                due = min(due, now + 0.1)
            timeout = 0.0 if more else max(0.0, min(due - now, 60))
            for fd, events in self.epoll.poll(timeout):
                if events & (select.EPOLLHUP | select.EPOLLRDHUP):
                    self._quiet(fd)

    def _quiet(self, fd: int) -> None:
        """A socket that has ended stays ready; look at it by the clock instead."""
        for link in self.links:
            if link.conn.peer_ended and link.conn.sock.fileno() == fd:
                self.epoll.unregister(fd)

    def _step(self, link: Link) -> bool:
        try:
            more = link.step()
        except (OSError, MemoryError) as error:     # one link's trouble [HDB-BOTH-030/063]
            note(f"a connection is given up: {error}")
            link.leave()
            more = False
        if link.gone:
            more = False
            # Closing the descriptors takes them out of the epoll.
            if link.conn.over():
                self.links.remove(link)
        elif self.stopping and link.session is None:
            link.leave()
        elif self.options.once and link.sessions:
            link.leave()
        elif link.app.finished and link.session is None and link.sessions:
            link.leave()
        if self.options.once and link.sessions and not self.stopping:
            self.code = 0 if link.good else 75
            self.stopping = time.monotonic()
        if link.app.error and not self.stopping:
            print(f"hdmabuf_peer: {link.app.error}", file=sys.stderr)
            if not self.backend or self.options.once:
                self.code, self.stopping = 69, time.monotonic()
            link.app.error = ""
        return more

    code = 0

    def _stop(self, *_: object) -> None:
        if not self.stopping:
            self.stopping = time.monotonic()
        for link in self.links:
            if link.session:
                if link.session.state == SessionState.CONNECTED:
                    link.session.close(SHUTDOWN)
                elif link.session.state == SessionState.GREETING:
                    link.leave()

    def _result(self) -> Optional[int]:
        """The exit status, if it is time."""
        if self.stopping:
            if not self.links or time.monotonic() > self.stopping + 2:
                return self.code
        elif not self.backend and self.app.finished and not self.links:
            return self.code
        return None

    def clean_up(self) -> None:
        if self.listener:
            self.listener.close()
            try:
                os.unlink(self.path)
            except OSError:
                pass


def parse_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text} is no WxH")
    return int(match[1]), int(match[2])


def parse_endpoint(text: str) -> str:
    if not text.startswith("local:") or not 0 < len(text[6:].encode()) < 108:
        raise argparse.ArgumentTypeError(f"{text} is no local:PATH")
    return text[6:]


def main() -> int:
    parser = argparse.ArgumentParser(description="A hyper-dmabuf peer in plain Python.")
    parser.add_argument("--role", choices=("frontend", "backend"), required=True)
    parser.add_argument("--endpoint", type=parse_endpoint, required=True, metavar="local:PATH")
    parser.add_argument("--export", action="store_true", help="share pictures, else receive them")
    parser.add_argument("--once", action="store_true", help="exit when the first session is over")
    parser.add_argument("--verify", action="store_true", help="compute the CRC-32 of all pixels")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    group = parser.add_argument_group("the end that shares pictures")
    group.add_argument("--frames", type=int, default=100, metavar="N", help="0 for no end")
    group.add_argument("--buffers", type=int, default=3, metavar="N")
    group.add_argument("--size", type=parse_size, default=(320, 200), metavar="WxH")
    group.add_argument("--directory", choices=("list", "table", "extents"), default="extents")
    group.add_argument("--rights", choices=("read-only", "read-write", "lend"),
                       default="read-only")
    group.add_argument("--data-offset", type=int, default=0, metavar="N",
                       help="where in the first page the pictures begin")
    group.add_argument("--scatter", action="store_true", help="list the pages in reverse order")
    parser.error = lambda message: fail(64, message)                    # type: ignore
    options = parser.parse_args()
    if options.frames < 0 or not 1 <= options.buffers <= 256 or not 0 <= options.data_offset < PAGE:
        fail(64, "a number is out of range")
    options.directory = Format[options.directory.upper()]
    options.rights = Rights[options.rights.upper().replace("-", "_")]
    global _verbose
    _verbose = options.verbose
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))            # a piece of a window each
    peer = Peer(options)
    try:
        code = peer.run()
    except Failure as error:
        fail(error.code, str(error))
    finally:
        peer.clean_up()
    print(peer.totals.line(), flush=True)
    return code


def fail(code: int, text: str) -> None:
    print(f"hdmabuf_peer: {text}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    sys.exit(main())
