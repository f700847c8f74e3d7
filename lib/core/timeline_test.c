/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <hdmabuf/timeline.h>

#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint64_t points[] = {
	0,
	1,
	2,
	0x7fffffff,
	0x80000000,
	0xfffffffe,
	0xffffffff,
	0x100000000,
	0x100000001,
	0x1ffffffff,
	0x200000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xfffffffeffffffff,
	0xffffffff00000000,
	0xfffffffffffffffe,
	0xffffffffffffffff,
};

static void init_sets_all_of_the_cell(void **state)
{
	static const unsigned char want[64] = {
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33,
		0x22, 0x11, 0x88, 0x77, 0x66, 0x55,
	};
	struct hdmabuf_cell cell;

	(void)state;
	memset(&cell, 0xff, sizeof(cell));
	hdmabuf_cell_init(&cell, 0x5566778811223344);
	assert_memory_equal(&cell, want, sizeof(cell));
	assert_true(hdmabuf_cell_point(&cell, 0) == 0x5566778811223344);
	assert_int_equal(hdmabuf_cell_error(&cell), HDMABUF_STATUS_OK);
}

static void a_cell_holds_all_of_a_point(void **state)
{
	struct hdmabuf_cell cell;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		hdmabuf_cell_init(&cell, 0);
		assert_true(hdmabuf_cell_holds(&cell, 0));
		((unsigned char *)&cell)[4 * i] = 1;
		assert_false(hdmabuf_cell_holds(&cell, 0));
	}
	hdmabuf_cell_init(&cell, 0x5566778811223344);
	assert_true(hdmabuf_cell_holds(&cell, 0x5566778811223344));
	assert_false(hdmabuf_cell_holds(&cell, 0x5566778811223345));
}

static void signal_is_read_as_it_was(void **state)
{
	struct hdmabuf_cell cell;
	size_t from, to;

	(void)state;
	for (from = 0; from < COUNT(points); from++)
		for (to = from + 1; to < COUNT(points); to++) {
			hdmabuf_cell_init(&cell, points[from]);
			hdmabuf_cell_signal(&cell, points[from], points[to]);
			assert_true(hdmabuf_cell_point(&cell, points[from]) ==
				    points[to]);
		}
}

static void a_point_never_goes_back(void **state)
{
	struct hdmabuf_cell cell;
	size_t stored, known;

	(void)state;
	for (stored = 0; stored < COUNT(points); stored++)
		for (known = 0; known < COUNT(points); known++) {
			hdmabuf_cell_init(&cell, points[stored]);
			assert_true(hdmabuf_cell_point(&cell, points[known]) ==
				    points[stored > known ? stored : known]);
		}
}

/* The three words as they are after so many of the stores of two signals. */
static void after_stores(struct hdmabuf_cell *cell, const uint64_t *three,
			 int stores)
{
	int next = (stores + 2) / 3, low = (stores + 1) / 3, high = stores / 3;

	cell->point_next = hdmabuf_put_le32((uint32_t)(three[next] >> 32));
	cell->point_low = hdmabuf_put_le32((uint32_t)three[low]);
	cell->point_high = hdmabuf_put_le32((uint32_t)(three[high] >> 32));
}

/* What a reader sees whose three reads fall between stores of the signaller. */
static void read_between(const uint64_t *three, int high, int low, int next)
{
	struct hdmabuf_cell seen, at;
	uint64_t point;

	memset(&seen, 0, sizeof(seen));
	after_stores(&at, three, high);
	seen.point_high = at.point_high;
	after_stores(&at, three, low);
	seen.point_low = at.point_low;
	after_stores(&at, three, next);
	seen.point_next = at.point_next;
	point = hdmabuf_cell_point(&seen, three[0]);
	assert_true(point == three[0] || point == three[1] ||
		    point == three[2]);
	/* Not of a signal whose low word is not stored yet. */
	assert_true(point <= three[(low + 1) / 3]);
	/* What was complete before the first read is not missed for long. */
	if (high == next)
		assert_true(high % 3 ? point >= three[0] :
				       point == three[high / 3]);
}

