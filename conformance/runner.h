/* SPDX-License-Identifier: MIT */
/* runner.h - runs tests, each in a process of its own, and collects what they say */
#ifndef CONFORMANCE_RUNNER_H
#define CONFORMANCE_RUNNER_H

#include "conformance/model/result.h"
#include "conformance/test.h"

/**
 * struct selected - a test that is to be run
 * @name: with its group
 * @test_case: its entry
 */
struct selected {
	char name[128];
	const struct test_case *test_case;
};

/**
 * struct plan_of_run - what is to be run, and how
 * @setup: how the IUT is reached
 * @tests: which
 * @count: of @tests
 * @jobs: so many at a time
 * @repeat: so often each
 * @limit_ms: how long a test may take
 * @progress: called after each test; may be NULL
 * @user: of @progress
 */
struct plan_of_run {
	struct setup setup;
	const struct selected *tests;
	size_t count;
	unsigned int jobs;
	unsigned int repeat;
	unsigned int limit_ms;
	void (*progress)(void *user, size_t done, size_t all,
			 const struct result *result);
	void *user;
};

/*
 * Runs all of it in an order that depends on the seed. @results receives one result
 * for each test, to be given to results_free(). 0 or a negative errno.
 */
int runner_run(const struct plan_of_run *plan, struct result *results);
void results_free(struct result *results, size_t count);

#endif
