/* SPDX-License-Identifier: MIT */
/* directories.c - what an importer does with the directory of a buffer */
#include "conformance/tests/buffers.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ONES UINT64_MAX

static uint32_t page_shift(const struct end *end)
{
	return end->platform.ops->page_shift;
}

static uint32_t page_octets(const struct end *end)
{
	return 1u << page_shift(end);
}

static const char *const format_names[] = { "LIST", "TABLE", "EXTENTS" };

static const enum claim format_claims[] = { 0, OPTION_TABLE, OPTION_EXTENTS };

/* Entries that a page of the directory has room for. */
static uint64_t room(const struct end *end, uint32_t format)
{
	uint32_t octets = page_octets(end);

	switch (format) {
	case HDMABUF_DIRECTORY_LIST:
		return octets / 4 - 1;
	case HDMABUF_DIRECTORY_TABLE:
		return octets / 4;
	default:
		return octets / 16 - 1;
	}
}

/* A directory with so many entries: of EXTENTS, each is a page of its own. */
static void make_directory(struct end *end, struct buffer *buffer,
			   uint32_t format, uint64_t entries)
{
	const struct plan plan = {
		.size = entries * page_octets(end),
		.format = format,
		.scattered = format == HDMABUF_DIRECTORY_EXTENTS,
	};

	buffer_make(end, buffer, &plan);
	if (wire_get(buffer->descriptor, DESCRIPTOR_ENTRIES) != entries)
		skip(end->test,
		     "the platform makes other extents than were asked for");
}

/* ---- places in a directory ----------------------------------------------- */

static uint8_t *directory_page(const struct buffer *buffer, uint64_t page)
{
	return buffer->directory + (page << page_shift(buffer->end));
}

static uint32_t format_of(const struct buffer *buffer)
{
	return (uint32_t)wire_get(buffer->descriptor,
				  DESCRIPTOR_DIRECTORY_FORMAT);
}

static uint64_t entries_of(const struct buffer *buffer)
{
	return wire_get(buffer->descriptor, DESCRIPTOR_ENTRIES);
}

/* Pages of a TABLE that have no references of data. */
static uint64_t upper_pages(const struct buffer *buffer)
{
	uint64_t fit = room(buffer->end, HDMABUF_DIRECTORY_TABLE);

	return buffer->directory_pages - (entries_of(buffer) - 1) / fit - 1;
}

/* The page of the directory that holds an entry. */
static uint64_t page_of(const struct buffer *buffer, uint64_t entry)
{
	uint64_t page = entry / room(buffer->end, format_of(buffer));

	return format_of(buffer) == HDMABUF_DIRECTORY_TABLE ?
		       upper_pages(buffer) + page :
		       page;
}

/* Where an entry lies, or would if the page were full. */
static uint8_t *entry_at(const struct buffer *buffer, uint64_t entry)
{
	uint32_t format = format_of(buffer);
	uint64_t place = entry % room(buffer->end, format);
	uint8_t *page = directory_page(buffer, page_of(buffer, entry));

	switch (format) {
	case HDMABUF_DIRECTORY_LIST:
		return page + 4 + 4 * place;
	case HDMABUF_DIRECTORY_TABLE:
		return page + 4 * place;
	default:
		return page + 16 + 16 * place;
	}
}

#define REFERENCE_32 WIRE_PLACE(0, 4)
#define REFERENCE_64 WIRE_PLACE(0, 8)
#define EXTENT_COUNT WIRE_PLACE(8, 8)
#define NEXT_32	     WIRE_PLACE(0, 4)
#define NEXT_64	     WIRE_PLACE(0, 8)
#define PAGE_COUNT   WIRE_PLACE(8, 4)
#define PAGE_ZERO    WIRE_PLACE(12, 4)

static unsigned int reference_place(uint32_t format)
{
	return format == HDMABUF_DIRECTORY_EXTENTS ? REFERENCE_64 :
						     REFERENCE_32;
}

static void set_reference(struct buffer *buffer, uint64_t entry,
			  uint64_t reference)
{
	wire_put(entry_at(buffer, entry), reference_place(format_of(buffer)),
		 reference);
}

static void set_link(struct buffer *buffer, uint64_t page, uint64_t reference)
{
	wire_put(directory_page(buffer, page),
		 format_of(buffer) == HDMABUF_DIRECTORY_EXTENTS ? NEXT_64 :
								  NEXT_32,
		 reference);
}

/* ---- what is in order ---------------------------------------------------- */

/* Whether the IUT's limits, and the test's patience, allow so many pages. */
static bool is_possible(const struct end *end, uint64_t pages)
{
	return pages <= end->peer.max_octets >> page_shift(end);
}

static void take_directory(struct end *end, struct buffer *buffer,
			   uint32_t format, uint64_t entries)
{
	what_t what;

	snprintf(what, sizeof(what), "%s with %" PRIu64 " entries",
		 format_names[format], entries);
	comment(end->test, "%s", what);
	make_directory(end, buffer, format, entries);
	check_taken(end->test, HDB_IMP_011, buffer_export(buffer, NULL), what);
	check_query(buffer, HDB_IMP_011, buffer->descriptor, what);
}

