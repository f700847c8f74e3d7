/* SPDX-License-Identifier: MIT */
/*
 * Sessions over a Xen that is not there: all formats and sizes in both directions,
 * several guests, and the end of a process or domain at every step.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_xen.h"
#include "tests/pair.h"

#define PAGE 4096u

#define GUEST  7
#define DRIVER 9

static int open_end(struct end *end, uint32_t domain, const char *address,
		    enum hdmabuf_role role)
{
	int process = fake_xen_enter(domain);
	struct hdmabuf_platform platform;
	char error[256] = "";

	if (hdmabuf_platform_open(address, role, &platform, error,
				  sizeof(error)))
		fail_msg("%s", error);
	end_open(end, platform, role, NULL);
	return process;
}

/* ---- a pair ------------------------------------------------------------- */

/* The backend is in domain 0 or in one that has no privileges. */
struct scene {
	struct pair pair;
	uint32_t back_domain;
	int front_process;
	int back_process;
	struct sample front, back;
	struct fake_xen_count before;
	bool closing; /* the frontend wants no other session */
};

static void open_front(struct scene *scene)
{
	scene->front_process =
		open_end(&scene->pair.front, GUEST, "xen:0", HDMABUF_FRONTEND);
}

static void open_back(struct scene *scene)
{
	scene->back_process = open_end(&scene->pair.back, scene->back_domain,
				       "xen:", HDMABUF_BACKEND);
}

static void set_policy(struct end *end)
{
	end->policy.map = true;
	end->policy.keep = true;
	end->policy.hold = true;
}

static void scene_start(struct scene *scene, uint32_t back_domain)
{
	memset(scene, 0, sizeof(*scene));
	fake_xen_start();
	fake_xen_create_domain(GUEST);
	fake_xen_limit(GUEST, 65536);
	if (back_domain)
		fake_xen_create_domain(back_domain);
	fake_xen_limit(back_domain, 65536);
	fake_xen_attach(GUEST, back_domain, 0);
	scene->back_domain = back_domain;
	scene->before = fake_xen_count();
	open_back(scene);
	open_front(scene);
}

static void scene_connect(struct scene *scene)
{
	struct pair *pair = &scene->pair;

	pair_wait(pair, &pair->front.seen.connected, 1);
	pair_wait(pair, &pair->back.seen.connected, 1);
}

static void expect_nothing_open(const struct scene *scene)
{
	struct fake_xen_count count = fake_xen_count();

	assert_int_equal(count.grants, scene->before.grants);
	assert_int_equal(count.mappings, scene->before.mappings);
	assert_int_equal(count.ports, scene->before.ports);
	assert_int_equal(count.watches, scene->before.watches);
	assert_int_equal(count.handles, scene->before.handles);
}

static void scene_stop(struct scene *scene)
{
	pair_close(&scene->pair);
	expect_nothing_open(scene);
	assert_int_equal(fake_xen_count().nodes, scene->before.nodes);
	fake_xen_stop();
}

/* ---- what pictures need ------------------------------------------------- */

static void look_at(struct pair *pair, struct end *to, struct sample *sample)
{
	unsigned int handed_off = to->seen.handed_off;
	uint64_t last = sample->info.size - 1;
	void *data;

	assert_int_equal(hdmabuf_buffer_map(to->seen.buffer, &data), 0);
	assert_true(sample_is_at(data, sample->info.size));
	((uint8_t *)sample->memory.address)[last] ^= 0xff;
	assert_int_equal(
		pair_hand_off(sample->buffer, NULL, 0, NULL, 0, 0, false), 0);
	pair_wait(pair, &to->seen.handed_off, handed_off + 1);
	assert_int_equal(((uint8_t *)data)[last], (uint8_t)~sample_octet(last));
}

static void share_as(struct pair *pair, struct end *from, uint64_t size,
		     uint32_t rights, uint32_t format)
{
	unsigned int exported = from->seen.exported;
	struct sample sample;

	sample_make(&sample, from, size, rights);
	sample.info.directory_format = format;
	assert_int_equal(sample_export(&sample, from), 0);
	pair_wait(pair, &from->seen.exported, exported + 1);
	assert_int_equal(from->seen.exports_refused, 0);
	look_at(pair, pair_other(pair, from), &sample);
	pair_unshare(pair, from, &sample);
}

