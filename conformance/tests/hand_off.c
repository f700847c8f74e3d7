/* SPDX-License-Identifier: MIT */
/* hand_off.c - hand-offs either way, their points, groups, and what is lent */
#include "conformance/tests/buffers.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Timelines of the suite: the suite signals the first, the IUT the others. */
enum {
	WAIT = 0,
	SIGNAL = 1,
	OTHER = 2,
};

/* A timeline as a hand-off names it; 0 is none. */
#define ON(timeline) ((timeline) + 1u)

/**
 * struct hand_off - a hand-off; what is 0 is not there
 * @wait: ON() the timeline that is waited for
 * @wait_point: of it
 * @signal: ON() the timeline that is signalled
 * @signal_point: of it
 * @flags: as in the message
 * @stamp: likewise
 */
struct hand_off {
	uint32_t wait;
	uint64_t wait_point;
	uint32_t signal;
	uint64_t signal_point;
	uint32_t flags;
	uint64_t stamp;
};

static void make_hand_off(const uint8_t id[16], const struct hand_off *what,
			  message_t message)
{
	named_message(HDMABUF_OP_HAND_OFF, id, message);
	wire_put(message, HAND_OFF_WAIT_TIMELINE, what->wait - 1);
	wire_put(message, HAND_OFF_WAIT_POINT, what->wait_point);
	wire_put(message, HAND_OFF_SIGNAL_TIMELINE, what->signal - 1);
	wire_put(message, HAND_OFF_SIGNAL_POINT, what->signal_point);
	wire_put(message, HAND_OFF_FLAGS, what->flags);
	wire_put(message, HAND_OFF_STAMP, what->stamp);
}

/* The status of the answer. */
static uint16_t hand_id(struct end *end, const uint8_t id[16],
			struct hand_off what)
{
	message_t message;

	make_hand_off(id, &what, message);
	return end_ask(end, message, NULL);
}

static uint16_t hand(struct buffer *buffer, struct hand_off what)
{
	return hand_id(buffer->end, buffer->id, what);
}

/* The same, where it is only the beginning of a test. */
static void must_hand(struct buffer *buffer, struct hand_off what)
{
	uint16_t status = hand(buffer, what);

	if (status != HDMABUF_STATUS_OK)
		inconclusive(buffer->end->test,
			     "a hand-off that is in order is refused with %s",
			     wire_status_name(status));
}

static void open_timeline(struct end *end, uint32_t number, uint32_t signaller,
			  uint64_t point)
{
	uint16_t status;

	if (end->cell_count <= number || end->peer.max_timelines <= number)
		skip(end->test, "the IUT takes %u timelines",
		     end->peer.max_timelines);
	status = end_create_timeline(end, number, signaller, point);
	if (status != HDMABUF_STATUS_OK)
		inconclusive(end->test, "a timeline is refused with %s",
			     wire_status_name(status));
}

static void open_timelines(struct end *end)
{
	open_timeline(end, WAIT, HDMABUF_SIGNALLER_CREATOR, 0);
	open_timeline(end, SIGNAL, HDMABUF_SIGNALLER_PEER, 0);
}

static void close_timeline(struct end *end, uint32_t number)
{
	message_t message;

	message_init(message, HDMABUF_OP_TIMELINE_DESTROY);
	wire_put(message, TIMELINE_NUMBER, number);
	end_ask(end, message, NULL);
}

static void signal_wait(struct end *end, uint64_t point)
{
	end_signal(end, end->role, WAIT, point);
}

static bool await_signal(struct end *end, uint32_t number, uint64_t point)
{
	return end_await_point(end, end->role, number, point);
}

/* What the IUT has signalled, after a time in which it could have. */
static uint64_t signalled(struct end *end, uint32_t number)
{
	uint64_t point = UINT64_MAX;

	let_pass(end->test, 30);
	cell_point(end_cell(end, end->role, number), &point);
	return point;
}

/* What the IUT tells of a hand-off, "crc=..." or "status=..."; or NULL. */
static const char *await_turn(struct buffer *buffer, uint64_t stamp)
{
	char name[33];

	return event_await(buffer->end->test, "turn %s stamp=%" PRIu64,
			   buffer_name(buffer, name), stamp);
}

static bool has_turn(struct buffer *buffer, uint64_t stamp)
{
	char name[33];

	return event_find(buffer->end->test, "turn %s stamp=%" PRIu64,
			  buffer_name(buffer, name), stamp);
}

static bool is_crc(const char *seen, const struct buffer *buffer)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "crc=%08x", buffer_crc(buffer));
	return seen && !strcmp(seen, expected);
}

static void writable(struct end *end, struct buffer *buffer)
{
	const struct plan plan = { .rights = HDMABUF_RIGHTS_READ_WRITE };

	buffer_share(end, buffer, &plan);
}

static void lendable(struct end *end, struct buffer *buffer)
{
	const struct plan plan = { .rights = HDMABUF_RIGHTS_LEND };

	buffer_share(end, buffer, &plan);
}

/* ---- wait points --------------------------------------------------------- */

/**
 * struct step - a timeline that moves
 * @from: its point
 * @short_of: a point that does not suffice
 * @to: the point that is waited for, or signalled
 */
struct step {
	uint64_t from;
	uint64_t short_of;
	uint64_t to;
};

static const struct step steps[] = {
	{ 0, 0, 1 },
	{ 0, 4, 5 },
	{ 0, 0xfffffffe, 0xffffffff },
	{ 0xfffffffe, 0xffffffff, 0x100000000 },
	{ 0xffffffff, 0xffffffff, 0x100000001 },
	{ 0, 0x1ffffffff, 0x200000005 },
	{ 0x1fffffff0, 0x200000004, 0x200000005 },
	{ 0, UINT64_MAX - 1, UINT64_MAX },
	{ UINT64_MAX - 1, UINT64_MAX - 1, UINT64_MAX },
};

/* Data that is written while the IUT waits is the data that it finds. */
static void wait_for(struct buffer *buffer, const struct step *step,
		     uint64_t stamp)
{
	struct end *end = buffer->end;
	struct test *test = end->test;

	comment(test,
		"a wait point of %" PRIu64 ", from %" PRIu64 " by %" PRIu64,
		step->to, step->from, step->short_of);
	open_timeline(end, WAIT, HDMABUF_SIGNALLER_CREATOR, step->from);
	must_hand(buffer, (struct hand_off){ .wait = ON(WAIT),
					     .wait_point = step->to,
					     .stamp = stamp });
	if (step->short_of > step->from)
		signal_wait(end, step->short_of);
	let_pass(test, 20);
	check(test, HDB_BOTH_044, !has_turn(buffer, stamp),
	      "the wait point is %" PRIu64
	      ", and the hand-off is carried out at %" PRIu64,
	      step->to, step->short_of);
	buffer_fill(buffer, (uint32_t)test_random(test));
	signal_wait(end, step->to);
	check(test, HDB_BOTH_044, is_crc(await_turn(buffer, stamp), buffer),
	      "the wait point, %" PRIu64
	      ", is reached, and what was written before is not what the IUT finds",
	      step->to);
	close_timeline(end, WAIT);
}

static void wait_points(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		wait_for(&buffer, &steps[i], i + 1);
}

