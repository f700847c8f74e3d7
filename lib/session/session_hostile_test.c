/* SPDX-License-Identifier: MIT */
/*
 * Peers that send what they should not: messages, answers, indices. Afterwards the
 * session still works, or is over and another one can be had.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/raw_peer.h"

#define PAGE 4096u

/* ---- requests ------------------------------------------------------------ */

static void test_unknown_operations(void **state)
{
	static const uint16_t operations[] = {
		0x00, 0x04,  0x0f,  0x19,   0x1f,   0x22,
		0xff, 0x100, 0x101, 0x1000, 0x8001, 0xffff,
	};
	union hdmabuf_message message, answer;
	struct rig rig = { 0 };
	size_t i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		memset(&message, 0xff, sizeof(message));
		message.header.operation = hdmabuf_put_le16(operations[i]);
		message.header.status = 0;
		assert_int_equal(rig_ask_message(&rig, &message, &answer),
				 HDMABUF_STATUS_UNKNOWN_OPERATION);
		assert_int_equal(hdmabuf_get_le64(answer.error.offset), 4);
		assert_int_equal(hdmabuf_get_le64(answer.error.value),
				 operations[i]);
	}
	rig_check(&rig);
	rig_close(&rig);
}

/* A request in which everything but the zero fields is as it should be. */
static void make_request(uint16_t operation, const struct hdmabuf_id *id,
			 struct hdmabuf_request *request)
{
	memset(request, 0, sizeof(*request));
	request->operation = operation;
	request->buffer = *id;
	switch (operation) {
	case HDMABUF_OP_CLOSE:
		request->reason = HDMABUF_REASON_DONE;
		break;
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
		request->descriptor.reference = 1;
		request->descriptor.length = 256;
		break;
	case HDMABUF_OP_HAND_OFF:
		request->hand_off.wait_timeline = HDMABUF_NO_TIMELINE;
		request->hand_off.signal_timeline = HDMABUF_NO_TIMELINE;
		break;
	case HDMABUF_OP_ALLOCATE:
		request->allocate.size = 1;
		request->allocate.rights = HDMABUF_RIGHTS_READ_WRITE;
		request->allocate.attributes = HDMABUF_ATTRIBUTE_CACHED;
		break;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		request->cpu_access.octets = 1;
		request->cpu_access.access = HDMABUF_ACCESS_READ;
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
		request->timeline.signaller = HDMABUF_SIGNALLER_PEER;
		break;
	}
}

/* Where the zero fields of a request begin, behind the header; to its end. */
static const struct zeros {
	uint16_t operation;
	size_t first;
	size_t end;
} zeros[] = {
	{ HDMABUF_OP_CLOSE, 12, 64 },
	{ HDMABUF_OP_EXPORT, 36, 64 },
	{ HDMABUF_OP_UPDATE, 36, 64 },
	{ HDMABUF_OP_UNEXPORT, 28, 64 },
	{ HDMABUF_OP_RELEASED, 24, 64 },
	{ HDMABUF_OP_HAND_OFF, 52, 56 },
	{ HDMABUF_OP_QUERY, 24, 64 },
	{ HDMABUF_OP_ALLOCATE, 52, 64 },
	{ HDMABUF_OP_CPU_BEGIN, 44, 64 },
	{ HDMABUF_OP_CPU_END, 44, 64 },
	{ HDMABUF_OP_TIMELINE_CREATE, 24, 64 },
	{ HDMABUF_OP_TIMELINE_DESTROY, 12, 64 },
	{ HDMABUF_OP_ECHO, 64, 64 },
};

static void check_octet(struct rig *rig, const union hdmabuf_message *good,
			size_t at)
{
	union hdmabuf_message message = *good, answer;

	message.octets[at] = (uint8_t)(1u << at % 8);
	assert_int_equal(rig_ask_message(rig, &message, &answer),
			 HDMABUF_STATUS_RESERVED);
	assert_int_equal(hdmabuf_get_le32(answer.error.where),
			 HDMABUF_WHERE_REQUEST);
	assert_in_range(at - hdmabuf_get_le64(answer.error.offset), 0, 63);
}

