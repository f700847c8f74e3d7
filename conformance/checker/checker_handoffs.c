/* SPDX-License-Identifier: MIT */
/*
 * checker_handoffs.c - hand-offs, alone and in groups
 */
#include "conformance/checker/checker_state.h"

#include <inttypes.h>

bool has_more(const struct flight *flight)
{
	return wire_get(flight->message, HAND_OFF_FLAGS) &
	       HDMABUF_HAND_OFF_MORE;
}

/* ---- Timelines ---------------------------------------------------------- */

/* What a hand-off says of one of its two timelines. */
struct naming {
	const char *name;
	unsigned int timeline;
	unsigned int point;
	bool by_sender; /* it is signalled by the sender */
};

static const struct naming waiting = { "wait_timeline", HAND_OFF_WAIT_TIMELINE,
				       HAND_OFF_WAIT_POINT, true };
static const struct naming signalling = { "signal_timeline",
					  HAND_OFF_SIGNAL_TIMELINE,
					  HAND_OFF_SIGNAL_POINT, false };

static void find_timeline_fault(const struct pair *pair,
				const struct flight *flight,
				const struct naming *naming, enum side side,
				struct fault *fault)
{
	uint64_t number = wire_get(flight->message, naming->timeline);
	const struct timeline *timeline;

	if (number == HDMABUF_NO_TIMELINE) {
		if (wire_get(flight->message, naming->point))
			blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID,
			      HDB_BOTH_038, "it names a point, and no \"%s\"",
			      naming->name);
		return;
	}
	timeline = timeline_find(pair, flight->sender, number, side);
	if (!timeline)
		blame(fault, RANK_EXISTENCE, HDMABUF_STATUS_NO_SUCH_TIMELINE,
		      HDB_BOTH_038,
		      "\"%s\": the %s has not created timeline %" PRIu64,
		      naming->name, end_name(flight->sender), number);
	else if ((timeline->signaller == flight->sender) != naming->by_sender)
		blame(fault, RANK_ROLE, HDMABUF_STATUS_WRONG_ROLE, HDB_BOTH_038,
		      "\"%s\": timeline %" PRIu64 " is signalled by the %s",
		      naming->name, number, end_name(timeline->signaller));
}

static struct timeline *signal_timeline(const struct pair *pair,
					const struct flight *flight,
					enum side side)
{
	return timeline_find(
		pair, flight->sender,
		wire_get(flight->message, HAND_OFF_SIGNAL_TIMELINE), side);
}

/* The greatest point that the sender has named and that was not refused. */
static uint64_t named_by_sender(const struct pair *pair,
				const struct flight *flight,
				const struct timeline *timeline)
{
	const struct flight *other = pair->ends[flight->sender].flights;
	uint64_t named = timeline->named;

	for (; other; other = other->next) {
		uint64_t point =
			wire_get(other->message, HAND_OFF_SIGNAL_POINT);

		if (other->operation == HDMABUF_OP_HAND_OFF &&
		    other->timeline == timeline &&
		    other->life == timeline->life && point > named)
			named = point;
	}
	return named;
}

static void find_point_fault(const struct pair *pair,
			     const struct flight *flight, enum side side,
			     struct fault *fault)
{
	const struct timeline *timeline = signal_timeline(pair, flight, side);
	uint64_t point = wire_get(flight->message, HAND_OFF_SIGNAL_POINT);
	uint64_t named;

	/* To the receiver, it may be one that has come later. */
	if (!timeline || (side == RECEIVER && (flight->timeline != timeline ||
					       flight->life != timeline->life)))
		return;
	named = side == SENDER ? named_by_sender(pair, flight, timeline) :
				 timeline->named;
	if (point <= named)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID,
		      side == SENDER ? HDB_BOTH_046 : HDB_BOTH_047,
		      "its signal point is %" PRIu64 ", after %" PRIu64, point,
		      named);
	else if (side == RECEIVER && point <= flight->reached)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_047,
		      "its signal point is %" PRIu64 ", and %" PRIu64
		      " was reached before",
		      point, flight->reached);
}

/* ---- Whose turn it is --------------------------------------------------- */

static void find_lent_fault(const struct flight *flight, enum side side,
			    struct fault *fault)
{
	const struct buffer *buffer = flight->buffer;
	bool has_it = flight->was_held;
	char id[SHORT_ID];

	if (is_exporter(flight))
		has_it = !buffer->held;
	else if (side == SENDER)
		has_it = buffer->held;

