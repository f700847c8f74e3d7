/* SPDX-License-Identifier: MIT */
/*
 * A peer that is killed: at every step, and at random moments. Each time the survivor
 * is whole, nothing is left of the dead (descriptors, mappings, memory, buffers), no page
 * was used again while it was mapped, and a new session works.
 *
 *	kills_test			the tests
 *	kills_test --soak KILLS [SEED]	either end killed at random, so often
 *	kills_test --live ...		a peer, for the two above
 *
 * Needs to be linked with --wrap for timer_now and timer_set.
 *
 * The peers are processes that are executed anew, so that none has anything of another.
 * A step is a call of the platform: what a program does between two of them makes no
 * difference to the other end, but for what it writes to shared memory. Of those that are
 * killed, half know ring format 0 only, half format 1; the survivor knows both.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/platform/timer.h"
#include "lib/session/internal.h"
#include "tests/having.h"
#include "tests/pair.h"

#define PAGE	4096u
#define OCTETS	(5 * PAGE)
#define FRAMES	4u /* of a buffer, before it is asked back */
#define BUFFERS 3u /* one after the other, of a peer that is not killed */
/* What memory holds that is free to be used for something else. */
#define FREE_WORD 0xfeedfacefeedfaceull

/*
 * Who seeks a backend waits longer each time, up to a second. The time of the platform goes
 * by faster here.
 */
#define HURRY 20

uint64_t __real_timer_now(void);
void __real_timer_set(int fd, uint64_t deadline, uint64_t *set);
uint64_t __wrap_timer_now(void);
void __wrap_timer_set(int fd, uint64_t deadline, uint64_t *set);

uint64_t __wrap_timer_now(void)
{
	return __real_timer_now() * HURRY;
}

void __wrap_timer_set(int fd, uint64_t deadline, uint64_t *set)
{
	uint64_t real_set = TIMER_NEVER - 1;

	if (deadline == *set)
		return;
	*set = deadline;
	if (deadline != TIMER_NEVER)
		deadline = deadline / HURRY + 1;
	__real_timer_set(fd, deadline, &real_set);
}

/* ---- a life ------------------------------------------------------------------ */

/*
 * What either end does, over and over: exports a buffer, hands off some frames, asks it
 * back, and looks at those of the other end meanwhile.
 */
struct life {
	struct end end;
	enum hdmabuf_role role;
	struct sample sample;
	struct hdmabuf_timeline_handle *timeline;
	uint64_t frame;	     /* handed off in all */
	uint64_t seen;	     /* frames of the other end */
	uint32_t round;	     /* buffers that came back */
	uint32_t last_round; /* close the session then, or 0 */
	uint32_t steps;
	uint32_t fatal_step;  /* or 0 */
	uint32_t ring_format; /* that the peer knows, which has come last */
	uint32_t met[2];      /* sessions over each ring format */
};

static void paint(void *data, uint64_t word)
{
	uint64_t *words = data;
	size_t i;

	for (i = 0; i < OCTETS / sizeof(*words); i++)
		words[i] = word;
}

static bool is_painted(const void *data, uint64_t word)
{
	const uint64_t *words = data;
	size_t i;

	for (i = 0; i < OCTETS / sizeof(*words); i++)
		if (words[i] != word)
			return false;
	return true;
}

static bool was_freed(const void *data)
{
	const uint64_t *words = data;
	size_t i;

	for (i = 0; i < OCTETS / sizeof(*words); i++)
		if (words[i] == FREE_WORD)
			return true;
	return false;
}

static void offer(struct life *life)
{
	if (hdmabuf_session_alloc(life->end.session, OCTETS,
				  HDMABUF_RIGHTS_READ_ONLY,
				  &life->sample.memory))
		return;
	life->sample.info = (struct hdmabuf_info){
		.size = OCTETS,
		.rights = HDMABUF_RIGHTS_READ_ONLY,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.directory_format = life->round % 3,
		.type = HDMABUF_TYPE_RAW,
	};
	/* The session may be lost already, without our knowing. */
	if (sample_export(&life->sample, &life->end))
		sample_free(&life->sample);
}

