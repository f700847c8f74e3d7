/* SPDX-License-Identifier: MIT */
/*
 * table.h - finding what belongs to an id
 *
 * A hash table from ids to pointers, in memory of the caller.
 */
#ifndef HDMABUF_TABLE_H
#define HDMABUF_TABLE_H

#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_table_entry - a place in a table
 * @id: of the buffer; all zero if the place is free
 * @value: what the caller keeps for it; NULL if the place is free
 */
struct hdmabuf_table_entry {
	struct hdmabuf_id id;
	void *value;
};

/**
 * struct hdmabuf_table - a table
 * @entries: memory of the caller
 * @capacity: how many places, a power of two
 * @count: how many are taken; at most three quarters
 * @key: secret of this table, so that a peer cannot choose ids that collide
 */
struct hdmabuf_table {
	struct hdmabuf_table_entry *entries;
	size_t capacity;
	size_t count;
	uint64_t key[2];
};

/**
 * hdmabuf_table_init() - make an empty table
 * @table: to be filled
 * @entries: memory for @capacity places; is cleared
 * @capacity: a power of two, at least 4
 * @key: 128 random bits
 */
void hdmabuf_table_init(struct hdmabuf_table *table,
			struct hdmabuf_table_entry *entries, size_t capacity,
			const uint64_t key[2]);

/**
 * hdmabuf_table_find() - look an id up
 * @table: initialised
 * @id: any id
 *
 * Return: the value, or NULL if there is none
 */
void *hdmabuf_table_find(const struct hdmabuf_table *table,
			 const struct hdmabuf_id *id);

/**
 * hdmabuf_table_insert() - add an id
 * @table: initialised
 * @id: not zero, not in the table
 * @value: not NULL
 *
 * Return: false if the table is full, the id is zero or already there, or the
 * value is NULL
 */
bool hdmabuf_table_insert(struct hdmabuf_table *table,
			  const struct hdmabuf_id *id, void *value);

/**
 * hdmabuf_table_remove() - remove an id
 * @table: initialised
 * @id: any id
 *
 * Return: the value it had, or NULL if it was not there
 */
void *hdmabuf_table_remove(struct hdmabuf_table *table,
			   const struct hdmabuf_id *id);

/**
 * hdmabuf_table_next() - go through all values
 * @table: initialised; may not be changed on the way
 * @place: 0 for the first, then as left by the call before
 *
 * Return: a value, or NULL at the end
 */
void *hdmabuf_table_next(const struct hdmabuf_table *table, size_t *place);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_TABLE_H */
