/* SPDX-License-Identifier: MIT */
/*
 * Both ends as threads: whatever is read was written before, as C11 has it. To be built
 * with ThreadSanitizer (make check-threads), which reports what is not in order even
 * if it went well; then races that are seeded must be reported, too. Without it,
 * what arrives is checked all the same.
 *
 * The ring and the cell are polled, so that nothing but their own words is between the
 * threads: a notification would order more than the protocol does.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hdmabuf/ring.h>
#include <hdmabuf/timeline.h>

#include "tests/one_address.h"
#include "tests/pair.h"

#define PAGE	 4096u
#define MESSAGES 20000u
#define POINTS	 20000u
#define FRAMES	 500u
#define PAGES	 3u

/* What is done wrong on purpose. */
enum fault {
	NO_FAULT,
	REQUEST_NOT_RELEASED, /* the index is stored as if nothing came before it */
	REQUEST_NOT_ACQUIRED, /* ... read as if nothing came after it */
	SLOT_READ_LATE,	      /* a slot is read when its answer was given */
	MARK_NOT_RELEASED,    /* the same two of a ring of format 1 */
	MARK_NOT_ACQUIRED,
	POINT_NOT_RELEASED,
	POINT_NOT_ACQUIRED,
	BUFFER_READ_LATE, /* a buffer is read when that was said to be over */
	FAULTS
};

static void start(pthread_t *thread, void *(*function)(void *), void *context)
{
	assert_int_equal(pthread_create(thread, NULL, function, context), 0);
}

/* There is nothing to do now. A thread that spins keeps the other from running. */
static void rest(void)
{
	const struct timespec moment = { .tv_nsec = 20000 };

	nanosleep(&moment, NULL);
}

/* What a thread returns is NULL if all was well. */
static void end(pthread_t thread)
{
	void *wrong;

	assert_int_equal(pthread_join(thread, &wrong), 0);
	if (wrong)
		fail_msg("%s", (const char *)wrong);
}

/* ---- the ring ---------------------------------------------------------------- */

/*
 * @work is what messages stand for: word n mod slots is written by the requester
 * before request n, and by the responder before its answer.
 */
struct track {
	uint8_t page[PAGE] __attribute__((aligned(PAGE)));
	uint32_t work[64];
	uint32_t format;
	enum fault fault;
};

static uint32_t slots(void)
{
	return (uint32_t)HDMABUF_RING_SLOTS(PAGE);
}

static void fill(union hdmabuf_message *message, uint32_t number)
{
	memset(message, (int)(number & 0xff), sizeof(*message));
	memcpy(message, &number, sizeof(number));
	message->octets[7] = 0; /* where a mark may be */
}

static bool is_full_of(const union hdmabuf_message *message, uint32_t number)
{
	union hdmabuf_message wanted;

	fill(&wanted, number);
	return !memcmp(message, &wanted, sizeof(wanted));
}

/* As hdmabuf_ring_push_requests(), but for the release. */
static void push_unordered(struct hdmabuf_ring *ring)
{
	ring->pushed = ring->produced;
	hdmabuf_shared_write(&ring->indices->req_prod, ring->produced);
}

/* As hdmabuf_ring_take_request(), but for the acquire. */
static bool take_unordered(struct hdmabuf_ring *ring,
			   union hdmabuf_message *message)
{
	if (hdmabuf_shared_read(&ring->indices->req_prod) == ring->consumed)
		return false;
	hdmabuf_shared_copy(message, &ring->slot[ring->consumed++ & ring->mask],
			    sizeof(*message));
	return true;
}

/* The same where marks are. */
static void mark_unordered(struct hdmabuf_ring *ring)
{
	union hdmabuf_message *slot = &ring->slot[ring->pushed & ring->mask];
	uint32_t word = hdmabuf_get_le32(*hdmabuf_ring_word(&ring->first));
	uint32_t count = ring->produced - ring->pushed;

	if (!count)
		return;
	hdmabuf_ring_copy(slot, &ring->first);
	ring->pushed = ring->produced;
	hdmabuf_shared_write(hdmabuf_ring_word(slot),
			     word | count << HDMABUF_RING_MARK_SHIFT);
}

static bool take_marked_unordered(struct hdmabuf_ring *ring,
				  union hdmabuf_message *message)
{
	uint32_t word;

	if (ring->consumed == ring->pushed + ring->slots)
		return false;
	word = hdmabuf_shared_read(
		hdmabuf_ring_word(&ring->slot[ring->consumed & ring->mask]));
	if (!ring->ready)
		ring->ready = word >> HDMABUF_RING_MARK_SHIFT;
	if (!ring->ready || ring->ready > HDMABUF_MARK_MAX) {
		ring->ready = 0;
		return false;
	}
	ring->ready--;
	hdmabuf_ring_take_slot(ring, word, message);
	return true;
}

