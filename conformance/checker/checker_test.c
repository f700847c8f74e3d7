/* SPDX-License-Identifier: MIT */
/*
 * For each clause that the checker judges: a talk between two ends that is right, and
 * one that breaks it.
 */
#include "conformance/checker/checker.h"
#include "conformance/model/wire.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FRONT HDMABUF_FRONTEND
#define BACK  HDMABUF_BACKEND

#define MS 1000000

#define EPOCH_FRONT 0xf0
#define EPOCH_BACK  0xb0

/* The first octets of an id; the others are zero. */
#define ID WIRE_PLACE(8, 8)

#define FINDINGS 16
#define TEXT	 1024

struct finding {
	enum clause clause;
	unsigned int offender;
	uint32_t link;
	char text[TEXT];
};

struct talk {
	struct checker *checker;
	unsigned int observer;
	uint32_t link;
	uint64_t time;
	uint32_t next_id;
	struct finding findings[FINDINGS];
	size_t count;
};

/* A request, to be answered. */
struct asked {
	unsigned int end;
	uint32_t id;
	uint16_t operation;
};

/* A field that is not what it would be otherwise. */
struct field {
	unsigned int place;
	uint64_t value;
};

#define WITH(...) \
	(const struct field[]) \
	{ \
		__VA_ARGS__, \
		{ \
			0 \
		} \
	}
#define PLAINLY WITH({ 0 })

static void put_fields(uint8_t *octets, const struct field *fields)
{
	for (; fields->place; fields++)
		wire_put(octets, fields->place, fields->value);
}

/* ---- Talking ------------------------------------------------------------ */

static void on_found(void *user, enum clause clause, enum hdmabuf_role offender,
		     uint32_t link, const char *text)
{
	struct talk *talk = user;
	struct finding *finding = &talk->findings[talk->count++];

	assert_true(talk->count <= FINDINGS);
	finding->clause = clause;
	finding->offender = offender;
	finding->link = link;
	snprintf(finding->text, sizeof(finding->text), "%s", text);
}

static void event(struct talk *talk, unsigned int sender, unsigned int kind,
		  const void *octets, size_t length)
{
	const struct hdmabuf_trace_event event = {
		.time = talk->time,
		.kind = (uint8_t)kind,
		.sender = (uint8_t)sender,
		.observer = (uint8_t)talk->observer,
		.link = talk->link,
		.octets = octets,
		.length = length,
	};

	checker_feed(talk->checker, &event);
}

static struct asked ask(struct talk *talk, unsigned int end, uint16_t operation,
			const struct field *fields)
{
	uint8_t message[WIRE_MESSAGE_OCTETS] = { 0 };
	struct asked asked = { end, talk->next_id++, operation };

	wire_put(message, HEADER_ID, asked.id);
	wire_put(message, HEADER_OPERATION, operation);
	put_fields(message, fields);
	asked.id = (uint32_t)wire_get(message, HEADER_ID);
	event(talk, end, HDMABUF_TRACE_REQUEST, message, sizeof(message));
	return asked;
}

static void answer(struct talk *talk, struct asked asked, uint16_t status,
		   const struct field *fields)
{
	uint8_t message[WIRE_MESSAGE_OCTETS] = { 0 };

	wire_put(message, HEADER_ID, asked.id);
	wire_put(message, HEADER_OPERATION, asked.operation);
	wire_put(message, HEADER_STATUS, status);
	put_fields(message, fields);
	event(talk, !asked.end, HDMABUF_TRACE_ANSWER, message, sizeof(message));
}

static void ok(struct talk *talk, struct asked asked)
{
	answer(talk, asked, HDMABUF_STATUS_OK, PLAINLY);
}

static void refuse(struct talk *talk, struct asked asked, uint16_t status)
{
	answer(talk, asked, status,
	       WITH({ ERROR_WHERE, HDMABUF_WHERE_REQUEST },
		    { ERROR_OFFSET, 8 }));
}

static void record(struct talk *talk, unsigned int end, const char *text)
{
	event(talk, end, HDMABUF_TRACE_RECORD, text, strlen(text));
}

static void point(struct talk *talk, unsigned int end, unsigned int creator,
		  uint32_t timeline, uint64_t value)
{
	uint8_t octets[sizeof(struct hdmabuf_trace_point)] = { 0 };

	wire_put(octets, WIRE_PLACE(0, 4), creator);
	wire_put(octets, WIRE_PLACE(4, 4), timeline);
	wire_put(octets, WIRE_PLACE(8, 8), value);
	event(talk, end, HDMABUF_TRACE_POINT, octets, sizeof(octets));
}

/* ---- What is found ------------------------------------------------------ */

static void forget(struct talk *talk)
{
	talk->count = 0;
}

static void nothing(struct talk *talk)
{
	for (size_t i = 0; i < talk->count; i++)
		print_error("%s %s: %s\n", clause_id(talk->findings[i].clause),
			    talk->findings[i].offender == FRONT ? "frontend" :
								  "backend",
			    talk->findings[i].text);
	assert_int_equal(talk->count, 0);
}

/* Of @offender nothing else was found; what the other end did does not count. */
static void only(struct talk *talk, enum clause clause, unsigned int offender)
{
	const struct finding *found = NULL;

	for (size_t i = 0; i < talk->count; i++) {
		const struct finding *finding = &talk->findings[i];

		if (finding->offender != offender)
			continue;
		if (found || finding->clause != clause)
			print_error("%s: %s\n", clause_id(finding->clause),
				    finding->text);
		assert_null(found);
		found = finding;
	}
	if (!found)
		print_error("nothing was found of the %s\n",
			    offender == FRONT ? "frontend" : "backend");
	assert_non_null(found);
	assert_string_equal(clause_id(found->clause), clause_id(clause));
	assert_int_equal(found->link, talk->link);
	assert_true(strlen(found->text) > 20);
	forget(talk);
}

static void nothing_of(struct talk *talk, unsigned int offender)
{
	for (size_t i = 0; i < talk->count; i++) {
		if (talk->findings[i].offender == offender)
			print_error("%s: %s\n",
				    clause_id(talk->findings[i].clause),
				    talk->findings[i].text);
		assert_int_not_equal(talk->findings[i].offender, offender);
	}
	forget(talk);
}

/* ---- Beginnings --------------------------------------------------------- */

static void begin(struct talk *talk, unsigned int observer)
{
	checker_free(talk->checker);
	*talk = (struct talk){ .observer = observer, .link = 7, .next_id = 1 };
	talk->time = 1000 * (uint64_t)MS;
	talk->checker = checker_new(on_found, talk);
	assert_non_null(talk->checker);
}

#define OFFER(epoch) \
	"version-min=1\nversion-max=1\nfeatures=511\nring-formats=1\n" \
	"ring-order-max=1\ntimeline-max=2\nepoch=" #epoch "\n"

static void offer(struct talk *talk)
{
	record(talk, BACK, OFFER(176));
}

static void publish(struct talk *talk)
{
	record(talk, FRONT, "peer-epoch=176\nchannel=9\nepoch=240\n");
}

static void channel(struct talk *talk, const struct field *fields)
{
	uint8_t page[WIRE_CHANNEL_OCTETS + 4 * 8] = { 0 };

	wire_put(page, CHANNEL_MAGIC, HDMABUF_CHANNEL_MAGIC);
	wire_put(page, CHANNEL_VERSION, 1);
	wire_put(page, CHANNEL_EPOCH_FRONTEND, EPOCH_FRONT);
	wire_put(page, CHANNEL_EPOCH_BACKEND, EPOCH_BACK);
	wire_put(page, CHANNEL_PAGE_SHIFT, 12);
	wire_put(page, CHANNEL_TIMELINE_PAGES, 1);
	wire_put(page, CHANNEL_REFERENCES, 4);
	for (unsigned int i = 0; i < 4; i++)
		wire_put(page, WIRE_PLACE(WIRE_CHANNEL_OCTETS + 8 * i, 8),
			 i + 1);
	put_fields(page, fields);
	event(talk, FRONT, HDMABUF_TRACE_CHANNEL, page, sizeof(page));
}

/* What is seen first is what the observer does itself. */
static void attempt(struct talk *talk, const struct field *of_channel)
{
	offer(talk);
	if (talk->observer == BACK)
		publish(talk);
	channel(talk, of_channel);
}

static const struct field limits[] = {
	{ HELLO_EPOCH_FRONTEND, EPOCH_FRONT },
	{ HELLO_EPOCH_BACKEND, EPOCH_BACK },
	{ HELLO_FEATURES, 511 },
	{ HELLO_MAX_OCTETS, 16384 },
	{ HELLO_MAX_BUFFERS, 3 },
	{ HELLO_MAX_TIMELINES, 4 },
	{ HELLO_MAX_PRIVATE, 1024 },
	{ HELLO_MAX_IN_FLIGHT, 8 },
	{ 0 },
};

/* HELLO as it is right, but for some fields. */
static struct asked hello(struct talk *talk, const struct field *fields)
{
	struct field all[32];
	size_t count = 0;

	for (const struct field *field = limits; field->place; field++)
		all[count++] = *field;
	for (; fields->place; fields++)
		all[count++] = *fields;
	all[count] = (struct field){ 0 };
	return ask(talk, FRONT, HDMABUF_OP_HELLO, all);
}

static void answer_hello(struct talk *talk, struct asked asked,
			 const struct field *fields)
{
	struct field all[32];
	size_t count = 0;

	for (const struct field *field = limits; field->place; field++)
		all[count++] = *field;
	for (; fields->place; fields++)
		all[count++] = *fields;
	all[count] = (struct field){ 0 };
	if (talk->observer == FRONT)
		publish(talk);
	answer(talk, asked, HDMABUF_STATUS_OK, all);
}

static void connect_with(struct talk *talk, uint64_t features)
{
	struct asked asked;

	attempt(talk, PLAINLY);
	asked = hello(talk, WITH({ HELLO_FEATURES, features }));
	answer_hello(talk, asked, WITH({ HELLO_FEATURES, features }));
	nothing(talk);
}

static void connect_ends(struct talk *talk)
{
	connect_with(talk, 511);
}

/* Both ends have taken everything that the other has said. */
static void settle(struct talk *talk)
{
	for (unsigned int end = 0; end < 2; end++) {
		struct asked asked = ask(talk, end, HDMABUF_OP_ECHO, PLAINLY);

		ok(talk, asked);
	}
}

/* Each test is a talk, seen from either end. */
static void from_both_ends(void (*body)(struct talk *talk))
{
	struct talk talk = { 0 };

	for (unsigned int observer = 0; observer < 2; observer++) {
		begin(&talk, observer);
		body(&talk);
	}
	checker_free(talk.checker);
}

