/* SPDX-License-Identifier: MIT */
/* export.c - what the IUT shares when it is told to */
#include "conformance/internal.h"
#include "conformance/tests/buffers.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t page_octets(const struct end *end)
{
	return 1u << end->platform.ops->page_shift;
}

static uint64_t field(const struct their_buffer *buffer, unsigned int place)
{
	return wire_get(buffer->descriptor, place);
}

/* ---- ids ---------------------------------------------------------------- */

#define IDS	192
#define ID_BITS 128

typedef uint8_t id_t_[16];

static bool bit_of(const uint8_t *id, unsigned int bit)
{
	return id[bit / 8] >> bit % 8 & 1;
}

static void add_id(uint8_t *to, const uint8_t *id)
{
	for (size_t i = 0; i < 16; i++)
		to[i] ^= id[i];
}

/*
 * How many bits of these ids are independent: constant ones, counters and repeated
 * words count little or nothing. Overwrites them.
 */
static unsigned int rank_of(id_t_ *ids, size_t count)
{
	unsigned int rank = 0;

	for (unsigned int bit = 0; bit < ID_BITS; bit++) {
		size_t pivot = rank;
		id_t_ spare;

		while (pivot < count && !bit_of(ids[pivot], bit))
			pivot++;
		if (pivot == count)
			continue;
		memcpy(spare, ids[pivot], sizeof(spare));
		memcpy(ids[pivot], ids[rank], sizeof(spare));
		memcpy(ids[rank], spare, sizeof(spare));
		for (size_t i = rank + 1; i < count; i++)
			if (bit_of(ids[i], bit))
				add_id(ids[i], ids[rank]);
		rank++;
	}
	return rank;
}

static void collect_ids(struct end *end, id_t_ *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct their_buffer *buffer =
			let_export(end, "b%zu size=1", i);

		memcpy(ids[i], buffer->id, sizeof(ids[i]));
		control(end->test, "unexport b%zu", i);
		if (!end_await_request(end, HDMABUF_OP_UNEXPORT))
			inconclusive(end->test, "the IUT sends no UNEXPORT");
	}
}

static void check_different(struct test *test, const id_t_ *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (!memcmp(ids[i], ids[j], sizeof(ids[i]))) {
				check(test, HDB_EXP_001, false,
				      "exports %zu and %zu have the same id", j,
				      i);
				return;
			}
}

static void ids_are_random(struct test *test)
{
	struct end *end = test_connect(test);
	id_t_ *ids = end_array(end, IDS, sizeof(*ids));
	unsigned int rank;
	id_t_ first;

	collect_ids(end, ids, IDS);
	for (size_t i = 0; i < IDS; i++)
		check(test, HDB_EXP_001, !wire_is_zero(ids[i], sizeof(ids[i])),
		      "the id of export %zu is all zero", i);
	check_different(test, (const id_t_ *)ids, IDS);
	memcpy(first, ids[0], sizeof(first));
	for (size_t i = 0; i < IDS; i++)
		add_id(ids[i], first);
	rank = rank_of(ids, IDS);
	comment(test, "%u bits of %u ids are independent", rank, IDS);
	check(test, HDB_EXP_001, rank >= 96,
	      "only %u of the 128 bits of an id can be random, and not 96",
	      rank);
}

#define FEW_IDS 8

/* A generator that begins in the same place each time can be predicted. */
static void ids_differ_after_a_restart(struct test *test)
{
	id_t_ ids[2 * FEW_IDS];
	struct end *end;

	end = test_connect(test);
	collect_ids(end, ids, FEW_IDS);
	end_close(end);
	test_iut_kill(test, SIGKILL);
	end = test_connect(test);
	collect_ids(end, ids + FEW_IDS, FEW_IDS);
	check(test, HDB_EXP_001,
	      memcmp(ids, ids + FEW_IDS, FEW_IDS * sizeof(ids[0])),
	      "after a restart, the ids are the same again");
	check_different(test, (const id_t_ *)ids, 2 * FEW_IDS);
}

/* ---- data, and what lies around it ---------------------------------------- */

/* The first octet of the data that is not as it should be; its size if all are. */
static uint64_t first_wrong(const uint8_t *data, uint64_t size, int octet)
{
	for (uint64_t i = 0; i < size; i++)
		if (data[i] != (octet < 0 ? pattern_octet(i) : (uint8_t)octet))
			return i;
	return size;
}

static uint8_t *map(struct end *end, struct their_buffer *buffer)
{
	uint8_t *data = end_map_buffer(end, buffer, HDMABUF_RIGHTS_READ_ONLY);

	if (!data) {
		test_found(end->test, HDB_EXP_004,
			   "the pages of data cannot be mapped");
		inconclusive(end->test, "the data cannot be seen");
	}
	return data;
}

/* -1 is the pattern of the control protocol. */
static void check_data(struct end *end, struct their_buffer *buffer,
		       enum clause clause, int octet, const char *what)
{
	uint64_t size = field(buffer, DESCRIPTOR_SIZE);
	const uint8_t *data = map(end, buffer);
	uint64_t wrong = first_wrong(data, size, octet);

	check(end->test, clause, wrong == size,
	      "%s: octet %" PRIu64 " of the data is 0x%02x", what, wrong,
	      wrong < size ? data[wrong] : 0);
}

static void check_around(struct end *end, struct their_buffer *buffer,
			 const char *what)
{
	uint64_t offset = field(buffer, DESCRIPTOR_DATA_OFFSET);
	uint64_t size = field(buffer, DESCRIPTOR_SIZE);
	const uint8_t *pages = map(end, buffer) - offset;
	uint64_t end_of_data = offset + size;

	check(end->test, HDB_EXP_002, wire_is_zero(pages, (size_t)offset),
	      "%s: there is something in front of the data", what);
	check(end->test, HDB_EXP_002,
	      wire_is_zero(
		      pages + end_of_data,
		      (size_t)(buffer->pages * page_octets(end) - end_of_data)),
	      "%s: there is something behind the data", what);
}

static void around_the_data(struct test *test)
{
	static const struct {
		uint64_t size;
		uint32_t offset;
		const char *rights;
	} exports[] = {
		{ 1, 0, "read-only" },	      { 1, 4095, "read-only" },
		{ 1, 2000, "read-write" },    { 1000, 100, "read-only" },
		{ 4096, 0, "read-only" },     { 4096, 1, "read-only" },
		{ 4097, 4095, "read-only" },  { 8191, 1, "read-write" },
		{ 100000, 77, "read-write" },
	};
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(exports); i++) {
		struct their_buffer *buffer = let_export(
			end, "b%zu size=%" PRIu64 " offset=%u rights=%s", i,
			exports[i].size, exports[i].offset, exports[i].rights);
		what_t what;

		snprintf(what, sizeof(what),
			 "%" PRIu64 " octets at offset %u, %s", exports[i].size,
			 exports[i].offset, exports[i].rights);
		check_data(end, buffer, HDB_PLAT_001, -1, what);
		check_around(end, buffer, what);
		control(test, "fill b%zu 255", i);
		check_data(end, buffer, HDB_PLAT_001, 255, "after fill");
		check_around(end, buffer, "after fill");
	}
}

/* ---- descriptors and directories ------------------------------------------- */

