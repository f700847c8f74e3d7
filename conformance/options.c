/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "conformance/options.h"
#include "conformance/model/option.h"
#include "conformance/report/report.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>

#define PROGRAM "hdmabuf-conformance"

enum key {
	KEY_HELP = '?',
	KEY_VERBOSE = 'v',
	KEY_VERSION = 'V',
	KEY_ROLE = 0x100,
	KEY_IUT,
	KEY_ATTACH,
	KEY_STATEMENT,
	KEY_TRACE,
	KEY_CLAUSE,
	KEY_TEST,
	KEY_REPORT,
	KEY_LIST,
	KEY_STRICT,
	KEY_KEEP,
	KEY_RING_FORMAT,
	KEY_REPEAT,
	KEY_JOBS,
	KEY_PATIENCE,
	KEY_SEED,
};

static const struct argp_option argp_options[] = {
	{ NULL, 0, NULL, 0, "What is tested:", 1 },
	{ "role", KEY_ROLE, "ROLE", 0,
	  "The role of the implementation under test: frontend or backend", 0 },
	{ "iut", KEY_IUT, "COMMAND", 0,
	  "Start it with COMMAND, for each test anew; it finds its endpoint in "
	  "HDMABUF_ENDPOINT, its role in HDMABUF_ROLE, and commands on standard "
	  "input",
	  0 },
	{ "attach", KEY_ATTACH, "ENDPOINT", 0,
	  "It is at ENDPOINT, as local:PATH or xen:DEVICE: already, or once --iut "
	  "has started it; may be repeated, for tests that face it with several "
	  "ends",
	  0 },
	{ "statement", KEY_STATEMENT, "FILE", 0,
	  "What it claims to do; what it does not claim is skipped", 0 },
	{ "keep", KEY_KEEP, NULL, 0, "Start it once, not for each test", 0 },
	{ "trace", KEY_TRACE, "FILE", 0,
	  "Judge a recorded session instead of running tests", 0 },

	{ NULL, 0, NULL, 0, "Which tests:", 2 },
	{ "clause", KEY_CLAUSE, "ID", 0,
	  "Those that are about a clause, as HDB-BOTH-019; may be repeated",
	  0 },
	{ "test", KEY_TEST, "GLOB", 0,
	  "Those whose names match, as 'rings.*'; may be repeated", 0 },
	{ "list", KEY_LIST, NULL, 0,
	  "List them, with roles, options needed and clauses, and run none",
	  0 },

	{ NULL, 0, NULL, 0, "How:", 3 },
	{ "report", KEY_REPORT, "FORMAT:FILE", 0,
	  "Write a report: text, tap, junit, json or html; FILE may be -; may be "
	  "repeated",
	  0 },
	{ "strict", KEY_STRICT, NULL, 0,
	  "Warnings and inconclusive tests are failures", 0 },
	{ "ring-format", KEY_RING_FORMAT, "N", 0,
	  "Speak over rings of format N, 0 or 1; the default is 0. Format 1 must "
	  "be claimed, as ring-format-1; what is about the indices of format 0 is "
	  "skipped then",
	  0 },
	{ "repeat", KEY_REPEAT, "N", 0,
	  "Run each test N times; it fails if its verdicts differ", 0 },
	{ "seed", KEY_SEED, "N", 0,
	  "The order and what is random follow from N; by default it is new "
	  "each time, and in every report",
	  0 },
	{ "jobs", KEY_JOBS, "N", 0, "Run N tests at a time; the default is 4",
	  0 },
	{ "patience", KEY_PATIENCE, "MS", 0,
	  "Wait so long for what must come; the default is 2000", 0 },
	{ "verbose", KEY_VERBOSE, NULL, 0, "Tell of each test when it ends",
	  0 },

	{ "help", KEY_HELP, NULL, 0, "Print this text", -1 },
	{ "version", KEY_VERSION, NULL, 0, "Print the version", -1 },
	{ 0 }
};

#define ABOUT \
	"Find out whether an implementation of the hyper-dmabuf protocol does " \
	"what its clauses demand.\v"

#define STATEMENTS \
	"A statement is a file of lines: 'name WORDS', the implementation's " \
	"name, and 'claims OPTION...'; what follows # is a comment. The options " \
	"are:\n\n"

