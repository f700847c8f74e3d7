/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include <hdmabuf/fault.h>

#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct name {
	unsigned int number;
	const char *text;
};

/* Written down from the chapter *Messages*, not from the enumeration. */
static const struct name operations[] = {
	{ 0x01, "HELLO" },
	{ 0x02, "CLOSE" },
	{ 0x03, "ECHO" },
	{ 0x10, "EXPORT" },
	{ 0x11, "UPDATE" },
	{ 0x12, "UNEXPORT" },
	{ 0x13, "RELEASED" },
	{ 0x14, "HAND_OFF" },
	{ 0x15, "QUERY" },
	{ 0x16, "ALLOCATE" },
	{ 0x17, "CPU_BEGIN" },
	{ 0x18, "CPU_END" },
	{ 0x20, "TIMELINE_CREATE" },
	{ 0x21, "TIMELINE_DESTROY" },
};

static const struct name places[] = {
	{ 0, "nowhere" },   { 1, "request" }, { 2, "descriptor" },
	{ 3, "directory" }, { 4, "page" },    { 5, "channel" },
};

static const char *expected(const struct name *names, size_t count,
			    unsigned int number, const char *otherwise)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (names[i].number == number)
			return names[i].text;
	return otherwise;
}

static void set_fills_everything(void **state)
{
	struct hdmabuf_fault fault;

	(void)state;
	memset(&fault, 0x55, sizeof(fault));
	assert_int_equal(hdmabuf_fault_set(&fault, HDMABUF_STATUS_INVALID,
					   HDMABUF_WHERE_DESCRIPTOR, 80,
					   UINT64_MAX),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(fault.status, HDMABUF_STATUS_INVALID);
	assert_int_equal(fault.where, HDMABUF_WHERE_DESCRIPTOR);
	assert_true(fault.offset == 80);
	assert_true(fault.value == UINT64_MAX);
}

static void every_operation_has_its_name(void **state)
{
	unsigned int number;

	(void)state;
	for (number = 0; number <= UINT16_MAX; number++)
		assert_string_equal(hdmabuf_operation_text((uint16_t)number),
				    expected(operations, COUNT(operations),
					     number, "unknown operation"));
}

static void every_place_has_its_name(void **state)
{
	static const uint32_t far[] = { 0x10000, 0x10005, 0x80000000,
					UINT32_MAX };
	unsigned int number;
	size_t i;

	(void)state;
	for (number = 0; number <= UINT16_MAX; number++)
		assert_string_equal(hdmabuf_where_text(number),
				    expected(places, COUNT(places), number,
					     "unknown place"));
	for (i = 0; i < COUNT(far); i++)
		assert_string_equal(hdmabuf_where_text(far[i]),
				    "unknown place");
}

/* The 23 of the protocol, each with words of its own that can be put in a line. */
static void every_status_has_words(void **state)
{
	unsigned int number, other;
	const char *text;

	(void)state;
	for (number = 0; number <= 22; number++) {
		text = hdmabuf_status_text((uint16_t)number);
		assert_true(strlen(text) >= 4);
		assert_true(islower((unsigned char)text[0]));
		assert_null(strpbrk(text, ".\n"));
		assert_string_not_equal(text, "unknown status");
		for (other = 0; other < number; other++)
			assert_string_not_equal(
				text, hdmabuf_status_text((uint16_t)other));
	}
	for (number = 23; number <= UINT16_MAX; number++)
		assert_string_equal(hdmabuf_status_text((uint16_t)number),
				    "unknown status");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_everything),
		cmocka_unit_test(every_operation_has_its_name),
		cmocka_unit_test(every_place_has_its_name),
		cmocka_unit_test(every_status_has_words),
	};

	return hdmabuf_test_run("fault", tests, COUNT(tests));
}
