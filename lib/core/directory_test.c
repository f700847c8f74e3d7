/* SPDX-License-Identifier: MIT */
#include "tests/harness.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<xen/io/displif.h>)
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/displif.h>
#define HAVE_DISPLIF 1
#endif

#include <hdmabuf/directory.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIST	     HDMABUF_DIRECTORY_LIST
#define TABLE	     HDMABUF_DIRECTORY_TABLE
#define EXTENTS	     HDMABUF_DIRECTORY_EXTENTS
#define MAX	     UINT32_MAX
#define BAD	     HDMABUF_STATUS_BAD_REFERENCE
#define INVALID	     HDMABUF_STATUS_INVALID
#define RESERVED     HDMABUF_STATUS_RESERVED

/* ---- Numbers ------------------------------------------------------------- */

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

/* The same numbers in every run. */
static uint64_t draw(uint64_t *seed)
{
	uint64_t number = *seed += 0x9e3779b97f4a7c15;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return number ^ number >> 31;
}

static void *get(size_t count, size_t octets)
{
	void *memory = calloc(count, octets);

	assert_non_null(memory);
	return memory;
}

/* ---- Directories --------------------------------------------------------- */

/* A directory in memory, and the references it was made of. */
struct directory {
	struct hdmabuf_layout layout;
	struct hdmabuf_run *runs;
	uint64_t run_count;
	uint64_t *own;
	uint8_t *memory;
};

static size_t page_octets(const struct directory *directory)
{
	return (size_t)1 << directory->layout.page_shift;
}

/* Neither consecutive nor in order, so that nobody can take one for another. */
static uint64_t own_reference(uint32_t page)
{
	return 0x70000000 + (page * 40503u) % 65536;
}

static uint8_t *page_of(const struct directory *directory, uint64_t reference)
{
	uint32_t page;

	for (page = 0; page < directory->layout.directory_pages; page++) {
		if (directory->own[page] == reference)
			return directory->memory +
			       page * page_octets(directory);
	}
	fail_msg("no page of the directory has the reference %llu",
		 (unsigned long long)reference);
	return NULL;
}

/* Takes @runs over. */
static void directory_make(struct directory *directory, uint32_t format,
			   uint32_t page_shift, struct hdmabuf_run *runs,
			   uint64_t run_count)
{
	struct hdmabuf_layout *layout = &directory->layout;
	uint64_t i;
	uint32_t page;

	memset(directory, 0, sizeof(*directory));
	directory->runs = runs;
	directory->run_count = run_count;
	for (i = 0; i < run_count; i++)
		layout->pages += runs[i].count;
	layout->page_shift = page_shift;
	layout->directory_format = format;
	layout->entries = format == EXTENTS ? run_count : layout->pages;
	assert_true(hdmabuf_directory_pages(format, layout->entries, page_shift,
					    &layout->directory_pages));
	directory->own = get(layout->directory_pages, sizeof(uint64_t));
	for (page = 0; page < layout->directory_pages; page++)
		directory->own[page] = own_reference(page);
	layout->directory = directory->own[0];
	directory->memory =
		get(layout->directory_pages, page_octets(directory));
	memset(directory->memory, 0xaa,
	       layout->directory_pages * page_octets(directory));
	assert_true(hdmabuf_directory_build(format, runs, run_count, page_shift,
					    directory->own, directory->memory,
					    layout->directory_pages));
}

static void directory_free(struct directory *directory)
{
	free(directory->runs);
	free(directory->own);
	free(directory->memory);
}

static void directory_of_one_run(struct directory *directory, uint32_t format,
				 uint64_t pages)
{
	struct hdmabuf_run *run = get(1, sizeof(*run));

	run->reference = 1;
	run->count = pages;
	directory_make(directory, format, 12, run, 1);
}

/* No two of them are consecutive. */
static struct hdmabuf_run *scattered(uint64_t count)
{
	struct hdmabuf_run *runs = get(count, sizeof(*runs));
	uint64_t i;

	assert_true(count < 1 << 21);
	for (i = 0; i < count; i++) {
		runs[i].reference = 1 + i * 0x2c9277b5 % (1 << 21);
		runs[i].count = 1;
	}
	return runs;
}

static void directory_of_scattered(struct directory *directory, uint32_t format,
				   uint64_t count)
{
	directory_make(directory, format, 12, scattered(count), count);
}

/* Runs of one to a hundred pages, with gaps, in no order. */
static struct hdmabuf_run *patches(uint64_t seed, uint64_t pages,
				   uint64_t *run_count)
{
	struct hdmabuf_run *runs = get(pages, sizeof(*runs));
	uint64_t count = 0;
	uint64_t i;

	while (pages) {
		runs[count].count = 1 + draw(&seed) % 100;
		if (runs[count].count > pages)
			runs[count].count = pages;
		runs[count].reference = 1 + count * 128;
		pages -= runs[count++].count;
	}
	for (i = count; i > 1; i--) {
		uint64_t other = draw(&seed) % i;
		struct hdmabuf_run run = runs[other];

		runs[other] = runs[i - 1];
		runs[i - 1] = run;
	}
	*run_count = count;
	return runs;
}

/* ---- A reader of its own ------------------------------------------------- */

/* What comes out of a directory: whether it is what went in, one at a time. */
struct spelling {
	const struct directory *directory;
	uint64_t run;
	uint64_t done;
};

static void spell(struct spelling *spelling, uint64_t reference)
{
	const struct hdmabuf_run *run =
		&spelling->directory->runs[spelling->run];

	assert_true(spelling->run < spelling->directory->run_count);
	assert_true(reference == run->reference + spelling->done);
	if (++spelling->done == run->count) {
		spelling->run++;
		spelling->done = 0;
	}
}

static void spell_list(struct spelling *spelling)
{
	const struct directory *directory = spelling->directory;
	uint64_t left = directory->layout.entries;
	uint64_t next = directory->layout.directory;
	size_t at;

	while (left) {
		const uint8_t *page = page_of(directory, next);

		for (at = 4; at < page_octets(directory); at += 4) {
			if (left) {
				spell(spelling, number_at(page + at, 4));
				left--;
			} else {
				assert_int_equal(number_at(page + at, 4), 0);
			}
		}
		next = number_at(page, 4);
	}
	assert_int_equal(next, 0);
}

static uint64_t spell_table(struct spelling *spelling, uint64_t reference,
			    unsigned int depth, uint64_t left)
{
	const struct directory *directory = spelling->directory;
	const uint8_t *page = page_of(directory, reference);
	size_t at;

	for (at = 0; at < page_octets(directory); at += 4) {
		uint64_t entry = number_at(page + at, 4);

		if (!left) {
			assert_int_equal(entry, 0);
		} else if (depth > 1) {
			left = spell_table(spelling, entry, depth - 1, left);
		} else {
			spell(spelling, entry);
			left--;
		}
	}
	return left;
}

static unsigned int table_depth(const struct directory *directory)
{
	uint64_t fit = page_octets(directory) / 4;

	if (directory->layout.entries <= fit)
		return 1;
	return directory->layout.entries <= fit * fit ? 2 : 3;
}

static void spell_extents(struct spelling *spelling)
{
	const struct directory *directory = spelling->directory;
	uint64_t left = directory->layout.entries;
	uint64_t next = directory->layout.directory;
	size_t at;

	while (left) {
		const uint8_t *page = page_of(directory, next);
		uint64_t count = number_at(page + 8, 4);
		uint64_t i;

		assert_true(count && count <= left);
		assert_int_equal(number_at(page + 12, 4), 0);
		for (at = 16; at < page_octets(directory); at += 16) {
			uint64_t reference = number_at(page + at, 8);
			uint64_t pages = number_at(page + at + 8, 8);

			if (at >= 16 + count * 16)
				assert_true(!reference && !pages);
			for (i = 0; i < pages; i++)
				spell(spelling, reference + i);
		}
		left -= count;
		next = number_at(page, 8);
	}
	assert_int_equal(next, 0);
}

static void assert_spelled(const struct directory *directory)
{
	struct spelling spelling = { .directory = directory };

	switch (directory->layout.directory_format) {
	case LIST:
		spell_list(&spelling);
		break;
	case TABLE:
		assert_int_equal(spell_table(&spelling,
					     directory->layout.directory,
					     table_depth(directory),
					     directory->layout.entries),
				 0);
		break;
	case EXTENTS:
		spell_extents(&spelling);
		break;
	}
	assert_true(spelling.run == directory->run_count);
}

/* ---- Reading as a library user does -------------------------------------- */

/* What was read, and how many pages were asked for at a time at the most. */
struct reading {
	struct hdmabuf_run *runs;
	uint64_t run_count;
	uint64_t pages_at_once;
	struct hdmabuf_fault fault;
};

