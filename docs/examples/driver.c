/* SPDX-License-Identifier: MIT */
#include "driver.h"

#include <hdmabuf/channel.h>
#include <hdmabuf/codec.h>
#include <hdmabuf/machine.h>
#include <hdmabuf/timeline.h>

/* HDB-BOTH-012: how many messages are taken before others have their turn. */
#define BUDGET 64

/* The indices wrap after one trip of a ring, where a fault shows at once. */
#define RING_START (0 - HDMABUF_RING_SLOTS(DRIVER_PAGE))

/* ---- States, by the tables of the protocol ------------------------------ */

static void session_event(struct driver *driver, int event)
{
	int next = hdmabuf_session_next(HDMABUF_FRONTEND, driver->state, event);

	if (next != HDMABUF_NO_STATE)
		driver->state = next;
}

static void buffer_event(struct driver *driver, int event)
{
	int next = hdmabuf_buffer_next(HDMABUF_EXPORTER, driver->buffer, event);

	if (next != HDMABUF_NO_STATE)
		driver->buffer = next;
}

/* ---- Sharing and revoking pages ----------------------------------------- */

static bool share(struct driver *driver, unsigned int part, void *memory,
		  uint32_t pages, uint64_t *references)
{
	struct driver_shared *shared = &driver->shared[part];
	bool writable = part == CHANNEL;

	if (!driver->hooks->share(driver->user, memory, pages, writable,
				  references))
		return false;
	shared->references = references;
	shared->pages = pages;
	return true;
}

static bool revoke(struct driver *driver, unsigned int part)
{
	struct driver_shared *shared = &driver->shared[part];

	if (shared->pages && !shared->revoked)
		shared->revoked = driver->hooks->revoke(
			driver->user, shared->references, shared->pages);
	return !shared->pages || shared->revoked;
}

/* The backend has unmapped the frame, or says so: the platform knows. */
static void released(struct driver *driver)
{
	driver->finished = true;
	buffer_event(driver, revoke(driver, FRAME) ?
				     HDMABUF_BUFFER_RELEASED :
				     HDMABUF_BUFFER_STILL_MAPPED);
}

/* One structure, one session: whatever has ended it, there is no other. */
static void end(struct driver *driver, int event, uint16_t status)
{
	session_event(driver, event);
	driver->state = HDMABUF_SESSION_DOWN;
	if (status)
		buffer_event(driver, HDMABUF_BUFFER_SESSION_OVER);
	else
		released(driver);
	driver->hooks->publish(driver->user, "", 0);
	driver->hooks->over(driver->user, status);
}

static bool is_over(const struct driver *driver)
{
	return driver->state == HDMABUF_SESSION_DOWN;
}

bool driver_revoked(struct driver *driver)
{
	bool all = true;

	for (unsigned int part = 0; part < PARTS; part++)
		all &= revoke(driver, part);
	if (all)
		buffer_event(driver, HDMABUF_BUFFER_FREED);
	return all;
}

/* ---- Describing the frame ----------------------------------------------- */

static bool describe(struct driver *driver, uint32_t pages)
{
	const uint64_t *own = driver->description_references;
	struct hdmabuf_layout layout = {
		.page_shift = DRIVER_PAGE_SHIFT,
		.pages = pages,
		.entries = pages,
		.directory = own[DIRECTORY],
		.directory_pages = 1,
		.directory_format = HDMABUF_DIRECTORY_LIST,
	};

	for (uint32_t page = 0; page < pages; page++)
		driver->runs[page] =
			(struct hdmabuf_run){ driver->frame_references[page],
					      1 };
	for (unsigned int half = 0; half < 2; half++) {
		uint64_t random = driver->hooks->random(driver->user);

		__builtin_memcpy(driver->id.octets + 8 * half, &random, 8);
	}
	hdmabuf_descriptor_encode(&driver->info, &layout, &driver->id, 1,
				  driver->description);
	return hdmabuf_directory_build(HDMABUF_DIRECTORY_LIST, driver->runs,
				       pages, DRIVER_PAGE_SHIFT,
				       &own[DIRECTORY],
				       driver->description + DRIVER_PAGE, 1);
}

