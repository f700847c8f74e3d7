#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hyper-dmabuf peer that was written from the specification alone: its command line."""

from __future__ import annotations

import os
import resource
import sys
from types import SimpleNamespace

from hdmabuf.link import Failure
from hdmabuf.wire import PAGE, Format, Log, Rights

USAGE = """usage: hdmabuf_peer.py [OPTION]...

A hyper-dmabuf peer in plain Python.

  --role=frontend|backend    else as HDMABUF_ROLE says
  --endpoint=local:PATH      else as HDMABUF_ENDPOINT says
  --control                  do what the commands on standard input say, and tell what happens
  -v, -vv                    say why something is lost; why it is refused
  -h, --help                 this text

without --control:
  --export                   share pictures, else receive them
  --once                     exit when the first session is over
  --verify                   compute the CRC-32 of all pixels

the end that shares pictures:
  --frames=N                 how many, 0 for no end; 100 if not given
  --buffers=N                1 to 256; 3 if not given
  --size=WxH                 in pixels; 320x200 if not given
  --directory=list|table|extents             extents if not given
  --rights=read-only|read-write|lend         read-only if not given
  --data-offset=N            where in the first page the pictures begin
  --scatter                  list the pages in reverse order

Exit status: 0 done, 64 wrong usage, 69 the endpoint or the other end is of no use, 75 the session
of --once was lost.
"""


def parse_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError
    return int(text)


def parse_size(text: str) -> tuple[int, int]:
    width, height = (parse_number(number) for number in text.split("x"))
    if not (0 < width < 100000 and 0 < height < 100000):
        raise ValueError
    return width, height


def parse_endpoint(text: str) -> str:
    if not text.startswith("local:") or not 0 < len(text[6:].encode()) < 108:
        raise ValueError
    return text[6:]


def parse_role(text: str) -> str:
    if text not in ("frontend", "backend"):
        raise ValueError
    return text


VALUES = {"role": parse_role, "endpoint": parse_endpoint, "frames": parse_number,
          "buffers": parse_number, "size": parse_size, "data-offset": parse_number,
          "directory": lambda text: Format[text.upper()],
          "rights": lambda text: Rights[text.upper().replace("-", "_")]}
FLAGS = ("control", "export", "once", "verify", "scatter")


def parse() -> SimpleNamespace:
    options = SimpleNamespace(
        role=None, endpoint=None, frames=100, buffers=3, size=(320, 200), data_offset=0,
        directory=Format.EXTENTS, rights=Rights.READ_ONLY, verbose=0,
        **dict.fromkeys(FLAGS, False))
    for name in ("role", "endpoint"):
        value = os.environ.get(f"HDMABUF_{name.upper()}")
        if value:
            take(options, f"--{name}", value)
    words = iter(sys.argv[1:])
    for word in words:
        key, equals, value = word.partition("=")
        if key[:2] == "--" and key[2:] in VALUES:
            take(options, key, value if equals else next(words, ""))
        else:
            flag(options, word)
    if options.role is None or options.endpoint is None:
        fail(64, "--role and --endpoint are needed; --help says more")
    if not 1 <= options.buffers <= 256 or options.data_offset >= PAGE:
        fail(64, "a number is out of range")
    return options


def take(options: SimpleNamespace, key: str, value: str) -> None:
    try:
        setattr(options, key[2:].replace("-", "_"), VALUES[key[2:]](value))
    except (KeyError, ValueError):
        fail(64, f"{value} is no value for {key}; --help says more")


def flag(options: SimpleNamespace, word: str) -> None:
    if word in ("-h", "--help"):
        print(USAGE, end="")
        sys.exit(0)
    elif word in ("-v", "-vv"):
        options.verbose += word.count("v")
    elif word[:2] == "--" and word[2:] in FLAGS:
        setattr(options, word[2:], True)
    else:
        fail(64, f"{word}: no such option; --help says more")


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
