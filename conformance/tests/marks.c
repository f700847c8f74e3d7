/* SPDX-License-Identifier: MIT */
/* marks.c - rings of format 1 */
#include "conformance/tests/raw.h"
#include "conformance/tests/support.h"
#include "conformance/tests/tests.h"

#include <stdio.h>
#include <string.h>

static struct end *open_marked(struct test *test)
{
	struct end *end = test_open(test);

	end->greeting.ring_formats = 1u << HDMABUF_RING_FORMAT_1;
	end->greeting.ring_format = HDMABUF_RING_FORMAT_1;
	return end;
}

static struct end *connect_marked(struct test *test)
{
	struct end *end = open_marked(test);

	greet(end);
	return end;
}

/* ---- the choice ---------------------------------------------------------- */

/* Formats that nobody knows yet are offered as well. */
static void highest_format(struct test *test)
{
	struct end *end = test_open(test);
	uint64_t format;

	end->greeting.ring_formats = 3 | 1ull << 63;
	require(test, HDB_FE_011, end_try_greet(end),
		"ring formats 0, 1 and 63 are offered, and there is no session");
	format = wire_get(end->channel, CHANNEL_RING_FORMAT);
	check(test, HDB_FE_011, format == HDMABUF_RING_FORMAT_1,
	      "ring formats 0, 1 and 63 are offered, and the frontend, which claims to know format 1, takes %u",
	      (unsigned int)format);
	check(test, HDB_FE_011, end_sanity(end),
	      "requests are not answered as they should be");
}

/* ---- batches ------------------------------------------------------------- */

/* @count requests by one mark, or by one for each 64; all are answered, once. */
static void batch(struct end *end, uint32_t count)
{
	uint32_t first = end->next_id;
	message_t messages[2048];

	for (uint32_t i = 0; i < count; i++) {
		make_echo(end->test, messages[i]);
		end_put(end, messages[i]);
	}
	end_push(end);
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *answer = end_await_answer_to(end, first + i);

		require(end->test, HDB_BOTH_070, !end->broken,
			"%u requests are unanswered, and a mark counts more answers",
			end_in_flight(end));
		require(end->test, HDB_BOTH_033, answer,
			"request %u of a batch of %u is not answered", i,
			count);
		require(end->test, HDB_BOTH_070,
			is_echo_of(answer, messages[i]),
			"the mark was there, and the answer to request %u of %u was not, as it should be",
			i, count);
	}
}

static void begins_at(struct end *end, uint32_t start)
{
	uint32_t room;

	comment(end->test, "the rings begin at %u", start);
	end->greeting.ring_start[HDMABUF_FRONTEND] = start;
	end->greeting.ring_start[HDMABUF_BACKEND] = start;
	require(end->test, HDB_BOTH_068, end_try_greet(end),
		"no session if rings of format 1 begin at %u", start);
	room = ring_room(end);
	for (uint32_t count = 1; count <= room; count++)
		batch(end, count);
	check(end->test, HDB_BOTH_068, end_sanity(end),
	      "rings of format 1 that begin at %u: a request is not answered as it should be",
	      start);
	end_abandon(end);
}

static void batches(struct test *test)
{
	static const uint32_t starts[] = { 0, 0xfffffff9, 0x7fffffff, 31 };
	struct end *end = open_marked(test);

	for (size_t i = 0; i < COUNT_OF(starts); i++)
		begins_at(end, starts[i]);
}

/* More than one mark counts, where rings are as big. */
static void big_batches(struct test *test)
{
	static const uint32_t counts[] = { 63, 64, 65, 127, 128, 129, 193 };
	struct end *end = open_marked(test);
	uint32_t room;

	end->greeting.ring_order = 3;
	end->greeting.max_in_flight = 1000;
	require(test, HDB_BOTH_029, end_try_greet(end),
		"no session with rings of format 1");
	end->silent = true;
	room = ring_room(end);
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		if (counts[i] <= room)
			batch(end, counts[i]);
	batch(end, room < 2048 ? room : 2048);
}

/* ---- requests of the IUT ------------------------------------------------- */

