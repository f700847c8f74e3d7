#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The dissector for Wireshark: it knows every field, where it is, and stands any packet.

Prints a line for each test, and as the last one "N passed, N failed, N skipped". What needs tshark is
skipped where there is none.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DISSECTOR = os.path.join(HERE, "hdmabuf.lua")
WIRE_H = os.path.join(os.path.dirname(HERE), "model", "wire.h")

RECORD, CHANNEL, REQUEST, ANSWER, DESCRIPTOR, POINT, DOWN = range(1, 8)
HELLO, ECHO, HAND_OFF = 0x01, 0x03, 0x14

# Structure, operation, whether it is an answer, and the status.
MESSAGES = [
    ("hello", 0x01, False, 0), ("close", 0x02, False, 0), ("echo", 0x03, False, 0),
    ("export", 0x10, False, 0), ("export", 0x11, False, 0), ("unexport", 0x12, False, 0),
    ("buffer", 0x13, False, 0), ("hand_off", 0x14, False, 0), ("buffer", 0x15, False, 0),
    ("allocate", 0x16, False, 0), ("cpu_access", 0x17, False, 0), ("cpu_access", 0x18, False, 0),
    ("timeline", 0x20, False, 0), ("timeline", 0x21, False, 0),
    ("hello", 0x01, True, 0), ("plain", 0x02, True, 0), ("echo", 0x03, True, 0),
    ("plain", 0x10, True, 0), ("unexport_answer", 0x12, True, 0), ("query_answer", 0x15, True, 0),
    ("allocate_answer", 0x16, True, 0), ("plain", 0x20, True, 0), ("error", 0x14, True, 8),
]


class Skip(Exception):
    """What a test needs is not there."""


def equal(is_, should, *what):
    if is_ != should:
        raise AssertionError(" ".join(str(thing) for thing in what) + f": is {is_!r}, not {should!r}")


# ---- What there is -----------------------------------------------------------


