/* SPDX-License-Identifier: MIT */
/*
 * Backends of Xen's own device classes, in user space: the devices that the toolstack
 * lists for this domain, the states of both ends in XenStore (XenBus), and what is
 * needed to connect. What a class does with a device that is connected is in
 * xen_displif.c and xen_sndif.c.
 *
 * A device goes from state to state here only, and its frontend's state is all that
 * decides. It connects when the frontend is Initialised, and disconnects when it is
 * neither that nor Connected any more. A backend that finds a frontend in use by one
 * before it tells it so (Initialising), and waits until it has let go: Linux's display
 * driver may be Reconfiguring for as long as a program has it open.
 */

#ifndef REFERENCE_BACKEND_XEN_BUS_H
#define REFERENCE_BACKEND_XEN_BUS_H

#include "reference-common/peer.h"

#include <sys/queue.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include <hdmabuf/gref_buffer.h>

/* What there is at most, of all frontends. */
#define BUS_DEVICES_MAX 64

#define BUS_ROOT_SIZE 64
#define BUS_PATH_SIZE 96

/* XenbusState */
enum bus_state {
	BUS_UNKNOWN = 0,
	BUS_INITIALISING = 1,
	BUS_INIT_WAIT = 2,
	BUS_INITIALISED = 3,
	BUS_CONNECTED = 4,
	BUS_CLOSING = 5,
	BUS_CLOSED = 6,
	BUS_RECONFIGURING = 7,
	BUS_RECONFIGURED = 8,
};

struct bus;
struct bus_device;

/**
 * struct bus_class - a device class
 * @name: as in XenStore, "vdispl"
 * @protocol: as people call it, "displif"
 * @versions: of the protocol that are spoken, "1,2"
 * @open: what all devices have in common. Returns 0, or the exit status, having said
 *	why
 * @connect: the frontend has published how. Returns 0, or -1, having said why and
 *	left nothing behind
 * @disconnect: give all back; the device may connect again
 * @event: one of the device's event channels was notified. Returns 0, or -1 if the
 *	frontend has broken the protocol, having said how: it is disconnected
 * @work: do what is due. Returns when it wants to be called in any case
 * @close: all devices are disconnected
 */
struct bus_class {
	const char *name;
	const char *protocol;
	const char *versions;
	int (*open)(struct bus *bus);
	int (*connect)(struct bus_device *device);
	void (*disconnect)(struct bus_device *device);
	int (*event)(struct bus_device *device, evtchn_port_t port);
	uint64_t (*work)(struct bus *bus, uint64_t now);
	void (*close)(struct bus *bus);
};

/**
 * struct bus_device - a device of a frontend
 * @entry: in the bus's list
 * @bus: the bus
 * @context: the class's own, while it is connected
 * @peer: with whom buffers are shared
 * @number: among the frontend's devices of this class
 * @front: directory of the frontend
 * @back: directory of this end
 * @name: "domain 7, device 0"
 * @state: of this end, BUS_UNKNOWN if it has said nothing yet
 * @seen_connected: the frontend was, since this end is
 * @listed: by the toolstack, when it was looked at last
 */
struct bus_device {
	TAILQ_ENTRY(bus_device) entry;
	struct bus *bus;
	void *context;
	struct hdmabuf_gref_peer peer;
	uint32_t number;
	char front[BUS_PATH_SIZE];
	char back[BUS_PATH_SIZE];
	char name[40];
	enum bus_state state;
	bool seen_connected;
	bool listed;
};

TAILQ_HEAD(bus_devices, bus_device);

/**
 * struct bus - all devices of a class that this domain is the backend of
 * @peer: the program
 * @class: the class
 * @context: the class's own
 * @store: XenStore
 * @channels: event channels
 * @grants: gntdev
 * @shares: gntalloc; NULL if there is none: nothing can be allocated here then
 * @domain: this one
 * @only_domain: the only frontend that counts, or UINT32_MAX
 * @only_number: the only device that counts, or UINT32_MAX
 * @root: of the directories of this end
 * @devices: those that there are
 * @count: how many
 */
struct bus {
	struct peer *peer;
	const struct bus_class *class;
	void *context;
	struct xs_handle *store;
	xenevtchn_handle *channels;
	xengnttab_handle *grants;
	xengntshr_handle *shares;
	uint32_t domain;
	uint32_t only_domain;
	uint32_t only_number;
	char root[BUS_ROOT_SIZE];
	struct bus_devices devices;
	size_t count;
};

extern const struct bus_class displif_class;
extern const struct bus_class sndif_class;

/**
 * bus_run() - be the backend of a class until a signal comes
 * @options: what the user asked for
 * @class: the class
 *
 * Return: the exit status.
 */
int bus_run(const struct options *options, const struct bus_class *class);

/**
 * bus_open() - begin, without waiting for anything
 * @bus: filled in
 * @peer: the program, whose options name the devices
 * @class: the class
 *
 * Return: 0, or the exit status, having said why.
 */
int bus_open(struct bus *bus, struct peer *peer, const struct bus_class *class);

/**
 * bus_dispatch() - do what has come up; does not block
 * @bus: open
 *
 * Return: when it wants to be called in any case, as of progress_now()
 */
uint64_t bus_dispatch(struct bus *bus);

/**
 * bus_close() - tell all frontends, and give all back
 * @bus: from bus_open(), whatever that returned
 */
void bus_close(struct bus *bus);

/**
 * bus_read() - read a node of the frontend
 * @device: the device
 * @below: between its directory and the node, as "0/", or ""
 * @name: of the node
 * @text: receives its value: printable, terminated, "" if there is none
 * @size: of @text
 *
 * Return: whether there is one, and it fits.
 */
bool bus_read(struct bus_device *device, const char *below, const char *name,
	      char *text, size_t size);

/**
 * bus_read_number() - read a node of the frontend that is a number
 * @device: the device
 * @below: between its directory and the node, or ""
 * @name: of the node
 * @number: receives it
 *
 * Return: whether there is one that is.
 */
bool bus_read_number(struct bus_device *device, const char *below,
		     const char *name, uint32_t *number);

/**
 * bus_give_up() - disconnect a frontend that has broken the protocol
 * @device: connected; it may connect again when the frontend begins anew
 */
void bus_give_up(struct bus_device *device);

/**
 * bus_tell() - tell of a device, with --verbose
 * @device: the device
 * @format: as for printf(), without a newline
 */
void bus_tell(struct bus_device *device, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * bus_note() - tell what is wrong with a device
 * @device: the device
 * @format: as for printf(), without a newline
 *
 * Return: always -1.
 */
int bus_note(struct bus_device *device, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