/* Seen by the signal point alone. */
static void nothing_before_the_wait_point(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		const struct step *step = &steps[i];

		open_timeline(end, WAIT, HDMABUF_SIGNALLER_CREATOR, step->from);
		open_timeline(end, SIGNAL, HDMABUF_SIGNALLER_PEER, step->from);
		must_hand(&buffer,
			  (struct hand_off){ .wait = ON(WAIT),
					     .wait_point = step->to,
					     .signal = ON(SIGNAL),
					     .signal_point = step->to });
		if (step->short_of > step->from)
			signal_wait(end, step->short_of);
		check(test, HDB_BOTH_044, signalled(end, SIGNAL) == step->from,
		      "the wait point is %" PRIu64
		      ", and the IUT has finished at %" PRIu64,
		      step->to, step->short_of);
		signal_wait(end, step->to);
		check(test, HDB_BOTH_045, await_signal(end, SIGNAL, step->to),
		      "the wait point is reached, and the signal point, %" PRIu64
		      ", is not signalled",
		      step->to);
		close_timeline(end, SIGNAL);
		close_timeline(end, WAIT);
	}
}

/* Points that are reached before the hand-off comes. */
static void wait_points_long_reached(struct test *test)
{
	static const uint64_t reached[] = { 0,		 1,
					    0xffffffff,	 0x100000000,
					    0x1fffffffe, UINT64_MAX };
	struct end *end = test_connect(test);
	struct buffer buffer;
	uint64_t point = 0;

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	for (size_t i = 0; i < COUNT_OF(reached); i++) {
		signal_wait(end, reached[i]);
		for (size_t j = 0; j <= i; j++) {
			must_hand(&buffer,
				  (struct hand_off){ .wait = ON(WAIT),
						     .wait_point = reached[j],
						     .signal = ON(SIGNAL),
						     .signal_point = ++point });
			check(test, HDB_BOTH_045,
			      await_signal(end, SIGNAL, point),
			      "the wait point is %" PRIu64
			      ", the timeline at %" PRIu64
			      ", and the signal point is not signalled",
			      reached[j], reached[i]);
		}
	}
}

/* ---- signal points ------------------------------------------------------- */

static void signal_points(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		const struct step *step = &steps[i];
		uint64_t seen = 0;

		comment(test, "signal points from %" PRIu64 " to %" PRIu64,
			step->from, step->to);
		open_timeline(end, SIGNAL, HDMABUF_SIGNALLER_PEER, step->from);
		if (step->short_of > step->from)
			must_hand(&buffer,
				  (struct hand_off){ .signal = ON(SIGNAL),
						     .signal_point =
							     step->short_of });
		must_hand(&buffer,
			  (struct hand_off){ .signal = ON(SIGNAL),
					     .signal_point = step->to });
		check(test, HDB_BOTH_045, await_signal(end, SIGNAL, step->to),
		      "the signal point %" PRIu64 " is not signalled",
		      step->to);
		cell_point(end_cell(end, end->role, SIGNAL), &seen);
		check(test, HDB_BOTH_045, seen == step->to,
		      "the signal point is %" PRIu64 ", and %" PRIu64
		      " is signalled",
		      step->to, seen);
		close_timeline(end, SIGNAL);
	}
}

/* One that waits holds up those after it which signal on the same timeline. */
static void signals_in_order(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer first, second;

	buffer_share(end, &first, NULL);
	buffer_share(end, &second, NULL);
	open_timelines(end);
	open_timeline(end, OTHER, HDMABUF_SIGNALLER_PEER, 0);
	must_hand(&first, (struct hand_off){ .wait = ON(WAIT),
					     .wait_point = 1,
					     .signal = ON(SIGNAL),
					     .signal_point = 1 });
	must_hand(&second,
		  (struct hand_off){ .signal = ON(SIGNAL), .signal_point = 2 });
	must_hand(&second,
		  (struct hand_off){ .signal = ON(OTHER), .signal_point = 1 });
	check(test, HDB_BOTH_045, signalled(end, SIGNAL) == 0,
	      "point %" PRIu64
	      " is signalled before the first hand-off on that timeline is finished with",
	      signalled(end, SIGNAL));
	signal_wait(end, 1);
	check(test, HDB_BOTH_045, await_signal(end, SIGNAL, 2),
	      "both hand-offs can be finished with, and point 2 is not signalled");
	check(test, HDB_BOTH_045, await_signal(end, OTHER, 1),
	      "a hand-off that names another timeline is not finished with");
}

/* While the IUT is told to keep still, it has not finished. */
static void signals_when_finished(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	control(test, "hold on");
	must_hand(&buffer,
		  (struct hand_off){ .signal = ON(SIGNAL), .signal_point = 1 });
	check(test, HDB_BOTH_045, signalled(end, SIGNAL) == 0,
	      "the hand-off is not carried out yet, and its signal point is signalled");
	control(test, "hold off");
	check(test, HDB_BOTH_045, await_signal(end, SIGNAL, 1),
	      "the hand-off is carried out, and its signal point is not signalled");
}

static void many_turns(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffers[4];

	for (size_t i = 0; i < COUNT_OF(buffers); i++)
		buffer_share(end, &buffers[i], NULL);
	open_timelines(end);
	for (uint64_t i = 1; i <= 200; i++) {
		buffer_fill(&buffers[i % 4], (uint32_t)i);
		must_hand(&buffers[i % 4],
			  (struct hand_off){ .signal = ON(SIGNAL),
					     .signal_point = i,
					     .stamp = i });
		require(test, HDB_BOTH_045, await_signal(end, SIGNAL, i),
			"of 200 hand-offs in turn, number %" PRIu64
			" is not signalled",
			i);
	}
}

/* ---- points that do not increase ------------------------------------------ */

static void refuse_point(struct buffer *buffer, uint64_t point,
			 const char *what)
{
	struct test *test = buffer->end->test;
	message_t message, answer;
	const struct hand_off wrong = { .signal = ON(SIGNAL),
					.signal_point = point };

	make_hand_off(buffer->id, &wrong, message);
	if (check_status(test, HDB_BOTH_047,
			 end_ask(buffer->end, message, answer),
			 HDMABUF_STATUS_INVALID, "signal point %" PRIu64 ", %s",
			 point, what))
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(HAND_OFF_SIGNAL_POINT),
			    "a signal point that is not greater");
}

static void take_point(struct buffer *buffer, uint64_t point, const char *what)
{
	check_status(buffer->end->test, HDB_BOTH_037,
		     hand(buffer, (struct hand_off){ .wait = ON(WAIT),
						     .wait_point = 1,
						     .signal = ON(SIGNAL),
						     .signal_point = point }),
		     HDMABUF_STATUS_OK, "signal point %" PRIu64 ", %s", point,
		     what);
}

/* Named, while the first of them waits: nothing is reached. */
static void points_named_before(struct test *test)
{
	static const uint64_t points[] = {
		10, 11, 0xffffffff, 0x100000000, 0x100000001, UINT64_MAX
	};
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	for (size_t i = 0; i < COUNT_OF(points); i++) {
		take_point(&buffer, points[i],
			   "which is greater than all named before");
		refuse_point(&buffer, points[i], "which was named before");
		refuse_point(&buffer, points[i] - 1,
			     "which is less than one named before");
		refuse_point(&buffer, 0, "of a timeline that began at 0");
	}
	signal_wait(end, 1);
	check(test, HDB_BOTH_047, await_signal(end, SIGNAL, UINT64_MAX),
	      "after hand-offs that were refused, those that were not are not finished with");
}

