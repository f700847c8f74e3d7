/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hdmabuf/ring.h>

#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE	     4096
#define SLOTS	     32

/* Both ends of one ring of a page. */
struct pair {
	unsigned char page[PAGE] __attribute__((aligned(64)));
	struct hdmabuf_ring front; /* requester */
	struct hdmabuf_ring back;  /* responder */
};

/* The initial state of a test points to the format that it is about. */
static const uint32_t formats[] = {
	HDMABUF_RING_FORMAT_0,
	HDMABUF_RING_FORMAT_1,
};

static uint32_t format_of(void **state)
{
	return *(const uint32_t *)*state;
}

static struct hdmabuf_ring_indices *shared(struct pair *pair)
{
	return (struct hdmabuf_ring_indices *)pair->page;
}

static uint32_t stored(hdmabuf_le32 word)
{
	return hdmabuf_get_le32(word);
}

static void set_up_at(struct pair *pair, uint32_t format, uint32_t start)
{
	hdmabuf_ring_format(pair->page, PAGE, format, start);
	hdmabuf_ring_init(&pair->front, pair->page, PAGE, format, start);
	hdmabuf_ring_init(&pair->back, pair->page, PAGE, format, start);
}

static void set_up(struct pair *pair, uint32_t format)
{
	set_up_at(pair, format, 0);
}

static hdmabuf_le32 *req_event(struct pair *pair)
{
	struct hdmabuf_ring *ring = &pair->front;

	return ring->format ? &ring->events->req_event :
			      &ring->indices->req_event;
}

static hdmabuf_le32 *rsp_event(struct pair *pair)
{
	struct hdmabuf_ring *ring = &pair->front;

	return ring->format ? &ring->events->rsp_event :
			      &ring->indices->rsp_event;
}

static union hdmabuf_message numbered(uint32_t number)
{
	union hdmabuf_message message;
	unsigned int i;

	for (i = 0; i < sizeof(message); i++)
		message.octets[i] = (uint8_t)(number * 7 + i);
	message.header.id = hdmabuf_put_le32(number);
	message.octets[7] = 0; /* no status is beyond 255 */
	return message;
}

static void assert_numbered(const union hdmabuf_message *message,
			    uint32_t number)
{
	union hdmabuf_message want = numbered(number);

	assert_memory_equal(message, &want, sizeof(want));
}

static void put_requests(struct pair *pair, uint32_t first, uint32_t count)
{
	union hdmabuf_message message;

	for (; count; count--, first++) {
		message = numbered(first);
		assert_true(hdmabuf_ring_put_request(&pair->front, &message));
	}
}

static void take_requests(struct pair *pair, uint32_t first, uint32_t count)
{
	union hdmabuf_message message;

	for (; count; count--, first++) {
		assert_int_equal(hdmabuf_ring_has_request(&pair->back),
				 HDMABUF_RING_TAKEN);
		assert_int_equal(hdmabuf_ring_take_request(&pair->back,
							   &message),
				 HDMABUF_RING_TAKEN);
		assert_numbered(&message, first);
	}
}

static void put_answers(struct pair *pair, uint32_t first, uint32_t count)
{
	union hdmabuf_message message;

	for (; count; count--, first++) {
		message = numbered(~first);
		assert_true(hdmabuf_ring_put_answer(&pair->back, &message));
	}
}

static void take_answers(struct pair *pair, uint32_t first, uint32_t count)
{
	union hdmabuf_message message;

	for (; count; count--, first++) {
		assert_int_equal(hdmabuf_ring_has_answer(&pair->front),
				 HDMABUF_RING_TAKEN);
		assert_int_equal(hdmabuf_ring_take_answer(&pair->front,
							  &message),
				 HDMABUF_RING_TAKEN);
		assert_numbered(&message, ~first);
	}
}

static void assert_no_request(struct pair *pair)
{
	union hdmabuf_message message;

	assert_int_equal(hdmabuf_ring_has_request(&pair->back),
			 HDMABUF_RING_EMPTY);
	assert_int_equal(hdmabuf_ring_take_request(&pair->back, &message),
			 HDMABUF_RING_EMPTY);
}

static void assert_no_answer(struct pair *pair)
{
	union hdmabuf_message message;

	assert_int_equal(hdmabuf_ring_has_answer(&pair->front),
			 HDMABUF_RING_EMPTY);
	assert_int_equal(hdmabuf_ring_take_answer(&pair->front, &message),
			 HDMABUF_RING_EMPTY);
}

/* HDB-FE-004, and nothing else but zeros. */
static void format_is_as_specified(void **state)
{
	unsigned char page[PAGE] __attribute__((aligned(64)));
	unsigned char want[PAGE] = { 0 };

	(void)state;
	memset(page, 0xff, sizeof(page));
	want[4] = 1;
	want[12] = 1;
	hdmabuf_ring_format(page, sizeof(page), HDMABUF_RING_FORMAT_0, 0);
	assert_memory_equal(page, want, sizeof(page));
	memset(want, 0xff, 4);
	memset(want + 4, 0, 4);
	memset(want + 8, 0xff, 4);
	memset(want + 12, 0, 4);
	hdmabuf_ring_format(page, sizeof(page), HDMABUF_RING_FORMAT_0,
			    UINT32_MAX);
	assert_memory_equal(page, want, sizeof(page));
}

static void slots_of_all_sizes(void **state)
{
	static unsigned char pages[64 * PAGE] __attribute__((aligned(64)));
	struct hdmabuf_ring ring;
	uint32_t order, i;

	for (order = 0; order <= 6; order++) {
		union hdmabuf_message message = numbered(order);
		uint32_t slots = 32u << order;

		hdmabuf_ring_format(pages, (size_t)PAGE << order,
				    format_of(state), 0 - slots);
		hdmabuf_ring_init(&ring, pages, (size_t)PAGE << order,
				  format_of(state), 0 - slots);
		for (i = 0; i < slots; i++) {
			assert_int_equal(hdmabuf_ring_free_requests(&ring),
					 slots - i);
			assert_true(hdmabuf_ring_put_request(&ring, &message));
		}
		assert_int_equal(hdmabuf_ring_free_requests(&ring), 0);
		assert_false(hdmabuf_ring_put_request(&ring, &message));
	}
}

