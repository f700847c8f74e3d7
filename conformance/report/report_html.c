/* SPDX-License-Identifier: MIT */
/*
 * One page of HTML that needs nothing but itself, for somebody who sees the suite for
 * the first time. Every text goes through escape_print().
 */

#include "conformance/report/report_parts.h"
#include "conformance/report/report_style.h"

#include <errno.h>
#include <stdlib.h>

#define LINES_BEFORE 30
#define LINES_AFTER  10
#define LINES_PASSED 100
#define TESTS_SHOWN  6

#define html(file, ...) escape_print(file, ESCAPE_XML, __VA_ARGS__)

static const enum verdict worst_first[VERDICT_COUNT] = {
	VERDICT_FAIL, VERDICT_ERROR, VERDICT_INCONCLUSIVE,
	VERDICT_WARN, VERDICT_PASS,  VERDICT_SKIP,
};

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void put_badge(FILE *file, enum verdict verdict)
{
	html(file, "<span class=\"badge %s\">%s</span>", verdict_key(verdict),
	     verdict_name(verdict));
}

static void put_test_link(FILE *file, const struct result *result)
{
	html(file, "<a class=\"name %s\" href=\"#test-%s\">%s</a>",
	     verdict_key(result->verdict), result->name, result->name);
}

static void put_clause_link(FILE *file, enum clause clause)
{
	html(file, "<a class=\"id\" href=\"#%s\">%s</a>", clause_id(clause),
	     clause_id(clause));
}

/* A strip with a part for each verdict, as long as there are many of it. */
static void put_bar(FILE *file, const size_t counts[VERDICT_COUNT])
{
	fputs("<div class=\"bar\" aria-hidden=\"true\">", file);
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		enum verdict verdict = worst_first[i];

		if (counts[verdict])
			html(file,
			     "<i class=\"%s\" style=\"flex-grow:%zu\"></i>",
			     verdict_key(verdict), counts[verdict]);
	}
	fputs("</div>\n", file);
}

static bool is_unpassed(const struct result *result)
{
	return result->verdict > VERDICT_PASS;
}

static size_t count_unpassed(const struct run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += is_unpassed(&run->results[i]);
	return count;
}

/* ---- The exchange ----------------------------------------------------------- */

static void put_marks(const struct result *result, size_t lines, FILE *file)
{
	for (size_t i = 0; i < result->finding_count; i++) {
		const struct finding *finding = &result->findings[i];

		if (result_lines_before(result, i) != lines)
			continue;
		html(file, "<li class=\"mark %s\"><p>",
		     verdict_key(finding->verdict));
		put_badge(file, finding->verdict);
		fputs(lines ? " here " : " before anything was said ", file);
		if (finding->clause < CLAUSE_COUNT)
			put_clause_link(file, finding->clause);
		fputs("</p></li>\n", file);
	}
}

/* "fail" for a line with a finding, and so on; else nothing. */
static const char *line_key(const struct result *result, size_t index)
{
	enum verdict worst = VERDICT_SKIP;

	for (size_t i = 0; i < result->finding_count; i++)
		if (result_lines_before(result, i) == index + 1 &&
		    result->findings[i].verdict > worst)
			worst = result->findings[i].verdict;
	return worst == VERDICT_SKIP ? "" : verdict_key(worst);
}

static void put_line(const struct result *result, size_t index, FILE *file)
{
	const struct line *line = &result->lines[index];
	char time[PART_SIZE];

	html(file, "<li class=\"%s %s\"><time>%s</time><p>",
	     speaker_name(line->speaker), line_key(result, index),
	     line_time_text(line, time));
	if (line->speaker != SPEAKER_COMMENT)
		html(file, "<b class=\"who\">%s: </b>",
		     line->speaker == SPEAKER_SUITE ? "suite" :
						      "implementation");
	html(file, "%s</p></li>\n", line->text);
	put_marks(result, index + 1, file);
}

static void put_lines(const struct result *result, struct window window,
		      FILE *file)
{
	fputs("<ol class=\"exchange\">\n"
	      "<li class=\"heads\" aria-hidden=\"true\"><time>ms</time>"
	      "<p>suite</p><p>implementation</p></li>\n",
	      file);
	if (!window.begin)
		put_marks(result, 0, file);
	for (size_t i = window.begin; i < window.end; i++)
		put_line(result, i, file);
	fputs("</ol>\n", file);
}

