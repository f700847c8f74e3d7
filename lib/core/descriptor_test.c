/* SPDX-License-Identifier: MIT */
#include "tests/harness.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <hdmabuf/descriptor.h>
#include <hdmabuf/directory.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE_SHIFT   12
#define PAGE	     4096
#define NV12	     0x3231564eu
#define PRIVATE_MOST (PAGE - HDMABUF_DESCRIPTOR_OCTETS)

/* ---- Examples ------------------------------------------------------------ */

static const struct hdmabuf_id id = { { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5,
					0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab,
					0xac, 0xad, 0xae, 0xaf } };

static const char words[] = "a surface with a name";

/* Two planes of 1920x1080; they begin 256 octets into the first page. */
static const struct hdmabuf_info picture = {
	.size = 3110400,
	.data_offset = 256,
	.rights = HDMABUF_RIGHTS_READ_ONLY,
	.attributes = HDMABUF_ATTRIBUTE_CACHED,
	.tag = 0x0102030405060708,
	.type = HDMABUF_TYPE_PICTURE,
	.picture = { .width = 1920,
		     .height = 1080,
		     .fourcc = NV12,
		     .planes = 2,
		     .modifier = 0x1112131415161718,
		     .plane_count = 2,
		     .plane = { { 0, 1920 }, { 2073600, 1920 } } },
};

static const struct hdmabuf_info cyclic = {
	.size = 7680,
	.rights = HDMABUF_RIGHTS_READ_WRITE,
	.attributes = HDMABUF_ATTRIBUTE_CACHED,
	.tag = 3,
	.type = HDMABUF_TYPE_CYCLIC,
	.cyclic = { .format = 9,
		    .channels = 2,
		    .rate = 48000,
		    .frame_octets = 4,
		    .period_octets = 1920,
		    .position_timeline = HDMABUF_NO_TIMELINE },
};

static const struct hdmabuf_info raw = {
	.size = PAGE,
	.rights = HDMABUF_RIGHTS_LEND,
	.attributes = HDMABUF_ATTRIBUTE_WRITE_COMBINED,
	.tag = UINT64_MAX,
	.type = HDMABUF_TYPE_RAW,
	.private_octets = sizeof(words),
	.private_data = words,
};

static struct hdmabuf_layout layout_of(const struct hdmabuf_info *info,
				       uint32_t format)
{
	struct hdmabuf_layout layout = {
		.page_shift = PAGE_SHIFT,
		.directory = 77,
		.directory_format = format,
	};

	assert_true(hdmabuf_buffer_pages(info->data_offset, info->size,
					 PAGE_SHIFT, &layout.pages));
	layout.entries = format == HDMABUF_DIRECTORY_EXTENTS ? 1 : layout.pages;
	assert_true(hdmabuf_directory_pages(format, layout.entries, PAGE_SHIFT,
					    &layout.directory_pages));
	return layout;
}

/* A page with a descriptor in it, and what a reader makes of it. */
struct page {
	_Alignas(8) uint8_t octets[PAGE];
	uint32_t length;
	struct hdmabuf_info info;
	struct hdmabuf_layout layout;
	uint64_t generation;
	struct hdmabuf_fault fault;
};

static void page_write(struct page *page, const struct hdmabuf_info *info,
		       uint32_t format)
{
	struct hdmabuf_layout layout = layout_of(info, format);

	memset(page, 0xaa, sizeof(*page));
	page->length =
		hdmabuf_descriptor_encode(info, &layout, &id, 1, page->octets);
	assert_int_equal(page->length, 256 + info->private_octets);
}

/* No octet beyond the length is there to be read. */
static uint16_t page_read(struct page *page)
{
	uint8_t *copy = malloc(page->length);
	uint16_t status;

	assert_non_null(copy);
	memcpy(copy, page->octets, page->length);
	status = hdmabuf_descriptor_decode(copy, page->length, &id, PAGE_SHIFT,
					   &page->info, &page->layout,
					   &page->generation, &page->fault);
	assert_int_equal(status, page->fault.status);
	if (page->info.private_data)
		page->info.private_data =
			page->octets +
			((const uint8_t *)page->info.private_data - copy);
	free(copy);
	return status;
}

static uint64_t number_at(const uint8_t *octets, unsigned int width)
{
	uint64_t number = 0;

	while (width--)
		number = number << 8 | octets[width];
	return number;
}

static void number_put(uint8_t *octets, unsigned int width, uint64_t number)
{
	for (; width--; number >>= 8)
		*octets++ = (uint8_t)number;
}

static void assert_fault(const struct hdmabuf_fault *fault, uint16_t status,
			 uint64_t offset, uint64_t value)
{
	assert_int_equal(fault->status, status);
	assert_int_equal(fault->where, status ? HDMABUF_WHERE_DESCRIPTOR :
						HDMABUF_WHERE_NOWHERE);
	assert_true(fault->offset == offset);
	assert_true(fault->value == value);
}

