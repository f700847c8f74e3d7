/* SPDX-License-Identifier: MIT */
/*
 * A moving test picture that is the same on every machine: colour bars with a
 * bouncing box, below them a scrolling grey ramp, and at the bottom the frame
 * number as 64 black or white cells, the most significant bit at the left.
 */

#include "reference-common/parse.h"
#include "reference-common/source.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_WIDTH  1920
#define DEFAULT_HEIGHT 1080
#define CELLS	       64
#define WIDTH_MIN      CELLS
#define HEIGHT_MIN     32
#define PIXEL	       4 /* octets: B, G, R, unused */

/* Whole rows, drawn once; a frame is put together from them. */
struct pattern {
	struct source base;
	uint64_t frame;
	uint8_t *bars;	  /* one row */
	uint8_t *ramp;	  /* two rows side by side, to begin anywhere */
	uint8_t *counter; /* one row */
	uint8_t *box;	  /* one row of the box */
};

/* Where the parts of the picture end, counted in rows from the top. */
static uint32_t bars_rows(const struct picture_format *format)
{
	return format->height - format->height / 4;
}

static uint32_t ramp_end(const struct picture_format *format)
{
	return format->height - format->height / 8;
}

static uint32_t box_side(const struct picture_format *format)
{
	uint32_t smaller = format->width < format->height ? format->width :
							    format->height;

	return smaller / 8;
}

static void put(uint8_t *row, uint32_t x, uint8_t red, uint8_t green,
		uint8_t blue)
{
	uint8_t *pixel = row + (size_t)x * PIXEL;

	pixel[0] = blue;
	pixel[1] = green;
	pixel[2] = red;
	pixel[3] = 0xff;
}

static void fill(uint8_t *row, uint32_t x, uint32_t width, uint8_t grey)
{
	while (width--)
		put(row, x++, grey, grey, grey);
}

/* White, yellow, cyan, green, magenta, red, blue, black. */
static void draw_bars(uint8_t *row, uint32_t width)
{
	static const uint8_t bars[8] = { 7, 6, 3, 2, 5, 4, 1, 0 };

	for (uint32_t x = 0; x < width; x++) {
		uint8_t bar = bars[(uint64_t)x * 8 / width];

		put(row, x, bar & 4 ? 0xff : 0, bar & 2 ? 0xff : 0,
		    bar & 1 ? 0xff : 0);
	}
}

static void draw_ramp(uint8_t *row, uint32_t width)
{
	for (uint32_t x = 0; x < width * 2; x++)
		fill(row, x, 1, (uint8_t)((uint64_t)(x % width) * 256 / width));
}

static void draw_counter(uint8_t *row, uint32_t width, uint64_t number)
{
	uint32_t cell = width / CELLS;

	for (uint32_t i = 0; i < CELLS; i++)
		fill(row, i * cell, cell,
		     number >> (CELLS - 1 - i) & 1 ? 0xff : 0);
}

uint64_t source_pattern_counter(const struct picture_format *format,
				const void *memory)
{
	uint32_t y = (ramp_end(format) + format->height) / 2;
	const uint8_t *row = picture_row(&format->plane[0], memory, y);
	uint32_t pixel = format->plane[0].row_octets / format->width;
	uint32_t cell = format->width / CELLS;
	uint64_t number = 0;

	/* Octet 1 is green in all RGB formats; the others have one octet. */
	if (pixel > 1)
		row++;
	for (uint32_t i = 0; i < CELLS; i++)
		number = number << 1 |
			 row[(size_t)(i * cell + cell / 2) * pixel] >> 7;
	return number;
}

/* To and fro between 0 and span. */
static uint32_t bounce(uint64_t way, uint32_t span)
{
	uint32_t place;

	if (!span)
		return 0;
	place = (uint32_t)(way % (2 * (uint64_t)span));
	return place < span ? place : 2 * span - place;
}

static void write_rows(const struct pattern *pattern, void *memory,
		       uint32_t from, uint32_t to, const uint8_t *row)
{
	const struct picture_plane *plane = &pattern->base.format.plane[0];

	for (uint32_t y = from; y < to; y++)
		memcpy(picture_row_mutable(plane, memory, y), row,
		       plane->row_octets);
}

