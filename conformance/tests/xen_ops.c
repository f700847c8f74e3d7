/* SPDX-License-Identifier: MIT */
/* xen_ops.c - memory and mappings of a link that is made by hand */
#define _GNU_SOURCE
#include "conformance/tests/xen_raw.h"
#include "conformance/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct xen_raw *of(struct hdmabuf_link *link)
{
	return (struct xen_raw *)link;
}

static enum hdmabuf_role iut_role(const struct xen_raw *raw)
{
	return raw->role == HDMABUF_FRONTEND ? HDMABUF_BACKEND :
					       HDMABUF_FRONTEND;
}

/* ---- memory of the suite ------------------------------------------------ */

/**
 * struct granted - memory that is granted from when it is allocated
 * @pool: where it is from, open as long as the memory is there
 * @pages: of it
 * @references: of each
 */
struct granted {
	xengntshr_handle *pool;
	uint32_t pages;
	uint32_t references[];
};

static void free_memory(struct hdmabuf_memory *memory)
{
	struct granted *granted = (struct granted *)memory->handle;

	xengntshr_unshare(granted->pool, memory->address, granted->pages);
	xengntshr_close(granted->pool);
	free(granted);
}

static const struct hdmabuf_provider provider = { "suite", free_memory };

static int grant(uint32_t domain, uint32_t pages, bool writable,
		 struct hdmabuf_memory *memory)
{
	struct granted *granted = calloc(
		1, sizeof(*granted) + pages * sizeof(*granted->references));
	void *address = NULL;

	if (!granted)
		return -ENOMEM;
	granted->pages = pages;
	granted->pool = xengntshr_open(NULL, 0);
	if (granted->pool)
		address = xengntshr_share_pages(granted->pool, domain,
						(int)pages, granted->references,
						writable);
	if (!address) {
		int code = -errno;

		if (granted->pool)
			xengntshr_close(granted->pool);
		free(granted);
		return code;
	}
	*memory = (struct hdmabuf_memory){
		.provider = &provider,
		.address = address,
		.octets = (size_t)pages * XEN_PAGE_OCTETS,
		.fd = -1,
		.handle = (uintptr_t)granted,
		.device = -1,
	};
	return 0;
}

static int alloc(struct hdmabuf_link *link, size_t octets, uint32_t rights,
		 struct hdmabuf_memory *memory)
{
	size_t pages = (octets + XEN_PAGE_OCTETS - 1) / XEN_PAGE_OCTETS;

	return grant(of(link)->domain, (uint32_t)pages,
		     rights != HDMABUF_RIGHTS_READ_ONLY, memory);
}

void *xen_raw_grant(struct xen_raw *raw, uint32_t domain, uint32_t pages,
		    uint32_t *references)
{
	struct owned *owned = calloc(1, sizeof(*owned));
	const struct granted *granted;
	int code;

	if (!owned)
		error(raw->end->test, "no memory");
	owned->next = raw->end->owned;
	raw->end->owned = owned;
	code = grant(domain, pages, true, &owned->memory);
	if (code)
		error(raw->end->test, "cannot grant %u pages to domain %u: %s",
		      pages, domain, strerror(-code));
	granted = (const struct granted *)owned->memory.handle;
	memcpy(references, granted->references, pages * sizeof(*references));
	return owned->memory.address;
}

static int share(struct hdmabuf_link *link, const struct hdmabuf_memory *memory,
		 uint64_t first, uint64_t pages, uint32_t rights,
		 struct hdmabuf_run *runs, size_t capacity, size_t *count)
{
	const struct granted *granted = (const struct granted *)memory->handle;

	(void)link;
	(void)rights;
	if (memory->provider != &provider || pages > capacity)
		return -EINVAL;
	for (uint64_t i = 0; i < pages; i++)
		runs[i] = (struct hdmabuf_run){ granted->references[first + i],
						1 };
	*count = (size_t)pages;
	return 0;
}

/* That is to learn whether they are in use: they go with their pages. */
static int take_back(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		     size_t count)
{
	struct xen_raw *raw = of(link);

	if (!raw->page || xen_raw_here(raw, iut_role(raw)) == HDMABUF_XEN_GONE)
		return 0;
	wire_put(raw->page + LINK_END_AT(raw->role), LINK_WAITS, 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (size_t i = 0; i < count; i++)
		for (uint64_t j = 0; j < runs[i].count; j++)
			if (xen_raw_is_marked(raw, runs[i].reference + j))
				return -EBUSY;
	return 0;
}

/* ---- marks of the IUT's references -------------------------------------- */

static void write_mark(struct xen_raw *raw, uint32_t reference, bool set)
{
	uint32_t count;
	uint8_t *marks = xen_raw_marks(raw, iut_role(raw), &count);
	uint32_t bit = reference % count;
	uint8_t mask = (uint8_t)(1u << bit % 8);

	raw->uses[bit] += set ? 1 : UINT32_MAX;
	if (raw->uses[bit])
		marks[bit / 8] |= mask;
	else
		marks[bit / 8] &= (uint8_t)~mask;
}

static void mark_all(struct xen_raw *raw, const struct xen_mapped *mapped,
		     bool set)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < mapped->pages; i++)
		write_mark(raw, mapped->references[i], set);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void tell_if_waited_for(struct xen_raw *raw)
{
	const uint8_t *part = raw->page + LINK_END_AT(iut_role(raw));

	if (wire_get(part, LINK_WAITS))
		xen_raw_notify(raw);
}

