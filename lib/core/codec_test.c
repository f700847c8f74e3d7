/* SPDX-License-Identifier: MIT */
#include "tests/harness.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdmabuf/codec.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALL	     UINT64_MAX

/* ---- Octets -------------------------------------------------------------- */

static uint64_t number_at(const uint8_t *octets, unsigned int width)
{
	uint64_t number = 0;

	while (width--)
		number = number << 8 | octets[width];
	return number;
}

static void number_put(uint8_t *octets, unsigned int width, uint64_t number)
{
	for (; width--; number >>= 8)
		*octets++ = (uint8_t)number;
}

/* Octets as they are drawn, eight in a row; blanks are for the reader. */
static void parse(const char *text, uint8_t *octets)
{
	unsigned int count = 0, octet;

	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		assert_int_equal(sscanf(text, "%2x", &octet), 1);
		assert_true(count < HDMABUF_SLOT_OCTETS);
		octets[count++] = (uint8_t)octet;
		text += 2;
	}
	assert_int_equal(count, HDMABUF_SLOT_OCTETS);
}

/* The same numbers in every run. */
static uint64_t draw(uint64_t *seed)
{
	uint64_t number = *seed += 0x9e3779b97f4a7c15;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return number ^ number >> 31;
}

/* ---- Examples, drawn from the diagrams ----------------------------------- */

#define ID "a0a1a2a3a4a5a6a7 a8a9aaabacadaeaf "
#define ID_OCTETS \
	{ \
		{ \
			0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, \
				0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf \
		} \
	}
#define ZEROS "0000000000000000 "
#define ECHOED \
	"0102030405060708 090a0b0c0d0e0f10 1112131415161718 " \
	"191a1b1c1d1e1f20 2122232425262728 292a2b2c2d2e2f30 3132333435363738"
#define ECHO_OCTETS \
	{ \
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, \
			19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, \
			32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, \
			45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56 \
	}
#define HELLO_PAYLOAD \
	"1817161514131211 2827262524232221 ff01000000000000 " \
	"4847464544434241 54535251 64636261 00040000 20000000 " ZEROS
#define HELLO_BODY \
	{ \
		.epoch_frontend = 0x1112131415161718, \
		.epoch_backend = 0x2122232425262728, \
		.features = HDMABUF_FEATURES_ALL, \
		.limits = { \
			.max_octets = 0x4142434445464748, \
			.max_buffers = 0x51525354, \
			.max_timelines = 0x61626364, \
			.max_private = 1024, \
			.max_in_flight = 32, \
		}, \
	}

struct request_example {
	const char *octets;
	struct hdmabuf_request request;
};

static const struct request_example requests[] = {
	{ "04030201 0100 0000 " HELLO_PAYLOAD,
	  { .id = 0x01020304,
	    .operation = HDMABUF_OP_HELLO,
	    .hello = HELLO_BODY } },
	{ "ffffffff 0200 0000 03000000 00000000 " ZEROS ZEROS ZEROS ZEROS ZEROS
		  ZEROS,
	  { .id = UINT32_MAX,
	    .operation = HDMABUF_OP_CLOSE,
	    .reason = HDMABUF_REASON_SUSPEND } },
	{ "00000000 0300 0000 " ECHOED,
	  { .operation = HDMABUF_OP_ECHO, .echo = ECHO_OCTETS } },
	{ "05000000 1000 0000 " ID
	  "4d00000000000080 00010000 00000000 " ZEROS ZEROS ZEROS,
	  { .id = 5,
	    .operation = HDMABUF_OP_EXPORT,
	    .buffer = ID_OCTETS,
	    .descriptor = { 0x800000000000004d, 256 } } },
	{ "05000000 1100 0000 " ID
	  "4e00000000000000 00000100 00000000 " ZEROS ZEROS ZEROS,
	  { .id = 5,
	    .operation = HDMABUF_OP_UPDATE,
	    .buffer = ID_OCTETS,
	    .descriptor = { 0x4e, 65536 } } },
	{ "06000000 1200 0000 " ID "64000000 00000000 " ZEROS ZEROS ZEROS ZEROS,
	  { .id = 6,
	    .operation = HDMABUF_OP_UNEXPORT,
	    .buffer = ID_OCTETS,
	    .grace_ms = 100 } },
	{ "07000000 1300 0000 " ID ZEROS ZEROS ZEROS ZEROS ZEROS,
	  { .id = 7, .operation = HDMABUF_OP_RELEASED, .buffer = ID_OCTETS } },
	{ "08000000 1400 0000 " ID
	  "1817161514131211 2827262524232221 34333231 44434241 "
	  "01000000 00000000 5857565554535251",
	  { .id = 8,
	    .operation = HDMABUF_OP_HAND_OFF,
	    .buffer = ID_OCTETS,
	    .hand_off = { .wait_point = 0x1112131415161718,
			  .signal_point = 0x2122232425262728,
			  .wait_timeline = 0x31323334,
			  .signal_timeline = 0x41424344,
			  .flags = HDMABUF_HAND_OFF_MORE,
			  .stamp = 0x5152535455565758 } } },
	{ "08000000 1400 0000 " ID
	  "0000000000000000 1100000000000000 ffffffff 00000000 " ZEROS ZEROS,
	  { .id = 8,
	    .operation = HDMABUF_OP_HAND_OFF,
	    .buffer = ID_OCTETS,
	    .hand_off = { .signal_point = 17,
			  .wait_timeline = HDMABUF_NO_TIMELINE } } },
	{ "09000000 1500 0000 " ID ZEROS ZEROS ZEROS ZEROS ZEROS,
	  { .id = 9, .operation = HDMABUF_OP_QUERY, .buffer = ID_OCTETS } },
	{ "0a000000 1600 0000 1817161514131211 2827262524232221 "
	  "3837363534333231 80070000 38040000 58523234 02000000 "
	  "01000000 00000000 " ZEROS,
	  { .id = 10,
	    .operation = HDMABUF_OP_ALLOCATE,
	    .allocate = { .size = 0x1112131415161718,
			  .tag = 0x2122232425262728,
			  .modifier = 0x3132333435363738,
			  .width = 1920,
			  .height = 1080,
			  .fourcc = 0x34325258,
			  .rights = HDMABUF_RIGHTS_READ_WRITE,
			  .attributes = HDMABUF_ATTRIBUTE_CACHED } } },
	{ "0b000000 1700 0000 " ID
	  "1817161514131211 8007000000000000 01000000 00000000 " ZEROS ZEROS,
	  { .id = 11,
	    .operation = HDMABUF_OP_CPU_BEGIN,
	    .buffer = ID_OCTETS,
	    .cpu_access = { 0x1112131415161718, 1920, HDMABUF_ACCESS_READ } } },
	{ "0c000000 1800 0000 " ID
	  "0000000000000000 ffffffffffffffff 03000000 00000000 " ZEROS ZEROS,
	  { .id = 12,
	    .operation = HDMABUF_OP_CPU_END,
	    .buffer = ID_OCTETS,
	    .cpu_access = { 0, UINT64_MAX,
			    HDMABUF_ACCESS_READ | HDMABUF_ACCESS_WRITE } } },
	{ "0d000000 2000 0000 14131211 02000000 3837363534333231 " ZEROS ZEROS
		  ZEROS ZEROS ZEROS,
	  { .id = 13,
	    .operation = HDMABUF_OP_TIMELINE_CREATE,
	    .timeline = { 0x11121314, HDMABUF_SIGNALLER_PEER,
			  0x3132333435363738 } } },
	{ "0e000000 2100 0000 14131211 00000000 " ZEROS ZEROS ZEROS ZEROS ZEROS
		  ZEROS,
	  { .id = 14,
	    .operation = HDMABUF_OP_TIMELINE_DESTROY,
	    .timeline = { .number = 0x11121314 } } },
};

