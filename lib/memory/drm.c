/* SPDX-License-Identifier: MIT */
/*
 * drm.c - dumb buffers of a graphics card
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "memory.h"

#if defined(__has_include) && __has_include(<libdrm/drm.h>)
#include <libdrm/drm.h>
#define HAVE_DRM 1
#elif defined(__has_include) && __has_include(<drm/drm.h>)
#include <drm/drm.h>
#define HAVE_DRM 1
#endif

#ifdef HAVE_DRM

/* A dumb buffer is a picture; this one has rows of 4096 octets. */
#define ROW_PIXELS 1024u
#define ROW_BITS   32u
#define ROW_OCTETS (ROW_PIXELS * ROW_BITS / 8)

static void free_drm(struct hdmabuf_memory *memory)
{
	struct drm_mode_destroy_dumb request = {
		.handle = (__u32)memory->handle,
	};

	memory_unmap(memory);
	if (memory->handle)
		ioctl(memory->device, DRM_IOCTL_MODE_DESTROY_DUMB, &request);
	if (memory->device >= 0)
		close(memory->device);
}

static const struct hdmabuf_provider drm_provider = {
	.name = "drm",
	.free = free_drm,
};

static int create(struct hdmabuf_memory *memory)
{
	struct drm_mode_create_dumb request = {
		.width = ROW_PIXELS,
		.height = (__u32)(memory->octets / ROW_OCTETS),
		.bpp = ROW_BITS,
	};

	if (memory->octets / ROW_OCTETS > UINT32_MAX)
		return -EFBIG;
	if (ioctl(memory->device, DRM_IOCTL_MODE_CREATE_DUMB, &request) < 0)
		return -errno;
	memory->handle = request.handle;
	return request.size < memory->octets ? -ENOMEM : 0;
}

static int export_dmabuf(struct hdmabuf_memory *memory)
{
	struct drm_prime_handle request = {
		.handle = (__u32)memory->handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
		.fd = -1,
	};

	if (ioctl(memory->device, DRM_IOCTL_PRIME_HANDLE_TO_FD, &request) < 0)
		return -errno;
	memory->fd = request.fd;
	memory->dmabuf = 1;
	return 0;
}

int memory_open_drm(const char *path, size_t octets,
		    struct hdmabuf_memory *memory)
{
	int error;
	int device = open(path, O_RDWR | O_CLOEXEC);

	if (device < 0)
		return -errno;
	memory->provider = &drm_provider;
	memory->device = device;
	memory->octets = octets;
	error = create(memory);
	if (!error)
		error = export_dmabuf(memory);
	if (!error)
		error = memory_map(memory);
	if (error)
		hdmabuf_memory_free(memory);
	else /* not every driver clears the memory of a card */
		memset(memory->address, 0, octets);
	return error;
}

#else

int memory_open_drm(const char *path, size_t octets,
		    struct hdmabuf_memory *memory)
{
	(void)path;
	(void)octets;
	(void)memory;
	return -ENOSYS;
}

#endif
