/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <hdmabuf/directory.h>

#include "tests/raw_peer.h"

/* So many things may happen at once, and then a test is taken to hang. */
#define ROUNDS_MAX 5000

static const struct hdmabuf_platform_ops *ops(const struct raw_peer *raw)
{
	return raw->platform.ops;
}

/* ---- platform events ---------------------------------------------------- */

static void *on_up(void *user, struct hdmabuf_link *link)
{
	struct raw_peer *raw = user;

	assert_null(raw->link);
	raw->link = link;
	return raw;
}

static void on_record(void *owner)
{
	struct raw_peer *raw = owner;

	raw->records++;
}

static void on_notified(void *owner)
{
	struct raw_peer *raw = owner;

	raw->notified++;
}

static void on_down(void *owner, const char *why)
{
	struct raw_peer *raw = owner;

	(void)why;
	raw->down = true;
}

static const struct hdmabuf_platform_events events = {
	.up = on_up,
	.record = on_record,
	.notified = on_notified,
	.down = on_down,
};

/* ---- rings -------------------------------------------------------------- */

static void keep(struct raw_queue *queue, const union hdmabuf_message *message)
{
	assert_in_range(queue->count, 0, RAW_MESSAGES - 1);
	queue->messages[queue->count++] = *message;
}

/* Puts what was taken out of the way of what comes. */
static void queue_shift(struct raw_queue *queue)
{
	queue->count -= queue->taken;
	memmove(queue->messages, queue->messages + queue->taken,
		queue->count * sizeof(queue->messages[0]));
	queue->taken = 0;
}

static bool take_rings(struct raw_peer *raw)
{
	enum hdmabuf_ring_result found[2];
	union hdmabuf_message message;
	bool any = false;

	if (!raw->own.indices)
		return false;
	while ((found[0] = hdmabuf_ring_take_answer(&raw->own, &message)) ==
	       HDMABUF_RING_TAKEN) {
		keep(&raw->answers, &message);
		any = true;
	}
	while ((found[1] = hdmabuf_ring_take_request(&raw->peer, &message)) ==
	       HDMABUF_RING_TAKEN) {
		keep(&raw->requests, &message);
		any = true;
	}
	if (found[0] == HDMABUF_RING_BROKEN || found[1] == HDMABUF_RING_BROKEN)
		raw->confused = true;
	hdmabuf_ring_arm_answers(&raw->own, 1);
	hdmabuf_ring_arm_requests(&raw->peer);
	return any;
}

static void attach(struct raw_peer *raw)
{
	const struct hdmabuf_channel_info *info = &raw->info;
	uint32_t shift = info->page_shift;
	size_t front = (size_t)1 << (info->frontend_ring_order + shift);
	size_t back = (size_t)1 << (info->backend_ring_order + shift);
	size_t area = (size_t)info->timeline_pages << shift;
	uint8_t *cells = raw->parts + front + back;
	bool is_front = raw->role == HDMABUF_FRONTEND;

	hdmabuf_ring_init(is_front ? &raw->own : &raw->peer, raw->parts, front,
			  info->ring_format, info->frontend_ring_start);
	hdmabuf_ring_init(is_front ? &raw->peer : &raw->own, raw->parts + front,
			  back, info->ring_format, info->backend_ring_start);
	raw->own_cells = (void *)(is_front ? cells : cells + area);
	raw->peer_cells = (void *)(is_front ? cells + area : cells);
	memset(&raw->answers, 0, sizeof(raw->answers));
	memset(&raw->requests, 0, sizeof(raw->requests));
	raw->confused = false;
}

uint32_t raw_put(struct raw_peer *raw, union hdmabuf_message *message)
{
	uint32_t id = raw->next_id++;

	message->header.id = hdmabuf_put_le32(id);
	assert_true(hdmabuf_ring_put_request(&raw->own, message));
	return id;
}

