/* SPDX-License-Identifier: MIT */
/*
 * imports.c - buffers of the peer
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "lib/core/note.h"

/* Runs of directory pages that are mapped at once. */
#define WANTED_MAX 64

/* A descriptor in native form, whatever may be wrong with it. */
struct description {
	struct hdmabuf_info info;
	struct hdmabuf_layout layout;
	uint64_t generation;
	struct hdmabuf_fault wrong;
};

static uint16_t no_memory(struct hdmabuf_fault *fault)
{
	return hdmabuf_fault_set(fault, HDMABUF_STATUS_NO_MEMORY,
				 HDMABUF_WHERE_NOWHERE, 0, 0);
}

/* A private copy of the descriptor, to be freed. */
static uint16_t descriptor_fetch(struct hdmabuf_session *session,
				 const struct hdmabuf_request *request,
				 void **copy, struct hdmabuf_fault *fault)
{
	const struct hdmabuf_platform_ops *ops = session->port->ops;
	struct hdmabuf_run run = { request->descriptor.reference, 1 };
	uint32_t length = request->descriptor.length;
	void *page;
	uint64_t bad;

	if (length > 1u << ops->page_shift)
		return hdmabuf_fault_set(
			fault, HDMABUF_STATUS_INVALID, HDMABUF_WHERE_REQUEST,
			offsetof(struct hdmabuf_export, length), length);
	if (length - HDMABUF_DESCRIPTOR_OCTETS >
	    session->endpoint->config.limits.max_private)
		return hdmabuf_fault_set(
			fault, HDMABUF_STATUS_LIMIT, HDMABUF_WHERE_REQUEST,
			offsetof(struct hdmabuf_export, length),
			session->endpoint->config.limits.max_private);
	*copy = malloc((length + 7) & ~(size_t)7);
	if (!*copy)
		return no_memory(fault);
	if (ops->map(session->port->link, &run, 1, HDMABUF_RIGHTS_READ_ONLY,
		     &page, &bad)) {
		free(*copy);
		return hdmabuf_fault_set(fault, HDMABUF_STATUS_BAD_REFERENCE,
					 HDMABUF_WHERE_REQUEST,
					 offsetof(struct hdmabuf_export,
						  descriptor),
					 run.reference);
	}
	copy_once(*copy, page, length);
	trace_took_descriptor(session, *copy, length);
	ops->unmap(session->port->link, page, 1);
	return HDMABUF_STATUS_OK;
}

static uint16_t import_limits(const struct hdmabuf_session *session,
			      const struct hdmabuf_layout *layout,
			      struct hdmabuf_fault *fault)
{
	const struct hdmabuf_limits *limits = &session->endpoint->config.limits;
	uint64_t left = limits->max_octets - session->import_octets;

	if (layout->pages > left >> layout->page_shift)
		return hdmabuf_fault_set(
			fault, HDMABUF_STATUS_LIMIT, HDMABUF_WHERE_DESCRIPTOR,
			offsetof(struct hdmabuf_descriptor, pages),
			limits->max_octets);
	return HDMABUF_STATUS_OK;
}

/* Which field of the descriptor is to blame for a feature that is missing. */
static uint64_t feature_offset(uint64_t missing)
{
	if (missing & (HDMABUF_FEATURE_TABLE | HDMABUF_FEATURE_EXTENTS))
		return offsetof(struct hdmabuf_descriptor, directory_format);
	if (missing & HDMABUF_FEATURE_LEND)
		return offsetof(struct hdmabuf_descriptor, rights);
	if (missing & HDMABUF_FEATURE_WRITE_COMBINED)
		return offsetof(struct hdmabuf_descriptor, attributes);
	return offsetof(struct hdmabuf_descriptor, type);
}

static uint16_t import_features(const struct hdmabuf_session *session,
				const struct description *description,
				struct hdmabuf_fault *fault)
{
	uint64_t missing =
		hdmabuf_info_features(&description->info,
				      description->layout.directory_format) &
		~session->features;

	if (missing)
		return hdmabuf_fault_set(fault, HDMABUF_STATUS_NOT_NEGOTIATED,
					 HDMABUF_WHERE_DESCRIPTOR,
					 feature_offset(missing), missing);
	return HDMABUF_STATUS_OK;
}

static void note_wrong(struct hdmabuf_fault *fault, size_t offset,
		       uint64_t value)
{
	fault_note(fault, HDMABUF_STATUS_INVALID, HDMABUF_WHERE_DESCRIPTOR,
		   offset, value);
}

/*
 * What comes first of what is wrong with the values of a descriptor.  That its
 * directory is nowhere comes behind the limits: see *wrong*.
 */
