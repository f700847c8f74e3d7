/* SPDX-License-Identifier: MIT */
/*
 * ends.h - two ends and what happens to them, for the tests of platforms
 */
#ifndef HDMABUF_PLATFORM_ENDS_H
#define HDMABUF_PLATFORM_ENDS_H

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <hdmabuf/platform.h>

#include "tests/harness.h"

#define PAGE 4096u

#define READ_ONLY  HDMABUF_RIGHTS_READ_ONLY
#define READ_WRITE HDMABUF_RIGHTS_READ_WRITE

/* A link, and what was reported about it. */
struct peer {
	struct end *end;
	struct hdmabuf_link *link;
	int records;
	int notified;
	int downs;
	char why[128];
};

struct end {
	struct hdmabuf_platform platform;
	const struct hdmabuf_platform_ops *ops;
	struct peer peers[128];
	int ups;
	bool refuse;
	void (*on_up)(struct peer *peer);
	void (*on_notified)(struct peer *peer);
	void (*on_down)(struct peer *peer);
	int lines;
	char log[256]; /* the last line */
};

static inline void *end_up(void *user, struct hdmabuf_link *link)
{
	struct end *end = user;
	struct peer *peer = &end->peers[end->ups];

	assert_true(end->ups < 128);
	end->ups++;
	if (end->refuse)
		return NULL;
	memset(peer, 0, sizeof(*peer));
	peer->end = end;
	peer->link = link;
	if (end->on_up)
		end->on_up(peer);
	return peer;
}

static inline void end_record(void *owner)
{
	struct peer *peer = owner;

	assert_non_null(peer->link);
	assert_int_equal(peer->downs, 0);
	peer->records++;
}

static inline void end_notified(void *owner)
{
	struct peer *peer = owner;

	assert_non_null(peer->link);
	assert_int_equal(peer->downs, 0);
	peer->notified++;
	if (peer->end->on_notified)
		peer->end->on_notified(peer);
}

static inline void end_down(void *owner, const char *why)
{
	struct peer *peer = owner;

	assert_non_null(peer->link);
	assert_int_equal(peer->downs, 0);
	peer->downs++;
	snprintf(peer->why, sizeof(peer->why), "%s", why);
	if (peer->end->on_down)
		peer->end->on_down(peer);
}

static inline void end_log(void *user, const char *line)
{
	struct end *end = user;

	assert_null(strchr(line, '\n'));
	snprintf(end->log, sizeof(end->log), "%s", line);
	end->lines++;
}

static const struct hdmabuf_platform_events end_events = {
	.up = end_up,
	.record = end_record,
	.notified = end_notified,
	.down = end_down,
	.log = end_log,
};

static inline void end_turn(struct end *end)
{
	assert_int_equal(end->ops->dispatch(end->platform.endpoint, &end_events,
					    end),
			 0);
}

static inline bool end_is_readable(const struct end *end, int timeout_ms)
{
	struct pollfd state = { .fd = end->ops->fd(end->platform.endpoint),
				.events = POLLIN };

	return poll(&state, 1, timeout_ms) > 0;
}

/* Until neither has anything left to do; that has to come. */
static inline void ends_settle(struct end *a, struct end *b)
{
	int rounds = 0;

	while (end_is_readable(a, 0) || (b && end_is_readable(b, 0))) {
		end_turn(a);
		if (b)
			end_turn(b);
		assert_true(rounds++ < 100000);
	}
}

static inline uint64_t ends_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* One of them has something to do, or some milliseconds have passed. */
static inline void ends_wait(struct end *a, struct end *b)
{
	struct pollfd states[2] = {
		{ .fd = a->ops->fd(a->platform.endpoint), .events = POLLIN },
		{ .fd = b ? b->ops->fd(b->platform.endpoint) : -1,
		  .events = POLLIN },
	};

	poll(states, 2, 10);
	end_turn(a);
	if (b)
		end_turn(b);
}

