/* SPDX-License-Identifier: MIT */

#include "tools/xen_tool.h"
#include "reference-common/parse.h"
#include "tools/devices.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PROGRAM "hdmabuf-xen"

enum key {
	KEY_DEVICE = 'd',
	KEY_GONE = 'g',
	KEY_HELP = '?',
	KEY_VERSION = 'V',
};

static const struct argp_option argp_options[] = {
	{ "device", KEY_DEVICE, "N", 0,
	  "The number of the device, among those of the frontend's domain; the "
	  "default is 0",
	  0 },
	{ "gone", KEY_GONE, NULL, 0,
	  "With detach: instead of FRONTEND, all devices of which an end is "
	  "gone, as after 'xl destroy'",
	  0 },
	{ "help", KEY_HELP, NULL, 0, "Print this text", -1 },
	{ "version", KEY_VERSION, NULL, 0, "Print the version", -1 },
	{ 0 }
};

static const char usage[] = "attach FRONTEND BACKEND\n"
			    "detach FRONTEND\n"
			    "detach --gone\n"
			    "list";

static const char about[] =
	"Make and remove the devices over which a frontend and a backend in two "
	"domains of Xen find each other.\v"
	"FRONTEND and BACKEND are domains, by number or name. 'attach' makes "
	"the directories of a device in XenStore, for a frontend in the one "
	"domain and a backend in the other; 'detach' removes them, and both "
	"ends notice. 'list' shows all devices with the states of their ends: "
	"initialising (nobody is there), offers, answers, connected, closing, "
	"closed, or gone (with its directory).\n\n"
	"It is run in domain 0, or in another that may write everywhere in "
	"XenStore. Then run 'hdmabuf-backend --platform xen:' in the backend's "
	"domain and 'hdmabuf-frontend --platform xen:N' in the frontend's.\n\n"
	"Exit status: 0 when it is done; 64 wrong usage; 68 there is no such "
	"domain or device; 69 XenStore is not available; 73 the device is there "
	"already; 74 an error in writing the output; 77 this domain may not do "
	"that.";

struct command {
	const char *words[3];
	unsigned int count;
	uint32_t number;
	bool gone;
	int status; /* to exit with, -1 to go on, or a key */
	struct failure failure;
};

static error_t refuse(struct command *command, const char *what,
		      const char *why)
{
	fail_with(&command->failure, "%s: %s", what, why);
	command->status = EX_USAGE;
	return EINVAL;
}

