/* SPDX-License-Identifier: MIT */
/*
 * wire.h - the wire format as the suite reads it in the specification
 *
 * Where each field lies is written down here once more, from the octet diagrams
 * and not from the structures, so that a mistake in lib/core, or in a structure
 * of the header, does not cancel itself. The numbers that have names are the
 * header's.
 */
#ifndef CONFORMANCE_WIRE_H
#define CONFORMANCE_WIRE_H

#include <hyper_dmabuf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MESSAGE_OCTETS    64
#define WIRE_DESCRIPTOR_OCTETS 256
#define WIRE_CHANNEL_OCTETS    64 /* before the references */
#define WIRE_CELL_OCTETS       64

/* What a field holds, and how it is printed. */
enum wire_kind {
	WIRE_NUMBER,
	WIRE_HEX,
	WIRE_OCTETS,
	WIRE_ZERO,
	WIRE_OPERATION,
	WIRE_STATUS,
	WIRE_WHERE,
	WIRE_RIGHTS,
	WIRE_STATE,
};

/*
 * F(structure, FIELD, "name", offset, octets, kind), lowest offset first. Together
 * the fields of a structure cover it without a hole.
 */
#define WIRE_HEADER(F) \
	F(HEADER, ID, "id", 0, 4, NUMBER) \
	F(HEADER, OPERATION, "operation", 4, 2, OPERATION) \
	F(HEADER, STATUS, "status", 6, 2, STATUS)

#define WIRE_ERROR(F) \
	F(ERROR, WHERE, "where", 8, 4, WHERE) \
	F(ERROR, ZERO, "zero", 12, 4, ZERO) \
	F(ERROR, OFFSET, "offset", 16, 8, NUMBER) \
	F(ERROR, VALUE, "value", 24, 8, NUMBER) \
	F(ERROR, ZERO1, "zero1", 32, 32, ZERO)

#define WIRE_PLAIN(F) F(PLAIN, ZERO, "zero", 8, 56, ZERO)

#define WIRE_HELLO(F) \
	F(HELLO, EPOCH_FRONTEND, "epoch_frontend", 8, 8, HEX) \
	F(HELLO, EPOCH_BACKEND, "epoch_backend", 16, 8, HEX) \
	F(HELLO, FEATURES, "features", 24, 8, HEX) \
	F(HELLO, MAX_OCTETS, "max_octets", 32, 8, NUMBER) \
	F(HELLO, MAX_BUFFERS, "max_buffers", 40, 4, NUMBER) \
	F(HELLO, MAX_TIMELINES, "max_timelines", 44, 4, NUMBER) \
	F(HELLO, MAX_PRIVATE, "max_private", 48, 4, NUMBER) \
	F(HELLO, MAX_IN_FLIGHT, "max_in_flight", 52, 4, NUMBER) \
	F(HELLO, ZERO, "zero", 56, 8, ZERO)

#define WIRE_CLOSE(F) \
	F(CLOSE, REASON, "reason", 8, 4, NUMBER) \
	F(CLOSE, ZERO, "zero", 12, 52, ZERO)

#define WIRE_ECHO(F) F(ECHO, OCTETS, "octets", 8, 56, OCTETS)

#define WIRE_EXPORT(F) \
	F(EXPORT, ID, "id", 8, 16, OCTETS) \
	F(EXPORT, DESCRIPTOR, "descriptor", 24, 8, NUMBER) \
	F(EXPORT, LENGTH, "length", 32, 4, NUMBER) \
	F(EXPORT, ZERO, "zero", 36, 4, ZERO) \
	F(EXPORT, ZERO1, "zero1", 40, 24, ZERO)

#define WIRE_UNEXPORT(F) \
	F(UNEXPORT, ID, "id", 8, 16, OCTETS) \
	F(UNEXPORT, GRACE_MS, "grace_ms", 24, 4, NUMBER) \
	F(UNEXPORT, ZERO, "zero", 28, 4, ZERO) \
	F(UNEXPORT, ZERO1, "zero1", 32, 32, ZERO)

