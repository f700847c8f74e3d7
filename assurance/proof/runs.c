/* SPDX-License-Identifier: MIT */
/*
 * The search for pages that come twice, of which a peer chooses the order
 *
 * wp: overlaps is_ascending sift sort has_page second_page
 * wp: find_overlap hdmabuf_runs_unique
 * fault BELOW_THE_HEAP lib/core/runs.c s/if (child + 1 < count)/if (child + 1 <= count)/
 * fault SIFT_FOR_EVER lib/core/runs.c s/size_t child = 2 \* at + 1;/size_t child = at;/
 */
#define HDMABUF_CORE_OCTETS_H
#include "assurance/proof/proof.h"

#include <hdmabuf/directory.h>

/* Here, it is runs that are copied. */
/*@ requires \valid(to + (0 .. count - 1)) && \valid_read(from + (0 .. count - 1));
    requires \separated(to + (0 .. count - 1), from + (0 .. count - 1));
    assigns to[0 .. count - 1] \from from[0 .. count - 1]; */
void proof_copy_runs(struct hdmabuf_run *to, const struct hdmabuf_run *from,
		     size_t count);
#define octets_copy(to, from, octets) \
	proof_copy_runs(to, from, (octets) / sizeof(struct hdmabuf_run))

/*@
// Each run begins behind the one before it.
predicate ascend(struct hdmabuf_run *run, integer count) =
	\forall integer i; 1 <= i < count ==>
		run[i].reference >= run[i - 1].reference + run[i - 1].count;
*/

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == status; */
uint16_t hdmabuf_fault_set(struct hdmabuf_fault *fault, uint16_t status,
			   uint32_t where, uint64_t offset, uint64_t value);

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
    requires \separated(fault, runs + (0 .. count - 1),
			scratch + (0 .. count - 1));
    assigns *fault, scratch[0 .. count - 1]; */
static uint16_t find_overlap(const struct hdmabuf_run *runs, size_t count,
			     struct hdmabuf_run *scratch,
			     struct hdmabuf_fault *fault);

/*@ requires count <= 0xffffffff && \valid(fault);
    requires \valid_read(runs + (0 .. count - 1)) &&
	\valid(scratch + (0 .. count - 1));
    requires \separated(fault, runs + (0 .. count - 1),
			scratch + (0 .. count - 1));
    assigns *fault, scratch[0 .. count - 1]; */
uint16_t hdmabuf_runs_unique(const struct hdmabuf_run *runs, size_t count,
			     struct hdmabuf_run *scratch,
			     struct hdmabuf_fault *fault);

#include "lib/core/runs.c"
