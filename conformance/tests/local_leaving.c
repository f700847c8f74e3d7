/* SPDX-License-Identifier: MIT */
/* local_leaving.c - the binding "local": LEAVE, and connections that end without */
#include "conformance/internal.h"
#include "conformance/tests/local_raw.h"
#include "conformance/tests/tests.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* References of grants that are not needed for anything. */
#define FIRST 5000
#define COUNT 4

static void grant_many(struct raw *raw, uint32_t count)
{
	int fd = memory_make_pages(raw->end->test, COUNT);

	for (uint32_t i = 0; i < count; i++)
		raw_send_grant(raw, FIRST + i * COUNT, COUNT, fd);
	close(fd);
}

static void revoke_many(struct raw *raw, uint32_t from, uint32_t count)
{
	for (uint32_t i = from; i < from + count; i++)
		raw_send_references(raw, HDMABUF_LOCAL_REVOKE,
				    FIRST + i * COUNT, COUNT);
}

/* ---- nothing after LEAVE -------------------------------------------------- */

static void end_and_check(struct raw *raw)
{
	if (!raw_await_end(raw))
		inconclusive(raw->end->test,
			     "the IUT does not end its side of the connection");
	raw_check_last(raw);
	raw_start_over(raw->end->test);
}

/* With REVOKE on its way before LEAVE and behind it. */
static void answers_to_leave(struct test *test)
{
	struct raw *raw = raw_of(raw_connect(test));

	comment(test, "REVOKE, LEAVE, and a record behind it");
	grant_many(raw, 20);
	revoke_many(raw, 0, 10);
	raw_send_leave(raw);
	revoke_many(raw, 10, 10);
	end_publish(raw->end, "colour=blue\n");
	end_and_check(raw);
	raw = raw_of(raw_connect(test));
	comment(test, "a packet that is wrong, and REVOKE behind it");
	grant_many(raw, 20);
	raw_send_references(raw, HDMABUF_LOCAL_REVOKE, FIRST + 1, COUNT);
	revoke_many(raw, 0, 20);
	end_and_check(raw);
}

/* Of its standard input, which tells it to end in good order. */
static void end_input(struct test *test)
{
	test_iut_may_end(test);
	note(test, SPEAKER_SUITE, "ends the IUT's standard input");
	close(test->iut->in);
	test->iut->in = -1;
}

static void last_words(struct test *test)
{
	struct raw *raw = raw_of(raw_connect(test));

	grant_many(raw, 20);
	end_input(test);
	if (!raw_await_end(raw))
		inconclusive(test, "the IUT does not end");
	raw_check_last(raw);
	iut_stop(test->iut, test);
	test->iut->ended = false;
}

/* ---- unmapped first ------------------------------------------------------- */

static bool maps_memory(const struct raw *raw,
			const struct hdmabuf_memory *memory)
{
	struct look look;

	look_at(memory->fd, &look);
	return process_maps(raw->pid, look.device, look.inode, false);
}

static void require_visible(struct raw *raw)
{
	if (!process_is_visible(raw->pid))
		skip(raw->end->test,
		     "the memory of the IUT's process cannot be seen");
}

/* A large channel takes its time to be unmapped. */
static void channel_goes_first(struct test *test)
{
	for (unsigned int i = 0; i < 10; i++) {
		struct end *end = raw_open(test);
		struct raw *raw = raw_of(end);

		end->greeting.ring_order = HDMABUF_RING_ORDER_MAX;
		end->greeting.timeline_pages = HDMABUF_TIMELINE_PAGES_MAX / 2;
		end_greet(end);
		require_visible(raw);
		if (!end_sanity(end) || !maps_memory(raw, &end->memory))
			inconclusive(test, "the channel is not mapped");
		raw_send_leave(raw);
		if (!raw_await_end(raw))
			inconclusive(test, "the IUT does not end its side");
		check(test, HDB_LOCAL_020, !maps_memory(raw, &end->memory),
		      "the IUT has ended its side, and has the channel mapped");
		raw_start_over(test);
	}
}

static void buffer_goes_first(struct test *test)
{
	const struct plan plan = { .size = 32 << 20 };

	for (unsigned int i = 0; i < 3; i++) {
		struct end *end = raw_connect(test);
		struct raw *raw = raw_of(end);
		struct buffer buffer;
		char name[33];

		require_visible(raw);
		buffer_share(end, &buffer, &plan);
		buffer_hand_off(&buffer, HDMABUF_NO_TIMELINE, 0, NULL);
		if (!event_await(test, "turn %s", buffer_name(&buffer, name)) ||
		    !maps_memory(raw, buffer.memory))
			inconclusive(test, "the buffer is not mapped");
		raw_send_leave(raw);
		if (!raw_await_end(raw))
			inconclusive(test, "the IUT does not end its side");
		check(test, HDB_LOCAL_020, !maps_memory(raw, buffer.memory),
		      "the IUT has ended its side, and has a buffer mapped");
		raw_start_over(test);
	}
}

