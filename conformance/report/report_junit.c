/* SPDX-License-Identifier: MIT */
/* JUnit's XML, as Jenkins and GitLab read it. */

#include "conformance/report/report_parts.h"

#include <string.h>

#define xml(file, ...) escape_print(file, ESCAPE_XML, __VA_ARGS__)

#define TIME_SIZE 32

static const char *seconds_text(double seconds, char text[TIME_SIZE])
{
	snprintf(text, TIME_SIZE, "%.3f", seconds);
	return text;
}

/* What a verdict is there: tests pass, or have an element that says they did not. */
static const char *element(const struct run *run, enum verdict verdict)
{
	switch (run_outcome(run, verdict)) {
	case OUTCOME_FAILED:
		return verdict == VERDICT_ERROR ? "error" : "failure";
	case OUTCOME_SKIPPED:
		return "skipped";
	default:
		return NULL;
	}
}

static size_t count_elements(const struct run *run, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++) {
		const char *has = element(run, run->results[i].verdict);

		count += has && !strcmp(has, name);
	}
	return count;
}

static void put_counts(const struct run *run, FILE *file)
{
	char time[TIME_SIZE];

	xml(file, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%s\"",
	    run->count, count_elements(run, "failure"),
	    count_elements(run, "error"), seconds_text(run->seconds, time));
}

static void put_property(FILE *file, const char *name, const char *value)
{
	if (value)
		xml(file, "      <property name=\"%s\" value=\"%s\"/>\n", name,
		    value);
}

static void put_properties(const struct run *run, FILE *file)
{
	char text[PART_SIZE];

	fputs("    <properties>\n", file);
	put_property(file, "version", run->version);
	put_property(file, "role", role_name(run->role));
	put_property(file, "iut", run->iut);
	put_property(file, "statement", run->statement);
	put_property(file, "seed", seed_text(run, text));
	snprintf(text, sizeof(text), "%u", run->repetitions);
	put_property(file, "repetitions", text);
	put_property(file, "strict", run->strict ? "true" : "false");
	fputs("    </properties>\n", file);
}

static void put_findings(const struct result *result, FILE *file)
{
	xml(file, "%s\n", result->title);
	if (is_said(result_other_reason(result)))
		xml(file, "reason: %s\n", result->reason);
	if (result->others != result->verdict)
		xml(file, "in other repetitions: %s\n",
		    verdict_name(result->others));
	for (size_t i = 0; i < result->finding_count; i++) {
		const struct finding *finding = &result->findings[i];

		xml(file, "%s: %s\n", verdict_name(finding->verdict),
		    finding->text);
		if (finding->clause < CLAUSE_COUNT)
			xml(file, "[%s] %s\n", clause_id(finding->clause),
			    clause_text(finding->clause));
	}
}

static void put_exchange(const struct result *result, FILE *file)
{
	char time[PART_SIZE];

	for (size_t i = 0; i < result->line_count; i++) {
		const struct line *line = &result->lines[i];

		xml(file, "%s ms %s: %s\n", line_time_text(line, time),
		    speaker_name(line->speaker), line->text);
	}
}

/* A skipped test has no more to say than its reason. */
static void put_verdict(const struct run *run, const struct result *result,
			FILE *file)
{
	const char *name = element(run, result->verdict);

	if (!name)
		return;
	xml(file, "      <%s", name);
	xml(file, " message=\"%s\"", result_message(result));
	if (!strcmp(name, "skipped")) {
		fputs("/>\n", file);
		return;
	}
	xml(file, " type=\"%s\">", verdict_name(result->verdict));
	put_findings(result, file);
	xml(file, "</%s>\n", name);
}

static void put_outputs(const struct run *run, const struct result *result,
			FILE *file)
{
	fputs("      <system-out>", file);
	if (run_outcome(run, result->verdict) != OUTCOME_FAILED)
		put_findings(result, file);
	put_exchange(result, file);
	fputs("</system-out>\n", file);
	if (is_said(result->output))
		xml(file, "      <system-err>%s</system-err>\n",
		    result->output);
}

/* "buffers.export" of a backend is "export" of the class hdmabuf.backend.buffers. */
static void put_name(const struct run *run, const struct result *result,
		     FILE *file)
{
	const char *dot = strrchr(result->name, '.');
	char class[128] = "", time[TIME_SIZE];

	if (dot)
		snprintf(class, sizeof(class), ".%.*s",
			 (int)(dot - result->name), result->name);
	xml(file, "    <testcase classname=\"hdmabuf.%s%s\" name=\"%s\"",
	    role_name(run->role), class, dot ? dot + 1 : result->name);
	xml(file, " time=\"%s\"",
	    seconds_text(result->milliseconds / 1000.0, time));
}

static void put_result(const struct run *run, const struct result *result,
		       FILE *file)
{
	put_name(run, result, file);
	if (result->verdict == VERDICT_PASS) {
		fputs("/>\n", file);
		return;
	}
	fputs(">\n", file);
	put_verdict(run, result, file);
	if (result->verdict != VERDICT_SKIP)
		put_outputs(run, result, file);
	fputs("    </testcase>\n", file);
}

int report_junit(const struct run *run, FILE *file)
{
	char started[PART_SIZE];

	/* Not all readers know a zone. */
	started_text(run, started)[strlen("2026-03-01T12:00:00")] = '\0';
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", file);
	fputs("<testsuites name=\"hdmabuf-conformance\"", file);
	put_counts(run, file);
	xml(file, ">\n  <testsuite name=\"hdmabuf.%s\" timestamp=\"%s\"",
	    role_name(run->role), started);
	put_counts(run, file);
	xml(file, " skipped=\"%zu\">\n", count_elements(run, "skipped"));
	put_properties(run, file);
	for (size_t i = 0; i < run->count; i++)
		put_result(run, &run->results[i], file);
	fputs("  </testsuite>\n</testsuites>\n", file);
	return 0;
}
