/* SPDX-License-Identifier: MIT */
/* serve.c - how an end answers requests of the IUT if the test does not */
#include "conformance/end/channel.h"
#include "conformance/internal.h"

#include <string.h>

static void serve_export(struct end *end, struct received *request)
{
	end_answer_status(end, request, end_import(end, request->octets));
}

static void serve_update(struct end *end, struct received *request)
{
	struct their_buffer *buffer =
		end_find_buffer(end, request->octets + wire_offset(EXPORT_ID));

	if (!buffer) {
		end_answer_status(end, request, HDMABUF_STATUS_NO_SUCH_BUFFER);
		return;
	}
	memcpy(buffer->descriptor, end->descriptor, sizeof(buffer->descriptor));
	end_answer_status(end, request, HDMABUF_STATUS_OK);
}

/* The suite has no use for a buffer that the IUT wants back. */
static void serve_unexport(struct end *end, struct received *request)
{
	struct their_buffer *buffer = end_find_buffer(
		end, request->octets + wire_offset(UNEXPORT_ID));

	if (!buffer) {
		end_answer_status(end, request, HDMABUF_STATUS_NO_SUCH_BUFFER);
		return;
	}
	buffer->unexported = true;
	end_forget_buffer(end, buffer);
	end_answer_status(end, request, HDMABUF_STATUS_OK);
}

static void serve_hand_off(struct end *end, struct received *request)
{
	struct their_buffer *buffer = end_find_buffer(
		end, request->octets + wire_offset(HAND_OFF_ID));

	if (buffer)
		buffer->turns++;
	/* A buffer of the suite that is handed back is not in the list. */
	end_answer_status(end, request, HDMABUF_STATUS_OK);
}

static void serve_query(struct end *end, struct received *request)
{
	struct their_buffer *buffer =
		end_find_buffer(end, request->octets + wire_offset(BUFFER_ID));
	const uint8_t *descriptor;
	message_t answer = { 0 };

	if (!buffer) {
		end_answer_status(end, request, HDMABUF_STATUS_NO_SUCH_BUFFER);
		return;
	}
	descriptor = buffer->descriptor;
	wire_put(answer, QUERY_ANSWER_STATE,
		 buffer->data ? HDMABUF_BUFFER_MAPPED :
				HDMABUF_BUFFER_IMPORTED);
	wire_put(answer, QUERY_ANSWER_RIGHTS,
		 wire_get(descriptor, DESCRIPTOR_RIGHTS));
	wire_put(answer, QUERY_ANSWER_SIZE,
		 wire_get(descriptor, DESCRIPTOR_SIZE));
	wire_put(answer, QUERY_ANSWER_PAGES, buffer->pages);
	wire_put(answer, QUERY_ANSWER_GENERATION,
		 wire_get(descriptor, DESCRIPTOR_GENERATION));
	wire_put(answer, QUERY_ANSWER_TAG,
		 wire_get(descriptor, DESCRIPTOR_TAG));
	wire_put(answer, QUERY_ANSWER_HAND_OFFS, buffer->turns);
	wire_put(answer, QUERY_ANSWER_TYPE,
		 wire_get(descriptor, DESCRIPTOR_TYPE));
	wire_put(answer, QUERY_ANSWER_PRIVATE,
		 wire_get(descriptor, DESCRIPTOR_PRIVATE));
	end_answer(end, request, answer);
}

static void serve_echo(struct end *end, struct received *request)
{
	message_t answer;

	memcpy(answer, request->octets, sizeof(answer));
	end_answer(end, request, answer);
}

static enum hdmabuf_role iut_role(const struct end *end)
{
	return end->test->setup->role;
}

static void serve_create(struct end *end, struct received *request)
{
	timeline_opened(end, iut_role(end), request->octets);
	end_answer_status(end, request, HDMABUF_STATUS_OK);
}

static void serve_destroy(struct end *end, struct received *request)
{
	timeline_closed(end, iut_role(end),
			(uint32_t)wire_get(request->octets, TIMELINE_NUMBER));
	end_answer_status(end, request, HDMABUF_STATUS_OK);
}

/* HDB-BOTH-025 */
static void serve_close(struct end *end, struct received *request)
{
	end_forget_buffers(end);
	end_forget_timelines(end);
	end_answer_status(end, request, HDMABUF_STATUS_OK);
	end->closed = true;
}

void end_serve(struct end *end, struct received *request)
{
	switch (wire_get(request->octets, HEADER_OPERATION)) {
	case HDMABUF_OP_HELLO:
		end_answer_status(end, request, HDMABUF_STATUS_WRONG_STATE);
		return;
	case HDMABUF_OP_CLOSE:
		serve_close(end, request);
		return;
	case HDMABUF_OP_ECHO:
		serve_echo(end, request);
		return;
	case HDMABUF_OP_EXPORT:
		serve_export(end, request);
		return;
	case HDMABUF_OP_UPDATE:
		serve_update(end, request);
		return;
	case HDMABUF_OP_UNEXPORT:
		serve_unexport(end, request);
		return;
	case HDMABUF_OP_HAND_OFF:
		serve_hand_off(end, request);
		return;
	case HDMABUF_OP_QUERY:
		serve_query(end, request);
		return;
	case HDMABUF_OP_ALLOCATE:
		end_answer_status(end, request, HDMABUF_STATUS_UNSUPPORTED);
		return;
	case HDMABUF_OP_RELEASED:
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		end_answer_status(end, request, HDMABUF_STATUS_OK);
		return;
	case HDMABUF_OP_TIMELINE_CREATE:
		serve_create(end, request);
		return;
	case HDMABUF_OP_TIMELINE_DESTROY:
		serve_destroy(end, request);
		return;
	default:
		end_answer_status(end, request,
				  HDMABUF_STATUS_UNKNOWN_OPERATION);
	}
}

void end_serve_quietly(struct end *end, struct received *request)
{
	end->quiet = true;
	end_serve(end, request);
	end->quiet = false;
}

void end_accepted(struct end *end, const message_t request)
{
	switch (wire_get(request, HEADER_OPERATION)) {
	case HDMABUF_OP_HELLO:
		/* A request of the backend may follow at once. */
		end->connected = true;
		break;
	case HDMABUF_OP_CLOSE:
		end->closed = true;
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
		timeline_opened(end, end->role, request);
		break;
	case HDMABUF_OP_TIMELINE_DESTROY:
		timeline_closed(end, end->role,
				(uint32_t)wire_get(request, TIMELINE_NUMBER));
		break;
	default:
		break;
	}
}
