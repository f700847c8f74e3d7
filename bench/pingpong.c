/* SPDX-License-Identifier: MIT */
/* pingpong.c - ways to ask and answer that are not rings: what rings are held against */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hdmabuf/timeline.h>

#include "bench/ring_loops.h"

#define MESSAGE_OCTETS 64

/* ---- Two cache lines, each written by one end -------------------------------- */

static uint32_t *line(struct link *link, int end)
{
	return (uint32_t *)(link->shared + 256 * end);
}

static void lines_prepare(struct link *link)
{
	*line(link, ASKER) = 0;
	*line(link, SERVER) = 0;
}

static void lines_wait(const uint32_t *line, uint32_t value)
{
	while (__atomic_load_n(line, __ATOMIC_ACQUIRE) != value)
		relax();
}

static void lines_ask(struct link *link, unsigned int count,
		      const struct pace *pace)
{
	uint32_t i;

	(void)pace;
	for (i = 1; i <= count; i++) {
		__atomic_store_n(line(link, ASKER), i, __ATOMIC_RELEASE);
		lines_wait(line(link, SERVER), i);
	}
}

static void lines_serve(struct link *link, unsigned int count,
			const struct pace *pace)
{
	uint32_t i;

	(void)pace;
	for (i = 1; i <= count; i++) {
		lines_wait(line(link, ASKER), i);
		__atomic_store_n(line(link, SERVER), i, __ATOMIC_RELEASE);
	}
}

const struct exchange exchange_lines = { "lines", lines_prepare, lines_ask,
					 lines_serve };

/* ---- eventfd ------------------------------------------------------------------ */

static void eventfd_ask(struct link *link, unsigned int count,
			const struct pace *pace)
{
	(void)pace;
	while (count--) {
		notify_other(link, ASKER);
		wait_for_other(link, ASKER);
	}
}

static void eventfd_serve(struct link *link, unsigned int count,
			  const struct pace *pace)
{
	(void)pace;
	while (count--) {
		wait_for_other(link, SERVER);
		notify_other(link, SERVER);
	}
}

const struct exchange exchange_eventfd = { "eventfd", NULL, eventfd_ask,
					   eventfd_serve };

/* ---- futex -------------------------------------------------------------------- */

static void futex_wake(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	must_call(syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) >= 0,
		  "futex");
}

static void futex_wait(uint32_t *word, uint32_t value)
{
	uint32_t seen;

	while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != value)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void futex_ask(struct link *link, unsigned int count,
		      const struct pace *pace)
{
	uint32_t i;

	(void)pace;
	for (i = 1; i <= count; i++) {
		futex_wake(line(link, ASKER), i);
		futex_wait(line(link, SERVER), i);
	}
}

static void futex_serve(struct link *link, unsigned int count,
			const struct pace *pace)
{
	uint32_t i;

	(void)pace;
	for (i = 1; i <= count; i++) {
		futex_wait(line(link, ASKER), i);
		futex_wake(line(link, SERVER), i);
	}
}

const struct exchange exchange_futex = { "futex", lines_prepare, futex_ask,
					 futex_serve };

/* ---- Descriptors that carry a message ------------------------------------------ */

static void put(int fd)
{
	static const uint8_t message[MESSAGE_OCTETS];

	must_call(write(fd, message, sizeof(message)) == sizeof(message),
		  "write");
}

static void take(int fd)
{
	uint8_t message[MESSAGE_OCTETS];

	must_call(read(fd, message, sizeof(message)) == sizeof(message),
		  "read");
}

static void pipe_ask(struct link *link, unsigned int count,
		     const struct pace *pace)
{
	(void)pace;
	while (count--) {
		put(link->pipe[SERVER][1]);
		take(link->pipe[ASKER][0]);
	}
}

static void pipe_serve(struct link *link, unsigned int count,
		       const struct pace *pace)
{
	(void)pace;
	while (count--) {
		take(link->pipe[SERVER][0]);
		put(link->pipe[ASKER][1]);
	}
}

const struct exchange exchange_pipe = { "pipe", NULL, pipe_ask, pipe_serve };

static void seqpacket_ask(struct link *link, unsigned int count,
			  const struct pace *pace)
{
	(void)pace;
	while (count--) {
		put(link->packets[ASKER]);
		take(link->packets[ASKER]);
	}
}

static void seqpacket_serve(struct link *link, unsigned int count,
			    const struct pace *pace)
{
	(void)pace;
	while (count--) {
		take(link->packets[SERVER]);
		put(link->packets[SERVER]);
	}
}

const struct exchange exchange_seqpacket = { "seqpacket", NULL, seqpacket_ask,
					     seqpacket_serve };

/* ---- Timelines: a cell of each end, and an eventfd for whoever sleeps ----------- */

static struct hdmabuf_cell *cell(struct link *link, int end)
{
	return (struct hdmabuf_cell *)(link->shared + 256 * end);
}

static void cells_prepare(struct link *link)
{
	hdmabuf_cell_init(cell(link, ASKER), 0);
	hdmabuf_cell_init(cell(link, SERVER), 0);
}

static void cell_signal(struct link *link, int end, uint64_t point)
{
	if (hdmabuf_cell_signal(cell(link, end), point - 1, point))
		notify_other(link, end);
}

static void cell_wait(struct link *link, int end, uint64_t point)
{
	struct hdmabuf_cell *other = cell(link, !end);

	while (hdmabuf_cell_point(other, point - 1) != point) {
		hdmabuf_cell_arm(other, point);
		if (hdmabuf_cell_point(other, point - 1) != point)
			wait_for_other(link, end);
		must(!hdmabuf_cell_error(other), "a timeline");
	}
}

static void cells_ask(struct link *link, unsigned int count,
		      const struct pace *pace)
{
	uint64_t point;

	(void)pace;
	for (point = 1; point <= count; point++) {
		cell_signal(link, ASKER, point);
		cell_wait(link, ASKER, point);
	}
}

static void cells_serve(struct link *link, unsigned int count,
			const struct pace *pace)
{
	uint64_t point;

	(void)pace;
	for (point = 1; point <= count; point++) {
		cell_wait(link, SERVER, point);
		cell_signal(link, SERVER, point);
	}
}

const struct exchange exchange_cells = { "timelines", cells_prepare, cells_ask,
					 cells_serve };
