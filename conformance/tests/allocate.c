/* SPDX-License-Identifier: MIT */
/* allocate.c - buffers that one end asks the other to allocate */
#include "conformance/tests/buffers.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONES	 UINT64_MAX
#define XRGB8888 0x34325258

static uint32_t page_octets(const struct end *end)
{
	return 1u << end->platform.ops->page_shift;
}

/* ---- wishes ------------------------------------------------------------- */

/* What is 0 is not wished for; rights and attributes have the least there is. */
struct wish {
	uint64_t size;
	uint64_t tag;
	uint64_t modifier;
	uint32_t width;
	uint32_t height;
	uint32_t fourcc;
	uint32_t rights;
	uint32_t attributes;
};

static void wish_message(const struct wish *wish, message_t message)
{
	message_init(message, HDMABUF_OP_ALLOCATE);
	wire_put(message, ALLOCATE_SIZE, wish->size);
	wire_put(message, ALLOCATE_TAG, wish->tag);
	wire_put(message, ALLOCATE_MODIFIER, wish->modifier);
	wire_put(message, ALLOCATE_WIDTH, wish->width);
	wire_put(message, ALLOCATE_HEIGHT, wish->height);
	wire_put(message, ALLOCATE_FOURCC, wish->fourcc);
	wire_put(message, ALLOCATE_RIGHTS,
		 wish->rights ? wish->rights : HDMABUF_RIGHTS_READ_ONLY);
	wire_put(message, ALLOCATE_ATTRIBUTES,
		 wish->attributes ? wish->attributes :
				    HDMABUF_ATTRIBUTE_CACHED);
}

static uint16_t ask_for(struct end *end, const struct wish *wish,
			uint8_t *answer)
{
	message_t message;

	wish_message(wish, message);
	return end_ask(end, message, answer);
}

/* ---- wishes that are fulfilled ---------------------------------------------- */

static const struct {
	struct wish wish;
	enum claim claim;
	const char *text;
} wishes[] = {
	{ { .size = 1 }, 0, "an octet" },
	{ { .size = 4096, .tag = 7 }, 0, "a page" },
	{ { .size = 4097, .tag = ONES }, 0, "a page and an octet" },
	{ { .size = 1000000, .rights = HDMABUF_RIGHTS_READ_WRITE },
	  0,
	  "a megabyte, read-write" },
	{ { .size = 4096, .rights = HDMABUF_RIGHTS_LEND },
	  OPTION_LEND,
	  "a page that is lent" },
	{ { .size = 4096, .attributes = HDMABUF_ATTRIBUTE_WRITE_COMBINED },
	  OPTION_WRITE_COMBINED,
	  "a page that is write-combined" },
	{ { .width = 64, .height = 32, .fourcc = XRGB8888, .tag = 8 },
	  0,
	  "a picture" },
	{ { .size = 64 * 32 * 4, .width = 64, .height = 32, .fourcc = XRGB8888 },
	  0,
	  "a picture of a certain size" },
	{ { .size = 100000, .width = 64, .height = 32, .fourcc = XRGB8888 },
	  0,
	  "a picture with room behind it" },
};

static void check_property(struct end *end, unsigned int place,
			   uint64_t expected, const char *name,
			   const char *what)
{
	uint64_t seen = wire_get(end->descriptor, place);

	check(end->test, HDB_EXP_017, seen == expected,
	      "%s: %s is %" PRIu64 ", not %" PRIu64, what, name, seen,
	      expected);
}

