/* SPDX-License-Identifier: MIT */
#include "conformance/judge_trace.h"

int judge_trace(const char *path, FILE *output)
{
	(void)path;
	(void)output;
	return 0;
}
