/* SPDX-License-Identifier: MIT */
/*
 * TABLE: a tree of pages of 32-bit references.
 *
 * A page of references is passed a level after the other. What is found in one
 * level are the pages of the next: these wait at the end of the caller's runs
 * while what is found in them is put to the beginning. As each waiting reference
 * leads to a page full of others, except for the last, the two never meet if there
 * is room for all references of the data.
 */
#include "lib/core/directory_formats.h"
#include "lib/core/octets.h"

#define DEPTH_MAX 3

/* Binary logarithm of the entries that a page leads to over so many levels. */
static unsigned int level_bits(uint32_t page_shift, uint32_t levels)
{
	return (page_shift - 2) * levels;
}

/*
 * Entries of the level that has @below levels below it. That many entries, in
 * whole pages, are the entries of the level above.
 */
static uint64_t level_entries(uint64_t entries, uint32_t page_shift,
			      uint32_t below)
{
	return ((entries - 1) >> level_bits(page_shift, below)) + 1;
}

/* The smallest that suffices; one more than allowed if none does. */
static uint32_t depth_of(uint64_t entries, uint32_t page_shift)
{
	uint32_t depth = 1;

	/*@ loop invariant 1 <= depth <= DEPTH_MAX + 1;
	    loop assigns depth;
	    loop variant DEPTH_MAX + 1 - depth; */
	while (depth <= DEPTH_MAX &&
	       level_entries(entries, page_shift, depth) > 1)
		depth++;
	return depth;
}

uint64_t hdmabuf_table_pages(uint64_t entries, uint32_t page_shift)
{
	uint32_t depth = depth_of(entries, page_shift);
	uint64_t pages = 0;

	if (!entries || depth > DEPTH_MAX)
		return 0;
	/*@ loop invariant depth <= DEPTH_MAX;
	    loop assigns depth, pages;
	    loop variant depth; */
	for (; depth; depth--)
		pages += level_entries(entries, page_shift, depth);
	return pages;
}

/* ---- Writing ------------------------------------------------------------- */

/* The references of the directory's own pages from @own on. */
static void put_own(const struct hdmabuf_directory_writer *writer, uint32_t own,
		    hdmabuf_le32 *word, uint32_t count)
{
	while (count--)
		*word++ = hdmabuf_put_le32((uint32_t)writer->own[own++]);
}

/* A level begins at page @page, and the next where it ends. */
static uint32_t write_level(struct hdmabuf_directory_writer *writer,
			    uint32_t page, uint32_t below)
{
	uint32_t fit = HDMABUF_TABLE_ENTRIES(1u << writer->page_shift);
	uint64_t left =
		level_entries(writer->entries, writer->page_shift, below);
	uint32_t next = page + (uint32_t)level_entries(writer->entries,
						       writer->page_shift,
						       below + 1);
	uint32_t own = next;

	for (; page < next; page++) {
		hdmabuf_le32 *word = hdmabuf_writer_page(writer, page);
		uint32_t count = hdmabuf_entries_here(left, fit);

		if (below)
			put_own(writer, own, word, count);
		else
			hdmabuf_references_put(writer, word, count);
		octets_clear(word + count, (fit - count) * sizeof(*word));
		own += count;
		left -= count;
	}
	return next;
}

void hdmabuf_table_write(struct hdmabuf_directory_writer *writer)
{
	uint32_t below = depth_of(writer->entries, writer->page_shift);
	uint32_t page = 0;

	while (below--)
		page = write_level(writer, page, below);
}

/* ---- Reading ------------------------------------------------------------- */

void hdmabuf_table_begin(struct hdmabuf_directory_reader *reader)
{
	reader->depth =
		depth_of(reader->layout.entries, reader->layout.page_shift);
	reader->level_pages = 1;
}

static uint32_t levels_below(const struct hdmabuf_directory_reader *reader)
{
	return reader->depth - 1 - reader->level;
}