static void description_judge(const struct description *description,
			      uint64_t generation, struct hdmabuf_fault *fault)
{
	if (description->wrong.status == HDMABUF_STATUS_BAD_REFERENCE)
		fault_none(fault);
	else
		*fault = description->wrong;
	if (description->generation != generation)
		note_wrong(fault,
			   offsetof(struct hdmabuf_descriptor, generation),
			   description->generation);
}

/* The private data points into @copy. */
static void description_decode(const struct hdmabuf_session *session,
			       const struct hdmabuf_request *request,
			       const void *copy,
			       struct description *description)
{
	hdmabuf_descriptor_decode(copy, request->descriptor.length,
				  &request->buffer,
				  session->port->ops->page_shift,
				  &description->info, &description->layout,
				  &description->generation,
				  &description->wrong);
}

struct directory_walk {
	struct hdmabuf_session *session;
	struct hdmabuf_directory_reader reader;
	struct hdmabuf_run wanted[WANTED_MAX];
	void *scratch;
};

static uint16_t directory_take_pages(struct directory_walk *walk, size_t count,
				     uint64_t pages,
				     struct hdmabuf_fault *fault)
{
	struct port *port = walk->session->port;
	uint32_t shift = port->ops->page_shift;
	uint16_t status = HDMABUF_STATUS_OK;
	void *memory;
	uint64_t bad = 0;
	uint64_t i;

	if (port->ops->map(port->link, walk->wanted, count,
			   HDMABUF_RIGHTS_READ_ONLY, &memory, &bad))
		return hdmabuf_directory_missing(
			&walk->reader, bad,
			runs_reference(walk->wanted, count, bad), fault);
	for (i = 0; i < pages && !status; i++)
		status = hdmabuf_directory_feed(
			&walk->reader, (uint8_t *)memory + (i << shift),
			walk->scratch, fault);
	port->ops->unmap(port->link, memory, pages);
	return status;
}

static uint16_t directory_walk(struct directory_walk *walk,
			       struct hdmabuf_fault *fault)
{
	uint64_t pages;
	size_t count;

	while ((count = hdmabuf_directory_wanted(&walk->reader, walk->wanted,
						 WANTED_MAX, &pages))) {
		uint16_t status =
			directory_take_pages(walk, count, pages, fault);

		if (status)
			return status;
	}
	return HDMABUF_STATUS_OK;
}

/* What a directory of many runs took is given back if they were few. */
static void runs_keep(struct hdmabuf_buffer *buffer, struct hdmabuf_run *runs,
		      uint64_t count)
{
	struct hdmabuf_run *fewer =
		realloc(runs, (size_t)count * sizeof(*runs));

	buffer->runs = fewer ? fewer : runs;
	buffer->run_count = (size_t)count;
}

static uint16_t runs_check(const struct hdmabuf_buffer *buffer,
			   struct hdmabuf_fault *fault)
{
	struct hdmabuf_run *scratch =
		calloc(buffer->run_count, sizeof(*scratch));
	uint16_t status;

	if (!scratch)
		return no_memory(fault);
	status = hdmabuf_runs_unique(buffer->runs, buffer->run_count, scratch,
				     fault);
	free(scratch);
	return status;
}

static uint16_t directory_read(struct hdmabuf_session *session,
			       struct hdmabuf_buffer *buffer,
			       struct hdmabuf_fault *fault)
{
	const struct hdmabuf_platform_ops *ops = session->port->ops;
	uint64_t entries = buffer->layout.entries;
	struct directory_walk walk = { .session = session };
	struct hdmabuf_run *runs;
	uint16_t status;

	if (entries > SIZE_MAX / sizeof(*runs))
		return no_memory(fault);
	runs = calloc((size_t)entries, sizeof(*runs));
	walk.scratch = malloc((size_t)1 << ops->page_shift);
	if (!runs || !walk.scratch) {
		free(runs);
		free(walk.scratch);
		return no_memory(fault);
	}
	hdmabuf_directory_begin(&walk.reader, &buffer->layout,
				ops->reference_max, runs, entries);
	status = directory_walk(&walk, fault);
	free(walk.scratch);
	if (status) {
		free(runs);
		return status;
	}
	runs_keep(buffer, runs, walk.reader.run_count);
	return runs_check(buffer, fault);
}

static uint16_t import_accept(struct hdmabuf_session *session,
			      struct hdmabuf_buffer *buffer,
			      const struct description *description,
			      struct hdmabuf_fault *fault)
{
	uint16_t status = import_features(session, description, fault);