void raw_push(struct raw_peer *raw)
{
	hdmabuf_ring_push_answers(&raw->peer);
	hdmabuf_ring_push_requests(&raw->own);
	ops(raw)->notify(raw->link);
}

uint32_t raw_send(struct raw_peer *raw, struct hdmabuf_request *request)
{
	union hdmabuf_message message;
	uint32_t id;

	hdmabuf_request_encode(request, &message);
	id = raw_put(raw, &message);
	raw_push(raw);
	return id;
}

const union hdmabuf_message *raw_take(struct raw_queue *queue)
{
	assert_in_range(queue->taken + 1, 1, queue->count);
	return &queue->messages[queue->taken++];
}

void raw_answer(struct raw_peer *raw, const struct hdmabuf_answer *answer)
{
	union hdmabuf_message message;

	hdmabuf_answer_encode(answer, &message);
	assert_true(hdmabuf_ring_put_answer(&raw->peer, &message));
	raw_push(raw);
}

void raw_answer_plain(struct raw_peer *raw,
		      const union hdmabuf_message *request, uint16_t status)
{
	struct hdmabuf_answer answer = {
		.id = hdmabuf_get_le32(request->header.id),
		.operation = hdmabuf_get_le16(request->header.operation),
		.fault.status = status,
	};

	raw_answer(raw, &answer);
}

/* ---- records ------------------------------------------------------------ */

uint64_t raw_epoch(void)
{
	uint64_t epoch = 0;

	assert_int_equal(getrandom(&epoch, 6, 0), 6);
	return epoch | 1;
}

void raw_publish_text(struct raw_peer *raw, const char *text)
{
	assert_int_equal(ops(raw)->publish(raw->link, text, strlen(text)), 0);
}

void raw_publish_offer(struct raw_peer *raw)
{
	char text[HDMABUF_RECORD_OCTETS];

	hdmabuf_offer_write(&raw->offer, text);
	raw_publish_text(raw, text);
}

void raw_publish_reply(struct raw_peer *raw)
{
	char text[HDMABUF_RECORD_OCTETS];

	hdmabuf_reply_write(&raw->reply, text);
	raw_publish_text(raw, text);
}

size_t raw_record(struct raw_peer *raw, char *text, size_t size)
{
	return ops(raw)->record(raw->link, text, size);
}

static void prepare_offer(struct raw_peer *raw)
{
	raw->epoch = raw_epoch();
	raw->offer = (struct hdmabuf_offer){
		.epoch = raw->epoch,
		.version_min = HDMABUF_VERSION,
		.version_max = HDMABUF_VERSION,
		.features = HDMABUF_FEATURES_ALL,
		.ring_formats = 1ull << raw->ring_format,
		.timeline_max = 1,
	};
}

/* ---- the channel -------------------------------------------------------- */

static void channel_fill(struct raw_peer *raw)
{
	struct hdmabuf_channel_info *info = &raw->info;
	uint32_t shift = info->page_shift;
	uint32_t i;

	for (i = 0; i < info->references; i++)
		info->reference[i] = raw->share.reference + 1 + i;
	hdmabuf_channel_encode(info, raw->page);
	attach(raw);
	hdmabuf_ring_format(raw->own.indices,
			    (size_t)1 << (info->frontend_ring_order + shift),
			    info->ring_format, info->frontend_ring_start);
	hdmabuf_ring_format(raw->peer.indices,
			    (size_t)1 << (info->backend_ring_order + shift),
			    info->ring_format, info->backend_ring_start);
}

