/* SPDX-License-Identifier: MIT */
/*
 * Timelines: who may do what with them, and that every wait ends.
 */
#include <errno.h>
#include <string.h>

#include "tests/raw_peer.h"

#define BELOW_2_32 ((1ull << 32) - 1)

static struct hdmabuf_timeline_handle *
create(struct end *end, enum hdmabuf_signaller signaller, uint64_t point)
{
	struct hdmabuf_timeline_handle *timeline;

	assert_int_equal(hdmabuf_timeline_create(end->session, signaller, point,
						 &timeline),
			 0);
	return timeline;
}

/* A timeline that @from has created, as the other end sees it. */
static struct hdmabuf_timeline_handle *
seen_by(struct pair *pair, struct end *from,
	struct hdmabuf_timeline_handle *timeline)
{
	struct hdmabuf_timeline_handle *found;

	pair_run(pair);
	found = hdmabuf_timeline_find(pair_other(pair, from)->session,
				      hdmabuf_timeline_number(timeline));
	assert_non_null(found);
	assert_int_equal(hdmabuf_timeline_number(found),
			 hdmabuf_timeline_number(timeline));
	return found;
}

/* ---- points -------------------------------------------------------------- */

static void check_signal(struct pair *pair, struct end *signaller,
			 struct hdmabuf_timeline_handle *ours,
			 struct hdmabuf_timeline_handle *theirs)
{
	static const uint64_t points[] = { 1,
					   2,
					   100,
					   BELOW_2_32 - 1,
					   BELOW_2_32,
					   BELOW_2_32 + 1,
					   BELOW_2_32 + 2,
					   1ull << 40,
					   UINT64_MAX };
	struct end *waiter = pair_other(pair, signaller);
	size_t i;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		unsigned int reached = waiter->seen.reached;

		assert_int_equal(hdmabuf_timeline_wait(theirs, points[i]), 0);
		pair_run(pair);
		assert_int_equal(waiter->seen.reached, reached);
		assert_int_equal(hdmabuf_timeline_signal(ours, points[i]), 0);
		assert_int_equal(hdmabuf_timeline_signal(ours, points[i]),
				 -EINVAL);
		pair_wait(pair, &waiter->seen.reached, reached + 1);
		assert_int_equal(waiter->seen.reached_point, points[i]);
		assert_int_equal(waiter->seen.reached_status, 0);
		assert_int_equal(hdmabuf_timeline_point(theirs), points[i]);
		assert_int_equal(hdmabuf_timeline_point(ours), points[i]);
	}
}

static void test_points(void **state)
{
	struct hdmabuf_timeline_handle *own, *found;
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 0);
	found = seen_by(&pair, &pair.front, own);
	check_signal(&pair, &pair.front, own, found);
	own = create(&pair.front, HDMABUF_SIGNALLER_PEER, 0);
	found = seen_by(&pair, &pair.front, own);
	check_signal(&pair, &pair.back, found, own);
	own = create(&pair.back, HDMABUF_SIGNALLER_CREATOR, 0);
	found = seen_by(&pair, &pair.back, own);
	check_signal(&pair, &pair.back, own, found);
	pair_close(&pair);
}

/* A waiter is woken at a multiple of 2^32 as well. */
static void test_initial_points(void **state)
{
	static const uint64_t points[] = { 0, 5, BELOW_2_32, BELOW_2_32 + 1,
					   UINT64_MAX - 1 };
	struct pair pair = { 0 };
	unsigned int i;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	for (i = 0; i < 5; i++) {
		struct hdmabuf_timeline_handle *own, *found;

		own = create(&pair.back, HDMABUF_SIGNALLER_CREATOR, points[i]);
		found = seen_by(&pair, &pair.back, own);
		assert_int_equal(hdmabuf_timeline_point(found), points[i]);
		assert_int_equal(hdmabuf_timeline_signal(own, points[i]),
				 -EINVAL);
		assert_int_equal(hdmabuf_timeline_wait(found, points[i] + 1),
				 0);
		pair_run(&pair);
		assert_int_equal(hdmabuf_timeline_signal(own, points[i] + 1),
				 0);
		pair_wait(&pair, &pair.front.seen.reached, i + 1);
	}
	pair_close(&pair);
}