/* Around the room that there is in one page, and in two. */
static void take_directories(struct test *test, uint32_t format)
{
	struct end *end = test_connect(test);
	uint64_t fit = room(end, format);
	const uint64_t entries[] = {
		1, 2, fit - 1, fit, fit + 1, 2 * fit - 1, 2 * fit, 2 * fit + 1,
	};

	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		struct buffer buffer;

		take_directory(end, &buffer, format, entries[i]);
		check(test, HDB_IMP_011, take_turn(&buffer),
		      "the buffer cannot be used");
		give_back(&buffer);
	}
}

static void lists_are_taken(struct test *test)
{
	take_directories(test, HDMABUF_DIRECTORY_LIST);
}

static void tables_are_taken(struct test *test)
{
	take_directories(test, HDMABUF_DIRECTORY_TABLE);
}

static void extents_are_taken(struct test *test)
{
	take_directories(test, HDMABUF_DIRECTORY_EXTENTS);
}

/* One extent for all, however many they are. */
static void one_extent_is_taken(struct test *test)
{
	static const uint64_t pages[] = { 1, 2, 255, 256, 1025, 8100 };
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		const struct plan plan = {
			.size = pages[i] * page_octets(end),
			.format = HDMABUF_DIRECTORY_EXTENTS,
		};
		struct buffer buffer;
		what_t what;

		snprintf(what, sizeof(what),
			 "%" PRIu64 " pages in as few extents as can be",
			 pages[i]);
		buffer_share(end, &buffer, &plan);
		check_query(&buffer, HDB_IMP_011, buffer.descriptor, what);
		check(test, HDB_IMP_011, take_turn(&buffer),
		      "%s: the buffer cannot be used", what);
	}
}

/* Nobody uses what would be gigabytes. */
static void table_of_three_levels(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t fit = room(end, HDMABUF_DIRECTORY_TABLE);
	struct buffer buffer;

	if (!is_possible(end, fit * fit + 1))
		skip(test, "max_octets is too low for a TABLE of three levels");
	take_directory(end, &buffer, HDMABUF_DIRECTORY_TABLE, fit * fit);
	give_back(&buffer);
	take_directory(end, &buffer, HDMABUF_DIRECTORY_TABLE, fit * fit + 1);
}

static void data_is_seen_through(struct test *test, uint32_t format)
{
	struct end *end = test_connect(test);
	uint64_t fit = room(end, format);
	const uint64_t entries[] = { 1, fit, fit + 1, 2 * fit + 1 };

	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		const struct plan plan = {
			.size = entries[i] * page_octets(end) - 7,
			.offset = 5,
			.format = format,
			.scattered = true,
		};
		struct buffer buffer;
		what_t what;

		snprintf(what, sizeof(what), "%s with %" PRIu64 " entries",
			 format_names[format], entries[i]);
		buffer_share(end, &buffer, &plan);
		check_turn(&buffer, HDB_PLAT_006, what);
		give_back(&buffer);
	}
}

static void data_through_tables(struct test *test)
{
	data_is_seen_through(test, HDMABUF_DIRECTORY_TABLE);
}

static void data_through_extents(struct test *test)
{
	data_is_seen_through(test, HDMABUF_DIRECTORY_EXTENTS);
}

/* ---- damage ------------------------------------------------------------- */

/**
 * struct due - what an importer has to say of a damaged directory
 * @status: of the answer
 * @clause: that says so
 * @where: in what the damage lies
 * @offset: where in that
 * @from: where that begins which is damaged; 0 if there is no other place
 */
struct due {
	uint16_t status;
	enum clause clause;
	uint32_t where;
	uint64_t offset;
	uint64_t from;
};

static uint64_t place_due(const struct due *due, const uint8_t *answer)
{
	return due->from && wire_get(answer, ERROR_OFFSET) == due->from ?
		       due->from :
		       due->offset;
}

/* Exports a buffer with a damaged directory, and mends that. */
static void refuse_damage(struct buffer *buffer, const struct due *due,
			  const char *what)
{
	struct test *test = buffer->end->test;
	message_t answer;

	comment(test, "%s", what);
	if (check_status(test, due->clause, buffer_export(buffer, answer),
			 due->status, "%s", what)) {
		check_lies_in(test, due->clause, answer, due->where, what);
		check_where(test, answer, due->where, place_due(due, answer),
			    what);
	}
	check_unknown(buffer, HDB_BOTH_037, what);
	buffer_list(buffer);
}

/* What was refused all along is taken when nothing is wrong, under the same id. */
static void mend(struct buffer *buffer)
{
	comment(buffer->end->test, "the same buffer with nothing wrong");
	check_taken(buffer->end->test, HDB_BOTH_037,
		    buffer_export(buffer, NULL),
		    "a buffer that was refused before and is mended");
	check_query(buffer, HDB_BOTH_037, buffer->descriptor,
		    "a buffer that was mended");
}

/* Two whole pages of references, and a third with so many. */
static void make_for_damage(struct end *end, struct buffer *buffer,
			    uint32_t format, uint64_t more)
{
	make_directory(end, buffer, format, 2 * room(end, format) + more);
}

/* Some entries in the third page; not a page full. */
#define SOME 77

/* ---- entries ------------------------------------------------------------ */