static void put_folded(const struct result *result, struct window window,
		       const char *which, FILE *file)
{
	size_t count = window.end - window.begin;

	if (!count)
		return;
	html(file, "<details class=\"more\"><summary>%zu %s line%s</summary>\n",
	     count, which, plural(count));
	put_lines(result, window, file);
	fputs("</details>\n", file);
}

static void put_exchange(const struct result *result, FILE *file)
{
	struct window near = result_window(result, LINES_BEFORE, LINES_AFTER);

	fputs("<h4>What was said</h4>\n", file);
	put_folded(result, (struct window){ 0, near.begin }, "earlier", file);
	put_lines(result, near, file);
	put_folded(result, (struct window){ near.end, result->line_count },
		   "later", file);
}

static void put_output(const struct result *result, FILE *file)
{
	if (is_said(result->output))
		html(file,
		     "<h4>Standard error of the implementation</h4>\n"
		     "<pre>%s</pre>\n",
		     result->output);
}

/* ---- A test that did not pass ----------------------------------------------- */

static void put_finding(const struct finding *finding, FILE *file)
{
	html(file, "<div class=\"finding %s\"><p class=\"seen\">",
	     verdict_key(finding->verdict));
	put_badge(file, finding->verdict);
	html(file, " %s</p>\n", finding->text);
	if (finding->clause < CLAUSE_COUNT) {
		fputs("<blockquote>", file);
		put_clause_link(file, finding->clause);
		html(file, " %s</blockquote>\n", clause_text(finding->clause));
	}
	fputs("</div>\n", file);
}

static void put_findings(const struct result *result, FILE *file)
{
	if (!is_said(result_message(result)))
		return;
	fputs("<h4>What was expected and seen</h4>\n", file);
	if (is_said(result_other_reason(result)))
		html(file, "<p class=\"reason\">%s</p>\n", result->reason);
	for (size_t i = 0; i < result->finding_count; i++)
		put_finding(&result->findings[i], file);
}

static void put_about(const struct result *result, FILE *file)
{
	fputs("<p class=\"about\">", file);
	if (result->clause_count)
		fputs("About", file);
	for (size_t i = 0; i < result->clause_count; i++) {
		fputc(' ', file);
		put_clause_link(file, result->clauses[i]);
	}
	html(file, "%stook %u ms</p>\n", result->clause_count ? "; " : "",
	     result->milliseconds);
	if (result->others != result->verdict) {
		fputs("<p>Not in every repetition: others were ", file);
		put_badge(file, result->others);
		fputs("</p>\n", file);
	}
}

static int put_again(const struct run *run, const struct result *result,
		     FILE *file)
{
	char *command = run_again(run, result);

	if (!command)
		return -ENOMEM;
	html(file,
	     "<h4>To run this test again</h4>\n"
	     "<pre class=\"command\">%s</pre>\n",
	     command);
	free(command);
	return 0;
}

static int put_unpassed_test(const struct run *run, const struct result *result,
			     FILE *file)
{
	int error;

	html(file, "<article class=\"%s\" id=\"test-%s\">\n<h3>",
	     verdict_key(result->verdict), result->name);
	put_badge(file, result->verdict);
	html(file,
	     " <span class=\"name\">%s</span></h3>\n<p class=\"title\">%s</p>\n",
	     result->name, result->title);
	put_about(result, file);
	put_findings(result, file);
	if (result->line_count)
		put_exchange(result, file);
	put_output(result, file);
	error = put_again(run, result, file);
	fputs("</article>\n", file);
	return error;
}

static int put_unpassed_tests(const struct run *run, FILE *file)
{
	int error = 0;

	fputs("<section id=\"tests\">\n<h2>Tests to look at</h2>\n", file);
	if (!count_unpassed(run))
		fputs("<p>None: every test that ran has passed.</p>\n", file);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		for (size_t j = 0; j < run->count; j++)
			if (is_unpassed(&run->results[j]) &&
			    run->results[j].verdict == worst_first[i])
				error |= put_unpassed_test(
					run, &run->results[j], file);
	fputs("</section>\n", file);
	return error;
}

/* ---- Clauses ---------------------------------------------------------------- */

