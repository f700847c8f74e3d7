/* SPDX-License-Identifier: MIT */
/*
 * exports.c - buffers of this end
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static uint32_t format_choose(const struct hdmabuf_session *session,
			      uint32_t format)
{
	uint64_t needed =
		format == HDMABUF_DIRECTORY_TABLE   ? HDMABUF_FEATURE_TABLE :
		format == HDMABUF_DIRECTORY_EXTENTS ? HDMABUF_FEATURE_EXTENTS :
						      0;

	return needed & ~session->features ? HDMABUF_DIRECTORY_LIST : format;
}

/* HDB-EXP-008 */
static int limits_check(const struct hdmabuf_session *session,
			const struct hdmabuf_buffer *buffer)
{
	const struct hdmabuf_limits *limits = &session->limits;
	uint64_t left = limits->max_octets - session->export_octets;
	uint64_t pages_left = left >> buffer->layout.page_shift;

	if (session->exports >= limits->max_buffers ||
	    session->export_octets > limits->max_octets ||
	    buffer->layout.pages > pages_left ||
	    buffer->info.private_octets > limits->max_private)
		return -EDQUOT;
	return 0;
}

/* HDB-BOTH-022: can @octets more be exported, whatever they will be? */
bool export_fits(const struct hdmabuf_session *session, uint64_t octets)
{
	const struct hdmabuf_limits *limits = &session->limits;

	return session->exports < limits->max_buffers &&
	       session->export_octets <= limits->max_octets &&
	       octets <= limits->max_octets - session->export_octets;
}

static int layout_choose(struct hdmabuf_session *session,
			 struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_layout *layout = &buffer->layout;
	struct hdmabuf_info *info = &buffer->info;
	struct hdmabuf_fault fault;

	layout->page_shift = session->port->ops->page_shift;
	if (hdmabuf_info_check(info, layout->page_shift, &fault)) {
		endpoint_log_fault(session->endpoint, "cannot export", &fault);
		return -EINVAL;
	}
	info->directory_format = format_choose(session, info->directory_format);
	layout->directory_format = info->directory_format;
	hdmabuf_buffer_pages(info->data_offset, info->size, layout->page_shift,
			     &layout->pages);
	if (layout->pages > buffer->memory->octets >> layout->page_shift)
		return -EINVAL;
	if (hdmabuf_info_features(info, layout->directory_format) &
	    ~session->features)
		return -EOPNOTSUPP;
	return limits_check(session, buffer);
}

/* Descriptor and directory go into memory of their own, shared for as long as
 * EXPORT or UPDATE is not answered.
 */
static int description_share(struct port *port, struct remains *remains,
			     uint32_t pages, uint32_t rights)
{
	int error;

	error = port->ops->alloc(port->link,
				 (size_t)pages << port->ops->page_shift, rights,
				 &remains->memory);
	if (error)
		return error;
	error = share_make(&remains->share, port, &remains->memory, pages,
			   rights);
	if (error)
		hdmabuf_memory_free(&remains->memory);
	return error;
}

/* Where nothing can be shared read-only, the peer may spoil its own reading. */
static struct remains *description_alloc(struct hdmabuf_session *session,
					 uint32_t pages, int *error)
{
	struct remains *remains = remains_new();

	*error = -ENOMEM;
	if (!remains)
		return NULL;
	*error = description_share(session->port, remains, pages,
				   HDMABUF_RIGHTS_READ_ONLY);
	if (*error == -EACCES)
		*error = description_share(session->port, remains, pages,
					   HDMABUF_RIGHTS_READ_WRITE);
	if (!*error)
		return remains;
	free(remains);
	return NULL;
}

