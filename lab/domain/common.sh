# SPDX-License-Identifier: MIT
# The beginning of every domain.
export PATH=/lab/bin:/bin:/sbin:/usr/bin:/usr/sbin
export HOME=/

mount_all()
{
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mkdir -p /dev/shm /dev/pts
	mount -t tmpfs shm /dev/shm
	mount -t devpts pts /dev/pts
	mount -t tmpfs run /run
	mount -t debugfs debug /sys/kernel/debug
}

# By default gntalloc shares 1024 pages, less than a picture.
load_modules()
{
	modprobe xenfs && mount -t xenfs xenfs /proc/xen
	modprobe -a xen-evtchn xen-gntdev
	modprobe xen-gntalloc limit=65536
	while read -r line; do
		[ -z "$line" ] || modprobe $line
	done </etc/modules
}
