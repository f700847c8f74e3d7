/* SPDX-License-Identifier: MIT */
/*
 * local_set.c - sorted sets
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "local.h"

/* How many items have keys up to this one. */
static size_t position(const struct local_set *set, uint64_t key)
{
	size_t low = 0;
	size_t high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->items[middle]->key <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct local_item *local_set_at_or_below(const struct local_set *set,
					 uint64_t key)
{
	size_t at = position(set, key);

	return at ? set->items[at - 1] : NULL;
}

struct local_item *local_set_above(const struct local_set *set, uint64_t key)
{
	size_t at = position(set, key);

	return at < set->count ? set->items[at] : NULL;
}

struct local_item *local_set_exactly(const struct local_set *set, uint64_t key)
{
	struct local_item *item = local_set_at_or_below(set, key);

	return item && item->key == key ? item : NULL;
}

static int grow(struct local_set *set)
{
	size_t capacity = set->capacity ? 2 * set->capacity : 16;
	struct local_item **items =
		realloc(set->items, capacity * sizeof(*items));

	if (!items)
		return -ENOMEM;
	set->items = items;
	set->capacity = capacity;
	return 0;
}

int local_set_insert(struct local_set *set, struct local_item *item)
{
	size_t at = position(set, item->key);

	if (set->count == set->capacity && grow(set))
		return -ENOMEM;
	memmove(set->items + at + 1, set->items + at,
		(set->count - at) * sizeof(*set->items));
	set->items[at] = item;
	set->count++;
	return 0;
}

void local_set_remove(struct local_set *set, struct local_item *item)
{
	size_t at = position(set, item->key) - 1;

	set->count--;
	memmove(set->items + at, set->items + at + 1,
		(set->count - at) * sizeof(*set->items));
}

void local_set_free(struct local_set *set)
{
	free(set->items);
	memset(set, 0, sizeof(*set));
}
