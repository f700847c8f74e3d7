/* SPDX-License-Identifier: MIT */
/* EXTENTS: linked pages of 64-bit references with counts. */
#include "lib/core/directory_formats.h"
#include "lib/core/octets.h"

/* Words of 32 bits in an extent. */
#define EXTENT_WORDS (sizeof(struct hdmabuf_extent) / sizeof(hdmabuf_le32))

/* Extents that are looked at together. */
#define BLOCK HDMABUF_RUN_BLOCK

static uint32_t entries_a_page(uint32_t page_shift)
{
	return HDMABUF_EXTENTS_ENTRIES(1u << page_shift);
}

/* The structure declares the first; the page has room for more. */
static struct hdmabuf_extent *extents_of(const void *page)
{
	return (struct hdmabuf_extent *)((char *)page +
					 offsetof(struct hdmabuf_extents_page,
						  extent));
}

static void put_extents(struct hdmabuf_extent *extent,
			const struct hdmabuf_run *run, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		extent[i].reference = hdmabuf_put_le64(run[i].reference);
		extent[i].count = hdmabuf_put_le64(run[i].count);
	}
}

void hdmabuf_extents_write(struct hdmabuf_directory_writer *writer)
{
	uint32_t fit = entries_a_page(writer->page_shift);
	uint64_t left = writer->entries;
	uint32_t page;

	for (page = 0; page < writer->pages; page++) {
		struct hdmabuf_extents_page *to =
			hdmabuf_writer_page(writer, page);
		struct hdmabuf_extent *extent = extents_of(to);
		uint32_t count = hdmabuf_entries_here(left, fit);
		bool last = page + 1 == writer->pages;

		to->next = last ? 0 : hdmabuf_put_le64(writer->own[page + 1]);
		to->count = hdmabuf_put_le32(count);
		to->zero = 0;
		put_extents(extent, writer->run, count);
		octets_clear(extent + count, (fit - count) * sizeof(*extent));
		writer->run += count;
		left -= count;
	}
}

/* HDB-EXP-005: what has no meaning is zero. */
static uint16_t check_zero(const struct hdmabuf_extents_page *page,
			   uint32_t count, uint32_t fit, uint64_t entry,
			   struct hdmabuf_fault *fault)
{
	const struct hdmabuf_extent *extent = extents_of(page) + count;
	uint32_t words = (fit - count) * EXTENT_WORDS;
	uint32_t at = hdmabuf_nonzero((const hdmabuf_le32 *)extent, 0, words);

	if (page->zero)
		return hdmabuf_directory_fault(fault, HDMABUF_STATUS_RESERVED,
					       entry,
					       hdmabuf_get_le32(page->zero));
	if (at == words)
		return HDMABUF_STATUS_OK;
	extent += at / EXTENT_WORDS;
	return hdmabuf_directory_fault(
		fault, HDMABUF_STATUS_RESERVED,
		entry + count + at / EXTENT_WORDS,
		hdmabuf_get_le64(extent->reference ? extent->reference :
						     extent->count));
}

/*
 * HDB-IMP-015. The last reference is told if it fits; the counts of all extents
 * may not exceed the pages, nor, where no extent follows, fall short of them.
 */
static uint16_t check_extent(const struct hdmabuf_directory_reader *reader,
			     uint64_t reference, uint64_t count, uint64_t entry,
			     uint64_t pages_left, struct hdmabuf_fault *fault)
{
	uint64_t last = reference + (count - 1);

	if (!count || count > pages_left ||
	    (count < pages_left && entry + 1 == reader->layout.entries))
		return hdmabuf_directory_fault(fault, HDMABUF_STATUS_INVALID,
					       entry, count);
	if (last < reference)
		return hdmabuf_directory_fault(fault, HDMABUF_STATUS_INVALID,
					       entry, 0);
	if (last > reader->reference_max)
		return hdmabuf_directory_fault(fault, HDMABUF_STATUS_INVALID,
					       entry, last);
	return HDMABUF_STATUS_OK;
}

/*
 * As scattered pages are: how many extents, in whole blocks, have a single page, if
 * all these do, of a reference that is at most @max. Of the last, more is asked.
 */
static uint32_t single_pages(const struct hdmabuf_extent *extent,
			     uint32_t count, uint64_t max)
{
	uint64_t references = 0, counts = 0;
	size_t i, j;

	/*@ loop invariant i == 0 || 0 < i < count;
	    loop invariant have_extent_bits(extent, i, references, counts);
	    loop assigns i, j, references, counts;
	    loop variant count - i; */
	for (i = 0; i + BLOCK < count; i += BLOCK) {
		/*@ loop invariant 0 <= j <= BLOCK;
		    loop invariant
			have_extent_bits(extent, i + j, references, counts);
		    loop assigns j, references, counts;
		    loop variant BLOCK - j; */
		HDMABUF_UNROLL
		for (j = 0; j < BLOCK; j++) {
			references |=
				hdmabuf_get_le64(extent[i + j].reference) - 1;
			counts |= hdmabuf_get_le64(extent[i + j].count) - 1;
		}
	}
	return references < max && !counts ? (uint32_t)i : 0;
}

