/* SPDX-License-Identifier: MIT */
/* Memory of one end, mapped by the other. */
#undef _FORTIFY_SOURCE /* this file defines a function that it would wrap */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <sys/mman.h>
#include <sys/syscall.h>

#include "local.h"
#include "local_ends.h"

/* How many calls of mmap() succeed yet, or -1. */
static int mmaps_left = -1;

void *mmap(void *address, size_t length, int protection, int flags, int fd,
	   off_t offset)
{
	if (mmaps_left == 0) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	if (mmaps_left > 0)
		mmaps_left--;
	return (void *)syscall(SYS_mmap, address, length, protection, flags, fd,
			       offset);
}

/* ---- sharing and mapping ------------------------------------------------ */

static void fill(struct hdmabuf_memory *memory)
{
	uint32_t *words = memory->address;
	size_t i;

	for (i = 0; i < memory->octets / PAGE; i++)
		words[i * PAGE / sizeof(*words)] = (uint32_t)(i + 1);
}

/* The number that fill() left in a page. */
static uint32_t page_number(const void *address, size_t page)
{
	return *(const uint32_t *)((const uint8_t *)address + page * PAGE);
}

static void shares_memory(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	uint8_t *seen;

	(void)state;
	ends_pair(&frontend, &backend);
	assert_int_equal(frontend.ops->alloc(end_link(&frontend), 3 * PAGE,
					     READ_WRITE, &memory),
			 0);
	assert_int_equal(((uint8_t *)memory.address)[PAGE], 0);
	run = end_share(&frontend, &memory, 0, 3, READ_WRITE);
	seen = end_map(&backend, &run, 1, READ_WRITE);
	seen[2 * PAGE] = 42;
	assert_int_equal(((uint8_t *)memory.address)[2 * PAGE], 42);
	((uint8_t *)memory.address)[7] = 43;
	assert_int_equal(seen[7], 43);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 2),
			 -EINVAL);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen + PAGE, 3),
			 -EINVAL);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 3), 0);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 3),
			 -EINVAL);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* Parts of two memories, back to front, each page once more than there is. */
static void maps_any_order(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory a, b;
	struct hdmabuf_run first, second;
	const void *seen;
	size_t i;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&a, 4);
	memory_new(&b, 4);
	fill(&a);
	fill(&b);
	first = end_share(&frontend, &a, 1, 3, READ_ONLY);
	second = end_share(&frontend, &b, 0, 4, READ_WRITE);
	assert_int_equal(second.reference, first.reference + 3);
	{
		struct hdmabuf_run runs[] = {
			{ first.reference + 2, 1 },
			{ first.reference, 7 },
			{ second.reference + 1, 2 },
			{ first.reference + 2, 2 },
		};
		static const uint32_t expected[] = { 4, 2, 3, 4, 1, 2,
						     3, 4, 2, 3, 4, 1 };

		seen = end_map(&backend, runs, 4, READ_ONLY);
		for (i = 0; i < 12; i++)
			assert_int_equal(page_number(seen, i), expected[i]);
		assert_int_equal(end_map_fails(&backend, runs, 4, READ_WRITE,
					       0),
				 -EACCES);
		assert_int_equal(end_map_fails(&backend, runs + 2, 2,
					       READ_WRITE, 2),
				 -EACCES);
	}
	assert_int_equal(
		backend.ops->unmap(end_link(&backend), (void *)seen, 12), 0);
	hdmabuf_memory_free(&a);
	hdmabuf_memory_free(&b);
	ends_close(&frontend, &backend);
}