/* The descriptor that came last. */
static void check_properties(struct end *end, const struct wish *wish,
			     const char *what)
{
	message_t asked;

	wish_message(wish, asked);
	check_property(end, DESCRIPTOR_TAG, wish->tag, "tag", what);
	check_property(end, DESCRIPTOR_RIGHTS, wire_get(asked, ALLOCATE_RIGHTS),
		       "rights", what);
	check_property(end, DESCRIPTOR_ATTRIBUTES,
		       wire_get(asked, ALLOCATE_ATTRIBUTES), "attributes",
		       what);
	if (wish->size)
		check_property(end, DESCRIPTOR_SIZE, wish->size, "size", what);
	if (!wish->width)
		return;
	check_property(end, DESCRIPTOR_TYPE, HDMABUF_TYPE_PICTURE, "type",
		       what);
	check_property(end, PICTURE_WIDTH, wish->width, "width", what);
	check_property(end, PICTURE_HEIGHT, wish->height, "height", what);
	check_property(end, PICTURE_FOURCC, wish->fourcc, "fourcc", what);
	check_property(end, PICTURE_MODIFIER, wish->modifier, "modifier", what);
}

/* The EXPORT that follows an answer with OK. */
static struct their_buffer *await_export(struct end *end, const uint8_t *answer,
					 const char *what)
{
	const uint8_t *id = answer + wire_offset(ALLOCATE_ANSWER_ID);
	struct received *request = end_await_request(end, HDMABUF_OP_EXPORT);

	require(end->test, HDB_EXP_017, request,
		"%s: ALLOCATE is answered with OK, and no EXPORT comes", what);
	require(end->test, HDB_EXP_017,
		!memcmp(request->octets + wire_offset(EXPORT_ID), id, 16),
		"%s: another id is exported than ALLOCATE was answered with",
		what);
	return end_find_buffer(end, id);
}

static void fulfil(struct end *end, const struct wish *wish, const char *what)
{
	struct their_buffer *buffer;
	message_t answer;

	comment(end->test, "%s", what);
	if (!check_taken(end->test, HDB_EXP_017, ask_for(end, wish, answer),
			 what))
		return;
	check(end->test, HDB_BOTH_069,
	      !wire_is_zero(answer + wire_offset(ALLOCATE_ANSWER_ID), 16),
	      "%s: the answer has the id that is all zero", what);
	buffer = await_export(end, answer, what);
	check_properties(end, wish, what);
	check(end->test, HDB_EXP_016,
	      buffer && end_map_buffer(end, buffer, HDMABUF_RIGHTS_READ_ONLY),
	      "%s: the buffer that is exported is not there", what);
}

static void wishes_are_fulfilled(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(wishes); i++)
		if (!wishes[i].claim || test_claims(test, wishes[i].claim))
			fulfil(end, &wishes[i].wish, wishes[i].text);
}

/* ---- wishes that are wrong ---------------------------------------------------- */

/**
 * struct wrong_wish - a wish that is refused
 * @wish: the wish
 * @status: of the answer
 * @first: offset of the first field that may be blamed
 * @last: of the last one
 * @text: what is wrong
 */
struct wrong_wish {
	struct wish wish;
	uint16_t status;
	size_t first, last;
	const char *text;
};

#define HALF	24, 40
#define RIGHTS	44, 44
#define MAPPING 48, 48

static const struct wrong_wish wrong_wishes[] = {
	{ { .tag = 1 },
	  HDMABUF_STATUS_INVALID,
	  8,
	  8,
	  "neither size nor picture" },
	{ { .width = 64 }, HDMABUF_STATUS_INVALID, HALF, "a width alone" },
	{ { .height = 32 }, HDMABUF_STATUS_INVALID, HALF, "a height alone" },
	{ { .fourcc = XRGB8888 },
	  HDMABUF_STATUS_INVALID,
	  HALF,
	  "a format alone" },
	{ { .size = 4096, .width = 64, .height = 32 },
	  HDMABUF_STATUS_INVALID,
	  HALF,
	  "a picture without format" },
	{ { .size = 4096, .width = 64, .fourcc = XRGB8888 },
	  HDMABUF_STATUS_INVALID,
	  HALF,
	  "a picture without height" },
	{ { .size = 4096, .height = 64, .fourcc = XRGB8888 },
	  HDMABUF_STATUS_INVALID,
	  HALF,
	  "a picture without width" },
	{ { .size = 4096, .modifier = 1 },
	  HDMABUF_STATUS_INVALID,
	  HALF,
	  "a modifier without picture" },
	{ { .size = 4096, .rights = 4 },
	  HDMABUF_STATUS_INVALID,
	  RIGHTS,
	  "the rights 4" },
	{ { .size = 4096, .rights = UINT32_MAX },
	  HDMABUF_STATUS_INVALID,
	  RIGHTS,
	  "the rights 2^32 - 1" },
	{ { .size = 4096, .attributes = 3 },
	  HDMABUF_STATUS_INVALID,
	  MAPPING,
	  "the attribute 3" },
	{ { .size = 4096, .attributes = UINT32_MAX },
	  HDMABUF_STATUS_INVALID,
	  MAPPING,
	  "the attribute 2^32 - 1" },
};

