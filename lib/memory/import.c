/* SPDX-License-Identifier: MIT */
/*
 * import.c - memory that somebody else allocated
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "memory.h"

/* Of Linux 5.3; absent from older headers. */
#ifndef DMA_BUF_MAGIC
#define DMA_BUF_MAGIC 0x444d4142
#endif

static const struct hdmabuf_provider import_provider = {
	.name = "import",
	.free = memory_unmap,
};

static enum memory_kind identify_dmabuf(int fd, uint64_t *octets)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return MEMORY_NONE;
	*octets = (uint64_t)size;
	return MEMORY_DMABUF;
}

/* A file of a tmpfs has seals too, but can never be sealed against shrinking. */
static enum memory_kind identify_memfd(int fd, uint64_t *octets)
{
	struct stat status;

	if (fcntl(fd, F_GET_SEALS) < 0 || fstat(fd, &status))
		return MEMORY_NONE;
	*octets = (uint64_t)status.st_size;
	return MEMORY_MEMFD;
}

enum memory_kind memory_identify(int fd, uint64_t *octets)
{
	struct statfs status;

	if (fstatfs(fd, &status))
		return MEMORY_NONE;
	switch ((uint32_t)status.f_type) {
	case DMA_BUF_MAGIC:
		return identify_dmabuf(fd, octets);
	case TMPFS_MAGIC:
		return identify_memfd(fd, octets);
	default:
		return MEMORY_NONE;
	}
}

static bool is_whole_pages(uint64_t octets)
{
	return octets && octets <= SIZE_MAX &&
	       octets % (uint64_t)sysconf(_SC_PAGESIZE) == 0;
}

int hdmabuf_memory_import(int fd, struct hdmabuf_memory *memory)
{
	enum memory_kind kind;
	uint64_t octets;
	int error;

	memory_clear(memory);
	kind = memory_identify(fd, &octets);
	if (kind == MEMORY_NONE || !is_whole_pages(octets))
		return -EINVAL;
	memory->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (memory->fd < 0)
		return -errno;
	memory->provider = &import_provider;
	memory->dmabuf = kind == MEMORY_DMABUF;
	memory->octets = (size_t)octets;
	error = memory_map(memory);
	if (error != -ENOMEM)
		return 0;
	hdmabuf_memory_free(memory);
	return error;
}
