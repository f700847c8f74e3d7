/* SPDX-License-Identifier: MIT */
/*
 * Waiting: that whatever comes ends it, notified or looked for; that nothing is missed in
 * between; and that the peer is spared its notifications as long as this end looks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "lib/session/internal.h"

#include "tests/raw_peer.h"

#define LOOKS 32

static struct hdmabuf_config with_looks(uint32_t looks, uint32_t format)
{
	struct hdmabuf_config config;

	hdmabuf_config_init(&config);
	config.looks = looks;
	config.ring_formats = 1u << format;
	return config;
}

static void connect_with(struct pair *pair, uint32_t looks, uint32_t format)
{
	struct hdmabuf_config config = with_looks(looks, format);

	memset(pair, 0, sizeof(*pair));
	pair_connect(pair, &config, &config);
	pair_run(pair);
}

static uint64_t notifications_of(const struct end *end)
{
	return hdmabuf_session_statistics(end->session)->notifications_sent;
}

static void send_echo(struct end *end)
{
	assert_int_equal(hdmabuf_session_echo(end->session, (uint8_t[56]){ 1 }),
			 0);
	hdmabuf_endpoint_flush(end->endpoint);
}

/* As if it had begun to look, and would go on when it waits. */
static void begin_to_look(struct end *end)
{
	pump_hold(end->session);
	timelines_hold(end->session);
	hdmabuf_waiting_init(&end->endpoint->waiting, LOOKS);
}

static void expect_nothing(struct end *end)
{
	assert_int_equal(hdmabuf_endpoint_wait(end->endpoint, 0), 0);
	assert_false(end_is_ready(end, 0));
}

static void expect_something(struct end *end)
{
	assert_int_equal(hdmabuf_endpoint_wait(end->endpoint, 0), 1);
	/* Until it is done. */
	assert_int_equal(hdmabuf_endpoint_wait(end->endpoint, 0), 1);
	end_dispatch(end);
}

/* Who may use one processor only does not look. */
static void test_one_processor(void **state)
{
	struct hdmabuf_config config;
	cpu_set_t all, one;
	int cpu = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	hdmabuf_config_init(&config);
	assert_int_equal(config.looks, 0);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	hdmabuf_config_init(&config);
	assert_int_equal(config.looks,
			 CPU_COUNT(&all) > 1 ? HDMABUF_WAITING_LOOKS : 0);
}

/* However it waits: a request, an answer, and nothing. */
static void test_everything_ends_a_wait(void **state)
{
	static const uint32_t looks[] = { 0, 1, LOOKS, 100000 };
	struct pair pair;
	size_t i;

	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		connect_with(&pair, looks[i], *(const uint32_t *)*state);
		expect_nothing(&pair.back);
		send_echo(&pair.front);
		expect_nothing(&pair.front);
		expect_something(&pair.back);
		expect_something(&pair.front);
		assert_int_equal(pair.front.seen.echoed, 1);
		expect_nothing(&pair.front);
		expect_nothing(&pair.back);
		pair_check(&pair);
		pair_close(&pair);
	}
}

/* What was asked for since the last dispatch() does not wait. */
static void test_waiting_flushes(void **state)
{
	struct pair pair;

	connect_with(&pair, LOOKS, *(const uint32_t *)*state);
	assert_int_equal(hdmabuf_session_echo(pair.front.session,
					      (uint8_t[56]){ 1 }),
			 0);
	assert_int_equal(hdmabuf_endpoint_wait(pair.front.endpoint, 0), 0);
	expect_something(&pair.back);
	expect_something(&pair.front);
	assert_int_equal(pair.front.seen.echoed, 1);
	pair_close(&pair);
}

/* Messages that come while this end looks: none notifies, and a look finds them. */
static void test_who_looks_is_not_notified(void **state)
{
	struct pair pair;
	uint64_t before;

	connect_with(&pair, LOOKS, *(const uint32_t *)*state);
	before = notifications_of(&pair.back);
	begin_to_look(&pair.front);
	send_echo(&pair.back);
	send_echo(&pair.back);
	assert_int_equal(notifications_of(&pair.back), before);
	assert_false(end_is_ready(&pair.front, 0));
	expect_something(&pair.front);

	send_echo(&pair.front);
	begin_to_look(&pair.front);
	end_dispatch(&pair.back);
	assert_int_equal(pair.back.seen.echoed, 2);
	assert_int_equal(notifications_of(&pair.back), before);
	assert_false(end_is_ready(&pair.front, 0));
	expect_something(&pair.front);
	assert_int_equal(pair.front.seen.echoed, 1);

	/* Who has looked in vain is. */
	expect_nothing(&pair.front);
	send_echo(&pair.back);
	assert_int_equal(notifications_of(&pair.back), before + 1);
	assert_true(end_is_ready(&pair.front, 0));
	expect_something(&pair.front);
	pair_close(&pair);
}

