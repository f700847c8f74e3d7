/* SPDX-License-Identifier: MIT */
/*
 * Limits: what the peer announces is not exceeded, what this end has announced is
 * enforced, and what is released makes room again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/raw_peer.h"

#define PAGE 4096u

/* ---- as the sender ------------------------------------------------------- */

static void check_export(struct pair *pair, struct sample *sample,
			 uint64_t size, int wanted)
{
	unsigned int exported = pair->front.seen.exported;

	sample_make(sample, &pair->front, size, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(sample, &pair->front), wanted);
	if (wanted) {
		sample_free(sample);
		return;
	}
	pair_wait(pair, &pair->front.seen.exported, exported + 1);
	assert_int_equal(pair->front.seen.exports_refused, 0);
}

static void test_buffers(void **state)
{
	struct sample samples[4], another;
	struct hdmabuf_config config;
	struct pair pair = { 0 };
	int i;

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_buffers = 3;
	pair_connect(&pair, NULL, &config);
	for (i = 0; i < 3; i++)
		check_export(&pair, &samples[i], PAGE, 0);
	check_export(&pair, &another, PAGE, -EDQUOT);
	pair_unshare(&pair, &pair.front, &samples[1]);
	check_export(&pair, &samples[1], PAGE, 0);
	check_export(&pair, &another, PAGE, -EDQUOT);
	/* One that the importer gives back by itself counts no longer, either. */
	hdmabuf_buffer_release(pair.back.seen.buffer);
	pair_wait(&pair, &pair.front.seen.released, 2);
	sample_free(&samples[1]);
	check_export(&pair, &samples[1], PAGE, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_close(&pair);
	for (i = 0; i < 3; i++)
		sample_free(&samples[i]);
}

/* In whole pages. */
static void test_octets(void **state)
{
	struct sample samples[3], another;
	struct hdmabuf_config config;
	struct pair pair = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_octets = 10 * PAGE + 5;
	pair_connect(&pair, NULL, &config);
	check_export(&pair, &another, 10 * PAGE + 1, -EDQUOT);
	check_export(&pair, &samples[0], 6 * PAGE + 1, 0);
	check_export(&pair, &another, 3 * PAGE + 1, -EDQUOT);
	check_export(&pair, &samples[1], 3 * PAGE, 0);
	check_export(&pair, &another, 1, -EDQUOT);
	pair_unshare(&pair, &pair.front, &samples[0]);
	check_export(&pair, &samples[0], 7 * PAGE, 0);
	check_export(&pair, &another, 1, -EDQUOT);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_close(&pair);
	sample_free(&samples[0]);
	sample_free(&samples[1]);
}

static void test_private(void **state)
{
	static uint8_t private_data[1500];
	struct hdmabuf_config config;
	struct sample sample;
	struct pair pair = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_private = 1024;
	pair_connect(&pair, NULL, &config);
	sample_make(&sample, &pair.front, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	sample.info.private_data = private_data;
	sample.info.private_octets = 1025;
	assert_int_equal(sample_export(&sample, &pair.front), -EDQUOT);
	sample.info.private_octets = 1024;
	assert_int_equal(sample_export(&sample, &pair.front), 0);
	pair_wait(&pair, &pair.front.seen.exported, 1);
	assert_int_equal(pair.front.seen.exports_refused, 0);
	sample.info.private_octets = 1025;
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), -EDQUOT);
	sample.info.private_octets = 0;
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), 0);
	pair_wait(&pair, &pair.back.seen.updated, 1);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* A peer that wants to import nothing gets nothing. */
static void test_no_imports(void **state)
{
	struct hdmabuf_timeline_handle *timeline;
	struct hdmabuf_config config;
	struct sample sample;
	struct pair pair = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.limits = (struct hdmabuf_limits){ .max_in_flight = 1 };
	pair_connect(&pair, NULL, &config);
	check_export(&pair, &sample, 1, -EDQUOT);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 -EDQUOT);
	pair_check(&pair);
	/* The other way, there is no such limit. */
	sample_make(&sample, &pair.back, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&sample, &pair.back), 0);
	pair_wait(&pair, &pair.back.seen.exported, 1);
	pair_unshare(&pair, &pair.back, &sample);
	pair_close(&pair);
}