#define TALK(name) \
	static void name##_talk(struct talk *talk); \
	static void name(void **state) \
	{ \
		(void)state; \
		from_both_ends(name##_talk); \
	} \
	static void name##_talk(struct talk *talk)

/* ---- Buffers ------------------------------------------------------------ */

static void describe(struct talk *talk, unsigned int end, uint64_t id,
		     const struct field *fields)
{
	uint8_t descriptor[4096] = { 0 };
	size_t length;

	wire_put(descriptor, DESCRIPTOR_MAGIC, HDMABUF_DESCRIPTOR_MAGIC);
	wire_put(descriptor, DESCRIPTOR_LENGTH, 256);
	wire_put(descriptor, ID, id);
	wire_put(descriptor, DESCRIPTOR_GENERATION, 1);
	wire_put(descriptor, DESCRIPTOR_SIZE, 4096);
	wire_put(descriptor, DESCRIPTOR_PAGES, 1);
	wire_put(descriptor, DESCRIPTOR_ENTRIES, 1);
	wire_put(descriptor, DESCRIPTOR_DIRECTORY, 5);
	wire_put(descriptor, DESCRIPTOR_DIRECTORY_PAGES, 1);
	wire_put(descriptor, DESCRIPTOR_PAGE_SHIFT, 12);
	wire_put(descriptor, DESCRIPTOR_RIGHTS, HDMABUF_RIGHTS_READ_WRITE);
	wire_put(descriptor, DESCRIPTOR_ATTRIBUTES, HDMABUF_ATTRIBUTE_CACHED);
	wire_put(descriptor, DESCRIPTOR_TAG, 7);
	wire_put(descriptor, DESCRIPTOR_TYPE, HDMABUF_TYPE_RAW);
	put_fields(descriptor, fields);
	/* wire_put() knows no field of two numbers: the id is put by ID. */
	wire_put(descriptor, WIRE_PLACE(8, 8), id);
	length = (size_t)wire_get(descriptor, DESCRIPTOR_LENGTH);
	event(talk, end, HDMABUF_TRACE_DESCRIPTOR, descriptor, length);
}

/* EXPORT, with a descriptor that has @fields. */
static struct asked export(struct talk *talk, unsigned int end, uint64_t id,
			   const struct field *fields)
{
	uint64_t length = 256;

	for (const struct field *field = fields; field->place; field++)
		if (field->place == DESCRIPTOR_LENGTH)
			length = field->value;
	describe(talk, end, id, fields);
	return ask(talk, end, HDMABUF_OP_EXPORT,
		   WITH({ ID, id }, { EXPORT_DESCRIPTOR, 4 },
			{ EXPORT_LENGTH, length }));
}

static struct asked update(struct talk *talk, unsigned int end, uint64_t id,
			   uint64_t generation, const struct field *fields)
{
	struct field all[16] = { { DESCRIPTOR_GENERATION, generation } };
	uint64_t length = 256;
	size_t count = 1;

	for (; fields->place; fields++) {
		if (fields->place == DESCRIPTOR_LENGTH)
			length = fields->value;
		all[count++] = *fields;
	}
	describe(talk, end, id, all);
	return ask(talk, end, HDMABUF_OP_UPDATE,
		   WITH({ ID, id }, { EXPORT_DESCRIPTOR, 4 },
			{ EXPORT_LENGTH, length }));
}

static void share(struct talk *talk, unsigned int end, uint64_t id,
		  uint64_t rights)
{
	ok(talk, export(talk, end, id, WITH({ DESCRIPTOR_RIGHTS, rights })));
	nothing(talk);
}

static struct asked name(struct talk *talk, unsigned int end,
			 uint16_t operation, uint64_t id)
{
	return ask(talk, end, operation, WITH({ ID, id }));
}

/* HAND_OFF without timelines, but for @fields. */
static struct asked hand_off(struct talk *talk, unsigned int end, uint64_t id,
			     const struct field *fields)
{
	struct field all[16] = {
		{ ID, id },
		{ HAND_OFF_WAIT_TIMELINE, HDMABUF_NO_TIMELINE },
		{ HAND_OFF_SIGNAL_TIMELINE, HDMABUF_NO_TIMELINE },
	};
	size_t count = 3;

	for (; fields->place; fields++)
		all[count++] = *fields;
	return ask(talk, end, HDMABUF_OP_HAND_OFF, all);
}

static struct asked signalling(struct talk *talk, unsigned int end, uint64_t id,
			       uint64_t timeline, uint64_t at)
{
	return hand_off(talk, end, id,
			WITH({ HAND_OFF_SIGNAL_TIMELINE, timeline },
			     { HAND_OFF_SIGNAL_POINT, at }));
}

static struct asked more(struct talk *talk, unsigned int end, uint64_t id)
{
	return hand_off(talk, end, id,
			WITH({ HAND_OFF_FLAGS, HDMABUF_HAND_OFF_MORE }));
}

static struct asked create(struct talk *talk, unsigned int end, uint64_t number,
			   uint64_t signaller)
{
	return ask(talk, end, HDMABUF_OP_TIMELINE_CREATE,
		   WITH({ TIMELINE_NUMBER, number },
			{ TIMELINE_SIGNALLER, signaller }));
}

static struct asked destroy(struct talk *talk, unsigned int end,
			    uint64_t number)
{
	return ask(talk, end, HDMABUF_OP_TIMELINE_DESTROY,
		   WITH({ TIMELINE_NUMBER, number }));
}

static void unmapped(struct talk *talk, struct asked asked)
{
	answer(talk, asked, HDMABUF_STATUS_OK, PLAINLY);
}

static void still_mapped(struct talk *talk, struct asked asked)
{
	answer(talk, asked, HDMABUF_STATUS_OK,
	       WITH({ UNEXPORT_ANSWER_MAPPED, 1 }));
}

/* ---- A talk that is right ----------------------------------------------- */

TALK(everything_in_good_order)
{
	struct asked asked;

	connect_ends(talk);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	for (uint64_t i = 1; i < 100; i++) {
		ok(talk, signalling(talk, FRONT, 1, 0, i));
		point(talk, BACK, FRONT, 0, i);
	}
	ok(talk, update(talk, FRONT, 1, 2,
			WITH({ DESCRIPTOR_RIGHTS, HDMABUF_RIGHTS_READ_ONLY },
			     { DESCRIPTOR_TAG, 8 })));
	asked = name(talk, FRONT, HDMABUF_OP_QUERY, 1);
	answer(talk, asked, HDMABUF_STATUS_OK,
	       WITH({ QUERY_ANSWER_STATE, HDMABUF_BUFFER_MAPPED },
		    { QUERY_ANSWER_RIGHTS, HDMABUF_RIGHTS_READ_ONLY },
		    { QUERY_ANSWER_SIZE, 4096 }, { QUERY_ANSWER_PAGES, 1 },
		    { QUERY_ANSWER_GENERATION, 2 }, { QUERY_ANSWER_TAG, 8 },
		    { QUERY_ANSWER_HAND_OFFS, 99 },
		    { QUERY_ANSWER_TYPE, HDMABUF_TYPE_RAW }));
	still_mapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1));
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 1));
	ok(talk, destroy(talk, FRONT, 0));
	settle(talk);
	ok(talk, ask(talk, FRONT, HDMABUF_OP_CLOSE,
		     WITH({ CLOSE_REASON, HDMABUF_REASON_DONE })));
	record(talk, FRONT, "");
	nothing(talk);
}

TALK(one_session_after_another)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	ok(talk, ask(talk, BACK, HDMABUF_OP_CLOSE,
		     WITH({ CLOSE_REASON, HDMABUF_REASON_DONE })));
	record(talk, FRONT, "");
	record(talk, BACK, OFFER(177));
	if (talk->observer == BACK)
		record(talk, FRONT, "peer-epoch=177\nchannel=9\nepoch=241\n");
	channel(talk, WITH({ CHANNEL_EPOCH_FRONTEND, 241 },
			   { CHANNEL_EPOCH_BACKEND, 177 }));
	struct asked asked = hello(talk, WITH({ HELLO_EPOCH_FRONTEND, 241 },
					      { HELLO_EPOCH_BACKEND, 177 }));
	if (talk->observer == FRONT)
		record(talk, FRONT, "peer-epoch=177\nchannel=9\nepoch=241\n");
	answer(talk, asked, HDMABUF_STATUS_OK,
	       WITH({ HELLO_EPOCH_FRONTEND, 241 }, { HELLO_EPOCH_BACKEND, 177 },
		    { HELLO_FEATURES, 511 }, { HELLO_MAX_IN_FLIGHT, 1 }));
	nothing(talk);
	/* The buffers of the session before are gone. */
	refuse(talk, name(talk, FRONT, HDMABUF_OP_QUERY, 1),
	       HDMABUF_STATUS_NO_SUCH_BUFFER);
	nothing_of(talk, BACK);
}

/* ---- Records and the channel page --------------------------------------- */

TALK(records_are_numbers_in_one_form)
{
	static const char *const wrong[] = {
		OFFER(0176),
		OFFER(0),
		OFFER(18446744073709551616),
		OFFER(5) "epoch=6\n",
		"epoch=5\n",
		"version-min=2\nversion-max=1\nfeatures=0\nring-formats=1\n"
		"ring-order-max=0\ntimeline-max=0\nepoch=5\n",
		"version-min=1\nversion-max=1\nfeatures=0\nring-formats=1\n"
		"ring-order-max=7\ntimeline-max=0\nepoch=5\n",
		"version-min=1\nversion-max=1\nfeatures=0\nring-formats=1\n"
		"ring-order-max=0\ntimeline-max=65\nepoch=5\n",
		"error=0\n" OFFER(5),
		"what\001=1\n" OFFER(5),
	};

	record(talk, BACK, "something-else=x\nerror=10\n" OFFER(4));
	record(talk, BACK, "");
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		record(talk, BACK, wrong[i]);
		only(talk, HDB_BOTH_004, BACK);
	}
	record(talk, FRONT, "peer-epoch=4\nepoch=8\n");
	only(talk, HDB_BOTH_004, FRONT);
	record(talk, FRONT, "peer-epoch=4\nchannel=0\nepoch=8\n");
	only(talk, HDB_BOTH_004, FRONT);
}

TALK(epochs_are_new)
{
	record(talk, BACK, OFFER(5));
	/* The same record once more is not another attempt. */
	record(talk, BACK, OFFER(5));
	record(talk, BACK, OFFER(6));
	nothing(talk);
	record(talk, BACK, OFFER(5));
	only(talk, HDB_BOTH_015, BACK);
	record(talk, BACK, "");
	record(talk, BACK, OFFER(6));
	only(talk, HDB_BOTH_015, BACK);
	/* Nobody minds that both ends have drawn the same. */
	record(talk, FRONT, "peer-epoch=6\nchannel=9\nepoch=6\n");
	nothing(talk);
	record(talk, FRONT, "peer-epoch=7\nchannel=9\nepoch=6\n");
	only(talk, HDB_BOTH_015, FRONT);
}

TALK(refusal_of_a_channel_has_a_new_epoch)
{
	record(talk, BACK, OFFER(5));
	record(talk, BACK, "error=8\n" OFFER(6));
	nothing(talk);
	record(talk, BACK, "error=10\n" OFFER(6));
	only(talk, HDB_BE_003, BACK);
}

TALK(channel_page_is_as_offered)
{
	static const struct field wrong[] = {
		{ CHANNEL_MAGIC, 1 },
		{ CHANNEL_VERSION, 2 },
		{ CHANNEL_EPOCH_BACKEND, 1 },
		{ CHANNEL_PAGE_SHIFT, 11 },
		{ CHANNEL_PAGE_SHIFT, 17 },
		{ CHANNEL_RING_FORMAT, 1 },
		{ CHANNEL_RING_FORMAT, 64 },
		{ CHANNEL_FRONTEND_RING_ORDER, 2 },
		{ CHANNEL_BACKEND_RING_ORDER, 0xffffffff },
		{ CHANNEL_TIMELINE_PAGES, 3 },
		{ CHANNEL_REFERENCES, 5 },
		{ WIRE_PLACE(72, 8), 0 },
	};

	attempt(talk, WITH({ CHANNEL_FRONTEND_RING_START, 77 }));
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		channel(talk, WITH(wrong[i]));
		only(talk, HDB_FE_002, FRONT);
	}
	channel(talk, WITH({ CHANNEL_ZERO, 1 }));
	only(talk, HDB_BOTH_001, FRONT);
}

TALK(channel_page_has_the_epoch_of_the_record)
{
	attempt(talk, WITH({ CHANNEL_EPOCH_FRONTEND, 1 }));
	if (talk->observer == FRONT)
		publish(talk);
	only(talk, HDB_FE_002, FRONT);
}

TALK(backend_refuses_a_wrong_channel)
{
	attempt(talk, WITH({ CHANNEL_VERSION, 2 }));
	forget(talk);
	answer_hello(talk, hello(talk, PLAINLY), PLAINLY);
	only(talk, HDB_BE_002, BACK);
}

TALK(backend_takes_notice_of_its_own_offer_only)
{
	offer(talk);
	record(talk, FRONT, "peer-epoch=175\nchannel=9\nepoch=240\n");
	channel(talk, PLAINLY);
	nothing(talk);
	answer(talk, hello(talk, PLAINLY), HDMABUF_STATUS_OK, limits);
	only(talk, HDB_BE_005, BACK);
}

TALK(own_requests_end_with_the_session)
{
	connect_ends(talk);
	record(talk, !talk->observer, "");
	/* What was in the rings already is taken (HDB-BOTH-016). */
	ask(talk, !talk->observer, HDMABUF_OP_ECHO, PLAINLY);
	nothing(talk);
	ask(talk, talk->observer, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_BOTH_016, talk->observer);
}

