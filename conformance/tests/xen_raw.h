/* SPDX-License-Identifier: MIT */
/*
 * xen_raw.h - the binding "xen" as the suite reads it in the specification
 *
 * A second implementation, straight on Xen's libraries, in which each node, field and
 * mark can be another than it should be. An end speaks over it as over the library's
 * platform. One end is one link: after the IUT has left it, a test opens another.
 */
#ifndef CONFORMANCE_TESTS_XEN_RAW_H
#define CONFORMANCE_TESTS_XEN_RAW_H

#include "conformance/end/end.h"

#include <bindings/xen.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>
#include <xentoollog.h>

#define XEN_PAGE_OCTETS 4096
#define XEN_PATH_OCTETS 128
#define XEN_MARK_PAGES	2

/* Where the fields of a link page are, from the octet diagram. */
enum link_place {
	LINK_MAGIC = WIRE_PLACE(0, 4),
	LINK_VERSION = WIRE_PLACE(4, 4),
	LINK_NUMBER = WIRE_PLACE(8, 8),
	LINK_FRONTEND_USE_PAGES = WIRE_PLACE(16, 4),
	LINK_BACKEND_USE_PAGES = WIRE_PLACE(20, 4),
	LINK_ZERO = WIRE_PLACE(24, 8),
	LINK_REFERENCE = WIRE_PLACE(192, 4),
};

/* Of an end, from where its part of the link page begins. */
enum link_end_place {
	LINK_HERE = WIRE_PLACE(0, 1),
	LINK_HERE_ZERO = WIRE_PLACE(1, 1),
	LINK_WAITS = WIRE_PLACE(4, 4),
	LINK_ZERO1 = WIRE_PLACE(8, 8),
};

#define LINK_END_AT(role) ((role) == HDMABUF_FRONTEND ? 64 : 128)

/**
 * struct xen_mapped - pages of the IUT that are mapped
 * @address: where; NULL if they are not any more
 * @pages: how many
 * @references: of each
 */
struct xen_mapped {
	void *address;
	uint32_t pages;
	uint32_t *references;
};

/**
 * struct xen_raw - a link made by hand
 * @ops: of the platform that it is
 * @end: that speaks over it
 * @role: of the suite
 * @self: the suite's domain
 * @domain: the IUT's
 * @number: of the device
 * @own: directory of the suite's end
 * @other: directory of the IUT's end
 * @logger: of the libraries, silent
 * @store: XenStore
 * @channels: event channels
 * @grants: mappings
 * @pool: memory
 * @poll: all that may have come
 * @timer: ticks: some things are only looked at
 * @silent: a test makes the link, and attaches to it
 * @up: there is a link
 * @down: there was
 * @was_here: the IUT was
 * @port: of the suite's event channel, or -1
 * @page: the link page, NULL if there is none
 * @reference: of it
 * @marks: the frontend's, then the backend's
 * @mark_pages: of each, by role
 * @mark_references: of @marks
 * @link: its number
 * @use_pages: what the suite asks for as a backend, or makes as a frontend
 * @published: epoch of the suite's record, or 0
 * @odd_key: of the suite's record, or NULL: has this value instead
 * @odd_value: octets
 * @odd_octets: of @odd_value
 * @record: the IUT's, as far as it is one; what the binding adds is in it
 * @record_changed: and that is not reported
 * @uses: mappings behind each of the IUT's marks
 * @mapped: all mappings
 * @mapped_count: of @mapped
 */
struct xen_raw {
	struct hdmabuf_platform_ops ops;
	struct end *end;
	enum hdmabuf_role role;
	uint32_t self;
	uint32_t domain;
	uint32_t number;
	char own[XEN_PATH_OCTETS];
	char other[XEN_PATH_OCTETS];
	xentoollog_logger logger;
	struct xs_handle *store;
	xenevtchn_handle *channels;
	xengnttab_handle *grants;
	xengntshr_handle *pool;
	int poll;
	int timer;
	bool silent;
	bool up;
	bool down;
	bool was_here;
	int port;
	uint8_t *page;
	uint32_t reference;
	uint8_t *marks;
	uint32_t mark_pages[2];
	uint32_t mark_references[2 * HDMABUF_XEN_USE_PAGES_MAX];
	uint64_t link;
	uint32_t use_pages;
	uint64_t published;
	const char *odd_key;
	const void *odd_value;
	size_t odd_octets;
	char record[1025];
	bool record_changed;
	uint32_t *uses;
	struct xen_mapped *mapped;
	size_t mapped_count;
};

/* ---- links -------------------------------------------------------------- */

/* An end of which the link is made by hand. */
struct end *xen_raw_open(struct test *test);
/* The same; the test makes the link, or attaches to it. */
struct end *xen_raw_open_silently(struct test *test);
/* xen_raw_open(), and a session that works. */
struct end *xen_raw_connect(struct test *test);
struct xen_raw *xen_raw_of(const struct end *end);

/* Frontend: link page, marks and event channel, in order and not published. */
void xen_raw_make_link(struct xen_raw *raw);
/* Backend: attaches to the link of the IUT's record. False, and a comment, if not. */
bool xen_raw_attach(struct xen_raw *raw);
/* Unmaps or frees what belongs to the link. */
void xen_raw_drop_link(struct xen_raw *raw);

/* ---- XenStore ----------------------------------------------------------- */

/* A node of a directory; NULL removes it. Skips the test if it may not do that. */
void xen_raw_write(struct xen_raw *raw, const char *directory, const char *name,
		   const void *value, size_t octets);
void xen_raw_write_text(struct xen_raw *raw, const char *directory,
			const char *name, const char *value);
/* Its value, to be freed, or NULL. */
char *xen_raw_read(struct xen_raw *raw, const char *directory,
		   const char *name);
/* A number in the IUT's directory; 0 if there is none. */
uint64_t xen_raw_number(struct xen_raw *raw, const char *name);
/* Removes the suite's record, and says that it is in this state. */
void xen_raw_remove_record(struct xen_raw *raw, enum hdmabuf_xen_state state);

/* ---- the link page ------------------------------------------------------ */

uint8_t xen_raw_here(const struct xen_raw *raw, enum hdmabuf_role role);
/* The suite's own octet, with a notification. */
void xen_raw_set_here(struct xen_raw *raw, uint8_t here);
/* Waits until the IUT's octet has this value. */
bool xen_raw_await_here(struct xen_raw *raw, uint8_t here);
void xen_raw_notify(struct xen_raw *raw);
/* The marks of an end's references, and how many bits they are. */
uint8_t *xen_raw_marks(const struct xen_raw *raw, enum hdmabuf_role role,
		       uint32_t *count);
/* Whether a reference of the suite is marked by the IUT. */
bool xen_raw_is_marked(const struct xen_raw *raw, uint64_t reference);
/* How many bits are set in the marks of an end's references. */
uint32_t xen_raw_count_marks(const struct xen_raw *raw, enum hdmabuf_role role);

/* ---- memory ------------------------------------------------------------- */

/* Pages that are granted to a domain, writable; freed with the end. */
void *xen_raw_grant(struct xen_raw *raw, uint32_t domain, uint32_t pages,
		    uint32_t *references);

/* ---- the platform, see xen_ops.c ---------------------------------------- */

void xen_raw_set_ops(struct xen_raw *raw, struct hdmabuf_platform *platform);
void xen_raw_unmap_all(struct xen_raw *raw);

#endif
