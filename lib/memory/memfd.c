/* SPDX-License-Identifier: MIT */
/*
 * memfd.c - plain memory
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"

/* Of Linux 6.3: nobody will execute it, which kernels can be told to insist on. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static const struct hdmabuf_provider memfd_provider = {
	.name = "memfd",
	.free = memory_unmap,
};

int memory_create_memfd(size_t octets)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int error;
	int fd;

	fd = memfd_create("hdmabuf", flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("hdmabuf", flags);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)octets)) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int memory_open_memfd(size_t octets, struct hdmabuf_memory *memory)
{
	int error;
	int fd = memory_create_memfd(octets);

	if (fd < 0)
		return fd;
	memory->provider = &memfd_provider;
	memory->fd = fd;
	memory->octets = octets;
	error = memory_map(memory);
	if (error)
		hdmabuf_memory_free(memory);
	return error;
}
