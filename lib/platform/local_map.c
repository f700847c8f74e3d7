/* SPDX-License-Identifier: MIT */
/*
 * local_map.c - mappings of the peer's memory
 *
 * References are first made into a plan: pieces, each contiguous in one memory.
 * Then the pieces are mapped side by side.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "local.h"

struct piece {
	struct local_memory *memory;
	uint64_t first_page;
	uint64_t pages;
};

struct plan {
	struct hdmabuf_link *link;
	bool writable;
	uint64_t pages;
	struct piece *pieces;
	size_t piece_count;
	size_t piece_capacity;
	struct local_grant **grants;
	size_t grant_count;
	size_t grant_capacity;
};

/* ---- planning ----------------------------------------------------------- */

static int make_room(void **items, size_t count, size_t *capacity, size_t size)
{
	size_t more = *capacity ? 2 * *capacity : 8;
	void *grown;

	if (count < *capacity)
		return 0;
	grown = reallocarray(*items, more, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*capacity = more;
	return 0;
}

static int add_grant(struct plan *plan, struct local_grant *grant)
{
	if (plan->grant_count && plan->grants[plan->grant_count - 1] == grant)
		return 0;
	if (make_room((void **)&plan->grants, plan->grant_count,
		      &plan->grant_capacity, sizeof(*plan->grants)))
		return -ENOMEM;
	plan->grants[plan->grant_count++] = grant;
	return 0;
}

static int add_piece(struct plan *plan, const struct piece *piece)
{
	struct piece *last =
		plan->piece_count ? &plan->pieces[plan->piece_count - 1] : NULL;

	if (last && last->memory == piece->memory &&
	    last->first_page + last->pages == piece->first_page) {
		last->pages += piece->pages;
		return 0;
	}
	if (plan->piece_count >= LOCAL_PIECES_MAX - plan->link->pieces ||
	    make_room((void **)&plan->pieces, plan->piece_count,
		      &plan->piece_capacity, sizeof(*plan->pieces)))
		return -ENOMEM;
	plan->pieces[plan->piece_count++] = *piece;
	return 0;
}

/* Adds what one grant has of a run; @run shrinks by that. */
static int add_part(struct plan *plan, struct hdmabuf_run *run)
{
	struct local_grant *grant = local_grant_of(plan->link, run->reference);
	struct piece piece;
	uint64_t skipped;

	if (!grant || grant->revoked)
		return -EINVAL;
	if (plan->writable && !grant->writable)
		return -EACCES;
	skipped = run->reference - grant->item.key;
	piece.memory = grant->memory;
	piece.first_page = grant->first_page + skipped;
	piece.pages = grant->count - skipped;
	if (piece.pages > run->count)
		piece.pages = run->count;
	if (add_grant(plan, grant) || add_piece(plan, &piece))
		return -ENOMEM;
	run->reference += piece.pages;
	run->count -= piece.pages;
	plan->pages += piece.pages;
	return 0;
}

static bool fits_address_space(const struct plan *plan, uint64_t more)
{
	uint64_t all = SIZE_MAX >> plan->link->endpoint->ops.page_shift;

	return more <= all && plan->pages <= all - more;
}

/* On failure, plan->pages is the number of the page at which it happened. */
static int add_runs(struct plan *plan, const struct hdmabuf_run *runs,
		    size_t count)
{
	int error = 0;
	size_t i;

	for (i = 0; i < count && !error; i++) {
		struct hdmabuf_run run = runs[i];

		if (!fits_address_space(plan, run.count))
			return -ENOMEM;
		while (run.count && !error)
			error = add_part(plan, &run);
	}
	return error ? error : plan->pages ? 0 : -EINVAL;
}

static void plan_clear(struct plan *plan)
{
	plan->pages = 0;
	plan->piece_count = 0;
	plan->grant_count = 0;
}

static void plan_free(struct plan *plan)
{
	free(plan->pieces);
	free(plan->grants);
}

/*
 * A reference that is not known may have been granted in a packet that waits in
 * the socket: HDB-LOCAL-015 says that it is there.
 */
static int make_plan(struct plan *plan, const struct hdmabuf_run *runs,
		     size_t count)
{
	unsigned int budget = LOCAL_BUDGET_MAP;
	int error = add_runs(plan, runs, count);

	while (error == -EINVAL && budget &&
	       local_receive_early(plan->link, LOCAL_BUDGET)) {
		plan_clear(plan);
		error = add_runs(plan, runs, count);
		budget -= LOCAL_BUDGET;
	}
	return error;
}

/* ---- mapping ------------------------------------------------------------ */

static int map_piece(const struct plan *plan, const struct piece *piece,
		     uint8_t *at)
{
	uint32_t shift = plan->link->endpoint->ops.page_shift;
	void *address = mmap(at, (size_t)(piece->pages << shift),
			     PROT_READ | (plan->writable ? PROT_WRITE : 0),
			     MAP_SHARED | MAP_FIXED, piece->memory->fd,
			     (off_t)(piece->first_page << shift));

	if (address != MAP_FAILED)
		return 0;
	switch (errno) {
	case ENOMEM:
	case EAGAIN:
		return -ENOMEM;
	case EACCES:
	case EPERM:
		return -EACCES;
	default:
		return -EINVAL;
	}
}

static int map_pieces(const struct plan *plan, uint8_t *at, uint64_t *bad)
{
	uint32_t shift = plan->link->endpoint->ops.page_shift;
	uint64_t done = 0;
	int error;
	size_t i;

	for (i = 0; i < plan->piece_count; i++) {
		error = map_piece(plan, &plan->pieces[i], at + (done << shift));
		if (error) {
			*bad = done;
			return error;
		}
		done += plan->pieces[i].pages;
	}
	return 0;
}

/* The place is reserved first, so that the pieces can be put into it. */
static int map_plan(const struct plan *plan, void **address, uint64_t *bad)
{
	size_t octets =
		(size_t)(plan->pages << plan->link->endpoint->ops.page_shift);
	void *place = mmap(NULL, octets, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int error;

	if (place == MAP_FAILED)
		return -ENOMEM;
	error = map_pieces(plan, place, bad);
	if (error) {
		munmap(place, octets);
		return error;
	}
	*address = place;
	return 0;
}

static struct local_mapping *mapping_new(const struct plan *plan)
{
	size_t grants = plan->grant_count * sizeof(*plan->grants);
	struct local_mapping *mapping = malloc(sizeof(*mapping) + grants);

	if (!mapping)
		return NULL;
	mapping->pages = plan->pages;
	mapping->pieces = plan->piece_count;
	mapping->grant_count = plan->grant_count;
	memcpy(mapping->grants, plan->grants, grants);
	return mapping;
}

static void unmap(const struct hdmabuf_link *link,
		  const struct local_mapping *mapping)
{
	munmap((void *)(uintptr_t)mapping->item.key,
	       (size_t)(mapping->pages << link->endpoint->ops.page_shift));
}

static int carry_out(const struct plan *plan, void **address, uint64_t *bad)
{
	struct hdmabuf_link *link = plan->link;
	struct local_mapping *mapping = mapping_new(plan);
	int error;
	size_t i;

	if (!mapping)
		return -ENOMEM;
	error = map_plan(plan, address, bad);
	if (error) {
		free(mapping);
		return error;
	}
	mapping->item.key = (uintptr_t)*address;
	if (local_set_insert(&link->mappings, &mapping->item)) {
		unmap(link, mapping);
		free(mapping);
		return -ENOMEM;
	}
	link->pieces += mapping->pieces;
	for (i = 0; i < mapping->grant_count; i++)
		mapping->grants[i]->maps++;
	return 0;
}

int local_map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
	      size_t count, uint32_t rights, void **address, uint64_t *bad)
{
	struct plan plan = { .link = link,
			     .writable = rights != HDMABUF_RIGHTS_READ_ONLY };
	int error;

	*bad = 0;
	if (link->state != LOCAL_UP)
		return -ENOTCONN;
	error = make_plan(&plan, runs, count);
	if (error)
		*bad = plan.pages;
	else
		error = carry_out(&plan, address, bad);
	plan_free(&plan);
	return error;
}

/* ---- unmapping ---------------------------------------------------------- */

static void mapping_remove(struct hdmabuf_link *link,
			   struct local_mapping *mapping)
{
	size_t i;

	unmap(link, mapping);
	local_set_remove(&link->mappings, &mapping->item);
	link->pieces -= mapping->pieces;
	for (i = 0; i < mapping->grant_count; i++)
		local_grant_unmapped(link, mapping->grants[i]);
	free(mapping);
}

int local_unmap(struct hdmabuf_link *link, void *address, uint64_t pages)
{
	struct local_mapping *mapping =
		(struct local_mapping *)local_set_exactly(&link->mappings,
							  (uintptr_t)address);

	if (!mapping || mapping->pages != pages)
		return -EINVAL;
	mapping_remove(link, mapping);
	local_link_finish(link);
	return 0;
}

void local_mappings_drop(struct hdmabuf_link *link)
{
	while (link->mappings.count)
		mapping_remove(link,
			       (struct local_mapping *)link->mappings.items[0]);
	local_link_finish(link);
}