/* The same for who looks at a timeline. */
static void test_points_are_looked_for(void **state)
{
	struct hdmabuf_timeline_handle *here, *there;
	struct pair pair;
	uint64_t before;

	connect_with(&pair, LOOKS, *(const uint32_t *)*state);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &here),
			 0);
	pair_run(&pair);
	there = hdmabuf_timeline_find(pair.back.session, 0);
	assert_int_equal(hdmabuf_timeline_wait(here, 3), 0);
	assert_int_equal(hdmabuf_timeline_wait(here, 5), 0);
	pair_run(&pair);
	before = notifications_of(&pair.back);

	begin_to_look(&pair.front);
	assert_int_equal(hdmabuf_timeline_signal(there, 2), 0);
	expect_nothing(&pair.front);
	begin_to_look(&pair.front);
	assert_int_equal(hdmabuf_timeline_signal(there, 3), 0);
	assert_int_equal(notifications_of(&pair.back), before);
	expect_something(&pair.front);
	assert_int_equal(pair.front.seen.reached, 1);

	expect_nothing(&pair.front);
	assert_int_equal(hdmabuf_timeline_signal(there, 5), 0);
	assert_int_equal(notifications_of(&pair.back), before + 1);
	expect_something(&pair.front);
	assert_int_equal(pair.front.seen.reached, 2);

	/* An end with an error is one, too. */
	assert_int_equal(hdmabuf_timeline_wait(here, 9), 0);
	pair_run(&pair);
	assert_int_equal(hdmabuf_timeline_fail(there, HDMABUF_STATUS_FAILED),
			 0);
	expect_something(&pair.front);
	assert_int_equal(pair.front.seen.reached, 3);
	assert_int_equal(pair.front.seen.reached_status, HDMABUF_STATUS_FAILED);
	pair_close(&pair);
}

/* More than are looked at: they end the wait by their notification. */
static void test_many_timelines(void **state)
{
	struct hdmabuf_timeline_handle *here[2 * LOOK_TIMELINES], *there;
	struct pair pair;
	uint32_t i;

	connect_with(&pair, LOOKS, *(const uint32_t *)*state);
	for (i = 0; i < 2 * LOOK_TIMELINES; i++) {
		assert_int_equal(hdmabuf_timeline_create(pair.front.session,
							 HDMABUF_SIGNALLER_PEER,
							 0, &here[i]),
				 0);
		assert_int_equal(hdmabuf_timeline_wait(here[i], 1), 0);
	}
	pair_run(&pair);
	for (i = 0; i < 2 * LOOK_TIMELINES; i++) {
		expect_nothing(&pair.front);
		there = hdmabuf_timeline_find(pair.back.session, i);
		assert_int_equal(hdmabuf_timeline_signal(there, 1), 0);
		expect_something(&pair.front);
		assert_int_equal(pair.front.seen.reached, i + 1);
	}
	pair_close(&pair);
}

/* A peer that breaks the rules ends a wait; it is no reason to go on looking. */
static void test_nonsense_ends_a_wait(void **state)
{
	struct hdmabuf_config config = with_looks(LOOKS, HDMABUF_RING_FORMAT_0);
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	begin_to_look(&rig.end);
	hdmabuf_shared_write(&rig.raw.own.indices->req_prod, 0x12345678);
	expect_something(&rig.end);
	assert_int_equal(rig.end.seen.disconnected, 1);
	rig_check_anew(&rig);
	rig_close(&rig);
}

/* With no session, and after one. */
static void test_nobody_there(void **state)
{
	struct hdmabuf_config config = with_looks(LOOKS, HDMABUF_RING_FORMAT_0);
	struct pair pair = { 0 };

	(void)state;
	pair_open(&pair, &config, &config);
	assert_int_equal(hdmabuf_endpoint_wait(pair.back.endpoint, 0), 1);
	pair_wait(&pair, &pair.front.seen.connected, 1);
	pair_run(&pair);
	end_close(&pair.back);
	assert_int_equal(hdmabuf_endpoint_wait(pair.front.endpoint, -1), 1);
	pair_wait(&pair, &pair.front.seen.disconnected, 1);
	pair_run(&pair);
	assert_in_range(hdmabuf_endpoint_wait(pair.front.endpoint, 1), 0, 1);
	end_close(&pair.front);
}

static void ignore(int number)
{
	(void)number;
}

