/* SPDX-License-Identifier: MIT */
/*
 * directory.h - what is proved of the readers of directories
 *
 * The page is the private copy that was made of it, with any content. What a reader
 * has found are runs, each of which was checked: no reference is 0 or greater than
 * what the platform has. There are never more than there is room for.
 */
#ifndef HDMABUF_ASSURANCE_DIRECTORY_H
#define HDMABUF_ASSURANCE_DIRECTORY_H

#include "assurance/proof/pages.h"
#include "assurance/proof/proof.h"

/*@
// No number is greater than its bits and others together.
axiomatic Bits {
	axiom or_left: \forall integer a, b; 0 <= a && 0 <= b ==> a <= (a | b);
	axiom or_right: \forall integer a, b; 0 <= a && 0 <= b ==> b <= (a | b);
	axiom below_32: \forall integer number; -0x100000000 <= number < 0 ==>
		(uint32_t)number == number + 0x100000000;
	axiom below_64: \forall integer number;
		-0x10000000000000000 <= number < 0 ==>
		(uint64_t)number == number + 0x10000000000000000;
	axiom differ: \forall integer a, b;
		0 <= a <= 0xffffffff && 0 <= b <= 0xffffffff ==>
		0 <= (a ^ b) <= 0xffffffff && ((a ^ b) < 1 ==> a == b);
}

// Words of 64 bits.
axiomatic Words {
	axiom words_ascend: \forall integer a, b; 0 <= a <= b ==>
		0 <= a / 64 <= b / 64;
	axiom words_end: \forall integer a, b; 0 <= a && a / 64 < b ==>
		a < 64 * b;
}

// One less than a number, which has some bits: 0 becomes the greatest there is.
predicate has_bits(integer number, integer bits) =
	number >= 1 ? number - 1 <= bits : bits >= 0xffffffffffffffff;

predicate all_zero(hdmabuf_le32 *word, integer from, integer to) =
	\forall integer i; from <= i < to ==> word[i] == 0;
*/

/*@ requires from + 31 <= 0xffffffff && \valid_read(word + (from .. from + 31));
    assigns \nothing;
    ensures \result ==> all_zero(word, from, from + 32); */
static inline bool hdmabuf_is_zero_block(const hdmabuf_le32 *word,
					 uint32_t from);

/*@ requires from <= to && \valid_read(word + (from .. to - 1));
    assigns \nothing;
    ensures from <= \result <= to && all_zero(word, from, \result);
    ensures \result < to ==> word[\result] != 0; */
static inline uint32_t hdmabuf_nonzero(const hdmabuf_le32 *word, uint32_t from,
				       uint32_t to);

/*@ requires \valid(word);
    assigns *word; */
static inline bool hdmabuf_mark(uint64_t *word, uint64_t bits);

/*@ assigns \nothing;
    ensures \result == (left < fit ? left : fit); */
static inline uint32_t hdmabuf_entries_here(uint64_t left, uint32_t fit);

/* The first word of a page is its link, the references follow. */
/*@ assigns \result \from page;
    ensures \result == (hdmabuf_le32 *)((char *)page + 4); */
static inline hdmabuf_le32 *hdmabuf_list_references(void *page);

#include "lib/core/directory_formats.h"

/*@
predicate is_run(struct hdmabuf_run *run, integer max) =
	1 <= run->reference && 1 <= run->count &&
	run->reference + run->count - 1 <= max;

predicate is_same_run(struct hdmabuf_run *run, struct hdmabuf_run other) =
	run->reference == other.reference && run->count == other.count;

predicate are_runs(struct hdmabuf_run *run, integer count, integer max) =
	\forall integer i; 0 <= i < count ==> is_run(run + i, max);

// What begin was given, and stays.
predicate is_reader(struct hdmabuf_directory_reader *r) =
	\valid(r) && is_shift(r->layout.page_shift) &&
	1 <= r->layout.entries && r->run_capacity <= 0x0fffffffffffffff &&
	\valid(r->runs + (0 .. r->run_capacity - 1)) &&
	\separated(r, r->runs + (0 .. r->run_capacity - 1));

predicate has_runs(struct hdmabuf_directory_reader *r) =
	r->run_count <= r->pending <= r->run_capacity &&
	are_runs(r->runs, r->run_count, r->reference_max);
*/

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == status; */
uint16_t hdmabuf_fault_set(struct hdmabuf_fault *fault, uint16_t status,
			   uint32_t where, uint64_t offset, uint64_t value);

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == status; */
uint16_t hdmabuf_directory_fault(struct hdmabuf_fault *fault, uint16_t status,
				 uint64_t entry, uint64_t value);

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == HDMABUF_STATUS_NO_MEMORY; */
uint16_t hdmabuf_reader_full(struct hdmabuf_fault *fault);

