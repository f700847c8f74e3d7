/* SPDX-License-Identifier: MIT */
/* messages.c - what all messages have in common: zero fields, ids, statuses */
#include "conformance/tests/buffers.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint16_t operation_of(const message_t message)
{
	return (uint16_t)wire_get(message, HEADER_OPERATION);
}

static uint16_t status_of(const message_t message)
{
	return (uint16_t)wire_get(message, HEADER_STATUS);
}

static const char *name_of(const message_t message)
{
	return wire_operation_name(operation_of(message));
}

/* ---- zero fields of requests --------------------------------------------- */

/* In TIMELINE_DESTROY, all but the number is zero. */
static bool is_zero_field(uint16_t operation, const struct wire_field *field)
{
	return field->kind == WIRE_ZERO ||
	       (operation == HDMABUF_OP_TIMELINE_DESTROY &&
		(field->place == TIMELINE_SIGNALLER ||
		 field->place == TIMELINE_POINT));
}

static void spoil_octet(struct end *end, const message_t right,
			const struct wire_field *field, size_t at)
{
	message_t message, answer;
	what_t what;

	memcpy(message, right, sizeof(message));
	message[at] = at % 2 ? 0x80 : 1;
	snprintf(what, sizeof(what), "%s with octet %zu, in the field '%s', %u",
		 name_of(right), at, field->name, message[at]);
	if (check_status(end->test, HDB_BOTH_002, end_ask(end, message, answer),
			 HDMABUF_STATUS_RESERVED, "%s", what))
		check_where(end->test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(field->place), what);
}

static void spoil_field_octets(struct end *end, const message_t right,
			       const struct wire_field *field)
{
	for (size_t i = 0; i < wire_octets(field->place); i++) {
		size_t at = wire_offset(field->place) + i;

		/* Where marks are, one of the octets is none of the message. */
		if (!end->own.format || at != wire_offset(SLOT_MARK))
			spoil_octet(end, right, field, at);
	}
}

/* A request of which all is right is spoilt, octet by octet, and then sent. */
static void spoil_request(struct end *end, message_t right)
{
	static const struct wire_field status = { "status", HEADER_STATUS,
						  WIRE_ZERO };
	uint16_t operation = operation_of(right);
	const struct wire_format *format = wire_request_format(operation);

	comment(end->test, "zero fields of %s", name_of(right));
	spoil_field_octets(end, right, &status);
	for (size_t i = 0; i < format->count; i++)
		if (is_zero_field(operation, &format->fields[i]))
			spoil_field_octets(end, right, &format->fields[i]);
	check_status(end->test, HDB_BOTH_037, end_ask(end, right, NULL),
		     HDMABUF_STATUS_OK,
		     "%s, after others that were refused for a zero field",
		     name_of(right));
}

static void make_timeline(message_t message, uint16_t operation)
{
	message_init(message, operation);
	if (operation == HDMABUF_OP_TIMELINE_CREATE)
		wire_put(message, TIMELINE_SIGNALLER,
			 HDMABUF_SIGNALLER_CREATOR);
}

static void zero_fields(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	make_echo(test, message);
	spoil_request(end, message);
	message_init(message, HDMABUF_OP_CLOSE);
	wire_put(message, CLOSE_REASON, HDMABUF_REASON_DONE);
	spoil_request(end, message);
	end_abandon(end);
}

static void zero_fields_of_timelines(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	if (!end->peer.max_timelines || !end->cell_count)
		skip(test, "the IUT takes no timelines");
	make_timeline(message, HDMABUF_OP_TIMELINE_CREATE);
	spoil_request(end, message);
	make_timeline(message, HDMABUF_OP_TIMELINE_DESTROY);
	spoil_request(end, message);
}

/* Where nothing is named that there is: zero fields come before that. */
static void zero_fields_of_strangers(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; naming_operations[i]; i++) {
		const struct wire_format *format =
			wire_request_format(naming_operations[i]);
		message_t message;
		uint8_t id[16];

		if (!is_negotiated(end, naming_operations[i]))
			continue;
		test_random_octets(test, id, sizeof(id));
		named_message(naming_operations[i], id, message);
		for (size_t j = 0; j < format->count; j++)
			if (format->fields[j].kind == WIRE_ZERO)
				spoil_field_octets(end, message,
						   &format->fields[j]);
		check_status(test, HDB_BOTH_037, end_ask(end, message, NULL),
			     HDMABUF_STATUS_NO_SUCH_BUFFER,
			     "%s of an unknown buffer", name_of(message));
	}
}