static int directory_fill(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_layout *layout = &buffer->layout;
	struct remains *description = buffer->description;
	size_t page = (size_t)1 << layout->page_shift;
	uint64_t *own;
	uint32_t i;
	bool good;

	own = calloc(layout->directory_pages, sizeof(*own));
	if (!own)
		return -ENOMEM;
	for (i = 0; i < layout->directory_pages; i++)
		own[i] = share_reference(&description->share, i + 1);
	layout->directory = own[0];
	good = hdmabuf_directory_build(
		layout->directory_format, buffer->data.runs, buffer->data.count,
		layout->page_shift, own,
		(uint8_t *)description->memory.address + page,
		layout->directory_pages);
	free(own);
	return good ? 0 : -EINVAL;
}

static int describe(struct hdmabuf_session *session,
		    struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_layout *layout = &buffer->layout;
	int error;

	layout->entries = layout->directory_format ==
					  HDMABUF_DIRECTORY_EXTENTS ?
				  buffer->data.count :
				  layout->pages;
	if (!hdmabuf_directory_pages(layout->directory_format, layout->entries,
				     layout->page_shift,
				     &layout->directory_pages))
		return -EINVAL;
	buffer->description =
		description_alloc(session, layout->directory_pages + 1, &error);
	if (!buffer->description)
		return error;
	error = directory_fill(buffer);
	if (error)
		return error;
	buffer->description_length = hdmabuf_descriptor_encode(
		&buffer->info, layout, &buffer->id, buffer->generation,
		buffer->description->memory.address);
	return 0;
}

static uint32_t share_rights(uint32_t rights)
{
	return rights == HDMABUF_RIGHTS_READ_ONLY ? HDMABUF_RIGHTS_READ_ONLY :
						    HDMABUF_RIGHTS_READ_WRITE;
}

/* HDB-EXP-002: what surrounds the data in its pages is nobody else's. */
static void clear_around(const struct hdmabuf_buffer *buffer)
{
	const struct hdmabuf_info *info = &buffer->info;
	uint64_t octets = buffer_octets(buffer);
	uint64_t end = info->data_offset + info->size;
	uint8_t *memory = buffer->memory->address;

	if (!memory)
		return;
	memset(memory, 0, info->data_offset);
	memset(memory + end, 0, (size_t)(octets - end));
}

static int export_prepare(struct hdmabuf_session *session,
			  struct hdmabuf_buffer *buffer)
{
	int error = layout_choose(session, buffer);

	if (error)
		return error;
	clear_around(buffer);
	error = share_make(&buffer->data, session->port, buffer->memory,
			   buffer->layout.pages,
			   share_rights(buffer->info.rights));
	if (error)
		return error;
	buffer->generation = 1;
	error = describe(session, buffer);
	if (!error)
		error = buffer_insert(session, buffer);
	return error;
}

/* Nothing has been told to the peer: its platform will forget the references. */
static void export_undo(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_endpoint *endpoint = buffer->endpoint;
	struct remains *data = NULL;

	remains_leave(endpoint, buffer->description);
	if (buffer->data.port)
		data = remains_new();
	if (data) {
		data->share = buffer->data;
		remains_leave(endpoint, data);
	} else {
		share_drop(&buffer->data);
	}
	info_free(&buffer->info);
	free(buffer);
}

static struct hdmabuf_buffer *export_new(struct hdmabuf_session *session,
					 const struct hdmabuf_info *info,
					 void *user)
{
	struct hdmabuf_buffer *buffer = calloc(1, sizeof(*buffer));

	if (!buffer)
		return NULL;
	if (random_octets(&buffer->id, sizeof(buffer->id)) ||
	    info_copy(&buffer->info, info)) {
		free(buffer);
		return NULL;
	}
	buffer->endpoint = session->endpoint;
	buffer->session = session;
	buffer->user = user;
	buffer->exported_here = true;
	return buffer;
}

static int export_begin(struct hdmabuf_session *session,
			struct hdmabuf_buffer *buffer)
{
	int error = export_prepare(session, buffer);

	if (error)
		return error;
	session->exports++;
	session->export_octets += buffer_octets(buffer);
	session->statistics.octets_shared += buffer->info.size;
	return 0;
}

