/* SPDX-License-Identifier: MIT */
/* A made-up run that has everything, in every format. */
#define _GNU_SOURCE

#include "conformance/report/report.h"

#include "tests/harness.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What an implementation may say, and what of it any report may show. */
#define HOSTILE \
	"</p></pre><script>x</script>]]>&amp;\"' \\ # SKIP %s %n \x1b[31m " \
	"\xff\xc3 \xe2\x80\xae caf\xc3\xa9"
#define SHOWN \
	"</p></pre><script>x</script>]]>&amp;\"' \\ # SKIP %s %n \\x1b[31m " \
	"\\xff\\xc3 \\u202e caf\xc3\xa9"
/* Lines by which a report could be made to end early. */
#define LINES "first\n  ...\nok 9 - forged\n9 passed, 0 failed, 0 skipped\n"

#define EXCHANGE 200
#define MARKED	 150

static const enum clause about_zero[] = { HDB_BOTH_001, HDB_BOTH_002 };
static const enum clause about_retry[] = { HDB_FE_003 };

static struct finding findings_of_error[] = {
	{ VERDICT_ERROR, CLAUSE_COUNT, HOSTILE },
};

static struct finding findings_of_failure[] = {
	{ VERDICT_WARN, CLAUSE_COUNT, "a hint that came too early" },
	{ VERDICT_FAIL, HDB_BOTH_002, "expected RESERVED, saw " HOSTILE },
};

static struct finding findings_of_warning[] = {
	{ VERDICT_WARN, HDB_FE_003, "it tried again at once" },
};

static struct result results[] = {
	{
		.name = "channel.cannot_start",
		.title = "An implementation starts.",
		.verdict = VERDICT_ERROR,
		.findings = findings_of_error,
		.finding_count = COUNT(findings_of_error),
		.output = LINES HOSTILE,
		.others = VERDICT_ERROR,
	},
	{
		.name = "channel.zero",
		.title = "What is zero & unused is \"zero\".",
		.clauses = about_zero,
		.clause_count = COUNT(about_zero),
		.verdict = VERDICT_FAIL,
		.findings = findings_of_failure,
		.finding_count = COUNT(findings_of_failure),
		.output = LINES,
		.milliseconds = 1234,
		.others = VERDICT_PASS,
	},
	{
		.name = "session.passes",
		.title = "All is well.",
		.clauses = about_zero,
		.clause_count = 1,
		.verdict = VERDICT_PASS,
		.reason = "",
		.output = "",
		.others = VERDICT_PASS,
	},
	{
		.name = "session.retry",
		.title = "An end has patience.",
		.clauses = about_retry,
		.clause_count = COUNT(about_retry),
		.verdict = VERDICT_WARN,
		.findings = findings_of_warning,
		.finding_count = COUNT(findings_of_warning),
		.others = VERDICT_WARN,
	},
	{
		.name = "session.silent",
		.title = "An end answers.",
		.clauses = about_retry,
		.clause_count = COUNT(about_retry),
		.verdict = VERDICT_INCONCLUSIVE,
		.reason = "nothing came\n" HOSTILE,
		.others = VERDICT_INCONCLUSIVE,
	},
	{
		.name = "tables.one",
		.title = "Tables are read.",
		.verdict = VERDICT_SKIP,
		.reason = "no tables",
		.others = VERDICT_SKIP,
	},
	{
		.name = "tables.three",
		.title = "Tables are long.",
		.verdict = VERDICT_SKIP,
		.reason = HOSTILE,
		.others = VERDICT_SKIP,
	},
	{
		.name = "tables.two",
		.title = "Tables are written.",
		.verdict = VERDICT_SKIP,
		.reason = "no tables",
		.others = VERDICT_SKIP,
	},
};

static struct run made_up(void)
{
	return (struct run){
		.version = "1.2.3",
		.role = HDMABUF_BACKEND,
		.iut = "./it 'll do " HOSTILE,
		.command = "./it 'll do " HOSTILE,
		.statement = "my <statement>",
		.started = 1772366400,
		.seconds = 83.25,
		.seed = 0xffffffffffffffff,
		.repetitions = 3,
		.results = results,
		.count = COUNT(results),
	};
}

