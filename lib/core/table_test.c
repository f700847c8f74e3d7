/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <hdmabuf/table.h>

#include "lib/core/siphash.h"
#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KEY(number) ((const uint64_t[2]){ number, 0 })

static uint64_t draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static struct hdmabuf_id make_id(uint64_t low, uint64_t high)
{
	struct hdmabuf_id id;

	memcpy(id.octets, &low, 8);
	memcpy(id.octets + 8, &high, 8);
	return id;
}

/* The vectors of the authors' reference: key 00..0f, octets 00..0f. */
static void siphash_is_siphash(void **state)
{
	const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	const uint64_t words[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

	(void)state;
	assert_true(siphash(key, words) == 0x3f2acc7f57c29bdb);
}

static void empty_table_has_nothing(void **state)
{
	const struct hdmabuf_id zero = { { 0 } }, one = { { 1 } };
	struct hdmabuf_table_entry entries[4];
	struct hdmabuf_table table;
	size_t place = 0;

	(void)state;
	memset(entries, 0xff, sizeof(entries));
	hdmabuf_table_init(&table, entries, 4, KEY(42));
	assert_int_equal(table.count, 0);
	assert_null(hdmabuf_table_find(&table, &zero));
	assert_null(hdmabuf_table_find(&table, &one));
	assert_null(hdmabuf_table_remove(&table, &zero));
	assert_null(hdmabuf_table_remove(&table, &one));
	assert_null(hdmabuf_table_next(&table, &place));
}

static void what_cannot_be_inserted(void **state)
{
	const struct hdmabuf_id zero = { { 0 } }, one = { { 1 } };
	struct hdmabuf_table_entry entries[4];
	struct hdmabuf_table table;
	int a, b;

	(void)state;
	hdmabuf_table_init(&table, entries, 4, KEY(42));
	assert_false(hdmabuf_table_insert(&table, &zero, &a));
	assert_false(hdmabuf_table_insert(&table, &one, NULL));
	assert_int_equal(table.count, 0);
	assert_true(hdmabuf_table_insert(&table, &one, &a));
	assert_false(hdmabuf_table_insert(&table, &one, &b));
	assert_ptr_equal(hdmabuf_table_find(&table, &one), &a);
	assert_int_equal(table.count, 1);
}

/* Any single octet tells two ids apart. */
static void every_octet_counts(void **state)
{
	struct hdmabuf_table_entry entries[32];
	struct hdmabuf_table table;
	struct hdmabuf_id id;
	int values[16];
	size_t i;

	(void)state;
	hdmabuf_table_init(&table, entries, 32, KEY(7));
	for (i = 0; i < 16; i++) {
		id = make_id(0, 0);
		id.octets[i] = 1;
		assert_true(hdmabuf_table_insert(&table, &id, &values[i]));
	}
	for (i = 0; i < 16; i++) {
		id = make_id(0, 0);
		id.octets[i] = 1;
		assert_ptr_equal(hdmabuf_table_find(&table, &id), &values[i]);
		id.octets[i] = 2;
		assert_null(hdmabuf_table_find(&table, &id));
	}
}

/* Three quarters of the places, whatever the capacity, and again after a removal. */
static void full_is_three_quarters(void **state)
{
	struct hdmabuf_table_entry entries[64];
	struct hdmabuf_table table;
	struct hdmabuf_id id;
	size_t capacity, i;
	int value;

	(void)state;
	for (capacity = 4; capacity <= 64; capacity *= 2) {
		hdmabuf_table_init(&table, entries, capacity, KEY(capacity));
		for (i = 0; i < capacity / 4 * 3; i++) {
			id = make_id(i + 1, 0);
			assert_true(hdmabuf_table_insert(&table, &id, &value));
		}
		id = make_id(i + 1, 0);
		assert_false(hdmabuf_table_insert(&table, &id, &value));
		assert_int_equal(table.count, i);
		assert_null(hdmabuf_table_find(&table, &id));
		id = make_id(1, 0);
		assert_ptr_equal(hdmabuf_table_remove(&table, &id), &value);
		id = make_id(i + 1, 0);
		assert_true(hdmabuf_table_insert(&table, &id, &value));
	}
}

#define SMALL 6

/* Which of a few ids are in, and that the table says so. */
static void check_small(const struct hdmabuf_table *table, unsigned int in,
			char *values)
{
	unsigned int i, seen = 0;
	size_t place = 0;
	struct hdmabuf_id id;
	char *value;

	for (i = 0; i < SMALL; i++) {
		id = make_id(i + 1, i);
		assert_ptr_equal(hdmabuf_table_find(table, &id),
				 in & 1u << i ? &values[i] : NULL);
	}
	while ((value = hdmabuf_table_next(table, &place)) != NULL) {
		assert_false(seen & 1u << (value - values));
		seen |= 1u << (value - values);
	}
	assert_int_equal(seen, in);
	assert_int_equal(table->count, __builtin_popcount(in));
}

static void toggle(struct hdmabuf_table *table, unsigned int which,
		   unsigned int *in, char *values)
{
	struct hdmabuf_id id = make_id(which + 1, which);

	if (*in & 1u << which)
		assert_ptr_equal(hdmabuf_table_remove(table, &id),
				 &values[which]);
	else
		assert_true(hdmabuf_table_insert(table, &id, &values[which]));
	*in ^= 1u << which;
	check_small(table, *in, values);
}

/*
 * In eight places, six ids collide all the time. All sequences of six insertions
 * and removals, under several keys: whatever can go wrong in closing a hole, also
 * across the end of the table, does so here.
 */
static void small_table_in_every_order(void **state)
{
	struct hdmabuf_table_entry entries[8];
	struct hdmabuf_table table;
	unsigned int sequence, rest, in, step;
	char values[SMALL];
	uint64_t key;

	(void)state;
	for (key = 0; key < 6; key++)
		for (sequence = 0; sequence < 46656; sequence++) {
			hdmabuf_table_init(&table, entries, 8, KEY(key));
			in = 0;
			/* All six at first for every other key. */
			for (step = 0; key & 1 && step < SMALL; step++)
				toggle(&table, step, &in, values);
			rest = sequence;
			for (step = 0; step < 6; step++, rest /= SMALL)
				toggle(&table, rest % SMALL, &in, values);
		}
}

#define MODEL	 6000
#define CAPACITY 8192

struct model {
	struct hdmabuf_id id[MODEL];
	bool in[MODEL];
	size_t count;
};

static void model_step(struct hdmabuf_table *table, struct model *model,
		       size_t which, uint64_t dice)
{
	struct hdmabuf_id *id = &model->id[which];
	void *value = &model->in[which];

	assert_ptr_equal(hdmabuf_table_find(table, id),
			 model->in[which] ? value : NULL);
	if (dice & 1) {
		assert_int_equal(hdmabuf_table_insert(table, id, value),
				 !model->in[which]);
		model->count += !model->in[which];
		model->in[which] = true;
	} else {
		assert_ptr_equal(hdmabuf_table_remove(table, id),
				 model->in[which] ? value : NULL);
		model->count -= model->in[which];
		model->in[which] = false;
	}
	assert_int_equal(table->count, model->count);
}

static void model_check(const struct hdmabuf_table *table,
			const struct model *model)
{
	size_t place = 0, seen = 0, i;
	const bool *value;

	for (i = 0; i < MODEL; i++)
		assert_ptr_equal(hdmabuf_table_find(table, &model->id[i]),
				 model->in[i] ? &model->in[i] : NULL);
	while ((value = hdmabuf_table_next(table, &place)) != NULL) {
		assert_true(*value);
		seen++;
	}
	assert_int_equal(seen, model->count);
}

/* Thousands of ids, half of them in sequence, come and go. */
static void thousands_against_a_model(void **state)
{
	struct hdmabuf_table_entry *entries;
	struct model *model = calloc(1, sizeof(*model));
	struct hdmabuf_table table;
	uint64_t seed = 88172645463325252, dice;
	size_t i;

	(void)state;
	entries = malloc(CAPACITY * sizeof(*entries));
	assert_non_null(model);
	assert_non_null(entries);
	hdmabuf_table_init(&table, entries, CAPACITY, KEY(0x0123456789abcdef));
	for (i = 0; i < MODEL; i++)
		model->id[i] = i & 1 ? make_id(i, 0) :
				       make_id(draw(&seed), draw(&seed));
	for (i = 0; i < 400000; i++) {
		dice = draw(&seed);
		/* Fill up, empty, and fill up again. */
		if (i / 50000 & 1)
			dice &= dice >> 1;
		else
			dice |= dice >> 1;
		model_step(&table, model, (size_t)(dice >> 20) % MODEL, dice);
		if (i % 50000 == 49999)
			model_check(&table, model);
	}
	free(model);
	free(entries);
}

/* Without the key nobody knows which ids lie beside one another. */
static void key_decides_the_order(void **state)
{
	struct hdmabuf_table_entry a[256], b[256];
	struct hdmabuf_table one, other;
	size_t i, same = 0;
	struct hdmabuf_id id;
	char values[100];

	(void)state;
	hdmabuf_table_init(&one, a, 256, KEY(1));
	hdmabuf_table_init(&other, b, 256, KEY(2));
	for (i = 0; i < sizeof(values); i++) {
		id = make_id(i + 1, 0);
		assert_true(hdmabuf_table_insert(&one, &id, &values[i]));
		assert_true(hdmabuf_table_insert(&other, &id, &values[i]));
	}
	for (i = 0; i < 256; i++)
		same += a[i].value && a[i].value == b[i].value;
	assert_true(same < 10);
}

/* Of the same vector: neither half of the key is left out. */
static void an_id_lies_where_its_hash_says(void **state)
{
	const struct hdmabuf_id id =
		make_id(0x0706050403020100, 0x0f0e0d0c0b0a0908);
	const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	struct hdmabuf_table_entry entries[256];
	struct hdmabuf_table table;
	int value;

	(void)state;
	hdmabuf_table_init(&table, entries, 256, key);
	assert_true(hdmabuf_table_insert(&table, &id, &value));
	assert_ptr_equal(entries[0xdb].value, &value);
}

static size_t longest_run(uint64_t low, uint64_t high)
{
	struct hdmabuf_table_entry entries[1024];
	size_t i, run = 0, longest = 0;
	struct hdmabuf_table table;
	struct hdmabuf_id id;
	char values[512];

	hdmabuf_table_init(&table, entries, 1024, KEY(99));
	for (i = 0; i < sizeof(values); i++) {
		id = make_id((i + 1) * low, (i + 1) * high);
		assert_true(hdmabuf_table_insert(&table, &id, &values[i]));
	}
	for (i = 0; i < 1024; i++) {
		run = entries[i].value ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* Ids that come in sequence, in any of their bits, are spread like any others. */
static void sequences_are_spread(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 0; bit <= 48; bit++) {
		assert_true(longest_run(1ull << bit, 0) < 64);
		assert_true(longest_run(0, 1ull << bit) < 64);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_is_siphash),
		cmocka_unit_test(empty_table_has_nothing),
		cmocka_unit_test(what_cannot_be_inserted),
		cmocka_unit_test(every_octet_counts),
		cmocka_unit_test(full_is_three_quarters),
		cmocka_unit_test(small_table_in_every_order),
		cmocka_unit_test(thousands_against_a_model),
		cmocka_unit_test(key_decides_the_order),
		cmocka_unit_test(an_id_lies_where_its_hash_says),
		cmocka_unit_test(sequences_are_spread),
	};

	return hdmabuf_test_run("table", tests, COUNT(tests));
}