static void channel_make(struct raw_peer *raw)
{
	struct hdmabuf_channel_info *info = &raw->info;
	uint32_t shift = ops(raw)->page_shift;
	uint32_t pages;
	size_t count;

	raw->epoch = raw_epoch();
	*info = (struct hdmabuf_channel_info){
		.version = HDMABUF_VERSION,
		.epoch_frontend = raw->epoch,
		.epoch_backend = raw->offer.epoch,
		.page_shift = shift,
		.ring_format = raw->ring_format,
		.frontend_ring_order = raw->ring_order,
		.backend_ring_order = raw->ring_order,
		.timeline_pages = 1,
		.frontend_ring_start = raw->front_start,
		.backend_ring_start = raw->back_start,
	};
	info->references = hdmabuf_channel_pages(info);
	pages = 1 + info->references;
	assert_int_equal(ops(raw)->alloc(raw->link, (size_t)pages << shift,
					 HDMABUF_RIGHTS_READ_WRITE,
					 &raw->memory),
			 0);
	assert_int_equal(ops(raw)->share(raw->link, &raw->memory, 0, pages,
					 HDMABUF_RIGHTS_READ_WRITE, &raw->share,
					 1, &count),
			 0);
	raw->page = raw->memory.address;
	raw->parts = (uint8_t *)raw->page + ((size_t)1 << shift);
	channel_fill(raw);
}

static void read_offer(struct raw_peer *raw)
{
	char text[1024];
	size_t octets = raw_record(raw, text, sizeof(text));

	assert_true(hdmabuf_offer_read(text, octets, &raw->offer));
}

static void prepare_reply(struct raw_peer *raw)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_HELLO };
	union hdmabuf_message message;

	raw_leave_channel(raw);
	read_offer(raw);
	channel_make(raw);
	raw->reply = (struct hdmabuf_reply){
		.epoch = raw->epoch,
		.peer_epoch = raw->offer.epoch,
		.channel = raw->share.reference,
	};
	request.hello = raw->hello;
	request.hello.epoch_frontend = raw->epoch;
	request.hello.epoch_backend = raw->offer.epoch;
	request.hello.features &= raw->offer.features;
	hdmabuf_request_encode(&request, &message);
	raw_put(raw, &message);
	hdmabuf_ring_push_requests(&raw->own);
}

void raw_prepare(struct raw_peer *raw)
{
	if (raw->role == HDMABUF_BACKEND)
		prepare_offer(raw);
	else
		prepare_reply(raw);
}

static void map_page(struct raw_peer *raw)
{
	struct hdmabuf_run run = { raw->reply.channel, 1 };
	struct hdmabuf_channel copy;
	struct hdmabuf_fault fault;
	uint64_t bad;
	void *page;

	assert_int_equal(ops(raw)->map(raw->link, &run, 1,
				       HDMABUF_RIGHTS_READ_ONLY, &page, &bad),
			 0);
	memcpy(&copy, page, sizeof(copy));
	ops(raw)->unmap(raw->link, page, 1);
	assert_int_equal(hdmabuf_channel_decode(
				 &copy, &raw->offer, raw->reply.epoch,
				 ops(raw)->page_shift, &raw->info, &fault),
			 0);
}

void raw_take_channel(struct raw_peer *raw)
{
	struct hdmabuf_run runs[HDMABUF_CHANNEL_REFERENCES_MAX];
	char text[1024];
	size_t octets = raw_record(raw, text, sizeof(text));
	uint64_t bad;
	void *parts;
	uint32_t i;

	raw_leave_channel(raw);
	assert_true(hdmabuf_reply_read(text, octets, &raw->reply));
	assert_int_equal(raw->reply.peer_epoch, raw->epoch);
	map_page(raw);
	for (i = 0; i < raw->info.references; i++)
		runs[i] = (struct hdmabuf_run){ raw->info.reference[i], 1 };
	assert_int_equal(ops(raw)->map(raw->link, runs, raw->info.references,
				       HDMABUF_RIGHTS_READ_WRITE, &parts, &bad),
			 0);
	raw->parts = parts;
	attach(raw);
}