static uint16_t feed_runs(const struct directory *directory,
			  struct hdmabuf_directory_reader *reader,
			  const struct hdmabuf_run *wanted, size_t count,
			  uint64_t *scratch, struct hdmabuf_fault *fault)
{
	uint16_t status;
	uint64_t i;

	for (; count--; wanted++) {
		for (i = 0; i < wanted->count; i++) {
			memset(scratch, 0xaa, page_octets(directory));
			status = hdmabuf_directory_feed(
				reader,
				page_of(directory, wanted->reference + i),
				scratch, fault);
			assert_int_equal(status, fault->status);
			if (status)
				return status;
		}
	}
	return HDMABUF_STATUS_OK;
}

/* The runs found have to fit @capacity; @window are asked for at a time. */
static uint16_t directory_read(const struct directory *directory,
			       uint64_t reference_max, uint64_t capacity,
			       size_t window, struct reading *reading)
{
	struct hdmabuf_directory_reader reader;
	struct hdmabuf_run *wanted = get(window, sizeof(*wanted));
	uint64_t *scratch = get(1, page_octets(directory));
	uint64_t pages, read = 0;
	uint16_t status = HDMABUF_STATUS_OK;
	size_t count;

	memset(reading, 0, sizeof(*reading));
	reading->runs = get(capacity, sizeof(*reading->runs));
	hdmabuf_directory_begin(&reader, &directory->layout, reference_max,
				reading->runs, capacity);
	while (!status) {
		count = hdmabuf_directory_wanted(&reader, wanted, window,
						 &pages);
		if (!count)
			break;
		assert_true(count <= window);
		if (pages > reading->pages_at_once)
			reading->pages_at_once = pages;
		read += pages;
		status = feed_runs(directory, &reader, wanted, count, scratch,
				   &reading->fault);
	}
	if (!status) {
		assert_true(pages == 0);
		assert_true(read == directory->layout.directory_pages);
		assert_true(reader.data_pages == directory->layout.pages);
	}
	reading->run_count = reader.run_count;
	free(wanted);
	free(scratch);
	return status;
}

/* EXTENTS come as they were written, references as the fewest runs. */
static void assert_runs(const struct directory *directory,
			const struct reading *reading)
{
	bool merged = directory->layout.directory_format != EXTENTS;
	struct hdmabuf_run *expected =
		get(directory->run_count, sizeof(*expected));
	uint64_t i, count = 0;

	for (i = 0; i < directory->run_count; i++) {
		const struct hdmabuf_run *run = &directory->runs[i];

		if (merged && count &&
		    expected[count - 1].reference + expected[count - 1].count ==
			    run->reference)
			expected[count - 1].count += run->count;
		else
			expected[count++] = *run;
	}
	assert_true(reading->run_count == count);
	assert_memory_equal(reading->runs, expected, count * sizeof(*expected));
	free(expected);
}

static void assert_reads(const struct directory *directory, size_t window)
{
	struct reading reading;

	assert_int_equal(directory_read(directory, MAX,
					directory->layout.entries, window,
					&reading),
			 HDMABUF_STATUS_OK);
	assert_runs(directory, &reading);
	free(reading.runs);
}

/* ---- How many pages ------------------------------------------------------ */

static void directories_have_the_pages_of_their_format(void **state)
{
	static const struct {
		uint32_t format;
		uint32_t shift;
		uint64_t entries;
		uint32_t pages;
	} sizes[] = {
		{ LIST, 12, 1, 1 },
		{ LIST, 12, 1023, 1 },
		{ LIST, 12, 1024, 2 },
		{ LIST, 12, 2046, 2 },
		{ LIST, 12, 2047, 3 },
		{ LIST, 12, 8100, 8 },
		{ LIST, 12, 1023 * 1023, 1023 },
		{ LIST, 12, 1024 * 1024, 1026 },
		{ LIST, 16, 16383, 1 },
		{ LIST, 16, 16384, 2 },
		{ LIST, 13, 2047 * 3, 3 },
		{ LIST, 13, 2047 * 3 + 1, 4 },
		{ LIST, 12, (uint64_t)1023 * UINT32_MAX, UINT32_MAX },
		{ LIST, 12, (uint64_t)1023 * UINT32_MAX + 1, 0 },
		{ LIST, 12, UINT64_MAX, 0 },
		{ TABLE, 12, 1, 1 },
		{ TABLE, 12, 1024, 1 },
		{ TABLE, 12, 1025, 3 },
		{ TABLE, 12, 8100, 9 },
		{ TABLE, 12, 1 << 20, 1025 },
		{ TABLE, 12, (1 << 20) + 1, 1025 + 1 + 2 },
		{ TABLE, 12, 1 << 30, (1 << 20) + 1024 + 1 },
		{ TABLE, 12, (1 << 30) + 1, 0 },
		{ TABLE, 16, 16384, 1 },
		{ TABLE, 16, 16385, 3 },
		{ TABLE, 16, (uint64_t)1 << 42, (1 << 28) + 16384 + 1 },
		{ TABLE, 16, ((uint64_t)1 << 42) + 1, 0 },
		{ TABLE, 12, UINT64_MAX, 0 },
		{ EXTENTS, 12, 1, 1 },
		{ EXTENTS, 12, 255, 1 },
		{ EXTENTS, 12, 256, 2 },
		{ EXTENTS, 12, 510, 2 },
		{ EXTENTS, 12, 511, 3 },
		{ EXTENTS, 16, 4095, 1 },
		{ EXTENTS, 16, 4096, 2 },
		{ EXTENTS, 12, (uint64_t)255 * UINT32_MAX, UINT32_MAX },
		{ EXTENTS, 12, (uint64_t)255 * UINT32_MAX + 1, 0 },
		{ LIST, 12, 0, 0 },
		{ TABLE, 12, 0, 0 },
		{ EXTENTS, 12, 0, 0 },
		{ 3, 12, 1, 0 },
		{ UINT32_MAX, 12, 1, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		uint32_t pages = 0;

		assert_int_equal(hdmabuf_directory_pages(
					 sizes[i].format, sizes[i].entries,
					 sizes[i].shift, &pages),
				 sizes[i].pages != 0);
		assert_int_equal(pages, sizes[i].pages);
	}
}

/* Against a division that a C library would do. */
static void pages_are_quotients_rounded_up(void **state)
{
	uint64_t seed = 1;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		uint32_t shift = 12 + i % 5;
		uint64_t octets = (uint64_t)1 << shift;
		uint64_t entries = (draw(&seed) >> draw(&seed) % 64) + 1;
		uint64_t list = (entries - 1) / (octets / 4 - 1) + 1;
		uint64_t extents = (entries - 1) / (octets / 16 - 1) + 1;
		uint32_t pages = 0;

		if (!entries)
			continue;
		assert_int_equal(hdmabuf_directory_pages(LIST, entries, shift,
							 &pages),
				 list <= UINT32_MAX);
		assert_true(list > UINT32_MAX || pages == list);
		assert_int_equal(hdmabuf_directory_pages(EXTENTS, entries,
							 shift, &pages),
				 extents <= UINT32_MAX);
		assert_true(extents > UINT32_MAX || pages == extents);
	}
}

/* ---- Build and read ------------------------------------------------------ */

static void assert_comes_back(uint32_t format, uint32_t shift,
			      struct hdmabuf_run *runs, uint64_t count)
{
	struct directory directory;

	directory_make(&directory, format, shift, runs, count);
	assert_spelled(&directory);
	assert_reads(&directory, 1);
	assert_reads(&directory, 7);
	directory_free(&directory);
}

static void directories_come_back(uint32_t format)
{
	static const uint64_t sizes[] = {
		1,    2,     1022,  1023,  1024,  1025,	   2046,    2047,
		8100, 16383, 16384, 16385, 32767, 1 << 20, 0x100001
	};
	uint32_t shift;
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		for (shift = 12; shift <= 16; shift += 4) {
			struct hdmabuf_run *one = get(1, sizeof(*one));
			struct hdmabuf_run *some;
			uint64_t count;

			one->reference = UINT32_MAX - (sizes[i] - 1);
			one->count = sizes[i];
			assert_comes_back(format, shift, one, 1);
			some = patches(i, sizes[i], &count);
			assert_comes_back(format, shift, some, count);
			assert_comes_back(format, shift, scattered(sizes[i]),
					  sizes[i]);
		}
	}
}

static void lists_come_back(void **state)
{
	(void)state;
	directories_come_back(LIST);
}

static void tables_come_back(void **state)
{
	(void)state;
	directories_come_back(TABLE);
}

static void extents_come_back(void **state)
{
	(void)state;
	directories_come_back(EXTENTS);
}

