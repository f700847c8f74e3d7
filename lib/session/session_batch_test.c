/* SPDX-License-Identifier: MIT */
/*
 * Batches: whatever is made between two flushes becomes visible by one write to the ring,
 * with one notification at most; so do the answers. And what that saves in a stream.
 */
#include <errno.h>
#include <string.h>

#include "lib/session/internal.h"

#include "tests/pair.h"

#define PAGE  4096u
#define SLOTS 128 /* of rings of four pages, with room to spare */
#define MOST  100

static void connect_with(struct pair *pair, uint32_t format)
{
	struct hdmabuf_config config;

	hdmabuf_config_init(&config);
	config.ring_formats = 1u << format;
	config.ring_order = 2;
	pair_connect(pair, &config, &config);
	pair_run(pair);
	assert_int_equal(pair->front.session->channel.own.slots, SLOTS);
}

static struct hdmabuf_statistics counts(const struct end *end)
{
	return *hdmabuf_session_statistics(end->session);
}

/* What an end has done since: messages, writes to rings, notifications. */
static void expect_since(const struct end *end,
			 const struct hdmabuf_statistics *before,
			 uint64_t requests, uint64_t writes,
			 uint64_t notifications)
{
	struct hdmabuf_statistics now = counts(end);

	assert_int_equal(now.requests_sent - before->requests_sent, requests);
	assert_int_equal(now.ring_writes - before->ring_writes, writes);
	assert_int_equal(now.notifications_sent - before->notifications_sent,
			 notifications);
}

static void hand_off_some(struct hdmabuf_buffer *buffer, unsigned int count)
{
	while (count--)
		assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, count,
					       false),
				 0);
}

/* From either end; the answers are a batch as well. */
static void check_batch(struct pair *pair, struct end *from,
			struct hdmabuf_buffer *buffer, unsigned int count)
{
	struct end *to = pair_other(pair, from);
	struct hdmabuf_statistics sender = counts(from), receiver = counts(to);
	unsigned int answered = from->seen.answered;
	unsigned int handed_off = to->seen.handed_off;

	hand_off_some(buffer, count);
	expect_since(from, &sender, count, 0, 0);
	assert_false(end_is_ready(to, 0));
	hdmabuf_endpoint_flush(from->endpoint);
	expect_since(from, &sender, count, 1, 1);

	end_dispatch(to);
	assert_int_equal(to->seen.handed_off, handed_off + count);
	expect_since(to, &receiver, 0, 1, 1);
	end_dispatch(from);
	assert_int_equal(from->seen.answered, answered + count);

	/* And that was all. */
	pair_run(pair);
	expect_since(from, &sender, count, 1, 1);
	expect_since(to, &receiver, 0, 1, 1);
}

static void test_one_write(void **state)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8, 32, 64, 65, MOST };
	struct pair pair = { 0 };
	struct sample samples[2];
	size_t i;

	connect_with(&pair, *(const uint32_t *)*state);
	pair_share(&pair, &pair.front, &samples[0], PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	pair_share(&pair, &pair.back, &samples[1], PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	pair_run(&pair);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_batch(&pair, &pair.front, samples[0].buffer, sizes[i]);
		check_batch(&pair, &pair.back, samples[1].buffer, sizes[i]);
	}
	assert_int_equal(pair.front.seen.refused + pair.back.seen.refused, 0);
	pair_close(&pair);
	sample_free(&samples[0]);
	sample_free(&samples[1]);
}

/* A batch is not cut in two by a wait for its points, nor by the ring's end. */
static void test_what_does_not_flush(void **state)
{
	struct hdmabuf_timeline_handle *timeline;
	struct hdmabuf_statistics before;
	struct pair pair = { 0 };
	struct sample sample;
	unsigned int i;

	connect_with(&pair, *(const uint32_t *)*state);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 0);
	pair_run(&pair);
	before = counts(&pair.front);
	for (i = 1; i <= SLOTS; i++) {
		assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, timeline,
					       i, 0, false),
				 0);
		assert_int_equal(hdmabuf_timeline_wait(timeline, i), 0);
	}
	assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, timeline, i, 0,
				       false),
			 -EAGAIN);
	expect_since(&pair.front, &before, SLOTS, 0, 0);
	/* But there is something to do. */
	assert_true(end_is_ready(&pair.front, 0));
	end_dispatch(&pair.front);
	expect_since(&pair.front, &before, SLOTS, 1, 1);
	pair_wait(&pair, &pair.front.seen.reached, SLOTS);
	assert_int_equal(pair.back.seen.handed_off, SLOTS);
	pair_close(&pair);
	sample_free(&sample);
}

