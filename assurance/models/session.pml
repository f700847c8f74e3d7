/* SPDX-License-Identifier: MIT */
/*
 * A session: established, lost and established again, closed by either end or by
 * both, over a store whose records are atomic. Either end may die between any two
 * of its steps, and comes back; its record stays for a while, as the platform needs
 * time to notice. Watches are not modelled as events: an end sees what the store
 * holds when it looks, and misses what was there in between.
 *
 * A reference of the channel page is a number that comes back: it leads to the
 * newest channel of the frontend, whichever the record was written for.
 *
 * property in_table: no end does what the table of states does not have
 * property same_session: two ends that are connected are so to each other
 * property one_session_an_epoch: no epoch has two sessions
 * property request_when_connected: the frontend handles no request before it knows
 *	that it is connected
 * property answer_taken: who closes gets the answer, though the other has left since
 * property epochs_suffice: each loss costs a bounded number of attempts
 * property heals: when nobody dies or leaves any more, the ends get connected
 *
 * fault EPOCHS_IGNORED breaks same_session: only states count, and whether there is a
 *	record
 * fault HELLO_UNCHECKED breaks same_session: what the channel page and HELLO carry is
 *	not compared
 * fault PEER_EPOCH_IGNORED breaks epochs_suffice: the backend takes notice of an answer
 *	to an earlier offer
 * fault EPOCH_REUSED breaks one_session_an_epoch: a backend that comes back has its
 *	old epoch
 * fault CHANGE_UNNOTICED breaks heals: another epoch in the other's record is not the
 *	end of a session
 * fault ANSWERS_FIRST breaks request_when_connected: answers are taken before the
 *	frontend looks for a request, not after
 * fault RECORD_BEFORE_RINGS breaks answer_taken: a record that changes ends the
 *	session before the messages are taken
 * fault RECORD_STAYS breaks heals: a frontend that loses a session leaves its record,
 *	and waits for another offer
 */
bool in_table = true;
bool same_session = true;
bool one_session_an_epoch = true;
bool request_when_connected = true;
bool answer_taken = true;
bool epochs_suffice = true;

#include "common.inc"

/* How often what is not for the ends to decide may happen. */
#ifdef LIVENESS
#define TROUBLES 2
#else
#define TROUBLES 3
#endif
#define EPOCHS 12

#define OK 1
#define REFUSED 2

/* A channel, by the epoch of the frontend that made it; HELLO is in it at once. */
typedef channel_t {
	byte offer;		/* the epoch of the offer, in the page and in HELLO */
	byte answer;		/* to HELLO, with these two epochs: */
	byte answer_frontend;
	byte answer_backend;
	byte request;		/* one of the backend: 1 there, 2 taken */
	bool f_close;
	bool f_close_answered;
	bool b_close;
	bool b_close_answered;
};

channel_t channel[EPOCHS];
byte granted;			/* where the reference of the channel leads */

byte f_record, f_record_peer;	/* the store */
byte b_record;

byte f_state, f_epoch, f_peer;
byte b_state, b_epoch, b_peer, b_channel;
byte b_left;			/* within one step */
byte f_drawn, b_drawn;		/* epochs that were ever used */
bool f_kill, b_kill;
byte troubles = TROUBLES;	/* deaths, losses, refusals, and ends that leave */

#define IN_SESSION(state) \
	(state == HDMABUF_SESSION_CONNECTED || state == HDMABUF_SESSION_CLOSING)
#define ATTEMPT(state) (IN_SESSION(state) || state == HDMABUF_SESSION_GREETING)
#define CONNECTED(state) (state == HDMABUF_SESSION_CONNECTED)
#define SAME (f_epoch == b_peer && f_peer == b_epoch)

inline f_step(event) { session_step(HDMABUF_FRONTEND, f_state, event) }
inline b_step(event) { session_step(HDMABUF_BACKEND, b_state, event) }

inline check_same_session()
{
	MUST(same_session, !(CONNECTED(f_state) && CONNECTED(b_state)) || SAME)
}

