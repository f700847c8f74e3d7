/* SPDX-License-Identifier: MIT */
/* channel_page.c - the channel: how frontends make it, and what backends refuse */
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- pages that a backend refuses --------------------------------------- */

/**
 * struct wrong_page - a channel page that has to be refused
 * @place: of the field that is wrong
 * @value: of it; if @relative, added to what is right
 * @relative: see @value
 * @status: that is published in the next offer
 * @what: in words
 */
struct wrong_page {
	unsigned int place;
	uint64_t value;
	bool relative;
	uint16_t status;
	const char *what;
};

#define REFERENCE(n) WIRE_PLACE(64 + 8 * (n), 8)

static const struct wrong_page wrong_pages[] = {
	{ CHANNEL_MAGIC, 0, false, HDMABUF_STATUS_INVALID, "magic 0" },
	{ CHANNEL_MAGIC, 1, true, HDMABUF_STATUS_INVALID, "a magic + 1" },
	{ CHANNEL_MAGIC, 0x48444243, false, HDMABUF_STATUS_INVALID,
	  "the magic in the other byte order" },
	{ CHANNEL_VERSION, 0, false, HDMABUF_STATUS_INVALID, "version 0" },
	{ CHANNEL_VERSION, UINT32_MAX, false, HDMABUF_STATUS_INVALID,
	  "version 2^32 - 1" },
	{ CHANNEL_EPOCH_FRONTEND, 1, true, HDMABUF_STATUS_WRONG_EPOCH,
	  "another epoch of the frontend" },
	{ CHANNEL_EPOCH_FRONTEND, 0, false, HDMABUF_STATUS_WRONG_EPOCH,
	  "no epoch of the frontend" },
	{ CHANNEL_EPOCH_BACKEND, 1ull << 63, true, HDMABUF_STATUS_WRONG_EPOCH,
	  "another epoch of the backend" },
	{ CHANNEL_PAGE_SHIFT, 1, true, HDMABUF_STATUS_INVALID,
	  "pages twice as large" },
	{ CHANNEL_PAGE_SHIFT, 0, false, HDMABUF_STATUS_INVALID,
	  "page_shift 0" },
	{ CHANNEL_PAGE_SHIFT, UINT32_MAX, false, HDMABUF_STATUS_INVALID,
	  "page_shift 2^32 - 1" },
	{ CHANNEL_RING_FORMAT, 63, false, HDMABUF_STATUS_INVALID,
	  "ring format 63" },
	{ CHANNEL_RING_FORMAT, 64, false, HDMABUF_STATUS_INVALID,
	  "ring format 64" },
	{ CHANNEL_RING_FORMAT, 1ull << 31, false, HDMABUF_STATUS_INVALID,
	  "ring format 2^31" },
	{ CHANNEL_FRONTEND_RING_ORDER, 7, false, HDMABUF_STATUS_LIMIT,
	  "a frontend's ring of order 7" },
	{ CHANNEL_FRONTEND_RING_ORDER, UINT32_MAX, false, HDMABUF_STATUS_LIMIT,
	  "a frontend's ring of order 2^32 - 1" },
	{ CHANNEL_BACKEND_RING_ORDER, 7, false, HDMABUF_STATUS_LIMIT,
	  "a backend's ring of order 7" },
	{ CHANNEL_BACKEND_RING_ORDER, 32, false, HDMABUF_STATUS_LIMIT,
	  "a backend's ring of order 32" },
	{ CHANNEL_TIMELINE_PAGES, 65, false, HDMABUF_STATUS_LIMIT,
	  "65 pages of timelines" },
	{ CHANNEL_TIMELINE_PAGES, 1ull << 31, false, HDMABUF_STATUS_LIMIT,
	  "2^31 pages of timelines" },
	{ CHANNEL_REFERENCES, 1, true, HDMABUF_STATUS_INVALID,
	  "one reference more than it describes" },
	{ CHANNEL_REFERENCES, UINT32_MAX, true, HDMABUF_STATUS_INVALID,
	  "one reference less than it describes" },
	{ CHANNEL_REFERENCES, 0, false, HDMABUF_STATUS_INVALID,
	  "no references" },
	{ CHANNEL_REFERENCES, 257, false, HDMABUF_STATUS_INVALID,
	  "257 references" },
	{ CHANNEL_ZERO, 1, false, HDMABUF_STATUS_RESERVED,
	  "1 in the first zero octet" },
	{ CHANNEL_ZERO, 1ull << 56, false, HDMABUF_STATUS_RESERVED,
	  "1 in the last zero octet" },
	{ REFERENCE(0), 0, false, HDMABUF_STATUS_BAD_REFERENCE,
	  "0 as its first reference" },
	{ REFERENCE(3), 0, false, HDMABUF_STATUS_BAD_REFERENCE,
	  "0 as its fourth reference" },
	{ REFERENCE(1), 4000000000u, false, HDMABUF_STATUS_BAD_REFERENCE,
	  "a reference that leads nowhere" },
	{ REFERENCE(2), UINT64_MAX, false, HDMABUF_STATUS_BAD_REFERENCE,
	  "the reference 2^64 - 1" },
};

