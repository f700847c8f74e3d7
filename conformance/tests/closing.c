/* SPDX-License-Identifier: MIT */
/* closing.c - CLOSE from either end, and what a session leaves behind */
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ECHO_WORDS "echo %0112d"

static uint16_t ask_close(struct end *end, uint32_t reason, uint8_t *answer)
{
	message_t message;

	message_init(message, HDMABUF_OP_CLOSE);
	wire_put(message, CLOSE_REASON, reason);
	return end_ask(end, message, answer);
}

/* ---- CLOSE of the suite ------------------------------------------------- */

static void close_is_answered(struct test *test)
{
	struct end *end = test_connect(test);

	for (uint32_t reason = HDMABUF_REASON_DONE;
	     reason <= HDMABUF_REASON_FAULT; reason++) {
		message_t answer;

		check_status(test, HDB_BOTH_025, ask_close(end, reason, answer),
			     HDMABUF_STATUS_OK, "CLOSE with reason %u", reason);
		check(test, HDB_BOTH_069, wire_is_zero(answer + 8, 56),
		      "the answer to CLOSE has a payload");
		end_abandon(end);
		end_greet(end);
	}
}

static void wrong_reasons(struct test *test)
{
	static const uint32_t reasons[] = { 0, 5, 255, 1u << 31, UINT32_MAX };
	struct end *end = test_connect(test);
	message_t answer;

	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		check_status(test, HDB_BOTH_038,
			     ask_close(end, reasons[i], answer),
			     HDMABUF_STATUS_INVALID, "CLOSE with reason %u",
			     reasons[i]);
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(CLOSE_REASON), "a wrong reason");
		check(test, HDB_BOTH_037, end_sanity(end),
		      "the session is over although CLOSE was refused");
	}
}

/* Nothing comes any more, whatever the application wants. */
static void silence_after_close(struct test *test)
{
	struct end *end = test_connect(test);
	size_t requests;

	if (ask_close(end, HDMABUF_REASON_DONE, NULL) != HDMABUF_STATUS_OK)
		inconclusive(test, "CLOSE is refused");
	requests = end->request_count;
	control_try(test, ECHO_WORDS, 5);
	control_try(test, "timeline late signaller=creator");
	let_pass(test, 30);
	check(test, HDB_BOTH_024, end->request_count == requests,
	      "after the suite's CLOSE was answered, the IUT sends %s",
	      wire_operation_name((uint16_t)wire_get(
		      end->requests[requests].octets, HEADER_OPERATION)));
	end_abandon(end);
}

/* A session that was closed is followed by another one. */
static void sessions_follow_each_other(struct test *test)
{
	struct end *end = test_connect(test);

	for (unsigned int i = 0; i < 10; i++) {
		if (ask_close(end, HDMABUF_REASON_DONE, NULL) !=
		    HDMABUF_STATUS_OK)
			inconclusive(test, "CLOSE is refused");
		end_abandon(end);
		require(test, HDB_BOTH_029,
			end_try_greet(end) && end_sanity(end),
			"after %u sessions that were closed, there is no other",
			i + 1);
	}
}

/* Its channel goes with the session. */
static void channel_is_unmapped(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t references[HDMABUF_CHANNEL_REFERENCES_MAX + 1];
	uint32_t count = 1 + end->part_count;

	references[0] = end->reference;
	end_channel_references(end, references + 1);
	comment(test, "the session is lost");
	end_withdraw(end);
	check(test, HDB_BE_010, await_revoked(end, references, count),
	      "the channel of a lost session is still mapped");
	end_leave_channel(end);
	end_greet(end);
	references[0] = end->reference;
	end_channel_references(end, references + 1);
	comment(test, "the session is closed");
	if (ask_close(end, HDMABUF_REASON_DONE, NULL) != HDMABUF_STATUS_OK)
		inconclusive(test, "CLOSE is refused");
	end_withdraw(end);
	check(test, HDB_BE_010, await_revoked(end, references, count),
	      "the channel of a closed session is still mapped");
}

