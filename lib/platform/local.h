/* SPDX-License-Identifier: MIT */
/*
 * local.h - what the files of the local platform share
 *
 *   local.c          opening and closing of endpoints
 *   local_events.c   what happens there: peers come, packets, time
 *   local_path.c     the socket's place in the file system
 *   local_link.c     life of a link
 *   local_packet.c   packets in and out
 *   local_receive.c  what each packet of the peer does
 *   local_share.c    memory of this end: references, GRANT, REVOKE
 *   local_grant.c    memory of the peer: GRANT, REVOKE
 *   local_map.c      mappings of it
 *   local_memory.c   descriptors of memory: seals, sizes, how many there are
 *   local_set.c      sorted sets
 */
#ifndef HDMABUF_PLATFORM_LOCAL_H
#define HDMABUF_PLATFORM_LOCAL_H

#include <stdarg.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <bindings/local.h>
#include <hdmabuf/platform.h>

#include "timer.h"

/* Connections of an endpoint, and how many of them may still owe their ATTACH. */
#define LOCAL_LINKS_MAX	    1024
#define LOCAL_HALF_OPEN_MAX 16
#define LOCAL_ATTACH_MS	    5000

/* How long a frontend waits before it tries again. */
#define LOCAL_RETRY_MIN_MS 50
#define LOCAL_RETRY_MAX_MS 1000

/* Packets of one link that are handled before others have their turn. */
#define LOCAL_BUDGET 32
/* As many as fit a socket: what was sent before a message is in there. */
#define LOCAL_BUDGET_MAP 16384
/* Octets kept until the socket takes them: enough for all that may be owed. */
#define LOCAL_QUEUE_MAX (16 << 20)
/* Pieces of address space that a peer can make this process map. */
#define LOCAL_PIECES_MAX 8192

/* Things in order of their keys: the first reference, or the address. */
struct local_item {
	uint64_t key;
};

struct local_set {
	struct local_item **items;
	size_t count;
	size_t capacity;
};

/* A memory of which something is granted, however often. */
struct local_memory {
	LIST_ENTRY(local_memory) entry;
	dev_t device;
	ino_t inode;
	int access;
	int fd; /* -1 if it is this end's */
	unsigned int users;
};

struct local_memories {
	LIST_HEAD(, local_memory) list;
	size_t count;
	uint64_t pages;
};

/* References of this end. */
struct local_share {
	struct local_item item; /* the first reference */
	uint32_t count;
	bool revoking; /* REVOKE was sent */
	bool revoked;  /* REVOKED has come */
	struct local_memory *memory;
};

/* References of the peer. */
struct local_grant {
	struct local_item item; /* the first reference */
	uint32_t count;
	bool writable;
	bool revoked;	     /* REVOKE has come, REVOKED is owed */
	unsigned int maps;   /* mappings that have a part of it */
	uint64_t first_page; /* in the memory */
	struct local_memory *memory;
};

struct local_mapping {
	struct local_item item; /* the address */
	uint64_t pages;
	size_t pieces;
	size_t grant_count;
	struct local_grant *grants[];
};

/* A packet in native form; @fd is the receiver's. */
struct local_packet {
	uint32_t type;
	uint32_t version;
	uint32_t page_shift;
	uint32_t first;
	uint32_t count;
	uint64_t offset;
	uint32_t rights;
	uint32_t length;
	int fd;
	char text[HDMABUF_LOCAL_RECORD_OCTETS];
};

/* A packet that the socket did not take yet. */
struct local_queued {
	STAILQ_ENTRY(local_queued) entry;
	size_t octets;
	uint8_t data[];
};

enum local_kind {
	LOCAL_LISTENER,
	LOCAL_TIMER,
	LOCAL_WAKE,
	LOCAL_SOCKET,
	LOCAL_EVENT
};

/* What a descriptor in the epoll set stands for. */
struct local_source {
	enum local_kind kind;
	struct hdmabuf_link *link;
};

enum local_state {
	LOCAL_HALF_OPEN, /* the peer's ATTACH has not come */
	LOCAL_UP,
	LOCAL_OVER, /* nothing is made any more, what there is goes */
	LOCAL_FREED /* until the end of dispatch() */
};

struct local_endpoint;

struct hdmabuf_link {
	TAILQ_ENTRY(hdmabuf_link) entry;
	struct local_endpoint *endpoint;
	void *owner;
	enum local_state state;
	struct local_source socket_source;
	struct local_source event_source;
	int socket;
	int own_event;
	int peer_event;
	int pidfd; /* -1: the end of the connection must do */
	struct ucred peer;
	uint64_t deadline; /* for ATTACH */
	uint64_t up_at;
	bool polled_out;

	/* to be reported */
	bool record_changed;
	bool look;
	bool ending; /* nothing is received any more */
	bool broken; /* by the peer, against the rules */
	char why[128];

	/* how the peer's end went */
	bool left;     /* LEAVE has come */
	bool finished; /* so has the end of the connection */
	bool shut;     /* and ours is told */

	STAILQ_HEAD(, local_queued) queue;
	size_t queued; /* octets */

	char record[HDMABUF_LOCAL_RECORD_OCTETS];
	size_t record_octets;

	uint32_t next_reference;
	struct local_set shares;
	struct local_memories shared;
	struct local_set grants;
	struct local_memories granted;
	struct local_set mappings;
	size_t pieces;
};

TAILQ_HEAD(local_links, hdmabuf_link);

struct local_endpoint {
	struct hdmabuf_platform_ops ops; /* with this machine's page size */
	enum hdmabuf_role role;
	const struct hdmabuf_platform_events *events;
	void *user;
	bool dispatching;
	int epoll_fd;
	int listen_fd;
	int timer_fd;
	int wake_fd;
	struct local_source listener;
	struct local_source timer;
	struct local_source wake;