/* Each octet that must be zero, of each request, set by itself. */
static void test_reserved_octets(void **state)
{
	struct hdmabuf_request request;
	union hdmabuf_message message;
	struct raw_buffer buffer;
	struct sample sample;
	struct rig rig = { 0 };
	struct hdmabuf_answer answer;
	size_t i, at;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_share(&rig, &buffer, PAGE, HDMABUF_RIGHTS_READ_WRITE);
	rig_accept(&rig, &sample, PAGE, HDMABUF_RIGHTS_READ_WRITE);
	for (i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
		make_request(zeros[i].operation,
			     zeros[i].operation == HDMABUF_OP_RELEASED ?
				     hdmabuf_buffer_id(sample.buffer) :
				     &buffer.id,
			     &request);
		hdmabuf_request_encode(&request, &message);
		check_octet(&rig, &message, 6);
		check_octet(&rig, &message, 7);
		for (at = zeros[i].first; at < zeros[i].end; at++)
			check_octet(&rig, &message, at);
	}
	/* Nothing has happened to the buffers. */
	assert_int_equal(rig_name(&rig, HDMABUF_OP_QUERY, &buffer.id, &answer),
			 0);
	assert_int_equal(answer.query.state, HDMABUF_BUFFER_IMPORTED);
	assert_int_equal(answer.query.generation, 1);
	assert_int_equal(answer.query.hand_offs, 0);
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_LIVE);
	assert_int_equal(rig.end.seen.released, 0);
	assert_int_equal(rig.end.seen.imported, 1);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
	sample_free(&sample);
}

/* Ids that nobody has given to a buffer. */
static void test_unknown_ids(void **state)
{
	static const uint16_t operations[] = {
		HDMABUF_OP_UPDATE,   HDMABUF_OP_UNEXPORT, HDMABUF_OP_RELEASED,
		HDMABUF_OP_HAND_OFF, HDMABUF_OP_QUERY,	  HDMABUF_OP_CPU_BEGIN,
		HDMABUF_OP_CPU_END,
	};
	struct hdmabuf_id ids[3] = { 0 };
	struct hdmabuf_request request;
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	size_t i, k;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_share(&rig, &buffer, PAGE, HDMABUF_RIGHTS_READ_WRITE);
	memset(&ids[1], 0xff, sizeof(ids[1]));
	ids[2] = buffer.id;
	ids[2].octets[15] ^= 1;
	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		for (k = 0; k < 3; k++) {
			make_request(operations[i], &ids[k], &request);
			assert_int_equal(rig_ask(&rig, &request, NULL),
					 HDMABUF_STATUS_NO_SUCH_BUFFER);
		}
	}
	make_request(HDMABUF_OP_EXPORT, &ids[0], &request);
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_INVALID);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

