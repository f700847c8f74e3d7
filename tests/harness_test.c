/* SPDX-License-Identifier: MIT */
/* The harness must notice whatever can go wrong with a test. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness.h"

#ifdef __SANITIZE_ADDRESS__
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What came of a suite that was run inside a test. */
struct inner {
	int status;
	char text[131072];
};

static void run_inner_child(const struct CMUnitTest *tests, size_t count,
			    int output)
{
	const struct rlimit no_core = { 0, 0 };

	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	setrlimit(RLIMIT_CORE, &no_core);
	_exit(hdmabuf_test_run("inner", tests, count));
}

static void run_inner(struct inner *inner, const struct CMUnitTest *tests,
		      size_t count)
{
	size_t length = 0;
	ssize_t got;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		run_inner_child(tests, count, ends[1]);
	close(ends[1]);
	while ((got = read(ends[0], inner->text + length,
			   sizeof(inner->text) - 1 - length)) > 0)
		length += got;
	inner->text[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &inner->status, 0), pid);
}

static void assert_says(const struct inner *inner, const char *text)
{
	if (strstr(inner->text, text))
		return;
	printf("%s", inner->text);
	fail_msg("the report lacks '%s'", text);
}

static void assert_silent_about(const struct inner *inner, const char *text)
{
	if (!strstr(inner->text, text))
		return;
	printf("%s", inner->text);
	fail_msg("the report has '%s'", text);
}

static void assert_exit(const struct inner *inner, int status)
{
	assert_true(WIFEXITED(inner->status));
	assert_int_equal(WEXITSTATUS(inner->status), status);
}

/* Runs one test that must fail, for the given reason. */
static void assert_fails(const struct CMUnitTest *test, const char *reason)
{
	struct inner inner;

	run_inner(&inner, test, 1);
	assert_says(&inner, "not ok 1 - inner.");
	assert_says(&inner, reason);
	assert_says(&inner, "\n0 passed, 1 failed, 0 skipped\n");
	assert_exit(&inner, 1);
}

static int forget_environment(void **state)
{
	(void)state;
	return unsetenv("HDMABUF_TEST_FILTER") ||
	       setenv("HDMABUF_TEST_SECONDS", "5", 1);
}

/* ---- tests of the inner suites ------------------------------------------ */

static void pass(void **state)
{
	(void)state;
	printf("nobody reads this\n");
}

static void fail_assertion(void **state)
{
	(void)state;
	printf("told before the end\n");
	assert_int_equal(1, 2);
}

static void crash(void **state)
{
	(void)state;
	raise(SIGSEGV);
}

static void call_abort(void **state)
{
	(void)state;
	abort();
}

static void hang(void **state)
{
	(void)state;
	for (;;)
		pause();
}

static void hang_with_child(void **state)
{
	if (fork() >= 0)
		hang(state);
}

static void chatter(void **state)
{
	(void)state;
	for (;;)
		puts("a line without end");
}

static void leak_descriptor(void **state)
{
	(void)state;
	assert_true(open("/dev/null", O_RDONLY) >= 0);
}

static void leave_process(void **state)
{
	(void)state;
	if (!fork())
		hang(state);
}

static void leave_daemon(void **state)
{
	int ends[2];
	char octet;

	assert_int_equal(pipe(ends), 0);
	if (!fork()) {
		if (fork())
			_exit(0);
		setsid();
		if (write(ends[1], "", 1) == 1)
			hang(state);
	}
	assert_int_equal(wait(NULL) > 0, 1);
	assert_int_equal(read(ends[0], &octet, 1), 1);
	close(ends[0]);
	close(ends[1]);
}

static void leave_zombie(void **state)
{
	siginfo_t info;

	(void)state;
	if (!fork())
		_exit(0);
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
}

static void call_exit(void **state)
{
	(void)state;
	exit(0);
}

static int exit_status;

static void exit_with(void)
{
	_exit(exit_status);
}

static void fail_at_exit(void **state)
{
	(void)state;
	exit_status = 42;
	atexit(exit_with);
}

static void skip_with_reason(void **state)
{
	(void)state;
	hdmabuf_test_skip("no %s here", "window");
}

static void skip_without_reason(void **state)
{
	(void)state;
	skip();
}

