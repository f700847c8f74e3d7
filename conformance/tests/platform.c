/* SPDX-License-Identifier: MIT */
/* platform.c - what a platform promises, as far as it shows at the other end */
#include "conformance/tests/buffers.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t page_octets(const struct end *end)
{
	return (size_t)1 << end->platform.ops->page_shift;
}

/* ---- references ----------------------------------------------------------- */

/* What the control protocol says of octet @at of an exported buffer's pages. */
static bool has_pattern(const uint8_t *page, uint64_t at, size_t count,
			uint64_t offset, uint64_t size)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t place = at + i;
		uint8_t expected = 0;

		if (place >= offset && place - offset < size)
			expected = pattern_octet(place - offset);
		if (page[i] != expected)
			return false;
	}
	return true;
}

#define SIZE   50000
#define OFFSET 100

static bool has_page(struct end *end, const uint8_t *page, uint64_t number)
{
	return has_pattern(page, number * page_octets(end), page_octets(end),
			   OFFSET, SIZE);
}

/* One by one, from the last to the first: each leads to its page alone. */
static void each_reference_is_a_page(struct test *test)
{
	struct end *end = test_connect(test);
	struct their_buffer *buffer =
		let_export(end, "a size=%d offset=%d", SIZE, OFFSET);

	for (uint64_t i = buffer->pages; i > 0; i--) {
		uint64_t reference = buffer->references[i - 1];
		uint8_t *page =
			end_map(end, &reference, 1, HDMABUF_RIGHTS_READ_ONLY);

		check(test, HDB_PLAT_003, reference,
		      "page %" PRIu64 " is named 0", i - 1);
		require(test, HDB_PLAT_001, page,
			"the reference of page %" PRIu64
			" cannot be mapped alone",
			i - 1);
		check(test, HDB_PLAT_001, has_page(end, page, i - 1),
		      "the reference of page %" PRIu64 " leads to other data",
		      i - 1);
		end_unmap(end, page, 1);
	}
	check(test, HDB_PLAT_003,
	      wire_get(buffer->descriptor, DESCRIPTOR_DIRECTORY),
	      "the directory is named 0");
}

static void pages_are_mapped_in_order(struct test *test)
{
	struct end *end = test_connect(test);
	struct their_buffer *buffer =
		let_export(end, "a size=%d offset=%d", SIZE, OFFSET);
	uint64_t backwards[64];
	uint8_t *pages;

	pages = end_map(end, buffer->references, buffer->pages,
			HDMABUF_RIGHTS_READ_ONLY);
	require(test, HDB_PLAT_006, pages, "the pages cannot be mapped");
	for (uint64_t i = 0; i < buffer->pages; i++) {
		check(test, HDB_PLAT_006,
		      has_page(end, pages + i * page_octets(end), i),
		      "page %" PRIu64 " is another where all are mapped", i);
		backwards[i] = buffer->references[buffer->pages - 1 - i];
	}
	end_unmap(end, pages, buffer->pages);
	pages = end_map(end, backwards, buffer->pages,
			HDMABUF_RIGHTS_READ_ONLY);
	require(test, HDB_PLAT_006, pages,
		"the pages cannot be mapped from the last to the first");
	for (uint64_t i = 0; i < buffer->pages; i++)
		check(test, HDB_PLAT_006,
		      has_page(end, pages + i * page_octets(end),
			       buffer->pages - 1 - i),
		      "page %" PRIu64 " is another in the other order", i);
	end_unmap(end, pages, buffer->pages);
}

static void channel_is_not_named_zero(struct test *test)
{
	struct end *end = test_connect(test);

	check(test, HDB_PLAT_003, end->reference,
	      "the channel page is named 0");
	for (uint32_t i = 0; i < end->part_count; i++)
		check(test, HDB_PLAT_003,
		      wire_get(end->channel, WIRE_PLACE(64 + 8 * i, 8)),
		      "page %u of the channel is named 0", i);
}

/* ---- references of another session ---------------------------------------- */

#define MANY_PAGES 300

/* A reference that is one of @owner alone: no other end has made that many. */
static uint64_t foreign_reference(struct end *owner)
{
	struct hdmabuf_memory *memory =
		end_allocate(owner, MANY_PAGES, HDMABUF_RIGHTS_READ_ONLY);
	uint64_t references[MANY_PAGES];

	end_share(owner, memory, 0, MANY_PAGES, HDMABUF_RIGHTS_READ_ONLY,
		  references);
	return references[MANY_PAGES - 1];
}