static void zero_fields_of_buffers(struct test *test)
{
	static const uint16_t operations[] = {
		HDMABUF_OP_QUERY,   HDMABUF_OP_HAND_OFF, HDMABUF_OP_CPU_BEGIN,
		HDMABUF_OP_CPU_END, HDMABUF_OP_UNEXPORT,
	};
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t message;

	buffer_make(end, &buffer, NULL);
	buffer_export_message(&buffer, message);
	spoil_request(end, message);
	if (is_negotiated(end, HDMABUF_OP_UPDATE)) {
		wire_put(buffer.descriptor, DESCRIPTOR_GENERATION, 2);
		buffer_export_message(&buffer, message);
		wire_put(message, HEADER_OPERATION, HDMABUF_OP_UPDATE);
		spoil_request(end, message);
	}
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		if (!is_negotiated(end, operations[i]))
			continue;
		named_message(operations[i], buffer.id, message);
		spoil_request(end, message);
	}
}

static void zero_fields_of_allocate(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	message_init(message, HDMABUF_OP_ALLOCATE);
	wire_put(message, ALLOCATE_SIZE, 4096);
	wire_put(message, ALLOCATE_RIGHTS, HDMABUF_RIGHTS_READ_ONLY);
	wire_put(message, ALLOCATE_ATTRIBUTES, HDMABUF_ATTRIBUTE_CACHED);
	spoil_request(end, message);
	if (!end_await_buffer(end))
		inconclusive(test, "the IUT does not export what it allocated");
}

static void zero_fields_of_released(struct test *test)
{
	struct end *end = test_connect(test);
	const struct their_buffer *buffer = let_export(end, "x size=4096");
	message_t message;

	named_message(HDMABUF_OP_RELEASED, buffer->id, message);
	spoil_request(end, message);
}

/* ---- zero fields of what the IUT writes ---------------------------------- */

static void check_zeros(struct end *end, const struct wire_format *format,
			const message_t message, const char *kind)
{
	size_t at = 0;
	const struct wire_field *field =
		format ? wire_find_nonzero(format, message, &at) : NULL;

	check(end->test, HDB_BOTH_001, !field,
	      "%s %s: octet %zu, in the field '%s', is %u", name_of(message),
	      kind, at, field ? field->name : "", message[at]);
}

/* Old messages are full of ones. */
static void fill_slots(struct end *end)
{
	message_t message;

	for (uint32_t i = 0; i < end->own.slots; i++) {
		message_init(message, HDMABUF_OP_ECHO);
		memset(message + 8, 0xff, 56);
		end_ask(end, message, NULL);
	}
}

static void check_answer(struct end *end, message_t message)
{
	message_t answer;
	uint16_t status = end_ask(end, message, answer);

	check_zeros(end, wire_answer_format(operation_of(message), status),
		    answer, "is answered");
}

static void zeros_in_answers(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	fill_slots(end);
	for (uint32_t i = 0; i < 0x100; i++) {
		message_init(message, (uint16_t)i);
		if (i != HDMABUF_OP_CLOSE)
			check_answer(end, message);
	}
	for (unsigned int i = 0; i < 2; i++) {
		make_timeline(message, HDMABUF_OP_TIMELINE_CREATE);
		check_answer(end, message);
	}
	make_timeline(message, HDMABUF_OP_TIMELINE_DESTROY);
	check_answer(end, message);
	message_init(message, HDMABUF_OP_CLOSE);
	check_answer(end, message);
	wire_put(message, CLOSE_REASON, HDMABUF_REASON_SHUTDOWN);
	check_answer(end, message);
	end_abandon(end);
}