/* ---- HELLO -------------------------------------------------------------- */

TALK(hello_carries_the_epochs)
{
	attempt(talk, PLAINLY);
	struct asked asked = hello(talk, WITH({ HELLO_EPOCH_BACKEND, 1 }));

	only(talk, HDB_BE_008, FRONT);
	if (talk->observer == FRONT)
		publish(talk);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_EPOCH);
	nothing(talk);
}

TALK(backend_refuses_hello_with_other_epochs)
{
	attempt(talk, PLAINLY);
	answer_hello(talk, hello(talk, WITH({ HELLO_EPOCH_FRONTEND, 1 })),
		     WITH({ HELLO_EPOCH_FRONTEND, 1 }));
	only(talk, HDB_BE_008, BACK);
}

TALK(answer_to_hello_carries_the_epochs)
{
	attempt(talk, PLAINLY);
	answer_hello(talk, hello(talk, PLAINLY),
		     WITH({ HELLO_EPOCH_BACKEND, 1 }));
	only(talk, HDB_BE_004, BACK);
	/* The frontend must not consider itself connected. */
	ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_FE_005, FRONT);
}

TALK(answer_to_hello_has_the_same_features)
{
	attempt(talk, PLAINLY);
	answer_hello(talk, hello(talk, PLAINLY), WITH({ HELLO_FEATURES, 1 }));
	only(talk, HDB_BOTH_064, BACK);
}

TALK(frontend_is_not_connected_when_hello_is_refused)
{
	attempt(talk, PLAINLY);
	refuse(talk, hello(talk, PLAINLY), HDMABUF_STATUS_NO_MEMORY);
	nothing(talk);
	ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_FE_005, FRONT);
}

TALK(features_are_those_offered)
{
	struct asked asked;

	attempt(talk, PLAINLY);
	asked = hello(talk, WITH({ HELLO_FEATURES, 512 }));
	only(talk, HDB_FE_007, FRONT);
	answer_hello(talk, asked, WITH({ HELLO_FEATURES, 512 }));
	only(talk, HDB_BE_009, BACK);
}

TALK(refusal_of_features_is_right)
{
	attempt(talk, PLAINLY);
	refuse(talk, hello(talk, WITH({ HELLO_FEATURES, 512 })),
	       HDMABUF_STATUS_NOT_NEGOTIATED);
	nothing_of(talk, BACK);
}

TALK(limits_of_who_imports)
{
	struct asked asked;

	attempt(talk, PLAINLY);
	asked = hello(talk, WITH({ HELLO_MAX_PRIVATE, 1023 }));
	only(talk, HDB_BOTH_041, FRONT);
	answer_hello(talk, asked, WITH({ HELLO_MAX_PRIVATE, 0 }));
	assert_int_equal(talk->count, 2); /* it has accepted that, too */
	forget(talk);
	begin(talk, talk->observer);
	attempt(talk, PLAINLY);
	asked = hello(talk,
		      WITH({ HELLO_MAX_PRIVATE, 0 }, { HELLO_MAX_BUFFERS, 0 }));
	answer_hello(talk, asked, WITH({ HELLO_MAX_PRIVATE, 0 }));
	only(talk, HDB_BOTH_041, BACK);
}

TALK(answer_to_hello_lets_something_in_flight)
{
	attempt(talk, PLAINLY);
	answer_hello(talk, hello(talk, PLAINLY),
		     WITH({ HELLO_MAX_IN_FLIGHT, 0 }));
	only(talk, HDB_BOTH_064, BACK);
}

TALK(hello_is_the_first_request)
{
	struct asked asked;

	attempt(talk, PLAINLY);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_FE_006, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_STATE);
	nothing(talk);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	forget(talk);
	ok(talk, asked);
	only(talk, HDB_BE_007, BACK);
}

TALK(hello_is_the_only_request_until_it_is_answered)
{
	attempt(talk, PLAINLY);
	hello(talk, PLAINLY);
	nothing(talk);
	ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_FE_006, FRONT);
}

TALK(second_hello_is_refused)
{
	struct asked asked;

	connect_ends(talk);
	asked = hello(talk, PLAINLY);
	only(talk, HDB_FE_006, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_STATE);
	nothing(talk);
	/* The session goes on as it was. */
	settle(talk);
	nothing(talk);
	asked = hello(talk, PLAINLY);
	forget(talk);
	refuse(talk, asked, HDMABUF_STATUS_INVALID);
	only(talk, HDB_BOTH_038, BACK);
	asked = hello(talk, PLAINLY);
	forget(talk);
	answer(talk, asked, HDMABUF_STATUS_OK, limits);
	only(talk, HDB_BE_007, BACK);
}

TALK(frontend_takes_no_hello)
{
	struct asked asked;

	connect_ends(talk);
	asked = ask(talk, BACK, HDMABUF_OP_HELLO, limits);
	only(talk, HDB_FE_009, BACK);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_STATE);
	nothing(talk);
	asked = ask(talk, BACK, HDMABUF_OP_HELLO, limits);
	forget(talk);
	answer(talk, asked, HDMABUF_STATUS_OK, limits);
	only(talk, HDB_FE_009, FRONT);
}

TALK(backend_asks_nothing_before_hello)
{
	struct asked asked;

	attempt(talk, PLAINLY);
	asked = hello(talk, PLAINLY);
	nothing(talk);
	ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_BE_006, BACK);
	answer_hello(talk, asked, PLAINLY);
	ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY);
	nothing(talk);
}

/* ---- Features ----------------------------------------------------------- */

TALK(features_are_used_if_accepted)
{
	static const struct {
		uint16_t operation;
		struct field field;
	} wrong[] = {
		{ HDMABUF_OP_UPDATE, { EXPORT_LENGTH, 256 } },
		{ HDMABUF_OP_ALLOCATE, { ALLOCATE_SIZE, 1 } },
		{ HDMABUF_OP_CPU_BEGIN, { CPU_ACCESS_ACCESS, 1 } },
		{ HDMABUF_OP_CPU_END, { CPU_ACCESS_ACCESS, 1 } },
		{ HDMABUF_OP_HAND_OFF, { HAND_OFF_FLAGS, 1 } },
	};

	connect_with(talk, 0);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const struct field *fields = WITH(wrong[i].field);
		struct asked asked;

		asked = ask(talk, FRONT, wrong[i].operation, fields);
		only(talk, HDB_BOTH_018, FRONT);
		refuse(talk, asked, HDMABUF_STATUS_NOT_NEGOTIATED);
		nothing(talk);
		asked = ask(talk, FRONT, wrong[i].operation, fields);
		forget(talk);
		refuse(talk, asked, HDMABUF_STATUS_WRONG_STATE);
		only(talk, HDB_BOTH_038, BACK);
		asked = ask(talk, FRONT, wrong[i].operation, fields);
		forget(talk);
		answer(talk, asked, HDMABUF_STATUS_OK,
		       WITH({ ID, wrong[i].operation == HDMABUF_OP_ALLOCATE }));
		only(talk, HDB_BOTH_019, BACK);
	}
}

TALK(features_of_a_descriptor)
{
	static const struct field wrong[] = {
		{ DESCRIPTOR_DIRECTORY_FORMAT, HDMABUF_DIRECTORY_TABLE },
		{ DESCRIPTOR_DIRECTORY_FORMAT, HDMABUF_DIRECTORY_EXTENTS },
		{ DESCRIPTOR_RIGHTS, HDMABUF_RIGHTS_LEND },
		{ DESCRIPTOR_TYPE, HDMABUF_TYPE_CYCLIC },
		{ DESCRIPTOR_ATTRIBUTES, HDMABUF_ATTRIBUTE_WRITE_COMBINED },
	};

	connect_with(talk, 0);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct asked asked =
			export(talk, FRONT, 10 + i, WITH(wrong[i]));

		only(talk, HDB_BOTH_018, FRONT);
		refuse(talk, asked, HDMABUF_STATUS_NOT_NEGOTIATED);
		nothing(talk);
		asked = export(talk, FRONT, 20 + i, WITH(wrong[i]));
		forget(talk);
		ok(talk, asked);
		only(talk, HDB_BOTH_019, BACK);
		ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 20 + i));
		nothing(talk);
	}
}

/* ---- Messages ----------------------------------------------------------- */

TALK(zero_fields_are_zero)
{
	static const struct {
		uint16_t operation;
		struct field field;
	} wrong[] = {
		{ HDMABUF_OP_ECHO, { HEADER_STATUS, 1 } },
		{ HDMABUF_OP_CLOSE, { WIRE_PLACE(60, 4), 1 } },
		{ HDMABUF_OP_QUERY, { WIRE_PLACE(60, 4), 1 } },
		{ HDMABUF_OP_TIMELINE_DESTROY, { TIMELINE_SIGNALLER, 1 } },
		{ HDMABUF_OP_TIMELINE_DESTROY, { TIMELINE_POINT, 1 } },
		{ HDMABUF_OP_ALLOCATE, { ALLOCATE_ZERO, 1 } },
	};

	connect_ends(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const struct field *fields = WITH(wrong[i].field);
		struct asked asked =
			ask(talk, BACK, wrong[i].operation, fields);

		only(talk, HDB_BOTH_001, BACK);
		refuse(talk, asked, HDMABUF_STATUS_RESERVED);
		nothing(talk);
		asked = ask(talk, BACK, wrong[i].operation, fields);
		forget(talk);
		refuse(talk, asked, HDMABUF_STATUS_FAILED);
		only(talk, HDB_BOTH_038, FRONT);
		asked = ask(talk, BACK, wrong[i].operation, fields);
		forget(talk);
		answer(talk, asked, HDMABUF_STATUS_OK,
		       WITH({ ID, wrong[i].operation == HDMABUF_OP_ALLOCATE }));
		if (wrong[i].operation != HDMABUF_OP_CLOSE)
			only(talk, HDB_BOTH_002, FRONT);
		begin(talk, talk->observer);
		connect_ends(talk);
	}
}

TALK(zero_fields_of_answers_are_zero)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	answer(talk, hand_off(talk, FRONT, 1, PLAINLY), HDMABUF_STATUS_OK,
	       WITH({ WIRE_PLACE(56, 8), 1 }));
	only(talk, HDB_BOTH_001, BACK);
	answer(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY),
	       HDMABUF_STATUS_FAILED, WITH({ ERROR_ZERO, 1 }));
	only(talk, HDB_BOTH_001, BACK);
}

TALK(ids_are_not_used_twice)
{
	struct asked asked;

	connect_ends(talk);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, WITH({ HEADER_ID, 77 }));
	ok(talk, asked);
	/* It was answered. */
	ask(talk, FRONT, HDMABUF_OP_ECHO, WITH({ HEADER_ID, 77 }));
	/* The other end has ids of its own. */
	ask(talk, BACK, HDMABUF_OP_ECHO, WITH({ HEADER_ID, 77 }));
	nothing(talk);
	name(talk, FRONT, HDMABUF_OP_ALLOCATE, 1);
	forget(talk);
	ask(talk, FRONT, HDMABUF_OP_ECHO, WITH({ HEADER_ID, 77 }));
	only(talk, HDB_BOTH_031, FRONT);
}

TALK(answers_fit_requests)
{
	struct asked asked;

	connect_ends(talk);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	asked.operation = HDMABUF_OP_CLOSE;
	ok(talk, asked);
	only(talk, HDB_BOTH_032, BACK);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	asked.operation = 0;
	ok(talk, asked);
	only(talk, HDB_BOTH_032, BACK);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	ok(talk, asked);
	nothing(talk);
	ok(talk, asked);
	only(talk, HDB_BOTH_033, BACK);
	asked.id = 12345;
	ok(talk, asked);
	only(talk, HDB_BOTH_032, BACK);
}

TALK(answers_may_come_in_any_order)
{
	struct asked first, second;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_LEND);
	first = hand_off(talk, FRONT, 1, PLAINLY);
	second = ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	ok(talk, second);
	ok(talk, first);
	nothing(talk);
}

TALK(requests_in_flight_are_limited)
{
	struct asked asked;

	connect_ends(talk);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	for (int i = 1; i < 8; i++)
		ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	nothing(talk);
	ok(talk, asked);
	ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	nothing(talk);
	ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_BOTH_008, FRONT);
}

