/* SPDX-License-Identifier: MIT */
/* main.c - the command line of hdmabuf-conformance */
#define _GNU_SOURCE
#include "conformance/internal.h"
#include "conformance/options.h"
#include "conformance/report/report.h"
#include "conformance/runner.h"
#include "conformance/checker/judge_trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* How long a test may take, at least; or so many times the patience. */
#define LIMIT_MS	60000
#define LIMIT_PATIENCES 20

/**
 * struct campaign - a run of the suite from the command line
 * @options: what the user asked for
 * @statement: what the IUT claims
 * @chosen: tests that the user asked for and that suit the role
 * @count: of @chosen
 * @results: of those, in the same order
 * @folder: for sockets
 * @terminal: progress is shown
 */
struct campaign {
	const struct options *options;
	struct statement statement;
	struct selected *chosen;
	size_t count;
	struct result *results;
	char folder[64];
	bool terminal;
};

static int fail(int status, const char *what, const char *why)
{
	fprintf(stderr, "hdmabuf-conformance: %s: %s\n", what, why);
	return status;
}

/* ---- choosing tests ----------------------------------------------------- */

static bool is_named(const struct options *options, const char *name)
{
	if (!options->test_count)
		return true;
	for (size_t i = 0; i < options->test_count; i++)
		if (!fnmatch(options->tests[i], name, 0))
			return true;
	return false;
}

static bool is_about(const struct options *options,
		     const struct test_case *test_case)
{
	if (!options->clause_count)
		return true;
	for (size_t i = 0; i < options->clause_count; i++)
		for (size_t j = 0; j < test_case->clause_count; j++)
			if (options->clauses[i] == test_case->clauses[j])
				return true;
	return false;
}

/* With names and clauses, a test that suits either is meant. */
static bool is_wanted(const struct options *options, const char *name,
		      const struct test_case *test_case)
{
	if (options->test_count && options->clause_count)
		return is_named(options, name) || is_about(options, test_case);
	return is_named(options, name) && is_about(options, test_case);
}

static bool suits_role(const struct options *options,
		       const struct test_case *test_case)
{
	return !options->role_given || test_case->roles & 1u << options->role;
}

static bool choose(struct campaign *campaign)
{
	size_t all = 0;

	for (size_t i = 0; test_groups[i]; i++)
		all += test_groups[i]->count;
	campaign->chosen = calloc(all + 1, sizeof(*campaign->chosen));
	campaign->results = calloc(all + 1, sizeof(*campaign->results));
	if (!campaign->chosen || !campaign->results)
		return false;
	for (size_t i = 0; test_groups[i]; i++)
		for (size_t j = 0; j < test_groups[i]->count; j++) {
			struct selected *next =
				&campaign->chosen[campaign->count];

			next->test_case = &test_groups[i]->cases[j];
			snprintf(next->name, sizeof(next->name), "%s.%s",
				 test_groups[i]->name, next->test_case->name);
			if (suits_role(campaign->options, next->test_case) &&
			    is_wanted(campaign->options, next->name,
				      next->test_case))
				campaign->count++;
		}
	return true;
}

/* ---- --list ------------------------------------------------------------- */

static void print_roles(unsigned int roles)
{
	fputs(roles == OF_BOTH	   ? "both" :
	      roles == OF_FRONTEND ? "frontend" :
				     "backend",
	      stdout);
}

static void print_needs(uint32_t needs)
{
	bool any = false;

	for (unsigned int i = 0; i < OPTION_COUNT; i++)
		if (needs & 1u << i) {
			printf("%s%s", any ? "," : "", option_word(i));
			any = true;
		}
	if (!any)
		fputs("-", stdout);
}

/* NAME ROLES NEEDS CLAUSES TITLE, separated by tabs. */
static int list(const struct campaign *campaign)
{
	for (size_t i = 0; i < campaign->count; i++) {
		const struct test_case *test_case =
			campaign->chosen[i].test_case;

		printf("%s\t", campaign->chosen[i].name);
		print_roles(test_case->roles);
		fputs("\t", stdout);
		print_needs(test_case->needs);
		for (size_t j = 0; j < test_case->clause_count; j++)
			printf("%c%s", j ? ',' : '\t',
			       clause_id(test_case->clauses[j]));
		printf("\t%s\n", test_case->title);
	}
	return fflush(stdout) ? EX_IOERR : EX_OK;
}

