/* SPDX-License-Identifier: MIT */
#include "conformance/checker/trace_reader.h"
#include "conformance/model/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_BLOCK	 0x0a0d0d0au
#define INTERFACE_BLOCK	 1u
#define OLD_PACKET_BLOCK 2u
#define SIMPLE_BLOCK	 3u
#define PACKET_BLOCK	 6u

#define BYTE_ORDER_MAGIC    0x1a2b3c4du
#define BYTE_ORDER_REVERSED 0x4d3c2b1au

/* Type and length, and the length again. */
#define HEAD_OCTETS 8
#define TAIL_OCTETS 4

/* What stands in front of the data of a packet. */
#define PACKET_OCTETS 20

#define OPTION_END     0
#define OPTION_TSRESOL 9

/* What is behind the data of a packet, or in an interface: options are short. */
#define OPTIONS_MAX 65536
#define BODY_MAX \
	(PACKET_OCTETS + sizeof(struct hdmabuf_trace_head) + \
	 HDMABUF_TRACE_OCTETS_MAX + OPTIONS_MAX)

/* Files have few of them: those of other programs, merged into one. */
#define INTERFACES_MAX 256

#define NANOSECONDS 1000000000u

/* An interface: whether its packets are ours, and what its unit of time is. */
struct interface {
	bool is_ours;
	uint64_t units; /* a second */
};

struct trace_reader {
	FILE *file;
	char *error;
	uint64_t at;   /* of the block that is read */
	uint64_t next; /* of what is read next */
	uint64_t packets;
	bool has_section;
	bool is_big_endian;
	size_t interface_count;
	struct interface interfaces[INTERFACES_MAX];
	uint8_t body[BODY_MAX];
};

/* A block, without its head and tail. */
struct block {
	uint32_t type;
	uint64_t octets;
};

struct trace_reader *trace_reader_new(FILE *file)
{
	struct trace_reader *reader = calloc(1, sizeof(*reader));

	if (reader)
		reader->file = file;
	return reader;
}

uint64_t trace_reader_packet(const struct trace_reader *reader)
{
	return reader->packets;
}

void trace_reader_free(struct trace_reader *reader)
{
	free(reader);
}

__attribute__((format(printf, 2, 3))) static bool
damaged(struct trace_reader *reader, const char *format, ...)
{
	va_list arguments;
	int used = snprintf(reader->error, TRACE_ERROR_TEXT,
			    "at octet %" PRIu64 ": ", reader->at);

	va_start(arguments, format);
	vsnprintf(reader->error + used, TRACE_ERROR_TEXT - (size_t)used, format,
		  arguments);
	va_end(arguments);
	return false;
}

/* ---- Octets ------------------------------------------------------------- */

static uint32_t number(const struct trace_reader *reader, const uint8_t *at,
		       unsigned int octets)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < octets; i++)
		value = value << 8 |
			at[reader->is_big_endian ? i : octets - 1 - i];
	return value;
}

static bool read_octets(struct trace_reader *reader, void *octets, size_t count)
{
	size_t got = fread(octets, 1, count, reader->file);

	reader->next += got;
	if (got == count)
		return true;
	if (ferror(reader->file))
		return damaged(reader, "cannot be read: %s", strerror(errno));
	return damaged(reader, "the file ends within the block");
}

static bool skip_octets(struct trace_reader *reader, uint64_t count)
{
	while (count) {
		size_t part = count < BODY_MAX ? (size_t)count : BODY_MAX;

		if (!read_octets(reader, reader->body, part))
			return false;
		count -= part;
	}
	return true;
}

/* ---- Blocks ------------------------------------------------------------- */

/* A section says in which order its octets are, the length of its block included. */
static bool read_byte_order(struct trace_reader *reader)
{
	uint8_t magic[4];

	if (!read_octets(reader, magic, sizeof(magic)))
		return false;
	reader->is_big_endian = false;
	switch (number(reader, magic, 4)) {
	case BYTE_ORDER_REVERSED:
		reader->is_big_endian = true;
		break;
	case BYTE_ORDER_MAGIC:
		break;
	default:
		return damaged(reader, "a section without the magic of pcapng");
	}
	reader->has_section = true;
	reader->interface_count = 0;
	return true;
}

