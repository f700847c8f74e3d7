/* SPDX-License-Identifier: MIT */
/* rings.c - indices, slots, answers that fit, notifications */
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* 56 octets for the command "echo", and how they come back. */
#define ECHO_DIGITS 112

static void echo_digits(const message_t message, char text[ECHO_DIGITS + 1])
{
	for (size_t i = 0; i < ECHO_DIGITS / 2; i++)
		sprintf(text + 2 * i, "%02x",
			message[wire_offset(ECHO_OCTETS) + i]);
}

/* Has the IUT send ECHO; false if it says that it cannot. */
static bool command_echo(struct end *end, message_t message)
{
	char digits[ECHO_DIGITS + 1];

	make_echo(end->test, message);
	echo_digits(message, digits);
	return control_try(end->test, "echo %s", digits);
}

/* The requests that the IUT has sent and the suite has not answered. */
static uint32_t unanswered(const struct end *end)
{
	return end->theirs.consumed - end->theirs.produced;
}

static struct received *await_echo(struct end *end)
{
	struct received *request = end_await_request(end, HDMABUF_OP_ECHO);

	if (!request)
		inconclusive(end->test,
			     "the IUT does not send the ECHO it was told to");
	return request;
}

static void answer_echo(struct end *end, struct received *request)
{
	message_t answer;

	memcpy(answer, request->octets, sizeof(answer));
	end_answer(end, request, answer);
}

/* ---- where the rings begin, and how they go round ------------------------ */

/* Requests one by one, then as many at once as there may be. */
static void go_round(struct end *end, unsigned int times)
{
	uint32_t slots = end->own.slots;
	uint32_t room = ring_room(end);
	message_t message;

	for (uint32_t i = 0; i < slots * times; i++) {
		make_echo(end->test, message);
		if (i % slots > slots / 2 && i % room) {
			end_put(end, message);
			continue;
		}
		end_ask(end, message, NULL);
	}
}

static void check_start(struct end *end, uint32_t start)
{
	check(end->test, HDB_BOTH_068, ring_answered(&end->own) == start + 1,
	      "the ring begins at %u, HELLO is answered, and answers are shown up to %u",
	      start, ring_answered(&end->own));
}

static void begins_at(struct end *end, uint32_t frontend, uint32_t backend)
{
	comment(end->test, "the rings begin at %u and %u", frontend, backend);
	end->greeting.ring_start[HDMABUF_FRONTEND] = frontend;
	end->greeting.ring_start[HDMABUF_BACKEND] = backend;
	require(end->test, HDB_BOTH_068, end_try_greet(end),
		"no session if the rings begin at %u and %u", frontend,
		backend);
	check_start(end, frontend);
	go_round(end, 3);
	check(end->test, HDB_BOTH_068, end_sanity(end),
	      "rings that begin at %u and %u: a request is not answered as it should be",
	      frontend, backend);
	end_abandon(end);
}

static void begin_anywhere(struct test *test)
{
	static const uint32_t starts[][2] = {
		{ 0, 0 },
		{ 0xfffffffb, 0xffffffe0 },
		{ 0xffffffff, 0xffffffff },
		{ 0x7ffffffd, 0x80000000 },
		{ 1, 31 },
		{ 0xffffffe0, 12345678 },
	};
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(starts); i++)
		begins_at(end, starts[i][0], starts[i][1]);
	begins_at(end, (uint32_t)test_random(test),
		  (uint32_t)test_random(test));
}

static void requests_wrap(struct test *test)
{
	struct end *end = test_open(test);
	message_t message;

	end->greeting.ring_start[HDMABUF_BACKEND] = 0xfffffffd;
	greet(end);
	for (uint32_t i = 0; i < 2 * end->theirs.slots; i++) {
		if (!command_echo(end, message))
			inconclusive(test, "the IUT does not send ECHO");
		await_echo(end);
		check(test, HDB_BOTH_068,
		      end->theirs.consumed == 0xfffffffe + i,
		      "request %u of a ring that begins at 4294967293 is found at %u",
		      i, end->theirs.consumed - 1);
	}
	check(test, HDB_BOTH_007, !end->broken && end_sanity(end),
	      "the backend's ring has gone round, and the session is no more");
}

/* A frontend chooses where its rings begin; HELLO was found there, at the start. */
static void frontend_begins(struct test *test)
{
	struct end *end = test_open(test);
	uint32_t start, now;

	require(test, HDB_BOTH_068, end_try_greet(end),
		"HELLO is not found at the start that the channel page names");
	start = (uint32_t)wire_get(end->channel, CHANNEL_FRONTEND_RING_START);
	now = ring_requested(&end->theirs);
	check(test, HDB_BOTH_068,
	      now - start >= 1 && now - start <= end->theirs.slots,
	      "the frontend's ring begins at %u, HELLO is sent, and requests are shown up to %u",
	      start, now);
	go_round(end, 3);
	check(test, HDB_BOTH_068, end_sanity(end),
	      "the backend's ring has gone round, and requests are not answered as they should be");
}

/* All that the backend stores in a ring before its slots. */
static void move_indices(struct end *end, uint32_t start)
{
	shared_store(end->own.at, ring_req_event(&end->own), start - 7);
	shared_store(end->theirs.at, ring_rsp_event(&end->theirs), 12);
	if (end->own.format)
		return;
	shared_store(end->own.at, RING_RSP_PROD, start + 5);
	shared_store(end->theirs.at, RING_REQ_PROD, 91);
}

