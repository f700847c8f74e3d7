/* SPDX-License-Identifier: MIT */
/* Buffers and timelines by name. */

#include "reference-common/control.h"
#include "reference-common/parse.h"

#include <stdlib.h>
#include <string.h>

bool name_is_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-";
	size_t length = strlen(name);

	return length && length < CONTROL_NAME_SIZE &&
	       strspn(name, letters) == length;
}

/* ---- Buffers ------------------------------------------------------------ */

void id_name(const struct hdmabuf_id *id, char name[CONTROL_NAME_SIZE])
{
	for (size_t i = 0; i < sizeof(id->octets); i++)
		sprintf(name + 2 * i, "%02x", id->octets[i]);
}

const char *buffer_name(const struct hdmabuf_buffer *handle,
			char name[CONTROL_NAME_SIZE])
{
	const struct control_buffer *buffer = hdmabuf_buffer_user(handle);

	if (buffer)
		strcpy(name, buffer->name);
	else
		id_name(hdmabuf_buffer_id(handle), name);
	return name;
}

struct control_buffer *buffer_add(struct control_session *session,
				  const char *name, bool imported)
{
	struct control_buffer *buffer = calloc(1, sizeof(*buffer));

	if (!buffer)
		return NULL;
	buffer->session = session;
	buffer->imported = imported;
	strcpy(buffer->name, name);
	LIST_INSERT_HEAD(&session->buffers, buffer, entry);
	return buffer;
}

void buffer_orphan(struct control_buffer *buffer)
{
	turns_drop(buffer->session, buffer);
	LIST_REMOVE(buffer, entry);
	buffer->session = NULL;
}

void buffer_remove(struct control_buffer *buffer)
{
	if (buffer->session)
		buffer_orphan(buffer);
	hdmabuf_memory_free(&buffer->memory);
	free(buffer);
}

static struct control_buffer *find_in(const struct control_session *session,
				      const char *name)
{
	struct control_buffer *buffer;

	LIST_FOREACH(buffer, &session->buffers, entry)
		if (!strcmp(buffer->name, name))
			return buffer;
	return NULL;
}

struct control_buffer *buffer_find(const struct control *control,
				   const char *name)
{
	const struct control_session *session;
	struct control_buffer *buffer;

	LIST_FOREACH(session, &control->sessions, entry) {
		buffer = find_in(session, name);
		if (buffer)
			return buffer;
	}
	return NULL;
}

bool buffer_is_known(const struct control_session *session, const char *name)
{
	return find_in(session, name);
}

void buffer_release(struct control_buffer *buffer)
{
	hdmabuf_buffer_release(buffer->handle);
	buffer_remove(buffer);
}

/* ---- Timelines ---------------------------------------------------------- */

struct control_timeline *timeline_add(struct control_session *session,
				      const char *name)
{
	struct control_timeline *timeline = calloc(1, sizeof(*timeline));

	if (!timeline)
		return NULL;
	strcpy(timeline->name, name);
	LIST_INSERT_HEAD(&session->timelines, timeline, entry);
	return timeline;
}

void timeline_remove(struct control_timeline *timeline)
{
	LIST_REMOVE(timeline, entry);
	free(timeline);
}

static struct hdmabuf_timeline_handle *
find_of_peer(const struct control_session *session, const char *number)
{
	uint32_t value;

	if (!parse_u32(&number, &value) || *number)
		return NULL;
	return hdmabuf_timeline_find(session->handle, value);
}

struct hdmabuf_timeline_handle *
timeline_find(const struct control_session *session, const char *name)
{
	const struct control_timeline *timeline;

	if (!strncmp(name, "peer:", 5))
		return find_of_peer(session, name + 5);
	LIST_FOREACH(timeline, &session->timelines, entry)
		if (!strcmp(timeline->name, name))
			return timeline->handle;
	return NULL;
}
