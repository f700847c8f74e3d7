/* SPDX-License-Identifier: MIT */
/* session.c - epochs, establishment, HELLO, features */
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ATTEMPTS 12

/* ---- establishment ------------------------------------------------------ */

/* The first test of all: without it, nothing else can be tested. */
static void is_established(struct test *test)
{
	struct end *end = test_open(test);

	require(test, HDB_BOTH_029, end_try_greet(end),
		"a session is established when both ends want one");
	check(test, HDB_BOTH_033, end_sanity(end),
	      "requests are answered as they should be");
}

static void is_established_again(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t before = end->peer_epoch;

	comment(test, "the session is lost, and another one is sought");
	end_abandon(end);
	require(test, HDB_BOTH_029, end_try_greet(end),
		"after a loss, a new session is established");
	check(test, HDB_BOTH_029, end_sanity(end),
	      "after a loss, the new session works");
	check(test, HDB_BOTH_015, end->peer_epoch != before,
	      "the epoch of the second attempt is that of the first one");
}

static unsigned int count_bits(uint64_t number)
{
	return (unsigned int)__builtin_popcountll(number);
}

/* A few attempts tell whether nearly all of 48 bits ever change. */
static void epochs_are_random(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t epochs[ATTEMPTS] = { end->peer_epoch };
	uint64_t changing = 0;

	for (unsigned int i = 1; i < ATTEMPTS; i++) {
		end_abandon(end);
		end_greet(end);
		epochs[i] = end->peer_epoch;
		changing |= epochs[i] ^ epochs[0];
		for (unsigned int j = 0; j < i; j++)
			check(test, HDB_BOTH_015, epochs[i] != epochs[j],
			      "attempt %u has the epoch of attempt %u", i, j);
	}
	check(test, HDB_BOTH_015, count_bits(changing) >= 40,
	      "only %u bits differ in %u epochs: they are not drawn from 2^48 values",
	      count_bits(changing), ATTEMPTS);
}

/* ---- the frontend's side ------------------------------------------------ */

/* An offer is answered; the channel is there, HELLO is not answered yet. */
static struct received *await_hello(struct end *end)
{
	struct received *hello;

	end->serves = false;
	end_publish_offer(end);
	if (!end_await_answer(end) || !end_map_channel(end))
		inconclusive(end->test, "the IUT does not answer the offer");
	hello = end_await_request(end, HDMABUF_OP_HELLO);
	if (!hello)
		inconclusive(end->test, "the IUT sends no HELLO");
	return hello;
}

static void make_hello_answer(struct end *end, const struct received *hello,
			      message_t answer)
{
	end_hello_message(end, answer);
	end->features = wire_get(hello->octets, HELLO_FEATURES);
	wire_put(answer, HELLO_FEATURES, end->features);
}

/**
 * struct wrong_answer - an answer to HELLO that does not fit
 * @place: of the field that is changed
 * @change: is added to its value
 * @what: in words
 */
struct wrong_answer {
	unsigned int place;
	uint64_t change;
	const char *what;
};

static const struct wrong_answer wrong_answers[] = {
	{ HELLO_EPOCH_FRONTEND, 1, "another epoch of the frontend" },
	{ HELLO_EPOCH_BACKEND, 1, "another epoch of the backend" },
	{ HELLO_EPOCH_BACKEND, 1ull << 63, "another high bit in the epoch" },
	{ HELLO_FEATURES, 1ull << 40, "a feature that was not asked for" },
};

static void answer_hello_wrongly(struct end *end,
				 const struct wrong_answer *wrong)
{
	struct received *hello = await_hello(end);
	uint64_t epoch = end->peer_epoch;
	message_t answer;

	comment(end->test, "HELLO is answered with %s", wrong->what);
	make_hello_answer(end, hello, answer);
	wire_put(answer, wrong->place,
		 wire_get(answer, wrong->place) + wrong->change);
	end_answer(end, hello, answer);
	check(end->test, HDB_FE_005, await_record_change(end, epoch),
	      "the frontend takes an answer to HELLO with %s for its own",
	      wrong->what);
	end->serves = true;
	end_leave_channel(end);
}

