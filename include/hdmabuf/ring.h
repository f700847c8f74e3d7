/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the request and answer rings
 *
 * Each end has one struct hdmabuf_ring for its own ring, as requester, and one
 * for the other's, as responder.  Nothing here allocates, blocks or knows how to
 * notify: a function that makes messages visible tells whether the other end
 * wants a notification, and the caller sends it.
 *
 * What every message passes through is inline: a call would cost as much as what it
 * does.
 *
 * Which format a ring has is decided when it is initialised.  Who speaks one only
 * defines ``HDMABUF_RING_FORMATS`` before this file is included, and nothing is
 * decided at run time.
 */
#ifndef HDMABUF_RING_H
#define HDMABUF_RING_H

#include <hdmabuf/shared.h>
#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/** define HDMABUF_RING_MARK_SHIFT - where the mark is in the word that has it */
#define HDMABUF_RING_MARK_SHIFT 24
/** define HDMABUF_RING_WORD_MASK - the rest of that word */
#define HDMABUF_RING_WORD_MASK 0xffffffu
/** define HDMABUF_RING_AHEAD - so many slots ahead, a batch is fetched */
#define HDMABUF_RING_AHEAD 4

/**
 * define HDMABUF_RING_FORMATS - the ring formats that the functions here know
 *
 * Bit n stands for format n, as in the offer.
 */
#ifndef HDMABUF_RING_FORMATS
#define HDMABUF_RING_FORMATS \
	(1u << HDMABUF_RING_FORMAT_0 | 1u << HDMABUF_RING_FORMAT_1)
#endif

/**
 * struct hdmabuf_ring - one end's private view of a ring
 * @indices: in shared memory, of a ring of format 0
 * @slot: the first of the slots, in shared memory
 * @mask: number of slots, a power of two, less one
 * @slots: number of slots
 * @produced: messages this end has put into slots
 * @consumed: messages this end has taken
 * @pushed: how many of those produced the other end can see
 * @ready: messages that the last mark counts and that were not taken yet
 * @format: of the ring
 * @events: in shared memory, of a ring of format 1
 * @first: in a ring of format 1, the first message that the other end cannot see yet
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
	uint32_t ready;
	uint32_t format;
	struct hdmabuf_ring_events *events;
	union hdmabuf_message first;
};

/**
 * enum hdmabuf_ring_result - what was found in a ring
 * @HDMABUF_RING_EMPTY: nothing
 * @HDMABUF_RING_TAKEN: a message
 * @HDMABUF_RING_BROKEN: an index or a mark that cannot be; the session is over
 *	(HDB-BOTH-010, HDB-BOTH-071)
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
 * @format: ``HDMABUF_RING_FORMAT_0`` or ``HDMABUF_RING_FORMAT_1``
 * @start: where the indices begin, as in the channel page
 *
 * To be called by the frontend, for both rings, before the channel is
 * published.  Follows HDB-FE-004.
 */
void hdmabuf_ring_format(void *shared, size_t octets, uint32_t format,
			 uint32_t start);

/**
 * hdmabuf_ring_init() - prepare an end's view of a ring
 * @ring: to be filled
 * @shared: the ring's pages, mapped contiguously; must outlive @ring
 * @octets: their size, a power of two of at least one page
 * @format: as in the channel page, one of ``HDMABUF_RING_FORMATS``
 * @start: where the indices begin, as in the channel page
 *
 * Follows HDB-BOTH-068: what the ring says does not count.
 */
void hdmabuf_ring_init(struct hdmabuf_ring *ring, void *shared, size_t octets,
		       uint32_t format, uint32_t start);

/**
 * hdmabuf_ring_has_marks() - tell the format of a ring
 * @ring: either
 *
 * Return: true for format 1, false for format 0
 */
static inline bool hdmabuf_ring_has_marks(const struct hdmabuf_ring *ring)
{
	if (HDMABUF_RING_FORMATS == 1u << HDMABUF_RING_FORMAT_0)
		return false;
	return HDMABUF_RING_FORMATS == 1u << HDMABUF_RING_FORMAT_1 ||
	       ring->format == HDMABUF_RING_FORMAT_1;
}

/**
 * hdmabuf_ring_word() - the octets of a message that have the mark
 * @message: in a slot, or not
 *
 * Return: octets 4 to 7
 */
static inline hdmabuf_le32 *
hdmabuf_ring_word(const union hdmabuf_message *message)
{
	return (hdmabuf_le32 *)&message->octets[4];
}

/**
 * hdmabuf_ring_copy() - copy all of a message but the word that has the mark
 * @to: receives octets 0 to 3, and all from octet 8
 * @from: is copied, once
 *
 * The first octets are written piece by piece, as a rule, and are read likewise here;
 * and who writes an answer has just copied the request.  A processor that has to put
 * together what it reads from several writes waits until all of them are done, those
 * into slots too.
 */
static inline void hdmabuf_ring_copy(union hdmabuf_message *to,
				     const union hdmabuf_message *from)
{
	to->header.id = from->header.id;
	hdmabuf_shared_copy(&to->octets[8], &from->octets[8], sizeof(*to) - 8);
}