/* Of several things that are wrong, the first in the order of HDB-BOTH-038. */
static void test_order_of_faults(void **state)
{
	struct hdmabuf_request request;
	union hdmabuf_message message, answer;
	struct hdmabuf_id nobody = { { 1 } };
	struct hdmabuf_config config;
	struct raw_buffer buffer;
	struct rig rig = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.features = HDMABUF_FEATURE_LEND | HDMABUF_FEATURE_CPU_ACCESS;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	rig_share(&rig, &buffer, PAGE, HDMABUF_RIGHTS_LEND);

	/* No feature before a reserved field, an unknown buffer, a wrong value. */
	make_request(HDMABUF_OP_UPDATE, &nobody, &request);
	request.descriptor.length = 0;
	hdmabuf_request_encode(&request, &message);
	message.octets[63] = 1;
	assert_int_equal(rig_ask_message(&rig, &message, &answer),
			 HDMABUF_STATUS_NOT_NEGOTIATED);
	make_request(HDMABUF_OP_HAND_OFF, &nobody, &request);
	request.hand_off.flags = 3;
	hdmabuf_request_encode(&request, &message);
	message.octets[52] = 1;
	assert_int_equal(rig_ask_message(&rig, &message, &answer),
			 HDMABUF_STATUS_NOT_NEGOTIATED);
	/* A reserved field before an unknown buffer. */
	request.hand_off.flags = 2;
	hdmabuf_request_encode(&request, &message);
	message.octets[52] = 1;
	assert_int_equal(rig_ask_message(&rig, &message, &answer),
			 HDMABUF_STATUS_RESERVED);
	/* An unknown buffer before a wrong value. */
	hdmabuf_request_encode(&request, &message);
	assert_int_equal(rig_ask_message(&rig, &message, &answer),
			 HDMABUF_STATUS_NO_SUCH_BUFFER);
	/* An unknown timeline before a buffer in the wrong state. */
	make_request(HDMABUF_OP_HAND_OFF, &buffer.id, &request);
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_OK);
	request.hand_off.signal_timeline = 3;
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_NO_SUCH_TIMELINE);
	/* The state of the buffer before a wrong value. */
	make_request(HDMABUF_OP_HAND_OFF, &buffer.id, &request);
	request.hand_off.wait_point = 7;
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_WRONG_STATE);
	make_request(HDMABUF_OP_CPU_END, &buffer.id, &request);
	request.cpu_access.octets = 0;
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_WRONG_STATE);
	request.operation = HDMABUF_OP_CPU_BEGIN;
	assert_int_equal(rig_ask(&rig, &request, NULL), HDMABUF_STATUS_INVALID);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

static uint16_t ask_create(struct rig *rig, uint32_t number,
			   enum hdmabuf_signaller signaller)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_TIMELINE_CREATE,
		.timeline = { number, signaller, 0 },
	};

	return rig_ask(rig, &request, NULL);
}

static uint16_t ask_points(struct rig *rig, const struct raw_buffer *buffer,
			   uint32_t wait, uint64_t wait_point, uint32_t signal,
			   uint64_t signal_point)
{
	struct hdmabuf_hand_off_body body = {
		.wait_timeline = wait,
		.wait_point = wait_point,
		.signal_timeline = signal,
		.signal_point = signal_point,
	};

	return rig_hand_off(rig, &buffer->id, &body, NULL);
}

/* Timeline 0 is signalled by the sender of the hand-off, 1 by its receiver. */
static void test_points_of_hand_offs(void **state)
{
	const uint32_t none = HDMABUF_NO_TIMELINE;
	struct raw_buffer buffer;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_share(&rig, &buffer, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(ask_create(&rig, 0, HDMABUF_SIGNALLER_CREATOR), 0);
	assert_int_equal(ask_create(&rig, 1, HDMABUF_SIGNALLER_PEER), 0);

	assert_int_equal(ask_points(&rig, &buffer, none, 1, none, 0),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, none, 1),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(ask_points(&rig, &buffer, 2, 0, none, 0),
			 HDMABUF_STATUS_NO_SUCH_TIMELINE);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, 64, 1),
			 HDMABUF_STATUS_NO_SUCH_TIMELINE);
	assert_int_equal(ask_points(&rig, &buffer, 1, 1, none, 0),
			 HDMABUF_STATUS_WRONG_ROLE);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, 0, 1),
			 HDMABUF_STATUS_WRONG_ROLE);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, 1, 0),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(rig.end.seen.handed_off, 0);
	/* Greater than named before, and than reached. */
	rig.end.policy.hold = true;
	assert_int_equal(ask_points(&rig, &buffer, 0, 1000, 1, 5), 0);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, 1, 5),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, 1, 4),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(
		hdmabuf_timeline_signal(rig.end.seen.turns[0].signal, 9), 0);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, 1, 9),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, 1, 10), 0);
	assert_int_equal(ask_points(&rig, &buffer, none, 0, 1, UINT64_MAX), 0);
	assert_int_equal(rig.end.seen.handed_off, 3);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

static uint16_t ask_member(struct rig *rig, const struct raw_buffer *buffer,
			   bool more)
{
	struct hdmabuf_hand_off_body body = {
		.wait_timeline = HDMABUF_NO_TIMELINE,
		.signal_timeline = HDMABUF_NO_TIMELINE,
		.flags = more ? HDMABUF_HAND_OFF_MORE : 0,
	};

	return rig_hand_off(rig, &buffer->id, &body, NULL);
}

