/* SPDX-License-Identifier: MIT */
/* Whole buffers of displif and sndif: mapped, granted, given back. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xengnttab.h>

#include "gref_buffer.h"

/* ---- What is told -------------------------------------------------------- */

int gref_fail(struct hdmabuf_gref_peer *peer, int error, const char *format,
	      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(peer->error, sizeof(peer->error), format, args);
	va_end(args);
	return -error;
}

void gref_note(struct hdmabuf_gref_buffer *buffer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(buffer->note, sizeof(buffer->note), format, args);
	va_end(args);
}

static int tell_fault(struct hdmabuf_gref_peer *peer,
		      const struct hdmabuf_fault *fault)
{
	return gref_fail(
		peer, EINVAL,
		"directory of domain %u: %s: entry %llu, which is %llu",
		peer->domain, hdmabuf_status_text(fault->status),
		(unsigned long long)fault->offset,
		(unsigned long long)fault->value);
}

static int no_memory(struct hdmabuf_gref_peer *peer, uint32_t pages)
{
	return gref_fail(peer, ENOMEM, "no memory to list %u pages", pages);
}

/* ---- Beginning and end --------------------------------------------------- */

int gref_buffer_init(struct hdmabuf_gref_peer *peer, uint32_t octets,
		     struct hdmabuf_gref_buffer *buffer)
{
	memset(buffer, 0, sizeof(*buffer));
	buffer->peer = peer;
	buffer->dmabuf = -1;
	buffer->octets = octets;
	buffer->pages = hdmabuf_gref_pages(octets);
	peer->error[0] = '\0';
	if (!octets)
		return gref_fail(peer, EINVAL, "a buffer of 0 octets");
	buffer->references = calloc(buffer->pages, sizeof(*buffer->references));
	return buffer->references ? 0 : no_memory(peer, buffer->pages);
}

int gref_give_up(struct hdmabuf_gref_buffer *buffer, int error)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;
	char why[sizeof(peer->error)];

	memcpy(why, peer->error, sizeof(why));
	hdmabuf_gref_put(buffer);
	memcpy(peer->error, why, sizeof(why));
	return error;
}

static int unmap(struct hdmabuf_gref_peer *peer, void *address, uint32_t pages)
{
	if (!xengnttab_unmap(peer->grants, address, pages))
		return 0;
	return gref_fail(peer, errno, "cannot unmap %u pages of domain %u: %s",
			 pages, peer->domain, strerror(errno));
}

static int unshare(struct hdmabuf_gref_buffer *buffer)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;

	if (buffer->shared && xengntshr_unshare(peer->shares, buffer->shared,
						buffer->shared_pages))
		return gref_fail(peer, errno, "cannot give back %u pages: %s",
				 buffer->shared_pages, strerror(errno));
	buffer->shared = NULL;
	return 0;
}

static bool is_mapped(const struct hdmabuf_gref_buffer *buffer)
{
	return buffer->address && buffer->address != buffer->shared;
}

int hdmabuf_gref_put(struct hdmabuf_gref_buffer *buffer)
{
	int error = 0;

	if (is_mapped(buffer))
		error = unmap(buffer->peer, buffer->address, buffer->pages);
	if (error)
		return error;
	buffer->address = NULL;
	error = gref_dmabuf_put(buffer);
	if (!error)
		error = unshare(buffer);
	if (error)
		return error;
	free(buffer->references);
	buffer->references = NULL;
	return 0;
}

/* ---- Mapping ------------------------------------------------------------- */

static void *map(const struct hdmabuf_gref_buffer *buffer, uint32_t *references,
		 uint32_t count, bool writable)
{
	return xengnttab_map_domain_grant_refs(
		buffer->peer->grants, count, buffer->peer->domain, references,
		writable ? PROT_READ | PROT_WRITE : PROT_READ);
}

