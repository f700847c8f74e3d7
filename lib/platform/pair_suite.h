/* SPDX-License-Identifier: MIT */
/*
 * pair_suite.h - what two ends in one process must do on every platform
 *
 * The test of a platform says how such a pair is made, and lists PAIR_SUITE(kind)
 * among its tests.
 */
#ifndef HDMABUF_PLATFORM_PAIR_SUITE_H
#define HDMABUF_PLATFORM_PAIR_SUITE_H

#include <sys/mman.h>

#include "pair_kind.h"

/* ---- records and notifications ------------------------------------------ */

static void suite_comes_up(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	char text[64] = "";

	assert_string_equal(frontend.ops->name, kind->name);
	assert_string_equal(backend.ops->name, kind->name);
	assert_int_equal(frontend.ops->page_shift, backend.ops->page_shift);
	frontend.ops->peer(end_link(&frontend), text, sizeof(text));
	assert_true(*text);
	frontend.ops->peer(end_link(&frontend), text, 4);
	assert_int_equal(strlen(text), 3);
	kind->close(&frontend, &backend);
}

static void suite_carries_records(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct peer *peer = end_last(&backend);
	char small[8];
	int records;

	suite_offer(&backend, 100);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_offered(&frontend), 100);
	records = peer->records;
	suite_answer(&frontend, UINT64_MAX, 100);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_answered(&backend), UINT64_MAX);
	assert_true(peer->records > records);
	assert_int_equal(backend.ops->record(peer->link, small, sizeof(small)),
			 0);

	suite_answer(&frontend, 3, 100);
	suite_answer(&frontend, 4, 100);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_answered(&backend), 4);

	records = peer->records;
	end_publish(&frontend, "");
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_answered(&backend), 0);
	assert_true(peer->records > records);

	suite_offer(&backend, 101);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_offered(&frontend), 101);
	suite_answer(&frontend, 5, 101);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_answered(&backend), 5);
	kind->close(&frontend, &backend);
}

static void suite_notifies(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	int front, back, i;

	front = end_last(&frontend)->notified;
	back = end_last(&backend)->notified;
	assert_int_equal(frontend.ops->notify(end_link(&frontend)), 0);
	ends_settle(&frontend, &backend);
	assert_true(end_last(&backend)->notified > back);
	assert_int_equal(end_last(&frontend)->notified, front);
	for (i = 0; i < 1000; i++)
		assert_int_equal(backend.ops->notify(end_link(&backend)), 0);
	assert_true(end_is_readable(&frontend, 0));
	ends_settle(&frontend, &backend);
	assert_in_range(end_last(&frontend)->notified, front + 1, front + 2);
	front = end_last(&frontend)->notified;
	end_turn(&frontend);
	assert_int_equal(end_last(&frontend)->notified, front);
	assert_int_equal(backend.ops->notify(end_link(&backend)), 0);
	end_turn(&frontend);
	assert_int_equal(end_last(&frontend)->notified, front + 1);
	kind->close(&frontend, &backend);
}

/* ---- sharing and mapping ------------------------------------------------ */

static void suite_shares(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);

	share_and_map(kind, &frontend, &backend);
	share_and_map(kind, &backend, &frontend);
	kind->close(&frontend, &backend);
}

static void suite_maps_in_any_order(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct hdmabuf_memory a, b;
	struct shared of_a, of_b;
	struct hdmabuf_run runs[3];
	uint8_t *seen;

	kind->memory(&frontend, &a, 2, READ_WRITE);
	kind->memory(&frontend, &b, 1, READ_WRITE);
	memset(a.address, 1, PAGE);
	memset((uint8_t *)a.address + PAGE, 2, PAGE);
	memset(b.address, 3, PAGE);
	of_a = suite_share(&frontend, &a, 0, 2, READ_WRITE);
	of_b = suite_share(&frontend, &b, 0, 1, READ_WRITE);
	ends_settle(&frontend, &backend);
	runs[0] = (struct hdmabuf_run){ of_a.count > 1 ?
						of_a.runs[1].reference :
						of_a.runs[0].reference + 1,
					1 };
	runs[1] = of_b.runs[0];
	runs[2] = (struct hdmabuf_run){ of_a.runs[0].reference, 1 };
	seen = end_map(&backend, runs, 3, READ_ONLY);
	assert_int_equal(seen[0], 2);
	assert_int_equal(seen[PAGE], 3);
	assert_int_equal(seen[2 * PAGE], 1);
	suite_unmap(&backend, seen, 3);
	suite_give_back(&frontend, &backend, &of_a);
	suite_give_back(&frontend, &backend, &of_b);
	hdmabuf_memory_free(&a);
	hdmabuf_memory_free(&b);
	kind->close(&frontend, &backend);
}

