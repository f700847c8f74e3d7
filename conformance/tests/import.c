/* SPDX-License-Identifier: MIT */
/* import.c - what an importer does with EXPORT and descriptors */
#include "conformance/tests/buffers.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ONES UINT64_MAX

static uint32_t page_octets(const struct end *end)
{
	return 1u << end->platform.ops->page_shift;
}

/* ---- what is in order --------------------------------------------------- */

/* The least and the most of each field; a page is 1 here, as -1 is the last octet. */
static const struct {
	int pages;
	int64_t size;
	int offset_pages;
	int offset;
	uint32_t rights;
	uint64_t tag;
	enum claim claim;
} in_order[] = {
	{ 0, 1, 0, 0, HDMABUF_RIGHTS_READ_ONLY, 0, 0 },
	{ 0, 2, 0, 0, HDMABUF_RIGHTS_READ_ONLY, 1, 0 },
	{ 1, -1, 0, 0, HDMABUF_RIGHTS_READ_ONLY, ONES, 0 },
	{ 1, 0, 0, 0, HDMABUF_RIGHTS_READ_ONLY, 1ull << 63, 0 },
	{ 1, 1, 0, 0, HDMABUF_RIGHTS_READ_ONLY, UINT32_MAX, 0 },
	{ 1, -1, 0, 1, HDMABUF_RIGHTS_READ_ONLY, 0, 0 },
	{ 1, 0, 0, 1, HDMABUF_RIGHTS_READ_ONLY, 0, 0 },
	{ 0, 1, 1, -1, HDMABUF_RIGHTS_READ_ONLY, 0, 0 },
	{ 0, 2, 1, -1, HDMABUF_RIGHTS_READ_ONLY, 0, 0 },
	{ 1, 1, 1, -1, HDMABUF_RIGHTS_READ_ONLY, 0, 0 },
	{ 1, 2, 1, -1, HDMABUF_RIGHTS_READ_ONLY, 0, 0 },
	{ 7, 77, 0, 2048, HDMABUF_RIGHTS_READ_WRITE, 77, 0 },
	{ 1, 0, 0, 0, HDMABUF_RIGHTS_LEND, 78, OPTION_LEND },
};

static void is_taken(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t page = page_octets(end);

	for (size_t i = 0; i < COUNT_OF(in_order); i++) {
		const struct plan plan = {
			.size = (uint64_t)(in_order[i].pages * (int64_t)page +
					   in_order[i].size),
			.offset = (uint32_t)(in_order[i].offset_pages *
						     (int)page +
					     in_order[i].offset),
			.rights = in_order[i].rights,
			.tag = in_order[i].tag,
		};
		struct buffer buffer;
		what_t what;

		if (in_order[i].claim && !test_claims(test, in_order[i].claim))
			continue;
		snprintf(what, sizeof(what),
			 "a buffer of %" PRIu64 " octets at offset %u",
			 plan.size, plan.offset);
		comment(test, "%s", what);
		buffer_make(end, &buffer, &plan);
		if (!check_taken(test, HDB_IMP_009,
				 buffer_export(&buffer, NULL), what))
			continue;
		check_query(&buffer, HDB_BOTH_069, buffer.descriptor, what);
		give_back(&buffer);
	}
}

/* ---- wrong fields of descriptors ----------------------------------------- */

#define WRONG(place, making, value) \
	{ \
		place, making, value, HDMABUF_STATUS_INVALID, HDB_IMP_009, 0 \
	}
#define COUNT(place, making, value) \
	{ \
		place, making, value, HDMABUF_STATUS_INVALID, HDB_IMP_011, 0 \
	}
/* With such a value, pages is not what it has to be either. */
#define COUNTED(place, making, value) \
	{ \
		place, making, value, HDMABUF_STATUS_INVALID, HDB_IMP_009, \
			DESCRIPTOR_PAGES \
	}

/* Of a buffer of two pages; what the request says stays as it is. */
static const struct spoilt wrong_fields[] = {
	WRONG(DESCRIPTOR_MAGIC, SET, 0),
	WRONG(DESCRIPTOR_MAGIC, ADD, 1),
	WRONG(DESCRIPTOR_MAGIC, SET, 0x48444244),
	WRONG(DESCRIPTOR_MAGIC, SET, ONES),
	WRONG(DESCRIPTOR_LENGTH, SET, 0),
	WRONG(DESCRIPTOR_LENGTH, SET, 255),
	WRONG(DESCRIPTOR_LENGTH, SET, 257),
	WRONG(DESCRIPTOR_LENGTH, PAGE, 0),
	WRONG(DESCRIPTOR_LENGTH, PAGE, 1),
	WRONG(DESCRIPTOR_LENGTH, SET, ONES),
	WRONG(DESCRIPTOR_GENERATION, SET, 0),
	WRONG(DESCRIPTOR_GENERATION, SET, 2),
	WRONG(DESCRIPTOR_GENERATION, SET, 1ull << 32 | 1),
	WRONG(DESCRIPTOR_GENERATION, SET, ONES),
	WRONG(DESCRIPTOR_SIZE, SET, 0),
	COUNT(DESCRIPTOR_PAGES, SET, 0),
	COUNT(DESCRIPTOR_PAGES, ADD, 1),
	COUNT(DESCRIPTOR_PAGES, ADD, ONES),
	COUNT(DESCRIPTOR_PAGES, ADD, 1ull << 32),
	COUNT(DESCRIPTOR_PAGES, SET, ONES),
	COUNT(DESCRIPTOR_ENTRIES, SET, 0),
	COUNT(DESCRIPTOR_ENTRIES, ADD, 1),
	COUNT(DESCRIPTOR_ENTRIES, ADD, ONES),
	COUNT(DESCRIPTOR_ENTRIES, ADD, 1ull << 32),
	COUNT(DESCRIPTOR_ENTRIES, SET, ONES),
	COUNT(DESCRIPTOR_DIRECTORY_PAGES, SET, 0),
	COUNT(DESCRIPTOR_DIRECTORY_PAGES, ADD, 1),
	COUNT(DESCRIPTOR_DIRECTORY_PAGES, SET, ONES),
	WRONG(DESCRIPTOR_DIRECTORY_FORMAT, SET, 3),
	WRONG(DESCRIPTOR_DIRECTORY_FORMAT, SET, ONES),
	COUNTED(DESCRIPTOR_DATA_OFFSET, PAGE, 0),
	COUNTED(DESCRIPTOR_DATA_OFFSET, PAGE, 1),
	COUNTED(DESCRIPTOR_DATA_OFFSET, SET, 1u << 31),
	COUNTED(DESCRIPTOR_DATA_OFFSET, SET, ONES),
	COUNTED(DESCRIPTOR_PAGE_SHIFT, SET, 0),
	COUNTED(DESCRIPTOR_PAGE_SHIFT, ADD, ONES),
	COUNTED(DESCRIPTOR_PAGE_SHIFT, ADD, 1),
	COUNTED(DESCRIPTOR_PAGE_SHIFT, ADD, 32),
	COUNTED(DESCRIPTOR_PAGE_SHIFT, ADD, 64),
	COUNTED(DESCRIPTOR_PAGE_SHIFT, SET, ONES),
	WRONG(DESCRIPTOR_RIGHTS, SET, 0),
	WRONG(DESCRIPTOR_RIGHTS, SET, 4),
	WRONG(DESCRIPTOR_RIGHTS, SET, 9),
	WRONG(DESCRIPTOR_RIGHTS, SET, ONES),
	WRONG(DESCRIPTOR_ATTRIBUTES, SET, 0),
	WRONG(DESCRIPTOR_ATTRIBUTES, SET, 3),
	WRONG(DESCRIPTOR_ATTRIBUTES, SET, ONES),
	WRONG(DESCRIPTOR_TYPE, SET, 0),
	WRONG(DESCRIPTOR_TYPE, SET, 4),
	WRONG(DESCRIPTOR_TYPE, SET, ONES),
	WRONG(DESCRIPTOR_PRIVATE, ADD, 1),
	WRONG(DESCRIPTOR_PRIVATE, ADD, ONES),
	WRONG(DESCRIPTOR_PRIVATE, SET, ONES),
};

/*
 * Sends @message about @buffer, which has to be refused, and nothing may be left of
 * it. False if the status is another.
 */
static bool refuse(struct buffer *buffer, message_t message,
		   const struct spoilt *spoilt, const char *what,
		   message_t answer)
{
	bool right = check_status(buffer->end->test, spoilt->clause,
				  buffer_describe(buffer, message, answer),
				  spoilt->status, "%s", what);

	check_unknown(buffer, HDB_BOTH_037, what);
	return right;
}

