/* SPDX-License-Identifier: MIT */
/*
 * checker_buffers.c - buffers: shared, updated, released, looked at
 */
#include "conformance/checker/checker_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NANOSECONDS_OF_MS 1000000

/* ---- Finding them ------------------------------------------------------- */

/* All requests that name a buffer name it in the same place. */
static const uint8_t *id_of(const struct flight *flight)
{
	return flight->message + wire_offset(BUFFER_ID);
}

static bool names_buffer(uint16_t operation)
{
	switch (operation) {
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
	case HDMABUF_OP_UNEXPORT:
	case HDMABUF_OP_RELEASED:
	case HDMABUF_OP_HAND_OFF:
	case HDMABUF_OP_QUERY:
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		return true;
	default:
		return false;
	}
}

static struct buffer **buffer_place(struct pair *pair, const uint8_t *id)
{
	unsigned int hash = 0;
	struct buffer **place;

	for (size_t i = 0; i < 16; i++)
		hash = hash * 31 + id[i];
	place = &pair->buffers[(hash ^ hash >> 8) % BUFFER_PLACES];
	while (*place && memcmp((*place)->id, id, 16))
		place = &(*place)->next;
	return place;
}

void buffer_find(struct pair *pair, struct flight *flight)
{
	if (names_buffer(flight->operation))
		flight->buffer = *buffer_place(pair, id_of(flight));
}

void buffers_free(struct pair *pair)
{
	for (size_t i = 0; i < BUFFER_PLACES; i++) {
		struct buffer *buffer;

		while ((buffer = pair->buffers[i])) {
			pair->buffers[i] = buffer->next;
			free(buffer);
		}
	}
}

bool is_exporter(const struct flight *flight)
{
	return flight->buffer->exporter == flight->sender;
}

uint32_t buffer_rights(const struct buffer *buffer)
{
	return buffer->described ? (uint32_t)wire_get(buffer->descriptor,
						      DESCRIPTOR_RIGHTS) :
				   0;
}

bool is_retiring(const struct flight *flight)
{
	const struct buffer *buffer = flight->buffer;

	if (!buffer->unexported || buffer->unexported > flight->at)
		return false;
	return buffer->retired || !is_exporter(flight);
}

static const struct wish *wish_find(const struct end *end, const uint8_t *id)
{
	const struct wish *wish = end->wishes;

	while (wish && memcmp(wish->id, id, 16))
		wish = wish->next;
	return wish;
}

/* ---- Is it there? ------------------------------------------------------- */

/* An id that only ALLOCATE has named: its EXPORT may be on its way. */
static enum existence promised(const struct pair *pair,
			       const struct flight *flight)
{
	for (unsigned int end = 0; end < ENDS; end++)
		if (wish_find(&pair->ends[end], id_of(flight)))
			return UNSURE;
	return GONE;
}

/* What an exporter may do only between the answer to EXPORT and UNEXPORT. */
static bool is_of_live_buffers(uint16_t operation)
{
	return operation == HDMABUF_OP_HAND_OFF ||
	       operation == HDMABUF_OP_UPDATE ||
	       operation == HDMABUF_OP_UNEXPORT;
}

static enum existence existence_to_exporting_sender(const struct pair *pair,
						    const struct flight *flight)
{
	const struct buffer *buffer = flight->buffer;
	unsigned int exporter = flight->sender;
	unsigned int importer = other_end(exporter);
	bool of_live_buffers = is_of_live_buffers(flight->operation);

	/* That its own UNEXPORT came before is told as such. */
	if (buffer->state[HDMABUF_EXPORTER] != HDMABUF_BUFFER_NONE ||
	    (buffer->unexported && of_live_buffers))
		return THERE;
	if ((buffer->refused && of_live_buffers) ||
	    must_know(pair, exporter, buffer->refused, importer) ||
	    (!buffer->mapped &&
	     must_know(pair, exporter, buffer->retired, importer)) ||
	    must_know(pair, exporter, buffer->forgotten, exporter))
		return GONE;
	return UNSURE;
}

static enum existence existence_to_importing_sender(const struct pair *pair,
						    const struct buffer *buffer,
						    unsigned int sender)
{
	if (buffer->state[HDMABUF_IMPORTER] != HDMABUF_BUFFER_NONE)
		return THERE;
	if (buffer->released ||
	    must_know(pair, sender, buffer->refused, sender) ||
	    must_know(pair, sender, buffer->retired, sender))
		return GONE;
	return UNSURE;
}

/* The importer was asked, in the order of the exporter's requests. */
static enum existence existence_to_importer(const struct flight *flight)
{
	const struct buffer *buffer = flight->buffer;

	if (buffer->refused)
		return GONE;
	if (buffer->released)
		return buffer->released < flight->at ? GONE : UNSURE;
	if (buffer->retired && !buffer->mapped)
		return buffer->unexported < flight->at ? GONE : THERE;
	return THERE;
}

