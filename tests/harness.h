/* SPDX-License-Identifier: MIT */
#ifndef HDMABUF_TESTS_HARNESS_H
#define HDMABUF_TESTS_HARNESS_H

/* What cmocka.h wants to have been included before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/**
 * hdmabuf_test_run - run the tests of one program and report them
 * @suite: name that stands before the name of each test in the report
 * @tests: the tests, as made by cmocka_unit_test() and its relatives; their
 *	setup and teardown are honoured
 * @count: number of @tests
 *
 * Each test runs in a child process of its own. Beside a failed assertion, it
 * fails a test to be killed by a signal, to exit, to take longer than the time
 * limit, to leave a descriptor open or a process behind, and to end with a
 * non-zero status after all (as LeakSanitizer does).
 *
 * The report on standard output is like TAP and ends with the line
 * "N passed, N failed, N skipped". What a test wrote is shown if it failed.
 *
 * Environment: HDMABUF_TEST_SECONDS is the time limit of a test in seconds, 10
 * unless given, 0 for none. HDMABUF_TEST_FILTER is a shell pattern: only tests
 * whose name, or suite.name, it matches are run.
 *
 * Return: the exit status for main(): 0 if no test failed, 1 if one did, 2 if
 * the environment asks for something impossible.
 */
int hdmabuf_test_run(const char *suite, const struct CMUnitTest *tests,
		     size_t count);

/**
 * hdmabuf_test_skip - end the test that is running and count it as skipped
 * @format: the reason, as for printf()
 *
 * Does not return.
 */
void hdmabuf_test_skip(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
