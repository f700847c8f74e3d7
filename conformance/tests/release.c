/* SPDX-License-Identifier: MIT */
/* release.c - how an importer gives back what it has imported */
#include "conformance/tests/buffers.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define IMPORTED HDMABUF_BUFFER_IMPORTED
#define MAPPED	 HDMABUF_BUFFER_MAPPED
#define RETIRING HDMABUF_BUFFER_RETIRING
#define NONE	 HDMABUF_BUFFER_NONE

static const struct plan writable = { .rights = HDMABUF_RIGHTS_READ_WRITE };

/* ---- into a state --------------------------------------------------------- */

static void share_unmapped(struct end *end, struct buffer *buffer)
{
	buffer_share(end, buffer, &writable);
	if (query_state(buffer) != IMPORTED)
		skip(end->test, "the IUT maps a buffer when EXPORT arrives");
}

static void share_mapped(struct end *end, struct buffer *buffer)
{
	buffer_share(end, buffer, &writable);
	if (!take_turn(buffer))
		inconclusive(end->test,
			     "the IUT does not carry out a hand-off");
	if (query_state(buffer) != MAPPED)
		skip(end->test, "the IUT does not keep a buffer mapped");
}

/* The answer's *mapped*; UNEXPORT is in order. */
static uint32_t unexport(struct buffer *buffer, uint32_t grace_ms)
{
	message_t answer;
	uint16_t status = buffer_unexport(buffer, grace_ms, answer);

	if (status != HDMABUF_STATUS_OK)
		inconclusive(buffer->end->test, "UNEXPORT is refused with %s",
			     wire_status_name(status));
	return (uint32_t)wire_get(answer, UNEXPORT_ANSWER_MAPPED);
}

/* The application keeps what the suite wants back, which is mapped. */
static void share_kept(struct end *end, struct buffer *buffer,
		       uint32_t grace_ms)
{
	char name[33];

	buffer_share(end, buffer, &writable);
	control(end->test, "keep on");
	control(end->test, "map %s", buffer_name(buffer, name));
	check(end->test, HDB_IMP_019, unexport(buffer, grace_ms) == 1,
	      "UNEXPORT of a buffer that is mapped is not answered with mapped 1");
}

/* ---- UNEXPORT ------------------------------------------------------------- */

static const uint32_t graces[] = { 0, 1, 100, UINT32_MAX };

static void unmapped_is_released(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(graces); i++) {
		struct buffer buffer;
		what_t what;

		snprintf(
			what, sizeof(what),
			"UNEXPORT with grace_ms %u of a buffer that is not mapped",
			graces[i]);
		share_unmapped(end, &buffer);
		check(test, HDB_IMP_019, unexport(&buffer, graces[i]) == 0,
		      "%s is not answered with mapped 0", what);
		check_unknown(&buffer, HDB_IMP_019, what);
		check(test, HDB_IMP_019, is_unmapped(&buffer),
		      "%s: it was mapped all the same", what);
	}
}

/* It may let go at once, or later. */
static void mapped_is_released(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(graces); i++) {
		struct buffer buffer;
		bool mapped;
		what_t what;

		snprintf(what, sizeof(what),
			 "UNEXPORT with grace_ms %u of a buffer that is mapped",
			 graces[i]);
		share_mapped(end, &buffer);
		mapped = unexport(&buffer, graces[i]);
		comment(test, "the answer is mapped %u", mapped);
		check(test, HDB_IMP_019, mapped || is_unmapped(&buffer),
		      "%s is answered with mapped 0, and it is mapped", what);
		check(test, HDB_IMP_020, !mapped || await_released(&buffer),
		      "%s is answered with mapped 1, and RELEASED does not come",
		      what);
		check_unknown(&buffer, HDB_IMP_019, what);
		check(test, HDB_IMP_020, is_unmapped(&buffer),
		      "%s: it stays mapped", what);
	}
}

