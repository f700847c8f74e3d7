/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "conformance/report/report_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- Clauses ---------------------------------------------------------------- */

static const struct {
	const char *name, *who;
} groups[] = {
	{ "BOTH", "both ends" },
	{ "FE", "a frontend" },
	{ "BE", "a backend" },
	{ "EXP", "an exporter" },
	{ "IMP", "an importer" },
	{ "PLAT", "a platform" },
	{ "LOCAL", "the platform local" },
	{ "XEN", "the platform Xen" },
};

static bool is_of(enum clause clause, const char *group)
{
	const char *name = clause_id(clause) + strlen("HDB-");
	size_t length = strlen(group);

	return !strncmp(name, group, length) && name[length] == '-';
}

bool group_next(struct group *group)
{
	size_t clause = 0;

	if (group->next == sizeof(groups) / sizeof(groups[0]))
		return false;
	group->name = groups[group->next].name;
	group->who = groups[group->next].who;
	group->next++;
	while (clause < CLAUSE_COUNT && !is_of(clause, group->name))
		clause++;
	group->first = (enum clause)clause;
	while (clause < CLAUSE_COUNT && is_of(clause, group->name))
		clause++;
	group->count = clause - (size_t)group->first;
	return true;
}

void group_count(const struct run *run, const struct group *group,
		 size_t counts[VERDICT_COUNT])
{
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		counts[i] = 0;
	for (size_t i = 0; i < group->count; i++)
		counts[run_clause_verdict(run, group->first + i)]++;
}

const char *verdict_key(enum verdict verdict)
{
	static const char *const keys[VERDICT_COUNT] = {
		[VERDICT_SKIP] = "skip",
		[VERDICT_PASS] = "pass",
		[VERDICT_WARN] = "warn",
		[VERDICT_INCONCLUSIVE] = "inconclusive",
		[VERDICT_FAIL] = "fail",
		[VERDICT_ERROR] = "error",
	};

	return keys[verdict];
}

/* ---- Findings and the exchange ---------------------------------------------- */

size_t result_lines_before(const struct result *result, size_t finding)
{
	size_t lines = result->line_count;

	while (lines && result->lines[lines - 1].findings > finding)
		lines--;
	return lines;
}

