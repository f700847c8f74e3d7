/* SPDX-License-Identifier: MIT */
/*
 * Traces: each end tells of everything, once, in the order in which it saw it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/raw_peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FRONT HDMABUF_FRONTEND
#define BACK  HDMABUF_BACKEND

#define EVENTS 512

/* An event that was told, with the beginning of its octets. */
struct told {
	uint64_t time;
	uint8_t kind;
	uint8_t sender;
	uint8_t observer;
	uint32_t link;
	size_t length;
	uint8_t octets[512];
};

struct journal_of_trace {
	struct told events[EVENTS];
	size_t count;
	size_t looked_at;
};

struct scene {
	struct pair pair;
	struct journal_of_trace front;
	struct journal_of_trace back;
};

static void on_trace(void *user, const struct hdmabuf_trace_event *event)
{
	struct end *end = user;
	struct journal_of_trace *journal = end->context;
	struct told *told = &journal->events[journal->count++];

	assert_true(journal->count <= EVENTS);
	told->time = event->time;
	told->kind = event->kind;
	told->sender = event->sender;
	told->observer = event->observer;
	told->link = event->link;
	told->length = event->length;
	if (event->length)
		memcpy(told->octets, event->octets,
		       event->length < sizeof(told->octets) ?
			       event->length :
			       sizeof(told->octets));
}

static struct scene *scene_new(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->pair.front.hooks.trace = on_trace;
	scene->pair.front.context = &scene->front;
	scene->pair.back.hooks.trace = on_trace;
	scene->pair.back.context = &scene->back;
	return scene;
}

static struct scene *connected(void)
{
	struct scene *scene = scene_new();

	pair_connect(&scene->pair, NULL, NULL);
	scene->front.looked_at = scene->front.count;
	scene->back.looked_at = scene->back.count;
	return scene;
}

static void scene_free(struct scene *scene)
{
	pair_close(&scene->pair);
	free(scene);
}

/* ---- What was told ------------------------------------------------------ */

/* The next event, which must be of this kind. */
static const struct told *next(struct journal_of_trace *journal,
			       enum hdmabuf_trace_kind kind,
			       enum hdmabuf_role sender)
{
	const struct told *told = &journal->events[journal->looked_at];

	assert_true(journal->looked_at < journal->count);
	assert_int_equal(told->kind, kind);
	assert_int_equal(told->sender, sender);
	journal->looked_at++;
	return told;
}

static void nothing_more(const struct journal_of_trace *journal)
{
	assert_int_equal(journal->looked_at, journal->count);
}

static uint16_t operation_of(const struct told *told)
{
	const struct hdmabuf_header *header = (const void *)told->octets;

	assert_int_equal(told->length, HDMABUF_SLOT_OCTETS);
	return hdmabuf_get_le16(header->operation);
}

static void next_message(struct journal_of_trace *journal,
			 enum hdmabuf_trace_kind kind, enum hdmabuf_role sender,
			 uint16_t operation)
{
	assert_int_equal(operation_of(next(journal, kind, sender)), operation);
}

/* A request of @sender and the answer to it. */
static void next_exchange(struct journal_of_trace *journal,
			  enum hdmabuf_role sender, uint16_t operation)
{
	next_message(journal, HDMABUF_TRACE_REQUEST, sender, operation);
	next_message(journal, HDMABUF_TRACE_ANSWER, !sender, operation);
}

static void next_point(struct journal_of_trace *journal,
		       enum hdmabuf_role sender, enum hdmabuf_role creator,
		       uint64_t point, uint32_t error)
{
	const struct told *told = next(journal, HDMABUF_TRACE_POINT, sender);
	const struct hdmabuf_trace_point *body = (const void *)told->octets;

	assert_int_equal(told->length, sizeof(*body));
	assert_int_equal(hdmabuf_get_le32(body->creator), creator);
	assert_int_equal(hdmabuf_get_le32(body->timeline), 0);
	assert_true(hdmabuf_get_le64(body->point) == point);
	assert_int_equal(hdmabuf_get_le32(body->error), error);
	assert_int_equal(body->zero, 0);
}

static void next_descriptor(struct journal_of_trace *journal,
			    enum hdmabuf_role sender,
			    const struct hdmabuf_info *info)
{
	const struct told *told =
		next(journal, HDMABUF_TRACE_DESCRIPTOR, sender);
	const struct hdmabuf_descriptor *body = (const void *)told->octets;

	assert_int_equal(told->length,
			 HDMABUF_DESCRIPTOR_OCTETS + info->private_octets);
	assert_int_equal(hdmabuf_get_le32(body->magic),
			 HDMABUF_DESCRIPTOR_MAGIC);
	assert_true(hdmabuf_get_le64(body->tag) == info->tag);
	assert_memory_equal(told->octets + HDMABUF_DESCRIPTOR_OCTETS,
			    info->private_data, info->private_octets);
}

