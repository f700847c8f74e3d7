/* SPDX-License-Identifier: MIT */
/* timelines.c - timelines and their cells, points, errors, waits, notifications */
#include "conformance/tests/buffers.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREATOR HDMABUF_SIGNALLER_CREATOR
#define PEER	HDMABUF_SIGNALLER_PEER

/* Where numbers of 64 bits, or halves of them, end. */
static const uint64_t borders[] = {
	0,
	1,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	0x1ffffffff,
	0x7fffffffffffffff,
	1ull << 63,
	0xffffffff00000000,
	UINT64_MAX - 1,
	UINT64_MAX,
};

static enum hdmabuf_role iut_role(const struct end *end)
{
	return test_iut_role(end->test);
}

/* How many timelines the suite may have. */
static uint32_t timelines_max(struct end *end)
{
	uint32_t most = end->peer.max_timelines < end->cell_count ?
				end->peer.max_timelines :
				end->cell_count;

	if (!most)
		skip(end->test, "the IUT takes no timelines");
	return most;
}

static void make_create(uint32_t number, uint32_t signaller, uint64_t point,
			message_t message)
{
	message_init(message, HDMABUF_OP_TIMELINE_CREATE);
	wire_put(message, TIMELINE_NUMBER, number);
	wire_put(message, TIMELINE_SIGNALLER, signaller);
	wire_put(message, TIMELINE_POINT, point);
}

static uint16_t destroy(struct end *end, uint32_t number)
{
	message_t message;

	message_init(message, HDMABUF_OP_TIMELINE_DESTROY);
	wire_put(message, TIMELINE_NUMBER, number);
	return end_ask(end, message, NULL);
}

/* A timeline of the suite, as a test begins with one. */
static void open_own(struct end *end, uint32_t number, uint32_t signaller,
		     uint64_t point)
{
	uint16_t status;

	if (number >= timelines_max(end))
		skip(end->test, "the IUT takes %u timelines",
		     timelines_max(end));
	status = end_create_timeline(end, number, signaller, point);
	if (status != HDMABUF_STATUS_OK)
		inconclusive(end->test, "a timeline is refused with %s",
			     wire_status_name(status));
}

/* Tells the IUT to create a timeline; the request, with its cell as it is then. */
static struct received *tell_create(struct end *end, const char *name,
				    const char *signaller, uint64_t point)
{
	struct received *request;

	control(end->test, "timeline %s signaller=%s point=%" PRIu64, name,
		signaller, point);
	request = end_await_request(end, HDMABUF_OP_TIMELINE_CREATE);
	if (!request)
		inconclusive(end->test, "the IUT creates no timeline");
	return request;
}

/* Its number. */
static uint32_t open_their(struct end *end, const char *name,
			   const char *signaller, uint64_t point)
{
	const struct received *request =
		tell_create(end, name, signaller, point);
	uint32_t number = (uint32_t)wire_get(request->octets, TIMELINE_NUMBER);

	end_cell(end, iut_role(end), number);
	return number;
}

/* The status with which a wait has ended; -1 if it has not. */
static long await_reached(struct test *test, const char *name, uint64_t point)
{
	const char *seen =
		event_await(test, "reached %s %" PRIu64, name, point);

	return seen ? strtol(seen, NULL, 10) : -1;
}

static long find_reached(struct test *test, const char *name, uint64_t point)
{
	const char *seen = event_find(test, "reached %s %" PRIu64, name, point);

	return seen ? strtol(seen, NULL, 10) : -1;
}

/* ---- timelines of the suite ----------------------------------------------- */

static void all_numbers(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t most = timelines_max(end);
	message_t message, answer;

	for (uint32_t i = 0; i < most; i++) {
		uint64_t point = borders[i % COUNT_OF(borders)];

		check_status(
			test, HDB_BOTH_021,
			end_create_timeline(end, i, 1 + i % 2, point),
			HDMABUF_STATUS_OK,
			"timeline %u, where there may be %u, from point %" PRIu64,
			i, most, point);
	}
	make_create(most, CREATOR, 0, message);
	if (check_status(test, HDB_BOTH_021, end_ask(end, message, answer),
			 HDMABUF_STATUS_LIMIT,
			 "timeline %u, where there may be %u", most, most))
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(TIMELINE_NUMBER),
			    "the number of a timeline");
	for (uint32_t i = 0; i < most; i++)
		check_status(test, HDB_BOTH_038, destroy(end, i),
			     HDMABUF_STATUS_OK, "TIMELINE_DESTROY of %u", i);
}

static void no_cells(struct test *test)
{
	struct end *end = test_open(test);
	message_t message;

	end->greeting.timeline_pages = 0;
	greet(end);
	if (end->cell_count)
		skip(test, "the channel has cells all the same");
	for (uint32_t i = 0; i < 4; i++) {
		make_create(i * 21, CREATOR, 0, message);
		check_status(test, HDB_BOTH_021, end_ask(end, message, NULL),
			     HDMABUF_STATUS_LIMIT,
			     "timeline %u, where there are no cells", i * 21);
	}
}

/**
 * struct wrong_create - TIMELINE_CREATE that has to be refused
 * @place: of the field, in the request, that is changed
 * @value: of it
 * @status: with which it is refused
 */
struct wrong_create {
	unsigned int place;
	uint64_t value;
	uint16_t status;
};

