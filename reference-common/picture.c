/* SPDX-License-Identifier: MIT */

#include "reference-common/picture.h"

#include "reference-common/crc32.h"

#include <string.h>

/*
 * pixel_octets: of plane 0; every further plane has one octet for each block
 * of across x down pixels.
 */
struct layout {
	uint32_t fourcc;
	uint8_t planes;
	uint8_t pixel_octets;
	uint8_t across;
	uint8_t down;
};

static const struct layout *find_layout(uint32_t fourcc)
{
	static const struct layout layouts[] = {
		{ PICTURE_R8, 1, 1, 1, 1 },
		{ PICTURE_BGR888, 1, 3, 1, 1 },
		{ PICTURE_RGB888, 1, 3, 1, 1 },
		{ PICTURE_XRGB8888, 1, 4, 1, 1 },
		{ PICTURE_ARGB8888, 1, 4, 1, 1 },
		{ PICTURE_XBGR8888, 1, 4, 1, 1 },
		{ PICTURE_ABGR8888, 1, 4, 1, 1 },
		{ PICTURE_YUV420, 3, 1, 2, 2 },
		{ PICTURE_YUV422, 3, 1, 2, 1 },
		{ PICTURE_YUV444, 3, 1, 1, 1 },
	};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].fourcc == fourcc)
			return &layouts[i];
	return NULL;
}

static int check_size(uint32_t width, uint32_t height, struct failure *failure)
{
	if (!width || !height)
		return fail_with(failure, "a picture of %ux%u has no pixels",
				 width, height);
	if (width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX)
		return fail_with(failure,
				 "a picture of %ux%u is larger than %ux%u",
				 width, height, PICTURE_SIDE_MAX,
				 PICTURE_SIDE_MAX);
	return 0;
}

/* What follows from size and fourcc alone. Checked sizes cannot wrap. */
static int derive(struct picture_format *format, const struct layout **layout,
		  struct failure *failure)
{
	char text[5];

	if (check_size(format->width, format->height, failure))
		return -1;
	*layout = find_layout(format->fourcc);
	if (!*layout)
		return fail_with(
			failure,
			"pixel format \"%s\" (0x%08x) is not supported",
			picture_fourcc_text(format->fourcc, text),
			format->fourcc);

	format->plane[0].rows = format->height;
	format->plane[0].row_octets = format->width * (*layout)->pixel_octets;
	for (unsigned int i = 1; i < (*layout)->planes; i++) {
		uint32_t across = (*layout)->across, down = (*layout)->down;

		format->plane[i].rows = (format->height + down - 1) / down;
		format->plane[i].row_octets =
			(format->width + across - 1) / across;
	}
	return 0;
}

int picture_format_init(struct picture_format *format, uint32_t fourcc,
			uint32_t width, uint32_t height,
			struct failure *failure)
{
	const struct layout *layout;

	*format = (struct picture_format){ .width = width,
					   .height = height,
					   .fourcc = fourcc };
	if (derive(format, &layout, failure))
		return -1;

	format->planes = layout->planes;
	for (unsigned int i = 0; i < format->planes; i++) {
		struct picture_plane *plane = &format->plane[i];

		plane->offset = format->octets;
		plane->stride = (plane->row_octets + PICTURE_ALIGNMENT - 1) /
				PICTURE_ALIGNMENT * PICTURE_ALIGNMENT;
		format->octets += (uint64_t)plane->stride * plane->rows;
	}
	return 0;
}

/* The other planes have no more pixels, and each of them one octet. */
bool picture_overflows(uint32_t fourcc, uint32_t width, uint32_t height)
{
	const struct layout *layout = find_layout(fourcc);
	uint64_t pixels = (uint64_t)width * height;

	if (!layout)
		return false;
	return pixels >
	       UINT64_MAX / (layout->pixel_octets + layout->planes - 1u);
}

