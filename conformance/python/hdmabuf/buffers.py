# SPDX-License-Identifier: MIT
"""What a session keeps: buffers and hand-offs."""

from __future__ import annotations

import collections

from .descriptors import Descriptor
from .local import OwnGrant
from .memory import Window
from .rings import Timeline
from .wire import PAGE, BufferState, Format, Kind, Rights, Status, up

Limits = collections.namedtuple("Limits", "max_octets max_buffers max_timelines max_private "
                                          "max_in_flight", defaults=[0, 0, 0, 0, 0])
# The states in which a buffer may be handed off to this end, and accessed by a processor.
HERE = (BufferState.LIVE, BufferState.LENT, BufferState.IMPORTED, BufferState.MAPPED)


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
        self.accesses = 0                           # by CPU_BEGIN, not ended yet

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