static const struct wrong_create wrong_creates[] = {
	{ TIMELINE_NUMBER, HDMABUF_NO_TIMELINE, HDMABUF_STATUS_LIMIT },
	{ TIMELINE_NUMBER, 0x80000000, HDMABUF_STATUS_LIMIT },
	{ TIMELINE_NUMBER, 1, HDMABUF_STATUS_DUPLICATE },
	{ TIMELINE_SIGNALLER, 0, HDMABUF_STATUS_INVALID },
	{ TIMELINE_SIGNALLER, 3, HDMABUF_STATUS_INVALID },
	{ TIMELINE_SIGNALLER, 0xffffffff, HDMABUF_STATUS_INVALID },
	{ TIMELINE_SIGNALLER, 0x10001, HDMABUF_STATUS_INVALID },
	{ TIMELINE_POINT, 1, HDMABUF_STATUS_INVALID },
	{ TIMELINE_POINT, 1ull << 32, HDMABUF_STATUS_INVALID },
	{ TIMELINE_POINT, UINT64_MAX, HDMABUF_STATUS_INVALID },
};

static void wrong_requests(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message, answer;

	open_own(end, 1, CREATOR, 7);
	for (size_t i = 0; i < COUNT_OF(wrong_creates); i++) {
		const struct wrong_create *wrong = &wrong_creates[i];
		what_t what;

		snprintf(what, sizeof(what),
			 "TIMELINE_CREATE with %" PRIu64 " at offset %zu",
			 wrong->value, wire_offset(wrong->place));
		make_create(0, CREATOR, 0, message);
		wire_put(message, wrong->place, wrong->value);
		if (check_status(test, HDB_BOTH_038,
				 end_ask(end, message, answer), wrong->status,
				 "%s", what))
			check_where(test, answer, HDMABUF_WHERE_REQUEST,
				    wire_offset(wrong->place), what);
		check_status(test, HDB_BOTH_037, destroy(end, 0),
			     HDMABUF_STATUS_NO_SUCH_TIMELINE,
			     "TIMELINE_DESTROY of what was refused");
	}
	check_status(test, HDB_BOTH_037, destroy(end, 1), HDMABUF_STATUS_OK,
		     "TIMELINE_DESTROY of one that was there before");
}

/* Each word of the point, and the error. */
static void wrong_cells(struct test *test)
{
	static const unsigned int words[] = { CELL_POINT_HIGH, CELL_POINT_LOW,
					      CELL_POINT_NEXT, CELL_ERROR };
	struct end *end = test_connect(test);
	uint8_t *cell;
	message_t message;

	timelines_max(end);
	cell = end_cell(end, end->role, 0);
	for (size_t i = 0; i < COUNT_OF(borders) * COUNT_OF(words); i++) {
		uint64_t point = borders[i / COUNT_OF(words)];
		unsigned int word = words[i % COUNT_OF(words)];

		cell_signal(cell, point);
		shared_store(cell, CELL_ERROR, 0);
		shared_store(cell, word, shared_load(cell, word) ^ 1);
		make_create(0, 1 + i % 2, point, message);
		check_status(test, HDB_BOTH_038, end_ask(end, message, NULL),
			     HDMABUF_STATUS_INVALID,
			     "TIMELINE_CREATE from point %" PRIu64
			     ", with the word at offset %zu of its cell wrong",
			     point, wire_offset(word));
	}
	check_status(test, HDB_BOTH_037,
		     end_create_timeline(end, 0, CREATOR, 5), HDMABUF_STATUS_OK,
		     "TIMELINE_CREATE with a cell that is right, after others");
}

/* What is destroyed is not there; its number can be used for another. */
static void created_and_destroyed(struct test *test)
{
	static const uint32_t strangers[] = { 1, 63, 64, 0x80000000,
					      HDMABUF_NO_TIMELINE };
	struct end *end = test_connect(test);
	message_t message;

	timelines_max(end);
	for (unsigned int i = 0; i < 4; i++) {
		check_status(test, HDB_BOTH_038, destroy(end, 0),
			     HDMABUF_STATUS_NO_SUCH_TIMELINE,
			     "TIMELINE_DESTROY where there is no timeline");
		open_own(end, 0, 1 + i % 2, borders[i]);
		make_create(0, 1, borders[i], message);
		check_status(test, HDB_BOTH_038, end_ask(end, message, NULL),
			     HDMABUF_STATUS_DUPLICATE,
			     "TIMELINE_CREATE of one that is open");
		for (size_t j = 0; j < COUNT_OF(strangers); j++)
			check_status(
				test, HDB_BOTH_038, destroy(end, strangers[j]),
				HDMABUF_STATUS_NO_SUCH_TIMELINE,
				"TIMELINE_DESTROY of %u, which was not created",
				strangers[j]);
		if (i % 2 == 0)
			end_fail_timeline(end, end->role, 0,
					  HDMABUF_STATUS_FAILED);
		check_status(test, HDB_BOTH_038, destroy(end, 0),
			     HDMABUF_STATUS_OK,
			     "TIMELINE_DESTROY of one that %s",
			     i % 2 ? "is open" : "has failed");
	}
}