/* ---- Layout -------------------------------------------------------------- */

/* A word or two words, as the diagrams of the specification have them. */
struct place {
	uint16_t offset;
	uint8_t width;
	uint64_t value;
};

/* Whatever is not listed is zero, to the end of the page. */
static void assert_page(const uint8_t *page, const struct place *places,
			size_t count, uint32_t private_octets)
{
	uint8_t expected[PAGE];

	memset(expected, 0, sizeof(expected));
	memcpy(expected + 8, id.octets, sizeof(id));
	memcpy(expected + 256, words, private_octets);
	for (; count--; places++)
		number_put(expected + places->offset, places->width,
			   places->value);
	assert_memory_equal(page, expected, sizeof(expected));
}

static void a_picture_has_the_octets_of_its_diagram(void **state)
{
	static const struct place places[] = {
		{ 0, 4, 0x44424448 },
		{ 4, 4, 256 },
		{ 24, 8, 1 },
		{ 32, 8, 3110400 },
		{ 40, 8, 760 },
		{ 48, 8, 760 },
		{ 56, 8, 77 },
		{ 64, 4, 1 },
		{ 72, 4, 256 },
		{ 76, 4, 12 },
		{ 80, 4, 1 },
		{ 84, 4, 1 },
		{ 88, 8, 0x0102030405060708 },
		{ 96, 4, 2 },
		{ 104, 4, 1920 },
		{ 108, 4, 1080 },
		{ 112, 4, NV12 },
		{ 116, 4, 2 },
		{ 120, 8, 0x1112131415161718 },
		{ 132, 4, 2 },
		{ 144, 4, 1920 },
		{ 152, 8, 2073600 },
		{ 160, 4, 1920 },
	};
	struct page page;

	(void)state;
	page_write(&page, &picture, HDMABUF_DIRECTORY_LIST);
	assert_page(page.octets, places, COUNT(places), 0);
}

static void a_cyclic_buffer_has_the_octets_of_its_diagram(void **state)
{
	static const struct place places[] = {
		{ 0, 4, 0x44424448 }, { 4, 4, 256 },	      { 24, 8, 1 },
		{ 32, 8, 7680 },      { 40, 8, 2 },	      { 48, 8, 2 },
		{ 56, 8, 77 },	      { 64, 4, 1 },	      { 68, 4, 1 },
		{ 76, 4, 12 },	      { 80, 4, 2 },	      { 84, 4, 1 },
		{ 88, 8, 3 },	      { 96, 4, 3 },	      { 104, 4, 9 },
		{ 108, 4, 2 },	      { 112, 4, 48000 },      { 116, 4, 4 },
		{ 120, 4, 1920 },     { 124, 4, UINT32_MAX },
	};
	struct page page;

	(void)state;
	page_write(&page, &cyclic, HDMABUF_DIRECTORY_TABLE);
	assert_page(page.octets, places, COUNT(places), 0);
}

static void a_raw_buffer_has_the_octets_of_its_diagram(void **state)
{
	static const struct place places[] = {
		{ 0, 4, 0x44424448 },
		{ 4, 4, 256 + sizeof(words) },
		{ 24, 8, 1 },
		{ 32, 8, 4096 },
		{ 40, 8, 1 },
		{ 48, 8, 1 },
		{ 56, 8, 77 },
		{ 64, 4, 1 },
		{ 68, 4, 2 },
		{ 76, 4, 12 },
		{ 80, 4, 3 },
		{ 84, 4, 2 },
		{ 88, 8, UINT64_MAX },
		{ 96, 4, 1 },
		{ 100, 4, sizeof(words) },
	};
	struct page page;

	(void)state;
	page_write(&page, &raw, HDMABUF_DIRECTORY_EXTENTS);
	assert_page(page.octets, places, COUNT(places), sizeof(words));
}

/* ---- Round trips --------------------------------------------------------- */

static void assert_info(const struct hdmabuf_info *got,
			const struct hdmabuf_info *info)
{
	assert_true(got->size == info->size);
	assert_int_equal(got->data_offset, info->data_offset);
	assert_int_equal(got->rights, info->rights);
	assert_int_equal(got->attributes, info->attributes);
	assert_true(got->tag == info->tag);
	assert_int_equal(got->type, info->type);
	if (info->type == HDMABUF_TYPE_PICTURE)
		assert_memory_equal(&got->picture, &info->picture,
				    sizeof(got->picture));
	if (info->type == HDMABUF_TYPE_CYCLIC)
		assert_memory_equal(&got->cyclic, &info->cyclic,
				    sizeof(got->cyclic));
	assert_int_equal(got->private_octets, info->private_octets);
	if (info->private_octets)
		assert_memory_equal(got->private_data, info->private_data,
				    info->private_octets);
	else
		assert_null(got->private_data);
}