/* The exporter was asked, in the order of the importer's requests. */
static enum existence existence_to_exporter(const struct flight *flight)
{
	const struct buffer *buffer = flight->buffer;
	uint64_t over = buffer->refused;

	if (buffer->forgotten)
		return buffer->released < flight->at ? GONE : THERE;
	if (buffer->retired && !buffer->mapped)
		over = buffer->retired;
	if (!over)
		return THERE;
	return over < flight->at ? GONE : UNSURE;
}

enum existence buffer_existence(const struct pair *pair,
				const struct flight *flight, enum side side)
{
	const struct buffer *buffer = flight->buffer;

	if (!buffer)
		return promised(pair, flight);
	if (buffer->vague)
		return UNSURE;
	if (side == SENDER)
		return is_exporter(flight) ?
			       existence_to_exporting_sender(pair, flight) :
			       existence_to_importing_sender(pair, buffer,
							     flight->sender);
	return is_exporter(flight) ? existence_to_importer(flight) :
				     existence_to_exporter(flight);
}

static const char *why_gone(const struct buffer *buffer)
{
	if (!buffer)
		return "was never exported in this session";
	if (buffer->refused)
		return "was refused when it was exported";
	if (buffer->released)
		return "was released, by RELEASED";
	return "was released, by the answer to UNEXPORT";
}

enum existence find_existence_fault(const struct pair *pair,
				    const struct flight *flight, enum side side,
				    struct fault *fault)
{
	const struct buffer *buffer = flight->buffer;
	enum existence existence = buffer_existence(pair, flight, side);
	char id[SHORT_ID];

	if (existence == GONE)
		blame(fault, RANK_EXISTENCE, HDMABUF_STATUS_NO_SUCH_BUFFER,
		      side == SENDER && buffer && buffer->refused &&
				      is_exporter(flight) ?
			      HDB_EXP_007 :
			      HDB_BOTH_042,
		      "buffer %s %s", short_id(id_of(flight), id),
		      why_gone(buffer));
	return existence;
}

/* ---- Who may send it, and when ------------------------------------------ */

static bool is_wrong_role(const struct flight *flight)
{
	return flight->buffer && (flight->operation == HDMABUF_OP_RELEASED) ==
					 is_exporter(flight);
}

static void find_role_fault(const struct flight *flight, struct fault *fault)
{
	char id[SHORT_ID];

	if (is_wrong_role(flight))
		blame(fault, RANK_ROLE, HDMABUF_STATUS_WRONG_ROLE, HDB_BOTH_043,
		      "the %s is the %s of buffer %s", end_name(flight->sender),
		      is_exporter(flight) ? "exporter" : "importer",
		      short_id(id_of(flight), id));
}

/* UPDATE and UNEXPORT, for which the table of the exporter has @event. */
static void find_exporter_state_fault(const struct flight *flight,
				      enum hdmabuf_buffer_event event,
				      struct fault *fault)
{
	int state = flight->buffer->state[HDMABUF_EXPORTER];
	char id[SHORT_ID];

	short_id(flight->buffer->id, id);
	if (buffer_next(HDMABUF_EXPORTER, state, event) >= 0)
		return;
	if (state == HDMABUF_BUFFER_EXPORTING)
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_EXP_007, "EXPORT of buffer %s is not answered", id);
	else if (state == HDMABUF_BUFFER_LENT)
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_EXP_009, "buffer %s is lent", id);
	else
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_038, "UNEXPORT of buffer %s was sent before",
		      id);
}

static void find_importer_state_fault(const struct flight *flight,
				      struct fault *fault)
{
	const struct buffer *buffer = flight->buffer;
	char id[SHORT_ID];

	short_id(buffer->id, id);
	if (is_retiring(flight))
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_038, "UNEXPORT of buffer %s was answered before",
		      id);
	if (flight->operation == HDMABUF_OP_UPDATE && buffer->held &&
	    blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE, HDB_BOTH_038,
		  "buffer %s is lent to the importer", id))
		fault->doubtful = true;
}

/* Of UPDATE and UNEXPORT; false if there is nothing more to be said. */
static bool find_common_fault(const struct pair *pair,
			      const struct flight *flight, enum side side,
			      enum hdmabuf_buffer_event event,
			      struct fault *fault)
{
	if (find_existence_fault(pair, flight, side, fault) != THERE)
		return false;
	find_role_fault(flight, fault);
	if (!is_exporter(flight))
		return false;
	if (side == SENDER)
		find_exporter_state_fault(flight, event, fault);
	else
		find_importer_state_fault(flight, fault);
	return true;
}

/* ---- EXPORT and UPDATE -------------------------------------------------- */

