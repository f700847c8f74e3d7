/* SPDX-License-Identifier: MIT */
/* Pictures as the library has them, and as the programs do. */

#ifndef REFERENCE_COMMON_DESCRIBE_H
#define REFERENCE_COMMON_DESCRIBE_H

#include "reference-common/picture.h"

#include <hdmabuf/descriptor.h>

/**
 * describe_picture() - what is told of a picture
 * @info: its @size, @type and @picture are filled in
 * @format: its layout, all of it in one buffer
 */
void describe_picture(struct hdmabuf_info *info,
		      const struct picture_format *format);

/**
 * describe_check() - HDB-IMP-006: whether a picture is what it says
 * @info: of a buffer of type PICTURE, with all of its planes or some
 * @failure: says what is wrong
 *
 * Return: OK; UNSUPPORTED, if its format or modifier is not known; INVALID, if
 * something lies outside the buffer.
 */
uint16_t describe_check(const struct hdmabuf_info *info,
			struct failure *failure);

#endif