/* Index i is the slot at 64 + 64 * (i modulo the number of slots). */
static void messages_lie_where_they_should(void **state)
{
	uint32_t i, first = UINT32_MAX - 40;
	struct pair pair;

	set_up_at(&pair, format_of(state), first);
	for (i = first; i != first + 100; i++) {
		put_requests(&pair, i, 1);
		assert_numbered((void *)&pair.page[64 + 64 * (i % SLOTS)], i);
		hdmabuf_ring_push_requests(&pair.front);
		assert_int_equal(stored(shared(&pair)->req_prod), i + 1);
		take_requests(&pair, i, 1);
		put_answers(&pair, i, 1);
		assert_numbered((void *)&pair.page[64 + 64 * (i % SLOTS)], ~i);
		hdmabuf_ring_push_answers(&pair.back);
		assert_int_equal(stored(shared(&pair)->rsp_prod), i + 1);
		take_answers(&pair, i, 1);
	}
	/* Nothing behind the last slot, nothing between indices and slots. */
	for (i = 16; i < 64; i++)
		assert_int_equal(pair.page[i], 0);
	for (i = 64 + 64 * SLOTS; i < PAGE; i++)
		assert_int_equal(pair.page[i], 0);
}

static void nothing_is_seen_before_it_is_pushed(void **state)
{
	struct pair pair;

	set_up(&pair, format_of(state));
	put_requests(&pair, 0, 5);
	assert_no_request(&pair);
	hdmabuf_ring_push_requests(&pair.front);
	take_requests(&pair, 0, 5);
	assert_no_request(&pair);
	put_answers(&pair, 0, 5);
	assert_no_answer(&pair);
	hdmabuf_ring_push_answers(&pair.back);
	take_answers(&pair, 0, 5);
	assert_no_answer(&pair);
}

/* Batches of all sizes, one after another, many times round and across 2^32. */
static void batches_across_the_wrap(void **state)
{
	uint32_t round, size, at = UINT32_MAX - 5000;
	struct pair pair;

	set_up_at(&pair, format_of(state), at);
	for (round = 0; round < 20; round++)
		for (size = 1; size <= SLOTS; size++) {
			put_requests(&pair, at, size);
			assert_int_equal(
				hdmabuf_ring_free_requests(&pair.front),
				SLOTS - size);
			hdmabuf_ring_push_requests(&pair.front);
			take_requests(&pair, at, size);
			assert_no_request(&pair);
			put_answers(&pair, at, size);
			hdmabuf_ring_push_answers(&pair.back);
			take_answers(&pair, at, size);
			assert_no_answer(&pair);
			at += size;
		}
	assert_true(at < 6000);
}

/* The requester stays ahead by a full ring, the responder answers one by one. */
static void always_full(void **state)
{
	uint32_t at = UINT32_MAX - 100, i;
	union hdmabuf_message message = numbered(0);
	struct pair pair;

	set_up_at(&pair, format_of(state), at);
	put_requests(&pair, at, SLOTS);
	hdmabuf_ring_push_requests(&pair.front);
	for (i = 0; i < 300; i++, at++) {
		assert_false(hdmabuf_ring_put_request(&pair.front, &message));
		take_requests(&pair, at, 1);
		put_answers(&pair, at, 1);
		/* Neither an answer that is not seen nor one not taken is room. */
		assert_false(hdmabuf_ring_put_request(&pair.front, &message));
		hdmabuf_ring_push_answers(&pair.back);
		assert_false(hdmabuf_ring_put_request(&pair.front, &message));
		take_answers(&pair, at, 1);
		assert_int_equal(hdmabuf_ring_free_requests(&pair.front), 1);
		put_requests(&pair, at + SLOTS, 1);
		hdmabuf_ring_push_requests(&pair.front);
	}
}

/* A responder may take all requests before it answers the first. */
static void all_taken_none_answered(void **state)
{
	struct pair pair;

	set_up_at(&pair, format_of(state), UINT32_MAX - 3);
	put_requests(&pair, 0, SLOTS);
	hdmabuf_ring_push_requests(&pair.front);
	take_requests(&pair, 0, SLOTS);
	assert_no_request(&pair);
	put_answers(&pair, 0, SLOTS);
	assert_no_request(&pair);
	hdmabuf_ring_push_answers(&pair.back);
	assert_no_request(&pair);
	take_answers(&pair, 0, SLOTS);
}

static void no_answer_without_a_request(void **state)
{
	union hdmabuf_message message = numbered(1);
	struct pair pair;

	set_up(&pair, format_of(state));
	assert_false(hdmabuf_ring_put_answer(&pair.back, &message));
	put_requests(&pair, 0, 2);
	hdmabuf_ring_push_requests(&pair.front);
	assert_false(hdmabuf_ring_put_answer(&pair.back, &message));
	take_requests(&pair, 0, 1);
	assert_true(hdmabuf_ring_put_answer(&pair.back, &message));
	assert_false(hdmabuf_ring_put_answer(&pair.back, &message));
}

/* HDB-BOTH-007: what the other end writes into an end's own index is not read. */
static void own_indices_are_private(void **state)
{
	struct pair pair;

	set_up(&pair, format_of(state));
	put_requests(&pair, 0, 3);
	shared(&pair)->req_prod = hdmabuf_put_le32(0xdeadbeef);
	hdmabuf_ring_push_requests(&pair.front);
	assert_int_equal(stored(shared(&pair)->req_prod), 3);
	take_requests(&pair, 0, 3);
	put_answers(&pair, 0, 3);
	shared(&pair)->rsp_prod = hdmabuf_put_le32(0xdeadbeef);
	hdmabuf_ring_push_answers(&pair.back);
	assert_int_equal(stored(shared(&pair)->rsp_prod), 3);
	take_answers(&pair, 0, 3);
}

/* HDB-BOTH-009: what becomes of the slot later does not change the copy. */
static void a_message_is_copied(void **state)
{
	union hdmabuf_message message;
	struct pair pair;

	set_up(&pair, format_of(state));
	put_requests(&pair, 5, 1);
	hdmabuf_ring_push_requests(&pair.front);
	assert_int_equal(hdmabuf_ring_take_request(&pair.back, &message),
			 HDMABUF_RING_TAKEN);
	memset(pair.page + 64, 0xee, 128);
	assert_numbered(&message, 5);
}