static void zeros_in_answers_about_buffers(struct test *test)
{
	static const uint16_t operations[] = {
		HDMABUF_OP_QUERY,    HDMABUF_OP_HAND_OFF, HDMABUF_OP_CPU_BEGIN,
		HDMABUF_OP_CPU_END,  HDMABUF_OP_RELEASED, HDMABUF_OP_UPDATE,
		HDMABUF_OP_UNEXPORT, HDMABUF_OP_UNEXPORT,
	};
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t message;

	buffer_make(end, &buffer, NULL);
	fill_slots(end);
	for (unsigned int i = 0; i < 2; i++) {
		buffer_export_message(&buffer, message);
		check_answer(end, message);
	}
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		named_message(operations[i], buffer.id, message);
		check_answer(end, message);
	}
}

/* Whatever the IUT may be told to ask for; x is a buffer of its own. */
static const char *const commands[] = {
	"export y size=100 private=10 tag=3",
	"query x",
	"update x tag=5",
	"hand-off x stamp=7",
	"cpu-begin x offset=0 octets=1 access=read",
	"cpu-end x offset=0 octets=1 access=read",
	"allocate size=4096",
	"timeline t signaller=creator point=5",
	"timeline u signaller=peer",
	"unexport x grace=100",
	"destroy t",
	"echo 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	"close",
};

/* Old requests, and their answers, are full of ones. */
static void fill_their_slots(struct end *end)
{
	char ones[113];

	memset(ones, 'f', sizeof(ones) - 1);
	ones[sizeof(ones) - 1] = '\0';
	for (uint32_t i = 0; i < end->theirs.slots; i++) {
		control(end->test, "echo %s", ones);
		if (!end_await_request(end, HDMABUF_OP_ECHO))
			inconclusive(end->test, "the IUT does not send ECHO");
	}
}

static void check_request(struct end *end, const message_t message)
{
	check(end->test, HDB_BOTH_001, !wire_get(message, HEADER_STATUS),
	      "the status of %s is %u", name_of(message), status_of(message));
	check_zeros(end, wire_request_format(operation_of(message)), message,
		    "is sent");
}

static void zeros_in_requests(struct test *test)
{
	struct end *end = test_connect(test);
	size_t known;

	let_export(end, "x size=5000 rights=read-write");
	fill_their_slots(end);
	known = end->request_count;
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		control_try(test, "%s", commands[i]);
		settle(end);
	}
	if (end->request_count < known + COUNT_OF(commands) / 2)
		inconclusive(test, "the IUT sends hardly any of the requests");
	for (size_t i = 0; i < end->request_count; i++)
		if (wire_request_format(operation_of(end->requests[i].octets)))
			check_request(end, end->requests[i].octets);
}

/* ---- operations that do not exist ---------------------------------------- */

static bool is_known(uint32_t operation)
{
	return wire_request_format((uint16_t)operation);
}

/* Nothing else that is wrong comes before that there is no such operation. */
static void check_unknown_operation(struct end *end, uint16_t operation)
{
	message_t message, answer;

	message_init(message, operation);
	test_random_octets(end->test, message + 6, sizeof(message) - 6);
	check_status(end->test, HDB_BOTH_036, end_ask(end, message, answer),
		     HDMABUF_STATUS_UNKNOWN_OPERATION, "operation 0x%04x",
		     operation);
	check_where(end->test, answer, HDMABUF_WHERE_REQUEST,
		    wire_offset(HEADER_OPERATION), "an unknown operation");
}

static void unknown_operations(struct test *test)
{
	struct end *end = test_open(test);

	end_greet(end);
	for (uint32_t i = 0; i < 0x100; i++)
		if (!is_known(i))
			check_unknown_operation(end, (uint16_t)i);
	for (size_t i = 0; wire_operations[i]; i++) {
		uint16_t known = wire_operations[i];

		check_unknown_operation(end, (uint16_t)(known << 8));
		check_unknown_operation(end, known | 0x100);
		check_unknown_operation(end, known | 0x8000);
		check_unknown_operation(end, (uint16_t)~known);
	}
	check_unknown_operation(end, 0xffff);
	for (unsigned int i = 0; i < 200; i++) {
		uint16_t operation = (uint16_t)test_random(test);

		if (!is_known(operation))
			check_unknown_operation(end, operation);
	}
}

/* ---- ids and operations of answers --------------------------------------- */

static const uint32_t ids[] = { 0,	    1,		0xffffffff, 0x80000000,
				0x7fffffff, 0x00010000, 0x0000ffff, 0 };

