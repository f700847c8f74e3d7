/* SPDX-License-Identifier: MIT */
/*
 * Everything that a platform can fail to do, failing at every place where it is
 * asked to: nothing crashes, hangs, or stays behind, and a session that is then
 * wanted can be had.
 */
#include <errno.h>
#include <string.h>

#include "tests/pair.h"

#define PAGE 4096u

/* ---- failing --------------------------------------------------------------- */

/*
 * The call number @at fails, and @more after it; of calls of the function @name
 * alone, if it is given.
 */
struct plan {
	const char *name;
	unsigned int at;
	unsigned int more;
	unsigned int calls;
	unsigned int failed;
	int error;
};

static int fails(void *user, const char *name)
{
	struct plan *plan = user;

	/* The endpoint cannot be opened at all, or is given up: other tests. */
	if (!strcmp(name, "fd") || !strcmp(name, "dispatch"))
		return 0;
	/* What is not there is waited for: see test_record_fails. */
	if (!strcmp(name, "record") && !plan->name)
		return 0;
	if (plan->name && strcmp(plan->name, name))
		return 0;
	plan->calls++;
	if (plan->calls < plan->at || plan->calls > plan->at + plan->more)
		return 0;
	plan->failed++;
	return plan->error;
}

/* ---- a scene that succeeds if nothing fails --------------------------------- */

struct scene {
	struct pair pair;
	struct sample samples[2];
	struct hdmabuf_timeline_handle *timeline;
	struct plan plan;
	bool front_fails;
};

