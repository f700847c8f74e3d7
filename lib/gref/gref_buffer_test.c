/* SPDX-License-Identifier: MIT */
/*
 * Whole buffers, between two domains of a Xen that is not there: each way of sharing
 * shows both ends the same octets, takes as few calls as it can, and leaves nothing
 * behind, also when a call fails, or the other end lies.
 */
#define _GNU_SOURCE
#include "tests/fake_xen.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xengnttab.h>

#include <hdmabuf/gref_buffer.h>

#define GUEST	7
#define DRIVER	0
#define PAGE	HDMABUF_GREF_PAGE
#define ENTRIES HDMABUF_GREF_ENTRIES
/* 3840x2160 pixels of four octets. */
#define FRAME	    (3840u * 2160u * 4u)
#define FRAME_PAGES 8100u

struct ends {
	struct hdmabuf_gref_peer front; /* of the frontend: whom it shares with */
	struct hdmabuf_gref_peer back;
};

static void ends_open(struct ends *ends)
{
	fake_xen_start();
	fake_xen_create_domain(GUEST);
	fake_xen_limit(GUEST, 20000);
	fake_xen_limit(DRIVER, 20000);
	fake_xen_enter(GUEST);
	ends->front = (struct hdmabuf_gref_peer){ xengnttab_open(NULL, 0),
						  xengntshr_open(NULL, 0),
						  DRIVER, "" };
	fake_xen_enter(DRIVER);
	ends->back = (struct hdmabuf_gref_peer){ xengnttab_open(NULL, 0),
						 xengntshr_open(NULL, 0), GUEST,
						 "" };
}

static void peer_close(struct hdmabuf_gref_peer *peer)
{
	xengnttab_close(peer->grants);
	xengntshr_close(peer->shares);
}

static void ends_close(struct ends *ends)
{
	struct fake_xen_count count = fake_xen_count();

	assert_int_equal(count.grants, 0);
	assert_int_equal(count.mappings, 0);
	peer_close(&ends->front);
	peer_close(&ends->back);
	fake_xen_stop();
}

static void write_pattern(struct hdmabuf_gref_buffer *buffer, uint32_t seed)
{
	uint32_t *word = (uint32_t *)buffer->address;
	size_t i;

	for (i = 0; i < buffer->octets / 4; i++)
		word[i] = (uint32_t)i * 2654435761u ^ seed;
}

static void expect_pattern(const struct hdmabuf_gref_buffer *buffer,
			   uint32_t seed)
{
	const uint32_t *word = (const uint32_t *)buffer->address;
	size_t i;

	for (i = 0; i < buffer->octets / 4; i++)
		if (word[i] != ((uint32_t)i * 2654435761u ^ seed))
			fail_msg("word %zu", i);
}

struct calls {
	size_t maps, unmaps, shares, unshares;
};

static struct calls calls_now(void)
{
	return (struct calls){
		fake_xen_calls("xengnttab_map_domain_grant_refs"),
		fake_xen_calls("xengnttab_unmap"),
		fake_xen_calls("xengntshr_share_pages"),
		fake_xen_calls("xengntshr_unshare"),
	};
}

static void expect_calls(struct calls before, size_t maps, size_t unmaps,
			 size_t shares, size_t unshares)
{
	struct calls now = calls_now();

	assert_int_equal(now.maps - before.maps, maps);
	assert_int_equal(now.unmaps - before.unmaps, unmaps);
	assert_int_equal(now.shares - before.shares, shares);
	assert_int_equal(now.unshares - before.unshares, unshares);
}

/* Eight pages of the directory, and one call for all of the others. */
static void the_frontend_allocates(void **state)
{
	struct hdmabuf_gref_buffer ours, theirs;
	struct ends ends;
	struct calls calls;

	(void)state;
	ends_open(&ends);
	calls = calls_now();
	assert_int_equal(hdmabuf_gref_share(&ends.front, FRAME, false, &ours),
			 0);
	expect_calls(calls, 0, 0, 1, 0);
	assert_int_equal(ours.pages, FRAME_PAGES);
	write_pattern(&ours, 1);
	assert_int_equal(hdmabuf_gref_map(&ends.back, ours.directory, FRAME,
					  false, &theirs),
			 0);
	expect_calls(calls, 8 + 1, 8, 1, 0);
	assert_string_equal(theirs.note, "8100 pages of domain 7, mapped");
	expect_pattern(&theirs, 1);
	write_pattern(&ours, 2);
	expect_pattern(&theirs, 2);
	assert_int_equal(hdmabuf_gref_put(&theirs), 0);
	assert_int_equal(hdmabuf_gref_put(&ours), 0);
	expect_calls(calls, 9, 9, 1, 1);
	ends_close(&ends);
}

