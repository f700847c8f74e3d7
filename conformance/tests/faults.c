/* SPDX-License-Identifier: MIT */
/* faults.c - requests with several things that are wrong, of which one is reported */
#include "conformance/tests/buffers.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- what requests can name ---------------------------------------------- */

/* A buffer that a fault, or a request that is in order, names. */
enum subject {
	NOBODY,	   /* none, or the one that is there already */
	UNKNOWN,   /* an id that nobody knows */
	MINE,	   /* of the suite, read-write */
	LENT,	   /* of the suite, and the IUT has it */
	THEIRS,	   /* of the IUT, read-write */
	READ_ONLY, /* of the IUT, read-only */
	SUBJECTS
};

#define TIMELINE_OWN   2 /* the suite signals it */
#define TIMELINE_THEIR 3 /* the IUT signals it; point 10 is reached */

/**
 * struct scene - buffers and timelines to be named
 * @end: over which
 * @ids: of the buffers
 * @there: which of them there are
 * @mine: of the suite
 * @lent: of the suite
 */
struct scene {
	struct end *end;
	uint8_t ids[SUBJECTS][16];
	bool there[SUBJECTS];
	struct buffer mine;
	struct buffer lent;
};

static void add_id(struct scene *scene, enum subject subject,
		   const uint8_t id[16])
{
	memcpy(scene->ids[subject], id, 16);
	scene->there[subject] = true;
}

static void add_buffers(struct scene *scene)
{
	const struct plan plan = { .rights = HDMABUF_RIGHTS_READ_WRITE };
	const struct plan lent = { .rights = HDMABUF_RIGHTS_LEND };
	struct end *end = scene->end;

	buffer_share(end, &scene->mine, &plan);
	add_id(scene, MINE, scene->mine.id);
	/* It stays with the IUT, which waits for a point that does not come. */
	if (!(end->features & HDMABUF_FEATURE_LEND) || !end->cell_count ||
	    !end->peer.max_timelines)
		return;
	buffer_share(end, &scene->lent, &lent);
	message_t message;

	buffer_hand_off_message(&scene->lent, HDMABUF_NO_TIMELINE, 0, message);
	wire_put(message, HAND_OFF_WAIT_TIMELINE, TIMELINE_OWN);
	wire_put(message, HAND_OFF_WAIT_POINT, 1000);
	if (end_ask(end, message, NULL) == HDMABUF_STATUS_OK)
		add_id(scene, LENT, scene->lent.id);
}

static void add_timelines(struct scene *scene)
{
	struct end *end = scene->end;

	if (end->cell_count <= TIMELINE_THEIR ||
	    end->peer.max_timelines <= TIMELINE_THEIR)
		skip(end->test, "the IUT takes %u timelines",
		     end->peer.max_timelines);
	end_create_timeline(end, TIMELINE_OWN, HDMABUF_SIGNALLER_CREATOR, 10);
	end_create_timeline(end, TIMELINE_THEIR, HDMABUF_SIGNALLER_PEER, 10);
}

static void add_their_buffers(struct scene *scene)
{
	add_id(scene, THEIRS,
	       let_export(scene->end, "x size=4096 rights=read-write")->id);
	add_id(scene, READ_ONLY, let_export(scene->end, "y size=4096")->id);
}

/* All that this IUT can have, with or without all features. */
static struct scene *set_scene(struct test *test, uint64_t features)
{
	struct end *end = test_open(test);
	struct scene *scene = end_array(end, 1, sizeof(*scene));

	end->greeting.features = features;
	greet(end);
	scene->end = end;
	test_random_octets(test, scene->ids[UNKNOWN], 16);
	scene->there[UNKNOWN] = true;
	add_timelines(scene);
	if (test_claims(test, OPTION_IMPORT))
		add_buffers(scene);
	if (test_claims(test, OPTION_CONTROL))
		add_their_buffers(scene);
	return scene;
}