static bool command_echo(struct end *end, message_t message)
{
	char digits[113];

	make_echo(end->test, message);
	for (size_t i = 0; i < 56; i++)
		snprintf(digits + 2 * i, 3, "%02x",
			 message[wire_offset(ECHO_OCTETS) + i]);
	return control_try(end->test, "echo %s", digits);
}

static void echo_of_theirs(struct end *end, uint32_t number)
{
	struct received *request;
	message_t message;

	if (!command_echo(end, message))
		inconclusive(end->test, "the IUT does not send ECHO");
	request = end_await_request(end, HDMABUF_OP_ECHO);
	require(end->test, HDB_BOTH_070,
		request && !memcmp(request->octets + 8, message + 8, 56),
		"request %u of the IUT is not in its slot when that is marked",
		number);
}

/* One by one, then a whole ring at once. */
static void go_round(struct end *end)
{
	message_t message;

	for (uint32_t i = 0; i < 2 * end->own.slots; i++) {
		make_echo(end->test, message);
		require(end->test, HDB_BOTH_072,
			is_echo_of(end_await_answer_to(end,
						       end_send(end, message)),
				   message),
			"request %u goes round the suite's ring and is not answered as it should be",
			i);
		end_notify(end);
	}
	for (uint32_t i = 0; i < ring_room(end); i++) {
		make_echo(end->test, message);
		end_put(end, message);
	}
	end_push(end);
	require(end->test, HDB_BOTH_072,
		is_echo_of(end_await_answer_to(end, end->next_id - 1),
			   message) &&
			!end->broken,
		"a mark counts %u requests, and there are not as many answers",
		ring_room(end));
}

/* In between, the IUT is made to look where nothing new is. */
static void old_marks(struct test *test)
{
	struct end *end = connect_marked(test);

	go_round(end);
	require(test, HDB_BOTH_072, end_sanity(end),
		"the suite's ring has gone round, and old marks are taken for new");
	if (!test_claims(test, OPTION_CONTROL))
		return;
	for (uint32_t i = 0; i < 2 * end->theirs.slots; i++) {
		echo_of_theirs(end, i);
		end_notify(end);
		settle(end);
		require(test, HDB_BOTH_072, !end->down && end_sanity(end),
			"the IUT has sent %u requests, all are answered, and it takes an old mark for new",
			i + 1);
	}
}

/* ---- marks and messages --------------------------------------------------- */

/* From when it is marked, the IUT writes nothing to a slot. */
static void check_whole(struct end *end, const uint8_t *slot, const char *what,
			unsigned int number)
{
	message_t seen;

	memcpy(seen, slot, sizeof(seen));
	settle(end);
	require(end->test, HDB_BOTH_070, !memcmp(seen, slot, sizeof(seen)),
		"%s %u is written after its mark", what, number);
}

/* The answer differs from the request, which is in the same slot before. */
static void whole_answer(struct end *end, unsigned int number)
{
	const uint8_t *slot = ring_slot(&end->own, end->own.consumed);
	message_t message;
	uint32_t id;

	message_init(message, HDMABUF_OP_QUERY);
	test_random_octets(end->test, message + wire_offset(BUFFER_ID), 16);
	end->deaf = true;
	id = end_send(end, message);
	require(end->test, HDB_BOTH_033, await_all_answered(end),
		"request %u is not answered", number);
	check_whole(end, slot, "answer", number);
	end->deaf = false;
	end_await_answer_to(end, id);
}

static void whole_request(struct end *end, unsigned int number)
{
	const uint8_t *slot = ring_slot(&end->theirs, end->theirs.consumed);
	message_t message;

	end->deaf = true;
	if (!command_echo(end, message) ||
	    !await_requested(end, end->theirs.consumed + 1))
		inconclusive(end->test, "the IUT does not send ECHO");
	check_whole(end, slot, "request", number);
	end->deaf = false;
	end_await_request(end, HDMABUF_OP_ECHO);
}

static void messages_before_marks(struct test *test)
{
	struct end *end = connect_marked(test);

	for (unsigned int i = 0; i < 20; i++)
		whole_answer(end, i);
	for (unsigned int i = 0; i < 20 && test_claims(test, OPTION_CONTROL);
	     i++)
		whole_request(end, i);
}