/* One that has failed is there until it is destroyed. */
static void failed_is_still_there(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	open_own(end, 0, CREATOR, 3);
	end_fail_timeline(end, end->role, 0, HDMABUF_STATUS_BUSY);
	make_create(0, CREATOR, 3, message);
	check_status(test, HDB_BOTH_038, end_ask(end, message, NULL),
		     HDMABUF_STATUS_DUPLICATE,
		     "TIMELINE_CREATE of one that has failed");
	check_status(test, HDB_BOTH_038, destroy(end, 0), HDMABUF_STATUS_OK,
		     "TIMELINE_DESTROY of one that has failed");
	check_status(test, HDB_BOTH_037,
		     end_create_timeline(end, 0, CREATOR, 3), HDMABUF_STATUS_OK,
		     "TIMELINE_CREATE of one that was destroyed");
}

/* ---- timelines of the IUT ------------------------------------------------- */

static void fill_their_cells(struct end *end)
{
	memset(end->cells[iut_role(end)], 0xff,
	       WIRE_CELL_OCTETS * (size_t)end->cell_count);
}

static void check_new_cell(struct end *end, const struct received *request,
			   uint64_t point)
{
	uint32_t number = (uint32_t)wire_get(request->octets, TIMELINE_NUMBER);
	const uint8_t *cell = end_cell(end, iut_role(end), number);
	uint64_t seen = ~point;

	check(end->test, HDB_BOTH_053,
	      cell_point(cell, &seen) && seen == point &&
		      wire_get(request->octets, TIMELINE_POINT) == point,
	      "timeline %u is created from point %" PRIu64
	      ", and its cell holds %" PRIu64,
	      number, point, seen);
	check(end->test, HDB_BOTH_053,
	      !shared_load(cell, CELL_ERROR) && !shared_load(cell, CELL_WAKE),
	      "timeline %u is created, and in its cell error is %u and wake %u",
	      number, shared_load(cell, CELL_ERROR),
	      shared_load(cell, CELL_WAKE));
}

/* Its cells are full of ones before. */
static void their_cells(struct test *test)
{
	struct end *end = test_connect(test);
	char name[16];

	if (!end->cell_count)
		skip(test, "the channel has no cells");
	fill_their_cells(end);
	for (size_t i = 0; i < COUNT_OF(borders); i++) {
		struct received *request;

		snprintf(name, sizeof(name), "t%zu", i);
		end->serves = false;
		request = tell_create(end, name, i % 2 ? "creator" : "peer",
				      borders[i]);
		check_new_cell(end, request, borders[i]);
		end_serve(end, request);
	}
}

/* The cell keeps the initial point until the other end has looked at it. */
static void their_cells_until_the_answer(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request;

	if (!end->cell_count)
		skip(test, "the channel has no cells");
	end->serves = false;
	request = tell_create(end, "t", "creator", 5);
	control_try(test, "signal t 9");
	let_pass(test, 20);
	check_new_cell(end, request, 5);
	end_serve(end, request);
	end->serves = true;
	check(test, HDB_BOTH_053, end_sanity(end),
	      "the timeline is created, and the session does not work");
}

static void their_numbers(struct test *test)
{
	static const uint32_t limits[] = { 0, 1, 3, 64, 1000, UINT32_MAX };
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		const struct received *request;

		comment(test, "max_timelines %u", limits[i]);
		end->greeting.max_timelines = limits[i];
		greet(end);
		for (uint32_t j = 0; j < end->cell_count + 3; j++)
			control_try(test, "timeline t%u signaller=creator", j);
		end_sanity(end);
		check(test, HDB_BOTH_052, end->request_count || !limits[i],
		      "%u timelines may be created, and none is", limits[i]);
		while ((request = end_find_request(
				end, HDMABUF_OP_TIMELINE_CREATE))) {
			uint64_t number =
				wire_get(request->octets, TIMELINE_NUMBER);

			check(test, HDB_BOTH_052,
			      number < limits[i] && number < end->cell_count,
			      "timeline %" PRIu64
			      " is created, where there may be %u, and there are %u cells",
			      number, limits[i], end->cell_count);
		}
		end_abandon(end);
	}
}

/* A number that was refused, or destroyed, is free again. */
static void their_refused_timelines(struct test *test)
{
	struct end *end = test_open(test);
	struct received *request;

	end->greeting.max_timelines = 1;
	greet(end);
	for (unsigned int i = 0; i < 3; i++) {
		end->serves = false;
		request = tell_create(end, i ? "u" : "t", "creator", 0);
		if (i)
			end_serve(end, request);
		else
			end_answer_status(end, request,
					  HDMABUF_STATUS_NO_MEMORY);
		end->serves = true;
		if (!end_sanity(end))
			inconclusive(test, "the session does not work");
		control_try(test, i ? "destroy u" : "destroy t");
		asks_nothing(end, HDMABUF_OP_HELLO);
		check(test, HDB_BOTH_052,
		      wire_get(request->octets, TIMELINE_NUMBER) == 0,
		      "timeline %" PRIu64 " is created, where there may be 1",
		      wire_get(request->octets, TIMELINE_NUMBER));
	}
}

/* ---- points of the IUT ---------------------------------------------------- */

static void tell_signal(struct end *end, const char *name, uint64_t point)
{
	control_try(end->test, "signal %s %" PRIu64, name, point);
}

static bool await_point_in(struct end *end, enum hdmabuf_role creator,
			   uint32_t number, uint64_t point)
{
	return end_await_point(end, creator, number, point);
}

