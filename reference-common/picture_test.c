/* SPDX-License-Identifier: MIT */

#include "reference-common/convert.h"
#include "reference-common/crc32.h"
#include "reference-common/parse.h"
#include "reference-common/picture.h"
#include "reference-common/test_files.h"

#ifdef HDMABUF_HAVE_LIBDRM
#include <drm_fourcc.h>

_Static_assert(PICTURE_R8 == DRM_FORMAT_R8, "R8");
_Static_assert(PICTURE_BGR888 == DRM_FORMAT_BGR888, "BGR888");
_Static_assert(PICTURE_RGB888 == DRM_FORMAT_RGB888, "RGB888");
_Static_assert(PICTURE_XRGB8888 == DRM_FORMAT_XRGB8888, "XRGB8888");
_Static_assert(PICTURE_ARGB8888 == DRM_FORMAT_ARGB8888, "ARGB8888");
_Static_assert(PICTURE_XBGR8888 == DRM_FORMAT_XBGR8888, "XBGR8888");
_Static_assert(PICTURE_ABGR8888 == DRM_FORMAT_ABGR8888, "ABGR8888");
_Static_assert(PICTURE_YUV420 == DRM_FORMAT_YUV420, "YUV420");
_Static_assert(PICTURE_YUV422 == DRM_FORMAT_YUV422, "YUV422");
_Static_assert(PICTURE_YUV444 == DRM_FORMAT_YUV444, "YUV444");
#endif

static struct picture_format format_of(uint32_t fourcc, uint32_t width,
				       uint32_t height)
{
	struct picture_format format;
	struct failure failure;

	assert_int_equal(picture_format_init(&format, fourcc, width, height,
					     &failure),
			 0);
	return format;
}

static void layout_of_packed_pictures(void **state)
{
	struct picture_format format = format_of(PICTURE_XRGB8888, 1920, 1080);

	(void)state;
	assert_int_equal(format.planes, 1);
	assert_int_equal(format.plane[0].offset, 0);
	assert_int_equal(format.plane[0].stride, 7680);
	assert_int_equal(format.plane[0].rows, 1080);
	assert_int_equal(format.plane[0].row_octets, 7680);
	assert_int_equal(format.octets, 8294400);

	format = format_of(PICTURE_BGR888, 17, 3);
	assert_int_equal(format.plane[0].row_octets, 51);
	assert_int_equal(format.plane[0].stride, 64);
	assert_int_equal(format.octets, 192);

	format = format_of(PICTURE_R8, 65, 2);
	assert_int_equal(format.plane[0].stride, 128);
}

static void assert_plane(const struct picture_plane *plane, uint64_t offset,
			 uint32_t stride, uint32_t rows, uint32_t row_octets)
{
	assert_int_equal(plane->offset, offset);
	assert_int_equal(plane->stride, stride);
	assert_int_equal(plane->rows, rows);
	assert_int_equal(plane->row_octets, row_octets);
}

static void layout_of_odd_planes_is_rounded_up(void **state)
{
	struct picture_format format = format_of(PICTURE_YUV420, 131, 7);

	(void)state;
	assert_int_equal(format.planes, 3);
	assert_plane(&format.plane[0], 0, 192, 7, 131);
	assert_plane(&format.plane[1], 1344, 128, 4, 66);
	assert_plane(&format.plane[2], 1856, 128, 4, 66);
	assert_int_equal(format.octets, 2368);

	format = format_of(PICTURE_YUV422, 3, 3);
	assert_plane(&format.plane[1], 192, 64, 3, 2);
	format = format_of(PICTURE_YUV444, 3, 3);
	assert_plane(&format.plane[2], 384, 64, 3, 3);
	format = format_of(PICTURE_YUV420, 1, 1);
	assert_plane(&format.plane[2], 128, 64, 1, 1);
}

static void largest_picture(void **state)
{
	struct picture_format format =
		format_of(PICTURE_ABGR8888, PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);

	(void)state;
	assert_int_equal(format.octets, (uint64_t)1 << 30);
}