static void scene_open(struct scene *scene)
{
	struct hdmabuf_platform platforms[2], outer;
	int which = scene->front_fails ? 0 : 1;

	assert_int_equal(hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
	assert_int_equal(hdmabuf_fault_platform(platforms[which], fails,
						&scene->plan, &outer),
			 0);
	platforms[which] = outer;
	scene->pair.front.policy.map = scene->pair.back.policy.map = true;
	end_open(&scene->pair.front, platforms[0], HDMABUF_FRONTEND, NULL);
	end_open(&scene->pair.back, platforms[1], HDMABUF_BACKEND, NULL);
}

/* A moment passes, in which what is tried again has its chance. */
static void run(struct scene *scene)
{
	pair_run(&scene->pair);
	if (scene->plan.failed)
		pair_step(&scene->pair, 3);
	pair_run(&scene->pair);
}

static void try_share(struct scene *scene, struct end *end,
		      struct sample *sample)
{
	if (!end->session)
		return;
	memset(sample, 0, sizeof(*sample));
	if (hdmabuf_session_alloc(end->session, 3 * PAGE,
				  HDMABUF_RIGHTS_READ_ONLY, &sample->memory))
		return;
	sample->info = (struct hdmabuf_info){
		.size = 3 * PAGE,
		.rights = HDMABUF_RIGHTS_READ_ONLY,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.type = HDMABUF_TYPE_RAW,
	};
	if (sample_export(sample, end))
		sample->buffer = NULL;
	run(scene);
}

static void forget_sample(void *user, struct hdmabuf_buffer *buffer)
{
	struct scene *scene = ((struct end *)user)->context;
	int i;

	for (i = 0; i < 2; i++)
		if (scene->samples[i].buffer == buffer)
			scene->samples[i].buffer = NULL;
}

static void forget_timeline(void *user, struct hdmabuf_session *session,
			    uint16_t status, const char *why)
{
	struct scene *scene = ((struct end *)user)->context;

	(void)session;
	(void)status;
	(void)why;
	scene->timeline = NULL;
}

static void scene_prepare(struct scene *scene)
{
	struct pair *pair = &scene->pair;

	pair->front.context = pair->back.context = scene;
	pair->front.hooks.released = pair->back.hooks.released = forget_sample;
	pair->front.hooks.disconnected = forget_timeline;
}

static void scene_use(struct scene *scene)
{
	struct pair *pair = &scene->pair;
	struct sample *samples = scene->samples;

	if (pair->front.session &&
	    hdmabuf_timeline_create(pair->front.session, HDMABUF_SIGNALLER_PEER,
				    0, &scene->timeline))
		scene->timeline = NULL;
	try_share(scene, &pair->front, &samples[0]);
	try_share(scene, &pair->back, &samples[1]);
	if (samples[0].buffer) {
		pair_hand_off(samples[0].buffer, NULL, 0, scene->timeline, 1, 0,
			      false);
		hdmabuf_update(samples[0].buffer, &samples[0].info);
	}
	run(scene);
}

static void scene_end(struct scene *scene)
{
	struct pair *pair = &scene->pair;
	int i;

	for (i = 0; i < 2; i++)
		if (scene->samples[i].buffer)
			hdmabuf_unexport(scene->samples[i].buffer, 0);
	run(scene);
	if (pair->front.session)
		hdmabuf_session_close(pair->front.session, HDMABUF_REASON_DONE);
	run(scene);
}

static void scene_close(struct scene *scene)
{
	pair_close(&scene->pair);
	assert_null(scene->samples[0].buffer);
	assert_null(scene->samples[1].buffer);
	sample_free(&scene->samples[0]);
	sample_free(&scene->samples[1]);
}

/* How many calls could have failed. */
static unsigned int play(bool front_fails, const char *name, unsigned int at,
			 unsigned int more, int error)
{
	struct scene scene = {
		.plan = { .name = name, .at = at, .more = more, .error = error },
		.front_fails = front_fails,
	};

	scene_prepare(&scene);
	scene_open(&scene);
	run(&scene);
	/* Whatever has failed so far: in the end, they are connected. */
	pair_wait(&scene.pair, &scene.pair.front.seen.connected, 1);
	pair_wait(&scene.pair, &scene.pair.back.seen.connected, 1);
	scene_use(&scene);
	scene_end(&scene);
	scene_close(&scene);
	return scene.plan.calls;
}

static void sweep(bool front_fails, const char *name, unsigned int more,
		  int error)
{
	unsigned int calls = play(front_fails, name, 0, 0, 0);
	unsigned int at;

	assert_true(calls);
	for (at = 1; at <= calls; at++)
		play(front_fails, name, at, more, error);
}

static void test_nothing_fails(void **state)
{
	struct scene scene = { 0 };

	(void)state;
	scene_prepare(&scene);
	scene_open(&scene);
	run(&scene);
	scene_use(&scene);
	assert_int_equal(scene.pair.back.seen.handed_off, 1);
	assert_int_equal(scene.pair.back.seen.updated, 1);
	assert_int_equal(scene.pair.front.seen.imported, 1);
	pair_wait(&scene.pair, &scene.pair.front.seen.exported, 1);
	hdmabuf_unexport(scene.samples[0].buffer, 0);
	hdmabuf_unexport(scene.samples[1].buffer, 0);
	pair_wait(&scene.pair, &scene.pair.front.seen.released, 1);
	pair_wait(&scene.pair, &scene.pair.back.seen.released, 1);
	scene_end(&scene);
	assert_int_equal(scene.pair.front.seen.errors, 0);
	assert_int_equal(scene.pair.back.seen.errors, 0);
	scene_close(&scene);
}

static void test_frontend(void **state)
{
	(void)state;
	sweep(true, NULL, 0, -ENOMEM);
	sweep(true, NULL, 0, -EINVAL);
}

static void test_backend(void **state)
{
	(void)state;
	sweep(false, NULL, 0, -ENOMEM);
	sweep(false, NULL, 0, -EINVAL);
}

/* Three in a row, of one kind. */
static void check_kind(const char *name, int error)
{
	sweep(true, name, 2, error);
	sweep(false, name, 2, error);
}

static void test_share_fails(void **state)
{
	(void)state;
	check_kind("share", -ENOSPC);
	check_kind("alloc", -ENOMEM);
}

static void test_map_fails(void **state)
{
	(void)state;
	sweep(false, "map", 2, -EINVAL);
	sweep(false, "unmap", 2, -EINVAL);
}

static void test_revoke_fails(void **state)
{
	(void)state;
	check_kind("revoke", -EBUSY);
}

static void test_words_fail(void **state)
{
	(void)state;
	check_kind("publish", -EIO);
	check_kind("notify", -EIO);
}

/* As if the peer had none; there is one again with the next word that it says. */
static void check_record(bool front)
{
	struct plan plan = { .name = "record", .at = 1, .error = -EIO };
	struct hdmabuf_platform platforms[2], outer;
	struct pair pair = { 0 };

	assert_int_equal(hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
	assert_int_equal(hdmabuf_fault_platform(platforms[!front], fails, &plan,
						&outer),
			 0);
	platforms[!front] = outer;
	end_open(&pair.front, platforms[0], HDMABUF_FRONTEND, NULL);
	end_open(&pair.back, platforms[1], HDMABUF_BACKEND, NULL);
	pair_run(&pair);
	assert_int_equal(plan.failed, 1);
	pair_close(&pair);
}

static void test_record_fails(void **state)
{
	(void)state;
	check_record(true);
	check_record(false);
}

/* ---- what is said of it ------------------------------------------------------ */

static int connect_faulty(struct pair *pair, struct plan *plan, bool front)
{
	struct hdmabuf_platform platforms[2], outer;

	assert_int_equal(hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
	assert_int_equal(hdmabuf_fault_platform(platforms[!front], fails, plan,
						&outer),
			 0);
	platforms[!front] = outer;
	end_open(&pair->front, platforms[0], HDMABUF_FRONTEND, NULL);
	end_open(&pair->back, platforms[1], HDMABUF_BACKEND, NULL);
	pair_wait(pair, &pair->front.seen.connected, 1);
	pair_wait(pair, &pair->back.seen.connected, 1);
	pair_run(pair);
	return 0;
}

/* What export says is what the platform said; and then it works. */
static void test_export_tells(void **state)
{
	static const int errors[] = { -ENOSPC, -ENOMEM, -ENOTCONN, -EACCES };
	struct plan plan = { .name = "share", .at = UINT32_MAX };
	struct pair pair = { 0 };
	struct sample sample;
	unsigned int i, at;

	(void)state;
	connect_faulty(&pair, &plan, true);
	sample_make(&sample, &pair.front, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	/* Of the data, then of the description, which may be writable if need be. */
	for (at = 1; at <= 2; at++) {
		for (i = 0; i < 5 - at; i++) {
			plan = (struct plan){ .name = "share",
					      .at = at,
					      .error = errors[i] };
			assert_int_equal(sample_export(&sample, &pair.front),
					 errors[i]);
			assert_int_equal(plan.failed, 1);
		}
	}
	assert_int_equal(sample_export(&sample, &pair.front), 0);
	pair_wait(&pair, &pair.front.seen.exported, 1);
	assert_int_equal(pair.front.seen.exports_refused, 0);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* An importer that cannot map refuses; the exporter has everything back. */
static void test_import_tells(void **state)
{
	static const char *const names[] = { "map", "map", "map" };
	static const uint16_t statuses[] = { HDMABUF_STATUS_BAD_REFERENCE,
					     HDMABUF_STATUS_BAD_REFERENCE,
					     HDMABUF_STATUS_NO_MEMORY };
	struct plan plan = { .name = "map", .at = UINT32_MAX };
	struct pair pair = { 0 };
	struct sample sample;
	unsigned int i;

	(void)state;
	pair.back.policy.map = true;
	connect_faulty(&pair, &plan, false);
	/* Descriptor, directory, data. */
	for (i = 0; i < 3; i++) {
		plan = (struct plan){ .name = names[i],
				      .at = i + 1,
				      .error = i < 2 ? -EINVAL : -ENOMEM };
		sample_make(&sample, &pair.front, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
		assert_int_equal(sample_export(&sample, &pair.front), 0);
		pair_wait(&pair, &pair.front.seen.released, i + 1);
		assert_int_equal(pair.front.seen.exports_refused, i + 1);
		assert_int_equal(pair.front.seen.fault.status, statuses[i]);
		assert_int_equal(pair.front.seen.quarantined, 0);
		sample_free(&sample);
	}
	pair_check(&pair);
	pair_close(&pair);
}

/* Memory that the peer's platform does not let go of is in quarantine. */
static void test_quarantine(void **state)
{
	struct plan plan = { .name = "revoke", .at = UINT32_MAX };
	struct pair pair = { 0 };
	struct sample sample;
	uint32_t buffers;
	uint64_t octets;

	(void)state;
	connect_faulty(&pair, &plan, true);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	pair_run(&pair);
	plan = (struct plan){ .name = "revoke",
			      .at = 1,
			      .more = UINT32_MAX - 1,
			      .error = -EBUSY };
	assert_int_equal(hdmabuf_unexport(sample.buffer, 0), 0);
	pair_wait(&pair, &pair.front.seen.quarantined, 1);
	assert_int_equal(pair.front.seen.released, 0);
	hdmabuf_endpoint_quarantined(pair.front.endpoint, &buffers, &octets);
	assert_int_equal(buffers, 1);
	assert_int_equal(octets, PAGE);
	pair_check(&pair);
	plan.at = UINT32_MAX;
	pair_wait(&pair, &pair.front.seen.released, 1);
	sample_free(&sample);
	pair_close(&pair);
}

/* Until the program ends: its memory may be freed then all the same. */
static void test_quarantine_forever(void **state)
{
	struct plan plan = { .name = "revoke", .at = UINT32_MAX };
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	connect_faulty(&pair, &plan, false);
	pair_share(&pair, &pair.back, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	plan = (struct plan){ .name = "revoke",
			      .at = 1,
			      .more = UINT32_MAX - 1,
			      .error = -EBUSY };
	end_close(&pair.front);
	pair_wait(&pair, &pair.back.seen.quarantined, 1);
	assert_int_equal(pair.back.seen.released, 0);
	pair_close(&pair);
	assert_int_equal(pair.back.seen.released, 1);
	sample_free(&sample);
}

/* What happens at the end under test, in its order; nothing fails. */
struct order {
	unsigned int unmaps;
	unsigned int unmaps_before_notify;
	bool notified;
};

static int note_order(void *user, const char *name)
{
	struct order *order = user;

	if (!strcmp(name, "unmap"))
		order->unmaps++;
	if (!strcmp(name, "notify") && !order->notified) {
		order->notified = true;
		order->unmaps_before_notify = order->unmaps;
	}
	return 0;
}

/* HDB-BOTH-025: everything is unmapped before CLOSE is answered, or said. */
static void check_close_order(bool by_peer)
{
	struct hdmabuf_platform platforms[2], outer;
	struct pair pair = { 0 };
	struct sample samples[3];
	struct order order = { 0 };
	int i;

	assert_int_equal(hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
	assert_int_equal(hdmabuf_fault_platform(platforms[1], note_order,
						&order, &outer),
			 0);
	pair.back.policy.map = true;
	end_open(&pair.front, platforms[0], HDMABUF_FRONTEND, NULL);
	end_open(&pair.back, outer, HDMABUF_BACKEND, NULL);
	pair_wait(&pair, &pair.front.seen.connected, 1);
	pair_run(&pair);
	for (i = 0; i < 3; i++)
		pair_share(&pair, &pair.front, &samples[i], PAGE,
			   HDMABUF_RIGHTS_READ_ONLY);
	order = (struct order){ 0 };
	hdmabuf_session_close(by_peer ? pair.front.session : pair.back.session,
			      HDMABUF_REASON_DONE);
	pair_wait(&pair, &pair.front.seen.released, 3);
	assert_true(order.notified);
	assert_int_equal(order.unmaps_before_notify, 3);
	for (i = 0; i < 3; i++)
		sample_free(&samples[i]);
	pair_close(&pair);
}

static void test_close_order(void **state)
{
	(void)state;
	check_close_order(true);
	check_close_order(false);
}

static int fail_all(void *user, const char *name)
{
	const char *which = user;

	return strcmp(which, name) ? 0 : -EIO;
}

/* An endpoint whose platform is broken cannot be opened, or says so. */
static void test_broken_platform(void **state)
{
	struct hdmabuf_platform platforms[2], outer;
	struct hdmabuf_endpoint *endpoint;

	(void)state;
	assert_int_equal(hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
	assert_int_equal(hdmabuf_fault_platform(platforms[0], fail_all, "fd",
						&outer),
			 0);
	assert_true(hdmabuf_endpoint_new(outer, HDMABUF_FRONTEND, NULL, NULL,
					 NULL, &endpoint) < 0);
	assert_int_equal(hdmabuf_fault_platform(platforms[1], fail_all,
						"dispatch", &outer),
			 0);
	assert_int_equal(hdmabuf_endpoint_new(outer, HDMABUF_BACKEND, NULL,
					      NULL, NULL, &endpoint),
			 0);
	assert_int_equal(hdmabuf_endpoint_dispatch(endpoint), -EIO);
	hdmabuf_endpoint_close(endpoint);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_fails),
		cmocka_unit_test(test_frontend),
		cmocka_unit_test(test_backend),
		cmocka_unit_test(test_share_fails),
		cmocka_unit_test(test_map_fails),
		cmocka_unit_test(test_revoke_fails),
		cmocka_unit_test(test_words_fail),
		cmocka_unit_test(test_record_fails),
		cmocka_unit_test(test_export_tells),
		cmocka_unit_test(test_import_tells),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_quarantine_forever),
		cmocka_unit_test(test_close_order),
		cmocka_unit_test(test_broken_platform),
	};

	return hdmabuf_test_run("session_fault", tests,
				sizeof(tests) / sizeof(tests[0]));
}
