/* SPDX-License-Identifier: MIT */
/*
 * platform.h - what the library asks of a hypervisor
 *
 * A platform is a table of functions and a context.  Everything above this table
 * is the same on all of them.  The clauses HDB-PLAT-... of the protocol say what a
 * platform promises; the comments here say how it tells the library.
 *
 * A platform's endpoint yields *links*: one for each pair of a frontend and a
 * backend.  A link goes up, its peer's record changes, notifications come, it goes
 * down; after that it still owns the references and mappings made over it, until
 * they are revoked, unmapped, and the link is freed.
 *
 * All functions are called from one thread at a time and never block.  Unless said
 * otherwise they return 0 or a negative errno.
 */
#ifndef HDMABUF_PLATFORM_H
#define HDMABUF_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hdmabuf/directory.h>
#include <hdmabuf/memory.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_link - one pair of ends, as the platform sees it
 *
 * Each platform has its own.
 */
struct hdmabuf_link;

/**
 * struct hdmabuf_platform_events - what a platform reports from its dispatch()
 * @up: a new link: a peer that the store lists and that is there now; returns
 *	what the other functions get as @owner, or NULL to refuse it, in which case
 *	the platform drops the link
 * @record: the peer's record has changed, or appeared
 * @notified: the peer has sent a notification
 * @down: the peer is gone for good; no event follows for this link
 * @log: something worth telling: one line, without a newline
 *
 * A function may call any function of the table, but close() and dispatch(), for
 * any link.
 */
struct hdmabuf_platform_events {
	void *(*up)(void *user, struct hdmabuf_link *link);
	void (*record)(void *owner);
	void (*notified)(void *owner);
	void (*down)(void *owner, const char *why);
	void (*log)(void *user, const char *line);
};

/**
 * struct hdmabuf_platform_ops - the table of functions of a platform
 * @name: as in an address, before the colon
 * @page_shift: binary logarithm of the page size
 * @reference_max: largest reference there is
 * @contiguous: @share always yields one run
 *
 * @fd: descriptor to be polled for reading; dispatch() when it is readable
 * @dispatch: handle what has come, a bounded part of it, and report it; what is
 *	left keeps the descriptor readable
 * @close: close the endpoint; all links are freed already
 *
 * @peer: who the peer is, for messages ("pid 77, uid 1000")
 * @publish: replace this end's record: ``key=value`` lines; @octets 0 withdraws
 * @record: copy the peer's record; returns its octets, 0 if there is none
 * @notify: notify the peer (HDB-PLAT-009)
 * @disconnect: end the link: withdraw the record, and let the peer know
 * @free: free a link that was disconnected or is down, on which nothing is mapped
 *	any more; references that are not revoked are left to themselves, as when
 *	the process ends
 *
 * @alloc: allocate zeroed memory that can be shared with @rights over this link
 * @share: make references to @pages pages of @memory from page @first on; at most
 *	@capacity runs, which must be 1 or, unless @contiguous, @pages; -ENOSPC if
 *	there are no references left; -EACCES if @rights cannot be enforced for this
 *	memory (HDB-PLAT-004); -EINVAL if it is not what the platform can share;
 *	-EAGAIN if the peer has yet to take what was sent before; -ENOTCONN
 * @revoke: make references unusable; @runs are as @share gave them, each whole;
 *	-EBUSY as long as the peer may have them mapped: call it again later, all or
 *	none are revoked (HDB-PLAT-005).  When that may be worth while, *notified* is
 *	reported, but not after *down*
 * @map: map references, contiguously, read-only if @rights is READ_ONLY; -EINVAL,
 *	and in @bad the number of the page, if one cannot be mapped (HDB-PLAT-006);
 *	-EACCES, and @bad, if its rights do not allow that; -ENOMEM; -ENOTCONN
 * @unmap: undo @map; -EINVAL if that was never mapped so
 */
struct hdmabuf_platform_ops {
	const char *name;
	uint32_t page_shift;
	uint64_t reference_max;
	bool contiguous;

	int (*fd)(void *endpoint);
	int (*dispatch)(void *endpoint,
			const struct hdmabuf_platform_events *events,
			void *user);
	void (*close)(void *endpoint);

	void (*peer)(struct hdmabuf_link *link, char *text, size_t size);
	int (*publish)(struct hdmabuf_link *link, const char *text,
		       size_t octets);
	size_t (*record)(struct hdmabuf_link *link, char *text, size_t size);
	int (*notify)(struct hdmabuf_link *link);
	void (*disconnect)(struct hdmabuf_link *link);
	void (*free)(struct hdmabuf_link *link);

	int (*alloc)(struct hdmabuf_link *link, size_t octets, uint32_t rights,
		     struct hdmabuf_memory *memory);
	int (*share)(struct hdmabuf_link *link,
		     const struct hdmabuf_memory *memory, uint64_t first,
		     uint64_t pages, uint32_t rights, struct hdmabuf_run *runs,
		     size_t capacity, size_t *count);
	int (*revoke)(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		      size_t count);
	int (*map)(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		   size_t count, uint32_t rights, void **address,
		   uint64_t *bad);
	int (*unmap)(struct hdmabuf_link *link, void *address, uint64_t pages);
};

/**
 * struct hdmabuf_platform - an endpoint of a platform
 * @ops: the table
 * @endpoint: its context, the first argument of *fd*, *dispatch* and *close*
 */
struct hdmabuf_platform {
	const struct hdmabuf_platform_ops *ops;
	void *endpoint;
};

/**
 * hdmabuf_platform_open() - open an endpoint by its address
 * @address: ``local:PATH``; on Xen ``xen:DEVICE`` at a frontend, 0 unless given,
 *	and at a backend ``xen:``, ``xen:DOMAIN`` or ``xen:DOMAIN/DEVICE``
 * @role: &enum hdmabuf_role
 * @platform: is filled; to be closed by its *close*
 * @error: receives one line about what went wrong and what to do
 * @error_size: of @error
 *
 * Return: 0, or a negative errno: -EINVAL if the address is none, -EADDRINUSE if
 * a backend is already there, -EEXIST if something else is, -ENOSYS if the library
 * was built without that platform
 */
int hdmabuf_platform_open(const char *address, enum hdmabuf_role role,
			  struct hdmabuf_platform *platform, char *error,
			  size_t error_size);

/**
 * hdmabuf_local_pair() - two endpoints in one process, linked to each other
 * @frontend: is filled
 * @backend: is filled
 *
 * For tests and fuzzing: the local platform without a path.
 *
 * Return: 0, or a negative errno
 */
int hdmabuf_local_pair(struct hdmabuf_platform *frontend,
		       struct hdmabuf_platform *backend);

/**
 * hdmabuf_fault_platform() - a platform some of whose functions fail
 * @inner: the platform that does the work; belongs to @outer afterwards
 * @fails: is asked before each call of a function that can fail; a negative errno
 *	makes it fail with that, 0 lets it through; @name is the function's name in
 *	the table.  A *record* that fails is none
 * @user: for @fails
 * @outer: is filled
 *
 * For tests.
 *
 * Return: 0, or a negative errno
 */
int hdmabuf_fault_platform(struct hdmabuf_platform inner,
			   int (*fails)(void *user, const char *name),
			   void *user, struct hdmabuf_platform *outer);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_PLATFORM_H */
