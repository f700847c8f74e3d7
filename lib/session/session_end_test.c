/* SPDX-License-Identifier: MIT */
/*
 * How sessions end: closed by one or both, lost, or dropped with everything in use.
 * Whatever happens, all memory comes back to whom it belongs, and nothing is left.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/raw_peer.h"

#define PAGE 4096u

/* ---- closing ------------------------------------------------------------- */

static void check_close(bool by_front, bool by_back)
{
	struct pair pair = { 0 };
	struct sample samples[2];

	pair.front.policy.map = pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &samples[0], PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	pair_share(&pair, &pair.back, &samples[1], PAGE,
		   HDMABUF_RIGHTS_READ_WRITE);
	if (by_front)
		assert_int_equal(hdmabuf_session_close(pair.front.session,
						       HDMABUF_REASON_DONE),
				 0);
	if (by_back)
		assert_int_equal(hdmabuf_session_close(pair.back.session,
						       HDMABUF_REASON_DONE),
				 0);
	pair_wait(&pair, &pair.front.seen.disconnected, 1);
	pair_wait(&pair, &pair.back.seen.disconnected, 1);
	assert_int_equal(pair.front.seen.status, HDMABUF_STATUS_OK);
	assert_int_equal(pair.back.seen.status, HDMABUF_STATUS_OK);
	pair_wait(&pair, &pair.front.seen.released, 1);
	pair_wait(&pair, &pair.back.seen.released, 1);
	/* Who closes in good order leaves nothing in quarantine. */
	assert_int_equal(pair.front.seen.quarantined, 0);
	assert_int_equal(pair.back.seen.quarantined, 0);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	sample_free(&samples[0]);
	sample_free(&samples[1]);
	/* A frontend that has closed its session wants no other, unless told. */
	pair_run(&pair);
	if (by_front) {
		assert_int_equal(pair.front.seen.connected, 1);
		assert_int_equal(pair.back.seen.connected, 1);
		hdmabuf_endpoint_start(pair.front.endpoint);
	}
	pair_wait(&pair, &pair.front.seen.connected, 2);
	pair_wait(&pair, &pair.back.seen.connected, 2);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_close(void **state)
{
	(void)state;
	check_close(true, false);
	check_close(false, true);
	check_close(true, true);
}

/* Nothing is mapped any more when CLOSE is sent; handles last until it is over. */
static void test_close_unmaps(void **state)
{
	struct hdmabuf_buffer *buffer;
	struct pair pair = { 0 };
	struct sample sample;
	void *data;

	(void)state;
	pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_WRITE);
	assert_int_equal(hdmabuf_session_close(pair.back.session,
					       HDMABUF_REASON_DONE),
			 0);
	assert_int_equal(hdmabuf_session_close(pair.back.session,
					       HDMABUF_REASON_DONE),
			 -ENOTCONN);
	assert_null(hdmabuf_buffer_data(buffer));
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), -ENOTCONN);
	assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 0, false),
			 -ENOTCONN);
	assert_int_equal(hdmabuf_buffer_query(buffer), -ENOTCONN);
	assert_int_equal(hdmabuf_session_echo(pair.back.session,
					      (uint8_t[56]){ 0 }),
			 -ENOTCONN);
	assert_ptr_equal(hdmabuf_buffer_session(buffer), pair.back.session);
	hdmabuf_buffer_release(buffer);
	pair_wait(&pair, &pair.front.seen.released, 1);
	assert_int_equal(pair.front.seen.quarantined, 0);
	sample_free(&sample);
	pair_close(&pair);
}

/* Requests that are under way when the session is closed find their ends. */
static void test_close_with_requests(void **state)
{
	struct hdmabuf_timeline_handle *timeline;
	struct pair pair = { 0 };
	struct sample samples[2];
	int i;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &samples[0], PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 0);
	assert_int_equal(hdmabuf_timeline_wait(timeline, 1), 0);
	for (i = 0; i < 5; i++)
		hdmabuf_session_echo(pair.back.session, (uint8_t[56]){ 0 });
	sample_make(&samples[1], &pair.back, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&samples[1], &pair.back), 0);
	assert_int_equal(hdmabuf_session_close(pair.front.session,
					       HDMABUF_REASON_DONE),
			 0);
	pair_wait(&pair, &pair.front.seen.disconnected, 1);
	pair_wait(&pair, &pair.back.seen.disconnected, 1);
	pair_wait(&pair, &pair.front.seen.released, 1);
	pair_wait(&pair, &pair.back.seen.released, 1);
	assert_int_equal(pair.front.seen.reached, 1);
	assert_int_equal(pair.front.seen.reached_status, HDMABUF_STATUS_LOST);
	assert_int_equal(pair.back.seen.echoed, 5);
	assert_int_equal(pair.back.seen.exports_refused, 1);
	assert_int_equal(pair.back.seen.errors, 0);
	sample_free(&samples[0]);
	sample_free(&samples[1]);
	pair_close(&pair);
}

