/* SPDX-License-Identifier: MIT */
/*
 * checker_session.c - records, the channel page, HELLO and CLOSE
 */
#include "conformance/checker/checker_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Records ------------------------------------------------------------ */

/* A key of a record, and the numbers that it may have. */
struct key {
	const char *name;
	uint64_t low;
	uint64_t high;
	bool optional;
	size_t place; /* in struct record */
};

#define PLACE(member) offsetof(struct record, member)

static const struct key backend_keys[] = {
	{ "epoch", 1, UINT64_MAX, false, PLACE(epoch) },
	{ "version-min", 0, UINT32_MAX, false, PLACE(version_min) },
	{ "version-max", 0, UINT32_MAX, false, PLACE(version_max) },
	{ "features", 0, UINT64_MAX, false, PLACE(features) },
	{ "ring-formats", 0, UINT64_MAX, false, PLACE(ring_formats) },
	{ "ring-order-max", 0, HDMABUF_RING_ORDER_MAX, false,
	  PLACE(ring_order_max) },
	{ "timeline-max", 0, HDMABUF_TIMELINE_PAGES_MAX, false,
	  PLACE(timeline_max) },
	{ "error", 1, UINT16_MAX, true, PLACE(error) },
	{ 0 },
};

static const struct key frontend_keys[] = {
	{ "epoch", 1, UINT64_MAX, false, PLACE(epoch) },
	{ "peer-epoch", 1, UINT64_MAX, false, PLACE(peer_epoch) },
	{ "channel", 1, UINT64_MAX, false, PLACE(channel) },
	{ 0 },
};

static bool read_key(struct pair *pair, unsigned int end, const struct key *key,
		     struct record *record)
{
	uint64_t *value = (uint64_t *)(void *)((char *)record + key->place);
	int found = wire_record_get(record->text, key->name, value);
	const char *why = NULL;

	if (found < 0)
		why = "is not a number in the right form, or comes twice";
	else if (!found && !key->optional)
		why = "is missing";
	else if (found && (*value < key->low || *value > key->high))
		why = "is out of range";
	if (why)
		report(pair, HDB_BOTH_004, end, "record: \"%s\" %s", key->name,
		       why);
	return !why;
}

static bool read_record(struct pair *pair, unsigned int end,
			struct record *record)
{
	const struct key *key = end == HDMABUF_FRONTEND ? frontend_keys :
							  backend_keys;

	for (; key->name; key++)
		if (!read_key(pair, end, key, record))
			return false;
	if (record->version_min > record->version_max) {
		report(pair, HDB_BOTH_004, end,
		       "record: \"version-min\" %" PRIu64
		       " exceeds \"version-max\" %" PRIu64,
		       record->version_min, record->version_max);
		return false;
	}
	return true;
}

/* An offer that says why the last channel was refused is a new one (HDB-BE-003). */
static void check_epoch(struct pair *pair, unsigned int end,
			const struct record *old, const struct record *new)
{
	bool is_same = old->there && old->epoch == new->epoch;
	bool is_new = epoch_is_new(pair, end, new->epoch);

	if (is_same && new->error != old->error)
		report(pair, HDB_BE_003, end,
		       "record: it tells of error %" PRIu64
		       ", and has the epoch of the offer before",
		       new->error);
	else if (is_same || !is_new)
		report(pair, HDB_BOTH_015, end,
		       "record: epoch %" PRIu64 " was used before", new->epoch);
}

/* The frontend has published what its channel page is for. */
static void check_published(struct pair *pair, const struct record *record)
{
	struct channel_page *channel = &pair->channel;

	channel->published = true;
	if (record->epoch == channel->epoch[HDMABUF_FRONTEND])
		return;
	snprintf(channel->wrong, sizeof(channel->wrong),
		 "epoch_frontend is 0x%" PRIx64
		 ", the epoch of the record 0x%" PRIx64,
		 channel->epoch[HDMABUF_FRONTEND], record->epoch);
	report(pair, HDB_FE_002, HDMABUF_FRONTEND, "channel page: %s",
	       channel->wrong);
}