struct answer_example {
	const char *octets;
	struct hdmabuf_answer answer;
};

#define PLAIN_ANSWER(number, octets) \
	{ \
		"07000000 " octets \
		"00 0000 " ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS, \
		{ \
			.id = 7, .operation = (number) \
		} \
	}

static const struct answer_example answers[] = {
	{ "04030201 0100 0000 " HELLO_PAYLOAD,
	  { .id = 0x01020304,
	    .operation = HDMABUF_OP_HELLO,
	    .hello = HELLO_BODY } },
	{ "00000080 0300 0000 " ECHOED,
	  { .id = 0x80000000,
	    .operation = HDMABUF_OP_ECHO,
	    .echo = ECHO_OCTETS } },
	{ "06000000 1200 0000 01000000 00000000 " ZEROS ZEROS ZEROS ZEROS ZEROS
		  ZEROS,
	  { .id = 6, .operation = HDMABUF_OP_UNEXPORT, .mapped = 1 } },
	{ "09000000 1500 0000 07000000 03000000 1817161514131211 "
	  "2827262524232221 3837363534333231 4847464544434241 "
	  "5857565554535251 02000000 64636261",
	  { .id = 9,
	    .operation = HDMABUF_OP_QUERY,
	    .query = { .state = HDMABUF_BUFFER_MAPPED,
		       .rights = HDMABUF_RIGHTS_LEND,
		       .size = 0x1112131415161718,
		       .pages = 0x2122232425262728,
		       .generation = 0x3132333435363738,
		       .tag = 0x4142434445464748,
		       .hand_offs = 0x5152535455565758,
		       .type = HDMABUF_TYPE_PICTURE,
		       .private_octets = 0x61626364 } } },
	{ "0a000000 1600 0000 " ID ZEROS ZEROS ZEROS ZEROS ZEROS,
	  { .id = 10, .operation = HDMABUF_OP_ALLOCATE, .buffer = ID_OCTETS } },
	{ "05000000 1000 0800 02000000 00000000 5000000000000000 "
	  "0900000000000000 " ZEROS ZEROS ZEROS ZEROS,
	  { .id = 5,
	    .operation = HDMABUF_OP_EXPORT,
	    .fault = { HDMABUF_STATUS_INVALID, HDMABUF_WHERE_DESCRIPTOR, 80,
		       9 } } },
	{ "ff000000 efbe 0100 01000000 00000000 0400000000000000 "
	  "efbe000000000000 " ZEROS ZEROS ZEROS ZEROS,
	  { .id = 255,
	    .operation = 0xbeef,
	    .fault = { HDMABUF_STATUS_UNKNOWN_OPERATION, HDMABUF_WHERE_REQUEST,
		       4, 0xbeef } } },
	PLAIN_ANSWER(HDMABUF_OP_CLOSE, "02"),
	PLAIN_ANSWER(HDMABUF_OP_EXPORT, "10"),
	PLAIN_ANSWER(HDMABUF_OP_UPDATE, "11"),
	PLAIN_ANSWER(HDMABUF_OP_RELEASED, "13"),
	PLAIN_ANSWER(HDMABUF_OP_HAND_OFF, "14"),
	PLAIN_ANSWER(HDMABUF_OP_CPU_BEGIN, "17"),
	PLAIN_ANSWER(HDMABUF_OP_CPU_END, "18"),
	PLAIN_ANSWER(HDMABUF_OP_TIMELINE_CREATE, "20"),
	PLAIN_ANSWER(HDMABUF_OP_TIMELINE_DESTROY, "21"),
};