	char *path; /* NULL for a pair */
	dev_t device;
	ino_t inode;

	struct local_links links;
	struct local_links buried;
	size_t link_count; /* without those that are over */
	unsigned int links_max;
	size_t half_open;
	size_t memories; /* descriptors kept for peers, all links together */
	size_t memories_max;

	bool accepting;
	uint64_t accept_at;
	struct hdmabuf_link *current; /* the frontend's */
	uint64_t retry_at;
	uint64_t retry_ms;
	int connect_error;
	uint64_t timer_at;
};

/* local_events.c */
int local_watch(struct local_endpoint *endpoint, int fd, uint32_t events,
		struct local_source *source);
void local_wake(struct local_endpoint *endpoint);
__attribute__((format(printf, 2, 3))) void
local_log(struct local_endpoint *endpoint, const char *format, ...);
void local_link_gone(struct hdmabuf_link *link);
void local_accept_again(struct local_endpoint *endpoint);
void local_set_timer(struct local_endpoint *endpoint);
int local_dispatch(void *context, const struct hdmabuf_platform_events *events,
		   void *user);

/* local_path.c */
size_t local_path_octets(void);
int local_path_listen(struct local_endpoint *endpoint, char *error,
		      size_t error_size);
void local_path_leave(struct local_endpoint *endpoint);
int local_path_connect(const char *path);

/* local_link.c */
struct hdmabuf_link *local_link_new(struct local_endpoint *endpoint,
				    int socket);
__attribute__((format(printf, 2, 3))) void
local_link_end(struct hdmabuf_link *link, const char *format, ...);
__attribute__((format(printf, 2, 3))) void
local_link_break(struct hdmabuf_link *link, const char *format, ...);
bool local_link_is_unreported(const struct hdmabuf_link *link);
void local_link_report(struct hdmabuf_link *link);
bool local_link_is_usable(const struct hdmabuf_link *link);
bool local_link_peer_is_done(struct hdmabuf_link *link);
void local_link_finish(struct hdmabuf_link *link);
void local_link_destroy(struct hdmabuf_link *link);
void local_link_peer(struct hdmabuf_link *link, char *text, size_t size);
int local_link_publish(struct hdmabuf_link *link, const char *text,
		       size_t octets);
size_t local_link_record(struct hdmabuf_link *link, char *text, size_t size);
int local_link_notify(struct hdmabuf_link *link);
void local_link_disconnect(struct hdmabuf_link *link);
void local_link_free(struct hdmabuf_link *link);

/* local_packet.c */
int local_packet_receive(struct hdmabuf_link *link, struct local_packet *packet,
			 const char **wrong);
int local_packet_send(struct hdmabuf_link *link,
		      const struct local_packet *packet);
int local_packet_send_now(struct hdmabuf_link *link,
			  const struct local_packet *packet);
int local_packet_send_references(struct hdmabuf_link *link, uint32_t type,
				 uint64_t first, uint32_t count);
void local_packet_flush(struct hdmabuf_link *link);
void local_packet_drop(struct hdmabuf_link *link);

/* local_receive.c */
bool local_receive(struct hdmabuf_link *link, unsigned int budget);
bool local_receive_early(struct hdmabuf_link *link, unsigned int budget);
void local_receive_last(struct hdmabuf_link *link);

/* local_share.c */
int local_share(struct hdmabuf_link *link, const struct hdmabuf_memory *memory,
		uint64_t first, uint64_t pages, uint32_t rights,
		struct hdmabuf_run *runs, size_t capacity, size_t *count);
int local_revoke(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		 size_t count);
const char *local_share_revoked(struct hdmabuf_link *link, uint64_t first,
				uint32_t count);
void local_shares_drop(struct hdmabuf_link *link);

/* local_grant.c: the first two return what is wrong, or NULL */
const char *local_grant_add(struct hdmabuf_link *link,
			    const struct local_packet *packet, int fd);
const char *local_grant_revoke(struct hdmabuf_link *link, uint64_t first,
			       uint32_t count);
struct local_grant *local_grant_of(const struct hdmabuf_link *link,
				   uint64_t reference);
void local_grant_unmapped(struct hdmabuf_link *link, struct local_grant *grant);
void local_grants_drop(struct hdmabuf_link *link);

/* local_map.c */
int local_map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
	      size_t count, uint32_t rights, void **address, uint64_t *bad);
int local_unmap(struct hdmabuf_link *link, void *address, uint64_t pages);
void local_mappings_drop(struct hdmabuf_link *link);

/* local_memory.c */
int local_memory_seal(int fd, bool writable, uint64_t pages,
		      uint32_t page_shift);
int local_memory_open_for_peer(int fd, bool writable);
const char *local_memory_check(int fd, bool writable, uint64_t pages,
			       uint32_t page_shift);
int local_memory_get(struct local_memories *memories, int fd,
		     struct local_memory **memory);
bool local_memory_put(struct local_memories *memories,
		      struct local_memory *memory);

/* local_set.c */
struct local_item *local_set_at_or_below(const struct local_set *set,
					 uint64_t key);
struct local_item *local_set_above(const struct local_set *set, uint64_t key);
struct local_item *local_set_exactly(const struct local_set *set, uint64_t key);
int local_set_insert(struct local_set *set, struct local_item *item);
void local_set_remove(struct local_set *set, struct local_item *item);
void local_set_free(struct local_set *set);

#endif /* HDMABUF_PLATFORM_LOCAL_H */
