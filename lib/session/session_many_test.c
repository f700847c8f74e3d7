/* SPDX-License-Identifier: MIT */
/*
 * A backend with many frontends, over a socket: whatever one of them does, the
 * others are served; and who comes back is served again.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/raw_peer.h"

#define PAGE	  4096u
#define FRONTENDS 3

/* A backend of which many sessions are of interest, and its frontends. */
struct hall {
	char folder[32];
	char address[64];
	struct end back;
	struct hdmabuf_session *sessions[FRONTENDS + 1];
	struct hdmabuf_buffer *buffers[FRONTENDS + 1];
	unsigned int session_count;
	struct end fronts[FRONTENDS];
};

static void note_session(void *user, struct hdmabuf_session *session)
{
	struct hall *hall = ((struct end *)user)->context;

	assert_in_range(hall->session_count, 0, FRONTENDS);
	hall->sessions[hall->session_count++] = session;
}

static void forget_session(void *user, struct hdmabuf_session *session,
			   uint16_t status, const char *why)
{
	struct hall *hall = ((struct end *)user)->context;
	unsigned int i;

	(void)status;
	(void)why;
	for (i = 0; i < hall->session_count; i++)
		if (hall->sessions[i] == session)
			break;
	assert_in_range(i + 1, 1, hall->session_count);
	hall->sessions[i] = hall->sessions[--hall->session_count];
}

static void open_at(struct hall *hall, struct end *end, enum hdmabuf_role role,
		    const struct hdmabuf_config *config)
{
	struct hdmabuf_platform platform;
	char error[256];

	assert_int_equal(hdmabuf_platform_open(hall->address, role, &platform,
					       error, sizeof(error)),
			 0);
	end_open(end, platform, role, config);
}

static void hall_make(struct hall *hall)
{
	memset(hall, 0, sizeof(*hall));
	strcpy(hall->folder, "/tmp/hdmabuf-test-XXXXXX");
	assert_non_null(mkdtemp(hall->folder));
	snprintf(hall->address, sizeof(hall->address), "local:%s/socket",
		 hall->folder);
	hall->back.hooks.connected = note_session;
	hall->back.hooks.disconnected = forget_session;
	hall->back.context = hall;
}