static void refuse_field(struct buffer *buffer, const struct spoilt *spoilt)
{
	struct test *test = buffer->end->test;
	uint8_t descriptor[WIRE_DESCRIPTOR_OCTETS];
	message_t message, answer;
	uint64_t value;
	what_t what;

	memcpy(descriptor, buffer->descriptor, sizeof(descriptor));
	buffer_export_message(buffer, message);
	value = spoil_field(buffer->end, buffer->descriptor, spoilt);
	snprintf(what, sizeof(what),
		 "a descriptor with %" PRIu64 " at offset %zu", value,
		 wire_offset(spoilt->place));
	comment(test, "%s", what);
	if (refuse(buffer, message, spoilt, what, answer)) {
		check_lies_in(test, spoilt->clause, answer,
			      HDMABUF_WHERE_DESCRIPTOR, what);
		check_blame(test, answer, spoilt, value, what);
	}
	memcpy(buffer->descriptor, descriptor, sizeof(descriptor));
}

/* What was refused all along is taken when it is mended, under the same id. */
static void mend(struct buffer *buffer)
{
	comment(buffer->end->test, "the same buffer with nothing wrong");
	check_taken(buffer->end->test, HDB_BOTH_037,
		    buffer_export(buffer, NULL),
		    "a buffer that was refused before and is mended");
	check_query(buffer, HDB_BOTH_037, buffer->descriptor,
		    "a buffer that was mended");
}

static void refuse_fields(struct buffer *buffer, const struct spoilt *wrong,
			  size_t count)
{
	for (size_t i = 0; i < count; i++)
		refuse_field(buffer, &wrong[i]);
	mend(buffer);
}

static void refuse_id(struct buffer *buffer, unsigned int octet,
		      const char *what)
{
	const struct spoilt other = { DESCRIPTOR_ID,	      SET,	   0,
				      HDMABUF_STATUS_INVALID, HDB_IMP_009, 0 };
	uint8_t *at = buffer->descriptor + wire_offset(DESCRIPTOR_ID);
	message_t message, answer;

	comment(buffer->end->test, "%s", what);
	buffer_export_message(buffer, message);
	at[octet] ^= 1;
	if (refuse(buffer, message, &other, what, answer))
		check_where(buffer->end->test, answer, HDMABUF_WHERE_DESCRIPTOR,
			    wire_offset(DESCRIPTOR_ID), what);
	at[octet] ^= 1;
}

static void wrong_descriptors(struct test *test)
{
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 2ull * page_octets(end) - 100,
				   .private_octets = 10 };
	struct buffer buffer;

	buffer_make(end, &buffer, &plan);
	refuse_id(&buffer, 0,
		  "a descriptor with another id, in its first octet");
	refuse_id(&buffer, 15,
		  "a descriptor with another id, in its last octet");
	refuse_fields(&buffer, wrong_fields, COUNT_OF(wrong_fields));
}

/* ---- octets that must be zero -------------------------------------------- */

static const unsigned int raw_zeros[] = {
	RAW_ZERO,
	RAW_ZERO1,
};

static size_t plane_of(size_t at)
{
	return at - (at - wire_offset(PICTURE_PLANE0_OFFSET)) % 16;
}

/* Of a plane that must be zero, the whole may be blamed. */
static bool is_plane(size_t at, const uint8_t *answer)
{
	return at >= wire_offset(PICTURE_PLANE1_OFFSET) &&
	       at < wire_offset(PICTURE_ZERO) &&
	       wire_get(answer, ERROR_OFFSET) == plane_of(at);
}

static void refuse_octet(struct buffer *buffer, size_t at, size_t field)
{
	const struct spoilt reserved = { 0,	      SET,
					 0,	      HDMABUF_STATUS_RESERVED,
					 HDB_IMP_023, 0 };
	message_t message, answer;
	what_t what;

	snprintf(what, sizeof(what), "a descriptor whose octet %zu is not zero",
		 at);
	buffer_export_message(buffer, message);
	buffer->descriptor[at] = (uint8_t)(1u << at % 8);
	if (refuse(buffer, message, &reserved, what, answer))
		check_where(buffer->end->test, answer, HDMABUF_WHERE_DESCRIPTOR,
			    is_plane(at, answer) ? plane_of(at) : field, what);
	buffer->descriptor[at] = 0;
}

static void refuse_zeros(struct buffer *buffer, const unsigned int *fields,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t field = wire_offset(fields[i]);

		for (size_t j = 0; j < wire_octets(fields[i]); j++)
			refuse_octet(buffer, field + j, field);
	}
	mend(buffer);
}

static void zeros_of_descriptors(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_make(end, &buffer, NULL);
	refuse_zeros(&buffer, raw_zeros, COUNT_OF(raw_zeros));
}

/* ---- the request -------------------------------------------------------- */