/* Of a timeline of its own, and of one of the suite. */
static void points_are_stored(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t own = open_their(end, "t", "creator", 0);

	open_own(end, 0, PEER, 0);
	for (size_t i = 1; i < COUNT_OF(borders); i++) {
		uint64_t seen[2] = { 0 };

		tell_signal(end, "t", borders[i]);
		tell_signal(end, "peer:0", borders[i]);
		await_point_in(end, iut_role(end), own, borders[i]);
		await_point_in(end, end->role, 0, borders[i]);
		cell_point(end_cell(end, iut_role(end), own), &seen[0]);
		cell_point(end_cell(end, end->role, 0), &seen[1]);
		check(test, HDB_BOTH_055,
		      seen[0] == borders[i] && seen[1] == borders[i],
		      "point %" PRIu64 " is to be signalled; %" PRIu64
		      " and %" PRIu64 " are",
		      borders[i], seen[0], seen[1]);
	}
}

static void points_do_not_decrease(struct test *test)
{
	static const uint64_t points[] = {
		10, 9, 10, 0, 11, 0x100000000, 0xffffffff, 12, UINT64_MAX, 0
	};
	struct end *end = test_connect(test);
	uint32_t number = open_their(end, "t", "creator", 5);
	const uint8_t *cell = end_cell(end, iut_role(end), number);
	uint64_t most = 5, seen = 0;

	for (size_t i = 0; i < COUNT_OF(points); i++) {
		tell_signal(end, "t", points[i]);
		most = points[i] > most ? points[i] : most;
		if (!await_point_in(end, iut_role(end), number, most))
			inconclusive(test, "the IUT does not signal");
		let_pass(test, 5);
		check(test, HDB_BOTH_055,
		      cell_point(cell, &seen) && seen == most,
		      "the point was %" PRIu64 ", and is %" PRIu64, most, seen);
	}
}

/**
 * struct crossing - a point that moves, and what is waited for
 * @wake: what the suite has stored
 * @to: where the point moves
 * @crosses: so the other end is to be notified
 */
struct crossing {
	uint32_t wake;
	uint64_t to;
	bool crosses;
};

static const struct crossing crossings[] = {
	{ 1, 1, true },
	{ 5, 2, false },
	{ 5, 4, false },
	{ 5, 5, true },
	{ 5, 6, false },
	{ 7, 9, true },
	{ 9, 10, false },
	{ 0, 11, false },
	{ 0x80000000, 12, false },
	{ 0xffffffff, 13, false },
	{ 0x80000000, 0x80000000, true },
	{ 0xffffffff, 0xfffffffe, false },
	{ 77, 0x1fffffffe, true },
	{ 77, 0x2fffffffe, true },
	{ 77, 0x2ffffffff, false },
	{ 77, 0x300000000, true },
	{ 0, 0x300000001, false },
	{ 2, 0x500000001, true },
	{ 2, 0x500000002, true },
	{ 3, UINT64_MAX - 1, true },
	{ 0xffffffff, UINT64_MAX, true },
};

static void cross(struct end *end, enum hdmabuf_role creator, uint32_t number,
		  const char *name)
{
	uint8_t *cell = end_cell(end, creator, number);

	for (size_t i = 0; i < COUNT_OF(crossings); i++) {
		const struct crossing *crossing = &crossings[i];
		unsigned int before;
		uint64_t seen = 0;

		end->deaf = true;
		settle(end);
		shared_store(cell, CELL_WAKE, crossing->wake);
		shared_barrier();
		before = end->notified;
		tell_signal(end, name, crossing->to);
		await_word(end, cell, CELL_POINT_LOW, (uint32_t)crossing->to);
		await_word(end, cell, CELL_POINT_HIGH,
			   (uint32_t)(crossing->to >> 32));
		if (!cell_point(cell, &seen) || seen != crossing->to)
			inconclusive(end->test, "the IUT does not signal");
		check(end->test, HDB_BOTH_058,
		      is_notified(end, before, crossing->crosses) ==
			      crossing->crosses,
		      "point %" PRIu64 " with wake %u: %s", crossing->to,
		      crossing->wake,
		      crossing->crosses ? "no notification comes" :
					  "a notification comes");
		check(end->test, HDB_BOTH_054,
		      shared_load(cell, CELL_WAKE) == crossing->wake,
		      "the signaller has changed wake from %u to %u",
		      crossing->wake, shared_load(cell, CELL_WAKE));
		end->deaf = false;
	}
}

static void notifies_of_points(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t number = open_their(end, "t", "creator", 0);

	cross(end, iut_role(end), number, "t");
	open_own(end, 0, PEER, 0);
	cross(end, end->role, 0, "peer:0");
}

/**
 * struct area - the cells of one end, of which the IUT signals one and awaits one
 * @creator: whose they are
 * @signalled: number of the one that the IUT signals
 * @waited: number of the one that it waits for, and the suite signals
 * @octets: of all cells
 * @before: as they were
 */
struct area {
	enum hdmabuf_role creator;
	uint32_t signalled;
	uint32_t waited;
	size_t octets;
	uint8_t *before;
};

static uint8_t *cell_in(uint8_t *octets, uint32_t number)
{
	return octets + WIRE_CELL_OCTETS * (size_t)number;
}