/* ---- CLOSE of the IUT --------------------------------------------------- */

static struct received *await_close(struct end *end, const char *words)
{
	struct received *request;

	end->serves = false;
	control(end->test, "%s", words);
	request = end_await_request(end, HDMABUF_OP_CLOSE);
	if (!request)
		inconclusive(end->test, "the IUT sends no CLOSE");
	return request;
}

static void reason_is_told(struct test *test)
{
	struct end *end = test_connect(test);

	for (unsigned int reason = 1; reason <= 4; reason++) {
		struct received *request;
		char words[32];

		snprintf(words, sizeof(words), "close %u", reason);
		request = await_close(end, words);
		check(test, HDB_BOTH_001,
		      wire_get(request->octets, CLOSE_REASON) == reason &&
			      !wire_find_nonzero(
				      wire_request_format(HDMABUF_OP_CLOSE),
				      request->octets, NULL),
		      "'%s' leads to a CLOSE of reason %" PRIu64
		      ", or one that is not zero where it has to be",
		      words, wire_get(request->octets, CLOSE_REASON));
		end->serves = true;
		end_serve(end, request);
		end_abandon(end);
		/* A frontend seeks no other session after it has closed one. */
		if (end->role == HDMABUF_BACKEND)
			return;
		end_greet(end);
	}
}

static void silence_after_own_close(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request = await_close(end, "close");
	size_t requests = end->request_count;

	control_try(test, ECHO_WORDS, 5);
	control_try(test, "timeline late signaller=creator");
	let_pass(test, 30);
	check(test, HDB_BOTH_024, end->request_count == requests,
	      "the IUT has sent CLOSE, and sends %s",
	      wire_operation_name((uint16_t)wire_get(
		      end->requests[requests].octets, HEADER_OPERATION)));
	end_serve(end, request);
	let_pass(test, 30);
	check(test, HDB_BOTH_024, end->request_count == requests,
	      "the IUT's CLOSE is answered, and it sends a request");
	end->serves = true;
	end_abandon(end);
}

static void closing_refuses(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request = await_close(end, "close");
	message_t message;

	for (size_t i = 0; wire_operations[i]; i++) {
		uint16_t operation = wire_operations[i];

		if (operation == HDMABUF_OP_CLOSE)
			continue;
		message_init(message, operation);
		check_status(test, HDB_BOTH_026, end_ask(end, message, NULL),
			     HDMABUF_STATUS_CLOSING,
			     "%s while CLOSE of the IUT is not answered",
			     wire_operation_name(operation));
	}
	message_init(message, 0x7777);
	check_status(
		test, HDB_BOTH_038, end_ask(end, message, NULL),
		HDMABUF_STATUS_UNKNOWN_OPERATION,
		"an operation that does not exist, while CLOSE is not answered");
	end->serves = true;
	end_serve(end, request);
	end_abandon(end);
}

/* Features that were not accepted rank before the state, too. */
static void closing_without_features(struct test *test)
{
	static const uint16_t operations[] = { HDMABUF_OP_UPDATE,
					       HDMABUF_OP_ALLOCATE,
					       HDMABUF_OP_CPU_BEGIN };
	struct end *end = test_open(test);
	struct received *request;
	message_t message;

	end->greeting.features = 0;
	end_greet(end);
	request = await_close(end, "close");
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		message_init(message, operations[i]);
		check_status(
			test, HDB_BOTH_038, end_ask(end, message, NULL),
			HDMABUF_STATUS_NOT_NEGOTIATED,
			"%s without its feature, while CLOSE is not answered",
			wire_operation_name(operations[i]));
	}
	end->serves = true;
	end_serve(end, request);
	end_abandon(end);
}

