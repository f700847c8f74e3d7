/* SPDX-License-Identifier: MIT */
/* The page directory of displif and sndif: a LIST, with references in arrays. */
#include <hdmabuf/gref_directory.h>
#include <hdmabuf/shared.h>

#include "lib/core/directory_formats.h"
#include "lib/core/octets.h"

/* References that are written, copied and checked together. */
#define BLOCK HDMABUF_DIRECTORY_BLOCK

/* ---- Counting ------------------------------------------------------------ */

uint32_t hdmabuf_gref_pages(uint32_t octets)
{
	return octets / HDMABUF_GREF_PAGE + (octets % HDMABUF_GREF_PAGE != 0);
}

uint32_t hdmabuf_gref_directory_pages(uint32_t count)
{
	return count / HDMABUF_GREF_ENTRIES +
	       (count % HDMABUF_GREF_ENTRIES != 0);
}

/* ---- One's own ----------------------------------------------------------- */

void hdmabuf_gref_link(uint32_t count, const uint32_t *own, void *memory)
{
	uint32_t pages = hdmabuf_gref_directory_pages(count);
	uint32_t page;

	octets_clear(memory, (size_t)pages << HDMABUF_GREF_PAGE_SHIFT);
	for (page = 1; page < pages; page++)
		hdmabuf_list_page(memory, page - 1, HDMABUF_GREF_PAGE_SHIFT)
			->next = hdmabuf_put_le32(own[page]);
}

/* A compiler makes vectors of it only if it knows that the two do not overlap. */
static void put_references(hdmabuf_le32 *restrict word,
			   const uint32_t *restrict references, uint32_t count)
{
	uint32_t i;

	for (; count >= BLOCK;
	     count -= BLOCK, word += BLOCK, references += BLOCK) {
		HDMABUF_UNROLL
		for (i = 0; i < BLOCK; i++)
			word[i] = hdmabuf_put_le32(references[i]);
	}
	for (i = 0; i < count; i++)
		word[i] = hdmabuf_put_le32(references[i]);
}

void hdmabuf_gref_build(const uint32_t *references, uint32_t count,
			const uint32_t *own, void *memory)
{
	uint32_t pages = hdmabuf_gref_directory_pages(count);
	uint32_t page;

	for (page = 0; page < pages; page++) {
		struct hdmabuf_list_page *to = hdmabuf_list_page(
			memory, page, HDMABUF_GREF_PAGE_SHIFT);
		hdmabuf_le32 *word = hdmabuf_list_references(to);
		uint32_t here =
			hdmabuf_entries_here(count, HDMABUF_GREF_ENTRIES);
		bool last = page + 1 == pages;

		to->next = last ? 0 : hdmabuf_put_le32(own[page + 1]);
		put_references(word, references, here);
		octets_clear(word + here,
			     (HDMABUF_GREF_ENTRIES - here) * sizeof(*word));
		references += here;
		count -= here;
	}
}

static uint16_t bad_reference(struct hdmabuf_fault *fault, uint32_t entry,
			      uint32_t value)
{
	return hdmabuf_fault_set(fault, HDMABUF_STATUS_BAD_REFERENCE,
				 HDMABUF_WHERE_DIRECTORY, entry, value);
}

/* Of a block of references, from number @entry on. */
static uint16_t first_zero(const uint32_t *references, uint32_t entry,
			   struct hdmabuf_fault *fault)
{
	uint32_t i;

	/*@ loop invariant 0 <= i < BLOCK;
	    loop assigns i;
	    loop variant BLOCK - i; */
	for (i = 0; i + 1 < BLOCK && references[entry + i]; i++)
		;
	return bad_reference(fault, entry + i, 0);
}

/*
 * Take a block of references, from number @entry on; each word is copied once. Whether
 * none of them is 0.
 */
