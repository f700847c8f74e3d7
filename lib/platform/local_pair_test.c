/* SPDX-License-Identifier: MIT */
/* Two ends in one process: records, notifications, revoking, ending. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "local.h"
#include "local_ends.h"

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

static void carries_records(void **state)
{
	struct end frontend, backend;

	(void)state;
	ends_pair(&frontend, &backend);
	expect_record(&backend, "");
	end_publish(&frontend, "epoch=1\nchannel=7\n");
	end_publish(&backend, "epoch=2\n");
	ends_settle(&frontend, &backend);
	expect_record(&backend, "epoch=1\nchannel=7\n");
	expect_record(&frontend, "epoch=2\n");
	assert_int_equal(backend.peers[0].records, 1);

	end_publish(&frontend, "epoch=3\n");
	end_publish(&frontend, "epoch=4\n");
	ends_settle(&frontend, &backend);
	expect_record(&backend, "epoch=4\n");
	assert_int_equal(backend.peers[0].records, 2);

	end_publish(&frontend, "");
	ends_settle(&frontend, &backend);
	expect_record(&backend, "");
	assert_int_equal(backend.peers[0].records, 3);
	ends_close(&frontend, &backend);
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

static void notifies(void **state)
{
	struct end frontend, backend;
	int i;

	(void)state;
	ends_pair(&frontend, &backend);
	assert_int_equal(frontend.ops->notify(end_link(&frontend)), 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.peers[0].notified, 1);
	assert_int_equal(frontend.peers[0].notified, 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(backend.ops->notify(end_link(&backend)), 0);
	assert_true(end_is_readable(&frontend, 0));
	end_turn(&frontend);
	assert_false(end_is_readable(&frontend, 0));
	assert_int_equal(frontend.peers[0].notified, 1);
	assert_int_equal(backend.ops->notify(end_link(&backend)), 0);
	end_turn(&frontend);
	assert_int_equal(frontend.peers[0].notified, 2);
	end_turn(&frontend);
	assert_int_equal(frontend.peers[0].notified, 2);
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

static void revokes_all_or_none(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run runs[2], part, unknown[2];
	void *seen;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 4);
	runs[0] = end_share(&frontend, &memory, 0, 2, READ_WRITE);
	runs[1] = end_share(&frontend, &memory, 2, 2, READ_WRITE);
	part = (struct hdmabuf_run){ runs[0].reference, 1 };
	unknown[0] = runs[0];
	unknown[1] = (struct hdmabuf_run){ 12345, 1 };
	assert_int_equal(end_revoke(&frontend, &part), -EINVAL);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), unknown, 2),
			 -EINVAL);
	seen = end_map(&backend, &runs[1], 1, READ_WRITE);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), runs, 2),
			 -EBUSY);
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), runs, 2),
			 -EBUSY);
	assert_int_equal(end_link(&frontend)->shares.count, 2);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen, 2), 0);
	/* Without a dispatch() of the frontend in between. */
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), runs, 2), 0);
	assert_int_equal(end_link(&frontend)->shares.count, 0);
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

/* Each waits for the other to unmap: neither waits for it to free its link. */
static void both_let_go(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory a, b;
	struct hdmabuf_run run_a, run_b;
	void *seen_a, *seen_b;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&a, 1);
	memory_new(&b, 1);
	run_a = end_share(&frontend, &a, 0, 1, READ_WRITE);
	run_b = end_share(&backend, &b, 0, 1, READ_ONLY);
	seen_a = end_map(&backend, &run_a, 1, READ_WRITE);
	seen_b = end_map(&frontend, &run_b, 1, READ_ONLY);
	backend.ops->disconnect(end_link(&backend));
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.peers[0].downs, 1);
	assert_int_equal(end_revoke(&frontend, &run_a), -EBUSY);
	assert_int_equal(end_revoke(&backend, &run_b), -EBUSY);
	assert_int_equal(backend.ops->unmap(end_link(&backend), seen_a, 1), 0);
	assert_int_equal(end_revoke(&frontend, &run_a), 0);
	assert_int_equal(end_revoke(&backend, &run_b), -EBUSY);
	assert_int_equal(frontend.ops->unmap(end_link(&frontend), seen_b, 1),
			 0);
	assert_int_equal(end_revoke(&backend, &run_b), 0);
	hdmabuf_memory_free(&a);
	hdmabuf_memory_free(&b);
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

/* A link may be freed with all that is shared and mapped over it. */
static void frees_what_is_left(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;

	(void)state;
	ends_pair(&frontend, &backend);
	memory_new(&memory, 2);
	run = end_share(&frontend, &memory, 0, 2, READ_WRITE);
	end_map(&backend, &run, 1, READ_WRITE);
	end_free_link(&backend, end_last(&backend));
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.peers[0].downs, 1);
	assert_int_equal(end_revoke(&frontend, &run), 0);
	end_free_link(&frontend, end_last(&frontend));
	hdmabuf_memory_free(&memory);
	ends_close(&frontend, &backend);
}

static void disconnect_link(struct peer *peer)
{
	peer->end->ops->disconnect(peer->link);
}

static void may_be_freed_when_it_likes(void **state)
{
	struct end frontend, backend;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		memset(&backend, 0, sizeof(backend));
		memset(&frontend, 0, sizeof(frontend));
		assert_int_equal(hdmabuf_local_pair(&frontend.platform,
						    &backend.platform),
				 0);
		frontend.ops = frontend.platform.ops;
		backend.ops = backend.platform.ops;
		if (i == 0)
			frontend.refuse = true;
		if (i == 1)
			frontend.on_up = disconnect_link;
		if (i == 2)
			frontend.on_notified = peer_free_link;
		backend.on_down = peer_free_link;
		ends_settle(&frontend, &backend);
		assert_int_equal(frontend.ups, 1);
		if (backend.ups && backend.peers[0].link)
			backend.ops->notify(backend.peers[0].link);
		ends_settle(&frontend, &backend);
		assert_int_equal(frontend.peers[0].downs, 0);
		assert_null(backend.peers[0].link);
		ends_close(&frontend, &backend);
	}
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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(comes_up),
	cmocka_unit_test(carries_records),
	cmocka_unit_test(bounds_records),
	cmocka_unit_test(notifies),
	cmocka_unit_test(revokes),
	cmocka_unit_test(revokes_all_or_none),
	cmocka_unit_test(reuses_references_late),
	cmocka_unit_test(disconnects),
	cmocka_unit_test(both_let_go),
	cmocka_unit_test(revoked_before_the_end),
	cmocka_unit_test(frees_what_is_left),
	cmocka_unit_test(may_be_freed_when_it_likes),
	cmocka_unit_test(queues_what_does_not_fit),
	cmocka_unit_test(sharing_waits_for_room),
	cmocka_unit_test(gives_up_on_a_deaf_peer),
};

int main(void)
{
	return hdmabuf_test_run("local-pair", tests,
				sizeof(tests) / sizeof(tests[0]));
}
