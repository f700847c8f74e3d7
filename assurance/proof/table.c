/* SPDX-License-Identifier: MIT */
/*
 * The levels of a TABLE, around the references in a page of it
 *
 * wp: level_bits level_entries depth_of hdmabuf_table_pages hdmabuf_table_begin levels_below
 * wp: entries_left hdmabuf_table_wanted hdmabuf_table_entry leave_pending move_runs
 * wp: enter_next_level take_entries hdmabuf_table_feed
 * fault WRONG_END lib/core/directory_table.c s/reader->run_capacity - reader->run_count/reader->run_capacity - 1/
 * fault STILL_WAITING lib/core/directory_table.c s/if (!--run->count)/if (--run->count)/
 * fault BEYOND_WAITING lib/core/directory_table.c s/from < reader->run_capacity/from <= reader->run_capacity/
 * fault ANY_DEPTH lib/core/directory_table.c s/while (depth <= DEPTH_MAX/while (depth <= DEPTH_MAX + 1/
 */
#include "assurance/proof/directory.h"

/*@ requires is_shift(page_shift) && levels <= 4;
    assigns \nothing;
    ensures \result == (page_shift - 2) * levels && \result <= 56; */
static unsigned int level_bits(uint32_t page_shift, uint32_t levels);

/*@ requires is_shift(page_shift) && below <= 4;
    assigns \nothing;
    ensures entries >= 1 ==>
	\result == entries_of(entries, page_shift, below); */
static uint64_t level_entries(uint64_t entries, uint32_t page_shift,
			      uint32_t below);

/*@ requires is_shift(page_shift);
    assigns \nothing;
    ensures 1 <= \result <= 4; */
static uint32_t depth_of(uint64_t entries, uint32_t page_shift);

/*@ requires is_table(reader);
    assigns \nothing;
    ensures \result == levels_below_of(reader); */
static uint32_t levels_below(const struct hdmabuf_directory_reader *reader);

/*@ requires is_table(reader);
    assigns \nothing;
    ensures reader->entries_read + \result == level_entries_of(reader); */
static uint64_t entries_left(const struct hdmabuf_directory_reader *reader);

/*@ requires is_table(reader) && is_waiting(reader);
    assigns reader->pending, reader->runs[0 .. reader->run_capacity - 1];
    ensures is_table(reader); */
static void leave_pending(struct hdmabuf_directory_reader *reader);

/*@ requires to + count <= 0x0fffffffffffffff;
    requires \valid(runs + (0 .. to + count - 1));
    assigns runs[to .. to + count - 1];
    ensures \forall integer i; to <= i < to + count ==>
	is_same_run(runs + i, \old(runs[i - to])); */
static void move_runs(struct hdmabuf_run *runs, uint64_t to, uint64_t count);

/*@ requires is_table(reader) && reader->level + 1 < reader->depth;
    assigns reader->pending, reader->run_count, reader->level_pages,
	reader->level_read, reader->entries_read, reader->level,
	reader->runs[0 .. reader->run_capacity - 1];
    ensures is_reader(reader) && has_runs(reader);
    ensures has_pending(reader);
    ensures is_level(reader);
    ensures reader->level == \old(reader->level) + 1; */
static void enter_next_level(struct hdmabuf_directory_reader *reader);

/*@ requires is_table(reader) && \valid(fault);
    requires are_words(reader, fault, (hdmabuf_le32 *)page,
		       page_octets(reader->layout.page_shift) / 4);
    assigns *fault, reader->run_count, reader->entries_read,
	reader->data_pages, reader->level_read,
	reader->runs[0 .. reader->pending - 1];
    ensures is_reader(reader);
    ensures \result == 0 ==> has_runs(reader);
    ensures \result == 0 ==> has_pending(reader);
    ensures \result == 0 ==> is_level(reader);
    ensures \result == 0 && \old(reader->entries_read < level_entries_of(reader))
	==> reader->entries_read > \old(reader->entries_read); */
static uint16_t take_entries(struct hdmabuf_directory_reader *reader,
			     const void *page, struct hdmabuf_fault *fault);

#include "lib/core/directory_table.c"
