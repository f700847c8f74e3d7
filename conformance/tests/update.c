/* SPDX-License-Identifier: MIT */
/* update.c - metadata that changes without a new export */
#include "conformance/tests/buffers.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ONES UINT64_MAX

static uint32_t page_octets(const struct end *end)
{
	return 1u << end->platform.ops->page_shift;
}

/* ---- what the importer takes ----------------------------------------------- */

static void next_generation(struct buffer *buffer)
{
	wire_put(buffer->descriptor, DESCRIPTOR_GENERATION,
		 wire_get(buffer->descriptor, DESCRIPTOR_GENERATION) + 1);
}

static void set_private(struct buffer *buffer, uint32_t octets)
{
	wire_put(buffer->descriptor, DESCRIPTOR_LENGTH,
		 WIRE_DESCRIPTOR_OCTETS + octets);
	wire_put(buffer->descriptor, DESCRIPTOR_PRIVATE, octets);
}

static void clear_metadata(struct buffer *buffer, uint32_t type)
{
	wire_put(buffer->descriptor, DESCRIPTOR_TYPE, type);
	memset(buffer->descriptor + wire_offset(RAW_ZERO), 0,
	       wire_octets(RAW_ZERO));
}

static void make_raw(struct buffer *buffer)
{
	clear_metadata(buffer, HDMABUF_TYPE_RAW);
}

static void make_picture(struct buffer *buffer)
{
	uint8_t *descriptor = buffer->descriptor;

	clear_metadata(buffer, HDMABUF_TYPE_PICTURE);
	wire_put(descriptor, PICTURE_WIDTH, 16);
	wire_put(descriptor, PICTURE_HEIGHT, 16);
	wire_put(descriptor, PICTURE_FOURCC, 0x34325258); /* XR24 */
	wire_put(descriptor, PICTURE_PLANES, 1);
	wire_put(descriptor, PICTURE_PLANE_COUNT, 1);
	wire_put(descriptor, PICTURE_PLANE0_STRIDE, 64);
}

static void make_cyclic(struct buffer *buffer)
{
	uint8_t *descriptor = buffer->descriptor;

	clear_metadata(buffer, HDMABUF_TYPE_CYCLIC);
	wire_put(descriptor, CYCLIC_CHANNELS, 1);
	wire_put(descriptor, CYCLIC_RATE, 48000);
	wire_put(descriptor, CYCLIC_FRAME_OCTETS, 4);
	wire_put(descriptor, CYCLIC_PERIOD_OCTETS, 4);
	wire_put(descriptor, CYCLIC_POSITION_TIMELINE, HDMABUF_NO_TIMELINE);
}

/* A tag, an amount of private data or another type, one after the other. */
static const struct {
	uint64_t tag;
	uint32_t private_octets;
	void (*make)(struct buffer *buffer);
	uint32_t claims;
	const char *text;
} updates[] = {
	{ 1, 0, NULL, 0, "another tag" },
	{ ONES, 0, NULL, 0, "the greatest tag" },
	{ 0, 1, NULL, 0, "some private data" },
	{ 0, 1024, NULL, 0, "more private data" },
	{ 0, 5, NULL, 0, "less private data" },
	{ 0, 0, NULL, 0, "no private data" },
	{ 7, 100, NULL, 0, "another tag and private data" },
	{ 7, 100, NULL, 0, "nothing else" },
	{ 7, 0, make_picture, OPTION_RAW | OPTION_PICTURE, "a picture" },
	{ 7, 0, make_cyclic, OPTION_RAW | OPTION_CYCLIC, "sound" },
	{ 8, 50, make_raw, OPTION_RAW, "raw data" },
};

static bool are_claimed(const struct test *test, uint32_t claims)
{
	return (test_setup(test)->statement.options & claims) == claims;
}

static void share(struct end *end, struct buffer *buffer)
{
	const struct plan plan = { .size = 2ull * page_octets(end) - 100,
				   .private_octets = 10,
				   .tag = 3 };

	buffer_share(end, buffer, &plan);
}