static void answer_with_requests(void *user, struct hdmabuf_session *session,
				 const uint8_t *octets,
				 const struct hdmabuf_fault *fault)
{
	struct end *end = user;
	unsigned int i;

	(void)fault;
	if (end->seen.echoed > 1)
		return;
	for (i = 0; i < 10; i++)
		hdmabuf_session_echo(session, octets);
	/* Not before all is done that dispatch() does. */
	hdmabuf_endpoint_flush(end->endpoint);
}

/* Requests of a callback and the answers of the same dispatch(): one notification. */
static void test_in_callbacks(void **state)
{
	struct pair pair = { .front.hooks.echoed = answer_with_requests };
	struct hdmabuf_statistics before;

	connect_with(&pair, *(const uint32_t *)*state);
	before = counts(&pair.front);
	hdmabuf_session_echo(pair.front.session, (uint8_t[56]){ 1 });
	hdmabuf_endpoint_flush(pair.front.endpoint);
	hdmabuf_session_echo(pair.back.session, (uint8_t[56]){ 2 });
	end_dispatch(&pair.back);
	expect_since(&pair.front, &before, 1, 1, 1);
	end_dispatch(&pair.front);
	/* One write to each ring. */
	expect_since(&pair.front, &before, 11, 3, 2);
	pair_wait(&pair, &pair.front.seen.echoed, 11);
	assert_int_equal(pair.back.seen.echoed, 1);
	pair_close(&pair);
}

#define STREAM 2000

static void keep_streaming(void *user, struct hdmabuf_session *session,
			   const uint8_t *octets,
			   const struct hdmabuf_fault *fault)
{
	struct end *end = user;
	uint64_t *left = end->context;

	(void)fault;
	if (!*left)
		return;
	--*left;
	hdmabuf_session_echo(session, octets);
}

/* The next is asked for as soon as one is answered: 2 / outstanding notifications. */
static void test_streams(void **state)
{
	static const unsigned int windows[] = { 1, 2, 4, 8, 32 };
	size_t i;

	for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		unsigned int window = windows[i], sent;
		uint64_t left = STREAM - window, notified;
		struct hdmabuf_statistics front, back;
		struct pair pair = { .front.hooks.echoed = keep_streaming,
				     .front.context = &left };

		connect_with(&pair, *(const uint32_t *)*state);
		front = counts(&pair.front);
		back = counts(&pair.back);
		for (sent = 0; sent < window; sent++)
			hdmabuf_session_echo(pair.front.session,
					     (uint8_t[56]){ 1 });
		hdmabuf_endpoint_flush(pair.front.endpoint);
		pair_wait(&pair, &pair.front.seen.echoed, STREAM);
		notified = counts(&pair.front).notifications_sent -
			   front.notifications_sent +
			   counts(&pair.back).notifications_sent -
			   back.notifications_sent;
		assert_int_equal(counts(&pair.front).requests_sent -
					 front.requests_sent,
				 STREAM);
		assert_in_range(notified, 1, 2 * STREAM / window + 2);
		pair_close(&pair);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PAIR_TEST_OVER(test_one_write, 0),
		PAIR_TEST_OVER(test_one_write, 1),
		PAIR_TEST_OVER(test_what_does_not_flush, 0),
		PAIR_TEST_OVER(test_what_does_not_flush, 1),
		PAIR_TEST_OVER(test_in_callbacks, 0),
		PAIR_TEST_OVER(test_in_callbacks, 1),
		PAIR_TEST_OVER(test_streams, 0),
		PAIR_TEST_OVER(test_streams, 1),
	};

	return hdmabuf_test_run("session_batch", tests,
				sizeof(tests) / sizeof(tests[0]));
}
