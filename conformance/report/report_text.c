/* SPDX-License-Identifier: MIT */
/* Plain text, for a terminal of 80 columns. */

#define _GNU_SOURCE

#include "conformance/report/report_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS	     79
#define INDENT	     6
#define LINES_BEFORE 10
#define LINES_AFTER  2

/* Characters, of which UTF-8 marks all octets but the first. */
static size_t columns_of(const char *text, size_t octets)
{
	size_t columns = 0;

	for (size_t i = 0; i < octets; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

/* Words are kept whole; what follows the first line stands below @indent. */
static int put_wrapped(FILE *file, int indent, const char *label,
		       const char *text)
{
	char *line = escape_text(ESCAPE_LINE, text), *word = line;
	size_t column = (size_t)fprintf(file, "%*s%s", indent, "", label);
	size_t hanging = column, octets;

	if (!line)
		return -ENOMEM;
	for (; *word; word += octets + strspn(word + octets, " ")) {
		octets = strcspn(word, " ");
		if (column > hanging &&
		    column + 1 + columns_of(word, octets) > COLUMNS) {
			fprintf(file, "\n%*s", (int)hanging, "");
			column = hanging;
		}
		if (column > hanging)
			column += (size_t)fprintf(file, " ");
		fwrite(word, 1, octets, file);
		column += columns_of(word, octets);
	}
	fputc('\n', file);
	free(line);
	return 0;
}

/* ---- What did not pass ------------------------------------------------------ */

static int put_clauses(const struct result *result, FILE *file)
{
	char ids[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < result->clause_count && used < sizeof(ids); i++)
		used += (size_t)snprintf(ids + used, sizeof(ids) - used, " %s",
					 clause_id(result->clauses[i]));
	return put_wrapped(file, INDENT, "about ", ids + strspn(ids, " "));
}

static int put_finding(const struct finding *finding, FILE *file)
{
	char label[PART_SIZE];
	int error = 0;

	if (finding->clause < CLAUSE_COUNT) {
		snprintf(label, sizeof(label), "%s  ",
			 clause_id(finding->clause));
		error = put_wrapped(file, INDENT, label,
				    clause_text(finding->clause));
	}
	snprintf(label, sizeof(label), "%s: ", verdict_name(finding->verdict));
	return error | put_wrapped(file, INDENT, label, finding->text);
}

static int put_findings(const struct result *result, FILE *file)
{
	int error = 0;

	for (size_t i = 0; i < result->finding_count; i++)
		error |= put_finding(&result->findings[i], file);
	return error;
}

static bool is_marked(const struct result *result, size_t line)
{
	for (size_t i = 0; i < result->finding_count; i++)
		if (result_lines_before(result, i) == line + 1)
			return true;
	return false;
}

/* Who spoke is at the left or, for the implementation, further in. */
static int put_line(const struct result *result, size_t index, FILE *file)
{
	static const char *const speakers[] = {
		[SPEAKER_SUITE] = "suite: ",
		[SPEAKER_IUT] = "    iut: ",
		[SPEAKER_COMMENT] = "-- ",
	};
	const struct line *line = &result->lines[index];
	char time[PART_SIZE], label[2 * PART_SIZE];

	snprintf(label, sizeof(label), "%c %10s ms  %s",
		 is_marked(result, index) ? '>' : ' ',
		 line_time_text(line, time), speakers[line->speaker]);
	return put_wrapped(file, INDENT - 2, label, line->text);
}

static int put_exchange(const struct result *result, FILE *file)
{
	struct window window = result_window(result, LINES_BEFORE, LINES_AFTER);
	int error = 0;

	if (window.begin)
		fprintf(file, "%*s(%zu earlier lines are not shown)\n", INDENT,
			"", window.begin);
	for (size_t i = window.begin; i < window.end; i++)
		error |= put_line(result, i, file);
	return error;
}

/* Each line of its own behind a bar, so that none is taken for the report's. */
static int put_output(const struct result *result, FILE *file)
{
	char *output, *line, *rest;

	if (!is_said(result->output))
		return 0;
	output = rest = strdup(result->output);
	if (!output)
		return -ENOMEM;
	fprintf(file, "%*sstandard error of the implementation:\n", INDENT, "");
	while ((line = strsep(&rest, "\n")))
		if (rest || *line)
			escape_print(file, ESCAPE_LINE, "      | %s\n", line);
	free(output);
	return 0;
}

static const char *advice(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_WARN:
		return "The specification does not forbid it, but advises "
		       "against it.";
	case VERDICT_INCONCLUSIVE:
		return "The test could not tell: what it needs did not "
		       "happen. Mend that, then run it again.";
	case VERDICT_FAIL:
		return "Look at what the implementation does at the line "
		       "marked with >, beside the clause.";
	default:
		return "The test could not be carried out, which says nothing "
		       "of the implementation. Look at how it is started, and "
		       "at what it wrote to standard error.";
	}
}

static int put_again(const struct run *run, const struct result *result,
		     FILE *file)
{
	char *command = run_again(run, result);

	if (!command)
		return -ENOMEM;
	escape_print(file, ESCAPE_LINE, "      again: %s\n", command);
	free(command);
	return 0;
}

static int put_result(const struct run *run, const struct result *result,
		      FILE *file)
{
	int error = 0;

	fprintf(file, "%s  %s\n", verdict_name(result->verdict), result->name);
	error |= put_wrapped(file, INDENT, "", result->title);
	error |= put_clauses(result, file);
	if (is_said(result_other_reason(result)))
		error |= put_wrapped(file, INDENT, "reason: ", result->reason);
	error |= put_findings(result, file);
	if (result->others != result->verdict)
		fprintf(file, "%*sOther repetitions of the test: %s.\n", INDENT,
			"", verdict_name(result->others));
	error |= put_exchange(result, file);
	error |= put_output(result, file);
	error |= put_wrapped(file, INDENT, "", advice(result->verdict));
	error |= put_again(run, result, file);
	fputc('\n', file);
	return error;
}

/* The worst last, as that is where one looks first. */
static int put_unpassed(const struct run *run, FILE *file)
{
	int error = 0;

	for (size_t verdict = VERDICT_WARN; verdict < VERDICT_COUNT; verdict++)
		for (size_t i = 0; i < run->count; i++)
			if (run->results[i].verdict == verdict)
				error |=
					put_result(run, &run->results[i], file);
	return error;
}

/* ---- What was skipped ------------------------------------------------------- */

static char *names_skipped_so(const struct run *run, const char *reason,
			      size_t *count)
{
	char *names = NULL;
	size_t size;
	FILE *memory = open_memstream(&names, &size);

	if (!memory)
		return NULL;
	*count = 0;
	for (size_t i = 0; i < run->count; i++)
		if (result_is_skipped_so(&run->results[i], reason))
			fprintf(memory, "%s%s", (*count)++ ? " " : "",
				run->results[i].name);
	fclose(memory);
	return names;
}

static int put_skipped_so(const struct run *run, const char *reason, FILE *file)
{
	char label[PART_SIZE];
	size_t count;
	char *names = names_skipped_so(run, reason, &count);
	int error;

	if (!names)
		return -ENOMEM;
	snprintf(label, sizeof(label), "SKIP  %zu test%s: ", count,
		 count == 1 ? "" : "s");
	error = put_wrapped(file, 0, label,
			    is_said(reason) ? reason : "no reason given");
	error |= put_wrapped(file, INDENT, "", names);
	fputc('\n', file);
	free(names);
	return error;
}

static int put_skipped(const struct run *run, FILE *file)
{
	int error = 0;

	for (size_t i = 0; i < run->count; i++)
		if (run_is_first_skipped_so(run, i))
			error |= put_skipped_so(run, run->results[i].reason,
						file);
	return error;
}

/* ---- The summary ------------------------------------------------------------ */

static void put_row(FILE *file, const char *name,
		    const size_t counts[VERDICT_COUNT])
{
	fprintf(file, "%-8s%6zu%6zu%14zu%6zu%7zu%12zu\n", name,
		counts[VERDICT_PASS], counts[VERDICT_WARN],
		counts[VERDICT_INCONCLUSIVE], counts[VERDICT_FAIL],
		counts[VERDICT_ERROR], counts[VERDICT_SKIP]);
}

static void put_groups(const struct run *run, FILE *file)
{
	struct group group = { 0 };
	size_t counts[VERDICT_COUNT], all[VERDICT_COUNT] = { 0 };

	fprintf(file, "%-8s%6s%6s%14s%6s%7s%12s\n", "Clauses", "PASS", "WARN",
		"INCONCLUSIVE", "FAIL", "ERROR", "not tested");
	while (group_next(&group)) {
		group_count(run, &group, counts);
		put_row(file, group.name, counts);
		for (size_t i = 0; i < VERDICT_COUNT; i++)
			all[i] += counts[i];
	}
	put_row(file, "all", all);
	fputc('\n', file);
}

static int put_circumstances(const struct run *run, FILE *file)
{
	char started[PART_SIZE], took[PART_SIZE], seed[PART_SIZE];
	char *sentence = run_sentence(run);
	int error;

	if (!sentence)
		return -ENOMEM;
	escape_print(file, ESCAPE_LINE, "%s under test: %s\n",
		     run->role == HDMABUF_FRONTEND ? "Frontend" : "Backend",
		     run->iut);
	if (run->statement)
		escape_print(file, ESCAPE_LINE, "Statement: %s\n",
			     run->statement);
	fprintf(file, "%s, took %s, seed %s", started_text(run, started),
		duration_text(run->seconds, took), seed_text(run, seed));
	if (run->repetitions > 1)
		fprintf(file, ", each test %u times", run->repetitions);
	fprintf(file, "%s\n", run->strict ? ", strict" : "");
	error = put_wrapped(file, 0, "", sentence);
	free(sentence);
	return error;
}

static void put_last_line(const struct run *run, FILE *file)
{
	size_t counts[OUTCOME_COUNT];

	run_count_outcomes(run, counts);
	fprintf(file, "%zu passed, %zu failed, %zu skipped\n",
		counts[OUTCOME_PASSED], counts[OUTCOME_FAILED],
		counts[OUTCOME_SKIPPED]);
}

int report_text(const struct run *run, FILE *file)
{
	int error = put_skipped(run, file);

	error |= put_unpassed(run, file);
	put_groups(run, file);
	error |= put_circumstances(run, file);
	put_last_line(run, file);
	return error ? -ENOMEM : 0;
}
