/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: descriptors. The input is how the page is and how long, and then the
 * octets of the descriptor; or what a valid one says, and which octets are spoilt.
 */
#include "assurance/fuzz/common/fuzz.h"

#include <hdmabuf/descriptor.h>
#include <hdmabuf/directory.h>

struct decoded {
	struct hdmabuf_info info;
	struct hdmabuf_layout layout;
	uint64_t generation;
	struct hdmabuf_fault fault;
};

static void check_info(const struct decoded *decoded, const uint8_t *copy,
		       uint32_t length, uint32_t page_shift)
{
	const struct hdmabuf_info *info = &decoded->info;
	const uint8_t *private_data = info->private_data;
	struct hdmabuf_fault fault;

	must(hdmabuf_info_check(info, page_shift, &fault) == HDMABUF_STATUS_OK);
	must(info->private_octets == length - HDMABUF_DESCRIPTOR_OCTETS);
	must(!info->private_octets ||
	     private_data == copy + HDMABUF_DESCRIPTOR_OCTETS);
	must(decoded->generation);
	must(info->data_offset < 1u << page_shift && info->size);
}

/* HDB-IMP-011 */
static void check_layout(const struct decoded *decoded, uint32_t page_shift)
{
	const struct hdmabuf_layout *layout = &decoded->layout;
	uint32_t directory_pages;
	uint64_t pages;

	must(hdmabuf_buffer_pages(decoded->info.data_offset, decoded->info.size,
				  page_shift, &pages));
	must(layout->pages == pages);
	must(layout->entries && layout->entries <= pages);
	must(hdmabuf_directory_pages(layout->directory_format, layout->entries,
				     page_shift, &directory_pages));
	must(layout->directory_pages == directory_pages);
	must(layout->directory && layout->page_shift == page_shift);
}

/* What was decoded is all there is: it makes the same page. */
static void check_again(const struct decoded *decoded, const uint8_t *copy,
			uint32_t length, const struct hdmabuf_id *id,
			uint32_t page_shift)
{
	uint8_t *page = fuzz_alloc((size_t)1 << page_shift);

	must(hdmabuf_descriptor_encode(&decoded->info, &decoded->layout, id,
				       decoded->generation, page) == length);
	must(!memcmp(page, copy, length));
	free(page);
}

static void check_fault(const struct hdmabuf_fault *fault)
{
	must(fault->status == HDMABUF_STATUS_RESERVED ||
	     fault->status == HDMABUF_STATUS_INVALID ||
	     fault->status == HDMABUF_STATUS_BAD_REFERENCE);
	must(fault->where == HDMABUF_WHERE_DESCRIPTOR);
	must(fault->offset < HDMABUF_DESCRIPTOR_OCTETS);
}

static void try_descriptor(const uint8_t *copy, uint32_t length,
			   const struct hdmabuf_id *id, uint32_t page_shift)
{
	struct decoded decoded;
	uint16_t status;

	memset(&decoded, 0xaa, sizeof(decoded));
	status = hdmabuf_descriptor_decode(copy, length, id, page_shift,
					   &decoded.info, &decoded.layout,
					   &decoded.generation, &decoded.fault);
	must(status == decoded.fault.status);
	if (status) {
		check_fault(&decoded.fault);
		return;
	}
	check_info(&decoded, copy, length, page_shift);
	check_layout(&decoded, page_shift);
	check_again(&decoded, copy, length, id, page_shift);
}

/* ---- Any octets ------------------------------------------------------------ */

static void try_octets(struct input *input, uint32_t page_shift)
{
	uint32_t length = HDMABUF_DESCRIPTOR_OCTETS +
			  input_16(input) % ((1u << page_shift) -
					     HDMABUF_DESCRIPTOR_OCTETS + 1);
	uint8_t *copy = fuzz_alloc((length + 7) & ~7u);
	struct hdmabuf_id id;

	input_take(input, copy, length);
	/* That of the request, which the descriptor has to repeat. */
	memcpy(&id, copy + offsetof(struct hdmabuf_descriptor, id), sizeof(id));
	if (input_octet(input))
		id.octets[0] ^= 1;
	try_descriptor(copy, length, &id, page_shift);
	free(copy);
}

/* ---- A valid one, spoilt ---------------------------------------------------- */

static void make_picture(struct input *input,
			 struct hdmabuf_picture_info *picture)
{
	uint8_t how = input_octet(input);
	uint32_t i;

	picture->width = 1 + how % 8;
	picture->height = 1 + how / 8 % 8;
	picture->fourcc = 1 + how;
	picture->planes = 1 + how % HDMABUF_PLANES;
	picture->plane_first = how / 4 % picture->planes;
	picture->plane_count = picture->planes - picture->plane_first;
	for (i = 0; i < picture->plane_count; i++)
		picture->plane[i] = (struct hdmabuf_plane_info){ i, 1 };
}

static void make_info(struct input *input, struct hdmabuf_info *info)
{
	static const uint8_t private_data[64] = { 1, 2, 3 };
	uint8_t how = input_octet(input);

	memset(info, 0, sizeof(*info));
	info->size = HDMABUF_PLANES * (1u + input_16(input));
	info->data_offset = input_octet(input);
	info->rights = 1 + how % 3;
	info->attributes = 1 + how / 3 % 2;
	info->tag = how;
	info->directory_format = how / 8 % 3;
	info->type = 1 + how / 32 % 3;
	info->private_octets = how % sizeof(private_data);
	info->private_data = private_data;
	if (info->type == HDMABUF_TYPE_PICTURE)
		make_picture(input, &info->picture);
	if (info->type == HDMABUF_TYPE_CYCLIC)
		info->cyclic = (struct hdmabuf_cyclic_info){
			.channels = 1,
			.rate = 1 + how,
			.frame_octets = 2,
			.period_octets = 4,
		};
}

static void make_layout(const struct hdmabuf_info *info, uint32_t page_shift,
			struct hdmabuf_layout *layout)
{
	memset(layout, 0, sizeof(*layout));
	layout->page_shift = page_shift;
	layout->directory = 5;
	layout->directory_format = info->directory_format;
	must(hdmabuf_buffer_pages(info->data_offset, info->size, page_shift,
				  &layout->pages));
	layout->entries = layout->directory_format ==
					  HDMABUF_DIRECTORY_EXTENTS ?
				  1 :
				  layout->pages;
	must(hdmabuf_directory_pages(layout->directory_format, layout->entries,
				     page_shift, &layout->directory_pages));
}

static void try_spoilt(struct input *input, uint32_t page_shift)
{
	uint8_t *page = fuzz_alloc((size_t)1 << page_shift);
	struct hdmabuf_id id = { { 1, 2, 3 } };
	struct hdmabuf_layout layout;
	struct hdmabuf_fault fault;
	struct hdmabuf_info info;
	uint32_t length;
	uint8_t *copy;

	make_info(input, &info);
	must(!hdmabuf_info_check(&info, page_shift, &fault));
	make_layout(&info, page_shift, &layout);
	length = hdmabuf_descriptor_encode(&info, &layout, &id, 1, page);
	copy = fuzz_alloc((length + 7) & ~7u);
	memcpy(copy, page, length);
	free(page);
	while (input->left) {
		uint16_t at = input_16(input);

		copy[at % length] = input_octet(input);
	}
	try_descriptor(copy, length, &id, page_shift);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct input input = { octets, size };
	uint8_t how = input_octet(&input);
	uint32_t page_shift = HDMABUF_PAGE_SHIFT_MIN + how % 5;

	if (how & 128)
		try_spoilt(&input, page_shift);
	else
		try_octets(&input, page_shift);
	return 0;
}
