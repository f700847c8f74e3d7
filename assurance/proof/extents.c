/* SPDX-License-Identifier: MIT */
/*
 * A page of EXTENTS of any content
 *
 * wp: entries_a_page extents_of check_zero check_extent single_pages
 * wp: check_extents check_page add_extents hdmabuf_extents_feed
 * fault LAST_WRAPS lib/core/directory_extents.c s/if (last < reference)/if (0)/
 * fault ANY_BITS lib/core/directory_extents.c s/return references < max \&\&/return/
 * fault NULL_REFERENCE lib/core/directory_extents.c s/if (!extent\[i\].reference)/if (0)/
 * fault SINGLES_UNCOUNTED lib/core/directory_extents.c s/left -= single;/;/
 * fault FIRST_AGAIN lib/core/directory_extents.c s/= hdmabuf_get_le64(extent\[i\]/= hdmabuf_get_le64(extent[0]/
 * fault NO_ROOM lib/core/directory_extents.c s/if (count > reader->pending - reader->run_count)/if (0)/
 */
#include "assurance/proof/directory.h"
#include "assurance/proof/positions.h"
#include "assurance/proof/wraps.h"

/*@
predicate have_one_page(struct hdmabuf_extent *extent, integer count) =
	\forall integer i; 0 <= i < count ==> extent[i].count == 1;

// By induction: see positions.c.
axiomatic Sums {
	axiom sum_of_single{L}: \forall struct hdmabuf_extent *extent,
			integer n; 0 <= n && have_one_page(extent, n) ==>
		pages_of(extent, n) == n;
}

// Pages that are not counted yet.
logic integer left_of(struct hdmabuf_directory_reader *r) =
	(uint64_t)(r->layout.pages - r->data_pages);
*/

/*@ requires is_shift(page_shift);
    assigns \nothing;
    ensures \result == page_octets(page_shift) / 16 - 1; */
static uint32_t entries_a_page(uint32_t page_shift);

/*@ assigns \result \from page;
    ensures \result == (struct hdmabuf_extent *)((char *)page + 16); */
static struct hdmabuf_extent *extents_of(const void *page);

/*@ requires count <= fit <= 4095 && \valid(fault);
    requires \valid_read(page) &&
	\valid_read((struct hdmabuf_extent *)((char *)page + 16) +
		    (0 .. fit - 1));
    requires \valid_read(
	(hdmabuf_le32 *)((struct hdmabuf_extent *)((char *)page + 16) + count) +
	(0 .. 4 * (fit - count) - 1));
    assigns *fault;
    ensures \result == 0 || \result == fault->status; */
static uint16_t check_zero(const struct hdmabuf_extents_page *page,
			   uint32_t count, uint32_t fit, uint64_t entry,
			   struct hdmabuf_fault *fault);

/*@ requires \valid_read(reader) && \valid(fault);
    requires \separated(reader, fault);
    assigns *fault;
    ensures \result == 0 ==> 1 <= count <= pages_left &&
	reference + count - 1 <= reader->reference_max;
    ensures \result == 0 && entry + 1 == reader->layout.entries ==>
	count == pages_left;
    ensures \result == 0 || \result == fault->status; */
static uint16_t check_extent(const struct hdmabuf_directory_reader *reader,
			     uint64_t reference, uint64_t count, uint64_t entry,
			     uint64_t pages_left, struct hdmabuf_fault *fault);

/*@
predicate is_extent(struct hdmabuf_extent *extent, integer max) =
	1 <= extent->reference && 1 <= extent->count &&
	extent->reference + extent->count - 1 <= max;

predicate are_extents(struct hdmabuf_extent *extent, integer count,
		      integer max) =
	\forall integer i; 0 <= i < count ==> is_extent(extent + i, max);
*/

/*@
predicate have_extent_bits(struct hdmabuf_extent *extent, integer count,
			   integer references, integer counts) =
	\forall integer i; 0 <= i < count ==>
		has_bits(extent[i].reference, references) &&
		has_bits(extent[i].count, counts);
*/

/*@ requires count <= 4095 && \valid_read(extent + (0 .. count - 1));
    assigns \nothing;
    ensures count == 0 ? \result == 0 : \result < count;
    ensures \forall integer i; 0 <= i < \result ==>
	1 <= extent[i].reference <= max && extent[i].count == 1; */
static uint32_t single_pages(const struct hdmabuf_extent *extent,
			     uint32_t count, uint64_t max);

/*@ requires \valid(reader) && \valid(fault) && count <= 4095;
    requires \valid_read(extent + (0 .. count - 1));
    requires \separated(fault, reader, extent + (0 .. count - 1));
    assigns *fault, reader->data_pages;
    ensures \result == 0 ==>
	are_extents(extent, count, reader->reference_max);
    ensures \result == 0 &&
	\old(reader->data_pages <= reader->layout.pages) ==>
	reader->data_pages == \old(reader->data_pages) +
		\old(pages_of(extent, count)) <= reader->layout.pages;
    ensures \result == 0 && count >= 1 &&
	reader->entries_read + count == reader->layout.entries ==>
	reader->data_pages == reader->layout.pages;
    ensures \result == 0 || \result == fault->status; */
static uint16_t check_extents(struct hdmabuf_directory_reader *reader,
			      const struct hdmabuf_extent *extent,
			      uint32_t count, struct hdmabuf_fault *fault);

/*@ requires \valid(reader) && \valid(fault) && count <= fit <= 4095;
    requires is_extents_page(reader, fault, (char *)page, fit);
    assigns *fault, reader->data_pages;
    ensures \result == 0 ==> are_extents(
	(struct hdmabuf_extent *)((char *)page + 16), count,
	reader->reference_max);
    ensures \result == 0 || \result == fault->status; */
static uint16_t check_page(struct hdmabuf_directory_reader *reader,
			   const struct hdmabuf_extents_page *page,
			   uint32_t count, uint32_t fit,
			   struct hdmabuf_fault *fault);

/*@
// Each run is an extent.
predicate are_same(struct hdmabuf_run *run, struct hdmabuf_extent *extent,
		   integer count) =
	\forall integer i; 0 <= i < count ==>
		run[i].reference == extent[i].reference &&
		run[i].count == extent[i].count;
*/

/*@ requires is_extents(reader) && count <= 4095;
    requires reader->entries_read + count <= reader->layout.entries;
    requires \valid_read(extent + (0 .. count - 1));
    requires are_extents(extent, count, reader->reference_max);
    requires \separated(reader, extent + (0 .. count - 1),
			reader->runs + (0 .. reader->run_capacity - 1));
    assigns reader->run_count, reader->entries_read,
	reader->runs[0 .. reader->pending - 1];
    ensures \result ==> is_extents(reader) &&
	reader->entries_read == \old(reader->entries_read) + count;
    ensures \result ==>
	reader->run_count == \old(reader->run_count) + count;
    ensures \result ==> are_same(reader->runs + \old(reader->run_count),
				 extent, count);
    ensures \forall integer i; 0 <= i < \old(reader->run_count) ==>
	is_same_run(reader->runs + i, \old(reader->runs[i])); */
static bool add_extents(struct hdmabuf_directory_reader *reader,
			const struct hdmabuf_extent *extent, uint32_t count);

#include "lib/core/directory_extents.c"