static void both_close(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request = await_close(end, "close");

	comment(test, "the suite's CLOSE crosses that of the IUT");
	check_status(test, HDB_BOTH_026,
		     ask_close(end, HDMABUF_REASON_DONE, NULL),
		     HDMABUF_STATUS_OK,
		     "CLOSE while the IUT's is not answered");
	end->serves = true;
	end_serve(end, request);
	end_abandon(end);
	if (end->role == HDMABUF_FRONTEND)
		check(test, HDB_BOTH_029, end_try_greet(end) && end_sanity(end),
		      "after both have closed, there is no other session");
	else
		check(test, HDB_BOTH_029, test_iut_is_running(test),
		      "the IUT has ended");
}

/* ---- what ends with a session ------------------------------------------- */

static void check_ends_lost(struct test *test, const char *words)
{
	const char *status = event_await(test, "%s", words);

	check(test, HDB_BOTH_027, status && !strcmp(status, "19"),
	      "the session is over: 'event %s 19' (LOST) expected, '%s' seen",
	      words, status ? status : "nothing");
}

static void requests_end_lost(struct test *test)
{
	struct end *end = test_connect(test);

	end->serves = false;
	control(test, ECHO_WORDS, 9);
	if (!end_await_request(end, HDMABUF_OP_ECHO))
		inconclusive(test, "the IUT sends no ECHO");
	comment(test, "ECHO is not answered, and the session is lost");
	end_abandon(end);
	check_ends_lost(test, "echoed -");
	end->serves = true;
}

static void waits_end(struct test *test, bool in_good_order)
{
	struct end *end = test_connect(test);

	if (end_create_timeline(end, 0, HDMABUF_SIGNALLER_CREATOR, 0) !=
	    HDMABUF_STATUS_OK)
		inconclusive(test, "TIMELINE_CREATE is refused");
	control(test, "wait peer:0 5");
	if (in_good_order &&
	    ask_close(end, HDMABUF_REASON_DONE, NULL) != HDMABUF_STATUS_OK)
		inconclusive(test, "CLOSE is refused");
	end_abandon(end);
	check_ends_lost(test, "reached peer:0 5");
}

static void waits_end_lost(struct test *test)
{
	waits_end(test, false);
}

static void waits_end_with_close(struct test *test)
{
	waits_end(test, true);
}

static const struct test_case cases[] = {
	TEST(close_is_answered, "CLOSE is answered whatever its reason",
	     OF_BOTH, 0, HDB_BOTH_025, HDB_BOTH_069),
	TEST(wrong_reasons,
	     "CLOSE with a reason that does not exist is refused, and the session goes on",
	     OF_BOTH, 0, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039),
	TEST(silence_after_close, "After the other end's CLOSE nothing is sent",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_024),
	TEST(sessions_follow_each_other,
	     "A session that was closed can be followed by another one",
	     OF_BOTH, 0, HDB_BOTH_029),
	TEST(channel_is_unmapped,
	     "When a session is lost or closed, the backend unmaps the channel",
	     OF_BACKEND, 0, HDB_BE_010),
	TEST(reason_is_told, "CLOSE has the reason that the application gives",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_001),
	TEST(silence_after_own_close, "After CLOSE nothing is sent", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_024),
	TEST(closing_refuses,
	     "Until its CLOSE is answered, an end refuses everything but CLOSE",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_026, HDB_BOTH_038),
	TEST(closing_without_features,
	     "That a feature was not accepted ranks before that the session is closing",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_038),
	TEST(both_close, "Both ends may close at the same time", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_026, HDB_BOTH_029),
	TEST(requests_end_lost,
	     "A request that is not answered when the session is lost ends with LOST",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_027),
	TEST(waits_end_lost,
	     "A wait that is not over when the session is lost ends with LOST",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_027),
	TEST(waits_end_with_close,
	     "A wait that is not over when the session is closed ends with LOST",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_027),
};

TEST_GROUP(closing, cases);