#define PLACES 9

/* The last, one between, and the first, of the first, a middle and the last page. */
static void choose_places(const struct buffer *buffer, uint64_t places[PLACES])
{
	uint64_t fit = room(buffer->end, format_of(buffer));
	uint64_t last = entries_of(buffer) - 1;

	for (uint64_t page = 0; page < 3; page++) {
		uint64_t end = page < 2 ? (page + 1) * fit - 1 : last;

		places[3 * page] = end;
		places[3 * page + 1] = (page * fit + end) / 2;
		places[3 * page + 2] = page * fit;
	}
}

static void refuse_zero_entries(struct test *test, uint32_t format)
{
	struct end *end = test_connect(test);
	uint64_t places[PLACES];
	struct buffer buffer;

	make_for_damage(end, &buffer, format, SOME);
	choose_places(&buffer, places);
	for (size_t i = 0; i < PLACES; i++) {
		const struct due due = { HDMABUF_STATUS_BAD_REFERENCE,
					 HDB_IMP_012, HDMABUF_WHERE_DIRECTORY,
					 places[i], 0 };
		what_t what;

		snprintf(what, sizeof(what),
			 "%s whose entry %" PRIu64 " is zero",
			 format_names[format], places[i]);
		set_reference(&buffer, places[i], 0);
		refuse_damage(&buffer, &due, what);
	}
	mend(&buffer);
}

static void zero_entries_of_lists(struct test *test)
{
	refuse_zero_entries(test, HDMABUF_DIRECTORY_LIST);
}

static void zero_entries_of_tables(struct test *test)
{
	refuse_zero_entries(test, HDMABUF_DIRECTORY_TABLE);
}

static void zero_entries_of_extents(struct test *test)
{
	refuse_zero_entries(test, HDMABUF_DIRECTORY_EXTENTS);
}

/* ---- behind the last entry ------------------------------------------------ */

/* Every word, with a bit that is somewhere else in each. */
static void refuse_rubbish(struct test *test, uint32_t format)
{
	struct end *end = test_connect(test);
	uint64_t words = room(end, format);
	struct buffer buffer;

	make_for_damage(end, &buffer, format, words - SOME);
	for (uint64_t i = 0; i < SOME; i++) {
		uint64_t entry = entries_of(&buffer) + i;
		const struct due due = { HDMABUF_STATUS_RESERVED, HDB_IMP_023,
					 HDMABUF_WHERE_DIRECTORY, entry,
					 entries_of(&buffer) };
		size_t octets = format == HDMABUF_DIRECTORY_EXTENTS ? 16 : 4;
		what_t what;

		snprintf(what, sizeof(what),
			 "%s with something in the place of entry %" PRIu64
			 ", of %" PRIu64,
			 format_names[format], entry, entries_of(&buffer));
		entry_at(&buffer, entry)[i % octets] = (uint8_t)(1 << i % 8);
		refuse_damage(&buffer, &due, what);
	}
	mend(&buffer);
}

static void rubbish_behind_lists(struct test *test)
{
	refuse_rubbish(test, HDMABUF_DIRECTORY_LIST);
}

static void rubbish_behind_tables(struct test *test)
{
	refuse_rubbish(test, HDMABUF_DIRECTORY_TABLE);
}

static void rubbish_behind_extents(struct test *test)
{
	refuse_rubbish(test, HDMABUF_DIRECTORY_EXTENTS);
}

/* The zero field in the head of each page. */
static void zero_of_extents(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	make_for_damage(end, &buffer, HDMABUF_DIRECTORY_EXTENTS, SOME);
	for (uint64_t page = 0; page < 3; page++)
		for (unsigned int octet = 0; octet < 4; octet++) {
			const struct due due = {
				HDMABUF_STATUS_RESERVED, HDB_IMP_023,
				HDMABUF_WHERE_DIRECTORY,
				page * room(end, HDMABUF_DIRECTORY_EXTENTS), 0
			};
			what_t what;

			snprintf(what, sizeof(what),
				 "page %" PRIu64
				 " of EXTENTS with octet %u of zero not zero",
				 page, octet);
			directory_page(&buffer, page)[12 + octet] = 0x80;
			refuse_damage(&buffer, &due, what);
		}
	mend(&buffer);
}

/* ---- links -------------------------------------------------------------- */

static void refuse_link(struct buffer *buffer, uint64_t page,
			uint64_t reference, uint64_t pages_read,
			const char *what)
{
	const struct due due = { HDMABUF_STATUS_BAD_REFERENCE, HDB_IMP_012,
				 HDMABUF_WHERE_DIRECTORY,
				 pages_read *
					 room(buffer->end, format_of(buffer)),
				 0 };

	set_link(buffer, page, reference);
	refuse_damage(buffer, &due, what);
}