static void record_changed(struct pair *pair, unsigned int end)
{
	const struct record *record = &pair->records[end];
	const struct channel_page *channel = &pair->channel;

	if (end == HDMABUF_FRONTEND && pair->observer == end && channel->seen &&
	    !channel->published && record->there)
		check_published(pair, record);
	else if (!channel->seen || !record->there ||
		 record->epoch != channel->epoch[end])
		pair->over = true;
}

static void record_free(struct record *record)
{
	free(record->text);
	*record = (struct record){ 0 };
}

void records_free(struct pair *pair)
{
	for (unsigned int end = 0; end < ENDS; end++)
		record_free(&pair->records[end]);
}

static char *copy_text(struct pair *pair, const void *text, size_t length)
{
	char *copy = malloc(length + 1);

	if (!copy) {
		pair->blind = true;
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

static bool is_printable(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
			return false;
	return true;
}

static void replace_record(struct pair *pair, unsigned int end,
			   struct record *new, size_t length)
{
	struct record *old = &pair->records[end];

	if (!is_printable(new->text, length))
		report(pair, HDB_BOTH_004, end,
		       "record: it is not printable ASCII");
	else if (length)
		new->there = read_record(pair, end, new);
	if (new->there)
		check_epoch(pair, end, old, new);
	record_free(old);
	*old = *new;
	record_changed(pair, end);
}

void on_record(struct pair *pair, unsigned int end, const void *text,
	       size_t length)
{
	const struct record *old = &pair->records[end];
	struct record new = { .text = copy_text(pair, text, length) };

	if (!new.text)
		return;
	/* The same once more says nothing. */
	if (old->text && strlen(old->text) == length &&
	    !memcmp(old->text, new.text, length))
		free(new.text);
	else
		replace_record(pair, end, &new, length);
}

/* ---- The channel page --------------------------------------------------- */

/* A field of the channel page, and what it must be in the eyes of the backend. */
static void check_field(struct channel_page *channel, const char *name,
			uint64_t value, uint64_t low, uint64_t high)
{
	if (*channel->wrong || (value >= low && value <= high))
		return;
	if (low == high)
		snprintf(channel->wrong, sizeof(channel->wrong),
			 "\"%s\" is %" PRIu64 ", expected %" PRIu64, name,
			 value, low);
	else
		snprintf(channel->wrong, sizeof(channel->wrong),
			 "\"%s\" is %" PRIu64 ", expected %" PRIu64
			 " to %" PRIu64,
			 name, value, low, high);
}

static void check_offered(const struct pair *pair, struct channel_page *channel,
			  const uint8_t *page)
{
	const struct record *offer = &pair->records[HDMABUF_BACKEND];
	const struct record *answer = &pair->records[HDMABUF_FRONTEND];
	uint64_t format = wire_get(page, CHANNEL_RING_FORMAT);

	if (pair->observer == HDMABUF_BACKEND && answer->there)
		check_field(channel, "epoch_frontend",
			    channel->epoch[HDMABUF_FRONTEND], answer->epoch,
			    answer->epoch);
	if (!offer->there)
		return;
	check_field(channel, "version", wire_get(page, CHANNEL_VERSION),
		    offer->version_min, offer->version_max);
	check_field(channel, "epoch_backend", channel->epoch[HDMABUF_BACKEND],
		    offer->epoch, offer->epoch);
	if (format >= 64 || !(offer->ring_formats >> format & 1))
		check_field(channel, "ring_format", format, 0, 0);
	check_field(channel, "frontend_ring_order",
		    wire_get(page, CHANNEL_FRONTEND_RING_ORDER), 0,
		    offer->ring_order_max);
	check_field(channel, "backend_ring_order",
		    wire_get(page, CHANNEL_BACKEND_RING_ORDER), 0,
		    offer->ring_order_max);
	check_field(channel, "timeline_pages", channel->timeline_pages, 0,
		    offer->timeline_max);
}

static void check_references(struct channel_page *channel, const uint8_t *page,
			     size_t length)
{
	uint64_t count = wire_get(page, CHANNEL_REFERENCES);
	uint64_t sum = ((uint64_t)1 << channel->ring_order[HDMABUF_FRONTEND]) +
		       ((uint64_t)1 << channel->ring_order[HDMABUF_BACKEND]) +
		       2 * (uint64_t)channel->timeline_pages;

	check_field(channel, "references", count, sum, sum);
	if (*channel->wrong || (length - WIRE_CHANNEL_OCTETS) / 8 < count)
		return;
	for (uint64_t i = 0; i < count; i++)
		if (wire_is_zero(page + WIRE_CHANNEL_OCTETS + 8 * i, 8))
			snprintf(channel->wrong, sizeof(channel->wrong),
				 "reference %" PRIu64 " is zero", i);
}

/* Larger orders than there are would not fit the sums. */
static void read_channel(struct channel_page *channel, const uint8_t *page)
{
	uint64_t front = wire_get(page, CHANNEL_FRONTEND_RING_ORDER);
	uint64_t back = wire_get(page, CHANNEL_BACKEND_RING_ORDER);
	uint64_t shift = wire_get(page, CHANNEL_PAGE_SHIFT);
	uint64_t pages = wire_get(page, CHANNEL_TIMELINE_PAGES);

	channel->epoch[HDMABUF_FRONTEND] =
		wire_get(page, CHANNEL_EPOCH_FRONTEND);
	channel->epoch[HDMABUF_BACKEND] = wire_get(page, CHANNEL_EPOCH_BACKEND);
	check_field(channel, "magic", wire_get(page, CHANNEL_MAGIC),
		    HDMABUF_CHANNEL_MAGIC, HDMABUF_CHANNEL_MAGIC);
	check_field(channel, "page_shift", shift, HDMABUF_PAGE_SHIFT_MIN,
		    HDMABUF_PAGE_SHIFT_MAX);
	check_field(channel, "frontend_ring_order", front, 0,
		    HDMABUF_RING_ORDER_MAX);
	check_field(channel, "backend_ring_order", back, 0,
		    HDMABUF_RING_ORDER_MAX);
	check_field(channel, "timeline_pages", pages, 0,
		    HDMABUF_TIMELINE_PAGES_MAX);
	channel->known = !*channel->wrong;
	if (!channel->known)
		return;
	channel->page_shift = (uint32_t)shift;
	channel->ring_order[HDMABUF_FRONTEND] = (uint32_t)front;
	channel->ring_order[HDMABUF_BACKEND] = (uint32_t)back;
	channel->timeline_pages = (uint32_t)pages;
}

void on_channel(struct pair *pair, const uint8_t *page, size_t length)
{
	struct channel_page *channel = &pair->channel;
	const struct wire_field *field;
	size_t offset;

	session_begin(pair);
	if (length < WIRE_CHANNEL_OCTETS)
		return;
	channel->seen = true;
	read_channel(channel, page);
	if (channel->known) {
		check_offered(pair, channel, page);
		check_references(channel, page, length);
	}
	if (*channel->wrong) {
		report(pair, HDB_FE_002, HDMABUF_FRONTEND, "channel page: %s",
		       channel->wrong);
		return;
	}
	field = wire_find_nonzero(wire_channel_format(), page, &offset);
	if (!field)
		return;
	snprintf(channel->wrong, sizeof(channel->wrong),
		 "the field \"%s\" must be zero, and is not at octet %zu",
		 field->name, offset);
	report(pair, HDB_BOTH_001, HDMABUF_FRONTEND, "channel page: %s",
	       channel->wrong);
}

/* ---- What a session is in a state for ----------------------------------- */

static void find_frontend_fault(const struct pair *pair,
				const struct flight *flight,
				struct fault *fault)
{
	bool is_hello = flight->operation == HDMABUF_OP_HELLO;

	if (is_hello && pair->hello != HELLO_NONE)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_FE_006, "HELLO was sent before in this session");
	else if (is_hello || pair->hello == HELLO_ACCEPTED)
		return;
	else if (pair->hello == HELLO_NONE)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_FE_006, "it is sent before HELLO");
	else if (pair->hello == HELLO_SENT)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_FE_006, "it is sent before HELLO is answered");
	else
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_FE_005,
		      "HELLO has no answer that says that the ends "
		      "are connected");
}