static void hello_answer_must_fit(struct test *test)
{
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(wrong_answers); i++)
		answer_hello_wrongly(end, &wrong_answers[i]);
}

static void hello_refused(struct test *test)
{
	static const uint16_t statuses[] = { HDMABUF_STATUS_WRONG_EPOCH,
					     HDMABUF_STATUS_NOT_NEGOTIATED,
					     HDMABUF_STATUS_INVALID,
					     HDMABUF_STATUS_FAILED, 4711 };
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		struct received *hello = await_hello(end);
		uint64_t epoch = end->peer_epoch;

		end_answer_status(end, hello, statuses[i]);
		check(test, HDB_FE_010, await_record_change(end, epoch),
		      "HELLO was refused with status %u, and the frontend's record stays",
		      statuses[i]);
		end->serves = true;
		end_leave_channel(end);
	}
}

static void hello_is_first_and_alone(struct test *test)
{
	struct end *end = test_open(test);
	struct received *hello = await_hello(end);
	message_t answer;

	check(test, HDB_FE_006,
	      wire_get(end->requests[0].octets, HEADER_OPERATION) ==
		      HDMABUF_OP_HELLO,
	      "the first request is %s",
	      wire_operation_name((uint16_t)wire_get(end->requests[0].octets,
						     HEADER_OPERATION)));
	comment(test,
		"the application wants something before HELLO is answered");
	control_try(test, "echo %0112d", 7);
	control_try(test, "timeline early signaller=creator");
	let_pass(test, 30);
	check(test, HDB_FE_006, end->request_count == 1,
	      "%s is sent before HELLO is answered",
	      wire_operation_name((uint16_t)wire_get(end->requests[1].octets,
						     HEADER_OPERATION)));
	make_hello_answer(end, hello, answer);
	end_answer(end, hello, answer);
	end->serves = end->connected = true;
	if (!end_sanity(end))
		inconclusive(test, "the session does not work");
}

static void features_are_a_subset(struct test *test)
{
	static const uint64_t offers[] = { 0,	       1,
					   0x10,       HDMABUF_FEATURES_ALL,
					   UINT64_MAX, ~HDMABUF_FEATURES_ALL };
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(offers); i++) {
		end->greeting.features = offers[i];
		end_greet(end);
		check(test, HDB_FE_007, !(end->features & ~offers[i]),
		      "0x%" PRIx64 " is offered, 0x%" PRIx64 " accepted",
		      offers[i], end->features);
		if (!end_sanity(end))
			inconclusive(test, "the session does not work");
		end_abandon(end);
	}
}

/* An offer of a newer backend that speaks this version, too. */
static void newer_backends(struct test *test)
{
	struct end *end = test_open(test);
	uint32_t version;

	end->greeting.version_min = 0;
	end->greeting.version_max = 4000000000u;
	end->greeting.ring_formats = UINT64_MAX;
	end->greeting.features = UINT64_MAX;
	end_greet(end);
	version = (uint32_t)wire_get(end->channel, CHANNEL_VERSION);
	check(test, HDB_BOTH_029, end_sanity(end),
	      "a session with a backend of versions 0 to 4000000000 works");
	check(test, HDB_FE_002, version == HDMABUF_VERSION,
	      "the channel page says version %u", version);
}

/* Nothing is said in a language that the other does not speak. */
static void foreign_offers(struct test *test)
{
	struct end *end = test_open(test);

	comment(test, "versions that this specification does not describe");
	end->greeting.version_min = 2;
	end->greeting.version_max = 3;
	end_publish_offer(end);
	let_pass(test, 100);
	check(test, HDB_FE_002, !end_has_answer(end),
	      "an offer of versions 2 to 3 is answered by who speaks version 1");
	comment(test,
		"a ring format that this specification does not describe");
	greeting_init(&end->greeting, test_setup(test)->ring_format);
	end->greeting.ring_formats = 1ull << 63;
	end_publish_offer(end);
	let_pass(test, 100);
	check(test, HDB_FE_002, !end_has_answer(end),
	      "an offer of ring format 63 alone is answered");
	greeting_init(&end->greeting, test_setup(test)->ring_format);
	end_greet(end);
}

