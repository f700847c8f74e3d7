/* SPDX-License-Identifier: MIT */
/*
 * What displif has for each connector and sndif for each stream: a ring of requests and
 * answers, and a page of events, each with an event channel. Ring and page are the
 * frontend's memory: of a request there is one copy, indices are this end's own, and
 * what cannot be ends the connection.
 *
 * The ring is one of format 0 of protocol/hyper_dmabuf.h, whose layout is that of Xen's
 * io/ring.h. Of the 63 slots that would fit into the page it has 32, as it has to be a
 * power of two.
 *
 * The page has 63 slots, and event n is in slot n % 63 with n of 32 bits, so that at 2^32
 * the slots begin anew before they are all used. As all ends do it like this, nothing
 * is misread. Whether an event was taken before its slot is needed again does not count:
 * a frontend may not tell.
 */

#ifndef REFERENCE_BACKEND_XEN_RING_H
#define REFERENCE_BACKEND_XEN_RING_H

#include "reference-backend/xen_bus.h"

#include <hdmabuf/ring.h>

/**
 * struct front_nodes - the nodes that tell of a ring and a page
 * @ring_ref: reference of the ring
 * @ring_channel: port of the ring's event channel
 * @event_ref: reference of the page
 * @event_channel: port of the page's event channel
 */
struct front_nodes {
	const char *ring_ref;
	const char *ring_channel;
	const char *event_ref;
	const char *event_channel;
};

/**
 * struct front_message - a request, a response or an event
 * @id: of the request; of events, counted
 * @operation: of the request; or the type of the event
 * @zero: of no importance in a request
 * @status: of a response, in the octets where a request has nothing
 * @payload: depends on @operation
 */
struct front_message {
	uint16_t id;
	uint8_t operation;
	uint8_t zero;
	int32_t status;
	uint8_t payload[56];
};

/**
 * struct front_ring - a ring and a page of a frontend
 * @device: whose it is
 * @ring: this end's view of the ring
 * @ring_page: mapped, or NULL
 * @event_page: mapped, or NULL
 * @ring_port: of this end, or -1
 * @event_port: of this end, or -1
 * @events: how many were written
 * @more: it was left before it was empty
 */
struct front_ring {
	struct bus_device *device;
	struct hdmabuf_ring ring;
	void *ring_page;
	void *event_page;
	int ring_port;
	int event_port;
	uint32_t events;
	bool more;
};

/**
 * front_ring_open() - map and bind what a frontend has published
 * @ring: filled in
 * @device: whose it is
 * @below: between the device's directory and the nodes, as "0/"
 * @nodes: their names
 *
 * Return: 0, or -1, having said why.
 */
int front_ring_open(struct front_ring *ring, struct bus_device *device,
		    const char *below, const struct front_nodes *nodes);

/**
 * front_ring_close() - unmap and unbind
 * @ring: of front_ring_open(), whatever that returned
 */
void front_ring_close(struct front_ring *ring);

/**
 * front_ring_serve() - take the requests that are there
 * @ring: open
 * @serve: is called for each, and has to answer
 * @user: its first argument
 *
 * Takes a bounded number of them: if there are more, @ring says so, and it has to be
 * called again without a notification.
 *
 * Return: 0, or -1 if the ring is broken, having said how.
 */
int front_ring_serve(struct front_ring *ring,
		     void (*serve)(void *user,
				   const struct front_message *request),
		     void *user);

/**
 * front_ring_answer() - answer a request
 * @ring: it came from
 * @request: it
 * @status: 0 or a negative errno of Xen, which are those of Linux
 * @payload: of the response, or NULL
 * @octets: of the payload, at most 56; the rest of the response is zero
 */
void front_ring_answer(struct front_ring *ring,
		       const struct front_message *request, int32_t status,
		       const void *payload, size_t octets);

/**
 * front_ring_tell() - write an event
 * @ring: open
 * @type: of the event
 * @payload: of the event
 * @octets: of the payload, at most 56
 */
void front_ring_tell(struct front_ring *ring, uint8_t type, const void *payload,
		     size_t octets);

#endif
