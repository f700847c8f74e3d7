/* SPDX-License-Identifier: MIT */
/*
 * Every call of Xen's libraries fails in turn, once, and so does every allocation and
 * every call of the system: what cannot be done is done later, or told; both ends meet in
 * the end; nothing is left behind. Memory that is, LeakSanitizer sees.
 *
 * Needs to be linked with --wrap for what is in tests/calls.c, and with a fake Xen that is
 * spared.
 */
#define _GNU_SOURCE
#include "tests/calls.h"
#include "tests/having.h"
#include "xen_ends.h"

/* More calls than a life takes. */
#define CALLS_MAX 2000

struct plan {
	/* Of the functions of Xen that may fail; NULL if others do. */
	const char *prefix;
	int error;
	int left; /* calls until it happens */
	const char *happened;
};

/* Of what is unmapped, the kernel does not refuse to take it. */
static int fails(void *user, const char *function)
{
	struct plan *plan = user;

	if (strncmp(function, plan->prefix, strlen(plan->prefix)) ||
	    !strcmp(function, "xengntshr_unshare") || plan->left-- != 0)
		return 0;
	plan->happened = function;
	return plan->error;
}

static const char *what_failed(const struct plan *plan)
{
	return plan->prefix ? plan->happened : calls_failed();
}

/* ---- a life ------------------------------------------------------------- */

struct life {
	struct plan plan;
	struct end frontend;
	struct end backend;
	uint64_t epoch;
	uint64_t answered; /* the offer that the frontend's record answers */
};

static void try_open(struct life *life, struct end *end, uint32_t domain,
		     const char *address, enum hdmabuf_role role)
{
	char error[256] = "";
	int result, tries = 0;

	fake_xen_enter(domain);
	while ((result = hdmabuf_platform_open(address, role, &end->platform,
					       error, sizeof(error)))) {
		assert_non_null(what_failed(&life->plan));
		if (life->plan.prefix)
			assert_int_equal(result, -life->plan.error);
		assert_true(*error);
		assert_int_equal(tries++, 0);
	}
	end->ops = end->platform.ops;
	end->on_down = peer_free_link;
}

static struct peer *living(struct end *end)
{
	struct peer *peer = end->ups ? end_last(end) : NULL;

	return peer && peer->link ? peer : NULL;
}

/* What sessions would do: an offer, and an answer to each. */
static void act(struct life *life)
{
	struct peer *front = living(&life->frontend);
	struct peer *back = living(&life->backend);
	uint64_t offered = front ? suite_offered(&life->frontend) : 0;

	if (back && !back->link->own_epoch)
		suite_try_offer(back, ++life->epoch);
	if (!front || !front->link->own_epoch)
		life->answered = 0;
	if (offered && offered != life->answered &&
	    !suite_try_answer(front, ++life->epoch, offered))
		life->answered = offered;
}

static bool have_met(struct life *life)
{
	struct peer *front = living(&life->frontend);

	return front && front->link->attached && life->answered &&
	       living(&life->backend) &&
	       suite_answered(&life->backend) == front->link->own_epoch;
}

static void meet(struct life *life)
{
	uint64_t limit = ends_now_ms() + 8000;

	while (!have_met(life)) {
		if (ends_now_ms() >= limit)
			fail_msg("after %s", what_failed(&life->plan));
		act(life);
		ends_wait(&life->frontend, &life->backend);
	}
}

/* Whether all of it could be done. */
static bool use(struct life *life, struct end *from, struct end *to)
{
	struct hdmabuf_memory memory;
	struct shared shared = { .count = 0 };
	void *address;
	uint64_t bad;
	bool done = false;

	if (from->ops->alloc(end_link(from), 8 * PAGE, READ_WRITE, &memory))
		return false;
	if (from->ops->share(end_link(from), &memory, 0, 8, READ_WRITE,
			     shared.runs, 8, &shared.count) ||
	    to->ops->map(end_link(to), shared.runs, shared.count, READ_WRITE,
			 &address, &bad)) {
		hdmabuf_memory_free(&memory);
		return false;
	}
	memset(address, 3, 8 * PAGE);
	assert_int_equal(suite_revoke(from, &shared), -EBUSY);
	while (to->ops->unmap(end_link(to), address, 8))
		assert_string_equal(life->plan.happened, "xengnttab_unmap");
	from->ops->notify(end_link(from));
	done = !suite_revoke(from, &shared);
	hdmabuf_memory_free(&memory);
	return done;
}