static void push_requests(struct track *track, struct hdmabuf_ring *ring)
{
	if (track->fault == REQUEST_NOT_RELEASED)
		push_unordered(ring);
	else if (track->fault == MARK_NOT_RELEASED)
		mark_unordered(ring);
	else
		hdmabuf_ring_push_requests(ring);
}

static bool take_request(struct track *track, struct hdmabuf_ring *ring,
			 union hdmabuf_message *message)
{
	if (track->fault == REQUEST_NOT_ACQUIRED)
		return take_unordered(ring, message);
	if (track->fault == MARK_NOT_ACQUIRED)
		return take_marked_unordered(ring, message);
	return hdmabuf_ring_take_request(ring, message) == HDMABUF_RING_TAKEN;
}

/* As many as there is room for. */
static void ask(struct track *track, struct hdmabuf_ring *ring,
		uint32_t *number)
{
	union hdmabuf_message message;

	while (*number < MESSAGES && hdmabuf_ring_free_requests(ring)) {
		track->work[*number % slots()] = *number;
		fill(&message, (*number)++);
		hdmabuf_ring_put_request(ring, &message);
	}
	push_requests(track, ring);
}

static void *request(void *context)
{
	struct track *track = context;
	union hdmabuf_message message;
	struct hdmabuf_ring ring;
	uint32_t asked = 0, answered = 0;

	hdmabuf_ring_init(&ring, track->page, PAGE, track->format,
			  UINT32_MAX - 7);
	while (answered < MESSAGES) {
		ask(track, &ring, &asked);
		while (hdmabuf_ring_take_answer(&ring, &message) ==
		       HDMABUF_RING_TAKEN) {
			if (!is_full_of(&message, ~answered))
				return "another answer";
			if (track->work[answered % slots()] != ~answered)
				return "an answer before its work";
			answered++;
		}
		rest();
	}
	return NULL;
}

static void *respond(void *context)
{
	struct track *track = context;
	union hdmabuf_message message;
	struct hdmabuf_ring ring;
	uint32_t number = 0;

	hdmabuf_ring_init(&ring, track->page, PAGE, track->format,
			  UINT32_MAX - 7);
	while (number < MESSAGES) {
		while (take_request(track, &ring, &message)) {
			if (!is_full_of(&message, number))
				return "another request";
			if (track->work[number % slots()] != number)
				return "a request before its work";
			track->work[number % slots()] = ~number;
			fill(&message, ~number);
			if (!hdmabuf_ring_put_answer(&ring, &message))
				return "no room for an answer";
			number++;
		}
		hdmabuf_ring_push_answers(&ring);
		if (track->fault == SLOT_READ_LATE)
			hdmabuf_shared_copy(&message, &ring.slot[0],
					    sizeof(message));
		rest();
	}
	return NULL;
}

static void run_ring(uint32_t format, enum fault fault)
{
	static struct track track;
	pthread_t requester, responder;

	track.format = format;
	track.fault = fault;
	hdmabuf_ring_format(track.page, PAGE, format, UINT32_MAX - 7);
	start(&requester, request, &track);
	start(&responder, respond, &track);
	end(requester);
	end(responder);
}

static void test_ring(void **state)
{
	(void)state;
	run_ring(HDMABUF_RING_FORMAT_0, NO_FAULT);
}

static void test_marked_ring(void **state)
{
	(void)state;
	run_ring(HDMABUF_RING_FORMAT_1, NO_FAULT);
}

/* ---- a cell ------------------------------------------------------------------- */

/* The low word wraps on the way. */
#define FIRST_POINT (((uint64_t)7 << 32) - POINTS / 2)

struct line {
	struct hdmabuf_cell cell;
	uint32_t work[POINTS + 1];
	enum fault fault;
};

/* As hdmabuf_cell_signal(), but for the releases. */
static void signal_unordered(struct hdmabuf_cell *cell, uint64_t point)
{
	hdmabuf_shared_write(&cell->point_next, (uint32_t)(point >> 32));
	hdmabuf_shared_write(&cell->point_low, (uint32_t)point);
	hdmabuf_shared_write(&cell->point_high, (uint32_t)(point >> 32));
}

