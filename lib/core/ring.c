/* SPDX-License-Identifier: MIT */
/* Ring format 0: what is not inline in the header. */
#include <hdmabuf/ring.h>

#include "lib/core/octets.h"

/* In no order: nobody looks before the record that leads here is published. */
void hdmabuf_ring_format(void *shared, size_t octets, uint32_t start)
{
	struct hdmabuf_ring_indices *indices = shared;

	octets_clear(shared, octets);
	hdmabuf_shared_write(&indices->req_prod, start);
	hdmabuf_shared_write(&indices->req_event, start + 1);
	hdmabuf_shared_write(&indices->rsp_prod, start);
	hdmabuf_shared_write(&indices->rsp_event, start + 1);
}

void hdmabuf_ring_init(struct hdmabuf_ring *ring, void *shared, size_t octets,
		       uint32_t start)
{
	octets_clear(ring, sizeof(*ring));
	ring->indices = shared;
	ring->slot = (union hdmabuf_message *)(ring->indices + 1);
	ring->slots = (uint32_t)HDMABUF_RING_SLOTS(octets);
	ring->mask = ring->slots - 1;
	ring->produced = start;
	ring->consumed = start;
	ring->pushed = start;
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

bool hdmabuf_ring_arm_answers(struct hdmabuf_ring *ring, uint32_t count)
{
	return arm(ring, &ring->indices->rsp_event, count,
		   &ring->indices->rsp_prod);
}

bool hdmabuf_ring_arm_requests(struct hdmabuf_ring *ring)
{
	return arm(ring, &ring->indices->req_event, 1,
		   &ring->indices->req_prod);
}