static void impossible_pictures_are_refused(void **state)
{
	static const struct {
		uint32_t fourcc, width, height;
		const char *says;
	} cases[] = {
		{ PICTURE_R8, 0, 5, "0x5" },
		{ PICTURE_R8, 5, 0, "5x0" },
		{ PICTURE_R8, PICTURE_SIDE_MAX + 1, 1, "16385x1" },
		{ PICTURE_R8, 1, UINT32_MAX, "1x4294967295" },
		{ PICTURE_FOURCC('N', 'V', '1', '2'), 2, 2, "NV12" },
		{ 0x0a1b8041, 2, 2, "\"A\?\?\?\" (0x0a1b8041)" },
	};
	struct picture_format format;
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(picture_format_init(&format, cases[i].fourcc,
						     cases[i].width,
						     cases[i].height, &failure),
				 -1);
		assert_says(failure.text, cases[i].says);
	}
}

static void octets_beyond_64_bits_are_seen(void **state)
{
	(void)state;
	assert_true(
		picture_overflows(PICTURE_XRGB8888, UINT32_MAX, UINT32_MAX));
	assert_true(picture_overflows(PICTURE_XRGB8888, 1u << 31, 1u << 31));
	assert_false(
		picture_overflows(PICTURE_XRGB8888, 1u << 31, (1u << 31) - 1));
	assert_false(picture_overflows(PICTURE_R8, UINT32_MAX, UINT32_MAX));
	assert_true(picture_overflows(PICTURE_YUV444, UINT32_MAX, UINT32_MAX));
	assert_false(picture_overflows(0, UINT32_MAX, UINT32_MAX));
}

static void a_layout_of_anothers_is_taken_over(void **state)
{
	struct picture_format format = {
		.width = 5,
		.height = 3,
		.fourcc = PICTURE_YUV420,
		.planes = 3,
		.plane = { { .offset = 7, .stride = 5 },
			   { .offset = 30, .stride = 100 },
			   { .offset = 22, .stride = 3 } },
	};
	struct failure failure;

	(void)state;
	/* The second plane reaches furthest: to 30 + 100 + 3. */
	assert_int_equal(picture_format_check(&format, 133, &failure), 0);
	assert_plane(&format.plane[0], 7, 5, 3, 5);
	assert_plane(&format.plane[1], 30, 100, 2, 3);
	assert_plane(&format.plane[2], 22, 3, 2, 3);
	assert_int_equal(picture_format_check(&format, 132, &failure), -1);
	assert_says(failure.text, "plane 1 needs 103 octets at offset 30");
}

static void refuse_layout(struct picture_format format, const char *says)
{
	struct failure failure;

	assert_int_equal(picture_format_check(&format, 10000, &failure), -1);
	assert_says(failure.text, says);
}

static void lying_layouts_are_refused(void **state)
{
	struct picture_format good = format_of(PICTURE_YUV422, 10, 10), bad;
	struct failure failure;

	(void)state;
	assert_int_equal(picture_format_check(&good, 10000, &failure), 0);

	bad = good;
	bad.width = 65;
	refuse_layout(bad, "plane 0 has a stride of 64 octets, but rows of 65");
	bad = good;
	bad.height = 0;
	refuse_layout(bad, "10x0");
	bad = good;
	bad.fourcc++;
	refuse_layout(bad, "not supported");
	bad = good;
	bad.planes = 2;
	refuse_layout(bad, "3 planes was described with 2");
	bad = good;
	bad.plane[2].stride = 0;
	refuse_layout(bad, "plane 2");
	bad = good;
	bad.plane[1].stride = UINT32_MAX;
	refuse_layout(bad, "plane 1");
	bad = good;
	bad.plane[1].offset = UINT64_MAX - 3;
	refuse_layout(bad, "plane 1");
	bad = good;
	bad.plane[0].offset = 10001;
	refuse_layout(bad, "plane 0");
}

static void private_text_is_checked(void **state)
{
	char text[PICTURE_PRIVATE_SIZE], octets[PICTURE_PRIVATE_SIZE + 10];
	struct failure failure;

	(void)state;
	memset(octets, 'a', sizeof(octets));
	assert_int_equal(picture_private_init(text, NULL, 0, &failure), 0);
	assert_string_equal(text, "");
	assert_int_equal(picture_private_init(text, "Y4M\nF\0\0", 7, &failure),
			 0);
	assert_string_equal(text, "Y4M\nF");
	assert_int_equal(picture_private_init(text, octets, 3840, &failure), 0);
	assert_int_equal(strlen(text), 3840);
	assert_int_equal(picture_private_init(text, octets, 3841, &failure),
			 -1);
	assert_says(failure.text, "3841");
	assert_int_equal(picture_private_init(text, "a\0b", 3, &failure), -1);
	assert_says(failure.text, "octet 1 is 0x00");
	assert_int_equal(picture_private_init(text, "\033[2J", 4, &failure),
			 -1);
	assert_says(failure.text, "octet 0 is 0x1b");
}

