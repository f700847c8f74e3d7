/* SPDX-License-Identifier: MIT */
#include "conformance/end/buffer.h"
#include "conformance/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t page_shift(const struct end *end)
{
	return end->platform.ops->page_shift;
}

static size_t page_octets(const struct end *end)
{
	return (size_t)1 << page_shift(end);
}

/* ---- the plan ----------------------------------------------------------- */

/* A picture that is about as wide as it is high. */
static uint32_t usual_width(const struct end *end, uint64_t size)
{
	uint32_t width = 1;

	if (size < 4)
		skip(end->test, "the IUT takes pictures only");
	while (4ull * width * width < size && width < 1u << 14)
		width *= 2;
	return 4ull * width > size ? width / 2 : width;
}

/* Raw data, unless the IUT takes pictures only. */
static void complete_type(const struct end *end, struct plan *plan)
{
	if (plan->type)
		return;
	if (!plan->width && !test_claims(end->test, OPTION_RAW))
		plan->width = usual_width(end, plan->size);
	plan->type = plan->width ? HDMABUF_TYPE_PICTURE : HDMABUF_TYPE_RAW;
}

static struct plan complete(const struct end *end, const struct plan *plan)
{
	struct plan full = plan ? *plan : (struct plan){ 0 };

	if (!full.size)
		full.size = page_octets(end) - full.offset;
	if (!full.rights)
		full.rights = HDMABUF_RIGHTS_READ_ONLY;
	complete_type(end, &full);
	if (!full.attributes)
		full.attributes = HDMABUF_ATTRIBUTE_CACHED;
	if (!full.granted)
		full.granted = full.rights == HDMABUF_RIGHTS_LEND ?
				       HDMABUF_RIGHTS_READ_WRITE :
				       full.rights;
	return full;
}

/* ---- memory ------------------------------------------------------------- */

/* Adds what the platform made of some pages; @references are those of the first. */
static void share(struct buffer *buffer, struct runs *runs,
		  const struct hdmabuf_memory *memory, uint64_t first,
		  uint64_t pages, uint32_t rights, uint64_t *references)
{
	struct hdmabuf_run *run = runs->run + runs->count;
	size_t count =
		end_share_runs(buffer->end, memory, first, pages, rights, run);

	runs->count += count;
	for (; count--; run++)
		for (uint64_t i = 0; i < run->count; i++)
			*references++ = run->reference + i;
}

/* One page at a time, from the last to the first: no two are neighbours. */
static void share_scattered(struct buffer *buffer, uint64_t first,
			    uint32_t rights)
{
	for (uint64_t i = buffer->page_count; i > 0; i--)
		share(buffer, &buffer->data, buffer->memory, first + i - 1, 1,
		      rights, &buffer->references[i - 1]);
}

static uint8_t *page_of(const struct end *end,
			const struct hdmabuf_memory *memory, uint64_t number)
{
	return (uint8_t *)memory->address + (number << page_shift(end));
}

static void make_data(struct buffer *buffer, const struct plan *plan)
{
	struct end *end = buffer->end;
	size_t count = (size_t)buffer->page_count;

	buffer->memory = plan->memory ? plan->memory :
					end_allocate(end, buffer->page_count,
						     plan->granted);
	buffer->pages = page_of(end, buffer->memory, plan->first);
	buffer->references = end_array(end, count, sizeof(uint64_t));
	buffer->data.run = end_array(end, count, sizeof(struct hdmabuf_run));
	if (plan->scattered)
		share_scattered(buffer, plan->first, plan->granted);
	else
		share(buffer, &buffer->data, buffer->memory, plan->first,
		      buffer->page_count, plan->granted, buffer->references);
}

static uint64_t count_extents(const struct buffer *buffer)
{
	uint64_t count = 1;

	for (uint64_t i = 1; i < buffer->page_count; i++)
		if (buffer->references[i] != buffer->references[i - 1] + 1)
			count++;
	return count;
}

static void make_description(struct buffer *buffer, const struct plan *plan)
{
	struct end *end = buffer->end;
	uint64_t entries = plan->format == HDMABUF_DIRECTORY_EXTENTS ?
				   count_extents(buffer) :
				   buffer->page_count;
	uint64_t pages = 1 + wire_directory_pages(plan->format, entries,
						  page_shift(end));
	uint64_t first = plan->memory ? plan->first + buffer->page_count : 0;
	const struct hdmabuf_memory *memory =
		plan->memory ?
			plan->memory :
			end_allocate(end, pages, HDMABUF_RIGHTS_READ_ONLY);
	uint64_t *references = end_array(end, (size_t)pages, sizeof(uint64_t));

	buffer->description.run =
		end_array(end, (size_t)pages, sizeof(struct hdmabuf_run));
	share(buffer, &buffer->description, memory, first, pages,
	      HDMABUF_RIGHTS_READ_ONLY, references);
	buffer->directory_pages = (uint32_t)pages - 1;
	buffer->descriptor = page_of(end, memory, first);
	buffer->descriptor_reference = references[0];
	buffer->directory = buffer->descriptor + page_octets(end);
	buffer->directory_references = references + 1;
	wire_put(buffer->descriptor, DESCRIPTOR_ENTRIES, entries);
}