/* ---- running ------------------------------------------------------------ */

/* Endpoints that are made up are local. */
static bool is_over(const struct options *options, const char *platform)
{
	const char *endpoint = options->attach_count ? options->attach[0] :
						       "local:";
	size_t length = strlen(platform);

	return !strncmp(endpoint, platform, length) && endpoint[length] == ':';
}

/* Why a test cannot be run with this IUT; false if it can. */
static bool why_not(const struct campaign *campaign,
		    const struct test_case *test_case, char *text, size_t size)
{
	const uint32_t by_control = OPTION_CONTROL | OPTION_EVENTS;
	uint32_t needs = test_case->needs |
			 (campaign->options->ring_format ? OPTION_MARKS : 0);
	uint32_t missing = needs & ~campaign->statement.options;
	size_t used;

	if (test_case->platform &&
	    !is_over(campaign->options, test_case->platform)) {
		snprintf(text, size, "is about the platform %s",
			 test_case->platform);
		return true;
	}
	if (!campaign->options->iut && test_case->needs & by_control) {
		snprintf(
			text, size,
			"needs the control protocol, and --attach was given without --iut");
		return true;
	}
	if (!missing)
		return false;
	used = (size_t)snprintf(text, size, "the statement does not claim");
	for (unsigned int i = 0; i < OPTION_COUNT; i++)
		if (missing & 1u << i && used < size)
			used += (size_t)snprintf(text + used, size - used,
						 " %s", option_word(i));
	return true;
}

static void progress(void *user, size_t done, size_t all,
		     const struct result *result)
{
	struct campaign *campaign = user;

	if (campaign->options->verbose)
		fprintf(stderr, "%s %s\n", verdict_name(result->verdict),
			result->name);
	else if (campaign->terminal)
		fprintf(stderr, "\r%zu of %zu tests%s", done, all,
			done == all ? "\n" : "");
}

static unsigned int limit_ms(const struct options *options)
{
	const unsigned int slow = LIMIT_PATIENCES * options->patience_ms;

	return slow > LIMIT_MS ? slow : LIMIT_MS;
}

static struct setup make_setup(const struct campaign *campaign)
{
	const struct options *options = campaign->options;

	return (struct setup){
		.role = options->role,
		.command = options->iut,
		.endpoints = options->attach,
		.endpoint_count = options->attach_count,
		.folder = campaign->folder,
		.statement = campaign->statement,
		.seed = options->seed,
		.patience_ms = options->patience_ms,
		.keep = options->keep,
		.ring_format = options->ring_format,
	};
}

/* Results of what cannot be run are there at once, the others after it. */
static int run_chosen(struct campaign *campaign)
{
	const struct options *options = campaign->options;
	struct selected *runnable =
		calloc(campaign->count + 1, sizeof(*runnable));
	struct result *results = calloc(campaign->count + 1, sizeof(*results));
	size_t *places = calloc(campaign->count + 1, sizeof(*places));
	struct plan_of_run plan = {
		.setup = make_setup(campaign),
		.tests = runnable,
		.jobs = options->attach_count || options->keep ? 1 :
								 options->jobs,
		.repeat = options->repeat,
		.limit_ms = limit_ms(options),
		.progress = progress,
		.user = campaign,
	};
	int code = -ENOMEM;

	for (size_t i = 0; runnable && results && places && i < campaign->count;
	     i++) {
		const struct selected *test = &campaign->chosen[i];
		char why[256];

		if (why_not(campaign, test->test_case, why, sizeof(why))) {
			campaign->results[i] = (struct result){
				.name = test->name,
				.title = test->test_case->title,
				.clauses = test->test_case->clauses,
				.clause_count = test->test_case->clause_count,
				.verdict = VERDICT_SKIP,
				.others = VERDICT_SKIP,
				.reason = strdup(why),
			};
			continue;
		}
		places[plan.count] = i;
		runnable[plan.count++] = *test;
	}
	if (runnable && results && places)
		code = runner_run(&plan, results);
	for (size_t i = 0; !code && i < plan.count; i++) {
		campaign->results[places[i]] = results[i];
		campaign->results[places[i]].name =
			campaign->chosen[places[i]].name;
	}
	free(runnable);
	free(results);
	free(places);
	return code;
}