static void requests_have_the_octets_of_their_diagrams(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(requests); i++) {
		union hdmabuf_message message;
		uint8_t expected[HDMABUF_SLOT_OCTETS];

		parse(requests[i].octets, expected);
		memset(&message, 0xaa, sizeof(message));
		hdmabuf_request_encode(&requests[i].request, &message);
		assert_memory_equal(message.octets, expected, sizeof(expected));
	}
}

static void requests_are_read_from_their_diagrams(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(requests); i++) {
		union hdmabuf_message message;
		struct hdmabuf_request request;
		struct hdmabuf_fault fault;

		memset(&request, 0, sizeof(request));
		memset(&fault, 0xaa, sizeof(fault));
		parse(requests[i].octets, message.octets);
		assert_int_equal(hdmabuf_request_decode(&message, &request,
							&fault),
				 HDMABUF_STATUS_OK);
		assert_int_equal(fault.status, HDMABUF_STATUS_OK);
		assert_int_equal(fault.where, HDMABUF_WHERE_NOWHERE);
		assert_true(fault.offset == 0 && fault.value == 0);
		assert_memory_equal(&request, &requests[i].request,
				    sizeof(request));
	}
}

static void answers_have_the_octets_of_their_diagrams(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(answers); i++) {
		union hdmabuf_message message;
		uint8_t expected[HDMABUF_SLOT_OCTETS];

		parse(answers[i].octets, expected);
		memset(&message, 0xaa, sizeof(message));
		hdmabuf_answer_encode(&answers[i].answer, &message);
		assert_memory_equal(message.octets, expected, sizeof(expected));
	}
}

static void answers_are_read_from_their_diagrams(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(answers); i++) {
		union hdmabuf_message message;
		struct hdmabuf_answer answer;

		memset(&answer, 0, sizeof(answer));
		parse(answers[i].octets, message.octets);
		assert_true(hdmabuf_answer_decode(&message, &answer));
		assert_memory_equal(&answer, &answers[i].answer,
				    sizeof(answer));
	}
}

/* Whatever was there before. */
static void an_answer_that_is_ok_has_no_fault(void **state)
{
	struct hdmabuf_answer answer;
	union hdmabuf_message message;

	(void)state;
	memset(&answer, 0xff, sizeof(answer));
	parse(answers[0].octets, message.octets);
	assert_true(hdmabuf_answer_decode(&message, &answer));
	assert_int_equal(answer.fault.status, HDMABUF_STATUS_OK);
	assert_int_equal(answer.fault.where, HDMABUF_WHERE_NOWHERE);
	assert_int_equal(answer.fault.offset, 0);
	assert_int_equal(answer.fault.value, 0);
}

/* ---- What is to be expected of any octets -------------------------------- */

struct zero_field {
	uint16_t operation;
	uint8_t offset;
	uint8_t octets;
};

/* The status of a request comes in addition. */
static const struct zero_field request_zeros[] = {
	{ 0x01, 56, 8 },  { 0x02, 12, 52 }, { 0x10, 36, 4 },  { 0x10, 40, 24 },
	{ 0x11, 36, 4 },  { 0x11, 40, 24 }, { 0x12, 28, 4 },  { 0x12, 32, 32 },
	{ 0x13, 24, 40 }, { 0x14, 52, 4 },  { 0x15, 24, 40 }, { 0x16, 52, 4 },
	{ 0x16, 56, 8 },  { 0x17, 44, 4 },  { 0x17, 48, 16 }, { 0x18, 44, 4 },
	{ 0x18, 48, 16 }, { 0x20, 24, 40 }, { 0x21, 12, 4 },  { 0x21, 16, 8 },
	{ 0x21, 24, 40 },
};

static const struct zero_field answer_zeros[] = {
	{ 0x01, 56, 8 },  { 0x02, 8, 56 },  { 0x10, 8, 56 }, { 0x11, 8, 56 },
	{ 0x12, 12, 4 },  { 0x12, 16, 48 }, { 0x13, 8, 56 }, { 0x14, 8, 56 },
	{ 0x16, 24, 40 }, { 0x17, 8, 56 },  { 0x18, 8, 56 }, { 0x20, 8, 56 },
	{ 0x21, 8, 56 },
};

struct value_field {
	uint16_t operation;
	uint8_t offset;
	uint8_t octets;
	uint64_t low;
	uint64_t high;
};