/* Where the indices stand, counted without a wrap. */
struct position {
	uint64_t answered; /* answers that are visible */
	uint64_t taken;
	uint64_t limit; /* of what the other end may have produced */
};

/* HDB-BOTH-010, for an index that stands @away from what was taken. */
static enum hdmabuf_ring_result judge(const struct position *at, int64_t away)
{
	int64_t produced = (int64_t)at->taken + away;

	if (away == 0)
		return HDMABUF_RING_EMPTY;
	/* It has gone back, or too far. */
	if (away < 0 || produced > (int64_t)at->limit)
		return HDMABUF_RING_BROKEN;
	return HDMABUF_RING_TAKEN;
}

static void try_requests(struct pair *pair, const struct position *at,
			 int64_t away)
{
	uint32_t produced = (uint32_t)(at->taken + (uint64_t)away);
	enum hdmabuf_ring_result want = judge(at, away);
	union hdmabuf_message message;

	pair->back.pushed = (uint32_t)at->answered;
	pair->back.produced = (uint32_t)at->answered;
	pair->back.consumed = (uint32_t)at->taken;
	shared(pair)->req_prod = hdmabuf_put_le32(produced);
	assert_int_equal(hdmabuf_ring_has_request(&pair->back), want);
	assert_int_equal(hdmabuf_ring_take_request(&pair->back, &message),
			 want);
	assert_int_equal(pair->back.consumed - (uint32_t)at->taken,
			 want == HDMABUF_RING_TAKEN);
}

static void try_answers(struct pair *pair, const struct position *at,
			int64_t away)
{
	uint32_t produced = (uint32_t)(at->taken + (uint64_t)away);
	enum hdmabuf_ring_result want = judge(at, away);
	union hdmabuf_message message;

	/* Requests that are not visible make no difference. */
	pair->front.pushed = (uint32_t)at->limit;
	pair->front.produced = (uint32_t)at->taken + SLOTS;
	pair->front.consumed = (uint32_t)at->taken;
	shared(pair)->rsp_prod = hdmabuf_put_le32(produced);
	assert_int_equal(hdmabuf_ring_has_answer(&pair->front), want);
	assert_int_equal(hdmabuf_ring_take_answer(&pair->front, &message),
			 want);
	assert_int_equal(pair->front.consumed - (uint32_t)at->taken,
			 want == HDMABUF_RING_TAKEN);
}

typedef void try_fn(struct pair *pair, const struct position *at, int64_t away);

static void try_all(struct pair *pair, const struct position *at, try_fn *try)
{
	int64_t away;
	int bit;

	for (away = -3 * SLOTS; away <= 3 * SLOTS; away++)
		try(pair, at, away);
	for (bit = 7; bit < 31; bit++)
		for (away = -1; away <= 1; away++) {
			try(pair, at, (1LL << bit) + away);
			try(pair, at, -(1LL << bit) + away);
		}
	try(pair, at, 1LL << 31);
}

static const uint64_t far_starts[] = {
	SLOTS,
	0x7ffffff0,
	0x100000000 - 2 * SLOTS,
	0x100000000 - SLOTS,
	0x100000000 - 1,
	0x100000000,
	0x100000000 + 1,
};

static void hostile_request_indices(void **state)
{
	struct position at;
	struct pair pair;
	uint64_t pending;
	size_t i;

	set_up(&pair, format_of(state));
	for (i = 0; i < COUNT(far_starts); i++)
		for (pending = 0; pending <= SLOTS; pending++) {
			at.answered = far_starts[i];
			at.taken = at.answered + pending;
			at.limit = at.answered + SLOTS;
			try_all(&pair, &at, try_requests);
		}
}

static void hostile_answer_indices(void **state)
{
	struct position at;
	struct pair pair;
	uint64_t pending;
	size_t i;

	set_up(&pair, format_of(state));
	for (i = 0; i < COUNT(far_starts); i++)
		for (pending = 0; pending <= SLOTS; pending++) {
			at.answered = 0;
			at.taken = far_starts[i];
			at.limit = at.taken + pending;
			try_all(&pair, &at, try_answers);
		}
}

/* Answers that were put but not pushed: the other end cannot know of that room. */
static void unseen_answers_make_no_room(void **state)
{
	union hdmabuf_message message;
	struct pair pair;

	set_up(&pair, format_of(state));
	put_requests(&pair, 0, SLOTS);
	hdmabuf_ring_push_requests(&pair.front);
	take_requests(&pair, 0, SLOTS);
	put_answers(&pair, 0, 1);
	shared(&pair)->req_prod = hdmabuf_put_le32(SLOTS + 1);
	assert_int_equal(hdmabuf_ring_take_request(&pair.back, &message),
			 HDMABUF_RING_BROKEN);
	hdmabuf_ring_push_answers(&pair.back);
	assert_int_equal(hdmabuf_ring_take_request(&pair.back, &message),
			 HDMABUF_RING_TAKEN);
}

/* HDB-BOTH-013 by counting: one of the new indices is the event. */
static bool crosses(uint32_t before, uint32_t count, uint32_t event)
{
	uint32_t i;

	for (i = 1; i <= count; i++)
		if (before + i == event)
			return true;
	return false;
}

static void check_notify(uint32_t format, uint32_t before, uint32_t count,
			 uint32_t event)
{
	union hdmabuf_message message = numbered(0);
	struct pair pair;
	uint32_t i;

	set_up_at(&pair, format, before);
	for (i = 0; i < count; i++)
		hdmabuf_ring_put_request(&pair.front, &message);
	*req_event(&pair) = hdmabuf_put_le32(event);
	assert_int_equal(hdmabuf_ring_push_requests(&pair.front),
			 crosses(before, count, event));
	for (i = 0; i < count; i++)
		hdmabuf_ring_take_request(&pair.back, &message);
	for (i = 0; i < count; i++)
		hdmabuf_ring_put_answer(&pair.back, &message);
	*rsp_event(&pair) = hdmabuf_put_le32(event);
	assert_int_equal(hdmabuf_ring_push_answers(&pair.back),
			 crosses(before, count, event));
}

