/* SPDX-License-Identifier: MIT */
/* end.c - the link of an end, its records, and how a session is established */
#include "conformance/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "conformance/end/channel.h"

#define RECORD_OCTETS 1025

static const struct hdmabuf_platform_ops *ops(const struct end *end)
{
	return end->platform.ops;
}

/* ---- links -------------------------------------------------------------- */

/* What was said over a link before is of no interest over the next one. */
static void reset_session(struct end *end)
{
	end->connected = end->closed = end->broken = false;
	end->asked_count = end->request_count = 0;
	end_forget_buffers(end);
	end_forget_timelines(end);
}

static void *on_up(void *user, struct hdmabuf_link *link)
{
	struct end *end = user;
	char text[128] = "";

	if (end->link && !end->down)
		return NULL;
	if (end->link) {
		end_leave_channel(end);
		reset_session(end);
		ops(end)->free(end->link);
	}
	end->link = link;
	end->down = false;
	end->peer_epoch = end->used = 0;
	ops(end)->peer(link, text, sizeof(text));
	note(end->test, SPEAKER_IUT, "link %u is up: %s", end->number, text);
	return end;
}

static void on_record(void *owner)
{
	struct end *end = owner;
	char text[RECORD_OCTETS];
	size_t length;

	end->records++;
	end_record(end, text);
	length = strlen(text);
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\n')
			text[i] = ' ';
	note(end->test, SPEAKER_IUT, "%s %s",
	     length ? "publishes the record" : "withdraws its record", text);
}

static void on_notified(void *owner)
{
	struct end *end = owner;

	end->notified++;
}

static void on_down(void *owner, const char *why)
{
	struct end *end = owner;

	/* HDB-BOTH-016: what was said before comes first. */
	if (!end->deaf)
		channel_step(end);
	end->down = true;
	end_bury(end);
	test_trace(end, HDMABUF_TRACE_DOWN, end->test->setup->role, why,
		   strlen(why));
	note(end->test, SPEAKER_IUT, "link %u is down: %s", end->number, why);
}

static const struct hdmabuf_platform_events events = {
	.up = on_up,
	.record = on_record,
	.notified = on_notified,
	.down = on_down,
};

struct end *end_open(struct test *test, uint32_t number, platform_opener open,
		     const char *address)
{
	struct end *end = calloc(1, sizeof(*end));
	char why[256] = "";

	if (!end)
		error(test, "no memory");
	end->test = test;
	end->address = address;
	end->number = number;
	end->role = test->setup->role == HDMABUF_FRONTEND ? HDMABUF_BACKEND :
							    HDMABUF_FRONTEND;
	end->serves = true;
	end->next_id = (uint32_t)test_random(test);
	greeting_init(&end->greeting, end->test->setup->ring_format);
	if (open(address, end->role, &end->platform, why, sizeof(why))) {
		free(end);
		error(test, "cannot open %s: %s", address, why);
	}
	return end;
}

static void free_owned(struct end *end)
{
	while (end->owned) {
		struct owned *owned = end->owned;

		end->owned = owned->next;
		hdmabuf_memory_free(&owned->memory);
		free(owned->array);
		free(owned);
	}
}

void end_close(struct end *end)
{
	struct test *test;

	if (!end)
		return;
	test = end->test;
	for (size_t i = 0; i < test->end_count; i++)
		if (test->ends[i] == end)
			test->ends[i] = NULL;
	end_leave_channel(end);
	reset_session(end);
	if (end->link) {
		if (!end->down)
			ops(end)->disconnect(end->link);
		ops(end)->free(end->link);
	}
	ops(end)->close(end->platform.endpoint);
	free_owned(end);
	free(end);
}

int end_fd(const struct end *end)
{
	return ops(end)->fd(end->platform.endpoint);
}

bool end_step(struct end *end)
{
	unsigned int before = end->records + end->notified + end->others;
	struct hdmabuf_link *link = end->link;
	bool was_down = end->down;
	bool any = false;

	if (ops(end)->dispatch(end->platform.endpoint, &events, end))
		error(end->test, "the platform has failed");
	if (!end->deaf)
		any = channel_step(end);
	return any || before != end->records + end->notified + end->others ||
	       link != end->link || was_down != end->down;
}

/* ---- records ------------------------------------------------------------ */

void end_publish(struct end *end, const char *text)
{
	char line[RECORD_OCTETS];

	snprintf(line, sizeof(line), "%s", text);
	for (char *at = line; *at; at++)
		if (*at == '\n')
			*at = ' ';
	note(end->test, SPEAKER_SUITE, "%s %s",
	     *text ? "publishes the record" : "withdraws its record", line);
	test_trace(end, HDMABUF_TRACE_RECORD, end->role, text, strlen(text));
	if (*text)
		end->used = end->peer_epoch;
	if (!end->down)
		ops(end)->publish(end->link, text, strlen(text));
}