static void the_backend_allocates(void **state)
{
	struct hdmabuf_gref_buffer ours, theirs;
	struct ends ends;
	struct calls calls;

	(void)state;
	ends_open(&ends);
	calls = calls_now();
	assert_int_equal(hdmabuf_gref_ask(&ends.front, FRAME, &ours), 0);
	assert_null(ours.address);
	assert_int_equal(hdmabuf_gref_grant(&ends.back, ours.directory, FRAME,
					    &theirs),
			 0);
	assert_int_equal(hdmabuf_gref_get(&ours), 0);
	expect_calls(calls, 8 + 1, 8, 2, 0);
	write_pattern(&ours, 3);
	expect_pattern(&theirs, 3);
	write_pattern(&theirs, 4);
	expect_pattern(&ours, 4);
	assert_int_equal(hdmabuf_gref_put(&ours), 0);
	assert_int_equal(hdmabuf_gref_put(&theirs), 0);
	expect_calls(calls, 9, 9, 2, 2);
	ends_close(&ends);
}

static void every_size_is_shared(void **state)
{
	static const uint32_t sizes[] = { 4,
					  PAGE,
					  PAGE + 4,
					  ENTRIES * PAGE - 4,
					  ENTRIES * PAGE,
					  ENTRIES * PAGE + 4,
					  2 * ENTRIES * PAGE + 4 };
	struct hdmabuf_gref_buffer ours, theirs;
	struct ends ends;
	size_t i;

	(void)state;
	ends_open(&ends);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(hdmabuf_gref_share(&ends.front, sizes[i], true,
						    &ours),
				 0);
		assert_int_equal(hdmabuf_gref_map(&ends.back, ours.directory,
						  sizes[i], true, &theirs),
				 0);
		write_pattern(&theirs, 5);
		expect_pattern(&ours, 5);
		assert_int_equal(hdmabuf_gref_put(&theirs), 0);
		assert_int_equal(hdmabuf_gref_put(&ours), 0);
	}
	ends_close(&ends);
}

/* ---- lies ---------------------------------------------------------------- */

/* Its directory lies behind it. */
static uint32_t *directory_of(struct hdmabuf_gref_buffer *buffer)
{
	return (uint32_t *)(buffer->address + (size_t)buffer->pages * PAGE);
}

static void expect_refusal(struct ends *ends, uint32_t directory,
			   uint32_t octets, const char *why)
{
	struct hdmabuf_gref_buffer buffer;

	assert_int_equal(hdmabuf_gref_map(&ends->back, directory, octets, false,
					  &buffer),
			 -EINVAL);
	if (!strstr(ends->back.error, why))
		fail_msg("%s", ends->back.error);
	assert_null(buffer.references);
	assert_true(hdmabuf_gref_grant(&ends->back, 0, octets, &buffer) < 0);
	assert_int_equal(fake_xen_count().mappings, 0);
}

static void lies_are_refused(void **state)
{
	struct hdmabuf_gref_buffer ours;
	struct ends ends;
	uint32_t *words, kept;

	(void)state;
	ends_open(&ends);
	assert_int_equal(
		hdmabuf_gref_share(&ends.front, 1500 * PAGE, false, &ours), 0);
	words = directory_of(&ours);
	expect_refusal(&ends, ours.directory, 0, "0 octets");
	expect_refusal(&ends, 0, 1500 * PAGE, "entry 0, which is 0");
	expect_refusal(&ends, 9999, PAGE, "page 9999 of domain 7");
	/* Too little is said, or too much. */
	expect_refusal(&ends, ours.directory, PAGE, "entry 1, which is");
	expect_refusal(&ends, ours.directory, UINT32_MAX,
		       "entry 1500, which is 0");
	kept = words[1 + 17];
	words[1 + 17] = 0;
	expect_refusal(&ends, ours.directory, 1500 * PAGE,
		       "entry 17, which is 0");
	words[1 + 17] = words[1 + 16];
	expect_refusal(&ends, ours.directory, 1500 * PAGE, "twice");
	words[1 + 17] = 9999;
	expect_refusal(&ends, ours.directory, 1500 * PAGE,
		       "cannot map 1500 pages");
	words[1 + 17] = kept;
	/* A circle. */
	words[0] = ours.directory;
	expect_refusal(&ends, ours.directory, 1500 * PAGE, "entry 1500");
	assert_int_equal(hdmabuf_gref_put(&ours), 0);
	ends_close(&ends);
}

