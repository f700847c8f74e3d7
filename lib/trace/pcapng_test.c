/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include <hdmabuf/trace.h>

#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A reader of its own, so that the writer is not compared with itself. */

static uint64_t number(const uint8_t *at, size_t octets)
{
	uint64_t value = 0;

	while (octets--)
		value = value << 8 | at[octets];
	return value;
}

struct block {
	uint32_t type;
	const uint8_t *body;
	size_t octets;
};

/* The block at @at, of which both lengths must agree; returns what is behind it. */
static const uint8_t *read_block(const uint8_t *at, const uint8_t *end,
				 struct block *block)
{
	size_t length = (size_t)number(at + 4, 4);

	assert_true(end - at >= 12);
	assert_int_equal(length % 4, 0);
	assert_in_range(length, 12, (size_t)(end - at));
	assert_int_equal(number(at + length - 4, 4), length);
	*block = (struct block){ (uint32_t)number(at, 4), at + 8, length - 12 };
	return at + length;
}

static const uint8_t *find_option(const struct block *block, size_t at,
				  uint16_t code, size_t *length)
{
	while (at + 4 <= block->octets) {
		uint64_t found = number(block->body + at, 2);

		*length = (size_t)number(block->body + at + 2, 2);
		assert_true(at + 4 + *length <= block->octets);
		if (found == code)
			return block->body + at + 4;
		assert_int_not_equal(found, 0);
		at += 4 + ((*length + 3) & ~(size_t)3);
	}
	return NULL;
}

static void heading_is_a_section_and_an_interface(void **state)
{
	uint8_t octets[HDMABUF_TRACE_HEADING_OCTETS + 1];
	const uint8_t *end = octets + HDMABUF_TRACE_HEADING_OCTETS;
	const uint8_t *at = octets, *option;
	struct block block;
	size_t length;

	(void)state;
	memset(octets, 0xee, sizeof(octets));
	hdmabuf_trace_heading(octets);
	assert_int_equal(*end, 0xee);

	at = read_block(at, end, &block);
	assert_int_equal(block.type, 0x0a0d0d0a);
	assert_int_equal(block.octets, 16);
	assert_int_equal(number(block.body, 4), 0x1a2b3c4d);
	assert_int_equal(number(block.body + 4, 2), 1);
	assert_int_equal(number(block.body + 6, 2), 0);
	assert_true(number(block.body + 8, 8) == UINT64_MAX);

	at = read_block(at, end, &block);
	assert_ptr_equal(at, end);
	assert_int_equal(block.type, 1);
	assert_int_equal(number(block.body, 2), 147);
	assert_int_equal(number(block.body + 2, 2), 0);
	assert_int_equal(number(block.body + 4, 4), 0);
	option = find_option(&block, 8, 2, &length);
	assert_non_null(option);
	assert_int_equal(length, 7);
	assert_memory_equal(option, "hdmabuf", 7);
	option = find_option(&block, 8, 9, &length);
	assert_non_null(option);
	assert_int_equal(length, 1);
	assert_int_equal(*option, 9);
	assert_non_null(find_option(&block, 8, 0, &length));
	assert_int_equal(length, 0);
}

static void packet_holds_the_event(void **state)
{
	const uint8_t record[] = "epoch=5\n";
	struct hdmabuf_trace_event event = {
		.time = 0x0102030405060708,
		.kind = HDMABUF_TRACE_RECORD,
		.sender = HDMABUF_BACKEND,
		.observer = HDMABUF_FRONTEND,
		.link = 0x11121314,
		.octets = record,
	};

	(void)state;
	/* Whatever the length, the block is a multiple of four octets. */
	for (event.length = 0; event.length <= sizeof(record) - 1;
	     event.length++) {
		uint8_t octets[64];
		struct block block;
		size_t size;

		memset(octets, 0xee, sizeof(octets));
		size = hdmabuf_trace_packet(&event, octets, sizeof(octets));
		assert_ptr_equal(read_block(octets, octets + size, &block),
				 octets + size);
		assert_int_equal(octets[size], 0xee);
		assert_int_equal(block.type, 6);
		assert_int_equal(number(block.body, 4), 0);
		assert_int_equal(number(block.body + 4, 4), 0x01020304);
		assert_int_equal(number(block.body + 8, 4), 0x05060708);
		assert_int_equal(number(block.body + 12, 4), 8 + event.length);
		assert_int_equal(number(block.body + 16, 4), 8 + event.length);
		assert_int_equal(block.body[20], 1);
		assert_int_equal(block.body[21], 1);
		assert_int_equal(block.body[22], 1);
		assert_int_equal(block.body[23], 0);
		assert_int_equal(number(block.body + 24, 4), 0x11121314);
		assert_memory_equal(block.body + 28, record, event.length);
		for (size_t i = 28 + event.length; i < block.octets; i++)
			assert_int_equal(block.body[i], 0);
	}
}

static void packet_that_has_no_room_writes_nothing(void **state)
{
	const uint8_t message[64] = { 1 };
	const struct hdmabuf_trace_event event = {
		.kind = HDMABUF_TRACE_REQUEST,
		.octets = message,
		.length = sizeof(message),
	};
	const uint8_t untouched[128] = { 0 };
	uint8_t octets[128] = { 0 };
	size_t size = hdmabuf_trace_packet(&event, NULL, 0);

	(void)state;
	assert_int_equal(size, 12 + 20 + 8 + 64);
	assert_int_equal(hdmabuf_trace_packet(&event, octets, size - 1), size);
	assert_memory_equal(octets, untouched, sizeof(octets));
	assert_int_equal(hdmabuf_trace_packet(&event, octets, size), size);
	assert_memory_equal(octets + 36, message, sizeof(message));
}

static void packet_has_a_limit(void **state)
{
	struct hdmabuf_trace_event event = {
		.kind = HDMABUF_TRACE_DESCRIPTOR,
		.length = HDMABUF_TRACE_OCTETS_MAX,
	};

	(void)state;
	assert_int_equal(hdmabuf_trace_packet(&event, NULL, 0),
			 12 + 20 + 8 + 65536);
	event.length++;
	assert_int_equal(hdmabuf_trace_packet(&event, NULL, 0), 0);
	event.length = SIZE_MAX;
	assert_int_equal(hdmabuf_trace_packet(&event, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heading_is_a_section_and_an_interface),
		cmocka_unit_test(packet_holds_the_event),
		cmocka_unit_test(packet_that_has_no_room_writes_nothing),
		cmocka_unit_test(packet_has_a_limit),
	};

	return hdmabuf_test_run("pcapng", tests, COUNT(tests));
}
