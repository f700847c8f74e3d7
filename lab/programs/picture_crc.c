/* SPDX-License-Identifier: MIT */
/*
 * picture_crc FILE.png...: the CRC-32 of the pixels of each, as if they were XRGB8888 in
 * memory with X 0, and of all of them, in the words of draw.
 *
 * Exit status: 0, 66 if a file cannot be read, 65 if it is no PNG of three colours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "reference-common/crc32.h"
#include "reference-common/source.h"

static int fail(const char *name, const char *why, int status)
{
	fprintf(stderr, "picture_crc: %s: %s\n", name, why);
	return status;
}

static void add_row(const struct crc32_table *table, const uint8_t *row,
		    uint32_t width, uint32_t *crc, uint32_t *all)
{
	uint32_t x;

	for (x = 0; x < width; x++, row += 3) {
		uint8_t pixel[4] = { row[2], row[1], row[0], 0 };

		*crc = crc32_continue(table, *crc, pixel, sizeof(pixel));
		*all = crc32_continue(table, *all, pixel, sizeof(pixel));
	}
}

static int add_picture(const struct crc32_table *table, struct source *source,
		       uint32_t *crc, uint32_t *all)
{
	const struct picture_format *format = &source->format;
	uint8_t *memory = malloc(format->octets);
	struct failure failure;
	uint32_t y;

	if (!memory || source_read(source, memory, &failure) != 1) {
		free(memory);
		return -1;
	}
	for (y = 0; y < format->height; y++)
		add_row(table, picture_row(&format->plane[0], memory, y),
			format->width, crc, all);
	free(memory);
	return 0;
}

static int add_file(const struct crc32_table *table, const char *name,
		    unsigned int number, uint32_t *all)
{
	struct failure failure;
	struct source *source;
	char spec[1024];
	uint32_t crc = 0;
	int result = -1;

	snprintf(spec, sizeof(spec), "png:%s", name);
	source = source_open(spec, &failure);
	if (!source)
		return fail(name, failure.text, EX_NOINPUT);
	if (source->format.fourcc == PICTURE_BGR888)
		result = add_picture(table, source, &crc, all);
	source_close(source);
	if (result)
		return fail(name, "no picture of three colours", EX_DATAERR);
	printf("frame %u: crc32 %08x, so far %08x\n", number, crc, *all);
	return 0;
}

int main(int argc, char **argv)
{
	struct crc32_table table;
	uint32_t all = 0;
	int i, status;

	crc32_table_init(&table);
	for (i = 1; i < argc; i++) {
		status = add_file(&table, argv[i], (unsigned int)i - 1, &all);
		if (status)
			return status;
	}
	printf("all %d frames: crc32 %08x\n", argc - 1, all);
	return 0;
}