static void find_length_fault(const struct pair *pair,
			      const struct flight *flight, enum side side,
			      struct fault *fault)
{
	const struct limits *limits =
		&pair->ends[other_end(flight->sender)].limits;
	bool is_export = flight->operation == HDMABUF_OP_EXPORT;
	uint64_t length = wire_get(flight->message, EXPORT_LENGTH);
	uint64_t page = page_octets(pair);

	if (length < WIRE_DESCRIPTOR_OCTETS || (page && length > page))
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "\"length\" is %" PRIu64 ", expected 256 to a page",
		      length);
	else if (limits->known &&
		 length - WIRE_DESCRIPTOR_OCTETS > limits->max_private)
		blame(fault, RANK_LIMIT, HDMABUF_STATUS_LIMIT,
		      side == RECEIVER ? HDB_BOTH_021 :
		      is_export	       ? HDB_EXP_008 :
					 HDB_BOTH_020,
		      "%" PRIu64 " octets of private data exceed the limit "
		      "max_private %u",
		      length - WIRE_DESCRIPTOR_OCTETS, limits->max_private);
	if (!wire_get(flight->message, EXPORT_DESCRIPTOR))
		blame(fault, RANK_REFERRED, HDMABUF_STATUS_BAD_REFERENCE,
		      side == SENDER ? HDB_PLAT_003 : HDB_BOTH_038,
		      "\"descriptor\" is 0");
}

/* What the importer holds, of those that @exporter has shared. */
static void count_imports(const struct pair *pair, unsigned int exporter,
			  uint64_t *buffers, uint64_t *octets)
{
	*buffers = 0;
	*octets = 0;
	for (size_t i = 0; i < BUFFER_PLACES; i++)
		for (const struct buffer *buffer = pair->buffers[i]; buffer;
		     buffer = buffer->next)
			if (buffer->exporter == exporter &&
			    buffer->state[HDMABUF_IMPORTER] !=
				    HDMABUF_BUFFER_NONE) {
				++*buffers;
				*octets += buffer->octets;
			}
}

static void find_quota_fault(const struct pair *pair,
			     const struct flight *flight, enum side side,
			     struct fault *fault)
{
	const struct end *sender = &pair->ends[flight->sender];
	const struct limits *limits =
		&pair->ends[other_end(flight->sender)].limits;
	uint64_t added = flight->descriptor ?
				 descriptor_octets(pair, flight->descriptor) :
				 0;
	uint64_t buffers = sender->exports;
	uint64_t octets = sender->export_octets;
	enum clause clause = side == SENDER ? HDB_EXP_008 : HDB_BOTH_021;

	if (!limits->known)
		return;
	if (side == RECEIVER)
		count_imports(pair, flight->sender, &buffers, &octets);
	if (buffers >= limits->max_buffers &&
	    blame(fault, RANK_LIMIT, HDMABUF_STATUS_LIMIT, clause,
		  "with %" PRIu64 " buffers that are not released; the limit "
		  "max_buffers is %u",
		  buffers, limits->max_buffers))
		fault->doubtful = side == RECEIVER;
	if ((octets > limits->max_octets ||
	     added > limits->max_octets - octets) &&
	    blame(fault, RANK_LIMIT, HDMABUF_STATUS_LIMIT, clause,
		  "its pages of %" PRIu64 " octets and the %" PRIu64
		  " that are not released exceed the limit max_octets "
		  "%" PRIu64,
		  added, octets, limits->max_octets))
		fault->doubtful = side == RECEIVER;
}

static void find_id_fault(struct pair *pair, const struct flight *flight,
			  enum side side, struct fault *fault)
{
	const struct buffer *buffer = flight->buffer;
	const uint8_t *id = id_of(flight);
	char text[SHORT_ID];

	if (wire_is_zero(id, 16))
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID,
		      side == SENDER ? HDB_EXP_001 : HDB_BOTH_038,
		      "the id is zero");
	else if (side == SENDER && !id_is_new(pair, id))
		blame(fault, RANK_VALUE, HDMABUF_STATUS_DUPLICATE, HDB_EXP_001,
		      "the id %s was used before", short_id(id, text));
	if (side == SENDER || !buffer || flight->fresh ||
	    buffer_existence(pair, flight, side) != THERE)
		return;
	if (blame(fault, RANK_VALUE, HDMABUF_STATUS_DUPLICATE, HDB_IMP_001,
		  "the id %s is in use", short_id(id, text)))
		fault->doubtful = true;
}

