/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: page directories in the three formats. The input says which runs the
 * buffer has and what is spoilt of the directory that is built of them; then that is
 * read as an importer does.
 */
#include "assurance/fuzz/common/fuzz.h"

#include <hdmabuf/directory.h>

#define RUNS_MAX    48
#define ENTRIES_MAX 3000
#define SHIFT	    HDMABUF_PAGE_SHIFT_MIN
#define PAGE	    (1u << SHIFT)
#define PAGES_MAX   16
/* Where the directory's own pages begin: among the references of the data, or not. */
#define OWN_FIRST 5000

struct directory {
	struct hdmabuf_layout layout;
	struct hdmabuf_run runs[RUNS_MAX];
	uint64_t run_count;
	uint64_t own[PAGES_MAX];
	uint8_t *memory;
};

/* What an importer has found, and the pages in the order in which it read them. */
struct found {
	struct hdmabuf_directory_reader reader;
	struct hdmabuf_run *runs;
	uint64_t own[PAGES_MAX];
	uint8_t *pages;
	uint64_t page_count;
	struct hdmabuf_fault fault;
};

/* Few pages mostly, as many are slow; and some that fill pages of a directory. */
static uint64_t run_count(uint8_t octet)
{
	return octet < 224 ? 1u + octet % 32 : (octet - 223u) * 64;
}

static uint64_t make_runs(struct input *input, struct directory *directory)
{
	bool wide = directory->layout.directory_format ==
		    HDMABUF_DIRECTORY_EXTENTS;
	uint64_t total = 0;
	uint64_t count = 1 + input_octet(input) % RUNS_MAX;

	while (directory->run_count < count && total < ENTRIES_MAX) {
		struct hdmabuf_run *run =
			&directory->runs[directory->run_count++];

		run->reference = 1 + input_16(input);
		run->count = run_count(input_octet(input));
		/* Where 64 bits count. */
		if (wide && run->reference & 1)
			run->reference <<= 40;
		total += run->count;
	}
	return total;
}

static bool make(struct input *input, struct directory *directory)
{
	struct hdmabuf_layout *layout = &directory->layout;
	uint32_t i;

	memset(directory, 0, sizeof(*directory));
	layout->directory_format = input_octet(input) % 3;
	layout->page_shift = SHIFT;
	layout->pages = make_runs(input, directory);
	layout->entries = layout->directory_format ==
					  HDMABUF_DIRECTORY_EXTENTS ?
				  directory->run_count :
				  layout->pages;
	must(hdmabuf_directory_pages(layout->directory_format, layout->entries,
				     SHIFT, &layout->directory_pages));
	must(layout->directory_pages <= PAGES_MAX);
	for (i = 0; i < layout->directory_pages; i++)
		directory->own[i] = OWN_FIRST + i;
	layout->directory = OWN_FIRST;
	directory->memory =
		fuzz_alloc((size_t)layout->directory_pages << SHIFT);
	return hdmabuf_directory_build(layout->directory_format,
				       directory->runs, directory->run_count,
				       SHIFT, directory->own, directory->memory,
				       layout->directory_pages);
}

/* Words, as the directory is made of them; and the counts of the descriptor. */
static bool spoil(struct input *input, struct directory *directory)
{
	uint32_t words = directory->layout.directory_pages << (SHIFT - 2);
	bool any = input->left;
	uint32_t value;

	while (input->left) {
		uint32_t at = input_16(input);

		value = input_32(input);
		memcpy(directory->memory + (size_t)(at % words) * 4, &value, 4);
	}
	return any;
}

/* What is mapped for a reference; NULL if it leads nowhere. */
static const uint8_t *page_of(const struct directory *directory,
			      uint64_t reference)
{
	uint64_t page = reference - OWN_FIRST;

	return page < directory->layout.directory_pages ?
		       directory->memory + (page << SHIFT) :
		       NULL;
}

static uint16_t feed(const struct directory *directory, struct found *found,
		     uint64_t reference, uint64_t page)
{
	const uint8_t *memory = page_of(directory, reference);
	static uint8_t scratch[PAGE] __attribute__((aligned(8)));

	if (!memory)
		return hdmabuf_directory_missing(&found->reader, page,
						 reference, &found->fault);
	must(found->page_count < directory->layout.directory_pages);
	found->own[found->page_count] = reference;
	memcpy(found->pages + (found->page_count++ << SHIFT), memory, PAGE);
	return hdmabuf_directory_feed(&found->reader, memory, scratch,
				      &found->fault);
}

static uint16_t feed_wanted(const struct directory *directory,
			    struct found *found,
			    const struct hdmabuf_run *wanted, size_t count,
			    uint64_t pages)
{
	uint64_t done = 0, k;
	uint16_t status = 0;
	size_t i;

	/* A page that is missing is told before any is read, as map() does. */
	for (i = 0; i < count; i++)
		for (k = 0; k < wanted[i].count; k++, done++)
			if (!page_of(directory, wanted[i].reference + k))
				return feed(directory, found,
					    wanted[i].reference + k, done);
	must(done == pages);
	for (i = 0; i < count; i++)
		for (k = 0; k < wanted[i].count && !status; k++)
			status = feed(directory, found, wanted[i].reference + k,
				      0);
	return status;
}

