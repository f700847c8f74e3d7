/* SPDX-License-Identifier: MIT */
/* The rings: what is not inline in the header. */
#include <hdmabuf/ring.h>

#include "lib/core/octets.h"

/* In no order: nobody looks before the record that leads here is published. */
void hdmabuf_ring_format(void *shared, size_t octets, uint32_t format,
			 uint32_t start)
{
	struct hdmabuf_ring_indices *indices = shared;
	struct hdmabuf_ring_events *events = shared;

	octets_clear(shared, octets);
	if (format == HDMABUF_RING_FORMAT_1) {
		hdmabuf_shared_write(&events->req_event, start + 1);
		hdmabuf_shared_write(&events->rsp_event, start + 1);
		return;
	}
	hdmabuf_shared_write(&indices->req_prod, start);
	hdmabuf_shared_write(&indices->req_event, start + 1);
	hdmabuf_shared_write(&indices->rsp_prod, start);
	hdmabuf_shared_write(&indices->rsp_event, start + 1);
}

void hdmabuf_ring_init(struct hdmabuf_ring *ring, void *shared, size_t octets,
		       uint32_t format, uint32_t start)
{
	octets_clear(ring, sizeof(*ring));
	ring->indices = shared;
	ring->events = shared;
	ring->format = format;
	ring->slot =
		(union hdmabuf_message *)(hdmabuf_ring_has_marks(ring) ?
						  (void *)(ring->events + 1) :
						  (void *)(ring->indices + 1));
	ring->slots = (uint32_t)HDMABUF_RING_SLOTS(octets);
	ring->mask = ring->slots - 1;
	ring->produced = start;
	ring->consumed = start;
	ring->pushed = start;
}

/* The other end sees none of these before it sees the first mark. */
void hdmabuf_ring_mark_groups(struct hdmabuf_ring *ring, uint32_t kind)
{
	uint32_t index = ring->pushed;
	uint32_t left = ring->produced - index;

	/*@ loop invariant ring->slot == \at(ring->slot, Pre);
	    loop invariant ring->mask == \at(ring->mask, Pre);
	    loop assigns index, left,
		\at(ring->slot, Pre)[0 .. \at(ring->mask, Pre)];
	    loop variant left; */
	while (left > HDMABUF_MARK_MAX) {
		index += HDMABUF_MARK_MAX;
		left -= HDMABUF_MARK_MAX;
		ring->slot[index & ring->mask].octets[7] =
			(uint8_t)(kind + (left < HDMABUF_MARK_MAX ?
						  left :
						  HDMABUF_MARK_MAX));
	}
}

/*
 * HDB-BOTH-014: write the event, full barrier, look at the index again.  The index is read
 * without acquire: who finds it moved takes what is there, and reads it once more for that.
 */
static bool arm(const struct hdmabuf_ring *ring, hdmabuf_le32 *event,
		uint32_t count, const hdmabuf_le32 *index)
{
	hdmabuf_shared_write(event, ring->consumed + count);
	hdmabuf_shared_barrier();
	return hdmabuf_shared_read(index) != ring->consumed;
}

/* The same, where marks are. */
static bool arm_marked(const struct hdmabuf_ring *ring, hdmabuf_le32 *event,
		       uint32_t count, uint32_t kind, uint32_t most)
{
	uint32_t word;

	hdmabuf_shared_write(event, ring->consumed + count);
	hdmabuf_shared_barrier();
	return ring->ready || hdmabuf_ring_look_for(ring, kind, most, &word) !=
				      HDMABUF_RING_EMPTY;
}

bool hdmabuf_ring_arm_answers(struct hdmabuf_ring *ring, uint32_t count)
{
	if (hdmabuf_ring_has_marks(ring))
		return arm_marked(ring, &ring->events->rsp_event, count,
				  HDMABUF_MARK_ANSWERS, ring->pushed);
	return arm(ring, &ring->indices->rsp_event, count,
		   &ring->indices->rsp_prod);
}

bool hdmabuf_ring_arm_requests(struct hdmabuf_ring *ring)
{
	if (hdmabuf_ring_has_marks(ring))
		return arm_marked(ring, &ring->events->req_event, 1,
				  HDMABUF_MARK_REQUESTS,
				  ring->pushed + ring->slots);
	return arm(ring, &ring->indices->req_event, 1,
		   &ring->indices->req_prod);
}

/* An index that the other end has passed already is one that it does not cross. */
static void hold(struct hdmabuf_ring *ring, hdmabuf_le32 *event)
{
	hdmabuf_shared_write(event, ring->consumed);
}

void hdmabuf_ring_hold_answers(struct hdmabuf_ring *ring)
{
	hold(ring, hdmabuf_ring_has_marks(ring) ? &ring->events->rsp_event :
						  &ring->indices->rsp_event);
}

void hdmabuf_ring_hold_requests(struct hdmabuf_ring *ring)
{
	hold(ring, hdmabuf_ring_has_marks(ring) ? &ring->events->req_event :
						  &ring->indices->req_event);
}