	if (status)
		return status;
	description_judge(description, 1, fault);
	status = fault->status;
	if (!status)
		status = import_limits(session, &description->layout, fault);
	if (!status && description->wrong.status) {
		*fault = description->wrong;
		status = fault->status;
	}
	if (!status && info_copy(&buffer->info, &description->info))
		status = no_memory(fault);
	buffer->layout = description->layout;
	buffer->generation = description->generation;
	return status;
}

static uint16_t import_build(struct hdmabuf_session *session,
			     struct hdmabuf_buffer *buffer,
			     const struct hdmabuf_request *request,
			     struct hdmabuf_fault *fault)
{
	struct description description;
	uint16_t status;
	void *copy;

	status = descriptor_fetch(session, request, &copy, fault);
	if (status)
		return status;
	description_decode(session, request, copy, &description);
	status = import_accept(session, buffer, &description, fault);
	free(copy);
	if (!status)
		status = directory_read(session, buffer, fault);
	return status;
}

static void import_count(struct hdmabuf_buffer *buffer, bool add)
{
	struct hdmabuf_session *session = buffer->session;
	uint64_t octets = buffer_octets(buffer);

	if (add) {
		session->imports++;
		session->import_octets += octets;
	} else {
		session->imports--;
		session->import_octets -= octets;
	}
}

static void import_unmap(struct hdmabuf_buffer *buffer)
{
	if (!buffer->mapping)
		return;
	buffer->port->ops->unmap(buffer->port->link, buffer->mapping,
				 buffer->layout.pages);
	buffer->mapping = NULL;
	buffer_event(buffer, HDMABUF_BUFFER_UNMAP);
}

/* HDB-IMP-014: if that is why, a page that cannot be mapped has the first word. */
static uint16_t import_refuse(const struct hdmabuf_buffer *buffer,
			      uint16_t status, struct hdmabuf_fault *fault)
{
	if (!buffer->has_bad_page)
		return hdmabuf_fault_set(fault, status, HDMABUF_WHERE_NOWHERE,
					 0, 0);
	return hdmabuf_fault_set(fault, HDMABUF_STATUS_BAD_REFERENCE,
				 HDMABUF_WHERE_PAGE, buffer->bad_page,
				 runs_reference(buffer->runs, buffer->run_count,
						buffer->bad_page));
}

/*
 * The application has the last word on a buffer that is in order.  If it has
 * released it already, RELEASED is behind the answer, which must be OK then.
 */
static uint16_t import_offer(struct hdmabuf_buffer *buffer,
			     struct hdmabuf_fault *fault)
{
	struct hdmabuf_endpoint *endpoint = buffer->endpoint;
	uint16_t status = HDMABUF_STATUS_OK;

	buffer_event(buffer, HDMABUF_BUFFER_EXPORT);
	import_count(buffer, true);
	if (endpoint->callbacks.imported)
		status = endpoint->callbacks.imported(endpoint->user, buffer);
	if (!status || !buffer->session || buffer->forgotten)
		return HDMABUF_STATUS_OK;
	status = import_refuse(buffer, status, fault);
	import_unmap(buffer);
	import_count(buffer, false);
	buffer_bury(buffer);
	return status;
}

static uint16_t import_insert(struct hdmabuf_session *session,
			      struct hdmabuf_buffer *buffer,
			      struct hdmabuf_fault *fault)
{
	if (buffer_insert(session, buffer))
		return no_memory(fault);
	session->statistics.octets_shared += buffer->info.size;
	return HDMABUF_STATUS_OK;
}

static struct hdmabuf_buffer *import_new(struct hdmabuf_session *session,
					 const struct hdmabuf_request *request)
{
	struct hdmabuf_buffer *buffer = calloc(1, sizeof(*buffer));

	if (!buffer)
		return NULL;
	buffer->endpoint = session->endpoint;
	buffer->session = session;
	buffer->port = session->port;
	buffer->id = request->buffer;
	return buffer;
}

static uint16_t import_check(const struct hdmabuf_session *session,
			     struct hdmabuf_fault *fault)
{
	const struct hdmabuf_limits *limits = &session->endpoint->config.limits;

	if (session->imports >= limits->max_buffers)
		return hdmabuf_fault_set(fault, HDMABUF_STATUS_LIMIT,
					 HDMABUF_WHERE_NOWHERE, 0,
					 limits->max_buffers);
	return HDMABUF_STATUS_OK;
}

/* EXPORT was received; see HDB-IMP-001 to HDB-IMP-016. */
uint16_t import_take(struct hdmabuf_session *session,
		     const struct hdmabuf_request *request,
		     struct hdmabuf_fault *fault)
{
	struct hdmabuf_buffer *buffer;
	uint16_t status = import_check(session, fault);