/* More pages than references of 32 bits could ever name. */
static void extents_have_64_bits(void **state)
{
	struct hdmabuf_run *runs = get(3, sizeof(*runs));
	struct directory directory;
	struct reading reading;

	(void)state;
	runs[0] = (struct hdmabuf_run){ 1, (uint64_t)1 << 40 };
	runs[1] = (struct hdmabuf_run){ UINT64_MAX, 1 };
	runs[2] = (struct hdmabuf_run){ (uint64_t)1 << 62, (uint64_t)1 << 50 };
	directory_make(&directory, EXTENTS, 12, runs, 3);
	assert_int_equal(directory_read(&directory, UINT64_MAX, 3, 1, &reading),
			 HDMABUF_STATUS_OK);
	assert_runs(&directory, &reading);
	free(reading.runs);
	directory_free(&directory);
}

/* Singles, pairs and long runs, before and behind each other, are what they were. */
static void singles_and_runs_may_follow_each_other(void **state)
{
	static const struct hdmabuf_run mixed[] = {
		{ 10, 1 },  { 12, 2 },	 { 20, 2 },   { 11, 1 },
		{ 500, 1 }, { 502, 40 }, { 1000, 2 }, { 300, 1 },
	};
	uint64_t before;

	(void)state;
	for (before = 0; before <= 300; before++) {
		struct hdmabuf_run *runs =
			get(before + COUNT(mixed), sizeof(*runs));
		uint64_t i;

		for (i = 0; i < before; i++)
			runs[i] = (struct hdmabuf_run){ 2000 + i * 2, 1 };
		memcpy(runs + before, mixed, sizeof(mixed));
		assert_comes_back(before % 3, 12, runs, before + COUNT(mixed));
	}
}

static void assert_run_ends(uint64_t before, uint64_t length, uint64_t last)
{
	uint64_t count = before + 2;
	struct hdmabuf_run *runs = get(count, sizeof(*runs));
	uint64_t i;

	for (i = 0; i < before; i++)
		runs[i] = (struct hdmabuf_run){ 1 + i * 2, 1 };
	runs[before] = (struct hdmabuf_run){ 1000, length };
	runs[before + 1] = (struct hdmabuf_run){ last, 1 };
	assert_comes_back(before % 2 ? LIST : TABLE, 12, runs, count);
}

/* Next to it, there is what follows for who counts down, or counts what is before it, too. */
static void a_run_ends_where_its_pages_do(void **state)
{
	uint64_t before, length;

	(void)state;
	for (before = 1; before < 4; before++) {
		for (length = 2; length < 100; length++) {
			assert_run_ends(before, length, 1000 - length);
			assert_run_ends(before, length,
					1000 + length + 2 * before);
		}
	}
}

/* Of two pages each, which is not what scattered pages are. */
static void pairs_are_pairs(void **state)
{
	uint32_t format;

	(void)state;
	for (format = 0; format < 3; format++) {
		struct hdmabuf_run *runs = get(100, sizeof(*runs));
		uint64_t i;

		for (i = 0; i < 100; i++)
			runs[i] = (struct hdmabuf_run){ 1 + i * 4, 2 };
		assert_comes_back(format, 12, runs, 100);
	}
}

/* Singles up to the last word of a page, wherever they begin in it. */
static void singles_may_end_with_the_page(void **state)
{
	uint64_t first;

	(void)state;
	for (first = 2; first < 68; first++) {
		struct hdmabuf_run *runs = get(1024, sizeof(*runs));
		uint64_t i;

		runs[0] = (struct hdmabuf_run){ 1, first };
		for (i = 1; i <= 1023 - first; i++)
			runs[i] = (struct hdmabuf_run){ 100 + i * 2, 1 };
		assert_comes_back(LIST, 12, runs, 1024 - first);
	}
}

static void a_contiguous_buffer_is_one_run(void **state)
{
	struct directory directory;
	struct reading reading;

	(void)state;
	directory_of_one_run(&directory, LIST, 8100);
	assert_int_equal(directory_read(&directory, MAX, 1, 1, &reading),
			 HDMABUF_STATUS_OK);
	assert_true(reading.run_count == 1);
	assert_true(reading.runs[0].reference == 1);
	assert_true(reading.runs[0].count == 8100);
	free(reading.runs);
	directory_free(&directory);
}

/* Runs that continue each other are one; two that only touch otherwise are not. */
static void runs_are_merged_across_pages(void **state)
{
	static const struct hdmabuf_run given[] = {
		{ 100, 1022 },	{ 1122, 1 }, { 1123, 5 },
		{ 1128, 2000 }, { 99, 1 },   { 3128, 1 },
	};
	uint32_t format;

	(void)state;
	for (format = LIST; format <= TABLE; format++) {
		struct hdmabuf_run *runs = get(COUNT(given), sizeof(*runs));
		struct directory directory;
		struct reading reading;

		memcpy(runs, given, sizeof(given));
		directory_make(&directory, format, 12, runs, COUNT(given));
		assert_int_equal(directory_read(&directory, MAX,
						directory.layout.entries, 1,
						&reading),
				 HDMABUF_STATUS_OK);
		assert_true(reading.run_count == 3);
		assert_true(reading.runs[0].count == 3028);
		assert_true(reading.runs[1].reference == 99);
		assert_true(reading.runs[2].reference == 3128);
		free(reading.runs);
		directory_free(&directory);
	}
}

/* The reason why there is a TABLE: all pages of a level at once. */
static void a_table_is_wanted_level_by_level(void **state)
{
	struct directory directory;
	struct reading reading;

	(void)state;
	directory_of_scattered(&directory, TABLE, 8100);
	assert_int_equal(directory_read(&directory, MAX, 8100, 8, &reading),
			 HDMABUF_STATUS_OK);
	assert_true(reading.pages_at_once == 8);
	free(reading.runs);
	assert_int_equal(directory_read(&directory, MAX, 8100, 3, &reading),
			 HDMABUF_STATUS_OK);
	assert_true(reading.pages_at_once == 3);
	free(reading.runs);
	directory_free(&directory);
	directory_of_scattered(&directory, LIST, 8100);
	assert_int_equal(directory_read(&directory, MAX, 8100, 8, &reading),
			 HDMABUF_STATUS_OK);
	assert_true(reading.pages_at_once == 1);
	free(reading.runs);
	directory_free(&directory);
}

/* Then a level is few runs, and the pages are to be fed one by one all the same. */
static void a_table_may_lie_in_consecutive_pages(void **state)
{
	struct directory directory;
	struct hdmabuf_layout *layout = &directory.layout;
	struct reading reading;
	uint32_t page;

	(void)state;
	directory_of_scattered(&directory, TABLE, 0x100001);
	for (page = 0; page < layout->directory_pages; page++)
		directory.own[page] = 0x70000000 + page;
	layout->directory = directory.own[0];
	assert_true(hdmabuf_directory_build(
		TABLE, directory.runs, directory.run_count, 12, directory.own,
		directory.memory, layout->directory_pages));
	assert_int_equal(directory_read(&directory, MAX, 0x100001, 1, &reading),
			 HDMABUF_STATUS_OK);
	assert_true(reading.pages_at_once == 1025);
	assert_runs(&directory, &reading);
	free(reading.runs);
	directory_free(&directory);
}

/* Whatever the room, what does not fit is told, and nothing else is written. */
static void runs_that_do_not_fit_are_told(void **state)
{
	static const uint64_t room[] = { 0, 1, 2, 8, 9, 1024, 1025, 8098, 8099 };
	uint32_t format;
	size_t i;

	(void)state;
	for (format = 0; format < 3; format++) {
		struct directory directory;

		directory_of_scattered(&directory, format, 8100);
		for (i = 0; i < COUNT(room); i++) {
			struct reading reading;

			assert_int_equal(directory_read(&directory, MAX,
							room[i], 3, &reading),
					 HDMABUF_STATUS_NO_MEMORY);
			assert_int_equal(reading.fault.where,
					 HDMABUF_WHERE_NOWHERE);
			assert_true(reading.fault.offset == 0);
			assert_true(reading.fault.value == 0);
			free(reading.runs);
		}
		directory_free(&directory);
	}
}

#ifdef HAVE_DISPLIF
static void a_list_is_that_of_displif(void **state)
{
	struct directory directory;
	uint32_t page, i;
	uint32_t left = 8100;
	const struct hdmabuf_run *run;

	(void)state;
	directory_of_scattered(&directory, LIST, left);
	run = directory.runs;
	for (page = 0; page < 8; page++) {
		const struct xendispl_page_directory *xen =
			(const void *)(directory.memory + page * 4096);
		grant_ref_t next = xen->gref_dir_next_page;
		const grant_ref_t *gref = xen->gref;

		assert_int_equal(next, page == 7 ? 0 : directory.own[page + 1]);
		for (i = 0; i < 1023 && left; i++, left--, run++)
			assert_true(gref[i] == run->reference);
	}
	assert_int_equal(left, 0);
	directory_free(&directory);
}
#else
static void a_list_is_that_of_displif(void **state)
{
	(void)state;
	hdmabuf_test_skip("built without <xen/io/displif.h>");
}
#endif