static void points_reached_before(struct test *test)
{
	static const uint64_t points[] = { 1, 100, 0xffffffff, 0x100000000,
					   UINT64_MAX - 1 };
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	open_timeline(end, WAIT, HDMABUF_SIGNALLER_CREATOR, 1);
	for (size_t i = 0; i < COUNT_OF(points); i++) {
		open_timeline(end, SIGNAL, HDMABUF_SIGNALLER_PEER, points[i]);
		refuse_point(&buffer, points[i], "where the timeline begins");
		refuse_point(&buffer, points[i] - 1,
			     "before the point where the timeline begins");
		take_point(&buffer, points[i] + 1,
			   "which is one more than where the timeline begins");
		await_signal(end, SIGNAL, points[i] + 1);
		refuse_point(&buffer, points[i] + 1, "which is reached");
		close_timeline(end, SIGNAL);
	}
}

/* A hand-off that is refused has named nothing. */
static void refused_points_are_not_named(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer, lent;
	uint64_t point = 1;

	buffer_share(end, &buffer, NULL);
	lendable(end, &lent);
	open_timelines(end);
	must_hand(&lent,
		  (struct hand_off){ .wait = ON(WAIT), .wait_point = 1 });
	for (unsigned int i = 0; i < 3; i++) {
		uint16_t status =
			i == 0 ?
				hand(&lent,
				     (struct hand_off){ .signal = ON(SIGNAL),
							.signal_point = 500 }) :
			i == 1 ? hand(&buffer,
				      (struct hand_off){ .signal = ON(SIGNAL),
							 .signal_point = 600,
							 .flags = 2 }) :
				 hand(&buffer,
				      (struct hand_off){ .wait_point = 3,
							 .signal = ON(SIGNAL),
							 .signal_point = 700 });

		check_status(test, HDB_BOTH_038, status,
			     i ? HDMABUF_STATUS_INVALID :
				 HDMABUF_STATUS_WRONG_STATE,
			     "a hand-off that is wrong, number %u", i);
		take_point(
			&buffer, ++point,
			"after a greater one in a hand-off that was refused");
	}
	signal_wait(end, 1);
	check(test, HDB_BOTH_045, await_signal(end, SIGNAL, point),
	      "after hand-offs that were refused, those that were not are not finished with");
}

/* ---- timelines that cannot be named --------------------------------------- */

static void wrong_timelines(struct test *test)
{
	static const struct {
		struct hand_off what;
		uint16_t status;
		unsigned int place;
		const char *text;
	} wrongs[] = {
		{ { .wait = ON(3), .wait_point = 1 },
		  HDMABUF_STATUS_NO_SUCH_TIMELINE,
		  HAND_OFF_WAIT_TIMELINE,
		  "a wait timeline that was not created" },
		{ { .signal = ON(3), .signal_point = 1 },
		  HDMABUF_STATUS_NO_SUCH_TIMELINE,
		  HAND_OFF_SIGNAL_TIMELINE,
		  "a signal timeline that was not created" },
		{ { .wait = ON(OTHER), .wait_point = 1 },
		  HDMABUF_STATUS_NO_SUCH_TIMELINE,
		  HAND_OFF_WAIT_TIMELINE,
		  "a wait timeline that was destroyed" },
		{ { .signal = ON(0x80000000u), .signal_point = 1 },
		  HDMABUF_STATUS_NO_SUCH_TIMELINE,
		  HAND_OFF_SIGNAL_TIMELINE,
		  "a signal timeline beyond all" },
		{ { .wait = ON(0xfffffffeu), .wait_point = 1 },
		  HDMABUF_STATUS_NO_SUCH_TIMELINE,
		  HAND_OFF_WAIT_TIMELINE,
		  "a wait timeline beyond all" },
		{ { .wait = ON(SIGNAL), .wait_point = 1 },
		  HDMABUF_STATUS_WRONG_ROLE,
		  HAND_OFF_WAIT_TIMELINE,
		  "a wait timeline that the receiver signals" },
		{ { .signal = ON(WAIT), .signal_point = 1 },
		  HDMABUF_STATUS_WRONG_ROLE,
		  HAND_OFF_SIGNAL_TIMELINE,
		  "a signal timeline that the sender signals" },
		{ { .wait_point = 1 },
		  HDMABUF_STATUS_INVALID,
		  HAND_OFF_WAIT_POINT,
		  "a wait point without a timeline" },
		{ { .signal_point = 1 },
		  HDMABUF_STATUS_INVALID,
		  HAND_OFF_SIGNAL_POINT,
		  "a signal point without a timeline" },
		{ { .flags = 2 },
		  HDMABUF_STATUS_INVALID,
		  HAND_OFF_FLAGS,
		  "a flag that does not exist" },
		{ { .flags = 0x80000000u },
		  HDMABUF_STATUS_INVALID,
		  HAND_OFF_FLAGS,
		  "the highest flag, which does not exist" },
	};
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t message, answer;

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	open_timeline(end, OTHER, HDMABUF_SIGNALLER_CREATOR, 0);
	close_timeline(end, OTHER);
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		make_hand_off(buffer.id, &wrongs[i].what, message);
		if (check_status(test, HDB_BOTH_038,
				 end_ask(end, message, answer),
				 wrongs[i].status, "%s", wrongs[i].text))
			check_where(test, answer, HDMABUF_WHERE_REQUEST,
				    wire_offset(wrongs[i].place),
				    wrongs[i].text);
	}
	buffer_query(&buffer, answer);
	check(test, HDB_BOTH_037, !wire_get(answer, QUERY_ANSWER_HAND_OFFS),
	      "hand-offs that were refused are counted");
}

/* Those of the receiver are its own: the same number is another timeline. */
static void timelines_of_the_other_end(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request;
	struct buffer buffer;
	uint32_t number;

	buffer_share(end, &buffer, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		control(test, "timeline t%u signaller=%s", i,
			i ? "creator" : "peer");
		request = end_await_request(end, HDMABUF_OP_TIMELINE_CREATE);
		if (!request)
			inconclusive(test, "the IUT creates no timeline");
		number = (uint32_t)wire_get(request->octets, TIMELINE_NUMBER);
		check_status(test, HDB_BOTH_038,
			     hand(&buffer,
				  (struct hand_off){ .wait = ON(number),
						     .wait_point = 1 }),
			     HDMABUF_STATUS_NO_SUCH_TIMELINE,
			     "a wait timeline that only the IUT has created");
		check_status(test, HDB_BOTH_038,
			     hand(&buffer,
				  (struct hand_off){ .signal = ON(number),
						     .signal_point = 1 }),
			     HDMABUF_STATUS_NO_SUCH_TIMELINE,
			     "a signal timeline that only the IUT has created");
	}
}

