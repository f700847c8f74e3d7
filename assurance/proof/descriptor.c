/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of any content, of any length that a request may have
 *
 * eva: lib/core/descriptor.c lib/core/directory.c lib/core/directory_list.c
 * eva: lib/core/directory_table.c lib/core/directory_extents.c
 * eva: lib/core/directory_references.c lib/core/fault.c
 * split: hdmabuf_buffer_pages hdmabuf_directory_pages
 * fault ONE_PLANE_MORE lib/core/descriptor.c s/i < HDMABUF_PLANES; i++/i <= HDMABUF_PLANES; i++/
 */
#include "assurance/proof/eva.h"

#include <hdmabuf/descriptor.h>

void main(void)
{
	static uint64_t page[4096 / 8];
	struct hdmabuf_info info;
	struct hdmabuf_layout layout;
	struct hdmabuf_fault fault;
	struct hdmabuf_id id;
	uint64_t generation;

	ANY_CONTENT(page);
	ANY_CONTENT(id);
	hdmabuf_descriptor_decode(page, BETWEEN(256, 4096), &id,
				  BETWEEN(HDMABUF_PAGE_SHIFT_MIN,
					  HDMABUF_PAGE_SHIFT_MAX),
				  &info, &layout, &generation, &fault);
}