void raw_leave_channel(struct raw_peer *raw)
{
	if (!raw->parts)
		return;
	if (raw->role == HDMABUF_BACKEND)
		ops(raw)->unmap(raw->link, raw->parts, raw->info.references);
	else
		hdmabuf_memory_free(&raw->memory);
	raw->parts = NULL;
	memset(&raw->own, 0, sizeof(raw->own));
	memset(&raw->peer, 0, sizeof(raw->peer));
}

/* ---- the rig ------------------------------------------------------------ */

void rig_open(struct rig *rig, enum hdmabuf_role role,
	      const struct hdmabuf_config *config)
{
	struct hdmabuf_platform platforms[2];
	struct raw_peer *raw = &rig->raw;

	assert_int_equal(hdmabuf_local_pair(&platforms[HDMABUF_FRONTEND],
					    &platforms[HDMABUF_BACKEND]),
			 0);
	memset(raw, 0, sizeof(*raw));
	raw->role = role == HDMABUF_FRONTEND ? HDMABUF_BACKEND :
					       HDMABUF_FRONTEND;
	raw->platform = platforms[raw->role];
	raw->next_id = 1000;
	raw->hello = (struct hdmabuf_hello_body){
		.features = HDMABUF_FEATURES_ALL,
		.limits = { .max_octets = 1 << 30,
			    .max_buffers = 64,
			    .max_timelines = 64,
			    .max_private = 3840,
			    .max_in_flight = 32 },
	};
	end_open(&rig->end, platforms[role], role, config);
}

void rig_close(struct rig *rig)
{
	struct raw_peer *raw = &rig->raw;

	if (rig->end.endpoint)
		end_close(&rig->end);
	if (!raw->platform.ops)
		return;
	raw_leave_channel(raw);
	ops(raw)->close(raw->platform.endpoint);
	raw->platform.ops = NULL;
}

