/* SPDX-License-Identifier: MIT */
/*
 * sessions.c - hand-offs and timelines between two processes that use the library
 *
 * Each end is an endpoint; the asker exports buffers of three sizes once, then
 * hands them off. One operation is done when it was answered.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/desk.h"
#include "bench/exchange.h"
#include "bench/groups.h"
#include "bench/measure.h"
#include "bench/paths.h"

#define BUFFERS 3

static const size_t sizes[BUFFERS] = { 4096, FRAME_OCTETS, 1ul << 30 };

/* This process's end; a worker has its own. */
static struct {
	char address[64];
	struct desk desk;
	struct hdmabuf_memory memory[BUFFERS];
	struct hdmabuf_buffer *buffers[BUFFERS];
	struct hdmabuf_timeline_handle *mine;
	struct hdmabuf_timeline_handle *theirs;
	uint64_t point;
} here;

/* ---- Once ------------------------------------------------------------------------ */

static void open_ask(struct link *link, unsigned int count,
		     const struct pace *pace)
{
	(void)link;
	(void)count;
	(void)pace;
	desk_open(&here.desk, here.address, HDMABUF_FRONTEND);
	desk_run_until(&here.desk, &here.desk.connects, 1);
}

static void open_serve(struct link *link, unsigned int count,
		       const struct pace *pace)
{
	(void)link;
	(void)count;
	(void)pace;
	desk_open(&here.desk, here.address, HDMABUF_BACKEND);
	desk_run_until(&here.desk, &here.desk.connects, 1);
}

/* The memory is never touched: only its size matters. */
static void share_ask(struct link *link, unsigned int count,
		      const struct pace *pace)
{
	struct hdmabuf_info info;
	unsigned int i;

	(void)link;
	(void)count;
	(void)pace;
	for (i = 0; i < BUFFERS; i++) {
		must(!hdmabuf_session_alloc(here.desk.session, sizes[i],
					    HDMABUF_RIGHTS_READ_ONLY,
					    &here.memory[i]),
		     "memory for a buffer");
		desk_info(&info, sizes[i]);
		here.buffers[i] =
			desk_export(&here.desk, &here.memory[i], &info);
		desk_run_until(&here.desk, &here.desk.exports, i + 1);
	}
}

static void share_serve(struct link *link, unsigned int count,
			const struct pace *pace)
{
	unsigned int i;
	void *data;

	(void)link;
	(void)count;
	(void)pace;
	for (i = 0; i < BUFFERS; i++) {
		desk_run_until(&here.desk, &here.desk.imports, i + 1);
		must(!hdmabuf_buffer_map(here.desk.imported, &data), "mapping");
	}
}

static void timelines_ask(struct link *link, unsigned int count,
			  const struct pace *pace)
{
	(void)link;
	(void)count;
	(void)pace;
	must(!hdmabuf_timeline_create(here.desk.session,
				      HDMABUF_SIGNALLER_CREATOR, 0,
				      &here.mine) &&
		     !hdmabuf_timeline_create(here.desk.session,
					      HDMABUF_SIGNALLER_PEER, 0,
					      &here.theirs),
	     "a timeline");
	desk_run_until(&here.desk, &here.desk.answers, here.desk.answers + 2);
}

static void timelines_serve(struct link *link, unsigned int count,
			    const struct pace *pace)
{
	(void)link;
	(void)count;
	(void)pace;
	while (!here.mine || !here.theirs) {
		desk_run(&here.desk);
		here.theirs = hdmabuf_timeline_find(here.desk.session, 0);
		here.mine = hdmabuf_timeline_find(here.desk.session, 1);
	}
}

static const struct exchange session_open = { "open", NULL, open_ask,
					      open_serve };
static const struct exchange session_share = { "share", NULL, share_ask,
					       share_serve };
static const struct exchange session_timelines = { "create", NULL,
						   timelines_ask,
						   timelines_serve };

/* ---- Again and again ---------------------------------------------------------------- */

static void count_notifications(struct link *link, int end)
{
	link->notifications[8 * end] += desk_notifications(&here.desk);
}

static void forget_notifications(void)
{
	desk_notifications(&here.desk);
}

typedef void until(struct desk *desk, const unsigned int *counter,
		   unsigned int value);

static void hand_off(struct link *link, unsigned int count, unsigned int window,
		     unsigned int size, bool singly, until *run_until)
{
	struct hdmabuf_turn turn = { .buffer = here.buffers[size] };
	unsigned int done, i;

	forget_notifications();
	for (done = 0; done < count; done += window) {
		for (i = 0; i < window; i++) {
			must(!hdmabuf_hand_off(&turn, false), "a hand-off");
			if (singly)
				hdmabuf_endpoint_flush(here.desk.endpoint);
		}
		run_until(&here.desk, &here.desk.answers,
			  here.desk.answers + window);
	}
	count_notifications(link, ASKER);
}

static void take_hand_offs(struct link *link, unsigned int count,
			   until *run_until)
{
	forget_notifications();
	run_until(&here.desk, &here.desk.hand_offs,
		  here.desk.hand_offs + count);
	count_notifications(link, SERVER);
}

#define HAND_OFF(size, name) \
	static void ask_##name(struct link *link, unsigned int count, \
			       const struct pace *pace) \
	{ \
		hand_off(link, count, pace->window, size, false, \
			 desk_run_until); \
	} \
	static void ask_polled_##name(struct link *link, unsigned int count, \
				      const struct pace *pace) \
	{ \
		hand_off(link, count, pace->window, size, false, \
			 desk_poll_until); \
	}

HAND_OFF(0, small)
HAND_OFF(1, frame)
HAND_OFF(2, large)

