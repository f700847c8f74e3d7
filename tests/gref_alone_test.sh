#!/bin/sh
# SPDX-License-Identifier: MIT
# What gref_directory.h and gref_buffer.h say that they need is enough to build a program
# with: no other file of the library, and of others only Xen's library and a C library.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$root"

flags="-std=gnu11 -Wall -Wextra -Werror -O2 -Iprotocol -Iinclude -I."
core="lib/core/gref_directory.c lib/core/runs.c lib/core/fault.c"

${CC:-cc} $flags -ffreestanding -nostdlib -r $core -o "$dir/core.o"
needs=$(nm -u "$dir/core.o" | awk '{ print $2 }' |
	grep -Evx 'memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail') || true
[ -z "$needs" ] || { echo "the freestanding part needs $needs"; exit 1; }

if ! pkg-config --exists xengnttab; then
	echo "libxen-dev is not installed: the part for Xen was not built"
	exit 77
fi
cat >"$dir/program.c" <<'PROGRAM'
#include <hdmabuf/gref_buffer.h>

int main(void)
{
	struct hdmabuf_gref_peer peer = { .domain = 7 };
	struct hdmabuf_gref_buffer buffer;

	return hdmabuf_gref_map(&peer, 1, 0, false, &buffer) != -22;
}
PROGRAM
${CC:-cc} $flags "$dir/program.c" $core lib/gref/gref_buffer.c lib/gref/gref_dmabuf.c \
	$(pkg-config --cflags --libs xengnttab) -o "$dir/program"
"$dir/program"
echo "ok 1 - gref_alone.nothing_else_is_needed"
echo "1 passed, 0 failed, 0 skipped"