bool buffer_revoke(struct buffer *buffer, uint64_t deadline)
{
	return end_revoke(buffer->end, buffer->data.run, buffer->data.count,
			  deadline);
}

/* ---- the directory ------------------------------------------------------ */

static uint8_t *directory_page(const struct buffer *buffer, uint64_t number)
{
	return buffer->directory + (size_t)(number << page_shift(buffer->end));
}

static uint64_t link_to(const struct buffer *buffer, uint64_t number)
{
	return number < buffer->directory_pages ?
		       buffer->directory_references[number] :
		       0;
}

static void write_list(struct buffer *buffer)
{
	uint64_t room = page_octets(buffer->end) / 4 - 1;

	for (uint64_t i = 0; i < buffer->page_count; i++) {
		uint8_t *page = directory_page(buffer, i / room);

		if (i % room == 0)
			wire_put(page, WIRE_PLACE(0, 4),
				 link_to(buffer, i / room + 1));
		wire_put(page, WIRE_PLACE(4 + 4 * (i % room), 4),
			 buffer->references[i]);
	}
}

/* Level by level, the pages of data first; the page at the top is page 0. */
static void write_table(struct buffer *buffer)
{
	uint64_t room = page_octets(buffer->end) / 4;
	const uint64_t *references = buffer->references;
	uint64_t count = buffer->page_count;
	uint64_t first = buffer->directory_pages;

	do {
		uint64_t pages = count / room + !!(count % room);

		first -= pages;
		for (uint64_t i = 0; i < count; i++)
			wire_put(directory_page(buffer, first + i / room),
				 WIRE_PLACE(4 * (i % room), 4), references[i]);
		references = buffer->directory_references + first;
		count = pages;
	} while (count > 1);
}

static void write_extents(struct buffer *buffer)
{
	uint64_t room = page_octets(buffer->end) / 16 - 1;
	uint64_t entry = 0;

	for (uint64_t i = 0; i < buffer->page_count; entry++) {
		uint8_t *page = directory_page(buffer, entry / room);
		unsigned int at = 16 + 16 * (unsigned int)(entry % room);
		uint64_t count = 1;

		while (i + count < buffer->page_count &&
		       buffer->references[i + count] ==
			       buffer->references[i] + count)
			count++;
		wire_put(page, WIRE_PLACE(0, 8),
			 link_to(buffer, entry / room + 1));
		wire_put(page, WIRE_PLACE(8, 4), entry % room + 1);
		wire_put(page, WIRE_PLACE(at, 8), buffer->references[i]);
		wire_put(page, WIRE_PLACE(at + 8, 8), count);
		i += count;
	}
}

void buffer_list(struct buffer *buffer)
{
	memset(buffer->directory, 0,
	       (size_t)buffer->directory_pages << page_shift(buffer->end));
	switch (wire_get(buffer->descriptor, DESCRIPTOR_DIRECTORY_FORMAT)) {
	case HDMABUF_DIRECTORY_LIST:
		write_list(buffer);
		break;
	case HDMABUF_DIRECTORY_TABLE:
		write_table(buffer);
		break;
	default:
		write_extents(buffer);
		break;
	}
}

/* ---- the descriptor ----------------------------------------------------- */

static void describe_picture(uint8_t *descriptor, const struct plan *plan)
{
	wire_put(descriptor, PICTURE_WIDTH, plan->width);
	wire_put(descriptor, PICTURE_HEIGHT, plan->size / (4 * plan->width));
	wire_put(descriptor, PICTURE_FOURCC, 0x34325258); /* XR24 */
	wire_put(descriptor, PICTURE_PLANES, 1);
	wire_put(descriptor, PICTURE_PLANE_COUNT, 1);
	wire_put(descriptor, PICTURE_PLANE0_STRIDE, 4 * plan->width);
}

