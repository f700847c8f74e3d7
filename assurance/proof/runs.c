/* SPDX-License-Identifier: MIT */
/*
 * The search for pages that come twice, of which a peer chooses the order
 *
 * wp: overlaps is_ascending with_bits hdmabuf_runs_bits bitmap_words hdmabuf_mark mark_pages
 * wp: mark_run are_distinct sift sort has_page second_page
 * wp: find_overlap hdmabuf_runs_unique
 * fault BELOW_THE_HEAP lib/core/runs.c s/if (child + 1 < count)/if (child + 1 <= count)/
 * fault BEYOND_THE_BITMAP lib/core/runs.c s/last \/ WORD_BITS >= 2/last \/ WORD_BITS > 2/
 * fault SIFT_FOR_EVER lib/core/runs.c s/size_t child = 2 \* at + 1;/size_t child = at;/
 */
#define HDMABUF_CORE_OCTETS_H
#include "assurance/proof/directory.h"

/* Here, it is runs that are copied. */
/*@ requires \valid(to + (0 .. count - 1)) && \valid_read(from + (0 .. count - 1));
    requires \separated(to + (0 .. count - 1), from + (0 .. count - 1));
    assigns to[0 .. count - 1] \from from[0 .. count - 1]; */
void proof_copy_runs(struct hdmabuf_run *to, const struct hdmabuf_run *from,
		     size_t count);
#define octets_copy(to, from, octets) \
	proof_copy_runs(to, from, (octets) / sizeof(struct hdmabuf_run))

/* Here, it is words that are cleared. */
/*@ requires \valid(word + (0 .. count - 1));
    assigns word[0 .. count - 1]; */
void proof_clear_words(uint64_t *word, size_t count);
#define octets_clear(at, octets) \
	proof_clear_words(at, (octets) / sizeof(uint64_t))

/*@
// Each run begins behind the one before it.
predicate ascend(struct hdmabuf_run *run, integer count) =
	\forall integer i; 1 <= i < count ==>
		run[i].reference >= run[i - 1].reference + run[i - 1].count;
*/

/*@ requires \valid(fault);
    assigns *fault; */
static inline void fault_none(struct hdmabuf_fault *fault);

/*@ assigns \nothing; */
unsigned int hdmabuf_fault_rank(uint16_t status);

/*@ requires \valid_read(run) && \valid_read(next);
    assigns \nothing;
    ensures !\result && run->reference <= next->reference ==>
	next->reference >= run->reference + run->count; */
static bool overlaps(const struct hdmabuf_run *run,
		     const struct hdmabuf_run *next);

/*@ requires \valid_read(runs + (0 .. count - 1));
    assigns \nothing;
    ensures \result ==> ascend(runs, count); */
static bool is_ascending(const struct hdmabuf_run *runs, size_t count);

/*@
predicate have_bits(struct hdmabuf_run *run, integer count,
		    integer references, integer counts) =
	\forall integer i; 0 <= i < count ==>
		has_bits(run[i].reference, references) &&
		has_bits(run[i].count, counts);

// A bitmap has a bit for each page, the first of which is 1.
predicate has_bitmap(struct hdmabuf_run *run, integer words) =
	1 <= run->reference && 1 <= run->count &&
	run->reference + run->count - 1 <= 64 * words;
*/

/*@ requires \valid_read(run);
    assigns \nothing;
    ensures bits.reference <= \result.reference;
    ensures bits.count <= \result.count;
    ensures has_bits(run->reference, \result.reference);
    ensures has_bits(run->count, \result.count); */
static inline struct hdmabuf_run with_bits(struct hdmabuf_run bits,
					   const struct hdmabuf_run *run);

/*@ requires count <= 0xffffffff && \valid_read(runs + (0 .. count - 1));
    assigns \nothing;
    ensures have_bits(runs, count, \result.reference, \result.count); */
struct hdmabuf_run hdmabuf_runs_bits(const struct hdmabuf_run *runs,
				     uint64_t count);