/* What was asked for by ALLOCATE, and is something else now. */
static const char *find_broken_promise(const struct wish *wish,
				       const uint8_t *descriptor)
{
	static const struct {
		const char *name;
		unsigned int asked, given;
		bool of_picture;
	} fields[] = {
		{ "tag", ALLOCATE_TAG, DESCRIPTOR_TAG, false },
		{ "rights", ALLOCATE_RIGHTS, DESCRIPTOR_RIGHTS, false },
		{ "attributes", ALLOCATE_ATTRIBUTES, DESCRIPTOR_ATTRIBUTES,
		  false },
		{ "width", ALLOCATE_WIDTH, PICTURE_WIDTH, true },
		{ "height", ALLOCATE_HEIGHT, PICTURE_HEIGHT, true },
		{ "fourcc", ALLOCATE_FOURCC, PICTURE_FOURCC, true },
		{ "modifier", ALLOCATE_MODIFIER, PICTURE_MODIFIER, true },
	};
	uint64_t size = wire_get(wish->message, ALLOCATE_SIZE);
	bool is_picture = wire_get(wish->message, ALLOCATE_FOURCC);

	if (size && size != wire_get(descriptor, DESCRIPTOR_SIZE))
		return "size";
	if (is_picture !=
	    (wire_get(descriptor, DESCRIPTOR_TYPE) == HDMABUF_TYPE_PICTURE))
		return "type";
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if ((is_picture || !fields[i].of_picture) &&
		    wire_get(wish->message, fields[i].asked) !=
			    wire_get(descriptor, fields[i].given))
			return fields[i].name;
	return NULL;
}

static void find_promise_fault(const struct pair *pair,
			       const struct flight *flight, struct fault *fault)
{
	const struct wish *wish =
		wish_find(&pair->ends[flight->sender], id_of(flight));
	const char *name;

	if (!wish || !flight->descriptor)
		return;
	name = find_broken_promise(wish, flight->descriptor);
	if (name)
		blame(fault, RANK_PROVIDED, HDMABUF_STATUS_OK, HDB_EXP_017,
		      "\"%s\" is not what ALLOCATE has asked for", name);
}

static void find_export_fault(struct pair *pair, const struct flight *flight,
			      enum side side, struct fault *fault)
{
	find_id_fault(pair, flight, side, fault);
	find_length_fault(pair, flight, side, fault);
	find_descriptor_fault(pair, flight, side, fault);
	find_quota_fault(pair, flight, side, fault);
	if (side == SENDER)
		find_promise_fault(pair, flight, fault);
}

/* The id is free again, if there was a buffer: it has another life. */
static struct buffer *buffer_new(struct pair *pair, struct flight *flight)
{
	struct buffer **place = buffer_place(pair, id_of(flight));
	struct buffer *buffer = *place;

	if (!buffer) {
		buffer = calloc(1, sizeof(*buffer));
		if (!buffer) {
			pair->blind = true;
			return NULL;
		}
		*place = buffer;
	} else {
		struct buffer *next = buffer->next;

		*buffer = (struct buffer){ .next = next };
	}
	memcpy(buffer->id, id_of(flight), 16);
	buffer->exporter = flight->sender;
	flight->buffer = buffer;
	flight->fresh = true;
	return buffer;
}

static bool is_alive(const struct buffer *buffer)
{
	return buffer &&
	       (buffer->state[HDMABUF_EXPORTER] != HDMABUF_BUFFER_NONE ||
		buffer->state[HDMABUF_IMPORTER] != HDMABUF_BUFFER_NONE);
}

static void wish_drop(struct end *end, const uint8_t *id)
{
	struct wish **place = &end->wishes;
	struct wish *wish;

	while (*place && memcmp((*place)->id, id, 16))
		place = &(*place)->next;
	wish = *place;
	if (!wish)
		return;
	*place = wish->next;
	free(wish);
}

static void describe(struct buffer *buffer, const struct flight *flight)
{
	buffer->described = flight->descriptor;
	if (flight->descriptor)
		memcpy(buffer->descriptor, flight->descriptor,
		       WIRE_DESCRIPTOR_OCTETS);
}

static void export_sent(struct pair *pair, struct flight *flight)
{
	struct end *sender = &pair->ends[flight->sender];
	struct buffer *buffer;

	wish_drop(sender, id_of(flight));
	if (is_alive(flight->buffer) || !(buffer = buffer_new(pair, flight)))
		return;
	buffer->state[HDMABUF_EXPORTER] = HDMABUF_BUFFER_EXPORTING;
	describe(buffer, flight);
	if (buffer->described)
		buffer->octets = descriptor_octets(pair, buffer->descriptor);
	sender->exports++;
	sender->export_octets += buffer->octets;
}

/* It counts no more against the limits of the importer. */
static void discount(struct pair *pair, const struct buffer *buffer)
{
	pair->ends[buffer->exporter].exports--;
	pair->ends[buffer->exporter].export_octets -= buffer->octets;
}

