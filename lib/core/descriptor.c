/* SPDX-License-Identifier: MIT */
/* Descriptors of buffers, and what makes one valid. */
#include <hdmabuf/descriptor.h>
#include <hdmabuf/directory.h>

#include "lib/core/note.h"
#include "lib/core/octets.h"

#define AT(member) offsetof(struct hdmabuf_descriptor, member)
#define AT_PICTURE(member) \
	(AT(metadata) + offsetof(struct hdmabuf_picture, member))
#define AT_CYCLIC(member) \
	(AT(metadata) + offsetof(struct hdmabuf_cyclic, member))
#define AT_PLANE(index, member) \
	(AT_PICTURE(plane) + (index) * sizeof(struct hdmabuf_plane) + \
	 offsetof(struct hdmabuf_plane, member))

static void note(struct hdmabuf_fault *fault, uint16_t status, size_t offset,
		 uint64_t value)
{
	fault_note(fault, status, HDMABUF_WHERE_DESCRIPTOR, offset, value);
}

static void check_range(struct hdmabuf_fault *fault, size_t offset,
			uint64_t value, uint64_t low, uint64_t high)
{
	if (value < low || value > high)
		note(fault, HDMABUF_STATUS_INVALID, offset, value);
}

bool hdmabuf_buffer_pages(uint64_t data_offset, uint64_t size,
			  uint32_t page_shift, uint64_t *pages)
{
	if (!size || data_offset >> page_shift ||
	    size > UINT64_MAX - data_offset)
		return false;
	*pages = ((data_offset + size - 1) >> page_shift) + 1;
	return true;
}

/* ---- What an application says -------------------------------------------- */

/* Not every kernel can divide 64 bits: long division, a bit at a time. */
static bool is_multiple(uint64_t number, uint32_t divisor)
{
	uint64_t remainder = 0;
	unsigned int bit;

	/*@ loop invariant 0 <= bit <= 64;
	    loop assigns bit, remainder;
	    loop variant bit; */
	for (bit = 64; bit--;) {
		remainder = remainder << 1 | (number >> bit & 1);
		if (remainder >= divisor)
			remainder -= divisor;
	}
	return remainder == 0;
}

static void check_planes(const struct hdmabuf_picture_info *picture,
			 uint64_t size, struct hdmabuf_fault *fault)
{
	uint32_t i;

	/*@ loop invariant 0 <= i <= HDMABUF_PLANES;
	    loop invariant fault->status == 0 ==>
		\at(fault->status, Pre) == 0;
	    loop assigns i, *fault;
	    loop variant HDMABUF_PLANES - i; */
	for (i = 0; i < picture->plane_count && i < HDMABUF_PLANES; i++) {
		const struct hdmabuf_plane_info *plane = &picture->plane[i];

		if (plane->offset >= size)
			note(fault, HDMABUF_STATUS_INVALID, AT_PLANE(i, offset),
			     plane->offset);
		check_range(fault, AT_PLANE(i, stride), plane->stride, 1, size);
	}
}

static void check_picture(const struct hdmabuf_picture_info *picture,
			  uint64_t size, struct hdmabuf_fault *fault)
{
	uint32_t planes = picture->planes;
	uint32_t first = picture->plane_first;

	check_range(fault, AT_PICTURE(width), picture->width, 1, UINT32_MAX);
	check_range(fault, AT_PICTURE(height), picture->height, 1, UINT32_MAX);
	check_range(fault, AT_PICTURE(fourcc), picture->fourcc, 1, UINT32_MAX);
	check_range(fault, AT_PICTURE(planes), planes, 1, HDMABUF_PLANES);
	if (first >= planes)
		note(fault, HDMABUF_STATUS_INVALID, AT_PICTURE(plane_first),
		     first);
	else
		check_range(fault, AT_PICTURE(plane_count),
			    picture->plane_count, 1, planes - first);
	check_planes(picture, size, fault);
}

static void check_multiple(struct hdmabuf_fault *fault, size_t offset,
			   uint32_t octets, uint64_t size)
{
	if (!octets || !is_multiple(size, octets))
		note(fault, HDMABUF_STATUS_INVALID, offset, octets);
}