/* Entries of the level at hand that are not read yet. */
static uint64_t entries_left(const struct hdmabuf_directory_reader *reader)
{
	return level_entries(reader->layout.entries, reader->layout.page_shift,
			     levels_below(reader)) -
	       reader->entries_read;
}

size_t hdmabuf_table_wanted(const struct hdmabuf_directory_reader *reader,
			    struct hdmabuf_run *wanted, size_t capacity,
			    uint64_t *pages)
{
	uint64_t from = reader->pending;
	size_t count;

	/*@ loop invariant 0 <= count <= capacity;
	    loop invariant reader->pending <= from <= reader->run_capacity;
	    loop invariant \forall integer i; 0 <= i < count ==>
		is_run(wanted + i, reader->reference_max);
	    loop assigns count, from, *pages, wanted[0 .. capacity - 1];
	    loop variant capacity - count; */
	for (count = 0; count < capacity && from < reader->run_capacity;
	     count++, from++) {
		wanted[count] = reader->runs[from];
		*pages += reader->runs[from].count;
	}
	return count;
}

/* The first entry behind a page of the level at hand. */
uint64_t hdmabuf_table_entry(const struct hdmabuf_directory_reader *reader,
			     uint64_t page)
{
	return (reader->level_read + page) << level_bits(
		       reader->layout.page_shift, levels_below(reader) + 1);
}

/* The page at hand need not wait any more. */
static void leave_pending(struct hdmabuf_directory_reader *reader)
{
	struct hdmabuf_run *run = &reader->runs[reader->pending];

	if (!reader->level)
		return;
	run->reference++;
	if (!--run->count)
		reader->pending++;
}

/* The last first, as they may lie where they are put. */
static void move_runs(struct hdmabuf_run *runs, uint64_t to, uint64_t count)
{
	/*@ loop invariant 0 <= count <= \at(count, Pre);
	    loop invariant \forall integer i;
		to + count <= i < to + \at(count, Pre) ==>
		is_same_run(runs + i, \at(runs[i - to], Pre));
	    loop invariant \forall integer i; 0 <= i < count ==>
		is_same_run(runs + i, \at(runs[i], Pre));
	    loop assigns count, runs[to .. to + \at(count, Pre) - 1];
	    loop variant count; */
	while (count--)
		runs[to + count] = runs[count];
}

/* What was found in this level are the pages of the next. */
static void enter_next_level(struct hdmabuf_directory_reader *reader)
{
	uint64_t pending = reader->run_capacity - reader->run_count;

	move_runs(reader->runs, pending, reader->run_count);
	reader->pending = pending;
	reader->run_count = 0;
	reader->level_pages = (uint32_t)reader->entries_read;
	reader->level_read = 0;
	reader->entries_read = 0;
	reader->level++;
}

/* The references in a page of the level at hand. */
static uint16_t take_entries(struct hdmabuf_directory_reader *reader,
			     const void *page, struct hdmabuf_fault *fault)
{
	uint32_t below = levels_below(reader);
	uint32_t page_shift = reader->layout.page_shift;
	uint32_t fit = HDMABUF_TABLE_ENTRIES(1u << page_shift);
	uint64_t span = (uint64_t)1 << level_bits(page_shift, below);
	uint32_t count = hdmabuf_entries_here(entries_left(reader), fit);
	uint16_t status = hdmabuf_references_take(reader, page, count, fit,
						  reader->entries_read * span,
						  span, fault);

	if (status)
		return status;
	reader->entries_read += count;
	reader->level_read++;
	if (!below)
		reader->data_pages += count;
	return HDMABUF_STATUS_OK;
}

uint16_t hdmabuf_table_feed(struct hdmabuf_directory_reader *reader,
			    const void *page, struct hdmabuf_fault *fault)
{
	uint16_t status;

	leave_pending(reader);
	status = take_entries(reader, page, fault);
	if (!status && levels_below(reader) &&
	    reader->level_read == reader->level_pages)
		enter_next_level(reader);
	return status;
}
