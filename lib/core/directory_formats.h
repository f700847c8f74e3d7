/* SPDX-License-Identifier: MIT */
/* What the files about directories share: the three formats, page by page. */
#ifndef HDMABUF_CORE_DIRECTORY_FORMATS_H
#define HDMABUF_CORE_DIRECTORY_FORMATS_H

#include <hdmabuf/directory.h>

#pragma GCC visibility push(hidden)

/*
 * A directory that is being written.
 * @run: where the next reference or extent comes from
 * @done: references of @run that are written
 * @scattered: whether each run is a single reference
 * @entries: references of a LIST or TABLE, extents of EXTENTS
 * @own: references of the directory's pages
 * @memory: the directory's pages
 */
struct hdmabuf_directory_writer {
	const struct hdmabuf_run *run;
	uint64_t done;
	bool scattered;
	uint64_t entries;
	uint32_t page_shift;
	const uint64_t *own;
	char *memory;
	uint32_t pages;
};

void *hdmabuf_writer_page(const struct hdmabuf_directory_writer *writer,
			  uint32_t page);

/*
 * Words that are written or looked at together, in a loop that a compiler turns into
 * vectors. gcc leaves it a loop of these unless it is told otherwise.
 */
#define HDMABUF_DIRECTORY_BLOCK 32
#if defined(__GNUC__) && !defined(__clang__) && !defined(__FRAMAC__)
#define HDMABUF_UNROLL _Pragma("GCC unroll 8")
#else
#define HDMABUF_UNROLL
#endif

/* The same of runs, each of which is four words. */
#define HDMABUF_RUN_BLOCK (HDMABUF_DIRECTORY_BLOCK / 4)

static inline bool hdmabuf_is_zero_block(const hdmabuf_le32 *word,
					 uint32_t from)
{
	const hdmabuf_le32 *block = word + from;
	hdmabuf_le32 any = 0;
	uint32_t i;

	/*@ loop invariant 0 <= i <= HDMABUF_DIRECTORY_BLOCK;
	    loop invariant any == 0 ==> all_zero(word, from, from + i);
	    loop assigns i, any;
	    loop variant HDMABUF_DIRECTORY_BLOCK - i; */
	HDMABUF_UNROLL
	for (i = 0; i < HDMABUF_DIRECTORY_BLOCK; i++)
		any |= block[i];
	return any == 0;
}

/* The first word from @from on that is not zero, or @to if all before it are. */
static inline uint32_t hdmabuf_nonzero(const hdmabuf_le32 *word, uint32_t from,
				       uint32_t to)
{
	/*@ loop invariant \at(from, Pre) <= from <= to;
	    loop invariant all_zero(word, \at(from, Pre), from);
	    loop assigns from;
	    loop variant to - from; */
	while (to - from >= HDMABUF_DIRECTORY_BLOCK &&
	       hdmabuf_is_zero_block(word, from))
		from += HDMABUF_DIRECTORY_BLOCK;
	/*@ loop invariant \at(from, Pre) <= from <= to;
	    loop invariant all_zero(word, \at(from, Pre), from);
	    loop assigns from;
	    loop variant to - from; */
	while (from < to && !word[from])
		from++;
	return from;
}

/*
 * Which bits the references of runs have, and which their counts, less 1 each, as both
 * begin at 1: none is greater than all of these bits are.
 */
struct hdmabuf_run hdmabuf_runs_bits(const struct hdmabuf_run *runs,
				     uint64_t count);

/* Bits of a word of a bitmap. */
#define HDMABUF_WORD_BITS 64

/* Mark bits of a word; false if one of them is marked already. */
static inline bool hdmabuf_mark(uint64_t *word, uint64_t bits)
{
	uint64_t before = *word;

	*word = before | bits;
	return !(before & bits);
}

/* The smaller of what is left and what fits. */
static inline uint32_t hdmabuf_entries_here(uint64_t left, uint32_t fit)
{
	return left < fit ? (uint32_t)left : fit;
}

/*
 * What is wrong with a directory. A fault of a link is told as that of the first
 * entry that lies behind it, one of the head of a page as that of its first entry.
 */
uint16_t hdmabuf_directory_fault(struct hdmabuf_fault *fault, uint16_t status,
				 uint64_t entry, uint64_t value);

/* There is no room for what was found. */
uint16_t hdmabuf_reader_full(struct hdmabuf_fault *fault);

/* HDB-IMP-012: there is a next page if, and only if, entries are left. */
uint16_t hdmabuf_reader_link(struct hdmabuf_directory_reader *reader,
			     uint64_t next, struct hdmabuf_fault *fault);

/* 32-bit references, as they lie in a page of a LIST or TABLE. */
void hdmabuf_references_put(struct hdmabuf_directory_writer *writer,
			    hdmabuf_le32 *word, uint32_t count);

/*
 * @count of the @fit references that a page has room for are taken, the others
 * must be zero. @entry is the number of the first, and @span how many pages of
 * data lie behind each.
 */
uint16_t hdmabuf_references_take(struct hdmabuf_directory_reader *reader,
				 const hdmabuf_le32 *word, uint32_t count,
				 uint32_t fit, uint64_t entry, uint64_t span,
				 struct hdmabuf_fault *fault);

/* A page of a LIST, of those that lie one after the other in memory. */
static inline struct hdmabuf_list_page *
hdmabuf_list_page(void *memory, uint32_t page, uint32_t page_shift)
{
	return (struct hdmabuf_list_page *)((char *)memory +
					    ((size_t)page << page_shift));
}

/* Its structure declares the first; the page has room for more. */
static inline hdmabuf_le32 *hdmabuf_list_references(void *page)
{
	return (hdmabuf_le32 *)((char *)page +
				offsetof(struct hdmabuf_list_page, reference));
}

void hdmabuf_list_write(struct hdmabuf_directory_writer *writer);
uint16_t hdmabuf_list_feed(struct hdmabuf_directory_reader *reader,
			   const void *page, struct hdmabuf_fault *fault);

/* Pages of all levels, or 0 if more than three levels would be needed. */
uint64_t hdmabuf_table_pages(uint64_t entries, uint32_t page_shift);
void hdmabuf_table_write(struct hdmabuf_directory_writer *writer);
void hdmabuf_table_begin(struct hdmabuf_directory_reader *reader);
size_t hdmabuf_table_wanted(const struct hdmabuf_directory_reader *reader,
			    struct hdmabuf_run *wanted, size_t capacity,
			    uint64_t *pages);
uint64_t hdmabuf_table_entry(const struct hdmabuf_directory_reader *reader,
			     uint64_t page);
uint16_t hdmabuf_table_feed(struct hdmabuf_directory_reader *reader,
			    const void *page, struct hdmabuf_fault *fault);

void hdmabuf_extents_write(struct hdmabuf_directory_writer *writer);
uint16_t hdmabuf_extents_feed(struct hdmabuf_directory_reader *reader,
			      const void *page, struct hdmabuf_fault *fault);

#pragma GCC visibility pop

#endif /* HDMABUF_CORE_DIRECTORY_FORMATS_H */
