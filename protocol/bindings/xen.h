/* SPDX-License-Identifier: MIT */
/*
 * xen.h - how two domains on Xen carry the protocol
 *
 * A binding of hyper_dmabuf.h: references are grant references, notifications
 * are an event channel, and XenStore carries the records.  Either end may live
 * in any domain.
 */
#ifndef HYPER_DMABUF_XEN_H
#define HYPER_DMABUF_XEN_H

#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: The Xen binding
 *
 * An endpoint is written ``xen:`` with, at a frontend, the number of a device:
 * ``xen:3``, by default 0.  A backend serves every device that XenStore lists
 * for its domain, or those of one frontend's domain, ``xen:7``, or one device of
 * it, ``xen:7/3``.
 *
 * The device class is ``hdmabuf``.  Everything follows the pattern of Xen's
 * ``displif`` and ``sndif``: the toolstack makes a directory for each end, and
 * the ends write into their own and watch the other's.
 *
 * Devices
 * -------
 *
 * Device D of the frontend in domain F, whose backend is in domain B, consists
 * of two directories in XenStore.  Who configures the machine, the toolstack,
 * makes them with these nodes::
 *
 *     /local/domain/F/device/hdmabuf/D/backend      path of the other directory
 *     /local/domain/F/device/hdmabuf/D/backend-id   B
 *     /local/domain/F/device/hdmabuf/D/state        1
 *
 *     /local/domain/B/backend/hdmabuf/F/D/frontend      path of the other directory
 *     /local/domain/B/backend/hdmabuf/F/D/frontend-id   F
 *     /local/domain/B/backend/hdmabuf/F/D/online        1
 *     /local/domain/B/backend/hdmabuf/F/D/state         1
 *
 * F and B may be any two domains, be one of them domain 0 or neither, or even
 * the same one.  There may be any number of devices between the same two: each
 * is a pair of ends of its own.
 *
 * [HDB-XEN-001] The toolstack MUST make both directories in one transaction,
 * each owned by the domain of its end, readable by the domain of the other, and
 * by no third.
 *
 * Nodes that an end makes in its directory inherit that, so HDB-PLAT-010 is
 * XenStore's to enforce.  It does not hold against domain 0, nor against another
 * domain that XenStore calls privileged: these may write everything.
 *
 * [HDB-XEN-002] A backend MUST take the domain of a frontend from its own
 * directory, never from what the frontend has written.
 *
 * [HDB-XEN-003] An end MUST take it for the end of the other when its own
 * directory or the other's is removed.
 *
 * A toolstack that destroys a domain removes what lies below
 * ``/local/domain/F``.  That a directory is gone says nothing about mappings, see
 * *Revoking*.
 *
 * Records
 * -------
 *
 * Each key of a record is a node of that name in the directory of its end.  To
 * the keys of the protocol, this binding adds:
 *
 * ==================  ========  ==============================================
 * key                 whose     value
 * ==================  ========  ==============================================
 * ``link-version``    backend   the highest version of the link page that it
 *                               takes, 1 to 2^32 - 1
 * ``use-pages``       backend   how many pages of marks it wants for its own
 *                               references, 1 to 32
 * ``link``            frontend  the number of the link, 1 to 2^64 - 1
 * ``link-ref``        frontend  the reference of the link page, 1 to 2^32 - 1
 * ``event-channel``   frontend  the port of the frontend's event channel, 1 to
 *                               2^32 - 1
 * ==================  ========  ==============================================
 *
 * They belong to the record: HDB-BOTH-004 to HDB-BOTH-006 hold for them too.
 * A device may look like this, with both ends connected::
 *
 *     /local/domain/7/device/hdmabuf/0/backend = "/local/domain/0/backend/hdmabuf/7/0"
 *     /local/domain/7/device/hdmabuf/0/backend-id = "0"
 *     /local/domain/7/device/hdmabuf/0/state = "4"
 *     /local/domain/7/device/hdmabuf/0/link = "10263817509326490043"
 *     /local/domain/7/device/hdmabuf/0/link-ref = "812"
 *     /local/domain/7/device/hdmabuf/0/event-channel = "23"
 *     /local/domain/7/device/hdmabuf/0/peer-epoch = "7709031287462919204"
 *     /local/domain/7/device/hdmabuf/0/channel = "821"
 *     /local/domain/7/device/hdmabuf/0/epoch = "315402987716254093"
 *
 *     /local/domain/0/backend/hdmabuf/7/0/frontend = "/local/domain/7/device/hdmabuf/0"
 *     /local/domain/0/backend/hdmabuf/7/0/frontend-id = "7"
 *     /local/domain/0/backend/hdmabuf/7/0/online = "1"
 *     /local/domain/0/backend/hdmabuf/7/0/state = "4"
 *     /local/domain/0/backend/hdmabuf/7/0/link-version = "1"
 *     /local/domain/0/backend/hdmabuf/7/0/use-pages = "4"
 *     /local/domain/0/backend/hdmabuf/7/0/version-min = "1"
 *     /local/domain/0/backend/hdmabuf/7/0/version-max = "1"
 *     /local/domain/0/backend/hdmabuf/7/0/features = "511"
 *     /local/domain/0/backend/hdmabuf/7/0/ring-formats = "1"
 *     /local/domain/0/backend/hdmabuf/7/0/ring-order-max = "0"
 *     /local/domain/0/backend/hdmabuf/7/0/timeline-max = "1"
 *     /local/domain/0/backend/hdmabuf/7/0/epoch = "7709031287462919204"
 *
 * A record is not read atomically.  XenStore has transactions, but one that reads
 * fails whenever the other end writes, so a hostile end could keep a reader
 * from ever finishing; reading ``epoch`` twice, HDB-BOTH-006, needs none.
 *
 * [HDB-XEN-004] An end SHOULD publish, replace and withdraw its record in one
 * transaction.
 *
 * Within it, or without, the order of HDB-BOTH-005 is kept: a reader may look at
 * any moment of a writer that has no transactions.  One that fails because
 * somebody else wrote is tried again, but not for ever: HDB-BOTH-012 counts what
 * is done for XenStore as well.
 *
 * [HDB-XEN-005] A reader MUST read the nodes that it knows by their names, and
 * not list the other's directory.
 *
 * There may be a thousand nodes in it.  XenStore lets a domain have values of
 * 4096 octets less the path, and no more than some two thousand octets in a
 * node: what is long, such as a list of references, is in a page, and a record
 * holds the reference of that page.
 *
 * [HDB-XEN-006] A reader MUST treat a record in which a value is longer than
 * ``HDMABUF_VALUE_OCTETS``, or has an octet that is not printable ASCII, as
 * absent.
 *
 * States
 * ------
 *
 * The node ``state`` of each end holds a XenbusState, as the toolstack and a
 * kernel's bus expect it.  It is written together with what it stands for:
 *
 * =====  ============  ======================  ===============================
 * value  name          a frontend              a backend
 * =====  ============  ======================  ===============================
 * 1      Initialising  has no record           has no record
 * 2      InitWait                              has made its offer
 * 3      Initialised   has answered an offer
 * 4      Connected     as 3, and the backend   as 2, and is attached to the
 *                      is attached             link
 * 5      Closing       is about to leave       is about to leave
 * 6      Closed        has left                has left
 * =====  ============  ======================  ===============================
 *
 * A state cannot tell a peer that lives from one that has died and come back
 * since: of two writes, a watch reports one.  Both ends may stand at Connected,
 * each with another life of the other.  So nothing hangs on it:
 *
 * [HDB-XEN-007] An end MUST NOT conclude from the other's ``state`` that a
 * session exists, or that one is over.
 *
 * The epochs of the records and of HELLO say that, here as on every platform.
 * What XenStore keeps of an end that has died is a stale record, and an epoch is
 * enough to be immune against it: a stale offer is answered by nobody, and is
 * replaced by one with another epoch; a stale answer repeats an epoch that no
 * offer has any more.
 *
 * [HDB-XEN-008] An end MUST treat the record of an end that it has seen die,
 * or leave, as absent until its ``epoch`` has changed.
 *
 * That is the other half of HDB-PLAT-012: nobody removes the record of a program
 * that was killed.
 *
 * [HDB-XEN-009] An end that starts MUST remove what its directory still has of
 * an earlier record.
 *
 * In a Linux kernel, where the bus wakes a driver only when the other's ``state``
 * changes, the driver sets a watch of its own on the other's ``epoch``.
 *
 * References
 * ----------
 *
 * A reference is a grant reference, 32 bits, of a page of 4096 octets, whatever
 * the page of the machine is: ``page_shift`` is 12.  Xen keeps the first
 * references for itself, so 0 is never one of an end.
 *
 * References are consecutive, in the sense of EXTENTS, if their numbers are.
 * All three formats of directories can be used.
 *
 * [HDB-XEN-010] An end MUST grant a page to the domain of the other end only.
 *
 * All ends in one domain are one to Xen: HDB-PLAT-002 holds between domains.
 *
 * [HDB-XEN-011] An end MUST grant what it shares READ_ONLY with the flag
 * GTF_readonly.
 *
 * Xen enforces both.  Pages are granted before their references stand in a record
 * or in shared memory, so whoever hears of a reference can map it.
 *
 * [HDB-XEN-012] An end SHOULD map the pages of a buffer with one call, not page
 * after page.
 *
 * Xen says for each page whether it was mapped.  Where a library does not pass
 * that on, halving the list finds the page that failed.
 *
 * The link
 * --------
 *
 * Two processes in two domains do not see each other die: XenStore knows
 * nothing of processes, and a grant does not tell its owner whether it is mapped
 * except in that owner's kernel.  So the two have some memory in common besides
 * the channel.  It outlives sessions: there is one *link* as long as both ends
 * live.
 *
 * The *link page*, *struct hdmabuf_xen_link*, and the *pages of marks* that it
 * lists are memory of the frontend that is granted for writing.
 *
 * .. hdmabuf-sequence:: xen-link
 *     backend -> frontend: XenStore: offer (epoch EB, link-version, ...), state 2
 *     frontend: makes link page, marks, event channel, channel
 *     frontend -> backend: XenStore: answer (EF, EB, link, ...), state 3
 *     backend: binds the event channel, maps the link page
 *     backend: its octet in the link page = HERE: attached
 *     backend -> frontend: notification
 *     backend: XenStore: state 4
 *     backend: marks the channel page, maps it, ...
 *     frontend: XenStore: state 4
 *     ...
 *     backend: is killed
 *     backend: its kernel unmaps everything, its octet = GONE
 *     backend -> frontend: notification by that kernel
 *     frontend: nothing is mapped any more, frees what it shared
 *     frontend: removes its record, waits for another offer
 *
 * [HDB-XEN-013] The frontend MUST make the link page and the pages of marks, of
 * zeroed pages that hold nothing else, and complete them before it publishes a
 * record that names them.
 *
 * [HDB-XEN-014] The frontend MUST choose the number of a link at random, from at
 * least 2^48 values, and never 0.
 *
 * A record with another number is of another link, and what the backend knew of
 * the frontend is over.  References and ports are no use for that: their numbers
 * come back.
 *
 * [HDB-XEN-015] The backend MUST NOT bind a port or map a reference of a record
 * whose ``peer-epoch`` is not the epoch of its own.
 *
 * [HDB-XEN-016] The backend MUST copy the constant fields of the link page once,
 * and treat the record as absent if they have a wrong magic, a version that it
 * did not offer, a number other than ``link``, a number of pages that is not
 * allowed, a reference that is zero, or zero fields that are not zero.
 *
 * To *attach*, the backend binds the event channel, maps the link page and the
 * pages of marks, and sets its ``here`` to HERE.
 *
 * [HDB-XEN-017] The backend MUST have attached before it maps any other
 * reference of the frontend.
 *
 * Being there
 * -----------
 *
 * In the link page, each end has an octet, ``here``, that nobody else writes.
 *
 * [HDB-XEN-018] An end MUST see to it that its ``here`` becomes GONE, and the
 * other is notified, when it ends in whatever way.
 *
 * On Linux the kernel does that for a process: by the unmap notification of
 * gntalloc for a frontend (``xengntshr_share_page_notify``), by that of gntdev
 * for a backend (``xengnttab_map_grant_ref_notify``).  It does so before the
 * process is gone, so before another life of that end can begin: GONE is said of
 * whose record stood there before.
 *
 * GONE says that this end has nothing mapped any more, and will map nothing.  By
 * LEAVING an end says that it is about to go, but has still something mapped.
 *
 * [HDB-XEN-019] An end MUST NOT set its ``here`` to GONE before it has unmapped
 * all the other's references, but for the link's own.
 *
 * A process that dies loses all of its mappings in the same moment, so for it
 * the kernel keeps this clause.
 *
 * [HDB-XEN-020] When the other's ``here`` is, or has been, LEAVING or GONE, an
 * end MUST take it that the other's record is gone, and make nothing new over
 * this link.
 *
 * Each time it is notified, and before it sleeps, an end looks at that octet.
 *
 * Marks
 * -----
 *
 * An end that has shared something must learn that the other does not map it any
 * more.  It does so by marks: for each direction there are some pages of bits,
 * one bit for a reference.  Reference R of the frontend has bit R modulo N of the
 * frontend's marks, where N is the number of bits that they have, 32,768 for each
 * page; bit i is bit i modulo 8 of octet i / 8.  The *other* end sets and clears
 * it.
 *
 * [HDB-XEN-021] An end MUST set the mark of a reference before it maps it, and
 * clear it only when neither this nor another reference with that mark is mapped
 * any more.
 *
 * That takes a private count for each mark, which must not be in shared memory.
 *
 * [HDB-XEN-031] The backend MUST clear all marks of the frontend's references
 * before it sets its ``here`` to HERE.
 *
 * An earlier life of it may have attached to the same link and died, unseen.
 *
 * [HDB-XEN-022] The frontend MUST make as many pages for the backend's marks as
 * ``use-pages`` asks for.
 *
 * Four pages have a mark of its own for each of the 131,072 references of a
 * grant table of 256 frames.  Where there are more references than marks, a
 * reference may seem to be in use because another one is: it is revoked later
 * than it could be, never too early.
 *
 * An end that waits for a mark to be cleared sets its ``waits`` in the link page
 * to 1, and then looks at the marks again.
 *
 * [HDB-XEN-023] An end that has cleared marks MUST then, after a full barrier,
 * look at the other's ``waits``, and notify if it is not 0.
 *
 * Revoking
 * --------
 *
 * A kernel ends a grant in one step, which fails as long as the page is mapped:
 * that is HDB-PLAT-005 to the letter, and such an end needs no marks of the
 * other.  A program that has its pages from Linux's gntalloc cannot.  Its grants
 * end only with the pages: it gives these back, and the kernel ends the grants,
 * and keeps the pages to itself for as long as somebody has them mapped.  So
 * whatever the other does, a page that is *freed* is safe.  What remains is to
 * know when a page may be freed that a correct peer may still be looking at.
 *
 * [HDB-XEN-024] An end that cannot end a grant in one step MUST take a reference
 * for in use unless its mark is clear, or the other's ``here`` is GONE or was
 * never set, or the other's domain is no more.
 *
 * In that sense the reference is revoked from then on.  A peer that lies about
 * its marks can look at the page until it is freed, hence:
 *
 * [HDB-XEN-025] Memory whose grants end only with its pages MUST NOT be put to
 * any use but being shared with the same domain, from when it is granted to when
 * it is freed.
 *
 * [HDB-XEN-026] An end MUST NOT share a dma-buf by gntdev (``IMP_TO_REFS``) with
 * a domain that it does not trust.
 *
 * There, nothing keeps the pages of a dma-buf that its exporter frees while the
 * other domain has them mapped.
 *
 * Notification
 * ------------
 *
 * The frontend allocates an event channel for the domain of the backend, which
 * binds to it.  Both directions use it; it also brings the notice that an end has
 * gone, or that marks were cleared.
 *
 * A new binding may raise an event of its own, which HDB-BOTH-003 allows for.
 *
 * [HDB-XEN-027] An end MUST unmask its port before it looks for what it was
 * notified of.
 *
 * The end of a domain
 * -------------------
 *
 * A domain that is destroyed clears no octets.  Its directory goes from XenStore,
 * and with that the link is over.
 *
 * [HDB-XEN-028] An end MUST NOT take a domain for being no more unless XenStore
 * says so (``XS_IS_DOMAIN_INTRODUCED``, ``@releaseDomain``), or Xen does: no
 * event channel can be bound to it, ESRCH.
 *
 * XenStore answers only to domain 0 and other privileged domains.  A domain that
 * is being destroyed does not run any more, so its mappings harm nobody.  One that
 * has crashed and is preserved still has them; it is not gone.
 *
 * What an end has mapped of a domain that is destroyed stays there, HDB-PLAT-007:
 * Xen keeps these pages, and the remains of that domain with them, until they are
 * unmapped.
 *
 * Suspend and migration
 * ---------------------
 *
 * Grants, mappings and event channels do not survive the suspension of either
 * domain, be it saved, migrated, or merely checkpointed.
 *
 * [HDB-XEN-029] An end SHOULD close its sessions, unmap everything and leave its
 * links before its domain is suspended, and begin anew when it is resumed.
 *
 * [HDB-XEN-030] An end that finds itself in a domain with another number than
 * before MUST take all its links for lost.
 */