static void shares_in_all_formats(void **state)
{
	static const uint32_t formats[] = { HDMABUF_DIRECTORY_LIST,
					    HDMABUF_DIRECTORY_TABLE,
					    HDMABUF_DIRECTORY_EXTENTS };
	static const uint64_t pages[] = { 1, 1023, 1024, 8100 };
	struct scene scene;
	struct pair *pair = &scene.pair;
	size_t i, j;

	(void)state;
	scene_start(&scene, 0);
	scene_connect(&scene);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 4; j++) {
			share_as(pair, &pair->front, pages[j] * PAGE - 5,
				 HDMABUF_RIGHTS_READ_ONLY, formats[i]);
			share_as(pair, &pair->back, pages[j] * PAGE,
				 HDMABUF_RIGHTS_READ_WRITE, formats[i]);
		}
	}
	scene_stop(&scene);
}

/* Figures that hold for any size: a hand-off is one notification each way. */
static void takes_few_calls(void **state)
{
	struct scene scene;
	struct pair *pair = &scene.pair;
	struct sample sample;
	size_t maps, shares, notices, unmaps;

	(void)state;
	scene_start(&scene, 0);
	scene_connect(&scene);
	pair->back.policy.map = true;
	pair_run(pair);
	maps = fake_xen_calls("xengnttab_map_domain_grant_refs");
	shares = fake_xen_calls("xengntshr_share_pages");
	pair_share(pair, &pair->front, &sample, 8100 * PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	/* Descriptor and directory, and the pages: once each. */
	assert_int_equal(fake_xen_calls("xengntshr_share_pages") - shares, 2);
	/* The descriptor, the directory's pages one by one, the pages at once. */
	assert_in_range(fake_xen_calls("xengnttab_map_domain_grant_refs") -
				maps,
			3, 2 + 8);
	pair_run(pair);
	notices = fake_xen_calls("xenevtchn_notify");
	maps = fake_xen_calls("xengnttab_map_domain_grant_refs");
	assert_int_equal(
		pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false), 0);
	pair_run(pair);
	assert_in_range(fake_xen_calls("xenevtchn_notify") - notices, 1, 2);
	assert_int_equal(fake_xen_calls("xengnttab_map_domain_grant_refs"),
			 maps);
	unmaps = fake_xen_calls("xengnttab_unmap");
	pair_unshare(pair, &pair->front, &sample);
	assert_int_equal(fake_xen_calls("xengnttab_unmap") - unmaps, 1);
	scene_stop(&scene);
}

/* ---- an end at every step ----------------------------------------------- */