/* ---- what can be wrong ---------------------------------------------------- */

/**
 * struct fault - something that is wrong with a request
 * @place: of the field that is wrong; of an id its first 8 octets
 * @value: of that field, if it is none that names a buffer
 * @subject: that is named instead, if it is
 * @status: with which it is refused
 */
struct fault {
	unsigned int place;
	uint64_t value;
	enum subject subject;
	uint16_t status;
};

#define FAULTS_MAX 16
#define ID_PLACE   WIRE_PLACE(8, 8)
#define FIELD(place, value, status) \
	{ \
		place, value, NOBODY, HDMABUF_STATUS_##status \
	}
#define NAMES(subject, status) \
	{ \
		ID_PLACE, 0, subject, HDMABUF_STATUS_##status \
	}
#define STATUS_FIELD FIELD(HEADER_STATUS, 1, RESERVED)

/**
 * struct request_faults - all that can be wrong with a request
 * @operation: of the request
 * @subject: that it names if it is in order
 * @faults: in the order of HDB-BOTH-038; of equals the lowest offset first
 * @count: of @faults
 */
struct request_faults {
	uint16_t operation;
	enum subject subject;
	struct fault faults[FAULTS_MAX];
};

static const struct request_faults all_faults[] = {
	{ HDMABUF_OP_CLOSE,
	  NOBODY,
	  { STATUS_FIELD, FIELD(WIRE_PLACE(12, 8), 1ull << 63, RESERVED),
	    FIELD(CLOSE_REASON, 0, INVALID) } },
	{ HDMABUF_OP_EXPORT,
	  NOBODY,
	  { STATUS_FIELD, FIELD(EXPORT_ZERO, 1, RESERVED),
	    FIELD(WIRE_PLACE(40, 8), 1, RESERVED), NAMES(MINE, DUPLICATE),
	    FIELD(EXPORT_LENGTH, 255, INVALID),
	    FIELD(EXPORT_DESCRIPTOR, 0, BAD_REFERENCE) } },
	{ HDMABUF_OP_UPDATE,
	  MINE,
	  { STATUS_FIELD, FIELD(EXPORT_ZERO, 1, RESERVED),
	    FIELD(WIRE_PLACE(40, 8), 1, RESERVED),
	    NAMES(UNKNOWN, NO_SUCH_BUFFER), NAMES(THEIRS, WRONG_ROLE),
	    NAMES(LENT, WRONG_STATE), FIELD(EXPORT_LENGTH, 255, INVALID),
	    FIELD(EXPORT_DESCRIPTOR, 0, BAD_REFERENCE) } },
	{ HDMABUF_OP_UNEXPORT,
	  MINE,
	  { STATUS_FIELD, FIELD(UNEXPORT_ZERO, 1, RESERVED),
	    FIELD(WIRE_PLACE(32, 8), 1, RESERVED),
	    NAMES(UNKNOWN, NO_SUCH_BUFFER), NAMES(THEIRS, WRONG_ROLE) } },
	{ HDMABUF_OP_RELEASED,
	  THEIRS,
	  { STATUS_FIELD, FIELD(WIRE_PLACE(24, 8), 1, RESERVED),
	    NAMES(UNKNOWN, NO_SUCH_BUFFER), NAMES(MINE, WRONG_ROLE) } },
	{ HDMABUF_OP_HAND_OFF,
	  MINE,
	  { STATUS_FIELD, FIELD(HAND_OFF_ZERO, 1, RESERVED),
	    NAMES(UNKNOWN, NO_SUCH_BUFFER),
	    FIELD(HAND_OFF_WAIT_TIMELINE, 1, NO_SUCH_TIMELINE),
	    FIELD(HAND_OFF_SIGNAL_TIMELINE, 1, NO_SUCH_TIMELINE),
	    FIELD(HAND_OFF_WAIT_TIMELINE, TIMELINE_THEIR, WRONG_ROLE),
	    FIELD(HAND_OFF_SIGNAL_TIMELINE, TIMELINE_OWN, WRONG_ROLE),
	    NAMES(LENT, WRONG_STATE), FIELD(HAND_OFF_WAIT_POINT, 5, INVALID),
	    FIELD(HAND_OFF_SIGNAL_POINT, 10, INVALID),
	    FIELD(HAND_OFF_FLAGS, 2, INVALID), NAMES(READ_ONLY, DENIED) } },
	{ HDMABUF_OP_QUERY,
	  MINE,
	  { STATUS_FIELD, FIELD(WIRE_PLACE(24, 8), 1, RESERVED),
	    NAMES(UNKNOWN, NO_SUCH_BUFFER) } },
	{ HDMABUF_OP_ALLOCATE,
	  NOBODY,
	  { STATUS_FIELD, FIELD(ALLOCATE_ZERO, 1, RESERVED),
	    FIELD(ALLOCATE_ZERO1, 1, RESERVED),
	    FIELD(ALLOCATE_MODIFIER, 1, INVALID),
	    FIELD(ALLOCATE_RIGHTS, 0, INVALID),
	    FIELD(ALLOCATE_ATTRIBUTES, 0, INVALID),
	    FIELD(ALLOCATE_SIZE, 1ull << 40, LIMIT) } },
	{ HDMABUF_OP_CPU_BEGIN,
	  MINE,
	  { STATUS_FIELD, FIELD(CPU_ACCESS_ZERO, 1, RESERVED),
	    FIELD(CPU_ACCESS_ZERO1, 1, RESERVED),
	    NAMES(UNKNOWN, NO_SUCH_BUFFER),
	    FIELD(CPU_ACCESS_OFFSET, 4096, INVALID),
	    FIELD(CPU_ACCESS_OCTETS, 0, INVALID),
	    FIELD(CPU_ACCESS_ACCESS, 4, INVALID) } },
	{ HDMABUF_OP_CPU_END,
	  MINE,
	  { STATUS_FIELD, FIELD(CPU_ACCESS_ZERO, 1, RESERVED),
	    FIELD(CPU_ACCESS_ZERO1, 1, RESERVED),
	    NAMES(UNKNOWN, NO_SUCH_BUFFER), NAMES(MINE, WRONG_STATE) } },
	{ HDMABUF_OP_TIMELINE_CREATE,
	  NOBODY,
	  { STATUS_FIELD, FIELD(WIRE_PLACE(24, 8), 1ull << 63, RESERVED),
	    FIELD(TIMELINE_NUMBER, TIMELINE_OWN, DUPLICATE),
	    FIELD(TIMELINE_SIGNALLER, 3, INVALID),
	    FIELD(TIMELINE_POINT, 99, INVALID),
	    FIELD(TIMELINE_NUMBER, 0xfffffffe, LIMIT) } },
	{ HDMABUF_OP_TIMELINE_DESTROY,
	  NOBODY,
	  { STATUS_FIELD, FIELD(TIMELINE_SIGNALLER, 1, RESERVED),
	    FIELD(TIMELINE_POINT, 1, RESERVED),
	    FIELD(WIRE_PLACE(24, 8), 1, RESERVED),
	    FIELD(TIMELINE_NUMBER, 1, NO_SUCH_TIMELINE) } },
};

