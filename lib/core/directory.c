/* SPDX-License-Identifier: MIT */
/* Page directories: what is the same in all formats. */
#include <hdmabuf/shared.h>

#include "lib/core/directory_formats.h"
#include "lib/core/note.h"
#include "lib/core/octets.h"

/* So many octets a compiler copies in vectors, each once. */
#define COPY_OCTETS 64

/* Runs that are looked at, before it is asked whether they are what was hoped for. */
#define RUNS_AT_ONCE 256

/* ---- Counting ------------------------------------------------------------ */

/*
 * @number / (2^@bits - 1), rounded up. Not every kernel can divide 64 bits, but
 * q * 2^bits + r is q * (2^bits - 1) + (q + r).
 */
static uint64_t divide_up(uint64_t number, unsigned int bits)
{
	uint64_t divisor = ((uint64_t)1 << bits) - 1;
	uint64_t quotient = 0;

	/*@ loop assigns quotient, number;
	    loop variant number; */
	while (number > divisor) {
		quotient += number >> bits;
		number = (number >> bits) + (number & divisor);
	}
	return quotient + (number != 0);
}

/* A page has room for 2^n entries, one of which is the link in two formats. */
bool hdmabuf_directory_pages(uint32_t format, uint64_t entries,
			     uint32_t page_shift, uint32_t *pages)
{
	uint64_t count = 0;

	switch (format) {
	case HDMABUF_DIRECTORY_LIST:
		count = divide_up(entries, page_shift - 2);
		break;
	case HDMABUF_DIRECTORY_TABLE:
		count = hdmabuf_table_pages(entries, page_shift);
		break;
	case HDMABUF_DIRECTORY_EXTENTS:
		count = divide_up(entries, page_shift - 4);
		break;
	}
	if (!count || count > UINT32_MAX)
		return false;
	*pages = (uint32_t)count;
	return true;
}

/* ---- Writing ------------------------------------------------------------- */

void *hdmabuf_writer_page(const struct hdmabuf_directory_writer *writer,
			  uint32_t page)
{
	return writer->memory + ((size_t)page << writer->page_shift);
}

/* References and counts begin at 1: one less than 0 is too great. */
static bool is_run(const struct hdmabuf_run *run, uint64_t max)
{
	return run->reference - 1 < max &&
	       run->count - 1 <= max - run->reference;
}

/* Whether each is a single reference; where some are not, the first runs mostly show it. */
static bool are_scattered(const struct hdmabuf_run *runs, uint64_t run_count,
			  uint64_t max)
{
	uint64_t i;
	uint32_t here;

	for (i = 0; i < run_count; i += here) {
		struct hdmabuf_run bits;

		here = hdmabuf_entries_here(run_count - i, RUNS_AT_ONCE);
		bits = hdmabuf_runs_bits(runs + i, here);
		if (bits.count || bits.reference >= max)
			return false;
	}
	return true;
}

/*
 * How many references there are; 0 if one of them is none. Not inline: it would have
 * fewer registers.
 */
static __attribute__((__noinline__)) uint64_t
count_references(const struct hdmabuf_run *runs, uint64_t run_count,
		 uint64_t max)
{
	uint64_t total = 0;

	for (; run_count--; runs++) {
		if (!is_run(runs, max) || runs->count > UINT64_MAX - total)
			return 0;
		total += runs->count;
	}
	return total;
}

/* The first page is named in the descriptor, which has room for 64 bits. */
static bool are_links(const uint64_t *own, uint32_t pages, uint64_t max)
{
	uint32_t i;

	for (i = 0; i < pages; i++) {
		if (!own[i] || (i && own[i] > max))
			return false;
	}
	return true;
}

bool hdmabuf_directory_build(uint32_t format, const struct hdmabuf_run *runs,
			     uint64_t run_count, uint32_t page_shift,
			     const uint64_t *own, void *memory, uint32_t pages)
{
	bool extents = format == HDMABUF_DIRECTORY_EXTENTS;
	uint64_t max = extents ? UINT64_MAX : UINT32_MAX;
	bool scattered = are_scattered(runs, run_count, max);
	uint64_t references =
		scattered ? run_count : count_references(runs, run_count, max);
	struct hdmabuf_directory_writer writer = {
		.run = runs,
		.scattered = scattered,
		.entries = extents && references ? run_count : references,
		.page_shift = page_shift,
		.own = own,
		.memory = memory,
		.pages = pages,
	};
	uint32_t needed;

	if (!hdmabuf_directory_pages(format, writer.entries, page_shift,
				     &needed) ||
	    needed != pages || !are_links(own, pages, max))
		return false;
	if (extents)
		hdmabuf_extents_write(&writer);
	else if (format == HDMABUF_DIRECTORY_TABLE)
		hdmabuf_table_write(&writer);
	else
		hdmabuf_list_write(&writer);
	return true;
}

