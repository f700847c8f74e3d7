/* SPDX-License-Identifier: MIT */
/* import.c - what an importer does with EXPORT, descriptors and directories */
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- refused descriptors ------------------------------------------------ */

/**
 * struct wrong_field - a descriptor with one value that is not allowed
 * @place: of the field
 * @value: of it
 * @status: that the importer has to answer with
 * @clause: that says so
 */
struct wrong_field {
	unsigned int place;
	uint64_t value;
	uint16_t status;
	enum clause clause;
};

static const struct wrong_field wrong_fields[] = {
	{ DESCRIPTOR_MAGIC, 0, HDMABUF_STATUS_INVALID, HDB_IMP_009 },
	{ DESCRIPTOR_SIZE, 0, HDMABUF_STATUS_INVALID, HDB_IMP_009 },
	{ DESCRIPTOR_PAGES, 2, HDMABUF_STATUS_INVALID, HDB_IMP_011 },
	{ DESCRIPTOR_RIGHTS, 0, HDMABUF_STATUS_INVALID, HDB_IMP_009 },
	{ DESCRIPTOR_RIGHTS, 4, HDMABUF_STATUS_INVALID, HDB_IMP_009 },
};

static void refuse_field(struct end *end, const struct wrong_field *wrong)
{
	struct buffer buffer;
	message_t answer;
	char what[128];

	snprintf(what, sizeof(what),
		 "a descriptor with %" PRIu64 " at offset %zu", wrong->value,
		 wire_offset(wrong->place));
	comment(end->test, "%s", what);
	buffer_make(end, &buffer, NULL);
	wire_put(buffer.descriptor, wrong->place, wrong->value);
	if (check_status(end->test, wrong->clause,
			 buffer_export(&buffer, answer), wrong->status, "%s",
			 what))
		check_where(end->test, answer, HDMABUF_WHERE_DESCRIPTOR,
			    wire_offset(wrong->place), what);
	check_status(end->test, HDB_BOTH_037, buffer_query(&buffer, NULL),
		     HDMABUF_STATUS_NO_SUCH_BUFFER,
		     "QUERY of a buffer that was refused");
}

static void wrong_descriptors(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < sizeof(wrong_fields) / sizeof(wrong_fields[0]);
	     i++)
		refuse_field(end, &wrong_fields[i]);
}

/* ---- what was imported is what was exported ------------------------------ */

static void data_is_seen(struct test *test)
{
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 3 * 4096 + 17,
				   .offset = 100,
				   .scattered = true };
	struct buffer buffer;
	const char *seen;
	char name[33], expected[32];

	buffer_share(end, &buffer, &plan);
	buffer_hand_off(&buffer, HDMABUF_NO_TIMELINE, 0, NULL);
	seen = event_await(test, "turn %s", buffer_name(&buffer, name));
	if (!seen)
		inconclusive(test, "the IUT does not tell of the hand-off");
	snprintf(expected, sizeof(expected), "stamp=0 crc=%08x",
		 buffer_crc(&buffer));
	check(test, HDB_PLAT_006, !strcmp(seen, expected),
	      "'%s' expected for data over four scattered pages, '%s' seen",
	      expected, seen);
}

static const struct test_case cases[] = {
	TEST(wrong_descriptors,
	     "A descriptor with a value that is not allowed is refused",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_009, HDB_IMP_011, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(data_is_seen, "The importer sees the data that the exporter wrote",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_PLAT_006),
};

TEST_GROUP(import, cases);
