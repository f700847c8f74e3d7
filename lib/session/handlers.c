/* SPDX-License-Identifier: MIT */
/*
 * handlers.c - what the peer asks for
 *
 * Checks come in the order of HDB-BOTH-038: operation, features, state of the
 * session, reserved fields, what the request names, who may send it, state of
 * that, values, limits, and what it leads to.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "lib/core/note.h"

/* A request that is being handled, and its answer. */
struct call {
	struct hdmabuf_session *session;
	const struct hdmabuf_request *request;
	struct hdmabuf_buffer *buffer;
	struct hdmabuf_answer *answer;
};

/* Returns a status, and fills the answer's fault if that is not OK. */
typedef uint16_t (*step)(const struct call *call);
/* Notes values that are wrong beside those that the answer's fault has already. */
typedef void (*judge)(const struct call *call);

static uint16_t refuse(struct hdmabuf_answer *answer, uint16_t status,
		       uint64_t offset, uint64_t value)
{
	return hdmabuf_fault_set(&answer->fault, status, HDMABUF_WHERE_REQUEST,
				 offset, value);
}

static void note(const struct call *call, uint16_t status, uint64_t offset,
		 uint64_t value)
{
	fault_note(&call->answer->fault, status, HDMABUF_WHERE_REQUEST, offset,
		   value);
}

#define AT(type, member) offsetof(struct hdmabuf_##type, member)

/* All requests that name a buffer name it in the same place. */
static uint16_t wrong_state(const struct call *call)
{
	return refuse(call->answer, HDMABUF_STATUS_WRONG_STATE,
		      AT(buffer_request, id), (uint64_t)call->buffer->state);
}