static void hand_offs_are_counted(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t answer;

	buffer_share(end, &buffer, NULL);
	for (uint64_t i = 0; i < 10; i++) {
		buffer_query(&buffer, answer);
		check(test, HDB_BOTH_069,
		      wire_get(answer, QUERY_ANSWER_HAND_OFFS) == i,
		      "%" PRIu64
		      " hand-offs were accepted, and QUERY tells of %" PRIu64,
		      i, wire_get(answer, QUERY_ANSWER_HAND_OFFS));
		must_hand(&buffer, (struct hand_off){ 0 });
		check_status(test, HDB_BOTH_038,
			     hand(&buffer, (struct hand_off){ .flags = 4 }),
			     HDMABUF_STATUS_INVALID,
			     "a hand-off with a flag that does not exist");
	}
}

/* ---- waits that fail ----------------------------------------------------- */

static bool is_status(const char *seen)
{
	return seen && !strncmp(seen, "status=", 7);
}

static void check_not_read(struct buffer *buffer, uint64_t stamp,
			   uint64_t point, const char *why)
{
	struct end *end = buffer->end;
	const char *seen;

	check(end->test, HDB_BOTH_065, await_signal(end, SIGNAL, point),
	      "%s, and the signal point is not signalled", why);
	if (!test_claims(end->test, OPTION_EVENTS))
		return;
	seen = await_turn(buffer, stamp);
	check(end->test, HDB_BOTH_065, is_status(seen),
	      "%s, and the IUT tells of the hand-off '%s'", why,
	      seen ? seen : "nothing");
}

static void waiting(struct buffer *buffer, uint64_t point, uint64_t stamp)
{
	must_hand(buffer, (struct hand_off){ .wait = ON(WAIT),
					     .wait_point = 1000,
					     .signal = ON(SIGNAL),
					     .signal_point = point,
					     .stamp = stamp });
}

static void wait_ends_with_error(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	waiting(&buffer, 1, 1);
	end_fail_timeline(end, end->role, WAIT, HDMABUF_STATUS_TIMED_OUT);
	check_not_read(&buffer, 1, 1, "the wait timeline has failed");
	waiting(&buffer, 2, 2);
	check_not_read(&buffer, 2, 2, "the wait timeline had failed before");
}

/* The application is told the status that the timeline has failed with. */
static void wait_ends_with_its_status(struct test *test)
{
	static const uint16_t statuses[] = { HDMABUF_STATUS_DENIED,
					     HDMABUF_STATUS_TIMED_OUT,
					     HDMABUF_STATUS_FAILED };
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	open_timeline(end, SIGNAL, HDMABUF_SIGNALLER_PEER, 0);
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		char expected[16];
		const char *seen;

		open_timeline(end, WAIT, HDMABUF_SIGNALLER_CREATOR, 0);
		waiting(&buffer, i + 1, i + 1);
		end_fail_timeline(end, end->role, WAIT, statuses[i]);
		seen = await_turn(&buffer, i + 1);
		snprintf(expected, sizeof(expected), "status=%u", statuses[i]);
		check(test, HDB_BOTH_060, seen && !strcmp(seen, expected),
		      "the wait timeline has failed with %u, and the IUT tells of the hand-off '%s'",
		      statuses[i], seen ? seen : "nothing");
		close_timeline(end, WAIT);
	}
}

static void wait_ends_with_the_timeline(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	waiting(&buffer, 1, 1);
	close_timeline(end, WAIT);
	check_not_read(&buffer, 1, 1, "the wait timeline was destroyed");
}

static void wait_ends_with_unexport(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t answer;

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	waiting(&buffer, 1, 1);
	waiting(&buffer, 2, 2);
	check_status(test, HDB_BOTH_065, buffer_unexport(&buffer, 0, answer),
		     HDMABUF_STATUS_OK,
		     "UNEXPORT of a buffer whose hand-off waits");
	check_not_read(&buffer, 1, 1, "the buffer was unexported");
	check_not_read(&buffer, 2, 2, "the buffer was unexported");
	check(test, HDB_IMP_021,
	      !wire_get(answer, UNEXPORT_ANSWER_MAPPED) ||
		      await_released(&buffer),
	      "the buffer is not released");
	signal_wait(end, 1000);
	let_pass(test, 20);
	check(test, HDB_IMP_021, is_unmapped(&buffer),
	      "the buffer was unexported while a hand-off waited, and is mapped afterwards");
}

/* It is over with the wait though the buffer stays mapped for a while. */
static void wait_ends_with_unexport_of_mapped(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t answer;
	char name[33];

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	control(test, "map %s", buffer_name(&buffer, name));
	control(test, "keep on");
	waiting(&buffer, 1, 1);
	if (buffer_unexport(&buffer, 1000, answer) != HDMABUF_STATUS_OK ||
	    !wire_get(answer, UNEXPORT_ANSWER_MAPPED))
		inconclusive(test, "the IUT does not keep a mapped buffer");
	check_not_read(&buffer, 1, 1, "the buffer was unexported");
	control(test, "release %s", name);
	check(test, HDB_BOTH_065, await_released(&buffer),
	      "the hand-off is over, and the buffer is not released");
}

/* A buffer that stays mapped is not handed back any more. */
static void nothing_after_unexport(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t answer;
	char name[33];

	writable(end, &buffer);
	control(test, "map %s", buffer_name(&buffer, name));
	control(test, "keep on");
	if (buffer_unexport(&buffer, 1000, answer) != HDMABUF_STATUS_OK ||
	    !wire_get(answer, UNEXPORT_ANSWER_MAPPED))
		inconclusive(test, "the IUT does not keep a mapped buffer");
	check_status(test, HDB_BOTH_038, hand(&buffer, (struct hand_off){ 0 }),
		     HDMABUF_STATUS_WRONG_STATE, "HAND_OFF after UNEXPORT");
	control_try(test, "hand-off %s", name);
	control_try(test, "map %s", name);
	check(test, HDB_IMP_021, asks_nothing(end, HDMABUF_OP_HAND_OFF),
	      "the IUT hands the buffer off after UNEXPORT");
	control(test, "release %s", name);
	if (!await_released(&buffer))
		inconclusive(test, "the IUT does not release the buffer");
	control_try(test, "map %s", name);
	check(test, HDB_IMP_021, is_unmapped(&buffer),
	      "the IUT maps the buffer after it has released it");
}

/* What was mapped and unmapped again is released by UNEXPORT, and stays so. */
static void no_mapping_after_unexport(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	char name[33];

	buffer_share(end, &buffer, NULL);
	control(test, "map %s", buffer_name(&buffer, name));
	control(test, "unmap %s", name);
	give_back(&buffer);
	control_try(test, "map %s", name);
	control_try(test, "hand-off %s", name);
	check(test, HDB_IMP_021,
	      asks_nothing(end, HDMABUF_OP_HAND_OFF) && is_unmapped(&buffer),
	      "the IUT maps the buffer, or hands it off, after UNEXPORT");
}

/* ---- how many are noted -------------------------------------------------- */

/* A number of hand-offs that nobody needs. */
#define FAR_TOO_MANY 100000

/* Sends as many as may be at once; the status of the last answer. */
static uint16_t hand_many(struct buffer *buffer, uint32_t count)
{
	const struct hand_off what = { .wait = ON(WAIT), .wait_point = 1 };
	struct end *end = buffer->end;
	const uint8_t *answer;
	message_t message;
	uint32_t id = 0;

	for (uint32_t i = 0; i < count; i++) {
		make_hand_off(buffer->id, &what, message);
		id = end_put(end, message);
	}
	end_push(end);
	answer = end_await_answer_to(end, id);
	return answer ? (uint16_t)wire_get(answer, HEADER_STATUS) : UINT16_MAX;
}

