/* SPDX-License-Identifier: MIT */
/* hostile.c - memory that changes under the reader, numbers at their ends, rubbish */
#include "conformance/tests/buffers.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* Numbers at which something ends, cut to the size of the field. */
static const uint64_t borders[] = {
	0,
	1,
	2,
	3,
	4,
	5,
	63,
	64,
	255,
	256,
	257,
	4095,
	4096,
	4097,
	0x7fffffff,
	0x80000000,
	0xfffffffe,
	0xffffffff,
	0x100000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xfffffffffffff000,
	UINT64_MAX - 1,
	UINT64_MAX,
};

static bool is_possible_status(uint16_t status)
{
	return status <= HDMABUF_STATUS_FAILED && status != HDMABUF_STATUS_LOST;
}

static const char *name_of(const message_t message)
{
	return wire_operation_name(
		(uint16_t)wire_get(message, HEADER_OPERATION));
}

/* ---- directories that change ---------------------------------------------- */

/**
 * struct changing - a directory of three pages that changes all the time
 * @buffer: whose it is
 * @other: another page that is shared
 */
struct changing {
	struct buffer buffer;
	uint64_t other;
};

/* The first page is one of two, the second one is sometimes none. */
static void change_directory(void *context)
{
	const struct changing *changing = context;
	const struct buffer *buffer = &changing->buffer;
	uint8_t *directory = buffer->directory;

	for (;;) {
		shared_store(directory, WIRE_PLACE(4, 4),
			     (uint32_t)changing->other);
		shared_store(directory, WIRE_PLACE(8, 4), 0);
		shared_store(directory, WIRE_PLACE(4, 4),
			     (uint32_t)buffer->references[0]);
		shared_store(directory, WIRE_PLACE(8, 4),
			     (uint32_t)buffer->references[1]);
		/* Whoever has to wait for the processor finds it in order. */
		sched_yield();
	}
}

static void make_changing(struct end *end, struct changing *changing)
{
	const struct plan plan = { .size = 3 * 4096 };
	struct hdmabuf_memory *memory =
		end_allocate(end, 1, HDMABUF_RIGHTS_READ_ONLY);

	buffer_make(end, &changing->buffer, &plan);
	end_share(end, memory, 0, 1, HDMABUF_RIGHTS_READ_ONLY,
		  &changing->other);
	memset(memory->address, 0x77, 4096);
}

/* The data with either of the two pages in the first place. */
static bool is_one_of_two(const struct buffer *buffer, const char *seen)
{
	char expected[2][40];
	uint8_t data[3 * 4096];

	memcpy(data, buffer->pages, sizeof(data));
	snprintf(expected[0], sizeof(expected[0]), "stamp=0 crc=%08x",
		 octets_crc(data, sizeof(data)));
	memset(data, 0x77, 4096);
	snprintf(expected[1], sizeof(expected[1]), "stamp=0 crc=%08x",
		 octets_crc(data, sizeof(data)));
	return seen &&
	       (!strcmp(seen, expected[0]) || !strcmp(seen, expected[1]));
}

/* What was accepted can be used, as it was when it was looked at. */
static bool use_changing(struct changing *changing)
{
	struct buffer *buffer = &changing->buffer;
	struct test *test = buffer->end->test;
	uint16_t status = buffer_export(buffer, NULL);
	const char *seen;
	char name[33];

	check(test, HDB_IMP_002,
	      status == HDMABUF_STATUS_OK ||
		      status == HDMABUF_STATUS_BAD_REFERENCE,
	      "a directory whose second entry is sometimes 0 is refused with %s",
	      wire_status_name(status));
	if (status != HDMABUF_STATUS_OK)
		return false;
	if (buffer_hand_off(buffer, HDMABUF_NO_TIMELINE, 0, NULL) !=
	    HDMABUF_STATUS_OK)
		inconclusive(test, "a hand-off is refused");
	seen = event_await(test, "turn %s", buffer_name(buffer, name));
	require(test, HDB_IMP_002, is_one_of_two(buffer, seen),
		"the directory was accepted, and what the IUT tells of its data is '%s': what it has looked at is not what it uses",
		seen ? seen : "nothing");
	give_back(buffer);
	return true;
}

