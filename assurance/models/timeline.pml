/* SPDX-License-Identifier: MIT */
/*
 * The life of a timeline at both ends: created, signalled, failed, destroyed, created
 * again under the same number, and lost with its session. Waits at the end that does
 * not signal begin at any time. What happens within its cell is in cell.pml.
 *
 * property in_table: no end does what the table of states does not have
 * property one_timeline: both ends mean the same timeline by a number
 * property signalled_when_open: the signaller stores points in a timeline that exists
 *	for it only
 * property failed_unwaited: nobody waits in a timeline that is known to have failed
 * property all_waits_end: every wait ends, with its point or with a status
 *
 * fault DESTROYED_UNHEARD breaks all_waits_end: TIMELINE_DESTROY ends no wait
 *	(HDB-BOTH-061)
 * fault LOST_UNHEARD breaks all_waits_end: a session that is over ends no wait
 *	(HDB-BOTH-027)
 * fault ERROR_UNHEARD breaks failed_unwaited: an error ends no wait (HDB-BOTH-060)
 * fault NUMBER_TOO_SOON breaks one_timeline: a number is used again before
 *	TIMELINE_DESTROY is answered
 * fault SIGNALS_AFTER_ALL breaks signalled_when_open: the signaller goes on in a timeline
 *	that was destroyed
 */
bool in_table = true;
bool one_timeline = true;
bool signalled_when_open = true;
bool failed_unwaited = true;

#include "common.inc"

#define TIMELINES 3
#define POINTS 2
#define LOSSES 1

mtype = { CREATE, DESTROY };

/* Requests of the creator and their answers; which timeline is meant is a ghost. */
chan requests = [2] of { mtype, byte };
chan answers = [2] of { mtype, bool };

byte of_creator, of_peer;		/* creator, peer */
byte c_now, p_now;		/* which timeline each means by the number */
bool c_up = true, p_up = true;
byte made, losses = LOSSES;

/* The cell, and the wait at the end that does not signal. */
byte point, wanted, awaited;	/* awaited: in which timeline */
bool error, waiting;
bool peer_signals;		/* who does */

#define C(name) (of_creator == HDMABUF_TIMELINE_##name)
#define P(name) (of_peer == HDMABUF_TIMELINE_##name)

inline c_step(event) { timeline_step(HDMABUF_TIMELINE_CREATOR, of_creator, event) }
inline p_step(event) { timeline_step(HDMABUF_TIMELINE_PEER, of_peer, event) }

inline end_wait(at_peer, now, heard)
{
	if
	:: heard && at_peer != peer_signals && awaited == now ->
		waiting = false;
		awaited = 0
	:: else
	fi
}

/* ---- What either end does as signaller or waiter ---- */

#define SIGNALS(at_peer, state) (at_peer == peer_signals && \
	(state == HDMABUF_TIMELINE_OPEN || FAULT(SIGNALS_AFTER_ALL)))
#define WAITS(at_peer, state) \
	(at_peer != peer_signals && !waiting && !error && \
	 state == HDMABUF_TIMELINE_OPEN)

inline begin_wait(now)
{
	d_step { waiting = true; wanted = point + 1; awaited = now }
}

/* ---- Creator ---- */

inline c_create()
{
	if
	:: peer_signals = true
	:: peer_signals = false
	fi;
	d_step {
		made++;
		c_now = made;
		point = 0;
		error = false;
		if
		:: FAULT(NUMBER_TOO_SOON) && C(ENDING) ->
			of_creator = HDMABUF_TIMELINE_NONE
		:: else
		fi;
		c_step(HDMABUF_TIMELINE_CREATE);
		requests ! CREATE, c_now
	}
}

inline c_take_answer()
{
	if
	:: answers ? CREATE, true -> c_step(HDMABUF_TIMELINE_ACCEPTED)
	:: answers ? CREATE, false -> c_step(HDMABUF_TIMELINE_REFUSED)
	:: answers ? DESTROY, _ ->
		if
		:: FAULT(NUMBER_TOO_SOON) && !C(ENDING)
		:: else -> c_step(HDMABUF_TIMELINE_DESTROYED)
		fi
	fi
}

inline c_lose()
{
	d_step {
		c_up = false;
		if
		:: C(NONE)
		:: else -> c_step(HDMABUF_TIMELINE_SESSION_OVER)
		fi;
		end_wait(false, c_now, !FAULT(LOST_UNHEARD))
	}
}

