/* SPDX-License-Identifier: MIT */
/* ring_format0.c - the rings of this tree, format 0 */
#define RING_FORMAT 0

#include "bench/ring_format.h"

RING_KIND(ring_format0, "format-0", calls, prepare);