/** define HDMABUF_XEN_CLASS - device class, as part of paths in XenStore */
#define HDMABUF_XEN_CLASS "hdmabuf"

/** define HDMABUF_XEN_NODE_BACKEND - path of the backend's directory */
#define HDMABUF_XEN_NODE_BACKEND "backend"
/** define HDMABUF_XEN_NODE_BACKEND_ID - domain of the backend */
#define HDMABUF_XEN_NODE_BACKEND_ID "backend-id"
/** define HDMABUF_XEN_NODE_FRONTEND - path of the frontend's directory */
#define HDMABUF_XEN_NODE_FRONTEND "frontend"
/** define HDMABUF_XEN_NODE_FRONTEND_ID - domain of the frontend */
#define HDMABUF_XEN_NODE_FRONTEND_ID "frontend-id"
/** define HDMABUF_XEN_NODE_ONLINE - 1 unless the toolstack wants it to go */
#define HDMABUF_XEN_NODE_ONLINE "online"
/** define HDMABUF_XEN_NODE_STATE - &enum hdmabuf_xen_state */
#define HDMABUF_XEN_NODE_STATE "state"

/** define HDMABUF_XEN_KEY_LINK_VERSION - key of the highest link version */
#define HDMABUF_XEN_KEY_LINK_VERSION "link-version"
/** define HDMABUF_XEN_KEY_USE_PAGES - key of how many pages of marks */
#define HDMABUF_XEN_KEY_USE_PAGES "use-pages"
/** define HDMABUF_XEN_KEY_LINK - key of the number of the link */
#define HDMABUF_XEN_KEY_LINK "link"
/** define HDMABUF_XEN_KEY_LINK_REF - key of the reference of the link page */
#define HDMABUF_XEN_KEY_LINK_REF "link-ref"
/** define HDMABUF_XEN_KEY_EVENT_CHANNEL - key of the frontend's port */
#define HDMABUF_XEN_KEY_EVENT_CHANNEL "event-channel"

