/* SPDX-License-Identifier: MIT */
/*
 * directory.h - page directories
 *
 * Building and reading of the three formats.  Everything works page by page in
 * memory of the caller, who knows how to share and map pages: nothing here
 * allocates.  Native references are runs (struct hdmabuf_run): LIST and TABLE
 * spell them out, EXTENTS writes them as they are.
 */
#ifndef HDMABUF_DIRECTORY_H
#define HDMABUF_DIRECTORY_H

#include <hdmabuf/descriptor.h>
#include <hdmabuf/fault.h>
#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_run - consecutive references, in native form
 * @reference: the first
 * @count: how many
 */
struct hdmabuf_run {
	uint64_t reference;
	uint64_t count;
};

/**
 * hdmabuf_directory_pages() - pages that a directory has
 * @format: &enum hdmabuf_directory_format
 * @entries: references of LIST and TABLE, extents of EXTENTS; not 0
 * @page_shift: binary logarithm of the page size
 * @pages: receives the number
 *
 * Return: false if the format is unknown or cannot hold so many
 */
bool hdmabuf_directory_pages(uint32_t format, uint64_t entries,
			     uint32_t page_shift, uint32_t *pages);

/**
 * hdmabuf_directory_build() - write a directory
 * @format: &enum hdmabuf_directory_format
 * @runs: references of the data, in order
 * @run_count: how many runs
 * @page_shift: binary logarithm of the page size
 * @own: references of the directory's pages, one a page, in the order in which
 *	the pages lie in @memory; the first is the one to publish
 * @memory: the directory's pages, contiguous; are filled completely
 * @pages: how many, as *hdmabuf_directory_pages()* says
 *
 * In LIST and TABLE, references must fit 32 bits.  Pages of a TABLE lie level by
 * level, the top first.
 *
 * Return: false if there are no @runs or one is empty, a reference is 0 or does not
 * fit the format, or @pages is not what @runs need; @memory is not touched then
 */
bool hdmabuf_directory_build(uint32_t format, const struct hdmabuf_run *runs,
			     uint64_t run_count, uint32_t page_shift,
			     const uint64_t *own, void *memory, uint32_t pages);

/**
 * struct hdmabuf_directory_reader - reading a directory, page by page
 * @layout: from the descriptor
 * @reference_max: largest reference of the platform
 * @runs: the references of the data as far as read
 * @run_count: how many
 * @run_capacity: how many there is room for
 * @pages_read: pages of the directory read so far
 * @entries_read: entries read so far, of the level at hand
 * @data_pages: pages of data found so far
 * @depth: TABLE: levels there are
 * @level: TABLE: level at hand, 0 is the top
 * @level_pages: TABLE: pages of the level at hand
 * @level_read: TABLE: pages of it read so far
 * @pending: where, at the end of @runs, references of the level at hand wait to
 *	be read (TABLE); @run_capacity if none do
 * @next: LIST and EXTENTS: reference of the next page
 *
 * The members are the reader's own; callers use the functions below, and @runs
 * and @run_count when it has finished.
 */
struct hdmabuf_directory_reader {
	struct hdmabuf_layout layout;
	uint64_t reference_max;
	struct hdmabuf_run *runs;
	uint64_t run_count;
	uint64_t run_capacity;
	uint32_t pages_read;
	uint64_t entries_read;
	uint64_t data_pages;
	uint32_t depth;
	uint32_t level;
	uint32_t level_pages;
	uint32_t level_read;
	uint64_t pending;
	uint64_t next;
};

/**
 * hdmabuf_directory_begin() - begin to read a directory
 * @reader: to be filled
 * @layout: from a descriptor that was found in order
 * @reference_max: largest reference of the platform; at most 2^32 - 1 counts for
 *	LIST and TABLE
 * @runs: memory for what is found
 * @run_capacity: how many runs it holds; ``layout->entries`` always suffices
 */
void hdmabuf_directory_begin(struct hdmabuf_directory_reader *reader,
			     const struct hdmabuf_layout *layout,
			     uint64_t reference_max, struct hdmabuf_run *runs,
			     uint64_t run_capacity);

/**
 * hdmabuf_directory_wanted() - which pages to map next
 * @reader: begun
 * @wanted: receives runs of references of directory pages
 * @capacity: how many runs @wanted holds, at least 1
 * @pages: receives how many pages these are
 *
 * LIST and EXTENTS want one page at a time, TABLE a whole level, or as much of it
 * as @wanted holds.  All pages that are wanted must be fed, in order, before the next
 * call.
 *
 * Return: how many runs are wanted; 0 when all has been read
 */
size_t hdmabuf_directory_wanted(const struct hdmabuf_directory_reader *reader,
				struct hdmabuf_run *wanted, size_t capacity,
				uint64_t *pages);

/**
 * hdmabuf_directory_feed() - read the next page
 * @reader: begun
 * @page: the page, in shared memory: is copied, each word once
 * @scratch: private memory of a page's size, aligned to 8
 * @fault: receives what is wrong
 *
 * Follows HDB-IMP-012, HDB-IMP-015 and HDB-IMP-016; what should be zero and is not
 * (HDB-EXP-005) is RESERVED, and more runs than there is room for are NO_MEMORY.
 * Of a page the fault that is first in the order of HDB-BOTH-038 is told, and of
 * these the first entry.  A fault of a link, or of an entry of an upper level of a
 * TABLE, is told as that of the first entry that lies behind it; one of the head of
 * a page as that of its first entry.
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault; after a fault the reader
 * must not be used any more
 */
uint16_t hdmabuf_directory_feed(struct hdmabuf_directory_reader *reader,
				const volatile void *page, void *scratch,
				struct hdmabuf_fault *fault);

/**
 * hdmabuf_directory_missing() - tell that a page which is wanted leads nowhere
 * @reader: begun
 * @page: its number among those that are wanted and not fed yet
 * @reference: of it
 * @fault: receives BAD_REFERENCE: of the first page of the directory where it
 *	stands in the descriptor, of any other as that of the first entry behind it
 *
 * Return: the status of @fault
 */
uint16_t
hdmabuf_directory_missing(const struct hdmabuf_directory_reader *reader,
			  uint64_t page, uint64_t reference,
			  struct hdmabuf_fault *fault);

/**
 * hdmabuf_runs_unique() - check that no page comes twice
 * @runs: are not changed
 * @count: how many, fits size_t
 * @scratch: memory for @count runs
 * @fault: receives DUPLICATE, with the lowest reference that is repeated as value
 *	and the second page that has it as offset
 *
 * Follows HDB-IMP-013.  Takes n steps if the runs are in ascending order, or if
 * @scratch, used as a bitmap, has a bit for each reference: 128 a run.  Otherwise, and
 * if a page does come twice, it takes n log n, whatever the order.
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault
 */
uint16_t hdmabuf_runs_unique(const struct hdmabuf_run *runs, size_t count,
			     struct hdmabuf_run *scratch,
			     struct hdmabuf_fault *fault);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_DIRECTORY_H */
