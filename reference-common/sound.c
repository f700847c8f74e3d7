/* SPDX-License-Identifier: MIT */

#include "reference-common/sound.h"
#include "reference-common/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a chunk that holds all there is, the most that its size can say. */
#define WAV_MAX 0xffffff00u

#define EXTENSIBLE 0xfffe

#define TONE_HZ 440

/* ---- Formats ------------------------------------------------------------ */

uint32_t sound_frame_octets(const struct sound_format *format)
{
	return format->bits / 8 * format->channels;
}

static const char *encoding_text(enum sound_encoding encoding, uint32_t bits)
{
	switch (encoding) {
	case SOUND_PCM:
		return bits == 8 ? "u" : "s";
	case SOUND_FLOAT:
		return "float";
	case SOUND_A_LAW:
		return "a-law";
	case SOUND_MU_LAW:
		return "mu-law";
	}
	return "?";
}

void sound_format_text(const struct sound_format *format, char *text,
		       size_t size)
{
	snprintf(text, size, "%s%u, %u channels, %u Hz",
		 encoding_text(format->encoding, format->bits), format->bits,
		 format->channels, format->rate);
}

static bool is_equal(const struct sound_format *a, const struct sound_format *b)
{
	return a->encoding == b->encoding && a->bits == b->bits &&
	       a->channels == b->channels && a->rate == b->rate;
}

/* What there is a use for, here and in a file. */
static bool is_known(const struct sound_format *format)
{
	uint32_t bits = format->bits;
	bool known = false;

	switch (format->encoding) {
	case SOUND_PCM:
		known = bits == 8 || bits == 16 || bits == 32;
		break;
	case SOUND_FLOAT:
		known = bits == 32 || bits == 64;
		break;
	case SOUND_A_LAW:
	case SOUND_MU_LAW:
		known = bits == 8;
		break;
	}
	return known && format->channels &&
	       format->channels <= SOUND_CHANNELS_MAX &&
	       format->rate >= SOUND_RATE_MIN && format->rate <= SOUND_RATE_MAX;
}

/* ---- WAV files ---------------------------------------------------------- */

static void put16(uint8_t *at, uint32_t number)
{
	at[0] = (uint8_t)number;
	at[1] = (uint8_t)(number >> 8);
}

static void put32(uint8_t *at, uint32_t number)
{
	put16(at, number);
	put16(at + 2, number >> 16);
}

static uint32_t get16(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) | get16(at + 2) << 16;
}

#define WAV_HEADER 44

/* Sizes are those of a file that has not been completed, until it is. */
static void make_header(uint8_t header[WAV_HEADER],
			const struct sound_format *format, uint32_t octets)
{
	uint32_t frame = sound_frame_octets(format);

	memcpy(header, "RIFF", 4);
	put32(header + 4, octets + WAV_HEADER - 8);
	memcpy(header + 8, "WAVEfmt ", 8);
	put32(header + 16, 16);
	put16(header + 20, format->encoding);
	put16(header + 22, format->channels);
	put32(header + 24, format->rate);
	put32(header + 28, format->rate * frame);
	put16(header + 32, frame);
	put16(header + 34, format->bits);
	memcpy(header + 36, "data", 4);
	put32(header + 40, octets);
}

static void get_format(const uint8_t *chunk, uint32_t octets,
		       struct sound_format *format)
{
	uint32_t encoding = get16(chunk);

	if (encoding == EXTENSIBLE && octets >= 26)
		encoding = get16(chunk + 24);
	*format = (struct sound_format){
		.encoding = (enum sound_encoding)encoding,
		.channels = get16(chunk + 2),
		.rate = get32(chunk + 4),
		.bits = get16(chunk + 14),
	};
}

static bool read_exactly(FILE *file, void *memory, size_t octets)
{
	return fread(memory, 1, octets, file) == octets;
}

/* Chunks are padded to an even number of octets. */
static bool skip(FILE *file, uint32_t octets)
{
	return !fseek(file, (long)octets + (octets & 1), SEEK_CUR);
}

/* Up to the first octet of sound; how many there are is not believed. */
static int read_header(FILE *file, const char *name,
		       struct sound_format *format, struct failure *failure)
{
	uint8_t header[12], chunk[40];
	uint32_t octets;

