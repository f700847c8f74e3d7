/* SPDX-License-Identifier: MIT */
/*
 * A session over XenStore, as the Xen binding has it. What differs from session.pml:
 *
 * - Records are nodes that are written and read one by one, and nobody removes those of
 *   a program that was killed.
 * - Of two writes a watch reports one, so an end sees what is there when it looks.
 * - The toolstack may remove both directories, and make them again.
 * - An end learns of the other's death from an octet in the link page. The other's kernel
 *   clears it, before another life of that end can begin, and nobody clears the marks.
 *   What comes and goes between two looks is missed.
 * - The numbers of references come back: they lead to the newest link and channel.
 *
 * property in_table: no end does what the table of states does not have
 * property same_session: two ends that are connected are so to each other
 * property one_session_an_epoch: no epoch has two sessions
 * property record_whole: what the backend takes for a record was written as one
 * property link_as_named: the backend attaches to the link of that record only
 * property dead_unanswered: nobody answers the offer of an end that it saw die
 * property epochs_suffice: each loss costs a bounded number of attempts
 * property heals: when nothing happens any more, the ends get connected
 * property death_noticed: a backend that dies for good is not believed in for ever
 *
 * fault STATES_TRUSTED breaks same_session: the ends follow XenbusState, and not epochs
 *	(HDB-XEN-007)
 * fault EPOCH_REUSED breaks one_session_an_epoch: a backend that comes back has its
 *	old epoch (HDB-BOTH-015)
 * fault EPOCH_READ_ONCE breaks record_whole: the epoch is read before the other nodes
 *	only (HDB-BOTH-006)
 * fault LINK_UNCHECKED breaks link_as_named: the number in the link page is not compared
 *	(HDB-XEN-016)
 * fault STALE_BELIEVED breaks dead_unanswered: the record of an end that was seen dying
 *	counts as before (HDB-XEN-008)
 * fault PEER_EPOCH_IGNORED breaks epochs_suffice: the backend takes notice of an answer
 *	to an earlier offer (HDB-XEN-015)
 * fault CHANGE_UNNOTICED breaks heals: another epoch in the other's record is not the
 *	end of a session (HDB-BOTH-016)
 * fault OCTET_BEFORE_RECORD breaks heals: the octet is looked at before the record is
 *	read, not again before that is answered
 * fault MARKS_UNNOTICED breaks death_noticed: a backend that came and went between two
 *	looks was never there (HDB-XEN-020)
 * fault HERE_UNNOTICED breaks death_noticed: nobody looks at the other's octet
 *	(HDB-XEN-020)
 */
bool in_table = true;
bool same_session = true;
bool one_session_an_epoch = true;
bool record_whole = true;
bool link_as_named = true;
bool dead_unanswered = true;
bool epochs_suffice = true;

#include "common.inc"

/* How often what is not for the ends to decide may happen. */
#ifdef LIVENESS
#define TROUBLES 1
#else
#define TROUBLES 2
#endif
#define EPOCHS 8

/* Values of the node state, of the binding's enum hdmabuf_xen_state. */
#define INITIALISING 1
#define INIT_WAIT 2
#define INITIALISED 3
#define ATTACHED 4

/* Made by a frontend, by the epoch: the channel with HELLO in it, and its link. */
byte channel_offer[EPOCHS], channel_link[EPOCHS];
byte channel_answer[EPOCHS];	/* to HELLO: the epoch of the backend, 0 if none yet */
byte channel_answered[EPOCHS];	/* and that of the frontend, in the same answer */

/* Link pages, by the number of the link: is the end there? */
bool f_here[EPOCHS], b_here[EPOCHS];
bool b_marked[EPOCHS];		/* is a reference of the frontend marked? */

/* Where the references of the link page and of the channel lead. */
byte granted_link, granted_channel;

/* XenStore */
bool device = true;
byte f_node_state, f_node_epoch, f_node_peer, f_node_link;
byte b_node_state, b_node_epoch;

