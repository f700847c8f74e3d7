/* SPDX-License-Identifier: MIT */
/* Two ends in one process: records, notifications, revoking, ending. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "local.h"
#include "local_ends.h"
#include "pair_suite.h"

/* ---- coming up, records, notifications ---------------------------------- */

static void comes_up(void **state)
{
	struct end frontend, backend;
	char text[64], expected[64];

	(void)state;
	ends_pair(&frontend, &backend);
	snprintf(expected, sizeof(expected), "pid %d, uid %u", (int)getpid(),
		 (unsigned int)getuid());
	frontend.ops->peer(end_link(&frontend), text, sizeof(text));
	assert_string_equal(text, expected);
	assert_string_equal(frontend.ops->name, "local");
	assert_int_equal(1u << frontend.ops->page_shift, sysconf(_SC_PAGESIZE));
	assert_int_equal(frontend.ops->reference_max, UINT32_MAX);
	assert_true(frontend.ops->contiguous);
	assert_int_equal(frontend.peers[0].records, 0);
	assert_int_equal(frontend.peers[0].notified, 0);
	ends_close(&frontend, &backend);
}

static void expect_record(struct end *end, const char *expected)
{
	char text[HDMABUF_LOCAL_RECORD_OCTETS];
	size_t octets = end->ops->record(end_link(end), text, sizeof(text));

	assert_int_equal(octets, strlen(expected));
	assert_memory_equal(text, expected, octets);
}

static void bounds_records(void **state)
{
	char text[HDMABUF_LOCAL_RECORD_OCTETS + 1], small[8];
	struct end frontend, backend;
	struct hdmabuf_link *link;

	(void)state;
	ends_pair(&frontend, &backend);
	link = end_link(&frontend);
	memset(text, 'x', sizeof(text));
	assert_int_equal(frontend.ops->publish(link, text, sizeof(text)),
			 -E2BIG);
	assert_int_equal(frontend.ops->publish(link, text, sizeof(text) - 1),
			 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.ops->record(end_link(&backend), text,
					     sizeof(text)),
			 HDMABUF_LOCAL_RECORD_OCTETS);
	assert_int_equal(backend.ops->record(end_link(&backend), small,
					     sizeof(small)),
			 0);
	ends_close(&frontend, &backend);
}

/* ---- revoking ----------------------------------------------------------- */

