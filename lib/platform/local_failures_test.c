/* SPDX-License-Identifier: MIT */
/*
 * Memory or descriptors run out, at every place in turn: what fails says so, leaves
 * nothing behind, and the rest goes on.
 */
#undef _FORTIFY_SOURCE /* this file defines functions that it would wrap */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <sys/resource.h>

#include "local_raw.h"

/* Sanitizers bring allocators of their own, which must not be got round. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	!defined(__GLIBC__)
#define OWN_ALLOCATOR 0
#else
#define OWN_ALLOCATOR 1
#endif

/* Which allocation from now on fails, or -1; and whether that came to pass. */
static int allocations_left = -1;
static bool allocation_failed;

#if OWN_ALLOCATOR
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static bool this_one_fails(void)
{
	if (allocations_left < 0 || allocations_left-- > 0)
		return false;
	allocation_failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return this_one_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return this_one_fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return this_one_fails() ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size)
{
	assert_true(count <= SIZE_MAX / size);
	return this_one_fails() ? NULL : __libc_realloc(memory, count * size);
}
#endif

/* ---- a short life ------------------------------------------------------- */

static void step(struct end *frontend, struct end *backend)
{
	int i;

	for (i = 0; i < 5; i++) {
		end_turn(frontend);
		end_turn(backend);
	}
}

static struct hdmabuf_link *link_of(struct end *end)
{
	return end->ups ? end->peers[0].link : NULL;
}

/* Both ends do what they can; what cannot be done, fails. */
static bool share_and_map(struct end *frontend, struct end *backend,
			  const struct hdmabuf_memory *memory)
{
	struct hdmabuf_link *from = link_of(frontend);
	struct hdmabuf_link *to = link_of(backend);
	struct hdmabuf_run run;
	uint64_t bad;
	size_t count;
	void *seen;

	if (!from || !to ||
	    frontend->ops->share(from, memory, 0, 2, READ_WRITE, &run, 1,
				 &count))
		return false;
	step(frontend, backend);
	if (backend->ops->map(to, &run, 1, READ_WRITE, &seen, &bad))
		return false;
	((uint8_t *)seen)[PAGE] = 1;
	frontend->ops->revoke(from, &run, 1);
	step(frontend, backend);
	assert_int_equal(backend->ops->unmap(to, seen, 2), 0);
	step(frontend, backend);
	/* A memory that cannot be told about is had back at the end. */
	if (frontend->ops->revoke(from, &run, 1))
		return false;
	return !frontend->ops->publish(from, "epoch=1\n", 8);
}

static bool live(const struct hdmabuf_memory *memory)
{
	struct end frontend, backend;
	bool done;
	int error;

	memset(&frontend, 0, sizeof(frontend));
	memset(&backend, 0, sizeof(backend));
	error = hdmabuf_local_pair(&frontend.platform, &backend.platform);
	if (error) {
		assert_true(error == -ENOMEM || error == -EMFILE);
		return false;
	}
	frontend.ops = frontend.platform.ops;
	backend.ops = backend.platform.ops;
	step(&frontend, &backend);
	done = share_and_map(&frontend, &backend, memory);
	ends_close(&frontend, &backend);
	return done;
}

/* ---- running out -------------------------------------------------------- */

static void runs_out_of_memory(void **state)
{
	struct hdmabuf_memory memory;
	int i = 0;
	bool done;

	(void)state;
	if (!OWN_ALLOCATOR)
		hdmabuf_test_skip("a sanitizer allocates");
	memory_new(&memory, 2);
	do {
		allocation_failed = false;
		allocations_left = i++;
		done = live(&memory);
		allocations_left = -1;
		assert_true(done || allocation_failed);
	} while (allocation_failed);
	assert_true(done);
	assert_in_range(i, 10, 100);
	hdmabuf_memory_free(&memory);
}

static void runs_out_of_descriptors(void **state)
{
	int before = count_descriptors();
	struct hdmabuf_memory memory;
	struct rlimit limit, few;
	bool done = false;
	int i;

	(void)state;
	memory_new(&memory, 2);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (i = 0; !done && i < 200; i++) {
		few = limit;
		few.rlim_cur = (rlim_t)i;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		done = live(&memory);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(count_descriptors(), before + 1);
	}
	assert_true(done);
	assert_true(i > 10);
	hdmabuf_memory_free(&memory);
}

static void opens_or_says_why(void **state)
{
	struct hdmabuf_platform platform;
	struct rlimit limit, few;
	struct place place;
	char error[256];
	int result, i, role;

	(void)state;
	place_new(&place);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (role = HDMABUF_FRONTEND; role <= HDMABUF_BACKEND; role++) {
		for (i = 0; i < 200; i++) {
			few = limit;
			few.rlim_cur = (rlim_t)i;
			assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
			error[0] = '\0';
			result = hdmabuf_platform_open(place.address, role,
						       &platform, error,
						       sizeof(error));
			assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
			if (!result)
				break;
			assert_int_equal(result, -EMFILE);
			assert_non_null(strstr(error, "Too many open files"));
			assert_int_equal(access(place.path, F_OK), -1);
		}
		assert_in_range(i, 4, 199);
		platform.ops->close(platform.endpoint);
	}
	place_free(&place);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(runs_out_of_memory),
	cmocka_unit_test(runs_out_of_descriptors),
	cmocka_unit_test(opens_or_says_why),
};

int main(void)
{
	return hdmabuf_test_run("local-failures", tests,
				sizeof(tests) / sizeof(tests[0]));
}
