/* SPDX-License-Identifier: MIT */
/* instructions.h - what the parts of the program that callgrind counts have in common */
#ifndef HDMABUF_BENCH_INSTRUCTIONS_H
#define HDMABUF_BENCH_INSTRUCTIONS_H

#define TIMES 1024

/* Whatever else is the same: each is a function of its own, and returns by itself. */
#define PATH __attribute__((noipa))

/*
 * Rings of which one format is known, and those of which both are and that have format
 * 0: what the decision takes. Each returns how many steps went wrong.
 */
unsigned int run_format0(void);
unsigned int run_format1(void);
unsigned int run_chosen_format0(void);

#endif
