# SPDX-License-Identifier: MIT
# What is exhausted is said with the name of the knob to turn, and the program ends in order.
picture='--source pattern:1024x1024 --frames 3'

# Both ends at once; prints what the frontend says, and its exit status.
try()
{
	start back dom0 "hdmabuf-backend --platform xen: --sink null --verbose --once $2"
	start front guest1 "hdmabuf-frontend --platform xen:0 $1"
	finish front 30
	echo "status $?"
	output front
	kill_it back TERM
	finish back
	output back | sed 's/^/back: /'
}

has()
{
	echo "$1" | grep -qE "$2" || {
		note "$1"
		return 1
	}
}

limit=/sys/module/xen_gntalloc/parameters/limit

scenario 'limits'
attach guest1 dom0
on guest1 "echo 600 >$limit"
found=$(try "$picture")
check "gntalloc's limit" has "$found" 'status 69'
check "gntalloc's limit is named" has "$found" "'limit' of the module xen-gntalloc"
on guest1 "echo 1500 >$limit"
check 'with room for one buffer, one takes turns' \
	has "$(try "$picture --buffers 2")" 'buffers that take turns: 1 of 2'
on guest1 "echo 65536 >$limit"
check 'with a higher one it works' has "$(try "$picture --buffers 2")" 'status 0'
detach guest1

# Linux 6.1 loses the grants of an allocation that fails here: the guest is of no use then.
destroy guest1
create guest1 'max_grant_frames=4'
attach guest1 dom0
check 'less than the grants there are' has "$(try "$picture --buffers 1")" 'status 0'
found=$(try '--source pattern:2048x1024 --frames 3')
check 'more pages than grants' has "$found" 'status 69'
check 'the number of grants is named' has "$found" 'max_grant_frames'
detach guest1
destroy guest1
