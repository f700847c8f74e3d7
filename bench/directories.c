/* SPDX-License-Identifier: MIT */
/*
 * directories.c - writing and reading a directory, held against copying its octets
 *
 * References are runs, or, in an array, those of the directory of displif.
 *
 * memcpy() is as fast as octets can be moved; the scalar copy moves one entry at a
 * time, as a reader does that fetches each once through volatile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdmabuf/gref_directory.h>

#include "bench/groups.h"
#include "bench/measure.h"
#include "bench/paths.h"

struct shape {
	const char *name;
	uint32_t format;
	bool scattered;
	size_t entry_octets;
	bool array;
};

static const struct shape shapes[] = {
	{ "list/consecutive", HDMABUF_DIRECTORY_LIST, false, 4, false },
	{ "list/scattered", HDMABUF_DIRECTORY_LIST, true, 4, false },
	{ "table/consecutive", HDMABUF_DIRECTORY_TABLE, false, 4, false },
	{ "table/scattered", HDMABUF_DIRECTORY_TABLE, true, 4, false },
	{ "extents/consecutive", HDMABUF_DIRECTORY_EXTENTS, false, 8, false },
	{ "extents/scattered", HDMABUF_DIRECTORY_EXTENTS, true, 8, false },
	{ "array/consecutive", HDMABUF_DIRECTORY_LIST, false, 4, true },
	{ "array/scattered", HDMABUF_DIRECTORY_LIST, true, 4, true },
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* References as displif's drivers have them, and memory to read them into. */
struct array {
	uint32_t references[FRAME_PAGES];
	uint32_t found[FRAME_PAGES];
	uint32_t own[DIRECTORY_PAGES];
	struct hdmabuf_run runs[2 * FRAME_PAGES];
};

/* A directory, and where its octets are copied to. */
struct work {
	struct described frame;
	_Alignas(PAGE_OCTETS) uint8_t copy[DIRECTORY_PAGES][PAGE_OCTETS];
	size_t octets;
	size_t entry_octets;
	bool array;
	struct array of;
};

static void build(struct work *work)
{
	if (work->array)
		hdmabuf_gref_build(work->of.references, FRAME_PAGES,
				   work->of.own, work->frame.pages);
	else
		described_build(&work->frame);
}

static void array_read(struct work *work)
{
	struct hdmabuf_gref_walk walk;
	struct hdmabuf_fault fault;
	uint32_t page;

	must(!hdmabuf_gref_begin(&walk, work->of.own[0], work->of.found,
				 FRAME_PAGES, &fault),
	     "beginning to read a directory");
	while ((page = hdmabuf_gref_next(&walk)))
		must(!hdmabuf_gref_read(
			     &walk, work->frame.pages[page - work->of.own[0]],
			     &fault),
		     "reading a directory");
}

static void read_back(struct work *work)
{
	if (work->array)
		array_read(work);
	else
		described_read(&work->frame);
}

static void check_unique(struct work *work)
{
	struct hdmabuf_fault fault;

	if (work->array)
		must(!hdmabuf_gref_unique(work->of.found, FRAME_PAGES,
					  work->of.runs, &fault),
		     "finding no page twice");
	else
		described_check_unique(&work->frame);
}

static void copy(struct work *work)
{
	memcpy(work->copy, work->frame.pages, work->octets);
	__asm__ __volatile__("" : : : "memory");
}

static void copy_scalar_4(struct work *work)
{
	const volatile uint32_t *from = (const uint32_t *)work->frame.pages;
	volatile uint32_t *to = (uint32_t *)work->copy;
	size_t i;

	for (i = 0; i < work->octets / sizeof(*to); i++)
		to[i] = from[i];
}

static void copy_scalar_8(struct work *work)
{
	const volatile uint64_t *from = (const uint64_t *)work->frame.pages;
	volatile uint64_t *to = (uint64_t *)work->copy;
	size_t i;

	for (i = 0; i < work->octets / sizeof(*to); i++)
		to[i] = from[i];
}

