/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the request and answer rings (ring format 0)
 *
 * Each end has one struct hdmabuf_ring for its own ring, as requester, and one
 * for the other's, as responder.  Nothing here allocates, blocks or knows how to
 * notify: a function that makes messages visible tells whether the other end
 * wants a notification, and the caller sends it.
 *
 * What every message passes through is inline: a call would cost as much as what it
 * does.
 */
#ifndef HDMABUF_RING_H
#define HDMABUF_RING_H

#include <hdmabuf/shared.h>
#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_ring - one end's private view of a ring
 * @indices: in shared memory
 * @slot: the first of the slots, in shared memory
 * @mask: number of slots, a power of two, less one
 * @slots: number of slots
 * @produced: messages this end has put into slots
 * @consumed: messages this end has taken
 * @pushed: how many of those produced the other end can see
 *
 * The members are the ring's own; callers use the functions below.
 */
struct hdmabuf_ring {
	struct hdmabuf_ring_indices *indices;
	union hdmabuf_message *slot;
	uint32_t mask;
	uint32_t slots;
	uint32_t produced;
	uint32_t consumed;
	uint32_t pushed;
};

/**
 * enum hdmabuf_ring_result - what was found in a ring
 * @HDMABUF_RING_EMPTY: nothing
 * @HDMABUF_RING_TAKEN: a message
 * @HDMABUF_RING_BROKEN: indices that cannot be; the session is over
 *	(HDB-BOTH-010)
 */
enum hdmabuf_ring_result {
	HDMABUF_RING_EMPTY = 0,
	HDMABUF_RING_TAKEN = 1,
	HDMABUF_RING_BROKEN = 2
};

/**
 * hdmabuf_ring_format() - prepare the shared memory of a ring
 * @shared: the ring's pages, mapped contiguously; are cleared
 * @octets: their size, a power of two of at least one page
 * @start: where the indices begin, as in the channel page
 *
 * To be called by the frontend, for both rings, before the channel is
 * published.  Follows HDB-FE-004.
 */
void hdmabuf_ring_format(void *shared, size_t octets, uint32_t start);

/**
 * hdmabuf_ring_init() - prepare an end's view of a ring
 * @ring: to be filled
 * @shared: the ring's pages, mapped contiguously; must outlive @ring
 * @octets: their size, a power of two of at least one page
 * @start: where the indices begin, as in the channel page
 *
 * Follows HDB-BOTH-068: what the ring says does not count.
 */
void hdmabuf_ring_init(struct hdmabuf_ring *ring, void *shared, size_t octets,
		       uint32_t start);

/**
 * hdmabuf_ring_put() - copy a message into the next slot, not yet visible
 * @ring: with room for it, see *hdmabuf_ring_put_request()* and
 *	*hdmabuf_ring_put_answer()*
 * @message: is copied
 *
 * Follows HDB-BOTH-007: the slot is that of a private index, whatever the ring
 * says.
 */
static inline void hdmabuf_ring_put(struct hdmabuf_ring *ring,
				    const union hdmabuf_message *message)
{
	uint32_t index = ring->produced;

	/*
	 * Plain stores: the index that shows the slot is released after them, and
	 * whoever had the slot is done with it.  A requester has taken the answer
	 * that was in it, by an acquire; a responder has copied the request out.
	 */
	ring->slot[index & ring->mask] = *message;
	ring->produced = index + 1;
}

/**
 * hdmabuf_ring_push() - make all messages visible at once
 * @ring: with or without messages that are not visible yet
 * @index: the end's producer index
 * @event: the event field beside it
 *
 * Follows HDB-BOTH-013.  The release keeps the messages before the index that shows
 * them.  The full barrier keeps the index before the reading of the event; as the
 * consumer does the same the other way round (HDB-BOTH-014), at least one of the
 * two sees what the other has written.
 *
 * Return: true if the other end wants to be notified
 */
static inline bool hdmabuf_ring_push(struct hdmabuf_ring *ring,
				     hdmabuf_le32 *index,
				     const hdmabuf_le32 *event)
{
	uint32_t produced = ring->produced;
	uint32_t count = produced - ring->pushed;

	if (!count)
		return false;
	ring->pushed = produced;
	hdmabuf_shared_write_release(index, produced);
	hdmabuf_shared_barrier();
	return produced - hdmabuf_shared_read(event) < count;
}

/**
 * hdmabuf_ring_look() - look whether the other end has a message ready
 * @index: the other end's producer index
 * @consumed: messages that were taken
 * @most: the greatest index that there may be
 *
 * Follows HDB-BOTH-010: an index that went back is too far ahead as well.  The
 * acquire is the read barrier of HDB-BOTH-009, before any slot is read.
 *
 * Return: what was found
 */
static inline enum hdmabuf_ring_result
hdmabuf_ring_look(const hdmabuf_le32 *index, uint32_t consumed, uint32_t most)
{
	uint32_t produced = hdmabuf_shared_read_acquire(index);

	/* It lies behind what was taken, and not beyond @most. */
	if (most - produced < most - consumed)
		return HDMABUF_RING_TAKEN;
	return produced == consumed ? HDMABUF_RING_EMPTY : HDMABUF_RING_BROKEN;
}