/* Three whole pages; what is wrong is found when so many were read. */
static void refuse_links(struct test *test, uint32_t format)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	uint64_t dead = dead_reference(end);
	const uint64_t *page;

	make_for_damage(end, &buffer, format, room(end, format));
	page = buffer.directory_references;
	refuse_link(&buffer, 0, 0, 1, "a first page without a link");
	refuse_link(&buffer, 1, 0, 2,
		    "a second page, of three, without a link");
	refuse_link(&buffer, 0, dead, 1, "a first page with a link to nowhere");
	refuse_link(&buffer, 1, dead, 2,
		    "a second page with a link to nowhere");
	refuse_link(&buffer, 2, dead, 3, "a last page with a link to nowhere");
	refuse_link(&buffer, 2, 1, 3, "a last page with a link that is 1");
	refuse_link(&buffer, 2, page[0], 3,
		    "a last page with a link to the first");
	refuse_link(&buffer, 2, page[2], 3,
		    "a last page with a link to itself");
	refuse_link(&buffer, 0, page[0], 3,
		    "a first page with a link to itself");
	refuse_link(&buffer, 1, page[0], 3,
		    "a second page with a link to the first");
	refuse_link(&buffer, 1, page[1], 3,
		    "a second page with a link to itself");
	refuse_link(&buffer, 0, page[2], 2,
		    "a first page with a link to the last");
	mend(&buffer);
}

static void links_of_lists(struct test *test)
{
	refuse_links(test, HDMABUF_DIRECTORY_LIST);
}

static void links_of_extents(struct test *test)
{
	refuse_links(test, HDMABUF_DIRECTORY_EXTENTS);
}

/* ---- the upper level of a TABLE ------------------------------------------- */

static void refuse_upper(struct buffer *buffer, uint64_t place,
			 uint64_t reference, uint16_t status,
			 enum clause clause, const char *text)
{
	uint64_t fit = room(buffer->end, HDMABUF_DIRECTORY_TABLE);
	const struct due due = { status, clause, HDMABUF_WHERE_DIRECTORY,
				 place * fit, place < 3 ? 0 : 3 * fit };
	what_t what;

	snprintf(what, sizeof(what),
		 "a TABLE whose upper page has %s in place %" PRIu64
		 ", of 3 that are used",
		 text, place);
	wire_put(directory_page(buffer, 0) + 4 * place, REFERENCE_32,
		 reference);
	refuse_damage(buffer, &due, what);
}

static void upper_level_of_tables(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t fit = room(end, HDMABUF_DIRECTORY_TABLE);
	uint64_t dead = dead_reference(end);
	struct buffer buffer;

	make_for_damage(end, &buffer, HDMABUF_DIRECTORY_TABLE, SOME);
	for (uint64_t i = 0; i < 3; i++) {
		refuse_upper(&buffer, i, 0, HDMABUF_STATUS_BAD_REFERENCE,
			     HDB_IMP_012, "zero");
		refuse_upper(&buffer, i, dead, HDMABUF_STATUS_BAD_REFERENCE,
			     HDB_IMP_012, "a reference to nowhere");
	}
	refuse_upper(&buffer, 3, 1, HDMABUF_STATUS_RESERVED, HDB_IMP_023,
		     "a reference");
	refuse_upper(&buffer, fit / 2, 1, HDMABUF_STATUS_RESERVED, HDB_IMP_023,
		     "a reference");
	refuse_upper(&buffer, fit - 1, 1u << 31, HDMABUF_STATUS_RESERVED,
		     HDB_IMP_023, "a reference");
	mend(&buffer);
}

/* ---- references that come twice ------------------------------------------- */

/* The second of the two is the one too many. */
static void refuse_twice(struct buffer *buffer, uint64_t first, uint64_t second)
{
	const struct due due = { HDMABUF_STATUS_DUPLICATE, HDB_IMP_013,
				 HDMABUF_WHERE_PAGE, second, 0 };
	what_t what;

	snprintf(what, sizeof(what),
		 "%s that names page %" PRIu64 " again as page %" PRIu64,
		 format_names[format_of(buffer)], first, second);
	set_reference(buffer, second, buffer->references[first]);
	refuse_damage(buffer, &due, what);
	snprintf(what, sizeof(what),
		 "%s that names page %" PRIu64 " already as page %" PRIu64,
		 format_names[format_of(buffer)], second, first);
	set_reference(buffer, first, buffer->references[second]);
	refuse_damage(buffer, &due, what);
}

static void refuse_twice_each(struct test *test, uint32_t format)
{
	struct end *end = test_connect(test);
	uint64_t fit = room(end, format);
	struct buffer buffer;
	uint64_t last;

	make_for_damage(end, &buffer, format, SOME);
	last = entries_of(&buffer) - 1;
	refuse_twice(&buffer, 0, 1);
	refuse_twice(&buffer, 0, last);
	refuse_twice(&buffer, last - 1, last);
	refuse_twice(&buffer, fit - 1, fit);
	refuse_twice(&buffer, fit / 2, 2 * fit);
	mend(&buffer);
}

static void pages_twice_in_lists(struct test *test)
{
	refuse_twice_each(test, HDMABUF_DIRECTORY_LIST);
}

static void pages_twice_in_tables(struct test *test)
{
	refuse_twice_each(test, HDMABUF_DIRECTORY_TABLE);
}

static void pages_twice_in_extents(struct test *test)
{
	refuse_twice_each(test, HDMABUF_DIRECTORY_EXTENTS);
}

/* ---- extents ------------------------------------------------------------ */

enum extent_base {
	OWN,   /* from the first reference of the buffer on */
	PLAIN, /* as it is */
	LAST,  /* from the platform's last reference on */
};

