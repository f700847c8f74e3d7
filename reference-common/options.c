/* SPDX-License-Identifier: MIT */

#include "reference-common/options.h"
#include "reference-common/parse.h"
#include "reference-common/progress.h"
#include "reference-common/sink.h"
#include "reference-common/sound.h"
#include "reference-common/source.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define SECOND 1000000000u

/* --platform is short for nothing; the others have a letter if it is usual. */
enum key {
	KEY_HELP = '?',
	KEY_VERBOSE = 'v',
	KEY_VERSION = 'V',
	KEY_PLATFORM = 0x100,
	KEY_PROTOCOL,
	KEY_CONTROL,
	KEY_RECORD,
	KEY_USER,
	KEY_RING_FORMAT,
	KEY_EXPORT_FROM,
	KEY_ONCE,
	KEY_VERIFY,
	KEY_JSON,
	KEY_SOURCE,
	KEY_FRAMES,
	KEY_BUFFERS,
	KEY_RATE,
	KEY_MEMORY,
	KEY_RIGHTS,
	KEY_DIRECTORY,
	KEY_SINK,
};

static const struct argp_option argp_options[] = {
	{ NULL, 0, NULL, 0, "Both ends:", 1 },
	{ "platform", KEY_PLATFORM, "ADDRESS", 0,
	  "Where to meet the other end; the default is in HDMABUF_ENDPOINT. "
	  "local:PATH is a unix socket that the backend makes; its permissions "
	  "(umask) say who may connect. On Xen, a frontend has xen:DEVICE, 0 "
	  "unless given; a backend has xen: for all devices, xen:DOMAIN for "
	  "those of a frontend's domain, or xen:DOMAIN/DEVICE: see "
	  "hdmabuf-xen",
	  0 },
	{ "protocol", KEY_PROTOCOL, "PROTOCOL", 0,
	  "What a backend speaks: hyper-dmabuf (the default), or, on Xen, displif or "
	  "sndif, as the display and sound drivers of guests do (Linux's "
	  "drm_xen_front and snd_xen_front; class vdispl or vsnd). Of displif, "
	  "options of the end that gets pictures apply, of sndif --sink and "
	  "--source only; see docs/displif.rst",
	  0 },
	{ "control", KEY_CONTROL, NULL, 0,
	  "Share no pictures, but do what is told on standard input and tell "
	  "what happens on standard output, for hdmabuf-conformance; see "
	  "docs/control.rst. Goes with --platform, --record, --user, "
	  "--ring-format and --verbose only",
	  0 },
	{ "record", KEY_RECORD, "FILE", 0,
	  "Keep what both ends say to each other in FILE, a trace that "
	  "Wireshark opens and hdmabuf-conformance --trace judges",
	  0 },
	{ "user", KEY_USER, "NAME", 0,
	  "When all is open, become this user; of root's capabilities only that "
	  "to pass permissions of files is kept otherwise. With local: only",
	  0 },
	{ "ring-format", KEY_RING_FORMAT, "N", 0,
	  "Know rings of format 0 or 1 only; by default both, and the highest "
	  "that the other end knows as well is taken. With none in common, a "
	  "frontend waits for another backend",
	  0 },
	{ "export-from", KEY_EXPORT_FROM, "END", 0,
	  "Which end shares pictures: frontend (the default) or backend; to be "
	  "given to both",
	  0 },
	{ "once", KEY_ONCE, NULL, 0,
	  "Exit when the first session is over, however it ends", 0 },
	{ "verify", KEY_VERIFY, NULL, 0,
	  "Compute the CRC-32 of the pixels of all frames", 0 },
	{ "json", KEY_JSON, NULL, 0,
	  "Print the summary as one JSON object, on standard output", 0 },
	{ "verbose", KEY_VERBOSE, NULL, 0,
	  "Tell of sessions, buffers and frames; twice: of every message", 0 },

	{ NULL, 0, NULL, 0, "The end that shares pictures:", 2 },
	{ "source", KEY_SOURCE, "SOURCE", 0,
	  SOURCE_SPECS "; the default is pattern. With --protocol sndif, what "
		       "guests record: " SOUND_SOURCE_SPECS
		       "; the default is tone",
	  0 },
	{ "frames", KEY_FRAMES, "N", 0,
	  "Share N frames, 0 for no end; by default 300 of a pattern, 1 of a "
	  "PNG, all of a Y4M",
	  0 },
	{ "buffers", KEY_BUFFERS, "N", 0,
	  "Let N buffers take turns, 1 to 32; the default is 3", 0 },
	{ "rate", KEY_RATE, "FPS", 0,
	  "Share FPS frames a second, as 25, 29.97 or 30000/1001; by default "
	  "as fast as the other end takes them",
	  0 },
	{ "memory", KEY_MEMORY, "PROVIDER", 0,
	  "Take memory from memfd, udmabuf, dma-heap[:NAME] or drm[:PATH]; by "
	  "default the platform chooses",
	  0 },
	{ "rights", KEY_RIGHTS, "RIGHTS", 0,
	  "What the other end may do with the memory: read-only (the default) "
	  "or read-write",
	  0 },
	{ "directory", KEY_DIRECTORY, "FORMAT", 0,
	  "How pages are listed: list, table or extents (the default); it is a "
	  "list if the other end knows nothing else",
	  0 },

	{ NULL, 0, NULL, 0, "The end that gets pictures:", 3 },
	{ "sink", KEY_SINK, "SINK", 0,
	  SINK_SPECS
	  "; the default is window if there is a display, else null. Of a "
	  "second stream, FILE.png becomes FILE-2.png. With --protocol sndif, "
	  "where what guests play goes: " SOUND_SINK_SPECS
	  "; the default is null",
	  0 },

	{ "help", KEY_HELP, NULL, 0, "Print this text", -1 },
	{ "version", KEY_VERSION, NULL, 0, "Print the version", -1 },
	{ 0 }
};