static bool hall_step(struct hall *hall, int timeout_ms)
{
	struct end *ends[FRONTENDS + 1] = { &hall->back };
	struct pollfd fds[FRONTENDS + 1];
	bool any = false;
	int i;

	for (i = 0; i < FRONTENDS; i++)
		ends[i + 1] = &hall->fronts[i];
	for (i = 0; i <= FRONTENDS; i++) {
		if (ends[i]->endpoint)
			hdmabuf_endpoint_flush(ends[i]->endpoint);
		fds[i].fd = ends[i]->endpoint ?
				    hdmabuf_endpoint_fd(ends[i]->endpoint) :
				    -1;
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	if (poll(fds, FRONTENDS + 1, timeout_ms) <= 0)
		return false;
	for (i = 0; i <= FRONTENDS; i++) {
		if (!fds[i].revents)
			continue;
		end_dispatch(ends[i]);
		any = true;
	}
	return any;
}

static void hall_wait(struct hall *hall, const unsigned int *counter,
		      unsigned int value)
{
	uint64_t deadline = patience();

	while (*counter < value && patience_left(deadline))
		hall_step(hall, patience_left(deadline));
	assert_in_range(*counter, value, UINT32_MAX);
}

static void hall_run(struct hall *hall)
{
	int i;

	for (i = 0; i < 1000 && hall_step(hall, 0); i++)
		;
	assert_in_range(i, 0, 999);
}

static void hall_open(struct hall *hall, const struct hdmabuf_config *config)
{
	int i;

	hall_make(hall);
	open_at(hall, &hall->back, HDMABUF_BACKEND, config);
	for (i = 0; i < FRONTENDS; i++)
		open_at(hall, &hall->fronts[i], HDMABUF_FRONTEND, NULL);
	for (i = 0; i < FRONTENDS; i++)
		hall_wait(hall, &hall->fronts[i].seen.connected, 1);
	hall_wait(hall, &hall->back.seen.connected, FRONTENDS);
}

static void hall_close(struct hall *hall)
{
	int i;

	for (i = 0; i < FRONTENDS; i++)
		if (hall->fronts[i].endpoint)
			end_close(&hall->fronts[i]);
	if (hall->back.endpoint) {
		hdmabuf_endpoint_close(hall->back.endpoint);
		assert_int_equal(hall->back.seen.connected,
				 hall->back.seen.disconnected);
	}
	assert_int_equal(rmdir(hall->folder), 0);
}

static void check_echo(struct hall *hall, struct end *front)
{
	unsigned int echoed = front->seen.echoed;

	assert_int_equal(
		hdmabuf_session_echo(front->session, (uint8_t[56]){ 1 }), 0);
	hall_wait(hall, &front->seen.echoed, echoed + 1);
}

static void check_all(struct hall *hall)
{
	int i;

	for (i = 0; i < FRONTENDS; i++)
		if (hall->fronts[i].endpoint)
			check_echo(hall, &hall->fronts[i]);
}

/* ---- tests --------------------------------------------------------------- */

static void test_sessions(void **state)
{
	struct hall hall;

	(void)state;
	hall_open(&hall, NULL);
	assert_int_equal(hall.session_count, FRONTENDS);
	check_all(&hall);
	hall_close(&hall);
}

/* Either may be there first, and come back. */
static void test_backend_comes_later_and_again(void **state)
{
	struct hall hall;
	int i;

	(void)state;
	hall_make(&hall);
	for (i = 0; i < FRONTENDS; i++)
		open_at(&hall, &hall.fronts[i], HDMABUF_FRONTEND, NULL);
	hall_run(&hall);
	for (i = 1; i <= 3; i++) {
		int k;

		open_at(&hall, &hall.back, HDMABUF_BACKEND, NULL);
		for (k = 0; k < FRONTENDS; k++)
			hall_wait(&hall, &hall.fronts[k].seen.connected,
				  (unsigned)i);
		hall_wait(&hall, &hall.back.seen.connected, FRONTENDS);
		check_all(&hall);
		hdmabuf_endpoint_close(hall.back.endpoint);
		hall.back.endpoint = NULL;
		assert_int_equal(hall.session_count, 0);
		for (k = 0; k < FRONTENDS; k++)
			hall_wait(&hall, &hall.fronts[k].seen.disconnected,
				  (unsigned)i);
	}
	hall_close(&hall);
}

static void test_frontends_come_and_go(void **state)
{
	struct hall hall;
	unsigned int i;

	(void)state;
	hall_open(&hall, NULL);
	for (i = 1; i <= 6; i++) {
		struct end *front = &hall.fronts[i % FRONTENDS];

		if (i % 2) {
			end_close(front);
		} else {
			hdmabuf_session_close(front->session,
					      HDMABUF_REASON_DONE);
			hall_wait(&hall, &front->seen.disconnected, 1);
			end_close(front);
		}
		hall_wait(&hall, &hall.back.seen.disconnected, i);
		check_all(&hall);
		open_at(&hall, front, HDMABUF_FRONTEND, NULL);
		hall_wait(&hall, &front->seen.connected, 1);
		hall_wait(&hall, &hall.back.seen.connected, FRONTENDS + i);
		check_all(&hall);
	}
	hall_close(&hall);
}

/* More than the backend wants: they wait until there is room. */
static void test_most_sessions(void **state)
{
	struct hdmabuf_config config;
	struct hall hall;
	int i, waiting = -1;

	(void)state;
	hdmabuf_config_init(&config);
	config.max_sessions = FRONTENDS - 1;
	hall_make(&hall);
	open_at(&hall, &hall.back, HDMABUF_BACKEND, &config);
	for (i = 0; i < FRONTENDS; i++)
		open_at(&hall, &hall.fronts[i], HDMABUF_FRONTEND, NULL);
	hall_wait(&hall, &hall.back.seen.connected, FRONTENDS - 1);
	hall_run(&hall);
	assert_true(hall.back.seen.errors);
	for (i = 0; i < FRONTENDS; i++)
		if (!hall.fronts[i].session)
			waiting = i;
	assert_in_range(waiting, 0, FRONTENDS - 1);
	end_close(&hall.fronts[(waiting + 1) % FRONTENDS]);
	hall_wait(&hall, &hall.fronts[waiting].seen.connected, 1);
	check_echo(&hall, &hall.fronts[waiting]);
	hall_close(&hall);
}

static uint16_t keep_buffer(void *user, struct hdmabuf_buffer *buffer)
{
	struct end *end = user;
	struct hall *hall = end->context;
	void *data;

	hall->buffers[end->seen.imported - 1] = buffer;
	return hdmabuf_buffer_map(buffer, &data) ? HDMABUF_STATUS_NO_MEMORY :
						   HDMABUF_STATUS_OK;
}

/* A buffer belongs to one session; what becomes of others is nothing to it. */
static void test_buffers_apart(void **state)
{
	struct sample samples[FRONTENDS];
	struct hall hall;
	int i;

	(void)state;
	hall_open(&hall, NULL);
	hall.back.hooks.imported = keep_buffer;
	for (i = 0; i < FRONTENDS; i++) {
		sample_make(&samples[i], &hall.fronts[i],
			    (uint64_t)PAGE * ((unsigned)i + 1),
			    HDMABUF_RIGHTS_READ_ONLY);
		assert_int_equal(sample_export(&samples[i], &hall.fronts[i]),
				 0);
		hall_wait(&hall, &hall.fronts[i].seen.exported, 1);
		assert_int_equal(hall.fronts[i].seen.exports_refused, 0);
	}
	end_close(&hall.fronts[1]);
	sample_free(&samples[1]);
	hall_wait(&hall, &hall.back.seen.disconnected, 1);
	assert_true(sample_is_at(hdmabuf_buffer_data(hall.buffers[0]), PAGE));
	assert_true(
		sample_is_at(hdmabuf_buffer_data(hall.buffers[2]), 3 * PAGE));
	assert_true(hdmabuf_buffer_session(hall.buffers[0]) !=
		    hdmabuf_buffer_session(hall.buffers[2]));
	check_all(&hall);
	hall_close(&hall);
	sample_free(&samples[0]);
	sample_free(&samples[2]);
}

/* ---- one peer that is no good, beside others that are ----------------------- */

/* The raw peer takes the place of another frontend. */
static void visit(struct hall *hall, struct rig *rig)
{
	struct raw_peer *raw = &rig->raw;
	char error[256];

	memset(rig, 0, sizeof(*rig));
	raw->role = HDMABUF_FRONTEND;
	raw->hello = (struct hdmabuf_hello_body){
		.features = HDMABUF_FEATURES_ALL,
		.limits = { 1 << 30, 64, 64, 3840, 32 },
	};
	assert_int_equal(hdmabuf_platform_open(hall->address, HDMABUF_FRONTEND,
					       &raw->platform, error,
					       sizeof(error)),
			 0);
}

/* Until the visitor has seen @counter reach @value; the hall goes on. */
static void visit_wait(struct hall *hall, struct rig *rig,
		       const unsigned int *counter, unsigned int value)
{
	uint64_t deadline = patience();

	while (*counter < value && patience_left(deadline)) {
		hall_step(hall, 1);
		rig_step(rig, 1);
	}
	assert_in_range(*counter, value, UINT32_MAX);
}

static void visit_greet(struct hall *hall, struct rig *rig)
{
	struct raw_peer *raw = &rig->raw;

	if (!raw->records)
		visit_wait(hall, rig, &raw->records, 1);
	raw_prepare(raw);
	raw_publish_reply(raw);
	visit_wait(hall, rig, &raw->answers.count, 1);
	assert_int_equal(
		hdmabuf_get_le16(raw_take(&raw->answers)->header.status), 0);
}

static void leave(struct rig *rig)
{
	rig_close(rig);
}

/* The id of a buffer of another session is no better than any other. */
static void test_id_of_another_session(void **state)
{
	static const uint16_t operations[] = {
		HDMABUF_OP_QUERY,
		HDMABUF_OP_RELEASED,
		HDMABUF_OP_UNEXPORT,
	};
	struct hdmabuf_answer answer;
	struct sample sample;
	struct hall hall;
	struct rig rig;
	int i;

	(void)state;
	hall_open(&hall, NULL);
	sample_make(&sample, &hall.fronts[0], PAGE, HDMABUF_RIGHTS_READ_WRITE);
	assert_int_equal(sample_export(&sample, &hall.fronts[0]), 0);
	hall_wait(&hall, &hall.fronts[0].seen.exported, 1);
	visit(&hall, &rig);
	visit_greet(&hall, &rig);
	for (i = 0; i < 3; i++) {
		struct hdmabuf_request request = {
			.operation = operations[i],
			.buffer = *hdmabuf_buffer_id(sample.buffer),
		};
		unsigned int answers = rig.raw.answers.count;

		raw_send(&rig.raw, &request);
		visit_wait(&hall, &rig, &rig.raw.answers.count, answers + 1);
		assert_true(hdmabuf_answer_decode(raw_take(&rig.raw.answers),
						  &answer));
		assert_int_equal(answer.fault.status,
				 HDMABUF_STATUS_NO_SUCH_BUFFER);
	}
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_LIVE);
	leave(&rig);
	hall_close(&hall);
	sample_free(&sample);
}

