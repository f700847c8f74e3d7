/* SPDX-License-Identifier: MIT */
/*
 * machines.c - that the tables of the state machines are what they say
 *
 * Every name in them exists, a role, state and event have one next state, and
 * each state but the first can be entered.
 */
#include <hyper_dmabuf.h>

#include <stdio.h>

#include "check.h"

#define ROLES	 2
#define ANY_ROLE 2

struct row {
	int role, state, event, next;
};

enum session_role {
	SESSION_BOTH = ANY_ROLE
};
enum buffer_role {
	BUFFER_EXPORTER = HDMABUF_EXPORTER,
	BUFFER_IMPORTER = HDMABUF_IMPORTER
};
enum timeline_role {
	TIMELINE_CREATOR = HDMABUF_TIMELINE_CREATOR,
	TIMELINE_PEER = HDMABUF_TIMELINE_PEER,
	TIMELINE_BOTH = ANY_ROLE
};

#define SESSION(role, state, event, next) \
	{ SESSION_##role, HDMABUF_SESSION_##state, HDMABUF_SESSION_##event, \
	  HDMABUF_SESSION_##next },
#define BUFFER(role, state, event, next) \
	{ BUFFER_##role, HDMABUF_BUFFER_##state, HDMABUF_BUFFER_##event, \
	  HDMABUF_BUFFER_##next },
#define TIMELINE(role, state, event, next) \
	{ TIMELINE_##role, HDMABUF_TIMELINE_##state, HDMABUF_TIMELINE_##event, \
	  HDMABUF_TIMELINE_##next },

/* clang-format off */
static const struct row session[] = { HDMABUF_SESSION_TABLE(SESSION) };
static const struct row buffer[] = { HDMABUF_BUFFER_TABLE(BUFFER) };
static const struct row timeline[] = { HDMABUF_TIMELINE_TABLE(TIMELINE) };
/* clang-format on */

struct machine {
	const char *name;
	const struct row *rows;
	size_t count;
	int states, events;
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct machine machines[] = {
	{ "session", session, COUNT(session), HDMABUF_SESSION_STATES,
	  HDMABUF_SESSION_EVENTS },
	{ "buffer", buffer, COUNT(buffer), HDMABUF_BUFFER_STATES,
	  HDMABUF_BUFFER_EVENTS },
	{ "timeline", timeline, COUNT(timeline), HDMABUF_TIMELINE_STATES,
	  HDMABUF_TIMELINE_EVENTS },
};

static int has_role(const struct row *row, int role)
{
	return row->role == role || row->role == ANY_ROLE;
}

static int check_unique(const struct machine *machine, int role, int state,
			int event)
{
	size_t i;
	int found = 0;

	for (i = 0; i < machine->count; i++)
		found += has_role(&machine->rows[i], role) &&
			 machine->rows[i].state == state &&
			 machine->rows[i].event == event;
	if (found <= 1)
		return 0;
	printf("%s: %d rows for role %d, state %d, event %d\n", machine->name,
	       found, role, state, event);
	return 1;
}

static int check_entered(const struct machine *machine, int state)
{
	size_t i;

	for (i = 0; i < machine->count; i++) {
		if (machine->rows[i].next == state &&
		    machine->rows[i].state != state)
			return 0;
	}
	printf("%s: nothing leads to state %d\n", machine->name, state);
	return 1;
}

static int check_machine(const struct machine *machine)
{
	int role, state, event, wrong = 0;

	for (state = 0; state < machine->states; state++) {
		wrong += check_entered(machine, state);
		for (role = 0; role < ROLES; role++) {
			for (event = 0; event < machine->events; event++)
				wrong += check_unique(machine, role, state,
						      event);
		}
	}
	return wrong;
}

int check_machines(void)
{
	size_t i;
	int wrong = 0;

	for (i = 0; i < COUNT(machines); i++)
		wrong += check_machine(&machines[i]);
	return wrong;
}