int gref_map_references(struct hdmabuf_gref_buffer *buffer, bool writable)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;
	int error;

	buffer->address =
		map(buffer, buffer->references, buffer->pages, writable);
	if (buffer->address)
		return 0;
	error = errno;
	return gref_fail(
		peer, error == ENOMEM ? ENOMEM : EINVAL,
		"cannot map %u pages of domain %u: %s; it granted others, or 'limit' of the module xen-gntdev or this domain's max_maptrack_frames is too small",
		buffer->pages, peer->domain, strerror(error));
}

/* ---- The other end's directory ------------------------------------------- */

typedef uint16_t do_page(struct hdmabuf_gref_walk *walk, void *page,
			 struct hdmabuf_fault *fault);

static uint16_t read_step(struct hdmabuf_gref_walk *walk, void *page,
			  struct hdmabuf_fault *fault)
{
	return hdmabuf_gref_read(walk, page, fault);
}

static int walk_page(struct hdmabuf_gref_buffer *buffer,
		     struct hdmabuf_gref_walk *walk, do_page *step,
		     bool writable)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;
	uint32_t reference = hdmabuf_gref_next(walk);
	struct hdmabuf_fault fault;
	void *page = map(buffer, &reference, 1, writable);
	uint16_t status;
	int error;

	if (!page)
		return gref_fail(
			peer, EINVAL,
			"cannot map page %u of domain %u, of its directory: %s",
			reference, peer->domain, strerror(errno));
	status = step(walk, page, &fault);
	error = unmap(peer, page, 1);
	return status ? tell_fault(peer, &fault) : error;
}

static int walk_all(struct hdmabuf_gref_buffer *buffer, uint32_t directory,
		    do_page *step, bool writable)
{
	struct hdmabuf_gref_walk walk;
	struct hdmabuf_fault fault;
	int error = 0;

	if (hdmabuf_gref_begin(&walk, directory, buffer->references,
			       buffer->pages, &fault))
		return tell_fault(buffer->peer, &fault);
	while (!error && hdmabuf_gref_next(&walk))
		error = walk_page(buffer, &walk, step, writable);
	return error;
}

/* A frontend that lists a page twice shares less than it says. */
static int check_unique(struct hdmabuf_gref_buffer *buffer)
{
	struct hdmabuf_run *runs = calloc(buffer->pages, 2 * sizeof(*runs));
	struct hdmabuf_fault fault;
	uint16_t status;

	if (!runs)
		return no_memory(buffer->peer, buffer->pages);
	status = hdmabuf_gref_unique(buffer->references, buffer->pages, runs,
				     &fault);
	free(runs);
	if (!status)
		return 0;
	return gref_fail(
		buffer->peer, EINVAL,
		"directory of domain %u: entry %llu, page %llu, comes twice",
		buffer->peer->domain, (unsigned long long)fault.offset,
		(unsigned long long)fault.value);
}

int gref_read_directory(struct hdmabuf_gref_buffer *buffer, uint32_t directory)
{
	int error = walk_all(buffer, directory, read_step, false);

	return error ? error : check_unique(buffer);
}

int gref_fill_directory(struct hdmabuf_gref_buffer *buffer, uint32_t directory)
{
	return walk_all(buffer, directory, hdmabuf_gref_fill, true);
}

/* ---- The backend --------------------------------------------------------- */

int hdmabuf_gref_map(struct hdmabuf_gref_peer *peer, uint32_t directory,
		     uint32_t octets, bool writable,
		     struct hdmabuf_gref_buffer *buffer)
{
	int error = gref_buffer_init(peer, octets, buffer);

	if (!error)
		error = gref_read_directory(buffer, directory);
	if (!error)
		error = gref_map_references(buffer, writable);
	if (error)
		return gref_give_up(buffer, error);
	gref_note(buffer, "%u pages of domain %u, mapped", buffer->pages,
		  peer->domain);
	return 0;
}