/* What is no timeline is no longer zero, and is none of the IUT's business. */
static void keep_area(struct end *end, struct area *area)
{
	uint8_t *cells = end->cells[area->creator];

	area->octets = WIRE_CELL_OCTETS * (size_t)end->cell_count;
	area->before = end_array(end, area->octets, 1);
	test_random_octets(end->test, cells + area->octets / 2,
			   area->octets / 2);
	memset(cell_in(cells, area->signalled) + wire_offset(CELL_WAKE), 0xff,
	       4);
	memcpy(area->before, cells, area->octets);
}

/* The IUT signals, waits and is woken; the suite asks for no notification. */
static void use_area(struct end *end, const struct area *area, uint64_t point)
{
	bool theirs = area->creator == iut_role(end);
	const uint8_t *cell = end_cell(end, area->creator, area->signalled);

	tell_signal(end, theirs ? "t" : "peer:0", point);
	control_try(end->test, "wait %s %" PRIu64, theirs ? "u" : "peer:1",
		    point);
	await_word(end, cell, CELL_POINT_LOW, (uint32_t)point);
	end_signal(end, area->creator, area->waited, point);
}

/* Point and error of the one are the IUT's to write, wake of the other. */
static void check_area(struct end *end, const struct area *area, uint64_t point)
{
	uint8_t *after = end_array(end, area->octets, 1);

	memcpy(after, end->cells[area->creator], area->octets);
	cell_signal(cell_in(area->before, area->waited), point);
	memset(cell_in(area->before, area->signalled), 0, 16);
	memset(cell_in(after, area->signalled), 0, 16);
	for (int i = 0; i < 2; i++)
		memset(cell_in(i ? after : area->before, area->waited) +
			       wire_offset(CELL_WAKE),
		       0, 4);
	check(end->test, HDB_BOTH_054,
	      !memcmp(area->before, after, area->octets),
	      "in the cells of the %s something else is written than the signaller's point and error, and the waiter's wake",
	      area->creator == HDMABUF_FRONTEND ? "frontend" : "backend");
}

static void nothing_else_is_written(struct test *test)
{
	struct end *end = test_connect(test);
	struct area areas[2] = {
		{ .creator = iut_role(end),
		  .signalled = open_their(end, "t", "creator", 0),
		  .waited = open_their(end, "u", "peer", 0) },
		{ .creator = end->role, .signalled = 0, .waited = 1 },
	};
	const uint64_t last = 20ull << 30;

	open_own(end, 0, PEER, 0);
	open_own(end, 1, CREATOR, 0);
	for (int i = 0; i < 2; i++)
		keep_area(end, &areas[i]);
	for (uint64_t point = 1 << 30; point <= last; point += 1 << 30)
		for (int i = 0; i < 2; i++)
			use_area(end, &areas[i], point);
	control_try(test, "fail t 22");
	control_try(test, "fail peer:0 22");
	let_pass(test, 20);
	for (int i = 0; i < 2; i++)
		check_area(end, &areas[i], last);
}

static void errors_are_stored(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t number = open_their(end, "t", "creator", 0);
	const uint8_t *cell = end_cell(end, iut_role(end), number);
	uint64_t point = 0;

	tell_signal(end, "t", 7);
	control(test, "fail t 21");
	end_await_point(end, iut_role(end), number, 100);
	check(test, HDB_BOTH_054, shared_load(cell, CELL_ERROR) == 21,
	      "the timeline has failed with 21, and error is %u",
	      shared_load(cell, CELL_ERROR));
	check(test, HDB_BOTH_055, cell_point(cell, &point) && point == 7,
	      "the timeline has failed after point 7, and its point is %" PRIu64,
	      point);
	tell_signal(end, "t", 8);
	control_try(test, "fail t 22");
	let_pass(test, 20);
	check(test, HDB_BOTH_055, cell_point(cell, &point) && point >= 7,
	      "the timeline has failed, and its point is %" PRIu64, point);
}

/* ---- what the receiver of a hand-off does before it signals ---------------- */

/*
 * When the point is there, the buffer is the suite's again, and written at once: what
 * the IUT tells of is what was there before.
 */
static void complete_before_the_point(struct test *test)
{
	const struct plan plan = { .size = 1 << 20 };
	struct end *end = test_connect(test);
	struct buffer buffer;
	const uint8_t *cell;
	char name[33], expected[40];

	buffer_share(end, &buffer, &plan);
	open_own(end, 0, PEER, 0);
	cell = end_cell(end, end->role, 0);
	for (uint32_t i = 1; i <= 30; i++) {
		message_t message;
		const char *seen;

		memset(buffer.pages, (int)i, buffer.size);
		snprintf(expected, sizeof(expected), "stamp=0 crc=%08x",
			 buffer_crc(&buffer));
		buffer_hand_off_message(&buffer, 0, i, message);
		end_send(end, message);
		if (!await_word(end, cell, CELL_POINT_LOW, i))
			inconclusive(test, "the IUT does not signal");
		memset(buffer.pages, 0xff, buffer.size);
		seen = event_await(test, "turn %s", buffer_name(&buffer, name));
		check(test, HDB_BOTH_057, seen && !strcmp(seen, expected),
		      "the buffer was written after the signal point, and the IUT has read '%s', not '%s'",
		      seen ? seen : "nothing", expected);
	}
}

/* ---- waits of the IUT ------------------------------------------------------ */

