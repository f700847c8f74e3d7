/* SPDX-License-Identifier: MIT */
/*
 * checker_tables.c - the state tables of the header
 */
#include "conformance/checker/checker_state.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define EITHER (-1)

struct row {
	int role;
	int state;
	int event;
	int next;
};

/* The role BOTH of a table is that of either end. */
#define HDMABUF_SESSION_ROLE_BOTH     EITHER
#define HDMABUF_TIMELINE_ROLE_BOTH    EITHER
#define HDMABUF_TIMELINE_ROLE_CREATOR HDMABUF_TIMELINE_CREATOR
#define HDMABUF_TIMELINE_ROLE_PEER    HDMABUF_TIMELINE_PEER

#define SESSION_ROW(role, state, event, next) \
	{ HDMABUF_SESSION_ROLE_##role, HDMABUF_SESSION_##state, \
	  HDMABUF_SESSION_##event, HDMABUF_SESSION_##next },
#define BUFFER_ROW(role, state, event, next) \
	{ HDMABUF_##role, HDMABUF_BUFFER_##state, HDMABUF_BUFFER_##event, \
	  HDMABUF_BUFFER_##next },
#define TIMELINE_ROW(role, state, event, next) \
	{ HDMABUF_TIMELINE_ROLE_##role, HDMABUF_TIMELINE_##state, \
	  HDMABUF_TIMELINE_##event, HDMABUF_TIMELINE_##next },

static const struct row session_rows[] = { HDMABUF_SESSION_TABLE(SESSION_ROW) };
static const struct row buffer_rows[] = { HDMABUF_BUFFER_TABLE(BUFFER_ROW) };
static const struct row timeline_rows[] = { HDMABUF_TIMELINE_TABLE(
	TIMELINE_ROW) };

static int next_state(const struct row *rows, size_t count, int role, int state,
		      int event)
{
	for (size_t i = 0; i < count; i++)
		if ((rows[i].role == role || rows[i].role == EITHER) &&
		    rows[i].state == state && rows[i].event == event)
			return rows[i].next;
	return -1;
}

int session_next(int state, enum hdmabuf_session_event event)
{
	return next_state(session_rows, COUNT(session_rows), EITHER, state,
			  (int)event);
}

int buffer_next(enum hdmabuf_buffer_role role, int state,
		enum hdmabuf_buffer_event event)
{
	return next_state(buffer_rows, COUNT(buffer_rows), (int)role, state,
			  (int)event);
}

int timeline_next(enum hdmabuf_timeline_role role, int state,
		  enum hdmabuf_timeline_event event)
{
	return next_state(timeline_rows, COUNT(timeline_rows), (int)role, state,
			  (int)event);
}