/* ---- Beginning and end -------------------------------------------------- */

static void check_channel(const struct told *told)
{
	const struct hdmabuf_channel *page = (const void *)told->octets;
	uint32_t references = hdmabuf_get_le32(page->references);

	assert_int_equal(hdmabuf_get_le32(page->magic), HDMABUF_CHANNEL_MAGIC);
	assert_int_equal(references, 4);
	assert_int_equal(told->length, 64 + 8 * references);
	assert_true(hdmabuf_get_le64(page->reference[3]) != 0);
}

static void check_record(const struct told *told)
{
	assert_true(told->length < sizeof(told->octets));
	assert_non_null(strstr((const char *)told->octets, "epoch="));
	assert_int_equal(told->octets[told->length - 1], '\n');
}

static void beginning_is_told(void **state)
{
	struct scene *scene = scene_new();
	struct journal_of_trace *journal;

	(void)state;
	pair_connect(&scene->pair, NULL, NULL);
	/* HELLO is in the ring before the record names it. */
	journal = &scene->front;
	/* There was none before. */
	assert_int_equal(next(journal, HDMABUF_TRACE_RECORD, FRONT)->length, 0);
	check_record(next(journal, HDMABUF_TRACE_RECORD, BACK));
	check_channel(next(journal, HDMABUF_TRACE_CHANNEL, FRONT));
	next_message(journal, HDMABUF_TRACE_REQUEST, FRONT, HDMABUF_OP_HELLO);
	check_record(next(journal, HDMABUF_TRACE_RECORD, FRONT));
	next_message(journal, HDMABUF_TRACE_ANSWER, BACK, HDMABUF_OP_HELLO);
	nothing_more(journal);
	journal = &scene->back;
	check_record(next(journal, HDMABUF_TRACE_RECORD, BACK));
	check_record(next(journal, HDMABUF_TRACE_RECORD, FRONT));
	check_channel(next(journal, HDMABUF_TRACE_CHANNEL, FRONT));
	next_exchange(journal, FRONT, HDMABUF_OP_HELLO);
	nothing_more(journal);
	scene_free(scene);
}

static void events_have_time_and_place(void **state)
{
	struct scene *scene = connected();

	(void)state;
	for (size_t i = 0; i < scene->back.count; i++) {
		const struct told *told = &scene->back.events[i];

		assert_int_equal(told->observer, BACK);
		assert_int_equal(told->link, 0);
		/* After 2020, in nanoseconds */
		assert_true(told->time > 1577836800ull * 1000000000);
		assert_true(!i || told->time >= told[-1].time);
	}
	scene_free(scene);
}

static void end_is_told(void **state)
{
	struct scene *scene = connected();
	const struct told *told;

	(void)state;
	assert_int_equal(hdmabuf_session_close(scene->pair.front.session,
					       HDMABUF_REASON_DONE),
			 0);
	pair_run(&scene->pair);
	next_exchange(&scene->front, FRONT, HDMABUF_OP_CLOSE);
	next_exchange(&scene->back, FRONT, HDMABUF_OP_CLOSE);
	/* The frontend wants no other session; the backend makes a new offer. */
	assert_int_equal(
		next(&scene->front, HDMABUF_TRACE_RECORD, FRONT)->length, 0);
	check_record(next(&scene->back, HDMABUF_TRACE_RECORD, BACK));
	scene->back.looked_at = scene->back.count;
	end_close(&scene->pair.front);
	pair_run(&scene->pair);
	scene->front.looked_at = scene->front.count - 1;
	told = next(&scene->front, HDMABUF_TRACE_DOWN, FRONT);
	assert_true(told->length > 0);
	told = next(&scene->back, HDMABUF_TRACE_DOWN, FRONT);
	assert_true(told->length > 0);
	nothing_more(&scene->back);
	end_close(&scene->pair.back);
	nothing_more(&scene->back);
	free(scene);
}

/* ---- Messages ----------------------------------------------------------- */

