/* SPDX-License-Identifier: MIT */

#include "reference-common/describe.h"
#include "tests/harness.h"

#include <string.h>

/* 64x32 in three planes, of which the second and third have a quarter each. */
static struct hdmabuf_info yuv_info(void)
{
	struct hdmabuf_info info = { 0 };
	struct picture_format format;
	struct failure failure;

	assert_int_equal(picture_format_init(&format, PICTURE_YUV420, 64, 32,
					     &failure),
			 0);
	describe_picture(&info, &format);
	return info;
}

static uint16_t check(const struct hdmabuf_info *info)
{
	struct failure failure = { .text = "" };
	uint16_t status = describe_check(info, &failure);

	/* There are words for what is wrong, and only then. */
	assert_int_equal(!status, !*failure.text);
	assert_null(strchr(failure.text, '\n'));
	return status;
}

static void pictures_are_as_they_are_laid_out(void **state)
{
	struct hdmabuf_info info = yuv_info();

	(void)state;
	assert_int_equal(info.type, HDMABUF_TYPE_PICTURE);
	assert_int_equal(info.size, 64 * 32 + 2 * 64 * 16);
	assert_int_equal(info.picture.width, 64);
	assert_int_equal(info.picture.height, 32);
	assert_int_equal(info.picture.fourcc, PICTURE_YUV420);
	assert_int_equal(info.picture.planes, 3);
	assert_int_equal(info.picture.plane_first, 0);
	assert_int_equal(info.picture.plane_count, 3);
	assert_int_equal(info.picture.plane[2].offset, 64 * 32 + 64 * 16);
	assert_int_equal(info.picture.plane[2].stride, 64);
	assert_int_equal(check(&info), HDMABUF_STATUS_OK);
}

/* HDB-IMP-006 */
static void unknown_pictures_are_unsupported(void **state)
{
	struct hdmabuf_info info = yuv_info();

	(void)state;
	info.picture.fourcc = 1;
	assert_int_equal(check(&info), HDMABUF_STATUS_UNSUPPORTED);
	info = yuv_info();
	info.picture.modifier = 1;
	assert_int_equal(check(&info), HDMABUF_STATUS_UNSUPPORTED);
}

static void pictures_that_are_too_large_are_unsupported(void **state)
{
	struct hdmabuf_info info = yuv_info();

	(void)state;
	info.picture.plane_count = 1;
	info.picture.width = PICTURE_SIDE_MAX + 1;
	info.picture.plane[0].stride = PICTURE_SIDE_MAX + 1;
	info.size = 32 * (PICTURE_SIDE_MAX + 1);
	assert_int_equal(check(&info), HDMABUF_STATUS_UNSUPPORTED);
}

/* HDB-IMP-006: to the octet. */
static void what_lies_outside_is_invalid(void **state)
{
	struct hdmabuf_info info = yuv_info();

	(void)state;
	/* Of the last row, only what is pixels must be there. */
	info.size -= 32;
	assert_int_equal(check(&info), HDMABUF_STATUS_OK);
	info.size--;
	assert_int_equal(check(&info), HDMABUF_STATUS_INVALID);
	info = yuv_info();
	info.picture.plane[1].offset = UINT64_MAX;
	assert_int_equal(check(&info), HDMABUF_STATUS_INVALID);
	info = yuv_info();
	info.picture.plane[0].stride = 63;
	assert_int_equal(check(&info), HDMABUF_STATUS_INVALID);
	info = yuv_info();
	info.picture.height = 33;
	info.picture.plane[0].stride = UINT32_MAX;
	assert_int_equal(check(&info), HDMABUF_STATUS_INVALID);
	info = yuv_info();
	info.picture.width = UINT32_MAX;
	assert_int_equal(check(&info), HDMABUF_STATUS_INVALID);
	info = yuv_info();
	info.picture.height = UINT32_MAX;
	assert_int_equal(check(&info), HDMABUF_STATUS_INVALID);
	info = yuv_info();
	info.picture.planes = 4;
	assert_int_equal(check(&info), HDMABUF_STATUS_INVALID);
}

/* A picture may lie in several buffers; each is checked for what it has. */
static void planes_may_be_elsewhere(void **state)
{
	struct hdmabuf_info info = yuv_info();

	(void)state;
	info.picture.plane_first = 2;
	info.picture.plane_count = 1;
	info.picture.plane[0].offset = 0;
	info.picture.plane[0].stride = 32;
	info.size = 32 * 16;
	assert_int_equal(check(&info), HDMABUF_STATUS_OK);
	info.size--;
	assert_int_equal(check(&info), HDMABUF_STATUS_INVALID);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_are_as_they_are_laid_out),
		cmocka_unit_test(unknown_pictures_are_unsupported),
		cmocka_unit_test(pictures_that_are_too_large_are_unsupported),
		cmocka_unit_test(what_lies_outside_is_invalid),
		cmocka_unit_test(planes_may_be_elsewhere),
	};

	return hdmabuf_test_run("describe", tests,
				sizeof(tests) / sizeof(tests[0]));
}
