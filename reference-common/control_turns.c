/* SPDX-License-Identifier: MIT */
/*
 * Carrying out what was handed off: wait, read, tell, signal, hand back.
 *
 * What has come is noted, and done when nothing stands before it: who still waits is
 * passed over, but not by hand-offs of the same buffer, of the same group, or that
 * signal on the same timeline, whose points count for all before them.
 */

#include "reference-common/control.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* ---- What has come ------------------------------------------------------ */

/* Of a wait that cannot be, the end has come already. */
static void begin_wait(struct control_turn *turn)
{
	int error;

	if (!turn->turn.wait)
		return;
	error = hdmabuf_timeline_wait(turn->turn.wait, turn->turn.wait_point);
	turn->waiting = !error;
	if (error)
		turn->status = error == -ENOMEM ? HDMABUF_STATUS_NO_MEMORY :
						  HDMABUF_STATUS_CANCELLED;
}

static void add(struct control_session *session,
		const struct hdmabuf_turn *what)
{
	struct control_turn *turn = &session->turns[session->turn_count];
	struct control_buffer *buffer = hdmabuf_buffer_user(what->buffer);

	/* Without memory for its name, there is nothing to tell of it. */
	if (!buffer) {
		hdmabuf_turn_done(what, HDMABUF_STATUS_OK);
		return;
	}
	session->turn_count++;
	*turn = (struct control_turn){
		.turn = *what,
		.buffer = buffer,
		.group = session->groups,
	};
	buffer_name(what->buffer, turn->name);
	buffer->held = buffer->imported &&
		       hdmabuf_buffer_info(what->buffer)->rights ==
			       HDMABUF_RIGHTS_LEND;
	begin_wait(turn);
}

void turns_add(struct control_session *session,
	       const struct hdmabuf_turn *turns, size_t count)
{
	if (session->closing || session->reason)
		return;
	if (session->turn_count + count > CONTROL_TURNS_MAX) {
		control_close(session, HDMABUF_REASON_FAULT);
		return;
	}
	session->groups++;
	for (size_t i = 0; i < count; i++)
		add(session, &turns[i]);
}

void turns_reached(struct control_session *session,
		   const struct hdmabuf_timeline_handle *timeline,
		   uint64_t point, uint16_t status)
{
	for (unsigned int i = 0; i < session->turn_count; i++) {
		struct control_turn *turn = &session->turns[i];

		if (!turn->waiting || turn->turn.wait != timeline ||
		    turn->turn.wait_point != point)
			continue;
		turn->waiting = false;
		if (!turn->status)
			turn->status = status;
	}
}

static void drop(struct control_session *session,
		 const struct control_buffer *buffer, bool waiting_only)
{
	for (unsigned int i = 0; i < session->turn_count; i++) {
		struct control_turn *turn = &session->turns[i];

		if (turn->buffer != buffer || (waiting_only && !turn->waiting))
			continue;
		turn->buffer = NULL;
		if (!turn->status)
			turn->status = HDMABUF_STATUS_CANCELLED;
	}
}

void turns_drop(struct control_session *session,
		const struct control_buffer *buffer)
{
	drop(session, buffer, false);
}

void turns_drop_waiting(struct control_session *session,
			const struct control_buffer *buffer)
{
	drop(session, buffer, true);
}

bool turns_wait_for(const struct control_session *session,
		    const struct control_buffer *buffer)
{
	for (unsigned int i = 0; i < session->turn_count; i++)
		if (session->turns[i].buffer == buffer &&
		    session->turns[i].waiting)
			return true;
	return false;
}

/* ---- What is done ------------------------------------------------------- */

static bool stands_before(const struct control_turn *first,
			  const struct control_turn *then)
{
	return first->group == then->group ||
	       (first->buffer && first->buffer == then->buffer) ||
	       (first->turn.signal && first->turn.signal == then->turn.signal &&
		first->turn.life == then->turn.life);
}

static bool is_due(const struct control_session *session, unsigned int place)
{
	const struct control_turn *turn = &session->turns[place];

	if (!turn->status && (turn->waiting || session->control->hold))
		return false;
	for (unsigned int i = 0; i < place; i++)
		if (stands_before(&session->turns[i], turn))
			return false;
	return true;
}

static uint16_t map(struct control_buffer *buffer, const void **data)
{
	void *mapping = NULL;
	int error = 0;

	if (buffer->imported)
		error = hdmabuf_buffer_map(buffer->handle, &mapping);
	*data = hdmabuf_buffer_data(buffer->handle);
	if (error == -EINVAL || error == -EACCES)
		return HDMABUF_STATUS_BAD_REFERENCE;
	return *data ? HDMABUF_STATUS_OK : HDMABUF_STATUS_NO_MEMORY;
}

static void read_all(struct control_session *session,
		     const struct control_turn *turn, const void *data)
{
	size_t size = hdmabuf_buffer_info(turn->buffer->handle)->size;
	uint32_t crc = crc32_continue(&session->control->crc, 0, data, size);

	lines_say("event turn %s stamp=%" PRIu64 " crc=%08" PRIx32, turn->name,
		  turn->turn.stamp, crc);
}

static void hand_back(struct control_buffer *buffer)
{
	struct hdmabuf_turn turn = {
		.buffer = buffer->handle,
		.stamp = buffer->back_stamp,
	};

	/* It would become a part of the group that is under way. */
	if (buffer->session->group_open)
		return;
	buffer->back_due = hdmabuf_hand_off(&turn, false) == -EAGAIN;
	buffer->held = buffer->back_due;
}

static void return_lent(struct control_buffer *buffer, uint64_t stamp)
{
	if (!buffer->held || buffer->retired)
		return;
	buffer->back_due = true;
	buffer->back_stamp = stamp;
	hand_back(buffer);
}

/* Returns the status with which it was not. */
static uint16_t carry_out(struct control_session *session,
			  const struct control_turn *turn)
{
	uint16_t status = turn->status;
	const void *data;

	if (!status)
		status = map(turn->buffer, &data);
	if (!status)
		read_all(session, turn, data);
	else
		lines_say("event turn %s stamp=%" PRIu64 " status=%u",
			  turn->name, turn->turn.stamp, status);
	return status;
}

static void take(struct control_session *session, unsigned int place)
{
	struct control_turn turn = session->turns[place];
	bool useless = carry_out(session, &turn) != turn.status;

	session->turn_count--;
	memmove(&session->turns[place], &session->turns[place + 1],
		(session->turn_count - place) * sizeof(turn));
	hdmabuf_turn_done(&turn.turn, HDMABUF_STATUS_OK);
	/* What cannot be mapped is released: see HDB-IMP-014. */
	if (useless)
		buffer_release(turn.buffer);
	else if (turn.buffer)
		return_lent(turn.buffer, turn.turn.stamp);
}

static bool take_next(struct control_session *session)
{
	for (unsigned int i = 0; i < session->turn_count; i++)
		if (is_due(session, i)) {
			take(session, i);
			return true;
		}
	return false;
}

void turns_run(struct control_session *session)
{
	struct control_buffer *buffer;

	if (session->closing)
		return;
	LIST_FOREACH(buffer, &session->buffers, entry)
		if (buffer->back_due)
			hand_back(buffer);
	while (take_next(session))
		;
}
