# SPDX-License-Identifier: MIT
# The same pictures at both ends, whichever domains the two are in, whichever exports.

# share FRONTEND BACKEND OPTIONS-OF-BOTH FRONTEND'S BACKEND'S: a session with frames of a
# pattern; fails unless both ends saw the same pixels.
share()
{
	local from to
	start back "$2" "hdmabuf-backend --platform xen: --once --verify $3 $5"
	start front "$1" "hdmabuf-frontend --platform xen:0 --verify $3 $4"
	finish front 120 && finish back 30 || {
		note "front: $(output front | tail -n 2)"
		note "back: $(output back | tail -n 2)"
		return 1
	}
	from=$(output front | sed -n 's/.*\(crc32 [0-9a-f]*\)$/\1/p')
	to=$(output back | sed -n 's/.*\(crc32 [0-9a-f]*\)$/\1/p')
	[ "$from" ] && [ "$from" = "$to" ]
}

# share_octets FRONTEND BACKEND SIZE: any pixels, that is octets at random, which go in as
# they are and must come out so, in one frame of SIZE times SIZE pixels of 12 bits.
share_octets()
{
	local here='/run/random.y4m' there='/run/out.y4m' octets=$(($3 * $3 * 3 / 2)) cut
	cut="tail -c $octets"
	on "$1" "{ printf 'YUV4MPEG2 W$3 H$3 F25:1 C420jpeg\nFRAME\n'; head -c $octets \
		/dev/urandom; } >$here" && on "$2" "rm -f $there" || return
	start back "$2" "hdmabuf-backend --platform xen: --once --sink y4m:$there"
	start front "$1" "hdmabuf-frontend --platform xen:0 --source y4m:$here"
	finish front && finish back &&
		[ "$(on "$1" "$cut $here | cksum")" = "$(on "$2" "$cut $there | cksum")" ]
}

# From one page to 8100, by way of as many as a page of a LIST has room for, and one more.
share_all()
{
	local front=$1 back=$2 size format from
	check 'one page of octets at random arrives as it is' share_octets "$front" "$back" 32
	check 'and 38 pages' share_octets "$front" "$back" 320
	for size in 1024x1023 1024x1024 3840x2160; do
		from="--source pattern:$size --frames 3 --buffers 2"
		check "frontend exports $size" share "$front" "$back" '' "$from" '--sink null'
		check "backend exports $size" share "$front" "$back" '--export-from backend' \
			'--sink null' "$from"
	done
	for format in list table extents; do
		check "frontend exports by $format" share "$front" "$back" '' \
			"--source pattern:1024x1024 --frames 4 --directory $format" '--sink null'
	done
}

scenario 'guest to domain 0'
attach guest1 dom0
share_all guest1 dom0
detach guest1

scenario 'domain 0 to guest'
attach dom0 guest1
share_all dom0 guest1
detach dom0

scenario 'guest to guest'
attach guest1 guest2
share_all guest1 guest2

scenario 'several at once'
attach guest1 dom0 1
attach guest2 dom0 0
attach guest2 dom0 1
start back dom0 'hdmabuf-backend --platform xen: --verify --sink null'
for guest in guest1:1 guest2:0 guest2:1; do
	start "$guest" "${guest%:*}" "hdmabuf-frontend --platform xen:${guest#*:} --verify \
		--source pattern:640x480 --frames 40 --buffers 5"
done
for guest in guest1:1 guest2:0 guest2:1; do
	check "$guest has shared its pictures" finish "$guest"
	crc=$(output "$guest" | sed -n 's/.*\(crc32 [0-9a-f]*\)$/\1/p')
	check "and they are what the backend saw" wait_for back "$crc" 5
done
kill_it back TERM
finish back
for device in guest1:0 guest1:1 guest2:0 guest2:1; do
	detach "${device%:*}" "${device#*:}"
done