/* The answer is looked for in its slot, as it may have another id. */
static void check_header(struct end *end, message_t message, uint32_t id)
{
	message_t answer;

	end->next_id = id;
	end->deaf = true;
	end_send(end, message);
	require(end->test, HDB_BOTH_033, await_all_answered(end),
		"%s with id %u is not answered", name_of(message), id);
	ring_read_slot(&end->own, end->own.produced - 1, answer);
	check(end->test, HDB_BOTH_032,
	      wire_get(answer, HEADER_ID) == id &&
		      operation_of(answer) == operation_of(message),
	      "%s with id %u is answered with operation %u and id %" PRIu64,
	      name_of(message), id, operation_of(answer),
	      wire_get(answer, HEADER_ID));
	end->own.consumed = end->own.produced;
	end->deaf = false;
}

/* One after the other the same id may be used again. */
static void ids_are_repeated(struct test *test)
{
	struct end *end = test_open(test);
	message_t message;

	end_greet(end);
	end->silent = true;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		make_echo(test, message);
		check_header(end, message, ids[i]);
		message_init(message, 0x7777);
		check_header(end, message, ids[i]);
		message_init(message, HDMABUF_OP_QUERY);
		check_header(end, message, ids[i]);
		make_timeline(message, HDMABUF_OP_TIMELINE_DESTROY);
		wire_put(message, TIMELINE_NUMBER, 63);
		check_header(end, message, ids[i]);
		message_init(message, HDMABUF_OP_CLOSE);
		check_header(end, message, ids[i]);
	}
	end->silent = false;
}

/* Several with the same id as long as none of them is unanswered. */
static void answered_once(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	for (uint32_t i = 0; i < 0x40; i++) {
		uint32_t before = end->own.consumed;

		make_timeline(message, (uint16_t)i);
		if (i == HDMABUF_OP_CLOSE)
			continue;
		end_ask(end, message, NULL);
		make_echo(test, message);
		require(test, HDB_BOTH_033,
			is_echo_of(end_await_answer_to(end,
						       end_send(end, message)),
				   message),
			"ECHO after operation 0x%02x is not answered", i);
		require(test, HDB_BOTH_033,
			!end->broken && end->own.consumed == before + 2 &&
				ring_answered(&end->own) == before + 2,
			"operation 0x%02x and ECHO are answered by %u answers",
			i, ring_answered(&end->own) - before);
	}
}

/* The IUT's requests that are unanswered at the same time. */
static void own_ids_differ(struct test *test)
{
	struct end *end = test_connect(test);
	uint32_t count;

	end->serves = false;
	for (unsigned int i = 0; i < 20; i++)
		if (!control_try(test, "echo %0112u", i))
			break;
	settle(end);
	count = end->theirs.consumed - end->theirs.produced;
	if (count < 2)
		inconclusive(test, "the IUT sends %u requests at a time",
			     count);
	for (size_t i = 0; i < end->request_count; i++)
		for (size_t j = 0; j < i; j++)
			check(test, HDB_BOTH_031,
			      wire_get(end->requests[i].octets, HEADER_ID) !=
				      wire_get(end->requests[j].octets,
					       HEADER_ID),
			      "requests %zu and %zu are unanswered and have the same id, %" PRIu64,
			      j, i,
			      wire_get(end->requests[i].octets, HEADER_ID));
	renew(end);
}

/* ---- answers do not wait ------------------------------------------------- */

static void check_prompt(struct end *end, message_t message, uint16_t expected)
{
	const uint8_t *answer =
		end_await_answer_to(end, end_send(end, message));

	require(end->test, HDB_BOTH_034, answer,
		"%s is not answered before requests of the IUT are",
		name_of(message));
	check_status(end->test, HDB_BOTH_034, status_of(answer), expected,
		     "%s, while requests of the IUT are unanswered",
		     name_of(message));
}