byte f_state, f_epoch, f_peer, f_link, f_dead;
byte b_state, b_epoch, b_peer, b_link, b_dead, b_channel;
bool f_saw;			/* the frontend has seen that the backend was there */
byte f_drawn, b_drawn, links;
bool f_kill, b_kill, b_buried;
byte troubles = TROUBLES;

#define ATTEMPT(state) (state == HDMABUF_SESSION_GREETING || \
			state == HDMABUF_SESSION_CONNECTED)
#define CONNECTED(state) (state == HDMABUF_SESSION_CONNECTED)
#define SAME (f_epoch == b_peer && f_peer == b_epoch)

inline f_step(event) { session_step(HDMABUF_FRONTEND, f_state, event) }
inline b_step(event) { session_step(HDMABUF_BACKEND, b_state, event) }

inline check_same_session()
{
	MUST(same_session, !(CONNECTED(f_state) && CONNECTED(b_state)) || SAME)
}

/* Nobody can write below a directory that is not there. */
inline store(node, value)
{
	d_step {
		if
		:: device -> node = value
		:: else
		fi
	}
}

/* ---- Frontend ---- */

/* HDB-BOTH-005: the epoch goes first. */
inline f_withdraw()
{
	store(f_node_epoch, 0);
	store(f_node_state, INITIALISING)
}

inline f_leave(event)
{
	d_step { f_step(event); f_peer = 0; granted_channel = 0 };
	f_withdraw()
}

/* HDB-XEN-008, HDB-XEN-020: the offer counts no more, and another link is due. */
inline f_bury(offer)
{
	d_step {
		f_dead = offer;
		f_here[f_link] = false;
		f_link = 0;
		granted_link = 0;
		f_saw = false
	}
}

/* A mark that is set says that the backend was there, though nobody saw it. */
#define F_SEES_GONE (!b_here[f_link] && \
	(f_saw || (b_marked[f_link] && !FAULT(MARKS_UNNOTICED))) && \
	!FAULT(HERE_UNNOTICED) && !FAULT(STATES_TRUSTED))

/* HDB-XEN-013, HDB-XEN-014 */
inline f_make_link()
{
	if
	:: f_link
	:: else ->
		links++;
		MUST(epochs_suffice, links < EPOCHS);
		f_link = links;
		f_here[f_link] = true;
		granted_link = f_link
	fi
}

inline f_make_channel()
{
	f_drawn++;
	MUST(epochs_suffice, f_drawn < EPOCHS);
	f_epoch = f_drawn;
	channel_offer[f_epoch] = f_peer;
	channel_link[f_epoch] = f_link;
	granted_channel = f_epoch
}

inline f_answer_offer()
{
	d_step {
		f_peer = b_node_epoch;
		if
		:: f_peer == f_dead && !FAULT(STALE_BELIEVED) -> f_peer = 0
		:: else
		fi
	};
	/* Who is gone by now had made another offer, not this one. */
	if
	:: f_peer && F_SEES_GONE && !FAULT(OCTET_BEFORE_RECORD) -> f_bury(0)
	:: else
	fi;
	if
	:: f_peer ->
		d_step {
			MUST(dead_unanswered, f_peer != f_dead);
			f_make_link();
			f_make_channel();
			f_step(HDMABUF_SESSION_PEER_RECORD)
		};
		store(f_node_link, f_link);
		store(f_node_peer, f_peer);
		store(f_node_epoch, f_epoch);
		store(f_node_state, INITIALISED)
	:: else
	fi
}

/* HDB-FE-005 */
inline f_take_answer()
{
	if
	:: FAULT(STATES_TRUSTED) ||
	   (channel_answered[f_epoch] == f_epoch &&
	    channel_answer[f_epoch] == f_peer) ->
		d_step {
			f_step(HDMABUF_SESSION_HELLO_OK);
			check_same_session()
		}
	:: else -> f_leave(HDMABUF_SESSION_LOST)
	fi
}

#define F_ANSWERED (FAULT(STATES_TRUSTED) -> \
	b_node_state == ATTACHED : channel_answer[f_epoch])