/* What stands in the rings when the backend comes is not where they begin. */
static void begin_where_the_page_says(struct test *test)
{
	struct end *end = test_open(test);
	const uint8_t *answer;
	uint32_t start, id;

	end->greeting.ring_start[HDMABUF_FRONTEND] = 0xfffffff0;
	end->greeting.ring_start[HDMABUF_BACKEND] = 77;
	start = end->greeting.ring_start[HDMABUF_FRONTEND];
	if (!end_await_offer(end))
		inconclusive(test, "the IUT makes no offer");
	end_make_channel(end);
	id = end_put_hello(end);
	comment(test,
		"the backend's indices and events are moved before it comes");
	end->deaf = true;
	move_indices(end, start);
	end_publish_answer(end);
	require(test, HDB_BOTH_068, await_all_answered(end),
		"HELLO at %u, which is the start in the channel page, is not answered as the first request",
		start);
	if (!end->theirs.format)
		shared_store(end->theirs.at, RING_REQ_PROD, 77);
	end->deaf = false;
	answer = end_await_answer_to(end, id);
	check(test, HDB_BOTH_068,
	      answer && wire_get(answer, HEADER_STATUS) == HDMABUF_STATUS_OK,
	      "HELLO is not answered with OK");
	end->connected = true;
	check(test, HDB_BOTH_068, end_sanity(end),
	      "requests are not answered as they should be");
}

/* ---- private indices ---------------------------------------------------- */

static uint32_t wrong_index(struct test *test, unsigned int i, uint32_t right)
{
	const uint32_t wrongs[] = {
		0,	    right + 1,	right - 2,
		right + 32, 0xffffffff, (uint32_t)test_random(test),
	};
	uint32_t wrong = wrongs[i % COUNT_OF(wrongs)];

	/* Neither where it is nor where it is going. */
	return wrong == right || wrong == right - 1 ? right + 7 : wrong;
}

/* In format 1 there are marks instead; this one is not what the IUT has left. */
static void spoil_answers(struct end *end, uint32_t wrong)
{
	struct ring *ring = &end->own;

	if (ring->format)
		shared_store(ring_slot(ring, ring->consumed - 1), SLOT_WORD,
			     (MARK_ANSWERS + wrong % (MARK_MAX + 1)) << 24);
	else
		shared_store(ring->at, RING_RSP_PROD, wrong);
	shared_store(ring->at, ring_req_event(ring),
		     (uint32_t)test_random(end->test));
}

/* The suite looks for marks of requests: none may be there that is not the IUT's. */
static void spoil_requests(struct end *end, uint32_t wrong)
{
	struct ring *ring = &end->theirs;

	if (ring->format)
		shared_store(ring_slot(ring, ring->consumed - 1), SLOT_WORD, 0);
	else
		shared_store(ring->at, RING_REQ_PROD, wrong);
	shared_store(ring->at, ring_rsp_event(ring),
		     (uint32_t)test_random(end->test));
}

static void answer_indices(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	for (unsigned int i = 0; i < 3 * end->own.slots; i++) {
		uint32_t next = end->own.consumed + 1;
		uint32_t wrong = wrong_index(test, i, next);
		uint32_t id;

		make_echo(test, message);
		end->deaf = true;
		spoil_answers(end, wrong);
		id = end_send(end, message);
		end_notify(end);
		require(test, HDB_BOTH_007, await_all_answered(end),
			"what the IUT has stored is overwritten, rsp_prod with %u; after the next answer it shows %u, not %u",
			wrong, ring_answered(&end->own), next);
		end->deaf = false;
		require(test, HDB_BOTH_007,
			is_echo_of(end_await_answer_to(end, id), message),
			"what the IUT has stored is overwritten, rsp_prod with %u, and the next answer is not in its slot",
			wrong);
	}
}

static void request_indices(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	for (unsigned int i = 0; i < 2 * end->theirs.slots; i++) {
		uint32_t next = end->theirs.consumed + 1;
		uint32_t wrong = wrong_index(test, i, next);

		end->deaf = true;
		spoil_requests(end, wrong);
		if (!command_echo(end, message))
			inconclusive(test, "the IUT does not send ECHO");
		require(test, HDB_BOTH_007, await_requested(end, next),
			"what the IUT has stored is overwritten, req_prod with %u; after the next request it shows %u, not %u",
			wrong, ring_requested(&end->theirs), next);
		end->deaf = false;
		require(test, HDB_BOTH_007,
			!memcmp(await_echo(end)->octets + 8, message + 8, 56),
			"what the IUT has stored is overwritten, req_prod with %u, and the next request is not in its slot",
			wrong);
		/* The suite has answered, by an event that is wrong. */
		end_notify(end);
		if (!event_await(test, "echoed"))
			inconclusive(test, "the IUT tells of no answer");
	}
}

/* ---- how many requests there may be -------------------------------------- */

/* A whole ring, or as many as the IUT takes, by one store of req_prod. */
static void one_store(struct end *end)
{
	uint32_t count = ring_room(end);
	uint32_t first = end->next_id;
	message_t messages[2048];

	for (uint32_t i = 0; i < count; i++) {
		make_echo(end->test, messages[i]);
		end_put(end, messages[i]);
	}
	end_push(end);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *answer = end_await_answer_to(end, first + i);

		require(end->test, HDB_BOTH_033, answer,
			"request %u of %u that came at once is not answered", i,
			count);
		require(end->test, HDB_BOTH_032,
			is_echo_of(answer, messages[i]),
			"request %u of %u that came at once is answered wrongly",
			i, count);
	}
	for (uint32_t i = 0; i < count; i++)
		require(end->test, HDB_BOTH_033,
			end->asked[end->asked_count - count + i].answers == 1,
			"request %u of %u that came at once is answered %u times",
			i, count,
			end->asked[end->asked_count - count + i].answers);
}

static void whole_ring_at_once(struct test *test)
{
	struct end *end = test_connect(test);

	for (unsigned int i = 0; i < 10; i++)
		one_store(end);
}

