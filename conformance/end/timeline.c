/* SPDX-License-Identifier: MIT */
/* timeline.c - timelines, as the suite signals them and waits for them */
#include "conformance/end/channel.h"
#include "conformance/internal.h"
#include "conformance/end/shared.h"

#include <inttypes.h>
#include <string.h>

/* ---- cells -------------------------------------------------------------- */

uint8_t *end_cell(struct end *end, enum hdmabuf_role creator, uint32_t timeline)
{
	if (timeline >= end->cell_count)
		skip(end->test, "the channel has %u timelines only",
		     end->cell_count);
	return end->cells[creator] + WIRE_CELL_OCTETS * (size_t)timeline;
}

bool cell_point(const uint8_t *cell, uint64_t *point)
{
	uint32_t high = shared_load(cell, CELL_POINT_HIGH);
	uint32_t low = shared_load(cell, CELL_POINT_LOW);

	if (shared_load(cell, CELL_POINT_NEXT) != high)
		return false;
	*point = (uint64_t)high << 32 | low;
	return true;
}

void cell_signal(uint8_t *cell, uint64_t point)
{
	shared_store(cell, CELL_POINT_NEXT, (uint32_t)(point >> 32));
	shared_store(cell, CELL_POINT_LOW, (uint32_t)point);
	shared_store(cell, CELL_POINT_HIGH, (uint32_t)(point >> 32));
}

static void trace_point(struct end *end, enum hdmabuf_role sender,
			enum hdmabuf_role creator, uint32_t timeline,
			uint64_t point, uint32_t failure)
{
	uint8_t octets[24] = { 0 };

	wire_put(octets, WIRE_PLACE(0, 4), creator);
	wire_put(octets, WIRE_PLACE(4, 4), timeline);
	wire_put(octets, WIRE_PLACE(8, 8), point);
	wire_put(octets, WIRE_PLACE(16, 4), failure);
	test_trace(end, HDMABUF_TRACE_POINT, sender, octets, sizeof(octets));
}

/* As a person calls it: "timeline 3 of the IUT". */
static const char *owner(const struct end *end, enum hdmabuf_role creator)
{
	return creator == end->role ? "the suite" : "the IUT";
}

void end_signal(struct end *end, enum hdmabuf_role creator, uint32_t timeline,
		uint64_t point)
{
	uint8_t *cell = end_cell(end, creator, timeline);
	uint64_t old = 0;

	cell_point(cell, &old);
	cell_signal(cell, point);
	trace_point(end, end->role, creator, timeline, point, 0);
	note(end->test, SPEAKER_SUITE,
	     "signals point %" PRIu64 " of timeline %u of %s", point, timeline,
	     owner(end, creator));
	shared_barrier();
	if ((uint32_t)point - shared_load(cell, CELL_WAKE) <
		    (uint32_t)point - (uint32_t)old ||
	    point >> 32 != old >> 32)
		end_notify(end);
}

void end_fail_timeline(struct end *end, enum hdmabuf_role creator,
		       uint32_t timeline, uint16_t status)
{
	uint8_t *cell = end_cell(end, creator, timeline);
	uint64_t point = 0;

	cell_point(cell, &point);
	shared_store(cell, CELL_ERROR, status);
	trace_point(end, end->role, creator, timeline, point, status);
	note(end->test, SPEAKER_SUITE, "ends timeline %u of %s with %s",
	     timeline, owner(end, creator), wire_status_name(status));
	end_notify(end);
}

/* ---- what the IUT signals ----------------------------------------------- */

static bool is_signalled_by_iut(const struct end *end,
				enum hdmabuf_role creator, uint32_t signaller)
{
	return (creator == end->role) == (signaller == HDMABUF_SIGNALLER_PEER);
}