static bool take_block(const hdmabuf_le32 *word, uint32_t *references,
		       uint32_t entry)
{
	uint32_t *block = references + entry;
	hdmabuf_le32 copy[BLOCK];
	uint32_t zero = 0;
	uint32_t i;

	hdmabuf_shared_copy(copy, word, sizeof(copy));
	/*@ loop invariant 0 <= i <= BLOCK;
	    loop invariant zero == 0 ==>
		are_references(references, entry, entry + i);
	    loop assigns i, zero, references[entry .. entry + BLOCK - 1];
	    loop variant BLOCK - i; */
	HDMABUF_UNROLL
	for (i = 0; i < BLOCK; i++) {
		block[i] = hdmabuf_get_le32(copy[i]);
		zero |= -(uint32_t)(block[i] == 0);
	}
	return zero == 0;
}

/* References from number @entry on, @count of them; each word is read once. */
static uint16_t take(const void *page, uint32_t *references, uint32_t count,
		     uint32_t entry, struct hdmabuf_fault *fault)
{
	const hdmabuf_le32 *word = hdmabuf_list_references((void *)page);
	uint32_t i = 0;

	/*@ loop invariant 0 <= i <= count;
	    loop invariant are_references(references, entry, entry + i);
	    loop assigns i, *fault, references[entry .. entry + count - 1];
	    loop variant count - i; */
	while (count - i >= BLOCK) {
		if (!take_block(word + i, references, entry + i))
			return first_zero(references, entry + i, fault);
		i += BLOCK;
	}
	/*@ loop invariant 0 <= i <= count;
	    loop invariant are_references(references, entry, entry + i);
	    loop assigns i, *fault, references[entry .. entry + count - 1];
	    loop variant count - i; */
	for (; i < count; i++) {
		references[entry + i] = hdmabuf_shared_read(&word[i]);
		if (!references[entry + i])
			return bad_reference(fault, entry + i, 0);
	}
	return HDMABUF_STATUS_OK;
}

static void no_fault(struct hdmabuf_fault *fault)
{
	hdmabuf_fault_set(fault, HDMABUF_STATUS_OK, HDMABUF_WHERE_NOWHERE, 0,
			  0);
}

uint16_t hdmabuf_gref_take(const void *memory, uint32_t *references,
			   uint32_t count, struct hdmabuf_fault *fault)
{
	const char *page = memory;
	uint32_t done, here;

	no_fault(fault);
	/*@ loop invariant done == count || done < count && done % 1023 == 0;
	    loop invariant page == (char *)memory + 4096 * ((done + 1022) / 1023);
	    loop invariant done < count ==>
		is_page_of((char *)memory, (done + 1022) / 1023);
	    loop invariant are_references(references, 0, done);
	    loop assigns done, here, page, *fault, references[0 .. count - 1];
	    loop variant count - done; */
	for (done = 0; done < count; done += here, page += HDMABUF_GREF_PAGE) {
		here = hdmabuf_entries_here(count - done, HDMABUF_GREF_ENTRIES);
		if (take(page, references, here, done, fault))
			return fault->status;
	}
	return HDMABUF_STATUS_OK;
}

/* ---- The other end's ----------------------------------------------------- */

uint16_t hdmabuf_gref_begin(struct hdmabuf_gref_walk *walk, uint32_t directory,
			    uint32_t *references, uint32_t count,
			    struct hdmabuf_fault *fault)
{
	no_fault(fault);
	walk->references = references;
	walk->count = count;
	walk->done = 0;
	walk->next = directory;
	if (!count)
		return hdmabuf_fault_set(fault, HDMABUF_STATUS_INVALID,
					 HDMABUF_WHERE_DIRECTORY, 0, 0);
	return directory ? HDMABUF_STATUS_OK : bad_reference(fault, 0, 0);
}

uint32_t hdmabuf_gref_next(const struct hdmabuf_gref_walk *walk)
{
	return walk->next;
}

static uint32_t entries_here(const struct hdmabuf_gref_walk *walk)
{
	return hdmabuf_entries_here(walk->count - walk->done,
				    HDMABUF_GREF_ENTRIES);
}

/* There is a next page if, and only if, references are left. */
static uint16_t go_on(struct hdmabuf_gref_walk *walk, const void *page,
		      uint32_t here, struct hdmabuf_fault *fault)
{
	const struct hdmabuf_list_page *list = page;
	uint32_t next = hdmabuf_shared_read(&list->next);

	walk->done += here;
	walk->next = next;
	if ((walk->done < walk->count) != (next != 0))
		return bad_reference(fault, walk->done, next);
	return HDMABUF_STATUS_OK;
}

