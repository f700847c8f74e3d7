/* SPDX-License-Identifier: MIT */
/*
 * their_buffer.c - buffers that the IUT exports
 *
 * The suite imports them as an importer should that trusts nobody, and what is wrong
 * with descriptor or directory is the IUT's fault.
 */
#include "conformance/end/channel.h"
#include "conformance/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_PAGES_MAX (1u << 20)

static size_t page_octets(const struct end *end)
{
	return (size_t)1 << end->platform.ops->page_shift;
}

/* ---- directories -------------------------------------------------------- */

/**
 * struct reading - a directory on its way into an array
 * @end: whose
 * @references: found so far
 * @count: of @references
 * @wanted: how many there must be in the end
 * @pages: of the directory that were read
 * @page: copy of the last one
 */
struct reading {
	struct end *end;
	uint64_t *references;
	uint64_t count;
	uint64_t wanted;
	uint64_t pages;
	uint8_t *page;
};

static bool copy_page(struct reading *reading, uint64_t reference)
{
	struct end *end = reading->end;
	void *page;

	page = end_map(end, &reference, 1, HDMABUF_RIGHTS_READ_ONLY);
	if (!page) {
		test_found(
			end->test, HDB_EXP_003,
			"page %" PRIu64
			" of the directory cannot be mapped: it has to be shared until EXPORT is answered",
			reading->pages);
		return false;
	}
	memcpy(reading->page, page, page_octets(end));
	end_unmap(end, page, 1);
	reading->pages++;
	return true;
}

static bool add(struct reading *reading, uint64_t reference)
{
	if (!reference) {
		test_found(reading->end->test, HDB_EXP_005,
			   "entry %" PRIu64 " of the directory is zero",
			   reading->count);
		return false;
	}
	reading->references[reading->count++] = reference;
	return true;
}

/* What follows the last entry of a page. */
static bool ends_in_zeros(struct reading *reading, size_t used)
{
	if (wire_is_zero(reading->page + used,
			 page_octets(reading->end) - used))
		return true;
	test_found(reading->end->test, HDB_EXP_005,
		   "what follows the last entry in page %" PRIu64
		   " of the directory is not zero",
		   reading->pages - 1);
	return false;
}

static bool check_link(struct reading *reading, uint64_t next)
{
	bool more = reading->count < reading->wanted;

	if (more == !!next)
		return true;
	test_found(reading->end->test, HDB_EXP_005,
		   "page %" PRIu64 " of the directory has the link %" PRIu64
		   ", and entries are %s",
		   reading->pages - 1, next, more ? "missing" : "complete");
	return false;
}

static bool read_list(struct reading *reading, uint64_t reference)
{
	const uint64_t room = page_octets(reading->end) / 4 - 1;

	do {
		uint64_t here = reading->wanted - reading->count;

		if (!copy_page(reading, reference))
			return false;
		here = here < room ? here : room;
		for (uint64_t i = 0; i < here; i++)
			if (!add(reading, wire_get(reading->page,
						   WIRE_PLACE(4 + 4 * i, 4))))
				return false;
		reference = wire_get(reading->page, WIRE_PLACE(0, 4));
		if (!ends_in_zeros(reading, (size_t)(4 + 4 * here)) ||
		    !check_link(reading, reference))
			return false;
	} while (reference);
	return true;
}

static bool read_table(struct reading *reading, uint64_t reference,
		       uint64_t entries)
{
	const uint64_t room = page_octets(reading->end) / 4;
	uint64_t below = 1;
	uint8_t *copy;
	bool right = true;

	while (below * room < entries)
		below *= room;
	if (!copy_page(reading, reference))
		return false;
	copy = malloc(page_octets(reading->end));
	if (!copy)
		error(reading->end->test, "no memory");
	memcpy(copy, reading->page, page_octets(reading->end));
	for (uint64_t at = 0, i = 0; right && at < entries; at += below, i++) {
		uint64_t entry = wire_get(copy, WIRE_PLACE(4 * i, 4));
		uint64_t rest = entries - at;

		if (below == 1)
			right = add(reading, entry);
		else
			right = entry &&
				read_table(reading, entry,
					   rest < below ? rest : below);
	}
	memcpy(reading->page, copy, page_octets(reading->end));
	free(copy);
	return right &&
	       ends_in_zeros(reading,
			     (size_t)(4 * ((entries - 1) / below + 1)));
}

