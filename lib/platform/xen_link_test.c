/* SPDX-License-Identifier: MIT */
/* Ends come, go, die, and are destroyed; devices are attached and detached. */
#define _GNU_SOURCE
#include "xen_ends.h"

/* Another domain, where there is a second frontend or the backend. */
#define OTHER 9

static const char *front_node(const char *node)
{
	return fake_xen_node(FRONT_PATH("%s"), GUEST, 0, node);
}

static const char *back_node(const char *node)
{
	return fake_xen_node(BACK_PATH("%s"), DRIVER, GUEST, 0, node);
}

static struct fake_xen_count nothing_open(void)
{
	struct fake_xen_count count = fake_xen_count();

	assert_int_equal(count.grants, 0);
	assert_int_equal(count.mappings, 0);
	assert_int_equal(count.ports, 0);
	return count;
}

/* ---- addresses ---------------------------------------------------------- */

static void expect_open_error(const char *address, enum hdmabuf_role role,
			      int expected, const char *part)
{
	struct hdmabuf_platform platform;
	char error[256] = "";

	assert_int_equal(hdmabuf_platform_open(address, role, &platform, error,
					       sizeof(error)),
			 expected);
	if (!strstr(error, part))
		fail_msg("'%s' does not say '%s'", error, part);
	assert_null(strchr(error, '\n'));
}

static void refuses_addresses(void **state)
{
	(void)state;
	xen_start();
	fake_xen_enter(GUEST);
	expect_open_error("xen:x", HDMABUF_FRONTEND, -EINVAL, "xen:0");
	expect_open_error("xen:1/2", HDMABUF_FRONTEND, -EINVAL, "xen:0");
	expect_open_error("xen:-1", HDMABUF_FRONTEND, -EINVAL, "xen:0");
	expect_open_error("xen:4294967295", HDMABUF_FRONTEND, -EINVAL, "xen:0");
	expect_open_error("xen:99999999999999999999", HDMABUF_FRONTEND, -EINVAL,
			  "xen:0");
	expect_open_error("xen:7/", HDMABUF_BACKEND, -EINVAL, "DOMAIN/DEVICE");
	expect_open_error("xen:7/1/2", HDMABUF_BACKEND, -EINVAL,
			  "DOMAIN/DEVICE");
	expect_open_error("xen:32752", HDMABUF_BACKEND, -EINVAL,
			  "DOMAIN/DEVICE");
	expect_open_error("xen", HDMABUF_BACKEND, -EINVAL, "xen:DEVICE");
	fake_xen_stop();
}

static int fails_with(void *user, const char *function)
{
	return !strcmp(user, function) ? ENOENT : 0;
}

static void tells_what_is_missing(void **state)
{
	static const struct {
		char *function;
		const char *says;
	} cases[] = {
		{ "xs_open", "xenstored" },
		{ "xenevtchn_open", "module xen-evtchn" },
		{ "xengnttab_open", "module xen-gntdev" },
		{ "xengntshr_open", "module xen-gntalloc" },
		{ "xs_read", "xen-init-dom0" },
		{ "xs_watch", "no room" },
	};
	size_t i;

	(void)state;
	xen_start();
	fake_xen_enter(DRIVER);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_xen_fail(fails_with, cases[i].function);
		expect_open_error("xen:", HDMABUF_BACKEND, -ENOENT,
				  cases[i].says);
	}
	fake_xen_fail(NULL, NULL);
	fake_xen_write("4711x", "/local/domain/%d/domid", DRIVER);
	expect_open_error("xen:", HDMABUF_BACKEND, -EINVAL, "domid");
	fake_xen_stop();
}

/* ---- coming ------------------------------------------------------------- */

