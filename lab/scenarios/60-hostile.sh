# SPDX-License-Identifier: MIT
# A hostile guest, guest1, against the backend of domain 0, which meanwhile goes on to serve
# guest2. What it can do with a session is the conformance suite's part.
device=device/hdmabuf/0

# The last frame that the backend has seen.
frame()
{
	output back | sed -n 's/.*frame \([0-9]*\):.*/\1/p' | tail -n 1
}

# Whether guest2's frames still arrive.
goes_on()
{
	wait_for back "frame $(($(frame) + 5)):" 20
}

# Keys that a backend reads, with values that are none.
garbage()
{
	local key value
	for key in link link-ref event-channel peer-epoch channel epoch state; do
		for value in 0 +1 4294967296 99999999999999999999999 '\"\"' garbage \
			'\"$(head -c 1500 /dev/zero | tr \\\\0 9)\"' '\"$(printf \"\\\\001\\\\377\")\"'; do
			echo "xenstore-write $device/$key $value"
		done
	done
}

# References that are nobody's, and ports: a record that looks right.
wrong_references()
{
	local epoch reference
	epoch=$(xenstore-read "/local/domain/0/backend/hdmabuf/$(domid guest1)/0/epoch")
	for reference in 1 8 4000 4294967295; do
		on guest1 "xenstore-write $device/link $((reference + 77)) \
			$device/link-ref $reference $device/event-channel $((reference % 1000 + 1)) \
			$device/peer-epoch $epoch $device/channel $reference $device/epoch $reference"
		sleep 0.3
	done
}

# All of it changes while it is read.
flicker()
{
	on guest1 "n=1; while [ \$n -lt 60 ]; do xenstore-write $device/epoch \$n \
		$device/link-ref \$((n * 7)) $device/peer-epoch \$n; n=\$((n + 1)); done"
}

scenario 'a hostile guest'
attach guest1 dom0
attach guest2 dom0
before=$(holdings dom0)
start back dom0 'hdmabuf-backend --platform xen: --sink null --verify --verbose'
start stream guest2 "hdmabuf-frontend --platform xen:0 --source pattern:320x240 --frames 0 \
	--rate 20 --verify"
wait_for back 'frame 3:'

on guest1 "$(garbage)" >/dev/null 2>&1
check 'others are served in spite of garbage in XenStore' goes_on
wrong_references
check 'in spite of references and ports that are wrong' goes_on
flicker
check 'in spite of values that change all the time' goes_on
check 'a guest maps nothing of domain 0' \
	[ "$(on guest1 'grants 0 8 600 2>/dev/null')" = 'writable 0 read-only 0' ]
check 'a guest maps nothing of another guest, which shares with domain 0' \
	[ "$(on guest1 "grants $(domid guest2) 8 600 2>/dev/null")" = 'writable 0 read-only 0' ]
note "$(output back | grep -v frame | tail -n 5)"

check 'the hostile guest itself is served when it behaves' \
	on guest1 'hdmabuf-frontend --platform xen:0 --source pattern:64x64 --frames 3' >/dev/null
check 'and the other one, all the time' goes_on
kill_it stream TERM
finish stream
crc=$(output stream | sed -n 's/.*\(crc32 [0-9a-f]*\)$/\1/p')
check 'its pictures came whole' wait_for back "crc32 so far ${crc#crc32 }"
kill_it back TERM
finish back
check_holdings "$before" dom0
detach guest1
detach guest2
