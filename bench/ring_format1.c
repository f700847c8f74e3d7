/* SPDX-License-Identifier: MIT */
/* ring_format1.c - the rings of this tree, format 1 */
#define RING_FORMAT 1

#include "bench/ring_format.h"

RING_KIND(ring_format1, "format-1", calls, prepare);