void end_withdraw(struct end *end)
{
	end_publish(end, "");
}

void end_bury(struct end *end)
{
	struct test *test = end->test;

	if (end->seen)
		test->buried[test->buried_count++ % BURIED_MAX] = end->seen;
}

/* Where a record stays when its end dies, it is stale. */
static bool is_stale(const struct end *end)
{
	if (end_shows_presence(end))
		return false;
	for (size_t i = 0; i < BURIED_MAX; i++)
		if (end->seen && end->test->buried[i] == end->seen)
			return true;
	return false;
}

const char *end_record(struct end *end, char text[RECORD_OCTETS])
{
	size_t length = 0;

	if (end->link && !end->down)
		length = ops(end)->record(end->link, text, RECORD_OCTETS - 1);
	text[length < RECORD_OCTETS ? length : RECORD_OCTETS - 1] = '\0';
	if (wire_record_get(text, HDMABUF_KEY_EPOCH, &end->seen) != 1)
		end->seen = 0;
	if (is_stale(end)) {
		*text = '\0';
		return text;
	}
	/* The platform may have it before it says so. */
	if (end->link && !end->down)
		test_trace(end, HDMABUF_TRACE_RECORD, end->test->setup->role,
			   text, strlen(text));
	return text;
}

uint64_t end_new_epoch(struct end *end)
{
	uint64_t epoch = 0;

	/* Never the same in two runs, whatever the seed. */
	if (getrandom(&epoch, sizeof(epoch), 0) != sizeof(epoch))
		error(end->test, "no random numbers");
	end->epoch = epoch | 1;
	return end->epoch;
}

/* ---- greeting ----------------------------------------------------------- */

void greeting_init(struct greeting *greeting, uint32_t ring_format)
{
	*greeting = (struct greeting){
		.version_min = HDMABUF_VERSION,
		.version_max = HDMABUF_VERSION,
		.features = HDMABUF_FEATURES_ALL,
		.ring_formats = 1ull << ring_format,
		.ring_format = ring_format,
		.ring_order = 0,
		.timeline_pages = 1,
		.max_octets = 1ull << 30,
		.max_buffers = END_BUFFERS,
		.max_timelines = 64,
		.max_private = 3840,
		.max_in_flight = 32,
	};
}

/* 1 if the record is an offer with another epoch than the last one. */
static bool read_offer(struct end *end, const char *text)
{
	struct greeting *peer = &end->peer;
	uint64_t epoch, order, pages;

	if (wire_record_get(text, HDMABUF_KEY_EPOCH, &epoch) != 1 ||
	    epoch == end->used ||
	    wire_record_get(text, HDMABUF_KEY_VERSION_MIN,
			    &peer->version_min) != 1 ||
	    wire_record_get(text, HDMABUF_KEY_VERSION_MAX,
			    &peer->version_max) != 1 ||
	    wire_record_get(text, HDMABUF_KEY_FEATURES, &peer->features) != 1 ||
	    wire_record_get(text, HDMABUF_KEY_RING_FORMATS,
			    &peer->ring_formats) != 1 ||
	    wire_record_get(text, HDMABUF_KEY_RING_ORDER_MAX, &order) != 1 ||
	    wire_record_get(text, HDMABUF_KEY_TIMELINE_MAX, &pages) != 1)
		return false;
	peer->ring_order = (uint32_t)order;
	peer->timeline_pages = (uint32_t)pages;
	end->offered = peer->features;
	end->peer_epoch = epoch;
	return true;
}

bool end_await_offer(struct end *end)
{
	uint64_t deadline = test_deadline(end->test);
	char text[RECORD_OCTETS];

	while (!read_offer(end, end_record(end, text)))
		if (!test_wait(end->test, deadline))
			return false;
	return true;
}

void end_publish_answer(struct end *end)
{
	char text[RECORD_OCTETS];

	snprintf(text, sizeof(text),
		 HDMABUF_KEY_PEER_EPOCH "=%" PRIu64 "\n" HDMABUF_KEY_CHANNEL
					"=%" PRIu64 "\n" HDMABUF_KEY_EPOCH
					"=%" PRIu64 "\n",
		 end->peer_epoch, end->reference, end->epoch);
	end_publish(end, text);
}

void end_publish_offer(struct end *end)
{
	end_publish_offer_with(end, "");
}

