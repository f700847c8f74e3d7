/* SPDX-License-Identifier: MIT */
/* xen_link.c - the binding "xen": link pages, being there, notifications */
#define _GNU_SOURCE
#include "conformance/internal.h"
#include "conformance/tests/buffers.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/support.h"
#include "conformance/tests/xen_raw.h"
#include "conformance/tests/xen_tests.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

/* For what must not happen. */
#define SHORT_MS 300
/* The same, where an end may take its time to try again. */
#define LONG_MS 1100

static enum hdmabuf_role iut_role(const struct xen_raw *raw)
{
	return test_iut_role(raw->end->test);
}

/* ---- what a frontend makes ---------------------------------------------- */

/* A link of the IUT, mapped before anybody has been there. */
static struct xen_raw *see_link(struct test *test, uint32_t use_pages)
{
	struct end *end = xen_raw_open_silently(test);
	struct xen_raw *raw = xen_raw_of(end);

	raw->use_pages = use_pages;
	end_publish_offer(end);
	if (!end_await_answer(end))
		inconclusive(test, "the IUT does not answer the offer");
	if (!xen_raw_attach(raw))
		inconclusive(test, "the link cannot be attached to");
	return raw;
}

/* The IUT sees that somebody has been there: this link is none any more. */
static void leave_link(struct xen_raw *raw)
{
	struct test *test = raw->end->test;
	uint64_t deadline = test_deadline(test);
	char text[1025];

	xen_raw_set_here(raw, HDMABUF_XEN_LEAVING);
	while (*end_record(raw->end, text))
		if (!test_wait(test, deadline))
			inconclusive(
				test,
				"the IUT does not see that the backend leaves");
	test_close_ends(test);
}

static bool is_zero(const uint8_t *octets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (octets[i])
			return false;
	return true;
}

static void check_constants(struct xen_raw *raw)
{
	struct test *test = raw->end->test;
	const uint8_t *page = raw->page;

	check(test, HDB_XEN_013,
	      wire_get(page, LINK_MAGIC) == HDMABUF_XEN_LINK_MAGIC,
	      "the magic is 0x%" PRIx64, wire_get(page, LINK_MAGIC));
	check(test, HDB_XEN_013, wire_get(page, LINK_VERSION) == 1,
	      "the version is %" PRIu64 ", and 1 was offered",
	      wire_get(page, LINK_VERSION));
	check(test, HDB_XEN_013, wire_get(page, LINK_NUMBER) == raw->link,
	      "the number is %" PRIu64 ", and %" PRIu64 " in the record",
	      wire_get(page, LINK_NUMBER), raw->link);
	check(test, HDB_XEN_013,
	      xen_raw_here(raw, HDMABUF_FRONTEND) == HDMABUF_XEN_HERE,
	      "the frontend is not there");
}

static void check_zeros(struct xen_raw *raw)
{
	struct test *test = raw->end->test;
	size_t all = raw->mark_pages[0] + raw->mark_pages[1];
	const uint8_t *page = raw->page;
	const uint8_t *behind = page + 192 + 4 * all;

	for (size_t i = 0; i < all; i++)
		check(test, HDB_XEN_013, raw->mark_references[i],
		      "reference %zu of the marks is 0", i);
	check(test, HDB_XEN_013, is_zero(page + 24, 40),
	      "fields that are zero are not, before the ends");
	check(test, HDB_XEN_013,
	      is_zero(page + 65, 3) && is_zero(page + 68, 60),
	      "what the frontend has not written is not zero");
	check(test, HDB_XEN_013, is_zero(page + 128, 64),
	      "what is the backend's is not zero");
	check(test, HDB_XEN_013,
	      is_zero(behind, (size_t)(page + XEN_PAGE_OCTETS - behind)),
	      "what follows the references is not zero");
	check(test, HDB_XEN_013, is_zero(raw->marks, all * XEN_PAGE_OCTETS),
	      "the pages of marks are not zero");
}

void link_page_is_in_order(struct test *test)
{
	struct xen_raw *raw = see_link(test, 4);

	check_constants(raw);
	check_zeros(raw);
}

void marks_as_asked_for(struct test *test)
{
	static const uint32_t wanted[] = { 1, 4, HDMABUF_XEN_USE_PAGES_MAX };

	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		struct xen_raw *raw = see_link(test, wanted[i]);

		check(test, HDB_XEN_022,
		      raw->mark_pages[HDMABUF_BACKEND] == wanted[i],
		      "%u pages are asked for, and there are %u", wanted[i],
		      raw->mark_pages[HDMABUF_BACKEND]);
		test_close_ends(test);
	}
}

#define LINKS 5

void link_numbers_are_random(struct test *test)
{
	uint64_t numbers[LINKS], any = 0;

	for (size_t i = 0; i < LINKS; i++) {
		struct xen_raw *raw = see_link(test, 1);

		numbers[i] = raw->link;
		check(test, HDB_XEN_014, numbers[i], "a link has number 0");
		for (size_t j = 0; j < i; j++)
			check(test, HDB_XEN_014, numbers[i] != numbers[j],
			      "two links have the number %" PRIu64, numbers[i]);
		any |= numbers[i] ^ numbers[0];
		leave_link(raw);
	}
	/* Of so many bits that differ at random, a quarter is not reached by chance. */
	check(test, HDB_XEN_014, __builtin_popcountll(any) >= 24,
	      "the numbers of %u links differ in %d bits", LINKS,
	      __builtin_popcountll(any));
}

