/* SPDX-License-Identifier: MIT */

#include "reference-common/source.h"
#include "reference-common/test_files.h"

#define UNTOUCHED 0xa5

static struct source *open_pattern(const char *spec)
{
	struct failure failure;
	struct source *source = source_open(spec, &failure);

	assert_non_null(source);
	assert_int_equal(source->format.fourcc, PICTURE_XRGB8888);
	assert_true(source->endless);
	assert_false(source->still);
	assert_int_equal(source->fd, -1);
	assert_string_equal(source->private_text, "");
	return source;
}

static uint8_t *picture_for(const struct source *source)
{
	uint8_t *memory = malloc((size_t)source->format.octets);

	assert_non_null(memory);
	memset(memory, UNTOUCHED, (size_t)source->format.octets);
	return memory;
}

static void draw(struct source *source, uint8_t *memory)
{
	struct failure failure;

	assert_int_equal(source_read(source, memory, &failure), 1);
}

static void default_size(void **state)
{
	struct source *source = open_pattern("pattern");

	(void)state;
	assert_int_equal(source->format.width, 1920);
	assert_int_equal(source->format.height, 1080);
	assert_int_equal(source->rate_numerator, 60);
	assert_int_equal(source->rate_denominator, 1);
	source_close(source);
}

/* The frame number is in the picture, for every size down to the smallest. */
static void frames_are_numbered_and_differ(void **state)
{
	static const char *const specs[] = { "pattern:64x32", "pattern:65x33",
					     "pattern:333x127",
					     "pattern:640x480" };

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct source *source = open_pattern(specs[i]);
		uint8_t *memory = picture_for(source);
		uint32_t crc = 0;

		for (uint64_t frame = 0; frame < 300; frame++) {
			uint32_t before = crc;

			draw(source, memory);
			assert_int_equal(source_pattern_counter(&source->format,
								memory),
					 frame);
			crc = picture_crc(0, &source->format, memory);
			assert_int_not_equal(crc, before);
		}
		free(memory);
		source_close(source);
	}
}

static void padding_is_not_written(void **state)
{
	struct source *source = open_pattern("pattern:70x40");
	const struct picture_plane *plane = &source->format.plane[0];
	uint8_t *memory = picture_for(source);

	(void)state;
	for (int frame = 0; frame < 50; frame++)
		draw(source, memory);
	for (uint32_t y = 0; y < plane->rows; y++) {
		const uint8_t *row = picture_row(plane, memory, y);

		for (uint32_t i = plane->row_octets; i < plane->stride; i++)
			assert_int_equal(row[i], UNTOUCHED);
		for (uint32_t i = 3; i < plane->row_octets; i += 4)
			assert_int_equal(row[i], 0xff);
	}
	free(memory);
	source_close(source);
}

static void assert_pixel(const struct source *source, const uint8_t *memory,
			 uint32_t x, uint32_t y, uint32_t rgb)
{
	const uint8_t *pixel =
		picture_row(&source->format.plane[0], memory, y) + x * 4;

	assert_int_equal(pixel[2] << 16 | pixel[1] << 8 | pixel[0], rgb);
}

static void bars_box_ramp_and_counter(void **state)
{
	static const uint32_t bars[8] = { 0xffffff, 0xffff00, 0x00ffff,
					  0x00ff00, 0xff00ff, 0xff0000,
					  0x0000ff, 0x000000 };
	struct source *source = open_pattern("pattern:640x480");
	uint8_t *memory = picture_for(source);

	(void)state;
	draw(source, memory);
	assert_pixel(source, memory, 0, 0, 0x808080);
	assert_pixel(source, memory, 59, 59, 0x808080);
	for (uint32_t i = 0; i < 8; i++)
		assert_pixel(source, memory, i * 80 + 40, 300, bars[i]);
	assert_pixel(source, memory, 320, 380, 0x808080);
	assert_pixel(source, memory, 639, 479, 0x000000);

	/* The second frame: box and ramp have moved, the last bit is set. */
	draw(source, memory);
	assert_pixel(source, memory, 4, 3, 0xffffff);
	assert_pixel(source, memory, 5, 3, 0x808080);
	assert_pixel(source, memory, 316, 380, 0x808080);
	assert_pixel(source, memory, 639, 479, 0xffffff);
	free(memory);
	source_close(source);
}

/* Noted once: whoever changes the picture must mean it. */
static void picture_is_the_same_everywhere(void **state)
{
	struct source *source = open_pattern("pattern:320x200");
	uint8_t *memory = picture_for(source);
	uint32_t crc = 0;

	(void)state;
	for (int frame = 0; frame < 100; frame++) {
		draw(source, memory);
		crc = picture_crc(crc, &source->format, memory);
	}
	assert_int_equal(crc, 0x71204794);
	free(memory);
	source_close(source);
}

static void bad_specs_are_refused(void **state)
{
	static const char *const sizes[] = {
		"",	    "1",	"640",	     "640x",	       "x480",
		"640x480x", "640x480 ", "640 x 480", "-640x480",       "63x480",
		"640x31",   "16385x64", "64x16385",  "4294967936x480",
	};
	struct failure failure;
	char spec[64];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(spec, sizeof(spec), "pattern:%s", sizes[i]);
		assert_null(source_open(spec, &failure));
		assert_says(failure.text, spec);
	}
}

static void unknown_sources_are_refused(void **state)
{
	static const char *const specs[] = { "",	 ":",	   "patter",
					     "patterns", "jpeg:x", "/etc" };
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		assert_null(source_open(specs[i], &failure));
		assert_says(failure.text, "unknown source");
		assert_says(failure.text, specs[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_size),
		cmocka_unit_test(frames_are_numbered_and_differ),
		cmocka_unit_test(padding_is_not_written),
		cmocka_unit_test(bars_box_ramp_and_counter),
		cmocka_unit_test(picture_is_the_same_everywhere),
		cmocka_unit_test(bad_specs_are_refused),
		cmocka_unit_test(unknown_sources_are_refused),
	};

	return hdmabuf_test_run("source_pattern", tests,
				sizeof(tests) / sizeof(tests[0]));
}