static void test_a_signal_ends_a_wait(void **state)
{
	struct sigaction action = { .sa_handler = ignore };
	struct itimerval soon = { { 0, 5000 }, { 0, 5000 } }, never = { 0 };
	struct pair pair;

	(void)state;
	connect_with(&pair, LOOKS, HDMABUF_RING_FORMAT_0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(hdmabuf_endpoint_wait(pair.front.endpoint, -1),
			 -EINTR);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	pair_check(&pair);
	pair_close(&pair);
}

/* ---- Nothing is missed ---------------------------------------------------------- */

/* What happens just before a notification of a point is asked for. */
static struct {
	struct hdmabuf_timeline_handle *timeline;
	uint64_t point;
} meanwhile;

void __real_hdmabuf_cell_arm(struct hdmabuf_cell *cell, uint64_t point);
void __wrap_hdmabuf_cell_arm(struct hdmabuf_cell *cell, uint64_t point);

void __wrap_hdmabuf_cell_arm(struct hdmabuf_cell *cell, uint64_t point)
{
	if (meanwhile.point)
		assert_int_equal(hdmabuf_timeline_signal(meanwhile.timeline,
							 meanwhile.point),
				 0);
	meanwhile.point = 0;
	__real_hdmabuf_cell_arm(cell, point);
}

/* HDB-BOTH-059, for the next point when the first is reached too soon for that. */
static void test_the_next_point_is_armed(void **state)
{
	struct hdmabuf_timeline_handle *here;
	struct pair pair;

	connect_with(&pair, 0, *(const uint32_t *)*state);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &here),
			 0);
	pair_run(&pair);
	meanwhile.timeline = hdmabuf_timeline_find(pair.back.session, 0);
	meanwhile.point = 1;
	assert_int_equal(hdmabuf_timeline_wait(here, 1), 0);
	assert_int_equal(hdmabuf_timeline_wait(here, 2), 0);
	pair_run(&pair);
	assert_int_equal(pair.front.seen.reached, 1);
	assert_int_equal(hdmabuf_timeline_signal(meanwhile.timeline, 2), 0);
	assert_true(end_is_ready(&pair.front, 0));
	pair_wait(&pair, &pair.front.seen.reached, 2);
	pair_close(&pair);
}

#define ECHOES 300

static void echo_again(void *user, struct hdmabuf_session *session,
		       const uint8_t *octets, const struct hdmabuf_fault *fault)
{
	struct end *end = user;

	(void)fault;
	if (end->seen.echoed < ECHOES)
		hdmabuf_session_echo(session, octets);
}

static uint64_t requests_to(const struct end *end)
{
	return hdmabuf_session_statistics(end->session)->requests_received;
}

static void *serve_echoes(void *argument)
{
	struct end *end = argument;
	uint64_t last = requests_to(end) + ECHOES;

	while (requests_to(end) < last)
		if (hdmabuf_endpoint_wait(end->endpoint, -1) < 0 ||
		    hdmabuf_endpoint_dispatch(end->endpoint))
			return NULL;
	return argument;
}

/*
 * Whoever looks longer, and whether both do: each message arrives. A notification that is
 * missed hangs this test.
 */
static void test_two_threads(void **state)
{
	static const uint32_t looks[][2] = {
		{ 0, 0 }, { 0, 20 }, { 20, 0 }, { 20, 20 }, { 2000, 2000 }
	};
	uint32_t format = *(const uint32_t *)*state;
	size_t i;

	for (i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		struct hdmabuf_config front = with_looks(looks[i][0], format);
		struct hdmabuf_config back = with_looks(looks[i][1], format);
		struct pair pair = { .front.hooks.echoed = echo_again };
		pthread_t thread;
		void *served;

		pair_connect(&pair, &front, &back);
		pair_run(&pair);
		assert_int_equal(pthread_create(&thread, NULL, serve_echoes,
						&pair.back),
				 0);
		send_echo(&pair.front);
		while (pair.front.seen.echoed < ECHOES) {
			assert_int_equal(
				hdmabuf_endpoint_wait(pair.front.endpoint, -1),
				1);
			end_dispatch(&pair.front);
		}
		assert_int_equal(pthread_join(thread, &served), 0);
		assert_ptr_equal(served, &pair.back);
		/* None more than asked for. */
		assert_in_range(notifications_of(&pair.front), 0, ECHOES + 16);
		assert_in_range(notifications_of(&pair.back), 0, ECHOES + 16);
		pair_close(&pair);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_processor),
		PAIR_TEST_OVER(test_everything_ends_a_wait, 0),
		PAIR_TEST_OVER(test_everything_ends_a_wait, 1),
		PAIR_TEST_OVER(test_waiting_flushes, 0),
		PAIR_TEST_OVER(test_waiting_flushes, 1),
		PAIR_TEST_OVER(test_who_looks_is_not_notified, 0),
		PAIR_TEST_OVER(test_who_looks_is_not_notified, 1),
		PAIR_TEST_OVER(test_points_are_looked_for, 0),
		PAIR_TEST_OVER(test_points_are_looked_for, 1),
		PAIR_TEST_OVER(test_many_timelines, 0),
		PAIR_TEST_OVER(test_many_timelines, 1),
		cmocka_unit_test(test_nonsense_ends_a_wait),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_a_signal_ends_a_wait),
		PAIR_TEST_OVER(test_the_next_point_is_armed, 0),
		PAIR_TEST_OVER(test_the_next_point_is_armed, 1),
		PAIR_TEST_OVER(test_two_threads, 0),
		PAIR_TEST_OVER(test_two_threads, 1),
	};

	return hdmabuf_test_run("session_wait", tests,
				sizeof(tests) / sizeof(tests[0]));
}