static void put_group_row(const struct group *group,
			  const size_t counts[VERDICT_COUNT], FILE *file)
{
	html(file,
	     "<tr><th scope=\"row\"><a href=\"#group-%s\">%s</a> "
	     "<small>%s</small></th><td class=\"of\">",
	     group->name, group->name, group->who);
	put_bar(file, counts);
	fputs("</td>", file);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		html(file, "<td class=\"%s\">%zu</td>",
		     counts[worst_first[i]] ? verdict_key(worst_first[i]) :
					      "none",
		     counts[worst_first[i]]);
	fputs("</tr>\n", file);
}

static void put_groups(const struct run *run, FILE *file)
{
	struct group group = { 0 };
	size_t counts[VERDICT_COUNT];

	fputs("<div class=\"scroll\"><table class=\"groups\">\n"
	      "<thead><tr><th scope=\"col\">Clauses that bind</th><th></th>",
	      file);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		html(file, "<th scope=\"col\">%s</th>",
		     worst_first[i] == VERDICT_SKIP ?
			     "not tested" :
			     verdict_name(worst_first[i]));
	fputs("</tr></thead>\n<tbody>\n", file);
	while (group_next(&group)) {
		group_count(run, &group, counts);
		put_group_row(&group, counts, file);
	}
	fputs("</tbody></table></div>\n", file);
}

/* Tests about a clause: those that did not pass, or the others. */
static size_t put_links(const struct run *run, enum clause clause,
			bool unpassed, FILE *file)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++) {
		const struct result *result = &run->results[i];

		if (!result_concerns(result, clause) ||
		    is_unpassed(result) != unpassed)
			continue;
		count++;
		if (file) {
			fputc(' ', file);
			put_test_link(file, result);
		}
	}
	return count;
}

static void put_clause_tests(const struct run *run, enum clause clause,
			     FILE *file)
{
	size_t count = put_links(run, clause, false, NULL);

	fputs("<p class=\"tests\">", file);
	if (put_links(run, clause, true, file) + count == 0)
		fputs("no test", file);
	if (count <= TESTS_SHOWN) {
		put_links(run, clause, false, file);
		fputs("</p>", file);
		return;
	}
	html(file,
	     "</p><details class=\"tests\"><summary>%zu tests that passed or "
	     "did not run</summary>",
	     count);
	put_links(run, clause, false, file);
	fputs("</details>", file);
}

static void put_clause(const struct run *run, enum clause clause, FILE *file)
{
	enum verdict verdict = run_clause_verdict(run, clause);

	html(file, "<tr class=\"%s\" id=\"%s\"><th scope=\"row\">%s<br>",
	     verdict_key(verdict), clause_id(clause), clause_id(clause));
	if (verdict == VERDICT_SKIP)
		fputs("<span class=\"badge skip\">not tested</span>", file);
	else
		put_badge(file, verdict);
	html(file, "</th><td><p>%s</p>", clause_text(clause));
	put_clause_tests(run, clause, file);
	fputs("</td></tr>\n", file);
}

static void put_group(const struct run *run, const struct group *group,
		      FILE *file)
{
	html(file,
	     "<h3 id=\"group-%s\">%s <small>what binds %s</small></h3>\n"
	     "<table class=\"clauses\">\n",
	     group->name, group->name, group->who);
	for (size_t i = 0; i < group->count; i++)
		put_clause(run, group->first + i, file);
	fputs("</table>\n", file);
}

static void put_clauses(const struct run *run, FILE *file)
{
	struct group group = { 0 };

	fputs("<section id=\"clauses\">\n<h2>Clause by clause</h2>\n"
	      "<p>The specification is a list of clauses that an "
	      "implementation must obey, or should. These are all of them, "
	      "with the tests that are about each.</p>\n",
	      file);
	while (group_next(&group))
		put_group(run, &group, file);
	fputs("</section>\n", file);
}

/* ---- Tests that were skipped, or have passed -------------------------------- */

static void put_skipped_so(const struct run *run, const char *reason,
			   FILE *file)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += result_is_skipped_so(&run->results[i], reason);
	html(file,
	     "<h3>%s <small>%zu test%s</small></h3>\n<ul class=\"tests\">\n",
	     is_said(reason) ? reason : "No reason given", count,
	     plural(count));
	for (size_t i = 0; i < run->count; i++) {
		const struct result *result = &run->results[i];

		if (result_is_skipped_so(result, reason))
			html(file,
			     "<li id=\"test-%s\"><span class=\"name\">%s</span> "
			     "%s</li>\n",
			     result->name, result->name, result->title);
	}
	fputs("</ul>\n", file);
}