/* To Xen, all ends in a domain are one; xen.references_of_another_domain is for it. */
static void skip_where_ends_are_one(struct end *end)
{
	if (!strcmp(end->platform.ops->name, "xen"))
		skip(end->test,
		     "on Xen, a reference is made for a domain, with all its ends");
}

static void references_of_another_session(struct test *test)
{
	struct end *owner = test_connect(test), *end;
	struct buffer buffer;
	uint64_t reference;

	skip_where_ends_are_one(owner);
	end = test_connect(test);
	reference = foreign_reference(owner);

	/* So that what is shared is known before it is named. */
	if (!end_sanity(owner))
		inconclusive(test, "the first session does not work");
	comment(test, "a descriptor of another session");
	buffer_make(end, &buffer, NULL);
	buffer.descriptor_reference = reference;
	check_status(test, HDB_PLAT_002, buffer_export(&buffer, NULL),
		     HDMABUF_STATUS_BAD_REFERENCE,
		     "EXPORT with a reference of another session");
	comment(test, "a directory of another session");
	buffer_make(end, &buffer, NULL);
	wire_put(buffer.descriptor, DESCRIPTOR_DIRECTORY, reference);
	check_status(test, HDB_PLAT_002, buffer_export(&buffer, NULL),
		     HDMABUF_STATUS_BAD_REFERENCE,
		     "EXPORT with a directory of another session");
	check_unknown(&buffer, HDB_PLAT_002, "a buffer that was refused");
}

static void exports_are_for_one_session(struct test *test)
{
	struct end *other = test_connect(test), *end;
	struct their_buffer *buffer;
	uint64_t directory;

	skip_where_ends_are_one(other);
	end = test_connect(test);
	buffer = let_export(end, "a size=%d", SIZE);
	directory = wire_get(buffer->descriptor, DESCRIPTOR_DIRECTORY);

	check(test, HDB_PLAT_002,
	      end_map(end, buffer->references, buffer->pages,
		      HDMABUF_RIGHTS_READ_ONLY),
	      "the pages cannot be mapped by whom they were shared with");
	for (uint64_t i = 0; i < buffer->pages; i++)
		check(test, HDB_PLAT_002,
		      !end_map(other, &buffer->references[i], 1,
			       HDMABUF_RIGHTS_READ_ONLY),
		      "page %" PRIu64 " can be mapped over another session", i);
	check(test, HDB_PLAT_002,
	      !end_map(other, &directory, 1, HDMABUF_RIGHTS_READ_ONLY),
	      "the directory can be mapped over another session");
}

/* ---- rights --------------------------------------------------------------- */

static void read_only_stays_so(struct test *test)
{
	struct end *end = test_connect(test);
	struct their_buffer *buffer = let_export(end, "a size=%d", SIZE);

	check(test, HDB_PLAT_004,
	      !end_map(end, buffer->references, buffer->pages,
		       HDMABUF_RIGHTS_READ_WRITE),
	      "a buffer of right READ_ONLY can be mapped with write access");
	check(test, HDB_PLAT_004,
	      end_map_buffer(end, buffer, HDMABUF_RIGHTS_READ_ONLY),
	      "a buffer of right READ_ONLY cannot be mapped to be read");
}

/* ---- revoking ------------------------------------------------------------- */

static void channel_in_use_stays(struct test *test)
{
	struct end *end = test_connect(test);
	uint64_t references[1 + HDMABUF_CHANNEL_REFERENCES_MAX];

	references[0] = end->reference;
	end_channel_references(end, references + 1);
	check(test, HDB_PLAT_005,
	      !is_revoked(end, references, 1 + end->part_count),
	      "the channel can be taken back, and the session goes on");
	if (!end_sanity(end))
		inconclusive(test, "the session does not live that long");
	check(test, HDB_PLAT_005,
	      !is_revoked(end, references, 1 + end->part_count),
	      "the channel can be taken back, and the session goes on");
	end_withdraw(end);
	check(test, HDB_PLAT_005,
	      await_revoked(end, references, 1 + end->part_count),
	      "the channel cannot be taken back after the session");
	end_abandon(end);
}