bool driver_start(struct driver *driver)
{
	struct hdmabuf_fault fault;
	uint64_t pages;

	if (hdmabuf_info_check(&driver->info, DRIVER_PAGE_SHIFT, &fault) ||
	    !hdmabuf_buffer_pages(driver->info.data_offset, driver->info.size,
				  DRIVER_PAGE_SHIFT, &pages) ||
	    pages > FRAME_PAGES_MAX)
		return false;
	if (!share(driver, CHANNEL, driver->channel, CHANNEL_PAGES,
		   driver->channel_references) ||
	    !share(driver, DESCRIPTION, driver->description, DESCRIPTION_PAGES,
		   driver->description_references) ||
	    !share(driver, FRAME, driver->frame, (uint32_t)pages,
		   driver->frame_references) ||
	    !describe(driver, (uint32_t)pages))
		return false;
	do {
		driver->epoch = driver->hooks->random(driver->user);
	} while (!driver->epoch);
	session_event(driver, HDMABUF_SESSION_START);
	return true;
}

/* ---- Requests of this end ----------------------------------------------- */

static void send(struct driver *driver, struct hdmabuf_request *request)
{
	union hdmabuf_message message;

	request->id = ++driver->request_id;
	driver->request_operation = request->operation;
	hdmabuf_request_encode(request, &message);
	hdmabuf_ring_put_request(&driver->own, &message);
}

static void send_hello(struct driver *driver)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_HELLO,
		.hello = { .epoch_frontend = driver->epoch,
			   .epoch_backend = driver->peer_epoch,
			   .limits = { .max_in_flight = 32 } },
	};

	send(driver, &request);
}

static void send_timeline_create(struct driver *driver)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_TIMELINE_CREATE,
		.timeline = { .number = 0,
			      .signaller = HDMABUF_SIGNALLER_PEER },
	};

	driver->cell = (void *)(driver->channel + OWN_CELLS * DRIVER_PAGE);
	hdmabuf_cell_init(driver->cell, 0);
	send(driver, &request);
}

static void send_export(struct driver *driver)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_EXPORT,
		.buffer = driver->id,
		.descriptor = { driver->description_references[DESCRIPTOR],
				HDMABUF_DESCRIPTOR_OCTETS +
					driver->info.private_octets },
	};

	buffer_event(driver, HDMABUF_BUFFER_EXPORT);
	send(driver, &request);
}

static void send_hand_off(struct driver *driver)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_HAND_OFF,
		.buffer = driver->id,
		.hand_off = { .wait_timeline = HDMABUF_NO_TIMELINE,
			      .signal_timeline = 0,
			      .signal_point = ++driver->number,
			      .stamp = driver->number },
	};

	send(driver, &request);
}

static void send_unexport(struct driver *driver)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_UNEXPORT,
		.buffer = driver->id,
		.grace_ms = 1000,
	};

	buffer_event(driver, HDMABUF_BUFFER_UNEXPORT);
	send(driver, &request);
}

static void send_close(struct driver *driver)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_CLOSE,
		.reason = HDMABUF_REASON_DONE,
	};

	session_event(driver, HDMABUF_SESSION_CLOSE);
	send(driver, &request);
}

/* All of the driver's life, a request at a time. */
static void next_request(struct driver *driver)
{
	if (driver->state != HDMABUF_SESSION_CONNECTED ||
	    driver->request_operation)
		return;
	if (!driver->cell)
		send_timeline_create(driver);
	else if (driver->finished)
		send_close(driver);
	else if (driver->buffer == HDMABUF_BUFFER_NONE)
		send_export(driver);
	else if (driver->buffer != HDMABUF_BUFFER_LIVE ||
		 driver->point < driver->number)
		return; /* it is the backend's turn */
	else if (driver->hooks->draw(driver->user, driver->frame,
				     driver->number + 1))
		send_hand_off(driver);
	else
		send_unexport(driver);
}

/* ---- Answers of the backend --------------------------------------------- */

/* HDB-BOTH-020: whether the backend takes what this driver has. */
static bool suits(const struct driver *driver,
		  const struct hdmabuf_limits *limits)
{
	return limits->max_buffers && limits->max_timelines &&
	       limits->max_octets >> DRIVER_PAGE_SHIFT >=
		       driver->shared[FRAME].pages &&
	       limits->max_private >= driver->info.private_octets;
}

/* HDB-FE-005: not connected before this has been looked at. */
static void hello_answered(struct driver *driver,
			   const struct hdmabuf_hello_body *hello)
{
	if (hello->epoch_frontend != driver->epoch ||
	    hello->epoch_backend != driver->peer_epoch || hello->features) {
		end(driver, HDMABUF_SESSION_LOST, HDMABUF_STATUS_WRONG_EPOCH);
		return;
	}
	session_event(driver, HDMABUF_SESSION_HELLO_OK);
	driver->finished = !suits(driver, &hello->limits);
}