/* ---- dma-bufs ------------------------------------------------------------ */

static void references_become_a_dmabuf(void **state)
{
	struct hdmabuf_gref_buffer ours, theirs;
	struct ends ends;
	int other;

	(void)state;
	ends_open(&ends);
	fake_xen_offer_dmabuf(true);
	assert_int_equal(hdmabuf_gref_share(&ends.front, FRAME, true, &ours),
			 0);
	assert_int_equal(hdmabuf_gref_map_dmabuf(&ends.back, ours.directory,
						 FRAME, &theirs),
			 0);
	assert_non_null(strstr(theirs.note, "as a dma-buf"));
	assert_null(theirs.address);
	assert_int_equal(fake_xen_count().mappings, FRAME_PAGES);
	/* Somebody else has it, too. */
	other = dup(theirs.dmabuf);
	assert_int_equal(hdmabuf_gref_wait(&theirs, 0), -ETIMEDOUT);
	assert_int_equal(hdmabuf_gref_wait(&theirs, 1), -ETIMEDOUT);
	close(other);
	assert_int_equal(hdmabuf_gref_wait(&theirs, 1000), 0);
	assert_int_equal(fake_xen_count().mappings, 0);
	/* Whatever was released before is no error. */
	assert_int_equal(hdmabuf_gref_wait(&theirs, 0), 0);
	assert_int_equal(hdmabuf_gref_put(&theirs), 0);
	assert_int_equal(hdmabuf_gref_put(&ours), 0);
	ends_close(&ends);
}

static void released_before_is_no_error(void **state)
{
	struct hdmabuf_gref_buffer ours, theirs;
	struct ends ends;

	(void)state;
	ends_open(&ends);
	fake_xen_offer_dmabuf(true);
	assert_int_equal(hdmabuf_gref_share(&ends.front, PAGE, true, &ours), 0);
	assert_int_equal(hdmabuf_gref_map_dmabuf(&ends.back, ours.directory,
						 PAGE, &theirs),
			 0);
	assert_int_equal(hdmabuf_gref_wait(&theirs, 0), 0);
	assert_int_equal(fake_xen_count().mappings, 0);
	assert_int_equal(hdmabuf_gref_put(&theirs), 0);
	assert_int_equal(hdmabuf_gref_put(&ours), 0);
	ends_close(&ends);
}

static void a_dmabuf_becomes_references(void **state)
{
	struct hdmabuf_gref_buffer ours, theirs;
	struct ends ends;
	int fd = memfd_create("dmabuf", MFD_CLOEXEC);
	uint8_t *memory;

	(void)state;
	ends_open(&ends);
	fake_xen_offer_dmabuf(true);
	assert_int_equal(ftruncate(fd, 5 * PAGE), 0);
	memory =
		mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_int_equal(hdmabuf_gref_ask(&ends.front, 5 * PAGE, &ours), 0);
	assert_int_equal(hdmabuf_gref_grant_dmabuf(&ends.back, ours.directory,
						   5 * PAGE, fd, &theirs),
			 0);
	assert_int_equal(theirs.dmabuf, fd);
	assert_non_null(strstr(theirs.note, "of a dma-buf"));
	assert_int_equal(hdmabuf_gref_get(&ours), 0);
	write_pattern(&ours, 6);
	assert_memory_equal(memory, ours.address, 5 * PAGE);
	assert_int_equal(hdmabuf_gref_put(&ours), 0);
	assert_int_equal(hdmabuf_gref_wait(&theirs, 0), 0);
	assert_int_equal(hdmabuf_gref_put(&theirs), 0);
	munmap(memory, 5 * PAGE);
	assert_int_equal(close(fd), 0);
	ends_close(&ends);
}

static void without_dmabufs_there_are_mappings(void **state)
{
	struct hdmabuf_gref_buffer ours, theirs;
	struct ends ends;

	(void)state;
	ends_open(&ends);
	assert_int_equal(hdmabuf_gref_share(&ends.front, FRAME, true, &ours),
			 0);
	assert_int_equal(hdmabuf_gref_map_dmabuf(&ends.back, ours.directory,
						 FRAME, &theirs),
			 0);
	assert_int_equal(theirs.dmabuf, -1);
	assert_non_null(strstr(theirs.note, "mapped: no dma-buf"));
	write_pattern(&ours, 7);
	expect_pattern(&theirs, 7);
	assert_int_equal(hdmabuf_gref_wait(&theirs, 0), 0);
	assert_int_equal(hdmabuf_gref_put(&theirs), 0);
	assert_int_equal(hdmabuf_gref_put(&ours), 0);

	assert_int_equal(hdmabuf_gref_ask(&ends.front, FRAME, &ours), 0);
	assert_int_equal(hdmabuf_gref_grant_dmabuf(&ends.back, ours.directory,
						   FRAME, 0, &theirs),
			 0);
	assert_int_equal(theirs.dmabuf, -1);
	assert_non_null(strstr(theirs.note, "allocated: no dma-buf"));
	assert_int_equal(hdmabuf_gref_get(&ours), 0);
	write_pattern(&ours, 8);
	expect_pattern(&theirs, 8);
	assert_int_equal(hdmabuf_gref_put(&ours), 0);
	assert_int_equal(hdmabuf_gref_put(&theirs), 0);
	ends_close(&ends);
}