/* Either goes first, in good order or at once. */
static void part(struct life *life)
{
	if (living(&life->frontend))
		life->frontend.ops->disconnect(end_link(&life->frontend));
	ends_wait(&life->frontend, &life->backend);
	ends_close(&life->backend, &life->frontend);
}

static void plan_begin(struct plan *plan)
{
	if (plan->prefix)
		fake_xen_fail(fails, plan);
	else
		calls_begin((unsigned int)plan->left + 1);
}

static void plan_end(const struct plan *plan)
{
	if (plan->prefix)
		fake_xen_fail(NULL, NULL);
	else
		calls_end();
}

/* Returns which call failed, if the life had so many. */
static const char *live(const char *prefix, int call, int error)
{
	struct life life = { .plan = { prefix, error, call, NULL } };
	struct having before = having_now(), after;

	xen_start();
	plan_begin(&life.plan);
	try_open(&life, &life.backend, DRIVER, "xen:", HDMABUF_BACKEND);
	try_open(&life, &life.frontend, GUEST, "xen:0", HDMABUF_FRONTEND);
	meet(&life);
	if (!use(&life, &life.frontend, &life.backend) ||
	    !use(&life, &life.backend, &life.frontend)) {
		assert_non_null(what_failed(&life.plan));
		meet(&life);
		assert_true(use(&life, &life.frontend, &life.backend));
		assert_true(use(&life, &life.backend, &life.frontend));
	}
	part(&life);
	plan_end(&life.plan);
	fake_xen_stop();
	after = having_now();
	if (after.descriptors != before.descriptors ||
	    after.mappings != before.mappings)
		fail_msg("after %s, something is left",
			 what_failed(&life.plan));
	return what_failed(&life.plan);
}

/* Returns how many calls there are. */
static int sweep(const char *prefix, int error)
{
	int call = 0;

	while (live(prefix, call, error))
		assert_true(call++ < CALLS_MAX);
	assert_true(call > 3);
	return call;
}

static void nothing_fails(void **state)
{
	(void)state;
	assert_null(live("none", 0, EIO));
}

static void xenstore_fails(void **state)
{
	(void)state;
	sweep("xs_", EIO);
}

static void xenstore_has_no_memory(void **state)
{
	(void)state;
	sweep("xs_", ENOMEM);
}

static void transactions_fail(void **state)
{
	(void)state;
	sweep("xs_transaction", EAGAIN);
	sweep("xs_transaction", ENOSPC);
}

static void channels_fail(void **state)
{
	(void)state;
	sweep("xenevtchn_", EINVAL);
	sweep("xenevtchn_", ENOSPC);
}

static void grants_fail(void **state)
{
	(void)state;
	sweep("xengnt", ENOMEM);
	sweep("xengnt", EINVAL);
	sweep("xengnt", ENOSPC);
}

static void the_system_fails(void **state)
{
	(void)state;
	assert_true(sweep(NULL, 0) > 30);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nothing_fails),
	cmocka_unit_test(xenstore_fails),
	cmocka_unit_test(xenstore_has_no_memory),
	cmocka_unit_test(transactions_fail),
	cmocka_unit_test(channels_fail),
	cmocka_unit_test(grants_fail),
	cmocka_unit_test(the_system_fails),
};

int main(void)
{
	return hdmabuf_test_run("xen-failures", tests,
				sizeof(tests) / sizeof(tests[0]));
}