/* The handle may be used before the peer has heard of it. */
static void test_signal_at_once(void **state)
{
	struct hdmabuf_timeline_handle *own, *found;
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 3);
	assert_int_equal(hdmabuf_timeline_signal(own, 4), 0);
	assert_int_equal(hdmabuf_timeline_signal(own, 9), 0);
	assert_int_equal(hdmabuf_timeline_point(own), 9);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_point(found), 9);
	assert_int_equal(pair.front.seen.refused, 0);

	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 0);
	assert_int_equal(hdmabuf_timeline_signal(own, 1), 0);
	assert_int_equal(hdmabuf_timeline_fail(own, HDMABUF_STATUS_TIMED_OUT),
			 0);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_wait(found, 2), 0);
	pair_wait(&pair, &pair.back.seen.reached, 1);
	assert_int_equal(pair.back.seen.reached_status,
			 HDMABUF_STATUS_TIMED_OUT);
	assert_int_equal(hdmabuf_timeline_point(found), 1);
	assert_int_equal(pair.front.seen.refused, 0);
	pair_close(&pair);
}

/* Only one end signals a timeline; the other waits. */
static void test_wrong_signaller(void **state)
{
	struct hdmabuf_timeline_handle *own, *found;
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 0);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_signal(found, 1), -EINVAL);
	assert_int_equal(hdmabuf_timeline_fail(found, 1), -EINVAL);
	assert_int_equal(hdmabuf_timeline_wait(own, 1), -EINVAL);
	assert_int_equal(hdmabuf_timeline_destroy(found), -EINVAL);
	own = create(&pair.front, HDMABUF_SIGNALLER_PEER, 0);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_signal(own, 1), -EINVAL);
	assert_int_equal(hdmabuf_timeline_wait(found, 1), -EINVAL);
	assert_int_equal(hdmabuf_timeline_fail(found, HDMABUF_STATUS_OK),
			 -EINVAL);
	pair_check(&pair);
	pair_close(&pair);
}

/* ---- waiting ------------------------------------------------------------- */

struct order {
	uint64_t points[16];
	uint16_t statuses[16];
	unsigned int count;
};

static void note_order(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	struct order *order = ((struct end *)user)->context;

	(void)timeline;
	assert_in_range(order->count, 0, 15);
	order->points[order->count] = point;
	order->statuses[order->count++] = status;
}

/* Several waits, in any order, are reported as their points come; each once. */
static void test_many_waits(void **state)
{
	static const uint64_t asked[] = { 7, 3, 5, 3, 0, 9 };
	static const uint64_t told[] = { 0, 3, 3, 5, 7, 9 };
	struct hdmabuf_timeline_handle *own, *found;
	struct order order = { 0 };
	struct pair pair = { 0 };
	unsigned int i;

	(void)state;
	pair.back.context = &order;
	pair.back.hooks.reached = note_order;
	pair_connect(&pair, NULL, NULL);
	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 0);
	found = seen_by(&pair, &pair.front, own);
	for (i = 0; i < 6; i++)
		assert_int_equal(hdmabuf_timeline_wait(found, asked[i]), 0);
	pair_run(&pair);
	assert_int_equal(order.count, 1);
	assert_int_equal(hdmabuf_timeline_signal(own, 4), 0);
	pair_wait(&pair, &order.count, 3);
	pair_run(&pair);
	assert_int_equal(order.count, 3);
	assert_int_equal(hdmabuf_timeline_signal(own, 100), 0);
	pair_wait(&pair, &order.count, 6);
	for (i = 0; i < 6; i++) {
		assert_int_equal(order.points[i], told[i]);
		assert_int_equal(order.statuses[i], 0);
	}
	pair_run(&pair);
	assert_int_equal(order.count, 6);
	pair_close(&pair);
}