/* ---- Reading ------------------------------------------------------------- */

uint16_t hdmabuf_directory_fault(struct hdmabuf_fault *fault, uint16_t status,
				 uint64_t entry, uint64_t value)
{
	return hdmabuf_fault_set(fault, status, HDMABUF_WHERE_DIRECTORY, entry,
				 value);
}

uint16_t hdmabuf_reader_full(struct hdmabuf_fault *fault)
{
	return hdmabuf_fault_set(fault, HDMABUF_STATUS_NO_MEMORY,
				 HDMABUF_WHERE_NOWHERE, 0, 0);
}

uint16_t hdmabuf_reader_link(struct hdmabuf_directory_reader *reader,
			     uint64_t next, struct hdmabuf_fault *fault)
{
	bool last = reader->entries_read == reader->layout.entries;

	if (last ? next != 0 : !next || next > reader->reference_max)
		return hdmabuf_directory_fault(fault,
					       HDMABUF_STATUS_BAD_REFERENCE,
					       reader->entries_read, next);
	reader->next = next;
	return HDMABUF_STATUS_OK;
}

void hdmabuf_directory_begin(struct hdmabuf_directory_reader *reader,
			     const struct hdmabuf_layout *layout,
			     uint64_t reference_max, struct hdmabuf_run *runs,
			     uint64_t run_capacity)
{
	bool wide = layout->directory_format == HDMABUF_DIRECTORY_EXTENTS;

	octets_clear(reader, sizeof(*reader));
	reader->layout = *layout;
	reader->reference_max =
		wide || reference_max < UINT32_MAX ? reference_max : UINT32_MAX;
	reader->runs = runs;
	reader->run_capacity = run_capacity;
	reader->pending = run_capacity;
	reader->next = layout->directory;
	if (layout->directory_format == HDMABUF_DIRECTORY_TABLE)
		hdmabuf_table_begin(reader);
}

size_t hdmabuf_directory_wanted(const struct hdmabuf_directory_reader *reader,
				struct hdmabuf_run *wanted, size_t capacity,
				uint64_t *pages)
{
	*pages = 0;
	if (reader->pages_read == reader->layout.directory_pages)
		return 0;
	if (reader->level)
		return hdmabuf_table_wanted(reader, wanted, capacity, pages);
	wanted->reference = reader->next;
	wanted->count = 1;
	*pages = 1;
	return 1;
}

uint16_t
hdmabuf_directory_missing(const struct hdmabuf_directory_reader *reader,
			  uint64_t page, uint64_t reference,
			  struct hdmabuf_fault *fault)
{
	uint64_t entry = reader->entries_read;

	if (!reader->pages_read)
		return hdmabuf_fault_set(fault, HDMABUF_STATUS_BAD_REFERENCE,
					 HDMABUF_WHERE_DESCRIPTOR,
					 offsetof(struct hdmabuf_descriptor,
						  directory),
					 reference);
	if (reader->level)
		entry = hdmabuf_table_entry(reader, page);
	return hdmabuf_directory_fault(fault, HDMABUF_STATUS_BAD_REFERENCE,
				       entry, reference);
}

/* HDB-IMP-002: each word is read once; all that follows is about the copy. */
static void copy_page(char *to, const char *from, uint32_t octets)
{
	uint32_t i;

	/*@ loop invariant 0 <= i <= octets && i % COPY_OCTETS == 0;
	    loop assigns i, to[0 .. octets - 1];
	    loop variant octets - i; */
	for (i = 0; i < octets; i += COPY_OCTETS)
		hdmabuf_shared_copy(to + i, from + i, COPY_OCTETS);
}

uint16_t hdmabuf_directory_feed(struct hdmabuf_directory_reader *reader,
				const volatile void *page, void *scratch,
				struct hdmabuf_fault *fault)
{
	copy_page(scratch, (const char *)page, 1u << reader->layout.page_shift);
	fault_none(fault);
	reader->pages_read++;
	switch (reader->layout.directory_format) {
	case HDMABUF_DIRECTORY_EXTENTS:
		return hdmabuf_extents_feed(reader, scratch, fault);
	case HDMABUF_DIRECTORY_TABLE:
		return hdmabuf_table_feed(reader, scratch, fault);
	}
	return hdmabuf_list_feed(reader, scratch, fault);
}
