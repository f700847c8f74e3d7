/* SPDX-License-Identifier: MIT */
/*
 * descriptor.h - what is known of a buffer
 */
#ifndef HDMABUF_DESCRIPTOR_H
#define HDMABUF_DESCRIPTOR_H

#include <hdmabuf/fault.h>
#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_plane_info - where a plane lies
 * @offset: from the first octet of the data
 * @stride: octets from row to row
 */
struct hdmabuf_plane_info {
	uint64_t offset;
	uint32_t stride;
};

/**
 * struct hdmabuf_picture_info - metadata of a picture
 * @width: pixels
 * @height: rows
 * @fourcc: pixel format
 * @planes: of the whole picture
 * @modifier: layout within the planes
 * @plane_first: the first plane that lies in the buffer
 * @plane_count: planes that lie in the buffer
 * @plane: where they lie
 */
struct hdmabuf_picture_info {
	uint32_t width;
	uint32_t height;
	uint32_t fourcc;
	uint32_t planes;
	uint64_t modifier;
	uint32_t plane_first;
	uint32_t plane_count;
	struct hdmabuf_plane_info plane[HDMABUF_PLANES];
};

/**
 * struct hdmabuf_cyclic_info - metadata of a cyclic buffer
 * @format: of a sample
 * @channels: samples in a frame
 * @rate: frames a second
 * @frame_octets: octets of a frame
 * @period_octets: unit of progress
 * @position_timeline: timeline of the exporter, or ``HDMABUF_NO_TIMELINE``
 */
struct hdmabuf_cyclic_info {
	uint32_t format;
	uint32_t channels;
	uint32_t rate;
	uint32_t frame_octets;
	uint32_t period_octets;
	uint32_t position_timeline;
};

/**
 * struct hdmabuf_info - what an application says and learns of a buffer
 * @size: octets of data
 * @data_offset: of the first octet of data in the first page
 * @rights: &enum hdmabuf_rights
 * @attributes: &enum hdmabuf_attribute
 * @tag: which stream or surface this is
 * @directory_format: &enum hdmabuf_directory_format: how its pages are listed; to an
 *	exporter a wish, as LIST is used where the feature was not negotiated
 * @type: &enum hdmabuf_type; says which of the two below counts
 * @picture: if it is a picture
 * @cyclic: if it is cyclic
 * @private_octets: octets of private data
 * @private_data: belongs to whoever filled this structure, may be NULL if
 *	@private_octets is 0
 */
struct hdmabuf_info {
	uint64_t size;
	uint32_t data_offset;
	uint32_t rights;
	uint32_t attributes;
	uint64_t tag;
	uint32_t directory_format;
	uint32_t type;
	union {
		struct hdmabuf_picture_info picture;
		struct hdmabuf_cyclic_info cyclic;
	};
	uint32_t private_octets;
	const void *private_data;
};

/**
 * struct hdmabuf_layout - where the references of a buffer are listed
 * @page_shift: binary logarithm of the page size
 * @pages: of the buffer
 * @entries: of the directory
 * @directory: reference of its first page
 * @directory_pages: pages it has
 * @directory_format: &enum hdmabuf_directory_format
 */
struct hdmabuf_layout {
	uint32_t page_shift;
	uint64_t pages;
	uint64_t entries;
	uint64_t directory;
	uint32_t directory_pages;
	uint32_t directory_format;
};

/**
 * hdmabuf_buffer_pages() - pages that some data needs
 * @data_offset: in the first page
 * @size: octets of data
 * @page_shift: binary logarithm of the page size
 * @pages: receives the number
 *
 * Return: false if there is no such number: @size is 0, @data_offset not less
 * than a page, or the sum does not fit 64 bits
 */
bool hdmabuf_buffer_pages(uint64_t data_offset, uint64_t size,
			  uint32_t page_shift, uint64_t *pages);

/**
 * hdmabuf_info_check() - check what an application says of a buffer
 * @info: native form
 * @page_shift: binary logarithm of the page size
 * @fault: receives what is wrong, as if it were in a descriptor
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault
 */
uint16_t hdmabuf_info_check(const struct hdmabuf_info *info,
			    uint32_t page_shift, struct hdmabuf_fault *fault);

/**
 * hdmabuf_info_features() - features that a buffer needs
 * @info: native form
 * @directory_format: &enum hdmabuf_directory_format
 *
 * Return: feature bits
 */
uint64_t hdmabuf_info_features(const struct hdmabuf_info *info,
			       uint32_t directory_format);

/**
 * hdmabuf_descriptor_encode() - fill a descriptor page
 * @info: valid, see *hdmabuf_info_check()*
 * @layout: where the references are listed
 * @id: of the buffer
 * @generation: 1, or one more than before
 * @page: the page, of ``1 << layout->page_shift`` octets; is filled completely
 *
 * Return: octets of the descriptor with private data: the ``length`` of EXPORT
 */
uint32_t hdmabuf_descriptor_encode(const struct hdmabuf_info *info,
				   const struct hdmabuf_layout *layout,
				   const struct hdmabuf_id *id,
				   uint64_t generation, void *page);

/**
 * hdmabuf_descriptor_decode() - read and check a descriptor
 * @page: private copy of the descriptor, @length octets; aligned to 8
 * @length: as in the request, 256 to a page
 * @id: as in the request
 * @page_shift: of the session
 * @info: native form; ``private_data`` points into @page, or is NULL if there is
 *	none
 * @layout: native form
 * @generation: receives the generation, not 0; which one it should be is the
 *	caller's to check
 * @fault: receives what is wrong
 *
 * Follows HDB-IMP-009 and HDB-IMP-011, and reports in the order of HDB-BOTH-038.
 * Limits and features of the session are the caller's to check; as features rank
 * before all that is wrong with a descriptor, @info and @layout are filled in any
 * case, but good for nothing else after a fault.
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault
 */
uint16_t hdmabuf_descriptor_decode(const void *page, uint32_t length,
				   const struct hdmabuf_id *id,
				   uint32_t page_shift,
				   struct hdmabuf_info *info,
				   struct hdmabuf_layout *layout,
				   uint64_t *generation,
				   struct hdmabuf_fault *fault);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_DESCRIPTOR_H */
