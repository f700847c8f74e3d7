/* SPDX-License-Identifier: MIT */
#include "tests/fake_xen_front.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdmabuf/shared.h>

#define PAGE HDMABUF_GREF_PAGE

void front_open(struct front *front, struct bus *bus, const char *class_name,
		const struct front_nodes *nodes)
{
	*front = (struct front){ .class_name = class_name,
				 .nodes = nodes,
				 .bus = bus };
	front->process = fake_xen_enter(FRONT_DOMAIN);
	front->store = xs_open(0);
	front->channels = xenevtchn_open(NULL, 0);
	front->peer = (struct hdmabuf_gref_peer){
		.grants = xengnttab_open(NULL, 0),
		.shares = xengntshr_open(NULL, 0),
		.domain = 0,
	};
}

void front_forget(struct front *front)
{
	size_t i;

	for (i = 0; i < front->count; i++) {
		struct fake_ring *ring = &front->rings[i];

		xenevtchn_unbind(front->channels,
				 (evtchn_port_t)ring->ports[0]);
		xenevtchn_unbind(front->channels,
				 (evtchn_port_t)ring->ports[1]);
		xengntshr_unshare(front->peer.shares, ring->ring_page, 1);
		xengntshr_unshare(front->peer.shares, ring->event_page, 1);
	}
	front->count = 0;
}

void front_close(struct front *front)
{
	front_forget(front);
	xengntshr_close(front->peer.shares);
	xengnttab_close(front->peer.grants);
	xenevtchn_close(front->channels);
	xs_close(front->store);
}

/* ---- XenStore ----------------------------------------------------------- */

static void write_node(struct front *front, const char *below, const char *name,
		       const char *value)
{
	char path[160];

	snprintf(path, sizeof(path), "/local/domain/%u/device/%s/0/%s%s",
		 FRONT_DOMAIN, front->class_name, below, name);
	assert_true(xs_write(front->store, XBT_NULL, path, value,
			     (unsigned int)strlen(value)));
}

static void write_number(struct front *front, const char *below,
			 const char *name, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	write_node(front, below, name, text);
}

void front_set_state(struct front *front, enum bus_state state)
{
	write_number(front, "", "state", state);
}

enum bus_state front_back_state(struct front *front)
{
	return (enum bus_state)atoi(
		fake_xen_node("/local/domain/0/backend/%s/%u/0/state",
			      front->class_name, FRONT_DOMAIN));
}

void front_configure(struct front *front, const char *name, const char *value)
{
	fake_xen_write(value, "/local/domain/%u/device/%s/0/%s", FRONT_DOMAIN,
		       front->class_name, name);
}

/* ---- Connecting --------------------------------------------------------- */

struct fake_ring *front_publish(struct front *front, const char *below)
{
	struct fake_ring *ring = &front->rings[front->count++];

	*ring = (struct fake_ring){ .next_id = 100 };
	snprintf(ring->below, sizeof(ring->below), "%s", below);
	ring->ring_page = xengntshr_share_pages(front->peer.shares, 0, 1,
						&ring->refs[0], 1);
	ring->event_page = xengntshr_share_pages(front->peer.shares, 0, 1,
						 &ring->refs[1], 1);
	assert_true(ring->ring_page && ring->event_page);
	memset(ring->event_page, 0, PAGE);
	hdmabuf_ring_format(ring->ring_page, PAGE, HDMABUF_RING_FORMAT_0, 0);
	hdmabuf_ring_init(&ring->ring, ring->ring_page, PAGE,
			  HDMABUF_RING_FORMAT_0, 0);
	ring->ports[0] = xenevtchn_bind_unbound_port(front->channels, 0);
	ring->ports[1] = xenevtchn_bind_unbound_port(front->channels, 0);
	write_number(front, below, front->nodes->ring_ref, ring->refs[0]);
	write_number(front, below, front->nodes->event_ref, ring->refs[1]);
	write_number(front, below, front->nodes->ring_channel,
		     (uint32_t)ring->ports[0]);
	write_number(front, below, front->nodes->event_channel,
		     (uint32_t)ring->ports[1]);
	return ring;
}

void front_connect(struct front *front)
{
	front_turn(front);
	assert_int_equal(front_back_state(front), BUS_INIT_WAIT);
	front_set_state(front, BUS_INITIALISED);
	front_turn(front);
	assert_int_equal(front_back_state(front), BUS_CONNECTED);
	front_set_state(front, BUS_CONNECTED);
	front_turn(front);
	assert_int_equal(front_back_state(front), BUS_CONNECTED);
}

/* ---- What goes on ------------------------------------------------------- */

void front_turn(struct front *front)
{
	int i;

	for (i = 0; i < 4; i++)
		bus_dispatch(front->bus);
}

uint16_t front_send(struct front *front, struct fake_ring *ring,
		    uint8_t operation, const void *payload, size_t octets)
{
	struct front_message request = { .id = ring->next_id++,
					 .operation = operation };
	union hdmabuf_message message;

	if (octets)
		memcpy(request.payload, payload, octets);
	memcpy(&message, &request, sizeof(message));
	assert_true(hdmabuf_ring_put_request(&ring->ring, &message));
	if (hdmabuf_ring_push_requests(&ring->ring))
		xenevtchn_notify(front->channels,
				 (evtchn_port_t)ring->ports[0]);
	return request.id;
}

int32_t front_request(struct front *front, struct fake_ring *ring,
		      uint8_t operation, const void *payload, size_t octets,
		      struct front_message *response)
{
	uint16_t id = front_send(front, ring, operation, payload, octets);
	struct front_message ignored;
	union hdmabuf_message message;

	front_turn(front);
	assert_int_equal(hdmabuf_ring_take_answer(&ring->ring, &message),
			 HDMABUF_RING_TAKEN);
	hdmabuf_ring_arm_answers(&ring->ring, 1);
	response = response ? response : &ignored;
	memcpy(response, &message, sizeof(*response));
	assert_int_equal(response->id, id);
	assert_int_equal(response->operation, operation);
	assert_int_equal(response->zero, 0);
	return response->status;
}

bool front_event(struct fake_ring *ring, struct front_message *event)
{
	const uint32_t *words = (const uint32_t *)ring->event_page;

	if (words[1] == ring->events)
		return false;
	memcpy(event, ring->event_page + 64 + ring->events % 63 * 64,
	       sizeof(*event));
	assert_int_equal(event->id, (uint16_t)ring->events);
	ring->events++;
	return true;
}

int failing_call(void *user, const char *function)
{
	struct failing_call *call = user;

	if (!strcmp(function, "xengntshr_unshare") ||
	    !strcmp(function, "xengnttab_unmap") || call->left-- != 0)
		return 0;
	call->happened = function;
	return EIO;
}