static void suite_enforces_read_only(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct hdmabuf_memory memory;
	struct shared shared;
	uint8_t *seen;

	kind->memory(&frontend, &memory, 2, READ_ONLY);
	shared = suite_share(&frontend, &memory, 0, 2, READ_ONLY);
	ends_settle(&frontend, &backend);
	assert_int_equal(end_map_fails(&backend, shared.runs, shared.count,
				       READ_WRITE, 0),
			 -EACCES);
	seen = suite_map(&backend, &shared, READ_ONLY);
	((uint8_t *)memory.address)[PAGE] = 44;
	assert_int_equal(seen[PAGE], 44);
	assert_true(mprotect(seen, PAGE, PROT_READ | PROT_WRITE) < 0);
	suite_unmap(&backend, seen, 2);
	suite_give_back(&frontend, &backend, &shared);
	hdmabuf_memory_free(&memory);
	kind->close(&frontend, &backend);
}

static void suite_refuses_references(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct hdmabuf_memory memory;
	struct shared shared;
	struct hdmabuf_run bad[2];
	struct hdmabuf_run zero = { 0, 1 }, none = { 54321, 1 };
	struct hdmabuf_run high = { (uint64_t)UINT32_MAX + 9, 1 };
	struct hdmabuf_run empty = { 1, 0 }, many = { 1, UINT64_MAX };

	kind->memory(&frontend, &memory, 1, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 1, READ_WRITE);
	ends_settle(&frontend, &backend);
	assert_int_equal(end_map_fails(&backend, &zero, 1, READ_ONLY, 0),
			 -EINVAL);
	assert_int_equal(end_map_fails(&backend, &none, 1, READ_ONLY, 0),
			 -EINVAL);
	assert_int_equal(end_map_fails(&backend, &high, 1, READ_ONLY, 0),
			 -EINVAL);
	assert_int_equal(end_map_fails(&backend, &empty, 1, READ_ONLY, 0),
			 -EINVAL);
	assert_true(end_map_fails(&backend, &many, 1, READ_ONLY, 0) < 0);
	bad[0] = shared.runs[0];
	bad[1] = none;
	assert_int_equal(end_map_fails(&backend, bad, 2, READ_ONLY, 1),
			 -EINVAL);
	bad[0].count = 2; /* one more than there are */
	assert_int_equal(end_map_fails(&backend, bad, 1, READ_WRITE, 1),
			 -EINVAL);
	suite_give_back(&frontend, &backend, &shared);
	hdmabuf_memory_free(&memory);
	kind->close(&frontend, &backend);
}

static void suite_refuses_to_share(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct hdmabuf_memory memory, other = { .fd = -1 };

	kind->memory(&frontend, &memory, 2, READ_WRITE);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 0, READ_WRITE),
			 -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 2, 1, READ_WRITE),
			 -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 1, 2, READ_WRITE),
			 -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 1, UINT64_MAX,
				       READ_WRITE),
			 -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, 0), -EINVAL);
	assert_int_equal(end_try_share(&frontend, &memory, 0, 1, 4), -EINVAL);
	assert_int_equal(end_try_share(&frontend, &other, 0, 1, READ_WRITE),
			 -EINVAL);
	hdmabuf_memory_free(&memory);
	kind->close(&frontend, &backend);
}

/* ---- revoking ----------------------------------------------------------- */