static void assert_comes_back(const struct hdmabuf_info *info, uint32_t format)
{
	struct hdmabuf_layout layout = layout_of(info, format);
	struct hdmabuf_fault fault;
	struct page page;

	assert_int_equal(hdmabuf_info_check(info, PAGE_SHIFT, &fault),
			 HDMABUF_STATUS_OK);
	assert_fault(&fault, HDMABUF_STATUS_OK, 0, 0);
	page_write(&page, info, format);
	assert_int_equal(page_read(&page), HDMABUF_STATUS_OK);
	assert_fault(&page.fault, HDMABUF_STATUS_OK, 0, 0);
	assert_info(&page.info, info);
	assert_true(page.generation == 1);
	assert_int_equal(page.layout.page_shift, layout.page_shift);
	assert_true(page.layout.pages == layout.pages);
	assert_true(page.layout.entries == layout.entries);
	assert_true(page.layout.directory == layout.directory);
	assert_int_equal(page.layout.directory_pages, layout.directory_pages);
	assert_int_equal(page.layout.directory_format, format);
	assert_int_equal(page.info.directory_format, format);
}

static void descriptors_come_back(void **state)
{
	uint32_t format;

	(void)state;
	for (format = 0; format < 3; format++) {
		assert_comes_back(&picture, format);
		assert_comes_back(&cyclic, format);
		assert_comes_back(&raw, format);
	}
}

/* The second plane alone, and the slowest sound there is. */
static void the_least_comes_back(void **state)
{
	struct hdmabuf_info part = picture, slow = cyclic;

	(void)state;
	part.picture.plane_first = 1;
	part.picture.plane_count = 1;
	part.picture.plane[1] = (struct hdmabuf_plane_info){ 0 };
	assert_comes_back(&part, HDMABUF_DIRECTORY_LIST);
	part.picture.width = part.picture.height = part.picture.fourcc = 1;
	assert_comes_back(&part, HDMABUF_DIRECTORY_LIST);
	slow.cyclic.channels = 1;
	slow.cyclic.rate = 1;
	assert_comes_back(&slow, HDMABUF_DIRECTORY_LIST);
}

static void private_data_may_fill_the_page(void **state)
{
	char octets[PRIVATE_MOST];
	struct hdmabuf_info info = picture;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(octets); i++)
		octets[i] = (char)(i * 7 + 1);
	info.private_data = octets;
	info.private_octets = 1;
	assert_comes_back(&info, HDMABUF_DIRECTORY_LIST);
	info.private_octets = PRIVATE_MOST;
	assert_comes_back(&info, HDMABUF_DIRECTORY_LIST);
}

/* Larger than 4 GiB, at a page size that is not the smallest. */
static void a_page_of_another_size_is_filled(void **state)
{
	enum {
		SHIFT = 16,
		OCTETS = 1 << SHIFT
	};
	struct hdmabuf_info info = raw, got;
	struct hdmabuf_layout layout = { .page_shift = SHIFT,
					 .directory = 1,
					 .directory_format =
						 HDMABUF_DIRECTORY_LIST };
	struct hdmabuf_fault fault;
	uint64_t generation;
	uint32_t length;
	uint8_t *page = malloc(OCTETS);

	(void)state;
	assert_non_null(page);
	info.size = ((uint64_t)5 << 32) + 1;
	info.data_offset = OCTETS - 1;
	assert_true(hdmabuf_buffer_pages(info.data_offset, info.size, SHIFT,
					 &layout.pages));
	assert_true(layout.pages == 5 * 65536 + 1);
	layout.entries = layout.pages;
	layout.directory_pages = (5 * 65536 + 1 + 16382) / 16383;
	memset(page, 0xaa, OCTETS);
	length = hdmabuf_descriptor_encode(&info, &layout, &id, 42, page);
	assert_int_equal(number_at(page + OCTETS - 8, 8), 0);
	assert_int_equal(hdmabuf_descriptor_decode(page, length, &id, SHIFT,
						   &got, &layout, &generation,
						   &fault),
			 HDMABUF_STATUS_OK);
	assert_true(generation == 42);
	assert_info(&got, &info);
	free(page);
}

/* Whoever asks for more planes than there are does not get others' memory in them. */
static void no_more_planes_than_there_are_written(void **state)
{
	struct hdmabuf_info info = picture;
	struct page page, most;

	(void)state;
	info.picture.plane_count = HDMABUF_PLANES;
	page_write(&most, &info, HDMABUF_DIRECTORY_EXTENTS);
	info.picture.plane_count = 1000;
	page_write(&page, &info, HDMABUF_DIRECTORY_EXTENTS);
	memcpy(page.octets + offsetof(struct hdmabuf_descriptor,
				      metadata.picture.plane_count),
	       most.octets + offsetof(struct hdmabuf_descriptor,
				      metadata.picture.plane_count),
	       sizeof(hdmabuf_le32));
	assert_memory_equal(page.octets, most.octets, page.length);
}

/* ---- Values that are not allowed ------------------------------------------ */

