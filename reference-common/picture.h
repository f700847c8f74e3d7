/* SPDX-License-Identifier: MIT */
/*
 * What a picture looks like in memory: the part of it that both ends of a
 * shared buffer must agree on. Only linear layouts of 8 bits a channel.
 */

#ifndef REFERENCE_COMMON_PICTURE_H
#define REFERENCE_COMMON_PICTURE_H

#include "reference-common/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURE_FOURCC(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
	 (uint32_t)(d) << 24)

/* Named and numbered as in drm_fourcc.h; behind each, its octets in memory. */
#define PICTURE_R8	 PICTURE_FOURCC('R', '8', ' ', ' ') /* grey */
#define PICTURE_BGR888	 PICTURE_FOURCC('B', 'G', '2', '4') /* R G B */
#define PICTURE_RGB888	 PICTURE_FOURCC('R', 'G', '2', '4') /* B G R */
#define PICTURE_XRGB8888 PICTURE_FOURCC('X', 'R', '2', '4') /* B G R - */
#define PICTURE_ARGB8888 PICTURE_FOURCC('A', 'R', '2', '4') /* B G R A */
#define PICTURE_XBGR8888 PICTURE_FOURCC('X', 'B', '2', '4') /* R G B - */
#define PICTURE_ABGR8888 PICTURE_FOURCC('A', 'B', '2', '4') /* R G B A */
#define PICTURE_YUV420	 PICTURE_FOURCC('Y', 'U', '1', '2') /* Y Cb Cr */
#define PICTURE_YUV422	 PICTURE_FOURCC('Y', 'U', '1', '6') /* Y Cb Cr */
#define PICTURE_YUV444	 PICTURE_FOURCC('Y', 'U', '2', '4') /* Y Cb Cr */

/* The widest and the highest picture, in pixels. */
#define PICTURE_SIDE_MAX 16384

/* Rows and planes that we lay out begin at multiples of this many octets. */
#define PICTURE_ALIGNMENT 64

#define PICTURE_PLANES_MAX 4

/* Octets of the private text that travels beside a picture, with its NUL: all that
 * a descriptor has room for. */
#define PICTURE_PRIVATE_SIZE 3841

/**
 * struct picture_plane - one plane of a picture
 * @offset: octets from the beginning of the picture to the first row
 * @stride: octets from one row to the next
 * @rows: number of rows
 * @row_octets: octets of a row that are pixels; padding follows up to @stride
 */
struct picture_plane {
	uint64_t offset;
	uint32_t stride;
	uint32_t rows;
	uint32_t row_octets;
};

/**
 * struct picture_format - a picture's size and layout
 * @width: pixels
 * @height: pixels
 * @fourcc: one of the codes above
 * @planes: how many of @plane are used
 * @plane: the planes
 * @octets: size of the memory that holds all of them
 */
struct picture_format {
	uint32_t width;
	uint32_t height;
	uint32_t fourcc;
	unsigned int planes;
	struct picture_plane plane[PICTURE_PLANES_MAX];
	uint64_t octets;
};

/**
 * picture_overflows() - whether the octets of a picture do not fit 64 bits
 * @fourcc: any
 * @width: pixels
 * @height: pixels
 *
 * Return: true for a format that is known, and so many pixels
 */
bool picture_overflows(uint32_t fourcc, uint32_t width, uint32_t height);

/**
 * picture_format_init() - lay a picture out
 * @format: filled in
 * @fourcc: one of the codes above
 * @width: pixels, 1 to PICTURE_SIDE_MAX
 * @height: pixels, 1 to PICTURE_SIDE_MAX
 * @failure: says what is wrong with them
 *
 * Strides are multiples of PICTURE_ALIGNMENT, planes follow one another.
 * Subsampled planes of odd pictures are rounded up.
 *
 * Return: 0, or -1 with @failure set.
 */
int picture_format_init(struct picture_format *format, uint32_t fourcc,
			uint32_t width, uint32_t height,
			struct failure *failure);

