/* SPDX-License-Identifier: MIT */
/* TAP 14. */

#include "conformance/report/report_parts.h"

/* A key of the block of diagnostics; what JSON would quote so, YAML does too. */
#define pair(file, indent, key, value) \
	escape_print(file, ESCAPE_QUOTED, indent key ": \"%s\"\n", value)

static void put_heading(const struct run *run, FILE *file)
{
	char seed[PART_SIZE];

	escape_print(file, ESCAPE_LINE,
		     "TAP version 14\n"
		     "# hdmabuf-conformance %s, %s: %s\n"
		     "# seed %s\n"
		     "1..%zu%s\n",
		     run->version, role_name(run->role), run->iut,
		     seed_text(run, seed), run->count,
		     run->count ? "" : " # SKIP no test was run");
}

static void put_clauses(const struct result *result, FILE *file)
{
	fputs("  clauses: [", file);
	for (size_t i = 0; i < result->clause_count; i++)
		fprintf(file, "%s\"%s\"", i ? ", " : "",
			clause_id(result->clauses[i]));
	fputs("]\n", file);
}

static void put_findings(const struct result *result, FILE *file)
{
	if (result->finding_count)
		fputs("  findings:\n", file);
	for (size_t i = 0; i < result->finding_count; i++) {
		const struct finding *finding = &result->findings[i];

		pair(file, "    - ", "verdict", verdict_name(finding->verdict));
		if (finding->clause < CLAUSE_COUNT)
			pair(file, "      ", "clause",
			     clause_id(finding->clause));
		pair(file, "      ", "text", finding->text);
	}
}

static void put_exchange(const struct result *result, FILE *file)
{
	if (result->line_count)
		fputs("  exchange:\n", file);
	for (size_t i = 0; i < result->line_count; i++) {
		const struct line *line = &result->lines[i];
		char time[PART_SIZE];

		escape_print(file, ESCAPE_QUOTED, "    - \"%s ms %s: %s\"\n",
			     line_time_text(line, time),
			     speaker_name(line->speaker), line->text);
	}
}

static void put_diagnostics(const struct result *result, FILE *file)
{
	fputs("  ---\n", file);
	pair(file, "  ", "verdict", verdict_name(result->verdict));
	pair(file, "  ", "title", result->title);
	if (is_said(result_other_reason(result)))
		pair(file, "  ", "reason", result->reason);
	if (result->others != result->verdict)
		pair(file, "  ", "in other repetitions",
		     verdict_name(result->others));
	put_clauses(result, file);
	put_findings(result, file);
	put_exchange(result, file);
	if (is_said(result->output))
		pair(file, "  ", "stderr", result->output);
	fputs("  ...\n", file);
}

static void put_result(const struct run *run, size_t index, FILE *file)
{
	const struct result *result = &run->results[index];
	enum outcome outcome = run_outcome(run, result->verdict);

	escape_print(file, ESCAPE_TAP, "%sok %zu - %s",
		     outcome == OUTCOME_FAILED ? "not " : "", index + 1,
		     result->name);
	if (outcome == OUTCOME_SKIPPED)
		escape_print(file, ESCAPE_TAP, " # SKIP %s",
			     result_message(result));
	fputc('\n', file);
	if (result->verdict > VERDICT_PASS)
		put_diagnostics(result, file);
}

int report_tap(const struct run *run, FILE *file)
{
	put_heading(run, file);
	for (size_t i = 0; i < run->count; i++)
		put_result(run, i, file);
	return 0;
}