	*format = (struct sound_format){ 0 };
	if (!read_exactly(file, header, 12) || memcmp(header, "RIFF", 4) ||
	    memcmp(header + 8, "WAVE", 4))
		return fail_with(failure, "%s is no WAV file", name);
	while (read_exactly(file, header, 8)) {
		octets = get32(header + 4);
		if (!memcmp(header, "data", 4)) {
			if (is_known(format))
				return 0;
			return fail_with(
				failure,
				"%s: not 8, 16 or 32 bits of PCM, FLOAT, A-law or mu-law, of at most %d channels",
				name, SOUND_CHANNELS_MAX);
		}
		if (memcmp(header, "fmt ", 4)) {
			if (!skip(file, octets))
				break;
			continue;
		}
		if (octets < 16 || octets > sizeof(chunk) ||
		    !read_exactly(file, chunk, octets))
			break;
		get_format(chunk, octets, format);
	}
	return fail_with(failure, "%s: there is no sound in this WAV file",
			 name);
}

/* ---- Sinks -------------------------------------------------------------- */

struct sound_sink {
	FILE *file; /* NULL: takes all and keeps nothing */
	char *name;
	struct sound_format format;
	uint64_t octets;
};

/* The file's name; NULL for none, and then 0 says whether that is right. */
static const char *file_of(const char *spec)
{
	return !strncmp(spec, "wav:", 4) && spec[4] ? spec + 4 : NULL;
}

int sound_sink_check(const char *spec, struct failure *failure)
{
	if (file_of(spec) || !strcmp(spec, "null"))
		return 0;
	return fail_with(failure, "unknown sink of sound '%s': must be %s",
			 spec, SOUND_SINK_SPECS);
}

static int write_header(struct sound_sink *sink, uint32_t octets,
			struct failure *failure)
{
	uint8_t header[WAV_HEADER];

	make_header(header, &sink->format, octets);
	if (fwrite(header, 1, sizeof(header), sink->file) == sizeof(header))
		return 0;
	return fail_errno(failure, "cannot write %s", sink->name);
}

static int open_file(struct sound_sink *sink, const char *name,
		     struct failure *failure)
{
	sink->name = strdup(name);
	sink->file = fopen(name, "wbe");
	if (!sink->file || !sink->name)
		return fail_errno(failure, "cannot create %s", name);
	return write_header(sink, WAV_MAX, failure);
}

struct sound_sink *sound_sink_open(const char *spec,
				   const struct sound_format *format,
				   struct failure *failure)
{
	const char *name = file_of(spec);
	struct failure ignored;
	struct sound_sink *sink;

	if (sound_sink_check(spec, failure))
		return NULL;
	sink = calloc(1, sizeof(*sink));
	if (!sink) {
		fail_with(failure, "out of memory");
		return NULL;
	}
	sink->format = *format;
	if (name && open_file(sink, name, failure)) {
		sound_sink_close(sink, &ignored);
		return NULL;
	}
	return sink;
}

int sound_sink_write(struct sound_sink *sink, const void *memory, size_t octets,
		     struct failure *failure)
{
	sink->octets += octets;
	if (!sink->file)
		return 0;
	if (sink->octets > WAV_MAX)
		return fail_with(failure, "%s: a WAV file has at most 4 GiB",
				 sink->name);
	if (fwrite(memory, 1, octets, sink->file) == octets)
		return 0;
	return fail_errno(failure, "cannot write %s", sink->name);
}

/* What cannot be sought in keeps its first header. */
static int complete(struct sound_sink *sink, struct failure *failure)
{
	uint32_t octets = sink->octets > WAV_MAX ? WAV_MAX :
						   (uint32_t)sink->octets;

	if (octets & 1)
		fputc(0, sink->file);
	/* Seeking may fail for what could not be written, and hide it. */
	if (!fflush(sink->file)) {
		if (fseek(sink->file, 0, SEEK_SET))
			return 0;
		if (write_header(sink, octets, failure))
			return -1;
		if (!fflush(sink->file))
			return 0;
	}
	return fail_errno(failure, "cannot write %s", sink->name);
}

int sound_sink_close(struct sound_sink *sink, struct failure *failure)
{
	int result = 0;

	if (!sink)
		return 0;
	if (sink->file) {
		result = complete(sink, failure);
		if (fclose(sink->file) && !result)
			result = fail_errno(failure, "cannot write %s",
					    sink->name);
	}
	free(sink->name);
	free(sink);
	return result;
}

/* ---- Sources ------------------------------------------------------------ */

struct sound_source {
	FILE *file; /* NULL: a tone */
	struct sound_format format;
	uint32_t hertz;
	uint64_t frame; /* of the tone, which is next */
	uint32_t left;	/* octets of that frame that are still to come */
	uint8_t octets[SOUND_CHANNELS_MAX * sizeof(double)];
};

static bool parse_tone(const char *spec, uint32_t *hertz)
{
	*hertz = TONE_HZ;
	if (!strcmp(spec, "tone"))
		return true;
	if (strncmp(spec, "tone:", 5))
		return false;
	spec += 5;
	return parse_u32(&spec, hertz) && !*spec && *hertz &&
	       *hertz <= SOUND_RATE_MAX / 2;
}