/* Who asks for the next point in the callback of the last is served forever. */
static void ask_again(void *user, struct hdmabuf_timeline_handle *timeline,
		      uint64_t point, uint16_t status)
{
	struct end *end = user;

	if (!status && end->seen.reached < 50)
		assert_int_equal(hdmabuf_timeline_wait(timeline, point + 1), 0);
}

static void test_wait_from_callback(void **state)
{
	struct hdmabuf_timeline_handle *own, *found;
	struct pair pair = { 0 };

	(void)state;
	pair.back.hooks.reached = ask_again;
	pair_connect(&pair, NULL, NULL);
	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 0);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_wait(found, 1), 0);
	assert_int_equal(hdmabuf_timeline_signal(own, 1000), 0);
	pair_wait(&pair, &pair.back.seen.reached, 50);
	pair_check(&pair);
	pair_close(&pair);
}

/* An application that never gives up keeps itself busy, and nobody else. */
static void insist(void *user, struct hdmabuf_timeline_handle *timeline,
		   uint64_t point, uint16_t status)
{
	(void)user;
	(void)status;
	hdmabuf_timeline_wait(timeline, point);
}

static void test_insistent_waiter(void **state)
{
	struct hdmabuf_timeline_handle *own, *found;
	struct pair pair = { 0 };

	(void)state;
	pair.back.hooks.reached = insist;
	pair_connect(&pair, NULL, NULL);
	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 1);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_wait(found, 1), 0);
	pair_wait(&pair, &pair.back.seen.reached, 100);
	assert_int_equal(hdmabuf_timeline_fail(own, HDMABUF_STATUS_FAILED), 0);
	pair_check(&pair);
	assert_int_equal(hdmabuf_timeline_destroy(own), 0);
	pair_check(&pair);
	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 0);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_wait(found, 1), 0);
	/* The session ends with a wait under way. */
	pair_close(&pair);
}

/* ---- ends of waits ------------------------------------------------------- */

static void test_wait_ended_by_error(void **state)
{
	struct hdmabuf_timeline_handle *own, *found;
	struct order order = { 0 };
	struct pair pair = { 0 };

	(void)state;
	pair.back.context = &order;
	pair.back.hooks.reached = note_order;
	pair_connect(&pair, NULL, NULL);
	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 0);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_wait(found, 5), 0);
	assert_int_equal(hdmabuf_timeline_wait(found, 6), 0);
	pair_run(&pair);
	/* The point that came before the error is reached all the same. */
	assert_int_equal(hdmabuf_timeline_signal(own, 5), 0);
	assert_int_equal(hdmabuf_timeline_fail(own, HDMABUF_STATUS_DENIED), 0);
	assert_int_equal(hdmabuf_timeline_fail(own, HDMABUF_STATUS_BUSY),
			 -EPIPE);
	assert_int_equal(hdmabuf_timeline_signal(own, 6), -EPIPE);
	pair_wait(&pair, &order.count, 2);
	assert_int_equal(order.points[0], 5);
	assert_int_equal(order.statuses[0], 0);
	assert_int_equal(order.points[1], 6);
	assert_int_equal(order.statuses[1], HDMABUF_STATUS_DENIED);
	assert_int_equal(hdmabuf_timeline_wait(found, 7), 0);
	assert_int_equal(hdmabuf_timeline_wait(found, 2), 0);
	pair_wait(&pair, &order.count, 4);
	assert_int_equal(order.statuses[2], 0);
	assert_int_equal(order.statuses[3], HDMABUF_STATUS_DENIED);
	pair_close(&pair);
}

