/* SPDX-License-Identifier: MIT */
/* hdmabuf-xen, over a Xen that is not there. */

#define _GNU_SOURCE
#include "tools/xen_tool.h"
#include "tests/fake_xen.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <xenstore.h>

#define GUEST  7
#define DRIVER 9

struct told {
	int status;
	char out[4096];
	char errors[1024];
};

/* Runs it with a line of arguments. */
static struct told run(const char *line)
{
	struct told told = { 0 };
	char copy[256], *words[16] = { "hdmabuf-xen" }, *rest = copy;
	FILE *out = fmemopen(told.out, sizeof(told.out), "w");
	FILE *errors = fmemopen(told.errors, sizeof(told.errors), "w");
	int count = 1;

	assert_non_null(out);
	assert_non_null(errors);
	snprintf(copy, sizeof(copy), "%s", line);
	while (count < 15 && (words[count] = strsep(&rest, " ")))
		count += *words[count] != '\0';
	words[count] = NULL;
	told.status = xen_tool_run(count, words, out, errors);
	fclose(out);
	fclose(errors);
	return told;
}

static void expect(const char *line, int status, const char *part)
{
	struct told told = run(line);

	if (told.status != status)
		fail_msg("%s: %d, not %d: %s", line, told.status, status,
			 told.errors);
	if (!strstr(status ? told.errors : told.out, part))
		fail_msg("%s: '%s%s' does not say '%s'", line, told.out,
			 told.errors, part);
	assert_int_equal(!!*told.errors, !!status);
	if (status) {
		assert_string_equal(told.out, "");
		assert_ptr_equal(strchr(told.errors, '\n'),
				 told.errors + strlen(told.errors) - 1);
	}
}

static void start(void)
{
	fake_xen_start();
	fake_xen_create_domain(GUEST);
	fake_xen_create_domain(DRIVER);
	fake_xen_write("Domain-0", "/local/domain/0/name");
	fake_xen_write("viewer", "/local/domain/%d/name", GUEST);
	fake_xen_enter(0);
}

static void expect_rights(const char *path, unsigned int owner,
			  unsigned int reader)
{
	struct xs_handle *store = xs_open(0);
	unsigned int count = 0;
	struct xs_permissions *perms =
		xs_get_permissions(store, XBT_NULL, path, &count);

	if (!perms)
		fail_msg("there is no %s", path);
	assert_int_equal(count, 2);
	assert_int_equal(perms[0].id, owner);
	assert_int_equal(perms[0].perms, XS_PERM_NONE);
	assert_int_equal(perms[1].id, reader);
	assert_int_equal(perms[1].perms, XS_PERM_READ);
	free(perms);
	xs_close(store);
}

/* ---- attach and detach -------------------------------------------------- */

static void attaches(void **state)
{
	struct fake_xen_count before;

	(void)state;
	start();
	before = fake_xen_count();
	expect("attach 7 9", 0, "made /local/domain/7/device/hdmabuf/0\n");
	assert_string_equal(
		fake_xen_node("/local/domain/7/device/hdmabuf/0/backend"),
		"/local/domain/9/backend/hdmabuf/7/0");
	assert_string_equal(
		fake_xen_node("/local/domain/7/device/hdmabuf/0/backend-id"),
		"9");
	assert_string_equal(
		fake_xen_node("/local/domain/7/device/hdmabuf/0/state"), "1");
	assert_string_equal(
		fake_xen_node("/local/domain/9/backend/hdmabuf/7/0/frontend"),
		"/local/domain/7/device/hdmabuf/0");
	assert_string_equal(
		fake_xen_node(
			"/local/domain/9/backend/hdmabuf/7/0/frontend-id"),
		"7");
	assert_string_equal(
		fake_xen_node("/local/domain/9/backend/hdmabuf/7/0/online"),
		"1");
	assert_string_equal(
		fake_xen_node("/local/domain/9/backend/hdmabuf/7/0/state"),
		"1");
	expect_rights("/local/domain/7/device/hdmabuf/0", 7, 9);
	expect_rights("/local/domain/7/device/hdmabuf/0/state", 7, 9);
	expect_rights("/local/domain/9/backend/hdmabuf/7/0", 9, 7);
	expect_rights("/local/domain/9/backend/hdmabuf/7/0/state", 9, 7);
	expect("detach 7", 0, "removed /local/domain/9/backend/hdmabuf/7/0\n");
	assert_string_equal(
		fake_xen_node("/local/domain/7/device/hdmabuf/0/state"), "");
	expect("attach 7 9", 0, "made");
	expect("detach 7", 0, "removed");
	/* The directories of the class stay, as those of other classes do. */
	assert_in_range(fake_xen_count().nodes, before.nodes, before.nodes + 5);
	fake_xen_stop();
}

static void says_what_to_run(void **state)
{
	struct told told;

	(void)state;
	start();
	told = run("attach viewer Domain-0 --device 3");
	assert_int_equal(told.status, 0);
	assert_string_equal(told.out,
			    "made /local/domain/7/device/hdmabuf/3\n"
			    "made /local/domain/0/backend/hdmabuf/7/3\n"
			    "domain 0: hdmabuf-backend --platform xen:\n"
			    "domain 7: hdmabuf-frontend --platform xen:3\n");
	fake_xen_stop();
}