static void directory_is_read_once(struct test *test)
{
	struct end *end = test_connect(test);
	struct changing changing;
	unsigned int taken = 0, tried = 0;
	pid_t writer;

	make_changing(end, &changing);
	writer = spoil(test, change_directory, &changing);
	end->silent = true;
	for (; taken < 100 && tried < 5000; tried++)
		taken += use_changing(&changing);
	spoil_end(writer);
	speak_again(end);
	comment(test, "%u of %u exports were accepted", taken, tried);
	if (!taken)
		inconclusive(test, "the IUT never saw what is in order");
}

/* ---- rings and cells that change -------------------------------------------- */

/**
 * struct scribble - memory that is overwritten by chance
 * @at: where it is
 * @words: how many words of 4 octets
 */
struct scribble {
	uint8_t *at;
	size_t words;
};

static void scribble(void *context)
{
	const struct scribble *scribble = context;
	uint64_t state = 88172645463325252u;

	for (;;) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		shared_store(scribble->at,
			     WIRE_PLACE(4 * (state % scribble->words), 4),
			     state & 1 ? (uint32_t)(state >> 32) :
					 (uint32_t)(state >> 40) % 70);
	}
}

/* What an application asks for meanwhile; it is no matter what becomes of it. */
static void keep_busy(struct end *end)
{
	message_t message;

	if (test_claims(end->test, OPTION_CONTROL)) {
		control_try(end->test, "echo %0112d", 1);
		control_try(end->test, "timeline t signaller=creator");
		control_try(end->test, "signal t 1");
	}
	for (unsigned int i = 0; i < 3; i++) {
		make_echo(end->test, message);
		end_put(end, message);
		end_push(end);
		end_notify(end);
		settle(end);
	}
}

static void scribble_over(struct end *end, uint8_t *at, size_t octets,
			  const char *what)
{
	struct scribble context = { at, octets / 4 };
	pid_t pid;

	comment(end->test, "rubbish is written to %s", what);
	end->deaf = end->silent = true;
	pid = spoil(end->test, scribble, &context);
	keep_busy(end);
	spoil_end(pid);
	end->deaf = end->silent = false;
	end_abandon(end);
	require(end->test, HDB_BOTH_063, end_try_greet(end) && end_sanity(end),
		"rubbish was written to %s, and there is no session any more",
		what);
}

static size_t ring_octets(const struct ring *ring)
{
	return 128 * (size_t)ring->slots;
}

static void rubbish_in_the_channel(struct test *test)
{
	struct end *end = test_connect(test);

	for (unsigned int i = 0; i < 3; i++) {
		size_t area = WIRE_CELL_OCTETS * (size_t)end->cell_count;

		scribble_over(end, ring_slot(&end->own, 0),
			      ring_octets(&end->own) / 2,
			      "the slots of the suite's ring");
		scribble_over(end, ring_slot(&end->theirs, 0),
			      ring_octets(&end->theirs) / 2,
			      "the slots of the IUT's ring");
		scribble_over(end, end->own.at, 16,
			      "the indices of the suite's ring");
		scribble_over(end, end->theirs.at, 16,
			      "the indices of the IUT's ring");
		if (area)
			scribble_over(end, end->cells[0], 2 * area,
				      "the cells of both ends");
		scribble_over(end, end->parts, (size_t)end->part_count * 4096,
			      "all of it");
	}
}