int export_send(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_EXPORT,
		.buffer = buffer->id,
	};
	int error;

	request.descriptor.reference =
		share_reference(&buffer->description->share, 0);
	request.descriptor.length = buffer->description_length;
	error = request_send(buffer->session, &request, buffer, NULL);
	buffer->export_due = error;
	buffer->session->due |= buffer->export_due;
	if (!error)
		buffer_event(buffer, HDMABUF_BUFFER_EXPORT);
	return error;
}

/* Everything but sending EXPORT. */
static int export_ready(struct hdmabuf_session *session,
			const struct hdmabuf_memory *memory,
			const struct hdmabuf_info *info, void *user,
			struct hdmabuf_buffer **result)
{
	struct hdmabuf_buffer *buffer = export_new(session, info, user);
	int error;

	if (!buffer)
		return -ENOMEM;
	buffer->memory = memory;
	error = export_begin(session, buffer);
	if (error) {
		export_undo(buffer);
		return error;
	}
	*result = buffer;
	return 0;
}

int hdmabuf_export(struct hdmabuf_session *session,
		   const struct hdmabuf_memory *memory,
		   const struct hdmabuf_info *info, void *user,
		   struct hdmabuf_buffer **result)
{
	int error;

	if (!session_is_open(session))
		return -ENOTCONN;
	if (!request_fits(session, HDMABUF_OP_EXPORT))
		return -EAGAIN;
	if (info->private_octets && !info->private_data)
		return -EINVAL;
	error = export_ready(session, memory, info, user, result);
	if (!error)
		export_send(*result);
	return error;
}

/* HDB-EXP-017: everything but sending EXPORT is done before ALLOCATE is answered. */
int export_allocated(struct hdmabuf_session *session,
		     const struct hdmabuf_memory *memory,
		     const struct hdmabuf_info *info, void *user,
		     struct hdmabuf_buffer **result)
{
	struct hdmabuf_buffer *buffer;
	int error = export_ready(session, memory, info, user, &buffer);

	if (error)
		return error;
	buffer->own_memory = *memory;
	buffer->memory = &buffer->own_memory;
	buffer->export_due = true;
	session->due = true;
	*result = buffer;
	return 0;
}

static void export_forget(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_session *session = buffer->session;

	if (!session)
		return;
	session->exports--;
	session->export_octets -= buffer_octets(buffer);
}

/* The last of an exported buffer: all its pages are this end's again. */
static void export_free(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_endpoint *endpoint = buffer->endpoint;

	export_forget(buffer);
	remains_leave(endpoint, buffer->description);
	buffer->description = NULL;
	if (buffer->update) {
		info_free(buffer->update);
		free(buffer->update);
		buffer->update = NULL;
	}
	if (endpoint->callbacks.released)
		endpoint->callbacks.released(endpoint->user, buffer);
	hdmabuf_memory_free(&buffer->own_memory);
	buffer_bury(buffer);
}

static void export_quarantine(struct hdmabuf_buffer *buffer, int event)
{
	struct hdmabuf_endpoint *endpoint = buffer->endpoint;

	buffer_event(buffer, event);
	buffer->deadline = 0;
	endpoint_log(endpoint, HDMABUF_LOG_INFO,
		     "a buffer of %llu octets is in quarantine",
		     (unsigned long long)buffer->info.size);
	if (endpoint->callbacks.quarantined)
		endpoint->callbacks.quarantined(endpoint->user, buffer);
}

/* What it means, in this state, that all pages are revoked. */
static int freed_event(const struct hdmabuf_buffer *buffer)
{
	switch (buffer->state) {
	case HDMABUF_BUFFER_QUARANTINED:
		return HDMABUF_BUFFER_FREED;
	case HDMABUF_BUFFER_EXPORTING:
		return HDMABUF_BUFFER_REFUSED;
	default:
		return HDMABUF_BUFFER_RELEASED;
	}
}