/* HDB-IMP-012 */
/*@ requires is_reader(reader) && has_runs(reader) && \valid(fault);
    requires \separated(fault, reader,
			reader->runs + (0 .. reader->run_capacity - 1));
    assigns *fault, reader->next;
    ensures is_reader(reader) && has_runs(reader);
    ensures \result == 0 ==> reader->next == next &&
	(reader->entries_read == reader->layout.entries ?
	 next == 0 : 1 <= next <= reader->reference_max); */
uint16_t hdmabuf_reader_link(struct hdmabuf_directory_reader *reader,
			     uint64_t next, struct hdmabuf_fault *fault);

/*@ requires is_reader(reader) && has_runs(reader) && \valid(fault);
    requires reader->reference_max <= 0xffffffff;
    requires count <= fit <= 16384 && \valid_read(word + (0 .. fit - 1));
    requires \separated(fault, reader, word + (0 .. fit - 1),
			reader->runs + (0 .. reader->run_capacity - 1));
    assigns *fault, reader->run_count, reader->runs[0 .. reader->pending - 1];
    ensures \result == 0 ==> has_runs(reader) &&
	all_zero(word, count, fit) &&
	reader->run_count <= \old(reader->run_count) + count; */
uint16_t hdmabuf_references_take(struct hdmabuf_directory_reader *reader,
				 const hdmabuf_le32 *word, uint32_t count,
				 uint32_t fit, uint64_t entry, uint64_t span,
				 struct hdmabuf_fault *fault);

/*@
// A next page is wanted if, and only if, entries are left.
predicate is_linked(struct hdmabuf_directory_reader *r) =
	r->entries_read == r->layout.entries ? r->next == 0 :
	1 <= r->next <= r->reference_max;

predicate are_words(struct hdmabuf_directory_reader *r,
		    struct hdmabuf_fault *fault, hdmabuf_le32 *word,
		    integer count) =
	\valid_read(word + (0 .. count - 1)) &&
	\separated(fault, r, word + (0 .. count - 1),
		   r->runs + (0 .. r->run_capacity - 1));

predicate is_list(struct hdmabuf_directory_reader *r) =
	is_reader(r) && has_runs(r) && r->reference_max <= 0xffffffff &&
	r->entries_read <= r->layout.entries;
*/

/*@ requires is_list(reader) && \valid(fault);
    requires \valid_read((struct hdmabuf_list_page *)page);
    requires are_words(reader, fault, (hdmabuf_le32 *)((char *)page + 4),
		       page_octets(reader->layout.page_shift) / 4 - 1);
    assigns *fault, reader->run_count, reader->entries_read,
	reader->data_pages, reader->next, reader->runs[0 .. reader->pending - 1];
    ensures \result == 0 ==> is_list(reader) && is_linked(reader);
    ensures \result == 0 && \old(reader->entries_read) < reader->layout.entries
	==> reader->entries_read > \old(reader->entries_read); */
uint16_t hdmabuf_list_feed(struct hdmabuf_directory_reader *reader,
			   const void *page, struct hdmabuf_fault *fault);

/*@
// A number is no greater for being shifted to the right.
axiomatic Shifted {
	axiom not_less: \forall integer number, bits; 0 <= number ==>
		0 <= (number >> bits);
	axiom not_more: \forall integer number, bits; 0 <= number && 0 <= bits
		==> (number >> bits) <= number;
}

// Entries of the level that has some levels below it.
logic integer entries_of(integer entries, integer shift, integer below) =
	((entries - 1) >> ((shift - 2) * below)) + 1;

logic integer levels_below_of(struct hdmabuf_directory_reader *r) =
	r->depth - 1 - r->level;

// Of the level at hand.
logic integer level_entries_of(struct hdmabuf_directory_reader *r) =
	entries_of(r->layout.entries, r->layout.page_shift,
		   levels_below_of(r));

// The pages of the level at hand that were found in the level above it.
predicate has_pending(struct hdmabuf_directory_reader *r) =
	\forall integer i; r->pending <= i < r->run_capacity ==>
		is_run(r->runs + i, r->reference_max);

// That a page is only fed if it was wanted, callers see to.
predicate is_waiting(struct hdmabuf_directory_reader *r) =
	r->level > 0 ==> r->pending < r->run_capacity;

// Three levels are allowed: a fourth comes of entries that do not fit.
predicate is_level(struct hdmabuf_directory_reader *r) =
	r->reference_max <= 0xffffffff &&
	1 <= r->depth <= 4 && r->level < r->depth &&
	r->entries_read <= level_entries_of(r);

predicate is_table(struct hdmabuf_directory_reader *r) =
	is_reader(r) && has_runs(r) && has_pending(r) && is_level(r);
*/

