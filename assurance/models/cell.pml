/* SPDX-License-Identifier: MIT */
/*
 * The cell of a timeline: points of two words, the wake word, and the hold-off of
 * notifications. The signaller's and the waiter's stores wait in buffers as in ring.pml.
 * Words have two bits here, so a point passes several multiples of a word.
 *
 * property point_was_stored: no point is read that was not reached yet
 * property work_visible: what a point stands for is seen by who sees the point
 * property points_before_error: who sees the error has seen all points before it
 * property all_woken: nobody sleeps for ever for a point that was reached
 * property all_waits_end: every wait ends, unless the signaller does nothing any more
 *
 * fault NO_BARRIER_OF_SIGNALLER breaks all_woken: no full barrier between point and wake
 *	(HDB-BOTH-058)
 * fault NO_BARRIER_OF_WAITER breaks all_woken: no full barrier between wake and point
 *	(HDB-BOTH-059)
 * fault NO_SECOND_LOOK breaks all_woken: the waiter sleeps without looking again
 *	(HDB-BOTH-059)
 * fault HIGH_WORD_OVERLOOKED breaks all_woken: a high word that changes is no reason to
 *	notify (HDB-BOTH-058)
 * fault NO_WRITE_BARRIERS breaks point_was_stored: the words of a point become visible
 *	in any order
 * fault WORDS_IN_ONE_ORDER breaks point_was_stored: the reader takes the words in the
 *	order in which they are written
 * fault LOW_WORD_LAST breaks point_was_stored: both high words are written first
 * fault POINT_BEFORE_WORK breaks work_visible: the point is not kept behind the work
 *	(HDB-BOTH-057)
 * fault ERROR_IGNORED breaks all_waits_end: a wait goes on though the signaller has given
 *	up (HDB-BOTH-060)
 * fault POINT_BEFORE_ERROR breaks points_before_error: the waiter reads the point, then
 *	the error
 */
bool point_was_stored = true;
bool work_visible = true;
bool points_before_error = true;
bool all_woken = true;

#include "common.inc"

#define WORD 4
#define BEGIN 0		/* the signaller goes to END, in steps of 1 or 3 */
#ifdef LIVENESS
#define END 5
#else
#define END 6
#endif

/* Places in memory; work holds the point up to which work is done. */
#define WORK 0
#define NEXT 1
#define LOW 2
#define HIGH 3
#define ERROR 4
#define WAKE 5
byte memory[6];

/* The signaller's store buffer, by places, with what each has to wait for. */
bool waits[5];
byte value[5];
byte after[5];			/* bits of the places that leave before it */
bool wake_waits;		/* the waiter's, of one word */
byte wake_value;

byte reached = BEGIN;		/* the point that was stored last, or is being stored */
byte wanted;			/* the point that is waited for */
bool rests;			/* the signaller will store no point, and no error */
bool notified, woken;

#define BIT(place) (1 << (place))
#define WAITING (waits[0] | waits[1] << 1 | waits[2] << 2 | waits[3] << 3 | \
		 waits[4] << 4)
#define HIGH_WORD(point) ((point) / WORD)
#define LOW_WORD(point) ((point) % WORD)
#define SUBTRACT(a, b) (((a) + WORD - (b)) % WORD)

inline store(place, what, behind)
{
	d_step {
		!waits[place] ->
		waits[place] = true;
		value[place] = what;
		after[place] = (FAULT(NO_WRITE_BARRIERS) && place < ERROR ->
				(behind) & BIT(WORK) : behind)
	}
}

inline leave(place)
{
	d_step {
		waits[place] && !(after[place] & WAITING) ->
		memory[place] = value[place];
		waits[place] = false;
		value[place] = 0;
		after[place] = 0
	}
}

active proctype signallers_buffer()
{
end:	do
	:: leave(WORK)
	:: leave(NEXT)
	:: leave(LOW)
	:: leave(HIGH)
	:: leave(ERROR)
	od
}

active proctype waiters_buffer()
{
end:	do
	:: d_step {
		wake_waits ->
		memory[WAKE] = wake_value;
		wake_waits = false;
		wake_value = 0
	   }
	od
}

