/* SPDX-License-Identifier: MIT */
/*
 * hyper_dmabuf.h - sharing big buffers between virtual machines
 *
 * This header is the specification.  The prose in its comments says what a
 * peer does, the definitions between them say what it looks like in memory,
 * and the documentation is generated from both.  It includes nothing but
 * <stddef.h> and <stdint.h> and may be copied into any driver as it is.
 */
#ifndef HYPER_DMABUF_H
#define HYPER_DMABUF_H

#ifdef __KERNEL__
#include <asm/byteorder.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <stddef.h>
#include <stdint.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: Introduction
 *
 * Two virtual machines, or a virtual machine and its host, want to use one
 * big buffer: a frame to be scanned out, a picture from a camera, decoded
 * video, a stretch of sound.  Copying it costs more than everything else put
 * together.  Sharing it takes an agreement on five questions: how the two
 * find each other, how one names memory to the other, what the memory holds,
 * whose turn it is, and how it is given back when either of them may vanish
 * at any instruction.  This is that agreement.  It knows no operating system
 * and no hypervisor.
 *
 * Layers
 * ------
 *
 * The protocol has three layers on top of a *platform*, which is whatever
 * the hypervisor offers::
 *
 *     buffers    describe, export, hand off, synchronise, release
 *     session    discovery, negotiation, epochs, limits, loss
 *     channel    two request rings and a few timelines in shared memory
 *     ------------------------------------------------------------------
 *     platform   references to memory, notification, a small store
 *
 * A short *binding* for each platform says how it provides what the chapter
 * *The platform* asks for; the bindings lie beside this header.
 *
 * Two pairs of roles
 * ------------------
 *
 * Four names are used throughout, in two pairs that are independent of each
 * other:
 *
 * - The **frontend** creates the memory of the channel, the **backend** maps
 *   it.  The roles are fixed for as long as the two are configured.
 * - The **exporter** of a buffer shares it, the **importer** uses it.  Each
 *   buffer has its own exporter: either end may export, at any time.
 *
 * An *end* or *peer* is either of the two, whatever its role.
 *
 * A first look
 * ------------
 *
 * A frontend that shows two frames on a backend's screen, from the first
 * word to the last:
 *
 * .. hdmabuf-sequence:: overview
 *     backend -> frontend: store: epoch, versions, features
 *     frontend -> backend: store: epochs of both, reference of the channel
 *     frontend -> backend: HELLO (both epochs, features, limits)
 *     backend -> frontend: OK (both epochs, limits)
 *     frontend: connected: buffers may be exported
 *     frontend -> backend: TIMELINE_CREATE 0, the backend signals
 *     frontend -> backend: EXPORT buffer A
 *     frontend -> backend: EXPORT buffer B
 *     backend: maps A and B, once
 *     frontend -> backend: HAND_OFF A, signal point 1 of timeline 0
 *     frontend -> backend: HAND_OFF B, signal point 2 of timeline 0
 *     backend: shows A, then B
 *     backend -> frontend: point 1: A is free again
 *     frontend -> backend: UNEXPORT A, with 100 ms of grace
 *     backend -> frontend: RELEASED A
 *     frontend -> backend: CLOSE
 *     backend -> frontend: OK, everything is unmapped
 *
 * How to read this
 * ----------------
 *
 * Paragraphs that begin with an identifier in brackets are *clauses*: what
 * an implementation is held to.  Everything else explains.  The middle part
 * of an identifier says who must obey: ``BOTH`` ends, the frontend (``FE``),
 * the backend (``BE``), an exporter (``EXP``), an importer (``IMP``) or the
 * platform (``PLAT``).  The words MUST, MUST NOT and SHOULD have the meaning
 * of RFC 2119.  An identifier is never reused or renumbered.
 *
 * Whoever wants a working peer soon reads *The channel*, *The session* and
 * *Messages*, and then only the operations that are needed; the chapter
 * *The smallest peer* lists them.
 */

/**
 * DOC: Conventions
 *
 * All numbers in shared memory are little-endian and naturally aligned.
 * Structures are padded explicitly; what is not used is called ``zero``.
 * Offsets and sizes are in octets unless a field says otherwise.  A *page*
 * is the session's page size, 4096 octets or a larger power of two.
 *
 * Fields are drawn eight octets a row, lowest address first.  The number at
 * the left is the offset of the row.
 *
 * [HDB-BOTH-001] Every octet that this specification calls zero or gives no
 * meaning, in a message, a descriptor, a directory or the channel page, MUST
 * be written as zero by the end that writes the structure.
 *
 * [HDB-BOTH-002] A receiver MUST refuse a request in which a zero field is not
 * zero, with ``HDMABUF_STATUS_RESERVED``.
 *
 * This is what lets a later version give those octets a meaning: no peer of
 * today can have left rubbish in them.
 *
 * The structures are declared with the types ``hdmabuf_le16``,
 * ``hdmabuf_le32`` and ``hdmabuf_le64``, so that a reader sees, and a checker
 * such as sparse can verify, that a value from shared memory is converted
 * before it is used.  The accessors at the end of this header do that on any
 * machine.
 */

#ifdef __KERNEL__
typedef __le16 hdmabuf_le16;
typedef __le32 hdmabuf_le32;
typedef __le64 hdmabuf_le64;
#else
/** typedef hdmabuf_le16 - a 16-bit number, little-endian in memory */
typedef uint16_t hdmabuf_le16;
/** typedef hdmabuf_le32 - a 32-bit number, little-endian in memory */
typedef uint32_t hdmabuf_le32;
/** typedef hdmabuf_le64 - a 64-bit number, little-endian in memory */
typedef uint64_t hdmabuf_le64;
#endif

/**
 * define HDMABUF_VERSION - the version of the protocol described here
 *
 * One integer.  It grows when something changes that a feature bit cannot
 * express.
 */
#define HDMABUF_VERSION 1

/**
 * define HDMABUF_PAGE_SHIFT_MIN - binary logarithm of the smallest page size
 */
#define HDMABUF_PAGE_SHIFT_MIN 12

/**
 * define HDMABUF_PAGE_SHIFT_MAX - binary logarithm of the largest page size
 */
#define HDMABUF_PAGE_SHIFT_MAX 16

/**
 * DOC: The platform
 *
 * Everything that differs between Xen, KVM and a bare Linux machine is on
 * this side of a line.  A platform provides three things to a pair of ends:
 * references to memory, a notification, and a small store.  A binding says
 * how.  It may not change anything above the line.
 *
 * References
 * ----------
 *
 * A *reference* is a number by which one end names one page of its memory to
 * the other: a grant reference on Xen, a page's place in a window that both
 * see on KVM.  Consecutive references are only related where a binding says
 * that they are.
 *
 * [HDB-PLAT-001] A reference MUST name exactly one page.
 *
 * [HDB-PLAT-002] A reference MUST NOT be usable by any end but the one that it
 * was made for.
 *
 * [HDB-PLAT-003] Zero MUST NOT be a valid reference.
 *
 * [HDB-PLAT-004] A page shared read-only MUST NOT be writable by the other
 * end, whatever that end does; a platform that cannot enforce this refuses to
 * share the page read-only.
 *
 * [HDB-PLAT-005] Revoking a reference MUST either succeed, after which no
 * mapping of the page by the other end is left or can be made, or report that
 * the page is still in use.
 *
 * A query followed by a revocation is not enough: the other end may map the
 * page in between.  Where the other end always sees all of the memory, as
 * through a window on KVM, "mapped" means what it has declared to be using;
 * the binding says how, and that this protects from mistakes, not from malice.
 *
 * [HDB-PLAT-006] Mapping several references MUST either map all of them, in
 * order and contiguously, or none, and say which reference failed.
 *
 * [HDB-PLAT-007] A mapped page MUST stay accessible without fault until it is
 * unmapped, even if the other end dies or tries to take it back.
 *
 * [HDB-PLAT-008] Stores to shared memory MUST become visible to the other end
 * in the order that the barriers of this specification ask for.
 *
 * Notification
 * ------------
 *
 * A notification carries nothing; it says *look again*.  There is one for
 * each direction of a session, shared by both rings and all timelines.
 *
 * [HDB-PLAT-009] A notification sent after a store MUST wake the other end so
 * that it sees the store.  Several may merge into one; none may be lost.
 *
 * [HDB-BOTH-003] An end MUST be able to take a notification for which there is
 * nothing to do.
 *
 * The store
 * ---------
 *
 * Before there is a channel, two ends know each other by a *record* that each
 * keeps in the store: a handful of keys with short values of printable ASCII.
 * Each end writes its own record, reads the other's, and is told when that
 * changes.
 *
 * [HDB-PLAT-010] An end MUST NOT be able to write the record of another.
 *
 * [HDB-PLAT-011] A change of a record MUST be reported to the other end in
 * bounded time; several changes may be reported as one.
 *
 * [HDB-PLAT-012] The end of a peer, by death, destruction or migration, MUST
 * be reported as a change of its record, which is gone from then on.
 *
 * Whom an end may talk to is policy, not protocol: an end sees the peers that
 * the platform's store lists for it, and no others.
 *
 * A number in a record is decimal, with no sign and no leading zero, at most
 * 20 digits.
 *
 * [HDB-BOTH-004] A reader of a record MUST refuse a value that is not a number
 * in that form or lies outside the range its key allows.  It treats the record
 * as if it were absent until it changes.
 *
 * It does the same if a key of the table below is missing, or comes twice, or
 * if ``version-min`` exceeds ``version-max``; keys that it does not know it
 * passes over.
 *
 * [HDB-BOTH-005] Unless the binding writes a record atomically, its writer
 * MUST write ``epoch`` after all other keys and remove it before all others.
 *
 * [HDB-BOTH-006] Unless the binding reads a record atomically, its reader MUST
 * read ``epoch`` before and after the other keys and, when the two differ,
 * treat the record as absent until the store reports the next change.
 *
 * The backend's record is its *offer*, the frontend's is its *answer*:
 *
 * ==================  ========  ==============================================
 * key                 whose     value
 * ==================  ========  ==============================================
 * ``epoch``           both      the end's epoch, 1 to 2^64 - 1
 * ``version-min``     backend   the lowest version that it speaks, 32 bits
 * ``version-max``     backend   the highest version that it speaks, 32 bits
 * ``features``        backend   the feature bits that it offers
 * ``ring-formats``    backend   bit n is set if it knows ring format n
 * ``ring-order-max``  backend   the largest ring that it maps, as an order, 0
 *                               to 6
 * ``timeline-max``    backend   the most timeline pages an end may have, 0 to
 *                               64
 * ``error``           backend   status of the channel it last refused, 1 to
 *                               65535 (absent if there was none)
 * ``peer-epoch``      frontend  the backend's epoch that this record answers
 * ``channel``         frontend  the reference of the channel page
 * ==================  ========  ==============================================
 *
 * A binding adds keys of its own where it must, for instance the number of an
 * event channel.
 */

/** define HDMABUF_KEY_EPOCH - key of an end's epoch */
#define HDMABUF_KEY_EPOCH "epoch"
/** define HDMABUF_KEY_VERSION_MIN - key of the lowest version offered */
#define HDMABUF_KEY_VERSION_MIN "version-min"
/** define HDMABUF_KEY_VERSION_MAX - key of the highest version offered */
#define HDMABUF_KEY_VERSION_MAX "version-max"
/** define HDMABUF_KEY_FEATURES - key of the feature bits offered */
#define HDMABUF_KEY_FEATURES "features"
/** define HDMABUF_KEY_RING_FORMATS - key of the ring formats offered */
#define HDMABUF_KEY_RING_FORMATS "ring-formats"
/** define HDMABUF_KEY_RING_ORDER_MAX - key of the largest ring order */
#define HDMABUF_KEY_RING_ORDER_MAX "ring-order-max"
/** define HDMABUF_KEY_TIMELINE_MAX - key of the most timeline pages an end */
#define HDMABUF_KEY_TIMELINE_MAX "timeline-max"
/** define HDMABUF_KEY_ERROR - key of the status of the last refused channel */
#define HDMABUF_KEY_ERROR "error"
/** define HDMABUF_KEY_PEER_EPOCH - key of the epoch that is answered */
#define HDMABUF_KEY_PEER_EPOCH "peer-epoch"
/** define HDMABUF_KEY_CHANNEL - key of the reference of the channel page */
#define HDMABUF_KEY_CHANNEL "channel"
/** define HDMABUF_VALUE_OCTETS - longest value of a key, without terminator */
#define HDMABUF_VALUE_OCTETS 20

/**
 * DOC: The channel
 *
 * The channel is memory of the frontend that both ends map read-write: the
 * channel page, two rings, and two areas of timelines.  The frontend's record
 * names the channel page; the channel page names all the rest.
 *
 * [HDB-FE-001] The frontend MUST make a new channel, of zeroed pages that hold
 * nothing else, for every session.
 *
 * [HDB-FE-002] The channel page MUST be complete before the frontend publishes
 * its record, and stay as it is afterwards.
 *
 * [HDB-BE-001] The backend MUST copy the channel page once, and use nothing
 * but the copy.
 *
 * [HDB-BE-002] The backend MUST refuse a channel page with a wrong magic, with
 * epochs other than those of the two records, with a page size that is not the
 * platform's, with a version, a ring format, a ring order or a number of
 * timeline pages that it did not offer, with a number of references that is
 * not the sum of what it describes, or with zero fields that are not zero.
 *
 * The status, which the next clause publishes, is WRONG_EPOCH for an epoch,
 * LIMIT for a ring order or a number of timeline pages, RESERVED for a zero
 * field, BAD_REFERENCE for a reference that is zero or cannot be mapped, and
 * else INVALID.
 *
 * [HDB-BE-003] To refuse a channel, the backend MUST unmap what it had mapped
 * of it and publish a new offer, with a new epoch and the status in ``error``.
 *
 * [HDB-FE-003] When offers carry ``error``, or HELLO was refused, the frontend
 * SHOULD wait longer before each further attempt, and report the status.
 */

/** define HDMABUF_CHANNEL_MAGIC - first word of a channel page, "HDBC" */
#define HDMABUF_CHANNEL_MAGIC 0x43424448u

/** define HDMABUF_RING_ORDER_MAX - the largest ring order there is */
#define HDMABUF_RING_ORDER_MAX 6
/** define HDMABUF_TIMELINE_PAGES_MAX - the most timeline pages of an end */
#define HDMABUF_TIMELINE_PAGES_MAX 64
/** define HDMABUF_CHANNEL_REFERENCES_MAX - the most a channel page can hold */
#define HDMABUF_CHANNEL_REFERENCES_MAX 256

/**
 * struct hdmabuf_channel - the channel page
 * @magic: ``HDMABUF_CHANNEL_MAGIC``
 * @version: the version that the frontend chose, ``version-min`` to
 *	``version-max`` of the offer
 * @epoch_frontend: the epoch of the frontend's record
 * @epoch_backend: the epoch of the offer
 * @page_shift: binary logarithm of the page size of the session
 * @ring_format: the format of both rings, one that was offered
 * @frontend_ring_order: the frontend's ring has 2^order pages
 * @backend_ring_order: the backend's ring has 2^order pages
 * @timeline_pages: pages in each of the two timeline areas, may be 0
 * @references: how many references follow
 * @frontend_ring_start: where the indices of the frontend's ring begin, any
 *	number
 * @backend_ring_start: where those of the backend's ring begin, any number
 * @zero: zero
 * @reference: the pages of the frontend's ring, of the backend's ring, of the
 *	frontend's timelines and of the backend's timelines, in this order
 *
 * The first page of the channel, padded with zeros to the page size.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | magic                         | version                       |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | epoch_frontend                                                |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | epoch_backend                                                 |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | page_shift                    | ring_format                   |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | frontend_ring_order           | backend_ring_order            |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     40  | timeline_pages                | references                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     48  | frontend_ring_start           | backend_ring_start            |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     56  | zero                                                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     64  | reference                                                     |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Example: with one page for each ring and one page of timelines for each end,
 * ``references`` is 4 and ``reference`` holds the frontend's ring, the
 * backend's ring, the frontend's timelines, the backend's timelines.  If
 * ``backend_ring_start`` is 4294967264, which is 2^32 - 32, the frontend has
 * stored 4294967264 as ``req_prod`` and ``rsp_prod`` of the backend's ring and
 * 4294967265 as its ``req_event`` and ``rsp_event``; the backend's first
 * request lies in slot 0, and after its 32nd ``req_prod`` is 0.
 */
struct hdmabuf_channel {
	hdmabuf_le32 magic;
	hdmabuf_le32 version;
	hdmabuf_le64 epoch_frontend;
	hdmabuf_le64 epoch_backend;
	hdmabuf_le32 page_shift;
	hdmabuf_le32 ring_format;
	hdmabuf_le32 frontend_ring_order;
	hdmabuf_le32 backend_ring_order;
	hdmabuf_le32 timeline_pages;
	hdmabuf_le32 references;
	hdmabuf_le32 frontend_ring_start;
	hdmabuf_le32 backend_ring_start;
	uint8_t zero[8];
	hdmabuf_le64 reference[HDMABUF_CHANNEL_REFERENCES_MAX];
};

