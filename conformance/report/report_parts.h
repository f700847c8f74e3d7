/* SPDX-License-Identifier: MIT */
/* report_parts.h - what several formats of the report are made of. */
#ifndef CONFORMANCE_REPORT_PARTS_H
#define CONFORMANCE_REPORT_PARTS_H

#include "conformance/report/escape.h"
#include "conformance/model/result.h"

#include <stdio.h>

/* The formats: 0, or -ENOMEM. Errors of @file are found by whoever called. */
int report_text(const struct run *run, FILE *file);
int report_tap(const struct run *run, FILE *file);
int report_junit(const struct run *run, FILE *file);
int report_json(const struct run *run, FILE *file);
int report_html(const struct run *run, FILE *file);

/**
 * struct group - clauses that bind the same
 * @name: as "BOTH"
 * @who: has to obey, as "both ends"
 * @first: clause
 * @count: of clauses, which follow one another
 * @next: group, by number
 */
struct group {
	const char *name;
	const char *who;
	enum clause first;
	size_t count;
	size_t next;
};

/* Goes on to the next group, to the first from one that is all zero; false at the end. */
bool group_next(struct group *group);
/* How many clauses of a group have each verdict. */
void group_count(const struct run *run, const struct group *group,
		 size_t counts[VERDICT_COUNT]);

/* "fail" and so on, as a key or the name of a class. */
const char *verdict_key(enum verdict verdict);

/* A string that may be NULL is not, and says something. */
bool is_said(const char *text);

/* How many lines of the exchange there were when a finding was made. */
size_t result_lines_before(const struct result *result, size_t finding);
/* The first of the worst findings; finding_count if there is none. */
size_t result_worst_finding(const struct result *result);

/* In a line, why a test has not passed: its worst finding, or the reason. */
const char *result_message(const struct result *result);
/* The reason, unless a finding says the same. */
const char *result_other_reason(const struct result *result);

/* Lines [begin, end) of an exchange. */
struct window {
	size_t begin, end;
};

/*
 * The lines that led to what a test has found, from @before ahead of its first
 * finding to @after behind its last; without a finding, the last ones.
 */
struct window result_window(const struct result *result, size_t before,
			    size_t after);

/* The first test that was skipped for the same reason as this one. */
bool run_is_first_skipped_so(const struct run *run, size_t index);
bool result_is_skipped_so(const struct result *result, const char *reason);

#define PART_SIZE 64

/* "MUST" or "SHOULD" */
const char *duty_name(enum clause clause);
/* "suite", "iut", "comment" */
const char *speaker_name(enum speaker speaker);
const char *role_name(enum hdmabuf_role role);
/* "2026-03-01T12:00:00Z" */
char *started_text(const struct run *run, char text[PART_SIZE]);
/* "1 March 2026, 12:00 UTC" */
const char *day_text(const struct run *run, char text[PART_SIZE]);
/* "12.3 s", "2 min 5 s" */
const char *duration_text(double seconds, char text[PART_SIZE]);
/* "12.345", milliseconds */
const char *line_time_text(const struct line *line, char text[PART_SIZE]);
const char *seed_text(const struct run *run, char text[PART_SIZE]);

/* How it went, in a sentence. To be freed; NULL if there is no memory. */
char *run_sentence(const struct run *run);
/* The command that runs one test again. To be freed; NULL if there is no memory. */
char *run_again(const struct run *run, const struct result *result);

#endif