enum {
	OK = HDMABUF_STATUS_OK,
	INVALID = HDMABUF_STATUS_INVALID,
	RESERVED = HDMABUF_STATUS_RESERVED,
	BAD = HDMABUF_STATUS_BAD_REFERENCE
};

/* One number is overwritten; @wrong is the field that is told. */
struct damage {
	const struct hdmabuf_info *info;
	uint32_t format;
	uint16_t offset;
	uint8_t width;
	uint64_t value;
	uint16_t status;
	uint16_t wrong;
};

#define TABLE	HDMABUF_DIRECTORY_TABLE
#define EXTENTS HDMABUF_DIRECTORY_EXTENTS

static const struct damage damages[] = {
	/* magic, length, generation */
	{ &raw, 0, 0, 4, 0x44424449, INVALID, 0 },
	{ &raw, 0, 4, 4, 256 + sizeof(words) - 1, INVALID, 4 },
	{ &raw, 0, 4, 4, 256 + sizeof(words) + 1, INVALID, 4 },
	{ &raw, 0, 24, 8, 0, INVALID, 24 },
	{ &raw, 0, 24, 8, 2, OK, 0 },
	{ &raw, 0, 24, 8, UINT64_MAX, OK, 0 },
	/* size, and what follows from it */
	{ &raw, 0, 32, 8, 0, INVALID, 32 },
	{ &raw, 0, 32, 8, 1, OK, 0 },
	{ &raw, 0, 32, 8, PAGE, OK, 0 },
	{ &raw, 0, 40, 8, 0, INVALID, 40 },
	{ &raw, 0, 40, 8, 2, INVALID, 40 },
	{ &raw, 0, 48, 8, 0, INVALID, 48 },
	{ &raw, 0, 48, 8, 2, INVALID, 48 },
	{ &raw, 0, 48, 8, UINT64_MAX, INVALID, 48 },
	{ &raw, TABLE, 48, 8, 2, INVALID, 48 },
	{ &raw, EXTENTS, 48, 8, 0, INVALID, 48 },
	{ &raw, EXTENTS, 48, 8, 2, INVALID, 48 },
	{ &picture, EXTENTS, 48, 8, 255, OK, 0 },
	{ &picture, EXTENTS, 48, 8, UINT64_MAX, INVALID, 48 },
	/* the directory */
	{ &raw, 0, 56, 8, 0, BAD, 56 },
	{ &raw, 0, 56, 8, UINT64_MAX, OK, 0 },
	{ &raw, 0, 64, 4, 0, INVALID, 64 },
	{ &raw, 0, 64, 4, 2, INVALID, 64 },
	{ &raw, 0, 64, 4, UINT32_MAX, INVALID, 64 },
	{ &raw, 0, 68, 4, 1, OK, 0 },
	{ &raw, 0, 68, 4, 2, OK, 0 },
	{ &raw, 0, 68, 4, 3, INVALID, 68 },
	{ &raw, 0, 68, 4, UINT32_MAX, INVALID, 68 },
	/* data_offset, page_shift */
	{ &cyclic, 0, 72, 4, 512, OK, 0 },
	{ &raw, 0, 72, 4, PAGE, INVALID, 72 },
	{ &raw, 0, 72, 4, UINT32_MAX, INVALID, 72 },
	{ &raw, 0, 76, 4, 11, INVALID, 76 },
	{ &raw, 0, 76, 4, 13, INVALID, 76 },
	{ &raw, 0, 76, 4, UINT32_MAX, INVALID, 76 },
	/* rights, attributes, tag, type, private_octets */
	{ &raw, 0, 80, 4, 0, INVALID, 80 },
	{ &raw, 0, 80, 4, 1, OK, 0 },
	{ &raw, 0, 80, 4, 4, INVALID, 80 },
	{ &raw, 0, 80, 4, 9, INVALID, 80 },
	{ &raw, 0, 84, 4, 0, INVALID, 84 },
	{ &raw, 0, 84, 4, 1, OK, 0 },
	{ &raw, 0, 84, 4, 3, INVALID, 84 },
	{ &raw, 0, 88, 8, 0, OK, 0 },
	{ &raw, 0, 96, 4, 0, INVALID, 96 },
	{ &raw, 0, 96, 4, 4, INVALID, 96 },
	{ &picture, 0, 96, 4, 4, INVALID, 96 },
	{ &raw, 0, 100, 4, 0, INVALID, 100 },
	{ &raw, 0, 100, 4, sizeof(words) - 1, INVALID, 100 },
	{ &raw, 0, 100, 4, sizeof(words) + 1, INVALID, 100 },
	{ &raw, 0, 100, 4, UINT32_MAX, INVALID, 100 },
	/* a picture */
	{ &picture, 0, 104, 4, 0, INVALID, 104 },
	{ &picture, 0, 104, 4, UINT32_MAX, OK, 0 },
	{ &picture, 0, 108, 4, 0, INVALID, 108 },
	{ &picture, 0, 112, 4, 0, INVALID, 112 },
	{ &picture, 0, 116, 4, 0, INVALID, 116 },
	{ &picture, 0, 116, 4, 1, INVALID, 132 },
	{ &picture, 0, 116, 4, 4, OK, 0 },
	{ &picture, 0, 116, 4, 5, INVALID, 116 },
	{ &picture, 0, 120, 8, 0, OK, 0 },
	{ &picture, 0, 128, 4, 1, INVALID, 132 },
	{ &picture, 0, 128, 4, 2, INVALID, 128 },
	{ &picture, 0, 128, 4, UINT32_MAX, INVALID, 128 },
	{ &picture, 0, 132, 4, 3, INVALID, 132 },
	{ &picture, 0, 132, 4, UINT32_MAX, INVALID, 132 },
	{ &picture, 0, 136, 8, 3110399, OK, 0 },
	{ &picture, 0, 136, 8, 3110400, INVALID, 136 },
	{ &picture, 0, 136, 8, UINT64_MAX, INVALID, 136 },
	{ &picture, 0, 144, 4, 0, INVALID, 144 },
	{ &picture, 0, 144, 4, 3110400, OK, 0 },
	{ &picture, 0, 144, 4, 3110401, INVALID, 144 },
	{ &picture, 0, 152, 8, 3110400, INVALID, 152 },
	{ &picture, 0, 160, 4, 0, INVALID, 160 },
	{ &picture, 0, 160, 4, UINT32_MAX, INVALID, 160 },
	/* sound */
	{ &cyclic, 0, 104, 4, 0, OK, 0 },
	{ &cyclic, 0, 108, 4, 0, INVALID, 108 },
	{ &cyclic, 0, 112, 4, 0, INVALID, 112 },
	{ &cyclic, 0, 116, 4, 0, INVALID, 116 },
	{ &cyclic, 0, 116, 4, 5, OK, 0 },
	{ &cyclic, 0, 116, 4, 7, INVALID, 116 },
	{ &cyclic, 0, 116, 4, 7680, OK, 0 },
	{ &cyclic, 0, 116, 4, 15360, INVALID, 116 },
	{ &cyclic, 0, 120, 4, 0, INVALID, 120 },
	{ &cyclic, 0, 120, 4, 1921, INVALID, 120 },
	{ &cyclic, 0, 120, 4, UINT32_MAX, INVALID, 120 },
	{ &cyclic, 0, 124, 4, 0, OK, 0 },
};

