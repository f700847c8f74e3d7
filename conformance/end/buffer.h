/* SPDX-License-Identifier: MIT */
/* buffer.h - buffers of the suite, which the IUT imports */
#ifndef CONFORMANCE_BUFFER_H
#define CONFORMANCE_BUFFER_H

#include "conformance/end/end.h"

/**
 * struct plan - what a buffer shall be; what is 0 is as it usually is
 * @size: octets of data; a page
 * @offset: of the first octet of data
 * @rights: READ_ONLY
 * @format: of the directory; LIST
 * @type: RAW, or PICTURE if the IUT takes no raw data
 * @attributes: CACHED
 * @tag: 0
 * @private_octets: 0
 * @width: of a picture in XRGB8888, whose height is the size / (4 width)
 * @scattered: the references are not in the order of the pages
 * @granted: rights with which the pages are shared; those of the buffer
 * @memory: of which the pages are taken, and those of descriptor and directory
 *	behind them; memory of its own
 * @first: page of @memory
 */
struct plan {
	uint64_t size;
	uint32_t offset;
	uint32_t rights;
	uint32_t format;
	uint32_t type;
	uint32_t attributes;
	uint64_t tag;
	uint32_t private_octets;
	uint32_t width;
	bool scattered;
	uint32_t granted;
	struct hdmabuf_memory *memory;
	uint64_t first;
};

/**
 * struct runs - pages that are shared, as the platform made references to them
 * @run: each of them
 * @count: of @run
 */
struct runs {
	struct hdmabuf_run *run;
	size_t count;
};

/**
 * struct buffer - a buffer of the suite
 * @end: over which it is shared
 * @id: its name
 * @descriptor: the page with its descriptor, in shared memory
 * @descriptor_reference: of that page
 * @directory: the pages of its directory, in shared memory
 * @directory_references: of those pages
 * @directory_pages: how many
 * @pages: the pages of data
 * @page_count: how many
 * @references: of the pages of data
 * @size: octets of data
 * @offset: of the first octet of data
 * @memory: the pages of data
 * @data: references of the pages of data
 * @description: of those of descriptor and directory
 */
struct buffer {
	struct end *end;
	uint8_t id[16];
	uint8_t *descriptor;
	uint64_t descriptor_reference;
	uint8_t *directory;
	uint64_t *directory_references;
	uint32_t directory_pages;
	uint8_t *pages;
	uint64_t page_count;
	uint64_t *references;
	uint64_t size;
	uint32_t offset;
	struct hdmabuf_memory *memory;
	struct runs data;
	struct runs description;
};

/* Allocates, shares and describes a buffer; it lives as long as the test. */
void buffer_make(struct end *end, struct buffer *buffer,
		 const struct plan *plan);
/* Writes the directory anew, in the format of the descriptor, from @references. */
void buffer_list(struct buffer *buffer);
/* CRC-32 as of zlib. */
uint32_t octets_crc(const uint8_t *octets, uint64_t count);
/* CRC-32 of the data, as the IUT tells it in "event turn". */
uint32_t buffer_crc(const struct buffer *buffer);
/* Fills the data with a pattern of this seed. */
void buffer_fill(struct buffer *buffer, uint32_t seed);
/* Its id as 32 hexadecimal digits. */
const char *buffer_name(const struct buffer *buffer, char text[33]);

/* The requests that name a buffer; the status of the answer. */
void buffer_export_message(const struct buffer *buffer, message_t message);
/* Sends EXPORT or UPDATE as @message has it. */
uint16_t buffer_describe(struct buffer *buffer, message_t message,
			 uint8_t *answer);
uint16_t buffer_export(struct buffer *buffer, uint8_t *answer);
uint16_t buffer_update(struct buffer *buffer, uint8_t *answer);
uint16_t buffer_unexport(struct buffer *buffer, uint32_t grace_ms,
			 uint8_t *answer);
uint16_t buffer_query(struct buffer *buffer, uint8_t *answer);
void buffer_hand_off_message(const struct buffer *buffer,
			     uint32_t signal_timeline, uint64_t signal_point,
			     message_t message);
/* HAND_OFF with a signal point on a timeline of the suite, or without timeline. */
uint16_t buffer_hand_off(struct buffer *buffer, uint32_t signal_timeline,
			 uint64_t signal_point, uint8_t *answer);

/* Takes its pages back; false if the IUT still has them mapped at @deadline. */
bool buffer_revoke(struct buffer *buffer, uint64_t deadline);
/* Makes, and exports with success; else the test is inconclusive. */
void buffer_share(struct end *end, struct buffer *buffer,
		  const struct plan *plan);
/* What the answer to a refused request says is wrong, "DESCRIPTOR, 80, 9". */
bool check_where(struct test *test, const uint8_t *answer, uint32_t where,
		 uint64_t offset, const char *what);

/*
 * The data of an imported buffer as the control protocol fills exported ones: octet
 * i is (i + i / 256 * 7) % 256.
 */
uint8_t pattern_octet(uint64_t i);

#endif