static void test_wait_ended_by_destroy(void **state)
{
	struct hdmabuf_timeline_handle *own, *found;
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	own = create(&pair.front, HDMABUF_SIGNALLER_PEER, 0);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_wait(own, 1), 0);
	assert_int_equal(hdmabuf_timeline_destroy(own), 0);
	assert_int_equal(pair.front.seen.reached, 1);
	assert_int_equal(pair.front.seen.reached_status,
			 HDMABUF_STATUS_CANCELLED);
	assert_int_equal(hdmabuf_timeline_destroy(own), -EINVAL);
	pair_run(&pair);
	/* The cell is the creator's again. */
	assert_int_equal(hdmabuf_timeline_signal(found, 1), -EPIPE);
	assert_int_equal(hdmabuf_timeline_fail(found, 1), -EPIPE);
	assert_null(hdmabuf_timeline_find(pair.back.session, 0));

	own = create(&pair.front, HDMABUF_SIGNALLER_CREATOR, 0);
	found = seen_by(&pair, &pair.front, own);
	assert_int_equal(hdmabuf_timeline_wait(found, 1), 0);
	pair_run(&pair);
	assert_int_equal(hdmabuf_timeline_destroy(own), 0);
	pair_wait(&pair, &pair.back.seen.reached, 1);
	assert_int_equal(pair.back.seen.reached_status,
			 HDMABUF_STATUS_CANCELLED);
	assert_int_equal(hdmabuf_timeline_wait(found, 1), -EPIPE);
	pair_check(&pair);
	pair_close(&pair);
}

static void check_lost(enum hdmabuf_role role)
{
	struct hdmabuf_timeline_handle *own;
	struct hdmabuf_request request;
	struct rig rig = { 0 };

	rig_connect(&rig, role, NULL);
	own = create(&rig.end, HDMABUF_SIGNALLER_PEER, 0);
	rig_grant(&rig, HDMABUF_OP_TIMELINE_CREATE, &request);
	assert_int_equal(hdmabuf_timeline_wait(own, 1), 0);
	rig_run(&rig);
	rig_greet(&rig);
	assert_int_equal(rig.end.seen.reached, 1);
	assert_int_equal(rig.end.seen.reached_status, HDMABUF_STATUS_LOST);
	rig_check(&rig);
	rig_close(&rig);
}

static void test_wait_ended_by_loss(void **state)
{
	(void)state;
	check_lost(HDMABUF_FRONTEND);
	check_lost(HDMABUF_BACKEND);
}

/* ---- numbers ------------------------------------------------------------- */

static void test_limit(void **state)
{
	struct hdmabuf_timeline_handle *timelines[64], *another;
	struct hdmabuf_config config;
	struct pair pair = { 0 };
	unsigned int i;

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_timelines = 3;
	pair_connect(&pair, NULL, &config);
	for (i = 0; i < 3; i++)
		timelines[i] = create(&pair.front, HDMABUF_SIGNALLER_PEER, 0);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &another),
			 -EDQUOT);
	pair_run(&pair);
	/* The other way, as many as there are cells. */
	for (i = 0; i < 64; i++) {
		timelines[i] = create(&pair.back, HDMABUF_SIGNALLER_PEER, i);
		pair_run(&pair);
	}
	assert_int_equal(hdmabuf_timeline_create(pair.back.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &another),
			 -EDQUOT);
	assert_int_equal(hdmabuf_timeline_destroy(timelines[17]), 0);
	pair_run(&pair);
	another = create(&pair.back, HDMABUF_SIGNALLER_CREATOR, 0);
	assert_int_equal(hdmabuf_timeline_number(another), 17);
	pair_run(&pair);
	assert_int_equal(pair.back.seen.refused, 0);
	assert_null(hdmabuf_timeline_find(pair.front.session, 64));
	assert_null(
		hdmabuf_timeline_find(pair.front.session, HDMABUF_NO_TIMELINE));
	pair_close(&pair);
}

/* ---- a peer that does it all wrong --------------------------------------- */

static uint16_t ask_create(struct rig *rig, uint32_t number, uint32_t signaller,
			   uint64_t point)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_TIMELINE_CREATE,
		.timeline = { number, signaller, point },
	};

	return rig_ask(rig, &request, NULL);
}