static void fields_are_held_to_their_descriptions(void **state)
{
	struct page page;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(damages); i++) {
		const struct damage *damage = &damages[i];
		uint64_t value;

		page_write(&page, damage->info, damage->format);
		number_put(page.octets + damage->offset, damage->width,
			   damage->value);
		value = damage->wrong == damage->offset ?
				damage->value :
				number_at(page.octets + damage->wrong, 4);
		page_read(&page);
		assert_fault(&page.fault, damage->status, damage->wrong,
			     damage->status ? value : 0);
	}
}

/* Each number of a descriptor, and each stretch that is zero. */
struct field {
	uint16_t offset;
	uint16_t octets;
	bool zero;
};

static const struct field common_fields[] = {
	{ 0, 4, false },  { 4, 4, false },   { 8, 16, false },
	{ 24, 8, false }, { 32, 8, false },  { 40, 8, false },
	{ 48, 8, false }, { 56, 8, false },  { 64, 4, false },
	{ 68, 4, false }, { 72, 4, false },  { 76, 4, false },
	{ 80, 4, false }, { 84, 4, false },  { 88, 8, false },
	{ 96, 4, false }, { 100, 4, false }, { 200, 56, true },
};
static const struct field picture_fields[] = {
	{ 104, 4, false }, { 108, 4, false }, { 112, 4, false },
	{ 116, 4, false }, { 120, 8, false }, { 128, 4, false },
	{ 132, 4, false }, { 136, 8, false }, { 144, 4, false },
	{ 148, 4, true },  { 152, 8, false }, { 160, 4, false },
	{ 164, 4, true },  { 168, 8, true },  { 176, 4, true },
	{ 180, 4, true },  { 184, 8, true },  { 192, 4, true },
	{ 196, 4, true },
};
static const struct field cyclic_fields[] = {
	{ 104, 4, false }, { 108, 4, false }, { 112, 4, false },
	{ 116, 4, false }, { 120, 4, false }, { 124, 4, false },
	{ 128, 72, true },
};
static const struct field raw_fields[] = {
	{ 104, 96, true },
};

static const struct field *field_in(const struct field *fields, size_t count,
				    size_t offset)
{
	for (; count--; fields++) {
		if (offset >= fields->offset &&
		    offset < (size_t)fields->offset + fields->octets)
			return fields;
	}
	return NULL;
}