static void check_cyclic(const struct hdmabuf_cyclic_info *cyclic,
			 uint64_t size, struct hdmabuf_fault *fault)
{
	check_range(fault, AT_CYCLIC(channels), cyclic->channels, 1,
		    UINT32_MAX);
	check_range(fault, AT_CYCLIC(rate), cyclic->rate, 1, UINT32_MAX);
	check_multiple(fault, AT_CYCLIC(frame_octets), cyclic->frame_octets,
		       size);
	check_multiple(fault, AT_CYCLIC(period_octets), cyclic->period_octets,
		       size);
}

/* The data lies in its pages, and the private data in that of the descriptor. */
static void check_extent(const struct hdmabuf_info *info, uint32_t page_shift,
			 struct hdmabuf_fault *fault)
{
	uint32_t page_octets = 1u << page_shift;

	check_range(fault, AT(data_offset), info->data_offset, 0,
		    page_octets - 1);
	check_range(fault, AT(size), info->size, 1,
		    UINT64_MAX - info->data_offset);
	check_range(fault, AT(private_octets), info->private_octets, 0,
		    page_octets - HDMABUF_DESCRIPTOR_OCTETS);
}

static void check_info(const struct hdmabuf_info *info, uint32_t page_shift,
		       struct hdmabuf_fault *fault)
{
	check_extent(info, page_shift, fault);
	check_range(fault, AT(rights), info->rights, HDMABUF_RIGHTS_READ_ONLY,
		    HDMABUF_RIGHTS_LEND);
	check_range(fault, AT(attributes), info->attributes,
		    HDMABUF_ATTRIBUTE_CACHED, HDMABUF_ATTRIBUTE_WRITE_COMBINED);
	check_range(fault, AT(directory_format), info->directory_format,
		    HDMABUF_DIRECTORY_LIST, HDMABUF_DIRECTORY_EXTENTS);
	check_range(fault, AT(type), info->type, HDMABUF_TYPE_RAW,
		    HDMABUF_TYPE_CYCLIC);
	if (info->type == HDMABUF_TYPE_PICTURE)
		check_picture(&info->picture, info->size, fault);
	if (info->type == HDMABUF_TYPE_CYCLIC)
		check_cyclic(&info->cyclic, info->size, fault);
}

uint16_t hdmabuf_info_check(const struct hdmabuf_info *info,
			    uint32_t page_shift, struct hdmabuf_fault *fault)
{
	fault_none(fault);
	check_info(info, page_shift, fault);
	if (info->private_octets && !info->private_data)
		note(fault, HDMABUF_STATUS_INVALID, AT(private_octets),
		     info->private_octets);
	return fault->status;
}

uint64_t hdmabuf_info_features(const struct hdmabuf_info *info,
			       uint32_t directory_format)
{
	uint64_t features = 0;

	if (directory_format == HDMABUF_DIRECTORY_TABLE)
		features |= HDMABUF_FEATURE_TABLE;
	if (directory_format == HDMABUF_DIRECTORY_EXTENTS)
		features |= HDMABUF_FEATURE_EXTENTS;
	if (info->rights == HDMABUF_RIGHTS_LEND)
		features |= HDMABUF_FEATURE_LEND;
	if (info->type == HDMABUF_TYPE_CYCLIC)
		features |= HDMABUF_FEATURE_CYCLIC;
	if (info->attributes == HDMABUF_ATTRIBUTE_WRITE_COMBINED)
		features |= HDMABUF_FEATURE_WRITE_COMBINED;
	return features;
}

/* ---- Writing ------------------------------------------------------------- */

static void encode_picture(const struct hdmabuf_picture_info *from,
			   struct hdmabuf_picture *to)
{
	uint32_t i;

