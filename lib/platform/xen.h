/* SPDX-License-Identifier: MIT */
/*
 * xen.h - what the files of the Xen platform share
 *
 *   xen.c          opening and closing of endpoints
 *   xen_events.c   what happens there: watches, event channels, time
 *   xen_device.c   devices that XenStore lists, and when a link to one may come
 *   xen_store.c    records and states in XenStore
 *   xen_link.c     life of a link
 *   xen_page.c     the link page: being there, marks
 *   xen_share.c    memory of this end: gntalloc, references
 *   xen_map.c      mappings of the other end's memory: gntdev
 */
#ifndef HDMABUF_PLATFORM_XEN_H
#define HDMABUF_PLATFORM_XEN_H

#include <sys/queue.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>
#include <xentoollog.h>

#include <bindings/xen.h>
#include <hdmabuf/channel.h>
#include <hdmabuf/platform.h>

#include "timer.h"

/* Devices of an endpoint, and links of a device that are over but not freed. */
#define XEN_DEVICES_MAX 64
#define XEN_OVER_MAX	4

/* How long to wait before something is tried again. */
#define XEN_RETRY_MIN_MS 50
#define XEN_RETRY_MAX_MS 1000
/* Transactions that fail because others write. */
#define XEN_TRANSACTIONS_MAX 8

/* What one dispatch() takes before others have their turn. */
#define XEN_PORTS_BUDGET   32
#define XEN_WATCHES_BUDGET 256

/* Pages of marks for the references of each end. */
#define XEN_USE_PAGES 4

#define XEN_PATH_OCTETS 96
#define XEN_ANY		UINT32_MAX
/* Domains have numbers below those that are reserved. */
#define XEN_DOMAIN_MAX 0x7fefu

struct xen_path {
	char text[XEN_PATH_OCTETS + 32];
};

/* A record of the other end: the protocol's text, and what the binding adds. */
struct xen_record {
	char text[HDMABUF_RECORD_OCTETS];
	size_t octets;
	uint64_t epoch;
	uint64_t peer_epoch;
	uint64_t link;
	uint32_t link_ref;
	uint32_t port;
	uint32_t link_version;
	uint32_t use_pages;
};

enum xen_found {
	XEN_ABSENT,
	XEN_PRESENT,
	XEN_REMOVED,	/* with the directory that it would be in */
	XEN_UNREADABLE, /* now; perhaps later */
};

/* Descriptors that an endpoint waits for. */
enum xen_source {
	XEN_STORE,
	XEN_CHANNELS,
	XEN_TIMER,
	XEN_WAKE,
};

#define XEN_SOURCES 4

/* What watches are known by, beside the devices' own. */
#define XEN_TOKEN_DEVICES "devices"
#define XEN_TOKEN_DOMAINS "domains"
#define XEN_TOKEN_SELF	  "self"

struct xen_endpoint;

/* A pair of ends, as XenStore lists it. */
struct xen_device {
	TAILQ_ENTRY(xen_device) entry;
	struct xen_endpoint *endpoint;
	uint32_t domain; /* of the other end */
	uint32_t number;
	char own[XEN_PATH_OCTETS];
	char peer[XEN_PATH_OCTETS];
	char token[24];
	bool listed;
	bool changed;	   /* there is something to be read at the other end */
	uint64_t look_at;  /* so is there then */
	uint64_t link_at;  /* a new link may come */
	uint64_t retry_ms; /* so long after the next one that is over */
	uint64_t buried;   /* epoch of a record whose end is known to be dead */
	uint64_t attach_at; /* this end may try again */
	uint64_t attach_ms;
	struct hdmabuf_link *link; /* NULL between two of them */
};

TAILQ_HEAD(xen_devices, xen_device);