static const struct field *field_at(uint32_t type, size_t offset)
{
	const struct field *field =
		field_in(common_fields, COUNT(common_fields), offset);

	if (field)
		return field;
	if (type == HDMABUF_TYPE_PICTURE)
		return field_in(picture_fields, COUNT(picture_fields), offset);
	if (type == HDMABUF_TYPE_CYCLIC)
		return field_in(cyclic_fields, COUNT(cyclic_fields), offset);
	return field_in(raw_fields, COUNT(raw_fields), offset);
}

/* These decide about others, which may be told instead. */
static bool decides(size_t offset, uint32_t format)
{
	return (offset == 48 && format == EXTENTS) || offset == 32 ||
	       offset == 68 || offset == 72 || offset == 96 || offset == 116 ||
	       offset == 128 || offset == 132;
}

static void flip_bit(const struct hdmabuf_info *info, uint32_t format,
		     size_t bit)
{
	const struct field *field = field_at(info->type, bit / 8);
	struct hdmabuf_layout layout;
	uint8_t again[PAGE];
	struct page page;

	assert_non_null(field);
	page_write(&page, info, format);
	page.octets[bit / 8] ^= 1 << bit % 8;
	if (page_read(&page) == HDMABUF_STATUS_OK) {
		assert_false(field->zero);
		layout = page.layout;
		hdmabuf_descriptor_encode(&page.info, &layout, &id,
					  page.generation, again);
		assert_memory_equal(again, page.octets, PAGE);
		return;
	}
	assert_int_equal(page.fault.where, HDMABUF_WHERE_DESCRIPTOR);
	assert_non_null(field_at(page.info.type, page.fault.offset));
	if (field->zero)
		assert_int_equal(page.fault.status, RESERVED);
	if (decides(field->offset, format))
		return;
	assert_int_equal(page.fault.offset, field->offset);
	assert_true(page.fault.value ==
		    (field->octets > 8 ? 0 :
					 number_at(page.octets + field->offset,
						   field->octets)));
}

static void each_bit_of_a_descriptor_matters(void **state)
{
	uint32_t format;
	size_t bit;

	(void)state;
	for (format = 0; format < 3; format++) {
		for (bit = 0; bit < 256 * 8; bit++) {
			flip_bit(&picture, format, bit);
			flip_bit(&cyclic, format, bit);
			flip_bit(&raw, format, bit);
		}
	}
}

/* What is zero is looked at first, and lower offsets before higher. */
static void of_several_faults_the_first_is_told(void **state)
{
	struct page page;

	(void)state;
	page_write(&page, &picture, HDMABUF_DIRECTORY_LIST);
	number_put(page.octets + 56, 8, 0);
	page_read(&page);
	assert_fault(&page.fault, BAD, 56, 0);
	number_put(page.octets + 160, 4, 0);
	page_read(&page);
	assert_fault(&page.fault, INVALID, 160, 0);
	number_put(page.octets + 80, 4, 7);
	page_read(&page);
	assert_fault(&page.fault, INVALID, 80, 7);
	number_put(page.octets + 0, 4, 7);
	page_read(&page);
	assert_fault(&page.fault, INVALID, 0, 7);
	number_put(page.octets + 200, 1, 7);
	page_read(&page);
	assert_fault(&page.fault, RESERVED, 200, 0);
	number_put(page.octets + 192, 4, 6);
	page_read(&page);
	assert_fault(&page.fault, RESERVED, 192, 6);
	number_put(page.octets + 148, 4, 5);
	page_read(&page);
	assert_fault(&page.fault, RESERVED, 148, 5);
}

/* A feature that was not accepted ranks before any of it. */
static void a_faulty_descriptor_is_read_in_full(void **state)
{
	struct page page;

	(void)state;
	page_write(&page, &cyclic, HDMABUF_DIRECTORY_TABLE);
	number_put(page.octets + 0, 4, 0);
	number_put(page.octets + 255, 1, 1);
	page_read(&page);
	assert_int_equal(page.fault.status, RESERVED);
	assert_info(&page.info, &cyclic);
	assert_true(hdmabuf_info_features(&page.info,
					  page.layout.directory_format) ==
		    (HDMABUF_FEATURE_TABLE | HDMABUF_FEATURE_CYCLIC));
}

static void a_descriptor_must_be_that_of_its_request(void **state)
{
	struct hdmabuf_id other = id;
	struct hdmabuf_fault fault;
	struct page page;

	(void)state;
	other.octets[15] ^= 0x80;
	page_write(&page, &raw, HDMABUF_DIRECTORY_LIST);
	hdmabuf_descriptor_decode(page.octets, page.length, &other, PAGE_SHIFT,
				  &page.info, &page.layout, &page.generation,
				  &fault);
	assert_fault(&fault, INVALID, 8, 0);
	hdmabuf_descriptor_decode(page.octets, page.length + 1, &id, PAGE_SHIFT,
				  &page.info, &page.layout, &page.generation,
				  &fault);
	assert_fault(&fault, INVALID, 4, page.length);
	/* Both lengths agree with each other, yet not with the request. */
	page.length += 8;
	number_put(page.octets + 4, 4, page.length);
	hdmabuf_descriptor_decode(page.octets, page.length, &id, PAGE_SHIFT,
				  &page.info, &page.layout, &page.generation,
				  &fault);
	assert_fault(&fault, INVALID, 100, sizeof(words));
}