/* The IUT has as many requests unanswered as it can; it answers all the same. */
static void answers_wait_for_nothing(struct test *test)
{
	struct end *end = test_connect(test);
	message_t message;

	end->serves = false;
	for (uint32_t i = 0; i < end->theirs.slots; i++)
		if (!control_try(test, "echo %0112u", i))
			break;
	settle(end);
	if (!end->request_count)
		inconclusive(test, "the IUT sends no requests");
	make_echo(test, message);
	check_prompt(end, message, HDMABUF_STATUS_OK);
	message_init(message, HDMABUF_OP_QUERY);
	test_random_octets(test, message + 8, 16);
	check_prompt(end, message, HDMABUF_STATUS_NO_SUCH_BUFFER);
	if (end->peer.max_timelines && end->cell_count) {
		make_timeline(message, HDMABUF_OP_TIMELINE_CREATE);
		check_prompt(end, message, HDMABUF_STATUS_OK);
	}
	message_init(message, HDMABUF_OP_CLOSE);
	wire_put(message, CLOSE_REASON, HDMABUF_REASON_DONE);
	check_prompt(end, message, HDMABUF_STATUS_OK);
	end_abandon(end);
}

/* Neither for the wait point, nor for RELEASED to be answered. */
static void answers_about_buffers_wait_for_nothing(struct test *test)
{
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t message;

	if (!end->peer.max_timelines)
		skip(test, "the IUT takes no timelines");
	end_create_timeline(end, 0, HDMABUF_SIGNALLER_CREATOR, 0);
	buffer_make(end, &buffer, NULL);
	end->serves = false;
	buffer_export_message(&buffer, message);
	check_prompt(end, message, HDMABUF_STATUS_OK);
	for (unsigned int i = 0; i < 3; i++) {
		buffer_hand_off_message(&buffer, HDMABUF_NO_TIMELINE, 0,
					message);
		wire_put(message, HAND_OFF_WAIT_TIMELINE, 0);
		wire_put(message, HAND_OFF_WAIT_POINT, 1000);
		check_prompt(end, message, HDMABUF_STATUS_OK);
	}
	named_message(HDMABUF_OP_UNEXPORT, buffer.id, message);
	check_prompt(end, message, HDMABUF_STATUS_OK);
	renew(end);
}

/* ---- answers of the suite ------------------------------------------------ */

/* A status that no one knows, in answer to what was commanded. */
static void unknown_statuses(struct test *test)
{
	static const uint16_t statuses[] = { 23,  24,	  77,	 255,
					     256, 0x8000, 0xffff };
	struct end *end = test_connect(test);

	end->serves = false;
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		struct received *request;
		const char *seen;

		/* Where marks are, a status has one octet. */
		if (end->own.format && statuses[i] > 0xff)
			break;
		control(test, "echo %0112zu", i);
		request = end_await_request(end, HDMABUF_OP_ECHO);
		if (!request)
			inconclusive(test, "the IUT does not send ECHO");
		end_answer_status(end, request, statuses[i]);
		seen = event_await(test, "echoed -");
		check(test, HDB_BOTH_040, seen && !strcmp(seen, "22"),
		      "ECHO is answered with status %u, and the application is told '%s', not 22",
		      statuses[i], seen ? seen : "nothing");
	}
	tell_export(end, "x size=4096");
	end_answer_status(end, &end->requests[end->request_count - 1], 4711);
	check(test, HDB_BOTH_040, event_await(test, "exported x 22"),
	      "EXPORT is answered with status 4711, and the application is not told 22");
	check(test, HDB_BOTH_040, end_sanity(end),
	      "after answers with unknown statuses, the session does not work");
}

/* Of a buffer that is as it was exported, but for what is not looked at. */
static void answer_query(message_t answer)
{
	wire_put(answer, QUERY_ANSWER_STATE, HDMABUF_BUFFER_IMPORTED);
	wire_put(answer, QUERY_ANSWER_RIGHTS, HDMABUF_RIGHTS_READ_WRITE);
	wire_put(answer, QUERY_ANSWER_SIZE, 5000);
	wire_put(answer, QUERY_ANSWER_PAGES, 2);
	wire_put(answer, QUERY_ANSWER_GENERATION, 1);
	wire_put(answer, QUERY_ANSWER_TYPE, HDMABUF_TYPE_RAW);
}

/**
 * struct provoked - a request that the IUT is told to send
 * @command: with which it is told
 * @operation: of the request
 */
struct provoked {
	const char *command;
	uint16_t operation;
};