static void export_accepted(struct pair *pair, struct flight *flight,
			    const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;

	(void)pair;
	(void)answer;
	if (!flight->fresh)
		return;
	buffer->state[HDMABUF_EXPORTER] = HDMABUF_BUFFER_LIVE;
	buffer->state[HDMABUF_IMPORTER] = HDMABUF_BUFFER_IMPORTED;
}

static void export_refused(struct pair *pair, struct flight *flight,
			   const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;

	(void)answer;
	if (!flight->fresh)
		return;
	buffer->state[HDMABUF_EXPORTER] = HDMABUF_BUFFER_NONE;
	buffer->refused = pair->now;
	discount(pair, buffer);
}

static void find_update_fault(struct pair *pair, const struct flight *flight,
			      enum side side, struct fault *fault)
{
	if (!find_common_fault(pair, flight, side, HDMABUF_BUFFER_UPDATE,
			       fault))
		return;
	find_length_fault(pair, flight, side, fault);
	find_descriptor_fault(pair, flight, side, fault);
}

static void update_accepted(struct pair *pair, struct flight *flight,
			    const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;

	(void)pair;
	(void)answer;
	if (buffer)
		describe(buffer, flight);
}

static void update_refused(struct pair *pair, struct flight *flight,
			   const uint8_t *answer)
{
	(void)pair;
	(void)answer;
	if (flight->buffer)
		flight->buffer->updates_refused = true;
}

/* ---- UNEXPORT and RELEASED ---------------------------------------------- */

static void find_unexport_fault(struct pair *pair, const struct flight *flight,
				enum side side, struct fault *fault)
{
	find_common_fault(pair, flight, side, HDMABUF_BUFFER_UNEXPORT, fault);
}

static void unexport_sent(struct pair *pair, struct flight *flight)
{
	struct buffer *buffer = flight->buffer;
	int next;

	(void)pair;
	if (!buffer || !is_exporter(flight))
		return;
	next = buffer_next(HDMABUF_EXPORTER, buffer->state[HDMABUF_EXPORTER],
			   HDMABUF_BUFFER_UNEXPORT);
	if (next < 0)
		return;
	flight->moved = true;
	flight->was = buffer->state[HDMABUF_EXPORTER];
	buffer->state[HDMABUF_EXPORTER] = next;
	buffer->unexported = flight->at;
}

static uint64_t grace_end(const struct flight *flight)
{
	return flight->time +
	       wire_get(flight->message, UNEXPORT_GRACE_MS) * NANOSECONDS_OF_MS;
}

static void unexport_accepted(struct pair *pair, struct flight *flight,
			      const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;
	uint64_t mapped = wire_get(answer, UNEXPORT_ANSWER_MAPPED);

	if (mapped > 1)
		report(pair, HDB_BOTH_064, other_end(flight->sender),
		       "answered UNEXPORT #%u with \"mapped\" %" PRIu64
		       ", which is 0 or 1",
		       flight->id, mapped);
	if (!buffer || !flight->moved)
		return;
	buffer->retired = pair->now;
	buffer->mapped = mapped;
	buffer->grace = grace_end(flight);
	if (mapped) {
		if (!buffer->released)
			buffer->state[HDMABUF_IMPORTER] =
				HDMABUF_BUFFER_RETIRING;
		return;
	}
	if (!buffer->released)
		discount(pair, buffer);
	buffer->state[HDMABUF_EXPORTER] = HDMABUF_BUFFER_NONE;
	buffer->state[HDMABUF_IMPORTER] = HDMABUF_BUFFER_NONE;
}

static void unexport_refused(struct pair *pair, struct flight *flight,
			     const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;

	(void)pair;
	(void)answer;
	if (!flight->moved ||
	    buffer->state[HDMABUF_EXPORTER] != HDMABUF_BUFFER_RETIRING)
		return;
	buffer->state[HDMABUF_EXPORTER] = flight->was;
	buffer->unexported = 0;
}

static void find_released_fault(struct pair *pair, const struct flight *flight,
				enum side side, struct fault *fault)
{
	const struct buffer *buffer = flight->buffer;
	bool is_early = buffer && buffer->state[HDMABUF_EXPORTER] ==
					  HDMABUF_BUFFER_EXPORTING;
	char id[SHORT_ID];

	if (find_existence_fault(pair, flight, side, fault) == GONE)
		return;
	find_role_fault(flight, fault);
	if (is_early && !is_exporter(flight))
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_038, "EXPORT of buffer %s is not answered",
		      short_id(buffer->id, id));
}

static void released_sent(struct pair *pair, struct flight *flight)
{
	struct buffer *buffer = flight->buffer;

	if (!buffer || is_exporter(flight) ||
	    buffer->state[HDMABUF_IMPORTER] == HDMABUF_BUFFER_NONE)
		return;
	flight->moved = true;
	flight->was = buffer->state[HDMABUF_IMPORTER];
	buffer->state[HDMABUF_IMPORTER] = HDMABUF_BUFFER_NONE;
	buffer->released = flight->at;
	discount(pair, buffer);
}