/**
 * DOC: The rings
 *
 * Each end has a ring of its own, in which it places requests and finds the
 * answers.  The *frontend's ring* carries requests of the frontend, the
 * *backend's ring* those of the backend.  On a ring, the end whose ring it is
 * is the *requester*, the other the *responder*.
 *
 * What other protocols send as events, in a page of their own that overflows
 * silently, are requests here; the space in the ring is the flow control.
 *
 * There are two formats.  Format 0 is what drivers have macros for.  Format 1
 * is for ends that poll, or that keep two processors busy: a message takes one
 * cache line from end to end, and no other line changes hands.  The frontend
 * chooses one of those offered, for both rings; the messages are the same.
 *
 * [HDB-FE-011] The frontend SHOULD choose the highest ring format that it
 * knows of those offered.
 *
 * Ring format 0
 * -------------
 *
 * The layout is that of Xen's ``io/ring.h``, so that a driver may use the
 * macros that its kernel already has: four indices, then slots of 64 octets
 * from offset 64.  The number of slots is the largest power of two that fits,
 * which is the size of the ring in octets divided by 128: 32 for one page of
 * 4096, 64 for two.  A slot holds a request, and later its answer.
 *
 * Indices are 32 bits wide, run freely and wrap at 2^32.  Index i stands for
 * slot i modulo the number of slots.
 *
 * The channel page says for each ring at which index it begins, its *start*:
 * ``req_prod`` and ``rsp_prod`` are the start at first, ``req_event`` and
 * ``rsp_event`` one more, modulo 2^32.  A frontend that uses its kernel's
 * macros as they are starts at 0.  One that starts a little below 2^32 meets
 * the wrap-around with its first messages rather than after weeks.  The
 * backend takes the start from its copy of the channel page; the indices in
 * the ring may have moved by then.
 *
 * To send, the requester fills the slots from its private copy of
 * ``req_prod`` on, then, after a write barrier, stores the new ``req_prod``:
 * one store makes any number of requests visible.  The responder does the same
 * with answers and ``rsp_prod``.  Answers may come in any order; an answer
 * uses the slot at ``rsp_prod``, whichever request it belongs to, which is
 * free because the responder has copied the request out of it long before.
 *
 * Ring format 1
 * -------------
 *
 * No index is in shared memory.  The ring begins with the two events, each on
 * a cache line of its own; as many slots as in format 0 follow from offset 128.
 * Both ends count messages from the ring's start as in format 0, privately, and
 * count i stands for slot i modulo the number of slots.
 *
 * That a message is there, its own slot tells: octet 7, in format 0 the high
 * octet of ``status``, is the *mark*.  The mark of a batch's first message says
 * how many messages the batch has; in the others it is zero, and no message
 * has a status beyond 255::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | id                            | operation     | status| mark  |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * =============  =======================================================
 * mark           this slot and those after it hold
 * =============  =======================================================
 * 0              nothing new, or a message of a batch that began earlier
 * 1 to 64        1 to 64 requests
 * 129 to 192     1 to 64 answers
 * =============  =======================================================
 *
 * To send, an end fills the slots of a batch but for octets 4 to 7 of the
 * first, then, after a write barrier, stores those four as one word, with the
 * mark.  Of a batch of more than 64, every 64th slot is marked, the first one
 * last: one store makes any number of messages visible here as well.
 *
 * To receive, an end reads that word of the slot from which its next message
 * will come.  A mark of the other kind is of a message of its own, or of one
 * that it has taken: requests and answers take turns in a slot.  A slot that
 * its own end has not used again since would show an old mark of the right
 * kind, so nobody looks there: a requester looks for answers only while
 * requests are unanswered, a responder for requests only while it has answered
 * all but fewer than the ring has slots.
 *
 * [HDB-BOTH-070] In a ring of format 1, an end MUST store the word that marks
 * a batch after the rest of all its messages.
 *
 * [HDB-BOTH-071] An end that finds a mark which counts more requests than the
 * ring has slots for which no answer was produced and none was taken, or more
 * answers than there are requests unanswered, MUST treat the session as broken.
 *
 * [HDB-BOTH-072] An end MUST NOT take a mark for new that belongs to a message
 * which it has taken.
 *
 * Both formats
 * ------------
 *
 * [HDB-FE-004] The frontend MUST initialise the indices of both rings before
 * it publishes its record.
 *
 * In format 1 these are the events, and all else is zero.
 *
 * [HDB-BOTH-068] An end MUST begin both rings at the indices that the channel
 * page names.
 *
 * [HDB-BOTH-007] An end MUST compute places and counts with private copies of
 * its own indices, never with what it finds in their place in the ring.
 *
 * Xen's macros read an end's own index back in one place, to see whether it
 * has crossed the event.  That does no harm: all it can cost is a
 * notification, which the other end has then spoilt for itself.
 *
 * [HDB-BOTH-008] A requester MUST NOT have more requests unanswered than the
 * ring has slots, nor more than the responder's limit ``max_in_flight``.
 *
 * [HDB-BOTH-009] An end MUST copy a message out of the ring once, after a read
 * barrier that follows its reading of the producer index or the mark, and use
 * nothing but the copy.
 *
 * [HDB-BOTH-010] A responder that finds ``req_prod`` more than a ring's slots
 * ahead of the answers it has produced, or a requester that finds ``rsp_prod``
 * ahead of the requests it has produced, MUST treat the session as broken.
 *
 * [HDB-BOTH-011] A requester that finds an answer whose ``id`` or
 * ``operation`` fits none of its unanswered requests MUST treat the session as
 * broken.
 *
 * [HDB-BOTH-012] An end MUST bound the work that it does for a peer before it
 * turns to others, whatever the indices say.
 *
 * When to notify
 * --------------
 *
 * The consumer of an index writes into the event field beside it the index at
 * whose crossing it wants to be notified.  The producer that moves its index
 * from ``old`` to ``new`` notifies if ``new - event`` is less than ``new -
 * old``, both modulo 2^32: that is, if the index has crossed the event.
 *
 * [HDB-BOTH-013] After storing a producer index, an end MUST issue a full
 * barrier, read the event field, and notify if the index has crossed it.
 *
 * [HDB-BOTH-014] Before it sleeps, a consumer MUST store the wanted index into
 * the event field, issue a full barrier, and read the producer index again.
 *
 * In format 1 the producer's count is the index, and the mark is what is stored
 * and read again: a batch moves the count as a whole.
 *
 * A consumer that polls leaves the event field behind and gets no
 * notifications; a requester that wants one notification for a batch of
 * answers sets ``rsp_event`` that far ahead.
 *
 * With a ring that starts at 0:
 *
 * .. hdmabuf-sequence:: ring
 *     requester: fills a slot, barrier, req_prod = 1
 *     requester: barrier, reads req_event = 1: crossed
 *     requester -> responder: notification
 *     responder: reads req_prod, barrier, copies the slot
 *     responder: handles it, answers, barrier, rsp_prod = 1
 *     responder: barrier, reads rsp_event = 1: crossed
 *     responder -> requester: notification
 *     responder: req_event = 2, barrier, req_prod still 1: sleeps
 */

/** define HDMABUF_SLOT_OCTETS - size of a message and of a ring's slot */
#define HDMABUF_SLOT_OCTETS 64
/** define HDMABUF_RING_FORMAT_0 - the ring format with indices, as Xen's */
#define HDMABUF_RING_FORMAT_0 0
/** define HDMABUF_RING_FORMAT_1 - the ring format with marks in the slots */
#define HDMABUF_RING_FORMAT_1 1
/** define HDMABUF_MARK_REQUESTS - is added to a number of requests in a mark */
#define HDMABUF_MARK_REQUESTS 0
/** define HDMABUF_MARK_ANSWERS - is added to a number of answers in a mark */
#define HDMABUF_MARK_ANSWERS 128
/** define HDMABUF_MARK_MAX - the most messages that one mark counts */
#define HDMABUF_MARK_MAX 64
/**
 * define HDMABUF_RING_SLOTS - slots of a ring, of either format
 * @octets: size of the ring, 2^order pages
 */
#define HDMABUF_RING_SLOTS(octets) ((octets) / 128u)

/**
 * struct hdmabuf_ring_indices - what a ring of format 0 begins with
 * @req_prod: requests produced, stored by the requester
 * @req_event: the ``req_prod`` at which the responder wants a notification
 * @rsp_prod: answers produced, stored by the responder
 * @rsp_event: the ``rsp_prod`` at which the requester wants a notification
 * @zero: zero; unused
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | req_prod                      | req_event                     |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | rsp_prod                      | rsp_event                     |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | zero                                                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_ring_indices {
	hdmabuf_le32 req_prod;
	hdmabuf_le32 req_event;
	hdmabuf_le32 rsp_prod;
	hdmabuf_le32 rsp_event;
	uint8_t zero[48];
};

/**
 * struct hdmabuf_ring_events - what a ring of format 1 begins with
 * @req_event: the number of requests at which the responder wants a
 *	notification, counted from the start
 * @zero_1: zero; unused
 * @rsp_event: the number of answers at which the requester wants one
 * @zero_2: zero; unused
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | req_event                     | zero_1                        |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     64  | rsp_event                     | zero_2                        |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_ring_events {
	hdmabuf_le32 req_event;
	uint8_t zero_1[60];
	hdmabuf_le32 rsp_event;
	uint8_t zero_2[60];
};

/**
 * DOC: The session
 *
 * A session is what two ends share between one handshake and the loss or the
 * closing that ends it.  Buffers, timelines and unanswered requests belong to
 * a session and never outlive it.
 *
 * Epochs
 * ------
 *
 * An end that only sees the other's *state* cannot tell whether it has died
 * and come back in between: both could believe that they are connected, each
 * to a different life of the other.  So every attempt of an end at a session
 * has a number, its *epoch*, and a session is a pair of them.
 *
 * [HDB-BOTH-015] An end MUST choose a new epoch for every attempt at a
 * session, at random and from at least 2^48 values, never 0.
 *
 * [HDB-FE-005] The frontend MUST NOT consider itself connected before it has
 * received an answer to HELLO with status OK that carries its own epoch and
 * the epoch of the offer that its record answers.
 *
 * An answer with status OK that carries others, or other features than were
 * asked for, breaks the session.
 *
 * [HDB-BE-004] The backend MUST NOT consider itself connected before it has
 * received a HELLO that carries its own epoch and the epoch of the frontend's
 * record, and has answered it with status OK.
 *
 * [HDB-BOTH-016] A change of the epoch in the other's record, or its absence,
 * ends the session or the attempt.  An end that notices MUST first take the
 * messages that are already in the rings.
 *
 * The last sentence matters when the other end closed in good order and left:
 * its answer to CLOSE is still there to be read.
 *
 * Establishment
 * -------------
 *
 * .. hdmabuf-sequence:: establishment
 *     backend: draws epoch EB
 *     backend -> frontend: store: offer (EB, versions, features, rings)
 *     frontend: draws epoch EF, makes the channel
 *     frontend: sends HELLO into its ring
 *     frontend -> backend: store: answer (EF, EB, channel)
 *     backend: copies the channel page, checks it, maps the rings
 *     backend: takes HELLO (EF, EB)
 *     backend -> frontend: OK (EF, EB)
 *     backend: connected
 *     frontend: connected
 *
 * [HDB-BE-005] The backend MUST take notice of a frontend's record only if its
 * ``peer-epoch`` is the epoch of the backend's current offer.
 *
 * [HDB-FE-006] HELLO MUST be the first request of the frontend in a session,
 * and the only one until it is answered.
 *
 * [HDB-BE-006] The backend MUST NOT send a request before it has answered
 * HELLO with status OK.
 *
 * [HDB-BE-007] The backend MUST answer any request before HELLO, and any
 * second HELLO, with ``HDMABUF_STATUS_WRONG_STATE``.
 *
 * [HDB-FE-009] The frontend MUST answer every HELLO with
 * ``HDMABUF_STATUS_WRONG_STATE``.
 *
 * [HDB-BOTH-017] Between finding a request and handling it, an end MUST take
 * the answers in its own ring.
 *
 * The other end may have sent the request because of what it had just
 * answered; so the frontend knows that it is connected before it sees the
 * backend's first request.  The order counts: first look whether there is a
 * request, then take all answers, then take that request.  Who takes answers
 * first and looks for requests afterwards may find a request whose answer came
 * in between.
 *
 * [HDB-BE-008] The backend MUST answer a HELLO with an epoch that is not the
 * current one of each end with ``HDMABUF_STATUS_WRONG_EPOCH``, and then make a
 * new offer.
 *
 * Features
 * --------
 *
 * What is not in every peer is behind a feature bit.  The backend offers, the
 * frontend takes what it wants of it.
 *
 * [HDB-FE-007] The frontend MUST NOT accept in HELLO a feature that the
 * backend did not offer.
 *
 * [HDB-BE-009] The backend MUST answer a HELLO that accepts a feature it did
 * not offer with ``HDMABUF_STATUS_NOT_NEGOTIATED``, and then make a new offer.
 *
 * [HDB-BOTH-018] An end MUST NOT use a feature that was not accepted.
 *
 * [HDB-BOTH-019] An end MUST refuse the use of a feature that was not
 * accepted, with ``HDMABUF_STATUS_NOT_NEGOTIATED``.
 *
 * Limits
 * ------
 *
 * Each end announces in HELLO, or in its answer, how much it is willing to
 * hold for the other.  A limit of 0 is an announcement too: an end whose
 * ``max_buffers`` is 0 imports nothing.
 *
 * [HDB-BOTH-020] An end MUST NOT exceed a limit that the other has announced.
 *
 * [HDB-BOTH-021] An end MUST enforce the limits it has announced, and refuse
 * what exceeds them with ``HDMABUF_STATUS_LIMIT``.
 *
 * To a responder, those requests are unanswered that it has taken since it
 * last made answers visible.
 *
 * [HDB-BOTH-022] An end MUST check a limit before it allocates what the
 * other's request asks for.
 *
 * Closing
 * -------
 *
 * [HDB-BOTH-023] An end MUST have unmapped every buffer that it imported
 * before it sends CLOSE.
 *
 * [HDB-BOTH-024] An end MUST NOT send a request after it has sent or received
 * CLOSE.
 *
 * [HDB-BOTH-025] An end that receives CLOSE MUST unmap every buffer that it
 * imported before it answers with OK.
 *
 * The answer says that nothing is mapped any more, so every buffer is released
 * by it.  An end whose application still holds a mapping answers with
 * ``HDMABUF_STATUS_BUSY``, and the buffers of both ends fare as after a loss.
 *
 * [HDB-BOTH-026] Until its CLOSE is answered, an end MUST refuse every request
 * but CLOSE with ``HDMABUF_STATUS_CLOSING``.
 *
 * Both ends may close at the same time; each then answers the other.  A
 * request that is not answered when the session is closed ends as after a
 * loss; the status CLOSING says that the session ends, not what became of the
 * request.
 *
 * Loss
 * ----
 *
 * A session is *lost* when the other's record changes or is gone, when the
 * platform says that the other end is dead, or when the other end breaks the
 * rules of the ring.  Suspending or migrating either end loses its sessions.
 * Nothing has to be repaired: each end cleans up on its own and tries again
 * with a new epoch.  How long an end waits for an answer that does not come is
 * its own business; giving up is a loss like any other.
 *
 * [HDB-FE-010] When a session is lost, or HELLO was refused, the frontend MUST
 * withdraw its record, or replace it by one with another epoch.
 *
 * So the backend notices even if it had nothing to complain of, and makes a
 * new offer.
 *
 * [HDB-BOTH-027] When a session is over, an end MUST end every wait on a point
 * of that session's timelines, and every unanswered request of its own, with
 * ``HDMABUF_STATUS_LOST``.
 *
 * [HDB-BOTH-028] When a session is lost or closed, an end MUST unmap what it
 * imported in that session as soon as its application lets go of it.
 *
 * [HDB-BE-010] When a session is lost or closed, the backend MUST unmap the
 * channel.
 *
 * [HDB-FE-008] When a session is lost or closed, the frontend MUST keep the
 * pages of the channel out of use until the platform has revoked them all.
 *
 * [HDB-BOTH-029] An end that loses a session MUST be able to establish a new
 * one without being restarted.
 *
 * [HDB-BOTH-030] An end MUST NOT let a peer that breaks the rules harm its
 * sessions with other peers.
 *
 * States
 * ------
 *
 * In state READY a backend has published its offer and a frontend looks for
 * one.  In GREETING the channel exists and HELLO is on its way.
 *
 * .. hdmabuf-states:: SESSION BOTH
 */

/**
 * enum hdmabuf_role - who created the channel
 * @HDMABUF_FRONTEND: the end that makes the channel
 * @HDMABUF_BACKEND: the end that maps it
 */
