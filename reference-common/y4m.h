/* SPDX-License-Identifier: MIT */
/* The one-line headers of YUV4MPEG2 streams. */

#ifndef REFERENCE_COMMON_Y4M_H
#define REFERENCE_COMMON_Y4M_H

#include "reference-common/picture.h"

/* What begins a stream and what begins each frame of it. */
#define Y4M_MAGIC "YUV4MPEG2"
#define Y4M_FRAME "FRAME"

/**
 * struct y4m_header - what a stream header says that we must understand
 * @width: pixels
 * @height: pixels
 * @fourcc: PICTURE_YUV420, PICTURE_YUV422, PICTURE_YUV444 or PICTURE_R8
 * @rate_numerator: frames in @rate_denominator seconds, 0 when unknown
 * @rate_denominator: see @rate_numerator, 0 when unknown
 * @full_range: all 256 values are used, as XCOLORRANGE=FULL says
 *
 * The rest of it (interlacing, aspect, where chroma is sited, comments) only
 * travels with the pictures, as text.
 */
struct y4m_header {
	uint32_t width;
	uint32_t height;
	uint32_t fourcc;
	uint32_t rate_numerator;
	uint32_t rate_denominator;
	bool full_range;
};

/**
 * y4m_parse_header() - understand a stream header
 * @header: filled in
 * @line: the header, up to a newline or NUL
 * @name: file name for messages
 * @failure: says what is wrong with it
 *
 * Return: 0, or -1 with @failure set.
 */
int y4m_parse_header(struct y4m_header *header, const char *line,
		     const char *name, struct failure *failure);

/**
 * y4m_is_full_range() - whether pictures use all values, not 16 to 235 and 240
 * @private_text: what came with them, perhaps a Y4M header
 *
 * Return: true when it is a header that says so.
 */
bool y4m_is_full_range(const char *private_text);

/**
 * y4m_make_header() - a stream header for pictures that came without one
 * @line: written, without a newline
 * @size: room in @line; PICTURE_PRIVATE_SIZE is plenty
 * @format: the pictures
 *
 * Return: false when Y4M cannot hold pictures of this fourcc unchanged.
 */
bool y4m_make_header(char *line, size_t size,
		     const struct picture_format *format);

#endif
