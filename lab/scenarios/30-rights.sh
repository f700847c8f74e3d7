# SPDX-License-Identifier: MIT
# A buffer that is read-only cannot be mapped for writing, whoever tries.

# What domain 0 can map of all that guest1 shares while a buffer of 1023 pages is exported
# with these rights: "writable N read-only M". The channel is always writable.
mappable()
{
	start back dom0 'hdmabuf-backend --platform xen: --sink null --verify --verbose'
	start front guest1 "hdmabuf-frontend --platform xen:0 --rights $1 --buffers 1 \
		--source pattern:1024x1023 --frames 0 --rate 5"
	wait_for back 'frame 1:' >/dev/null && grants "$(domid guest1)" 8 2040 2>/dev/null
	kill_it front TERM
	finish front
	kill_it back TERM
	finish back
}

only_readable()
{
	[ "$1" = writable ] && [ "$3" = read-only ] && [ "$2" -lt 20 ] && [ "$4" -ge 1023 ]
}

only_writable()
{
	[ "$1" = writable ] && [ "$3" = read-only ] && [ "$2" -ge 1023 ] && [ "$4" -lt 20 ]
}

scenario 'rights'
attach guest1 dom0
found=$(mappable read-only)
note "read-only: $found"
check 'none of the pages of a read-only buffer can be mapped for writing' only_readable $found
found=$(mappable read-write)
note "read-write: $found"
check 'those of a read-write buffer can' only_writable $found
detach guest1