/* Each size that the IUT offers, or takes. */
static void ring_orders(struct test *test)
{
	struct end *end = test_open(test);
	uint32_t most = HDMABUF_RING_ORDER_MAX;

	for (uint32_t order = 0; order <= most; order++) {
		comment(test, "rings of order %u", order);
		end->greeting.ring_order = order;
		end->greeting.ring_start[HDMABUF_FRONTEND] = 0xffffffff - order;
		require(test, HDB_BOTH_029, end_try_greet(end),
			"no session with rings of order %u, which is offered",
			order);
		if (end->role == HDMABUF_FRONTEND)
			most = end->peer.ring_order;
		end->silent = order > 2;
		for (unsigned int i = 0; i < 3; i++)
			one_store(end);
		end->silent = false;
		end_abandon(end);
	}
}

/* Once round the IUT's ring, if it can be told to use it. */
static void go_round_theirs(struct end *end)
{
	message_t message;

	if (!test_claims(end->test, OPTION_CONTROL) || end->theirs.slots > 256)
		return;
	for (uint32_t i = 0; i < end->theirs.slots + 2; i++) {
		if (!command_echo(end, message))
			inconclusive(end->test, "the IUT does not send ECHO");
		check(end->test, HDB_BOTH_033,
		      !memcmp(await_echo(end)->octets + 8, message + 8, 56),
		      "request %u of the IUT is not in its slot", i);
	}
}

static void orders_differ(struct end *end, uint32_t frontend, uint32_t backend)
{
	comment(end->test, "rings smaller by order %u and %u than offered",
		frontend, backend);
	end->greeting.ring_order_less[HDMABUF_FRONTEND] = frontend;
	end->greeting.ring_order_less[HDMABUF_BACKEND] = backend;
	require(end->test, HDB_BOTH_029, end_try_greet(end),
		"no session with rings that are smaller by order %u and %u than offered",
		frontend, backend);
	end->silent = end->own.slots > 128;
	one_store(end);
	one_store(end);
	end->silent = false;
	go_round_theirs(end);
	end_abandon(end);
}

/* The two rings need not have the same size. */
static void ring_orders_differ(struct test *test)
{
	struct end *end = test_open(test);

	end->greeting.ring_order = HDMABUF_RING_ORDER_MAX;
	for (uint32_t i = 0; i <= end->peer.ring_order; i += 2) {
		orders_differ(end, i, 0);
		orders_differ(end, 0, i);
		orders_differ(end, i, 1);
	}
}

/* Commands for more requests than may be unanswered. */
static void command_echoes(struct end *end, uint32_t count)
{
	message_t message;

	for (uint32_t i = 0; i < count; i++)
		if (!command_echo(end, message))
			return;
}

static void check_in_flight(struct end *end, uint32_t most)
{
	message_t message;

	/* What was commanded before is in the ring, or will not be now. */
	make_echo(end->test, message);
	end_ask(end, message, NULL);
	require(end->test, HDB_BOTH_008,
		!end->broken && unanswered(end) <= most,
		"%u requests are unanswered, and %u may be", unanswered(end),
		most);
}

static void limit_in_flight(struct end *end, uint32_t limit)
{
	struct received *request;
	uint32_t most, seen = 0;

	comment(end->test, "max_in_flight %u", limit);
	end->greeting.max_in_flight = limit;
	greet(end);
	end->serves = false;
	most = limit < end->theirs.slots ? limit : end->theirs.slots;
	command_echoes(end, most + 5);
	check_in_flight(end, most);
	if (!unanswered(end))
		inconclusive(end->test, "the IUT sends none of the requests");
	for (; (request = end_find_request(end, HDMABUF_OP_ECHO)); seen++) {
		answer_echo(end, request);
		check_in_flight(end, most);
	}
	command_echoes(end, 1);
	check(end->test, HDB_BOTH_008, end_await_request(end, HDMABUF_OP_ECHO),
	      "%u requests were answered, and no further one comes", seen);
	renew(end);
}

static void requests_in_flight(struct test *test)
{
	static const uint32_t limits[] = { 1, 2, 31, 32, 33, 1000 };
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		limit_in_flight(end, limits[i]);
		end_abandon(end);
	}
}

/* ---- indices that cannot be --------------------------------------------- */

/**
 * struct index_case - an index that cannot be
 * @ahead: of the messages that were taken
 * @slots: how many times the slots of the ring are added to that
 */
struct index_case {
	uint32_t ahead;
	uint32_t slots;
};

static void requests_out_of_range(struct test *test)
{
	static const struct index_case wrongs[] = {
		{ 1, 1 },
		{ 0, 2 },
		{ 0xffffffff, 0 },
		{ 0x80000000, 0 },
		{ 0, (uint32_t)-1 },
	};
	struct end *end = test_connect(test);
	char what[96];

	need_indices(test);
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		uint32_t ahead =
			wrongs[i].ahead + wrongs[i].slots * end->own.slots;

		snprintf(what, sizeof(what),
			 "req_prod is %u ahead of the answers", ahead);
		comment(test, "%s", what);
		shared_store(end->own.at, RING_REQ_PROD,
			     end->own.consumed + ahead);
		end_notify(end);
		check_broken(end, HDB_BOTH_010, what);
	}
}