static const struct value_field request_values[] = {
	{ 0x01, 52, 4, 1, ALL },     { 0x02, 8, 4, 1, 4 },
	{ 0x10, 32, 4, 256, 65536 }, { 0x11, 32, 4, 256, 65536 },
	{ 0x14, 48, 4, 0, 1 },	     { 0x16, 44, 4, 1, 3 },
	{ 0x16, 48, 4, 1, 2 },	     { 0x17, 32, 8, 1, ALL },
	{ 0x17, 40, 4, 1, 3 },	     { 0x18, 32, 8, 1, ALL },
	{ 0x18, 40, 4, 1, 3 },	     { 0x20, 12, 4, 1, 2 },
};

static const struct value_field answer_values[] = {
	{ 0x01, 52, 4, 1, ALL }, { 0x12, 8, 4, 0, 1 },	{ 0x15, 8, 4, 1, 8 },
	{ 0x15, 12, 4, 1, 3 },	 { 0x15, 56, 4, 1, 3 },
};

static bool is_operation(uint16_t operation)
{
	return (operation >= 0x01 && operation <= 0x03) ||
	       (operation >= 0x10 && operation <= 0x18) || operation == 0x20 ||
	       operation == 0x21;
}

static bool any_set(const uint8_t *octets, unsigned int count)
{
	while (count--) {
		if (octets[count])
			return true;
	}
	return false;
}

static struct hdmabuf_fault wrong(uint16_t status, uint64_t offset,
				  uint64_t value)
{
	return (struct hdmabuf_fault){ status, HDMABUF_WHERE_REQUEST, offset,
				       value };
}

static const struct hdmabuf_fault nothing_wrong;

static struct hdmabuf_fault expect_zeros(const uint8_t *octets,
					 const struct zero_field *fields,
					 size_t count)
{
	uint16_t operation = (uint16_t)number_at(octets + 4, 2);

	for (; count--; fields++) {
		const uint8_t *at = octets + fields->offset;

		if (fields->operation != operation ||
		    !any_set(at, fields->octets))
			continue;
		return wrong(
			HDMABUF_STATUS_RESERVED, fields->offset,
			fields->octets > 8 ? 0 : number_at(at, fields->octets));
	}
	return nothing_wrong;
}

/* What the prose says of several fields, or of EXPORT's id. */
static struct hdmabuf_fault expect_together(const uint8_t *m)
{
	bool picture = any_set(m + 32, 12);

	switch (number_at(m + 4, 2)) {
	case HDMABUF_OP_HELLO:
		if (number_at(m + 40, 4) && number_at(m + 48, 4) < 1024)
			return wrong(HDMABUF_STATUS_INVALID, 48,
				     number_at(m + 48, 4));
		break;
	case HDMABUF_OP_EXPORT:
		if (!any_set(m + 8, 16))
			return wrong(HDMABUF_STATUS_INVALID, 8, 0);
		break;
	case HDMABUF_OP_HAND_OFF:
		if (number_at(m + 40, 4) == UINT32_MAX && any_set(m + 24, 8))
			return wrong(HDMABUF_STATUS_INVALID, 24,
				     number_at(m + 24, 8));
		if (number_at(m + 44, 4) == UINT32_MAX && any_set(m + 32, 8))
			return wrong(HDMABUF_STATUS_INVALID, 32,
				     number_at(m + 32, 8));
		break;
	case HDMABUF_OP_ALLOCATE:
		if (!picture && !any_set(m + 8, 8))
			return wrong(HDMABUF_STATUS_INVALID, 8, 0);
		if (!picture && any_set(m + 24, 8))
			return wrong(HDMABUF_STATUS_INVALID, 24,
				     number_at(m + 24, 8));
		if (picture && !any_set(m + 32, 4))
			return wrong(HDMABUF_STATUS_INVALID, 32, 0);
		if (picture && !any_set(m + 36, 4))
			return wrong(HDMABUF_STATUS_INVALID, 36, 0);
		if (picture && !any_set(m + 40, 4))
			return wrong(HDMABUF_STATUS_INVALID, 40, 0);
		break;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		if (number_at(m + 24, 8) + number_at(m + 32, 8) <
		    number_at(m + 24, 8))
			return wrong(HDMABUF_STATUS_INVALID, 32,
				     number_at(m + 32, 8));
		break;
	}
	return nothing_wrong;
}

static struct hdmabuf_fault expect_values(const uint8_t *octets,
					  const struct value_field *fields,
					  size_t count)
{
	uint16_t operation = (uint16_t)number_at(octets + 4, 2);

	for (; count--; fields++) {
		uint64_t value =
			number_at(octets + fields->offset, fields->octets);

		if (fields->operation == operation &&
		    (value < fields->low || value > fields->high))
			return wrong(HDMABUF_STATUS_INVALID, fields->offset,
				     value);
	}
	return nothing_wrong;
}

static struct hdmabuf_fault expect_request(const uint8_t *octets)
{
	uint16_t operation = (uint16_t)number_at(octets + 4, 2);
	struct hdmabuf_fault zero, value, together;

	if (!is_operation(operation))
		return wrong(HDMABUF_STATUS_UNKNOWN_OPERATION, 4, operation);
	if (any_set(octets + 6, 2))
		return wrong(HDMABUF_STATUS_RESERVED, 6,
			     number_at(octets + 6, 2));
	zero = expect_zeros(octets, request_zeros, COUNT(request_zeros));
	if (zero.status)
		return zero;
	value = expect_values(octets, request_values, COUNT(request_values));
	together = expect_together(octets);
	if (!together.status)
		return value;
	if (!value.status || together.offset < value.offset)
		return together;
	return value;
}