static void find_backend_fault(const struct pair *pair,
			       const struct flight *flight, struct fault *fault)
{
	if (flight->operation == HDMABUF_OP_HELLO)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_FE_009, "a backend sends no HELLO");
	else if (pair->hello != HELLO_ACCEPTED && pair->hello != HELLO_BROKEN)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BE_006, "the backend has not answered HELLO with OK");
}

static void find_sender_fault(const struct pair *pair,
			      const struct flight *flight, struct fault *fault)
{
	const struct end *sender = &pair->ends[flight->sender];

	if (sender->closing)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_CLOSING, HDB_BOTH_024,
		      "it is sent after CLOSE");
	else if (must_know(pair, flight->sender, sender->close_answered,
			   flight->sender))
		blame(fault, RANK_SESSION, HDMABUF_STATUS_CLOSING, HDB_BOTH_024,
		      "it is sent after the CLOSE of the other end");
	if (flight->sender == HDMABUF_FRONTEND)
		find_frontend_fault(pair, flight, fault);
	else
		find_backend_fault(pair, flight, fault);
	if (sender->group_open && flight->operation != HDMABUF_OP_HAND_OFF &&
	    flight->operation != HDMABUF_OP_CLOSE)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_049,
		      "it is sent where the rest of a group of hand-offs is due");
}