static bool read_extent(struct reading *reading, const uint8_t *at)
{
	uint64_t reference = wire_get(at, WIRE_PLACE(0, 8));
	uint64_t count = wire_get(at, WIRE_PLACE(8, 8));

	if (!count || count > reading->wanted - reading->count) {
		test_found(reading->end->test, HDB_EXP_005,
			   "an extent has the count %" PRIu64 " where %" PRIu64
			   " pages are missing",
			   count, reading->wanted - reading->count);
		return false;
	}
	for (uint64_t i = 0; i < count; i++)
		if (!add(reading, reference + i))
			return false;
	return true;
}

static bool read_extents(struct reading *reading, uint64_t reference,
			 uint64_t entries)
{
	const uint64_t room = page_octets(reading->end) / 16 - 1;

	do {
		uint64_t here = entries < room ? entries : room;
		uint64_t count;

		if (!copy_page(reading, reference))
			return false;
		count = wire_get(reading->page, WIRE_PLACE(8, 4));
		if (count != here) {
			test_found(reading->end->test, HDB_EXP_005,
				   "a page of extents has %" PRIu64
				   " of them, not %" PRIu64,
				   count, here);
			return false;
		}
		for (uint64_t i = 0; i < here; i++)
			if (!read_extent(reading, reading->page + 16 + 16 * i))
				return false;
		entries -= here;
		reference = wire_get(reading->page, WIRE_PLACE(0, 8));
		if (!ends_in_zeros(reading, (size_t)(16 + 16 * here)) ||
		    !check_link(reading, reference))
			return false;
	} while (reference);
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void check_unique(struct end *end, const struct their_buffer *buffer)
{
	size_t octets = (size_t)buffer->pages * sizeof(uint64_t);
	uint64_t *sorted = malloc(octets);

	if (!sorted)
		error(end->test, "no memory");
	memcpy(sorted, buffer->references, octets);
	qsort(sorted, (size_t)buffer->pages, sizeof(*sorted), compare);
	for (uint64_t i = 1; i < buffer->pages; i++)
		if (sorted[i] == sorted[i - 1]) {
			test_found(end->test, HDB_EXP_006,
				   "the directory names reference %" PRIu64
				   " twice",
				   sorted[i]);
			break;
		}
	free(sorted);
}

static bool read_directory(struct end *end, struct their_buffer *buffer)
{
	const uint8_t *descriptor = buffer->descriptor;
	uint64_t entries = wire_get(descriptor, DESCRIPTOR_ENTRIES);
	uint64_t directory = wire_get(descriptor, DESCRIPTOR_DIRECTORY);
	struct reading reading = { end, buffer->references,
				   0,	buffer->pages,
				   0,	malloc(page_octets(end)) };
	bool right = false;

	if (!reading.page)
		error(end->test, "no memory");
	switch (wire_get(descriptor, DESCRIPTOR_DIRECTORY_FORMAT)) {
	case HDMABUF_DIRECTORY_LIST:
		right = read_list(&reading, directory);
		break;
	case HDMABUF_DIRECTORY_TABLE:
		right = read_table(&reading, directory, entries);
		break;
	case HDMABUF_DIRECTORY_EXTENTS:
		right = read_extents(&reading, directory, entries);
		break;
	}
	free(reading.page);
	if (right)
		check_unique(end, buffer);
	return right;
}

/* ---- descriptors -------------------------------------------------------- */

static bool copy_descriptor(struct end *end, const message_t request,
			    uint8_t descriptor[4096])
{
	uint64_t reference = wire_get(request, EXPORT_DESCRIPTOR);
	uint64_t length = wire_get(request, EXPORT_LENGTH);
	void *page;

	memset(descriptor, 0, 4096);
	page = end_map(end, &reference, 1, HDMABUF_RIGHTS_READ_ONLY);
	if (!page) {
		test_found(
			end->test, HDB_EXP_003,
			"the descriptor cannot be mapped: it has to be shared until EXPORT is answered");
		return false;
	}
	memcpy(descriptor, page, 4096);
	end_unmap(end, page, 1);
	if (length > 4096)
		length = 4096;
	test_trace(end, HDMABUF_TRACE_DESCRIPTOR, end->test->setup->role,
		   descriptor, (size_t)length);
	return length >= WIRE_DESCRIPTOR_OCTETS;
}

static void note_descriptor(struct end *end, const uint8_t *descriptor)
{
	char text[600];

	note(end->test, SPEAKER_IUT, "descriptor: %s",
	     wire_print_fields(wire_descriptor_format(), descriptor, text,
			       sizeof(text)));
}

void end_prepare(struct end *end, struct received *request)
{
	uint16_t operation =
		(uint16_t)wire_get(request->octets, HEADER_OPERATION);

	if (operation != HDMABUF_OP_EXPORT && operation != HDMABUF_OP_UPDATE)
		return;
	if (!copy_descriptor(end, request->octets, end->descriptor))
		memset(end->descriptor, 0, sizeof(end->descriptor));
	else
		note_descriptor(end, end->descriptor);
}

/* ---- buffers ------------------------------------------------------------ */

struct their_buffer *end_find_buffer(struct end *end, const uint8_t id[16])
{
	for (size_t i = 0; i < end->buffer_count; i++)
		if (!end->buffers[i].gone &&
		    !memcmp(end->buffers[i].id, id, 16))
			return &end->buffers[i];
	return NULL;
}

static struct their_buffer *add_buffer(struct end *end)
{
	for (size_t i = 0; i < end->buffer_count; i++)
		if (end->buffers[i].gone)
			return &end->buffers[i];
	if (end->buffer_count == END_BUFFERS)
		return NULL;
	return &end->buffers[end->buffer_count++];
}

uint16_t end_import(struct end *end, const message_t request)
{
	const uint8_t *descriptor = end->descriptor;
	struct their_buffer *buffer;
	uint64_t pages =
		wire_pages(wire_get(descriptor, DESCRIPTOR_DATA_OFFSET),
			   wire_get(descriptor, DESCRIPTOR_SIZE),
			   end->platform.ops->page_shift);

	if (!pages || pages > BUFFER_PAGES_MAX)
		return HDMABUF_STATUS_INVALID;
	buffer = add_buffer(end);
	if (!buffer)
		return HDMABUF_STATUS_LIMIT;
	memset(buffer, 0, sizeof(*buffer));
	memcpy(buffer->id, request + wire_offset(EXPORT_ID), 16);
	memcpy(buffer->descriptor, descriptor, sizeof(buffer->descriptor));
	buffer->pages = pages;
	buffer->references = calloc((size_t)pages, sizeof(uint64_t));
	if (!buffer->references)
		error(end->test, "no memory");
	if (read_directory(end, buffer))
		return HDMABUF_STATUS_OK;
	end_forget_buffer(end, buffer);
	return HDMABUF_STATUS_INVALID;
}

void end_forget_buffer(struct end *end, struct their_buffer *buffer)
{
	end_unmap_buffer(end, buffer);
	free(buffer->references);
	buffer->references = NULL;
	buffer->gone = true;
}

void end_forget_buffers(struct end *end)
{
	for (size_t i = 0; i < end->buffer_count; i++)
		if (!end->buffers[i].gone)
			end_forget_buffer(end, &end->buffers[i]);
	end->buffer_count = 0;
}

uint8_t *end_map_buffer(struct end *end, struct their_buffer *buffer,
			uint32_t rights)
{
	if (!buffer->data)
		buffer->data =
			end_map(end, buffer->references, buffer->pages, rights);
	if (!buffer->data)
		return NULL;
	return buffer->data +
	       wire_get(buffer->descriptor, DESCRIPTOR_DATA_OFFSET);
}

void end_unmap_buffer(struct end *end, struct their_buffer *buffer)
{
	if (buffer->data)
		end_unmap(end, buffer->data, buffer->pages);
	buffer->data = NULL;
}

struct their_buffer *end_await_buffer(struct end *end)
{
	struct received *request = end_await_request(end, HDMABUF_OP_EXPORT);
	struct their_buffer *buffer;

	if (!request)
		return NULL;
	buffer = end_find_buffer(end, request->octets + wire_offset(EXPORT_ID));
	return buffer;
}
