/* SPDX-License-Identifier: MIT */
/* buffers.h - what tests of buffers need */
#ifndef CONFORMANCE_TESTS_BUFFERS_H
#define CONFORMANCE_TESTS_BUFFERS_H

#include "conformance/tests/support.h"

/* What is tried, for comments and findings. */
typedef char what_t[160];

/* ---- answers ------------------------------------------------------------ */

/*
 * What is in order has to be taken. If the IUT says that it cannot have it, and may
 * say so, the test is inconclusive.
 */
bool check_taken(struct test *test, enum clause clause, uint16_t status,
		 const char *what);
/* Where the answer says that the offence lies, if a clause demands that. */
bool check_lies_in(struct test *test, enum clause clause, const uint8_t *answer,
		   uint32_t where, const char *what);
/* HDB-BOTH-039: what the answer calls the offending value, or the limit. */
bool check_value(struct test *test, const uint8_t *answer, uint64_t value,
		 const char *what);

/* ---- wrong fields ------------------------------------------------------- */

enum making {
	SET,  /* the value itself */
	ADD,  /* as it was, and the value */
	PAGE, /* the octets of a page, and the value */
};

/**
 * struct spoilt - a field with a value that is not allowed
 * @place: of the field
 * @making: how its value is made
 * @value: of which it is made
 * @status: that the request has to be answered with
 * @clause: that says so
 * @also: another field that may be blamed, or 0
 */
struct spoilt {
	unsigned int place;
	enum making making;
	uint64_t value;
	uint16_t status;
	enum clause clause;
	unsigned int also;
};

/* Spoils @structure; the value, as far as the field has room for it. */
uint64_t spoil_field(const struct end *end, void *structure,
		     const struct spoilt *spoilt);

/* HDB-BOTH-039: the answer blames that field of a descriptor, and its value. */
void check_blame(struct test *test, const uint8_t *answer,
		 const struct spoilt *spoilt, uint64_t value, const char *what);

/* ---- buffers of the suite ----------------------------------------------- */

/* QUERY tells what @descriptor says. The state that it tells. */
uint32_t check_query(struct buffer *buffer, enum clause clause,
		     const uint8_t *descriptor, const char *what);
/* The same of a buffer of either end. */
uint32_t check_query_of(struct end *end, const uint8_t id[16],
			enum clause clause, const uint8_t *descriptor,
			const char *what);
/* The state that QUERY tells; NONE if the IUT does not know the buffer. */
uint32_t query_state(struct buffer *buffer);
/* The IUT does not know the buffer. */
void check_unknown(struct buffer *buffer, enum clause clause, const char *what);
/* UNEXPORT, and RELEASED if the answer says so; else the test is inconclusive. */
void give_back(struct buffer *buffer);
/* RELEASED of this buffer has come; false if it does not. */
bool await_released(struct buffer *buffer);
/* A hand-off, until its signal point is reached; false if it is not. */
bool take_turn(struct buffer *buffer);
/* HAND_OFF without timelines, and the IUT tells by an event that the data is right. */
void check_turn(struct buffer *buffer, enum clause clause, const char *what);
/* A reference that leads nowhere; of a page that was shared and taken back, if it can be. */
uint64_t dead_reference(struct end *end);

/* ---- requests that name a buffer ---------------------------------------- */

/* A request of this kind; its fields are in order, what it refers to is not. */
void named_message(uint16_t operation, const uint8_t id[16], message_t message);
uint16_t ask_about(struct end *end, uint16_t operation, const uint8_t id[16],
		   uint8_t *answer);
/* All operations that name a buffer are there, but EXPORT; 0 is the last one. */
extern const uint16_t naming_operations[];
/* Whether the operation may be sent in this session. */
bool is_negotiated(const struct end *end, uint16_t operation);

/* ---- memory of the IUT -------------------------------------------------- */

/**
 * struct mappings - what a process has mapped of a piece of memory
 * @count: how many mappings
 * @writable: how many of them may be written
 * @address: of the first one
 */
struct mappings {
	unsigned int count;
	unsigned int writable;
	uint64_t address;
};

/* What the IUT has mapped of the pages of data; false if that cannot be seen. */
bool iut_mappings(const struct buffer *buffer, struct mappings *mappings);
/* The same; the test is skipped if it cannot be seen. */
struct mappings see_mappings(const struct buffer *buffer);
/*
 * The IUT has nothing of it mapped, now: as /proc tells, or, if that cannot be seen,
 * as the platform does when the pages are taken back.
 */
bool is_unmapped(struct buffer *buffer);

/* ---- buffers of the IUT ------------------------------------------------- */

/* Tells the IUT "export ..."; the request, which is not served. */
struct received *tell_export(struct end *end, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, and the buffer is imported. */
struct their_buffer *let_export(struct end *end, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The IUT has taken all answers (HDB-BOTH-017), so a command finds things done. */
void catch_up(struct end *end);
/* Nothing but what was taken has been asked by the IUT, and the next answer has come. */
bool asks_nothing(struct end *end, uint16_t operation);

#endif
