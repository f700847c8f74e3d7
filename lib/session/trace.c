/* SPDX-License-Identifier: MIT */
/*
 * trace.c - what the application is told for a trace
 *
 * What this end writes into a ring is told when it is made visible, from a copy: the
 * other end can write to the slot.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"

#define OTHER(role) \
	((role) == HDMABUF_FRONTEND ? HDMABUF_BACKEND : HDMABUF_FRONTEND)

/* Messages in the order in which they were put into a ring. */
struct unshown {
	union hdmabuf_message *messages;
	size_t count;
	size_t capacity;
};

/**
 * struct trace - what is still to be told of a session
 * @requests: of this end, that are not visible yet
 * @answers: likewise
 * @taken: the request that is being handled, if it is not told yet
 * @record: of the peer, as it was last told
 */
struct trace {
	struct unshown requests;
	struct unshown answers;
	const union hdmabuf_message *taken;
	char record[HDMABUF_RECORD_OCTETS * 2];
};

/* Without memory there is no trace. */
void trace_begin(struct hdmabuf_session *session)
{
	if (session->endpoint->callbacks.trace)
		session->trace = calloc(1, sizeof(*session->trace));
}

void trace_end(struct hdmabuf_session *session)
{
	if (!session->trace)
		return;
	free(session->trace->requests.messages);
	free(session->trace->answers.messages);
	free(session->trace);
	session->trace = NULL;
}