/* Wait points that come and go; in the end all are reached. */
static void rubbish_in_a_cell(struct test *test)
{
	struct end *end = test_connect(test);
	struct scribble context = { .words = 3 };
	struct buffer buffer;
	message_t message;
	pid_t pid;

	buffer_share(end, &buffer, NULL);
	if (end->cell_count < 2 || end->peer.max_timelines < 2)
		skip(test, "the IUT takes %u timelines",
		     end->peer.max_timelines);
	end_create_timeline(end, 0, HDMABUF_SIGNALLER_CREATOR, 0);
	end_create_timeline(end, 1, HDMABUF_SIGNALLER_PEER, 0);
	context.at = end_cell(end, end->role, 0);
	pid = spoil(test, scribble, &context);
	for (uint64_t i = 1; i <= 60; i++) {
		buffer_hand_off_message(&buffer, 1, i, message);
		wire_put(message, HAND_OFF_WAIT_TIMELINE, 0);
		wire_put(message, HAND_OFF_WAIT_POINT,
			 i % 2 ? i << 58 : test_random(test));
		end_ask(end, message, NULL);
		end_notify(end);
	}
	spoil_end(pid);
	cell_signal(context.at, UINT64_MAX);
	end_notify(end);
	check(test, HDB_BOTH_063, end_await_point(end, end->role, 1, 60),
	      "rubbish was written to a cell, then the greatest point, and hand-offs that wait for it are not finished with");
}

/* ---- rubbish in messages ----------------------------------------------------- */

#define POOL 6

/**
 * struct fuzz - requests by chance
 * @end: over which
 * @pool: buffers that they may name
 * @sent: the last ones
 * @count: of @sent
 */
struct fuzz {
	struct end *end;
	struct buffer pool[POOL];
	message_t sent[16];
	unsigned int count;
};

static uint64_t random_number(struct test *test)
{
	uint64_t chance = test_random(test);

	switch (chance % 4) {
	case 0:
		return borders[(chance >> 8) % COUNT_OF(borders)];
	case 1:
		return (chance >> 8) % 6;
	case 2:
		return test_random(test) >> (chance >> 8) % 64;
	default:
		return test_random(test);
	}
}

static void spoil_by_chance(struct test *test, message_t message)
{
	const struct wire_format *format = wire_request_format(
		(uint16_t)wire_get(message, HEADER_OPERATION));
	const struct wire_field *field;

	if (!format)
		return;
	field = &format->fields[test_random(test) % format->count];
	if (wire_octets(field->place) <= 8)
		wire_put(message, field->place, random_number(test));
	else if (test_random(test) % 4 == 0)
		message[wire_offset(field->place) +
			test_random(test) % wire_octets(field->place)] ^= 1;
}

static uint16_t random_operation(struct test *test)
{
	uint64_t chance = test_random(test);
	size_t count = 0;

	while (wire_operations[count])
		count++;
	if (chance % 20 == 0)
		return (uint16_t)(chance >> 16);
	return wire_operations[(chance >> 16) % count];
}

static void make_timeline(struct end *end, message_t message)
{
	uint32_t number = (uint32_t)(test_random(end->test) % 5);
	uint64_t point = random_number(end->test);

	wire_put(message, TIMELINE_NUMBER, number);
	if (wire_get(message, HEADER_OPERATION) != HDMABUF_OP_TIMELINE_CREATE)
		return;
	wire_put(message, TIMELINE_SIGNALLER, 1 + number % 2);
	wire_put(message, TIMELINE_POINT, point);
	if (number < end->cell_count && !end->watched[end->role][number].open)
		cell_signal(end_cell(end, end->role, number), point);
}

/* Most are nearly in order. */
static void make_by_chance(struct fuzz *fuzz, message_t message)
{
	struct end *end = fuzz->end;
	struct test *test = end->test;
	const struct buffer *buffer = &fuzz->pool[test_random(test) % POOL];
	uint16_t operation = random_operation(test);

	if (operation == HDMABUF_OP_CLOSE)
		operation = HDMABUF_OP_ECHO;
	named_message(operation, buffer->id, message);
	if (operation == HDMABUF_OP_EXPORT)
		buffer_export_message(buffer, message);
	if (operation == HDMABUF_OP_HAND_OFF && test_random(test) % 2) {
		wire_put(message, HAND_OFF_SIGNAL_TIMELINE,
			 test_random(test) % 5);
		wire_put(message, HAND_OFF_SIGNAL_POINT, random_number(test));
	}
	if (operation == HDMABUF_OP_TIMELINE_CREATE ||
	    operation == HDMABUF_OP_TIMELINE_DESTROY)
		make_timeline(end, message);
	if (operation == HDMABUF_OP_ALLOCATE) {
		message_init(message, operation);
		wire_put(message, ALLOCATE_SIZE, random_number(test) % 100000);
		wire_put(message, ALLOCATE_RIGHTS, 1 + test_random(test) % 3);
		wire_put(message, ALLOCATE_ATTRIBUTES, 1);
	}
	for (uint64_t i = test_random(test) % 4; i > 1; i--)
		spoil_by_chance(test, message);
}