	to->width = hdmabuf_put_le32(from->width);
	to->height = hdmabuf_put_le32(from->height);
	to->fourcc = hdmabuf_put_le32(from->fourcc);
	to->planes = hdmabuf_put_le32(from->planes);
	to->modifier = hdmabuf_put_le64(from->modifier);
	to->plane_first = hdmabuf_put_le32(from->plane_first);
	to->plane_count = hdmabuf_put_le32(from->plane_count);
	for (i = 0; i < from->plane_count && i < HDMABUF_PLANES; i++) {
		to->plane[i].offset = hdmabuf_put_le64(from->plane[i].offset);
		to->plane[i].stride = hdmabuf_put_le32(from->plane[i].stride);
	}
}

static void encode_cyclic(const struct hdmabuf_cyclic_info *from,
			  struct hdmabuf_cyclic *to)
{
	to->format = hdmabuf_put_le32(from->format);
	to->channels = hdmabuf_put_le32(from->channels);
	to->rate = hdmabuf_put_le32(from->rate);
	to->frame_octets = hdmabuf_put_le32(from->frame_octets);
	to->period_octets = hdmabuf_put_le32(from->period_octets);
	to->position_timeline = hdmabuf_put_le32(from->position_timeline);
}

static void encode_info(const struct hdmabuf_info *from,
			struct hdmabuf_descriptor *to)
{
	to->size = hdmabuf_put_le64(from->size);
	to->data_offset = hdmabuf_put_le32(from->data_offset);
	to->rights = hdmabuf_put_le32(from->rights);
	to->attributes = hdmabuf_put_le32(from->attributes);
	to->tag = hdmabuf_put_le64(from->tag);
	to->type = hdmabuf_put_le32(from->type);
	to->private_octets = hdmabuf_put_le32(from->private_octets);
	if (from->type == HDMABUF_TYPE_PICTURE)
		encode_picture(&from->picture, &to->metadata.picture);
	if (from->type == HDMABUF_TYPE_CYCLIC)
		encode_cyclic(&from->cyclic, &to->metadata.cyclic);
}

static void encode_layout(const struct hdmabuf_layout *from,
			  struct hdmabuf_descriptor *to)
{
	to->pages = hdmabuf_put_le64(from->pages);
	to->entries = hdmabuf_put_le64(from->entries);
	to->directory = hdmabuf_put_le64(from->directory);
	to->directory_pages = hdmabuf_put_le32(from->directory_pages);
	to->directory_format = hdmabuf_put_le32(from->directory_format);
	to->page_shift = hdmabuf_put_le32(from->page_shift);
}

uint32_t hdmabuf_descriptor_encode(const struct hdmabuf_info *info,
				   const struct hdmabuf_layout *layout,
				   const struct hdmabuf_id *id,
				   uint64_t generation, void *page)
{
	uint32_t length = HDMABUF_DESCRIPTOR_OCTETS + info->private_octets;
	struct hdmabuf_descriptor *to = page;

	octets_clear(page, (size_t)1 << layout->page_shift);
	to->magic = hdmabuf_put_le32(HDMABUF_DESCRIPTOR_MAGIC);
	to->length = hdmabuf_put_le32(length);
	to->id = *id;
	to->generation = hdmabuf_put_le64(generation);
	encode_info(info, to);
	encode_layout(layout, to);
	if (info->private_octets)
		octets_copy((char *)page + HDMABUF_DESCRIPTOR_OCTETS,
			    info->private_data, info->private_octets);
	return length;
}

/* ---- Reading ------------------------------------------------------------- */

static void decode_picture(const struct hdmabuf_picture *from,
			   struct hdmabuf_picture_info *to)
{
	uint32_t i;

	to->width = hdmabuf_get_le32(from->width);
	to->height = hdmabuf_get_le32(from->height);
	to->fourcc = hdmabuf_get_le32(from->fourcc);
	to->planes = hdmabuf_get_le32(from->planes);
	to->modifier = hdmabuf_get_le64(from->modifier);
	to->plane_first = hdmabuf_get_le32(from->plane_first);
	to->plane_count = hdmabuf_get_le32(from->plane_count);
	/*@ loop invariant 0 <= i <= HDMABUF_PLANES;
	    loop assigns i, to->plane[0 .. HDMABUF_PLANES - 1];
	    loop variant HDMABUF_PLANES - i; */
	for (i = 0; i < HDMABUF_PLANES; i++) {
		to->plane[i].offset = hdmabuf_get_le64(from->plane[i].offset);
		to->plane[i].stride = hdmabuf_get_le32(from->plane[i].stride);
	}
}