static void buffer_in_use_stays(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	char name[33];

	control(test, "keep on");
	buffer_share(end, &buffer, NULL);
	control(test, "map %s", buffer_name(&buffer, name));
	buffer_unexport(&buffer, 0, NULL);
	check(test, HDB_PLAT_005,
	      !buffer_revoke(&buffer, test_deadline_in(100)),
	      "the buffer is mapped, and its pages can be taken back");
	control(test, "release %s", name);
	check(test, HDB_PLAT_005, buffer_revoke(&buffer, test_deadline(test)),
	      "the buffer is released, and its pages cannot be taken back");
}

/* The name of a buffer, of which events of other tests do not tell. */
#define OWN "a%d"

/* What the other end says counts for less than what the platform says. */
static void mapped_pages_are_not_free(struct test *test)
{
	struct end *end = test_connect(test);
	struct their_buffer *buffer =
		let_export(end, OWN " size=%d", getpid(), SIZE);
	uint64_t count = buffer->pages;
	void *pages = end_map(end, buffer->references, count,
			      HDMABUF_RIGHTS_READ_ONLY);

	if (!pages)
		inconclusive(test, "the buffer cannot be mapped");
	comment(test,
		"the suite says that nothing is mapped, and has it mapped");
	control(test, "unexport " OWN " grace=1000", getpid());
	check(test, HDB_PLAT_005,
	      event_await(test, "quarantined " OWN, getpid()),
	      "the pages are mapped, and the buffer is not in quarantine");
	let_pass(test, 100);
	check(test, HDB_PLAT_005, !event_find(test, "released " OWN, getpid()),
	      "the pages are mapped, and the buffer is taken for free");
	end_unmap(end, pages, count);
	check(test, HDB_PLAT_005, event_await(test, "released " OWN, getpid()),
	      "the pages are unmapped, and the buffer is not free");
}

/* ---- memory that outlives a peer ------------------------------------------ */

/* Reads memory as the kernel does for write(), which does not die of it. */
static bool is_accessible(struct test *test, const void *address, size_t octets)
{
	const uint8_t *at = address;
	bool accessible = true;
	int fds[2];

	if (pipe(fds))
		error(test, "no pipe");
	for (size_t i = 0; i < octets && accessible; i += 512) {
		uint8_t octet;

		accessible = write(fds[1], at + i, 1) == 1 &&
			     read(fds[0], &octet, 1) == 1;
	}
	close(fds[0]);
	close(fds[1]);
	return accessible;
}

static void await_down(struct end *end)
{
	uint64_t deadline = test_deadline(end->test);

	while (!end->down && test_wait(end->test, deadline))
		;
}

static void buffer_outlives_the_iut(struct test *test)
{
	struct end *end = test_connect(test);
	struct their_buffer *buffer =
		let_export(end, "a size=%d offset=%d", SIZE, OFFSET);
	uint64_t count = buffer->pages;
	uint8_t *pages = end_map(end, buffer->references, count,
				 HDMABUF_RIGHTS_READ_ONLY);
	size_t octets = (size_t)count * page_octets(end);

	if (!pages)
		inconclusive(test, "the buffer cannot be mapped");
	test_iut_kill(test, SIGKILL);
	await_down(end);
	require(test, HDB_PLAT_007, is_accessible(test, pages, octets),
		"the IUT is dead, and memory of it that is mapped is not there");
	check(test, HDB_PLAT_007, has_pattern(pages, 0, octets, OFFSET, SIZE),
	      "the IUT is dead, and memory of it that is mapped has changed");
	end_unmap(end, pages, count);
}

static void channel_outlives_the_iut(struct test *test)
{
	struct end *end = test_connect(test);
	size_t octets = end->part_count * page_octets(end);

	end->deaf = true;
	test_iut_kill(test, SIGKILL);
	await_down(end);
	check(test, HDB_PLAT_007, is_accessible(test, end->parts, octets),
	      "the IUT is dead, and the channel that is mapped is not there");
	end->deaf = false;
}

/* Hand-offs of big buffers, one after the other, until it is killed. */
static void hand_off_for_ever(struct end *end, unsigned int step)
{
	struct buffer buffer;

	(void)step;
	if (!end_try_greet(end))
		return;
	buffer_share(end, &buffer,
		     &(struct plan){ .size = 4 << 20,
				     .rights = HDMABUF_RIGHTS_READ_WRITE });
	for (;;)
		buffer_hand_off(&buffer, HDMABUF_NO_TIMELINE, 0, NULL);
}