/**
 * hdmabuf_ring_take() - copy the next message out of its slot
 * @ring: either
 * @index: the other end's producer index
 * @most: the greatest index that there may be
 * @message: receives the only copy that is made
 *
 * Return: what was found
 */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take(struct hdmabuf_ring *ring, const hdmabuf_le32 *index,
		  uint32_t most, union hdmabuf_message *message)
{
	uint32_t consumed = ring->consumed;
	enum hdmabuf_ring_result found;

	found = hdmabuf_ring_look(index, consumed, most);
	if (found != HDMABUF_RING_TAKEN)
		return found;
	/*
	 * Plain loads, after the acquire of look().  The slot is given back by the
	 * release of an index, which comes after them: that of the answer, or that of a
	 * request which takes its place.
	 */
	hdmabuf_shared_copy(message, &ring->slot[consumed & ring->mask],
			    sizeof(*message));
	ring->consumed = consumed + 1;
	return HDMABUF_RING_TAKEN;
}

/**
 * hdmabuf_ring_free_requests() - how many more requests fit
 * @ring: the end's own ring
 *
 * Return: 0 to the number of slots
 */
static inline uint32_t
hdmabuf_ring_free_requests(const struct hdmabuf_ring *ring)
{
	return ring->slots - (ring->produced - ring->consumed);
}

/**
 * hdmabuf_ring_put_request() - put a request into the ring, not yet visible
 * @ring: the end's own ring
 * @message: is copied
 *
 * Return: false if the ring is full
 */
static inline bool
hdmabuf_ring_put_request(struct hdmabuf_ring *ring,
			 const union hdmabuf_message *message)
{
	if (!hdmabuf_ring_free_requests(ring))
		return false;
	hdmabuf_ring_put(ring, message);
	return true;
}

/**
 * hdmabuf_ring_push_requests() - make all requests visible at once
 * @ring: the end's own ring
 *
 * Follows HDB-BOTH-013.
 *
 * Return: true if the other end wants to be notified
 */
static inline bool hdmabuf_ring_push_requests(struct hdmabuf_ring *ring)
{
	return hdmabuf_ring_push(ring, &ring->indices->req_prod,
				 &ring->indices->req_event);
}

/**
 * hdmabuf_ring_take_answer() - copy the next answer out of the end's own ring
 * @ring: the end's own ring
 * @message: receives the only copy that is made
 *
 * There is no answer but to a request that the other end could see.
 *
 * Return: what was found
 */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_answer(struct hdmabuf_ring *ring,
			 union hdmabuf_message *message)
{
	return hdmabuf_ring_take(ring, &ring->indices->rsp_prod, ring->pushed,
				 message);
}

/**
 * hdmabuf_ring_take_request() - copy the next request out of the other's ring
 * @ring: the other end's ring
 * @message: receives the only copy that is made
 *
 * An answer that the other end cannot see yet makes no room for a request: a
 * responder that has taken as many requests as there are slots and answered none
 * finds the ring empty.
 *
 * Return: what was found
 */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_request(struct hdmabuf_ring *ring,
			  union hdmabuf_message *message)
{
	return hdmabuf_ring_take(ring, &ring->indices->req_prod,
				 ring->pushed + ring->slots, message);
}

/**
 * hdmabuf_ring_has_request() - look whether take_request would find something
 * @ring: the other end's ring
 *
 * Return: what would be found, without taking it
 */
static inline enum hdmabuf_ring_result
hdmabuf_ring_has_request(const struct hdmabuf_ring *ring)
{
	return hdmabuf_ring_look(&ring->indices->req_prod, ring->consumed,
				 ring->pushed + ring->slots);
}

/**
 * hdmabuf_ring_put_answer() - put an answer into the ring, not yet visible
 * @ring: the other end's ring
 * @message: is copied
 *
 * There is always room for the answer to a request that was taken.
 *
 * Return: false if no request is waiting for an answer: an error of the caller
 */
static inline bool hdmabuf_ring_put_answer(struct hdmabuf_ring *ring,
					   const union hdmabuf_message *message)
{
	if (ring->produced == ring->consumed)
		return false;
	hdmabuf_ring_put(ring, message);
	return true;
}

/**
 * hdmabuf_ring_push_answers() - make all answers visible at once
 * @ring: the other end's ring
 *
 * Follows HDB-BOTH-013.
 *
 * Return: true if the other end wants to be notified
 */
static inline bool hdmabuf_ring_push_answers(struct hdmabuf_ring *ring)
{
	return hdmabuf_ring_push(ring, &ring->indices->rsp_prod,
				 &ring->indices->rsp_event);
}

/**
 * hdmabuf_ring_arm_answers() - ask to be notified of further answers
 * @ring: the end's own ring
 * @count: of how many more than were taken, at least 1; 1 wakes at the next
 *
 * Follows HDB-BOTH-014.
 *
 * Return: true if answers are already there: do not sleep, take them first
 */
bool hdmabuf_ring_arm_answers(struct hdmabuf_ring *ring, uint32_t count);

/**
 * hdmabuf_ring_arm_requests() - ask to be notified of the next request
 * @ring: the other end's ring
 *
 * Follows HDB-BOTH-014.
 *
 * Return: true if a request is already there: do not sleep, take it first
 */
bool hdmabuf_ring_arm_requests(struct hdmabuf_ring *ring);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_RING_H */