/* Nobody tells of a buffer that is kept, and nobody takes it away. */
static void kept_is_released_later(struct test *test)
{
	static const char *const commands[] = { "release", "unmap" };
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		struct buffer buffer;
		char name[33];

		comment(test, "the application keeps the buffer until '%s'",
			commands[i]);
		share_kept(end, &buffer, 60000);
		check_query(&buffer, HDB_BOTH_069, buffer.descriptor,
			    "a buffer that is wanted back");
		check(test, HDB_BOTH_069, query_state(&buffer) == RETIRING,
		      "a buffer that is wanted back is not in state RETIRING");
		check(test, HDB_IMP_022, asks_nothing(end, HDMABUF_OP_RELEASED),
		      "RELEASED comes while the buffer is mapped");
		control(test, "%s %s", commands[i], buffer_name(&buffer, name));
		check(test, HDB_IMP_020, await_released(&buffer),
		      "RELEASED does not come when the buffer is unmapped");
		check_unknown(&buffer, HDB_IMP_020,
			      "a buffer that was kept and is released");
		check(test, HDB_IMP_022, is_unmapped(&buffer),
		      "RELEASED has come, and the buffer is mapped");
	}
}

/* The grace period is what the exporter waits, not what the importer does. */
static void kept_beyond_the_grace_period(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	char name[33];

	share_kept(end, &buffer, 1);
	let_pass(test, 50);
	check(test, HDB_BOTH_069, query_state(&buffer) == RETIRING,
	      "after the grace period the buffer is not in state RETIRING");
	control(test, "release %s", buffer_name(&buffer, name));
	check(test, HDB_IMP_020, await_released(&buffer),
	      "after the grace period RELEASED does not come any more");
	check(test, HDB_IMP_022, is_unmapped(&buffer),
	      "RELEASED has come, and the buffer is mapped");
}

static void zeros_of_unexport(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	for (size_t at = wire_offset(UNEXPORT_ZERO); at < WIRE_MESSAGE_OCTETS;
	     at++) {
		size_t field = at < wire_offset(UNEXPORT_ZERO1) ?
				       wire_offset(UNEXPORT_ZERO) :
				       wire_offset(UNEXPORT_ZERO1);
		message_t message, answer;
		what_t what;

		snprintf(what, sizeof(what),
			 "UNEXPORT whose octet %zu is not zero", at);
		named_message(HDMABUF_OP_UNEXPORT, buffer.id, message);
		message[at] = (uint8_t)(1u << at % 8);
		if (check_status(test, HDB_BOTH_002,
				 end_ask(end, message, answer),
				 HDMABUF_STATUS_RESERVED, "%s", what))
			check_where(test, answer, HDMABUF_WHERE_REQUEST, field,
				    what);
	}
	check_query(&buffer, HDB_BOTH_037, buffer.descriptor,
		    "a buffer whose UNEXPORT was refused");
	check(test, HDB_BOTH_037, take_turn(&buffer),
	      "a buffer whose UNEXPORT was refused is of no use any more");
}

/* ---- RELEASED without being asked -------------------------------------------- */

static void released_unasked(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	char name[33];

	share_mapped(end, &buffer);
	end->serves = false;
	control(test, "release %s", buffer_name(&buffer, name));
	require(test, HDB_IMP_022, await_released(&buffer),
		"a buffer is released, and RELEASED does not come");
	comment(test, "RELEASED is not answered yet: UNEXPORT crosses it");
	check_status(test, HDB_BOTH_038, buffer_unexport(&buffer, 100, NULL),
		     HDMABUF_STATUS_NO_SUCH_BUFFER,
		     "UNEXPORT that crosses RELEASED");
	check_unknown(&buffer, HDB_BOTH_038, "a buffer that is released");
	check(test, HDB_IMP_022, is_unmapped(&buffer),
	      "RELEASED has come, and the buffer is mapped");
}

/* ---- after UNEXPORT --------------------------------------------------------- */