/* ---- HDB-BOTH-027: what is not answered is lost ---------------------------- */

/* Every request that an exporter has, each unanswered. */
static void ask_everything(struct rig *rig, struct sample *old,
			   struct sample *new)
{
	static const struct hdmabuf_allocate_body wish = { .size = PAGE };
	struct hdmabuf_session *session = rig->end.session;
	struct hdmabuf_buffer *buffer = old->buffer;

	assert_int_equal(sample_export(new, &rig->end), 0);
	assert_int_equal(hdmabuf_session_allocate(session, &wish), 0);
	assert_int_equal(hdmabuf_buffer_query(buffer), 0);
	assert_int_equal(hdmabuf_session_echo(session, (uint8_t[56]){ 0 }), 0);
	assert_int_equal(hdmabuf_update(buffer, &old->info), 0);
	assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 0, false), 0);
	assert_int_equal(hdmabuf_buffer_cpu_access(buffer, true, 0, 1,
						   HDMABUF_ACCESS_READ),
			 0);
	assert_int_equal(hdmabuf_unexport(buffer, 0), 0);
}

static void expect_lost(void *user, struct hdmabuf_session *session,
			uint16_t status, const char *why)
{
	const struct end *end = user;

	(void)session;
	(void)status;
	(void)why;
	assert_int_equal(end->seen.exports_refused, 1);
	assert_int_equal(end->seen.allocated, 1);
	assert_int_equal(end->seen.queried, 1);
	assert_int_equal(end->seen.echoed, 1);
	assert_int_equal(end->seen.refused, 4);
	assert_int_equal(end->seen.fault.status, HDMABUF_STATUS_LOST);
	/* It is the last that was sent, and known by its buffer. */
	assert_int_equal(end->seen.answered_operation, HDMABUF_OP_UNEXPORT);
	assert_ptr_equal(end->seen.answered_buffer, end->context);
	assert_int_equal(end->seen.quarantined, 0);
}

static void check_lost(enum hdmabuf_role role, bool close)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_CLOSE,
		.reason = HDMABUF_REASON_DONE,
	};
	struct sample old, new;
	struct rig rig = { 0 };

	rig_connect(&rig, role, NULL);
	rig_accept(&rig, &old, PAGE, HDMABUF_RIGHTS_READ_WRITE);
	sample_make(&new, &rig.end, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	ask_everything(&rig, &old, &new);
	rig_run(&rig);
	rig.end.hooks.disconnected = expect_lost;
	rig.end.context = old.buffer;
	if (close) {
		raw_send(&rig.raw, &request);
	} else {
		raw_leave_channel(&rig.raw);
		rig.raw.platform.ops->disconnect(rig.raw.link);
	}
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	assert_int_equal(rig.end.seen.refused, 4);
	assert_int_equal(rig.end.seen.errors, 0);
	/* It is not known what has become of the buffer. */
	assert_int_equal(rig.end.seen.quarantined, close ? 1 : 2);
	rig_wait(&rig, &rig.end.seen.released, 2);
	sample_free(&old);
	sample_free(&new);
	rig_close(&rig);
}

static void test_unanswered_is_lost(void **state)
{
	(void)state;
	check_lost(HDMABUF_FRONTEND, false);
	check_lost(HDMABUF_BACKEND, false);
	check_lost(HDMABUF_FRONTEND, true);
	check_lost(HDMABUF_BACKEND, true);
}

/* In the middle of a group, too. */
static void test_close_within_group(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(
		pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, true), 0);
	assert_int_equal(hdmabuf_session_close(pair.front.session,
					       HDMABUF_REASON_DONE),
			 0);
	pair_wait(&pair, &pair.front.seen.released, 1);
	assert_int_equal(pair.back.seen.handed_off, 0);
	assert_int_equal(pair.front.seen.status, HDMABUF_STATUS_OK);
	assert_int_equal(pair.front.seen.quarantined, 0);
	sample_free(&sample);
	pair_close(&pair);
}