/** define HDMABUF_XEN_PAGE_SHIFT - binary logarithm of the page size */
#define HDMABUF_XEN_PAGE_SHIFT 12
/** define HDMABUF_XEN_LINK_MAGIC - first word of a link page, "HDBX" */
#define HDMABUF_XEN_LINK_MAGIC 0x58424448u
/** define HDMABUF_XEN_LINK_VERSION - version of the link page */
#define HDMABUF_XEN_LINK_VERSION 1
/** define HDMABUF_XEN_USE_PAGES_MAX - most pages of marks for a direction */
#define HDMABUF_XEN_USE_PAGES_MAX 32
/** define HDMABUF_XEN_MARKS - marks that a page has */
#define HDMABUF_XEN_MARKS 32768

/**
 * enum hdmabuf_xen_state - values of the node ``state``, Xen's XenbusState
 * @HDMABUF_XEN_INITIALISING: has no record
 * @HDMABUF_XEN_INIT_WAIT: the backend has made its offer
 * @HDMABUF_XEN_INITIALISED: the frontend has answered
 * @HDMABUF_XEN_CONNECTED: the backend is attached to the link
 * @HDMABUF_XEN_CLOSING: is about to leave
 * @HDMABUF_XEN_CLOSED: has left
 */
enum hdmabuf_xen_state {
	HDMABUF_XEN_INITIALISING = 1,
	HDMABUF_XEN_INIT_WAIT = 2,
	HDMABUF_XEN_INITIALISED = 3,
	HDMABUF_XEN_CONNECTED = 4,
	HDMABUF_XEN_CLOSING = 5,
	HDMABUF_XEN_CLOSED = 6
};

