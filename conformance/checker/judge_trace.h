/* SPDX-License-Identifier: MIT */
/* judge_trace.h - the checker on a recorded session */
#ifndef CONFORMANCE_JUDGE_TRACE_H
#define CONFORMANCE_JUDGE_TRACE_H

#include <stdio.h>

/*
 * Reads a trace and writes what either end has done that a clause forbids, then a
 * line that sums it up. The status to exit with.
 */
int judge_trace(const char *path, FILE *out);

#endif