/* What fits between the members of a group, and what does not. */
static void test_groups(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ECHO };
	struct raw_buffer buffer, nobody;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_share(&rig, &buffer, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	nobody = buffer;
	nobody.id.octets[3] ^= 1;
	assert_int_equal(ask_member(&rig, &buffer, true), 0);
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_WRONG_STATE);
	assert_int_equal(rig_name(&rig, HDMABUF_OP_UNEXPORT, &buffer.id, NULL),
			 HDMABUF_STATUS_WRONG_STATE);
	/* Who is refused is no member; more is due if the flag says so. */
	assert_int_equal(ask_member(&rig, &nobody, true),
			 HDMABUF_STATUS_NO_SUCH_BUFFER);
	assert_int_equal(ask_member(&rig, &buffer, true), 0);
	assert_int_equal(ask_member(&rig, &buffer, true), 0);
	assert_int_equal(ask_member(&rig, &buffer, true),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(rig.end.seen.handed_off, 0);
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_WRONG_STATE);
	assert_int_equal(ask_member(&rig, &buffer, false), 0);
	assert_int_equal(rig.end.seen.handed_off, 1);
	assert_int_equal(rig.end.seen.turn_count, 4);
	rig_check(&rig);
	/* A last one that is refused ends the group all the same. */
	assert_int_equal(ask_member(&rig, &buffer, true), 0);
	assert_int_equal(ask_member(&rig, &nobody, false),
			 HDMABUF_STATUS_NO_SUCH_BUFFER);
	assert_int_equal(rig.end.seen.handed_off, 2);
	assert_int_equal(rig.end.seen.turn_count, 1);
	rig_check(&rig);
	/* Who lets go of all members has still to wait for the last. */
	assert_int_equal(ask_member(&rig, &buffer, true), 0);
	hdmabuf_buffer_release(rig.end.seen.buffer);
	rig_grant(&rig, HDMABUF_OP_RELEASED, &request);
	request.operation = HDMABUF_OP_ECHO;
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_WRONG_STATE);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

/* ---- answers ------------------------------------------------------------- */

enum spoilt {
	WRONG_ID,
	WRONG_OPERATION,
	UNKNOWN_OPERATION,
	TWICE,
	NOT_ASKED,
	RESERVED_ERROR,
	WRONG_WHERE,
	WRONG_ECHO,
	ALL_KINDS
};

static void answer_spoilt(struct raw_peer *raw, enum spoilt how)
{
	union hdmabuf_message message = *raw_take(&raw->requests);

	switch (how) {
	case WRONG_ID:
		message.header.id ^= hdmabuf_put_le32(1u << 31);
		break;
	case WRONG_OPERATION:
		message.header.operation = hdmabuf_put_le16(HDMABUF_OP_QUERY);
		break;
	case UNKNOWN_OPERATION:
		message.header.operation = hdmabuf_put_le16(0x7777);
		break;
	case RESERVED_ERROR:
		message.header.status = hdmabuf_put_le16(1);
		message.octets[12] = 1;
		break;
	case WRONG_WHERE:
		message.header.status = hdmabuf_put_le16(1);
		message.octets[8] = HDMABUF_WHERE_CHANNEL;
		break;
	case WRONG_ECHO:
		message.octets[63] = 1;
		break;
	default:
		break;
	}
	hdmabuf_ring_put_answer(&raw->peer, &message);
	if (how == TWICE || how == NOT_ASKED)
		hdmabuf_ring_put(&raw->peer, &message);
	if (how == NOT_ASKED)
		hdmabuf_ring_put(&raw->peer, &message);
	raw_push(raw);
}

