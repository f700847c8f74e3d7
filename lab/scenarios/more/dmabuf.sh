# SPDX-License-Identifier: MIT
# Buffers of displif and sndif as dma-bufs, with a gntdev that has them, and vgem as the
# graphics card:
#
#	lab/xen run --module "$(lab/gntdev-dmabuf)" --module vgem more/dmabuf
octets=1000000

directory_of()
{
	wait_for "$1" 'directory [0-9]' >/dev/null && output "$1" | sed -n 's/^directory //p'
}

crc_of()
{
	output "$1" | sed -n 's/^crc32 //p'
}

scenario 'dma-bufs: that of a graphics card is granted'
need guest1
before=$(holdings dom0 guest1)
start front guest1 "dmabuf ask 0 $octets"
directory=$(directory_of front)
start back dom0 "dmabuf grant $(domid guest1) $directory $octets"
check 'the backend grants its dma-buf' wait_for back 'pages of a dma-buf, granted'
wait_for back crc32
kill_it front USR1
check 'the frontend maps it' finish front
check 'and has what the card has' [ "$(crc_of front)" = "$(crc_of back)" ]
note "$(output back)"
kill_it back TERM
check 'the backend has all of it back' finish back
check_holdings "$before" dom0 guest1

# The kernel makes a dma-buf of references where domains have their own page tables.
scenario 'dma-bufs: one is made of the pages of another domain'
check 'a PVH guest is created' create guest2 'type = "pvh"' 'tsc_mode = "native"' \
	'cpuid = "host,rdtscp=0"'
before=$(holdings dom0 guest2)
start front dom0 "dmabuf share $(domid guest2) $octets"
directory=$(directory_of front)
start back guest2 "dmabuf make 0 $directory $octets"
check 'the backend makes one' finish back
check 'of the pages' says back 'pages of domain 0, as a dma-buf'
check 'and is told as long as somebody has it' says back 'in use'
check 'and when nobody has it any more' says back released
note "$(output back)"
kill_it front TERM
check 'the frontend has all of it back' finish front
check_holdings "$before" dom0 guest2
