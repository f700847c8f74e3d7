/* SPDX-License-Identifier: MIT */
/*
 * Many sessions, many buffers, many hand-offs; and peers that flood, stall, or never give
 * anything back. What arrives is counted, and what it takes is held against limits.
 *
 *	load_test		the tests, with small numbers
 *	load_test --full	with large ones: 1,000 sessions, 100,000 buffers, one after the
 *				other and at once, and as many hand-offs as there are in a
 *				day of 60 frames a second
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/having.h"
#include "tests/pair.h"

#define PAGE 4096u

/* Frontends of one process, and frames that each hands off. */
#define CROWD  50u
#define FRAMES 3u

/*
 * What a session may take of a backend's memory: channel, directory and data that are
 * mapped, which are 8 pages, and as much again for what is kept of it.
 */
#define SESSION_OCTETS (16 * PAGE)

/* A sanitizer has memory of its own for all of it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OTHERS_MEMORY 1
#else
#define OTHERS_MEMORY 0
#endif

/* Descriptors that a process has for an end or a session, at most. */
#define DESCRIPTORS 20u

static struct {
	unsigned int sessions;
	unsigned int buffers;
	unsigned int held;
	unsigned int hand_offs;
} size = { 60, 1000, 2000, 50000 };

struct place {
	char folder[32];
	char address[64];
};

static void place_make(struct place *place)
{
	strcpy(place->folder, "/tmp/hdmabuf-test-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->address, sizeof(place->address), "local:%s/socket",
		 place->folder);
}

static void open_at(const struct place *place, struct end *end,
		    enum hdmabuf_role role, const struct hdmabuf_config *config)
{
	struct hdmabuf_platform platform;
	char error[256];

	if (hdmabuf_platform_open(place->address, role, &platform, error,
				  sizeof(error)))
		fail_msg("%s", error);
	end_open(end, platform, role, config);
}

static void allow_descriptors(unsigned int count)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < count)
		hdmabuf_test_skip("only %lu descriptors are allowed, not %u",
				  (unsigned long)limit.rlim_max, count);
	if (limit.rlim_cur < count)
		limit.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Until @counter is @value, as long as anything happens in time. */
static void end_wait(struct end *end, const unsigned int *counter,
		     unsigned int value)
{
	while (*counter < value) {
		hdmabuf_endpoint_flush(end->endpoint);
		if (!end_is_ready(end, 30000))
			fail_msg("%u of %u", *counter, value);
		end_dispatch(end);
	}
}

/* ---- many sessions ----------------------------------------------------------- */

/* One frontend of a crowd. */
struct one {
	struct end end;
	struct sample sample;
};

static void one_connected(void *user, struct hdmabuf_session *session)
{
	struct one *one = ((struct end *)user)->context;

	(void)session;
	sample_make(&one->sample, user, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&one->sample, user), 0);
}

static void one_exported(void *user, struct hdmabuf_buffer *buffer,
			 const struct hdmabuf_fault *fault)
{
	unsigned int i;

	(void)user;
	assert_null(fault);
	for (i = 0; i < FRAMES; i++)
		assert_int_equal(
			pair_hand_off(buffer, NULL, 0, NULL, 0, i, false), 0);
}

/* Until the other end of that pipe is closed. */
static void crowd_live(struct one *ones, unsigned int count, int pipe)
{
	struct pollfd fds[CROWD + 1];
	unsigned int i;

	fds[count] = (struct pollfd){ .fd = pipe, .events = POLLIN };
	for (i = 0; i < count; i++)
		fds[i] = (struct pollfd){
			.fd = hdmabuf_endpoint_fd(ones[i].end.endpoint),
			.events = POLLIN,
		};
	while (poll(fds, count + 1, -1) > 0 && !fds[count].revents)
		for (i = 0; i < count; i++)
			if (fds[i].revents)
				end_dispatch(&ones[i].end);
}