bool rig_step(struct rig *rig, int timeout_ms)
{
	struct raw_peer *raw = &rig->raw;
	struct pollfd fds[2] = { { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };
	bool any;

	if (rig->end.endpoint) {
		hdmabuf_endpoint_flush(rig->end.endpoint);
		fds[0].fd = hdmabuf_endpoint_fd(rig->end.endpoint);
	}
	if (raw->platform.ops)
		fds[1].fd = ops(raw)->fd(raw->platform.endpoint);
	if (take_rings(raw))
		timeout_ms = 0;
	any = poll(fds, 2, timeout_ms) > 0;
	if (fds[0].revents)
		end_dispatch(&rig->end);
	if (fds[1].revents)
		assert_int_equal(ops(raw)->dispatch(raw->platform.endpoint,
						    &events, raw),
				 0);
	return take_rings(raw) || any;
}

void rig_run(struct rig *rig)
{
	unsigned int rounds = 0;

	while (rig_step(rig, 0))
		assert_in_range(rounds++, 0, ROUNDS_MAX);
}

void rig_wait(struct rig *rig, const unsigned int *counter, unsigned int value)
{
	uint64_t deadline = patience();

	while (*counter < value && patience_left(deadline))
		rig_step(rig, patience_left(deadline));
	assert_in_range(*counter, value, UINT32_MAX);
}

/* Answers the next HELLO of the end under test. */
static void answer_hello(struct rig *rig)
{
	struct hdmabuf_request request;
	struct hdmabuf_answer answer = { .operation = HDMABUF_OP_HELLO };

	rig_expect(rig, HDMABUF_OP_HELLO, &request);
	answer.id = request.id;
	answer.hello = rig->raw.hello;
	answer.hello.epoch_frontend = request.hello.epoch_frontend;
	answer.hello.epoch_backend = request.hello.epoch_backend;
	answer.hello.features = request.hello.features;
	raw_answer(&rig->raw, &answer);
}

static void greet_frontend(struct rig *rig)
{
	struct raw_peer *raw = &rig->raw;
	unsigned int records;

	rig_run(rig);
	records = raw->records;
	raw_prepare(raw);
	raw_publish_offer(raw);
	/* It may withdraw its last answer first. */
	do {
		rig_wait(rig, &raw->records, records + 1);
		records = raw->records;
	} while (!raw_record(raw, (char[1024]){ 0 }, 1024));
	raw_take_channel(raw);
	answer_hello(rig);
}

static void greet_backend(struct rig *rig)
{
	struct raw_peer *raw = &rig->raw;

	/* An offer that was answered is good for nothing else. */
	if (rig->end.session) {
		raw_publish_text(raw, "");
		rig_wait(rig, &rig->end.seen.disconnected,
			 rig->end.seen.connected);
	}
	rig_run(rig);
	raw_prepare(raw);
	raw_publish_reply(raw);
	rig_wait(rig, &raw->answers.count, 1);
	assert_int_equal(
		hdmabuf_get_le16(raw_take(&raw->answers)->header.status),
		HDMABUF_STATUS_OK);
}

void rig_greet(struct rig *rig)
{
	unsigned int connected = rig->end.seen.connected;

	if (rig->raw.role == HDMABUF_BACKEND)
		greet_frontend(rig);
	else
		greet_backend(rig);
	rig_wait(rig, &rig->end.seen.connected, connected + 1);
	rig_run(rig);
}

void rig_connect(struct rig *rig, enum hdmabuf_role role,
		 const struct hdmabuf_config *config)
{
	rig_open(rig, role, config);
	rig_run(rig);
	assert_non_null(rig->raw.link);
	rig_greet(rig);
}

/* ---- requests ----------------------------------------------------------- */

uint16_t rig_ask_message(struct rig *rig, union hdmabuf_message *message,
			 union hdmabuf_message *answer)
{
	struct raw_queue *queue = &rig->raw.answers;
	uint32_t id;

	queue_shift(queue);
	id = raw_put(&rig->raw, message);
	raw_push(&rig->raw);
	rig_wait(rig, &queue->count, queue->taken + 1);
	*answer = *raw_take(queue);
	assert_int_equal(hdmabuf_get_le32(answer->header.id), id);
	assert_int_equal(hdmabuf_get_le16(answer->header.operation),
			 hdmabuf_get_le16(message->header.operation));
	return hdmabuf_get_le16(answer->header.status);
}

uint16_t rig_ask(struct rig *rig, struct hdmabuf_request *request,
		 struct hdmabuf_answer *answer)
{
	union hdmabuf_message message, reply;
	struct hdmabuf_answer ignored;

	hdmabuf_request_encode(request, &message);
	rig_ask_message(rig, &message, &reply);
	if (!answer)
		answer = &ignored;
	assert_true(hdmabuf_answer_decode(&reply, answer));
	return answer->fault.status;
}

void rig_expect(struct rig *rig, uint16_t operation,
		struct hdmabuf_request *request)
{
	struct raw_queue *queue = &rig->raw.requests;
	struct hdmabuf_fault fault;

	queue_shift(queue);
	rig_wait(rig, &queue->count, queue->taken + 1);
	assert_int_equal(
		hdmabuf_request_decode(raw_take(queue), request, &fault), 0);
	assert_string_equal(hdmabuf_operation_text(request->operation),
			    hdmabuf_operation_text(operation));
}

void rig_grant(struct rig *rig, uint16_t operation,
	       struct hdmabuf_request *request)
{
	struct hdmabuf_answer answer = { .operation = operation };

	rig_expect(rig, operation, request);
	answer.id = request->id;
	raw_answer(&rig->raw, &answer);
}

static void check_theirs(struct rig *rig)
{
	struct hdmabuf_request request;
	struct hdmabuf_answer answer = { .operation = HDMABUF_OP_ECHO };
	unsigned int echoed = rig->end.seen.echoed;
	uint8_t octets[56];

	memset(octets, (int)(echoed + 3), sizeof(octets));
	assert_int_equal(hdmabuf_session_echo(rig->end.session, octets), 0);
	rig_expect(rig, HDMABUF_OP_ECHO, &request);
	answer.id = request.id;
	memcpy(answer.echo, request.echo, sizeof(answer.echo));
	raw_answer(&rig->raw, &answer);
	rig_wait(rig, &rig->end.seen.echoed, echoed + 1);
	assert_memory_equal(rig->end.seen.echo, octets, sizeof(octets));
}

void rig_check(struct rig *rig)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ECHO };
	struct hdmabuf_answer answer;
	size_t i;

	for (i = 0; i < sizeof(request.echo); i++)
		request.echo[i] = (uint8_t)(rig->raw.next_id + i);
	assert_int_equal(rig_ask(rig, &request, &answer), HDMABUF_STATUS_OK);
	assert_memory_equal(answer.echo, request.echo, sizeof(request.echo));
	assert_non_null(rig->end.session);
	check_theirs(rig);
}