/* Nobody can look at that channel any more: states that differ by it are the same. */
inline forget(epoch)
{
	if
	:: b_channel != epoch && !(ATTEMPT(f_state) && f_epoch == epoch) ->
		channel[epoch].offer = 0;
		channel[epoch].answer = 0;
		channel[epoch].answer_frontend = 0;
		channel[epoch].answer_backend = 0;
		channel[epoch].request = 0;
		channel[epoch].f_close = false;
		channel[epoch].f_close_answered = false;
		channel[epoch].b_close = false;
		channel[epoch].b_close_answered = false
	:: else
	fi
}

inline b_unmap_channel()
{
	b_left = b_channel;
	b_channel = 0;
	forget(b_left);
	b_left = 0
}

/* ---- Frontend ---- */

/* HDB-FE-010: the record goes with the session. */
inline f_leave(event)
{
	d_step {
		f_step(event);
		if
		:: FAULT(RECORD_STAYS) && event == HDMABUF_SESSION_LOST
		:: else -> f_record = 0; f_record_peer = 0
		fi;
		f_peer = 0;
		granted = 0;
		forget(f_epoch)
	}
}

/* HDB-FE-005 */
inline f_take_answer()
{
	if
	:: channel[f_epoch].answer == REFUSED ->
		f_leave(HDMABUF_SESSION_HELLO_REFUSED)
	:: channel[f_epoch].answer == OK &&
	   (FAULT(EPOCHS_IGNORED) || FAULT(HELLO_UNCHECKED) ||
	    (channel[f_epoch].answer_frontend == f_epoch &&
	     channel[f_epoch].answer_backend == f_peer)) ->
		d_step {
			f_step(HDMABUF_SESSION_HELLO_OK);
			check_same_session()
		}
	:: else -> f_leave(HDMABUF_SESSION_LOST)
	fi
}

inline f_take_answers()
{
	if
	:: f_state == HDMABUF_SESSION_GREETING && channel[f_epoch].answer ->
		f_take_answer()
	:: else
	fi;
	if
	:: f_state == HDMABUF_SESSION_CLOSING &&
	   channel[f_epoch].f_close_answered ->
		f_leave(HDMABUF_SESSION_CLOSE_ANSWERED)
	:: else
	fi
}

inline f_take_close()
{
	if
	:: ATTEMPT(f_state) && channel[f_epoch].b_close &&
	   !channel[f_epoch].b_close_answered ->
		channel[f_epoch].b_close_answered = true;
		if
		:: f_state == HDMABUF_SESSION_CONNECTED ->
			f_leave(HDMABUF_SESSION_PEER_CLOSE)
		:: else -> f_step(HDMABUF_SESSION_PEER_CLOSE)
		fi
	:: else
	fi
}

/* HDB-BOTH-017: a request is there; the answers; then the request. */
inline f_take_request()
{
	f_take_answers();
	if
	:: ATTEMPT(f_state) && channel[f_epoch].request == 1 ->
		d_step {
			MUST(request_when_connected, IN_SESSION(f_state));
			channel[f_epoch].request = 2
		}
	:: else
	fi
}

/* An offer is answered by a channel, HELLO in it, and a record. */
inline f_answer_offer()
{
	f_peer = b_record;
	if
	:: f_peer ->
		d_step {
			f_drawn++;
			MUST(epochs_suffice, f_drawn < EPOCHS);
			f_epoch = f_drawn;
			channel[f_epoch].offer = f_peer;
			granted = f_epoch;
			f_step(HDMABUF_SESSION_PEER_RECORD)
		};
		d_step {
			f_record = f_epoch;
			f_record_peer = f_peer
		}
	:: else
	fi
}

/* HDB-BOTH-016 */
#define F_NOTICES (FAULT(EPOCHS_IGNORED) || FAULT(CHANGE_UNNOTICED) -> \
		   b_record == 0 : b_record != f_peer)

