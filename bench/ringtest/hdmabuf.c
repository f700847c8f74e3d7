/* SPDX-License-Identifier: MIT */
/*
 * hdmabuf.c - ring format 0, as Linux's tools/virtio/ringtest wants a ring
 *
 * Compiled by bench/fetch-ringtest together with that tool, which is not part of this
 * tree. What the guest adds is a request, what the host has used is its answer; both
 * are visible at once, as there.
 */
#include <assert.h>
#include <stdlib.h>

#include <hdmabuf/ring.h>

#include "main.h"

#define PAGE  4096u
#define START 7

/* What the guest has added, by the id of its request. */
struct added {
	void *buf;
	void *data;
};

/* Each end has a line of its own; so has what it owes the other. */
static struct {
	struct hdmabuf_ring ring;
	struct added *added;
	uint32_t next;
	bool owes_kick;
} guest __attribute__((aligned(128)));
static struct {
	struct hdmabuf_ring ring;
	bool owes_call;
} host __attribute__((aligned(128)));

void alloc_ring(void)
{
	size_t octets = PAGE;
	void *shared;

	while (HDMABUF_RING_SLOTS(octets) < ring_size)
		octets *= 2;
	shared = aligned_alloc(PAGE, octets);
	guest.added = calloc(HDMABUF_RING_SLOTS(octets), sizeof(*guest.added));
	assert(shared && guest.added);
	hdmabuf_ring_format(shared, octets, HDMABUF_RING_FORMAT_0, START);
	hdmabuf_ring_init(&guest.ring, shared, octets, HDMABUF_RING_FORMAT_0,
			  START);
	hdmabuf_ring_init(&host.ring, shared, octets, HDMABUF_RING_FORMAT_0,
			  START);
}

/* ---- The guest ------------------------------------------------------------------- */

int add_inbuf(unsigned int len, void *buf, void *data)
{
	union hdmabuf_message message = { .header.id = guest.next &
						       guest.ring.mask };

	(void)len;
	if (!hdmabuf_ring_put_request(&guest.ring, &message))
		return -1;
	guest.added[message.header.id] = (struct added){ buf, data };
	guest.next++;
	guest.owes_kick |= hdmabuf_ring_push_requests(&guest.ring);
	return 0;
}

void *get_buf(unsigned int *len, void **buf)
{
	union hdmabuf_message message;
	enum hdmabuf_ring_result found;

	found = hdmabuf_ring_take_answer(&guest.ring, &message);
	assert(found != HDMABUF_RING_BROKEN);
	if (found == HDMABUF_RING_EMPTY)
		return NULL;
	assert(message.header.id <= guest.ring.mask);
	*len = 0;
	*buf = guest.added[message.header.id].buf;
	return guest.added[message.header.id].data;
}

void disable_call(void)
{
}

bool used_empty(void)
{
	return hdmabuf_ring_look(&guest.ring.indices->rsp_prod,
				 guest.ring.consumed,
				 guest.ring.pushed) == HDMABUF_RING_EMPTY;
}

bool enable_call(void)
{
	return !hdmabuf_ring_arm_answers(&guest.ring, 1);
}

void kick_available(void)
{
	if (guest.owes_kick)
		kick();
	guest.owes_kick = false;
}

/* ---- The host -------------------------------------------------------------------- */

void disable_kick(void)
{
}

bool avail_empty(void)
{
	return hdmabuf_ring_has_request(&host.ring) == HDMABUF_RING_EMPTY;
}

bool enable_kick(void)
{
	return !hdmabuf_ring_arm_requests(&host.ring);
}

bool use_buf(unsigned int *len, void **buf)
{
	union hdmabuf_message message;
	enum hdmabuf_ring_result found;

	(void)len;
	(void)buf;
	found = hdmabuf_ring_take_request(&host.ring, &message);
	assert(found != HDMABUF_RING_BROKEN);
	if (found == HDMABUF_RING_EMPTY)
		return false;
	hdmabuf_ring_put_answer(&host.ring, &message);
	host.owes_call |= hdmabuf_ring_push_answers(&host.ring);
	return true;
}

void call_used(void)
{
	if (host.owes_call)
		call();
	host.owes_call = false;
}
