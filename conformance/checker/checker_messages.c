/* SPDX-License-Identifier: MIT */
/*
 * checker_messages.c - what all requests and answers have in common
 */
#include "conformance/checker/checker_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_TEXT 512

/* What may become of any request. */
#define STATUSES_OF_ALL \
	(STATUS(OK) | STATUS(WRONG_STATE) | STATUS(RESERVED) | STATUS(LIMIT) | \
	 STATUS(CLOSING) | STATUS(NO_MEMORY) | STATUS(CANCELLED) | \
	 STATUS(TIMED_OUT) | STATUS(FAILED))

static const struct rule *find_rule(uint16_t operation)
{
	const struct rule *const lists[] = { session_rules, buffer_rules,
					     hand_off_rules, timeline_rules };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct rule *rule = lists[i]; rule->operation;
		     rule++)
			if (rule->operation == operation)
				return rule;
	return NULL;
}

/* ---- Requests that are not answered ------------------------------------- */

static void flight_free(struct flight *flight)
{
	free(flight->descriptor);
	free(flight);
}

void flights_free(struct end *end)
{
	struct flight *flight;

	while ((flight = end->flights)) {
		end->flights = flight->next;
		flight_free(flight);
	}
	end->in_flight = 0;
}

static struct flight *flight_new(struct pair *pair, unsigned int sender,
				 const uint8_t *message)
{
	struct flight *flight = calloc(1, sizeof(*flight));

	if (!flight) {
		pair->blind = true;
		return NULL;
	}
	memcpy(flight->message, message, WIRE_MESSAGE_OCTETS);
	flight->operation = (uint16_t)wire_get(message, HEADER_OPERATION);
	flight->id = (uint32_t)wire_get(message, HEADER_ID);
	flight->sender = sender;
	flight->at = pair->now;
	flight->time = pair->time;
	flight->before_hello = pair->hello == HELLO_NONE;
	return flight;
}

static void flight_append(struct pair *pair, struct flight *flight)
{
	struct end *end = &pair->ends[flight->sender];
	struct flight **place = &end->flights;

	while (*place)
		place = &(*place)->next;
	*place = flight;
	end->in_flight++;
	if (end->in_flight > FLIGHTS)
		pair->blind = true;
}

#define ANY_OPERATION 0x10000u

/* By id and operation. */
static struct flight **flight_find(struct end *end, uint32_t id,
				   uint32_t operation)
{
	struct flight **place = &end->flights;

	while (*place &&
	       ((*place)->id != id || (operation != ANY_OPERATION &&
				       (*place)->operation != operation)))
		place = &(*place)->next;
	return place;
}

/* Whether the state that @flight was handled in is known exactly. */
static bool is_ordered(const struct pair *pair, const struct flight *flight)
{
	const struct end *end = &pair->ends[flight->sender];

	return end->flights == flight && end->answered_at < flight->at;
}

/* ---- What is wrong with a request --------------------------------------- */

static uint64_t needed_features(const struct rule *rule,
				const struct flight *flight)
{
	uint64_t features = rule->feature;

	if (flight->operation == HDMABUF_OP_HAND_OFF && has_more(flight))
		features |= HDMABUF_FEATURE_GROUP;
	if (flight->operation == HDMABUF_OP_ALLOCATE)
		features |= rights_features(
			wire_get(flight->message, ALLOCATE_RIGHTS),
			wire_get(flight->message, ALLOCATE_ATTRIBUTES));
	return features;
}

static void find_feature_fault(const struct pair *pair, const struct rule *rule,
			       const struct flight *flight, enum side side,
			       struct fault *fault)
{
	uint64_t missing = needed_features(rule, flight) & ~pair->features;

	if (missing && pair->hello == HELLO_ACCEPTED)
		blame(fault, RANK_FEATURE, HDMABUF_STATUS_NOT_NEGOTIATED,
		      side == SENDER ? HDB_BOTH_018 : HDB_BOTH_019,
		      "it needs the feature 0x%" PRIx64
		      ", which was not accepted",
		      missing);
}

/* In TIMELINE_DESTROY, all but the number is a zero field. */
static const char *find_nonzero(const struct flight *flight, size_t *offset)
{
	const struct wire_field *field;

	if (wire_get(flight->message, HEADER_STATUS)) {
		*offset = wire_offset(HEADER_STATUS);
		return "status";
	}
	field = wire_find_nonzero(wire_request_format(flight->operation),
				  flight->message, offset);
	if (field || flight->operation != HDMABUF_OP_TIMELINE_DESTROY)
		return field ? field->name : NULL;
	*offset = wire_offset(TIMELINE_SIGNALLER);
	if (wire_get(flight->message, TIMELINE_SIGNALLER))
		return "signaller";
	*offset = wire_offset(TIMELINE_POINT);
	return wire_get(flight->message, TIMELINE_POINT) ? "point" : NULL;
}