static const char *const formats[] = { "html", "json", "junit", "tap", "text" };

/* All of a verdict's tests go, but the others stay in order. */
static struct run without(struct run run, enum verdict verdict,
			  struct result kept[COUNT(results)])
{
	size_t count = 0;

	for (size_t i = 0; i < run.count; i++)
		if (run.results[i].verdict != verdict)
			kept[count++] = run.results[i];
	run.results = kept;
	run.count = count;
	return run;
}

static char *line_text(size_t index)
{
	char *text = NULL;

	assert_true(asprintf(&text, "line %zu: %s", index,
			     index % 50 ? "all is well" : HOSTILE) > 0);
	return text;
}

/* The test that failed gets its exchange: the second finding after line 150. */
static int add_exchange(void **state)
{
	struct line *lines = calloc(EXCHANGE, sizeof(*lines));

	(void)state;
	for (size_t i = 0; i < EXCHANGE; i++)
		lines[i] = (struct line){
			.speaker = i % 3,
			.microseconds = 1001 * i,
			.text = line_text(i),
			.findings = (i > 5) + (i > MARKED),
		};
	results[1].lines = results[2].lines = lines;
	results[1].line_count = EXCHANGE;
	results[2].line_count = 20;
	return 0;
}

static int free_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < EXCHANGE; i++)
		free(results[1].lines[i].text);
	free(results[1].lines);
	return 0;
}

/* The report in a file without a name, and where one can look at it. */
static FILE *written(const char *format, const struct run *run)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(report_write(format, run, file), 0);
	rewind(file);
	return file;
}

static char *report_of(const char *format, const struct run *run)
{
	FILE *file = written(format, run);
	char *text = NULL;
	size_t size = 0;

	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

static void assert_has(const char *report, const char *part)
{
	if (!strstr(report, part))
		fail_msg("\"%s\" is not in:\n%s", part, report);
}

static void assert_has_not(const char *report, const char *part)
{
	if (strstr(report, part))
		fail_msg("\"%s\" is in:\n%s", part, report);
}

static void assert_ends(const char *report, const char *end)
{
	size_t length = strlen(report), tail = strlen(end);

	if (length < tail || strcmp(report + length - tail, end))
		fail_msg("\"%s\" is not the end of:\n%s", end, report);
}

/* ---- Any format ------------------------------------------------------------- */

static void formats_are_known(void **state)
{
	const char *why;

	(void)state;
	assert_string_equal(report_formats(), "html, json, junit, tap, text");
	assert_true(report_has("text", &why));
	assert_null(why);
	assert_false(report_has("xml", &why));
	assert_string_equal(why, "there is no such format");
	assert_int_equal(report_write("xml", NULL, NULL), -EINVAL);
}

static void write_errors_are_reported(void **state)
{
	struct run run = made_up();
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(formats); i++) {
		FILE *full = fopen("/dev/full", "w");

		if (!full)
			hdmabuf_test_skip("there is no /dev/full");
		if (report_has(formats[i], &why))
			assert_int_equal(report_write(formats[i], &run, full),
					 -ENOSPC);
		fclose(full);
	}
}

/* Nothing steers the terminal that shows a report. */
static void no_report_has_control_characters(void **state)
{
	struct run run = made_up();
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(formats); i++) {
		char *report;

		if (!report_has(formats[i], &why))
			continue;
		report = report_of(formats[i], &run);
		for (const char *c = report; *c; c++)
			assert_true(!iscntrl((unsigned char)*c) || *c == '\n' ||
				    *c == '\t');
		free(report);
	}
}

/* ---- Text ------------------------------------------------------------------- */