#define WIRE_UNEXPORT_ANSWER(F) \
	F(UNEXPORT_ANSWER, MAPPED, "mapped", 8, 4, NUMBER) \
	F(UNEXPORT_ANSWER, ZERO, "zero", 12, 4, ZERO) \
	F(UNEXPORT_ANSWER, ZERO1, "zero1", 16, 48, ZERO)

#define WIRE_BUFFER(F) \
	F(BUFFER, ID, "id", 8, 16, OCTETS) \
	F(BUFFER, ZERO, "zero", 24, 40, ZERO)

#define WIRE_QUERY_ANSWER(F) \
	F(QUERY_ANSWER, STATE, "state", 8, 4, STATE) \
	F(QUERY_ANSWER, RIGHTS, "rights", 12, 4, RIGHTS) \
	F(QUERY_ANSWER, SIZE, "size", 16, 8, NUMBER) \
	F(QUERY_ANSWER, PAGES, "pages", 24, 8, NUMBER) \
	F(QUERY_ANSWER, GENERATION, "generation", 32, 8, NUMBER) \
	F(QUERY_ANSWER, TAG, "tag", 40, 8, NUMBER) \
	F(QUERY_ANSWER, HAND_OFFS, "hand_offs", 48, 8, NUMBER) \
	F(QUERY_ANSWER, TYPE, "type", 56, 4, NUMBER) \
	F(QUERY_ANSWER, PRIVATE, "private_octets", 60, 4, NUMBER)

#define WIRE_HAND_OFF(F) \
	F(HAND_OFF, ID, "id", 8, 16, OCTETS) \
	F(HAND_OFF, WAIT_POINT, "wait_point", 24, 8, NUMBER) \
	F(HAND_OFF, SIGNAL_POINT, "signal_point", 32, 8, NUMBER) \
	F(HAND_OFF, WAIT_TIMELINE, "wait_timeline", 40, 4, NUMBER) \
	F(HAND_OFF, SIGNAL_TIMELINE, "signal_timeline", 44, 4, NUMBER) \
	F(HAND_OFF, FLAGS, "flags", 48, 4, HEX) \
	F(HAND_OFF, ZERO, "zero", 52, 4, ZERO) \
	F(HAND_OFF, STAMP, "stamp", 56, 8, NUMBER)

#define WIRE_ALLOCATE(F) \
	F(ALLOCATE, SIZE, "size", 8, 8, NUMBER) \
	F(ALLOCATE, TAG, "tag", 16, 8, NUMBER) \
	F(ALLOCATE, MODIFIER, "modifier", 24, 8, HEX) \
	F(ALLOCATE, WIDTH, "width", 32, 4, NUMBER) \
	F(ALLOCATE, HEIGHT, "height", 36, 4, NUMBER) \
	F(ALLOCATE, FOURCC, "fourcc", 40, 4, HEX) \
	F(ALLOCATE, RIGHTS, "rights", 44, 4, RIGHTS) \
	F(ALLOCATE, ATTRIBUTES, "attributes", 48, 4, NUMBER) \
	F(ALLOCATE, ZERO, "zero", 52, 4, ZERO) \
	F(ALLOCATE, ZERO1, "zero1", 56, 8, ZERO)

#define WIRE_ALLOCATE_ANSWER(F) \
	F(ALLOCATE_ANSWER, ID, "id", 8, 16, OCTETS) \
	F(ALLOCATE_ANSWER, ZERO, "zero", 24, 40, ZERO)

#define WIRE_CPU_ACCESS(F) \
	F(CPU_ACCESS, ID, "id", 8, 16, OCTETS) \
	F(CPU_ACCESS, OFFSET, "offset", 24, 8, NUMBER) \
	F(CPU_ACCESS, OCTETS, "octets", 32, 8, NUMBER) \
	F(CPU_ACCESS, ACCESS, "access", 40, 4, NUMBER) \
	F(CPU_ACCESS, ZERO, "zero", 44, 4, ZERO) \
	F(CPU_ACCESS, ZERO1, "zero1", 48, 16, ZERO)