/* ---- failures ------------------------------------------------------------ */

struct plan {
	int left;
	const char *happened;
};

static int fails(void *user, const char *function)
{
	struct plan *plan = user;

	if (plan->left-- != 0)
		return 0;
	plan->happened = function;
	return EIO;
}

/* What could not be given back can be in the end. */
static void put(struct hdmabuf_gref_buffer *buffer, const struct plan *plan)
{
	if (!hdmabuf_gref_put(buffer))
		return;
	assert_non_null(plan->happened);
	assert_true(*buffer->peer->error);
	assert_int_equal(hdmabuf_gref_put(buffer), 0);
}

static int try_frontend(struct ends *ends, const struct plan *plan)
{
	struct hdmabuf_gref_buffer ours, theirs;
	int error = hdmabuf_gref_share(&ends->front, 1500 * PAGE, true, &ours);

	if (error)
		return error;
	error = plan->left & 1 ?
			hdmabuf_gref_map(&ends->back, ours.directory,
					 1500 * PAGE, true, &theirs) :
			hdmabuf_gref_map_dmabuf(&ends->back, ours.directory,
						1500 * PAGE, &theirs);
	put(&theirs, plan);
	put(&ours, plan);
	return error;
}

static int try_backend(struct ends *ends, const struct plan *plan, int fd)
{
	struct hdmabuf_gref_buffer ours, theirs;
	int error = hdmabuf_gref_ask(&ends->front, 1500 * PAGE, &ours);

	if (error)
		return error;
	error = fd < 0 ? hdmabuf_gref_grant(&ends->back, ours.directory,
					    1500 * PAGE, &theirs) :
			 hdmabuf_gref_grant_dmabuf(&ends->back, ours.directory,
						   1500 * PAGE, fd, &theirs);
	if (!error)
		error = hdmabuf_gref_get(&ours);
	put(&ours, plan);
	put(&theirs, plan);
	return error;
}

/* All that could be left is a page of a directory, which closing unmaps. */
static void end_attempt(struct ends *ends, const struct plan *plan, int error)
{
	struct fake_xen_count count = fake_xen_count();

	if (error && !plan->happened)
		fail_msg("%d: %s / %s", error, ends->front.error,
			 ends->back.error);
	assert_in_range(count.mappings, 0, plan->happened ? 1 : 0);
	assert_int_equal(count.grants, count.mappings ? count.grants : 0);
	fake_xen_fail(NULL, NULL);
	peer_close(&ends->back);
	peer_close(&ends->front);
	fake_xen_stop();
}

static void each_call_fails_once(void **state)
{
	int way, call, fd = memfd_create("dmabuf", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, 1500 * PAGE), 0);
	for (way = 0; way < 3; way++)
		for (call = 0;; call++) {
			struct plan plan = { .left = call };
			struct ends ends;
			int error;

			ends_open(&ends);
			fake_xen_offer_dmabuf(true);
			fake_xen_fail(fails, &plan);
			error = way ? try_backend(&ends, &plan,
						  way == 1 ? -1 : fd) :
				      try_frontend(&ends, &plan);
			end_attempt(&ends, &plan, error);
			if (!plan.happened)
				break;
			assert_in_range(call, 0, 100);
		}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frontend_allocates),
		cmocka_unit_test(the_backend_allocates),
		cmocka_unit_test(every_size_is_shared),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(references_become_a_dmabuf),
		cmocka_unit_test(released_before_is_no_error),
		cmocka_unit_test(a_dmabuf_becomes_references),
		cmocka_unit_test(without_dmabufs_there_are_mappings),
		cmocka_unit_test(each_call_fails_once),
	};

	return hdmabuf_test_run("gref_buffer", tests,
				sizeof(tests) / sizeof(tests[0]));
}