void rig_check_anew(struct rig *rig)
{
	rig_wait(rig, &rig->end.seen.disconnected, rig->end.seen.connected);
	rig_greet(rig);
	rig_check(rig);
}

/* ---- buffers ------------------------------------------------------------ */

static struct hdmabuf_run share(struct raw_peer *raw,
				const struct hdmabuf_memory *memory,
				uint32_t rights)
{
	struct hdmabuf_run run;
	size_t count;

	if (rights == HDMABUF_RIGHTS_LEND)
		rights = HDMABUF_RIGHTS_READ_WRITE;
	assert_int_equal(ops(raw)->share(raw->link, memory, 0,
					 memory->octets >> ops(raw)->page_shift,
					 rights, &run, 1, &count),
			 0);
	return run;
}

static void fill(struct hdmabuf_memory *memory, uint64_t offset, uint64_t size)
{
	uint8_t *octets = memory->address;
	uint64_t i;

	for (i = 0; i < size; i++)
		octets[offset + i] = sample_octet(i);
}

static void layout_make(struct raw_buffer *buffer, uint32_t shift,
			uint32_t format)
{
	struct hdmabuf_layout *layout = &buffer->layout;

	layout->page_shift = shift;
	layout->directory_format = format;
	assert_true(hdmabuf_buffer_pages(buffer->info.data_offset,
					 buffer->info.size, shift,
					 &layout->pages));
	layout->entries = format == HDMABUF_DIRECTORY_EXTENTS ? 1 :
								layout->pages;
	assert_true(hdmabuf_directory_pages(format, layout->entries, shift,
					    &layout->directory_pages));
}

void raw_buffer_make(struct raw_peer *raw, struct raw_buffer *buffer,
		     uint64_t size, uint32_t rights, uint32_t format)
{
	uint32_t shift = ops(raw)->page_shift;

	memset(buffer, 0, sizeof(*buffer));
	assert_int_equal(getrandom(&buffer->id, sizeof(buffer->id), 0),
			 sizeof(buffer->id));
	buffer->generation = 1;
	buffer->info = (struct hdmabuf_info){
		.size = size,
		.rights = rights,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.type = HDMABUF_TYPE_RAW,
	};
	layout_make(buffer, shift, format);
	assert_int_equal(
		ops(raw)->alloc(raw->link,
				(size_t)(buffer->layout.pages << shift), rights,
				&buffer->data),
		0);
	assert_int_equal(
		ops(raw)->alloc(raw->link,
				(size_t)(buffer->layout.directory_pages + 1)
					<< shift,
				HDMABUF_RIGHTS_READ_ONLY, &buffer->description),
		0);
	fill(&buffer->data, 0, size);
	buffer->data_run = share(raw, &buffer->data, rights);
	buffer->description_run =
		share(raw, &buffer->description, HDMABUF_RIGHTS_READ_ONLY);
	raw_buffer_list(buffer, &buffer->data_run, 1);
	raw_buffer_describe(buffer);
}

