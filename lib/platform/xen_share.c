/* SPDX-License-Identifier: MIT */
/*
 * xen_share.c - memory of this end: gntalloc, references
 *
 * Pages of gntalloc are granted from when they are allocated to when they are
 * freed; the kernel keeps what is freed for as long as somebody maps it.  So to
 * share is to tell the references, and to revoke is to learn that they are not
 * used any more (HDB-XEN-024, HDB-XEN-025).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen.h"

/* Memory may outlive the endpoint that it came from. */
struct xen_memory {
	struct xen_pool *pool;
	uint32_t domain;
	bool writable;
	uint32_t pages;
	uint32_t references[];
};

/* ---- gntalloc ----------------------------------------------------------- */

int xen_pool_open(struct xen_pool **result)
{
	struct xen_pool *pool = calloc(1, sizeof(*pool));
	int error;

	if (!pool)
		return -ENOMEM;
	xen_logger_init(&pool->logger);
	pool->handle = xengntshr_open(&pool->logger, 0);
	if (!pool->handle) {
		error = -errno;
		free(pool);
		return error;
	}
	pool->users = 1;
	*result = pool;
	return 0;
}

void xen_pool_put(struct xen_pool *pool)
{
	if (--pool->users)
		return;
	xengntshr_close(pool->handle);
	free(pool);
}

static void memory_free(struct hdmabuf_memory *memory)
{
	struct xen_memory *own = (struct xen_memory *)memory->handle;

	xengntshr_unshare(own->pool->handle, memory->address, own->pages);
	xen_pool_put(own->pool);
	free(own);
}

static const struct hdmabuf_provider provider = {
	.name = "gntalloc",
	.free = memory_free,
};

/* The limit that gntalloc has, if it tells. */
static unsigned int gntalloc_limit(void)
{
	FILE *file = fopen("/sys/module/xen_gntalloc/parameters/limit", "re");
	unsigned int limit = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%u", &limit) != 1)
		limit = 0;
	fclose(file);
	return limit;
}

/* An errno as it is, and in the log what is to be done if that is exhaustion. */
int xen_share_error(struct xen_endpoint *endpoint, uint32_t pages, int error)
{
	unsigned int limit;
	char is[32] = "";

	if (error != ENOSPC)
		return -error;
	limit = gntalloc_limit();
	if (limit)
		snprintf(is, sizeof(is), ", now %u", limit);
	xen_log(endpoint,
		"no grants left for %u pages: raise 'limit' of the module xen-gntalloc%s, or max_grant_frames of this domain (Xen's gnttab_max_frames)",
		pages, is);
	return -error;
}

static int allocate(struct hdmabuf_link *link, struct xen_memory *own,
		    void **address)
{
	*address = xengntshr_share_pages(own->pool->handle, own->domain,
					 (int)own->pages, own->references,
					 own->writable);
	return *address ? 0 :
			  xen_share_error(link->endpoint, own->pages, errno);
}

static struct xen_memory *memory_new(const struct hdmabuf_link *link,
				     size_t pages, uint32_t rights)
{
	struct xen_memory *own =
		malloc(sizeof(*own) + pages * sizeof(*own->references));

	if (!own)
		return NULL;
	own->pool = link->endpoint->pool;
	own->domain = link->domain;
	own->writable = rights != HDMABUF_RIGHTS_READ_ONLY;
	own->pages = (uint32_t)pages;
	return own;
}

int xen_alloc(struct hdmabuf_link *link, size_t octets, uint32_t rights,
	      struct hdmabuf_memory *memory)
{
	size_t pages = (octets + (1u << HDMABUF_XEN_PAGE_SHIFT) - 1) >>
		       HDMABUF_XEN_PAGE_SHIFT;
	struct xen_memory *own;
	void *address;
	int error;

	if (!pages)
		return -EINVAL;
	own = pages > INT_MAX ? NULL : memory_new(link, pages, rights);
	if (!own)
		return -ENOMEM;
	error = allocate(link, own, &address);
	if (error) {
		free(own);
		return error;
	}
	own->pool->users++;
	*memory = (struct hdmabuf_memory){
		.provider = &provider,
		.address = address,
		.octets = pages << HDMABUF_XEN_PAGE_SHIFT,
		.fd = -1,
		.handle = (uintptr_t)own,
		.device = -1,
	};
	return 0;
}

/* ---- sharing ------------------------------------------------------------ */

