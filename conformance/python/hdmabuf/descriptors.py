# SPDX-License-Identifier: MIT
"""How a buffer is described: descriptors and directories."""

from __future__ import annotations

import collections
import struct

from .local import Connection
from .memory import Window
from .wire import (CACHED, CYCLIC, DESCRIPTOR, DESCRIPTOR_MAGIC, DESCRIPTOR_OCTETS, M32, M64, PAGE,
                   PAGE_SHIFT, PICTURE, PLANE, PLANES, WRITE_COMBINED, Faults, Feature, Format,
                   Kind, Refusal, Rights, Status, Where, up)

FIELD = {"magic": 0, "length": 4, "id": 8, "generation": 24, "size": 32, "pages": 40,
         "entries": 48, "directory": 56, "directory_pages": 64, "directory_format": 68,
         "data_offset": 72, "page_shift": 76, "rights": 80, "attributes": 84, "tag": 88,
         "type": 96, "private_octets": 100, "metadata": 104, "zero": 200}
FIXED = ("size", "pages", "entries", "directory", "directory_pages", "directory_format",
         "data_offset", "rights", "attributes")     # in an UPDATE
GATED = (("directory_format", Format.TABLE, Feature.TABLE),
         ("directory_format", Format.EXTENTS, Feature.EXTENTS),
         ("rights", Rights.LEND, Feature.LEND),
         ("attributes", WRITE_COMBINED, Feature.WRITE_COMBINED),
         ("type", Kind.CYCLIC, Feature.CYCLIC))
PLANE_AT = FIELD["metadata"] + PICTURE.size         # the first of them


class Descriptor(collections.namedtuple("Descriptor", [*FIELD, "private"], defaults=[b""])):
    """struct hdmabuf_descriptor; ``private`` is what follows it."""

    __slots__ = ()

    def pack(self) -> bytes:
        return DESCRIPTOR.pack(*self[:-1]) + self.private


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


class Picture(collections.namedtuple("Picture", "width height fourcc planes modifier plane_first "
                                                "plane")):
    """struct hdmabuf_picture; ``plane`` has offset and stride of those that lie in the buffer."""

    __slots__ = ()

    @classmethod
    def unpack(cls, metadata: bytes) -> Picture:
        (width, height, code, planes, modifier, first, count) = PICTURE.unpack_from(metadata)
        plane = [PLANE.unpack_from(metadata, PICTURE.size + n * PLANE.size)[:2]
                 for n in range(min(count, PLANES))]
        return cls(width, height, code, planes, modifier, first, plane)

    @classmethod
    def laid_out(cls, width: int, height: int, code: int, align: int) -> Picture | None:
        """A whole picture, one plane after the other; none if the format is not known."""
        picture = cls(width, height, code, 0, 0, 0, [])
        samples, plane, at = picture.samples(), [], 0
        if samples is None:
            return None
        for octets, columns, rows in samples:
            stride = up(up(width, columns) * octets, align) * align
            plane.append((at, stride))
            at += stride * up(height, rows)
        return picture._replace(planes=len(plane), plane=plane)

    def pack(self) -> bytes:
        return (PICTURE.pack(self.width, self.height, self.fourcc, self.planes, self.modifier,
                             self.plane_first, len(self.plane))
                + b"".join(PLANE.pack(offset, stride, 0) for offset, stride in self.plane)
                ).ljust(96, b"\0")

    def samples(self) -> list[tuple[int, int, int]] | None:
        return PIXELS.get(self.fourcc.to_bytes(4, "little").decode("latin-1"))

    def rows(self) -> list[tuple[int, int, int, int]] | None:
        """Of each plane here offset, stride, octets of a row and rows; none if not known."""
        samples = self.samples()
        if samples is None or self.modifier or len(samples) != self.planes:
            return None
        return [(offset, stride, up(self.width, columns) * octets, up(self.height, rows))
                for (offset, stride), (octets, columns, rows)
                in zip(self.plane, samples[self.plane_first:])]

    def octets(self) -> int:
        """How much memory it takes."""
        return max(offset + stride * rows for offset, stride, _, rows in self.rows() or [])


def check_zero(d: Descriptor, faults: Faults) -> None:
    """The zero fields of a descriptor [HDB-IMP-023]."""
    at = FIELD["metadata"]
    if d.type == Kind.RAW:
        faults.zero(at, d.metadata)
    elif d.type == Kind.CYCLIC:
        faults.zero(at + 24, d.metadata[24:])
    elif d.type == Kind.PICTURE:
        count = PICTURE.unpack_from(d.metadata)[6]
        for n in range(PLANES):
            plane = PICTURE.size + n * PLANE.size
            for first, end in ((0, 8), (8, 12), (12, 16))[2 if n < count else 0:]:
                faults.zero(at + plane + first, d.metadata[plane + first:plane + end])
    faults.zero(FIELD["zero"], d.zero)


