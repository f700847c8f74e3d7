/* SPDX-License-Identifier: MIT */
/*
 * xen_events.c - what happens at an endpoint: watches, event channels, time
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "xen.h"

/* Devices that one dispatch() looks at: each costs a dozen questions. */
#define DEVICES_BUDGET 16

/* dispatch() has something to do, though no descriptor says so. */
void xen_wake(struct xen_endpoint *endpoint)
{
	static const uint64_t one = 1;

	if (write(endpoint->wake_fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

/* There is a log only within dispatch(): what comes before waits, the last of it. */
void xen_log(struct xen_endpoint *endpoint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(endpoint->line, sizeof(endpoint->line), format, args);
	va_end(args);
	if (!endpoint->dispatching) {
		xen_wake(endpoint);
		return;
	}
	if (endpoint->events->log)
		endpoint->events->log(endpoint->user, endpoint->line);
	endpoint->line[0] = '\0';
}

static void log_late(struct xen_endpoint *endpoint)
{
	if (endpoint->line[0] && endpoint->events->log)
		endpoint->events->log(endpoint->user, endpoint->line);
	endpoint->line[0] = '\0';
}

/* ---- event channels ----------------------------------------------------- */

static struct hdmabuf_link *find_link(struct xen_endpoint *endpoint, int port)
{
	struct hdmabuf_link *link;

	TAILQ_FOREACH(link, &endpoint->links, entry)
		if (link->page.port == port)
			return link;
	return NULL;
}

/* HDB-XEN-027: unmasked before anybody looks.  One that stays masked is deaf. */
static void take_port(struct xen_endpoint *endpoint, int port)
{
	struct hdmabuf_link *link = find_link(endpoint, port);
	int error = xenevtchn_unmask(endpoint->channels, (evtchn_port_t)port);

	if (!link || link->state != XEN_UP)
		return;
	if (error)
		xen_link_end(link, "its event channel fails: %s",
			     strerror(errno));
	link->look = true;
	xen_page_wait(&link->page, false);
}

/* The descriptor may block in spite of its mode, so it is asked each time. */
static void take_ports(struct xen_endpoint *endpoint)
{
	struct pollfd state = { .fd = xenevtchn_fd(endpoint->channels),
				.events = POLLIN };
	int i, port;

	for (i = 0; i < XEN_PORTS_BUDGET; i++) {
		if (poll(&state, 1, 0) <= 0)
			return;
		port = xenevtchn_pending(endpoint->channels);
		if (port < 0)
			return;
		take_port(endpoint, port);
	}
}

/* ---- watches ------------------------------------------------------------ */

static void take_watch(struct xen_endpoint *endpoint, const char *path,
		       const char *token)
{
	struct xen_device *device;

	if (!strcmp(token, XEN_TOKEN_DEVICES)) {
		endpoint->search |= xen_devices_mean(endpoint, path);
		return;
	}
	if (!strcmp(token, XEN_TOKEN_DOMAINS)) {
		endpoint->domains = true;
		return;
	}
	if (!strcmp(token, XEN_TOKEN_SELF)) {
		endpoint->self = true;
		return;
	}
	TAILQ_FOREACH(device, &endpoint->devices, entry)
		if (!strcmp(token, device->token))
			device->changed = true;
}

static void take_watches(struct xen_endpoint *endpoint)
{
	char **watch;
	int i;

	for (i = 0; i < XEN_WATCHES_BUDGET; i++) {
		watch = xs_check_watch(endpoint->store);
		if (!watch)
			return;
		take_watch(endpoint, watch[XS_WATCH_PATH],
			   watch[XS_WATCH_TOKEN]);
		free(watch);
	}
}

/* ---- what follows ------------------------------------------------------- */

static void check_domains(struct xen_endpoint *endpoint)
{
	struct hdmabuf_link *link;

	endpoint->domains = false;
	TAILQ_FOREACH(link, &endpoint->links, entry)
		xen_link_check_domain(link);
}

static struct xen_device *find_changed(struct xen_endpoint *endpoint,
				       uint64_t now)
{
	struct xen_device *device;

	TAILQ_FOREACH(device, &endpoint->devices, entry)
		if (device->changed || device->look_at <= now)
			return device;
	return NULL;
}

/* One that changes all the time goes behind the others. */
static void look_at_devices(struct xen_endpoint *endpoint)
{
	struct xen_device *device;
	uint64_t now = timer_now();
	int budget = DEVICES_BUDGET;

	while (budget-- && (device = find_changed(endpoint, now))) {
		TAILQ_REMOVE(&endpoint->devices, device, entry);
		TAILQ_INSERT_TAIL(&endpoint->devices, device, entry);
		xen_device_look(device, now);
	}
	if (find_changed(endpoint, now))
		xen_wake(endpoint);
}

static void check_links(struct xen_endpoint *endpoint)
{
	struct hdmabuf_link *link;

	TAILQ_FOREACH(link, &endpoint->links, entry)
		xen_link_check(link);
}

static struct hdmabuf_link *find_unreported(struct xen_endpoint *endpoint)
{
	struct hdmabuf_link *link;

	TAILQ_FOREACH(link, &endpoint->links, entry)
		if (xen_link_is_unreported(link))
			return link;
	return NULL;
}

/* Searched anew each time: a report may free any link. */
static void report_links(struct xen_endpoint *endpoint)
{
	struct hdmabuf_link *link;
	int budget = XEN_DEVICES_MAX;

	while (budget-- && (link = find_unreported(endpoint)))
		xen_link_report(link);
	if (find_unreported(endpoint))
		xen_wake(endpoint);
}

static void follow_up(struct xen_endpoint *endpoint)
{
	if (endpoint->self)
		xen_check_self(endpoint);
	if (endpoint->search || endpoint->search_at <= timer_now())
		xen_devices_search(endpoint);
	if (endpoint->domains)
		check_domains(endpoint);
	look_at_devices(endpoint);
	check_links(endpoint);
	report_links(endpoint);
}

/* ---- dispatch ----------------------------------------------------------- */

static void take(struct xen_endpoint *endpoint, enum xen_source source)
{
	uint64_t count;

	switch (source) {
	case XEN_STORE:
		take_watches(endpoint);
		break;
	case XEN_CHANNELS:
		take_ports(endpoint);
		break;
	case XEN_TIMER:
		timer_take(endpoint->timer_fd, &endpoint->timer_at);
		break;
	case XEN_WAKE:
		if (read(endpoint->wake_fd, &count, sizeof(count)) < 0)
			return; /* somebody has read it */
		break;
	}
}

static uint64_t next_deadline(const struct xen_endpoint *endpoint)
{
	const struct xen_device *device;
	uint64_t next = endpoint->search_at;

	TAILQ_FOREACH(device, &endpoint->devices, entry)
		if (device->look_at < next)
			next = device->look_at;
	return next;
}

/* Links that were freed while they were reported. */
static void bury(struct xen_endpoint *endpoint)
{
	struct hdmabuf_link *link;

	while ((link = TAILQ_FIRST(&endpoint->buried))) {
		TAILQ_REMOVE(&endpoint->buried, link, entry);
		free(link);
	}
}

int xen_dispatch(void *context, const struct hdmabuf_platform_events *events,
		 void *user)
{
	struct xen_endpoint *endpoint = context;
	struct epoll_event ready[XEN_SOURCES];
	int count = epoll_wait(endpoint->epoll_fd, ready, XEN_SOURCES, 0);
	int i;

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	endpoint->events = events;
	endpoint->user = user;
	endpoint->dispatching = true;
	log_late(endpoint);
	for (i = 0; i < count; i++)
		take(endpoint, (enum xen_source)ready[i].data.u32);
	follow_up(endpoint);
	endpoint->dispatching = false;
	endpoint->events = NULL;
	bury(endpoint);
	timer_set(endpoint->timer_fd, next_deadline(endpoint),
		  &endpoint->timer_at);
	return 0;
}