static void find_zero_fault(const struct flight *flight, enum side side,
			    struct fault *fault)
{
	size_t offset;
	const char *name = find_nonzero(flight, &offset);

	if (name)
		blame(fault, RANK_ZERO, HDMABUF_STATUS_RESERVED,
		      side == SENDER ? HDB_BOTH_001 : HDB_BOTH_002,
		      "the field \"%s\" must be zero, and is not at octet %zu",
		      name, offset);
}

static void find_fault(struct pair *pair, const struct flight *flight,
		       enum side side, struct fault *fault)
{
	const struct rule *rule = find_rule(flight->operation);

	*fault = (struct fault){ .rank = FAULT_NONE };
	if (!rule) {
		if (side == RECEIVER)
			blame(fault, RANK_OPERATION,
			      HDMABUF_STATUS_UNKNOWN_OPERATION, HDB_BOTH_036,
			      "there is no operation 0x%x", flight->operation);
		return;
	}
	find_feature_fault(pair, rule, flight, side, fault);
	find_session_fault(pair, flight, side, fault);
	find_zero_fault(flight, side, fault);
	if (rule->find && (side == SENDER || is_ordered(pair, flight)))
		rule->find(pair, flight, side, fault);
}

/* ---- Requests ----------------------------------------------------------- */

static uint64_t ring_slots(const struct pair *pair, unsigned int end)
{
	return HDMABUF_RING_SLOTS(page_octets(pair)
				  << pair->channel.ring_order[end]);
}

static void check_in_flight(struct pair *pair, const struct flight *flight,
			    const char *text)
{
	const struct end *end = &pair->ends[flight->sender];
	const struct limits *limits =
		&pair->ends[other_end(flight->sender)].limits;
	size_t count = end->in_flight + 1;

	if (limits->known && count > limits->max_in_flight)
		report(pair, HDB_BOTH_008, flight->sender,
		       "%s: sent with %zu requests unanswered; the %s has "
		       "announced max_in_flight %u",
		       text, end->in_flight,
		       end_name(other_end(flight->sender)),
		       limits->max_in_flight);
	else if (pair->channel.known &&
		 count > ring_slots(pair, flight->sender))
		report(pair, HDB_BOTH_008, flight->sender,
		       "%s: sent with %zu requests unanswered; the ring has "
		       "%" PRIu64 " slots",
		       text, end->in_flight, ring_slots(pair, flight->sender));
}

static void judge_request(struct pair *pair, struct flight *flight)
{
	struct end *end = &pair->ends[flight->sender];
	char text[MESSAGE_TEXT];
	struct fault fault;

	wire_print(flight->message, false, text, sizeof(text));
	if (pair->over && flight->sender == pair->observer)
		report(pair, HDB_BOTH_016, flight->sender,
		       "%s: sent after a change of the records had ended the "
		       "session",
		       text);
	if (pair->over)
		return;
	if (*flight_find(end, flight->id, ANY_OPERATION))
		report(pair, HDB_BOTH_031, flight->sender,
		       "%s: its id is that of a request that is not answered",
		       text);
	check_in_flight(pair, flight, text);
	find_fault(pair, flight, SENDER, &fault);
	if (fault.rank != FAULT_NONE)
		report(pair, fault.clause, flight->sender, "%s: %s", text,
		       fault.text);
}

/* A descriptor belongs to the request that follows it. */
static void take_descriptor(struct end *end, struct flight *flight)
{
	if (flight->operation == HDMABUF_OP_EXPORT ||
	    flight->operation == HDMABUF_OP_UPDATE) {
		flight->descriptor = end->descriptor;
		flight->length = end->descriptor_length;
	} else {
		free(end->descriptor);
	}
	end->descriptor = NULL;
}

void on_request(struct pair *pair, unsigned int end, const uint8_t *message)
{
	uint16_t operation = (uint16_t)wire_get(message, HEADER_OPERATION);
	const struct rule *rule = find_rule(operation);
	struct flight *flight;

	/* A trace without channel pages: with HELLO, a new session has begun. */
	if (pair->over && operation == HDMABUF_OP_HELLO)
		session_begin(pair);
	flight = flight_new(pair, end, message);
	if (!flight)
		return;
	take_descriptor(&pair->ends[end], flight);
	buffer_find(pair, flight);
	judge_request(pair, flight);
	explain(pair, flight);
	if (rule && rule->sent)
		rule->sent(pair, flight);
	flight_append(pair, flight);
}