/* ---- What cannot be built ------------------------------------------------ */

static bool builds(uint32_t format, struct hdmabuf_run first,
		   struct hdmabuf_run second, uint64_t run_count,
		   uint64_t own_first, uint64_t own_second, uint32_t pages)
{
	const struct hdmabuf_run runs[] = { first, second };
	const uint64_t own[] = { own_first, own_second, 3 };
	uint8_t *memory = get(3, 4096);
	uint8_t *untouched = get(3, 4096);
	bool built = hdmabuf_directory_build(format, runs, run_count, 12, own,
					     memory, pages);

	if (!built)
		assert_memory_equal(memory, untouched, 3 * 4096);
	free(memory);
	free(untouched);
	return built;
}

static void what_cannot_be_told_is_not_built(void **state)
{
	const struct hdmabuf_run none = { 0, 0 }, one = { 7, 1 };
	const struct hdmabuf_run zero = { 0, 1 }, empty = { 7, 0 };
	const struct hdmabuf_run last = { UINT32_MAX, 1 };
	const struct hdmabuf_run beyond = { UINT32_MAX, 2 };
	const struct hdmabuf_run wide = { (uint64_t)UINT32_MAX + 1, 1 };
	const struct hdmabuf_run wraps = { UINT64_MAX, 2 };
	const struct hdmabuf_run many = { 1, 1024 }, more = { 1, 1025 };
	const struct hdmabuf_run huge = { 1, UINT64_MAX };
	const uint64_t far = (uint64_t)1 << 32;
	uint32_t format;

	(void)state;
	for (format = 0; format < 3; format++) {
		bool wide_fits = format == EXTENTS;

		assert_true(builds(format, one, none, 1, 1, 2, 1));
		assert_true(builds(format, one, last, 2, 1, 2, 1));
		assert_true(builds(format, one, none, 1, far, 2, 1));
		assert_false(builds(format, one, none, 0, 1, 2, 1));
		assert_false(builds(format, one, none, 1, 1, 2, 0));
		assert_false(builds(format, one, none, 1, 1, 2, 2));
		assert_false(builds(format, one, none, 1, 0, 2, 1));
		assert_false(builds(format, zero, none, 1, 1, 2, 1));
		assert_false(builds(format, one, zero, 2, 1, 2, 1));
		assert_false(builds(format, empty, none, 1, 1, 2, 1));
		assert_false(builds(format, one, empty, 2, 1, 2, 1));
		assert_false(builds(format, one, wraps, 2, 1, 2, 1));
		assert_false(builds(format, huge, huge, 2, 1, 2, 1));
		assert_int_equal(builds(format, one, wide, 2, 1, 2, 1),
				 wide_fits);
		assert_int_equal(builds(format, one, beyond, 2, 1, 2, 1),
				 wide_fits);
	}
	assert_true(builds(EXTENTS, huge, none, 1, 1, 2, 1));
	assert_true(builds(LIST, many, none, 1, 1, 2, 2));
	assert_true(builds(LIST, many, none, 1, far, 2, 2));
	assert_false(builds(LIST, many, none, 1, 1, 0, 2));
	assert_false(builds(LIST, many, none, 1, 1, far, 2));
	assert_true(builds(TABLE, more, none, 1, far, 2, 3));
	assert_false(builds(TABLE, more, none, 1, 1, 0, 3));
	assert_false(builds(TABLE, more, none, 1, 1, far, 3));
	assert_false(builds(3, one, none, 1, 1, 2, 1));
}

static void extents_may_be_linked_by_64_bits(void **state)
{
	struct hdmabuf_run *runs = scattered(256);
	const uint64_t own[] = { 5, UINT64_MAX };
	uint8_t *memory = get(2, 4096);

	(void)state;
	assert_true(hdmabuf_directory_build(EXTENTS, runs, 256, 12, own, memory,
					    2));
	assert_true(number_at(memory, 8) == UINT64_MAX);
	free(memory);
	free(runs);
}

/* ---- Damage -------------------------------------------------------------- */

/*
 * One number of a directory is overwritten. References up to @max are allowed.
 * The data has the references 1 to @pages; where @runs is not 0, it is that many
 * runs of one page instead, with the references 2, 4, 6 and so on.
 */
struct damage {
	uint32_t format;
	uint64_t pages;
	uint64_t runs;
	uint64_t max;
	uint32_t page;
	uint32_t offset;
	uint32_t width;
	uint64_t value;
	uint16_t status;
	uint64_t entry;
	uint64_t told;
};

#define NEXT 0x7fffffff
#define FAR  ((uint64_t)1 << 40)

