/* SPDX-License-Identifier: MIT */
/*
 * Rings of format 1, in whose slots there may be any words
 *
 * wp: hdmabuf_ring_has_marks hdmabuf_ring_word hdmabuf_ring_copy
 * wp: hdmabuf_ring_look_for hdmabuf_ring_has_request hdmabuf_ring_fetch
 * wp: hdmabuf_ring_take_slot hdmabuf_ring_take_ready hdmabuf_ring_take_marked
 * wp: hdmabuf_ring_take_answer hdmabuf_ring_take_request hdmabuf_ring_fill
 * wp: hdmabuf_ring_put
 * wp: hdmabuf_ring_free_requests hdmabuf_ring_put_request
 * wp: hdmabuf_ring_put_answer hdmabuf_ring_mark_groups hdmabuf_ring_mark
 * wp: hdmabuf_ring_push_requests hdmabuf_ring_push_answers arm_marked
 * wp: hdmabuf_ring_arm_answers hdmabuf_ring_arm_requests
 * fault NO_LIMIT include/hdmabuf/ring.h s/return others < most - consumed ?/return others < most ?/
 * fault ANY_MARK include/hdmabuf/ring.h s/if (others >= HDMABUF_MARK_MAX)/if (0)/
 * fault SECOND_LOOK include/hdmabuf/ring.h s/take_slot(ring, word, message)/take_slot(ring, *hdmabuf_ring_word(\&ring->slot[ring->consumed \& ring->mask]), message)/
 * fault FETCH_FOR_EVER include/hdmabuf/ring.h s/for (; count; count--, first++)/for (; count; first++)/
 * fault NO_ROOM include/hdmabuf/ring.h s/if (!hdmabuf_ring_free_requests(ring))/if (0)/
 * fault NO_REQUEST include/hdmabuf/ring.h s/if (ring->produced == ring->consumed)/if (0)/
 */
#define HDMABUF_RING_FORMATS (1u << HDMABUF_RING_FORMAT_1)
#include "assurance/proof/rings.h"

/*@
predicate is_ring(struct hdmabuf_ring *r) =
	has_slots(r) && \valid(r->events) &&
	\separated(r, r->events, r->slot + (0 .. r->mask));

predicate is_apart(union hdmabuf_message *m, struct hdmabuf_ring *r) =
	\separated(m, r, r->events, r->slot + (0 .. r->mask));

// What was marked and not taken yet lies where there may be messages.
predicate is_within(struct hdmabuf_ring *r, integer most) =
	r->ready <= way(r->consumed, most);

// That stays so, whatever is pushed.
predicate asks_within(struct hdmabuf_ring *r) =
	asks(r) && is_within(r, r->pushed);

predicate answers_within(struct hdmabuf_ring *r) =
	answers(r) && is_within(r, most_requests(r));

// How many more messages a mark counts.
logic integer others(integer word, integer kind) =
	(uint32_t)((uint32_t)((word >> 24) - kind) - 1);

// The message has what is in the word beside the mark.
predicate has_word(union hdmabuf_message *m, integer word) =
	*(hdmabuf_le32 *)&m->octets[4] == (word & HDMABUF_RING_WORD_MASK);
*/

/*@ assigns \nothing;
    ensures \result; */
static inline bool hdmabuf_ring_has_marks(const struct hdmabuf_ring *ring);

/*@ assigns \nothing;
    ensures \result == (hdmabuf_le32 *)&message->octets[4]; */
static inline hdmabuf_le32 *
hdmabuf_ring_word(const union hdmabuf_message *message);

/*@ requires \valid(to) && \valid_read(from) && \separated(to, from);
    assigns *to; */
static inline void hdmabuf_ring_copy(union hdmabuf_message *to,
				     const union hdmabuf_message *from);

/* HDB-BOTH-071: a mark counts no more than there may be. */
/*@ requires is_ring(ring) && \valid(word) &&
	\separated(word, ring, ring->slot + (0 .. ring->mask));
    assigns proof_seen, *word;
    ensures \result == HDMABUF_RING_TAKEN ==> *word == proof_seen &&
	others(*word, kind) < HDMABUF_MARK_MAX &&
	others(*word, kind) < way(ring->consumed, most); */
static inline enum hdmabuf_ring_result
hdmabuf_ring_look_for(const struct hdmabuf_ring *ring, uint32_t kind,
		      uint32_t most, uint32_t *word);

/*@ requires is_ring(ring);
    assigns proof_seen; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_has_request(const struct hdmabuf_ring *ring);

/*@ requires has_slots(ring);
    assigns \nothing; */
static inline void hdmabuf_ring_fetch(const struct hdmabuf_ring *ring,
				      uint32_t first, uint32_t count);

/*@ requires is_ring(ring) && \valid(message) && is_apart(message, ring);
    assigns *message, ring->consumed;
    ensures has_word(message, word);
    ensures ring->consumed == next_index(\old(ring->consumed)); */
