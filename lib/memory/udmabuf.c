/* SPDX-License-Identifier: MIT */
/*
 * udmabuf.c - plain memory as a dma-buf, by /dev/udmabuf
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "memory.h"

#if defined(__has_include) && __has_include(<linux/udmabuf.h>)
#include <linux/udmabuf.h>

static const struct hdmabuf_provider udmabuf_provider = {
	.name = "udmabuf",
	.free = memory_unmap,
};

static int create(int device, int memfd, size_t octets)
{
	struct udmabuf_create request = {
		.memfd = (__u32)memfd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = octets,
	};
	int fd;

	if (fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	fd = ioctl(device, UDMABUF_CREATE, &request);
	return fd < 0 ? -errno : fd;
}

/* The dma-buf holds the pages; nothing else is kept. */
static int create_dmabuf(size_t octets)
{
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memfd;
	int fd;

	if (device < 0)
		return -errno;
	memfd = memory_create_memfd(octets);
	if (memfd < 0) {
		close(device);
		return memfd;
	}
	fd = create(device, memfd, octets);
	close(memfd);
	close(device);
	return fd;
}

int memory_open_udmabuf(size_t octets, struct hdmabuf_memory *memory)
{
	int fd = create_dmabuf(octets);

	if (fd < 0)
		return fd;
	return memory_take_dmabuf(memory, &udmabuf_provider, fd, octets);
}

#else

int memory_open_udmabuf(size_t octets, struct hdmabuf_memory *memory)
{
	(void)octets;
	(void)memory;
	return -ENOSYS;
}

#endif