/* ---- what a backend attaches to ----------------------------------------- */

/*
 * The one that is there now: the IUT may have learnt only a moment ago that the session
 * of an earlier test is over.
 */
static void find_offer(struct end *end)
{
	end->used =
		0; /* An offer that nobody attached to may be answered again. */
	if (!end_await_offer(end))
		inconclusive(end->test, "the IUT publishes no offer");
}

/* A channel with HELLO in it, and a record that is changed by the test. */
static struct xen_raw *prepare(struct test *test)
{
	struct end *end = xen_raw_open_silently(test);
	struct xen_raw *raw = xen_raw_of(end);

	find_offer(end);
	xen_raw_make_link(raw);
	end_make_channel(end);
	end_put_hello(end);
	return raw;
}

static bool stays_away(struct xen_raw *raw, unsigned int milliseconds)
{
	uint64_t deadline = test_deadline_in(milliseconds);

	while (test_wait(raw->end->test, deadline))
		if (xen_raw_here(raw, HDMABUF_BACKEND))
			return false;
	return true;
}

/* An answer to its offer, and to each that takes the place of one. */
static bool is_attached_to(struct xen_raw *raw)
{
	struct end *end = raw->end;
	uint64_t deadline = test_deadline(end->test);

	do {
		find_offer(end);
		end_publish_answer(end);
		while (xen_raw_here(raw, HDMABUF_BACKEND) != HDMABUF_XEN_HERE &&
		       !end_offer_is_replaced(end))
			if (!test_wait(end->test, deadline))
				return false;
	} while (xen_raw_here(raw, HDMABUF_BACKEND) != HDMABUF_XEN_HERE);
	return true;
}

void answers_to_others(struct test *test)
{
	struct xen_raw *raw = prepare(test);
	struct end *end = raw->end;

	comment(test, "an answer to an offer that there is not");
	end->peer_epoch ^= 2;
	end_publish_answer(end);
	check(test, HDB_XEN_015, stays_away(raw, SHORT_MS),
	      "peer-epoch is not the epoch of the IUT, and it attaches");
	comment(test, "an answer to the IUT's");
	check(test, HDB_XEN_015, is_attached_to(raw),
	      "peer-epoch is the epoch of the IUT, and it does not attach");
}

/* A field of a link page that is not as it has to be. */
struct wrong_page {
	const char *what;
	unsigned int place;
	uint64_t value;
};

#define REFERENCE(i) WIRE_PLACE(192 + 4 * (i), 4)

static const struct wrong_page wrong_pages[] = {
	{ "magic 0", LINK_MAGIC, 0 },
	{ "version 0", LINK_VERSION, 0 },
	{ "a version that was not offered", LINK_VERSION, 0xffff },
	{ "another number", LINK_NUMBER, 4711 },
	{ "no pages of the frontend's marks", LINK_FRONTEND_USE_PAGES, 0 },
	{ "33 pages of the frontend's marks", LINK_FRONTEND_USE_PAGES, 33 },
	{ "33 pages of the backend's marks", LINK_BACKEND_USE_PAGES, 33 },
	{ "zero that is 1", LINK_ZERO, 1 },
	{ "the last octet of zero not 0", WIRE_PLACE(63, 1), 1 },
	{ "a reference that is 0", REFERENCE(0), 0 },
	{ "something behind the last reference", REFERENCE(63), 1 },
};

/* A link of its own each time: the IUT may look at the last one at any moment. */
static void make_anew(struct xen_raw *raw)
{
	find_offer(raw->end);
	xen_raw_drop_link(raw);
	xen_raw_make_link(raw);
	end_new_epoch(raw->end);
}

void wrong_link_pages(struct test *test)
{
	struct xen_raw *raw = prepare(test);

	for (size_t i = 0; i < COUNT_OF(wrong_pages); i++) {
		comment(test, "a link page with %s", wrong_pages[i].what);
		make_anew(raw);
		wire_put(raw->page, wrong_pages[i].place, wrong_pages[i].value);
		end_publish_answer(raw->end);
		require(test, HDB_XEN_016, stays_away(raw, LONG_MS),
			"a link page with %s is attached to",
			wrong_pages[i].what);
	}
	comment(test, "and one that is in order");
	make_anew(raw);
	check(test, HDB_XEN_016, is_attached_to(raw),
	      "after wrong link pages, one that is in order is not attached to");
}

void nothing_before_attaching(struct test *test)
{
	struct xen_raw *raw = prepare(test);
	struct end *end = raw->end;
	uint32_t id = end->next_id - 1;

	comment(test,
		"the channel is in order, and the marks cannot be mapped");
	wire_put(raw->page, REFERENCE(0), 0x7fffffff);
	end_publish_answer(end);
	check(test, HDB_XEN_017, stays_away(raw, SHORT_MS),
	      "marks that cannot be mapped are attached to");
	xen_raw_notify(raw);
	let_pass(test, SHORT_MS);
	check(test, HDB_XEN_017,
	      !end_find_answer_to(end, id) &&
		      !xen_raw_count_marks(raw, HDMABUF_FRONTEND),
	      "the link is not attached to, and the channel is mapped");
	end_withdraw(end);
}