static void not_handed_off_after_unexport(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	char name[33];

	share_kept(end, &buffer, 60000);
	control_try(test, "hand-off %s", buffer_name(&buffer, name));
	check(test, HDB_IMP_021, asks_nothing(end, HDMABUF_OP_HAND_OFF),
	      "a buffer is handed off after UNEXPORT");
}

static void not_mapped_after_unexport(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	char name[33];

	control(test, "hold on");
	share_unmapped(end, &buffer);
	comment(test, "a hand-off is not carried out before UNEXPORT");
	buffer_hand_off(&buffer, HDMABUF_NO_TIMELINE, 0, NULL);
	if (unexport(&buffer, 0) && !await_released(&buffer))
		inconclusive(test, "the IUT does not release a buffer");
	control(test, "hold off");
	control_try(test, "map %s", buffer_name(&buffer, name));
	check(test, HDB_IMP_021, asks_nothing(end, HDMABUF_OP_HAND_OFF),
	      "a buffer is handed off after UNEXPORT");
	check(test, HDB_IMP_021, !see_mappings(&buffer).count,
	      "a buffer is mapped after UNEXPORT");
}

/* ---- the states of an imported buffer ----------------------------------------- */

/**
 * struct transition - what a request does to a buffer of the suite
 * @state: of the buffer
 * @operation: that the exporter sends
 * @status: of the answer
 * @then: state afterwards
 * @clause: that says so
 */
struct transition {
	uint32_t state;
	uint16_t operation;
	uint16_t status;
	uint32_t then;
	enum clause clause;
};

#define DO(state, operation, status, then, clause) \
	{ \
		state, HDMABUF_OP_##operation, HDMABUF_STATUS_##status, then, \
			clause \
	}

static const struct transition transitions[] = {
	DO(IMPORTED, QUERY, OK, IMPORTED, HDB_BOTH_069),
	DO(IMPORTED, EXPORT, DUPLICATE, IMPORTED, HDB_IMP_001),
	DO(IMPORTED, RELEASED, WRONG_ROLE, IMPORTED, HDB_BOTH_043),
	DO(IMPORTED, UNEXPORT, OK, NONE, HDB_IMP_019),
	DO(MAPPED, QUERY, OK, MAPPED, HDB_BOTH_069),
	DO(MAPPED, EXPORT, DUPLICATE, MAPPED, HDB_IMP_001),
	DO(MAPPED, RELEASED, WRONG_ROLE, MAPPED, HDB_BOTH_043),
	DO(MAPPED, CPU_END, WRONG_STATE, MAPPED, HDB_BOTH_038),
	DO(MAPPED, CPU_BEGIN, OK, MAPPED, HDB_BOTH_038),
	DO(MAPPED, CPU_END, OK, MAPPED, HDB_BOTH_038),
	DO(MAPPED, HAND_OFF, OK, MAPPED, HDB_BOTH_038),
	DO(RETIRING, QUERY, OK, RETIRING, HDB_BOTH_069),
	DO(RETIRING, EXPORT, DUPLICATE, RETIRING, HDB_IMP_001),
	DO(RETIRING, RELEASED, WRONG_ROLE, RETIRING, HDB_BOTH_043),
	DO(RETIRING, UPDATE, WRONG_STATE, RETIRING, HDB_BOTH_038),
	DO(RETIRING, HAND_OFF, WRONG_STATE, RETIRING, HDB_BOTH_038),
	DO(RETIRING, UNEXPORT, WRONG_STATE, RETIRING, HDB_BOTH_038),
	DO(RETIRING, CPU_BEGIN, WRONG_STATE, RETIRING, HDB_BOTH_038),
	DO(RETIRING, CPU_END, WRONG_STATE, RETIRING, HDB_BOTH_038),
	DO(NONE, QUERY, NO_SUCH_BUFFER, NONE, HDB_BOTH_038),
	DO(NONE, RELEASED, NO_SUCH_BUFFER, NONE, HDB_BOTH_038),
	DO(NONE, UPDATE, NO_SUCH_BUFFER, NONE, HDB_BOTH_038),
	DO(NONE, HAND_OFF, NO_SUCH_BUFFER, NONE, HDB_BOTH_038),
	DO(NONE, UNEXPORT, NO_SUCH_BUFFER, NONE, HDB_BOTH_038),
	DO(NONE, CPU_BEGIN, NO_SUCH_BUFFER, NONE, HDB_BOTH_038),
	DO(NONE, CPU_END, NO_SUCH_BUFFER, NONE, HDB_BOTH_038),
};

