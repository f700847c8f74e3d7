/* SPDX-License-Identifier: MIT */
/*
 * memory.c - providers by their names, and what they have in common
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"

void memory_clear(struct hdmabuf_memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	memory->fd = -1;
	memory->device = -1;
}

int memory_map(struct hdmabuf_memory *memory)
{
	void *address = mmap(NULL, memory->octets, PROT_READ | PROT_WRITE,
			     MAP_SHARED, memory->fd, 0);

	if (address == MAP_FAILED)
		return -errno;
	memory->address = address;
	return 0;
}

int memory_take_dmabuf(struct hdmabuf_memory *memory,
		       const struct hdmabuf_provider *provider, int fd,
		       size_t octets)
{
	int error;

	memory->provider = provider;
	memory->fd = fd;
	memory->dmabuf = 1;
	memory->octets = octets;
	error = memory_map(memory);
	if (error)
		hdmabuf_memory_free(memory);
	return error;
}

void memory_unmap(struct hdmabuf_memory *memory)
{
	if (memory->address)
		munmap(memory->address, memory->octets);
	if (memory->fd >= 0)
		close(memory->fd);
}

static bool round_to_pages(size_t *octets)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!*octets || *octets > SIZE_MAX - page)
		return false;
	*octets = (*octets + page - 1) / page * page;
	return true;
}

/* The argument of a spec such as "drm:PATH", or NULL if it is of another kind. */
static const char *argument(const char *spec, const char *kind,
			    const char *usual)
{
	size_t length = strlen(kind);

	if (strncmp(spec, kind, length))
		return NULL;
	if (!spec[length])
		return usual;
	return spec[length] == ':' && spec[length + 1] ? spec + length + 1 :
							 NULL;
}

static int open_kind(const char *spec, size_t octets,
		     struct hdmabuf_memory *memory)
{
	const char *name;

	if (!strcmp(spec, "memfd"))
		return memory_open_memfd(octets, memory);
	if (!strcmp(spec, "udmabuf"))
		return memory_open_udmabuf(octets, memory);
	name = argument(spec, "dma-heap", "system");
	if (name)
		return memory_open_dma_heap(name, octets, memory);
	name = argument(spec, "drm", "/dev/dri/card0");
	if (name)
		return memory_open_drm(name, octets, memory);
	return -EINVAL;
}

int hdmabuf_memory_open(const char *spec, size_t octets,
			struct hdmabuf_memory *memory)
{
	memory_clear(memory);
	if (!round_to_pages(&octets))
		return -EINVAL;
	return open_kind(spec, octets, memory);
}

void hdmabuf_memory_free(struct hdmabuf_memory *memory)
{
	if (!memory->provider)
		return;
	if (memory->provider->free)
		memory->provider->free(memory);
	memory_clear(memory);
}
