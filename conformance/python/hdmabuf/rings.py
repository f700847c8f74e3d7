# SPDX-License-Identifier: MIT
"""What lies in the channel: rings and timelines."""

from __future__ import annotations

import collections
from collections.abc import Callable

from .memory import Window, barrier
from .wire import CELL, M32, SLOT, Broken, Status, known_status


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


class Timeline:
    """A timeline at one end, with its cell; its words have one writer each [HDB-BOTH-054].

    ``named`` is the greatest point that a hand-off has named; ``due`` are the hand-offs that
    are noted here and name a point of it, in their order.
    """

    def __init__(self, window: Window, number: int, signalled_here: bool, point: int) -> None:
        self._window, self._cell, self.signalled_here = window, number * CELL, signalled_here
        self.number, self.point, self.named = number, point, point
        self.open = True                            # until it is destroyed
        self.created = False                        # TIMELINE_CREATE is answered
        self.error = 0
        self._waits: list[tuple[int, Callable[[Status], None]]] = []
        self.due: collections.deque = collections.deque()

    def load(self) -> int | None:
        """The point in the cell; none while it is being moved."""
        high = self._window.load32(self._cell)
        barrier()
        low = self._window.load32(self._cell + 4)
        barrier()
        return high << 32 | low if self._window.load32(self._cell + 8) == high else None

    def load_error(self) -> int:
        return self._window.load32(self._cell + 12)

    def initialise(self) -> None:
        """The cell before TIMELINE_CREATE [HDB-BOTH-053]"""
        self._window.write(self._cell, bytes(CELL))
        for offset, word in ((8, self.point >> 32), (4, self.point), (0, self.point >> 32)):
            self._window.store32(self._cell + offset, word)

    def signal(self, point: int) -> bool:
        """Store a point, unless it is past or the timeline has failed [HDB-BOTH-055/057/058].

        Return true if the other end wants a notification.
        """
        old = self.point
        if point <= old or self.error:
            return False
        self.point = point
        barrier()
        self._window.store32(self._cell + 8, point >> 32)
        barrier()
        self._window.store32(self._cell + 4, point)
        barrier()
        self._window.store32(self._cell, point >> 32)
        barrier()
        wake = self._window.load32(self._cell + 32)
        return (point - wake) & M32 < (point - old) & M32 or point >> 32 != old >> 32

    def fail(self, status: int) -> None:
        """Store an error, after the last point; the other end is to be notified."""
        self.error = status
        barrier()
        self._window.store32(self._cell + 12, status)

    def wait(self, point: int, done: Callable[[Status], None]) -> None:
        """Call when the point is reached, or will never be."""
        self._waits.append((point, done))

    def reached(self) -> int:
        """The point, as far as this end knows it."""
        if not self.signalled_here:
            self.point = max(self.point, self.load() or 0)              # [HDB-BOTH-056]
        return self.point

    def look(self) -> bool:
        """See what was signalled and end waits; true if any ended."""
        if not self._waits:
            return False
        self.error = self.error or self.load_error()
        barrier()
        point, waits = self.reached(), self._waits
        over = waits if self.error else [wait for wait in waits if wait[0] <= point]
        self._waits = [wait for wait in waits if wait not in over]
        for wanted, done in over:                                       # [HDB-BOTH-060]
            done(Status.OK if wanted <= point else known_status(self.error))
        return bool(over)

    def arm(self) -> bool:
        """[HDB-BOTH-059]"""
        if not self._waits:
            return False
        self._window.store32(self._cell + 32, min(point for point, _ in self._waits))
        barrier()
        return self.look()

    def end(self, status: Status) -> None:
        """[HDB-BOTH-061]"""
        self.open = False
        waits, self._waits = self._waits, []
        for _, done in waits:
            done(status)