static int share(struct hdmabuf_gref_buffer *buffer, uint32_t pages,
		 uint32_t *references, bool writable)
{
	struct hdmabuf_gref_peer *peer = buffer->peer;
	int error;

	buffer->shared = xengntshr_share_pages(
		peer->shares, peer->domain, (int)pages, references, writable);
	buffer->shared_pages = pages;
	if (buffer->shared)
		return 0;
	error = errno;
	return gref_fail(
		peer, error,
		"cannot grant %u pages to domain %u: %s; 'limit' of the module xen-gntalloc or this domain's max_grant_frames may be too small",
		pages, peer->domain, strerror(error));
}

int gref_allocate(struct hdmabuf_gref_buffer *buffer)
{
	int error = share(buffer, buffer->pages, buffer->references, true);

	buffer->address = buffer->shared;
	return error;
}

int hdmabuf_gref_grant(struct hdmabuf_gref_peer *peer, uint32_t directory,
		       uint32_t octets, struct hdmabuf_gref_buffer *buffer)
{
	int error = gref_buffer_init(peer, octets, buffer);

	if (!error)
		error = gref_allocate(buffer);
	if (!error)
		error = gref_fill_directory(buffer, directory);
	if (error)
		return gref_give_up(buffer, error);
	gref_note(buffer, "%u pages allocated for domain %u", buffer->pages,
		  peer->domain);
	return 0;
}

/* ---- The frontend -------------------------------------------------------- */

/* The buffer and, behind it, its directory: gntalloc has zeroed them. */
static int share_both(struct hdmabuf_gref_buffer *buffer, uint32_t listing,
		      uint32_t *references, bool writable)
{
	uint32_t *own = references + buffer->pages;
	int error =
		share(buffer, buffer->pages + listing, references, writable);

	if (error)
		return error;
	memcpy(buffer->references, references,
	       buffer->pages * sizeof(*references));
	buffer->address = buffer->shared;
	buffer->directory = own[0];
	hdmabuf_gref_build(references, buffer->pages, own,
			   buffer->address + ((size_t)buffer->pages
					      << HDMABUF_GREF_PAGE_SHIFT));
	return 0;
}

int hdmabuf_gref_share(struct hdmabuf_gref_peer *peer, uint32_t octets,
		       bool writable, struct hdmabuf_gref_buffer *buffer)
{
	uint32_t listing =
		hdmabuf_gref_directory_pages(hdmabuf_gref_pages(octets));
	int error = gref_buffer_init(peer, octets, buffer);
	uint32_t *references;

	if (error)
		return gref_give_up(buffer, error);
	references = calloc(buffer->pages + listing, sizeof(*references));
	error = references ? share_both(buffer, listing, references, writable) :
			     no_memory(peer, buffer->pages);
	free(references);
	if (error)
		return gref_give_up(buffer, error);
	gref_note(buffer, "%u pages granted to domain %u", buffer->pages,
		  peer->domain);
	return 0;
}

int hdmabuf_gref_ask(struct hdmabuf_gref_peer *peer, uint32_t octets,
		     struct hdmabuf_gref_buffer *buffer)
{
	int error = gref_buffer_init(peer, octets, buffer);

	/* There are no more pages of the directory than of the buffer. */
	if (!error)
		error = share(buffer,
			      hdmabuf_gref_directory_pages(buffer->pages),
			      buffer->references, true);
	if (error)
		return gref_give_up(buffer, error);
	buffer->directory = buffer->references[0];
	hdmabuf_gref_link(buffer->pages, buffer->references, buffer->shared);
	gref_note(buffer, "%u pages asked of domain %u", buffer->pages,
		  peer->domain);
	return 0;
}

int hdmabuf_gref_get(struct hdmabuf_gref_buffer *buffer)
{
	struct hdmabuf_fault fault;

	if (hdmabuf_gref_take(buffer->shared, buffer->references, buffer->pages,
			      &fault))
		return tell_fault(buffer->peer, &fault);
	return gref_map_references(buffer, true);
}