#define EXIT_STATUSES \
	"\nExit status: 0 if something passed and nothing failed, else 1; 64 for wrong " \
	"usage, 65 for a wrong statement or trace, 66 if a file cannot be read, " \
	"71 if the machine cannot do it, 73 or 74 if a report cannot be written."

struct parsing {
	struct options *options;
	int status; /* to exit with, -1 to go on */
};

static error_t refuse(struct parsing *parsing, const char *option,
		      const char *argument, const char *why)
{
	fprintf(stderr, PROGRAM ": %s%s%s: %s\n", option, argument ? " " : "",
		argument ? argument : "", why);
	parsing->status = EX_USAGE;
	return EINVAL;
}

/* An array that grows by one. */
static error_t grow(struct parsing *parsing, void *array, size_t *count,
		    size_t octets)
{
	void **place = array;
	char *grown = realloc(*place, (*count + 1) * octets);

	if (!grown)
		return refuse(parsing, "options", NULL, "no memory");
	*place = grown;
	(*count)++;
	return 0;
}

static error_t parse_u64(struct parsing *parsing, const char *option,
			 const char *argument, uint64_t least, uint64_t most,
			 uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(argument, &end, 10);
	if (errno || *end || end == argument || *argument == '-' ||
	    *number < least || *number > most)
		return refuse(parsing, option, argument,
			      "not a number, or out of range");
	return 0;
}

static error_t parse_u32(struct parsing *parsing, const char *option,
			 const char *argument, uint32_t least, uint32_t most,
			 uint32_t *number)
{
	uint64_t wide = 0;
	error_t code = parse_u64(parsing, option, argument, least, most, &wide);

	*number = (uint32_t)wide;
	return code;
}

static error_t parse_role(struct parsing *parsing, const char *argument)
{
	struct options *options = parsing->options;

	options->role_given = true;
	if (!strcmp(argument, "frontend"))
		options->role = HDMABUF_FRONTEND;
	else if (!strcmp(argument, "backend"))
		options->role = HDMABUF_BACKEND;
	else
		return refuse(parsing, "--role", argument,
			      "must be frontend or backend");
	return 0;
}

static error_t parse_clause(struct parsing *parsing, const char *argument)
{
	struct options *options = parsing->options;
	enum clause clause;
	error_t code;

	if (!clause_find(argument, &clause))
		return refuse(parsing, "--clause", argument,
			      "no clause has that id");
	code = grow(parsing, &options->clauses, &options->clause_count,
		    sizeof(*options->clauses));
	if (!code)
		options->clauses[options->clause_count - 1] = clause;
	return code;
}

static error_t parse_test(struct parsing *parsing, const char *argument)
{
	struct options *options = parsing->options;
	error_t code = grow(parsing, &options->tests, &options->test_count,
			    sizeof(*options->tests));

	if (!code)
		options->tests[options->test_count - 1] = argument;
	return code;
}

static error_t parse_attach(struct parsing *parsing, const char *argument)
{
	struct options *options = parsing->options;
	error_t code = grow(parsing, &options->attach, &options->attach_count,
			    sizeof(*options->attach));

	if (!code)
		options->attach[options->attach_count - 1] = argument;
	return code;
}

static error_t parse_report(struct parsing *parsing, const char *argument)
{
	struct options *options = parsing->options;
	const char *colon = strchr(argument, ':');
	const char *why = "there is no such format";
	struct report *report;

	if (!colon || !colon[1])
		return refuse(parsing, "--report", argument,
			      "must be FORMAT:FILE");
	if (grow(parsing, &options->reports, &options->report_count,
		 sizeof(*options->reports)))
		return EINVAL;
	report = &options->reports[options->report_count - 1];
	report->format = strndup(argument, (size_t)(colon - argument));
	report->file = colon + 1;
	if (!report->format || !report_has(report->format, &why))
		return refuse(parsing, "--report", argument, why);
	return 0;
}

static error_t check(struct parsing *parsing)
{
	const struct options *options = parsing->options;

	if (options->trace || options->list)
		return 0;
	if (!options->role_given)
		return refuse(parsing, "--role", NULL,
			      "is missing; give it as frontend or backend");
	if (!options->iut && !options->attach_count)
		return refuse(parsing, "--iut", NULL,
			      "give a command, or --attach ENDPOINT, or both");
	if (options->keep && !options->iut)
		return refuse(parsing, "--keep", NULL,
			      "is of use with --iut only");
	return 0;
}