/**
 * hdmabuf_ring_fill() - copy a message into a slot of a ring with marks
 * @ring: of format 1
 * @index: of the slot
 * @message: is copied
 *
 * The first of a batch is kept until the batch is marked: the other end may poll its
 * slot, and each look would take the line away.  Nobody looks at the others before
 * that one.
 */
static inline void hdmabuf_ring_fill(struct hdmabuf_ring *ring, uint32_t index,
				     const union hdmabuf_message *message)
{
	union hdmabuf_message *to = index == ring->pushed ?
					    &ring->first :
					    &ring->slot[index & ring->mask];
	uint32_t word = hdmabuf_get_le32(*hdmabuf_ring_word(message));

	hdmabuf_ring_copy(to, message);
	*hdmabuf_ring_word(to) =
		hdmabuf_put_le32(word & HDMABUF_RING_WORD_MASK);
}

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
	if (hdmabuf_ring_has_marks(ring))
		hdmabuf_ring_fill(ring, index, message);
	else
		ring->slot[index & ring->mask] = *message;
	ring->produced = index + 1;
}

/**
 * hdmabuf_ring_mark_groups() - mark what is beyond the first mark of a batch
 * @ring: with more than ``HDMABUF_MARK_MAX`` messages that are not visible yet
 * @kind: ``HDMABUF_MARK_REQUESTS`` or ``HDMABUF_MARK_ANSWERS``
 */
void hdmabuf_ring_mark_groups(struct hdmabuf_ring *ring, uint32_t kind);

/**
 * hdmabuf_ring_mark() - make all messages visible at once, by a mark
 * @ring: of format 1, with or without messages that are not visible yet
 * @kind: ``HDMABUF_MARK_REQUESTS`` or ``HDMABUF_MARK_ANSWERS``
 * @event: of the other end
 *
 * Follows HDB-BOTH-070 and HDB-BOTH-013, as *hdmabuf_ring_push()* does.
 *
 * Return: true if the other end wants to be notified
 */