/* Run the ends until it holds; @b may be NULL. */
#define ends_until(a, b, condition) \
	do { \
		uint64_t limit_ = ends_now_ms() + 8000; \
\
		while (!(condition)) { \
			assert_true(ends_now_ms() < limit_); \
			ends_wait(a, b); \
		} \
	} while (0)

static inline struct peer *end_last(struct end *end)
{
	assert_true(end->ups > 0);
	return &end->peers[end->ups - 1];
}

static inline struct hdmabuf_link *end_link(struct end *end)
{
	return end_last(end)->link;
}

static inline void end_free_link(struct end *end, struct peer *peer)
{
	if (peer->link)
		end->ops->free(peer->link);
	peer->link = NULL;
}

static inline void end_close(struct end *end)
{
	int i;

	for (i = 0; i < end->ups; i++)
		end_free_link(end, &end->peers[i]);
	end->ops->close(end->platform.endpoint);
}

static inline void end_open(struct end *end, const char *address,
			    enum hdmabuf_role role)
{
	char error[256] = "";
	int result;

	memset(end, 0, sizeof(*end));
	result = hdmabuf_platform_open(address, role, &end->platform, error,
				       sizeof(error));
	if (result)
		fail_msg("%s", error);
	end->ops = end->platform.ops;
}

static inline void ends_close(struct end *frontend, struct end *backend)
{
	end_close(frontend);
	end_close(backend);
}

/* Share pages of memory, which has to work. */
static inline struct hdmabuf_run end_share(struct end *end,
					   const struct hdmabuf_memory *memory,
					   uint64_t first, uint64_t pages,
					   uint32_t rights)
{
	struct hdmabuf_run run = { 0, 0 };
	size_t count = 0;

	assert_int_equal(end->ops->share(end_link(end), memory, first, pages,
					 rights, &run, 1, &count),
			 0);
	assert_int_equal(count, 1);
	assert_int_equal(run.count, pages);
	assert_true(run.reference > 0);
	return run;
}

static inline void *end_map(struct end *end, const struct hdmabuf_run *runs,
			    size_t count, uint32_t rights)
{
	void *address = NULL;
	uint64_t bad = 0;

	assert_int_equal(end->ops->map(end_link(end), runs, count, rights,
				       &address, &bad),
			 0);
	assert_non_null(address);
	return address;
}

/* Expects a failure at a page, and returns it. */
static inline int end_map_fails(struct end *end, const struct hdmabuf_run *runs,
				size_t count, uint32_t rights, uint64_t page)
{
	void *address = NULL;
	uint64_t bad = UINT64_MAX;
	int error = end->ops->map(end_link(end), runs, count, rights, &address,
				  &bad);

	assert_true(error < 0);
	assert_int_equal(bad, page);
	return error;
}

static inline int end_revoke(struct end *end, const struct hdmabuf_run *run)
{
	return end->ops->revoke(end_link(end), run, 1);
}

static inline int end_try_share(struct end *end,
				const struct hdmabuf_memory *memory,
				uint64_t first, uint64_t pages, uint32_t rights)
{
	struct hdmabuf_run run;
	size_t count;

	return end->ops->share(end_link(end), memory, first, pages, rights,
			       &run, 1, &count);
}

/* Revoke what is not mapped. */
static inline void ends_give_back(struct end *frontend, struct end *backend,
				  const struct hdmabuf_run *run)
{
	end_revoke(frontend, run);
	ends_settle(frontend, backend);
	assert_int_equal(end_revoke(frontend, run), 0);
}

static inline void end_publish(struct end *end, const char *text)
{
	assert_int_equal(end->ops->publish(end_link(end), text, strlen(text)),
			 0);
}

static inline void peer_free_link(struct peer *peer)
{
	end_free_link(peer->end, peer);
}

#endif /* HDMABUF_PLATFORM_ENDS_H */
