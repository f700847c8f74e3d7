/* SPDX-License-Identifier: MIT */
/*
 * memory.h - memory that can be shared, and where it comes from
 *
 * A buffer's pages come from a provider: plain memory (memfd), memory as a
 * dma-buf (udmabuf, dma-heap), a dumb buffer of a graphics card (drm), any
 * dma-buf that somebody else allocated, or the platform itself where only that
 * can make memory that is shareable.  All look the same once allocated.
 */
#ifndef HDMABUF_MEMORY_H
#define HDMABUF_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hdmabuf_memory;

/**
 * struct hdmabuf_provider - how memory of one kind is freed
 * @name: for messages ("memfd")
 * @free: give the memory back: unmap it, close what is open
 *
 * A provider of one's own fills struct hdmabuf_memory and points it here.
 */
struct hdmabuf_provider {
	const char *name;
	void (*free)(struct hdmabuf_memory *memory);
};

/**
 * struct hdmabuf_memory - memory that can be shared
 * @provider: how it is freed; NULL if there is nothing to free
 * @address: where it is mapped in this process, read-write, or NULL if it is
 *	not
 * @octets: size, whole pages
 * @fd: descriptor of the memory (memfd or dma-buf), or -1 if the platform made
 *	it in another way
 * @dmabuf: 1 if @fd is a dma-buf
 * @handle: the provider's own
 * @device: the provider's own: a descriptor it keeps, or -1
 */
struct hdmabuf_memory {
	const struct hdmabuf_provider *provider;
	void *address;
	size_t octets;
	int fd;
	int dmabuf;
	uintptr_t handle;
	int device;
};

/**
 * hdmabuf_memory_open() - allocate memory from a provider
 * @spec: ``memfd``; ``udmabuf``; ``dma-heap`` or ``dma-heap:NAME`` for
 *	/dev/dma_heap/NAME, by default ``system``; ``drm`` or ``drm:PATH`` for a dumb
 *	buffer of a card, by default /dev/dri/card0
 * @octets: how much; is rounded up to whole pages, and is zeroed
 * @memory: is filled; to be given to *hdmabuf_memory_free()*
 *
 * Return: 0, or a negative errno: -EINVAL if @spec is not known, -ENOSYS if the
 * library was built without what the provider needs, else as the provider's system
 * calls
 */
int hdmabuf_memory_open(const char *spec, size_t octets,
			struct hdmabuf_memory *memory);

/**
 * hdmabuf_memory_import() - take a dma-buf or memfd that somebody else allocated
 * @fd: a dma-buf or memfd; is duplicated
 * @memory: is filled; to be given to *hdmabuf_memory_free()*
 *
 * It is mapped read-write if its descriptor allows it; else ``address`` is NULL.
 *
 * Return: 0, or a negative errno: -EINVAL if @fd is neither, or does not consist of
 * whole pages, or of huge ones
 */
int hdmabuf_memory_import(int fd, struct hdmabuf_memory *memory);

/**
 * hdmabuf_memory_free() - give memory back
 * @memory: nothing happens if it is all zero or was freed; is cleared
 *
 * Must not be called while a buffer is exported from it: wait for *released*.
 */
void hdmabuf_memory_free(struct hdmabuf_memory *memory);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_MEMORY_H */