/* All places in which the reads can fall, with and without a new high word. */
static void a_point_is_never_torn(void **state)
{
	int high, low, next;
	size_t a, b, c;

	(void)state;
	for (a = 0; a < COUNT(points); a++)
		for (b = a + 1; b < COUNT(points); b++)
			for (c = b + 1; c < COUNT(points); c++)
				for (high = 0; high <= 6; high++)
					for (low = high; low <= 6; low++)
						for (next = low; next <= 6;
						     next++)
							read_between(
								(uint64_t[]){
									points[a],
									points[b],
									points[c] },
								high, low,
								next);
}

static bool signal_crosses(uint64_t old, uint64_t point, uint32_t wake)
{
	struct hdmabuf_cell cell;

	hdmabuf_cell_init(&cell, old);
	cell.wake = hdmabuf_put_le32(wake);
	return hdmabuf_cell_signal(&cell, old, point);
}

/* The rule of HDB-BOTH-058, by counting: one of the new points is the wanted one. */
static void notifies_if_wake_is_crossed(void **state)
{
	uint64_t old, step;
	size_t i;
	int away;

	(void)state;
	for (i = 0; i < COUNT(points); i++)
		for (step = 1; step <= 6; step++) {
			old = points[i] & 0xffffffff;
			/* Beyond the end the high word changes: see below. */
			if (old + step > 0xffffffff)
				continue;
			for (away = -8; away <= 8; away++)
				assert_int_equal(
					signal_crosses(old, old + step,
						       (uint32_t)(old + away)),
					away >= 1 && away <= (int)step);
		}
}

static void notifies_if_the_high_word_changes(void **state)
{
	static const uint32_t wakes[] = { 0, 1, 5, 0x7fffffff, 0xffffffff };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wakes); i++) {
		assert_true(signal_crosses(0xffffffff, 0x100000000, wakes[i]));
		assert_true(signal_crosses(0x100000005, 0x200000005, wakes[i]));
		assert_true(signal_crosses(0, UINT64_MAX, wakes[i]));
	}
}

/* A long way within one high word: half of all wakes, to the point, no further. */
static void notifies_far_ahead(void **state)
{
	(void)state;
	assert_true(signal_crosses(10, 0xfffffff0, 11));
	assert_true(signal_crosses(10, 0xfffffff0, 0x80000000));
	assert_true(signal_crosses(10, 0xfffffff0, 0xfffffff0));
	assert_false(signal_crosses(10, 0xfffffff0, 0xfffffff1));
	assert_false(signal_crosses(10, 0xfffffff0, 10));
	assert_false(signal_crosses(10, 0xfffffff0, 0));
}

/* HDB-BOTH-054: the two ends write different words of a cell. */
static void nobody_writes_what_is_not_theirs(void **state)
{
	struct hdmabuf_cell cell, want;

	(void)state;
	memset(&cell, 0xa5, sizeof(cell));
	want = cell;
	hdmabuf_cell_signal(&cell, 1, 0x200000003);
	want.point_high = want.point_next = hdmabuf_put_le32(2);
	want.point_low = hdmabuf_put_le32(3);
	assert_memory_equal(&cell, &want, sizeof(cell));

	hdmabuf_cell_fail(&cell, HDMABUF_STATUS_BUSY);
	want.error = hdmabuf_put_le32(HDMABUF_STATUS_BUSY);
	assert_memory_equal(&cell, &want, sizeof(cell));

	hdmabuf_cell_arm(&cell, 0x7766554433221100);
	want.wake = hdmabuf_put_le32(0x33221100);
	assert_memory_equal(&cell, &want, sizeof(cell));

	hdmabuf_cell_point(&cell, 0);
	hdmabuf_cell_error(&cell);
	assert_memory_equal(&cell, &want, sizeof(cell));
}