/*
 * First what is INVALID, which ranks before BAD_REFERENCE (HDB-BOTH-038). The pages of
 * extents that are in order are counted.
 */
static uint16_t check_extents(struct hdmabuf_directory_reader *reader,
			      const struct hdmabuf_extent *extent,
			      uint32_t count, struct hdmabuf_fault *fault)
{
	uint64_t left = reader->layout.pages - reader->data_pages;
	uint32_t single = count > left ? 0 :
					 single_pages(extent, count,
						      reader->reference_max);
	uint32_t i;

	/*@ assert have_one_page(extent, single); */
	left -= single;
	/*@ loop invariant 0 <= i <= count;
	    loop invariant \let n = i; left == \at(left_of(reader), Pre) -
		\at(pages_of(extent, n), Pre);
	    loop invariant left <= \at(left_of(reader), Pre);
	    loop invariant i > single &&
		reader->entries_read + i == reader->layout.entries ==>
		left == 0;
	    loop invariant \forall integer k; 0 <= k < i ==>
		1 <= extent[k].count && extent[k].reference +
			extent[k].count - 1 <= reader->reference_max;
	    loop assigns i, left, *fault;
	    loop variant count - i; */
	for (i = single; i < count; i++) {
		uint64_t pages = hdmabuf_get_le64(extent[i].count);
		uint16_t status = check_extent(
			reader, hdmabuf_get_le64(extent[i].reference), pages,
			reader->entries_read + i, left, fault);

		if (status)
			return status;
		left -= pages;
	}
	/*@ assert left == \at(left_of(reader), Pre) -
		\at(pages_of(extent, count), Pre); */
	/*@ loop invariant 0 <= i <= count;
	    loop invariant \forall integer k; 0 <= k < i ==>
		1 <= extent[k].reference;
	    loop assigns i;
	    loop variant count - i; */
	for (i = single; i < count; i++) {
		if (!extent[i].reference)
			return hdmabuf_directory_fault(
				fault, HDMABUF_STATUS_BAD_REFERENCE,
				reader->entries_read + i, 0);
	}
	reader->data_pages = reader->layout.pages - left;
	return HDMABUF_STATUS_OK;
}

static uint16_t check_page(struct hdmabuf_directory_reader *reader,
			   const struct hdmabuf_extents_page *page,
			   uint32_t count, uint32_t fit,
			   struct hdmabuf_fault *fault)
{
	uint32_t claimed = hdmabuf_get_le32(page->count);
	uint64_t entry = reader->entries_read;
	uint16_t status = check_zero(page, count, fit, entry, fault);

	if (status)
		return status;
	/* HDB-IMP-016 */
	if (claimed != count)
		return hdmabuf_directory_fault(fault, HDMABUF_STATUS_INVALID,
					       entry, claimed);
	return check_extents(reader, extents_of(page), count, fault);
}

/* Add extents that are in order to the runs; false if these are too many. */
static bool add_extents(struct hdmabuf_directory_reader *reader,
			const struct hdmabuf_extent *extent, uint32_t count)
{
	struct hdmabuf_run *run = reader->runs + reader->run_count;
	uint32_t i;

	if (count > reader->pending - reader->run_count)
		return false;
	/*@ loop invariant 0 <= i <= count;
	    loop invariant are_extents(extent, count, reader->reference_max);
	    loop invariant are_runs(reader->runs, reader->run_count + i,
				    reader->reference_max);
	    loop invariant are_same(run, extent, i);
	    loop assigns i, run[0 .. count - 1];
	    loop variant count - i; */
	for (i = 0; i < count; i++) {
		run[i].reference = hdmabuf_get_le64(extent[i].reference);
		run[i].count = hdmabuf_get_le64(extent[i].count);
	}
	reader->run_count += count;
	reader->entries_read += count;
	return true;
}

uint16_t hdmabuf_extents_feed(struct hdmabuf_directory_reader *reader,
			      const void *page, struct hdmabuf_fault *fault)
{
	const struct hdmabuf_extents_page *from = page;
	uint32_t fit = entries_a_page(reader->layout.page_shift);
	uint32_t count = hdmabuf_entries_here(
		reader->layout.entries - reader->entries_read, fit);

	if (check_page(reader, from, count, fit, fault))
		return fault->status;
	if (!add_extents(reader, extents_of(page), count))
		return hdmabuf_reader_full(fault);
	return hdmabuf_reader_link(reader, hdmabuf_get_le64(from->next), fault);
}