static void take_transition(struct buffer *buffer,
			    const struct transition *transition)
{
	struct end *end = buffer->end;
	uint32_t then;
	what_t what;

	snprintf(what, sizeof(what), "%s of a buffer that is %s",
		 wire_operation_name(transition->operation),
		 wire_buffer_state_name(transition->state));
	comment(end->test, "%s", what);
	check_status(end->test, transition->clause,
		     ask_about(end, transition->operation, buffer->id, NULL),
		     transition->status, "%s", what);
	then = query_state(buffer);
	check(end->test, HDB_BOTH_069, then == transition->then,
	      "%s: state %s expected afterwards, %s seen", what,
	      wire_buffer_state_name(transition->then),
	      wire_buffer_state_name(then));
}

static void take_transitions(struct buffer *buffer, uint32_t state)
{
	for (size_t i = 0; i < COUNT_OF(transitions); i++)
		if (transitions[i].state == state &&
		    is_negotiated(buffer->end, transitions[i].operation))
			take_transition(buffer, &transitions[i]);
}

static void state_imported(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	share_unmapped(end, &buffer);
	take_transitions(&buffer, IMPORTED);
}

static void state_mapped(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	share_mapped(end, &buffer);
	take_transitions(&buffer, MAPPED);
}

static void state_retiring(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	share_kept(end, &buffer, 60000);
	take_transitions(&buffer, RETIRING);
}

static void state_none(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;

	buffer_share(end, &buffer, NULL);
	give_back(&buffer);
	take_transitions(&buffer, NONE);
	comment(test, "its id is free");
	check_taken(test, HDB_IMP_001, buffer_export(&buffer, NULL),
		    "EXPORT of an id that was released");
}

/* ---- the end of the session ----------------------------------------------- */

#define BUFFERS 5

static void share_some(struct end *end, struct buffer *buffers)
{
	for (size_t i = 0; i < BUFFERS; i++)
		share_mapped(end, &buffers[i]);
}

static void check_unmapped(struct buffer *buffers, enum clause clause,
			   const char *when)
{
	for (size_t i = 0; i < BUFFERS; i++)
		check(buffers->end->test, clause, is_unmapped(&buffers[i]),
		      "%s, a buffer is still mapped", when);
}

static void unmapped_before_it_closes(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffers[BUFFERS];
	struct received *request;

	share_some(end, buffers);
	end->serves = false;
	control(test, "close");
	request = end_await_request(end, HDMABUF_OP_CLOSE);
	if (!request)
		inconclusive(test, "the IUT sends no CLOSE");
	check_unmapped(buffers, HDB_BOTH_023, "when CLOSE arrives");
	end_serve(end, request);
}

static void unmapped_when_closed(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffers[BUFFERS];
	message_t message;
	uint16_t status;

	share_some(end, buffers);
	message_init(message, HDMABUF_OP_CLOSE);
	wire_put(message, CLOSE_REASON, HDMABUF_REASON_DONE);
	status = end_ask(end, message, NULL);
	if (status == HDMABUF_STATUS_BUSY)
		skip(test, "the IUT's application does not let go");
	check_status(test, HDB_BOTH_025, status, HDMABUF_STATUS_OK, "CLOSE");
	check_unmapped(buffers, HDB_BOTH_025, "when CLOSE is answered with OK");
}