/*
 * The platform has the last word.  It may take a moment to learn from the other
 * end that nothing is mapped, so there is some patience before it counts.
 */
static void export_try(struct hdmabuf_buffer *buffer, uint64_t now)
{
	if (!share_revoke(&buffer->data)) {
		buffer_event(buffer, freed_event(buffer));
		export_free(buffer);
		return;
	}
	if (buffer->state != HDMABUF_BUFFER_QUARANTINED &&
	    buffer->deadline <= now)
		export_quarantine(buffer, HDMABUF_BUFFER_STILL_MAPPED);
}

/* From the session's list to the endpoint's, which outlives the session. */
static void export_detach(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_session *session = buffer->session;

	if (!session)
		return;
	hdmabuf_table_remove(&session->table, &buffer->id);
	pump_forget(session, buffer, NULL);
	export_forget(buffer);
	LIST_REMOVE(buffer, entry);
	LIST_INSERT_HEAD(&buffer->endpoint->leaving, buffer, entry);
	buffer->session = NULL;
}

void export_released(struct hdmabuf_buffer *buffer)
{
	uint64_t now = now_ms();

	if (buffer->released)
		return;
	buffer->released = true;
	buffer->deadline = now + REVOKE_HOLD_MS;
	export_detach(buffer);
	export_try(buffer, now);
}

void export_session_over(struct hdmabuf_buffer *buffer, bool released)
{
	if (buffer->state == HDMABUF_BUFFER_NONE ||
	    buffer->state == HDMABUF_BUFFER_EXPORTING)
		released = false;
	export_detach(buffer);
	if (buffer->state == HDMABUF_BUFFER_NONE)
		buffer_event(buffer, HDMABUF_BUFFER_EXPORT);
	remains_leave(buffer->endpoint, buffer->description);
	buffer->description = NULL;
	if (released) {
		export_released(buffer);
		return;
	}
	if (buffer->state != HDMABUF_BUFFER_QUARANTINED)
		export_quarantine(buffer, HDMABUF_BUFFER_SESSION_OVER);
	export_try(buffer, now_ms());
}

void exports_retry(struct hdmabuf_endpoint *endpoint, uint64_t now)
{
	struct hdmabuf_buffer *buffer = LIST_FIRST(&endpoint->leaving);

	while (buffer) {
		struct hdmabuf_buffer *next = LIST_NEXT(buffer, entry);

		export_try(buffer, now);
		buffer = next;
	}
}

/* The session's buffers are looked at when the first grace period ends. */
static void expire_no_later(struct hdmabuf_session *session, uint64_t when)
{
	if (!session->expire_at || when < session->expire_at)
		session->expire_at = when;
}

/* HDB-EXP-014: the grace period of some buffers may be over. */
void exports_expire(struct hdmabuf_session *session, uint64_t now)
{
	struct hdmabuf_buffer *buffer;

	if (!session->expire_at || session->expire_at > now)
		return;
	session->expire_at = 0;
	LIST_FOREACH(buffer, &session->buffers, entry) {
		if (!buffer->deadline)
			continue;
		if (buffer->deadline > now)
			expire_no_later(session, buffer->deadline);
		else if (buffer->state == HDMABUF_BUFFER_RETIRING)
			export_quarantine(buffer, HDMABUF_BUFFER_EXPIRED);
	}
}

/* The process gives up: the memory may be freed, not used again. */
void exports_drop(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_buffer *buffer;

	while ((buffer = LIST_FIRST(&endpoint->leaving))) {
		if (share_revoke(&buffer->data))
			share_drop(&buffer->data);
		export_free(buffer);
	}
}

void export_answered(struct hdmabuf_buffer *buffer,
		     const struct hdmabuf_fault *fault)
{
	remains_leave(buffer->endpoint, buffer->description);
	buffer->description = NULL;
	if (!fault)
		buffer_event(buffer, HDMABUF_BUFFER_ACCEPTED);
}