/* What its application keeps, the connection has to wait for. */
static void kept_buffer_holds_the_end(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);
	struct buffer buffer;
	char name[33];

	require_visible(raw);
	control(test, "keep on");
	buffer_share(end, &buffer, NULL);
	buffer_name(&buffer, name);
	control(test, "map %s", name);
	buffer_unexport(&buffer, 0, NULL);
	comment(test, "the buffer is wanted back, and stays mapped");
	raw_send_leave(raw);
	let_pass(test, 100);
	check(test, HDB_LOCAL_020,
	      !raw->ended || !maps_memory(raw, buffer.memory),
	      "the IUT has ended its side, and has a buffer mapped");
	control_try(test, "release %s", name);
	control(test, "keep off");
	check(test, HDB_LOCAL_020,
	      raw_await_end(raw) && !maps_memory(raw, buffer.memory),
	      "the IUT does not let go of a buffer and end its side");
}

/* The name of a buffer, of which events of other tests do not tell. */
#define OWN "a%d"

/* ---- what is taken for revoked -------------------------------------------- */

/* A buffer of the IUT, of which the suite has a page mapped. */
static struct raw *await_export(struct test *test)
{
	struct end *end = raw_connect(test);
	struct their_buffer *buffer;

	control(test, "export " OWN " size=20000", getpid());
	buffer = end_await_buffer(end);
	if (!buffer || !event_await(test, "exported " OWN " 0", getpid()) ||
	    !end_map_buffer(end, buffer, HDMABUF_RIGHTS_READ_ONLY))
		inconclusive(test, "the IUT exports no buffer");
	return raw_of(end);
}

static bool is_released(struct test *test)
{
	return event_find(test, "released " OWN, getpid());
}

/* Long enough for an IUT that does not wait for anything. */
static bool stays_in_quarantine(struct test *test)
{
	if (!event_await(test, "quarantined " OWN, getpid()))
		inconclusive(test, "the IUT does not tell of quarantine");
	let_pass(test, 200);
	return !is_released(test);
}

static void lost_socket(struct test *test)
{
	struct raw *raw = await_export(test);
	struct end *end;

	comment(test, "the socket is closed, and who had it lives");
	raw_vanish(raw);
	check(test, HDB_LOCAL_021, stays_in_quarantine(test),
	      "the socket is gone, without LEAVE and without a death, and the buffer is released");
	comment(test, "nor by another session");
	end_close(raw->end);
	end = test_connect(test);
	check(test, HDB_LOCAL_021, end_sanity(end) && !is_released(test),
	      "the buffer is released, and who had it mapped lives");
}

static void one_side_open(struct test *test)
{
	struct raw *raw = await_export(test);

	comment(test, "LEAVE, and the side of the suite is not ended");
	raw_send_leave(raw);
	check(test, HDB_LOCAL_021, stays_in_quarantine(test),
	      "the suite has not ended its side, and the buffer is released");
	comment(test, "and now it is");
	raw_shut(raw);
	check(test, HDB_LOCAL_021, event_await(test, "released " OWN, getpid()),
	      "the suite has said LEAVE and ended its side, and the buffer is not released");
}

/* The other order: LEAVE is the answer to the IUT's own. */
static void junk_after_leave(struct test *test)
{
	static const uint8_t nothing[PACKET_OCTETS] = { 0 };
	struct raw *raw = await_export(test);
	packet_t packet;
	int fd;

	comment(test, "a packet that is wrong: the IUT leaves");
	raw_send_references(raw, HDMABUF_LOCAL_REVOKE, 77777, 1);
	if (!raw_await(raw, HDMABUF_LOCAL_LEAVE))
		inconclusive(test, "the IUT does not say LEAVE");
	comment(test, "after that, anything");
	fd = memory_make_pages(test, COUNT);
	raw_send_grant(raw, 0, COUNT, fd);
	raw_send_grant(raw, FIRST, COUNT, fd);
	close(fd);
	raw_send_references(raw, HDMABUF_LOCAL_REVOKE, FIRST, COUNT);
	raw_send_references(raw, HDMABUF_LOCAL_REVOKE, 1, COUNT);
	raw_send_references(raw, HDMABUF_LOCAL_REVOKED, 77777, 1);
	raw_send_attach(raw, -1);
	raw_send(raw, nothing, sizeof(nothing), NULL, 0);
	raw_send(raw, nothing, 1, NULL, 0);
	packet_init(packet, HDMABUF_LOCAL_RECORD);
	raw_send_packet(raw, packet, -1);
	check(test, HDB_LOCAL_021, stays_in_quarantine(test),
	      "the suite has not said LEAVE, and the buffer is released");
	comment(test, "and then LEAVE");
	raw_send_leave(raw);
	raw_shut(raw);
	check(test, HDB_LOCAL_024, event_await(test, "released " OWN, getpid()),
	      "after packets that it had to ignore, the IUT does not see LEAVE");
	raw_check_last(raw);
}