/*@ requires count <= 0xffffffff && \valid_read(runs + (0 .. count - 1));
    assigns \nothing;
    ensures \result <= 2 * count;
    ensures \result > 0 ==> \forall integer i; 0 <= i < count ==>
	has_bitmap(runs + i, \result); */
static size_t bitmap_words(const struct hdmabuf_run *runs, size_t count);

/*@ requires 1 <= left && page + left <= 0xffffffffffffffff;
    requires \valid(seen + (0 .. (page + left - 1) / 64));
    assigns seen[0 .. (page + left - 1) / 64]; */
static bool mark_pages(uint64_t *seen, uint64_t page, uint64_t left);

/*@ requires \valid_read(run) && 1 <= run->reference && 1 <= run->count;
    requires run->reference + run->count - 1 <= 0xffffffffffffffff;
    requires \valid(seen + (0 .. (run->reference + run->count - 2) / 64));
    assigns seen[0 .. (run->reference + run->count - 2) / 64]; */
static inline bool mark_run(uint64_t *seen, const struct hdmabuf_run *run);

/*@ requires count <= 0xffffffff && \valid_read(runs + (0 .. count - 1));
    requires \valid(seen + (0 .. 2 * count - 1));
    requires \separated(runs + (0 .. count - 1), seen + (0 .. 2 * count - 1));
    assigns seen[0 .. 2 * count - 1]; */
static bool are_distinct(const struct hdmabuf_run *runs, size_t count,
			 uint64_t *seen);

/*@ requires count <= 0xffffffff && at < count;
    requires \valid(runs + (0 .. count - 1));
    assigns runs[0 .. count - 1]; */
static void sift(struct hdmabuf_run *runs, size_t at, size_t count);

/*@ requires count <= 0xffffffff && \valid(runs + (0 .. count - 1));
    assigns runs[0 .. count - 1]; */
static void sort(struct hdmabuf_run *runs, size_t count);

/*@ requires \valid_read(run);
    assigns \nothing; */
static bool has_page(const struct hdmabuf_run *run, uint64_t reference);

/*@ requires \valid_read(runs + (0 .. count - 1));
    assigns \nothing; */
static uint64_t second_page(const struct hdmabuf_run *runs, size_t count,
			    uint64_t reference);

/*@ requires count <= 0xffffffff && \valid(fault);
    requires \valid_read(runs + (0 .. count - 1)) &&
	\valid(scratch + (0 .. count - 1));
    requires \valid((uint64_t *)scratch + (0 .. 2 * count - 1));
    requires \separated(fault, runs + (0 .. count - 1),
			(uint64_t *)scratch + (0 .. 2 * count - 1));
    requires \separated(fault, runs + (0 .. count - 1),
			scratch + (0 .. count - 1));
    assigns *fault, scratch[0 .. count - 1],
	((uint64_t *)scratch)[0 .. 2 * count - 1]; */
static uint16_t find_overlap(const struct hdmabuf_run *runs, size_t count,
			     struct hdmabuf_run *scratch,
			     struct hdmabuf_fault *fault);

/*@ requires count <= 0xffffffff && \valid(fault);
    requires \valid_read(runs + (0 .. count - 1)) &&
	\valid(scratch + (0 .. count - 1));
    requires \valid((uint64_t *)scratch + (0 .. 2 * count - 1));
    requires \separated(fault, runs + (0 .. count - 1),
			(uint64_t *)scratch + (0 .. 2 * count - 1));
    requires \separated(fault, runs + (0 .. count - 1),
			scratch + (0 .. count - 1));
    assigns *fault, scratch[0 .. count - 1],
	((uint64_t *)scratch)[0 .. 2 * count - 1]; */
uint16_t hdmabuf_runs_unique(const struct hdmabuf_run *runs, size_t count,
			     struct hdmabuf_run *scratch,
			     struct hdmabuf_fault *fault);

#include "lib/core/runs.c"