void on_descriptor(struct pair *pair, unsigned int end, const void *octets,
		   size_t length)
{
	struct end *sender = &pair->ends[end];

	free(sender->descriptor);
	sender->descriptor = NULL;
	if (length < WIRE_DESCRIPTOR_OCTETS)
		return;
	sender->descriptor = malloc(length);
	sender->descriptor_length = length;
	if (sender->descriptor)
		memcpy(sender->descriptor, octets, length);
	else
		pair->blind = true;
}

/* ---- Answers ------------------------------------------------------------ */

static bool was_answered(const struct end *end, uint32_t id, uint16_t operation)
{
	for (size_t i = 0; i < ANSWERED; i++)
		if (end->answered[i].used && end->answered[i].id == id &&
		    end->answered[i].operation == operation)
			return true;
	return false;
}

static void note_answered(struct end *end, const struct flight *flight)
{
	end->answered[end->answered_next] =
		(struct answered){ true, flight->id, flight->operation };
	end->answered_next = (end->answered_next + 1) % ANSWERED;
	if (end->answered_at < flight->at)
		end->answered_at = flight->at;
}

/* An answer that fits no request. */
static void report_unasked(struct pair *pair, unsigned int end,
			   const uint8_t *message, const char *text)
{
	struct end *asker = &pair->ends[other_end(end)];
	uint32_t id = (uint32_t)wire_get(message, HEADER_ID);
	uint16_t operation = (uint16_t)wire_get(message, HEADER_OPERATION);
	const struct flight *flight = *flight_find(asker, id, ANY_OPERATION);

	if (flight)
		report(pair, HDB_BOTH_032, end,
		       "%s: the request with this id is %s", text,
		       wire_operation_name(flight->operation));
	else if (was_answered(asker, id, operation))
		report(pair, HDB_BOTH_033, end,
		       "%s: the request with this id was answered before",
		       text);
	else
		report(pair, HDB_BOTH_032, end,
		       "%s: no unanswered request has this id", text);
}

static enum rank rank_of(uint16_t operation, uint16_t status)
{
	bool is_hello = operation == HDMABUF_OP_HELLO;

	switch (status) {
	case HDMABUF_STATUS_UNKNOWN_OPERATION:
		return RANK_OPERATION;
	/* HELLO has an order of its own. */
	case HDMABUF_STATUS_NOT_NEGOTIATED:
		return is_hello ? RANK_ROLE : RANK_FEATURE;
	case HDMABUF_STATUS_WRONG_EPOCH:
		return is_hello ? RANK_EXISTENCE : RANK_SESSION;
	case HDMABUF_STATUS_WRONG_STATE:
	case HDMABUF_STATUS_CLOSING:
		return RANK_SESSION;
	case HDMABUF_STATUS_RESERVED:
		return RANK_ZERO;
	case HDMABUF_STATUS_NO_SUCH_BUFFER:
	case HDMABUF_STATUS_NO_SUCH_TIMELINE:
		return RANK_EXISTENCE;
	case HDMABUF_STATUS_WRONG_ROLE:
		return RANK_ROLE;
	case HDMABUF_STATUS_INVALID:
	case HDMABUF_STATUS_DUPLICATE:
		return RANK_VALUE;
	case HDMABUF_STATUS_LIMIT:
		return RANK_LIMIT;
	case HDMABUF_STATUS_BAD_REFERENCE:
		return RANK_REFERRED;
	default:
		return RANK_PROVIDED;
	}
}

/* Whether @place is that of a field of @format, which is then returned. */
static const struct wire_field *field_at(const struct wire_format *format,
					 uint64_t offset)
{
	for (size_t i = 0; format && i < format->count; i++)
		if (wire_offset(format->fields[i].place) == offset)
			return &format->fields[i];
	return NULL;
}

static bool is_request_field(const struct flight *flight, uint64_t offset)
{
	return offset == wire_offset(HEADER_ID) ||
	       offset == wire_offset(HEADER_OPERATION) ||
	       offset == wire_offset(HEADER_STATUS) ||
	       field_at(wire_request_format(flight->operation), offset);
}