/*@ requires is_shift(page_shift);
    assigns \nothing; */
uint64_t hdmabuf_table_pages(uint64_t entries, uint32_t page_shift);

/*@ requires \valid(reader) && is_shift(reader->layout.page_shift);
    assigns reader->depth, reader->level_pages;
    ensures 1 <= reader->depth <= 4; */
void hdmabuf_table_begin(struct hdmabuf_directory_reader *reader);

/*@ requires is_table(reader) && \valid(pages);
    requires \valid(wanted + (0 .. capacity - 1)) && capacity < 0x10000000;
    requires \separated(wanted + (0 .. capacity - 1), pages, reader,
			reader->runs + (0 .. reader->run_capacity - 1));
    assigns *pages, wanted[0 .. capacity - 1];
    ensures \result <= capacity;
    ensures are_runs(wanted, \result, reader->reference_max); */
size_t hdmabuf_table_wanted(const struct hdmabuf_directory_reader *reader,
			    struct hdmabuf_run *wanted, size_t capacity,
			    uint64_t *pages);

/*@ requires is_table(reader);
    assigns \nothing; */
uint64_t hdmabuf_table_entry(const struct hdmabuf_directory_reader *reader,
			     uint64_t page);

/*@ requires is_table(reader) && is_waiting(reader) && \valid(fault);
    requires are_words(reader, fault, (hdmabuf_le32 *)page,
		       page_octets(reader->layout.page_shift) / 4);
    assigns *fault, reader->run_count, reader->entries_read,
	reader->data_pages, reader->level, reader->level_pages,
	reader->level_read, reader->pending,
	reader->runs[0 .. reader->run_capacity - 1];
    ensures is_reader(reader);
    ensures \result == 0 ==> has_runs(reader);
    ensures \result == 0 ==> has_pending(reader);
    ensures \result == 0 ==> is_level(reader);
    ensures \result == 0 && \old(reader->entries_read < level_entries_of(reader))
	==> reader->level > \old(reader->level) ||
	    (reader->level == \old(reader->level) &&
	     reader->entries_read > \old(reader->entries_read)); */
uint16_t hdmabuf_table_feed(struct hdmabuf_directory_reader *reader,
			    const void *page, struct hdmabuf_fault *fault);

/*@
predicate is_extents(struct hdmabuf_directory_reader *r) =
	is_reader(r) && has_runs(r) && r->entries_read <= r->layout.entries;

// As a page is looked at: its head, its extents, and these as words.
predicate is_extents_page(struct hdmabuf_directory_reader *r,
			  struct hdmabuf_fault *fault, char *page,
			  integer fit) =
	\valid_read((struct hdmabuf_extents_page *)page) &&
	\valid_read((struct hdmabuf_extent *)(page + 16) + (0 .. fit - 1)) &&
	(\forall integer from; 0 <= from <= fit ==> \valid_read(
		(hdmabuf_le32 *)((struct hdmabuf_extent *)(page + 16) + from) +
		(0 .. 4 * (fit - from) - 1))) &&
	\separated(fault, r, (struct hdmabuf_extents_page *)page,
		   (struct hdmabuf_extent *)(page + 16) + (0 .. fit - 1),
		   r->runs + (0 .. r->run_capacity - 1));
*/

/*@ requires is_extents(reader) && \valid(fault);
    requires is_extents_page(reader, fault, (char *)page,
			     page_octets(reader->layout.page_shift) / 16 - 1);
    assigns *fault, reader->run_count, reader->entries_read,
	reader->data_pages, reader->next, reader->runs[0 .. reader->pending - 1];
    ensures \result == 0 ==> is_extents(reader) && is_linked(reader);
    ensures \result == 0 && \old(reader->entries_read) < reader->layout.entries
	==> reader->entries_read > \old(reader->entries_read); */
uint16_t hdmabuf_extents_feed(struct hdmabuf_directory_reader *reader,
			      const void *page, struct hdmabuf_fault *fault);

/*@
// Of a format; any that is neither TABLE nor EXTENTS is read as a LIST.
predicate is_format(struct hdmabuf_directory_reader *r) =
	(r->layout.directory_format == HDMABUF_DIRECTORY_EXTENTS ||
	 r->reference_max <= 0xffffffff) &&
	(r->layout.directory_format == HDMABUF_DIRECTORY_TABLE ?
	 has_pending(r) && is_level(r) :
	 r->level == 0 && r->entries_read <= r->layout.entries);

// What holds from one call to the next.
predicate is_directory(struct hdmabuf_directory_reader *r) =
	is_reader(r) && has_runs(r) && is_format(r);
*/

#endif