static FILE *open_wav(const char *name, struct sound_format *format,
		      struct failure *failure)
{
	FILE *file = fopen(name, "rbe");

	if (!file) {
		fail_errno(failure, "cannot open %s", name);
		return NULL;
	}
	if (!read_header(file, name, format, failure))
		return file;
	fclose(file);
	return NULL;
}

int sound_source_check(const char *spec, struct sound_format *format,
		       struct failure *failure)
{
	uint32_t hertz;
	FILE *file;

	*format = (struct sound_format){ 0 };
	if (parse_tone(spec, &hertz))
		return 0;
	if (!file_of(spec))
		return fail_with(failure,
				 "unknown source of sound '%s': must be %s",
				 spec, SOUND_SOURCE_SPECS);
	file = open_wav(file_of(spec), format, failure);
	if (!file)
		return -1;
	fclose(file);
	return 0;
}

static int open_source(struct sound_source *source, const char *spec,
		       struct failure *failure)
{
	struct sound_format has;
	char text[64];

	if (parse_tone(spec, &source->hertz)) {
		if (source->format.encoding == SOUND_PCM ||
		    source->format.encoding == SOUND_FLOAT)
			return 0;
		return fail_with(failure, "a tone is of PCM or FLOAT only");
	}
	if (!file_of(spec))
		return fail_with(failure,
				 "unknown source of sound '%s': must be %s",
				 spec, SOUND_SOURCE_SPECS);
	source->file = open_wav(file_of(spec), &has, failure);
	if (!source->file)
		return -1;
	if (is_equal(&has, &source->format))
		return 0;
	sound_format_text(&has, text, sizeof(text));
	return fail_with(failure, "%s has %s, which is not asked for",
			 file_of(spec), text);
}

struct sound_source *sound_source_open(const char *spec,
				       const struct sound_format *format,
				       struct failure *failure)
{
	struct sound_source *source = calloc(1, sizeof(*source));

	if (!source) {
		fail_with(failure, "out of memory");
		return NULL;
	}
	source->format = *format;
	if (!open_source(source, spec, failure))
		return source;
	sound_source_close(source);
	return NULL;
}

/* Of a turn, from 0 to 1: good for 24 bits. */
static double sine(double turn)
{
	double x = (turn < 0.5 ? turn : turn - 1) * 2 * 3.14159265358979323846;
	double term = x, sum = x;

	for (int i = 2; i < 28; i += 2) {
		term *= -x * x / (i * (i + 1));
		sum += term;
	}
	return sum;
}

static void put_sample(const struct sound_format *format, double value,
		       uint8_t *at)
{
	float single = (float)value;

	if (format->encoding == SOUND_FLOAT && format->bits == 64)
		memcpy(at, &value, sizeof(value));
	else if (format->encoding == SOUND_FLOAT)
		memcpy(at, &single, sizeof(single));
	else if (format->bits == 8)
		*at = (uint8_t)(128 + (int)(value * 127));
	else if (format->bits == 16)
		put16(at, (uint32_t)(int32_t)(value * 32767));
	else
		put32(at, (uint32_t)(int32_t)(value * 2147483647.0));
}

/* At half of what is possible, the same in all channels. */
static void make_frame(struct sound_source *source)
{
	const struct sound_format *format = &source->format;
	uint64_t phase = source->frame++ * source->hertz % format->rate;
	double value = 0.5 * sine((double)phase / format->rate);

	source->left = sound_frame_octets(format);
	for (uint32_t i = 0; i < format->channels; i++)
		put_sample(format, value,
			   source->octets + i * (format->bits / 8));
}

static size_t read_tone(struct sound_source *source, uint8_t *memory,
			size_t octets)
{
	uint32_t size = sound_frame_octets(&source->format);

	for (size_t i = 0; i < octets; i++) {
		if (!source->left)
			make_frame(source);
		memory[i] = source->octets[size - source->left--];
	}
	return octets;
}

size_t sound_source_read(struct sound_source *source, void *memory,
			 size_t octets)
{
	uint8_t silence = source->format.encoding == SOUND_PCM &&
					  source->format.bits == 8 ?
				  0x80 :
				  0;
	size_t had;

	if (!source->file)
		return read_tone(source, memory, octets);
	had = fread(memory, 1, octets, source->file);
	memset((uint8_t *)memory + had, silence, octets - had);
	return had;
}

void sound_source_close(struct sound_source *source)
{
	if (!source)
		return;
	if (source->file)
		fclose(source->file);
	free(source);
}
