/* SPDX-License-Identifier: MIT */
/*
 * How often somebody looks who waits for messages that come after so many looks, or later:
 * no time passes here.
 */
#include <stdbool.h>
#include <stdlib.h>

#include <hdmabuf/waiting.h>

#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NEVER UINT32_MAX

static const uint32_t mosts[] = { 1,  15,   16,		17,	    63,	  64,
				  65, 2048, 0x7fffffff, 0x80000000, NEVER };

/* Waits for what comes after @after looks; false if that was slept through. */
static bool wait_for(struct hdmabuf_waiting *waiting, uint32_t after,
		     uint64_t *looks)
{
	uint32_t looked = 0;
	bool found;

	while (looked < after && hdmabuf_waiting_look_again(waiting))
		looked++;
	*looks += looked;
	found = looked == after;
	/* It woke who slept. */
	hdmabuf_waiting_found(waiting);
	return found;
}

/* So many messages; how many were slept through. */
static unsigned int stream(struct hdmabuf_waiting *waiting, unsigned int count,
			   uint32_t after, uint64_t *looks)
{
	unsigned int slept = 0;

	while (count--)
		slept += !wait_for(waiting, after, looks);
	return slept;
}

/* Where looking was given up, with the first try far away. */
static void give_up(struct hdmabuf_waiting *waiting, uint32_t most)
{
	uint64_t looks = 0;

	hdmabuf_waiting_init(waiting, most);
	stream(waiting, 100000, NEVER, &looks);
}

static void on_one_processor_nobody_looks(void **state)
{
	static const uint32_t after[] = { 1, 2, 100, NEVER };
	struct hdmabuf_waiting waiting;
	uint64_t looks = 0;
	size_t i;

	(void)state;
	hdmabuf_waiting_init(&waiting, 0);
	for (i = 0; i < COUNT(after); i++)
		assert_int_equal(stream(&waiting, 100000, after[i], &looks),
				 100000);
	assert_int_equal(looks, 0);
}

static void steady_messages_are_never_slept_through(void **state)
{
	static const uint32_t after[] = { 0, 1, 2, 15, 16, 100, 2047, 2048 };
	struct hdmabuf_waiting waiting;
	uint64_t looks;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(after); i++) {
		looks = 0;
		hdmabuf_waiting_init(&waiting, 2048);
		assert_int_equal(stream(&waiting, 10000, after[i], &looks), 0);
		assert_int_equal(looks, 10000ull * after[i]);
	}
}

/* However it was before: what comes soon is soon looked for again. */
static void looking_is_tried_again(void **state)
{
	struct hdmabuf_waiting waiting;
	uint64_t looks = 0;

	(void)state;
	give_up(&waiting, 2048);
	assert_in_range(stream(&waiting, 5000, 20, &looks), 1, 4096);
	assert_int_equal(stream(&waiting, 10000, 20, &looks), 0);
	/* And the next time at once, unless it goes on: a success starts anew. */
	assert_int_equal(stream(&waiting, 20, NEVER, &looks), 20);
	assert_in_range(stream(&waiting, 100, 20, &looks), 0, 32);
}

/* All tries together: at most twelve until they are 4096 sleeps apart. */
static void rare_messages_cost_little(void **state)
{
	const unsigned int count = 1000000;
	struct hdmabuf_waiting waiting;
	uint64_t looks = 0;

	(void)state;
	hdmabuf_waiting_init(&waiting, 2048);
	assert_int_equal(stream(&waiting, count, NEVER, &looks), count);
	assert_in_range(looks, 2048, 2048 * (12 + count / 4096));
	/* Neither does it from then on. */
	looks = 0;
	stream(&waiting, 100, NEVER, &looks);
	assert_in_range(looks, 0, 2048);
}

/* A message that is late once costs a sleep, not the looking. */
static void one_late_message_changes_nothing(void **state)
{
	struct hdmabuf_waiting waiting;
	uint64_t looks = 0;
	unsigned int i;

	(void)state;
	hdmabuf_waiting_init(&waiting, 2048);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(stream(&waiting, 50, 20, &looks), 0);
		assert_int_equal(stream(&waiting, 1, NEVER, &looks), 1);
	}
	/* What it looked for in vain is not much, either. */
	assert_in_range(looks, 1000 * 50 * 20, 1000 * (50 * 20 + 160));
}

/* When no more comes, what was needed last counts, not what there may be. */
static void the_budget_follows_what_is_needed(void **state)
{
	struct hdmabuf_waiting waiting;
	uint64_t looks = 0;

	(void)state;
	hdmabuf_waiting_init(&waiting, 2048);
	stream(&waiting, 100, 20, &looks);
	looks = 0;
	stream(&waiting, 4, NEVER, &looks);
	assert_in_range(looks, 80, 160);
	/* It grows at once. */
	hdmabuf_waiting_init(&waiting, 2048);
	stream(&waiting, 100, 20, &looks);
	assert_int_equal(stream(&waiting, 1, 75, &looks), 0);
	assert_int_equal(stream(&waiting, 1, 290, &looks), 0);
	assert_int_equal(stream(&waiting, 1, 1100, &looks), 0);
}

/*
 * A peer that is just quick enough once, and then late: each success costs itself, and the
 * looks of tries that are twice as far apart each time.
 */
