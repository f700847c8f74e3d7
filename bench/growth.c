/* SPDX-License-Identifier: MIT */
/*
 * growth.c - what becomes of the cost when there is more of everything
 *
 * More buffers in a session, and larger ones; both ends are in one process. The few
 * and the many are measured in the same rounds, so that their ratio holds.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/descriptors.h"
#include "bench/desk.h"
#include "bench/groups.h"
#include "bench/measure.h"

#define PAGE 4096ul

/* Two ends, and memory of which they share as many buffers as are wanted. */
struct pair {
	struct desk front;
	struct desk back;
	struct hdmabuf_memory memory;
	struct hdmabuf_info info;
	struct hdmabuf_buffer *first;
	unsigned int buffers;
};

static void pair_open(struct pair *pair, uint64_t octets, uint32_t format)
{
	desk_open_pair(&pair->front, &pair->back);
	must(!hdmabuf_session_alloc(pair->front.session, octets,
				    HDMABUF_RIGHTS_READ_ONLY, &pair->memory),
	     "memory for a buffer");
	desk_info(&pair->info, octets);
	pair->info.directory_format = format;
	pair->first = NULL;
	pair->buffers = 0;
}

static void pair_close(struct pair *pair)
{
	desk_close(&pair->front);
	desk_close(&pair->back);
	hdmabuf_memory_free(&pair->memory);
}

static struct hdmabuf_buffer *share_one(struct pair *pair)
{
	struct hdmabuf_buffer *buffer =
		desk_export(&pair->front, &pair->memory, &pair->info);

	desk_pair_run_until(&pair->front, &pair->back, &pair->front.exports,
			    ++pair->buffers);
	return buffer;
}

static void share_all(struct pair *pair, unsigned int count)
{
	if (!pair->first)
		pair->first = share_one(pair);
	while (pair->front.exports - pair->front.released < count)
		share_one(pair);
}

static void unshare(struct pair *pair, struct hdmabuf_buffer *buffer)
{
	must(!hdmabuf_unexport(buffer, 10000), "taking a buffer back");
	desk_pair_run_until(&pair->front, &pair->back, &pair->front.released,
			    pair->front.released + 1);
}

/* ---- Steps, in nanoseconds ---------------------------------------------------------- */

/* One buffer more is exported, imported and mapped; taking it back does not count. */
static double share_step(struct pair *pair)
{
	uint64_t begin = now_ns(), end;
	struct hdmabuf_buffer *buffer = share_one(pair);
	void *data;

	must(!hdmabuf_buffer_map(pair->back.imported, &data), "mapping");
	end = now_ns();
	unshare(pair, buffer);
	return (double)(end - begin);
}

static double hand_off_step(struct pair *pair)
{
	struct hdmabuf_turn turn = { .buffer = pair->first };
	enum {
		TIMES = 16
	};
	uint64_t begin = now_ns();
	unsigned int i;

	for (i = 0; i < TIMES; i++) {
		must(!hdmabuf_hand_off(&turn, false), "a hand-off");
		desk_pair_run_until(&pair->front, &pair->back,
				    &pair->front.answers,
				    pair->front.answers + 1);
	}
	return (double)(now_ns() - begin) / TIMES;
}

/* Reading an octet of each page, none of which is mapped yet: for one page. */
static double touch_step(struct pair *pair)
{
	struct hdmabuf_buffer *buffer = share_one(pair);
	uint64_t begin, end;
	void *data;

	must(!hdmabuf_buffer_map(pair->back.imported, &data), "mapping");
	begin = now_ns();
	pages_touch(data, pair->info.size);
	end = now_ns();
	unshare(pair, buffer);
	return (double)(end - begin) * PAGE / (double)pair->info.size;
}

/* What is linear is told for one page. */
static double share_step_a_page(struct pair *pair)
{
	return share_step(pair) * PAGE / (double)pair->info.size;
}

struct step {
	const char *name;
	double (*run)(struct pair *pair);
};

static void measure(struct pair *pair, const struct step *step,
		    const char *what, unsigned int round)
{
	double took = step->run(pair);
	char name[64];

	snprintf(name, sizeof(name), "growth/%s/%s", what, step->name);
	if (round)
		tell_burst(round, name, took);
}

/* ---- More buffers ---------------------------------------------------------------------- */