#define WIRE_TIMELINE(F) \
	F(TIMELINE, NUMBER, "timeline", 8, 4, NUMBER) \
	F(TIMELINE, SIGNALLER, "signaller", 12, 4, NUMBER) \
	F(TIMELINE, POINT, "point", 16, 8, NUMBER) \
	F(TIMELINE, ZERO, "zero", 24, 40, ZERO)

#define WIRE_CHANNEL(F) \
	F(CHANNEL, MAGIC, "magic", 0, 4, HEX) \
	F(CHANNEL, VERSION, "version", 4, 4, NUMBER) \
	F(CHANNEL, EPOCH_FRONTEND, "epoch_frontend", 8, 8, HEX) \
	F(CHANNEL, EPOCH_BACKEND, "epoch_backend", 16, 8, HEX) \
	F(CHANNEL, PAGE_SHIFT, "page_shift", 24, 4, NUMBER) \
	F(CHANNEL, RING_FORMAT, "ring_format", 28, 4, NUMBER) \
	F(CHANNEL, FRONTEND_RING_ORDER, "frontend_ring_order", 32, 4, NUMBER) \
	F(CHANNEL, BACKEND_RING_ORDER, "backend_ring_order", 36, 4, NUMBER) \
	F(CHANNEL, TIMELINE_PAGES, "timeline_pages", 40, 4, NUMBER) \
	F(CHANNEL, REFERENCES, "references", 44, 4, NUMBER) \
	F(CHANNEL, FRONTEND_RING_START, "frontend_ring_start", 48, 4, HEX) \
	F(CHANNEL, BACKEND_RING_START, "backend_ring_start", 52, 4, HEX) \
	F(CHANNEL, ZERO, "zero", 56, 8, ZERO)

/* What is the same in every descriptor; the metadata is at 104. */
#define WIRE_DESCRIPTOR(F) \
	F(DESCRIPTOR, MAGIC, "magic", 0, 4, HEX) \
	F(DESCRIPTOR, LENGTH, "length", 4, 4, NUMBER) \
	F(DESCRIPTOR, ID, "id", 8, 16, OCTETS) \
	F(DESCRIPTOR, GENERATION, "generation", 24, 8, NUMBER) \
	F(DESCRIPTOR, SIZE, "size", 32, 8, NUMBER) \
	F(DESCRIPTOR, PAGES, "pages", 40, 8, NUMBER) \
	F(DESCRIPTOR, ENTRIES, "entries", 48, 8, NUMBER) \
	F(DESCRIPTOR, DIRECTORY, "directory", 56, 8, NUMBER) \
	F(DESCRIPTOR, DIRECTORY_PAGES, "directory_pages", 64, 4, NUMBER) \
	F(DESCRIPTOR, DIRECTORY_FORMAT, "directory_format", 68, 4, NUMBER) \
	F(DESCRIPTOR, DATA_OFFSET, "data_offset", 72, 4, NUMBER) \
	F(DESCRIPTOR, PAGE_SHIFT, "page_shift", 76, 4, NUMBER) \
	F(DESCRIPTOR, RIGHTS, "rights", 80, 4, RIGHTS) \
	F(DESCRIPTOR, ATTRIBUTES, "attributes", 84, 4, NUMBER) \
	F(DESCRIPTOR, TAG, "tag", 88, 8, NUMBER) \
	F(DESCRIPTOR, TYPE, "type", 96, 4, NUMBER) \
	F(DESCRIPTOR, PRIVATE, "private_octets", 100, 4, NUMBER)

#define WIRE_RAW(F) \
	F(RAW, ZERO, "metadata.raw", 104, 96, ZERO) \
	F(RAW, ZERO1, "zero", 200, 56, ZERO)

