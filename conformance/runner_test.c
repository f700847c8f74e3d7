/* SPDX-License-Identifier: MIT */
/*
 * Tests of the runner by tests that it has to see through, and by implementations that
 * do not do as they should.
 */
#define _GNU_SOURCE

#include "conformance/internal.h"
#include "conformance/runner.h"

#include "tests/harness.h"
/* Of cmocka; here it is the suite's. */
#undef skip

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- tests to be run ------------------------------------------------------ */

static void passes(struct test *test)
{
	struct end *end = test_connect(test);

	check(test, HDB_BOTH_033, end_sanity(end), "the session works");
}

static void fails(struct test *test)
{
	check(test, HDB_BOTH_033, test_open(test) == NULL, "this cannot be");
	check(test, HDB_BOTH_034, false, "nor can that");
}

static void warns(struct test *test)
{
	test_connect(test);
	check(test, HDB_BOTH_039, false, "this should not be");
}

static void ends_early(struct test *test)
{
	test_connect(test);
	require(test, HDB_BOTH_033, false, "this cannot be");
	check(test, HDB_BOTH_034, false, "nobody comes here");
}

static void skips(struct test *test)
{
	skip(test, "there is no %s", "moon");
}

static void cannot_tell(struct test *test)
{
	check(test, HDB_BOTH_033, true, "so far");
	inconclusive(test, "the moon is not up");
}

static void errs(struct test *test)
{
	error(test, "there is no sky");
}

static void crashes(struct test *test)
{
	test_connect(test);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void exits(struct test *test)
{
	(void)test;
	_exit(3);
}

static void vanishes(struct test *test)
{
	(void)test;
	_exit(0);
}

static void hangs(struct test *test)
{
	test_connect(test);
	for (;;)
		pause();
}

static void leaks(struct test *test)
{
	passes(test);
	if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
		error(test, "there is no /dev/null");
}

/* So that it can be told from all other processes. */
#define SLEEP_SECONDS 4711

static void leaves_a_process(struct test *test)
{
	passes(test);
	if (!fork()) {
		sleep(SLEEP_SECONDS);
		_exit(0);
	}
}

static void leaves_an_orphan(struct test *test)
{
	passes(test);
	if (!fork()) {
		setsid();
		if (!fork())
			sleep(SLEEP_SECONDS);
		_exit(0);
	}
	usleep(20000);
}

static void checks_another_clause(struct test *test)
{
	passes(test);
	check(test, HDB_BOTH_034, true, "what is not named");
}

static void overlooks_a_clause(struct test *test)
{
	passes(test);
}

static void checks_nothing(struct test *test)
{
	test_connect(test);
}

static void kills_the_iut(struct test *test)
{
	passes(test);
	kill(-test->iut->group, SIGKILL);
}

static void tells_chance(struct test *test)
{
	check(test, HDB_BOTH_033, true, "nothing");
	comment(test, "chance %llu", (unsigned long long)test_random(test));
	skip(test, "that was all");
}

/* The first time it passes, and after that it does not. */
static void is_unstable(struct test *test)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/was-here", test->setup->folder);
	fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	passes(test);
	check(test, HDB_BOTH_033, fd >= 0, "this is not the first time");
}

#define CASE(function, ...) \
	TEST(function, "Is seen through", OF_BOTH, 0, __VA_ARGS__)

/* ---- implementations to be tested ----------------------------------------- */

/* %s is the reference backend. */
#define ABSENT "does not come"
#define PEER   "exec %s --control"

/**
 * struct expected - a test, an implementation, and what must come of both
 * @test_case: the test
 * @command: of the implementation
 * @verdict: of the test
 * @text: is in the reason, or in a finding
 * @clause: of that finding, or CLAUSE_COUNT
 */
struct expected {
	struct test_case test_case;
	const char *command;
	enum verdict verdict;
	const char *text;
	enum clause clause;
};

