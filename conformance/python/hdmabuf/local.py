# SPDX-License-Identifier: MIT
"""The platform: what the local binding provides to a pair of ends."""

from __future__ import annotations

import array
import bisect
import collections
import errno
import fcntl
import mmap
import os
import select
import socket
import stat
import struct
import time
from collections.abc import Callable

from .memory import OwnMemory, Window
from .wire import (GRANTED_PAGES_MAX, GRANTS_MAX, LOCAL_MAGIC, LOCAL_PACKET, LOCAL_VERSION, M32,
                   M64, MEMORIES_MAX, PAGE, PAGE_SHIFT, RECORD_OCTETS, RING_ORDER_MAX,
                   TIMELINE_PAGES_MAX, BadPacket, Packet, Rights)


IN_USE = 0.25                                       # seconds, when REVOKED has not come
OWN_PAGES_MAX = 1 << 17                             # that this end grants over a connection


class PeerMemory:
    """Memory of the other end: one descriptor, however many grants."""

    def __init__(self, key: tuple[int, int], fd: int, writable: bool) -> None:
        self.key, self.fd, self.writable, self.grants = key, fd, writable, 0


class PeerGrant:
    """References of the other end."""

    def __init__(self, first: int, count: int, offset: int, rights: Rights,
                 memory: PeerMemory) -> None:
        self.first, self.count, self.offset, self.rights = first, count, offset, rights
        self.memory, self.mappings, self.revoking = memory, 0, False


class OwnGrant:
    """References that this end has given to memory of its own."""

    def __init__(self, first: int, memory: OwnMemory) -> None:
        self.first, self.memory = first, memory
        self.revoked: Callable[[], None] | None = None  # set when REVOKE is sent
        self.in_use: Callable[[], None] | None = None
        self.due = 0.0                              # when it is to be called

    def references(self) -> range:
        return range(self.first, self.first + self.memory.pages)


KEYS: dict[str, tuple[int, int]] = {
    "epoch": (1, M64), "version-min": (0, M32), "version-max": (0, M32), "features": (0, M64),
    "ring-formats": (0, M64), "ring-order-max": (0, RING_ORDER_MAX),
    "timeline-max": (0, TIMELINE_PAGES_MAX), "error": (1, 0xFFFF), "peer-epoch": (1, M64),
    "channel": (1, M64)}
OFFER = ("epoch", "version-min", "version-max", "features", "ring-formats", "ring-order-max",
         "timeline-max")
ANSWER = ("epoch", "peer-epoch", "channel")


