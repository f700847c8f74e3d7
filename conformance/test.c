/* SPDX-License-Identifier: MIT */
#include "conformance/internal.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE 1024

/* ---- time and chance ---------------------------------------------------- */

uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t now_ms(void)
{
	return now_us() / 1000;
}

uint64_t test_deadline_in(unsigned int milliseconds)
{
	return now_ms() + milliseconds;
}

uint64_t test_deadline(const struct test *test)
{
	return test_deadline_in(test->setup->patience_ms);
}

/* SplitMix64. */
uint64_t test_random(struct test *test)
{
	uint64_t number = test->random += 0x9e3779b97f4a7c15u;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
	number = (number ^ number >> 27) * 0x94d049bb133111ebu;
	return number ^ number >> 31;
}

void test_random_octets(struct test *test, void *octets, size_t count)
{
	uint8_t *octet = octets;

	for (size_t i = 0; i < count; i++)
		octet[i] = (uint8_t)test_random(test);
}

const struct setup *test_setup(const struct test *test)
{
	return test->setup;
}

enum hdmabuf_role test_iut_role(const struct test *test)
{
	return test->setup->role;
}

bool test_claims(const struct test *test, enum claim claim)
{
	return test->setup->statement.options & claim;
}

/* ---- what a test says --------------------------------------------------- */

static void tell(struct test *test, enum stream_kind kind, uint32_t detail,
		 enum clause clause, const char *text)
{
	struct stream_head head = {
		.kind = kind,
		.detail = detail,
		.clause = clause,
		.microseconds = now_us() - test->began,
	};

	stream_write(test->stream, &head, text);
}

static bool is_own_clause(const struct test_case *test_case, enum clause clause)
{
	for (size_t i = 0; i < test_case->clause_count; i++)
		if (test_case->clauses[i] == clause)
			return true;
	return false;
}

static void find(struct test *test, enum clause clause, const char *text)
{
	enum verdict verdict = clause_duty(clause) == SHOULD ? VERDICT_WARN :
							       VERDICT_FAIL;

	test->failed |= verdict == VERDICT_FAIL;
	tell(test, STREAM_FINDING, verdict, clause, text);
}

void test_found(struct test *test, enum clause clause, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	find(test, clause, text);
}

static void check_is_announced(struct test *test, enum clause clause)
{
	if (!is_own_clause(test->test_case, clause))
		error(test, "the test checks %s, which it does not name",
		      clause_id(clause));
	tell(test, STREAM_CHECKED, 0, clause, NULL);
}

bool check(struct test *test, enum clause clause, bool holds,
	   const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	check_is_announced(test, clause);
	if (holds)
		return true;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	find(test, clause, text);
	return false;
}

void require(struct test *test, enum clause clause, bool holds,
	     const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	check_is_announced(test, clause);
	if (holds)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	find(test, clause, text);
	longjmp(test->way_out, 1);
}

bool check_status(struct test *test, enum clause clause, uint16_t seen,
		  uint16_t expected, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return check(test, clause, seen == expected,
		     "%s: %s expected, %s (%u) seen", text,
		     wire_status_name(expected), wire_status_name(seen), seen);
}

/* It may do so at any time, and is not there any more then. */
static bool says_not_implemented(const struct test *test)
{
	return test->iut->ended && WIFEXITED(test->iut->status) &&
	       WEXITSTATUS(test->iut->status) == EXIT_NOT_IMPLEMENTED;
}

void test_end(struct test *test, enum verdict verdict, const char *reason)
{
	if (verdict == VERDICT_INCONCLUSIVE && says_not_implemented(test)) {
		verdict = VERDICT_SKIP;
		reason = "the IUT says: not implemented";
	}
	tell(test, STREAM_REASON, verdict, CLAUSE_COUNT, reason);
	longjmp(test->way_out, 1);
}

void skip(struct test *test, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	test_end(test, VERDICT_SKIP, text);
}

void inconclusive(struct test *test, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	test_end(test, VERDICT_INCONCLUSIVE, text);
}

void error(struct test *test, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	test_end(test, VERDICT_ERROR, text);
}

void comment(struct test *test, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tell(test, STREAM_LINE, SPEAKER_COMMENT, CLAUSE_COUNT, text);
}

