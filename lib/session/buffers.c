/* SPDX-License-Identifier: MIT */
/*
 * buffers.c - what buffers of this end and of the peer have in common
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void buffer_event(struct hdmabuf_buffer *buffer, int event)
{
	int role = buffer->exported_here ? HDMABUF_EXPORTER : HDMABUF_IMPORTER;
	int next = hdmabuf_buffer_next(role, buffer->state, event);

	if (next != HDMABUF_NO_STATE)
		buffer->state = next;
	else
		endpoint_log(buffer->endpoint, HDMABUF_LOG_ERROR,
			     "event %d cannot happen to a buffer that is %s",
			     event, hdmabuf_buffer_state_text(buffer->state));
}

bool buffer_may(const struct hdmabuf_buffer *buffer, int event)
{
	int role = buffer->exported_here ? HDMABUF_EXPORTER : HDMABUF_IMPORTER;

	return hdmabuf_buffer_next(role, buffer->state, event) !=
	       HDMABUF_NO_STATE;
}

/* Callbacks may still hold the pointer: freed at the end of dispatch(). */
void buffer_bury(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_endpoint *endpoint = buffer->endpoint;

	LIST_REMOVE(buffer, entry);
	if (buffer->session) {
		hdmabuf_table_remove(&buffer->session->table, &buffer->id);
		pump_forget(buffer->session, buffer, NULL);
	}
	buffer->session = NULL;
	info_free(&buffer->info);
	free(buffer->runs);
	buffer->runs = NULL;
	SLIST_INSERT_HEAD(&endpoint->buffer_graves, buffer, grave);
}

int info_copy(struct hdmabuf_info *to, const struct hdmabuf_info *from)
{
	void *copy = NULL;

	if (from->private_octets) {
		copy = malloc(from->private_octets);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, from->private_data, from->private_octets);
	}
	*to = *from;
	to->private_data = copy;
	return 0;
}

void info_free(struct hdmabuf_info *info)
{
	free((void *)info->private_data);
	info->private_data = NULL;
}

static int table_grow(struct hdmabuf_table *table)
{
	size_t capacity = table->capacity * 2;
	struct hdmabuf_table_entry *entries;
	struct hdmabuf_table bigger;
	size_t i;

	entries = calloc(capacity, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	hdmabuf_table_init(&bigger, entries, capacity, table->key);
	for (i = 0; i < table->capacity; i++)
		if (table->entries[i].value)
			hdmabuf_table_insert(&bigger, &table->entries[i].id,
					     table->entries[i].value);
	free(table->entries);
	*table = bigger;
	return 0;
}

int buffer_insert(struct hdmabuf_session *session,
		  struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_table *table = &session->table;

	if (table->count * 2 >= table->capacity && table_grow(table))
		return -ENOMEM;
	if (!hdmabuf_table_insert(table, &buffer->id, buffer))
		return -EEXIST;
	LIST_INSERT_HEAD(&session->buffers, buffer, entry);
	return 0;
}

bool buffer_is_usable(const struct hdmabuf_buffer *buffer)
{
	return buffer->session && !buffer->forgotten && !buffer->released &&
	       session_is_open(buffer->session);
}

/* With all its pages: what counts for the limits. */
uint64_t buffer_octets(const struct hdmabuf_buffer *buffer)
{
	return buffer->layout.pages << buffer->layout.page_shift;
}

/* What a hand-off is, depending on who sends it: see the table of a buffer. */
int buffer_hand_off_event(const struct hdmabuf_buffer *buffer, bool by_exporter)
{
	if (!by_exporter)
		return HDMABUF_BUFFER_HAND_BACK;
	return buffer->info.rights == HDMABUF_RIGHTS_LEND ?
		       HDMABUF_BUFFER_LEND :
		       HDMABUF_BUFFER_HAND_OFF;
}

static bool hand_off_allowed(const struct hdmabuf_buffer *buffer)
{
	if (!buffer_may(buffer,
			buffer_hand_off_event(buffer, buffer->exported_here)))
		return false;
	if (buffer->exported_here)
		return true;
	return buffer->info.rights == HDMABUF_RIGHTS_READ_WRITE ||
	       (buffer->info.rights == HDMABUF_RIGHTS_LEND && buffer->held);
}

static bool points_are_right(const struct hdmabuf_session *session,
			     const struct hdmabuf_turn *turn)
{
	const struct hdmabuf_timeline_handle *wait = turn->wait;
	const struct hdmabuf_timeline_handle *signal = turn->signal;

	if (wait && (wait->session != session || !wait->created_here ||
		     !wait->signalled_here))
		return false;
	return !signal ||
	       (signal->session == session && signal->created_here &&
		!signal->signalled_here && turn->signal_point > signal->named);
}

/* The last of a group has no flag MORE. */
static bool group_may_grow(const struct hdmabuf_session *session)
{
	return session->features & HDMABUF_FEATURE_GROUP &&
	       session->group_sent < GROUP_MAX - 1;
}

static uint32_t timeline_number(const struct hdmabuf_timeline_handle *timeline)
{
	return timeline ? timeline->number : HDMABUF_NO_TIMELINE;
}

int hdmabuf_hand_off(const struct hdmabuf_turn *turn, bool more)
{
	struct hdmabuf_buffer *buffer = turn->buffer;
	struct hdmabuf_session *session = buffer->session;
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_HAND_OFF,
		.buffer = buffer->id,
		.hand_off = {
			.wait_point = turn->wait ? turn->wait_point : 0,
			.signal_point = turn->signal ? turn->signal_point : 0,
			.wait_timeline = timeline_number(turn->wait),
			.signal_timeline = timeline_number(turn->signal),
			.flags = more ? HDMABUF_HAND_OFF_MORE : 0,
			.stamp = turn->stamp,
		},
	};
	int error;

	if (!buffer_is_usable(buffer))
		return -ENOTCONN;
	if (!hand_off_allowed(buffer))
		return -EACCES;
	if (!points_are_right(session, turn) ||
	    (more && !group_may_grow(session)))
		return -EINVAL;
	error = request_send(session, &request, buffer, NULL);
	if (error)
		return error;
	buffer_event(buffer,
		     buffer_hand_off_event(buffer, buffer->exported_here));
	buffer->held = false;
	session->group_sent = more ? session->group_sent + 1 : 0;
	session->statistics.hand_offs_sent++;
	if (turn->signal)
		turn->signal->named = turn->signal_point;
	return 0;
}