static void put_skipped(const struct run *run, size_t count, FILE *file)
{
	if (!count)
		return;
	fputs("<section id=\"skipped\">\n<h2>Tests that did not run</h2>\n",
	      file);
	for (size_t i = 0; i < run->count; i++)
		if (run_is_first_skipped_so(run, i))
			put_skipped_so(run, run->results[i].reason, file);
	fputs("</section>\n", file);
}

/* Of a test that passed, more would only make the page heavy. */
static void put_beginning(const struct result *result, FILE *file)
{
	size_t shown = result->line_count;

	if (!shown)
		return;
	if (shown > LINES_PASSED)
		shown = LINES_PASSED;
	put_lines(result, (struct window){ 0, shown }, file);
	if (shown < result->line_count)
		fprintf(file, "<p>%zu more lines are in the JSON report.</p>\n",
			result->line_count - shown);
}

static void put_passed_test(const struct result *result, FILE *file)
{
	html(file,
	     "<details class=\"test\" id=\"test-%s\"><summary>"
	     "<span class=\"name\">%s</span> %s</summary>\n",
	     result->name, result->name, result->title);
	put_about(result, file);
	put_beginning(result, file);
	put_output(result, file);
	fputs("</details>\n", file);
}

static void put_passed(const struct run *run, size_t count, FILE *file)
{
	if (!count)
		return;
	fputs("<section id=\"passed\">\n<h2>Tests that passed</h2>\n"
	      "<p>Each unfolds to what was said.</p>\n",
	      file);
	for (size_t i = 0; i < run->count; i++)
		if (run->results[i].verdict == VERDICT_PASS)
			put_passed_test(&run->results[i], file);
	fputs("</section>\n", file);
}

/* ---- The summary ------------------------------------------------------------ */

static void put_fact(FILE *file, const char *name, const char *value)
{
	html(file, "<div><dt>%s</dt><dd>%s</dd></div>\n", name, value);
}

static void put_facts(const struct run *run, FILE *file)
{
	char text[PART_SIZE];

	html(file,
	     "<dl class=\"facts\">\n<div class=\"wide\"><dt>Implementation under "
	     "test</dt><dd><code>%s</code></dd></div>\n",
	     run->iut);
	put_fact(file, "Role", role_name(run->role));
	put_fact(file, "Statement", run->statement ? run->statement : "none");
	put_fact(file, "Started", day_text(run, text));
	put_fact(file, "Took", duration_text(run->seconds, text));
	put_fact(file, "Seed", seed_text(run, text));
	snprintf(text, sizeof(text), "%u", run->repetitions);
	put_fact(file, "Runs of each test", text);
	put_fact(file, "Judgement",
		 run->strict ?
			 "strict: warnings, and tests that could not tell, "
			 "are failures" :
			 "warnings, and tests that could not tell, are no "
			 "failures");
	fputs("</dl>\n", file);
}

static void put_legend(FILE *file)
{
	static const char *const meanings[VERDICT_COUNT] = {
		[VERDICT_FAIL] = "breaks a clause that says MUST",
		[VERDICT_ERROR] =
			"the test could not be carried out; this says "
			"nothing of the implementation",
		[VERDICT_INCONCLUSIVE] = "what the test needs did not happen, "
					 "so it cannot tell",
		[VERDICT_WARN] = "does what a clause with SHOULD advises "
				 "against, or is doubtful",
		[VERDICT_PASS] = "does what the clauses ask for, as far as the "
				 "test can see",
		[VERDICT_SKIP] = "did not run, for the reason given",
	};

	fputs("<p>The suite was one end of the protocol, the implementation "
	      "under test the other. Each test made something happen, right "
	      "or wrong, and judged what the implementation did by the clauses "
	      "of the specification.</p>\n"
	      "<details class=\"legend\"><summary>What the verdicts mean"
	      "</summary>\n<dl>\n",
	      file);
	for (size_t i = 0; i < VERDICT_COUNT; i++) {
		fputs("<div><dt>", file);
		put_badge(file, worst_first[i]);
		html(file, "</dt><dd>%s</dd></div>\n",
		     meanings[worst_first[i]]);
	}
	fputs("</dl></details>\n", file);
}

