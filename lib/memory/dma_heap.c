/* SPDX-License-Identifier: MIT */
/*
 * dma_heap.c - dma-bufs of the kernel's heaps, /dev/dma_heap/NAME
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "memory.h"

#if defined(__has_include) && __has_include(<linux/dma-heap.h>)
#include <linux/dma-heap.h>

static const struct hdmabuf_provider dma_heap_provider = {
	.name = "dma-heap",
	.free = memory_unmap,
};

static int open_heap(const char *name)
{
	char path[64];
	int length = snprintf(path, sizeof(path), "/dev/dma_heap/%s", name);
	int device;

	if (length < 0 || (size_t)length >= sizeof(path) || strchr(name, '/'))
		return -EINVAL;
	device = open(path, O_RDONLY | O_CLOEXEC);
	return device < 0 ? -errno : device;
}

static int allocate(const char *name, size_t octets)
{
	struct dma_heap_allocation_data request = {
		.len = octets,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int error = 0;
	int device = open_heap(name);

	if (device < 0)
		return device;
	if (ioctl(device, DMA_HEAP_IOCTL_ALLOC, &request) < 0)
		error = -errno;
	close(device);
	return error ? error : (int)request.fd;
}

int memory_open_dma_heap(const char *name, size_t octets,
			 struct hdmabuf_memory *memory)
{
	int fd = allocate(name, octets);

	if (fd < 0)
		return fd;
	return memory_take_dmabuf(memory, &dma_heap_provider, fd, octets);
}

#else

int memory_open_dma_heap(const char *name, size_t octets,
			 struct hdmabuf_memory *memory)
{
	(void)name;
	(void)octets;
	(void)memory;
	return -ENOSYS;
}

#endif