TALK(slots_of_the_ring_are_limited)
{
	struct asked asked;

	attempt(talk, PLAINLY);
	asked = hello(talk, WITH({ HELLO_MAX_IN_FLIGHT, 1000 }));
	answer_hello(talk, asked, WITH({ HELLO_MAX_IN_FLIGHT, 1000 }));
	for (int i = 0; i < 32; i++)
		ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY);
	nothing(talk);
	ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_BOTH_008, BACK);
}

TALK(unknown_operations_are_refused)
{
	const struct field *operation =
		WITH({ ERROR_WHERE, HDMABUF_WHERE_REQUEST },
		     { ERROR_OFFSET, wire_offset(HEADER_OPERATION) },
		     { ERROR_VALUE, 0x99 });

	connect_ends(talk);
	answer(talk, ask(talk, FRONT, 0x99, WITH({ WIRE_PLACE(56, 8), 1 })),
	       HDMABUF_STATUS_UNKNOWN_OPERATION, operation);
	nothing(talk);
	answer(talk, ask(talk, FRONT, 0x99, PLAINLY), HDMABUF_STATUS_RESERVED,
	       operation);
	only(talk, HDB_BOTH_036, BACK);
	ok(talk, ask(talk, FRONT, 0x99, PLAINLY));
	only(talk, HDB_BOTH_036, BACK);
}

TALK(statuses_fit_the_operation)
{
	connect_ends(talk);
	refuse(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY),
	       HDMABUF_STATUS_CANCELLED);
	nothing(talk);
	refuse(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY), 23);
	only(talk, HDB_BOTH_038, BACK);
	refuse(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY),
	       HDMABUF_STATUS_LOST);
	only(talk, HDB_BOTH_038, BACK);
	refuse(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY),
	       HDMABUF_STATUS_UNKNOWN_OPERATION);
	only(talk, HDB_BOTH_038, BACK);
	refuse(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY), 999);
	only(talk, HDB_BOTH_038, BACK);
}

TALK(errors_name_a_place)
{
	static const struct {
		uint64_t where, offset, value;
		uint16_t status;
	} wrong[] = {
		{ HDMABUF_WHERE_NOWHERE, 0, 0, HDMABUF_STATUS_RESERVED },
		{ HDMABUF_WHERE_REQUEST, 9, 0, HDMABUF_STATUS_NO_MEMORY },
		{ HDMABUF_WHERE_DESCRIPTOR, 8, 0, HDMABUF_STATUS_NO_MEMORY },
		{ HDMABUF_WHERE_DIRECTORY, 8, 0, HDMABUF_STATUS_NO_MEMORY },
		{ HDMABUF_WHERE_CHANNEL, 8, 0, HDMABUF_STATUS_NO_MEMORY },
		{ HDMABUF_WHERE_REQUEST, 32, 5, HDMABUF_STATUS_NO_MEMORY },
	};

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	answer(talk, hand_off(talk, FRONT, 1, PLAINLY),
	       HDMABUF_STATUS_NO_MEMORY, PLAINLY);
	answer(talk, export(talk, FRONT, 2, PLAINLY), HDMABUF_STATUS_DENIED,
	       WITH({ ERROR_WHERE, HDMABUF_WHERE_DESCRIPTOR },
		    { ERROR_OFFSET, wire_offset(DESCRIPTOR_TYPE) },
		    { ERROR_VALUE, 1 }));
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		answer(talk, hand_off(talk, FRONT, 1, PLAINLY), wrong[i].status,
		       WITH({ ERROR_WHERE, wrong[i].where },
			    { ERROR_OFFSET, wrong[i].offset },
			    { ERROR_VALUE, wrong[i].value }));
		only(talk, HDB_BOTH_039, BACK);
	}
	answer(talk, hand_off(talk, FRONT, 1, PLAINLY),
	       HDMABUF_STATUS_NO_MEMORY, WITH({ ERROR_WHERE, 6 }));
	only(talk, HDB_BOTH_064, BACK);
}

TALK(echo_comes_back)
{
	struct asked asked;

	connect_ends(talk);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, WITH({ ID, 1234 }));
	answer(talk, asked, HDMABUF_STATUS_OK, WITH({ ID, 1234 }));
	nothing(talk);
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, WITH({ ID, 1234 }));
	answer(talk, asked, HDMABUF_STATUS_OK, WITH({ ID, 1235 }));
	only(talk, HDB_BOTH_064, BACK);
}

/* ---- CLOSE -------------------------------------------------------------- */

static struct asked say_close(struct talk *talk, unsigned int end)
{
	return ask(talk, end, HDMABUF_OP_CLOSE,
		   WITH({ CLOSE_REASON, HDMABUF_REASON_DONE }));
}

TALK(nothing_is_asked_after_close)
{
	connect_ends(talk);
	say_close(talk, FRONT);
	nothing(talk);
	ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_BOTH_024, FRONT);
}

TALK(nothing_is_asked_after_the_close_of_the_other)
{
	connect_ends(talk);
	ok(talk, say_close(talk, FRONT));
	ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY);
	nothing(talk);
	settle(talk);
	forget(talk);
	ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_BOTH_024, BACK);
}

TALK(requests_cross_close)
{
	struct asked closing, asked;

	connect_ends(talk);
	closing = say_close(talk, FRONT);
	/* It was sent before the backend saw CLOSE, for all that is known. */
	asked = ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY);
	refuse(talk, asked, HDMABUF_STATUS_CLOSING);
	ok(talk, closing);
	nothing(talk);
}

TALK(who_closes_refuses_what_comes)
{
	struct asked early;

	connect_ends(talk);
	early = ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY);
	say_close(talk, FRONT);
	/* It may have been handled before CLOSE was sent. */
	ok(talk, early);
	nothing(talk);
	refuse(talk, ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY),
	       HDMABUF_STATUS_NO_MEMORY);
	only(talk, HDB_BOTH_038, FRONT);
	ok(talk, ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY));
	only(talk, HDB_BOTH_026, FRONT);
}

TALK(both_ends_close)
{
	struct asked front, back;

	connect_ends(talk);
	front = say_close(talk, FRONT);
	back = say_close(talk, BACK);
	ok(talk, front);
	ok(talk, back);
	nothing(talk);
}

TALK(close_that_is_refused_closes_nothing)
{
	struct asked asked;

	connect_ends(talk);
	asked = ask(talk, FRONT, HDMABUF_OP_CLOSE, WITH({ CLOSE_REASON, 9 }));
	only(talk, HDB_BOTH_038, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_INVALID);
	settle(talk);
	nothing(talk);
	asked = ask(talk, FRONT, HDMABUF_OP_CLOSE, WITH({ CLOSE_REASON, 9 }));
	forget(talk);
	ok(talk, asked);
	only(talk, HDB_BOTH_038, BACK);
}

/* ---- EXPORT ------------------------------------------------------------- */

TALK(ids_are_chosen_anew)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	unmapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1));
	nothing(talk);
	export(talk, FRONT, 1, PLAINLY);
	only(talk, HDB_EXP_001, FRONT);
	export(talk, FRONT, 0, PLAINLY);
	only(talk, HDB_EXP_001, FRONT);
}

TALK(id_in_use_is_refused)
{
	struct asked asked;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	asked = export(talk, FRONT, 1, PLAINLY);
	only(talk, HDB_EXP_001, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_DUPLICATE);
	nothing(talk);
	/* The first one is as it was. */
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	nothing(talk);
	asked = export(talk, FRONT, 1, PLAINLY);
	forget(talk);
	refuse(talk, asked, HDMABUF_STATUS_DENIED);
	nothing_of(talk, BACK); /* RELEASED of the first may be on its way */
	asked = export(talk, FRONT, 1, PLAINLY);
	forget(talk);
	ok(talk, asked);
	settle(talk);
	only(talk, HDB_IMP_001, BACK);
}

TALK(id_may_be_free_already)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	ok(talk, export(talk, FRONT, 1, PLAINLY));
	forget(talk);
	/* It had been released when EXPORT came. */
	name(talk, BACK, HDMABUF_OP_RELEASED, 1);
	settle(talk);
	nothing_of(talk, BACK);
}

TALK(descriptor_fits_the_request)
{
	static const struct field wrong[] = {
		{ DESCRIPTOR_MAGIC, 1 },
		{ DESCRIPTOR_GENERATION, 0 },
		{ DESCRIPTOR_GENERATION, 2 },
		{ DESCRIPTOR_PRIVATE, 1 },
		{ DESCRIPTOR_DIRECTORY_FORMAT, 3 },
		{ DESCRIPTOR_DATA_OFFSET, 4096 },
		{ DESCRIPTOR_PAGE_SHIFT, 13 },
		{ DESCRIPTOR_RIGHTS, 0 },
		{ DESCRIPTOR_RIGHTS, 4 },
		{ DESCRIPTOR_ATTRIBUTES, 0 },
		{ DESCRIPTOR_ATTRIBUTES, 3 },
		{ DESCRIPTOR_TYPE, 0 },
		{ DESCRIPTOR_TYPE, 4 },
		{ DESCRIPTOR_SIZE, 0 },
	};

	connect_ends(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct asked asked =
			export(talk, FRONT, 10 + i, WITH(wrong[i]));

		only(talk, HDB_IMP_009, FRONT);
		answer(talk, asked, HDMABUF_STATUS_INVALID,
		       WITH({ ERROR_WHERE, HDMABUF_WHERE_DESCRIPTOR },
			    { ERROR_OFFSET, wire_offset(wrong[i].place) },
			    { ERROR_VALUE, wrong[i].value }));
		nothing(talk);
		asked = export(talk, FRONT, 100 + i, WITH(wrong[i]));
		forget(talk);
		ok(talk, asked);
		only(talk, HDB_IMP_009, BACK);
		ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 100 + i));
		nothing(talk);
	}
}

TALK(descriptor_has_the_id_of_the_request)
{
	connect_ends(talk);
	describe(talk, FRONT, 2, PLAINLY);
	ok(talk, ask(talk, FRONT, HDMABUF_OP_EXPORT,
		     WITH({ ID, 1 }, { EXPORT_DESCRIPTOR, 4 },
			  { EXPORT_LENGTH, 256 })));
	only(talk, HDB_IMP_009, BACK);
}

static const struct field picture[] = {
	{ DESCRIPTOR_TYPE, HDMABUF_TYPE_PICTURE },
	{ PICTURE_WIDTH, 16 },
	{ PICTURE_HEIGHT, 16 },
	{ PICTURE_FOURCC, 1 },
	{ PICTURE_PLANES, 2 },
	{ PICTURE_PLANE_FIRST, 1 },
	{ PICTURE_PLANE_COUNT, 1 },
	{ PICTURE_PLANE0_STRIDE, 64 },
};

static const struct field sound[] = {
	{ DESCRIPTOR_TYPE, HDMABUF_TYPE_CYCLIC },
	{ CYCLIC_CHANNELS, 2 },
	{ CYCLIC_RATE, 48000 },
	{ CYCLIC_FRAME_OCTETS, 4 },
	{ CYCLIC_PERIOD_OCTETS, 1024 },
	{ CYCLIC_POSITION_TIMELINE, HDMABUF_NO_TIMELINE },
};

static struct asked export_changed(struct talk *talk, uint64_t id,
				   const struct field *fields, size_t count,
				   struct field change)
{
	struct field all[16];

	memcpy(all, fields, count * sizeof(*fields));
	all[count] = change;
	all[count + (change.place != 0)] = (struct field){ 0 };
	return export(talk, FRONT, id, all);
}

static void expect_refused(struct talk *talk, uint64_t id,
			   const struct field *fields, size_t count,
			   struct field change, enum clause sender,
			   enum clause receiver)
{
	struct asked asked = export_changed(talk, id, fields, count, change);

	only(talk, sender, FRONT);
	ok(talk, asked);
	only(talk, receiver, BACK);
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, id));
	nothing(talk);
}