static void no_peer_makes_anybody_look_for_ever(void **state)
{
	struct hdmabuf_waiting waiting;
	unsigned int late, tries, i;
	uint64_t looks;

	(void)state;
	for (late = 1; late < 300; late += 7) {
		looks = 0;
		hdmabuf_waiting_init(&waiting, 2048);
		for (i = 0; i < 200; i++) {
			stream(&waiting, 1, 2047, &looks);
			stream(&waiting, late, NEVER, &looks);
		}
		for (tries = 0; late >> tries > 2; tries++)
			;
		assert_in_range(looks, 0, 200 * 2048 * (2 + tries));
	}
}

/* In a row; and what is there at once is no reason to look more or less. */
static void never_more_than_most(void **state)
{
	struct hdmabuf_waiting waiting;
	uint32_t i, row;
	size_t m;

	(void)state;
	for (m = 0; m < COUNT(mosts) && mosts[m] <= 2048; m++) {
		hdmabuf_waiting_init(&waiting, mosts[m]);
		for (i = 0; i < 10000; i++) {
			for (row = 0; hdmabuf_waiting_look_again(&waiting);
			     row++)
				assert_in_range(row, 0, mosts[m] - 1);
			if (i % 3 == 0)
				hdmabuf_waiting_found(&waiting);
			if (i % 5 == 0 && hdmabuf_waiting_look_again(&waiting))
				hdmabuf_waiting_found(&waiting);
		}
	}
}

/* How often it looks before it sleeps. */
static uint32_t row(struct hdmabuf_waiting *waiting)
{
	uint32_t looks = 0;

	while (hdmabuf_waiting_look_again(waiting))
		looks++;
	return looks;
}

static void expect_sleeps(struct hdmabuf_waiting *waiting, unsigned int count)
{
	while (count--)
		assert_int_equal(row(waiting), 0);
}

/* All tries, as nothing ever comes of one, and from the first success on again. */
static void tries_are_further_and_further_apart(void **state)
{
	struct hdmabuf_waiting waiting;
	unsigned int apart, i;

	(void)state;
	hdmabuf_waiting_init(&waiting, 300);
	for (i = 0; i < 2; i++) {
		for (apart = 2; apart <= 4096; apart *= 2) {
			assert_int_equal(row(&waiting), 300);
			expect_sleeps(&waiting, apart);
		}
		assert_int_equal(row(&waiting), 300);
		expect_sleeps(&waiting, 4096);
		wait_for(&waiting, 300, &(uint64_t){ 0 });
	}
}

static void what_is_found_late_makes_a_budget(void **state)
{
	static const struct {
		uint32_t most, found, times, budgets[6];
	} cases[] = {
		{ 2048, 1, 100, { 64, 32, 16, 0, 0, 2048 } },
		{ 2048, 16, 100, { 64, 32, 16, 0, 0, 2048 } },
		{ 2048, 33, 100, { 132, 66, 33, 16, 0, 0 } },
		{ 2048, 2000, 1, { 2048, 0, 0, 2048, 0, 0 } },
		{ 2048, 20, 1, { 1792, 896, 448, 224, 112, 56 } },
		{ 2048, 20, 2, { 1568, 784, 392, 196, 98, 49 } },
		{ 2050, 512, 100, { 2048, 1024, 512, 256, 128, 64 } },
		{ 2050, 513, 100, { 2050, 0, 0, 2050, 0, 0 } },
		{ 15, 1, 1, { 15, 0, 0, 15, 0, 0 } },
		{ 65, 1, 100, { 64, 32, 16, 0, 0, 65 } },
	};
	struct hdmabuf_waiting waiting;
	uint64_t looks = 0;
	size_t i, b;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		hdmabuf_waiting_init(&waiting, cases[i].most);
		assert_int_equal(stream(&waiting, cases[i].times,
					cases[i].found, &looks),
				 0);
		for (b = 0; b < COUNT(cases[i].budgets); b++)
			assert_int_equal(row(&waiting), cases[i].budgets[b]);
	}
}

/* Nothing goes beyond 32 bits: all there may be is asked for once, at the end. */
static void the_greatest_numbers(void **state)
{
	struct hdmabuf_waiting waiting;
	size_t m;

	(void)state;
	for (m = 0; m < COUNT(mosts); m++) {
		hdmabuf_waiting_init(&waiting, mosts[m]);
		waiting.looks = mosts[m] - 1;
		assert_true(hdmabuf_waiting_look_again(&waiting));
		hdmabuf_waiting_found(&waiting);
		assert_int_equal(waiting.budget, mosts[m]);
		waiting.looks = mosts[m];
		assert_false(hdmabuf_waiting_look_again(&waiting));
		assert_false(hdmabuf_waiting_look_again(&waiting));
	}
	/* Four times that is four. */
	hdmabuf_waiting_init(&waiting, NEVER);
	waiting.looks = 0x40000001;
	hdmabuf_waiting_found(&waiting);
	assert_int_equal(waiting.budget, NEVER);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_one_processor_nobody_looks),
		cmocka_unit_test(steady_messages_are_never_slept_through),
		cmocka_unit_test(looking_is_tried_again),
		cmocka_unit_test(rare_messages_cost_little),
		cmocka_unit_test(one_late_message_changes_nothing),
		cmocka_unit_test(the_budget_follows_what_is_needed),
		cmocka_unit_test(no_peer_makes_anybody_look_for_ever),
		cmocka_unit_test(never_more_than_most),
		cmocka_unit_test(tries_are_further_and_further_apart),
		cmocka_unit_test(what_is_found_late_makes_a_budget),
		cmocka_unit_test(the_greatest_numbers),
	};

	return hdmabuf_test_run("waiting", tests,
				sizeof(tests) / sizeof(tests[0]));
}