struct extent {
	enum extent_base base;
	uint64_t reference;
	uint64_t count;
};

#define EXTENTS	      3
#define EXTENTS_PAGES 6

/* Of six pages, in three extents; the one that is to blame. */
static const struct {
	struct extent extent[EXTENTS];
	uint16_t status;
	enum clause clause;
	uint32_t where;
	uint64_t offset;
	const char *text;
} wrong_extents[] = {
#define SUM(text, first, second, third, blamed) \
	{ \
		{ { OWN, 0, first }, { OWN, 2, second }, { OWN, 4, third } }, \
			HDMABUF_STATUS_INVALID, HDB_IMP_015, \
			HDMABUF_WHERE_DIRECTORY, blamed, text \
	}
	SUM("a first extent of 0 pages", 0, 2, 2, 0),
	SUM("a second extent of 0 pages", 2, 0, 2, 1),
	SUM("a third extent of 0 pages", 2, 2, 0, 2),
	SUM("a page too few in the first extent", 1, 2, 2, 2),
	SUM("a page too few in the third extent", 2, 2, 1, 2),
	SUM("a page too many in the first extent", 3, 2, 2, 2),
	SUM("a page too many in the third extent", 2, 2, 3, 2),
	SUM("all pages in the first extent", 6, 2, 2, 1),
	SUM("more than all pages in the first extent", 7, 2, 2, 0),
#undef SUM
#define OVERFLOW(text, first, second, third, blamed) \
	{ \
		{ { OWN, 0, first }, { OWN, 2, second }, { OWN, 4, third } }, \
			HDMABUF_STATUS_INVALID, HDB_BOTH_062, \
			HDMABUF_WHERE_DIRECTORY, blamed, text \
	}
	OVERFLOW("counts whose sum is 6 modulo 2^64", 1ull << 63, 1ull << 63, 6,
		 0),
	OVERFLOW("a count of 2^64 - 1", 2, 5, ONES, 1),
	OVERFLOW("a count of 2^64 - 1, first", ONES, 2, 5, 0),
#undef OVERFLOW
	{ { { PLAIN, ONES, 2 }, { OWN, 2, 2 }, { OWN, 4, 2 } },
	  HDMABUF_STATUS_INVALID,
	  HDB_BOTH_062,
	  HDMABUF_WHERE_DIRECTORY,
	  0,
	  "an extent that goes on behind 2^64 - 1" },
	{ { { OWN, 0, 2 }, { OWN, 2, 2 }, { LAST, 0, 2 } },
	  HDMABUF_STATUS_INVALID,
	  HDB_IMP_015,
	  HDMABUF_WHERE_DIRECTORY,
	  2,
	  "an extent that goes on behind the platform's last reference" },
	{ { { OWN, 0, 2 }, { PLAIN, ONES - 1, 2 }, { OWN, 4, 2 } },
	  HDMABUF_STATUS_INVALID,
	  HDB_IMP_015,
	  HDMABUF_WHERE_DIRECTORY,
	  1,
	  "an extent of the references 2^64 - 2 and 2^64 - 1" },
	{ { { OWN, 0, 2 }, { PLAIN, 0, 2 }, { OWN, 4, 2 } },
	  HDMABUF_STATUS_BAD_REFERENCE,
	  HDB_IMP_012,
	  HDMABUF_WHERE_DIRECTORY,
	  1,
	  "an extent that begins with the reference 0" },
	{ { { OWN, 0, 2 }, { OWN, 1, 2 }, { OWN, 3, 2 } },
	  HDMABUF_STATUS_DUPLICATE,
	  HDB_IMP_013,
	  HDMABUF_WHERE_PAGE,
	  2,
	  "a second extent that begins with the last page of the first" },
	{ { { OWN, 2, 2 }, { OWN, 0, 3 }, { OWN, 5, 1 } },
	  HDMABUF_STATUS_DUPLICATE,
	  HDB_IMP_013,
	  HDMABUF_WHERE_PAGE,
	  4,
	  "a second extent that ends with the first page of the first" },
	{ { { OWN, 0, 4 }, { OWN, 1, 1 }, { OWN, 5, 1 } },
	  HDMABUF_STATUS_DUPLICATE,
	  HDB_IMP_013,
	  HDMABUF_WHERE_PAGE,
	  4,
	  "a second extent within the first" },
	{ { { PLAIN, 0, 2 }, { OWN, 2, 2 }, { OWN, 4, 3 } },
	  HDMABUF_STATUS_INVALID,
	  HDB_BOTH_038,
	  HDMABUF_WHERE_DIRECTORY,
	  2,
	  "an extent that begins with 0 before one of too many pages" },
};

static uint64_t extent_reference(const struct buffer *buffer,
				 const struct extent *extent)
{
	switch (extent->base) {
	case OWN:
		return buffer->references[0] + extent->reference;
	case LAST:
		return buffer->end->platform.ops->reference_max +
		       extent->reference;
	default:
		return extent->reference;
	}
}