static void released_accepted(struct pair *pair, struct flight *flight,
			      const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;

	(void)answer;
	if (!buffer || !flight->moved)
		return;
	buffer->state[HDMABUF_EXPORTER] = HDMABUF_BUFFER_NONE;
	buffer->forgotten = pair->now;
}

static bool is_late(const struct flight *flight)
{
	const struct buffer *buffer = flight->buffer;

	return buffer->retired && buffer->mapped &&
	       flight->time >= buffer->grace;
}

/* HDB-EXP-015: after the grace period there is nothing more to be refused. */
static void released_refused(struct pair *pair, struct flight *flight,
			     const uint8_t *answer)
{
	struct buffer *buffer = flight->buffer;
	uint16_t status = (uint16_t)wire_get(answer, HEADER_STATUS);
	char id[SHORT_ID];

	if (!buffer || !flight->moved ||
	    buffer->state[HDMABUF_EXPORTER] == HDMABUF_BUFFER_NONE)
		return;
	if (status == HDMABUF_STATUS_NO_SUCH_BUFFER && !buffer->vague &&
	    is_late(flight))
		report(pair, HDB_EXP_015, buffer->exporter,
		       "answered %s to RELEASED of buffer %s after the grace "
		       "period; expected OK",
		       wire_status_name(status), short_id(buffer->id, id));
	buffer->state[HDMABUF_IMPORTER] = flight->was;
	buffer->released = 0;
	pair->ends[buffer->exporter].exports++;
	pair->ends[buffer->exporter].export_octets += buffer->octets;
}

/* ---- QUERY -------------------------------------------------------------- */

static void find_query_fault(struct pair *pair, const struct flight *flight,
			     enum side side, struct fault *fault)
{
	find_existence_fault(pair, flight, side, fault);
}

/* What was accepted when QUERY was sent, and what may be until it is handled. */
static void query_sent(struct pair *pair, struct flight *flight)
{
	unsigned int asked = other_end(flight->sender);
	const struct flight *other = pair->ends[flight->sender].flights;

	if (!flight->buffer)
		return;
	flight->accepted = flight->buffer->accepted[asked];
	for (; other; other = other->next)
		flight->undecided += other->operation == HDMABUF_OP_HAND_OFF &&
				     other->buffer == flight->buffer;
}

static void answer_is(struct pair *pair, const struct flight *flight,
		      const uint8_t *answer, const char *name,
		      unsigned int place, uint64_t low, uint64_t high,
		      bool was_refused)
{
	uint64_t value = wire_get(answer, place);
	char id[SHORT_ID];

	if (value >= low && value <= high)
		return;
	report(pair, was_refused && value > high ? HDB_BOTH_037 : HDB_BOTH_064,
	       other_end(flight->sender),
	       "answered QUERY of buffer %s with \"%s\" %" PRIu64
	       "; expected %" PRIu64 "%s",
	       short_id(flight->buffer->id, id), name, value,
	       value < low ? low : high,
	       was_refused ? ", as what would change it was refused" : "");
}

/* Those that the end who answers can be in, as bits. */
static uint64_t possible_states(const struct flight *flight)
{
	const struct buffer *buffer = flight->buffer;
	uint64_t retiring = 1 << HDMABUF_BUFFER_RETIRING;
	uint64_t mapped = 1 << HDMABUF_BUFFER_IMPORTED |
			  1 << HDMABUF_BUFFER_MAPPED;

	if (!is_exporter(flight))
		return retiring | 1 << HDMABUF_BUFFER_EXPORTING |
		       1 << HDMABUF_BUFFER_LIVE |
		       1 << HDMABUF_BUFFER_QUARANTINED |
		       (buffer_rights(buffer) == HDMABUF_RIGHTS_LEND ||
					!buffer->described ?
				1 << HDMABUF_BUFFER_LENT :
				0);
	if (!buffer->unexported || buffer->unexported > flight->at)
		return mapped;
	return buffer->retired ? retiring : retiring | mapped;
}

static void check_state(struct pair *pair, const struct flight *flight,
			const uint8_t *answer)
{
	uint64_t state = wire_get(answer, QUERY_ANSWER_STATE);
	char id[SHORT_ID];

	if (state >= HDMABUF_BUFFER_STATES ||
	    !(possible_states(flight) >> state & 1))
		report(pair, HDB_BOTH_064, other_end(flight->sender),
		       "answered QUERY of buffer %s with \"state\" %" PRIu64
		       " (%s), in which it cannot be there",
		       short_id(flight->buffer->id, id), state,
		       wire_buffer_state_name((uint32_t)state));
}