static uint16_t ask_destroy(struct rig *rig, uint32_t number)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_TIMELINE_DESTROY,
		.timeline = { .number = number },
	};

	return rig_ask(rig, &request, NULL);
}

static void test_create(void **state)
{
	struct hdmabuf_config config;
	struct rig rig = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_timelines = 8;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	assert_int_equal(ask_create(&rig, 8, 1, 0), HDMABUF_STATUS_LIMIT);
	assert_int_equal(ask_create(&rig, HDMABUF_NO_TIMELINE, 1, 0),
			 HDMABUF_STATUS_LIMIT);
	assert_int_equal(ask_create(&rig, 7, 0, 0), HDMABUF_STATUS_INVALID);
	assert_int_equal(ask_create(&rig, 7, 3, 0), HDMABUF_STATUS_INVALID);
	assert_int_equal(ask_create(&rig, 7, 1, 1), HDMABUF_STATUS_INVALID);
	hdmabuf_cell_init(rig.raw.own_cells + 7, 1ull << 33);
	assert_int_equal(ask_create(&rig, 7, 1, 1), HDMABUF_STATUS_INVALID);
	assert_int_equal(ask_create(&rig, 7, 1, 1ull << 33), HDMABUF_STATUS_OK);
	assert_int_equal(ask_create(&rig, 7, 1, 1ull << 33),
			 HDMABUF_STATUS_DUPLICATE);
	assert_int_equal(ask_destroy(&rig, 6), HDMABUF_STATUS_NO_SUCH_TIMELINE);
	assert_int_equal(ask_destroy(&rig, 8), HDMABUF_STATUS_NO_SUCH_TIMELINE);
	assert_int_equal(ask_destroy(&rig, 7), HDMABUF_STATUS_OK);
	assert_int_equal(ask_destroy(&rig, 7), HDMABUF_STATUS_NO_SUCH_TIMELINE);
	assert_int_equal(ask_create(&rig, 7, 2, 1ull << 33), HDMABUF_STATUS_OK);
	/* A cell that has failed before it began. */
	hdmabuf_cell_init(rig.raw.own_cells + 3, 0);
	hdmabuf_cell_fail(rig.raw.own_cells + 3, HDMABUF_STATUS_BUSY);
	assert_int_equal(ask_create(&rig, 3, 1, 0), HDMABUF_STATUS_INVALID);
	rig_check(&rig);
	rig_close(&rig);
}

/* A point that goes back, and one that is just being moved, are passed over. */
static void test_point_goes_back(void **state)
{
	struct hdmabuf_timeline_handle *found;
	struct hdmabuf_cell *cell;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	cell = rig.raw.own_cells;
	hdmabuf_cell_init(cell, 10);
	assert_int_equal(ask_create(&rig, 0, HDMABUF_SIGNALLER_CREATOR, 10),
			 HDMABUF_STATUS_OK);
	found = hdmabuf_timeline_find(rig.end.session, 0);
	hdmabuf_cell_signal(cell, 10, 20);
	assert_int_equal(hdmabuf_timeline_point(found), 20);
	hdmabuf_cell_signal(cell, 20, 15);
	assert_int_equal(hdmabuf_timeline_point(found), 20);
	cell->point_next = hdmabuf_put_le32(1);
	cell->point_low = hdmabuf_put_le32(99);
	assert_int_equal(hdmabuf_timeline_point(found), 20);
	cell->point_high = hdmabuf_put_le32(1);
	assert_int_equal(hdmabuf_timeline_point(found), (1ull << 32) + 99);
	cell->point_next = cell->point_high = 0;
	assert_int_equal(hdmabuf_timeline_point(found), (1ull << 32) + 99);
	rig_check(&rig);
	rig_close(&rig);
}