TALK(pictures_make_sense)
{
	static const struct field wrong[] = {
		{ PICTURE_WIDTH, 0 },	      { PICTURE_HEIGHT, 0 },
		{ PICTURE_FOURCC, 0 },	      { PICTURE_PLANES, 0 },
		{ PICTURE_PLANES, 5 },	      { PICTURE_PLANE_FIRST, 2 },
		{ PICTURE_PLANE_COUNT, 2 },   { PICTURE_PLANE0_OFFSET, 4096 },
		{ PICTURE_PLANE0_STRIDE, 0 }, { PICTURE_PLANE0_STRIDE, 4097 },
	};

	connect_ends(talk);
	ok(talk, export_changed(talk, 1, picture, COUNT(picture),
				(struct field){ 0 }));
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 1));
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++)
		expect_refused(talk, 10 + i, picture, COUNT(picture), wrong[i],
			       HDB_IMP_009, HDB_IMP_009);
	/* What is behind the last plane is zero. */
	expect_refused(talk, 30, picture, COUNT(picture),
		       (struct field){ PICTURE_PLANE3_STRIDE, 1 }, HDB_BOTH_001,
		       HDB_IMP_023);
	expect_refused(talk, 31, picture, COUNT(picture),
		       (struct field){ PICTURE_PLANE0_ZERO, 1 }, HDB_BOTH_001,
		       HDB_IMP_023);
}

TALK(sound_makes_sense)
{
	static const struct field wrong[] = {
		{ CYCLIC_CHANNELS, 0 },	     { CYCLIC_RATE, 0 },
		{ CYCLIC_FRAME_OCTETS, 0 },  { CYCLIC_FRAME_OCTETS, 3 },
		{ CYCLIC_PERIOD_OCTETS, 0 }, { CYCLIC_PERIOD_OCTETS, 1000 },
	};

	connect_ends(talk);
	ok(talk,
	   export_changed(talk, 1, sound, COUNT(sound), (struct field){ 0 }));
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 1));
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++)
		expect_refused(talk, 10 + i, sound, COUNT(sound), wrong[i],
			       HDB_IMP_009, HDB_IMP_009);
	expect_refused(talk, 30, sound, COUNT(sound),
		       (struct field){ WIRE_PLACE(192, 8), 1 }, HDB_BOTH_001,
		       HDB_IMP_023);
}

TALK(zero_fields_of_a_descriptor)
{
	connect_ends(talk);
	expect_refused(talk, 1, limits, 0,
		       (struct field){ WIRE_PLACE(104, 8), 1 }, HDB_BOTH_001,
		       HDB_IMP_023);
	expect_refused(talk, 2, limits, 0,
		       (struct field){ WIRE_PLACE(248, 8), 1 }, HDB_BOTH_001,
		       HDB_IMP_023);
}

TALK(counts_are_what_they_must_be)
{
	static const struct field wrong[] = {
		{ DESCRIPTOR_PAGES, 2 },
		{ DESCRIPTOR_ENTRIES, 2 },
		{ DESCRIPTOR_DIRECTORY_PAGES, 2 },
		{ DESCRIPTOR_DATA_OFFSET, 1 }, /* a page more */
	};

	connect_ends(talk);
	ok(talk,
	   export(talk, FRONT, 1,
		  WITH({ DESCRIPTOR_SIZE, 4096 }, { DESCRIPTOR_DATA_OFFSET, 8 },
		       { DESCRIPTOR_PAGES, 2 }, { DESCRIPTOR_ENTRIES, 1 },
		       { DESCRIPTOR_DIRECTORY_FORMAT,
			 HDMABUF_DIRECTORY_EXTENTS })));
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 1));
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++)
		expect_refused(talk, 10 + i, limits, 0, wrong[i], HDB_IMP_011,
			       HDB_IMP_011);
}

TALK(sums_fit_64_bits)
{
	struct asked asked;

	connect_ends(talk);
	asked = export(talk, FRONT, 1,
		       WITH({ DESCRIPTOR_SIZE, UINT64_MAX },
			    { DESCRIPTOR_DATA_OFFSET, 8 }));
	only(talk, HDB_BOTH_062, FRONT);
	ok(talk, asked);
	only(talk, HDB_BOTH_062, BACK);
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 1));
	share(talk, FRONT, 2, HDMABUF_RIGHTS_READ_WRITE);
	asked = ask(talk, FRONT, HDMABUF_OP_CPU_BEGIN,
		    WITH({ ID, 2 }, { CPU_ACCESS_OFFSET, UINT64_MAX },
			 { CPU_ACCESS_OCTETS, 2 }, { CPU_ACCESS_ACCESS, 1 }));
	forget(talk);
	ok(talk, asked);
	only(talk, HDB_BOTH_062, BACK);
}

TALK(references_are_not_zero)
{
	struct asked asked;

	connect_ends(talk);
	expect_refused(talk, 1, limits, 0,
		       (struct field){ DESCRIPTOR_DIRECTORY, 0 }, HDB_PLAT_003,
		       HDB_BOTH_038);
	describe(talk, FRONT, 2, PLAINLY);
	asked = ask(talk, FRONT, HDMABUF_OP_EXPORT,
		    WITH({ ID, 2 }, { EXPORT_LENGTH, 256 }));
	only(talk, HDB_PLAT_003, FRONT);
	ok(talk, asked);
	only(talk, HDB_BOTH_038, BACK);
}

TALK(exports_are_limited)
{
	struct asked asked;

	connect_ends(talk);
	for (uint64_t id = 1; id <= 3; id++)
		share(talk, FRONT, id, HDMABUF_RIGHTS_READ_ONLY);
	asked = export(talk, FRONT, 4, PLAINLY);
	only(talk, HDB_EXP_008, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_LIMIT);
	nothing(talk);
	/* The other end's exports have limits of their own. */
	share(talk, BACK, 5, HDMABUF_RIGHTS_READ_ONLY);
	asked = export(talk, FRONT, 6, PLAINLY);
	forget(talk);
	ok(talk, asked);
	settle(talk);
	only(talk, HDB_BOTH_021, BACK);
	unmapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1));
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 2));
	share(talk, FRONT, 7, HDMABUF_RIGHTS_READ_ONLY);
}

TALK(octets_are_limited)
{
	struct asked asked;

	connect_ends(talk);
	ok(talk,
	   export(talk, FRONT, 1,
		  WITH({ DESCRIPTOR_SIZE, 12289 }, { DESCRIPTOR_PAGES, 4 },
		       { DESCRIPTOR_ENTRIES, 4 })));
	nothing(talk);
	asked = export(talk, FRONT, 2, PLAINLY);
	only(talk, HDB_EXP_008, FRONT);
	ok(talk, asked);
	/* RELEASED of the first one was on its way. */
	name(talk, BACK, HDMABUF_OP_RELEASED, 1);
	settle(talk);
	nothing(talk);
}

TALK(private_data_is_limited)
{
	struct asked asked;

	connect_ends(talk);
	ok(talk, export(talk, FRONT, 1,
			WITH({ DESCRIPTOR_LENGTH, 1280 },
			     { DESCRIPTOR_PRIVATE, 1024 })));
	nothing(talk);
	asked = export(talk, FRONT, 2,
		       WITH({ DESCRIPTOR_LENGTH, 1281 },
			    { DESCRIPTOR_PRIVATE, 1025 }));
	only(talk, HDB_EXP_008, FRONT);
	ok(talk, asked);
	only(talk, HDB_BOTH_021, BACK);
	asked = update(talk, FRONT, 1, 2,
		       WITH({ DESCRIPTOR_LENGTH, 1281 },
			    { DESCRIPTOR_PRIVATE, 1025 }));
	only(talk, HDB_BOTH_020, FRONT);
	ok(talk, asked);
	only(talk, HDB_BOTH_021, BACK);
}

TALK(length_is_from_256_to_a_page)
{
	connect_ends(talk);
	ask(talk, FRONT, HDMABUF_OP_EXPORT,
	    WITH({ ID, 1 }, { EXPORT_DESCRIPTOR, 4 }, { EXPORT_LENGTH, 255 }));
	only(talk, HDB_BOTH_038, FRONT);
	ask(talk, FRONT, HDMABUF_OP_EXPORT,
	    WITH({ ID, 2 }, { EXPORT_DESCRIPTOR, 4 }, { EXPORT_LENGTH, 4097 }));
	only(talk, HDB_BOTH_038, FRONT);
}

/* ---- What may be done with a buffer ------------------------------------- */

TALK(exporter_waits_for_the_answer)
{
	static const uint16_t operations[] = { HDMABUF_OP_UNEXPORT,
					       HDMABUF_OP_UPDATE };
	struct asked asked;

	connect_ends(talk);
	asked = export(talk, FRONT, 1, PLAINLY);
	hand_off(talk, FRONT, 1, PLAINLY);
	only(talk, HDB_EXP_007, FRONT);
	for (size_t i = 0; i < COUNT(operations); i++) {
		ask(talk, FRONT, operations[i],
		    WITH({ ID, 1 }, { EXPORT_DESCRIPTOR, 4 }));
		only(talk, HDB_EXP_007, FRONT);
	}
	refuse(talk, asked, HDMABUF_STATUS_DENIED);
	nothing(talk);
	hand_off(talk, FRONT, 1, PLAINLY);
	only(talk, HDB_EXP_007, FRONT);
}

TALK(ids_are_known)
{
	static const uint16_t operations[] = {
		HDMABUF_OP_UNEXPORT,
		HDMABUF_OP_RELEASED,
		HDMABUF_OP_QUERY,
	};

	connect_ends(talk);
	for (size_t i = 0; i < COUNT(operations); i++) {
		struct asked asked = name(talk, FRONT, operations[i], 99);

		only(talk, HDB_BOTH_042, FRONT);
		refuse(talk, asked, HDMABUF_STATUS_NO_SUCH_BUFFER);
		nothing(talk);
		asked = name(talk, FRONT, operations[i], 99);
		forget(talk);
		answer(talk, asked, HDMABUF_STATUS_OK, PLAINLY);
		only(talk, HDB_BOTH_042, BACK);
	}
	ok(talk, hand_off(talk, FRONT, 99, PLAINLY));
	only(talk, HDB_BOTH_042, BACK);
}

TALK(released_buffers_are_not_known)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	share(talk, FRONT, 2, HDMABUF_RIGHTS_READ_WRITE);
	unmapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1));
	nothing(talk);
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	only(talk, HDB_BOTH_042, BACK);
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 2));
	nothing(talk);
	ok(talk, name(talk, BACK, HDMABUF_OP_QUERY, 2));
	only(talk, HDB_BOTH_042, FRONT);
}

/* What an end has seen when it made a request is known only some messages later. */
TALK(released_buffers_are_let_alone_in_time)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	unmapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1));
	/* This may have been made before the answer was seen. */
	refuse(talk, name(talk, FRONT, HDMABUF_OP_QUERY, 1),
	       HDMABUF_STATUS_NO_SUCH_BUFFER);
	nothing(talk);
	settle(talk);
	settle(talk);
	nothing(talk);
	name(talk, FRONT, HDMABUF_OP_QUERY, 1);
	only(talk, HDB_BOTH_042, FRONT);
}

/* RELEASED crosses what the exporter has sent, and explains how it is answered. */
TALK(released_crosses_requests)
{
	struct asked handing, asking, retiring, released;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	handing = hand_off(talk, FRONT, 1, PLAINLY);
	asking = name(talk, FRONT, HDMABUF_OP_QUERY, 1);
	retiring = name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1);
	released = name(talk, BACK, HDMABUF_OP_RELEASED, 1);
	refuse(talk, handing, HDMABUF_STATUS_NO_SUCH_BUFFER);
	refuse(talk, asking, HDMABUF_STATUS_NO_SUCH_BUFFER);
	refuse(talk, retiring, HDMABUF_STATUS_NO_SUCH_BUFFER);
	ok(talk, released);
	settle(talk);
	nothing(talk);
}

TALK(roles_are_kept)
{
	struct asked asked;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	asked = name(talk, FRONT, HDMABUF_OP_RELEASED, 1);
	only(talk, HDB_BOTH_043, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_ROLE);
	nothing(talk);
	ok(talk, name(talk, FRONT, HDMABUF_OP_RELEASED, 1));
	only(talk, HDB_BOTH_043, BACK);
	begin(talk, talk->observer);
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	ok(talk, name(talk, BACK, HDMABUF_OP_UNEXPORT, 1));
	only(talk, HDB_BOTH_043, FRONT);
}

