/* SPDX-License-Identifier: MIT */
/*
 * rings.h - what is the same of rings of both formats, where they are proved
 */
#ifndef HDMABUF_ASSURANCE_RINGS_H
#define HDMABUF_ASSURANCE_RINGS_H

#include "assurance/proof/proof.h"
#include "assurance/proof/wraps.h"

#define __builtin_prefetch(address) ((void)(address))

#include <hdmabuf/ring.h>

/*@
// How far it is from an index to another.
logic integer way(integer from, integer to) = (uint32_t)(to - from);

logic integer next_index(integer index) = (uint32_t)(index + 1);

// What is taken for granted of masked numbers. The provers see operands in the order
// of their names: there is an axiom for either.
axiomatic Masks {
	axiom masked: \forall integer mask, number;
		mask >= 0 && number >= 0 ==> 0 <= (number & mask) <= mask;
	axiom masked_as_well: \forall integer index, mask;
		mask >= 0 && index >= 0 ==> 0 <= (index & mask) <= mask;
}

predicate has_slots(struct hdmabuf_ring *r) =
	\valid(r) && \valid(r->slot + (0 .. r->mask)) &&
	\separated(r, r->slot + (0 .. r->mask));

// One message was there, and only one was taken.
predicate is_taken(integer before, integer after, integer most) =
	way(before, most) > 0 && after == next_index(before);

// The greatest index that a request may have.
logic integer most_requests(struct hdmabuf_ring *r) =
	(uint32_t)(r->pushed + r->slots);

predicate has_mask(struct hdmabuf_ring *r) =
	r->slots == r->mask + 1 && r->slots <= 0x10000000;

// In an end's own ring, answers were taken to requests that were pushed, which were put;
// and no more requests than slots have no answer.
predicate asks(struct hdmabuf_ring *r) =
	has_mask(r) && way(r->consumed, r->pushed) <=
		way(r->consumed, r->produced) <= r->slots;

// In the other's, answers were put to requests that were taken; and no more of these than
// slots have no answer that was pushed.
predicate answers(struct hdmabuf_ring *r) =
	has_mask(r) && way(r->pushed, r->produced) <=
		way(r->pushed, r->consumed) <= r->slots;
*/

#endif
