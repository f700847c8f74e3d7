# SPDX-License-Identifier: MIT
"""Connections, the sessions over them, and the loop around it all."""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import struct
import time
from collections.abc import Callable

from .local import ANSWER, OFFER, Connection, OwnGrant
from .memory import OwnMemory, Window
from .session import Application, Session
from .wire import (CHANNEL, CHANNEL_MAGIC, FEATURES, PAGE_SHIFT, RING_ORDER_MAX, RING_START,
                   SHUTDOWN, TIMELINE_PAGES_MAX, VERSION, BadPacket, Broken, Faults, Feature,
                   Refusal, Rights, SessionState, Status, Where, known_status, note,
                   random_epoch)

PATIENCE = 5.0                                      # seconds, with a CLOSE that is not answered


class Failure(Exception):
    """What ends the program, with this exit status."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Link:
    """A connection and the sessions over it, one after the other."""

    _other = 0                                      # index of the other end's epoch

    def __init__(self, conn: Connection, app: Application) -> None:
        self.conn, self.app = conn, app
        self.state = SessionState.READY
        self.session: Session | None = None
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
            if self.conn.clogged:
                raise BadPacket("the other end does not read its socket")
        except BadPacket as error:                                      # [HDB-LOCAL-003]
            note(f"the connection is closed: {error}")
            self.leave()
        self.conn.look_at_clock()
        if self.conn.peer_left or self.conn.peer_ended:
            self.leave()
        elif not self.conn.attached and time.monotonic() > self.conn.began + 3:
            self.leave()                                                # [HDB-LOCAL-013]
        return more

    def _serve(self) -> bool:
        more = False
        if self.state == SessionState.DOWN:
            self.state = SessionState.READY
        try:
            if self.session:
                more = self._look_at(self.session)
        except Broken as error:
            note(f"the session is lost: {error}")
            self._over(SessionState.READY, Status.LOST)
        if self.session is None and self.state == SessionState.READY and self.conn.attached:
            more |= self._look_for_peer()
        return more or self.state == SessionState.DOWN

    def _look_at(self, session: Session) -> bool:
        more = session.work()
        session.flush()
        if session.close_answered:
            session.work_all()
            session.flush()
            self._over(SessionState.DOWN, Status.OK)
        elif session.peer_closed:
            self._over(SessionState.READY, Status.OK)
        elif session.failed:
            self._over(SessionState.READY, Status.LOST)
        elif self.conn.record.get("epoch", 0) != session.epochs[self._other]:   # [HDB-BOTH-016]
            session.work_all()
            session.flush()
            good = session.peer_closed or session.close_answered
            self._over(SessionState.READY, Status.OK if good else Status.LOST)
        elif time.monotonic() > self._patience:
            note("CLOSE is not answered")
            self._over(SessionState.READY, Status.TIMED_OUT)
        else:
            if session.state == SessionState.CLOSING != self.state:
                self._patience = time.monotonic() + PATIENCE
            self.state = session.state
            more |= session.arm()
        return more

    def _look_for_peer(self) -> bool:
        raise NotImplementedError

    def _over(self, state: SessionState, status: Status) -> None:
        """The session is over; what is next is in the state."""
        session, self.session = self.session, None
        if session is None:
            return
        self._patience = float("inf")
        connected = session.state in (SessionState.CONNECTED, SessionState.CLOSING)
        if session.state == SessionState.CLOSING:
            state = SessionState.DOWN
        self.state = state
        session.end(status)
        self._withdraw()
        if connected:
            self.sessions += 1
            self.good &= status == Status.OK
            note("the session is over" + ("" if status == Status.OK else ": it was lost"))

    def _withdraw(self) -> None:
        """What a session has left behind."""
        raise NotImplementedError

    def leave(self) -> None:
        """Be done with the connection."""
        if self.gone:
            return
        self.gone = True
        if self.session:
            good = self.session.peer_closed or self.session.close_answered
            self._over(SessionState.DOWN, Status.OK if good else Status.LOST)
        self.state = SessionState.DOWN
        self.conn.leave()

    def deadline(self) -> float:
        due = self.conn.deadline()
        if self.gone:
            return min(due, time.monotonic() + 0.5)     # until the other end has ended its side
        if not self.conn.attached:
            return self.conn.began + 3.01
        return min(self.session.deadline() if self.session else due, self._patience, due)


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

    def _withdraw(self) -> None:
        self.epoch = 0
        if self.state == SessionState.DOWN:
            self.conn.publish({})

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
        theirs, mine, their_cells, my_cells = windows
        self.session = self.app.session_type(
            self.conn, self.app, True, (record["epoch"], self.epoch), FEATURES,
            [mine, theirs, my_cells, their_cells], (back_start, front_start))
        self.state = SessionState.GREETING
        return True

    def _open_channel(self, record: dict[str, int], windows: list[Window]) -> tuple[int, int]:
        """Check the channel page and map what it names [HDB-BE-001] [HDB-BE-002].

        Return where the frontend's ring and the backend's ring begin.
        """
        def bad(offset: int, reference: int) -> Refusal:
            return Refusal(Status.BAD_REFERENCE, Where.CHANNEL, offset, reference)

        try:
            page = self.conn.copy_page(record["channel"])
        except KeyError:
            raise bad(0, record["channel"]) from None
        areas, starts = self._check_channel(page, record)
        references = struct.unpack_from(f"<{sum(areas)}Q", page, CHANNEL.size)
        at = 0
        for pages in areas:
            part = list(references[at:at + pages])
            try:
                windows.append(self.conn.map(part, Rights.READ_WRITE))
            except KeyError as error:
                raise bad(CHANNEL.size + 8 * (at + part.index(error.args[0])),
                          error.args[0]) from None
            except MemoryError:
                raise Refusal(Status.NO_MEMORY) from None
            at += pages
        return starts

    def _check_channel(self, page: bytes,
                       record: dict[str, int]) -> tuple[list[int], tuple[int, int]]:
        (magic, version, epoch_frontend, epoch_backend, page_shift, ring_format, frontend_order,
         backend_order, timeline_pages, count, front_start, back_start,
         zero) = CHANNEL.unpack_from(page)
        faults = Faults(Where.CHANNEL)
        for offset, value, wanted in ((0, magic, CHANNEL_MAGIC), (4, version, VERSION),
                                      (24, page_shift, PAGE_SHIFT), (28, ring_format, 0)):
            faults.add(value != wanted, Status.INVALID, offset, value)
        faults.add(epoch_frontend != record["epoch"], Status.WRONG_EPOCH, 8, epoch_frontend)
        faults.add(epoch_backend != self.epoch, Status.WRONG_EPOCH, 16, epoch_backend)
        for offset, value, most in ((32, frontend_order, RING_ORDER_MAX),
                                    (36, backend_order, RING_ORDER_MAX),
                                    (40, timeline_pages, TIMELINE_PAGES_MAX)):
            faults.add(value > most, Status.LIMIT, offset, most)
        faults.zero(56, zero)
        faults.settle()
        areas = [1 << frontend_order, 1 << backend_order, timeline_pages, timeline_pages]
        faults.add(count != sum(areas), Status.INVALID, 44, count)
        faults.settle()
        faults.zero(CHANNEL.size + 8 * count, page[CHANNEL.size + 8 * count:])
        faults.settle()
        return areas, (front_start, back_start)


class FrontendLink(Link):
    """A frontend's link: it makes a channel for every offer."""

    _other = 1

    def __init__(self, conn: Connection, app: Application) -> None:
        super().__init__(conn, app)
        self._grant: OwnGrant | None = None
        self._answered = 0                          # epoch of the offer answered last
        self._not_before = 0.0
        self._attempts = 0                          # that were refused
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
                self._not_before = now + min(0.05 * 2 ** self._attempts, 10)
            if now < self._not_before:
                return False
        self._not_before, self._refused = 0.0, False
        self._attempt(offer)
        return True

    def _over(self, state: SessionState, status: Status) -> None:
        self._refused = self.session is not None and self.session.failed
        if not self._refused:
            self._attempts = 0
        super()._over(state, status)

    def deadline(self) -> float:
        return min(super().deadline(), self._not_before or float("inf"))

    def _attempt(self, offer: dict[str, int]) -> None:
        """Make a channel [HDB-FE-001], put HELLO into it, and publish it [HDB-FE-002]."""
        self.epoch, self._answered = random_epoch(), offer["epoch"]
        cells = min(1, offer["timeline-max"])
        pages = [1, 1, cells, cells]                # both rings have one page
        memory = OwnMemory(1 + sum(pages), False)
        self._grant = grant = self.conn.grant(memory)
        head = CHANNEL.pack(CHANNEL_MAGIC, VERSION, self.epoch, offer["epoch"], PAGE_SHIFT, 0, 0,
                            0, cells, sum(pages), RING_START, RING_START, b"")
        window = memory.window(0, 1)
        window.write(0, head + struct.pack(f"<{sum(pages)}Q", *grant.references()[1:]))
        window.close()
        windows, at = [], 1
        for count in pages:
            windows.append(memory.window(at, count))
            at += count
        for ring in windows[:2]:                                        # [HDB-FE-004]
            for offset in (0, 8):
                ring.store32(offset, RING_START)
                ring.store32(offset + 4, RING_START + 1)
        features = Feature(offer["features"] & FEATURES)                # [HDB-FE-007]
        self.session = self.app.session_type(
            self.conn, self.app, False, (self.epoch, offer["epoch"]), features, windows,
            (RING_START, RING_START))
        self.state = SessionState.GREETING
        self.session.hello(features)
        self.session.flush()
        self.conn.publish({"epoch": self.epoch, "peer-epoch": offer["epoch"],
                           "channel": grant.first})

    def _withdraw(self) -> None:
        self.conn.publish({})                                           # [HDB-FE-010]
        grant, self._grant = self._grant, None
        if grant:                                                       # [HDB-FE-008]
            self.conn.revoke(grant, grant.memory.free)


