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

/* UNEXPORT of a buffer that the importer had released: RELEASED says it. */
static bool is_explained(const struct hdmabuf_answer *answer)
{
	return answer->operation == HDMABUF_OP_UNEXPORT &&
	       answer->fault.status == HDMABUF_STATUS_NO_SUCH_BUFFER;
}

/* The buffer or timeline of a request may be gone by now. */
static void tell_buffer(const struct hdmabuf_endpoint *endpoint,
			struct hdmabuf_buffer *buffer,
			const struct hdmabuf_answer *answer)
{
	const struct hdmabuf_callbacks *tell = &endpoint->callbacks;

	if (!buffer)
		return;
	if (answer->operation == HDMABUF_OP_EXPORT && tell->exported)
		tell->exported(endpoint->user, buffer, fault_of(answer));
	if (answer->operation == HDMABUF_OP_QUERY && tell->queried)
		tell->queried(endpoint->user, buffer, &answer->query,
			      fault_of(answer));
}

static void tell_answer(struct hdmabuf_session *session,
			const struct pending *pending,
			const struct hdmabuf_answer *answer)
{
	const struct hdmabuf_endpoint *endpoint = session->endpoint;
	const struct hdmabuf_callbacks *tell = &endpoint->callbacks;
	const struct hdmabuf_fault *fault = fault_of(answer);

	switch (answer->operation) {
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_QUERY:
		tell_buffer(endpoint, pending->buffer, answer);
		return;
	case HDMABUF_OP_ALLOCATE:
		if (tell->allocated)
			tell->allocated(endpoint->user, session,
					&answer->buffer, fault);
		return;
	case HDMABUF_OP_ECHO:
		if (tell->echoed)
			tell->echoed(endpoint->user, session, answer->echo,
				     fault);
		return;
	default:
		if (tell->answered)
			tell->answered(endpoint->user, session,
				       answer->operation, pending->buffer,
				       fault);
	}
}

/* What the application shall find done when it is told of an answer. */
static void take_effect(const struct pending *pending,
			const struct hdmabuf_answer *answer)
{
	const struct hdmabuf_fault *fault = fault_of(answer);
	struct hdmabuf_buffer *buffer = pending->buffer;

	if (buffer && answer->operation == HDMABUF_OP_EXPORT)
		export_answered(buffer, fault);
	if (buffer && answer->operation == HDMABUF_OP_UPDATE)
		update_answered(buffer, fault);
	if (buffer && answer->operation == HDMABUF_OP_HAND_OFF && fault)
		hand_off_refused(buffer);
	if (!pending->timeline)
		return;
	if (answer->operation == HDMABUF_OP_TIMELINE_CREATE)
		timeline_created(pending->timeline, fault);
	else
		timeline_bury(pending->timeline, HDMABUF_STATUS_CANCELLED);
}

/* An EXPORT that was refused, or an UNEXPORT that finds nothing mapped. */
static bool is_release(const struct hdmabuf_answer *answer)
{
	if (answer->operation == HDMABUF_OP_EXPORT)
		return answer->fault.status;
	return answer->operation == HDMABUF_OP_UNEXPORT &&
	       !answer->fault.status && !answer->mapped;
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
	}
	if (is_explained(answer))
		return;
	/* That the session ends is said when it does. */
	if (answer->fault.status &&
	    answer->fault.status != HDMABUF_STATUS_CLOSING)
		endpoint_log_fault(session->endpoint,
				   hdmabuf_operation_text(answer->operation),
				   &answer->fault);
	take_effect(pending, answer);
	tell_answer(session, pending, answer);
	if (pending->buffer && is_release(answer))
		export_released(pending->buffer);
}

/* HDB-BOTH-027: what is not answered has ended. */
void answers_lost(struct hdmabuf_session *session)
{
	struct hdmabuf_answer answer = {
		.fault = { .status = HDMABUF_STATUS_LOST },
	};
	uint32_t i;

	for (i = 0; i < session->pending_max; i++) {
		struct pending pending = session->pending[i];

		session->pending[i].used = false;
		answer.operation = pending.operation;
		if (pending.used && pending.operation != HDMABUF_OP_HELLO &&
		    pending.operation != HDMABUF_OP_CLOSE)
			tell_answer(session, &pending, &answer);
	}
}
