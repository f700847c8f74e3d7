/* SPDX-License-Identifier: MIT */
/* Memory: how many calls it takes, limits, other domains' references. */
#define _GNU_SOURCE
#include "xen_ends.h"

#define OTHER 9
/* 3840x2160 pixels of four octets. */
#define FRAME_PAGES 8100

static struct hdmabuf_run *
share_frame(struct end *end, const struct hdmabuf_memory *memory, size_t *count)
{
	struct hdmabuf_run *runs = calloc(FRAME_PAGES, sizeof(*runs));

	assert_non_null(runs);
	assert_int_equal(end->ops->share(end_link(end), memory, 0, FRAME_PAGES,
					 READ_ONLY, runs, FRAME_PAGES, count),
			 0);
	return runs;
}

/* A frame costs a call to allocate, one to map and one to unmap. */
static void takes_few_calls(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run *runs;
	size_t count, shares, maps, unmaps;
	uint32_t *own;
	uint32_t *seen;
	size_t i;

	(void)state;
	xen_pair(&frontend, &backend);
	fake_xen_limit(GUEST, 2 * FRAME_PAGES);
	shares = fake_xen_calls("xengntshr_share_pages");
	maps = fake_xen_calls("xengnttab_map_domain_grant_refs");
	unmaps = fake_xen_calls("xengnttab_unmap");
	xen_memory(&frontend, &memory, FRAME_PAGES, READ_ONLY);
	own = memory.address;
	for (i = 0; i < FRAME_PAGES; i++)
		own[i * 1024] = (uint32_t)(i * 7);
	runs = share_frame(&frontend, &memory, &count);
	assert_in_range(count, FRAME_PAGES / 6, FRAME_PAGES / 4);
	seen = end_map(&backend, runs, count, READ_ONLY);
	for (i = 0; i < FRAME_PAGES; i++)
		assert_int_equal(seen[i * 1024], i * 7);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), runs, count),
			 -EBUSY);
	suite_unmap(&backend, seen, FRAME_PAGES);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), runs, count),
			 0);
	hdmabuf_memory_free(&memory);
	free(runs);
	assert_int_equal(fake_xen_calls("xengntshr_share_pages"), shares + 1);
	assert_int_equal(fake_xen_calls("xengnttab_map_domain_grant_refs"),
			 maps + 1);
	assert_int_equal(fake_xen_calls("xengnttab_unmap"), unmaps + 1);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* The page that is to blame is found in a number of calls that is bounded. */
static void finds_the_bad_page(void **state)
{
	static const size_t places[] = { 0, 1, 4095, 8098, 8099 };
	struct end frontend, backend;
	struct hdmabuf_run *all;
	uint64_t bad;
	size_t maps, i, j;
	void *address;
	struct hdmabuf_memory memory;

	(void)state;
	xen_pair(&frontend, &backend);
	fake_xen_scatter(0);
	fake_xen_limit(GUEST, 2 * FRAME_PAGES);
	xen_memory(&frontend, &memory, FRAME_PAGES, READ_ONLY);
	all = calloc(FRAME_PAGES, sizeof(*all));
	assert_non_null(all);
	assert_int_equal(frontend.ops->share(end_link(&frontend), &memory, 0,
					     FRAME_PAGES, READ_ONLY, all,
					     FRAME_PAGES, &i),
			 0);
	assert_int_equal(i, 1);
	for (j = 1; j < FRAME_PAGES; j++)
		all[j] = (struct hdmabuf_run){ all[0].reference + j, 1 };
	all[0].count = 1;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct hdmabuf_run good = all[places[i]];

		all[places[i]].reference = 77777;
		maps = fake_xen_calls("xengnttab_map_domain_grant_refs");
		assert_int_equal(backend.ops->map(end_link(&backend), all,
						  FRAME_PAGES, READ_ONLY,
						  &address, &bad),
				 -EINVAL);
		assert_int_equal(bad, places[i]);
		assert_in_range(
			fake_xen_calls("xengnttab_map_domain_grant_refs") -
				maps,
			1, 16);
		all[places[i]] = good;
	}
	assert_int_equal(fake_xen_count().mappings, 1 + 2 * XEN_USE_PAGES);
	free(all);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static void keeps_rights(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory readable, writable;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &readable, 1, READ_ONLY);
	xen_memory(&frontend, &writable, 1, HDMABUF_RIGHTS_LEND);
	assert_int_equal(end_try_share(&frontend, &readable, 0, 1, READ_WRITE),
			 -EACCES);
	assert_int_equal(end_try_share(&frontend, &writable, 0, 1, READ_ONLY),
			 -EACCES);
	assert_int_equal(end_try_share(&frontend, &writable, 0, 1,
				       HDMABUF_RIGHTS_LEND),
			 0);
	hdmabuf_memory_free(&readable);
	hdmabuf_memory_free(&writable);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* What is granted to one domain is nothing to another. */