static void test_spoilt_answers(void **state)
{
	enum hdmabuf_role role;
	struct rig rig = { 0 };
	int how;

	(void)state;
	for (role = HDMABUF_FRONTEND; role <= HDMABUF_BACKEND; role++) {
		rig_connect(&rig, role, NULL);
		for (how = 0; how < ALL_KINDS; how++) {
			hdmabuf_session_echo(rig.end.session,
					     (uint8_t[56]){ 0 });
			/* Something else is under way, so that TWICE can be. */
			hdmabuf_session_echo(rig.end.session,
					     (uint8_t[56]){ 0 });
			rig_wait(&rig, &rig.raw.requests.count, 2);
			answer_spoilt(&rig.raw, how);
			rig_wait(&rig, &rig.end.seen.disconnected,
				 (unsigned)how + 1);
			assert_int_equal(rig.end.seen.status,
					 HDMABUF_STATUS_LOST);
			rig_check_anew(&rig);
		}
		rig_close(&rig);
	}
}

/* OK to CLOSE and such has no payload. */
static void test_spoilt_plain_answers(void **state)
{
	union hdmabuf_message message;
	struct sample sample;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	sample_make(&sample, &rig.end, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&sample, &rig.end), 0);
	rig_wait(&rig, &rig.raw.requests.count, 1);
	message = *raw_take(&rig.raw.requests);
	memset(message.octets + 8, 0, 56);
	message.octets[40] = 1;
	hdmabuf_ring_put_answer(&rig.raw.peer, &message);
	raw_push(&rig.raw);
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	rig_wait(&rig, &rig.end.seen.released, 1);
	rig_check_anew(&rig);
	rig_close(&rig);
	sample_free(&sample);
}

/* A status that nobody knows stands for FAILED. */
static void test_unknown_status(void **state)
{
	static const uint16_t statuses[] = { 23, 0x100, 0xffff,
					     HDMABUF_STATUS_LOST };
	struct hdmabuf_request request;
	struct sample sample;
	struct rig rig = { 0 };
	unsigned int i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < 4; i++) {
		sample_make(&sample, &rig.end, PAGE, HDMABUF_RIGHTS_READ_ONLY);
		assert_int_equal(sample_export(&sample, &rig.end), 0);
		rig_expect(&rig, HDMABUF_OP_EXPORT, &request);
		raw_answer_plain(&rig.raw, &rig.raw.requests.messages[0],
				 statuses[i]);
		rig_wait(&rig, &rig.end.seen.released, i + 1);
		assert_int_equal(rig.end.seen.exports_refused, i + 1);
		assert_int_equal(rig.end.seen.fault.status,
				 HDMABUF_STATUS_FAILED);
		sample_free(&sample);
	}
	rig_check(&rig);
	rig_close(&rig);
}

/* A hand-off that the peer does not take leaves a lent buffer where it was. */
static void test_refused_lending(void **state)
{
	const union hdmabuf_message *message;
	struct hdmabuf_buffer *buffer;
	struct raw_buffer theirs;
	struct sample sample;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_accept(&rig, &sample, PAGE, HDMABUF_RIGHTS_LEND);
	assert_int_equal(
		pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false), 0);
	rig_wait(&rig, &rig.raw.requests.count, 2);
	message = &rig.raw.requests.messages[1];
	raw_answer_plain(&rig.raw, message, HDMABUF_STATUS_FAILED);
	rig_wait(&rig, &rig.end.seen.refused, 1);
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_LIVE);
	assert_int_equal(
		pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false), 0);

	rig_share(&rig, &theirs, PAGE, HDMABUF_RIGHTS_LEND);
	buffer = rig.end.seen.buffer;
	assert_int_equal(ask_member(&rig, &theirs, false), 0);
	rig.raw.requests.taken = rig.raw.requests.count;
	assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 0, false), 0);
	rig_wait(&rig, &rig.raw.requests.count, rig.raw.requests.taken + 1);
	message = raw_take(&rig.raw.requests);
	/* That of the first buffer was answered by nobody: it comes first. */
	raw_answer_plain(&rig.raw, message, HDMABUF_STATUS_FAILED);
	rig_wait(&rig, &rig.end.seen.refused, 2);
	assert_ptr_equal(rig.end.seen.answered_buffer, buffer);
	assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 0, false), 0);
	rig_close(&rig);
	raw_buffer_free(&theirs);
	sample_free(&sample);
}

/* ---- indices ------------------------------------------------------------- */

