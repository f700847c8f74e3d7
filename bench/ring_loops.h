/* SPDX-License-Identifier: MIT */
/*
 * ring_loops.h - how the two ends of a ring are used, whatever the ring
 *
 * A kind of ring includes this and gives its functions as a constant: the compiler
 * makes a loop of its own of each, in which they are inline. Both kinds of waiting
 * and all kinds of rings so do the same between their functions.
 */
#ifndef HDMABUF_BENCH_RING_LOOPS_H
#define HDMABUF_BENCH_RING_LOOPS_H

#include <sched.h>

#include <hyper_dmabuf.h>

#include "bench/exchange.h"
#include "bench/measure.h"

/* Room for the private state of any kind of ring. */
union ring_state {
	uint64_t words[32];
};

/*
 * @attach: makes the private state of an end
 * @put_request, @push_requests, @take_answer, @arm_answers: of the asker
 * @take_request, @put_answer, @push_answers, @arm_requests: of the server
 *
 * A push tells whether to notify; arm tells that there is something already.
 */
struct ring_calls {
	void (*attach)(union ring_state *state, uint8_t *shared, int end);
	void (*put_request)(union ring_state *state,
			    const union hdmabuf_message *message);
	bool (*push_requests)(union ring_state *state);
	bool (*take_answer)(union ring_state *state,
			    union hdmabuf_message *message);
	bool (*arm_answers)(union ring_state *state, unsigned int count);
	bool (*take_request)(union ring_state *state,
			     union hdmabuf_message *message);
	void (*put_answer)(union ring_state *state,
			   const union hdmabuf_message *message);
	bool (*push_answers)(union ring_state *state);
	bool (*arm_requests)(union ring_state *state);
};

#define ALWAYS_INLINE inline __attribute__((__always_inline__))

static ALWAYS_INLINE void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	__asm__ __volatile__("" : : : "memory");
#endif
}

/* Whether to look once more before an end sleeps. */
static ALWAYS_INLINE bool look_again(enum waiting waiting,
				     struct hdmabuf_waiting *adaptive,
				     bool *yielded)
{
	if (waiting == POLLED ||
	    (waiting == ADAPTIVE && hdmabuf_waiting_look_again(adaptive))) {
		relax();
		return true;
	}
	if (waiting != YIELDED || *yielded)
		return false;
	*yielded = true;
	sched_yield();
	return true;
}

static ALWAYS_INLINE void found(enum waiting waiting,
				struct hdmabuf_waiting *adaptive, bool *yielded)
{
	if (waiting == ADAPTIVE)
		hdmabuf_waiting_found(adaptive);
	*yielded = false;
}

/* On one processor nobody looks: that is known, and need not be found out. */
static ALWAYS_INLINE struct hdmabuf_waiting *
waiting_of(struct link *link, struct hdmabuf_waiting *none)
{
	hdmabuf_waiting_init(none, 0);
	return link->same_processor ? none : &link->waiting;
}

static ALWAYS_INLINE void ring_ask(const struct ring_calls *calls,
				   enum waiting waiting, struct link *link,
				   unsigned int count, const struct pace *pace)
{
	union hdmabuf_message message = { .octets = { 1 } };
	unsigned int sent = 0, taken = 0;
	struct hdmabuf_waiting none, *adaptive = waiting_of(link, &none);
	union ring_state state;
	bool yielded = false;

	calls->attach(&state, link->shared, ASKER);
	while (taken < count) {
		if (sent == taken || pace->stream) {
			while (sent < count && sent - taken < pace->window) {
				message.header.id = sent++;
				calls->put_request(&state, &message);
			}
			if (calls->push_requests(&state) && waiting != POLLED)
				notify_other(link, ASKER);
		}
		if (calls->take_answer(&state, &message)) {
			do
				taken++;
			while (calls->take_answer(&state, &message));
			found(waiting, adaptive, &yielded);
			continue;
		}
		if (look_again(waiting, adaptive, &yielded))
			continue;
		if (!calls->arm_answers(&state,
					pace->stream ? 1 : sent - taken))
			wait_for_other(link, ASKER);
	}
	must(message.header.id == count - 1, "the last answer");
}

static ALWAYS_INLINE void ring_serve(const struct ring_calls *calls,
				     enum waiting waiting, struct link *link,
				     unsigned int count)
{
	union hdmabuf_message message;
	unsigned int served = 0;
	struct hdmabuf_waiting none, *adaptive = waiting_of(link, &none);
	union ring_state state;
	bool yielded = false;

	calls->attach(&state, link->shared, SERVER);
	while (served < count) {
		if (calls->take_request(&state, &message)) {
			do {
				calls->put_answer(&state, &message);
				served++;
			} while (calls->take_request(&state, &message));
			if (calls->push_answers(&state) && waiting != POLLED)
				notify_other(link, SERVER);
			found(waiting, adaptive, &yielded);
			continue;
		}
		if (look_again(waiting, adaptive, &yielded))
			continue;
		if (!calls->arm_requests(&state))
			wait_for_other(link, SERVER);
	}
}

/* Defines the two ends of a ring, of which @calls are the functions. */
#define RING_ENDS(how, waiting, calls) \
	static void ask_##how(struct link *link, unsigned int count, \
			      const struct pace *pace) \
	{ \
		ring_ask(&(calls), waiting, link, count, pace); \
	} \
	static void serve_##how(struct link *link, unsigned int count, \
				const struct pace *pace) \
	{ \
		(void)pace; \
		ring_serve(&(calls), waiting, link, count); \
	}

#define RING_KIND(ring, ring_name, calls, prepare) \
	RING_ENDS(polled, POLLED, calls) \
	RING_ENDS(notified, NOTIFIED, calls) \
	RING_ENDS(yielded, YIELDED, calls) \
	RING_ENDS(adaptive, ADAPTIVE, calls) \
	const struct ring_kind ring = { ring_name, \
					{ { ring_name "/polled", prepare, \
					    ask_polled, serve_polled }, \
					  { ring_name "/notified", prepare, \
					    ask_notified, serve_notified }, \
					  { ring_name "/yielded", prepare, \
					    ask_yielded, serve_yielded }, \
					  { ring_name "/adaptive", prepare, \
					    ask_adaptive, serve_adaptive } } }

#endif