static const struct spoilt wrong_requests[] = {
	{ EXPORT_DESCRIPTOR, SET, 0, HDMABUF_STATUS_BAD_REFERENCE, HDB_PLAT_003,
	  0 },
	{ EXPORT_DESCRIPTOR, SET, 1ull << 32, HDMABUF_STATUS_BAD_REFERENCE,
	  HDB_BOTH_038, 0 },
	{ EXPORT_DESCRIPTOR, ADD, 1ull << 32, HDMABUF_STATUS_BAD_REFERENCE,
	  HDB_BOTH_038, 0 },
	{ EXPORT_DESCRIPTOR, SET, ONES, HDMABUF_STATUS_BAD_REFERENCE,
	  HDB_BOTH_038, 0 },
	{ EXPORT_LENGTH, SET, 0, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
	{ EXPORT_LENGTH, SET, 1, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
	{ EXPORT_LENGTH, SET, 255, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
	{ EXPORT_LENGTH, PAGE, 1, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
	{ EXPORT_LENGTH, SET, 1u << 31, HDMABUF_STATUS_INVALID, HDB_BOTH_038,
	  0 },
	{ EXPORT_LENGTH, SET, ONES, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
};

static void refuse_request(struct buffer *buffer, const struct spoilt *spoilt)
{
	struct test *test = buffer->end->test;
	message_t message, answer;
	uint64_t value;
	what_t what;

	buffer_export_message(buffer, message);
	value = spoil_field(buffer->end, message, spoilt);
	snprintf(what, sizeof(what), "EXPORT with %" PRIu64 " at offset %zu",
		 value, wire_offset(spoilt->place));
	comment(test, "%s", what);
	if (!refuse(buffer, message, spoilt, what, answer))
		return;
	check_where(test, answer, HDMABUF_WHERE_REQUEST,
		    wire_offset(spoilt->place), what);
	check_value(test, answer, value, what);
}

static void refuse_reference(struct buffer *buffer)
{
	const struct spoilt bad = { EXPORT_DESCRIPTOR,
				    SET,
				    dead_reference(buffer->end),
				    HDMABUF_STATUS_BAD_REFERENCE,
				    HDB_BOTH_038,
				    0 };

	comment(buffer->end->test,
		"the reference of the descriptor was taken back");
	refuse_request(buffer, &bad);
}

static void refuse_no_id(struct buffer *buffer)
{
	static const char what[] = "EXPORT of the id that is all zero";
	uint8_t *id = buffer->descriptor + wire_offset(DESCRIPTOR_ID);
	message_t message, answer;

	comment(buffer->end->test, "%s", what);
	memset(id, 0, 16);
	buffer_export_message(buffer, message);
	memset(message + wire_offset(EXPORT_ID), 0, 16);
	if (check_status(buffer->end->test, HDB_BOTH_038,
			 buffer_describe(buffer, message, answer),
			 HDMABUF_STATUS_INVALID, "%s", what))
		check_where(buffer->end->test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(EXPORT_ID), what);
	memcpy(id, buffer->id, 16);
}

static void wrong_exports(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_make(end, &buffer, NULL);
	for (size_t i = 0; i < COUNT_OF(wrong_requests); i++)
		refuse_request(&buffer, &wrong_requests[i]);
	refuse_reference(&buffer);
	refuse_no_id(&buffer);
	mend(&buffer);
}

static void zeros_of_exports(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_make(end, &buffer, NULL);
	for (size_t at = wire_offset(EXPORT_ZERO); at < WIRE_MESSAGE_OCTETS;
	     at++) {
		const struct spoilt reserved = {
			WIRE_PLACE(at, 1),	 SET,	       0,
			HDMABUF_STATUS_RESERVED, HDB_BOTH_002, 0
		};
		message_t message, answer;
		what_t what;

		snprintf(what, sizeof(what),
			 "EXPORT whose octet %zu is not zero", at);
		buffer_export_message(&buffer, message);
		message[at] = (uint8_t)(1u << at % 8);
		if (refuse(&buffer, message, &reserved, what, answer))
			check_where(test, answer, HDMABUF_WHERE_REQUEST,
				    at < wire_offset(EXPORT_ZERO1) ?
					    wire_offset(EXPORT_ZERO) :
					    wire_offset(EXPORT_ZERO1),
				    what);
	}
	mend(&buffer);
}

/* ---- several things that are wrong --------------------------------------- */

enum fault {
	NOTHING,
	REQUEST_ZERO,	   /* a zero field of the request */
	ID_IN_USE,	   /* of the request */
	REQUEST_LENGTH,	   /* greater than a page */
	REQUEST_REFERENCE, /* of the descriptor: leads nowhere */
	FEATURE,	   /* a directory of a format that was not accepted */
	ZERO,		   /* a zero field of the descriptor */
	MAGIC,		   /* of the descriptor */
	GENERATION,
	TYPE,
	OCTETS,	   /* more than max_octets */
	DIRECTORY, /* its reference leads nowhere */
	ENTRY,	   /* of the directory: zero */
	BEHIND,	   /* the last entry: not zero */
	DATA,	   /* a reference that leads nowhere */
};

/* The first of the two has to be reported. */
static const struct {
	enum fault first, other;
	uint16_t status;
	uint32_t where;
	uint64_t offset;
	const char *text;
} orders[] = {
	{ REQUEST_ZERO, ID_IN_USE, HDMABUF_STATUS_RESERVED,
	  HDMABUF_WHERE_REQUEST, 36, "a zero field and an id in use" },
	{ REQUEST_ZERO, FEATURE, HDMABUF_STATUS_RESERVED, HDMABUF_WHERE_REQUEST,
	  36, "a zero field of the request and a feature in the descriptor" },
	{ ID_IN_USE, REQUEST_LENGTH, HDMABUF_STATUS_DUPLICATE,
	  HDMABUF_WHERE_REQUEST, 8, "an id in use and a length beyond a page" },
	{ ID_IN_USE, REQUEST_REFERENCE, HDMABUF_STATUS_DUPLICATE,
	  HDMABUF_WHERE_REQUEST, 8, "an id in use and a bad reference" },
	{ REQUEST_LENGTH, REQUEST_REFERENCE, HDMABUF_STATUS_INVALID,
	  HDMABUF_WHERE_REQUEST, 32,
	  "a length beyond a page and a bad reference" },
	{ FEATURE, ZERO, HDMABUF_STATUS_NOT_NEGOTIATED,
	  HDMABUF_WHERE_DESCRIPTOR, 68,
	  "a format that was not accepted and a zero field" },
	{ FEATURE, MAGIC, HDMABUF_STATUS_NOT_NEGOTIATED,
	  HDMABUF_WHERE_DESCRIPTOR, 68,
	  "a format that was not accepted and a wrong magic" },
	{ ZERO, MAGIC, HDMABUF_STATUS_RESERVED, HDMABUF_WHERE_DESCRIPTOR, 200,
	  "a zero field and a wrong magic" },
	{ MAGIC, TYPE, HDMABUF_STATUS_INVALID, HDMABUF_WHERE_DESCRIPTOR, 0,
	  "a wrong magic and a wrong type" },
	{ GENERATION, TYPE, HDMABUF_STATUS_INVALID, HDMABUF_WHERE_DESCRIPTOR,
	  24, "a wrong generation and a wrong type" },
	{ TYPE, OCTETS, HDMABUF_STATUS_INVALID, HDMABUF_WHERE_DESCRIPTOR, 96,
	  "a wrong type and too many octets" },
	{ TYPE, DIRECTORY, HDMABUF_STATUS_INVALID, HDMABUF_WHERE_DESCRIPTOR, 96,
	  "a wrong type and a directory that is nowhere" },
	{ OCTETS, DIRECTORY, HDMABUF_STATUS_LIMIT, HDMABUF_WHERE_DESCRIPTOR, 40,
	  "too many octets and a directory that is nowhere" },
	{ TYPE, ENTRY, HDMABUF_STATUS_INVALID, HDMABUF_WHERE_DESCRIPTOR, 96,
	  "a wrong type and an entry that is zero" },
	{ BEHIND, ENTRY, HDMABUF_STATUS_RESERVED, HDMABUF_WHERE_DIRECTORY, 2,
	  "rubbish behind the last entry and an entry that is zero" },
	{ ENTRY, DATA, HDMABUF_STATUS_BAD_REFERENCE, HDMABUF_WHERE_DIRECTORY, 1,
	  "an entry that is zero and a page that is nowhere" },
};

/* A buffer of so many pages that no importer takes them; its directory is no more. */
static void exceed_octets(struct buffer *buffer)
{
	const struct end *end = buffer->end;
	uint64_t pages =
		(end->peer.max_octets >> end->platform.ops->page_shift) + 1;

	wire_put(buffer->descriptor, DESCRIPTOR_SIZE, pages * page_octets(end));
	wire_put(buffer->descriptor, DESCRIPTOR_PAGES, pages);
	wire_put(buffer->descriptor, DESCRIPTOR_ENTRIES, pages);
	wire_put(buffer->descriptor, DESCRIPTOR_DIRECTORY_PAGES,
		 wire_directory_pages(HDMABUF_DIRECTORY_LIST, pages,
				      end->platform.ops->page_shift));
}

static void set_entry(struct buffer *buffer, size_t entry, uint64_t reference)
{
	wire_put(buffer->directory, WIRE_PLACE(4 + 4 * entry, 4), reference);
}

static void commit(struct buffer *buffer, message_t message, enum fault fault,
		   const uint8_t *used, uint64_t dead)
{
	switch (fault) {
	case NOTHING:
		break;
	case REQUEST_ZERO:
		wire_put(message, EXPORT_ZERO, 1);
		break;
	case ID_IN_USE:
		memcpy(message + wire_offset(EXPORT_ID), used, 16);
		memcpy(buffer->descriptor + wire_offset(DESCRIPTOR_ID), used,
		       16);
		break;
	case REQUEST_LENGTH:
		wire_put(message, EXPORT_LENGTH, page_octets(buffer->end) + 1);
		break;
	case REQUEST_REFERENCE:
		wire_put(message, EXPORT_DESCRIPTOR, dead);
		break;
	case FEATURE:
		wire_put(buffer->descriptor, DESCRIPTOR_DIRECTORY_FORMAT,
			 HDMABUF_DIRECTORY_TABLE);
		break;
	case ZERO:
		wire_put(buffer->descriptor, WIRE_PLACE(200, 8), 1);
		break;
	case MAGIC:
		wire_put(buffer->descriptor, DESCRIPTOR_MAGIC, 0);
		break;
	case GENERATION:
		wire_put(buffer->descriptor, DESCRIPTOR_GENERATION, 2);
		break;
	case TYPE:
		wire_put(buffer->descriptor, DESCRIPTOR_TYPE, 9);
		break;
	case OCTETS:
		exceed_octets(buffer);
		break;
	case DIRECTORY:
		wire_put(buffer->descriptor, DESCRIPTOR_DIRECTORY, dead);
		break;
	case ENTRY:
		set_entry(buffer, 1, 0);
		break;
	case BEHIND:
		set_entry(buffer, 2, 1);
		break;
	case DATA:
		set_entry(buffer, 0, dead);
		break;
	}
}

/* Without features, and with a limit that can be exceeded. */
static struct end *connect_plainly(struct test *test)
{
	struct end *end = test_open(test);

	end->greeting.features = 0;
	end_greet(end);
	if (end->peer.max_octets >= 1ull << 40)
		skip(test, "the IUT's max_octets is too great to be exceeded");
	return end;
}

static void order_of_faults(struct test *test)
{
	struct end *end = connect_plainly(test);
	const struct plan plan = { .size = 2ull * page_octets(end) };
	struct buffer used;
	uint64_t dead = dead_reference(end);

	buffer_share(end, &used, NULL);
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		message_t message, answer;
		struct buffer buffer;

		comment(test, "EXPORT with %s", orders[i].text);
		buffer_make(end, &buffer, &plan);
		buffer_export_message(&buffer, message);
		commit(&buffer, message, orders[i].first, used.id, dead);
		commit(&buffer, message, orders[i].other, used.id, dead);
		if (check_status(test, HDB_BOTH_038,
				 buffer_describe(&buffer, message, answer),
				 orders[i].status, "EXPORT with %s",
				 orders[i].text))
			check_where(test, answer, orders[i].where,
				    orders[i].offset, orders[i].text);
		check_unknown(&buffer, HDB_BOTH_037, orders[i].text);
	}
	check_query(&used, HDB_BOTH_037, used.descriptor,
		    "the buffer whose id was used");
}

/* ---- pictures ----------------------------------------------------------- */

#define PICTURE_WIDTH_HERE  64
#define PICTURE_HEIGHT_HERE 16
#define STRIDE_HERE	    (4 * PICTURE_WIDTH_HERE)
#define SIZE_HERE	    (STRIDE_HERE * PICTURE_HEIGHT_HERE)

static const struct plan picture_plan = { .size = SIZE_HERE,
					  .width = PICTURE_WIDTH_HERE };

static const struct spoilt wrong_picture_fields[] = {
	WRONG(PICTURE_WIDTH, SET, 0),
	WRONG(PICTURE_HEIGHT, SET, 0),
	WRONG(PICTURE_FOURCC, SET, 0),
	WRONG(PICTURE_PLANES, SET, 0),
	WRONG(PICTURE_PLANES, SET, 5),
	WRONG(PICTURE_PLANES, SET, ONES),
	WRONG(PICTURE_PLANE_FIRST, SET, 1),
	WRONG(PICTURE_PLANE_FIRST, SET, ONES),
	WRONG(PICTURE_PLANE_COUNT, SET, 2),
	WRONG(PICTURE_PLANE_COUNT, SET, ONES),
	WRONG(PICTURE_PLANE0_OFFSET, SET, SIZE_HERE),
	WRONG(PICTURE_PLANE0_OFFSET, SET, SIZE_HERE + 1),
	WRONG(PICTURE_PLANE0_OFFSET, SET, ONES),
	WRONG(PICTURE_PLANE0_STRIDE, SET, 0),
	WRONG(PICTURE_PLANE0_STRIDE, SET, SIZE_HERE + 1),
	WRONG(PICTURE_PLANE0_STRIDE, SET, ONES),
};

static const unsigned int picture_zeros[] = {
	PICTURE_PLANE0_ZERO, PICTURE_PLANE1_OFFSET, PICTURE_PLANE1_STRIDE,
	PICTURE_PLANE1_ZERO, PICTURE_PLANE2_OFFSET, PICTURE_PLANE2_STRIDE,
	PICTURE_PLANE2_ZERO, PICTURE_PLANE3_OFFSET, PICTURE_PLANE3_STRIDE,
	PICTURE_PLANE3_ZERO, PICTURE_ZERO,
};

/* What follows the last plane is zero; here, all of them. */
static void refuse_no_planes(struct buffer *buffer)
{
	const struct spoilt none = WRONG(PICTURE_PLANE_COUNT, SET, 0);

	wire_put(buffer->descriptor, PICTURE_PLANE0_STRIDE, 0);
	refuse_field(buffer, &none);
	wire_put(buffer->descriptor, PICTURE_PLANE0_STRIDE, STRIDE_HERE);
}

static void wrong_pictures(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_make(end, &buffer, &picture_plan);
	refuse_no_planes(&buffer);
	refuse_fields(&buffer, wrong_picture_fields,
		      COUNT_OF(wrong_picture_fields));
}

static void zeros_of_pictures(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_make(end, &buffer, &picture_plan);
	refuse_zeros(&buffer, picture_zeros, COUNT_OF(picture_zeros));
}

/* Where a row ends, or whether it is one, only the format tells. */
static const struct spoilt wrong_rows[] = {
	{ PICTURE_WIDTH, ADD, 1, HDMABUF_STATUS_INVALID, HDB_IMP_006, 0 },
	{ PICTURE_WIDTH, SET, 1u << 30, HDMABUF_STATUS_INVALID, HDB_IMP_006,
	  0 },
	{ PICTURE_WIDTH, SET, ONES, HDMABUF_STATUS_INVALID, HDB_IMP_006, 0 },
	{ PICTURE_HEIGHT, ADD, 1, HDMABUF_STATUS_INVALID, HDB_IMP_006, 0 },
	{ PICTURE_HEIGHT, SET, 1u << 24, HDMABUF_STATUS_INVALID, HDB_IMP_006,
	  0 },
	{ PICTURE_HEIGHT, SET, ONES, HDMABUF_STATUS_INVALID, HDB_IMP_006, 0 },
	{ PICTURE_PLANE0_OFFSET, SET, 1, HDMABUF_STATUS_INVALID, HDB_IMP_006,
	  0 },
	{ PICTURE_PLANE0_OFFSET, SET, SIZE_HERE - 1, HDMABUF_STATUS_INVALID,
	  HDB_IMP_006, 0 },
	{ PICTURE_PLANE0_STRIDE, ADD, 1, HDMABUF_STATUS_INVALID, HDB_IMP_006,
	  0 },
	{ PICTURE_PLANE0_STRIDE, ADD, ONES, HDMABUF_STATUS_INVALID, HDB_IMP_006,
	  0 },
	{ PICTURE_PLANE0_STRIDE, SET, SIZE_HERE, HDMABUF_STATUS_INVALID,
	  HDB_IMP_006, 0 },
	{ PICTURE_FOURCC, SET, 0x20202020, HDMABUF_STATUS_UNSUPPORTED,
	  HDB_IMP_006, 0 },
	{ PICTURE_FOURCC, SET, ONES, HDMABUF_STATUS_UNSUPPORTED, HDB_IMP_006,
	  0 },
	{ PICTURE_MODIFIER, SET, ONES, HDMABUF_STATUS_UNSUPPORTED, HDB_IMP_006,
	  0 },
	{ PICTURE_MODIFIER, SET, 0x00ffffffffffffff, HDMABUF_STATUS_UNSUPPORTED,
	  HDB_IMP_006, 0 },
};

static void refuse_rows(struct buffer *buffer, const struct spoilt *spoilt)
{
	uint8_t descriptor[WIRE_DESCRIPTOR_OCTETS];
	message_t message, answer;
	what_t what;

	memcpy(descriptor, buffer->descriptor, sizeof(descriptor));
	buffer_export_message(buffer, message);
	snprintf(what, sizeof(what),
		 "a picture with %" PRIu64 " at offset %zu of its descriptor",
		 spoil_field(buffer->end, buffer->descriptor, spoilt),
		 wire_offset(spoilt->place));
	comment(buffer->end->test, "%s", what);
	refuse(buffer, message, spoilt, what, answer);
	memcpy(buffer->descriptor, descriptor, sizeof(descriptor));
}

static void rows_of_pictures(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_make(end, &buffer, &picture_plan);
	for (size_t i = 0; i < COUNT_OF(wrong_rows); i++)
		refuse_rows(&buffer, &wrong_rows[i]);
	mend(&buffer);
}

/* The last row may end with the data, and rows may be apart. */
static void pictures_are_taken(struct test *test)
{
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 16 + 15 * (STRIDE_HERE + 12) +
					   STRIDE_HERE,
				   .width = PICTURE_WIDTH_HERE };
	struct buffer buffer;

	buffer_make(end, &buffer, &plan);
	wire_put(buffer.descriptor, PICTURE_HEIGHT, 16);
	wire_put(buffer.descriptor, PICTURE_PLANE0_OFFSET, 16);
	wire_put(buffer.descriptor, PICTURE_PLANE0_STRIDE, STRIDE_HERE + 12);
	check_taken(test, HDB_IMP_006, buffer_export(&buffer, NULL),
		    "a picture whose last row ends with the data");
	check_query(&buffer, HDB_BOTH_069, buffer.descriptor, "a picture");
}

/* ---- cyclic buffers ----------------------------------------------------- */

static const struct plan cyclic_plan = { .size = 7680,
					 .type = HDMABUF_TYPE_CYCLIC };

static const struct spoilt wrong_cyclic_fields[] = {
	WRONG(CYCLIC_CHANNELS, SET, 0),
	WRONG(CYCLIC_RATE, SET, 0),
	WRONG(CYCLIC_FRAME_OCTETS, SET, 0),
	WRONG(CYCLIC_FRAME_OCTETS, SET, 7),
	WRONG(CYCLIC_FRAME_OCTETS, SET, 7679),
	WRONG(CYCLIC_FRAME_OCTETS, SET, 7681),
	WRONG(CYCLIC_FRAME_OCTETS, SET, 2 * 7680),
	WRONG(CYCLIC_FRAME_OCTETS, SET, ONES),
	WRONG(CYCLIC_PERIOD_OCTETS, SET, 0),
	WRONG(CYCLIC_PERIOD_OCTETS, SET, 7),
	WRONG(CYCLIC_PERIOD_OCTETS, SET, 2 * 7680),
	WRONG(CYCLIC_PERIOD_OCTETS, SET, ONES),
};

static const unsigned int cyclic_zeros[] = {
	CYCLIC_ZERO,
	CYCLIC_ZERO1,
};

static void wrong_cyclics(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_make(end, &buffer, &cyclic_plan);
	refuse_fields(&buffer, wrong_cyclic_fields,
		      COUNT_OF(wrong_cyclic_fields));
}

static void zeros_of_cyclics(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_make(end, &buffer, &cyclic_plan);
	refuse_zeros(&buffer, cyclic_zeros, COUNT_OF(cyclic_zeros));
}

/* Four periods; a timeline that may be created later. */
static void cyclics_are_taken(struct test *test)
{
	static const uint32_t timelines[] = { 0, 1, HDMABUF_NO_TIMELINE - 1,
					      HDMABUF_NO_TIMELINE };
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(timelines); i++) {
		struct buffer buffer;
		what_t what;

		snprintf(what, sizeof(what),
			 "sound with four periods and position_timeline %u",
			 timelines[i]);
		buffer_make(end, &buffer, &cyclic_plan);
		wire_put(buffer.descriptor, CYCLIC_CHANNELS, 2);
		wire_put(buffer.descriptor, CYCLIC_PERIOD_OCTETS, 1920);
		wire_put(buffer.descriptor, CYCLIC_POSITION_TIMELINE,
			 timelines[i]);
		check_taken(test, HDB_IMP_009, buffer_export(&buffer, NULL),
			    what);
		check_query(&buffer, HDB_BOTH_069, buffer.descriptor, what);
	}
}

/* ---- private data ------------------------------------------------------- */

static uint32_t most_private(const struct end *end)
{
	uint32_t room = page_octets(end) - WIRE_DESCRIPTOR_OCTETS;

	return end->peer.max_private < room ? end->peer.max_private : room;
}

/* What follows it in the page is not looked at. */
static void private_data_is_kept(struct test *test)
{
	struct end *end = test_connect(test);
	const uint32_t octets[] = { 1, 255, 1023, 1024, most_private(end) };

	for (size_t i = 0; i < COUNT_OF(octets); i++) {
		const struct plan plan = { .private_octets = octets[i] };
		size_t used = WIRE_DESCRIPTOR_OCTETS + octets[i];
		struct buffer buffer;
		what_t what;

		snprintf(what, sizeof(what), "%u octets of private data",
			 octets[i]);
		buffer_make(end, &buffer, &plan);
		memset(buffer.descriptor + used, 0xff, page_octets(end) - used);
		check_taken(test, HDB_IMP_010, buffer_export(&buffer, NULL),
			    what);
		check_query(&buffer, HDB_IMP_010, buffer.descriptor, what);
	}
}

static void refuse_private_data(struct end *end, uint32_t octets)
{
	const struct plan plan = { .private_octets = octets };
	struct buffer buffer;
	message_t answer;
	what_t what;

	snprintf(what, sizeof(what),
		 "%u octets of private data, where max_private is %u", octets,
		 end->peer.max_private);
	buffer_make(end, &buffer, &plan);
	if (check_status(end->test, HDB_BOTH_021,
			 buffer_export(&buffer, answer), HDMABUF_STATUS_LIMIT,
			 "%s", what)) {
		check_where(end->test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(EXPORT_LENGTH), what);
		check_value(end->test, answer, end->peer.max_private, what);
	}
	check_unknown(&buffer, HDB_BOTH_037, what);
}

static void private_data_beyond_the_limit(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t room = page_octets(end) - WIRE_DESCRIPTOR_OCTETS;

	if (end->peer.max_private >= room)
		skip(test, "max_private is what a page can hold, or more");
	refuse_private_data(end, end->peer.max_private + 1);
	refuse_private_data(end, room);
}

/* ---- ids ---------------------------------------------------------------- */

static void ids_are_used_once(struct test *test)
{
	static const char what[] = "EXPORT of an id that is in use";
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 3ull * page_octets(end), .tag = 1 };
	struct buffer first, second;
	message_t answer;

	buffer_share(end, &first, &plan);
	buffer_make(end, &second, NULL);
	memcpy(second.id, first.id, sizeof(second.id));
	memcpy(second.descriptor + wire_offset(DESCRIPTOR_ID), first.id, 16);
	if (check_status(test, HDB_IMP_001, buffer_export(&second, answer),
			 HDMABUF_STATUS_DUPLICATE, "%s", what))
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(EXPORT_ID), what);
	check_query(&first, HDB_IMP_001, first.descriptor,
		    "the buffer that had the id first");
	check(test, HDB_IMP_001, take_turn(&first),
	      "the buffer that had the id first is of no use any more");
	comment(test, "when the first buffer is gone, its id is free");
	give_back(&first);
	check_taken(test, HDB_IMP_001, buffer_export(&second, NULL),
		    "EXPORT of an id that was in use");
	check_query(&second, HDB_IMP_001, second.descriptor,
		    "the buffer that has the id now");
}