/* HDB-BOTH-016; a directory that went and came back has lost the record, too. */
#define F_NOTICES (FAULT(STATES_TRUSTED) || FAULT(CHANGE_UNNOTICED) -> \
	b_node_state == INITIALISING || b_node_state == 0 : \
	b_node_epoch != f_peer || f_node_epoch != f_epoch)

active proctype frontend()
{
end_life:
	{
end:		do
		:: f_state == HDMABUF_SESSION_DOWN && device ->
			/* HDB-XEN-009 */
			f_withdraw();
			f_step(HDMABUF_SESSION_START)
		:: f_state == HDMABUF_SESSION_READY && b_node_epoch &&
		   (b_node_epoch != f_dead || FAULT(STALE_BELIEVED)) ->
			f_answer_offer()
		:: ATTEMPT(f_state) && !f_saw && b_here[f_link] -> f_saw = true
		:: ATTEMPT(f_state) && F_SEES_GONE ->
			f_bury(f_peer);
			f_leave(HDMABUF_SESSION_LOST)
		:: f_state == HDMABUF_SESSION_GREETING && F_ANSWERED -> f_take_answer()
		:: ATTEMPT(f_state) && F_NOTICES -> f_leave(HDMABUF_SESSION_LOST)
		:: f_state != HDMABUF_SESSION_DOWN && !device ->
			f_bury(f_peer);
			f_leave(HDMABUF_SESSION_STOP)
		od
	} unless { f_kill };
	/* The kernel ends what it had shared; its record stays. */
	d_step {
		f_kill = false;
		f_here[f_link] = false;
		f_link = 0;
		f_state = HDMABUF_SESSION_DOWN;
		f_peer = 0;
		f_dead = 0;
		f_saw = false;
		granted_link = 0;
		granted_channel = 0
	};
	goto end_life
}

/* ---- Backend ---- */

inline b_offer()
{
	store(b_node_epoch, 0);
	d_step {
		if
		:: FAULT(EPOCH_REUSED) && b_epoch && b_state == HDMABUF_SESSION_DOWN
		:: else -> b_drawn++
		fi;
		MUST(epochs_suffice, b_drawn < EPOCHS);
		b_epoch = b_drawn;
		b_peer = 0;
		b_channel = 0
	};
	store(b_node_epoch, b_epoch);
	store(b_node_state, INIT_WAIT)
}

inline b_lose()
{
	b_step(HDMABUF_SESSION_LOST);
	b_offer()
}

inline b_detach()
{
	d_step {
		b_dead = b_peer;
		b_marked[b_link] = false;
		b_here[b_link] = false;
		b_link = 0
	}
}

/* HDB-XEN-016, HDB-XEN-020: whose number it has, and whose end is there. */
inline b_attach(link)
{
	if
	:: b_link == link
	:: else ->
		if
		:: b_link -> b_here[b_link] = false
		:: else
		fi;
		b_link = granted_link;
		if
		:: b_link && f_here[b_link] &&
		   (b_link == link || FAULT(LINK_UNCHECKED)) ->
			MUST(link_as_named, b_link == link);
			b_marked[b_link] = false;	/* HDB-XEN-031 */
			b_here[b_link] = true
		:: else -> b_link = 0
		fi
	fi
}

/* HDB-BE-002: what the channel page says is compared with the records. */
inline b_map_channel()
{
	b_marked[b_link] = true;		/* HDB-XEN-021 */
	b_channel = granted_channel;
	if
	:: b_channel && ((b_channel == b_peer &&
			  channel_offer[b_channel] == b_epoch) ||
			 FAULT(STATES_TRUSTED)) ->
		b_step(HDMABUF_SESSION_PEER_RECORD)
	:: else -> b_offer()
	fi
}

/* A record that leads nowhere counts as absent until it changes. */
inline b_take_record(link)
{
	d_step { b_attach(link) };
	if
	:: b_link ->
		store(b_node_state, ATTACHED);
		b_map_channel()
	:: FAULT(PEER_EPOCH_IGNORED) && !b_link -> b_offer()
	:: else -> b_dead = b_peer; b_peer = 0
	fi
}

