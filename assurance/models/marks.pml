/* SPDX-License-Identifier: MIT */
/*
 * A ring of format 1: no index is shared, the word of a batch's first slot is its mark.
 * The requester sends requests in batches, the responder answers each in the same ring;
 * both sleep when there is nothing to do, and wake each other only when an event is
 * crossed. Stores wait in buffers, and barriers are, as in ring.pml.
 *
 * Indices are modulo 8 here, begin at 6 and wrap; a ring has two slots.
 *
 * property message_whole: what is taken from a slot is what was put there for that index
 * property no_mark_wild: no mark counts more than there may be
 * property all_done: when both ends sleep, every request was handled and answered
 * property gets_done: every request is handled and answered at last
 *
 * fault NO_BARRIER_OF_PRODUCER breaks all_done: no full barrier between mark and event
 *	(HDB-BOTH-013)
 * fault NO_BARRIER_OF_CONSUMER breaks all_done: no full barrier between event and mark
 *	(HDB-BOTH-014)
 * fault NO_SECOND_LOOK breaks gets_done: a consumer sleeps without looking again
 *	(HDB-BOTH-014)
 * fault NO_WRITE_BARRIER breaks message_whole: none between slots and mark
 *	(HDB-BOTH-070)
 * fault NO_READ_BARRIER breaks message_whole: the slot is read before its mark
 *	(HDB-BOTH-009)
 * fault EVENT_BEHIND breaks all_done: the event asks for what was taken already
 * fault OLD_MARKS breaks message_whole: a mark is looked for where the old one stands
 *	(HDB-BOTH-072)
 * fault MARK_NOT_CLEARED breaks message_whole: a slot that is not the first of its batch
 *	keeps its mark
 * fault MARK_OF_ONE_MORE breaks no_mark_wild: a mark counts a message that is not there
 *	(HDB-BOTH-071)
 * fault ONE_KIND breaks message_whole: the marks of requests and answers are the same
 */
bool message_whole = true;
bool no_mark_wild = true;
bool all_done = true;

#include "common.inc"

#define MESSAGES 3
#define SLOTS 2
#define START 6
#define MODULO(index) ((index) & 7)
#define SLOT(index) ((index) & 1)
#define WORD(index) (2 + ((index) & 1))

/* Places in memory: two slots, their words, the two events. */
#define REQ_EVENT 4
#define RSP_EVENT 5
byte memory[6];

#define REQUESTER 0
#define RESPONDER 1

/* What is added to the number of messages in a mark. */
#define REQUESTS 0
#define ANSWERS (FAULT(ONE_KIND) -> 0 : 2 + FAULT(MARK_OF_ONE_MORE))

/* Values in slots: index + 1 of a request, 16 more of an answer. */
typedef buffer_t {
	bool waits[6];
	byte value[6];
	bool ordered[6];	/* behind all of the slots that waits */
};
buffer_t buffer[2];
bool notified[2];
byte handled, answered;

#define EMPTY(end) \
	(!buffer[end].waits[0] && !buffer[end].waits[1] && \
	 !buffer[end].waits[2] && !buffer[end].waits[3] && \
	 !buffer[end].waits[4] && !buffer[end].waits[5])
#define OTHER(place) ((place) == 2 -> 3 : 2)
#define MAY_LEAVE(end, place) \
	(buffer[end].waits[place] && !(buffer[end].ordered[place] && \
	 (buffer[end].waits[0] || buffer[end].waits[1] || \
	  buffer[end].waits[OTHER(place)])))

/* Two stores to one place keep their order: the second waits for the first. */
inline store(end, place, what, in_order)
{
	d_step {
		!buffer[end].waits[place] ->
		buffer[end].waits[place] = true;
		buffer[end].value[place] = what;
		buffer[end].ordered[place] = in_order
	}
}

inline load(end, place, into)
{
	d_step {
		if
		:: buffer[end].waits[place] -> into = buffer[end].value[place]
		:: else -> into = memory[place]
		fi
	}
}

inline full_barrier(end) { EMPTY(end) }

inline leave(end, place)
{
	memory[place] = buffer[end].value[place];
	buffer[end].waits[place] = false;
	buffer[end].value[place] = 0;
	buffer[end].ordered[place] = false
}

proctype store_buffer(byte end)
{
end_empty:
	do
	:: d_step { MAY_LEAVE(end, 0) -> leave(end, 0) }
	:: d_step { MAY_LEAVE(end, 1) -> leave(end, 1) }
	:: d_step { MAY_LEAVE(end, 2) -> leave(end, 2) }
	:: d_step { MAY_LEAVE(end, 3) -> leave(end, 3) }
	:: d_step { buffer[end].waits[REQ_EVENT] -> leave(end, REQ_EVENT) }
	:: d_step { buffer[end].waits[RSP_EVENT] -> leave(end, RSP_EVENT) }
	od
}

/* The first of a batch keeps its word, the others have theirs cleared. */
inline put(end, message, produced, pushed)
{
	store(end, SLOT(produced), message, false);
	if
	:: produced == pushed || FAULT(MARK_NOT_CLEARED)
	:: else -> store(end, WORD(produced), 0, false)
	fi;
	produced = MODULO(produced + 1)
}

