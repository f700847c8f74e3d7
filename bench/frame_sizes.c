/* SPDX-License-Identifier: MIT */
/* frame_sizes.c - frames of three sizes: copied, passed, and handed over */
#include "bench/exchange.h"
#include "bench/groups.h"
#include "bench/measure.h"
#include "bench/paths.h"

#define SMALL_OCTETS 4096ul
#define LARGE_OCTETS (1ul << 30)

/* A large frame is copied a few times only: that takes as long as all the rest. */
#define SELDOM 10

static const struct pace one = { 1, false };
static const struct pace stream = { 32, true };

static void add_moves(struct bursts *bursts, struct link *link,
		      unsigned int every, unsigned int count)
{
	static const struct exchange *const moves[] = {
		&exchange_memcpy,      &exchange_memcpy_fresh,
		&exchange_vm_readv,    &exchange_scm_rights,
		&exchange_unix_stream, &exchange_pipe_stream,
	};
	/* In pieces, a large frame takes as long as all the rest. */
	unsigned int i, last = link->octets == LARGE_OCTETS ? 4 : 6;

	for (i = 0; i < last; i++)
		bursts_add(bursts, link, moves[i], count, one, false)->every =
			every;
}

static void add_hand_offs(struct bursts *bursts, struct link *link)
{
	int cpu[2];

	if (processors(cpu) == 2) {
		bursts_add(bursts, link, &exchange_hand_off_polled, 256, one,
			   false);
		bursts_add(bursts, link, &exchange_hand_off_polled, 1024,
			   stream, false);
	}
	bursts_add(bursts, link, &exchange_hand_off_notified, 64, one, true);
}

void run_frames(const struct plan *plan)
{
	static struct bursts bursts;
	struct link small, frame, large;
	bool has_large = !plan->quick && memory_available() > 4 * LARGE_OCTETS;
	int cpu[2];

	link_make(&small, "4KiB/", SMALL_OCTETS);
	link_make(&frame, "33MB/", FRAME_OCTETS);
	add_moves(&bursts, &small, 1, 16);
	add_hand_offs(&bursts, &small);
	add_moves(&bursts, &frame, 1, 1);
	add_hand_offs(&bursts, &frame);
	bursts_add(&bursts, &small, &exchange_eventfd, 64, one, true);
	if (processors(cpu) == 2)
		bursts_add(&bursts, &small, &exchange_lines, 512, one, false);
	if (has_large) {
		link_make(&large, "1GiB/", LARGE_OCTETS);
		add_moves(&bursts, &large, SELDOM, 1);
		add_hand_offs(&bursts, &large);
	} else {
		tell_skip("1GiB", plan->quick ? "takes long" :
						"there is too little memory");
	}
	bursts_run(&bursts, plan->rounds);
	link_free(&small);
	link_free(&frame);
	if (has_large)
		link_free(&large);
}
