/* SPDX-License-Identifier: MIT */
/*
 * local_raw.h - the binding "local" as the suite reads it in the specification
 *
 * A second implementation, of which every packet can be another than it should be, and
 * that keeps whatever the IUT sends. An end speaks over it as over the library's
 * platform.
 */
#ifndef CONFORMANCE_TESTS_LOCAL_RAW_H
#define CONFORMANCE_TESTS_LOCAL_RAW_H

#include "conformance/end/end.h"

#include <bindings/local.h>
#include <sys/types.h>

/* File systems on which memory lies, as of fstatfs(). */
#define TMPFS_MAGIC   0x01021994
#define DMA_BUF_MAGIC 0x444d4142

#define PACKET_OCTETS 40
/* More than any packet may have of descriptors, and of octets. */
#define DESCRIPTORS_MAX 253
#define TEXT_MAX	4096

/* Where the fields of a packet are, from the octet diagram. */
enum packet_place {
	PACKET_MAGIC = WIRE_PLACE(0, 4),
	PACKET_TYPE = WIRE_PLACE(4, 4),
	PACKET_VERSION = WIRE_PLACE(8, 4),
	PACKET_PAGE_SHIFT = WIRE_PLACE(12, 4),
	PACKET_FIRST = WIRE_PLACE(16, 4),
	PACKET_COUNT = WIRE_PLACE(20, 4),
	PACKET_OFFSET = WIRE_PLACE(24, 8),
	PACKET_RIGHTS = WIRE_PLACE(32, 4),
	PACKET_LENGTH = WIRE_PLACE(36, 4),
};

typedef uint8_t packet_t[PACKET_OCTETS];

/**
 * struct look - what can be seen of a descriptor when it arrives
 * @device: of what is behind it
 * @inode: likewise
 * @octets: of it, whole pages or not
 * @file_system: on which it lies, as of fstatfs()
 * @seals: -1 if it can have none
 * @access: O_RDONLY, O_RDWR or O_WRONLY
 */
struct look {
	dev_t device;
	ino_t inode;
	uint64_t octets;
	unsigned long file_system;
	int seals;
	int access;
};

/**
 * struct arrived - a packet of the IUT
 * @head: as received
 * @text: behind it
 * @octets: of both
 * @fd: its first descriptor, or -1
 * @descriptors: how many it had
 * @look: of @fd
 * @taken: by the test
 * @revoking: of a GRANT: REVOKE has come
 * @revoked: and was answered
 * @revoked_at: when so many packets had come
 * @maps: of a GRANT: mappings that have a part of it
 */
struct arrived {
	packet_t head;
	char *text;
	size_t octets;
	int fd;
	unsigned int descriptors;
	struct look look;
	bool taken;
	bool revoking;
	bool revoked;
	size_t revoked_at;
	unsigned int maps;
};

/**
 * struct granted - references of the suite
 * @first: of them
 * @count: how many
 * @revoking: REVOKE was sent
 * @revoked: and answered
 */
struct granted {
	uint32_t first;
	uint32_t count;
	bool revoking;
	bool revoked;
};

/**
 * struct mapped - pages of the IUT that are mapped
 * @address: where
 * @pages: how many
 * @grants: for each the GRANT that has it
 */
struct mapped {
	void *address;
	uint64_t pages;
	struct arrived **grants;
};

/**
 * struct raw - a connection made of packets
 * @ops: of the platform that it is
 * @end: that speaks over it
 * @role: of the suite
 * @path: of the socket
 * @silent: the test says ATTACH
 * @quiet: packets are not noted
 * @withholds: REVOKE is not answered
 * @poll: all that may have come
 * @timer: ticks, until there is a connection and after raw_tick()
 * @listener: of a backend
 * @socket: the connection, or -1
 * @pid: of the IUT's process
 * @event: by which the IUT notifies
 * @peer_event: by which the suite does, or -1
 * @up: there is a link
 * @down: there was
 * @has_left: LEAVE was sent
 * @left: LEAVE has come
 * @ended: the IUT has ended its side
 * @record: the IUT's
 * @record_changed: and that is not reported
 * @next: reference that is free
 * @arrived: all packets of the IUT
 * @arrived_count: of @arrived
 * @granted: all references of the suite
 * @granted_count: of @granted
 * @mapped: all mappings, those that were undone with an address of NULL
 * @mapped_count: of @mapped
 */
struct raw {
	struct hdmabuf_platform_ops ops;
	struct end *end;
	enum hdmabuf_role role;
	char path[108];
	bool silent;
	bool quiet;
	bool withholds;
	int poll;
	int timer;
	int listener;
	int socket;
	pid_t pid;
	int event;
	int peer_event;
	bool up;
	bool down;
	bool has_left;
	bool left;
	bool ended;
	char record[1025];
	bool record_changed;
	uint32_t next;
	struct arrived **arrived;
	size_t arrived_count;
	struct granted *granted;
	size_t granted_count;
	struct mapped *mapped;
	size_t mapped_count;
};

