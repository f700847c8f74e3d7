/* SPDX-License-Identifier: MIT */
/* loss.c - the other end dies at any step, or breaks the rules */
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- death at every step ------------------------------------------------ */

/* The steps of a session of which a peer may not live to see the next. */
enum step {
	STEP_LINK,
	STEP_RECORD,
	STEP_CHANNEL,
	STEP_HELLO,
	STEP_CONNECTED,
	STEP_REQUEST_SENT,
	STEP_TIMELINE,
	STEP_EXPORT_SENT,
	STEP_EXPORTED,
	STEP_HAND_OFF_SENT,
	STEP_HANDED_OFF,
	STEP_UNEXPORT_SENT,
	STEP_UNEXPORTED,
	STEP_CLOSE_SENT,
	STEP_CLOSED,
	STEP_COUNT,
};

static const char *const step_names[STEP_COUNT] = {
	"the link is up",	    "its record is published",
	"the channel is there",	    "HELLO is sent or found",
	"the session is connected", "a request is on its way",
	"a timeline is there",	    "EXPORT is on its way",
	"a buffer is exported",	    "a hand-off is on its way",
	"a buffer is handed off",   "UNEXPORT is on its way",
	"a buffer is unexported",   "CLOSE is on its way",
	"the session is closed",
};

/* Up to a session, or to the step before it; false if that was the last one. */
static bool play_frontend(struct end *end, unsigned int last)
{
	uint32_t id;

	if (last == STEP_LINK || !end_await_offer(end))
		return false;
	end_make_channel(end);
	if (last == STEP_CHANNEL) {
		end_publish_answer(end);
		return false;
	}
	id = end_put_hello(end);
	end_publish_answer(end);
	if (last == STEP_RECORD || last == STEP_HELLO)
		return false;
	if (!end_await_answer_to(end, id))
		return false;
	end->connected = true;
	return true;
}

static bool play_backend(struct end *end, unsigned int last)
{
	if (last == STEP_LINK)
		return false;
	end_publish_offer(end);
	if (last == STEP_RECORD || !end_await_answer(end) ||
	    last == STEP_CHANNEL || !end_map_channel(end))
		return false;
	if (last == STEP_HELLO) {
		end->serves = false;
		end_await_request(end, HDMABUF_OP_HELLO);
		return false;
	}
	return end_answer_hello(end);
}

/* One request, of which the answer is waited for or not. */
static bool ask_or_die(struct end *end, message_t message, bool last)
{
	uint32_t id = end_send(end, message);

	return !last && end_await_answer_to(end, id);
}

static void play_buffer(struct end *end, unsigned int last)
{
	struct buffer buffer;
	message_t message;

	buffer_make(end, &buffer, &(struct plan){ .size = 20000 });
	buffer_export_message(&buffer, message);
	if (!ask_or_die(end, message, last == STEP_EXPORT_SENT) ||
	    last == STEP_EXPORTED)
		return;
	buffer_hand_off_message(&buffer, 0, 1, message);
	if (!ask_or_die(end, message, last == STEP_HAND_OFF_SENT) ||
	    last == STEP_HANDED_OFF)
		return;
	message_init(message, HDMABUF_OP_UNEXPORT);
	memcpy(message + wire_offset(UNEXPORT_ID), buffer.id, 16);
	wire_put(message, UNEXPORT_GRACE_MS, 1000);
	if (!ask_or_die(end, message, last == STEP_UNEXPORT_SENT) ||
	    last == STEP_UNEXPORTED)
		return;
	message_init(message, HDMABUF_OP_CLOSE);
	wire_put(message, CLOSE_REASON, HDMABUF_REASON_DONE);
	ask_or_die(end, message, last == STEP_CLOSE_SENT);
}

static void play(struct end *end, unsigned int last)
{
	message_t message;

	if (!(end->role == HDMABUF_FRONTEND ? play_frontend(end, last) :
					      play_backend(end, last)) ||
	    last == STEP_CONNECTED)
		return;
	message_init(message, HDMABUF_OP_ECHO);
	if (!ask_or_die(end, message, last == STEP_REQUEST_SENT))
		return;
	if (end_create_timeline(end, 0, HDMABUF_SIGNALLER_PEER, 0) ||
	    last == STEP_TIMELINE)
		return;
	play_buffer(end, last);
}

/* Few at a time, as a frontend that loses its peer often waits long. */
static void survives(struct test *test, unsigned int first, unsigned int last)
{
	for (unsigned int step = first; step <= last; step++) {
		struct end *end;

		comment(test, "the other end dies when %s", step_names[step]);
		play_and_die(test, play, step);
		end = test_open(test);
		check(test, HDB_BOTH_029, end_try_greet(end) && end_sanity(end),
		      "the other end has died when %s, and no new session can be had",
		      step_names[step]);
		test_close_ends(test);
	}
}

static void death_before_a_session(struct test *test)
{
	survives(test, STEP_LINK, STEP_HELLO);
}

static void death_in_a_session(struct test *test)
{
	survives(test, STEP_CONNECTED, STEP_TIMELINE);
}

static void death_with_buffers(struct test *test)
{
	survives(test, STEP_EXPORT_SENT, STEP_HAND_OFF_SENT);
}

