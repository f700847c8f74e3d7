/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the directories of displif and sndif, in either direction. The input
 * says how many references there are, and what is spoilt of the directory.
 */
#include "assurance/fuzz/common/fuzz.h"

#include <hdmabuf/gref_directory.h>

#define PAGE	  HDMABUF_GREF_PAGE
#define PAGES_MAX 3
#define OWN_FIRST 100

struct directory {
	uint32_t count;
	uint32_t pages;
	uint32_t own[PAGES_MAX];
	uint32_t *references;
	uint32_t *found;
	uint8_t *memory;
};

/* Few pages mostly, as many are slow; and those around full pages of a directory. */
static uint32_t choose_octets(struct input *input)
{
	uint8_t octet = input_octet(input);
	uint32_t pages = octet < 240 ?
				 octet % 64u :
				 octet / 4u % 2 * HDMABUF_GREF_ENTRIES +
					 HDMABUF_GREF_ENTRIES - 2 + octet % 4u;

	return pages * PAGE + 1 + input_16(input) % PAGE;
}

static void make(struct input *input, struct directory *directory)
{
	uint32_t octets = choose_octets(input);
	uint32_t first = input_16(input);
	uint32_t step = input_octet(input) % 4;
	uint32_t i;

	directory->count = hdmabuf_gref_pages(octets);
	must(directory->count && (uint64_t)directory->count * PAGE >= octets &&
	     (uint64_t)(directory->count - 1) * PAGE < octets);
	directory->pages = hdmabuf_gref_directory_pages(directory->count);
	must(directory->pages && directory->pages <= PAGES_MAX);
	for (i = 0; i < directory->pages; i++)
		directory->own[i] = OWN_FIRST + i;
	directory->references = fuzz_alloc(directory->count * sizeof(uint32_t));
	directory->found = fuzz_alloc(directory->count * sizeof(uint32_t));
	directory->memory = fuzz_alloc((size_t)directory->pages * PAGE);
	for (i = 0; i < directory->count; i++)
		directory->references[i] = 1 + first + i * step;
}

static bool spoil(struct input *input, struct directory *directory)
{
	bool any = input->left;

	while (input->left) {
		uint32_t at = input_16(input) % (directory->pages * PAGE / 4);
		uint32_t value = input_32(input);

		memcpy(directory->memory + 4 * (size_t)at, &value, 4);
	}
	return any;
}

static uint8_t *page_of(const struct directory *directory, uint32_t reference)
{
	uint32_t page = reference - OWN_FIRST;

	return page < directory->pages ?
		       directory->memory + (size_t)page * PAGE :
		       NULL;
}

static void check_fault(const struct directory *directory,
			const struct hdmabuf_fault *fault)
{
	must(fault->status == HDMABUF_STATUS_BAD_REFERENCE);
	must(fault->where == HDMABUF_WHERE_DIRECTORY);
	must(fault->offset <= directory->count);
}

/* Whoever links pages in a circle: no more are read than there are references for. */
static bool walk(struct directory *directory, uint32_t *references, bool fill)
{
	struct hdmabuf_gref_walk walk;
	struct hdmabuf_fault fault;
	uint32_t reference, steps = 0;
	uint16_t status = hdmabuf_gref_begin(&walk, OWN_FIRST, references,
					     directory->count, &fault);

	must(!status);
	while (!status && (reference = hdmabuf_gref_next(&walk))) {
		uint8_t *page = page_of(directory, reference);

		/* None is wanted when all references are there. */
		must(walk.done < directory->count);
		if (!page)
			return false;
		must(steps++ < directory->pages);
		status = fill ? hdmabuf_gref_fill(&walk, page, &fault) :
				hdmabuf_gref_read(&walk, page, &fault);
		must(status == fault.status);
	}
	if (status)
		check_fault(directory, &fault);
	else
		must(walk.done == directory->count);
	return !status;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Sorted, those that come twice stand side by side. */
static void check_unique(struct directory *directory)
{
	uint32_t count = directory->count, i;
	struct hdmabuf_run *runs = fuzz_alloc(2 * count * sizeof(*runs));
	struct hdmabuf_fault fault;
	bool unique = true;
	uint16_t status;

	status = hdmabuf_gref_unique(directory->found, count, runs, &fault);
	if (status)
		must(directory->found[fault.offset] == fault.value);
	qsort(directory->found, count, sizeof(uint32_t), compare);
	for (i = 1; i < count; i++)
		unique &= directory->found[i] != directory->found[i - 1];
	must(unique == !status);
	free(runs);
}

static void read_theirs(struct input *input, struct directory *directory)
{
	bool spoilt, good;
	uint32_t i;

	hdmabuf_gref_build(directory->references, directory->count,
			   directory->own, directory->memory);
	spoilt = spoil(input, directory);
	good = walk(directory, directory->found, false);
	must(spoilt || good);
	if (!good)
		return;
	for (i = 0; i < directory->count; i++)
		must(directory->found[i]);
	must(spoilt || !memcmp(directory->found, directory->references,
			       directory->count * sizeof(uint32_t)));
	check_unique(directory);
}

/* be-alloc: the backend fills in, the frontend takes; either may be hostile. */
static void fill_theirs(struct input *input, struct directory *directory)
{
	struct hdmabuf_fault fault;
	bool late = input_octet(input) & 1;
	bool spoilt = false, good;
	uint16_t status;

	hdmabuf_gref_link(directory->count, directory->own, directory->memory);
	if (!late)
		spoilt = spoil(input, directory);
	good = walk(directory, directory->references, true);
	must(spoilt || good);
	if (late)
		spoilt = spoil(input, directory);
	status = hdmabuf_gref_take(directory->memory, directory->found,
				   directory->count, &fault);
	must(status == fault.status);
	if (status)
		check_fault(directory, &fault);
	must(spoilt || !memcmp(directory->found, directory->references,
			       directory->count * sizeof(uint32_t)));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct input input = { octets, size };
	bool fill = input_octet(&input) & 1;
	struct directory directory;

	make(&input, &directory);
	if (fill)
		fill_theirs(&input, &directory);
	else
		read_theirs(&input, &directory);
	free(directory.references);
	free(directory.found);
	free(directory.memory);
	return 0;
}