static void find_receiver_fault(const struct pair *pair,
				const struct flight *flight,
				struct fault *fault)
{
	unsigned int end = other_end(flight->sender);
	const struct end *receiver = &pair->ends[end];
	bool is_hello = flight->operation == HDMABUF_OP_HELLO;
	bool is_close = flight->operation == HDMABUF_OP_CLOSE;

	/* Only the HELLO that began the session has moved anything. */
	if (end == HDMABUF_FRONTEND && is_hello)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_FE_009, "a frontend takes no HELLO");
	if (end == HDMABUF_BACKEND && is_hello && !flight->moved)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BE_007, "it is the second HELLO of the session");
	if (end == HDMABUF_BACKEND && !is_hello && flight->before_hello)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BE_007, "it was sent before HELLO");
	if (receiver->closing && receiver->closing < flight->at && !is_close)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_CLOSING, HDB_BOTH_026,
		      "the %s has sent CLOSE", end_name(end));
	if (pair->ends[flight->sender].group_due && !is_close &&
	    flight->operation != HDMABUF_OP_HAND_OFF)
		blame(fault, RANK_SESSION, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_050, "the rest of a group of hand-offs is due");
}

void find_session_fault(const struct pair *pair, const struct flight *flight,
			enum side side, struct fault *fault)
{
	if (side == SENDER)
		find_sender_fault(pair, flight, fault);
	else
		find_receiver_fault(pair, flight, fault);
}

/* ---- HELLO -------------------------------------------------------------- */

static void hello_sent(struct pair *pair, struct flight *flight)
{
	if (flight->sender != HDMABUF_FRONTEND || pair->hello != HELLO_NONE)
		return;
	pair->hello = HELLO_SENT;
	flight->moved = true;
}

/* The epoch that HELLO must carry of an end; 0 if that is not known. */
static uint64_t epoch_of(const struct pair *pair, unsigned int end)
{
	if (pair->channel.seen)
		return pair->channel.epoch[end];
	return pair->records[end].there ? pair->records[end].epoch : 0;
}

static void find_epoch_fault(const struct pair *pair,
			     const struct flight *flight, unsigned int end,
			     unsigned int place, struct fault *fault)
{
	uint64_t expected = epoch_of(pair, end);
	uint64_t carried = wire_get(flight->message, place);

	if (expected && carried != expected)
		blame(fault, RANK_EXISTENCE, HDMABUF_STATUS_WRONG_EPOCH,
		      HDB_BE_008,
		      "the epoch of the %s is 0x%" PRIx64 ", not 0x%" PRIx64,
		      end_name(end), expected, carried);
}

static void find_limits_fault(const struct flight *flight, enum side side,
			      struct fault *fault)
{
	const uint8_t *message = flight->message;

	if (!wire_get(message, HELLO_MAX_IN_FLIGHT))
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "\"max_in_flight\" is 0");
	if (wire_get(message, HELLO_MAX_BUFFERS) &&
	    wire_get(message, HELLO_MAX_PRIVATE) < HDMABUF_PRIVATE_MIN)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID,
		      side == SENDER ? HDB_BOTH_041 : HDB_BOTH_038,
		      "\"max_private\" is %" PRIu64 ", less than %d",
		      wire_get(message, HELLO_MAX_PRIVATE),
		      HDMABUF_PRIVATE_MIN);
}

