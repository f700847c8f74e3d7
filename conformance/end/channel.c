/* SPDX-License-Identifier: MIT */
/* channel.c - the channel of an end, its rings, requests and answers */
#include "conformance/end/channel.h"
#include "conformance/internal.h"
#include "conformance/end/shared.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct hdmabuf_platform_ops *ops(const struct end *end)
{
	return end->platform.ops;
}

static size_t page_octets(const struct end *end)
{
	return (size_t)1 << ops(end)->page_shift;
}

/* ---- memory that both ends see ------------------------------------------ */

uint8_t *ring_slot(const struct ring *ring, uint32_t index)
{
	return ring->at + (ring->format ? MARKED_SLOTS_AT : RING_SLOTS_AT) +
	       WIRE_MESSAGE_OCTETS * (size_t)(index & (ring->slots - 1));
}

/* ---- the channel -------------------------------------------------------- */

static void ring_attach(struct ring *ring, uint8_t *at, size_t octets,
			uint32_t format, uint32_t start)
{
	ring->at = at;
	ring->format = format;
	ring->ready = 0;
	ring->slots = (uint32_t)(octets / 128);
	ring->produced = ring->pushed = ring->consumed = start;
}

static void ring_format(const struct ring *ring)
{
	if (ring->format) {
		shared_store(ring->at, MARKED_REQ_EVENT, ring->produced + 1);
		shared_store(ring->at, MARKED_RSP_EVENT, ring->produced + 1);
		return;
	}
	shared_store(ring->at, RING_REQ_PROD, ring->produced);
	shared_store(ring->at, RING_REQ_EVENT, ring->produced + 1);
	shared_store(ring->at, RING_RSP_PROD, ring->produced);
	shared_store(ring->at, RING_RSP_EVENT, ring->produced + 1);
}

/* Places the parts as the channel page orders them. */
static void attach(struct end *end)
{
	const uint8_t *page = end->channel;
	size_t octets = page_octets(end);
	size_t front = octets << wire_get(page, CHANNEL_FRONTEND_RING_ORDER);
	size_t back = octets << wire_get(page, CHANNEL_BACKEND_RING_ORDER);
	size_t area = octets * wire_get(page, CHANNEL_TIMELINE_PAGES);
	uint32_t format = (uint32_t)wire_get(page, CHANNEL_RING_FORMAT);
	bool frontend = end->role == HDMABUF_FRONTEND;
	uint8_t *cells = end->parts + front + back;

	ring_attach(frontend ? &end->own : &end->theirs, end->parts, front,
		    format,
		    (uint32_t)wire_get(page, CHANNEL_FRONTEND_RING_START));
	ring_attach(frontend ? &end->theirs : &end->own, end->parts + front,
		    back, format,
		    (uint32_t)wire_get(page, CHANNEL_BACKEND_RING_START));
	end->cells[HDMABUF_FRONTEND] = cells;
	end->cells[HDMABUF_BACKEND] = cells + area;
	end->cell_count = (uint32_t)(area / WIRE_CELL_OCTETS);
}

static uint32_t at_most(uint32_t wanted, uint32_t most)
{
	return wanted < most ? wanted : most;
}

static uint32_t ring_order(const struct end *end, enum hdmabuf_role role)
{
	const struct greeting *greeting = &end->greeting;
	uint32_t order = at_most(greeting->ring_order, end->peer.ring_order);

	return order - at_most(greeting->ring_order_less[role], order);
}

static void fill_channel(struct end *end)
{
	const struct greeting *greeting = &end->greeting;
	uint32_t front = ring_order(end, HDMABUF_FRONTEND);
	uint32_t back = ring_order(end, HDMABUF_BACKEND);
	uint32_t pages =
		at_most(greeting->timeline_pages, end->peer.timeline_pages);
	uint8_t *page = end->channel;

	memset(page, 0, sizeof(end->channel));
	wire_put(page, CHANNEL_MAGIC, HDMABUF_CHANNEL_MAGIC);
	wire_put(page, CHANNEL_VERSION, greeting->version_max);
	wire_put(page, CHANNEL_EPOCH_FRONTEND, end->epoch);
	wire_put(page, CHANNEL_EPOCH_BACKEND, end->peer_epoch);
	wire_put(page, CHANNEL_PAGE_SHIFT, ops(end)->page_shift);
	wire_put(page, CHANNEL_RING_FORMAT, greeting->ring_format);
	wire_put(page, CHANNEL_FRONTEND_RING_ORDER, front);
	wire_put(page, CHANNEL_BACKEND_RING_ORDER, back);
	wire_put(page, CHANNEL_TIMELINE_PAGES, pages);
	wire_put(page, CHANNEL_FRONTEND_RING_START, greeting->ring_start[0]);
	wire_put(page, CHANNEL_BACKEND_RING_START, greeting->ring_start[1]);
	end->part_count = (1u << front) + (1u << back) + 2 * pages;
	wire_put(page, CHANNEL_REFERENCES, end->part_count);
}