static void revokes(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	void *seen, *again;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 4);
	run = end_share(&frontend, &memory, 0, 4, READ_WRITE);
	seen = end_map(&backend, &run, 1, READ_ONLY);
	again = end_map(&backend, &(struct hdmabuf_run){ run.reference + 1, 2 },
			1, READ_WRITE);
	assert_int_equal(end_revoke(&frontend, &run), -EBUSY);
	ends_settle(&frontend, &backend);
	assert_int_equal(end_revoke(&frontend, &run), -EBUSY);
	assert_int_equal(end_map_fails(&backend, &run, 1, READ_ONLY, 0),
			 -EINVAL);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 4), 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(end_revoke(&frontend, &run), -EBUSY);
	assert_int_equal(frontend.peers[0].notified, 0);
	*(uint8_t *)again = 77; /* it stays there as long as it is mapped */
	assert_int_equal(backend.ops->unmap(end_link(&backend), again, 2), 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.peers[0].notified, 1);
	assert_int_equal(((uint8_t *)memory.address)[PAGE], 77);
	assert_int_equal(end_revoke(&frontend, &run), 0);
	assert_int_equal(end_revoke(&frontend, &run), -EINVAL);
	assert_int_equal(end_map_fails(&backend, &run, 1, READ_ONLY, 0),
			 -EINVAL);
	assert_int_equal(end_link(&backend)->grants.count, 0);
	assert_int_equal(end_link(&backend)->granted.count, 0);
	assert_int_equal(end_link(&frontend)->shared.count, 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void reuses_references_late(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run runs[4], run;
	struct hdmabuf_link *link;
	int i;

	(void)state;
	ends_pair(&frontend, &backend);
	link = end_link(&frontend);
	memory_new(&memory, 8);
	for (i = 0; i < 4; i++) {
		runs[i] = end_share(&frontend, &memory, 0, 2, READ_WRITE);
		assert_int_equal(runs[i].reference, 1 + 2 * i);
	}
	ends_give_back(&frontend, &backend, &runs[1]);
	run = end_share(&frontend, &memory, 0, 1, READ_WRITE);
	assert_int_equal(run.reference, 9);

	/* At the end of the numbers it begins anew, around what is in use. */
	link->next_reference = UINT32_MAX - 1;
	run = end_share(&frontend, &memory, 0, 2, READ_WRITE);
	assert_int_equal(run.reference, UINT32_MAX - 1);
	run = end_share(&frontend, &memory, 0, 3, READ_WRITE);
	assert_int_equal(run.reference, 10);
	link->next_reference = 1;
	run = end_share(&frontend, &memory, 0, 2, READ_WRITE);
	assert_int_equal(run.reference, 3);
	link->next_reference = UINT32_MAX - 3;
	run = end_share(&frontend, &memory, 0, 3, READ_WRITE);
	assert_int_equal(run.reference, 13);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.peers[0].downs, 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* ---- ending ------------------------------------------------------------- */

static void disconnects(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run, late;
	struct peer *peer;
	void *seen;

	(void)state;
	ends_pair(&frontend, &backend);
	peer = end_last(&backend);
	memory_new(&memory, 2);
	run = end_share(&frontend, &memory, 0, 2, READ_WRITE);
	late = end_share(&frontend, &memory, 0, 1, READ_WRITE);
	end_publish(&frontend, "epoch=1\n");
	seen = end_map(&backend, &run, 1, READ_WRITE);
	frontend.ops->disconnect(end_link(&frontend));
	frontend.ops->disconnect(end_link(&frontend));
	assert_int_equal(end_revoke(&frontend, &run), -EBUSY);
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.peers[0].downs, 0);
	assert_int_equal(peer->records, 1);
	assert_int_equal(peer->notified, 1);
	assert_int_equal(peer->downs, 1);
	assert_string_equal(peer->why, "the peer has left");
	expect_record(&backend, "");
	assert_int_equal(end_map_fails(&backend, &late, 1, READ_WRITE, 0),
			 -ENOTCONN);
	assert_int_equal(backend.ops->publish(peer->link, "x=1\n", 4),
			 -ENOTCONN);
	assert_int_equal(backend.ops->notify(peer->link), 0);
	assert_int_equal(end_try_share(&backend, &memory, 0, 1, READ_WRITE),
			 -ENOTCONN);
	((uint8_t *)seen)[0] = 1; /* still mapped, so it must still be there */
	assert_int_equal(end_revoke(&frontend, &run), -EBUSY);
	assert_int_equal(end_revoke(&frontend, &late), -EBUSY);
	assert_int_equal(backend.ops->unmap(peer->link, seen, 2), 0);
	assert_int_equal(end_revoke(&frontend, &run), 0);
	assert_int_equal(end_revoke(&frontend, &late), 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* What was being revoked when the end came is told one by one all the same. */
static void revoked_before_the_end(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run held, loose;
	void *seen;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 2);
	held = end_share(&frontend, &memory, 0, 1, READ_WRITE);
	loose = end_share(&frontend, &memory, 1, 1, READ_WRITE);
	seen = end_map(&backend, &held, 1, READ_WRITE);
	assert_int_equal(end_revoke(&frontend, &held), -EBUSY);
	assert_int_equal(end_revoke(&frontend, &loose), -EBUSY);
	end_turn(&backend);
	frontend.ops->disconnect(end_link(&frontend));
	ends_settle(&frontend, &backend);
	assert_int_equal(end_revoke(&frontend, &loose), 0);
	assert_int_equal(end_revoke(&frontend, &held), -EBUSY);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 1), 0);
	assert_int_equal(end_revoke(&frontend, &held), 0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* ---- a peer that does not listen ---------------------------------------- */

static void queues_what_does_not_fit(void **state)
{
	enum {
		COUNT = 3000
	};
	struct hdmabuf_run *runs = calloc(COUNT, sizeof(*runs));
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	int i;

	(void)state;
	assert_non_null(runs);
	ends_pair(&frontend, &backend);
	memory_new(&memory, 1);
	for (i = 0; i < COUNT; i++) {
		if (i % 100 == 0)
			ends_settle(&frontend, &backend);
		runs[i] = end_share(&frontend, &memory, 0, 1, READ_WRITE);
	}
	ends_settle(&frontend, &backend);
	for (i = 0; i < COUNT; i++)
		assert_int_equal(end_revoke(&frontend, &runs[i]), -EBUSY);
	end_publish(&frontend, "epoch=9\n");
	assert_true(end_link(&frontend)->queued > 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(end_link(&frontend)->queued, 0);
	assert_int_equal(end_link(&backend)->queued, 0);
	expect_record(&backend, "epoch=9\n");
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), runs, COUNT),
			 0);
	assert_int_equal(end_link(&backend)->grants.count, 0);
	free(runs);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

/* GRANT is not queued: the peer could hear of the reference before. */
static void sharing_waits_for_room(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run = { 0, 0 };
	size_t shares = 0;
	int error;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 1);
	do
		error = end_try_share(&frontend, &memory, 0, 1, READ_WRITE);
	while (!error && shares++ < 100000);
	assert_int_equal(error, -EAGAIN);
	assert_int_equal(end_link(&frontend)->shares.count, shares);
	assert_int_equal(end_link(&frontend)->queued, 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(end_link(&backend)->grants.count, shares);
	run = end_share(&frontend, &memory, 0, 1, READ_WRITE);
	assert_int_equal(
		backend.ops->unmap(end_link(&backend),
				   end_map(&backend, &run, 1, READ_WRITE), 1),
		0);
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void gives_up_on_a_deaf_peer(void **state)
{
	struct end frontend, backend;
	int published = 0;

	(void)state;
	ends_pair(&frontend, &backend);
	while (!frontend.ops->publish(end_link(&frontend), "epoch=1\n", 8) &&
	       published < LOCAL_QUEUE_MAX)
		published++;
	assert_in_range(published, LOCAL_QUEUE_MAX / 48, LOCAL_QUEUE_MAX / 40);
	end_turn(&frontend);
	assert_int_equal(frontend.peers[0].downs, 1);
	assert_string_equal(frontend.peers[0].why,
			    "the peer does not take what it is sent");
	assert_int_equal(backend.peers[0].downs, 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.peers[0].downs, 1);
	ends_close(&frontend, &backend);
}

static void open_memory(struct end *end, struct hdmabuf_memory *memory,
			size_t pages, uint32_t rights)
{
	(void)end;
	(void)rights;
	memory_new(memory, pages);
}

static const struct pair_kind kind = {
	.name = "local",
	.open = ends_open,
	.meet = ends_settle,
	.close = ends_close,
	.memory = open_memory,
};

static const struct CMUnitTest tests[] = {
	PAIR_SUITE(&kind),
	cmocka_unit_test(comes_up),
	cmocka_unit_test(bounds_records),
	cmocka_unit_test(revokes),
	cmocka_unit_test(reuses_references_late),
	cmocka_unit_test(disconnects),
	cmocka_unit_test(revoked_before_the_end),
	cmocka_unit_test(queues_what_does_not_fit),
	cmocka_unit_test(sharing_waits_for_room),
	cmocka_unit_test(gives_up_on_a_deaf_peer),
};

int main(void)
{
	return hdmabuf_test_run("local-pair", tests,
				sizeof(tests) / sizeof(tests[0]));
}