static const struct provoked provoked[] = {
	{ "echo 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677",
	  HDMABUF_OP_ECHO },
	{ "export y size=100", HDMABUF_OP_EXPORT },
	{ "hand-off x", HDMABUF_OP_HAND_OFF },
	{ "unexport x", HDMABUF_OP_UNEXPORT },
	{ "query x", HDMABUF_OP_QUERY },
	{ "timeline t signaller=creator", HDMABUF_OP_TIMELINE_CREATE },
	{ "close", HDMABUF_OP_CLOSE },
	{ "update x tag=5", HDMABUF_OP_UPDATE },
	{ "allocate size=4096", HDMABUF_OP_ALLOCATE },
	{ "cpu-begin x offset=0 octets=1 access=read", HDMABUF_OP_CPU_BEGIN },
};

static struct received *provoke(struct end *end, const struct provoked *what)
{
	struct received *request;

	end->serves = true;
	let_export(end, "x size=5000 rights=read-write");
	end->serves = false;
	control(end->test, "%s", what->command);
	request = end_await_request(end, what->operation);
	if (!request)
		inconclusive(end->test, "the IUT does not send %s",
			     wire_operation_name(what->operation));
	return request;
}

static void make_answer(struct test *test, const struct received *request,
			message_t answer)
{
	memcpy(answer, request->octets, sizeof(message_t));
	if (operation_of(answer) == HDMABUF_OP_ECHO)
		return;
	memset(answer + 8, 0, 56);
	if (operation_of(answer) == HDMABUF_OP_QUERY)
		answer_query(answer);
	if (operation_of(answer) == HDMABUF_OP_ALLOCATE)
		test_random_octets(test, answer + 8, 16);
}

/* Of each zero field of an answer the first octet and the last one. */
static void spoil_answers(struct end *end, const struct provoked *what,
			  uint16_t status)
{
	const struct wire_format *format =
		wire_answer_format(what->operation, status);

	for (size_t i = 0; i < 2 * format->count; i++) {
		const struct wire_field *field = &format->fields[i / 2];
		size_t at = wire_offset(field->place);
		struct received *request;
		message_t answer;
		what_t text;

		if (field->kind != WIRE_ZERO)
			continue;
		if (i % 2)
			at += wire_octets(field->place) - 1;
		snprintf(text, sizeof(text),
			 "%s is answered with %s, and octet %zu is 1",
			 wire_operation_name(what->operation),
			 wire_status_name(status), at);
		comment(end->test, "%s", text);
		request = provoke(end, what);
		make_answer(end->test, request, answer);
		if (status)
			memset(answer + 8, 0, 56);
		wire_put(answer, HEADER_STATUS, status);
		answer[at] = 1;
		end_answer(end, request, answer);
		check_broken(end, HDB_BOTH_064, text);
	}
}

static void zero_fields_of_answers(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; provoked[i].operation != HDMABUF_OP_UPDATE; i++)
		spoil_answers(end, &provoked[i], HDMABUF_STATUS_OK);
	spoil_answers(end, &provoked[0], HDMABUF_STATUS_FAILED);
	spoil_answers(end, &provoked[1], HDMABUF_STATUS_NO_MEMORY);
}

static void spoil_answers_to(struct test *test, uint16_t operation)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(provoked); i++)
		if (provoked[i].operation == operation)
			spoil_answers(end, &provoked[i], HDMABUF_STATUS_OK);
}

static void zero_fields_of_answer_to_update(struct test *test)
{
	spoil_answers_to(test, HDMABUF_OP_UPDATE);
}

static void zero_fields_of_answer_to_allocate(struct test *test)
{
	spoil_answers_to(test, HDMABUF_OP_ALLOCATE);
}

static void zero_fields_of_answer_to_cpu_begin(struct test *test)
{
	spoil_answers_to(test, HDMABUF_OP_CPU_BEGIN);
}

/**
 * struct wrong_value - a field of an answer with a value that is not allowed
 * @operation: that is answered
 * @status: of the answer
 * @place: of the field
 * @value: of it
 */
struct wrong_value {
	uint16_t operation;
	uint16_t status;
	unsigned int place;
	uint64_t value;
};

