/* SPDX-License-Identifier: MIT */
/* ring_format.h - the rings of this tree, of the format RING_FORMAT and no other */
#ifndef HDMABUF_BENCH_RING_FORMAT_H
#define HDMABUF_BENCH_RING_FORMAT_H

#define HDMABUF_RING_FORMATS (1u << RING_FORMAT)

#include <hdmabuf/ring.h>

#include "bench/ring_loops.h"

#define RING_OCTETS 4096
#define RING_START  7

static ALWAYS_INLINE struct hdmabuf_ring *ring_of(union ring_state *state)
{
	return (struct hdmabuf_ring *)state;
}

static void prepare(struct link *link)
{
	hdmabuf_ring_format(link->shared, RING_OCTETS, RING_FORMAT, RING_START);
}

static void attach(union ring_state *state, uint8_t *shared, int end)
{
	(void)end;
	hdmabuf_ring_init(ring_of(state), shared, RING_OCTETS, RING_FORMAT,
			  RING_START);
}

static ALWAYS_INLINE void put_request(union ring_state *state,
				      const union hdmabuf_message *message)
{
	must(hdmabuf_ring_put_request(ring_of(state), message), "a request");
}

static ALWAYS_INLINE bool push_requests(union ring_state *state)
{
	return hdmabuf_ring_push_requests(ring_of(state));
}

static ALWAYS_INLINE bool take_answer(union ring_state *state,
				      union hdmabuf_message *message)
{
	return hdmabuf_ring_take_answer(ring_of(state), message) ==
	       HDMABUF_RING_TAKEN;
}

static ALWAYS_INLINE bool arm_answers(union ring_state *state,
				      unsigned int count)
{
	return hdmabuf_ring_arm_answers(ring_of(state), count);
}

static ALWAYS_INLINE bool take_request(union ring_state *state,
				       union hdmabuf_message *message)
{
	return hdmabuf_ring_take_request(ring_of(state), message) ==
	       HDMABUF_RING_TAKEN;
}

static ALWAYS_INLINE void put_answer(union ring_state *state,
				     const union hdmabuf_message *message)
{
	must(hdmabuf_ring_put_answer(ring_of(state), message), "an answer");
}

static ALWAYS_INLINE bool push_answers(union ring_state *state)
{
	return hdmabuf_ring_push_answers(ring_of(state));
}

static ALWAYS_INLINE bool arm_requests(union ring_state *state)
{
	return hdmabuf_ring_arm_requests(ring_of(state));
}

static const struct ring_calls calls = {
	attach,	      put_request, push_requests, take_answer,	arm_answers,
	take_request, put_answer,  push_answers,  arm_requests,
};

#endif
