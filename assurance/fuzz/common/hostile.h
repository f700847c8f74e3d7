/* SPDX-License-Identifier: MIT */
/*
 * hostile.h - a platform whose other end is a script
 *
 * There is no other process, and no time: the fuzz target says what the peer publishes,
 * writes and maps, and when. What is mapped is a copy of the peer's pages that both sides
 * keep the same, of its own size, so that a sanitizer sees an access beside it or behind
 * its unmapping. The platform says by must() what the library owes it: one unmap for a
 * map, nothing written where only reading was asked for, no memory freed that is shared.
 */
#ifndef HDMABUF_ASSURANCE_FUZZ_HOSTILE_H
#define HDMABUF_ASSURANCE_FUZZ_HOSTILE_H

#include "assurance/fuzz/common/fuzz.h"

#include <hdmabuf/channel.h>
#include <hdmabuf/platform.h>

#define HOSTILE_SHIFT	 12
#define HOSTILE_PAGE	 (1u << HOSTILE_SHIFT)
#define HOSTILE_PAGES	 40   /* of the peer: references 1 to 40 */
#define HOSTILE_SHARED	 1000 /* references of the library begin here */
#define HOSTILE_LINKS	 8
#define HOSTILE_MAPPINGS 128
#define HOSTILE_SHARES	 256
#define HOSTILE_RECORD	 1024

struct hdmabuf_link {
	struct hostile *hostile;
	void *owner;
	bool there; /* up was accepted, free was not called */
	bool down;
};

struct hostile_mapping {
	struct hdmabuf_link *link; /* NULL if there is none */
	uint64_t pages;
	uint32_t *page; /* the peer's, by reference */
	bool writable;
	uint8_t *memory;
};

struct hostile_share {
	struct hdmabuf_link *link; /* NULL if there is none */
	uint64_t reference;
	uint64_t pages;
	uint8_t *memory;
	bool writable;
	bool mapped; /* by the peer, so it cannot be revoked */
};

struct hostile {
	struct hdmabuf_platform_ops ops;
	struct hdmabuf_link links[HOSTILE_LINKS];
	size_t link_count;
	struct hdmabuf_link *link; /* the last one, NULL if it is gone */
	bool closing; /* the library may free what the peer has mapped */
	bool closed;

	/* to be reported by the next dispatch() */
	bool want_up;
	bool want_record;
	bool want_notified;
	bool want_down;

	char record[HOSTILE_RECORD]; /* the peer's */
	size_t record_octets;
	char own_record[HOSTILE_RECORD]; /* the library's */
	size_t own_record_octets;
	unsigned int notified; /* by the library */

	uint8_t page[HOSTILE_PAGES][HOSTILE_PAGE];
	struct hostile_mapping mappings[HOSTILE_MAPPINGS];
	struct hostile_share shares[HOSTILE_SHARES];
	uint64_t next_reference;
	uint64_t mapped_pages;
	unsigned int memories; /* that the library has and has not freed */
	unsigned int calls;    /* since the last dispatch() began */

	int fail; /* of the next call that can fail, a negative errno */
	/* Something happens while the library is at work. */
	void (*interrupt)(void *user);
	void *interrupt_user;
};

void hostile_init(struct hostile *hostile, struct hdmabuf_platform *platform);
/* Everything was given back; what the peer has kept mapped is freed. */
void hostile_fini(struct hostile *hostile);

void hostile_up(struct hostile *hostile);
void hostile_publish(struct hostile *hostile, const char *text, size_t octets);

/* Of a page that leads nowhere, nothing is read or written. */
void hostile_write(struct hostile *hostile, uint64_t reference, uint32_t offset,
		   const void *octets, uint32_t count);
void hostile_read(struct hostile *hostile, uint64_t reference, uint32_t offset,
		  void *octets, uint32_t count);

#endif
