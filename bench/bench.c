/* SPDX-License-Identifier: MIT */
/* bench.c - measures a group of things; bench/run makes a table of what it says */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/groups.h"

#define EXIT_USAGE 64

struct group {
	const char *name;
	void (*run)(const struct plan *plan);
	const char *what;
};

static const struct group groups[] = {
	{ "rings", run_rings, "messages there and back, polled and notified" },
	{ "frames", run_frames,
	  "frames of three sizes, moved and handed over" },
	{ "directories", run_directories, "directories, built and read" },
	{ "share", run_share, "the first time a buffer is shared" },
	{ "sessions", run_sessions, "hand-offs and timelines of the library" },
	{ "growth", run_growth, "more buffers in a session, and larger ones" },
	{ "many", run_many, "a backend with more and more sessions" },
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

struct options {
	struct plan plan;
	const struct group *group;
};

static const struct argp_option argp_options[] = {
	{ "rounds", 'r', "N", 0, "Run each burst so often (150)", 0 },
	{ "quick", 'q', NULL, 0, "Leave out what takes long", 0 },
	{ 0 },
};

static const struct group *find(const char *name)
{
	size_t i;

	for (i = 0; i < GROUPS; i++)
		if (!strcmp(groups[i].name, name))
			return &groups[i];
	return NULL;
}

static unsigned int read_rounds(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long rounds = strtoul(text, &end, 10);

	if (*end || end == text || !rounds || rounds > 100000)
		argp_error(state, "--rounds=%s: give a number from 1 to 100000",
			   text);
	return (unsigned int)rounds;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'r':
		options->plan.rounds = read_rounds(argument, state);
		return 0;
	case 'q':
		options->plan.quick = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->group)
			argp_error(state, "give one group");
		options->group = find(argument);
		if (!options->group)
			argp_error(state, "%s is no group", argument);
		return 0;
	case ARGP_KEY_END:
		if (!options->group)
			argp_error(state, "give a group");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* The groups stand in the help. */
static char *filter_help(int key, const char *text, void *input)
{
	char *help = NULL;
	size_t size, i;
	FILE *file;

	(void)input;
	if (key != ARGP_KEY_HELP_PRE_DOC)
		return (char *)text;
	file = open_memstream(&help, &size);
	if (!file)
		return (char *)text;
	fputs("Measure a group, and write what was measured, a line each, to "
	      "standard output; bench/run makes a table of it. Groups:\n",
	      file);
	for (i = 0; i < GROUPS; i++)
		fprintf(file, "  %-12s %s\n", groups[i].name, groups[i].what);
	fclose(file);
	return help;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = parse,
		.args_doc = "GROUP",
		.doc = "\vExits 0; 64 for wrong usage; 70 if something could "
		       "not be measured that should be.",
		.help_filter = filter_help,
	};
	struct options options = { .plan.rounds = 150 };

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	options.group->run(&options.plan);
	return fflush(stdout) ? 70 : 0;
}