TALK(read_only_is_not_handed_back)
{
	struct asked asked;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	asked = hand_off(talk, BACK, 1, PLAINLY);
	only(talk, HDB_EXP_010, BACK);
	refuse(talk, asked, HDMABUF_STATUS_DENIED);
	nothing(talk);
	ok(talk, hand_off(talk, BACK, 1, PLAINLY));
	only(talk, HDB_EXP_010, FRONT);
}

TALK(read_write_is_handed_back)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	ok(talk, hand_off(talk, BACK, 1, PLAINLY));
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	nothing(talk);
}

TALK(lent_buffers_are_left_alone)
{
	struct asked asked;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_LEND);
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	ok(talk, hand_off(talk, BACK, 1, PLAINLY));
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	nothing(talk);
	asked = hand_off(talk, FRONT, 1, PLAINLY);
	only(talk, HDB_EXP_009, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_STATE);
	nothing(talk);
	asked = update(talk, FRONT, 1, 2,
		       WITH({ DESCRIPTOR_RIGHTS, HDMABUF_RIGHTS_LEND }));
	only(talk, HDB_EXP_009, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_STATE);
	nothing(talk);
	/* What was refused has changed nothing. */
	ok(talk, hand_off(talk, BACK, 1, PLAINLY));
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	nothing(talk);
}

TALK(lent_buffer_that_is_refused_is_not_lent)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_LEND);
	refuse(talk, hand_off(talk, FRONT, 1, PLAINLY),
	       HDMABUF_STATUS_NO_MEMORY);
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	refuse(talk, hand_off(talk, BACK, 1, PLAINLY),
	       HDMABUF_STATUS_NO_MEMORY);
	ok(talk, hand_off(talk, BACK, 1, PLAINLY));
	nothing(talk);
}

TALK(who_has_it_not_cannot_hand_it_off)
{
	struct asked asked;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_LEND);
	asked = hand_off(talk, BACK, 1, PLAINLY);
	only(talk, HDB_BOTH_051, BACK);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_STATE);
	nothing(talk);
	asked = hand_off(talk, BACK, 1, PLAINLY);
	forget(talk);
	ok(talk, asked);
	settle(talk);
	only(talk, HDB_BOTH_051, FRONT);
}

TALK(importer_refuses_what_it_has)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_LEND);
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	nothing(talk);
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	forget(talk);
	settle(talk);
	only(talk, HDB_BOTH_051, BACK);
}

TALK(importer_may_have_handed_it_back)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_LEND);
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	forget(talk);
	hand_off(talk, BACK, 1, PLAINLY);
	settle(talk);
	nothing_of(talk, BACK);
}

TALK(nothing_is_handed_off_after_unexport)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	share(talk, FRONT, 2, HDMABUF_RIGHTS_READ_WRITE);
	still_mapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1));
	/* It may have been sent before UNEXPORT came. */
	refuse(talk, hand_off(talk, BACK, 1, PLAINLY),
	       HDMABUF_STATUS_WRONG_STATE);
	nothing(talk);
	settle(talk);
	hand_off(talk, BACK, 1, PLAINLY);
	only(talk, HDB_IMP_021, BACK);
	hand_off(talk, FRONT, 1, PLAINLY);
	only(talk, HDB_BOTH_038, FRONT);
}

TALK(what_is_wanted_back_is_refused)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	share(talk, FRONT, 2, HDMABUF_RIGHTS_READ_WRITE);
	share(talk, FRONT, 3, HDMABUF_RIGHTS_READ_WRITE);
	for (uint64_t id = 1; id <= 3; id++)
		still_mapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, id));
	nothing(talk);
	ok(talk, hand_off(talk, BACK, 1, PLAINLY));
	only(talk, HDB_BOTH_038, FRONT);
	ok(talk, hand_off(talk, FRONT, 2, PLAINLY));
	only(talk, HDB_BOTH_038, BACK);
	still_mapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 3));
	only(talk, HDB_BOTH_038, BACK);
}

TALK(unexport_says_yes_or_no)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	answer(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1),
	       HDMABUF_STATUS_OK, WITH({ UNEXPORT_ANSWER_MAPPED, 2 }));
	only(talk, HDB_BOTH_064, BACK);
}

TALK(released_comes_after_the_answer)
{
	struct asked exported, asked;

	connect_ends(talk);
	exported = export(talk, FRONT, 1, PLAINLY);
	asked = name(talk, BACK, HDMABUF_OP_RELEASED, 1);
	only(talk, HDB_BOTH_038, BACK);
	ok(talk, asked);
	only(talk, HDB_BOTH_038, FRONT);
	ok(talk, exported);
	nothing(talk);
}

TALK(released_after_the_grace_period)
{
	struct asked asked;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	share(talk, FRONT, 2, HDMABUF_RIGHTS_READ_WRITE);
	for (uint64_t id = 1; id <= 2; id++)
		still_mapped(talk,
			     ask(talk, FRONT, HDMABUF_OP_UNEXPORT,
				 WITH({ ID, id }, { UNEXPORT_GRACE_MS, 100 })));
	talk->time += 101 * (uint64_t)MS;
	ok(talk, name(talk, BACK, HDMABUF_OP_RELEASED, 1));
	nothing(talk);
	asked = name(talk, BACK, HDMABUF_OP_RELEASED, 2);
	refuse(talk, asked, HDMABUF_STATUS_NO_SUCH_BUFFER);
	only(talk, HDB_EXP_015, FRONT);
}

/* ---- UPDATE ------------------------------------------------------------- */

TALK(update_changes_little)
{
	static const struct field wrong[] = {
		{ DESCRIPTOR_SIZE, 4095 },
		{ DESCRIPTOR_PAGES, 2 },
		{ DESCRIPTOR_ENTRIES, 2 },
		{ DESCRIPTOR_DIRECTORY, 6 },
		{ DESCRIPTOR_DIRECTORY_PAGES, 2 },
		{ DESCRIPTOR_DIRECTORY_FORMAT, HDMABUF_DIRECTORY_EXTENTS },
		{ DESCRIPTOR_DATA_OFFSET, 1 },
		{ DESCRIPTOR_PAGE_SHIFT, 13 },
		{ DESCRIPTOR_RIGHTS, HDMABUF_RIGHTS_READ_ONLY },
		{ DESCRIPTOR_ATTRIBUTES, HDMABUF_ATTRIBUTE_WRITE_COMBINED },
	};

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct asked asked = update(talk, FRONT, 1, 2, WITH(wrong[i]));

		only(talk, HDB_EXP_011, FRONT);
		refuse(talk, asked, HDMABUF_STATUS_INVALID);
		nothing(talk);
	}
	ok(talk,
	   update(talk, FRONT, 1, 2,
		  WITH({ DESCRIPTOR_LENGTH, 266 }, { DESCRIPTOR_PRIVATE, 10 },
		       { DESCRIPTOR_TAG, 9 })));
	ok(talk, update(talk, FRONT, 1, 3, PLAINLY));
	nothing(talk);
	ok(talk, update(talk, FRONT, 1, 4, WITH(wrong[0])));
	only(talk, HDB_IMP_018, BACK);
}

TALK(generations_grow_by_one)
{
	struct asked first, second;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	/* Those that are not answered may count, or not. */
	first = update(talk, FRONT, 1, 2, PLAINLY);
	second = update(talk, FRONT, 1, 3, PLAINLY);
	ok(talk, first);
	ok(talk, second);
	nothing(talk);
	first = update(talk, FRONT, 1, 5, PLAINLY);
	only(talk, HDB_IMP_018, FRONT);
	refuse(talk, first, HDMABUF_STATUS_INVALID);
	first = update(talk, FRONT, 1, 4, PLAINLY);
	nothing(talk);
	ok(talk, first);
	nothing(talk);
	ok(talk, update(talk, FRONT, 1, 4, PLAINLY));
	only(talk, HDB_IMP_018, BACK);
}

/* ---- QUERY, processors, allocation -------------------------------------- */

static void say_state(struct talk *talk, unsigned int asker,
		      const struct field *fields)
{
	struct field all[16] = {
		{ QUERY_ANSWER_STATE, asker == FRONT ? HDMABUF_BUFFER_IMPORTED :
						       HDMABUF_BUFFER_LIVE },
		{ QUERY_ANSWER_RIGHTS, HDMABUF_RIGHTS_READ_WRITE },
		{ QUERY_ANSWER_SIZE, 4096 },
		{ QUERY_ANSWER_PAGES, 1 },
		{ QUERY_ANSWER_GENERATION, 1 },
		{ QUERY_ANSWER_TAG, 7 },
		{ QUERY_ANSWER_TYPE, HDMABUF_TYPE_RAW },
	};
	size_t count = 7;

	for (; fields->place; fields++)
		all[count++] = *fields;
	answer(talk, name(talk, asker, HDMABUF_OP_QUERY, 1), HDMABUF_STATUS_OK,
	       all);
}

TALK(query_tells_the_truth)
{
	static const struct field wrong[] = {
		{ QUERY_ANSWER_STATE, HDMABUF_BUFFER_LIVE },
		{ QUERY_ANSWER_STATE, HDMABUF_BUFFER_RETIRING },
		{ QUERY_ANSWER_STATE, 9 },
		{ QUERY_ANSWER_RIGHTS, 1 },
		{ QUERY_ANSWER_SIZE, 1 },
		{ QUERY_ANSWER_PAGES, 2 },
		{ QUERY_ANSWER_GENERATION, 2 },
		{ QUERY_ANSWER_TAG, 1 },
		{ QUERY_ANSWER_HAND_OFFS, 1 },
		{ QUERY_ANSWER_TYPE, 2 },
		{ QUERY_ANSWER_PRIVATE, 1 },
	};

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	say_state(talk, FRONT, PLAINLY);
	say_state(talk, BACK, PLAINLY);
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		say_state(talk, FRONT, WITH(wrong[i]));
		only(talk, HDB_BOTH_064, BACK);
	}
	say_state(talk, BACK,
		  WITH({ QUERY_ANSWER_STATE, HDMABUF_BUFFER_MAPPED }));
	only(talk, HDB_BOTH_064, FRONT);
}

TALK(query_of_what_is_wanted_back)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	still_mapped(talk, name(talk, FRONT, HDMABUF_OP_UNEXPORT, 1));
	say_state(talk, FRONT,
		  WITH({ QUERY_ANSWER_STATE, HDMABUF_BUFFER_RETIRING }));
	nothing(talk);
	say_state(talk, FRONT,
		  WITH({ QUERY_ANSWER_STATE, HDMABUF_BUFFER_MAPPED }));
	only(talk, HDB_BOTH_064, BACK);
}

TALK(what_was_refused_has_changed_nothing)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	refuse(talk, update(talk, FRONT, 1, 2, WITH({ DESCRIPTOR_TAG, 8 })),
	       HDMABUF_STATUS_DENIED);
	refuse(talk, hand_off(talk, FRONT, 1, PLAINLY),
	       HDMABUF_STATUS_NO_MEMORY);
	say_state(talk, FRONT, PLAINLY);
	nothing(talk);
	say_state(talk, FRONT, WITH({ QUERY_ANSWER_TAG, 8 }));
	only(talk, HDB_BOTH_037, BACK);
	say_state(talk, FRONT, WITH({ QUERY_ANSWER_HAND_OFFS, 1 }));
	only(talk, HDB_BOTH_037, BACK);
}

TALK(query_counts_hand_offs_on_their_way)
{
	struct asked handing, asking;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	handing = hand_off(talk, FRONT, 1, PLAINLY);
	asking = name(talk, FRONT, HDMABUF_OP_QUERY, 1);
	ok(talk, handing);
	answer(talk, asking, HDMABUF_STATUS_OK,
	       WITH({ QUERY_ANSWER_STATE, HDMABUF_BUFFER_MAPPED },
		    { QUERY_ANSWER_RIGHTS, HDMABUF_RIGHTS_READ_WRITE },
		    { QUERY_ANSWER_SIZE, 4096 }, { QUERY_ANSWER_PAGES, 1 },
		    { QUERY_ANSWER_GENERATION, 1 }, { QUERY_ANSWER_TAG, 7 },
		    { QUERY_ANSWER_HAND_OFFS, 2 },
		    { QUERY_ANSWER_TYPE, HDMABUF_TYPE_RAW }));
	nothing(talk);
}