static void describe_cyclic(uint8_t *descriptor, const struct plan *plan)
{
	wire_put(descriptor, CYCLIC_FORMAT, 1);
	wire_put(descriptor, CYCLIC_CHANNELS, 1);
	wire_put(descriptor, CYCLIC_RATE, 48000);
	wire_put(descriptor, CYCLIC_FRAME_OCTETS, 4);
	wire_put(descriptor, CYCLIC_PERIOD_OCTETS, plan->size);
	wire_put(descriptor, CYCLIC_POSITION_TIMELINE, HDMABUF_NO_TIMELINE);
}

static void describe(struct buffer *buffer, const struct plan *plan)
{
	uint8_t *descriptor = buffer->descriptor;

	wire_put(descriptor, DESCRIPTOR_MAGIC, HDMABUF_DESCRIPTOR_MAGIC);
	wire_put(descriptor, DESCRIPTOR_LENGTH,
		 WIRE_DESCRIPTOR_OCTETS + plan->private_octets);
	memcpy(descriptor + wire_offset(DESCRIPTOR_ID), buffer->id, 16);
	wire_put(descriptor, DESCRIPTOR_GENERATION, 1);
	wire_put(descriptor, DESCRIPTOR_SIZE, plan->size);
	wire_put(descriptor, DESCRIPTOR_PAGES, buffer->page_count);
	wire_put(descriptor, DESCRIPTOR_DIRECTORY,
		 buffer->directory_references[0]);
	wire_put(descriptor, DESCRIPTOR_DIRECTORY_PAGES,
		 buffer->directory_pages);
	wire_put(descriptor, DESCRIPTOR_DIRECTORY_FORMAT, plan->format);
	wire_put(descriptor, DESCRIPTOR_DATA_OFFSET, plan->offset);
	wire_put(descriptor, DESCRIPTOR_PAGE_SHIFT, page_shift(buffer->end));
	wire_put(descriptor, DESCRIPTOR_RIGHTS, plan->rights);
	wire_put(descriptor, DESCRIPTOR_ATTRIBUTES, plan->attributes);
	wire_put(descriptor, DESCRIPTOR_TAG, plan->tag);
	wire_put(descriptor, DESCRIPTOR_TYPE, plan->type);
	wire_put(descriptor, DESCRIPTOR_PRIVATE, plan->private_octets);
	if (plan->type == HDMABUF_TYPE_PICTURE)
		describe_picture(descriptor, plan);
	else if (plan->type == HDMABUF_TYPE_CYCLIC)
		describe_cyclic(descriptor, plan);
	/* Letters, as an application may want text. */
	for (uint32_t i = 0; i < plan->private_octets; i++)
		descriptor[WIRE_DESCRIPTOR_OCTETS + i] =
			(uint8_t)('a' + test_random(buffer->end->test) % 26);
}

/* ---- buffers ------------------------------------------------------------ */

void buffer_make(struct end *end, struct buffer *buffer,
		 const struct plan *plan)
{
	struct plan full = complete(end, plan);

	memset(buffer, 0, sizeof(*buffer));
	buffer->end = end;
	buffer->size = full.size;
	buffer->offset = full.offset;
	buffer->page_count =
		wire_pages(full.offset, full.size, page_shift(end));
	test_random_octets(end->test, buffer->id, sizeof(buffer->id));
	make_data(buffer, &full);
	make_description(buffer, &full);
	describe(buffer, &full);
	buffer_list(buffer);
	buffer_fill(buffer, (uint32_t)test_random(end->test));
}

/* Enough to tell pages apart; a buffer of gigabytes stays untouched but for that. */
void buffer_fill(struct buffer *buffer, uint32_t seed)
{
	const uint64_t most = 1u << 26;
	uint8_t *data = buffer->pages + buffer->offset;
	uint64_t size = buffer->size < most ? buffer->size : most;

	for (uint64_t i = 0; i < size; i++)
		data[i] = (uint8_t)(seed + i + i / 256 * 7);
}