/* Points that are waited for, one after the other. */
static void waits_are_woken(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t number = open_their(end, "u", "peer", 0);

	open_own(end, 0, CREATOR, 0);
	for (size_t i = 1; i < COUNT_OF(borders); i++) {
		control(test, "wait peer:0 %" PRIu64, borders[i]);
		control(test, "wait u %" PRIu64, borders[i]);
		let_pass(test, 5);
		if (borders[i] - 1 > borders[i - 1]) {
			end_signal(end, end->role, 0, borders[i] - 1);
			end_signal(end, iut_role(end), number, borders[i] - 1);
			let_pass(test, 5);
		}
		check(test, HDB_BOTH_059,
		      find_reached(test, "peer:0", borders[i]) < 0 &&
			      find_reached(test, "u", borders[i]) < 0,
		      "a wait for point %" PRIu64 " ends before", borders[i]);
		end_signal(end, end->role, 0, borders[i]);
		check(test, HDB_BOTH_059,
		      await_reached(test, "peer:0", borders[i]) == 0,
		      "point %" PRIu64
		      " is reached, and the IUT, which has not asked to be notified, does not wake",
		      borders[i]);
		end_signal(end, iut_role(end), number, borders[i]);
		check(test, HDB_BOTH_059,
		      await_reached(test, "u", borders[i]) == 0,
		      "point %" PRIu64
		      " of a timeline of the IUT is reached, and it does not wake",
		      borders[i]);
	}
}

/* The nearest of several points is the one to be woken at. */
static void several_waits(struct test *test)
{
	static const uint64_t points[] = { 50, 10, 0x100000005, 30, 20, 10 };
	static const uint64_t order[] = { 10, 20, 30, 50, 0x100000005 };
	struct end *end = test_connect(test);

	open_own(end, 0, CREATOR, 0);
	for (size_t i = 0; i < COUNT_OF(points); i++)
		control(test, "wait peer:0 %" PRIu64, points[i]);
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		let_pass(test, 5);
		end_signal(end, end->role, 0, order[i]);
		check(test, HDB_BOTH_059,
		      await_reached(test, "peer:0", order[i]) == 0,
		      "point %" PRIu64
		      " is reached, of six that are waited for, and the IUT does not wake",
		      order[i]);
	}
}

/* A point is stored, by chance, just when the IUT looks, and asks to be notified. */
static void no_point_is_missed(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	open_own(end, 0, CREATOR, 0);
	open_own(end, 1, PEER, 0);
	comment(test, "1000 hand-offs whose wait points are signalled at once");
	end->silent = true;
	for (uint32_t i = 1; i <= 1000; i++) {
		message_t message;

		buffer_hand_off_message(&buffer, 1, i, message);
		wire_put(message, HAND_OFF_WAIT_TIMELINE, 0);
		wire_put(message, HAND_OFF_WAIT_POINT, i);
		end_send(end, message);
		pause_randomly(test, i % 2 ? 20 : 150);
		end_signal(end, end->role, 0, i);
		require(test, HDB_BOTH_059,
			await_word(end, end_cell(end, end->role, 1),
				   CELL_POINT_LOW, i),
			"wait point %u is signalled when the IUT might have been going to sleep, and is not seen",
			i);
		while (end_in_flight(end))
			test_wait(test, test_deadline(test));
	}
	end->silent = false;
}

/* ---- points that are not to be believed ------------------------------------ */

static uint16_t hand_with_wait(struct buffer *buffer, uint64_t wait_point,
			       uint64_t signal_point)
{
	message_t message;

	buffer_hand_off_message(buffer, 1, signal_point, message);
	wire_put(message, HAND_OFF_WAIT_TIMELINE, 0);
	wire_put(message, HAND_OFF_WAIT_POINT, wait_point);
	return end_ask(buffer->end, message, NULL);
}

/* The IUT has seen @seen, then the cell says @less, and @between is waited for. */
static void go_back(struct buffer *buffer, uint64_t seen, uint64_t less,
		    uint64_t between)
{
	struct end *end = buffer->end;
	uint8_t *cell;

	comment(end->test, "the point goes from %" PRIu64 " back to %" PRIu64,
		seen, less);
	open_own(end, 0, CREATOR, 0);
	open_own(end, 1, PEER, 0);
	cell = end_cell(end, end->role, 0);
	hand_with_wait(buffer, seen, 1);
	end_signal(end, end->role, 0, seen);
	if (!end_await_point(end, end->role, 1, 1))
		inconclusive(end->test, "the IUT does not signal");
	cell_signal(cell, less);
	end_notify(end);
	end_sanity(end);
	hand_with_wait(buffer, between, 2);
	check(end->test, HDB_BOTH_056, end_await_point(end, end->role, 1, 2),
	      "point %" PRIu64 " was seen, the cell goes back to %" PRIu64
	      ", and a wait for %" PRIu64 " does not end",
	      seen, less, between);
	cell_signal(cell, seen + 2);
	end_notify(end);
	hand_with_wait(buffer, seen + 1, 3);
	check(end->test, HDB_BOTH_056, end_await_point(end, end->role, 1, 3),
	      "the point has gone back and forth, and a wait for one that is reached does not end");
	destroy(end, 0);
	destroy(end, 1);
}

