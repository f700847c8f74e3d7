/* SPDX-License-Identifier: MIT */
/*
 * wav make FILE SECONDS: writes a WAV file of 48000 Hz, two channels, 16 bits, in which no
 * second is like another.
 * wav same SHORT LONG: whether LONG begins with all the samples of SHORT, and has nothing
 * but silence behind them; says what there is.
 * wav begins SHORT LONG: the same, whatever follows.
 *
 * Exit status: 0; 1 if they are not the same; 64 for wrong usage; 66 for files that cannot
 * be read, 73 for one that cannot be written.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "reference-common/sound.h"

static const struct sound_format format = { SOUND_PCM, 16, 2, 48000 };

/* Half a minute of it. */
#define FRAMES_MAX (30u * 48000)

static int fail(int status, const char *why)
{
	fprintf(stderr, "wav: %s\n", why);
	return status;
}

static int make(const char *name, uint32_t seconds)
{
	struct failure failure;
	struct sound_sink *sink;
	uint32_t noise = 1, i;
	char spec[512];
	int error = 0;

	snprintf(spec, sizeof(spec), "wav:%s", name);
	sink = sound_sink_open(spec, &format, &failure);
	if (!sink)
		return fail(EX_CANTCREAT, failure.text);
	for (i = 0; !error && i < seconds * format.rate; i++) {
		uint8_t frame[4] = { 1, 0, 1, 0 };

		noise = noise * 1664525 + 1013904223;
		memcpy(frame,
		       (uint8_t[]){ (uint8_t)(noise >> 24 | 1),
				    (uint8_t)(noise >> 20), (uint8_t)i,
				    (uint8_t)(i >> 8) },
		       4);
		error = sound_sink_write(sink, frame, sizeof(frame), &failure);
	}
	if (sound_sink_close(sink, &failure) || error)
		return fail(EX_CANTCREAT, failure.text);
	return 0;
}

/* How many octets there are, at most FRAMES_MAX frames. */
static size_t read_all(const char *name, uint8_t *memory)
{
	struct failure failure;
	struct sound_source *source;
	char spec[512];
	size_t octets;

	snprintf(spec, sizeof(spec), "wav:%s", name);
	source = sound_source_open(spec, &format, &failure);
	if (!source) {
		fail(0, failure.text);
		exit(EX_NOINPUT);
	}
	octets = sound_source_read(source, memory, FRAMES_MAX * 4);
	sound_source_close(source);
	return octets;
}

static bool is_silent(const uint8_t *memory, size_t octets)
{
	while (octets--)
		if (*memory++)
			return false;
	return true;
}

static int compare(const char *short_name, const char *long_name, bool silence)
{
	uint8_t *some = malloc(FRAMES_MAX * 4), *all = malloc(FRAMES_MAX * 4);
	size_t some_octets, all_octets, same = 0;
	bool silent;

	if (!some || !all)
		return fail(EX_UNAVAILABLE, "out of memory");
	some_octets = read_all(short_name, some);
	all_octets = read_all(long_name, all);
	while (same < some_octets && same < all_octets &&
	       some[same] == all[same])
		same++;
	silent = is_silent(all + same, all_octets - same);
	printf("%zu frames, of which the first %zu are in the other, which has %zu; the rest of it is%s silence\n",
	       some_octets / 4, same / 4, all_octets / 4, silent ? "" : " no");
	free(some);
	free(all);
	return same != some_octets || !some_octets || (silence && !silent);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "make"))
		return make(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "same"))
		return compare(argv[2], argv[3], true);
	if (argc == 4 && !strcmp(argv[1], "begins"))
		return compare(argv[2], argv[3], false);
	return fail(EX_USAGE,
		    "make FILE SECONDS, same SHORT LONG or begins SHORT LONG");
}