static error_t parse_key(int key, char *argument, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	struct options *options = parsing->options;

	switch (key) {
	case KEY_HELP:
	case KEY_VERSION:
		parsing->status = key;
		return ECANCELED;
	case KEY_ROLE:
		return parse_role(parsing, argument);
	case KEY_IUT:
		options->iut = argument;
		return 0;
	case KEY_ATTACH:
		return parse_attach(parsing, argument);
	case KEY_STATEMENT:
		options->statement = argument;
		return 0;
	case KEY_TRACE:
		options->trace = argument;
		return 0;
	case KEY_CLAUSE:
		return parse_clause(parsing, argument);
	case KEY_TEST:
		return parse_test(parsing, argument);
	case KEY_REPORT:
		return parse_report(parsing, argument);
	case KEY_LIST:
		options->list = true;
		return 0;
	case KEY_STRICT:
		options->strict = true;
		return 0;
	case KEY_KEEP:
		options->keep = true;
		return 0;
	case KEY_VERBOSE:
		options->verbose = true;
		return 0;
	case KEY_RING_FORMAT:
		return parse_u32(parsing, "--ring-format", argument,
				 HDMABUF_RING_FORMAT_0, HDMABUF_RING_FORMAT_1,
				 &options->ring_format);
	case KEY_REPEAT:
		return parse_u32(parsing, "--repeat", argument, 1, 10000,
				 &options->repeat);
	case KEY_JOBS:
		return parse_u32(parsing, "--jobs", argument, 1, 64,
				 &options->jobs);
	case KEY_PATIENCE:
		return parse_u32(parsing, "--patience", argument, 10, 600000,
				 &options->patience_ms);
	case KEY_SEED:
		return parse_u64(parsing, "--seed", argument, 0, UINT64_MAX,
				 &options->seed);
	case ARGP_KEY_ARG:
		return refuse(parsing, argument, NULL,
			      "unexpected argument; see --help");
	case ARGP_KEY_END:
		return check(parsing);
	case ARGP_KEY_ERROR:
		if (parsing->status < 0)
			refuse(parsing, state->argv[state->next - 1], NULL,
			       "unknown option, or no argument; see --help");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The options of a statement come from their table. */
static char *help_text(void)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	fputs(ABOUT STATEMENTS, file);
	for (unsigned int i = 0; i < OPTION_COUNT; i++)
		fprintf(file, "  %-16s%s\n", option_word(i), option_text(i));
	fputs(EXIT_STATUSES, file);
	return fclose(file) ? NULL : text;
}

static int inform(const struct argp *argp, int key)
{
	char name[] = PROGRAM;

	if (key == KEY_HELP)
		argp_help(argp, stdout,
			  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG |
				  ARGP_HELP_DOC,
			  name);
	else
		puts(PROGRAM " " HDMABUF_PACKAGE_VERSION);
	return ferror(stdout) || fflush(stdout) ? EX_IOERR : EX_OK;
}

bool options_parse(struct options *options, int argc, char **argv, int *status)
{
	char *help = help_text();
	const struct argp argp = {
		.options = argp_options,
		.parser = parse_key,
		.doc = help,
	};
	struct parsing parsing = { .options = options, .status = -1 };
	bool go_on;

	*options = (struct options){
		.repeat = 1,
		.jobs = 4,
		.patience_ms = 2000,
	};
	/* In one go with a seed, a report names what can be typed again. */
	if (getrandom(&options->seed, 4, 0) != 4)
		options->seed = 1;
	go_on = !argp_parse(&argp, argc, argv,
			    ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT, NULL,
			    &parsing);
	*status = parsing.status;
	if (*status == KEY_HELP || *status == KEY_VERSION)
		*status = inform(&argp, *status);
	free(help);
	if (!go_on)
		options_free(options);
	return go_on;
}

void options_free(struct options *options)
{
	for (size_t i = 0; i < options->report_count; i++)
		free(options->reports[i].format);
	free(options->reports);
	free(options->attach);
	free(options->clauses);
	free(options->tests);
}
