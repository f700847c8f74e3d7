/* SPDX-License-Identifier: MIT */
/*
 * local.h - how two processes on one Linux machine carry the protocol
 *
 * A binding of hyper_dmabuf.h: references are ranges of pages in memory that
 * is passed as file descriptors, notifications are eventfds, and a unix socket
 * carries the records.  No hypervisor takes part.
 */
#ifndef HYPER_DMABUF_LOCAL_H
#define HYPER_DMABUF_LOCAL_H

#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: The local binding
 *
 * An endpoint is written ``local:PATH``. The backend listens on a unix socket
 * of type SOCK_SEQPACKET that is bound to PATH; a frontend connects to it.
 * Each connection is one pair of ends, so a backend serves as many frontends
 * as connect.  Who may connect is decided by the permissions of PATH.
 *
 * The frontend may be started first: it tries again until somebody listens.
 *
 * [HDB-LOCAL-001] A backend that finds a socket at PATH MUST replace it only
 * if nobody listens on it.
 *
 * LEAVE, or the end of a connection, is the end of the peer: its record is
 * gone, and the session is lost.
 *
 * Packets
 * -------
 *
 * A packet is one message of the socket: *struct hdmabuf_local_packet*, in
 * little-endian order, and with RECORD some text behind it.  ATTACH and GRANT
 * carry one file descriptor each (SCM_RIGHTS), the others none.
 *
 * ==========  ==============================================================
 * packet      says
 * ==========  ==============================================================
 * ATTACH      here is the eventfd by which you notify me
 * RECORD      this is my record now
 * GRANT       from now on, these references lead to this memory
 * REVOKE      these references shall go
 * REVOKED     I have forgotten these references and mapped nothing of them
 * LEAVE       I am leaving; all my references shall go
 * ==========  ==============================================================
 *
 * .. hdmabuf-sequence:: local
 *     frontend -> backend: connect
 *     backend -> frontend: ATTACH (version, page size, eventfd)
 *     frontend -> backend: ATTACH (version, page size, eventfd)
 *     backend -> frontend: RECORD (the offer)
 *     frontend -> backend: GRANT (pages of the channel, memfd)
 *     frontend -> backend: RECORD (the answer)
 *     ...
 *     frontend -> backend: REVOKE (pages of a buffer)
 *     backend: unmaps, closes the descriptor
 *     backend -> frontend: REVOKED (the same pages)
 *     ...
 *     frontend -> backend: LEAVE
 *     backend -> frontend: LEAVE
 *     frontend: has nothing mapped, ends its side
 *     backend: unmaps the channel, ends its side
 *
 * [HDB-LOCAL-002] ATTACH MUST be the first packet of each end, and come once.
 *
 * Neither end has to wait for the other's ATTACH before it sends its own, and
 * what follows.  The page size of ATTACH is that of the machine, and of every
 * session over this connection.
 *
 * [HDB-LOCAL-023] An end MUST close a connection whose ATTACH has a version or
 * a page size other than its own.
 *
 * [HDB-LOCAL-013] An end SHOULD drop a connection over which no ATTACH comes
 * within a few seconds.
 *
 * [HDB-LOCAL-003] An end MUST close a connection on which it receives a packet
 * that this binding does not allow, that has the wrong size, or that carries
 * the wrong number of descriptors.
 *
 * [HDB-LOCAL-004] An end MUST close every descriptor that it receives and does
 * not keep.
 *
 * [HDB-LOCAL-005] An end MUST bound the number of grants and the number of
 * pages that it keeps for a connection, and close a connection that exceeds
 * it.
 *
 * [HDB-LOCAL-014] An end MUST NOT have more granted over a connection, and not
 * REVOKED, than ``HDMABUF_LOCAL_GRANTS_MAX`` grants with
 * ``HDMABUF_LOCAL_PAGES_MAX`` pages in ``HDMABUF_LOCAL_MEMORIES_MAX``
 * different memories.
 *
 * That much a receiver is expected to keep, one descriptor for each memory.
 * An end that has fewer descriptors than its connections need closes the
 * connection that holds most of them.
 *
 * Records
 * -------
 *
 * The text of RECORD is the whole record, one ``key=value`` a line, each line
 * ended by a newline, at most 1024 octets.  It takes the place of the record
 * before it; an empty text withdraws it.  A record is thereby written and read
 * atomically.
 *
 * References
 * ----------
 *
 * A reference is a number of 32 bits.  GRANT gives a run of them to
 * consecutive pages of the memory behind the descriptor it carries, beginning
 * at ``offset``. References of one GRANT are consecutive in the sense of
 * EXTENTS; so are those of two GRANTs whose numbers follow one another.
 *
 * [HDB-LOCAL-015] GRANT MUST be in the socket before any of its references
 * stands in a record or in shared memory.
 *
 * An end may see a message in a ring before it has looked at the socket: if it
 * does not know a reference, it takes what has come and looks again.
 *
 * [HDB-LOCAL-006] GRANT MUST NOT give a number that is 0 or still in use, nor
 * a run that passes 2^32 - 1.
 *
 * [HDB-LOCAL-007] The descriptor of a GRANT MUST be a memfd sealed against
 * shrinking that has all the pages granted, or a dma-buf that has.
 *
 * Without that seal, the end that shares could cut the memory off under the
 * other's mapping and kill it.  A memfd answers F_GET_SEALS and lies on a file
 * system of type TMPFS_MAGIC, 0x01021994; a dma-buf on DMA_BUF_MAGIC,
 * 0x444d4142 (fstatfs).
 *
 * [HDB-LOCAL-016] A memfd that is granted MUST NOT consist of huge pages.
 *
 * Of these, one that is touched may turn out not to be there any more.
 *
 * [HDB-LOCAL-017] The descriptor of a GRANT MUST be open for reading and, if
 * the rights are READ_WRITE, for writing.
 *
 * [HDB-LOCAL-008] A receiver of GRANT MUST check HDB-LOCAL-006 and
 * HDB-LOCAL-007 before it keeps the descriptor.
 *
 * It does well to check HDB-LOCAL-016 and HDB-LOCAL-017 with them.
 *
 * [HDB-LOCAL-009] Memory that is granted READ_ONLY MUST be sealed against
 * future writing (F_SEAL_FUTURE_WRITE and F_SEAL_SEAL), or be a dma-buf whose
 * descriptor is not open for writing.
 *
 * After that seal no descriptor of the memory, however come by, can be mapped
 * writable.  What the exporter mapped before stays writable for the exporter.
 * So memory that is granted READ_ONLY once can never be granted READ_WRITE,
 * and an end that seals memory granted READ_WRITE with F_SEAL_SEAL alone keeps
 * the other from sealing it.  One hole is the kernel's: a udmabuf driver that
 * is older than Linux 6.13, and was not mended, makes a writable dma-buf of
 * memory so sealed for anybody who may open /dev/udmabuf.
 *
 * [HDB-LOCAL-018] REVOKE MUST name all the references of one GRANT, and no
 * other.
 *
 * [HDB-LOCAL-010] An end that receives REVOKE MUST make no new mapping of
 * these references and send REVOKED when no mapping of them is left.
 *
 * REVOKED names the same references as the REVOKE that it answers; until then
 * their numbers are in use, and for HDB-PLAT-005 the pages are still in use.
 *
 * A peer that lies about this keeps the memory, for the kernel frees it only
 * with the last descriptor; what the exporter puts into *other* memory it
 * cannot see.
 *
 * [HDB-LOCAL-011] An end MUST NOT use memory for anything new that it has once
 * granted.
 *
 * It may only be freed.
 *
 * Leaving
 * -------
 *
 * An end that is done with a connection, or closes it because of the other's
 * packets, sends LEAVE, unmaps what it has mapped of the other's memory as
 * soon as it can, and then ends its side: by closing the socket, or by
 * ``shutdown(SHUT_WR)`` if it still waits for the other.  The end that
 * receives LEAVE does the same.
 *
 * [HDB-LOCAL-019] An end MUST NOT send anything after LEAVE.
 *
 * [HDB-LOCAL-024] After it has sent LEAVE, an end MUST ignore everything that
 * it receives but REVOKED and LEAVE.
 *
 * A REVOKE that crosses it, for instance, names references that the end has
 * forgotten already, and LEAVE has answered it.
 *
 * [HDB-LOCAL-020] After LEAVE, an end MUST NOT end its side of the connection
 * before it has unmapped all memory that was granted to it there.
 *
 * [HDB-LOCAL-021] When a connection is over, an end MUST take its references
 * for revoked only when the other has ended its side, and has either sent
 * LEAVE before or is a process that has ended.
 *
 * So nothing is waited for that a living peer has let go of, and nothing is
 * taken back from a peer that merely lost its socket.  The process is the one
 * that connected or listened (SO_PEERPIDFD, SO_PEERCRED).  Where the kernel
 * cannot tell which that is, or it is the end's own, the end of the other side
 * has to do: a process that dies has lost its mappings before its sockets.
 *
 * Notification
 * ------------
 *
 * An end notifies the other by writing 1 to the eventfd of the other's ATTACH.
 *
 * [HDB-LOCAL-022] An end MUST check that the descriptor of an ATTACH is an
 * eventfd before it writes to it.
 *
 * Else a peer could have it write into any file that the peer can open, with
 * the permissions of the writer.
 *
 * [HDB-LOCAL-012] An end MUST make the eventfd that it receives non-blocking.
 *
 * [HDB-LOCAL-025] An end MUST NOT rely on a read of its own eventfd not to
 * block.
 *
 * It has no need to read it: an edge-triggered poll tells of every write.
 *
 * The mode belongs to both holders of the descriptor, so a hostile peer could
 * change it back, fill the counter, and hold up its notifier.  Ends that do
 * not trust each other that far belong on a platform with a hypervisor in
 * between.
 */

