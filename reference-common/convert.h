/* SPDX-License-Identifier: MIT */
/* Any picture as rows of R, G, B, A, for who does not take it as it is. */

#ifndef REFERENCE_COMMON_CONVERT_H
#define REFERENCE_COMMON_CONVERT_H

#include "reference-common/picture.h"

/**
 * convert_row() - one row of a picture as R, G, B, A octets
 * @format: the layout
 * @memory: the picture
 * @y: number of the row
 * @full_range: whether Y, Cb and Cr use 0 to 255, not 16 to 235 and 240
 * @rgba: written, four octets a pixel
 *
 * Exact for grey and RGB. Y, Cb, Cr are converted by ITU-R BT.601, rounded and
 * clipped; subsampled chroma is repeated, wherever it was sited.
 * Pictures without alpha are opaque.
 */
void convert_row(const struct picture_format *format, const void *memory,
		 uint32_t y, bool full_range, uint8_t *rgba);

#endif