void raw_buffer_list(struct raw_buffer *buffer, const struct hdmabuf_run *runs,
		     uint64_t count)
{
	struct hdmabuf_layout *layout = &buffer->layout;
	uint64_t *own = calloc(layout->directory_pages, sizeof(*own));
	uint32_t i;

	assert_non_null(own);
	for (i = 0; i < layout->directory_pages; i++)
		own[i] = buffer->description_run.reference + 1 + i;
	layout->directory = own[0];
	assert_true(hdmabuf_directory_build(
		layout->directory_format, runs, count, layout->page_shift, own,
		raw_directory(buffer), layout->directory_pages));
	free(own);
}

void raw_buffer_describe(struct raw_buffer *buffer)
{
	buffer->length = hdmabuf_descriptor_encode(&buffer->info,
						   &buffer->layout, &buffer->id,
						   buffer->generation,
						   raw_descriptor(buffer));
}

struct hdmabuf_descriptor *raw_descriptor(const struct raw_buffer *buffer)
{
	return buffer->description.address;
}

void *raw_directory(const struct raw_buffer *buffer)
{
	return (uint8_t *)buffer->description.address +
	       ((size_t)1 << buffer->layout.page_shift);
}

void raw_buffer_free(struct raw_buffer *buffer)
{
	hdmabuf_memory_free(&buffer->data);
	hdmabuf_memory_free(&buffer->description);
}

static uint16_t ask_described(struct rig *rig, uint16_t operation,
			      const struct raw_buffer *buffer,
			      struct hdmabuf_answer *answer)
{
	struct hdmabuf_request request = {
		.operation = operation,
		.buffer = buffer->id,
		.descriptor = { buffer->description_run.reference,
				buffer->length },
	};

	return rig_ask(rig, &request, answer);
}

uint16_t rig_export(struct rig *rig, const struct raw_buffer *buffer,
		    struct hdmabuf_answer *answer)
{
	return ask_described(rig, HDMABUF_OP_EXPORT, buffer, answer);
}

uint16_t rig_update(struct rig *rig, const struct raw_buffer *buffer,
		    struct hdmabuf_answer *answer)
{
	return ask_described(rig, HDMABUF_OP_UPDATE, buffer, answer);
}

uint16_t rig_name(struct rig *rig, uint16_t operation,
		  const struct hdmabuf_id *id, struct hdmabuf_answer *answer)
{
	struct hdmabuf_request request = {
		.operation = operation,
		.buffer = *id,
	};

	return rig_ask(rig, &request, answer);
}

uint16_t rig_hand_off(struct rig *rig, const struct hdmabuf_id *id,
		      const struct hdmabuf_hand_off_body *body,
		      struct hdmabuf_answer *answer)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_HAND_OFF,
		.buffer = *id,
		.hand_off = *body,
	};

	return rig_ask(rig, &request, answer);
}

void rig_share(struct rig *rig, struct raw_buffer *buffer, uint64_t size,
	       uint32_t rights)
{
	raw_buffer_make(&rig->raw, buffer, size, rights,
			HDMABUF_DIRECTORY_LIST);
	assert_int_equal(rig_export(rig, buffer, NULL), HDMABUF_STATUS_OK);
	assert_non_null(rig->end.seen.buffer);
}

void rig_accept(struct rig *rig, struct sample *sample, uint64_t size,
		uint32_t rights)
{
	struct hdmabuf_request request;
	unsigned int exported = rig->end.seen.exported;

	sample_make(sample, &rig->end, size, rights);
	assert_int_equal(sample_export(sample, &rig->end), 0);
	rig_grant(rig, HDMABUF_OP_EXPORT, &request);
	rig_wait(rig, &rig->end.seen.exported, exported + 1);
	assert_int_equal(hdmabuf_buffer_state(sample->buffer),
			 HDMABUF_BUFFER_LIVE);
}