static void updates_are_taken(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	share(end, &buffer);
	for (size_t i = 0; i < COUNT_OF(updates); i++) {
		if (!are_claimed(test, updates[i].claims))
			continue;
		comment(test, "an update to %s", updates[i].text);
		next_generation(&buffer);
		wire_put(buffer.descriptor, DESCRIPTOR_TAG, updates[i].tag);
		set_private(&buffer, updates[i].private_octets);
		if (updates[i].make)
			updates[i].make(&buffer);
		check_taken(test, HDB_IMP_018, buffer_update(&buffer, NULL),
			    updates[i].text);
		check_query(&buffer, HDB_BOTH_069, buffer.descriptor,
			    updates[i].text);
		check(test, HDB_IMP_018, take_turn(&buffer),
		      "after an update the buffer cannot be used");
	}
}

/* It is not read again: another page has the descriptor, and the first are gone. */
static void directory_is_not_read_again(struct test *test)
{
	static const char what[] =
		"an update when the directory is gone, in another page";
	struct end *end = test_connect(test);
	struct hdmabuf_memory *memory;
	struct buffer buffer;

	share(end, &buffer);
	memory = end_allocate(end, 1, HDMABUF_RIGHTS_READ_ONLY);
	memcpy(memory->address, buffer.descriptor, page_octets(end));
	if (!end_revoke(end, buffer.description.run, buffer.description.count,
			test_deadline(test)))
		inconclusive(test, "descriptor and directory stay mapped");
	memset(buffer.directory, 0xff, page_octets(end));
	buffer.descriptor = memory->address;
	end_share(end, memory, 0, 1, HDMABUF_RIGHTS_READ_ONLY,
		  &buffer.descriptor_reference);
	next_generation(&buffer);
	wire_put(buffer.descriptor, DESCRIPTOR_TAG, 77);
	check_taken(test, HDB_IMP_002, buffer_update(&buffer, NULL), what);
	check_query(&buffer, HDB_IMP_002, buffer.descriptor, what);
	check(test, HDB_IMP_002, take_turn(&buffer), "%s: it cannot be used",
	      what);
}

/* ---- what the importer refuses ----------------------------------------------- */

#define CHANGED(place, making, value, also) \
	{ \
		place, making, value, HDMABUF_STATUS_INVALID, HDB_IMP_018, \
			also \
	}
#define WRONG(place, making, value) \
	{ \
		place, making, value, HDMABUF_STATUS_INVALID, HDB_IMP_009, 0 \
	}

/* Of a buffer of two pages less 100 octets, whose generation would be 2. */
static const struct spoilt wrong_updates[] = {
	WRONG(DESCRIPTOR_MAGIC, ADD, 1),
	WRONG(DESCRIPTOR_LENGTH, ADD, 1),
	WRONG(DESCRIPTOR_LENGTH, ADD, ONES),
	CHANGED(DESCRIPTOR_GENERATION, SET, 0, 0),
	CHANGED(DESCRIPTOR_GENERATION, SET, 1, 0),
	CHANGED(DESCRIPTOR_GENERATION, SET, 3, 0),
	CHANGED(DESCRIPTOR_GENERATION, ADD, 1ull << 32, 0),
	CHANGED(DESCRIPTOR_GENERATION, SET, ONES, 0),
	CHANGED(DESCRIPTOR_SIZE, ADD, 1, 0),
	CHANGED(DESCRIPTOR_SIZE, ADD, ONES, 0),
	CHANGED(DESCRIPTOR_SIZE, SET, 1, 0),
	CHANGED(DESCRIPTOR_PAGES, ADD, 1, 0),
	CHANGED(DESCRIPTOR_PAGES, ADD, ONES, 0),
	CHANGED(DESCRIPTOR_ENTRIES, ADD, 1, 0),
	CHANGED(DESCRIPTOR_DIRECTORY, ADD, 1, 0),
	CHANGED(DESCRIPTOR_DIRECTORY, SET, 0, 0),
	CHANGED(DESCRIPTOR_DIRECTORY, SET, ONES, 0),
	CHANGED(DESCRIPTOR_DIRECTORY_PAGES, ADD, 1, 0),
	CHANGED(DESCRIPTOR_DIRECTORY_FORMAT, SET, 3, 0),
	CHANGED(DESCRIPTOR_DATA_OFFSET, SET, 1, 0),
	CHANGED(DESCRIPTOR_DATA_OFFSET, SET, 100, 0),
	CHANGED(DESCRIPTOR_DATA_OFFSET, PAGE, 0, DESCRIPTOR_PAGES),
	CHANGED(DESCRIPTOR_PAGE_SHIFT, ADD, 1, DESCRIPTOR_PAGES),
	CHANGED(DESCRIPTOR_RIGHTS, SET, HDMABUF_RIGHTS_READ_WRITE, 0),
	CHANGED(DESCRIPTOR_RIGHTS, SET, 0, 0),
	CHANGED(DESCRIPTOR_RIGHTS, SET, 4, 0),
	CHANGED(DESCRIPTOR_ATTRIBUTES, SET, 0, 0),
	CHANGED(DESCRIPTOR_ATTRIBUTES, SET, 3, 0),
	WRONG(DESCRIPTOR_TYPE, SET, 0),
	WRONG(DESCRIPTOR_TYPE, SET, 4),
	WRONG(DESCRIPTOR_PRIVATE, ADD, 1),
	WRONG(DESCRIPTOR_PRIVATE, ADD, ONES),
};