static void error_is_a_status(void **state)
{
	static const uint32_t odd[] = { 23,	   0xff,       0x100,
					0xffff,	   0x10000,    0x10001,
					0x20000,   0x80000000, 0xffff0000,
					UINT32_MAX };
	struct hdmabuf_cell cell;
	uint16_t status;
	size_t i;

	(void)state;
	hdmabuf_cell_init(&cell, 9);
	for (status = 0; status <= 22; status++) {
		hdmabuf_cell_fail(&cell, status);
		assert_int_equal(hdmabuf_cell_error(&cell), status);
		assert_true(hdmabuf_cell_point(&cell, 0) == 9);
	}
	for (i = 0; i < COUNT(odd); i++) {
		cell.error = hdmabuf_put_le32(odd[i]);
		assert_int_equal(hdmabuf_cell_error(&cell),
				 HDMABUF_STATUS_FAILED);
	}
}

/*
 * Two threads pass a frame to and fro. Only the cells keep them apart: if a word
 * of a point could be seen before the frame, or a wait could miss its point, this
 * finds a torn frame, a race (with ThreadSanitizer), or does not end.
 */
#define FRAMES	    10000
#define FRAME_WORDS 16
/* Every few frames the high word changes, and the low one goes back. */
#define STRIDE 0x3fffffffu

struct end {
	struct hdmabuf_cell *mine;   /* signalled here */
	struct hdmabuf_cell *theirs; /* waited for here */
	uint64_t *frame;
	int wake_me;   /* -1: poll */
	int wake_them; /* -1: they poll */
	uint64_t bad;
};

static void wait_polling(struct end *end, uint64_t point, uint64_t *known)
{
	while ((*known = hdmabuf_cell_point(end->theirs, *known)) < point)
		sched_yield();
}

static void wait_sleeping(struct end *end, uint64_t point, uint64_t *known)
{
	uint64_t count;

	while ((*known = hdmabuf_cell_point(end->theirs, *known)) < point) {
		hdmabuf_cell_arm(end->theirs, point);
		*known = hdmabuf_cell_point(end->theirs, *known);
		if (*known < point &&
		    read(end->wake_me, &count, sizeof(count)) != sizeof(count))
			end->bad++;
	}
}

static void signal_point(struct end *end, uint64_t old, uint64_t point)
{
	const uint64_t one = 1;

	if (hdmabuf_cell_signal(end->mine, old, point) && end->wake_them >= 0 &&
	    write(end->wake_them, &one, sizeof(one)) != sizeof(one))
		end->bad++;
}

static void wait_for(struct end *end, uint64_t point, uint64_t *known)
{
	if (end->wake_me < 0)
		wait_polling(end, point, known);
	else
		wait_sleeping(end, point, known);
	end->bad += *known != point;
}

static void *draw_frames(void *argument)
{
	struct end *end = argument;
	uint64_t i, point = 0, known = 0;
	int word;

	for (i = 1; i <= FRAMES; i++) {
		for (word = 0; word < FRAME_WORDS; word++)
			end->frame[word] = i * word;
		signal_point(end, point, point + STRIDE);
		point += STRIDE;
		wait_for(end, point, &known);
	}
	return NULL;
}

static void *show_frames(void *argument)
{
	struct end *end = argument;
	uint64_t i, point = 0, known = 0;
	int word;

	for (i = 1; i <= FRAMES; i++) {
		wait_for(end, point + STRIDE, &known);
		for (word = 0; word < FRAME_WORDS; word++)
			end->bad += end->frame[word] != i * word;
		signal_point(end, point, point + STRIDE);
		point += STRIDE;
	}
	return NULL;
}