void end_publish_offer_with(struct end *end, const char *lines)
{
	const struct greeting *greeting = &end->greeting;
	char text[RECORD_OCTETS];

	reset_session(end);
	end_new_epoch(end);
	end->offered = greeting->features;
	snprintf(text, sizeof(text),
		 HDMABUF_KEY_VERSION_MIN
		 "=%" PRIu64 "\n" HDMABUF_KEY_VERSION_MAX "=%" PRIu64
		 "\n" HDMABUF_KEY_FEATURES "=%" PRIu64
		 "\n" HDMABUF_KEY_RING_FORMATS "=%" PRIu64
		 "\n" HDMABUF_KEY_RING_ORDER_MAX
		 "=%u\n" HDMABUF_KEY_TIMELINE_MAX "=%u\n%s" HDMABUF_KEY_EPOCH
		 "=%" PRIu64 "\n",
		 greeting->version_min, greeting->version_max,
		 greeting->features, greeting->ring_formats,
		 greeting->ring_order, greeting->timeline_pages, lines,
		 end->epoch);
	end_publish(end, text);
}

static bool read_answer(struct end *end, const char *text)
{
	uint64_t peer_epoch;

	return wire_record_get(text, HDMABUF_KEY_PEER_EPOCH, &peer_epoch) ==
		       1 &&
	       peer_epoch == end->epoch &&
	       wire_record_get(text, HDMABUF_KEY_CHANNEL, &end->reference) ==
		       1 &&
	       wire_record_get(text, HDMABUF_KEY_EPOCH, &end->peer_epoch) == 1;
}

bool end_has_answer(struct end *end)
{
	char text[RECORD_OCTETS];

	return read_answer(end, end_record(end, text));
}

bool end_await_answer(struct end *end)
{
	uint64_t deadline = test_start_deadline(end->test);

	while (!end_has_answer(end))
		if (!test_wait(end->test, deadline) ||
		    !test_iut_is_running(end->test))
			return false;
	end->test->was_there = true;
	return true;
}

/* ---- HELLO -------------------------------------------------------------- */

static void put_hello(const struct end *end, message_t message)
{
	const struct greeting *greeting = &end->greeting;
	bool frontend = end->role == HDMABUF_FRONTEND;

	wire_put(message, HELLO_EPOCH_FRONTEND,
		 frontend ? end->epoch : end->peer_epoch);
	wire_put(message, HELLO_EPOCH_BACKEND,
		 frontend ? end->peer_epoch : end->epoch);
	wire_put(message, HELLO_FEATURES, end->features);
	wire_put(message, HELLO_MAX_OCTETS, greeting->max_octets);
	wire_put(message, HELLO_MAX_BUFFERS, greeting->max_buffers);
	wire_put(message, HELLO_MAX_TIMELINES, greeting->max_timelines);
	wire_put(message, HELLO_MAX_PRIVATE, greeting->max_private);
	wire_put(message, HELLO_MAX_IN_FLIGHT, greeting->max_in_flight);
}

static void take_limits(struct end *end, const message_t message)
{
	struct greeting *peer = &end->peer;

	peer->max_octets = wire_get(message, HELLO_MAX_OCTETS);
	peer->max_buffers = (uint32_t)wire_get(message, HELLO_MAX_BUFFERS);
	peer->max_timelines = (uint32_t)wire_get(message, HELLO_MAX_TIMELINES);
	peer->max_private = (uint32_t)wire_get(message, HELLO_MAX_PRIVATE);
	peer->max_in_flight = (uint32_t)wire_get(message, HELLO_MAX_IN_FLIGHT);
}

void end_hello_message(struct end *end, message_t message)
{
	message_init(message, HDMABUF_OP_HELLO);
	end->features = end->greeting.features & end->offered;
	put_hello(end, message);
}

uint32_t end_put_hello(struct end *end)
{
	message_t message;
	uint32_t id;

	end_hello_message(end, message);
	id = end_put(end, message);
	end_show(end);
	return id;
}

bool end_answer_hello(struct end *end)
{
	struct received *request;
	message_t answer;

	/* What comes before and besides, no session waits for. */
	end->serves = false;
	request = end_await_request(end, HDMABUF_OP_HELLO);
	end->serves = true;
	if (!request)
		return false;
	end->features = wire_get(request->octets, HELLO_FEATURES);
	take_limits(end, request->octets);
	message_init(answer, HDMABUF_OP_HELLO);
	put_hello(end, answer);
	end_answer(end, request, answer);
	end->connected = true;
	return true;
}

static bool sane_echo(struct end *end)
{
	message_t message, answer;

	message_init(message, HDMABUF_OP_ECHO);
	test_random_octets(end->test, message + wire_offset(ECHO_OCTETS),
			   wire_octets(ECHO_OCTETS));
	return end_try_ask(end, message, answer) == HDMABUF_STATUS_OK &&
	       !memcmp(message + 8, answer + 8, sizeof(message_t) - 8);
}