/* What is behind a feature is refused for that, if it was not accepted. */
static const struct {
	uint64_t feature;
	struct spoilt spoilt;
} wrong_with_features[] = {
	{ HDMABUF_FEATURE_TABLE, CHANGED(DESCRIPTOR_DIRECTORY_FORMAT, SET,
					 HDMABUF_DIRECTORY_TABLE, 0) },
	{ HDMABUF_FEATURE_LEND,
	  CHANGED(DESCRIPTOR_RIGHTS, SET, HDMABUF_RIGHTS_LEND, 0) },
	{ HDMABUF_FEATURE_WRITE_COMBINED,
	  CHANGED(DESCRIPTOR_ATTRIBUTES, SET, HDMABUF_ATTRIBUTE_WRITE_COMBINED,
		  0) },
};

/* A buffer, as it was exported, and what would be a right update. */
struct renewal {
	struct buffer buffer;
	uint8_t exported[WIRE_DESCRIPTOR_OCTETS];
	uint8_t updated[WIRE_DESCRIPTOR_OCTETS];
};

static void begin_renewal(struct end *end, struct renewal *renewal)
{
	struct buffer *buffer = &renewal->buffer;

	share(end, buffer);
	memcpy(renewal->exported, buffer->descriptor,
	       sizeof(renewal->exported));
	next_generation(buffer);
	wire_put(buffer->descriptor, DESCRIPTOR_TAG, 4);
	memcpy(renewal->updated, buffer->descriptor, sizeof(renewal->updated));
}

static void update_message(const struct renewal *renewal, message_t message)
{
	buffer_export_message(&renewal->buffer, message);
	wire_put(message, HEADER_OPERATION, HDMABUF_OP_UPDATE);
}

/* The update is refused, and the importer has what it had. */
static bool refuse(struct renewal *renewal, message_t message, uint16_t status,
		   enum clause clause, const char *what, message_t answer)
{
	struct buffer *buffer = &renewal->buffer;
	bool right;

	comment(buffer->end->test, "%s", what);
	right = check_status(buffer->end->test, clause,
			     buffer_describe(buffer, message, answer), status,
			     "%s", what);
	check_query(buffer, HDB_BOTH_037, renewal->exported, what);
	memcpy(buffer->descriptor, renewal->updated, sizeof(renewal->updated));
	return right;
}

static void end_renewal(struct renewal *renewal)
{
	struct buffer *buffer = &renewal->buffer;

	comment(buffer->end->test, "the same update with nothing wrong");
	check_taken(buffer->end->test, HDB_BOTH_037,
		    buffer_update(buffer, NULL),
		    "an update after others were refused");
	check_query(buffer, HDB_BOTH_037, buffer->descriptor,
		    "an update after others were refused");
}