static void points_that_go_back(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	go_back(&buffer, 5, 3, 4);
	go_back(&buffer, 5, 0, 5);
	go_back(&buffer, 0x100000005, 0xffffffff, 0x100000000);
	go_back(&buffer, 0x100000005, 6, 7);
	go_back(&buffer, UINT64_MAX - 3, 1ull << 63, UINT64_MAX - 3);
}

/* The same as the application sees it. */
static void waits_for_points_that_go_back(struct test *test)
{
	struct end *end = test_connect(test);

	open_own(end, 0, CREATOR, 0);
	control(test, "wait peer:0 20");
	end_signal(end, end->role, 0, 20);
	if (await_reached(test, "peer:0", 20))
		inconclusive(test, "the IUT does not see a point");
	cell_signal(end_cell(end, end->role, 0), 10);
	end_notify(end);
	end_sanity(end);
	control(test, "wait peer:0 15");
	check(test, HDB_BOTH_056, await_reached(test, "peer:0", 15) == 0,
	      "point 20 was seen, the cell goes back to 10, and a wait for 15 does not end");
}

/**
 * struct torn - words of a point that is being moved
 * @high: as it was
 * @low: as it is going to be
 * @next: likewise
 */
struct torn {
	uint32_t high, low, next;
};

/* A point of which half is there is not reached, whichever half it is. */
static void points_that_are_torn(struct test *test)
{
	static const struct torn torns[] = {
		{ 0, 7, 1 },
		{ 0, 0xffffffff, 1 },
		{ 0, 5, 0xffffffff },
		{ 1, 7, 0 },
		{ 0x80000000, 6, 0x80000001 },
	};
	struct end *end = test_connect(test);
	struct buffer buffer;
	uint8_t *cell;

	buffer_share(end, &buffer, NULL);
	for (size_t i = 0; i < COUNT_OF(torns); i++) {
		const struct torn *torn = &torns[i];
		uint64_t seen = 0;

		comment(test, "the words of the point are %u, %u, %u",
			torn->high, torn->low, torn->next);
		open_own(end, 0, CREATOR, 2);
		open_own(end, 1, PEER, 0);
		cell = end_cell(end, end->role, 0);
		hand_with_wait(&buffer, 5, 1);
		shared_store(cell, CELL_POINT_NEXT, torn->next);
		shared_store(cell, CELL_POINT_LOW, torn->low);
		shared_store(cell, CELL_POINT_HIGH, torn->high);
		end_notify(end);
		let_pass(test, 20);
		check(test, HDB_BOTH_044,
		      cell_point(end_cell(end, end->role, 1), &seen) && !seen,
		      "the words of the point are %u, %u, %u, and 5 is taken for reached",
		      torn->high, torn->low, torn->next);
		shared_store(cell, CELL_POINT_HIGH, torn->next);
		shared_store(cell, CELL_POINT_LOW, 5);
		end_notify(end);
		check(test, HDB_BOTH_045, end_await_point(end, end->role, 1, 1),
		      "the point is whole again, and 5 is not taken for reached");
		destroy(end, 0);
		destroy(end, 1);
	}
}

/* ---- errors, and the end of timelines -------------------------------------- */

static void check_wait_end(struct end *end, const char *name, uint64_t point,
			   enum clause clause, uint16_t expected,
			   const char *why)
{
	long seen = await_reached(end->test, name, point);

	check(end->test, clause, seen == expected,
	      "%s: the wait for point %" PRIu64
	      " ends with %ld (-1: not), not with %u",
	      why, point, seen, expected);
}

static void errors_end_waits(struct test *test)
{
	static const uint16_t statuses[] = {
		HDMABUF_STATUS_UNKNOWN_OPERATION,
		HDMABUF_STATUS_BUSY,
		HDMABUF_STATUS_CANCELLED,
		HDMABUF_STATUS_TIMED_OUT,
		HDMABUF_STATUS_FAILED,
	};
	struct end *end = test_connect(test);
	what_t why;

	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		snprintf(why, sizeof(why), "the timeline has failed with %u",
			 statuses[i]);
		comment(test, "%s", why);
		open_own(end, 0, CREATOR, 0);
		control(test, "wait peer:0 5");
		control(test, "wait peer:0 10");
		control(test, "wait peer:0 11");
		let_pass(test, 5);
		cell_signal(end_cell(end, end->role, 0), 10);
		end_fail_timeline(end, end->role, 0, statuses[i]);
		check_wait_end(end, "peer:0", 5, HDB_BOTH_060, 0,
			       "the point came before the error");
		check_wait_end(end, "peer:0", 10, HDB_BOTH_060, 0,
			       "the point came just before the error");
		check_wait_end(end, "peer:0", 11, HDB_BOTH_060, statuses[i],
			       why);
		if (control_try(test, "wait peer:0 12"))
			check_wait_end(end, "peer:0", 12, HDB_BOTH_060,
				       statuses[i], why);
		destroy(end, 0);
	}
}

static void errors_on_their_timelines(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t number = open_their(end, "u", "peer", 0);

	control(test, "wait u 5");
	let_pass(test, 5);
	end_fail_timeline(end, iut_role(end), number, HDMABUF_STATUS_DENIED);
	check_wait_end(end, "u", 5, HDB_BOTH_060, HDMABUF_STATUS_DENIED,
		       "the IUT's timeline has failed");
}