void timeline_opened(struct end *end, enum hdmabuf_role creator,
		     const message_t request)
{
	uint32_t number = (uint32_t)wire_get(request, TIMELINE_NUMBER);
	uint32_t signaller = (uint32_t)wire_get(request, TIMELINE_SIGNALLER);
	struct watched *watched;

	if (number >= END_CELLS || number >= end->cell_count)
		return;
	watched = &end->watched[creator][number];
	memset(watched, 0, sizeof(*watched));
	watched->open = is_signalled_by_iut(end, creator, signaller);
	watched->point = wire_get(request, TIMELINE_POINT);
}

void timeline_closed(struct end *end, enum hdmabuf_role creator,
		     uint32_t timeline)
{
	if (timeline < END_CELLS)
		end->watched[creator][timeline].open = false;
}

void end_forget_timelines(struct end *end)
{
	memset(end->watched, 0, sizeof(end->watched));
}

static bool look(struct end *end, enum hdmabuf_role creator, uint32_t timeline)
{
	struct watched *watched = &end->watched[creator][timeline];
	const uint8_t *cell = end_cell(end, creator, timeline);
	uint32_t failure = shared_load(cell, CELL_ERROR);
	uint64_t point;

	if (!cell_point(cell, &point) ||
	    (point == watched->point && failure == watched->failure))
		return false;
	watched->point = point;
	watched->failure = failure;
	trace_point(end, end->test->setup->role, creator, timeline, point,
		    failure);
	if (failure)
		note(end->test, SPEAKER_IUT,
		     "has ended timeline %u of %s with %s at point %" PRIu64,
		     timeline, owner(end, creator),
		     wire_status_name((uint16_t)failure), point);
	else
		note(end->test, SPEAKER_IUT,
		     "has signalled point %" PRIu64 " of timeline %u of %s",
		     point, timeline, owner(end, creator));
	return true;
}

bool timelines_step(struct end *end)
{
	bool any = false;

	for (uint32_t i = 0; i < END_CELLS && i < end->cell_count; i++)
		for (int creator = 0; creator < 2; creator++)
			if (end->watched[creator][i].open)
				any |= look(end, (enum hdmabuf_role)creator, i);
	return any;
}

static bool is_reached(const struct watched *watched, uint64_t point)
{
	return watched->point >= point || watched->failure;
}

bool timelines_arm(struct end *end)
{
	bool any = false;

	for (uint32_t i = 0; i < END_CELLS && i < end->cell_count; i++)
		for (int creator = 0; creator < 2; creator++) {
			struct watched *watched = &end->watched[creator][i];
			enum hdmabuf_role role = (enum hdmabuf_role)creator;

			if (!watched->open || !watched->wanted ||
			    is_reached(watched, watched->wanted))
				continue;
			shared_store(end_cell(end, role, i), CELL_WAKE,
				     (uint32_t)watched->wanted);
			shared_barrier();
			any |= look(end, role, i);
		}
	return any;
}

bool end_await_point(struct end *end, enum hdmabuf_role creator,
		     uint32_t timeline, uint64_t point)
{
	uint64_t deadline = test_deadline(end->test);
	struct watched *watched = &end->watched[creator][timeline];

	watched->wanted = point;
	while (!is_reached(watched, point) && end->cells[creator] &&
	       test_wait(end->test, deadline) && test_iut_is_running(end->test))
		;
	watched->wanted = 0;
	return is_reached(watched, point);
}

uint16_t end_create_timeline(struct end *end, uint32_t timeline,
			     uint32_t signaller, uint64_t point)
{
	uint8_t *cell = end_cell(end, end->role, timeline);
	message_t message;

	memset(cell, 0, WIRE_CELL_OCTETS);
	cell_signal(cell, point);
	message_init(message, HDMABUF_OP_TIMELINE_CREATE);
	wire_put(message, TIMELINE_NUMBER, timeline);
	wire_put(message, TIMELINE_SIGNALLER, signaller);
	wire_put(message, TIMELINE_POINT, point);
	return end_ask(end, message, NULL);
}