static void refuse_field(struct renewal *renewal, const struct spoilt *spoilt)
{
	struct buffer *buffer = &renewal->buffer;
	struct test *test = buffer->end->test;
	message_t message, answer;
	uint64_t value;
	what_t what;

	update_message(renewal, message);
	value = spoil_field(buffer->end, buffer->descriptor, spoilt);
	snprintf(what, sizeof(what), "UPDATE with %" PRIu64 " at offset %zu",
		 value, wire_offset(spoilt->place));
	if (!refuse(renewal, message, spoilt->status, spoilt->clause, what,
		    answer))
		return;
	check_lies_in(test, HDB_IMP_009, answer, HDMABUF_WHERE_DESCRIPTOR,
		      what);
	check_blame(test, answer, spoilt, value, what);
}

static void wrong_fields(struct test *test)
{
	struct end *end = test_connect(test);
	struct renewal renewal;

	begin_renewal(end, &renewal);
	for (size_t i = 0; i < COUNT_OF(wrong_updates); i++)
		refuse_field(&renewal, &wrong_updates[i]);
	for (size_t i = 0; i < COUNT_OF(wrong_with_features); i++)
		if (end->features & wrong_with_features[i].feature)
			refuse_field(&renewal, &wrong_with_features[i].spoilt);
	end_renewal(&renewal);
}

static void another_id(struct test *test)
{
	static const char what[] = "UPDATE with another id in the descriptor";
	struct end *end = test_connect(test);
	struct renewal renewal;
	message_t message, answer;

	begin_renewal(end, &renewal);
	update_message(&renewal, message);
	renewal.buffer.descriptor[wire_offset(DESCRIPTOR_ID) + 15] ^= 1;
	if (refuse(&renewal, message, HDMABUF_STATUS_INVALID, HDB_IMP_018, what,
		   answer))
		check_where(test, answer, HDMABUF_WHERE_DESCRIPTOR,
			    wire_offset(DESCRIPTOR_ID), what);
	end_renewal(&renewal);
}

/* Later generations are counted as the first. */
static void generations_are_counted(struct test *test)
{
	static const int64_t steps[] = { -2, -1, 0, 2, 3 };
	struct end *end = test_connect(test);
	struct buffer buffer;

	share(end, &buffer);
	for (uint64_t generation = 1; generation < 6; generation++) {
		for (size_t i = 0; i < COUNT_OF(steps); i++) {
			wire_put(buffer.descriptor, DESCRIPTOR_GENERATION,
				 generation + (uint64_t)steps[i]);
			check_status(test, HDB_IMP_018,
				     buffer_update(&buffer, NULL),
				     HDMABUF_STATUS_INVALID,
				     "UPDATE from generation %" PRIu64
				     " to %" PRId64,
				     generation,
				     (int64_t)generation + steps[i]);
		}
		wire_put(buffer.descriptor, DESCRIPTOR_GENERATION,
			 generation + 1);
		check_taken(test, HDB_IMP_018, buffer_update(&buffer, NULL),
			    "the next generation");
		check_query(&buffer, HDB_IMP_018, buffer.descriptor,
			    "the next generation");
	}
}

static void zeros_of_descriptors(struct test *test)
{
	static const unsigned int fields[] = { RAW_ZERO, RAW_ZERO1 };
	struct end *end = test_connect(test);
	struct renewal renewal;

	begin_renewal(end, &renewal);
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		size_t field = wire_offset(fields[i]);

		for (size_t j = 0; j < wire_octets(fields[i]); j++) {
			message_t message, answer;
			what_t what;

			snprintf(
				what, sizeof(what),
				"UPDATE with octet %zu of its descriptor not zero",
				field + j);
			update_message(&renewal, message);
			renewal.buffer.descriptor[field + j] = 1;
			if (refuse(&renewal, message, HDMABUF_STATUS_RESERVED,
				   HDB_IMP_023, what, answer))
				check_where(test, answer,
					    HDMABUF_WHERE_DESCRIPTOR, field,
					    what);
		}
	}
	end_renewal(&renewal);
}

/* ---- the request ---------------------------------------------------------- */