enum hdmabuf_role {
	HDMABUF_FRONTEND = 0,
	HDMABUF_BACKEND = 1
};

/**
 * enum hdmabuf_session_state - states of a session at one end
 * @HDMABUF_SESSION_DOWN: no record is published
 * @HDMABUF_SESSION_READY: the backend has made its offer, the frontend looks
 *	for one
 * @HDMABUF_SESSION_GREETING: the channel exists, HELLO is not answered yet
 * @HDMABUF_SESSION_CONNECTED: one message has carried both epochs
 * @HDMABUF_SESSION_CLOSING: this end has sent CLOSE
 * @HDMABUF_SESSION_STATES: how many states there are
 */
enum hdmabuf_session_state {
	HDMABUF_SESSION_DOWN = 0,
	HDMABUF_SESSION_READY = 1,
	HDMABUF_SESSION_GREETING = 2,
	HDMABUF_SESSION_CONNECTED = 3,
	HDMABUF_SESSION_CLOSING = 4,
	HDMABUF_SESSION_STATES = 5
};

/**
 * enum hdmabuf_session_event - what moves a session from state to state
 * @HDMABUF_SESSION_START: this end wants a session
 * @HDMABUF_SESSION_PEER_RECORD: the frontend sees an offer that it can answer,
 *	the backend an answer to its current offer with a channel that is valid
 * @HDMABUF_SESSION_HELLO_OK: HELLO was answered with status OK
 * @HDMABUF_SESSION_HELLO_REFUSED: HELLO was answered with another status
 * @HDMABUF_SESSION_CLOSE: this end sends CLOSE
 * @HDMABUF_SESSION_CLOSE_ANSWERED: the other end has answered CLOSE
 * @HDMABUF_SESSION_PEER_CLOSE: the other end's CLOSE is answered
 * @HDMABUF_SESSION_LOST: the session is lost, see *Loss*
 * @HDMABUF_SESSION_STOP: this end gives up without a word
 * @HDMABUF_SESSION_EVENTS: how many events there are
 */
enum hdmabuf_session_event {
	HDMABUF_SESSION_START = 0,
	HDMABUF_SESSION_PEER_RECORD = 1,
	HDMABUF_SESSION_HELLO_OK = 2,
	HDMABUF_SESSION_HELLO_REFUSED = 3,
	HDMABUF_SESSION_CLOSE = 4,
	HDMABUF_SESSION_CLOSE_ANSWERED = 5,
	HDMABUF_SESSION_PEER_CLOSE = 6,
	HDMABUF_SESSION_LOST = 7,
	HDMABUF_SESSION_STOP = 8,
	HDMABUF_SESSION_EVENTS = 9
};

/**
 * define HDMABUF_SESSION_TABLE - the state machine of a session
 * @X: macro of (role, state, event, next state); the role is FRONTEND, BACKEND
 *	or BOTH
 *
 * What is not in the table cannot happen, or is to be refused.
 */
#define HDMABUF_SESSION_TABLE(X) \
	X(BOTH, DOWN, START, READY) \
	X(BOTH, READY, PEER_RECORD, GREETING) \
	X(BOTH, READY, STOP, DOWN) \
	X(BOTH, GREETING, HELLO_OK, CONNECTED) \
	X(BOTH, GREETING, HELLO_REFUSED, READY) \
	X(BOTH, GREETING, LOST, READY) \
	X(BOTH, GREETING, STOP, DOWN) \
	X(BOTH, CONNECTED, CLOSE, CLOSING) \
	X(BOTH, CONNECTED, PEER_CLOSE, READY) \
	X(BOTH, CONNECTED, LOST, READY) \
	X(BOTH, CONNECTED, STOP, DOWN) \
	X(BOTH, CLOSING, CLOSE_ANSWERED, DOWN) \
	X(BOTH, CLOSING, PEER_CLOSE, CLOSING) \
	X(BOTH, CLOSING, LOST, DOWN) \
	X(BOTH, CLOSING, STOP, DOWN)

/** define HDMABUF_FEATURE_TABLE - directories of TABLE may be used */
#define HDMABUF_FEATURE_TABLE ((uint64_t)1 << 0)
/** define HDMABUF_FEATURE_EXTENTS - directories of EXTENTS may be used */
#define HDMABUF_FEATURE_EXTENTS ((uint64_t)1 << 1)
/** define HDMABUF_FEATURE_UPDATE - UPDATE may be sent */
#define HDMABUF_FEATURE_UPDATE ((uint64_t)1 << 2)
/** define HDMABUF_FEATURE_LEND - buffers may have the right LEND */
#define HDMABUF_FEATURE_LEND ((uint64_t)1 << 3)
/** define HDMABUF_FEATURE_ALLOCATE - ALLOCATE may be sent */
#define HDMABUF_FEATURE_ALLOCATE ((uint64_t)1 << 4)
/** define HDMABUF_FEATURE_CPU_ACCESS - CPU_BEGIN and CPU_END may be sent */
#define HDMABUF_FEATURE_CPU_ACCESS ((uint64_t)1 << 5)
/** define HDMABUF_FEATURE_GROUP - hand-offs may be grouped by the flag MORE */
#define HDMABUF_FEATURE_GROUP ((uint64_t)1 << 6)
/** define HDMABUF_FEATURE_CYCLIC - buffers may have the type CYCLIC */
#define HDMABUF_FEATURE_CYCLIC ((uint64_t)1 << 7)
/** define HDMABUF_FEATURE_WRITE_COMBINED - buffers may be write-combined */
#define HDMABUF_FEATURE_WRITE_COMBINED ((uint64_t)1 << 8)
/** define HDMABUF_FEATURES_ALL - all feature bits of this version */
#define HDMABUF_FEATURES_ALL ((uint64_t)0x1ff)

/**
 * DOC: Messages
 *
 * A message is 64 octets, a request or its answer, and begins with the same
 * eight octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | id                            | operation     | status        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * ``id`` is any number that the requester likes, for instance the place where
 * it keeps what it wants to remember until the answer comes.
 *
 * [HDB-BOTH-031] A requester MUST NOT use the ``id`` of a request that is not
 * answered yet for another one.
 *
 * [HDB-BOTH-032] An answer MUST repeat the ``id`` and the ``operation`` of its
 * request.
 *
 * [HDB-BOTH-033] An end MUST answer every request exactly once.
 *
 * [HDB-BOTH-034] An end MUST NOT let an answer wait for anything that the
 * other end has yet to do.
 *
 * The last clause is why a ring can never clog: what takes long, such as
 * waiting for an application to let go of a buffer, is told by a request of
 * its own in the other direction.
 *
 * [HDB-BOTH-035] An end MUST handle the requests of a ring in the order in
 * which they were sent.
 *
 * [HDB-BOTH-036] An end MUST answer an operation that it does not know with
 * ``HDMABUF_STATUS_UNKNOWN_OPERATION``.
 *
 * The ``status`` of a request is a zero field.  In rings of format 1 a status
 * has one octet; the other is the mark of the slot, not of the message.
 *
 * When something is wrong
 * -----------------------
 *
 * [HDB-BOTH-069] An answer with status OK MUST carry what the description of
 * its operation says, or zeros if it says nothing.
 *
 * Any other answer says what was wrong and where, see *struct hdmabuf_error*.
 *
 * [HDB-BOTH-037] A request that is refused MUST leave everything at the end
 * that refuses it as it was before.
 *
 * [HDB-BOTH-038] Of several things that are wrong with a request, an end MUST
 * report the first in this order: the operation is unknown; it needs a feature
 * that was not accepted; the session is not in a state for it; a zero field is
 * not zero; the buffer or timeline that it names does not exist; the sender is
 * not the end who may send it; the buffer is not in a state for it; a field
 * has a value that is not allowed; a limit is exceeded; what it refers to is
 * wrong; something cannot be provided.
 *
 * "Not in a state" covers WRONG_EPOCH and CLOSING, "a value that is not
 * allowed" DUPLICATE, and "cannot be provided" UNSUPPORTED, DENIED and BUSY.
 * What a request refers to is looked at only when the request itself is in
 * order: first the descriptor, then the directory, page by page in the order
 * in which they are read, then the pages of data.  Within each, the order is
 * the same, and of equals the one with the lowest offset is reported.
 *
 * Where another clause says that a request is refused, this order holds all
 * the same: with "any request" those are meant that have nothing wrong that
 * comes before.
 *
 * [HDB-BOTH-039] An end SHOULD fill ``where``, ``offset`` and ``value`` of an
 * error so that the other can tell its user what to mend.
 *
 * A BAD_REFERENCE is where the reference stands: of the descriptor in REQUEST
 * at 24, of the first page of the directory in DESCRIPTOR at 56, of its
 * further pages in DIRECTORY, of a page of data in PAGE.  Where no field is to
 * blame, as with ``max_buffers``, ``where`` is NOWHERE.
 *
 * [HDB-BOTH-040] A requester that receives a status it does not know MUST
 * treat it as ``HDMABUF_STATUS_FAILED``.
 *
 * [HDB-BOTH-064] A requester that receives an answer in which a zero field is
 * not zero, or a field has a value that its description does not allow, MUST
 * treat the session as broken.
 */

/**
 * enum hdmabuf_operation - the operations
 * @HDMABUF_OP_HELLO: carry both epochs, accept features, announce limits
 * @HDMABUF_OP_CLOSE: end the session in good order
 * @HDMABUF_OP_ECHO: send the payload back
 * @HDMABUF_OP_EXPORT: share a buffer
 * @HDMABUF_OP_UPDATE: change the metadata of a buffer
 * @HDMABUF_OP_UNEXPORT: ask for a buffer to be released
 * @HDMABUF_OP_RELEASED: tell that a buffer is not mapped any more
 * @HDMABUF_OP_HAND_OFF: pass a buffer on
 * @HDMABUF_OP_QUERY: ask for what the other end knows of a buffer
 * @HDMABUF_OP_ALLOCATE: ask the other end to allocate and export a buffer
 * @HDMABUF_OP_CPU_BEGIN: a processor is about to access a buffer
 * @HDMABUF_OP_CPU_END: a processor has accessed a buffer
 * @HDMABUF_OP_TIMELINE_CREATE: create a timeline
 * @HDMABUF_OP_TIMELINE_DESTROY: destroy a timeline
 */
enum hdmabuf_operation {
	HDMABUF_OP_HELLO = 0x01,
	HDMABUF_OP_CLOSE = 0x02,
	HDMABUF_OP_ECHO = 0x03,
	HDMABUF_OP_EXPORT = 0x10,
	HDMABUF_OP_UPDATE = 0x11,
	HDMABUF_OP_UNEXPORT = 0x12,
	HDMABUF_OP_RELEASED = 0x13,
	HDMABUF_OP_HAND_OFF = 0x14,
	HDMABUF_OP_QUERY = 0x15,
	HDMABUF_OP_ALLOCATE = 0x16,
	HDMABUF_OP_CPU_BEGIN = 0x17,
	HDMABUF_OP_CPU_END = 0x18,
	HDMABUF_OP_TIMELINE_CREATE = 0x20,
	HDMABUF_OP_TIMELINE_DESTROY = 0x21
};

/**
 * enum hdmabuf_status - what became of a request
 * @HDMABUF_STATUS_OK: done
 * @HDMABUF_STATUS_UNKNOWN_OPERATION: no such operation
 * @HDMABUF_STATUS_NOT_NEGOTIATED: needs a feature that was not accepted
 * @HDMABUF_STATUS_WRONG_STATE: not in this state of the session, buffer or
 *	timeline
 * @HDMABUF_STATUS_RESERVED: a field that must be zero is not
 * @HDMABUF_STATUS_NO_SUCH_BUFFER: this session has no buffer with that id
 * @HDMABUF_STATUS_NO_SUCH_TIMELINE: this session has no such timeline
 * @HDMABUF_STATUS_WRONG_ROLE: the sender is not the end who may do this
 * @HDMABUF_STATUS_INVALID: a field has a value that is not allowed
 * @HDMABUF_STATUS_DUPLICATE: the id, timeline or reference is already in use
 * @HDMABUF_STATUS_LIMIT: exceeds a limit that the receiver announced
 * @HDMABUF_STATUS_BAD_REFERENCE: a reference does not lead to memory
 * @HDMABUF_STATUS_UNSUPPORTED: allowed, but this end cannot do it
 * @HDMABUF_STATUS_DENIED: policy or the rights of the buffer forbid it
 * @HDMABUF_STATUS_NO_MEMORY: no memory
 * @HDMABUF_STATUS_NO_REFERENCES: the platform has no references left
 * @HDMABUF_STATUS_BUSY: still in use
 * @HDMABUF_STATUS_WRONG_EPOCH: meant for another session
 * @HDMABUF_STATUS_CLOSING: the session is being closed
 * @HDMABUF_STATUS_LOST: the session was lost; never sent in an answer
 * @HDMABUF_STATUS_CANCELLED: given up before it was done
 * @HDMABUF_STATUS_TIMED_OUT: took too long
 * @HDMABUF_STATUS_FAILED: failed for a reason that has no status
 */
enum hdmabuf_status {
	HDMABUF_STATUS_OK = 0,
	HDMABUF_STATUS_UNKNOWN_OPERATION = 1,
	HDMABUF_STATUS_NOT_NEGOTIATED = 2,
	HDMABUF_STATUS_WRONG_STATE = 3,
	HDMABUF_STATUS_RESERVED = 4,
	HDMABUF_STATUS_NO_SUCH_BUFFER = 5,
	HDMABUF_STATUS_NO_SUCH_TIMELINE = 6,
	HDMABUF_STATUS_WRONG_ROLE = 7,
	HDMABUF_STATUS_INVALID = 8,
	HDMABUF_STATUS_DUPLICATE = 9,
	HDMABUF_STATUS_LIMIT = 10,
	HDMABUF_STATUS_BAD_REFERENCE = 11,
	HDMABUF_STATUS_UNSUPPORTED = 12,
	HDMABUF_STATUS_DENIED = 13,
	HDMABUF_STATUS_NO_MEMORY = 14,
	HDMABUF_STATUS_NO_REFERENCES = 15,
	HDMABUF_STATUS_BUSY = 16,
	HDMABUF_STATUS_WRONG_EPOCH = 17,
	HDMABUF_STATUS_CLOSING = 18,
	HDMABUF_STATUS_LOST = 19,
	HDMABUF_STATUS_CANCELLED = 20,
	HDMABUF_STATUS_TIMED_OUT = 21,
	HDMABUF_STATUS_FAILED = 22
};

/**
 * enum hdmabuf_where - in what the offence of an error lies
 * @HDMABUF_WHERE_NOWHERE: in no particular place
 * @HDMABUF_WHERE_REQUEST: in the request; ``offset`` is that of the field
 * @HDMABUF_WHERE_DESCRIPTOR: in the buffer descriptor; ``offset`` is that of
 *	the field
 * @HDMABUF_WHERE_DIRECTORY: in the directory; ``offset`` is the number of the
 *	entry, counted from 0 over all its pages; for a link, a page's head or an
 *	upper level of a TABLE the number of the first entry behind it
 * @HDMABUF_WHERE_PAGE: in a page of data; ``offset`` is the number of the page
 * @HDMABUF_WHERE_CHANNEL: in the channel page; ``offset`` is that of the field;
 *	for an end's own log, as no message carries it
 */
enum hdmabuf_where {
	HDMABUF_WHERE_NOWHERE = 0,
	HDMABUF_WHERE_REQUEST = 1,
	HDMABUF_WHERE_DESCRIPTOR = 2,
	HDMABUF_WHERE_DIRECTORY = 3,
	HDMABUF_WHERE_PAGE = 4,
	HDMABUF_WHERE_CHANNEL = 5
};

/**
 * struct hdmabuf_header - the beginning of every message
 * @id: chosen by the requester, repeated in the answer
 * @operation: what is asked for, &enum hdmabuf_operation; repeated in the
 *	answer
 * @status: 0 in a request; in an answer &enum hdmabuf_status
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | id                            | operation     | status        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_header {
	hdmabuf_le32 id;
	hdmabuf_le16 operation;
	hdmabuf_le16 status;
};

/**
 * struct hdmabuf_error - the answer to a request that was refused
 * @header: as for every message; ``status`` is not OK
 * @where: in what the offence lies, &enum hdmabuf_where
 * @offset: where in it: of a field the offset of its first octet, of an entry
 *	or page its number
 * @value: the offending value or, with ``HDMABUF_STATUS_LIMIT``, the limit;
 *	0 if there is none or it does not fit
 * @zero: zero
 * @zero1: zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | where                         | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | offset                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | value                                                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | zero1                                                         |
 *     40  |                                                               |
 *     48  |                                                               |
 *     56  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Example: an EXPORT whose descriptor claims the rights 9 is answered with
 * status INVALID, ``where`` DESCRIPTOR, ``offset`` 80, ``value`` 9.
 */
struct hdmabuf_error {
	struct hdmabuf_header header;
	hdmabuf_le32 where;
	hdmabuf_le32 zero;
	hdmabuf_le64 offset;
	hdmabuf_le64 value;
	uint8_t zero1[32];
};