static void next_frame(struct life *life)
{
	paint(life->sample.memory.address, ++life->frame);
	if (!pair_hand_off(life->sample.buffer, NULL, 0, life->timeline,
			   life->frame, life->frame, false))
		hdmabuf_timeline_wait(life->timeline, life->frame);
}

static void on_connected(void *user, struct hdmabuf_session *session)
{
	struct life *life = ((struct end *)user)->context;

	assert_int_equal(session->channel.info.ring_format, life->ring_format);
	life->met[life->ring_format]++;
	life->frame = 0;
	life->round = 0;
	if (!hdmabuf_timeline_create(session, HDMABUF_SIGNALLER_PEER, 0,
				     &life->timeline))
		offer(life);
}

static void on_exported(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	(void)buffer;
	if (!fault)
		next_frame(((struct end *)user)->context);
}

static void on_reached(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	struct life *life = ((struct end *)user)->context;

	(void)timeline;
	(void)point;
	if (status)
		return;
	if (life->frame % FRAMES)
		next_frame(life);
	else
		hdmabuf_unexport(life->sample.buffer, 2);
}

/* Where it is mapped still, this is seen. */
static void on_released(void *user, struct hdmabuf_buffer *buffer)
{
	struct life *life = ((struct end *)user)->context;

	(void)buffer;
	paint(life->sample.memory.address, FREE_WORD);
	sample_free(&life->sample);
	if (!life->end.session || !life->end.endpoint)
		return;
	if (++life->round == life->last_round)
		hdmabuf_session_close(life->end.session, HDMABUF_REASON_DONE);
	else if (!life->last_round || life->round < life->last_round)
		offer(life);
}

static void on_handed_off(void *user, struct hdmabuf_session *session,
			  const struct hdmabuf_turn *turns, size_t count)
{
	struct life *life = ((struct end *)user)->context;
	const void *data = hdmabuf_buffer_data(turns[0].buffer);

	(void)session;
	assert_int_equal(count, 1);
	assert_true(is_painted(data, turns[0].stamp));
	life->seen++;
}

static void on_retire(void *user, struct hdmabuf_buffer *buffer,
		      uint32_t grace_ms)
{
	(void)user;
	(void)grace_ms;
	assert_false(was_freed(hdmabuf_buffer_data(buffer)));
	hdmabuf_buffer_release(buffer);
}

static int count_step(void *user, const char *name)
{
	struct life *life = user;

	(void)name;
	if (++life->steps == life->fatal_step)
		raise(SIGKILL);
	return 0;
}

static void life_open(struct life *life, enum hdmabuf_role role,
		      const char *address, uint64_t ring_formats)
{
	struct hdmabuf_platform platform, outer;
	struct hdmabuf_config config;
	char error[256] = "";

	life->role = role;
	life->end.context = life;
	life->end.policy.map = true;
	life->end.hooks.connected = on_connected;
	life->end.hooks.exported = on_exported;
	life->end.hooks.reached = on_reached;
	life->end.hooks.released = on_released;
	life->end.hooks.handed_off = on_handed_off;
	life->end.hooks.retire = on_retire;
	if (hdmabuf_platform_open(address, role, &platform, error,
				  sizeof(error)))
		fail_msg("%s", error);
	assert_int_equal(
		hdmabuf_fault_platform(platform, count_step, life, &outer), 0);
	hdmabuf_config_init(&config);
	config.ring_formats = ring_formats;
	end_open(&life->end, outer, role, &config);
}