/** define HDMABUF_LOCAL_MAGIC - first word of a packet, "HDBL" */
#define HDMABUF_LOCAL_MAGIC 0x4c424448u
/** define HDMABUF_LOCAL_VERSION - version of this binding */
#define HDMABUF_LOCAL_VERSION 1
/** define HDMABUF_LOCAL_RECORD_OCTETS - longest text of a RECORD */
#define HDMABUF_LOCAL_RECORD_OCTETS 1024
/** define HDMABUF_LOCAL_GRANTS_MAX - most grants of an end at a time */
#define HDMABUF_LOCAL_GRANTS_MAX 131072
/** define HDMABUF_LOCAL_PAGES_MAX - most pages granted by an end at a time */
#define HDMABUF_LOCAL_PAGES_MAX 16777216
/** define HDMABUF_LOCAL_MEMORIES_MAX - in so many memories at most */
#define HDMABUF_LOCAL_MEMORIES_MAX 1024

/**
 * enum hdmabuf_local_type - types of packets
 * @HDMABUF_LOCAL_ATTACH: first word; carries an eventfd
 * @HDMABUF_LOCAL_RECORD: the sender's record
 * @HDMABUF_LOCAL_GRANT: references to memory; carries the memory
 * @HDMABUF_LOCAL_REVOKE: references shall go
 * @HDMABUF_LOCAL_REVOKED: references are gone
 * @HDMABUF_LOCAL_LEAVE: last word; all references of the sender shall go
 */