/* How many runs these references are; they go to @runs if that is not NULL. */
static size_t make_runs(const uint32_t *references, uint64_t pages,
			struct hdmabuf_run *runs)
{
	struct hdmabuf_run run = { references[0], 1 };
	size_t count = 0;
	uint64_t i;

	for (i = 1; i <= pages; i++) {
		if (i < pages && references[i] == run.reference + run.count) {
			run.count++;
			continue;
		}
		if (runs)
			runs[count] = run;
		count++;
		if (i < pages)
			run = (struct hdmabuf_run){ references[i], 1 };
	}
	return count;
}

static int add_share(struct hdmabuf_link *link, const uint32_t *references,
		     uint64_t pages, size_t capacity, struct hdmabuf_run *runs,
		     size_t *count)
{
	size_t needed = make_runs(references, pages, NULL);
	struct xen_share *share;

	if (needed > capacity)
		return -EINVAL;
	share = malloc(sizeof(*share) + needed * sizeof(*share->runs));
	if (!share)
		return -ENOMEM;
	share->count = make_runs(references, pages, share->runs);
	memcpy(runs, share->runs, needed * sizeof(*runs));
	*count = needed;
	LIST_INSERT_HEAD(&link->shares, share, entry);
	return 0;
}

int xen_share(struct hdmabuf_link *link, const struct hdmabuf_memory *memory,
	      uint64_t first, uint64_t pages, uint32_t rights,
	      struct hdmabuf_run *runs, size_t capacity, size_t *count)
{
	const struct xen_memory *own =
		(const struct xen_memory *)memory->handle;

	if (memory->provider != &provider || !pages || first >= own->pages ||
	    pages > own->pages - first || rights < HDMABUF_RIGHTS_READ_ONLY ||
	    rights > HDMABUF_RIGHTS_LEND || own->domain != link->domain)
		return -EINVAL;
	if (link->state != XEN_UP || link->ending || !link->page.page)
		return -ENOTCONN;
	if (own->writable != (rights != HDMABUF_RIGHTS_READ_ONLY))
		return -EACCES;
	return add_share(link, own->references + first, pages, capacity, runs,
			 count);
}

/* ---- revoking ----------------------------------------------------------- */

static bool is_share(const struct xen_share *share,
		     const struct hdmabuf_run *runs, size_t count)
{
	return share->count <= count &&
	       !memcmp(share->runs, runs, share->count * sizeof(*runs));
}

/* The share whose runs come first. */
static struct xen_share *find(const struct hdmabuf_link *link,
			      const struct hdmabuf_run *runs, size_t count)
{
	struct xen_share *share;

	LIST_FOREACH(share, &link->shares, entry)
		if (is_share(share, runs, count))
			return share;
	return NULL;
}

static bool are_shared(const struct hdmabuf_link *link,
		       const struct hdmabuf_run *runs, size_t count)
{
	const struct xen_share *share;

	for (; count; runs += share->count, count -= share->count) {
		share = find(link, runs, count);
		if (!share)
			return false;
	}
	return true;
}

static bool are_in_use(const struct hdmabuf_link *link,
		       const struct hdmabuf_run *runs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (xen_page_in_use(&link->page, &runs[i]))
			return true;
	return false;
}

/* The other end is asked for a notice, and looked at again. */
static bool must_wait(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		      size_t count)
{
	if (xen_link_peer_is_done(link) || !are_in_use(link, runs, count))
		return false;
	xen_page_wait(&link->page, true);
	return are_in_use(link, runs, count);
}

static void remove_shares(struct hdmabuf_link *link,
			  const struct hdmabuf_run *runs, size_t count)
{
	struct xen_share *share;

	while (count && (share = find(link, runs, count))) {
		runs += share->count;
		count -= share->count;
		LIST_REMOVE(share, entry);
		free(share);
	}
}

int xen_revoke(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
	       size_t count)
{
	if (!count || !are_shared(link, runs, count))
		return -EINVAL;
	if (must_wait(link, runs, count))
		return -EBUSY;
	remove_shares(link, runs, count);
	return 0;
}

bool xen_shares_in_use(const struct hdmabuf_link *link)
{
	const struct xen_share *share;

	LIST_FOREACH(share, &link->shares, entry)
		if (are_in_use(link, share->runs, share->count))
			return true;
	return false;
}

void xen_shares_drop(struct hdmabuf_link *link)
{
	struct xen_share *share;

	while ((share = LIST_FIRST(&link->shares))) {
		LIST_REMOVE(share, entry);
		free(share);
	}
}