static void share_channel(struct end *end)
{
	size_t pages = 1 + end->part_count;
	uint64_t references[1 + HDMABUF_CHANNEL_REFERENCES_MAX];

	if (ops(end)->alloc(end->link, pages * page_octets(end),
			    HDMABUF_RIGHTS_READ_WRITE, &end->memory))
		error(end->test, "cannot allocate a channel");
	end_share(end, &end->memory, 0, pages, HDMABUF_RIGHTS_READ_WRITE,
		  references);
	end->reference = references[0];
	for (uint32_t i = 0; i < end->part_count; i++)
		wire_put(end->channel, WIRE_PLACE(64 + 8 * i, 8),
			 references[1 + i]);
	end->page = end->memory.address;
	end->parts = end->page + page_octets(end);
	memcpy(end->page, end->channel, 64 + 8 * (size_t)end->part_count);
}

void end_make_channel(struct end *end)
{
	end_leave_channel(end);
	end->asked_count = end->request_count = 0;
	end->connected = end->closed = end->broken = false;
	end_new_epoch(end);
	fill_channel(end);
	share_channel(end);
	attach(end);
	ring_format(&end->own);
	ring_format(&end->theirs);
	test_trace(end, HDMABUF_TRACE_CHANNEL, end->role, end->channel,
		   64 + 8 * (size_t)end->part_count);
	note(end->test, SPEAKER_SUITE, "makes a channel of %u pages",
	     1 + end->part_count);
}

/* A channel page that would lead the suite astray is not followed. */
static bool is_mappable(struct end *end)
{
	const uint8_t *page = end->channel;
	uint64_t front = wire_get(page, CHANNEL_FRONTEND_RING_ORDER);
	uint64_t back = wire_get(page, CHANNEL_BACKEND_RING_ORDER);
	uint64_t pages = wire_get(page, CHANNEL_TIMELINE_PAGES);
	uint64_t count = wire_get(page, CHANNEL_REFERENCES);

	end->part_count = (uint32_t)count;
	return wire_get(page, CHANNEL_RING_FORMAT) <= HDMABUF_RING_FORMAT_1 &&
	       front <= HDMABUF_RING_ORDER_MAX &&
	       back <= HDMABUF_RING_ORDER_MAX &&
	       pages <= HDMABUF_TIMELINE_PAGES_MAX &&
	       count == (1ull << front) + (1ull << back) + 2 * pages &&
	       count <= HDMABUF_CHANNEL_REFERENCES_MAX;
}

static bool copy_channel_page(struct end *end)
{
	void *page = end_map(end, &end->reference, 1, HDMABUF_RIGHTS_READ_ONLY);

	if (!page)
		return false;
	memcpy(end->channel, page, sizeof(end->channel));
	ops(end)->unmap(end->link, page, 1);
	return true;
}

void end_channel_references(const struct end *end, uint64_t *references)
{
	for (uint32_t i = 0; i < end->part_count; i++)
		references[i] =
			wire_get(end->channel, WIRE_PLACE(64 + 8 * i, 8));
}

bool end_map_channel(struct end *end)
{
	uint64_t references[HDMABUF_CHANNEL_REFERENCES_MAX];

	end_leave_channel(end);
	if (!copy_channel_page(end) || !is_mappable(end))
		return false;
	test_trace(end, HDMABUF_TRACE_CHANNEL, end->test->setup->role,
		   end->channel, 64 + 8 * (size_t)end->part_count);
	end_channel_references(end, references);
	end->parts = end_map(end, references, end->part_count,
			     HDMABUF_RIGHTS_READ_WRITE);
	if (!end->parts)
		return false;
	attach(end);
	return true;
}

