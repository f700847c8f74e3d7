/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the reader of PNG files. The input is an octet, and then a file. Of half
 * of the inputs the checksums are put right, as hardly any file would get past them.
 */
#include "assurance/fuzz/common/picture.h"

#include "reference-common/crc32.h"

/* Length and name of a chunk, which are before what is in it. */
#define HEAD	  8
#define SIGNATURE 8

static uint32_t big_endian(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

static void mend_checksums(uint8_t *file, size_t size)
{
	struct crc32_table table;
	size_t at = SIGNATURE;

	crc32_table_init(&table);
	while (size - at >= HEAD + 4) {
		uint32_t length = big_endian(file + at);
		uint32_t crc;
		int i;

		if (length > size - at - HEAD - 4)
			return;
		crc = crc32_continue(&table, 0, file + at + 4,
				     4 + (size_t)length);
		at += HEAD + length;
		for (i = 0; i < 4; i++)
			file[at++] = (uint8_t)(crc >> (24 - 8 * i));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	uint8_t *file;

	if (!size)
		return 0;
	file = fuzz_alloc(size - 1);
	memcpy(file, octets + 1, size - 1);
	if (octets[0] & 1 && size > SIGNATURE)
		mend_checksums(file, size - 1);
	fuzz_picture_file("png", file, size - 1, 1);
	free(file);
	return 0;
}