/* False at the end of the file, too; then there is no error. */
static bool read_head(struct trace_reader *reader, struct block *block,
		      bool *is_end)
{
	uint8_t head[HEAD_OCTETS];
	bool is_section;
	uint32_t length;
	int first;

	reader->at = reader->next;
	first = fgetc(reader->file);
	*is_end = first == EOF && !ferror(reader->file) && reader->has_section;
	if (*is_end)
		return false;
	if (first == EOF && !ferror(reader->file))
		return damaged(reader, "the file is empty");
	ungetc(first, reader->file);
	if (!read_octets(reader, head, sizeof(head)))
		return false;
	/* This type reads the same in either order. */
	is_section = number(reader, head, 4) == SECTION_BLOCK;
	if (!is_section && !reader->has_section)
		return damaged(reader, "this is no pcapng file");
	if (is_section && !read_byte_order(reader))
		return false;
	block->type = number(reader, head, 4);
	length = number(reader, head + 4, 4);
	if (length % 4 ||
	    length < HEAD_OCTETS + TAIL_OCTETS + (is_section ? 16 : 0))
		return damaged(reader, "a block cannot have %u octets", length);
	block->octets =
		length - HEAD_OCTETS - TAIL_OCTETS - (is_section ? 4 : 0);
	return true;
}

static bool read_tail(struct trace_reader *reader, const struct block *block)
{
	uint64_t expected = HEAD_OCTETS + block->octets + TAIL_OCTETS +
			    (block->type == SECTION_BLOCK ? 4 : 0);
	uint8_t tail[TAIL_OCTETS];

	if (!read_octets(reader, tail, sizeof(tail)))
		return false;
	if (number(reader, tail, 4) != expected)
		return damaged(reader,
			       "a block of %" PRIu64
			       " octets says at its end that it has %u",
			       expected, number(reader, tail, 4));
	return true;
}

static bool read_body(struct trace_reader *reader, const struct block *block,
		      size_t least)
{
	if (block->octets < least || block->octets > BODY_MAX)
		return damaged(reader,
			       "a block of type %u cannot have %" PRIu64
			       " octets",
			       block->type,
			       block->octets + HEAD_OCTETS + TAIL_OCTETS);
	return read_octets(reader, reader->body, (size_t)block->octets);
}

/* ---- Interfaces --------------------------------------------------------- */

/* A power of ten or, with the high bit, of two. */
static bool read_resolution(struct trace_reader *reader, uint8_t octet,
			    uint64_t *units)
{
	unsigned int exponent = octet & 0x7f;

	if (exponent > (octet & 0x80 ? 63 : 19))
		return damaged(reader, "there is no time resolution 0x%02x",
			       octet);
	*units = 1;
	while (exponent--)
		*units *= octet & 0x80 ? 2 : 10;
	return true;
}

static bool read_options(struct trace_reader *reader, size_t at, size_t end,
			 uint64_t *units)
{
	while (at + 4 <= end) {
		uint32_t code = number(reader, reader->body + at, 2);
		size_t length = number(reader, reader->body + at + 2, 2);

		at += 4;
		if (code == OPTION_END)
			return true;
		if (length > end - at)
			return damaged(reader, "an option is cut off");
		if (code == OPTION_TSRESOL && length == 1 &&
		    !read_resolution(reader, reader->body[at], units))
			return false;
		at += (length + 3) & ~(size_t)3;
	}
	return true;
}

static bool read_interface(struct trace_reader *reader,
			   const struct block *block)
{
	struct interface interface = { .units = 1000000 };

	if (!read_body(reader, block, 8))
		return false;
	if (reader->interface_count == INTERFACES_MAX)
		return damaged(reader, "more than %d interfaces",
			       INTERFACES_MAX);
	interface.is_ours = number(reader, reader->body, 2) ==
			    HDMABUF_TRACE_LINK_TYPE;
	if (!read_options(reader, 8, (size_t)block->octets, &interface.units))
		return false;
	reader->interfaces[reader->interface_count++] = interface;
	return true;
}

/* ---- Packets ------------------------------------------------------------ */

static uint64_t nanoseconds(const struct trace_reader *reader,
			    const struct interface *interface)
{
	uint64_t time = (uint64_t)number(reader, reader->body + 4, 4) << 32 |
			number(reader, reader->body + 8, 4);
	uint64_t units = interface->units;
	unsigned __int128 rest = time % units;

	return time / units * NANOSECONDS +
	       (uint64_t)(rest * NANOSECONDS / units);
}