int picture_plane_check(const struct picture_plane *plane, unsigned int number,
			uint64_t octets, struct failure *failure)
{
	uint64_t used =
		(uint64_t)plane->stride * (plane->rows - 1) + plane->row_octets;

	if (plane->stride < plane->row_octets)
		return fail_with(
			failure,
			"plane %u has a stride of %u octets, but rows of %u",
			number, plane->stride, plane->row_octets);
	if (plane->offset > octets || used > octets - plane->offset)
		return fail_with(
			failure,
			"plane %u needs %llu octets at offset %llu, but there are %llu",
			number, (unsigned long long)used,
			(unsigned long long)plane->offset,
			(unsigned long long)octets);
	return 0;
}

int picture_format_check(struct picture_format *format, uint64_t octets,
			 struct failure *failure)
{
	const struct layout *layout;

	if (derive(format, &layout, failure))
		return -1;
	if (format->planes != layout->planes)
		return fail_with(failure,
				 "a picture of %u planes was described with %u",
				 layout->planes, format->planes);
	for (unsigned int i = 0; i < format->planes; i++)
		if (picture_plane_check(&format->plane[i], i, octets, failure))
			return -1;
	format->octets = octets;
	return 0;
}

int picture_private_init(char text[PICTURE_PRIVATE_SIZE], const void *octets,
			 size_t count, struct failure *failure)
{
	const char *from = octets;

	while (count && !from[count - 1])
		count--;
	if (count >= PICTURE_PRIVATE_SIZE)
		return fail_with(failure,
				 "private data of %zu octets is longer than %d",
				 count, PICTURE_PRIVATE_SIZE - 1);
	for (size_t i = 0; i < count; i++) {
		unsigned char octet = (unsigned char)from[i];

		if ((octet < 0x20 && octet != '\n') || octet == 0x7f)
			return fail_with(
				failure,
				"private data is no text: octet %zu is 0x%02x",
				i, octet);
		text[i] = (char)octet;
	}
	text[count] = '\0';
	return 0;
}

void picture_plane_runs(const struct picture_plane *plane, uint32_t *rows,
			size_t *octets)
{
	bool dense = plane->stride == plane->row_octets;

	*rows = dense ? 1 : plane->rows;
	*octets = dense ? (size_t)plane->row_octets * plane->rows :
			  plane->row_octets;
}

uint32_t picture_crc(uint32_t crc, const struct picture_format *format,
		     const void *memory)
{
	struct crc32_table table;

	crc32_table_init(&table);
	for (unsigned int i = 0; i < format->planes; i++) {
		uint32_t rows;
		size_t octets;

		picture_plane_runs(&format->plane[i], &rows, &octets);
		for (uint32_t y = 0; y < rows; y++)
			crc = crc32_continue(&table, crc,
					     picture_row(&format->plane[i],
							 memory, y),
					     octets);
	}
	return crc;
}

void picture_copy(const struct picture_format *to, void *copy,
		  const struct picture_format *from, const void *original)
{
	for (unsigned int i = 0; i < from->planes; i++)
		for (uint32_t y = 0; y < from->plane[i].rows; y++)
			memcpy(picture_row_mutable(&to->plane[i], copy, y),
			       picture_row(&from->plane[i], original, y),
			       from->plane[i].row_octets);
}

bool picture_is_yuv(uint32_t fourcc)
{
	return fourcc == PICTURE_YUV420 || fourcc == PICTURE_YUV422 ||
	       fourcc == PICTURE_YUV444;
}

bool picture_has_alpha(uint32_t fourcc)
{
	return fourcc == PICTURE_ARGB8888 || fourcc == PICTURE_ABGR8888;
}

const char *picture_fourcc_text(uint32_t fourcc, char text[5])
{
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t octet = (uint8_t)(fourcc >> (8 * i));

		text[i] = octet >= 0x20 && octet < 0x7f ? (char)octet : '?';
	}
	text[4] = '\0';
	return text;
}