/* Returns whether anything happened within that time. */
static bool life_step(struct life *life, const struct timespec *time)
{
	struct pollfd fd = { .events = POLLIN };

	hdmabuf_endpoint_flush(life->end.endpoint);
	fd.fd = hdmabuf_endpoint_fd(life->end.endpoint);
	if (ppoll(&fd, 1, time, NULL) <= 0)
		return false;
	end_dispatch(&life->end);
	return true;
}

/* ---- one that is killed -------------------------------------------------------- */

/* --live ROLE ADDRESS STEP LAST_ROUND RING_FORMAT */
static int live(char **arguments)
{
	struct life life = { .fatal_step = (uint32_t)atoi(arguments[2]),
			     .last_round = (uint32_t)atoi(arguments[3]),
			     .ring_format = (uint32_t)atoi(arguments[4]) };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	life_open(&life, (enum hdmabuf_role)atoi(arguments[0]), arguments[1],
		  1u << life.ring_format);
	while (!life.end.seen.disconnected)
		life_step(&life, NULL);
	assert_int_equal(life.round, BUFFERS);
	assert_true(life.seen);
	end_close(&life.end);
	return 0;
}

struct place {
	char folder[32];
	char address[64];
};

/* Whom @life is to meet, over its ring format. */
static pid_t spawn(const struct life *life, const struct place *place,
		   uint32_t step, uint32_t last_round)
{
	char words[4][16];
	pid_t child;

	snprintf(words[0], sizeof(words[0]), "%d", !life->role);
	snprintf(words[1], sizeof(words[1]), "%u", step);
	snprintf(words[2], sizeof(words[2]), "%u", last_round);
	snprintf(words[3], sizeof(words[3]), "%u", life->ring_format);
	child = fork();
	assert_true(child >= 0);
	if (child)
		return child;
	execl("/proc/self/exe", "kills_test", "--live", words[0],
	      place->address, words[1], words[2], words[3], (char *)NULL);
	_exit(127);
}

/* ---- the survivor ---------------------------------------------------------------- */

static bool is_alone(const struct life *life)
{
	uint32_t buffers;
	uint64_t octets;

	hdmabuf_endpoint_quarantined(life->end.endpoint, &buffers, &octets);
	return !life->end.session && !buffers && !life->sample.memory.address;
}

/* Until nothing of the other end is left. */
static void be_alone(struct life *life, const struct having *before)
{
	const struct timespec moment = { .tv_nsec = 2000000 };
	uint64_t deadline = patience();
	struct having now;

	do {
		life_step(life, &moment);
		now = having_now();
		/* A frontend has one more whenever it looks for a backend. */
		if (is_alone(life) && !now.mappings &&
		    now.descriptors <= before->descriptors + 1)
			return;
	} while (patience_left(deadline));
	fail_msg("%d descriptors, not %d; %d mappings; %s", now.descriptors,
		 before->descriptors, now.mappings,
		 life->end.session ? "a session" : "no session");
}

/* A frontend that the backend has taken leave from does not come back by itself. */
static void reap(struct life *life, pid_t child, int *status)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	uint64_t deadline = patience();
	pid_t ended;

	while (!(ended = waitpid(child, status, WNOHANG)) &&
	       patience_left(deadline))
		life_step(life, &moment);
	if (ended != child)
		kill(child, SIGKILL);
	assert_int_equal(ended, child);
	hdmabuf_endpoint_start(life->end.endpoint);
}

/* Another peer comes, over the other ring format, does all there is to do, and goes. */
static void check_new_session(struct life *life, const struct place *place,
			      const struct having *before)
{
	unsigned int connected = life->end.seen.connected;
	uint64_t seen = life->seen;
	int status;

	life->ring_format = !life->ring_format;
	reap(life, spawn(life, place, 0, BUFFERS), &status);
	assert_int_equal(status, 0);
	assert_in_range(life->end.seen.connected, connected + 1, UINT32_MAX);
	assert_in_range(life->seen, seen + FRAMES, UINT64_MAX);
	be_alone(life, before);
}