/* Whether what is behind the head has the length that its kind asks for. */
static bool check_length(struct trace_reader *reader,
			 const struct hdmabuf_trace_event *event)
{
	bool is_wrong = false;

	switch (event->kind) {
	case HDMABUF_TRACE_REQUEST:
	case HDMABUF_TRACE_ANSWER:
		is_wrong = event->length != WIRE_MESSAGE_OCTETS;
		break;
	case HDMABUF_TRACE_CHANNEL:
		is_wrong = event->length < WIRE_CHANNEL_OCTETS;
		break;
	case HDMABUF_TRACE_DESCRIPTOR:
		is_wrong = event->length < WIRE_DESCRIPTOR_OCTETS;
		break;
	case HDMABUF_TRACE_POINT:
		is_wrong = event->length != sizeof(struct hdmabuf_trace_point);
		break;
	}
	if (is_wrong)
		return damaged(reader,
			       "an event of kind %u cannot have %zu "
			       "octets",
			       event->kind, event->length);
	return true;
}

static bool read_event(struct trace_reader *reader, size_t length,
		       struct hdmabuf_trace_event *event)
{
	const uint8_t *head = reader->body + PACKET_OCTETS;
	size_t head_octets = sizeof(struct hdmabuf_trace_head);

	if (length < head_octets)
		return damaged(reader, "a packet cannot have %zu octets",
			       length);
	if (head[0] != HDMABUF_TRACE_VERSION)
		return damaged(reader, "version %u of packets is not known",
			       head[0]);
	event->kind = head[1];
	event->sender = head[2];
	event->observer = head[3];
	event->link = (uint32_t)wire_get(head, WIRE_PLACE(4, 4));
	event->octets = head + head_octets;
	event->length = length - head_octets;
	if (event->sender > HDMABUF_BACKEND ||
	    event->observer > HDMABUF_BACKEND)
		return damaged(reader, "there is no end %u",
			       event->sender > HDMABUF_BACKEND ?
				       event->sender :
				       event->observer);
	return check_length(reader, event);
}

/* Returns with *is_event false for a packet of something else. */
static bool read_packet(struct trace_reader *reader, const struct block *block,
			struct hdmabuf_trace_event *event, bool *is_event)
{
	uint32_t id, captured, original;

	reader->packets++;
	if (!read_body(reader, block, PACKET_OCTETS))
		return false;
	id = number(reader, reader->body, 4);
	captured = number(reader, reader->body + 12, 4);
	original = number(reader, reader->body + 16, 4);
	if (id >= reader->interface_count)
		return damaged(reader, "there is no interface %u", id);
	if (captured > block->octets - PACKET_OCTETS)
		return damaged(reader, "a packet of %u octets is cut off",
			       captured);
	*is_event = reader->interfaces[id].is_ours;
	if (!*is_event)
		return true;
	if (captured != original)
		return damaged(reader,
			       "only %u of %u octets were recorded of a packet",
			       captured, original);
	event->time = nanoseconds(reader, &reader->interfaces[id]);
	return read_event(reader, captured, event);
}

static bool read_block(struct trace_reader *reader, const struct block *block,
		       struct hdmabuf_trace_event *event, bool *is_event)
{
	switch (block->type) {
	case INTERFACE_BLOCK:
		return read_interface(reader, block);
	case PACKET_BLOCK:
		return read_packet(reader, block, event, is_event);
	case OLD_PACKET_BLOCK:
	case SIMPLE_BLOCK:
		reader->packets++;
		return skip_octets(reader, block->octets);
	default:
		return skip_octets(reader, block->octets);
	}
}

enum trace_next trace_reader_next(struct trace_reader *reader,
				  struct hdmabuf_trace_event *event,
				  char error[TRACE_ERROR_TEXT])
{
	struct block block = { 0 };
	bool is_end;

	reader->error = error;
	while (read_head(reader, &block, &is_end)) {
		bool is_event = false;

		if (!read_block(reader, &block, event, &is_event) ||
		    !read_tail(reader, &block))
			return TRACE_DAMAGED;
		if (is_event)
			return TRACE_EVENT;
	}
	return is_end ? TRACE_END : TRACE_DAMAGED;
}