static void answered(struct driver *driver, const struct hdmabuf_answer *answer)
{
	switch (answer->operation) {
	case HDMABUF_OP_HELLO:
		hello_answered(driver, &answer->hello);
		break;
	case HDMABUF_OP_EXPORT:
		revoke(driver, DESCRIPTION);
		buffer_event(driver, HDMABUF_BUFFER_ACCEPTED);
		break;
	case HDMABUF_OP_HAND_OFF:
		buffer_event(driver, HDMABUF_BUFFER_HAND_OFF);
		break;
	case HDMABUF_OP_UNEXPORT:
		if (!answer->mapped)
			released(driver);
		break; /* else RELEASED will come */
	case HDMABUF_OP_CLOSE:
		end(driver, HDMABUF_SESSION_CLOSE_ANSWERED, HDMABUF_STATUS_OK);
		break;
	}
}

/* A RELEASED of the backend may cross what this end says of the frame. */
static bool is_crossed(const struct driver *driver,
		       const struct hdmabuf_answer *answer)
{
	return driver->finished &&
	       answer->fault.status == HDMABUF_STATUS_NO_SUCH_BUFFER;
}

/* HDB-BOTH-011: an answer to what was not asked breaks the session. */
static void take_answer(struct driver *driver,
			const union hdmabuf_message *message)
{
	struct hdmabuf_answer answer;

	if (!hdmabuf_answer_decode(message, &answer) ||
	    !driver->request_operation || answer.id != driver->request_id ||
	    answer.operation != driver->request_operation) {
		end(driver, HDMABUF_SESSION_LOST, HDMABUF_STATUS_LOST);
		return;
	}
	driver->request_operation = 0;
	if (!answer.fault.status)
		answered(driver, &answer);
	else if (!is_crossed(driver, &answer))
		end(driver, HDMABUF_SESSION_LOST, answer.fault.status);
}

/* ---- Requests of the backend -------------------------------------------- */

static bool is_known(const struct driver *driver,
		     const struct hdmabuf_request *request)
{
	return driver->buffer != HDMABUF_BUFFER_NONE && !driver->finished &&
	       hdmabuf_id_equal(&request->buffer, &driver->id);
}

static bool names_timeline(const struct hdmabuf_hand_off_body *hand_off)
{
	return hand_off->wait_timeline != HDMABUF_NO_TIMELINE ||
	       hand_off->signal_timeline != HDMABUF_NO_TIMELINE;
}

/* What this end refuses of itself, in the order of HDB-BOTH-038. */
static uint16_t judge(const struct driver *driver,
		      const struct hdmabuf_request *request, uint16_t wrong)
{
	switch (request->operation) {
	case HDMABUF_OP_UPDATE:
	case HDMABUF_OP_ALLOCATE:
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		return HDMABUF_STATUS_NOT_NEGOTIATED;
	case HDMABUF_OP_HAND_OFF:
		if (request->hand_off.flags & HDMABUF_HAND_OFF_MORE)
			return HDMABUF_STATUS_NOT_NEGOTIATED;
	}
	if (driver->state == HDMABUF_SESSION_CLOSING &&
	    request->operation != HDMABUF_OP_CLOSE)
		return HDMABUF_STATUS_CLOSING;
	if (driver->state < HDMABUF_SESSION_CONNECTED ||
	    request->operation == HDMABUF_OP_HELLO)
		return HDMABUF_STATUS_WRONG_STATE;
	if (wrong == HDMABUF_STATUS_RESERVED)
		return wrong;
	switch (request->operation) {
	case HDMABUF_OP_RELEASED:
	case HDMABUF_OP_QUERY:
	case HDMABUF_OP_UNEXPORT:
	case HDMABUF_OP_HAND_OFF:
		if (!is_known(driver, request))
			return HDMABUF_STATUS_NO_SUCH_BUFFER;
		if (request->operation == HDMABUF_OP_UNEXPORT)
			return HDMABUF_STATUS_WRONG_ROLE;
		if (request->operation == HDMABUF_OP_HAND_OFF &&
		    names_timeline(&request->hand_off))
			return HDMABUF_STATUS_NO_SUCH_TIMELINE;
		if (request->operation == HDMABUF_OP_RELEASED &&
		    driver->buffer == HDMABUF_BUFFER_EXPORTING)
			return HDMABUF_STATUS_WRONG_STATE;
		if (request->operation == HDMABUF_OP_HAND_OFF && !wrong)
			return HDMABUF_STATUS_DENIED; /* it is READ_ONLY */
		return wrong;
	case HDMABUF_OP_TIMELINE_DESTROY:
		return HDMABUF_STATUS_NO_SUCH_TIMELINE;
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_TIMELINE_CREATE:
		return wrong ? wrong : HDMABUF_STATUS_LIMIT;
	}
	return wrong;
}