static int open_state(void **state)
{
	*state = fopen("/dev/null", "re");
	return *state ? 0 : -1;
}

static int close_state(void **state)
{
	return fclose(*state);
}

static int refuse(void **state)
{
	(void)state;
	return -1;
}

static void use_state(void **state)
{
	assert_int_equal(fgetc(*state), EOF);
}

/* ---- what the harness must make of them --------------------------------- */

static void passing_is_silent(void **state)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(pass) };
	struct inner inner;

	(void)state;
	run_inner(&inner, tests, COUNT(tests));
	assert_string_equal(inner.text, "ok 1 - inner.pass\n1..1\n"
					"1 passed, 0 failed, 0 skipped\n");
	assert_exit(&inner, 0);
}

static void failing_assertion_is_shown(void **state)
{
	const struct CMUnitTest test = cmocka_unit_test(fail_assertion);

	(void)state;
	assert_fails(&test, "# failed an assertion");
	assert_fails(&test, "# | told before the end\n");
	assert_fails(&test, "# | [  ERROR   ] --- 0x1 != 0x2\n");
}

static void crash_is_named(void **state)
{
	const struct CMUnitTest segv = cmocka_unit_test(crash);
	const struct CMUnitTest abrt = cmocka_unit_test(call_abort);

	(void)state;
	assert_fails(&abrt, "# killed by SIGABRT (Aborted)\n");
#ifdef WITH_ASAN
	assert_fails(&segv, "# exited with status 1 before its end\n");
	assert_fails(&segv, "AddressSanitizer: SEGV");
#else
	assert_fails(&segv, "# killed by SIGSEGV (Segmentation fault)\n");
#endif
}

static void hang_is_ended(void **state)
{
	const struct CMUnitTest alone = cmocka_unit_test(hang);
	const struct CMUnitTest with_child = cmocka_unit_test(hang_with_child);

	(void)state;
	setenv("HDMABUF_TEST_SECONDS", "1", 1);
	assert_fails(&alone, "# took longer than 1 s\n");
	assert_fails(&with_child, "# took longer than 1 s\n");
}

static void output_is_bounded(void **state)
{
	const struct CMUnitTest chatty = cmocka_unit_test(chatter);

	(void)state;
	setenv("HDMABUF_TEST_SECONDS", "1", 1);
	assert_fails(&chatty, "octets left out");
}

static void leaked_descriptor_is_named(void **state)
{
	const struct CMUnitTest test = cmocka_unit_test(leak_descriptor);

	(void)state;
	assert_fails(&test, "# leaked descriptor ");
	assert_fails(&test, " (/dev/null)\n");
}

static void leftover_process_is_named(void **state)
{
	const struct CMUnitTest process = cmocka_unit_test(leave_process);
	const struct CMUnitTest daemonised = cmocka_unit_test(leave_daemon);
	const struct CMUnitTest zombie = cmocka_unit_test(leave_zombie);

	(void)state;
	assert_fails(&process, " (harness_test) behind\n");
	assert_fails(&daemonised, " (harness_test) behind\n");
	assert_fails(&zombie, " (harness_test) behind\n");
}

static void exit_is_no_pass(void **state)
{
	const struct CMUnitTest early = cmocka_unit_test(call_exit);
	const struct CMUnitTest late = cmocka_unit_test(fail_at_exit);

	(void)state;
	assert_fails(&early, "# exited with status 0 before its end\n");
	assert_fails(&late, "# passed, but exited with status 42\n");
}

static void skip_is_told_apart(void **state)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(skip_with_reason),
		cmocka_unit_test(skip_without_reason),
	};
	struct inner inner;

	(void)state;
	run_inner(&inner, tests, COUNT(tests));
	assert_says(&inner, "ok 1 - inner.skip_with_reason # SKIP no window "
			    "here\n");
	assert_says(&inner, "ok 2 - inner.skip_without_reason # SKIP no reason "
			    "given\n");
	assert_says(&inner, "\n0 passed, 0 failed, 2 skipped\n");
	assert_exit(&inner, 0);
}