static void tells_states(void **state)
{
	struct end frontend, backend;

	(void)state;
	xen_open_pair(&frontend, &backend);
	assert_string_equal(front_node("state"), "1");
	assert_string_equal(back_node("state"), "1");
	ends_settle(&frontend, &backend);
	assert_string_equal(back_node("state"), "1");
	suite_offer(&backend, 1);
	assert_string_equal(back_node("state"), "2");
	assert_string_equal(back_node("epoch"), "1");
	assert_string_equal(back_node("link-version"), "1");
	ends_settle(&frontend, &backend);
	assert_string_equal(front_node("state"), "1");
	suite_answer(&frontend, 2, 1);
	assert_string_equal(front_node("state"), "3");
	assert_string_equal(front_node("epoch"), "2");
	assert_string_equal(front_node("channel"), "77");
	ends_settle(&frontend, &backend);
	assert_string_equal(front_node("state"), "4");
	assert_string_equal(back_node("state"), "4");
	suite_offer(&backend, 3);
	assert_string_equal(back_node("state"), "4");
	end_publish(&frontend, "");
	assert_string_equal(front_node("state"), "1");
	assert_string_equal(front_node("epoch"), "");
	assert_string_equal(front_node("channel"), "");
	assert_string_equal(front_node("event-channel"), "");
	ends_close(&frontend, &backend);
	assert_string_equal(front_node("state"), "6");
	assert_string_equal(back_node("state"), "6");
	assert_string_equal(back_node("epoch"), "");
	assert_string_equal(back_node("frontend-id"), "7");
	fake_xen_stop();
}