static uint8_t *noisy_picture(const struct picture_format *format)
{
	uint8_t *memory = malloc((size_t)format->octets);

	assert_non_null(memory);
	for (size_t i = 0; i < format->octets; i++)
		memory[i] = noise((uint32_t)i);
	return memory;
}

/* Every octet is either a pixel, and then matters, or padding. */
static void crc_covers_pixels_and_nothing_else(void **state)
{
	struct picture_format format = format_of(PICTURE_YUV420, 67, 5);
	uint8_t *memory = noisy_picture(&format);
	uint32_t crc = picture_crc(0, &format, memory);
	size_t pixels = 0;

	(void)state;
	for (size_t i = 0; i < format.octets; i++) {
		memory[i] ^= 1;
		pixels += picture_crc(0, &format, memory) != crc;
		memory[i] ^= 1;
	}
	assert_int_equal(pixels, 67 * 5 + 2 * 34 * 3);
	free(memory);
}

static void crc_does_not_depend_on_the_layout(void **state)
{
	struct picture_format format = format_of(PICTURE_BGR888, 21, 9);
	struct picture_format other = format;
	uint8_t *memory = noisy_picture(&format), *copy;
	struct failure failure;

	(void)state;
	other.plane[0].stride = 63;
	other.plane[0].offset = 100;
	assert_int_equal(picture_format_check(&other, 1000, &failure), 0);
	copy = calloc(1, 1000);
	picture_copy(&other, copy, &format, memory);
	assert_int_equal(picture_crc(0, &other, copy),
			 picture_crc(0, &format, memory));
	assert_int_equal(copy[99], 0);
	assert_int_equal(copy[100 + 63 * 9], 0);
	free(copy);
	free(memory);
}

static void crc_of_several_pictures(void **state)
{
	struct picture_format format = format_of(PICTURE_R8, 64, 2);
	uint8_t *memory = noisy_picture(&format);
	struct crc32_table table;
	uint32_t crc;

	(void)state;
	crc32_table_init(&table);
	crc = crc32_continue(&table, 0, memory, 128);
	crc = crc32_continue(&table, crc, memory, 128);
	assert_int_equal(picture_crc(picture_crc(0, &format, memory), &format,
				     memory),
			 crc);
	free(memory);
}