	/* The exporter has sent it, and it is only not answered yet. */
	if (buffer_rights(buffer) != HDMABUF_RIGHTS_LEND || has_it ||
	    (!is_exporter(flight) && side == RECEIVER &&
	     buffer->state[HDMABUF_EXPORTER] == HDMABUF_BUFFER_LENT))
		return;
	if (blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE, HDB_BOTH_051,
		  "the %s does not have buffer %s, right LEND",
		  end_name(flight->sender), short_id(buffer->id, id)))
		fault->doubtful = side == RECEIVER;
}

/* The exporter's state, as its own hand-offs have made it. */
static void find_exporter_fault(const struct flight *flight,
				struct fault *fault)
{
	const struct buffer *buffer = flight->buffer;
	char id[SHORT_ID];

	short_id(buffer->id, id);
	switch (buffer->state[HDMABUF_EXPORTER]) {
	case HDMABUF_BUFFER_EXPORTING:
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_EXP_007, "EXPORT of buffer %s is not answered", id);
		break;
	case HDMABUF_BUFFER_LENT:
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_EXP_009, "buffer %s is lent", id);
		break;
	case HDMABUF_BUFFER_RETIRING:
	case HDMABUF_BUFFER_NONE:
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_038, "UNEXPORT of buffer %s was sent before",
		      id);
		break;
	}
}

static void find_importer_fault(const struct pair *pair,
				const struct flight *flight,
				struct fault *fault)
{
	const struct buffer *buffer = flight->buffer;
	char id[SHORT_ID];

	if (must_know(pair, flight->sender, buffer->retired, flight->sender))
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_IMP_021, "UNEXPORT of buffer %s was answered before",
		      short_id(buffer->id, id));
	find_lent_fault(flight, SENDER, fault);
}

static void find_receiver_fault(const struct flight *flight,
				struct fault *fault)
{
	char id[SHORT_ID];

	if (is_retiring(flight))
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_038, "buffer %s is wanted back, by UNEXPORT",
		      short_id(flight->buffer->id, id));
	find_lent_fault(flight, RECEIVER, fault);
}

static void find_turn_fault(const struct pair *pair,
			    const struct flight *flight, enum side side,
			    struct fault *fault)
{
	if (side == RECEIVER)
		find_receiver_fault(flight, fault);
	else if (is_exporter(flight))
		find_exporter_fault(flight, fault);
	else
		find_importer_fault(pair, flight, fault);
	if (!is_exporter(flight) &&
	    buffer_rights(flight->buffer) == HDMABUF_RIGHTS_READ_ONLY)
		blame(fault, RANK_PROVIDED, HDMABUF_STATUS_DENIED, HDB_EXP_010,
		      "the importer has nothing to hand back of a buffer of "
		      "right READ_ONLY");
}

/* ---- Groups ------------------------------------------------------------- */

static void find_group_fault(const struct pair *pair,
			     const struct flight *flight, enum side side,
			     struct fault *fault)
{
	const struct end *sender = &pair->ends[flight->sender];
	unsigned int before = side == RECEIVER	 ? sender->group_due :
			      sender->group_open ? sender->group_count :
						   0;

	if (has_more(flight) && before >= GROUP - 1)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "it is the fourth of a group, and has the flag MORE");
}

static struct member member_of(const struct flight *flight)
{
	return (struct member){
		(uint32_t)wire_get(flight->message, HAND_OFF_SIGNAL_TIMELINE),
		wire_get(flight->message, HAND_OFF_SIGNAL_POINT),
	};
}

/* What the sender has said of the group. */
static void extend_group(struct pair *pair, const struct flight *flight)
{
	struct end *sender = &pair->ends[flight->sender];

	if (!sender->group_open)
		sender->group_count = 0;
	sender->group_open = has_more(flight) &&
			     pair->features & HDMABUF_FEATURE_GROUP;
	if (!sender->group_open || sender->group_count == GROUP)
		return;
	sender->group[sender->group_count++] = member_of(flight);
}

/* Without MORE, the group ends, refused or not. */
static void count_group(struct pair *pair, const struct flight *flight,
			bool accepted)
{
	struct end *sender = &pair->ends[flight->sender];

	if (!has_more(flight))
		sender->group_due = 0;
	else if (accepted && pair->features & HDMABUF_FEATURE_GROUP)
		sender->group_due++;
}

