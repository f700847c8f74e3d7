/* SPDX-License-Identifier: MIT */
/* frames.c - ways to get a frame to the other end, or to hand it over */
#define _GNU_SOURCE
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <hdmabuf/ring.h>

#include "bench/descriptors.h"
#include "bench/paths.h"
#include "bench/ring_loops.h"

/* ---- Copies -------------------------------------------------------------------- */

static void memcpy_ask(struct link *link, unsigned int count,
		       const struct pace *pace)
{
	(void)pace;
	while (count--) {
		memcpy(link->copy, link->data, link->octets);
		__asm__ __volatile__("" : : : "memory");
	}
}

const struct exchange exchange_memcpy = { "memcpy", NULL, memcpy_ask, NULL };

/* Into memory that was not there before: what a receiver without a pool does. */
static void memcpy_fresh_ask(struct link *link, unsigned int count,
			     const struct pace *pace)
{
	(void)pace;
	while (count--) {
		void *fresh = mmap(NULL, link->octets, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		must_call(fresh != MAP_FAILED, "mmap");
		memcpy(fresh, link->data, link->octets);
		__asm__ __volatile__("" : : "r"(fresh) : "memory");
		munmap(fresh, link->octets);
	}
}

const struct exchange exchange_memcpy_fresh = { "memcpy-fresh", NULL,
						memcpy_fresh_ask, NULL };

/* ---- Through the kernel ---------------------------------------------------------- */

static void write_all(int fd, const uint8_t *from, size_t octets)
{
	while (octets) {
		ssize_t done = write(fd, from, octets);

		must_call(done > 0, "write");
		from += done;
		octets -= (size_t)done;
	}
}

static void read_all(int fd, uint8_t *to, size_t octets)
{
	while (octets) {
		ssize_t done = read(fd, to, octets);

		must_call(done > 0, "read");
		to += done;
		octets -= (size_t)done;
	}
}

static void stream_ask(struct link *link, unsigned int count,
		       const struct pace *pace)
{
	(void)pace;
	while (count--)
		read_all(link->stream[ASKER], link->copy, link->octets);
}

static void stream_serve(struct link *link, unsigned int count,
			 const struct pace *pace)
{
	(void)pace;
	while (count--)
		write_all(link->stream[SERVER], link->data, link->octets);
}

const struct exchange exchange_unix_stream = { "unix-stream", NULL, stream_ask,
					       stream_serve };

static void pipe_stream_ask(struct link *link, unsigned int count,
			    const struct pace *pace)
{
	(void)pace;
	while (count--)
		read_all(link->pipe[ASKER][0], link->copy, link->octets);
}

static void pipe_stream_serve(struct link *link, unsigned int count,
			      const struct pace *pace)
{
	(void)pace;
	while (count--)
		write_all(link->pipe[ASKER][1], link->data, link->octets);
}

const struct exchange exchange_pipe_stream = { "pipe-stream", NULL,
					       pipe_stream_ask,
					       pipe_stream_serve };

/* The kernel copies out of the worker, which need do nothing. */
static void vm_readv_ask(struct link *link, unsigned int count,
			 const struct pace *pace)
{
	struct iovec to = { link->copy, link->octets };
	struct iovec from = { link->data, link->octets };

	(void)pace;
	while (count--)
		must_call(process_vm_readv(link->worker, &to, 1, &from, 1, 0) ==
				  (ssize_t)link->octets,
			  "process_vm_readv");
}

const struct exchange exchange_vm_readv = { "process_vm_readv", NULL,
					    vm_readv_ask, NULL };

/* ---- Passing a descriptor, and mapping it anew ------------------------------------ */

static void scm_rights_ask(struct link *link, unsigned int count,
			   const struct pace *pace)
{
	(void)pace;
	while (count--) {
		int fd = descriptor_receive(link->packets[ASKER]);
		uint8_t *data =
			mmap(NULL, link->octets, PROT_READ, MAP_SHARED, fd, 0);

		must_call(data != MAP_FAILED, "mmap");
		pages_touch(data, link->octets);
		munmap(data, link->octets);
		close(fd);
	}
}

static void scm_rights_serve(struct link *link, unsigned int count,
			     const struct pace *pace)
{
	(void)pace;
	while (count--)
		descriptor_send(link->packets[SERVER], link->data_fd);
}

const struct exchange exchange_scm_rights = { "scm-rights", NULL,
					      scm_rights_ask,
					      scm_rights_serve };

/* ---- Handing over what is mapped at both ends -------------------------------------- */

/* What link_make() has filled it with. */
#define FRAME_WORD 0x5a5a5a5a5a5a5a5a

static struct hdmabuf_ring ring;

static void hand_off_prepare(struct link *link)
{
	hdmabuf_ring_format(link->shared, PAGE_OCTETS, HDMABUF_RING_FORMAT_0,
			    7);
}

static ALWAYS_INLINE void wait_for_answer(enum waiting waiting,
					  struct link *link)
{
	if (waiting == POLLED)
		relax();
	else if (!hdmabuf_ring_arm_answers(&ring, 1))
		wait_for_other(link, ASKER);
}

static ALWAYS_INLINE void wait_for_request(enum waiting waiting,
					   struct link *link)
{
	if (waiting == POLLED)
		relax();
	else if (!hdmabuf_ring_arm_requests(&ring))
		wait_for_other(link, SERVER);
}

static ALWAYS_INLINE void hand_off_ask(enum waiting waiting, struct link *link,
				       unsigned int count,
				       const struct pace *pace)
{
	union hdmabuf_message message;
	uint32_t sent = 0, done = 0;

	hdmabuf_ring_init(&ring, link->shared, PAGE_OCTETS,
			  HDMABUF_RING_FORMAT_0, 7);
	while (done < count) {
		while (sent < count && sent - done < pace->window) {
			hand_off_encode(&message, sent, sent);
			must(hdmabuf_ring_put_request(&ring, &message),
			     "a request");
			sent++;
		}
		if (hdmabuf_ring_push_requests(&ring) && waiting != POLLED)
			notify_other(link, ASKER);
		while (hdmabuf_ring_take_answer(&ring, &message) !=
		       HDMABUF_RING_TAKEN)
			wait_for_answer(waiting, link);
		must(hand_off_is_answered(&message, done), "an answer");
		done++;
	}
}

/* The data is there: its first word is read each time. */
static ALWAYS_INLINE void hand_off_serve(enum waiting waiting,
					 struct link *link, unsigned int count)
{
	const volatile uint64_t *data = (uint64_t *)link->data;
	union hdmabuf_message message;
	uint32_t served = 0;

	hdmabuf_ring_init(&ring, link->shared, PAGE_OCTETS,
			  HDMABUF_RING_FORMAT_0, 7);
	while (served < count) {
		if (hdmabuf_ring_take_request(&ring, &message) !=
		    HDMABUF_RING_TAKEN) {
			wait_for_request(waiting, link);
			continue;
		}
		do {
			must(hand_off_answer(&message, &message) &&
				     *data == FRAME_WORD,
			     "a hand-off");
			must(hdmabuf_ring_put_answer(&ring, &message),
			     "an answer");
			served++;
		} while (hdmabuf_ring_take_request(&ring, &message) ==
			 HDMABUF_RING_TAKEN);
		if (hdmabuf_ring_push_answers(&ring) && waiting != POLLED)
			notify_other(link, SERVER);
	}
}

static void hand_off_polled_ask(struct link *link, unsigned int count,
				const struct pace *pace)
{
	hand_off_ask(POLLED, link, count, pace);
}

static void hand_off_polled_serve(struct link *link, unsigned int count,
				  const struct pace *pace)
{
	(void)pace;
	hand_off_serve(POLLED, link, count);
}

static void hand_off_notified_ask(struct link *link, unsigned int count,
				  const struct pace *pace)
{
	hand_off_ask(NOTIFIED, link, count, pace);
}

static void hand_off_notified_serve(struct link *link, unsigned int count,
				    const struct pace *pace)
{
	(void)pace;
	hand_off_serve(NOTIFIED, link, count);
}

const struct exchange exchange_hand_off_polled = { "hand-off/polled",
						   hand_off_prepare,
						   hand_off_polled_ask,
						   hand_off_polled_serve };
const struct exchange exchange_hand_off_notified = { "hand-off/notified",
						     hand_off_prepare,
						     hand_off_notified_ask,
						     hand_off_notified_serve };
