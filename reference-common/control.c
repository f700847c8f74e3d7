/* SPDX-License-Identifier: MIT */
/*
 * Does what it is told on standard input, and tells what happens: the part of a
 * program that the conformance suite tests, see docs/control.rst.
 *
 * What the library reports is told at once, and noted; it is acted upon between its
 * calls, see control_work().
 */

#include "reference-common/control.h"
#include "reference-common/describe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static struct control *control_of(void *user)
{
	return ((struct peer *)user)->context;
}

static uint16_t status_of(const struct hdmabuf_fault *fault)
{
	return fault ? fault->status : HDMABUF_STATUS_OK;
}

static void tell(const char *event, const struct hdmabuf_buffer *buffer)
{
	char name[CONTROL_NAME_SIZE];

	lines_say("event %s %s", event, buffer_name(buffer, name));
}

static void tell_answer(const char *event, const struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	char name[CONTROL_NAME_SIZE];

	lines_say("event %s %s %u", event, buffer_name(buffer, name),
		  status_of(fault));
}

/* ---- Sessions come and go ------------------------------------------------ */

struct control_session *control_session(const struct control *control)
{
	struct control_session *session;

	LIST_FOREACH(session, &control->sessions, entry)
		if (!session->closing)
			return session;
	return NULL;
}

void control_close(struct control_session *session, uint32_t reason)
{
	session->reason = reason;
	session->closing = !hdmabuf_session_close(session->handle,
						  (enum hdmabuf_reason)reason);
}

static void on_connected(void *user, struct hdmabuf_session *handle)
{
	struct peer *peer = user;
	struct control *control = peer->context;
	struct control_session *session;

	if (!peer_joined(peer, handle))
		return;
	session = calloc(1, sizeof(*session));
	if (!session) {
		peer_fail(peer, EX_UNAVAILABLE, "out of memory");
		hdmabuf_session_close(handle, HDMABUF_REASON_SHUTDOWN);
		return;
	}
	session->control = control;
	session->handle = handle;
	LIST_INSERT_HEAD(&control->sessions, session, entry);
	hdmabuf_session_set_user(handle, session);
	lines_say("event connected");
}

/* The library unmaps what is left, and reports what is released later. */
static void forget_names(struct control_session *session)
{
	struct control_timeline *timeline;
	struct control_buffer *buffer;
	struct control_wait *wait;

	while ((buffer = LIST_FIRST(&session->buffers)))
		if (buffer->imported)
			buffer_remove(buffer);
		else
			buffer_orphan(buffer);
	while ((timeline = LIST_FIRST(&session->timelines)))
		timeline_remove(timeline);
	while ((wait = LIST_FIRST(&session->waits))) {
		LIST_REMOVE(wait, entry);
		free(wait);
	}
}

static void on_disconnected(void *user, struct hdmabuf_session *handle,
			    uint16_t status, const char *why)
{
	struct control_session *session = hdmabuf_session_user(handle);
	struct peer *peer = user;

	peer_tell(peer, "%s: %s", hdmabuf_session_peer(handle), why);
	if (session) {
		lines_say("event disconnected %u", status);
		forget_names(session);
		LIST_REMOVE(session, entry);
		free(session);
	}
	/* A frontend that was told to close wants the next session all the same. */
	if (!peer->stopping)
		hdmabuf_endpoint_start(hdmabuf_session_endpoint(handle));
	peer_left(peer, handle, NULL);
}

/* ---- What the other end asks for ----------------------------------------- */

/* Of a request that is in order otherwise. */
static uint16_t take_reject(struct control *control)
{
	uint16_t status = control->reject;

	control->reject = HDMABUF_STATUS_OK;
	return status;
}

static uint16_t judge(struct control *control, const struct hdmabuf_info *info)
{
	struct failure failure;
	uint16_t status = HDMABUF_STATUS_OK;

	if (info->type == HDMABUF_TYPE_PICTURE)
		status = describe_check(info, &failure);
	if (status)
		peer_note(control->peer, "a buffer is refused: %s",
			  failure.text);
	return status ? status : take_reject(control);
}

