/* SPDX-License-Identifier: MIT */
/* format0_instructions.c - rings of format 0, where no other is known */
#define RING_FORMAT	     0
#define HDMABUF_RING_FORMATS (1u << RING_FORMAT)
#define RING_PATH(name)	     path_##name

#include "bench/ring_instructions.h"

unsigned int run_format0(void)
{
	return run_paths();
}
