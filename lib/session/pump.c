/* SPDX-License-Identifier: MIT */
/*
 * pump.c - the rings: requests and answers in and out
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* An id is the place of the request below, and a count above, so that an answer
 * that comes twice fits nothing.
 */
#define PLACE_BITS 16
#define PLACE_MASK ((1u << PLACE_BITS) - 1)

static struct pending *pending_free(struct hdmabuf_session *session)
{
	uint32_t i;

	for (i = 0; i < session->pending_max; i++)
		if (!session->pending[i].used)
			return &session->pending[i];
	return NULL;
}

/* HDB-BOTH-008: neither the ring nor the peer's limit is exceeded. */
bool request_fits(const struct hdmabuf_session *session, uint16_t operation)
{
	if (session->group_sent && operation != HDMABUF_OP_HAND_OFF &&
	    operation != HDMABUF_OP_CLOSE)
		return false;
	return session->in_flight < session->limits.max_in_flight &&
	       session->in_flight < session->pending_max &&
	       hdmabuf_ring_free_requests(&session->channel.own);
}

int request_send(struct hdmabuf_session *session,
		 struct hdmabuf_request *request, struct hdmabuf_buffer *buffer,
		 struct hdmabuf_timeline_handle *timeline)
{
	union hdmabuf_message message;
	struct pending *pending;

	if (!request_fits(session, request->operation))
		return -EAGAIN;
	pending = pending_free(session);
	if (!pending)
		return -EAGAIN;
	request->id = session->sequence++ << PLACE_BITS |
		      (uint32_t)(pending - session->pending);
	*pending = (struct pending){ request->id, request->operation, true,
				     buffer,	  timeline,	      { 0 } };
	if (request->operation == HDMABUF_OP_ECHO)
		memcpy(pending->echo, request->echo, sizeof(pending->echo));
	hdmabuf_request_encode(request, &message);
	hdmabuf_ring_put_request(&session->channel.own, &message);
	session->requests_put = true;
	trace_put_request(session, &message);
	session_touch(session);
	session->in_flight++;
	session->statistics.requests_sent++;
	endpoint_log(session->endpoint, HDMABUF_LOG_DEBUG, "> %s",
		     hdmabuf_operation_text(request->operation));
	return 0;
}

/* The buffer or timeline of some requests is gone before their answers. */
void pump_forget(struct hdmabuf_session *session,
		 const struct hdmabuf_buffer *buffer,
		 const struct hdmabuf_timeline_handle *timeline)
{
	uint32_t i;

	for (i = 0; i < session->pending_max; i++) {
		struct pending *pending = &session->pending[i];

		if (buffer && pending->buffer == buffer)
			pending->buffer = NULL;
		if (timeline && pending->timeline == timeline)
			pending->timeline = NULL;
	}
}

static struct pending *pending_find(struct hdmabuf_session *session,
				    const struct hdmabuf_answer *answer)
{
	uint32_t place = answer->id & PLACE_MASK;
	struct pending *pending;

	if (place >= session->pending_max)
		return NULL;
	pending = &session->pending[place];
	if (!pending->used || pending->id != answer->id ||
	    pending->operation != answer->operation)
		return NULL;
	return pending;
}

/* HDB-BOTH-064: what ECHO carries comes back as it was. */
static bool is_echo(const struct pending *pending,
		    const struct hdmabuf_answer *answer)
{
	return answer->operation != HDMABUF_OP_ECHO || answer->fault.status ||
	       !memcmp(pending->echo, answer->echo, sizeof(pending->echo));
}

static void take_answer(struct hdmabuf_session *session,
			const union hdmabuf_message *message)
{
	struct hdmabuf_answer answer;
	struct pending *pending;
	struct pending copy;

	trace_took_answer(session, message);
	if (!hdmabuf_answer_decode(message, &answer)) {
		session_break(session, "an answer that breaks the format");
		return;
	}
	pending = pending_find(session, &answer);
	if (!pending) {
		session_break(session, "an answer to %s, id %u, not asked for",
			      hdmabuf_operation_text(answer.operation),
			      answer.id);
		return;
	}
	if (!is_echo(pending, &answer)) {
		session_break(session, "an answer to ECHO that is none");
		return;
	}
	copy = *pending;
	pending->used = false;
	session->in_flight--;
	handle_answer(session, &copy, &answer);
}