static void our_death_does_no_harm(struct test *test)
{
	for (unsigned int i = 0; i < 4; i++) {
		pid_t pid = play_start(test, hand_off_for_ever, 0);
		struct end *end;

		play_await_session(test);
		if (!event_await(test, "turn"))
			inconclusive(test, "the IUT tells of no hand-off");
		let_pass(test, (unsigned int)(test_random(test) % 20));
		comment(test, "who shares what the IUT reads is killed");
		kill(pid, SIGKILL);
		play_await(test, pid);
		end = test_open(test);
		check(test, HDB_PLAT_007,
		      test_iut_is_running(test) && end_try_greet(end) &&
			      end_sanity(end),
		      "who shared it is dead, and the IUT did not bear that");
		test_close_ends(test);
	}
}

static void be_there(struct end *end, unsigned int step)
{
	(void)step;
	if (!end_try_greet(end))
		return;
	for (;;)
		test_wait(end->test, test_deadline(end->test));
}

static void our_death_is_seen(struct test *test)
{
	pid_t pid = play_start(test, be_there, 0);
	const char *status;

	play_await_session(test);
	kill(pid, SIGKILL);
	play_await(test, pid);
	status = event_await(test, "disconnected");
	check(test, HDB_PLAT_012, status && strcmp(status, "0"),
	      "the other end is dead, and the IUT tells %s",
	      status ? "of an end in good order" : "of nothing");
}

/* ---- stores --------------------------------------------------------------- */

static void stores_are_seen_in_order(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, &(struct plan){ .size = 4096 });
	for (uint32_t i = 1; i <= 100; i++) {
		buffer_fill(&buffer, i);
		check_turn(&buffer, HDB_PLAT_008,
			   "data that was stored before its hand-off");
	}
}

static bool is_filled(const uint8_t *data, uint64_t size, uint8_t octet)
{
	for (uint64_t i = 0; i < size; i++)
		if (data[i] != octet)
			return false;
	return true;
}

static void stores_of_the_iut_are_seen(struct test *test)
{
	struct end *end = test_connect(test);
	struct their_buffer *buffer = let_export(end, "a size=%d", SIZE);
	const uint8_t *data =
		end_map_buffer(end, buffer, HDMABUF_RIGHTS_READ_ONLY);

	if (!data)
		inconclusive(test, "the buffer cannot be mapped");
	for (unsigned int i = 1; i <= 50; i++) {
		control(test, "fill a %u", i);
		control(test, "hand-off a stamp=%u", i);
		if (!end_await_request(end, HDMABUF_OP_HAND_OFF))
			inconclusive(test, "the IUT hands nothing off");
		check(test, HDB_PLAT_008, is_filled(data, SIZE, (uint8_t)i),
		      "the hand-off with stamp %u is there, and the data before it is not",
		      i);
	}
}

/* ---- notifications -------------------------------------------------------- */

static bool is_answered(struct end *end, uint32_t id)
{
	const uint8_t *answer = end_await_answer_to(end, id);

	return answer && wire_get(answer, HEADER_STATUS) == HDMABUF_STATUS_OK;
}

/* The IUT sleeps before each. */
static void notifications_wake(struct test *test)
{
	struct end *end = test_connect(test);
	message_t echo;

	for (unsigned int i = 0; i < 20; i++) {
		uint32_t id;

		message_init(echo, HDMABUF_OP_ECHO);
		wire_put(echo, WIRE_PLACE(8, 8), test_random(test));
		let_pass(test, (unsigned int)(test_random(test) % 30));
		id = end_put(end, echo);
		end_show(end);
		end_notify(end);
		require(test, HDB_PLAT_009, is_answered(end, id),
			"a request is there and notified, and not answered");
	}
}

static void notifications_merge(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t ids[16];
	message_t echo;

	for (unsigned int i = 0; i < 20; i++) {
		comment(test, "a storm of notifications, and requests in it");
		for (unsigned int j = 0; j < COUNT_OF(ids); j++) {
			message_init(echo, HDMABUF_OP_ECHO);
			wire_put(echo, WIRE_PLACE(8, 8), j);
			for (unsigned int k = 0; k < 50; k++)
				end_notify(end);
			ids[j] = end_put(end, echo);
			end_show(end);
			end_notify(end);
		}
		for (unsigned int j = 0; j < COUNT_OF(ids); j++)
			require(test, HDB_PLAT_009, is_answered(end, ids[j]),
				"of many notifications, one that mattered is lost");
	}
}

