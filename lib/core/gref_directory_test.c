/* SPDX-License-Identifier: MIT */
/*
 * What is built is read again, whatever its size, also by a reader that goes by Xen's
 * own headers; and nothing that a directory says makes a walk longer than it has to
 * be, reads beyond a page, or reads a word twice.
 */
#include "tests/harness.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <hdmabuf/gref_directory.h>

#if __has_include(<xen/io/displif.h>)
#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/displif.h>
#include <xen/io/sndif.h>

/* The octets are those of both protocols. */
#define SAME_AT(member, ours) \
	_Static_assert( \
		offsetof(struct xendispl_page_directory, member) == \
				offsetof(struct hdmabuf_list_page, ours) && \
			offsetof(struct xensnd_page_directory, member) == \
				offsetof(struct hdmabuf_list_page, ours), \
		#member)
SAME_AT(gref_dir_next_page, next);
SAME_AT(gref, reference);
_Static_assert(sizeof(grant_ref_t) == sizeof(hdmabuf_le32), "grant_ref_t");
#define XEN_HEADERS 1
#endif

#define PAGE	HDMABUF_GREF_PAGE
#define ENTRIES HDMABUF_GREF_ENTRIES
#define BAD	HDMABUF_STATUS_BAD_REFERENCE

/* The same numbers in every run. */
static uint32_t draw(uint64_t *seed)
{
	uint64_t number = *seed += 0x9e3779b97f4a7c15;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(number ^ number >> 31);
}

/* A directory, its pages in the order in which they were linked. */
struct directory {
	uint32_t count;
	uint32_t pages;
	uint32_t *references;
	uint32_t *own;
	uint8_t *memory;
};

/* No two are the same, and none is 0. */
static uint32_t reference_of(uint32_t i)
{
	return (i + 1) * 2654435761u;
}

static void *get(size_t octets)
{
	void *memory = malloc(octets);

	assert_non_null(memory);
	memset(memory, 0x5a, octets);
	return memory;
}

static struct directory directory_new(uint32_t count)
{
	struct directory directory = { .count = count };
	uint32_t i;

	directory.pages = hdmabuf_gref_directory_pages(count);
	directory.references = get(count * sizeof(uint32_t));
	directory.own = get(directory.pages * sizeof(uint32_t));
	directory.memory = get((size_t)directory.pages * PAGE);
	for (i = 0; i < count; i++)
		directory.references[i] = reference_of(i);
	for (i = 0; i < directory.pages; i++)
		directory.own[i] = reference_of(count + i);
	return directory;
}

static void directory_free(struct directory *directory)
{
	free(directory->references);
	free(directory->own);
	free(directory->memory);
}

/* As a grant table does. */
static uint8_t *page_of(const struct directory *directory, uint32_t reference)
{
	uint32_t i;

	for (i = 0; i < directory->pages; i++)
		if (directory->own[i] == reference)
			return directory->memory + (size_t)i * PAGE;
	return NULL;
}

typedef uint16_t do_page(struct hdmabuf_gref_walk *walk, void *page,
			 struct hdmabuf_fault *fault);

static uint16_t read_page(struct hdmabuf_gref_walk *walk, void *page,
			  struct hdmabuf_fault *fault)
{
	return hdmabuf_gref_read(walk, page, fault);
}

/* Of a page that is not there, what a caller says is up to it: here, BAD. */
static uint16_t walk_with(const struct directory *directory,
			  uint32_t *references, do_page *step,
			  struct hdmabuf_fault *fault)
{
	struct hdmabuf_gref_walk walk;
	uint32_t reference, steps = 0;
	uint16_t status = hdmabuf_gref_begin(
		&walk, directory->own[0], references, directory->count, fault);

	while (!status && (reference = hdmabuf_gref_next(&walk))) {
		uint8_t *page = page_of(directory, reference);

		assert_in_range(++steps, 1, directory->pages);
		status = page ? step(&walk, page, fault) : BAD;
	}
	if (!status)
		assert_int_equal(steps, directory->pages);
	return status;
}

static const uint32_t counts[] = {
	1,	     2,		  ENTRIES - 1,	   ENTRIES,
	ENTRIES + 1, 2 * ENTRIES, 2 * ENTRIES + 1, 8100,
	65536,
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void counts_are_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(hdmabuf_gref_pages(0), 0);
	assert_int_equal(hdmabuf_gref_pages(1), 1);
	assert_int_equal(hdmabuf_gref_pages(4096), 1);
	assert_int_equal(hdmabuf_gref_pages(4097), 2);
	assert_int_equal(hdmabuf_gref_pages(3840 * 2160 * 4), 8100);
	assert_int_equal(hdmabuf_gref_pages(UINT32_MAX), 1u << 20);
	assert_int_equal(hdmabuf_gref_directory_pages(0), 0);
	assert_int_equal(hdmabuf_gref_directory_pages(ENTRIES), 1);
	assert_int_equal(hdmabuf_gref_directory_pages(ENTRIES + 1), 2);
	assert_int_equal(hdmabuf_gref_directory_pages(8100), 8);
	assert_int_equal(hdmabuf_gref_directory_pages(1u << 20), 1026);
}

static void what_is_built_is_read(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(counts); i++) {
		struct directory directory = directory_new(counts[i]);
		uint32_t *seen = get(counts[i] * sizeof(*seen));
		struct hdmabuf_fault fault;

		hdmabuf_gref_build(directory.references, counts[i],
				   directory.own, directory.memory);
		assert_int_equal(walk_with(&directory, seen, read_page, &fault),
				 0);
		assert_int_equal(fault.status, 0);
		assert_memory_equal(seen, directory.references,
				    counts[i] * sizeof(*seen));
		free(seen);
		directory_free(&directory);
	}
}