static void suite_revokes(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct hdmabuf_memory memory;
	struct shared shared;
	uint8_t *seen, *again;
	int notified;

	kind->memory(&frontend, &memory, 4, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 4, READ_WRITE);
	ends_settle(&frontend, &backend);
	seen = suite_map(&backend, &shared, READ_ONLY);
	again = suite_map(&backend, &shared, READ_WRITE);
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	suite_unmap(&backend, seen, 4);
	ends_settle(&frontend, &backend);
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	ends_settle(&frontend, &backend);
	again[PAGE] = 77; /* it stays there as long as it is mapped */
	notified = end_last(&frontend)->notified;
	suite_unmap(&backend, again, 4);
	ends_settle(&frontend, &backend);
	assert_true(end_last(&frontend)->notified > notified);
	assert_int_equal(((uint8_t *)memory.address)[PAGE], 77);
	assert_int_equal(suite_revoke(&frontend, &shared), 0);
	assert_int_equal(suite_revoke(&frontend, &shared), -EINVAL);
	hdmabuf_memory_free(&memory);
	assert_int_equal(end_map_fails(&backend, shared.runs, 1, READ_ONLY, 0),
			 -EINVAL);
	kind->close(&frontend, &backend);
}

static void suite_revokes_all_or_none(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct hdmabuf_memory memory;
	struct shared one, other;
	struct hdmabuf_run both[2], unknown[2], part;
	void *seen;

	kind->memory(&frontend, &memory, 3, READ_WRITE);
	one = suite_share(&frontend, &memory, 0, 1, READ_WRITE);
	other = suite_share(&frontend, &memory, 2, 1, READ_WRITE);
	both[0] = one.runs[0];
	both[1] = other.runs[0];
	unknown[0] = one.runs[0];
	unknown[1] = (struct hdmabuf_run){ 12345, 1 };
	part = (struct hdmabuf_run){ one.runs[0].reference, 2 };
	assert_int_equal(end_revoke(&frontend, &part), -EINVAL);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), unknown, 2),
			 -EINVAL);
	ends_settle(&frontend, &backend);
	seen = suite_map(&backend, &other, READ_WRITE);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), both, 2),
			 -EBUSY);
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), both, 2),
			 -EBUSY);
	suite_unmap(&backend, seen, 1);
	/* Without a dispatch() of the frontend in between. */
	assert_int_equal(frontend.ops->revoke(end_link(&frontend), both, 2), 0);
	assert_int_equal(suite_revoke(&frontend, &one), -EINVAL);
	hdmabuf_memory_free(&memory);
	kind->close(&frontend, &backend);
}

/* ---- ending ------------------------------------------------------------- */

static void suite_disconnects(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct peer *peer = end_last(&backend);
	struct hdmabuf_memory memory, other;
	struct shared shared;
	uint8_t *seen;

	kind->memory(&frontend, &memory, 2, READ_WRITE);
	kind->memory(&backend, &other, 1, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 2, READ_WRITE);
	ends_settle(&frontend, &backend);
	seen = suite_map(&backend, &shared, READ_WRITE);
	frontend.ops->disconnect(end_link(&frontend));
	frontend.ops->disconnect(end_link(&frontend));
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	ends_until(&frontend, &backend, peer->downs);
	assert_int_equal(frontend.peers[0].downs, 0);
	assert_non_null(strstr(peer->why, "the peer"));
	assert_int_equal(backend.ops->publish(peer->link, "epoch=1\n", 8),
			 -ENOTCONN);
	assert_int_equal(backend.ops->notify(peer->link), 0);
	assert_int_equal(backend.ops->share(peer->link, &other, 0, 1,
					    READ_WRITE, shared.runs + 8, 1,
					    &(size_t){ 0 }),
			 -ENOTCONN);
	seen[0] = 1; /* still mapped, so it must still be there */
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	assert_int_equal(backend.ops->unmap(peer->link, seen, 2), 0);
	assert_int_equal(suite_revoke(&frontend, &shared), 0);
	hdmabuf_memory_free(&memory);
	hdmabuf_memory_free(&other);
	kind->close(&frontend, &backend);
}