static void notifies_if_the_event_is_crossed(void **state)
{
	static const uint32_t before[] = { 0,	       1,	   100,
					   0x7fffffe0, 0x80000000, 0xffffffdf,
					   0xfffffff0, 0xffffffff };
	static const uint32_t far[] = { 0x1000, 0x7fffffff, 0x80000000,
					0x80000001, 0xfffff000 };
	uint32_t count;
	size_t i, k;
	int away;

	for (i = 0; i < COUNT(before); i++)
		for (count = 0; count <= SLOTS; count++) {
			for (away = -SLOTS - 2; away <= SLOTS + 2; away++)
				check_notify(format_of(state), before[i], count,
					     before[i] + (uint32_t)away);
			for (k = 0; k < COUNT(far); k++)
				check_notify(format_of(state), before[i], count,
					     before[i] + far[k]);
		}
}

/* Nothing to show: no store, so that polling does not cost the other end. */
static void push_of_nothing_does_nothing(void **state)
{
	unsigned char before[PAGE];
	struct pair pair;

	set_up_at(&pair, format_of(state), 77);
	memset(pair.page, 0x5a, 16);
	memcpy(before, pair.page, sizeof(before));
	assert_false(hdmabuf_ring_push_requests(&pair.front));
	assert_false(hdmabuf_ring_push_answers(&pair.back));
	assert_memory_equal(pair.page, before, sizeof(before));
}

/* HDB-BOTH-014, and that arming tells of what was already there. */
static void arm_stores_the_event(void **state)
{
	uint32_t at = UINT32_MAX - 2, i;
	struct pair pair;

	set_up_at(&pair, format_of(state), at);
	for (i = at; i != at + 6; i++) {
		assert_false(hdmabuf_ring_arm_requests(&pair.back));
		assert_int_equal(stored(*req_event(&pair)), i + 1);
		put_requests(&pair, i, 1);
		assert_true(hdmabuf_ring_push_requests(&pair.front));
		assert_true(hdmabuf_ring_arm_requests(&pair.back));
		take_requests(&pair, i, 1);

		assert_false(hdmabuf_ring_arm_answers(&pair.front, 1));
		assert_int_equal(stored(*rsp_event(&pair)), i + 1);
		put_answers(&pair, i, 1);
		assert_true(hdmabuf_ring_push_answers(&pair.back));
		assert_true(hdmabuf_ring_arm_answers(&pair.front, 1));
		take_answers(&pair, i, 1);
	}
}

/* Nobody notifies who looks, until the ring is armed; and then what is there is told. */
static void hold_leaves_the_event_behind(void **state)
{
	uint32_t at = UINT32_MAX - 2, i;
	struct pair pair;

	set_up_at(&pair, format_of(state), at);
	hdmabuf_ring_hold_requests(&pair.back);
	hdmabuf_ring_hold_answers(&pair.front);
	assert_int_equal(stored(*req_event(&pair)), at);
	assert_int_equal(stored(*rsp_event(&pair)), at);
	for (i = at; i != at + 6; i++) {
		put_requests(&pair, i, 1);
		assert_false(hdmabuf_ring_push_requests(&pair.front));
		hdmabuf_ring_hold_requests(&pair.back);
		assert_true(hdmabuf_ring_arm_requests(&pair.back));
		hdmabuf_ring_hold_requests(&pair.back);
		take_requests(&pair, i, 1);
		put_answers(&pair, i, 1);
		assert_false(hdmabuf_ring_push_answers(&pair.back));
		assert_true(hdmabuf_ring_arm_answers(&pair.front, 1));
		hdmabuf_ring_hold_answers(&pair.front);
		take_answers(&pair, i, 1);
	}
	assert_false(hdmabuf_ring_arm_requests(&pair.back));
	put_requests(&pair, i, 1);
	assert_true(hdmabuf_ring_push_requests(&pair.front));
}

/* Indices that cannot be are something to look at, too. */
static void arm_does_not_sleep_on_nonsense(void **state)
{
	struct pair pair;

	set_up_at(&pair, format_of(state), 9);
	shared(&pair)->req_prod = hdmabuf_put_le32(8);
	shared(&pair)->rsp_prod = hdmabuf_put_le32(0x80000000);
	assert_true(hdmabuf_ring_arm_requests(&pair.back));
	assert_true(hdmabuf_ring_arm_answers(&pair.front, 1));
}

/* One notification for a batch of answers; none for a consumer that polls. */
static void one_notification_for_a_batch(void **state)
{
	uint32_t batch, i, notified;
	struct pair pair;

	for (batch = 1; batch <= SLOTS; batch++) {
		set_up_at(&pair, format_of(state), UINT32_MAX - batch / 2);
		put_requests(&pair, 0, SLOTS);
		hdmabuf_ring_push_requests(&pair.front);
		take_requests(&pair, 0, SLOTS);
		assert_false(hdmabuf_ring_arm_answers(&pair.front, batch));
		notified = 0;
		for (i = 0; i < SLOTS; i++) {
			put_answers(&pair, i, 1);
			if (hdmabuf_ring_push_answers(&pair.back)) {
				assert_int_equal(i + 1, batch);
				notified++;
			}
		}
		assert_int_equal(notified, 1);
	}
}

/*
 * ---- Two ends at once: a lost notification or a stale slot shows as a time-out,
 * a wrong message or, with ThreadSanitizer, a race.
 */
#define REQUESTS 20000

struct end {
	struct hdmabuf_ring ring;
	int wake_me;   /* -1: poll */
	int wake_them; /* -1: they poll */
	uint64_t bad;
};

static void notify(struct end *end, bool wanted)
{
	const uint64_t one = 1;

	if (wanted && end->wake_them >= 0 &&
	    write(end->wake_them, &one, sizeof(one)) != sizeof(one))
		end->bad++;
}

static void rest(struct end *end, bool more)
{
	uint64_t count;

	if (end->wake_me < 0)
		sched_yield();
	else if (!more &&
		 read(end->wake_me, &count, sizeof(count)) != sizeof(count))
		end->bad++;
}

static bool is_numbered(const union hdmabuf_message *message, uint32_t number)
{
	union hdmabuf_message want = numbered(number);

	return memcmp(message, &want, sizeof(want)) == 0;
}

