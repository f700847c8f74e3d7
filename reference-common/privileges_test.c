/* SPDX-License-Identifier: MIT */
/* What can be done no more, and what still can. Each test is a process of its own. */
#define _GNU_SOURCE
#include "reference-common/privileges.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void drop(bool network)
{
	struct failure failure;

	assert_int_equal(privileges_drop(NULL, network, &failure), 0);
}

static bool has_filters(void)
{
#if defined(__x86_64__) || defined(__aarch64__)
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2;
#else
	return false;
#endif
}

static void expect_denied(int result)
{
	assert_int_equal(result, -1);
	assert_int_equal(errno, EPERM);
}

/* Of a process that may: what it does no more, root could do before. */
static void takes_calls_away(void **state)
{
	char *const arguments[] = { "true", NULL };

	(void)state;
	drop(false);
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	if (!has_filters())
		hdmabuf_test_skip("no filters of system calls here");
	expect_denied(execv("/bin/true", arguments));
	expect_denied(mount("none", "/mnt", "tmpfs", 0, NULL));
	expect_denied(chroot("/"));
	expect_denied(setuid(getuid()));
	expect_denied(socket(AF_INET, SOCK_STREAM, 0));
	expect_denied(socket(AF_INET6, SOCK_DGRAM, 0));
}

static void leaves_what_is_needed(void **state)
{
	char name[] = "/tmp/hdmabuf-test-XXXXXX";
	int fds[2], fd;

	(void)state;
	drop(false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	close(fds[0]);
	close(fds[1]);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_true(fd >= 0);
	close(fd);
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(unlink(name), 0);
}

static void leaves_the_network(void **state)
{
	int fd;

	(void)state;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		hdmabuf_test_skip("no internet sockets here");
	close(fd);
	drop(true);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	close(fd);
}

/* The line of /proc/self/status that begins so. */
static unsigned long long status_of(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long value = ~0ull;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name), NULL, 16);
	fclose(file);
	return value;
}

/* 2 is CAP_DAC_OVERRIDE, number 1. */
static void drops_capabilities(void **state)
{
	(void)state;
	drop(false);
	assert_int_equal(status_of("CapEff:") & ~2ull, 0);
	assert_int_equal(status_of("CapPrm:") & ~2ull, 0);
	if (!getuid())
		assert_int_equal(status_of("CapBnd:") & ~2ull, 0);
}

static void becomes_somebody(void **state)
{
	struct failure failure;

	(void)state;
	if (getuid())
		hdmabuf_test_skip("not root");
	assert_int_equal(privileges_drop("nobody", false, &failure), 0);
	assert_int_not_equal(getuid(), 0);
	assert_int_not_equal(getgid(), 0);
	assert_int_equal(getuid(), geteuid());
	assert_int_equal(status_of("CapEff:"), 0);
	assert_true(setuid(0) < 0);
}

static void tells_why_not(void **state)
{
	struct failure failure;

	(void)state;
	assert_int_equal(privileges_drop("no-such-user", false, &failure), -1);
	assert_non_null(strstr(failure.text, "no such user"));
	/* Nothing was dropped: who asked for a user would go on as himself. */
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	drop(false);
	assert_int_equal(privileges_drop("root", false, &failure), -1);
	assert_non_null(strstr(failure.text, "cannot become"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(takes_calls_away),
	cmocka_unit_test(leaves_what_is_needed),
	cmocka_unit_test(leaves_the_network),
	cmocka_unit_test(drops_capabilities),
	cmocka_unit_test(becomes_somebody),
	cmocka_unit_test(tells_why_not),
};

int main(void)
{
	return hdmabuf_test_run("privileges", tests,
				sizeof(tests) / sizeof(tests[0]));
}
