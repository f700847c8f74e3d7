/* SPDX-License-Identifier: MIT */
/*
 * pattern_crc WIDTHxHEIGHT: whether a program saw the pattern as it is
 *
 * Standard input is what a program wrote that gets pictures, with --verify and
 * --verbose: its frames may begin with any number, go on without a gap, and begin
 * anew with frame 0. Prints how many there were.
 *
 * Exit status: 0; 65 if a frame is not the next one or its pixels are wrong, after a
 * line that says which; 64 for wrong usage, 69 if there is no memory.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "reference-common/source.h"

#define LINE 1024

/* What a program has told so far: @next is 0 as well if it has told nothing. */
struct told {
	const char *spec;
	struct source *source;
	void *memory;
	uint64_t next;
	uint32_t crc;
	uint64_t count;
};

/* A line may be cut off, as the program was. */
static bool get_frame(const char *line, uint64_t *number, uint32_t *crc)
{
	const char *frame = strstr(line, ": frame ");
	int end = 0;

	return frame &&
	       sscanf(frame, ": frame %" SCNu64 ": crc32 so far %8" SCNx32 "%n",
		      number, crc, &end) == 2 &&
	       frame[end] == '\n';
}

/* From the beginning, as the source gives one frame after the other. */
static bool begin_at(struct told *told, uint64_t number)
{
	struct failure failure;

	source_close(told->source);
	told->source = source_open(told->spec, &failure);
	if (!told->source) {
		fprintf(stderr, "pattern_crc: %s\n", failure.text);
		return false;
	}
	if (!told->memory)
		told->memory = malloc(told->source->format.octets);
	if (!told->memory)
		return false;
	for (told->next = 0; told->next < number; told->next++)
		source_read(told->source, told->memory, &failure);
	told->crc = 0;
	return true;
}

static int add_frame(struct told *told, uint64_t number, uint32_t crc)
{
	struct failure failure;

	if ((!number || !told->count) && !begin_at(told, number))
		return EX_UNAVAILABLE;
	if (number != told->next) {
		printf("frame %" PRIu64 " comes instead of %" PRIu64 "\n",
		       number, told->next);
		return EX_DATAERR;
	}
	source_read(told->source, told->memory, &failure);
	told->crc = picture_crc(told->crc, &told->source->format, told->memory);
	if (crc != told->crc) {
		printf("frame %" PRIu64 ": crc32 so far %08x, not %08x\n",
		       number, crc, told->crc);
		return EX_DATAERR;
	}
	told->next++;
	told->count++;
	return EX_OK;
}

int main(int argc, char **argv)
{
	struct told told = { 0 };
	char spec[64], line[LINE];
	uint64_t number;
	uint32_t crc;
	int status = EX_OK;

	if (argc != 2) {
		fprintf(stderr, "Usage: pattern_crc WIDTHxHEIGHT\n");
		return EX_USAGE;
	}
	snprintf(spec, sizeof(spec), "pattern:%s", argv[1]);
	told.spec = spec;
	while (!status && fgets(line, sizeof(line), stdin))
		if (get_frame(line, &number, &crc))
			status = add_frame(&told, number, crc);
	if (!status)
		printf("%" PRIu64 "\n", told.count);
	source_close(told.source);
	free(told.memory);
	return status;
}