/**
 * enum hdmabuf_xen_here - values of the octet ``here``
 * @HDMABUF_XEN_GONE: has nothing mapped, and will map nothing; or was never there
 * @HDMABUF_XEN_HERE: is there
 * @HDMABUF_XEN_LEAVING: makes nothing new, but has something mapped
 */
enum hdmabuf_xen_here {
	HDMABUF_XEN_GONE = 0,
	HDMABUF_XEN_HERE = 1,
	HDMABUF_XEN_LEAVING = 2
};

/**
 * struct hdmabuf_xen_end - what an end writes into the link page
 * @here: &enum hdmabuf_xen_here
 * @zero: zero
 * @waits: 1 if it waits for one of its marks to be cleared, else 0
 * @zero1: zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | here  | zero                  | waits                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | zero1                                                         |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_xen_end {
	uint8_t here;
	uint8_t zero[3];
	hdmabuf_le32 waits;
	uint8_t zero1[56];
};

/**
 * struct hdmabuf_xen_link - the link page
 * @magic: ``HDMABUF_XEN_LINK_MAGIC``
 * @version: of this page, at most the backend's ``link-version``
 * @link: the number of the link, as in the record
 * @frontend_use_pages: pages of marks for the frontend's references, 1 to 32
 * @backend_use_pages: pages of marks for the backend's references, 1 to 32
 * @zero: zero
 * @frontend: written by the frontend
 * @backend: written by the backend
 * @reference: the pages of the frontend's marks, then those of the backend's;
 *	what follows the last one is zero
 *
 * Padded with zeros to the page size.  All but @frontend and @backend is
 * constant.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | magic                         | version                       |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | link                                                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | frontend_use_pages            | backend_use_pages             |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | zero                                                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     64  | frontend                                                      |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *    128  | backend                                                       |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *    192  | reference                                                     |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Example: with four pages of marks for each direction, ``reference`` holds
 * eight references, and 56 zeros.
 */
