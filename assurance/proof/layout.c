/* SPDX-License-Identifier: MIT */
/*
 * What is said of a descriptor that is taken
 *
 * wp: fault_none fault_note note check_range hdmabuf_buffer_pages is_multiple
 * wp: check_planes check_picture check_multiple check_cyclic check_extent
 * wp: check_info decode_picture decode_cyclic decode_info decode_layout
 * wp: check_zero check_zero_planes check_zero_fields check_identity
 * wp: check_counts check_layout hdmabuf_descriptor_decode
 * fault NO_DIRECTORY lib/core/descriptor.c s/if (!layout->directory)/if (0)/
 * fault NOT_NOTED lib/core/note.h s/if (rank < noted ||/if (/
 */
#define HDMABUF_CORE_OCTETS_H
#include "assurance/proof/pages.h"
#include "assurance/proof/proof.h"

#include <hdmabuf/codec.h>
#include <hdmabuf/descriptor.h>
#include <hdmabuf/directory.h>

/*
 * Which octets are looked at is followed in descriptor.c: here it matters what comes of
 * it.
 */
/*@ assigns \nothing; */
bool octets_are_zero(const void *at, size_t octets);

/*@ assigns \nothing; */
bool octets_equal(const void *a, const void *b, size_t octets);

/*@ requires \valid(to);
    assigns *to; */
void proof_copy_word(hdmabuf_le64 *to);
#define octets_copy(to, from, octets) proof_copy_word((hdmabuf_le64 *)(to))

/*@ requires \valid(info);
    assigns *info; */
void proof_clear_info(struct hdmabuf_info *info);
#define octets_clear(at, octets) proof_clear_info((struct hdmabuf_info *)(at))

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == status; */
uint16_t hdmabuf_fault_set(struct hdmabuf_fault *fault, uint16_t status,
			   uint32_t where, uint64_t offset, uint64_t value);

/*@ assigns \nothing;
    ensures \result <= 11 && (\result == 11 <==> status == 0); */
unsigned int hdmabuf_fault_rank(uint16_t status);

/*@ requires \valid(fault);
    assigns *fault;
    ensures fault->status == 0; */
static inline void fault_none(struct hdmabuf_fault *fault);

/* What was wrong stays wrong, whatever else is. */
/*@ requires \valid(fault) && status != 0;
    assigns *fault;
    ensures fault->status != 0; */
static inline void fault_note(struct hdmabuf_fault *fault, uint16_t status,
			      uint32_t where, uint64_t offset, uint64_t value);

/*@ requires \valid(fault) && status != 0;
    assigns *fault;
    ensures fault->status != 0; */
static void note(struct hdmabuf_fault *fault, uint16_t status, size_t offset,
		 uint64_t value);

/*@ requires \valid(fault);
    assigns *fault;
    ensures fault->status == 0 ==>
	\old(fault->status) == 0 && low <= value <= high; */
static void check_range(struct hdmabuf_fault *fault, size_t offset,
			uint64_t value, uint64_t low, uint64_t high);

/*@ requires is_shift(page_shift) && \valid(pages);
    assigns *pages;
    ensures \result ==> *pages >= 1;
    ensures 1 <= size && data_offset < page_octets(page_shift) &&
	data_offset + size <= 0xffffffffffffffff ==> \result; */
bool hdmabuf_buffer_pages(uint64_t data_offset, uint64_t size,
			  uint32_t page_shift, uint64_t *pages);

/*@ assigns \nothing; */
static bool is_multiple(uint64_t number, uint32_t divisor);

/*@ requires \valid_read(picture) && \valid(fault);
    requires \separated(fault, picture);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0; */
static void check_planes(const struct hdmabuf_picture_info *picture,
			 uint64_t size, struct hdmabuf_fault *fault);

/*@ requires \valid_read(picture) && \valid(fault);
    requires \separated(fault, picture);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0 &&
	1 <= picture->planes <= HDMABUF_PLANES &&
	picture->plane_first + picture->plane_count <= picture->planes; */
static void check_picture(const struct hdmabuf_picture_info *picture,
			  uint64_t size, struct hdmabuf_fault *fault);

/*@ requires \valid(fault);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0 && octets != 0; */
static void check_multiple(struct hdmabuf_fault *fault, size_t offset,
			   uint32_t octets, uint64_t size);

/*@ requires \valid_read(cyclic) && \valid(fault);
    requires \separated(fault, cyclic);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0 &&
	cyclic->frame_octets != 0 && cyclic->period_octets != 0; */
static void check_cyclic(const struct hdmabuf_cyclic_info *cyclic,
			 uint64_t size, struct hdmabuf_fault *fault);

/*@
predicate is_extent(struct hdmabuf_info *info, integer shift) =
	info->data_offset < page_octets(shift) && 1 <= info->size &&
	info->data_offset + info->size <= 0xffffffffffffffff &&
	info->private_octets <= page_octets(shift) - HDMABUF_DESCRIPTOR_OCTETS;

predicate is_info(struct hdmabuf_info *info, integer shift) =
	is_extent(info, shift) &&
	HDMABUF_RIGHTS_READ_ONLY <= info->rights <= HDMABUF_RIGHTS_LEND &&
	info->directory_format <= HDMABUF_DIRECTORY_EXTENTS &&
	info->type <= HDMABUF_TYPE_CYCLIC;

predicate is_layout(struct hdmabuf_layout *layout, integer shift) =
	layout->page_shift == shift && layout->directory != 0 &&
	layout->directory_pages >= 1 &&
	(layout->directory_format <= HDMABUF_DIRECTORY_EXTENTS ==>
	 1 <= layout->entries <= layout->pages) &&
	(layout->directory_format < HDMABUF_DIRECTORY_EXTENTS ==>
	 layout->entries == layout->pages);
*/