/**
 * picture_format_check() - take over a layout that somebody else chose
 * @format: @width, @height, @fourcc, @planes and each plane's @offset and
 *	@stride are as the other end says; the remaining fields are filled in
 * @octets: size of the memory the picture is in
 * @failure: says which of the claims cannot be true
 *
 * Only after this may a format of another's be used with its memory.
 *
 * Return: 0, or -1 with @failure set.
 */
int picture_format_check(struct picture_format *format, uint64_t octets,
			 struct failure *failure);

/**
 * picture_plane_check() - whether a plane lies within its memory
 * @plane: complete; @offset and @stride are as the other end says
 * @number: of the plane
 * @octets: size of the memory
 * @failure: says which of the claims cannot be true
 *
 * Return: 0, or -1 with @failure set.
 */
int picture_plane_check(const struct picture_plane *plane, unsigned int number,
			uint64_t octets, struct failure *failure);

/**
 * picture_private_init() - take over private data that somebody else sent
 * @text: filled in, terminated
 * @octets: the data, not terminated
 * @count: its length; trailing NULs are dropped
 * @failure: says why it is no text
 *
 * Return: 0, or -1 with @failure set when it is too long, or has control
 * characters other than newline.
 */
int picture_private_init(char text[PICTURE_PRIVATE_SIZE], const void *octets,
			 size_t count, struct failure *failure);

/**
 * picture_crc() - CRC-32 of the pixels, plane after plane, without padding
 * @crc: CRC of the pictures before this one, 0 for the first
 * @format: the layout
 * @memory: the picture
 *
 * Return: the CRC of all pictures so far.
 */
uint32_t picture_crc(uint32_t crc, const struct picture_format *format,
		     const void *memory);

/**
 * picture_copy() - copy the pixels from one layout into another
 * @to: layout of the copy, of the same size and fourcc as @from
 * @copy: written, except for its padding
 * @from: layout of the original
 * @original: read once
 */
void picture_copy(const struct picture_format *to, void *copy,
		  const struct picture_format *from, const void *original);

/**
 * picture_row() - where a row is
 * @plane: the plane
 * @memory: the picture
 * @row: number of the row, below @plane's rows
 *
 * Return: the row's first octet.
 */
static inline const uint8_t *picture_row(const struct picture_plane *plane,
					 const void *memory, uint32_t row)
{
	return (const uint8_t *)memory + plane->offset +
	       (uint64_t)row * plane->stride;
}

/**
 * picture_row_mutable() - picture_row() for writing
 * @plane: the plane
 * @memory: the picture
 * @row: number of the row, below @plane's rows
 *
 * Return: the row's first octet.
 */
static inline uint8_t *picture_row_mutable(const struct picture_plane *plane,
					   void *memory, uint32_t row)
{
	return (uint8_t *)memory + plane->offset +
	       (uint64_t)row * plane->stride;
}

/**
 * picture_plane_runs() - how to go through a plane in the fewest steps
 * @plane: the plane
 * @rows: how many rows to go through: all, or 1 when no padding is between them
 * @octets: octets of pixels in each of these
 */
void picture_plane_runs(const struct picture_plane *plane, uint32_t *rows,
			size_t *octets);

/**
 * picture_is_yuv() - whether showing it needs a conversion that is not exact
 * @fourcc: one of the codes above
 *
 * Return: true for the planar Y, Cb, Cr formats.
 */
bool picture_is_yuv(uint32_t fourcc);

/**
 * picture_has_alpha() - whether its pixels say how opaque they are
 * @fourcc: one of the codes above
 *
 * Return: true for the formats with an A.
 */
bool picture_has_alpha(uint32_t fourcc);

/**
 * picture_fourcc_text() - a code as people write it
 * @fourcc: any 32 bits
 * @text: four characters and a NUL; unprintable ones are '?'
 *
 * Return: @text.
 */
const char *picture_fourcc_text(uint32_t fourcc, char text[5]);

#endif
