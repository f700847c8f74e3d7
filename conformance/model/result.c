/* SPDX-License-Identifier: MIT */
#include "conformance/model/result.h"

void run_count(const struct run *run, size_t counts[VERDICT_COUNT])
{
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		counts[i] = 0;
	for (size_t i = 0; i < run->count; i++)
		counts[run->results[i].verdict]++;
}

bool result_is_about(const struct result *result, enum clause clause)
{
	for (size_t i = 0; i < result->clause_count; i++)
		if (result->clauses[i] == clause)
			return true;
	return false;
}

/* The worst that a test has found of a clause; SKIP if nothing. */
static enum verdict worst_finding(const struct result *result,
				  enum clause clause)
{
	enum verdict worst = VERDICT_SKIP;

	for (size_t i = 0; i < result->finding_count; i++) {
		const struct finding *finding = &result->findings[i];

		if (finding->clause == clause && finding->verdict > worst)
			worst = finding->verdict;
	}
	return worst;
}

bool result_concerns(const struct result *result, enum clause clause)
{
	return result_is_about(result, clause) ||
	       worst_finding(result, clause) != VERDICT_SKIP;
}

/* What a test that found nothing of a clause says of it all the same. */
static enum verdict shown_without_finding(const struct result *result)
{
	switch (result->verdict) {
	case VERDICT_SKIP:
		return VERDICT_SKIP;
	case VERDICT_PASS:
	case VERDICT_WARN:
		return VERDICT_PASS;
	default:
		return VERDICT_INCONCLUSIVE;
	}
}

enum verdict run_clause_verdict(const struct run *run, enum clause clause)
{
	enum verdict worst = VERDICT_SKIP;
	bool passed = false, open = false;

	for (size_t i = 0; i < run->count; i++) {
		const struct result *result = &run->results[i];
		enum verdict found = worst_finding(result, clause), shown;

		if (found > worst)
			worst = found;
		if (!result_is_about(result, clause))
			continue;
		shown = shown_without_finding(result);
		passed |= shown == VERDICT_PASS;
		open |= shown == VERDICT_INCONCLUSIVE;
	}
	if (worst != VERDICT_SKIP)
		return worst;
	if (passed)
		return VERDICT_PASS;
	return open ? VERDICT_INCONCLUSIVE : VERDICT_SKIP;
}

enum outcome run_outcome(const struct run *run, enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return OUTCOME_PASSED;
	case VERDICT_WARN:
		return run->strict ? OUTCOME_FAILED : OUTCOME_PASSED;
	case VERDICT_INCONCLUSIVE:
		return run->strict ? OUTCOME_FAILED : OUTCOME_SKIPPED;
	case VERDICT_FAIL:
	case VERDICT_ERROR:
		return OUTCOME_FAILED;
	default:
		return OUTCOME_SKIPPED;
	}
}

void run_count_outcomes(const struct run *run, size_t counts[OUTCOME_COUNT])
{
	for (size_t i = 0; i < OUTCOME_COUNT; i++)
		counts[i] = 0;
	for (size_t i = 0; i < run->count; i++) {
		const struct result *result = &run->results[i];

		/* What is so once and otherwise the next time is not in order. */
		if (result->others != result->verdict)
			counts[OUTCOME_FAILED]++;
		else
			counts[run_outcome(run, result->verdict)]++;
	}
}

bool run_passed(const struct run *run)
{
	size_t counts[OUTCOME_COUNT];

	run_count_outcomes(run, counts);
	return !counts[OUTCOME_FAILED] && counts[OUTCOME_PASSED];
}
