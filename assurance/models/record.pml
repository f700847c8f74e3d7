/* SPDX-License-Identifier: MIT */
/*
 * A record in a store that is neither written nor read atomically: the writer
 * replaces its record again and again, by single stores; the reader looks at any
 * moments in between.
 *
 * property record_whole: what a reader takes for a record was written as one
 * property read_at_last: the last record is read when the writer rests
 *
 * fault EPOCH_FIRST breaks record_whole: the epoch is written before the other keys
 *	(HDB-BOTH-005)
 * fault EPOCH_STAYS breaks record_whole: the epoch is not removed before the other
 *	keys change (HDB-BOTH-005)
 * fault EPOCH_READ_ONCE breaks record_whole: the reader reads the epoch before the
 *	other keys only (HDB-BOTH-006)
 * fault GIVES_UP breaks read_at_last: a reader that finds two epochs does not look
 *	again when the store reports a change (HDB-BOTH-006)
 */
bool record_whole = true;

#include "common.inc"

#define RECORDS 4

/* Two keys and the epoch; a record's keys hold its number. */
byte epoch, first, second;
byte taken;			/* the record that was read last */
bool changed;			/* the store has something to report */

/* A watch that was not taken yet stands for this change too. */
inline store(key, value)
{
	atomic { key = value; changed = true }
}

active proctype writer()
{
	byte number;

	do
	:: number < RECORDS ->
		number++;
		if
		:: FAULT(EPOCH_STAYS)
		:: else -> store(epoch, 0)
		fi;
		if
		:: FAULT(EPOCH_FIRST) -> store(epoch, number)
		:: else
		fi;
		store(first, number);
		store(second, number);
		store(epoch, number)
	:: else -> break
	od
}

active proctype reader()
{
	byte before, one, two, after;

end:	do
	:: atomic { changed -> changed = false };
		before = epoch;
		one = first;
		two = second;
		after = epoch;
		if
		:: before && (before == after || FAULT(EPOCH_READ_ONCE)) ->
			d_step {
				MUST(record_whole, one == before && two == before);
				taken = before
			}
		:: else ->
			if
			:: FAULT(GIVES_UP) && before -> break
			:: else
			fi
		fi;
		d_step { before = 0; one = 0; two = 0; after = 0 }
	od
}

ltl read_at_last { <>[] (taken == RECORDS) }