#define WIRE_PLANE(F, n, at) \
	F(PICTURE, PLANE##n##_OFFSET, "plane[" #n "].offset", at, 8, NUMBER) \
	F(PICTURE, PLANE##n##_STRIDE, "plane[" #n "].stride", (at) + 8, 4, \
	  NUMBER) \
	F(PICTURE, PLANE##n##_ZERO, "plane[" #n "].zero", (at) + 12, 4, ZERO)

#define WIRE_PICTURE(F) \
	F(PICTURE, WIDTH, "width", 104, 4, NUMBER) \
	F(PICTURE, HEIGHT, "height", 108, 4, NUMBER) \
	F(PICTURE, FOURCC, "fourcc", 112, 4, HEX) \
	F(PICTURE, PLANES, "planes", 116, 4, NUMBER) \
	F(PICTURE, MODIFIER, "modifier", 120, 8, HEX) \
	F(PICTURE, PLANE_FIRST, "plane_first", 128, 4, NUMBER) \
	F(PICTURE, PLANE_COUNT, "plane_count", 132, 4, NUMBER) \
	WIRE_PLANE(F, 0, 136) \
	WIRE_PLANE(F, 1, 152) \
	WIRE_PLANE(F, 2, 168) \
	WIRE_PLANE(F, 3, 184) \
	F(PICTURE, ZERO, "zero", 200, 56, ZERO)

#define WIRE_CYCLIC(F) \
	F(CYCLIC, FORMAT, "format", 104, 4, NUMBER) \
	F(CYCLIC, CHANNELS, "channels", 108, 4, NUMBER) \
	F(CYCLIC, RATE, "rate", 112, 4, NUMBER) \
	F(CYCLIC, FRAME_OCTETS, "frame_octets", 116, 4, NUMBER) \
	F(CYCLIC, PERIOD_OCTETS, "period_octets", 120, 4, NUMBER) \
	F(CYCLIC, POSITION_TIMELINE, "position_timeline", 124, 4, NUMBER) \
	F(CYCLIC, ZERO, "metadata.zero", 128, 72, ZERO) \
	F(CYCLIC, ZERO1, "zero", 200, 56, ZERO)

#define WIRE_CELL(F) \
	F(CELL, POINT_HIGH, "point_high", 0, 4, NUMBER) \
	F(CELL, POINT_LOW, "point_low", 4, 4, NUMBER) \
	F(CELL, POINT_NEXT, "point_next", 8, 4, NUMBER) \
	F(CELL, ERROR, "error", 12, 4, STATUS) \
	F(CELL, ZERO, "zero", 16, 16, ZERO) \
	F(CELL, WAKE, "wake", 32, 4, NUMBER) \
	F(CELL, ZERO1, "zero1", 36, 28, ZERO)

/* Those that are printed and searched as a whole, and all. */
#define WIRE_FORMATS(S) \
	S(ERROR) \
	S(PLAIN) \
	S(HELLO) \
	S(CLOSE) \
	S(ECHO) \
	S(EXPORT) \
	S(UNEXPORT) \
	S(UNEXPORT_ANSWER) \
	S(BUFFER) \
	S(QUERY_ANSWER) \
	S(HAND_OFF) \
	S(ALLOCATE) \
	S(ALLOCATE_ANSWER) \
	S(CPU_ACCESS) \
	S(TIMELINE) S(CHANNEL) S(DESCRIPTOR) S(RAW) S(PICTURE) S(CYCLIC)
#define WIRE_STRUCTURES(S) S(HEADER) WIRE_FORMATS(S) S(CELL)

/* The place of a field: its offset and how many octets it has. */
#define WIRE_PLACE(offset, octets) ((offset) << 8 | (octets))
#define WIRE_PLACE_OF(structure, FIELD, name, offset, octets, kind) \
	structure##_##FIELD = WIRE_PLACE(offset, octets),
#define WIRE_PLACES_OF(structure) WIRE_##structure(WIRE_PLACE_OF)

/* HAND_OFF_WAIT_POINT, DESCRIPTOR_SIZE and so on. */
enum wire_place {
	WIRE_STRUCTURES(WIRE_PLACES_OF)
};

/* The indices of a ring of format 0, from its start. */
enum wire_ring {
	RING_REQ_PROD = WIRE_PLACE(0, 4),
	RING_REQ_EVENT = WIRE_PLACE(4, 4),
	RING_RSP_PROD = WIRE_PLACE(8, 4),
	RING_RSP_EVENT = WIRE_PLACE(12, 4),
	RING_SLOTS_AT = 64,
};

/* The events of a ring of format 1, from its start, and the word with the mark. */
enum wire_marked_ring {
	MARKED_REQ_EVENT = WIRE_PLACE(0, 4),
	MARKED_RSP_EVENT = WIRE_PLACE(64, 4),
	MARKED_SLOTS_AT = 128,
	SLOT_WORD = WIRE_PLACE(4, 4),
	SLOT_MARK = WIRE_PLACE(7, 1),
	MARK_ANSWERS = 128,
	MARK_MAX = 64,
};

static inline size_t wire_offset(unsigned int place)
{
	return place >> 8;
}

static inline size_t wire_octets(unsigned int place)
{
	return place & 0xff;
}

/* The number at @place of @structure; of a place that is wider, 64 bits of it. */
uint64_t wire_get(const void *structure, unsigned int place);
void wire_put(void *structure, unsigned int place, uint64_t number);
bool wire_is_zero(const void *octets, size_t count);

/**
 * struct wire_field - one field, for those who go over all of them
 * @name: as in the header
 * @place: where it is
 * @kind: what it holds
 */
struct wire_field {
	const char *name;
	unsigned int place;
	enum wire_kind kind;
};

/**
 * struct wire_format - the fields of a structure, without the header of a message
 * @name: of the structure
 * @fields: lowest offset first
 * @count: of @fields
 */
struct wire_format {
	const char *name;
	const struct wire_field *fields;
	size_t count;
};

/* The form of a request; NULL if there is no such operation. */
const struct wire_format *wire_request_format(uint16_t operation);
/* The form of an answer, which with a status other than OK is that of an error. */
const struct wire_format *wire_answer_format(uint16_t operation,
					     uint16_t status);
const struct wire_format *wire_channel_format(void);
const struct wire_format *wire_descriptor_format(void);
/* The form of what is at 104 and after; NULL if there is no such type. */
const struct wire_format *wire_metadata_format(uint32_t type);

/* The field at which @format has a zero field that is not; NULL if all are zero. */
const struct wire_field *wire_find_nonzero(const struct wire_format *format,
					   const void *structure,
					   size_t *offset);

/* Names of numbers; "status 77" and the like for those that have none. */
const char *wire_operation_name(uint16_t operation);
const char *wire_status_name(uint16_t status);
const char *wire_buffer_state_name(uint32_t state);

/* The operations there are, the last one 0. */
extern const uint16_t wire_operations[];

/*
 * A message in one line: "HAND_OFF id 5, id 0a1b..., wait_point 3, ...". Fields
 * that are zero are left out. Returns @text.
 */
const char *wire_print(const void *message, bool is_answer, char *text,
		       size_t size);
/* The same of a channel page or a descriptor. */
const char *wire_print_fields(const struct wire_format *format,
			      const void *structure, char *text, size_t size);

/*
 * The value of a key in a record. 1 if it is there, once, and a number in the form
 * that HDB-BOTH-004 asks for; 0 if it is not there; -1 if it is anything else.
 */
int wire_record_get(const char *text, const char *key, uint64_t *value);

/* ---- directories -------------------------------------------------------- */

/* How many pages a buffer has; 0 if that cannot be. */
uint64_t wire_pages(uint64_t data_offset, uint64_t size, uint32_t page_shift);
/* How many pages a directory has; 0 if that cannot be. */
uint64_t wire_directory_pages(uint32_t format, uint64_t entries,
			      uint32_t page_shift);

#endif