static void write_box(const struct pattern *pattern, void *memory)
{
	const struct picture_format *format = &pattern->base.format;
	uint32_t side = box_side(format);
	uint32_t left = bounce(pattern->frame * 5, format->width - side);
	uint32_t top = bounce(pattern->frame * 3, bars_rows(format) - side);

	for (uint32_t y = top; y < top + side; y++)
		memcpy(picture_row_mutable(&format->plane[0], memory, y) +
			       (size_t)left * PIXEL,
		       pattern->box, (size_t)side * PIXEL);
}

static int pattern_read(struct source *source, void *memory,
			struct failure *failure)
{
	struct pattern *pattern = (struct pattern *)source;
	const struct picture_format *format = &source->format;
	size_t scrolled = (size_t)(pattern->frame * 4 % format->width) * PIXEL;

	(void)failure;
	draw_counter(pattern->counter, format->width, pattern->frame);
	write_rows(pattern, memory, 0, bars_rows(format), pattern->bars);
	write_box(pattern, memory);
	write_rows(pattern, memory, bars_rows(format), ramp_end(format),
		   pattern->ramp + scrolled);
	write_rows(pattern, memory, ramp_end(format), format->height,
		   pattern->counter);
	pattern->frame++;
	return 1;
}

static void pattern_close(struct source *source)
{
	struct pattern *pattern = (struct pattern *)source;

	free(pattern->bars);
	free(pattern->ramp);
	free(pattern->counter);
	free(pattern->box);
	free(pattern);
}

static int draw_parts(struct pattern *pattern, struct failure *failure)
{
	const struct picture_format *format = &pattern->base.format;

	pattern->bars = calloc(format->width, PIXEL);
	pattern->ramp = calloc(format->width, PIXEL * 2);
	pattern->counter = calloc(format->width, PIXEL);
	pattern->box = calloc(box_side(format), PIXEL);
	if (!pattern->bars || !pattern->ramp || !pattern->counter ||
	    !pattern->box)
		return fail_no_memory(failure, "pattern");

	draw_bars(pattern->bars, format->width);
	draw_ramp(pattern->ramp, format->width);
	fill(pattern->counter, 0, format->width, 0);
	fill(pattern->box, 0, box_side(format), 0x80);
	return 0;
}

static int parse_size(const char *argument, uint32_t *width, uint32_t *height,
		      struct failure *failure)
{
	*width = DEFAULT_WIDTH;
	*height = DEFAULT_HEIGHT;
	if (argument && !parse_u32_pair(argument, 'x', width, height))
		return fail_with(failure,
				 "pattern:%s: the size must be like 1920x1080",
				 argument);
	if (*width < WIDTH_MIN || *height < HEIGHT_MIN ||
	    *width > PICTURE_SIDE_MAX || *height > PICTURE_SIDE_MAX)
		return fail_with(
			failure,
			"pattern:%s: the size must be from %dx%d to %dx%d",
			argument, WIDTH_MIN, HEIGHT_MIN, PICTURE_SIDE_MAX,
			PICTURE_SIDE_MAX);
	return 0;
}

struct source *source_pattern_open(const char *argument,
				   struct failure *failure)
{
	static const struct source_ops ops = { .read = pattern_read,
					       .close = pattern_close };
	struct pattern *pattern;
	uint32_t width, height;

	if (parse_size(argument, &width, &height, failure))
		return NULL;
	pattern = calloc(1, sizeof(*pattern));
	if (!pattern) {
		fail_no_memory(failure, "pattern");
		return NULL;
	}
	pattern->base.ops = &ops;
	pattern->base.rate_numerator = 60;
	pattern->base.rate_denominator = 1;
	pattern->base.endless = true;
	pattern->base.fd = -1;
	if (picture_format_init(&pattern->base.format, PICTURE_XRGB8888, width,
				height, failure) ||
	    draw_parts(pattern, failure)) {
		pattern_close(&pattern->base);
		return NULL;
	}
	return &pattern->base;
}