static const struct {
	const char *name;
	uint32_t format;
	enum claim claim;
} formats[] = {
	{ "list", HDMABUF_DIRECTORY_LIST, 0 },
	{ "table", HDMABUF_DIRECTORY_TABLE, OPTION_TABLE },
	{ "extents", HDMABUF_DIRECTORY_EXTENTS, OPTION_EXTENTS },
};

static const struct {
	const char *name;
	uint32_t type;
	enum claim claim;
} types[] = {
	{ "raw", HDMABUF_TYPE_RAW, 0 },
	{ "picture", HDMABUF_TYPE_PICTURE, 0 },
	{ "cyclic", HDMABUF_TYPE_CYCLIC, OPTION_CYCLIC },
};

static bool is_claimed(struct test *test, enum claim claim)
{
	return !claim || test_claims(test, claim);
}

static void let_unexport(struct end *end, const char *name)
{
	control(end->test, "unexport %s", name);
	if (!end_await_request(end, HDMABUF_OP_UNEXPORT))
		inconclusive(end->test, "the IUT sends no UNEXPORT");
	catch_up(end);
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static bool are_different(struct end *end, const struct their_buffer *buffer)
{
	size_t count = (size_t)buffer->pages;
	uint64_t *sorted = end_array(end, count, sizeof(*sorted));

	memcpy(sorted, buffer->references, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare);
	for (size_t i = 1; i < count; i++)
		if (sorted[i] == sorted[i - 1])
			return false;
	return true;
}

/* What the suite reads by the rules can be read, and leads to the data in order. */
static void export_pages(struct end *end, size_t format, uint64_t pages,
			 uint32_t offset)
{
	uint64_t size = pages * page_octets(end) - offset;
	struct their_buffer *buffer;
	struct received *request;
	char name[32];
	what_t what;

	snprintf(what, sizeof(what), "%" PRIu64 " pages in a directory of %s",
		 pages, formats[format].name);
	comment(end->test, "%s", what);
	snprintf(name, sizeof(name), "%s-%" PRIu64, formats[format].name,
		 pages);
	request = tell_export(end, "%s size=%" PRIu64 " offset=%u directory=%s",
			      name, size, offset, formats[format].name);
	buffer = end_find_buffer(end, request->octets + wire_offset(EXPORT_ID));
	require(end->test, HDB_EXP_005, buffer,
		"%s: descriptor and directory are not in order", what);
	catch_up(end);
	if (field(buffer, DESCRIPTOR_SIZE) != size ||
	    field(buffer, DESCRIPTOR_DATA_OFFSET) != offset)
		inconclusive(end->test,
			     "the IUT exports something else than it was told");
	check(end->test, HDB_EXP_006, are_different(end, buffer),
	      "%s: a reference comes twice", what);
	check_data(end, buffer, HDB_PLAT_001, -1, what);
	let_unexport(end, name);
}

static void directories_are_in_order(struct test *test)
{
	static const uint64_t pages[] = { 1,	2,    255,  256,  257, 1023,
					  1024, 1025, 2046, 2047, 8100 };
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		if (!is_claimed(test, formats[i].claim))
			continue;
		for (size_t j = 0; j < COUNT_OF(pages); j++)
			export_pages(end, i, pages[j], j % 2 ? 0 : 4000);
	}
}

static void check_private(struct end *end, const struct their_buffer *buffer,
			  uint32_t octets)
{
	const uint8_t *private = buffer->descriptor + WIRE_DESCRIPTOR_OCTETS;

	for (uint32_t i = 0; i < octets; i++)
		if (private[i] != (uint8_t)i)
			inconclusive(
				end->test,
				"octet %u of the private data is not as told",
				i);
	check(end->test, HDB_BOTH_001,
	      wire_is_zero(private + octets,
			   4096 - WIRE_DESCRIPTOR_OCTETS - octets),
	      "what follows %u octets of private data is not zero", octets);
}

static void check_zeros(struct end *end, const struct their_buffer *buffer,
			uint32_t type, const char *what)
{
	const struct wire_field *wrong;
	size_t offset = 0;

	wrong = wire_find_nonzero(wire_metadata_format(type),
				  buffer->descriptor, &offset);
	check(end->test, HDB_BOTH_001, !wrong,
	      "%s: octet %zu of the descriptor is not zero", what, offset);
}

static void export_described(struct end *end, size_t type, uint32_t octets)
{
	uint64_t tag = test_random(end->test);
	const struct their_buffer *buffer;
	what_t what;

	snprintf(what, sizeof(what), "%s with %u octets of private data",
		 types[type].name, octets);
	comment(end->test, "%s", what);
	buffer = let_export(
		end, "%s-%u size=7680 type=%s tag=%" PRIu64 " private=%u",
		types[type].name, octets, types[type].name, tag, octets);
	if (field(buffer, DESCRIPTOR_SIZE) != 7680 ||
	    field(buffer, DESCRIPTOR_TYPE) != types[type].type ||
	    field(buffer, DESCRIPTOR_TAG) != tag ||
	    field(buffer, DESCRIPTOR_PRIVATE) != octets ||
	    field(buffer, DESCRIPTOR_LENGTH) != WIRE_DESCRIPTOR_OCTETS + octets)
		inconclusive(end->test,
			     "the IUT exports something else than it was told");
	check_zeros(end, buffer, types[type].type, what);
	check_private(end, buffer, octets);
	check_query_of(end, buffer->id, HDB_BOTH_069, buffer->descriptor, what);
}

/* As much as the suite takes. */
static void descriptors_are_in_order(struct test *test)
{
	static const uint32_t octets[] = { 0, 1, 255, 1024, 3840 };
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (!is_claimed(test, types[i].claim))
			continue;
		for (size_t j = 0; j < COUNT_OF(octets); j++)
			export_described(end, i, octets[j]);
	}
}

/* ---- until EXPORT is answered ---------------------------------------------- */

/* Lets the IUT do other things for a while. */
static void keep_busy(struct end *end)
{
	for (unsigned int i = 0; i < 20; i++)
		if (!end_sanity(end))
			inconclusive(end->test, "the IUT does not answer");
	let_pass(end->test, 50);
}

static void copy_of(struct end *end, uint64_t reference, uint8_t *copy,
		    const char *what)
{
	void *page = end_map(end, &reference, 1, HDMABUF_RIGHTS_READ_ONLY);

	require(end->test, HDB_EXP_003, page, "%s cannot be mapped", what);
	memcpy(copy, page, page_octets(end));
	end_unmap(end, page, 1);
}

static void check_rests(struct end *end, struct received *request)
{
	static const char *const what[] = { "the descriptor", "the directory" };
	uint64_t references[2] = {
		wire_get(request->octets, EXPORT_DESCRIPTOR),
		wire_get(end->descriptor, DESCRIPTOR_DIRECTORY),
	};
	uint32_t octets = page_octets(end);
	uint8_t *before = end_array(end, 2, octets);
	uint8_t *after = end_array(end, 1, octets);

	for (size_t i = 0; i < 2; i++)
		copy_of(end, references[i], before + i * octets, what[i]);
	comment(end->test, "EXPORT is not answered yet");
	keep_busy(end);
	for (size_t i = 0; i < 2; i++) {
		copy_of(end, references[i], after, what[i]);
		check(end->test, HDB_EXP_003,
		      !memcmp(before + i * octets, after, octets),
		      "%s has changed before EXPORT was answered", what[i]);
	}
}