/* Ahead of all that the IUT may have asked by itself, and not had answered. */
static void answers_out_of_range(struct test *test)
{
	static const struct index_case wrongs[] = {
		{ 1, 0 }, { 2, 0 },	     { 0, 1 },
		{ 1, 1 }, { 0x80000000, 0 }, { 0, (uint32_t)-2 },
	};
	struct end *end = test_connect(test);
	char what[96];

	need_indices(test);
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		uint32_t ahead =
			wrongs[i].ahead + wrongs[i].slots * end->theirs.slots;

		end->serves = false;
		settle(end);
		snprintf(what, sizeof(what),
			 "rsp_prod is %u ahead of the requests", ahead);
		comment(test, "%s", what);
		shared_store(end->theirs.at, RING_RSP_PROD,
			     end->theirs.consumed + ahead);
		end_notify(end);
		check_broken(end, HDB_BOTH_010, what);
	}
}

/* ---- answers that fit no request ----------------------------------------- */

static void wrong_id(struct end *end, message_t answer)
{
	wire_put(answer, HEADER_ID, wire_get(answer, HEADER_ID) + 1);
	end_answer_raw(end, answer);
}

static void wrong_high_bit(struct end *end, message_t answer)
{
	wire_put(answer, HEADER_ID, wire_get(answer, HEADER_ID) ^ 1u << 31);
	end_answer_raw(end, answer);
}

static void wrong_operation(struct end *end, message_t answer)
{
	message_t plain;

	message_init(plain, HDMABUF_OP_CPU_END);
	wire_put(plain, HEADER_ID, wire_get(answer, HEADER_ID));
	end_answer_raw(end, plain);
}

static void no_operation(struct end *end, message_t answer)
{
	wire_put(answer, HEADER_OPERATION, 0);
	end_answer_raw(end, answer);
}

static void high_operation(struct end *end, message_t answer)
{
	wire_put(answer, HEADER_OPERATION,
		 wire_get(answer, HEADER_OPERATION) | 0x8000);
	end_answer_raw(end, answer);
}

static void twice(struct end *end, message_t answer)
{
	end_answer_raw(end, answer);
	end_answer_raw(end, answer);
}

/* The answer is right and the next one belongs to a request of long ago. */
static void once_more_later(struct end *end, message_t answer)
{
	message_t message;

	end_answer_raw(end, answer);
	for (unsigned int i = 0; i < 3; i++) {
		struct received *request;

		command_echo(end, message);
		request = await_echo(end);
		answer_echo(end, request);
	}
	end_answer_raw(end, answer);
}

/**
 * struct unfit - an answer that fits no request
 * @send: sends it, instead of the right one
 * @what: in words
 */
struct unfit {
	void (*send)(struct end *end, message_t answer);
	const char *what;
};

static const struct unfit unfit_answers[] = {
	{ wrong_id, "an answer with another id" },
	{ wrong_high_bit, "an answer with another high bit of the id" },
	{ wrong_operation, "an answer with another operation" },
	{ no_operation, "an answer with operation 0" },
	{ high_operation, "an answer with a high bit in the operation" },
	{ twice, "an answer that comes twice" },
	{ once_more_later, "an answer that comes again later" },
};

/* Two requests of the IUT are unanswered, so that there is room for two answers. */
static void send_unfit(struct end *end, const struct unfit *unfit)
{
	struct received *request;
	message_t message;

	comment(end->test, "%s", unfit->what);
	end->serves = false;
	if (!command_echo(end, message) || !command_echo(end, message))
		inconclusive(end->test, "the IUT does not send ECHO");
	request = await_echo(end);
	await_echo(end);
	memcpy(message, request->octets, sizeof(message));
	unfit->send(end, message);
	check_broken(end, HDB_BOTH_011, unfit->what);
}

static void answers_that_fit_nothing(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(unfit_answers); i++)
		send_unfit(end, &unfit_answers[i]);
}

/* HELLO is a request that every frontend sends. */
static void answer_hello(struct end *end, const struct unfit *unfit)
{
	struct received *hello;
	message_t answer;

	comment(end->test, "HELLO: %s", unfit->what);
	end->serves = false;
	end_publish_offer(end);
	if (!end_await_answer(end) || !end_map_channel(end))
		inconclusive(end->test, "the IUT does not answer the offer");
	hello = end_await_request(end, HDMABUF_OP_HELLO);
	if (!hello)
		inconclusive(end->test, "the IUT sends no HELLO");
	memcpy(answer, hello->octets, sizeof(answer));
	unfit->send(end, answer);
	check_broken(end, HDB_BOTH_011, unfit->what);
	end_abandon(end);
}

static void answers_to_hello(struct test *test)
{
	struct end *end = test_open(test);

	for (size_t i = 0; unfit_answers[i].send != twice; i++)
		answer_hello(end, &unfit_answers[i]);
}

static void any_order(struct test *test)
{
	struct end *end = test_connect(test);
	message_t messages[8];
	struct received *requests[8];
	char digits[ECHO_DIGITS + 1];

	end->serves = false;
	for (unsigned int i = 0; i < 8; i++) {
		if (!command_echo(end, messages[i]))
			inconclusive(test, "the IUT does not send 8 requests");
		requests[i] = await_echo(end);
	}
	for (unsigned int i = 0; i < 8; i++)
		answer_echo(end, requests[(5 * i + 7) % 8]);
	for (unsigned int i = 0; i < 8; i++) {
		const char *event;

		echo_digits(messages[i], digits);
		event = event_await(test, "echoed %s", digits);
		check(test, HDB_BOTH_011, event && !strcmp(event, "0"),
		      "answers come in another order than the requests, and request %u is not seen answered",
		      i);
	}
	end->serves = true;
	check(test, HDB_BOTH_011, end_sanity(end),
	      "answers come in another order than the requests, and the session is over");
}

/* ---- order -------------------------------------------------------------- */

static uint32_t put_timeline(struct end *end, uint16_t operation,
			     uint32_t number)
{
	message_t message;

	message_init(message, operation);
	wire_put(message, TIMELINE_NUMBER, number);
	if (operation == HDMABUF_OP_TIMELINE_CREATE)
		wire_put(message, TIMELINE_SIGNALLER,
			 HDMABUF_SIGNALLER_CREATOR);
	return end_put(end, message);
}