/* The frontend links, the backend fills in, the frontend takes. */
static void what_is_filled_in_is_taken(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(counts); i++) {
		struct directory directory = directory_new(counts[i]);
		uint32_t *seen = get(counts[i] * sizeof(*seen));
		struct hdmabuf_fault fault;

		hdmabuf_gref_link(counts[i], directory.own, directory.memory);
		assert_int_equal(hdmabuf_gref_take(directory.memory, seen,
						   counts[i], &fault),
				 BAD);
		assert_int_equal(fault.offset, 0);
		assert_int_equal(walk_with(&directory, directory.references,
					   hdmabuf_gref_fill, &fault),
				 0);
		assert_int_equal(hdmabuf_gref_take(directory.memory, seen,
						   counts[i], &fault),
				 0);
		assert_memory_equal(seen, directory.references,
				    counts[i] * sizeof(*seen));
		free(seen);
		directory_free(&directory);
	}
}

#ifdef XEN_HEADERS
static void xen_headers_find_the_same(void **state)
{
	struct directory directory = directory_new(8100);
	uint32_t done = 0, i;
	const struct xendispl_page_directory *page;

	(void)state;
	hdmabuf_gref_build(directory.references, 8100, directory.own,
			   directory.memory);
	for (i = 0; i < directory.pages; i++) {
		const grant_ref_t *gref;
		uint32_t j;

		page = (const void *)(directory.memory + (size_t)i * PAGE);
		gref = page->gref;
		for (j = 0; j < PAGE / sizeof(grant_ref_t) - 1; j++, done++)
			assert_int_equal(gref[j],
					 done < 8100 ? reference_of(done) : 0);
		assert_int_equal(
			page->gref_dir_next_page,
			i + 1 < directory.pages ? directory.own[i + 1] : 0);
	}
	directory_free(&directory);
}
#endif

static hdmabuf_le32 *words(const struct directory *directory, uint32_t page)
{
	return (hdmabuf_le32 *)(directory->memory + (size_t)page * PAGE);
}