/**
 * struct hdmabuf_plain - a message without payload
 * @header: as for every message
 * @zero: zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | zero                                                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Answers of status OK to CLOSE, EXPORT, UPDATE, RELEASED, HAND_OFF,
 * CPU_BEGIN, CPU_END, TIMELINE_CREATE and TIMELINE_DESTROY look like this.
 */
struct hdmabuf_plain {
	struct hdmabuf_header header;
	uint8_t zero[56];
};

/**
 * struct hdmabuf_hello - HELLO and its answer
 * @header: as for every message
 * @epoch_frontend: the frontend's epoch
 * @epoch_backend: the backend's epoch
 * @features: in the request the features that the frontend accepts, in the
 *	answer the same
 * @max_octets: most octets, in whole pages, of all buffers that the sender
 *	will import at once
 * @max_buffers: most buffers that the sender will import at once
 * @max_timelines: most timelines that the other end may create
 * @max_private: most octets of private data in a descriptor
 * @max_in_flight: most requests of the other end that may be unanswered, at
 *	least 1
 * @zero: zero
 *
 * Sent by the frontend, in state GREETING, once in a session; answered with
 * the same structure and the limits of the backend.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | epoch_frontend                                                |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | epoch_backend                                                 |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | features                                                      |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | max_octets                                                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     40  | max_buffers                   | max_timelines                 |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     48  | max_private                   | max_in_flight                 |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     56  | zero                                                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * ``max_octets`` limits the pages too, as the size of a page is known.  A peer
 * that imports anything takes at least 1 KiB of private data:
 *
 * [HDB-BOTH-041] An end whose ``max_buffers`` is not 0 MUST announce a
 * ``max_private`` of at least 1024.
 *
 * Errors, in this order: WRONG_STATE after the first; RESERVED; WRONG_EPOCH;
 * NOT_NEGOTIATED; INVALID if ``max_in_flight`` is 0 or ``max_private`` too
 * small.  After any but WRONG_STATE the attempt is over; both ends begin anew.
 *
 * Example: a frontend that only exports sends ``max_octets`` 0,
 * ``max_buffers`` 0, ``max_timelines`` 0, ``max_private`` 0 and
 * ``max_in_flight`` 32.
 */
struct hdmabuf_hello {
	struct hdmabuf_header header;
	hdmabuf_le64 epoch_frontend;
	hdmabuf_le64 epoch_backend;
	hdmabuf_le64 features;
	hdmabuf_le64 max_octets;
	hdmabuf_le32 max_buffers;
	hdmabuf_le32 max_timelines;
	hdmabuf_le32 max_private;
	hdmabuf_le32 max_in_flight;
	hdmabuf_le64 zero;
};

/** define HDMABUF_PRIVATE_MIN - private data that every importer takes */
#define HDMABUF_PRIVATE_MIN 1024

/**
 * enum hdmabuf_reason - why a session is closed
 * @HDMABUF_REASON_DONE: nothing more to do
 * @HDMABUF_REASON_SHUTDOWN: the end is shutting down
 * @HDMABUF_REASON_SUSPEND: the end is about to be suspended or migrated
 * @HDMABUF_REASON_FAULT: the other end broke the rules
 */
enum hdmabuf_reason {
	HDMABUF_REASON_DONE = 1,
	HDMABUF_REASON_SHUTDOWN = 2,
	HDMABUF_REASON_SUSPEND = 3,
	HDMABUF_REASON_FAULT = 4
};

/**
 * struct hdmabuf_close - CLOSE
 * @header: as for every message
 * @reason: why, &enum hdmabuf_reason; for the log
 * @zero: zero
 *
 * Sent by either end, in state CONNECTED.  See *Closing* for what it promises.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | reason                        | zero                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors: RESERVED; INVALID for a reason that is not in the list; BUSY if a
 * buffer is still mapped.
 *
 * Example: a frontend that exits unmaps what it imported and sends reason
 * DONE; the backend unmaps what it imported and answers OK; the frontend
 * withdraws its record and frees everything.
 */
struct hdmabuf_close {
	struct hdmabuf_header header;
	hdmabuf_le32 reason;
	uint8_t zero[52];
};

/**
 * struct hdmabuf_echo - ECHO and its answer
 * @header: as for every message
 * @octets: anything; repeated in the answer
 *
 * Sent by either end, in state CONNECTED, to see whether the other still
 * lives.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | octets                                                        |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors: none of its own.
 *
 * Example: the octets 1 to 56 are answered with the octets 1 to 56.
 */
struct hdmabuf_echo {
	struct hdmabuf_header header;
	uint8_t octets[56];
};

/**
 * DOC: Buffers
 *
 * A buffer is a number of pages of its exporter, most often not contiguous in
 * any address space.  It is described once, in a *descriptor*, and its pages
 * are listed in a *directory*.  One reference, to the descriptor, stands for
 * the whole of it::
 *
 *     EXPORT -> descriptor page -> directory pages -> pages of data
 *               size, layout,      references
 *               rights, tag,
 *               private data
 *
 * Names
 * -----
 *
 * [HDB-EXP-001] The exporter MUST choose the id of a buffer anew for every
 * export, with at least 96 of its 128 bits from a random source that cannot be
 * predicted, and never all zero.
 *
 * An id that nobody can guess may be passed along by applications.  Yet it is
 * a name, not an authority:
 *
 * [HDB-BOTH-042] An end MUST accept an id only in the session in which the
 * buffer was exported, and answer any other with
 * ``HDMABUF_STATUS_NO_SUCH_BUFFER``, whether or not another session knows it.
 *
 * [HDB-IMP-001] The importer MUST refuse an EXPORT whose id is already in use
 * in the session, with ``HDMABUF_STATUS_DUPLICATE``, and keep the first buffer
 * as it is.
 *
 * Pages
 * -----
 *
 * The data begins at ``data_offset`` in the first page and has ``size``
 * octets.
 *
 * [HDB-EXP-002] What lies outside the data in the pages of a buffer MUST be
 * memory of the exporter that holds nothing else, and be zero when the buffer
 * is exported.
 *
 * [HDB-EXP-003] The exporter MUST keep the descriptor and, for EXPORT, the
 * directory shared and unchanged from sending EXPORT or UPDATE until it is
 * answered.
 *
 * After that they may be revoked.  The pages of data of an EXPORT that is
 * refused are revoked as those of a released buffer are, HDB-EXP-012.
 *
 * [HDB-EXP-004] The exporter MUST keep the pages of data shared until the
 * buffer is released, whatever else happens.
 *
 * [HDB-IMP-002] The importer MUST copy the descriptor and every page of the
 * directory once, and use nothing but the copies.
 *
 * [HDB-IMP-003] The importer MUST validate descriptor and directory before it
 * maps a page of data.
 *
 * [HDB-IMP-004] The importer MUST map a buffer of right READ_ONLY without
 * write access.
 *
 * [HDB-IMP-005] The importer MUST map the pages of a buffer with the memory
 * attribute that the descriptor names.
 *
 * [HDB-IMP-006] The importer MUST check, with what it knows of the pixel
 * format or sound format, that what it is going to access lies within the
 * ``size`` of the buffer.
 *
 * It answers EXPORT or UPDATE with UNSUPPORTED if it does not know the format
 * or modifier, and with INVALID if something lies outside.
 *
 * [HDB-IMP-007] The importer MUST NOT assume that the content of a buffer
 * stays as it is while it looks at it.
 *
 * When to map
 * -----------
 *
 * Mapping costs as much as copying.  The gain is all in mapping a buffer once
 * and handing it over many times.
 *
 * [HDB-IMP-008] The importer SHOULD keep a buffer mapped between hand-offs.
 *
 * An importer may map a buffer when EXPORT arrives or later; answering EXPORT
 * with OK promises only that descriptor and directory are in order.
 */

/**
 * struct hdmabuf_id - the name of a buffer
 * @octets: at least 96 random bits; never all zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | octets                                                        |
 *      8  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_id {
	uint8_t octets[16];
};

/** define HDMABUF_DESCRIPTOR_MAGIC - first word of a descriptor, "HDBD" */
#define HDMABUF_DESCRIPTOR_MAGIC 0x44424448u

/**
 * enum hdmabuf_rights - what the importer may do with a buffer
 * @HDMABUF_RIGHTS_READ_ONLY: read; the platform enforces it
 * @HDMABUF_RIGHTS_READ_WRITE: read and write, as the exporter does
 * @HDMABUF_RIGHTS_LEND: read and write, while the buffer is handed to it; the
 *	exporter keeps its hands off until it comes back
 */
enum hdmabuf_rights {
	HDMABUF_RIGHTS_READ_ONLY = 1,
	HDMABUF_RIGHTS_READ_WRITE = 2,
	HDMABUF_RIGHTS_LEND = 3
};

/**
 * enum hdmabuf_attribute - how the pages of a buffer are to be mapped
 * @HDMABUF_ATTRIBUTE_CACHED: ordinary memory
 * @HDMABUF_ATTRIBUTE_WRITE_COMBINED: write-combined
 */
enum hdmabuf_attribute {
	HDMABUF_ATTRIBUTE_CACHED = 1,
	HDMABUF_ATTRIBUTE_WRITE_COMBINED = 2
};

/**
 * enum hdmabuf_type - what kind of thing a buffer holds
 * @HDMABUF_TYPE_RAW: octets that only the applications understand
 * @HDMABUF_TYPE_PICTURE: a picture, or some planes of one
 * @HDMABUF_TYPE_CYCLIC: sound or another stream, over and over the same memory
 */
enum hdmabuf_type {
	HDMABUF_TYPE_RAW = 1,
	HDMABUF_TYPE_PICTURE = 2,
	HDMABUF_TYPE_CYCLIC = 3
};

/** define HDMABUF_PLANES - most planes of a picture */
#define HDMABUF_PLANES 4

/**
 * struct hdmabuf_plane - where a plane of a picture lies
 * @offset: of the first octet of the plane, from the first octet of the data
 * @stride: octets from a row to the next, not 0
 * @zero: zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | offset                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | stride                        | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_plane {
	hdmabuf_le64 offset;
	hdmabuf_le32 stride;
	hdmabuf_le32 zero;
};

/**
 * struct hdmabuf_picture - metadata of a buffer of type PICTURE
 * @width: pixels in a row, not 0
 * @height: rows, not 0
 * @fourcc: pixel format, a code of Linux's ``drm_fourcc.h``, not 0
 * @planes: planes of the whole picture, 1 to 4
 * @modifier: layout within the planes, a modifier of ``drm_fourcc.h``; 0 is
 *	linear
 * @plane_first: number of the first plane that lies in this buffer
 * @plane_count: planes that lie in this buffer, at least 1
 * @plane: where these planes lie; what follows the last one is zero
 *
 * Allowed are an offset less than the size of the buffer and a stride no
 * greater than it.  Where the rows of a plane end, only the format tells: see
 * HDB-IMP-006.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | width                         | height                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | fourcc                        | planes                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | modifier                                                      |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | plane_first                   | plane_count                   |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | plane                                                         |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * The planes of a picture may lie in several buffers, which are then handed
 * off together (see HAND_OFF).  Each says which planes of the whole it has.
 *
 * Example: an NV12 picture of 1920x1080 in one buffer has ``planes`` 2,
 * ``plane_first`` 0, ``plane_count`` 2, and planes at 0 and at 2,073,600, both
 * with stride 1920.  In two buffers, the second of them has ``plane_first`` 1,
 * ``plane_count`` 1, and its plane at 0.
 */
struct hdmabuf_picture {
	hdmabuf_le32 width;
	hdmabuf_le32 height;
	hdmabuf_le32 fourcc;
	hdmabuf_le32 planes;
	hdmabuf_le64 modifier;
	hdmabuf_le32 plane_first;
	hdmabuf_le32 plane_count;
	struct hdmabuf_plane plane[HDMABUF_PLANES];
};

/**
 * struct hdmabuf_cyclic - metadata of a buffer of type CYCLIC
 * @format: of a sample; the applications agree on the numbers
 * @channels: samples in a frame, not 0
 * @rate: frames a second, not 0
 * @frame_octets: octets of a frame, not 0; ``size`` is a multiple of it
 * @period_octets: the writer's unit of progress, not 0; ``size`` is a multiple
 *	of it
 * @position_timeline: timeline of the exporter whose point is the number of
 *	octets played or recorded since the start, or ``HDMABUF_NO_TIMELINE``
 * @zero: zero
 *
 * The position within the buffer is the point modulo ``size``.  The timeline
 * may be created after the export; as long as there is none, the position is
 * not told.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | format                        | channels                      |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | rate                          | frame_octets                  |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | period_octets                 | position_timeline             |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | zero                                                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Example: 48 kHz stereo of 16 bits in four periods of 10 ms has ``rate``
 * 48000, ``channels`` 2, ``frame_octets`` 4, ``period_octets`` 1920 and a
 * ``size`` of 7680.
 */
struct hdmabuf_cyclic {
	hdmabuf_le32 format;
	hdmabuf_le32 channels;
	hdmabuf_le32 rate;
	hdmabuf_le32 frame_octets;
	hdmabuf_le32 period_octets;
	hdmabuf_le32 position_timeline;
	uint8_t zero[72];
};

/**
 * union hdmabuf_metadata - what a buffer's type says about it
 * @picture: if the type is PICTURE
 * @cyclic: if the type is CYCLIC
 * @raw: if the type is RAW: zero
 */
union hdmabuf_metadata {
	struct hdmabuf_picture picture;
	struct hdmabuf_cyclic cyclic;
	uint8_t raw[96];
};

/**
 * struct hdmabuf_descriptor - the descriptor of a buffer
 * @magic: ``HDMABUF_DESCRIPTOR_MAGIC``
 * @length: octets of the descriptor with its private data
 * @id: the buffer's name, as in EXPORT
 * @generation: 1 in EXPORT, one more in each UPDATE
 * @size: octets of data, not 0
 * @pages: pages of the buffer, ``data_offset`` + ``size`` in whole pages
 * @entries: entries of the directory: references of a LIST or TABLE, which is
 *	``pages``; extents of EXTENTS, 1 to ``pages``
 * @directory: reference of the first page of the directory
 * @directory_pages: pages of the directory, as its format has it
 * @directory_format: &enum hdmabuf_directory_format
 * @data_offset: of the first octet of data in the first page; less than a page
 * @page_shift: as in the channel page
 * @rights: &enum hdmabuf_rights
 * @attributes: &enum hdmabuf_attribute
 * @tag: by which the application knows which stream or surface this is
 * @type: &enum hdmabuf_type
 * @private_octets: octets of private data
 * @metadata: as the type says
 * @zero: zero
 *
 * The descriptor begins at the start of a page of its own and does not leave
 * it. The private data, which this protocol does not interpret, follows at
 * offset 256; the rest of the page is zero.
 *
 * [HDB-IMP-009] The importer MUST refuse a descriptor in which a field has a
 * value that its description does not allow, or differs from the request that
 * brought it, with ``HDMABUF_STATUS_INVALID`` and ``where`` DESCRIPTOR.
 *
 * [HDB-IMP-023] The importer MUST refuse a descriptor or a page of a directory
 * in which a zero field, or what follows the last entry, is not zero, with
 * ``HDMABUF_STATUS_RESERVED``.
 *
 * What follows the private data in the page of a descriptor is not looked at.
 *
 * [HDB-IMP-010] The importer MUST refuse a descriptor whose private data,
 * within the limit, it cannot keep whole.
 *
 * Nothing is ever truncated silently.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | magic                         | length                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | id                                                            |
 *     16  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | generation                                                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | size                                                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     40  | pages                                                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     48  | entries                                                       |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     56  | directory                                                     |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     64  | directory_pages               | directory_format              |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     72  | data_offset                   | page_shift                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     80  | rights                        | attributes                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     88  | tag                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     96  | type                          | private_octets                |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *    104  | metadata                                                      |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *    200  | zero                                                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Example: a frame of 3840x2160 pixels of four octets has ``size`` 33,177,600,
 * ``pages`` 8100 and, in a LIST of 4096-octet pages, ``directory_pages`` 8.
 */
struct hdmabuf_descriptor {
	hdmabuf_le32 magic;
	hdmabuf_le32 length;
	struct hdmabuf_id id;
	hdmabuf_le64 generation;
	hdmabuf_le64 size;
	hdmabuf_le64 pages;
	hdmabuf_le64 entries;
	hdmabuf_le64 directory;
	hdmabuf_le32 directory_pages;
	hdmabuf_le32 directory_format;
	hdmabuf_le32 data_offset;
	hdmabuf_le32 page_shift;
	hdmabuf_le32 rights;
	hdmabuf_le32 attributes;
	hdmabuf_le64 tag;
	hdmabuf_le32 type;
	hdmabuf_le32 private_octets;
	union hdmabuf_metadata metadata;
	uint8_t zero[56];
};