static const struct expected of_tests[] = {
	{ CASE(passes, HDB_BOTH_033), PEER, VERDICT_PASS, NULL, CLAUSE_COUNT },
	{ CASE(fails, HDB_BOTH_033, HDB_BOTH_034), PEER, VERDICT_FAIL,
	  "nor can that", HDB_BOTH_034 },
	{ CASE(warns, HDB_BOTH_039), PEER, VERDICT_WARN, "this should not be",
	  HDB_BOTH_039 },
	{ CASE(ends_early, HDB_BOTH_033, HDB_BOTH_034), PEER, VERDICT_FAIL,
	  "this cannot be", HDB_BOTH_033 },
	{ CASE(skips, HDB_BOTH_033), PEER, VERDICT_SKIP, "there is no moon",
	  CLAUSE_COUNT },
	{ CASE(cannot_tell, HDB_BOTH_033), PEER, VERDICT_INCONCLUSIVE,
	  "the moon is not up", CLAUSE_COUNT },
	{ CASE(errs, HDB_BOTH_033), PEER, VERDICT_ERROR, "there is no sky",
	  CLAUSE_COUNT },
	{ CASE(crashes, HDB_BOTH_033), PEER, VERDICT_ERROR,
	  "ended by signal 11", CLAUSE_COUNT },
	{ CASE(exits, HDB_BOTH_033), PEER, VERDICT_ERROR, "exit status 3",
	  CLAUSE_COUNT },
	{ CASE(vanishes, HDB_BOTH_033), PEER, VERDICT_ERROR, "without a word",
	  CLAUSE_COUNT },
	{ CASE(hangs, HDB_BOTH_033), PEER, VERDICT_ERROR, "did not end within",
	  CLAUSE_COUNT },
	{ CASE(leaks, HDB_BOTH_033), PEER, VERDICT_ERROR,
	  "leaves a descriptor open", CLAUSE_COUNT },
	{ CASE(leaves_a_process, HDB_BOTH_033), PEER, VERDICT_ERROR,
	  "a process was left behind", CLAUSE_COUNT },
	{ CASE(leaves_an_orphan, HDB_BOTH_033), PEER, VERDICT_ERROR,
	  "a process was left behind", CLAUSE_COUNT },
	{ CASE(checks_another_clause, HDB_BOTH_033), PEER, VERDICT_ERROR,
	  "checks HDB-BOTH-034, which it does not name", CLAUSE_COUNT },
	{ CASE(overlooks_a_clause, HDB_BOTH_033, HDB_BOTH_034), PEER,
	  VERDICT_ERROR, "is about HDB-BOTH-034, and did not check it",
	  CLAUSE_COUNT },
	{ CASE(checks_nothing, HDB_BOTH_033), PEER, VERDICT_ERROR,
	  "did not check it", CLAUSE_COUNT },
	{ { "names_nothing", "Is seen through", OF_BOTH, 0, checks_nothing,
	    NULL, 0, NULL },
	  PEER,
	  VERDICT_ERROR,
	  "checks nothing",
	  CLAUSE_COUNT },
};

static const struct expected of_implementations_that_begin[] = {
	{ CASE(passes, HDB_BOTH_033), "kill -SEGV $$", VERDICT_INCONCLUSIVE,
	  "by signal 11", CLAUSE_COUNT },
	{ CASE(passes, HDB_BOTH_033), "exit 89", VERDICT_SKIP,
	  "not implemented", CLAUSE_COUNT },
	{ CASE(passes, HDB_BOTH_033), "exit 0", VERDICT_INCONCLUSIVE,
	  "by exit status 0", CLAUSE_COUNT },
	{ CASE(passes, HDB_BOTH_033), "/nowhere/at/all", VERDICT_INCONCLUSIVE,
	  "by exit status 127", CLAUSE_COUNT },
	{ CASE(passes, HDB_BOTH_033), "exec sleep 4711", VERDICT_INCONCLUSIVE,
	  ABSENT, CLAUSE_COUNT },
	{ CASE(passes, HDB_BOTH_033),
	  "trap '' TERM HUP INT; while :; do sleep 4711; done",
	  VERDICT_INCONCLUSIVE, ABSENT, CLAUSE_COUNT },
};

static const struct expected of_implementations_that_end[] = {
	{ CASE(kills_the_iut, HDB_BOTH_033), PEER, VERDICT_FAIL,
	  "has ended, by signal 9", HDB_BOTH_063 },
	{ CASE(passes, HDB_BOTH_033), "%s --control; exit 5", VERDICT_FAIL,
	  "ended by exit status 5", HDB_BOTH_063 },
	{ CASE(passes, HDB_BOTH_033), "%s --control; kill -SEGV $$",
	  VERDICT_FAIL, "ended by signal 11", HDB_BOTH_063 },
	{ CASE(passes, HDB_BOTH_033), "%s --control; exit 89", VERDICT_PASS,
	  NULL, CLAUSE_COUNT },
	{ CASE(passes, HDB_BOTH_033), "setsid sleep 4711 & exec %s --control",
	  VERDICT_ERROR, "a process was left behind", CLAUSE_COUNT },
	{ CASE(passes, HDB_BOTH_033), "sleep 4711 & exec %s --control",
	  VERDICT_PASS, NULL, CLAUSE_COUNT },
	{ CASE(passes, HDB_BOTH_033),
	  "setsid %s --control </dev/null >/dev/null 2>&1 & exit 0",
	  VERDICT_INCONCLUSIVE, "by exit status 0", CLAUSE_COUNT },
};

