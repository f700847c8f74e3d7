/* SPDX-License-Identifier: MIT */
/*
 * checker_timelines.c - timelines and their points
 */
#include "conformance/checker/checker_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* NULL if there was never one of this number. */
static struct timeline *timeline_place(const struct pair *pair,
				       unsigned int creator, uint64_t number)
{
	const struct end *end = &pair->ends[creator];

	return number < end->timeline_count ? end->timelines[number] : NULL;
}

/* A creator that has sent TIMELINE_DESTROY has it no more. */
static bool is_there(const struct timeline *timeline, enum side side)
{
	int state = timeline->state[side == SENDER ? HDMABUF_TIMELINE_CREATOR :
						     HDMABUF_TIMELINE_PEER];

	return state != HDMABUF_TIMELINE_NONE &&
	       state != HDMABUF_TIMELINE_ENDING;
}

struct timeline *timeline_find(const struct pair *pair, unsigned int creator,
			       uint64_t number, enum side side)
{
	struct timeline *timeline = timeline_place(pair, creator, number);

	return timeline && is_there(timeline, side) ? timeline : NULL;
}

void timelines_free(struct end *end)
{
	for (uint32_t i = 0; i < end->timeline_count; i++)
		free(end->timelines[i]);
	free(end->timelines);
}

static bool make_room(struct end *end, uint32_t count)
{
	struct timeline **wider;

	if (count <= end->timeline_count)
		return true;
	wider = realloc(end->timelines, count * sizeof(*wider));
	if (!wider)
		return false;
	memset(wider + end->timeline_count, 0,
	       (count - end->timeline_count) * sizeof(*wider));
	end->timelines = wider;
	end->timeline_count = count;
	return true;
}

static struct timeline *timeline_make(struct pair *pair, unsigned int creator,
				      uint32_t number)
{
	struct end *end = &pair->ends[creator];

	if (!make_room(end, number + 1) ||
	    (!end->timelines[number] &&
	     !(end->timelines[number] = calloc(1, sizeof(struct timeline))))) {
		pair->blind = true;
		return NULL;
	}
	return end->timelines[number];
}

static uint64_t number_of(const struct flight *flight)
{
	return wire_get(flight->message, TIMELINE_NUMBER);
}

/* Moves the state of one role, if the table says how. */
static bool move(struct timeline *timeline, enum hdmabuf_timeline_role role,
		 enum hdmabuf_timeline_event event)
{
	int next = timeline_next(role, timeline->state[role], event);

	if (next >= 0)
		timeline->state[role] = next;
	return next >= 0;
}

/* ---- TIMELINE_CREATE ---------------------------------------------------- */

/* How many timelines the sender of a request may have. */
static uint64_t timelines_allowed(const struct pair *pair, unsigned int creator)
{
	const struct limits *limits = &pair->ends[other_end(creator)].limits;
	uint64_t allowed = UINT32_MAX;
	uint64_t cells;

	if (limits->known)
		allowed = limits->max_timelines;
	if (!pair->channel.known)
		return allowed;
	cells = pair->channel.timeline_pages * page_octets(pair) /
		HDMABUF_CELL_OCTETS;
	return cells < allowed ? cells : allowed;
}

static void find_create_fault(struct pair *pair, const struct flight *flight,
			      enum side side, struct fault *fault)
{
	uint64_t number = number_of(flight);
	uint64_t signaller = wire_get(flight->message, TIMELINE_SIGNALLER);
	uint64_t allowed = timelines_allowed(pair, flight->sender);

	if (timeline_find(pair, flight->sender, number, side))
		blame(fault, RANK_VALUE, HDMABUF_STATUS_DUPLICATE, HDB_BOTH_038,
		      "timeline %" PRIu64 " is there already", number);
	if (signaller < HDMABUF_SIGNALLER_CREATOR ||
	    signaller > HDMABUF_SIGNALLER_PEER)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "there is no signaller %" PRIu64, signaller);
	if (number >= allowed)
		blame(fault, RANK_LIMIT, HDMABUF_STATUS_LIMIT,
		      side == SENDER ? HDB_BOTH_052 : HDB_BOTH_021,
		      "timeline %" PRIu64 " is not one of the %" PRIu64
		      " that there may be",
		      number, allowed);
}

/*
 * To its creator, a timeline is there when TIMELINE_CREATE is sent, and gone when
 * TIMELINE_DESTROY is: the table wants it to wait for the answer in between, but no
 * clause does. To the other end, all is as it has answered.
 */
static void create_sent(struct pair *pair, struct flight *flight)
{
	uint64_t number = number_of(flight);
	uint64_t signaller = wire_get(flight->message, TIMELINE_SIGNALLER);
	struct timeline *timeline;

	if (number >= TIMELINES)
		return;
	timeline = timeline_make(pair, flight->sender, (uint32_t)number);
	flight->timeline = timeline;
	if (!timeline || is_there(timeline, SENDER))
		return;
	flight->moved = true;
	flight->before = *timeline;
	flight->life = ++timeline->life;
	timeline->state[HDMABUF_TIMELINE_CREATOR] = HDMABUF_TIMELINE_OPENING;
	timeline->signaller = signaller == HDMABUF_SIGNALLER_CREATOR ?
				      flight->sender :
				      other_end(flight->sender);
	timeline->reached = wire_get(flight->message, TIMELINE_POINT);
	timeline->named = timeline->reached;
}

