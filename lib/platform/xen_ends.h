/* SPDX-License-Identifier: MIT */
/*
 * xen_ends.h - two ends of the Xen platform in a Xen that is not there, for its
 * tests
 */
#ifndef HDMABUF_PLATFORM_XEN_ENDS_H
#define HDMABUF_PLATFORM_XEN_ENDS_H

#include <bindings/xen.h>

#include "pair_kind.h"
#include "tests/fake_xen.h"

#include "xen.h"

/* The frontend's domain, and the backend's unless a test says otherwise. */
#define GUEST  7
#define DRIVER 0

#define FRONT_PATH(node) "/local/domain/%u/device/hdmabuf/%u/" node
#define BACK_PATH(node)	 "/local/domain/%u/backend/hdmabuf/%u/%u/" node

static inline struct xen_endpoint *xen_end(const struct end *end)
{
	return end->platform.endpoint;
}

/* As one life of a program in that domain. */
static inline int xen_open(struct end *end, uint32_t domain,
			   const char *address, enum hdmabuf_role role)
{
	int process = fake_xen_enter(domain);

	end_open(end, address, role);
	return process;
}

static inline void xen_start(void)
{
	fake_xen_start();
	fake_xen_create_domain(GUEST);
	fake_xen_attach(GUEST, DRIVER, 0);
}

static inline void xen_open_pair(struct end *frontend, struct end *backend)
{
	xen_start();
	xen_open(backend, DRIVER, "xen:", HDMABUF_BACKEND);
	xen_open(frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
}

/* The backend comes up first, the frontend with its offer, the link with both. */
static inline void xen_meet(struct end *frontend, struct end *backend)
{
	ends_settle(frontend, backend);
	if (!backend->ups || !backend->peers[0].link)
		return;
	suite_offer(backend, 1);
	ends_settle(frontend, backend);
	if (!frontend->ups || !frontend->peers[0].link ||
	    frontend->peers[0].link->state != XEN_UP)
		return;
	suite_answer(frontend, 1, 1);
	ends_settle(frontend, backend);
}

static inline void xen_close_pair(struct end *frontend, struct end *backend)
{
	ends_close(frontend, backend);
	fake_xen_stop();
}

static inline void xen_memory(struct end *end, struct hdmabuf_memory *memory,
			      size_t pages, uint32_t rights)
{
	assert_int_equal(end->ops->alloc(end_link(end), pages * PAGE, rights,
					 memory),
			 0);
	assert_int_equal(memory->octets, pages * PAGE);
}

static const struct pair_kind xen_kind __attribute__((unused)) = {
	.name = "xen",
	.open = xen_open_pair,
	.meet = xen_meet,
	.close = xen_close_pair,
	.memory = xen_memory,
};

/* Two ends, linked, the backend attached. */
static inline void xen_pair(struct end *frontend, struct end *backend)
{
	xen_open_pair(frontend, backend);
	xen_meet(frontend, backend);
	assert_int_equal(frontend->ups, 1);
	assert_int_equal(backend->ups, 1);
	assert_true(end_link(frontend)->attached);
	assert_true(end_link(backend)->attached);
}

#endif /* HDMABUF_PLATFORM_XEN_ENDS_H */