/* All outstanding at the same time, but each made visible by itself. */
static void ask_singly(struct link *link, unsigned int count,
		       const struct pace *pace)
{
	hand_off(link, count, pace->window, 1, true, desk_run_until);
}

static void ask_adaptive(struct link *link, unsigned int count,
			 const struct pace *pace)
{
	hand_off(link, count, pace->window, 1, false, desk_wait_until);
}

static void serve_hand_offs_adaptive(struct link *link, unsigned int count,
				     const struct pace *pace)
{
	(void)pace;
	take_hand_offs(link, count, desk_wait_until);
}

static void serve_hand_offs(struct link *link, unsigned int count,
			    const struct pace *pace)
{
	(void)pace;
	take_hand_offs(link, count, desk_run_until);
}

static void serve_hand_offs_polled(struct link *link, unsigned int count,
				   const struct pace *pace)
{
	(void)pace;
	take_hand_offs(link, count, desk_poll_until);
}

static const struct exchange hand_offs[BUFFERS] = {
	{ "4KiB/hand-off", NULL, ask_small, serve_hand_offs },
	{ "33MB/hand-off", NULL, ask_frame, serve_hand_offs },
	{ "1GiB/hand-off", NULL, ask_large, serve_hand_offs },
};
static const struct exchange hand_offs_polled[BUFFERS] = {
	{ "4KiB/hand-off/polled", NULL, ask_polled_small,
	  serve_hand_offs_polled },
	{ "33MB/hand-off/polled", NULL, ask_polled_frame,
	  serve_hand_offs_polled },
	{ "1GiB/hand-off/polled", NULL, ask_polled_large,
	  serve_hand_offs_polled },
};

static const struct exchange hand_offs_singly = { "33MB/hand-off/singly", NULL,
						  ask_singly, serve_hand_offs };
static const struct exchange hand_offs_adaptive = { "33MB/hand-off/adaptive",
						    NULL, ask_adaptive,
						    serve_hand_offs_adaptive };

static void wait_for_point(uint64_t point)
{
	unsigned int reached = here.desk.reached;

	must(!hdmabuf_timeline_wait(here.theirs, point), "waiting");
	desk_run_until(&here.desk, &here.desk.reached, reached + 1);
}

static void signal_point(uint64_t point)
{
	must(!hdmabuf_timeline_signal(here.mine, point), "signalling");
	hdmabuf_endpoint_flush(here.desk.endpoint);
}

static void signals_ask(struct link *link, unsigned int count,
			const struct pace *pace)
{
	(void)pace;
	forget_notifications();
	while (count--) {
		signal_point(++here.point);
		wait_for_point(here.point);
	}
	count_notifications(link, ASKER);
}

static void signals_serve(struct link *link, unsigned int count,
			  const struct pace *pace)
{
	(void)pace;
	forget_notifications();
	while (count--) {
		wait_for_point(++here.point);
		signal_point(here.point);
	}
	count_notifications(link, SERVER);
}

static const struct exchange session_signals = { "timelines", NULL, signals_ask,
						 signals_serve };

/* ---- ------------------------------------------------------------------------------------ */

static const struct pace one = { 1, false };

static void add_once(struct bursts *bursts, struct link *link)
{
	static const struct exchange *const steps[] = { &session_open,
							&session_share,
							&session_timelines };
	unsigned int i;

	for (i = 0; i < 3; i++)
		bursts_add(bursts, link, steps[i], 1, one, true)->every = 0;
}

/* Of a frame, so many at a time. */
static const struct pace paces[] = {
	{ 1, false }, { 4, false }, { 8, false }, { 32, false }
};

#define PACES (sizeof(paces) / sizeof(paces[0]))

static void add_hand_offs(struct bursts *bursts, struct link *link)
{
	unsigned int size, i;

	for (size = 0; size < BUFFERS; size++)
		bursts_add(bursts, link, &hand_offs[size], 32, one, true);
	for (i = 1; i < PACES; i++)
		bursts_add(bursts, link, &hand_offs[1], 32 * paces[i].window,
			   paces[i], true);
}

static void add_hand_offs_across(struct bursts *bursts, struct link *link)
{
	unsigned int size, i;
	int cpu[2];

	if (processors(cpu) < 2)
		return;
	for (size = 0; size < BUFFERS; size++)
		bursts_add(bursts, link, &hand_offs_polled[size], 64, one,
			   false);
	for (i = 0; i < PACES; i++) {
		unsigned int window = paces[i].window;

		bursts_add(bursts, link, &hand_offs[1], 8 * window, paces[i],
			   false);
		bursts_add(bursts, link, &hand_offs_singly, 8 * window,
			   paces[i], false);
		bursts_add(bursts, link, &hand_offs_adaptive, 64 * window,
			   paces[i], false);
	}
}

void run_sessions(const struct plan *plan)
{
	char folder[] = "/tmp/hdmabuf-bench-XXXXXX";
	static struct bursts bursts;
	struct link link;
	unsigned int i;

	must_call(mkdtemp(folder), "mkdtemp");
	snprintf(here.address, sizeof(here.address), "local:%s/socket", folder);
	link_make(&link, "session/", 4096);
	add_once(&bursts, &link);
	bursts_add(&bursts, &link, &exchange_eventfd, 64, one, true);
	bursts_add(&bursts, &link, &session_signals, 32, one, true);
	add_hand_offs(&bursts, &link);
	add_hand_offs_across(&bursts, &link);
	bursts_run(&bursts, plan->rounds);
	desk_close(&here.desk);
	for (i = 0; i < BUFFERS; i++)
		hdmabuf_memory_free(&here.memory[i]);
	link_free(&link);
	unlink(here.address + sizeof("local:") - 1);
	must_call(!rmdir(folder), folder);
}