inline f_lose()
{
	if
	:: FAULT(RECORD_BEFORE_RINGS)
	:: else -> f_take_answers(); f_take_close(); f_take_answers()
	fi;
	if
	:: ATTEMPT(f_state) ->
		MUST(answer_taken, f_state != HDMABUF_SESSION_CLOSING ||
		     !channel[f_epoch].f_close_answered);
		f_leave(HDMABUF_SESSION_LOST)
	:: else
	fi
}

active proctype frontend()
{
end_life:
	{
end:		do
		:: f_state == HDMABUF_SESSION_DOWN ->
			d_step { f_record = 0; f_step(HDMABUF_SESSION_START) }
		:: f_state == HDMABUF_SESSION_READY && b_record &&
		   !(FAULT(RECORD_STAYS) && f_record_peer == b_record) ->
			f_answer_offer()
		:: ATTEMPT(f_state) && F_NOTICES -> f_lose()
		:: f_state == HDMABUF_SESSION_GREETING && channel[f_epoch].answer ->
			f_take_answers()
		:: f_state == HDMABUF_SESSION_CLOSING &&
		   channel[f_epoch].f_close_answered ->
			f_take_answers()
		:: ATTEMPT(f_state) &&
		   (channel[f_epoch].request == 1 || FAULT(ANSWERS_FIRST)) ->
			f_take_request()
		:: IN_SESSION(f_state) && channel[f_epoch].b_close &&
		   !channel[f_epoch].b_close_answered ->
			f_take_answers();
			f_take_close()
		:: d_step {
				CONNECTED(f_state) && troubles ->
				troubles--;
				channel[f_epoch].f_close = true;
				f_step(HDMABUF_SESSION_CLOSE)
			}
		:: d_step { ATTEMPT(f_state) && troubles -> troubles-- };
			f_leave(HDMABUF_SESSION_LOST)
		od
	} unless { f_kill };
	/* What it was is gone, but for its record: another life begins. */
	d_step {
		f_kill = false;
		f_state = HDMABUF_SESSION_DOWN;
		f_peer = 0;
		granted = 0;
		forget(f_epoch)
	};
	goto end_life
}

/* ---- Backend ---- */

/* HDB-BOTH-015: every offer has an epoch of its own. */
inline b_offer()
{
	if
	:: FAULT(EPOCH_REUSED) && b_epoch
	:: else -> b_drawn++
	fi;
	MUST(epochs_suffice, b_drawn < EPOCHS);
	b_epoch = b_drawn;
	b_record = b_epoch;
	b_peer = 0;
	b_unmap_channel()
}

inline b_leave(event)
{
	d_step {
		b_step(event);
		if
		:: b_state == HDMABUF_SESSION_READY -> b_offer()
		:: else -> b_record = 0; b_peer = 0; b_unmap_channel()
		fi
	}
}

/* HDB-BE-002: what the page says is compared with the records. */
inline b_map_channel()
{
	b_peer = f_record;
	b_channel = granted;
	if
	:: b_channel && (FAULT(EPOCHS_IGNORED) || FAULT(HELLO_UNCHECKED) ||
	   (b_channel == b_peer && channel[b_channel].offer == b_epoch)) ->
		b_step(HDMABUF_SESSION_PEER_RECORD)
	:: else -> d_step { b_offer() }
	fi
}

inline b_answer_hello(status)
{
	channel[b_channel].answer = status;
	channel[b_channel].answer_frontend = b_peer;
	channel[b_channel].answer_backend = b_epoch
}

/* HDB-BE-004: HELLO's epochs are those of its page, as the frontend wrote both. */
inline b_take_hello()
{
	if
	:: d_step { troubles -> troubles--; b_answer_hello(REFUSED) };
		b_leave(HDMABUF_SESSION_HELLO_REFUSED)
	:: d_step {
		MUST(one_session_an_epoch, !channel[b_channel].answer ||
		     FAULT(EPOCHS_IGNORED));
		b_answer_hello(OK);
		b_step(HDMABUF_SESSION_HELLO_OK);
		check_same_session()
	   }
	fi
}