static struct hdmabuf_query_body query(const struct driver *driver)
{
	return (struct hdmabuf_query_body){
		.state = (uint32_t)driver->buffer,
		.rights = driver->info.rights,
		.size = driver->info.size,
		.pages = driver->shared[FRAME].pages,
		.generation = 1,
		.tag = driver->info.tag,
		.type = driver->info.type,
		.private_octets = driver->info.private_octets,
	};
}

static void take_request(struct driver *driver,
			 const union hdmabuf_message *message)
{
	struct hdmabuf_request request;
	struct hdmabuf_answer answer = { 0 };
	union hdmabuf_message slot;
	uint16_t wrong;

	wrong = hdmabuf_request_decode(message, &request, &answer.fault);
	answer.id = request.id;
	answer.operation = request.operation;
	if (wrong != HDMABUF_STATUS_UNKNOWN_OPERATION)
		wrong = judge(driver, &request, wrong);
	if (wrong != answer.fault.status)
		hdmabuf_fault_set(&answer.fault, wrong, HDMABUF_WHERE_NOWHERE,
				  0, 0);
	if (!wrong && request.operation == HDMABUF_OP_ECHO)
		__builtin_memcpy(answer.echo, request.echo,
				 sizeof(answer.echo));
	if (!wrong && request.operation == HDMABUF_OP_QUERY)
		answer.query = query(driver);
	hdmabuf_answer_encode(&answer, &slot);
	hdmabuf_ring_put_answer(&driver->peer, &slot);
	if (!wrong && request.operation == HDMABUF_OP_RELEASED)
		released(driver);
	if (!wrong && request.operation == HDMABUF_OP_CLOSE)
		driver->closed = true;
}

/* ---- The rings and the cell --------------------------------------------- */

static void notify_if(struct driver *driver, bool wanted)
{
	if (wanted)
		driver->hooks->notify(driver->user);
}

static void push(struct driver *driver)
{
	bool wanted = hdmabuf_ring_push_answers(&driver->peer);

	wanted |= hdmabuf_ring_push_requests(&driver->own);
	notify_if(driver, wanted);
}

/*
 * HDB-BOTH-017: look for a request, then take all answers, then the request: the
 * backend may have sent it because of what it had just answered.
 */
static enum hdmabuf_ring_result take(struct driver *driver)
{
	enum hdmabuf_ring_result request, answer;
	union hdmabuf_message message;

	request = hdmabuf_ring_has_request(&driver->peer);
	answer = hdmabuf_ring_take_answer(&driver->own, &message);
	if (answer == HDMABUF_RING_TAKEN)
		take_answer(driver, &message);
	if (answer != HDMABUF_RING_EMPTY)
		return answer;
	if (request == HDMABUF_RING_TAKEN)
		request = hdmabuf_ring_take_request(&driver->peer, &message);
	if (request == HDMABUF_RING_TAKEN)
		take_request(driver, &message);
	return request;
}

/* True if the point that is waited for is reached, or never will be. */
static bool look_at_cell(struct driver *driver)
{
	uint16_t error;

	if (!driver->cell || driver->point == driver->number)
		return false;
	error = hdmabuf_cell_error(driver->cell);
	driver->point = hdmabuf_cell_point(driver->cell, driver->point);
	if (driver->point > driver->number)
		driver->point = driver->number;
	if (error && driver->point < driver->number)
		end(driver, HDMABUF_SESSION_LOST, error);
	return error || driver->point == driver->number;
}

/* HDB-BOTH-014, HDB-BOTH-059: say what to be woken for, then look again. */
static bool may_not_sleep(struct driver *driver)
{
	bool more = hdmabuf_ring_arm_answers(&driver->own, 1);

	more |= hdmabuf_ring_arm_requests(&driver->peer);
	if (driver->cell && driver->point < driver->number) {
		hdmabuf_cell_arm(driver->cell, driver->number);
		more |= look_at_cell(driver);
	}
	return more;
}

