/* SPDX-License-Identifier: MIT */
/* No page comes twice. */
#include <hdmabuf/directory.h>

#include "lib/core/directory_formats.h"
#include "lib/core/note.h"
#include "lib/core/octets.h"

#define WORD_BITS HDMABUF_WORD_BITS

/* Runs that are looked at together. */
#define BLOCK HDMABUF_RUN_BLOCK

/* Whether @next, which begins no earlier than @run, begins within it. */
static bool overlaps(const struct hdmabuf_run *run,
		     const struct hdmabuf_run *next)
{
	return next->reference - run->reference < run->count;
}

/* As most directories are: nothing has to be sorted. */
static bool is_ascending(const struct hdmabuf_run *runs, size_t count)
{
	size_t i;

	/*@ loop invariant 1 <= i && (i <= count || count == 0);
	    loop invariant ascend(runs, i);
	    loop assigns i;
	    loop variant count - i; */
	for (i = 1; i < count; i++) {
		if (runs[i].reference < runs[i - 1].reference ||
		    overlaps(&runs[i - 1], &runs[i]))
			return false;
	}
	return true;
}

/* ---- By a bitmap --------------------------------------------------------- */

static inline struct hdmabuf_run with_bits(struct hdmabuf_run bits,
					   const struct hdmabuf_run *run)
{
	bits.reference |= run->reference - 1;
	bits.count |= run->count - 1;
	return bits;
}

struct hdmabuf_run hdmabuf_runs_bits(const struct hdmabuf_run *runs,
				     uint64_t count)
{
	struct hdmabuf_run bits = { 0, 0 };
	uint64_t i = 0, j;

	/*@ loop invariant 0 <= i <= count;
	    loop invariant have_bits(runs, i, bits.reference, bits.count);
	    loop assigns i, j, bits;
	    loop variant count - i; */
	for (; count - i >= BLOCK; i += BLOCK) {
		/*@ loop invariant 0 <= j <= BLOCK;
		    loop invariant
			have_bits(runs, i + j, bits.reference, bits.count);
		    loop assigns j, bits;
		    loop variant BLOCK - j; */
		HDMABUF_UNROLL
		for (j = 0; j < BLOCK; j++)
			bits = with_bits(bits, &runs[i + j]);
	}
	/*@ loop invariant 0 <= i <= count;
	    loop invariant have_bits(runs, i, bits.reference, bits.count);
	    loop assigns i, bits;
	    loop variant count - i; */
	for (; i < count; i++)
		bits = with_bits(bits, &runs[i]);
	return bits;
}

/* Words that have a bit for each page of @runs; 0 if they are more than two a run. */
static size_t bitmap_words(const struct hdmabuf_run *runs, size_t count)
{
	struct hdmabuf_run bits = hdmabuf_runs_bits(runs, count);
	uint64_t last;

	if (bits.count > UINT64_MAX - bits.reference)
		return 0;
	last = bits.reference + bits.count;
	if (last / WORD_BITS >= 2 * (uint64_t)count)
		return 0;
	return (size_t)(last / WORD_BITS) + 1;
}

/*
 * Mark @left pages from number @page on, where the first that there is has number 0;
 * false if one of them is marked already.
 */
static bool mark_pages(uint64_t *seen, uint64_t page, uint64_t left)
{
	/*@ loop invariant left <= \at(left, Pre);
	    loop invariant page + left == \at(page + left, Pre);
	    loop assigns page, left, seen[0 .. \at(page + left - 1, Pre) / 64];
	    loop variant left; */
	while (left) {
		uint32_t from = page % WORD_BITS;
		uint32_t here = hdmabuf_entries_here(left, WORD_BITS - from);

		if (!hdmabuf_mark(&seen[page / WORD_BITS],
				  UINT64_MAX >> (WORD_BITS - here) << from))
			return false;
		page += here;
		left -= here;
	}
	return true;
}

/* The same, of a run; of most, where references are scattered, a single page. */
static inline bool mark_run(uint64_t *seen, const struct hdmabuf_run *run)
{
	uint64_t page = run->reference - 1;

	if (run->count > 1)
		return mark_pages(seen, page, run->count);
	return hdmabuf_mark(&seen[page / WORD_BITS],
			    (uint64_t)1 << page % WORD_BITS);
}

/*
 * Whether a bitmap shows that no page comes twice. It lies in memory for @count
 * runs: where references are too far apart for that, nothing is known.
 */