static void pass_frames(int wake_a, int wake_b)
{
	struct hdmabuf_cell cells[2] __attribute__((aligned(64)));
	uint64_t frame[FRAME_WORDS];
	struct end a = { &cells[0], &cells[1], frame, wake_a, wake_b, 0 };
	struct end b = { &cells[1], &cells[0], frame, wake_b, wake_a, 0 };
	pthread_t thread;

	hdmabuf_cell_init(&cells[0], 0);
	hdmabuf_cell_init(&cells[1], 0);
	assert_int_equal(pthread_create(&thread, NULL, show_frames, &b), 0);
	draw_frames(&a);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(a.bad == 0);
	assert_true(b.bad == 0);
}

static void two_threads_that_poll(void **state)
{
	(void)state;
	pass_frames(-1, -1);
}

static void two_threads_that_sleep(void **state)
{
	int a = eventfd(0, EFD_CLOEXEC), b = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_true(a >= 0 && b >= 0);
	pass_frames(a, b);
	close(a);
	close(b);
}

/* The one that polls signals just when the other is about to sleep. */
static void two_threads_one_polls(void **state)
{
	int a = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_true(a >= 0);
	pass_frames(-1, a);
	pass_frames(a, -1);
	close(a);
}

/*
 * HDB-BOTH-058 and 059: a signal and a wait at the same moment. One of the two
 * must see the other, in every one of many collisions.
 */
#ifdef __SANITIZE_THREAD__
#define COLLISIONS 5000
#else
#define COLLISIONS 100000
#endif
/* Fewer where the two have to share a processor with others. */
#define COLLISION_SECONDS 5

struct collision {
	struct hdmabuf_cell cell;
	unsigned int begun; /* by the signaller */
	unsigned int ended; /* by the waiter */
	bool over;
	uint64_t seen;
};

static void await(const unsigned int *counter, unsigned int value)
{
	unsigned int spins = 0;

	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) != value)
		if (++spins % 1000 == 0)
			sched_yield();
}

static void *collide_waiting(void *argument)
{
	struct collision *at = argument;
	unsigned int i;

	for (i = 1; i <= COLLISIONS; i++) {
		await(&at->begun, i);
		if (at->over)
			break;
		hdmabuf_cell_arm(&at->cell, i);
		at->seen = hdmabuf_cell_point(&at->cell, 0);
		__atomic_store_n(&at->ended, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void signal_and_wait_collide(void **state)
{
	struct collision at __attribute__((aligned(64)));
	time_t end = time(NULL) + COLLISION_SECONDS;
	unsigned int i, lost = 0;
	volatile unsigned int delay;
	pthread_t thread;
	bool notified;

	(void)state;
	memset(&at, 0, sizeof(at));
	hdmabuf_cell_init(&at.cell, 0);
	assert_int_equal(pthread_create(&thread, NULL, collide_waiting, &at),
			 0);
	for (i = 1; i <= COLLISIONS && time(NULL) <= end; i++) {
		__atomic_store_n(&at.begun, i, __ATOMIC_RELEASE);
		for (delay = 0; delay < i % 700; delay++)
			;
		notified = hdmabuf_cell_signal(&at.cell, i - 1, i);
		await(&at.ended, i);
		lost += !notified && at.seen < i;
	}
	at.over = true;
	__atomic_store_n(&at.begun, i, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(lost, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_sets_all_of_the_cell),
		cmocka_unit_test(a_cell_holds_all_of_a_point),
		cmocka_unit_test(signal_is_read_as_it_was),
		cmocka_unit_test(a_point_never_goes_back),
		cmocka_unit_test(a_point_is_never_torn),
		cmocka_unit_test(notifies_if_wake_is_crossed),
		cmocka_unit_test(notifies_if_the_high_word_changes),
		cmocka_unit_test(notifies_far_ahead),
		cmocka_unit_test(nobody_writes_what_is_not_theirs),
		cmocka_unit_test(error_is_a_status),
		cmocka_unit_test(two_threads_that_poll),
		cmocka_unit_test(two_threads_that_sleep),
		cmocka_unit_test(two_threads_one_polls),
		cmocka_unit_test(signal_and_wait_collide),
	};

	return hdmabuf_test_run("timeline", tests, COUNT(tests));
}