/* What the peer writes over a point of this end's is not looked at. */
static void test_own_point_overwritten(void **state)
{
	struct hdmabuf_timeline_handle *own;
	struct hdmabuf_request request;
	struct hdmabuf_cell *cell;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	own = create(&rig.end, HDMABUF_SIGNALLER_CREATOR, 5);
	rig_grant(&rig, HDMABUF_OP_TIMELINE_CREATE, &request);
	rig_run(&rig);
	cell = rig.raw.peer_cells;
	hdmabuf_cell_signal(cell, 5, 1000);
	hdmabuf_cell_fail(cell, HDMABUF_STATUS_BUSY);
	assert_int_equal(hdmabuf_timeline_point(own), 5);
	assert_int_equal(hdmabuf_timeline_signal(own, 6), 0);
	assert_int_equal(hdmabuf_timeline_point(own), 6);
	assert_int_equal(hdmabuf_cell_point(cell, 0), 6);
	rig_check(&rig);
	rig_close(&rig);
}

/* An error of the peer's may be any number. */
static void test_wild_error(void **state)
{
	static const uint32_t errors[] = { HDMABUF_STATUS_BUSY, 23, 0xffff,
					   0x10000, UINT32_MAX };
	struct rig rig = { 0 };
	uint32_t i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < 5; i++) {
		struct hdmabuf_cell *cell = rig.raw.own_cells + i;

		hdmabuf_cell_init(cell, 0);
		assert_int_equal(
			ask_create(&rig, i, HDMABUF_SIGNALLER_CREATOR, 0), 0);
		assert_int_equal(
			hdmabuf_timeline_wait(
				hdmabuf_timeline_find(rig.end.session, i), 1),
			0);
		rig_run(&rig);
		cell->error = hdmabuf_put_le32(errors[i]);
		raw_push(&rig.raw);
		rig_wait(&rig, &rig.end.seen.reached, i + 1);
		assert_int_equal(rig.end.seen.reached_status,
				 i ? HDMABUF_STATUS_FAILED :
				     HDMABUF_STATUS_BUSY);
	}
	rig_check(&rig);
	rig_close(&rig);
}

/* The end under test keeps to its own words of the cell. */
static void test_waiter_writes_wake_alone(void **state)
{
	struct hdmabuf_cell *cell, before;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	cell = rig.raw.own_cells;
	hdmabuf_cell_init(cell, 10);
	assert_int_equal(ask_create(&rig, 0, HDMABUF_SIGNALLER_CREATOR, 10), 0);
	assert_int_equal(
		hdmabuf_timeline_wait(hdmabuf_timeline_find(rig.end.session, 0),
				      0x123456789),
		0);
	before = *cell;
	rig_run(&rig);
	assert_int_equal(hdmabuf_get_le32(cell->wake), 0x23456789);
	before.wake = cell->wake;
	assert_memory_equal(&before, cell, sizeof(before));
	rig_close(&rig);
}