void constants_are_copied(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	uint8_t constants[64], references[256];

	memcpy(constants, raw->page, sizeof(constants));
	memcpy(references, raw->page + 192, sizeof(references));
	comment(test, "what is constant in the link page changes");
	memset(raw->page, 0xa5, sizeof(constants));
	memset(raw->page + 192, 0xa5, sizeof(references));
	for (unsigned int i = 0; i < 3; i++) {
		xen_raw_notify(raw);
		check(test, HDB_XEN_016, end_sanity(end),
		      "what is constant in the link page is read again");
	}
	memcpy(raw->page, constants, sizeof(constants));
	memcpy(raw->page + 192, references, sizeof(references));
}

/* ---- being there -------------------------------------------------------- */

void leaving_is_an_end(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	uint64_t deadline;

	comment(test, "the suite's end is LEAVING");
	xen_raw_set_here(raw, HDMABUF_XEN_LEAVING);
	deadline = test_deadline(test);
	while (!end->down && test_wait(test, deadline))
		;
	check(test, HDB_XEN_020, end->down,
	      "the other end is LEAVING, and the IUT stays");
	deadline = test_deadline(test);
	while (xen_raw_number(raw, HDMABUF_KEY_EPOCH) == end->peer_epoch &&
	       test_wait(test, deadline))
		;
	check(test, HDB_XEN_020,
	      xen_raw_number(raw, HDMABUF_KEY_EPOCH) != end->peer_epoch,
	      "the other end is LEAVING, and the record of the session stays");
	test_close_ends(test);
	end = xen_raw_open(test);
	check(test, HDB_XEN_020, end_try_greet(end) && end_sanity(end),
	      "after that there is no session over another link");
}

/* Without looking at anything but the octet, so that the notification counts. */
static void check_gone(struct xen_raw *raw, unsigned int before,
		       const char *how)
{
	struct test *test = raw->end->test;

	check(test, HDB_XEN_018, xen_raw_await_here(raw, HDMABUF_XEN_GONE),
	      "the IUT %s, and is not GONE", how);
	check(test, HDB_XEN_018, is_notified(raw->end, before, true),
	      "the IUT %s, and the other end is not notified", how);
}

static void end_by(struct test *test, int number, const char *how)
{
	struct xen_raw *raw;
	unsigned int before;
	struct end *end;

	test_iut_may_end(test);
	end = xen_raw_connect(test);
	raw = xen_raw_of(end);
	settle(end);
	before = end->notified;
	test_iut_kill(test, number);
	check_gone(raw, before, how);
	test_close_ends(test);
}

void gone_when_it_died(struct test *test)
{
	end_by(test, SIGKILL, "was killed");
}

void gone_in_good_order(struct test *test)
{
	end_by(test, SIGTERM, "has ended");
}

/* What its application keeps, the octet has to wait for. */
void gone_comes_last(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	struct buffer buffer;
	char name[33];

	control(test, "keep on");
	buffer_share(end, &buffer, NULL);
	control(test, "map %s", buffer_name(&buffer, name));
	buffer_unexport(&buffer, 0, NULL);
	comment(test, "the buffer is mapped and the suite's end is LEAVING");
	xen_raw_set_here(raw, HDMABUF_XEN_LEAVING);
	let_pass(test, SHORT_MS);
	check(test, HDB_XEN_019,
	      xen_raw_here(raw, iut_role(raw)) != HDMABUF_XEN_GONE ||
		      !xen_raw_is_marked(raw, buffer.references[0]),
	      "the IUT is GONE, and has a buffer mapped");
	control_try(test, "release %s", name);
	control(test, "keep off");
	check(test, HDB_XEN_019, xen_raw_await_here(raw, HDMABUF_XEN_GONE),
	      "nothing is mapped any more, and the IUT is not GONE");
	check(test, HDB_XEN_019, !xen_raw_count_marks(raw, raw->role),
	      "the IUT is GONE, and has %u references marked",
	      xen_raw_count_marks(raw, raw->role));
	test_close_ends(test);
}

/* ---- notifications ------------------------------------------------------ */

#define ROUNDS 100

/* Each comes when the last one may just be handled. */
void notifications_come_through(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	message_t message;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint32_t id;

		make_echo(test, message);
		id = end_put(end, message);
		end_show(end);
		pause_randomly(test, 500);
		end_notify(end);
		require(test, HDB_XEN_027, end_await_answer_to(end, id),
			"request %u was notified, and is not answered", i);
	}
}

void notifications_without_end(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);

	comment(test, "10,000 notifications");
	for (unsigned int i = 0; i < 10000; i++)
		xen_raw_notify(raw);
	check(test, HDB_BOTH_063, end_sanity(end),
	      "after 10,000 notifications the session does not work any more");
}
