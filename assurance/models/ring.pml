/* SPDX-License-Identifier: MIT */
/*
 * Notification hold-off of a ring of format 0: the requester sends requests in
 * batches, the responder answers each in the same ring; both sleep when there is
 * nothing to do, and wake each other only when an event is crossed.
 *
 * Stores wait in a buffer and become visible one by one. The order is that of x86 (TSO),
 * but that stores to different places may overtake each other unless a write barrier
 * is between them, which x86 does not do and others do. A full barrier waits until the
 * buffer is empty. Loads are not reordered, but where a fault does.
 *
 * Indices are modulo 8 here, begin at 6 and wrap; a ring has two slots.
 *
 * property message_whole: what is taken from a slot is what was put there for that index
 * property all_done: when both ends sleep, every request was handled and answered
 * property gets_done: every request is handled and answered at last
 *
 * fault NO_BARRIER_OF_PRODUCER breaks all_done: no full barrier between index and event
 *	(HDB-BOTH-013)
 * fault NO_BARRIER_OF_CONSUMER breaks all_done: no full barrier between event and index
 *	(HDB-BOTH-014)
 * fault NO_SECOND_LOOK breaks gets_done: a consumer sleeps without looking again
 *	(HDB-BOTH-014)
 * fault NO_WRITE_BARRIER breaks message_whole: none between slot and index
 * fault NO_READ_BARRIER breaks message_whole: the slot is read before the index
 *	(HDB-BOTH-009)
 * fault EVENT_BEHIND breaks all_done: the event asks for what was taken already
 * fault AT_EVENT_ONLY breaks all_done: a batch that passes the event without stopping
 *	there is not notified (HDB-BOTH-013)
 */
bool message_whole = true;
bool all_done = true;

#include "common.inc"

#define MESSAGES 3
#define SLOTS 2
#define START 6
#define MODULO(index) ((index) & 7)
#define SLOT(index) ((index) & 1)

/* Places in memory: two slots, then the four words of struct hdmabuf_ring_indices. */
#define REQ_PROD 2
#define REQ_EVENT 3
#define RSP_PROD 4
#define RSP_EVENT 5
byte memory[6];

#define REQUESTER 0
#define RESPONDER 1

/*
 * A store buffer: two slots and two words may wait, each once; a write barrier stands
 * before the one word that it is for. Values in slots: index + 1 of a request, 16 more
 * of an answer.
 */
typedef buffer_t {
	bool waits[6];
	byte value[6];
	bool ordered[6];	/* not before the slots that wait */
};
buffer_t buffer[2];
bool notified[2];
byte handled, answered;

#define EMPTY(end) \
	(!buffer[end].waits[0] && !buffer[end].waits[1] && \
	 !buffer[end].waits[2] && !buffer[end].waits[3] && \
	 !buffer[end].waits[4] && !buffer[end].waits[5])
#define MAY_LEAVE(end, place) \
	(buffer[end].waits[place] && !(buffer[end].ordered[place] && \
	 (buffer[end].waits[0] || buffer[end].waits[1])))

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
	:: d_step { MAY_LEAVE(end, REQ_PROD) -> leave(end, REQ_PROD) }
	:: d_step { MAY_LEAVE(end, REQ_EVENT) -> leave(end, REQ_EVENT) }
	:: d_step { MAY_LEAVE(end, RSP_PROD) -> leave(end, RSP_PROD) }
	:: d_step { MAY_LEAVE(end, RSP_EVENT) -> leave(end, RSP_EVENT) }
	od
}

/* HDB-BOTH-013 */
inline push(end, index, event, produced, pushed, seen)
{
	store(end, index, produced, !FAULT(NO_WRITE_BARRIER));
	if
	:: FAULT(NO_BARRIER_OF_PRODUCER)
	:: else -> full_barrier(end)
	fi;
	load(end, event, seen);
	d_step {
		if
		:: FAULT(AT_EVENT_ONLY) && produced != seen
		:: MODULO(produced - seen) < MODULO(produced - pushed) &&
		   (!FAULT(AT_EVENT_ONLY) || produced == seen) ->
			notified[1 - end] = true
		:: else
		fi;
		pushed = produced;
		seen = 0
	}
}

