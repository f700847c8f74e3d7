/* SPDX-License-Identifier: MIT */
/* chosen_format0_instructions.c - rings of format 0, where both are known */
#define RING_FORMAT	0
#define RING_PATH(name) path_chosen_##name

#include "bench/ring_instructions.h"

unsigned int run_chosen_format0(void)
{
	return run_paths();
}