static uint16_t read_all(const struct directory *directory, struct found *found,
			 uint64_t reference_max, uint64_t capacity,
			 size_t at_once)
{
	struct hdmabuf_run wanted[8];
	uint16_t status = 0;
	uint64_t pages;
	size_t count;

	hdmabuf_directory_begin(&found->reader, &directory->layout,
				reference_max, found->runs, capacity);
	while (!status && (count = hdmabuf_directory_wanted(
				   &found->reader, wanted, at_once, &pages))) {
		must(count <= at_once && pages >= count);
		status = feed_wanted(directory, found, wanted, count, pages);
	}
	return status;
}

/* The references are those of the platform, and as many as the descriptor says. */
static void check_runs(const struct directory *directory,
		       const struct found *found, uint64_t reference_max)
{
	uint64_t pages = 0, i;

	for (i = 0; i < found->reader.run_count; i++) {
		const struct hdmabuf_run *run = &found->runs[i];

		must(run->reference && run->count);
		must(run->count - 1 <= reference_max - run->reference);
		must(run->reference <= reference_max);
		pages += run->count;
	}
	must(pages == directory->layout.pages);
	must(found->page_count == directory->layout.directory_pages);
}

/* What was found is all there is: it makes the same pages. */
static void check_again(const struct directory *directory,
			const struct found *found)
{
	const struct hdmabuf_layout *layout = &directory->layout;
	size_t octets = (size_t)layout->directory_pages << SHIFT;
	uint8_t *again = fuzz_alloc(octets);

	must(hdmabuf_directory_build(layout->directory_format, found->runs,
				     found->reader.run_count, SHIFT, found->own,
				     again, layout->directory_pages));
	must(!memcmp(again, found->pages, octets));
	free(again);
}

static bool overlap(const struct hdmabuf_run *a, const struct hdmabuf_run *b)
{
	return a->reference < b->reference + b->count &&
	       b->reference < a->reference + a->count;
}

/* Each with each other, which is slow and plain. */
static void check_unique(const struct found *found)
{
	size_t count = (size_t)found->reader.run_count;
	struct hdmabuf_fault fault;
	struct hdmabuf_run *scratch;
	bool unique = true;
	size_t i, k;

	if (count > 2 * RUNS_MAX)
		return;
	for (i = 0; i < count; i++)
		for (k = 0; k < i; k++)
			unique &= !overlap(&found->runs[i], &found->runs[k]);
	scratch = fuzz_alloc(count * sizeof(*scratch));
	must(!hdmabuf_runs_unique(found->runs, count, scratch, &fault) ==
	     unique);
	must(unique || (fault.status == HDMABUF_STATUS_DUPLICATE &&
			fault.where == HDMABUF_WHERE_PAGE));
	free(scratch);
}

/* What room there is for entries: in a TABLE, behind all links of the upper level. */
static uint64_t entries_max(const struct hdmabuf_layout *layout)
{
	uint64_t pages = layout->directory_format == HDMABUF_DIRECTORY_TABLE ?
				 PAGE / 4 :
				 layout->directory_pages;

	return pages * (PAGE / 4);
}

static void check_fault(const struct directory *directory,
			const struct hdmabuf_fault *fault, bool spoilt,
			bool narrow)
{
	must(spoilt || narrow);
	switch (fault->where) {
	case HDMABUF_WHERE_DIRECTORY:
		must(fault->status == HDMABUF_STATUS_RESERVED ||
		     fault->status == HDMABUF_STATUS_INVALID ||
		     fault->status == HDMABUF_STATUS_BAD_REFERENCE);
		break;
	case HDMABUF_WHERE_NOWHERE:
		must(fault->status == HDMABUF_STATUS_NO_MEMORY && narrow);
		break;
	default:
		must(false);
	}
	must(fault->offset <= entries_max(&directory->layout));
}

/* What was not spoilt is read as it was written; EXTENTS word for word. */
static void check_same(const struct directory *directory,
		       const struct found *found)
{
	uint64_t page = 0, i, k;
	const struct hdmabuf_run *run = found->runs;

	for (i = 0; i < directory->run_count; i++) {
		for (k = 0; k < directory->runs[i].count; k++) {
			must(run->reference + page ==
			     directory->runs[i].reference + k);
			if (++page == run->count) {
				page = 0;
				run++;
			}
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct input input = { octets, size };
	uint8_t limits = input_octet(&input);
	struct directory directory;
	struct found found = { 0 };
	uint64_t reference_max, capacity;
	bool spoilt, narrow;
	uint16_t status;

	must(make(&input, &directory));
	/* Half of what the platform has, and half of the room. */
	reference_max = limits & 1 ? 0x8000 : UINT64_MAX;
	capacity = limits & 2 ? (directory.layout.entries + 1) / 2 :
				directory.layout.entries;
	narrow = limits & 3;
	spoilt = spoil(&input, &directory);
	found.runs = fuzz_alloc((size_t)capacity * sizeof(*found.runs));
	found.pages =
		fuzz_alloc((size_t)directory.layout.directory_pages << SHIFT);
	status = read_all(&directory, &found, reference_max, capacity,
			  1 + (limits >> 2) % 8);
	if (status) {
		must(status == found.fault.status);
		check_fault(&directory, &found.fault, spoilt, narrow);
	} else {
		check_runs(&directory, &found, reference_max);
		check_again(&directory, &found);
		check_unique(&found);
		if (!spoilt)
			check_same(&directory, &found);
	}
	free(found.runs);
	free(found.pages);
	free(directory.memory);
	return 0;
}