static bool expect_answer(const uint8_t *octets)
{
	uint16_t operation = (uint16_t)number_at(octets + 4, 2);

	if (any_set(octets + 6, 2))
		return number_at(octets + 8, 4) <= HDMABUF_WHERE_PAGE &&
		       !any_set(octets + 12, 4) && !any_set(octets + 32, 32);
	if (!is_operation(operation) ||
	    expect_zeros(octets, answer_zeros, COUNT(answer_zeros)).status ||
	    expect_values(octets, answer_values, COUNT(answer_values)).status)
		return false;
	if (operation == HDMABUF_OP_HELLO)
		return !expect_together(octets).status;
	return operation != HDMABUF_OP_ALLOCATE || any_set(octets + 8, 16);
}

/* A request is refused as expected, or comes back octet for octet. */
static void check_request(const uint8_t *octets)
{
	struct hdmabuf_fault expected = expect_request(octets);
	struct hdmabuf_request request;
	struct hdmabuf_fault fault;
	union hdmabuf_message message;

	memcpy(message.octets, octets, sizeof(message));
	assert_int_equal(hdmabuf_request_decode(&message, &request, &fault),
			 expected.status);
	assert_int_equal(fault.status, expected.status);
	assert_int_equal(fault.where, expected.where);
	assert_true(fault.offset == expected.offset);
	assert_true(fault.value == expected.value);
	assert_int_equal(request.id, number_at(octets, 4));
	assert_int_equal(request.operation, number_at(octets + 4, 2));
	if (expected.status == HDMABUF_STATUS_OK) {
		hdmabuf_request_encode(&request, &message);
		assert_memory_equal(message.octets, octets, sizeof(message));
	}
}

static uint16_t expect_status(const uint8_t *octets)
{
	uint16_t status = (uint16_t)number_at(octets + 6, 2);

	return status > 22 || status == HDMABUF_STATUS_LOST ?
		       HDMABUF_STATUS_FAILED :
		       status;
}

static void check_answer(const uint8_t *octets)
{
	struct hdmabuf_answer answer;
	union hdmabuf_message message;
	uint8_t expected[HDMABUF_SLOT_OCTETS];

	memcpy(message.octets, octets, sizeof(message));
	assert_int_equal(hdmabuf_answer_decode(&message, &answer),
			 expect_answer(octets));
	assert_int_equal(answer.id, number_at(octets, 4));
	assert_int_equal(answer.operation, number_at(octets + 4, 2));
	assert_int_equal(answer.fault.status, expect_status(octets));
	if (!expect_answer(octets))
		return;
	memcpy(expected, octets, sizeof(expected));
	number_put(expected + 6, 2, expect_status(octets));
	hdmabuf_answer_encode(&answer, &message);
	assert_memory_equal(message.octets, expected, sizeof(expected));
}

/* HDB-BOTH-040: also LOST, which is never sent. */
static void each_status_of_an_answer_is_known_or_failed(void **state)
{
	uint8_t octets[HDMABUF_SLOT_OCTETS];
	size_t i;
	unsigned int status;

	(void)state;
	for (i = 0; i < COUNT(answers); i++) {
		for (status = 0; status < 64; status++) {
			parse(answers[i].octets, octets);
			number_put(octets + 6, 2, status);
			check_answer(octets);
		}
	}
}

static void each_bit_of_a_request_matters(void **state)
{
	size_t i, bit;

	(void)state;
	for (i = 0; i < COUNT(requests); i++) {
		for (bit = 0; bit < HDMABUF_SLOT_OCTETS * 8; bit++) {
			uint8_t octets[HDMABUF_SLOT_OCTETS];

			parse(requests[i].octets, octets);
			octets[bit / 8] ^= 1 << bit % 8;
			check_request(octets);
		}
	}
}

static void each_bit_of_an_answer_matters(void **state)
{
	size_t i, bit;

	(void)state;
	for (i = 0; i < COUNT(answers); i++) {
		for (bit = 0; bit < HDMABUF_SLOT_OCTETS * 8; bit++) {
			uint8_t octets[HDMABUF_SLOT_OCTETS];

			parse(answers[i].octets, octets);
			octets[bit / 8] ^= 1 << bit % 8;
			check_answer(octets);
		}
	}
}

/* A number that likes to lie at a border. */
static uint64_t draw_number(uint64_t *seed)
{
	static const uint64_t borders[] = { 0,
					    1,
					    2,
					    3,
					    4,
					    5,
					    8,
					    9,
					    255,
					    256,
					    257,
					    1023,
					    1024,
					    4096,
					    65535,
					    65536,
					    65537,
					    UINT32_MAX - 1,
					    UINT32_MAX,
					    (uint64_t)UINT32_MAX + 1,
					    UINT64_MAX - 1,
					    UINT64_MAX };
	uint64_t number = draw(seed);

	return number & 1 ? number : borders[(number >> 8) % COUNT(borders)];
}

/* An example with a few words overwritten. */
static void draw_octets(uint64_t *seed, const char *example, uint8_t *octets)
{
	unsigned int changes = draw(seed) % 4;

	parse(example, octets);
	while (changes--) {
		unsigned int width = draw(seed) & 1 ? 4 : 8;
		unsigned int place = draw(seed) % (HDMABUF_SLOT_OCTETS / width);

		if (place)
			number_put(octets + place * width, width,
				   draw_number(seed));
	}
}