#define EXIT_STATUSES \
	"Exit status: 0 when all is done, also after SIGINT or SIGTERM; " \
	"64 wrong usage; 65 damaged or wrong input; 66 the input cannot be " \
	"opened; 69 something is not available: the platform, a display, what " \
	"the other end refuses; 73 the output cannot be created; 74 an error " \
	"in writing it; 75 the other end was lost, with --once."

#define ABOUT_LOSS \
	"Either end may be started first. When the other end dies, this one " \
	"waits for a new one and goes on: it hands off again what was not " \
	"finished with, then continues with the frame after it."

/* What parsing needs beside the options themselves. */
struct parsing {
	struct options *options;
	enum hdmabuf_role exporter;
	const char *of_exporter; /* the last option given that only it has */
	const char *of_importer;
	const char *of_pictures; /* the same, of those that both have */
	bool source_given;
	int status; /* to exit with, -1 to go on */
};

/* Like argp_error(), but on one line, and leaves exiting to main(). */
static error_t refuse(struct parsing *parsing, const char *option,
		      const char *argument, const char *why)
{
	fprintf(stderr, "%s: %s%s%s: %s\n", parsing->options->program, option,
		argument ? " " : "", argument ? argument : "", why);
	parsing->status = EX_USAGE;
	return EINVAL;
}

static error_t parse_number(struct parsing *parsing, const char *option,
			    const char *argument, uint32_t *number)
{
	const char *cursor = argument;

	if (!parse_u32(&cursor, number) || *cursor)
		return refuse(parsing, option, argument, "not a number");
	return 0;
}

/* 29.97 as 2997/100. */
static bool parse_fraction(const char *cursor, uint64_t *above, uint64_t *below)
{
	uint32_t whole, part;
	const char *digits;

	if (!parse_u32(&cursor, &whole))
		return false;
	*above = whole;
	*below = 1;
	if (*cursor == '/' || *cursor == '.') {
		bool decimal = *cursor++ == '.';

		digits = cursor;
		if (!parse_u32(&cursor, &part))
			return false;
		if (!decimal)
			*below = part;
		for (; decimal && digits < cursor; digits++)
			*below *= 10;
		if (decimal)
			*above = whole * *below + part;
	}
	return !*cursor;
}

static error_t parse_rate(struct parsing *parsing, const char *argument)
{
	uint64_t above, below, period;

	if (strlen(argument) > 21 ||
	    !parse_fraction(argument, &above, &below) || !above || !below)
		return refuse(parsing, "--rate", argument,
			      "must be like 25, 29.97 or 30000/1001");
	period = (uint64_t)((double)SECOND * (double)below / (double)above);
	if (!period || period > 3600ull * SECOND)
		return refuse(parsing, "--rate", argument,
			      "must be from one an hour to 1000000000");
	parsing->options->period = period;
	return 0;
}

/* Finds argument in a list of words that ends with NULL. */
static error_t parse_word(struct parsing *parsing, const char *option,
			  const char *argument, const char *const *words,
			  const char *why, unsigned int *number)
{
	for (unsigned int i = 0; words[i]; i++)
		if (!strcmp(words[i], argument)) {
			*number = i;
			return 0;
		}
	return refuse(parsing, option, argument, why);
}

static error_t parse_export_from(struct parsing *parsing, const char *argument)
{
	static const char *const ends[] = { "frontend", "backend", NULL };
	unsigned int end = HDMABUF_FRONTEND;
	error_t error = parse_word(parsing, "--export-from", argument, ends,
				   "must be frontend or backend", &end);

	parsing->exporter = (enum hdmabuf_role)end;
	return error;
}