void note(struct test *test, enum speaker speaker, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tell(test, STREAM_LINE, speaker, CLAUSE_COUNT, text);
}

/* ---- the checker -------------------------------------------------------- */

static void checker_finds(void *user, enum clause clause,
			  enum hdmabuf_role offender, uint32_t link,
			  const char *text)
{
	struct test *test = user;

	(void)link;
	if (offender == test->setup->role)
		find(test, clause, text);
}

void test_trace(struct end *end, uint8_t kind, enum hdmabuf_role sender,
		const void *octets, size_t length)
{
	struct hdmabuf_trace_event event = {
		.kind = kind,
		.sender = (uint8_t)sender,
		.observer = (uint8_t)end->role,
		.link = end->number,
		.octets = octets,
		.length = length,
	};

	if (!end->silent)
		checker_feed(end->test->checker, &event);
}

/* ---- waiting ------------------------------------------------------------ */

/* Whether anything has come, at any end or from the IUT. */
static bool take_all(struct test *test)
{
	bool any = iut_step(test->iut, test);

	for (size_t i = 0; i < test->end_count; i++)
		if (test->ends[i])
			any |= end_step(test->ends[i]);
	return any;
}

/* Asks for notifications; true if something came meanwhile. */
static bool arm_all(struct test *test)
{
	bool any = false;

	for (size_t i = 0; i < test->end_count; i++)
		if (test->ends[i])
			any |= end_arm(test->ends[i]);
	return any;
}

static void sleep_until(struct test *test, uint64_t deadline)
{
	struct pollfd fds[TEST_ENDS_MAX + 2] = {
		{ .fd = test->iut->out, .events = POLLIN },
		{ .fd = test->iut->err, .events = POLLIN },
	};
	nfds_t count = 2;
	uint64_t now = now_ms();

	for (size_t i = 0; i < test->end_count; i++)
		if (test->ends[i])
			fds[count++] =
				(struct pollfd){ .fd = end_fd(test->ends[i]),
						 .events = POLLIN };
	poll(fds, count, deadline > now ? (int)(deadline - now) : 0);
}

bool test_wait(struct test *test, uint64_t deadline)
{
	bool any = take_all(test) || arm_all(test);

	if (now_ms() >= deadline)
		return false;
	if (any)
		return true;
	sleep_until(test, deadline);
	take_all(test);
	return true;
}

/* ---- the IUT ------------------------------------------------------------ */

bool test_iut_is_running(struct test *test)
{
	iut_step(test->iut, test);
	return !test->setup->command || test->iut->pid;
}

pid_t test_iut_pid(const struct test *test)
{
	return test->iut->pid;
}

void test_iut_may_end(struct test *test)
{
	if (!test->setup->command || test->kept)
		skip(test, "the IUT must not be ended");
}

void test_iut_kill(struct test *test, int number)
{
	test_iut_may_end(test);
	note(test, SPEAKER_SUITE, "kills the IUT by signal %d", number);
	for (size_t i = 0; i < test->end_count; i++)
		if (test->ends[i])
			end_bury(test->ends[i]);
	iut_kill(test->iut, number);
	iut_stop(test->iut, test);
	test->was_there = false;
}

static const char *describe_end(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
	return text;
}

void test_start_iut(struct test *test)
{
	int code;

	if (!test->setup->command || test->iut->pid)
		return;
	/* What is left of one that has ended by itself. */
	iut_stop(test->iut, test);
	code = iut_start(test->iut, test->setup, test->endpoint);
	if (code)
		error(test, "cannot start the IUT: %s", strerror(-code));
	test->was_there = false;
	note(test, SPEAKER_SUITE, "starts the IUT: %s", test->setup->command);
}

__attribute__((noreturn)) static void tell_absence(struct test *test)
{
	char how[128];

	if (test_iut_is_running(test))
		inconclusive(test, "the IUT does not come to %s",
			     test->endpoint);
	inconclusive(test, "the IUT has ended, by %s, before it came to %s",
		     describe_end(test->iut->status, how, sizeof(how)),
		     test->endpoint);
}

static bool is_used(const struct test *test, const char *address)
{
	for (size_t i = 0; i < test->end_count; i++)
		if (test->ends[i] && test->ends[i]->address == address)
			return true;
	return false;
}