/* One that the IUT itself has chosen is in use as well. */
static void ids_of_the_other_end(struct test *test)
{
	static const char what[] = "EXPORT of the id of a buffer of the IUT";
	struct end *end = test_connect(test);
	const struct their_buffer *theirs = let_export(end, "b size=4096");
	struct buffer buffer;
	message_t answer;

	buffer_make(end, &buffer, NULL);
	memcpy(buffer.id, theirs->id, sizeof(buffer.id));
	memcpy(buffer.descriptor + wire_offset(DESCRIPTOR_ID), buffer.id, 16);
	if (check_status(test, HDB_IMP_001, buffer_export(&buffer, answer),
			 HDMABUF_STATUS_DUPLICATE, "%s", what))
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(EXPORT_ID), what);
	check(test, HDB_IMP_001, query_state(&buffer) == HDMABUF_BUFFER_LIVE,
	      "the buffer of the IUT is not as it was");
}

/* ---- sessions ----------------------------------------------------------- */

/* Every request about an id that this session does not know. */
static void check_strange(struct end *end, const uint8_t id[16],
			  const char *whose)
{
	for (const uint16_t *operation = naming_operations; *operation;
	     operation++) {
		if (!is_negotiated(end, *operation))
			continue;
		check_status(end->test, HDB_BOTH_042,
			     ask_about(end, *operation, id, NULL),
			     HDMABUF_STATUS_NO_SUCH_BUFFER,
			     "%s of the id of a buffer of %s",
			     wire_operation_name(*operation), whose);
	}
}