struct hdmabuf_xen_link {
	hdmabuf_le32 magic;
	hdmabuf_le32 version;
	hdmabuf_le64 link;
	hdmabuf_le32 frontend_use_pages;
	hdmabuf_le32 backend_use_pages;
	uint8_t zero[40];
	struct hdmabuf_xen_end frontend;
	struct hdmabuf_xen_end backend;
	hdmabuf_le32 reference[2 * HDMABUF_XEN_USE_PAGES_MAX];
};

#define HDMABUF_ASSERT(name, condition) \
	typedef char hdmabuf_assert_##name[(condition) ? 1 : -1]
#define HDMABUF_ASSERT_AT(type, member, octets) \
	HDMABUF_ASSERT(offsetof_##type##_##member, \
		       offsetof(struct hdmabuf_##type, member) == (octets))

HDMABUF_ASSERT(sizeof_xen_end, sizeof(struct hdmabuf_xen_end) == 64);
HDMABUF_ASSERT_AT(xen_end, here, 0);
HDMABUF_ASSERT_AT(xen_end, waits, 4);

HDMABUF_ASSERT(sizeof_xen_link, sizeof(struct hdmabuf_xen_link) == 448);
HDMABUF_ASSERT_AT(xen_link, magic, 0);
HDMABUF_ASSERT_AT(xen_link, version, 4);
HDMABUF_ASSERT_AT(xen_link, link, 8);
HDMABUF_ASSERT_AT(xen_link, frontend_use_pages, 16);
HDMABUF_ASSERT_AT(xen_link, backend_use_pages, 20);
HDMABUF_ASSERT_AT(xen_link, frontend, 64);
HDMABUF_ASSERT_AT(xen_link, backend, 128);
HDMABUF_ASSERT_AT(xen_link, reference, 192);

#undef HDMABUF_ASSERT_AT
#undef HDMABUF_ASSERT

#ifdef __cplusplus
}
#endif

#endif /* HYPER_DMABUF_XEN_H */