/* Nor is a reference that was made for another end. */
static void test_reference_of_another_link(void **state)
{
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct hall hall;
	struct rig rigs[2];
	struct hdmabuf_request request = { .operation = HDMABUF_OP_EXPORT };

	(void)state;
	hall_make(&hall);
	open_at(&hall, &hall.back, HDMABUF_BACKEND, NULL);
	visit(&hall, &rigs[0]);
	visit_greet(&hall, &rigs[0]);
	visit(&hall, &rigs[1]);
	visit_greet(&hall, &rigs[1]);
	/* Far from the numbers that the other visitor has. */
	do {
		raw_buffer_make(&rigs[0].raw, &buffer, 50 * PAGE,
				HDMABUF_RIGHTS_READ_ONLY, 0);
		if (buffer.description_run.reference < 100)
			raw_buffer_free(&buffer);
	} while (buffer.description_run.reference < 100);
	request.buffer = buffer.id;
	request.descriptor.reference = buffer.description_run.reference;
	request.descriptor.length = buffer.length;
	raw_send(&rigs[1].raw, &request);
	visit_wait(&hall, &rigs[1], &rigs[1].raw.answers.count, 2);
	assert_true(
		hdmabuf_answer_decode(raw_take(&rigs[1].raw.answers), &answer));
	assert_int_equal(answer.fault.status, HDMABUF_STATUS_BAD_REFERENCE);
	leave(&rigs[0]);
	leave(&rigs[1]);
	raw_buffer_free(&buffer);
	hall_close(&hall);
}

