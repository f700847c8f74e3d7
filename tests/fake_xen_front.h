/* SPDX-License-Identifier: MIT */
/*
 * fake_xen_front.h - a frontend of displif or sndif, of which a test decides what it does
 *
 * Rings, event pages and states as Linux's drivers have them, and a backend in the same
 * process, which is given its turns.
 */
#ifndef HDMABUF_TESTS_FAKE_XEN_FRONT_H
#define HDMABUF_TESTS_FAKE_XEN_FRONT_H

#include "reference-backend/xen_bus.h"
#include "reference-backend/xen_ring.h"
#include "tests/fake_xen.h"

#define FRONT_DOMAIN 7
#define FRONT_RINGS  4

/* A connector's, or a stream's. */
struct fake_ring {
	char below[16];
	struct hdmabuf_ring ring;
	uint8_t *ring_page;
	uint8_t *event_page;
	uint32_t refs[2];
	int ports[2];
	uint16_t next_id;
	uint32_t events; /* that were taken */
};

struct front {
	const char *class_name;
	const struct front_nodes *nodes;
	struct bus *bus;
	int process;
	struct xs_handle *store;
	xenevtchn_handle *channels;
	struct hdmabuf_gref_peer peer; /* the backend */
	struct fake_ring rings[FRONT_RINGS];
	size_t count;
};

/* The device has to be there; the bus is that of the backend. */
void front_open(struct front *front, struct bus *bus, const char *class_name,
		const struct front_nodes *nodes);
/* As the end of a driver: without a word. */
void front_close(struct front *front);

/* Of its own node, and of the backend's. */
void front_set_state(struct front *front, enum bus_state state);
enum bus_state front_back_state(struct front *front);
/* A node that the toolstack makes. */
void front_configure(struct front *front, const char *name, const char *value);

/* A new ring and event page, below that directory, published. */
struct fake_ring *front_publish(struct front *front, const char *below);
/* All of them end. */
void front_forget(struct front *front);
/* Through InitWait and Initialised to Connected, with what was published. */
void front_connect(struct front *front);

/* Lets the backend do what there is to do. */
void front_turn(struct front *front);

/* Sends a request, of which it returns the id; the backend has not seen it yet. */
uint16_t front_send(struct front *front, struct fake_ring *ring,
		    uint8_t operation, const void *payload, size_t octets);

/* Sends a request, with an id of its own; returns the status of the response. */
int32_t front_request(struct front *front, struct fake_ring *ring,
		      uint8_t operation, const void *payload, size_t octets,
		      struct front_message *response);

/* The next event, as Linux's drivers take them; false if there is none. */
bool front_event(struct fake_ring *ring, struct front_message *event);

/* A call of the libraries that fails: which, counted from 0, and its name when it has. */
struct failing_call {
	int left;
	const char *happened;
};

/*
 * For fake_xen_fail(), with that as its user. Of what is unmapped, the kernel does not
 * refuse to take it.
 */
int failing_call(void *user, const char *function);

#endif
