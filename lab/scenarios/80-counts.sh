# SPDX-License-Identifier: MIT
# What it takes to map a buffer and to hand it off: the calls by which the kernel of the
# importing domain asks Xen for mappings, as its own trace has them, and the notifications that
# the programs count. guest1 exports buffers of 8100 pages, domain 0 imports. What is tested
# is what a driver author relies on: nothing goes page by page.
trace=/sys/kernel/debug/tracing

# gnttab_map_refs() and gnttab_unmap_refs() have the number of pages as their fourth argument.
echo 'p:lab/map gnttab_map_refs pages=%cx:u32' >$trace/kprobe_events
echo 'p:lab/unmap gnttab_unmap_refs pages=%cx:u32' >>$trace/kprobe_events

# session BUFFERS FRAMES: what such a session takes, as "map CALLS PAGES unmap CALLS PAGES
# notify FRONTEND BACKEND whole CALLS", of which the last are for all pages of a buffer.
session()
{
	start back dom0 'hdmabuf-backend --platform xen: --sink null --once'
	echo >$trace/trace
	echo 1 >$trace/events/lab/enable
	start front guest1 "hdmabuf-frontend --platform xen:0 --source pattern:3840x2160 \
		--buffers $1 --frames $2"
	finish front 120 && finish back
	echo 0 >$trace/events/lab/enable
	echo "$(traced map) $(traced unmap)" \
		"notify $(notifications front) $(notifications back)" \
		"whole $(grep -c ' map: .*pages=8100$' $trace/trace)"
}

traced()
{
	sed -n "s/.* $1: .*pages=\([0-9]*\)/\1/p" $trace/trace |
		awk -v name="$1" '{ pages += $1 } END { print name, NR, pages + 0 }'
}

notifications()
{
	output "$1" | sed -n 's/.* \([0-9]*\) notifications.*/\1/p'
}

word()
{
	echo "$2" | cut -d' ' -f"$1"
}

# more_of N A B: by how much word N of A is more than that of B.
more_of()
{
	echo $(($(word "$1" "$2") - $(word "$1" "$3")))
}

scenario 'counts'
attach guest1 dom0
one=$(session 1 4)
two=$(session 2 4)
more=$(session 2 104)
note "one buffer, 4 frames: $one"
note "two buffers, 4 frames: $two"
note "two buffers, 104 frames: $more"
calls=$(more_of 2 "$two" "$one")
pages=$(more_of 3 "$two" "$one")
note "to map one more buffer: $calls calls for $pages pages"
check 'each buffer is mapped by one call' [ "$(word 11 "$two")" = 2 ]
check 'its description does not take one for each page' [ "$calls" -lt 81 ]
check 'all that was mapped is unmapped' [ "$(word 3 "$more")" = "$(word 6 "$more")" ]
calls=$(more_of 2 "$more" "$two")
note "for 100 hand-offs more: $calls calls," \
	"$(more_of 8 "$more" "$two") and $(more_of 9 "$more" "$two") notifications"
check 'a hand-off maps nothing' [ "$calls" = 0 ]
detach guest1
echo >$trace/kprobe_events

# The same requests over a session of ours and over a vchan of Xen's: both put 64 octets into
# a ring, and notify if the other end has asked for it. guest1 asks, domain 0 answers.
scenario 'requests'
requests=1000

# "ASKER ANSWERER" notifications for all requests, with so many outstanding.
ours()
{
	start back dom0 'hdmabuf-backend --platform xen: --sink null --once'
	start asker guest1 "echoes xen:0 $1 $requests"
	finish asker 120 && finish back || return
	echo "$(notifications_of asker) $(notifications back)"
}

vchan()
{
	start server dom0 "vchan serve $(domid guest1) $1"
	start asker guest1 "vchan ask 0 $1 $1 $requests"
	finish asker 120 && finish server || return
	echo "$(notifications_of asker) $(notifications_of server)"
}

notifications_of()
{
	output "$1" | sed -n 's/^\([0-9]*\) notifications$/\1/p'
}

attach guest1 dom0
for window in 1 4 8 32; do
	ours=$(ours $window)
	vchan=$(vchan $window)
	note "$requests requests, $window outstanding: ours $ours, libxenvchan $vchan"
	check "both rings carry requests, $window outstanding" \
		[ "$(word 2 "$ours")" -gt 0 -a "$(word 2 "$vchan")" -gt 0 ]
	# Those of domain 0 are of the whole session.
	check "no end notifies more than once a request, $window outstanding" \
		[ "$(word 1 "$ours")" -le $requests -a "$(word 2 "$ours")" -le $((requests + 20)) ]
done
detach guest1
