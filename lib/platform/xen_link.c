/* SPDX-License-Identifier: MIT */
/*
 * xen_link.c - life of a link
 *
 * A link is UP as long as both ends are there, or may come: a backend's from when
 * its device is listed, a frontend's from when there is an offer.  It is OVER
 * until its owner frees it: in that time the owner lets go of its mappings, and
 * learns that the other end has done so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen.h"

static bool is_frontend(const struct hdmabuf_link *link)
{
	return link->endpoint->role == HDMABUF_FRONTEND;
}

/* ---- coming up ---------------------------------------------------------- */

/* What the frontend does first; the backend waits for it. */
static int prepare(struct hdmabuf_link *link, const struct xen_record *offer)
{
	if (!is_frontend(link))
		return 0;
	link->record = *offer;
	link->record_changed = true;
	return xen_page_make(link, offer);
}

struct hdmabuf_link *xen_link_new(struct xen_device *device,
				  const struct xen_record *offer)
{
	struct xen_endpoint *endpoint = device->endpoint;
	struct hdmabuf_link *link = calloc(1, sizeof(*link));
	int error;

	if (!link)
		return NULL;
	link->endpoint = endpoint;
	link->device = device;
	link->domain = device->domain;
	link->number = device->number;
	xen_page_init(&link->page);
	LIST_INIT(&link->shares);
	LIST_INIT(&link->mappings);
	error = prepare(link, offer);
	if (error) {
		if (error != -ENOSPC)
			xen_log(endpoint, "cannot make a link to domain %u: %s",
				link->domain, strerror(-error));
		xen_page_release(link);
		free(link);
		return NULL;
	}
	link->up_at = timer_now();
	TAILQ_INSERT_TAIL(&endpoint->links, link, entry);
	return link;
}

/* ---- what the other end does -------------------------------------------- */

/* The owner is told by the next report. */
void xen_link_end(struct hdmabuf_link *link, const char *format, ...)
{
	va_list args;

	if (link->ending)
		return;
	link->ending = true;
	va_start(args, format);
	vsnprintf(link->why, sizeof(link->why), format, args);
	va_end(args);
}

/* It is tried again, for the fault may be this end's; it is told once. */
static void attach_later(struct hdmabuf_link *link, const char *wrong,
			 int error)
{
	struct xen_device *device = link->device;
	bool first = device->attach_ms == XEN_RETRY_MIN_MS;

	device->attach_at = timer_now() + device->attach_ms;
	device->look_at = device->attach_at;
	device->attach_ms = xen_retry_longer(device->attach_ms);
	if (!first || error == -ENOENT)
		return;
	if (wrong)
		xen_log(link->endpoint,
			"the link page of domain %u, device %u, has %s",
			link->domain, link->number, wrong);
	else
		xen_log(link->endpoint,
			"cannot attach to domain %u, device %u: %s; trying again",
			link->domain, link->number, strerror(-error));
}

static bool attach(struct hdmabuf_link *link, const struct xen_record *answer)
{
	struct xen_device *device = link->device;
	const char *wrong;
	int error;

	if (timer_now() < device->attach_at) {
		device->look_at = device->attach_at;
		return false;
	}
	error = xen_page_attach(link, answer, &wrong);
	if (error) {
		attach_later(link, wrong, error);
		return false;
	}
	device->attach_at = 0;
	device->attach_ms = XEN_RETRY_MIN_MS;
	link->attached = true;
	xen_store_connected(device);
	xen_link_notify(link);
	return true;
}

/* HDB-XEN-015: whether an answer is one, to us and over this link. */
static bool is_answer(struct hdmabuf_link *link,
		      const struct xen_record *record)
{
	if (!record->epoch || record->peer_epoch != link->own_epoch)
		return false;
	if (!link->attached)
		return attach(link, record);
	if (record->link == link->page.number)
		return true;
	xen_link_end(link, "the peer has begun anew");
	return false;
}

/* The other end has died or is leaving: its record is none from now on. */
static void bury(struct hdmabuf_link *link, uint8_t here)
{
	if (link->device && link->record.epoch)
		link->device->buried = link->record.epoch;
	xen_link_end(link, here == HDMABUF_XEN_LEAVING ? "the peer has left" :
							 "the peer is gone");
}