/* The memory that both ends have in common, and the event channel. */
struct xen_page {
	uint64_t number;
	uint32_t reference; /* of the page */
	int port;	    /* -1: there is none */
	struct hdmabuf_xen_link *page;
	struct hdmabuf_xen_end *own;
	struct hdmabuf_xen_end *peer;
	uint8_t *marks; /* of the frontend, then of the backend */
	uint32_t use_pages;
	const uint8_t
		*own_marks; /* set by the peer, for references of this end */
	uint32_t own_count;
	uint8_t *peer_marks;
	uint32_t peer_count;
	uint32_t *uses; /* mappings behind each of the peer's marks */
};

/* References of this end. */
struct xen_share {
	LIST_ENTRY(xen_share) entry;
	size_t count;
	struct hdmabuf_run runs[];
};

struct xen_mapping {
	LIST_ENTRY(xen_mapping) entry;
	void *address;
	uint32_t pages;
	uint32_t references[];
};

enum xen_state {
	XEN_UP,
	XEN_OVER, /* nothing is made any more, what there is goes */
	XEN_FREED /* until the end of dispatch() */
};

struct hdmabuf_link {
	TAILQ_ENTRY(hdmabuf_link) entry;
	struct xen_endpoint *endpoint;
	struct xen_device *device; /* NULL if it is over */
	uint32_t domain;
	uint32_t number;
	void *owner;
	enum xen_state state;
	uint64_t up_at;

	/* to be reported */
	bool record_changed;
	bool look;
	bool ending;
	char why[64];

	struct xen_record record;
	uint64_t own_epoch; /* of the record that this end has published, or 0 */

	struct xen_page page;
	bool attached;	   /* the backend is */
	bool peer_is_done; /* and has nothing mapped any more */
	uint64_t asked_at; /* whether its domain lives */

	LIST_HEAD(, xen_share) shares;
	LIST_HEAD(, xen_mapping) mappings;
};

TAILQ_HEAD(xen_links, hdmabuf_link);

/* gntalloc, as long as an endpoint or memory needs it. */
struct xen_pool {
	xengntshr_handle *handle;
	xentoollog_logger logger;
	size_t users;
};

struct xen_endpoint {
	enum hdmabuf_role role;
	uint32_t domain; /* of this end */
	uint32_t only_domain;
	uint32_t only_number;
	char root[XEN_PATH_OCTETS]; /* whose changes may mean another device */

	struct xs_handle *store;
	xenevtchn_handle *channels;
	xengnttab_handle *grants;
	xentoollog_logger logger;
	struct xen_pool *pool;

	int epoll_fd;
	int timer_fd;
	int wake_fd;
	uint64_t timer_at;

	const struct hdmabuf_platform_events *events;
	void *user;
	bool dispatching;
	char line[256]; /* for the log, when there is one again */

	bool search; /* for devices */
	uint64_t search_at;
	bool domains; /* one of them may have ended */
	bool self;    /* this one may have another number */
	bool told_waiting;
	bool told_full;
	struct xen_devices devices;
	size_t device_count;
	struct xen_links links;
	struct xen_links buried;
};

/* xen.c */
void xen_logger_init(xentoollog_logger *logger);
void xen_check_self(struct xen_endpoint *endpoint);

/* xen_events.c */
void xen_wake(struct xen_endpoint *endpoint);
__attribute__((format(printf, 2, 3))) void
xen_log(struct xen_endpoint *endpoint, const char *format, ...);
int xen_dispatch(void *context, const struct hdmabuf_platform_events *events,
		 void *user);

/* xen_device.c */
void xen_devices_search(struct xen_endpoint *endpoint);
bool xen_devices_mean(const struct xen_endpoint *endpoint, const char *path);
void xen_device_look(struct xen_device *device, uint64_t now);
void xen_device_between_links(struct xen_device *device, bool was_good);
void xen_device_free(struct xen_device *device);
uint64_t xen_retry_longer(uint64_t ms);