static void tell_what_was_sent(const struct fuzz *fuzz)
{
	char text[600];

	for (unsigned int i = 0; i < fuzz->count; i++)
		note(fuzz->end->test, SPEAKER_SUITE, "had sent %s",
		     wire_print(fuzz->sent[i], false, text, sizeof(text)));
}

static void check_fuzz_answer(struct fuzz *fuzz, unsigned int number,
			      const uint8_t *answer)
{
	struct test *test = fuzz->end->test;
	const char *name = name_of(fuzz->sent[number]);
	uint16_t status;

	if (!answer)
		tell_what_was_sent(fuzz);
	require(test, HDB_BOTH_033, answer,
		"%s, number %u of %u that came at once, is not answered", name,
		number, fuzz->count);
	status = (uint16_t)wire_get(answer, HEADER_STATUS);
	if (!is_possible_status(status))
		tell_what_was_sent(fuzz);
	require(test, HDB_BOTH_063, is_possible_status(status),
		"%s is answered with status %u, which cannot be", name, status);
}

/* Everything that was sent is answered, unless the IUT has had enough (HDB-BOTH-067). */
static void send_by_chance(struct fuzz *fuzz)
{
	struct end *end = fuzz->end;
	uint32_t first = end->next_id;
	uint32_t room = ring_room(end);

	fuzz->count = room < COUNT_OF(fuzz->sent) ?
			      room :
			      (unsigned int)COUNT_OF(fuzz->sent);
	for (unsigned int i = 0; i < fuzz->count; i++) {
		make_by_chance(fuzz, fuzz->sent[i]);
		end_put(end, fuzz->sent[i]);
	}
	end_push(end);
	for (unsigned int i = 0; i < fuzz->count; i++) {
		const uint8_t *answer = end_await_answer_to(end, first + i);

		if (end->closed)
			return;
		check_fuzz_answer(fuzz, i, answer);
	}
}

static void random_requests(struct test *test)
{
	struct end *end = test_open(test);
	struct fuzz *fuzz = end_array(end, 1, sizeof(*fuzz));

	end->greeting.max_octets = 1 << 26;
	greet(end);
	fuzz->end = end;
	for (unsigned int i = 0; i < POOL; i++) {
		const struct plan plan = {
			.size = 1000 + 4096 * i,
			.rights = 1 + i % 3,
		};

		buffer_make(end, &fuzz->pool[i], &plan);
	}
	end->silent = true;
	for (unsigned int i = 0; i < 300; i++) {
		send_by_chance(fuzz);
		if (end->closed)
			renew(end);
	}
	check(test, HDB_BOTH_063, end_sanity(end),
	      "after 4800 requests by chance, the session does not work");
	speak_again(end);
}

/* Nothing in them is more than chance. */
static void random_octets(struct test *test)
{
	struct end *end = test_connect(test);
	struct fuzz *fuzz = end_array(end, 1, sizeof(*fuzz));

	fuzz->end = end;
	fuzz->count = 1;
	end->silent = true;
	for (unsigned int i = 0; i < 2000; i++) {
		uint8_t *message = fuzz->sent[0];

		test_random_octets(test, message, sizeof(message_t));
		if (i % 2)
			wire_put(message, HEADER_OPERATION,
				 random_operation(test));
		if (i % 4 == 3)
			wire_put(message, HEADER_STATUS, 0);
		check_fuzz_answer(fuzz, 0,
				  end_await_answer_to(end,
						      end_send(end, message)));
	}
	check(test, HDB_BOTH_063, end_sanity(end),
	      "after 2000 requests of octets by chance, the session does not work");
	speak_again(end);
}