/* A hand-off that is refused is not part of the group. */
static void shrink_group(struct pair *pair, const struct flight *flight)
{
	struct end *sender = &pair->ends[flight->sender];
	struct member refused = member_of(flight);
	unsigned int i = 0;

	if (!has_more(flight) || !sender->group_open)
		return;
	while (i < sender->group_count &&
	       (sender->group[i].timeline != refused.timeline ||
		sender->group[i].point != refused.point))
		i++;
	if (i == sender->group_count)
		return;
	sender->group[i] = sender->group[--sender->group_count];
	if (!sender->group_count)
		sender->group_open = false;
}

/* ---- HAND_OFF ----------------------------------------------------------- */

static void find_hand_off_fault(struct pair *pair, const struct flight *flight,
				enum side side, struct fault *fault)
{
	enum existence existence =
		find_existence_fault(pair, flight, side, fault);

	find_timeline_fault(pair, flight, &waiting, side, fault);
	find_timeline_fault(pair, flight, &signalling, side, fault);
	if (existence == THERE)
		find_turn_fault(pair, flight, side, fault);
	find_point_fault(pair, flight, side, fault);
	if (wire_get(flight->message, HAND_OFF_FLAGS) > HDMABUF_HAND_OFF_MORE)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "there are no flags 0x%" PRIx64,
		      wire_get(flight->message, HAND_OFF_FLAGS));
	find_group_fault(pair, flight, side, fault);
}

static enum hdmabuf_buffer_event event_of(const struct flight *flight)
{
	if (!is_exporter(flight))
		return HDMABUF_BUFFER_HAND_BACK;
	return buffer_rights(flight->buffer) == HDMABUF_RIGHTS_LEND ?
		       HDMABUF_BUFFER_LEND :
		       HDMABUF_BUFFER_HAND_OFF;
}

/* The sender's view of it moves at once: it has passed the buffer on. */
static void pass_on(struct flight *flight)
{
	struct buffer *buffer = flight->buffer;
	int state = buffer->state[HDMABUF_EXPORTER];
	int next = buffer_next(HDMABUF_EXPORTER, state, event_of(flight));

	if (!is_exporter(flight)) {
		flight->was_held = buffer->held;
		buffer->held = false;
	} else if (next >= 0) {
		flight->moved = true;
		flight->was = state;
		buffer->state[HDMABUF_EXPORTER] = next;
	}
}

static void hand_off_sent(struct pair *pair, struct flight *flight)
{
	flight->timeline = signal_timeline(pair, flight, SENDER);
	if (flight->timeline) {
		flight->reached = flight->timeline->reached;
		flight->life = flight->timeline->life;
	}
	extend_group(pair, flight);
	if (flight->buffer)
		pass_on(flight);
}

static void hand_off_accepted(struct pair *pair, struct flight *flight,
			      const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;
	uint64_t point = wire_get(flight->message, HAND_OFF_SIGNAL_POINT);
	int next;

	(void)answer;
	count_group(pair, flight, true);
	if (flight->timeline && flight->life == flight->timeline->life &&
	    point > flight->timeline->named)
		flight->timeline->named = point;
	if (!buffer)
		return;
	buffer->accepted[other_end(flight->sender)]++;
	if (is_exporter(flight)) {
		buffer->held = buffer_rights(buffer) == HDMABUF_RIGHTS_LEND;
		return;
	}
	next = buffer_next(HDMABUF_EXPORTER, buffer->state[HDMABUF_EXPORTER],
			   HDMABUF_BUFFER_HAND_BACK);
	if (next >= 0)
		buffer->state[HDMABUF_EXPORTER] = next;
}

static void hand_off_refused(struct pair *pair, struct flight *flight,
			     const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;

	(void)answer;
	count_group(pair, flight, false);
	shrink_group(pair, flight);
	if (!buffer)
		return;
	buffer->hand_offs_refused = true;
	if (flight->was_held)
		buffer->held = true;
	if (flight->moved &&
	    buffer->state[HDMABUF_EXPORTER] == HDMABUF_BUFFER_LENT)
		buffer->state[HDMABUF_EXPORTER] = flight->was;
}

const struct rule hand_off_rules[] = {
	{ HDMABUF_OP_HAND_OFF, 0,
	  STATUS(NOT_NEGOTIATED) | STATUS(NO_SUCH_BUFFER) |
		  STATUS(NO_SUCH_TIMELINE) | STATUS(WRONG_ROLE) |
		  STATUS(INVALID) | STATUS(DENIED),
	  hand_off_sent, find_hand_off_fault, hand_off_accepted,
	  hand_off_refused },
	{ 0 },
};
