/* SPDX-License-Identifier: MIT */
/*
 * What is written as WAV is read again, octet for octet, in every format; a file that is
 * none, or that lies, is refused or ends where it ends; a tone is one.
 */
#include "reference-common/sound.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct sound_format formats[] = {
	{ SOUND_PCM, 8, 1, 8000 },    { SOUND_PCM, 16, 2, 48000 },
	{ SOUND_PCM, 32, 8, 192000 }, { SOUND_FLOAT, 32, 2, 44100 },
	{ SOUND_FLOAT, 64, 1, 4000 }, { SOUND_A_LAW, 8, 1, 8000 },
	{ SOUND_MU_LAW, 8, 2, 8000 },
};

struct file {
	char path[40];
	char spec[48];
};

static void make_file(struct file *file)
{
	int fd;

	snprintf(file->path, sizeof(file->path), "/tmp/sound-XXXXXX.wav");
	fd = mkstemps(file->path, 4);
	assert_true(fd >= 0);
	close(fd);
	snprintf(file->spec, sizeof(file->spec), "wav:%s", file->path);
}

static void write_wav(const struct file *file,
		      const struct sound_format *format, const uint8_t *octets,
		      size_t count)
{
	struct failure failure;
	struct sound_sink *sink = sound_sink_open(file->spec, format, &failure);

	assert_non_null(sink);
	assert_int_equal(sound_sink_write(sink, octets, count / 2, &failure),
			 0);
	assert_int_equal(sound_sink_write(sink, octets + count / 2,
					  count - count / 2, &failure),
			 0);
	assert_int_equal(sound_sink_close(sink, &failure), 0);
}

static void what_is_written_is_read(void **state)
{
	uint8_t octets[4096 + 8], seen[4096 + 8];
	struct file file;

	(void)state;
	make_file(&file);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < COUNT(formats); i++) {
		size_t count = 64 * sound_frame_octets(&formats[i]);
		struct sound_format has;
		struct failure failure;
		struct sound_source *source;

		write_wav(&file, &formats[i], octets, count);
		assert_int_equal(sound_source_check(file.spec, &has, &failure),
				 0);
		assert_memory_equal(&has, &formats[i], sizeof(has));
		source = sound_source_open(file.spec, &formats[i], &failure);
		assert_non_null(source);
		assert_int_equal(sound_source_read(source, seen, count + 8),
				 count);
		assert_memory_equal(seen, octets, count);
		assert_int_equal(seen[count], i == 0 ? 0x80 : 0);
		sound_source_close(source);
		assert_null(sound_source_open(
			file.spec, &formats[(i + 1) % COUNT(formats)],
			&failure));
		assert_non_null(strstr(failure.text, "not asked for"));
	}
	unlink(file.path);
}

/* As other programs find it: sizes and their sum. */
static void a_header_is_complete(void **state)
{
	uint8_t octets[12] = { 1, 2, 3 }, header[56];
	struct file file;
	FILE *stream;

	(void)state;
	make_file(&file);
	write_wav(&file, &formats[1], octets, sizeof(octets));
	stream = fopen(file.path, "rb");
	assert_int_equal(fread(header, 1, sizeof(header), stream), 56);
	assert_int_equal(fgetc(stream), EOF);
	fclose(stream);
	unlink(file.path);
	assert_memory_equal(header,
			    "RIFF\x30\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0"
			    "\x80\xbb\0\0\0\xee\x02\0\x04\0\x10\0"
			    "data\x0c\0\0\0\x01\x02\x03",
			    47);
}

static void put(const struct file *file, const void *octets, size_t count)
{
	FILE *stream = fopen(file->path, "wb");

	assert_int_equal(fwrite(octets, 1, count, stream), count);
	fclose(stream);
}