def is_number(text: str) -> bool:
    """Whether it has the form of a number in a record."""
    return (text.isascii() and text.isdigit() and len(text) <= 20
            and (text == "0" or text[0] != "0"))


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
        if key in record or not is_number(value) or not low <= int(value) <= high:
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
        self._mapped = 0                            # windows on the other's memory
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
                return
            except OSError:                         # it is gone; its end of file will come
                self._out.clear()
                return
            self._out.popleft()

    @property
    def flushed(self) -> bool:
        """Whether all GRANTs are in the socket [HDB-LOCAL-015]."""
        return not self._out

    @property
    def clogged(self) -> bool:
        """Whether the other end does not read its socket."""
        return len(self._out) > 4096

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
                    raise BadPacket("a packet is too large")
                if data and not self.peer_left:
                    self._take(data, fds)
            finally:
                for fd in fds:                      # [HDB-LOCAL-004]
                    os.close(fd)
        return True

    def _take(self, data: bytes, fds: array.array[int]) -> None:
        """Check a packet and obey it [HDB-LOCAL-003]; clears ``fds`` of what it keeps."""
        if self.left:                               # [HDB-LOCAL-024]
            self._take_last(data)
            return
        if len(data) < LOCAL_PACKET.size:
            raise BadPacket("a packet is too small")
        (magic, kind, version, page_shift, first, count, offset, rights,
         length) = LOCAL_PACKET.unpack_from(data)
        text = data[LOCAL_PACKET.size:]
        if magic != LOCAL_MAGIC or kind not in Packet.__members__.values():
            raise BadPacket("a packet is none of this binding")
        if (kind == Packet.ATTACH) == self.attached:                    # [HDB-LOCAL-002]
            raise BadPacket("ATTACH is not the first packet, or not the only one")
        if len(fds) != (kind in (Packet.ATTACH, Packet.GRANT)):
            raise BadPacket("a packet has the wrong number of descriptors")
        if len(text) != length or (length and kind != Packet.RECORD) or length > RECORD_OCTETS:
            raise BadPacket("a packet has the wrong size")
        runs = kind in (Packet.GRANT, Packet.REVOKE, Packet.REVOKED)
        if ((kind != Packet.ATTACH and (version or page_shift)) or (not runs and (first or count))
                or (kind != Packet.GRANT and (offset or rights))):
            raise BadPacket("a field that must be zero is not")         #  [HDB-BOTH-001]
        if kind == Packet.ATTACH:
            self._attach(version, page_shift, fds)
        elif kind == Packet.RECORD:
            self.record = parse_record(text, self._wanted)
        elif kind == Packet.GRANT:
            self._grant(first, count, offset, rights, fds)
        elif kind == Packet.REVOKE:
            self._revoke(first, count)
        elif kind == Packet.REVOKED:
            if not self._revoked(first, count):
                raise BadPacket("REVOKED without REVOKE")
        elif kind == Packet.LEAVE:
            self.peer_left, self.record = True, {}

    def _take_last(self, data: bytes) -> None:
        """What may still come when this end has left."""
        if len(data) != LOCAL_PACKET.size:
            return
        magic, kind, *fields = LOCAL_PACKET.unpack(data)
        if magic == LOCAL_MAGIC and kind == Packet.LEAVE and not any(fields):
            self.peer_left, self.record = True, {}
        elif magic == LOCAL_MAGIC and kind == Packet.REVOKED:
            self._revoked(fields[2], fields[3])

    def _revoked(self, first: int, count: int) -> bool:
        """Nothing of these references is mapped any more; false if that was not asked for."""
        grant = self._own.get(first)
        if grant is None or count != grant.memory.pages or grant.revoked is None:
            return False
        del self._own[first]
        grant.revoked()
        return True

    def _attach(self, version: int, page_shift: int, fds: array.array[int]) -> None:
        if version != LOCAL_VERSION or page_shift != PAGE_SHIFT:
            raise BadPacket(f"the other end has version {version} and page shift {page_shift}")
        if os.readlink(f"/proc/self/fd/{fds[0]}") != "anon_inode:[eventfd]":
            raise BadPacket("ATTACH without an eventfd")                #  [HDB-LOCAL-022]
        self._peer_event = fds.pop()
        os.set_blocking(self._peer_event, False)                        # [HDB-LOCAL-012]
        self.attached = True

    def _grant(self, first: int, count: int, offset: int, rights: int,
               fds: array.array[int]) -> None:
        """[HDB-LOCAL-008]"""
        if first == 0 or count == 0 or first + count - 1 > M32:         # [HDB-LOCAL-006]
            raise BadPacket("GRANT of an impossible run")
        at = bisect.bisect_left(self._firsts, first)
        before = self._grants[self._firsts[at - 1]] if at else None
        if ((at < len(self._firsts) and self._firsts[at] < first + count)
                or (before and before.first + before.count > first)):
            raise BadPacket("GRANT of references that are in use")
        if rights not in (Rights.READ_ONLY, Rights.READ_WRITE) or offset % PAGE:
            raise BadPacket("GRANT with wrong rights or offset")
        info = os.fstat(fds[0])
        access = fcntl.fcntl(fds[0], fcntl.F_GETFL) & os.O_ACCMODE
        if access == os.O_WRONLY or (rights == Rights.READ_WRITE and access != os.O_RDWR):
            raise BadPacket("GRANT of memory that is not open as it should be")  # [HDB-LOCAL-017]
        if offset + count * PAGE > self._sealed_size(fds[0], info):     # [HDB-LOCAL-007]
            raise BadPacket("GRANT of memory that is not there")
        key = (info.st_dev, info.st_ino)
        if (len(self._grants) >= GRANTS_MAX or self._pages + count > GRANTED_PAGES_MAX
                or (key not in self._memories and len(self._memories) >= MEMORIES_MAX)):
            raise BadPacket("more is granted than may be")              #  [HDB-LOCAL-005]
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
            raise BadPacket("REVOKE of what is not one grant")
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

    def _find(self, reference: int) -> PeerGrant | None:
        at = bisect.bisect_right(self._firsts, reference)
        grant = self._grants[self._firsts[at - 1]] if at else None
        if grant is None or reference >= grant.first + grant.count or grant.revoking:
            return None
        return grant

    def _grant_of(self, reference: int) -> PeerGrant | None:
        grant = self._find(reference)
        if grant is None:
            self.receive(1024)                      # what names it may have overtaken its GRANT
            grant = self._find(reference)
        return grant

    def page_of(self, reference: int) -> object:
        """What is equal for two references to one page, and for none else."""
        grant = self._grant_of(reference)
        if grant is None:
            return reference
        return grant.memory.key, grant.offset + (reference - grant.first) * PAGE

    def check(self, reference: int, rights: Rights) -> PeerGrant:
        """The grant of a reference; KeyError if it does not give these rights."""
        grant = self._grant_of(reference)
        if grant is None or (rights != Rights.READ_ONLY and grant.rights == Rights.READ_ONLY):
            raise KeyError(reference)
        return grant

    def map(self, references: list[int], rights: Rights) -> Window:
        """Map pages in order, all or none [HDB-PLAT-006]; KeyError names the one that fails.

        They are mapped with the rights that are named here, and no others [HDB-IMP-004].
        """
        write = rights != Rights.READ_ONLY
        runs: list[list[int]] = []                  # offset, octets, number of the first page
        memories: list[PeerMemory] = []
        grants: dict[int, PeerGrant] = {}
        for n, reference in enumerate(references):
            grant = self.check(reference, rights)
            offset = grant.offset + (reference - grant.first) * PAGE
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
        self._mapped += 1
        for grant in grants.values():
            grant.mappings += 1

        def closed() -> None:
            self._mapped -= 1
            for grant in grants.values():
                grant.mappings -= 1
                self._forget(grant)
            if self.left:
                self._end_side()

        return Window(pieces, maps, closed)

    def copy_page(self, reference: int) -> bytes:
        """[HDB-IMP-002]"""
        window = self.map([reference], Rights.READ_ONLY)
        try:
            return window.read(0, PAGE)
        finally:
            window.close()

    def grant(self, memory: OwnMemory) -> OwnGrant:
        """Give new references to all pages of some memory [HDB-LOCAL-014]."""
        pages = memory.pages
        granted = sum(each.memory.pages for each in self._own.values())
        if len(self._own) >= MEMORIES_MAX or granted + pages > OWN_PAGES_MAX:
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

    def revoke(self, grant: OwnGrant, revoked: Callable[[], None],
               in_use: Callable[[], None] = lambda: None) -> None:
        """Ask for references back, and be told when nothing of them is mapped any more.

        If that takes long, be told first that they are still in use [HDB-PLAT-005].
        """
        if grant.first not in self._own or grant.revoked:
            return
        grant.revoked, grant.in_use, grant.due = revoked, in_use, time.monotonic() + IN_USE
        if self.left:
            self._settle()
        else:
            self.send(Packet.REVOKE, first=grant.first, count=grant.memory.pages)

    def look_at_clock(self) -> None:
        """Report the references that are still in use."""
        now = time.monotonic()
        for grant in list(self._own.values()):
            if grant.in_use and grant.due <= now:
                in_use, grant.in_use = grant.in_use, None
                in_use()

    def deadline(self) -> float:
        """When to look at the clock."""
        return min((grant.due for grant in self._own.values() if grant.in_use),
                   default=float("inf"))

    def descriptors(self) -> int:
        return len(self._memories)

    # -- the end

    def leave(self) -> None:
        """Be done with it as soon as nothing of the other's is mapped any more."""
        if not self.left:
            self.send(Packet.LEAVE)
        self._end_side()

    def _end_side(self) -> None:
        """[HDB-LOCAL-020]"""
        if self.ended or self._mapped:
            return
        self.ended = True
        try:
            self.flush()
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
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
