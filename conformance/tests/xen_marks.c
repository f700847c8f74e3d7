/* SPDX-License-Identifier: MIT */
/* xen_marks.c - the binding "xen": marks, what they are for, references */
#define _GNU_SOURCE
#include "conformance/internal.h"
#include "conformance/tests/buffers.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/xen_raw.h"
#include "conformance/tests/xen_tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHORT_MS 300
/* Longer than an end waits before it asks whether a domain lives. */
#define LONG_MS 3000
/* The name of a buffer, of which events of other tests do not tell. */
#define OWN "a%d"

static enum hdmabuf_role iut_role(const struct xen_raw *raw)
{
	return test_iut_role(raw->end->test);
}

/* ---- what the IUT marks ------------------------------------------------- */

/* How many of these references of the suite are marked. */
static uint64_t count_marked(const struct xen_raw *raw,
			     const uint64_t *references, uint64_t count)
{
	uint64_t marked = 0;

	for (uint64_t i = 0; i < count; i++)
		marked += xen_raw_is_marked(raw, references[i]);
	return marked;
}

static bool await_unmarked(struct xen_raw *raw, const uint64_t *references,
			   uint64_t count)
{
	uint64_t deadline = test_deadline(raw->end->test);

	while (count_marked(raw, references, count))
		if (!test_wait(raw->end->test, deadline))
			return false;
	return true;
}

void channel_is_marked(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	uint64_t references[HDMABUF_CHANNEL_REFERENCES_MAX];
	uint32_t count = end->part_count;
	uint64_t marked;

	end_channel_references(end, references);
	marked = count_marked(raw, references, count);
	check(test, HDB_XEN_021, marked == count,
	      "the channel has %u pages that are mapped, and %" PRIu64
	      " are marked",
	      count, marked);
	end_withdraw(end);
	check(test, HDB_XEN_021, await_unmarked(raw, references, count),
	      "the session is over, and pages of the channel are marked");
	end_abandon(end);
}

void buffers_are_marked(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	struct buffer buffer;
	uint64_t marked;
	char name[33];

	control(test, "keep on");
	buffer_share(end, &buffer, &(struct plan){ .size = 100000 });
	control(test, "map %s", buffer_name(&buffer, name));
	marked = count_marked(raw, buffer.references, buffer.page_count);
	check(test, HDB_XEN_021, marked == buffer.page_count,
	      "a buffer of %" PRIu64 " pages is mapped, and %" PRIu64
	      " are marked",
	      buffer.page_count, marked);
	buffer_unexport(&buffer, 0, NULL);
	let_pass(test, SHORT_MS);
	marked = count_marked(raw, buffer.references, buffer.page_count);
	check(test, HDB_XEN_021, marked == buffer.page_count,
	      "the buffer is wanted back and mapped, and %" PRIu64
	      " of its pages are marked",
	      marked);
	control(test, "release %s", name);
	control(test, "keep off");
	check(test, HDB_XEN_021,
	      await_unmarked(raw, buffer.references, buffer.page_count),
	      "the buffer is released, and pages of it are marked");
}

/* Of an earlier life of the IUT, which died unseen. */
void old_marks_are_cleared(struct test *test)
{
	struct end *end = xen_raw_open(test);
	struct xen_raw *raw = xen_raw_of(end);
	uint32_t count, left, channel;
	uint8_t *marks = xen_raw_marks(raw, HDMABUF_FRONTEND, &count);

	comment(test, "all references of the frontend are marked");
	memset(marks, 0xff, count / 8);
	end_greet(end);
	left = xen_raw_count_marks(raw, HDMABUF_FRONTEND);
	channel = 1 + end->part_count;
	check(test, HDB_XEN_031, left <= channel,
	      "%u references are marked, and the channel has %u pages", left,
	      channel);
}

/* ---- who waits for a mark ----------------------------------------------- */

/* A ring that wants no notifications, so that what comes is about marks. */
static void want_nothing(struct end *end)
{
	shared_store(end->theirs.at, ring_req_event(&end->theirs),
		     end->theirs.consumed + 0x40000000);
	shared_store(end->own.at, ring_rsp_event(&end->own),
		     end->own.consumed + 0x40000000);
}

static bool await_notified(struct end *end, unsigned int before)
{
	uint64_t deadline = test_deadline(end->test);

	while (end->notified == before)
		if (!test_wait(end->test, deadline))
			return false;
	return true;
}

void cleared_marks_are_told(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	struct buffer buffer;
	unsigned int before;
	char name[33];

	buffer_share(end, &buffer, NULL);
	control(test, "map %s", buffer_name(&buffer, name));
	if (!xen_raw_is_marked(raw, buffer.references[0]))
		inconclusive(test, "the buffer is not marked");
	settle(end);
	end->deaf = true;
	want_nothing(end);
	wire_put(raw->page + LINK_END_AT(raw->role), LINK_WAITS, 1);
	shared_barrier();
	before = end->notified;
	comment(test, "the suite waits for marks, and not for messages");
	control(test, "unmap %s", name);
	check(test, HDB_XEN_023, await_notified(end, before),
	      "marks are waited for and cleared, and nothing is notified");
	check(test, HDB_XEN_023,
	      await_unmarked(raw, buffer.references, buffer.page_count),
	      "the buffer is unmapped, and pages of it are marked");
	wire_put(raw->page + LINK_END_AT(raw->role), LINK_WAITS, 0);
	end->deaf = false;
}

