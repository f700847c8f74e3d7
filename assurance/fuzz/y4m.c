/* SPDX-License-Identifier: MIT */
/* Fuzz target: the reader of Y4M files. The input is a file. */
#include "assurance/fuzz/common/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	fuzz_picture_file("y4m", octets, size, 4);
	return 0;
}
