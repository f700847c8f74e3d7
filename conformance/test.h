/* SPDX-License-Identifier: MIT */
/*
 * test.h - what a test of the suite is, and what it can say
 *
 * A test is a function that plays the other end of the implementation under test
 * (the IUT) and checks what that does. It runs in a process of its own, begins with
 * nothing open, and may end anywhere: require(), skip() and inconclusive() do not
 * return. What it opened is closed for it.
 *
 * A test names its clauses in its entry, and each check says which of them fails
 * if it does not hold. A test that has not checked each of its clauses at least
 * once cannot pass: it is an ERROR, the suite's own.
 */
#ifndef CONFORMANCE_TEST_H
#define CONFORMANCE_TEST_H

#include "conformance/model/clause.h"
#include "conformance/model/option.h"
#include "conformance/model/result.h"

#include <hyper_dmabuf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct end;
struct test;

/* Roles of the IUT for which a test makes sense. */
enum role_set {
	OF_FRONTEND = 1 << HDMABUF_FRONTEND,
	OF_BACKEND = 1 << HDMABUF_BACKEND,
	OF_BOTH = OF_FRONTEND | OF_BACKEND,
};

/**
 * struct test_case - the entry of a test
 * @name: of its function
 * @title: what it shows, in a sentence
 * @roles: of the IUT, &enum role_set
 * @needs: options that the IUT must claim, &enum claim
 * @run: the test
 * @clauses: that it checks
 * @clause_count: of @clauses
 * @platform: it is about that platform only, or NULL
 */
struct test_case {
	const char *name;
	const char *title;
	unsigned int roles;
	uint32_t needs;
	void (*run)(struct test *test);
	const enum clause *clauses;
	size_t clause_count;
	const char *platform;
};

#define TEST_CLAUSES(...) \
	(const enum clause[]){ __VA_ARGS__ }, \
		sizeof((const enum clause[]){ __VA_ARGS__ }) / \
			sizeof(enum clause)

/* TEST(function, "title", roles, needs, clauses...) */
#define TEST(function, title, roles, needs, ...) \
	{ \
#function, title, roles, needs, function, \
			TEST_CLAUSES(__VA_ARGS__), NULL \
	}

/* The same for a test of the binding "local". */
#define TEST_LOCAL(function, title, roles, needs, ...) \
	{ \
#function, title, roles, needs, function, \
			TEST_CLAUSES(__VA_ARGS__), "local" \
	}

/* The same for one of the binding "xen". */
#define TEST_XEN(function, title, roles, needs, ...) \
	{ \
#function, title, roles, needs, RUN_XEN(function), \
			TEST_CLAUSES(__VA_ARGS__), "xen" \
	}

/**
 * struct test_group - the tests of one file
 * @name: stands before the name of each, with a dot
 * @cases: the tests
 * @count: of @cases
 */
struct test_group {
	const char *name;
	const struct test_case *cases;
	size_t count;
};

#define TEST_GROUP(group, cases) \
	const struct test_group group##_tests = { \
		#group, cases, sizeof(cases) / sizeof(cases[0]) \
	}

/* All there are; the last one is NULL. */
extern const struct test_group *const test_groups[];

/**
 * struct setup - how the IUT is reached
 * @role: of the IUT
 * @command: that starts it, or NULL if it is there already
 * @endpoints: where it is; each is for one end, unless many can meet it there
 * @endpoint_count: of @endpoints; if 0, one is made up for each test
 * @folder: for the sockets of endpoints that are made up
 * @statement: what it claims
 * @seed: of everything random
 * @patience_ms: how long to wait for what must come
 * @keep: the IUT is started once, not for each test
 * @ring_format: of all sessions, unless a test is about another one
 */
struct setup {
	enum hdmabuf_role role;
	const char *command;
	const char *const *endpoints;
	size_t endpoint_count;
	const char *folder;
	struct statement statement;
	uint64_t seed;
	unsigned int patience_ms;
	bool keep;
	uint32_t ring_format;
};

const struct setup *test_setup(const struct test *test);
enum hdmabuf_role test_iut_role(const struct test *test);
bool test_claims(const struct test *test, enum claim claim);

/* ---- what a test says --------------------------------------------------- */

/*
 * If @holds is false, the IUT breaks @clause: FAIL, or WARN if the clause says
 * SHOULD. @format says what was expected and what was seen. Returns @holds.
 */
bool check(struct test *test, enum clause clause, bool holds,
	   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same, and ends the test if it does not hold. */
void require(struct test *test, enum clause clause, bool holds,
	     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* check() of a status: "EXPORT with size 0: INVALID expected, OK seen". */
bool check_status(struct test *test, enum clause clause, uint16_t seen,
		  uint16_t expected, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* The test cannot be carried out with this IUT; does not return. */
void skip(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* The IUT did not behave so that anything can be said; does not return. */
void inconclusive(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* The suite or the machine failed; does not return. */
void error(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* A line for the exchange: what the test is about to do, and why. */
void comment(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line for the exchange: what was sent or seen. */
void note(struct test *test, enum speaker speaker, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Random numbers that are the same for the same seed and test. */
uint64_t test_random(struct test *test);
void test_random_octets(struct test *test, void *octets, size_t count);

/* ---- waiting ------------------------------------------------------------ */

/* When to give up what must come, from now on; monotonic milliseconds. */
uint64_t test_deadline(const struct test *test);
uint64_t test_deadline_in(unsigned int milliseconds);
uint64_t now_ms(void);
uint64_t now_us(void);

/*
 * Lets something happen: takes what has come at all ends and from the IUT's
 * standard output, and waits for it until @deadline if there is nothing. Returns
 * false when the deadline is over:
 *
 *	while (!condition && test_wait(test, deadline))
 *		;
 */
bool test_wait(struct test *test, uint64_t deadline);

/* ---- the IUT ------------------------------------------------------------ */

/*
 * Opens an end that faces the IUT, which is started if it is not there, and waits
 * until there is a link. A backend can be faced by several ends.
 */
struct end *test_open(struct test *test);
/* test_open() and end_greet(): a session, and proof that it works. */
struct end *test_connect(struct test *test);

/* Closes all ends that are open. */
void test_close_ends(struct test *test);
/* Starts the IUT if it is not there; test_open() does it by itself. */
void test_start_iut(struct test *test);
/* Whether the IUT's process runs, or is not one of ours. */
bool test_iut_is_running(struct test *test);
/* Skips the test if the IUT must not be ended. */
void test_iut_may_end(struct test *test);
/* Ends the IUT by a signal, and waits for it; it can be opened anew. */
void test_iut_kill(struct test *test, int signal);
pid_t test_iut_pid(const struct test *test);

/*
 * Tells the IUT what to do, see docs/control.rst, and waits for its answer. An IUT
 * that says "unsupported" is skipped; "no" makes the test inconclusive.
 */
void control(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same; returns false for "no". */
bool control_try(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Waits for an event that begins with these words, and takes it. Returns what
 * follows them, valid until the next call, or NULL if it does not come.
 */
const char *event_await(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same without waiting. */
const char *event_find(struct test *test, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