static bool closes_with_fault(struct end *end)
{
	const struct received *close = end_await_request(end, HDMABUF_OP_CLOSE);

	return close &&
	       wire_get(close->octets, CLOSE_REASON) == HDMABUF_REASON_FAULT;
}

static void hand_offs_are_bounded(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t room = ring_room(end);
	struct buffer buffer;
	uint16_t status = HDMABUF_STATUS_OK;
	uint32_t sent = 0;

	buffer_share(end, &buffer, NULL);
	open_timelines(end);
	comment(test, "hand-offs that wait for what does not come");
	end->silent = true;
	for (; sent < FAR_TOO_MANY && !end->closed && !end->down &&
	       status == HDMABUF_STATUS_OK;
	     sent += room)
		status = hand_many(&buffer, room);
	end->silent = false;
	comment(test,
		"%u hand-offs were sent, the last one was answered with %s",
		sent, wire_status_name(status));
	check(test, HDB_BOTH_067,
	      status == HDMABUF_STATUS_NO_MEMORY || closes_with_fault(end),
	      "of %u hand-offs that wait, none is refused with NO_MEMORY, and the session is not closed with reason FAULT",
	      sent);
	if (status != HDMABUF_STATUS_NO_MEMORY)
		end_abandon(end);
}

/* ---- groups -------------------------------------------------------------- */

#define MORE HDMABUF_HAND_OFF_MORE

/**
 * struct group - buffers that are handed off together
 * @end: over which
 * @buffers: as many as may be, and one more
 */
struct group {
	struct end *end;
	struct buffer buffers[5];
};

static struct group *make_group(struct test *test)
{
	struct end *end = test_connect(test);
	struct group *group = end_array(end, 1, sizeof(*group));

	group->end = end;
	for (size_t i = 0; i < COUNT_OF(group->buffers); i++)
		buffer_share(end, &group->buffers[i], NULL);
	open_timelines(end);
	return group;
}

static uint16_t hand_member(struct group *group, unsigned int member,
			    uint64_t point, uint32_t flags)
{
	return hand(&group->buffers[member],
		    (struct hand_off){ .signal = ON(SIGNAL),
				       .signal_point = point,
				       .flags = flags,
				       .stamp = point });
}

/* Nothing has been done about points after @before. */
static void check_still(struct group *group, uint64_t before, const char *when)
{
	uint64_t seen = signalled(group->end, SIGNAL);

	check(group->end->test, HDB_BOTH_048, seen == before,
	      "%s, and point %" PRIu64 " is signalled", when, seen);
}

static void check_done(struct group *group, uint64_t point, const char *when)
{
	check(group->end->test, HDB_BOTH_048,
	      await_signal(group->end, SIGNAL, point),
	      "%s, and point %" PRIu64 " is not signalled", when, point);
}

static void groups_wait_for_the_last(struct test *test)
{
	struct group *group = make_group(test);
	uint64_t point = 0;
	what_t what;

	for (unsigned int size = 1; size <= 4; size++) {
		snprintf(what, sizeof(what), "of a group of %u %u have come",
			 size, size - 1);
		for (unsigned int i = 0; i + 1 < size; i++)
			check_status(test, HDB_BOTH_048,
				     hand_member(group, i, ++point, MORE),
				     HDMABUF_STATUS_OK,
				     "number %u of a group of %u", i, size);
		check_still(group, point - (size - 1), what);
		snprintf(what, sizeof(what), "a group of %u has come", size);
		check_status(test, HDB_BOTH_048,
			     hand_member(group, size - 1, ++point, 0),
			     HDMABUF_STATUS_OK, "the last of a group of %u",
			     size);
		check_done(group, point, what);
	}
}

/* Its members in their order, when all have come. */
static void groups_are_told_in_order(struct test *test)
{
	struct group *group = make_group(test);
	const char *seen[3];

	hand_member(group, 2, 1, MORE);
	hand_member(group, 0, 2, MORE);
	let_pass(test, 20);
	check(test, HDB_BOTH_048,
	      !has_turn(&group->buffers[2], 1) &&
		      !has_turn(&group->buffers[0], 2),
	      "a hand-off of a group is carried out before the last one has come");
	buffer_fill(&group->buffers[2], 77);
	hand_member(group, 1, 3, 0);
	for (unsigned int i = 0; i < 3; i++) {
		struct buffer *buffer = &group->buffers[(i + 2) % 3];

		seen[i] = await_turn(buffer, i + 1);
		check(test, HDB_BOTH_048, is_crc(seen[i], buffer),
		      "number %u of a group of 3 is told '%s' of", i,
		      seen[i] ? seen[i] : "nothing");
	}
}

static void groups_have_four(struct test *test)
{
	struct group *group = make_group(test);
	struct end *end = group->end;
	message_t message, answer;
	const struct hand_off fourth = { .signal = ON(SIGNAL),
					 .signal_point = 4,
					 .flags = MORE };

	for (unsigned int i = 0; i < 3; i++)
		hand_member(group, i, i + 1, MORE);
	make_hand_off(group->buffers[3].id, &fourth, message);
	if (check_status(test, HDB_BOTH_038, end_ask(end, message, answer),
			 HDMABUF_STATUS_INVALID,
			 "a fourth hand-off with the flag MORE"))
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(HAND_OFF_FLAGS),
			    "a fourth hand-off with the flag MORE");
	check_still(group, 0,
		    "a fourth hand-off with the flag MORE was refused");
	check_status(test, HDB_BOTH_037, hand_member(group, 4, 4, 0),
		     HDMABUF_STATUS_OK, "the fourth of a group, without MORE");
	check_done(group, 4, "a group of 4 has come");
}

/* A member that is refused is none; without MORE it ends the group. */
static void groups_with_refusals(struct test *test)
{
	struct group *group = make_group(test);
	struct hand_off wrong = { .wait_point = 1, .flags = MORE };

	check_status(test, HDB_BOTH_048, hand_member(group, 0, 1, MORE),
		     HDMABUF_STATUS_OK, "the first of a group");
	check_status(test, HDB_BOTH_038, hand(&group->buffers[1], wrong),
		     HDMABUF_STATUS_INVALID,
		     "a wrong hand-off with the flag MORE");
	check_still(
		group, 0,
		"a hand-off with the flag MORE was refused, the rest is due");
	check_status(test, HDB_BOTH_048, hand_member(group, 2, 2, 0),
		     HDMABUF_STATUS_OK, "the last of a group");
	check_done(group, 2, "the rest of the group has come");
	check_status(test, HDB_BOTH_048, hand_member(group, 0, 3, MORE),
		     HDMABUF_STATUS_OK, "the first of another group");
	wrong.flags = 0;
	check_status(test, HDB_BOTH_038, hand(&group->buffers[1], wrong),
		     HDMABUF_STATUS_INVALID,
		     "a wrong hand-off that is the last");
	check_done(group, 3,
		   "the last of a group was refused, which ends the group");
	check(test, HDB_BOTH_050, end_sanity(group->end),
	      "the group has ended, and requests are refused");
	check_status(test, HDB_BOTH_038, hand(&group->buffers[1], wrong),
		     HDMABUF_STATUS_INVALID, "a wrong hand-off alone");
	check_status(test, HDB_BOTH_048, hand_member(group, 2, 4, 0),
		     HDMABUF_STATUS_OK, "a hand-off alone");
	check_done(group, 4, "a hand-off that forms no group has come");
}

