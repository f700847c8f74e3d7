/* SPDX-License-Identifier: MIT */
#include "conformance/model/result.h"
#include "tests/harness.h"

static const enum clause about[] = { HDB_BOTH_001, HDB_BOTH_002 };

/* A test about two clauses, with at most one finding. */
static struct result result_of(enum verdict verdict, struct finding *finding)
{
	return (struct result){
		.name = "made.up",
		.title = "Nothing.",
		.clauses = about,
		.clause_count = 2,
		.verdict = verdict,
		.findings = finding,
		.finding_count = finding != NULL,
		.others = verdict,
	};
}

static struct run run_of(struct result *results, size_t count)
{
	return (struct run){ .results = results, .count = count };
}

static void assert_clause(struct result *results, size_t count,
			  enum clause clause, enum verdict expected)
{
	struct run run = run_of(results, count);

	assert_string_equal(verdict_name(run_clause_verdict(&run, clause)),
			    verdict_name(expected));
}

static void clause_without_a_test_is_skipped(void **state)
{
	struct result results[] = { result_of(VERDICT_PASS, NULL) };

	(void)state;
	assert_clause(results, 1, HDB_BE_001, VERDICT_SKIP);
	assert_clause(results, 0, HDB_BOTH_001, VERDICT_SKIP);
}

static void clause_passes_if_any_test_does(void **state)
{
	struct result results[] = { result_of(VERDICT_SKIP, NULL),
				    result_of(VERDICT_INCONCLUSIVE, NULL),
				    result_of(VERDICT_PASS, NULL) };

	(void)state;
	assert_clause(results, 1, HDB_BOTH_001, VERDICT_SKIP);
	assert_clause(results, 2, HDB_BOTH_001, VERDICT_INCONCLUSIVE);
	assert_clause(results, 3, HDB_BOTH_001, VERDICT_PASS);
}

static void worst_finding_counts(void **state)
{
	struct finding warn = { VERDICT_WARN, HDB_BOTH_001, NULL };
	struct finding fail = { VERDICT_FAIL, HDB_BOTH_001, NULL };
	struct result results[] = { result_of(VERDICT_PASS, NULL),
				    result_of(VERDICT_WARN, &warn),
				    result_of(VERDICT_FAIL, &fail) };

	(void)state;
	assert_clause(results, 2, HDB_BOTH_001, VERDICT_WARN);
	assert_clause(results, 3, HDB_BOTH_001, VERDICT_FAIL);
}

static void finding_counts_whatever_its_test_is_about(void **state)
{
	struct finding fail = { VERDICT_FAIL, HDB_BE_001, NULL };
	struct result results[] = { result_of(VERDICT_FAIL, &fail) };

	(void)state;
	assert_clause(results, 1, HDB_BE_001, VERDICT_FAIL);
	assert_true(result_concerns(&results[0], HDB_BE_001));
	assert_false(result_is_about(&results[0], HDB_BE_001));
}

/* Whether the test came to the clause nobody knows; a warning did not stop it. */
static void finding_of_another_clause_leaves_it_open(void **state)
{
	struct finding warn = { VERDICT_WARN, HDB_BE_001, NULL };
	struct finding fail = { VERDICT_FAIL, HDB_BE_001, NULL };
	struct finding error = { VERDICT_ERROR, CLAUSE_COUNT, NULL };
	struct result warned = result_of(VERDICT_WARN, &warn);
	struct result failed = result_of(VERDICT_FAIL, &fail);
	struct result broken = result_of(VERDICT_ERROR, &error);

	(void)state;
	assert_clause(&warned, 1, HDB_BOTH_001, VERDICT_PASS);
	assert_clause(&failed, 1, HDB_BOTH_001, VERDICT_INCONCLUSIVE);
	assert_clause(&broken, 1, HDB_BOTH_001, VERDICT_INCONCLUSIVE);
}

static void assert_run(enum verdict verdict, bool strict, bool passes,
		       enum outcome outcome)
{
	struct result results[] = { result_of(VERDICT_PASS, NULL),
				    result_of(verdict, NULL) };
	struct run run = run_of(results, 2);
	size_t counts[VERDICT_COUNT], outcomes[OUTCOME_COUNT];

	run.strict = strict;
	assert_int_equal(run_passed(&run), passes);
	run_count(&run, counts);
	assert_int_equal(counts[verdict], verdict == VERDICT_PASS ? 2 : 1);
	run_count_outcomes(&run, outcomes);
	assert_int_equal(outcomes[outcome], outcome == OUTCOME_PASSED ? 2 : 1);
}

static void run_of_which_nothing_passed_is_no_success(void **state)
{
	struct result results[] = { result_of(VERDICT_SKIP, NULL),
				    result_of(VERDICT_INCONCLUSIVE, NULL) };
	struct run run = run_of(results, 2);

	(void)state;
	assert_false(run_passed(&run));
	results[0].verdict = results[0].others = VERDICT_PASS;
	assert_true(run_passed(&run));
}

static void verdicts_that_differ_are_a_failure(void **state)
{
	struct result results[] = { result_of(VERDICT_PASS, NULL),
				    result_of(VERDICT_PASS, NULL) };
	struct run run = run_of(results, 2);

	(void)state;
	assert_true(run_passed(&run));
	results[1].others = VERDICT_SKIP;
	assert_false(run_passed(&run));
}

static void run_passes_unless_something_failed(void **state)
{
	(void)state;
	assert_run(VERDICT_PASS, false, true, OUTCOME_PASSED);
	assert_run(VERDICT_SKIP, false, true, OUTCOME_SKIPPED);
	assert_run(VERDICT_WARN, false, true, OUTCOME_PASSED);
	assert_run(VERDICT_INCONCLUSIVE, false, true, OUTCOME_SKIPPED);
	assert_run(VERDICT_FAIL, false, false, OUTCOME_FAILED);
	assert_run(VERDICT_ERROR, false, false, OUTCOME_FAILED);
}

static void strict_run_takes_no_excuse(void **state)
{
	(void)state;
	assert_run(VERDICT_PASS, true, true, OUTCOME_PASSED);
	assert_run(VERDICT_SKIP, true, true, OUTCOME_SKIPPED);
	assert_run(VERDICT_WARN, true, false, OUTCOME_FAILED);
	assert_run(VERDICT_INCONCLUSIVE, true, false, OUTCOME_FAILED);
	assert_run(VERDICT_FAIL, true, false, OUTCOME_FAILED);
	assert_run(VERDICT_ERROR, true, false, OUTCOME_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clause_without_a_test_is_skipped),
		cmocka_unit_test(clause_passes_if_any_test_does),
		cmocka_unit_test(worst_finding_counts),
		cmocka_unit_test(finding_counts_whatever_its_test_is_about),
		cmocka_unit_test(finding_of_another_clause_leaves_it_open),
		cmocka_unit_test(run_of_which_nothing_passed_is_no_success),
		cmocka_unit_test(verdicts_that_differ_are_a_failure),
		cmocka_unit_test(run_passes_unless_something_failed),
		cmocka_unit_test(strict_run_takes_no_excuse),
	};

	return hdmabuf_test_run("result", tests,
				sizeof(tests) / sizeof(tests[0]));
}