/* Sends in batches of 1 to 9, and sleeps if there is an answer to wait for. */
static void *send_requests(void *argument)
{
	uint32_t sent = 0, answered = 0, batch;
	struct end *end = argument;
	union hdmabuf_message message;
	enum hdmabuf_ring_result found;

	while (answered < REQUESTS) {
		for (batch = 1 + sent % 9; batch && sent < REQUESTS; batch--) {
			message = numbered(sent);
			if (!hdmabuf_ring_put_request(&end->ring, &message))
				break;
			sent++;
		}
		notify(end, hdmabuf_ring_push_requests(&end->ring));
		while ((found = hdmabuf_ring_take_answer(
				&end->ring, &message)) == HDMABUF_RING_TAKEN)
			end->bad += !is_numbered(&message, ~answered++);
		end->bad += found == HDMABUF_RING_BROKEN;
		if (answered < sent)
			rest(end, hdmabuf_ring_arm_answers(&end->ring, 1));
	}
	return NULL;
}

/* Answers in batches of 1 to 5. */
static void *answer_requests(void *argument)
{
	uint32_t taken = 0, batch;
	struct end *end = argument;
	union hdmabuf_message message;

	while (taken < REQUESTS) {
		for (batch = 1 + taken % 5; batch; batch--) {
			if (hdmabuf_ring_take_request(&end->ring, &message) !=
			    HDMABUF_RING_TAKEN)
				break;
			end->bad += !is_numbered(&message, taken);
			message = numbered(~taken++);
			end->bad +=
				!hdmabuf_ring_put_answer(&end->ring, &message);
		}
		notify(end, hdmabuf_ring_push_answers(&end->ring));
		if (batch && taken < REQUESTS)
			rest(end, hdmabuf_ring_arm_requests(&end->ring));
	}
	end->bad += hdmabuf_ring_has_request(&end->ring) == HDMABUF_RING_BROKEN;
	return NULL;
}

static void two_threads(uint32_t format, int wake_front, int wake_back)
{
	struct end front = { .wake_me = wake_front, .wake_them = wake_back };
	struct end back = { .wake_me = wake_back, .wake_them = wake_front };
	struct pair pair;
	pthread_t thread;

	set_up_at(&pair, format, UINT32_MAX - REQUESTS / 2);
	front.ring = pair.front;
	back.ring = pair.back;
	assert_int_equal(pthread_create(&thread, NULL, answer_requests, &back),
			 0);
	send_requests(&front);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(front.bad == 0);
	assert_true(back.bad == 0);
}

static void two_threads_that_poll(void **state)
{
	two_threads(format_of(state), -1, -1);
}

static void two_threads_that_sleep(void **state)
{
	int a = eventfd(0, EFD_CLOEXEC), b = eventfd(0, EFD_CLOEXEC);

	assert_true(a >= 0 && b >= 0);
	two_threads(format_of(state), a, b);
	close(a);
	close(b);
}

/* A polling end gets no notifications, a sleeping one all that it needs. */
static void two_threads_one_polls(void **state)
{
	int a = eventfd(0, EFD_CLOEXEC);

	assert_true(a >= 0);
	two_threads(format_of(state), -1, a);
	two_threads(format_of(state), a, -1);
	close(a);
}

/*
 * HDB-BOTH-013 and 014: a push at the moment at which the other end is about to
 * sleep. One of the two must see the other, in every one of many collisions.
 */
#ifdef __SANITIZE_THREAD__
#define COLLISIONS 5000
#else
#define COLLISIONS 100000
#endif
/* Fewer where the two have to share a processor with others. */
#define COLLISION_SECONDS 5

struct collision {
	struct pair pair;
	uint32_t begun; /* by the requester */
	uint32_t ended; /* by the responder */
	bool over;
	bool awake;
	uint32_t bad;
};

static void await(const uint32_t *counter, uint32_t value)
{
	unsigned int spins = 0;

	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) != value)
		if (++spins % 1000 == 0)
			sched_yield();
}