static void frontend_refuses_hello(struct test *test)
{
	struct end *end = test_connect(test);
	message_t hello;

	for (unsigned int i = 0; i < 2; i++) {
		end_hello_message(end, hello);
		/* Neither right nor wrong contents make a difference. */
		if (i)
			wire_put(hello, HELLO_ZERO, 1);
		check_status(test, HDB_FE_009, end_ask(end, hello, NULL),
			     HDMABUF_STATUS_WRONG_STATE,
			     "HELLO of the backend");
	}
}

/* ---- the backend's side ------------------------------------------------- */

static void hello_comes_once(struct test *test)
{
	struct end *end = test_connect(test);
	message_t hello;

	end_hello_message(end, hello);
	check_status(test, HDB_BE_007, end_ask(end, hello, NULL),
		     HDMABUF_STATUS_WRONG_STATE, "a second HELLO");
}

/* HDB-BOTH-038: that a feature was not accepted ranks first. */
static uint16_t expected_before_hello(uint16_t operation)
{
	switch (operation) {
	case HDMABUF_OP_UPDATE:
	case HDMABUF_OP_ALLOCATE:
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		return HDMABUF_STATUS_NOT_NEGOTIATED;
	default:
		return HDMABUF_STATUS_WRONG_STATE;
	}
}

/* Every other operation, where HELLO has to be. */
static void requests_before_hello(struct test *test)
{
	struct end *end = attempt_open(test);
	uint32_t ids[32];
	message_t message;

	for (size_t i = 1; wire_operations[i]; i++) {
		message_init(message, wire_operations[i]);
		ids[i] = end_put(end, message);
	}
	end_show(end);
	end_publish_answer(end);
	for (size_t i = 1; wire_operations[i]; i++) {
		const char *name = wire_operation_name(wire_operations[i]);
		const uint8_t *answer = end_await_answer_to(end, ids[i]);

		if (check(test, HDB_BE_007, answer,
			  "%s before HELLO is not answered", name))
			check_status(test, HDB_BE_007,
				     (uint16_t)wire_get(answer, HEADER_STATUS),
				     expected_before_hello(wire_operations[i]),
				     "%s before HELLO", name);
	}
}

/**
 * struct wrong_hello - a HELLO that has to be refused
 * @place: of the field that is changed
 * @value: that it gets; of an epoch, what is added to it
 * @status: with which it has to be refused
 * @clause: that says so
 * @what: in words
 */
struct wrong_hello {
	unsigned int place;
	uint64_t value;
	uint16_t status;
	enum clause clause;
	const char *what;
};

static const struct wrong_hello wrong_hellos[] = {
	{ HELLO_EPOCH_FRONTEND, 1, HDMABUF_STATUS_WRONG_EPOCH, HDB_BE_008,
	  "another epoch of the frontend" },
	{ HELLO_EPOCH_FRONTEND, 1ull << 63, HDMABUF_STATUS_WRONG_EPOCH,
	  HDB_BE_008, "another high bit in the frontend's epoch" },
	{ HELLO_EPOCH_BACKEND, 1, HDMABUF_STATUS_WRONG_EPOCH, HDB_BE_008,
	  "another epoch of the backend" },
	{ HELLO_EPOCH_BACKEND, 1ull << 63, HDMABUF_STATUS_WRONG_EPOCH,
	  HDB_BE_008, "another high bit in the backend's epoch" },
	{ HELLO_FEATURES, 1ull << 63, HDMABUF_STATUS_NOT_NEGOTIATED, HDB_BE_009,
	  "the feature 63, which is not offered" },
	{ HELLO_MAX_IN_FLIGHT, 0, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
	  "max_in_flight 0" },
	{ HELLO_MAX_PRIVATE, 0, HDMABUF_STATUS_INVALID, HDB_BOTH_041,
	  "max_private 0 and max_buffers not 0" },
	{ HELLO_MAX_PRIVATE, 1023, HDMABUF_STATUS_INVALID, HDB_BOTH_041,
	  "max_private 1023 and max_buffers not 0" },
	{ HELLO_ZERO, 1, HDMABUF_STATUS_RESERVED, HDB_BOTH_002,
	  "a zero field that is 1" },
	{ HELLO_ZERO, 1ull << 56, HDMABUF_STATUS_RESERVED, HDB_BOTH_002,
	  "a zero field whose last octet is 1" },
	{ HEADER_STATUS, 1, HDMABUF_STATUS_RESERVED, HDB_BOTH_002,
	  "a status that is not 0" },
};

