/* SPDX-License-Identifier: MIT */
/*
 * References to a dma-buf and back: gntdev's dma-bufs, where the kernel has them.
 * Before the call that makes one it cannot be found out whether it has.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <xengnttab.h>

#include "gref_buffer.h"

/* The library's functions return -1 and set errno, or return a negative errno. */
static int error_of(int result)
{
	if (result >= 0)
		return 0;
	return result == -1 ? errno : -result;
}

static void note_fallback(struct hdmabuf_gref_buffer *buffer, const char *what,
			  int error)
{
	gref_note(
		buffer,
		"%u pages of domain %u, %s: no dma-buf, as the kernel says: %s (XEN_GNTDEV_DMABUF)",
		buffer->pages, buffer->peer->domain, what, strerror(error));
}

static int make_dmabuf(struct hdmabuf_gref_buffer *buffer)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;
	uint32_t fd;
	int error = error_of(xengnttab_dmabuf_exp_from_refs(
		peer->grants, peer->domain, 0, buffer->pages,
		buffer->references, &fd));

	if (!error)
		buffer->dmabuf = (int)fd;
	return error;
}

static int map_or_make(struct hdmabuf_gref_buffer *buffer)
{
	int error = make_dmabuf(buffer), mapping;

	if (!error) {
		gref_note(buffer, "%u pages of domain %u, as a dma-buf",
			  buffer->pages, buffer->peer->domain);
		return 0;
	}
	mapping = gref_map_references(buffer, true);
	if (!mapping)
		note_fallback(buffer, "mapped", error);
	return mapping;
}

int hdmabuf_gref_map_dmabuf(struct hdmabuf_gref_peer *peer, uint32_t directory,
			    uint32_t octets, struct hdmabuf_gref_buffer *buffer)
{
	int error = gref_buffer_init(peer, octets, buffer);

	if (!error)
		error = gref_read_directory(buffer, directory);
	if (!error)
		error = map_or_make(buffer);
	return error ? gref_give_up(buffer, error) : 0;
}

static int grant_dmabuf(struct hdmabuf_gref_buffer *buffer, int dmabuf)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;
	int error = dmabuf < 0 ? EBADF :
				 error_of(xengnttab_dmabuf_imp_to_refs(
					 peer->grants, peer->domain,
					 (uint32_t)dmabuf, buffer->pages,
					 buffer->references));

	if (error)
		return error;
	buffer->dmabuf = dmabuf;
	buffer->imported = true;
	gref_note(buffer, "%u pages of a dma-buf, granted to domain %u",
		  buffer->pages, peer->domain);
	return 0;
}

static int allocate_or_grant(struct hdmabuf_gref_buffer *buffer, int dmabuf)
{
	int error = grant_dmabuf(buffer, dmabuf), allocation;

	if (!error)
		return 0;
	allocation = gref_allocate(buffer);
	if (!allocation)
		note_fallback(buffer, "allocated", error);
	return allocation;
}

int hdmabuf_gref_grant_dmabuf(struct hdmabuf_gref_peer *peer,
			      uint32_t directory, uint32_t octets, int dmabuf,
			      struct hdmabuf_gref_buffer *buffer)
{
	int error = gref_buffer_init(peer, octets, buffer);

	if (!error)
		error = allocate_or_grant(buffer, dmabuf);
	if (!error)
		error = gref_fill_directory(buffer, directory);
	return error ? gref_give_up(buffer, error) : 0;
}

/* The kernel knows it by its number, and waits for a dma-buf that is closed here. */
int hdmabuf_gref_wait(struct hdmabuf_gref_buffer *buffer, uint32_t milliseconds)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;
	int error;

	if (buffer->dmabuf < 0 || buffer->imported)
		return 0;
	if (!buffer->closed)
		close(buffer->dmabuf);
	buffer->closed = true;
	error = error_of(xengnttab_dmabuf_exp_wait_released(
		peer->grants, (uint32_t)buffer->dmabuf, milliseconds));
	/* It was released before. */
	if (error == ENOENT)
		error = 0;
	if (error)
		return gref_fail(peer, error,
				 "dma-buf of %u pages of domain %u: %s",
				 buffer->pages, peer->domain, strerror(error));
	buffer->dmabuf = -1;
	return 0;
}

int gref_dmabuf_put(struct hdmabuf_gref_buffer *buffer)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;
	int error = 0;

	if (buffer->dmabuf < 0)
		return 0;
	if (buffer->imported)
		error = error_of(xengnttab_dmabuf_imp_release(
			peer->grants, (uint32_t)buffer->dmabuf));
	else if (!buffer->closed)
		close(buffer->dmabuf);
	if (error)
		return gref_fail(peer, error,
				 "cannot end the grants of a dma-buf: %s",
				 strerror(error));
	buffer->dmabuf = -1;
	return 0;
}