static const uint32_t steps[] = {
	33,	    34,		64,	    65,		1000,
	0x7fffffff, 0x80000000, 0x80000001, 0xfffffff0, 0xffffffff,
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void step_index(hdmabuf_le32 *index, uint32_t step)
{
	*index = hdmabuf_put_le32(hdmabuf_get_le32(*index) + step);
}

/* More requests than there are slots, or fewer than there were. */
static void check_requests_run_wild(enum hdmabuf_role role)
{
	struct rig rig = { 0 };
	size_t i;

	rig_connect(&rig, role, NULL);
	for (i = 0; i < STEPS; i++) {
		step_index(&rig.raw.own.indices->req_prod, steps[i]);
		raw_push(&rig.raw);
		rig_wait(&rig, &rig.end.seen.disconnected, (unsigned)i + 1);
		assert_int_equal(rig.end.seen.status, HDMABUF_STATUS_LOST);
		rig_check_anew(&rig);
	}
	rig_close(&rig);
}

static void check_answers_run_wild(enum hdmabuf_role role)
{
	struct rig rig = { 0 };
	size_t i;

	rig_connect(&rig, role, NULL);
	for (i = 0; i <= STEPS; i++) {
		step_index(&rig.raw.peer.indices->rsp_prod,
			   i < STEPS ? steps[i] : 1);
		raw_push(&rig.raw);
		rig_wait(&rig, &rig.end.seen.disconnected, (unsigned)i + 1);
		assert_int_equal(rig.end.seen.status, HDMABUF_STATUS_LOST);
		rig_check_anew(&rig);
	}
	rig_close(&rig);
}

static void test_indices_run_wild(void **state)
{
	(void)state;
	check_requests_run_wild(HDMABUF_FRONTEND);
	check_requests_run_wild(HDMABUF_BACKEND);
	check_answers_run_wild(HDMABUF_FRONTEND);
	check_answers_run_wild(HDMABUF_BACKEND);
}

/* What the peer writes over this end's own indices is not looked at. */
static void test_own_indices_overwritten(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ECHO };
	struct hdmabuf_answer answer = { .operation = HDMABUF_OP_ECHO };
	union hdmabuf_message message;
	struct rig rig = { 0 };
	struct raw_peer *raw = &rig.raw;
	uint32_t req_prod, rsp_prod;
	size_t i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < STEPS; i++) {
		req_prod = hdmabuf_get_le32(raw->peer.indices->req_prod);
		rsp_prod = hdmabuf_get_le32(raw->own.indices->rsp_prod);
		step_index(&raw->peer.indices->req_prod, steps[i]);
		step_index(&raw->own.indices->rsp_prod, steps[i]);
		step_index(&raw->peer.indices->rsp_event, steps[i]);
		step_index(&raw->own.indices->req_event, steps[i]);
		/* A request each way; without the peer's looking in between. */
		hdmabuf_session_echo(rig.end.session, (uint8_t[56]){ 0 });
		hdmabuf_request_encode(&request, &message);
		raw_put(raw, &message);
		raw_push(raw);
		hdmabuf_endpoint_flush(rig.end.endpoint);
		while (end_is_ready(&rig.end, 0))
			end_dispatch(&rig.end);
		assert_int_equal(hdmabuf_get_le32(raw->peer.indices->req_prod),
				 req_prod + 1);
		assert_int_equal(hdmabuf_get_le32(raw->own.indices->rsp_prod),
				 rsp_prod + 1);
		rig_run(&rig);
		answer.id = hdmabuf_get_le32(
			raw->requests.messages[raw->requests.count - 1]
				.header.id);
		raw->requests.taken = raw->requests.count;
		raw->answers.taken = raw->answers.count;
		raw_answer(raw, &answer);
		rig_wait(&rig, &rig.end.seen.echoed, 2 * (unsigned)i + 1);
		rig_check(&rig);
	}
	assert_int_equal(rig.end.seen.disconnected, 0);
	assert_false(raw->confused);
	rig_close(&rig);
}

