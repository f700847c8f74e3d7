# SPDX-License-Identifier: MIT
# docs/displif.rst: Linux's own display driver, unmodified, draws for hdmabuf-backend.

display="connectors=id0:800x600"

start_backend()
{
	start back dom0 "hdmabuf-backend --protocol displif --platform xen: --verify -v --sink png:/run/frame-%04d.png"
}

end_backend()
{
	kill_it back TERM
	finish back 30
}

# The driver holds its own module until its device is taken from it.
load='modprobe drm_xen_front'
unload='for device in /sys/bus/xen/drivers/vdispl/vdispl-*; do echo ${device##*/} >/sys/bus/xen/drivers/vdispl/unbind; done; rmmod drm_xen_front'

# What the program in the guest has drawn is what was written, by all pixels of all frames.
same_pictures()
{
	output draw | grep crc32 >/run/drawn
	picture_crc /run/frame-*.png >/run/written
	[ -s /run/drawn ] && cmp -s /run/drawn /run/written || {
		note "drawn: $(tail -n 1 /run/drawn); written: $(tail -n 1 /run/written)"
		return 1
	}
}

draw()
{
	rm -f /run/frame-*.png
	start draw "$1" "draw $2"
	check 'a program in the guest draws and flips' finish draw 120
	check 'the pictures have all the pixels that it has drawn' same_pictures
}

# guest, who allocates, be-alloc, lines of the guest's configuration
display_of()
{
	guest=$1
	be_alloc=$3
	scenario "displif, the $2 allocates"
	shift 3
	start_backend
	check 'a guest with a display is created, as its backend is there' \
		create "$guest" "vdispl=['backend=0,be-alloc=$be_alloc,$display']" "$@" ||
		return
	check 'its module is loaded' on "$guest" "$load"
	check 'both ends are connected' await_backend vdispl "$guest" 4
	draw "$guest" 6
	check 'the module is unloaded' on "$guest" "$unload" 120
	check 'the backend waits for a new one' await_backend vdispl "$guest" 2
	before=$(holdings dom0 "$guest")
	check 'the module is loaded again' on "$guest" "$load"
	check 'both ends are connected again' await_backend vdispl "$guest" 4
	draw "$guest" 3
	check 'the module is unloaded again' on "$guest" "$unload" 120
	check 'and the backend waits' await_backend vdispl "$guest" 2
	check_holdings "$before" dom0 "$guest"
}

display_of guest7 frontend 0

scenario 'displif, the backend is killed'
on guest7 "$load"
start long guest7 'draw 100000'
sleep 3
kill_it back
finish back 10
start_backend
finish long 120
check 'who was drawing is told' [ $? != 0 ]
check 'both ends are connected again, when it has gone' await_backend vdispl guest7 4
draw guest7 3
check 'the module is unloaded' on guest7 "$unload" 120
check 'the backend waits' await_backend vdispl guest7 2
check_holdings "$before" dom0 guest7
check 'the backend ends in good order' end_backend
destroy guest7

# A program in a PV guest cannot map pages of another domain. QEMU says RDTSC where a
# guest says RDTSCP, which Xen does not believe.
display_of guest8 backend 1 'type = "pvh"' 'tsc_mode = "native"' 'cpuid = "host,rdtscp=0"'
end_backend
destroy guest8