/** define HDMABUF_DESCRIPTOR_OCTETS - where the private data begins */
#define HDMABUF_DESCRIPTOR_OCTETS 256

/**
 * DOC: Directories
 *
 * A directory lists the references of a buffer's pages, in order.  There are
 * three formats.  LIST is understood by everyone, the others by agreement.
 *
 * All counts are explicit: from ``entries`` and ``page_shift`` the reader
 * knows beforehand how many pages there are and how many entries are in each,
 * and never trusts a terminator.
 *
 * [HDB-EXP-005] The exporter MUST fill every page of a directory but the last
 * one of each level, and set what follows the last entry to zero.
 *
 * [HDB-EXP-006] The exporter MUST NOT name a page of data twice in a
 * directory.
 *
 * [HDB-IMP-011] The importer MUST refuse a descriptor whose ``pages``,
 * ``entries`` or ``directory_pages`` are not what ``size``, ``data_offset``,
 * ``page_shift`` and the format make them, with ``HDMABUF_STATUS_INVALID``,
 * before it reads the directory.
 *
 * [HDB-IMP-012] The importer MUST refuse an entry that is zero, and a link
 * that is zero too early or not zero at the end, with
 * ``HDMABUF_STATUS_BAD_REFERENCE`` and ``where`` DIRECTORY.
 *
 * [HDB-IMP-013] The importer MUST refuse a directory that names a page of data
 * twice, with ``HDMABUF_STATUS_DUPLICATE`` and ``where`` PAGE.
 *
 * Of the two, the second is the one too many.
 *
 * [HDB-IMP-014] An importer that maps a buffer when EXPORT arrives, and
 * cannot, MUST answer with ``HDMABUF_STATUS_BAD_REFERENCE``, having unmapped
 * everything that it had mapped for it.
 *
 * A page that is shared with fewer rights than the descriptor says cannot be
 * mapped either.  An importer that finds out later sends RELEASED.
 *
 * LIST
 * ----
 *
 * Octet for octet the directory of Xen's ``displif`` and ``sndif``: pages that
 * are linked by their first word, and hold 32-bit references.  With 4096-octet
 * pages, 1023 in each::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | next                          | reference[0]                  |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | reference[1]                  | reference[2]                  |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *   4088  | reference[1021]               | reference[1022]               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * ``next`` is the reference of the next page of the directory and 0 in the
 * last. ``directory_pages`` is ``entries`` / 1023, rounded up.
 *
 * TABLE
 * -----
 *
 * Pages that hold nothing but 32-bit references: with 4096-octet pages, 1024
 * in each.  Up to 1024 pages of data, there is one such page.  Up to 1024^2, a
 * page above them holds their references; up to 1024^3, another above these.
 * The depth is the smallest that suffices; ``directory`` refers to the page at
 * the top, and ``directory_pages`` counts all levels.  A reader maps each
 * level at once, where a LIST makes it map page after page.
 *
 * Example: 8100 pages need 8 pages of references and 1 above them:
 * ``directory_pages`` is 9, and the page at the top has 8 references.
 *
 * EXTENTS
 * -------
 *
 * Pages that are linked by their first eight octets and hold *extents* of 16
 * octets: a reference of 64 bits, and how many consecutive ones follow it,
 * counting itself.  With 4096-octet pages, 255 in each; ``directory_pages`` is
 * ``entries`` / 255, rounded up.
 *
 * What "consecutive" means is the binding's to say.
 *
 * [HDB-IMP-015] The importer MUST refuse an extent whose count is 0, whose
 * last reference exceeds what the platform has, or that makes the sum of all
 * counts differ from ``pages``, with ``HDMABUF_STATUS_INVALID`` and ``where``
 * DIRECTORY.
 *
 * [HDB-IMP-016] The importer MUST refuse a page of extents whose ``count`` is
 * not what HDB-EXP-005 makes it, with ``HDMABUF_STATUS_INVALID`` and ``where``
 * DIRECTORY.
 */

/**
 * enum hdmabuf_directory_format - formats of a directory
 * @HDMABUF_DIRECTORY_LIST: linked pages of 32-bit references
 * @HDMABUF_DIRECTORY_TABLE: a tree of pages of 32-bit references
 * @HDMABUF_DIRECTORY_EXTENTS: linked pages of 64-bit references with counts
 */
enum hdmabuf_directory_format {
	HDMABUF_DIRECTORY_LIST = 0,
	HDMABUF_DIRECTORY_TABLE = 1,
	HDMABUF_DIRECTORY_EXTENTS = 2
};

/**
 * define HDMABUF_LIST_ENTRIES - references in a page of a LIST
 * @page_octets: size of a page
 */
#define HDMABUF_LIST_ENTRIES(page_octets) ((page_octets) / 4u - 1u)
/**
 * define HDMABUF_TABLE_ENTRIES - references in a page of a TABLE
 * @page_octets: size of a page
 */
#define HDMABUF_TABLE_ENTRIES(page_octets) ((page_octets) / 4u)
/**
 * define HDMABUF_EXTENTS_ENTRIES - extents in a page of EXTENTS
 * @page_octets: size of a page
 */
#define HDMABUF_EXTENTS_ENTRIES(page_octets) ((page_octets) / 16u - 1u)

/**
 * struct hdmabuf_list_page - beginning of a page of a LIST
 * @next: reference of the next page of the directory, 0 in the last
 * @reference: the first of the references
 *
 * As many references follow as the page has room for.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | next                          | reference                     |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_list_page {
	hdmabuf_le32 next;
	hdmabuf_le32 reference[1];
};

/**
 * struct hdmabuf_extent - some consecutive references
 * @reference: the first of them
 * @count: how many they are, not 0
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | reference                                                     |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | count                                                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_extent {
	hdmabuf_le64 reference;
	hdmabuf_le64 count;
};

/**
 * struct hdmabuf_extents_page - beginning of a page of EXTENTS
 * @next: reference of the next page of the directory, 0 in the last
 * @count: extents in this page
 * @zero: zero
 * @extent: the first of the extents
 *
 * As many extents follow as ``count`` says.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | next                                                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | count                         | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | extent                                                        |
 *     24  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_extents_page {
	hdmabuf_le64 next;
	hdmabuf_le32 count;
	hdmabuf_le32 zero;
	struct hdmabuf_extent extent[1];
};

/**
 * DOC: Operations on buffers
 *
 * Sharing
 * -------
 *
 * .. hdmabuf-sequence:: sharing
 *     exporter: shares pages, fills directory and descriptor
 *     exporter -> importer: EXPORT (id, descriptor)
 *     importer: copies and validates descriptor and directory
 *     importer -> exporter: OK
 *     exporter: may revoke descriptor and directory
 *     importer: maps the pages, now or at the first hand-off
 *     exporter -> importer: HAND_OFF (id, wait point, signal point)
 *     importer -> exporter: OK
 *     importer: waits for the wait point, uses the buffer
 *     importer -> exporter: signal point reached
 *
 * [HDB-EXP-007] The exporter MUST NOT hand off, update or unexport a buffer
 * before its EXPORT is answered with OK.
 *
 * [HDB-EXP-008] The exporter MUST NOT export more than the importer's
 * ``max_buffers``, ``max_octets`` and ``max_private`` allow; a buffer counts
 * with all its pages, until it is released.
 *
 * [HDB-BOTH-043] An end MUST refuse UPDATE and UNEXPORT of a buffer that it
 * exported itself, and RELEASED of a buffer that it imported, with
 * ``HDMABUF_STATUS_WRONG_ROLE``.
 *
 * Handing off
 * -----------
 *
 * HAND_OFF tells the other end that it is its turn.  It may go either way: the
 * exporter hands off a frame it has drawn, and the importer of a writable
 * buffer hands back a picture that it has taken.  A hand-off does not have to
 * be returned: with the rights READ_ONLY and READ_WRITE it is only a word, and
 * the points it names are what keeps order.
 *
 * [HDB-BOTH-044] The receiver of a hand-off MUST NOT access the buffer before
 * the wait point is reached.
 *
 * [HDB-BOTH-045] The receiver of a hand-off MUST signal the signal point when
 * it has finished with that hand-off and with all earlier ones that name the
 * same timeline.
 *
 * [HDB-BOTH-046] The sender of hand-offs that signal on one timeline MUST name
 * a greater point in each.
 *
 * [HDB-BOTH-047] The receiver MUST refuse a hand-off whose signal point is not
 * greater than the one named before on that timeline, or than the point
 * reached, with ``HDMABUF_STATUS_INVALID``.
 *
 * [HDB-BOTH-065] The receiver of a hand-off MUST signal its signal point
 * without accessing the buffer if the wait for the wait point ends with an
 * error, or if the buffer is unexported while it still waits.
 *
 * The sender knows the reason: the wait point was its own to signal, and the
 * buffer its own to unexport.
 *
 * [HDB-BOTH-066] The sender of a hand-off MUST NOT let its wait point depend
 * on a hand-off that it sends later.
 *
 * So a receiver may carry out hand-offs one after the other, as well as pass
 * over those that still wait.
 *
 * [HDB-BOTH-067] An end MUST bound the hand-offs that it notes for a peer.
 *
 * Some for each buffer are enough for every use.  An end that is asked to note
 * more refuses with NO_MEMORY, or closes the session with reason FAULT.
 *
 * A hand-off is carried out with the metadata that the buffer has when it is
 * received.
 *
 * Hand-offs with the flag MORE, and the one without it that follows them, are
 * a *group*: a picture whose planes lie in several buffers.  At most 4
 * hand-offs form a group.
 *
 * [HDB-BOTH-048] The receiver MUST NOT act upon a hand-off of a group before
 * the last one of the group has come.
 *
 * [HDB-BOTH-049] The sender MUST NOT send any other request but CLOSE between
 * the first hand-off of a group and the last.
 *
 * [HDB-BOTH-050] An end MUST refuse any request but HAND_OFF and CLOSE where
 * the rest of a group is due, with ``HDMABUF_STATUS_WRONG_STATE``, and go on
 * waiting for the rest.
 *
 * A hand-off that is refused is not part of the group.  If it came with the
 * flag MORE, the rest is due as it was before, so of a group of which none was
 * taken yet nothing is; if without, the group ends with those that came before.
 * A fourth with the flag MORE is refused with ``HDMABUF_STATUS_INVALID``.
 *
 * Lending
 * -------
 *
 * A buffer of right LEND belongs to one end at a time.  Handing it off passes
 * it on; the importer's HAND_OFF brings it back.
 *
 * [HDB-EXP-009] The exporter MUST NOT access, hand off or update a buffer
 * while it is lent.
 *
 * [HDB-IMP-017] The importer MUST NOT access a buffer of right LEND while it
 * is not lent to it.
 *
 * [HDB-BOTH-051] An end MUST refuse to have a buffer of right LEND handed to
 * it by an end that does not have it, with ``HDMABUF_STATUS_WRONG_STATE``.
 *
 * [HDB-EXP-010] The exporter MUST refuse a HAND_OFF of a buffer of right
 * READ_ONLY with ``HDMABUF_STATUS_DENIED``.
 *
 * There is nothing that its importer could hand back.  Whether it has finished
 * reading is said by the signal point.
 *
 * Updating
 * --------
 *
 * Metadata changes without a new export: the exporter fills a descriptor
 * again, in the same or another page, with ``generation`` one greater, and
 * sends UPDATE.  The directory is not read again, and need not be there; the
 * fields that describe it are repeated.
 *
 * [HDB-EXP-011] An UPDATE MUST change nothing in the descriptor but
 * ``generation``, ``length``, ``tag``, ``type``, ``metadata``,
 * ``private_octets`` and the private data.
 *
 * [HDB-IMP-018] The importer MUST refuse an UPDATE that changes anything else,
 * or whose ``generation`` is not one more than before, with
 * ``HDMABUF_STATUS_INVALID``, and keep what it had.
 *
 * Releasing
 * ---------
 *
 * .. hdmabuf-sequence:: release
 *     exporter -> importer: UNEXPORT (id, 100 ms of grace)
 *     importer: its application still uses the buffer
 *     importer -> exporter: OK, still mapped
 *     ...
 *     importer: unmaps
 *     importer -> exporter: RELEASED (id)
 *     exporter: revokes the pages: they are free
 *     exporter -> importer: OK
 *
 * [HDB-IMP-019] The importer MUST answer UNEXPORT with ``mapped`` 0 if it has
 * no mapping of the buffer, which is released thereby, and else with
 * ``mapped`` 1.
 *
 * [HDB-IMP-020] After an answer with ``mapped`` 1, the importer MUST unmap the
 * buffer within the grace period, if it can, and send RELEASED when it has.
 *
 * [HDB-IMP-021] The importer MUST NOT map or hand off a buffer after it has
 * received UNEXPORT.
 *
 * An importer may also send RELEASED without being asked, when it has no use
 * for a buffer any more.  It may then cross a request that the exporter has
 * sent for the same buffer, which is answered with
 * ``HDMABUF_STATUS_NO_SUCH_BUFFER``; the exporter finds the reason in the
 * other ring, now or soon.
 *
 * [HDB-IMP-022] The importer MUST NOT have the buffer mapped when it sends
 * RELEASED.
 *
 * [HDB-EXP-012] When a buffer is released, the exporter MUST revoke its pages
 * before it uses them for anything else.
 *
 * [HDB-EXP-013] When the grace period is over, the session is lost, or the
 * platform reports a page still in use, the exporter MUST keep the pages of
 * that buffer out of use until the platform has revoked them all: the buffer
 * is in *quarantine*.
 *
 * [HDB-EXP-014] The exporter SHOULD show its user how much is in quarantine,
 * and since when.
 *
 * [HDB-EXP-015] If the importer reports RELEASED after the grace period, the
 * exporter MUST answer OK, and the buffer leaves quarantine as soon as its
 * pages can be revoked.
 *
 * Allocation on request
 * ---------------------
 *
 * Sometimes the importer's wishes, or the exporter's hardware, decide where a
 * buffer may lie.  ALLOCATE asks the other end to allocate a buffer and export
 * it.
 *
 * .. hdmabuf-sequence:: allocation
 *     importer -> exporter: ALLOCATE (640x480, tag 7)
 *     exporter: allocates
 *     exporter -> importer: OK (id)
 *     exporter -> importer: EXPORT (the same id, tag 7)
 *     importer -> exporter: OK
 *
 * [HDB-EXP-016] An end MUST answer ALLOCATE with OK only when the buffer is
 * allocated and shared, so that nothing but sending EXPORT is left to do.
 *
 * [HDB-EXP-017] An end that has answered ALLOCATE with OK MUST export the
 * buffer with the id in its answer and the properties that were asked for.
 *
 * States
 * ------
 *
 * .. hdmabuf-states:: BUFFER EXPORTER
 *
 * .. hdmabuf-states:: BUFFER IMPORTER
 */

/**
 * enum hdmabuf_buffer_role - whose buffer it is
 * @HDMABUF_EXPORTER: the end that shares it
 * @HDMABUF_IMPORTER: the end that uses it
 */
enum hdmabuf_buffer_role {
	HDMABUF_EXPORTER = 0,
	HDMABUF_IMPORTER = 1
};

/**
 * enum hdmabuf_buffer_state - states of a buffer at one end
 * @HDMABUF_BUFFER_NONE: not there, or released
 * @HDMABUF_BUFFER_EXPORTING: EXPORT is sent and not answered (exporter)
 * @HDMABUF_BUFFER_LIVE: exported, and with the exporter if the right is LEND
 *	(exporter)
 * @HDMABUF_BUFFER_LENT: handed to the importer, right LEND (exporter)
 * @HDMABUF_BUFFER_RETIRING: UNEXPORT is sent or received, the importer has not
 *	unmapped yet
 * @HDMABUF_BUFFER_QUARANTINED: no longer of use, but perhaps still mapped by
 *	the other end (exporter)
 * @HDMABUF_BUFFER_IMPORTED: known, not mapped (importer)
 * @HDMABUF_BUFFER_MAPPED: known and mapped (importer)
 * @HDMABUF_BUFFER_ORPHANED: still mapped, but its session is gone (importer)
 * @HDMABUF_BUFFER_STATES: how many states there are
 */
enum hdmabuf_buffer_state {
	HDMABUF_BUFFER_NONE = 0,
	HDMABUF_BUFFER_EXPORTING = 1,
	HDMABUF_BUFFER_LIVE = 2,
	HDMABUF_BUFFER_LENT = 3,
	HDMABUF_BUFFER_RETIRING = 4,
	HDMABUF_BUFFER_QUARANTINED = 5,
	HDMABUF_BUFFER_IMPORTED = 6,
	HDMABUF_BUFFER_MAPPED = 7,
	HDMABUF_BUFFER_ORPHANED = 8,
	HDMABUF_BUFFER_STATES = 9
};