/* xen_store.c */
struct xen_path xen_path(const char *directory, const char *name);
int xen_store_read_number(struct xen_endpoint *endpoint, const char *path,
			  const char *name, uint64_t max, uint64_t *number);
enum xen_found xen_store_read(const struct xen_device *device,
			      struct xen_record *record);
int xen_store_publish(const struct hdmabuf_link *link, const char *text,
		      size_t octets);
int xen_store_withdraw(const struct xen_device *device,
		       enum hdmabuf_xen_state state);
void xen_store_connected(const struct xen_device *device);
uint64_t xen_store_epoch(const char *text, size_t octets);

/* xen_link.c */
struct hdmabuf_link *xen_link_new(struct xen_device *device,
				  const struct xen_record *offer);
__attribute__((format(printf, 2, 3))) void
xen_link_end(struct hdmabuf_link *link, const char *format, ...);
void xen_link_take(struct hdmabuf_link *link, const struct xen_record *record);
void xen_link_check(struct hdmabuf_link *link);
void xen_link_check_domain(struct hdmabuf_link *link);
bool xen_link_is_unreported(const struct hdmabuf_link *link);
void xen_link_report(struct hdmabuf_link *link);
bool xen_link_peer_is_done(struct hdmabuf_link *link);
void xen_link_finish(struct hdmabuf_link *link);
void xen_link_peer(struct hdmabuf_link *link, char *text, size_t size);
int xen_link_publish(struct hdmabuf_link *link, const char *text,
		     size_t octets);
size_t xen_link_record(struct hdmabuf_link *link, char *text, size_t size);
int xen_link_notify(struct hdmabuf_link *link);
void xen_link_disconnect(struct hdmabuf_link *link);
void xen_link_free(struct hdmabuf_link *link);

/* xen_page.c */
void xen_page_init(struct xen_page *page);
int xen_page_make(struct hdmabuf_link *link, const struct xen_record *offer);
/* Whether a frontend's has as many pages of marks as a backend asks for. */
bool xen_page_suits(const struct xen_page *page, uint32_t backend_pages);
int xen_page_attach(struct hdmabuf_link *link, const struct xen_record *answer,
		    const char **wrong);
void xen_page_release(struct hdmabuf_link *link);
uint8_t xen_page_peer(const struct xen_page *page);
void xen_page_set(struct xen_page *page, enum hdmabuf_xen_here here);
bool xen_page_in_use(const struct xen_page *page,
		     const struct hdmabuf_run *run);
void xen_page_wait(struct xen_page *page, bool wait);
void xen_page_mark(struct xen_page *page, const uint32_t *references,
		   uint32_t count);
void xen_page_clear(struct xen_page *page, const uint32_t *references,
		    uint32_t count);
bool xen_page_is_waited_for(const struct xen_page *page);

/* xen_share.c */
int xen_pool_open(struct xen_pool **pool);
void xen_pool_put(struct xen_pool *pool);
int xen_share_error(struct xen_endpoint *endpoint, uint32_t pages, int error);
int xen_alloc(struct hdmabuf_link *link, size_t octets, uint32_t rights,
	      struct hdmabuf_memory *memory);
int xen_share(struct hdmabuf_link *link, const struct hdmabuf_memory *memory,
	      uint64_t first, uint64_t pages, uint32_t rights,
	      struct hdmabuf_run *runs, size_t capacity, size_t *count);
int xen_revoke(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
	       size_t count);
/* Whether the peer has marked anything of what this end shares. */
bool xen_shares_in_use(const struct hdmabuf_link *link);
void xen_shares_drop(struct hdmabuf_link *link);

/* xen_map.c */
int xen_map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
	    size_t count, uint32_t rights, void **address, uint64_t *bad);
int xen_unmap(struct hdmabuf_link *link, void *address, uint64_t pages);
void xen_mappings_drop(struct hdmabuf_link *link);

#endif /* HDMABUF_PLATFORM_XEN_H */