/* HDB-BOTH-037: a lent buffer is where it was. */
void hand_off_refused(struct hdmabuf_buffer *buffer)
{
	if (buffer->info.rights != HDMABUF_RIGHTS_LEND)
		return;
	if (!buffer->exported_here)
		buffer->held = true;
	else if (buffer->state == HDMABUF_BUFFER_LENT)
		buffer_event(buffer, HDMABUF_BUFFER_HAND_BACK);
}

int hdmabuf_buffer_query(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_QUERY,
		.buffer = buffer->id,
	};

	if (!buffer_is_usable(buffer))
		return -ENOTCONN;
	return request_send(buffer->session, &request, buffer, NULL);
}

int hdmabuf_buffer_cpu_access(struct hdmabuf_buffer *buffer, bool begin,
			      uint64_t offset, uint64_t octets, uint32_t access)
{
	struct hdmabuf_request request = {
		.operation = begin ? HDMABUF_OP_CPU_BEGIN : HDMABUF_OP_CPU_END,
		.buffer = buffer->id,
	};

	if (!buffer_is_usable(buffer))
		return -ENOTCONN;
	if (!(buffer->session->features & HDMABUF_FEATURE_CPU_ACCESS))
		return -EOPNOTSUPP;
	request.cpu_access.offset = offset;
	request.cpu_access.octets = octets;
	request.cpu_access.access = access;
	return request_send(buffer->session, &request, buffer, NULL);
}

int hdmabuf_session_allocate(struct hdmabuf_session *session,
			     const struct hdmabuf_allocate_body *wish)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_ALLOCATE,
		.allocate = *wish,
	};

	if (!session_is_open(session))
		return -ENOTCONN;
	if (!(session->features & HDMABUF_FEATURE_ALLOCATE))
		return -EOPNOTSUPP;
	return request_send(session, &request, NULL, NULL);
}

int hdmabuf_session_echo(struct hdmabuf_session *session, const uint8_t *octets)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ECHO };

	if (!session_is_open(session))
		return -ENOTCONN;
	memcpy(request.echo, octets, sizeof(request.echo));
	return request_send(session, &request, NULL, NULL);
}

const struct hdmabuf_info *
hdmabuf_buffer_info(const struct hdmabuf_buffer *buffer)
{
	return &buffer->info;
}

const struct hdmabuf_id *hdmabuf_buffer_id(const struct hdmabuf_buffer *buffer)
{
	return &buffer->id;
}

int hdmabuf_buffer_state(const struct hdmabuf_buffer *buffer)
{
	return buffer->state;
}

struct hdmabuf_session *
hdmabuf_buffer_session(const struct hdmabuf_buffer *buffer)
{
	return buffer->session;
}

void hdmabuf_buffer_set_user(struct hdmabuf_buffer *buffer, void *user)
{
	buffer->user = user;
}

void *hdmabuf_buffer_user(const struct hdmabuf_buffer *buffer)
{
	return buffer->user;
}

void *hdmabuf_buffer_data(const struct hdmabuf_buffer *buffer)
{
	uint8_t *start = buffer->exported_here ? buffer->memory->address :
						 buffer->mapping;

	return start ? start + buffer->info.data_offset : NULL;
}