/* The field of the offer that lets a value be refused. */
static bool is_offered(const struct end *end, const struct wrong_page *wrong)
{
	if (wrong->place == CHANNEL_VERSION)
		return wrong->value >= end->peer.version_min &&
		       wrong->value <= end->peer.version_max;
	if (wrong->place == CHANNEL_RING_FORMAT)
		return wrong->value < 64 &&
		       end->peer.ring_formats >> wrong->value & 1;
	return false;
}

static void check_status_of_offer(struct end *end, uint64_t epoch,
				  const struct wrong_page *wrong)
{
	char text[1025];
	uint64_t status = 0;

	wire_record_get(end_record(end, text), HDMABUF_KEY_ERROR, &status);
	check(end->test, HDB_BE_003,
	      end->peer_epoch != epoch && status == wrong->status,
	      "a channel page with %s: error %u (%s) expected in the next offer, %" PRIu64
	      " seen",
	      wrong->what, wrong->status, wire_status_name(wrong->status),
	      status);
}

/* Publishes the channel. False if it is not refused. */
static bool check_refused(struct end *end, const struct wrong_page *wrong)
{
	uint64_t epoch = end->peer_epoch;
	uint32_t hello = end_put_hello(end);
	bool offered, taken;

	end_publish_answer(end);
	offered = end_await_offer(end);
	taken = !offered && end_find_answer_to(end, hello);
	check(end->test, HDB_BE_002, !taken, "a channel page with %s is taken",
	      wrong->what);
	if (offered)
		check_status_of_offer(end, epoch, wrong);
	check(end->test, HDB_BE_003, offered || taken,
	      "a channel page with %s leads to no new offer", wrong->what);
	return offered;
}

static void check_unmapped(struct end *end, const struct wrong_page *wrong)
{
	uint64_t references[HDMABUF_CHANNEL_REFERENCES_MAX + 1];

	references[0] = end->reference;
	end_channel_references(end, references + 1);
	check(end->test, HDB_BE_003,
	      await_revoked(end, references, 1 + end->part_count),
	      "a channel with %s was refused, and is still mapped",
	      wrong->what);
}

/* False if there is no other offer, so that no other page can be tried. */
static bool refuse_page(struct end *end, const struct wrong_page *wrong)
{
	end_make_channel(end);
	if (is_offered(end, wrong))
		return true;
	comment(end->test, "the channel page has %s", wrong->what);
	wire_put(end->page, wrong->place,
		 wrong->value + (wrong->relative ?
					 wire_get(end->page, wrong->place) :
					 0));
	if (check_refused(end, wrong)) {
		check_unmapped(end, wrong);
		return true;
	}
	end_abandon(end);
	return end_await_offer(end);
}

static void wrong_pages_are_refused(struct test *test)
{
	struct end *end = test_open(test);

	if (!end_await_offer(end))
		inconclusive(test, "the IUT publishes no offer");
	for (size_t i = 0; i < COUNT_OF(wrong_pages); i++)
		if (!refuse_page(end, &wrong_pages[i]))
			return;
}

/* A channel with more timelines than were offered that is in order otherwise. */
static void refuse_timelines(struct end *end)
{
	static const struct wrong_page wrong = {
		.status = HDMABUF_STATUS_LIMIT,
		.what = "one page of timelines more, and all that belongs to it",
	};

	if (end->peer.timeline_pages >= HDMABUF_TIMELINE_PAGES_MAX)
		return;
	end->peer.timeline_pages++;
	end_make_channel(end);
	check_refused(end, &wrong);
}