static void ids_of_another_session(struct test *test)
{
	struct end *first = test_connect(test);
	struct end *second = test_connect(test);
	struct buffer buffer, namesake;

	buffer_share(first, &buffer, NULL);
	check_strange(second, buffer.id, "another session");
	comment(test, "in the other session, the id is free");
	buffer_make(second, &namesake, NULL);
	memcpy(namesake.id, buffer.id, sizeof(namesake.id));
	memcpy(namesake.descriptor + wire_offset(DESCRIPTOR_ID), buffer.id, 16);
	check_taken(test, HDB_BOTH_042, buffer_export(&namesake, NULL),
		    "EXPORT of an id that another session knows");
	give_back(&namesake);
	check_query(&buffer, HDB_BOTH_042, buffer.descriptor,
		    "the buffer of the first session");
	check(test, HDB_BOTH_042, take_turn(&buffer),
	      "the buffer of the first session is of no use any more");
}

static void ids_of_an_earlier_session(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer, namesake;

	buffer_share(end, &buffer, NULL);
	comment(test, "the session is lost, and another one is sought");
	end_abandon(end);
	end_greet(end);
	check_strange(end, buffer.id, "an earlier session");
	buffer_make(end, &namesake, NULL);
	memcpy(namesake.id, buffer.id, sizeof(namesake.id));
	memcpy(namesake.descriptor + wire_offset(DESCRIPTOR_ID), buffer.id, 16);
	check_taken(test, HDB_BOTH_042, buffer_export(&namesake, NULL),
		    "EXPORT of an id of an earlier session");
	check_query(&namesake, HDB_BOTH_042, namesake.descriptor,
		    "the buffer of this session");
}

/* ---- limits ------------------------------------------------------------- */

static void limits_are_announced(struct test *test)
{
	struct end *end = test_connect(test);

	require(test, HDB_BOTH_041, end->peer.max_buffers,
		"who imports buffers announces a max_buffers that is not 0");
	check(test, HDB_BOTH_041, end->peer.max_private >= 1024,
	      "max_private is %u, and not at least 1024",
	      end->peer.max_private);
}

static void check_limit(struct buffer *buffer, uint32_t where, uint64_t offset,
			uint64_t limit, const char *what)
{
	struct test *test = buffer->end->test;
	message_t answer;

	if (check_status(test, HDB_BOTH_021, buffer_export(buffer, answer),
			 HDMABUF_STATUS_LIMIT, "%s", what)) {
		check_where(test, answer, where, offset, what);
		check_value(test, answer, limit, what);
	}
	check_unknown(buffer, HDB_BOTH_037, what);
}

#define BUFFERS_MAX 1024