static bool is_descriptor_field(const struct flight *flight, uint64_t offset)
{
	const struct wire_format *metadata = NULL;

	if (flight->descriptor)
		metadata = wire_metadata_format((
			uint32_t)wire_get(flight->descriptor, DESCRIPTOR_TYPE));
	if (field_at(wire_descriptor_format(), offset) ||
	    field_at(metadata, offset))
		return true;
	/* Of what type the metadata is, the answerer may know better. */
	return !metadata && offset >= wire_offset(RAW_ZERO) &&
	       offset < WIRE_DESCRIPTOR_OCTETS;
}

/* Why the place that an error names cannot be; NULL if it can. */
static const char *find_misplacement(const struct flight *flight,
				     const uint8_t *answer)
{
	uint64_t offset = wire_get(answer, ERROR_OFFSET);
	uint16_t status = (uint16_t)wire_get(answer, HEADER_STATUS);
	bool is_export = flight->operation == HDMABUF_OP_EXPORT;

	switch (wire_get(answer, ERROR_WHERE)) {
	case HDMABUF_WHERE_NOWHERE:
		if (status == HDMABUF_STATUS_RESERVED ||
		    status == HDMABUF_STATUS_BAD_REFERENCE)
			return "a field is to blame, and none is named";
		return NULL;
	case HDMABUF_WHERE_REQUEST:
		return is_request_field(flight, offset) ?
			       NULL :
			       "no field of the request has this offset";
	case HDMABUF_WHERE_DESCRIPTOR:
		if (!is_export && flight->operation != HDMABUF_OP_UPDATE)
			return "the request has no descriptor";
		return is_descriptor_field(flight, offset) ?
			       NULL :
			       "no field of the descriptor has this offset";
	case HDMABUF_WHERE_DIRECTORY:
	case HDMABUF_WHERE_PAGE:
		return is_export ? NULL : "the request has no directory";
	case HDMABUF_WHERE_CHANNEL:
		return "CHANNEL is sent in no message";
	default:
		return NULL;
	}
}

/* The value that an error repeats of a field of the request. */
static bool is_value_wrong(const struct flight *flight, const uint8_t *answer)
{
	uint16_t status = (uint16_t)wire_get(answer, HEADER_STATUS);
	uint64_t value = wire_get(answer, ERROR_VALUE);
	const struct wire_field *field;

	if (!value || wire_get(answer, ERROR_WHERE) != HDMABUF_WHERE_REQUEST ||
	    status == HDMABUF_STATUS_LIMIT ||
	    status == HDMABUF_STATUS_WRONG_STATE)
		return false;
	field = field_at(wire_request_format(flight->operation),
			 wire_get(answer, ERROR_OFFSET));
	return field && wire_octets(field->place) <= 8 &&
	       value != wire_get(flight->message, field->place);
}

static void check_error(struct pair *pair, unsigned int end,
			const struct flight *flight, const uint8_t *answer,
			const char *text)
{
	const char *why = find_misplacement(flight, answer);

	if (wire_get(answer, ERROR_WHERE) > HDMABUF_WHERE_CHANNEL)
		report(pair, HDB_BOTH_064, end,
		       "%s: there is no such \"where\"", text);
	else if (why)
		report(pair, HDB_BOTH_039, end, "%s: %s", text, why);
	else if (is_value_wrong(flight, answer))
		report(pair, HDB_BOTH_039, end,
		       "%s: the field has another value", text);
}

static void check_status(struct pair *pair, unsigned int end,
			 const struct flight *flight, uint16_t status,
			 const char *text)
{
	const struct rule *rule = find_rule(flight->operation);
	uint64_t fit = STATUSES_OF_ALL | (rule ? rule->statuses : 0);

	if (!rule || (status < 64 && fit >> status & 1))
		return;
	if (*wire_status_name(status) == '?')
		report(pair, HDB_BOTH_038, end, "%s: there is no status %u",
		       text, status);
	else
		report(pair, HDB_BOTH_038, end,
		       "%s: nothing of this operation can be wrong so", text);
}

static void check_answer_zero(struct pair *pair, unsigned int end,
			      const struct flight *flight,
			      const uint8_t *answer, const char *text)
{
	uint16_t status = (uint16_t)wire_get(answer, HEADER_STATUS);
	const struct wire_field *field;
	size_t offset;

	field = wire_find_nonzero(wire_answer_format(flight->operation, status),
				  answer, &offset);
	if (field)
		report(pair, HDB_BOTH_001, end,
		       "%s: the field \"%s\" must be zero, and is not at "
		       "octet %zu",
		       text, field->name, offset);
}