static error_t parse_key(int key, char *argument, struct argp_state *state)
{
	struct command *command = state->input;
	const char *cursor = argument;

	switch (key) {
	case KEY_HELP:
	case KEY_VERSION:
		command->status = key;
		return ECANCELED;
	case KEY_DEVICE:
		if (!parse_u32(&cursor, &command->number) || *cursor ||
		    command->number == UINT32_MAX)
			return refuse(command, argument,
				      "is no number of a device");
		return 0;
	case KEY_GONE:
		command->gone = true;
		return 0;
	case ARGP_KEY_ARG:
		if (command->count == 3)
			return refuse(command, argument,
				      "unexpected argument; see --help");
		command->words[command->count++] = argument;
		return 0;
	case ARGP_KEY_ERROR:
		if (command->status < 0)
			refuse(command, state->argv[state->next - 1],
			       "unknown option, or no argument; see --help");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- What it does ------------------------------------------------------- */

static void tell_paths(FILE *out, const char *verb, const struct device *device)
{
	char path[DEVICE_PATH_SIZE];

	device_front_path(device, path);
	if (device->has_front)
		fprintf(out, "%s %s\n", verb, path);
	device_back_path(device, path);
	if (device->has_back)
		fprintf(out, "%s %s\n", verb, path);
}

static int attach(struct command *command, struct xs_handle *store, FILE *out)
{
	struct device device = { .number = command->number,
				 .has_front = true,
				 .has_back = true };
	int status = device_find_domain(store, command->words[1], true,
					&device.frontend, &command->failure);

	if (!status)
		status = device_find_domain(store, command->words[2], true,
					    &device.backend, &command->failure);
	if (!status)
		status = device_attach(store, &device, &command->failure);
	if (status)
		return status;
	tell_paths(out, "made", &device);
	fprintf(out, "domain %u: hdmabuf-backend --platform xen:\n",
		device.backend);
	fprintf(out, "domain %u: hdmabuf-frontend --platform xen:%u\n",
		device.frontend, device.number);
	return EX_OK;
}

static bool is_meant(const struct command *command, const struct device *device,
		     uint32_t frontend)
{
	if (command->gone)
		return !device->has_front || !device->has_back;
	return device->frontend == frontend &&
	       device->number == command->number;
}

static int detach_those(struct command *command, struct xs_handle *store,
			const struct device_list *list, uint32_t frontend,
			FILE *out)
{
	bool any = false;
	int status;
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct device *device = &list->devices[i];

		if (!is_meant(command, device, frontend))
			continue;
		status = device_detach(store, device, &command->failure);
		if (status)
			return status;
		tell_paths(out, "removed", device);
		any = true;
	}
	if (any || command->gone)
		return EX_OK;
	fail_with(&command->failure,
		  "domain %u has no device %u; see '" PROGRAM " list'",
		  frontend, command->number);
	return EX_NOHOST;
}

static int detach(struct command *command, struct xs_handle *store, FILE *out)
{
	struct device_list list = { 0 };
	uint32_t frontend = 0;
	int status = EX_OK;

	if (!command->gone)
		status = device_find_domain(store, command->words[1], false,
					    &frontend, &command->failure);
	if (!status)
		status = device_list_read(store, &list, &command->failure);
	if (!status)
		status = detach_those(command, store, &list, frontend, out);
	device_list_free(&list);
	return status;
}

static int list(struct command *command, struct xs_handle *store, FILE *out)
{
	struct device_list list;
	int status = device_list_read(store, &list, &command->failure);
	size_t i;

	if (!status)
		fprintf(out, "%8s %6s %7s  %-12s  %s\n", "frontend", "device",
			"backend", "frontend is", "backend is");
	for (i = 0; i < list.count && !status; i++) {
		const struct device *device = &list.devices[i];

		fprintf(out, "%8u %6u %7u  %-12s  %s\n", device->frontend,
			device->number, device->backend,
			device_front_state(store, device),
			device_back_state(store, device));
	}
	device_list_free(&list);
	return status;
}

/* ---- What it is asked to do --------------------------------------------- */

static const struct action {
	const char *name;
	unsigned int words;
	int (*run)(struct command *command, struct xs_handle *store, FILE *out);
} actions[] = {
	{ "attach", 3, attach },
	{ "detach", 2, detach },
	{ "list", 1, list },
};

static const struct action *find_action(struct command *command)
{
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const struct action *action = &actions[i];
		bool gone = command->gone && action->run == detach;

		if (!command->count || strcmp(action->name, command->words[0]))
			continue;
		if (command->count == action->words - gone &&
		    gone == command->gone)
			return action;
		refuse(command, action->name,
		       "takes other arguments; see --help");
		return NULL;
	}
	refuse(command, command->count ? command->words[0] : PROGRAM,
	       "say attach, detach or list; see --help");
	return NULL;
}

static int act(struct command *command, FILE *out)
{
	const struct action *action = find_action(command);
	struct xs_handle *store;
	int status;

	if (!action)
		return command->status;
	store = xs_open(0);
	if (!store) {
		fail_errno(
			&command->failure,
			"cannot reach XenStore; run this in a domain of Xen, "
			"as root");
		return EX_UNAVAILABLE;
	}
	status = action->run(command, store, out);
	xs_close(store);
	return status;
}

static int inform(const struct argp *argp, int key, FILE *out)
{
	char name[] = PROGRAM;

	if (key == KEY_HELP)
		argp_help(argp, out,
			  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG |
				  ARGP_HELP_DOC,
			  name);
	else
		fprintf(out, "%s %s\n", PROGRAM, HDMABUF_PACKAGE_VERSION);
	return EX_OK;
}

int xen_tool_run(int argc, char **argv, FILE *out, FILE *errors)
{
	const struct argp argp = { .options = argp_options,
				   .parser = parse_key,
				   .args_doc = usage,
				   .doc = about };
	struct command command = { .status = -1 };
	int status;

	if (!argp_parse(&argp, argc, argv,
			ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT, NULL,
			&command))
		status = act(&command, out);
	else if (command.status == KEY_HELP || command.status == KEY_VERSION)
		status = inform(&argp, command.status, out);
	else
		status = command.status;
	if (status)
		fprintf(errors, "%s: %s\n", PROGRAM, command.failure.text);
	else if (ferror(out) || fflush(out))
		status = EX_IOERR;
	return status;
}