static void crowd(const struct place *place, unsigned int count, int pipe)
{
	static struct one ones[CROWD];
	unsigned int i;

	for (i = 0; i < count; i++) {
		ones[i].end.context = &ones[i];
		ones[i].end.hooks.connected = one_connected;
		ones[i].end.hooks.exported = one_exported;
		open_at(place, &ones[i].end, HDMABUF_FRONTEND, NULL);
	}
	crowd_live(ones, count, pipe);
	for (i = 0; i < count; i++) {
		end_close(&ones[i].end);
		sample_free(&ones[i].sample);
	}
}

static void start_crowds(const struct place *place, unsigned int sessions,
			 const int *pipe)
{
	unsigned int count;
	pid_t pid;

	for (; sessions; sessions -= count) {
		count = sessions < CROWD ? sessions : CROWD;
		pid = fork();
		assert_true(pid >= 0);
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipe[1]);
		crowd(place, count, pipe[0]);
		_exit(0);
	}
}

/* Those that were forked before this end had anything. */
static void reap_crowds(unsigned int sessions)
{
	unsigned int i;
	int status;

	for (i = 0; i < (sessions + CROWD - 1) / CROWD; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
}

static void test_sessions(void **state)
{
	struct end back = { .policy = { .map = true } };
	struct hdmabuf_config config;
	struct having before, full, after;
	struct place place;
	int fds[2];

	(void)state;
	allow_descriptors(size.sessions * DESCRIPTORS);
	place_make(&place);
	assert_int_equal(pipe(fds), 0);
	start_crowds(&place, size.sessions, fds);
	close(fds[0]);
	hdmabuf_config_init(&config);
	config.max_sessions = size.sessions;
	open_at(&place, &back, HDMABUF_BACKEND, &config);
	before = having_now();
	end_wait(&back, &back.seen.connected, size.sessions);
	end_wait(&back, &back.seen.handed_off, size.sessions * FRAMES);
	full = having_now();
	printf("%u sessions: %zu octets each\n", size.sessions,
	       (full.resident - before.resident) / size.sessions);
	assert_int_equal(back.seen.imported, size.sessions);
	if (!OTHERS_MEMORY)
		assert_in_range(full.resident, before.resident,
				before.resident +
					(size_t)size.sessions * SESSION_OCTETS);
	close(fds[1]);
	end_wait(&back, &back.seen.disconnected, size.sessions);
	reap_crowds(size.sessions);
	after = having_now();
	assert_int_equal(after.mappings, 0);
	assert_in_range(after.descriptors, 0, before.descriptors);
	assert_in_range(after.octets, 0, before.octets + 65536);
	end_close(&back);
	assert_int_equal(rmdir(place.folder), 0);
}

/* ---- many buffers ------------------------------------------------------------- */

#define AT_A_TIME 64u

static void test_buffers(void **state)
{
	struct sample samples[AT_A_TIME];
	struct having before, after;
	struct pair pair = { 0 };
	unsigned int done, i;

	(void)state;
	pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &samples[0], PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	pair_unshare(&pair, &pair.front, &samples[0]);
	before = having_now();
	for (done = 0; done < size.buffers; done += AT_A_TIME) {
		for (i = 0; i < AT_A_TIME; i++) {
			sample_make(&samples[i], &pair.front, PAGE,
				    HDMABUF_RIGHTS_READ_ONLY);
			assert_int_equal(
				sample_export(&samples[i], &pair.front), 0);
			if (i % 16 == 15)
				pair_run(&pair);
		}
		pair_wait(&pair, &pair.front.seen.exported,
			  done + AT_A_TIME + 1);
		for (i = 0; i < AT_A_TIME; i++) {
			assert_int_equal(
				hdmabuf_unexport(samples[i].buffer, 1000), 0);
			if (i % 16 == 15)
				pair_run(&pair);
		}
		pair_wait(&pair, &pair.front.seen.released,
			  done + AT_A_TIME + 1);
		for (i = 0; i < AT_A_TIME; i++)
			sample_free(&samples[i]);
	}
	after = having_now();
	assert_int_equal(pair.front.seen.exports_refused, 0);
	assert_int_equal(pair.front.seen.quarantined, 0);
	assert_int_equal(pair.back.seen.imported, done + 1);
	assert_int_equal(after.mappings, before.mappings);
	assert_in_range(after.descriptors, 0, before.descriptors);
	assert_in_range(after.octets, 0, before.octets + 65536);
	printf("%u buffers\n", done);
	pair_close(&pair);
}

/* ---- many buffers at a time ------------------------------------------------------ */

/* Allocated by both ends for a buffer, at most. */
#define BUFFER_OCTETS 2048u
/* That are sent before they are waited for; the ring has room for more. */
#define REQUESTS 16u

/* Many buffers of one memory: a session may have few descriptors. */
struct shelf {
	struct pair pair;
	struct hdmabuf_config config; /* of the backend */
	struct sample sample;
	struct hdmabuf_buffer **buffers;
};

/* No more than are announced, and those. */
static void shelf_open(struct shelf *shelf)
{
	memset(shelf, 0, sizeof(*shelf));
	hdmabuf_config_init(&shelf->config);
	shelf->config.limits.max_buffers = size.held;
	shelf->config.limits.max_octets = (uint64_t)size.held * PAGE;
	shelf->buffers = calloc(size.held, sizeof(*shelf->buffers));
	assert_non_null(shelf->buffers);
	pair_connect(&shelf->pair, NULL, &shelf->config);
	sample_make(&shelf->sample, &shelf->pair.front, PAGE,
		    HDMABUF_RIGHTS_READ_ONLY);
}

static int shelf_export(struct shelf *shelf, struct hdmabuf_buffer **buffer)
{
	return hdmabuf_export(shelf->pair.front.session, &shelf->sample.memory,
			      &shelf->sample.info, NULL, buffer);
}

static void shelf_fill(struct shelf *shelf)
{
	struct end *front = &shelf->pair.front;
	struct hdmabuf_buffer *more;
	unsigned int i;

	for (i = 0; i < size.held; i++) {
		assert_int_equal(shelf_export(shelf, &shelf->buffers[i]), 0);
		if (i % REQUESTS == REQUESTS - 1)
			pair_run(&shelf->pair);
	}
	pair_wait(&shelf->pair, &front->seen.exported, size.held);
	assert_int_equal(front->seen.exports_refused, 0);
	assert_int_equal(shelf->pair.back.seen.imported, size.held);
	assert_int_equal(shelf_export(shelf, &more), -EDQUOT);
}

/* The first, nearly the last, and some between them: each is found. */
static void shelf_hand_off(struct shelf *shelf)
{
	const struct journal *seen = &shelf->pair.back.seen;
	struct hdmabuf_buffer *buffer;
	unsigned int i, count = 0;

	for (i = 0; i < size.held; i += (size.held - 1) / 7) {
		buffer = shelf->buffers[i];
		assert_int_equal(
			pair_hand_off(buffer, NULL, 0, NULL, 0, i, false), 0);
		pair_wait(&shelf->pair, &seen->handed_off, ++count);
		assert_int_equal(seen->turns[0].stamp, i);
		assert_memory_equal(hdmabuf_buffer_id(seen->turns[0].buffer),
				    hdmabuf_buffer_id(buffer),
				    sizeof(struct hdmabuf_id));
	}
	assert_int_equal(count, 8);
}

static void shelf_empty(struct shelf *shelf)
{
	unsigned int i;

	for (i = 0; i < size.held; i++) {
		assert_int_equal(hdmabuf_unexport(shelf->buffers[i], 1000), 0);
		if (i % REQUESTS == REQUESTS - 1)
			pair_run(&shelf->pair);
	}
	pair_wait(&shelf->pair, &shelf->pair.front.seen.released, size.held);
	assert_int_equal(shelf->pair.front.seen.quarantined, 0);
}

static void test_buffers_at_once(void **state)
{
	struct having before, empty, full, after;
	struct shelf shelf;

	(void)state;
	before = having_now();
	shelf_open(&shelf);
	empty = having_now();
	shelf_fill(&shelf);
	full = having_now();
	printf("%u buffers at a time: %zu octets each\n", size.held,
	       (full.octets - empty.octets) / size.held);
	assert_in_range(full.octets, 0,
			empty.octets + (size_t)size.held * BUFFER_OCTETS);
	/* Of the last descriptions, those of both ends go with what comes next. */
	assert_in_range(full.descriptors, 0,
			empty.descriptors + 2 + 2 * REQUESTS);
	shelf_hand_off(&shelf);
	shelf_empty(&shelf);
	sample_free(&shelf.sample);
	pair_close(&shelf.pair);
	free(shelf.buffers);
	after = having_now();
	assert_int_equal(after.mappings, before.mappings);
	assert_int_equal(after.descriptors, before.descriptors);
	assert_in_range(after.octets, 0, before.octets + 65536);
}

/* ---- many hand-offs ------------------------------------------------------------- */

#define BATCH 8u

/* What comes, comes once and in order. */
static void check_order(void *user, struct hdmabuf_session *session,
			const struct hdmabuf_turn *turns, size_t count)
{
	uint64_t *next = ((struct end *)user)->context;

	(void)session;
	assert_int_equal(count, 1);
	assert_int_equal(turns[0].stamp, ++*next);
	assert_int_equal(turns[0].signal_point, *next);
}

static void test_hand_offs(void **state)
{
	struct hdmabuf_timeline_handle *timeline;
	struct having before, after;
	struct sample samples[3];
	struct pair pair = { 0 };
	uint64_t point = 0, seen = 0;
	unsigned int i;

	(void)state;
	pair.back.context = &seen;
	pair.back.hooks.handed_off = check_order;
	pair_connect(&pair, NULL, NULL);
	for (i = 0; i < 3; i++)
		pair_share(&pair, &pair.front, &samples[i], PAGE,
			   HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 0);
	before = having_now();
	while (point < size.hand_offs) {
		for (i = 0; i < BATCH; i++) {
			point++;
			assert_int_equal(
				pair_hand_off(samples[point % 3].buffer, NULL,
					      0, timeline, point, point, false),
				0);
		}
		/* A turn is bounded: it may take two. */
		for (i = 0; hdmabuf_timeline_point(timeline) < point; i++) {
			assert_in_range(i, 0, 4);
			hdmabuf_endpoint_flush(pair.front.endpoint);
			end_dispatch(&pair.back);
			end_dispatch(&pair.front);
		}
	}
	after = having_now();
	assert_int_equal(seen, point);
	assert_int_equal(pair.front.seen.refused, 0);
	assert_in_range(after.octets, 0, before.octets);
	assert_in_range(after.descriptors, 0, before.descriptors);
	printf("%u hand-offs\n", (unsigned int)point);
	pair_close(&pair);
	for (i = 0; i < 3; i++)
		sample_free(&samples[i]);
}

/* ---- bad neighbours --------------------------------------------------------------- */

/* Frontends of one backend, in this process. */
enum neighbour {
	FLOODS,
	STALLS,
	KEEPS,
	GOOD,
	NEIGHBOURS,
};

struct street {
	struct place place;
	struct end back;
	struct end fronts[NEIGHBOURS];
	struct hdmabuf_session *sessions[NEIGHBOURS]; /* of the backend */
	struct sample samples[NEIGHBOURS];
	unsigned int connected;
};

static void note_session(void *user, struct hdmabuf_session *session)
{
	struct street *street = ((struct end *)user)->context;

	street->sessions[street->connected++] = session;
}

static void turn(struct end *end)
{
	hdmabuf_endpoint_flush(end->endpoint);
	if (end_is_ready(end, 0))
		end_dispatch(end);
}

/* As many as there is room for. */
static void flood(struct end *end)
{
	const uint8_t octets[56] = { 1 };

	while (!hdmabuf_session_echo(end->session, octets))
		;
}

/* One after the other, so that it is known whose session is whose. */
static void street_open(struct street *street)
{
	unsigned int i;

	memset(street, 0, sizeof(*street));
	place_make(&street->place);
	street->back.context = street;
	street->back.hooks.connected = note_session;
	street->fronts[KEEPS].policy.keep = true;
	street->fronts[KEEPS].policy.map = true;
	open_at(&street->place, &street->back, HDMABUF_BACKEND, NULL);
	for (i = 0; i < NEIGHBOURS; i++) {
		uint64_t deadline = patience();

		open_at(&street->place, &street->fronts[i], HDMABUF_FRONTEND,
			NULL);
		while (patience_left(deadline) &&
		       (!street->fronts[i].session || street->connected <= i)) {
			turn(&street->back);
			turn(&street->fronts[i]);
		}
		assert_int_equal(street->connected, i + 1);
	}
}

static void street_turn(struct street *street)
{
	flood(&street->fronts[FLOODS]);
	turn(&street->fronts[FLOODS]);
	turn(&street->fronts[KEEPS]);
	turn(&street->back);
	turn(&street->fronts[GOOD]);
}

/* The backend shares with each, and wants all of it back. */
static void share_with_all(struct street *street)
{
	unsigned int i;

	for (i = 0; i < NEIGHBOURS; i++) {
		street->back.session = street->sessions[i];
		sample_make(&street->samples[i], &street->back, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
		assert_int_equal(
			sample_export(&street->samples[i], &street->back), 0);
	}
}

/*
 * A request of the good one is answered within so many turns of the backend, whatever the
 * others do: each has its share of a turn.
 */
#define TURNS_MAX 4u

static void check_service(struct street *street)
{
	struct end *good = &street->fronts[GOOD];
	unsigned int i, turns, most = 0;

	for (i = 0; i < 500; i++) {
		unsigned int echoed = good->seen.echoed;

		assert_int_equal(hdmabuf_session_echo(good->session,
						      (uint8_t[56]){ 7 }),
				 0);
		hdmabuf_endpoint_flush(good->endpoint);
		for (turns = 0; good->seen.echoed == echoed; turns++) {
			assert_in_range(turns, 0, TURNS_MAX);
			street_turn(street);
		}
		if (turns > most)
			most = turns;
	}
	printf("500 requests beside others' flood: %u turns at most\n", most);
}

static void test_neighbours(void **state)
{
	struct having before, after;
	struct street street;
	uint64_t deadline, octets;
	uint32_t buffers;
	unsigned int i;

	(void)state;
	street_open(&street);
	share_with_all(&street);
	deadline = patience();
	while (!street.fronts[GOOD].seen.imported && patience_left(deadline))
		street_turn(&street);
	before = having_now();
	check_service(&street);
	for (i = 0; i < NEIGHBOURS; i++)
		if (i != STALLS)
			assert_int_equal(
				hdmabuf_unexport(street.samples[i].buffer, 1),
				0);
	/* The good one's comes back; that of who keeps it is put aside. */
	deadline = patience();
	do {
		street_turn(&street);
		hdmabuf_endpoint_quarantined(street.back.endpoint, &buffers,
					     &octets);
	} while ((street.back.seen.released < 2 || !buffers) &&
		 patience_left(deadline));
	assert_int_equal(street.back.seen.released, 2);
	assert_int_equal(buffers, 1);
	assert_int_equal(octets, PAGE);
	check_service(&street);
	after = having_now();
	assert_in_range(after.octets, 0, before.octets + 65536);
	assert_in_range(after.descriptors, 0, before.descriptors);
	for (i = 0; i < NEIGHBOURS; i++)
		assert_non_null(street.fronts[i].session);
	for (i = 0; i < NEIGHBOURS; i++)
		end_close(&street.fronts[i]);
	hdmabuf_endpoint_close(street.back.endpoint);
	for (i = 0; i < NEIGHBOURS; i++)
		sample_free(&street.samples[i]);
	assert_int_equal(rmdir(street.place.folder), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_sessions),
	cmocka_unit_test(test_buffers),
	cmocka_unit_test(test_buffers_at_once),
	cmocka_unit_test(test_hand_offs),
	cmocka_unit_test(test_neighbours),
};

/* What the tests say is to be seen. */
static int run_full(void)
{
	size.sessions = 1000;
	size.buffers = 100000;
	size.held = 100000;
	size.hand_offs = 60 * 86400;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (cmocka_run_group_tests(tests, NULL, NULL))
		return 1;
	printf("%u sessions at a time, %u buffers, as many at a time, %u hand-offs: all in order, nothing left\n",
	       size.sessions, size.buffers, size.hand_offs);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--full"))
		return run_full();
	return hdmabuf_test_run("load", tests,
				sizeof(tests) / sizeof(tests[0]));
}