/* A group of which none was taken is none. */
static void groups_that_do_not_begin(struct test *test)
{
	struct group *group = make_group(test);
	const struct hand_off wrongs[] = {
		{ .wait_point = 1, .flags = MORE },
		{ .flags = MORE | 2 },
		{ .wait = ON(9), .flags = MORE },
	};

	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		hand(&group->buffers[0], wrongs[i]);
		check(test, HDB_BOTH_037, end_sanity(group->end),
		      "the first of a group was refused, and other requests are refused as well");
		hand(&group->buffers[0], wrongs[i]);
		check_status(test, HDB_BOTH_048,
			     hand_member(group, 1, i + 1, 0), HDMABUF_STATUS_OK,
			     "the last of a group whose first was refused");
		check_done(group, i + 1,
			   "of a group, all but the last were refused");
	}
}

/* One of its members waits; what has no wait point waits with it, or not. */
static void groups_with_waits(struct test *test)
{
	struct group *group = make_group(test);

	hand_member(group, 0, 1, MORE);
	must_hand(&group->buffers[1], (struct hand_off){ .wait = ON(WAIT),
							 .wait_point = 5,
							 .signal = ON(SIGNAL),
							 .signal_point = 2,
							 .flags = MORE });
	signal_wait(group->end, 5);
	check_still(group, 0, "of a group of 3 two have come");
	hand_member(group, 2, 3, 0);
	check_done(group, 3, "a group of 3 has come, and no point is missing");
}

static void only_hand_offs_in_a_group(struct test *test)
{
	struct group *group = make_group(test);
	struct end *end = group->end;

	check_status(test, HDB_BOTH_048, hand_member(group, 0, 1, MORE),
		     HDMABUF_STATUS_OK, "the first of a group");
	for (size_t i = 0; wire_operations[i]; i++) {
		uint16_t operation = wire_operations[i];
		message_t message;

		if (operation == HDMABUF_OP_HAND_OFF ||
		    operation == HDMABUF_OP_CLOSE ||
		    !is_negotiated(end, operation))
			continue;
		named_message(operation, group->buffers[1].id, message);
		check_status(test, HDB_BOTH_050, end_ask(end, message, NULL),
			     HDMABUF_STATUS_WRONG_STATE,
			     "%s, where the rest of a group is due",
			     wire_operation_name(operation));
	}
	check_still(group, 0, "the rest of the group is still due");
	check_status(test, HDB_BOTH_050, hand_member(group, 1, 2, 0),
		     HDMABUF_STATUS_OK, "the rest of the group");
	check_done(group, 2, "the rest of the group has come");
}

static void close_in_a_group(struct test *test)
{
	struct group *group = make_group(test);
	message_t message;

	hand_member(group, 0, 1, MORE);
	message_init(message, HDMABUF_OP_CLOSE);
	wire_put(message, CLOSE_REASON, HDMABUF_REASON_DONE);
	check_status(test, HDB_BOTH_050, end_ask(group->end, message, NULL),
		     HDMABUF_STATUS_OK,
		     "CLOSE, where the rest of a group is due");
	end_abandon(group->end);
}

/* ---- lending -------------------------------------------------------------- */

/* The hand-off by which the IUT brings a buffer back; NULL if there is none. */
static struct received *await_back(struct buffer *buffer)
{
	struct received *request;

	do
		request = end_await_request(buffer->end, HDMABUF_OP_HAND_OFF);
	while (request && memcmp(request->octets + wire_offset(HAND_OFF_ID),
				 buffer->id, 16));
	return request;
}

static void lent_and_back(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	lendable(end, &buffer);
	open_timelines(end);
	for (uint64_t i = 1; i <= 5; i++) {
		must_hand(&buffer, (struct hand_off){ .wait = ON(WAIT),
						      .wait_point = i,
						      .stamp = i });
		check_status(test, HDB_BOTH_051,
			     hand(&buffer, (struct hand_off){ 0 }),
			     HDMABUF_STATUS_WRONG_STATE,
			     "HAND_OFF of a buffer that the IUT has already");
		signal_wait(end, i);
		require(test, HDB_BOTH_051, await_back(&buffer),
			"the buffer is not handed back");
	}
	check_status(test, HDB_BOTH_051, hand(&buffer, (struct hand_off){ 0 }),
		     HDMABUF_STATUS_OK,
		     "HAND_OFF of a buffer that was handed back");
}

static void update_of_lent(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t answer;

	lendable(end, &buffer);
	open_timelines(end);
	must_hand(&buffer,
		  (struct hand_off){ .wait = ON(WAIT), .wait_point = 1 });
	wire_put(buffer.descriptor, DESCRIPTOR_GENERATION, 2);
	check_status(test, HDB_BOTH_038, buffer_update(&buffer, answer),
		     HDMABUF_STATUS_WRONG_STATE,
		     "UPDATE of a buffer that is lent");
	signal_wait(end, 1);
	if (!await_back(&buffer))
		inconclusive(test, "the buffer is not handed back");
	check_status(
		test, HDB_BOTH_037, buffer_update(&buffer, answer),
		HDMABUF_STATUS_OK,
		"UPDATE of a buffer that was handed back, with the generation that was refused before");
}

/* The IUT's application tries to write; only while it has the buffer may it. */
static void check_fill(struct buffer *buffer, uint8_t octet, bool allowed,
		       const char *when)
{
	struct test *test = buffer->end->test;
	uint32_t before = buffer_crc(buffer);
	char name[33];

	control_try(test, "fill %s %u", buffer_name(buffer, name), octet);
	check(test, HDB_IMP_017, allowed || buffer_crc(buffer) == before,
	      "the IUT writes to a buffer of right LEND %s", when);
	if (allowed && buffer->pages[0] != octet)
		inconclusive(test, "the IUT cannot write to what it has %s",
			     when);
}

static void not_without_the_buffer(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	char name[33];

	lendable(end, &buffer);
	open_timelines(end);
	buffer_name(&buffer, name);
	control_try(test, "map %s", name);
	check_fill(&buffer, 1, false, "before it was lent");
	control_try(test, "hand-off %s", name);
	check(test, HDB_IMP_017, asks_nothing(end, HDMABUF_OP_HAND_OFF),
	      "the IUT hands back what was not lent to it");
	control(test, "hold on");
	must_hand(&buffer,
		  (struct hand_off){ .wait = ON(WAIT), .wait_point = 1 });
	check_fill(&buffer, 2, false, "before the wait point");
	signal_wait(end, 1);
	let_pass(test, 20);
	control_try(test, "map %s", name);
	check_fill(&buffer, 3, true, "while it is lent");
	control(test, "hold off");
	if (!await_back(&buffer))
		inconclusive(test, "the buffer is not handed back");
	check_fill(&buffer, 4, false, "after it has handed it back");
	control_try(test, "hand-off %s", name);
	check(test, HDB_IMP_017, asks_nothing(end, HDMABUF_OP_HAND_OFF),
	      "the IUT hands back what it has handed back before");
}

