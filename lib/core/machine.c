/* SPDX-License-Identifier: MIT */
/* The state machines, expanded from the tables of the protocol. */
#include <hdmabuf/machine.h>

/* A state that has no name here does not compile, whatever the warnings are. */
#pragma GCC diagnostic error "-Wswitch"

/*
 * A table has one cell for each role, state and event. It holds the next state
 * plus one, so that what the protocol does not list is 0. A row of BOTH fills two
 * cells.
 */
#define CELL(machine, role, state, event, next) \
	[HDMABUF_##role][HDMABUF_##machine##_##state] \
			[HDMABUF_##machine##_##event] = \
				HDMABUF_##machine##_##next + 1,

#define SESSION_ROW(role, state, event, next) SESSION_##role(state, event, next)
#define SESSION_FRONTEND(state, event, next) \
	CELL(SESSION, FRONTEND, state, event, next)
#define SESSION_BACKEND(state, event, next) \
	CELL(SESSION, BACKEND, state, event, next)
#define SESSION_BOTH(state, event, next) \
	SESSION_FRONTEND(state, event, next) \
	SESSION_BACKEND(state, event, next)

#define BUFFER_ROW(role, state, event, next) \
	CELL(BUFFER, role, state, event, next)

#define TIMELINE_ROW(role, state, event, next) \
	TIMELINE_##role(state, event, next)
#define TIMELINE_CREATOR(state, event, next) \
	CELL(TIMELINE, TIMELINE_CREATOR, state, event, next)
#define TIMELINE_PEER(state, event, next) \
	CELL(TIMELINE, TIMELINE_PEER, state, event, next)
#define TIMELINE_BOTH(state, event, next) \
	TIMELINE_CREATOR(state, event, next) \
	TIMELINE_PEER(state, event, next)

#define ROLES 2

static const uint8_t session_table[ROLES][HDMABUF_SESSION_STATES]
				  [HDMABUF_SESSION_EVENTS] = {
					  HDMABUF_SESSION_TABLE(SESSION_ROW)
				  };

static const uint8_t buffer_table[ROLES][HDMABUF_BUFFER_STATES]
				 [HDMABUF_BUFFER_EVENTS] = {
					 HDMABUF_BUFFER_TABLE(BUFFER_ROW)
				 };

static const uint8_t timeline_table[ROLES][HDMABUF_TIMELINE_STATES]
				   [HDMABUF_TIMELINE_EVENTS] = {
					   HDMABUF_TIMELINE_TABLE(TIMELINE_ROW)
				   };

static bool within(int number, int count)
{
	return number >= 0 && number < count;
}

static int next_state(uint8_t cell)
{
	return cell ? cell - 1 : HDMABUF_NO_STATE;
}

int hdmabuf_session_next(int role, int state, int event)
{
	if (!within(role, ROLES) || !within(state, HDMABUF_SESSION_STATES) ||
	    !within(event, HDMABUF_SESSION_EVENTS))
		return HDMABUF_NO_STATE;
	return next_state(session_table[role][state][event]);
}

int hdmabuf_buffer_next(int role, int state, int event)
{
	if (!within(role, ROLES) || !within(state, HDMABUF_BUFFER_STATES) ||
	    !within(event, HDMABUF_BUFFER_EVENTS))
		return HDMABUF_NO_STATE;
	return next_state(buffer_table[role][state][event]);
}

int hdmabuf_timeline_next(int role, int state, int event)
{
	if (!within(role, ROLES) || !within(state, HDMABUF_TIMELINE_STATES) ||
	    !within(event, HDMABUF_TIMELINE_EVENTS))
		return HDMABUF_NO_STATE;
	return next_state(timeline_table[role][state][event]);
}

#define NAME(machine, state) \
	case HDMABUF_##machine##_##state: \
		return #state

const char *hdmabuf_session_state_text(int state)
{
	switch ((enum hdmabuf_session_state)state) {
		NAME(SESSION, DOWN);
		NAME(SESSION, READY);
		NAME(SESSION, GREETING);
		NAME(SESSION, CONNECTED);
		NAME(SESSION, CLOSING);
	case HDMABUF_SESSION_STATES:
		break;
	}
	return "?";
}

const char *hdmabuf_buffer_state_text(int state)
{
	switch ((enum hdmabuf_buffer_state)state) {
		NAME(BUFFER, NONE);
		NAME(BUFFER, EXPORTING);
		NAME(BUFFER, LIVE);
		NAME(BUFFER, LENT);
		NAME(BUFFER, RETIRING);
		NAME(BUFFER, QUARANTINED);
		NAME(BUFFER, IMPORTED);
		NAME(BUFFER, MAPPED);
		NAME(BUFFER, ORPHANED);
	case HDMABUF_BUFFER_STATES:
		break;
	}
	return "?";
}