static inline bool hdmabuf_ring_mark(struct hdmabuf_ring *ring, uint32_t kind,
				     const hdmabuf_le32 *event)
{
	uint32_t pushed = ring->pushed;
	uint32_t produced = ring->produced;
	uint32_t count = produced - pushed;
	union hdmabuf_message *slot = &ring->slot[pushed & ring->mask];
	uint32_t marked = count;
	uint32_t word;

	if (!count)
		return false;
	if (count > HDMABUF_MARK_MAX) {
		hdmabuf_ring_mark_groups(ring, kind);
		marked = HDMABUF_MARK_MAX;
	}
	ring->pushed = produced;
	hdmabuf_ring_copy(slot, &ring->first);
	word = hdmabuf_get_le32(*hdmabuf_ring_word(&ring->first));
	hdmabuf_shared_write_release(
		hdmabuf_ring_word(slot),
		word | (kind + marked) << HDMABUF_RING_MARK_SHIFT);
	hdmabuf_shared_barrier();
	return produced - hdmabuf_shared_read(event) < count;
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
 * hdmabuf_ring_look_for() - look whether the other end has marked a message
 * @ring: of format 1, without messages that were marked and not taken yet
 * @kind: ``HDMABUF_MARK_REQUESTS`` or ``HDMABUF_MARK_ANSWERS``
 * @most: the greatest index that there may be
 * @word: receives the only copy that is made of the word with the mark
 *
 * Follows HDB-BOTH-071 and HDB-BOTH-072.  The acquire is the read barrier of
 * HDB-BOTH-009, before the rest of any slot is read.
 *
 * Return: what was found
 */
static inline enum hdmabuf_ring_result
hdmabuf_ring_look_for(const struct hdmabuf_ring *ring, uint32_t kind,
		      uint32_t most, uint32_t *word)
{
	uint32_t consumed = ring->consumed;
	uint32_t others;

	*word = 0;
	if (consumed == most)
		return HDMABUF_RING_EMPTY;
	*word = hdmabuf_shared_read_acquire(
		hdmabuf_ring_word(&ring->slot[consumed & ring->mask]));
	others = (*word >> HDMABUF_RING_MARK_SHIFT) - kind - 1;
	if (others >= HDMABUF_MARK_MAX)
		return HDMABUF_RING_EMPTY;
	return others < most - consumed ? HDMABUF_RING_TAKEN :
					  HDMABUF_RING_BROKEN;
}

/**
 * hdmabuf_ring_fetch() - have slots that will be read next on their way here
 * @ring: either
 * @first: index of the first of them
 * @count: how many
 */
static inline void hdmabuf_ring_fetch(const struct hdmabuf_ring *ring,
				      uint32_t first, uint32_t count)
{
	/*@ loop assigns count, first;
	    loop variant count; */
	for (; count; count--, first++)
		__builtin_prefetch(&ring->slot[first & ring->mask]);
}

/**
 * hdmabuf_ring_take_slot() - copy the next message out of its slot
 * @ring: of format 1, with a message that is there
 * @word: octets 4 to 7 of the slot, as they were read once
 * @message: receives the only copy that is made, without a mark
 */
static inline void hdmabuf_ring_take_slot(struct hdmabuf_ring *ring,
					  uint32_t word,
					  union hdmabuf_message *message)
{
	uint32_t consumed = ring->consumed;

	hdmabuf_ring_copy(message, &ring->slot[consumed & ring->mask]);
	ring->consumed = consumed + 1;
	*hdmabuf_ring_word(message) =
		hdmabuf_put_le32(word & HDMABUF_RING_WORD_MASK);
}

/**
 * hdmabuf_ring_take_ready() - copy a message out that is known to be there
 * @ring: of format 1, with messages that were marked and not taken yet
 * @message: receives the only copy that is made
 */
static inline void hdmabuf_ring_take_ready(struct hdmabuf_ring *ring,
					   union hdmabuf_message *message)
{
	uint32_t consumed = ring->consumed;

	if (ring->ready > HDMABUF_RING_AHEAD)
		hdmabuf_ring_fetch(ring, consumed + HDMABUF_RING_AHEAD, 1);
	ring->ready--;
	hdmabuf_ring_take_slot(ring,
			       hdmabuf_shared_read(hdmabuf_ring_word(
				       &ring->slot[consumed & ring->mask])),
			       message);
}

/**
 * hdmabuf_ring_take_marked() - copy the next message out of its slot
 * @ring: of format 1
 * @kind: ``HDMABUF_MARK_REQUESTS`` or ``HDMABUF_MARK_ANSWERS``
 * @most: the greatest index that there may be
 * @message: receives the only copy that is made
 *
 * Nothing beyond the batch is fetched: the other end may be writing there.
 *
 * Return: what was found
 */
static inline enum hdmabuf_ring_result
hdmabuf_ring_take_marked(struct hdmabuf_ring *ring, uint32_t kind,
			 uint32_t most, union hdmabuf_message *message)
{
	enum hdmabuf_ring_result found;
	uint32_t word;

	if (ring->ready) {
		hdmabuf_ring_take_ready(ring, message);
		return HDMABUF_RING_TAKEN;
	}
	found = hdmabuf_ring_look_for(ring, kind, most, &word);
	if (found != HDMABUF_RING_TAKEN)
		return found;
	ring->ready = (word >> HDMABUF_RING_MARK_SHIFT) - kind - 1;
	hdmabuf_ring_fetch(ring, ring->consumed + 1,
			   ring->ready < HDMABUF_RING_AHEAD ?
				   ring->ready :
				   HDMABUF_RING_AHEAD);
	hdmabuf_ring_take_slot(ring, word, message);
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
	if (hdmabuf_ring_has_marks(ring))
		return hdmabuf_ring_mark(ring, HDMABUF_MARK_REQUESTS,
					 &ring->events->req_event);
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
	if (hdmabuf_ring_has_marks(ring))
		return hdmabuf_ring_take_marked(ring, HDMABUF_MARK_ANSWERS,
						ring->pushed, message);
	return hdmabuf_ring_take(ring, &ring->indices->rsp_prod, ring->pushed,
				 message);
}

/**
 * hdmabuf_ring_has_answer() - look whether take_answer would find something
 * @ring: the end's own ring
 *
 * Return: what would be found, without taking it
 */
static inline enum hdmabuf_ring_result
hdmabuf_ring_has_answer(const struct hdmabuf_ring *ring)
{
	uint32_t word;

	if (!hdmabuf_ring_has_marks(ring))
		return hdmabuf_ring_look(&ring->indices->rsp_prod,
					 ring->consumed, ring->pushed);
	if (ring->ready)
		return HDMABUF_RING_TAKEN;
	return hdmabuf_ring_look_for(ring, HDMABUF_MARK_ANSWERS, ring->pushed,
				     &word);
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
	if (hdmabuf_ring_has_marks(ring))
		return hdmabuf_ring_take_marked(ring, HDMABUF_MARK_REQUESTS,
						ring->pushed + ring->slots,
						message);
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
	uint32_t most = ring->pushed + ring->slots;
	uint32_t word;

	if (!hdmabuf_ring_has_marks(ring))
		return hdmabuf_ring_look(&ring->indices->req_prod,
					 ring->consumed, most);
	if (ring->ready)
		return HDMABUF_RING_TAKEN;
	return hdmabuf_ring_look_for(ring, HDMABUF_MARK_REQUESTS, most, &word);
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
	if (hdmabuf_ring_has_marks(ring))
		return hdmabuf_ring_mark(ring, HDMABUF_MARK_ANSWERS,
					 &ring->events->rsp_event);
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

/**
 * hdmabuf_ring_hold_answers() - ask not to be notified of answers
 * @ring: the end's own ring
 *
 * For an end that looks by itself, until it arms the ring.
 */
void hdmabuf_ring_hold_answers(struct hdmabuf_ring *ring);

/**
 * hdmabuf_ring_hold_requests() - ask not to be notified of requests
 * @ring: the other end's ring
 *
 * For an end that looks by itself, until it arms the ring.
 */
void hdmabuf_ring_hold_requests(struct hdmabuf_ring *ring);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_RING_H */