static void damaged_requests_are_told_apart(void **state)
{
	uint64_t seed = 1;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		uint8_t octets[HDMABUF_SLOT_OCTETS];

		draw_octets(&seed, requests[i % COUNT(requests)].octets,
			    octets);
		check_request(octets);
	}
}

static void damaged_answers_are_told_apart(void **state)
{
	uint64_t seed = 2;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		uint8_t octets[HDMABUF_SLOT_OCTETS];

		draw_octets(&seed, answers[i % COUNT(answers)].octets, octets);
		check_answer(octets);
	}
}

static void octets_at_random_do_no_harm(void **state)
{
	uint64_t seed = 3;
	int i, word;

	(void)state;
	for (i = 0; i < 20000; i++) {
		uint8_t octets[HDMABUF_SLOT_OCTETS];

		for (word = 0; word < 8; word++)
			number_put(octets + word * 8, 8, draw(&seed));
		check_request(octets);
		check_answer(octets);
	}
}

/* ---- Round trips --------------------------------------------------------- */

static void draw_id(uint64_t *seed, struct hdmabuf_id *id)
{
	number_put(id->octets, 8, draw(seed));
	number_put(id->octets + 8, 8, draw(seed));
}

static void draw_echo(uint64_t *seed, uint8_t *octets)
{
	int i;

	for (i = 0; i < 56; i += 8)
		number_put(octets + i, 8, draw(seed));
}

static void draw_hello(uint64_t *seed, struct hdmabuf_hello_body *hello)
{
	hello->epoch_frontend = draw(seed);
	hello->epoch_backend = draw(seed);
	hello->features = draw(seed);
	hello->limits.max_octets = draw(seed);
	hello->limits.max_buffers = (uint32_t)draw(seed);
	hello->limits.max_timelines = (uint32_t)draw(seed);
	hello->limits.max_private = 1024 + (uint32_t)draw(seed) / 2;
	hello->limits.max_in_flight = 1 + (uint32_t)draw(seed) / 2;
}

static void draw_request(uint64_t *seed, struct hdmabuf_request *request)
{
	request->id = (uint32_t)draw(seed);
	draw_id(seed, &request->buffer);
	switch (request->operation) {
	case HDMABUF_OP_HELLO:
		draw_hello(seed, &request->hello);
		break;
	case HDMABUF_OP_CLOSE:
		request->reason = 1 + draw(seed) % 4;
		break;
	case HDMABUF_OP_ECHO:
		draw_echo(seed, request->echo);
		break;
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
		request->descriptor.reference = draw(seed);
		request->descriptor.length = 256 + draw(seed) % 65281;
		break;
	case HDMABUF_OP_UNEXPORT:
		request->grace_ms = (uint32_t)draw(seed);
		break;
	case HDMABUF_OP_HAND_OFF:
		request->hand_off.wait_point = draw(seed);
		request->hand_off.signal_point = draw(seed);
		request->hand_off.wait_timeline = (uint32_t)draw(seed) / 2;
		request->hand_off.signal_timeline = (uint32_t)draw(seed) / 2;
		request->hand_off.flags = draw(seed) & 1;
		request->hand_off.stamp = draw(seed);
		break;
	case HDMABUF_OP_ALLOCATE:
		request->allocate.size = 1 + draw(seed) / 2;
		request->allocate.tag = draw(seed);
		request->allocate.rights = 1 + draw(seed) % 3;
		request->allocate.attributes = 1 + draw(seed) % 2;
		if (draw(seed) & 1)
			break;
		request->allocate.modifier = draw(seed);
		request->allocate.width = 1 + (uint32_t)draw(seed) / 2;
		request->allocate.height = 1 + (uint32_t)draw(seed) / 2;
		request->allocate.fourcc = 1 + (uint32_t)draw(seed) / 2;
		break;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		request->cpu_access.offset = draw(seed) / 2;
		request->cpu_access.octets = 1 + draw(seed) / 2;
		request->cpu_access.access = 1 + draw(seed) % 3;
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
		request->timeline.number = (uint32_t)draw(seed);
		request->timeline.signaller = 1 + draw(seed) % 2;
		request->timeline.point = draw(seed);
		break;
	case HDMABUF_OP_TIMELINE_DESTROY:
		request->timeline.number = (uint32_t)draw(seed);
		break;
	}
}

/* These name no buffer, and carry no id. */
static bool names_a_buffer(uint16_t operation)
{
	return operation >= 0x10 && operation <= 0x18 &&
	       operation != HDMABUF_OP_ALLOCATE;
}

static void requests_come_back(void **state)
{
	uint64_t seed = 4;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct hdmabuf_request request, got;
		struct hdmabuf_fault fault;
		union hdmabuf_message message;

		memset(&request, 0, sizeof(request));
		memset(&got, 0, sizeof(got));
		request.operation =
			requests[i % COUNT(requests)].request.operation;
		draw_request(&seed, &request);
		hdmabuf_request_encode(&request, &message);
		assert_int_equal(hdmabuf_request_decode(&message, &got, &fault),
				 HDMABUF_STATUS_OK);
		if (!names_a_buffer(request.operation))
			memset(&request.buffer, 0, sizeof(request.buffer));
		assert_memory_equal(&got, &request, sizeof(got));
	}
}

