/* SPDX-License-Identifier: MIT */
/*
 * instructions.c - the hot paths, for callgrind to count
 *
 * Each function whose name begins with path_ is one path; bench/check-instructions
 * has callgrind count what each executes in this program, and divides that by the
 * number of times that stands behind its name. --compiler says what made it: counts
 * of another one say nothing.
 */
#include <stdio.h>
#include <string.h>

/* Which format the ring's paths are counted in; the program knows no other. */
#ifndef RING_FORMAT
#define RING_FORMAT 0
#endif
#define HDMABUF_RING_FORMATS (1u << RING_FORMAT)

#include <hdmabuf/ring.h>
#include <hdmabuf/timeline.h>

#include "bench/paths.h"

#define TIMES 1024
#define BATCH 32

/* Whatever else is the same: each is a function of its own, and returns by itself. */
#define PATH	      __attribute__((noipa))
#define RETURN_HERE() __asm__ __volatile__("" : : : "memory")

#ifdef __SANITIZE_ADDRESS__
#define COMPILED_WITH " sanitizers"
#else
#define COMPILED_WITH ""
#endif
#ifdef __clang__
#define COMPILER "clang"
#define MAJOR	 __clang_major__
#else
#define COMPILER "gcc"
#define MAJOR	 __GNUC__
#endif
#ifdef __x86_64__
#define MACHINE "x86_64"
#else
#define MACHINE "another machine"
#endif

static _Alignas(PAGE_OCTETS) uint8_t ring_page[PAGE_OCTETS];
static _Alignas(PAGE_OCTETS) uint8_t descriptor_page[PAGE_OCTETS];
static struct described frame;
static struct hdmabuf_cell cell;
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

PATH static void path_ring_round_trip_1024(void)
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

PATH static void path_ring_batch_of_32_1024(void)
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

PATH static void path_hand_off_1024(void)
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

PATH static void path_timeline_signal_and_read_1024(void)
{
	uint64_t point, known = 0;

	hdmabuf_cell_init(&cell, 0);
	for (point = 1; point <= TIMES; point++) {
		hdmabuf_cell_signal(&cell, point - 1, point);
		known = hdmabuf_cell_point(&cell, known);
		wrong += hdmabuf_cell_error(&cell);
	}
	wrong += known != TIMES;
}

PATH static void path_descriptor_encode_1(void)
{
	wrong += !hdmabuf_descriptor_encode(&frame.info, &frame.layout,
					    &frame.id, 1, descriptor_page);
}

PATH static void path_descriptor_decode_1(void)
{
	struct hdmabuf_layout layout;
	struct hdmabuf_info info;
	struct hdmabuf_fault fault;
	uint64_t generation;

	wrong += hdmabuf_descriptor_decode(descriptor_page,
					   HDMABUF_DESCRIPTOR_OCTETS, &frame.id,
					   PAGE_SHIFT, &info, &layout,
					   &generation, &fault) != 0;
}

/* Of a frame of 8100 pages; a count is one of a whole directory. */
#define DIRECTORY_PATHS(name) \
	PATH static void path_##name##_build_1(void) \
	{ \
		described_build(&frame); \
		RETURN_HERE(); \
	} \
	PATH static void path_##name##_read_1(void) \
	{ \
		described_read(&frame); \
		RETURN_HERE(); \
	} \
	PATH static void path_##name##_unique_1(void) \
	{ \
		described_check_unique(&frame); \
		RETURN_HERE(); \
	} \
	static void run_##name(uint32_t format, bool scattered) \
	{ \
		described_init(&frame, format, scattered); \
		path_##name##_build_1(); \
		path_##name##_read_1(); \
		path_##name##_unique_1(); \
	}

DIRECTORY_PATHS(list)
DIRECTORY_PATHS(list_scattered)
DIRECTORY_PATHS(table)
DIRECTORY_PATHS(table_scattered)
DIRECTORY_PATHS(extents)
DIRECTORY_PATHS(extents_scattered)

static void run_all(void)
{
	path_ring_round_trip_1024();
	path_ring_batch_of_32_1024();
	path_hand_off_1024();
	path_timeline_signal_and_read_1024();
	described_init(&frame, HDMABUF_DIRECTORY_LIST, false);
	path_descriptor_encode_1();
	path_descriptor_decode_1();
	run_list(HDMABUF_DIRECTORY_LIST, false);
	run_list_scattered(HDMABUF_DIRECTORY_LIST, true);
	run_table(HDMABUF_DIRECTORY_TABLE, false);
	run_table_scattered(HDMABUF_DIRECTORY_TABLE, true);
	run_extents(HDMABUF_DIRECTORY_EXTENTS, false);
	run_extents_scattered(HDMABUF_DIRECTORY_EXTENTS, true);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--compiler")) {
		printf("%s %d, %s, %s%s\n", COMPILER, MAJOR, MACHINE,
		       HDMABUF_BENCH_FLAGS, COMPILED_WITH);
		return 0;
	}
	if (argc != 1) {
		fprintf(stderr, "usage: instructions [--compiler]\n");
		return 64;
	}
	run_all();
	if (wrong)
		fprintf(stderr, "instructions: %u steps went wrong\n", wrong);
	return wrong ? 70 : 0;
}