static size_t count_faults(const struct request_faults *faults)
{
	size_t count = 0;

	while (count < FAULTS_MAX && faults->faults[count].status)
		count++;
	return count;
}

/* Nothing is wrong with it yet. */
static void make_right(const struct scene *scene,
		       const struct request_faults *faults, message_t message)
{
	static const uint8_t some_id[16] = { 1, 2, 3 };

	named_message(faults->operation,
		      faults->subject ? scene->ids[faults->subject] : some_id,
		      message);
	switch (faults->operation) {
	case HDMABUF_OP_CLOSE:
		message_init(message, faults->operation);
		wire_put(message, CLOSE_REASON, HDMABUF_REASON_DONE);
		break;
	case HDMABUF_OP_ALLOCATE:
		message_init(message, faults->operation);
		wire_put(message, ALLOCATE_SIZE, 4096);
		wire_put(message, ALLOCATE_RIGHTS, HDMABUF_RIGHTS_READ_ONLY);
		wire_put(message, ALLOCATE_ATTRIBUTES,
			 HDMABUF_ATTRIBUTE_CACHED);
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
		message_init(message, faults->operation);
		wire_put(message, TIMELINE_SIGNALLER,
			 HDMABUF_SIGNALLER_CREATOR);
		break;
	case HDMABUF_OP_TIMELINE_DESTROY:
		message_init(message, faults->operation);
		wire_put(message, TIMELINE_NUMBER, TIMELINE_OWN);
		break;
	default:
		break;
	}
}

