/* SPDX-License-Identifier: MIT */
/* xen_ring.c - the rings of Xen's io/ring.h as one of the kinds that are compared */
#include "bench/xen_ring.h"

static void prepare(struct link *link)
{
	xen_format(link->shared);
}

static const struct ring_calls calls = {
	xen_attach,	 xen_put_request,  xen_push_requests,
	xen_take_answer, xen_arm_answers,  xen_take_request,
	xen_put_answer,	 xen_push_answers, xen_arm_requests,
};

RING_KIND(ring_xen, "xen", calls, prepare);