static void text_has_a_paragraph_for_each_problem(void **state)
{
	struct run run = made_up();
	char *report = report_of("text", &run);

	(void)state;
	assert_has(report,
		   "\nFAIL  channel.zero\n"
		   "      What is zero & unused is \"zero\".\n"
		   "      about HDB-BOTH-001 HDB-BOTH-002\n"
		   "      WARN: a hint that came too early\n"
		   "      HDB-BOTH-002  A receiver MUST refuse a request");
	assert_has(report, "      FAIL: expected RESERVED, saw "
			   "</p></pre><script>x</script>]]>");
	assert_has(report, "Other repetitions of the test: PASS.\n");
	assert_has(report, "\nERROR  channel.cannot_start\n");
	assert_has(report, "\nWARN  session.retry\n");
	assert_has(report, "\nINCONCLUSIVE  session.silent\n");
	assert_has(report, "      reason: nothing came\\n</p></pre>");
	assert_has_not(report, "session.passes");
	free(report);
}

static void text_marks_the_line_that_went_wrong(void **state)
{
	struct run run = made_up();
	char *report = report_of("text", &run);

	(void)state;
	assert_has(report, "\n    >      5.005 ms  -- line 5: all is well\n");
	assert_has(report, "\n    >    150.150 ms  suite: line 150: </p>");
	assert_has(report, "\n         151.151 ms      iut: line 151: all");
	assert_has_not(report, "line 160");
	free(report);
}

static void text_keeps_output_behind_a_bar(void **state)
{
	struct run run = made_up();
	char *report = report_of("text", &run);

	(void)state;
	assert_has(report, "\n      | first\n"
			   "      |   ...\n"
			   "      | ok 9 - forged\n"
			   "      | 9 passed, 0 failed, 0 skipped\n"
			   "      | " SHOWN "\n");
	free(report);
}

static void text_condenses_what_was_skipped(void **state)
{
	struct run run = made_up();
	char *report = report_of("text", &run);

	(void)state;
	assert_has(report, "SKIP  2 tests: no tables\n"
			   "      tables.one tables.two\n");
	assert_has(report, "SKIP  1 test: </p></pre>");
	free(report);
}

static void text_says_how_to_run_a_test_again(void **state)
{
	static const char *const endpoints[] = { "xen:0", "xen:1" };
	struct run run = made_up();
	char *report = report_of("text", &run);

	(void)state;
	assert_has(report,
		   "again: hdmabuf-conformance --role backend "
		   "--iut './it '\\''ll do </p></pre><script>x</script>");
	assert_has(report, "' --statement 'my <statement>' --repeat 3 --test "
			   "channel.zero "
			   "--seed 18446744073709551615\n");
	free(report);

	run.endpoints = endpoints;
	run.endpoint_count = COUNT(endpoints);
	run.statement = NULL;
	report = report_of("text", &run);
	assert_has(report, "' --attach 'xen:0' --attach 'xen:1' "
			   "--repeat 3 --test channel.zero ");
	free(report);

	run.command = NULL;
	run.endpoint_count = 1;
	run.iut = endpoints[0];
	run.repetitions = 1;
	run.ring_format = 1;
	report = report_of("text", &run);
	assert_has(report, "again: hdmabuf-conformance --role backend "
			   "--attach 'xen:0' --ring-format 1 "
			   "--test channel.zero ");
	free(report);
}

/* The runner notes why a test cannot tell as a finding, too. */
static void reason_is_told_once(void **state)
{
	struct finding finding = { VERDICT_INCONCLUSIVE, CLAUSE_COUNT,
				   "nothing came" };
	struct result silent = results[4];
	struct run run = made_up();
	char *report;

	(void)state;
	silent.reason = finding.text;
	silent.findings = &finding;
	silent.finding_count = 1;
	run.results = &silent;
	run.count = 1;
	report = report_of("text", &run);
	assert_has(report, "INCONCLUSIVE: nothing came\n");
	assert_has_not(report, "reason:");
	free(report);
	report = report_of("tap", &run);
	assert_has(report, "ok 1 - session.silent # SKIP nothing came\n");
	assert_has_not(report, "reason:");
	free(report);
}