static void refuses_what_is_there(void **state)
{
	(void)state;
	start();
	expect("attach 7 0", 0, "made");
	expect("attach 7 9", EX_CANTCREAT, "already");
	expect("attach 7 0", EX_CANTCREAT, "already");
	expect("attach 7 9 -d 1", 0, "made");
	expect("attach 8 0", EX_NOHOST, "no domain '8'");
	expect("attach 7 ghost", EX_NOHOST, "no domain 'ghost'");
	expect("attach 32752 0", EX_NOHOST, "no domain");
	expect("detach 7 -d 2", EX_NOHOST, "no device 2");
	expect("detach 9", EX_NOHOST, "no device 0");
	fake_xen_stop();
}

/* ---- list --------------------------------------------------------------- */

static void lists(void **state)
{
	struct told told;

	(void)state;
	start();
	told = run("list");
	assert_int_equal(told.status, 0);
	assert_ptr_equal(strchr(told.out, '\n'),
			 told.out + strlen(told.out) - 1);
	run("attach 9 7 -d 12");
	run("attach 7 0 -d 1");
	run("attach 7 9");
	fake_xen_write("4", "/local/domain/7/device/hdmabuf/0/state");
	fake_xen_write("2", "/local/domain/0/backend/hdmabuf/7/1/state");
	fake_xen_write("77", "/local/domain/7/device/hdmabuf/1/state");
	told = run("list");
	assert_int_equal(told.status, 0);
	assert_string_equal(
		strchr(told.out, '\n') + 1,
		"       7      0       9  connected     initialising\n"
		"       7      1       0  unknown       offers\n"
		"       9     12       7  initialising  initialising\n");
	fake_xen_stop();
}

/* As after xl destroy, which removes what is in the domain's own directory. */
static void cleans_up(void **state)
{
	struct fake_xen_count count;

	(void)state;
	start();
	run("attach 7 0");
	run("attach 7 0 -d 1");
	run("attach 9 0");
	count = fake_xen_count();
	fake_xen_destroy_domain(GUEST);
	expect("list", 0,
	       "       7      1       0  gone          initialising\n");
	expect("detach 7 -d 1", 0,
	       "removed /local/domain/0/backend/hdmabuf/7/1\n");
	expect("detach --gone", 0,
	       "removed /local/domain/0/backend/hdmabuf/7/0\n");
	assert_string_equal(run("detach --gone").out, "");
	assert_true(fake_xen_count().nodes < count.nodes);
	expect("list", 0,
	       "       9      0       0  initialising  initialising\n");
	fake_xen_stop();
}

/* ---- trouble ------------------------------------------------------------ */

static void refuses_wrong_usage(void **state)
{
	static const char *const lines[] = {
		"",
		"mend",
		"attach",
		"attach 7",
		"attach 7 9 0",
		"attach 7 9 0 1",
		"detach",
		"detach 7 9",
		"list 7",
		"list --gone",
		"detach 7 --gone",
		"list --nothing",
		"detach 7 --device",
		"detach 7 -d x",
		"detach 7 -d 4294967295",
	};
	size_t i;

	(void)state;
	start();
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect(lines[i], EX_USAGE, "hdmabuf-xen: ");
	fake_xen_stop();
}

static void helps(void **state)
{
	(void)state;
	start();
	expect("--help", 0, "Exit status");
	expect("--version", 0, "hdmabuf-xen " HDMABUF_PACKAGE_VERSION);
	fake_xen_stop();
}

static int fails_with(void *user, const char *function)
{
	return !strcmp(function, user) ? ENOENT : 0;
}

static void tells_what_is_missing(void **state)
{
	(void)state;
	start();
	fake_xen_fail(fails_with, "xs_open");
	expect("list", EX_UNAVAILABLE, "cannot reach XenStore");
	fake_xen_fail(fails_with, "xs_transaction_start");
	expect("attach 7 9", EX_UNAVAILABLE, "cannot make the device");
	fake_xen_fail(NULL, NULL);
	fake_xen_enter(GUEST);
	expect("attach 7 7", EX_NOPERM, "cannot make the device");
	fake_xen_stop();
}

/* Every call fails once: it is done, or not at all. */
static int fail_at(void *user, const char *function)
{
	int *left = user;

	(void)function;
	return (*left)-- == 0 ? EIO : 0;
}

static void does_all_or_nothing(void **state)
{
	int call, left;

	(void)state;
	for (call = 0; call < 200; call++) {
		struct told told;
		bool front, back;

		start();
		left = call;
		fake_xen_fail(fail_at, &left);
		told = run("attach 7 9");
		fake_xen_fail(NULL, NULL);
		front = *fake_xen_node(
			"/local/domain/7/device/hdmabuf/0/state");
		back = *fake_xen_node(
			"/local/domain/9/backend/hdmabuf/7/0/state");
		assert_int_equal(front, !told.status);
		assert_int_equal(back, !told.status);
		fake_xen_stop();
		if (left >= 0)
			break;
	}
	assert_in_range(call, 10, 199);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(attaches),
	cmocka_unit_test(says_what_to_run),
	cmocka_unit_test(refuses_what_is_there),
	cmocka_unit_test(lists),
	cmocka_unit_test(cleans_up),
	cmocka_unit_test(refuses_wrong_usage),
	cmocka_unit_test(helps),
	cmocka_unit_test(tells_what_is_missing),
	cmocka_unit_test(does_all_or_nothing),
};

int main(void)
{
	return hdmabuf_test_run("xen-tool", tests,
				sizeof(tests) / sizeof(tests[0]));
}