inline store_point(point)
{
	if
	:: FAULT(LOW_WORD_LAST) ->
		store(NEXT, HIGH_WORD(point), BIT(WORK));
		store(HIGH, HIGH_WORD(point), BIT(NEXT));
		store(LOW, LOW_WORD(point), BIT(HIGH) | BIT(WORK))
	:: FAULT(POINT_BEFORE_WORK) ->
		store(NEXT, HIGH_WORD(point), 0);
		store(LOW, LOW_WORD(point), BIT(NEXT));
		store(HIGH, HIGH_WORD(point), BIT(NEXT) | BIT(LOW))
	:: else ->
		store(NEXT, HIGH_WORD(point), 0);
		store(LOW, LOW_WORD(point), BIT(NEXT) | BIT(WORK));
		store(HIGH, HIGH_WORD(point), BIT(NEXT) | BIT(LOW) | BIT(WORK))
	fi
}

/* HDB-BOTH-058 */
inline notify_if_crossed(old, point, wake)
{
	if
	:: FAULT(NO_BARRIER_OF_SIGNALLER)
	:: else -> !WAITING
	fi;
	d_step {
		wake = memory[WAKE];
		if
		:: (HIGH_WORD(point) != HIGH_WORD(old) &&
		    !FAULT(HIGH_WORD_OVERLOOKED)) ||
		   SUBTRACT(LOW_WORD(point), wake) <
		   SUBTRACT(LOW_WORD(point), LOW_WORD(old)) ->
			notified = true
		:: else
		fi;
		wake = 0
	}
}

active proctype signaller()
{
	byte old = BEGIN, wake;

	do
	:: reached < END ->
		old = reached;
		if
		:: reached = old + 1
		:: old + 3 <= END -> reached = old + 3
		fi;
		store(WORK, reached, 0);
		store_point(reached);
		notify_if_crossed(old, reached, wake)
	:: break
	od;
	if
	:: rests = true
	:: /* It cannot go on: after its last point. */
		store(ERROR, 1, BIT(WORK) | BIT(NEXT) | BIT(LOW) | BIT(HIGH));
		!WAITING;
		notified = true
	fi
}

/* HDB-BOTH-056: known is kept unless the words agree on a greater point. */
inline read_point(known, high, low, next)
{
	if
	:: FAULT(WORDS_IN_ONE_ORDER) ->
		next = memory[NEXT];
		low = memory[LOW];
		high = memory[HIGH]
	:: else ->
		high = memory[HIGH];
		low = memory[LOW];
		next = memory[NEXT]
	fi;
	d_step {
		if
		:: high == next && high * WORD + low > known ->
			known = high * WORD + low;
			MUST(point_was_stored, known <= reached)
		:: else
		fi;
		high = 0;
		low = 0;
		next = 0
	}
}

/* The error first, and then the point. */
inline look(error, known, high, low, next)
{
	if
	:: FAULT(POINT_BEFORE_ERROR) ->
		read_point(known, high, low, next);
		error = memory[ERROR]
	:: else ->
		error = memory[ERROR];
		read_point(known, high, low, next)
	fi;
	MUST(work_visible, memory[WORK] >= known);
	MUST(points_before_error, !error || known == reached)
}

/* Waits for one point after another, or for any, as the application likes. */
active proctype waiter()
{
	byte known = BEGIN, error, high, low, next;

	do
	:: wanted = known + 1;
		if
		:: wanted < END -> wanted++
		:: true
		fi;
		do
		:: look(error, known, high, low, next);
			if
			:: known >= wanted || (error && !FAULT(ERROR_IGNORED)) -> break
			:: else
			fi;
			d_step {
				!wake_waits ->
				wake_waits = true;
				wake_value = LOW_WORD(wanted)
			};
			if
			:: FAULT(NO_BARRIER_OF_WAITER)
			:: else -> !wake_waits
			fi;
			if
			:: FAULT(NO_SECOND_LOOK)
			:: else -> look(error, known, high, low, next)
			fi;
			if
			:: known >= wanted || (error && !FAULT(ERROR_IGNORED)) -> break
			:: else ->
end_asleep:			d_step { notified -> notified = false }
			fi
		od;
		if
		:: error || known == END -> break
		:: else
		fi
	od;
	woken = true
}

/* Nobody can go on: no wait may be left over but one that nobody will end. */
active proctype judge()
{
end:	timeout -> MUST(all_woken, woken || (rests && wanted > reached))
}

ltl all_waits_end { <> woken || <>[] (rests && wanted > reached) }