static void copy_scalar(struct work *work)
{
	if (work->entry_octets == 4)
		copy_scalar_4(work);
	else
		copy_scalar_8(work);
}

/* The least that there is to do where references are runs: nothing is checked. */
static void write_from_runs(struct work *work)
{
	uint32_t *to = (uint32_t *)work->copy;
	size_t i;

	for (i = 0; i < FRAME_PAGES; i++)
		to[i] = (uint32_t)work->frame.runs[i].reference;
	__asm__ __volatile__("" : : : "memory");
}

static void read_into_runs(struct work *work)
{
	const uint32_t *from = (const uint32_t *)work->frame.pages;
	size_t i;

	for (i = 0; i < FRAME_PAGES; i++)
		work->frame.found[i] = (struct hdmabuf_run){ from[i], 1 };
	__asm__ __volatile__("" : : : "memory");
}

struct step {
	const char *name;
	void (*run)(struct work *work);
};

static const struct step steps[] = {
	{ "memcpy", copy },
	{ "scalar", copy_scalar },
	{ "build", build },
	{ "least-build", write_from_runs },
	{ "least-read", read_into_runs },
	{ "read", read_back },
	{ "unique", check_unique },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void array_init(struct array *of, const struct described *frame)
{
	uint32_t i;

	for (i = 0; i < FRAME_PAGES; i++)
		of->references[i] =
			frame->run_count == 1 ?
				(uint32_t)frame->runs[0].reference + i :
				(uint32_t)frame->runs[i].reference;
	for (i = 0; i < DIRECTORY_PAGES; i++)
		of->own[i] = (uint32_t)frame->own[i];
}

static void work_init(struct work *work, const struct shape *shape)
{
	described_init(&work->frame, shape->format, shape->scattered);
	work->octets = (size_t)work->frame.layout.directory_pages * PAGE_OCTETS;
	work->entry_octets = shape->entry_octets;
	work->array = shape->array;
	array_init(&work->of, &work->frame);
	memset(work->copy, 0xa5, sizeof(work->copy));
	build(work);
	read_back(work);
}

/* How often a step fits a burst. */
static unsigned int repetitions(const struct step *step, struct work *work)
{
	uint64_t begin = now_ns(), took;

	step->run(work);
	took = now_ns() - begin;
	if (took > BURST_NS / 4)
		return 1;
	return took < BURST_NS / 256 ? 64 : (unsigned int)(BURST_NS / 4 / took);
}

static void measure(unsigned int round, const struct shape *shape,
		    const struct step *step, struct work *work,
		    unsigned int count)
{
	uint64_t begin, end;
	unsigned int i;
	char name[64];

	begin = now_ns();
	for (i = 0; i < count; i++)
		step->run(work);
	end = now_ns();
	snprintf(name, sizeof(name), "directory/%s/%s", shape->name,
		 step->name);
	tell_burst(round, name, (double)(end - begin) / count);
}

void run_directories(const struct plan *plan)
{
	unsigned int counts[SHAPES][STEPS];
	struct work *works =
		aligned_alloc(PAGE_OCTETS, SHAPES * sizeof(*works));
	unsigned int round, shape, step;
	int cpu[2];

	must_call(works, "memory for directories");
	processors(cpu);
	pin_to(cpu[0]);
	for (shape = 0; shape < SHAPES; shape++) {
		work_init(&works[shape], &shapes[shape]);
		for (step = 0; step < STEPS; step++)
			counts[shape][step] =
				repetitions(&steps[step], &works[shape]);
	}
	for (round = 1; round <= plan->rounds; round++)
		for (shape = 0; shape < SHAPES; shape++)
			for (step = 0; step < STEPS; step++)
				measure(round, &shapes[shape], &steps[step],
					&works[shape], counts[shape][step]);
	free(works);
}