/* ---- connections -------------------------------------------------------- */

/* An end of which the link is made of packets; ATTACH was sent and has come. */
struct end *raw_open(struct test *test);
/* The same, and nothing was sent. */
struct end *raw_open_silently(struct test *test);
/* raw_open(), and a session that works. */
struct end *raw_connect(struct test *test);
/*
 * Closes all ends, and is ready for raw_open(). An IUT that would connect again when
 * it sees fit is started anew, if that can be, rather than waited for.
 */
void raw_start_over(struct test *test);
struct raw *raw_of(const struct end *end);
/* From now on, the suite looks without being notified. 0 or a negative errno. */
int raw_tick(struct raw *raw);
/* Closes the socket, and says nothing. */
void raw_vanish(struct raw *raw);
/* Ends the suite's side of the connection. */
void raw_shut(struct raw *raw);

/* ---- packets ------------------------------------------------------------ */

const char *packet_name(uint32_t type);
void packet_init(packet_t packet, uint32_t type);
/* With @first and @count, for REVOKE, REVOKED and GRANT. */
void packet_of_references(packet_t packet, uint32_t type, uint32_t first,
			  uint32_t count);
/*
 * Sends some octets with descriptors, which stay open. False if the IUT has ended
 * the connection.
 */
bool raw_send(struct raw *raw, const void *octets, size_t size, const int *fds,
	      size_t count);
/* The same with one descriptor or -1, tried once. */
bool raw_try_packet(struct raw *raw, const packet_t packet, int fd);
/* A packet as it is, with a descriptor or -1. */
bool raw_send_packet(struct raw *raw, const packet_t packet, int fd);
bool raw_send_references(struct raw *raw, uint32_t type, uint32_t first,
			 uint32_t count);
/* GRANT of the first pages behind a descriptor, READ_WRITE. */
bool raw_send_grant(struct raw *raw, uint32_t first, uint32_t count, int fd);
/* GRANT and REVOKE, so many times, faster than an IUT can handle them. */
void raw_send_pairs(struct raw *raw, uint32_t first, uint32_t count, int fd,
		    unsigned int times);
/* ATTACH with the right values and an eventfd, or another descriptor. */
void raw_send_attach(struct raw *raw, int fd);
bool raw_send_leave(struct raw *raw);

/* Takes what has come; true if there was anything. */
bool raw_take(struct raw *raw);
/* The next packet of this type that no test has taken; NULL if none comes. */
struct arrived *raw_await(struct raw *raw, uint32_t type);
struct arrived *raw_find(struct raw *raw, uint32_t type);
/* Waits for REVOKED of these references. */
bool raw_await_revoked(struct raw *raw, uint32_t first, uint32_t count);
/* Waits until the IUT has ended its side. */
bool raw_await_end(struct raw *raw);
/* The GRANT that has a reference of the IUT, or NULL. */
struct arrived *raw_find_grant(struct raw *raw, uint64_t reference);

/* ---- the platform, see local_ops.c -------------------------------------- */

void raw_set_ops(struct raw *raw, struct hdmabuf_platform *platform);
/* The IUT wants references back: REVOKED if nothing of them is mapped. */
void raw_answer_revoke(struct raw *raw, struct arrived *grant);
void raw_unmap_all(struct raw *raw);
void raw_close(struct raw *raw);

/* ---- what the IUT sends -------------------------------------------------- */

/*
 * Checks all packets of the IUT, and its memory: HDB-LOCAL-006, 007, 014, 016 and 017.
 * Inconclusive if there is no GRANT.
 */
void raw_check_grants(struct raw *raw);
/* HDB-LOCAL-014 alone: what is granted now. */
void raw_check_amount(struct raw *raw);
/* HDB-LOCAL-018: at least one REVOKE has come. */
void raw_check_revokes(struct raw *raw);
/* HDB-LOCAL-019: LEAVE has come. */
void raw_check_last(struct raw *raw);

/* ---- memory ------------------------------------------------------------- */

/* A memfd, to be closed. */
int memory_make(struct test *test, uint64_t octets, int seals);
/* Sealed as it has to be, with so many pages. */
int memory_make_pages(struct test *test, uint64_t pages);
uint64_t page_size(void);
/* The same memory through another descriptor, with these flags; closes @fd. */
int memory_reopen(struct test *test, int fd, int flags);
void look_at(int fd, struct look *look);

/* ---- the IUT's process -------------------------------------------------- */

/* How many descriptors it has open; 0 if that cannot be seen. */
unsigned int process_descriptors(pid_t pid);
/* Whether it has a file mapped; if @writable, with write access. */
bool process_maps(pid_t pid, dev_t device, ino_t inode, bool writable);
/* Whether that can be seen. */
bool process_is_visible(pid_t pid);

#endif
