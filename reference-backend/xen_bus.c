/* SPDX-License-Identifier: MIT */

#define _GNU_SOURCE /* ppoll */

#include "reference-backend/xen_bus.h"
#include "reference-common/parse.h"
#include "reference-common/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define SECOND 1000000000u

/* What one dispatch takes before others have their turn. */
#define WATCHES_BUDGET 256
#define PORTS_BUDGET   64

/* ---- What is told ------------------------------------------------------- */

static void say(struct bus_device *device, const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	peer_note(device->bus->peer, "%s: %s", device->name, text);
}

void bus_tell(struct bus_device *device, const char *format, ...)
{
	va_list args;

	if (!device->bus->peer->options->verbose)
		return;
	va_start(args, format);
	say(device, format, args);
	va_end(args);
}

int bus_note(struct bus_device *device, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(device, format, args);
	va_end(args);
	return -1;
}

static int unavailable(struct bus *bus, const char *what, const char *remedy)
{
	peer_fail(bus->peer, EX_UNAVAILABLE, "cannot open %s: %s; %s", what,
		  strerror(errno), remedy);
	return EX_UNAVAILABLE;
}

/* ---- XenStore ----------------------------------------------------------- */

static bool take_text(char *text, size_t size, const char *value,
		      unsigned int octets)
{
	unsigned int i;

	*text = '\0';
	if (octets >= size)
		return false;
	for (i = 0; i < octets; i++)
		if (value[i] < ' ' || value[i] > '~')
			return false;
	memcpy(text, value, octets);
	text[octets] = '\0';
	return true;
}

static bool read_text(struct bus *bus, const char *path, char *text,
		      size_t size)
{
	unsigned int octets;
	char *value = xs_read(bus->store, XBT_NULL, path, &octets);
	bool good = value && take_text(text, size, value, octets);

	if (!good)
		*text = '\0';
	free(value);
	return good;
}

static bool read_number(struct bus *bus, const char *path, uint32_t *number)
{
	char text[16];
	const char *cursor = text;

	return read_text(bus, path, text, sizeof(text)) &&
	       parse_u32(&cursor, number) && !*cursor;
}