static void test_in_flight(void **state)
{
	struct hdmabuf_config config;
	struct sample sample;
	struct pair pair = { 0 };
	unsigned int i;

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_in_flight = 3;
	pair_connect(&pair, NULL, &config);
	for (i = 0; i < 3; i++)
		assert_int_equal(hdmabuf_session_echo(pair.front.session,
						      (uint8_t[56]){ 0 }),
				 0);
	assert_int_equal(hdmabuf_session_echo(pair.front.session,
					      (uint8_t[56]){ 0 }),
			 -EAGAIN);
	check_export(&pair, &sample, PAGE, -EAGAIN);
	assert_int_equal(hdmabuf_session_close(pair.front.session,
					       HDMABUF_REASON_DONE),
			 -EAGAIN);
	pair_wait(&pair, &pair.front.seen.echoed, 3);
	assert_int_equal(pair.back.seen.errors, 0);
	/* What the library has to say by itself waits for its turn. */
	pair_share(&pair, &pair.back, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	for (i = 0; i < 3; i++)
		assert_int_equal(hdmabuf_session_echo(pair.front.session,
						      (uint8_t[56]){ 0 }),
				 0);
	hdmabuf_buffer_release(pair.front.seen.buffer);
	pair_wait(&pair, &pair.back.seen.released, 1);
	sample_free(&sample);
	pair_check(&pair);
	pair_close(&pair);
}

/* One request at a time is enough for everything. */
static void test_one_in_flight(void **state)
{
	struct hdmabuf_timeline_handle *timeline;
	struct hdmabuf_config config;
	struct sample samples[3];
	struct pair pair = { 0 };
	int i;

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_in_flight = 1;
	pair.back.policy.map = true;
	pair_connect(&pair, &config, &config);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 0);
	pair_run(&pair);
	for (i = 0; i < 3; i++)
		pair_share(&pair, &pair.front, &samples[i], PAGE,
			   HDMABUF_RIGHTS_READ_ONLY);
	for (i = 0; i < 3; i++) {
		assert_int_equal(pair_hand_off(samples[i].buffer, NULL, 0,
					       timeline, (uint64_t)i + 1, 0,
					       i < 2),
				 0);
		pair_run(&pair);
	}
	assert_int_equal(pair.back.seen.turn_count, 3);
	for (i = 0; i < 3; i++)
		pair_unshare(&pair, &pair.front, &samples[i]);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	assert_int_equal(hdmabuf_session_close(pair.front.session,
					       HDMABUF_REASON_DONE),
			 0);
	pair_wait(&pair, &pair.back.seen.disconnected, 1);
	pair_close(&pair);
}

/* ---- as the receiver, from a peer that does not care ----------------------- */

static void check_limit(struct rig *rig, struct raw_buffer *buffer,
			uint64_t limit)
{
	struct hdmabuf_answer answer;
	unsigned int imported = rig->end.seen.imported;

	assert_int_equal(rig_export(rig, buffer, &answer),
			 HDMABUF_STATUS_LIMIT);
	assert_int_equal(answer.fault.value, limit);
	assert_int_equal(rig->end.seen.imported, imported);
	assert_int_equal(rig_name(rig, HDMABUF_OP_QUERY, &buffer->id, NULL),
			 HDMABUF_STATUS_NO_SUCH_BUFFER);
	rig_check(rig);
}