/* Where a socket is, there is room for many. */
static bool takes_many(const char *address)
{
	return !strncmp(address, "local:", 6);
}

const char *test_free_endpoint(struct test *test)
{
	const struct setup *setup = test->setup;

	if (!setup->endpoint_count)
		return test->endpoint;
	for (size_t i = 0; i < setup->endpoint_count; i++)
		if (!is_used(test, setup->endpoints[i]) ||
		    takes_many(setup->endpoints[i]))
			return setup->endpoints[i];
	skip(test,
	     "needs more than %zu endpoint%s: give --attach once for each",
	     setup->endpoint_count, setup->endpoint_count > 1 ? "s" : "");
}

uint64_t test_start_deadline(const struct test *test)
{
	return test_deadline_in(test->was_there ? test->setup->patience_ms :
						  5 * test->setup->patience_ms);
}

enum reply {
	REPLY_NONE,
	REPLY_OK,
	REPLY_NO,
	REPLY_UNSUPPORTED
};

static enum reply take_reply(struct test *test)
{
	static const struct {
		const char *word;
		enum reply reply;
	} replies[] = {
		{ "ok", REPLY_OK },
		{ "no", REPLY_NO },
		{ "unsupported", REPLY_UNSUPPORTED },
	};

	for (size_t i = 0; i < 3; i++) {
		char *line = iut_take_line(test->iut, replies[i].word);

		free(line);
		if (line)
			return replies[i].reply;
	}
	return REPLY_NONE;
}

/* One that does not know the command is as it always is. */
static void reset(struct test *test, const char *line)
{
	uint64_t deadline = test_start_deadline(test);

	if (!iut_write(test->iut, line))
		return;
	while (!take_reply(test) && test_wait(test, deadline))
		;
}

/* What an IUT that is kept says of the sessions of other tests, and was told there. */
static void forget_the_past(struct test *test)
{
	if (!test->kept || test->end_count > 1)
		return;
	if (test_claims(test, OPTION_CONTROL) && !test->reset) {
		reset(test, "keep off\n");
		reset(test, "hold off\n");
	}
	test->reset = true;
	while (iut_step(test->iut, test))
		;
	iut_drop_lines(test->iut);
}

struct end *test_open_over(struct test *test, platform_opener open)
{
	bool listens = test->setup->role == HDMABUF_FRONTEND;
	struct end *end;

	if (test->end_count == TEST_ENDS_MAX)
		error(test, "too many ends");
	if (!listens)
		test_start_iut(test);
	end = end_open(test, (uint32_t)test->end_count, open,
		       test_free_endpoint(test));
	test->ends[test->end_count++] = end;
	if (listens)
		test_start_iut(test);
	for (uint64_t deadline = test_start_deadline(test);
	     !end->link && test_wait(test, deadline) &&
	     test_iut_is_running(test);)
		;
	if (!end->link)
		tell_absence(test);
	test->was_there |= end_shows_presence(end);
	forget_the_past(test);
	return end;
}

void test_close_ends(struct test *test)
{
	for (size_t i = 0; i < test->end_count; i++)
		end_close(test->ends[i]);
	test->end_count = 0;
}

struct end *test_open(struct test *test)
{
	return test_open_over(test, hdmabuf_platform_open);
}

struct end *test_connect(struct test *test)
{
	struct end *end = test_open(test);

	end_greet(end);
	if (!end_sanity(end))
		inconclusive(test, "the IUT does not pass the sanity exchange");
	return end;
}

/* ---- the control protocol ----------------------------------------------- */

static enum reply command(struct test *test, const char *format,
			  va_list arguments)
{
	char line[TEXT_SIZE];
	enum reply reply;
	uint64_t deadline;

	vsnprintf(line, sizeof(line) - 1, format, arguments);
	note(test, SPEAKER_SUITE, "commands: %s", line);
	strcat(line, "\n");
	if (!iut_write(test->iut, line))
		inconclusive(test, "the IUT does not read commands");
	deadline = test_deadline(test);
	while (!(reply = take_reply(test)) && test_wait(test, deadline))
		;
	if (!reply)
		inconclusive(test, "the IUT does not answer the command '%.*s'",
			     (int)strcspn(line, "\n"), line);
	if (reply == REPLY_UNSUPPORTED)
		skip(test, "the IUT does not support the command '%.*s'",
		     (int)strcspn(line, "\n"), line);
	return reply;
}

