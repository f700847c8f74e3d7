/* SPDX-License-Identifier: MIT */
/*
 * Rings of format 0, whose indices may be any
 *
 * wp: hdmabuf_ring_has_marks hdmabuf_ring_look hdmabuf_ring_has_request
 * wp: hdmabuf_ring_take hdmabuf_ring_take_answer hdmabuf_ring_take_request
 * wp: hdmabuf_ring_put hdmabuf_ring_free_requests hdmabuf_ring_put_request
 * wp: hdmabuf_ring_put_answer hdmabuf_ring_push hdmabuf_ring_push_requests
 * wp: hdmabuf_ring_push_answers arm hdmabuf_ring_arm_answers
 * wp: hdmabuf_ring_arm_requests
 * fault NO_LIMIT include/hdmabuf/ring.h s/most - produced < most - consumed/produced != consumed/
 * fault NO_MASK include/hdmabuf/ring.h s/shared_copy(message, &ring->slot\[consumed & ring->mask\]/shared_copy(message, \&ring->slot[consumed]/
 * fault TAKEN_TWICE include/hdmabuf/ring.h s/ring->consumed = consumed + 1;/ring->consumed = consumed;/
 * fault NO_ROOM include/hdmabuf/ring.h s/if (!hdmabuf_ring_free_requests(ring))/if (0)/
 * fault NO_REQUEST include/hdmabuf/ring.h s/if (ring->produced == ring->consumed)/if (0)/
 */
#define HDMABUF_RING_FORMATS (1u << HDMABUF_RING_FORMAT_0)
#include "assurance/proof/rings.h"

/*@
predicate is_ring(struct hdmabuf_ring *r) =
	has_slots(r) && \valid(r->indices) &&
	\separated(r, r->indices, r->slot + (0 .. r->mask));

predicate is_apart(union hdmabuf_message *m, struct hdmabuf_ring *r) =
	\separated(m, r, r->indices, r->slot + (0 .. r->mask));
*/

/*@ assigns \nothing;
    ensures !\result; */
static inline bool hdmabuf_ring_has_marks(const struct hdmabuf_ring *ring);

/* HDB-BOTH-010: nothing is taken that lies beyond @most. */
/*@ requires \valid_read(index);
    assigns proof_seen;
    ensures \result == HDMABUF_RING_TAKEN ==>
	way(proof_seen, most) < way(consumed, most);
    ensures \result == HDMABUF_RING_EMPTY ==> proof_seen == consumed; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_look(const hdmabuf_le32 *index, uint32_t consumed, uint32_t most);

/*@ requires is_ring(ring);
    assigns proof_seen; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_has_request(const struct hdmabuf_ring *ring);

/*@ requires is_ring(ring) && \valid_read(index) && \separated(ring, index);
    requires \valid(message) && is_apart(message, ring) &&
	\separated(message, index);
    assigns proof_seen, ring->consumed, *message;
    ensures \result == HDMABUF_RING_TAKEN ==>
	is_taken(\old(ring->consumed), ring->consumed, most);
    ensures \result != HDMABUF_RING_TAKEN ==>
	ring->consumed == \old(ring->consumed); */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take(struct hdmabuf_ring *ring, const hdmabuf_le32 *index,
		  uint32_t most, union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid(message) && is_apart(message, ring);
    assigns proof_seen, ring->consumed, *message;
    ensures \result == HDMABUF_RING_TAKEN ==>
	is_taken(\old(ring->consumed), ring->consumed, ring->pushed);
    ensures \old(asks(ring)) ==> asks(ring); */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_answer(struct hdmabuf_ring *ring,
			 union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid(message) && is_apart(message, ring);
    assigns proof_seen, ring->consumed, *message;
    ensures \result == HDMABUF_RING_TAKEN ==>
	is_taken(\old(ring->consumed), ring->consumed, most_requests(ring));
    ensures \old(answers(ring)) ==> answers(ring); */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_request(struct hdmabuf_ring *ring,
			  union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid_read(message) && is_apart(message, ring);
    assigns ring->produced, ring->slot[0 .. ring->mask];
    ensures ring->produced == next_index(\old(ring->produced)); */
static inline void hdmabuf_ring_put(struct hdmabuf_ring *ring,
				    const union hdmabuf_message *message);

/*@ requires is_ring(ring);
    assigns \nothing;
    ensures \result == way(way(ring->consumed, ring->produced), ring->slots); */
static inline uint32_t
hdmabuf_ring_free_requests(const struct hdmabuf_ring *ring);

/*@ requires is_ring(ring) && \valid_read(message) && is_apart(message, ring);
    assigns ring->produced, ring->slot[0 .. ring->mask];
    ensures \old(asks(ring)) ==> asks(ring); */
static inline bool
hdmabuf_ring_put_request(struct hdmabuf_ring *ring,
			 const union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid_read(message) && is_apart(message, ring);
    assigns ring->produced, ring->slot[0 .. ring->mask];
    ensures \old(answers(ring)) ==> answers(ring); */
static inline bool
hdmabuf_ring_put_answer(struct hdmabuf_ring *ring,
			const union hdmabuf_message *message);

/*@ requires \valid(ring) && \valid(index) && \valid_read(event);
    requires \separated(ring, index, event);
    assigns ring->pushed, *index;
    ensures ring->pushed == ring->produced; */
static inline bool hdmabuf_ring_push(struct hdmabuf_ring *ring,
				     hdmabuf_le32 *index,
				     const hdmabuf_le32 *event);

/*@ requires is_ring(ring);
    assigns ring->pushed, ring->indices->req_prod;
    ensures \old(asks(ring)) ==> asks(ring); */
static inline bool hdmabuf_ring_push_requests(struct hdmabuf_ring *ring);

/*@ requires is_ring(ring);
    assigns ring->pushed, ring->indices->rsp_prod;
    ensures \old(answers(ring)) ==> answers(ring); */
static inline bool hdmabuf_ring_push_answers(struct hdmabuf_ring *ring);

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

/* What is for rings with marks is not called. */
/*@ requires \false;
    assigns \nothing; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_look_for(const struct hdmabuf_ring *ring, uint32_t kind,
		      uint32_t most, uint32_t *word);

/*@ requires \false;
    assigns \nothing; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_marked(struct hdmabuf_ring *ring, uint32_t kind,
			 uint32_t most, union hdmabuf_message *message);

/*@ requires \false;
    assigns \nothing; */
static inline void hdmabuf_ring_fill(struct hdmabuf_ring *ring, uint32_t index,
				     const union hdmabuf_message *message);

/*@ requires \false;
    assigns \nothing; */
static inline bool hdmabuf_ring_mark(struct hdmabuf_ring *ring, uint32_t kind,
				     const hdmabuf_le32 *event);

/*@ requires \false;
    assigns \nothing; */
static bool arm_marked(const struct hdmabuf_ring *ring, hdmabuf_le32 *event,
		       uint32_t count, uint32_t kind, uint32_t most);

#include "lib/core/ring.c"
