/* SPDX-License-Identifier: MIT */
/*
 * No memory, at every place where the library asks for some: nothing crashes, hangs,
 * or stays behind, and a session that is then wanted can be had.
 *
 * Needs to be linked with --wrap for malloc, calloc, realloc and reallocarray.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/pair.h"

#define PAGE 4096u

/* The request for memory number @at fails, and @more after it. */
static struct {
	bool on;
	unsigned int at;
	unsigned int more;
	unsigned int calls;
	unsigned int failed;
} plan;

static bool fails(void)
{
	if (!plan.on)
		return false;
	plan.calls++;
	if (plan.calls < plan.at || plan.calls > plan.at + plan.more)
		return false;
	plan.failed++;
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t octets);
void *__real_calloc(size_t count, size_t octets);
void *__real_realloc(void *memory, size_t octets);
void *__real_reallocarray(void *memory, size_t count, size_t octets);
void *__wrap_malloc(size_t octets);
void *__wrap_calloc(size_t count, size_t octets);
void *__wrap_realloc(void *memory, size_t octets);
void *__wrap_reallocarray(void *memory, size_t count, size_t octets);

void *__wrap_malloc(size_t octets)
{
	return fails() ? NULL : __real_malloc(octets);
}

void *__wrap_calloc(size_t count, size_t octets)
{
	return fails() ? NULL : __real_calloc(count, octets);
}

void *__wrap_realloc(void *memory, size_t octets)
{
	return fails() ? NULL : __real_realloc(memory, octets);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t octets)
{
	return fails() ? NULL : __real_reallocarray(memory, count, octets);
}

/* ---- a scene that succeeds if there is memory -------------------------------- */

struct scene {
	struct pair pair;
	struct sample samples[2];
	struct hdmabuf_timeline_handle *timeline;
};

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

	memset(scene, 0, sizeof(*scene));
	pair->front.context = pair->back.context = scene;
	pair->front.hooks.released = pair->back.hooks.released = forget_sample;
	pair->front.hooks.disconnected = forget_timeline;
	pair->front.policy.map = pair->back.policy.map = true;
}

/* A moment passes, in which what is tried again has its chance. */
static void run(struct scene *scene)
{
	pair_run(&scene->pair);
	if (plan.failed)
		pair_step(&scene->pair, 3);
	pair_run(&scene->pair);
}

/* Everything is tried, and nothing has to succeed. */
static void try_share(struct scene *scene, struct end *end,
		      struct sample *sample, uint8_t *private_data)
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
		.private_octets = 100,
		.private_data = private_data,
	};
	if (sample_export(sample, end))
		sample->buffer = NULL;
	run(scene);
}

static void scene_use(struct scene *scene)
{
	struct hdmabuf_allocate_body wish = {
		.size = PAGE,
		.rights = HDMABUF_RIGHTS_READ_WRITE,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
	};
	struct pair *pair = &scene->pair;
	struct sample *samples = scene->samples;
	static uint8_t private_data[100];

	if (pair->front.session &&
	    hdmabuf_timeline_create(pair->front.session, HDMABUF_SIGNALLER_PEER,
				    0, &scene->timeline))
		scene->timeline = NULL;
	if (scene->timeline)
		hdmabuf_timeline_wait(scene->timeline, 1);
	try_share(scene, &pair->front, &samples[0], private_data);
	try_share(scene, &pair->back, &samples[1], private_data);
	if (samples[0].buffer) {
		pair_hand_off(samples[0].buffer, NULL, 0, scene->timeline, 1, 0,
			      false);
		hdmabuf_update(samples[0].buffer, &samples[0].info);
	}
	if (pair->back.session)
		hdmabuf_session_allocate(pair->back.session, &wish);
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

/* The ends cannot be opened without memory; that is the first test's. */
static unsigned int play(unsigned int at, unsigned int more)
{
	struct scene scene;

	scene_prepare(&scene);
	pair_open(&scene.pair, NULL, NULL);
	memset(&plan, 0, sizeof(plan));
	plan.at = at;
	plan.more = more;
	plan.on = true;
	run(&scene);
	scene_use(&scene);
	scene_end(&scene);
	plan.on = false;
	pair_close(&scene.pair);
	assert_null(scene.samples[0].buffer);
	assert_null(scene.samples[1].buffer);
	sample_free(&scene.samples[0]);
	sample_free(&scene.samples[1]);
	return plan.calls;
}

static void test_session(void **state)
{
	unsigned int calls = play(0, 0);
	unsigned int at;

	(void)state;
	assert_in_range(calls, 40, 1000);
	for (at = 1; at <= calls; at++) {
		play(at, 0);
		play(at, 2);
	}
}

/* Over a socket: who could not be taken in comes again. */
static void open_at(struct end *end, enum hdmabuf_role role,
		    const char *address)
{
	struct hdmabuf_platform platform;
	char error[256];

	assert_int_equal(hdmabuf_platform_open(address, role, &platform, error,
					       sizeof(error)),
			 0);
	end_open(end, platform, role, NULL);
}

/* What could not be had at first is had later, without anybody's asking. */
static unsigned int check_connects(const char *address, unsigned int at)
{
	struct pair pair = { 0 };
	int idle = 0;

	open_at(&pair.back, HDMABUF_BACKEND, address);
	open_at(&pair.front, HDMABUF_FRONTEND, address);
	memset(&plan, 0, sizeof(plan));
	plan.at = at;
	plan.on = true;
	while (idle < 2 && !pair.front.seen.connected)
		idle += !pair_step(&pair, 20);
	plan.on = false;
	pair_wait(&pair, &pair.front.seen.connected, 1);
	pair_wait(&pair, &pair.back.seen.connected, 1);
	pair_check(&pair);
	pair_close(&pair);
	return plan.calls;
}

static void test_connects_later(void **state)
{
	char folder[] = "/tmp/hdmabuf-test-XXXXXX";
	unsigned int calls, at;
	char address[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "local:%s/socket", folder);
	calls = check_connects(address, 0);
	assert_in_range(calls, 10, 200);
	for (at = 1; at <= calls; at++)
		check_connects(address, at);
	assert_int_equal(rmdir(folder), 0);
}

static void test_open(void **state)
{
	unsigned int at;

	(void)state;
	for (at = 1; at <= 4; at++) {
		struct hdmabuf_platform platforms[2];
		struct hdmabuf_endpoint *endpoint;
		int error;

		assert_int_equal(
			hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
		memset(&plan, 0, sizeof(plan));
		plan.at = at;
		plan.on = true;
		error = hdmabuf_endpoint_new(platforms[0], HDMABUF_FRONTEND,
					     NULL, NULL, NULL, &endpoint);
		plan.on = false;
		assert_int_equal(error, plan.failed ? -ENOMEM : 0);
		assert_true(at > 1 || plan.failed);
		if (!error)
			hdmabuf_endpoint_close(endpoint);
		platforms[1].ops->close(platforms[1].endpoint);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_connects_later),
	};

	return hdmabuf_test_run("session_memory", tests,
				sizeof(tests) / sizeof(tests[0]));
}