static uint16_t on_imported(void *user, struct hdmabuf_buffer *handle)
{
	struct control_session *session =
		hdmabuf_session_user(hdmabuf_buffer_session(handle));
	uint16_t status = judge(control_of(user), hdmabuf_buffer_info(handle));
	char name[CONTROL_NAME_SIZE];
	struct control_buffer *buffer;

	if (status)
		return status;
	buffer = session ?
			 buffer_add(session, buffer_name(handle, name), true) :
			 NULL;
	if (!buffer)
		return HDMABUF_STATUS_NO_MEMORY;
	buffer->handle = handle;
	hdmabuf_buffer_set_user(handle, buffer);
	tell("imported", handle);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_updated(void *user, struct hdmabuf_buffer *handle,
			   const struct hdmabuf_info *info)
{
	(void)handle;
	return judge(control_of(user), info);
}

static void on_handed_off(void *user, struct hdmabuf_session *handle,
			  const struct hdmabuf_turn *turns, size_t count)
{
	struct control_session *session = hdmabuf_session_user(handle);

	(void)user;
	if (session)
		turns_add(session, turns, count);
}

static void on_retire(void *user, struct hdmabuf_buffer *handle,
		      uint32_t grace_ms)
{
	struct control_buffer *buffer = hdmabuf_buffer_user(handle);

	(void)grace_ms;
	tell("retire", handle);
	buffer->retired = true;
	buffer->back_due = false;
	turns_drop_waiting(buffer->session, buffer);
	if (!control_of(user)->keep || !hdmabuf_buffer_data(handle))
		buffer_release(buffer);
}

/* A size that is given must be that of the picture as it is laid out here. */
static uint16_t describe_wish(const struct hdmabuf_allocate_body *wish,
			      struct hdmabuf_info *info)
{
	struct picture_format format;
	struct failure failure;

	*info = (struct hdmabuf_info){
		.size = wish->size,
		.rights = wish->rights,
		.attributes = wish->attributes,
		.tag = wish->tag,
		.type = HDMABUF_TYPE_RAW,
	};
	if (!wish->width)
		return HDMABUF_STATUS_OK;
	/* HDB-BOTH-062 */
	if (picture_overflows(wish->fourcc, wish->width, wish->height))
		return HDMABUF_STATUS_INVALID;
	if (wish->modifier ||
	    picture_format_init(&format, wish->fourcc, wish->width,
				wish->height, &failure) ||
	    (wish->size && wish->size < format.octets))
		return HDMABUF_STATUS_UNSUPPORTED;
	describe_picture(info, &format);
	if (wish->size)
		info->size = wish->size;
	return HDMABUF_STATUS_OK;
}

static uint16_t on_allocate(void *user, struct hdmabuf_session *session,
			    const struct hdmabuf_allocate_body *wish,
			    struct hdmabuf_memory *memory,
			    struct hdmabuf_info *info, void **buffer_user)
{
	uint16_t status = describe_wish(wish, info);

	(void)buffer_user;
	if (!status && info->size > hdmabuf_session_limits(session)->max_octets)
		status = HDMABUF_STATUS_LIMIT;
	if (!status)
		status = take_reject(control_of(user));
	if (!status &&
	    hdmabuf_session_alloc(session, info->size, info->rights, memory))
		status = HDMABUF_STATUS_NO_MEMORY;
	return status;
}

static uint16_t on_cpu_access(void *user, struct hdmabuf_buffer *buffer,
			      bool begin, uint64_t offset, uint64_t octets,
			      uint32_t access)
{
	(void)buffer;
	(void)begin;
	(void)offset;
	(void)octets;
	(void)access;
	return take_reject(control_of(user));
}

/* ---- What the other end has answered ------------------------------------- */

/* One that was allocated for the other end is known by its id. */
static void adopt(struct hdmabuf_buffer *handle)
{
	struct control_session *session =
		hdmabuf_session_user(hdmabuf_buffer_session(handle));
	char name[CONTROL_NAME_SIZE];
	struct control_buffer *buffer;

	buffer = session ?
			 buffer_add(session, buffer_name(handle, name), false) :
			 NULL;
	if (buffer)
		buffer->handle = handle;
	hdmabuf_buffer_set_user(handle, buffer);
}

static void on_exported(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	(void)user;
	tell_answer("exported", buffer, fault);
	if (!fault && !hdmabuf_buffer_user(buffer))
		adopt(buffer);
}

static void on_allocated(void *user, struct hdmabuf_session *session,
			 const struct hdmabuf_id *id,
			 const struct hdmabuf_fault *fault)
{
	char name[CONTROL_NAME_SIZE] = "-";

	(void)user;
	(void)session;
	if (!fault)
		id_name(id, name);
	lines_say("event allocated %s %u", name, status_of(fault));
}

static void on_queried(void *user, struct hdmabuf_buffer *buffer,
		       const struct hdmabuf_query_body *answer,
		       const struct hdmabuf_fault *fault)
{
	(void)user;
	(void)answer;
	tell_answer("queried", buffer, fault);
}

static void on_echoed(void *user, struct hdmabuf_session *session,
		      const uint8_t *octets, const struct hdmabuf_fault *fault)
{
	char hex[2 * 56 + 1] = "-";

	(void)user;
	(void)session;
	for (size_t i = 0; !fault && i < 56; i++)
		sprintf(hex + 2 * i, "%02x", octets[i]);
	lines_say("event echoed %s %u", hex, status_of(fault));
}

static void on_answered(void *user, struct hdmabuf_session *session,
			uint16_t operation, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	(void)user;
	(void)session;
	if (buffer && operation == HDMABUF_OP_UPDATE)
		tell_answer("updated", buffer, fault);
	if (buffer && operation == HDMABUF_OP_HAND_OFF)
		tell_answer("handed-off", buffer, fault);
}

static void on_quarantined(void *user, struct hdmabuf_buffer *handle)
{
	struct control_buffer *buffer = hdmabuf_buffer_user(handle);

	(void)user;
	tell("quarantined", handle);
	if (buffer && buffer->session)
		turns_drop(buffer->session, buffer);
}

static void on_released(void *user, struct hdmabuf_buffer *handle)
{
	struct control_buffer *buffer = hdmabuf_buffer_user(handle);

	(void)user;
	tell("released", handle);
	if (buffer)
		buffer_remove(buffer);
}

/* ---- What was waited for ------------------------------------------------- */

static void end_wait(struct control_session *session,
		     const struct hdmabuf_timeline_handle *timeline,
		     uint64_t point, uint16_t status)
{
	struct control_wait *wait;

	LIST_FOREACH(wait, &session->waits, entry)
		if (wait->handle == timeline && wait->point == point)
			break;
	if (!wait)
		return;
	lines_say("event reached %s %" PRIu64 " %u", wait->name, point, status);
	LIST_REMOVE(wait, entry);
	free(wait);
}

/* Two waits for one point have two ends, which are the same. */
static void on_reached(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	struct control_session *session;

	LIST_FOREACH(session, &control_of(user)->sessions, entry) {
		end_wait(session, timeline, point, status);
		turns_reached(session, timeline, point, status);
	}
}

/* ---- The part ------------------------------------------------------------ */

static int control_open(struct peer *peer, struct hdmabuf_config *config)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		peer_fail(peer, EX_UNAVAILABLE, "out of memory");
		return peer->status;
	}
	control->peer = peer;
	crc32_table_init(&control->crc);
	config->features = HDMABUF_FEATURES_ALL;
	config->ring_order = HDMABUF_RING_ORDER_MAX;
	/* Less than a page has room for: there is something to be refused. */
	config->limits.max_private = 2 * HDMABUF_PRIVATE_MIN;
	peer->context = control;
	return 0;
}

