/* SPDX-License-Identifier: MIT */
/*
 * Rings of any content, in every state that an end's own view can have
 *
 * eva: lib/core/ring.c
 * fault NO_MASK include/hdmabuf/ring.h s/consumed \& ring->mask/consumed/
 */
#include "assurance/proof/eva.h"

#include <hdmabuf/ring.h>

void main(void)
{
	static char pages[2 * 4096];
	static union hdmabuf_message message;
	uint32_t octets = BETWEEN(0, 1) ? 4096 : 8192;
	struct hdmabuf_ring ring;

	ANY_CONTENT(pages);
	hdmabuf_ring_init(&ring, pages, octets, BETWEEN(0, 1), ANY(uint32_t));
	ring.produced = ANY(uint32_t);
	ring.consumed = ANY(uint32_t);
	ring.pushed = ANY(uint32_t);
	ring.ready = ANY(uint32_t);
	hdmabuf_ring_take_answer(&ring, &message);
	hdmabuf_ring_take_request(&ring, &message);
	hdmabuf_ring_has_request(&ring);
	hdmabuf_ring_has_answer(&ring);
	hdmabuf_ring_put_request(&ring, &message);
	hdmabuf_ring_put_answer(&ring, &message);
	hdmabuf_ring_push_requests(&ring);
	hdmabuf_ring_push_answers(&ring);
	hdmabuf_ring_arm_requests(&ring);
	hdmabuf_ring_arm_answers(&ring, ANY(uint32_t));
	hdmabuf_ring_hold_requests(&ring);
	hdmabuf_ring_hold_answers(&ring);
}