void end_leave_channel(struct end *end)
{
	if (!end->parts)
		return;
	if (end->role == HDMABUF_BACKEND)
		ops(end)->unmap(end->link, end->parts, end->part_count);
	else
		hdmabuf_memory_free(&end->memory);
	end->page = end->parts = NULL;
	memset(&end->own, 0, sizeof(end->own));
	memset(&end->theirs, 0, sizeof(end->theirs));
	end->cells[0] = end->cells[1] = NULL;
	end->cell_count = 0;
}

/* ---- references --------------------------------------------------------- */

static struct owned *own(struct end *end)
{
	struct owned *owned = calloc(1, sizeof(*owned));

	if (!owned)
		error(end->test, "no memory");
	owned->next = end->owned;
	end->owned = owned;
	return owned;
}

struct hdmabuf_memory *end_allocate(struct end *end, uint64_t pages,
				    uint32_t rights)
{
	struct owned *owned = own(end);

	if (ops(end)->alloc(end->link, (size_t)(pages << ops(end)->page_shift),
			    rights, &owned->memory))
		error(end->test, "cannot allocate %" PRIu64 " pages", pages);
	return &owned->memory;
}

void *end_array(struct end *end, size_t count, size_t octets)
{
	struct owned *owned = own(end);

	owned->array = calloc(count, octets);
	if (!owned->array)
		error(end->test, "no memory");
	return owned->array;
}

size_t end_share_runs(struct end *end, const struct hdmabuf_memory *memory,
		      uint64_t first, uint64_t pages, uint32_t rights,
		      struct hdmabuf_run *runs)
{
	size_t capacity = ops(end)->contiguous ? 1 : (size_t)pages;
	size_t count = 0;
	int code;

	for (uint64_t deadline = test_deadline(end->test);;) {
		code = ops(end)->share(end->link, memory, first, pages, rights,
				       runs, capacity, &count);
		if (code != -EAGAIN || now_ms() > deadline)
			break;
		test_wait(end->test, now_ms() + 5);
	}
	if (code == -ENOTCONN)
		inconclusive(end->test, "the IUT has left");
	if (code)
		error(end->test, "cannot share %" PRIu64 " pages: %s", pages,
		      strerror(-code));
	return count;
}

void end_share(struct end *end, const struct hdmabuf_memory *memory,
	       uint64_t first, uint64_t pages, uint32_t rights,
	       uint64_t *references)
{
	struct hdmabuf_run *runs = end_array(end, (size_t)pages, sizeof(*runs));
	size_t count = end_share_runs(end, memory, first, pages, rights, runs);
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		for (uint64_t j = 0; j < runs[i].count && at < pages; j++)
			references[at++] = runs[i].reference + j;
}

bool end_revoke(struct end *end, const struct hdmabuf_run *runs, size_t count,
		uint64_t deadline)
{
	int code;

	while ((code = ops(end)->revoke(end->link, runs, count)) == -EBUSY &&
	       test_wait(end->test, deadline))
		;
	if (code && code != -EBUSY)
		error(end->test, "cannot revoke pages: %s", strerror(-code));
	return !code;
}

void *end_map(struct end *end, const uint64_t *references, uint64_t count,
	      uint32_t rights)
{
	struct hdmabuf_run *runs = calloc((size_t)count, sizeof(*runs));
	void *address = NULL;
	uint64_t bad = 0;
	int code;

	if (!runs)
		error(end->test, "no memory");
	for (uint64_t i = 0; i < count; i++)
		runs[i] = (struct hdmabuf_run){ references[i], 1 };
	code = ops(end)->map(end->link, runs, (size_t)count, rights, &address,
			     &bad);
	if (code)
		comment(end->test,
			"reference %" PRIu64 ", the %" PRIu64 "th of %" PRIu64
			", cannot be mapped %s: %s",
			bad < count ? references[bad] : 0, bad, count,
			rights == HDMABUF_RIGHTS_READ_ONLY ? "read-only" :
							     "read-write",
			strerror(-code));
	free(runs);
	return code ? NULL : address;
}

void end_unmap(struct end *end, void *address, uint64_t pages)
{
	ops(end)->unmap(end->link, address, pages);
}

/* ---- sending ------------------------------------------------------------ */

void message_init(message_t message, uint16_t operation)
{
	memset(message, 0, WIRE_MESSAGE_OCTETS);
	wire_put(message, HEADER_OPERATION, operation);
}