/* ---- reports ------------------------------------------------------------ */

static int write_report(const struct run *run, const struct report *report)
{
	bool to_stdout = !strcmp(report->file, "-");
	FILE *file = to_stdout ? stdout : fopen(report->file, "we");
	int code;

	if (!file)
		return fail(EX_CANTCREAT, report->file, strerror(errno));
	code = report_write(report->format, run, file);
	if (!to_stdout && fclose(file) && !code)
		code = -errno;
	return code ? fail(EX_IOERR, report->file, strerror(-code)) : EX_OK;
}

static int write_reports(const struct campaign *campaign, const struct run *run)
{
	static const struct report text = { "text", "-" };
	const struct options *options = campaign->options;
	bool told = false;
	int status = EX_OK;

	for (size_t i = 0; !status && i < options->report_count; i++) {
		told |= !strcmp(options->reports[i].file, "-") ||
			!strcmp(options->reports[i].format, text.format);
		status = write_report(run, &options->reports[i]);
	}
	if (!status && !told)
		status = write_report(run, &text);
	return status;
}

static int run(struct campaign *campaign)
{
	const struct options *options = campaign->options;
	uint64_t begun = now_ms();
	struct run run = {
		.version = HDMABUF_PACKAGE_VERSION,
		.role = options->role,
		.iut = options->iut ? options->iut : options->attach[0],
		.command = options->iut,
		.endpoints = options->attach,
		.endpoint_count = options->attach_count,
		.statement = options->statement,
		.started = time(NULL),
		.seed = options->seed,
		.repetitions = options->repeat,
		.ring_format = options->ring_format,
		.strict = options->strict,
		.results = campaign->results,
		.count = campaign->count,
	};
	int code = run_chosen(campaign);
	int status;

	if (code)
		return fail(EX_OSERR, "cannot run the tests", strerror(-code));
	run.seconds = (double)(now_ms() - begun) / 1000;
	status = write_reports(campaign, &run);
	if (status)
		return status;
	return run_passed(&run) ? EX_OK : 1;
}

/* With the sockets of those who did not remove their own. */
static void remove_folder(const char *folder)
{
	DIR *list = opendir(folder);
	struct dirent *entry;

	while (list && (entry = readdir(list)))
		if (*entry->d_name != '.')
			unlinkat(dirfd(list), entry->d_name, 0);
	if (list)
		closedir(list);
	rmdir(folder);
}

static int run_in_folder(struct campaign *campaign)
{
	int status;

	strcpy(campaign->folder, "/tmp/hdmabuf-XXXXXX");
	if (!mkdtemp(campaign->folder))
		return fail(EX_CANTCREAT, campaign->folder, strerror(errno));
	campaign->terminal = isatty(STDERR_FILENO);
	status = run(campaign);
	remove_folder(campaign->folder);
	results_free(campaign->results, campaign->count);
	return status;
}

static int test(const struct options *options)
{
	struct campaign campaign = { .options = options };
	char why[512];
	int status;

	if (options->statement &&
	    !statement_read(options->statement, &campaign.statement, why,
			    sizeof(why)))
		return fail(EX_DATAERR, "--statement", why);
	if (!choose(&campaign))
		status = fail(EX_OSERR, "tests", "no memory");
	else if (!campaign.count)
		status = fail(EX_USAGE, "tests", "none is chosen; see --list");
	else
		status = options->list ? list(&campaign) :
					 run_in_folder(&campaign);
	free(campaign.chosen);
	free(campaign.results);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	if (!options_parse(&options, argc, argv, &status))
		return status;
	status = options.trace ? judge_trace(options.trace, stdout) :
				 test(&options);
	options_free(&options);
	return status;
}