/* One more than was offered, which depends on the IUT. */
static void beyond_the_offer(struct test *test)
{
	struct end *end = test_open(test);
	const struct wrong_page beyond[] = {
		{ CHANNEL_FRONTEND_RING_ORDER, 1, true, HDMABUF_STATUS_LIMIT,
		  "a frontend's ring one order larger than offered" },
		{ CHANNEL_BACKEND_RING_ORDER, 1, true, HDMABUF_STATUS_LIMIT,
		  "a backend's ring one order larger than offered" },
		{ CHANNEL_TIMELINE_PAGES, 1, true, HDMABUF_STATUS_LIMIT,
		  "one page of timelines more than offered" },
	};

	end->greeting.ring_order = HDMABUF_RING_ORDER_MAX;
	end->greeting.timeline_pages = HDMABUF_TIMELINE_PAGES_MAX;
	if (!end_await_offer(end))
		inconclusive(test, "the IUT publishes no offer");
	for (size_t i = 0; i < COUNT_OF(beyond); i++)
		if (!refuse_page(end, &beyond[i]))
			return;
	refuse_timelines(end);
}

/* Everything that was offered can be had. */
static void all_of_the_offer(struct test *test)
{
	struct end *end = attempt_open(test);
	uint32_t orders = end->peer.ring_order;
	uint32_t pages = end->peer.timeline_pages;

	end_abandon(end);
	for (uint32_t order = 0; order <= orders; order++) {
		end->greeting.ring_order = order;
		end->greeting.timeline_pages = order % 2 ? pages : 0;
		check(test, HDB_BOTH_029, end_try_greet(end) && end_sanity(end),
		      "rings of order %u, %u pages of timelines, which are offered, cannot be had",
		      order, end->greeting.timeline_pages);
		end_abandon(end);
	}
}

/* Once HELLO is answered, the page is of no use any more. */
static void the_copy_counts(struct test *test)
{
	struct end *end = test_connect(test);

	comment(test, "the channel page is overwritten");
	memset(end->page, 0xff, 64 + 8 * (size_t)end->part_count);
	check(test, HDB_BE_001, end_sanity(end),
	      "the backend looks at the channel page after it was copied");
	memset(end->page, 0, 64 + 8 * (size_t)end->part_count);
	check(test, HDB_BE_001, end_sanity(end),
	      "the backend looks at the channel page after it was copied");
}

/* A process that writes two pages in turn, as fast as it can. */
static pid_t flip(uint8_t *page, const uint8_t *one, const uint8_t *other,
		  size_t octets)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	alarm(20);
	for (;;) {
		memcpy(page, one, octets);
		memcpy(page, other, octets);
	}
}

/* While the backend reads it, the page changes; that may be refused. */
static void page_changes_meanwhile(struct test *test)
{
	struct end *end = test_open(test);
	uint8_t other[2112];

	for (unsigned int i = 0; i < 20; i++) {
		size_t octets;
		uint32_t id;
		pid_t pid;

		attempt_again(end);
		octets = 64 + 8 * (size_t)end->part_count;
		memcpy(other, end->channel, octets);
		wire_put(other, CHANNEL_FRONTEND_RING_ORDER, 5);
		wire_put(other, CHANNEL_REFERENCES, 2000);
		wire_put(other, REFERENCE(1), 77777);
		id = end_put_hello(end);
		pid = flip(end->page, end->channel, other, octets);
		end_publish_answer(end);
		for (uint64_t deadline = test_deadline(test);
		     !end_find_answer_to(end, id) &&
		     await_same_offer(end, deadline);)
			;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		end_abandon(end);
	}
	check(test, HDB_BE_001, end_try_greet(end) && end_sanity(end),
	      "after a page that changed while it was read, no session can be had");
}

/* ---- channels that a frontend makes ------------------------------------- */

static void check_ring_start(struct end *end, const uint8_t *ring,
			     uint32_t start, bool hello, const char *whose)
{
	uint32_t req_prod = (uint32_t)wire_get(ring, RING_REQ_PROD);

	if (end->own.format) {
		check(end->test, HDB_FE_004,
		      wire_get(ring, MARKED_REQ_EVENT) ==
				      (uint32_t)(start + 1) &&
			      wire_get(ring, MARKED_RSP_EVENT) ==
				      (uint32_t)(start + 1),
		      "the %s's ring starts at %u, and its events are %" PRIu64
		      ", %" PRIu64,
		      whose, start, wire_get(ring, MARKED_REQ_EVENT),
		      wire_get(ring, MARKED_RSP_EVENT));
		return;
	}
	check(end->test, HDB_FE_004,
	      (req_prod == start || (hello && req_prod == start + 1)) &&
		      wire_get(ring, RING_RSP_PROD) == start &&
		      wire_get(ring, RING_REQ_EVENT) == (uint32_t)(start + 1) &&
		      wire_get(ring, RING_RSP_EVENT) == (uint32_t)(start + 1),
	      "the %s's ring starts at %u, and its indices are %u, %" PRIu64
	      ", %" PRIu64 ", %" PRIu64,
	      whose, start, req_prod, wire_get(ring, RING_REQ_EVENT),
	      wire_get(ring, RING_RSP_PROD), wire_get(ring, RING_RSP_EVENT));
}

