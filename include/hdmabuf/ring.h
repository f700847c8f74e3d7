/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the request and answer rings (ring format 0)
 *
 * Each end has one struct hdmabuf_ring for its own ring, as requester, and one
 * for the other's, as responder.  Nothing here allocates, blocks or knows how to
 * notify: a function that makes messages visible tells whether the other end
 * wants a notification, and the caller sends it.
 */
#ifndef HDMABUF_RING_H
#define HDMABUF_RING_H

#include <stdbool.h>

#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_ring - one end's private view of a ring
 * @shared: the ring in shared memory
 * @slots: number of slots, a power of two
 * @produced: messages this end has put into slots
 * @pushed: how many of them the other end can see
 * @consumed: messages this end has taken
 *
 * The members are the ring's own; callers use the functions below.
 */
struct hdmabuf_ring {
	void *shared;
	uint32_t slots;
	uint32_t produced;
	uint32_t pushed;
	uint32_t consumed;
};

/**
 * hdmabuf_ring_format() - prepare the shared memory of a ring
 * @shared: the ring's pages, mapped contiguously
 * @octets: their size, a power of two of at least one page
 *
 * To be called by the frontend, for both rings, before the channel is
 * published.  Follows HDB-FE-004.
 */
void hdmabuf_ring_format(void *shared, size_t octets);

/**
 * hdmabuf_ring_init() - prepare an end's view of a ring
 * @ring: to be filled
 * @shared: the ring's pages, mapped contiguously; must outlive @ring
 * @octets: their size, a power of two of at least one page
 */
void hdmabuf_ring_init(struct hdmabuf_ring *ring, void *shared, size_t octets);

/**
 * hdmabuf_ring_free_requests() - how many more requests fit
 * @ring: the end's own ring
 *
 * Return: 0 to the number of slots
 */
uint32_t hdmabuf_ring_free_requests(const struct hdmabuf_ring *ring);

/**
 * hdmabuf_ring_put_request() - put a request into the ring, not yet visible
 * @ring: the end's own ring
 * @message: is copied
 *
 * Return: false if the ring is full
 */
bool hdmabuf_ring_put_request(struct hdmabuf_ring *ring,
			      const union hdmabuf_message *message);

/**
 * hdmabuf_ring_push_requests() - make all requests visible at once
 * @ring: the end's own ring
 *
 * Follows HDB-BOTH-013.
 *
 * Return: true if the other end wants to be notified
 */
bool hdmabuf_ring_push_requests(struct hdmabuf_ring *ring);

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
 * hdmabuf_ring_take_answer() - copy the next answer out of the end's own ring
 * @ring: the end's own ring
 * @message: receives the only copy that is made
 *
 * Return: what was found
 */
enum hdmabuf_ring_result hdmabuf_ring_take_answer(struct hdmabuf_ring *ring,
						  union hdmabuf_message *message);

/**
 * hdmabuf_ring_take_request() - copy the next request out of the other's ring
 * @ring: the other end's ring
 * @message: receives the only copy that is made
 *
 * A responder that has taken as many requests as there are slots and answered
 * none finds the ring empty.
 *
 * Return: what was found
 */
enum hdmabuf_ring_result
hdmabuf_ring_take_request(struct hdmabuf_ring *ring,
			  union hdmabuf_message *message);

/**
 * hdmabuf_ring_has_request() - look whether take_request would find something
 * @ring: the other end's ring
 *
 * Return: what would be found, without taking it
 */
enum hdmabuf_ring_result
hdmabuf_ring_has_request(const struct hdmabuf_ring *ring);

/**
 * hdmabuf_ring_put_answer() - put an answer into the ring, not yet visible
 * @ring: the other end's ring
 * @message: is copied
 *
 * There is always room for the answer to a request that was taken.
 *
 * Return: false if no request is waiting for an answer: an error of the caller
 */
bool hdmabuf_ring_put_answer(struct hdmabuf_ring *ring,
			     const union hdmabuf_message *message);

/**
 * hdmabuf_ring_push_answers() - make all answers visible at once
 * @ring: the other end's ring
 *
 * Return: true if the other end wants to be notified
 */
bool hdmabuf_ring_push_answers(struct hdmabuf_ring *ring);

/**
 * hdmabuf_ring_arm_answers() - ask to be notified of further answers
 * @ring: the end's own ring
 * @count: of how many more, at least 1; 1 wakes at the next
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