static void read_commands(struct control *control)
{
	char *line;

	lines_read(&control->lines, STDIN_FILENO);
	while ((line = lines_next(&control->lines)))
		command_run(control, line);
	if (control->lines.ended)
		peer_stop(control->peer);
}

/* Who does not hear what was done must not believe that it was. */
static void check_output(struct peer *peer)
{
	if (!ferror(stdout))
		return;
	peer_fail(peer, EX_IOERR, "cannot write to standard output");
	peer_stop(peer);
}

static uint64_t control_work(struct peer *peer, uint64_t now)
{
	struct control *control = peer->context;
	struct control_session *session;

	(void)now;
	if (!peer->stopping)
		read_commands(control);
	LIST_FOREACH(session, &control->sessions, entry) {
		if (session->reason && !session->closing)
			control_close(session, session->reason);
		turns_run(session);
	}
	if (!peer->stopping)
		check_output(peer);
	return PEER_NEVER;
}

static size_t control_poll(struct peer *peer, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	return peer->stopping ? 0 : 1;
}

static void control_stop(struct peer *peer)
{
	struct control *control = peer->context;
	struct control_session *session;

	LIST_FOREACH(session, &control->sessions, entry)
		if (!session->closing)
			control_close(session, HDMABUF_REASON_SHUTDOWN);
}

static void control_end(struct peer *peer)
{
	free(peer->context);
}

static const struct hdmabuf_callbacks callbacks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.imported = on_imported,
	.updated = on_updated,
	.handed_off = on_handed_off,
	.retire = on_retire,
	.allocate = on_allocate,
	.cpu_access = on_cpu_access,
	.exported = on_exported,
	.allocated = on_allocated,
	.queried = on_queried,
	.echoed = on_echoed,
	.answered = on_answered,
	.quarantined = on_quarantined,
	.released = on_released,
	.reached = on_reached,
};

const struct part control_part = {
	.callbacks = &callbacks,
	.open = control_open,
	.work = control_work,
	.poll = control_poll,
	.stop = control_stop,
	.close = control_end,
};