/* ---- what the suite marks ----------------------------------------------- */

/* A buffer of the IUT, all pages of it mapped and marked. */
static struct their_buffer *export_one(struct end *end)
{
	struct their_buffer *buffer =
		let_export(end, OWN " size=20000", getpid());

	if (!event_await(end->test, "exported " OWN " 0", getpid()) ||
	    !end_map_buffer(end, buffer, HDMABUF_RIGHTS_READ_ONLY))
		inconclusive(end->test, "the IUT exports no buffer");
	return buffer;
}

/**
 * struct marked - references of the IUT, which the suite keeps
 * @references: of the pages of a buffer
 * @count: of @references
 */
struct marked {
	uint64_t references[16];
	uint64_t count;
};

static struct marked references_of(const struct their_buffer *buffer)
{
	struct marked marked = { .count = buffer->pages };

	if (marked.count > COUNT_OF(marked.references))
		marked.count = COUNT_OF(marked.references);
	memcpy(marked.references, buffer->references,
	       (size_t)marked.count * sizeof(marked.references[0]));
	return marked;
}

static void set_marks(struct xen_raw *raw, const struct marked *marked,
		      bool set)
{
	uint32_t count;
	uint8_t *marks = xen_raw_marks(raw, iut_role(raw), &count);

	for (uint64_t i = 0; i < marked->count; i++) {
		uint32_t bit = (uint32_t)(marked->references[i] % count);
		uint8_t mask = (uint8_t)(1u << bit % 8);

		if (set)
			marks[bit / 8] |= mask;
		else
			marks[bit / 8] &= (uint8_t)~mask;
	}
	shared_barrier();
}

static bool is_released(struct test *test)
{
	return event_find(test, "released " OWN, getpid());
}

void marked_is_in_use(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	struct their_buffer *buffer = export_one(end);
	const struct marked marked = references_of(buffer);

	comment(test, "the suite says RELEASED, and its marks say no");
	end_unmap_buffer(end, buffer);
	set_marks(raw, &marked, true);
	control(test, "unexport " OWN " grace=1000", getpid());
	check(test, HDB_XEN_024,
	      event_await(test, "quarantined " OWN, getpid()),
	      "the pages are marked, and the buffer is not in quarantine");
	let_pass(test, SHORT_MS);
	check(test, HDB_XEN_024, !is_released(test),
	      "the pages are marked, and the buffer is taken for free");
	set_marks(raw, &marked, false);
	xen_raw_notify(raw);
	check(test, HDB_XEN_024, event_await(test, "released " OWN, getpid()),
	      "the marks are cleared, and the buffer is not free");
}

/* ---- domains ------------------------------------------------------------ */

/* The suite's end has gone from XenStore; its domain, and what it maps, has not. */
void records_are_no_domains(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);

	export_one(end);
	comment(test, "the suite's record goes, and it has a buffer mapped");
	end->deaf = true;
	xen_raw_remove_record(raw, HDMABUF_XEN_CLOSED);
	check(test, HDB_XEN_028,
	      event_await(test, "quarantined " OWN, getpid()),
	      "a buffer is mapped, and not in quarantine");
	let_pass(test, LONG_MS);
	check(test, HDB_XEN_028, !is_released(test),
	      "the domain that has a buffer mapped lives, and the buffer is taken for free");
	comment(test, "and now nothing is mapped any more");
	end_leave_channel(end);
	xen_raw_unmap_all(raw);
	xen_raw_set_here(raw, HDMABUF_XEN_GONE);
	check(test, HDB_XEN_028, event_await(test, "released " OWN, getpid()),
	      "nothing is mapped any more, and the buffer is not free");
	test_close_ends(test);
}

/* ---- references --------------------------------------------------------- */

void read_only_is_granted_so(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct their_buffer *buffer = let_export(end, "a size=20000");

	for (uint64_t i = 0; i < buffer->pages; i++)
		check(test, HDB_XEN_011,
		      !end_map(end, &buffer->references[i], 1,
			       HDMABUF_RIGHTS_READ_WRITE),
		      "page %" PRIu64
		      " is of right READ_ONLY, and can be mapped to be written",
		      i);
	check(test, HDB_XEN_011,
	      end_map(end, buffer->references, buffer->pages,
		      HDMABUF_RIGHTS_READ_ONLY),
	      "a buffer of right READ_ONLY cannot be mapped to be read");
}

/* There is no such domain, or it is another one; the IUT's it is not. */
void references_of_another_domain(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	struct buffer buffer;
	uint32_t reference;

	xen_raw_grant(raw, raw->domain + 1000, 1, &reference);
	comment(test, "reference %u is for domain %u", reference,
		raw->domain + 1000);
	buffer_make(end, &buffer, NULL);
	buffer.descriptor_reference = reference;
	check_status(test, HDB_PLAT_002, buffer_export(&buffer, NULL),
		     HDMABUF_STATUS_BAD_REFERENCE,
		     "EXPORT with a descriptor for another domain");
	buffer_make(end, &buffer, NULL);
	wire_put(buffer.descriptor, DESCRIPTOR_DIRECTORY, reference);
	check_status(test, HDB_PLAT_002, buffer_export(&buffer, NULL),
		     HDMABUF_STATUS_BAD_REFERENCE,
		     "EXPORT with a directory for another domain");
	check_unknown(&buffer, HDB_PLAT_002, "a buffer that was refused");
}