static uint16_t hello_ready(const struct call *call)
{
	const struct hdmabuf_hello_body *hello = &call->request->hello;
	const struct hdmabuf_session *session = call->session;

	if (hello->epoch_frontend != session->peer_epoch)
		return refuse(call->answer, HDMABUF_STATUS_WRONG_EPOCH,
			      AT(hello, epoch_frontend), hello->epoch_frontend);
	if (hello->epoch_backend != session->epoch)
		return refuse(call->answer, HDMABUF_STATUS_WRONG_EPOCH,
			      AT(hello, epoch_backend), hello->epoch_backend);
	if (hello->features & ~session->endpoint->config.features)
		return refuse(call->answer, HDMABUF_STATUS_NOT_NEGOTIATED,
			      AT(hello, features), hello->features);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_hello(const struct call *call)
{
	const struct hdmabuf_hello_body *hello = &call->request->hello;
	struct hdmabuf_session *session = call->session;

	session->features = hello->features;
	session->limits = hello->limits;
	call->answer->hello = *hello;
	call->answer->hello.limits = session->endpoint->config.limits;
	session->hello_done = true;
	return HDMABUF_STATUS_OK;
}

static uint16_t on_close(const struct call *call)
{
	call->session->close_received = true;
	call->session->close_id = call->request->id;
	call->session->close_reason = call->request->reason;
	return HDMABUF_STATUS_OK;
}

static uint16_t on_echo(const struct call *call)
{
	memcpy(call->answer->echo, call->request->echo,
	       sizeof(call->answer->echo));
	return HDMABUF_STATUS_OK;
}

static void export_judge(const struct call *call)
{
	if (hdmabuf_table_find(&call->session->table, &call->request->buffer))
		note(call, HDMABUF_STATUS_DUPLICATE, AT(export, id), 0);
}

static uint16_t on_export(const struct call *call)
{
	return import_take(call->session, call->request, &call->answer->fault);
}

static uint16_t update_ready(const struct call *call)
{
	const struct hdmabuf_buffer *buffer = call->buffer;

	if (!buffer_may(buffer, HDMABUF_BUFFER_UPDATE) || buffer->held)
		return wrong_state(call);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_update(const struct call *call)
{
	return import_update(call->buffer, call->request, &call->answer->fault);
}

static uint16_t unexport_ready(const struct call *call)
{
	if (!buffer_may(call->buffer, HDMABUF_BUFFER_UNEXPORT))
		return wrong_state(call);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_unexport(const struct call *call)
{
	call->answer->mapped =
		import_retire(call->buffer, call->request->grace_ms);
	return HDMABUF_STATUS_OK;
}

static uint16_t released_ready(const struct call *call)
{
	if (call->buffer->state == HDMABUF_BUFFER_EXPORTING)
		return wrong_state(call);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_released(const struct call *call)
{
	export_released(call->buffer);
	return HDMABUF_STATUS_OK;
}

static uint16_t hand_off_timelines(struct hdmabuf_session *session,
				   const struct hdmabuf_hand_off_body *body,
				   struct hdmabuf_turn *turn,
				   struct hdmabuf_answer *answer)
{
	if (body->wait_timeline != HDMABUF_NO_TIMELINE) {
		turn->wait = timeline_of_peer(session, body->wait_timeline);
		if (!turn->wait)
			return refuse(answer, HDMABUF_STATUS_NO_SUCH_TIMELINE,
				      AT(hand_off, wait_timeline),
				      body->wait_timeline);
	}
	if (body->signal_timeline != HDMABUF_NO_TIMELINE) {
		turn->signal = timeline_of_peer(session, body->signal_timeline);
		if (!turn->signal)
			return refuse(answer, HDMABUF_STATUS_NO_SUCH_TIMELINE,
				      AT(hand_off, signal_timeline),
				      body->signal_timeline);
	}
	if (turn->wait && turn->wait->signalled_here)
		return refuse(answer, HDMABUF_STATUS_WRONG_ROLE,
			      AT(hand_off, wait_timeline), body->wait_timeline);
	if (turn->signal && !turn->signal->signalled_here)
		return refuse(answer, HDMABUF_STATUS_WRONG_ROLE,
			      AT(hand_off, signal_timeline),
			      body->signal_timeline);
	return HDMABUF_STATUS_OK;
}

static uint16_t hand_off_turn(const struct call *call,
			      struct hdmabuf_turn *turn)
{
	const struct hdmabuf_hand_off_body *body = &call->request->hand_off;
	uint16_t status;

	*turn = (struct hdmabuf_turn){
		.buffer = call->buffer,
		.wait_point = body->wait_point,
		.signal_point = body->signal_point,
		.stamp = body->stamp,
	};
	status = hand_off_timelines(call->session, body, turn, call->answer);
	if (turn->signal)
		turn->life = turn->signal->life;
	return status;
}

/* HDB-BOTH-051: only who has a lent buffer can hand it on. */
static bool hand_off_allowed(const struct hdmabuf_buffer *buffer)
{
	if (!buffer_may(buffer, buffer_hand_off_event(
					buffer, !buffer->exported_here)) ||
	    buffer->released)
		return false;
	if (buffer->info.rights != HDMABUF_RIGHTS_LEND)
		return true;
	return buffer->exported_here ? buffer->state == HDMABUF_BUFFER_LENT :
				       !buffer->held;
}

static void hand_off_judge(const struct call *call)
{
	const struct hdmabuf_hand_off_body *body = &call->request->hand_off;
	const struct hdmabuf_timeline_handle *signal;
	struct hdmabuf_turn turn;

	hand_off_turn(call, &turn);
	signal = turn.signal;
	if (signal && (body->signal_point <= signal->named ||
		       body->signal_point <= signal->point))
		note(call, HDMABUF_STATUS_INVALID, AT(hand_off, signal_point),
		     body->signal_point);
	if (body->flags & HDMABUF_HAND_OFF_MORE &&
	    call->session->group_due == GROUP_MAX - 1)
		note(call, HDMABUF_STATUS_INVALID, AT(hand_off, flags),
		     body->flags);
}

/* Who has no callback for it has finished at once. */
static void hand_off_tell(struct hdmabuf_session *session)
{
	struct hdmabuf_endpoint *endpoint = session->endpoint;
	size_t count = session->group_count;
	size_t i;

	session->group_due = 0;
	session->group_count = 0;
	if (count && endpoint->callbacks.handed_off) {
		endpoint->callbacks.handed_off(endpoint->user, session,
					       session->group, count);
		return;
	}
	for (i = 0; i < count; i++)
		hdmabuf_turn_done(&session->group[i], HDMABUF_STATUS_OK);
}

static void hand_off_take(struct hdmabuf_session *session,
			  const struct hdmabuf_hand_off_body *body,
			  const struct hdmabuf_turn *turn)
{
	struct hdmabuf_buffer *buffer = turn->buffer;

	buffer_event(buffer,
		     buffer_hand_off_event(buffer, !buffer->exported_here));
	buffer->held = !buffer->exported_here &&
		       buffer->info.rights == HDMABUF_RIGHTS_LEND;
	buffer->hand_offs++;
	session->statistics.hand_offs_received++;
	if (turn->signal)
		turn->signal->named = body->signal_point;
	session->group[session->group_count++] = *turn;
	session->group_due++;
	if (!(body->flags & HDMABUF_HAND_OFF_MORE))
		hand_off_tell(session);
}

static uint16_t hand_off_ready(const struct call *call)
{
	struct hdmabuf_turn turn;
	uint16_t status = hand_off_turn(call, &turn);

	if (!status && !hand_off_allowed(call->buffer))
		status = wrong_state(call);
	return status;
}

static uint16_t on_hand_off(const struct call *call)
{
	const struct hdmabuf_hand_off_body *body = &call->request->hand_off;
	const struct hdmabuf_buffer *buffer = call->buffer;
	struct hdmabuf_turn turn;

	hand_off_turn(call, &turn);
	if (buffer->exported_here &&
	    buffer->info.rights == HDMABUF_RIGHTS_READ_ONLY)
		return refuse(call->answer, HDMABUF_STATUS_DENIED,
			      AT(hand_off, id), 0);
	hand_off_take(call->session, body, &turn);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_query(const struct call *call)
{
	call->answer->query = (struct hdmabuf_query_body){
		.state = (uint32_t)call->buffer->state,
		.rights = call->buffer->info.rights,
		.size = call->buffer->info.size,
		.pages = call->buffer->layout.pages,
		.generation = call->buffer->generation,
		.tag = call->buffer->info.tag,
		.hand_offs = call->buffer->hand_offs,
		.type = call->buffer->info.type,
		.private_octets = call->buffer->info.private_octets,
	};
	return HDMABUF_STATUS_OK;
}

static uint16_t allocate_refused(int error)
{
	switch (error) {
	case -EDQUOT:
		return HDMABUF_STATUS_LIMIT;
	case -ENOSPC:
		return HDMABUF_STATUS_NO_REFERENCES;
	case -ENOMEM:
		return HDMABUF_STATUS_NO_MEMORY;
	case -EACCES:
	case -EOPNOTSUPP:
		return HDMABUF_STATUS_UNSUPPORTED;
	}
	return HDMABUF_STATUS_FAILED;
}

static uint16_t on_allocate(const struct call *call)
{
	const struct hdmabuf_allocate_body *wish = &call->request->allocate;
	struct hdmabuf_endpoint *endpoint = call->session->endpoint;
	struct hdmabuf_memory memory = { 0 };
	struct hdmabuf_buffer *buffer;
	struct hdmabuf_info info = { 0 };
	void *user = NULL;
	uint16_t status;
	int error;

	if (!export_fits(call->session, wish->size))
		return refuse(call->answer, HDMABUF_STATUS_LIMIT,
			      AT(allocate, size),
			      call->session->limits.max_octets);
	if (!endpoint->callbacks.allocate)
		return refuse(call->answer, HDMABUF_STATUS_UNSUPPORTED, 0, 0);
	status = endpoint->callbacks.allocate(endpoint->user, call->session,
					      wish, &memory, &info, &user);
	if (status)
		return refuse(call->answer, status, 0, 0);
	error = export_allocated(call->session, &memory, &info, user, &buffer);
	if (error) {
		hdmabuf_memory_free(&memory);
		return refuse(call->answer, allocate_refused(error), 0, 0);
	}
	call->answer->buffer = buffer->id;
	return HDMABUF_STATUS_OK;
}

static void cpu_access_judge(const struct call *call)
{
	uint64_t offset = call->request->cpu_access.offset;
	uint64_t octets = call->request->cpu_access.octets;
	uint64_t size = call->buffer->info.size;

	if (offset >= size)
		note(call, HDMABUF_STATUS_INVALID, AT(cpu_access, offset),
		     offset);
	else if (octets > size - offset)
		note(call, HDMABUF_STATUS_INVALID, AT(cpu_access, octets),
		     octets);
}

static bool is_write_denied(const struct call *call)
{
	return call->buffer->exported_here &&
	       call->buffer->info.rights == HDMABUF_RIGHTS_READ_ONLY &&
	       call->request->cpu_access.access & HDMABUF_ACCESS_WRITE;
}

static uint16_t cpu_access_ready(const struct call *call)
{
	const struct hdmabuf_buffer *buffer = call->buffer;
	bool begin = call->request->operation == HDMABUF_OP_CPU_BEGIN;

	if (buffer->state == HDMABUF_BUFFER_RETIRING || buffer->released ||
	    buffer->state == HDMABUF_BUFFER_EXPORTING ||
	    buffer->state == HDMABUF_BUFFER_QUARANTINED ||
	    (!begin && !buffer->cpu_accesses))
		return wrong_state(call);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_cpu_access(const struct call *call)
{
	const struct hdmabuf_request *request = call->request;
	struct hdmabuf_endpoint *endpoint = call->session->endpoint;
	bool begin = request->operation == HDMABUF_OP_CPU_BEGIN;
	uint16_t status = HDMABUF_STATUS_OK;

	if (is_write_denied(call))
		return refuse(call->answer, HDMABUF_STATUS_DENIED,
			      AT(cpu_access, access),
			      request->cpu_access.access);
	if (endpoint->callbacks.cpu_access) {
		status = endpoint->callbacks.cpu_access(
			endpoint->user, call->buffer, begin,
			request->cpu_access.offset, request->cpu_access.octets,
			request->cpu_access.access);
		if (status)
			refuse(call->answer, status, 0, 0);
	}
	if (!status)
		call->buffer->cpu_accesses += begin ? 1 : -1u;
	return status;
}

static void timeline_create_judge(const struct call *call)
{
	timeline_judge(call->session, call->request, &call->answer->fault);
}

static uint16_t on_timeline_create(const struct call *call)
{
	return timeline_take(call->session, call->request,
			     &call->answer->fault);
}

static uint16_t on_timeline_destroy(const struct call *call)
{
	return timeline_drop(call->session, call->request,
			     &call->answer->fault);
}

enum sender {
	NO_BUFFER,
	ANYONE,
	EXPORTER,
	IMPORTER
};

static const struct operation {
	uint16_t operation;
	enum sender sender;
	uint64_t feature;
	step ready;   /* what comes before the values, NULL for nothing */
	judge values; /* what the message alone does not tell, likewise */
	step handle;
} operations[] = {
	{ HDMABUF_OP_HELLO, NO_BUFFER, 0, hello_ready, NULL, on_hello },
	{ HDMABUF_OP_CLOSE, NO_BUFFER, 0, NULL, NULL, on_close },
	{ HDMABUF_OP_ECHO, NO_BUFFER, 0, NULL, NULL, on_echo },
	{ HDMABUF_OP_EXPORT, NO_BUFFER, 0, NULL, export_judge, on_export },
	{ HDMABUF_OP_UPDATE, EXPORTER, HDMABUF_FEATURE_UPDATE, update_ready,
	  NULL, on_update },
	{ HDMABUF_OP_UNEXPORT, EXPORTER, 0, unexport_ready, NULL, on_unexport },
	{ HDMABUF_OP_RELEASED, IMPORTER, 0, released_ready, NULL, on_released },
	{ HDMABUF_OP_HAND_OFF, ANYONE, 0, hand_off_ready, hand_off_judge,
	  on_hand_off },
	{ HDMABUF_OP_QUERY, ANYONE, 0, NULL, NULL, on_query },
	{ HDMABUF_OP_ALLOCATE, NO_BUFFER, HDMABUF_FEATURE_ALLOCATE, NULL, NULL,
	  on_allocate },
	{ HDMABUF_OP_CPU_BEGIN, ANYONE, HDMABUF_FEATURE_CPU_ACCESS,
	  cpu_access_ready, cpu_access_judge, on_cpu_access },
	{ HDMABUF_OP_CPU_END, ANYONE, HDMABUF_FEATURE_CPU_ACCESS,
	  cpu_access_ready, cpu_access_judge, on_cpu_access },
	{ HDMABUF_OP_TIMELINE_CREATE, NO_BUFFER, 0, NULL, timeline_create_judge,
	  on_timeline_create },
	{ HDMABUF_OP_TIMELINE_DESTROY, NO_BUFFER, 0, NULL, NULL,
	  on_timeline_destroy },
};

static const struct operation *operation_find(uint16_t operation)
{
	size_t i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (operations[i].operation == operation)
			return &operations[i];
	return NULL;
}

/* What can be asked for, if it can be had. */
static uint64_t allocate_features(const struct hdmabuf_allocate_body *wish)
{
	struct hdmabuf_info info = {
		.rights = wish->rights,
		.attributes = wish->attributes,
		.type = HDMABUF_TYPE_RAW,
	};

	return hdmabuf_info_features(&info, HDMABUF_DIRECTORY_LIST);
}

static uint16_t check_features(const struct hdmabuf_session *session,
			       const struct operation *operation,
			       const struct hdmabuf_request *request)
{
	uint64_t needed = operation->feature;

	if (operation->operation == HDMABUF_OP_HAND_OFF &&
	    request->hand_off.flags & HDMABUF_HAND_OFF_MORE)
		needed |= HDMABUF_FEATURE_GROUP;
	if (operation->operation == HDMABUF_OP_ALLOCATE)
		needed |= allocate_features(&request->allocate);
	return needed & ~session->features ? HDMABUF_STATUS_NOT_NEGOTIATED :
					     HDMABUF_STATUS_OK;
}

static uint16_t check_state(const struct hdmabuf_session *session,
			    uint16_t operation)
{
	bool hello = operation == HDMABUF_OP_HELLO;

	if (session->state == HDMABUF_SESSION_CLOSING)
		return operation == HDMABUF_OP_CLOSE ? HDMABUF_STATUS_OK :
						       HDMABUF_STATUS_CLOSING;
	if (hello != (session->state == HDMABUF_SESSION_GREETING) ||
	    (hello && session->endpoint->role == HDMABUF_FRONTEND))
		return HDMABUF_STATUS_WRONG_STATE;
	if (session->group_due && operation != HDMABUF_OP_HAND_OFF &&
	    operation != HDMABUF_OP_CLOSE)
		return HDMABUF_STATUS_WRONG_STATE;
	return HDMABUF_STATUS_OK;
}

static uint16_t check_buffer(const struct hdmabuf_session *session,
			     const struct operation *operation,
			     const struct hdmabuf_request *request,
			     struct hdmabuf_buffer **buffer)
{
	*buffer = NULL;
	if (operation->sender == NO_BUFFER)
		return HDMABUF_STATUS_OK;
	*buffer = hdmabuf_table_find(&session->table, &request->buffer);
	if (!*buffer || (*buffer)->state == HDMABUF_BUFFER_NONE)
		return HDMABUF_STATUS_NO_SUCH_BUFFER;
	if ((operation->sender == EXPORTER && (*buffer)->exported_here) ||
	    (operation->sender == IMPORTER && !(*buffer)->exported_here))
		return HDMABUF_STATUS_WRONG_ROLE;
	return HDMABUF_STATUS_OK;
}

/*
 * HDB-BOTH-021: all that were taken since answers were last shown, this one among
 * them, were unanswered when it was sent.
 */
static bool is_too_many(const struct hdmabuf_session *session)
{
	return session->state == HDMABUF_SESSION_CONNECTED &&
	       session->taken > session->endpoint->config.limits.max_in_flight;
}

static uint16_t handle_values(const struct operation *operation,
			      const struct call *call,
			      const struct hdmabuf_fault *wrong)
{
	const struct hdmabuf_session *session = call->session;
	struct hdmabuf_fault *fault = &call->answer->fault;
	uint16_t status = HDMABUF_STATUS_OK;

	if (operation->ready)
		status = operation->ready(call);
	if (status)
		return status;
	*fault = *wrong;
	if (operation->values)
		operation->values(call);
	if (!fault->status && is_too_many(session))
		hdmabuf_fault_set(
			fault, HDMABUF_STATUS_LIMIT, HDMABUF_WHERE_NOWHERE, 0,
			session->endpoint->config.limits.max_in_flight);
	return fault->status ? fault->status : operation->handle(call);
}

static uint16_t handle_checked(struct hdmabuf_session *session,
			       const struct operation *operation,
			       const struct hdmabuf_request *request,
			       const struct hdmabuf_fault *wrong,
			       struct hdmabuf_answer *answer)
{
	struct call call = { session, request, NULL, answer };
	uint16_t status;

	status = check_features(session, operation, request);
	if (!status)
		status = check_state(session, operation->operation);
	if (status)
		return refuse(answer, status,
			      offsetof(struct hdmabuf_header, operation),
			      operation->operation);
	if (wrong->status == HDMABUF_STATUS_RESERVED) {
		answer->fault = *wrong;
		return wrong->status;
	}
	status = check_buffer(session, operation, request, &call.buffer);
	if (status)
		return refuse(answer, status,
			      offsetof(struct hdmabuf_buffer_request, id), 0);
	return handle_values(operation, &call, wrong);
}

/* A group whose last hand-off is refused ends with those before it. */
static void group_end(struct hdmabuf_session *session,
		      const struct hdmabuf_request *request,
		      const struct hdmabuf_answer *answer)
{
	if (request->operation == HDMABUF_OP_HAND_OFF && session->group_due &&
	    answer->fault.status &&
	    !(request->hand_off.flags & HDMABUF_HAND_OFF_MORE))
		hand_off_tell(session);
}

/* False if the answer, to CLOSE, comes later. */
bool handle_request(struct hdmabuf_session *session,
		    const union hdmabuf_message *message,
		    struct hdmabuf_answer *answer)
{
	struct hdmabuf_fault wrong = { 0 };
	const struct operation *operation;
	struct hdmabuf_request request;

	hdmabuf_request_decode(message, &request, &wrong);
	answer->id = request.id;
	answer->operation = request.operation;
	operation = operation_find(request.operation);
	if (!operation)
		answer->fault = wrong;
	else
		handle_checked(session, operation, &request, &wrong, answer);
	group_end(session, &request, answer);
	endpoint_log(session->endpoint, HDMABUF_LOG_DEBUG, "< %s: %s",
		     hdmabuf_operation_text(request.operation),
		     hdmabuf_status_text(answer->fault.status));
	if (answer->fault.status)
		endpoint_log_fault(session->endpoint,
				   hdmabuf_operation_text(request.operation),
				   &answer->fault);
	if (session->state == HDMABUF_SESSION_GREETING &&
	    session->endpoint->role == HDMABUF_BACKEND &&
	    request.operation == HDMABUF_OP_HELLO && answer->fault.status)
		session->hello_refused = true;
	return !session->close_received;
}