/**
 * struct waver - a mark that changes all the time, until the slot has another message
 * @word: in shared memory
 * @words: with a mark of one request, and with one of nothing, as they lie in memory
 * @rounds: that are done
 */
struct waver {
	uint32_t *word;
	uint32_t words[2];
	uint32_t rounds;
};

static void waver(void *context)
{
	struct waver *waver = context;
	uint32_t now = 0, expected = waver->words[0];

	while (__atomic_compare_exchange_n(
		waver->word, &expected, waver->words[!now], false,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		now = !now;
		expected = waver->words[now];
		__atomic_fetch_add(&waver->rounds, 1, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&waver->rounds, UINT32_MAX, __ATOMIC_RELAXED);
}

/* The IUT sees one request, or none, and is told to look again. */
static bool await_wavering(struct end *end)
{
	uint64_t deadline = test_deadline(end->test);

	while (ring_answered(&end->own) != end->own.produced &&
	       now_ms() < deadline && test_iut_is_running(end->test)) {
		end_notify(end);
		test_wait(end->test, test_deadline_in(1));
	}
	return ring_answered(&end->own) == end->own.produced;
}

static void wavering_mark(struct end *end, struct waver *shared)
{
	uint8_t *slot = ring_slot(&end->own, end->own.produced);
	message_t message;
	uint32_t id;
	pid_t pid;
	bool seen;

	make_echo(end->test, message);
	end->deaf = true;
	id = end_put(end, message);
	shared->word = (uint32_t *)(void *)(slot + wire_offset(SLOT_WORD));
	wire_put(&shared->words[0], WIRE_PLACE(0, 4), end->own.word | 1u << 24);
	wire_put(&shared->words[1], WIRE_PLACE(0, 4),
		 end->own.word | 255u << 24);
	shared->rounds = 0;
	end_show(end);
	pid = spoil(end->test, waver, shared);
	while (__atomic_load_n(&shared->rounds, __ATOMIC_RELAXED) < 2)
		;
	seen = await_wavering(end);
	spoil_end(pid);
	end->deaf = false;
	require(end->test, HDB_BOTH_009,
		seen && is_echo_of(end_await_answer_to(end, id), message),
		"a mark changes between 1 and 255 while it is read, and its request is not answered as one");
}

static void marks_are_read_once(struct test *test)
{
	struct end *end = connect_marked(test);
	struct waver shared;

	end->silent = true;
	for (unsigned int i = 0; i < 300; i++)
		wavering_mark(end, &shared);
	check(test, HDB_BOTH_009, end_sanity(end),
	      "marks have changed while they were read, and requests are not answered as they should be");
}

/* ---- marks that cannot be ------------------------------------------------ */

static void requests_beyond(struct test *test)
{
	static const uint8_t counts[] = { 33, 34, 63, 64 };
	struct end *end = connect_marked(test);
	char what[96];

	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		snprintf(what, sizeof(what),
			 "a mark counts %u requests in a ring of %u slots",
			 counts[i], end->own.slots);
		comment(test, "%s", what);
		settle(end);
		shared_store(ring_slot(&end->own, end->own.produced), SLOT_WORD,
			     (uint32_t)counts[i] << 24);
		end_notify(end);
		check_broken(end, HDB_BOTH_071, what);
	}
}

/* HELLO's answer counts for more than one: of that there is always a request. */
static void answers_beyond(struct test *test)
{
	static const uint8_t more[] = { 1, 2, 31, 63 };
	struct end *end = connect_marked(test);
	message_t message;
	char what[96];

	for (size_t i = 0; i < COUNT_OF(more); i++) {
		end->serves = false;
		settle(end);
		if (!command_echo(end, message) ||
		    !end_await_request(end, HDMABUF_OP_ECHO))
			inconclusive(test, "the IUT does not send ECHO");
		snprintf(what, sizeof(what),
			 "a mark counts %u answers to one request",
			 1 + more[i]);
		comment(test, "%s", what);
		shared_store(ring_slot(&end->theirs, end->theirs.produced),
			     SLOT_WORD,
			     (uint32_t)(MARK_ANSWERS + 1 + more[i]) << 24);
		end_notify(end);
		check_broken(end, HDB_BOTH_071, what);
	}
}

/* Neither is a mark of anything. */
static void marks_of_nothing(struct test *test)
{
	static const uint8_t marks[] = { 65, 100, 127, 128, 193, 255 };
	struct end *end = connect_marked(test);

	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		settle(end);
		shared_store(ring_slot(&end->own, end->own.produced), SLOT_WORD,
			     (uint32_t)marks[i] << 24);
		end_notify(end);
		let_pass(test, 20);
		require(test, HDB_BOTH_072, end_sanity(end),
			"mark %u stands in a slot that has no message, and requests are not answered as they should be",
			marks[i]);
	}
}