inline b_take_answers()
{
	if
	:: b_state == HDMABUF_SESSION_CLOSING &&
	   channel[b_channel].b_close_answered ->
		b_leave(HDMABUF_SESSION_CLOSE_ANSWERED)
	:: else
	fi
}

inline b_take_close()
{
	if
	:: IN_SESSION(b_state) && channel[b_channel].f_close &&
	   !channel[b_channel].f_close_answered ->
		channel[b_channel].f_close_answered = true;
		if
		:: b_state == HDMABUF_SESSION_CONNECTED ->
			b_leave(HDMABUF_SESSION_PEER_CLOSE)
		:: else -> b_step(HDMABUF_SESSION_PEER_CLOSE)
		fi
	:: else
	fi
}

#define B_NOTICES (FAULT(EPOCHS_IGNORED) || FAULT(CHANGE_UNNOTICED) -> \
		   f_record == 0 : f_record != b_peer)

inline b_lose()
{
	if
	:: FAULT(RECORD_BEFORE_RINGS)
	:: else -> b_take_answers(); b_take_close(); b_take_answers()
	fi;
	if
	:: ATTEMPT(b_state) ->
		MUST(answer_taken, b_state != HDMABUF_SESSION_CLOSING ||
		     !channel[b_channel].b_close_answered);
		b_leave(HDMABUF_SESSION_LOST)
	:: else
	fi
}

active proctype backend()
{
	bool greeted;		/* HELLO is taken */

end_life:
	{
end:		do
		:: b_state == HDMABUF_SESSION_DOWN ->
			d_step {
				b_step(HDMABUF_SESSION_START);
				b_offer()
			}
		:: b_state == HDMABUF_SESSION_READY && f_record &&
		   (f_record_peer == b_epoch || FAULT(EPOCHS_IGNORED) ||
		    FAULT(PEER_EPOCH_IGNORED)) ->
			greeted = false;
			b_map_channel()
		:: b_state == HDMABUF_SESSION_GREETING && !greeted ->
			greeted = true;
			b_take_hello()
		:: ATTEMPT(b_state) && B_NOTICES -> b_lose()
		:: CONNECTED(b_state) && !channel[b_channel].request ->
			channel[b_channel].request = 1
		:: b_state == HDMABUF_SESSION_CLOSING &&
		   channel[b_channel].b_close_answered ->
			b_take_answers()
		:: IN_SESSION(b_state) && channel[b_channel].f_close &&
		   !channel[b_channel].f_close_answered ->
			b_take_answers();
			b_take_close()
		:: d_step {
				CONNECTED(b_state) && troubles ->
				troubles--;
				channel[b_channel].b_close = true;
				b_step(HDMABUF_SESSION_CLOSE)
			}
		:: d_step { ATTEMPT(b_state) && troubles -> troubles-- };
			b_leave(HDMABUF_SESSION_LOST)
		od
	} unless { b_kill };
	d_step {
		b_kill = false;
		b_state = HDMABUF_SESSION_DOWN;
		b_peer = 0;
		b_unmap_channel()
	};
	goto end_life
}

/* ---- What nobody asks the ends about ---- */

active proctype killer()
{
end:	do
	:: d_step { troubles -> troubles--; f_kill = true }; !f_kill
	:: d_step { troubles -> troubles--; b_kill = true }; !b_kill
	od
}

/* HDB-PLAT-012: the record of an end that has died goes, sooner or later. */
active proctype platform()
{
end:	do
	:: f_state == HDMABUF_SESSION_DOWN && f_record ->
		d_step {
			if
			:: f_state == HDMABUF_SESSION_DOWN -> f_record = 0
			:: else
			fi
		}
	:: b_state == HDMABUF_SESSION_DOWN && b_record ->
		d_step {
			if
			:: b_state == HDMABUF_SESSION_DOWN -> b_record = 0
			:: else
			fi
		}
	od
}

ltl heals { <>[] (CONNECTED(f_state) && CONNECTED(b_state) && SAME) }