/* Blames the field that is at hand, of those that may be. */
static void check_blamed(struct test *test, const uint8_t *answer, size_t first,
			 size_t last, const char *what)
{
	uint64_t seen = wire_get(answer, ERROR_OFFSET);

	check_where(test, answer, HDMABUF_WHERE_REQUEST,
		    seen > first && seen <= last ? seen : first, what);
}

static void refuse(struct end *end, message_t message, uint16_t status,
		   enum clause clause, message_t answer, const char *what)
{
	comment(end->test, "%s", what);
	check_status(end->test, clause, end_ask(end, message, answer), status,
		     "ALLOCATE with %s", what);
	check(end->test, HDB_BOTH_037, asks_nothing(end, HDMABUF_OP_EXPORT),
	      "ALLOCATE with %s is refused, and EXPORT comes all the same",
	      what);
}

static void wrong_wishes_are_refused(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(wrong_wishes); i++) {
		const struct wrong_wish *wrong = &wrong_wishes[i];
		message_t message, answer;

		wish_message(&wrong->wish, message);
		refuse(end, message, wrong->status, HDB_BOTH_038, answer,
		       wrong->text);
		check_blamed(test, answer, wrong->first, wrong->last,
			     wrong->text);
	}
}

/* That no rights or attributes are asked for is no wish. */
static void nothing_is_no_wish(struct test *test)
{
	static const unsigned int places[] = { ALLOCATE_RIGHTS,
					       ALLOCATE_ATTRIBUTES };
	static const struct wish wish = { .size = 4096 };
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		message_t message, answer;

		wish_message(&wish, message);
		wire_put(message, places[i], 0);
		refuse(end, message, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
		       answer, i ? "the attribute 0" : "the rights 0");
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(places[i]), "ALLOCATE");
	}
}

static void zeros_of_allocate(struct test *test)
{
	static const struct wish wish = { .size = 4096 };
	struct end *end = test_connect(test);

	for (size_t at = wire_offset(ALLOCATE_ZERO); at < WIRE_MESSAGE_OCTETS;
	     at++) {
		size_t field = at < wire_offset(ALLOCATE_ZERO1) ?
				       wire_offset(ALLOCATE_ZERO) :
				       wire_offset(ALLOCATE_ZERO1);
		message_t message, answer;
		what_t what;

		snprintf(what, sizeof(what), "octet %zu that is not zero", at);
		wish_message(&wish, message);
		message[at] = (uint8_t)(1u << at % 8);
		refuse(end, message, HDMABUF_STATUS_RESERVED, HDB_BOTH_002,
		       answer, what);
		check_where(test, answer, HDMABUF_WHERE_REQUEST, field, what);
	}
}

/* ---- features ----------------------------------------------------------- */

static const struct {
	uint64_t feature;
	struct wish wish;
	const char *text;
} behind_features[] = {
	{ HDMABUF_FEATURE_ALLOCATE, { .size = 4096 }, "the feature ALLOCATE" },
	{ HDMABUF_FEATURE_ALLOCATE, { .tag = 1 }, "the feature ALLOCATE" },
	{ HDMABUF_FEATURE_LEND,
	  { .size = 4096, .rights = HDMABUF_RIGHTS_LEND },
	  "the feature LEND" },
	{ HDMABUF_FEATURE_WRITE_COMBINED,
	  { .size = 4096, .attributes = HDMABUF_ATTRIBUTE_WRITE_COMBINED },
	  "the feature WRITE_COMBINED" },
};

