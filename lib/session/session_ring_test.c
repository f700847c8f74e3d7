/* SPDX-License-Identifier: MIT */
/*
 * Which format the rings of a session have, that a session is the same on each, and
 * what becomes of one whose marks cannot be.
 */
#include <errno.h>
#include <string.h>

#include "lib/session/internal.h"

#include "tests/raw_peer.h"

#define PAGE 4096u
#define BOTH (1u << HDMABUF_RING_FORMAT_0 | 1u << HDMABUF_RING_FORMAT_1)

static uint32_t ring_format(const struct end *end)
{
	return end->session->channel.info.ring_format;
}

static struct hdmabuf_config with_formats(uint64_t formats)
{
	struct hdmabuf_config config;

	hdmabuf_config_init(&config);
	config.ring_formats = formats;
	return config;
}

/* HDB-FE-011, for all that two ends may know. */
static void test_highest_common_format(void **state)
{
	static const struct {
		uint64_t front, back;
		uint32_t format;
	} cases[] = {
		{ BOTH, BOTH, 1 }, { BOTH, 1, 0 }, { BOTH, 2, 1 },
		{ 1, BOTH, 0 },	   { 2, BOTH, 1 }, { 1, 1, 0 },
		{ 2, 2, 1 },
	};
	struct pair pair = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hdmabuf_config front = with_formats(cases[i].front);
		struct hdmabuf_config back = with_formats(cases[i].back);

		pair_connect(&pair, &front, &back);
		assert_int_equal(ring_format(&pair.front), cases[i].format);
		assert_int_equal(ring_format(&pair.back), cases[i].format);
		pair_check(&pair);
		pair_close(&pair);
	}
}

/* There is nothing to agree on: the frontend says why it waits. */
static void test_no_common_format(void **state)
{
	struct hdmabuf_config front = with_formats(1), back = with_formats(2);
	struct pair pair = { 0 };

	(void)state;
	pair_open(&pair, &front, &back);
	pair_run(&pair);
	assert_int_equal(pair.front.seen.connected, 0);
	assert_non_null(strstr(pair.front.seen.error, "ring formats"));
	pair_close(&pair);
}

static void test_unknown_formats_are_refused(void **state)
{
	static const uint64_t wrong[] = { 0, 4, 7, 1ull << 63 };
	struct hdmabuf_endpoint *endpoint;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct hdmabuf_config config = with_formats(wrong[i]);
		char error[200];

		assert_int_equal(hdmabuf_endpoint_open(
					 "local:/nowhere", HDMABUF_FRONTEND,
					 &config, NULL, NULL, &endpoint, error,
					 sizeof(error)),
				 -EINVAL);
	}
}

/* Three times, and across 2^32, in both directions. */
static void test_marked_rings_go_round(void **state)
{
	enum hdmabuf_role role;
	unsigned int i;

	(void)state;
	for (role = HDMABUF_FRONTEND; role <= HDMABUF_BACKEND; role++) {
		struct rig rig = { 0 };

		rig_open(&rig, role, NULL);
		rig.raw.ring_format = HDMABUF_RING_FORMAT_1;
		rig.raw.front_start = 0 - 20u;
		rig.raw.back_start = 0xffffffff;
		rig_run(&rig);
		rig_greet(&rig);
		assert_int_equal(ring_format(&rig.end), 1);
		for (i = 0; i < 100; i++)
			rig_check(&rig);
		rig_close(&rig);
	}
}

static void spoil_request_mark(struct raw_peer *raw, uint8_t mark)
{
	struct hdmabuf_ring *ring = &raw->own;

	ring->slot[ring->produced & ring->mask].octets[7] = mark;
}

static void spoil_answer_mark(struct raw_peer *raw, uint8_t mark)
{
	struct hdmabuf_ring *ring = &raw->peer;

	ring->slot[ring->produced & ring->mask].octets[7] = mark;
}

/* HDB-BOTH-071: one more than there may be. */
static void test_marks_that_cannot_be(void **state)
{
	enum hdmabuf_role role;
	unsigned int times;

	(void)state;
	for (role = HDMABUF_FRONTEND; role <= HDMABUF_BACKEND; role++) {
		struct rig rig = { 0 };

		rig_open(&rig, role, NULL);
		rig.raw.ring_format = HDMABUF_RING_FORMAT_1;
		rig_run(&rig);
		rig_greet(&rig);
		for (times = 1; times <= 4; times++) {
			hdmabuf_session_echo(rig.end.session,
					     (uint8_t[56]){ 0 });
			hdmabuf_endpoint_flush(rig.end.endpoint);
			rig_wait(&rig, &rig.raw.requests.count, 1);
			if (times % 2)
				spoil_request_mark(&rig.raw, 33);
			else
				spoil_answer_mark(&rig.raw, 128 + 2);
			raw_push(&rig.raw);
			rig_wait(&rig, &rig.end.seen.disconnected, times);
			assert_int_equal(rig.end.seen.status,
					 HDMABUF_STATUS_LOST);
			rig_check_anew(&rig);
		}
		rig_close(&rig);
	}
}

/* Marks without a meaning are no messages, and nobody spins on them. */
static void test_marks_that_say_nothing(void **state)
{
	static const uint8_t marks[] = { 65, 127, 128, 193, 255 };
	struct rig rig = { 0 };
	size_t i;

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig.raw.ring_format = HDMABUF_RING_FORMAT_1;
	rig_run(&rig);
	rig_greet(&rig);
	for (i = 0; i < sizeof(marks); i++) {
		spoil_request_mark(&rig.raw, marks[i]);
		raw_push(&rig.raw);
		rig_run(&rig);
		assert_int_equal(rig.end.seen.disconnected, 0);
		rig_check(&rig);
	}
	rig_close(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_highest_common_format),
		cmocka_unit_test(test_no_common_format),
		cmocka_unit_test(test_unknown_formats_are_refused),
		cmocka_unit_test(test_marked_rings_go_round),
		cmocka_unit_test(test_marks_that_cannot_be),
		cmocka_unit_test(test_marks_that_say_nothing),
	};

	return hdmabuf_test_run("session_ring", tests,
				sizeof(tests) / sizeof(tests[0]));
}