static const struct damage damages[] = {
	/* LIST: entries; the references are numbered from 1 */
	{ LIST, 1, 0, MAX, 0, 4, 4, 0, BAD, 0, 0 },
	{ LIST, 8100, 0, MAX, 0, 4, 4, 0, BAD, 0, 0 },
	{ LIST, 8100, 0, MAX, 0, 8, 4, 0, BAD, 1, 0 },
	{ LIST, 8100, 0, MAX, 0, 4092, 4, 0, BAD, 1022, 0 },
	{ LIST, 8100, 0, MAX, 1, 4, 4, 0, BAD, 1023, 0 },
	{ LIST, 8100, 0, MAX, 7, 4 + 938 * 4, 4, 0, BAD, 8099, 0 },
	{ LIST, 8100, 0, 0x80000000, 7, 4 + 938 * 4, 4, 0x80000001, BAD, 8099,
	  0x80000001 },
	{ LIST, 8100, 0, 0x78000000, 3, 400, 4, MAX, BAD, 3 * 1023 + 99, MAX },
	/* LIST: what follows the last */
	{ LIST, 8100, 0, MAX, 7, 4 + 939 * 4, 4, 1, RESERVED, 8100, 1 },
	{ LIST, 8100, 0, MAX, 7, 4092, 4, MAX, RESERVED, 8183, MAX },
	{ LIST, 1, 0, MAX, 0, 8, 4, 2, RESERVED, 1, 2 },
	/* LIST: links */
	{ LIST, 1, 0, MAX, 0, 0, 4, NEXT, BAD, 1, NEXT },
	{ LIST, 1023, 0, MAX, 0, 0, 4, 1, BAD, 1023, 1 },
	{ LIST, 1024, 0, MAX, 0, 0, 4, 0, BAD, 1023, 0 },
	{ LIST, 8100, 0, MAX, 6, 0, 4, 0, BAD, 7 * 1023, 0 },
	{ LIST, 8100, 0, MAX, 7, 0, 4, 0x70000000, BAD, 8100, 0x70000000 },
	{ LIST, 8100, 0, 0x7fffffff, 2, 0, 4, 0x80000000, BAD, 3 * 1023,
	  0x80000000 },
	/* TABLE: one level */
	{ TABLE, 1, 0, MAX, 0, 0, 4, 0, BAD, 0, 0 },
	{ TABLE, 1024, 0, MAX, 0, 4092, 4, 0, BAD, 1023, 0 },
	{ TABLE, 1023, 0, MAX, 0, 4092, 4, 5, RESERVED, 1023, 5 },
	{ TABLE, 1024, 0, 1024, 0, 4, 4, 1025, BAD, 1, 1025 },
	/* TABLE: two levels, the top first */
	{ TABLE, 8100, 0, MAX, 0, 0, 4, 0, BAD, 0, 0 },
	{ TABLE, 8100, 0, MAX, 0, 7 * 4, 4, 0, BAD, 7 * 1024, 0 },
	{ TABLE, 8100, 0, 0x7fffffff, 0, 4, 4, 0x80000000, BAD, 1024,
	  0x80000000 },
	{ TABLE, 8100, 0, MAX, 0, 8 * 4, 4, 9, RESERVED, 8 * 1024, 9 },
	{ TABLE, 8100, 0, MAX, 0, 4092, 4, 9, RESERVED, 1023 * 1024, 9 },
	{ TABLE, 8100, 0, MAX, 1, 0, 4, 0, BAD, 0, 0 },
	{ TABLE, 8100, 0, MAX, 8, 931 * 4, 4, 0, BAD, 8099, 0 },
	{ TABLE, 8100, 0, MAX, 8, 932 * 4, 4, 8101, RESERVED, 8100, 8101 },
	{ TABLE, 8100, 0, 0x78000000, 5, 40, 4, MAX, BAD, 4 * 1024 + 10, MAX },
	/* TABLE: three levels; 2 pages below the top, 1025 below these */
	{ TABLE, 0x100001, 0, MAX, 0, 4, 4, 0, BAD, 1 << 20, 0 },
	{ TABLE, 0x100001, 0, MAX, 0, 8, 4, 7, RESERVED, 2 << 20, 7 },
	{ TABLE, 0x100001, 0, MAX, 1, 4, 4, 0, BAD, 1024, 0 },
	{ TABLE, 0x100001, 0, MAX, 2, 0, 4, 0, BAD, 1 << 20, 0 },
	{ TABLE, 0x100001, 0, MAX, 2, 4, 4, 7, RESERVED, 1025 << 10, 7 },
	{ TABLE, 0x100001, 0, MAX, 3, 0, 4, 0, BAD, 0, 0 },
	{ TABLE, 0x100001, 0, MAX, 1027, 0, 4, 0, BAD, 1 << 20, 0 },
	{ TABLE, 0x100001, 0, MAX, 1027, 4, 4, 3, RESERVED, (1 << 20) + 1, 3 },
	/* EXTENTS: the head of a page */
	{ EXTENTS, 1, 0, MAX, 0, 8, 4, 0, INVALID, 0, 0 },
	{ EXTENTS, 1, 0, MAX, 0, 8, 4, 2, INVALID, 0, 2 },
	{ EXTENTS, 300, 300, MAX, 0, 8, 4, 254, INVALID, 0, 254 },
	{ EXTENTS, 300, 300, MAX, 1, 8, 4, 44, INVALID, 255, 44 },
	{ EXTENTS, 300, 300, MAX, 1, 8, 4, MAX, INVALID, 255, MAX },
	{ EXTENTS, 300, 300, MAX, 1, 12, 4, 1, RESERVED, 255, 1 },
	/* EXTENTS: links */
	{ EXTENTS, 1, 0, MAX, 0, 0, 8, FAR, BAD, 1, FAR },
	{ EXTENTS, 300, 300, MAX, 0, 0, 8, 0, BAD, 255, 0 },
	{ EXTENTS, 300, 300, MAX, 0, 0, 8, FAR, BAD, 255, FAR },
	{ EXTENTS, 300, 300, MAX, 1, 0, 8, 1, BAD, 300, 1 },
	/* EXTENTS: references */
	{ EXTENTS, 10, 0, MAX, 0, 16, 8, 0, BAD, 0, 0 },
	{ EXTENTS, 300, 300, MAX, 1, 16 + 44 * 16, 8, 0, BAD, 299, 0 },
	{ EXTENTS, 10, 0, MAX, 0, 16, 8, FAR, INVALID, 0, FAR + 9 },
	{ EXTENTS, 10, 0, MAX, 0, 16, 8, MAX - 8, INVALID, 0,
	  (uint64_t)MAX + 1 },
	{ EXTENTS, 10, 0, UINT64_MAX, 0, 16, 8, UINT64_MAX - 8, INVALID, 0, 0 },
	/* EXTENTS: counts */
	{ EXTENTS, 10, 0, MAX, 0, 24, 8, 0, INVALID, 0, 0 },
	{ EXTENTS, 10, 0, MAX, 0, 24, 8, 9, INVALID, 0, 9 },
	{ EXTENTS, 10, 0, MAX, 0, 24, 8, 11, INVALID, 0, 11 },
	{ EXTENTS, 10, 0, MAX, 0, 24, 8, UINT64_MAX, INVALID, 0, UINT64_MAX },
	{ EXTENTS, 300, 300, MAX, 0, 24, 8, 0, INVALID, 0, 0 },
	{ EXTENTS, 300, 300, MAX, 0, 24, 8, 2, INVALID, 299, 1 },
	{ EXTENTS, 300, 300, MAX, 0, 24, 8, 300, INVALID, 1, 1 },
	{ EXTENTS, 300, 300, MAX, 0, 24, 8, UINT64_MAX, INVALID, 0,
	  UINT64_MAX },
	{ EXTENTS, 300, 300, MAX, 1, 24 + 44 * 16, 8, 2, INVALID, 299, 2 },
	/* EXTENTS: what follows the last */
	{ EXTENTS, 1, 0, MAX, 0, 32, 8, 9, RESERVED, 1, 9 },
	{ EXTENTS, 1, 0, MAX, 0, 40, 8, 9, RESERVED, 1, 9 },
	{ EXTENTS, 300, 300, MAX, 1, 4088, 8, FAR, RESERVED, 509, FAR },
};

static void make_damaged(const struct damage *damage,
			 struct directory *directory)
{
	struct hdmabuf_run *runs;
	uint64_t i;

	if (!damage->runs) {
		directory_of_one_run(directory, damage->format, damage->pages);
	} else {
		runs = get(damage->runs, sizeof(*runs));
		for (i = 0; i < damage->runs; i++)
			runs[i] = (struct hdmabuf_run){ 2 * (i + 1), 1 };
		directory_make(directory, damage->format, 12, runs,
			       damage->runs);
	}
	assert_true(damage->page < directory->layout.directory_pages);
}

static void damage_is_told_where_it_is(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(damages); i++) {
		const struct damage *damage = &damages[i];
		struct directory directory;
		struct reading reading;

		make_damaged(damage, &directory);
		number_put(directory.memory + (size_t)damage->page * 4096 +
				   damage->offset,
			   damage->width, damage->value);
		directory_read(&directory, damage->max,
			       directory.layout.entries, 5, &reading);
		assert_int_equal(reading.fault.status, damage->status);
		assert_int_equal(reading.fault.where, HDMABUF_WHERE_DIRECTORY);
		assert_true(reading.fault.offset == damage->entry);
		assert_true(reading.fault.value == damage->told);
		free(reading.runs);
		directory_free(&directory);
	}
}

/* The first that is too great, however many follow each other; at the wrap too. */
static void references_end_where_the_platform_ends(void **state)
{
	static const uint64_t ends[] = { 1000, 1023, 1024, 5000, 8099 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ends); i++) {
		struct hdmabuf_run *run = get(1, sizeof(*run));
		struct directory directory;
		struct reading reading;
		uint32_t page;
		uint64_t entry;

		run->reference = 0x80000000;
		run->count = 8100;
		directory_make(&directory, LIST, 12, run, 1);
		directory_read(&directory, 0x80000000 + ends[i], 1, 1,
			       &reading);
		assert_int_equal(reading.fault.status,
				 ends[i] < 8099 ? BAD : HDMABUF_STATUS_OK);
		if (ends[i] < 8099) {
			assert_true(reading.fault.offset == ends[i] + 1);
			assert_true(reading.fault.value ==
				    0x80000000 + ends[i] + 1);
		}
		free(reading.runs);

		/* As if there were references beyond 2^32. */
		for (entry = 0; entry < 8100; entry++) {
			page = (uint32_t)(entry / 1023);
			number_put(directory.memory + page * 4096 + 4 +
					   entry % 1023 * 4,
				   4, UINT32_MAX - ends[i] + entry);
		}
		directory_read(&directory, UINT64_MAX, 1, 1, &reading);
		if (ends[i] < 8099) {
			assert_int_equal(reading.fault.status, BAD);
			assert_true(reading.fault.offset == ends[i] + 1);
			assert_true(reading.fault.value == 0);
		} else {
			assert_true(reading.run_count == 1);
		}
		free(reading.runs);
		directory_free(&directory);
	}
}

static void links_end_where_the_platform_ends(void **state)
{
	struct directory directory;
	struct reading reading;
	uint64_t last = own_reference(1);

	(void)state;
	directory_of_one_run(&directory, LIST, 1024);
	assert_int_equal(directory_read(&directory, last, 1, 1, &reading),
			 HDMABUF_STATUS_OK);
	free(reading.runs);
	assert_int_equal(directory_read(&directory, last - 1, 1, 1, &reading),
			 BAD);
	assert_true(reading.fault.offset == 1023);
	assert_true(reading.fault.value == last);
	free(reading.runs);
	directory_free(&directory);
}

/* As if each page that is wanted could not be had, and then it can. */
static void assert_missing(const struct directory *directory,
			   const uint64_t *entries, uint32_t count)
{
	struct hdmabuf_directory_reader reader;
	struct hdmabuf_run *runs =
		get(directory->layout.entries, sizeof(*runs));
	uint64_t *scratch = get(1, page_octets(directory));
	struct hdmabuf_run wanted[16];
	struct hdmabuf_fault fault;
	uint64_t pages, page;
	uint32_t seen = 0;
	size_t wants;

	hdmabuf_directory_begin(&reader, &directory->layout, MAX, runs,
				directory->layout.entries);
	while ((wants = hdmabuf_directory_wanted(&reader, wanted, COUNT(wanted),
						 &pages))) {
		for (page = 0; page < pages; page++, seen++) {
			bool first = !seen;

			assert_int_equal(hdmabuf_directory_missing(
						 &reader, page, 77, &fault),
					 BAD);
			assert_true(fault.value == 77);
			assert_int_equal(fault.where,
					 first ? HDMABUF_WHERE_DESCRIPTOR :
						 HDMABUF_WHERE_DIRECTORY);
			assert_true(seen < count);
			assert_true(fault.offset == entries[seen]);
		}
		assert_int_equal(feed_runs(directory, &reader, wanted, wants,
					   scratch, &fault),
				 HDMABUF_STATUS_OK);
	}
	assert_int_equal(seen, count);
	free(scratch);
	free(runs);
}