/* Cut anywhere, and with any octet changed, it is refused or read as far as it goes. */
static void what_is_no_wav_is_refused(void **state)
{
	static const uint8_t silence[64];
	uint8_t whole[44 + 64], seen[128];
	struct sound_format has;
	struct failure failure;
	struct file file;
	FILE *stream;

	(void)state;
	make_file(&file);
	write_wav(&file, &formats[1], silence, sizeof(silence));
	stream = fopen(file.path, "rb");
	assert_int_equal(fread(whole, 1, sizeof(whole), stream), sizeof(whole));
	fclose(stream);
	for (size_t cut = 0; cut < 44; cut++) {
		put(&file, whole, cut);
		assert_int_equal(sound_source_check(file.spec, &has, &failure),
				 -1);
		assert_true(*failure.text);
	}
	for (size_t i = 0; i < 44 * 8; i++) {
		whole[i / 8] ^= (uint8_t)(1 << i % 8);
		put(&file, whole, sizeof(whole));
		if (!sound_source_check(file.spec, &has, &failure)) {
			struct sound_source *source =
				sound_source_open(file.spec, &has, &failure);

			assert_non_null(source);
			assert_in_range(sound_source_read(source, seen, 128), 0,
					64);
			sound_source_close(source);
		}
		whole[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	unlink(file.path);
}

static void unknown_specs_are_refused(void **state)
{
	static const char *const sources[] = {
		"", "wav:", "tone:", "tone:0", "tone:1x", "null", "wav:/nowhere"
	};
	struct sound_format has;
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++)
		assert_int_equal(sound_source_check(sources[i], &has, &failure),
				 -1);
	assert_int_equal(sound_sink_check("tone", &failure), -1);
	assert_int_equal(sound_sink_check("wav:", &failure), -1);
	assert_int_equal(sound_sink_check("null", &failure), 0);
	assert_int_equal(sound_source_check("tone", &has, &failure), 0);
	assert_int_equal(has.channels, 0);
	assert_null(
		sound_sink_open("wav:/nowhere/x.wav", &formats[0], &failure));
	assert_null(sound_source_open("tone", &formats[5], &failure));
}

/* 1000 Hz at 8000: eight samples a period, the same in both channels. */
static void a_tone_is_one(void **state)
{
	static const int expected[] = { 0, 11584,  16383,  11584,
					0, -11584, -16383, -11584 };
	const struct sound_format format = { SOUND_PCM, 16, 2, 8000 };
	struct failure failure;
	struct sound_source *source =
		sound_source_open("tone:1000", &format, &failure);
	int16_t seen[2];

	(void)state;
	for (int i = 0; i < 32; i++) {
		/* In pieces that are no whole frames, too. */
		assert_int_equal(sound_source_read(source, seen, 3), 3);
		assert_int_equal(sound_source_read(source, (char *)seen + 3, 1),
				 1);
		assert_int_equal(seen[0], seen[1]);
		assert_in_range(seen[0] - expected[i % 8] + 2, 0, 4);
	}
	sound_source_close(source);
}

/* It begins in the middle, and goes up from there. */
static void a_tone_is_one_in_each_format(void **state)
{
	static const uint8_t middle[8] = { 0x80 };
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < COUNT(formats); i++) {
		size_t octets = sound_frame_octets(&formats[i]);
		bool is_law = formats[i].encoding == SOUND_A_LAW ||
			      formats[i].encoding == SOUND_MU_LAW;
		struct sound_source *source =
			sound_source_open("tone", &formats[i], &failure);
		uint8_t first[64], second[64];

		assert_int_equal(!source, is_law);
		if (is_law)
			continue;
		assert_int_equal(sound_source_read(source, first, octets),
				 octets);
		assert_int_equal(sound_source_read(source, second, octets),
				 octets);
		assert_memory_equal(first,
				    formats[i].bits == 8 ? middle : middle + 1,
				    formats[i].bits == 8 ? 1 : 4);
		assert_true(memcmp(first, second, octets));
		sound_source_close(source);
	}
	sound_source_close(NULL);
}

static void a_file_that_cannot_grow_is_told(void **state)
{
	static const uint8_t octets[1 << 17];
	struct failure failure;
	struct sound_sink *sink;

	(void)state;
	if (access("/dev/full", W_OK))
		hdmabuf_test_skip("there is no /dev/full");
	sink = sound_sink_open("wav:/dev/full", &formats[1], &failure);
	assert_non_null(sink);
	assert_int_equal(
		sound_sink_write(sink, octets, sizeof(octets), &failure), -1);
	assert_non_null(strstr(failure.text, "/dev/full"));
	assert_int_equal(sound_sink_close(sink, &failure), -1);
	sink = sound_sink_open("wav:/dev/full", &formats[0], &failure);
	assert_non_null(sink);
	assert_int_equal(sound_sink_write(sink, octets, 3, &failure), 0);
	assert_int_equal(sound_sink_close(sink, &failure), -1);
	assert_int_equal(sound_sink_close(NULL, &failure), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_header_is_complete),
		cmocka_unit_test(what_is_no_wav_is_refused),
		cmocka_unit_test(unknown_specs_are_refused),
		cmocka_unit_test(a_tone_is_one),
		cmocka_unit_test(a_tone_is_one_in_each_format),
		cmocka_unit_test(a_file_that_cannot_grow_is_told),
	};

	return hdmabuf_test_run("sound", tests, COUNT(tests));
}