/* ---- memory of the IUT -------------------------------------------------- */

static struct xen_mapped *reserve(struct xen_raw *raw,
				  const struct hdmabuf_run *runs, size_t count)
{
	struct xen_mapped *grown, *mapped;
	uint64_t pages = 0;

	for (size_t i = 0; i < count; i++)
		pages += runs[i].count;
	grown = realloc(raw->mapped,
			(raw->mapped_count + 1) * sizeof(*raw->mapped));
	if (!grown)
		error(raw->end->test, "no memory");
	raw->mapped = grown;
	mapped = &raw->mapped[raw->mapped_count++];
	memset(mapped, 0, sizeof(*mapped));
	mapped->references = calloc(pages, sizeof(*mapped->references));
	if (!mapped->references)
		error(raw->end->test, "no memory");
	for (size_t i = 0; i < count; i++)
		for (uint64_t j = 0; j < runs[i].count; j++)
			mapped->references[mapped->pages++] =
				(uint32_t)(runs[i].reference + j);
	return mapped;
}

static void forget(struct xen_mapped *mapped)
{
	free(mapped->references);
	mapped->references = NULL;
	mapped->address = NULL;
}

static void *map_pages(struct xen_raw *raw, struct xen_mapped *mapped,
		       uint32_t first, uint32_t count, int protection)
{
	return xengnttab_map_domain_grant_refs(raw->grants, count, raw->domain,
					       mapped->references + first,
					       protection);
}

/* Which one it is, is found one by one. */
static int explain(struct xen_raw *raw, struct xen_mapped *mapped,
		   int protection, uint64_t *bad)
{
	for (*bad = 0; *bad < mapped->pages; ++*bad) {
		void *page =
			map_pages(raw, mapped, (uint32_t)*bad, 1, protection);

		if (page) {
			xengnttab_unmap(raw->grants, page, 1);
			continue;
		}
		page = map_pages(raw, mapped, (uint32_t)*bad, 1, PROT_READ);
		if (!page)
			return -EINVAL;
		xengnttab_unmap(raw->grants, page, 1);
		return -EACCES;
	}
	return -ENOMEM;
}

static int map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
	       size_t count, uint32_t rights, void **address, uint64_t *bad)
{
	struct xen_raw *raw = of(link);
	int protection = rights == HDMABUF_RIGHTS_READ_ONLY ?
				 PROT_READ :
				 PROT_READ | PROT_WRITE;
	struct xen_mapped *mapped;
	int code;

	if (!raw->page)
		return -ENOTCONN;
	mapped = reserve(raw, runs, count);
	mark_all(raw, mapped, true);
	mapped->address = map_pages(raw, mapped, 0, mapped->pages, protection);
	if (mapped->address) {
		*address = mapped->address;
		return 0;
	}
	code = explain(raw, mapped, protection, bad);
	mark_all(raw, mapped, false);
	forget(mapped);
	return code;
}

static void unmap_one(struct xen_raw *raw, struct xen_mapped *mapped)
{
	xengnttab_unmap(raw->grants, mapped->address, mapped->pages);
	mark_all(raw, mapped, false);
	tell_if_waited_for(raw);
	forget(mapped);
}

static int unmap(struct hdmabuf_link *link, void *address, uint64_t pages)
{
	struct xen_raw *raw = of(link);

	for (size_t i = 0; i < raw->mapped_count; i++) {
		struct xen_mapped *mapped = &raw->mapped[i];

		if (mapped->address == address && mapped->pages == pages) {
			unmap_one(raw, mapped);
			return 0;
		}
	}
	return -EINVAL;
}

void xen_raw_unmap_all(struct xen_raw *raw)
{
	for (size_t i = 0; i < raw->mapped_count; i++)
		if (raw->mapped[i].address)
			unmap_one(raw, &raw->mapped[i]);
}

/* ---- the table ---------------------------------------------------------- */

void xen_raw_set_ops(struct xen_raw *raw, struct hdmabuf_platform *platform)
{
	static const struct hdmabuf_platform_ops ops = {
		.name = "xen",
		.page_shift = HDMABUF_XEN_PAGE_SHIFT,
		.reference_max = UINT32_MAX,
		.contiguous = false,
		.alloc = alloc,
		.share = share,
		.revoke = take_back,
		.map = map,
		.unmap = unmap,
	};

	raw->ops = ops;
	platform->ops = &raw->ops;
}