static void find_hello_fault(struct pair *pair, const struct flight *flight,
			     enum side side, struct fault *fault)
{
	const struct record *offer = &pair->records[HDMABUF_BACKEND];
	uint64_t features = wire_get(flight->message, HELLO_FEATURES);

	find_epoch_fault(pair, flight, HDMABUF_FRONTEND, HELLO_EPOCH_FRONTEND,
			 fault);
	find_epoch_fault(pair, flight, HDMABUF_BACKEND, HELLO_EPOCH_BACKEND,
			 fault);
	if (offer->there && features & ~offer->features)
		blame(fault, RANK_ROLE, HDMABUF_STATUS_NOT_NEGOTIATED,
		      side == SENDER ? HDB_FE_007 : HDB_BE_009,
		      "the features 0x%" PRIx64 " were not offered",
		      features & ~offer->features);
	find_limits_fault(flight, side, fault);
}

static void read_limits(struct limits *limits, const uint8_t *hello)
{
	limits->known = true;
	limits->max_octets = wire_get(hello, HELLO_MAX_OCTETS);
	limits->max_buffers = (uint32_t)wire_get(hello, HELLO_MAX_BUFFERS);
	limits->max_timelines = (uint32_t)wire_get(hello, HELLO_MAX_TIMELINES);
	limits->max_private = (uint32_t)wire_get(hello, HELLO_MAX_PRIVATE);
	limits->max_in_flight = (uint32_t)wire_get(hello, HELLO_MAX_IN_FLIGHT);
}

/* What the answer repeats; false if the frontend must not believe it. */
static bool check_repetition(struct pair *pair, const struct flight *flight,
			     const uint8_t *answer)
{
	const uint8_t *hello = flight->message;

	if (wire_get(answer, HELLO_EPOCH_FRONTEND) !=
		    wire_get(hello, HELLO_EPOCH_FRONTEND) ||
	    wire_get(answer, HELLO_EPOCH_BACKEND) !=
		    wire_get(hello, HELLO_EPOCH_BACKEND)) {
		report(pair, HDB_BE_004, HDMABUF_BACKEND,
		       "answered HELLO with the epochs 0x%" PRIx64
		       " and 0x%" PRIx64 ", not with those of HELLO",
		       wire_get(answer, HELLO_EPOCH_FRONTEND),
		       wire_get(answer, HELLO_EPOCH_BACKEND));
		return false;
	}
	if (wire_get(answer, HELLO_FEATURES) !=
	    wire_get(hello, HELLO_FEATURES)) {
		report(pair, HDB_BOTH_064, HDMABUF_BACKEND,
		       "answered HELLO with the features 0x%" PRIx64
		       ", accepted are 0x%" PRIx64,
		       wire_get(answer, HELLO_FEATURES),
		       wire_get(hello, HELLO_FEATURES));
		return false;
	}
	return true;
}

static void check_limits(struct pair *pair, const uint8_t *answer)
{
	if (!wire_get(answer, HELLO_MAX_IN_FLIGHT))
		report(pair, HDB_BOTH_064, HDMABUF_BACKEND,
		       "answered HELLO with \"max_in_flight\" 0");
	if (wire_get(answer, HELLO_MAX_BUFFERS) &&
	    wire_get(answer, HELLO_MAX_PRIVATE) < HDMABUF_PRIVATE_MIN)
		report(pair, HDB_BOTH_041, HDMABUF_BACKEND,
		       "answered HELLO with \"max_private\" %" PRIu64
		       ", less than %d",
		       wire_get(answer, HELLO_MAX_PRIVATE),
		       HDMABUF_PRIVATE_MIN);
}