static const struct wrong_value wrong_values[] = {
	{ HDMABUF_OP_UNEXPORT, 0, UNEXPORT_ANSWER_MAPPED, 2 },
	{ HDMABUF_OP_UNEXPORT, 0, UNEXPORT_ANSWER_MAPPED, 0x80000000 },
	{ HDMABUF_OP_QUERY, 0, QUERY_ANSWER_STATE, 9 },
	{ HDMABUF_OP_QUERY, 0, QUERY_ANSWER_RIGHTS, 0 },
	{ HDMABUF_OP_QUERY, 0, QUERY_ANSWER_RIGHTS, 4 },
	{ HDMABUF_OP_QUERY, 0, QUERY_ANSWER_TYPE, 0 },
	{ HDMABUF_OP_QUERY, 0, QUERY_ANSWER_TYPE, 4 },
	{ HDMABUF_OP_ECHO, 0, WIRE_PLACE(56, 8), 1 },
	{ HDMABUF_OP_ECHO, HDMABUF_STATUS_FAILED, ERROR_WHERE, 6 },
	{ HDMABUF_OP_EXPORT, HDMABUF_STATUS_DENIED, ERROR_WHERE, 0xffffffff },
	{ HDMABUF_OP_EXPORT, HDMABUF_STATUS_DENIED, ERROR_WHERE,
	  HDMABUF_WHERE_CHANNEL },
};

static void answer_with(struct end *end, const struct wrong_value *wrong)
{
	struct received *request = NULL;
	message_t answer;
	what_t text;

	for (size_t i = 0; i < COUNT_OF(provoked); i++)
		if (provoked[i].operation == wrong->operation)
			request = provoke(end, &provoked[i]);
	snprintf(
		text, sizeof(text),
		"%s is answered with %s, and the field at offset %zu is %" PRIu64,
		wire_operation_name(wrong->operation),
		wire_status_name(wrong->status), wire_offset(wrong->place),
		wrong->value);
	comment(end->test, "%s", text);
	make_answer(end->test, request, answer);
	if (wrong->status)
		memset(answer + 8, 0, 56);
	wire_put(answer, HEADER_STATUS, wrong->status);
	wire_put(answer, wrong->place, wrong->value);
	end_answer(end, request, answer);
	check_broken(end, HDB_BOTH_064, text);
}

static void wrong_values_of_answers(struct test *test)
{
	struct end *end = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(wrong_values); i++)
		answer_with(end, &wrong_values[i]);
}

/* ALLOCATE is answered with an id, which is not zero. */
static void zero_id_of_allocate(struct test *test)
{
	struct end *end = test_connect(test);
	struct received *request;
	message_t answer = { 0 };

	end->serves = false;
	control(test, "allocate size=4096");
	request = end_await_request(end, HDMABUF_OP_ALLOCATE);
	if (!request)
		inconclusive(test, "the IUT does not send ALLOCATE");
	end_answer(end, request, answer);
	check_broken(end, HDB_BOTH_064, "ALLOCATE is answered with an id of 0");
}

/* Every frontend sends HELLO, and looks at the answer. */
static void wrong_answers_to_hello(struct test *test)
{
	static const struct wrong_value wrongs[] = {
		{ 0, 0, HELLO_ZERO, 1 },
		{ 0, 0, HELLO_ZERO, 1ull << 63 },
		{ 0, 0, HELLO_MAX_IN_FLIGHT, 0 },
		{ 0, 0, HELLO_MAX_PRIVATE, 1023 },
	};
	struct end *end = test_open(test);

	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		struct received *hello;
		message_t answer;
		what_t text;

		snprintf(
			text, sizeof(text),
			"the field at offset %zu of the answer to HELLO is %" PRIu64,
			wire_offset(wrongs[i].place), wrongs[i].value);
		comment(test, "%s", text);
		end->serves = false;
		end_publish_offer(end);
		if (!end_await_answer(end) || !end_map_channel(end))
			inconclusive(test, "the IUT does not answer the offer");
		hello = end_await_request(end, HDMABUF_OP_HELLO);
		if (!hello)
			inconclusive(test, "the IUT sends no HELLO");
		end->features = wire_get(hello->octets, HELLO_FEATURES);
		end_hello_message(end, answer);
		wire_put(answer, wrongs[i].place, wrongs[i].value);
		end_answer(end, hello, answer);
		check_broken(end, HDB_BOTH_064, text);
		end_abandon(end);
	}
}

