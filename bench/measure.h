/* SPDX-License-Identifier: MIT */
/*
 * measure.h - time, processors, and how what was measured is told
 *
 * What is measured goes to standard output, a line each, words separated by tabs:
 *
 *	burst	ROUND	NAME	NANOSECONDS	of one operation, in one burst
 *	value	NAME	NUMBER			counted, or measured once
 *	skip	NAME	REASON			not measured
 */
#ifndef HDMABUF_BENCH_MEASURE_H
#define HDMABUF_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A burst that takes longer measures what else the machine does. */
#define BURST_NS 400000

uint64_t now_ns(void);

/* The processors that this process may use, at most two. */
int processors(int cpu[2]);
void pin_to(int cpu);

void tell_burst(unsigned int round, const char *name, double nanoseconds);
void tell_value(const char *name, double number);
void tell_skip(const char *name, const char *reason);

/* One line on standard error, and the end with status 70, unless @good. */
void must(bool good, const char *what);
/* The same with the words for errno. */
void must_call(bool good, const char *what);

/* Octets of memory that could be had now. */
uint64_t memory_available(void);

#endif