static void messages_are_told_when_they_are_visible(void **state)
{
	const uint8_t octets[56] = { 1 };
	struct scene *scene = connected();

	(void)state;
	assert_int_equal(
		hdmabuf_session_echo(scene->pair.front.session, octets), 0);
	assert_int_equal(
		hdmabuf_session_echo(scene->pair.front.session, octets), 0);
	nothing_more(&scene->front);
	hdmabuf_endpoint_flush(scene->pair.front.endpoint);
	next_message(&scene->front, HDMABUF_TRACE_REQUEST, FRONT,
		     HDMABUF_OP_ECHO);
	next_message(&scene->front, HDMABUF_TRACE_REQUEST, FRONT,
		     HDMABUF_OP_ECHO);
	nothing_more(&scene->front);
	pair_run(&scene->pair);
	for (int i = 0; i < 2; i++) {
		next_message(&scene->front, HDMABUF_TRACE_ANSWER, BACK,
			     HDMABUF_OP_ECHO);
		next_message(&scene->back, HDMABUF_TRACE_REQUEST, FRONT,
			     HDMABUF_OP_ECHO);
	}
	for (int i = 0; i < 2; i++)
		next_message(&scene->back, HDMABUF_TRACE_ANSWER, BACK,
			     HDMABUF_OP_ECHO);
	nothing_more(&scene->front);
	nothing_more(&scene->back);
	scene_free(scene);
}

/* More than an array has room for at first. */
static void many_messages_are_told(void **state)
{
	const uint8_t octets[56] = { 1 };
	struct hdmabuf_config config;
	struct scene *scene = scene_new();
	size_t before;

	(void)state;
	hdmabuf_config_init(&config);
	config.ring_order = 1;
	pair_connect(&scene->pair, &config, &config);
	before = scene->back.count;
	for (int i = 0; i < 64; i++)
		assert_int_equal(hdmabuf_session_echo(scene->pair.back.session,
						      octets),
				 0);
	pair_run(&scene->pair);
	assert_int_equal(scene->back.count - before, 128);
	scene->back.looked_at = before;
	for (int i = 0; i < 64; i++)
		next_message(&scene->back, HDMABUF_TRACE_REQUEST, BACK,
			     HDMABUF_OP_ECHO);
	scene_free(scene);
}

/* What nobody has seen did not happen. */
static void messages_that_were_not_shown_are_forgotten(void **state)
{
	const uint8_t octets[56] = { 1 };
	struct scene *scene = connected();
	struct end *front = &scene->pair.front;

	(void)state;
	assert_int_equal(hdmabuf_session_echo(front->session, octets), 0);
	end_close(&scene->pair.back);
	while (front->session)
		end_dispatch(front);
	for (size_t i = scene->front.looked_at; i < scene->front.count; i++)
		assert_int_not_equal(scene->front.events[i].kind,
				     HDMABUF_TRACE_REQUEST);
	end_close(front);
	free(scene);
}

/* ---- Buffers and timelines ---------------------------------------------- */

static void descriptors_come_first(void **state)
{
	struct scene *scene = connected();
	struct end *front = &scene->pair.front;
	struct journal_of_trace *const journals[] = { &scene->front,
						      &scene->back };
	struct sample sample;

	(void)state;
	sample_make(&sample, front, 10000, HDMABUF_RIGHTS_READ_ONLY);
	sample.info.tag = 77;
	sample.info.private_data = "secret";
	sample.info.private_octets = 6;
	assert_int_equal(sample_export(&sample, front), 0);
	nothing_more(&scene->front);
	pair_run(&scene->pair);
	for (size_t i = 0; i < COUNT(journals); i++) {
		next_descriptor(journals[i], FRONT, &sample.info);
		next_exchange(journals[i], FRONT, HDMABUF_OP_EXPORT);
	}
	sample.info.tag = 78;
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), 0);
	pair_run(&scene->pair);
	for (size_t i = 0; i < COUNT(journals); i++) {
		next_descriptor(journals[i], FRONT, &sample.info);
		next_exchange(journals[i], FRONT, HDMABUF_OP_UPDATE);
		nothing_more(journals[i]);
	}
	pair_unshare(&scene->pair, front, &sample);
	scene_free(scene);
}

/* One that cannot be mapped is not told; the request is. */
static void descriptors_that_cannot_be_read(void **state)
{
	struct journal_of_trace *journal = calloc(1, sizeof(*journal));
	struct rig rig = { 0 };
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_EXPORT,
		.buffer = { { 1 } },
		.descriptor = { 12345, HDMABUF_DESCRIPTOR_OCTETS },
	};

	(void)state;
	assert_non_null(journal);
	rig.end.hooks.trace = on_trace;
	rig.end.context = journal;
	rig_connect(&rig, BACK, NULL);
	journal->looked_at = journal->count;
	raw_send(&rig.raw, &request);
	rig_run(&rig);
	next_exchange(journal, FRONT, HDMABUF_OP_EXPORT);
	nothing_more(journal);
	rig_close(&rig);
	free(journal);
}