/* What only UPDATE changes: the exporter may be one ahead. */
static void check_metadata(struct pair *pair, const struct flight *flight,
			   const uint8_t *answer)
{
	static const struct {
		const char *name;
		unsigned int answer, descriptor;
	} fields[] = {
		{ "generation", QUERY_ANSWER_GENERATION,
		  DESCRIPTOR_GENERATION },
		{ "tag", QUERY_ANSWER_TAG, DESCRIPTOR_TAG },
		{ "type", QUERY_ANSWER_TYPE, DESCRIPTOR_TYPE },
		{ "private_octets", QUERY_ANSWER_PRIVATE, DESCRIPTOR_PRIVATE },
	};
	const struct buffer *buffer = flight->buffer;

	if (!is_exporter(flight))
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t value =
			wire_get(buffer->descriptor, fields[i].descriptor);

		answer_is(pair, flight, answer, fields[i].name,
			  fields[i].answer, value, value,
			  buffer->updates_refused);
	}
}

static bool is_updated_meanwhile(const struct pair *pair,
				 const struct flight *flight)
{
	const struct flight *other = pair->ends[flight->sender].flights;

	for (; other; other = other->next)
		if (other->operation == HDMABUF_OP_UPDATE &&
		    other->buffer == flight->buffer)
			return true;
	return false;
}

static void query_accepted(struct pair *pair, struct flight *flight,
			   const uint8_t *answer)
{
	const struct buffer *buffer = flight->buffer;
	uint64_t value;

	if (!buffer || buffer->vague)
		return;
	check_state(pair, flight, answer);
	answer_is(pair, flight, answer, "hand_offs", QUERY_ANSWER_HAND_OFFS,
		  flight->accepted, flight->accepted + flight->undecided,
		  buffer->hand_offs_refused);
	if (!buffer->described)
		return;
	value = wire_get(buffer->descriptor, DESCRIPTOR_RIGHTS);
	answer_is(pair, flight, answer, "rights", QUERY_ANSWER_RIGHTS, value,
		  value, false);
	value = wire_get(buffer->descriptor, DESCRIPTOR_SIZE);
	answer_is(pair, flight, answer, "size", QUERY_ANSWER_SIZE, value, value,
		  false);
	value = wire_get(buffer->descriptor, DESCRIPTOR_PAGES);
	answer_is(pair, flight, answer, "pages", QUERY_ANSWER_PAGES, value,
		  value, false);
	if (!is_updated_meanwhile(pair, flight))
		check_metadata(pair, flight, answer);
}

/* ---- CPU_BEGIN and CPU_END ---------------------------------------------- */

static void find_range_fault(const struct flight *flight, struct fault *fault)
{
	const struct buffer *buffer = flight->buffer;
	uint64_t offset = wire_get(flight->message, CPU_ACCESS_OFFSET);
	uint64_t octets = wire_get(flight->message, CPU_ACCESS_OCTETS);
	uint64_t size = wire_get(buffer->descriptor, DESCRIPTOR_SIZE);

	if (octets > UINT64_MAX - offset)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_062,
		      "\"offset\" and \"octets\" exceed 64 bits");
	else if (!octets || (buffer->described && offset + octets > size))
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "%" PRIu64 " octets from %" PRIu64
		      " on; the buffer has %" PRIu64,
		      octets, offset, size);
}

static void find_access_fault(const struct flight *flight, struct fault *fault)
{
	uint64_t access = wire_get(flight->message, CPU_ACCESS_ACCESS);

	if (!access || access > (HDMABUF_ACCESS_READ | HDMABUF_ACCESS_WRITE))
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "there is no access %" PRIu64, access);
	if (!is_exporter(flight) && access & HDMABUF_ACCESS_WRITE &&
	    buffer_rights(flight->buffer) == HDMABUF_RIGHTS_READ_ONLY)
		blame(fault, RANK_PROVIDED, HDMABUF_STATUS_DENIED, HDB_BOTH_038,
		      "the importer may not write to a buffer of right "
		      "READ_ONLY");
}

static void find_cpu_fault(struct pair *pair, const struct flight *flight,
			   enum side side, struct fault *fault)
{
	if (find_existence_fault(pair, flight, side, fault) != THERE)
		return;
	if (side == RECEIVER && flight->operation == HDMABUF_OP_CPU_END &&
	    !flight->buffer->accesses[flight->sender])
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_038, "there was no CPU_BEGIN");
	if (side == RECEIVER && is_retiring(flight))
		blame(fault, RANK_STATE, HDMABUF_STATUS_WRONG_STATE,
		      HDB_BOTH_038, "the buffer is wanted back, by UNEXPORT");
	find_range_fault(flight, fault);
	find_access_fault(flight, fault);
}