static void place_make(struct place *place)
{
	strcpy(place->folder, "/tmp/hdmabuf-test-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->address, sizeof(place->address), "local:%s/socket",
		 place->folder);
}

/* A backend that is killed may leave its socket behind, and nothing else. */
static void place_remove(const struct place *place)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/socket", place->folder);
	unlink(path);
	assert_int_equal(rmdir(place->folder), 0);
}

/* ---- every step ------------------------------------------------------------------- */

/* The peer dies at its first step, its second, until it gets through. */
static void die_at_steps(struct life *life, const struct place *place,
			 const struct having *before, uint32_t ring_format)
{
	int status = SIGKILL;
	uint32_t step;

	for (step = 1; status; step++) {
		life->ring_format = ring_format;
		reap(life, spawn(life, place, step, BUFFERS), &status);
		if (status)
			assert_int_equal(status, SIGKILL);
		be_alone(life, before);
	}
	assert_in_range(step, 60, 10000);
	assert_in_range(life->met[ring_format], step / 4, step + 2);
}

static void die_at_each_step(enum hdmabuf_role survivor)
{
	struct life life = { 0 };
	struct place place;
	struct having before;

	place_make(&place);
	life_open(&life, survivor, place.address, HDMABUF_RING_FORMATS);
	before = having_now();
	check_new_session(&life, &place, &before);
	die_at_steps(&life, &place, &before, HDMABUF_RING_FORMAT_0);
	die_at_steps(&life, &place, &before, HDMABUF_RING_FORMAT_1);
	check_new_session(&life, &place, &before);
	end_close(&life.end);
	place_remove(&place);
}

static void test_frontend_dies(void **state)
{
	(void)state;
	die_at_each_step(HDMABUF_BACKEND);
}

static void test_backend_dies(void **state)
{
	(void)state;
	die_at_each_step(HDMABUF_FRONTEND);
}

/* ---- random moments ----------------------------------------------------------------- */

/* What has been seen of one end's soak. */
struct soak {
	struct life life;
	struct place place;
	struct having before;
	uint64_t microseconds; /* that a whole life takes */
	unsigned int kills;
	unsigned int connected; /* ... of peers that were connected */
};

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void live_for(struct life *life, uint64_t microseconds)
{
	uint64_t now, end = now_us() + microseconds;

	while ((now = now_us()) < end) {
		uint64_t left = end - now;
		struct timespec time = { (time_t)(left / 1000000),
					 (long)(left % 1000000) * 1000 };

		life_step(life, &time);
	}
}

static uint64_t below(uint64_t end)
{
	return ((uint64_t)random() << 31 | (uint64_t)random()) % end;
}

static void live_until_connected(struct life *life, unsigned int connected)
{
	const struct timespec moment = { .tv_nsec = 2000000 };
	uint64_t deadline = patience();

	while (life->end.seen.connected == connected && patience_left(deadline))
		life_step(life, &moment);
}

/*
 * Half of them may die before they are connected, which takes most of the time, the others
 * thereafter. One of eight is stopped for a while first, so that time runs out for it.
 */
static void kill_once(struct soak *soak)
{
	struct life *life = &soak->life;
	unsigned int connected = life->end.seen.connected;
	uint64_t began;
	pid_t victim;
	int status;

	life->ring_format = soak->kills % 2;
	victim = spawn(life, &soak->place, 0, 0);
	if (below(2))
		live_until_connected(life, connected);
	live_for(life, below(soak->microseconds));
	if (!below(8)) {
		kill(victim, SIGSTOP);
		live_for(life, 5000);
		kill(victim, SIGCONT);
		live_for(life, below(5000));
	}
	kill(victim, SIGKILL);
	assert_int_equal(waitpid(victim, &status, 0), victim);
	assert_int_equal(status, SIGKILL);
	soak->kills++;
	soak->connected += life->end.seen.connected > connected;
	be_alone(life, &soak->before);
	/* The machine may have become slower, or faster. */
	began = now_us();
	check_new_session(life, &soak->place, &soak->before);
	soak->microseconds = (7 * soak->microseconds + now_us() - began) / 8;
}