/* But for the indices, or the events. */
static bool is_blank_before_slots(const struct ring *ring)
{
	if (ring->format)
		return wire_is_zero(ring->at + 4, 60) &&
		       wire_is_zero(ring->at + 68, 60);
	return wire_is_zero(ring->at + 16, 48);
}

/* HELLO may lie in the frontend's ring already; everything else is zero. */
static bool is_blank(const struct end *end)
{
	uint32_t start =
		(uint32_t)wire_get(end->channel, CHANNEL_FRONTEND_RING_START);
	const uint8_t *front = ring_slot(&end->theirs, 0);
	const uint8_t *back = ring_slot(&end->own, 0);
	size_t hello = 64 * (size_t)(start & (end->theirs.slots - 1));
	size_t room = 64 * (size_t)end->theirs.slots;

	return is_blank_before_slots(&end->theirs) &&
	       is_blank_before_slots(&end->own) && wire_is_zero(front, hello) &&
	       wire_is_zero(front + hello + 64, room - hello - 64) &&
	       wire_is_zero(back, 64 * (size_t)end->own.slots) &&
	       wire_is_zero(end->cells[0], 128 * (size_t)end->cell_count);
}

static void is_made_anew(struct test *test)
{
	struct end *end = test_open(test);

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t front, back;

		end_publish_offer(end);
		if (!end_await_answer(end) || !end_map_channel(end))
			inconclusive(test, "there is no channel");
		front = (uint32_t)wire_get(end->channel,
					   CHANNEL_FRONTEND_RING_START);
		back = (uint32_t)wire_get(end->channel,
					  CHANNEL_BACKEND_RING_START);
		check_ring_start(end, end->theirs.at, front, true, "frontend");
		check_ring_start(end, end->own.at, back, false, "backend");
		check(test, HDB_FE_001, is_blank(end),
		      "channel %u holds more than HELLO", i);
		if (!end_answer_hello(end) || !end_sanity(end))
			inconclusive(test, "there is no session");
		end_abandon(end);
	}
}

static void check_page(struct end *end)
{
	const uint8_t *page = end->channel;
	size_t used = 64 + 8 * (size_t)end->part_count;
	const struct wire_field *field =
		wire_find_nonzero(wire_channel_format(), page, NULL);

	check(end->test, HDB_FE_002,
	      wire_get(page, CHANNEL_MAGIC) == HDMABUF_CHANNEL_MAGIC &&
		      wire_get(page, CHANNEL_VERSION) == HDMABUF_VERSION &&
		      wire_get(page, CHANNEL_EPOCH_FRONTEND) ==
			      end->peer_epoch &&
		      wire_get(page, CHANNEL_EPOCH_BACKEND) == end->epoch &&
		      wire_get(page, CHANNEL_PAGE_SHIFT) ==
			      end->platform.ops->page_shift,
	      "magic, version, epochs or page_shift are not what the records say");
	check(end->test, HDB_FE_002,
	      wire_get(page, CHANNEL_RING_FORMAT) ==
			      end->greeting.ring_format &&
		      wire_get(page, CHANNEL_FRONTEND_RING_ORDER) <=
			      end->greeting.ring_order &&
		      wire_get(page, CHANNEL_BACKEND_RING_ORDER) <=
			      end->greeting.ring_order &&
		      wire_get(page, CHANNEL_TIMELINE_PAGES) <=
			      end->greeting.timeline_pages,
	      "a ring or a number of timelines is not one that was offered");
	check(end->test, HDB_BOTH_001,
	      !field && wire_is_zero(page + used, 4096 - used),
	      "what has no meaning in the channel page is not zero");
}

static void page_is_in_order(struct test *test)
{
	static const struct {
		uint32_t order, pages;
	} offers[] = { { 0, 1 }, { 0, 0 }, { 2, 3 }, { 6, 64 } };
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(offers); i++) {
		end->greeting.ring_order = offers[i].order;
		end->greeting.timeline_pages = offers[i].pages;
		end_greet(end);
		check_page(end);
		check(test, HDB_BOTH_029, end_sanity(end),
		      "a session with what was offered does not work");
		end_abandon(end);
	}
}

