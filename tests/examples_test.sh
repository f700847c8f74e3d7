#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The programs of docs/examples: they compile without a warning against what was
# built, share a picture, and survive what the documentation says they do.
set -u
cd "$(dirname "$0")/.." || exit 1

build=${BUILD:-build}
work=$(mktemp -d) || exit 1
socket=local:$work/socket
trap 'stop; rm -rf "$work"' EXIT

running=()
passed=0
failed=0

stop()
{
	local pid
	for pid in ${running[@]+"${running[@]}"}; do
		kill "$pid" 2>/dev/null
	done
	running=()
	wait
}

test_case()
{
	local number=$((passed + failed + 1))
	if "$1" >"$work/log" 2>&1; then
		((passed += 1))
		echo "ok $number - examples.$1"
	else
		((failed += 1))
		sed 's/^/# /' "$work/log"
		echo "not ok $number - examples.$1"
	fi
	stop
	rm -f "$work"/socket "$work"/*.ppm
}

# ---- Building ------------------------------------------------------------------

sanitizers=()
case ${SANITIZE:-} in
'') ;;
1) sanitizers=("-fsanitize=address,undefined" -fno-sanitize-recover=all) ;;
*) sanitizers=("-fsanitize=$SANITIZE") ;;
esac

# compile OUT SOURCE...
compile()
{
	local out=$1
	shift
	"${CC:-cc}" -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Werror \
		${sanitizers[@]+"${sanitizers[@]}"} -Iprotocol -Iinclude "$@" \
		-L"$build/lib" -lhdmabuf -Wl,-rpath,"$(realpath "$build/lib")" \
		-o "$work/$out"
}

examples_compile()
{
	compile frontend docs/examples/frontend.c &&
		compile backend docs/examples/backend.c
}

# The driver needs what lib/core needs, and no system call.
driver_is_freestanding()
{
	local may='hdmabuf_.*|mem(cpy|move|set|cmp)|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_'
	"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror -ffreestanding \
		-Iprotocol -Iinclude -c docs/examples/driver.c -o "$work/driver.o" &&
		! nm -u "$work/driver.o" | grep -vE " ($may)\$"
}

driver_compiles()
{
	compile driver docs/examples/driver.c docs/examples/driver_local.c
}

# ---- Running -------------------------------------------------------------------

# start PROGRAM ARGUMENT...: in the background; its number is in $started
start()
{
	timeout -k 1 120 "$@" &
	started=$!
	running+=("$started")
}

# Waits until a file has something in it.
appears()
{
	local tries
	for tries in $(seq 500); do
		[[ -s $1 ]] && return
		sleep 0.02
	done
	echo "$1 does not appear ($tries tries)"
	return 1
}

# picture FILE WIDTH HEIGHT FRAME: each pixel is where it says that it is
picture()
{
	python3 - "$@" <<-'END'
	import sys
	name, width, height, frame = sys.argv[1], *map(int, sys.argv[2:])
	head = b"P6 %d %d 255\n" % (width, height)
	body = b"".join(bytes((frame & 255, y & 255, x & 255))
	                for y in range(height) for x in range(width))
	sys.exit(open(name, "rb").read() != head + body and name + " is wrong")
	END
}

backend_first()
{
	local backend
	start "$work/backend" "$socket" "$work/shown.ppm"
	backend=$started
	appears_socket && timeout 120 "$work/frontend" "$socket" 60 && wait "$backend" &&
		picture "$work/shown.ppm" 320 240 60
}

appears_socket()
{
	local tries
	for tries in $(seq 500); do
		[[ -S $work/socket ]] && return
		sleep 0.02
	done
	echo "no socket ($tries tries)"
	return 1
}

frontend_first()
{
	local frontend
	start "$work/frontend" "$socket" 7
	frontend=$started
	sleep 0.1
	timeout 120 "$work/backend" "$socket" "$work/shown.ppm" && wait "$frontend" &&
		picture "$work/shown.ppm" 320 240 7
}

# The frontend goes on with a backend that takes the place of one that was killed.
backend_killed()
{
	local frontend backend
	"$work/backend" "$socket" "$work/first.ppm" &
	backend=$!
	running+=("$backend")
	start "$work/frontend" "$socket" 1500
	frontend=$started
	appears "$work/first.ppm" || return
	kill -9 "$backend"
	wait "$backend"
	timeout 120 "$work/backend" "$socket" "$work/shown.ppm" && wait "$frontend" &&
		picture "$work/shown.ppm" 320 240 1500
}

# The backend goes on with a frontend that takes the place of one that was killed.
backend_stays()
{
	local backend frontend
	start "$work/backend" "$socket" "$work/shown.ppm"
	backend=$started
	"$work/frontend" "$socket" 1000000 &
	frontend=$!
	running+=("$frontend")
	appears "$work/shown.ppm" || return
	kill -9 "$frontend"
	wait "$frontend"
	timeout 120 "$work/frontend" "$socket" 5 && wait "$backend" &&
		picture "$work/shown.ppm" 320 240 5
}

driver_and_example()
{
	local backend
	start "$work/backend" "$socket" "$work/shown.ppm"
	backend=$started
	timeout 120 "$work/driver" "$socket" 40 && wait "$backend" &&
		picture "$work/shown.ppm" 160 120 40
}

driver_and_reference()
{
	local backend
	start "$build/bin/hdmabuf-backend" --platform "$socket" --sink null --once \
		--verify
	backend=$started
	timeout 120 "$work/driver" "$socket" 40 && wait "$backend" &&
		grep -q 'backend: 40 frames of 160x120' "$work/log"
}

# A backend that dies is an end with an error, and all memory comes back.
driver_loses_backend()
{
	local backend
	"$work/backend" "$socket" "$work/shown.ppm" &
	backend=$!
	running+=("$backend")
	start "$work/driver" "$socket" 1000000
	appears "$work/shown.ppm" || return
	kill -9 "$backend"
	wait "$started"
	(($? == 1)) && grep -q 'frames: the session was lost' "$work/log"
}

for name in examples_compile driver_is_freestanding driver_compiles backend_first \
	frontend_first backend_killed backend_stays driver_and_example \
	driver_and_reference driver_loses_backend; do
	test_case "$name"
done

echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