/* What the backend should have refused before it came to HELLO. */
static void check_attempt(struct pair *pair)
{
	const struct record *offer = &pair->records[HDMABUF_BACKEND];
	const struct record *answer = &pair->records[HDMABUF_FRONTEND];

	if (*pair->channel.wrong)
		report(pair, HDB_BE_002, HDMABUF_BACKEND,
		       "answered HELLO with OK in a channel that it had to "
		       "refuse: %s",
		       pair->channel.wrong);
	if (offer->there && answer->there && answer->peer_epoch != offer->epoch)
		report(pair, HDB_BE_005, HDMABUF_BACKEND,
		       "took notice of a record with \"peer-epoch\" %" PRIu64
		       "; its offer has the epoch %" PRIu64,
		       answer->peer_epoch, offer->epoch);
}

static void hello_accepted(struct pair *pair, struct flight *flight,
			   const uint8_t *answer)
{
	if (!flight->moved)
		return;
	check_attempt(pair);
	check_limits(pair, answer);
	if (!check_repetition(pair, flight, answer)) {
		pair->hello = HELLO_BROKEN;
		return;
	}
	read_limits(&pair->ends[HDMABUF_FRONTEND].limits, flight->message);
	read_limits(&pair->ends[HDMABUF_BACKEND].limits, answer);
	pair->features = wire_get(flight->message, HELLO_FEATURES);
	pair->hello = HELLO_ACCEPTED;
	for (unsigned int end = 0; end < ENDS; end++)
		pair->ends[end].state = session_next(pair->ends[end].state,
						     HDMABUF_SESSION_HELLO_OK);
}

static void hello_refused(struct pair *pair, struct flight *flight,
			  const uint8_t *answer)
{
	(void)answer;
	if (flight->moved)
		pair->hello = HELLO_REFUSED;
}

/* ---- CLOSE -------------------------------------------------------------- */

static void close_sent(struct pair *pair, struct flight *flight)
{
	struct end *sender = &pair->ends[flight->sender];
	int next = session_next(sender->state, HDMABUF_SESSION_CLOSE);

	if (next < 0)
		return;
	flight->moved = true;
	flight->was = sender->state;
	sender->state = next;
	sender->closing = flight->at;
}

static void find_close_fault(struct pair *pair, const struct flight *flight,
			     enum side side, struct fault *fault)
{
	uint64_t reason = wire_get(flight->message, CLOSE_REASON);

	(void)pair;
	(void)side;
	if (reason < HDMABUF_REASON_DONE || reason > HDMABUF_REASON_FAULT)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "there is no reason %" PRIu64, reason);
}

static void close_accepted(struct pair *pair, struct flight *flight,
			   const uint8_t *answer)
{
	struct end *receiver = &pair->ends[other_end(flight->sender)];
	int next = session_next(receiver->state, HDMABUF_SESSION_PEER_CLOSE);

	(void)answer;
	receiver->close_answered = pair->now;
	if (next >= 0)
		receiver->state = next;
}

/* BUSY ends the session as well; anything else leaves it as it was. */
static void close_refused(struct pair *pair, struct flight *flight,
			  const uint8_t *answer)
{
	struct end *sender = &pair->ends[flight->sender];

	if (!flight->moved ||
	    wire_get(answer, HEADER_STATUS) == HDMABUF_STATUS_BUSY)
		return;
	sender->state = flight->was;
	sender->closing = 0;
}

/* ---- ECHO --------------------------------------------------------------- */

static void echo_accepted(struct pair *pair, struct flight *flight,
			  const uint8_t *answer)
{
	size_t at = wire_offset(ECHO_OCTETS);

	if (memcmp(flight->message + at, answer + at, wire_octets(ECHO_OCTETS)))
		report(pair, HDB_BOTH_064, other_end(flight->sender),
		       "answered ECHO #%u with other octets", flight->id);
}

const struct rule session_rules[] = {
	{ HDMABUF_OP_HELLO, 0,
	  STATUS(WRONG_EPOCH) | STATUS(NOT_NEGOTIATED) | STATUS(INVALID),
	  hello_sent, find_hello_fault, hello_accepted, hello_refused },
	{ HDMABUF_OP_CLOSE, 0, STATUS(INVALID) | STATUS(BUSY), close_sent,
	  find_close_fault, close_accepted, close_refused },
	{ HDMABUF_OP_ECHO, 0, 0, NULL, NULL, echo_accepted, NULL },
	{ 0 },
};