static inline void hdmabuf_ring_take_slot(struct hdmabuf_ring *ring,
					  uint32_t word,
					  union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid(message) && is_apart(message, ring);
    requires ring->ready > 0;
    assigns *message, ring->ready, ring->consumed;
    ensures ring->ready == \old(ring->ready) - 1;
    ensures ring->consumed == next_index(\old(ring->consumed)); */
static inline void hdmabuf_ring_take_ready(struct hdmabuf_ring *ring,
					   union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid(message) && is_apart(message, ring);
    requires is_within(ring, most);
    assigns proof_seen, *message, ring->ready, ring->consumed;
    ensures \result == HDMABUF_RING_TAKEN ==> is_within(ring, most) &&
	is_taken(\old(ring->consumed), ring->consumed, most);
    ensures \result == HDMABUF_RING_TAKEN && \old(ring->ready) == 0 ==>
	ring->ready == others(proof_seen, kind) &&
	has_word(message, proof_seen);
    ensures \result != HDMABUF_RING_TAKEN ==>
	ring->consumed == \old(ring->consumed) &&
	ring->ready == \old(ring->ready); */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_marked(struct hdmabuf_ring *ring, uint32_t kind,
			 uint32_t most, union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid(message) && is_apart(message, ring);
    requires is_within(ring, ring->pushed);
    assigns proof_seen, *message, ring->ready, ring->consumed;
    ensures \result == HDMABUF_RING_TAKEN ==>
	is_within(ring, ring->pushed) &&
	is_taken(\old(ring->consumed), ring->consumed, ring->pushed);
    ensures \result != HDMABUF_RING_TAKEN ==>
	ring->consumed == \old(ring->consumed) &&
	ring->ready == \old(ring->ready);
    ensures \old(asks_within(ring)) ==> asks_within(ring); */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_answer(struct hdmabuf_ring *ring,
			 union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid(message) && is_apart(message, ring);
    requires is_within(ring, most_requests(ring));
    assigns proof_seen, *message, ring->ready, ring->consumed;
    ensures \result == HDMABUF_RING_TAKEN ==>
	is_within(ring, most_requests(ring)) &&
	is_taken(\old(ring->consumed), ring->consumed, most_requests(ring));
    ensures \result != HDMABUF_RING_TAKEN ==>
	ring->consumed == \old(ring->consumed) &&
	ring->ready == \old(ring->ready);
    ensures \old(answers_within(ring)) ==> answers_within(ring); */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_request(struct hdmabuf_ring *ring,
			  union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid_read(message) && is_apart(message, ring);
    assigns ring->first, ring->slot[0 .. ring->mask]; */
static inline void hdmabuf_ring_fill(struct hdmabuf_ring *ring, uint32_t index,
				     const union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid_read(message) && is_apart(message, ring);
    assigns ring->produced, ring->first, ring->slot[0 .. ring->mask];
    ensures ring->produced == next_index(\old(ring->produced)); */
static inline void hdmabuf_ring_put(struct hdmabuf_ring *ring,
				    const union hdmabuf_message *message);

/*@ requires is_ring(ring);
    assigns \nothing;
    ensures \result == way(way(ring->consumed, ring->produced), ring->slots); */
static inline uint32_t
hdmabuf_ring_free_requests(const struct hdmabuf_ring *ring);

/*@ requires is_ring(ring) && \valid_read(message) && is_apart(message, ring);
    assigns ring->produced, ring->first, ring->slot[0 .. ring->mask];
    ensures \old(asks_within(ring)) ==> asks_within(ring); */
static inline bool
hdmabuf_ring_put_request(struct hdmabuf_ring *ring,
			 const union hdmabuf_message *message);

/*@ requires is_ring(ring) && \valid_read(message) && is_apart(message, ring);
    assigns ring->produced, ring->first, ring->slot[0 .. ring->mask];
    ensures \old(answers_within(ring)) ==> answers_within(ring); */
static inline bool
hdmabuf_ring_put_answer(struct hdmabuf_ring *ring,
			const union hdmabuf_message *message);

/*@ requires is_ring(ring);
    assigns ring->slot[0 .. ring->mask]; */
void hdmabuf_ring_mark_groups(struct hdmabuf_ring *ring, uint32_t kind);

/*@ requires is_ring(ring) && \valid_read(event);
    assigns ring->pushed, ring->slot[0 .. ring->mask];
    ensures ring->pushed == ring->produced; */
static inline bool hdmabuf_ring_mark(struct hdmabuf_ring *ring, uint32_t kind,
				     const hdmabuf_le32 *event);

/*@ requires is_ring(ring);
    assigns ring->pushed, ring->slot[0 .. ring->mask];
    ensures \old(asks_within(ring)) ==> asks_within(ring); */
static inline bool hdmabuf_ring_push_requests(struct hdmabuf_ring *ring);

/*@ requires is_ring(ring);
    assigns ring->pushed, ring->slot[0 .. ring->mask];
    ensures \old(answers_within(ring)) ==> answers_within(ring); */
static inline bool hdmabuf_ring_push_answers(struct hdmabuf_ring *ring);

/*@ requires is_ring(ring) && \valid(event) &&
	\separated(event, ring, ring->slot + (0 .. ring->mask));
    assigns proof_seen, *event; */
static bool arm_marked(const struct hdmabuf_ring *ring, hdmabuf_le32 *event,
		       uint32_t count, uint32_t kind, uint32_t most);

/*@ requires is_ring(ring);
    assigns proof_seen, ring->events->rsp_event; */
bool hdmabuf_ring_arm_answers(struct hdmabuf_ring *ring, uint32_t count);

/*@ requires is_ring(ring);
    assigns proof_seen, ring->events->req_event; */
bool hdmabuf_ring_arm_requests(struct hdmabuf_ring *ring);

/* What is for rings with indices is not called. */
/*@ requires \false;
    assigns \nothing; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_look(const hdmabuf_le32 *index, uint32_t consumed, uint32_t most);

/*@ requires \false;
    assigns \nothing; */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take(struct hdmabuf_ring *ring, const hdmabuf_le32 *index,
		  uint32_t most, union hdmabuf_message *message);

/*@ requires \false;
    assigns \nothing; */
static inline bool hdmabuf_ring_push(struct hdmabuf_ring *ring,
				     hdmabuf_le32 *index,
				     const hdmabuf_le32 *event);

/*@ requires \false;
    assigns \nothing; */
static bool arm(const struct hdmabuf_ring *ring, hdmabuf_le32 *event,
		uint32_t count, const hdmabuf_le32 *index);

#include "lib/core/ring.c"