class Peer:
    """All links of one process, with one application each.

    ``stop`` is called when a signal asks for the end, ``look`` in every round of the loop, and
    ``ready`` with a descriptor other than those of the links that was registered.
    """

    def __init__(self, role: str, path: str, application: Callable[[], Application],
                 once: bool = False) -> None:
        self.backend, self.path, self.once = role == "backend", path, once
        self._application = application
        self.links: list[Link] = []
        self._listener: socket.socket | None = None
        self.stopping = 0.0                         # when it was asked to stop
        self._asked = False
        self.code = 0
        self.epoll = select.epoll()

    # -- links

    def _listen(self) -> None:
        """[HDB-LOCAL-001]"""
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        probe.setblocking(False)                    # a queue that is full must not stop it
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
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._listener.bind(self.path)
        except OSError as error:
            raise Failure(69, f"{self.path}: {error.strerror}") from None
        self._listener.listen(16)
        self._listener.setblocking(False)
        self.epoll.register(self._listener, select.EPOLLIN)

    def _accept(self) -> None:
        while self._listener and not self.stopping:
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:                         # no descriptors are left [HDB-LOCAL-005]
                if self.links:
                    max(self.links, key=lambda link: link.conn.descriptors()).leave()
                return
            self._add(sock, BackendLink, ANSWER)

    def _connect(self) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.setblocking(False)
        try:
            sock.connect(self.path)
        except OSError:
            sock.close()
            return
        self._add(sock, FrontendLink, OFFER)

    def _add(self, sock: socket.socket, kind: type[Link], wanted: tuple[str, ...]) -> None:
        try:
            conn = Connection(sock, wanted)
        except OSError:
            sock.close()
            return
        self.links.append(kind(conn, self._application()))
        self.epoll.register(sock, select.EPOLLIN | select.EPOLLRDHUP)
        # Edges need no reading, which a peer could make block [HDB-BOTH-003].
        self.epoll.register(conn.event, select.EPOLLIN | select.EPOLLET)

    # -- the loop

    def run(self) -> int:
        if self.backend:
            self._listen()
        wakeup, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer)
        self.epoll.register(wakeup, select.EPOLLIN | select.EPOLLET)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)
        retry = 0.0
        while True:
            if not self.backend and self._lonely() and time.monotonic() > retry:
                self._connect()
                # The more connections wind up, which takes descriptors, the slower.
                retry = time.monotonic() + 0.02 * (1 + len(self.links))
            more = False
            for link in list(self.links):
                more |= self._step(link)
            more |= self.look()
            if self._asked:
                self.stop()
            if self._finished():
                return self.code
            if self.backend:
                self._accept()
            self._sleep(0.0 if more else self._timeout())

    def _lonely(self) -> bool:
        """Whether a frontend has to look for a backend."""
        return not self.stopping and all(link.gone for link in self.links)

    def _timeout(self) -> float:
        now = time.monotonic()
        due = min((link.deadline() for link in self.links), default=float("inf"))
        if self.stopping or (not self.backend and self._lonely()):
            due = min(due, now + 0.02)
        return max(0.0, min(due - now, 60))

    def _sleep(self, timeout: float) -> None:
        own = {fd: link for link in self.links
               for fd in (link.conn.sock.fileno(), link.conn.event)}
        for fd, events in self.epoll.poll(timeout):
            if fd in own and events & (select.EPOLLHUP | select.EPOLLRDHUP):
                # A socket that has ended stays ready; look at it by the clock instead.
                if own[fd].conn.peer_ended:
                    self.epoll.unregister(fd)
            elif fd not in own:
                self.ready(fd)

    def look(self) -> bool:
        """What else there is to do; true if there is more of it."""
        return False

    def ready(self, fd: int) -> None:
        """Something is to be read."""

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
        elif link.session is None and (self.stopping or link.sessions and
                                       (self.once or link.app.finished)):
            link.leave()
        if self.once and link.sessions and not self.stopping:
            self.code = 0 if link.good else 75
            self.stopping = time.monotonic()
        return more

    def _ask(self, *_: object) -> None:
        self._asked = True

    def stop(self) -> None:
        """Close everything in good order."""
        self._asked = False
        if not self.stopping:
            self.stopping = time.monotonic()
        for link in self.links:
            if link.session and link.session.state == SessionState.CONNECTED:
                link.session.close(SHUTDOWN)
                link.session.flush()
            elif link.session and link.session.state == SessionState.GREETING:
                link.leave()

    def _finished(self) -> bool:
        """Whether it is time to end: nothing of the others' is mapped any more, or too long."""
        if self.stopping:
            return (all(link.conn.ended for link in self.links)
                    or time.monotonic() > self.stopping + 1)
        return not self.backend and self._lonely() and self.given_up()

    def given_up(self) -> bool:
        """Whether a frontend without a connection has nothing more to look for."""
        return False

    def clean_up(self) -> None:
        if self._listener:
            self._listener.close()
            try:
                os.unlink(self.path)
            except OSError:
                pass
