/* SPDX-License-Identifier: MIT */
/* format1_instructions.c - rings of format 1, where no other is known */
#define RING_FORMAT	     1
#define HDMABUF_RING_FORMATS (1u << RING_FORMAT)
#define RING_PATH(name)	     path_marked_##name

#include "bench/ring_instructions.h"

unsigned int run_format1(void)
{
	return run_paths();
}