/* Small buffers in one memory: a page each, one for its descriptor, one to list it. */
static void limit_of_buffers(struct test *test)
{
	static const char what[] = "one buffer more than max_buffers";
	struct end *end = test_connect(test);
	uint32_t most = end->peer.max_buffers;
	struct plan plan = { .size = 1 };
	struct buffer *buffers;

	if (most > BUFFERS_MAX)
		skip(test, "max_buffers is more than the suite has, %u",
		     BUFFERS_MAX);
	if (end->peer.max_octets / page_octets(end) < most + 1ull)
		skip(test, "max_octets does not allow as many buffers");
	plan.memory =
		end_allocate(end, 3 * (most + 1), HDMABUF_RIGHTS_READ_ONLY);
	buffers = end_array(end, most + 1, sizeof(*buffers));
	for (uint32_t i = 0; i <= most; i++, plan.first += 3)
		buffer_make(end, &buffers[i], &plan);
	for (uint32_t i = 0; i < most; i++)
		if (!check_taken(test, HDB_BOTH_021,
				 buffer_export(&buffers[i], NULL),
				 "a buffer within max_buffers"))
			return;
	check_limit(&buffers[most], HDMABUF_WHERE_NOWHERE, 0, most, what);
	comment(test, "what is released makes room for another one");
	give_back(&buffers[most / 2]);
	check_taken(test, HDB_BOTH_021, buffer_export(&buffers[most], NULL),
		    "a buffer where another one was released");
	check_limit(&buffers[most / 2], HDMABUF_WHERE_NOWHERE, 0, most, what);
	check_query(&buffers[0], HDB_BOTH_037, buffers[0].descriptor,
		    "the first buffer");
}

/* Of which an array can be made, and a directory. */
#define PAGES_MAX (1u << 22)

/* All but a page, that page, and one more. */
static void limit_of_octets(struct test *test)
{
	static const char what[] = "one page more than max_octets";
	struct end *end = test_connect(test);
	uint32_t page = page_octets(end);
	uint64_t pages = end->peer.max_octets / page;
	const struct plan large = { .size = (pages - 1) * page };
	const struct plan small = { .size = 1 };
	struct buffer most, last, more;

	if (pages > PAGES_MAX)
		skip(test, "max_octets is more than the suite can fill");
	if (pages < 2 || end->peer.max_buffers < 2)
		skip(test, "the limits are too low for two buffers");
	buffer_make(end, &most, &large);
	buffer_make(end, &last, &small);
	buffer_make(end, &more, &small);
	check_taken(test, HDB_BOTH_021, buffer_export(&most, NULL),
		    "a buffer of max_octets but a page");
	check_taken(test, HDB_BOTH_021, buffer_export(&last, NULL),
		    "the last page of max_octets");
	check_limit(&more, HDMABUF_WHERE_DESCRIPTOR,
		    wire_offset(DESCRIPTOR_PAGES), end->peer.max_octets, what);
	comment(test, "what is released makes room for as much");
	give_back(&most);
	check_taken(test, HDB_BOTH_021, buffer_export(&more, NULL),
		    "a page where many were released");
	check_limit(&most, HDMABUF_WHERE_DESCRIPTOR,
		    wire_offset(DESCRIPTOR_PAGES), end->peer.max_octets, what);
	give_back(&last);
	check_taken(test, HDB_BOTH_021, buffer_export(&most, NULL),
		    "all but a page, with a page");
}

/*
 * So many pages that an importer would have to refuse with NO_MEMORY if it took
 * memory for their references first, in a directory that is nowhere.
 */
static void limit_before_memory(struct test *test)
{
	static const uint64_t most[] = { 1ull << 26, 1ull << 34, 1ull << 41 };
	struct end *end = connect_plainly(test);
	uint32_t shift = end->platform.ops->page_shift;

	for (size_t i = 0; i < COUNT_OF(most); i++) {
		struct buffer buffer;
		message_t answer;
		what_t what;

		if (most[i] <= end->peer.max_octets >> shift)
			continue;
		snprintf(what, sizeof(what), "a buffer of %" PRIu64 " pages",
			 most[i]);
		buffer_make(end, &buffer, NULL);
		wire_put(buffer.descriptor, DESCRIPTOR_SIZE, most[i] << shift);
		wire_put(buffer.descriptor, DESCRIPTOR_PAGES, most[i]);
		wire_put(buffer.descriptor, DESCRIPTOR_ENTRIES, most[i]);
		wire_put(buffer.descriptor, DESCRIPTOR_DIRECTORY_PAGES,
			 wire_directory_pages(HDMABUF_DIRECTORY_LIST, most[i],
					      shift));
		wire_put(buffer.descriptor, DESCRIPTOR_DIRECTORY,
			 dead_reference(end));
		if (check_status(test, HDB_BOTH_022,
				 buffer_export(&buffer, answer),
				 HDMABUF_STATUS_LIMIT, "%s", what))
			check_value(test, answer, end->peer.max_octets, what);
		check_unknown(&buffer, HDB_BOTH_037, what);
	}
}

/* ---- sums that do not fit ------------------------------------------------ */

static void huge_sizes(struct test *test)
{
	static const struct {
		uint64_t size;
		uint32_t offset;
	} huge[] = {
		{ ONES, 1 },	       { ONES, 4095 },
		{ ONES - 4094, 4095 }, { ONES - 4095, 4095 },
		{ ONES - 4096, 4095 }, { ONES, 0 },
	};
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(huge); i++) {
		struct buffer buffer;
		what_t what;

		snprintf(what, sizeof(what),
			 "a buffer of %" PRIu64 " octets at offset %u",
			 huge[i].size, huge[i].offset);
		comment(test, "%s", what);
		buffer_make(end, &buffer, NULL);
		wire_put(buffer.descriptor, DESCRIPTOR_SIZE, huge[i].size);
		wire_put(buffer.descriptor, DESCRIPTOR_DATA_OFFSET,
			 huge[i].offset);
		check_status(test, HDB_BOTH_062, buffer_export(&buffer, NULL),
			     HDMABUF_STATUS_INVALID, "%s", what);
		check_unknown(&buffer, HDB_BOTH_037, what);
	}
}

/* ---- features ----------------------------------------------------------- */

/* What is behind a feature, and which field of the descriptor says so. */
static const struct {
	uint64_t feature;
	unsigned int place;
	struct plan plan;
	const char *text;
} behind_features[] = {
	{ HDMABUF_FEATURE_TABLE,
	  DESCRIPTOR_DIRECTORY_FORMAT,
	  { .format = HDMABUF_DIRECTORY_TABLE },
	  "a directory of TABLE" },
	{ HDMABUF_FEATURE_EXTENTS,
	  DESCRIPTOR_DIRECTORY_FORMAT,
	  { .format = HDMABUF_DIRECTORY_EXTENTS },
	  "a directory of EXTENTS" },
	{ HDMABUF_FEATURE_LEND,
	  DESCRIPTOR_RIGHTS,
	  { .rights = HDMABUF_RIGHTS_LEND },
	  "the right LEND" },
	{ HDMABUF_FEATURE_WRITE_COMBINED,
	  DESCRIPTOR_ATTRIBUTES,
	  { .attributes = HDMABUF_ATTRIBUTE_WRITE_COMBINED },
	  "memory that is write-combined" },
	{ HDMABUF_FEATURE_CYCLIC,
	  DESCRIPTOR_TYPE,
	  { .type = HDMABUF_TYPE_CYCLIC },
	  "the type CYCLIC" },
};

static void features_are_refused(struct test *test)
{
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(behind_features); i++) {
		struct buffer buffer;
		message_t answer;
		what_t what;

		snprintf(what, sizeof(what), "%s without that feature",
			 behind_features[i].text);
		comment(test, "%s", what);
		end->greeting.features = HDMABUF_FEATURES_ALL &
					 ~behind_features[i].feature;
		end_greet(end);
		buffer_make(end, &buffer, &behind_features[i].plan);
		if (check_status(test, HDB_BOTH_019,
				 buffer_export(&buffer, answer),
				 HDMABUF_STATUS_NOT_NEGOTIATED, "%s", what))
			check_where(test, answer, HDMABUF_WHERE_DESCRIPTOR,
				    wire_offset(behind_features[i].place),
				    what);
		check_unknown(&buffer, HDB_BOTH_037, what);
		end_abandon(end);
	}
}

/* ---- what was imported is what was exported ------------------------------ */

/* Descriptor and directory are of no interest once EXPORT is answered. */
static void description_is_copied(struct test *test)
{
	static const char what[] =
		"a buffer whose descriptor and directory have changed since";
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 5ull * page_octets(end),
				   .private_octets = 100,
				   .tag = 7 };
	uint8_t descriptor[WIRE_DESCRIPTOR_OCTETS];
	struct buffer buffer;

	buffer_share(end, &buffer, &plan);
	memcpy(descriptor, buffer.descriptor, sizeof(descriptor));
	comment(test, "descriptor and directory are overwritten");
	memset(buffer.descriptor, 0xa5, 2ull * page_octets(end));
	check_query(&buffer, HDB_IMP_002, descriptor, what);
	check(test, HDB_IMP_002, take_turn(&buffer), "%s is of no use", what);
	check_query(&buffer, HDB_IMP_002, descriptor, what);
}

/* A descriptor whose size and tag are never the same for long. */
static void rewrite(void *context)
{
	uint8_t *descriptor = ((struct buffer *)context)->descriptor;
	uint64_t size = wire_get(descriptor, DESCRIPTOR_SIZE);

	for (uint64_t i = 1;; i++) {
		wire_put(descriptor, DESCRIPTOR_TAG, i);
		wire_put(descriptor, DESCRIPTOR_SIZE,
			 i % 2 ? size << 20 : size);
	}
}