static void destruction_ends_waits(struct test *test)
{
	struct end *end = test_connect(test);

	open_their(end, "u", "peer", 0);
	for (unsigned int i = 0; i < 3; i++) {
		open_own(end, 0, CREATOR, 0);
		control(test, "wait peer:0 5");
		control(test, "wait peer:0 100");
		let_pass(test, 5);
		if (i == 1)
			end_signal(end, end->role, 0, 5);
		if (i == 1)
			check_wait_end(end, "peer:0", 5, HDB_BOTH_061, 0,
				       "the point was reached before");
		destroy(end, 0);
		if (i != 1)
			check_wait_end(end, "peer:0", 5, HDB_BOTH_061,
				       HDMABUF_STATUS_CANCELLED,
				       "the suite destroys the timeline");
		check_wait_end(end, "peer:0", 100, HDB_BOTH_061,
			       HDMABUF_STATUS_CANCELLED,
			       "the suite destroys the timeline");
	}
	control(test, "wait u 5");
	let_pass(test, 5);
	control(test, "destroy u");
	check_wait_end(end, "u", 5, HDB_BOTH_061, HDMABUF_STATUS_CANCELLED,
		       "the IUT destroys its timeline");
}

static void loss_ends_waits(struct test *test)
{
	struct end *end = test_connect(test);

	for (unsigned int i = 0; i < 3; i++) {
		open_own(end, 0, CREATOR, 0);
		open_their(end, "u", "peer", 0);
		control(test, "wait peer:0 5");
		control(test, "wait u 7");
		let_pass(test, 5);
		comment(test, i ? "the session breaks" : "the session is lost");
		if (i == 0) {
			end_withdraw(end);
		} else {
			break_requests(end);
		}
		check_wait_end(end, "peer:0", 5, HDB_BOTH_027,
			       HDMABUF_STATUS_LOST, "the session is over");
		check_wait_end(end, "u", 7, HDB_BOTH_027, HDMABUF_STATUS_LOST,
			       "the session is over");
		end_abandon(end);
		greet(end);
	}
}

static const struct test_case cases[] = {
	TEST(all_numbers,
	     "Timelines of all numbers can be created, from any point, and no more",
	     OF_BOTH, 0, HDB_BOTH_021, HDB_BOTH_038, HDB_BOTH_039),
	TEST(no_cells, "Where there are no cells there are no timelines",
	     OF_BACKEND, 0, HDB_BOTH_021),
	TEST(wrong_requests, "TIMELINE_CREATE with a wrong value is refused",
	     OF_BOTH, 0, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039),
	TEST(wrong_cells,
	     "TIMELINE_CREATE is refused if the cell does not hold the point, or holds an error",
	     OF_BOTH, 0, HDB_BOTH_037, HDB_BOTH_038),
	TEST(created_and_destroyed,
	     "A timeline is there from TIMELINE_CREATE to TIMELINE_DESTROY",
	     OF_BOTH, 0, HDB_BOTH_038),
	TEST(failed_is_still_there,
	     "A timeline that has failed is there until it is destroyed",
	     OF_BOTH, 0, HDB_BOTH_037, HDB_BOTH_038),
	TEST(their_numbers,
	     "No timeline is created beyond max_timelines and the cells",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_052),
	TEST(their_refused_timelines,
	     "The number of a timeline that was refused or destroyed is free",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_052),
	TEST(their_cells,
	     "The cell of a new timeline holds the initial point, no error and no wish to be woken",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_053),
	TEST(their_cells_until_the_answer,
	     "The cell holds the initial point until TIMELINE_CREATE is answered",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_053),
	TEST(nothing_else_is_written,
	     "Of all cells, nothing is written but what an end may write",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_054),
	TEST(errors_are_stored,
	     "An error is stored in its place, and the point stays", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_054, HDB_BOTH_055),
	TEST(points_are_stored, "Points are stored as they are, word by word",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_055),
	TEST(points_do_not_decrease, "A point does not decrease", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_055),
	TEST(points_that_go_back,
	     "A point that goes back is not believed, and hand-offs go on",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_056),
	TEST(waits_for_points_that_go_back,
	     "A point that goes back is not believed, and waits end", OF_BOTH,
	     OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_056),
	TEST(points_that_are_torn, "A point that is being moved is not reached",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_044, HDB_BOTH_045),
	TEST(complete_before_the_point,
	     "What is done with a buffer is complete before the point is stored",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_BOTH_057),
	TEST(notifies_of_points,
	     "A notification comes when the point crosses wake or its high word changes, and not else",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_054, HDB_BOTH_058),
	TEST(waits_are_woken, "Who waits asks to be notified, at any point",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_059),
	TEST(several_waits, "Of several points the nearest is waited for",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_059),
	TEST(no_point_is_missed,
	     "A point that comes while the other end goes to sleep is seen",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_059),
	TEST(errors_end_waits,
	     "An error ends waits with its status, but for points that came before",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_060),
	TEST(errors_on_their_timelines,
	     "An error ends waits on a timeline of the waiter's own", OF_BOTH,
	     OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_060),
	TEST(destruction_ends_waits,
	     "Waits on a timeline that is destroyed are cancelled", OF_BOTH,
	     OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_061),
	TEST(loss_ends_waits, "Waits end with LOST when the session does",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_027),
};

TEST_GROUP(timelines, cases);
