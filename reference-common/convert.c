/* SPDX-License-Identifier: MIT */

#include "reference-common/convert.h"

/* BT.601 in units of 1/65536, of Y above black, and Cb and Cr around 128. */
struct matrix {
	int32_t black, luma, cr_red, cb_green, cr_green, cb_blue;
};

static const struct matrix *matrix_for(bool full_range)
{
	static const struct matrix limited = { 16,    76309, 104597,
					       25675, 53279, 132201 };
	static const struct matrix full = { 0,	   65536, 91881,
					    22554, 46802, 116130 };

	return full_range ? &full : &limited;
}

static uint8_t round_and_clip(int32_t value)
{
	value += 32768;
	if (value < 0)
		return 0;
	value /= 65536;
	return value > 255 ? 255 : (uint8_t)value;
}

static void yuv_row(const struct picture_format *format, const void *memory,
		    uint32_t y, bool full_range, uint8_t *rgba)
{
	const struct picture_plane *plane = format->plane;
	uint32_t down = plane[1].rows < plane[0].rows ? 2 : 1;
	uint32_t across = plane[1].row_octets < plane[0].row_octets ? 2 : 1;
	const uint8_t *lumas = picture_row(&plane[0], memory, y);
	const uint8_t *cbs = picture_row(&plane[1], memory, y / down);
	const uint8_t *crs = picture_row(&plane[2], memory, y / down);
	const struct matrix *m = matrix_for(full_range);

	for (uint32_t x = 0; x < format->width; x++, rgba += 4) {
		int32_t luma = (lumas[x] - m->black) * m->luma;
		int32_t cb = cbs[x / across] - 128, cr = crs[x / across] - 128;

		rgba[0] = round_and_clip(luma + cr * m->cr_red);
		rgba[1] = round_and_clip(luma - cb * m->cb_green -
					 cr * m->cr_green);
		rgba[2] = round_and_clip(luma + cb * m->cb_blue);
		rgba[3] = 255;
	}
}

/* Where red, green, blue and alpha are in a pixel; -1: opaque. */
struct order {
	uint32_t fourcc;
	int8_t size, red, green, blue, alpha;
};

static const struct order *find_order(uint32_t fourcc)
{
	static const struct order orders[] = {
		{ PICTURE_R8, 1, 0, 0, 0, -1 },
		{ PICTURE_BGR888, 3, 0, 1, 2, -1 },
		{ PICTURE_RGB888, 3, 2, 1, 0, -1 },
		{ PICTURE_XRGB8888, 4, 2, 1, 0, -1 },
		{ PICTURE_XBGR8888, 4, 0, 1, 2, -1 },
		{ PICTURE_ARGB8888, 4, 2, 1, 0, 3 },
		{ PICTURE_ABGR8888, 4, 0, 1, 2, 3 },
	};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (orders[i].fourcc == fourcc)
			return &orders[i];
	return NULL;
}

static void rgb_row(const struct picture_format *format, const void *memory,
		    uint32_t y, const struct order *order, uint8_t *rgba)
{
	const uint8_t *pixel = picture_row(&format->plane[0], memory, y);

	for (uint32_t x = 0; x < format->width;
	     x++, rgba += 4, pixel += order->size) {
		rgba[0] = pixel[order->red];
		rgba[1] = pixel[order->green];
		rgba[2] = pixel[order->blue];
		rgba[3] = order->alpha < 0 ? 255 : pixel[order->alpha];
	}
}

void convert_row(const struct picture_format *format, const void *memory,
		 uint32_t y, bool full_range, uint8_t *rgba)
{
	const struct order *order = find_order(format->fourcc);

	if (order)
		rgb_row(format, memory, y, order, rgba);
	else
		yuv_row(format, memory, y, full_range, rgba);
}