/* A cell that does not exist does not hold another point. */
static bool exclude_each_other(const struct fault *a, const struct fault *b)
{
	return a->place == b->place || (a->place == TIMELINE_POINT &&
					b->status == HDMABUF_STATUS_LIMIT);
}

static bool can_be(const struct scene *scene, const struct fault *fault)
{
	return !fault->subject || scene->there[fault->subject];
}

static void spoil_by(const struct scene *scene, const struct fault *fault,
		     message_t message)
{
	if (fault->subject)
		memcpy(message + wire_offset(BUFFER_ID),
		       scene->ids[fault->subject], 16);
	else
		wire_put(message, fault->place, fault->value);
}

/* ---- two faults ---------------------------------------------------------- */

static void describe(const struct request_faults *faults,
		     const struct fault *first, const struct fault *second,
		     what_t what)
{
	snprintf(what, sizeof(what_t),
		 "%s in which offset %zu (%s) and offset %zu (%s) are wrong",
		 wire_operation_name(faults->operation),
		 wire_offset(first->place), wire_status_name(first->status),
		 wire_offset(second->place), wire_status_name(second->status));
}

static void try_two(struct scene *scene, const struct request_faults *faults,
		    const struct fault *first, const struct fault *second)
{
	struct test *test = scene->end->test;
	message_t message, answer;
	what_t what;

	if (!can_be(scene, first) || !can_be(scene, second) ||
	    exclude_each_other(first, second))
		return;
	describe(faults, first, second, what);
	make_right(scene, faults, message);
	spoil_by(scene, second, message);
	spoil_by(scene, first, message);
	if (check_status(test, HDB_BOTH_038,
			 end_ask(scene->end, message, answer), first->status,
			 "%s", what) &&
	    first->status != HDMABUF_STATUS_LIMIT &&
	    first->status != HDMABUF_STATUS_DENIED)
		check_where(test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(first->place), what);
}

static bool applies(const struct scene *scene,
		    const struct request_faults *faults)
{
	return is_negotiated(scene->end, faults->operation) &&
	       (!faults->subject || scene->there[faults->subject]);
}

static void try_pairs(struct scene *scene, const struct request_faults *faults)
{
	size_t count = count_faults(faults);

	if (!applies(scene, faults))
		return;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			try_two(scene, faults, &faults->faults[i],
				&faults->faults[j]);
}

/* Alone, each is reported as what it is: else the pairs would show nothing. */
static void try_one(struct scene *scene, const struct request_faults *faults,
		    const struct fault *fault)
{
	message_t message, answer;
	what_t what;

	if (!can_be(scene, fault))
		return;
	snprintf(what, sizeof(what), "%s in which offset %zu is wrong",
		 wire_operation_name(faults->operation),
		 wire_offset(fault->place));
	make_right(scene, faults, message);
	spoil_by(scene, fault, message);
	check_status(scene->end->test, HDB_BOTH_038,
		     end_ask(scene->end, message, answer), fault->status, "%s",
		     what);
}