static bool is_epoch(unsigned int place)
{
	return place == HELLO_EPOCH_FRONTEND || place == HELLO_EPOCH_BACKEND;
}

static void refuse_hello(struct end *end, const struct wrong_hello *wrong)
{
	uint64_t epoch;
	message_t hello, answer;

	attempt_again(end);
	comment(end->test, "HELLO has %s", wrong->what);
	epoch = end->peer_epoch;
	end_hello_message(end, hello);
	wire_put(hello, wrong->place,
		 is_epoch(wrong->place) ?
			 wire_get(hello, wrong->place) + wrong->value :
			 wrong->value);
	check_status(end->test, wrong->clause,
		     attempt_hello(end, hello, answer), wrong->status,
		     "HELLO with %s", wrong->what);
	check(end->test, wrong->clause == HDB_BE_009 ? HDB_BE_009 : HDB_BE_008,
	      await_record_change(end, epoch),
	      "HELLO with %s is refused, and the old offer stays", wrong->what);
}

static void wrong_hello_is_refused(struct test *test)
{
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(wrong_hellos); i++)
		refuse_hello(end, &wrong_hellos[i]);
}

/* Two wrong things; the one that ranks first is reported. */
static void order_of_hello_faults(struct test *test)
{
	static const struct {
		unsigned int places[2];
		uint16_t status;
		const char *what;
	} pairs[] = {
		{ { HELLO_ZERO, HELLO_EPOCH_FRONTEND },
		  HDMABUF_STATUS_RESERVED,
		  "a zero field and an epoch" },
		{ { HELLO_EPOCH_BACKEND, HELLO_FEATURES },
		  HDMABUF_STATUS_WRONG_EPOCH,
		  "an epoch and a feature" },
		{ { HELLO_FEATURES, HELLO_MAX_IN_FLIGHT },
		  HDMABUF_STATUS_NOT_NEGOTIATED,
		  "a feature and max_in_flight" },
	};
	struct end *end = test_open(test);
	message_t hello;

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		attempt_again(end);
		end_hello_message(end, hello);
		for (size_t j = 0; j < 2; j++)
			wire_put(hello, pairs[i].places[j],
				 pairs[i].places[j] == HELLO_MAX_IN_FLIGHT ?
					 0 :
					 1ull << 62);
		check_status(test, HDB_BOTH_038,
			     attempt_hello(end, hello, NULL), pairs[i].status,
			     "HELLO in which %s are wrong", pairs[i].what);
	}
}

static void limits_of_hello(struct test *test)
{
	static const struct greeting greetings[] = {
		{ .max_in_flight = 1 },
		{ .max_in_flight = UINT32_MAX,
		  .max_buffers = UINT32_MAX,
		  .max_octets = UINT64_MAX,
		  .max_timelines = UINT32_MAX,
		  .max_private = UINT32_MAX },
		{ .max_in_flight = 1, .max_buffers = 1, .max_private = 1024 },
	};
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(greetings); i++) {
		struct greeting *greeting = &end->greeting;

		greeting->max_in_flight = greetings[i].max_in_flight;
		greeting->max_buffers = greetings[i].max_buffers;
		greeting->max_octets = greetings[i].max_octets;
		greeting->max_timelines = greetings[i].max_timelines;
		greeting->max_private = greetings[i].max_private;
		check(test, HDB_BOTH_029, end_try_greet(end) && end_sanity(end),
		      "limits that are allowed, set %zu, are refused", i);
		check(test, HDB_BOTH_041,
		      !end->peer.max_buffers || end->peer.max_private >= 1024,
		      "max_buffers is %u and max_private %u",
		      end->peer.max_buffers, end->peer.max_private);
		end_abandon(end);
	}
}