static void print_message(struct end *end, enum speaker speaker,
			  const message_t message, bool is_answer)
{
	char text[600];

	if (end->silent)
		return;
	note(end->test, speaker, "%s%s", is_answer ? "answer: " : "",
	     wire_print(message, is_answer, text, sizeof(text)));
}

/* Where marks are, all but the word that will have the mark. */
void ring_put(struct ring *ring, const message_t message)
{
	uint8_t *at = ring_slot(ring, ring->produced);
	bool first = ring->produced++ == ring->pushed;
	message_t plain;

	if (!ring->format) {
		memcpy(at, message, sizeof(message_t));
		return;
	}
	memcpy(plain, message, sizeof(plain));
	wire_put(plain, SLOT_MARK, 0);
	memcpy(at, plain, 4);
	memcpy(at + 8, plain + 8, sizeof(plain) - 8);
	if (first)
		ring->word = (uint32_t)wire_get(plain, SLOT_WORD);
	else
		memcpy(at + 4, plain + 4, 4);
}

uint32_t end_put(struct end *end, message_t message)
{
	struct asked *asked;
	uint32_t id = end->next_id++;

	if (!end->own.at)
		inconclusive(end->test, "the session is over");
	if (end->asked_count == END_REQUESTS) {
		/* The oldest ones are answered long since. */
		end->asked_count -= END_REQUESTS / 2;
		memcpy(end->asked, end->asked + END_REQUESTS / 2,
		       end->asked_count * sizeof(end->asked[0]));
	}
	wire_put(message, HEADER_ID, id);
	asked = &end->asked[end->asked_count++];
	memset(asked, 0, sizeof(*asked));
	memcpy(asked->octets, message, sizeof(message_t));
	ring_put(&end->own, message);
	return id;
}

/* Every 64th message is marked, the first one last. */
static void mark(struct ring *ring, uint32_t kind)
{
	uint32_t first = ring->pushed;
	uint32_t count = ring->produced - first;

	for (uint32_t i = MARK_MAX; i < count; i += MARK_MAX)
		wire_put(ring_slot(ring, first + i), SLOT_MARK,
			 kind + at_most(count - i, MARK_MAX));
	shared_store(ring_slot(ring, first), SLOT_WORD,
		     ring->word | (kind + at_most(count, MARK_MAX)) << 24);
}

/* Of requests or answers. */
struct direction {
	unsigned int index;
	unsigned int event;
	unsigned int marked_event;
	uint32_t kind;
};

static const struct direction requests = {
	RING_REQ_PROD,
	RING_REQ_EVENT,
	MARKED_REQ_EVENT,
	0,
};

static const struct direction answers = {
	RING_RSP_PROD,
	RING_RSP_EVENT,
	MARKED_RSP_EVENT,
	MARK_ANSWERS,
};

static unsigned int event_of(const struct ring *ring,
			     const struct direction *way)
{
	return ring->format ? way->marked_event : way->event;
}

/* The suite's own index or mark, and whether the IUT wants to be told. */
static bool show(struct ring *ring, const struct direction *way)
{
	uint32_t count = ring->produced - ring->pushed;

	if (!count)
		return false;
	if (ring->format)
		mark(ring, way->kind);
	else
		shared_store(ring->at, way->index, ring->produced);
	ring->pushed = ring->produced;
	shared_barrier();
	return ring->produced - shared_load(ring->at, event_of(ring, way)) <
	       count;
}

bool ring_show_requests(struct ring *ring)
{
	return show(ring, &requests);
}

static void trace_shown(struct end *end)
{
	uint32_t hidden = end->own.produced - end->own.pushed;

	for (size_t i = end->asked_count - hidden; i < end->asked_count; i++) {
		test_trace(end, HDMABUF_TRACE_REQUEST, end->role,
			   end->asked[i].octets, sizeof(message_t));
		print_message(end, SPEAKER_SUITE, end->asked[i].octets, false);
	}
}

void end_show(struct end *end)
{
	if (!end->own.at)
		return;
	trace_shown(end);
	ring_show_requests(&end->own);
}

void end_push(struct end *end)
{
	if (!end->own.at)
		return;
	trace_shown(end);
	if (ring_show_requests(&end->own))
		end_notify(end);
}

void end_notify(struct end *end)
{
	if (end->link && !end->down)
		ops(end)->notify(end->link);
}