static const struct step many_steps[] = {
	{ "share", share_step },
	{ "hand-off", hand_off_step },
};

static void measure_many(struct pair *many, struct pair *one,
			 unsigned int count, unsigned int rounds)
{
	char name_many[32], name_one[32];
	unsigned int round, i;

	snprintf(name_many, sizeof(name_many), "buffers/%u", count);
	snprintf(name_one, sizeof(name_one), "buffers/%u/alone", count);
	for (round = 0; round <= rounds; round++) {
		for (i = 0; i < 2; i++) {
			measure(many, &many_steps[i], name_many, round);
			measure(one, &many_steps[i], name_one, round);
		}
	}
}

/* Of both ends, as they are in one process. */
static void tell_heap(unsigned int count, size_t before)
{
	char name[64];

	snprintf(name, sizeof(name), "growth/buffers/%u/heap", count);
	tell_value(name, (double)(mallinfo2().uordblks - before) / count);
}

static void grow_buffers(const struct plan *plan)
{
	static const unsigned int counts[] = { 10, 100, 1000, 10000, 100000 };
	unsigned int i, last = plan->quick ? 3 : 5;
	struct pair many, one;
	size_t before;

	pair_open(&one, PAGE, HDMABUF_DIRECTORY_EXTENTS);
	pair_open(&many, PAGE, HDMABUF_DIRECTORY_EXTENTS);
	share_all(&one, 1);
	before = mallinfo2().uordblks;
	for (i = 0; i < last; i++) {
		share_all(&many, counts[i]);
		tell_heap(counts[i], before);
		measure_many(&many, &one, counts[i], plan->rounds);
	}
	pair_close(&many);
	pair_close(&one);
}

/* ---- Larger buffers ---------------------------------------------------------------------- */

struct size {
	const char *name;
	uint64_t octets;
};

static const struct size sizes[] = {
	{ "4KiB", PAGE },      { "1MiB", 1ul << 20 }, { "64MiB", 1ul << 26 },
	{ "1GiB", 1ul << 30 }, { "4GiB", 1ul << 32 },
};

#define SIZES	(sizeof(sizes) / sizeof(sizes[0]))
#define TOUCHED (1ul << 26)

static const struct step extents_steps[] = {
	{ "share", share_step },
	{ "hand-off", hand_off_step },
};
static const struct step list_step = { "list", share_step_a_page };
static const struct step touch = { "touch", touch_step };

static void measure_sizes(struct pair pairs[SIZES], struct pair lists[SIZES],
			  unsigned int count, unsigned int round)
{
	char name[32];
	unsigned int i;

	/* After what was touched, the first finds the caches empty: it does not count. */
	share_step(&pairs[0]);
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "octets/%s", sizes[i].name);
		measure(&pairs[i], &extents_steps[0], name, round);
		measure(&pairs[i], &extents_steps[1], name, round);
	}
	for (i = 0; i < count; i++) {
		/* What is linear takes long where there is much. */
		if (sizes[i].octets > TOUCHED && (round - 1) % 16)
			continue;
		snprintf(name, sizeof(name), "octets/%s", sizes[i].name);
		measure(&lists[i], &list_step, name, round);
		if (sizes[i].octets <= TOUCHED)
			measure(&pairs[i], &touch, name, round);
	}
}

static void grow_octets(const struct plan *plan)
{
	unsigned int round, i, count = plan->quick ? 3 : SIZES;
	struct pair pairs[SIZES], lists[SIZES];

	for (i = 0; i < count; i++) {
		pair_open(&pairs[i], sizes[i].octets,
			  HDMABUF_DIRECTORY_EXTENTS);
		pair_open(&lists[i], sizes[i].octets, HDMABUF_DIRECTORY_LIST);
		share_all(&pairs[i], 1);
		/* What is touched is there; the rest need not be. */
		if (sizes[i].octets <= TOUCHED)
			memset(pairs[i].memory.address, 0x5a, sizes[i].octets);
	}
	for (round = 0; round <= plan->rounds; round++)
		measure_sizes(pairs, lists, count, round);
	for (i = 0; i < count; i++) {
		pair_close(&pairs[i]);
		pair_close(&lists[i]);
	}
}

void run_growth(const struct plan *plan)
{
	int cpu[2];

	processors(cpu);
	pin_to(cpu[0]);
	grow_buffers(plan);
	grow_octets(plan);
}