/* As hdmabuf_cell_point(), but for the acquires. */
static uint64_t point_unordered(const struct hdmabuf_cell *cell, uint64_t known)
{
	uint64_t high = hdmabuf_shared_read(&cell->point_high);
	uint64_t low = hdmabuf_shared_read(&cell->point_low);

	if (high != hdmabuf_shared_read(&cell->point_next) ||
	    (high << 32 | low) < known)
		return known;
	return high << 32 | low;
}

static void *move_on(void *context)
{
	struct line *line = context;
	uint32_t i;

	for (i = 1; i <= POINTS; i++) {
		line->work[i] = ~i;
		if (line->fault == POINT_NOT_RELEASED)
			signal_unordered(&line->cell, FIRST_POINT + i);
		else
			hdmabuf_cell_signal(&line->cell, FIRST_POINT + i - 1,
					    FIRST_POINT + i);
		if (i % 64 == 0)
			rest();
	}
	hdmabuf_cell_fail(&line->cell, HDMABUF_STATUS_FAILED);
	return NULL;
}

static void *follow(void *context)
{
	struct line *line = context;
	uint64_t point, known = FIRST_POINT;
	uint16_t error = 0;

	while (!error) {
		error = hdmabuf_cell_error(&line->cell);
		hdmabuf_cell_arm(&line->cell, known + 1);
		point = line->fault == POINT_NOT_ACQUIRED ?
				point_unordered(&line->cell, known) :
				hdmabuf_cell_point(&line->cell, known);
		for (; known < point; known++)
			if (line->work[known + 1 - FIRST_POINT] !=
			    ~(uint32_t)(known + 1 - FIRST_POINT))
				return "a point before its work";
		rest();
	}
	return known == FIRST_POINT + POINTS ? NULL : "a point is missing";
}

static void run_cell(enum fault fault)
{
	static struct line line;
	pthread_t signaller, waiter;

	line.fault = fault;
	hdmabuf_cell_init(&line.cell, FIRST_POINT);
	start(&signaller, move_on, &line);
	start(&waiter, follow, &line);
	end(signaller);
	end(waiter);
}

static void test_cell(void **state)
{
	(void)state;
	run_cell(NO_FAULT);
}

/* ---- two ends ------------------------------------------------------------------ */

/* Each end's own. */
struct scene {
	struct end end;
	struct sample sample;
	struct hdmabuf_timeline_handle *timeline;
	uint32_t frame;
	enum fault fault;
	const uint32_t *words; /* of the last frame that came */
	uint32_t sum;
	const char *wrong;
};

static void paint(uint32_t *words, uint32_t word)
{
	size_t i;

	for (i = 0; i < PAGES * PAGE / sizeof(*words); i++)
		words[i] = word;
}

static bool is_painted(const uint32_t *words, uint32_t word)
{
	size_t i;

	for (i = 0; i < PAGES * PAGE / sizeof(*words); i++)
		if (words[i] != word)
			return false;
	return true;
}

static void begin_frame(struct scene *scene)
{
	paint(scene->sample.memory.address, ++scene->frame);
	assert_int_equal(pair_hand_off(scene->sample.buffer, NULL, 0,
				       scene->timeline, scene->frame, 0, false),
			 0);
	assert_int_equal(hdmabuf_timeline_wait(scene->timeline, scene->frame),
			 0);
}

static void front_connected(void *user, struct hdmabuf_session *session)
{
	struct scene *scene = ((struct end *)user)->context;

	assert_int_equal(hdmabuf_timeline_create(session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &scene->timeline),
			 0);
	sample_make(&scene->sample, user, PAGES * PAGE,
		    HDMABUF_RIGHTS_READ_WRITE);
	assert_int_equal(sample_export(&scene->sample, user), 0);
}

static void front_exported(void *user, struct hdmabuf_buffer *buffer,
			   const struct hdmabuf_fault *fault)
{
	(void)buffer;
	assert_null(fault);
	begin_frame(((struct end *)user)->context);
}

static void front_reached(void *user, struct hdmabuf_timeline_handle *timeline,
			  uint64_t point, uint16_t status)
{
	struct end *front = user;
	struct scene *scene = front->context;

	(void)timeline;
	if (status || point != scene->frame ||
	    !is_painted(scene->sample.memory.address, ~scene->frame))
		scene->wrong = "a frame comes back otherwise";
	else if (scene->frame < FRAMES)
		begin_frame(scene);
	else
		hdmabuf_session_close(front->session, HDMABUF_REASON_DONE);
}