static void text_ends_with_counts(void **state)
{
	struct run run = made_up();
	char *report = report_of("text", &run);

	(void)state;
	assert_has(report,
		   "\nFE           0     1             0     0      0 ");
	assert_has(report, "The backend failed: of 8 tests, 1 failed, 1 ended "
			   "in an error, 1 could not\ntell, 1 passed with a "
			   "warning, 1 passed and 3 did not run.\n");
	assert_ends(report, "\n2 passed, 2 failed, 4 skipped\n");
	free(report);

	run.strict = true;
	report = report_of("text", &run);
	assert_ends(report, "\n1 passed, 4 failed, 3 skipped\n");
	free(report);
}

static void assert_sentence(struct run run, const char *sentence)
{
	char *report = report_of("text", &run);

	assert_has(report, sentence);
	free(report);
}

static void text_says_what_the_run_comes_to(void **state)
{
	struct result kept[COUNT(results)];
	struct run run = made_up();

	(void)state;
	run = without(run, VERDICT_ERROR, kept);
	run = without(run, VERDICT_FAIL, kept);
	assert_sentence(run, "The backend passed: of 6 tests, 1 could not ");
	run.strict = true;
	assert_sentence(run, "The backend failed, as the run was strict: of 6");
	run = without(run, VERDICT_WARN, kept);
	run = without(run, VERDICT_INCONCLUSIVE, kept);
	run = without(run, VERDICT_SKIP, kept);
	assert_sentence(run, "The backend passed: all of 1 test passed.");
	run.results = &results[5];
	assert_sentence(run, "The backend has shown nothing: of 1 test, 1 did "
			     "not run.");
	run.count = 0;
	assert_sentence(run, "The backend has shown nothing: no test was run."
			     "\n0 passed, 0 failed, 0 skipped\n");
}

/* ---- Formats that another program reads ------------------------------------- */

