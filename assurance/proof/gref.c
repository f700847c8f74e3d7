/* SPDX-License-Identifier: MIT */
/*
 * The directories of displif and sndif, in shared memory whose words may be any
 *
 * wp: hdmabuf_list_references bad_reference first_zero take_block take
 * wp: no_fault hdmabuf_gref_take
 * wp: hdmabuf_gref_begin hdmabuf_gref_next entries_here go_on
 * wp: hdmabuf_gref_read hdmabuf_gref_fill are_ascending bits_of
 * wp: hdmabuf_mark are_distinct hdmabuf_gref_unique
 * fault BEYOND_THE_BITMAP lib/core/gref_directory.c s/if (words > 4 /if (words > 8 /
 * fault READ_AGAIN lib/core/gref_directory.c s/if (!references\[entry + i\])/if (!hdmabuf_shared_read(\&word[i]))/
 * fault ANY_BLOCK lib/core/gref_directory.c s/if (!take_block(word + i, references, entry + i))/take_block(word + i, references, entry + i); if (0)/
 * fault CIRCLE lib/core/gref_directory.c s/return hdmabuf_entries_here(walk->count - walk->done,/return hdmabuf_entries_here(walk->count,/
 */
#define HDMABUF_CORE_OCTETS_H
#include "assurance/proof/directory.h"

#include <hdmabuf/gref_directory.h>
#include <hdmabuf/shared.h>

/* Words are cleared for a bitmap. */
/*@ requires \valid((uint64_t *)at + (0 .. octets / 8 - 1));
    assigns ((uint64_t *)at)[0 .. octets / 8 - 1]; */
void octets_clear(void *at, size_t octets);

/* Here, it is words that are copied: what is there may be any numbers. */
/*@ requires \valid(to + (0 .. count - 1)) &&
	\valid_read(from + (0 .. count - 1));
    assigns to[0 .. count - 1]; */
void proof_copy_words(uint32_t *to, const hdmabuf_le32 *from, size_t count);
#define hdmabuf_shared_copy(to, from, octets) \
	proof_copy_words(to, from, (octets) / sizeof(hdmabuf_le32))

/*@
// A page: its first word leads to the next one, 1023 references follow.
predicate is_page(char *page) =
	\valid_read((struct hdmabuf_list_page *)page) &&
	\valid_read((hdmabuf_le32 *)(page + 4) + (0 .. 1022));

predicate is_room(uint32_t *references, integer count) =
	\valid(references + (0 .. count - 1));

predicate is_page_of(char *memory, integer page) =
	is_page(memory + 4096 * page);

predicate are_references(uint32_t *references, integer from, integer to) =
	\forall integer i; from <= i < to ==> references[i] != 0;

predicate is_walk(struct hdmabuf_gref_walk *walk) =
	\valid(walk) && walk->done <= walk->count &&
	is_room(walk->references, walk->count) &&
	\separated(walk, walk->references + (0 .. walk->count - 1));

// A next page is wanted if, and only if, references are left.
predicate goes_on(struct hdmabuf_gref_walk *walk) =
	walk->done < walk->count <==> walk->next != 0;
*/

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == HDMABUF_STATUS_BAD_REFERENCE; */
static uint16_t bad_reference(struct hdmabuf_fault *fault, uint32_t entry,
			      uint32_t value);

/*@ requires \valid(fault);
    assigns *fault; */
static void no_fault(struct hdmabuf_fault *fault);

/*@ requires entry + 31 <= 0xffffffff && \valid(fault);
    requires \valid_read(references + (entry .. entry + 31));
    assigns *fault;
    ensures \result == fault->status == HDMABUF_STATUS_BAD_REFERENCE; */
static uint16_t first_zero(const uint32_t *references, uint32_t entry,
			   struct hdmabuf_fault *fault);

/*@ requires entry + 31 <= 0xffffffff && \valid_read(word + (0 .. 31));
    requires \valid(references + (entry .. entry + 31));
    assigns references[entry .. entry + 31];
    ensures \result ==> are_references(references, entry, entry + 32); */
static bool take_block(const hdmabuf_le32 *word, uint32_t *references,
		       uint32_t entry);

/*@ requires count <= 1023 && is_page((char *)page);
    requires entry + count <= 0xffffffff && \valid(fault);
    requires \valid(references + (entry .. entry + count - 1));
    requires \separated(fault, references + (entry .. entry + count - 1));
    assigns *fault, references[entry .. entry + count - 1];
    ensures \result == 0 ==>
	are_references(references, entry, entry + count);
    ensures \result != 0 ==> \result == fault->status; */
static uint16_t take(const void *page, uint32_t *references, uint32_t count,
		     uint32_t entry, struct hdmabuf_fault *fault);

/*@ requires is_room(references, count) && \valid(fault);
    requires \separated(fault, references + (0 .. count - 1));
    requires \forall integer page; 0 <= page <= (count - 1) / 1023 ==>
	is_page_of((char *)memory, page);
    assigns *fault, references[0 .. count - 1];
    ensures \result == 0 ==> are_references(references, 0, count); */
uint16_t hdmabuf_gref_take(const void *memory, uint32_t *references,
			   uint32_t count, struct hdmabuf_fault *fault);

/*@ requires \valid(walk) && \valid(fault) && \separated(walk, fault);
    assigns *walk, *fault;
    ensures walk->references == references && walk->count == count &&
	walk->done == 0;
    ensures \result == 0 ==> goes_on(walk) && walk->next == directory; */