static void write_extents(struct buffer *buffer, const struct extent *extent)
{
	wire_put(buffer->descriptor, DESCRIPTOR_ENTRIES, EXTENTS);
	wire_put(buffer->directory, PAGE_COUNT, EXTENTS);
	for (size_t i = 0; i < EXTENTS; i++) {
		uint8_t *at = buffer->directory + 16 + 16 * i;

		wire_put(at, REFERENCE_64,
			 extent_reference(buffer, &extent[i]));
		wire_put(at, EXTENT_COUNT, extent[i].count);
	}
}

static void make_extents(struct end *end, struct buffer *buffer)
{
	const struct plan plan = {
		.size = EXTENTS_PAGES * page_octets(end),
		.format = HDMABUF_DIRECTORY_EXTENTS,
	};

	buffer_make(end, buffer, &plan);
	if (entries_of(buffer) != 1)
		skip(end->test, "the platform makes no extents of many pages");
}

static void counts_of_extents(struct test *test)
{
	static const struct extent right[EXTENTS] = { { OWN, 0, 2 },
						      { OWN, 2, 2 },
						      { OWN, 4, 2 } };
	struct end *end = test_connect(test);
	struct buffer buffer;

	make_extents(end, &buffer);
	for (size_t i = 0; i < COUNT_OF(wrong_extents); i++) {
		const struct due due = { wrong_extents[i].status,
					 wrong_extents[i].clause,
					 wrong_extents[i].where,
					 wrong_extents[i].offset, 0 };

		write_extents(&buffer, wrong_extents[i].extent);
		refuse_damage(&buffer, &due, wrong_extents[i].text);
	}
	write_extents(&buffer, right);
	mend(&buffer);
}

/* ---- the count in a page of extents ---------------------------------------- */

static void refuse_count(struct buffer *buffer, uint64_t page, uint64_t count)
{
	const struct due due = {
		HDMABUF_STATUS_INVALID, HDB_IMP_016, HDMABUF_WHERE_DIRECTORY,
		page * room(buffer->end, HDMABUF_DIRECTORY_EXTENTS), 0
	};
	what_t what;

	snprintf(what, sizeof(what),
		 "page %" PRIu64 " of EXTENTS with count %" PRIu64, page,
		 count & UINT32_MAX);
	wire_put(directory_page(buffer, page), PAGE_COUNT, count);
	refuse_damage(buffer, &due, what);
}

static void pages_of_extents(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t fit = room(end, HDMABUF_DIRECTORY_EXTENTS);
	struct buffer buffer;

	make_for_damage(end, &buffer, HDMABUF_DIRECTORY_EXTENTS, SOME);
	for (uint64_t page = 0; page < 3; page++) {
		uint64_t count = page < 2 ? fit : SOME;

		refuse_count(&buffer, page, 0);
		refuse_count(&buffer, page, count - 1);
		refuse_count(&buffer, page, count + 1);
		refuse_count(&buffer, page, page < 2 ? SOME : fit);
		refuse_count(&buffer, page, ONES);
	}
	mend(&buffer);
}

/* ---- counts in the descriptor ---------------------------------------------- */

/* Of a directory of two pages of references; the field that is wrong. */
static const struct spoilt wrong_counts[][4] = {
	{ { DESCRIPTOR_ENTRIES, ADD, 1, HDMABUF_STATUS_INVALID, HDB_IMP_011,
	    0 },
	  { DESCRIPTOR_DIRECTORY_PAGES, ADD, ONES, HDMABUF_STATUS_INVALID,
	    HDB_IMP_011, 0 },
	  { DESCRIPTOR_DIRECTORY_PAGES, ADD, 1, HDMABUF_STATUS_INVALID,
	    HDB_IMP_011, 0 },
	  { DESCRIPTOR_ENTRIES, ADD, ONES, HDMABUF_STATUS_INVALID, HDB_IMP_011,
	    0 } },
	{ { DESCRIPTOR_ENTRIES, ADD, 1, HDMABUF_STATUS_INVALID, HDB_IMP_011,
	    0 },
	  /* Without the upper page. */
	  { DESCRIPTOR_DIRECTORY_PAGES, ADD, ONES, HDMABUF_STATUS_INVALID,
	    HDB_IMP_011, 0 },
	  { DESCRIPTOR_DIRECTORY_PAGES, ADD, 1, HDMABUF_STATUS_INVALID,
	    HDB_IMP_011, 0 },
	  { DESCRIPTOR_ENTRIES, ADD, ONES, HDMABUF_STATUS_INVALID, HDB_IMP_011,
	    0 } },
	{ { DESCRIPTOR_ENTRIES, SET, 0, HDMABUF_STATUS_INVALID, HDB_IMP_011,
	    0 },
	  { DESCRIPTOR_DIRECTORY_PAGES, ADD, ONES, HDMABUF_STATUS_INVALID,
	    HDB_IMP_011, 0 },
	  { DESCRIPTOR_DIRECTORY_PAGES, ADD, 1, HDMABUF_STATUS_INVALID,
	    HDB_IMP_011, 0 },
	  { DESCRIPTOR_ENTRIES, SET, ONES, HDMABUF_STATUS_INVALID, HDB_IMP_011,
	    0 } },
};