/* What the application may do from *disconnected*: nothing that asks the peer. */
static void use_session(void *user, struct hdmabuf_session *session,
			uint16_t status, const char *why)
{
	struct end *end = user;
	struct hdmabuf_timeline_handle *timeline;
	struct sample *sample = end->context;

	(void)status;
	assert_true(strlen(why));
	assert_int_equal(hdmabuf_session_close(session, HDMABUF_REASON_DONE),
			 -ENOTCONN);
	assert_int_equal(hdmabuf_session_echo(session, (uint8_t[56]){ 0 }),
			 -ENOTCONN);
	assert_int_equal(hdmabuf_timeline_create(
				 session, HDMABUF_SIGNALLER_PEER, 0, &timeline),
			 -ENOTCONN);
	assert_int_equal(hdmabuf_unexport(sample->buffer, 0), -ENOTCONN);
	assert_int_equal(hdmabuf_update(sample->buffer, &sample->info),
			 -ENOTCONN);
	assert_int_equal(pair_hand_off(sample->buffer, NULL, 0, NULL, 0, 0,
				       false),
			 -ENOTCONN);
	assert_int_equal(hdmabuf_export(session, &sample->memory, &sample->info,
					NULL, &(struct hdmabuf_buffer *){ 0 }),
			 -ENOTCONN);
	assert_non_null(hdmabuf_session_peer(session));
	assert_true(hdmabuf_session_statistics(session)->requests_received);
	if (end->seen.buffer)
		hdmabuf_buffer_release(end->seen.buffer);
}

static void check_use_in_disconnected(bool close)
{
	struct pair pair = { 0 };
	struct sample samples[2];

	pair.back.hooks.disconnected = use_session;
	pair.back.context = &samples[0];
	pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.back, &samples[0], PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	pair_share(&pair, &pair.front, &samples[1], PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	if (close)
		hdmabuf_session_close(pair.front.session, HDMABUF_REASON_DONE);
	else
		end_close(&pair.front);
	pair_wait(&pair, &pair.back.seen.disconnected, 1);
	pair_wait(&pair, &pair.back.seen.released, 1);
	sample_free(&samples[0]);
	pair_close(&pair);
	sample_free(&samples[1]);
}

static void test_use_in_disconnected(void **state)
{
	(void)state;
	check_use_in_disconnected(true);
	check_use_in_disconnected(false);
}

/* ---- the peer is gone, at every stage ------------------------------------- */

/* What there is at the two ends; not all of it at every stage. */
struct scene {
	struct pair pair;
	struct sample front, back;
	struct hdmabuf_timeline_handle *timeline;
};

static void scene_timeline(struct scene *scene)
{
	assert_int_equal(hdmabuf_timeline_create(scene->pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &scene->timeline),
			 0);
	assert_int_equal(hdmabuf_timeline_wait(scene->timeline, 1000), 0);
}

static void scene_export(struct scene *scene)
{
	struct pair *pair = &scene->pair;

	sample_make(&scene->front, &pair->front, 3 * PAGE, HDMABUF_RIGHTS_LEND);
	sample_make(&scene->back, &pair->back, 3 * PAGE,
		    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&scene->front, &pair->front), 0);
	assert_int_equal(sample_export(&scene->back, &pair->back), 0);
}

static void scene_hand_off(struct scene *scene)
{
	assert_int_equal(pair_hand_off(scene->front.buffer, NULL, 0,
				       scene->timeline, 1, 0, false),
			 0);
	assert_int_equal(pair_hand_off(scene->back.buffer, NULL, 0, NULL, 0, 0,
				       true),
			 0);
}

static void scene_update(struct scene *scene)
{
	assert_int_equal(pair_hand_off(scene->back.buffer, NULL, 0, NULL, 0, 0,
				       false),
			 0);
	assert_int_equal(hdmabuf_update(scene->back.buffer, &scene->back.info),
			 0);
}

static void scene_unexport(struct scene *scene)
{
	assert_int_equal(hdmabuf_unexport(scene->front.buffer, 0), 0);
	assert_int_equal(hdmabuf_unexport(scene->back.buffer, 5000), 0);
}

static void scene_close(struct scene *scene)
{
	struct hdmabuf_session *session = scene->pair.back.session;

	/* It may be that the request before the last is not answered yet. */
	assert_int_equal(hdmabuf_session_close(session, HDMABUF_REASON_DONE),
			 0);
}

static void (*const scene_steps[])(struct scene *) = {
	scene_timeline, scene_export,	scene_hand_off,
	scene_update,	scene_unexport, scene_close,
};

#define STEPS (sizeof(scene_steps) / sizeof(scene_steps[0]))