/* All that was refused has left no trace. */
static void check_untouched(struct scene *scene)
{
	struct test *test = scene->end->test;
	message_t answer;

	if (scene->there[MINE]) {
		check_query(&scene->mine, HDB_BOTH_037, scene->mine.descriptor,
			    "after requests that were refused");
		buffer_query(&scene->mine, answer);
		check(test, HDB_BOTH_037,
		      !wire_get(answer, QUERY_ANSWER_HAND_OFFS),
		      "hand-offs that were refused are counted");
		check_status(
			test, HDB_BOTH_037,
			buffer_hand_off(&scene->mine, TIMELINE_THEIR, 11, NULL),
			HDMABUF_STATUS_OK,
			"a hand-off that is in order, after others that were refused");
	}
	check_status(test, HDB_BOTH_037,
		     end_create_timeline(scene->end, 0,
					 HDMABUF_SIGNALLER_CREATOR, 0),
		     HDMABUF_STATUS_OK,
		     "TIMELINE_CREATE, after others that were refused");
	check(test, HDB_BOTH_037, end_sanity(scene->end),
	      "after requests that were refused, the session does not work");
}

static void first_of_two(struct test *test)
{
	struct scene *scene = set_scene(test, HDMABUF_FEATURES_ALL);

	for (size_t i = 0; i < COUNT_OF(all_faults); i++) {
		comment(test, "faults of %s",
			wire_operation_name(all_faults[i].operation));
		if (applies(scene, &all_faults[i]))
			for (size_t j = 0; j < count_faults(&all_faults[i]);
			     j++)
				try_one(scene, &all_faults[i],
					&all_faults[i].faults[j]);
		try_pairs(scene, &all_faults[i]);
	}
	check_untouched(scene);
}

/* ---- faults of the session ----------------------------------------------- */

/* Each request with each fault alone, where something else comes first. */
static void try_all(struct scene *scene,
		    uint16_t (*expected)(struct scene *scene,
					 const message_t message),
		    const char *when)
{
	for (size_t i = 0; i < COUNT_OF(all_faults); i++) {
		const struct request_faults *faults = &all_faults[i];

		for (size_t j = 0; j < count_faults(faults); j++) {
			const struct fault *fault = &faults->faults[j];
			message_t message;
			uint16_t status;

			if (!can_be(scene, fault))
				continue;
			make_right(scene, faults, message);
			spoil_by(scene, fault, message);
			status = expected(scene, message);
			if (!status)
				continue;
			check_status(scene->end->test, HDB_BOTH_038,
				     end_ask(scene->end, message, NULL), status,
				     "%s in which offset %zu is wrong, %s",
				     wire_operation_name(faults->operation),
				     wire_offset(fault->place), when);
		}
	}
}

static uint16_t operation_of(const message_t message)
{
	return (uint16_t)wire_get(message, HEADER_OPERATION);
}

static uint16_t without_features(struct scene *scene, const message_t message)
{
	return is_negotiated(scene->end, operation_of(message)) ?
		       HDMABUF_STATUS_OK :
		       HDMABUF_STATUS_NOT_NEGOTIATED;
}

static void feature_comes_first(struct test *test)
{
	struct scene *scene = set_scene(test, 0);
	message_t message;

	try_all(scene, without_features, "whose feature was not accepted");
	make_right(scene, &all_faults[5], message);
	wire_put(message, HAND_OFF_FLAGS, HDMABUF_HAND_OFF_MORE);
	wire_put(message, HAND_OFF_ZERO, 1);
	memset(message + wire_offset(HAND_OFF_ID), 0, 16);
	check_status(
		test, HDB_BOTH_038, end_ask(scene->end, message, NULL),
		HDMABUF_STATUS_NOT_NEGOTIATED,
		"HAND_OFF with the flag MORE, which was not accepted, a zero field that is not zero and an unknown buffer");
}

