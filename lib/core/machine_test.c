/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <hdmabuf/machine.h>

#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * What each end does, written down by hand from the prose of the specification:
 * for each state, the events that can happen in it and where they lead. What is
 * not here is illegal. The tables of the protocol are not used.
 */
struct step {
	int state;
	int event;
	int next;
};

typedef int next_fn(int role, int state, int event);

static int expected(const struct step *steps, size_t count, int state,
		    int event)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (steps[i].state == state && steps[i].event == event)
			return steps[i].next;
	return -1;
}

static void check_all(next_fn *next, int role, int states, int events,
		      const struct step *steps, size_t count)
{
	int state, event, got, want;
	size_t legal = 0;

	for (state = -2; state < states + 3; state++)
		for (event = -2; event < events + 3; event++) {
			got = next(role, state, event);
			want = expected(steps, count, state, event);
			legal += want >= 0;
			if (got != want)
				fail_msg("role %d, state %d, event %d: %d "
					 "instead of %d",
					 role, state, event, got, want);
		}
	/* No step was written down twice, or of a state that is not there. */
	assert_int_equal(legal, count);
}

enum {
	DOWN,
	READY,
	GREETING,
	CONNECTED,
	CLOSING,
	SESSION_STATES
};
enum {
	START,
	PEER_RECORD,
	HELLO_OK,
	HELLO_REFUSED,
	CLOSE,
	CLOSE_ANSWERED,
	PEER_CLOSE,
	LOST,
	STOP,
	SESSION_EVENTS
};

static const struct step session_steps[] = {
	/* An end appears, and meets the other's record. */
	{ DOWN, START, READY },
	{ READY, PEER_RECORD, GREETING },
	/* One message carries both epochs, or the attempt is over. */
	{ GREETING, HELLO_OK, CONNECTED },
	{ GREETING, HELLO_REFUSED, READY },
	{ GREETING, LOST, READY },
	/* The other end's end is survived, one's own is final. */
	{ CONNECTED, LOST, READY },
	{ CONNECTED, PEER_CLOSE, READY },
	{ CONNECTED, CLOSE, CLOSING },
	{ CLOSING, CLOSE_ANSWERED, DOWN },
	{ CLOSING, LOST, DOWN },
	/* Both may close at the same time. */
	{ CLOSING, PEER_CLOSE, CLOSING },
	/* Giving up is always possible. */
	{ READY, STOP, DOWN },
	{ GREETING, STOP, DOWN },
	{ CONNECTED, STOP, DOWN },
	{ CLOSING, STOP, DOWN },
};

static void session_is_the_same_for_both_roles(void **state)
{
	(void)state;
	check_all(hdmabuf_session_next, HDMABUF_FRONTEND, SESSION_STATES,
		  SESSION_EVENTS, session_steps, COUNT(session_steps));
	check_all(hdmabuf_session_next, HDMABUF_BACKEND, SESSION_STATES,
		  SESSION_EVENTS, session_steps, COUNT(session_steps));
}

enum {
	NONE,
	EXPORTING,
	LIVE,
	LENT,
	RETIRING,
	QUARANTINED,
	IMPORTED,
	MAPPED,
	ORPHANED,
	BUFFER_STATES
};
enum {
	EXPORT,
	ACCEPTED,
	REFUSED,
	UPDATE,
	HAND_OFF,
	HAND_BACK,
	LEND,
	MAP,
	UNMAP,
	UNEXPORT,
	RELEASED,
	STILL_MAPPED,
	EXPIRED,
	SESSION_OVER,
	FREED,
	BUFFER_EVENTS
};

static const struct step exporter_steps[] = {
	{ NONE, EXPORT, EXPORTING },
	{ EXPORTING, ACCEPTED, LIVE },
	{ EXPORTING, REFUSED, NONE },
	{ LIVE, UPDATE, LIVE },
	{ LIVE, HAND_OFF, LIVE },
	{ LIVE, HAND_BACK, LIVE },
	/* What is lent, the exporter neither updates nor hands off. */
	{ LIVE, LEND, LENT },
	{ LENT, HAND_BACK, LIVE },
	{ LIVE, UNEXPORT, RETIRING },
	{ LENT, UNEXPORT, RETIRING },
	/* The importer may release whatever it has, at any time. */
	{ LIVE, RELEASED, NONE },
	{ LENT, RELEASED, NONE },
	{ RETIRING, RELEASED, NONE },
	/* Pages that may still be mapped are never given back. */
	{ EXPORTING, STILL_MAPPED, QUARANTINED },
	{ LIVE, STILL_MAPPED, QUARANTINED },
	{ LENT, STILL_MAPPED, QUARANTINED },
	{ RETIRING, STILL_MAPPED, QUARANTINED },
	{ EXPORTING, SESSION_OVER, QUARANTINED },
	{ LIVE, SESSION_OVER, QUARANTINED },
	{ LENT, SESSION_OVER, QUARANTINED },
	{ RETIRING, SESSION_OVER, QUARANTINED },
	{ RETIRING, EXPIRED, QUARANTINED },
	{ QUARANTINED, FREED, NONE },
};

