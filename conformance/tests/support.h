/* SPDX-License-Identifier: MIT */
/* support.h - what tests of several groups need */
#ifndef CONFORMANCE_TESTS_SUPPORT_H
#define CONFORMANCE_TESTS_SUPPORT_H

#include "conformance/end/buffer.h"
#include "conformance/end/end.h"
#include "conformance/test.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Lets things happen for a short time, for what must not happen. */
void let_pass(struct test *test, unsigned int milliseconds);

/* ---- attempts at a session ---------------------------------------------- */

/* Frontend: an offer has come and the channel is made. */
struct end *attempt_open(struct test *test);
/* The next attempt over the same link: waits for the next offer. */
void attempt_again(struct end *end);
/* The status of the answer to HELLO; UINT16_MAX if there is none. */
uint16_t attempt_hello(struct end *end, message_t hello, uint8_t *answer);

/* Backend: waits until the IUT's record is another than that of this epoch. */
bool await_record_change(struct end *end, uint64_t epoch);

/* Frontend: lets something happen; false when the offer is another. */
bool await_same_offer(struct end *end, uint64_t deadline);

/* ---- references --------------------------------------------------------- */

/*
 * Whether references of the suite can be revoked, which is so when the IUT has none
 * of the pages mapped, now or before long. @references as end_share() gave them.
 */
bool await_revoked(struct end *end, const uint64_t *references, uint64_t count);
/* The same, tried once. */
bool is_revoked(struct end *end, const uint64_t *references, uint64_t count);

/* ---- death -------------------------------------------------------------- */

/*
 * Another process plays the suite's end, as @script says, and is killed when that
 * returns. The IUT is started for it if it is not there. Returns when it is dead.
 */
void play_and_die(struct test *test,
		  void (*script)(struct end *end, unsigned int step),
		  unsigned int step);
/* The same in two steps; in between, the test may kill it. */
pid_t play_start(struct test *test,
		 void (*script)(struct end *end, unsigned int step),
		 unsigned int step);
/* In between: the IUT has told by an event that it has a session with it. */
void play_await_session(struct test *test);
void play_await(struct test *test, pid_t pid);

#endif