/* An importer that read the directory first would find nothing there. */
static void refuse_counts(struct buffer *buffer)
{
	uint64_t directory = buffer->directory_references[0];
	uint32_t format = format_of(buffer);

	for (size_t i = 0; i < COUNT_OF(wrong_counts[0]); i++) {
		const struct spoilt *wrong = &wrong_counts[format][i];
		const struct due due = { wrong->status, wrong->clause,
					 HDMABUF_WHERE_DESCRIPTOR,
					 wire_offset(wrong->place), 0 };
		uint64_t right = wire_get(buffer->descriptor, wrong->place);
		what_t what;

		wire_put(buffer->descriptor, DESCRIPTOR_DIRECTORY,
			 dead_reference(buffer->end));
		snprintf(what, sizeof(what),
			 "%s with %" PRIu64 " at offset %zu, which is nowhere",
			 format_names[format],
			 spoil_field(buffer->end, buffer->descriptor, wrong),
			 wire_offset(wrong->place));
		refuse_damage(buffer, &due, what);
		wire_put(buffer->descriptor, wrong->place, right);
		wire_put(buffer->descriptor, DESCRIPTOR_DIRECTORY, directory);
	}
	mend(buffer);
}

static void counts_come_first(struct test *test)
{
	struct end *end = test_connect(test);

	for (uint32_t format = 0; format < COUNT_OF(format_names); format++) {
		struct buffer buffer;

		if (format_claims[format] &&
		    !test_claims(test, format_claims[format]))
			continue;
		make_directory(end, &buffer, format, room(end, format) + 1);
		refuse_counts(&buffer);
	}
}

/* ---- the first page ------------------------------------------------------- */

static void refuse_directory(struct buffer *buffer, uint64_t reference,
			     enum clause clause, const char *what)
{
	const struct due due = { HDMABUF_STATUS_BAD_REFERENCE, clause,
				 HDMABUF_WHERE_DESCRIPTOR,
				 wire_offset(DESCRIPTOR_DIRECTORY), 0 };

	wire_put(buffer->descriptor, DESCRIPTOR_DIRECTORY, reference);
	refuse_damage(buffer, &due, what);
	wire_put(buffer->descriptor, DESCRIPTOR_DIRECTORY,
		 buffer->directory_references[0]);
}

static void directories_that_are_nowhere(struct test *test)
{
	struct end *end = test_connect(test);

	for (uint32_t format = 0; format < COUNT_OF(format_names); format++) {
		struct buffer buffer;

		if (format_claims[format] &&
		    !test_claims(test, format_claims[format]))
			continue;
		comment(test, "%s", format_names[format]);
		make_directory(end, &buffer, format, 2);
		refuse_directory(&buffer, 0, HDB_PLAT_003,
				 "a directory whose reference is 0");
		refuse_directory(&buffer, dead_reference(end), HDB_BOTH_038,
				 "a directory whose reference was taken back");
		refuse_directory(&buffer, 1ull << 32, HDB_BOTH_038,
				 "a directory whose reference is 2^32");
		refuse_directory(
			&buffer, buffer.directory_references[0] + (1ull << 32),
			HDB_BOTH_038,
			"a directory whose reference is 2^32 too much");
		refuse_directory(&buffer, ONES, HDB_BOTH_038,
				 "a directory whose reference is 2^64 - 1");
		mend(&buffer);
	}
}

/* ---- several things that are wrong ----------------------------------------- */

/* Page by page, in the order in which they are read, and data at last. */
static void order_of_damages(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t fit = room(end, HDMABUF_DIRECTORY_LIST);
	const struct due entry = { HDMABUF_STATUS_BAD_REFERENCE, HDB_BOTH_038,
				   HDMABUF_WHERE_DIRECTORY, 3, 0 };
	const struct due behind = { HDMABUF_STATUS_RESERVED, HDB_BOTH_038,
				    HDMABUF_WHERE_DIRECTORY, 2 * fit + SOME,
				    0 };
	const struct due link = { HDMABUF_STATUS_BAD_REFERENCE, HDB_BOTH_038,
				  HDMABUF_WHERE_DIRECTORY, fit, 0 };
	struct buffer buffer;

	make_for_damage(end, &buffer, HDMABUF_DIRECTORY_LIST, SOME);
	set_reference(&buffer, 3, 0);
	set_reference(&buffer, 2 * fit + SOME, 1);
	refuse_damage(&buffer, &entry,
		      "a zero entry in the first page, rubbish in the third");
	set_reference(&buffer, 3, 0);
	set_link(&buffer, 0, 0);
	refuse_damage(&buffer, &entry,
		      "a zero entry and no link in the first page");
	set_link(&buffer, 0, 0);
	set_reference(&buffer, fit + 3, 0);
	refuse_damage(&buffer, &link,
		      "no link in the first page, a zero entry in the second");
	set_reference(&buffer, 2 * fit, 0);
	set_reference(&buffer, 2 * fit + SOME, 1);
	refuse_damage(&buffer, &behind,
		      "a zero entry and rubbish in the third page");
	set_reference(&buffer, 1, buffer.references[0]);
	set_reference(&buffer, 2 * fit + SOME, 1);
	refuse_damage(&buffer, &behind,
		      "a page that comes twice, and rubbish in the third page");
	set_reference(&buffer, 3, 0);
	set_reference(&buffer, 1, buffer.references[0]);
	refuse_damage(&buffer, &entry,
		      "a page that comes twice, and a zero entry behind it");
	mend(&buffer);
}