static void description_rests(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		struct received *request;

		if (!is_claimed(test, formats[i].claim))
			continue;
		end->serves = false;
		request = tell_export(
			end, "%s size=5000000 private=1000 directory=%s",
			formats[i].name, formats[i].name);
		check_rests(end, request);
		end->serves = true;
		end_serve(end, request);
		check(test, HDB_EXP_003,
		      end_find_buffer(end,
				      request->octets + wire_offset(EXPORT_ID)),
		      "descriptor and directory are not in order any more");
	}
}

static const struct {
	const char *command;
	uint16_t operation;
	enum claim claim;
} too_early[] = {
	{ "hand-off b", HDMABUF_OP_HAND_OFF, 0 },
	{ "unexport b", HDMABUF_OP_UNEXPORT, 0 },
	{ "update b tag=7", HDMABUF_OP_UPDATE, OPTION_UPDATE },
};

static void try_too_early(struct end *end, const char *when)
{
	for (size_t i = 0; i < COUNT_OF(too_early); i++) {
		if (!is_claimed(end->test, too_early[i].claim))
			continue;
		control_try(end->test, "%s", too_early[i].command);
		check(end->test, HDB_EXP_007,
		      asks_nothing(end, too_early[i].operation),
		      "%s is sent for a buffer %s",
		      wire_operation_name(too_early[i].operation), when);
	}
}

static void nothing_before_the_answer(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request;

	end->serves = false;
	request = tell_export(end, "b size=4096 rights=read-write");
	try_too_early(end, "whose EXPORT is not answered");
	comment(test, "EXPORT is refused");
	end_answer_status(end, request, HDMABUF_STATUS_DENIED);
	try_too_early(end, "whose EXPORT was refused");
}

/* ---- as long as the importer wants ------------------------------------------ */

/* The pages can be mapped anew, and hold what they did. */
static void check_shared(struct end *end, const struct their_buffer *buffer,
			 const char *when)
{
	uint64_t size = field(buffer, DESCRIPTOR_SIZE);
	const uint8_t *pages;

	comment(end->test, "%s", when);
	pages = end_map(end, buffer->references, buffer->pages,
			HDMABUF_RIGHTS_READ_ONLY);
	require(end->test, HDB_EXP_004, pages,
		"%s, the pages of data cannot be mapped", when);
	check(end->test, HDB_EXP_004,
	      first_wrong(pages + field(buffer, DESCRIPTOR_DATA_OFFSET), size,
			  -1) == size,
	      "%s, other pages are in place of the data", when);
	end_unmap(end, (void *)pages, buffer->pages);
}

/* The answer to UNEXPORT: the buffer is mapped, or is not. */
static void answer_unexport(struct end *end, struct received *request,
			    bool mapped)
{
	message_t answer = { 0 };

	wire_put(answer, UNEXPORT_ANSWER_MAPPED, mapped);
	end_answer(end, request, answer);
}

static struct received *await_unexport(struct end *end)
{
	struct received *request = end_await_request(end, HDMABUF_OP_UNEXPORT);

	if (!request)
		inconclusive(end->test, "the IUT sends no UNEXPORT");
	return request;
}

static void data_stays_shared(struct test *test)
{
	struct end *end = test_connect(test);
	const struct their_buffer *buffer =
		let_export(end, "b size=10000 offset=10 rights=read-write");
	struct received *request;

	check_shared(end, buffer, "when EXPORT is answered");
	control(test, "hand-off b");
	end_await_request(end, HDMABUF_OP_HAND_OFF);
	check_shared(end, buffer, "after a hand-off");
	let_export(end, "c size=10000");
	let_unexport(end, "c");
	keep_busy(end);
	check_shared(end, buffer, "after another buffer has come and gone");
	end->serves = false;
	control(test, "unexport b grace=60000");
	request = await_unexport(end);
	check_shared(end, buffer, "before UNEXPORT is answered");
	answer_unexport(end, request, true);
	keep_busy(end);
	check_shared(end, buffer, "when UNEXPORT is answered with mapped 1");
}

/* ---- limits ------------------------------------------------------------- */