/* All slots at once are fine, as often as there are. */
static void test_full_ring(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ECHO };
	union hdmabuf_message message;
	struct rig rig = { 0 };
	struct raw_peer *raw = &rig.raw;
	unsigned int i, turn;

	(void)state;
	rig_connect(&rig, HDMABUF_FRONTEND, NULL);
	for (turn = 0; turn < 10; turn++) {
		raw->answers.count = raw->answers.taken = 0;
		for (i = 0; i < 32; i++) {
			hdmabuf_request_encode(&request, &message);
			raw_put(raw, &message);
		}
		raw_push(raw);
		rig_wait(&rig, &raw->answers.count, 32);
		for (i = 0; i < 32; i++)
			assert_int_equal(
				hdmabuf_get_le32(
					raw->answers.messages[i].header.id),
				raw->next_id - 32 + i);
	}
	raw->answers.taken = raw->answers.count;
	rig_check(&rig);
	rig_close(&rig);
}

/* ---- rubbish ------------------------------------------------------------- */

static unsigned int any(unsigned int below)
{
	return (unsigned int)rand() % below;
}

static const uint16_t known[] = {
	HDMABUF_OP_HELLO,
	HDMABUF_OP_ECHO,
	HDMABUF_OP_EXPORT,
	HDMABUF_OP_UPDATE,
	HDMABUF_OP_UNEXPORT,
	HDMABUF_OP_RELEASED,
	HDMABUF_OP_HAND_OFF,
	HDMABUF_OP_QUERY,
	HDMABUF_OP_ALLOCATE,
	HDMABUF_OP_CPU_BEGIN,
	HDMABUF_OP_CPU_END,
	HDMABUF_OP_TIMELINE_CREATE,
	HDMABUF_OP_TIMELINE_DESTROY,
};

/* Often nearly right: some small numbers, some ids that there are. */
static void make_rubbish(union hdmabuf_message *message,
			 const struct hdmabuf_id *ids, unsigned int id_count)
{
	struct hdmabuf_request request;
	unsigned int i, changes = any(4);

	make_request(known[any(sizeof(known) / sizeof(known[0]))],
		     &ids[any(id_count)], &request);
	hdmabuf_request_encode(&request, message);
	for (i = 0; i < changes; i++)
		message->octets[4 + any(60)] = (uint8_t)any(any(3) ? 4 : 256);
	if (hdmabuf_get_le16(message->header.operation) == HDMABUF_OP_CLOSE)
		message->header.operation = 0;
}

/* Each is answered, once, in order. */
static void test_rubbish(void **state)
{
	union hdmabuf_message message;
	struct raw_buffer buffers[4];
	struct hdmabuf_id ids[7] = { 0 };
	struct sample samples[2];
	struct rig rig = { 0 };
	struct raw_peer *raw = &rig.raw;
	unsigned int i, k;

	(void)state;
	srand(1);
	rig.end.policy.map = true;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < 4; i++) {
		rig_share(&rig, &buffers[i], PAGE,
			  HDMABUF_RIGHTS_READ_ONLY + i % 3);
		ids[i] = buffers[i].id;
	}
	for (i = 0; i < 2; i++) {
		rig_accept(&rig, &samples[i], PAGE,
			   i ? HDMABUF_RIGHTS_LEND : HDMABUF_RIGHTS_READ_WRITE);
		ids[4 + i] = *hdmabuf_buffer_id(samples[i].buffer);
	}
	for (i = 0; i < 500; i++) {
		raw->answers.count = raw->answers.taken = 0;
		raw->requests.taken = raw->requests.count;
		for (k = 0; k < 20; k++) {
			make_rubbish(&message, ids, 7);
			raw_put(raw, &message);
		}
		raw_push(raw);
		rig_wait(&rig, &raw->answers.count, 20);
		for (k = 0; k < 20; k++)
			assert_int_equal(
				hdmabuf_get_le32(
					raw->answers.messages[k].header.id),
				raw->next_id - 20 + k);
		/* What it asks in turn, RELEASED and EXPORT, is answered. */
		while (raw->requests.taken < raw->requests.count)
			raw_answer_plain(raw, raw_take(&raw->requests), 0);
		raw->requests.count = raw->requests.taken = 0;
	}
	assert_int_equal(rig.end.seen.disconnected, 0);
	rig_close(&rig);
	for (i = 0; i < 4; i++)
		raw_buffer_free(&buffers[i]);
	sample_free(&samples[0]);
	sample_free(&samples[1]);
}