bool driver_notified(struct driver *driver)
{
	enum hdmabuf_ring_result found = HDMABUF_RING_TAKEN;
	unsigned int budget = BUDGET;

	if (driver->state < HDMABUF_SESSION_GREETING)
		return false;
	while (budget-- && found == HDMABUF_RING_TAKEN && !is_over(driver))
		found = take(driver);
	if (found == HDMABUF_RING_BROKEN)
		end(driver, HDMABUF_SESSION_LOST, HDMABUF_STATUS_LOST);
	if (!is_over(driver))
		look_at_cell(driver);
	if (!is_over(driver) && !driver->closed)
		next_request(driver);
	push(driver);
	if (driver->closed && !is_over(driver))
		end(driver, HDMABUF_SESSION_PEER_CLOSE, HDMABUF_STATUS_OK);
	return !is_over(driver) && may_not_sleep(driver);
}

/* ---- The store ---------------------------------------------------------- */

static void make_channel(struct driver *driver,
			 const struct hdmabuf_offer *offer)
{
	struct hdmabuf_channel_info channel = {
		.version = HDMABUF_VERSION,
		.epoch_frontend = driver->epoch,
		.epoch_backend = offer->epoch,
		.page_shift = DRIVER_PAGE_SHIFT,
		.ring_format = HDMABUF_RING_FORMAT_0,
		.timeline_pages = 1,
		.references = CHANNEL_PAGES - 1,
		.frontend_ring_start = RING_START,
		.backend_ring_start = RING_START,
	};
	uint8_t *page = driver->channel;

	for (unsigned int i = 1; i < CHANNEL_PAGES; i++)
		channel.reference[i - 1] = driver->channel_references[i];
	hdmabuf_channel_encode(&channel, page);
	hdmabuf_ring_format(page + OWN_RING * DRIVER_PAGE, DRIVER_PAGE,
			    HDMABUF_RING_FORMAT_0, RING_START);
	hdmabuf_ring_format(page + PEER_RING * DRIVER_PAGE, DRIVER_PAGE,
			    HDMABUF_RING_FORMAT_0, RING_START);
	hdmabuf_ring_init(&driver->own, page + OWN_RING * DRIVER_PAGE,
			  DRIVER_PAGE, HDMABUF_RING_FORMAT_0, RING_START);
	hdmabuf_ring_init(&driver->peer, page + PEER_RING * DRIVER_PAGE,
			  DRIVER_PAGE, HDMABUF_RING_FORMAT_0, RING_START);
}

/* HELLO is in the ring before the record says where the ring is. */
static void answer_offer(struct driver *driver,
			 const struct hdmabuf_offer *offer)
{
	struct hdmabuf_reply reply = {
		.epoch = driver->epoch,
		.peer_epoch = offer->epoch,
		.channel = driver->channel_references[CHANNEL_PAGE],
	};
	char text[HDMABUF_RECORD_OCTETS];
	size_t octets;

	driver->peer_epoch = offer->epoch;
	make_channel(driver, offer);
	session_event(driver, HDMABUF_SESSION_PEER_RECORD);
	send_hello(driver);
	push(driver);
	octets = hdmabuf_reply_write(&reply, text);
	driver->hooks->publish(driver->user, text, octets);
}

static bool can_answer(const struct hdmabuf_offer *offer)
{
	return offer->version_min <= HDMABUF_VERSION &&
	       offer->version_max >= HDMABUF_VERSION &&
	       offer->ring_formats & 1u << HDMABUF_RING_FORMAT_0 &&
	       offer->timeline_max >= 1;
}

/* HDB-BOTH-016: what lies in the rings is taken before the session is lost. */
void driver_record(struct driver *driver, const char *record, size_t octets)
{
	struct hdmabuf_offer offer;
	bool good = hdmabuf_offer_read(record, octets, &offer);

	if (driver->state == HDMABUF_SESSION_READY && good &&
	    can_answer(&offer))
		answer_offer(driver, &offer);
	if (driver->state < HDMABUF_SESSION_GREETING ||
	    (good && offer.epoch == driver->peer_epoch))
		return;
	driver_notified(driver);
	if (!is_over(driver))
		end(driver, HDMABUF_SESSION_LOST, HDMABUF_STATUS_LOST);
}
