# SPDX-License-Identifier: MIT
"""Memory, the other end's and this end's."""

from __future__ import annotations

import bisect
import fcntl
import mmap
import os
import sys
import zlib
from _thread import allocate_lock
from collections.abc import Callable, Iterator

from .wire import M32, PAGE

_fence = allocate_lock()


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

    def __init__(self, pieces: list[memoryview], maps: list[mmap.mmap] | None = None,
                 closed: Callable[[], None] | None = None) -> None:
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

    def repeat(self, offset: int, octets: int, pattern: bytes) -> None:
        """Fill a range with a pattern, over and over."""
        for at in range(0, octets, len(pattern)):
            self.write(offset + at, pattern[:octets - at])

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
        try:
            os.ftruncate(self.fd, pages * PAGE)
            self._map = mmap.mmap(self.fd, pages * PAGE)
        except (OSError, OverflowError):
            os.close(self.fd)
            raise MemoryError from None
        self._view = memoryview(self._map)
        # This end's mapping, made before, stays writable [HDB-LOCAL-007] [HDB-LOCAL-009].
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, seals | (F_SEAL_FUTURE_WRITE if read_only else 0))

    def window(self, first: int = 0, count: int | None = None) -> Window:
        end = self.pages if count is None else first + count
        return Window([self._view[first * PAGE:end * PAGE]] if end > first else [])

    def scattered(self, order: list[int]) -> Window:
        """Its pages in another order."""
        runs: list[list[int]] = []                  # first page, and the one after the last
        for n in order:
            if runs and runs[-1][1] == n:
                runs[-1][1] += 1
            else:
                runs.append([n, n + 1])
        return Window([self._view[first * PAGE:end * PAGE] for first, end in runs])

    def free(self) -> None:
        """Let it go; all windows are closed by then."""
        self._view.release()
        self._map.close()
        os.close(self.fd)