#define RACES 3000

/*
 * Whichever it found, an importer that has accepted the buffer has accepted a size that
 * goes with its pages.
 */
static void description_is_read_once(struct test *test)
{
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 3ull * page_octets(end) };
	unsigned int taken = 0;
	struct buffer buffer;
	pid_t writer;

	buffer_make(end, &buffer, &plan);
	writer = spoil(test, rewrite, &buffer);
	end->silent = true;
	for (unsigned int i = 0; i < RACES; i++) {
		message_t answer;

		if (buffer_export(&buffer, NULL) != HDMABUF_STATUS_OK)
			continue;
		taken++;
		buffer_query(&buffer, answer);
		if (!check(test, HDB_IMP_002,
			   wire_get(answer, QUERY_ANSWER_SIZE) == plan.size,
			   "the buffer has 3 pages, and %" PRIu64
			   " octets: the size that was used is not the one that was checked",
			   wire_get(answer, QUERY_ANSWER_SIZE)))
			break;
		give_back(&buffer);
	}
	end->silent = false;
	spoil_end(writer);
	comment(test, "%u of %u exports were accepted", taken, RACES);
	if (!taken)
		inconclusive(test, "the IUT never saw what is in order");
}

static const struct {
	uint64_t pages;
	uint64_t less; /* octets of these pages */
	uint32_t offset;
	bool scattered;
	uint32_t rights;
} contents[] = {
	{ 1, 0, 0, false, HDMABUF_RIGHTS_READ_ONLY },
	{ 1, 4095, 0, false, HDMABUF_RIGHTS_READ_ONLY },
	{ 1, 4095, 4095, false, HDMABUF_RIGHTS_READ_ONLY },
	{ 2, 1, 0, false, HDMABUF_RIGHTS_READ_ONLY },
	{ 2, 1, 1, true, HDMABUF_RIGHTS_READ_ONLY },
	{ 4, 3979, 100, true, HDMABUF_RIGHTS_READ_ONLY },
	{ 4, 100, 100, true, HDMABUF_RIGHTS_READ_WRITE },
	{ 1023, 0, 0, false, HDMABUF_RIGHTS_READ_ONLY },
	{ 1023, 0, 0, true, HDMABUF_RIGHTS_READ_ONLY },
	{ 1024, 0, 0, false, HDMABUF_RIGHTS_READ_ONLY },
	{ 1024, 4000, 4000, true, HDMABUF_RIGHTS_READ_ONLY },
	{ 1025, 0, 0, false, HDMABUF_RIGHTS_READ_ONLY },
	{ 1025, 1, 1, true, HDMABUF_RIGHTS_READ_WRITE },
};

static void see_data(struct end *end, const struct plan *plan)
{
	struct buffer buffer;
	what_t what;

	snprintf(what, sizeof(what),
		 "%" PRIu64 " octets at offset %u, pages %s", plan->size,
		 plan->offset, plan->scattered ? "scattered" : "in order");
	comment(end->test, "%s", what);
	if (plan->offset + plan->size > end->peer.max_octets)
		skip(end->test, "max_octets is too low for %s", what);
	buffer_share(end, &buffer, plan);
	check_turn(&buffer, HDB_PLAT_006, what);
	comment(end->test, "other data in the same pages");
	buffer_fill(&buffer, (uint32_t)test_random(end->test));
	check_turn(&buffer, HDB_PLAT_006, what);
	give_back(&buffer);
}

static void data_is_seen(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(contents); i++) {
		const struct plan plan = {
			.size = contents[i].pages * page_octets(end) -
				contents[i].less,
			.offset = contents[i].offset,
			.scattered = contents[i].scattered,
			.rights = contents[i].rights,
		};

		see_data(end, &plan);
	}
}

/* A frame of 3840x2160 pixels. */
static void frames_are_seen(struct test *test)
{
	struct end *end = test_connect(test);
	struct plan plan = { .size = 3840 * 2160 * 4 };

	see_data(end, &plan);
	plan.scattered = true;
	see_data(end, &plan);
}

static void data_may_change(struct test *test)
{
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 512ull * page_octets(end) };
	struct buffer buffer;
	message_t message;
	const char *seen;
	char name[33];

	buffer_share(end, &buffer, &plan);
	buffer_hand_off_message(&buffer, HDMABUF_NO_TIMELINE, 0, message);
	comment(test, "the data changes while it is looked at");
	end_send(end, message);
	for (uint64_t deadline = test_deadline(test);
	     !(seen = event_find(test, "turn %s",
				 buffer_name(&buffer, name)));) {
		buffer_fill(&buffer, (uint32_t)test_random(test));
		if (!test_wait(test, test_deadline_in(1)) &&
		    !test_wait(test, deadline))
			break;
	}
	check(test, HDB_IMP_007, seen && strstr(seen, "crc="),
	      "a hand-off is not carried out because the data changes");
	check_turn(&buffer, HDB_IMP_007, "data that rests again");
}

/* ---- mappings ----------------------------------------------------------- */

static void map_without_write(struct end *end, uint32_t granted)
{
	const struct plan plan = { .size = 3ull * page_octets(end),
				   .granted = granted };
	struct mappings mappings;
	struct buffer buffer;

	comment(end->test,
		"a buffer of right READ_ONLY in pages that are shared %s",
		granted == HDMABUF_RIGHTS_READ_ONLY ? "read-only" :
						      "read-write");
	buffer_share(end, &buffer, &plan);
	if (!take_turn(&buffer))
		inconclusive(end->test,
			     "the IUT does not carry out a hand-off");
	mappings = see_mappings(&buffer);
	if (!mappings.count)
		inconclusive(end->test,
			     "the IUT has not kept the buffer mapped");
	check(end->test, HDB_IMP_004, !mappings.writable,
	      "a buffer of right READ_ONLY is mapped so that it can be written");
}

/* Where the platform would let it write, the importer forbids itself. */
static void read_only_is_mapped_so(struct test *test)
{
	struct end *end = test_connect(test);

	map_without_write(end, HDMABUF_RIGHTS_READ_ONLY);
	map_without_write(end, HDMABUF_RIGHTS_READ_WRITE);
}

/* Only who looks at the directory first finds what is wrong with it. */
static void validated_before_mapped(struct test *test)
{
	static const struct {
		uint16_t status;
		bool behind;
		const char *text;
	} wrong[] = {
		{ HDMABUF_STATUS_RESERVED, true,
		  "a page that is nowhere, and rubbish behind the last entry" },
		{ HDMABUF_STATUS_BAD_REFERENCE, false,
		  "a page that is nowhere, and a last entry that is zero" },
	};
	struct end *end = test_connect(test);
	const struct plan plan = { .size = 8ull * page_octets(end) };

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct buffer buffer;
		message_t answer;

		comment(test, "%s", wrong[i].text);
		buffer_make(end, &buffer, &plan);
		set_entry(&buffer, 0, dead_reference(end));
		set_entry(&buffer, wrong[i].behind ? 8 : 7, wrong[i].behind);
		if (check_status(test, HDB_IMP_003,
				 buffer_export(&buffer, answer),
				 wrong[i].status, "%s", wrong[i].text))
			check_where(test, answer, HDMABUF_WHERE_DIRECTORY,
				    wrong[i].behind ? 8 : 7, wrong[i].text);
		check_unknown(&buffer, HDB_BOTH_037, wrong[i].text);
		check(test, HDB_IMP_003, is_unmapped(&buffer),
		      "%s: pages of data are mapped all the same",
		      wrong[i].text);
	}
}

static void stays_mapped(struct test *test)
{
	struct end *end = test_connect(test);
	struct mappings before, after;
	struct buffer buffer;
	message_t answer;
	bool seen;

	buffer_share(end, &buffer, NULL);
	if (!take_turn(&buffer))
		inconclusive(test, "the IUT does not carry out a hand-off");
	seen = iut_mappings(&buffer, &before);
	check(test, HDB_IMP_008, query_state(&buffer) == HDMABUF_BUFFER_MAPPED,
	      "after a hand-off, the buffer is not mapped any more");
	if (!take_turn(&buffer))
		inconclusive(test, "the IUT does not carry out a hand-off");
	buffer_query(&buffer, answer);
	check(test, HDB_IMP_008,
	      wire_get(answer, QUERY_ANSWER_STATE) == HDMABUF_BUFFER_MAPPED,
	      "after two hand-offs, the buffer is not mapped any more");
	check(test, HDB_BOTH_069, wire_get(answer, QUERY_ANSWER_HAND_OFFS) == 2,
	      "after two hand-offs, QUERY tells hand_offs %" PRIu64,
	      wire_get(answer, QUERY_ANSWER_HAND_OFFS));
	if (seen && iut_mappings(&buffer, &after))
		check(test, HDB_IMP_008,
		      before.count == 1 && after.count == 1 &&
			      before.address == after.address,
		      "the buffer was mapped anew for its second hand-off");
}