static void points_are_told_by_both_ends(void **state)
{
	struct scene *scene = connected();
	struct hdmabuf_timeline_handle *own, *found;

	(void)state;
	assert_int_equal(hdmabuf_timeline_create(scene->pair.front.session,
						 HDMABUF_SIGNALLER_CREATOR, 5,
						 &own),
			 0);
	pair_run(&scene->pair);
	next_exchange(&scene->front, FRONT, HDMABUF_OP_TIMELINE_CREATE);
	next_exchange(&scene->back, FRONT, HDMABUF_OP_TIMELINE_CREATE);
	found = hdmabuf_timeline_find(scene->pair.back.session, 0);
	assert_non_null(found);
	assert_int_equal(hdmabuf_timeline_wait(found, 8), 0);
	pair_run(&scene->pair);
	/* Nothing has moved. */
	nothing_more(&scene->back);
	assert_int_equal(hdmabuf_timeline_signal(own, 7), 0);
	assert_int_equal(hdmabuf_timeline_signal(own, 8), 0);
	pair_wait(&scene->pair, &scene->pair.back.seen.reached, 1);
	next_point(&scene->front, FRONT, FRONT, 7, 0);
	next_point(&scene->front, FRONT, FRONT, 8, 0);
	/* That it has been 7 in between, nobody can tell. */
	next_point(&scene->back, FRONT, FRONT, 8, 0);
	assert_int_equal(hdmabuf_timeline_wait(found, 9), 0);
	assert_int_equal(hdmabuf_timeline_fail(own, HDMABUF_STATUS_FAILED), 0);
	pair_wait(&scene->pair, &scene->pair.back.seen.reached, 2);
	next_point(&scene->front, FRONT, FRONT, 8, HDMABUF_STATUS_FAILED);
	next_point(&scene->back, FRONT, FRONT, 8, HDMABUF_STATUS_FAILED);
	nothing_more(&scene->front);
	nothing_more(&scene->back);
	scene_free(scene);
}

static void open_at(struct end *end, const char *address,
		    enum hdmabuf_role role)
{
	struct hdmabuf_platform platform;
	char error[256];

	assert_int_equal(hdmabuf_platform_open(address, role, &platform, error,
					       sizeof(error)),
			 0);
	end_open(end, platform, role, NULL);
}

static void links_have_numbers(void **state)
{
	struct journal_of_trace *journal = calloc(1, sizeof(*journal));
	struct end back = { .hooks.trace = on_trace, .context = journal };
	char folder[] = "/tmp/hdmabuf-test-XXXXXX", address[64], path[48];
	struct end fronts[3] = { 0 };
	uint32_t seen = 0;

	(void)state;
	assert_non_null(journal);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(address, sizeof(address), "local:%s", path);
	open_at(&back, address, BACK);
	for (size_t i = 0; i < COUNT(fronts); i++) {
		uint64_t deadline = patience();

		open_at(&fronts[i], address, FRONT);
		while (!fronts[i].session && patience_left(deadline)) {
			end_dispatch(&fronts[i]);
			end_dispatch(&back);
		}
		assert_non_null(fronts[i].session);
		/* They come and go, and have numbers of their own. */
		end_close(&fronts[i]);
	}
	for (size_t i = 0; i < journal->count; i++)
		if (journal->events[i].kind == HDMABUF_TRACE_CHANNEL)
			assert_int_equal(journal->events[i].link, seen++);
	assert_int_equal(seen, COUNT(fronts));
	end_close(&back);
	unlink(path);
	rmdir(folder);
	free(journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beginning_is_told),
		cmocka_unit_test(events_have_time_and_place),
		cmocka_unit_test(end_is_told),
		cmocka_unit_test(messages_are_told_when_they_are_visible),
		cmocka_unit_test(many_messages_are_told),
		cmocka_unit_test(messages_that_were_not_shown_are_forgotten),
		cmocka_unit_test(descriptors_come_first),
		cmocka_unit_test(descriptors_that_cannot_be_read),
		cmocka_unit_test(points_are_told_by_both_ends),
		cmocka_unit_test(links_have_numbers),
	};

	return hdmabuf_test_run("session_trace", tests, COUNT(tests));
}
