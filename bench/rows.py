# SPDX-License-Identifier: MIT
"""The rows of the benchmark's table: what is held against what, and what it shall reach.

A row is about two bursts of build/bench/bench, each by its name there: their ratio is taken in
every round. A kind of ring, or of waiting, is one more entry of RINGS; a way to move a frame, one
of WAYS.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Row:
    """What is measured, and what that is held against.

    most and least are what the ratio shall reach, or, without a reference, what is measured.
    scale makes the unit of what bench says, and is 1 unless given.
    """

    section: str
    name: str
    unit: str
    ours: str
    reference: str | None = None
    most: float | None = None
    least: float | None = None
    scale: float = 1.0


WINDOWS = (1, 4, 8, 32)

# Kinds of rings of this tree: what a round trip by polling, and a stream, may take of Xen's.
RINGS = {
    "format-0": ("ring format 0", 1.05, None),
    "format-1": ("ring format 1", 0.85, 1.00),
}

SIZES = {"4KiB": "4 KiB", "33MB": "33 MB", "1GiB": "1 GiB"}

# What is flat may become this much more expensive: caches and tables grow.
FLAT = 1.25

WAYS = {
    "memcpy-fresh": "memcpy into fresh memory",
    "unix-stream": "unix stream",
    "pipe-stream": "pipe",
    "process_vm_readv": "process_vm_readv",
    "scm-rights": "memfd by SCM_RIGHTS, mmap, touch",
}


def polled() -> list[Row]:
    section = "Rings, polled, each end on a processor of its own, a request"
    rows = [Row(section, "Xen's macros : two cache lines", "ns", "xen/polled/cross/1", "lines/cross/1")]
    for kind, (words, trip, stream) in RINGS.items():
        rows.append(Row(section, f"{words} : two cache lines", "ns", f"{kind}/polled/cross/1", "lines/cross/1"))
        for window in WINDOWS:
            rows.append(Row(section, f"{words} : Xen's macros, {window} outstanding", "ns",
                            f"{kind}/polled/cross/{window}", f"xen/polled/cross/{window}",
                            trip if window == 1 else stream))
        for window in WINDOWS[1:]:
            rows.append(Row(section, f"{words} : Xen's macros, stream of {window}", "ns",
                            f"{kind}/polled/cross/{window}/stream", f"xen/polled/cross/{window}/stream", stream))
    return rows


def notified() -> list[Row]:
    section = "Rings, notified, both ends on one processor, a request"
    rows = [Row(section, f"{words} : eventfd", "ns", f"{way}/same/1", "eventfd/same/1")
            for way, words in (("futex", "futex"), ("pipe", "pipe, 64 octets"),
                               ("seqpacket", "SEQPACKET, 64 octets"))]
    for window in WINDOWS:
        rows.append(Row(section, f"Xen's macros : eventfd, {window} outstanding", "ns",
                        f"xen/notified/same/{window}", "eventfd/same/1"))
    rows.append(Row(section, "ring format 0, one sched_yield() before sleeping : eventfd", "ns",
                    "format-0/yielded/same/1", "eventfd/same/1"))
    for kind, (words, _, _) in RINGS.items():
        for window in WINDOWS:
            rows.append(Row(section, f"{words} : eventfd, {window} outstanding", "ns",
                            f"{kind}/notified/same/{window}", "eventfd/same/1"))
        for window in WINDOWS:
            rows.append(Row(section, f"{words} : Xen's macros, {window} outstanding, notified", "ns",
                            f"{kind}/notified/same/{window}", f"xen/notified/same/{window}"))
        for window in WINDOWS[1:]:
            rows.append(Row(section, f"{words} : Xen's macros, stream of {window}, notified", "ns",
                            f"{kind}/notified/same/{window}/stream", f"xen/notified/same/{window}/stream"))
    return rows


def notifications() -> list[Row]:
    section = "Notifications a request, each end on a processor of its own"
    rows = []
    for kind, (words, _, _) in RINGS.items():
        for window in WINDOWS:
            rows.append(Row(section, f"{words}, {window} outstanding", "notifications",
                            f"notifications {kind}/notified/cross/{window}",
                            f"notifications xen/notified/cross/{window}",
                            least=None, most=None))
        if kind == "format-0":
            rows.append(Row(section, f"{words}, one sched_yield() before sleeping, 1 outstanding", "notifications",
                            f"notifications {kind}/yielded/cross/1", f"notifications {kind}/notified/cross/1"))
        rows.append(Row(section, f"{words}, 32 outstanding, in all", "notifications",
                        f"notifications {kind}/notified/cross/32", most=2 / 32))
    return rows


def adaptive() -> list[Row]:
    section = "Rings, adaptive: looking before sleeping as long as that is of use, a request"
    rows = []
    for kind, (words, _, _) in RINGS.items():
        for window in WINDOWS:
            rows.append(Row(section, f"{words}, {window} outstanding, one processor : notified", "ns",
                            f"{kind}/adaptive/same/{window}", f"{kind}/notified/same/{window}", 1.05))
        for window in WINDOWS:
            rows += [
                Row(section, f"{words}, {window} outstanding, two processors : polled", "ns",
                    f"{kind}/adaptive/cross/{window}", f"{kind}/polled/cross/{window}"),
                Row(section, f"{words}, {window} outstanding, two processors : notified", "ns",
                    f"{kind}/adaptive/cross/{window}", f"{kind}/notified/cross/{window}"),
                Row(section, f"notifications, {words}, {window} outstanding : notified", "notifications",
                    f"notifications {kind}/adaptive/cross/{window}",
                    f"notifications {kind}/notified/cross/{window}", 0.25),
                Row(section, f"sleeps, {words}, {window} outstanding : notified", "sleeps",
                    f"sleeps {kind}/adaptive/cross/{window}", f"sleeps {kind}/notified/cross/{window}", 0.25),
            ]
    return rows


def instructions() -> list[Row]:
    section = "Instructions, counted by callgrind"
    return [
        Row(section, "ring round trip, both ends", "instructions", "instructions ring_round_trip",
            "instructions xen_ring_round_trip"),
        Row(section, "ring round trip, both ends, in all", "instructions", "instructions ring_round_trip", most=110),
        Row(section, "a request of 32 outstanding, both ends", "instructions", "instructions ring_batch_of_32"),
        Row(section, "hand-off: encode, decode, check, answer", "instructions", "instructions hand_off"),
        Row(section, "timeline: signal and read", "instructions", "instructions timeline_signal_and_read"),
    ]


def frames() -> list[Row]:
    section = "A frame, moved or handed over"
    rows = []
    for size, words in SIZES.items():
        rows += [Row(section, f"{way_words} : memcpy, {words}", "us", f"{size}/{way}/cross/1",
                     f"{size}/memcpy/cross/1", scale=1e-3) for way, way_words in WAYS.items()]
        rows.append(Row(section, f"hand-off, polled : memcpy, {words}", "us", f"{size}/hand-off/polled/cross/1",
                        f"{size}/memcpy/cross/1", most=1 / 20000 if size == "33MB" else None, scale=1e-3))
        rows.append(Row(section, f"hand-off, polled, stream of 32 : memcpy, {words}", "us",
                        f"{size}/hand-off/polled/cross/32/stream", f"{size}/memcpy/cross/1",
                        most=1 / 20000 if size == "33MB" else None, scale=1e-3))
    rows.append(Row(section, "hand-off, polled : two cache lines, 33 MB", "us", "33MB/hand-off/polled/cross/1",
                    "4KiB/lines/cross/1", scale=1e-3))
    for size in ("33MB", "1GiB"):
        rows.append(Row(section, f"hand-off, polled, {SIZES[size]} : 4 KiB", "us", f"{size}/hand-off/polled/cross/1",
                        "4KiB/hand-off/polled/cross/1", most=1.05, least=0.95, scale=1e-3))
    rows.append(Row(section, "hand-off, notified, one processor : eventfd, 33 MB", "us",
                    "33MB/hand-off/notified/same/1", "4KiB/eventfd/same/1", most=0.92, scale=1e-3))
    return rows


def share() -> list[Row]:
    section = "The first time that a buffer is shared, against SCM_RIGHTS, mmap and touch"
    rows = []
    for size in ("33MB", "4KiB"):
        rows.append(Row(section, f"export, import, map, touch, {SIZES[size]}", "us", f"share/{size}/all",
                        f"share/{size}/scm-rights", most=1.05 if size == "33MB" else None, scale=1e-3))
        rows += [Row(section, f"of that: {part}, {SIZES[size]}", "us", f"share/{size}/{part}",
                     f"share/{size}/scm-rights", scale=1e-3) for part in ("export", "import", "map", "touch")]
    return rows


def sessions() -> list[Row]:
    section = "The library: two processes with a session"
    rows = [
        Row(section, "timeline, signal to wake-up, lib/core : eventfd", "us", "timelines/same/1", "eventfd/same/1",
            scale=1e-3),
        Row(section, "timeline, signal to wake-up, session : eventfd", "us", "session/timelines/same/1",
            "session/eventfd/same/1", scale=1e-3),
    ]
    rows += [Row(section, f"hand-off, {words} : eventfd", "us", f"session/{size}/hand-off/same/1", "session/eventfd/same/1",
                 scale=1e-3) for size, words in SIZES.items()]
    rows += [Row(section, f"hand-off, {SIZES[size]} : 4 KiB", "us", f"session/{size}/hand-off/same/1",
                 "session/4KiB/hand-off/same/1", most=1.05, least=0.95, scale=1e-3) for size in ("33MB", "1GiB")]
    rows += [Row(section, f"hand-off, {window} in one ring write : one at a time", "us",
                 f"session/33MB/hand-off/same/{window}", "session/33MB/hand-off/same/1", scale=1e-3)
             for window in WINDOWS[1:]]
    rows += [Row(section, f"notifications a hand-off, {window} in one ring write", "notifications",
                 f"notifications session/33MB/hand-off/cross/{window}", most=None if window == 1 else 2 / window)
             for window in WINDOWS]
    for window in WINDOWS[1:]:
        rows.append(Row(section, f"notifications a hand-off, {window} in one ring write : in {window}",
                        "notifications", f"notifications session/33MB/hand-off/cross/{window}",
                        f"notifications session/33MB/hand-off/singly/cross/{window}"))
    for window in WINDOWS:
        rows += [
            Row(section, f"notifications a hand-off, adaptive, {window} at a time", "notifications",
                f"notifications session/33MB/hand-off/adaptive/cross/{window}", most=1 if window == 1 else 1 / window),
            Row(section, f"hand-off, adaptive : notified, {window} at a time", "us",
                f"session/33MB/hand-off/adaptive/cross/{window}", f"session/33MB/hand-off/cross/{window}", scale=1e-3),
        ]
    return rows


def directories() -> list[Row]:
    section = "The directory of a frame of 8100 pages"
    rows = []
    directories = {"list": "LIST", "table": "TABLE", "extents": "EXTENTS", "array": "LIST, array"}
    for directory, format_words in directories.items():
        for order in ("consecutive", "scattered"):
            base = f"directory/{directory}/{order}"
            words = f"{format_words}, {order} references"
            rows += [
                Row(section, f"build : memcpy, {words}", "us", f"{base}/build", f"{base}/memcpy", 1.25, scale=1e-3),
                Row(section, f"validated read : scalar copy, {words}", "us", f"{base}/read", f"{base}/scalar", 0.9,
                    scale=1e-3),
                Row(section, f"that no page comes twice : scalar copy, {words}", "us", f"{base}/unique",
                    f"{base}/scalar", scale=1e-3),
            ]
    base = "directory/list/scattered"
    rows += [Row(section, "runs made references, unchecked : memcpy", "us", f"{base}/least-build", f"{base}/memcpy",
                 scale=1e-3),
             Row(section, "references made runs, unchecked : scalar copy", "us", f"{base}/least-read", f"{base}/scalar",
                 scale=1e-3)]
    return rows


def ringtest() -> list[Row]:
    section = "Linux's tools/virtio/ringtest, a cycle"
    return [Row(section, f"ring format 0 : {words}, {run_words}", "ns", f"ringtest/hdmabuf/{run}",
                f"ringtest/{program}/{run}")
            for program, words in (("virtio_ring_0_9", "virtio's ring 0.9"), ("ring", "its descriptor ring"))
            for run, run_words in (("polled/1", "polled, 1 outstanding"), ("polled/32", "polled, 32 outstanding"),
                                   ("sleep/1", "asleep, 1 outstanding"), ("sleep/32", "asleep, 32 outstanding"))]


def growth() -> list[Row]:
    """What is many against what is one: flat, or, told for a page, linear."""
    section = "Growth: many against one, and whether that is flat or linear"
    rows = []
    for count in (10, 100, 1000):
        rows.append(Row(section, f"flat: an echo among {count} sessions : with one", "us",
                        f"growth/sessions/{count}/echo", f"growth/sessions/{count}/alone/echo", FLAT, scale=1e-3))
    for count in (100, 1000):
        rows.append(Row(section, f"flat: connecting, up to {count} sessions : up to 10", "us",
                        f"growth/sessions/{count}/connect", "growth/sessions/10/connect", 2, scale=1e-3))
    for step, words in (("share", "a buffer more is shared"), ("hand-off", "a hand-off")):
        rows += [Row(section, f"flat: {words} among {count} : with one", "us", f"growth/buffers/{count}/{step}",
                     f"growth/buffers/{count}/alone/{step}", FLAT, scale=1e-3)
                 for count in (10, 100, 1000, 10000, 100000)]
    for step, words in (("share", "a buffer is shared, not touched"), ("hand-off", "a hand-off")):
        rows += [Row(section, f"flat: {words}, {size} : 4KiB", "us", f"growth/octets/{size}/{step}",
                     f"growth/octets/4KiB/{step}", FLAT, scale=1e-3) for size in ("64MiB", "1GiB", "4GiB")]
    rows += [Row(section, f"linear: sharing as a LIST, a page, {size} : 64MiB", "ns", f"growth/octets/{size}/list",
                 "growth/octets/64MiB/list", FLAT) for size in ("1GiB", "4GiB")]
    rows.append(Row(section, "linear: first touch, a page, 64MiB : 1MiB", "ns", "growth/octets/64MiB/touch",
                    "growth/octets/1MiB/touch", 2))
    return rows


def memory() -> list[Row]:
    section = "Memory"
    rows = [Row(section, f"heap of a backend, a session, of {count}", "octets", f"growth/sessions/{count}/heap")
            for count in (100, 1000)]
    rows += [Row(section, f"resident memory of a backend, a session, of {count}", "octets",
                 f"growth/sessions/{count}/resident") for count in (100, 1000)]
    rows += [Row(section, f"heap of both ends, a buffer, of {count}", "octets", f"growth/buffers/{count}/heap")
             for count in (1000, 100000)]
    return rows


def lab() -> list[Row]:
    section = "On Xen, counted in the lab"
    return [
        Row(section, "hypercalls to map a frame of 8100 pages", "calls", "lab calls to map"),
        Row(section, "pages that are mapped for that, with its description", "pages", "lab pages"),
        Row(section, "hypercalls for grants in 100 hand-offs", "calls", "lab calls for hand-offs", most=0),
        Row(section, "notifications of the exporter in 100 hand-offs", "notifications",
            "lab notifications of the exporter"),
        Row(section, "notifications of the importer in 100 hand-offs", "notifications",
            "lab notifications of the importer"),
        *(Row(section, f"notifications of both ends a request : libxenvchan, {window} outstanding",
              "notifications", f"lab ours {window}", f"lab vchan {window}", most=1.0) for window in WINDOWS),
    ]


def all_rows() -> list[Row]:
    return [*polled(), *notified(), *notifications(), *adaptive(), *ringtest(), *instructions(), *frames(), *share(), *sessions(),
            *directories(), *growth(), *memory(), *lab()]
