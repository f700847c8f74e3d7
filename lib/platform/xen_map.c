/* SPDX-License-Identifier: MIT */
/*
 * xen_map.c - mappings of the other end's memory: gntdev
 *
 * All pages are mapped by one call.  Only when that fails is it found out by
 * halves which page it is: the library does not say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "xen.h"

/* More than any grant table has; a directory may say more. */
#define PAGES_MAX (1u << 22)

/* ---- references --------------------------------------------------------- */

static int count_pages(const struct hdmabuf_run *runs, size_t count,
		       uint64_t *pages)
{
	size_t i;

	*pages = 0;
	for (i = 0; i < count; i++) {
		if (runs[i].count > PAGES_MAX - *pages)
			return -ENOMEM;
		*pages += runs[i].count;
	}
	return *pages ? 0 : -EINVAL;
}

static int spell_out(const struct hdmabuf_run *runs, size_t count,
		     struct xen_mapping *mapping, uint64_t *bad)
{
	uint32_t done = 0;
	uint64_t j;
	size_t i;

	for (i = 0; i < count; i++)
		for (j = 0; j < runs[i].count; j++) {
			uint64_t reference = runs[i].reference + j;

			if (!reference || reference > UINT32_MAX) {
				*bad = done;
				return -EINVAL;
			}
			mapping->references[done++] = (uint32_t)reference;
		}
	return 0;
}

static int mapping_new(const struct hdmabuf_run *runs, size_t count,
		       struct xen_mapping **result, uint64_t *bad)
{
	struct xen_mapping *mapping;
	uint64_t pages;
	int error = count_pages(runs, count, &pages);

	if (error)
		return error;
	mapping =
		malloc(sizeof(*mapping) + pages * sizeof(*mapping->references));
	if (!mapping)
		return -ENOMEM;
	mapping->pages = (uint32_t)pages;
	error = spell_out(runs, count, mapping, bad);
	if (error)
		free(mapping);
	else
		*result = mapping;
	return error;
}

/* ---- mapping ------------------------------------------------------------ */

static void *map_some(const struct hdmabuf_link *link,
		      struct xen_mapping *mapping, uint32_t from,
		      uint32_t count, int protection)
{
	return xengnttab_map_domain_grant_refs(link->endpoint->grants, count,
					       link->domain,
					       mapping->references + from,
					       protection);
}

static bool can_map(const struct hdmabuf_link *link,
		    struct xen_mapping *mapping, uint32_t from, uint32_t count,
		    int protection)
{
	void *address = map_some(link, mapping, from, count, protection);

	if (!address)
		return false;
	xengnttab_unmap(link->endpoint->grants, address, count);
	return true;
}

/* The first page of those that cannot be mapped, if it is a page's fault. */
static uint32_t find_bad(const struct hdmabuf_link *link,
			 struct xen_mapping *mapping, int protection)
{
	uint32_t from = 0, to = mapping->pages;

	while (to - from > 1) {
		uint32_t middle = from + (to - from) / 2;

		if (can_map(link, mapping, from, middle - from, protection))
			from = middle;
		else
			to = middle;
	}
	return from;
}

static int explain(const struct hdmabuf_link *link, struct xen_mapping *mapping,
		   int protection, uint64_t *bad)
{
	uint32_t page;

	if (errno == ENOMEM)
		return -ENOMEM;
	page = find_bad(link, mapping, protection);
	*bad = page;
	if (mapping->pages > 1 && can_map(link, mapping, page, 1, protection)) {
		xen_log(link->endpoint,
			"%u pages of domain %u cannot be mapped together: raise 'limit' of the module xen-gntdev, or max_maptrack_frames of this domain (Xen's gnttab_max_maptrack_frames)",
			mapping->pages, link->domain);
		return -ENOMEM;
	}
	if (protection & PROT_WRITE &&
	    can_map(link, mapping, page, 1, PROT_READ))
		return -EACCES;
	return -EINVAL;
}

int xen_map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
	    size_t count, uint32_t rights, void **address, uint64_t *bad)
{
	int protection = rights == HDMABUF_RIGHTS_READ_ONLY ?
				 PROT_READ :
				 PROT_READ | PROT_WRITE;
	struct xen_mapping *mapping;
	int error;

	*bad = 0;
	if (link->state != XEN_UP || !link->attached)
		return -ENOTCONN;
	error = mapping_new(runs, count, &mapping, bad);
	if (error)
		return error;
	xen_page_mark(&link->page, mapping->references, mapping->pages);
	mapping->address =
		map_some(link, mapping, 0, mapping->pages, protection);
	if (!mapping->address) {
		error = explain(link, mapping, protection, bad);
		xen_page_clear(&link->page, mapping->references,
			       mapping->pages);
		free(mapping);
		return error;
	}
	LIST_INSERT_HEAD(&link->mappings, mapping, entry);
	*address = mapping->address;
	return 0;
}

/* ---- unmapping ---------------------------------------------------------- */

static void forget(struct hdmabuf_link *link, struct xen_mapping *mapping)
{
	LIST_REMOVE(mapping, entry);
	xen_page_clear(&link->page, mapping->references, mapping->pages);
	if (xen_page_is_waited_for(&link->page))
		xen_link_notify(link);
	free(mapping);
}

static int unmap(struct hdmabuf_link *link, struct xen_mapping *mapping)
{
	if (xengnttab_unmap(link->endpoint->grants, mapping->address,
			    mapping->pages))
		return -errno;
	forget(link, mapping);
	return 0;
}

static struct xen_mapping *find(const struct hdmabuf_link *link,
				const void *address, uint64_t pages)
{
	struct xen_mapping *mapping;

	LIST_FOREACH(mapping, &link->mappings, entry)
		if (mapping->address == address && mapping->pages == pages)
			return mapping;
	return NULL;
}

int xen_unmap(struct hdmabuf_link *link, void *address, uint64_t pages)
{
	struct xen_mapping *mapping = find(link, address, pages);
	int error = mapping ? unmap(link, mapping) : -EINVAL;

	if (!error && LIST_EMPTY(&link->mappings))
		xen_link_finish(link);
	return error;
}

/* What cannot be unmapped, the kernel unmaps with the end of the process. */
void xen_mappings_drop(struct hdmabuf_link *link)
{
	struct xen_mapping *mapping;

	while ((mapping = LIST_FIRST(&link->mappings)))
		if (unmap(link, mapping)) {
			LIST_REMOVE(mapping, entry);
			free(mapping);
		}
}