static const struct spoilt wrong_requests[] = {
	{ EXPORT_ZERO, SET, 1, HDMABUF_STATUS_RESERVED, HDB_BOTH_002, 0 },
	{ WIRE_PLACE(40, 8), SET, 1, HDMABUF_STATUS_RESERVED, HDB_BOTH_002, 0 },
	{ EXPORT_LENGTH, SET, 0, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
	{ EXPORT_LENGTH, SET, 255, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
	{ EXPORT_LENGTH, PAGE, 1, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
	{ EXPORT_LENGTH, SET, ONES, HDMABUF_STATUS_INVALID, HDB_BOTH_038, 0 },
	{ EXPORT_DESCRIPTOR, SET, 0, HDMABUF_STATUS_BAD_REFERENCE, HDB_PLAT_003,
	  0 },
	{ EXPORT_DESCRIPTOR, ADD, 1ull << 32, HDMABUF_STATUS_BAD_REFERENCE,
	  HDB_BOTH_038, 0 },
	{ EXPORT_DESCRIPTOR, SET, ONES, HDMABUF_STATUS_BAD_REFERENCE,
	  HDB_BOTH_038, 0 },
};

static void refuse_request(struct renewal *renewal, const struct spoilt *spoilt)
{
	struct test *test = renewal->buffer.end->test;
	message_t message, answer;
	uint64_t value;
	what_t what;

	update_message(renewal, message);
	value = spoil_field(renewal->buffer.end, message, spoilt);
	snprintf(what, sizeof(what),
		 "UPDATE with %" PRIu64 " at offset %zu of the request", value,
		 wire_offset(spoilt->place));
	if (refuse(renewal, message, spoilt->status, spoilt->clause, what,
		   answer))
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(spoilt->place), what);
}

static void wrong_updates_of_requests(struct test *test)
{
	struct end *end = test_connect(test);
	struct renewal renewal;

	begin_renewal(end, &renewal);
	for (size_t i = 0; i < COUNT_OF(wrong_requests); i++)
		refuse_request(&renewal, &wrong_requests[i]);
	end_renewal(&renewal);
}

static void strange_ids(struct test *test)
{
	struct end *end = test_connect(test);
	struct renewal renewal;
	message_t message, answer;

	begin_renewal(end, &renewal);
	update_message(&renewal, message);
	message[wire_offset(EXPORT_ID)] ^= 1;
	refuse(&renewal, message, HDMABUF_STATUS_NO_SUCH_BUFFER, HDB_BOTH_042,
	       "UPDATE of an id that is not known", answer);
	memset(message + wire_offset(EXPORT_ID), 0, 16);
	refuse(&renewal, message, HDMABUF_STATUS_NO_SUCH_BUFFER, HDB_BOTH_042,
	       "UPDATE of the id that is all zero", answer);
	end_renewal(&renewal);
}

static void too_much_private_data(struct test *test)
{
	static const char what[] =
		"UPDATE with more private data than max_private";
	struct end *end = test_connect(test);
	uint32_t most = end->peer.max_private;
	struct renewal renewal;
	message_t message, answer;

	if (most + WIRE_DESCRIPTOR_OCTETS >= page_octets(end))
		skip(test, "max_private is what a page can hold, or more");
	begin_renewal(end, &renewal);
	set_private(&renewal.buffer, most + 1);
	update_message(&renewal, message);
	if (refuse(&renewal, message, HDMABUF_STATUS_LIMIT, HDB_BOTH_021, what,
		   answer)) {
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(EXPORT_LENGTH), what);
		check_value(test, answer, most, what);
	}
	comment(test, "as much as max_private is taken");
	set_private(&renewal.buffer, most);
	check_taken(test, HDB_BOTH_021, buffer_update(&renewal.buffer, NULL),
		    "as much private data as max_private");
	check_query(&renewal.buffer, HDB_BOTH_021, renewal.buffer.descriptor,
		    "as much private data as max_private");
}

static void updates_are_not_negotiated(struct test *test)
{
	struct end *end = test_open(test);
	struct renewal renewal;
	message_t message, answer;

	end->greeting.features = HDMABUF_FEATURES_ALL & ~HDMABUF_FEATURE_UPDATE;
	end_greet(end);
	begin_renewal(end, &renewal);
	update_message(&renewal, message);
	refuse(&renewal, message, HDMABUF_STATUS_NOT_NEGOTIATED, HDB_BOTH_019,
	       "UPDATE without that feature", answer);
	message[wire_offset(EXPORT_ID)] ^= 1;
	refuse(&renewal, message, HDMABUF_STATUS_NOT_NEGOTIATED, HDB_BOTH_019,
	       "UPDATE of an unknown id without that feature", answer);
	wire_put(message, EXPORT_ZERO, 1);
	refuse(&renewal, message, HDMABUF_STATUS_NOT_NEGOTIATED, HDB_BOTH_019,
	       "UPDATE with a zero field that is not, without that feature",
	       answer);
}

/* ---- states ---------------------------------------------------------------- */

static void update_while_lent(struct test *test)
{
	struct end *end = test_connect(test);
	const struct plan plan = { .rights = HDMABUF_RIGHTS_LEND };
	struct renewal renewal;
	message_t message, answer;

	buffer_share(end, &renewal.buffer, &plan);
	memcpy(renewal.exported, renewal.buffer.descriptor,
	       sizeof(renewal.exported));
	next_generation(&renewal.buffer);
	memcpy(renewal.updated, renewal.buffer.descriptor,
	       sizeof(renewal.updated));
	control(test, "hold on");
	buffer_hand_off(&renewal.buffer, HDMABUF_NO_TIMELINE, 0, NULL);
	update_message(&renewal, message);
	refuse(&renewal, message, HDMABUF_STATUS_WRONG_STATE, HDB_BOTH_038,
	       "UPDATE of a buffer that is lent", answer);
	control(test, "hold off");
	if (!end_await_request(end, HDMABUF_OP_HAND_OFF))
		inconclusive(test, "the IUT does not hand the buffer back");
	end_renewal(&renewal);
}

static void update_while_retiring(struct test *test)
{
	struct end *end = test_connect(test);
	struct renewal renewal;
	message_t message, answer;
	char name[33];

	begin_renewal(end, &renewal);
	control(test, "keep on");
	control(test, "map %s", buffer_name(&renewal.buffer, name));
	buffer_unexport(&renewal.buffer, 60000, NULL);
	update_message(&renewal, message);
	refuse(&renewal, message, HDMABUF_STATUS_WRONG_STATE, HDB_BOTH_038,
	       "UPDATE of a buffer after UNEXPORT", answer);
}

static void update_is_denied(struct test *test)
{
	struct end *end = test_connect(test);
	struct renewal renewal;
	message_t message, answer;

	begin_renewal(end, &renewal);
	control(test, "reject %u", HDMABUF_STATUS_DENIED);
	update_message(&renewal, message);
	refuse(&renewal, message, HDMABUF_STATUS_DENIED, HDB_BOTH_037,
	       "UPDATE that the application does not want", answer);
	end_renewal(&renewal);
}

/* ---- what the exporter sends ---------------------------------------------- */

/* All but what may change. */
static void blank(uint8_t *descriptor)
{
	static const unsigned int may_change[] = {
		DESCRIPTOR_LENGTH, DESCRIPTOR_GENERATION, DESCRIPTOR_TAG,
		DESCRIPTOR_TYPE,   DESCRIPTOR_PRIVATE,	  RAW_ZERO,
	};

	for (size_t i = 0; i < COUNT_OF(may_change); i++)
		memset(descriptor + wire_offset(may_change[i]), 0,
		       wire_octets(may_change[i]));
}

static struct received *tell_update(struct end *end, const char *what)
{
	struct received *request;

	control(end->test, "update b %s", what);
	request = end_await_request(end, HDMABUF_OP_UPDATE);
	if (!request)
		inconclusive(end->test, "the IUT sends no UPDATE");
	return request;
}

/* The descriptor of UPDATE, compared with that before it. */
static void check_update(struct end *end, const struct received *request,
			 const uint8_t *before, const char *what)
{
	uint8_t old[WIRE_DESCRIPTOR_OCTETS], new[WIRE_DESCRIPTOR_OCTETS];
	uint64_t generation = wire_get(before, DESCRIPTOR_GENERATION);

	memcpy(old, before, sizeof(old));
	memcpy(new, end->descriptor, sizeof(new));
	check(end->test, HDB_EXP_011,
	      wire_get(new, DESCRIPTOR_GENERATION) == generation + 1,
	      "%s: generation %" PRIu64 " follows %" PRIu64, what,
	      wire_get(new, DESCRIPTOR_GENERATION), generation);
	check(end->test, HDB_EXP_011,
	      wire_get(new, DESCRIPTOR_LENGTH) ==
		      wire_get(request->octets, EXPORT_LENGTH),
	      "%s: the request has another length than the descriptor", what);
	blank(old);
	blank(new);
	for (size_t i = 0; i < sizeof(old); i++)
		if (!check(end->test, HDB_EXP_011, old[i] == new[i],
			   "%s: octet %zu of the descriptor has changed", what,
			   i))
			return;
}

static const struct {
	const char *what;
	uint64_t tag;
	uint32_t private_octets;
} told[] = {
	{ "tag=7", 7, 10 },
	{ "private=1000", 7, 1000 },
	{ "tag=18446744073709551615 private=3", ONES, 3 },
	{ "private=0", ONES, 0 },
	{ "tag=0", 0, 0 },
};

static void updates_change_what_they_may(struct test *test)
{
	struct end *end = test_connect(test);
	const struct their_buffer *buffer = let_export(
		end, "b size=10000 offset=5 private=10 rights=read-write");
	uint8_t before[WIRE_DESCRIPTOR_OCTETS];

	for (size_t i = 0; i < COUNT_OF(told); i++) {
		const struct received *request;

		memcpy(before, buffer->descriptor, sizeof(before));
		request = tell_update(end, told[i].what);
		if (wire_get(end->descriptor, DESCRIPTOR_TAG) != told[i].tag ||
		    wire_get(end->descriptor, DESCRIPTOR_PRIVATE) !=
			    told[i].private_octets)
			inconclusive(
				test,
				"the IUT updates to something else than it was told");
		check_update(end, request, before, told[i].what);
		catch_up(end);
	}
}

static void refused_updates_do_not_count(struct test *test)
{
	static const uint16_t statuses[] = { HDMABUF_STATUS_DENIED,
					     HDMABUF_STATUS_LIMIT,
					     HDMABUF_STATUS_FAILED, 999 };
	struct end *end = test_connect(test);
	const struct their_buffer *buffer =
		let_export(end, "b size=10000 private=10");
	uint8_t before[WIRE_DESCRIPTOR_OCTETS];

	memcpy(before, buffer->descriptor, sizeof(before));
	end->serves = false;
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		struct received *request = tell_update(end, "tag=7");

		comment(test, "UPDATE is refused with %s",
			wire_status_name(statuses[i]));
		check_update(end, request, before, "after those refused");
		end_answer_status(end, request, statuses[i]);
		catch_up(end);
	}
	check_update(end, tell_update(end, "tag=7"), before,
		     "after those refused");
}