static void page_stays_as_it_is(struct test *test)
{
	struct end *end = test_connect(test);
	uint8_t *page;

	for (unsigned int i = 0; i < 40; i++)
		if (!end_sanity(end))
			inconclusive(test, "the session does not work");
	page = end_map(end, &end->reference, 1, HDMABUF_RIGHTS_READ_ONLY);
	check(test, HDB_FE_002, page && !memcmp(page, end->channel, 4096),
	      "the channel page is another than before the session");
	if (page)
		end_unmap(end, page, 1);
}

/* What the suite still has mapped belongs to no new session. */
static void old_pages_are_kept(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t references[HDMABUF_CHANNEL_REFERENCES_MAX];
	size_t octets = (size_t)end->part_count * 4096;
	uint32_t count = end->part_count;
	uint8_t *old, *copy;

	end_channel_references(end, references);
	old = end_map(end, references, count, HDMABUF_RIGHTS_READ_WRITE);
	copy = malloc(octets);
	if (!old || !copy)
		error(test, "cannot map the channel twice");
	end_abandon(end);
	let_pass(test, 20);
	memcpy(copy, old, octets);
	end_greet(end);
	for (unsigned int i = 0; i < 40; i++)
		end_sanity(end);
	check(test, HDB_FE_008, !memcmp(copy, old, octets),
	      "pages of the old channel are used for the new one, and are still mapped by the backend");
	end_unmap(end, old, count);
	free(copy);
}

/* With each refusal, the frontend has more reason to wait. */
static void refusals_slow_down(struct test *test)
{
	enum {
		TRIES = 7
	};
	struct end *end = test_open(test);
	uint64_t at[TRIES + 1];

	at[0] = now_us();
	for (unsigned int i = 0; i < TRIES; i++) {
		struct received *hello;

		end->serves = false;
		end_publish_offer_with(end, HDMABUF_KEY_ERROR "=8\n");
		if (!end_await_answer(end) || !end_map_channel(end) ||
		    !(hello = end_await_request(end, HDMABUF_OP_HELLO)))
			break;
		end_answer_status(end, hello, HDMABUF_STATUS_INVALID);
		at[i + 1] = now_us();
		end_leave_channel(end);
		if (i + 1 < TRIES)
			continue;
		check(test, HDB_FE_003,
		      at[TRIES] - at[TRIES - 1] > at[2] - at[1] + 2000,
		      "after %u refusals the frontend waits %" PRIu64
		      " us for the next attempt, after one %" PRIu64 " us",
		      TRIES - 1, at[TRIES] - at[TRIES - 1], at[2] - at[1]);
		end->serves = true;
		return;
	}
	end->serves = true;
	/* Who waits longer than the suite does, waits longer. */
	check(test, HDB_FE_003, true, "the frontend has given up");
}

static const struct test_case cases[] = {
	TEST(wrong_pages_are_refused,
	     "A channel page that is wrong is refused, unmapped, and its status told",
	     OF_BACKEND, 0, HDB_BE_002, HDB_BE_003),
	TEST(beyond_the_offer,
	     "A channel page with more than was offered is refused", OF_BACKEND,
	     0, HDB_BE_002, HDB_BE_003),
	TEST(all_of_the_offer, "All rings and timelines that are offered work",
	     OF_BACKEND, 0, HDB_BOTH_029),
	TEST(the_copy_counts, "The channel page is not looked at again",
	     OF_BACKEND, 0, HDB_BE_001),
	TEST(page_changes_meanwhile,
	     "A channel page that changes while it is read does no harm",
	     OF_BACKEND, 0, HDB_BE_001),
	TEST(is_made_anew,
	     "Each channel is new: zeroed pages, and indices at their start",
	     OF_FRONTEND, 0, HDB_FE_001, HDB_FE_004),
	TEST(page_is_in_order,
	     "The channel page says what the records and the offer allow",
	     OF_FRONTEND, 0, HDB_FE_002, HDB_BOTH_001, HDB_BOTH_029),
	TEST(page_stays_as_it_is, "The channel page does not change",
	     OF_FRONTEND, 0, HDB_FE_002),
	TEST(old_pages_are_kept,
	     "Pages of a channel that are still mapped are put to no other use",
	     OF_FRONTEND, 0, HDB_FE_008),
	TEST(refusals_slow_down,
	     "The more often a frontend is refused, the longer it waits",
	     OF_FRONTEND, 0, HDB_FE_003),
};

TEST_GROUP(channel_page, cases);