/* Each waits for the other to unmap: neither waits for it to free its link. */
static void suite_both_let_go(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct hdmabuf_link *front = end_link(&frontend);
	struct hdmabuf_link *back = end_link(&backend);
	struct hdmabuf_memory a, b;
	struct shared of_a, of_b;
	void *seen_a, *seen_b;

	kind->memory(&frontend, &a, 1, READ_WRITE);
	kind->memory(&backend, &b, 1, READ_ONLY);
	of_a = suite_share(&frontend, &a, 0, 1, READ_WRITE);
	of_b = suite_share(&backend, &b, 0, 1, READ_ONLY);
	ends_settle(&frontend, &backend);
	seen_a = suite_map(&backend, &of_a, READ_WRITE);
	seen_b = suite_map(&frontend, &of_b, READ_ONLY);
	backend.ops->disconnect(back);
	ends_until(&frontend, &backend, frontend.peers[0].downs);
	assert_int_equal(frontend.ops->revoke(front, of_a.runs, 1), -EBUSY);
	assert_int_equal(backend.ops->revoke(back, of_b.runs, 1), -EBUSY);
	assert_int_equal(backend.ops->unmap(back, seen_a, 1), 0);
	assert_int_equal(frontend.ops->revoke(front, of_a.runs, 1), 0);
	assert_int_equal(backend.ops->revoke(back, of_b.runs, 1), -EBUSY);
	assert_int_equal(frontend.ops->unmap(front, seen_b, 1), 0);
	assert_int_equal(backend.ops->revoke(back, of_b.runs, 1), 0);
	hdmabuf_memory_free(&a);
	hdmabuf_memory_free(&b);
	kind->close(&frontend, &backend);
}

/* A link may be freed with all that is shared and mapped over it. */
static void suite_frees_what_is_left(void **state)
{
	struct end frontend, backend;
	const struct pair_kind *kind = suite_pair(state, &frontend, &backend);
	struct hdmabuf_memory memory;
	struct shared shared;

	kind->memory(&frontend, &memory, 2, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 2, READ_WRITE);
	ends_settle(&frontend, &backend);
	suite_map(&backend, &shared, READ_WRITE);
	end_free_link(&backend, &backend.peers[0]);
	ends_until(&frontend, &backend, frontend.peers[0].downs);
	assert_int_equal(frontend.ops->revoke(frontend.peers[0].link,
					      shared.runs, shared.count),
			 0);
	end_free_link(&frontend, &frontend.peers[0]);
	hdmabuf_memory_free(&memory);
	kind->close(&frontend, &backend);
}

static void disconnect_link(struct peer *peer)
{
	peer->end->ops->disconnect(peer->link);
}

static void suite_may_be_freed_when_it_likes(void **state)
{
	const struct pair_kind *kind = *state;
	struct end frontend, backend;
	int i;

	for (i = 0; i < 3; i++) {
		kind->open(&frontend, &backend);
		if (i == 0)
			frontend.refuse = true;
		if (i == 1)
			frontend.on_up = disconnect_link;
		if (i == 2)
			frontend.on_notified = peer_free_link;
		backend.on_down = peer_free_link;
		kind->meet(&frontend, &backend);
		assert_true(frontend.ups > 0);
		if (backend.ups && backend.peers[0].link)
			backend.ops->notify(backend.peers[0].link);
		ends_settle(&frontend, &backend);
		assert_int_equal(frontend.peers[0].downs, 0);
		kind->close(&frontend, &backend);
	}
}

#define PAIR_SUITE_TEST(function, kind) \
	{ \
#function, function, NULL, NULL, (void *)(kind) \
	}

#define PAIR_SUITE(kind) \
	PAIR_SUITE_TEST(suite_comes_up, kind), \
		PAIR_SUITE_TEST(suite_carries_records, kind), \
		PAIR_SUITE_TEST(suite_notifies, kind), \
		PAIR_SUITE_TEST(suite_shares, kind), \
		PAIR_SUITE_TEST(suite_maps_in_any_order, kind), \
		PAIR_SUITE_TEST(suite_enforces_read_only, kind), \
		PAIR_SUITE_TEST(suite_refuses_references, kind), \
		PAIR_SUITE_TEST(suite_refuses_to_share, kind), \
		PAIR_SUITE_TEST(suite_revokes, kind), \
		PAIR_SUITE_TEST(suite_revokes_all_or_none, kind), \
		PAIR_SUITE_TEST(suite_disconnects, kind), \
		PAIR_SUITE_TEST(suite_both_let_go, kind), \
		PAIR_SUITE_TEST(suite_frees_what_is_left, kind), \
		PAIR_SUITE_TEST(suite_may_be_freed_when_it_likes, kind)

#endif /* HDMABUF_PLATFORM_PAIR_SUITE_H */