bool bus_read(struct bus_device *device, const char *below, const char *name,
	      char *text, size_t size)
{
	char path[2 * BUS_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s%s", device->front, below, name);
	return read_text(device->bus, path, text, size);
}

bool bus_read_number(struct bus_device *device, const char *below,
		     const char *name, uint32_t *number)
{
	char path[2 * BUS_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s%s", device->front, below, name);
	return read_number(device->bus, path, number);
}

static uint32_t read_own(struct bus_device *device, const char *name,
			 uint32_t without)
{
	char path[2 * BUS_PATH_SIZE];
	uint32_t number;

	snprintf(path, sizeof(path), "%s/%s", device->back, name);
	return read_number(device->bus, path, &number) ? number : without;
}

static void write_own(struct bus_device *device, const char *name,
		      const char *value)
{
	char path[2 * BUS_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", device->back, name);
	if (!xs_write(device->bus->store, XBT_NULL, path, value,
		      (unsigned int)strlen(value)))
		bus_note(device, "cannot write %s: %s", path, strerror(errno));
}

/* ---- States ------------------------------------------------------------- */

static const char *state_text(uint32_t state)
{
	static const char *const texts[] = {
		"Unknown",     "Initialising",	"InitWait",
		"Initialised", "Connected",	"Closing",
		"Closed",      "Reconfiguring", "Reconfigured",
	};

	return state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "?";
}

static enum bus_state front_state(struct bus_device *device)
{
	uint32_t state;

	if (!bus_read_number(device, "", "state", &state) ||
	    state > BUS_RECONFIGURED)
		return BUS_UNKNOWN;
	return (enum bus_state)state;
}

static void set_state(struct bus_device *device, enum bus_state state)
{
	char text[4];

	device->state = state;
	snprintf(text, sizeof(text), "%d", state);
	write_own(device, "state", text);
	bus_tell(device, "is %s", state_text(state));
}

static void disconnect(struct bus_device *device)
{
	if (device->state != BUS_CONNECTED)
		return;
	device->state = BUS_UNKNOWN;
	device->bus->class->disconnect(device);
	device->bus->peer->open_sessions--;
}

/* A frontend that holds on to something of the last connection has to let go. */
static bool holds_on(enum bus_state front)
{
	return front == BUS_CONNECTED || front == BUS_RECONFIGURING ||
	       front == BUS_RECONFIGURED;
}

static void wait_for_frontend(struct bus_device *device, enum bus_state front)
{
	enum bus_state state = holds_on(front) ? BUS_INITIALISING :
						 BUS_INIT_WAIT;

	if (device->state == state)
		return;
	if (state == BUS_INIT_WAIT)
		write_own(device, "versions", device->bus->class->versions);
	else
		bus_tell(device,
			 "waits until the frontend, which is %s, lets go",
			 state_text(front));
	set_state(device, state);
}

static void try_to_connect(struct bus_device *device)
{
	device->seen_connected = false;
	if (device->bus->class->connect(device)) {
		set_state(device, BUS_CLOSED);
		return;
	}
	device->bus->peer->sessions++;
	device->bus->peer->open_sessions++;
	set_state(device, BUS_CONNECTED);
}

/* One that was connected and is Initialised has new rings. */
static bool is_the_same_connection(struct bus_device *device,
				   enum bus_state front)
{
	bool connected = front == BUS_CONNECTED;

	if (front == BUS_INITIALISED && device->seen_connected)
		return false;
	device->seen_connected |= connected;
	return connected || front == BUS_INITIALISED;
}

/* The toolstack wants it to go: when this end is Closed, it removes the nodes. */
static bool is_to_go(struct bus_device *device)
{
	return !read_own(device, "online", 1) ||
	       read_own(device, "state", BUS_UNKNOWN) == BUS_CLOSING;
}

static void look(struct bus_device *device)
{
	enum bus_state front = front_state(device);

	if (is_to_go(device)) {
		disconnect(device);
		if (device->state != BUS_CLOSED ||
		    read_own(device, "state", BUS_UNKNOWN) != BUS_CLOSED)
			set_state(device, BUS_CLOSED);
		return;
	}
	if (device->state == BUS_CONNECTED) {
		if (is_the_same_connection(device, front))
			return;
		bus_tell(device, "the frontend is %s", state_text(front));
		disconnect(device);
	}
	if (front != BUS_INITIALISED)
		wait_for_frontend(device, front);
	else if (device->state != BUS_CLOSED)
		try_to_connect(device);
}

/* Until the frontend begins anew. */
void bus_give_up(struct bus_device *device)
{
	disconnect(device);
	set_state(device, BUS_CLOSED);
}

/* ---- Devices ------------------------------------------------------------ */

static struct bus_device *find(struct bus *bus, uint32_t domain,
			       uint32_t number)
{
	struct bus_device *device;

	TAILQ_FOREACH(device, &bus->devices, entry)
		if (device->peer.domain == domain && device->number == number)
			return device;
	return NULL;
}

static void watch_token(const struct bus_device *device, char *token,
			size_t size)
{
	snprintf(token, size, "%u/%u", device->peer.domain, device->number);
}

/* The frontend's directory is where the toolstack puts it, whatever else is said. */
static struct bus_device *device_new(struct bus *bus, uint32_t domain,
				     uint32_t number)
{
	struct bus_device *device = calloc(1, sizeof(*device));
	char token[32], path[2 * BUS_PATH_SIZE];

	if (!device)
		return NULL;
	device->bus = bus;
	device->number = number;
	device->peer = (struct hdmabuf_gref_peer){ .grants = bus->grants,
						   .shares = bus->shares,
						   .domain = domain };
	snprintf(device->front, sizeof(device->front),
		 "/local/domain/%u/device/%s/%u", domain, bus->class->name,
		 number);
	snprintf(device->back, sizeof(device->back), "%s/%u/%u", bus->root,
		 domain, number);
	snprintf(device->name, sizeof(device->name), "domain %u, device %u",
		 domain, number);
	watch_token(device, token, sizeof(token));
	snprintf(path, sizeof(path), "%s/state", device->front);
	if (!xs_watch(bus->store, path, token)) {
		free(device);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&bus->devices, device, entry);
	bus->count++;
	return device;
}

static void device_free(struct bus_device *device)
{
	struct bus *bus = device->bus;
	char token[32], path[2 * BUS_PATH_SIZE];

	disconnect(device);
	watch_token(device, token, sizeof(token));
	snprintf(path, sizeof(path), "%s/state", device->front);
	xs_unwatch(bus->store, path, token);
	TAILQ_REMOVE(&bus->devices, device, entry);
	bus->count--;
	free(device);
}

static char **list(struct bus *bus, const char *path, unsigned int *count)
{
	char **names = xs_directory(bus->store, XBT_NULL, path, count);

	if (!names)
		*count = 0;
	return names;
}

static void found(struct bus *bus, uint32_t domain, uint32_t number)
{
	struct bus_device *device = find(bus, domain, number);

	if (!device && bus->count < BUS_DEVICES_MAX)
		device = device_new(bus, domain, number);
	if (device)
		device->listed = read_own(device, "frontend-id", UINT32_MAX) ==
				 domain;
}

static void search_domain(struct bus *bus, uint32_t domain)
{
	char path[2 * BUS_PATH_SIZE];
	unsigned int count, i;
	char **names;
	uint32_t number;

	snprintf(path, sizeof(path), "%s/%u", bus->root, domain);
	names = list(bus, path, &count);
	for (i = 0; i < count; i++) {
		const char *cursor = names[i];

		if (parse_u32(&cursor, &number) && !*cursor &&
		    (bus->only_number == UINT32_MAX ||
		     bus->only_number == number))
			found(bus, domain, number);
	}
	free(names);
}

static void search(struct bus *bus)
{
	struct bus_device *device, *next;
	unsigned int count, i;
	char **names = list(bus, bus->root, &count);
	uint32_t domain;

	TAILQ_FOREACH(device, &bus->devices, entry)
		device->listed = false;
	for (i = 0; i < count; i++) {
		const char *cursor = names[i];

		if (parse_u32(&cursor, &domain) && !*cursor &&
		    (bus->only_domain == UINT32_MAX ||
		     bus->only_domain == domain))
			search_domain(bus, domain);
	}
	free(names);
	for (device = TAILQ_FIRST(&bus->devices); device; device = next) {
		next = TAILQ_NEXT(device, entry);
		if (device->listed) {
			look(device);
			continue;
		}
		bus_tell(device, "was removed");
		device_free(device);
	}
}

/* ---- What happens ------------------------------------------------------- */

/* Whichever it is: there are few devices, and all are looked at. */
static bool take_watches(struct bus *bus)
{
	int budget = WATCHES_BUDGET;
	bool any = false;
	char **watch;

	while (budget-- && (watch = xs_check_watch(bus->store))) {
		any = true;
		free(watch);
	}
	return any;
}

static void take_event(struct bus *bus, evtchn_port_t port)
{
	struct bus_device *device, *next;

	for (device = TAILQ_FIRST(&bus->devices); device; device = next) {
		next = TAILQ_NEXT(device, entry);
		if (device->state == BUS_CONNECTED &&
		    bus->class->event(device, port))
			bus_give_up(device);
	}
}

static bool is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

static void take_events(struct bus *bus)
{
	int budget = PORTS_BUDGET;

	while (budget-- && is_readable(xenevtchn_fd(bus->channels))) {
		int port = xenevtchn_pending(bus->channels);

		if (port < 0)
			return;
		xenevtchn_unmask(bus->channels, (evtchn_port_t)port);
		take_event(bus, (evtchn_port_t)port);
	}
}

uint64_t bus_dispatch(struct bus *bus)
{
	if (take_watches(bus))
		search(bus);
	take_events(bus);
	return bus->class->work(bus, progress_now());
}

/* ---- Beginning and end -------------------------------------------------- */

/* xen:, xen:DOMAIN, xen:DOMAIN/DEVICE */
static bool parse_address(struct bus *bus, const char *text)
{
	bus->only_domain = bus->only_number = UINT32_MAX;
	if (strncmp(text, "xen:", 4))
		return false;
	text += 4;
	if (!*text)
		return true;
	if (!parse_u32(&text, &bus->only_domain))
		return false;
	if (!*text)
		return true;
	return *text++ == '/' && parse_u32(&text, &bus->only_number) && !*text;
}

static int open_libraries(struct bus *bus)
{
	bus->store = xs_open(0);
	if (!bus->store)
		return unavailable(
			bus, "XenStore",
			"this has to be a domain of Xen, and xenstored has to run");
	bus->channels = xenevtchn_open(NULL, 0);
	if (!bus->channels)
		return unavailable(bus, "/dev/xen/evtchn",
				   "load the module xen-evtchn, and be root");
	bus->grants = xengnttab_open(NULL, 0);
	if (!bus->grants)
		return unavailable(bus, "/dev/xen/gntdev",
				   "load the module xen-gntdev, and be root");
	bus->shares = xengntshr_open(NULL, 0);
	if (!bus->shares)
		peer_note(
			bus->peer,
			"cannot open /dev/xen/gntalloc: %s; buffers of frontends can be mapped, but none allocated here: load the module xen-gntalloc",
			strerror(errno));
	return 0;
}

int bus_open(struct bus *bus, struct peer *peer, const struct bus_class *class)
{
	int status;

	*bus = (struct bus){ .peer = peer, .class = class };
	TAILQ_INIT(&bus->devices);
	if (!parse_address(bus, peer->options->platform)) {
		peer_fail(
			peer, EX_USAGE,
			"'%s': with --protocol %s, write xen:, xen:DOMAIN or xen:DOMAIN/DEVICE, with numbers",
			peer->options->platform, class->protocol);
		return EX_USAGE;
	}
	status = open_libraries(bus);
	if (status)
		return status;
	if (!read_number(bus, "domid", &bus->domain)) {
		errno = ENOENT;
		return unavailable(bus, "'domid' in XenStore",
				   "in domain 0, xen-init-dom0 writes it");
	}
	snprintf(bus->root, sizeof(bus->root), "/local/domain/%u/backend/%s",
		 bus->domain, class->name);
	if (!xs_watch(bus->store, bus->root, "devices"))
		return unavailable(bus, bus->root, "XenStore has no room");
	return class->open(bus);
}

void bus_close(struct bus *bus)
{
	struct bus_device *device;

	while ((device = TAILQ_FIRST(&bus->devices))) {
		bool was_connected = device->state == BUS_CONNECTED;

		disconnect(device);
		if (was_connected || device->state == BUS_INIT_WAIT)
			set_state(device, BUS_CLOSED);
		device_free(device);
	}
	if (bus->context)
		bus->class->close(bus);
	if (bus->shares)
		xengntshr_close(bus->shares);
	if (bus->grants)
		xengnttab_close(bus->grants);
	if (bus->channels)
		xenevtchn_close(bus->channels);
	xs_close(bus->store);
}

static void wait_until(struct bus *bus, uint64_t wanted)
{
	struct pollfd fds[] = {
		{ .fd = bus->peer->signals, .events = POLLIN },
		{ .fd = xs_fileno(bus->store), .events = POLLIN },
		{ .fd = xenevtchn_fd(bus->channels), .events = POLLIN },
	};
	uint64_t now = progress_now();
	uint64_t left = wanted > now ? wanted - now : 0;
	struct timespec time = { .tv_sec = (time_t)(left / SECOND),
				 .tv_nsec = (long)(left % SECOND) };

	ppoll(fds, sizeof(fds) / sizeof(fds[0]),
	      wanted == PEER_NEVER ? NULL : &time, NULL);
}

/* With --once, it is over when the first frontend has gone. */
static bool is_over(struct bus *bus)
{
	struct peer *peer = bus->peer;

	return peer->stopping || peer_interrupted(peer) || peer->status ||
	       (peer->options->once && peer->sessions && !peer->open_sessions);
}

static void run_bus(struct peer *peer, const struct bus_class *class)
{
	struct bus bus;

	if (!bus_open(&bus, peer, class)) {
		peer_tell(peer, "waiting at %s for frontends of %s", bus.root,
			  class->protocol);
		while (!is_over(&bus))
			wait_until(&bus, bus_dispatch(&bus));
	}
	bus_close(&bus);
}

int bus_run(const struct options *options, const struct bus_class *class)
{
	struct peer peer = { .options = options };
	struct failure failure;

	progress_start(&peer.progress, stderr, progress_now());
	peer.signals = signals_open(&failure);
	if (peer.signals < 0) {
		peer_fail(&peer, EX_UNAVAILABLE, "%s", failure.text);
		return peer.status;
	}
	run_bus(&peer, class);
	signals_close(peer.signals);
	return peer.status;
}