/* ---- running --------------------------------------------------------------- */

/**
 * struct place - where tests are run
 * @folder: for sockets
 * @peer: the reference backend
 * @descriptors: open before
 */
struct place {
	char folder[64];
	char peer[512];
	unsigned int descriptors;
};

static unsigned int count_entries(const char *path)
{
	DIR *folder = opendir(path);
	unsigned int count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* Beside the folder of this program is that of the peers. */
static void find_peer(struct place *place)
{
	char self[256] = "";

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	*strrchr(self, '/') = '\0';
	snprintf(place->peer, sizeof(place->peer), "%s/../bin/hdmabuf-backend",
		 self);
	if (access(place->peer, X_OK))
		hdmabuf_test_skip("%s is not there: make all", place->peer);
}

static void open_place(struct place *place)
{
	find_peer(place);
	strcpy(place->folder, "/tmp/hdmabuf-runner-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->descriptors = count_entries("/proc/self/fd");
}

/* A process that sleeps so long is one that a test or an implementation has left. */
static bool is_leftover(const char *pid)
{
	static const char wanted[] = "sleep\0004711";
	char path[300], line[64] = "";
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	return got >= sizeof(wanted) && !memcmp(line, wanted, sizeof(wanted));
}

static void check_no_leftover(void)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	assert_non_null(processes);
	while ((entry = readdir(processes)))
		if (is_leftover(entry->d_name))
			fail_msg("process %s is left", entry->d_name);
	closedir(processes);
}

static void close_place(struct place *place)
{
	char command[128];

	assert_int_equal(runner_find_child(), 0);
	assert_int_equal(count_entries("/proc/self/fd"), place->descriptors);
	snprintf(command, sizeof(command), "rm -rf '%s'", place->folder);
	assert_int_equal(system(command), 0);
}

static struct plan_of_run plan_at(struct place *place, const char *command,
				  const struct selected *tests, size_t count)
{
	return (struct plan_of_run){
		.setup = {
			.role = HDMABUF_BACKEND,
			.command = command,
			.folder = place->folder,
			.statement = { .options = OPTION_CONTROL | OPTION_MANY },
			.seed = 1,
			.patience_ms = 2000,
		},
		.tests = tests,
		.count = count,
		.jobs = 1,
		.repeat = 1,
		.limit_ms = 9000,
	};
}

static struct selected select_test(const struct test_case *test_case)
{
	struct selected selected = { .test_case = test_case };

	snprintf(selected.name, sizeof(selected.name), "runner.%s",
		 test_case->name);
	return selected;
}

static const struct finding *find_text(const struct result *result,
				       const char *text)
{
	for (size_t i = 0; i < result->finding_count; i++)
		if (strstr(result->findings[i].text, text))
			return &result->findings[i];
	return NULL;
}

static void compare(const struct result *result,
		    const struct expected *expected)
{
	const struct finding *finding;

	if (result->verdict != expected->verdict)
		print_message("%s: %s, %s\n", result->name,
			      result->reason ? result->reason : "no reason",
			      result->finding_count ? result->findings[0].text :
						      "no finding");
	assert_string_equal(verdict_name(result->verdict),
			    verdict_name(expected->verdict));
	if (!expected->text) {
		assert_int_equal(result->finding_count, 0);
		return;
	}
	finding = find_text(result, expected->text);
	if (!finding &&
	    !(result->reason && strstr(result->reason, expected->text)))
		fail_msg("'%s' is not said, but: %s", expected->text,
			 result->reason ? result->reason : "nothing");
	if (expected->clause != CLAUSE_COUNT) {
		assert_non_null(finding);
		assert_int_equal(finding->clause, expected->clause);
	}
}

static void run_one(struct place *place, const struct expected *expected)
{
	struct selected selected = select_test(&expected->test_case);
	struct plan_of_run plan;
	struct result result;
	char command[1024];

	snprintf(command, sizeof(command), "%s", expected->command);
	if (strstr(expected->command, "%s")) {
		const char *at = strstr(expected->command, "%s");

		snprintf(command, sizeof(command), "%.*s%s%s",
			 (int)(at - expected->command), expected->command,
			 place->peer, at + 2);
	}
	print_message("%s with '%s'\n", selected.name, expected->command);
	plan = plan_at(place, command, &selected, 1);
	/* What is waited for in vain is not waited for long. */
	if (expected->text && !strcmp(expected->text, ABSENT))
		plan.setup.patience_ms = 100;
	if (expected->test_case.run == hangs)
		plan.limit_ms = 1000;
	assert_int_equal(runner_run(&plan, &result), 0);
	compare(&result, expected);
	results_free(&result, 1);
	check_no_leftover();
}

static void run_table(const struct expected *table, size_t count)
{
	struct place place;

	open_place(&place);
	for (size_t i = 0; i < count; i++)
		run_one(&place, &table[i]);
	close_place(&place);
}

/* ---- tests ----------------------------------------------------------------- */

static void test_tests_are_seen_through(void **state)
{
	(void)state;
	run_table(of_tests, COUNT(of_tests));
}

static void test_beginnings_are_seen_through(void **state)
{
	(void)state;
	run_table(of_implementations_that_begin,
		  COUNT(of_implementations_that_begin));
}

static void test_ends_are_seen_through(void **state)
{
	(void)state;
	run_table(of_implementations_that_end,
		  COUNT(of_implementations_that_end));
}

static const struct test_case chances[] = {
	CASE(tells_chance, HDB_BOTH_033),
	CASE(passes, HDB_BOTH_033),
	CASE(fails, HDB_BOTH_033, HDB_BOTH_034),
	CASE(skips, HDB_BOTH_033),
	CASE(cannot_tell, HDB_BOTH_033),
	CASE(errs, HDB_BOTH_033),
	CASE(ends_early, HDB_BOTH_033, HDB_BOTH_034),
};

/* The names in the order in which the tests have ended. */
struct order {
	char text[1024];
};

static void note_order(void *user, size_t done, size_t all,
		       const struct result *result)
{
	struct order *order = user;

	assert_true(done <= all);
	strncat(order->text, result->name,
		sizeof(order->text) - strlen(order->text) - 2);
	strcat(order->text, " ");
}

static void run_with_seed(struct place *place, uint64_t seed, unsigned int jobs,
			  struct order *order, char *chance, size_t size)
{
	struct selected tests[COUNT(chances)];
	struct result results[COUNT(chances)];
	struct plan_of_run plan;
	char command[1024];

	for (size_t i = 0; i < COUNT(chances); i++)
		tests[i] = select_test(&chances[i]);
	snprintf(command, sizeof(command), "exec %s --control", place->peer);
	plan = plan_at(place, command, tests, COUNT(tests));
	plan.setup.seed = seed;
	plan.jobs = jobs;
	plan.progress = note_order;
	plan.user = order;
	order->text[0] = '\0';
	assert_int_equal(runner_run(&plan, results), 0);
	for (size_t i = 0; i < COUNT(results); i++)
		assert_string_equal(results[i].name, tests[i].name);
	snprintf(chance, size, "%s", results[0].lines[0].text);
	results_free(results, COUNT(results));
}

static void test_seed(void **state)
{
	struct order first, again, other;
	char chance[64], same[64], another[64];
	struct place place;

	(void)state;
	open_place(&place);
	run_with_seed(&place, 7, 1, &first, chance, sizeof(chance));
	run_with_seed(&place, 7, 1, &again, same, sizeof(same));
	run_with_seed(&place, 8, 1, &other, another, sizeof(another));
	assert_string_equal(first.text, again.text);
	assert_string_equal(chance, same);
	assert_string_not_equal(first.text, other.text);
	assert_string_not_equal(chance, another);
	assert_non_null(strstr(first.text, "runner.passes"));
	close_place(&place);
}

/* What is random does not depend on what runs beside it. */
static void test_jobs(void **state)
{
	char chance[64], same[64];
	struct place place;
	struct order order;

	(void)state;
	open_place(&place);
	run_with_seed(&place, 7, 1, &order, chance, sizeof(chance));
	run_with_seed(&place, 7, 4, &order, same, sizeof(same));
	assert_string_equal(chance, same);
	close_place(&place);
}

static const struct test_case repeated[] = {
	CASE(passes, HDB_BOTH_033),
	CASE(is_unstable, HDB_BOTH_033),
};

static void test_repetitions(void **state)
{
	struct selected tests[] = { select_test(&repeated[0]),
				    select_test(&repeated[1]) };
	struct result results[COUNT(tests)];
	struct plan_of_run plan;
	struct place place;
	char command[1024];

	(void)state;
	open_place(&place);
	snprintf(command, sizeof(command), "exec %s --control", place.peer);
	plan = plan_at(&place, command, tests, COUNT(tests));
	plan.repeat = 3;
	assert_int_equal(runner_run(&plan, results), 0);
	assert_int_equal(results[0].verdict, VERDICT_PASS);
	assert_int_equal(results[0].others, VERDICT_PASS);
	assert_int_equal(results[1].verdict, VERDICT_FAIL);
	assert_int_equal(results[1].others, VERDICT_PASS);
	results_free(results, COUNT(results));
	close_place(&place);
}

static const struct test_case with_one_process[] = {
	CASE(passes, HDB_BOTH_033),
	CASE(kills_the_iut, HDB_BOTH_033),
	CASE(ends_early, HDB_BOTH_033, HDB_BOTH_034),
};

/* One process for all tests; one that dies is started anew, and told of. */
static void test_kept_implementation(void **state)
{
	struct selected tests[COUNT(with_one_process)];
	struct result results[COUNT(with_one_process)];
	struct plan_of_run plan;
	struct place place;
	char command[1024];

	(void)state;
	open_place(&place);
	for (size_t i = 0; i < COUNT(with_one_process); i++)
		tests[i] = select_test(&with_one_process[i]);
	snprintf(command, sizeof(command), "exec %s --control", place.peer);
	plan = plan_at(&place, command, tests, COUNT(tests));
	plan.setup.keep = true;
	assert_int_equal(runner_run(&plan, results), 0);
	assert_int_equal(results[0].verdict, VERDICT_PASS);
	assert_int_equal(results[1].verdict, VERDICT_FAIL);
	assert_int_equal(results[2].verdict, VERDICT_FAIL);
	assert_non_null(find_text(&results[2], "this cannot be"));
	results_free(results, COUNT(results));
	close_place(&place);
}

static void meets_two(struct test *test)
{
	struct end *first = test_connect(test), *second = test_connect(test);

	check(test, HDB_BOTH_033, end_sanity(first) && end_sanity(second),
	      "both sessions work");
}

static const struct test_case at_one_place[] = {
	CASE(passes, HDB_BOTH_033),
	CASE(kills_the_iut, HDB_BOTH_033),
	CASE(meets_two, HDB_BOTH_033),
};

/* It is started by its command, and is not where it was told to be. */
static void test_place_of_its_own(void **state)
{
	struct selected tests[COUNT(at_one_place)];
	struct result results[COUNT(at_one_place)];
	char address[256], command[1024];
	const char *endpoints[] = { address };
	struct plan_of_run plan;
	struct place place;

	(void)state;
	open_place(&place);
	for (size_t i = 0; i < COUNT(at_one_place); i++)
		tests[i] = select_test(&at_one_place[i]);
	snprintf(address, sizeof(address), "local:%s/../%s/own", place.folder,
		 strrchr(place.folder, '/') + 1);
	snprintf(command, sizeof(command),
		 "HDMABUF_ENDPOINT=local:%s/own exec %s --control",
		 place.folder, place.peer);
	plan = plan_at(&place, command, tests, COUNT(tests));
	plan.setup.endpoints = endpoints;
	plan.setup.endpoint_count = 1;
	assert_int_equal(runner_run(&plan, results), 0);
	assert_int_equal(results[0].verdict, VERDICT_PASS);
	assert_int_equal(results[1].verdict, VERDICT_FAIL);
	assert_int_equal(results[2].verdict, VERDICT_PASS);
	results_free(results, COUNT(results));
	close_place(&place);
}

/* One end for each endpoint, where these are not sockets. */
static void test_endpoints_are_for_one_end(void **state)
{
	static const char *const endpoints[] = { "xen:0", "xen:1" };
	const struct setup setup = { .endpoints = endpoints,
				     .endpoint_count = COUNT(endpoints) };
	struct end ends[2] = { { .address = endpoints[0] },
			       { .address = endpoints[1] } };
	struct test test = { .setup = &setup,
			     .ends = { &ends[0] },
			     .end_count = 1,
			     .stream =
				     open("/dev/null", O_WRONLY | O_CLOEXEC) };

	(void)state;
	assert_ptr_equal(test_free_endpoint(&test), endpoints[1]);
	test.ends[1] = &ends[1];
	test.end_count = 2;
	if (!setjmp(test.way_out)) {
		test_free_endpoint(&test);
		fail_msg("there is no third one");
	}
	test.ends[0] = NULL;
	assert_ptr_equal(test_free_endpoint(&test), endpoints[0]);
	close(test.stream);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tests_are_seen_through),
		cmocka_unit_test(test_beginnings_are_seen_through),
		cmocka_unit_test(test_ends_are_seen_through),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_jobs),
		cmocka_unit_test(test_repetitions),
		cmocka_unit_test(test_kept_implementation),
		cmocka_unit_test(test_place_of_its_own),
		cmocka_unit_test(test_endpoints_are_for_one_end),
	};

	return hdmabuf_test_run("runner", tests, COUNT(tests));
}
