/* SPDX-License-Identifier: MIT */
/*
 * xen_device.c - devices that XenStore lists, and when a link to one may come
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen.h"

uint64_t xen_retry_longer(uint64_t ms)
{
	return 2 * ms < XEN_RETRY_MAX_MS ? 2 * ms : XEN_RETRY_MAX_MS;
}

/* ---- devices come and go ------------------------------------------------ */

static void paths_make(struct xen_device *device)
{
	struct xen_endpoint *endpoint = device->endpoint;
	bool frontend = endpoint->role == HDMABUF_FRONTEND;
	uint32_t front = frontend ? endpoint->domain : device->domain;
	uint32_t back = frontend ? device->domain : endpoint->domain;
	char *of_front = frontend ? device->own : device->peer;
	char *of_back = frontend ? device->peer : device->own;

	snprintf(of_front, XEN_PATH_OCTETS,
		 "/local/domain/%u/device/" HDMABUF_XEN_CLASS "/%u", front,
		 device->number);
	snprintf(of_back, XEN_PATH_OCTETS,
		 "/local/domain/%u/backend/" HDMABUF_XEN_CLASS "/%u/%u", back,
		 front, device->number);
	snprintf(device->token, sizeof(device->token), "%u/%u", device->domain,
		 device->number);
}

static struct xen_device *device_new(struct xen_endpoint *endpoint,
				     uint32_t domain, uint32_t number)
{
	struct xen_device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->endpoint = endpoint;
	device->domain = domain;
	device->number = number;
	device->look_at = TIMER_NEVER;
	device->retry_ms = device->attach_ms = XEN_RETRY_MIN_MS;
	paths_make(device);
	if (!xs_watch(endpoint->store, device->peer, device->token)) {
		free(device);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&endpoint->devices, device, entry);
	endpoint->device_count++;
	return device;
}

void xen_device_free(struct xen_device *device)
{
	struct xen_endpoint *endpoint = device->endpoint;

	if (device->link) {
		device->link->device = NULL;
		xen_link_end(device->link, "the device was removed");
	}
	xs_unwatch(endpoint->store, device->peer, device->token);
	TAILQ_REMOVE(&endpoint->devices, device, entry);
	endpoint->device_count--;
	free(device);
}

static struct xen_device *find(const struct xen_endpoint *endpoint,
			       uint32_t domain, uint32_t number)
{
	struct xen_device *device;

	TAILQ_FOREACH(device, &endpoint->devices, entry)
		if (device->domain == domain && device->number == number)
			return device;
	return NULL;
}

/* HDB-XEN-009: what an earlier life of this end left there is removed. */
static int add(struct xen_endpoint *endpoint, uint32_t domain, uint32_t number)
{
	struct xen_device *device;

	if (endpoint->device_count >= XEN_DEVICES_MAX) {
		if (!endpoint->told_full)
			xen_log(endpoint,
				"there are %d devices: more must wait",
				XEN_DEVICES_MAX);
		endpoint->told_full = true;
		return 0;
	}
	device = device_new(endpoint, domain, number);
	if (!device)
		return -ENOMEM;
	device->listed = true;
	device->changed = true;
	return xen_store_withdraw(device, HDMABUF_XEN_INITIALISING);
}

/* It may have been removed and made again so fast that it was never missed. */
static int check_record(struct xen_device *device)
{
	uint64_t epoch = 0;
	int error;

	if (!device->link || !device->link->own_epoch)
		return 0;
	error = xen_store_read_number(device->endpoint, device->own,
				      HDMABUF_KEY_EPOCH, UINT64_MAX, &epoch);
	if (error && error != -ENOENT && error != -EINVAL)
		return error;
	if (epoch != device->link->own_epoch)
		xen_link_end(device->link, "the device was made anew");
	return 0;
}

static int take(struct xen_endpoint *endpoint, uint32_t domain, uint32_t number)
{
	struct xen_device *device = find(endpoint, domain, number);

	if (!device)
		return add(endpoint, domain, number);
	device->listed = true;
	return check_record(device);
}

/* ---- finding them ------------------------------------------------------- */

static bool read_index(const char *name, uint32_t max, uint32_t only,
		       uint32_t *index)
{
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (*name < '0' || *name > '9' || *end || number > max ||
	    (only != XEN_ANY && number != only))
		return false;
	*index = (uint32_t)number;
	return true;
}

/* Calls for each directory that is named by a number. */
static int for_each(struct xen_endpoint *endpoint, const char *path,
		    uint32_t max, uint32_t only, uint32_t parent,
		    int (*call)(struct xen_endpoint *, uint32_t, uint32_t))
{
	unsigned int count, i;
	uint32_t index;
	char **names = xs_directory(endpoint->store, XBT_NULL, path, &count);
	int error = 0;

	if (!names)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	for (i = 0; i < count && !error; i++)
		if (read_index(names[i], max, only, &index))
			error = call(endpoint, parent, index);
	free(names);
	return error;
}