uint16_t hdmabuf_gref_begin(struct hdmabuf_gref_walk *walk, uint32_t directory,
			    uint32_t *references, uint32_t count,
			    struct hdmabuf_fault *fault);

/*@ requires \valid_read(walk);
    assigns \nothing;
    ensures \result == walk->next; */
uint32_t hdmabuf_gref_next(const struct hdmabuf_gref_walk *walk);

/*@ requires is_walk(walk);
    assigns \nothing;
    ensures \result <= 1023 && \result <= walk->count - walk->done;
    ensures walk->done < walk->count ==> \result >= 1; */
static uint32_t entries_here(const struct hdmabuf_gref_walk *walk);

/*@ requires \valid(walk) && \valid(fault) && \separated(walk, fault);
    requires walk->done + here <= walk->count;
    requires \valid_read((struct hdmabuf_list_page *)page);
    assigns *fault, walk->done, walk->next;
    ensures walk->done == \old(walk->done) + here;
    ensures \result == 0 ==> goes_on(walk); */
static uint16_t go_on(struct hdmabuf_gref_walk *walk, const void *page,
		      uint32_t here, struct hdmabuf_fault *fault);

/*@ requires is_walk(walk) && is_page((char *)page) && \valid(fault);
    requires \separated(fault, walk,
			walk->references + (0 .. walk->count - 1));
    requires are_references(walk->references, 0, walk->done);
    assigns *fault, walk->done, walk->next,
	walk->references[walk->done .. walk->count - 1];
    ensures \result == 0 ==> is_walk(walk) && goes_on(walk) &&
	are_references(walk->references, 0, walk->done);
    ensures \result == 0 && \old(walk->done) < walk->count ==>
	walk->done > \old(walk->done); */
uint16_t hdmabuf_gref_read(struct hdmabuf_gref_walk *walk, const void *page,
			   struct hdmabuf_fault *fault);

/*@ requires is_walk(walk) && is_page((char *)page) && \valid(fault);
    requires \valid((hdmabuf_le32 *)((char *)page + 4) + (0 .. 1022));
    requires \separated(fault, walk,
			walk->references + (0 .. walk->count - 1),
			(hdmabuf_le32 *)((char *)page + 4) + (0 .. 1022));
    assigns *fault, walk->done, walk->next,
	((hdmabuf_le32 *)((char *)page + 4))[0 .. 1022];
    ensures \result == 0 ==> is_walk(walk) && goes_on(walk);
    ensures \result == 0 && \old(walk->done) < walk->count ==>
	walk->done > \old(walk->done); */
uint16_t hdmabuf_gref_fill(struct hdmabuf_gref_walk *walk, void *page,
			   struct hdmabuf_fault *fault);

/*@ requires count <= 0xffffffff && \valid(fault);
    requires \valid_read(runs + (0 .. count - 1)) &&
	\valid(scratch + (0 .. count - 1));
    requires \valid((uint64_t *)scratch + (0 .. 2 * count - 1));
    requires \separated(fault, runs + (0 .. count - 1),
			scratch + (0 .. count - 1));
    requires \separated(fault, runs + (0 .. count - 1),
			(uint64_t *)scratch + (0 .. 2 * count - 1));
    assigns *fault, scratch[0 .. count - 1],
	((uint64_t *)scratch)[0 .. 2 * count - 1]; */
uint16_t hdmabuf_runs_unique(const struct hdmabuf_run *runs, size_t count,
			     struct hdmabuf_run *scratch,
			     struct hdmabuf_fault *fault);

/*@
predicate have_reference_bits(uint32_t *references, integer count,
			      integer bits) =
	\forall integer i; 0 <= i < count ==>
		(references[i] >= 1 ? references[i] - 1 <= bits :
		 bits >= 0xffffffff);
*/

/*@ requires \valid_read(references + (0 .. count - 1));
    assigns \nothing; */
static bool are_ascending(const uint32_t *references, uint32_t count);

/*@ requires \valid_read(references + (0 .. count - 1));
    assigns \nothing;
    ensures have_reference_bits(references, count, \result); */
static uint32_t bits_of(const uint32_t *references, uint32_t count);

/*@ requires \valid_read(references + (0 .. count - 1));
    requires \valid(seen + (0 .. 4 * count - 1));
    requires \separated(references + (0 .. count - 1),
			seen + (0 .. 4 * count - 1));
    assigns seen[0 .. 4 * count - 1]; */
static bool are_distinct(const uint32_t *references, uint32_t count,
			 uint64_t *seen);

/*@ requires \valid_read(references + (0 .. count - 1)) && \valid(fault);
    requires \valid(runs + (0 .. 2 * count - 1));
    requires \valid((uint64_t *)runs + (0 .. 4 * count - 1));
    requires \separated(fault, references + (0 .. count - 1),
			runs + (0 .. 2 * count - 1));
    requires \separated(fault, references + (0 .. count - 1),
			(uint64_t *)runs + (0 .. 4 * count - 1));
    assigns *fault, runs[0 .. 2 * count - 1],
	((uint64_t *)runs)[0 .. 4 * count - 1]; */
uint16_t hdmabuf_gref_unique(const uint32_t *references, uint32_t count,
			     struct hdmabuf_run *runs,
			     struct hdmabuf_fault *fault);

#include "lib/core/gref_directory.c"