static void draw_answer(uint64_t *seed, struct hdmabuf_answer *answer)
{
	answer->id = (uint32_t)draw(seed);
	if (draw(seed) & 1) {
		answer->fault.status = 1 + draw(seed) % 18;
		answer->fault.where = draw(seed) % 5;
		answer->fault.offset = draw(seed);
		answer->fault.value = draw(seed);
		return;
	}
	switch (answer->operation) {
	case HDMABUF_OP_HELLO:
		draw_hello(seed, &answer->hello);
		break;
	case HDMABUF_OP_ECHO:
		draw_echo(seed, answer->echo);
		break;
	case HDMABUF_OP_UNEXPORT:
		answer->mapped = draw(seed) & 1;
		break;
	case HDMABUF_OP_QUERY:
		answer->query.state = 1 + draw(seed) % 8;
		answer->query.rights = 1 + draw(seed) % 3;
		answer->query.size = draw(seed);
		answer->query.pages = draw(seed);
		answer->query.generation = draw(seed);
		answer->query.tag = draw(seed);
		answer->query.hand_offs = draw(seed);
		answer->query.type = 1 + draw(seed) % 3;
		answer->query.private_octets = (uint32_t)draw(seed);
		break;
	case HDMABUF_OP_ALLOCATE:
		draw_id(seed, &answer->buffer);
		break;
	}
}

static void answers_come_back(void **state)
{
	uint64_t seed = 5;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct hdmabuf_answer answer, got;
		union hdmabuf_message message;

		memset(&answer, 0, sizeof(answer));
		memset(&got, 0, sizeof(got));
		answer.operation =
			requests[i % COUNT(requests)].request.operation;
		draw_answer(&seed, &answer);
		hdmabuf_answer_encode(&answer, &message);
		assert_true(hdmabuf_answer_decode(&message, &got));
		assert_memory_equal(&got, &answer, sizeof(got));
	}
}

/* ---- Particular points --------------------------------------------------- */

/* TIMELINE_DESTROY has nothing but a number, whatever the structure holds. */
static void destroying_a_timeline_sends_its_number_only(void **state)
{
	const struct hdmabuf_request request = {
		.operation = HDMABUF_OP_TIMELINE_DESTROY,
		.timeline = { 7, HDMABUF_SIGNALLER_PEER, 9 },
	};
	struct hdmabuf_request got;
	struct hdmabuf_fault fault;
	union hdmabuf_message message;

	(void)state;
	memset(&got, 0xff, sizeof(got));
	hdmabuf_request_encode(&request, &message);
	assert_int_equal(hdmabuf_request_decode(&message, &got, &fault),
			 HDMABUF_STATUS_OK);
	assert_int_equal(got.timeline.number, 7);
	assert_int_equal(got.timeline.signaller, 0);
	assert_true(got.timeline.point == 0);
}

/* What ranks before what is wrong with the fields must be known all the same. */
static void a_faulty_request_is_read_in_full(void **state)
{
	struct hdmabuf_request request = {
		.id = 8,
		.operation = HDMABUF_OP_HAND_OFF,
		.buffer = ID_OCTETS,
		.hand_off = { .flags = 2, .signal_timeline = 5, .stamp = 77 },
	};
	struct hdmabuf_request got;
	struct hdmabuf_fault fault;
	union hdmabuf_message message;

	(void)state;
	memset(&got, 0, sizeof(got));
	hdmabuf_request_encode(&request, &message);
	message.octets[52] = 1;
	assert_int_equal(hdmabuf_request_decode(&message, &got, &fault),
			 HDMABUF_STATUS_RESERVED);
	assert_memory_equal(&got, &request, sizeof(got));
}

static uint16_t refusal(const struct hdmabuf_request *request,
			struct hdmabuf_fault *fault)
{
	struct hdmabuf_request got;
	union hdmabuf_message message;

	hdmabuf_request_encode(request, &message);
	check_request(message.octets);
	return hdmabuf_request_decode(&message, &got, fault);
}

/* Where another request names no buffer, the answer is NO_SUCH_BUFFER. */
static void only_export_needs_an_id_that_is_not_zero(void **state)
{
	struct hdmabuf_request request = { .descriptor = { 1, 256 } };
	struct hdmabuf_fault fault;

	(void)state;
	request.operation = HDMABUF_OP_EXPORT;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_INVALID);
	assert_true(fault.offset == 8 && fault.value == 0);
	request.operation = HDMABUF_OP_UPDATE;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_OK);
}

static void a_wish_is_for_a_size_or_a_picture(void **state)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_ALLOCATE,
		.allocate = { .rights = 1, .attributes = 1 },
	};
	struct hdmabuf_fault fault;

	(void)state;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_INVALID);
	assert_true(fault.offset == 8);
	request.allocate.size = 1;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_OK);
	request.allocate.modifier = 1;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_INVALID);
	assert_true(fault.offset == 24 && fault.value == 1);
	request.allocate.size = 0;
	request.allocate.width = 640;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_INVALID);
	assert_true(fault.offset == 36);
	request.allocate.height = 480;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_INVALID);
	assert_true(fault.offset == 40);
	request.allocate.fourcc = 0x34325258;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_OK);
	request.allocate.width = 0;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_INVALID);
	assert_true(fault.offset == 32);
	/* A height alone is a picture as well, though there is a size. */
	request.allocate.size = 1;
	request.allocate.modifier = 0;
	request.allocate.fourcc = 0;
	assert_int_equal(refusal(&request, &fault), HDMABUF_STATUS_INVALID);
	assert_true(fault.offset == 32);
}