/* Each can be carried out only after the one before it. */
static void requests_in_order(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t count = ring_room(end) / 2 * 2;
	uint32_t first = end->next_id;

	if (!end->peer.max_timelines || !end->cell_count)
		skip(test, "the IUT takes no timelines");
	if (count < 2)
		skip(test, "the IUT takes one request at a time");
	for (uint32_t i = 0; i < 4 * count; i++) {
		put_timeline(end,
			     i % 2 ? HDMABUF_OP_TIMELINE_DESTROY :
				     HDMABUF_OP_TIMELINE_CREATE,
			     0);
		if ((i + 1) % count)
			continue;
		end_push(end);
		end_await_answer_to(end, first + i);
	}
	for (uint32_t i = 0; i < 4 * count; i++) {
		const uint8_t *answer = end_await_answer_to(end, first + i);

		require(test, HDB_BOTH_033, answer,
			"request %u is not answered", i);
		check_status(
			test, HDB_BOTH_035,
			(uint16_t)wire_get(answer, HEADER_STATUS),
			HDMABUF_STATUS_OK,
			"%s, number %u of requests that depend on each other",
			i % 2 ? "TIMELINE_DESTROY" : "TIMELINE_CREATE", i);
	}
}

/* RELEASED is in order only for an end that has seen EXPORT answered. */
static void answer_and_release(struct end *end, unsigned int number)
{
	struct received *request;
	message_t message, answer = { 0 }, echo;
	uint32_t id;

	control(end->test, "export b%u size=4096", number);
	request = end_await_request(end, HDMABUF_OP_EXPORT);
	if (!request)
		inconclusive(end->test, "the IUT does not send EXPORT");
	message_init(message, HDMABUF_OP_RELEASED);
	memcpy(message + wire_offset(BUFFER_ID),
	       request->octets + wire_offset(EXPORT_ID), 16);
	/* The IUT is busy, or about to sleep, or sleeps. */
	make_echo(end->test, echo);
	end_send(end, echo);
	pause_randomly(end->test, 60);
	end_answer(end, request, answer);
	id = end_send(end, message);
	require(end->test, HDB_BOTH_033, end_await_answer_to(end, id),
		"RELEASED is not answered");
	require(end->test, HDB_BOTH_017,
		wire_get(end_await_answer_to(end, id), HEADER_STATUS) ==
			HDMABUF_STATUS_OK,
		"EXPORT was answered before RELEASED was sent, and RELEASED is refused with %s",
		wire_status_name((uint16_t)wire_get(
			end_await_answer_to(end, id), HEADER_STATUS)));
}

static void answers_before_requests(struct test *test)
{
	struct end *end = test_connect(test);

	end->serves = false;
	for (unsigned int i = 0; i < 150; i++)
		answer_and_release(end, i);
}

/* The frontend knows that it is connected before it sees the first request. */
static void answer_to_hello_first(struct test *test)
{
	struct end *end = test_open(test);
	message_t echo;

	for (unsigned int i = 0; i < 20; i++) {
		uint32_t id;

		end_greet(end);
		make_echo(test, echo);
		id = end_send(end, echo);
		check(test, HDB_BOTH_017,
		      is_echo_of(end_await_answer_to(end, id), echo),
		      "ECHO right after the answer to HELLO is not answered as it should be");
		end_abandon(end);
	}
}

/* ---- copies -------------------------------------------------------------- */

/*
 * Two operations that differ in one octet, so that none is torn. Both are refused, so
 * that the header of an answer, which comes to lie in the same slot, is not that of a
 * request.
 */
#define FLICKER_KNOWN	HDMABUF_OP_QUERY
#define FLICKER_UNKNOWN (HDMABUF_OP_QUERY | 0x5a00)
#define FLICKER_SLOTS	32

/**
 * struct flicker - slots whose operation changes all the time
 * @slots: whose headers change as long as they are those of requests
 * @count: of @slots
 * @headers: of each, with either operation
 * @now: which of them was written last
 * @rounds: that are done
 * @stop: it is enough
 */
struct flicker {
	uint64_t *slots[FLICKER_SLOTS];
	uint32_t count;
	uint64_t headers[FLICKER_SLOTS][2];
	uint32_t now[FLICKER_SLOTS];
	uint32_t rounds;
	uint32_t stop;
};