/* ---- notifications ------------------------------------------------------- */

/* Not one of the requests is answered without a notification that was asked for. */
static void events(struct test *test)
{
	const uint32_t word = HDMABUF_OP_ECHO | (uint32_t)(MARK_ANSWERS + 1)
							<< 24;
	struct end *end = connect_marked(test);
	message_t message;
	unsigned int before;
	uint8_t *slot;
	uint32_t id;

	for (unsigned int i = 0; i < 60; i++) {
		bool wanted = i % 2;

		settle(end);
		end->deaf = true;
		slot = ring_slot(&end->own, end->own.consumed);
		shared_store(end->own.at, MARKED_RSP_EVENT,
			     end->own.consumed + (wanted ? 1 : 1000));
		shared_barrier();
		before = end->notified;
		make_echo(test, message);
		id = end_send(end, message);
		require(test, HDB_BOTH_014,
			await_word(end, slot, SLOT_WORD, word),
			"request %u is not answered, of which the IUT was notified if it had asked for that",
			i);
		require(test, HDB_BOTH_013,
			is_notified(end, before, wanted) == wanted,
			wanted ?
				"an answer crosses the event, and no notification comes" :
				"an answer does not cross the event, and a notification comes");
		end->deaf = false;
		end_await_answer_to(end, id);
	}
}

static const struct test_case cases[] = {
	TEST(highest_format,
	     "Of the ring formats offered, the frontend takes the highest it knows",
	     OF_FRONTEND, OPTION_MARKS, HDB_FE_011),
	TEST(batches,
	     "Batches of all sizes go round rings of format 1, wherever they begin",
	     OF_BACKEND, OPTION_MARKS, HDB_BOTH_033, HDB_BOTH_068,
	     HDB_BOTH_070),
	TEST(big_batches,
	     "Batches of more than 64 have several marks, and are seen as one",
	     OF_BOTH, OPTION_MARKS, HDB_BOTH_029, HDB_BOTH_033, HDB_BOTH_070),
	TEST(old_marks, "A mark of a message that was taken is not new",
	     OF_BOTH, OPTION_MARKS, HDB_BOTH_070, HDB_BOTH_072),
	TEST(messages_before_marks,
	     "What is marked is written, and is not written to any more",
	     OF_BOTH, OPTION_MARKS, HDB_BOTH_033, HDB_BOTH_070),
	TEST(marks_are_read_once,
	     "A mark that changes while it is read is taken for what it was once",
	     OF_BOTH, OPTION_MARKS, HDB_BOTH_009),
	TEST(requests_beyond,
	     "A mark that counts more requests than there may be breaks the session",
	     OF_BOTH, OPTION_MARKS, HDB_BOTH_029, HDB_BOTH_071),
	TEST(answers_beyond,
	     "A mark that counts more answers than requests breaks the session",
	     OF_BOTH, OPTION_MARKS | OPTION_CONTROL, HDB_BOTH_029,
	     HDB_BOTH_071),
	TEST(marks_of_nothing, "A mark that stands for nothing is no message",
	     OF_BOTH, OPTION_MARKS, HDB_BOTH_072),
	TEST(events, "Events of rings of format 1 are asked for and followed",
	     OF_BOTH, OPTION_MARKS, HDB_BOTH_013, HDB_BOTH_014),
};

TEST_GROUP(marks, cases);
