/* SPDX-License-Identifier: MIT */
/*
 * answers.c - what the peer has answered
 */
#include <string.h>

#include "internal.h"

static const struct hdmabuf_fault *fault_of(const struct hdmabuf_answer *answer)
{
	return answer->fault.status ? &answer->fault : NULL;
}

static void hello_answered(struct hdmabuf_session *session,
			   const struct hdmabuf_answer *answer)
{
	const struct hdmabuf_hello_body *hello = &answer->hello;

	if (answer->fault.status) {
		endpoint_log_fault(session->endpoint, "HELLO was refused",
				   &answer->fault);
		session->hello_refused = true;
		return;
	}
	/* HDB-FE-005 */
	if (hello->epoch_frontend != session->epoch ||
	    hello->epoch_backend != session->peer_epoch ||
	    hello->features != session->features ||
	    !hello->limits.max_in_flight) {
		session_break(session, "an answer to another HELLO");
		return;
	}
	session->limits = hello->limits;
	session_connected(session);
}

static void close_answered(struct hdmabuf_session *session,
			   const struct hdmabuf_answer *answer)
{
	session->close_answered = true;
	session->close_unmapped = !answer->fault.status;
}

static void allocate_answered(struct hdmabuf_session *session,
			      const struct hdmabuf_answer *answer)
{
	struct hdmabuf_endpoint *endpoint = session->endpoint;

	if (endpoint->callbacks.allocated)
		endpoint->callbacks.allocated(endpoint->user, session,
					      &answer->buffer,
					      fault_of(answer));
}

static void query_answered(struct hdmabuf_session *session,
			   struct hdmabuf_buffer *buffer,
			   const struct hdmabuf_answer *answer)
{
	struct hdmabuf_endpoint *endpoint = session->endpoint;

	if (buffer && endpoint->callbacks.queried)
		endpoint->callbacks.queried(endpoint->user, buffer,
					    &answer->query, fault_of(answer));
}

static void echo_answered(struct hdmabuf_session *session,
			  const struct hdmabuf_answer *answer)
{
	struct hdmabuf_endpoint *endpoint = session->endpoint;

	if (!answer->fault.status && endpoint->callbacks.echoed)
		endpoint->callbacks.echoed(endpoint->user, session,
					   answer->echo);
}

/*
 * UNEXPORT: if nothing was mapped, the buffer is released. Else RELEASED will
 * follow, or has crossed it, if the importer does not know the buffer any more.
 */
static void unexport_answered(struct hdmabuf_buffer *buffer,
			      const struct hdmabuf_answer *answer)
{
	if (buffer && !answer->fault.status && !answer->mapped)
		export_released(buffer);
}

/* What needs no word: the session ends, or RELEASED says it. */
static bool is_explained(const struct hdmabuf_answer *answer)
{
	return answer->fault.status == HDMABUF_STATUS_CLOSING ||
	       (answer->operation == HDMABUF_OP_UNEXPORT &&
		answer->fault.status == HDMABUF_STATUS_NO_SUCH_BUFFER);
}

static void refused(struct hdmabuf_session *session,
		    const struct pending *pending,
		    const struct hdmabuf_answer *answer)
{
	struct hdmabuf_endpoint *endpoint = session->endpoint;

	endpoint_log_fault(endpoint, hdmabuf_operation_text(answer->operation),
			   &answer->fault);
	if (endpoint->callbacks.refused)
		endpoint->callbacks.refused(endpoint->user, session,
					    answer->operation, pending->buffer,
					    &answer->fault);
}

void handle_answer(struct hdmabuf_session *session,
		   const struct pending *pending,
		   const struct hdmabuf_answer *answer)
{
	switch (answer->operation) {
	case HDMABUF_OP_HELLO:
		hello_answered(session, answer);
		return;
	case HDMABUF_OP_CLOSE:
		close_answered(session, answer);
		return;
	case HDMABUF_OP_ALLOCATE:
		allocate_answered(session, answer);
		return;
	case HDMABUF_OP_QUERY:
		query_answered(session, pending->buffer, answer);
		return;
	case HDMABUF_OP_EXPORT:
		if (pending->buffer)
			export_answered(pending->buffer, fault_of(answer));
		return;
	case HDMABUF_OP_UPDATE:
		if (pending->buffer)
			update_answered(pending->buffer, fault_of(answer));
		break;
	case HDMABUF_OP_UNEXPORT:
		unexport_answered(pending->buffer, answer);
		break;
	case HDMABUF_OP_HAND_OFF:
		if (pending->buffer && answer->fault.status)
			hand_off_refused(pending->buffer);
		break;
	case HDMABUF_OP_ECHO:
		echo_answered(session, answer);
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
		if (pending->timeline)
			timeline_created(pending->timeline, fault_of(answer));
		break;
	case HDMABUF_OP_TIMELINE_DESTROY:
		if (pending->timeline)
			timeline_bury(pending->timeline,
				      HDMABUF_STATUS_CANCELLED);
		break;
	}
	if (answer->fault.status && !is_explained(answer))
		refused(session, pending, answer);
}