static bool are_distinct(const struct hdmabuf_run *runs, size_t count,
			 uint64_t *seen)
{
	size_t words = bitmap_words(runs, count);
	size_t i;

	if (!words)
		return false;
	octets_clear(seen, words * sizeof(*seen));
	/*@ loop invariant 0 <= i <= count;
	    loop assigns i, seen[0 .. words - 1];
	    loop variant count - i; */
	for (i = 0; i < count; i++) {
		if (!mark_run(seen, &runs[i]))
			return false;
	}
	return true;
}

/* ---- By sorting ---------------------------------------------------------- */

/*
 * Put runs[at] where it belongs in the heap below it: down to a leaf along the
 * greater children, which needs no decision that a processor could guess wrong,
 * and up again, which is seldom far.
 */
static void sift(struct hdmabuf_run *runs, size_t at, size_t count)
{
	struct hdmabuf_run run = runs[at];
	size_t top = at;

	/*@ loop invariant top <= at < count;
	    loop assigns at, runs[0 .. count - 1];
	    loop variant count - at; */
	while (2 * at + 1 < count) {
		size_t child = 2 * at + 1;

		if (child + 1 < count)
			child += runs[child + 1].reference >
				 runs[child].reference;
		runs[at] = runs[child];
		at = child;
	}
	/*@ loop invariant at < count;
	    loop assigns at, runs[0 .. count - 1];
	    loop variant at; */
	while (at > top && runs[(at - 1) / 2].reference < run.reference) {
		runs[at] = runs[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	runs[at] = run;
}

/* Heapsort: a peer chooses the order, and none takes longer than others. */
static void sort(struct hdmabuf_run *runs, size_t count)
{
	size_t i;

	/*@ loop invariant i <= count / 2;
	    loop assigns i, runs[0 .. count - 1];
	    loop variant i; */
	for (i = count / 2; i--;)
		sift(runs, i, count);
	/*@ loop invariant i <= count;
	    loop assigns i, runs[0 .. count - 1];
	    loop variant i; */
	for (i = count; i-- > 1;) {
		struct hdmabuf_run greatest = runs[0];

		runs[0] = runs[i];
		runs[i] = greatest;
		sift(runs, 0, i);
	}
}

static bool has_page(const struct hdmabuf_run *run, uint64_t reference)
{
	return reference >= run->reference &&
	       reference - run->reference < run->count;
}

/* Of the pages, the number of the one that is the second to have @reference. */
static uint64_t second_page(const struct hdmabuf_run *runs, size_t count,
			    uint64_t reference)
{
	uint64_t page = 0, second = 0;
	size_t seen = 0;
	size_t i;

	/*@ loop invariant 0 <= i <= count && 0 <= seen <= i;
	    loop assigns i, page, second, seen;
	    loop variant count - i; */
	for (i = 0; i < count; page += runs[i].count, i++) {
		if (has_page(&runs[i], reference) && ++seen == 2)
			second = page + reference - runs[i].reference;
	}
	return second;
}

/*
 * Two runs that have a page in common. Not inline: it would save registers for itself
 * where nothing has to be sorted.
 */
static __attribute__((__noinline__)) uint16_t
find_overlap(const struct hdmabuf_run *runs, size_t count,
	     struct hdmabuf_run *scratch, struct hdmabuf_fault *fault)
{
	size_t i;

	if (are_distinct(runs, count, (uint64_t *)scratch))
		return HDMABUF_STATUS_OK;
	octets_copy(scratch, runs, count * sizeof(*runs));
	sort(scratch, count);
	/*@ loop invariant 1 <= i && (i <= count || count == 0);
	    loop assigns i;
	    loop variant count - i; */
	for (i = 1; i < count; i++) {
		uint64_t reference = scratch[i].reference;

		if (overlaps(&scratch[i - 1], &scratch[i]))
			return hdmabuf_fault_set(
				fault, HDMABUF_STATUS_DUPLICATE,
				HDMABUF_WHERE_PAGE,
				second_page(runs, count, reference), reference);
	}
	return HDMABUF_STATUS_OK;
}

uint16_t hdmabuf_runs_unique(const struct hdmabuf_run *runs, size_t count,
			     struct hdmabuf_run *scratch,
			     struct hdmabuf_fault *fault)
{
	fault_none(fault);
	if (is_ascending(runs, count))
		return HDMABUF_STATUS_OK;
	return find_overlap(runs, count, scratch, fault);
}