static void flicker(void *context)
{
	struct flicker *flicker = context;

	while (!__atomic_load_n(&flicker->stop, __ATOMIC_RELAXED)) {
		for (uint32_t i = 0; i < flicker->count; i++) {
			uint32_t now = flicker->now[i];
			uint64_t expected = flicker->headers[i][now];

			if (__atomic_compare_exchange_n(
				    flicker->slots[i], &expected,
				    flicker->headers[i][!now], false,
				    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
				flicker->now[i] = !now;
		}
		__atomic_fetch_add(&flicker->rounds, 1, __ATOMIC_RELAXED);
	}
}

/*
 * A request that names nothing, in its slot; both of its headers. The first of a batch
 * has a mark, where there are marks, and flickers from when it is stored.
 */
static void put_flickering(struct end *end, struct flicker *flicker, uint32_t i)
{
	uint8_t *slot = ring_slot(&end->own, end->own.produced);
	message_t message;

	message_init(message, FLICKER_UNKNOWN);
	test_random_octets(end->test, message + wire_offset(BUFFER_ID), 16);
	end_put(end, message);
	if (end->own.format && !i)
		wire_put(message, SLOT_MARK, flicker->count);
	memcpy(&flicker->headers[i][1], message, 8);
	wire_put(message, HEADER_OPERATION, FLICKER_KNOWN);
	memcpy(&flicker->headers[i][0], message, 8);
	flicker->slots[i] = (uint64_t *)(void *)slot;
	flicker->now[i] = 1;
}

/*
 * Whichever operation it was, the status is that of the same one. The flickering may
 * have changed what the IUT wrote, if that looked like a request for a moment; then
 * the operation is the one that was written last, and nothing is known.
 */
static bool is_of_one_copy(const uint8_t *answer, uint32_t now)
{
	static const uint16_t operations[] = { FLICKER_KNOWN, FLICKER_UNKNOWN };
	static const uint16_t statuses[] = { HDMABUF_STATUS_NO_SUCH_BUFFER,
					     HDMABUF_STATUS_UNKNOWN_OPERATION };
	uint64_t operation = wire_get(answer, HEADER_OPERATION);
	uint64_t status = wire_get(answer, HEADER_STATUS);

	if (operation == operations[now])
		return true;
	return operation == operations[!now] && status == statuses[!now];
}

static void read_flickering(struct end *end, struct flicker *shared)
{
	uint32_t first = end->next_id;
	uint32_t room = ring_room(end);
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	shared->count = room < FLICKER_SLOTS ? room : FLICKER_SLOTS;
	for (uint32_t i = 0; i < shared->count; i++)
		put_flickering(end, shared, i);
	pid = spoil(end->test, flicker, shared);
	while (__atomic_load_n(&shared->rounds, __ATOMIC_RELAXED) < 2)
		;
	end_push(end);
	await_all_answered(end);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	spoil_await(pid);
	for (uint32_t i = 0; i < shared->count; i++) {
		const uint8_t *answer = end_await_answer_to(end, first + i);

		require(end->test, HDB_BOTH_033, answer,
			"a request is not answered");
		require(end->test, HDB_BOTH_009,
			is_of_one_copy(answer, shared->now[i]),
			"a slot changes while it is read, and the answer to %s has status %s: it was not copied once",
			wire_operation_name(
				(uint16_t)wire_get(answer, HEADER_OPERATION)),
			wire_status_name(
				(uint16_t)wire_get(answer, HEADER_STATUS)));
	}
}

static void messages_are_copied_once(struct test *test)
{
	struct end *end = test_connect(test);
	struct flicker *shared = mmap(NULL, sizeof(*shared),
				      PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		error(test, "no memory");
	end->silent = true;
	for (unsigned int i = 0; i < 150; i++)
		read_flickering(end, shared);
	munmap(shared, sizeof(*shared));
}

/* ---- work that never ends ------------------------------------------------ */

#define DIRECTORY_PAGES 16

/**
 * struct flood - requests without end
 * @end: over which they are sent
 * @message: that is sent again and again
 * @rounds: how often the ring has been filled
 */
struct flood {
	struct end *end;
	message_t message;
	uint32_t rounds;
};

/* There is always a whole ring of requests, however many are answered. */
static void flood(void *context)
{
	struct flood *flood = context;
	struct end *end = flood->end;
	struct ring ring = end->own;
	uint32_t room = ring_room(end);

	for (;;) {
		ring.consumed = ring_answered(&ring);
		while (ring.produced - ring.consumed < room) {
			wire_put(flood->message, HEADER_ID, ring.produced);
			ring_put(&ring, flood->message);
		}
		ring_show_requests(&ring);
		end_notify(end);
		__atomic_fetch_add(&flood->rounds, 1, __ATOMIC_RELAXED);
		usleep(50);
	}
}

/*
 * EXPORT that takes a while to be refused, so that more can come meanwhile: the last
 * entry of a long directory is 0.
 */
static void make_long_export(struct end *end, message_t message)
{
	uint32_t entries = DIRECTORY_PAGES * 1023;
	struct buffer buffer;
	uint8_t *descriptor;
	uint64_t references[DIRECTORY_PAGES];
	struct hdmabuf_memory *memory =
		end_allocate(end, DIRECTORY_PAGES, HDMABUF_RIGHTS_READ_ONLY);
	uint8_t *directory = memory->address;

	end_share(end, memory, 0, DIRECTORY_PAGES, HDMABUF_RIGHTS_READ_ONLY,
		  references);
	for (uint32_t i = 0; i < DIRECTORY_PAGES * 1024 - 1; i++)
		wire_put(directory, WIRE_PLACE(4 * i, 4), i + 1);
	for (uint32_t i = 0; i < DIRECTORY_PAGES; i++)
		wire_put(directory, WIRE_PLACE(4096 * i, 4),
			 i + 1 < DIRECTORY_PAGES ? references[i + 1] : 0);
	buffer_make(end, &buffer, NULL);
	descriptor = buffer.descriptor;
	wire_put(descriptor, DESCRIPTOR_SIZE, 4096ull * entries);
	wire_put(descriptor, DESCRIPTOR_PAGES, entries);
	wire_put(descriptor, DESCRIPTOR_ENTRIES, entries);
	wire_put(descriptor, DESCRIPTOR_DIRECTORY, references[0]);
	wire_put(descriptor, DESCRIPTOR_DIRECTORY_PAGES, DIRECTORY_PAGES);
	buffer_export_message(&buffer, message);
}

static void await_flood(struct flood *flood)
{
	uint32_t before = __atomic_load_n(&flood->rounds, __ATOMIC_RELAXED);

	while (__atomic_load_n(&flood->rounds, __ATOMIC_RELAXED) - before < 2)
		usleep(50);
}

/*
 * The ring is so big that it does not run empty when the flooding has to pause, and so
 * small that a slow end gets through what is left in it.
 */
static void others_are_served(struct test *test)
{
	struct end *flooding = test_open(test);
	struct end *other;
	struct flood context = { .end = flooding };
	pid_t pid;

	flooding->greeting.ring_order = 3;
	end_greet(flooding);
	other = test_connect(test);
	make_long_export(flooding, context.message);
	check_status(
		test, HDB_BOTH_033, end_ask(flooding, context.message, NULL),
		HDMABUF_STATUS_BAD_REFERENCE,
		"EXPORT of a buffer whose directory has a last entry of 0");
	flooding->deaf = flooding->silent = true;
	pid = spoil(test, flood, &context);
	for (unsigned int i = 0; i < 5; i++) {
		message_t message;
		const uint8_t *answer;

		await_flood(&context);
		make_echo(test, message);
		answer = end_await_answer_to(other, end_send(other, message));
		if (!check(test, HDB_BOTH_012, is_echo_of(answer, message),
			   "one session has always one more request, and request %u of another is not answered",
			   i))
			break;
	}
	spoil_end(pid);
	end_close(flooding);
}

/* ---- notification -------------------------------------------------------- */

/**
 * struct crossing - an index that moves, and the event
 * @count: by how much the index moves
 * @event: how far the event is ahead of it before
 */
struct crossing {
	uint32_t count;
	uint32_t event;
};

static const struct crossing crossings[] = {
	{ 1, 1 }, { 1, 0 }, { 1, 2 },	       { 3, 2 },
	{ 3, 3 }, { 3, 4 }, { 1, 0x80000000 }, { 5, 1 },
	{ 2, 3 }, { 1, 1 }, { 4, 0xffffffff }, { 1, 0x7fffffff },
};

static bool is_crossed(const struct crossing *crossing)
{
	return crossing->event >= 1 && crossing->event <= crossing->count;
}

static void check_notified(struct end *end, const struct crossing *crossing,
			   const char *index, unsigned int before)
{
	bool expected = is_crossed(crossing);

	check(end->test, HDB_BOTH_013,
	      is_notified(end, before, expected) == expected,
	      expected ?
		      "%s move by %u and cross the event, %u ahead of it, and no notification comes" :
		      "%s move by %u and do not cross the event, %u ahead of it, and a notification comes",
	      index, crossing->count, crossing->event);
}

static void answer_crossing(struct end *end, const struct crossing *crossing)
{
	uint32_t first = end->next_id;
	unsigned int before;
	message_t message;

	end->deaf = true;
	settle(end);
	shared_store(end->own.at, ring_rsp_event(&end->own),
		     end->own.consumed + crossing->event);
	shared_barrier();
	before = end->notified;
	for (uint32_t i = 0; i < crossing->count; i++) {
		make_echo(end->test, message);
		end_put(end, message);
	}
	end_push(end);
	if (!await_all_answered(end))
		inconclusive(end->test, "requests are not answered");
	check_notified(end, crossing, "the answers", before);
	end->deaf = false;
	end_await_answer_to(end, first + crossing->count - 1);
}

static void notifies_of_answers(struct test *test)
{
	struct end *end = test_open(test);

	end->greeting.ring_start[HDMABUF_FRONTEND] = 0xfffffff9;
	end_greet(end);
	if (ring_room(end) < 5)
		skip(test, "the IUT takes %u requests at a time",
		     ring_room(end));
	for (size_t i = 0; i < COUNT_OF(crossings); i++)
		answer_crossing(end, &crossings[i]);
}

static void request_crossing(struct end *end, const struct crossing *crossing)
{
	uint32_t next = end->theirs.consumed + crossing->count;
	unsigned int before;
	message_t message;

	end->deaf = true;
	settle(end);
	shared_store(end->theirs.at, ring_req_event(&end->theirs),
		     end->theirs.consumed + crossing->event);
	shared_barrier();
	before = end->notified;
	for (uint32_t i = 0; i < crossing->count; i++)
		if (!command_echo(end, message))
			inconclusive(end->test, "the IUT does not send ECHO");
	if (!await_requested(end, next))
		inconclusive(end->test, "the IUT does not send ECHO");
	check_notified(end, crossing, "the requests", before);
	end->deaf = false;
	for (uint32_t i = 0; i < crossing->count; i++)
		await_echo(end);
}

static void notifies_of_requests(struct test *test)
{
	struct end *end = test_open(test);

	end->greeting.ring_start[HDMABUF_BACKEND] = 0xfffffff9;
	greet(end);
	for (size_t i = 0; i < COUNT_OF(crossings); i++)
		request_crossing(end, &crossings[i]);
}

/*
 * One request wakes the IUT, the next one is stored, by chance, just when the IUT has
 * looked, and asks to be notified. The suite polls.
 */
static void ping_twice(struct end *end, unsigned int number)
{
	message_t message, answer;

	make_echo(end->test, message);
	end_send(end, message);
	pause_randomly(end->test, number % 2 ? 10 : 80);
	make_echo(end->test, message);
	end_send(end, message);
	require(end->test, HDB_BOTH_014, await_all_answered(end),
		"request %u, which came when the IUT might have been going to sleep and did not ask to be notified, is not answered",
		2 * number + 1);
	ring_read_slot(&end->own, end->own.produced - 1, answer);
	require(end->test, HDB_BOTH_033, is_echo_of(answer, message),
		"request %u is answered wrongly", 2 * number + 1);
	end->own.consumed = end->own.produced;
}

static void no_wakeup_is_lost(struct test *test)
{
	struct end *end = test_open(test);

	end_greet(end);
	if (ring_room(end) < 2)
		skip(test, "the IUT takes one request at a time");
	comment(test, "3000 pairs of requests, a few microseconds apart");
	end->deaf = end->silent = true;
	for (unsigned int i = 0; i < 3000; i++)
		ping_twice(end, i);
	end->deaf = end->silent = false;
}

/* More than once round, so that the event field has to follow the index. */
static void each_request_wakes(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	for (unsigned int i = 0; i < 200; i++) {
		make_echo(test, message);
		require(test, HDB_BOTH_014,
			is_echo_of(end_await_answer_to(end,
						       end_send(end, message)),
				   message),
			"request %u is not answered, of which the IUT was notified if it had asked for that",
			i);
	}
}

static void each_answer_wakes(struct test *test)
{
	struct end *end = test_connect(test);
	char digits[ECHO_DIGITS + 1];
	message_t message;

	for (unsigned int i = 0; i < 100; i++) {
		if (!command_echo(end, message))
			inconclusive(test, "the IUT does not send ECHO");
		await_echo(end);
		echo_digits(message, digits);
		require(test, HDB_BOTH_014,
			event_await(test, "echoed %s", digits),
			"the answer to request %u is not seen, of which the IUT was notified if it had asked for that",
			i);
	}
}

static void notifications_for_nothing(struct test *test)
{
	struct end *end = test_open(test);

	for (unsigned int i = 0; i < 50; i++)
		end_notify(end);
	end_greet(end);
	for (unsigned int i = 0; i < 500; i++) {
		end_notify(end);
		if (i % 5 == 0)
			test_wait(test, test_deadline_in(1));
	}
	check(test, HDB_BOTH_003, end_sanity(end),
	      "after 500 notifications for nothing, requests are not answered as they should be");
}

static const struct test_case cases[] = {
	TEST(begin_anywhere,
	     "Both rings begin where the channel page says, and go round from there",
	     OF_BACKEND, 0, HDB_BOTH_068),
	TEST(requests_wrap,
	     "The backend's requests go past 2^32 and round its ring",
	     OF_BACKEND, OPTION_CONTROL, HDB_BOTH_007, HDB_BOTH_068),
	TEST(frontend_begins,
	     "A frontend begins both rings where its channel page says",
	     OF_FRONTEND, 0, HDB_BOTH_068),
	TEST(begin_where_the_page_says,
	     "The backend takes the start of a ring from the channel page, not from the ring",
	     OF_BACKEND, 0, HDB_BOTH_068),
	TEST(ring_orders, "Rings of all orders that are offered work", OF_BOTH,
	     0, HDB_BOTH_029, HDB_BOTH_032, HDB_BOTH_033),
	TEST(ring_orders_differ, "Rings of different orders work", OF_BACKEND,
	     0, HDB_BOTH_029, HDB_BOTH_032, HDB_BOTH_033),
	TEST(answer_indices,
	     "Answers go where they belong though what the IUT has stored is overwritten",
	     OF_BOTH, 0, HDB_BOTH_007),
	TEST(request_indices,
	     "Requests go where they belong though what the IUT has stored is overwritten",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_007),
	TEST(whole_ring_at_once,
	     "A ring full of requests, made visible by one store, is answered",
	     OF_BOTH, 0, HDB_BOTH_032, HDB_BOTH_033),
	TEST(requests_in_flight,
	     "No more requests are unanswered than max_in_flight and the ring allow",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_008),
	TEST(messages_are_copied_once,
	     "A message is copied out of its slot once, and the copy is used",
	     OF_BOTH, 0, HDB_BOTH_009, HDB_BOTH_033),
	TEST(requests_out_of_range,
	     "A req_prod that cannot be breaks the session", OF_BOTH, 0,
	     HDB_BOTH_010, HDB_BOTH_029),
	TEST(answers_out_of_range,
	     "A rsp_prod that cannot be breaks the session", OF_BOTH, 0,
	     HDB_BOTH_010, HDB_BOTH_029),
	TEST(answers_that_fit_nothing,
	     "An answer that fits no request breaks the session", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_011, HDB_BOTH_029),
	TEST(answers_to_hello,
	     "An answer to HELLO that does not fit it breaks the session",
	     OF_FRONTEND, 0, HDB_BOTH_011, HDB_BOTH_029),
	TEST(any_order, "Answers may come in any order", OF_BOTH,
	     OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_011),
	TEST(others_are_served,
	     "A session that has always one more request does not keep others from theirs",
	     OF_BACKEND, OPTION_IMPORT | OPTION_MANY, HDB_BOTH_012,
	     HDB_BOTH_033),
	TEST(notifies_of_answers,
	     "A notification comes when rsp_prod crosses the event, and not else",
	     OF_BOTH, 0, HDB_BOTH_013),
	TEST(notifies_of_requests,
	     "A notification comes when req_prod crosses the event, and not else",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_013),
	TEST(no_wakeup_is_lost,
	     "A request that comes while the other end goes to sleep is seen",
	     OF_BOTH, 0, HDB_BOTH_014, HDB_BOTH_033),
	TEST(each_request_wakes,
	     "An end that sleeps has asked to be notified of the next request",
	     OF_BOTH, 0, HDB_BOTH_014),
	TEST(each_answer_wakes,
	     "An end that sleeps has asked to be notified of the next answer",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_014),
	TEST(notifications_for_nothing,
	     "Notifications for which there is nothing to do are taken",
	     OF_BOTH, 0, HDB_BOTH_003),
	TEST(answers_before_requests,
	     "Answers that came before a request are taken before it is handled",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_017, HDB_BOTH_033),
	TEST(answer_to_hello_first,
	     "The answer to HELLO is taken before the first request is handled",
	     OF_FRONTEND, 0, HDB_BOTH_017),
	TEST(requests_in_order,
	     "Requests are handled in the order they have in the ring", OF_BOTH,
	     0, HDB_BOTH_033, HDB_BOTH_035),
};

TEST_GROUP(rings, cases);