static void an_unknown_operation_is_sent_as_a_header(void **state)
{
	const struct hdmabuf_request request = {
		.id = 0x01020304,
		.operation = 0x1234,
		.buffer = ID_OCTETS,
		.echo = { 1, 2, 3 },
	};
	const struct hdmabuf_answer answer = {
		.id = 0x01020304,
		.operation = 0x1234,
		.echo = { 1, 2, 3 },
	};
	uint8_t expected[HDMABUF_SLOT_OCTETS];
	union hdmabuf_message message;

	(void)state;
	parse("04030201 3412 0000 " ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS,
	      expected);
	memset(&message, 0xaa, sizeof(message));
	hdmabuf_request_encode(&request, &message);
	assert_memory_equal(message.octets, expected, sizeof(expected));
	memset(&message, 0xaa, sizeof(message));
	hdmabuf_answer_encode(&answer, &message);
	assert_memory_equal(message.octets, expected, sizeof(expected));
}

/* The order of HDB-BOTH-038, one group a row. */
static void faults_rank_as_they_are_to_be_reported(void **state)
{
	static const uint16_t order[][8] = {
		{ HDMABUF_STATUS_UNKNOWN_OPERATION },
		{ HDMABUF_STATUS_NOT_NEGOTIATED },
		{ HDMABUF_STATUS_WRONG_EPOCH, HDMABUF_STATUS_CLOSING },
		{ HDMABUF_STATUS_RESERVED },
		{ HDMABUF_STATUS_NO_SUCH_BUFFER,
		  HDMABUF_STATUS_NO_SUCH_TIMELINE },
		{ HDMABUF_STATUS_WRONG_ROLE },
		{ HDMABUF_STATUS_WRONG_STATE },
		{ HDMABUF_STATUS_INVALID, HDMABUF_STATUS_DUPLICATE },
		{ HDMABUF_STATUS_LIMIT },
		{ HDMABUF_STATUS_BAD_REFERENCE },
		{ HDMABUF_STATUS_UNSUPPORTED, HDMABUF_STATUS_DENIED,
		  HDMABUF_STATUS_NO_MEMORY, HDMABUF_STATUS_NO_REFERENCES,
		  HDMABUF_STATUS_BUSY, HDMABUF_STATUS_FAILED, 23, 65535 },
	};
	size_t row, i;

	(void)state;
	for (row = 0; row < COUNT(order); row++) {
		unsigned int rank = hdmabuf_fault_rank(order[row][0]);

		if (row)
			assert_true(rank >
				    hdmabuf_fault_rank(order[row - 1][0]));
		for (i = 1; i < 8 && order[row][i]; i++)
			assert_int_equal(hdmabuf_fault_rank(order[row][i]),
					 rank);
		assert_true(rank < hdmabuf_fault_rank(HDMABUF_STATUS_OK));
	}
}

static void ids_are_compared_in_full(void **state)
{
	const struct hdmabuf_id zero = { { 0 } };
	const struct hdmabuf_id id = ID_OCTETS;
	unsigned int bit;

	(void)state;
	assert_true(hdmabuf_id_equal(&id, &id));
	assert_true(hdmabuf_id_is_zero(&zero));
	assert_false(hdmabuf_id_is_zero(&id));
	for (bit = 0; bit < 128; bit++) {
		struct hdmabuf_id other = id, single = zero;

		other.octets[bit / 8] ^= 1 << bit % 8;
		single.octets[bit / 8] = 1 << bit % 8;
		assert_false(hdmabuf_id_equal(&id, &other));
		assert_false(hdmabuf_id_is_zero(&single));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_have_the_octets_of_their_diagrams),
		cmocka_unit_test(requests_are_read_from_their_diagrams),
		cmocka_unit_test(answers_have_the_octets_of_their_diagrams),
		cmocka_unit_test(answers_are_read_from_their_diagrams),
		cmocka_unit_test(an_answer_that_is_ok_has_no_fault),
		cmocka_unit_test(each_status_of_an_answer_is_known_or_failed),
		cmocka_unit_test(each_bit_of_a_request_matters),
		cmocka_unit_test(each_bit_of_an_answer_matters),
		cmocka_unit_test(damaged_requests_are_told_apart),
		cmocka_unit_test(damaged_answers_are_told_apart),
		cmocka_unit_test(octets_at_random_do_no_harm),
		cmocka_unit_test(requests_come_back),
		cmocka_unit_test(answers_come_back),
		cmocka_unit_test(destroying_a_timeline_sends_its_number_only),
		cmocka_unit_test(a_faulty_request_is_read_in_full),
		cmocka_unit_test(only_export_needs_an_id_that_is_not_zero),
		cmocka_unit_test(a_wish_is_for_a_size_or_a_picture),
		cmocka_unit_test(an_unknown_operation_is_sent_as_a_header),
		cmocka_unit_test(faults_rank_as_they_are_to_be_reported),
		cmocka_unit_test(ids_are_compared_in_full),
	};

	return hdmabuf_test_run("codec", tests, COUNT(tests));
}