	if (status)
		return status;
	buffer = import_new(session, request);
	if (!buffer)
		return no_memory(fault);
	status = import_build(session, buffer, request, fault);
	if (!status)
		status = import_insert(session, buffer, fault);
	if (status) {
		info_free(&buffer->info);
		free(buffer->runs);
		free(buffer);
		return status;
	}
	return import_offer(buffer, fault);
}

#define FIELD(member) offsetof(struct hdmabuf_descriptor, member)

/* HDB-IMP-018 */
static void update_judge(const struct hdmabuf_buffer *buffer,
			 const struct description *description,
			 struct hdmabuf_fault *fault)
{
	const struct hdmabuf_info *old = &buffer->info;
	const struct hdmabuf_info *info = &description->info;
	const struct hdmabuf_layout *was = &buffer->layout;
	const struct hdmabuf_layout *is = &description->layout;

	if (info->size != old->size)
		note_wrong(fault, FIELD(size), info->size);
	if (is->pages != was->pages)
		note_wrong(fault, FIELD(pages), is->pages);
	if (is->entries != was->entries)
		note_wrong(fault, FIELD(entries), is->entries);
	if (is->directory != was->directory)
		note_wrong(fault, FIELD(directory), is->directory);
	if (is->directory_pages != was->directory_pages)
		note_wrong(fault, FIELD(directory_pages), is->directory_pages);
	if (is->directory_format != was->directory_format)
		note_wrong(fault, FIELD(directory_format),
			   is->directory_format);
	if (info->data_offset != old->data_offset)
		note_wrong(fault, FIELD(data_offset), info->data_offset);
	if (info->rights != old->rights)
		note_wrong(fault, FIELD(rights), info->rights);
	if (info->attributes != old->attributes)
		note_wrong(fault, FIELD(attributes), info->attributes);
}

#undef FIELD

static uint16_t update_offer(struct hdmabuf_buffer *buffer,
			     const struct hdmabuf_info *info)
{
	const struct hdmabuf_endpoint *endpoint = buffer->endpoint;

	if (!endpoint->callbacks.updated)
		return HDMABUF_STATUS_OK;
	return endpoint->callbacks.updated(endpoint->user, buffer, info);
}

/* The application may have released the buffer in *updated*. */
static bool update_is_wanted(const struct hdmabuf_buffer *buffer)
{
	return buffer->session && !buffer->forgotten &&
	       buffer_may(buffer, HDMABUF_BUFFER_UPDATE);
}

static uint16_t update_take(struct hdmabuf_buffer *buffer,
			    const struct description *description,
			    struct hdmabuf_fault *fault)
{
	struct hdmabuf_info kept;
	uint16_t status;

	status = import_features(buffer->session, description, fault);
	if (status)
		return status;
	description_judge(description, buffer->generation + 1, fault);
	update_judge(buffer, description, fault);
	if (fault->status)
		return fault->status;
	if (info_copy(&kept, &description->info))
		return no_memory(fault);
	status = update_offer(buffer, &kept);
	if (!update_is_wanted(buffer)) {
		info_free(&kept);
		return HDMABUF_STATUS_OK;
	}
	if (status) {
		info_free(&kept);
		return hdmabuf_fault_set(fault, status, HDMABUF_WHERE_NOWHERE,
					 0, 0);
	}
	buffer_event(buffer, HDMABUF_BUFFER_UPDATE);
	info_free(&buffer->info);
	buffer->info = kept;
	buffer->generation = description->generation;
	return HDMABUF_STATUS_OK;
}

uint16_t import_update(struct hdmabuf_buffer *buffer,
		       const struct hdmabuf_request *request,
		       struct hdmabuf_fault *fault)
{
	struct description description;
	uint16_t status;
	void *copy;

	status = descriptor_fetch(buffer->session, request, &copy, fault);
	if (status)
		return status;
	description_decode(buffer->session, request, copy, &description);
	status = update_take(buffer, &description, fault);
	free(copy);
	return status;
}

/*
 * The protocol knows the buffer no longer, and the peer does not count it any
 * more; the application's handle lasts until it lets go.
 */
static void import_forget(struct hdmabuf_buffer *buffer)
{
	if (buffer->forgotten)
		return;
	buffer->forgotten = true;
	import_count(buffer, false);
	hdmabuf_table_remove(&buffer->session->table, &buffer->id);
	pump_forget(buffer->session, buffer, NULL);
}