/* ---- every field at its ends -------------------------------------------------- */

static void make_nearly_right(struct end *end, uint16_t operation,
			      struct buffer *buffer, message_t message)
{
	named_message(operation, buffer->id, message);
	switch (operation) {
	case HDMABUF_OP_EXPORT:
		buffer_make(end, buffer, NULL);
		buffer_export_message(buffer, message);
		break;
	case HDMABUF_OP_UPDATE:
		buffer_export_message(buffer, message);
		wire_put(message, HEADER_OPERATION, operation);
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
		message_init(message, operation);
		wire_put(message, TIMELINE_SIGNALLER, 1);
		break;
	case HDMABUF_OP_ALLOCATE:
		message_init(message, operation);
		wire_put(message, ALLOCATE_SIZE, 4096);
		wire_put(message, ALLOCATE_RIGHTS, 1);
		wire_put(message, ALLOCATE_ATTRIBUTES, 1);
		break;
	case HDMABUF_OP_ECHO:
	case HDMABUF_OP_TIMELINE_DESTROY:
		message_init(message, operation);
		break;
	default:
		break;
	}
}

static void try_field(struct end *end, uint16_t operation,
		      const struct wire_field *field)
{
	for (size_t i = 0; i < COUNT_OF(borders); i++) {
		struct buffer buffer;
		message_t message;
		uint16_t status;

		if (wire_octets(field->place) == 4 && borders[i] >> 32)
			break;
		buffer_make(end, &buffer, NULL);
		if (operation != HDMABUF_OP_EXPORT &&
		    test_claims(end->test, OPTION_IMPORT))
			buffer_export(&buffer, NULL);
		make_nearly_right(end, operation, &buffer, message);
		wire_put(message, field->place, borders[i]);
		status = end_ask(end, message, NULL);
		check(end->test, HDB_BOTH_063, is_possible_status(status),
		      "%s with '%s' %" PRIu64
		      " is answered with status %u, which cannot be",
		      wire_operation_name(operation), field->name, borders[i],
		      status);
		if (operation != HDMABUF_OP_EXPORT)
			buffer_unexport(&buffer, 0, NULL);
		buffer_revoke(&buffer, test_deadline_in(0));
	}
}

static void try_operation(struct test *test, uint16_t operation)
{
	struct end *end = test_open(test);
	const struct wire_format *format = wire_request_format(operation);

	end->greeting.max_octets = 1 << 26;
	greet(end);
	for (size_t i = 0; i < format->count; i++)
		if (wire_octets(format->fields[i].place) <= 8)
			try_field(end, operation, &format->fields[i]);
	check(test, HDB_BOTH_063, end_sanity(end),
	      "after %s with all fields at their ends, the session does not work",
	      wire_operation_name(operation));
}

static void ends_of_export(struct test *test)
{
	try_operation(test, HDMABUF_OP_EXPORT);
}

static void ends_of_hand_off(struct test *test)
{
	try_operation(test, HDMABUF_OP_HAND_OFF);
}

static void ends_of_unexport(struct test *test)
{
	try_operation(test, HDMABUF_OP_UNEXPORT);
}

static void ends_of_update(struct test *test)
{
	try_operation(test, HDMABUF_OP_UPDATE);
}

static void ends_of_allocate(struct test *test)
{
	try_operation(test, HDMABUF_OP_ALLOCATE);
}

static void ends_of_cpu_access(struct test *test)
{
	try_operation(test, HDMABUF_OP_CPU_BEGIN);
}

static void ends_of_create(struct test *test)
{
	try_operation(test, HDMABUF_OP_TIMELINE_CREATE);
}

static void ends_of_destroy(struct test *test)
{
	try_operation(test, HDMABUF_OP_TIMELINE_DESTROY);
}