static void missing_pages_are_told(void **state)
{
	static const struct {
		uint32_t format;
		uint32_t shift;
		uint64_t entries;
		uint64_t told[6];
		uint32_t count;
	} missing[] = {
		{ LIST, 12, 2047, { 56, 1023, 2046 }, 3 },
		{ EXTENTS, 12, 511, { 56, 255, 510 }, 3 },
		{ TABLE, 12, 1024, { 56 }, 1 },
		{ TABLE, 12, 3000, { 56, 0, 1024, 2048 }, 4 },
		{ TABLE, 16, 32769, { 56, 0, 16384, 32768 }, 4 },
	};
	struct directory directory;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(missing); i++) {
		struct hdmabuf_run *runs = scattered(missing[i].entries);

		directory_make(&directory, missing[i].format, missing[i].shift,
			       runs, missing[i].entries);
		assert_missing(&directory, missing[i].told, missing[i].count);
		directory_free(&directory);
	}
}

/* What is wrong is @value, of so many octets and at @at in the only page. */
static void scattered_entry_is_told(uint32_t format, size_t at, size_t octets,
				    uint64_t value, uint64_t entry,
				    uint16_t status)
{
	struct directory directory;
	struct reading reading;

	directory_of_scattered(&directory, format, 200);
	number_put(directory.memory + at, octets, value);
	directory_read(&directory, 1 << 21, 200, 1, &reading);
	assert_int_equal(reading.fault.status, status);
	assert_true(reading.fault.offset == entry);
	assert_true(reading.fault.value == value);
	free(reading.runs);
	directory_free(&directory);
}

/* Wherever it stands among others that are looked at together. */
static void each_scattered_entry_is_looked_at(void **state)
{
	uint64_t beyond = (1 << 21) + 1;
	uint64_t i;

	(void)state;
	for (i = 0; i < 200; i++) {
		scattered_entry_is_told(LIST, 4 + i * 4, 4, 0, i, BAD);
		scattered_entry_is_told(LIST, 4 + i * 4, 4, beyond, i, BAD);
		scattered_entry_is_told(EXTENTS, 16 + i * 16, 8, 0, i, BAD);
		scattered_entry_is_told(EXTENTS, 16 + i * 16, 8, beyond, i,
					INVALID);
		scattered_entry_is_told(EXTENTS, 24 + i * 16, 8, 0, i, INVALID);
		scattered_entry_is_told(EXTENTS, 24 + i * 16, 8, 201, i,
					INVALID);
	}
}

/* It has a bit that no reference of the platform has, and else those of them all. */
static void the_one_behind_the_last_is_told(void **state)
{
	static const struct {
		uint32_t format;
		uint32_t at;
		uint16_t status;
	} lasts[] = { { LIST, 4 + 40 * 4, BAD },
		      { EXTENTS, 16 + 40 * 16, INVALID } };
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(lasts); i++) {
		struct hdmabuf_run *runs = get(200, sizeof(*runs));
		struct directory directory;
		struct reading reading;

		for (k = 0; k < 200; k++)
			runs[k] = (struct hdmabuf_run){ 1 + k * 5, 1 };
		directory_make(&directory, lasts[i].format, 12, runs, 200);
		number_put(directory.memory + lasts[i].at, 4, 1024);
		assert_int_equal(directory_read(&directory, 1023, 200, 1,
						&reading),
				 lasts[i].status);
		assert_true(reading.fault.offset == 40);
		assert_true(reading.fault.value == 1024);
		free(reading.runs);
		directory_free(&directory);
	}
}

/* Extents of the only page, which are said to have @pages in all. */
static void extents_are_refused(const struct hdmabuf_run *extents,
				uint64_t count, uint64_t pages, uint64_t entry,
				uint64_t value)
{
	struct directory directory;
	struct reading reading;
	uint64_t i;

	directory_of_scattered(&directory, EXTENTS, count);
	directory.layout.pages = pages;
	for (i = 0; i < count; i++) {
		number_put(directory.memory + 16 + i * 16, 8,
			   extents[i].reference);
		number_put(directory.memory + 24 + i * 16, 8, extents[i].count);
	}
	assert_int_equal(directory_read(&directory, UINT64_MAX, count, 1,
					&reading),
			 INVALID);
	assert_true(reading.fault.offset == entry);
	assert_true(reading.fault.value == value);
	free(reading.runs);
	directory_free(&directory);
}

/* However few, and where as many are looked at together. */
static void counts_of_extents_add_up(void **state)
{
	static const struct hdmabuf_run few[] = { { 5, 2 },
						  { 9, 1 },
						  { 15, 1 } };
	static const struct hdmabuf_run none[] = { { 0, 0 }, { 9, 1 } };
	struct hdmabuf_run many[20];
	uint64_t i;

	(void)state;
	extents_are_refused(few, 3, 2, 1, 1);
	extents_are_refused(few, 3, 3, 2, 1);
	extents_are_refused(few, 3, 5, 2, 1);
	extents_are_refused(none, 2, 2, 0, 0);
	for (i = 0; i < COUNT(many); i++)
		many[i] = (struct hdmabuf_run){ 1 + i * 2, 1 };
	for (i = 1; i <= COUNT(many); i++)
		extents_are_refused(many, i, i + 1, i - 1, 1);
	extents_are_refused(many, COUNT(many), 5, 5, 1);
	for (i = 0; i < COUNT(many) - 1; i++)
		many[i].count = UINT64_MAX;
	extents_are_refused(many, COUNT(many), COUNT(many), 0, UINT64_MAX);
}

/* Wherever two that follow each other stand among others that do not. */
static void a_pair_among_scattered_references_is_a_run(void **state)
{
	uint64_t i, run;

	(void)state;
	for (i = 1; i < 200; i++) {
		struct hdmabuf_run *runs = scattered(200);
		uint64_t first = runs[i - 1].reference;
		struct directory directory;
		struct reading reading;

		directory_make(&directory, LIST, 12, runs, 200);
		number_put(directory.memory + 4 + i * 4, 4, first + 1);
		assert_int_equal(directory_read(&directory, MAX, 199, 1,
						&reading),
				 HDMABUF_STATUS_OK);
		assert_true(reading.run_count == 199);
		for (run = 0; run < 199; run++) {
			assert_true(reading.runs[run].reference ==
				    runs[run < i ? run : run + 1].reference);
			assert_true(reading.runs[run].count ==
				    (run == i - 1 ? 2 : 1));
		}
		free(reading.runs);
		directory_free(&directory);
	}
}

/* RESERVED before INVALID, INVALID before BAD_REFERENCE, and lower entries first. */
static void of_several_faults_the_first_is_told(void **state)
{
	struct directory directory;
	struct reading reading;
	uint8_t *page;

	(void)state;
	directory_of_one_run(&directory, LIST, 1000);
	number_put(directory.memory, 4, 5);
	directory_read(&directory, MAX, 1, 1, &reading);
	assert_true(reading.fault.offset == 1000);
	free(reading.runs);
	number_put(directory.memory + 4 + 700 * 4, 4, 0);
	directory_read(&directory, MAX, 2, 1, &reading);
	assert_true(reading.fault.offset == 700);
	free(reading.runs);
	number_put(directory.memory + 4092, 4, 1);
	directory_read(&directory, MAX, 2, 1, &reading);
	assert_int_equal(reading.fault.status, RESERVED);
	assert_true(reading.fault.offset == 1022);
	free(reading.runs);
	directory_free(&directory);

	directory_of_scattered(&directory, EXTENTS, 100);
	page = directory.memory;
	number_put(page, 8, 5);
	directory_read(&directory, MAX, 100, 1, &reading);
	assert_int_equal(reading.fault.status, BAD);
	assert_true(reading.fault.offset == 100);
	free(reading.runs);
	number_put(page + 16, 8, 0);
	directory_read(&directory, MAX, 100, 1, &reading);
	assert_int_equal(reading.fault.status, BAD);
	assert_true(reading.fault.offset == 0);
	free(reading.runs);
	number_put(page + 24 + 90 * 16, 8, 0);
	directory_read(&directory, MAX, 100, 1, &reading);
	assert_int_equal(reading.fault.status, INVALID);
	assert_true(reading.fault.offset == 90);
	free(reading.runs);
	number_put(page + 8, 4, 99);
	directory_read(&directory, MAX, 100, 1, &reading);
	assert_true(reading.fault.offset == 0 && reading.fault.value == 99);
	free(reading.runs);
	number_put(page + 4080, 8, 4);
	directory_read(&directory, MAX, 100, 1, &reading);
	assert_int_equal(reading.fault.status, RESERVED);
	assert_true(reading.fault.offset == 254);
	free(reading.runs);
	directory_free(&directory);
}

