/* SPDX-License-Identifier: MIT */
/* Records in XenStore: what is written there, garbage, changes in mid-read, storms. */
#define _GNU_SOURCE
#include "xen_ends.h"

#define OTHER 9

/* What the guest writes with tools of its own. */
static void guest_writes(const char *value, const char *node)
{
	fake_xen_write(value, FRONT_PATH("%s"), GUEST, 0, node);
}

static const char *front_node(const char *node)
{
	return fake_xen_node(FRONT_PATH("%s"), GUEST, 0, node);
}

/* A backend with an offer, attached to a frontend with a record. */
static void open_answered(struct end *frontend, struct end *backend)
{
	xen_pair(frontend, backend);
	assert_int_equal(suite_answered(backend), 1);
}

/* ---- garbage ------------------------------------------------------------ */

static void refuses_garbage(void **state)
{
	static const char *const values[] = {
		"",
		" 1",
		"01",
		"-1",
		"+1",
		"0x1",
		"1\n",
		"1\nepoch=5\nchannel=6",
		"1\xff",
		"18446744073709551616",
		"99999999999999999999",
		"000000000000000000001",
		"one",
	};
	static const char *const keys[] = { "epoch", "peer-epoch", "link",
					    "link-ref", "event-channel" };
	struct end frontend, backend;
	char good[32];
	size_t i, j;

	(void)state;
	open_answered(&frontend, &backend);
	for (j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
		snprintf(good, sizeof(good), "%s", front_node(keys[j]));
		for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			guest_writes(values[i], keys[j]);
			ends_settle(&backend, NULL);
			assert_int_equal(suite_answered(&backend), 0);
			guest_writes(good, keys[j]);
			ends_settle(&backend, NULL);
			assert_int_equal(suite_answered(&backend), 1);
		}
	}
	assert_int_equal(backend.peers[0].downs, 0);
	assert_true(end_link(&backend)->attached);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static void refuses_what_is_long(void **state)
{
	struct end frontend, backend;
	char value[3900];

	(void)state;
	open_answered(&frontend, &backend);
	memset(value, '1', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	guest_writes(value, "channel");
	guest_writes(value, "state");
	ends_settle(&backend, NULL);
	assert_int_equal(suite_answered(&backend), 0);
	guest_writes("77", "channel");
	ends_settle(&backend, NULL);
	assert_int_equal(suite_answered(&backend), 1);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* The library sees to what only it knows: here the record is passed on. */
static void passes_on_what_it_does_not_know(void **state)
{
	struct end frontend, backend;
	struct hdmabuf_reply reply;
	char text[2 * HDMABUF_RECORD_OCTETS];
	size_t octets;

	(void)state;
	open_answered(&frontend, &backend);
	guest_writes("0", "channel");
	guest_writes("8", "epoch");
	ends_settle(&backend, NULL);
	octets = backend.ops->record(end_link(&backend), text, sizeof(text));
	assert_true(octets > 0);
	assert_false(hdmabuf_reply_read(text, octets, &reply));
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static void refuses_offers(void **state)
{
	static const struct {
		const char *key;
		const char *value;
	} cases[] = {
		{ "use-pages", "0" },	    { "use-pages", "33" },
		{ "use-pages", "" },	    { "link-version", "0" },
		{ "link-version", "none" }, { "epoch", "0" },
	};
	struct end frontend, backend;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		xen_open_pair(&frontend, &backend);
		end_turn(&backend);
		suite_offer(&backend, 1);
		fake_xen_write(cases[i].value, BACK_PATH("%s"), DRIVER, GUEST,
			       0, cases[i].key);
		ends_settle(&frontend, NULL);
		assert_int_equal(frontend.ups, 0);
		suite_offer(&backend, 2);
		ends_until(&frontend, NULL, frontend.ups == 1);
		ends_close(&frontend, &backend);
		fake_xen_stop();
	}
}

/* HDB-XEN-005 */
static void does_not_list_the_other(void **state)
{
	struct end frontend, backend;
	size_t lists;
	int i;

	(void)state;
	open_answered(&frontend, &backend);
	for (i = 0; i < 900; i++)
		fake_xen_write("1", FRONT_PATH("x%d"), GUEST, 0, i);
	lists = fake_xen_calls("xs_directory");
	guest_writes("2", "epoch");
	ends_settle(&backend, NULL);
	assert_int_equal(suite_answered(&backend), 2);
	assert_int_equal(fake_xen_calls("xs_directory"), lists);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* ---- changes in mid-read ------------------------------------------------ */

struct changer {
	int reads; /* until it changes */
	int left;  /* how often it may */
	unsigned int epoch;
};

static int change_while_read(void *user, const char *function)
{
	struct changer *changer = user;
	char value[16];

	if (strcmp(function, "xs_read") || changer->reads-- > 0 ||
	    !changer->left)
		return 0;
	changer->left--;
	snprintf(value, sizeof(value), "%u", ++changer->epoch);
	guest_writes(value, "epoch");
	return 0;
}

/* HDB-BOTH-006: at whatever place the other writes, no mixture is believed. */
static void notices_changes_while_it_reads(void **state)
{
	struct end frontend, backend;
	struct changer changer;
	int i;

	(void)state;
	open_answered(&frontend, &backend);
	for (i = 0; i < 10; i++) {
		changer = (struct changer){ i, 1, 100 + 2 * (unsigned int)i };
		guest_writes("99", "epoch");
		fake_xen_fail(change_while_read, &changer);
		ends_settle(&backend, NULL);
		fake_xen_fail(NULL, NULL);
		assert_int_equal(suite_answered(&backend),
				 changer.left ? 99 : changer.epoch);
	}
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* One that never stops gets its share of each turn, and not more. */
static void bears_a_storm(void **state)
{
	struct changer changer = { 0, 1000000, 1000 };
	struct end storm, backend, calm;
	size_t reads;
	int i;

	(void)state;
	xen_start();
	fake_xen_create_domain(OTHER);
	fake_xen_attach(OTHER, DRIVER, 0);
	xen_open(&backend, DRIVER, "xen:", HDMABUF_BACKEND);
	xen_open(&storm, GUEST, "xen:0", HDMABUF_FRONTEND);
	xen_open(&calm, OTHER, "xen:0", HDMABUF_FRONTEND);
	end_turn(&backend);
	assert_int_equal(backend.ups, 2);
	for (i = 0; i < 2; i++)
		assert_int_equal(suite_try_offer(&backend.peers[i], 5), 0);
	fake_xen_fail(change_while_read, &changer);
	for (i = 0; i < 100; i++) {
		reads = fake_xen_calls("xs_read");
		end_turn(&backend);
		assert_in_range(fake_xen_calls("xs_read") - reads, 0, 100);
	}
	assert_true(end_is_readable(&backend, 0));
	fake_xen_fail(NULL, NULL);
	ends_until(&calm, &backend, calm.ups == 1);
	changer.left = 1000000;
	fake_xen_fail(change_while_read, &changer);
	suite_answer(&calm, 3, 5);
	for (i = 0; i < 20; i++)
		end_turn(&backend);
	fake_xen_fail(NULL, NULL);
	for (i = 0; i < 2; i++)
		if (backend.peers[i].link->domain == OTHER)
			assert_true(backend.peers[i].link->attached);
	end_close(&calm);
	ends_close(&storm, &backend);
	fake_xen_stop();
}

/* ---- transactions ------------------------------------------------------- */

struct rival {
	int left;
};

/* Somebody else writes before the transaction ends. */
static int write_first(void *user, const char *function)
{
	struct rival *rival = user;

	if (!strcmp(function, "xs_transaction_end") && rival->left > 0) {
		rival->left--;
		fake_xen_write("1", BACK_PATH("epoch"), DRIVER, GUEST, 0);
	}
	return 0;
}

static void tries_transactions_again(void **state)
{
	struct rival rival = { XEN_TRANSACTIONS_MAX - 1 };
	struct end frontend, backend;

	(void)state;
	xen_open_pair(&frontend, &backend);
	end_turn(&backend);
	fake_xen_fail(write_first, &rival);
	suite_offer(&backend, 7);
	assert_int_equal(rival.left, 0);
	assert_string_equal(fake_xen_node(BACK_PATH("epoch"), DRIVER, GUEST, 0),
			    "7");
	rival.left = XEN_TRANSACTIONS_MAX;
	assert_int_equal(backend.ops->publish(end_link(&backend), "epoch=8\n",
					      8),
			 -EAGAIN);
	assert_string_equal(
		fake_xen_node(BACK_PATH("features"), DRIVER, GUEST, 0), "0");
	fake_xen_fail(NULL, NULL);
	suite_offer(&backend, 9);
	ends_until(&frontend, &backend, frontend.ups == 1);
	assert_int_equal(suite_offered(&frontend), 9);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static int no_room(void *user, const char *function)
{
	(void)user;
	return strcmp(function, "xs_write") ? 0 : ENOSPC;
}

static void tells_what_cannot_be_written(void **state)
{
	struct end frontend, backend;

	(void)state;
	xen_open_pair(&frontend, &backend);
	end_turn(&backend);
	fake_xen_fail(no_room, NULL);
	assert_int_equal(backend.ops->publish(end_link(&backend), "epoch=8\n",
					      8),
			 -ENOSPC);
	fake_xen_fail(NULL, NULL);
	assert_true(end_is_readable(&backend, 0));
	end_turn(&backend);
	assert_int_equal(backend.lines, 1);
	assert_non_null(strstr(backend.log, "backend/hdmabuf/7/0"));
	assert_non_null(strstr(backend.log, strerror(ENOSPC)));
	assert_int_equal(backend.ops->publish(end_link(&backend), backend.log,
					      HDMABUF_RECORD_OCTETS + 1),
			 -E2BIG);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

/* A device that is removed must not come into being again by a record. */
static void does_not_make_devices(void **state)
{
	struct end frontend, backend;

	(void)state;
	xen_open_pair(&frontend, &backend);
	ends_settle(&frontend, &backend);
	fake_xen_detach(GUEST, DRIVER, 0);
	assert_int_equal(backend.ops->publish(end_link(&backend), "epoch=8\n",
					      8),
			 -ENOTCONN);
	ends_close(&frontend, &backend);
	assert_string_equal(fake_xen_node(BACK_PATH("state"), DRIVER, GUEST, 0),
			    "");
	fake_xen_stop();
}

/* HDB-PLAT-010 */
static void keeps_records_from_others(void **state)
{
	struct end frontend, backend;
	struct xs_handle *store;
	char *read;

	(void)state;
	open_answered(&frontend, &backend);
	fake_xen_create_domain(OTHER);
	fake_xen_enter(OTHER);
	store = xs_open(0);
	read = xs_read(store, XBT_NULL, "/local/domain/7/device/hdmabuf/0/link",
		       NULL);
	assert_null(read);
	assert_int_equal(errno, EACCES);
	assert_false(xs_write(store, XBT_NULL,
			      "/local/domain/7/device/hdmabuf/0/epoch", "1",
			      1));
	xs_close(store);
	fake_xen_enter(GUEST);
	store = xs_open(0);
	assert_false(xs_write(store, XBT_NULL,
			      "/local/domain/0/backend/hdmabuf/7/0/epoch", "1",
			      1));
	assert_int_equal(errno, EACCES);
	xs_close(store);
	ends_close(&frontend, &backend);
	fake_xen_stop();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(refuses_garbage),
	cmocka_unit_test(refuses_what_is_long),
	cmocka_unit_test(passes_on_what_it_does_not_know),
	cmocka_unit_test(refuses_offers),
	cmocka_unit_test(does_not_list_the_other),
	cmocka_unit_test(notices_changes_while_it_reads),
	cmocka_unit_test(bears_a_storm),
	cmocka_unit_test(tries_transactions_again),
	cmocka_unit_test(tells_what_cannot_be_written),
	cmocka_unit_test(does_not_make_devices),
	cmocka_unit_test(keeps_records_from_others),
};

int main(void)
{
	return hdmabuf_test_run("xen-record", tests,
				sizeof(tests) / sizeof(tests[0]));
}
