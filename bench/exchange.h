/* SPDX-License-Identifier: MIT */
/*
 * exchange.h - two processes that ask and answer
 *
 * An exchange is one way to do that. The process that measures asks; a worker, a
 * child of it, serves. What both need is in a link, which is made before the worker.
 */
#ifndef HDMABUF_BENCH_EXCHANGE_H
#define HDMABUF_BENCH_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <hdmabuf/waiting.h>

#define ASKER  0
#define SERVER 1

/* Requests that are under way at the same time, and when more are sent. */
struct pace {
	unsigned int window;
	bool stream; /* as soon as an answer is there; else when all are */
};

/*
 * How an end learns that there is something for it: it looks; it asks for a
 * notification and sleeps; or, before it does so, it lets others run once, or looks
 * as often as that was of use before.
 */
enum waiting {
	POLLED,
	NOTIFIED,
	YIELDED,
	ADAPTIVE,
};

#define WAITINGS 4

/*
 * @name: stands before the names of its bursts
 * @shared: SHARED_OCTETS that both ends have mapped
 * @notifications: in shared memory, how many each end has sent
 * @sleeps: in shared memory, how often each end has slept
 * @waiting: of this process, across bursts
 * @same_processor: both ends of the burst that is run are on one processor
 * @event: an eventfd that wakes each end
 * @pipe: a pipe towards each end
 * @packets, @stream: an end of a pair of sockets for each end
 * @data: memory of the size of a frame, that both ends have mapped
 * @data_fd: its descriptor
 * @copy: private memory of the same size
 * @octets: how large these are
 * @worker: the process that serves
 */
struct link {
	const char *name;
	uint8_t *shared;
	uint64_t *notifications;
	uint64_t *sleeps;
	struct hdmabuf_waiting waiting;
	bool same_processor;
	int event[2];
	int pipe[2][2];
	int packets[2];
	int stream[2];
	uint8_t *data;
	int data_fd;
	uint8_t *copy;
	size_t octets;
	pid_t worker;
};

#define SHARED_OCTETS (64 * 4096)

/*
 * One way to ask and to answer, @count times each.
 * @prepare: before a burst, at the asker; may be NULL
 * @ask: what is measured
 * @serve: what the worker does meanwhile; NULL if nobody is asked
 */
struct exchange {
	const char *name;
	void (*prepare)(struct link *link);
	void (*ask)(struct link *link, unsigned int count,
		    const struct pace *pace);
	void (*serve)(struct link *link, unsigned int count,
		      const struct pace *pace);
};

void link_make(struct link *link, const char *name, size_t octets);
void link_free(struct link *link);

void notify_other(struct link *link, int end);
void wait_for_other(struct link *link, int end);

/* A burst to be measured in one of @every rounds; if that is 0, it only prepares. */
struct burst {
	struct link *link;
	const struct exchange *exchange;
	struct pace pace;
	unsigned int count;
	unsigned int every;
	bool same_processor;
	char name[64];
};

#define BURSTS_MAX 128

struct bursts {
	struct burst at[BURSTS_MAX];
	unsigned int count;
};

/* Its name is NAME/same/8/stream, for instance. */
struct burst *bursts_add(struct bursts *bursts, struct link *link,
			 const struct exchange *exchange, unsigned int count,
			 struct pace pace, bool same_processor);

/*
 * Each of them once a round, with a worker, for some rounds or until it has taken
 * too long; the first round is not told.
 */
void bursts_run(struct bursts *bursts, unsigned int rounds);

/* Ways that are not rings. */
extern const struct exchange exchange_lines;
extern const struct exchange exchange_eventfd;
extern const struct exchange exchange_futex;
extern const struct exchange exchange_pipe;
extern const struct exchange exchange_seqpacket;
extern const struct exchange exchange_cells;

/* Ways to move a frame. */
extern const struct exchange exchange_memcpy;
extern const struct exchange exchange_memcpy_fresh;
extern const struct exchange exchange_unix_stream;
extern const struct exchange exchange_pipe_stream;
extern const struct exchange exchange_vm_readv;
extern const struct exchange exchange_scm_rights;
extern const struct exchange exchange_hand_off_polled;
extern const struct exchange exchange_hand_off_notified;

/* Rings, each with all ways of waiting. */
struct ring_kind {
	const char *name;
	struct exchange by[WAITINGS]; /* &enum waiting */
};

extern const struct ring_kind ring_format0;
extern const struct ring_kind ring_format1;
extern const struct ring_kind ring_xen;

#endif
