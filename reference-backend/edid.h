/* SPDX-License-Identifier: MIT */
/* What a display says of itself: one block of EDID 1.4. */

#ifndef REFERENCE_BACKEND_EDID_H
#define REFERENCE_BACKEND_EDID_H

#include <stdbool.h>
#include <stdint.h>

#define EDID_OCTETS 128

/**
 * edid_make() - describe a display of one resolution, at 60 Hz
 * @edid: filled in
 * @width: pixels
 * @height: pixels
 *
 * Return: false if EDID has no room for so many pixels, or so many a second
 */
bool edid_make(uint8_t edid[EDID_OCTETS], uint32_t width, uint32_t height);

#endif
