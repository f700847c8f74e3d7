/* SPDX-License-Identifier: MIT */
/*
 * Reading of directories, around what reads a page of each format
 *
 * wp: divide_up hdmabuf_directory_pages copy_page hdmabuf_directory_begin hdmabuf_directory_wanted
 * wp: hdmabuf_directory_missing hdmabuf_directory_feed
 * fault DIVIDES_FOR_EVER lib/core/directory.c s/number = (number >> bits) + (number \& divisor)/number = number - (number >> bits)/
 * fault COPY_BEYOND lib/core/directory.c s/i < octets; i += COPY/i <= octets; i += COPY/
 * fault TABLE_AS_LIST lib/core/directory.c s/return hdmabuf_table_feed/return hdmabuf_list_feed/
 */
#define HDMABUF_CORE_OCTETS_H
#include "assurance/proof/directory.h"

/* Here, it is a reader that is cleared. */
/*@ requires \valid(reader);
    assigns *reader;
    ensures reader->run_count == reader->entries_read == 0;
    ensures reader->level == reader->level_read == 0; */
void proof_clear_reader(struct hdmabuf_directory_reader *reader);
#define octets_clear(at, octets) proof_clear_reader(at)

#include <hdmabuf/codec.h>
#include <hdmabuf/shared.h>

/* And it is a part of a page that is copied. */
/*@ requires \valid(to + (0 .. octets - 1)) &&
	\valid_read(from + (0 .. octets - 1));
    assigns to[0 .. octets - 1]; */
void proof_copy_octets(char *to, const char *from, size_t octets);
#define hdmabuf_shared_copy(to, from, octets) \
	proof_copy_octets(to, from, octets)

/*@ assigns \nothing; */
unsigned int hdmabuf_fault_rank(uint16_t status);

/*@ requires \valid(fault);
    assigns *fault; */
static inline void fault_none(struct hdmabuf_fault *fault);

/*@ requires 1 <= bits <= 14;
    assigns \nothing; */
static uint64_t divide_up(uint64_t number, unsigned int bits);

/*@ requires is_shift(page_shift) && \valid(pages);
    assigns *pages;
    ensures \result ==> *pages >= 1; */
bool hdmabuf_directory_pages(uint32_t format, uint64_t entries,
			     uint32_t page_shift, uint32_t *pages);

/*@ requires \valid(reader) && \valid_read(layout);
    requires is_shift(layout->page_shift) && layout->entries >= 1;
    requires run_capacity <= 0x0fffffffffffffff &&
	\valid(runs + (0 .. run_capacity - 1));
    requires \separated(reader, layout, runs + (0 .. run_capacity - 1));
    assigns *reader;
    ensures is_reader(reader) && has_runs(reader);
    ensures is_format(reader); */
void hdmabuf_directory_begin(struct hdmabuf_directory_reader *reader,
			     const struct hdmabuf_layout *layout,
			     uint64_t reference_max, struct hdmabuf_run *runs,
			     uint64_t run_capacity);

/*@ requires is_directory(reader) && \valid(pages);
    requires \valid(wanted + (0 .. capacity - 1)) && 1 <= capacity;
    requires capacity < 0x10000000;
    requires \separated(wanted + (0 .. capacity - 1), pages, reader,
			reader->runs + (0 .. reader->run_capacity - 1));
    assigns *pages, wanted[0 .. capacity - 1];
    ensures \result <= capacity;
    ensures reader->level > 0 ==>
	are_runs(wanted, \result, reader->reference_max);
    ensures reader->pages_read == reader->layout.directory_pages ==>
	\result == 0; */
size_t hdmabuf_directory_wanted(const struct hdmabuf_directory_reader *reader,
				struct hdmabuf_run *wanted, size_t capacity,
				uint64_t *pages);

/*@ requires is_directory(reader) && \valid(fault);
    assigns *fault;
    ensures \result == HDMABUF_STATUS_BAD_REFERENCE; */
uint16_t
hdmabuf_directory_missing(const struct hdmabuf_directory_reader *reader,
			  uint64_t page, uint64_t reference,
			  struct hdmabuf_fault *fault);

/*@ requires 4096 <= octets <= 65536 && octets % 64 == 0;
    requires \valid(to + (0 .. octets - 1));
    requires \valid_read(from + (0 .. octets - 1));
    assigns to[0 .. octets - 1]; */
static void copy_page(char *to, const char *from, uint32_t octets);

/*@
predicate is_list_page(struct hdmabuf_directory_reader *r,
		       struct hdmabuf_fault *fault, char *page, integer octets) =
	\valid_read((struct hdmabuf_list_page *)page) &&
	are_words(r, fault, (hdmabuf_le32 *)(page + 4), octets / 4 - 1);

// The copy of a page, as the reader of its format looks at it.
predicate is_page(struct hdmabuf_directory_reader *r,
		  struct hdmabuf_fault *fault, char *page, integer octets) =
	r->layout.directory_format == HDMABUF_DIRECTORY_TABLE ?
	are_words(r, fault, (hdmabuf_le32 *)page, octets / 4) :
	r->layout.directory_format == HDMABUF_DIRECTORY_EXTENTS ?
	is_extents_page(r, fault, page, octets / 16 - 1) :
	is_list_page(r, fault, page, octets);
*/

/*@ requires is_directory(reader) && is_waiting(reader) && \valid(fault);
    requires \separated(fault, reader,
			reader->runs + (0 .. reader->run_capacity - 1));
    requires \valid_read((char *)page +
		(0 .. page_octets(reader->layout.page_shift) - 1));
    requires \valid((char *)scratch +
		(0 .. page_octets(reader->layout.page_shift) - 1));
    requires is_page(reader, fault, (char *)scratch,
		     page_octets(reader->layout.page_shift));
    assigns *fault, reader->run_count, reader->entries_read,
	reader->data_pages, reader->level, reader->level_pages,
	reader->level_read, reader->pending, reader->next,
	reader->pages_read, reader->runs[0 .. reader->run_capacity - 1],
	((char *)scratch)[0 .. page_octets(reader->layout.page_shift) - 1];
    ensures \result == 0 ==> is_reader(reader) && has_runs(reader);
    ensures \result == 0 ==> is_format(reader);
    ensures reader->pages_read == (uint32_t)(\old(reader->pages_read) + 1); */
uint16_t hdmabuf_directory_feed(struct hdmabuf_directory_reader *reader,
				const volatile void *page, void *scratch,
				struct hdmabuf_fault *fault);

#include "lib/core/directory.c"