/* The same in the place of answers ends the session at worst. */
static void test_rubbish_answers(void **state)
{
	struct rig rig = { 0 };
	union hdmabuf_message message;
	unsigned int i, k;

	(void)state;
	srand(2);
	rig_connect(&rig, HDMABUF_FRONTEND, NULL);
	/* A frontend waits a little after each time that it was cheated. */
	for (i = 0; i < 30; i++) {
		hdmabuf_session_echo(rig.end.session, (uint8_t[56]){ 0 });
		hdmabuf_endpoint_flush(rig.end.endpoint);
		rig_wait(&rig, &rig.raw.requests.count, 1);
		message = rig.raw.requests.messages[0];
		for (k = any(4); k; k--)
			message.octets[any(64)] = (uint8_t)any(256);
		hdmabuf_ring_put(&rig.raw.peer, &message);
		raw_push(&rig.raw);
		rig_run(&rig);
		rig.raw.requests.count = rig.raw.requests.taken = 0;
		if (!rig.end.session)
			rig_greet(&rig);
	}
	rig_check(&rig);
	assert_true(rig.end.seen.disconnected);
	rig_close(&rig);
}

/* The whole of the rings, scribbled over again and again. */
static void test_scribbled_rings(void **state)
{
	struct rig rig = { 0 };
	unsigned int i, k;

	(void)state;
	srand(3);
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < 100; i++) {
		uint8_t *own = (uint8_t *)rig.raw.own.indices;
		uint8_t *peer = (uint8_t *)rig.raw.peer.indices;

		hdmabuf_session_echo(rig.end.session, (uint8_t[56]){ 0 });
		/* In turn the whole of them, and their indices alone. */
		for (k = 0; k < 64; k++) {
			own[any(i % 2 ? 64 : PAGE)] = (uint8_t)any(256);
			peer[any(i % 2 ? 64 : PAGE)] = (uint8_t)any(256);
		}
		rig.raw.platform.ops->notify(rig.raw.link);
		hdmabuf_endpoint_flush(rig.end.endpoint);
		for (k = 0; k < 20 && end_is_ready(&rig.end, 0); k++)
			end_dispatch(&rig.end);
		if (!rig.end.session)
			rig_greet(&rig);
	}
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* Notifications for nothing, in any state, keep nobody busy. */
static void test_empty_notifications(void **state)
{
	struct rig rig = { 0 };
	int i;

	(void)state;
	rig_open(&rig, HDMABUF_FRONTEND, NULL);
	rig_run(&rig);
	for (i = 0; i < 10; i++) {
		rig.raw.platform.ops->notify(rig.raw.link);
		rig_run(&rig);
		assert_false(end_is_ready(&rig.end, 0));
	}
	rig_greet(&rig);
	for (i = 0; i < 10; i++) {
		rig.raw.platform.ops->notify(rig.raw.link);
		rig_run(&rig);
		assert_false(end_is_ready(&rig.end, 0));
	}
	rig_check(&rig);
	rig_close(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_operations),
		cmocka_unit_test(test_reserved_octets),
		cmocka_unit_test(test_unknown_ids),
		cmocka_unit_test(test_order_of_faults),
		cmocka_unit_test(test_points_of_hand_offs),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_spoilt_answers),
		cmocka_unit_test(test_spoilt_plain_answers),
		cmocka_unit_test(test_unknown_status),
		cmocka_unit_test(test_refused_lending),
		cmocka_unit_test(test_indices_run_wild),
		cmocka_unit_test(test_own_indices_overwritten),
		cmocka_unit_test(test_full_ring),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_rubbish_answers),
		cmocka_unit_test(test_scribbled_rings),
		cmocka_unit_test(test_empty_notifications),
	};

	return hdmabuf_test_run("session_hostile", tests,
				sizeof(tests) / sizeof(tests[0]));
}