/* There are at most as many answers as there are requests pending. */
static void take_answers(struct hdmabuf_session *session)
{
	union hdmabuf_message message;

	while (!session->broken) {
		switch (hdmabuf_ring_take_answer(&session->channel.own,
						 &message)) {
		case HDMABUF_RING_TAKEN:
			take_answer(session, &message);
			break;
		case HDMABUF_RING_BROKEN:
			session_break(session, "answers without requests");
			return;
		case HDMABUF_RING_EMPTY:
			return;
		}
	}
}

void answer_put(struct hdmabuf_session *session,
		const struct hdmabuf_answer *answer)
{
	union hdmabuf_message message;

	session->answers_put = true;
	hdmabuf_answer_encode(answer, &message);
	hdmabuf_ring_put_answer(&session->channel.peer, &message);
	trace_put_answer(session, &message);
}

static void take_request(struct hdmabuf_session *session)
{
	union hdmabuf_message message;
	struct hdmabuf_answer answer = { 0 };
	bool is_answered;

	if (hdmabuf_ring_take_request(&session->channel.peer, &message) !=
	    HDMABUF_RING_TAKEN)
		return;
	session->statistics.requests_received++;
	session->taken++;
	trace_took_request(session, &message);
	is_answered = handle_request(session, &message, &answer);
	trace_taken(session);
	if (!is_answered)
		return;
	answer_put(session, &answer);
	if (session->hello_done) {
		session->hello_done = false;
		session_connected(session);
	}
}

/*
 * After CLOSE, or a HELLO that was refused, nothing more is to be taken.  If it is
 * this end's CLOSE that is answered, the peer's may have crossed it.
 */
static bool is_finished(const struct hdmabuf_session *session)
{
	return session->broken || session->hello_refused ||
	       session->close_received;
}

/* HDB-BOTH-017: answers that came before a request are taken before it. */
static bool pump_once(struct hdmabuf_session *session)
{
	enum hdmabuf_ring_result found;

	found = hdmabuf_ring_has_request(&session->channel.peer);
	take_answers(session);
	if (is_finished(session))
		return false;
	if (found == HDMABUF_RING_BROKEN)
		session_break(session, "more requests than the ring has slots");
	if (found == HDMABUF_RING_TAKEN)
		take_request(session);
	return found == HDMABUF_RING_TAKEN && !is_finished(session);
}

/* A ring that makes no sense is news as well. */
bool pump_has_news(const struct hdmabuf_session *session)
{
	return hdmabuf_ring_has_answer(&session->channel.own) !=
		       HDMABUF_RING_EMPTY ||
	       hdmabuf_ring_has_request(&session->channel.peer) !=
		       HDMABUF_RING_EMPTY;
}

void pump_hold(struct hdmabuf_session *session)
{
	hdmabuf_ring_hold_requests(&session->channel.peer);
	hdmabuf_ring_hold_answers(&session->channel.own);
}

bool pump_arm(struct hdmabuf_session *session)
{
	bool requests = hdmabuf_ring_arm_requests(&session->channel.peer);
	bool answers = hdmabuf_ring_arm_answers(&session->channel.own, 1);

	return requests || answers;
}

/* Requests of the library's own that found the ring full before. */
static void send_what_is_due(struct hdmabuf_session *session)
{
	struct hdmabuf_buffer *buffer = LIST_FIRST(&session->buffers);

	if (!session->due || !session_is_open(session))
		return;
	session->due = false;
	while (buffer) {
		struct hdmabuf_buffer *next = LIST_NEXT(buffer, entry);

		if (buffer->export_due)
			export_send(buffer);
		if (buffer->release_due)
			import_send_released(buffer);
		buffer = next;
	}
}

void pump(struct hdmabuf_session *session)
{
	unsigned int work = WORK_PER_TURN;

	while (work) {
		if (pump_once(session)) {
			work--;
			continue;
		}
		if (is_finished(session))
			return;
		if (!pump_arm(session))
			break;
	}
	session->look = !work;
	send_what_is_due(session);
}

static void count_ring_writes(struct hdmabuf_session *session)
{
	session->statistics.ring_writes +=
		session->requests_put + session->answers_put;
	session->requests_put = false;
	session->answers_put = false;
}

void pump_flush(struct hdmabuf_session *session)
{
	bool notify = session->notify;

	if (!session->has_channel)
		return;
	session->taken = 0;
	notify |= hdmabuf_ring_push_answers(&session->channel.peer);
	notify |= hdmabuf_ring_push_requests(&session->channel.own);
	trace_shown(session);
	count_ring_writes(session);
	if (!notify)
		return;
	session->statistics.notifications_sent++;
	session->notify = session->port->ops->notify(session->port->link);
	if (session->notify)
		session->retry_at = now_ms() + PLATFORM_RETRY_MS;
}