/* HDB-BOTH-062 */
static void sums_beyond_64_bits_are_refused(void **state)
{
	struct page page;

	(void)state;
	page_write(&page, &raw, HDMABUF_DIRECTORY_LIST);
	number_put(page.octets + 32, 8, UINT64_MAX);
	number_put(page.octets + 72, 4, 1);
	page_read(&page);
	assert_fault(&page.fault, INVALID, 32, UINT64_MAX);
	number_put(page.octets + 72, 4, 0);
	number_put(page.octets + 40, 8, (uint64_t)1 << 52);
	page_read(&page);
	assert_fault(&page.fault, INVALID, 48, 1);
	/* A directory of so many entries has more pages than can be told. */
	number_put(page.octets + 48, 8, (uint64_t)1 << 52);
	page_read(&page);
	assert_fault(&page.fault, INVALID, 48, (uint64_t)1 << 52);
	number_put(page.octets + 68, 4, TABLE);
	page_read(&page);
	assert_fault(&page.fault, INVALID, 48, (uint64_t)1 << 52);
	number_put(page.octets + 68, 4, EXTENTS);
	number_put(page.octets + 48, 8, 1);
	assert_int_equal(page_read(&page), OK);
	assert_true(page.layout.pages == (uint64_t)1 << 52);
}

/* ---- What an application says -------------------------------------------- */

static void assert_info_fault(const struct hdmabuf_info *info, uint16_t status,
			      uint64_t offset, uint64_t value)
{
	struct hdmabuf_fault fault;

	assert_int_equal(hdmabuf_info_check(info, PAGE_SHIFT, &fault), status);
	assert_fault(&fault, status, offset, value);
}

/*
 * Where a descriptor would be refused for what an application says, so is what it
 * says, in the same words.
 */
static void applications_are_held_to_the_same(void **state)
{
	struct page page;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(damages); i++) {
		const struct damage *damage = &damages[i];
		bool of_layout = (damage->status && damage->wrong < 32) ||
				 (damage->wrong >= 40 && damage->wrong < 68) ||
				 damage->wrong == 76 || damage->wrong == 100;

		page_write(&page, damage->info, damage->format);
		number_put(page.octets + damage->offset, damage->width,
			   damage->value);
		page_read(&page);
		if (of_layout)
			continue;
		assert_info_fault(&page.info, page.fault.status,
				  page.fault.offset, page.fault.value);
	}
}

static void private_data_must_fit_and_be_there(void **state)
{
	struct hdmabuf_info info = raw;

	(void)state;
	info.private_octets = PRIVATE_MOST;
	assert_info_fault(&info, OK, 0, 0);
	info.private_octets = PRIVATE_MOST + 1;
	assert_info_fault(&info, INVALID, 100, PRIVATE_MOST + 1);
	info.private_octets = UINT32_MAX;
	assert_info_fault(&info, INVALID, 100, UINT32_MAX);
	info.private_data = NULL;
	info.private_octets = 0;
	assert_info_fault(&info, OK, 0, 0);
	info.private_octets = 1;
	assert_info_fault(&info, INVALID, 100, 1);
}

static void sizes_are_multiples_beyond_32_bits_too(void **state)
{
	struct hdmabuf_info info = cyclic;

	(void)state;
	info.size = (uint64_t)UINT32_MAX * UINT32_MAX;
	info.cyclic.frame_octets = UINT32_MAX;
	info.cyclic.period_octets = 65537;
	assert_info_fault(&info, OK, 0, 0);
	info.size--;
	assert_info_fault(&info, INVALID, 116, UINT32_MAX);
	info.size = UINT64_MAX;
	info.cyclic.frame_octets = 0x80000000;
	assert_info_fault(&info, INVALID, 116, 0x80000000);
	info.size = (uint64_t)1 << 63;
	info.cyclic.period_octets = 1;
	assert_info_fault(&info, OK, 0, 0);
}

static void a_picture_may_have_some_of_its_planes(void **state)
{
	struct hdmabuf_info info = picture;
	uint32_t first, count, planes;

	(void)state;
	info.picture.plane[2] = info.picture.plane[3] = info.picture.plane[0];
	for (planes = 1; planes <= 4; planes++) {
		for (first = 0; first < planes; first++) {
			for (count = 1; count <= planes - first; count++) {
				info.picture.planes = planes;
				info.picture.plane_first = first;
				info.picture.plane_count = count;
				assert_info_fault(&info, OK, 0, 0);
			}
			info.picture.plane_count = count;
			assert_info_fault(&info, INVALID, 132, count);
		}
	}
	info.picture.plane_first = 0;
	info.picture.plane_count = 0;
	assert_info_fault(&info, INVALID, 132, 0);
}