uint16_t hdmabuf_gref_read(struct hdmabuf_gref_walk *walk, const void *page,
			   struct hdmabuf_fault *fault)
{
	uint32_t here = entries_here(walk);

	if (take(page, walk->references, here, walk->done, fault))
		return fault->status;
	return go_on(walk, page, here, fault);
}

uint16_t hdmabuf_gref_fill(struct hdmabuf_gref_walk *walk, void *page,
			   struct hdmabuf_fault *fault)
{
	hdmabuf_le32 *word = hdmabuf_list_references(page);
	uint32_t here = entries_here(walk);
	uint32_t i;

	/*@ loop invariant 0 <= i <= here;
	    loop assigns i, word[0 .. here - 1];
	    loop variant here - i; */
	for (i = 0; i < here; i++)
		hdmabuf_shared_write(&word[i],
				     walk->references[walk->done + i]);
	return go_on(walk, page, here, fault);
}

/* ---- No page twice ------------------------------------------------------- */

static bool are_ascending(const uint32_t *references, uint32_t count)
{
	uint32_t i = 1;

	/*@ loop invariant 1 <= i && (i <= count || count == 0);
	    loop assigns i;
	    loop variant count - i; */
	while (i < count && references[i] > references[i - 1])
		i++;
	return i >= count;
}

/* The bits of all references, less 1 each: none is greater. */
static uint32_t bits_of(const uint32_t *references, uint32_t count)
{
	uint32_t bits = 0;
	uint64_t i = 0, j;

	/*@ loop invariant 0 <= i <= count;
	    loop invariant have_reference_bits(references, i, bits);
	    loop assigns i, j, bits;
	    loop variant count - i; */
	for (; count - i >= BLOCK; i += BLOCK) {
		/*@ loop invariant 0 <= j <= BLOCK;
		    loop invariant have_reference_bits(references, i + j, bits);
		    loop assigns j, bits;
		    loop variant BLOCK - j; */
		HDMABUF_UNROLL
		for (j = 0; j < BLOCK; j++)
			bits |= references[i + j] - 1;
	}
	/*@ loop invariant 0 <= i <= count;
	    loop invariant have_reference_bits(references, i, bits);
	    loop assigns i, bits;
	    loop variant count - i; */
	for (; i < count; i++)
		bits |= references[i] - 1;
	return bits;
}

/* Whether a bitmap of up to four words a reference shows that none comes twice. */
static bool are_distinct(const uint32_t *references, uint32_t count,
			 uint64_t *seen)
{
	uint32_t words = bits_of(references, count) / HDMABUF_WORD_BITS + 1;
	uint32_t i;

	if (words > 4 * (uint64_t)count)
		return false;
	octets_clear(seen, words * sizeof(*seen));
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, seen[0 .. words - 1];
	    loop variant count - i; */
	for (i = 0; i < count; i++) {
		uint32_t page = references[i] - 1;

		if (!hdmabuf_mark(&seen[page / HDMABUF_WORD_BITS],
				  (uint64_t)1 << page % HDMABUF_WORD_BITS))
			return false;
	}
	return true;
}

uint16_t hdmabuf_gref_unique(const uint32_t *references, uint32_t count,
			     struct hdmabuf_run *runs,
			     struct hdmabuf_fault *fault)
{
	size_t used = 0;
	uint32_t i;

	no_fault(fault);
	if (are_ascending(references, count) ||
	    are_distinct(references, count, (uint64_t *)runs))
		return HDMABUF_STATUS_OK;
	/*@ loop invariant 0 <= i <= count && used <= i;
	    loop assigns i, used, runs[0 .. count - 1];
	    loop variant count - i; */
	for (i = 0; i < count; i++) {
		struct hdmabuf_run *last = used ? &runs[used - 1] : NULL;

		if (last && last->reference + last->count == references[i])
			last->count++;
		else
			runs[used++] = (struct hdmabuf_run){ references[i], 1 };
	}
	return hdmabuf_runs_unique(runs, used, runs + used, fault);
}
