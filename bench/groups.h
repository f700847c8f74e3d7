/* SPDX-License-Identifier: MIT */
/* groups.h - what bench can measure, group by group */
#ifndef HDMABUF_BENCH_GROUPS_H
#define HDMABUF_BENCH_GROUPS_H

#include <stdbool.h>

/*
 * @rounds: how often each burst is run
 * @quick: leave out what takes long
 */
struct plan {
	unsigned int rounds;
	bool quick;
};

void run_rings(const struct plan *plan);
void run_frames(const struct plan *plan);
void run_share(const struct plan *plan);
void run_directories(const struct plan *plan);
void run_sessions(const struct plan *plan);
void run_growth(const struct plan *plan);
void run_many(const struct plan *plan);

#endif
