/* SPDX-License-Identifier: MIT */
/*
 * one_address.c - two ends in one process that see shared memory at one address
 *
 * The inner platform does all that it always does; but who maps gets the address that
 * the other end shared from.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "tests/one_address.h"

/* More than a test has at a time. */
#define AREAS_MAX 256

/* Consecutive references, and where what they stand for begins. */
struct area {
	struct hdmabuf_run run;
	char *address;
};

/* Where it really is mapped. */
struct mapping {
	void *address;
	void *inner;
};

/* One end. @areas are looked at by the other, too. */
struct side {
	struct hdmabuf_platform_ops ops;
	const struct hdmabuf_platform_ops *inner;
	struct side *other;
	pthread_mutex_t lock;
	struct area areas[AREAS_MAX];
	struct mapping mappings[AREAS_MAX];
};

static struct side sides[2];

static size_t page_octets(const struct side *side)
{
	return (size_t)1 << side->inner->page_shift;
}

/* ---- what is shared --------------------------------------------------------- */

static struct area *find_area(struct side *side, uint64_t reference)
{
	size_t i;

	for (i = 0; i < AREAS_MAX; i++)
		if (reference - side->areas[i].run.reference <
		    side->areas[i].run.count)
			return &side->areas[i];
	return NULL;
}

static struct area *free_area(struct side *side)
{
	size_t i;

	for (i = 0; i < AREAS_MAX; i++)
		if (!side->areas[i].run.count)
			return &side->areas[i];
	return NULL;
}

static int remember(struct side *side, const struct hdmabuf_run *run,
		    char *address)
{
	struct area *area;

	pthread_mutex_lock(&side->lock);
	area = free_area(side);
	if (area)
		*area = (struct area){ *run, address };
	pthread_mutex_unlock(&side->lock);
	return area ? 0 : -ENOSPC;
}

static void forget(struct side *side, const struct hdmabuf_run *run)
{
	struct area *area;

	pthread_mutex_lock(&side->lock);
	area = find_area(side, run->reference);
	if (area)
		area->run.count = 0;
	pthread_mutex_unlock(&side->lock);
}

static char *address_of(struct side *side, uint64_t reference)
{
	struct area *area;
	char *address = NULL;

	pthread_mutex_lock(&side->lock);
	area = find_area(side, reference);
	if (area)
		address = area->address +
			  (reference - area->run.reference) * page_octets(side);
	pthread_mutex_unlock(&side->lock);
	return address;
}

static int share(struct side *side, struct hdmabuf_link *link,
		 const struct hdmabuf_memory *memory, uint64_t first,
		 uint64_t pages, uint32_t rights, struct hdmabuf_run *runs,
		 size_t capacity, size_t *count)
{
	char *address = (char *)memory->address + first * page_octets(side);
	int error = side->inner->share(link, memory, first, pages, rights, runs,
				       capacity, count);

	/* The local platform is contiguous: it is one run. */
	return error ? error : remember(side, runs, address);
}

static int revoke(struct side *side, struct hdmabuf_link *link,
		  const struct hdmabuf_run *runs, size_t count)
{
	int error = side->inner->revoke(link, runs, count);
	size_t i;

	for (i = 0; i < count && !error; i++)
		forget(side, &runs[i]);
	return error;
}

/* ---- what is mapped --------------------------------------------------------- */

static struct mapping *find_mapping(struct side *side, const void *address)
{
	size_t i;

	for (i = 0; i < AREAS_MAX; i++)
		if (side->mappings[i].address == address)
			return &side->mappings[i];
	return NULL;
}

static int map(struct side *side, struct hdmabuf_link *link,
	       const struct hdmabuf_run *runs, size_t count, uint32_t rights,
	       void **address, uint64_t *bad)
{
	struct mapping *mapping = find_mapping(side, NULL);
	void *inner;
	int error;

	if (!mapping)
		return -ENOMEM;
	error = side->inner->map(link, runs, count, rights, &inner, bad);
	if (error)
		return error;
	*address = address_of(side->other, runs[0].reference);
	*mapping = (struct mapping){ *address, inner };
	return 0;
}

static int unmap(struct side *side, struct hdmabuf_link *link, void *address,
		 uint64_t pages)
{
	struct mapping *mapping = find_mapping(side, address);
	int error;

	if (!mapping)
		return -EINVAL;
	error = side->inner->unmap(link, mapping->inner, pages);
	if (!error)
		memset(mapping, 0, sizeof(*mapping));
	return error;
}

/* ---- each end has its own --------------------------------------------------- */

static int front_share(struct hdmabuf_link *link,
		       const struct hdmabuf_memory *memory, uint64_t first,
		       uint64_t pages, uint32_t rights,
		       struct hdmabuf_run *runs, size_t capacity, size_t *count)
{
	return share(&sides[0], link, memory, first, pages, rights, runs,
		     capacity, count);
}

static int back_share(struct hdmabuf_link *link,
		      const struct hdmabuf_memory *memory, uint64_t first,
		      uint64_t pages, uint32_t rights, struct hdmabuf_run *runs,
		      size_t capacity, size_t *count)
{
	return share(&sides[1], link, memory, first, pages, rights, runs,
		     capacity, count);
}

static int front_revoke(struct hdmabuf_link *link,
			const struct hdmabuf_run *runs, size_t count)
{
	return revoke(&sides[0], link, runs, count);
}

static int back_revoke(struct hdmabuf_link *link,
		       const struct hdmabuf_run *runs, size_t count)
{
	return revoke(&sides[1], link, runs, count);
}

static int front_map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		     size_t count, uint32_t rights, void **address,
		     uint64_t *bad)
{
	return map(&sides[0], link, runs, count, rights, address, bad);
}

static int back_map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		    size_t count, uint32_t rights, void **address,
		    uint64_t *bad)
{
	return map(&sides[1], link, runs, count, rights, address, bad);
}

static int front_unmap(struct hdmabuf_link *link, void *address, uint64_t pages)
{
	return unmap(&sides[0], link, address, pages);
}

static int back_unmap(struct hdmabuf_link *link, void *address, uint64_t pages)
{
	return unmap(&sides[1], link, address, pages);
}

static void side_init(struct side *side, struct side *other,
		      struct hdmabuf_platform *platform)
{
	memset(side, 0, sizeof(*side));
	pthread_mutex_init(&side->lock, NULL);
	side->inner = platform->ops;
	side->other = other;
	side->ops = *platform->ops;
	platform->ops = &side->ops;
}

int one_address_pair(struct hdmabuf_platform *front,
		     struct hdmabuf_platform *back)
{
	int error = hdmabuf_local_pair(front, back);

	if (error)
		return error;
	side_init(&sides[0], &sides[1], front);
	side_init(&sides[1], &sides[0], back);
	sides[0].ops.share = front_share;
	sides[0].ops.revoke = front_revoke;
	sides[0].ops.map = front_map;
	sides[0].ops.unmap = front_unmap;
	sides[1].ops.share = back_share;
	sides[1].ops.revoke = back_revoke;
	sides[1].ops.map = back_map;
	sides[1].ops.unmap = back_unmap;
	return 0;
}