static void features_are_refused(struct test *test)
{
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(behind_features); i++) {
		message_t message, answer;
		what_t what;

		snprintf(what, sizeof(what), "%s not accepted",
			 behind_features[i].text);
		end->greeting.features = HDMABUF_FEATURES_ALL &
					 ~behind_features[i].feature;
		end_greet(end);
		wish_message(&behind_features[i].wish, message);
		refuse(end, message, HDMABUF_STATUS_NOT_NEGOTIATED,
		       HDB_BOTH_019, answer, what);
		end_abandon(end);
	}
}

/* ---- limits ------------------------------------------------------------- */

static void check_limit(struct end *end, uint64_t size, uint64_t limit,
			enum clause clause, const char *what)
{
	const struct wish wish = { .size = size };
	message_t message, answer;

	wish_message(&wish, message);
	refuse(end, message, HDMABUF_STATUS_LIMIT, clause, answer, what);
	check_value(end->test, answer, limit, what);
}

/* Of the suite, which must not be offered more than it takes. */
static void limits_are_kept(struct test *test)
{
	struct end *end = test_open(test);
	uint64_t most = 4ull * page_octets(end);

	end->greeting.max_octets = most;
	end_greet(end);
	check_limit(end, most + 1, most, HDB_EXP_008,
		    "an octet more than max_octets");
	check_limit(end, 1ull << 40, most, HDB_BOTH_022, "2^40 octets");
	check_limit(end, 1ull << 62, most, HDB_BOTH_022, "2^62 octets");
	check_limit(end, ONES, most, HDB_BOTH_022, "2^64 - 1 octets");
	end_abandon(end);
	end->greeting.max_buffers = 0;
	end->greeting.max_octets = 0;
	end_greet(end);
	check_limit(end, 1, 0, HDB_EXP_008,
		    "an octet, where nothing is imported");
}

/* What was allocated before counts. */
static void limits_count_what_is_there(struct test *test)
{
	struct end *end = test_open(test);
	uint64_t most = 4ull * page_octets(end);
	const struct wish page = { .size = 1 };
	const struct wish rest = { .size = most - page_octets(end) };
	const struct wish picture = { .width = 1024,
				      .height = 1024,
				      .fourcc = XRGB8888 };
	message_t message, answer;

	end->greeting.max_octets = most;
	end->greeting.max_buffers = 2;
	end_greet(end);
	wish_message(&picture, message);
	refuse(end, message, HDMABUF_STATUS_LIMIT, HDB_EXP_008, answer,
	       "a picture that is larger than max_octets");
	fulfil(end, &page, "a page");
	check_limit(end, rest.size + 1, most, HDB_EXP_008,
		    "an octet more than there is left of max_octets");
	fulfil(end, &rest, "what there is left of max_octets");
	wish_message(&page, message);
	refuse(end, message, HDMABUF_STATUS_LIMIT, HDB_EXP_008, answer,
	       "a page where nothing is left");
}

static void limit_of_buffers(struct test *test)
{
	struct end *end = test_open(test);
	const struct wish page = { .size = 1 };
	message_t message, answer;

	end->greeting.max_buffers = 1;
	end_greet(end);
	fulfil(end, &page, "a first buffer");
	wish_message(&page, message);
	refuse(end, message, HDMABUF_STATUS_LIMIT, HDB_EXP_008, answer,
	       "a second buffer, where max_buffers is 1");
}

/* ---- what cannot be provided ------------------------------------------------- */