static void ends_of_hello(struct test *test)
{
	try_operation(test, HDMABUF_OP_HELLO);
}

/* ---- sums that do not fit ------------------------------------------------------ */

static void sums_of_cpu_access(struct test *test)
{
	static const struct {
		uint64_t offset;
		uint64_t octets;
		unsigned int place;
	} sums[] = {
		{ 1, UINT64_MAX, CPU_ACCESS_OCTETS },
		{ 4095, UINT64_MAX - 4094, CPU_ACCESS_OCTETS },
		{ 4095, UINT64_MAX - 4095, CPU_ACCESS_OCTETS },
		{ 0, UINT64_MAX, CPU_ACCESS_OCTETS },
		{ UINT64_MAX, 1, CPU_ACCESS_OFFSET },
		{ UINT64_MAX, UINT64_MAX, CPU_ACCESS_OFFSET },
		{ 1ull << 63, 1ull << 63, CPU_ACCESS_OFFSET },
		{ UINT64_MAX - 4095, 4096, CPU_ACCESS_OFFSET },
	};
	struct end *end = test_connect(test);
	struct buffer buffer;
	message_t message, answer;
	what_t what;

	buffer_share(end, &buffer, NULL);
	for (size_t i = 0; i < COUNT_OF(sums); i++) {
		snprintf(what, sizeof(what),
			 "CPU_BEGIN of %" PRIu64 " octets from %" PRIu64,
			 sums[i].octets, sums[i].offset);
		named_message(HDMABUF_OP_CPU_BEGIN, buffer.id, message);
		wire_put(message, CPU_ACCESS_OFFSET, sums[i].offset);
		wire_put(message, CPU_ACCESS_OCTETS, sums[i].octets);
		if (check_status(test, HDB_BOTH_062,
				 end_ask(end, message, answer),
				 HDMABUF_STATUS_INVALID, "%s", what))
			check_where(test, answer, HDMABUF_WHERE_REQUEST,
				    wire_offset(sums[i].place), what);
	}
}

/* Pixels whose octets do not fit 64 bits. */
static void products_of_allocate(struct test *test)
{
	static const uint32_t sides[][2] = {
		{ 0xffffffff, 0xffffffff },
		{ 0x80000000, 0x80000000 },
		{ 0xffffffff, 0x80000001 },
	};
	struct end *end = test_connect(test);
	message_t message;

	for (size_t i = 0; i < COUNT_OF(sides); i++) {
		message_init(message, HDMABUF_OP_ALLOCATE);
		wire_put(message, ALLOCATE_WIDTH, sides[i][0]);
		wire_put(message, ALLOCATE_HEIGHT, sides[i][1]);
		wire_put(message, ALLOCATE_FOURCC, 0x34325258);
		wire_put(message, ALLOCATE_RIGHTS, HDMABUF_RIGHTS_READ_ONLY);
		wire_put(message, ALLOCATE_ATTRIBUTES,
			 HDMABUF_ATTRIBUTE_CACHED);
		check_status(test, HDB_BOTH_062, end_ask(end, message, NULL),
			     HDMABUF_STATUS_INVALID,
			     "ALLOCATE of %u times %u pixels", sides[i][0],
			     sides[i][1]);
	}
}

/* ---- rubbish in answers --------------------------------------------------------- */

static void random_answers(struct test *test)
{
	static const char *const commands[] = {
		"echo 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677",
		"export y size=5000",
		"timeline t signaller=peer",
		"query x",
		"unexport x",
		"hand-off x",
		"close",
	};
	struct end *end = test_connect(test);

	for (unsigned int i = 0; i < 10 * COUNT_OF(commands); i++) {
		message_t answer;
		size_t known;

		end->serves = true;
		let_export(end, "x size=4096 rights=read-write");
		end->serves = false;
		known = end->request_count;
		control(test, "%s", commands[i % COUNT_OF(commands)]);
		for (uint64_t deadline = test_deadline(test);
		     end->request_count == known && test_wait(test, deadline);)
			;
		if (end->request_count == known)
			inconclusive(test, "the IUT sends no request");
		test_random_octets(test, answer, sizeof(answer));
		if (i % 3)
			memcpy(answer, end->requests[known].octets, 6);
		if (i % 3 == 2)
			memset(answer + 6, 0, 2);
		end->requests[known].answered = true;
		end_answer_raw(end, answer);
		settle(end);
		end->serves = true;
		end_abandon(end);
		require(test, HDB_BOTH_063,
			end_try_greet(end) && end_sanity(end),
			"an answer was rubbish, and there is no session any more");
	}
}

