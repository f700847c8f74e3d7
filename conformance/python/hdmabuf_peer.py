#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hyper-dmabuf peer that was written from the specification alone: its command line."""

from __future__ import annotations

import argparse
import os
import resource
import sys

from hdmabuf.link import Failure
from hdmabuf.wire import PAGE, Format, Log, Rights


def parse_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    for number in (width, height):
        if not (number.isascii() and number.isdigit() and 0 < int(number) < 100000):
            raise argparse.ArgumentTypeError(f"{text} is no WxH")
    return int(width), int(height)


def parse_endpoint(text: str) -> str:
    if not text.startswith("local:") or not 0 < len(text[6:].encode()) < 108:
        raise argparse.ArgumentTypeError(f"{text} is no local:PATH")
    return text[6:]


def parse_role(text: str) -> str:
    if text not in ("frontend", "backend"):
        raise argparse.ArgumentTypeError(f"{text} is neither frontend nor backend")
    return text


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        fail(64, message)


def parse() -> argparse.Namespace:
    role, endpoint = os.environ.get("HDMABUF_ROLE"), os.environ.get("HDMABUF_ENDPOINT")
    parser = Parser(description="A hyper-dmabuf peer in plain Python.  Exit status: 0 done, "
                    "64 wrong usage, 69 the other end or the endpoint is of no use, 75 the session "
                    "of --once was lost.")
    parser.add_argument("--role", type=parse_role, default=role, required=role is None,
                        metavar="frontend|backend", help="else as HDMABUF_ROLE says")
    parser.add_argument("--endpoint", type=parse_endpoint, default=endpoint, metavar="local:PATH",
                        required=endpoint is None, help="else as HDMABUF_ENDPOINT says")
    parser.add_argument("--control", action="store_true",
                        help="do what the commands on standard input say, and tell what happens")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    group = parser.add_argument_group("without --control")
    group.add_argument("--export", action="store_true", help="share pictures, else receive them")
    group.add_argument("--once", action="store_true", help="exit when the first session is over")
    group.add_argument("--verify", action="store_true", help="compute the CRC-32 of all pixels")
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
    options = parser.parse_args()
    if options.frames < 0 or not 1 <= options.buffers <= 256 or not 0 <= options.data_offset < PAGE:
        fail(64, "a number is out of range")
    options.directory = Format[options.directory.upper()]
    options.rights = Rights[options.rights.upper().replace("-", "_")]
    return options


def main() -> int:
    options = parse()
    Log.verbose = options.verbose
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))            # a piece of a window each
    # Only what is needed: a test suite starts this often.
    if options.control:
        from hdmabuf.control import run
    else:
        from hdmabuf.pictures import run
    try:
        return run(options)
    except Failure as error:
        fail(error.code, str(error))


def fail(code: int, text: str) -> None:
    print(f"hdmabuf_peer: {text}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    sys.exit(main())
