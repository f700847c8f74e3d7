/* SPDX-License-Identifier: MIT */
/*
 * result.h - what a run of the suite has found
 *
 * One model, which every report is written from. A string that is empty may be NULL.
 */
#ifndef CONFORMANCE_RESULT_H
#define CONFORMANCE_RESULT_H

#include "conformance/model/clause.h"

#include <hyper_dmabuf.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/**
 * struct finding - one thing that a test has found
 * @verdict: WARN, INCONCLUSIVE, FAIL or ERROR
 * @clause: broken by it, or CLAUSE_COUNT if none is to blame
 * @text: what was expected and what was seen
 */
struct finding {
	enum verdict verdict;
	enum clause clause;
	char *text;
};

/**
 * enum speaker - who did what a line of an exchange tells
 * @SPEAKER_SUITE: the suite sent or did it
 * @SPEAKER_IUT: the implementation under test sent or did it
 * @SPEAKER_COMMENT: the test says what it is about
 */
enum speaker {
	SPEAKER_SUITE,
	SPEAKER_IUT,
	SPEAKER_COMMENT
};

/**
 * struct line - one line of the exchange that led to a verdict
 * @speaker: whose
 * @microseconds: since the beginning of the test
 * @text: what was said
 * @findings: how many findings there were when it was written
 */
struct line {
	enum speaker speaker;
	uint64_t microseconds;
	char *text;
	size_t findings;
};

/**
 * struct result - of one test
 * @name: of the test, as "buffers.export_zero_fields"
 * @title: what it shows, in a sentence
 * @clauses: that it is about
 * @clause_count: of @clauses
 * @verdict: of the test as a whole
 * @reason: why it was skipped or is inconclusive; empty if it was not
 * @findings: what was found
 * @finding_count: of @findings
 * @lines: the exchange
 * @line_count: of @lines
 * @output: what the implementation wrote to standard error, the end of it
 * @milliseconds: how long it took
 * @others: of repetitions with another verdict: that verdict; else @verdict
 */
struct result {
	const char *name;
	const char *title;
	const enum clause *clauses;
	size_t clause_count;
	enum verdict verdict;
	char *reason;
	struct finding *findings;
	size_t finding_count;
	struct line *lines;
	size_t line_count;
	char *output;
	uint32_t milliseconds;
	enum verdict others;
};

/**
 * struct run - all of it
 * @version: of the suite
 * @role: of the implementation under test
 * @iut: the command it was started with, or the endpoint it was found at
 * @command: the command, or NULL
 * @endpoints: where it was found
 * @endpoint_count: of @endpoints
 * @statement: the file with what it claims, or NULL
 * @started: when
 * @seconds: how long it took
 * @seed: of the order and the random contents
 * @repetitions: how often each test was run
 * @ring_format: of the rings of all tests that do not say another one
 * @strict: WARN and INCONCLUSIVE count as failures
 * @results: of the tests, by name
 * @count: of @results
 */
struct run {
	const char *version;
	enum hdmabuf_role role;
	const char *iut;
	const char *command;
	const char *const *endpoints;
	size_t endpoint_count;
	const char *statement;
	time_t started;
	double seconds;
	uint64_t seed;
	uint32_t repetitions;
	uint32_t ring_format;
	bool strict;
	struct result *results;
	size_t count;
};

/* What a verdict comes to where there are but three, as in an exit status or TAP. */
enum outcome {
	OUTCOME_PASSED,
	OUTCOME_FAILED,
	OUTCOME_SKIPPED,
	OUTCOME_COUNT
};

/* How many tests have each verdict. */
void run_count(const struct run *run, size_t counts[VERDICT_COUNT]);

/*
 * WARN has passed and INCONCLUSIVE is skipped, unless the run is strict: then both
 * have failed.
 */
enum outcome run_outcome(const struct run *run, enum verdict verdict);
/* How many tests have each outcome. */
void run_count_outcomes(const struct run *run, size_t counts[OUTCOME_COUNT]);

/* Whether a test is about a clause; whether it is, or has a finding that names it. */
bool result_is_about(const struct result *result, enum clause clause);
bool result_concerns(const struct result *result, enum clause clause);

/*
 * What the run says of a clause: the worst finding that names it. Where none does:
 * PASS if a test about it passed, be it with a warning about another; INCONCLUSIVE if
 * such tests ran, but failed for another reason before they could tell; SKIP if none
 * ran.
 */
enum verdict run_clause_verdict(const struct run *run, enum clause clause);

/* Whether the run as a whole is a success: something passed, and nothing failed. */
bool run_passed(const struct run *run);

#endif
