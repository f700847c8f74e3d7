/* SPDX-License-Identifier: MIT */
/*
 * xen_ring.h - the rings of Xen's io/ring.h, as its drivers use them
 *
 * A message is copied out before anything is done with it, and an index that
 * cannot be is recognised, as Linux's drivers do.
 */
#ifndef HDMABUF_BENCH_XEN_RING_H
#define HDMABUF_BENCH_XEN_RING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* On this machine, as Linux has them: stores and loads keep their order. */
#if defined(__x86_64__) || defined(__i386__)
#define xen_rmb() __asm__ __volatile__("" : : : "memory")
#define xen_wmb() __asm__ __volatile__("" : : : "memory")
#else
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#endif
#define xen_mb() __sync_synchronize()

/* Older ones have barriers of other names. */
#define __XEN_INTERFACE_VERSION__ 0x00040d00
#include <xen/io/ring.h>

#include "bench/ring_loops.h"

#define XEN_RING_OCTETS 4096

struct slot {
	uint64_t words[HDMABUF_SLOT_OCTETS / 8];
};

DEFINE_RING_TYPES(bench, struct slot, struct slot);

/* What a driver reads that the other end writes, it reads once. */
#define READ_ONCE(place) (*(const volatile __typeof__(place) *)&(place))

static ALWAYS_INLINE bench_front_ring_t *front_of(union ring_state *state)
{
	return (bench_front_ring_t *)state;
}

static ALWAYS_INLINE bench_back_ring_t *back_of(union ring_state *state)
{
	return (bench_back_ring_t *)state;
}

static inline void xen_format(uint8_t *page)
{
	bench_sring_t *shared = (bench_sring_t *)page;

	memset(shared, 0, XEN_RING_OCTETS);
	SHARED_RING_INIT(shared);
}

static inline void xen_attach(union ring_state *state, uint8_t *shared, int end)
{
	if (end == ASKER)
		FRONT_RING_INIT(front_of(state), (bench_sring_t *)shared,
				XEN_RING_OCTETS);
	else
		BACK_RING_INIT(back_of(state), (bench_sring_t *)shared,
			       XEN_RING_OCTETS);
}

static ALWAYS_INLINE void xen_put_request(union ring_state *state,
					  const union hdmabuf_message *message)
{
	bench_front_ring_t *front = front_of(state);

	must(!RING_FULL(front), "a request");
	memcpy(RING_GET_REQUEST(front, front->req_prod_pvt), message,
	       sizeof(*message));
	front->req_prod_pvt++;
}

static ALWAYS_INLINE bool xen_push_requests(union ring_state *state)
{
	bool notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(front_of(state), notify);
	return notify;
}

static ALWAYS_INLINE bool xen_take_answer(union ring_state *state,
					  union hdmabuf_message *message)
{
	bench_front_ring_t *front = front_of(state);
	RING_IDX produced = READ_ONCE(front->sring->rsp_prod);
	struct slot slot;

	if (produced == front->rsp_cons)
		return false;
	xen_rmb();
	must(!RING_RESPONSE_PROD_OVERFLOW(front, produced), "an answer");
	RING_COPY_RESPONSE(front, front->rsp_cons, &slot);
	memcpy(message, &slot, sizeof(slot));
	front->rsp_cons++;
	return true;
}

static ALWAYS_INLINE bool xen_arm_answers(union ring_state *state,
					  unsigned int count)
{
	int work;

	(void)count;
	RING_FINAL_CHECK_FOR_RESPONSES(front_of(state), work);
	return work;
}

static ALWAYS_INLINE bool xen_take_request(union ring_state *state,
					   union hdmabuf_message *message)
{
	bench_back_ring_t *back = back_of(state);
	RING_IDX produced = READ_ONCE(back->sring->req_prod);
	struct slot slot;

	if (produced == back->req_cons)
		return false;
	xen_rmb();
	must(!RING_REQUEST_PROD_OVERFLOW(back, produced), "a request");
	if (RING_REQUEST_CONS_OVERFLOW(back, back->req_cons))
		return false;
	RING_COPY_REQUEST(back, back->req_cons, &slot);
	memcpy(message, &slot, sizeof(slot));
	back->req_cons++;
	return true;
}

static ALWAYS_INLINE void xen_put_answer(union ring_state *state,
					 const union hdmabuf_message *message)
{
	bench_back_ring_t *back = back_of(state);

	memcpy(RING_GET_RESPONSE(back, back->rsp_prod_pvt), message,
	       sizeof(*message));
	back->rsp_prod_pvt++;
}

static ALWAYS_INLINE bool xen_push_answers(union ring_state *state)
{
	bool notify;

	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(back_of(state), notify);
	return notify;
}

static ALWAYS_INLINE bool xen_arm_requests(union ring_state *state)
{
	int work;

	RING_FINAL_CHECK_FOR_REQUESTS(back_of(state), work);
	return work;
}

#endif