/* ---- all of it ---------------------------------------------------------- */

bool end_shows_presence(const struct end *end)
{
	return strcmp(ops(end)->name, "xen") != 0;
}

static bool give_up(struct end *end, const char *why)
{
	comment(end->test, "no session: %s", why);
	return false;
}

/*
 * What an IUT that was killed has left there, one that has just started replaces; and
 * where a link is no more than a record, one that does not know yet that the session
 * before is over.
 */
static bool may_be_replaced(const struct end *end)
{
	return !end->test->was_there || !end_shows_presence(end);
}

bool end_offer_is_replaced(struct end *end)
{
	char text[RECORD_OCTETS];
	uint64_t epoch;

	return may_be_replaced(end) &&
	       wire_record_get(end_record(end, text), HDMABUF_KEY_EPOCH,
			       &epoch) == 1 &&
	       epoch != end->peer_epoch;
}

/* HELLO over a channel that is made for the offer; its answer, or NULL. */
static const uint8_t *say_hello(struct end *end, uint64_t deadline)
{
	const uint8_t *answer;
	uint32_t id;

	end_make_channel(end);
	id = end_put_hello(end);
	end_publish_answer(end);
	if (!may_be_replaced(end))
		return end_await_answer_to(end, id);
	while (!(answer = end_find_answer_to(end, id)) &&
	       !end_offer_is_replaced(end) && !end->down &&
	       test_wait(end->test, deadline) && test_iut_is_running(end->test))
		;
	return answer;
}

static bool greet_backend(struct end *end)
{
	uint64_t deadline = test_start_deadline(end->test);
	const uint8_t *answer;

	do {
		if (!end_await_offer(end))
			return give_up(
				end, "the IUT publishes no offer that is new");
		answer = say_hello(end, deadline);
	} while (!answer && end_offer_is_replaced(end) &&
		 test_deadline_in(0) < deadline);
	if (!answer)
		return give_up(end, "HELLO is not answered");
	if (wire_get(answer, HEADER_STATUS) != HDMABUF_STATUS_OK)
		return give_up(end, "HELLO is refused");
	end->test->was_there = true;
	take_limits(end, answer);
	end->connected = true;
	return true;
}

static bool greet_frontend(struct end *end)
{
	end_publish_offer(end);
	if (!end_await_answer(end))
		return give_up(end, "the IUT does not answer the offer");
	if (!end_map_channel(end))
		return give_up(end, "the channel cannot be mapped");
	if (!end_answer_hello(end))
		return give_up(end, "the IUT sends no HELLO");
	/* It knows that it is connected when it answers this. */
	if (!sane_echo(end))
		return give_up(end, "the first request is not answered");
	return true;
}

bool end_try_greet(struct end *end)
{
	bool frontend = end->role == HDMABUF_FRONTEND;

	for (uint64_t deadline = test_start_deadline(end->test);
	     (!end->link || end->down) && test_wait(end->test, deadline);)
		;
	if (!end->link || end->down)
		return give_up(end, "there is no link");
	end->test->was_there |= end_shows_presence(end);
	return frontend ? greet_backend(end) : greet_frontend(end);
}

void end_greet(struct end *end)
{
	if (!end_try_greet(end))
		inconclusive(end->test, "no session can be established");
}

void end_abandon(struct end *end)
{
	if (end->link && !end->down)
		end_withdraw(end);
	end_leave_channel(end);
	reset_session(end);
}

/* ---- sanity ------------------------------------------------------------- */

static bool sane_unknown(struct end *end)
{
	message_t message, answer;

	message_init(message,
		     (uint16_t)(0x1000 + test_random(end->test) % 0x1000));
	return end_try_ask(end, message, answer) ==
	       HDMABUF_STATUS_UNKNOWN_OPERATION;
}

static bool sane_query(struct end *end)
{
	message_t message, answer;

	message_init(message, HDMABUF_OP_QUERY);
	test_random_octets(end->test, message + wire_offset(BUFFER_ID), 16);
	return end_try_ask(end, message, answer) ==
	       HDMABUF_STATUS_NO_SUCH_BUFFER;
}

bool end_sanity(struct end *end)
{
	if (!sane_echo(end)) {
		comment(end->test, "ECHO is not answered as it should be");
		return false;
	}
	if (!sane_unknown(end)) {
		comment(end->test,
			"an operation that does not exist is not refused as it should be");
		return false;
	}
	if (!sane_query(end)) {
		comment(end->test,
			"QUERY of an unknown id is not refused as it should be");
		return false;
	}
	return true;
}