static void frontend_may_be_first(void **state)
{
	struct end frontend, backend;

	(void)state;
	fake_xen_start();
	fake_xen_create_domain(GUEST);
	xen_open(&frontend, GUEST, "xen:", HDMABUF_FRONTEND);
	ends_settle(&frontend, NULL);
	assert_int_equal(frontend.lines, 1);
	assert_non_null(strstr(frontend.log, "device/hdmabuf/0"));
	assert_non_null(strstr(frontend.log, "hdmabuf-xen attach"));
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	ends_settle(&frontend, &backend);
	assert_int_equal(backend.ups, 0);
	fake_xen_attach(GUEST, DRIVER, 0);
	xen_meet(&frontend, &backend);
	assert_true(end_link(&frontend)->attached);
	assert_int_equal(frontend.lines, 1);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* What a program that was killed left in XenStore. */
static void removes_what_is_stale(void **state)
{
	struct end frontend, backend;

	(void)state;
	xen_start();
	fake_xen_write("55", FRONT_PATH("epoch"), GUEST, 0);
	fake_xen_write("56", FRONT_PATH("link"), GUEST, 0);
	fake_xen_write("57", BACK_PATH("epoch"), DRIVER, GUEST, 0);
	fake_xen_write("4", BACK_PATH("state"), DRIVER, GUEST, 0);
	xen_open(&frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	end_turn(&frontend);
	assert_string_equal(front_node("epoch"), "");
	assert_string_equal(front_node("link"), "");
	assert_string_equal(front_node("state"), "1");
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	end_turn(&backend);
	assert_string_equal(back_node("epoch"), "");
	assert_string_equal(back_node("state"), "1");
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static struct peer *peer_of(struct end *end, uint32_t domain, uint32_t number)
{
	int i;

	for (i = end->ups - 1; i >= 0; i--)
		if (end->peers[i].link &&
		    end->peers[i].link->domain == domain &&
		    end->peers[i].link->number == number)
			return &end->peers[i];
	return NULL;
}

static void serves_many(void **state)
{
	struct end backend, one, third, other;

	(void)state;
	xen_start();
	fake_xen_create_domain(OTHER);
	fake_xen_attach(GUEST, DRIVER, 3);
	fake_xen_attach(OTHER, DRIVER, 0);
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	end_turn(&backend);
	assert_int_equal(backend.ups, 3);
	assert_non_null(peer_of(&backend, GUEST, 0));
	assert_non_null(peer_of(&backend, GUEST, 3));
	assert_non_null(peer_of(&backend, OTHER, 0));
	end_close(&backend);

	xen_open(&one, DRIVER, "xen:7", HDMABUF_BACKEND);
	end_turn(&one);
	assert_int_equal(one.ups, 2);
	assert_null(peer_of(&one, OTHER, 0));
	end_close(&one);
	xen_open(&third, DRIVER, "xen:7/3", HDMABUF_BACKEND);
	end_turn(&third);
	assert_int_equal(third.ups, 1);
	assert_non_null(peer_of(&third, GUEST, 3));
	end_close(&third);
	xen_open(&other, DRIVER, "xen:8", HDMABUF_BACKEND);
	end_turn(&other);
	assert_int_equal(other.ups, 0);
	end_close(&other);
	fake_xen_stop();
}

static void has_room_for_so_many(void **state)
{
	struct end backend;
	uint32_t i;

	(void)state;
	xen_start();
	for (i = 1; i < XEN_DEVICES_MAX + 3; i++)
		fake_xen_attach(GUEST, DRIVER, i);
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	ends_settle(&backend, NULL);
	assert_int_equal(backend.ups, XEN_DEVICES_MAX);
	assert_int_equal(backend.lines, 1);
	assert_non_null(strstr(backend.log, "64 devices"));
	for (i = 0; i < 3; i++)
		fake_xen_detach(GUEST, DRIVER,
				xen_end(&backend)->devices.tqh_first->number);
	end_close(&backend);
	fake_xen_stop();
}

/* Either half in any domain, or both in one. */
static void lives_in_any_domain(void **state)
{
	static const uint32_t places[][2] = { { GUEST, OTHER },
					      { DRIVER, GUEST },
					      { GUEST, GUEST },
					      { DRIVER, DRIVER } };
	struct end frontend, backend;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		fake_xen_start();
		fake_xen_create_domain(GUEST);
		fake_xen_create_domain(OTHER);
		fake_xen_attach(places[i][0], places[i][1], 2);
		xen_open(&backend, places[i][1], "xen:", HDMABUF_BACKEND);
		xen_open(&frontend, places[i][0], "xen:2", HDMABUF_FRONTEND);
		xen_meet(&frontend, &backend);
		assert_true(end_link(&frontend)->attached);
		share_and_map(&xen_kind, &frontend, &backend);
		share_and_map(&xen_kind, &backend, &frontend);
		ends_close(&frontend, &backend);
		fake_xen_stop();
	}
}

/* ---- detaching ---------------------------------------------------------- */

static void detaches(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;
	void *seen;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 2, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 2, READ_WRITE);
	seen = suite_map(&backend, &shared, READ_WRITE);
	fake_xen_detach(GUEST, DRIVER, 0);
	ends_settle(&frontend, &backend);
	assert_int_equal(frontend.peers[0].downs, 1);
	assert_int_equal(backend.peers[0].downs, 1);
	assert_string_equal(backend.peers[0].why, "the device was removed");
	assert_string_equal(back_node("state"), "");
	assert_string_equal(front_node("state"), "");
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	suite_unmap(&backend, seen, 2);
	assert_int_equal(suite_revoke(&frontend, &shared), 0);
	hdmabuf_memory_free(&memory);
	end_free_link(&frontend, end_last(&frontend));
	end_free_link(&backend, end_last(&backend));
	nothing_open();

	fake_xen_attach(GUEST, DRIVER, 0);
	ends_until(&frontend, &backend, backend.ups == 2);
	suite_offer(&backend, 8);
	ends_until(&frontend, &backend, frontend.ups == 2);
	suite_answer(&frontend, 9, 8);
	ends_until(&frontend, &backend, suite_answered(&backend) == 9);
	share_and_map(&xen_kind, &frontend, &backend);
	ends_close(&frontend, &backend);
	assert_string_equal(front_node("state"), "6");
	fake_xen_stop();
}

/* Between two looks, so that nobody has missed it. */
static void is_attached_anew(void **state)
{
	struct end frontend, backend;

	(void)state;
	xen_pair(&frontend, &backend);
	fake_xen_detach(GUEST, DRIVER, 0);
	fake_xen_attach(GUEST, DRIVER, 0);
	ends_until(&frontend, &backend,
		   frontend.peers[0].downs && backend.ups == 2);
	assert_string_equal(backend.peers[0].why, "the device was made anew");
	suite_offer(&backend, 3);
	ends_until(&frontend, &backend, frontend.ups == 2);
	suite_answer(&frontend, 4, 3);
	ends_until(&frontend, &backend, suite_answered(&backend) == 4);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* The same device, but of another backend. */
static void moves_to_another_backend(void **state)
{
	struct end frontend, backend, other;

	(void)state;
	xen_pair(&frontend, &backend);
	fake_xen_create_domain(OTHER);
	fake_xen_detach(GUEST, DRIVER, 0);
	fake_xen_attach(GUEST, OTHER, 0);
	ends_until(&frontend, &backend, frontend.peers[0].downs);
	end_close(&backend);
	xen_open(&other, OTHER, "xen:", HDMABUF_BACKEND);
	ends_until(&frontend, &other, other.ups == 1);
	suite_offer(&other, 5);
	ends_until(&frontend, &other, frontend.ups == 2);
	assert_int_equal(end_link(&frontend)->domain, OTHER);
	ends_close(&frontend, &other);
	fake_xen_stop();
}

/* ---- dying -------------------------------------------------------------- */

static void frontend_is_killed(void **state)
{
	struct end frontend, backend, next;
	struct hdmabuf_memory memory, own;
	struct shared shared, of_own;
	struct hdmabuf_link *link;
	uint8_t *seen;
	int process;

	(void)state;
	xen_start();
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	process = xen_open(&frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	xen_meet(&frontend, &backend);
	link = end_link(&backend);
	xen_memory(&frontend, &memory, 2, READ_WRITE);
	xen_memory(&backend, &own, 1, READ_ONLY);
	((uint8_t *)memory.address)[PAGE] = 9;
	shared = suite_share(&frontend, &memory, 0, 2, READ_WRITE);
	of_own = suite_share(&backend, &own, 0, 1, READ_ONLY);
	seen = suite_map(&backend, &shared, READ_WRITE);
	suite_map(&frontend, &of_own, READ_ONLY);
	assert_int_equal(suite_revoke(&backend, &of_own), -EBUSY);

	fake_xen_kill(process);
	ends_until(&backend, NULL, backend.peers[0].downs);
	assert_string_equal(backend.peers[0].why, "the peer is gone");
	assert_int_equal(seen[PAGE], 9); /* HDB-PLAT-007 */
	assert_int_equal(suite_revoke(&backend, &of_own), 0);
	assert_int_equal(backend.ops->unmap(link, seen, 2), 0);
	hdmabuf_memory_free(&own);
	end_free_link(&backend, &backend.peers[0]);
	hdmabuf_memory_free(&memory);
	end_close(&frontend);
	nothing_open();

	/* Its record is still there; nobody takes it for one. */
	assert_string_equal(front_node("epoch"), "1");
	ends_until(&backend, NULL, backend.ups == 2);
	suite_offer(&backend, 2);
	ends_settle(&backend, NULL);
	assert_int_equal(suite_answered(&backend), 0);
	xen_open(&next, GUEST, "xen:0", HDMABUF_FRONTEND);
	ends_until(&next, &backend, next.ups == 1);
	suite_answer(&next, 3, 2);
	ends_until(&next, &backend, suite_answered(&backend) == 3);
	ends_close(&next, &backend);
	fake_xen_stop();
}

static void backend_is_killed(void **state)
{
	struct end frontend, backend, next;
	struct hdmabuf_memory memory;
	struct shared shared;
	int process;

	(void)state;
	xen_start();
	process = xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	xen_open(&frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	xen_meet(&frontend, &backend);
	xen_memory(&frontend, &memory, 2, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 2, READ_WRITE);
	suite_map(&backend, &shared, READ_WRITE);
	assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);

	fake_xen_kill(process);
	ends_until(&frontend, NULL, frontend.peers[0].downs);
	assert_int_equal(suite_revoke(&frontend, &shared), 0);
	hdmabuf_memory_free(&memory);
	end_free_link(&frontend, &frontend.peers[0]);
	end_close(&backend);
	nothing_open();

	/* HDB-XEN-008: its offer is still there, and is answered by nobody. */
	assert_string_equal(back_node("epoch"), "1");
	while (end_is_readable(&frontend, 2 * XEN_RETRY_MIN_MS))
		end_turn(&frontend);
	assert_int_equal(frontend.ups, 1);
	assert_string_equal(front_node("epoch"), "");

	xen_open(&next, DRIVER, "xen:", HDMABUF_BACKEND);
	ends_until(&frontend, &next, next.ups == 1);
	suite_offer(&next, 2);
	ends_until(&frontend, &next, frontend.ups == 2);
	suite_answer(&frontend, 7, 2);
	ends_until(&frontend, &next, suite_answered(&next) == 7);
	ends_close(&frontend, &next);
	fake_xen_stop();
}

/* So fast that nobody has seen the one before: the number of the link tells. */
static void comes_back_unseen(void **state)
{
	struct end frontend, backend, next;
	uint64_t first;
	int process;

	(void)state;
	xen_start();
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	process = xen_open(&frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	xen_meet(&frontend, &backend);
	first = end_link(&backend)->page.number;
	fake_xen_kill(process);
	xen_open(&next, GUEST, "xen:0", HDMABUF_FRONTEND);
	ends_until(&next, NULL, next.ups == 1);
	suite_answer(&next, 20, 1);
	ends_until(&backend, NULL, backend.peers[0].downs);
	ends_until(&next, &backend, backend.ups == 2);
	suite_offer(&backend, 2);
	ends_until(&next, &backend, suite_offered(&next) == 2);
	suite_answer(&next, 21, 2);
	ends_until(&next, &backend, suite_answered(&backend) == 21);
	assert_true(end_link(&backend)->page.number != first);
	end_close(&frontend);
	ends_close(&next, &backend);
	fake_xen_stop();
}

/* HDB-XEN-020: of a backend that came and died between two looks, the marks are left. */
static void notices_who_came_and_went(void **state)
{
	struct end frontend, backend, next;
	struct hdmabuf_memory memory;
	struct shared shared;
	int process;

	(void)state;
	xen_start();
	process = xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	xen_open(&frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	ends_settle(&frontend, &backend);
	suite_offer(&backend, 1);
	ends_settle(&frontend, &backend);
	suite_answer(&frontend, 1, 1);
	xen_memory(&frontend, &memory, 1, READ_WRITE);
	shared = suite_share(&frontend, &memory, 0, 1, READ_WRITE);
	ends_settle(&backend, NULL); /* attaches; the frontend does not look */
	suite_map(&backend, &shared, READ_WRITE);
	fake_xen_kill(process);
	end_close(&backend);
	ends_until(&frontend, NULL, frontend.peers[0].downs == 1);
	hdmabuf_memory_free(&memory);

	xen_open(&next, DRIVER, "xen:", HDMABUF_BACKEND);
	ends_until(&frontend, &next, next.ups == 1);
	suite_offer(&next, 2);
	ends_until(&frontend, &next, suite_offered(&frontend) == 2);
	suite_answer(&frontend, 5, 2);
	ends_until(&frontend, &next, suite_answered(&next) == 5);
	ends_close(&frontend, &next);
	fake_xen_stop();
}

/* HDB-XEN-008: who is gone has made the offer before, not the one that is there now. */
static void next_offer_is_not_buried(void **state)
{
	struct end frontend, backend, next;
	int process;

	(void)state;
	xen_start();
	process = xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	xen_open(&frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	xen_meet(&frontend, &backend);
	fake_xen_kill(process);
	end_close(&backend);
	xen_open(&next, DRIVER, "xen:", HDMABUF_BACKEND);
	ends_until(&next, NULL, next.ups == 1);
	suite_offer(&next, 2); /* the frontend has not looked since */
	ends_until(&frontend, &next, frontend.peers[0].downs == 1);
	ends_until(&frontend, &next, frontend.ups == 2);
	ends_until(&frontend, &next, suite_offered(&frontend) == 2);
	suite_answer(&frontend, 5, 2);
	ends_until(&frontend, &next, suite_answered(&next) == 5);
	ends_close(&frontend, &next);
	fake_xen_stop();
}

/* HDB-XEN-022: the backend that comes need not be of the same make as the one before. */
static void has_the_marks_that_are_asked_for(void **state)
{
	struct end frontend, backend;

	(void)state;
	xen_open_pair(&frontend, &backend);
	ends_settle(&frontend, &backend);
	suite_offer(&backend, 1);
	ends_settle(&frontend, NULL);
	assert_true(xen_page_suits(&end_link(&frontend)->page, XEN_USE_PAGES));
	suite_offer(&backend, 2);
	fake_xen_write("7", BACK_PATH("use-pages"), DRIVER, GUEST, 0);
	ends_until(&frontend, NULL, frontend.peers[0].downs == 1);
	ends_until(&frontend, NULL, frontend.ups == 2);
	assert_int_equal(suite_offered(&frontend), 2);
	assert_true(xen_page_suits(&end_link(&frontend)->page, 7));
	ends_close(&frontend, &backend);
	nothing_open();
	fake_xen_stop();
}

/* HDB-XEN-031: whatever marks an earlier life has left. */
static void clears_marks_of_an_earlier_life(void **state)
{
	struct end frontend, backend;
	uint8_t *marks;

	(void)state;
	xen_start();
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	xen_open(&frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	ends_settle(&frontend, &backend);
	suite_offer(&backend, 1);
	ends_settle(&frontend, &backend);
	suite_answer(&frontend, 1, 1);
	marks = (uint8_t *)end_link(&frontend)->page.own_marks;
	marks[0] = 1; /* of reference 0, which is never shared */
	ends_settle(&frontend, &backend);
	assert_true(end_link(&frontend)->attached);
	assert_int_equal(marks[0], 0);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* A notification must not be lost for good: rather the link is. */
static void cannot_be_notified(void **state)
{
	struct end frontend, backend;

	(void)state;
	xen_pair(&frontend, &backend);
	frontend.ops->notify(end_link(&frontend));
	fake_xen_fail(fails_with, (char[]){ "xenevtchn_unmask" });
	end_turn(&backend);
	fake_xen_fail(NULL, NULL);
	assert_int_equal(backend.peers[0].downs, 1);
	assert_non_null(strstr(backend.peers[0].why, "event channel"));
	ends_until(&frontend, &backend,
		   frontend.peers[0].downs && backend.ups == 2);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* ---- domains end -------------------------------------------------------- */

static void guest_is_destroyed(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory, own;
	struct shared shared, of_own;
	uint8_t *seen;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 1, READ_ONLY);
	xen_memory(&backend, &own, 1, READ_WRITE);
	((uint8_t *)memory.address)[3] = 33;
	shared = suite_share(&frontend, &memory, 0, 1, READ_ONLY);
	of_own = suite_share(&backend, &own, 0, 1, READ_WRITE);
	seen = suite_map(&backend, &shared, READ_ONLY);
	suite_map(&frontend, &of_own, READ_WRITE);
	fake_xen_destroy_domain(GUEST);
	hdmabuf_memory_free(&memory);
	end_close(&frontend);
	ends_until(&backend, NULL, backend.peers[0].downs);
	assert_string_equal(backend.peers[0].why, "domain 7 is no more");
	assert_int_equal(seen[3], 33);
	assert_int_equal(suite_revoke(&backend, &of_own), 0);
	suite_unmap(&backend, seen, 1);
	hdmabuf_memory_free(&own);
	end_free_link(&backend, &backend.peers[0]);
	nothing_open();
	ends_settle(&backend, NULL);
	assert_int_equal(backend.ups, 1);
	end_close(&backend);
	fake_xen_stop();
}

/* An end without privileges learns it from XenStore, and asks Xen. */
static void driver_domain_is_destroyed(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;
	struct hdmabuf_link *link;

	(void)state;
	fake_xen_start();
	fake_xen_create_domain(GUEST);
	fake_xen_create_domain(OTHER);
	fake_xen_attach(GUEST, OTHER, 0);
	xen_open(&backend, OTHER, "xen:", HDMABUF_BACKEND);
	xen_open(&frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	xen_meet(&frontend, &backend);
	link = end_link(&frontend);
	xen_memory(&frontend, &memory, 1, READ_ONLY);
	shared = suite_share(&frontend, &memory, 0, 1, READ_ONLY);
	suite_map(&backend, &shared, READ_ONLY);
	fake_xen_destroy_domain(OTHER);
	end_close(&backend);
	ends_until(&frontend, NULL, frontend.peers[0].downs);
	assert_string_equal(frontend.peers[0].why, "the device was removed");
	assert_int_equal(frontend.ops->revoke(link, shared.runs, 1), 0);
	hdmabuf_memory_free(&memory);
	end_close(&frontend);
	fake_xen_stop();
}

static void is_migrated(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 1, READ_ONLY);
	shared = suite_share(&frontend, &memory, 0, 1, READ_ONLY);
	suite_map(&backend, &shared, READ_ONLY);
	fake_xen_write("8", "/local/domain/%d/domid", GUEST);
	ends_until(&frontend, NULL, frontend.peers[0].downs);
	assert_string_equal(frontend.peers[0].why,
			    "this domain was 7, and is 8 now");
	assert_int_equal(suite_revoke(&frontend, &shared), 0);
	hdmabuf_memory_free(&memory);
	assert_string_equal(xen_end(&frontend)->root,
			    "/local/domain/8/device/hdmabuf/0");
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* Its directory is gone, but it lives: what it has mapped stays in quarantine. */
static void lives_without_a_device(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_memory memory;
	struct shared shared;
	int i;

	(void)state;
	xen_pair(&frontend, &backend);
	xen_memory(&frontend, &memory, 1, READ_ONLY);
	shared = suite_share(&frontend, &memory, 0, 1, READ_ONLY);
	suite_map(&backend, &shared, READ_ONLY);
	fake_xen_detach(GUEST, DRIVER, 0);
	ends_until(&frontend, NULL, frontend.peers[0].downs);
	for (i = 0; i < 3; i++) {
		end_link(&frontend)->asked_at = 0;
		assert_int_equal(suite_revoke(&frontend, &shared), -EBUSY);
	}
	end_close(&backend);
	assert_int_equal(suite_revoke(&frontend, &shared), 0);
	hdmabuf_memory_free(&memory);
	end_close(&frontend);
	fake_xen_stop();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(refuses_addresses),
	cmocka_unit_test(tells_what_is_missing),
	cmocka_unit_test(tells_states),
	cmocka_unit_test(frontend_may_be_first),
	cmocka_unit_test(removes_what_is_stale),
	cmocka_unit_test(serves_many),
	cmocka_unit_test(has_room_for_so_many),
	cmocka_unit_test(lives_in_any_domain),
	cmocka_unit_test(detaches),
	cmocka_unit_test(is_attached_anew),
	cmocka_unit_test(moves_to_another_backend),
	cmocka_unit_test(frontend_is_killed),
	cmocka_unit_test(backend_is_killed),
	cmocka_unit_test(comes_back_unseen),
	cmocka_unit_test(notices_who_came_and_went),
	cmocka_unit_test(next_offer_is_not_buried),
	cmocka_unit_test(has_the_marks_that_are_asked_for),
	cmocka_unit_test(clears_marks_of_an_earlier_life),
	cmocka_unit_test(cannot_be_notified),
	cmocka_unit_test(guest_is_destroyed),
	cmocka_unit_test(driver_domain_is_destroyed),
	cmocka_unit_test(is_migrated),
	cmocka_unit_test(lives_without_a_device),
};

int main(void)
{
	return hdmabuf_test_run("xen-link", tests,
				sizeof(tests) / sizeof(tests[0]));
}