static const struct {
	struct wish wish;
	const char *text;
} unsupported[] = {
	{ { .width = 64, .height = 32, .fourcc = 0x20202020 },
	  "a format that does not exist" },
	{ { .width = 64, .height = 32, .fourcc = UINT32_MAX },
	  "the format 2^32 - 1" },
	{ { .width = 64,
	    .height = 32,
	    .fourcc = XRGB8888,
	    .modifier = 0x00ffffffffffffff },
	  "a modifier that does not exist" },
	{ { .width = 64, .height = 32, .fourcc = XRGB8888, .modifier = ONES },
	  "the modifier 2^64 - 1" },
};

static void what_cannot_be_had(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(unsupported); i++) {
		message_t message, answer;

		wish_message(&unsupported[i].wish, message);
		refuse(end, message, HDMABUF_STATUS_UNSUPPORTED, HDB_BOTH_038,
		       answer, unsupported[i].text);
	}
}

static void wishes_are_denied(struct test *test)
{
	struct end *end = test_connect(test);
	static const struct wish wish = { .size = 4096, .tag = 9 };
	message_t message, answer;

	control(test, "reject %u", HDMABUF_STATUS_DENIED);
	wish_message(&wish, message);
	refuse(end, message, HDMABUF_STATUS_DENIED, HDB_BOTH_037, answer,
	       "what the application does not want");
	fulfil(end, &wish, "the same wish again");
}

/* ---- wishes of the IUT ---------------------------------------------------- */

static struct received *tell_wish(struct end *end, const char *what)
{
	struct received *request;

	control(end->test, "allocate %s", what);
	request = end_await_request(end, HDMABUF_OP_ALLOCATE);
	if (!request)
		inconclusive(end->test, "the IUT sends no ALLOCATE");
	return request;
}

static const struct {
	const char *command;
	struct wish wish;
} told[] = {
	{ "size=4096", { .size = 4096 } },
	{ "size=1 tag=18446744073709551615 rights=read-write",
	  { .size = 1, .tag = ONES, .rights = HDMABUF_RIGHTS_READ_WRITE } },
	{ "width=64 height=32 fourcc=875713112 tag=3",
	  { .width = 64, .height = 32, .fourcc = XRGB8888, .tag = 3 } },
};

static void wishes_are_in_order(struct test *test)
{
	struct end *end = test_connect(test);

	end->serves = false;
	for (size_t i = 0; i < COUNT_OF(told); i++) {
		struct received *request = tell_wish(end, told[i].command);
		message_t expected;

		wish_message(&told[i].wish, expected);
		wire_put(expected, HEADER_ID,
			 wire_get(request->octets, HEADER_ID));
		check(test, HDB_BOTH_001,
		      wire_is_zero(request->octets + wire_offset(ALLOCATE_ZERO),
				   WIRE_MESSAGE_OCTETS -
					   wire_offset(ALLOCATE_ZERO)),
		      "a zero field of ALLOCATE is not zero");
		if (memcmp(request->octets, expected, sizeof(expected)))
			inconclusive(
				test,
				"the IUT asks for something else than it was told to");
		end_answer_status(end, request, HDMABUF_STATUS_UNSUPPORTED);
	}
}

static const struct {
	uint16_t status;
	int told;
} refusals[] = {
	{ HDMABUF_STATUS_LIMIT, HDMABUF_STATUS_LIMIT },
	{ HDMABUF_STATUS_UNSUPPORTED, HDMABUF_STATUS_UNSUPPORTED },
	{ HDMABUF_STATUS_DENIED, HDMABUF_STATUS_DENIED },
	{ HDMABUF_STATUS_NO_REFERENCES, HDMABUF_STATUS_NO_REFERENCES },
	{ 999, HDMABUF_STATUS_FAILED },
	{ UINT16_MAX, HDMABUF_STATUS_FAILED },
};

static void refusals_are_told(struct test *test)
{
	struct end *end = test_connect(test);

	end->serves = false;
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		const char *seen;

		end_answer_status(end, tell_wish(end, "size=4096"),
				  refusals[i].status);
		seen = event_await(test, "allocated -");
		check(test, HDB_BOTH_040,
		      seen && atoi(seen) == refusals[i].told,
		      "ALLOCATE was answered with %u, and %s is told",
		      refusals[i].status, seen ? seen : "nothing");
	}
}