static void scene_open(struct scene *scene)
{
	struct pair *pair = &scene->pair;

	memset(scene, 0, sizeof(*scene));
	pair->front.policy.map = pair->back.policy.map = true;
	pair->front.policy.keep = pair->back.policy.keep = true;
	pair->front.policy.hold = pair->back.policy.hold = true;
	pair_connect(pair, NULL, NULL);
}

static void dispatch_if_ready(struct end *end)
{
	hdmabuf_endpoint_flush(end->endpoint);
	while (end_is_ready(end, 0))
		end_dispatch(end);
}

/* The last step is seen by nobody, by the peer, by the sender again, or by all. */
static void scene_play(struct scene *scene, size_t steps, int depth)
{
	size_t i;

	for (i = 0; i < steps; i++) {
		pair_run(&scene->pair);
		scene_steps[i](scene);
	}
	if (depth > 0)
		dispatch_if_ready(&scene->pair.front);
	if (depth > 1)
		dispatch_if_ready(&scene->pair.back);
	if (depth > 2)
		pair_run(&scene->pair);
}

/* One end is gone; the other gets all its memory back, and is told. */
static void scene_lose(struct scene *scene, struct end *gone)
{
	struct pair *pair = &scene->pair;
	struct end *left = pair_other(pair, gone);
	struct sample *sample = left == &pair->front ? &scene->front :
						       &scene->back;
	unsigned int exports = sample->buffer ? 1 : 0;

	end_close(gone);
	assert_int_equal(gone->seen.disconnected, gone->seen.connected);
	pair_wait(pair, &left->seen.disconnected, left->seen.connected);
	pair_wait(pair, &left->seen.released, exports);
	pair_run(pair);
	assert_int_equal(left->seen.released, exports);
	assert_int_equal(left->seen.reached,
			 scene->timeline && left == &pair->front);
	sample_free(&scene->front);
	sample_free(&scene->back);
	pair_close(pair);
	assert_int_equal(left->seen.disconnected, left->seen.connected);
}

static void check_gone(bool front)
{
	struct scene scene;
	size_t steps;
	int depth;

	for (steps = 0; steps <= STEPS; steps++) {
		for (depth = 0; depth < 4; depth++) {
			scene_open(&scene);
			scene_play(&scene, steps, depth);
			scene_lose(&scene, front ? &scene.pair.front :
						   &scene.pair.back);
		}
	}
}

static void test_frontend_gone(void **state)
{
	(void)state;
	check_gone(true);
}

static void test_backend_gone(void **state)
{
	(void)state;
	check_gone(false);
}

/* Neither has said a word, and both stop with everything in use. */
static void test_both_stop(void **state)
{
	struct scene scene;
	size_t steps;
	int depth;

	(void)state;
	for (steps = 0; steps <= STEPS; steps++) {
		for (depth = 0; depth < 4; depth++) {
			struct pair *pair = &scene.pair;

			scene_open(&scene);
			scene_play(&scene, steps, depth);
			pair_close(pair);
			assert_int_equal(pair->front.seen.released,
					 !!scene.front.buffer);
			assert_int_equal(pair->back.seen.released,
					 !!scene.back.buffer);
			sample_free(&scene.front);
			sample_free(&scene.back);
		}
	}
}

/* An endpoint that is closed before it could do anything. */
static void test_stop_at_once(void **state)
{
	struct pair pair = { 0 };

	(void)state;
	pair_open(&pair, NULL, NULL);
	pair_close(&pair);
	pair_open(&pair, NULL, NULL);
	end_dispatch(&pair.front);
	pair_close(&pair);
	hdmabuf_endpoint_close(NULL);
}

/* ---- a peer that does not do as it should --------------------------------- */

/* Something is still mapped at the peer: what is exported is in quarantine. */
static void test_close_answered_busy(void **state)
{
	struct hdmabuf_request request;
	struct sample sample;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_FRONTEND, NULL);
	rig_accept(&rig, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(
		hdmabuf_session_close(rig.end.session, HDMABUF_REASON_DONE), 0);
	rig_expect(&rig, HDMABUF_OP_CLOSE, &request);
	assert_int_equal(request.reason, HDMABUF_REASON_DONE);
	raw_answer_plain(&rig.raw, &rig.raw.requests.messages[0],
			 HDMABUF_STATUS_BUSY);
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	assert_int_equal(rig.end.seen.quarantined, 1);
	/* On this platform it is free as soon as the peer's platform says so. */
	rig_wait(&rig, &rig.end.seen.released, 1);
	sample_free(&sample);
	rig_close(&rig);
}