static void check_revoked(struct buffer *buffer, const char *when)
{
	struct test *test = buffer->end->test;

	check(test, HDB_BOTH_028, buffer_revoke(buffer, test_deadline(test)),
	      "%s, a buffer stays mapped", when);
}

static void unmapped_when_lost(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffers[BUFFERS], unused;

	share_some(end, buffers);
	buffer_share(end, &unused, NULL);
	comment(test, "the session is lost");
	end_abandon(end);
	for (size_t i = 0; i < BUFFERS; i++)
		check_revoked(&buffers[i], "after a loss");
	check_revoked(&unused, "after a loss");
}

/* If the application still has it, it lets go when it is told. */
static void kept_when_lost(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	char name[33];

	share_kept(end, &buffer, 60000);
	comment(test, "the session is lost");
	end_abandon(end);
	control_try(test, "release %s", buffer_name(&buffer, name));
	check_revoked(&buffer, "after a loss while it was kept");
}

#define TOLD (OPTION_IMPORT | OPTION_CONTROL)

static const struct test_case cases[] = {
	TEST(unmapped_is_released,
	     "A buffer that is not mapped is released by UNEXPORT", OF_BOTH,
	     OPTION_IMPORT, HDB_IMP_019),
	TEST(mapped_is_released,
	     "A buffer that is mapped is released after UNEXPORT", OF_BOTH,
	     OPTION_IMPORT, HDB_IMP_019, HDB_IMP_020),
	TEST(kept_is_released_later,
	     "A buffer that the application keeps is released when it lets go",
	     OF_BOTH, TOLD, HDB_IMP_019, HDB_IMP_020, HDB_IMP_022,
	     HDB_BOTH_069),
	TEST(kept_beyond_the_grace_period,
	     "RELEASED comes also after the grace period", OF_BOTH, TOLD,
	     HDB_IMP_019, HDB_IMP_020, HDB_IMP_022, HDB_BOTH_069),
	TEST(released_unasked,
	     "RELEASED may come without UNEXPORT, and cross it", OF_BOTH, TOLD,
	     HDB_IMP_022, HDB_BOTH_038),
	TEST(not_handed_off_after_unexport,
	     "A buffer is not handed off after UNEXPORT", OF_BOTH, TOLD,
	     HDB_IMP_019, HDB_IMP_021),
	TEST(not_mapped_after_unexport, "A buffer is not mapped after UNEXPORT",
	     OF_BOTH, TOLD, HDB_IMP_021),
	TEST(zeros_of_unexport,
	     "UNEXPORT in which a zero field is not zero is refused", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_039),
	TEST(state_imported,
	     "What may happen to a buffer that is imported, and what may not",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_043, HDB_BOTH_069, HDB_IMP_001,
	     HDB_IMP_019),
	TEST(state_mapped,
	     "What may happen to a buffer that is mapped, and what may not",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_038, HDB_BOTH_043, HDB_BOTH_069,
	     HDB_IMP_001),
	TEST(state_retiring,
	     "What may happen to a buffer that is wanted back, and what may not",
	     OF_BOTH, TOLD, HDB_BOTH_038, HDB_BOTH_043, HDB_BOTH_069,
	     HDB_IMP_001, HDB_IMP_019),
	TEST(state_none, "A buffer that is released is not known", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_038, HDB_BOTH_069, HDB_IMP_001),
	TEST(unmapped_before_it_closes,
	     "All buffers are unmapped when CLOSE is sent", OF_BOTH, TOLD,
	     HDB_BOTH_023),
	TEST(unmapped_when_closed,
	     "All buffers are unmapped when CLOSE is answered with OK", OF_BOTH,
	     OPTION_IMPORT, HDB_BOTH_025),
	TEST(unmapped_when_lost, "All buffers are unmapped after a loss",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_028),
	TEST(kept_when_lost,
	     "A buffer that the application kept is unmapped after a loss",
	     OF_BOTH, TOLD, HDB_IMP_019, HDB_BOTH_028),
};

TEST_GROUP(release, cases);