static void expect_fault(const struct directory *directory, uint32_t entry,
			 uint32_t value)
{
	uint32_t *seen = get(directory->count * sizeof(*seen));
	struct hdmabuf_fault fault;

	assert_int_equal(walk_with(directory, seen, read_page, &fault), BAD);
	assert_int_equal(fault.where, HDMABUF_WHERE_DIRECTORY);
	assert_int_equal(fault.offset, entry);
	assert_int_equal(fault.value, value);
	free(seen);
}

static struct directory built(uint32_t count)
{
	struct directory directory = directory_new(count);

	hdmabuf_gref_build(directory.references, count, directory.own,
			   directory.memory);
	return directory;
}

static void faults_are_told(void **state)
{
	struct directory directory = built(2 * ENTRIES + 5);
	struct hdmabuf_gref_walk walk;
	struct hdmabuf_fault fault;
	hdmabuf_le32 kept;

	(void)state;
	/* An entry that is none. */
	kept = words(&directory, 1)[8];
	words(&directory, 1)[8] = 0;
	expect_fault(&directory, ENTRIES + 7, 0);
	words(&directory, 1)[8] = kept;
	/* Ends too early. */
	kept = words(&directory, 1)[0];
	words(&directory, 1)[0] = 0;
	expect_fault(&directory, 2 * ENTRIES, 0);
	words(&directory, 1)[0] = kept;
	/* Does not end. */
	words(&directory, 2)[0] = hdmabuf_put_le32(77);
	expect_fault(&directory, 2 * ENTRIES + 5, 77);
	/* Nothing to go through, or nowhere to begin. */
	assert_int_equal(hdmabuf_gref_begin(&walk, 9, directory.references, 0,
					    &fault),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(fault.where, HDMABUF_WHERE_DIRECTORY);
	assert_true(fault.offset == 0 && fault.value == 0);
	assert_int_equal(hdmabuf_gref_begin(&walk, 0, directory.references, 1,
					    &fault),
			 BAD);
	assert_int_equal(fault.where, HDMABUF_WHERE_DIRECTORY);
	assert_true(fault.offset == 0 && fault.value == 0);
	directory_free(&directory);
}

/* Of no importance: a frontend need not have cleared it. */
/* Wherever it is: among those that are looked at together, or behind them. */
static void each_entry_that_is_none_is_told(void **state)
{
	struct directory directory = built(77);
	uint32_t entry;

	(void)state;
	for (entry = 0; entry < 77; entry++) {
		hdmabuf_le32 *word = words(&directory, 0) + 1 + entry;
		hdmabuf_le32 kept = *word;

		*word = 0;
		expect_fault(&directory, entry, 0);
		*word = kept;
	}
	directory_free(&directory);
}

static void what_lies_behind_does_not_count(void **state)
{
	struct directory directory = built(ENTRIES + 1);
	uint32_t *seen = get(directory.count * sizeof(*seen));
	struct hdmabuf_fault fault;

	(void)state;
	memset(words(&directory, 1) + 2, 0xee, PAGE - 8);
	assert_int_equal(walk_with(&directory, seen, read_page, &fault), 0);
	assert_memory_equal(seen, directory.references,
			    directory.count * sizeof(*seen));
	free(seen);
	directory_free(&directory);
}

/* Gone through as often as the count needs, and found out as repetition. */
static void a_circle_ends(void **state)
{
	struct directory directory = built(3 * ENTRIES + 1);
	uint32_t *seen = get(directory.count * sizeof(*seen));
	struct hdmabuf_run *runs =
		get(2 * directory.count * sizeof(struct hdmabuf_run));
	struct hdmabuf_gref_walk walk;
	struct hdmabuf_fault fault;
	uint32_t steps = 0;
	uint16_t status;

	(void)state;
	words(&directory, 0)[0] = hdmabuf_put_le32(directory.own[0]);
	status = hdmabuf_gref_begin(&walk, directory.own[0], seen,
				    directory.count, &fault);
	while (!status && hdmabuf_gref_next(&walk)) {
		steps++;
		status = hdmabuf_gref_read(&walk, directory.memory, &fault);
	}
	assert_int_equal(steps, 4);
	assert_int_equal(status, BAD);
	assert_int_equal(fault.offset, directory.count);
	assert_int_equal(hdmabuf_gref_unique(seen, 2 * ENTRIES, runs, &fault),
			 HDMABUF_STATUS_DUPLICATE);
	assert_in_range(fault.offset, ENTRIES, 2 * ENTRIES - 1);
	assert_int_equal(seen[fault.offset], fault.value);
	assert_int_equal(hdmabuf_gref_unique(directory.references,
					     directory.count, runs, &fault),
			 0);
	free(runs);
	free(seen);
	directory_free(&directory);
}

static void assert_unique(const uint32_t *references, uint32_t count,
			  uint32_t status, uint32_t page)
{
	struct hdmabuf_run *runs = get(2 * count * sizeof(*runs));
	struct hdmabuf_fault fault;

	assert_int_equal(hdmabuf_gref_unique(references, count, runs, &fault),
			 status);
	assert_int_equal(fault.status, status);
	assert_int_equal(fault.offset, page);
	assert_int_equal(fault.value, status ? references[page] : 0);
	free(runs);
}

/* In order or not, and where a bitmap in the memory that is given is too small. */
static void references_that_come_twice_are_told(void **state)
{
	enum {
		OK = HDMABUF_STATUS_OK,
		TWICE = HDMABUF_STATUS_DUPLICATE,
		LAST = 3 * 256
	};

	(void)state;
	assert_unique((uint32_t[]){ 7 }, 1, OK, 0);
	assert_unique((uint32_t[]){ 5, 6, 7, 20, 30, 31 }, 6, OK, 0);
	assert_unique((uint32_t[]){ 5, 6, 7, 20, 21, 8 }, 6, OK, 0);
	assert_unique((uint32_t[]){ 5, 6, 7, 20, 6 }, 5, TWICE, 4);
	assert_unique((uint32_t[]){ 5, 6, 7, 7 }, 4, TWICE, 3);
	assert_unique((uint32_t[]){ 9, UINT32_MAX, 8 }, 3, OK, 0);
	assert_unique((uint32_t[]){ UINT32_MAX, 9, UINT32_MAX }, 3, TWICE, 2);
	assert_unique((uint32_t[]){ 9, LAST, 8 }, 3, OK, 0);
	assert_unique((uint32_t[]){ LAST, 9, LAST }, 3, TWICE, 2);
	assert_unique((uint32_t[]){ 9, LAST + 1, 8 }, 3, OK, 0);
	assert_unique((uint32_t[]){ LAST + 1, 9, LAST + 1 }, 3, TWICE, 2);
}

/* What is in the memory for it afterwards: so many words of @expected, and no more. */
static void assert_scratch(const uint32_t *references, uint32_t count,
			   const uint64_t *expected, size_t words)
{
	size_t octets = 2 * count * sizeof(struct hdmabuf_run);
	uint8_t *runs = get(octets), *before = get(octets);
	struct hdmabuf_fault fault;

	assert_int_equal(hdmabuf_gref_unique(references, count,
					     (struct hdmabuf_run *)runs,
					     &fault),
			 HDMABUF_STATUS_OK);
	assert_memory_equal(runs, expected, words * 8);
	assert_memory_equal(runs + words * 8, before + words * 8,
			    octets - words * 8);
	free(before);
	free(runs);
}

#define ASSERT_SCRATCH(words, expected, ...) \
	do { \
		const uint32_t references_[] = { __VA_ARGS__ }; \
		assert_scratch(references_, \
			       sizeof(references_) / sizeof(references_[0]), \
			       expected, words); \
	} while (0)

/* As of runs: nothing if they ascend, a bitmap if it has room. */
static void references_are_sorted_only_if_they_must_be(void **state)
{
	static const uint64_t near[] = { 0x8000000000000005 };
	static const uint64_t last[12] = { 5, [11] = 1ull << 63 };
	static const uint64_t sorted[] = { 769, 1, 1, 1, 3,   1, /* a copy */
					   1,	1, 3, 1, 769, 1 };
	uint32_t many[40];
	uint64_t bits[2] = { 0, 0 };
	uint32_t i;

	(void)state;
	ASSERT_SCRATCH(0, near, 7);
	ASSERT_SCRATCH(0, near, 1, 2, 1000);
	ASSERT_SCRATCH(1, near, 64, 1, 3);
	ASSERT_SCRATCH(12, last, 768, 1, 3);
	ASSERT_SCRATCH(12, sorted, 769, 1, 3);
	for (i = 0; i < 32; i++) {
		many[i] = 64 - i * 2;
		bits[0] |= 1ull << (many[i] - 1);
	}
	assert_scratch(many, 32, bits, 1);
	many[20] = 65;
	bits[0] &= ~(1ull << (64 - 20 * 2 - 1));
	bits[1] = 1;
	assert_scratch(many, 32, bits, 2);
}

/* Whatever was in the memory that is given for them. */
static void runs_are_made_of_references_alone(void **state)
{
	static const uint32_t falling[] = { UINT32_MAX, 5, 4, 6 };
	static const uint32_t twice[] = { UINT32_MAX, 5, 5 };
	struct hdmabuf_run runs[8];
	struct hdmabuf_fault fault;
	int i;

	(void)state;
	assert_unique(falling, 4, HDMABUF_STATUS_OK, 0);
	for (i = 0; i < 8; i++)
		runs[i] = (struct hdmabuf_run){ 4, 1 };
	assert_int_equal(hdmabuf_gref_unique(twice, 3, runs, &fault),
			 HDMABUF_STATUS_DUPLICATE);
	assert_int_equal(fault.offset, 2);
}

/* Between two pages that cannot be touched; what is written stays in the arrays. */
static void rubbish_is_survived(void **state)
{
	uint8_t *memory = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *page = memory + PAGE;
	uint64_t seed = 5;
	int round;

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	mprotect(memory, PAGE, PROT_NONE);
	mprotect(memory + 2 * PAGE, PAGE, PROT_NONE);
	for (round = 0; round < 3000; round++) {
		uint32_t count = draw(&seed) % (4 * ENTRIES) + 1;
		uint32_t *seen = get((count + 1) * sizeof(*seen));
		uint32_t steps = 0, i;
		struct hdmabuf_gref_walk walk;
		struct hdmabuf_fault fault;
		uint16_t status;

		for (i = 0; i < PAGE / 4; i++)
			((uint32_t *)page)[i] =
				draw(&seed) % 2000 ? draw(&seed) : 0;
		if (round % 2)
			((uint32_t *)page)[0] = 1;
		status = hdmabuf_gref_begin(&walk, 1, seen, count, &fault);
		while (!status && hdmabuf_gref_next(&walk)) {
			assert_in_range(++steps, 1,
					hdmabuf_gref_directory_pages(count));
			status = hdmabuf_gref_read(&walk, page, &fault);
		}
		assert_int_equal(status, fault.status);
		assert_true(!status || fault.offset <= count);
		assert_int_equal(seen[count], 0x5a5a5a5a);
		free(seen);
	}
	munmap(memory, 3 * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_rounded_up),
		cmocka_unit_test(what_is_built_is_read),
		cmocka_unit_test(what_is_filled_in_is_taken),
#ifdef XEN_HEADERS
		cmocka_unit_test(xen_headers_find_the_same),
#endif
		cmocka_unit_test(faults_are_told),
		cmocka_unit_test(each_entry_that_is_none_is_told),
		cmocka_unit_test(what_lies_behind_does_not_count),
		cmocka_unit_test(a_circle_ends),
		cmocka_unit_test(references_that_come_twice_are_told),
		cmocka_unit_test(references_are_sorted_only_if_they_must_be),
		cmocka_unit_test(runs_are_made_of_references_alone),
		cmocka_unit_test(rubbish_is_survived),
	};

	return hdmabuf_test_run("gref_directory", tests, COUNT(tests));
}