/* The peer still has the pages mapped when it says that it has not. */
static void test_released_but_mapped(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_RELEASED };
	const struct hdmabuf_platform_ops *ops;
	struct hdmabuf_request export;
	struct sample sample;
	struct rig rig = { 0 };
	struct hdmabuf_run run;
	const struct hdmabuf_descriptor *descriptor;
	void *page, *data;
	uint32_t buffers;
	uint64_t octets, bad;

	(void)state;
	rig_connect(&rig, HDMABUF_FRONTEND, NULL);
	ops = rig.raw.platform.ops;
	sample_make(&sample, &rig.end, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&sample, &rig.end), 0);
	rig_expect(&rig, HDMABUF_OP_EXPORT, &export);
	run = (struct hdmabuf_run){ export.descriptor.reference, 2 };
	assert_int_equal(ops->map(rig.raw.link, &run, 1,
				  HDMABUF_RIGHTS_READ_ONLY, &page, &bad),
			 0);
	descriptor = page;
	assert_int_equal(hdmabuf_get_le32(descriptor->directory_format),
			 HDMABUF_DIRECTORY_EXTENTS);
	/* Behind the page's head of 16 octets, the first extent. */
	run.reference = hdmabuf_get_le64(
		*(hdmabuf_le64 *)((uint8_t *)page + PAGE + 16));
	run.count = 1;
	assert_int_equal(ops->map(rig.raw.link, &run, 1,
				  HDMABUF_RIGHTS_READ_ONLY, &data, &bad),
			 0);
	assert_true(sample_is_at(data, PAGE));
	assert_int_equal(ops->unmap(rig.raw.link, page, 2), 0);
	raw_answer_plain(&rig.raw, &rig.raw.requests.messages[0], 0);
	rig_wait(&rig, &rig.end.seen.exported, 1);

	request.buffer = export.buffer;
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_OK);
	rig_wait(&rig, &rig.end.seen.quarantined, 1);
	assert_int_equal(rig.end.seen.released, 0);
	hdmabuf_endpoint_quarantined(rig.end.endpoint, &buffers, &octets);
	assert_int_equal(buffers, 1);
	assert_int_equal(octets, PAGE);
	rig_check(&rig);
	assert_true(sample_is_at(data, PAGE));
	assert_int_equal(ops->unmap(rig.raw.link, data, 1), 0);
	rig_wait(&rig, &rig.end.seen.released, 1);
	sample_free(&sample);
	rig_close(&rig);
}

/* Requests while this end waits for the answer to its CLOSE. */
static void test_requests_while_closing(void **state)
{
	struct hdmabuf_request close, request = {
		.operation = HDMABUF_OP_ECHO,
	};
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	assert_int_equal(hdmabuf_session_close(rig.end.session,
					       HDMABUF_REASON_SUSPEND),
			 0);
	rig_expect(&rig, HDMABUF_OP_CLOSE, &close);
	assert_int_equal(close.reason, HDMABUF_REASON_SUSPEND);
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_CLOSING);
	request.operation = HDMABUF_OP_EXPORT;
	request.buffer.octets[0] = 1;
	request.descriptor.length = 256;
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_CLOSING);
	request.operation = 0x99;
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_UNKNOWN_OPERATION);
	request.operation = HDMABUF_OP_CLOSE;
	request.reason = HDMABUF_REASON_DONE;
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_OK);
	assert_int_equal(rig.end.seen.disconnected, 0);
	raw_answer_plain(&rig.raw, &rig.raw.requests.messages[0], 0);
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	assert_int_equal(rig.end.seen.status, HDMABUF_STATUS_OK);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

static void test_wrong_close(void **state)
{
	static const uint32_t reasons[] = { 0, 5, UINT32_MAX };
	struct hdmabuf_request request = { .operation = HDMABUF_OP_CLOSE };
	struct rig rig = { 0 };
	int i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < 3; i++) {
		request.reason = reasons[i];
		assert_int_equal(rig_ask(&rig, &request, NULL),
				 HDMABUF_STATUS_INVALID);
	}
	rig_check(&rig);
	assert_int_equal(rig.end.seen.disconnected, 0);
	rig_close(&rig);
}

/* CLOSE in the ring, and the record gone before anybody has looked. */
static void check_close_and_go(bool withdraw)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_CLOSE,
					   .reason = HDMABUF_REASON_DONE };
	struct sample sample;
	struct rig rig = { 0 };

	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_accept(&rig, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	raw_send(&rig.raw, &request);
	if (withdraw)
		raw_publish_text(&rig.raw, "");
	else
		rig.raw.platform.ops->disconnect(rig.raw.link);
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	assert_int_equal(rig.end.seen.status, HDMABUF_STATUS_OK);
	assert_int_equal(rig.end.seen.quarantined, 0);
	rig_wait(&rig, &rig.end.seen.released, 1);
	sample_free(&sample);
	rig_close(&rig);
}