/* Nor does it signal a timeline that is not there any more. */
static void test_turn_done_too_late(void **state)
{
	struct hdmabuf_hand_off_body body = {
		.signal_point = 1,
		.wait_timeline = HDMABUF_NO_TIMELINE,
	};
	struct raw_buffer buffer;
	struct hdmabuf_cell *cell, before;
	struct hdmabuf_turn turn;
	struct rig rig = { 0 };

	(void)state;
	rig.end.policy.hold = true;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	cell = rig.raw.own_cells;
	hdmabuf_cell_init(cell, 0);
	assert_int_equal(ask_create(&rig, 0, HDMABUF_SIGNALLER_PEER, 0), 0);
	rig_share(&rig, &buffer, 4096, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(rig_hand_off(&rig, &buffer.id, &body, NULL), 0);
	turn = rig.end.seen.turns[0];
	assert_int_equal(ask_destroy(&rig, 0), 0);
	before = *cell;
	assert_int_equal(hdmabuf_turn_done(&turn, HDMABUF_STATUS_OK), 0);
	assert_memory_equal(&before, cell, sizeof(before));
	assert_int_equal(ask_create(&rig, 0, HDMABUF_SIGNALLER_PEER, 0), 0);
	assert_int_equal(hdmabuf_turn_done(&turn, HDMABUF_STATUS_OK), 0);
	assert_int_equal(hdmabuf_turn_done(&turn, HDMABUF_STATUS_FAILED), 0);
	assert_memory_equal(&before, cell, sizeof(before));
	/* One of its own is signalled; a lower point is passed over. */
	body.signal_point = 8;
	assert_int_equal(rig_hand_off(&rig, &buffer.id, &body, NULL), 0);
	turn = rig.end.seen.turns[0];
	assert_int_equal(hdmabuf_turn_done(&turn, HDMABUF_STATUS_OK), 0);
	assert_int_equal(hdmabuf_cell_point(cell, 0), 8);
	turn.signal_point = 7;
	assert_int_equal(hdmabuf_turn_done(&turn, HDMABUF_STATUS_OK), 0);
	assert_int_equal(hdmabuf_cell_point(cell, 0), 8);
	assert_int_equal(hdmabuf_turn_done(&turn, HDMABUF_STATUS_BUSY), 0);
	assert_int_equal(hdmabuf_cell_error(cell), HDMABUF_STATUS_BUSY);
	raw_buffer_free(&buffer);
	rig_close(&rig);
}

/* A timeline that the peer did not want never gets anywhere. */
static void test_create_refused(void **state)
{
	struct hdmabuf_timeline_handle *own;
	struct hdmabuf_request request;
	struct rig rig = { 0 };
	const union hdmabuf_message *message;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	own = create(&rig.end, HDMABUF_SIGNALLER_PEER, 0);
	assert_int_equal(hdmabuf_timeline_wait(own, 1), 0);
	rig_wait(&rig, &rig.raw.requests.count, 1);
	message = raw_take(&rig.raw.requests);
	assert_int_equal(hdmabuf_get_le16(message->header.operation),
			 HDMABUF_OP_TIMELINE_CREATE);
	raw_answer_plain(&rig.raw, message, HDMABUF_STATUS_NO_MEMORY);
	rig_wait(&rig, &rig.end.seen.reached, 1);
	assert_int_equal(rig.end.seen.reached_status, HDMABUF_STATUS_NO_MEMORY);
	assert_int_equal(rig.end.seen.refused, 1);
	assert_int_equal(rig.end.seen.answered_operation,
			 HDMABUF_OP_TIMELINE_CREATE);
	assert_int_equal(hdmabuf_timeline_wait(own, 1), -EPIPE);
	assert_int_equal(hdmabuf_timeline_destroy(own), 0);
	/* The peer has nothing that could be destroyed there. */
	rig_check(&rig);
	own = create(&rig.end, HDMABUF_SIGNALLER_PEER, 0);
	assert_int_equal(hdmabuf_timeline_number(own), 0);
	rig_grant(&rig, HDMABUF_OP_TIMELINE_CREATE, &request);
	rig_check(&rig);
	rig_close(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_initial_points),
		cmocka_unit_test(test_signal_at_once),
		cmocka_unit_test(test_wrong_signaller),
		cmocka_unit_test(test_many_waits),
		cmocka_unit_test(test_wait_from_callback),
		cmocka_unit_test(test_insistent_waiter),
		cmocka_unit_test(test_wait_ended_by_error),
		cmocka_unit_test(test_wait_ended_by_destroy),
		cmocka_unit_test(test_wait_ended_by_loss),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_point_goes_back),
		cmocka_unit_test(test_own_point_overwritten),
		cmocka_unit_test(test_wild_error),
		cmocka_unit_test(test_waiter_writes_wake_alone),
		cmocka_unit_test(test_turn_done_too_late),
		cmocka_unit_test(test_create_refused),
	};

	return hdmabuf_test_run("session_timeline", tests,
				sizeof(tests) / sizeof(tests[0]));
}