/* ---- records -------------------------------------------------------------- */

static void records_are_ones_own(struct test *test)
{
	struct end *other = test_connect(test), *end = test_connect(test);
	char mine[256], before[1025], after[1025];

	snprintf(mine, sizeof(mine),
		 "peer-epoch=%" PRIu64 "\nchannel=%" PRIu64 "\nepoch=%" PRIu64
		 "\n",
		 end->peer_epoch, end->reference, end->epoch);
	end_record(end, before);
	comment(test, "one end says what another one has said");
	end_publish(other, mine);
	if (!await_record_change(other, other->peer_epoch))
		inconclusive(test, "the session of who did that goes on");
	comment(test, "and then nothing");
	end_withdraw(other);
	check(test, HDB_PLAT_010, end_sanity(end),
	      "what one end publishes is taken for the record of another");
	end_record(end, after);
	check(test, HDB_PLAT_010, !strcmp(before, after),
	      "what one end publishes changes the offer to another");
	end_abandon(other);
}

static const struct test_case cases[] = {
	TEST(each_reference_is_a_page, "Each reference leads to one page",
	     OF_BOTH, OPTION_CONTROL, HDB_PLAT_001, HDB_PLAT_003),
	TEST(channel_is_not_named_zero, "No page of the channel is named 0",
	     OF_FRONTEND, 0, HDB_PLAT_003),
	TEST(references_of_another_session,
	     "A reference of one session is of no use in another", OF_BACKEND,
	     OPTION_IMPORT | OPTION_MANY, HDB_PLAT_002),
	TEST(exports_are_for_one_session,
	     "What is exported over one session cannot be mapped over another",
	     OF_BACKEND, OPTION_CONTROL | OPTION_MANY, HDB_PLAT_002),
	TEST(read_only_stays_so,
	     "What is shared read-only is mapped so, or not", OF_BOTH,
	     OPTION_CONTROL, HDB_PLAT_004),
	TEST(channel_in_use_stays,
	     "A channel can be taken back when its session is over", OF_BACKEND,
	     0, HDB_PLAT_005),
	TEST(buffer_in_use_stays,
	     "A buffer can be taken back when it is unmapped", OF_BOTH,
	     OPTION_IMPORT | OPTION_CONTROL, HDB_PLAT_005),
	TEST(mapped_pages_are_not_free,
	     "What the platform says is still mapped is not free, whatever the peer says",
	     OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_PLAT_005),
	TEST(pages_are_mapped_in_order,
	     "Pages are mapped in the order in which they are named", OF_BOTH,
	     OPTION_CONTROL, HDB_PLAT_006),
	TEST(buffer_outlives_the_iut,
	     "A buffer that is mapped stays when its exporter dies", OF_BOTH,
	     OPTION_CONTROL, HDB_PLAT_007),
	TEST(channel_outlives_the_iut,
	     "A channel that is mapped stays when its frontend dies",
	     OF_FRONTEND, 0, HDB_PLAT_007),
	TEST(our_death_does_no_harm,
	     "An importer bears that an exporter dies while it reads", OF_BOTH,
	     OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS, HDB_PLAT_007),
	TEST(stores_are_seen_in_order,
	     "Data that was stored before a request is seen after it", OF_BOTH,
	     OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS, HDB_PLAT_008),
	TEST(stores_of_the_iut_are_seen,
	     "Data that the exporter stored before a hand-off is there with it",
	     OF_BOTH, OPTION_CONTROL, HDB_PLAT_008),
	TEST(notifications_wake, "A notification wakes who sleeps", OF_BOTH, 0,
	     HDB_PLAT_009),
	TEST(notifications_merge, "Of many notifications, none is lost",
	     OF_BOTH, 0, HDB_PLAT_009),
	TEST(records_are_ones_own, "The record of one end is that of no other",
	     OF_BACKEND, OPTION_MANY, HDB_PLAT_010),
	TEST(our_death_is_seen, "The death of a peer ends the session", OF_BOTH,
	     OPTION_CONTROL | OPTION_EVENTS, HDB_PLAT_012),
};

TEST_GROUP(platform, cases);