/* One thing after the other, as soon as it is possible; true if all is done. */
static bool act(struct scene *scene)
{
	struct end *front = &scene->pair.front, *back = &scene->pair.back;
	struct hdmabuf_session *session = front->session;

	if (!session || !back->session)
		return front->seen.disconnected;
	if (!scene->front.buffer && !front->seen.released) {
		sample_make(&scene->front, front, 3 * PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
		sample_export(&scene->front, front);
	} else if (!scene->back.buffer && !back->seen.released) {
		sample_make(&scene->back, back, 2 * PAGE,
			    HDMABUF_RIGHTS_READ_WRITE);
		sample_export(&scene->back, back);
	} else if (front->seen.exported && !back->seen.handed_off) {
		pair_hand_off(scene->front.buffer, NULL, 0, NULL, 0, 0, false);
	} else if (back->seen.handed_off && !back->seen.retired) {
		hdmabuf_unexport(scene->front.buffer, 10000);
	} else if (back->seen.retired && !front->seen.released) {
		hdmabuf_buffer_release(back->seen.buffer);
	} else if (front->seen.released) {
		hdmabuf_session_close(session, HDMABUF_REASON_DONE);
		scene->closing = true;
	}
	return false;
}

/* Each step is one end's; false if it was over before. */
static bool play(struct scene *scene, unsigned int steps)
{
	struct end *ends[] = { &scene->pair.back, &scene->pair.front };
	unsigned int i;

	set_policy(ends[0]);
	set_policy(ends[1]);
	for (i = 0; i < steps; i++) {
		struct end *end = ends[i % 2];

		if (act(scene))
			return false;
		hdmabuf_endpoint_flush(end->endpoint);
		if (end_is_ready(end, 0))
			end_dispatch(end);
	}
	return true;
}

static void forget_samples(struct scene *scene)
{
	sample_free(&scene->front);
	sample_free(&scene->back);
	memset(&scene->front, 0, sizeof(scene->front));
	memset(&scene->back, 0, sizeof(scene->back));
}

/* The survivor is told, gets its memory back, and serves whoever comes. */
static void survive(struct scene *scene, struct end *left)
{
	struct sample *sample = left == &scene->pair.front ? &scene->front :
							     &scene->back;
	unsigned int exports = sample->buffer ? 1 : 0;

	pair_wait(&scene->pair, &left->seen.disconnected, left->seen.connected);
	pair_wait(&scene->pair, &left->seen.released, exports);
	forget_samples(scene);
	memset(&left->seen, 0, sizeof(left->seen));
}

/* What was in the rings of a session that is over may still be told. */
static void wait_for_sessions(struct pair *pair)
{
	uint64_t deadline = patience();

	while (pair_step(pair, 20) || !pair->front.session ||
	       !pair->back.session)
		assert_true(patience_left(deadline) > 0);
}

static void start_anew(struct scene *scene)
{
	struct pair *pair = &scene->pair;

	pair->front.policy = pair->back.policy = (struct policy){ 0 };
	wait_for_sessions(pair);
	pair_check(pair);
	share_as(pair, &pair->front, 5000, HDMABUF_RIGHTS_READ_ONLY,
		 HDMABUF_DIRECTORY_EXTENTS);
	share_as(pair, &pair->back, 5000, HDMABUF_RIGHTS_READ_ONLY,
		 HDMABUF_DIRECTORY_LIST);
}

static bool frontend_dies(unsigned int steps)
{
	struct scene scene;
	bool more;

	scene_start(&scene, 0);
	more = play(&scene, steps);
	fake_xen_kill(scene.front_process);
	end_close(&scene.pair.front);
	survive(&scene, &scene.pair.back);
	open_front(&scene);
	start_anew(&scene);
	scene_stop(&scene);
	return more;
}

/* There is nothing to survive for: the session is closed, or about to be. */
static bool is_over(struct scene *scene)
{
	if (!scene->closing)
		return false;
	pair_close(&scene->pair);
	forget_samples(scene);
	fake_xen_stop();
	return true;
}

static bool backend_dies(unsigned int steps)
{
	struct scene scene;
	bool more;

	scene_start(&scene, 0);
	more = play(&scene, steps);
	if (is_over(&scene))
		return false;
	fake_xen_kill(scene.back_process);
	end_close(&scene.pair.back);
	survive(&scene, &scene.pair.front);
	open_back(&scene);
	start_anew(&scene);
	scene_stop(&scene);
	return more;
}

static bool guest_is_destroyed(unsigned int steps)
{
	struct scene scene;
	bool more;

	scene_start(&scene, 0);
	more = play(&scene, steps);
	fake_xen_destroy_domain(GUEST);
	end_close(&scene.pair.front);
	pair_step(&scene.pair, 20);
	survive(&scene, &scene.pair.back);
	fake_xen_detach(GUEST, 0, 0);
	fake_xen_create_domain(GUEST);
	fake_xen_attach(GUEST, 0, 0);
	open_front(&scene);
	start_anew(&scene);
	scene_stop(&scene);
	return more;
}

static bool driver_domain_is_destroyed(unsigned int steps)
{
	struct scene scene;
	bool more;

	scene_start(&scene, DRIVER);
	more = play(&scene, steps);
	if (is_over(&scene))
		return false;
	fake_xen_destroy_domain(DRIVER);
	end_close(&scene.pair.back);
	pair_step(&scene.pair, 20);
	survive(&scene, &scene.pair.front);
	fake_xen_detach(GUEST, DRIVER, 0);
	fake_xen_create_domain(DRIVER);
	fake_xen_attach(GUEST, DRIVER, 0);
	open_back(&scene);
	start_anew(&scene);
	scene_stop(&scene);
	return more;
}

static void at_every_step(bool (*ends)(unsigned int steps))
{
	unsigned int steps = 0;

	while (ends(steps))
		assert_true(steps++ < 200);
	assert_true(steps > 10);
}

static void test_frontend_dies(void **state)
{
	(void)state;
	at_every_step(frontend_dies);
}

static void test_backend_dies(void **state)
{
	(void)state;
	at_every_step(backend_dies);
}

static void test_guest_is_destroyed(void **state)
{
	(void)state;
	at_every_step(guest_is_destroyed);
}

static void test_driver_domain_is_destroyed(void **state)
{
	(void)state;
	at_every_step(driver_domain_is_destroyed);
}

/* ---- quarantine --------------------------------------------------------- */

/* The session is lost, but not the peer: what it looks at is not given back. */
static void keeps_what_is_mapped(void **state)
{
	struct scene scene;
	struct pair *pair = &scene.pair;
	struct hdmabuf_buffer *buffer;
	struct sample sample;
	uint64_t octets;
	uint32_t buffers;
	void *data;

	(void)state;
	scene_start(&scene, 0);
	pair->back.policy.keep = true;
	scene_connect(&scene);
	buffer = pair_share(pair, &pair->front, &sample, 2 * PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 0), 0);
	pair_wait(pair, &pair->front.seen.quarantined, 1);
	hdmabuf_endpoint_quarantined(pair->front.endpoint, &buffers, &octets);
	assert_int_equal(buffers, 1);
	assert_int_equal(octets, 2 * PAGE);
	assert_true(sample_is_at(data, 2 * PAGE));
	hdmabuf_buffer_release(buffer);
	pair_wait(pair, &pair->front.seen.released, 1);
	sample_free(&sample);
	scene_stop(&scene);
}