#define B_SEES (FAULT(STATES_TRUSTED) -> f_node_state >= INITIALISED : \
	f_node_epoch && f_node_epoch != b_dead && \
	(f_node_peer == b_epoch || FAULT(PEER_EPOCH_IGNORED)))

/* HDB-BOTH-006, HDB-XEN-015 */
inline b_read_record(peer, link, again)
{
	b_peer = f_node_epoch;
	link = f_node_link;
	peer = f_node_peer;
	again = f_node_epoch;
	if
	:: b_peer && link && (again == b_peer || FAULT(EPOCH_READ_ONCE) ||
		      FAULT(STATES_TRUSTED)) &&
	   (peer == b_epoch || FAULT(PEER_EPOCH_IGNORED) ||
	    FAULT(STATES_TRUSTED)) ->
		d_step {
			MUST(record_whole, FAULT(STATES_TRUSTED) ||
			     (channel_offer[b_peer] == peer &&
			      channel_link[b_peer] == link))
		};
		b_take_record(link)
	:: else -> b_peer = 0
	fi;
	d_step { peer = 0; link = 0; again = 0 }
}

/* HDB-BE-004 */
inline b_take_hello()
{
	d_step {
		MUST(one_session_an_epoch, !channel_answer[b_channel] ||
		     FAULT(STATES_TRUSTED));
		channel_answer[b_channel] = b_epoch;
		channel_answered[b_channel] = b_peer;
		b_step(HDMABUF_SESSION_HELLO_OK);
		check_same_session()
	}
}

#define B_NOTICES (FAULT(STATES_TRUSTED) || FAULT(CHANGE_UNNOTICED) -> \
	f_node_state == INITIALISING || f_node_state == 0 : \
	f_node_epoch != b_peer || b_node_epoch != b_epoch)

active proctype backend()
{
	byte peer, link, again;

end_life:
	{
end:		do
		:: b_state == HDMABUF_SESSION_DOWN && device ->
			b_offer();
			b_step(HDMABUF_SESSION_START)
		:: b_state == HDMABUF_SESSION_READY && B_SEES ->
			b_read_record(peer, link, again)
		:: b_state == HDMABUF_SESSION_READY && device &&
		   b_node_epoch != b_epoch ->
			b_offer()
		:: b_state == HDMABUF_SESSION_GREETING -> b_take_hello()
		:: ATTEMPT(b_state) && !f_here[b_link] &&
		   !FAULT(HERE_UNNOTICED) && !FAULT(STATES_TRUSTED) ->
			b_detach();
			b_lose()
		:: ATTEMPT(b_state) && B_NOTICES -> b_lose()
		:: b_state != HDMABUF_SESSION_DOWN && !device ->
			b_detach();
			b_step(HDMABUF_SESSION_STOP)
		od
	} unless { b_kill };
	d_step {
		b_kill = false;
		b_here[b_link] = false;		/* HDB-XEN-018 */
		b_link = 0;
		b_state = HDMABUF_SESSION_DOWN;
		b_peer = 0;
		b_dead = 0;
		b_channel = 0;
		peer = 0;
		link = 0;
		again = 0
	};
	if
	:: b_buried
	:: else -> goto end_life
	fi
}

/* ---- What nobody asks the ends about ---- */

active proctype world()
{
end:	do
	:: d_step { troubles -> troubles--; f_kill = true }; !f_kill
	:: d_step { troubles -> troubles--; b_kill = true }; !b_kill
	:: d_step {
		troubles -> troubles = 0; b_buried = true; b_kill = true }
	:: d_step {
		troubles -> troubles--;
		device = false;
		f_node_state = 0; f_node_epoch = 0; f_node_peer = 0; f_node_link = 0;
		b_node_state = 0; b_node_epoch = 0
	   };
	   d_step {
		device = true;
		f_node_state = INITIALISING;
		b_node_state = INITIALISING
	   }
	od
}

ltl heals { <>[] (CONNECTED(f_state) && CONNECTED(b_state) && SAME) || <> b_buried }
ltl death_noticed { [] (b_buried -> <>[] !CONNECTED(f_state)) }
