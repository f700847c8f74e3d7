/* SPDX-License-Identifier: MIT */
/*
 * How a session comes about, and how it does not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/raw_peer.h"

/* ---- two endpoints ------------------------------------------------------ */

static void test_connect(void **state)
{
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	assert_int_equal(pair.front.seen.connected, 1);
	assert_int_equal(pair.back.seen.connected, 1);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_check(&pair);
	pair_close(&pair);
	assert_int_equal(pair.front.seen.disconnected, 1);
	assert_int_equal(pair.back.seen.disconnected, 1);
}

/* Each may have done all that it can before the other does anything. */
static void check_start_order(bool front_first)
{
	struct pair pair = { 0 };
	struct end *first = front_first ? &pair.front : &pair.back;
	struct end *second = front_first ? &pair.back : &pair.front;

	pair_open(&pair, NULL, NULL);
	while (end_is_ready(first, 0))
		end_dispatch(first);
	assert_int_equal(first->seen.connected, 0);
	while (end_is_ready(second, 0))
		end_dispatch(second);
	pair_wait(&pair, &pair.front.seen.connected, 1);
	pair_wait(&pair, &pair.back.seen.connected, 1);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_start_orders(void **state)
{
	(void)state;
	check_start_order(true);
	check_start_order(false);
}

static void test_features_are_common(void **state)
{
	struct hdmabuf_config front, back;
	struct pair pair = { 0 };

	(void)state;
	hdmabuf_config_init(&front);
	hdmabuf_config_init(&back);
	front.features = HDMABUF_FEATURE_UPDATE | HDMABUF_FEATURE_LEND;
	back.features = HDMABUF_FEATURE_LEND | HDMABUF_FEATURE_GROUP;
	pair_connect(&pair, &front, &back);
	assert_int_equal(hdmabuf_session_features(pair.front.session),
			 HDMABUF_FEATURE_LEND);
	assert_int_equal(hdmabuf_session_features(pair.back.session),
			 HDMABUF_FEATURE_LEND);
	pair_close(&pair);
}

static void check_limits(const struct end *end,
			 const struct hdmabuf_limits *wanted)
{
	const struct hdmabuf_limits *limits =
		hdmabuf_session_limits(end->session);

	assert_int_equal(limits->max_octets, wanted->max_octets);
	assert_int_equal(limits->max_buffers, wanted->max_buffers);
	assert_int_equal(limits->max_timelines, wanted->max_timelines);
	assert_int_equal(limits->max_private, wanted->max_private);
	assert_int_equal(limits->max_in_flight, wanted->max_in_flight);
}

static void test_limits_are_told(void **state)
{
	struct hdmabuf_config front, back;
	struct pair pair = { 0 };

	(void)state;
	hdmabuf_config_init(&front);
	hdmabuf_config_init(&back);
	front.limits = (struct hdmabuf_limits){ 1u << 20, 3, 5, 1024, 7 };
	back.limits = (struct hdmabuf_limits){ 0, 0, 0, 0, 2 };
	pair_connect(&pair, &front, &back);
	check_limits(&pair.front, &back.limits);
	check_limits(&pair.back, &front.limits);
	pair_check(&pair);
	pair_close(&pair);
}

/* Rings and timelines are what both can do. */
static void test_channel_sizes(void **state)
{
	struct hdmabuf_config front, back;
	struct hdmabuf_timeline_handle *timeline;
	struct pair pair = { 0 };
	int i;

	(void)state;
	hdmabuf_config_init(&front);
	hdmabuf_config_init(&back);
	front.ring_order = 2;
	front.timeline_pages = 0;
	back.ring_order = 1;
	pair_connect(&pair, &front, &back);
	/* Two pages of 4096 octets have 64 slots. */
	for (i = 0; i < 64; i++)
		assert_int_equal(hdmabuf_session_echo(pair.front.session,
						      (uint8_t[56]){ 0 }),
				 0);
	assert_int_equal(hdmabuf_session_echo(pair.front.session,
					      (uint8_t[56]){ 0 }),
			 -EAGAIN);
	pair_wait(&pair, &pair.front.seen.echoed, 64);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 -EDQUOT);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_wrong_configurations(void **state)
{
	struct hdmabuf_config good, config;
	struct hdmabuf_callbacks none = { 0 };
	int i;

	(void)state;
	hdmabuf_config_init(&good);
	for (i = 0; i < 6; i++) {
		struct hdmabuf_platform platforms[2];
		struct hdmabuf_endpoint *endpoint;

		config = good;
		config.limits.max_in_flight = i == 0 ? 0 : 1;
		config.max_sessions = i == 1 ? 0 : 1;
		config.features |= i == 2 ? 1ull << 63 : 0;
		config.limits.max_private = i == 3 ? 1023 : 1024;
		config.ring_order = i == 4 ? HDMABUF_RING_ORDER_MAX + 1 : 0;
		config.timeline_pages =
			i == 5 ? HDMABUF_TIMELINE_PAGES_MAX + 1 : 0;
		assert_int_equal(
			hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
		assert_int_equal(hdmabuf_endpoint_new(platforms[0],
						      HDMABUF_FRONTEND, &config,
						      &none, NULL, &endpoint),
				 -EINVAL);
		platforms[1].ops->close(platforms[1].endpoint);
	}
}

/* ---- a backend, and what a frontend may tell it -------------------------- */

static void read_offer(struct rig *rig, struct hdmabuf_offer *offer)
{
	char text[1024];
	size_t octets = raw_record(&rig->raw, text, sizeof(text));

	assert_true(hdmabuf_offer_read(text, octets, offer));
}

static void test_offer(void **state)
{
	struct hdmabuf_config config;
	struct hdmabuf_offer offer;
	struct rig rig = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.features = 5;
	config.ring_order = 3;
	config.timeline_pages = 2;
	rig_open(&rig, HDMABUF_BACKEND, &config);
	rig_run(&rig);
	read_offer(&rig, &offer);
	assert_true(offer.epoch);
	assert_int_equal(offer.version_min, 1);
	assert_int_equal(offer.version_max, 1);
	assert_int_equal(offer.features, 5);
	assert_int_equal(offer.ring_formats, 3);
	assert_int_equal(offer.ring_order_max, 3);
	assert_int_equal(offer.timeline_max, 2);
	assert_int_equal(offer.error, 0);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* Something is wrong with the channel: a new offer, which says what. */
static void check_refused(struct rig *rig, uint16_t status)
{
	struct hdmabuf_offer before, after;
	unsigned int records = rig->raw.records;

	read_offer(rig, &before);
	raw_publish_reply(&rig->raw);
	rig_wait(rig, &rig->raw.records, records + 1);
	read_offer(rig, &after);
	assert_true(after.epoch != before.epoch);
	assert_int_equal(after.error, status);
	assert_int_equal(rig->end.seen.connected, 0);
}

static const struct damage {
	size_t offset;
	size_t octets;
	uint64_t value;
	uint16_t status;
} damages[] = {
	{ offsetof(struct hdmabuf_channel, magic), 4, 1,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, version), 4, 0,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, version), 4, 2,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, epoch_frontend), 8, 1,
	  HDMABUF_STATUS_WRONG_EPOCH },
	{ offsetof(struct hdmabuf_channel, epoch_backend), 8, 1,
	  HDMABUF_STATUS_WRONG_EPOCH },
	{ offsetof(struct hdmabuf_channel, page_shift), 4, 16,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, page_shift), 4, 0,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, ring_format), 4, 2,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, ring_format), 4, UINT32_MAX,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, frontend_ring_order), 4, 1,
	  HDMABUF_STATUS_LIMIT },
	{ offsetof(struct hdmabuf_channel, frontend_ring_order), 4, UINT32_MAX,
	  HDMABUF_STATUS_LIMIT },
	{ offsetof(struct hdmabuf_channel, backend_ring_order), 4, 1,
	  HDMABUF_STATUS_LIMIT },
	{ offsetof(struct hdmabuf_channel, timeline_pages), 4, 2,
	  HDMABUF_STATUS_LIMIT },
	{ offsetof(struct hdmabuf_channel, timeline_pages), 4, UINT32_MAX,
	  HDMABUF_STATUS_LIMIT },
	{ offsetof(struct hdmabuf_channel, timeline_pages), 4, 0,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, references), 4, 0,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, references), 4, 3,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, references), 4, 5,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, references), 4, UINT32_MAX,
	  HDMABUF_STATUS_INVALID },
	{ offsetof(struct hdmabuf_channel, zero), 1, 1,
	  HDMABUF_STATUS_RESERVED },
	{ offsetof(struct hdmabuf_channel, zero) + 7, 1, 0x80,
	  HDMABUF_STATUS_RESERVED },
	{ offsetof(struct hdmabuf_channel, reference), 8, 0,
	  HDMABUF_STATUS_BAD_REFERENCE },
	{ offsetof(struct hdmabuf_channel, reference) + 24, 8, 0,
	  HDMABUF_STATUS_BAD_REFERENCE },
	{ offsetof(struct hdmabuf_channel, reference), 8, 99999,
	  HDMABUF_STATUS_BAD_REFERENCE },
	{ offsetof(struct hdmabuf_channel, reference) + 8, 8, UINT64_MAX,
	  HDMABUF_STATUS_BAD_REFERENCE },
	{ offsetof(struct hdmabuf_channel, reference) + 32, 8, 1,
	  HDMABUF_STATUS_RESERVED },
	{ offsetof(struct hdmabuf_channel, reference) + 255 * 8, 8, 1,
	  HDMABUF_STATUS_RESERVED },
};