/* Runs conformance/report/report_check.py on a report. */
static void assert_checked(const char *format, const struct run *run,
			   const char *text, const char *other)
{
	char *arguments[] = {
		"python3",	"conformance/report/report_check.py",
		(char *)format, (char *)text,
		(char *)other,	NULL
	};
	FILE *file = written(format, run);
	posix_spawn_file_actions_t actions;
	int error, status;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(file), STDIN_FILENO);
	error = posix_spawnp(&child, arguments[0], &actions, NULL, arguments,
			     environ);
	posix_spawn_file_actions_destroy(&actions);
	fclose(file);
	if (error == ENOENT)
		hdmabuf_test_skip("there is no python3");
	assert_int_equal(error, 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void assert_checked_in_many_runs(const char *format)
{
	struct result kept[COUNT(results)];
	struct run run = made_up();

	assert_checked(format, &run, "expected RESERVED, saw " SHOWN,
		       "cannot_start");
	run.strict = true;
	assert_checked(format, &run, SHOWN, "retry");
	run = without(run, VERDICT_FAIL, kept);
	run = without(run, VERDICT_ERROR, kept);
	run.statement = NULL;
	assert_checked(format, &run, "passes", "nothing came");
	run.count = 0;
	assert_checked(format, &run, "", "");
}

static void tap_is_well_formed(void **state)
{
	struct run run = made_up();
	char *report = report_of("tap", &run);

	(void)state;
	assert_has(report, "\n1..8\n");
	assert_has(report, "\nnot ok 2 - channel.zero\n  ---\n");
	assert_has(report, "\nok 3 - session.passes\nok 4 - session.retry\n"
			   "  ---\n");
	assert_has(report, "\nok 5 - session.silent # SKIP nothing came");
	assert_has(report, "\nok 6 - tables.one # SKIP no tables\nok 7");
	free(report);
	assert_checked_in_many_runs("tap");
}

static void junit_is_well_formed(void **state)
{
	struct run run = made_up();
	char *report = report_of("junit", &run);

	(void)state;
	assert_has(report, "<testsuite name=\"hdmabuf.backend\" "
			   "timestamp=\"2026-03-01T12:00:00\" tests=\"8\" "
			   "failures=\"1\" errors=\"1\" time=\"83.250\" "
			   "skipped=\"4\">");
	assert_has(report, "<testcase classname=\"hdmabuf.backend.channel\" "
			   "name=\"zero\" time=\"1.234\">\n"
			   "      <failure message=\"expected RESERVED, saw ");
	assert_has(report, "name=\"passes\" time=\"0.000\"/>");
	assert_has(report, "<skipped message=\"no tables\"/>");
	free(report);
	assert_checked_in_many_runs("junit");
}

static void html_is_well_formed(void **state)
{
	(void)state;
	assert_checked_in_many_runs("html");
}

static void html_marks_the_line_that_went_wrong(void **state)
{
	struct run run = made_up();
	char *report = report_of("html", &run);

	(void)state;
	assert_has(report, "<li class=\"comment warn\"><time>5.005</time>");
	assert_has(report, "<li class=\"suite fail\"><time>150.150</time>");
	assert_has(report, "<li class=\"mark fail\">");
	assert_has(report, "<summary>39 later lines</summary>");
	free(report);
}

static void html_links_clauses_and_tests(void **state)
{
	struct run run = made_up();
	char *report = report_of("html", &run);

	(void)state;
	assert_has(report, "<tr class=\"fail\" id=\"HDB-BOTH-002\">");
	assert_has(report,
		   "<a class=\"name fail\" href=\"#test-channel.zero\">");
	assert_has(report, "<article class=\"fail\" id=\"test-channel.zero\">");
	assert_has(report,
		   "<details class=\"test\" id=\"test-session.passes\">");
	assert_has(report, "<li id=\"test-tables.one\">");
	free(report);
}

/* ---- JSON ------------------------------------------------------------------- */

#ifdef HDMABUF_HAVE_JANSSON

#include <jansson.h>

static json_t *parsed(const struct run *run)
{
	FILE *file = written("json", run);
	json_error_t error;
	json_t *object = json_loadf(file, JSON_REJECT_DUPLICATES, &error);

	fclose(file);
	if (!object)
		fail_msg("line %d: %s", error.line, error.text);
	return object;
}

static void assert_string(json_t *object, const char *key, const char *expected)
{
	const char *string = json_string_value(json_object_get(object, key));

	assert_non_null(string);
	assert_string_equal(string, expected);
}

static json_int_t integer(json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static json_t *item(json_t *object, const char *key, size_t index)
{
	json_t *array = json_object_get(object, key);

	assert_true(index < json_array_size(array));
	return json_array_get(array, index);
}

static void json_tells_of_the_run(void **state)
{
	struct run run = made_up();
	json_t *object = parsed(&run);
	json_t *counts = json_object_get(object, "counts");

	(void)state;
	assert_string(object, "version", "1.2.3");
	assert_string(object, "role", "backend");
	assert_string(object, "statement", "my <statement>");
	assert_string(object, "started", "2026-03-01T12:00:00Z");
	assert_string(object, "seed", "18446744073709551615");
	assert_int_equal(integer(object, "repetitions"), 3);
	assert_true(json_real_value(json_object_get(object, "seconds")) ==
		    83.25);
	assert_true(json_is_false(json_object_get(object, "strict")));
	assert_true(json_is_false(json_object_get(object, "passed")));
	assert_int_equal(json_object_size(counts), VERDICT_COUNT);
	assert_int_equal(integer(counts, "skip"), 3);
	assert_int_equal(integer(counts, "pass"), 1);
	assert_int_equal(integer(counts, "warn"), 1);
	assert_int_equal(integer(counts, "inconclusive"), 1);
	assert_int_equal(integer(counts, "fail"), 1);
	assert_int_equal(integer(counts, "error"), 1);
	json_decref(object);
}

static void json_tells_of_tests(void **state)
{
	struct run run = made_up();
	json_t *object = parsed(&run), *test = item(object, "tests", 1);
	json_t *finding = item(test, "findings", 1);
	json_t *line = item(test, "exchange", MARKED);

	(void)state;
	assert_string(test, "name", "channel.zero");
	assert_string(test, "title", results[1].title);
	assert_string(test, "verdict", "FAIL");
	assert_string(test, "others", "PASS");
	assert_string(test, "reason", "");
	assert_string(test, "output", LINES);
	assert_int_equal(integer(test, "milliseconds"), 1234);
	assert_string_equal(json_string_value(item(test, "clauses", 1)),
			    "HDB-BOTH-002");
	assert_true(json_is_null(
		json_object_get(item(test, "findings", 0), "clause")));
	assert_string(finding, "clause", "HDB-BOTH-002");
	assert_string(finding, "verdict", "FAIL");
	assert_string(line, "speaker", "suite");
	assert_int_equal(integer(line, "microseconds"), 1001 * MARKED);
	/* All that is text stays as it was, even what steers terminals. */
	assert_non_null(strstr(json_string_value(json_object_get(line, "text")),
			       "\x1b[31m \\xff\\xc3 \xe2\x80\xae caf\xc3\xa9"));
	json_decref(object);
}

static void json_tells_of_clauses(void **state)
{
	struct run run = made_up();
	json_t *object = parsed(&run);
	json_t *clause = item(object, "clauses", HDB_BOTH_001);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(object, "clauses")),
			 CLAUSE_COUNT);
	assert_string(clause, "id", "HDB-BOTH-001");
	assert_string(clause, "duty", "MUST");
	assert_string(clause, "text", clause_text(HDB_BOTH_001));
	assert_string(clause, "verdict", "PASS");
	assert_string_equal(json_string_value(item(clause, "tests", 0)),
			    "channel.zero");
	assert_string_equal(json_string_value(item(clause, "tests", 1)),
			    "session.passes");
	assert_string(item(object, "clauses", HDB_FE_003), "duty", "SHOULD");
	json_decref(object);
}

