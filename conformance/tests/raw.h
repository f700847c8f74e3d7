/* SPDX-License-Identifier: MIT */
/* raw.h - rings and cells by hand, processes that interfere, sessions that break */
#ifndef CONFORMANCE_TESTS_RAW_H
#define CONFORMANCE_TESTS_RAW_H

#include "conformance/end/end.h"
#include "conformance/end/shared.h"
#include "conformance/test.h"

#include <sys/types.h>

/* ---- rings -------------------------------------------------------------- */

/* The octets of a message that is in a slot, without a mark. */
void ring_read_slot(const struct ring *ring, uint32_t index, message_t message);
/*
 * How far the IUT has come with the answers in the suite's ring, or with the requests in
 * its own, as far as the suite has not taken them.
 */
uint32_t ring_answered(const struct ring *ring);
uint32_t ring_requested(const struct ring *ring);
/* Waits as await_word() does, until all that the suite has sent is answered. */
bool await_all_answered(struct end *end);
/* The same, until the IUT has sent requests up to this index. */
bool await_requested(struct end *end, uint32_t index);
/* Where the events are. */
unsigned int ring_req_event(const struct ring *ring);
unsigned int ring_rsp_event(const struct ring *ring);
/* An index, or a mark, that counts more requests than there may be. */
void break_requests(struct end *end);
/* Skips the test if rings have no indices. */
void need_indices(struct test *test);
/* How many requests of the suite may be unanswered. */
uint32_t ring_room(const struct end *end);
/* ECHO with octets that are random. */
void make_echo(struct test *test, message_t message);
/* Whether an answer is the one to this ECHO. */
bool is_echo_of(const uint8_t *answer, const message_t message);

/*
 * Waits until a word has this value, without looking at the channel in any other way.
 * False if it does not come.
 */
bool await_word(struct end *end, const uint8_t *at, unsigned int place,
		uint32_t value);
/* Waits until the IUT has nothing more to do for this end. */
void settle(struct end *end);

/* Whether a notification comes after @before of them; a short time if none should. */
bool is_notified(struct end *end, unsigned int before, bool expected);

/* ---- processes ---------------------------------------------------------- */

/*
 * Does @work in a process of its own, until it returns or spoil_end() ends it. It has
 * all of the test's memory in common with it: it stores and notifies, and no more.
 */
pid_t spoil(struct test *test, void (*work)(void *context), void *context);
/* The same with a copy of the memory; it may do anything, but not over the test's ends. */
pid_t spoil_apart(struct test *test, void (*work)(void *context),
		  void *context);
void spoil_end(pid_t pid);
/* Waits until @work has come to an end by itself. */
void spoil_await(pid_t pid);
/* Does nothing for at most so long. */
void pause_randomly(struct test *test, unsigned int most_us);

/* ---- broken sessions ---------------------------------------------------- */

/* Whether the IUT gives up the session, or attempt: its record changes, or it goes. */
bool await_loss(struct end *end);
/*
 * The IUT must treat the session as broken after @what: checks @clause, and that
 * there can be a new session (HDB-BOTH-029), which there is afterwards.
 */
void check_broken(struct end *end, enum clause clause, const char *what);
/* A session that works, so that the IUT knows of it when it is told what to do. */
void greet(struct end *end);
/* The same after one that was silent: who judges has missed too much of that. */
void speak_again(struct end *end);
/* A new session after the old one, which is left without a word. */
void renew(struct end *end);

#endif
