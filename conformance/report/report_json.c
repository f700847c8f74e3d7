/* SPDX-License-Identifier: MIT */

#ifdef HDMABUF_HAVE_JANSSON

#include "conformance/report/report_parts.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

/* Values that could not be made are NULL, which jansson refuses to add. */
static int add(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value);
}

static json_t *string(const char *text)
{
	char *sound = escape_text(ESCAPE_UTF8, text);
	json_t *value = json_string(sound);

	free(sound);
	return value;
}

static json_t *string_or_null(const char *text)
{
	return text ? string(text) : json_null();
}

static json_t *clause_or_null(enum clause clause)
{
	return clause < CLAUSE_COUNT ? string(clause_id(clause)) : json_null();
}

/* All of an array, or NULL. */
static json_t *complete(json_t *array, size_t count)
{
	if (json_array_size(array) == count)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *object_or_none(json_t *object, int error)
{
	if (!error)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *clause_ids(const struct result *result)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < result->clause_count; i++)
		json_array_append_new(ids,
				      string(clause_id(result->clauses[i])));
	return complete(ids, result->clause_count);
}

static json_t *finding_object(const struct finding *finding)
{
	json_t *object = json_object();

	return object_or_none(
		object, add(object, "verdict",
			    string(verdict_name(finding->verdict))) ||
				add(object, "clause",
				    clause_or_null(finding->clause)) ||
				add(object, "text", string(finding->text)));
}

static json_t *findings_array(const struct result *result)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < result->finding_count; i++)
		json_array_append_new(findings,
				      finding_object(&result->findings[i]));
	return complete(findings, result->finding_count);
}

static json_t *line_object(const struct line *line)
{
	json_t *object = json_object();

	return object_or_none(
		object,
		add(object, "speaker", string(speaker_name(line->speaker))) ||
			add(object, "microseconds",
			    json_integer((json_int_t)line->microseconds)) ||
			add(object, "text", string(line->text)));
}

static json_t *exchange_array(const struct result *result)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < result->line_count; i++)
		json_array_append_new(lines, line_object(&result->lines[i]));
	return complete(lines, result->line_count);
}

static json_t *test_object(const struct result *result)
{
	json_t *object = json_object();

	return object_or_none(
		object,
		add(object, "name", string(result->name)) ||
			add(object, "title", string(result->title)) ||
			add(object, "verdict",
			    string(verdict_name(result->verdict))) ||
			add(object, "others",
			    string(verdict_name(result->others))) ||
			add(object, "reason", string(result->reason)) ||
			add(object, "clauses", clause_ids(result)) ||
			add(object, "milliseconds",
			    json_integer(result->milliseconds)) ||
			add(object, "findings", findings_array(result)) ||
			add(object, "exchange", exchange_array(result)) ||
			add(object, "output", string(result->output)));
}

static json_t *tests_array(const struct run *run)
{
	json_t *tests = json_array();

	for (size_t i = 0; i < run->count; i++)
		json_array_append_new(tests, test_object(&run->results[i]));
	return complete(tests, run->count);
}

static json_t *names_array(const struct run *run, enum clause clause)
{
	json_t *names = json_array();
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		if (result_concerns(&run->results[i], clause)) {
			json_array_append_new(names,
					      string(run->results[i].name));
			count++;
		}
	return complete(names, count);
}

static json_t *clause_object(const struct run *run, enum clause clause)
{
	const char *verdict = verdict_name(run_clause_verdict(run, clause));
	json_t *object = json_object();

	return object_or_none(
		object,
		add(object, "id", string(clause_id(clause))) ||
			add(object, "duty", string(duty_name(clause))) ||
			add(object, "text", string(clause_text(clause))) ||
			add(object, "verdict", string(verdict)) ||
			add(object, "tests", names_array(run, clause)));
}

static json_t *clauses_array(const struct run *run)
{
	json_t *clauses = json_array();

	for (size_t i = 0; i < CLAUSE_COUNT; i++)
		json_array_append_new(clauses,
				      clause_object(run, (enum clause)i));
	return complete(clauses, CLAUSE_COUNT);
}

static json_t *counts_object(const struct run *run)
{
	json_t *object = json_object();
	size_t counts[VERDICT_COUNT];
	int error = 0;

	run_count(run, counts);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		error |= add(object, verdict_key((enum verdict)i),
			     json_integer((json_int_t)counts[i]));
	return object_or_none(object, error);
}

/* The seed is a string, as it has more bits than a number of JSON can be sure of. */
static int add_circumstances(json_t *object, const struct run *run)
{
	char started[PART_SIZE], seed[PART_SIZE];

	return add(object, "version", string(run->version)) ||
	       add(object, "role", string(role_name(run->role))) ||
	       add(object, "iut", string_or_null(run->iut)) ||
	       add(object, "statement", string_or_null(run->statement)) ||
	       add(object, "started", string(started_text(run, started))) ||
	       add(object, "seconds", json_real(run->seconds)) ||
	       add(object, "seed", string(seed_text(run, seed))) ||
	       add(object, "repetitions", json_integer(run->repetitions)) ||
	       add(object, "strict", json_boolean(run->strict));
}

int report_json(const struct run *run, FILE *file)
{
	json_t *object = json_object();
	int error = add_circumstances(object, run) ||
		    add(object, "counts", counts_object(run)) ||
		    add(object, "passed", json_boolean(run_passed(run))) ||
		    add(object, "tests", tests_array(run)) ||
		    add(object, "clauses", clauses_array(run)) ||
		    json_dumpf(object, file,
			       JSON_INDENT(1) | JSON_REAL_PRECISION(9));

	json_decref(object);
	fputc('\n', file);
	return error ? -ENOMEM : 0;
}

#endif