/* Whether the IUT sends EXPORT, which is then accepted. */
__attribute__((format(printf, 2, 3))) static bool
exports(struct end *end, const char *format, ...)
{
	char what[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	control_try(end->test, "export %s", what);
	return !asks_nothing(end, HDMABUF_OP_EXPORT);
}

/* It may take the IUT a moment to know that there is room again. */
__attribute__((format(printf, 2, 3))) static bool
exports_soon(struct end *end, const char *format, ...)
{
	uint64_t deadline = test_deadline(end->test);
	char what[128];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	while (!exports(end, "%s", what)) {
		if (now_ms() > deadline)
			return false;
		let_pass(end->test, 10);
	}
	return true;
}

#define PAGES_OF_LIMIT 4

static struct end *connect_limited(struct test *test, uint32_t buffers,
				   uint64_t octets, uint32_t private_octets)
{
	struct end *end = test_open(test);

	end->greeting.max_buffers = buffers;
	end->greeting.max_octets = octets;
	end->greeting.max_private = private_octets;
	end_greet(end);
	return end;
}

static void must_export(struct end *end, bool did, const char *what)
{
	if (!did)
		inconclusive(end->test, "the IUT does not export %s", what);
}

static void limit_of_buffers(struct test *test)
{
	struct end *end = connect_limited(test, 2, 1u << 20, 1024);
	struct received *request;

	must_export(end, exports(end, "a size=1"), "a first buffer");
	end->serves = false;
	control(test, "export b size=1");
	request = end_await_request(end, HDMABUF_OP_EXPORT);
	if (!request)
		inconclusive(test, "the IUT does not export a second buffer");
	check(test, HDB_EXP_008, !exports(end, "c size=1"),
	      "a third buffer is exported, where max_buffers is 2");
	comment(test, "the second is refused, which makes room");
	end_answer_status(end, request, HDMABUF_STATUS_DENIED);
	end->serves = true;
	must_export(end, exports_soon(end, "d size=1"),
		    "a buffer where another one was refused");
	check(test, HDB_BOTH_020, !exports(end, "e size=1"),
	      "a third buffer is exported, where max_buffers is 2");
	end->serves = false;
	control(test, "unexport a grace=60000");
	answer_unexport(end, await_unexport(end), true);
	end->serves = true;
	check(test, HDB_EXP_008, !exports(end, "f size=1"),
	      "a buffer counts no more before it is released");
	let_unexport(end, "d");
	must_export(end, exports_soon(end, "g size=1"),
		    "a buffer where another one was released");
	check(test, HDB_EXP_008, !exports(end, "h size=1"),
	      "a third buffer is exported, where max_buffers is 2");
}

/* Whole pages count, however little of them is data. */
static void limit_of_octets(struct test *test)
{
	struct end *end = test_open(test);
	uint32_t page = page_octets(end);

	end->greeting.max_octets = 5ull * page - 1;
	end_greet(end);
	must_export(end, exports(end, "a size=1 offset=%u", page - 1),
		    "a page");
	must_export(end, exports(end, "b size=2 offset=%u", page - 1),
		    "two pages");
	check(test, HDB_EXP_008, !exports(end, "c size=%u offset=1", page),
	      "two pages are exported, where there is room for one");
	must_export(end, exports(end, "d size=%u", page), "the last page");
	check(test, HDB_EXP_008, !exports(end, "e size=1"),
	      "a page is exported beyond max_octets");
	let_unexport(end, "b");
	must_export(end, exports_soon(end, "f size=%u", 2 * page),
		    "pages where others were released");
	check(test, HDB_BOTH_020, !exports(end, "g size=1"),
	      "a page is exported beyond max_octets");
}

static void limit_of_private_data(struct test *test)
{
	struct end *end = connect_limited(test, 10, 1u << 20, 1024);

	must_export(end, exports(end, "a size=1 private=1024"),
		    "as much private data as max_private");
	check(test, HDB_EXP_008, !exports(end, "b size=1 private=1025"),
	      "more private data than max_private is exported");
	check(test, HDB_BOTH_020, !exports(end, "c size=1 private=3840"),
	      "more private data than max_private is exported");
}

static void nothing_is_wanted(struct test *test)
{
	struct end *end = connect_limited(test, 0, 0, 0);

	check(test, HDB_EXP_008, !exports(end, "a size=1"),
	      "a buffer is exported, where max_buffers is 0");
	end_abandon(end);
	end->greeting.max_buffers = 1;
	end->greeting.max_private = 1024;
	end_greet(end);
	check(test, HDB_BOTH_020, !exports(end, "b size=1"),
	      "a buffer is exported, where max_octets is 0");
}

/* ---- features ----------------------------------------------------------- */

/* What uses a feature, of a buffer "a" that is there. */
static const struct {
	enum claim claim;
	uint64_t feature;
	const char *command;
	uint16_t operation;
} uses[] = {
	{ OPTION_TABLE, HDMABUF_FEATURE_TABLE,
	  "export b size=1 directory=table", HDMABUF_OP_EXPORT },
	{ OPTION_EXTENTS, HDMABUF_FEATURE_EXTENTS,
	  "export b size=1 directory=extents", HDMABUF_OP_EXPORT },
	{ OPTION_LEND, HDMABUF_FEATURE_LEND, "export b size=1 rights=lend",
	  HDMABUF_OP_EXPORT },
	{ OPTION_CYCLIC, HDMABUF_FEATURE_CYCLIC,
	  "export b size=4096 type=cyclic", HDMABUF_OP_EXPORT },
	{ OPTION_WRITE_COMBINED, HDMABUF_FEATURE_WRITE_COMBINED,
	  "export b size=1 attributes=write-combined", HDMABUF_OP_EXPORT },
	{ OPTION_UPDATE, HDMABUF_FEATURE_UPDATE, "update a tag=1",
	  HDMABUF_OP_UPDATE },
	{ OPTION_ALLOCATE, HDMABUF_FEATURE_ALLOCATE, "allocate size=4096",
	  HDMABUF_OP_ALLOCATE },
	{ OPTION_CPU_ACCESS, HDMABUF_FEATURE_CPU_ACCESS,
	  "cpu-begin a offset=0 octets=1 access=read", HDMABUF_OP_CPU_BEGIN },
	{ OPTION_CPU_ACCESS, HDMABUF_FEATURE_CPU_ACCESS,
	  "cpu-end a offset=0 octets=1 access=read", HDMABUF_OP_CPU_END },
	{ OPTION_GROUP, HDMABUF_FEATURE_GROUP, "hand-off a more",
	  HDMABUF_OP_HAND_OFF },
};

/* The features that a descriptor needs. */
static uint64_t features_of(const uint8_t *descriptor)
{
	uint64_t format = wire_get(descriptor, DESCRIPTOR_DIRECTORY_FORMAT);
	uint64_t features = 0;

	if (format == HDMABUF_DIRECTORY_TABLE)
		features |= HDMABUF_FEATURE_TABLE;
	if (format == HDMABUF_DIRECTORY_EXTENTS)
		features |= HDMABUF_FEATURE_EXTENTS;
	if (wire_get(descriptor, DESCRIPTOR_RIGHTS) == HDMABUF_RIGHTS_LEND)
		features |= HDMABUF_FEATURE_LEND;
	if (wire_get(descriptor, DESCRIPTOR_TYPE) == HDMABUF_TYPE_CYCLIC)
		features |= HDMABUF_FEATURE_CYCLIC;
	if (wire_get(descriptor, DESCRIPTOR_ATTRIBUTES) ==
	    HDMABUF_ATTRIBUTE_WRITE_COMBINED)
		features |= HDMABUF_FEATURE_WRITE_COMBINED;
	return features;
}

/* An export in another way, or a hand-off without the flag, is no use of it. */
static bool uses_feature(struct end *end, const struct received *request,
			 uint64_t feature)
{
	switch (wire_get(request->octets, HEADER_OPERATION)) {
	case HDMABUF_OP_EXPORT:
		return features_of(end->descriptor) & feature;
	case HDMABUF_OP_HAND_OFF:
		return wire_get(request->octets, HAND_OFF_FLAGS) &
		       HDMABUF_HAND_OFF_MORE;
	default:
		return true;
	}
}

static void try_feature(struct end *end, size_t use)
{
	const struct received *request;

	comment(end->test, "'%s', without that feature", uses[use].command);
	end->greeting.features = HDMABUF_FEATURES_ALL & ~uses[use].feature;
	end_greet(end);
	let_export(end, "a size=4096 rights=read-write");
	control_try(end->test, "%s", uses[use].command);
	catch_up(end);
	request = end_find_request(end, uses[use].operation);
	check(end->test, HDB_BOTH_018,
	      !request || !uses_feature(end, request, uses[use].feature),
	      "'%s': the feature is used, and was not accepted",
	      uses[use].command);
	end_abandon(end);
}

static void features_are_not_used(struct test *test)
{
	struct end *end = test_open(test);
	unsigned int tried = 0;

	for (size_t i = 0; i < COUNT_OF(uses); i++)
		if (test_claims(test, uses[i].claim)) {
			try_feature(end, i);
			tried++;
		}
	if (!tried)
		skip(test, "the IUT claims no feature");
}

/* ---- hand-offs of what is read-only ------------------------------------------ */

static uint64_t hand_offs_of(struct end *end, const uint8_t id[16])
{
	message_t answer;

	ask_about(end, HDMABUF_OP_QUERY, id, answer);
	return wire_get(answer, QUERY_ANSWER_HAND_OFFS);
}

static void read_only_is_not_handed_back(struct test *test)
{
	struct end *end = test_connect(test);
	const struct their_buffer *buffer = let_export(end, "b size=4096");
	message_t message;

	for (unsigned int i = 0; i < 2; i++) {
		check_status(test, HDB_EXP_010,
			     ask_about(end, HDMABUF_OP_HAND_OFF, buffer->id,
				       NULL),
			     HDMABUF_STATUS_DENIED,
			     "HAND_OFF of a buffer of right READ_ONLY");
		control(test, "hand-off b");
		end_await_request(end, HDMABUF_OP_HAND_OFF);
	}
	check(test, HDB_BOTH_037, !hand_offs_of(end, buffer->id),
	      "a hand-off that was refused counts");
	comment(test, "a value that is not allowed comes first");
	named_message(HDMABUF_OP_HAND_OFF, buffer->id, message);
	wire_put(message, HAND_OFF_FLAGS, 2);
	check_status(
		test, HDB_BOTH_038, end_ask(end, message, NULL),
		HDMABUF_STATUS_INVALID,
		"HAND_OFF, with a flag that does not exist, of a buffer of right READ_ONLY");
}

/* ---- release -------------------------------------------------------------- */

/* By its name, or its id where names are forgotten. */
static bool await_event(struct test *test, const char *event, const char *name,
			const uint8_t id[16])
{
	uint64_t deadline = test_deadline(test);
	char hex[33];

	for (size_t i = 0; i < 16; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);
	do
		if (event_find(test, "%s %s", event, name) ||
		    event_find(test, "%s %s", event, hex))
			return true;
	while (test_wait(test, deadline));
	return false;
}

/**
 * struct share - a buffer of the IUT as the suite remembers it when it is gone
 * @end: over which it was shared
 * @name: by which the IUT was told
 * @id: its id
 * @pages: how many
 * @reference: of the first page
 * @data: where it is mapped, or NULL
 */
struct share {
	struct end *end;
	const char *name;
	uint8_t id[16];
	uint64_t pages;
	uint64_t reference;
	uint8_t *data;
};

#define SHARE_SIZE 20000

/* Mapped in a way that outlives the session. */
static void make_share_of(struct end *end, struct share *share,
			  const char *name, const char *rights)
{
	const struct their_buffer *buffer = let_export(
		end, "%s size=%u rights=%s", name, SHARE_SIZE, rights);

	*share = (struct share){
		end, name, { 0 }, buffer->pages, buffer->references[0], NULL
	};
	memcpy(share->id, buffer->id, sizeof(share->id));
	share->data = end_map(end, buffer->references, buffer->pages,
			      HDMABUF_RIGHTS_READ_ONLY);
	if (!share->data)
		inconclusive(end->test, "the pages of data cannot be mapped");
}

static void unmap_share(struct share *share)
{
	comment(share->end->test, "%s is unmapped", share->name);
	end_unmap(share->end, share->data, share->pages);
	share->data = NULL;
}

static void make_share(struct end *end, struct share *share, const char *name)
{
	make_share_of(end, share, name, "read-only");
}

static uint32_t state_of(struct end *end, const uint8_t id[16])
{
	message_t answer;

	if (ask_about(end, HDMABUF_OP_QUERY, id, answer) != HDMABUF_STATUS_OK)
		return HDMABUF_BUFFER_NONE;
	return (uint32_t)wire_get(answer, QUERY_ANSWER_STATE);
}

static void check_is_gone(struct share *share)
{
	struct test *test = share->end->test;
	void *page;

	check(test, HDB_EXP_012,
	      await_event(test, "released", share->name, share->id),
	      "%s is not released", share->name);
	page = end_map(share->end, &share->reference, 1,
		       HDMABUF_RIGHTS_READ_ONLY);
	check(test, HDB_EXP_012, !page,
	      "%s is released, and its first page can still be mapped",
	      share->name);
	if (page)
		end_unmap(share->end, page, 1);
}

/* What the IUT does with other memory is not seen in that which it may not use. */
static void check_unused(struct share *share, const char *other)
{
	struct test *test = share->end->test;

	control(test, "export %s size=%u", other, SHARE_SIZE);
	end_await_request(share->end, HDMABUF_OP_EXPORT);
	control(test, "fill %s 170", other);
	keep_busy(share->end);
	check(test, HDB_EXP_013,
	      first_wrong(share->data, SHARE_SIZE, -1) == SHARE_SIZE,
	      "pages that are still mapped are used for something else");
}

static bool is_released(struct share *share)
{
	return event_find(share->end->test, "released %s", share->name);
}

static void check_quarantine(struct share *share, const char *other)
{
	struct test *test = share->end->test;
	bool told = await_event(test, "quarantined", share->name, share->id);

	check(test, HDB_EXP_014, told,
	      "%s is in quarantine, and nobody is told", share->name);
	check(test, HDB_EXP_013, told,
	      "%s is of no use any more, still mapped, and not in quarantine",
	      share->name);
	check_unused(share, other);
	check(test, HDB_EXP_013, !is_released(share),
	      "%s is free, and still mapped", share->name);
}

static void tell_released(struct share *share, enum clause clause,
			  const char *when)
{
	check_status(share->end->test, clause,
		     ask_about(share->end, HDMABUF_OP_RELEASED, share->id,
			       NULL),
		     HDMABUF_STATUS_OK, "RELEASED %s", when);
}

static void tell_mapped(struct share *share, unsigned int grace_ms, bool mapped)
{
	struct end *end = share->end;

	end->serves = false;
	control(end->test, "unexport %s grace=%u", share->name, grace_ms);
	answer_unexport(end, await_unexport(end), mapped);
	end->serves = true;
}

static void released_at_once(struct test *test)
{
	struct end *end = test_connect(test);
	struct share share;

	make_share(end, &share, "b");
	unmap_share(&share);
	tell_mapped(&share, 0, false);
	check_is_gone(&share);
	check(test, HDB_BOTH_069,
	      state_of(end, share.id) == HDMABUF_BUFFER_NONE,
	      "a buffer that is released is still known");
}

static void released_later(struct test *test)
{
	struct end *end = test_connect(test);
	struct share share;

	make_share(end, &share, "b");
	tell_mapped(&share, 60000, true);
	check_unused(&share, "c");
	check(test, HDB_EXP_013, !is_released(&share),
	      "a buffer is free, and still mapped");
	unmap_share(&share);
	tell_released(&share, HDB_BOTH_038, "within the grace period");
	check_is_gone(&share);
}

static void released_unasked(struct test *test)
{
	struct end *end = test_connect(test);
	struct share share;

	make_share(end, &share, "b");
	unmap_share(&share);
	tell_released(&share, HDB_BOTH_038, "of a buffer that is not wanted");
	check_is_gone(&share);
}

static void released_after_the_grace_period(struct test *test)
{
	struct end *end = test_connect(test);
	struct share share;

	make_share(end, &share, "b");
	tell_mapped(&share, 10, true);
	check_quarantine(&share, "c");
	unmap_share(&share);
	tell_released(&share, HDB_EXP_015, "after the grace period");
	check_is_gone(&share);
}

/* The platform knows better than an importer that has forgotten a mapping. */
static void released_and_mapped(struct test *test)
{
	struct end *end = test_connect(test);
	struct share share;

	make_share(end, &share, "b");
	comment(test, "%s is said not to be mapped, which it is", share.name);
	tell_mapped(&share, 0, false);
	check_quarantine(&share, "c");
	unmap_share(&share);
	check_is_gone(&share);
}

/* Before EXPORT is answered: the first page, as the first page of the LIST has it. */
static void map_first_page(struct end *end, struct share *share,
			   const struct received *request)
{
	uint64_t directory = wire_get(end->descriptor, DESCRIPTOR_DIRECTORY);
	uint8_t *page = end_map(end, &directory, 1, HDMABUF_RIGHTS_READ_ONLY);

	if (!page)
		inconclusive(end->test, "the directory cannot be mapped");
	memcpy(share->id, request->octets + wire_offset(EXPORT_ID), 16);
	share->pages = 1;
	share->reference = wire_get(page, WIRE_PLACE(4, 4));
	end_unmap(end, page, 1);
	share->data =
		end_map(end, &share->reference, 1, HDMABUF_RIGHTS_READ_ONLY);
	if (!share->data)
		inconclusive(end->test, "the first page cannot be mapped");
}

static void refused_and_mapped(struct test *test)
{
	struct end *end = test_connect(test);
	struct share share = { .end = end, .name = "b" };
	struct received *request;

	end->serves = false;
	request = tell_export(end, "b size=%u", SHARE_SIZE);
	map_first_page(end, &share, request);
	comment(test, "EXPORT is refused, and a page stays mapped");
	end_answer_status(end, request, HDMABUF_STATUS_NO_MEMORY);
	end->serves = true;
	check(test, HDB_EXP_013,
	      await_event(test, "quarantined", share.name, share.id),
	      "a buffer that was refused and is mapped is not in quarantine");
	unmap_share(&share);
	check_is_gone(&share);
}

/* EXPORT is not answered, UNEXPORT is, and neither was sent. */
static void lost_in_each_state(struct test *test)
{
	struct end *end = test_connect(test);
	struct share shares[3] = { [0] = { .end = end, .name = "a" } };

	make_share(end, &shares[1], "b");
	make_share(end, &shares[2], "c");
	tell_mapped(&shares[2], 60000, true);
	end->serves = false;
	map_first_page(end, &shares[0],
		       tell_export(end, "a size=%u", SHARE_SIZE));
	comment(test, "the session is lost");
	end_abandon(end);
	end->serves = true;
	for (size_t i = 0; i < COUNT_OF(shares); i++)
		check(test, HDB_EXP_013,
		      await_event(test, "quarantined", shares[i].name,
				  shares[i].id),
		      "%s is mapped, and not in quarantine after a loss",
		      shares[i].name);
	for (size_t i = 0; i < COUNT_OF(shares); i++) {
		check(test, HDB_EXP_013, !is_released(&shares[i]),
		      "%s is free, and still mapped", shares[i].name);
		unmap_share(&shares[i]);
		check_is_gone(&shares[i]);
	}
}

/* A buffer that is lent can be wanted back, and be in quarantine. */
static void lent_and_mapped(struct test *test)
{
	struct end *end = test_connect(test);
	struct share shares[2];

	for (size_t i = 0; i < COUNT_OF(shares); i++) {
		make_share_of(end, &shares[i], i ? "b" : "a", "lend");
		control(test, "hand-off %s", shares[i].name);
		if (!end_await_request(end, HDMABUF_OP_HAND_OFF))
			inconclusive(test, "the IUT lends nothing");
	}
	tell_mapped(&shares[0], 10, true);
	comment(test, "b is said to be released, and is mapped");
	tell_released(&shares[1], HDB_BOTH_038, "of a buffer that is lent");
	for (size_t i = 0; i < COUNT_OF(shares); i++) {
		check(test, HDB_EXP_013,
		      await_event(test, "quarantined", shares[i].name,
				  shares[i].id),
		      "%s was lent and is mapped, and not in quarantine",
		      shares[i].name);
		unmap_share(&shares[i]);
	}
	tell_released(&shares[0], HDB_EXP_015, "after the grace period");
	for (size_t i = 0; i < COUNT_OF(shares); i++)
		check_is_gone(&shares[i]);
}

static void lost_and_mapped(struct test *test)
{
	struct end *end = test_connect(test);
	struct share share;

	make_share(end, &share, "b");
	comment(test, "the session is lost, and another one is sought");
	end_abandon(end);
	end_greet(end);
	check_quarantine(&share, "c");
	unmap_share(&share);
	check_is_gone(&share);
}

static void closed_and_busy(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request;
	struct share share;

	make_share(end, &share, "b");
	end->serves = false;
	control(test, "close");
	request = end_await_request(end, HDMABUF_OP_CLOSE);
	if (!request)
		inconclusive(test, "the IUT sends no CLOSE");
	end_answer_status(end, request, HDMABUF_STATUS_BUSY);
	end->serves = true;
	check(test, HDB_EXP_013,
	      await_event(test, "quarantined", share.name, share.id),
	      "CLOSE is answered with BUSY, and a buffer is not in quarantine");
	unmap_share(&share);
	check_is_gone(&share);
}

static void closed_and_unmapped(struct test *test)
{
	struct end *end = test_connect(test);
	struct share share;

	make_share(end, &share, "b");
	unmap_share(&share);
	control(test, "close");
	check_is_gone(&share);
}

/* ---- exports that are refused ------------------------------------------------ */

#define NO_STATUS 999

static void refuse_export(struct end *end, uint16_t status, uint16_t told)
{
	struct share share = { end, NULL, { 0 }, 1, 0, NULL };
	struct received *request;
	const char *seen;
	char name[16];

	snprintf(name, sizeof(name), "b%u", status);
	share.name = name;
	comment(end->test, "EXPORT is refused with %s",
		wire_status_name(status));
	request = tell_export(end, "%s size=1", name);
	memcpy(share.id, request->octets + wire_offset(EXPORT_ID), 16);
	end_answer_status(end, request, status);
	seen = event_await(end->test, "exported %s", name);
	check(end->test, HDB_BOTH_040, seen && atoi(seen) == told,
	      "EXPORT was answered with %u, and %s is told", status,
	      seen ? seen : "nothing");
	check(end->test, HDB_EXP_012,
	      await_event(end->test, "released", name, share.id),
	      "a buffer that was refused is not released");
	check(end->test, HDB_EXP_012,
	      state_of(end, share.id) == HDMABUF_BUFFER_NONE,
	      "a buffer that was refused is still known");
}

static void exports_that_are_refused(struct test *test)
{
	struct end *end = test_connect(test);

	end->serves = false;
	for (uint16_t status = HDMABUF_STATUS_UNKNOWN_OPERATION;
	     status <= HDMABUF_STATUS_FAILED; status++)
		if (status != HDMABUF_STATUS_LOST)
			refuse_export(end, status, status);
	refuse_export(end, NO_STATUS, HDMABUF_STATUS_FAILED);
	end->serves = true;
	let_export(end, "c size=1");
}

/* ---- the states of an exported buffer ----------------------------------------- */

#define NONE	    HDMABUF_BUFFER_NONE
#define EXPORTING   HDMABUF_BUFFER_EXPORTING
#define LIVE	    HDMABUF_BUFFER_LIVE
#define LENT	    HDMABUF_BUFFER_LENT
#define RETIRING    HDMABUF_BUFFER_RETIRING
#define QUARANTINED HDMABUF_BUFFER_QUARANTINED

#define READ_ONLY  HDMABUF_RIGHTS_READ_ONLY
#define READ_WRITE HDMABUF_RIGHTS_READ_WRITE
#define LEND	   HDMABUF_RIGHTS_LEND

static const char *const rights_words[] = { "", "read-only", "read-write",
					    "lend" };

/**
 * struct transition - what a request does to a buffer of the IUT
 * @state: of the buffer
 * @rights: of the buffer
 * @operation: that the importer sends
 * @status: of the answer
 * @then: state afterwards
 * @clause: that says so
 */
struct transition {
	uint32_t state;
	uint32_t rights;
	uint16_t operation;
	uint16_t status;
	uint32_t then;
	enum clause clause;
};

#define DO(state, rights, operation, status, then, clause) \
	{ \
		state, rights, HDMABUF_OP_##operation, \
			HDMABUF_STATUS_##status, then, clause \
	}

/* What only the exporter may ask for. */
#define NOT_ASKED(state, rights) \
	DO(state, rights, UPDATE, WRONG_ROLE, state, HDB_BOTH_043), \
		DO(state, rights, UNEXPORT, WRONG_ROLE, state, HDB_BOTH_043), \
		DO(state, rights, EXPORT, DUPLICATE, state, HDB_BOTH_038)

static const struct transition transitions[] = {
	NOT_ASKED(EXPORTING, READ_WRITE),
	DO(EXPORTING, READ_WRITE, QUERY, OK, EXPORTING, HDB_BOTH_069),
	DO(EXPORTING, READ_WRITE, RELEASED, WRONG_STATE, EXPORTING,
	   HDB_BOTH_038),
	DO(EXPORTING, READ_WRITE, HAND_OFF, WRONG_STATE, EXPORTING,
	   HDB_BOTH_038),
	DO(EXPORTING, READ_ONLY, HAND_OFF, WRONG_STATE, EXPORTING,
	   HDB_BOTH_038),
	DO(EXPORTING, LEND, HAND_OFF, WRONG_STATE, EXPORTING, HDB_BOTH_038),
	DO(EXPORTING, READ_WRITE, CPU_BEGIN, WRONG_STATE, EXPORTING,
	   HDB_BOTH_038),
	DO(EXPORTING, READ_WRITE, CPU_END, WRONG_STATE, EXPORTING,
	   HDB_BOTH_038),

	NOT_ASKED(LIVE, READ_ONLY),
	DO(LIVE, READ_ONLY, QUERY, OK, LIVE, HDB_BOTH_069),
	DO(LIVE, READ_ONLY, HAND_OFF, DENIED, LIVE, HDB_EXP_010),
	DO(LIVE, READ_WRITE, HAND_OFF, OK, LIVE, HDB_BOTH_038),
	DO(LIVE, LEND, HAND_OFF, WRONG_STATE, LIVE, HDB_BOTH_038),
	DO(LIVE, READ_ONLY, CPU_BEGIN, OK, LIVE, HDB_BOTH_038),
	DO(LIVE, READ_ONLY, CPU_END, WRONG_STATE, LIVE, HDB_BOTH_038),
	DO(LIVE, READ_ONLY, RELEASED, OK, NONE, HDB_BOTH_038),
	DO(LIVE, READ_WRITE, RELEASED, OK, NONE, HDB_BOTH_038),
	DO(LIVE, LEND, RELEASED, OK, NONE, HDB_BOTH_038),

	NOT_ASKED(LENT, LEND),
	DO(LENT, LEND, QUERY, OK, LENT, HDB_BOTH_069),
	DO(LENT, LEND, HAND_OFF, OK, LIVE, HDB_BOTH_038),
	DO(LENT, LEND, CPU_BEGIN, OK, LENT, HDB_BOTH_038),
	DO(LENT, LEND, RELEASED, OK, NONE, HDB_BOTH_038),

	NOT_ASKED(RETIRING, READ_WRITE),
	DO(RETIRING, READ_WRITE, QUERY, OK, RETIRING, HDB_BOTH_069),
	DO(RETIRING, READ_WRITE, HAND_OFF, WRONG_STATE, RETIRING, HDB_BOTH_038),
	DO(RETIRING, READ_ONLY, HAND_OFF, WRONG_STATE, RETIRING, HDB_BOTH_038),
	DO(RETIRING, LEND, HAND_OFF, WRONG_STATE, RETIRING, HDB_BOTH_038),
	DO(RETIRING, READ_WRITE, CPU_BEGIN, WRONG_STATE, RETIRING,
	   HDB_BOTH_038),
	DO(RETIRING, READ_WRITE, RELEASED, OK, NONE, HDB_BOTH_038),

	NOT_ASKED(QUARANTINED, READ_WRITE),
	DO(QUARANTINED, READ_WRITE, QUERY, OK, QUARANTINED, HDB_BOTH_069),
	DO(QUARANTINED, READ_WRITE, HAND_OFF, WRONG_STATE, QUARANTINED,
	   HDB_BOTH_038),
	DO(QUARANTINED, READ_WRITE, CPU_BEGIN, WRONG_STATE, QUARANTINED,
	   HDB_BOTH_038),
	DO(QUARANTINED, READ_WRITE, RELEASED, OK, NONE, HDB_EXP_015),
};

/**
 * struct subject - a buffer of the IUT that was brought into a state
 * @id: its id
 * @unanswered: its EXPORT, if that is not answered
 */
struct subject {
	uint8_t id[16];
	struct received *unanswered;
};

static bool is_possible(struct end *end, const struct transition *transition)
{
	return is_negotiated(end, transition->operation) &&
	       (transition->rights != LEND ||
		(test_claims(end->test, OPTION_LEND) &&
		 end->features & HDMABUF_FEATURE_LEND));
}

static void begin_unexport(struct end *end, size_t number,
			   unsigned int grace_ms)
{
	end->serves = false;
	control(end->test, "unexport s%zu grace=%u", number, grace_ms);
	answer_unexport(end, await_unexport(end), true);
	end->serves = true;
}

static void begin_state(struct end *end, size_t number,
			const struct transition *transition)
{
	switch (transition->state) {
	case LENT:
		control(end->test, "hand-off s%zu", number);
		if (!end_await_request(end, HDMABUF_OP_HAND_OFF))
			inconclusive(end->test, "the IUT lends nothing");
		break;
	case RETIRING:
		begin_unexport(end, number, 60000);
		break;
	case QUARANTINED:
		begin_unexport(end, number, 0);
		break;
	default:
		break;
	}
}

static void prepare(struct end *end, size_t number,
		    const struct transition *transition,
		    struct subject *subject)
{
	struct received *request;

	end->serves = transition->state != EXPORTING;
	request = tell_export(end, "s%zu size=4096 rights=%s", number,
			      rights_words[transition->rights]);
	end->serves = true;
	memcpy(subject->id, request->octets + wire_offset(EXPORT_ID), 16);
	subject->unanswered = transition->state == EXPORTING ? request : NULL;
	if (subject->unanswered)
		return;
	catch_up(end);
	/* Who has it mapped can be neither released nor free. */
	if (transition->then != NONE)
		map(end, end_find_buffer(end, subject->id));
	begin_state(end, number, transition);
}

/* Some states take a time to be reached. */
static void await_state(struct end *end, const struct subject *subject,
			uint32_t state)
{
	uint64_t deadline = test_deadline(end->test);

	while (state_of(end, subject->id) != state) {
		if (now_ms() > deadline)
			inconclusive(end->test,
				     "a buffer cannot be brought into state %s",
				     wire_buffer_state_name(state));
		let_pass(end->test, 20);
	}
}

static void take_transition(struct end *end,
			    const struct transition *transition,
			    struct subject *subject)
{
	uint32_t then;
	what_t what;

	await_state(end, subject, transition->state);
	snprintf(what, sizeof(what), "%s of a buffer that is %s, %s",
		 wire_operation_name(transition->operation),
		 wire_buffer_state_name(transition->state),
		 rights_words[transition->rights]);
	comment(end->test, "%s", what);
	check_status(end->test, transition->clause,
		     ask_about(end, transition->operation, subject->id, NULL),
		     transition->status, "%s", what);
	then = state_of(end, subject->id);
	check(end->test, HDB_BOTH_069, then == transition->then,
	      "%s: state %s expected afterwards, %s seen", what,
	      wire_buffer_state_name(transition->then),
	      wire_buffer_state_name(then));
	if (subject->unanswered)
		end_answer_status(end, subject->unanswered,
				  HDMABUF_STATUS_DENIED);
}

/* All are brought into their states first, as it takes a time to be in quarantine. */
static void states(struct test *test)
{
	struct end *end = test_connect(test);
	struct subject subjects[COUNT_OF(transitions)];

	for (size_t i = COUNT_OF(transitions); i-- > 0;)
		if (is_possible(end, &transitions[i]))
			prepare(end, i, &transitions[i], &subjects[i]);
	for (size_t i = 0; i < COUNT_OF(transitions); i++)
		if (is_possible(end, &transitions[i]))
			take_transition(end, &transitions[i], &subjects[i]);
}

/* ---- sessions ----------------------------------------------------------------- */

static void ids_end_with_the_session(struct test *test)
{
	struct end *end = test_connect(test);
	uint8_t id[16];

	memcpy(id, let_export(end, "b size=4096")->id, sizeof(id));
	comment(test, "the session is lost, and another one is sought");
	end_abandon(end);
	end_greet(end);
	for (const uint16_t *operation = naming_operations; *operation;
	     operation++)
		if (is_negotiated(end, *operation))
			check_status(test, HDB_BOTH_042,
				     ask_about(end, *operation, id, NULL),
				     HDMABUF_STATUS_NO_SUCH_BUFFER,
				     "%s of a buffer of an earlier session",
				     wire_operation_name(*operation));
}

#define TOLD OPTION_CONTROL
#define SEEN (OPTION_CONTROL | OPTION_EVENTS)

static const struct test_case cases[] = {
	TEST(ids_are_random, "Ids cannot be predicted", OF_BOTH, TOLD,
	     HDB_EXP_001),
	TEST(ids_differ_after_a_restart, "Ids are others after a restart",
	     OF_BOTH, TOLD, HDB_EXP_001),
	TEST(ids_end_with_the_session,
	     "The id of a buffer of an earlier session is not known", OF_BOTH,
	     TOLD, HDB_BOTH_042),
	TEST(around_the_data, "What lies around the data is zero", OF_BOTH,
	     TOLD, HDB_EXP_002, HDB_PLAT_001),
	TEST(descriptors_are_in_order,
	     "What has no meaning in a descriptor is zero, and QUERY tells the rest",
	     OF_BOTH, TOLD, HDB_BOTH_001, HDB_BOTH_069),
	TEST(directories_are_in_order,
	     "Directories are in order, and lead to the data", OF_BOTH, TOLD,
	     HDB_EXP_005, HDB_EXP_006, HDB_PLAT_001),
	TEST(description_rests,
	     "Descriptor and directory stay as they are until EXPORT is answered",
	     OF_BOTH, TOLD, HDB_EXP_003),
	TEST(nothing_before_the_answer,
	     "A buffer whose EXPORT is not accepted is not used", OF_BOTH, TOLD,
	     HDB_EXP_007),
	TEST(exports_that_are_refused,
	     "What is refused is told, and free again", OF_BOTH, SEEN,
	     HDB_BOTH_040, HDB_EXP_012),
	TEST(data_stays_shared, "Data stays shared until it is released",
	     OF_BOTH, TOLD, HDB_EXP_004),
	TEST(limit_of_buffers, "No more buffers than max_buffers are exported",
	     OF_BOTH, TOLD, HDB_EXP_008, HDB_BOTH_020),
	TEST(limit_of_octets, "No more pages than max_octets has are exported",
	     OF_BOTH, TOLD, HDB_EXP_008, HDB_BOTH_020),
	TEST(limit_of_private_data,
	     "No more private data than max_private is exported", OF_BOTH, TOLD,
	     HDB_EXP_008, HDB_BOTH_020),
	TEST(nothing_is_wanted,
	     "Nothing is exported to an end that imports nothing", OF_BOTH,
	     TOLD, HDB_EXP_008, HDB_BOTH_020),
	TEST(features_are_not_used,
	     "A feature that was not accepted is not used", OF_BOTH, TOLD,
	     HDB_BOTH_018),
	TEST(read_only_is_not_handed_back,
	     "A buffer of right READ_ONLY cannot be handed back", OF_BOTH, TOLD,
	     HDB_EXP_010, HDB_BOTH_037, HDB_BOTH_038),
	TEST(states, "A buffer goes through its states, and through no others",
	     OF_BOTH, TOLD, HDB_BOTH_038, HDB_BOTH_043, HDB_BOTH_069,
	     HDB_EXP_010, HDB_EXP_015),
	TEST(released_at_once,
	     "A buffer that is not mapped is free when that is told", OF_BOTH,
	     SEEN, HDB_EXP_012, HDB_BOTH_069),
	TEST(released_later,
	     "A buffer that is mapped is free when RELEASED tells so", OF_BOTH,
	     SEEN, HDB_EXP_012, HDB_EXP_013, HDB_BOTH_038),
	TEST(released_unasked,
	     "A buffer may be released without being asked for", OF_BOTH, SEEN,
	     HDB_EXP_012, HDB_BOTH_038),
	TEST(released_after_the_grace_period,
	     "After the grace period a buffer is in quarantine until it is released",
	     OF_BOTH, SEEN, HDB_EXP_012, HDB_EXP_013, HDB_EXP_014, HDB_EXP_015),
	TEST(released_and_mapped,
	     "A buffer that is said to be released, and is mapped, is in quarantine",
	     OF_BOTH, SEEN, HDB_EXP_012, HDB_EXP_013, HDB_EXP_014),
	TEST(refused_and_mapped,
	     "A buffer that is refused, and mapped, is in quarantine", OF_BOTH,
	     SEEN, HDB_EXP_012, HDB_EXP_013),
	TEST(lost_and_mapped,
	     "When the session is lost, a buffer that is mapped is in quarantine",
	     OF_BOTH, SEEN, HDB_EXP_012, HDB_EXP_013, HDB_EXP_014),
	TEST(lost_in_each_state,
	     "When the session is lost, quarantine begins in each state",
	     OF_BOTH, SEEN, HDB_EXP_012, HDB_EXP_013),
	TEST(lent_and_mapped,
	     "A buffer that is lent, and not given back, is in quarantine",
	     OF_BOTH, SEEN | OPTION_LEND, HDB_EXP_012, HDB_EXP_013, HDB_EXP_015,
	     HDB_BOTH_038),
	TEST(closed_and_busy,
	     "When CLOSE is answered with BUSY, a buffer is in quarantine",
	     OF_BOTH, SEEN, HDB_EXP_012, HDB_EXP_013),
	TEST(closed_and_unmapped,
	     "When CLOSE is answered with OK, all buffers are free", OF_BOTH,
	     SEEN, HDB_EXP_012),
};

TEST_GROUP(export, cases);
