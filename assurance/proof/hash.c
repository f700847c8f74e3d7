/* SPDX-License-Identifier: MIT */
/*
 * The table of ids, of which a peer chooses those that are looked up
 *
 * wp: sip_rotate sip_round sip_word siphash hash wrap home is_free
 * wp: search close_hole hdmabuf_table_init hdmabuf_table_find
 * wp: hdmabuf_table_insert hdmabuf_table_remove hdmabuf_table_next
 * fault NO_WRAP lib/core/table.c s/return place \& (table->capacity - 1);/return place;/
 * fault STANDS_STILL lib/core/table.c s/place = wrap(table, place + 1);/place = wrap(table, place);/
 */
#define HDMABUF_CORE_OCTETS_H
#include "assurance/proof/proof.h"

#include <hdmabuf/table.h>

/* Here, it is an id that is copied and compared, and an entry that is cleared. */
/*@ requires \valid(to + (0 .. 1)) && \valid_read(from);
    assigns to[0 .. 1]; */
void proof_copy_id(hdmabuf_le64 *to, const struct hdmabuf_id *from);
#define octets_copy(to, from, octets) proof_copy_id(to, from)

/*@ requires \valid_read(a) && \valid_read(b);
    assigns \nothing; */
bool proof_same_id(const struct hdmabuf_id *a, const struct hdmabuf_id *b);
#define octets_equal(a, b, octets) proof_same_id(a, b)

/*@ requires \valid_read(id);
    assigns \nothing; */
bool proof_no_id(const struct hdmabuf_id *id);
#define octets_are_zero(id, octets) proof_no_id(id)

/*@ requires \valid(entry);
    assigns *entry;
    ensures entry->value == \null; */
void proof_clear_entry(struct hdmabuf_table_entry *entry);
#define octets_clear(entry, octets) proof_clear_entry(entry)

/*@
predicate is_within(integer number, integer power, integer masked) =
	0 <= masked < power && (number < power ==> masked == number) &&
	(number == power ==> masked == 0);

// What is taken for granted of powers of two. The provers see operands in the order
// of their names: there is an axiom for either.
axiomatic Powers {
	predicate is_power(integer number);
	axiom masked: \forall integer power, mask, number;
		is_power(power) && mask == power - 1 && number >= 0 ==>
		is_within(number, power, number & mask);
	axiom masked_as_well: \forall integer power, mask, index;
		is_power(power) && mask == power - 1 && index >= 0 ==>
		is_within(index, power, index & mask);
}

// A place that is free, if there is any: which one, does not matter.
axiomatic Free {
	logic integer a_free{L}(struct hdmabuf_table_entry *entries,
				integer capacity)
		reads entries[0 .. capacity - 1].value;
}

predicate is_free_at(struct hdmabuf_table *t, integer place) =
	0 <= place < t->capacity && t->entries[place].value == \null;

predicate is_table(struct hdmabuf_table *t) =
	\valid(t) && is_power(t->capacity) && 4 <= t->capacity <= 0xffffffff &&
	\valid(t->entries + (0 .. t->capacity - 1)) &&
	\separated(t, t->entries + (0 .. t->capacity - 1));

predicate has_free(struct hdmabuf_table *t) =
	is_free_at(t, a_free(t->entries, t->capacity));

logic integer way(integer from, integer to, integer capacity) =
	to >= from ? to - from : to - from + capacity;
*/

/*@ requires 1 <= bits <= 63;
    assigns \nothing; */
static inline uint64_t sip_rotate(uint64_t word, unsigned int bits);

/*@ requires is_table(table);
    assigns \nothing;
    ensures \result < table->capacity;
    ensures place < table->capacity ==> \result == place;
    ensures place == table->capacity ==> \result == 0; */
static size_t wrap(const struct hdmabuf_table *table, size_t place);

/*@ requires is_table(table) && \valid_read(id);
    assigns \nothing; */
static uint64_t hash(const struct hdmabuf_table *table,
		     const struct hdmabuf_id *id);

/*@ requires \valid_read(key + (0 .. 1)) && \valid_read(words + (0 .. 1));
    assigns \nothing; */
static inline uint64_t siphash(const uint64_t key[2], const uint64_t words[2]);

/*@ requires is_table(table) && \valid_read(id);
    assigns \nothing;
    ensures \result < table->capacity; */
static size_t home(const struct hdmabuf_table *table,
		   const struct hdmabuf_id *id);

/*@ requires \valid_read(entry);
    assigns \nothing;
    ensures \result <==> entry->value == \null; */
static bool is_free(const struct hdmabuf_table_entry *entry);

/*@ requires is_table(table) && has_free(table) && \valid_read(id);
    assigns \nothing;
    ensures \result < table->capacity; */
static size_t search(const struct hdmabuf_table *table,
		     const struct hdmabuf_id *id);

/*@ requires is_table(table) && has_free(table) && hole < table->capacity;
    requires table->entries[hole].value != \null;
    assigns table->entries[0 .. table->capacity - 1]; */
static void close_hole(struct hdmabuf_table *table, size_t hole);

/*@ requires \valid(table) && capacity <= 0xffffffff;
    requires \valid(entries + (0 .. capacity - 1));
    requires \separated(table, entries + (0 .. capacity - 1));
    requires \valid_read(key + (0 .. 1));
    requires \separated(table, key + (0 .. 1));
    assigns *table, entries[0 .. capacity - 1];
    ensures \forall integer i; 0 <= i < capacity ==>
	entries[i].value == \null; */
void hdmabuf_table_init(struct hdmabuf_table *table,
			struct hdmabuf_table_entry *entries, size_t capacity,
			const uint64_t key[2]);

/*@ requires is_table(table) && has_free(table) && \valid_read(id);
    assigns \nothing; */
void *hdmabuf_table_find(const struct hdmabuf_table *table,
			 const struct hdmabuf_id *id);

/*@ requires is_table(table) && has_free(table) && \valid_read(id);
    requires \separated(id, table, table->entries + (0 .. table->capacity - 1));
    assigns table->count, table->entries[0 .. table->capacity - 1]; */
bool hdmabuf_table_insert(struct hdmabuf_table *table,
			  const struct hdmabuf_id *id, void *value);

/*@ requires is_table(table) && has_free(table) && \valid_read(id);
    requires \separated(id, table, table->entries + (0 .. table->capacity - 1));
    assigns table->count, table->entries[0 .. table->capacity - 1]; */
void *hdmabuf_table_remove(struct hdmabuf_table *table,
			   const struct hdmabuf_id *id);

/*@ requires is_table(table) && \valid(place);
    requires \separated(place, table,
			table->entries + (0 .. table->capacity - 1));
    assigns *place;
    ensures \result == \null ==> *place >= table->capacity; */
void *hdmabuf_table_next(const struct hdmabuf_table *table, size_t *place);

#include "lib/core/table.c"

/* The structure is that of the file: contracts come after it. */

/*@ requires \valid(sip);
    assigns *sip; */
static inline void sip_round(struct sip *sip);

/*@ requires \valid(sip);
    assigns *sip; */
static inline void sip_word(struct sip *sip, uint64_t word);