static void rgb_rows_are_exact(void **state)
{
	static const struct {
		uint32_t fourcc;
		uint8_t rgba[4];
	} cases[] = {
		{ PICTURE_R8, { 10, 10, 10, 255 } },
		{ PICTURE_BGR888, { 10, 20, 30, 255 } },
		{ PICTURE_RGB888, { 30, 20, 10, 255 } },
		{ PICTURE_XRGB8888, { 30, 20, 10, 255 } },
		{ PICTURE_ARGB8888, { 30, 20, 10, 40 } },
		{ PICTURE_XBGR8888, { 10, 20, 30, 255 } },
		{ PICTURE_ABGR8888, { 10, 20, 30, 40 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct picture_format format = format_of(cases[i].fourcc, 1, 2);
		uint8_t memory[128] = { 0 }, rgba[4];

		memcpy(memory + 64, (uint8_t[]){ 10, 20, 30, 40 }, 4);
		convert_row(&format, memory, 1, false, rgba);
		assert_memory_equal(rgba, cases[i].rgba, 4);
	}
}

static double clipped(double value)
{
	return value < 0 ? 0 : value > 255 ? 255 : value;
}

/* ITU-R BT.601 as it is written, with its three constants. */
static void bt601(int y, int cb, int cr, bool full, double rgb[3])
{
	double luma = full ? y : (y - 16) * 255.0 / 219;
	double blue = (cb - 128) * (full ? 1 : 255.0 / 224);
	double red = (cr - 128) * (full ? 1 : 255.0 / 224);

	rgb[0] = clipped(luma + 2 * (1 - 0.299) * red);
	rgb[1] = clipped(luma - 2 * (1 - 0.114) * 0.114 / 0.587 * blue -
			 2 * (1 - 0.299) * 0.299 / 0.587 * red);
	rgb[2] = clipped(luma + 2 * (1 - 0.114) * blue);
}

static void check_yuv(int y, int cb, int cr, bool full)
{
	struct picture_format format = format_of(PICTURE_YUV444, 1, 1);
	uint8_t memory[192] = {
		[0] = (uint8_t)y, [64] = (uint8_t)cb, [128] = (uint8_t)cr
	};
	uint8_t rgba[4];
	double rgb[3];

	convert_row(&format, memory, 0, full, rgba);
	bt601(y, cb, cr, full, rgb);
	for (int i = 0; i < 3; i++)
		assert_true(rgb[i] - rgba[i] < 0.51 && rgba[i] - rgb[i] < 0.51);
	assert_int_equal(rgba[3], 255);
}

static void yuv_is_converted_by_bt601(void **state)
{
	(void)state;
	for (int y = 0; y < 256; y += 5)
		for (int cb = 0; cb < 256; cb += 15)
			for (int cr = 0; cr < 256; cr += 15) {
				check_yuv(y, cb, cr, false);
				check_yuv(y, cb, cr, true);
			}
}

/* Each pixel has the chroma of its block: seen by the red it makes. */
static void check_chroma(uint32_t fourcc, uint32_t across, uint32_t down)
{
	struct picture_format format = format_of(fourcc, 5, 3);
	const struct picture_plane *cr = &format.plane[2];
	uint8_t memory[192 * 3], rgba[5 * 4], expected;

	memset(memory, 128, sizeof(memory));
	for (uint32_t y = 0; y < cr->rows; y++)
		for (uint32_t x = 0; x < cr->row_octets; x++)
			picture_row_mutable(cr, memory, y)[x] =
				(uint8_t)(128 + y * 16 + x);
	for (uint32_t y = 0; y < 3; y++) {
		convert_row(&format, memory, y, true, rgba);
		for (uint32_t x = 0; x < 5; x++) {
			expected = (uint8_t)(128.5 + 1.402 * (y / down * 16 +
							      x / across));
			assert_int_equal(rgba[x * 4], expected);
		}
	}
}

static void chroma_is_repeated(void **state)
{
	(void)state;
	check_chroma(PICTURE_YUV420, 2, 2);
	check_chroma(PICTURE_YUV422, 2, 1);
	check_chroma(PICTURE_YUV444, 1, 1);
}

static void numbers(void **state)
{
	uint32_t a, b;

	(void)state;
	assert_true(parse_u32_pair("640x480", 'x', &a, &b));
	assert_int_equal(a, 640);
	assert_int_equal(b, 480);
	assert_true(parse_u32_pair("0:4294967295", ':', &a, &b));
	assert_int_equal(b, UINT32_MAX);
	for (const char **bad =
		     (const char *[]){ "", "x", "1", "1x", "x1", "1x1x", "1x1 ",
				       " 1x1", "-1x1", "+1x1", "1x4294967296",
				       "18446744073709551617x1", "0x10x1",
				       NULL };
	     *bad; bad++)
		assert_false(parse_u32_pair(*bad, 'x', &a, &b));
}

static void failures_are_one_printable_line(void **state)
{
	struct failure failure;

	(void)state;
	assert_int_equal(fail_with(&failure, "%s: bad", "a\nb\033[31m\x7f"),
			 -1);
	assert_string_equal(failure.text, "a?b?[31m?: bad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_of_packed_pictures),
		cmocka_unit_test(layout_of_odd_planes_is_rounded_up),
		cmocka_unit_test(largest_picture),
		cmocka_unit_test(impossible_pictures_are_refused),
		cmocka_unit_test(octets_beyond_64_bits_are_seen),
		cmocka_unit_test(a_layout_of_anothers_is_taken_over),
		cmocka_unit_test(lying_layouts_are_refused),
		cmocka_unit_test(private_text_is_checked),
		cmocka_unit_test(crc_covers_pixels_and_nothing_else),
		cmocka_unit_test(crc_does_not_depend_on_the_layout),
		cmocka_unit_test(crc_of_several_pictures),
		cmocka_unit_test(rgb_rows_are_exact),
		cmocka_unit_test(yuv_is_converted_by_bt601),
		cmocka_unit_test(chroma_is_repeated),
		cmocka_unit_test(numbers),
		cmocka_unit_test(failures_are_one_printable_line),
	};

	return hdmabuf_test_run("picture", tests,
				sizeof(tests) / sizeof(tests[0]));
}