/* HDB-BOTH-070, HDB-BOTH-013 */
inline push(end, kind, event, produced, pushed, seen)
{
	store(end, WORD(pushed),
	      kind + MODULO(produced - pushed) + FAULT(MARK_OF_ONE_MORE),
	      !FAULT(NO_WRITE_BARRIER));
	if
	:: FAULT(NO_BARRIER_OF_PRODUCER)
	:: else -> full_barrier(end)
	fi;
	load(end, event, seen);
	d_step {
		if
		:: MODULO(produced - seen) < MODULO(produced - pushed) ->
			notified[1 - end] = true
		:: else
		fi;
		pushed = produced;
		seen = 0
	}
}

/* How many messages a mark in the next slot counts; @most of them may be there. */
inline look(end, kind, consumed, most, count)
{
	count = 0;
	if
	:: most || FAULT(OLD_MARKS) ->
		load(end, WORD(consumed), count);
		d_step {
			if
			:: count > kind && count <= kind + SLOTS + FAULT(MARK_OF_ONE_MORE) ->
				count = count - kind;
				MUST(no_mark_wild, count <= most ||
						   FAULT(OLD_MARKS) ||
						   FAULT(ONE_KIND) ||
						   FAULT(MARK_NOT_CLEARED))
			:: else -> count = 0
			fi
		}
	:: else
	fi
}

/* HDB-BOTH-009: first the mark, then the slot. */
inline receive(end, kind, consumed, most, ready, message)
{
	if
	:: ready -> load(end, SLOT(consumed), message)
	:: !ready && FAULT(NO_READ_BARRIER) ->
		load(end, SLOT(consumed), message);
		look(end, kind, consumed, most, ready)
	:: else ->
		look(end, kind, consumed, most, ready);
		load(end, SLOT(consumed), message)
	fi
}

/* HDB-BOTH-014: seen is what is there now. */
inline arm(end, kind, event, wanted, consumed, most, seen)
{
	store(end, event, MODULO(wanted), false);
	if
	:: FAULT(NO_BARRIER_OF_CONSUMER)
	:: else -> full_barrier(end)
	fi;
	look(end, kind, consumed, most, seen)
}

proctype requester()
{
	byte produced = START, pushed = START, consumed = START;
	byte seen, message, sent, ready;
	bool asleep;

	do
	:: sent < MESSAGES && MODULO(produced - consumed) < SLOTS ->
		put(REQUESTER, produced + 1, produced, pushed);
		sent++;
		if
		:: sent < MESSAGES && MODULO(produced - consumed) < SLOTS
		:: push(REQUESTER, REQUESTS, REQ_EVENT, produced, pushed, seen)
		fi
	:: produced == pushed && (produced != consumed || FAULT(OLD_MARKS)) &&
	   !asleep && answered < MESSAGES ->
		receive(REQUESTER, ANSWERS, consumed, MODULO(pushed - consumed),
			ready, message);
		if
		:: ready ->
			d_step {
				MUST(message_whole, message == consumed + 17);
				consumed = MODULO(consumed + 1);
				ready--;
				answered++
			}
		:: else ->
			if	/* at the next answer, or when all are there */
			:: message = consumed + 1
			:: message = produced
			fi;
			if
			:: FAULT(EVENT_BEHIND) -> message = consumed
			:: else
			fi;
			arm(REQUESTER, ANSWERS, RSP_EVENT, message, consumed,
			    MODULO(pushed - consumed), seen);
			asleep = (!seen || FAULT(NO_SECOND_LOOK))
		fi;
		d_step { seen = 0; message = 0 }
	:: asleep ->
end_asleep:	atomic { notified[REQUESTER] ->
			notified[REQUESTER] = false; asleep = false }
	:: answered == MESSAGES -> break
	od
}

/* A request may be there only where its answer was shown to the requester. */
#define ROOM (SLOTS - MODULO(consumed - pushed))

proctype responder()
{
	byte produced = START, pushed = START, consumed = START;
	byte seen, message, ready;

	do
	:: receive(RESPONDER, REQUESTS, consumed, ROOM, ready, message);
		if
		:: ready ->
			d_step {
				MUST(message_whole, message == consumed + 1);
				consumed = MODULO(consumed + 1);
				ready--;
				handled++;
				seen = 0;
				message = 0
			};
			/* One answer for itself, or with others. */
			put(RESPONDER, produced + 17, produced, pushed);
			if
			:: MODULO(produced - pushed) < SLOTS
			:: push(RESPONDER, ANSWERS, RSP_EVENT, produced, pushed,
				seen)
			fi
		:: else ->
			if
			:: produced != pushed ->
				push(RESPONDER, ANSWERS, RSP_EVENT, produced,
				     pushed, seen)
			:: else
			fi;
			d_step {
				if
				:: FAULT(EVENT_BEHIND) -> message = consumed
				:: else -> message = consumed + 1
				fi
			};
			arm(RESPONDER, REQUESTS, REQ_EVENT, message, consumed,
			    ROOM, seen);
			message = 0;
			if
			:: seen && !FAULT(NO_SECOND_LOOK) -> seen = 0
			:: else ->
				seen = 0;
end_asleep:			atomic { notified[RESPONDER] ->
					notified[RESPONDER] = false }
			fi
		fi
	od
}

/* Nobody can go on: that must be because there is nothing left to do. */
active proctype judge()
{
end:	timeout -> MUST(all_done, handled == MESSAGES && answered == MESSAGES)
}

init {
	atomic {
		memory[REQ_EVENT] = START + 1;
		memory[RSP_EVENT] = START + 1;
		run store_buffer(REQUESTER);
		run store_buffer(RESPONDER);
		run requester();
		run responder()
	}
}

ltl gets_done { <> (handled == MESSAGES && answered == MESSAGES) }