/**
 * enum hdmabuf_buffer_event - what moves a buffer from state to state
 * @HDMABUF_BUFFER_EXPORT: EXPORT is sent, or received and found in order
 * @HDMABUF_BUFFER_ACCEPTED: EXPORT was answered with OK
 * @HDMABUF_BUFFER_REFUSED: EXPORT was answered with another status
 * @HDMABUF_BUFFER_UPDATE: UPDATE was answered with OK
 * @HDMABUF_BUFFER_HAND_OFF: handed off by the exporter, right READ_ONLY or
 *	READ_WRITE
 * @HDMABUF_BUFFER_HAND_BACK: handed off by the importer
 * @HDMABUF_BUFFER_LEND: handed off by the exporter, right LEND
 * @HDMABUF_BUFFER_MAP: the importer maps it
 * @HDMABUF_BUFFER_UNMAP: the importer unmaps it
 * @HDMABUF_BUFFER_UNEXPORT: UNEXPORT is sent or received
 * @HDMABUF_BUFFER_RELEASED: the importer has told that it is not mapped, and,
 *	at the exporter, all pages are revoked
 * @HDMABUF_BUFFER_STILL_MAPPED: the importer has told that it is not mapped,
 *	and the platform says otherwise
 * @HDMABUF_BUFFER_EXPIRED: the grace period is over
 * @HDMABUF_BUFFER_SESSION_OVER: the session is lost, or closed without the
 *	promise that nothing is mapped
 * @HDMABUF_BUFFER_FREED: all pages are revoked
 * @HDMABUF_BUFFER_EVENTS: how many events there are
 */
enum hdmabuf_buffer_event {
	HDMABUF_BUFFER_EXPORT = 0,
	HDMABUF_BUFFER_ACCEPTED = 1,
	HDMABUF_BUFFER_REFUSED = 2,
	HDMABUF_BUFFER_UPDATE = 3,
	HDMABUF_BUFFER_HAND_OFF = 4,
	HDMABUF_BUFFER_HAND_BACK = 5,
	HDMABUF_BUFFER_LEND = 6,
	HDMABUF_BUFFER_MAP = 7,
	HDMABUF_BUFFER_UNMAP = 8,
	HDMABUF_BUFFER_UNEXPORT = 9,
	HDMABUF_BUFFER_RELEASED = 10,
	HDMABUF_BUFFER_STILL_MAPPED = 11,
	HDMABUF_BUFFER_EXPIRED = 12,
	HDMABUF_BUFFER_SESSION_OVER = 13,
	HDMABUF_BUFFER_FREED = 14,
	HDMABUF_BUFFER_EVENTS = 15
};

/**
 * define HDMABUF_BUFFER_TABLE - the state machine of a buffer
 * @X: macro of (role, state, event, next state); the role is EXPORTER or
 *	IMPORTER
 *
 * What is not in the table cannot happen, or is to be refused.
 */
#define HDMABUF_BUFFER_TABLE(X) \
	X(EXPORTER, NONE, EXPORT, EXPORTING) \
	X(EXPORTER, EXPORTING, ACCEPTED, LIVE) \
	X(EXPORTER, EXPORTING, REFUSED, NONE) \
	X(EXPORTER, EXPORTING, STILL_MAPPED, QUARANTINED) \
	X(EXPORTER, EXPORTING, SESSION_OVER, QUARANTINED) \
	X(EXPORTER, LIVE, UPDATE, LIVE) \
	X(EXPORTER, LIVE, HAND_OFF, LIVE) \
	X(EXPORTER, LIVE, HAND_BACK, LIVE) \
	X(EXPORTER, LIVE, LEND, LENT) \
	X(EXPORTER, LIVE, UNEXPORT, RETIRING) \
	X(EXPORTER, LIVE, RELEASED, NONE) \
	X(EXPORTER, LIVE, STILL_MAPPED, QUARANTINED) \
	X(EXPORTER, LIVE, SESSION_OVER, QUARANTINED) \
	X(EXPORTER, LENT, HAND_BACK, LIVE) \
	X(EXPORTER, LENT, UNEXPORT, RETIRING) \
	X(EXPORTER, LENT, RELEASED, NONE) \
	X(EXPORTER, LENT, STILL_MAPPED, QUARANTINED) \
	X(EXPORTER, LENT, SESSION_OVER, QUARANTINED) \
	X(EXPORTER, RETIRING, RELEASED, NONE) \
	X(EXPORTER, RETIRING, STILL_MAPPED, QUARANTINED) \
	X(EXPORTER, RETIRING, EXPIRED, QUARANTINED) \
	X(EXPORTER, RETIRING, SESSION_OVER, QUARANTINED) \
	X(EXPORTER, QUARANTINED, FREED, NONE) \
	X(IMPORTER, NONE, EXPORT, IMPORTED) \
	X(IMPORTER, IMPORTED, MAP, MAPPED) \
	X(IMPORTER, IMPORTED, UPDATE, IMPORTED) \
	X(IMPORTER, IMPORTED, HAND_OFF, IMPORTED) \
	X(IMPORTER, IMPORTED, LEND, IMPORTED) \
	X(IMPORTER, IMPORTED, HAND_BACK, IMPORTED) \
	X(IMPORTER, IMPORTED, UNEXPORT, NONE) \
	X(IMPORTER, IMPORTED, RELEASED, NONE) \
	X(IMPORTER, IMPORTED, SESSION_OVER, NONE) \
	X(IMPORTER, MAPPED, UNMAP, IMPORTED) \
	X(IMPORTER, MAPPED, UPDATE, MAPPED) \
	X(IMPORTER, MAPPED, HAND_OFF, MAPPED) \
	X(IMPORTER, MAPPED, LEND, MAPPED) \
	X(IMPORTER, MAPPED, HAND_BACK, MAPPED) \
	X(IMPORTER, MAPPED, UNEXPORT, RETIRING) \
	X(IMPORTER, MAPPED, SESSION_OVER, ORPHANED) \
	X(IMPORTER, RETIRING, UNMAP, NONE) \
	X(IMPORTER, RETIRING, SESSION_OVER, ORPHANED) \
	X(IMPORTER, ORPHANED, UNMAP, NONE)

/**
 * struct hdmabuf_export - EXPORT and UPDATE
 * @header: as for every message
 * @id: the buffer; in EXPORT a new one
 * @descriptor: reference of the page that holds its descriptor
 * @length: octets of the descriptor with its private data, 256 to a page
 * @zero: zero
 * @zero1: zero
 *
 * Sent by the exporter, in state CONNECTED: EXPORT for a buffer in state NONE,
 * UPDATE, if the feature UPDATE was accepted, for one in state LIVE.  Answered
 * with *struct hdmabuf_plain*.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | id                                                            |
 *     16  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | descriptor                                                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | length                        | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     40  | zero1                                                         |
 *     48  |                                                               |
 *     56  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors of EXPORT: RESERVED; DUPLICATE (id); INVALID (``id`` zero,
 * ``length``, a field of the descriptor); LIMIT (``max_buffers``,
 * ``max_octets``, ``max_private``); NOT_NEGOTIATED (a directory format, right,
 * type or attribute behind a feature bit); BAD_REFERENCE (descriptor,
 * directory, data); DUPLICATE (data); UNSUPPORTED (rights, attribute or type
 * that this importer cannot have, a format it does not know); DENIED (its user
 * does not want the buffer); NO_MEMORY.  ``max_buffers`` and ``max_private``
 * belong to the request, ``max_octets`` to ``pages`` of the descriptor.
 * Errors of UPDATE: NOT_NEGOTIATED; NO_SUCH_BUFFER; WRONG_ROLE; WRONG_STATE if
 * the importer has received UNEXPORT or the buffer is lent; INVALID; LIMIT
 * (``max_private``); BAD_REFERENCE; RESERVED; UNSUPPORTED; DENIED; NO_MEMORY.
 *
 * Example: the frontend exports the 8100 pages of a frame whose descriptor is
 * in its page 77: ``descriptor`` 77, ``length`` 256.
 */
struct hdmabuf_export {
	struct hdmabuf_header header;
	struct hdmabuf_id id;
	hdmabuf_le64 descriptor;
	hdmabuf_le32 length;
	hdmabuf_le32 zero;
	uint8_t zero1[24];
};

/**
 * struct hdmabuf_unexport - UNEXPORT
 * @header: as for every message
 * @id: the buffer
 * @grace_ms: milliseconds that the importer has to unmap it, may be 0
 * @zero: zero
 * @zero1: zero
 *
 * Sent by the exporter, in state CONNECTED, for a buffer in state LIVE or
 * LENT.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | id                                                            |
 *     16  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | grace_ms                      | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | zero1                                                         |
 *     40  |                                                               |
 *     48  |                                                               |
 *     56  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors: RESERVED; NO_SUCH_BUFFER, which a RELEASED that crossed it explains;
 * WRONG_ROLE; WRONG_STATE if it was sent before.
 *
 * Example: ``grace_ms`` 100 while the importer shows the frame: answered with
 * ``mapped`` 1; 16 ms later the importer sends RELEASED.
 */
struct hdmabuf_unexport {
	struct hdmabuf_header header;
	struct hdmabuf_id id;
	hdmabuf_le32 grace_ms;
	hdmabuf_le32 zero;
	uint8_t zero1[32];
};

/**
 * struct hdmabuf_unexport_answer - answer to UNEXPORT
 * @header: as for every message
 * @mapped: 0 if the buffer is released, 1 if RELEASED will follow
 * @zero: zero
 * @zero1: zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | mapped                        | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | zero1                                                         |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_unexport_answer {
	struct hdmabuf_header header;
	hdmabuf_le32 mapped;
	hdmabuf_le32 zero;
	uint8_t zero1[48];
};

/**
 * struct hdmabuf_buffer_request - RELEASED and QUERY
 * @header: as for every message
 * @id: the buffer
 * @zero: zero
 *
 * RELEASED is sent by the importer, in state CONNECTED, for a buffer that it
 * has not mapped.  It is answered with *struct hdmabuf_plain*.  QUERY is sent
 * by either end, in state CONNECTED, for any buffer of the session.  It is
 * answered with *struct hdmabuf_query_answer*.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | id                                                            |
 *     16  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | zero                                                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors: RESERVED; NO_SUCH_BUFFER; of RELEASED also WRONG_ROLE, and
 * WRONG_STATE before EXPORT is answered.
 *
 * Example: RELEASED of the id that UNEXPORT has named is answered with OK.
 */
struct hdmabuf_buffer_request {
	struct hdmabuf_header header;
	struct hdmabuf_id id;
	uint8_t zero[40];
};

/**
 * struct hdmabuf_query_answer - answer to QUERY
 * @header: as for every message
 * @state: &enum hdmabuf_buffer_state of the buffer at the end that answers
 * @rights: &enum hdmabuf_rights
 * @size: octets of data
 * @pages: pages of the buffer
 * @generation: of the metadata it holds
 * @tag: as in the descriptor
 * @hand_offs: hand-offs of this buffer that it has accepted
 * @type: &enum hdmabuf_type
 * @private_octets: octets of private data
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | state                         | rights                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | size                                                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | pages                                                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | generation                                                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     40  | tag                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     48  | hand_offs                                                     |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     56  | type                          | private_octets                |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Example: the exporter asks whether a frame is still mapped: ``state`` 7,
 * MAPPED, says that it is.
 */
struct hdmabuf_query_answer {
	struct hdmabuf_header header;
	hdmabuf_le32 state;
	hdmabuf_le32 rights;
	hdmabuf_le64 size;
	hdmabuf_le64 pages;
	hdmabuf_le64 generation;
	hdmabuf_le64 tag;
	hdmabuf_le64 hand_offs;
	hdmabuf_le32 type;
	hdmabuf_le32 private_octets;
};

/** define HDMABUF_HAND_OFF_MORE - the next hand-off belongs to this one */
#define HDMABUF_HAND_OFF_MORE 1u

/**
 * struct hdmabuf_hand_off - HAND_OFF
 * @header: as for every message
 * @id: the buffer
 * @wait_point: point that the receiver waits for before it accesses the buffer
 * @signal_point: point that the receiver signals when it has finished
 * @wait_timeline: timeline of ``wait_point``, created and signalled by the
 *	sender, or ``HDMABUF_NO_TIMELINE`` and ``wait_point`` 0
 * @signal_timeline: timeline of ``signal_point``, created by the sender and
 *	signalled by the receiver, or ``HDMABUF_NO_TIMELINE`` and
 *	``signal_point`` 0
 * @flags: ``HDMABUF_HAND_OFF_MORE`` or 0
 * @zero: zero
 * @stamp: anything that the applications agree on: a time, a count of frames
 *
 * Sent by the exporter for a buffer in state LIVE, by the importer for one in
 * state IMPORTED or MAPPED, in state CONNECTED.  Answered with *struct
 * hdmabuf_plain*, which says that the hand-off is noted, not that it is done.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | id                                                            |
 *     16  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | wait_point                                                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | signal_point                                                  |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     40  | wait_timeline                 | signal_timeline               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     48  | flags                         | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     56  | stamp                                                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors: RESERVED; NO_MEMORY; NO_SUCH_BUFFER; NO_SUCH_TIMELINE; WRONG_ROLE if
 * a timeline
 * is not created or signalled by whom it should be; WRONG_STATE, see *Lending*
 * and *Handing off*; INVALID (``signal_point`` not greater than before, a
 * point with no timeline, a flag that does not exist); DENIED (handed back
 * read-only); NOT_NEGOTIATED (flag MORE).
 *
 * Example: frame 17 is drawn by the processor before it is handed off, and
 * wanted back: ``wait_timeline`` none, ``signal_timeline`` 0, ``signal_point``
 * 17.  The exporter draws into the buffer again when point 17 of timeline 0 is
 * reached.
 */
struct hdmabuf_hand_off {
	struct hdmabuf_header header;
	struct hdmabuf_id id;
	hdmabuf_le64 wait_point;
	hdmabuf_le64 signal_point;
	hdmabuf_le32 wait_timeline;
	hdmabuf_le32 signal_timeline;
	hdmabuf_le32 flags;
	hdmabuf_le32 zero;
	hdmabuf_le64 stamp;
};

/**
 * struct hdmabuf_allocate - ALLOCATE
 * @header: as for every message
 * @size: octets of data; with a picture 0 leaves it to the exporter
 * @tag: tag that the buffer shall have
 * @modifier: of the picture, as in *struct hdmabuf_picture*
 * @width: pixels in a row; 0 if no picture is wanted
 * @height: rows; 0 if no picture is wanted
 * @fourcc: pixel format; 0 if no picture is wanted
 * @rights: rights that the importer wants, &enum hdmabuf_rights
 * @attributes: &enum hdmabuf_attribute
 * @zero: zero
 * @zero1: zero
 *
 * Sent by the end that wants to import, in state CONNECTED, if the feature
 * ALLOCATE was accepted.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | size                                                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | tag                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | modifier                                                      |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | width                         | height                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     40  | fourcc                        | rights                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     48  | attributes                    | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     56  | zero1                                                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors: RESERVED; NOT_NEGOTIATED; INVALID (neither size nor picture, or half
 * a picture); LIMIT (the sender's own limits would be exceeded); UNSUPPORTED
 * (format, modifier, rights or attribute); DENIED; NO_MEMORY; NO_REFERENCES.
 *
 * Example: a display that scans out only what it allocated itself is asked for
 * ``width`` 1920, ``height`` 1080, ``fourcc`` XRGB8888, right READ_WRITE.
 */
struct hdmabuf_allocate {
	struct hdmabuf_header header;
	hdmabuf_le64 size;
	hdmabuf_le64 tag;
	hdmabuf_le64 modifier;
	hdmabuf_le32 width;
	hdmabuf_le32 height;
	hdmabuf_le32 fourcc;
	hdmabuf_le32 rights;
	hdmabuf_le32 attributes;
	hdmabuf_le32 zero;
	uint8_t zero1[8];
};

/**
 * struct hdmabuf_allocate_answer - answer to ALLOCATE
 * @header: as for every message
 * @id: of the buffer, whose EXPORT follows
 * @zero: zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | id                                                            |
 *     16  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | zero                                                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_allocate_answer {
	struct hdmabuf_header header;
	struct hdmabuf_id id;
	uint8_t zero[40];
};

/** define HDMABUF_ACCESS_READ - the processor reads */
#define HDMABUF_ACCESS_READ 1u
/** define HDMABUF_ACCESS_WRITE - the processor writes */
#define HDMABUF_ACCESS_WRITE 2u

