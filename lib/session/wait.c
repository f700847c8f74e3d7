/* SPDX-License-Identifier: MIT */
/*
 * wait.c - waiting for anything, and looking before that
 *
 * dispatch() leaves everything armed: whatever comes makes the descriptor readable. While this
 * end looks by itself, what it looks at is held, so that the peer spares its notification.
 */
#include <errno.h>
#include <poll.h>

#include "internal.h"

struct watch {
	struct hdmabuf_session *sessions[LOOK_SESSIONS];
	unsigned int count;
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("isb" : : : "memory");
#else
	__asm__ __volatile__("" : : : "memory");
#endif
}

/* HDB-BOTH-012: among hundreds, no more than these. */
static void watch_begin(struct watch *watch, struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_session *session;
	unsigned int left = LOOK_SESSIONS;

	watch->count = 0;
	LIST_FOREACH(session, &endpoint->sessions, entry) {
		if (!left--)
			return;
		if (!session_has_rings(session))
			continue;
		pump_hold(session);
		timelines_hold(session);
		watch->sessions[watch->count++] = session;
	}
}

static bool watch_look(const struct watch *watch)
{
	unsigned int i;

	for (i = 0; i < watch->count; i++)
		if (pump_has_news(watch->sessions[i]) ||
		    timelines_have_news(watch->sessions[i]))
			return true;
	return false;
}

/* HDB-BOTH-014, HDB-BOTH-059: true if something has come, which dispatch() will do. */
static bool watch_end(const struct watch *watch)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < watch->count; i++) {
		struct hdmabuf_session *session = watch->sessions[i];
		bool rings = pump_arm(session);
		bool timelines = timelines_arm(session);

		if (!rings && !timelines)
			continue;
		session->look = true;
		session_touch(session);
		any = true;
	}
	return any;
}

static bool look_before_sleeping(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_waiting *waiting = &endpoint->waiting;
	struct watch watch;

	if (!hdmabuf_waiting_look_again(waiting))
		return false;
	watch_begin(&watch, endpoint);
	while (!watch_look(&watch)) {
		if (!hdmabuf_waiting_look_again(waiting))
			return watch_end(&watch);
		relax();
	}
	hdmabuf_waiting_found(waiting);
	return watch_end(&watch);
}

int hdmabuf_endpoint_wait(struct hdmabuf_endpoint *endpoint, int timeout_ms)
{
	struct pollfd fd = { endpoint->epoll_fd, POLLIN, 0 };
	int ready;

	hdmabuf_endpoint_flush(endpoint);
	if (!endpoint->awake && look_before_sleeping(endpoint))
		return 1;
	ready = poll(&fd, 1, timeout_ms);
	return ready < 0 ? -errno : ready;
}