/* ---- pages of the directory among those of data ----------------------------- */

/* Nobody forbids it, and it may be taken for a reference that comes twice. */
static void directory_as_data(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	uint16_t status;

	make_for_damage(end, &buffer, HDMABUF_DIRECTORY_LIST, SOME);
	for (uint64_t page = 0; page < 3; page++) {
		set_reference(&buffer, SOME, buffer.directory_references[page]);
		comment(test, "page %" PRIu64 " of the directory is data",
			page);
		status = buffer_export(&buffer, NULL);
		check(test, HDB_IMP_013,
		      status == HDMABUF_STATUS_OK ||
			      status == HDMABUF_STATUS_DUPLICATE,
		      "a directory that names its own page %" PRIu64
		      ": OK or DUPLICATE expected, %s seen",
		      page, wire_status_name(status));
		if (status == HDMABUF_STATUS_OK)
			give_back(&buffer);
		buffer_list(&buffer);
	}
}

#define DAMAGE HDB_BOTH_037, HDB_BOTH_039

static const struct test_case cases[] = {
	TEST(lists_are_taken, "A LIST of one page, and of several, is read",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_011),
	TEST(tables_are_taken, "A TABLE of one level, and of two, is read",
	     OF_BOTH, OPTION_IMPORT | OPTION_TABLE, HDB_IMP_011),
	TEST(table_of_three_levels, "A TABLE of three levels is read", OF_BOTH,
	     OPTION_IMPORT | OPTION_TABLE, HDB_IMP_011),
	TEST(extents_are_taken, "EXTENTS of one page, and of several, are read",
	     OF_BOTH, OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_011),
	TEST(one_extent_is_taken, "An extent of many pages is read", OF_BOTH,
	     OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_011),
	TEST(data_through_tables,
	     "The importer sees data whose pages are in a TABLE", OF_BOTH,
	     OPTION_IMPORT | OPTION_TABLE | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_PLAT_006),
	TEST(data_through_extents,
	     "The importer sees data whose pages are in EXTENTS", OF_BOTH,
	     OPTION_IMPORT | OPTION_EXTENTS | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_PLAT_006),
	TEST(counts_come_first,
	     "Counts that do not fit are refused before the directory is read",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_011, DAMAGE),
	TEST(directories_that_are_nowhere,
	     "A directory whose reference leads nowhere is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_038, HDB_PLAT_003, DAMAGE),
	TEST(zero_entries_of_lists, "A LIST with a zero entry is refused",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_012, DAMAGE),
	TEST(zero_entries_of_tables, "A TABLE with a zero entry is refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_TABLE, HDB_IMP_012, DAMAGE),
	TEST(zero_entries_of_extents, "EXTENTS with a zero entry are refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_012, DAMAGE),
	TEST(links_of_lists, "A LIST whose links are wrong is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_IMP_012, DAMAGE),
	TEST(links_of_extents, "EXTENTS whose links are wrong are refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_012, DAMAGE),
	TEST(upper_level_of_tables,
	     "A TABLE whose upper level is wrong is refused", OF_BOTH,
	     OPTION_IMPORT | OPTION_TABLE, HDB_IMP_012, HDB_IMP_023, DAMAGE),
	TEST(rubbish_behind_lists,
	     "A LIST with something behind its last entry is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_IMP_023, DAMAGE),
	TEST(rubbish_behind_tables,
	     "A TABLE with something behind its last entry is refused", OF_BOTH,
	     OPTION_IMPORT | OPTION_TABLE, HDB_IMP_023, DAMAGE),
	TEST(rubbish_behind_extents,
	     "EXTENTS with something behind the last of them are refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_023, DAMAGE),
	TEST(zero_of_extents,
	     "A page of extents in which a zero field is not zero is refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_023, DAMAGE),
	TEST(pages_twice_in_lists, "A LIST that names a page twice is refused",
	     OF_BOTH, OPTION_IMPORT, HDB_IMP_013, DAMAGE),
	TEST(pages_twice_in_tables,
	     "A TABLE that names a page twice is refused", OF_BOTH,
	     OPTION_IMPORT | OPTION_TABLE, HDB_IMP_013, DAMAGE),
	TEST(pages_twice_in_extents,
	     "EXTENTS that name a page twice are refused", OF_BOTH,
	     OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_013, DAMAGE),
	TEST(directory_as_data,
	     "A directory that names its own pages does no harm", OF_BOTH,
	     OPTION_IMPORT, HDB_IMP_013),
	TEST(counts_of_extents,
	     "Extents whose counts or references are wrong are refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_012, HDB_IMP_013,
	     HDB_IMP_015, HDB_BOTH_038, HDB_BOTH_062, DAMAGE),
	TEST(pages_of_extents,
	     "A page of extents with a wrong count is refused", OF_BOTH,
	     OPTION_IMPORT | OPTION_EXTENTS, HDB_IMP_016, DAMAGE),
	TEST(order_of_damages,
	     "Of two things that are wrong with a directory, the first is reported",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_038, DAMAGE),
};

TEST_GROUP(directories, cases);