static void death_at_release(struct test *test)
{
	survives(test, STEP_HANDED_OFF, STEP_UNEXPORTED);
}

static void death_at_closing(struct test *test)
{
	survives(test, STEP_CLOSE_SENT, STEP_CLOSED);
}

/* ---- the IUT dies ------------------------------------------------------- */

/* Not the IUT is tested by this, but that its successor finds its way. */
static void successor_is_met(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t epoch = end->peer_epoch;

	test_iut_kill(test, 9);
	for (uint64_t deadline = test_deadline(test);
	     !end->down && test_wait(test, deadline);)
		;
	end_abandon(end);
	test_start_iut(test);
	check(test, HDB_BOTH_029, end_try_greet(end) && end_sanity(end),
	      "an IUT that is started anew does not come to a session");
	check(test, HDB_BOTH_015, end->peer_epoch != epoch,
	      "an IUT that is started anew has the epoch of the one before");
}

/* ---- breaking the rules ------------------------------------------------- */

static void break_by_index(struct end *end)
{
	break_requests(end);
}

static void break_by_answers(struct end *end)
{
	wire_put(end->theirs.at, RING_RSP_PROD, end->theirs.pushed + 77);
	end_notify(end);
}

static void break_by_stray_answer(struct end *end)
{
	message_t answer;

	message_init(answer, HDMABUF_OP_ECHO);
	wire_put(answer, HEADER_ID, 0xdeadbeef);
	end_answer_raw(end, answer);
	end_notify(end);
}

static void break_by_record(struct end *end)
{
	end_publish(end, "garbage\n\n===\n");
}

static const struct {
	void (*act)(struct end *end);
	const char *what;
	bool is_answer; /* with marks, nobody looks who has not asked */
} breaches[] = {
	{ break_by_index, "counts more requests than there may be", false },
	{ break_by_answers, "stores a wild rsp_prod", true },
	{ break_by_stray_answer, "answers what was never asked", true },
	{ break_by_record, "publishes garbage", false },
};

static void breaches_end_the_session(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(breaches); i++) {
		uint64_t epoch = end->peer_epoch;

		if (breaches[i].is_answer && end->theirs.format)
			continue;
		note(test, SPEAKER_SUITE, "%s", breaches[i].what);
		breaches[i].act(end);
		check(test, HDB_BOTH_030, await_record_change(end, epoch),
		      "the other end %s, and the session goes on",
		      breaches[i].what);
		end_abandon(end);
		check(test, HDB_BOTH_029, end_try_greet(end) && end_sanity(end),
		      "the other end %s, and no other session can be had",
		      breaches[i].what);
	}
}

/* What one peer does is nothing to the others. */
static void others_are_unharmed(struct test *test)
{
	struct end *good = test_connect(test);
	uint64_t epoch = good->peer_epoch;

	for (size_t i = 0; i < COUNT_OF(breaches); i++) {
		struct end *bad = test_connect(test);

		if (breaches[i].is_answer && bad->theirs.format)
			continue;
		note(test, SPEAKER_SUITE, "%s", breaches[i].what);
		breaches[i].act(bad);
		let_pass(test, 10);
		check(test, HDB_BOTH_030,
		      end_sanity(good) && good->peer_epoch == epoch,
		      "another peer %s, and this session suffers",
		      breaches[i].what);
		end_close(bad);
	}
}

static void death_of_another(struct test *test)
{
	struct end *good = test_connect(test);

	for (unsigned int step = STEP_LINK; step < STEP_COUNT; step += 3) {
		comment(test, "another peer dies when %s", step_names[step]);
		play_and_die(test, play, step);
		check(test, HDB_BOTH_030, end_sanity(good),
		      "another peer has died when %s, and this session suffers",
		      step_names[step]);
	}
}

static const struct test_case cases[] = {
	TEST(death_before_a_session,
	     "When the other end dies before there is a session, another can be had",
	     OF_BOTH, 0, HDB_BOTH_029),
	TEST(death_in_a_session,
	     "When the other end dies in a session, another can be had",
	     OF_BOTH, 0, HDB_BOTH_029),
	TEST(death_with_buffers,
	     "When the other end dies while it shares a buffer, another session can be had",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_029),
	TEST(death_at_release,
	     "When the other end dies while a buffer is in use or released, another session can be had",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_029),
	TEST(death_at_closing,
	     "When the other end dies while it closes, another session can be had",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_029),
	TEST(successor_is_met,
	     "An implementation that was killed and started anew is met again",
	     OF_BOTH, 0, HDB_BOTH_015, HDB_BOTH_029),
	TEST(breaches_end_the_session,
	     "Whoever breaks the rules loses the session, and may have another",
	     OF_BOTH, 0, HDB_BOTH_029, HDB_BOTH_030),
	TEST(others_are_unharmed,
	     "A peer that breaks the rules does the others no harm", OF_BACKEND,
	     OPTION_MANY, HDB_BOTH_030),
	TEST(death_of_another, "The death of a peer does the others no harm",
	     OF_BACKEND, OPTION_MANY | OPTION_IMPORT, HDB_BOTH_030),
};

TEST_GROUP(loss, cases);