/* Whatever the structure holds beyond them. */
static void planes_that_are_not_there_are_not_written(void **state)
{
	struct hdmabuf_info info = picture;
	struct page page;

	(void)state;
	info.picture.plane[2] = info.picture.plane[3] = info.picture.plane[1];
	page_write(&page, &info, HDMABUF_DIRECTORY_LIST);
	assert_int_equal(page_read(&page), OK);
	assert_info(&page.info, &picture);
}

static void buffers_need_whole_pages(void **state)
{
	static const struct {
		uint64_t offset;
		uint64_t size;
		uint32_t shift;
		uint64_t pages;
	} sizes[] = {
		{ 0, 1, 12, 1 },
		{ 0, 4096, 12, 1 },
		{ 0, 4097, 12, 2 },
		{ 1, 4096, 12, 2 },
		{ 4095, 1, 12, 1 },
		{ 4095, 2, 12, 2 },
		{ 0, 33177600, 12, 8100 },
		{ 0, 33177600, 16, 507 },
		{ 65535, 1, 16, 1 },
		{ 0, UINT64_MAX, 12, (uint64_t)1 << 52 },
		{ 4095, UINT64_MAX - 4095, 12, (uint64_t)1 << 52 },
		/* none */
		{ 0, 0, 12, 0 },
		{ 4096, 1, 12, 0 },
		{ 65536, 1, 16, 0 },
		{ UINT64_MAX, 1, 12, 0 },
		{ 1, UINT64_MAX, 12, 0 },
		{ 4095, UINT64_MAX - 4094, 12, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		uint64_t pages = 0;

		assert_int_equal(hdmabuf_buffer_pages(sizes[i].offset,
						      sizes[i].size,
						      sizes[i].shift, &pages),
				 sizes[i].pages != 0);
		assert_true(pages == sizes[i].pages);
	}
}

static void features_are_those_that_a_buffer_needs(void **state)
{
	struct hdmabuf_info info = picture;

	(void)state;
	assert_true(hdmabuf_info_features(&info, HDMABUF_DIRECTORY_LIST) == 0);
	assert_true(hdmabuf_info_features(&info, TABLE) ==
		    HDMABUF_FEATURE_TABLE);
	assert_true(hdmabuf_info_features(&info, EXTENTS) ==
		    HDMABUF_FEATURE_EXTENTS);
	info.rights = HDMABUF_RIGHTS_READ_WRITE;
	assert_true(hdmabuf_info_features(&info, HDMABUF_DIRECTORY_LIST) == 0);
	info.rights = HDMABUF_RIGHTS_LEND;
	assert_true(hdmabuf_info_features(&info, HDMABUF_DIRECTORY_LIST) ==
		    HDMABUF_FEATURE_LEND);
	assert_true(hdmabuf_info_features(&info, EXTENTS) ==
		    (HDMABUF_FEATURE_EXTENTS | HDMABUF_FEATURE_LEND));
	assert_true(hdmabuf_info_features(&cyclic, HDMABUF_DIRECTORY_LIST) ==
		    HDMABUF_FEATURE_CYCLIC);
	assert_true(hdmabuf_info_features(&raw, HDMABUF_DIRECTORY_LIST) ==
		    (HDMABUF_FEATURE_LEND | HDMABUF_FEATURE_WRITE_COMBINED));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_planes_than_there_are_written),
		cmocka_unit_test(a_picture_has_the_octets_of_its_diagram),
		cmocka_unit_test(a_cyclic_buffer_has_the_octets_of_its_diagram),
		cmocka_unit_test(a_raw_buffer_has_the_octets_of_its_diagram),
		cmocka_unit_test(descriptors_come_back),
		cmocka_unit_test(the_least_comes_back),
		cmocka_unit_test(private_data_may_fill_the_page),
		cmocka_unit_test(a_page_of_another_size_is_filled),
		cmocka_unit_test(fields_are_held_to_their_descriptions),
		cmocka_unit_test(each_bit_of_a_descriptor_matters),
		cmocka_unit_test(of_several_faults_the_first_is_told),
		cmocka_unit_test(a_faulty_descriptor_is_read_in_full),
		cmocka_unit_test(a_descriptor_must_be_that_of_its_request),
		cmocka_unit_test(sums_beyond_64_bits_are_refused),
		cmocka_unit_test(applications_are_held_to_the_same),
		cmocka_unit_test(private_data_must_fit_and_be_there),
		cmocka_unit_test(sizes_are_multiples_beyond_32_bits_too),
		cmocka_unit_test(a_picture_may_have_some_of_its_planes),
		cmocka_unit_test(planes_that_are_not_there_are_not_written),
		cmocka_unit_test(buffers_need_whole_pages),
		cmocka_unit_test(features_are_those_that_a_buffer_needs),
	};

	return hdmabuf_test_run("descriptor", tests, COUNT(tests));
}