static uint16_t in_group(struct scene *scene, const message_t message)
{
	uint16_t operation = operation_of(message);

	if (!is_negotiated(scene->end, operation))
		return HDMABUF_STATUS_NOT_NEGOTIATED;
	return operation == HDMABUF_OP_HAND_OFF ||
			       operation == HDMABUF_OP_CLOSE ?
		       HDMABUF_STATUS_OK :
		       HDMABUF_STATUS_WRONG_STATE;
}

static void group_comes_first(struct test *test)
{
	struct scene *scene = set_scene(test, HDMABUF_FEATURES_ALL);
	message_t message;

	buffer_hand_off_message(&scene->mine, HDMABUF_NO_TIMELINE, 0, message);
	wire_put(message, HAND_OFF_FLAGS, HDMABUF_HAND_OFF_MORE);
	if (end_ask(scene->end, message, NULL) != HDMABUF_STATUS_OK)
		inconclusive(test, "a hand-off with the flag MORE is refused");
	try_all(scene, in_group, "where the rest of a group is due");
	check_status(test, HDB_BOTH_037,
		     buffer_hand_off(&scene->mine, HDMABUF_NO_TIMELINE, 0,
				     NULL),
		     HDMABUF_STATUS_OK, "the rest of the group");
}

static uint16_t while_closing(struct scene *scene, const message_t message)
{
	uint16_t operation = operation_of(message);

	if (!is_negotiated(scene->end, operation))
		return HDMABUF_STATUS_NOT_NEGOTIATED;
	return operation == HDMABUF_OP_CLOSE ? HDMABUF_STATUS_OK :
					       HDMABUF_STATUS_CLOSING;
}

static void closing_comes_first(struct test *test)
{
	struct scene *scene = set_scene(test, 0);
	struct end *end = scene->end;
	struct received *close;
	message_t message;

	end->serves = false;
	control(test, "close");
	close = end_await_request(end, HDMABUF_OP_CLOSE);
	if (!close)
		inconclusive(test, "the IUT does not send CLOSE");
	try_all(scene, while_closing, "while the IUT's CLOSE is unanswered");
	message_init(message, 0x7777);
	check_status(
		test, HDB_BOTH_038, end_ask(end, message, NULL),
		HDMABUF_STATUS_UNKNOWN_OPERATION,
		"an unknown operation, while the IUT's CLOSE is unanswered");
	message_init(message, HDMABUF_OP_HELLO);
	wire_put(message, HELLO_ZERO, 1);
	check_status(test, HDB_BOTH_026, end_ask(end, message, NULL),
		     HDMABUF_STATUS_CLOSING,
		     "HELLO, while the IUT's CLOSE is unanswered");
	message_init(message, HDMABUF_OP_CLOSE);
	wire_put(message, WIRE_PLACE(60, 4), 1);
	check_status(
		test, HDB_BOTH_038, end_ask(end, message, NULL),
		HDMABUF_STATUS_RESERVED,
		"CLOSE with a wrong reason and a zero field that is not zero, while the IUT's CLOSE is unanswered");
	end_answer_status(end, close, HDMABUF_STATUS_OK);
	end_abandon(end);
}

/* Nothing was accepted yet, and nothing can be asked for yet. */
static uint16_t before_hello(uint16_t operation)
{
	switch (operation) {
	case HDMABUF_OP_UPDATE:
	case HDMABUF_OP_ALLOCATE:
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		return HDMABUF_STATUS_NOT_NEGOTIATED;
	default:
		return HDMABUF_STATUS_WRONG_STATE;
	}
}