static void cpu_accepted(struct pair *pair, struct flight *flight,
			 const uint8_t *answer)
{
	uint64_t *accesses;

	(void)pair;
	(void)answer;
	if (!flight->buffer)
		return;
	accesses = &flight->buffer->accesses[flight->sender];
	if (flight->operation == HDMABUF_OP_CPU_BEGIN)
		++*accesses;
	else if (*accesses)
		--*accesses;
}

/* ---- ALLOCATE ----------------------------------------------------------- */

static void find_wish_fault(struct pair *pair, const struct flight *flight,
			    enum side side, struct fault *fault)
{
	const uint8_t *message = flight->message;
	bool width = wire_get(message, ALLOCATE_WIDTH);
	bool height = wire_get(message, ALLOCATE_HEIGHT);
	bool fourcc = wire_get(message, ALLOCATE_FOURCC);
	uint64_t rights = wire_get(message, ALLOCATE_RIGHTS);
	uint64_t attributes = wire_get(message, ALLOCATE_ATTRIBUTES);

	(void)pair;
	(void)side;
	if (width != height || height != fourcc)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "it asks for half a picture");
	if (!width && !wire_get(message, ALLOCATE_SIZE))
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "it asks for neither a size nor a picture");
	if (rights < HDMABUF_RIGHTS_READ_ONLY || rights > HDMABUF_RIGHTS_LEND)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "there are no rights %" PRIu64, rights);
	if (attributes < HDMABUF_ATTRIBUTE_CACHED ||
	    attributes > HDMABUF_ATTRIBUTE_WRITE_COMBINED)
		blame(fault, RANK_VALUE, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		      "there is no attribute %" PRIu64, attributes);
}

static void wish_accepted(struct pair *pair, struct flight *flight,
			  const uint8_t *answer)
{
	unsigned int end = other_end(flight->sender);
	const uint8_t *id = answer + wire_offset(ALLOCATE_ANSWER_ID);
	struct wish *wish;

	if (wire_is_zero(id, 16)) {
		report(pair, HDB_EXP_001, end,
		       "answered ALLOCATE #%u with the id zero", flight->id);
		return;
	}
	wish = calloc(1, sizeof(*wish));
	if (!wish) {
		pair->blind = true;
		return;
	}
	memcpy(wish->message, flight->message, WIRE_MESSAGE_OCTETS);
	memcpy(wish->id, id, 16);
	wish->next = pair->ends[end].wishes;
	pair->ends[end].wishes = wish;
}

#define STATUSES_OF_EXPORT \
	(STATUS(NOT_NEGOTIATED) | STATUS(INVALID) | STATUS(BAD_REFERENCE) | \
	 STATUS(UNSUPPORTED) | STATUS(DENIED))
#define STATUSES_OF_CPU \
	(STATUS(NOT_NEGOTIATED) | STATUS(NO_SUCH_BUFFER) | STATUS(INVALID) | \
	 STATUS(UNSUPPORTED) | STATUS(DENIED))

const struct rule buffer_rules[] = {
	{ HDMABUF_OP_EXPORT, 0, STATUSES_OF_EXPORT | STATUS(DUPLICATE),
	  export_sent, find_export_fault, export_accepted, export_refused },
	{ HDMABUF_OP_UPDATE, HDMABUF_FEATURE_UPDATE,
	  STATUSES_OF_EXPORT | STATUS(NO_SUCH_BUFFER) | STATUS(WRONG_ROLE),
	  NULL, find_update_fault, update_accepted, update_refused },
	{ HDMABUF_OP_UNEXPORT, 0, STATUS(NO_SUCH_BUFFER) | STATUS(WRONG_ROLE),
	  unexport_sent, find_unexport_fault, unexport_accepted,
	  unexport_refused },
	{ HDMABUF_OP_RELEASED, 0, STATUS(NO_SUCH_BUFFER) | STATUS(WRONG_ROLE),
	  released_sent, find_released_fault, released_accepted,
	  released_refused },
	{ HDMABUF_OP_QUERY, 0, STATUS(NO_SUCH_BUFFER), query_sent,
	  find_query_fault, query_accepted, NULL },
	{ HDMABUF_OP_CPU_BEGIN, HDMABUF_FEATURE_CPU_ACCESS, STATUSES_OF_CPU,
	  NULL, find_cpu_fault, cpu_accepted, NULL },
	{ HDMABUF_OP_CPU_END, HDMABUF_FEATURE_CPU_ACCESS, STATUSES_OF_CPU, NULL,
	  find_cpu_fault, cpu_accepted, NULL },
	{ HDMABUF_OP_ALLOCATE, HDMABUF_FEATURE_ALLOCATE,
	  STATUS(NOT_NEGOTIATED) | STATUS(INVALID) | STATUS(UNSUPPORTED) |
		  STATUS(DENIED) | STATUS(NO_REFERENCES),
	  NULL, find_wish_fault, wish_accepted, NULL },
	{ 0 },
};