static void test_close_and_go(void **state)
{
	(void)state;
	check_close_and_go(true);
	check_close_and_go(false);
}

/* The answer to CLOSE is there to be read after its sender has gone. */
static void test_close_answered_and_gone(void **state)
{
	struct hdmabuf_request request;
	struct sample sample;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_FRONTEND, NULL);
	rig_accept(&rig, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(
		hdmabuf_session_close(rig.end.session, HDMABUF_REASON_DONE), 0);
	rig_expect(&rig, HDMABUF_OP_CLOSE, &request);
	raw_answer_plain(&rig.raw, &rig.raw.requests.messages[0], 0);
	raw_leave_channel(&rig.raw);
	rig.raw.platform.ops->disconnect(rig.raw.link);
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	assert_int_equal(rig.end.seen.status, HDMABUF_STATUS_OK);
	assert_int_equal(rig.end.seen.quarantined, 0);
	rig_wait(&rig, &rig.end.seen.released, 1);
	sample_free(&sample);
	rig_close(&rig);
}

/* Both have closed, and the answers come one after the other. */
static void test_answer_after_crossing_close(void **state)
{
	struct hdmabuf_request close, request = {
		.operation = HDMABUF_OP_CLOSE,
		.reason = HDMABUF_REASON_DONE,
	};
	struct hdmabuf_answer echo = { .operation = HDMABUF_OP_ECHO };
	struct hdmabuf_request asked;
	union hdmabuf_message message;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_FRONTEND, NULL);
	assert_int_equal(
		hdmabuf_session_echo(rig.end.session, (uint8_t[56]){ 0 }), 0);
	assert_int_equal(
		hdmabuf_session_close(rig.end.session, HDMABUF_REASON_DONE), 0);
	rig_expect(&rig, HDMABUF_OP_ECHO, &asked);
	rig_expect(&rig, HDMABUF_OP_CLOSE, &close);
	/* The answer to ECHO and CLOSE at once, the answer to CLOSE later. */
	echo.id = asked.id;
	hdmabuf_answer_encode(&echo, &message);
	assert_true(hdmabuf_ring_put_answer(&rig.raw.peer, &message));
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_OK);
	assert_int_equal(rig.end.seen.echoed, 1);
	assert_int_equal(rig.end.seen.disconnected, 0);
	/* Whether it is notified is up to what it has asked for. */
	hdmabuf_answer_encode(
		&(struct hdmabuf_answer){ .id = close.id,
					  .operation = HDMABUF_OP_CLOSE },
		&message);
	assert_true(hdmabuf_ring_put_answer(&rig.raw.peer, &message));
	assert_true(hdmabuf_ring_push_answers(&rig.raw.peer));
	rig.raw.platform.ops->notify(rig.raw.link);
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	assert_int_equal(rig.end.seen.status, HDMABUF_STATUS_OK);
	rig_close(&rig);
}

/* Both have closed; that the peer goes before it has answered does no harm. */
static void test_gone_after_crossing_close(void **state)
{
	struct hdmabuf_request close, request = {
		.operation = HDMABUF_OP_CLOSE,
		.reason = HDMABUF_REASON_DONE,
	};
	struct sample sample;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_accept(&rig, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(
		hdmabuf_session_close(rig.end.session, HDMABUF_REASON_DONE), 0);
	rig_expect(&rig, HDMABUF_OP_CLOSE, &close);
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_OK);
	raw_publish_text(&rig.raw, "");
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	assert_int_equal(rig.end.seen.status, HDMABUF_STATUS_OK);
	assert_int_equal(rig.end.seen.quarantined, 0);
	rig_wait(&rig, &rig.end.seen.released, 1);
	sample_free(&sample);
	rig_close(&rig);
}

static void ask_when_reached(void *user,
			     struct hdmabuf_timeline_handle *timeline,
			     uint64_t point, uint16_t status)
{
	struct end *end = user;

	(void)timeline;
	(void)point;
	assert_int_equal(status, HDMABUF_STATUS_OK);
	assert_int_equal(hdmabuf_session_echo(end->session, (uint8_t[56]){ 0 }),
			 -ENOTCONN);
	assert_int_equal(hdmabuf_session_close(end->session,
					       HDMABUF_REASON_DONE),
			 -ENOTCONN);
}