void control(struct test *test, const char *format, ...)
{
	va_list arguments;
	enum reply reply;

	va_start(arguments, format);
	reply = command(test, format, arguments);
	va_end(arguments);
	if (reply == REPLY_NO)
		inconclusive(test, "the IUT cannot carry out a command");
}

bool control_try(struct test *test, const char *format, ...)
{
	va_list arguments;
	enum reply reply;

	va_start(arguments, format);
	reply = command(test, format, arguments);
	va_end(arguments);
	return reply == REPLY_OK;
}

static const char *find_event(struct test *test, const char *words)
{
	char prefix[TEXT_SIZE];
	char *line;

	snprintf(prefix, sizeof(prefix), "event %s", words);
	line = iut_take_line(test->iut, prefix);
	if (!line)
		return NULL;
	free(test->event);
	test->event = line;
	line += strlen(prefix);
	return line + strspn(line, " ");
}

const char *event_find(struct test *test, const char *format, ...)
{
	char words[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	return find_event(test, words);
}

const char *event_await(struct test *test, const char *format, ...)
{
	uint64_t deadline = test_deadline(test);
	char words[TEXT_SIZE];
	va_list arguments;
	const char *rest;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	while (!(rest = find_event(test, words)) && test_wait(test, deadline))
		;
	return rest;
}

/* ---- the life of a test ------------------------------------------------- */

/* An end that can prove that the IUT is well; a new session if there is none. */
static struct end *find_witness(struct test *test)
{
	for (size_t i = 0; i < test->end_count; i++) {
		struct end *end = test->ends[i];

		if (end && end->connected && !end->closed && !end->down &&
		    !end->broken)
			return end;
	}
	test_close_ends(test);
	return NULL;
}

/* Nothing that a test does may cost the IUT its life. */
static bool check_alive(struct test *test)
{
	char text[TEXT_SIZE], how[128];

	if (test_iut_is_running(test))
		return true;
	if (!test->iut->ended)
		return true;
	snprintf(text, sizeof(text), "the IUT has ended, by %s",
		 describe_end(test->iut->status, how, sizeof(how)));
	if (says_not_implemented(test))
		test_end(test, VERDICT_INCONCLUSIVE, text);
	find(test, HDB_BOTH_063, text);
	return false;
}

/* What a test does may leave the IUT without a session, but not without sense. */
static void prove_life(struct test *test)
{
	struct end *end;

	if (test->failed || !check_alive(test))
		return;
	comment(test, "does the IUT still live?");
	end = find_witness(test);
	if (end && end_sanity(end))
		return;
	if (end)
		end_abandon(end);
	else
		end = test_open(test);
	if (end_try_greet(end) && end_sanity(end))
		return;
	if (check_alive(test))
		find(test, HDB_BOTH_063,
		     "after this the IUT lives, but does not speak any more: no session can be had");
}

static void stop_iut(struct test *test)
{
	char text[TEXT_SIZE], how[128];
	int status;

	if (test->kept || !test->setup->command)
		return;
	status = iut_stop(test->iut, test);
	if (test->failed || !test->was_there ||
	    (WIFEXITED(status) && !WEXITSTATUS(status)) ||
	    (WIFEXITED(status) &&
	     WEXITSTATUS(status) == EXIT_NOT_IMPLEMENTED) ||
	    (WIFSIGNALED(status) &&
	     (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGKILL)))
		return;
	snprintf(text, sizeof(text),
		 "when it was told to end, the IUT ended by %s",
		 describe_end(status, how, sizeof(how)));
	find(test, HDB_BOTH_063, text);
}

void test_run(struct test *test)
{
	test->checker = checker_new(checker_finds, test);
	if (!setjmp(test->way_out)) {
		if (!test->checker)
			error(test, "no memory");
		test->test_case->run(test);
		prove_life(test);
		test->finished = true;
		tell(test, STREAM_DONE, 0, CLAUSE_COUNT, NULL);
	}
	test_close_ends(test);
	if (!setjmp(test->way_out))
		stop_iut(test);
	free(test->event);
	checker_free(test->checker);
}