static void decode_cyclic(const struct hdmabuf_cyclic *from,
			  struct hdmabuf_cyclic_info *to)
{
	to->format = hdmabuf_get_le32(from->format);
	to->channels = hdmabuf_get_le32(from->channels);
	to->rate = hdmabuf_get_le32(from->rate);
	to->frame_octets = hdmabuf_get_le32(from->frame_octets);
	to->period_octets = hdmabuf_get_le32(from->period_octets);
	to->position_timeline = hdmabuf_get_le32(from->position_timeline);
}

static void decode_info(const struct hdmabuf_descriptor *from,
			struct hdmabuf_info *to)
{
	octets_clear(to, sizeof(*to));
	to->size = hdmabuf_get_le64(from->size);
	to->data_offset = hdmabuf_get_le32(from->data_offset);
	to->rights = hdmabuf_get_le32(from->rights);
	to->attributes = hdmabuf_get_le32(from->attributes);
	to->tag = hdmabuf_get_le64(from->tag);
	to->directory_format = hdmabuf_get_le32(from->directory_format);
	to->type = hdmabuf_get_le32(from->type);
	to->private_octets = hdmabuf_get_le32(from->private_octets);
	if (to->type == HDMABUF_TYPE_PICTURE)
		decode_picture(&from->metadata.picture, &to->picture);
	if (to->type == HDMABUF_TYPE_CYCLIC)
		decode_cyclic(&from->metadata.cyclic, &to->cyclic);
}

static void decode_layout(const struct hdmabuf_descriptor *from,
			  struct hdmabuf_layout *to)
{
	to->page_shift = hdmabuf_get_le32(from->page_shift);
	to->pages = hdmabuf_get_le64(from->pages);
	to->entries = hdmabuf_get_le64(from->entries);
	to->directory = hdmabuf_get_le64(from->directory);
	to->directory_pages = hdmabuf_get_le32(from->directory_pages);
	to->directory_format = hdmabuf_get_le32(from->directory_format);
}

/* What fits is told as a number, of longer fields only where they are. */
static void check_zero(struct hdmabuf_fault *fault, size_t offset,
		       const void *at, size_t octets)
{
	hdmabuf_le64 value = 0;

	if (octets_are_zero(at, octets))
		return;
	if (octets <= sizeof(value))
		octets_copy(&value, at, octets);
	note(fault, HDMABUF_STATUS_RESERVED, offset, hdmabuf_get_le64(value));
}

/* Planes that follow the last one are zero. */
static void check_zero_planes(const struct hdmabuf_picture *picture,
			      struct hdmabuf_fault *fault)
{
	uint32_t count = hdmabuf_get_le32(picture->plane_count);
	uint32_t i;

	/*@ loop invariant 0 <= i <= HDMABUF_PLANES;
	    loop invariant fault->status == 0 ==>
		\at(fault->status, Pre) == 0;
	    loop assigns i, *fault;
	    loop variant HDMABUF_PLANES - i; */
	for (i = 0; i < HDMABUF_PLANES; i++) {
		const struct hdmabuf_plane *plane = &picture->plane[i];

		check_zero(fault, AT_PLANE(i, zero), &plane->zero,
			   sizeof(plane->zero));
		if (i < count)
			continue;
		check_zero(fault, AT_PLANE(i, offset), &plane->offset,
			   sizeof(plane->offset));
		check_zero(fault, AT_PLANE(i, stride), &plane->stride,
			   sizeof(plane->stride));
	}
}

/* Of a type that is not known, nobody can say what is zero. */
static void check_zero_fields(const struct hdmabuf_descriptor *descriptor,
			      struct hdmabuf_fault *fault)
{
	const union hdmabuf_metadata *metadata = &descriptor->metadata;