static void soak_open(struct soak *soak, enum hdmabuf_role survivor)
{
	uint64_t began;

	memset(soak, 0, sizeof(*soak));
	place_make(&soak->place);
	life_open(&soak->life, survivor, soak->place.address,
		  HDMABUF_RING_FORMATS);
	soak->before = having_now();
	check_new_session(&soak->life, &soak->place, &soak->before);
	began = now_us();
	check_new_session(&soak->life, &soak->place, &soak->before);
	soak->microseconds = 1 + now_us() - began;
	/* What has been taken once for all is no leak. */
	soak->before = having_now();
}

/* Of memory that is kept for later, there is a little more or less. */
static void soak_close(struct soak *soak)
{
	struct having now = having_now();

	if (now.octets > soak->before.octets + 65536)
		fail_msg("%zu octets of memory, not %zu", now.octets,
			 soak->before.octets);
	end_close(&soak->life.end);
	place_remove(&soak->place);
}

static void test_random_moments(void **state)
{
	enum hdmabuf_role survivor;
	struct soak soak;
	int i;

	(void)state;
	srandom(1);
	for (survivor = HDMABUF_FRONTEND; survivor <= HDMABUF_BACKEND;
	     survivor++) {
		soak_open(&soak, survivor);
		for (i = 0; i < 10; i++)
			kill_once(&soak);
		soak_close(&soak);
	}
}

static unsigned int soak_end(enum hdmabuf_role survivor, unsigned int kills)
{
	struct having now;
	struct soak soak;

	soak_open(&soak, survivor);
	while (soak.kills < kills) {
		kill_once(&soak);
		if (soak.kills % 100 == 0)
			printf("%u %ss killed\n", soak.kills,
			       survivor ? "frontend" : "backend");
	}
	now = having_now();
	printf("%u %ss killed, %u of them connected; %u new sessions; "
	       "descriptors %d, then %d; octets allocated %zu, then %zu\n",
	       soak.kills, survivor ? "frontend" : "backend", soak.connected,
	       soak.life.end.seen.connected - soak.connected,
	       soak.before.descriptors, now.descriptors, soak.before.octets,
	       now.octets);
	soak_close(&soak);
	return soak.connected;
}

/* They must have met sessions, and must have met their beginning. */
static void run_soak(void **state)
{
	unsigned int kills = *(unsigned int *)*state, connected;

	connected = soak_end(HDMABUF_FRONTEND, kills / 2);
	connected += soak_end(HDMABUF_BACKEND, kills - kills / 2);
	assert_in_range(connected, 1, kills - 1);
}

/* The seed says what is done when; how fast the machine is, it cannot say. */
static int soak(unsigned int kills, unsigned int seed)
{
	const struct CMUnitTest test =
		cmocka_unit_test_prestate(run_soak, &kills);

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %u\n", seed);
	srandom(seed);
	if (_cmocka_run_group_tests("soak", &test, 1, NULL, NULL))
		return 1;
	printf("%u kills: survivors whole, nothing left, %u new sessions\n",
	       kills, kills);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frontend_dies),
		cmocka_unit_test(test_backend_dies),
		cmocka_unit_test(test_random_moments),
	};

	if (argc == 7 && !strcmp(argv[1], "--live"))
		return live(argv + 2);
	if ((argc == 3 || argc == 4) && !strcmp(argv[1], "--soak") &&
	    atoi(argv[2]) > 1)
		return soak((unsigned int)atoi(argv[2]),
			    argc == 4 ?
				    (unsigned int)strtoul(argv[3], NULL, 10) :
				    (unsigned int)now_us());
	return hdmabuf_test_run("kills", tests,
				sizeof(tests) / sizeof(tests[0]));
}