/* The end of the pair says itself that it is done, after this. */
static void back_handed_off(void *user, struct hdmabuf_session *session,
			    const struct hdmabuf_turn *turns, size_t count)
{
	struct scene *scene = ((struct end *)user)->context;
	uint32_t *words = hdmabuf_buffer_data(turns[0].buffer);

	(void)session;
	(void)count;
	if (!is_painted(words, (uint32_t)turns[0].signal_point))
		scene->wrong = "a frame arrives otherwise";
	paint(words, ~(uint32_t)turns[0].signal_point);
	scene->words = words;
}

/* The exporter may be at them already. */
static void read_late(struct scene *scene)
{
	size_t i;

	for (i = 0; i < PAGES * PAGE / sizeof(*scene->words); i++)
		scene->sum += scene->words[i];
}

static void *live(void *context)
{
	struct scene *scene = context;
	struct end *self = &scene->end;
	struct pollfd fd = { .events = POLLIN };

	fd.fd = hdmabuf_endpoint_fd(self->endpoint);
	while (!self->seen.disconnected && !scene->wrong) {
		if (poll(&fd, 1, 30000) <= 0)
			return "nothing happens any more";
		if (hdmabuf_endpoint_dispatch(self->endpoint))
			return "the platform is broken";
		if (scene->fault == BUFFER_READ_LATE && scene->words &&
		    !self->seen.retired && !self->seen.disconnected)
			read_late(scene);
	}
	return (void *)scene->wrong;
}

static void run_session(enum fault fault)
{
	struct hdmabuf_platform platforms[2];
	struct scene front = { .fault = fault }, back = { .fault = fault };
	pthread_t threads[2];

	front.end.context = &front;
	front.end.hooks.connected = front_connected;
	front.end.hooks.exported = front_exported;
	front.end.hooks.reached = front_reached;
	back.end.context = &back;
	back.end.hooks.handed_off = back_handed_off;
	back.end.policy.map = true;
	assert_int_equal(one_address_pair(&platforms[0], &platforms[1]), 0);
	end_open(&front.end, platforms[0], HDMABUF_FRONTEND, NULL);
	end_open(&back.end, platforms[1], HDMABUF_BACKEND, NULL);
	start(&threads[0], live, &front);
	start(&threads[1], live, &back);
	end(threads[0]);
	end(threads[1]);
	assert_int_equal(front.frame, FRAMES);
	assert_int_equal(back.end.seen.handed_off, FRAMES);
	end_close(&front.end);
	end_close(&back.end);
	assert_int_equal(front.end.seen.released, 1);
	sample_free(&front.sample);
}

static void test_session(void **state)
{
	(void)state;
	run_session(NO_FAULT);
}

/* ---- seeded races -------------------------------------------------------------- */

static void run(enum fault fault)
{
	if (fault == BUFFER_READ_LATE)
		run_session(fault);
	else if (fault == POINT_NOT_RELEASED || fault == POINT_NOT_ACQUIRED)
		run_cell(fault);
	else if (fault == MARK_NOT_RELEASED || fault == MARK_NOT_ACQUIRED)
		run_ring(HDMABUF_RING_FORMAT_1, fault);
	else
		run_ring(HDMABUF_RING_FORMAT_0, fault);
}

#ifdef __SANITIZE_THREAD__
/* The status with which a program ends that has a race. */
#define RACE 66

static void run_alone(enum fault fault, int output)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fault);
	setenv("TSAN_OPTIONS", "exitcode=66 halt_on_error=1", 1);
	dup2(output, STDERR_FILENO);
	execl("/proc/self/exe", "threads_test", number, (char *)NULL);
	_exit(127);
}

static bool says_race(FILE *output)
{
	char line[512];
	bool found = false;

	rewind(output);
	while (fgets(line, sizeof(line), output))
		found |= !!strstr(line, "WARNING: ThreadSanitizer: data race");
	return found;
}

/* Each of them is found, or nothing that is not found means anything. */
static void test_seeded(void **state)
{
	enum fault fault;

	(void)state;
	for (fault = NO_FAULT + 1; fault < FAULTS; fault++) {
		FILE *output = tmpfile();
		int status;
		pid_t child;

		assert_non_null(output);
		child = fork();
		assert_true(child >= 0);
		if (!child)
			run_alone(fault, fileno(output));
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != RACE ||
		    !says_race(output))
			fail_msg("race %d: ended with %x", fault, status);
		fclose(output);
	}
}
#endif

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_marked_ring),
		cmocka_unit_test(test_cell),
		cmocka_unit_test(test_session),
#ifdef __SANITIZE_THREAD__
		cmocka_unit_test(test_seeded),
#endif
	};

	if (argc > 1) {
		run((enum fault)atoi(argv[1]));
		return 0;
	}
	return hdmabuf_test_run("threads", tests,
				sizeof(tests) / sizeof(tests[0]));
}