/*
 * A mark that is set says that the backend has been there, though nobody saw it: it sets
 * its octet before (HDB-XEN-017), so the octet is to be looked at after the mark.
 */
static bool has_attached(const struct hdmabuf_link *link)
{
	return xen_page_peer(&link->page) != HDMABUF_XEN_GONE ||
	       xen_shares_in_use(link);
}

/* HDB-XEN-020 */
static void check_peer(struct hdmabuf_link *link)
{
	uint8_t here;

	if (!link->attached && has_attached(link)) {
		link->attached = true;
		xen_store_connected(link->device);
	}
	here = xen_page_peer(&link->page);
	if (link->attached && here != HDMABUF_XEN_HERE)
		bury(link, here);
}

/* When neither has anything mapped, what both have in common goes too. */
void xen_link_check(struct hdmabuf_link *link)
{
	if (!link->page.page)
		return;
	if (link->state == XEN_UP && !link->ending)
		check_peer(link);
	if (link->state == XEN_OVER && LIST_EMPTY(&link->mappings) &&
	    xen_link_peer_is_done(link))
		xen_page_release(link);
}

/* HDB-XEN-022: another backend may have come that has never attached to this link. */
static bool suits(const struct hdmabuf_link *link,
		  const struct xen_record *offer)
{
	return !offer->epoch || xen_page_suits(&link->page, offer->use_pages);
}

/* What stands in XenStore for the other end. */
void xen_link_take(struct hdmabuf_link *link, const struct xen_record *record)
{
	static const struct xen_record none;

	if (link->state != XEN_UP || link->ending)
		return;
	if (!is_frontend(link) && !is_answer(link, record))
		record = &none;
	if (record->octets == link->record.octets &&
	    record->epoch == link->record.epoch)
		return;
	/* Who is gone by now made the record that was there, not this one. */
	xen_link_check(link);
	if (link->ending)
		return;
	if (is_frontend(link) && !suits(link, record)) {
		xen_link_end(link, "the peer asks for other pages of marks");
		return;
	}
	link->record = *record;
	link->record_changed = true;
}

/* ---- telling the owner -------------------------------------------------- */

static bool take(bool *flag)
{
	bool was = *flag;

	*flag = false;
	return was;
}

static void report_up(struct hdmabuf_link *link)
{
	struct xen_endpoint *endpoint = link->endpoint;

	if (link->ending)
		return;
	link->owner = endpoint->events->up(endpoint->user, link);
	if (!link->owner)
		xen_link_free(link);
}

static void report_end(struct hdmabuf_link *link)
{
	const struct hdmabuf_platform_events *events = link->endpoint->events;

	if (!link->owner) {
		xen_link_free(link);
		return;
	}
	xen_link_disconnect(link);
	events->down(link->owner, link->why);
}

bool xen_link_is_unreported(const struct hdmabuf_link *link)
{
	return link->state == XEN_UP && (!link->owner || link->record_changed ||
					 link->look || link->ending);
}

/* Every call may disconnect or free the link, hence all the looking again. */
void xen_link_report(struct hdmabuf_link *link)
{
	const struct hdmabuf_platform_events *events = link->endpoint->events;

	if (link->state == XEN_UP && !link->owner)
		report_up(link);
	if (link->state == XEN_UP && link->owner && take(&link->record_changed))
		events->record(link->owner);
	if (link->state == XEN_UP && link->owner &&
	    (take(&link->look) || link->ending))
		events->notified(link->owner);
	if (link->state == XEN_UP && link->ending)
		report_end(link);
}

/* ---- going down --------------------------------------------------------- */

/* HDB-XEN-019: tells the peer that nothing of it is mapped any more. */
void xen_link_finish(struct hdmabuf_link *link)
{
	if (link->state != XEN_OVER || !link->page.page)
		return;
	if (LIST_EMPTY(&link->mappings))
		xen_page_set(&link->page, HDMABUF_XEN_GONE);
	xen_link_notify(link);
}

