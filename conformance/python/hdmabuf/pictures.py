# SPDX-License-Identifier: MIT
"""Applications that share pictures, and the peer that runs them."""

from __future__ import annotations

import sys
import time

from .answers import refusal_text
from .buffers import Buffer, Content, HandOff, Limits
from .descriptors import Descriptor, Picture, fourcc
from .link import Link, Peer
from .memory import Window
from .rings import Timeline
from .session import Application, Session, ignore
from .wire import (DESCRIPTOR_OCTETS, DONE, PAGE, PEER, SHUTDOWN, Feature, Format, Kind, Refusal,
                   Rights, Status, note)


class Totals:
    """What the summary says."""

    def __init__(self, verify: bool) -> None:
        self.verify, self.frames, self.crc, self.fresh = verify, 0, 0, True

    def count(self) -> None:
        self.frames += 1
        if self.fresh:
            self.fresh = False
            note("the first frame of a session is through")

    def line(self) -> str:
        return f"{self.frames} frames" + (f", crc32 {self.crc:08x}" if self.verify else "")


class Importer(Application):
    """Looks at every picture that it is handed, once, and believes nothing of it [HDB-IMP-007].

    It looks only when a hand-off says so, at lent buffers as at others [HDB-IMP-017].
    """

    def __init__(self, totals: Totals) -> None:
        self.totals = totals

    def limits(self, slots: int) -> Limits:
        return Limits(1 << 30, 256, 64, PAGE - DESCRIPTOR_OCTETS, slots)

    def connected(self, session: Session) -> None:
        self.totals.fresh = True

    def turn(self, session: Session, parts: list[HandOff]) -> None:
        parts = [part for part in parts if part.status == Status.OK]
        if parts:
            self.totals.count()
        for part in parts:
            if self.totals.verify and part.buffer.window and part.descriptor.type == Kind.PICTURE:
                self.totals.crc = picture_crc(part.buffer.window, part.descriptor,
                                              self.totals.crc)
            if part.buffer.lent:
                try:
                    session.hand_back(part.buffer, part.stamp)
                except Refusal:
                    pass                            # the session is being closed


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

    def __init__(self, options, totals: Totals) -> None:
        self.options, self.totals = options, totals
        width, height = options.size
        self._picture = Picture.laid_out(width, height, fourcc("XR24"), 64)
        self._ramp = memoryview(bytes(value & 0xFF for n in range(width * 2)
                                      for value in (n, n >> 1, n * 3, 0xFF)))
        self._done = 0                              # frames that are finished with
        self._session: Session | None = None
        self._timeline: Timeline | None = None
        self._buffers: list[Buffer] = []
        self._due_back: dict[Buffer, int] = {}      # how often they have to be heard of
        self._point = self._base = self._due = 0

    def connected(self, session: Session) -> None:
        self._session, self._buffers, self._due, self.totals.fresh = session, [], 0, True
        self._point, self._base = 0, self._done

        def created(status: Status, body: bytes) -> None:
            if status != Status.OK:
                self._refused(status, f"the other end takes no timeline: {status.name}")
                return
            self._export(session)

        try:
            self._timeline = session.create_timeline(PEER, 0, created)
        except Refusal as refusal:
            self._fail(f"the other end takes no timeline: {refusal}")

    def _export(self, session: Session) -> None:
        rights, form = self.options.rights, self.options.directory
        feature = {Format.TABLE: Feature.TABLE, Format.EXTENTS: Feature.EXTENTS}.get(form)
        if feature and not session.features & feature:                  # [HDB-BOTH-018]
            form = Format.LIST
        if rights == Rights.LEND and not session.features & Feature.LEND:
            rights = Rights.READ_WRITE
        for tag in range(self.options.buffers):
            content = Content(self._picture.octets(), rights, Kind.PICTURE, self._picture.pack(),
                              tag, b"", form, self.options.data_offset)
            try:
                self._share(session, content)
            except Refusal:                         # as many as it takes [HDB-EXP-008]
                break
            except MemoryError:
                self._fail("there is no memory for the buffers")
                return
        if not self._due:
            self._fail("the other end takes no such buffer")

    def _share(self, session: Session, content: Content) -> None:
        def exported(status: Status, body: bytes) -> None:
            self._due -= 1
            if status != Status.OK:
                self._refused(status, f"a buffer was refused: {refusal_text(status, body)}")
            else:
                self._buffers.append(buffer)
                self._next(buffer)

        buffer = session.export(content, exported, self.options.scatter)
        self._due += 1

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

        try:
            session.wait(timeline, point, reached)
            session.hand_off(buffer, answered, frame, signal=timeline, signal_point=point)
        except Refusal as refusal:
            self._refused(refusal.status, f"a buffer cannot be handed off: {refusal}")

    def _draw(self, buffer: Buffer, frame: int) -> None:
        assert buffer.window is not None
        offset, width = buffer.descriptor.data_offset, self._picture.width
        stride = self._picture.plane[0][1]
        for row in range(self._picture.height):
            at = (frame * 2 + row) % width * 4
            buffer.window.write(offset + row * stride, self._ramp[at:at + width * 4])

    def _back(self, buffer: Buffer) -> None:
        """The importer is done with a frame."""
        self._due_back[buffer] = self._due_back.get(buffer, 0) - 1
        if self._due_back[buffer]:
            return
        if self.totals.verify and buffer.window:
            self.totals.crc = picture_crc(buffer.window, buffer.descriptor, self.totals.crc)
        self._done += 1
        self.totals.count()
        self._next(buffer)

    def turn(self, session: Session, parts: list[HandOff]) -> None:
        for part in parts:                          # a lent buffer comes back
            if part.status == Status.OK and part.descriptor.rights == Rights.LEND:
                self._back(part.buffer)

    def _wind_up(self, session: Session) -> None:
        """Take everything back and close."""
        for buffer in list(self._buffers):
            session.unexport(buffer, self.GRACE_MS, ignore)

    def quarantined(self, buffer: Buffer) -> None:
        self.released(buffer)                       # it is lost for this session, too

    def released(self, buffer: Buffer) -> None:
        session, timeline = self._session, self._timeline
        if buffer not in self._buffers or session is None or timeline is None:
            return
        self._buffers.remove(buffer)
        if self._buffers or session.over:
            return
        if self.options.frames and self._done >= self.options.frames:
            self.finished = True
            session.destroy_timeline(timeline, lambda status, _: self._close(DONE))
        else:
            self._fail("the other end has released all buffers")

    def _refused(self, status: Status, why: str) -> None:
        """Something cannot be done; that the session ends is no reason to give up."""
        if self._session and status not in (Status.LOST, Status.CLOSING):
            self._fail(why)

    def _fail(self, why: str) -> None:
        self.error = self.error or why
        self.finished = True
        self._close(SHUTDOWN)

    def _close(self, reason: int) -> None:
        try:
            if self._session:
                self._session.close(reason)
        except Refusal:
            pass                                    # it is on its way

    def over(self, status: Status) -> None:
        self._session = self._timeline = None
        self._buffers, self._due_back = [], {}


class PicturePeer(Peer):
    """Exports pictures, or imports them, until there are no more."""

    def __init__(self, options) -> None:
        self._options, self.totals = options, Totals(options.verify)
        exporter = Exporter(options, self.totals) if options.export else None

        def application() -> Application:
            if options.role == "frontend" and exporter:
                return exporter                     # goes on after a loss where it was
            return Exporter(options, self.totals) if exporter else Importer(self.totals)

        self._exporter = exporter
        super().__init__(options.role, options.endpoint, application, options.once)

    def look(self) -> bool:
        for link in self.links:
            self._report(link)
        return False

    def _report(self, link: Link) -> None:
        if link.app.error and not self.stopping:
            print(f"hdmabuf_peer: {link.app.error}", file=sys.stderr)
            if not self.backend or self.once:
                self.code, self.stopping = 69, time.monotonic()
            link.app.error = ""

    def given_up(self) -> bool:
        return self._exporter is not None and self._exporter.finished


def run(options) -> int:
    peer = PicturePeer(options)
    try:
        code = peer.run()
    finally:
        peer.clean_up()
    print(peer.totals.line(), flush=True)
    return code