/* On a machine of either byte order. */
static void damage_page(uint8_t *page, const struct damage *damage)
{
	size_t i;

	for (i = 0; i < damage->octets; i++)
		page[damage->offset + i] = (uint8_t)(damage->value >> 8 * i);
}

static void check_damage(const struct damage *damage)
{
	struct rig rig = { 0 };

	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	raw_prepare(&rig.raw);
	damage_page(rig.raw.page, damage);
	check_refused(&rig, damage->status);
	assert_true(rig.end.seen.errors);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

static void test_damaged_channel(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		check_damage(&damages[i]);
}

static void test_channel_reference(void **state)
{
	static const uint64_t references[] = { 99999, UINT32_MAX, 1ull << 32,
					       UINT64_MAX };
	struct rig rig = { 0 };
	size_t i;

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	for (i = 0; i < 4; i++) {
		raw_prepare(&rig.raw);
		rig.raw.reply.channel = references[i];
		check_refused(&rig, HDMABUF_STATUS_BAD_REFERENCE);
		rig_run(&rig);
	}
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* ---- where the rings begin ----------------------------------------------- */

/* More than twice round a ring of a page, each way. */
static void check_trips(struct rig *rig)
{
	int i;

	for (i = 0; i < 70; i++)
		rig_check(rig);
}

/* HDB-BOTH-068: the frontend's rings wrap after one trip. */
static void check_wrap(enum hdmabuf_role role)
{
	struct rig rig = { 0 };

	rig_open(&rig, role, NULL);
	rig.raw.front_start = rig.raw.back_start = 0 - 32;
	rig_run(&rig);
	rig_greet(&rig);
	assert_int_equal(rig.raw.info.frontend_ring_start, 0xffffffe0);
	assert_int_equal(rig.raw.info.backend_ring_start, 0xffffffe0);
	check_trips(&rig);
	assert_in_range(hdmabuf_get_le32(rig.raw.own.indices->req_prod), 32,
			1000);
	assert_in_range(hdmabuf_get_le32(rig.raw.peer.indices->rsp_prod), 32,
			1000);
	assert_false(rig.raw.confused);
	rig_close(&rig);
}

static void test_rings_wrap(void **state)
{
	(void)state;
	check_wrap(HDMABUF_FRONTEND);
	check_wrap(HDMABUF_BACKEND);
}

/* HDB-BOTH-068: a backend begins wherever its frontend wants to. */
static void test_rings_start_anywhere(void **state)
{
	static const uint32_t starts[] = {
		0,	    1,		31,	    32,		1000000007,
		0x7fffffff, 0x80000000, 0xfffffff0, UINT32_MAX,
	};
	size_t i, count = sizeof(starts) / sizeof(starts[0]);
	struct rig rig = { 0 };

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	for (i = 0; i < count; i++) {
		rig.raw.front_start = starts[i];
		rig.raw.back_start = starts[(i + 4) % count];
		rig_greet(&rig);
		check_trips(&rig);
		raw_publish_text(&rig.raw, "");
		rig_wait(&rig, &rig.end.seen.disconnected, (unsigned)i + 1);
	}
	rig_close(&rig);
}

/* What the ring says of the backend's own indices does not count. */
static void test_start_of_own_indices(void **state)
{
	struct rig rig = { 0 };
	struct raw_peer *raw = &rig.raw;

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	raw->front_start = 100;
	raw->back_start = 200;
	raw_prepare(raw);
	raw->own.indices->rsp_prod = hdmabuf_put_le32(50);
	raw->peer.indices->req_prod = hdmabuf_put_le32(50);
	raw_publish_reply(raw);
	rig_wait(&rig, &raw->answers.count, 1);
	raw_take(&raw->answers);
	assert_int_equal(hdmabuf_get_le32(raw->own.indices->rsp_prod), 101);
	rig_check(&rig);
	assert_int_equal(hdmabuf_get_le32(raw->peer.indices->req_prod), 201);
	rig_close(&rig);
}

/* A frontend that counts from elsewhere than its page says has broken the ring. */
static void test_start_contradicted(void **state)
{
	struct rig rig = { 0 };
	struct hdmabuf_channel *page;

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	raw_prepare(&rig.raw);
	page = rig.raw.page;
	page->frontend_ring_start = hdmabuf_put_le32(100);
	raw_publish_reply(&rig.raw);
	rig_wait(&rig, &rig.end.seen.errors, 1);
	assert_int_equal(rig.end.seen.connected, 0);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* A channel whose parts are all the same page is no danger to anybody else. */
static void test_channel_of_one_page(void **state)
{
	struct rig rig = { 0 };
	struct hdmabuf_channel *page;
	int i;

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	raw_prepare(&rig.raw);
	page = rig.raw.page;
	for (i = 0; i < 4; i++)
		page->reference[i] = page->reference[0];
	raw_publish_reply(&rig.raw);
	rig_run(&rig);
	raw_push(&rig.raw);
	rig_run(&rig);
	rig.end.session = NULL;
	rig.end.seen.disconnected = rig.end.seen.connected;
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* Not an answer to the current offer, or no record at all: as if it were absent. */
static void check_ignored(const char *text)
{
	struct hdmabuf_offer before, after;
	struct rig rig = { 0 };

	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	read_offer(&rig, &before);
	raw_publish_text(&rig.raw, text);
	rig_run(&rig);
	read_offer(&rig, &after);
	assert_int_equal(before.epoch, after.epoch);
	assert_int_equal(after.error, 0);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

static void test_ignored_records(void **state)
{
	static const char *const records[] = {
		"",
		"epoch=7\n",
		"channel=1\npeer-epoch=1\nepoch=7\n",
		"channel=0\npeer-epoch=1\nepoch=7\n",
		"channel=1\npeer-epoch=1\nepoch=0\n",
		"channel=1\npeer-epoch=1\nepoch=07\n",
		"channel=1\npeer-epoch=1\nepoch=18446744073709551616\n",
		"channel=1\npeer-epoch=1\nepoch=7\nepoch=7\n",
		"channel=1\npeer-epoch=1\nepoch=7",
		"\n",
		"=",
		"garbage",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		check_ignored(records[i]);
}

/* An answer to an offer of yesterday. */
static void test_stale_answer(void **state)
{
	struct hdmabuf_offer before, after;
	struct rig rig = { 0 };

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	read_offer(&rig, &before);
	raw_prepare(&rig.raw);
	rig.raw.reply.peer_epoch ^= 1;
	raw_publish_reply(&rig.raw);
	rig_run(&rig);
	read_offer(&rig, &after);
	assert_int_equal(before.epoch, after.epoch);
	assert_int_equal(rig.raw.answers.count, 0);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* ---- HELLO -------------------------------------------------------------- */

static uint16_t send_hello(struct rig *rig,
			   void (*spoil)(struct hdmabuf_hello *),
			   union hdmabuf_message *answer)
{
	struct raw_peer *raw = &rig->raw;
	union hdmabuf_message *hello;

	raw_prepare(raw);
	hello = (union hdmabuf_message *)(raw->own.indices + 1);
	spoil(&hello->hello);
	raw_publish_reply(raw);
	rig_wait(rig, &raw->answers.count, 1);
	*answer = *raw_take(&raw->answers);
	assert_int_equal(hdmabuf_get_le16(answer->header.operation),
			 HDMABUF_OP_HELLO);
	return hdmabuf_get_le16(answer->header.status);
}

static void spoil_epoch_frontend(struct hdmabuf_hello *hello)
{
	hello->epoch_frontend ^= hdmabuf_put_le64(1);
}

static void spoil_epoch_backend(struct hdmabuf_hello *hello)
{
	hello->epoch_backend ^= hdmabuf_put_le64(1ull << 63);
}

static void spoil_features(struct hdmabuf_hello *hello)
{
	hello->features |= hdmabuf_put_le64(1ull << 40);
}

static void spoil_in_flight(struct hdmabuf_hello *hello)
{
	hello->max_in_flight = 0;
}

static void spoil_private(struct hdmabuf_hello *hello)
{
	hello->max_private = hdmabuf_put_le32(1023);
}

static void spoil_zero(struct hdmabuf_hello *hello)
{
	hello->zero = hdmabuf_put_le64(1ull << 32);
}

static void spoil_status(struct hdmabuf_hello *hello)
{
	hello->header.status = hdmabuf_put_le16(1);
}

/* After any error the attempt is over, and both begin anew. */
static void check_hello(void (*spoil)(struct hdmabuf_hello *), uint16_t status,
			size_t offset)
{
	struct hdmabuf_offer before, after;
	union hdmabuf_message answer;
	struct rig rig = { 0 };

	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	read_offer(&rig, &before);
	assert_int_equal(send_hello(&rig, spoil, &answer), status);
	assert_int_equal(hdmabuf_get_le32(answer.error.where),
			 HDMABUF_WHERE_REQUEST);
	assert_int_equal(hdmabuf_get_le64(answer.error.offset), offset);
	rig_run(&rig);
	read_offer(&rig, &after);
	assert_true(before.epoch != after.epoch);
	assert_int_equal(rig.end.seen.connected, 0);
	assert_int_equal(rig.end.seen.disconnected, 0);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

static void test_wrong_hello(void **state)
{
	(void)state;
	check_hello(spoil_epoch_frontend, HDMABUF_STATUS_WRONG_EPOCH, 8);
	check_hello(spoil_epoch_backend, HDMABUF_STATUS_WRONG_EPOCH, 16);
	check_hello(spoil_features, HDMABUF_STATUS_NOT_NEGOTIATED, 24);
	check_hello(spoil_in_flight, HDMABUF_STATUS_INVALID, 52);
	check_hello(spoil_private, HDMABUF_STATUS_INVALID, 48);
	check_hello(spoil_zero, HDMABUF_STATUS_RESERVED, 56);
	check_hello(spoil_status, HDMABUF_STATUS_RESERVED, 6);
}

static uint16_t next_status(struct rig *rig)
{
	const union hdmabuf_message *answer;

	rig_wait(rig, &rig->raw.answers.count, rig->raw.answers.taken + 1);
	answer = raw_take(&rig->raw.answers);
	return hdmabuf_get_le16(answer->header.status);
}

/* A request before HELLO, which still works afterwards. */
static void test_request_before_hello(void **state)
{
	union hdmabuf_message first, hello;
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ECHO };
	union hdmabuf_message *slots;
	struct rig rig = { 0 };

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	raw_prepare(&rig.raw);
	slots = (union hdmabuf_message *)(rig.raw.own.indices + 1);
	hello = slots[0];
	hdmabuf_request_encode(&request, &first);
	slots[0] = first;
	raw_put(&rig.raw, &hello);
	hdmabuf_ring_push_requests(&rig.raw.own);
	raw_publish_reply(&rig.raw);
	assert_int_equal(next_status(&rig), HDMABUF_STATUS_WRONG_STATE);
	assert_int_equal(next_status(&rig), HDMABUF_STATUS_OK);
	assert_int_equal(rig.end.seen.connected, 1);
	rig_check(&rig);
	rig_close(&rig);
}

static void test_second_hello(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_HELLO };
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	request.hello = rig.raw.hello;
	request.hello.epoch_frontend = rig.raw.epoch;
	request.hello.epoch_backend = rig.raw.offer.epoch;
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_WRONG_STATE);
	assert_int_equal(rig.end.seen.connected, 1);
	rig_check(&rig);
	rig_close(&rig);
}

/* A feature that was offered may be left, and is then not to be used. */
static void test_features_left(void **state)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ALLOCATE };
	struct rig rig = { 0 };

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig.raw.hello.features = HDMABUF_FEATURE_UPDATE;
	rig_run(&rig);
	rig_greet(&rig);
	assert_int_equal(hdmabuf_session_features(rig.end.session),
			 HDMABUF_FEATURE_UPDATE);
	request.allocate.size = 4096;
	request.allocate.rights = HDMABUF_RIGHTS_READ_ONLY;
	request.allocate.attributes = HDMABUF_ATTRIBUTE_CACHED;
	assert_int_equal(rig_ask(&rig, &request, NULL),
			 HDMABUF_STATUS_NOT_NEGOTIATED);
	assert_int_equal(hdmabuf_session_allocate(rig.end.session,
						  &request.allocate),
			 -EOPNOTSUPP);
	rig_check(&rig);
	rig_close(&rig);
}

/* ---- a frontend, and what a backend may tell it -------------------------- */

static void check_frontend_waits(struct rig *rig)
{
	char text[1024];

	rig_run(rig);
	assert_int_equal(raw_record(&rig->raw, text, sizeof(text)), 0);
	assert_int_equal(rig->end.seen.connected, 0);
}

static void spoil_offer(struct hdmabuf_offer *offer, int how)
{
	switch (how) {
	case 0:
		offer->version_min = 2;
		offer->version_max = 9;
		break;
	case 1:
		offer->version_min = 0;
		offer->version_max = 0;
		break;
	case 2:
		offer->ring_formats = 4;
		break;
	case 3:
		offer->ring_formats = 0;
		break;
	}
}

/* An offer that cannot be answered is waited out. */
static void test_wrong_offers(void **state)
{
	int how;

	(void)state;
	for (how = 0; how < 4; how++) {
		struct rig rig = { 0 };

		rig_open(&rig, HDMABUF_FRONTEND, NULL);
		rig_run(&rig);
		raw_prepare(&rig.raw);
		spoil_offer(&rig.raw.offer, how);
		raw_publish_offer(&rig.raw);
		check_frontend_waits(&rig);
		rig_greet(&rig);
		rig_check(&rig);
		rig_close(&rig);
	}
}

static void test_broken_offers(void **state)
{
	static const char *const records[] = {
		"",
		"epoch=5\n",
		"x",
		"version-min=1\nversion-max=1\nfeatures=0\nring-formats=1\n"
		"ring-order-max=0\ntimeline-max=0\nepoch=0\n",
		"version-min=1\nversion-max=1\nfeatures=0\nring-formats=1\n"
		"ring-order-max=7\ntimeline-max=0\nepoch=1\n",
		"version-min=1\nversion-max=1\nfeatures=-1\nring-formats=1\n"
		"ring-order-max=0\ntimeline-max=0\nepoch=1\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct rig rig = { 0 };

		rig_open(&rig, HDMABUF_FRONTEND, NULL);
		rig_run(&rig);
		raw_publish_text(&rig.raw, records[i]);
		check_frontend_waits(&rig);
		rig_greet(&rig);
		rig_check(&rig);
		rig_close(&rig);
	}
}

/* What the frontend publishes and says first. */
static void test_answer(void **state)
{
	struct hdmabuf_request request;
	struct hdmabuf_config config;
	struct rig rig = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.features = 6;
	config.ring_order = 5;
	config.timeline_pages = 3;
	config.limits.max_in_flight = 9;
	rig_open(&rig, HDMABUF_FRONTEND, &config);
	rig_run(&rig);
	raw_prepare(&rig.raw);
	rig.raw.offer.features = 5;
	rig.raw.offer.ring_order_max = 1;
	rig.raw.offer.timeline_max = 2;
	raw_publish_offer(&rig.raw);
	rig_run(&rig);
	raw_take_channel(&rig.raw);
	assert_int_equal(rig.raw.info.frontend_ring_order, 1);
	assert_int_equal(rig.raw.info.backend_ring_order, 1);
	assert_int_equal(rig.raw.info.frontend_ring_start, 0 - 64u);
	assert_int_equal(rig.raw.info.backend_ring_start, 0 - 64u);
	assert_int_equal(rig.raw.info.timeline_pages, 2);
	assert_int_equal(rig.raw.info.epoch_frontend, rig.raw.reply.epoch);
	rig_expect(&rig, HDMABUF_OP_HELLO, &request);
	assert_int_equal(request.hello.epoch_frontend, rig.raw.reply.epoch);
	assert_int_equal(request.hello.epoch_backend, rig.raw.epoch);
	assert_int_equal(request.hello.features, 4);
	assert_int_equal(request.hello.limits.max_in_flight, 9);
	assert_int_equal(rig.end.seen.connected, 0);
	rig_close(&rig);
}

/* An answer to HELLO that is for another session is no answer. */
static void check_hello_answer(int how)
{
	struct hdmabuf_answer answer = { .operation = HDMABUF_OP_HELLO };
	struct hdmabuf_request request;
	struct rig rig = { 0 };
	struct raw_peer *raw = &rig.raw;

	rig_open(&rig, HDMABUF_FRONTEND, NULL);
	rig_run(&rig);
	raw_prepare(raw);
	raw_publish_offer(raw);
	rig_run(&rig);
	raw_take_channel(raw);
	rig_expect(&rig, HDMABUF_OP_HELLO, &request);
	answer.id = request.id;
	answer.hello = request.hello;
	answer.hello.limits = raw->hello.limits;
	answer.hello.epoch_frontend ^= how == 0;
	answer.hello.epoch_backend ^= how == 1;
	answer.hello.features ^= how == 2;
	answer.hello.limits.max_in_flight *= how != 3;
	answer.fault.status = how == 4 ? HDMABUF_STATUS_WRONG_EPOCH : 0;
	answer.id ^= how == 5;
	raw_answer(raw, &answer);
	rig_run(&rig);
	assert_int_equal(rig.end.seen.connected, 0);
	assert_int_equal(rig.end.seen.disconnected, 0);
	check_frontend_waits(&rig);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

static void test_wrong_hello_answers(void **state)
{
	int how;

	(void)state;
	for (how = 0; how < 6; how++)
		check_hello_answer(how);
}

/* The backend's first request may be there before HELLO's answer is looked at. */
static void test_request_behind_hello(void **state)
{
	struct hdmabuf_answer answer = { .operation = HDMABUF_OP_HELLO };
	struct hdmabuf_request request, echo = { .operation = HDMABUF_OP_ECHO };
	union hdmabuf_message message;
	struct rig rig = { 0 };
	struct raw_peer *raw = &rig.raw;

	(void)state;
	rig_open(&rig, HDMABUF_FRONTEND, NULL);
	rig_run(&rig);
	raw_prepare(raw);
	raw_publish_offer(raw);
	rig_run(&rig);
	raw_take_channel(raw);
	rig_expect(&rig, HDMABUF_OP_HELLO, &request);
	answer.id = request.id;
	answer.hello = request.hello;
	answer.hello.limits = raw->hello.limits;
	hdmabuf_answer_encode(&answer, &message);
	hdmabuf_ring_put_answer(&raw->peer, &message);
	hdmabuf_request_encode(&echo, &message);
	raw_put(raw, &message);
	raw_push(raw);
	assert_int_equal(next_status(&rig), HDMABUF_STATUS_OK);
	assert_int_equal(rig.end.seen.connected, 1);
	rig_check(&rig);
	rig_close(&rig);
}

/* A request of the backend before the answer is refused and harms nobody. */
static void test_request_of_early_backend(void **state)
{
	static const uint16_t operations[] = { HDMABUF_OP_ECHO,
					       HDMABUF_OP_HELLO,
					       HDMABUF_OP_CLOSE };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct hdmabuf_answer answer = { .operation =
							 HDMABUF_OP_HELLO };
		struct hdmabuf_request hello,
			early = { .operation = operations[i] };
		struct rig rig = { 0 };

		rig_open(&rig, HDMABUF_FRONTEND, NULL);
		rig_run(&rig);
		raw_prepare(&rig.raw);
		raw_publish_offer(&rig.raw);
		rig_run(&rig);
		raw_take_channel(&rig.raw);
		early.hello = rig.raw.hello;
		if (operations[i] == HDMABUF_OP_CLOSE)
			early.reason = HDMABUF_REASON_DONE;
		assert_int_equal(rig_ask(&rig, &early, NULL),
				 HDMABUF_STATUS_WRONG_STATE);
		rig_expect(&rig, HDMABUF_OP_HELLO, &hello);
		answer.id = hello.id;
		answer.hello = hello.hello;
		answer.hello.limits = rig.raw.hello.limits;
		raw_answer(&rig.raw, &answer);
		rig_run(&rig);
		assert_int_equal(rig.end.seen.connected, 1);
		rig_check(&rig);
		rig_close(&rig);
	}
}

/* The error of an offer is reported, and does not end the attempts. */
static void test_refused_frontend_tries_again(void **state)
{
	struct rig rig = { 0 };
	uint64_t epochs[3];
	int i;

	(void)state;
	rig_open(&rig, HDMABUF_FRONTEND, NULL);
	rig_run(&rig);
	for (i = 0; i < 3; i++) {
		unsigned int records = rig.raw.records;
		char text[1024];

		raw_prepare(&rig.raw);
		rig.raw.offer.error = i ? HDMABUF_STATUS_INVALID : 0;
		raw_publish_offer(&rig.raw);
		do {
			rig_wait(&rig, &rig.raw.records, records + 1);
			records = rig.raw.records;
		} while (!raw_record(&rig.raw, text, sizeof(text)));
		raw_take_channel(&rig.raw);
		epochs[i] = rig.raw.reply.epoch;
		assert_int_equal(!!rig.end.seen.errors, !!i);
	}
	assert_true(epochs[0] != epochs[1]);
	assert_true(epochs[1] != epochs[2]);
	assert_int_equal(rig.end.seen.connected, 0);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* ---- a new life of the peer over the same link --------------------------- */

static void check_new_life(enum hdmabuf_role role)
{
	struct rig rig = { 0 };
	int i;

	rig_connect(&rig, role, NULL);
	for (i = 0; i < 3; i++) {
		rig_greet(&rig);
		assert_int_equal(rig.end.seen.disconnected, i + 1);
		assert_int_equal(rig.end.seen.status, HDMABUF_STATUS_LOST);
		rig_check(&rig);
	}
	raw_publish_text(&rig.raw, "");
	rig_wait(&rig, &rig.end.seen.disconnected, 4);
	assert_null(rig.end.session);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* The frontend begins anew only when there is an offer; a backend at once. */
static void test_new_life_of_backend(void **state)
{
	(void)state;
	check_new_life(HDMABUF_FRONTEND);
}

static void test_new_life_of_frontend(void **state)
{
	struct hdmabuf_offer before, after;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	read_offer(&rig, &before);
	raw_publish_text(&rig.raw, "");
	rig_wait(&rig, &rig.end.seen.disconnected, 1);
	rig_run(&rig);
	read_offer(&rig, &after);
	assert_true(before.epoch != after.epoch);
	rig_greet(&rig);
	rig_check(&rig);
	rig_close(&rig);
}

/* A record that says the same as before, or more, is no new life. */
static void test_record_repeated(void **state)
{
	struct rig rig = { 0 };
	char text[HDMABUF_RECORD_OCTETS + 16];
	size_t octets;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	raw_publish_reply(&rig.raw);
	rig_run(&rig);
	octets = hdmabuf_reply_write(&rig.raw.reply, text);
	snprintf(text + octets, sizeof(text) - octets, "more=7\n");
	raw_publish_text(&rig.raw, text);
	rig_run(&rig);
	assert_int_equal(rig.end.seen.disconnected, 0);
	rig_check(&rig);
	rig_close(&rig);
}

/* ---- many ---------------------------------------------------------------- */

static void test_epochs_are_fresh(void **state)
{
	struct rig rig = { 0 };
	uint64_t epochs[20];
	int i, k;

	(void)state;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig_run(&rig);
	for (i = 0; i < 20; i++) {
		rig_greet(&rig);
		epochs[i] = rig.raw.offer.epoch;
		for (k = 0; k < i; k++)
			assert_true(epochs[k] != epochs[i]);
		raw_publish_text(&rig.raw, "");
		rig_wait(&rig, &rig.end.seen.disconnected, (unsigned)i + 1);
	}
	rig_close(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_start_orders),
		cmocka_unit_test(test_features_are_common),
		cmocka_unit_test(test_limits_are_told),
		cmocka_unit_test(test_channel_sizes),
		cmocka_unit_test(test_wrong_configurations),
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_damaged_channel),
		cmocka_unit_test(test_channel_reference),
		cmocka_unit_test(test_rings_wrap),
		cmocka_unit_test(test_rings_start_anywhere),
		cmocka_unit_test(test_start_of_own_indices),
		cmocka_unit_test(test_start_contradicted),
		cmocka_unit_test(test_channel_of_one_page),
		cmocka_unit_test(test_ignored_records),
		cmocka_unit_test(test_stale_answer),
		cmocka_unit_test(test_wrong_hello),
		cmocka_unit_test(test_request_before_hello),
		cmocka_unit_test(test_second_hello),
		cmocka_unit_test(test_features_left),
		cmocka_unit_test(test_wrong_offers),
		cmocka_unit_test(test_broken_offers),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_wrong_hello_answers),
		cmocka_unit_test(test_request_behind_hello),
		cmocka_unit_test(test_request_of_early_backend),
		cmocka_unit_test(test_refused_frontend_tries_again),
		cmocka_unit_test(test_new_life_of_backend),
		cmocka_unit_test(test_new_life_of_frontend),
		cmocka_unit_test(test_record_repeated),
		cmocka_unit_test(test_epochs_are_fresh),
	};

	return hdmabuf_test_run("session_establish", tests,
				sizeof(tests) / sizeof(tests[0]));
}