/* Nothing is asked for that was not before CLOSE, whatever came with it. */
static void test_no_request_after_close(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_CLOSE,
					   .reason = HDMABUF_REASON_DONE };
	struct hdmabuf_timeline_handle *timeline;
	struct hdmabuf_request asked;
	struct rig rig = { 0 };

	(void)state;
	rig.end.hooks.reached = ask_when_reached;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	assert_int_equal(hdmabuf_timeline_create(rig.end.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 0);
	rig_grant(&rig, HDMABUF_OP_TIMELINE_CREATE, &asked);
	assert_int_equal(hdmabuf_timeline_wait(timeline, 1), 0);
	rig_run(&rig);
	hdmabuf_cell_signal(rig.raw.peer_cells, 0, 1);
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_OK);
	assert_int_equal(rig.end.seen.reached, 1);
	assert_int_equal(rig.raw.requests.count, rig.raw.requests.taken);
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	rig_close(&rig);
}

/* Buffers of the peer that are mapped when it is lost are not any more. */
static void check_imports_after_loss(enum hdmabuf_role role)
{
	struct raw_buffer buffers[3];
	struct rig rig = { 0 };
	int i;

	rig.end.policy.map = true;
	rig_connect(&rig, role, NULL);
	for (i = 0; i < 3; i++)
		rig_share(&rig, &buffers[i], PAGE, HDMABUF_RIGHTS_READ_WRITE);
	rig_greet(&rig);
	/* Of the new session they are not. */
	assert_int_equal(rig_name(&rig, HDMABUF_OP_QUERY, &buffers[0].id, NULL),
			 HDMABUF_STATUS_NO_SUCH_BUFFER);
	for (i = 0; i < 3; i++) {
		struct hdmabuf_run *run = &buffers[i].data_run;

		rig_run(&rig);
		assert_int_equal(rig.raw.platform.ops->revoke(rig.raw.link, run,
							      1),
				 -EBUSY);
		rig_run(&rig);
		assert_int_equal(
			rig.raw.platform.ops->revoke(rig.raw.link, run, 1), 0);
		raw_buffer_free(&buffers[i]);
	}
	rig_check(&rig);
	rig_close(&rig);
}

static void test_imports_after_loss(void **state)
{
	(void)state;
	check_imports_after_loss(HDMABUF_FRONTEND);
	check_imports_after_loss(HDMABUF_BACKEND);
}