/* Single references, as the channel page lists them, become one mapping. */
static void merges_neighbours(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run runs[16], run;
	const void *seen;
	size_t i;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 20);
	fill(&memory);
	run = end_share(&frontend, &memory, 2, 16, READ_WRITE);
	for (i = 0; i < 16; i++)
		runs[i] = (struct hdmabuf_run){ run.reference + i, 1 };
	seen = end_map(&backend, runs, 16, READ_WRITE);
	assert_int_equal(end_link(&backend)->pieces, 1);
	for (i = 0; i < 16; i++)
		assert_int_equal(page_number(seen, i), i + 3);
	assert_int_equal(
		backend.ops->unmap(end_link(&backend), (void *)seen, 16), 0);
	assert_int_equal(end_link(&backend)->pieces, 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void refuses_unknown_references(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 4);
	run = end_share(&frontend, &memory, 0, 4, READ_WRITE);
	{
		const struct hdmabuf_run runs[] = {
			{ run.reference, 5 },
			{ run.reference + 1, 1 },
			{ 0, 1 },
			{ run.reference, UINT64_MAX },
			{ UINT64_MAX, 1 },
			{ run.reference + ((uint64_t)1 << 32), 1 },
			{ run.reference, 0 },
		};

		assert_int_equal(end_map_fails(&backend, runs, 1, READ_ONLY, 4),
				 -EINVAL);
		assert_int_equal(end_map_fails(&backend, runs + 1, 2, READ_ONLY,
					       1),
				 -EINVAL);
		assert_int_equal(end_map_fails(&backend, runs + 3, 1, READ_ONLY,
					       0),
				 -ENOMEM);
		assert_int_equal(end_map_fails(&backend, runs + 4, 1, READ_ONLY,
					       0),
				 -EINVAL);
		assert_int_equal(end_map_fails(&backend, runs + 5, 1, READ_ONLY,
					       0),
				 -EINVAL);
		assert_int_equal(end_map_fails(&backend, runs + 6, 1, READ_ONLY,
					       0),
				 -EINVAL);
		assert_int_equal(end_map_fails(&backend, runs, 0, READ_ONLY, 0),
				 -EINVAL);
	}
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* A message in a ring may be seen before the socket was looked at. */
static void maps_before_dispatch(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run runs[100];
	const void *seen;
	size_t i;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 1);
	fill(&memory);
	for (i = 0; i < 100; i++)
		runs[i] = end_share(&frontend, &memory, 0, 1, READ_ONLY);
	end_publish(&frontend, "epoch=1\n");
	seen = end_map(&backend, &runs[99], 1, READ_ONLY);
	assert_int_equal(page_number(seen, 0), 1);
	assert_int_equal(end_map_fails(&backend,
				       &(struct hdmabuf_run){ 999, 1 }, 1,
				       READ_ONLY, 0),
			 -EINVAL);
	assert_int_equal(backend.peers[0].records, 0);
	assert_true(end_is_readable(&backend, 0));
	end_turn(&backend);
	assert_int_equal(backend.peers[0].records, 1);
	assert_int_equal(
		backend.ops->unmap(end_link(&backend), (void *)seen, 1), 0);
	/* All the same memory: one descriptor is kept for it. */
	assert_int_equal(end_link(&backend)->granted.count, 1);
	assert_int_equal(end_link(&backend)->grants.count, 100);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void maps_more_than_4_gib(void **state)
{
	const uint64_t pages = ((uint64_t)5 << 30) / PAGE;
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	uint8_t *seen;

	(void)state;
	if (sizeof(size_t) < 8)
		hdmabuf_test_skip("addresses have 32 bits");
	ends_pair(&frontend, &backend);
	memory_new(&memory, (size_t)pages);
	run = end_share(&frontend, &memory, 0, pages, READ_WRITE);
	seen = end_map(&backend, &run, 1, READ_WRITE);
	((uint8_t *)memory.address)[pages * PAGE - 1] = 5;
	assert_int_equal(seen[pages * PAGE - 1], 5);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, pages),
			 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* Whatever mmap() fails, nothing is left mapped and nothing is remembered. */
static void unwinds_failed_mappings(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run, runs[3];
	uint64_t bad;
	void *seen;
	int i;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 6);
	run = end_share(&frontend, &memory, 0, 6, READ_WRITE);
	for (i = 0; i < 3; i++)
		runs[i] =
			(struct hdmabuf_run){ run.reference + 2u * (2 - i), 2 };
	ends_settle(&frontend, &backend);
	for (i = 0; i < 4; i++) {
		mmaps_left = i;
		assert_int_equal(backend.ops->map(end_link(&backend), runs, 3,
						  READ_WRITE, &seen, &bad),
				 -ENOMEM);
		mmaps_left = -1;
		assert_int_equal(bad, i ? 2 * (i - 1) : 0);
		assert_int_equal(end_link(&backend)->pieces, 0);
		assert_int_equal(end_link(&backend)->mappings.count, 0);
	}
	mmaps_left = 4;
	seen = end_map(&backend, runs, 3, READ_WRITE);
	assert_int_equal(mmaps_left, 0);
	mmaps_left = -1;
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), &run, 1),
			 -EBUSY);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 6), 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), &run, 1), 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void bounds_pieces(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run *runs, run;
	void *seen;
	size_t i;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 4);
	run = end_share(&frontend, &memory, 0, 4, READ_ONLY);
	runs = calloc(LOCAL_PIECES_MAX + 1, sizeof(*runs));
	assert_non_null(runs);
	for (i = 0; i <= LOCAL_PIECES_MAX; i++)
		runs[i] = (struct hdmabuf_run){ run.reference + 3 - i % 4, 1 };
	assert_int_equal(end_map_fails(&backend, runs, LOCAL_PIECES_MAX + 1,
				       READ_ONLY, LOCAL_PIECES_MAX),
			 -ENOMEM);
	seen = end_map(&backend, runs, LOCAL_PIECES_MAX, READ_ONLY);
	assert_int_equal(end_map_fails(&backend, runs, 1, READ_ONLY, 0),
			 -ENOMEM);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen,
					    LOCAL_PIECES_MAX),
			 0);
	seen = end_map(&backend, runs, 1, READ_ONLY);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 1), 0);
	free(runs);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(shares_memory),
	cmocka_unit_test(maps_any_order),
	cmocka_unit_test(merges_neighbours),
	cmocka_unit_test(refuses_unknown_references),
	cmocka_unit_test(maps_before_dispatch),
	cmocka_unit_test(maps_more_than_4_gib),
	cmocka_unit_test(unwinds_failed_mappings),
	cmocka_unit_test(bounds_pieces),
};

int main(void)
{
	return hdmabuf_test_run("local-share", tests,
				sizeof(tests) / sizeof(tests[0]));
}
