/* SPDX-License-Identifier: MIT */

#include "reference-common/describe.h"

void describe_picture(struct hdmabuf_info *info,
		      const struct picture_format *format)
{
	info->type = HDMABUF_TYPE_PICTURE;
	info->size = format->octets;
	info->picture = (struct hdmabuf_picture_info){
		.width = format->width,
		.height = format->height,
		.fourcc = format->fourcc,
		.planes = format->planes,
		.plane_count = format->planes,
	};
	for (unsigned int i = 0; i < format->planes; i++) {
		info->picture.plane[i].offset = format->plane[i].offset;
		info->picture.plane[i].stride = format->plane[i].stride;
	}
}

static int check_planes(const struct hdmabuf_info *info,
			struct picture_format *usual, struct failure *failure)
{
	const struct hdmabuf_picture_info *picture = &info->picture;

	if (picture->planes != usual->planes)
		return fail_with(failure,
				 "a picture of %u planes was described with %u",
				 usual->planes, picture->planes);
	for (unsigned int i = 0; i < picture->plane_count; i++) {
		unsigned int number = picture->plane_first + i;
		struct picture_plane *plane = &usual->plane[number];

		plane->offset = picture->plane[i].offset;
		plane->stride = picture->plane[i].stride;
		if (picture_plane_check(plane, number, info->size, failure))
			return -1;
	}
	return 0;
}

/* What this program can have, at most, of a side. */
static uint32_t at_most(uint32_t side)
{
	return side < PICTURE_SIDE_MAX ? side : PICTURE_SIDE_MAX;
}

/*
 * Of a picture that is too large for this program, as much as is not: where that
 * lies outside, the whole does.
 */
uint16_t describe_check(const struct hdmabuf_info *info,
			struct failure *failure)
{
	const struct hdmabuf_picture_info *picture = &info->picture;
	struct picture_format usual;

	if (picture->modifier) {
		fail_with(failure, "it is no linear picture");
		return HDMABUF_STATUS_UNSUPPORTED;
	}
	if (picture_format_init(&usual, picture->fourcc,
				at_most(picture->width),
				at_most(picture->height), failure))
		return HDMABUF_STATUS_UNSUPPORTED;
	if (check_planes(info, &usual, failure))
		return HDMABUF_STATUS_INVALID;
	return picture_format_init(&usual, picture->fourcc, picture->width,
				   picture->height, failure) ?
		       HDMABUF_STATUS_UNSUPPORTED :
		       HDMABUF_STATUS_OK;
}