static struct asked access(struct talk *talk, unsigned int end,
			   uint16_t operation, uint64_t octets, uint64_t kind)
{
	return ask(talk, end, operation,
		   WITH({ ID, 1 }, { CPU_ACCESS_OFFSET, 96 },
			{ CPU_ACCESS_OCTETS, octets },
			{ CPU_ACCESS_ACCESS, kind }));
}

TALK(processors_keep_to_the_data)
{
	static const struct {
		uint64_t octets, access;
	} wrong[] = { { 0, 1 }, { 4001, 1 }, { 1, 0 }, { 1, 4 } };

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	ok(talk, access(talk, FRONT, HDMABUF_OP_CPU_BEGIN, 4000, 3));
	ok(talk, access(talk, FRONT, HDMABUF_OP_CPU_END, 4000, 3));
	ok(talk, access(talk, BACK, HDMABUF_OP_CPU_BEGIN, 4000, 1));
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct asked asked = access(talk, BACK, HDMABUF_OP_CPU_BEGIN,
					    wrong[i].octets, wrong[i].access);

		only(talk, HDB_BOTH_038, BACK);
		refuse(talk, asked, HDMABUF_STATUS_INVALID);
		nothing(talk);
	}
	ok(talk, access(talk, BACK, HDMABUF_OP_CPU_BEGIN, 1, 2));
	only(talk, HDB_BOTH_038, FRONT);
}

TALK(processors_begin_before_they_end)
{
	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	ok(talk, access(talk, FRONT, HDMABUF_OP_CPU_BEGIN, 1, 3));
	refuse(talk, access(talk, BACK, HDMABUF_OP_CPU_END, 1, 3),
	       HDMABUF_STATUS_WRONG_STATE);
	ok(talk, access(talk, FRONT, HDMABUF_OP_CPU_END, 1, 3));
	nothing(talk);
	ok(talk, access(talk, FRONT, HDMABUF_OP_CPU_END, 1, 3));
	only(talk, HDB_BOTH_038, BACK);
}

static struct asked wish(struct talk *talk, const struct field *fields)
{
	struct field all[16] = {
		{ ALLOCATE_TAG, 7 },
		{ ALLOCATE_RIGHTS, HDMABUF_RIGHTS_READ_WRITE },
		{ ALLOCATE_ATTRIBUTES, HDMABUF_ATTRIBUTE_CACHED },
	};
	size_t count = 3;

	for (; fields->place; fields++)
		all[count++] = *fields;
	return ask(talk, BACK, HDMABUF_OP_ALLOCATE, all);
}

static void promise(struct talk *talk, struct asked asked, uint64_t id)
{
	answer(talk, asked, HDMABUF_STATUS_OK, WITH({ ID, id }));
}

TALK(wishes_make_sense)
{
	static const struct field wrong[] = {
		{ ALLOCATE_TAG, 7 }, /* neither size nor picture */
		{ ALLOCATE_WIDTH, 1 },
	};

	connect_ends(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct asked asked = wish(talk, WITH(wrong[i]));

		only(talk, HDB_BOTH_038, BACK);
		refuse(talk, asked, HDMABUF_STATUS_INVALID);
		nothing(talk);
		asked = wish(talk, WITH(wrong[i]));
		forget(talk);
		promise(talk, asked, 1);
		only(talk, HDB_BOTH_038, FRONT);
	}
	promise(talk, wish(talk, WITH({ ALLOCATE_SIZE, 1 })), 0);
	only(talk, HDB_EXP_001, FRONT);
}

TALK(wishes_are_fulfilled)
{
	static const struct field wrong[] = {
		{ DESCRIPTOR_TAG, 8 },
		{ DESCRIPTOR_RIGHTS, HDMABUF_RIGHTS_READ_ONLY },
		{ DESCRIPTOR_SIZE, 4095 },
		{ DESCRIPTOR_ATTRIBUTES, HDMABUF_ATTRIBUTE_WRITE_COMBINED },
	};

	connect_ends(talk);
	promise(talk, wish(talk, WITH({ ALLOCATE_SIZE, 4096 })), 1);
	/* The id may be used before EXPORT comes; nobody knows how that ends. */
	refuse(talk, name(talk, BACK, HDMABUF_OP_QUERY, 1),
	       HDMABUF_STATUS_NO_SUCH_BUFFER);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_WRITE);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		promise(talk, wish(talk, WITH({ ALLOCATE_SIZE, 4096 })),
			10 + i);
		nothing(talk);
		refuse(talk, export(talk, FRONT, 10 + i, WITH(wrong[i])),
		       HDMABUF_STATUS_DENIED);
		only(talk, HDB_EXP_017, FRONT);
	}
}

TALK(wishes_for_pictures)
{
	struct asked asked;

	connect_ends(talk);
	asked = wish(talk, WITH({ ALLOCATE_WIDTH, 16 }, { ALLOCATE_HEIGHT, 16 },
				{ ALLOCATE_FOURCC, 1 }));
	promise(talk, asked, 1);
	ok(talk, export_changed(talk, 1, picture, COUNT(picture),
				(struct field){ 0 }));
	nothing(talk);
	asked = wish(talk, WITH({ ALLOCATE_WIDTH, 17 }, { ALLOCATE_HEIGHT, 16 },
				{ ALLOCATE_FOURCC, 1 }));
	promise(talk, asked, 2);
	ok(talk, export_changed(talk, 2, picture, COUNT(picture),
				(struct field){ 0 }));
	only(talk, HDB_EXP_017, FRONT);
}

/* ---- Timelines ---------------------------------------------------------- */

TALK(timelines_have_cells)
{
	struct asked asked;

	connect_ends(talk);
	ok(talk, create(talk, FRONT, 3, HDMABUF_SIGNALLER_CREATOR));
	nothing(talk);
	asked = create(talk, FRONT, 4, HDMABUF_SIGNALLER_CREATOR);
	only(talk, HDB_BOTH_052, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_LIMIT);
	nothing(talk);
	ok(talk, create(talk, FRONT, 4, HDMABUF_SIGNALLER_CREATOR));
	only(talk, HDB_BOTH_021, BACK);
	create(talk, FRONT, HDMABUF_NO_TIMELINE, HDMABUF_SIGNALLER_CREATOR);
	only(talk, HDB_BOTH_052, FRONT);
}

TALK(timelines_without_pages)
{
	struct asked asked;

	attempt(talk,
		WITH({ CHANNEL_TIMELINE_PAGES, 0 }, { CHANNEL_REFERENCES, 2 }));
	asked = hello(talk, PLAINLY);
	answer_hello(talk, asked, PLAINLY);
	nothing(talk);
	create(talk, BACK, 0, HDMABUF_SIGNALLER_CREATOR);
	only(talk, HDB_BOTH_052, BACK);
}

TALK(timelines_come_and_go)
{
	struct asked asked;

	connect_ends(talk);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	ok(talk, create(talk, BACK, 0, HDMABUF_SIGNALLER_PEER));
	ok(talk, destroy(talk, FRONT, 0));
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_CREATOR));
	nothing(talk);
	asked = create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER);
	only(talk, HDB_BOTH_038, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_DUPLICATE);
	nothing(talk);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	only(talk, HDB_BOTH_038, BACK);
	asked = destroy(talk, FRONT, 1);
	only(talk, HDB_BOTH_038, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_NO_SUCH_TIMELINE);
	nothing(talk);
	ok(talk, destroy(talk, FRONT, 1));
	only(talk, HDB_BOTH_038, BACK);
	asked = create(talk, FRONT, 2, 3);
	only(talk, HDB_BOTH_038, FRONT);
	ok(talk, asked);
	only(talk, HDB_BOTH_038, BACK);
}

/* No clause wants an answer to be waited for. */
TALK(requests_need_no_answer_to_the_one_before)
{
	struct asked asked[8];

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	for (int life = 0; life < 2; life++) {
		asked[3 * life] =
			create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER);
		asked[3 * life + 1] = signalling(talk, FRONT, 1, 0, 5);
		asked[3 * life + 2] = destroy(talk, FRONT, 0);
	}
	nothing(talk);
	for (int i = 0; i < 6; i++)
		ok(talk, asked[i]);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	nothing(talk);
}

TALK(points_grow)
{
	connect_ends(talk);
	ok(talk, ask(talk, FRONT, HDMABUF_OP_TIMELINE_CREATE,
		     WITH({ TIMELINE_SIGNALLER, HDMABUF_SIGNALLER_CREATOR },
			  { TIMELINE_POINT, 5 })));
	point(talk, FRONT, FRONT, 0, 5);
	point(talk, FRONT, FRONT, 0, 7);
	nothing(talk);
	point(talk, FRONT, FRONT, 0, 6);
	only(talk, HDB_BOTH_055, FRONT);
	point(talk, FRONT, FRONT, 0, 7);
	nothing(talk);
}

TALK(points_are_the_signallers)
{
	connect_ends(talk);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	point(talk, BACK, FRONT, 0, 1);
	nothing(talk);
	point(talk, FRONT, FRONT, 0, 2);
	only(talk, HDB_BOTH_054, FRONT);
}

TALK(signal_points_grow)
{
	struct asked asked, next;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	ok(talk, signalling(talk, FRONT, 1, 0, 5));
	/* What is refused may be said again. */
	refuse(talk, signalling(talk, FRONT, 1, 0, 6),
	       HDMABUF_STATUS_NO_MEMORY);
	ok(talk, signalling(talk, FRONT, 1, 0, 6));
	nothing(talk);
	asked = signalling(talk, FRONT, 1, 0, 6);
	only(talk, HDB_BOTH_046, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_INVALID);
	nothing(talk);
	asked = signalling(talk, FRONT, 1, 0, 7);
	next = signalling(talk, FRONT, 1, 0, 7);
	only(talk, HDB_BOTH_046, FRONT);
	ok(talk, asked);
	nothing(talk);
	ok(talk, next);
	only(talk, HDB_BOTH_047, BACK);
}

TALK(signal_points_lie_ahead)
{
	struct asked asked;

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	asked = signalling(talk, FRONT, 1, 0, 5);
	/* It is done before the answer is seen. */
	point(talk, BACK, FRONT, 0, 5);
	ok(talk, asked);
	nothing(talk);
	point(talk, BACK, FRONT, 0, 9);
	ok(talk, signalling(talk, FRONT, 1, 0, 8));
	only(talk, HDB_BOTH_047, BACK);
}

TALK(hand_offs_name_timelines_of_the_sender)
{
	static const struct field wrong[][2] = {
		/* A timeline that is not there, one signalled by the wrong end */
		{ { HAND_OFF_WAIT_TIMELINE, 2 }, { HAND_OFF_WAIT_POINT, 1 } },
		{ { HAND_OFF_SIGNAL_TIMELINE, 2 },
		  { HAND_OFF_SIGNAL_POINT, 1 } },
		{ { HAND_OFF_WAIT_TIMELINE, 0 }, { HAND_OFF_WAIT_POINT, 1 } },
		{ { HAND_OFF_SIGNAL_TIMELINE, 1 },
		  { HAND_OFF_SIGNAL_POINT, 1 } },
		/* Points of no timeline */
		{ { HAND_OFF_WAIT_POINT, 1 }, { 0 } },
		{ { HAND_OFF_SIGNAL_POINT, 1 }, { 0 } },
		{ { HAND_OFF_FLAGS, 2 }, { 0 } },
	};

	connect_ends(talk);
	share(talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	ok(talk, create(talk, FRONT, 1, HDMABUF_SIGNALLER_CREATOR));
	/* Those of the other end do not count. */
	ok(talk, create(talk, BACK, 2, HDMABUF_SIGNALLER_CREATOR));
	ok(talk, hand_off(talk, FRONT, 1,
			  WITH({ HAND_OFF_WAIT_TIMELINE, 1 },
			       { HAND_OFF_WAIT_POINT, 99 },
			       { HAND_OFF_SIGNAL_TIMELINE, 0 },
			       { HAND_OFF_SIGNAL_POINT, 1 })));
	nothing(talk);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct asked asked = hand_off(talk, FRONT, 1,
					      WITH(wrong[i][0], wrong[i][1]));

		only(talk, HDB_BOTH_038, FRONT);
		ok(talk, asked);
		only(talk, HDB_BOTH_038, BACK);
	}
}