/* Every bit, in a directory of two pages: it is told, or it makes a difference. */
static void each_bit_of_a_directory_matters(uint32_t format, uint64_t entries)
{
	struct directory directory;
	struct reading whole, reading;
	size_t bit;

	directory_of_scattered(&directory, format, entries);
	directory_read(&directory, MAX, entries, 1, &whole);
	for (bit = 0; bit < 2 * 4096 * 8; bit += 3) {
		directory.memory[bit / 8] ^= 1 << bit % 8;
		/* A link to a page that is not there cannot be followed. */
		if (bit / 8 >= 8) {
			directory_read(&directory, MAX, entries, 1, &reading);
			assert_true(reading.fault.status ||
				    reading.run_count != whole.run_count ||
				    memcmp(reading.runs, whole.runs,
					   entries * sizeof(*whole.runs)));
			free(reading.runs);
		}
		directory.memory[bit / 8] ^= 1 << bit % 8;
	}
	free(whole.runs);
	directory_free(&directory);
}

static void each_bit_of_a_list_matters(void **state)
{
	(void)state;
	each_bit_of_a_directory_matters(LIST, 1100);
}

static void each_bit_of_extents_matters(void **state)
{
	(void)state;
	each_bit_of_a_directory_matters(EXTENTS, 300);
}

/* A directory that leads back to itself has an end all the same. */
static void a_cyclic_directory_ends(void **state)
{
	struct directory directory;
	struct reading reading;
	struct hdmabuf_run *scratch;
	uint32_t page;

	(void)state;
	directory_of_one_run(&directory, LIST, 8 * 1023);
	for (page = 0; page < 8; page++)
		number_put(directory.memory + page * 4096, 4, directory.own[0]);
	directory_read(&directory, MAX, 8 * 1023, 1, &reading);
	assert_int_equal(reading.fault.status, BAD);
	assert_true(reading.fault.offset == 8 * 1023);
	free(reading.runs);
	directory_free(&directory);

	directory_of_one_run(&directory, TABLE, 8 * 1024);
	for (page = 0; page < 8; page++)
		number_put(directory.memory + page * 4, 4, directory.own[1]);
	assert_int_equal(directory_read(&directory, MAX, 8 * 1024, 3, &reading),
			 HDMABUF_STATUS_OK);
	scratch = get(reading.run_count, sizeof(*scratch));
	assert_int_equal(hdmabuf_runs_unique(reading.runs, reading.run_count,
					     scratch, &reading.fault),
			 HDMABUF_STATUS_DUPLICATE);
	assert_true(reading.fault.offset == 1024 && reading.fault.value == 1);
	free(scratch);
	free(reading.runs);
	directory_free(&directory);
}

/* The page is copied, and is not what the checks look at. */
static void the_copy_is_what_is_read(void **state)
{
	struct directory directory;
	struct hdmabuf_directory_reader reader;
	struct hdmabuf_run run;
	struct hdmabuf_fault fault;
	uint64_t *scratch = get(1, 4096);
	uint8_t *before = get(1, 4096);

	(void)state;
	directory_of_one_run(&directory, LIST, 500);
	memcpy(before, directory.memory, 4096);
	hdmabuf_directory_begin(&reader, &directory.layout, MAX, &run, 1);
	assert_int_equal(hdmabuf_directory_feed(&reader, directory.memory,
						scratch, &fault),
			 HDMABUF_STATUS_OK);
	assert_memory_equal(scratch, before, 4096);
	assert_memory_equal(directory.memory, before, 4096);
	free(before);
	free(scratch);
	directory_free(&directory);
}

/* ---- No page twice ------------------------------------------------------- */

static void assert_unique(const struct hdmabuf_run *runs, size_t count,
			  uint16_t status, uint64_t page, uint64_t reference)
{
	struct hdmabuf_run *scratch = get(count, sizeof(*scratch));
	struct hdmabuf_run *before = get(count, sizeof(*before));
	struct hdmabuf_fault fault;

	memcpy(before, runs, count * sizeof(*runs));
	assert_int_equal(hdmabuf_runs_unique(runs, count, scratch, &fault),
			 status);
	assert_int_equal(fault.status, status);
	assert_int_equal(fault.where,
			 status ? HDMABUF_WHERE_PAGE : HDMABUF_WHERE_NOWHERE);
	assert_true(fault.offset == page);
	assert_true(fault.value == reference);
	assert_memory_equal(runs, before, count * sizeof(*runs));
	free(before);
	free(scratch);
}

#define ASSERT_UNIQUE(status, page, reference, ...) \
	do { \
		const struct hdmabuf_run runs_[] = { __VA_ARGS__ }; \
		assert_unique(runs_, COUNT(runs_), status, page, reference); \
	} while (0)

static void pages_that_come_twice_are_told(void **state)
{
	enum {
		OK = HDMABUF_STATUS_OK,
		TWICE = HDMABUF_STATUS_DUPLICATE
	};

	(void)state;
	ASSERT_UNIQUE(OK, 0, 0, { 5, 1 });
	ASSERT_UNIQUE(OK, 0, 0, { 5, 1 }, { 6, 1 });
	ASSERT_UNIQUE(OK, 0, 0, { 6, 1 }, { 5, 1 });
	ASSERT_UNIQUE(OK, 0, 0, { 10, 5 }, { 15, 5 }, { 5, 5 });
	ASSERT_UNIQUE(OK, 0, 0, { 1, UINT64_MAX - 1 }, { UINT64_MAX, 1 });
	ASSERT_UNIQUE(OK, 0, 0, { UINT64_MAX, 1 }, { 1, UINT64_MAX - 1 });
	ASSERT_UNIQUE(TWICE, 1, 5, { 5, 1 }, { 5, 1 });
	ASSERT_UNIQUE(TWICE, 3, 7, { 5, 3 }, { 7, 1 });
	ASSERT_UNIQUE(TWICE, 1, 7, { 7, 1 }, { 7, 3 });
	/* The second begins earlier, and holds the first. */
	ASSERT_UNIQUE(TWICE, 3, 7, { 7, 1 }, { 5, 9 });
	ASSERT_UNIQUE(TWICE, 8, 12, { 20, 3 }, { 10, 5 }, { 12, 1 });
	ASSERT_UNIQUE(TWICE, 5, UINT64_MAX, { UINT64_MAX - 4, 5 },
		      { UINT64_MAX, 1 });
	/* Of several the lowest, and where it comes for the second time. */
	ASSERT_UNIQUE(TWICE, 2, 3, { 9, 1 }, { 3, 1 }, { 3, 1 }, { 9, 1 },
		      { 3, 1 });
	/* Behind a long one that covers them, although they are in order. */
	ASSERT_UNIQUE(TWICE, 100, 50, { 1, 100 }, { 50, 1 }, { 60, 1 });
	ASSERT_UNIQUE(TWICE, 101, 60, { 1, 100 }, { 200, 1 }, { 60, 1 });
}

static void swap_runs(struct hdmabuf_run *a, struct hdmabuf_run *b)
{
	struct hdmabuf_run run = *a;

	*a = *b;
	*b = run;
}

