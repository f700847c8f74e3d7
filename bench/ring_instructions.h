/* SPDX-License-Identifier: MIT */
/*
 * ring_instructions.h - the paths through a ring of the format RING_FORMAT
 *
 * RING_PATH() makes their names, of which all in one program are different.
 */
#ifndef HDMABUF_BENCH_RING_INSTRUCTIONS_H
#define HDMABUF_BENCH_RING_INSTRUCTIONS_H

#include <hdmabuf/ring.h>

#include "bench/instructions.h"
#include "bench/paths.h"

#define BATCH 32

static _Alignas(PAGE_OCTETS) uint8_t ring_page[PAGE_OCTETS];
static unsigned int wrong;

struct ends {
	struct hdmabuf_ring requester;
	struct hdmabuf_ring responder;
};

static inline __attribute__((__always_inline__)) void
ends_init(struct ends *ends)
{
	hdmabuf_ring_format(ring_page, sizeof(ring_page), RING_FORMAT, 7);
	hdmabuf_ring_init(&ends->requester, ring_page, sizeof(ring_page),
			  RING_FORMAT, 7);
	hdmabuf_ring_init(&ends->responder, ring_page, sizeof(ring_page),
			  RING_FORMAT, 7);
}

static inline bool take_request(struct ends *ends,
				union hdmabuf_message *message)
{
	return hdmabuf_ring_take_request(&ends->responder, message) ==
	       HDMABUF_RING_TAKEN;
}

static inline bool take_answer(struct ends *ends,
			       union hdmabuf_message *message)
{
	return hdmabuf_ring_take_answer(&ends->requester, message) ==
	       HDMABUF_RING_TAKEN;
}

/* Some requests made visible at once, taken, answered at once, and answers taken. */
static inline __attribute__((__always_inline__)) bool
round_trips(struct ends *ends, union hdmabuf_message *message,
	    unsigned int count)
{
	bool good = true;
	unsigned int i;

	for (i = 0; i < count; i++)
		good &= hdmabuf_ring_put_request(&ends->requester, message);
	hdmabuf_ring_push_requests(&ends->requester);
	for (i = 0; i < count; i++) {
		good &= take_request(ends, message);
		good &= hdmabuf_ring_put_answer(&ends->responder, message);
	}
	hdmabuf_ring_push_answers(&ends->responder);
	for (i = 0; i < count; i++)
		good &= take_answer(ends, message);
	return good;
}

PATH static void RING_PATH(ring_round_trip_1024)(void)
{
	union hdmabuf_message message = { .octets = { 1 } };
	bool good = true;
	struct ends ends;
	unsigned int i;

	ends_init(&ends);
	for (i = 0; i < TIMES; i++)
		good &= round_trips(&ends, &message, 1);
	wrong += !good;
}

PATH static void RING_PATH(ring_batch_of_32_1024)(void)
{
	union hdmabuf_message message = { .octets = { 1 } };
	bool good = true;
	struct ends ends;
	unsigned int i;

	ends_init(&ends);
	for (i = 0; i < TIMES; i += BATCH)
		good &= round_trips(&ends, &message, BATCH);
	wrong += !good;
}

PATH static void RING_PATH(hand_off_1024)(void)
{
	union hdmabuf_message message;
	bool good = true;
	struct ends ends;
	uint32_t i;

	ends_init(&ends);
	for (i = 0; i < TIMES; i++) {
		hand_off_encode(&message, i, i);
		good &= hdmabuf_ring_put_request(&ends.requester, &message);
		hdmabuf_ring_push_requests(&ends.requester);
		good &= take_request(&ends, &message);
		good &= hand_off_answer(&message, &message);
		good &= hdmabuf_ring_put_answer(&ends.responder, &message);
		hdmabuf_ring_push_answers(&ends.responder);
		good &= take_answer(&ends, &message);
		good &= hand_off_is_answered(&message, i);
	}
	wrong += !good;
}

static unsigned int run_paths(void)
{
	RING_PATH(ring_round_trip_1024)();
	RING_PATH(ring_batch_of_32_1024)();
	RING_PATH(hand_off_1024)();
	return wrong;
}

#endif