	check_zero(fault, AT(zero), descriptor->zero, sizeof(descriptor->zero));
	switch (hdmabuf_get_le32(descriptor->type)) {
	case HDMABUF_TYPE_RAW:
		check_zero(fault, AT(metadata), metadata->raw,
			   sizeof(metadata->raw));
		break;
	case HDMABUF_TYPE_PICTURE:
		check_zero_planes(&metadata->picture, fault);
		break;
	case HDMABUF_TYPE_CYCLIC:
		check_zero(fault, AT_CYCLIC(zero), metadata->cyclic.zero,
			   sizeof(metadata->cyclic.zero));
		break;
	}
}

/* What must be as the request says, and what has only one right value. */
static void check_identity(const struct hdmabuf_descriptor *descriptor,
			   uint32_t length, const struct hdmabuf_id *id,
			   struct hdmabuf_fault *fault)
{
	uint32_t private_octets = length - HDMABUF_DESCRIPTOR_OCTETS;

	check_range(fault, AT(magic), hdmabuf_get_le32(descriptor->magic),
		    HDMABUF_DESCRIPTOR_MAGIC, HDMABUF_DESCRIPTOR_MAGIC);
	check_range(fault, AT(length), hdmabuf_get_le32(descriptor->length),
		    length, length);
	if (!octets_equal(&descriptor->id, id, sizeof(*id)))
		note(fault, HDMABUF_STATUS_INVALID, AT(id), 0);
	check_range(fault, AT(generation),
		    hdmabuf_get_le64(descriptor->generation), 1, UINT64_MAX);
	check_range(fault, AT(private_octets),
		    hdmabuf_get_le32(descriptor->private_octets),
		    private_octets, private_octets);
}

/* HDB-IMP-011: @pages is what size and offset make it. */
static void check_counts(const struct hdmabuf_layout *layout, uint64_t pages,
			 uint32_t page_shift, struct hdmabuf_fault *fault)
{
	bool extents = layout->directory_format == HDMABUF_DIRECTORY_EXTENTS;
	uint64_t entries = extents ? layout->entries : pages;
	uint32_t directory_pages;

	check_range(fault, AT(pages), layout->pages, pages, pages);
	check_range(fault, AT(entries), layout->entries, extents ? 1 : pages,
		    pages);
	if (hdmabuf_directory_pages(layout->directory_format, entries,
				    page_shift, &directory_pages))
		check_range(fault, AT(directory_pages), layout->directory_pages,
			    directory_pages, directory_pages);
	else
		note(fault, HDMABUF_STATUS_INVALID, AT(entries),
		     layout->entries);
}

static void check_layout(const struct hdmabuf_layout *layout,
			 const struct hdmabuf_info *info, uint32_t page_shift,
			 struct hdmabuf_fault *fault)
{
	uint64_t pages;

	check_range(fault, AT(page_shift), layout->page_shift, page_shift,
		    page_shift);
	if (!layout->directory)
		note(fault, HDMABUF_STATUS_BAD_REFERENCE, AT(directory), 0);
	if (layout->directory_format <= HDMABUF_DIRECTORY_EXTENTS &&
	    hdmabuf_buffer_pages(info->data_offset, info->size, page_shift,
				 &pages))
		check_counts(layout, pages, page_shift, fault);
}

uint16_t hdmabuf_descriptor_decode(const void *page, uint32_t length,
				   const struct hdmabuf_id *id,
				   uint32_t page_shift,
				   struct hdmabuf_info *info,
				   struct hdmabuf_layout *layout,
				   uint64_t *generation,
				   struct hdmabuf_fault *fault)
{
	const struct hdmabuf_descriptor *from = page;

	fault_none(fault);
	decode_info(from, info);
	decode_layout(from, layout);
	*generation = hdmabuf_get_le64(from->generation);
	if (info->private_octets)
		info->private_data =
			(const char *)page + HDMABUF_DESCRIPTOR_OCTETS;

	check_zero_fields(from, fault);
	check_identity(from, length, id, fault);
	check_info(info, page_shift, fault);
	check_layout(layout, info, page_shift, fault);
	return fault->status;
}
