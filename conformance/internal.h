/* SPDX-License-Identifier: MIT */
/* internal.h - what the parts of the suite know of each other, and tests do not */
#ifndef CONFORMANCE_INTERNAL_H
#define CONFORMANCE_INTERNAL_H

#include "conformance/checker/checker.h"
#include "conformance/end/end.h"
#include "conformance/test.h"

#include <setjmp.h>
#include <sys/types.h>

#define TEST_ENDS_MAX 8
#define BURIED_MAX    32
/* "not implemented", of a command that starts an IUT. */
#define EXIT_NOT_IMPLEMENTED 89

/* ---- what a test's process tells the runner, see stream.c --------------- */

/**
 * enum stream_kind - kinds of things that are told
 * @STREAM_LINE: a line of the exchange: speaker, time, text
 * @STREAM_FINDING: verdict, clause, text
 * @STREAM_CHECKED: a clause was checked
 * @STREAM_REASON: verdict SKIP, INCONCLUSIVE or ERROR, and why
 * @STREAM_OUTPUT: what the IUT wrote to standard error
 * @STREAM_DONE: the test has come to its end
 */
enum stream_kind {
	STREAM_LINE = 1,
	STREAM_FINDING,
	STREAM_CHECKED,
	STREAM_REASON,
	STREAM_OUTPUT,
	STREAM_DONE,
};

/**
 * struct stream_head - before each thing that is told
 * @kind: &enum stream_kind
 * @detail: speaker or verdict
 * @clause: of a finding or check
 * @microseconds: since the test began
 * @length: of the text that follows
 */
struct stream_head {
	uint32_t kind;
	uint32_t detail;
	uint32_t clause;
	uint32_t length;
	uint64_t microseconds;
};

void stream_write(int fd, const struct stream_head *head, const char *text);

/* ---- the IUT's process, see iut.c --------------------------------------- */

/**
 * struct iut - the implementation under test
 * @pid: of its process; 0 if there is none
 * @group: that its process leads
 * @in: its standard input
 * @out: its standard output
 * @err: its standard error
 * @line: of its output, as far as it has come
 * @length: of @line
 * @lines: whole lines that nobody has taken
 * @count: of @lines
 * @status: how it ended, as of waitpid(), once @pid is 0 again
 * @ended: it has ended by itself
 */
struct iut {
	pid_t pid;
	pid_t group;
	int in, out, err;
	char line[4096];
	size_t length;
	char *lines[1024];
	size_t count;
	int status;
	bool ended;
};

/* Starts it; a negative errno if that fails. */
int iut_start(struct iut *iut, const struct setup *setup, const char *endpoint);
/* Takes what it wrote, and notices its end; true if there was anything. */
bool iut_step(struct iut *iut, struct test *test);
bool iut_write(struct iut *iut, const char *line);
/* Takes the first line that begins with @prefix; to be freed; or NULL. */
char *iut_take_line(struct iut *iut, const char *prefix);
/* Forgets all lines. */
void iut_drop_lines(struct iut *iut);
/* Asks it to end, ends it, and waits; the status as of waitpid(). */
int iut_stop(struct iut *iut, struct test *test);
void iut_kill(struct iut *iut, int signal);

/* ---- a test that is running --------------------------------------------- */

/**
 * struct test - a test that is running
 * @test_case: which
 * @setup: how the IUT is reached
 * @endpoint: where; the first one if there are several
 * @stream: to the runner
 * @began: monotonic microseconds
 * @way_out: where require() and its relatives go
 * @iut: the implementation under test
 * @kept: the runner keeps the IUT: it is not to be ended
 * @reset: what other tests have told it, it was told to forget
 * @ends: of the suite, facing it
 * @end_count: of @ends
 * @checker: watches
 * @buried: epochs of records of which the IUT's end is known to have ended
 * @buried_count: of all that there were
 * @random: state
 * @was_there: the IUT has come to its endpoint since it was started
 * @failed: a clause is broken that says MUST
 * @finished: it came to its end
 * @event: the last one that was taken
 */
struct test {
	const struct test_case *test_case;
	const struct setup *setup;
	char endpoint[256];
	int stream;
	uint64_t began;
	jmp_buf way_out;
	struct iut *iut;
	bool kept;
	bool reset;
	struct end *ends[TEST_ENDS_MAX];
	size_t end_count;
	struct checker *checker;
	uint64_t buried[BURIED_MAX];
	size_t buried_count;
	uint64_t random;
	bool was_there;
	bool failed;
	bool finished;
	char *event;
};

/*
 * Runs a test to its end, in the process it was forked for, and proves that the IUT
 * still lives afterwards.
 */
void test_run(struct test *test);
/* The end of a test with a verdict and a reason; does not return. */
void test_end(struct test *test, enum verdict verdict, const char *reason)
	__attribute__((noreturn));
/* The IUT has broken a clause, whether or not the test is about it. */
void test_found(struct test *test, enum clause clause, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * An endpoint that no end of the test uses, for another one. Skips the test if the IUT
 * cannot be met by so many.
 */
const char *test_free_endpoint(struct test *test);
/*
 * Whether a link shows that the IUT is there. On Xen it does not: there is one with any
 * device, and the record of who was killed stays.
 */
bool end_shows_presence(const struct end *end);
/* The IUT's end has ended: its record is none until the epoch is another. */
void end_bury(struct end *end);
/* Tells the checker what has happened on a link. */
void test_trace(struct end *end, uint8_t kind, enum hdmabuf_role sender,
		const void *octets, size_t length);

/*
 * When to give up an IUT that may just have been started: an interpreter, on a machine
 * that is busy, is not there at once.
 */
uint64_t test_start_deadline(const struct test *test);

/* A child of this process that still lives; 0 if there is none. */
pid_t runner_find_child(void);

#endif