/* HDB-BOTH-014: seen is what is there now. */
inline arm(end, index, event, wanted, seen)
{
	store(end, event, MODULO(wanted), false);
	if
	:: FAULT(NO_BARRIER_OF_CONSUMER)
	:: else -> full_barrier(end)
	fi;
	load(end, index, seen)
}

/* HDB-BOTH-009: first the index, then the slot. */
inline look(end, index, consumed, seen, message)
{
	if
	:: FAULT(NO_READ_BARRIER) ->
		load(end, SLOT(consumed), message);
		load(end, index, seen)
	:: else ->
		load(end, index, seen);
		load(end, SLOT(consumed), message)
	fi
}

proctype requester()
{
	byte produced = START, pushed = START, consumed = START;
	byte seen, message, sent;
	bool asleep;

	do
	:: sent < MESSAGES && MODULO(produced - consumed) < SLOTS ->
		store(REQUESTER, SLOT(produced), produced + 1, false);
		d_step { produced = MODULO(produced + 1); sent++ };
		if
		:: sent < MESSAGES && MODULO(produced - consumed) < SLOTS
		:: push(REQUESTER, REQ_PROD, REQ_EVENT, produced, pushed, seen)
		fi
	:: produced == pushed && produced != consumed && !asleep ->
		look(REQUESTER, RSP_PROD, consumed, seen, message);
		if
		:: seen != consumed ->
			d_step {
				MUST(message_whole, message == consumed + 17);
				consumed = MODULO(consumed + 1);
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
			arm(REQUESTER, RSP_PROD, RSP_EVENT, message, seen);
			asleep = (seen == consumed || FAULT(NO_SECOND_LOOK))
		fi;
		d_step { seen = 0; message = 0 }
	:: asleep ->
end_asleep:	atomic { notified[REQUESTER] ->
			notified[REQUESTER] = false; asleep = false }
	:: answered == MESSAGES -> break
	od
}

proctype responder()
{
	byte produced = START, pushed = START, consumed = START;
	byte seen, message;

	do
	:: look(RESPONDER, REQ_PROD, consumed, seen, message);
		if
		:: seen != consumed ->
			d_step {
				MUST(message_whole, message == consumed + 1);
				consumed = MODULO(consumed + 1);
				handled++;
				seen = 0;
				message = 0
			};
			/* One answer for itself, or with others. */
			store(RESPONDER, SLOT(produced), produced + 17, false);
			produced = MODULO(produced + 1);
			if
			:: MODULO(produced - pushed) < SLOTS
			:: push(RESPONDER, RSP_PROD, RSP_EVENT, produced, pushed,
				seen)
			fi
		:: else ->
			if
			:: produced != pushed ->
				push(RESPONDER, RSP_PROD, RSP_EVENT, produced,
				     pushed, seen)
			:: else
			fi;
			d_step {
				if
				:: FAULT(EVENT_BEHIND) -> message = consumed
				:: else -> message = consumed + 1
				fi
			};
			arm(RESPONDER, REQ_PROD, REQ_EVENT, message, seen);
			message = 0;
			if
			:: seen != consumed && !FAULT(NO_SECOND_LOOK)
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
		memory[REQ_PROD] = START;
		memory[REQ_EVENT] = START + 1;
		memory[RSP_PROD] = START;
		memory[RSP_EVENT] = START + 1;
		run store_buffer(REQUESTER);
		run store_buffer(RESPONDER);
		run requester();
		run responder()
	}
}

ltl gets_done { <> (handled == MESSAGES && answered == MESSAGES) }