static void keeps_domains_apart(void **state)
{
	struct end backend, one, two;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	struct peer *to_one = NULL, *to_two = NULL;
	void *address;
	uint64_t bad;
	size_t count;
	int i;

	(void)state;
	xen_start();
	fake_xen_create_domain(OTHER);
	fake_xen_attach(OTHER, DRIVER, 0);
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	xen_open(&one, GUEST, "xen:0", HDMABUF_FRONTEND);
	xen_open(&two, OTHER, "xen:0", HDMABUF_FRONTEND);
	end_turn(&backend);
	for (i = 0; i < 2; i++) {
		struct peer *peer = &backend.peers[i];

		*(peer->link->domain == GUEST ? &to_one : &to_two) = peer;
		assert_int_equal(suite_try_offer(peer, 5), 0);
	}
	ends_until(&one, &two, one.ups && two.ups);
	suite_answer(&one, 1, 5);
	suite_answer(&two, 2, 5);
	ends_until(&backend, NULL,
		   to_one->link->attached && to_two->link->attached);
	ends_settle(&one, &two);

	assert_int_equal(
		backend.ops->alloc(to_one->link, PAGE, READ_WRITE, &memory), 0);
	assert_int_equal(backend.ops->share(to_two->link, &memory, 0, 1,
					    READ_WRITE, &run, 1, &count),
			 -EINVAL);
	assert_int_equal(backend.ops->share(to_one->link, &memory, 0, 1,
					    READ_WRITE, &run, 1, &count),
			 0);
	assert_int_equal(two.ops->map(end_link(&two), &run, 1, READ_ONLY,
				      &address, &bad),
			 -EINVAL);
	address = end_map(&one, &run, 1, READ_ONLY);
	suite_unmap(&one, address, 1);
	assert_int_equal(backend.ops->revoke(to_one->link, &run, 1), 0);
	hdmabuf_memory_free(&memory);
	end_close(&one);
	ends_close(&two, &backend);
	fake_xen_stop();
}

/* ---- limits ------------------------------------------------------------- */

static void names_the_knob(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;

	(void)state;
	xen_pair(&frontend, &backend);
	assert_int_equal(frontend.ops->alloc(end_link(&frontend), 1024 * PAGE,
					     READ_WRITE, &memory),
			 -ENOSPC);
	assert_true(end_is_readable(&frontend, 0));
	end_turn(&frontend);
	assert_non_null(strstr(frontend.log, "1024 pages"));
	assert_non_null(strstr(frontend.log, "'limit' of the module"));
	assert_non_null(strstr(frontend.log, "gnttab_max_frames"));
	assert_int_equal(frontend.ops->alloc(end_link(&frontend), 0, READ_WRITE,
					     &memory),
			 -EINVAL);
	assert_int_equal(frontend.ops->alloc(end_link(&frontend),
					     SIZE_MAX & ~(size_t)(PAGE - 1),
					     READ_WRITE, &memory),
			 -ENOMEM);
	fake_xen_limit(GUEST, 2048);
	xen_memory(&frontend, &memory, 1024, READ_WRITE);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* Nor is there a link then, as long as that is so. */
static void names_it_for_the_link(void **state)
{
	struct end frontend, backend;

	(void)state;
	xen_open_pair(&frontend, &backend);
	fake_xen_limit(GUEST, 2 * XEN_USE_PAGES);
	end_turn(&backend);
	suite_offer(&backend, 1);
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.ups, 0);
	assert_non_null(strstr(frontend.log, "'limit' of the module"));
	assert_int_equal(fake_xen_count().grants, 0);
	fake_xen_limit(GUEST, 1 + 2 * XEN_USE_PAGES);
	ends_until(&frontend, &backend, frontend.ups == 1);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* What a peer of gntdev's is not to blame for. */
static void names_the_importers_knob(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;
	void *address;
	uint64_t bad;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 16, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 16, READ_WRITE);
	fake_xen_limit_map(15);
	assert_int_equal(backend.ops->map(end_link(&backend), shared.runs,
					  shared.count, READ_WRITE, &address,
					  &bad),
			 -ENOMEM);
	end_turn(&backend);
	assert_non_null(strstr(backend.log, "gnttab_max_maptrack_frames"));
	fake_xen_limit_map(16);
	address = suite_map(&backend, &shared, READ_WRITE);
	suite_unmap(&backend, address, 16);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* An application may free what it has after the endpoint is closed. */
static void outlives_the_endpoint(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 3, READ_WRITE);
	suite_share(&frontend, &memory, 0, 3, READ_WRITE);
	ends_close(&frontend, &backend);
	memset(memory.address, 1, 3 * PAGE);
	assert_int_equal(fake_xen_count().grants, 3);
	hdmabuf_memory_free(&memory);
	fake_xen_stop();
}

/* What is freed while it is mapped, the kernel keeps until it is not. */
static void stays_under_a_mapping(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;
	uint8_t *seen;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 1, READ_WRITE);
	((uint8_t *)memory.address)[1] = 11;
	shared = suite_share(&frontend, &memory, 0, 1, READ_WRITE);
	seen = suite_map(&backend, &shared, READ_ONLY);
	hdmabuf_memory_free(&memory);
	assert_int_equal(seen[1], 11);
	suite_unmap(&backend, seen, 1);
	end_map_fails(&backend, shared.runs, 1, READ_ONLY, 0);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(takes_few_calls),
	cmocka_unit_test(finds_the_bad_page),
	cmocka_unit_test(keeps_rights),
	cmocka_unit_test(keeps_domains_apart),
	cmocka_unit_test(names_the_knob),
	cmocka_unit_test(names_it_for_the_link),
	cmocka_unit_test(names_the_importers_knob),
	cmocka_unit_test(outlives_the_endpoint),
	cmocka_unit_test(stays_under_a_mapping),
};

int main(void)
{
	return hdmabuf_test_run("xen-memory", tests,
				sizeof(tests) / sizeof(tests[0]));
}