void xen_link_disconnect(struct hdmabuf_link *link)
{
	struct xen_device *device = link->device;

	if (link->state >= XEN_OVER)
		return;
	link->state = XEN_OVER;
	link->ending = true;
	link->device = NULL;
	if (link->page.page)
		xen_page_set(&link->page, HDMABUF_XEN_LEAVING);
	xen_link_finish(link);
	if (device) {
		xen_store_withdraw(device, HDMABUF_XEN_INITIALISING);
		xen_device_between_links(device, timer_now() - link->up_at >
							 XEN_RETRY_MAX_MS);
	}
}

/*
 * HDB-XEN-028: whether there is no such domain any more.  XenStore does not answer
 * everyone; then Xen says whether there is somebody to bind a channel to.
 */
static bool domain_is_gone(struct hdmabuf_link *link)
{
	struct xen_endpoint *endpoint = link->endpoint;
	int port;

	errno = 0;
	if (xs_is_domain_introduced(endpoint->store, link->domain))
		return false;
	if (!errno)
		return true;
	port = xenevtchn_bind_interdomain(endpoint->channels, link->domain, 0);
	if (port < 0)
		return errno == ESRCH;
	xenevtchn_unbind(endpoint->channels, (evtchn_port_t)port);
	return false;
}

void xen_link_check_domain(struct hdmabuf_link *link)
{
	link->asked_at = timer_now();
	if (link->peer_is_done || !domain_is_gone(link))
		return;
	link->peer_is_done = true;
	if (link->state == XEN_UP)
		xen_link_end(link, "domain %u is no more", link->domain);
}

/* HDB-XEN-024: whether the other end can have nothing mapped any more. */
bool xen_link_peer_is_done(struct hdmabuf_link *link)
{
	if (link->peer_is_done)
		return true;
	if (!link->page.page ||
	    xen_page_peer(&link->page) == HDMABUF_XEN_GONE) {
		link->peer_is_done = link->state == XEN_OVER;
		return true;
	}
	if (link->state == XEN_OVER &&
	    timer_now() - link->asked_at > XEN_RETRY_MAX_MS)
		xen_link_check_domain(link);
	return link->peer_is_done;
}

void xen_link_free(struct hdmabuf_link *link)
{
	struct xen_endpoint *endpoint = link->endpoint;

	xen_link_disconnect(link);
	xen_mappings_drop(link);
	xen_shares_drop(link);
	xen_page_release(link);
	link->state = XEN_FREED;
	TAILQ_REMOVE(&endpoint->links, link, entry);
	if (endpoint->dispatching)
		TAILQ_INSERT_TAIL(&endpoint->buried, link, entry);
	else
		free(link);
	xen_wake(endpoint);
}

/* ---- the owner's -------------------------------------------------------- */

void xen_link_peer(struct hdmabuf_link *link, char *text, size_t size)
{
	snprintf(text, size, "domain %u, device %u", link->domain,
		 link->number);
}

int xen_link_publish(struct hdmabuf_link *link, const char *text, size_t octets)
{
	int error;

	if (octets > HDMABUF_RECORD_OCTETS)
		return -E2BIG;
	if (link->state != XEN_UP || link->ending || !link->device)
		return -ENOTCONN;
	if (!octets) {
		link->own_epoch = 0;
		return xen_store_withdraw(link->device,
					  HDMABUF_XEN_INITIALISING);
	}
	error = xen_store_publish(link, text, octets);
	if (!error)
		link->own_epoch = xen_store_epoch(text, octets);
	else if (error != -EAGAIN && error != -ENOTCONN)
		xen_log(link->endpoint, "cannot write to %s in XenStore: %s",
			link->device->own, strerror(-error));
	return error;
}

/* A record that the caller has no room for is none. */
size_t xen_link_record(struct hdmabuf_link *link, char *text, size_t size)
{
	if (link->state != XEN_UP || link->record.octets > size)
		return 0;
	memcpy(text, link->record.text, link->record.octets);
	return link->record.octets;
}

int xen_link_notify(struct hdmabuf_link *link)
{
	if (link->page.port < 0)
		return 0;
	return xenevtchn_notify(link->endpoint->channels,
				(evtchn_port_t)link->page.port) ?
		       -errno :
		       0;
}
