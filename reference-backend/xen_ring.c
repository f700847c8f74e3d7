/* SPDX-License-Identifier: MIT */

#include "reference-backend/xen_ring.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <hdmabuf/shared.h>

#define PAGE_OCTETS HDMABUF_GREF_PAGE

/* Requests that are taken before others have their turn: some rings full. */
#define BUDGET 128

#define EVENT_SLOTS 63

/* The beginning of an event page. */
struct event_page {
	hdmabuf_le32 in_cons;
	hdmabuf_le32 in_prod;
	uint8_t reserved[56];
	struct front_message event[EVENT_SLOTS];
};

_Static_assert(sizeof(struct front_message) == 64, "a message");
_Static_assert(sizeof(struct front_message) == sizeof(union hdmabuf_message),
	       "is as large as one of ours");
_Static_assert(sizeof(struct event_page) == PAGE_OCTETS, "an event page");

/* ---- Beginning and end -------------------------------------------------- */

static int map_page(struct front_ring *ring, const char *below,
		    const char *name, void **page)
{
	struct bus_device *device = ring->device;
	uint32_t reference;

	if (!bus_read_number(device, below, name, &reference) || !reference)
		return bus_note(device, "%s%s is no reference", below, name);
	*page = xengnttab_map_domain_grant_refs(device->bus->grants, 1,
						device->peer.domain, &reference,
						PROT_READ | PROT_WRITE);
	if (*page)
		return 0;
	return bus_note(device, "cannot map page %u, of %s%s: %s", reference,
			below, name, strerror(errno));
}

static int bind(struct front_ring *ring, const char *below, const char *name,
		int *port)
{
	struct bus_device *device = ring->device;
	uint32_t number;

	if (!bus_read_number(device, below, name, &number))
		return bus_note(device, "%s%s is no port", below, name);
	*port = xenevtchn_bind_interdomain(device->bus->channels,
					   device->peer.domain, number);
	if (*port >= 0)
		return 0;
	return bus_note(device, "cannot bind port %u, of %s%s: %s", number,
			below, name, strerror(errno));
}

int front_ring_open(struct front_ring *ring, struct bus_device *device,
		    const char *below, const struct front_nodes *nodes)
{
	*ring = (struct front_ring){ .device = device,
				     .ring_port = -1,
				     .event_port = -1 };
	if (map_page(ring, below, nodes->ring_ref, &ring->ring_page) ||
	    map_page(ring, below, nodes->event_ref, &ring->event_page) ||
	    bind(ring, below, nodes->ring_channel, &ring->ring_port) ||
	    bind(ring, below, nodes->event_channel, &ring->event_port))
		return -1;
	/* Each connection has new rings, whose indices begin at 0. */
	hdmabuf_ring_init(&ring->ring, ring->ring_page, PAGE_OCTETS,
			  HDMABUF_RING_FORMAT_0, 0);
	ring->more = true;
	return 0;
}

void front_ring_close(struct front_ring *ring)
{
	struct bus *bus = ring->device->bus;

	if (ring->ring_port >= 0)
		xenevtchn_unbind(bus->channels, (evtchn_port_t)ring->ring_port);
	if (ring->event_port >= 0)
		xenevtchn_unbind(bus->channels,
				 (evtchn_port_t)ring->event_port);
	if (ring->ring_page)
		xengnttab_unmap(bus->grants, ring->ring_page, 1);
	if (ring->event_page)
		xengnttab_unmap(bus->grants, ring->event_page, 1);
	*ring = (struct front_ring){ .device = ring->device,
				     .ring_port = -1,
				     .event_port = -1 };
}

/* ---- Requests ----------------------------------------------------------- */

static void notify(struct front_ring *ring, int port)
{
	xenevtchn_notify(ring->device->bus->channels, (evtchn_port_t)port);
}

static enum hdmabuf_ring_result take(struct front_ring *ring,
				     struct front_message *request)
{
	union hdmabuf_message message;
	enum hdmabuf_ring_result found =
		hdmabuf_ring_take_request(&ring->ring, &message);

	if (found == HDMABUF_RING_TAKEN)
		memcpy(request, &message, sizeof(*request));
	return found;
}

int front_ring_serve(struct front_ring *ring,
		     void (*serve)(void *user,
				   const struct front_message *request),
		     void *user)
{
	enum hdmabuf_ring_result found = HDMABUF_RING_EMPTY;
	struct front_message request;
	int budget = BUDGET;

	do {
		while (budget &&
		       (found = take(ring, &request)) == HDMABUF_RING_TAKEN) {
			serve(user, &request);
			budget--;
		}
		if (found == HDMABUF_RING_BROKEN)
			return bus_note(
				ring->device,
				"the ring says that there are more requests than it has slots");
	} while (budget && hdmabuf_ring_arm_requests(&ring->ring));
	ring->more = !budget;
	return 0;
}

void front_ring_answer(struct front_ring *ring,
		       const struct front_message *request, int32_t status,
		       const void *payload, size_t octets)
{
	struct front_message response = { .id = request->id,
					  .operation = request->operation,
					  .status = status };
	union hdmabuf_message message;

	if (octets)
		memcpy(response.payload, payload, octets);
	memcpy(&message, &response, sizeof(message));
	hdmabuf_ring_put_answer(&ring->ring, &message);
	if (hdmabuf_ring_push_answers(&ring->ring))
		notify(ring, ring->ring_port);
}

/* ---- Events ------------------------------------------------------------- */

/* Linux's drivers take no event whose id is not one more than that of the last. */
void front_ring_tell(struct front_ring *ring, uint8_t type, const void *payload,
		     size_t octets)
{
	struct event_page *page = ring->event_page;
	struct front_message event = { .id = (uint16_t)ring->events,
				       .operation = type };

	memcpy(event.payload, payload, octets);
	page->event[ring->events % EVENT_SLOTS] = event;
	ring->events++;
	hdmabuf_shared_write_release(&page->in_prod, ring->events);
	notify(ring, ring->event_port);
}