/* Everything that UPDATE may not change. */
static bool update_is_allowed(const struct hdmabuf_info *old,
			      const struct hdmabuf_info *new)
{
	return old->size == new->size && old->data_offset == new->data_offset &&
	       old->rights == new->rights && old->attributes == new->attributes;
}

static int update_prepare(struct hdmabuf_buffer *buffer,
			  const struct hdmabuf_info *info)
{
	struct hdmabuf_session *session = buffer->session;
	struct hdmabuf_fault fault;
	int error;

	if (!update_is_allowed(&buffer->info, info) ||
	    (info->private_octets && !info->private_data) ||
	    hdmabuf_info_check(info, buffer->layout.page_shift, &fault))
		return -EINVAL;
	if (hdmabuf_info_features(info, HDMABUF_DIRECTORY_LIST) &
	    ~session->features)
		return -EOPNOTSUPP;
	if (info->private_octets > session->limits.max_private)
		return -EDQUOT;
	buffer->update = calloc(1, sizeof(*buffer->update));
	if (!buffer->update || info_copy(buffer->update, info))
		return -ENOMEM;
	buffer->update->directory_format = buffer->layout.directory_format;
	buffer->description = description_alloc(session, 1, &error);
	if (!buffer->description)
		return error;
	buffer->description_length = hdmabuf_descriptor_encode(
		info, &buffer->layout, &buffer->id, buffer->generation + 1,
		buffer->description->memory.address);
	return 0;
}

static void update_forget(struct hdmabuf_buffer *buffer)
{
	if (buffer->update)
		info_free(buffer->update);
	free(buffer->update);
	buffer->update = NULL;
	remains_leave(buffer->endpoint, buffer->description);
	buffer->description = NULL;
}

int hdmabuf_update(struct hdmabuf_buffer *buffer,
		   const struct hdmabuf_info *info)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_UPDATE,
		.buffer = buffer->id,
	};
	int error;

	if (!buffer_is_usable(buffer))
		return -ENOTCONN;
	if (!buffer->exported_here)
		return -EINVAL;
	if (!(buffer->session->features & HDMABUF_FEATURE_UPDATE))
		return -EOPNOTSUPP;
	if (!buffer_may(buffer, HDMABUF_BUFFER_UPDATE) || buffer->update)
		return -EBUSY;
	if (!request_fits(buffer->session, HDMABUF_OP_UPDATE))
		return -EAGAIN;
	error = update_prepare(buffer, info);
	if (error) {
		update_forget(buffer);
		return error;
	}
	request.descriptor.reference =
		share_reference(&buffer->description->share, 0);
	request.descriptor.length = buffer->description_length;
	return request_send(buffer->session, &request, buffer, NULL);
}

void update_answered(struct hdmabuf_buffer *buffer,
		     const struct hdmabuf_fault *fault)
{
	struct hdmabuf_info *update = buffer->update;

	if (!fault && update) {
		info_free(&buffer->info);
		buffer->info = *update;
		update->private_data = NULL;
		buffer->generation++;
		if (buffer_may(buffer, HDMABUF_BUFFER_UPDATE))
			buffer_event(buffer, HDMABUF_BUFFER_UPDATE);
	}
	update_forget(buffer);
}

int hdmabuf_unexport(struct hdmabuf_buffer *buffer, uint32_t grace_ms)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_UNEXPORT,
		.buffer = buffer->id,
		.grace_ms = grace_ms,
	};
	int error;

	if (!buffer_is_usable(buffer))
		return -ENOTCONN;
	if (!buffer->exported_here ||
	    !buffer_may(buffer, HDMABUF_BUFFER_UNEXPORT))
		return -EINVAL;
	error = request_send(buffer->session, &request, buffer, NULL);
	if (error)
		return error;
	buffer_event(buffer, HDMABUF_BUFFER_UNEXPORT);
	buffer->deadline = now_ms() + grace_ms + REVOKE_HOLD_MS;
	expire_no_later(buffer->session, buffer->deadline);
	return 0;
}