/* ---- Groups ------------------------------------------------------------- */

static void share_some(struct talk *talk)
{
	connect_ends(talk);
	for (uint64_t id = 1; id <= 3; id++)
		share(talk, FRONT, id, HDMABUF_RIGHTS_READ_WRITE);
}

TALK(groups_are_not_interrupted)
{
	struct asked asked;

	share_some(talk);
	ok(talk, more(talk, FRONT, 1));
	ok(talk, more(talk, FRONT, 2));
	/* The other end may say what it likes. */
	ok(talk, ask(talk, BACK, HDMABUF_OP_ECHO, PLAINLY));
	ok(talk, hand_off(talk, FRONT, 3, PLAINLY));
	ok(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY));
	nothing(talk);
	ok(talk, more(talk, FRONT, 1));
	asked = ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY);
	only(talk, HDB_BOTH_049, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_WRONG_STATE);
	nothing(talk);
	ok(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY));
	only(talk, HDB_BOTH_050, BACK);
	/* CLOSE is always allowed. */
	ok(talk, say_close(talk, FRONT));
	nothing(talk);
}

TALK(groups_end_with_the_last_one_refused_or_not)
{
	share_some(talk);
	ok(talk, more(talk, FRONT, 1));
	refuse(talk, hand_off(talk, FRONT, 2, PLAINLY),
	       HDMABUF_STATUS_NO_MEMORY);
	ok(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY));
	/* The only one was refused: there is no group. */
	refuse(talk, more(talk, FRONT, 1), HDMABUF_STATUS_NO_MEMORY);
	ok(talk, ask(talk, FRONT, HDMABUF_OP_ECHO, PLAINLY));
	nothing(talk);
}

TALK(groups_have_four_members)
{
	struct asked asked;

	share_some(talk);
	for (uint64_t id = 1; id <= 3; id++)
		ok(talk, more(talk, FRONT, id));
	ok(talk, hand_off(talk, FRONT, 1, PLAINLY));
	for (uint64_t id = 1; id <= 3; id++)
		ok(talk, more(talk, FRONT, id));
	nothing(talk);
	asked = more(talk, FRONT, 1);
	only(talk, HDB_BOTH_038, FRONT);
	refuse(talk, asked, HDMABUF_STATUS_INVALID);
	nothing(talk);
	ok(talk, more(talk, FRONT, 1));
	only(talk, HDB_BOTH_038, BACK);
}

TALK(groups_are_carried_out_as_a_whole)
{
	share_some(talk);
	ok(talk, create(talk, FRONT, 0, HDMABUF_SIGNALLER_PEER));
	ok(talk, hand_off(talk, FRONT, 1,
			  WITH({ HAND_OFF_SIGNAL_TIMELINE, 0 },
			       { HAND_OFF_SIGNAL_POINT, 5 },
			       { HAND_OFF_FLAGS, HDMABUF_HAND_OFF_MORE })));
	point(talk, BACK, FRONT, 0, 4);
	nothing(talk);
	point(talk, BACK, FRONT, 0, 5);
	only(talk, HDB_BOTH_048, BACK);
	ok(talk, signalling(talk, FRONT, 2, 0, 6));
	point(talk, BACK, FRONT, 0, 6);
	nothing(talk);
}

/* ---- What the checker itself must stand --------------------------------- */

/* Whatever is fed, nothing is to be believed, and nothing may go wrong. */
static void rubbish_does_no_harm(void **state)
{
	struct talk talk = { 0 };
	uint64_t seed = 42;

	(void)state;
	for (unsigned int round = 0; round < 300; round++) {
		begin(&talk, round & 1);
		if (round % 4)
			connect_ends(&talk);
		for (unsigned int i = 0; i < 300; i++) {
			uint8_t octets[320];

			for (size_t at = 0; at < sizeof(octets); at++) {
				seed ^= seed << 13;
				seed ^= seed >> 7;
				seed ^= seed << 17;
				octets[at] = seed & 0x700 ? 0 :
							    (uint8_t)seed % 5;
			}
			wire_put(octets, HEADER_OPERATION,
				 wire_operations[seed % 14]);
			talk.count = 0;
			event(&talk, seed >> 20 & 1, 1 + (seed >> 21) % 7,
			      octets, seed >> 24 & 3 ? 64 : (seed >> 30) % 320);
		}
	}
	checker_free(talk.checker);
}

static void pairs_have_nothing_in_common(void **state)
{
	struct talk talk = { 0 };

	(void)state;
	begin(&talk, BACK);
	connect_ends(&talk);
	share(&talk, FRONT, 1, HDMABUF_RIGHTS_READ_ONLY);
	talk.link = 8;
	/* Another frontend has its own session, and draws other numbers. */
	record(&talk, BACK, OFFER(300));
	record(&talk, FRONT, "peer-epoch=300\nchannel=9\nepoch=301\n");
	channel(&talk, WITH({ CHANNEL_EPOCH_FRONTEND, 301 },
			    { CHANNEL_EPOCH_BACKEND, 300 }));
	answer(&talk,
	       hello(&talk, WITH({ HELLO_EPOCH_FRONTEND, 301 },
				 { HELLO_EPOCH_BACKEND, 300 })),
	       HDMABUF_STATUS_OK,
	       WITH({ HELLO_EPOCH_FRONTEND, 301 }, { HELLO_EPOCH_BACKEND, 300 },
		    { HELLO_FEATURES, 511 }, { HELLO_MAX_IN_FLIGHT, 9 }));
	nothing(&talk);
	/* HDB-BOTH-042 */
	answer(&talk, name(&talk, FRONT, HDMABUF_OP_QUERY, 1),
	       HDMABUF_STATUS_OK, PLAINLY);
	only(&talk, HDB_BOTH_042, BACK);
	export(&talk, FRONT, 1, PLAINLY);
	forget(&talk);
	talk.link = 7;
	event(&talk, FRONT, HDMABUF_TRACE_DOWN, "gone", 4);
	nothing(&talk);
	checker_free(talk.checker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_in_good_order),
		cmocka_unit_test(one_session_after_another),
		cmocka_unit_test(records_are_numbers_in_one_form),
		cmocka_unit_test(epochs_are_new),
		cmocka_unit_test(refusal_of_a_channel_has_a_new_epoch),
		cmocka_unit_test(channel_page_is_as_offered),
		cmocka_unit_test(channel_page_has_the_epoch_of_the_record),
		cmocka_unit_test(backend_refuses_a_wrong_channel),
		cmocka_unit_test(backend_takes_notice_of_its_own_offer_only),
		cmocka_unit_test(own_requests_end_with_the_session),
		cmocka_unit_test(hello_carries_the_epochs),
		cmocka_unit_test(backend_refuses_hello_with_other_epochs),
		cmocka_unit_test(answer_to_hello_carries_the_epochs),
		cmocka_unit_test(answer_to_hello_has_the_same_features),
		cmocka_unit_test(
			frontend_is_not_connected_when_hello_is_refused),
		cmocka_unit_test(features_are_those_offered),
		cmocka_unit_test(refusal_of_features_is_right),
		cmocka_unit_test(limits_of_who_imports),
		cmocka_unit_test(answer_to_hello_lets_something_in_flight),
		cmocka_unit_test(hello_is_the_first_request),
		cmocka_unit_test(
			hello_is_the_only_request_until_it_is_answered),
		cmocka_unit_test(second_hello_is_refused),
		cmocka_unit_test(frontend_takes_no_hello),
		cmocka_unit_test(backend_asks_nothing_before_hello),
		cmocka_unit_test(features_are_used_if_accepted),
		cmocka_unit_test(features_of_a_descriptor),
		cmocka_unit_test(zero_fields_are_zero),
		cmocka_unit_test(zero_fields_of_answers_are_zero),
		cmocka_unit_test(ids_are_not_used_twice),
		cmocka_unit_test(answers_fit_requests),
		cmocka_unit_test(answers_may_come_in_any_order),
		cmocka_unit_test(requests_in_flight_are_limited),
		cmocka_unit_test(slots_of_the_ring_are_limited),
		cmocka_unit_test(unknown_operations_are_refused),
		cmocka_unit_test(statuses_fit_the_operation),
		cmocka_unit_test(errors_name_a_place),
		cmocka_unit_test(echo_comes_back),
		cmocka_unit_test(nothing_is_asked_after_close),
		cmocka_unit_test(nothing_is_asked_after_the_close_of_the_other),
		cmocka_unit_test(requests_cross_close),
		cmocka_unit_test(who_closes_refuses_what_comes),
		cmocka_unit_test(both_ends_close),
		cmocka_unit_test(close_that_is_refused_closes_nothing),
		cmocka_unit_test(ids_are_chosen_anew),
		cmocka_unit_test(id_in_use_is_refused),
		cmocka_unit_test(id_may_be_free_already),
		cmocka_unit_test(descriptor_fits_the_request),
		cmocka_unit_test(descriptor_has_the_id_of_the_request),
		cmocka_unit_test(pictures_make_sense),
		cmocka_unit_test(sound_makes_sense),
		cmocka_unit_test(zero_fields_of_a_descriptor),
		cmocka_unit_test(counts_are_what_they_must_be),
		cmocka_unit_test(sums_fit_64_bits),
		cmocka_unit_test(references_are_not_zero),
		cmocka_unit_test(exports_are_limited),
		cmocka_unit_test(octets_are_limited),
		cmocka_unit_test(private_data_is_limited),
		cmocka_unit_test(length_is_from_256_to_a_page),
		cmocka_unit_test(exporter_waits_for_the_answer),
		cmocka_unit_test(ids_are_known),
		cmocka_unit_test(released_buffers_are_not_known),
		cmocka_unit_test(released_buffers_are_let_alone_in_time),
		cmocka_unit_test(released_crosses_requests),
		cmocka_unit_test(roles_are_kept),
		cmocka_unit_test(read_only_is_not_handed_back),
		cmocka_unit_test(read_write_is_handed_back),
		cmocka_unit_test(lent_buffers_are_left_alone),
		cmocka_unit_test(lent_buffer_that_is_refused_is_not_lent),
		cmocka_unit_test(who_has_it_not_cannot_hand_it_off),
		cmocka_unit_test(importer_refuses_what_it_has),
		cmocka_unit_test(importer_may_have_handed_it_back),
		cmocka_unit_test(nothing_is_handed_off_after_unexport),
		cmocka_unit_test(what_is_wanted_back_is_refused),
		cmocka_unit_test(unexport_says_yes_or_no),
		cmocka_unit_test(released_comes_after_the_answer),
		cmocka_unit_test(released_after_the_grace_period),
		cmocka_unit_test(update_changes_little),
		cmocka_unit_test(generations_grow_by_one),
		cmocka_unit_test(query_tells_the_truth),
		cmocka_unit_test(query_of_what_is_wanted_back),
		cmocka_unit_test(what_was_refused_has_changed_nothing),
		cmocka_unit_test(query_counts_hand_offs_on_their_way),
		cmocka_unit_test(processors_keep_to_the_data),
		cmocka_unit_test(processors_begin_before_they_end),
		cmocka_unit_test(wishes_make_sense),
		cmocka_unit_test(wishes_are_fulfilled),
		cmocka_unit_test(wishes_for_pictures),
		cmocka_unit_test(timelines_have_cells),
		cmocka_unit_test(timelines_without_pages),
		cmocka_unit_test(timelines_come_and_go),
		cmocka_unit_test(requests_need_no_answer_to_the_one_before),
		cmocka_unit_test(points_grow),
		cmocka_unit_test(points_are_the_signallers),
		cmocka_unit_test(signal_points_grow),
		cmocka_unit_test(signal_points_lie_ahead),
		cmocka_unit_test(hand_offs_name_timelines_of_the_sender),
		cmocka_unit_test(groups_are_not_interrupted),
		cmocka_unit_test(groups_end_with_the_last_one_refused_or_not),
		cmocka_unit_test(groups_have_four_members),
		cmocka_unit_test(groups_are_carried_out_as_a_whole),
		cmocka_unit_test(rubbish_does_no_harm),
		cmocka_unit_test(pairs_have_nothing_in_common),
	};

	return hdmabuf_test_run("checker", tests, COUNT(tests));
}
