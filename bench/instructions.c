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

#include <hdmabuf/timeline.h>

#include "bench/instructions.h"
#include "bench/paths.h"

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

static _Alignas(PAGE_OCTETS) uint8_t descriptor_page[PAGE_OCTETS];
static struct described frame;
static struct hdmabuf_cell cell;
static unsigned int wrong;

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
	wrong += run_format0();
	wrong += run_format1();
	wrong += run_chosen_format0();
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
