/* SPDX-License-Identifier: MIT */
/* session.c - epochs, establishment, features, limits, closing, loss */
#include "conformance/tests/tests.h"

#include <string.h>

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
	check(test, HDB_BOTH_015, end->peer_epoch != before,
	      "the epoch of the second attempt is that of the first one");
}

static void hello_comes_once(struct test *test)
{
	struct end *end = test_connect(test);
	message_t hello;

	end_hello_message(end, hello);
	check_status(test, HDB_BE_007, end_ask(end, hello, NULL),
		     HDMABUF_STATUS_WRONG_STATE, "a second HELLO");
}

static void requests_before_hello(struct test *test)
{
	struct end *end = test_open(test);
	message_t echo;
	const uint8_t *answer;
	uint32_t id;

	if (!end_await_offer(end))
		inconclusive(test, "the IUT makes no offer");
	end_make_channel(end);
	comment(test, "ECHO is in the ring where HELLO has to be");
	message_init(echo, HDMABUF_OP_ECHO);
	id = end_send(end, echo);
	end_publish_answer(end);
	answer = end_await_answer_to(end, id);
	require(test, HDB_BE_007, answer, "ECHO before HELLO is not answered");
	check_status(test, HDB_BE_007,
		     (uint16_t)wire_get(answer, HEADER_STATUS),
		     HDMABUF_STATUS_WRONG_STATE, "ECHO before HELLO");
}

static const struct test_case cases[] = {
	TEST(is_established, "A session can be established", OF_BOTH, 0,
	     HDB_BOTH_029, HDB_BOTH_033),
	TEST(is_established_again,
	     "After a loss, a session with new epochs is established", OF_BOTH,
	     0, HDB_BOTH_015, HDB_BOTH_029),
	TEST(hello_comes_once, "A second HELLO is refused", OF_BACKEND, 0,
	     HDB_BE_007),
	TEST(requests_before_hello, "Any request before HELLO is refused",
	     OF_BACKEND, 0, HDB_BE_007),
};

TEST_GROUP(session, cases);