/* The suite exports what it was asked for, or so it says. */
static void what_was_wished_is_taken(struct test *test)
{
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 5000, .tag = 7 };
	struct received *request;
	struct buffer buffer;
	message_t answer = { 0 };

	end->serves = false;
	request = tell_wish(end, "size=5000 tag=7");
	buffer_make(end, &buffer, &plan);
	memcpy(answer + wire_offset(ALLOCATE_ANSWER_ID), buffer.id, 16);
	end_answer(end, request, answer);
	check_taken(test, HDB_IMP_009, buffer_export(&buffer, NULL),
		    "the buffer that ALLOCATE has asked for");
	check_query(&buffer, HDB_BOTH_069, buffer.descriptor,
		    "the buffer that ALLOCATE has asked for");
}

#define ASKED  (OPTION_ALLOCATE)
#define GIVEN  (OPTION_ALLOCATE | OPTION_ALLOCATES)
#define ASKING (OPTION_ALLOCATE | OPTION_CONTROL)

static const struct test_case cases[] = {
	TEST(features_are_refused,
	     "ALLOCATE is refused if a feature that it needs was not accepted",
	     OF_BOTH, 0, HDB_BOTH_019, HDB_BOTH_037),
	TEST(wishes_are_fulfilled,
	     "What ALLOCATE asks for is exported as it is asked for", OF_BOTH,
	     GIVEN, HDB_EXP_016, HDB_EXP_017, HDB_BOTH_069),
	TEST(wrong_wishes_are_refused,
	     "ALLOCATE with half a wish, or a wrong one, is refused", OF_BOTH,
	     ASKED, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039),
	TEST(nothing_is_no_wish,
	     "ALLOCATE without rights, or without attribute, is refused",
	     OF_BOTH, ASKED, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039),
	TEST(zeros_of_allocate,
	     "ALLOCATE in which a zero field is not zero is refused", OF_BOTH,
	     ASKED, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_039),
	TEST(limits_are_kept,
	     "ALLOCATE of more than its sender takes is refused", OF_BOTH,
	     ASKED, HDB_EXP_008, HDB_BOTH_022, HDB_BOTH_037, HDB_BOTH_039),
	TEST(limits_count_what_is_there,
	     "ALLOCATE of more than there is left of max_octets is refused",
	     OF_BOTH, GIVEN, HDB_EXP_008, HDB_EXP_016, HDB_EXP_017,
	     HDB_BOTH_037, HDB_BOTH_039, HDB_BOTH_069),
	TEST(limit_of_buffers,
	     "ALLOCATE of more buffers than max_buffers is refused", OF_BOTH,
	     GIVEN, HDB_EXP_008, HDB_EXP_016, HDB_EXP_017, HDB_BOTH_037,
	     HDB_BOTH_069),
	TEST(what_cannot_be_had,
	     "ALLOCATE of a picture that nobody knows is refused", OF_BOTH,
	     GIVEN, HDB_BOTH_037, HDB_BOTH_038),
	TEST(wishes_are_denied,
	     "ALLOCATE that the application does not want leaves nothing",
	     OF_BOTH, GIVEN | OPTION_CONTROL, HDB_EXP_016, HDB_EXP_017,
	     HDB_BOTH_037, HDB_BOTH_069),
	TEST(wishes_are_in_order, "ALLOCATE of the IUT is in order", OF_BOTH,
	     ASKING, HDB_BOTH_001),
	TEST(refusals_are_told,
	     "Why ALLOCATE was refused is told, known or not", OF_BOTH,
	     ASKING | OPTION_EVENTS, HDB_BOTH_040),
	TEST(what_was_wished_is_taken,
	     "The buffer that ALLOCATE has asked for is imported", OF_BOTH,
	     ASKING | OPTION_IMPORT | OPTION_RAW, HDB_IMP_009, HDB_BOTH_069),
};

TEST_GROUP(allocate, cases);