/* Exports of a session that is lost are in quarantine, and then free. */
static void check_exports_after_loss(enum hdmabuf_role role)
{
	struct sample samples[4];
	struct rig rig = { 0 };
	int i;

	rig_connect(&rig, role, NULL);
	for (i = 0; i < 3; i++)
		rig_accept(&rig, &samples[i], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	sample_make(&samples[3], &rig.end, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&samples[3], &rig.end), 0);
	rig_greet(&rig);
	assert_int_equal(rig.end.seen.quarantined, 4);
	rig_wait(&rig, &rig.end.seen.released, 4);
	for (i = 0; i < 4; i++)
		sample_free(&samples[i]);
	rig_check(&rig);
	/* The new session begins with nothing: all limits are there again. */
	rig_accept(&rig, &samples[0], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	rig_close(&rig);
	assert_int_equal(rig.end.seen.released, 5);
	sample_free(&samples[0]);
}

static void test_exports_after_loss(void **state)
{
	(void)state;
	check_exports_after_loss(HDMABUF_FRONTEND);
	check_exports_after_loss(HDMABUF_BACKEND);
}

/* What was attached to a session does not outlive it. */
static void test_user_of_session(void **state)
{
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	assert_null(hdmabuf_session_user(rig.end.session));
	hdmabuf_session_set_user(rig.end.session, &rig);
	assert_ptr_equal(hdmabuf_session_user(rig.end.session), &rig);
	assert_ptr_equal(hdmabuf_session_endpoint(rig.end.session),
			 rig.end.endpoint);
	rig_greet(&rig);
	assert_null(hdmabuf_session_user(rig.end.session));
	rig_close(&rig);
}

/* Who wants no other session keeps the one that it has, and gets no other. */
static void test_stop(void **state)
{
	struct rig rig = { 0 };
	char text[1024];

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	hdmabuf_endpoint_stop(rig.end.endpoint);
	rig_run(&rig);
	rig_check(&rig);
	raw_publish_text(&rig.raw, "");
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	rig_run(&rig);
	assert_int_equal(raw_record(&rig.raw, text, sizeof(text)), 0);
	rig_close(&rig);

	/* Before there was one. */
	rig_open(&rig, HDMABUF_FRONTEND, NULL);
	rig_run(&rig);
	hdmabuf_endpoint_stop(rig.end.endpoint);
	rig_run(&rig);
	raw_prepare(&rig.raw);
	raw_publish_offer(&rig.raw);
	rig_run(&rig);
	assert_int_equal(raw_record(&rig.raw, text, sizeof(text)), 0);
	assert_false(end_is_ready(&rig.end, 0));
	rig_close(&rig);
	assert_int_equal(rig.end.seen.connected, 0);
}

/* What is told of a session that is over: another one, please. */
static void start_again(void *user, struct hdmabuf_session *session,
			uint16_t status, const char *why)
{
	(void)user;
	(void)status;
	(void)why;
	hdmabuf_endpoint_start(hdmabuf_session_endpoint(session));
}

static void test_start(void **state)
{
	struct pair pair = { 0 };

	(void)state;
	pair.front.hooks.disconnected = start_again;
	pair_connect(&pair, NULL, NULL);
	/* Where there is a session, it changes nothing. */
	hdmabuf_endpoint_start(pair.front.endpoint);
	hdmabuf_endpoint_start(pair.back.endpoint);
	pair_check(&pair);
	assert_int_equal(hdmabuf_session_close(pair.front.session,
					       HDMABUF_REASON_DONE),
			 0);
	pair_wait(&pair, &pair.front.seen.connected, 2);
	pair_wait(&pair, &pair.back.seen.connected, 2);
	pair_check(&pair);

	/* A backend that was stopped makes an offer again. */
	hdmabuf_endpoint_stop(pair.back.endpoint);
	assert_int_equal(hdmabuf_session_close(pair.back.session,
					       HDMABUF_REASON_DONE),
			 0);
	pair_wait(&pair, &pair.back.seen.disconnected, 2);
	pair_run(&pair);
	assert_int_equal(pair.back.seen.connected, 2);
	hdmabuf_endpoint_start(pair.back.endpoint);
	pair_wait(&pair, &pair.front.seen.connected, 3);
	pair_wait(&pair, &pair.back.seen.connected, 3);
	pair_check(&pair);
	pair_close(&pair);
}

static void note_reason(void *user, struct hdmabuf_session *session,
			uint16_t status, const char *why)
{
	uint32_t *reason = ((struct end *)user)->context;

	(void)status;
	(void)why;
	*reason = hdmabuf_session_close_reason(session);
}

static void test_close_reason(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_CLOSE };
	struct rig rig = { 0 };
	uint32_t reason, told = 0;

	(void)state;
	rig.end.hooks.disconnected = note_reason;
	rig.end.context = &told;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (reason = HDMABUF_REASON_DONE; reason <= HDMABUF_REASON_FAULT;
	     reason++) {
		request.reason = reason;
		assert_int_equal(rig_ask(&rig, &request, NULL), 0);
		rig_wait(&rig, &rig.end.seen.disconnected, reason);
		assert_int_equal(told, reason);
		rig_greet(&rig);
	}
	/* Who goes without a word has no reason. */
	raw_publish_text(&rig.raw, "");
	rig_wait(&rig, &rig.end.seen.disconnected, reason);
	assert_int_equal(told, 0);
	rig_close(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_close_unmaps),
		cmocka_unit_test(test_close_with_requests),
		cmocka_unit_test(test_unanswered_is_lost),
		cmocka_unit_test(test_close_within_group),
		cmocka_unit_test(test_use_in_disconnected),
		cmocka_unit_test(test_frontend_gone),
		cmocka_unit_test(test_backend_gone),
		cmocka_unit_test(test_both_stop),
		cmocka_unit_test(test_stop_at_once),
		cmocka_unit_test(test_close_answered_busy),
		cmocka_unit_test(test_released_but_mapped),
		cmocka_unit_test(test_requests_while_closing),
		cmocka_unit_test(test_wrong_close),
		cmocka_unit_test(test_close_and_go),
		cmocka_unit_test(test_close_answered_and_gone),
		cmocka_unit_test(test_answer_after_crossing_close),
		cmocka_unit_test(test_gone_after_crossing_close),
		cmocka_unit_test(test_no_request_after_close),
		cmocka_unit_test(test_imports_after_loss),
		cmocka_unit_test(test_exports_after_loss),
		cmocka_unit_test(test_user_of_session),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_close_reason),
	};

	return hdmabuf_test_run("session_end", tests,
				sizeof(tests) / sizeof(tests[0]));
}