static const struct test_case cases[] = {
	TEST(zero_fields,
	     "A zero field of ECHO or CLOSE that is not zero is refused",
	     OF_BOTH, 0, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_039),
	TEST(zero_fields_of_timelines,
	     "A zero field of a request about a timeline that is not zero is refused",
	     OF_BOTH, 0, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_039),
	TEST(zero_fields_of_strangers,
	     "A zero field that is not zero is refused though the buffer is unknown",
	     OF_BOTH, 0, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_039),
	TEST(zero_fields_of_buffers,
	     "A zero field of a request about a buffer that is not zero is refused",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_039),
	TEST(zero_fields_of_allocate,
	     "A zero field of ALLOCATE that is not zero is refused", OF_BOTH,
	     OPTION_ALLOCATE | OPTION_ALLOCATES, HDB_BOTH_002, HDB_BOTH_037,
	     HDB_BOTH_039),
	TEST(zero_fields_of_released,
	     "A zero field of RELEASED that is not zero is refused", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_002, HDB_BOTH_037, HDB_BOTH_039),
	TEST(zeros_in_answers, "Answers have zeros where they have no meaning",
	     OF_BOTH, 0, HDB_BOTH_001),
	TEST(zeros_in_answers_about_buffers,
	     "Answers about buffers have zeros where they have no meaning",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_001),
	TEST(zeros_in_requests,
	     "Requests have zeros where they have no meaning", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_001),
	TEST(own_ids_differ, "Requests that are unanswered have different ids",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_031),
	TEST(ids_are_repeated,
	     "Answers repeat id and operation, whatever the id is", OF_BOTH, 0,
	     HDB_BOTH_032, HDB_BOTH_033),
	TEST(answered_once, "Each operation is answered once", OF_BOTH, 0,
	     HDB_BOTH_033),
	TEST(answers_wait_for_nothing,
	     "Requests are answered though those of the IUT are not", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_034),
	TEST(answers_about_buffers_wait_for_nothing,
	     "HAND_OFF and UNEXPORT are answered before the wait point is reached",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_034),
	TEST(unknown_operations,
	     "Operations that do not exist are refused as unknown, whatever else they carry",
	     OF_BOTH, 0, HDB_BOTH_036, HDB_BOTH_039),
	TEST(unknown_statuses, "An unknown status stands for FAILED", OF_BOTH,
	     OPTION_CONTROL | OPTION_EVENTS, HDB_BOTH_040),
	TEST(zero_fields_of_answers,
	     "An answer in which a zero field is not zero breaks the session",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_029, HDB_BOTH_064),
	TEST(zero_fields_of_answer_to_update,
	     "An answer to UPDATE in which a zero field is not zero breaks the session",
	     OF_BOTH, OPTION_CONTROL | OPTION_UPDATE, HDB_BOTH_029,
	     HDB_BOTH_064),
	TEST(zero_fields_of_answer_to_allocate,
	     "An answer to ALLOCATE in which a zero field is not zero breaks the session",
	     OF_BOTH, OPTION_CONTROL | OPTION_ALLOCATE, HDB_BOTH_029,
	     HDB_BOTH_064),
	TEST(zero_id_of_allocate,
	     "An answer to ALLOCATE without an id breaks the session", OF_BOTH,
	     OPTION_CONTROL | OPTION_ALLOCATE, HDB_BOTH_029, HDB_BOTH_064),
	TEST(zero_fields_of_answer_to_cpu_begin,
	     "An answer to CPU_BEGIN in which a zero field is not zero breaks the session",
	     OF_BOTH, OPTION_CONTROL | OPTION_CPU_ACCESS, HDB_BOTH_029,
	     HDB_BOTH_064),
	TEST(wrong_values_of_answers,
	     "An answer with a value that is not allowed breaks the session",
	     OF_BOTH, OPTION_CONTROL, HDB_BOTH_029, HDB_BOTH_064),
	TEST(wrong_answers_to_hello,
	     "An answer to HELLO with a value that is not allowed breaks the session",
	     OF_FRONTEND, 0, HDB_BOTH_029, HDB_BOTH_064),
};

TEST_GROUP(messages, cases);