/* ---- notifications ---------------------------------------------------------------- */

static void storm(void *context)
{
	for (;;)
		end_notify(context);
}

static void notifications_without_end(struct test *test)
{
	struct end *end = test_connect(test);
	pid_t pid = spoil(test, storm, end);

	for (unsigned int i = 0; i < 200; i++) {
		message_t message;

		make_echo(test, message);
		if (!check(test, HDB_BOTH_003,
			   is_echo_of(end_await_answer_to(
					      end, end_send(end, message)),
				      message),
			   "notifications come without end, and request %u is not answered",
			   i))
			break;
	}
	spoil_end(pid);
	check(test, HDB_BOTH_063, end_sanity(end),
	      "after a storm of notifications, the session does not work");
}

/* ---- bad neighbours ----------------------------------------------------------------- */

static void bad_request_index(struct end *end)
{
	break_requests(end);
}

static void bad_answer_index(struct end *end)
{
	if (end->theirs.format)
		shared_store(ring_slot(&end->theirs, end->theirs.produced),
			     SLOT_WORD, (uint32_t)(MARK_ANSWERS + 64) << 24);
	else
		shared_store(end->theirs.at, RING_RSP_PROD,
			     end->theirs.produced + 1000);
	end_notify(end);
}

static void bad_channel(struct end *end)
{
	size_t octets = (size_t)end->part_count * 4096;

	for (size_t i = 0; i < octets; i += 4)
		shared_store(end->parts, WIRE_PLACE(i, 4),
			     (uint32_t)test_random(end->test));
	end_notify(end);
}

static void bad_messages(struct end *end)
{
	for (uint32_t i = 0; i < end->own.slots; i++)
		test_random_octets(end->test, ring_slot(&end->own, i),
				   sizeof(message_t));
	if (end->own.format)
		wire_put(ring_slot(&end->own, end->own.produced), SLOT_MARK,
			 end->own.slots);
	else
		shared_store(end->own.at, RING_REQ_PROD,
			     end->own.consumed + end->own.slots);
	end_notify(end);
}

static void bad_record(struct end *end)
{
	for (unsigned int i = 0; i < 20; i++) {
		end_publish(end, "epoch=1\nepoch=2\nchannel=-1\n");
		end_publish(end, "rubbish");
		end_publish(end, "");
	}
}

static void bad_channel_reference(struct end *end)
{
	end->reference = 0xfffffff0;
	end_publish_answer(end);
}

static void silence(struct end *end)
{
	(void)end;
}

static const struct {
	void (*behave)(struct end *end);
	const char *what;
} behaviours[] = {
	{ bad_request_index, "stores a req_prod that cannot be" },
	{ bad_answer_index, "stores a rsp_prod that cannot be" },
	{ bad_channel, "writes rubbish to all of its channel" },
	{ bad_messages, "fills its ring with rubbish" },
	{ bad_record, "publishes rubbish" },
	{ bad_channel_reference, "publishes a channel that is none" },
	{ silence, "vanishes" },
};