/* Features that were offered, one at a time: no other is given back. */
static void hello_is_repeated(struct test *test)
{
	struct end *end = test_open(test);
	message_t hello, answer;

	for (unsigned int bit = 0; bit < 9; bit++) {
		attempt_again(end);
		end->greeting.features = 1ull << bit;
		end_hello_message(end, hello);
		if (attempt_hello(end, hello, answer) != HDMABUF_STATUS_OK)
			inconclusive(test, "HELLO is refused");
		check(test, HDB_BOTH_069, !memcmp(hello + 8, answer + 8, 24),
		      "HELLO with the feature bit %u, if it is offered, is answered with other epochs or features",
		      bit);
		end_abandon(end);
	}
}

static void waits_for_hello(struct test *test)
{
	struct end *end = attempt_open(test);
	message_t hello;

	comment(test, "the channel is there, HELLO is not");
	end_publish_answer(end);
	let_pass(test, 30);
	control_try(test, "echo %0112d", 7);
	let_pass(test, 30);
	check(test, HDB_BE_006, !end->request_count,
	      "the backend sends a request before there is a HELLO");
	check(test, HDB_BE_004, !event_find(test, "connected"),
	      "the backend considers itself connected before there is a HELLO");
	end_hello_message(end, hello);
	if (end_ask(end, hello, NULL) != HDMABUF_STATUS_OK)
		inconclusive(test, "HELLO is refused");
	end->connected = true;
	check(test, HDB_BE_004, event_await(test, "connected"),
	      "the backend tells that it is connected");
}

/* A record that answers another offer is none. */
static void other_epochs_are_ignored(struct test *test)
{
	struct end *end = attempt_open(test);
	uint64_t right = end->peer_epoch;
	uint32_t id;

	id = end_put_hello(end);
	end->peer_epoch = right ^ 1ull << 40;
	end_publish_answer(end);
	let_pass(test, 50);
	check(test, HDB_BE_005, !end_find_answer_to(end, id),
	      "a record that answers another epoch is taken notice of");
	end->peer_epoch = right;
	end_publish_answer(end);
	check(test, HDB_BE_005, end_await_answer_to(end, id),
	      "the record that answers the offer is not taken notice of");
}

/* ---- features that were not accepted ------------------------------------ */

static void features_that_are_off(struct test *test)
{
	static const uint16_t operations[] = {
		HDMABUF_OP_UPDATE, HDMABUF_OP_ALLOCATE, HDMABUF_OP_CPU_BEGIN,
		HDMABUF_OP_CPU_END, HDMABUF_OP_HAND_OFF
	};
	struct end *end = test_open(test);
	message_t message, answer;

	end->greeting.features = 0;
	end_greet(end);
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		message_init(message, operations[i]);
		if (operations[i] == HDMABUF_OP_HAND_OFF)
			wire_put(message, HAND_OFF_FLAGS,
				 HDMABUF_HAND_OFF_MORE);
		check_status(test, HDB_BOTH_019, end_ask(end, message, answer),
			     HDMABUF_STATUS_NOT_NEGOTIATED,
			     "%s without its feature, whatever else is wrong",
			     wire_operation_name(operations[i]));
	}
}

static const struct plan plans_behind_features[] = {
	{ .format = HDMABUF_DIRECTORY_TABLE },
	{ .format = HDMABUF_DIRECTORY_EXTENTS },
	{ .rights = HDMABUF_RIGHTS_LEND },
	{ .type = HDMABUF_TYPE_CYCLIC },
	{ .attributes = HDMABUF_ATTRIBUTE_WRITE_COMBINED },
};

static void exports_with_features_off(struct test *test)
{
	static const char *const names[] = { "TABLE", "EXTENTS", "LEND",
					     "CYCLIC", "WRITE_COMBINED" };
	struct end *end = test_open(test);

	end->greeting.features = 0;
	end_greet(end);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct buffer buffer;

		buffer_make(end, &buffer, &plans_behind_features[i]);
		check_status(test, HDB_BOTH_019, buffer_export(&buffer, NULL),
			     HDMABUF_STATUS_NOT_NEGOTIATED,
			     "EXPORT with %s, which was not accepted",
			     names[i]);
		check_status(test, HDB_BOTH_037, buffer_query(&buffer, NULL),
			     HDMABUF_STATUS_NO_SUCH_BUFFER,
			     "QUERY of a buffer that was refused");
	}
}