/*
 * HDB-IMP-019: true if the buffer is still mapped, so that RELEASED will follow.
 * What the application lets go of at once, the answer says.
 */
bool import_retire(struct hdmabuf_buffer *buffer, uint32_t grace_ms)
{
	struct hdmabuf_endpoint *endpoint = buffer->endpoint;

	buffer_event(buffer, HDMABUF_BUFFER_UNEXPORT);
	buffer->retiring = true;
	if (endpoint->callbacks.retire)
		endpoint->callbacks.retire(endpoint->user, buffer, grace_ms);
	else
		hdmabuf_buffer_release(buffer);
	buffer->retiring = false;
	if (buffer->session && !buffer->mapping)
		import_forget(buffer);
	return buffer->mapping;
}

static void group_drop(struct hdmabuf_session *session,
		       const struct hdmabuf_buffer *buffer)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < session->group_count; i++)
		if (session->group[i].buffer != buffer)
			session->group[kept++] = session->group[i];
	session->group_count = kept;
}

static void import_free(struct hdmabuf_buffer *buffer)
{
	group_drop(buffer->session, buffer);
	import_forget(buffer);
	buffer_bury(buffer);
}

/* Later, if the ring is full. */
void import_send_released(struct hdmabuf_buffer *buffer)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_RELEASED,
		.buffer = buffer->id,
	};

	buffer->release_due =
		request_send(buffer->session, &request, NULL, NULL);
	buffer->session->due |= buffer->release_due;
	if (!buffer->release_due && buffer->let_go)
		import_free(buffer);
}

/* Nothing is mapped: the peer hears of it, if it has not, and still wants to. */
static void import_release(struct hdmabuf_buffer *buffer)
{
	if (buffer->forgotten || buffer->retiring ||
	    !session_is_open(buffer->session)) {
		if (buffer->let_go)
			import_free(buffer);
		return;
	}
	import_forget(buffer);
	import_send_released(buffer);
}

void hdmabuf_buffer_release(struct hdmabuf_buffer *buffer)
{
	if (buffer->exported_here || !buffer->session || buffer->let_go)
		return;
	buffer->let_go = true;
	import_unmap(buffer);
	if (buffer->state == HDMABUF_BUFFER_IMPORTED)
		buffer_event(buffer, HDMABUF_BUFFER_RELEASED);
	if (!buffer->release_due)
		import_release(buffer);
}

static int import_map(struct hdmabuf_buffer *buffer)
{
	const struct hdmabuf_platform_ops *ops = buffer->port->ops;
	uint64_t bad = 0;
	int error = ops->map(buffer->port->link, buffer->runs,
			     buffer->run_count, buffer->info.rights,
			     &buffer->mapping, &bad);

	if (!error) {
		buffer_event(buffer, HDMABUF_BUFFER_MAP);
		return 0;
	}
	buffer->mapping = NULL;
	buffer->has_bad_page = error == -EINVAL || error == -EACCES;
	buffer->bad_page = bad;
	return error;
}

int hdmabuf_buffer_map(struct hdmabuf_buffer *buffer, void **data)
{
	int error = 0;

	if (buffer->exported_here)
		return -EINVAL;
	if (!buffer->session || !session_is_open(buffer->session))
		return -ENOTCONN;
	if (!buffer->mapping)
		error = buffer_may(buffer, HDMABUF_BUFFER_MAP) ?
				import_map(buffer) :
				-EINVAL;
	if (!error)
		*data = hdmabuf_buffer_data(buffer);
	return error;
}

/* A buffer that the peer wants back is released by this, but for the handle. */
void hdmabuf_buffer_unmap(struct hdmabuf_buffer *buffer)
{
	if (buffer->exported_here || !buffer->mapping)
		return;
	import_unmap(buffer);
	if (buffer->state == HDMABUF_BUFFER_NONE)
		import_release(buffer);
}

/* HDB-BOTH-023, HDB-BOTH-025: before CLOSE is said or answered. */
void imports_unmap(struct hdmabuf_session *session)
{
	struct hdmabuf_buffer *buffer;

	LIST_FOREACH(buffer, &session->buffers, entry)
		if (!buffer->exported_here)
			import_unmap(buffer);
}

/* The session is over: nothing stays mapped, and no handle is left. */
void imports_release(struct hdmabuf_session *session)
{
	struct hdmabuf_buffer *buffer = LIST_FIRST(&session->buffers);

	while (buffer) {
		struct hdmabuf_buffer *next = LIST_NEXT(buffer, entry);

		if (!buffer->exported_here) {
			import_unmap(buffer);
			import_free(buffer);
		}
		buffer = next;
	}
}