static void descriptor_rests(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t octets = page_octets(end);
	uint64_t reference;
	const uint8_t *page;
	uint8_t *before;

	let_export(end, "b size=10000 private=10");
	end->serves = false;
	reference = wire_get(tell_update(end, "tag=7 private=1000")->octets,
			     EXPORT_DESCRIPTOR);
	page = end_map(end, &reference, 1, HDMABUF_RIGHTS_READ_ONLY);
	require(test, HDB_EXP_003, page,
		"the descriptor of UPDATE cannot be mapped");
	before = end_array(end, 1, octets);
	memcpy(before, page, octets);
	end_unmap(end, (void *)page, 1);
	comment(test, "UPDATE is not answered yet");
	let_pass(test, 50);
	catch_up(end);
	page = end_map(end, &reference, 1, HDMABUF_RIGHTS_READ_ONLY);
	require(test, HDB_EXP_003, page,
		"the descriptor of UPDATE is gone before it was answered");
	check(test, HDB_EXP_003, !memcmp(before, page, octets),
	      "the descriptor of UPDATE has changed before it was answered");
	end_unmap(end, (void *)page, 1);
}

static void limit_of_private_data(struct test *test)
{
	struct end *end = test_open(test);

	end->greeting.max_private = 1024;
	end_greet(end);
	let_export(end, "b size=1 private=10");
	tell_update(end, "private=1024");
	catch_up(end);
	control_try(test, "update b private=1025");
	check(test, HDB_BOTH_020, asks_nothing(end, HDMABUF_OP_UPDATE),
	      "UPDATE brings more private data than max_private");
	control_try(test, "update b private=3840");
	check(test, HDB_EXP_008, asks_nothing(end, HDMABUF_OP_UPDATE),
	      "UPDATE brings more private data than max_private");
}