/*@ requires \valid_read(info) && \valid(fault) && is_shift(page_shift);
    requires \separated(fault, info);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0 &&
	is_extent{Pre}(info, page_shift); */
static void check_extent(const struct hdmabuf_info *info, uint32_t page_shift,
			 struct hdmabuf_fault *fault);

/*@ requires \valid_read(info) && \valid(fault) && is_shift(page_shift);
    requires \separated(fault, info);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0 &&
	is_info{Pre}(info, page_shift); */
static void check_info(const struct hdmabuf_info *info, uint32_t page_shift,
		       struct hdmabuf_fault *fault);

/*@ requires \valid_read(from) && \valid(to) && \separated(from, to);
    assigns *to; */
static void decode_picture(const struct hdmabuf_picture *from,
			   struct hdmabuf_picture_info *to);

/*@ requires \valid_read(from) && \valid(to) && \separated(from, to);
    assigns *to; */
static void decode_cyclic(const struct hdmabuf_cyclic *from,
			  struct hdmabuf_cyclic_info *to);

/*@ requires \valid_read(from) && \valid(to) && \separated(from, to);
    assigns *to;
    ensures to->directory_format == from->directory_format; */
static void decode_info(const struct hdmabuf_descriptor *from,
			struct hdmabuf_info *to);

/*@ requires \valid_read(from) && \valid(to) && \separated(from, to);
    assigns *to;
    ensures to->directory_format == from->directory_format; */
static void decode_layout(const struct hdmabuf_descriptor *from,
			  struct hdmabuf_layout *to);

/*@ requires \valid(fault);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0; */
static void check_zero(struct hdmabuf_fault *fault, size_t offset,
		       const void *at, size_t octets);

/*@ requires \valid_read(picture) && \valid(fault);
    requires \separated(fault, picture);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0; */
static void check_zero_planes(const struct hdmabuf_picture *picture,
			      struct hdmabuf_fault *fault);

/*@ requires \valid_read(descriptor) && \valid(fault);
    requires \separated(fault, descriptor);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0; */
static void check_zero_fields(const struct hdmabuf_descriptor *descriptor,
			      struct hdmabuf_fault *fault);

/*@ requires \valid_read(descriptor) && \valid(fault);
    requires \separated(fault, descriptor);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0 &&
	descriptor->length == length && descriptor->generation >= 1; */
static void check_identity(const struct hdmabuf_descriptor *descriptor,
			   uint32_t length, const struct hdmabuf_id *id,
			   struct hdmabuf_fault *fault);

/*@ requires \valid(pages);
    assigns *pages;
    ensures \result ==> *pages >= 1; */
bool hdmabuf_directory_pages(uint32_t format, uint64_t entries,
			     uint32_t page_shift, uint32_t *pages);

/*@ requires \valid_read(layout) && \valid(fault) && pages >= 1;
    requires \separated(fault, layout);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0 &&
	layout->directory_pages >= 1 && layout->pages == pages &&
	1 <= layout->entries <= pages &&
	(layout->directory_format != HDMABUF_DIRECTORY_EXTENTS ==>
	 layout->entries == pages); */
static void check_counts(const struct hdmabuf_layout *layout, uint64_t pages,
			 uint32_t page_shift, struct hdmabuf_fault *fault);

/*@ requires \valid_read(layout) && \valid_read(info) && \valid(fault);
    requires \separated(fault, layout, info) && is_shift(page_shift);
    assigns *fault;
    ensures fault->status == 0 ==> \old(fault->status) == 0 &&
	layout->page_shift == page_shift && layout->directory != 0;
    ensures fault->status == 0 && is_extent{Pre}(info, page_shift) &&
	layout->directory_format <= HDMABUF_DIRECTORY_EXTENTS ==>
	is_layout{Pre}(layout, page_shift); */
static void check_layout(const struct hdmabuf_layout *layout,
			 const struct hdmabuf_info *info, uint32_t page_shift,
			 struct hdmabuf_fault *fault);

/*@ requires \valid_read((struct hdmabuf_descriptor *)page);
    requires \valid_read(id) && is_shift(page_shift);
    requires \valid(info) && \valid(layout) && \valid(generation) &&
	\valid(fault);
    requires \separated(info, layout, generation, fault, id,
			(struct hdmabuf_descriptor *)page);
    assigns *info, *layout, *generation, *fault;
    ensures \result == 0 ==> is_info(info, page_shift) &&
	is_layout(layout, page_shift); */
uint16_t hdmabuf_descriptor_decode(const void *page, uint32_t length,
				   const struct hdmabuf_id *id,
				   uint32_t page_shift,
				   struct hdmabuf_info *info,
				   struct hdmabuf_layout *layout,
				   uint64_t *generation,
				   struct hdmabuf_fault *fault);

#include "lib/core/descriptor.c"
