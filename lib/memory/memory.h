/* SPDX-License-Identifier: MIT */
/*
 * memory.h - what the providers of memory share
 */
#ifndef HDMABUF_MEMORY_MEMORY_H
#define HDMABUF_MEMORY_MEMORY_H

#include <hdmabuf/memory.h>

/* What a descriptor leads to. */
enum memory_kind {
	MEMORY_NONE,
	MEMORY_MEMFD,
	MEMORY_DMABUF
};

/*
 * Says what a descriptor leads to, and how big that is.  Memory of huge pages is
 * none: it cannot promise that every page is there when it is touched.
 */
enum memory_kind memory_identify(int fd, uint64_t *octets);

/* Providers; @octets is whole pages, and @memory is clear before and on failure. */
int memory_open_memfd(size_t octets, struct hdmabuf_memory *memory);
int memory_open_udmabuf(size_t octets, struct hdmabuf_memory *memory);
int memory_open_dma_heap(const char *name, size_t octets,
			 struct hdmabuf_memory *memory);
int memory_open_drm(const char *path, size_t octets,
		    struct hdmabuf_memory *memory);

/* A memfd of this size, not mapped yet: a descriptor or a negative errno. */
int memory_create_memfd(size_t octets);

/* Map ->fd read-write into ->address. */
int memory_map(struct hdmabuf_memory *memory);

/* Takes over @fd, a dma-buf of this provider, and maps it; frees all on failure. */
int memory_take_dmabuf(struct hdmabuf_memory *memory,
		       const struct hdmabuf_provider *provider, int fd,
		       size_t octets);

/* What is left to do on failure, and to free most kinds: unmap, close ->fd. */
void memory_unmap(struct hdmabuf_memory *memory);

/* Memory that owns nothing. */
void memory_clear(struct hdmabuf_memory *memory);

#endif /* HDMABUF_MEMORY_MEMORY_H */