/* ---- buffers of the IUT --------------------------------------------------- */

/* The suite has the IUT's buffer, mapped; the first octet of its data. */
static uint8_t *see(struct end *end, struct their_buffer *buffer)
{
	uint8_t *data = end_map_buffer(end, buffer, HDMABUF_RIGHTS_READ_ONLY);

	if (!data)
		inconclusive(end->test, "the IUT's buffer cannot be mapped");
	return data;
}

/* Tells the IUT to hand off x, and answers as an end that takes it. */
static bool command_hand_off(struct end *end, const char *rest)
{
	control_try(end->test, "hand-off x%s", rest);
	return end_await_request(end, HDMABUF_OP_HAND_OFF);
}

static void exporter_keeps_off(struct test *test)
{
	struct end *end = test_connect(test);
	struct their_buffer *buffer =
		let_export(end, "x size=4096 rights=lend");
	const uint8_t *data = see(end, buffer);

	control(test, "fill x 5");
	if (!command_hand_off(end, "") || data[0] != 5)
		inconclusive(test, "the IUT does not lend its buffer");
	control_try(test, "fill x 6");
	check(test, HDB_EXP_009, data[0] == 5 && data[4095] == 5,
	      "the IUT writes to a buffer that it has lent");
	control_try(test, "hand-off x");
	check(test, HDB_EXP_009, asks_nothing(end, HDMABUF_OP_HAND_OFF),
	      "the IUT hands off a buffer that it has lent");
	check_status(test, HDB_BOTH_051,
		     hand_id(end, buffer->id, (struct hand_off){ 0 }),
		     HDMABUF_STATUS_OK, "the buffer is handed back");
	check_status(test, HDB_BOTH_051,
		     hand_id(end, buffer->id, (struct hand_off){ 0 }),
		     HDMABUF_STATUS_WRONG_STATE,
		     "the buffer is handed back once more");
	control(test, "fill x 7");
	check(test, HDB_EXP_009, data[0] == 7 && command_hand_off(end, ""),
	      "the buffer is back, and the IUT cannot write it or lend it again");
}

static void no_update_of_what_is_lent(struct test *test)
{
	struct end *end = test_connect(test);
	const struct their_buffer *buffer =
		let_export(end, "x size=4096 rights=lend");

	if (!command_hand_off(end, ""))
		inconclusive(test, "the IUT does not lend its buffer");
	control_try(test, "update x tag=9");
	check(test, HDB_EXP_009, asks_nothing(end, HDMABUF_OP_UPDATE),
	      "the IUT updates a buffer that it has lent");
	hand_id(end, buffer->id, (struct hand_off){ 0 });
	control(test, "update x tag=10");
	check(test, HDB_EXP_009, end_await_request(end, HDMABUF_OP_UPDATE),
	      "the buffer is back, and the IUT does not update it");
}

/* Who does not have it cannot hand it on. */
static void importer_without_it(struct test *test)
{
	struct end *end = test_connect(test);
	const struct their_buffer *buffer =
		let_export(end, "x size=4096 rights=lend");

	check_status(test, HDB_BOTH_051,
		     hand_id(end, buffer->id, (struct hand_off){ 0 }),
		     HDMABUF_STATUS_WRONG_STATE,
		     "HAND_OFF of a buffer that was not lent yet");
	if (!command_hand_off(end, ""))
		inconclusive(test, "the IUT does not lend its buffer");
	check_status(test, HDB_BOTH_051,
		     hand_id(end, buffer->id, (struct hand_off){ 0 }),
		     HDMABUF_STATUS_OK, "HAND_OFF of a buffer that is lent");
}

static void read_only_comes_not_back(struct test *test)
{
	struct end *end = test_connect(test);
	const struct their_buffer *buffer = let_export(end, "x size=4096");

	for (unsigned int i = 0; i < 2; i++) {
		check_status(test, HDB_EXP_010,
			     hand_id(end, buffer->id, (struct hand_off){ 0 }),
			     HDMABUF_STATUS_DENIED,
			     "HAND_OFF of a read-only buffer by its importer");
		if (!i && !command_hand_off(end, ""))
			inconclusive(test, "the IUT does not hand off");
	}
}

/* Whoever receives a hand-off waits, and signals, be it the exporter. */
static void handed_back(struct test *test)
{
	struct end *end = test_connect(test);
	const struct their_buffer *buffer =
		let_export(end, "x size=4096 rights=read-write");

	open_timelines(end);
	for (uint64_t i = 1; i <= 3; i++) {
		check_status(test, HDB_BOTH_044,
			     hand_id(end, buffer->id,
				     (struct hand_off){ .wait = ON(WAIT),
							.wait_point = i,
							.signal = ON(SIGNAL),
							.signal_point = i }),
			     HDMABUF_STATUS_OK,
			     "HAND_OFF of a writable buffer by its importer");
		check(test, HDB_BOTH_044, signalled(end, SIGNAL) == i - 1,
		      "the exporter has finished before the wait point");
		signal_wait(end, i);
		check(test, HDB_BOTH_045, await_signal(end, SIGNAL, i),
		      "the exporter does not signal");
	}
}

/* ---- what the IUT sends -------------------------------------------------- */

static void points_of_the_iut(struct test *test)
{
	static const struct {
		uint64_t point;
		bool greater;
	} points[] = {
		{ 5, true },	       { 5, false }, { 4, false },
		{ 6, true },	       { 0, false }, { 0xffffffff, true },
		{ 0x100000000, true }, { 7, false },
	};
	struct end *end = test_connect(test);
	uint64_t named = 0;

	let_export(end, "x size=4096");
	control(test, "timeline t signaller=peer");
	for (size_t i = 0; i < COUNT_OF(points); i++) {
		const struct received *request;
		uint64_t point;

		control_try(test, "hand-off x signal=t@%" PRIu64,
			    points[i].point);
		asks_nothing(end, HDMABUF_OP_TIMELINE_DESTROY);
		request = end_find_request(end, HDMABUF_OP_HAND_OFF);
		if (!request && points[i].greater)
			inconclusive(test, "the IUT does not hand off");
		if (!request)
			continue;
		point = wire_get(request->octets, HAND_OFF_SIGNAL_POINT);
		check(test, HDB_BOTH_046, point > named,
		      "the IUT names point %" PRIu64 " after %" PRIu64, point,
		      named);
		named = point;
	}
}

/* Between the first of a group and the last there is nothing else. */
static void groups_of_the_iut(struct test *test)
{
	static const char *const others[] = {
		"echo %0112d",	   "query x",	 "timeline t signaller=peer",
		"update x tag=%d", "unexport x", "export z size=4096",
	};
	struct end *end = test_connect(test);
	size_t first;

	let_export(end, "x size=4096");
	let_export(end, "y size=4096");
	first = end->request_count;
	control(test, "hand-off x more");
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		char command[160];

		snprintf(command, sizeof(command), others[i], 5);
		control_try(test, "%s", command);
	}
	let_pass(test, 20);
	control(test, "hand-off y");
	let_pass(test, 20);
	if (end->request_count < first + 2)
		inconclusive(test, "the IUT sends no group");
	for (size_t i = first; i < end->request_count; i++) {
		const uint8_t *octets = end->requests[i].octets;
		uint16_t operation =
			(uint16_t)wire_get(octets, HEADER_OPERATION);

		check(test, HDB_BOTH_049, operation == HDMABUF_OP_HAND_OFF,
		      "%s is sent between the hand-offs of a group",
		      wire_operation_name(operation));
		if (operation == HDMABUF_OP_HAND_OFF &&
		    !(wire_get(octets, HAND_OFF_FLAGS) & MORE))
			break;
	}
}

