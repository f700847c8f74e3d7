/* SPDX-License-Identifier: MIT */
/* rings.c - messages there and back: rings, and what else there is */
#include "bench/exchange.h"
#include "bench/groups.h"
#include "bench/measure.h"

static const struct ring_kind *const kinds[] = {
	&ring_format0,
	&ring_format1,
#ifdef HDMABUF_HAVE_XEN
	&ring_xen,
#endif
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const unsigned int windows[] = { 1, 4, 8, 32 };

#define WINDOWS (sizeof(windows) / sizeof(windows[0]))

/* Each kind of ring, with some requests under way: in batches, and as a stream. */
static void add_rings(struct bursts *bursts, struct link *link,
		      enum waiting waiting, const unsigned int counts[WINDOWS],
		      bool same_processor)
{
	unsigned int kind, window;

	for (window = 0; window < WINDOWS; window++) {
		struct pace batch = { windows[window], false };
		struct pace stream = { windows[window], true };

		for (kind = 0; kind < KINDS; kind++)
			bursts_add(bursts, link, &kinds[kind]->by[waiting],
				   counts[window], batch, same_processor);
		for (kind = 0; kind < KINDS && windows[window] > 1; kind++)
			bursts_add(bursts, link, &kinds[kind]->by[waiting],
				   counts[window], stream, same_processor);
	}
}

static const struct pace one = { 1, false };

/* What it gains on one processor to let the other end run, and costs on two. */
static void add_yielded(struct bursts *bursts, struct link *link,
			unsigned int count, bool same_processor)
{
	/* Seldom: where others run as well, each yield takes their time. */
	bursts_add(bursts, link, &ring_format0.by[YIELDED], count, one,
		   same_processor)
		->every = 4;
}

static const struct ring_kind *const adaptive_kinds[] = {
	&ring_format0,
	&ring_format1,
};

#define ADAPTIVE_KINDS (sizeof(adaptive_kinds) / sizeof(adaptive_kinds[0]))

/* What looking before a sleep costs on one processor, and spares on two. */
static void add_adaptive(struct bursts *bursts, struct link *link,
			 const unsigned int counts[WINDOWS],
			 bool same_processor)
{
	unsigned int kind, window;

	for (window = 0; window < WINDOWS; window++) {
		struct pace batch = { windows[window], false };

		for (kind = 0; kind < ADAPTIVE_KINDS; kind++)
			bursts_add(bursts, link,
				   &adaptive_kinds[kind]->by[ADAPTIVE],
				   counts[window], batch, same_processor);
	}
}

static void add_polled(struct bursts *bursts, struct link *link)
{
	static const unsigned int counts[WINDOWS] = { 512, 1024, 1024, 2048 };
	int cpu[2];

	if (processors(cpu) < 2) {
		tell_skip("polled", "polling takes a processor for each end");
		return;
	}
	bursts_add(bursts, link, &exchange_lines, 1024, one, false);
	add_rings(bursts, link, POLLED, counts, false);
}

static void add_notified(struct bursts *bursts, struct link *link)
{
	static const unsigned int counts[WINDOWS] = { 64, 256, 512, 1024 };

	bursts_add(bursts, link, &exchange_eventfd, 64, one, true);
	bursts_add(bursts, link, &exchange_futex, 64, one, true);
	bursts_add(bursts, link, &exchange_pipe, 64, one, true);
	bursts_add(bursts, link, &exchange_seqpacket, 64, one, true);
	bursts_add(bursts, link, &exchange_cells, 64, one, true);
	add_rings(bursts, link, NOTIFIED, counts, true);
	add_adaptive(bursts, link, counts, true);
	add_yielded(bursts, link, 16, true);
}

/* Only the notifications count: the time of a wake-up is the scheduler's. */
static void add_notified_across(struct bursts *bursts, struct link *link)
{
	static const unsigned int counts[WINDOWS] = { 8, 32, 64, 256 };
	static const unsigned int looked[WINDOWS] = { 512, 1024, 1024, 2048 };
	int cpu[2];

	if (processors(cpu) < 2) {
		tell_skip("notified across processors", "there is only one");
		return;
	}
	add_rings(bursts, link, NOTIFIED, counts, false);
	add_adaptive(bursts, link, looked, false);
	add_yielded(bursts, link, 8, false);
}

void run_rings(const struct plan *plan)
{
	static struct bursts bursts;
	struct link link;

	link_make(&link, "", 4096);
	add_polled(&bursts, &link);
	add_notified(&bursts, &link);
	add_notified_across(&bursts, &link);
	bursts_run(&bursts, plan->rounds);
	link_free(&link);
}