static uint64_t now_of_day(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void tell(struct hdmabuf_session *session, enum hdmabuf_trace_kind kind,
		 bool by_peer, const void *octets, size_t length)
{
	struct hdmabuf_endpoint *endpoint = session->endpoint;
	struct hdmabuf_trace_event event = {
		.time = now_of_day(),
		.kind = (uint8_t)kind,
		.sender = (uint8_t)(by_peer ? OTHER(endpoint->role) :
					      endpoint->role),
		.observer = (uint8_t)endpoint->role,
		.link = session->link,
		.octets = octets,
		.length = length,
	};

	endpoint->callbacks.trace(endpoint->user, &event);
}

void trace_record(struct hdmabuf_session *session, const char *text,
		  size_t octets)
{
	if (session->trace)
		tell(session, HDMABUF_TRACE_RECORD, false, text, octets);
}

/* It may be read again and again before something comes of it. */
void trace_peer_record(struct hdmabuf_session *session, const char *text,
		       size_t octets)
{
	struct trace *trace = session->trace;

	if (!trace || octets >= sizeof(trace->record) ||
	    (strlen(trace->record) == octets &&
	     !memcmp(trace->record, text, octets)))
		return;
	memcpy(trace->record, text, octets);
	trace->record[octets] = '\0';
	tell(session, HDMABUF_TRACE_RECORD, true, text, octets);
}

/* The page is the frontend's, whoever tells of it. */
void trace_channel(struct hdmabuf_session *session,
		   const struct hdmabuf_channel *page)
{
	uint32_t references = hdmabuf_get_le32(page->references);

	if (!session->trace)
		return;
	if (references > HDMABUF_CHANNEL_REFERENCES_MAX)
		references = HDMABUF_CHANNEL_REFERENCES_MAX;
	tell(session, HDMABUF_TRACE_CHANNEL,
	     session->endpoint->role == HDMABUF_BACKEND, page,
	     offsetof(struct hdmabuf_channel, reference) +
		     references * sizeof(page->reference[0]));
}

/* ---- Messages of this end ----------------------------------------------- */

static bool unshown_add(struct unshown *unshown,
			const union hdmabuf_message *message)
{
	size_t capacity = unshown->capacity ? 2 * unshown->capacity : 16;
	union hdmabuf_message *wider;

	if (unshown->count == unshown->capacity) {
		wider = realloc(unshown->messages, capacity * sizeof(*wider));
		if (!wider)
			return false;
		unshown->messages = wider;
		unshown->capacity = capacity;
	}
	unshown->messages[unshown->count++] = *message;
	return true;
}

/* A trace with a hole would tell lies: it ends here, and the session goes on. */
static void give_up(struct hdmabuf_session *session)
{
	trace_down(session, false, "there is no memory for the trace");
	trace_end(session);
}

void trace_put_request(struct hdmabuf_session *session,
		       const union hdmabuf_message *message)
{
	if (session->trace && !unshown_add(&session->trace->requests, message))
		give_up(session);
}

void trace_put_answer(struct hdmabuf_session *session,
		      const union hdmabuf_message *message)
{
	if (session->trace && !unshown_add(&session->trace->answers, message))
		give_up(session);
}

/* The descriptor that a request of this end names; its page is still this end's. */
static void tell_own_descriptor(struct hdmabuf_session *session,
				const union hdmabuf_message *message)
{
	const struct hdmabuf_buffer *buffer;

	switch (hdmabuf_get_le16(message->header.operation)) {
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
		break;
	default:
		return;
	}
	buffer = hdmabuf_table_find(&session->table,
				    &message->export_request.id);
	if (buffer && buffer->description)
		tell(session, HDMABUF_TRACE_DESCRIPTOR, false,
		     buffer->description->memory.address,
		     buffer->description_length);
}

void trace_shown(struct hdmabuf_session *session)
{
	struct trace *trace = session->trace;
	size_t i;

	if (!trace)
		return;
	for (i = 0; i < trace->answers.count; i++)
		tell(session, HDMABUF_TRACE_ANSWER, false,
		     &trace->answers.messages[i], HDMABUF_SLOT_OCTETS);
	for (i = 0; i < trace->requests.count; i++) {
		tell_own_descriptor(session, &trace->requests.messages[i]);
		tell(session, HDMABUF_TRACE_REQUEST, false,
		     &trace->requests.messages[i], HDMABUF_SLOT_OCTETS);
	}
	trace_forget(session);
}

/* What was not shown never will be. */
void trace_forget(struct hdmabuf_session *session)
{
	if (!session->trace)
		return;
	session->trace->answers.count = 0;
	session->trace->requests.count = 0;
}

/* ---- Messages of the peer ----------------------------------------------- */

void trace_took_answer(struct hdmabuf_session *session,
		       const union hdmabuf_message *message)
{
	if (session->trace)
		tell(session, HDMABUF_TRACE_ANSWER, true, message,
		     HDMABUF_SLOT_OCTETS);
}

/* A descriptor is to be told before the request that names it. */
void trace_took_request(struct hdmabuf_session *session,
			const union hdmabuf_message *message)
{
	uint16_t operation = hdmabuf_get_le16(message->header.operation);

	if (!session->trace)
		return;
	session->trace->taken = message;
	if (operation != HDMABUF_OP_EXPORT && operation != HDMABUF_OP_UPDATE)
		trace_taken(session);
}

void trace_took_descriptor(struct hdmabuf_session *session,
			   const void *descriptor, size_t octets)
{
	if (!session->trace)
		return;
	tell(session, HDMABUF_TRACE_DESCRIPTOR, true, descriptor, octets);
	trace_taken(session);
}

/* The request is told now, if it was not before. */
void trace_taken(struct hdmabuf_session *session)
{
	struct trace *trace = session->trace;
	const union hdmabuf_message *message;

	if (!trace || !trace->taken)
		return;
	message = trace->taken;
	trace->taken = NULL;
	tell(session, HDMABUF_TRACE_REQUEST, true, message,
	     HDMABUF_SLOT_OCTETS);
}

/* ---- The rest ----------------------------------------------------------- */

/* What stands in the cell now, as this end has written or seen it. */
void trace_point(const struct hdmabuf_timeline_handle *timeline)
{
	struct hdmabuf_session *session = timeline->session;
	enum hdmabuf_role role = session->endpoint->role;
	struct hdmabuf_trace_point point = {
		.creator = hdmabuf_put_le32(
			timeline->created_here ? role : OTHER(role)),
		.timeline = hdmabuf_put_le32(timeline->number),
		.point = hdmabuf_put_le64(timeline->point),
		.error = hdmabuf_put_le32(timeline->status),
	};

	if (session->trace)
		tell(session, HDMABUF_TRACE_POINT, !timeline->signalled_here,
		     &point, sizeof(point));
}

void trace_down(struct hdmabuf_session *session, bool by_peer, const char *why)
{
	if (session->trace)
		tell(session, HDMABUF_TRACE_DOWN, by_peer, why, strlen(why));
}