static const struct test_case cases[] = {
	TEST(wait_points,
	     "A buffer is not read before its wait point is reached", OF_BOTH,
	     OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_044),
	TEST(nothing_before_the_wait_point,
	     "Nobody has finished before the wait point, and somebody has after it",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_044, HDB_BOTH_045),
	TEST(wait_points_long_reached,
	     "A wait point that was reached before holds up nothing", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_045),
	TEST(signal_points, "The signal point is signalled, whatever it is",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_045),
	TEST(signals_in_order,
	     "A point is not signalled before earlier hand-offs are finished with",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_045),
	TEST(signals_when_finished,
	     "The signal point is signalled when the hand-off is carried out, not when it is noted",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL, HDB_BOTH_045),
	TEST(many_turns, "Four buffers are handed off 200 times", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_045),
	TEST(handed_back, "An exporter waits and signals, too", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_044, HDB_BOTH_045),
	TEST(points_of_the_iut, "The points that are named are ever greater",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_046),
	TEST(points_named_before,
	     "A signal point that is not greater than one named before is refused",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_037, HDB_BOTH_039, HDB_BOTH_047),
	TEST(points_reached_before,
	     "A signal point that is reached already is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_037, HDB_BOTH_039, HDB_BOTH_047),
	TEST(refused_points_are_not_named,
	     "The signal point of a hand-off that was refused is not named",
	     OF_BOTH, OPTION_IMPORT | OPTION_LEND, HDB_BOTH_037, HDB_BOTH_038,
	     HDB_BOTH_045),
	TEST(wrong_timelines,
	     "Timelines and points that a hand-off cannot name are refused",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039),
	TEST(timelines_of_the_other_end,
	     "A hand-off names timelines of its sender only", OF_BOTH,
	     OPTION_IMPORT | OPTION_CONTROL, HDB_BOTH_038),
	TEST(hand_offs_are_counted,
	     "QUERY tells how many hand-offs were accepted", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_038, HDB_BOTH_069),
	TEST(wait_ends_with_error,
	     "A hand-off whose wait ends with an error is signalled, and not carried out",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_065),
	TEST(wait_ends_with_its_status,
	     "A hand-off whose wait timeline has failed ends with the same status",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_BOTH_060),
	TEST(wait_ends_with_the_timeline,
	     "A hand-off whose wait timeline is destroyed is signalled, and not carried out",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_065),
	TEST(wait_ends_with_unexport,
	     "A hand-off that waits when its buffer is unexported is signalled, and not carried out",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_065, HDB_IMP_021),
	TEST(wait_ends_with_unexport_of_mapped,
	     "A hand-off that waits is over with UNEXPORT though the buffer stays mapped",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL, HDB_BOTH_065),
	TEST(hand_offs_are_bounded, "Hand-offs that wait are noted to a bound",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_067),
	TEST(groups_wait_for_the_last,
	     "A group is not acted upon before its last hand-off has come",
	     OF_BOTH, OPTION_IMPORT | OPTION_GROUP, HDB_BOTH_048),
	TEST(groups_are_told_in_order,
	     "A group is carried out in its order, as it is when the last one comes",
	     OF_BOTH,
	     OPTION_IMPORT | OPTION_GROUP | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_BOTH_048),
	TEST(groups_with_waits, "A group of which one waits is a group",
	     OF_BOTH, OPTION_IMPORT | OPTION_GROUP, HDB_BOTH_048),
	TEST(groups_have_four, "A group has no more than four hand-offs",
	     OF_BOTH, OPTION_IMPORT | OPTION_GROUP, HDB_BOTH_037, HDB_BOTH_038,
	     HDB_BOTH_039, HDB_BOTH_048),
	TEST(groups_with_refusals,
	     "A hand-off that is refused is no part of a group, but may end it",
	     OF_BOTH, OPTION_IMPORT | OPTION_GROUP, HDB_BOTH_038, HDB_BOTH_048,
	     HDB_BOTH_050),
	TEST(groups_that_do_not_begin,
	     "A group whose first hand-off is refused has not begun", OF_BOTH,
	     OPTION_IMPORT | OPTION_GROUP, HDB_BOTH_037, HDB_BOTH_048),
	TEST(groups_of_the_iut, "Nothing else is sent within a group", OF_BOTH,
	     OPTION_GROUP | OPTION_CONTROL, HDB_BOTH_049),
	TEST(only_hand_offs_in_a_group,
	     "Where the rest of a group is due, other requests are refused, and it stays due",
	     OF_BOTH, OPTION_IMPORT | OPTION_GROUP, HDB_BOTH_048, HDB_BOTH_050),
	TEST(close_in_a_group,
	     "CLOSE is taken where the rest of a group is due", OF_BOTH,
	     OPTION_IMPORT | OPTION_GROUP, HDB_BOTH_050),
	TEST(exporter_keeps_off,
	     "An exporter leaves alone what it has lent, until it is back",
	     OF_BOTH, OPTION_CONTROL | OPTION_LEND, HDB_BOTH_051, HDB_EXP_009),
	TEST(no_update_of_what_is_lent,
	     "An exporter does not update what it has lent", OF_BOTH,
	     OPTION_CONTROL | OPTION_LEND | OPTION_UPDATE, HDB_EXP_009),
	TEST(not_without_the_buffer,
	     "An importer leaves alone what is not lent to it", OF_BOTH,
	     OPTION_IMPORT | OPTION_CONTROL | OPTION_LEND, HDB_IMP_017),
	TEST(lent_and_back,
	     "A lent buffer is not taken again before it was handed back",
	     OF_BOTH, OPTION_IMPORT | OPTION_LEND | OPTION_CONTROL,
	     HDB_BOTH_051),
	TEST(importer_without_it,
	     "A lent buffer is not taken from an importer that does not have it",
	     OF_BOTH, OPTION_CONTROL | OPTION_LEND, HDB_BOTH_051),
	TEST(update_of_lent, "UPDATE of a buffer that is lent is refused",
	     OF_BOTH,
	     OPTION_IMPORT | OPTION_LEND | OPTION_UPDATE | OPTION_CONTROL,
	     HDB_BOTH_037, HDB_BOTH_038),
	TEST(read_only_comes_not_back,
	     "A read-only buffer is not taken from its importer", OF_BOTH,
	     OPTION_CONTROL, HDB_EXP_010),
	TEST(nothing_after_unexport,
	     "A buffer that is wanted back is not handed off any more", OF_BOTH,
	     OPTION_IMPORT | OPTION_CONTROL, HDB_BOTH_038, HDB_IMP_021),
	TEST(no_mapping_after_unexport,
	     "A buffer that is wanted back is not mapped any more", OF_BOTH,
	     OPTION_IMPORT | OPTION_CONTROL, HDB_IMP_021),
};

TEST_GROUP(hand_off, cases);
