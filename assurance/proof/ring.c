/* SPDX-License-Identifier: MIT */
/*
 * What is found in a ring of format 0, whose indices may be any; messages.c takes it,
 * and from rings of format 1
 *
 * wp: hdmabuf_ring_look hdmabuf_ring_has_request arm
 * wp: hdmabuf_ring_arm_answers hdmabuf_ring_arm_requests
 * fault NO_LIMIT include/hdmabuf/ring.h s/most - produced < most - consumed/produced != consumed/
 */
#include "assurance/proof/proof.h"

#define HDMABUF_RING_FORMATS (1u << HDMABUF_RING_FORMAT_0)
#include <hdmabuf/ring.h>

/*@
// How far it is from an index to another, modulo 2^32.
logic integer way(integer from, integer to) =
	to >= from ? to - from : to - from + 0x100000000;

predicate is_ring(struct hdmabuf_ring *r) =
	\valid(r) && \valid(r->indices) && \separated(r, r->indices);
*/

/* HDB-BOTH-010: nothing is taken that lies beyond @most. */
/*@ requires \valid_read(index);
    assigns \nothing;
    ensures \result == HDMABUF_RING_TAKEN ==> way(consumed, most) > 0; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_look(const hdmabuf_le32 *index, uint32_t consumed, uint32_t most);

/*@ requires is_ring(ring);
    assigns \nothing; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_has_request(const struct hdmabuf_ring *ring);

/*@ requires \valid_read(ring) && \valid(event) && \valid_read(index);
    assigns *event; */
static bool arm(const struct hdmabuf_ring *ring, hdmabuf_le32 *event,
		uint32_t count, const hdmabuf_le32 *index);

/*@ requires is_ring(ring);
    assigns ring->indices->rsp_event; */
bool hdmabuf_ring_arm_answers(struct hdmabuf_ring *ring, uint32_t count);

/*@ requires is_ring(ring);
    assigns ring->indices->req_event; */
bool hdmabuf_ring_arm_requests(struct hdmabuf_ring *ring);

#include "lib/core/ring.c"
