/* SPDX-License-Identifier: MIT */
/*
 * driver.h - the smallest peer: a frontend that exports one frame
 *
 * It is made of lib/core and nothing else, so it may live in a kernel.  One
 * structure serves one session; for the next session there is a new one.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include <hdmabuf/descriptor.h>
#include <hdmabuf/directory.h>
#include <hdmabuf/ring.h>

#define DRIVER_PAGE_SHIFT 12
#define DRIVER_PAGE	  4096u

/* The parts of the channel, a page each. */
enum {
	CHANNEL_PAGE,
	OWN_RING,
	PEER_RING,
	OWN_CELLS,
	PEER_CELLS,
	CHANNEL_PAGES
};

/* What describes the frame: one page is enough for the LIST of 1023. */
enum {
	DESCRIPTOR,
	DIRECTORY,
	DESCRIPTION_PAGES
};
#define FRAME_PAGES_MAX HDMABUF_LIST_ENTRIES(DRIVER_PAGE)

/*
 * What the driver has of its hypervisor, and of those who use it.
 *
 * share: make a reference for each page; false if there are not enough
 * revoke: false if one of the pages is still mapped by the backend
 * publish: replace this end's record in the store; no octets withdraw it
 * notify: notify the backend
 * random: 64 bits that nobody can predict
 * draw: fill the frame; false if there are no more frames
 * over: the session has ended, with STATUS_OK if it was closed
 */
struct driver_hooks {
	bool (*share)(void *user, void *memory, uint32_t pages, bool writable,
		      uint64_t *references);
	bool (*revoke)(void *user, const uint64_t *references, uint32_t pages);
	void (*publish)(void *user, const char *record, size_t octets);
	void (*notify)(void *user);
	uint64_t (*random)(void *user);
	bool (*draw)(void *user, uint8_t *frame, uint64_t number);
	void (*over)(void *user, uint16_t status);
};

/* What is shared, and the references to its pages. */
enum {
	CHANNEL,
	DESCRIPTION,
	FRAME,
	PARTS
};

struct driver_shared {
	uint64_t *references;
	uint32_t pages;
	bool revoked;
};

/* The members down to the blank line are filled in by who starts the driver. */
struct driver {
	const struct driver_hooks *hooks;
	void *user;
	uint8_t *channel; /* zeroed pages, for this session alone */
	uint8_t *description;
	uint8_t *frame;
	struct hdmabuf_info info; /* what the frame is */

	int state; /* of the session */
	uint64_t epoch;
	uint64_t peer_epoch;
	struct hdmabuf_ring own;
	struct hdmabuf_ring peer;
	uint32_t request_id; /* of the one request that is not answered */
	uint16_t request_operation; /* 0 if all are */

	int buffer; /* its state */
	struct hdmabuf_id id;
	struct hdmabuf_cell *cell; /* of the timeline on which it comes back */
	uint64_t point;		   /* reached there */
	uint64_t number;	   /* of the frame handed off */
	bool finished; /* with the frame: what is left is to close */
	bool closed;   /* by the backend */

	struct driver_shared shared[PARTS];
	uint64_t channel_references[CHANNEL_PAGES];
	uint64_t description_references[DESCRIPTION_PAGES];
	uint64_t frame_references[FRAME_PAGES_MAX];
	struct hdmabuf_run runs[FRAME_PAGES_MAX];
};

/* Begin to look for a backend; false if the frame cannot be shared. */
bool driver_start(struct driver *driver);

/* The backend's record is now this; no octets if it is gone. */
void driver_record(struct driver *driver, const char *record, size_t octets);

/* A notification has come; true if there is more to do: call it again soon. */
bool driver_notified(struct driver *driver);

/* After over(): true when all memory may be freed; to be tried until then. */
bool driver_revoked(struct driver *driver);

#endif /* DRIVER_H */