enum hdmabuf_local_type {
	HDMABUF_LOCAL_ATTACH = 1,
	HDMABUF_LOCAL_RECORD = 2,
	HDMABUF_LOCAL_GRANT = 3,
	HDMABUF_LOCAL_REVOKE = 4,
	HDMABUF_LOCAL_REVOKED = 5,
	HDMABUF_LOCAL_LEAVE = 6
};

/**
 * struct hdmabuf_local_packet - a packet, or its beginning
 * @magic: ``HDMABUF_LOCAL_MAGIC``
 * @type: &enum hdmabuf_local_type
 * @version: in ATTACH the version of the binding, else 0
 * @page_shift: in ATTACH binary logarithm of the page size, else 0
 * @first: in GRANT, REVOKE and REVOKED the first reference, else 0
 * @count: in GRANT, REVOKE and REVOKED how many references, at least 1, else 0
 * @offset: in GRANT of the first page in the memory, a multiple of the page
 *	size, else 0
 * @rights: in GRANT &enum hdmabuf_rights, READ_ONLY or READ_WRITE, else 0
 * @length: in RECORD octets of text that follow, else 0
 *
 * The rights of a GRANT are those of the memory: a lent buffer's are
 * READ_WRITE.
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | magic                         | type                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | version                       | page_shift                    |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | first                         | count                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     24  | offset                                                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     32  | rights                        | length                        |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *
 * Example: the three pages of a small channel that begin at the start of a
 * memfd get the references 1, 2 and 3: ``first`` 1, ``count`` 3, ``offset`` 0,
 * ``rights`` 2.
 */
struct hdmabuf_local_packet {
	hdmabuf_le32 magic;
	hdmabuf_le32 type;
	hdmabuf_le32 version;
	hdmabuf_le32 page_shift;
	hdmabuf_le32 first;
	hdmabuf_le32 count;
	hdmabuf_le64 offset;
	hdmabuf_le32 rights;
	hdmabuf_le32 length;
};

#define HDMABUF_ASSERT(name, condition) \
	typedef char hdmabuf_assert_##name[(condition) ? 1 : -1]
#define HDMABUF_ASSERT_AT(member, octets) \
	HDMABUF_ASSERT(offsetof_local_packet_##member, \
		       offsetof(struct hdmabuf_local_packet, member) == \
			       (octets))

HDMABUF_ASSERT(sizeof_local_packet, sizeof(struct hdmabuf_local_packet) == 40);
HDMABUF_ASSERT_AT(magic, 0);
HDMABUF_ASSERT_AT(type, 4);
HDMABUF_ASSERT_AT(version, 8);
HDMABUF_ASSERT_AT(page_shift, 12);
HDMABUF_ASSERT_AT(first, 16);
HDMABUF_ASSERT_AT(count, 20);
HDMABUF_ASSERT_AT(offset, 24);
HDMABUF_ASSERT_AT(rights, 32);
HDMABUF_ASSERT_AT(length, 36);

#undef HDMABUF_ASSERT_AT
#undef HDMABUF_ASSERT

#ifdef __cplusplus
}
#endif

#endif /* HYPER_DMABUF_LOCAL_H */