static void test_buffers_enforced(void **state)
{
	struct hdmabuf_config config;
	struct raw_buffer buffers[3];
	struct rig rig = { 0 };
	int i;

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_buffers = 2;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	rig_share(&rig, &buffers[0], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	rig_share(&rig, &buffers[1], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	raw_buffer_make(&rig.raw, &buffers[2], PAGE, HDMABUF_RIGHTS_READ_ONLY,
			0);
	check_limit(&rig, &buffers[2], 2);
	assert_int_equal(
		rig_name(&rig, HDMABUF_OP_UNEXPORT, &buffers[0].id, NULL), 0);
	assert_int_equal(rig_export(&rig, &buffers[2], NULL), 0);
	rig_close(&rig);
	for (i = 0; i < 3; i++)
		raw_buffer_free(&buffers[i]);
}

/*
 * A buffer counts until it is released, and not any longer: also if the
 * application still has the handle of one that is.
 */
static void test_handle_does_not_count(void **state)
{
	struct hdmabuf_config config;
	struct raw_buffer buffers[2];
	struct rig rig = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_buffers = 1;
	config.limits.max_octets = PAGE;
	rig.end.policy.keep = true;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	rig_share(&rig, &buffers[0], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(
		rig_name(&rig, HDMABUF_OP_UNEXPORT, &buffers[0].id, NULL), 0);
	rig_share(&rig, &buffers[1], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	rig_close(&rig);
	raw_buffer_free(&buffers[0]);
	raw_buffer_free(&buffers[1]);
}

static void test_octets_enforced(void **state)
{
	struct hdmabuf_config config;
	struct raw_buffer buffers[3];
	struct rig rig = { 0 };
	int i;

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_octets = 10 * PAGE;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	raw_buffer_make(&rig.raw, &buffers[0], 11 * PAGE,
			HDMABUF_RIGHTS_READ_ONLY, 0);
	check_limit(&rig, &buffers[0], 10 * PAGE);
	rig_share(&rig, &buffers[1], 9 * PAGE + 1, HDMABUF_RIGHTS_READ_ONLY);
	raw_buffer_make(&rig.raw, &buffers[2], 1, HDMABUF_RIGHTS_READ_ONLY, 0);
	check_limit(&rig, &buffers[2], 10 * PAGE);
	rig_close(&rig);
	for (i = 0; i < 3; i++)
		raw_buffer_free(&buffers[i]);
}

static void test_private_enforced(void **state)
{
	static uint8_t private_data[1500];
	struct hdmabuf_config config;
	struct raw_buffer buffer, good;
	struct rig rig = { 0 };
	struct hdmabuf_answer answer;

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_private = 1400;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	raw_buffer_make(&rig.raw, &buffer, PAGE, HDMABUF_RIGHTS_READ_ONLY, 0);
	buffer.info.private_data = private_data;
	buffer.info.private_octets = 1401;
	raw_buffer_describe(&buffer);
	check_limit(&rig, &buffer, 1400);
	buffer.info.private_octets = 1400;
	raw_buffer_describe(&buffer);
	assert_int_equal(rig_export(&rig, &buffer, NULL), 0);
	good = buffer;
	good.generation = 2;
	good.info.private_octets = 1401;
	raw_buffer_describe(&good);
	assert_int_equal(rig_update(&rig, &good, &answer),
			 HDMABUF_STATUS_LIMIT);
	assert_int_equal(answer.fault.value, 1400);
	good.info.private_octets = 3;
	raw_buffer_describe(&good);
	assert_int_equal(rig_update(&rig, &good, NULL), 0);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

/* More at once than were allowed: as many as may be are done. */
static void test_in_flight_enforced(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ECHO };
	union hdmabuf_message message;
	struct hdmabuf_answer answer;
	struct hdmabuf_config config;
	struct rig rig = { 0 };
	struct raw_peer *raw = &rig.raw;
	unsigned int i;

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_in_flight = 5;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	raw->answers.count = raw->answers.taken = 0;
	for (i = 0; i < 12; i++) {
		hdmabuf_request_encode(&request, &message);
		raw_put(raw, &message);
	}
	raw_push(raw);
	rig_wait(&rig, &raw->answers.count, 12);
	for (i = 0; i < 12; i++) {
		assert_true(hdmabuf_answer_decode(raw_take(&raw->answers),
						  &answer));
		assert_int_equal(answer.fault.status,
				 i < 5 ? HDMABUF_STATUS_OK :
					 HDMABUF_STATUS_LIMIT);
		assert_int_equal(answer.fault.value, i < 5 ? 0 : 5);
	}
	rig_check(&rig);
	rig_close(&rig);
}

/* The limits of the peer's HELLO are those that count, not those of last time. */
static void test_limits_of_this_session(void **state)
{
	struct sample samples[2];
	struct rig rig = { 0 };

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig.raw.hello.limits.max_buffers = 1;
	rig_run(&rig);
	rig_greet(&rig);
	rig_accept(&rig, &samples[0], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	sample_make(&samples[1], &rig.end, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&samples[1], &rig.end), -EDQUOT);
	rig.raw.hello.limits.max_buffers = 2;
	rig.raw.hello.limits.max_octets = 2 * PAGE;
	rig_greet(&rig);
	sample_free(&samples[1]);
	rig_accept(&rig, &samples[1], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	rig_close(&rig);
	sample_free(&samples[0]);
	sample_free(&samples[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_no_imports),
		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_one_in_flight),
		cmocka_unit_test(test_buffers_enforced),
		cmocka_unit_test(test_handle_does_not_count),
		cmocka_unit_test(test_octets_enforced),
		cmocka_unit_test(test_private_enforced),
		cmocka_unit_test(test_in_flight_enforced),
		cmocka_unit_test(test_limits_of_this_session),
	};

	return hdmabuf_test_run("session_limits", tests,
				sizeof(tests) / sizeof(tests[0]));
}
