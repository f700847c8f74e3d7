/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: descriptors. The input is how the page is and how long, and then the
 * octets of the descriptor.
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

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct input input = { octets, size };
	uint32_t page_shift = HDMABUF_PAGE_SHIFT_MIN + input_octet(&input) % 5;
	uint32_t length = HDMABUF_DESCRIPTOR_OCTETS +
			  input_16(&input) % ((1u << page_shift) -
					      HDMABUF_DESCRIPTOR_OCTETS + 1);
	struct decoded decoded;
	struct hdmabuf_id id;
	uint8_t *copy = fuzz_alloc((length + 7) & ~7u);
	uint16_t status;

	input_take(&input, copy, length);
	/* That of the request, which the descriptor has to repeat. */
	memcpy(&id, copy + offsetof(struct hdmabuf_descriptor, id), sizeof(id));
	if (input_octet(&input))
		id.octets[0] ^= 1;
	memset(&decoded, 0xaa, sizeof(decoded));
	status = hdmabuf_descriptor_decode(copy, length, &id, page_shift,
					   &decoded.info, &decoded.layout,
					   &decoded.generation, &decoded.fault);
	must(status == decoded.fault.status);
	if (status) {
		check_fault(&decoded.fault);
	} else {
		check_info(&decoded, copy, length, page_shift);
		check_layout(&decoded, page_shift);
		check_again(&decoded, copy, length, &id, page_shift);
	}
	free(copy);
	return 0;
}