/**
 * struct hdmabuf_cpu_access - CPU_BEGIN and CPU_END
 * @header: as for every message
 * @id: the buffer
 * @offset: first octet of the data that is accessed
 * @octets: how many, not 0
 * @access: ``HDMABUF_ACCESS_READ``, ``HDMABUF_ACCESS_WRITE`` or both
 * @zero: zero
 * @zero1: zero
 *
 * For memory whose caches are not coherent between the two ends: sent by the
 * end whose processor is about to access a buffer, or has done so, in state
 * CONNECTED, if the feature CPU_ACCESS was accepted; the buffer is in state
 * LIVE, LENT, IMPORTED or MAPPED at the receiver.  The other end does the
 * cache maintenance that its own devices and processors need, and then answers
 * with *struct hdmabuf_plain*.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | id                                                            |
 *     16  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | offset                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | octets                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     40  | access                        | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     48  | zero1                                                         |
 *     56  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors: RESERVED; NOT_NEGOTIATED; NO_SUCH_BUFFER; WRONG_STATE (CPU_END
 * without CPU_BEGIN; the buffer is retiring); INVALID (range outside the data,
 * no access); DENIED (write access to a buffer of right READ_ONLY by the
 * importer).  Accesses may overlap; the receiver counts those of a buffer,
 * whatever their ranges, and CPU_END ends one of them.
 *
 * Example: an importer that looks at the first row of a camera's picture sends
 * CPU_BEGIN with ``offset`` 0, ``octets`` 1920, ``access`` 1, waits for the
 * answer, reads, and sends CPU_END with the same values.
 */
struct hdmabuf_cpu_access {
	struct hdmabuf_header header;
	struct hdmabuf_id id;
	hdmabuf_le64 offset;
	hdmabuf_le64 octets;
	hdmabuf_le32 access;
	hdmabuf_le32 zero;
	uint8_t zero1[16];
};

/**
 * DOC: Timelines
 *
 * A timeline is a 64-bit *point* in shared memory that only grows.  One end
 * signals it, by a store; the other waits until it has reached a certain
 * point. That is all the synchronisation there is: frames that are drawn,
 * frames that are shown, positions of a sound stream.
 *
 * Each end creates timelines, under numbers of its own, and says who signals
 * them.  The *cell* of a timeline lies in the creator's area of the channel:
 * cell n is at 64 n.  So an end has 64 timelines with one page of 4096 octets,
 * and none with no page.
 *
 * [HDB-BOTH-052] An end MUST NOT create a timeline whose number is not less
 * than the other end's ``max_timelines`` and the number of cells of its own
 * area.
 *
 * [HDB-BOTH-053] The creator MUST set the cell to the initial point, with
 * ``error`` and ``wake`` 0, before it sends TIMELINE_CREATE.
 *
 * [HDB-BOTH-054] Once a timeline is created, the signaller MUST write nothing
 * of its cell but ``point_high``, ``point_low``, ``point_next`` and ``error``,
 * and the other end nothing but ``wake``.
 *
 * [HDB-BOTH-055] A point MUST NOT decrease.
 *
 * [HDB-BOTH-056] A reader that finds a point less than it has seen before MUST
 * keep the greater one.
 *
 * Signalling
 * ----------
 *
 * A point is stored as three words of 32 bits, as not every machine can store
 * 64 bits at once.  The signaller writes ``point_next`` (the high word), then
 * ``point_low``, then ``point_high`` (the high word again), with a write
 * barrier between each two.  The reader takes them in the opposite order, with
 * read barriers: ``point_high``, ``point_low``, ``point_next``.  If the two
 * high words are equal, the point is valid; if not, it is being moved past a
 * multiple of 2^32 and the reader keeps the point it had: it will be notified.
 *
 * [HDB-BOTH-057] What a hand-off's receiver has to do with the buffer MUST be
 * complete, and visible to the other end, before the point that says so is
 * stored.
 *
 * [HDB-BOTH-058] After it has stored a point, the signaller MUST issue a full
 * barrier, read ``wake``, and notify the other end if the point has crossed
 * it: if the low word went from ``old`` to ``new`` and ``new - wake`` is less
 * than ``new - old`` modulo 2^32, or if the high word has changed.
 *
 * [HDB-BOTH-059] Before it sleeps, a waiter MUST store the low word of the
 * point it waits for in ``wake``, issue a full barrier, and read the point
 * again.
 *
 * .. hdmabuf-sequence:: timeline
 *     waiter: wants point 5; wake = 5, barrier
 *     waiter: reads the point, 4: sleeps
 *     signaller: point = 5, barrier
 *     signaller: reads wake: 5 is crossed
 *     signaller -> waiter: notification
 *     waiter: reads the point, 5: goes on
 *
 * Errors
 * ------
 *
 * A signaller that cannot go on writes a status to ``error``, after its last
 * point and with a write barrier in between, and notifies.  A waiter reads
 * ``error`` first, then, after a read barrier, the point: so no point that was
 * reached before the error is missed.
 *
 * [HDB-BOTH-060] A waiter that finds ``error`` not 0 MUST end every wait for a
 * point that is not reached, with that status.
 *
 * [HDB-BOTH-061] The end that destroys a timeline, and the other when it
 * receives TIMELINE_DESTROY, MUST end every wait on it with
 * ``HDMABUF_STATUS_CANCELLED``.
 *
 * States
 * ------
 *
 * .. hdmabuf-states:: TIMELINE CREATOR
 *
 * .. hdmabuf-states:: TIMELINE PEER
 */

/** define HDMABUF_NO_TIMELINE - in place of a timeline's number: none */
#define HDMABUF_NO_TIMELINE 0xffffffffu

/** define HDMABUF_CELL_OCTETS - size of the cell of a timeline */
#define HDMABUF_CELL_OCTETS 64

/**
 * struct hdmabuf_cell - the cell of a timeline in the channel
 * @point_high: high word of the point, written last and read first
 * @point_low: low word of the point
 * @point_next: high word of the point, written first and read last
 * @error: 0, or the &enum hdmabuf_status with which the timeline has ended
 * @zero: zero
 * @wake: low word of the point at which the waiter wants a notification
 * @zero1: zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | point_high                    | point_low                     |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | point_next                    | error                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | zero                                                          |
 *     24  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | wake                          | zero1                         |
 *     40  |                                                               |
 *     48  |                                                               |
 *     56  |                                                               |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_cell {
	hdmabuf_le32 point_high;
	hdmabuf_le32 point_low;
	hdmabuf_le32 point_next;
	hdmabuf_le32 error;
	uint8_t zero[16];
	hdmabuf_le32 wake;
	uint8_t zero1[28];
};

/**
 * enum hdmabuf_signaller - who signals a timeline
 * @HDMABUF_SIGNALLER_CREATOR: the end that sends TIMELINE_CREATE
 * @HDMABUF_SIGNALLER_PEER: the end that receives it
 */
enum hdmabuf_signaller {
	HDMABUF_SIGNALLER_CREATOR = 1,
	HDMABUF_SIGNALLER_PEER = 2
};

/**
 * enum hdmabuf_timeline_role - whose timeline it is
 * @HDMABUF_TIMELINE_CREATOR: the end that has created it
 * @HDMABUF_TIMELINE_PEER: the other
 */
enum hdmabuf_timeline_role {
	HDMABUF_TIMELINE_CREATOR = 0,
	HDMABUF_TIMELINE_PEER = 1
};

/**
 * enum hdmabuf_timeline_state - states of a timeline at one end
 * @HDMABUF_TIMELINE_NONE: not there
 * @HDMABUF_TIMELINE_OPENING: TIMELINE_CREATE is sent and not answered
 * @HDMABUF_TIMELINE_OPEN: points are signalled and waited for
 * @HDMABUF_TIMELINE_FAILED: its signaller has set ``error``
 * @HDMABUF_TIMELINE_ENDING: TIMELINE_DESTROY is sent and not answered
 * @HDMABUF_TIMELINE_STATES: how many states there are
 */
enum hdmabuf_timeline_state {
	HDMABUF_TIMELINE_NONE = 0,
	HDMABUF_TIMELINE_OPENING = 1,
	HDMABUF_TIMELINE_OPEN = 2,
	HDMABUF_TIMELINE_FAILED = 3,
	HDMABUF_TIMELINE_ENDING = 4,
	HDMABUF_TIMELINE_STATES = 5
};

/**
 * enum hdmabuf_timeline_event - what moves a timeline from state to state
 * @HDMABUF_TIMELINE_CREATE: TIMELINE_CREATE is sent, or received and in order
 * @HDMABUF_TIMELINE_ACCEPTED: it was answered with OK
 * @HDMABUF_TIMELINE_REFUSED: it was answered with another status
 * @HDMABUF_TIMELINE_SIGNAL: a point is stored or seen
 * @HDMABUF_TIMELINE_ERROR: ``error`` is stored or seen
 * @HDMABUF_TIMELINE_DESTROY: TIMELINE_DESTROY is sent or received
 * @HDMABUF_TIMELINE_DESTROYED: it was answered
 * @HDMABUF_TIMELINE_SESSION_OVER: the session is lost or closed
 * @HDMABUF_TIMELINE_EVENTS: how many events there are
 */
enum hdmabuf_timeline_event {
	HDMABUF_TIMELINE_CREATE = 0,
	HDMABUF_TIMELINE_ACCEPTED = 1,
	HDMABUF_TIMELINE_REFUSED = 2,
	HDMABUF_TIMELINE_SIGNAL = 3,
	HDMABUF_TIMELINE_ERROR = 4,
	HDMABUF_TIMELINE_DESTROY = 5,
	HDMABUF_TIMELINE_DESTROYED = 6,
	HDMABUF_TIMELINE_SESSION_OVER = 7,
	HDMABUF_TIMELINE_EVENTS = 8
};

/**
 * define HDMABUF_TIMELINE_TABLE - the state machine of a timeline
 * @X: macro of (role, state, event, next state); the role is CREATOR, PEER or
 *	BOTH
 *
 * What is not in the table cannot happen, or is to be refused.
 */
#define HDMABUF_TIMELINE_TABLE(X) \
	X(CREATOR, NONE, CREATE, OPENING) \
	X(CREATOR, OPENING, ACCEPTED, OPEN) \
	X(CREATOR, OPENING, REFUSED, NONE) \
	X(CREATOR, OPENING, SESSION_OVER, NONE) \
	X(PEER, NONE, CREATE, OPEN) \
	X(BOTH, OPEN, SIGNAL, OPEN) \
	X(BOTH, OPEN, ERROR, FAILED) \
	X(BOTH, OPEN, SESSION_OVER, NONE) \
	X(BOTH, FAILED, SESSION_OVER, NONE) \
	X(CREATOR, OPEN, DESTROY, ENDING) \
	X(CREATOR, FAILED, DESTROY, ENDING) \
	X(CREATOR, ENDING, DESTROYED, NONE) \
	X(CREATOR, ENDING, SESSION_OVER, NONE) \
	X(PEER, OPEN, DESTROY, NONE) \
	X(PEER, FAILED, DESTROY, NONE)

/**
 * struct hdmabuf_timeline - TIMELINE_CREATE and TIMELINE_DESTROY
 * @header: as for every message
 * @timeline: number of the timeline among those of the sender
 * @signaller: in TIMELINE_CREATE &enum hdmabuf_signaller, else 0
 * @point: in TIMELINE_CREATE the initial point, else 0
 * @zero: zero
 *
 * Sent by the creator, in state CONNECTED.  Answered with *struct
 * hdmabuf_plain*.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | header                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | timeline                      | signaller                     |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | point                                                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | zero                                                          |
 *         | ...                                                           |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Errors of TIMELINE_CREATE: RESERVED; DUPLICATE; INVALID (``signaller``, or
 * the cell does not hold ``point``, or holds an error); LIMIT (``timeline``);
 * NO_MEMORY.  Of TIMELINE_DESTROY: RESERVED, also for the fields that are 0 in
 * it; NO_SUCH_TIMELINE.
 *
 * Example: the frontend creates timeline 0 with ``signaller`` PEER and
 * ``point`` 0; the backend will count on it the frames that have left the
 * screen.
 */
struct hdmabuf_timeline {
	struct hdmabuf_header header;
	hdmabuf_le32 timeline;
	hdmabuf_le32 signaller;
	hdmabuf_le64 point;
	uint8_t zero[40];
};

/**
 * union hdmabuf_message - any message
 * @header: what all have in common
 * @plain: no payload
 * @error: answer with a status other than OK
 * @hello: HELLO and its answer
 * @close: CLOSE
 * @echo: ECHO and its answer
 * @export_request: EXPORT and UPDATE
 * @unexport: UNEXPORT
 * @unexport_answer: its answer
 * @buffer_request: RELEASED and QUERY
 * @query_answer: answer to QUERY
 * @hand_off: HAND_OFF
 * @allocate: ALLOCATE
 * @allocate_answer: its answer
 * @cpu_access: CPU_BEGIN and CPU_END
 * @timeline: TIMELINE_CREATE and TIMELINE_DESTROY
 * @octets: as they lie in the slot
 */
union hdmabuf_message {
	struct hdmabuf_header header;
	struct hdmabuf_plain plain;
	struct hdmabuf_error error;
	struct hdmabuf_hello hello;
	struct hdmabuf_close close;
	struct hdmabuf_echo echo;
	struct hdmabuf_export export_request;
	struct hdmabuf_unexport unexport;
	struct hdmabuf_unexport_answer unexport_answer;
	struct hdmabuf_buffer_request buffer_request;
	struct hdmabuf_query_answer query_answer;
	struct hdmabuf_hand_off hand_off;
	struct hdmabuf_allocate allocate;
	struct hdmabuf_allocate_answer allocate_answer;
	struct hdmabuf_cpu_access cpu_access;
	struct hdmabuf_timeline timeline;
	uint8_t octets[HDMABUF_SLOT_OCTETS];
};

/**
 * DOC: Memory that somebody else can write
 *
 * Whatever lies in memory that the other end can write may change between two
 * looks at it, and was perhaps never meant well.  The clauses say what to do;
 * here is how it hangs together.
 *
 * - *Copy once, then look.*  A message is copied out of its slot, a descriptor
 *   and each page of a directory out of the exporter's memory, through
 *   volatile or otherwise so that the compiler cannot read twice. All checks,
 *   and all uses, are of the copy.
 * - *Believe no index.*  Each end computes with its own indices, and compares
 *   the other's with them before it believes how many messages there are.
 * - *Add and multiply with care.*  ``data_offset`` + ``size``, ``offset`` +
 *   ``octets`` and sums of counts may exceed 64 bits; what does is invalid.
 * - *Count before you allocate.*  The limits that an end announces are its
 *   quota for this peer.
 * - *One look, one share of time.*  A peer that always has one more request
 *   does not keep the others from theirs.
 * - *Nothing half done.*  What is refused leaves no trace: no mapping, no
 *   memory, no id.
 * - *Zero what you share.*  Whole messages, whole pages.
 *
 * [HDB-BOTH-062] A sum or product of numbers from the other end that does not
 * fit 64 bits MUST be refused as ``HDMABUF_STATUS_INVALID``.
 *
 * [HDB-BOTH-063] An end MUST NOT crash, hang, access memory outside what is
 * shared with it, or stop serving others, whatever the other end writes to
 * memory or store.
 */

/**
 * DOC: The smallest peer
 *
 * A driver that only exports frames, as a frontend, needs this much:
 *
 * - the record, the channel page, two rings of one page each, and one page of
 *   timelines for each end (the backend's area stays unused);
 * - on its own ring HELLO, TIMELINE_CREATE, EXPORT, HAND_OFF, UNEXPORT and
 *   CLOSE, and their answers;
 * - on the other ring RELEASED, QUERY, ECHO and CLOSE, answered as they should
 *   be;
 * - on the other ring the refusal of all other operations: HELLO with
 *   WRONG_STATE; UPDATE, ALLOCATE, CPU_BEGIN, CPU_END, and HAND_OFF with the
 *   flag MORE, with NOT_NEGOTIATED as it accepts no features; UNEXPORT with
 *   WRONG_ROLE, or NO_SUCH_BUFFER; TIMELINE_DESTROY with NO_SUCH_TIMELINE;
 *   EXPORT with LIMIT as its ``max_buffers`` is 0; TIMELINE_CREATE with LIMIT
 *   as its ``max_timelines`` is 0; HAND_OFF of a buffer that it has exported
 *   READ_ONLY with DENIED, and of any other with NO_SUCH_BUFFER; an unknown one
 *   with UNKNOWN_OPERATION;
 * - a LIST directory, and one descriptor a buffer.
 *
 * An importer has the mirror image of this, and the validation of descriptor
 * and directory.
 */

/**
 * DOC: Accessors
 *
 * Numbers in shared memory are read and written through these, which work on
 * any machine and cost nothing on a little-endian one.  They are left out if
 * ``HDMABUF_NO_ACCESSORS`` is defined.
 */

#ifndef HDMABUF_NO_ACCESSORS

#if defined(__cplusplus) || \
	(defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L)
#define HDMABUF_INLINE inline
#elif defined(__GNUC__)
#define HDMABUF_INLINE __inline__
#elif defined(_MSC_VER)
#define HDMABUF_INLINE __inline
#else
#define HDMABUF_INLINE
#endif

/**
 * hdmabuf_get_le16() - a little-endian number of 16 bits as a native one
 * @number: as it was in memory
 *
 * Return: the same number in the order of this machine
 */
static HDMABUF_INLINE uint16_t hdmabuf_get_le16(hdmabuf_le16 number)
{
#ifdef __KERNEL__
	return le16_to_cpu(number);
#else
	const unsigned char *octet = (const unsigned char *)&number;

	return (uint16_t)(octet[0] | octet[1] << 8);
#endif
}