/* One request with each of its faults, where HELLO has to be. */
static void try_before_hello(struct scene *scene,
			     const struct request_faults *faults)
{
	struct end *end = scene->end;
	size_t count = count_faults(faults);
	uint32_t first = end->next_id;

	attempt_again(end);
	for (size_t i = 0; i < count; i++) {
		message_t message;

		make_right(scene, faults, message);
		spoil_by(scene, &faults->faults[i], message);
		end_put(end, message);
	}
	end_show(end);
	end_publish_answer(end);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *answer =
			end_await_answer_to(end, first + (uint32_t)i);

		if (check(end->test, HDB_BOTH_038, answer,
			  "%s before HELLO is not answered",
			  wire_operation_name(faults->operation)))
			check_status(
				end->test, HDB_BOTH_038,
				(uint16_t)wire_get(answer, HEADER_STATUS),
				before_hello(faults->operation),
				"%s in which offset %zu is wrong, before HELLO",
				wire_operation_name(faults->operation),
				wire_offset(faults->faults[i].place));
	}
	end_abandon(end);
}

static void hello_comes_first(struct test *test)
{
	struct end *end = test_open(test);
	struct scene *scene = end_array(end, 1, sizeof(*scene));

	scene->end = end;
	for (size_t i = 0; i < COUNT_OF(all_faults); i++)
		try_before_hello(scene, &all_faults[i]);
}

/* What EXPORT refers to is looked at when the request itself is in order. */
static void request_before_descriptor(struct test *test)
{
	static const struct fault wrong[] = {
		FIELD(HEADER_STATUS, 1, RESERVED),
		FIELD(EXPORT_ZERO, 1, RESERVED),
		FIELD(EXPORT_LENGTH, 4097, INVALID),
		FIELD(EXPORT_LENGTH, 0, INVALID),
		NAMES(MINE, DUPLICATE),
	};
	static const struct fault behind[] = {
		FIELD(DESCRIPTOR_MAGIC, 0, INVALID),
		FIELD(WIRE_PLACE(248, 8), 1, RESERVED),
		FIELD(DESCRIPTOR_DIRECTORY, 0, BAD_REFERENCE),
		FIELD(DESCRIPTOR_SIZE, 1ull << 50, LIMIT),
	};
	struct scene *scene = set_scene(test, HDMABUF_FEATURES_ALL);

	for (size_t i = 0; i < COUNT_OF(wrong) * COUNT_OF(behind); i++) {
		const struct fault *first = &wrong[i % COUNT_OF(wrong)];
		const struct fault *second = &behind[i / COUNT_OF(wrong)];
		struct buffer buffer;
		message_t message, answer;
		what_t what;

		snprintf(
			what, sizeof(what),
			"EXPORT with offset %zu wrong, and of its descriptor offset %zu",
			wire_offset(first->place), wire_offset(second->place));
		buffer_make(scene->end, &buffer, NULL);
		wire_put(buffer.descriptor, second->place, second->value);
		buffer_export_message(&buffer, message);
		spoil_by(scene, first, message);
		if (check_status(test, HDB_BOTH_038,
				 end_ask(scene->end, message, answer),
				 first->status, "%s", what))
			check_where(test, answer, HDMABUF_WHERE_REQUEST,
				    wire_offset(first->place), what);
	}
}

static const struct test_case cases[] = {
	TEST(first_of_two,
	     "Of two things that are wrong with a request the first is reported",
	     OF_BOTH, 0, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039),
	TEST(request_before_descriptor,
	     "What is wrong with EXPORT is reported before what is wrong with its descriptor",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_038, HDB_BOTH_039),
	TEST(hello_comes_first,
	     "That there was no HELLO is reported before what is wrong with the request",
	     OF_BACKEND, 0, HDB_BOTH_038),
	TEST(feature_comes_first,
	     "That a feature was not accepted is reported before all else",
	     OF_BOTH, 0, HDB_BOTH_038),
	TEST(group_comes_first,
	     "That the rest of a group is due is reported before what is wrong with the request",
	     OF_BOTH, OPTION_IMPORT | OPTION_GROUP, HDB_BOTH_037, HDB_BOTH_038),
	TEST(closing_comes_first,
	     "That the session is being closed is reported before what is wrong with the request",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_026, HDB_BOTH_038),
};

TEST_GROUP(faults, cases);