/* REVOKED still counts after LEAVE, for what was being revoked. */
static void revoked_after_leave(struct test *test)
{
	struct raw *raw = await_export(test);
	const struct arrived *grant;

	grant = raw_find_grant(raw, raw->end->buffers[0].references[0]);
	if (!grant)
		inconclusive(test, "the buffer is not granted");
	raw->withholds = true;
	control(test, "unexport " OWN, getpid());
	for (uint64_t deadline = test_deadline(test);
	     !grant->revoking && test_wait(test, deadline);)
		;
	if (!grant->revoking)
		inconclusive(test, "the IUT does not revoke the buffer");
	comment(test, "a packet that is wrong: the IUT leaves");
	raw_send_references(raw, HDMABUF_LOCAL_REVOKE, 77777, 1);
	if (!raw_await(raw, HDMABUF_LOCAL_LEAVE))
		inconclusive(test, "the IUT does not say LEAVE");
	check(test, HDB_LOCAL_021, stays_in_quarantine(test),
	      "REVOKED has not come, and the buffer is released");
	comment(test, "REVOKED of all, late");
	raw->withholds = false;
	for (size_t i = 0; i < raw->arrived_count; i++)
		raw_answer_revoke(raw, raw->arrived[i]);
	check(test, HDB_LOCAL_024, event_await(test, "released " OWN, getpid()),
	      "REVOKED has come after LEAVE, and the buffer is not released");
}

/* Until it is killed. */
static void keep_a_buffer(struct end *end, unsigned int step)
{
	struct their_buffer *buffer;

	(void)step;
	if (!end_try_greet(end))
		return;
	buffer = end_await_buffer(end);
	if (buffer)
		end_map_buffer(end, buffer, HDMABUF_RIGHTS_READ_ONLY);
	for (;;)
		test_wait(end->test, test_deadline(end->test));
}

static void dead_peer(struct test *test)
{
	pid_t pid = play_start(test, keep_a_buffer, 0);

	play_await_session(test);
	control(test, "export " OWN " size=20000", getpid());
	if (!event_await(test, "exported " OWN " 0", getpid()))
		inconclusive(test, "the IUT exports no buffer");
	comment(test, "who has the buffer is killed");
	kill(pid, SIGKILL);
	play_await(test, pid);
	check(test, HDB_LOCAL_021, event_await(test, "released " OWN, getpid()),
	      "who had the buffer is dead, and it is not released");
}

static const struct test_case cases[] = {
	TEST_LOCAL(answers_to_leave, "Nothing is sent after LEAVE", OF_BOTH, 0,
		   HDB_LOCAL_019),
	TEST_LOCAL(last_words, "An IUT that ends says LEAVE last", OF_BOTH,
		   OPTION_CONTROL, HDB_LOCAL_019),
	TEST_LOCAL(channel_goes_first,
		   "A side is ended when the channel is unmapped", OF_BACKEND,
		   0, HDB_LOCAL_020),
	TEST_LOCAL(buffer_goes_first,
		   "A side is ended when all buffers are unmapped", OF_BOTH,
		   OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
		   HDB_LOCAL_020),
	TEST_LOCAL(kept_buffer_holds_the_end,
		   "A side is not ended while the application keeps a buffer",
		   OF_BOTH, OPTION_IMPORT | OPTION_CONTROL, HDB_LOCAL_020),
	TEST_LOCAL(
		lost_socket,
		"What a living peer had is not free because its socket is gone",
		OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_LOCAL_021),
	TEST_LOCAL(one_side_open,
		   "What a peer had is free when it has left and ended its side",
		   OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_LOCAL_021),
	TEST_LOCAL(dead_peer, "What a peer had is free when it is dead",
		   OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_LOCAL_021),
	TEST_LOCAL(junk_after_leave,
		   "After LEAVE, everything but REVOKED and LEAVE is ignored",
		   OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_LOCAL_019,
		   HDB_LOCAL_021, HDB_LOCAL_024),
	TEST_LOCAL(revoked_after_leave, "REVOKED still counts after LEAVE",
		   OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_LOCAL_021,
		   HDB_LOCAL_024),
};

TEST_GROUP(local_leaving, cases);