#define TAKEN (OPTION_IMPORT | OPTION_UPDATE)
#define SENT  (OPTION_CONTROL | OPTION_UPDATE)

static const struct test_case cases[] = {
	TEST(updates_are_not_negotiated,
	     "UPDATE is refused if the feature was not accepted", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_019, HDB_BOTH_037),
	TEST(updates_are_taken, "Tag, private data and type can be updated",
	     OF_BOTH, TAKEN, HDB_IMP_018, HDB_BOTH_069),
	TEST(directory_is_not_read_again,
	     "UPDATE needs no directory, and any page may have the descriptor",
	     OF_BOTH, TAKEN, HDB_IMP_002),
	TEST(generations_are_counted,
	     "An update whose generation is not the next is refused", OF_BOTH,
	     TAKEN, HDB_IMP_018),
	TEST(wrong_fields, "An update that changes anything else is refused",
	     OF_BOTH, TAKEN, HDB_IMP_009, HDB_IMP_018, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(another_id, "An update whose descriptor has another id is refused",
	     OF_BOTH, TAKEN, HDB_IMP_018, HDB_BOTH_037, HDB_BOTH_039),
	TEST(zeros_of_descriptors,
	     "An update in which a zero field is not zero is refused", OF_BOTH,
	     TAKEN | OPTION_RAW, HDB_IMP_023, HDB_BOTH_037, HDB_BOTH_039),
	TEST(wrong_updates_of_requests,
	     "UPDATE with a value that is not allowed is refused", OF_BOTH,
	     TAKEN, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039,
	     HDB_PLAT_003),
	TEST(strange_ids, "UPDATE of what was not exported is refused", OF_BOTH,
	     TAKEN, HDB_BOTH_037, HDB_BOTH_042),
	TEST(too_much_private_data,
	     "An update to more private data than max_private is refused",
	     OF_BOTH, TAKEN, HDB_BOTH_021, HDB_BOTH_037, HDB_BOTH_039),
	TEST(update_is_denied,
	     "An update that the application does not want changes nothing",
	     OF_BOTH, TAKEN | OPTION_CONTROL, HDB_BOTH_037),
	TEST(update_while_lent, "UPDATE of a buffer that is lent is refused",
	     OF_BOTH, TAKEN | OPTION_CONTROL | OPTION_LEND, HDB_BOTH_037,
	     HDB_BOTH_038),
	TEST(update_while_retiring, "UPDATE after UNEXPORT is refused", OF_BOTH,
	     TAKEN | OPTION_CONTROL, HDB_BOTH_037, HDB_BOTH_038),
	TEST(updates_change_what_they_may,
	     "UPDATE changes nothing but what it may", OF_BOTH, SENT,
	     HDB_EXP_011),
	TEST(refused_updates_do_not_count,
	     "After an update that was refused, the generation is the same",
	     OF_BOTH, SENT, HDB_EXP_011),
	TEST(descriptor_rests,
	     "The descriptor stays as it is until UPDATE is answered", OF_BOTH,
	     SENT, HDB_EXP_003),
	TEST(limit_of_private_data,
	     "UPDATE brings no more private data than max_private", OF_BOTH,
	     SENT, HDB_BOTH_020, HDB_EXP_008),
};

TEST_GROUP(update, cases);