/* Who breaks the rules loses its own session, over and over. */
static void test_bad_neighbour(void **state)
{
	struct hall hall;
	struct rig rig;
	unsigned int i;

	(void)state;
	hall_open(&hall, NULL);
	visit(&hall, &rig);
	for (i = 1; i <= 10; i++) {
		unsigned int records;

		visit_greet(&hall, &rig);
		records = rig.raw.records;
		rig.raw.own.indices->req_prod = hdmabuf_put_le32(777);
		raw_push(&rig.raw);
		hall_wait(&hall, &hall.back.seen.disconnected, i);
		visit_wait(&hall, &rig, &rig.raw.records, records + 1);
		check_all(&hall);
	}
	leave(&rig);
	assert_int_equal(hall.session_count, FRONTENDS);
	hall_close(&hall);
}

/* A ring of 2048 slots, always full: others have their turn all the same. */
static void test_flood(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ECHO };
	union hdmabuf_message message;
	struct hdmabuf_config config;
	struct hall hall;
	struct rig rig;
	struct raw_peer *raw = &rig.raw;
	uint64_t before, done;
	uint32_t i;

	(void)state;
	hdmabuf_config_init(&config);
	config.ring_order = 6;
	hall_open(&hall, &config);
	visit(&hall, &rig);
	visit_wait(&hall, &rig, &raw->records, 1);
	raw->ring_order = 6;
	raw_prepare(raw);
	raw_publish_reply(raw);
	visit_wait(&hall, &rig, &raw->answers.count, 1);
	hall_run(&hall);
	assert_int_equal(raw->own.slots, 2048);
	raw->own.consumed = raw->own.produced;
	for (i = 0; i < 2048; i++) {
		hdmabuf_request_encode(&request, &message);
		raw_put(raw, &message);
	}
	raw_push(raw);
	/* The visitor's session is the last one that was connected. */
	before =
		hdmabuf_session_statistics(hall.back.session)->requests_received;
	assert_int_equal(hdmabuf_session_echo(hall.fronts[0].session,
					      (uint8_t[56]){ 0 }),
			 0);
	hdmabuf_endpoint_flush(hall.fronts[0].endpoint);
	end_dispatch(&hall.back);
	done = hdmabuf_session_statistics(hall.back.session)->requests_received -
	       before;
	assert_in_range(done, 1, 256);
	/* What is left will be done, and the other is answered already. */
	assert_true(end_is_ready(&hall.back, 1000));
	assert_true(end_is_ready(&hall.fronts[0], 0));
	while (end_is_ready(&hall.fronts[0], 0))
		end_dispatch(&hall.fronts[0]);
	assert_int_equal(hall.fronts[0].seen.echoed, 1);
	hall_run(&hall);
	done = hdmabuf_session_statistics(hall.back.session)->requests_received -
	       before;
	assert_int_equal(done, 2048);
	check_all(&hall);
	leave(&rig);
	hall_close(&hall);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_backend_comes_later_and_again),
		cmocka_unit_test(test_frontends_come_and_go),
		cmocka_unit_test(test_most_sessions),
		cmocka_unit_test(test_buffers_apart),
		cmocka_unit_test(test_id_of_another_session),
		cmocka_unit_test(test_reference_of_another_link),
		cmocka_unit_test(test_bad_neighbour),
		cmocka_unit_test(test_flood),
	};

	return hdmabuf_test_run("session_many", tests,
				sizeof(tests) / sizeof(tests[0]));
}