/* The other session is the same as before, and works. */
static void bad_neighbours(struct test *test)
{
	struct end *other = test_connect(test);
	uint64_t epoch = other->peer_epoch;

	for (size_t i = 0; i < COUNT_OF(behaviours); i++) {
		struct end *bad = test_open(test);
		char text[1025];
		uint64_t seen = 0;

		greet(bad);
		comment(test, "a neighbour %s", behaviours[i].what);
		bad->deaf = bad->silent = true;
		behaviours[i].behave(bad);
		for (unsigned int j = 0; j < 5; j++) {
			settle(other);
			check(test, HDB_BOTH_030, end_sanity(other),
			      "a neighbour %s, and another session does not work any more",
			      behaviours[i].what);
		}
		wire_record_get(end_record(other, text), HDMABUF_KEY_EPOCH,
				&seen);
		check(test, HDB_BOTH_030, seen == epoch && !other->down,
		      "a neighbour %s, and another session is lost",
		      behaviours[i].what);
		end_close(bad);
	}
}

static const struct test_case cases[] = {
	TEST(directory_is_read_once,
	     "A directory that changes is read once, and what was read is used",
	     OF_BOTH, OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
	     HDB_IMP_002),
	TEST(rubbish_in_the_channel,
	     "Rubbish that is written to rings and cells costs no more than the session",
	     OF_BOTH, 0, HDB_BOTH_063),
	TEST(rubbish_in_a_cell,
	     "Points that are rubbish cost nothing once they are right again",
	     OF_BOTH, OPTION_IMPORT, HDB_BOTH_063),
	TEST(random_requests, "Requests that are nearly in order are answered",
	     OF_BOTH, 0, HDB_BOTH_033, HDB_BOTH_063),
	TEST(random_octets, "Requests that are rubbish are answered", OF_BOTH,
	     0, HDB_BOTH_033, HDB_BOTH_063),
	TEST(random_answers,
	     "Answers that are rubbish cost no more than the session", OF_BOTH,
	     OPTION_CONTROL, HDB_BOTH_063),
	TEST(ends_of_hello, "HELLO with all fields at their ends is answered",
	     OF_BOTH, 0, HDB_BOTH_063),
	TEST(ends_of_export, "EXPORT with all fields at their ends is answered",
	     OF_BOTH, 0, HDB_BOTH_063),
	TEST(ends_of_update, "UPDATE with all fields at their ends is answered",
	     OF_BOTH, OPTION_UPDATE, HDB_BOTH_063),
	TEST(ends_of_unexport,
	     "UNEXPORT with all fields at their ends is answered", OF_BOTH, 0,
	     HDB_BOTH_063),
	TEST(ends_of_hand_off,
	     "HAND_OFF with all fields at their ends is answered", OF_BOTH, 0,
	     HDB_BOTH_063),
	TEST(ends_of_allocate,
	     "ALLOCATE with all fields at their ends is answered", OF_BOTH,
	     OPTION_ALLOCATE, HDB_BOTH_063),
	TEST(ends_of_cpu_access,
	     "CPU_BEGIN with all fields at their ends is answered", OF_BOTH,
	     OPTION_CPU_ACCESS, HDB_BOTH_063),
	TEST(ends_of_create,
	     "TIMELINE_CREATE with all fields at their ends is answered",
	     OF_BOTH, 0, HDB_BOTH_063),
	TEST(ends_of_destroy,
	     "TIMELINE_DESTROY with all fields at their ends is answered",
	     OF_BOTH, 0, HDB_BOTH_063),
	TEST(sums_of_cpu_access,
	     "A range of CPU_BEGIN whose end does not fit 64 bits is refused",
	     OF_BOTH, OPTION_IMPORT | OPTION_CPU_ACCESS, HDB_BOTH_039,
	     HDB_BOTH_062),
	TEST(products_of_allocate,
	     "A picture whose octets do not fit 64 bits is refused", OF_BOTH,
	     OPTION_ALLOCATE | OPTION_ALLOCATES, HDB_BOTH_062),
	TEST(notifications_without_end,
	     "Notifications without end keep nobody from its work", OF_BOTH, 0,
	     HDB_BOTH_003, HDB_BOTH_063),
	TEST(bad_neighbours,
	     "A neighbour that breaks the rules harms nobody but itself",
	     OF_BACKEND, OPTION_MANY, HDB_BOTH_030),
};

TEST_GROUP(hostile, cases);