/* ---- what cannot be mapped ----------------------------------------------- */

enum bad_page {
	TAKEN_BACK,
	NEVER_SHARED,
	SHARED_READ_ONLY, /* and the buffer is READ_WRITE */
};

static const char *const bad_page_text[] = {
	"was taken back",
	"was never shared",
	"is shared read-only, while the buffer is read-write",
};

static uint64_t bad_reference(struct end *end, enum bad_page kind)
{
	uint64_t reference;

	switch (kind) {
	case TAKEN_BACK:
		return dead_reference(end);
	case NEVER_SHARED:
		return 0xfffffff0 - test_random(end->test) % 0x10000;
	default:
		end_share(end, end_allocate(end, 1, HDMABUF_RIGHTS_READ_ONLY),
			  0, 1, HDMABUF_RIGHTS_READ_ONLY, &reference);
		return reference;
	}
}

/* An importer that maps later finds out later. */
static void find_out(struct buffer *buffer, const char *what)
{
	message_t message;

	buffer_hand_off_message(buffer, HDMABUF_NO_TIMELINE, 0, message);
	end_send(buffer->end, message);
	check(buffer->end->test, HDB_IMP_014, await_released(buffer),
	      "%s: EXPORT was accepted, and the buffer is not released when it is handed off",
	      what);
}

static uint16_t export_bad_page(struct end *end, struct buffer *buffer,
				enum bad_page kind, uint64_t page, what_t what,
				message_t answer)
{
	const struct plan plan = { .size = 5ull * page_octets(end),
				   .rights = HDMABUF_RIGHTS_READ_WRITE,
				   .scattered = true };

	snprintf(what, sizeof(what_t), "a buffer whose page %" PRIu64 " %s",
		 page, bad_page_text[kind]);
	comment(end->test, "%s", what);
	buffer_make(end, buffer, &plan);
	set_entry(buffer, page, bad_reference(end, kind));
	return buffer_export(buffer, answer);
}

static void refuse_page(struct end *end, enum bad_page kind, uint64_t page)
{
	struct buffer buffer;
	message_t answer;
	uint16_t status;
	what_t what;

	status = export_bad_page(end, &buffer, kind, page, what, answer);
	if (status == HDMABUF_STATUS_OK)
		find_out(&buffer, what);
	else
		check_status(end->test, HDB_IMP_014, status,
			     HDMABUF_STATUS_BAD_REFERENCE, "%s", what);
	check(end->test, HDB_PLAT_006,
	      query_state(&buffer) != HDMABUF_BUFFER_MAPPED,
	      "%s: it is mapped all the same", what);
	check_unknown(&buffer, HDB_IMP_014, what);
	check(end->test, HDB_IMP_014,
	      buffer_revoke(&buffer, test_deadline(end->test)),
	      "%s: the other pages stay mapped", what);
}

static const uint64_t bad_pages[] = { 0, 2, 4 };

static void pages_that_cannot_be_mapped(struct test *test)
{
	struct end *end = test_connect(test);

	for (int kind = TAKEN_BACK; kind <= SHARED_READ_ONLY; kind++)
		for (size_t i = 0; i < COUNT_OF(bad_pages); i++)
			refuse_page(end, (enum bad_page)kind, bad_pages[i]);
}

static void pages_that_cannot_be_mapped_are_told(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(bad_pages); i++) {
		struct buffer buffer;
		message_t answer;
		what_t what;

		if (export_bad_page(end, &buffer, TAKEN_BACK, bad_pages[i],
				    what, answer) == HDMABUF_STATUS_OK)
			skip(test,
			     "the IUT maps a buffer later than EXPORT arrives");
		check_where(test, answer, HDMABUF_WHERE_PAGE, bad_pages[i],
			    what);
	}
}

static const struct test_case cases[] = {
	TEST(is_taken, "A buffer that is in order is imported as it is",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_009, HDB_BOTH_069),
	TEST(wrong_descriptors,
	     "A descriptor with a value that is not allowed is refused",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_009, HDB_IMP_011, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(zeros_of_descriptors,
	     "A descriptor in which a zero field is not zero is refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_RAW, HDB_IMP_023, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(wrong_exports,
	     "EXPORT with a value that is not allowed is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039,
	     HDB_PLAT_003),
	TEST(zeros_of_exports,
	     "EXPORT in which a zero field is not zero is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_039),
	TEST(order_of_faults,
	     "Of two things that are wrong with EXPORT, the first is reported",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039),
	TEST(huge_sizes, "A size that leads beyond 2^64 is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_037, HDB_BOTH_062),
	TEST(pictures_are_taken, "A picture that just fits is imported",
	     OF_BOTH, OPTION_IMPORT | OPTION_PICTURE, HDB_IMP_006,
	     HDB_BOTH_069),
	TEST(wrong_pictures,
	     "A picture with a value that is not allowed is refused", OF_BOTH,
	     OPTION_IMPORT | OPTION_PICTURE, HDB_IMP_009, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(zeros_of_pictures,
	     "A picture in which a zero field is not zero is refused", OF_BOTH,
	     OPTION_IMPORT | OPTION_PICTURE, HDB_IMP_023, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(rows_of_pictures,
	     "A picture whose rows lead beyond the data, or whose format is not known, is refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_PICTURE, HDB_IMP_006,
	     HDB_BOTH_037),
	TEST(cyclics_are_taken, "A cyclic buffer that is in order is imported",
	     OF_BOTH, OPTION_IMPORT | OPTION_CYCLIC, HDB_IMP_009, HDB_BOTH_069),
	TEST(wrong_cyclics,
	     "A cyclic buffer with a value that is not allowed is refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_CYCLIC, HDB_IMP_009, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(zeros_of_cyclics,
	     "A cyclic buffer in which a zero field is not zero is refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_CYCLIC, HDB_IMP_023, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(private_data_is_kept,
	     "Private data is kept whole, and what follows it is not looked at",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_010),
	TEST(private_data_beyond_the_limit,
	     "More private data than max_private is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_021, HDB_BOTH_037, HDB_BOTH_039),
	TEST(ids_are_used_once, "An id that is in use cannot be exported again",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_001, HDB_BOTH_039),
	TEST(ids_of_the_other_end,
	     "An id that the IUT has chosen cannot be exported by the other end",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL, HDB_IMP_001,
	     HDB_BOTH_039),
	TEST(ids_of_another_session,
	     "The id of a buffer of another session is not known", OF_BACKEND,
	     OPTION_IMPORT | OPTION_MANY, HDB_BOTH_042),
	TEST(ids_of_an_earlier_session,
	     "The id of a buffer of an earlier session is not known", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_042),
	TEST(limits_are_announced,
	     "Who imports buffers takes at least 1 KiB of private data",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_041),
	TEST(limit_of_buffers,
	     "As many buffers as max_buffers are taken, and no more", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_021, HDB_BOTH_037, HDB_BOTH_039),
	TEST(limit_of_octets,
	     "As many pages as max_octets allows are taken, and no more",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_021, HDB_BOTH_037, HDB_BOTH_039),
	TEST(limit_before_memory,
	     "A limit is looked at before memory is taken for what exceeds it",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_022, HDB_BOTH_037, HDB_BOTH_039),
	TEST(features_are_refused,
	     "A buffer that needs a feature that was not accepted is refused",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_019, HDB_BOTH_037, HDB_BOTH_039),
	TEST(description_is_copied,
	     "Descriptor and directory may change when EXPORT is answered",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_002),
	TEST(description_is_read_once,
	     "A descriptor that changes while it is read is used as it was checked",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_002),
	TEST(validated_before_mapped,
	     "Descriptor and directory are looked at before data is mapped",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_003, HDB_BOTH_037, HDB_BOTH_039),
	TEST(pages_that_cannot_be_mapped,
	     "A buffer of which a page cannot be mapped is refused or released",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_014, HDB_PLAT_006),
	TEST(pages_that_cannot_be_mapped_are_told,
	     "An importer that maps at once tells which page cannot be mapped",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_039),
	TEST(data_is_seen, "The importer sees the data that the exporter wrote",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_PLAT_006),
	TEST(frames_are_seen,
	     "The importer sees the 8100 pages of a big frame, also scattered",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_PLAT_006),
	TEST(data_may_change, "Data that changes while it is read does no harm",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_IMP_007),
	TEST(read_only_is_mapped_so,
	     "A buffer of right READ_ONLY is mapped without write access",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_004),
	TEST(stays_mapped, "A buffer stays mapped between its hand-offs",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_008, HDB_BOTH_069),
};

TEST_GROUP(import, cases);