/* Of any length and in any order, without and with a page that comes twice. */
static void duplicates_are_found_in_any_order(void **state)
{
	uint64_t seed = 1;
	size_t count, i;

	(void)state;
	for (count = 2; count < 300; count += 1 + count / 16) {
		struct hdmabuf_run *runs = get(count, sizeof(*runs));
		uint64_t value;
		size_t twice = draw(&seed) % (count - 1);

		for (i = 0; i < count; i++)
			runs[i] = (struct hdmabuf_run){ 10 + i * 3, 1 };
		for (i = count; i > 1; i--)
			swap_runs(&runs[i - 1], &runs[draw(&seed) % i]);
		assert_unique(runs, count, HDMABUF_STATUS_OK, 0, 0);
		value = runs[twice].reference;
		runs[count - 1].reference = value;
		assert_unique(runs, count, HDMABUF_STATUS_DUPLICATE, count - 1,
			      value);
		for (i = 0; i < count; i++)
			runs[i].reference = 10 + (count - i) * 3;
		assert_unique(runs, count, HDMABUF_STATUS_OK, 0, 0);
		for (i = 0; i < count; i++)
			runs[i].reference = 10;
		assert_unique(runs, count, HDMABUF_STATUS_DUPLICATE, 1, 10);
		free(runs);
	}
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

/* What must be told is counted page by page. */
static void assert_as_counted(const struct hdmabuf_run *runs, size_t count)
{
	uint64_t pages = 0, page = 0, i;
	uint64_t *references, *sorted;
	size_t run;

	for (run = 0; run < count; run++)
		pages += runs[run].count;
	references = get(pages, sizeof(*references));
	sorted = get(pages, sizeof(*sorted));
	for (run = 0; run < count; run++)
		for (i = 0; i < runs[run].count; i++)
			references[page++] = runs[run].reference + i;
	memcpy(sorted, references, pages * sizeof(*sorted));
	qsort(sorted, pages, sizeof(*sorted), compare_numbers);
	for (i = 1; i < pages && sorted[i] != sorted[i - 1]; i++)
		;
	if (i == pages) {
		assert_unique(runs, count, HDMABUF_STATUS_OK, 0, 0);
	} else {
		for (page = 0; references[page] != sorted[i]; page++)
			;
		while (references[++page] != sorted[i])
			;
		assert_unique(runs, count, HDMABUF_STATUS_DUPLICATE, page,
			      sorted[i]);
	}
	free(sorted);
	free(references);
}

/* As close together that a bitmap has room for them, and further apart. */
static void pages_of_any_runs_are_told_apart(void **state)
{
	static const uint64_t ranges[] = { 100, 1000, 5000, 20000, 1ull << 40 };
	struct hdmabuf_run runs[40];
	uint64_t seed = 1;
	size_t draws, count, range, i;

	(void)state;
	for (draws = 0; draws < 1000; draws++) {
		count = 1 + draw(&seed) % COUNT(runs);
		range = draws % COUNT(ranges);
		for (i = 0; i < count; i++) {
			runs[i].reference = 1 + draw(&seed) % ranges[range];
			runs[i].count = 1;
			if (draw(&seed) % 4 == 0)
				runs[i].count += draw(&seed) % 200;
		}
		assert_as_counted(runs, count);
	}
}

/*
 * Sorting only asks which of two references is greater: with as many different ones as
 * there are runs, all that may come is tried. They are too far apart for a bitmap.
 */
static void few_runs_are_told_apart_in_all_orders(void **state)
{
	struct hdmabuf_run runs[6];
	uint32_t count, order, orders, i, left;

	(void)state;
	for (count = 1; count <= COUNT(runs); count++) {
		orders = 1;
		for (i = 0; i < count; i++)
			orders *= count;
		for (order = 0; order < orders; order++) {
			for (i = 0, left = order; i < count; i++, left /= count)
				runs[i] = (struct hdmabuf_run){
					(uint64_t)(1 + left % count) << 40, 1
				};
			assert_as_counted(runs, count);
		}
	}
}

/* The last page that the bitmap of two runs has a bit for, and the one behind it. */
static void a_bitmap_ends_where_the_memory_does(void **state)
{
	enum {
		LAST = 2 * 128
	};

	(void)state;
	ASSERT_UNIQUE(HDMABUF_STATUS_OK, 0, 0, { LAST, 1 }, { 1, 1 });
	ASSERT_UNIQUE(HDMABUF_STATUS_OK, 0, 0, { LAST + 1, 1 }, { 1, 1 });
	ASSERT_UNIQUE(HDMABUF_STATUS_OK, 0, 0, { 129, 128 }, { 1, 128 });
	ASSERT_UNIQUE(HDMABUF_STATUS_DUPLICATE, 256, 129, { 129, 128 },
		      { 1, 129 });
	ASSERT_UNIQUE(HDMABUF_STATUS_DUPLICATE, 1, LAST, { LAST, 1 },
		      { LAST, 1 });
}

/* What is in the memory for it afterwards: so many words of @expected, and no more. */
static void assert_scratch(const struct hdmabuf_run *runs, size_t count,
			   const uint64_t *expected, size_t words)
{
	size_t octets = count * sizeof(*runs);
	uint8_t *scratch = get(count, sizeof(*runs));
	uint8_t *before = get(count, sizeof(*runs));
	struct hdmabuf_fault fault;

	memset(scratch, 0x55, octets);
	memset(before, 0x55, octets);
	assert_int_equal(hdmabuf_runs_unique(runs, count,
					     (struct hdmabuf_run *)scratch,
					     &fault),
			 HDMABUF_STATUS_OK);
	assert_memory_equal(scratch, expected, words * 8);
	assert_memory_equal(scratch + words * 8, before + words * 8,
			    octets - words * 8);
	free(before);
	free(scratch);
}

#define ASSERT_SCRATCH(words, expected, ...) \
	do { \
		const struct hdmabuf_run runs_[] = { __VA_ARGS__ }; \
		assert_scratch(runs_, COUNT(runs_), expected, words); \
	} while (0)

/*
 * The order decides how long it takes: nothing is done where they ascend, one pass over
 * a bitmap of no more words than are needed, and sorting where it has no room.
 */
static void runs_are_sorted_only_if_they_must_be(void **state)
{
	static const uint64_t near[] = { 0x8000000000000001 };
	static const uint64_t pair[] = { 0xc000000000000001 };
	static const uint64_t patches[] = { UINT64_MAX, 0xfffffffff, UINT64_MAX,
					    UINT64_MAX };
	static const uint64_t last[] = { 5, 0, 0, 0, 0, 1ull << 63 };
	static const uint64_t sorted[] = { 1, 1, 3, 1, 385, 1 };

	(void)state;
	ASSERT_SCRATCH(0, near, { 1, 1 }, { 2, 5 }, { 1000, 1 });
	ASSERT_SCRATCH(1, near, { 64, 1 }, { 1, 1 });
	ASSERT_SCRATCH(1, pair, { 63, 2 }, { 1, 1 });
	ASSERT_SCRATCH(4, patches, { 129, 128 }, { 1, 100 });
	ASSERT_SCRATCH(6, last, { 384, 1 }, { 1, 1 }, { 3, 1 });
	ASSERT_SCRATCH(6, sorted, { 385, 1 }, { 1, 1 }, { 3, 1 });
}

static void a_million_runs_are_told_apart(void **state)
{
	struct hdmabuf_run *runs = scattered(1 << 20);

	(void)state;
	assert_unique(runs, 1 << 20, HDMABUF_STATUS_OK, 0, 0);
	runs[(1 << 20) - 1] = runs[12345];
	assert_unique(runs, 1 << 20, HDMABUF_STATUS_DUPLICATE, (1 << 20) - 1,
		      runs[12345].reference);
	free(runs);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(directories_have_the_pages_of_their_format),
		cmocka_unit_test(pages_are_quotients_rounded_up),
		cmocka_unit_test(lists_come_back),
		cmocka_unit_test(tables_come_back),
		cmocka_unit_test(extents_come_back),
		cmocka_unit_test(extents_have_64_bits),
		cmocka_unit_test(singles_and_runs_may_follow_each_other),
		cmocka_unit_test(a_run_ends_where_its_pages_do),
		cmocka_unit_test(pairs_are_pairs),
		cmocka_unit_test(singles_may_end_with_the_page),
		cmocka_unit_test(a_contiguous_buffer_is_one_run),
		cmocka_unit_test(runs_are_merged_across_pages),
		cmocka_unit_test(a_table_is_wanted_level_by_level),
		cmocka_unit_test(a_table_may_lie_in_consecutive_pages),
		cmocka_unit_test(runs_that_do_not_fit_are_told),
		cmocka_unit_test(a_list_is_that_of_displif),
		cmocka_unit_test(what_cannot_be_told_is_not_built),
		cmocka_unit_test(extents_may_be_linked_by_64_bits),
		cmocka_unit_test(damage_is_told_where_it_is),
		cmocka_unit_test(references_end_where_the_platform_ends),
		cmocka_unit_test(links_end_where_the_platform_ends),
		cmocka_unit_test(missing_pages_are_told),
		cmocka_unit_test(each_scattered_entry_is_looked_at),
		cmocka_unit_test(the_one_behind_the_last_is_told),
		cmocka_unit_test(counts_of_extents_add_up),
		cmocka_unit_test(a_pair_among_scattered_references_is_a_run),
		cmocka_unit_test(of_several_faults_the_first_is_told),
		cmocka_unit_test(each_bit_of_a_list_matters),
		cmocka_unit_test(each_bit_of_extents_matters),
		cmocka_unit_test(a_cyclic_directory_ends),
		cmocka_unit_test(the_copy_is_what_is_read),
		cmocka_unit_test(pages_that_come_twice_are_told),
		cmocka_unit_test(duplicates_are_found_in_any_order),
		cmocka_unit_test(pages_of_any_runs_are_told_apart),
		cmocka_unit_test(few_runs_are_told_apart_in_all_orders),
		cmocka_unit_test(a_bitmap_ends_where_the_memory_does),
		cmocka_unit_test(runs_are_sorted_only_if_they_must_be),
		cmocka_unit_test(a_million_runs_are_told_apart),
	};

	return hdmabuf_test_run("directory", tests, COUNT(tests));
}