size_t result_worst_finding(const struct result *result)
{
	size_t worst = 0;

	for (size_t i = 1; i < result->finding_count; i++)
		if (result->findings[i].verdict >
		    result->findings[worst].verdict)
			worst = i;
	return worst;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

const char *result_message(const struct result *result)
{
	size_t worst = result_worst_finding(result);

	return or_empty(worst < result->finding_count ?
				result->findings[worst].text :
				result->reason);
}

const char *result_other_reason(const struct result *result)
{
	const char *reason = or_empty(result->reason);

	for (size_t i = 0; i < result->finding_count; i++)
		if (!strcmp(reason, or_empty(result->findings[i].text)))
			return "";
	return reason;
}

static size_t less_or_none(size_t from, size_t less)
{
	return from > less ? from - less : 0;
}

static size_t at_most(size_t number, size_t most)
{
	return number < most ? number : most;
}

struct window result_window(const struct result *result, size_t before,
			    size_t after)
{
	size_t lines = result->line_count, last = result->finding_count - 1;

	if (!result->finding_count)
		return (struct window){ less_or_none(lines, before), lines };
	return (struct window){
		less_or_none(result_lines_before(result, 0), before),
		at_most(result_lines_before(result, last) + after, lines),
	};
}

bool result_is_skipped_so(const struct result *result, const char *reason)
{
	return result->verdict == VERDICT_SKIP &&
	       !strcmp(or_empty(result->reason), or_empty(reason));
}

bool run_is_first_skipped_so(const struct run *run, size_t index)
{
	const char *reason = run->results[index].reason;

	for (size_t i = 0; i < index; i++)
		if (result_is_skipped_so(&run->results[i], reason))
			return false;
	return run->results[index].verdict == VERDICT_SKIP;
}

/* ---- Texts ------------------------------------------------------------------ */

const char *duty_name(enum clause clause)
{
	return clause_duty(clause) == MUST ? "MUST" : "SHOULD";
}

bool is_said(const char *text)
{
	return text && *text;
}

const char *speaker_name(enum speaker speaker)
{
	static const char *const names[] = {
		[SPEAKER_SUITE] = "suite",
		[SPEAKER_IUT] = "iut",
		[SPEAKER_COMMENT] = "comment",
	};

	return names[speaker];
}

const char *role_name(enum hdmabuf_role role)
{
	return role == HDMABUF_FRONTEND ? "frontend" : "backend";
}

const char *day_text(const struct run *run, char text[PART_SIZE])
{
	struct tm tm = { 0 };

	gmtime_r(&run->started, &tm);
	strftime(text, PART_SIZE, "%-d %B %Y, %H:%M UTC", &tm);
	return text;
}

char *started_text(const struct run *run, char text[PART_SIZE])
{
	struct tm tm = { 0 };

	gmtime_r(&run->started, &tm);
	strftime(text, PART_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

const char *duration_text(double seconds, char text[PART_SIZE])
{
	uint64_t whole = (uint64_t)(seconds + 0.5);

	if (whole < 60)
		snprintf(text, PART_SIZE, "%.1f s", seconds);
	else
		snprintf(text, PART_SIZE, "%" PRIu64 " min %" PRIu64 " s",
			 whole / 60, whole % 60);
	return text;
}

const char *line_time_text(const struct line *line, char text[PART_SIZE])
{
	snprintf(text, PART_SIZE, "%" PRIu64 ".%03u", line->microseconds / 1000,
		 (unsigned int)(line->microseconds % 1000));
	return text;
}

const char *seed_text(const struct run *run, char text[PART_SIZE])
{
	snprintf(text, PART_SIZE, "%" PRIu64, run->seed);
	return text;
}

static const char *judgement(const struct run *run,
			     const size_t counts[VERDICT_COUNT])
{
	size_t outcomes[OUTCOME_COUNT];

	run_count_outcomes(run, outcomes);
	if (run_passed(run))
		return "passed";
	if (counts[VERDICT_FAIL] + counts[VERDICT_ERROR])
		return "failed";
	if (outcomes[OUTCOME_FAILED])
		return run->strict ? "failed, as the run was strict" :
				     "failed, as its verdicts differ";
	return "has shown nothing";
}

/* The words for one verdict, with those that join them to what comes before. */
static void put_share(FILE *file, size_t count, const char *words,
		      size_t *shown, size_t of)
{
	const char *join = !*shown ? " " : *shown + 1 == of ? " and " : ", ";

	fprintf(file, "%s%zu %s", join, count, words);
	++*shown;
}

static void put_shares(FILE *file, const size_t counts[VERDICT_COUNT])
{
	static const struct {
		enum verdict verdict;
		const char *words;
	} shares[VERDICT_COUNT] = {
		{ VERDICT_FAIL, "failed" },
		{ VERDICT_ERROR, "ended in an error" },
		{ VERDICT_INCONCLUSIVE, "could not tell" },
		{ VERDICT_WARN, "passed with a warning" },
		{ VERDICT_PASS, "passed" },
		{ VERDICT_SKIP, "did not run" },
	};
	size_t of = 0, shown = 0;

	for (size_t i = 0; i < VERDICT_COUNT; i++)
		of += counts[i] != 0;
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		if (counts[shares[i].verdict])
			put_share(file, counts[shares[i].verdict],
				  shares[i].words, &shown, of);
}

static char *finish(FILE *memory, char **text)
{
	if (!fclose(memory))
		return *text;
	free(*text);
	return NULL;
}

char *run_sentence(const struct run *run)
{
	size_t counts[VERDICT_COUNT], size;
	char *text = NULL;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return NULL;
	run_count(run, counts);
	fprintf(memory, "The %s %s: ", role_name(run->role),
		judgement(run, counts));
	if (run->count && counts[VERDICT_PASS] == run->count) {
		fprintf(memory, "all of %zu test%s passed", run->count,
			run->count == 1 ? "" : "s");
	} else if (run->count) {
		fprintf(memory, "of %zu test%s,", run->count,
			run->count == 1 ? "" : "s");
		put_shares(memory, counts);
	} else {
		fputs("no test was run", memory);
	}
	fputc('.', memory);
	return finish(memory, &text);
}

/* As one word of sh. */
static void put_word(FILE *file, const char *word)
{
	fputc('\'', file);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", file);
		else
			fputc(*word, file);
	fputc('\'', file);
}

static void put_option(FILE *file, const char *name, const char *word)
{
	if (!word)
		return;
	fprintf(file, " --%s ", name);
	put_word(file, word);
}

char *run_again(const struct run *run, const struct result *result)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return NULL;
	fprintf(memory, "hdmabuf-conformance --role %s", role_name(run->role));
	put_option(memory, "iut", run->command);
	for (size_t i = 0; i < run->endpoint_count; i++)
		put_option(memory, "attach", run->endpoints[i]);
	put_option(memory, "statement", run->statement);
	if (run->repetitions > 1)
		fprintf(memory, " --repeat %u", run->repetitions);
	if (run->ring_format)
		fprintf(memory, " --ring-format %u", run->ring_format);
	fprintf(memory, " --test %s --seed %" PRIu64, result->name, run->seed);
	return finish(memory, &text);
}