/**
 * hdmabuf_get_le32() - a little-endian number of 32 bits as a native one
 * @number: as it was in memory
 *
 * Return: the same number in the order of this machine
 */
static HDMABUF_INLINE uint32_t hdmabuf_get_le32(hdmabuf_le32 number)
{
#ifdef __KERNEL__
	return le32_to_cpu(number);
#else
	const unsigned char *octet = (const unsigned char *)&number;

	return (uint32_t)octet[0] | (uint32_t)octet[1] << 8 |
	       (uint32_t)octet[2] << 16 | (uint32_t)octet[3] << 24;
#endif
}

/**
 * hdmabuf_get_le64() - a little-endian number of 64 bits as a native one
 * @number: as it was in memory
 *
 * Return: the same number in the order of this machine
 */
static HDMABUF_INLINE uint64_t hdmabuf_get_le64(hdmabuf_le64 number)
{
#ifdef __KERNEL__
	return le64_to_cpu(number);
#else
	const unsigned char *octet = (const unsigned char *)&number;

	return (uint64_t)octet[0] | (uint64_t)octet[1] << 8 |
	       (uint64_t)octet[2] << 16 | (uint64_t)octet[3] << 24 |
	       (uint64_t)octet[4] << 32 | (uint64_t)octet[5] << 40 |
	       (uint64_t)octet[6] << 48 | (uint64_t)octet[7] << 56;
#endif
}

/**
 * hdmabuf_put_le16() - a native number of 16 bits as a little-endian one
 * @number: in the order of this machine
 *
 * Return: the same number as it shall be in memory
 */
static HDMABUF_INLINE hdmabuf_le16 hdmabuf_put_le16(uint16_t number)
{
#ifdef __KERNEL__
	return cpu_to_le16(number);
#else
	return hdmabuf_get_le16(number);
#endif
}

/**
 * hdmabuf_put_le32() - a native number of 32 bits as a little-endian one
 * @number: in the order of this machine
 *
 * Return: the same number as it shall be in memory
 */
static HDMABUF_INLINE hdmabuf_le32 hdmabuf_put_le32(uint32_t number)
{
#ifdef __KERNEL__
	return cpu_to_le32(number);
#else
	/* Swapping the octets, or leaving them, is its own inverse. */
	return hdmabuf_get_le32(number);
#endif
}

/**
 * hdmabuf_put_le64() - a native number of 64 bits as a little-endian one
 * @number: in the order of this machine
 *
 * Return: the same number as it shall be in memory
 */
static HDMABUF_INLINE hdmabuf_le64 hdmabuf_put_le64(uint64_t number)
{
#ifdef __KERNEL__
	return cpu_to_le64(number);
#else
	return hdmabuf_get_le64(number);
#endif
}

#undef HDMABUF_INLINE

#endif /* HDMABUF_NO_ACCESSORS */

/*
 * A compiler that would lay out a structure in another way than the diagrams
 * above stops here.  The typedefs work where there is no static_assert yet.
 */
#define HDMABUF_ASSERT(name, condition) \
	typedef char hdmabuf_assert_##name[(condition) ? 1 : -1]
#define HDMABUF_ASSERT_SIZE(type, octets) \
	HDMABUF_ASSERT(sizeof_##type, sizeof(struct hdmabuf_##type) == (octets))
#define HDMABUF_ASSERT_AT(type, member, octets) \
	HDMABUF_ASSERT(offsetof_##type##_##member, \
		       offsetof(struct hdmabuf_##type, member) == (octets))

HDMABUF_ASSERT_SIZE(channel, 2112);
HDMABUF_ASSERT_AT(channel, magic, 0);
HDMABUF_ASSERT_AT(channel, version, 4);
HDMABUF_ASSERT_AT(channel, epoch_frontend, 8);
HDMABUF_ASSERT_AT(channel, epoch_backend, 16);
HDMABUF_ASSERT_AT(channel, page_shift, 24);
HDMABUF_ASSERT_AT(channel, ring_format, 28);
HDMABUF_ASSERT_AT(channel, frontend_ring_order, 32);
HDMABUF_ASSERT_AT(channel, backend_ring_order, 36);
HDMABUF_ASSERT_AT(channel, timeline_pages, 40);
HDMABUF_ASSERT_AT(channel, references, 44);
HDMABUF_ASSERT_AT(channel, frontend_ring_start, 48);
HDMABUF_ASSERT_AT(channel, backend_ring_start, 52);
HDMABUF_ASSERT_AT(channel, zero, 56);
HDMABUF_ASSERT_AT(channel, reference, 64);
HDMABUF_ASSERT_SIZE(ring_indices, 64);
HDMABUF_ASSERT_AT(ring_indices, req_prod, 0);
HDMABUF_ASSERT_AT(ring_indices, req_event, 4);
HDMABUF_ASSERT_AT(ring_indices, rsp_prod, 8);
HDMABUF_ASSERT_AT(ring_indices, rsp_event, 12);
HDMABUF_ASSERT_AT(ring_indices, zero, 16);

HDMABUF_ASSERT_SIZE(ring_events, 128);
HDMABUF_ASSERT_AT(ring_events, req_event, 0);
HDMABUF_ASSERT_AT(ring_events, zero_1, 4);
HDMABUF_ASSERT_AT(ring_events, rsp_event, 64);
HDMABUF_ASSERT_AT(ring_events, zero_2, 68);
HDMABUF_ASSERT_SIZE(header, 8);
HDMABUF_ASSERT_AT(header, id, 0);
HDMABUF_ASSERT_AT(header, operation, 4);
HDMABUF_ASSERT_AT(header, status, 6);
HDMABUF_ASSERT_SIZE(error, 64);
HDMABUF_ASSERT_AT(error, header, 0);
HDMABUF_ASSERT_AT(error, where, 8);
HDMABUF_ASSERT_AT(error, zero, 12);
HDMABUF_ASSERT_AT(error, offset, 16);
HDMABUF_ASSERT_AT(error, value, 24);
HDMABUF_ASSERT_AT(error, zero1, 32);
HDMABUF_ASSERT_SIZE(plain, 64);
HDMABUF_ASSERT_AT(plain, header, 0);
HDMABUF_ASSERT_AT(plain, zero, 8);
HDMABUF_ASSERT_SIZE(hello, 64);
HDMABUF_ASSERT_AT(hello, header, 0);
HDMABUF_ASSERT_AT(hello, epoch_frontend, 8);
HDMABUF_ASSERT_AT(hello, epoch_backend, 16);
HDMABUF_ASSERT_AT(hello, features, 24);
HDMABUF_ASSERT_AT(hello, max_octets, 32);
HDMABUF_ASSERT_AT(hello, max_buffers, 40);
HDMABUF_ASSERT_AT(hello, max_timelines, 44);
HDMABUF_ASSERT_AT(hello, max_private, 48);
HDMABUF_ASSERT_AT(hello, max_in_flight, 52);
HDMABUF_ASSERT_AT(hello, zero, 56);
HDMABUF_ASSERT_SIZE(close, 64);
HDMABUF_ASSERT_AT(close, header, 0);
HDMABUF_ASSERT_AT(close, reason, 8);
HDMABUF_ASSERT_AT(close, zero, 12);
HDMABUF_ASSERT_SIZE(echo, 64);
HDMABUF_ASSERT_AT(echo, header, 0);
HDMABUF_ASSERT_AT(echo, octets, 8);
HDMABUF_ASSERT_SIZE(id, 16);
HDMABUF_ASSERT_AT(id, octets, 0);
HDMABUF_ASSERT_SIZE(plane, 16);
HDMABUF_ASSERT_AT(plane, offset, 0);
HDMABUF_ASSERT_AT(plane, stride, 8);
HDMABUF_ASSERT_AT(plane, zero, 12);
HDMABUF_ASSERT_SIZE(picture, 96);
HDMABUF_ASSERT_AT(picture, width, 0);
HDMABUF_ASSERT_AT(picture, height, 4);
HDMABUF_ASSERT_AT(picture, fourcc, 8);
HDMABUF_ASSERT_AT(picture, planes, 12);
HDMABUF_ASSERT_AT(picture, modifier, 16);
HDMABUF_ASSERT_AT(picture, plane_first, 24);
HDMABUF_ASSERT_AT(picture, plane_count, 28);
HDMABUF_ASSERT_AT(picture, plane, 32);
HDMABUF_ASSERT_SIZE(cyclic, 96);
HDMABUF_ASSERT_AT(cyclic, format, 0);
HDMABUF_ASSERT_AT(cyclic, channels, 4);
HDMABUF_ASSERT_AT(cyclic, rate, 8);
HDMABUF_ASSERT_AT(cyclic, frame_octets, 12);
HDMABUF_ASSERT_AT(cyclic, period_octets, 16);
HDMABUF_ASSERT_AT(cyclic, position_timeline, 20);
HDMABUF_ASSERT_AT(cyclic, zero, 24);
HDMABUF_ASSERT_SIZE(descriptor, 256);
HDMABUF_ASSERT_AT(descriptor, magic, 0);
HDMABUF_ASSERT_AT(descriptor, length, 4);
HDMABUF_ASSERT_AT(descriptor, id, 8);
HDMABUF_ASSERT_AT(descriptor, generation, 24);
HDMABUF_ASSERT_AT(descriptor, size, 32);
HDMABUF_ASSERT_AT(descriptor, pages, 40);
HDMABUF_ASSERT_AT(descriptor, entries, 48);
HDMABUF_ASSERT_AT(descriptor, directory, 56);
HDMABUF_ASSERT_AT(descriptor, directory_pages, 64);
HDMABUF_ASSERT_AT(descriptor, directory_format, 68);
HDMABUF_ASSERT_AT(descriptor, data_offset, 72);
HDMABUF_ASSERT_AT(descriptor, page_shift, 76);
HDMABUF_ASSERT_AT(descriptor, rights, 80);
HDMABUF_ASSERT_AT(descriptor, attributes, 84);
HDMABUF_ASSERT_AT(descriptor, tag, 88);
HDMABUF_ASSERT_AT(descriptor, type, 96);
HDMABUF_ASSERT_AT(descriptor, private_octets, 100);
HDMABUF_ASSERT_AT(descriptor, metadata, 104);
HDMABUF_ASSERT_AT(descriptor, zero, 200);
HDMABUF_ASSERT_SIZE(list_page, 8);
HDMABUF_ASSERT_AT(list_page, next, 0);
HDMABUF_ASSERT_AT(list_page, reference, 4);
HDMABUF_ASSERT_SIZE(extent, 16);
HDMABUF_ASSERT_AT(extent, reference, 0);
HDMABUF_ASSERT_AT(extent, count, 8);
HDMABUF_ASSERT_SIZE(extents_page, 32);
HDMABUF_ASSERT_AT(extents_page, next, 0);
HDMABUF_ASSERT_AT(extents_page, count, 8);
HDMABUF_ASSERT_AT(extents_page, zero, 12);
HDMABUF_ASSERT_AT(extents_page, extent, 16);
HDMABUF_ASSERT_SIZE(export, 64);
HDMABUF_ASSERT_AT(export, header, 0);
HDMABUF_ASSERT_AT(export, id, 8);
HDMABUF_ASSERT_AT(export, descriptor, 24);
HDMABUF_ASSERT_AT(export, length, 32);
HDMABUF_ASSERT_AT(export, zero, 36);
HDMABUF_ASSERT_AT(export, zero1, 40);
HDMABUF_ASSERT_SIZE(unexport, 64);
HDMABUF_ASSERT_AT(unexport, header, 0);
HDMABUF_ASSERT_AT(unexport, id, 8);
HDMABUF_ASSERT_AT(unexport, grace_ms, 24);
HDMABUF_ASSERT_AT(unexport, zero, 28);
HDMABUF_ASSERT_AT(unexport, zero1, 32);
HDMABUF_ASSERT_SIZE(unexport_answer, 64);
HDMABUF_ASSERT_AT(unexport_answer, header, 0);
HDMABUF_ASSERT_AT(unexport_answer, mapped, 8);
HDMABUF_ASSERT_AT(unexport_answer, zero, 12);
HDMABUF_ASSERT_AT(unexport_answer, zero1, 16);
HDMABUF_ASSERT_SIZE(buffer_request, 64);
HDMABUF_ASSERT_AT(buffer_request, header, 0);
HDMABUF_ASSERT_AT(buffer_request, id, 8);
HDMABUF_ASSERT_AT(buffer_request, zero, 24);
HDMABUF_ASSERT_SIZE(query_answer, 64);
HDMABUF_ASSERT_AT(query_answer, header, 0);
HDMABUF_ASSERT_AT(query_answer, state, 8);
HDMABUF_ASSERT_AT(query_answer, rights, 12);
HDMABUF_ASSERT_AT(query_answer, size, 16);
HDMABUF_ASSERT_AT(query_answer, pages, 24);
HDMABUF_ASSERT_AT(query_answer, generation, 32);
HDMABUF_ASSERT_AT(query_answer, tag, 40);
HDMABUF_ASSERT_AT(query_answer, hand_offs, 48);
HDMABUF_ASSERT_AT(query_answer, type, 56);
HDMABUF_ASSERT_AT(query_answer, private_octets, 60);
HDMABUF_ASSERT_SIZE(hand_off, 64);
HDMABUF_ASSERT_AT(hand_off, header, 0);
HDMABUF_ASSERT_AT(hand_off, id, 8);
HDMABUF_ASSERT_AT(hand_off, wait_point, 24);
HDMABUF_ASSERT_AT(hand_off, signal_point, 32);
HDMABUF_ASSERT_AT(hand_off, wait_timeline, 40);
HDMABUF_ASSERT_AT(hand_off, signal_timeline, 44);
HDMABUF_ASSERT_AT(hand_off, flags, 48);
HDMABUF_ASSERT_AT(hand_off, zero, 52);
HDMABUF_ASSERT_AT(hand_off, stamp, 56);
HDMABUF_ASSERT_SIZE(allocate, 64);
HDMABUF_ASSERT_AT(allocate, header, 0);
HDMABUF_ASSERT_AT(allocate, size, 8);
HDMABUF_ASSERT_AT(allocate, tag, 16);
HDMABUF_ASSERT_AT(allocate, modifier, 24);
HDMABUF_ASSERT_AT(allocate, width, 32);
HDMABUF_ASSERT_AT(allocate, height, 36);
HDMABUF_ASSERT_AT(allocate, fourcc, 40);
HDMABUF_ASSERT_AT(allocate, rights, 44);
HDMABUF_ASSERT_AT(allocate, attributes, 48);
HDMABUF_ASSERT_AT(allocate, zero, 52);
HDMABUF_ASSERT_AT(allocate, zero1, 56);
HDMABUF_ASSERT_SIZE(allocate_answer, 64);
HDMABUF_ASSERT_AT(allocate_answer, header, 0);
HDMABUF_ASSERT_AT(allocate_answer, id, 8);
HDMABUF_ASSERT_AT(allocate_answer, zero, 24);
HDMABUF_ASSERT_SIZE(cpu_access, 64);
HDMABUF_ASSERT_AT(cpu_access, header, 0);
HDMABUF_ASSERT_AT(cpu_access, id, 8);
HDMABUF_ASSERT_AT(cpu_access, offset, 24);
HDMABUF_ASSERT_AT(cpu_access, octets, 32);
HDMABUF_ASSERT_AT(cpu_access, access, 40);
HDMABUF_ASSERT_AT(cpu_access, zero, 44);
HDMABUF_ASSERT_AT(cpu_access, zero1, 48);
HDMABUF_ASSERT_SIZE(cell, 64);
HDMABUF_ASSERT_AT(cell, point_high, 0);
HDMABUF_ASSERT_AT(cell, point_low, 4);
HDMABUF_ASSERT_AT(cell, point_next, 8);
HDMABUF_ASSERT_AT(cell, error, 12);
HDMABUF_ASSERT_AT(cell, zero, 16);
HDMABUF_ASSERT_AT(cell, wake, 32);
HDMABUF_ASSERT_AT(cell, zero1, 36);
HDMABUF_ASSERT_SIZE(timeline, 64);
HDMABUF_ASSERT_AT(timeline, header, 0);
HDMABUF_ASSERT_AT(timeline, timeline, 8);
HDMABUF_ASSERT_AT(timeline, signaller, 12);
HDMABUF_ASSERT_AT(timeline, point, 16);
HDMABUF_ASSERT_AT(timeline, zero, 24);

HDMABUF_ASSERT(sizeof_metadata, sizeof(union hdmabuf_metadata) == 96);
HDMABUF_ASSERT(sizeof_message,
	       sizeof(union hdmabuf_message) == HDMABUF_SLOT_OCTETS);

#undef HDMABUF_ASSERT_AT
#undef HDMABUF_ASSERT_SIZE
#undef HDMABUF_ASSERT

#ifdef __cplusplus
}
#endif

#endif /* HYPER_DMABUF_H */