static void fixtures_are_honoured(void **state)
{
	const struct CMUnitTest good = cmocka_unit_test_setup_teardown(
		use_state, open_state, close_state);
	const struct CMUnitTest leaky =
		cmocka_unit_test_setup(use_state, open_state);
	const struct CMUnitTest no_setup = cmocka_unit_test_setup(pass, refuse);
	const struct CMUnitTest no_teardown =
		cmocka_unit_test_teardown(pass, refuse);
	struct inner inner;

	(void)state;
	run_inner(&inner, &good, 1);
	assert_says(&inner, "1 passed, 0 failed, 0 skipped");
	assert_fails(&leaky, "# leaked descriptor ");
	assert_fails(&no_setup, "# failed an assertion or a fixture\n");
	assert_fails(&no_teardown, "# failed an assertion or a fixture\n");
}

static void one_failure_stops_nothing(void **state)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_abort),
		cmocka_unit_test(pass),
		cmocka_unit_test(skip_with_reason),
		cmocka_unit_test(leave_process),
		cmocka_unit_test(pass),
	};
	struct inner inner;

	(void)state;
	run_inner(&inner, tests, COUNT(tests));
	assert_says(&inner, "\nok 5 - inner.pass\n1..5\n"
			    "2 passed, 2 failed, 1 skipped\n");
	assert_exit(&inner, 1);
}

static void filter_selects(void **state)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(call_abort),
					    cmocka_unit_test(pass) };
	struct inner inner;

	(void)state;
	setenv("HDMABUF_TEST_FILTER", "inner.p*", 1);
	run_inner(&inner, tests, COUNT(tests));
	assert_says(&inner, "1 passed, 0 failed, 0 skipped");
	assert_silent_about(&inner, "call_abort");
	setenv("HDMABUF_TEST_FILTER", "call_abort", 1);
	run_inner(&inner, tests, COUNT(tests));
	assert_says(&inner, "0 passed, 1 failed, 0 skipped");
	setenv("HDMABUF_TEST_FILTER", "other.*", 1);
	run_inner(&inner, tests, COUNT(tests));
	assert_says(&inner, "0 passed, 0 failed, 0 skipped");
}

static void bad_time_limit_is_refused(void **state)
{
	static const char *const bad[] = { "soon", "-1", "1s", "99999999" };
	const struct CMUnitTest test = cmocka_unit_test(pass);
	struct inner inner;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		setenv("HDMABUF_TEST_SECONDS", bad[i], 1);
		run_inner(&inner, &test, 1);
		assert_says(&inner, "HDMABUF_TEST_SECONDS is '");
		assert_says(&inner, bad[i]);
		assert_exit(&inner, 2);
	}
}

#ifdef WITH_ASAN
static void lose_memory(void **state)
{
	char *volatile lost = malloc(100);

	(void)state;
	assert_non_null(lost);
	lost = NULL;
}

static void lost_memory_is_found(void **state)
{
	const struct CMUnitTest test = cmocka_unit_test(lose_memory);

	(void)state;
	assert_fails(&test, "# passed, but exited with status ");
	assert_fails(&test, "detected memory leaks");
}
#endif

/* Asked without the harness: one that loses failures would lose its own, too. */
static void require_failures_to_count(void)
{
	const struct CMUnitTest assertion = cmocka_unit_test(fail_assertion);
	const struct CMUnitTest crashing = cmocka_unit_test(call_abort);

	assert_fails(&assertion, "# failed an assertion");
	assert_fails(&crashing, "# killed by SIGABRT");
}

#define harness_test(f) cmocka_unit_test_setup(f, forget_environment)

int main(void)
{
	const struct CMUnitTest tests[] = {
		harness_test(passing_is_silent),
		harness_test(failing_assertion_is_shown),
		harness_test(crash_is_named),
		harness_test(hang_is_ended),
		harness_test(output_is_bounded),
		harness_test(leaked_descriptor_is_named),
		harness_test(leftover_process_is_named),
		harness_test(exit_is_no_pass),
		harness_test(skip_is_told_apart),
		harness_test(fixtures_are_honoured),
		harness_test(one_failure_stops_nothing),
		harness_test(filter_selects),
		harness_test(bad_time_limit_is_refused),
#ifdef WITH_ASAN
		harness_test(lost_memory_is_found),
#endif
	};

	if (!getenv("HDMABUF_TEST_FILTER"))
		require_failures_to_count();
	return hdmabuf_test_run("harness", tests, COUNT(tests));
}