inline check_signal(state)
{
	MUST(signalled_when_open, state == HDMABUF_TIMELINE_OPEN)
}

active proctype creator()
{
end:	do
	:: c_up && (C(NONE) || (C(ENDING) && FAULT(NUMBER_TOO_SOON))) &&
	   made < TIMELINES && nfull(requests) ->
		c_create()
	:: c_up && nempty(answers) -> c_take_answer()
	:: d_step { c_up && (C(OPEN) || C(FAILED)) && nfull(requests) ->
		c_step(HDMABUF_TIMELINE_DESTROY);
		end_wait(false, c_now, !FAULT(DESTROYED_UNHEARD));
		requests ! DESTROY, c_now
	   }
	:: d_step { c_up && made && SIGNALS(false, of_creator) && point < POINTS ->
		check_signal(of_creator);
		point++;
		c_step(HDMABUF_TIMELINE_SIGNAL)
	   }
	:: d_step { c_up && C(OPEN) && !peer_signals ->
		error = true;
		c_step(HDMABUF_TIMELINE_ERROR)
	   }
	:: d_step { c_up && C(OPEN) && peer_signals && error ->
		c_step(HDMABUF_TIMELINE_ERROR);
		end_wait(false, c_now, !FAULT(ERROR_UNHEARD));
		MUST(failed_unwaited, !waiting)
	   }
	:: c_up && WAITS(false, of_creator) && made < TIMELINES -> begin_wait(c_now)
	:: waiting && peer_signals && point >= wanted && c_up -> end_wait(false, c_now, waiting)
	:: c_up && !p_up -> c_lose()
	:: d_step { c_up && losses -> losses-- }; c_lose()
	od
}

/* ---- Peer ---- */

inline p_take_request(what, which)
{
	requests ? what, which;
	d_step {
		if
		:: what == CREATE ->
			p_step(HDMABUF_TIMELINE_CREATE);
			p_now = which
		:: else ->
			MUST(one_timeline, which == p_now);
			p_step(HDMABUF_TIMELINE_DESTROY);
			end_wait(true, p_now, !FAULT(DESTROYED_UNHEARD));
			p_now = 0
		fi;
		answers ! what, true;
		which = 0
	}
}

inline p_lose()
{
	d_step {
		p_up = false;
		if
		:: P(NONE)
		:: else -> p_step(HDMABUF_TIMELINE_SESSION_OVER)
		fi;
		end_wait(true, p_now, !FAULT(LOST_UNHEARD));
		p_now = 0
	}
}

active proctype peer()
{
	mtype what;
	byte which;

end:	do
	:: p_up && nempty(requests) && nfull(answers) ->
		if
		:: P(NONE) && requests ? [CREATE, _] && made < TIMELINES ->
			/* No memory, or another reason. */
			requests ? CREATE, _;
			answers ! CREATE, false
		:: p_take_request(what, which)
		fi
	:: d_step { p_up && p_now && SIGNALS(true, of_peer) && point < POINTS ->
		MUST(one_timeline, p_now == c_now);
		check_signal(of_peer);
		point++;
		p_step(HDMABUF_TIMELINE_SIGNAL)
	   }
	:: d_step { FAULT(SIGNALS_AFTER_ALL) && p_up && P(NONE) && c_now &&
		    peer_signals ->
		check_signal(of_peer)
	   }
	:: d_step { p_up && P(OPEN) && peer_signals ->
		error = true;
		p_step(HDMABUF_TIMELINE_ERROR)
	   }
	:: d_step { p_up && P(OPEN) && !peer_signals && error ->
		p_step(HDMABUF_TIMELINE_ERROR);
		end_wait(true, p_now, !FAULT(ERROR_UNHEARD));
		MUST(failed_unwaited, !waiting)
	   }
	:: p_up && WAITS(true, of_peer) && made < TIMELINES -> begin_wait(p_now)
	:: waiting && !peer_signals && point >= wanted && p_up -> end_wait(true, p_now, waiting)
	:: p_up && !c_up -> p_lose()
	:: d_step { p_up && losses -> losses-- }; p_lose()
	od
}

/* Another session, with another channel. */
active proctype platform()
{
end:	do
	:: atomic {
		!c_up && !p_up ->
		do
		:: requests ? _, _
		:: answers ? _, _
		:: empty(requests) && empty(answers) -> break
		od;
		point = 0;
		error = false;
		c_up = true;
		p_up = true
	   }
	od
}

ltl all_waits_end { [] (waiting -> <> !waiting) }