static int search_domain(struct xen_endpoint *endpoint, uint32_t unused,
			 uint32_t domain)
{
	struct xen_path path;
	char name[12];

	(void)unused;
	snprintf(name, sizeof(name), "%u", domain);
	path = xen_path(endpoint->root, name);
	return for_each(endpoint, path.text, XEN_ANY - 1, endpoint->only_number,
			domain, take);
}

static int search_own(struct xen_endpoint *endpoint)
{
	uint64_t domain;
	int error = xen_store_read_number(endpoint, endpoint->root,
					  HDMABUF_XEN_NODE_BACKEND_ID,
					  XEN_DOMAIN_MAX, &domain);

	if (!error)
		return take(endpoint, (uint32_t)domain, endpoint->only_number);
	if (error != -ENOENT && error != -EINVAL)
		return error;
	if (!endpoint->told_waiting)
		xen_log(endpoint,
			"waiting for %s: 'hdmabuf-xen attach' makes it",
			endpoint->root);
	endpoint->told_waiting = true;
	return 0;
}

static void drop_unlisted(struct xen_endpoint *endpoint)
{
	struct xen_device *device = TAILQ_FIRST(&endpoint->devices);

	while (device) {
		struct xen_device *next = TAILQ_NEXT(device, entry);

		if (!device->listed)
			xen_device_free(device);
		device = next;
	}
}

void xen_devices_search(struct xen_endpoint *endpoint)
{
	struct xen_device *device;
	int error;

	endpoint->search = false;
	endpoint->search_at = TIMER_NEVER;
	TAILQ_FOREACH(device, &endpoint->devices, entry)
		device->listed = false;
	error = endpoint->role == HDMABUF_FRONTEND ?
			search_own(endpoint) :
			for_each(endpoint, endpoint->root, XEN_DOMAIN_MAX,
				 endpoint->only_domain, 0, search_domain);
	if (!error)
		drop_unlisted(endpoint);
	else
		endpoint->search_at = timer_now() + XEN_RETRY_MIN_MS;
}

/* Whether a change at that path may mean other devices: not one within a record. */
bool xen_devices_mean(const struct xen_endpoint *endpoint, const char *path)
{
	size_t length = strlen(endpoint->root);
	const char *leaf = strrchr(path, '/');
	unsigned int depth = 0;

	if (endpoint->role == HDMABUF_FRONTEND || strlen(path) <= length)
		return true;
	for (path += length; *path; path++)
		depth += *path == '/';
	return depth < 3 || !strcmp(leaf + 1, HDMABUF_XEN_NODE_FRONTEND_ID);
}

/* ---- what is there ------------------------------------------------------ */

void xen_device_between_links(struct xen_device *device, bool was_good)
{
	device->link = NULL;
	if (was_good)
		device->retry_ms = XEN_RETRY_MIN_MS;
	device->link_at = timer_now() + device->retry_ms;
	device->look_at = device->link_at;
	device->retry_ms = xen_retry_longer(device->retry_ms);
}

/* A peer that lets go of nothing must not have more and more of it. */
static bool has_too_much(const struct xen_device *device)
{
	const struct hdmabuf_link *link;
	unsigned int over = 0;

	TAILQ_FOREACH(link, &device->endpoint->links, entry)
		over += link->state == XEN_OVER &&
			link->domain == device->domain &&
			link->number == device->number;
	return over >= XEN_OVER_MAX;
}

/* A frontend's comes up for an offer, a backend's makes one. */
static void consider_link(struct xen_device *device,
			  const struct xen_record *record, uint64_t now)
{
	if (device->endpoint->role == HDMABUF_FRONTEND && !record->epoch)
		return;
	if (has_too_much(device))
		device->link_at = now + XEN_RETRY_MAX_MS;
	if (now < device->link_at) {
		device->look_at = device->link_at;
		return;
	}
	device->link = xen_link_new(device, record);
	if (!device->link)
		xen_device_between_links(device, false);
}

/* HDB-XEN-008 */
static void take_record(struct xen_device *device, struct xen_record *record,
			uint64_t now)
{
	if (device->buried && record->epoch == device->buried)
		memset(record, 0, sizeof(*record));
	if (device->link)
		xen_link_take(device->link, record);
	else
		consider_link(device, record, now);
}

void xen_device_look(struct xen_device *device, uint64_t now)
{
	struct xen_record record;

	device->changed = false;
	device->look_at = TIMER_NEVER;
	switch (xen_store_read(device, &record)) {
	case XEN_UNREADABLE:
		device->look_at = now + XEN_RETRY_MIN_MS;
		break;
	case XEN_REMOVED:
		if (device->link)
			xen_link_end(device->link, "the device was removed");
		break;
	case XEN_ABSENT:
	case XEN_PRESENT:
		take_record(device, &record, now);
		break;
	}
}