static uint32_t crc_step(uint32_t crc, uint8_t octet)
{
	crc ^= octet;
	for (unsigned int bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	return crc;
}

uint32_t octets_crc(const uint8_t *octets, uint64_t count)
{
	uint32_t table[256], crc = ~0u;

	for (unsigned int i = 0; i < 256; i++)
		table[i] = crc_step(0, (uint8_t)i);
	for (uint64_t i = 0; i < count; i++)
		crc = crc >> 8 ^ table[(crc ^ octets[i]) & 0xff];
	return ~crc;
}

uint32_t buffer_crc(const struct buffer *buffer)
{
	return octets_crc(buffer->pages + buffer->offset, buffer->size);
}

const char *buffer_name(const struct buffer *buffer, char text[33])
{
	for (size_t i = 0; i < 16; i++)
		sprintf(text + 2 * i, "%02x", buffer->id[i]);
	return text;
}

uint8_t pattern_octet(uint64_t i)
{
	return (uint8_t)(i + i / 256 * 7);
}

/* ---- requests ----------------------------------------------------------- */

static void note_descriptor(const struct buffer *buffer)
{
	char text[600];

	if (buffer->end->silent)
		return;
	note(buffer->end->test, SPEAKER_SUITE, "descriptor: %s",
	     wire_print_fields(wire_descriptor_format(), buffer->descriptor,
			       text, sizeof(text)));
}

uint16_t buffer_describe(struct buffer *buffer, message_t message,
			 uint8_t *answer)
{
	uint64_t length = wire_get(message, EXPORT_LENGTH);

	note_descriptor(buffer);
	test_trace(buffer->end, HDMABUF_TRACE_DESCRIPTOR, buffer->end->role,
		   buffer->descriptor,
		   length < WIRE_DESCRIPTOR_OCTETS ? WIRE_DESCRIPTOR_OCTETS :
		   length > 4096		   ? 4096 :
						     (size_t)length);
	return end_ask(buffer->end, message, answer);
}

void buffer_export_message(const struct buffer *buffer, message_t message)
{
	message_init(message, HDMABUF_OP_EXPORT);
	memcpy(message + wire_offset(EXPORT_ID), buffer->id, 16);
	wire_put(message, EXPORT_DESCRIPTOR, buffer->descriptor_reference);
	wire_put(message, EXPORT_LENGTH,
		 wire_get(buffer->descriptor, DESCRIPTOR_LENGTH));
}

uint16_t buffer_export(struct buffer *buffer, uint8_t *answer)
{
	message_t message;

	buffer_export_message(buffer, message);
	return buffer_describe(buffer, message, answer);
}

uint16_t buffer_update(struct buffer *buffer, uint8_t *answer)
{
	message_t message;

	buffer_export_message(buffer, message);
	wire_put(message, HEADER_OPERATION, HDMABUF_OP_UPDATE);
	return buffer_describe(buffer, message, answer);
}

static uint16_t ask_for(struct buffer *buffer, uint16_t operation,
			uint32_t grace_ms, uint8_t *answer)
{
	message_t message;

	message_init(message, operation);
	memcpy(message + wire_offset(BUFFER_ID), buffer->id, 16);
	wire_put(message, UNEXPORT_GRACE_MS, grace_ms);
	return end_ask(buffer->end, message, answer);
}

uint16_t buffer_unexport(struct buffer *buffer, uint32_t grace_ms,
			 uint8_t *answer)
{
	return ask_for(buffer, HDMABUF_OP_UNEXPORT, grace_ms, answer);
}

uint16_t buffer_query(struct buffer *buffer, uint8_t *answer)
{
	return ask_for(buffer, HDMABUF_OP_QUERY, 0, answer);
}

void buffer_hand_off_message(const struct buffer *buffer,
			     uint32_t signal_timeline, uint64_t signal_point,
			     message_t message)
{
	message_init(message, HDMABUF_OP_HAND_OFF);
	memcpy(message + wire_offset(HAND_OFF_ID), buffer->id, 16);
	wire_put(message, HAND_OFF_WAIT_TIMELINE, HDMABUF_NO_TIMELINE);
	wire_put(message, HAND_OFF_SIGNAL_TIMELINE, signal_timeline);
	wire_put(message, HAND_OFF_SIGNAL_POINT, signal_point);
}

uint16_t buffer_hand_off(struct buffer *buffer, uint32_t signal_timeline,
			 uint64_t signal_point, uint8_t *answer)
{
	message_t message;

	buffer_hand_off_message(buffer, signal_timeline, signal_point, message);
	return end_ask(buffer->end, message, answer);
}

void buffer_share(struct end *end, struct buffer *buffer,
		  const struct plan *plan)
{
	uint16_t status;

	buffer_make(end, buffer, plan);
	status = buffer_export(buffer, NULL);
	if (status != HDMABUF_STATUS_OK)
		inconclusive(
			end->test,
			"the IUT does not take a buffer that is in order: %s",
			wire_status_name(status));
}

bool check_where(struct test *test, const uint8_t *answer, uint32_t where,
		 uint64_t offset, const char *what)
{
	uint64_t seen_where = wire_get(answer, ERROR_WHERE);
	uint64_t seen_offset = wire_get(answer, ERROR_OFFSET);

	return check(test, HDB_BOTH_039,
		     seen_where == where && seen_offset == offset,
		     "%s: where %u, offset %" PRIu64 " expected; where %" PRIu64
		     ", offset %" PRIu64 " seen",
		     what, where, offset, seen_where, seen_offset);
}