static error_t parse_protocol(struct parsing *parsing, const char *argument)
{
	static const char *const protocols[] = { "hyper-dmabuf", "displif",
						 "sndif", NULL };
	unsigned int protocol = PROTOCOL_HYPER_DMABUF;
	error_t error = parse_word(parsing, "--protocol", argument, protocols,
				   "must be hyper-dmabuf, displif or sndif",
				   &protocol);

	parsing->options->protocol = (enum options_protocol)protocol;
	return error;
}

static error_t parse_ring_format(struct parsing *parsing, const char *argument)
{
	static const char *const formats[] = { "0", "1", NULL };
	unsigned int format = HDMABUF_RING_FORMAT_0;
	error_t error = parse_word(parsing, "--ring-format", argument, formats,
				   "must be 0 or 1", &format);

	parsing->options->ring_formats = 1u << format;
	return error;
}

static error_t parse_rights(struct parsing *parsing, const char *argument)
{
	static const char *const rights[] = { "read-only", "read-write", NULL };
	unsigned int right = 0;
	error_t error = parse_word(parsing, "--rights", argument, rights,
				   "must be read-only or read-write", &right);

	parsing->options->rights = right ? HDMABUF_RIGHTS_READ_WRITE :
					   HDMABUF_RIGHTS_READ_ONLY;
	return error;
}

static error_t parse_directory(struct parsing *parsing, const char *argument)
{
	static const char *const formats[] = { "list", "table", "extents",
					       NULL };

	return parse_word(parsing, "--directory", argument, formats,
			  "must be list, table or extents",
			  &parsing->options->directory);
}

static error_t parse_memory(struct parsing *parsing, const char *argument)
{
	static const char *const kinds[] = { "memfd", "udmabuf", "dma-heap",
					     "drm" };
	size_t length = strcspn(argument, ":");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i]) == length &&
		    !memcmp(kinds[i], argument, length)) {
			parsing->options->memory = argument;
			return 0;
		}
	return refuse(parsing, "--memory", argument,
		      "must be memfd, udmabuf, dma-heap[:NAME] or drm[:PATH]");
}

static error_t parse_buffers(struct parsing *parsing, const char *argument)
{
	uint32_t *buffers = &parsing->options->buffers;
	error_t error = parse_number(parsing, "--buffers", argument, buffers);

	if (error)
		return error;
	if (!*buffers || *buffers > OPTIONS_BUFFERS_MAX)
		return refuse(parsing, "--buffers", argument,
			      "must be from 1 to 32");
	return 0;
}