static void json_without_a_statement_says_null(void **state)
{
	struct run run = made_up();
	json_t *object;

	(void)state;
	run.statement = NULL;
	run.count = 0;
	object = parsed(&run);
	assert_true(json_is_null(json_object_get(object, "statement")));
	assert_int_equal(json_array_size(json_object_get(object, "tests")), 0);
	assert_true(json_is_false(json_object_get(object, "passed")));
	json_decref(object);
}

#else

static void json_is_missed(void **state)
{
	struct run run = made_up();
	const char *why;

	(void)state;
	assert_false(report_has("json", &why));
	assert_string_equal(why, "this program was built without jansson");
	assert_int_equal(report_write("json", &run, stdout), -EINVAL);
}

#endif

#define report_test(function) \
	cmocka_unit_test_setup_teardown(function, add_exchange, free_exchange)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_known),
		report_test(write_errors_are_reported),
		report_test(no_report_has_control_characters),
		report_test(text_has_a_paragraph_for_each_problem),
		report_test(text_marks_the_line_that_went_wrong),
		report_test(text_keeps_output_behind_a_bar),
		report_test(text_condenses_what_was_skipped),
		report_test(text_says_how_to_run_a_test_again),
		report_test(reason_is_told_once),
		report_test(text_ends_with_counts),
		report_test(text_says_what_the_run_comes_to),
		report_test(tap_is_well_formed),
		report_test(junit_is_well_formed),
		report_test(html_is_well_formed),
		report_test(html_marks_the_line_that_went_wrong),
		report_test(html_links_clauses_and_tests),
#ifdef HDMABUF_HAVE_JANSSON
		report_test(json_tells_of_the_run),
		report_test(json_tells_of_tests),
		report_test(json_tells_of_clauses),
		report_test(json_without_a_statement_says_null),
#else
		report_test(json_is_missed),
#endif
	};

	return hdmabuf_test_run("report", tests, COUNT(tests));
}