static void *collide_sleeping(void *argument)
{
	struct collision *at = argument;
	union hdmabuf_message message;
	uint32_t i;

	for (i = 1; i <= COLLISIONS; i++) {
		await(&at->begun, i);
		if (at->over)
			break;
		at->awake = hdmabuf_ring_arm_requests(&at->pair.back);
		while (hdmabuf_ring_take_request(&at->pair.back, &message) ==
		       HDMABUF_RING_EMPTY)
			sched_yield();
		at->bad += !hdmabuf_ring_put_answer(&at->pair.back, &message);
		hdmabuf_ring_push_answers(&at->pair.back);
		__atomic_store_n(&at->ended, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void push_and_sleep_collide(void **state)
{
	struct collision at __attribute__((aligned(64)));
	union hdmabuf_message message = numbered(0);
	time_t end = time(NULL) + COLLISION_SECONDS;
	uint32_t i, lost = 0;
	volatile uint32_t delay;
	pthread_t thread;
	bool notified;

	memset(&at, 0, sizeof(at));
	set_up_at(&at.pair, format_of(state), UINT32_MAX - COLLISIONS / 2);
	assert_int_equal(pthread_create(&thread, NULL, collide_sleeping, &at),
			 0);
	for (i = 1; i <= COLLISIONS && time(NULL) <= end; i++) {
		hdmabuf_ring_put_request(&at.pair.front, &message);
		__atomic_store_n(&at.begun, i, __ATOMIC_RELEASE);
		for (delay = 0; delay < i % 700; delay++)
			;
		notified = hdmabuf_ring_push_requests(&at.pair.front);
		await(&at.ended, i);
		lost += !notified && !at.awake;
		at.bad += hdmabuf_ring_take_answer(&at.pair.front, &message) !=
			  HDMABUF_RING_TAKEN;
	}
	at.over = true;
	__atomic_store_n(&at.begun, i, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(lost, 0);
	assert_int_equal(at.bad, 0);
}

static struct pair *map_pair(void)
{
	struct pair *pair = mmap(NULL, sizeof(*pair), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(pair, MAP_FAILED);
	return pair;
}

static pid_t start(void (*body)(struct pair *, int, int), struct pair *pair,
		   int wake_me, int wake_them)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		body(pair, wake_me, wake_them);
		_exit(0);
	}
	return pid;
}

static void answer_in_a_process(struct pair *pair, int wake_me, int wake_them)
{
	struct end end = { .ring = pair->back,
			   .wake_me = wake_me,
			   .wake_them = wake_them };

	answer_requests(&end);
	if (end.bad)
		_exit(1);
}

static void two_processes(void **state)
{
	int a = eventfd(0, EFD_CLOEXEC), b = eventfd(0, EFD_CLOEXEC), status;
	struct end end = { .wake_me = a, .wake_them = b };
	struct pair *pair = map_pair();
	pid_t pid;

	assert_true(a >= 0 && b >= 0);
	set_up(pair, format_of(state));
	end.ring = pair->front;
	pid = start(answer_in_a_process, pair, b, a);
	send_requests(&end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(end.bad == 0);
	assert_int_equal(munmap(pair, sizeof(*pair)), 0);
	close(a);
	close(b);
}

static uint32_t draw(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/*
 * Until it is killed, writes anything anywhere in the ring, and indices that may
 * well be the right ones.
 */
static void scribble(struct pair *pair, int wake_me, int wake_them)
{
	volatile uint32_t *words = (volatile uint32_t *)pair->page;
	uint32_t seed = 2463534242u, i;

	(void)wake_me;
	(void)wake_them;
	for (i = 0;; i++) {
		words[i % 4] = i >> 4 & 0xfff;
		words[32 + 16 * (i % SLOTS) + 1] = i << 17;
		words[draw(&seed) % (PAGE / 4)] = draw(&seed);
	}
}

/* Whatever is there, no more is taken than the ring holds, and no less put. */
static void suffer(struct pair *pair)
{
	uint32_t unanswered = pair->back.consumed - pair->back.produced;
	uint32_t pending = pair->front.produced - pair->front.consumed;
	union hdmabuf_message message = numbered(1);

	if (hdmabuf_ring_take_request(&pair->back, &message) ==
	    HDMABUF_RING_TAKEN)
		unanswered++;
	assert_true(unanswered <= SLOTS);
	if (unanswered > SLOTS / 2) {
		assert_true(hdmabuf_ring_put_answer(&pair->back, &message));
		hdmabuf_ring_push_answers(&pair->back);
	}
	hdmabuf_ring_arm_requests(&pair->back);
	if (hdmabuf_ring_take_answer(&pair->front, &message) ==
	    HDMABUF_RING_TAKEN) {
		assert_true(pending > 0);
		pending--;
	}
	assert_int_equal(hdmabuf_ring_put_request(&pair->front, &message),
			 pending < SLOTS);
	hdmabuf_ring_push_requests(&pair->front);
	hdmabuf_ring_arm_answers(&pair->front, 3);
}

/* The ring ends where unmapped memory begins: a slot outside would be noticed. */
static void a_hostile_process(void **state)
{
	unsigned char *area = mmap(NULL, 3 * PAGE, PROT_NONE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t round, answered;
	struct pair pair, *shown;
	int status;
	pid_t pid;

	assert_ptr_not_equal(area, MAP_FAILED);
	shown = (struct pair *)(area + PAGE);
	assert_int_equal(mprotect(shown, PAGE, PROT_READ | PROT_WRITE), 0);
	hdmabuf_ring_format(shown->page, PAGE, format_of(state), 0 - SLOTS);
	hdmabuf_ring_init(&pair.front, shown->page, PAGE, format_of(state),
			  0 - SLOTS);
	hdmabuf_ring_init(&pair.back, shown->page, PAGE, format_of(state),
			  0 - SLOTS);
	pid = start(scribble, shown, -1, -1);
	for (round = 0; round < 200000; round++)
		suffer(&pair);
	answered = pair.back.produced;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(munmap(area, 3 * PAGE), 0);
	/* It was not all in vain: there were messages among the nonsense. */
	assert_true(answered > 0);
}

/* ---- Marks ---------------------------------------------------------------- */

#define MARKED_PAGES 8
#define MARKED_SLOTS (32u * MARKED_PAGES)

/* A ring with room for batches that one mark does not count. */
struct wide_pair {
	unsigned char page[MARKED_PAGES * PAGE] __attribute__((aligned(64)));
	struct hdmabuf_ring front;
	struct hdmabuf_ring back;
};

static void set_up_wide(struct wide_pair *pair, uint32_t start)
{
	hdmabuf_ring_format(pair->page, sizeof(pair->page),
			    HDMABUF_RING_FORMAT_1, start);
	hdmabuf_ring_init(&pair->front, pair->page, sizeof(pair->page),
			  HDMABUF_RING_FORMAT_1, start);
	hdmabuf_ring_init(&pair->back, pair->page, sizeof(pair->page),
			  HDMABUF_RING_FORMAT_1, start);
}

static unsigned char *mark_of(unsigned char *page, uint32_t slots,
			      uint32_t index)
{
	return &page[128 + 64 * (index % slots) + 7];
}

static void marks_format_is_as_specified(void **state)
{
	unsigned char page[PAGE] __attribute__((aligned(64)));
	unsigned char want[PAGE] = { 0 };

	(void)state;
	memset(page, 0xff, sizeof(page));
	want[0] = want[64] = 0x12;
	want[3] = want[67] = 0x80;
	hdmabuf_ring_format(page, sizeof(page), HDMABUF_RING_FORMAT_1,
			    0x80000011);
	assert_memory_equal(page, want, sizeof(page));
}

/* Index i is the slot at 128 + 64 * (i modulo the number of slots). */
static void marked_messages_lie_where_they_should(void **state)
{
	uint32_t i, k, first = UINT32_MAX - 40;
	union hdmabuf_message slot;
	struct pair pair;

	set_up_at(&pair, format_of(state), first);
	for (i = first; i != first + 300; i += 3) {
		put_requests(&pair, i, 3);
		hdmabuf_ring_push_requests(&pair.front);
		for (k = 0; k < 3; k++) {
			memcpy(&slot, &pair.page[128 + 64 * ((i + k) % SLOTS)],
			       sizeof(slot));
			assert_int_equal(slot.octets[7], k ? 0 : 3);
			slot.octets[7] = 0;
			assert_numbered(&slot, i + k);
		}
		take_requests(&pair, i, 3);
		put_answers(&pair, i, 3);
		hdmabuf_ring_push_answers(&pair.back);
		assert_int_equal(*mark_of(pair.page, SLOTS, i), 131);
		assert_int_equal(*mark_of(pair.page, SLOTS, i + 1), 0);
		take_answers(&pair, i, 3);
	}
	/* Nothing but events before the first slot, nothing behind the last. */
	for (i = 0; i < PAGE; i++)
		if (i >= 128 + 64 * SLOTS || (i < 128 && i % 64 >= 4))
			assert_int_equal(pair.page[i], 0);
}

/* HDB-BOTH-070, by looking at the slots before and after each push. */
static void groups_of_a_batch_are_marked(void **state)
{
	static const uint32_t sizes[] = { 1,   63,  64,	 65,
					  128, 129, 200, MARKED_SLOTS };
	uint32_t at = 0 - 1000u, i, left, want;
	union hdmabuf_message message;
	static struct wide_pair pair;
	size_t k;

	(void)state;
	set_up_wide(&pair, at);
	for (k = 0; k < COUNT(sizes); k++, at += sizes[k - 1]) {
		for (i = 0; i < sizes[k]; i++) {
			message = numbered(i);
			assert_true(hdmabuf_ring_put_request(&pair.front,
							     &message));
		}
		assert_int_equal(hdmabuf_ring_has_request(&pair.back),
				 HDMABUF_RING_EMPTY);
		hdmabuf_ring_push_requests(&pair.front);
		for (i = 0; i < sizes[k]; i++) {
			left = sizes[k] - i;
			want = i % 64 ? 0 : left < 64 ? left : 64;
			assert_int_equal(*mark_of(pair.page, MARKED_SLOTS,
						  at + i),
					 want);
		}
		for (i = 0; i < sizes[k]; i++) {
			assert_int_equal(hdmabuf_ring_take_request(&pair.back,
								   &message),
					 HDMABUF_RING_TAKEN);
			assert_numbered(&message, i);
			hdmabuf_ring_put_answer(&pair.back, &message);
		}
		hdmabuf_ring_push_answers(&pair.back);
		for (i = 0; i < sizes[k]; i++) {
			assert_int_equal(hdmabuf_ring_take_answer(&pair.front,
								  &message),
					 HDMABUF_RING_TAKEN);
			assert_numbered(&message, i);
		}
		assert_int_equal(hdmabuf_ring_take_answer(&pair.front,
							  &message),
				 HDMABUF_RING_EMPTY);
	}
}

static void put_wide(struct wide_pair *pair, uint32_t first, uint32_t count)
{
	union hdmabuf_message message;
	uint32_t i;

	for (i = first; i < first + count; i++) {
		message = numbered(i);
		assert_true(hdmabuf_ring_put_request(&pair->front, &message));
	}
	hdmabuf_ring_push_requests(&pair->front);
}

/* Behind a batch that fills the ring is one that nobody has looked at yet. */
static void no_group_is_marked_behind_the_batch(void **state)
{
	static struct wide_pair pair;
	union hdmabuf_message message;
	uint32_t i;

	(void)state;
	set_up_wide(&pair, 7);
	put_wide(&pair, 0, HDMABUF_MARK_MAX);
	put_wide(&pair, HDMABUF_MARK_MAX, MARKED_SLOTS - HDMABUF_MARK_MAX);
	for (i = 0; i < MARKED_SLOTS; i++) {
		assert_int_equal(hdmabuf_ring_take_request(&pair.back,
							   &message),
				 HDMABUF_RING_TAKEN);
		assert_numbered(&message, i);
	}
	assert_int_equal(hdmabuf_ring_take_request(&pair.back, &message),
			 HDMABUF_RING_EMPTY);
}

/* Of a batch, one was taken: the others have no mark, and are there. */
static void arm_sees_the_rest_of_a_batch(void **state)
{
	struct pair pair;

	set_up(&pair, format_of(state));
	put_requests(&pair, 0, 2);
	hdmabuf_ring_push_requests(&pair.front);
	take_requests(&pair, 0, 1);
	assert_true(hdmabuf_ring_arm_requests(&pair.back));
	take_requests(&pair, 1, 1);
	assert_false(hdmabuf_ring_arm_requests(&pair.back));

	put_answers(&pair, 0, 2);
	hdmabuf_ring_push_answers(&pair.back);
	take_answers(&pair, 0, 1);
	assert_true(hdmabuf_ring_arm_answers(&pair.front, 1));
	take_answers(&pair, 1, 1);
	assert_false(hdmabuf_ring_arm_answers(&pair.front, 1));
}

/* A status that has no place there marks nothing before it is pushed. */
static void no_status_is_a_mark(void **state)
{
	union hdmabuf_message message = numbered(1);
	struct pair pair;

	set_up(&pair, format_of(state));
	message.header.status = hdmabuf_put_le16(0x0203);
	hdmabuf_ring_put_request(&pair.front, &message);
	hdmabuf_ring_put_request(&pair.front, &message);
	assert_no_request(&pair);
	hdmabuf_ring_push_requests(&pair.front);
	assert_int_equal(hdmabuf_ring_take_request(&pair.back, &message),
			 HDMABUF_RING_TAKEN);
	assert_int_equal(hdmabuf_get_le16(message.header.status), 3);
	message.header.status = hdmabuf_put_le16(0x8500);
	hdmabuf_ring_put_answer(&pair.back, &message);
	assert_no_answer(&pair);
	hdmabuf_ring_push_answers(&pair.back);
	assert_int_equal(hdmabuf_ring_take_answer(&pair.front, &message),
			 HDMABUF_RING_TAKEN);
	assert_int_equal(hdmabuf_get_le16(message.header.status), 0);
}

/* What a mark of @kind means to who may take @most messages. */
static enum hdmabuf_ring_result judge_mark(uint32_t mark, uint32_t kind,
					   uint32_t most)
{
	if (!most || mark <= kind || mark - kind > HDMABUF_MARK_MAX)
		return HDMABUF_RING_EMPTY;
	return mark - kind <= most ? HDMABUF_RING_TAKEN : HDMABUF_RING_BROKEN;
}

/* HDB-BOTH-071, for every mark, with each number of requests unanswered. */
static void hostile_marks(void **state)
{
	union hdmabuf_message message;
	uint32_t mark, unanswered;
	struct pair pair;

	for (mark = 0; mark < 256; mark++)
		for (unanswered = 0; unanswered <= SLOTS; unanswered++) {
			uint32_t start = 0 - unanswered / 2;
			enum hdmabuf_ring_result want;

			set_up_at(&pair, format_of(state), start);
			put_requests(&pair, 0, unanswered);
			hdmabuf_ring_push_requests(&pair.front);
			take_requests(&pair, 0, unanswered);

			*mark_of(pair.page, SLOTS, start) = (uint8_t)mark;
			want = judge_mark(mark, HDMABUF_MARK_ANSWERS,
					  unanswered);
			assert_int_equal(hdmabuf_ring_has_answer(&pair.front),
					 want);
			assert_int_equal(hdmabuf_ring_take_answer(&pair.front,
								  &message),
					 want);

			*mark_of(pair.page, SLOTS, start + unanswered) =
				(uint8_t)mark;
			want = judge_mark(mark, HDMABUF_MARK_REQUESTS,
					  SLOTS - unanswered);
			assert_int_equal(hdmabuf_ring_has_request(&pair.back),
					 want);
			assert_int_equal(hdmabuf_ring_arm_requests(&pair.back),
					 want != HDMABUF_RING_EMPTY);
			assert_int_equal(hdmabuf_ring_take_request(&pair.back,
								   &message),
					 want);
		}
}

/* What was counted is taken, whatever becomes of the marks. */
static void a_mark_is_read_once(void **state)
{
	union hdmabuf_message message;
	struct pair pair;
	uint32_t i;

	set_up(&pair, format_of(state));
	put_requests(&pair, 0, 5);
	hdmabuf_ring_push_requests(&pair.front);
	take_requests(&pair, 0, 1);
	for (i = 0; i < SLOTS; i++)
		*mark_of(pair.page, SLOTS, i) = 0;
	take_requests(&pair, 1, 4);
	for (i = 0; i < SLOTS; i++)
		*mark_of(pair.page, SLOTS, i) = 64;
	assert_int_equal(hdmabuf_ring_take_request(&pair.back, &message),
			 HDMABUF_RING_BROKEN);
}

/* HDB-BOTH-072: rings that went round are full of marks of messages taken. */
static void old_marks_are_not_new(void **state)
{
	struct pair pair;
	uint32_t i;

	set_up(&pair, format_of(state));
	for (i = 0; i < 3 * SLOTS; i++) {
		put_requests(&pair, i, 1);
		hdmabuf_ring_push_requests(&pair.front);
		assert_no_answer(&pair);
		take_requests(&pair, i, 1);
		assert_no_request(&pair);
		put_answers(&pair, i, 1);
		hdmabuf_ring_push_answers(&pair.back);
		take_answers(&pair, i, 1);
		assert_no_answer(&pair);
		assert_no_request(&pair);
	}
	for (i = 0; i < SLOTS; i++) {
		put_requests(&pair, i, 1);
		hdmabuf_ring_push_requests(&pair.front);
		take_requests(&pair, i, 1);
		assert_no_request(&pair);
		assert_no_answer(&pair);
	}
}

#define ABOUT(test, format) \
	{ \
		.name = #test "_" #format, .test_func = test, \
		.initial_state = (void *)&formats[format], \
	}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ABOUT(format_is_as_specified, 0),
		ABOUT(slots_of_all_sizes, 0),
		ABOUT(slots_of_all_sizes, 1),
		ABOUT(messages_lie_where_they_should, 0),
		ABOUT(nothing_is_seen_before_it_is_pushed, 0),
		ABOUT(nothing_is_seen_before_it_is_pushed, 1),
		ABOUT(batches_across_the_wrap, 0),
		ABOUT(batches_across_the_wrap, 1),
		ABOUT(always_full, 0),
		ABOUT(always_full, 1),
		ABOUT(all_taken_none_answered, 0),
		ABOUT(all_taken_none_answered, 1),
		ABOUT(no_answer_without_a_request, 0),
		ABOUT(no_answer_without_a_request, 1),
		ABOUT(own_indices_are_private, 0),
		ABOUT(a_message_is_copied, 0),
		ABOUT(a_message_is_copied, 1),
		ABOUT(hostile_request_indices, 0),
		ABOUT(hostile_answer_indices, 0),
		ABOUT(unseen_answers_make_no_room, 0),
		ABOUT(notifies_if_the_event_is_crossed, 0),
		ABOUT(notifies_if_the_event_is_crossed, 1),
		ABOUT(push_of_nothing_does_nothing, 0),
		ABOUT(push_of_nothing_does_nothing, 1),
		ABOUT(arm_stores_the_event, 0),
		ABOUT(arm_stores_the_event, 1),
		ABOUT(hold_leaves_the_event_behind, 0),
		ABOUT(hold_leaves_the_event_behind, 1),
		ABOUT(arm_does_not_sleep_on_nonsense, 0),
		ABOUT(one_notification_for_a_batch, 0),
		ABOUT(one_notification_for_a_batch, 1),
		ABOUT(two_threads_that_poll, 0),
		ABOUT(two_threads_that_poll, 1),
		ABOUT(two_threads_that_sleep, 0),
		ABOUT(two_threads_that_sleep, 1),
		ABOUT(two_threads_one_polls, 0),
		ABOUT(two_threads_one_polls, 1),
		ABOUT(push_and_sleep_collide, 0),
		ABOUT(push_and_sleep_collide, 1),
		ABOUT(two_processes, 0),
		ABOUT(two_processes, 1),
		ABOUT(a_hostile_process, 0),
		ABOUT(a_hostile_process, 1),
		ABOUT(marks_format_is_as_specified, 1),
		ABOUT(marked_messages_lie_where_they_should, 1),
		ABOUT(groups_of_a_batch_are_marked, 1),
		ABOUT(no_group_is_marked_behind_the_batch, 1),
		ABOUT(arm_sees_the_rest_of_a_batch, 0),
		ABOUT(arm_sees_the_rest_of_a_batch, 1),
		ABOUT(no_status_is_a_mark, 1),
		ABOUT(hostile_marks, 1),
		ABOUT(a_mark_is_read_once, 1),
		ABOUT(old_marks_are_not_new, 1),
	};

	return hdmabuf_test_run("ring", tests, COUNT(tests));
}