def fields_of_wire():
    """Of each structure in wire.h, the fields: name, offset, octets, whether it must be zero."""
    with open(WIRE_H, encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    structures = {}
    field = re.compile(r'\bF\((\w+), \w+, "([^"]+)", (\d+), (\d+),\s+(\w+)\)')
    for structure, name, offset, octets, kind in field.findall(text):
        structures.setdefault(structure.lower(), []).append(
            (name, int(offset), int(octets), kind == "ZERO"))
    for n, at in re.findall(r"WIRE_PLANE\(F, (\d), (\d+)\)", text):
        at = int(at)
        structures["picture"] += [(f"plane[{n}].offset", at, 8, False),
                                  (f"plane[{n}].stride", at + 8, 4, False),
                                  (f"plane[{n}].zero", at + 12, 4, True)]
    return structures


def fields_of_dissector():
    with open(DISSECTOR, encoding="utf-8") as file:
        text = file.read()
    structures = {}
    block = re.search(r"local structures = \{\n(.*?)\n\}\n", text, re.S)[1]
    for name, members in re.findall(r"\t(\w+) = \{\n(.*?)\n\t\},", block, re.S):
        structures[name] = [
            (field, int(offset), int(octets), shown == '"zero"')
            for field, offset, octets, shown in re.findall(r'\{ "([^"]+)", (\d+), (\d+), ("?\w+"?) \}', members)]
    return structures


# ---- Traces ------------------------------------------------------------------


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def trace(packets):
    octets = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
    octets += block(1, struct.pack("<HHI", 147, 0, 0))
    for packet in packets:
        octets += block(6, struct.pack("<IIIII", 0, 0, 0, len(packet), len(packet)) + packet)
    return octets


def event(kind, body, sender=0, link=3):
    return struct.pack("<BBBBI", 1, kind, sender, 0, link) + body


def message(operation, status=0, number=7, body=b""):
    return struct.pack("<IHH", number, operation, status) + body.ljust(56, b"\0")


def fill(structure, size, zeros=0):
    """A structure whose every field has another value; returns it, and the values by name."""
    octets, values = bytearray(size), {}
    for name, offset, length, is_zero in structure:
        value = zeros if is_zero else offset + 1
        field = bytes([value]) + bytes(length - 1)
        octets[offset:offset + length] = field
        if value:
            values[name] = field if length > 8 or is_zero else value
    return bytes(octets), values


def tshark(packets, *arguments):
    program = shutil.which("tshark")
    if not program:
        raise Skip("there is no tshark")
    with tempfile.TemporaryDirectory(prefix="hdmabuf-dissector-") as folder:
        path = os.path.join(folder, "x.pcapng")
        with open(path, "wb") as file:
            file.write(trace(packets))
        # No preferences of the user's.
        environment = dict(os.environ, HOME=folder, XDG_CONFIG_HOME=folder)
        done = subprocess.run([program, "-X", "lua_script:" + DISSECTOR, "-r", path, *arguments],
                              env=environment, capture_output=True, timeout=60, check=False)
    equal(done.returncode, 0, "exit status of tshark, which said", done.stderr.decode())
    return done.stdout.decode(errors="replace")


def shown(packets, names, *arguments):
    """Of each packet, what is shown of the fields with these names."""
    arguments += ("-T", "fields", "-E", "separator=|")
    for name in names:
        arguments += ("-e", name)
    return [line.split("|") for line in tshark(packets, *arguments).splitlines()]


def filter_name(structure, name):
    return f"hdmabuf.{structure}." + re.sub(r"\[(\d)\]", r"\1", name)


def check_values(cases):
    """Of each packet of (packet, values by structure and name) all is shown, and nothing else."""
    names = sorted({name for _, values in cases for name in values})
    lines = shown([packet for packet, _ in cases], [filter_name(*name) for name in names])
    equal(len(lines), len(cases), "packets")
    for (_, values), line in zip(cases, lines):
        for name, text in zip(names, line):
            value = values.get(name, "")
            if isinstance(value, bytes):
                equal(text, value.hex(), *name)
            else:
                equal(int(text, 0) if text else "", value, *name)


def of(structure, values):
    return {(structure, name): value for name, value in values.items()}


# ---- Tests -------------------------------------------------------------------


def fields_are_those_of_the_suite():
    wire, dissector = fields_of_wire(), fields_of_dissector()
    for structure in wire:
        if structure != "cell":         # a trace has points instead
            equal(sorted(dissector.get(structure, [])), sorted(wire[structure]), structure)
    equal(sorted(set(dissector) - set(wire)), ["point"], "structures of traces alone")


def every_field_of_messages_is_shown():
    structures, cases = fields_of_dissector(), []
    for name, operation, is_answer, status in MESSAGES:
        octets, values = fill(structures[name], 64)
        packet = event(ANSWER if is_answer else REQUEST, message(operation, status)[:8] + octets[8:])
        header = {"id": 7, "operation": operation}
        if is_answer:
            header["status"] = status
        cases.append((packet, {**of("header", header), **of(name, values)}))
    check_values(cases)


def every_field_of_the_rest_is_shown():
    structures, cases = fields_of_dissector(), []
    for name, kind, size in ("channel", CHANNEL, 64), ("point", POINT, 24):
        octets, values = fill(structures[name], size)
        cases.append((event(kind, octets), of(name, values)))
    for number, name in enumerate(("raw", "picture", "cyclic"), 1):
        head, values = fill(structures["descriptor"], 104)
        tail, more = fill(structures[name], 256)
        octets = head[:96] + struct.pack("<I", number) + head[100:] + tail[104:]
        values.update(type=number, private=b"private")
        cases.append((event(DESCRIPTOR, octets + b"private"), {**of("descriptor", values), **of(name, more)}))
    check_values(cases)


def zeros_that_are_none_are_told():
    structures = fields_of_dissector()
    packets, told = [event(REQUEST, message(ECHO, status=3))], [("status", 1)]
    for name, operation, is_answer, status in MESSAGES:
        if not any(is_zero for *_, is_zero in structures[name]):
            continue
        for zeros in 0, 1:
            octets, _ = fill(structures[name], 64, zeros)
            packets.append(event(ANSWER if is_answer else REQUEST, message(operation, status)[:8] + octets[8:]))
            told.append((name, zeros))
    for case, line in zip(told, shown(packets, ["hdmabuf.not_zero"]), strict=True):
        equal(bool(line[0]), bool(case[1]), case[0])


def requests_know_their_answers():
    packets = [
        event(REQUEST, message(ECHO, number=1)),            # 1
        event(REQUEST, message(ECHO, number=2)),            # 2
        event(REQUEST, message(ECHO, number=1), sender=1),  # 3: of the other end
        event(REQUEST, message(ECHO, number=1), link=4),    # 4: of another pair
        event(ANSWER, message(ECHO, number=2), sender=1),   # 5
        event(ANSWER, message(ECHO, number=1), sender=1),   # 6
        event(REQUEST, message(ECHO, number=1)),            # 7: the id is free again
        event(ANSWER, message(ECHO, number=1)),             # 8
    ]
    # What comes later is known when everything was looked at once.
    lines = shown(packets, ["hdmabuf.answer", "hdmabuf.request"], "-2")
    equal(lines, [["6", ""], ["5", ""], ["8", ""], ["", ""], ["", "2"], ["", "1"], ["", ""], ["", "3"]],
          "answers and requests")


def each_packet_has_a_line():
    hand_off = struct.pack("<16sQQIIIIQ", bytes([0xab]) * 16, 5, 17, 2, 1, 1, 0, 0)
    packets = [
        event(RECORD, b"features=1\nepoch=77\n", sender=1),
        event(RECORD, b""),
        event(REQUEST, message(HELLO, body=struct.pack("<QQQ", 1, 2, 0x41))),
        event(REQUEST, message(HAND_OFF, body=hand_off)),
        event(ANSWER, message(HAND_OFF, status=8, body=struct.pack("<IIQ", 1, 0, 32)), sender=1),
        event(REQUEST, message(0x99)),
        event(POINT, struct.pack("<IIQII", 0, 1, 17, 22, 0), sender=1),
        event(DOWN, b"the peer has left", sender=1),
    ]
    lines = shown(packets, ["_ws.col.Source", "_ws.col.Destination", "_ws.col.Protocol", "_ws.col.Info"])
    equal([line[3] for line in lines], [
        "publishes its record, epoch=77", "withdraws its record", "HELLO #7, features TABLE, GROUP",
        "HAND_OFF #7, buffer abababab, signal 1@17, wait 2@5, more", "HAND_OFF #7 INVALID, REQUEST 32",
        "operation 0x99 #7", "point 17 of timeline 1 of the frontend, FAILED", "down: the peer has left"],
        "lines")
    equal({tuple(line[:3]) for line in lines},
          {("frontend", "backend", "hdmabuf"), ("backend", "frontend", "hdmabuf")}, "columns")


def any_packet_does_no_harm():
    bodies = [bytes(size) for size in (1, 4, 23, 24, 63, 64, 65, 103, 104, 255, 256, 300)]
    bodies += [b"\xff" * size for size in (0, 1, 24, 64, 104, 256, 300)]
    packets = [event(kind, body, sender=sender) for kind in range(10) for body in bodies for sender in (0, 9)]
    packets += [event(kind, message(operation, status, body=b"\xff" * 56))
                for kind in (REQUEST, ANSWER) for operation in range(0x23) for status in (0, 1, 99, 65535)]
    packets += [event(REQUEST, message(HELLO))[:size] for size in range(1, 9)]
    text = tshark(packets, "-V")
    equal(re.findall(r"Lua Error.*", text)[:1], [], "errors")
    equal(text.count("\nhyper-dmabuf"), len(packets), "packets")


TESTS = [
    fields_are_those_of_the_suite, every_field_of_messages_is_shown, every_field_of_the_rest_is_shown,
    zeros_that_are_none_are_told, requests_know_their_answers, each_packet_has_a_line,
    any_packet_does_no_harm,
]


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for number, test in enumerate(TESTS, 1):
        line = f"{number} - dissector.{test.__name__}"
        try:
            test()
            counts["passed"] += 1
            print("ok", line, flush=True)
        except Skip as reason:
            counts["skipped"] += 1
            print("ok", line, "# SKIP", reason, flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError) as reason:
            counts["failed"] += 1
            print(f"not ok {line}\n#   {reason}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