static void stays_in_quarantine_until_the_end(void **state)
{
	struct scene scene;
	struct pair *pair = &scene.pair;
	struct hdmabuf_buffer *buffer;
	struct sample sample;
	void *data;

	(void)state;
	scene_start(&scene, 0);
	pair->back.policy.keep = true;
	scene_connect(&scene);
	buffer = pair_share(pair, &pair->front, &sample, 2 * PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 0), 0);
	pair_wait(pair, &pair->front.seen.quarantined, 1);
	fake_xen_kill(scene.back_process);
	pair_wait(pair, &pair->front.seen.released, 1);
	sample_free(&sample);
	end_close(&pair->back);
	end_close(&pair->front);
	expect_nothing_open(&scene);
	fake_xen_stop();
}

/* ---- several guests ----------------------------------------------------- */

#define GUESTS 3

struct crowd {
	struct end back;
	struct end fronts[GUESTS];
	int processes[GUESTS];
};

static bool crowd_step(struct crowd *crowd)
{
	struct pollfd fds[GUESTS + 1];
	struct end *ends[GUESTS + 1] = { &crowd->back };
	int i;

	for (i = 0; i < GUESTS; i++)
		ends[i + 1] = &crowd->fronts[i];
	for (i = 0; i <= GUESTS; i++) {
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
		if (!ends[i]->endpoint)
			continue;
		hdmabuf_endpoint_flush(ends[i]->endpoint);
		fds[i].fd = hdmabuf_endpoint_fd(ends[i]->endpoint);
	}
	if (poll(fds, GUESTS + 1, 10) <= 0)
		return false;
	for (i = 0; i <= GUESTS; i++)
		if (fds[i].revents)
			end_dispatch(ends[i]);
	return true;
}

static void crowd_wait(struct crowd *crowd, const unsigned int *counter,
		       unsigned int value)
{
	uint64_t deadline = patience();

	while (*counter < value && patience_left(deadline))
		crowd_step(crowd);
	assert_in_range(*counter, value, UINT32_MAX);
}

static void share_from(struct crowd *crowd, int i)
{
	struct end *front = &crowd->fronts[i];
	unsigned int exported = front->seen.exported;
	unsigned int released = front->seen.released;
	struct sample sample;

	sample_make(&sample, front, 9000, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&sample, front), 0);
	crowd_wait(crowd, &front->seen.exported, exported + 1);
	assert_int_equal(front->seen.exports_refused, 0);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 100), 0);
	crowd_wait(crowd, &front->seen.released, released + 1);
	sample_free(&sample);
}

static void serves_several_guests(void **state)
{
	struct crowd crowd;
	uint32_t i;

	(void)state;
	memset(&crowd, 0, sizeof(crowd));
	fake_xen_start();
	for (i = 0; i < GUESTS; i++) {
		fake_xen_create_domain(1 + i);
		fake_xen_attach(1 + i, 0, i);
	}
	open_end(&crowd.back, 0, "xen:", HDMABUF_BACKEND);
	for (i = 0; i < GUESTS; i++) {
		char address[16];

		snprintf(address, sizeof(address), "xen:%u", i);
		crowd.processes[i] = open_end(&crowd.fronts[i], 1 + i, address,
					      HDMABUF_FRONTEND);
	}
	crowd_wait(&crowd, &crowd.back.seen.connected, GUESTS);
	for (i = 0; i < GUESTS; i++) {
		crowd_wait(&crowd, &crowd.fronts[i].seen.connected, 1);
		share_from(&crowd, (int)i);
	}
	fake_xen_kill(crowd.processes[0]);
	end_close(&crowd.fronts[0]);
	fake_xen_destroy_domain(2);
	end_close(&crowd.fronts[1]);
	crowd_wait(&crowd, &crowd.back.seen.disconnected, 2);
	share_from(&crowd, 2);
	end_close(&crowd.fronts[2]);
	end_close(&crowd.back);
	fake_xen_stop();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(shares_in_all_formats),
	cmocka_unit_test(takes_few_calls),
	cmocka_unit_test(test_frontend_dies),
	cmocka_unit_test(test_backend_dies),
	cmocka_unit_test(test_guest_is_destroyed),
	cmocka_unit_test(test_driver_domain_is_destroyed),
	cmocka_unit_test(keeps_what_is_mapped),
	cmocka_unit_test(stays_in_quarantine_until_the_end),
	cmocka_unit_test(serves_several_guests),
};

int main(void)
{
	return hdmabuf_test_run("xen-session", tests,
				sizeof(tests) / sizeof(tests[0]));
}