uint32_t end_send(struct end *end, message_t message)
{
	uint32_t id = end_put(end, message);

	end_push(end);
	return id;
}

static const struct asked *find_asked(const struct end *end, uint32_t id)
{
	for (size_t i = end->asked_count; i > 0; i--)
		if (wire_get(end->asked[i - 1].octets, HEADER_ID) == id)
			return &end->asked[i - 1];
	return NULL;
}

const uint8_t *end_find_answer_to(const struct end *end, uint32_t id)
{
	const struct asked *asked = find_asked(end, id);

	return asked && asked->answers ? asked->answer : NULL;
}

const uint8_t *end_await_answer_to(struct end *end, uint32_t id)
{
	uint64_t deadline = test_deadline(end->test);
	const struct asked *asked;

	while ((asked = find_asked(end, id)) && !asked->answers &&
	       !end->broken && !end->down && test_wait(end->test, deadline) &&
	       test_iut_is_running(end->test))
		;
	return asked && asked->answers ? asked->answer : NULL;
}

uint16_t end_try_ask(struct end *end, message_t message, uint8_t *answer)
{
	uint32_t id = end_send(end, message);
	const uint8_t *got = end_await_answer_to(end, id);

	if (!got)
		return UINT16_MAX;
	if (answer)
		memcpy(answer, got, sizeof(message_t));
	return (uint16_t)wire_get(got, HEADER_STATUS);
}

uint16_t end_ask(struct end *end, message_t message, uint8_t *answer)
{
	message_t ignored;
	uint32_t id = end_send(end, message);
	const uint8_t *got = end_await_answer_to(end, id);

	if (!got && test_iut_is_running(end->test) && !end->down)
		test_found(end->test, HDB_BOTH_033, "%s was not answered",
			   wire_operation_name((uint16_t)wire_get(
				   message, HEADER_OPERATION)));
	if (!got)
		inconclusive(end->test, "a request was not answered");
	memcpy(answer ? answer : ignored, got, sizeof(message_t));
	return (uint16_t)wire_get(got, HEADER_STATUS);
}

uint32_t end_in_flight(const struct end *end)
{
	return end->own.pushed - end->own.consumed;
}

void end_answer(struct end *end, struct received *request, message_t answer)
{
	if (request->answered)
		error(end->test, "a request was answered already");
	if (!end->theirs.at)
		inconclusive(end->test, "the session is over");
	request->answered = true;
	wire_put(answer, HEADER_ID, wire_get(request->octets, HEADER_ID));
	wire_put(answer, HEADER_OPERATION,
		 wire_get(request->octets, HEADER_OPERATION));
	end_answer_raw(end, answer);
}

void end_answer_raw(struct end *end, const message_t answer)
{
	ring_put(&end->theirs, answer);
	print_message(end, SPEAKER_SUITE, answer, true);
	test_trace(end, HDMABUF_TRACE_ANSWER, end->role, answer,
		   sizeof(message_t));
	if (show(&end->theirs, &answers) && !end->quiet)
		end_notify(end);
}

void end_answer_status(struct end *end, struct received *request,
		       uint16_t status)
{
	message_t answer = { 0 };

	wire_put(answer, HEADER_STATUS, status);
	end_answer(end, request, answer);
}

/* ---- receiving ---------------------------------------------------------- */

static void take_answer(struct end *end, const message_t message)
{
	uint32_t id = (uint32_t)wire_get(message, HEADER_ID);
	struct asked *asked = (struct asked *)find_asked(end, id);

	print_message(end, SPEAKER_IUT, message, true);
	test_trace(end, HDMABUF_TRACE_ANSWER, end->test->setup->role, message,
		   sizeof(message_t));
	if (!asked)
		return;
	memcpy(asked->answer, message, sizeof(message_t));
	asked->answers++;
	if (wire_get(message, HEADER_STATUS) == HDMABUF_STATUS_OK)
		end_accepted(end, asked->octets);
}

static struct received *keep_request(struct end *end)
{
	struct received *request;

	if (end->request_count == END_REQUESTS) {
		end->request_count -= END_REQUESTS / 2;
		memcpy(end->requests, end->requests + END_REQUESTS / 2,
		       end->request_count * sizeof(end->requests[0]));
	}
	request = &end->requests[end->request_count++];
	memset(request, 0, sizeof(*request));
	return request;
}

