/* SPDX-License-Identifier: MIT */
/* A hash table of ids, with open addressing and linear probing. */
#include <hdmabuf/table.h>

#include "lib/core/octets.h"
#include "lib/core/siphash.h"

static uint64_t hash(const struct hdmabuf_table *table,
		     const struct hdmabuf_id *id)
{
	hdmabuf_le64 stored[2];
	uint64_t words[2];

	octets_copy(stored, id, sizeof(stored));
	words[0] = hdmabuf_get_le64(stored[0]);
	words[1] = hdmabuf_get_le64(stored[1]);
	return siphash(table->key, words);
}

static size_t wrap(const struct hdmabuf_table *table, size_t place)
{
	return place & (table->capacity - 1);
}

/* Where the search for an id begins. */
static size_t home(const struct hdmabuf_table *table,
		   const struct hdmabuf_id *id)
{
	return wrap(table, (size_t)hash(table, id));
}

static bool is_free(const struct hdmabuf_table_entry *entry)
{
	return entry->value == NULL;
}

/* The place of an id, or where it would go: a quarter of all places is free. */
static size_t search(const struct hdmabuf_table *table,
		     const struct hdmabuf_id *id)
{
	size_t place = home(table, id);

	/*@ loop invariant place < table->capacity;
	    loop assigns place;
	    loop variant way(place, a_free(table->entries, table->capacity),
			     table->capacity); */
	while (!is_free(&table->entries[place]) &&
	       !octets_equal(&table->entries[place].id, id, sizeof(*id)))
		place = wrap(table, place + 1);
	return place;
}

/*
 * An entry is found only if no place from its home to its own is free. So an
 * entry that has the hole in between moves into it, and leaves one itself.
 */
static void close_hole(struct hdmabuf_table *table, size_t hole)
{
	size_t place = wrap(table, hole + 1);
	size_t from_home;

	/*@ loop invariant is_table(table) &&
		table->entries == \at(table->entries, Pre) &&
		table->capacity == \at(table->capacity, Pre);
	    loop invariant place < table->capacity && hole < table->capacity;
	    loop invariant is_free_at(table, \at(a_free(table->entries,
							table->capacity), Pre));
	    loop invariant table->entries[hole].value != \null;
	    loop assigns place, from_home, hole, \at(table->entries, Pre)
			 [0 .. \at(table->capacity, Pre) - 1];
	    loop variant way(place, \at(a_free(table->entries,
						table->capacity), Pre),
			     table->capacity); */
	while (!is_free(&table->entries[place])) {
		from_home = place - home(table, &table->entries[place].id);
		from_home = wrap(table, from_home);
		if (from_home >= wrap(table, place - hole)) {
			table->entries[hole] = table->entries[place];
			hole = place;
		}
		place = wrap(table, place + 1);
	}
	octets_clear(&table->entries[hole], sizeof(table->entries[hole]));
}

void hdmabuf_table_init(struct hdmabuf_table *table,
			struct hdmabuf_table_entry *entries, size_t capacity,
			const uint64_t key[2])
{
	size_t place;

	table->entries = entries;
	table->capacity = capacity;
	table->count = 0;
	table->key[0] = key[0];
	table->key[1] = key[1];
	/*@ loop invariant 0 <= place <= capacity;
	    loop invariant \forall integer i; 0 <= i < place ==>
		entries[i].value == \null;
	    loop assigns place, entries[0 .. capacity - 1];
	    loop variant capacity - place; */
	for (place = 0; place < capacity; place++)
		octets_clear(&entries[place], sizeof(entries[place]));
}

void *hdmabuf_table_find(const struct hdmabuf_table *table,
			 const struct hdmabuf_id *id)
{
	return table->entries[search(table, id)].value;
}

bool hdmabuf_table_insert(struct hdmabuf_table *table,
			  const struct hdmabuf_id *id, void *value)
{
	struct hdmabuf_table_entry *entry;

	if (table->count >= table->capacity - table->capacity / 4 || !value ||
	    octets_are_zero(id, sizeof(*id)))
		return false;
	entry = &table->entries[search(table, id)];
	if (!is_free(entry))
		return false;
	entry->id = *id;
	entry->value = value;
	table->count++;
	return true;
}

void *hdmabuf_table_remove(struct hdmabuf_table *table,
			   const struct hdmabuf_id *id)
{
	size_t place = search(table, id);
	void *value = table->entries[place].value;

	if (value) {
		close_hole(table, place);
		table->count--;
	}
	return value;
}

void *hdmabuf_table_next(const struct hdmabuf_table *table, size_t *place)
{
	/*@ loop assigns *place;
	    loop variant table->capacity - *place; */
	while (*place < table->capacity) {
		const struct hdmabuf_table_entry *entry =
			&table->entries[(*place)++];

		if (!is_free(entry))
			return entry->value;
	}
	return NULL;
}