static error_t parse_source_option(struct parsing *parsing, int key,
				   char *argument)
{
	struct options *options = parsing->options;

	switch (key) {
	case KEY_SOURCE:
		parsing->source_given = true;
		options->source = argument;
		return 0;
	case KEY_FRAMES:
		parsing->of_exporter = "--frames";
		options->frames_given = true;
		return parse_number(parsing, "--frames", argument,
				    &options->frames);
	case KEY_BUFFERS:
		parsing->of_exporter = "--buffers";
		return parse_buffers(parsing, argument);
	case KEY_RATE:
		parsing->of_exporter = "--rate";
		return parse_rate(parsing, argument);
	case KEY_MEMORY:
		parsing->of_exporter = "--memory";
		return parse_memory(parsing, argument);
	case KEY_RIGHTS:
		parsing->of_exporter = "--rights";
		return parse_rights(parsing, argument);
	case KEY_DIRECTORY:
		parsing->of_exporter = "--directory";
		return parse_directory(parsing, argument);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* No pictures, no options of theirs. */
static error_t check_control(struct parsing *parsing)
{
	const char *option = parsing->of_pictures;

	if (parsing->of_exporter)
		option = parsing->of_exporter;
	if (parsing->of_importer)
		option = parsing->of_importer;
	if (!option)
		return 0;
	return refuse(parsing, option, NULL,
		      "does not go with --control, which shares no pictures");
}

/* Frontends of displif and sndif are drivers of guests. */
static error_t check_protocol(struct parsing *parsing)
{
	const struct options *options = parsing->options;
	const char *option = parsing->of_exporter;

	if (options->role != HDMABUF_BACKEND)
		return refuse(parsing, "--protocol", NULL,
			      "is for hdmabuf-backend");
	if (options->control)
		option = "--control";
	else if (options->record)
		option = "--record";
	else if (options->ring_formats)
		option = "--ring-format";
	else if (parsing->exporter == options->role)
		option = "--export-from backend";
	else if (options->protocol == PROTOCOL_DISPLIF && parsing->source_given)
		option = "--source";
	else if (options->protocol == PROTOCOL_SNDIF &&
		 (options->verify || options->json))
		option = options->verify ? "--verify" : "--json";
	if (!option)
		return 0;
	return refuse(parsing, option, NULL,
		      "does not go with this --protocol; see --help");
}

bool options_are_local(const struct options *options)
{
	return !strncmp(options->platform, "local:", strlen("local:"));
}

/* Options that belong to one end are of no use at the other. */
static error_t check(struct parsing *parsing)
{
	struct options *options = parsing->options;

	if (options->protocol != PROTOCOL_HYPER_DMABUF &&
	    check_protocol(parsing))
		return EINVAL;
	if (options->protocol != PROTOCOL_SNDIF && parsing->source_given)
		parsing->of_exporter = "--source";
	options->exports = parsing->exporter == options->role;
	if (!options->platform)
		return refuse(parsing, "--platform", NULL,
			      "is missing; give it as local:PATH or xen:, or "
			      "put that in HDMABUF_ENDPOINT");
	if (options->user && !options_are_local(options))
		return refuse(parsing, "--user", options->user,
			      "goes with --platform local:PATH only");
	if (options->control)
		return check_control(parsing);
	if (options->exports && parsing->of_importer)
		return refuse(parsing, parsing->of_importer, NULL,
			      "is for the other end: this one shares pictures; "
			      "see --export-from");
	if (!options->exports && parsing->of_exporter)
		return refuse(parsing, parsing->of_exporter, NULL,
			      "is for the other end: this one gets pictures; "
			      "see --export-from");
	if (options->json && options->sink && !strcmp(options->sink, "y4m:-"))
		return refuse(parsing, "--json", NULL,
			      "frames go to standard output already");
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
	case KEY_VERBOSE:
		options->verbose++;
		return 0;
	case KEY_PLATFORM:
		options->platform = argument;
		return 0;
	case KEY_PROTOCOL:
		return parse_protocol(parsing, argument);
	case KEY_CONTROL:
		options->control = true;
		return 0;
	case KEY_RECORD:
		options->record = argument;
		return 0;
	case KEY_USER:
		options->user = argument;
		return 0;
	case KEY_RING_FORMAT:
		return parse_ring_format(parsing, argument);
	case KEY_EXPORT_FROM:
		parsing->of_pictures = "--export-from";
		return parse_export_from(parsing, argument);
	case KEY_ONCE:
		parsing->of_pictures = "--once";
		options->once = true;
		return 0;
	case KEY_VERIFY:
		parsing->of_pictures = "--verify";
		options->verify = true;
		return 0;
	case KEY_JSON:
		parsing->of_pictures = "--json";
		options->json = true;
		return 0;
	case KEY_SINK:
		parsing->of_importer = "--sink";
		options->sink = argument;
		return 0;
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
		return parse_source_option(parsing, key, argument);
	}
}

/* Without a display of its own errors: ours are on one line. */
#define ARGP_FLAGS (ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT)

static void set_defaults(struct options *options, enum hdmabuf_role role)
{
	*options = (struct options){
		.role = role,
		.program = role == HDMABUF_FRONTEND ? "hdmabuf-frontend" :
						      "hdmabuf-backend",
		.platform = getenv("HDMABUF_ENDPOINT"),
		.source = "pattern",
		.buffers = 3,
		.rights = HDMABUF_RIGHTS_READ_ONLY,
		.directory = HDMABUF_DIRECTORY_EXTENTS,
	};
}

/* What the user asked for instead of work. */
static int inform(const struct argp *argp, const struct options *options,
		  int key)
{
	char name[32];

	snprintf(name, sizeof(name), "%s", options->program);
	if (key == KEY_HELP)
		argp_help(argp, stdout,
			  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG |
				  ARGP_HELP_DOC,
			  name);
	else
		printf("%s %s\n", name, HDMABUF_PACKAGE_VERSION);
	return ferror(stdout) || fflush(stdout) ? EX_IOERR : EX_OK;
}

bool options_parse(struct options *options, enum hdmabuf_role role, int argc,
		   char **argv, int *status)
{
	const struct argp argp = {
		.options = argp_options,
		.parser = parse_key,
		.doc = role == HDMABUF_FRONTEND ?
			       "Share pictures with a backend without copying "
			       "them.\v" ABOUT_LOSS "\n\n" EXIT_STATUSES :
			       "Show the pictures that frontends share, any "
			       "number of them at a time.\v" ABOUT_LOSS
			       "\n\n" EXIT_STATUSES,
	};
	struct parsing parsing = {
		.options = options,
		.exporter = HDMABUF_FRONTEND,
		.status = -1,
	};

	set_defaults(options, role);
	if (!argp_parse(&argp, argc, argv, ARGP_FLAGS, NULL, &parsing)) {
		if (!options->json || summary_has_json())
			return true;
		fprintf(stderr,
			"%s: --json: built without jansson; do without\n",
			options->program);
		*status = EX_UNAVAILABLE;
		return false;
	}
	*status = parsing.status;
	if (*status == KEY_HELP || *status == KEY_VERSION)
		*status = inform(&argp, options, *status);
	return false;
}