/* When nothing of it is on its way any more, both ends know the same. */
static void agree(const struct pair *pair, const struct flight *flight)
{
	const struct flight *other = pair->ends[flight->sender].flights;
	struct timeline *timeline = flight->timeline;

	for (; other; other = other->next)
		if (other->timeline == timeline &&
		    other->operation != HDMABUF_OP_HAND_OFF)
			return;
	timeline->state[HDMABUF_TIMELINE_CREATOR] =
		timeline->state[HDMABUF_TIMELINE_PEER];
}

static void create_accepted(struct pair *pair, struct flight *flight,
			    const uint8_t *answer)
{
	(void)answer;
	if (!flight->timeline)
		return;
	move(flight->timeline, HDMABUF_TIMELINE_PEER, HDMABUF_TIMELINE_CREATE);
	agree(pair, flight);
}

static void create_refused(struct pair *pair, struct flight *flight,
			   const uint8_t *answer)
{
	struct timeline *timeline = flight->timeline;
	int peer;

	(void)answer;
	if (!timeline)
		return;
	if (flight->moved && flight->life == timeline->life) {
		peer = timeline->state[HDMABUF_TIMELINE_PEER];
		*timeline = flight->before;
		timeline->state[HDMABUF_TIMELINE_PEER] = peer;
	}
	agree(pair, flight);
}

/* ---- TIMELINE_DESTROY --------------------------------------------------- */

static void find_destroy_fault(struct pair *pair, const struct flight *flight,
			       enum side side, struct fault *fault)
{
	if (!timeline_find(pair, flight->sender, number_of(flight), side))
		blame(fault, RANK_EXISTENCE, HDMABUF_STATUS_NO_SUCH_TIMELINE,
		      HDB_BOTH_038, "the %s has no timeline %" PRIu64,
		      end_name(flight->sender), number_of(flight));
}

static void destroy_sent(struct pair *pair, struct flight *flight)
{
	struct timeline *timeline =
		timeline_place(pair, flight->sender, number_of(flight));

	flight->timeline = timeline;
	if (timeline && is_there(timeline, SENDER))
		timeline->state[HDMABUF_TIMELINE_CREATOR] =
			HDMABUF_TIMELINE_ENDING;
}

static void destroy_accepted(struct pair *pair, struct flight *flight,
			     const uint8_t *answer)
{
	(void)answer;
	if (!flight->timeline)
		return;
	move(flight->timeline, HDMABUF_TIMELINE_PEER, HDMABUF_TIMELINE_DESTROY);
	agree(pair, flight);
}

static void destroy_refused(struct pair *pair, struct flight *flight,
			    const uint8_t *answer)
{
	(void)answer;
	if (flight->timeline)
		agree(pair, flight);
}

/* ---- Points ------------------------------------------------------------- */

/* HDB-BOTH-048: what a group asks for is not done before the group is complete. */
static void check_group(struct pair *pair, unsigned int signaller,
			unsigned int creator, uint64_t number, uint64_t point)
{
	const struct end *sender = &pair->ends[creator];

	if (signaller == creator || !sender->group_open)
		return;
	for (unsigned int i = 0; i < sender->group_count; i++)
		if (sender->group[i].timeline == number &&
		    sender->group[i].point <= point)
			report(pair, HDB_BOTH_048, signaller,
			       "signalled point %" PRIu64
			       " of timeline %" PRIu64
			       ", which says that a hand-off is done whose "
			       "group is not complete",
			       point, number);
}

static void check_point(struct pair *pair, unsigned int end,
			unsigned int creator, uint64_t number,
			struct timeline *timeline, uint64_t point)
{
	if (end != timeline->signaller)
		report(pair, HDB_BOTH_054, end,
		       "wrote point %" PRIu64 " of timeline %" PRIu64
		       " of the %s, which the %s signals",
		       point, number, end_name(creator),
		       end_name(timeline->signaller));
	else if (point < timeline->reached)
		report(pair, HDB_BOTH_055, end,
		       "point of timeline %" PRIu64 " of the %s: %" PRIu64
		       " after %" PRIu64,
		       number, end_name(creator), point, timeline->reached);
	else
		timeline->reached = point;
}

void on_point(struct pair *pair, unsigned int end, const uint8_t *octets)
{
	const unsigned int place_creator = WIRE_PLACE(0, 4);
	const unsigned int place_number = WIRE_PLACE(4, 4);
	const unsigned int place_point = WIRE_PLACE(8, 8);
	uint64_t creator = wire_get(octets, place_creator);
	uint64_t number = wire_get(octets, place_number);
	uint64_t point = wire_get(octets, place_point);
	struct timeline *timeline;

	if (creator >= ENDS || pair->over)
		return;
	timeline = timeline_place(pair, (unsigned int)creator, number);
	if (!timeline ||
	    timeline->state[HDMABUF_TIMELINE_CREATOR] == HDMABUF_TIMELINE_NONE)
		return;
	check_point(pair, end, (unsigned int)creator, number, timeline, point);
	check_group(pair, end, (unsigned int)creator, number, point);
}

const struct rule timeline_rules[] = {
	{ HDMABUF_OP_TIMELINE_CREATE, 0, STATUS(DUPLICATE) | STATUS(INVALID),
	  create_sent, find_create_fault, create_accepted, create_refused },
	{ HDMABUF_OP_TIMELINE_DESTROY, 0, STATUS(NO_SUCH_TIMELINE),
	  destroy_sent, find_destroy_fault, destroy_accepted, destroy_refused },
	{ 0 },
};
