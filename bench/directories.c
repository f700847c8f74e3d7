/* SPDX-License-Identifier: MIT */
/*
 * directories.c - writing and reading a directory, held against copying its octets
 *
 * memcpy() is as fast as octets can be moved; the scalar copy moves one entry at a
 * time, as a reader does that fetches each once through volatile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/groups.h"
#include "bench/measure.h"
#include "bench/paths.h"

struct shape {
	const char *name;
	uint32_t format;
	bool scattered;
	size_t entry_octets;
};

static const struct shape shapes[] = {
	{ "list/consecutive", HDMABUF_DIRECTORY_LIST, false, 4 },
	{ "list/scattered", HDMABUF_DIRECTORY_LIST, true, 4 },
	{ "table/consecutive", HDMABUF_DIRECTORY_TABLE, false, 4 },
	{ "table/scattered", HDMABUF_DIRECTORY_TABLE, true, 4 },
	{ "extents/consecutive", HDMABUF_DIRECTORY_EXTENTS, false, 8 },
	{ "extents/scattered", HDMABUF_DIRECTORY_EXTENTS, true, 8 },
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* A directory, and where its octets are copied to. */
struct work {
	struct described frame;
	_Alignas(PAGE_OCTETS) uint8_t copy[DIRECTORY_PAGES][PAGE_OCTETS];
	size_t octets;
	size_t entry_octets;
};

static void build(struct work *work)
{
	described_build(&work->frame);
}

static void read_back(struct work *work)
{
	described_read(&work->frame);
}

static void check_unique(struct work *work)
{
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

struct step {
	const char *name;
	void (*run)(struct work *work);
};

static const struct step steps[] = {
	{ "memcpy", copy },    { "scalar", copy_scalar },  { "build", build },
	{ "read", read_back }, { "unique", check_unique },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void work_init(struct work *work, const struct shape *shape)
{
	described_init(&work->frame, shape->format, shape->scattered);
	work->octets = (size_t)work->frame.layout.directory_pages * PAGE_OCTETS;
	work->entry_octets = shape->entry_octets;
	memset(work->copy, 0xa5, sizeof(work->copy));
	described_build(&work->frame);
	described_read(&work->frame);
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
