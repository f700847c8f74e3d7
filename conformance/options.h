/* SPDX-License-Identifier: MIT */
/* options.h - the command line of hdmabuf-conformance, as it was given */
#ifndef CONFORMANCE_OPTIONS_H
#define CONFORMANCE_OPTIONS_H

#include "conformance/model/clause.h"

#include <hyper_dmabuf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report {
	char *format;
	const char *file;
};

/**
 * struct options - what the user asked for
 * @role: of the IUT
 * @role_given: it was; --list does without
 * @iut: command that starts it, or NULL
 * @attach: endpoints at which it is; if none, one is made up for each test
 * @attach_count: of @attach
 * @statement: file with what it claims, or NULL
 * @trace: file to judge instead of running tests, or NULL
 * @clauses: tests that are about these are wanted
 * @tests: tests whose names match these are wanted
 * @reports: to be written
 * @list: the tests are to be listed only
 * @strict: WARN and INCONCLUSIVE count as failures
 * @keep: the IUT is started once
 * @verbose: each test is told when it ends
 * @ring_format: of the rings of all tests that do not say another one
 * @repeat: so often
 * @jobs: so many at a time
 * @patience_ms: how long to wait for what must come
 * @seed: of everything random
 */
struct options {
	enum hdmabuf_role role;
	bool role_given;
	const char *iut;
	const char **attach;
	size_t attach_count;
	const char *statement;
	const char *trace;
	enum clause *clauses;
	size_t clause_count;
	const char **tests;
	size_t test_count;
	struct report *reports;
	size_t report_count;
	bool list;
	bool strict;
	bool keep;
	bool verbose;
	uint32_t ring_format;
	uint32_t repeat;
	uint32_t jobs;
	uint32_t patience_ms;
	uint64_t seed;
};

/*
 * Reads the command line. Returns whether to go on; if not, what there was to say
 * has been said, and @status is to exit with.
 */
bool options_parse(struct options *options, int argc, char **argv, int *status);
void options_free(struct options *options);

#endif