def check_picture(d: Descriptor, faults: Faults) -> None:
    """[HDB-IMP-009] [HDB-IMP-006]"""
    def wrong(bad: bool, offset: int, value: int) -> None:
        faults.add(bad, Status.INVALID, FIELD["metadata"] + offset, value)

    (width, height, code, planes, modifier, first, count) = PICTURE.unpack_from(d.metadata)
    wrong(width == 0, 0, 0)
    wrong(height == 0, 4, 0)
    wrong(code == 0, 8, 0)
    wrong(not 1 <= planes <= PLANES, 12, planes)
    wrong(first >= planes, 24, first)
    wrong(count == 0 or first + count > planes, 28, count)
    for n in range(min(count, PLANES)):
        at = PICTURE.size + n * PLANE.size
        offset, stride, _ = PLANE.unpack_from(d.metadata, at)
        wrong(offset >= d.size, at, offset)
        wrong(not 0 < stride <= d.size, at + 8, stride)
    picture = Picture.unpack(d.metadata)
    samples = picture.samples()
    wrong(samples is not None and not modifier and len(samples) != planes, 12, planes)
    if faults.found:
        return
    for n, (offset, stride, octets, rows) in enumerate(picture.rows() or []):
        at = PICTURE.size + n * PLANE.size
        wrong(offset + (rows - 1) * stride + octets > d.size, at, offset)
        wrong(octets > stride, at + 8, stride)


def check_cyclic(d: Descriptor, faults: Faults) -> None:
    """[HDB-IMP-009]"""
    (_, channels, rate, frame, period, _, _) = CYCLIC.unpack(d.metadata)
    for offset, bad, value in ((4, channels == 0, channels), (8, rate == 0, rate),
                               (12, frame == 0 or d.size % frame, frame),
                               (16, period == 0 or d.size % period, period)):
        faults.add(bool(bad), Status.INVALID, FIELD["metadata"] + offset, value)


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
                     old: Descriptor | None) -> Descriptor:
    """Everything about a descriptor that can be said without its directory [HDB-IMP-009].

    ``old`` is what is known of the buffer if this belongs to an UPDATE.
    """
    d = Descriptor(*DESCRIPTOR.unpack_from(page), page[DESCRIPTOR_OCTETS:length])
    faults = Faults(Where.DESCRIPTOR)

    def wrong(name: str, bad: bool, status: Status = Status.INVALID) -> None:
        value = getattr(d, name)
        faults.add(bad, status, FIELD[name], value if isinstance(value, int) else 0)

    for name, value, feature in GATED:                                  # [HDB-BOTH-019]
        wrong(name, getattr(d, name) == value and not features & feature, Status.NOT_NEGOTIATED)
    check_zero(d, faults)
    wrong("magic", d.magic != DESCRIPTOR_MAGIC)
    wrong("length", d.length != length)
    wrong("id", d.id != ident)
    wrong("generation", d.generation != (old.generation + 1 if old else 1))  # [HDB-IMP-018]
    pages = up(d.data_offset + d.size, PAGE)
    # A field that follows from others is only judged by such as are in order themselves.
    wrong("size", d.size == 0 or pages * PAGE > M64)                    # [HDB-BOTH-062]
    wrong("pages", d.pages != pages and d.data_offset < PAGE            # [HDB-IMP-011]
          and d.page_shift == PAGE_SHIFT)
    if d.directory_format == Format.EXTENTS:
        wrong("entries", not 1 <= d.entries <= d.pages)
    else:
        wrong("entries", d.entries != d.pages)
    if d.directory_format in Format.__members__.values():
        wrong("directory_pages",
              d.directory_pages != directory_pages(d.directory_format, d.entries))
    else:
        wrong("directory_format", True)
    wrong("data_offset", d.data_offset >= PAGE)
    wrong("page_shift", d.page_shift != PAGE_SHIFT)
    wrong("rights", d.rights not in Rights.__members__.values())
    wrong("attributes", d.attributes not in (CACHED, WRITE_COMBINED))
    wrong("type", d.type not in Kind.__members__.values())
    wrong("private_octets", d.private_octets != length - DESCRIPTOR_OCTETS)
    for name in FIXED if old else ():                                   # [HDB-IMP-018]
        wrong(name, getattr(d, name) != getattr(old, name))
    if d.type == Kind.PICTURE:
        check_picture(d, faults)
    elif d.type == Kind.CYCLIC:
        check_cyclic(d, faults)
    faults.settle()
    return d


def read_directory(conn: Connection, d: Descriptor) -> list[int]:
    """The references of a buffer's pages; each page of the directory is copied once."""
    references = (read_table if d.directory_format == Format.TABLE else read_chain)(conn, d)
    faults, seen = Faults(Where.PAGE), set()
    for n, reference in enumerate(references):
        page = conn.page_of(reference)
        faults.add(page in seen, Status.DUPLICATE, n, reference)        # [HDB-IMP-013]
        seen.add(page)
    faults.settle()
    for n, reference in enumerate(references):
        try:
            conn.check(reference, Rights(d.rights))
        except KeyError:
            raise Refusal(Status.BAD_REFERENCE, Where.PAGE, n, reference) from None
    return references