static const struct step importer_steps[] = {
	{ NONE, EXPORT, IMPORTED },
	{ IMPORTED, MAP, MAPPED },
	{ MAPPED, UNMAP, IMPORTED },
	{ IMPORTED, UPDATE, IMPORTED },
	{ MAPPED, UPDATE, MAPPED },
	/* To hand off needs no mapping. */
	{ IMPORTED, HAND_OFF, IMPORTED },
	{ IMPORTED, HAND_BACK, IMPORTED },
	{ IMPORTED, LEND, IMPORTED },
	{ MAPPED, HAND_OFF, MAPPED },
	{ MAPPED, HAND_BACK, MAPPED },
	{ MAPPED, LEND, MAPPED },
	/* Only what is not mapped can be released. */
	{ IMPORTED, UNEXPORT, NONE },
	{ IMPORTED, RELEASED, NONE },
	{ IMPORTED, SESSION_OVER, NONE },
	{ MAPPED, UNEXPORT, RETIRING },
	{ RETIRING, UNMAP, NONE },
	/* An application may hold on to a mapping longer than the session. */
	{ MAPPED, SESSION_OVER, ORPHANED },
	{ RETIRING, SESSION_OVER, ORPHANED },
	{ ORPHANED, UNMAP, NONE },
};

static void buffer_at_the_exporter(void **state)
{
	(void)state;
	check_all(hdmabuf_buffer_next, HDMABUF_EXPORTER, BUFFER_STATES,
		  BUFFER_EVENTS, exporter_steps, COUNT(exporter_steps));
}

static void buffer_at_the_importer(void **state)
{
	(void)state;
	check_all(hdmabuf_buffer_next, HDMABUF_IMPORTER, BUFFER_STATES,
		  BUFFER_EVENTS, importer_steps, COUNT(importer_steps));
}

enum {
	NOT_THERE,
	OPENING,
	OPEN,
	FAILED,
	ENDING,
	TIMELINE_STATES
};
enum {
	CREATE,
	CREATE_ACCEPTED,
	CREATE_REFUSED,
	SIGNAL,
	ERROR,
	DESTROY,
	DESTROYED,
	TIMELINE_SESSION_OVER,
	TIMELINE_EVENTS
};

static const struct step creator_steps[] = {
	{ NOT_THERE, CREATE, OPENING },
	{ OPENING, CREATE_ACCEPTED, OPEN },
	{ OPENING, CREATE_REFUSED, NOT_THERE },
	{ OPEN, SIGNAL, OPEN },
	{ OPEN, ERROR, FAILED },
	{ OPEN, DESTROY, ENDING },
	{ FAILED, DESTROY, ENDING },
	{ ENDING, DESTROYED, NOT_THERE },
	{ OPENING, TIMELINE_SESSION_OVER, NOT_THERE },
	{ OPEN, TIMELINE_SESSION_OVER, NOT_THERE },
	{ FAILED, TIMELINE_SESSION_OVER, NOT_THERE },
	{ ENDING, TIMELINE_SESSION_OVER, NOT_THERE },
};

static const struct step peer_steps[] = {
	{ NOT_THERE, CREATE, OPEN },
	{ OPEN, SIGNAL, OPEN },
	{ OPEN, ERROR, FAILED },
	{ OPEN, DESTROY, NOT_THERE },
	{ FAILED, DESTROY, NOT_THERE },
	{ OPEN, TIMELINE_SESSION_OVER, NOT_THERE },
	{ FAILED, TIMELINE_SESSION_OVER, NOT_THERE },
};

static void timeline_at_both_ends(void **state)
{
	(void)state;
	check_all(hdmabuf_timeline_next, HDMABUF_TIMELINE_CREATOR,
		  TIMELINE_STATES, TIMELINE_EVENTS, creator_steps,
		  COUNT(creator_steps));
	check_all(hdmabuf_timeline_next, HDMABUF_TIMELINE_PEER, TIMELINE_STATES,
		  TIMELINE_EVENTS, peer_steps, COUNT(peer_steps));
}

static void nonsense_is_no_transition(void **state)
{
	static const int odd[] = { INT_MIN, -1, 2, 255, 256, INT_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(odd); i++) {
		assert_int_equal(hdmabuf_session_next(odd[i], DOWN, START),
				 HDMABUF_NO_STATE);
		assert_int_equal(hdmabuf_buffer_next(odd[i], NONE, EXPORT),
				 HDMABUF_NO_STATE);
		assert_int_equal(hdmabuf_timeline_next(odd[i], NOT_THERE,
						       CREATE),
				 HDMABUF_NO_STATE);
	}
	assert_int_equal(hdmabuf_session_next(0, INT_MIN, INT_MIN),
			 HDMABUF_NO_STATE);
	assert_int_equal(hdmabuf_buffer_next(1, INT_MAX, INT_MAX),
			 HDMABUF_NO_STATE);
	assert_int_equal(hdmabuf_timeline_next(1, INT_MIN, INT_MAX),
			 HDMABUF_NO_STATE);
}

static void states_have_their_names(void **state)
{
	static const char *const sessions[] = { "DOWN", "READY", "GREETING",
						"CONNECTED", "CLOSING" };
	static const char *const buffers[] = {
		"NONE",	       "EXPORTING", "LIVE",   "LENT",	 "RETIRING",
		"QUARANTINED", "IMPORTED",  "MAPPED", "ORPHANED"
	};
	int i;

	(void)state;
	for (i = -3; i < 40; i++) {
		assert_string_equal(hdmabuf_session_state_text(i),
				    i >= 0 && i < SESSION_STATES ? sessions[i] :
								   "?");
		assert_string_equal(hdmabuf_buffer_state_text(i),
				    i >= 0 && i < BUFFER_STATES ? buffers[i] :
								  "?");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_is_the_same_for_both_roles),
		cmocka_unit_test(buffer_at_the_exporter),
		cmocka_unit_test(buffer_at_the_importer),
		cmocka_unit_test(timeline_at_both_ends),
		cmocka_unit_test(nonsense_is_no_transition),
		cmocka_unit_test(states_have_their_names),
	};

	return hdmabuf_test_run("machine", tests, COUNT(tests));
}