static void take_request(struct end *end, const message_t message)
{
	struct received *request = keep_request(end);

	memcpy(request->octets, message, sizeof(message_t));
	print_message(end, SPEAKER_IUT, message, false);
	end_prepare(end, request);
	test_trace(end, HDMABUF_TRACE_REQUEST, end->test->setup->role, message,
		   sizeof(message_t));
	if (end->serves && end->connected)
		end_serve(end, request);
}

/* What a mark counts in the next slot, of which there may be @most. */
static uint32_t marked(const struct ring *ring, const struct direction *way,
		       uint32_t most, uint32_t *word)
{
	uint32_t count;

	if (!most)
		return 0;
	*word = shared_load(ring_slot(ring, ring->consumed), SLOT_WORD);
	count = (*word >> 24) - way->kind;
	return count <= MARK_MAX ? count : 0;
}

/* How many messages there are now. */
static uint32_t ready(struct ring *ring, const struct direction *way,
		      uint32_t most, uint32_t *word)
{
	if (!ring->format)
		return shared_load(ring->at, way->index) - ring->consumed;
	return ring->ready ? ring->ready : marked(ring, way, most, word);
}

/* The word with the mark was read already, and is not read again. */
static void copy_out(struct ring *ring, uint32_t count, uint32_t word,
		     message_t message)
{
	const uint8_t *at = ring_slot(ring, ring->consumed++);

	if (!ring->format || ring->ready) {
		memcpy(message, at, sizeof(message_t));
	} else {
		memcpy(message, at, 4);
		wire_put(message, SLOT_WORD, word & 0xffffff);
		memcpy(message + 8, at + 8, sizeof(message_t) - 8);
	}
	ring->ready = ring->format ? count - 1 : 0;
}

/* One message, if there is one; what cannot be breaks the session. */
static bool take(struct end *end, struct ring *ring,
		 const struct direction *way, uint32_t most, message_t message)
{
	uint32_t word = 0;
	uint32_t count = ready(ring, way, most, &word);

	if (!count || end->broken)
		return false;
	if (count > most) {
		end->broken = true;
		note(end->test, SPEAKER_IUT,
		     "stores an index or a mark that cannot be: %u ahead of what was taken",
		     count);
		return false;
	}
	copy_out(ring, count, word, message);
	return true;
}

static bool take_answers(struct end *end)
{
	struct ring *ring = &end->own;
	message_t message;
	bool any = false;

	while (ring->at && take(end, ring, &answers,
				ring->pushed - ring->consumed, message)) {
		take_answer(end, message);
		any = true;
	}
	return any;
}

static bool take_requests(struct end *end)
{
	struct ring *ring = &end->theirs;
	message_t message;
	bool any = false;

	while (ring->at &&
	       take(end, ring, &requests,
		    ring->slots - (ring->consumed - ring->produced), message)) {
		/* HDB-BOTH-017 */
		take_answers(end);
		take_request(end, message);
		any = true;
	}
	return any;
}

bool channel_step(struct end *end)
{
	bool any = take_answers(end);

	any |= take_requests(end);
	any |= timelines_step(end);
	return any;
}

static bool arm_ring(struct ring *ring, const struct direction *way,
		     uint32_t most)
{
	uint32_t word;

	if (!ring->at)
		return false;
	shared_store(ring->at, event_of(ring, way), ring->consumed + 1);
	shared_barrier();
	return ready(ring, way, most, &word);
}

bool end_arm(struct end *end)
{
	bool any;

	if (end->broken || end->deaf)
		return false;
	any = arm_ring(&end->own, &answers,
		       end->own.pushed - end->own.consumed);
	any |= arm_ring(&end->theirs, &requests,
			end->theirs.slots -
				(end->theirs.consumed - end->theirs.produced));
	return timelines_arm(end) || any;
}

struct received *end_find_request(struct end *end, uint16_t operation)
{
	for (size_t i = 0; i < end->request_count; i++) {
		struct received *request = &end->requests[i];

		if (!request->taken &&
		    wire_get(request->octets, HEADER_OPERATION) == operation) {
			request->taken = true;
			return request;
		}
	}
	return NULL;
}

struct received *end_await_request(struct end *end, uint16_t operation)
{
	uint64_t deadline = test_deadline(end->test);
	struct received *request;

	while (!(request = end_find_request(end, operation)) &&
	       test_wait(end->test, deadline) && test_iut_is_running(end->test))
		;
	return request;
}