def read_page(conn: Connection, reference: int, entry: int | None) -> bytes:
    """A page of a directory with its first entry; none for the page that the descriptor names."""
    try:
        return conn.copy_page(reference)
    except KeyError:
        where = Where.DESCRIPTOR if entry is None else Where.DIRECTORY
        raise Refusal(Status.BAD_REFERENCE, where,
                      FIELD["directory"] if entry is None else entry, reference) from None


def check_entries(entries: tuple[int, ...], first: int, behind: int, faults: Faults) -> None:
    """[HDB-IMP-012]; ``behind`` is how many pages of data there are behind an entry."""
    if 0 in entries:
        faults.add(True, Status.BAD_REFERENCE, (first + entries.index(0)) * behind)


def read_table(conn: Connection, d: Descriptor) -> list[int]:
    level, counts = [d.directory], [*reversed(table_levels(d.entries)[:-1]), d.entries]
    for depth, count in enumerate(counts):
        behind = PER_TABLE ** (len(counts) - 1 - depth)
        below: list[int] = []
        for n, reference in enumerate(level):
            page = read_page(conn, reference, n * PER_TABLE * behind if depth else None)
            some = struct.unpack_from(f"<{min(count - len(below), PER_TABLE)}I", page)
            faults = Faults(Where.DIRECTORY)
            check_entries(some, len(below), behind, faults)
            below += some
            faults.zero(len(below) * behind, page[len(some) * 4:])      # [HDB-IMP-023]
            faults.settle()
        level = below
    return level


def read_chain(conn: Connection, d: Descriptor) -> list[int]:
    """A LIST, or EXTENTS."""
    extents = d.directory_format == Format.EXTENTS
    per, link = PER_EXTENTS if extents else PER_LIST, d.directory
    references: list[int] = []
    for first in range(0, d.entries, per):
        page = read_page(conn, link, first or None)
        some, last = min(d.entries - first, per), first + per >= d.entries
        link = struct.unpack_from("<Q" if extents else "<I", page)[0]
        faults = Faults(Where.DIRECTORY)
        faults.add((link == 0) != last, Status.BAD_REFERENCE, first + some, link)
        if extents:
            runs = read_extents(page, first, some, d.pages - len(references), last, faults)
            faults.settle()
            for reference, count in runs:
                references += range(reference, reference + count)
        else:
            part = struct.unpack_from(f"<{some}I", page, 4)
            check_entries(part, first, 1, faults)
            faults.zero(first + some, page[4 + some * 4:])              # [HDB-IMP-023]
            faults.settle()
            references += part
    return references


def read_extents(page: bytes, first: int, some: int, left: int, last: bool,
                 faults: Faults) -> list[tuple[int, int]]:
    """The extents of one page, of which there are ``some``; ``left`` pages are still to come."""
    count, zero = struct.unpack_from("<II", page, 8)
    faults.zero(first, zero)
    faults.zero(first + some, page[16 + some * 16:])                    # [HDB-IMP-023]
    faults.add(count != some, Status.INVALID, first, count)             # [HDB-IMP-016]
    runs = [struct.unpack_from("<QQ", page, 16 + n * 16) for n in range(some)]
    for n, (reference, run) in enumerate(runs, first):
        faults.add(run == 0 or reference + run - 1 > M32 or run > left, Status.INVALID, n, run)
        faults.add(reference == 0, Status.BAD_REFERENCE, n)             # [HDB-IMP-012]
        left -= run
    faults.add(last and left > 0, Status.INVALID, first + some - 1, runs[-1][1])
    return runs                                                         # [HDB-IMP-015]


def write_directory(form: Format, references: list[int], pages: range, window: Window) -> int:
    """Fill pages of a directory [HDB-EXP-005]; returns the reference of the first to be read."""
    if form == Format.TABLE:
        at, level = 0, references
        for count in table_levels(len(references)):
            for n in range(count):
                some = level[n * PER_TABLE:(n + 1) * PER_TABLE]
                window.write((at + n) * PAGE, struct.pack(f"<{len(some)}I", *some))
            level = list(pages[at:at + count])
            at += count
        return pages[-1]
    if form == Format.LIST:
        for n in range(up(len(references), PER_LIST)):
            some = references[n * PER_LIST:(n + 1) * PER_LIST]
            link = pages[n + 1] if (n + 1) * PER_LIST < len(references) else 0
            window.write(n * PAGE, struct.pack(f"<{len(some) + 1}I", link, *some))
        return pages[0]
    extents = find_extents(references)
    for n in range(up(len(extents), PER_EXTENTS)):
        part = extents[n * PER_EXTENTS:(n + 1) * PER_EXTENTS]
        link = pages[n + 1] if (n + 1) * PER_EXTENTS < len(extents) else 0
        window.write(n * PAGE, struct.pack("<QII", link, len(part), 0)
                     + b"".join(struct.pack("<QQ", *extent) for extent in part))
    return pages[0]


def find_extents(references: list[int]) -> list[tuple[int, int]]:
    extents: list[tuple[int, int]] = []
    for reference in references:
        if extents and sum(extents[-1]) == reference:
            extents[-1] = (extents[-1][0], extents[-1][1] + 1)
        else:
            extents.append((reference, 1))
    return extents
