/* SPDX-License-Identifier: MIT */
/*
 * 32-bit references, as they lie in the pages of a LIST or TABLE
 *
 * wp: hdmabuf_is_zero_block hdmabuf_nonzero hdmabuf_entries_here is_block
 * wp: consecutive check_rest bad_reference next_reference is_block_of_singles
 * wp: add_block add_one_by_one add_singles add_run hdmabuf_references_take
 * fault SINGLES_BEYOND lib/core/directory_references.c s/uint32_t last = count ? count - 1 : 0/uint32_t last = count/
 * fault ANY_BITS lib/core/directory_references.c s/return bits < max \&\& !follows/return !follows/
 * fault ANY_REFERENCE lib/core/directory_references.c s/!first || first + here - 1 > max/!first/
 * fault NO_ROOM lib/core/directory_references.c s/first != next \&\& used == room/first != next \&\& used > room/
 * fault ANY_BLOCK lib/core/directory_references.c s/return differ == 0/return true/
 */
#include "assurance/proof/directory.h"
#include "assurance/proof/spelling.h"

/*@
// Where the pages that come next are.
logic integer end_of(struct hdmabuf_directory_reader *r) =
	position(r->runs, r->run_count);

// What would go on with the last run; 0 if there is none.
predicate goes_on(struct hdmabuf_run *run, integer count, integer next) =
	next != 0 ==> count >= 1 &&
		next == run[count - 1].reference + run[count - 1].count;

// Each word is its own number and @more; whether the last is too great, callers see.
predicate follow(hdmabuf_le32 *word, integer from, integer to, integer more) =
	\forall integer i; from <= i < to && i + more <= 0xffffffff ==>
		word[i] == i + more;
*/

/*@ requires from + 31 <= 0xffffffff && \valid_read(word + (from .. from + 31));
    assigns \nothing;
    ensures \result ==> follow(word, from, from + 32, first - from); */
static bool is_block(const hdmabuf_le32 *word, uint32_t from, uint32_t first);

/*@ requires from < end && \valid_read(word + (from .. end - 1));
    assigns \nothing;
    ensures 1 <= \result <= end - from;
    ensures follow(word, from, from + \result, word[from] - from); */
static uint32_t consecutive(const hdmabuf_le32 *word, uint32_t from,
			    uint32_t end);

/*@ requires count <= fit && \valid_read(word + (0 .. fit - 1)) &&
	\valid(fault) && \separated(fault, word + (0 .. fit - 1));
    assigns *fault;
    ensures \result == 0 ==> all_zero(word, count, fit);
    ensures \result == 0 || \result == fault->status; */
static uint16_t check_rest(const hdmabuf_le32 *word, uint32_t count,
			   uint32_t fit, uint64_t entry, uint64_t span,
			   struct hdmabuf_fault *fault);

/*@ requires max <= 0xffffffff && \valid(fault) && \valid_read(word);
    requires 1 <= word[0] <= max ==>
	\valid_read(word + (max - word[0] + 1));
    assigns *fault;
    ensures \result == HDMABUF_STATUS_BAD_REFERENCE; */
static uint16_t bad_reference(uint64_t max, const hdmabuf_le32 *word,
			      uint64_t entry, uint64_t span,
			      struct hdmabuf_fault *fault);

/*@ requires is_reader(reader) && has_runs(reader) &&
	reader->reference_max <= 0xffffffff;
    assigns \nothing;
    ensures goes_on(reader->runs, reader->run_count, \result); */
static uint64_t next_reference(const struct hdmabuf_directory_reader *reader);

/*@ requires max <= 0xffffffff && from + 32 <= 0xffffffff;
    requires \valid_read(word + (from .. from + 32));
    assigns \nothing;
    ensures \result ==> \forall integer k; from <= k < from + 32 ==>
	1 <= word[k] <= max; */
static bool is_block_of_singles(const hdmabuf_le32 *word, uint32_t from,
				uint64_t max);

/*@ requires used <= 0x0fffffffffffffff && \valid_read(word + (0 .. 31));
    requires \valid(runs + (used .. used + 31));
    requires \separated(runs + (used .. used + 31), word + (0 .. 31));
    assigns runs[used .. used + 31];
    ensures \forall integer k; used <= k < used + 32 ==>
	runs[k].reference == word[k - used] && runs[k].count == 1; */
static void add_block(struct hdmabuf_run *runs, uint64_t used,
		      const hdmabuf_le32 *word);

/*@ requires max <= 0xffffffff && used + end <= 0x0fffffffffffffff;
    requires end < 0xffffffff;
    requires i < end ==> \valid_read(word + (i .. end)) &&
	\valid(runs + (used + i .. used + end - 1)) &&
	\separated(runs + (used + i .. used + end - 1), word + (i .. end));
    assigns runs[used + i .. used + end - 1];
    ensures i <= \result && (\result <= end || \result == i);
    ensures \forall integer k; used + i <= k < used + \result ==>
	1 <= runs[k].reference <= max && runs[k].count == 1 &&
	runs[k].reference == word[k - used]; */
static uint32_t add_one_by_one(struct hdmabuf_run *runs, uint64_t used,
			       const hdmabuf_le32 *word, uint32_t i,
			       uint32_t end, uint32_t next, uint64_t max);

/*@ requires max <= 0xffffffff && used + count <= 0x0fffffffffffffff;
    requires count >= 1 ==> \valid_read(word + (0 .. count - 1)) &&
	\valid(runs + (used .. used + count - 1)) &&
	\separated(runs + (used .. used + count - 1),
		   word + (0 .. count - 1));
    assigns runs[used .. used + count - 1];
    ensures \result == 0 || 0 < \result < count;
    ensures \forall integer k; used <= k < used + \result ==>
	is_run(runs + k, max) && runs[k].count == 1 &&
	runs[k].reference == word[k - used];
    ensures are_single(runs, used, used + \result);
    ensures same_counts{Pre, Post}(runs, used);
    ensures keep{Pre, Post}(runs, used); */
static uint32_t add_singles(struct hdmabuf_run *runs, uint64_t used,
			    const hdmabuf_le32 *word, uint32_t count,
			    uint32_t next, uint64_t max);

/*@ requires used <= 0x0fffffffffffffff && count >= 1;
    requires goes_on ? used >= 1 && \valid(runs + (used - 1)) &&
	first == runs[used - 1].reference + runs[used - 1].count &&
	runs[used - 1].count + count <= 0xffffffffffffffff : \valid(runs + used);
    assigns runs[goes_on ? used - 1 : used];
    ensures \result == (goes_on ? used : used + 1);
    ensures runs[\result - 1].reference + runs[\result - 1].count == first + count;
    ensures goes_on || runs[\result - 1].reference == first;
    ensures runs[\result - 1].count >= count;
    ensures keep{Pre, Post}(runs, used);
    ensures has_pages_at(runs, \result - 1, \old(position(runs, used)), first, count); */
static inline uint64_t add_run(struct hdmabuf_run *runs, uint64_t used,
			       bool goes_on, uint64_t first, uint32_t count);

/*@ ensures \result == 0 ==> spell(reader->runs, reader->run_count,
	\old(end_of(reader)), word, count); */
uint16_t hdmabuf_references_take(struct hdmabuf_directory_reader *reader,
				 const hdmabuf_le32 *word, uint32_t count,
				 uint32_t fit, uint64_t entry, uint64_t span,
				 struct hdmabuf_fault *fault);

#include "lib/core/directory_references.c"