/* What is claimed is offered, or accepted where it is offered. */
static void claims_are_kept(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t seen = test_iut_role(test) == HDMABUF_BACKEND ? end->offered :
								 end->features;

	for (unsigned int i = 0; i < OPTION_COUNT; i++)
		if (test_setup(test)->statement.options & 1u << i &&
		    option_feature(i))
			check(test, HDB_BOTH_018, seen & option_feature(i),
			      "the statement claims %s, and the IUT does not %s it",
			      option_word(i),
			      test_iut_role(test) == HDMABUF_BACKEND ?
				      "offer" :
				      "accept");
	check(test, HDB_BOTH_018, end_sanity(end), "the session works");
}

static const struct test_case cases[] = {
	TEST(is_established, "A session can be established", OF_BOTH, 0,
	     HDB_BOTH_029, HDB_BOTH_033),
	TEST(is_established_again,
	     "After a loss, a session with new epochs is established", OF_BOTH,
	     0, HDB_BOTH_015, HDB_BOTH_029),
	TEST(epochs_are_random, "No two attempts have the same epoch", OF_BOTH,
	     0, HDB_BOTH_015),
	TEST(hello_answer_must_fit,
	     "An answer to HELLO with other epochs or features breaks the session",
	     OF_FRONTEND, 0, HDB_FE_005),
	TEST(hello_refused, "When HELLO is refused, the frontend begins anew",
	     OF_FRONTEND, 0, HDB_FE_010),
	TEST(hello_is_first_and_alone,
	     "HELLO is the only request until it is answered", OF_FRONTEND,
	     OPTION_CONTROL, HDB_FE_006),
	TEST(features_are_a_subset,
	     "The frontend accepts only features that were offered",
	     OF_FRONTEND, 0, HDB_FE_007),
	TEST(newer_backends,
	     "A backend that offers more than there is today is no obstacle",
	     OF_FRONTEND, 0, HDB_BOTH_029, HDB_FE_002),
	TEST(foreign_offers,
	     "An offer of versions or ring formats that are not known is not answered",
	     OF_FRONTEND, 0, HDB_FE_002),
	TEST(frontend_refuses_hello, "The frontend refuses every HELLO",
	     OF_FRONTEND, 0, HDB_FE_009),
	TEST(hello_comes_once, "A second HELLO is refused", OF_BACKEND, 0,
	     HDB_BE_007),
	TEST(requests_before_hello, "Any request before HELLO is refused",
	     OF_BACKEND, 0, HDB_BE_007),
	TEST(wrong_hello_is_refused,
	     "A wrong HELLO is refused, and a new offer is made", OF_BACKEND, 0,
	     HDB_BE_008, HDB_BE_009, HDB_BOTH_002, HDB_BOTH_038, HDB_BOTH_041),
	TEST(order_of_hello_faults,
	     "Of several things wrong with HELLO the first is reported",
	     OF_BACKEND, 0, HDB_BOTH_038),
	TEST(limits_of_hello, "All limits that are allowed are accepted",
	     OF_BOTH, 0, HDB_BOTH_029, HDB_BOTH_041),
	TEST(hello_is_repeated,
	     "HELLO is answered with the epochs and features it came with",
	     OF_BACKEND, 0, HDB_BOTH_069),
	TEST(waits_for_hello,
	     "The backend is connected when it has answered HELLO, not before",
	     OF_BACKEND, OPTION_CONTROL | OPTION_EVENTS, HDB_BE_004,
	     HDB_BE_006),
	TEST(other_epochs_are_ignored,
	     "A record that answers another epoch is passed over", OF_BACKEND,
	     0, HDB_BE_005),
	TEST(features_that_are_off,
	     "What needs a feature that was not accepted is refused", OF_BOTH,
	     0, HDB_BOTH_019),
	TEST(exports_with_features_off,
	     "An export that needs a feature that was not accepted is refused",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_019, HDB_BOTH_037),
	TEST(claims_are_kept, "The features of the statement are there",
	     OF_BOTH, 0, HDB_BOTH_018),
};

TEST_GROUP(session, cases);