static void report_acceptance(struct pair *pair, unsigned int end,
			      struct flight *flight, const struct fault *fault)
{
	char request[MESSAGE_TEXT];
	char text[MESSAGE_TEXT + 2 * FAULT_TEXT];

	wire_print(flight->message, false, request, sizeof(request));
	snprintf(text, sizeof(text), "answered OK to %s; expected %s: %s",
		 request, wire_status_name(fault->status), fault->text);
	if (flight->buffer)
		flight->buffer->vague = true;
	if (fault->doubtful)
		doubt(pair, fault->clause, end,
		      fault->rank == RANK_LIMIT ? NULL : flight->buffer, text);
	else
		report(pair, fault->clause, end, "%s", text);
}

/*
 * Whether the receiver may have a reason of its own, for all that is known: its CLOSE,
 * or its RELEASED of the buffer, is on its way, or it counts what is in flight.
 */
static bool may_know_better(const struct pair *pair,
			    const struct flight *flight, const uint8_t *answer)
{
	switch (wire_get(answer, HEADER_STATUS)) {
	case HDMABUF_STATUS_CLOSING:
		return true;
	case HDMABUF_STATUS_LIMIT:
		return wire_get(answer, ERROR_WHERE) == HDMABUF_WHERE_NOWHERE;
	case HDMABUF_STATUS_NO_SUCH_BUFFER:
		return flight->buffer &&
		       (is_exporter(flight) ||
			buffer_existence(pair, flight, RECEIVER) == UNSURE);
	default:
		return false;
	}
}

/* Something was wrong with a request, and it was refused: for the right reason? */
static void check_reason(struct pair *pair, unsigned int end,
			 const struct flight *flight, const uint8_t *answer,
			 const struct fault *fault)
{
	uint16_t status = (uint16_t)wire_get(answer, HEADER_STATUS);
	enum rank rank = rank_of(flight->operation, status);
	char text[MESSAGE_TEXT];

	if (fault->doubtful || fault->referred || status == fault->status ||
	    rank < fault->rank || may_know_better(pair, flight, answer))
		return;
	wire_print(flight->message, false, text, sizeof(text));
	/* With an operation that is unknown nothing else can be wrong. */
	report(pair,
	       rank == fault->rank || fault->rank == RANK_OPERATION ?
		       fault->clause :
		       HDB_BOTH_038,
	       end, "answered %s to %s; expected %s: %s",
	       wire_status_name(status), text, wire_status_name(fault->status),
	       fault->text);
}

static void judge_answer(struct pair *pair, unsigned int end,
			 struct flight *flight, const uint8_t *answer)
{
	uint16_t status = (uint16_t)wire_get(answer, HEADER_STATUS);
	char text[MESSAGE_TEXT];
	struct fault fault;

	wire_print(answer, true, text, sizeof(text));
	check_answer_zero(pair, end, flight, answer, text);
	check_status(pair, end, flight, status, text);
	if (status)
		check_error(pair, end, flight, answer, text);
	if (pair->over)
		return;
	find_fault(pair, flight, RECEIVER, &fault);
	if (fault.rank == FAULT_NONE)
		return;
	if (status)
		check_reason(pair, end, flight, answer, &fault);
	else
		report_acceptance(pair, end, flight, &fault);
}

static void carry_out(struct pair *pair, struct flight *flight,
		      const uint8_t *answer)
{
	const struct rule *rule = find_rule(flight->operation);

	if (!rule)
		return;
	if (wire_get(answer, HEADER_STATUS)) {
		if (rule->refused)
			rule->refused(pair, flight, answer);
	} else if (rule->accepted) {
		rule->accepted(pair, flight, answer);
	}
}

void on_answer(struct pair *pair, unsigned int end, const uint8_t *message)
{
	struct end *asker = &pair->ends[other_end(end)];
	uint32_t id = (uint32_t)wire_get(message, HEADER_ID);
	uint16_t operation = (uint16_t)wire_get(message, HEADER_OPERATION);
	struct flight **place = flight_find(asker, id, operation);
	struct flight *flight = *place;
	char text[MESSAGE_TEXT];

	if (!flight) {
		wire_print(message, true, text, sizeof(text));
		report_unasked(pair, end, message, text);
		return;
	}
	request_is_answered(pair, flight);
	judge_answer(pair, end, flight, message);
	/* It is taken out first: what comes of it looks at those that are left. */
	*place = flight->next;
	asker->in_flight--;
	carry_out(pair, flight, message);
	note_answered(asker, flight);
	flight_free(flight);
}