static void put_counts(const size_t counts[VERDICT_COUNT], FILE *file)
{
	fputs("<ul class=\"counts\">\n", file);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		if (counts[worst_first[i]])
			html(file, "<li class=\"%s\"><b>%zu</b> %s</li>\n",
			     verdict_key(worst_first[i]),
			     counts[worst_first[i]],
			     verdict_name(worst_first[i]));
	fputs("</ul>\n", file);
}

static void put_attention(const struct run *run, FILE *file)
{
	if (!count_unpassed(run))
		return;
	fputs("<h2>What needs attention</h2>\n<ul class=\"attention\">\n",
	      file);
	for (size_t i = 0; i < VERDICT_COUNT; i++)
		for (size_t j = 0; j < run->count; j++) {
			const struct result *result = &run->results[j];

			if (!is_unpassed(result) ||
			    result->verdict != worst_first[i])
				continue;
			fputs("<li>", file);
			put_badge(file, result->verdict);
			fputs("<span>", file);
			put_test_link(file, result);
			html(file, " %s</span></li>\n", result->title);
		}
	fputs("</ul>\n", file);
}

/* Red, green, or grey where nothing was shown. */
static const char *run_key(const struct run *run,
			   const size_t counts[VERDICT_COUNT])
{
	if (!run_passed(run))
		return verdict_key(VERDICT_FAIL);
	return verdict_key(counts[VERDICT_PASS] + counts[VERDICT_WARN] ?
				   VERDICT_PASS :
				   VERDICT_SKIP);
}

static void put_summary(const struct run *run, const char *sentence,
			const size_t counts[VERDICT_COUNT], FILE *file)
{
	html(file,
	     "<section id=\"summary\">\n<p class=\"sentence %s\">%s</p>\n",
	     run_key(run, counts), sentence);
	put_bar(file, counts);
	put_counts(counts, file);
	put_facts(run, file);
	put_legend(file);
	put_attention(run, file);
	fputs("<h2>Clauses at a glance</h2>\n", file);
	put_groups(run, file);
	fputs("</section>\n", file);
}

/* ---- The page --------------------------------------------------------------- */

static void put_head(const struct run *run, const char *sentence, FILE *file)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" "
	      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" "
	      "content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n",
	      file);
	html(file, "<title>%s</title>\n", sentence);
	fputs("<style>\n", file);
	fputs(report_style, file);
	fputs("</style>\n</head>\n<body>\n", file);
	html(file,
	     "<header><p>hdmabuf-conformance %s</p>\n"
	     "<h1>Conformance of a %s</h1></header>\n",
	     run->version, role_name(run->role));
}

static void put_navigation(const struct run *run,
			   const size_t counts[VERDICT_COUNT], FILE *file)
{
	fputs("<nav><a href=\"#summary\">Summary</a> "
	      "<a href=\"#clauses\">Clauses</a> ",
	      file);
	html(file, "<a href=\"#tests\">To look at <b>%zu</b></a> ",
	     count_unpassed(run));
	if (counts[VERDICT_SKIP])
		html(file, "<a href=\"#skipped\">Did not run <b>%zu</b></a> ",
		     counts[VERDICT_SKIP]);
	if (counts[VERDICT_PASS])
		html(file, "<a href=\"#passed\">Passed <b>%zu</b></a>",
		     counts[VERDICT_PASS]);
	fputs("</nav>\n<main>\n", file);
}

int report_html(const struct run *run, FILE *file)
{
	char *sentence = run_sentence(run);
	size_t counts[VERDICT_COUNT];
	int error;

	if (!sentence)
		return -ENOMEM;
	run_count(run, counts);
	put_head(run, sentence, file);
	put_navigation(run, counts, file);
	put_summary(run, sentence, counts, file);
	put_clauses(run, file);
	error = put_unpassed_tests(run, file);
	put_skipped(run, counts[VERDICT_SKIP], file);
	put_passed(run, counts[VERDICT_PASS], file);
	fputs("</main>\n</body>\n</html>\n", file);
	free(sentence);
	return error ? -ENOMEM : 0;
}
