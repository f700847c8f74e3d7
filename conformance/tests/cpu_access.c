/* SPDX-License-Identifier: MIT */
/* cpu_access.c - CPU_BEGIN and CPU_END, of buffers of either end */
#include "conformance/tests/buffers.h"
#include "conformance/tests/tests.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ONES  UINT64_MAX
#define SIZE  10000
#define READ  HDMABUF_ACCESS_READ
#define WRITE HDMABUF_ACCESS_WRITE
#define BEGIN HDMABUF_OP_CPU_BEGIN
#define END   HDMABUF_OP_CPU_END

/* ---- buffers of either end ------------------------------------------------- */

/**
 * struct target - a buffer that is accessed
 * @end: over which it is shared
 * @id: its id
 */
struct target {
	struct end *end;
	uint8_t id[16];
};

/* In the middle of its pages: offsets count from the data. */
static void share(struct end *end, struct target *target, uint32_t rights)
{
	const struct plan plan = { .size = SIZE,
				   .offset = 100,
				   .rights = rights };
	struct buffer buffer;

	buffer_share(end, &buffer, &plan);
	*target = (struct target){ end, { 0 } };
	memcpy(target->id, buffer.id, sizeof(target->id));
}

static void let_share(struct end *end, struct target *target, const char *name,
		      const char *rights)
{
	const struct their_buffer *buffer = let_export(
		end, "%s size=%u offset=100 rights=%s", name, SIZE, rights);

	*target = (struct target){ end, { 0 } };
	memcpy(target->id, buffer->id, sizeof(target->id));
}

static void access_message(const struct target *target, uint16_t operation,
			   uint64_t offset, uint64_t octets, uint32_t access,
			   message_t message)
{
	named_message(operation, target->id, message);
	wire_put(message, CPU_ACCESS_OFFSET, offset);
	wire_put(message, CPU_ACCESS_OCTETS, octets);
	wire_put(message, CPU_ACCESS_ACCESS, access);
}

static uint16_t ask_access(const struct target *target, uint16_t operation,
			   uint64_t offset, uint64_t octets, uint32_t access,
			   uint8_t *answer)
{
	message_t message;

	access_message(target, operation, offset, octets, access, message);
	return end_ask(target->end, message, answer);
}

/* ---- accesses that are in order ------------------------------------------------ */

static const struct {
	uint64_t offset, octets;
	uint32_t access;
} in_order[] = {
	{ 0, 1, READ },		{ 0, SIZE, READ },
	{ SIZE - 1, 1, READ },	{ SIZE / 2, SIZE / 2, READ },
	{ 1, SIZE - 1, READ },	{ 0, SIZE, WRITE },
	{ 0, 1, READ | WRITE },
};

static void do_access(const struct target *target, uint16_t operation,
		      size_t number)
{
	what_t what;

	snprintf(what, sizeof(what),
		 "%s of %" PRIu64 " octets at %" PRIu64 ", access %u",
		 wire_operation_name(operation), in_order[number].octets,
		 in_order[number].offset, in_order[number].access);
	check_taken(target->end->test, HDB_BOTH_038,
		    ask_access(target, operation, in_order[number].offset,
			       in_order[number].octets, in_order[number].access,
			       NULL),
		    what);
}

/* CPU_END ends one, and there is no end without a beginning. */
static void check_no_more(const struct target *target)
{
	message_t answer;

	if (check_status(target->end->test, HDB_BOTH_038,
			 ask_access(target, END, 0, 1, READ, answer),
			 HDMABUF_STATUS_WRONG_STATE,
			 "CPU_END without CPU_BEGIN"))
		check_where(target->end->test, answer, HDMABUF_WHERE_REQUEST,
			    wire_offset(CPU_ACCESS_ID),
			    "CPU_END without CPU_BEGIN");
}

static void count_accesses(const struct target *target)
{
	size_t count = COUNT_OF(in_order);

	check_no_more(target);
	comment(target->end->test, "one access after the other");
	for (size_t i = 0; i < count; i++) {
		do_access(target, BEGIN, i);
		do_access(target, END, i);
		check_no_more(target);
	}
	comment(target->end->test, "all accesses at once");
	for (size_t i = 0; i < count; i++)
		do_access(target, BEGIN, i);
	for (size_t i = 0; i < count; i++)
		do_access(target, END, i);
	check_no_more(target);
	comment(target->end->test, "the same access several times");
	for (size_t i = 0; i < 3; i++)
		do_access(target, BEGIN, 0);
	for (size_t i = 0; i < 3; i++)
		do_access(target, END, 0);
	check_no_more(target);
}

static void accesses_of_the_exporter(struct test *test)
{
	struct end *end = test_connect(test);
	struct target target;

	share(end, &target, HDMABUF_RIGHTS_READ_ONLY);
	count_accesses(&target);
}

static void accesses_of_the_importer(struct test *test)
{
	struct end *end = test_connect(test);
	struct target target;

	let_share(end, &target, "b", "read-write");
	count_accesses(&target);
}

/* ---- accesses that are wrong --------------------------------------------------- */

/* The field that is to blame, or the one before it if that may be as well. */
static const struct {
	uint64_t offset, octets;
	uint32_t access;
	enum clause clause;
	unsigned int place;
	unsigned int also;
} wrong[] = {
	{ 0, 0, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS, 0 },
	{ SIZE, 0, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS, CPU_ACCESS_OFFSET },
	{ 0, SIZE + 1, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS, 0 },
	{ 1, SIZE, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS, CPU_ACCESS_OFFSET },
	{ SIZE, 1, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS, CPU_ACCESS_OFFSET },
	{ SIZE - 1, 2, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS,
	  CPU_ACCESS_OFFSET },
	{ 1ull << 32, 1, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS,
	  CPU_ACCESS_OFFSET },
	{ 0, 1ull << 32 | 1, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS, 0 },
	{ 0, ONES, READ, HDB_BOTH_038, CPU_ACCESS_OCTETS, 0 },
	{ ONES, 1, READ, HDB_BOTH_062, CPU_ACCESS_OCTETS, CPU_ACCESS_OFFSET },
	{ 1, ONES, READ, HDB_BOTH_062, CPU_ACCESS_OCTETS, CPU_ACCESS_OFFSET },
	{ ONES, ONES, READ, HDB_BOTH_062, CPU_ACCESS_OCTETS,
	  CPU_ACCESS_OFFSET },
	{ 1ull << 63, 1ull << 63, READ, HDB_BOTH_062, CPU_ACCESS_OCTETS,
	  CPU_ACCESS_OFFSET },
	{ ONES - SIZE + 2, SIZE, READ, HDB_BOTH_062, CPU_ACCESS_OCTETS,
	  CPU_ACCESS_OFFSET },
	{ 0, 1, 0, HDB_BOTH_038, CPU_ACCESS_ACCESS, 0 },
	{ 0, 1, 4, HDB_BOTH_038, CPU_ACCESS_ACCESS, 0 },
	{ 0, 1, 5, HDB_BOTH_038, CPU_ACCESS_ACCESS, 0 },
	{ 0, 1, 1u << 31, HDB_BOTH_038, CPU_ACCESS_ACCESS, 0 },
	{ 0, 1, UINT32_MAX, HDB_BOTH_038, CPU_ACCESS_ACCESS, 0 },
};

static void refuse_access(const struct target *target, uint16_t operation,
			  size_t number)
{
	struct test *test = target->end->test;
	unsigned int blamed = wrong[number].place;
	message_t answer;
	what_t what;

	snprintf(what, sizeof(what),
		 "%s of %" PRIu64 " octets, of %u, at %" PRIu64 ", access %u",
		 wire_operation_name(operation), wrong[number].octets, SIZE,
		 wrong[number].offset, wrong[number].access);
	comment(test, "%s", what);
	if (!check_status(test, wrong[number].clause,
			  ask_access(target, operation, wrong[number].offset,
				     wrong[number].octets, wrong[number].access,
				     answer),
			  HDMABUF_STATUS_INVALID, "%s", what))
		return;
	if (wrong[number].also &&
	    wire_get(answer, ERROR_OFFSET) == wire_offset(wrong[number].also))
		blamed = wrong[number].also;
	check_where(test, answer, HDMABUF_WHERE_REQUEST, wire_offset(blamed),
		    what);
}

/* What is refused neither begins nor ends an access. */
static void refuse_accesses(const struct target *target)
{
	struct test *test = target->end->test;

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		refuse_access(target, BEGIN, i);
	check_no_more(target);
	do_access(target, BEGIN, 0);
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		refuse_access(target, END, i);
	check_status(test, HDB_BOTH_037,
		     ask_access(target, END, 0, 1, READ, NULL),
		     HDMABUF_STATUS_OK, "CPU_END after others were refused");
	check_no_more(target);
}

static void wrong_accesses_of_the_exporter(struct test *test)
{
	struct end *end = test_connect(test);
	struct target target;

	share(end, &target, HDMABUF_RIGHTS_READ_WRITE);
	refuse_accesses(&target);
}

static void wrong_accesses_of_the_importer(struct test *test)
{
	struct end *end = test_connect(test);
	struct target target;

	let_share(end, &target, "b", "read-write");
	refuse_accesses(&target);
}

/* Each octet that must be zero, in both operations. */
static void zeros(struct test *test)
{
	static const uint16_t operations[] = { BEGIN, END };
	struct end *end = test_connect(test);
	struct target target;

	share(end, &target, HDMABUF_RIGHTS_READ_ONLY);
	for (size_t at = wire_offset(CPU_ACCESS_ZERO); at < WIRE_MESSAGE_OCTETS;
	     at++)
		for (size_t i = 0; i < 2; i++) {
			size_t field = at < wire_offset(CPU_ACCESS_ZERO1) ?
					       wire_offset(CPU_ACCESS_ZERO) :
					       wire_offset(CPU_ACCESS_ZERO1);
			message_t message, answer;
			what_t what;

			snprintf(what, sizeof(what),
				 "%s whose octet %zu is not zero",
				 wire_operation_name(operations[i]), at);
			access_message(&target, operations[i], 0, 1, READ,
				       message);
			message[at] = (uint8_t)(1u << at % 8);
			if (check_status(test, HDB_BOTH_002,
					 end_ask(end, message, answer),
					 HDMABUF_STATUS_RESERVED, "%s", what))
				check_where(test, answer, HDMABUF_WHERE_REQUEST,
					    field, what);
		}
	check_no_more(&target);
}

static void not_negotiated(struct test *test)
{
	static const uint16_t operations[] = { BEGIN, END };
	struct end *end = test_open(test);
	struct target target = { NULL, { 0 } };

	end->greeting.features = HDMABUF_FEATURES_ALL &
				 ~HDMABUF_FEATURE_CPU_ACCESS;
	end_greet(end);
	target.end = end;
	for (size_t i = 0; i < 2; i++) {
		message_t message;

		access_message(&target, operations[i], 0, 0, 0, message);
		wire_put(message, CPU_ACCESS_ZERO, 1);
		check_status(test, HDB_BOTH_019, end_ask(end, message, NULL),
			     HDMABUF_STATUS_NOT_NEGOTIATED,
			     "%s without that feature, whatever else is wrong",
			     wire_operation_name(operations[i]));
	}
}

/* ---- rights ----------------------------------------------------------------- */

/* The importer may not write what is read-only; the exporter may. */
static void read_only_is_not_written(struct test *test)
{
	static const uint32_t accesses[] = { WRITE, READ | WRITE };
	struct end *end = test_connect(test);
	struct target target;

	let_share(end, &target, "b", "read-only");
	for (size_t i = 0; i < COUNT_OF(accesses); i++) {
		message_t answer;

		if (check_status(
			    test, HDB_BOTH_038,
			    ask_access(&target, BEGIN, 0, SIZE, accesses[i],
				       answer),
			    HDMABUF_STATUS_DENIED,
			    "CPU_BEGIN with access %u, by the importer, of a buffer of right READ_ONLY",
			    accesses[i]))
			check_where(test, answer, HDMABUF_WHERE_REQUEST,
				    wire_offset(CPU_ACCESS_ACCESS),
				    "CPU_BEGIN");
	}
	check_no_more(&target);
	check_status(
		test, HDB_BOTH_038,
		ask_access(&target, BEGIN, SIZE, 1, WRITE, NULL),
		HDMABUF_STATUS_INVALID,
		"CPU_BEGIN, with access 2, of a range that does not exist");
	do_access(&target, BEGIN, 0);
	check_status(
		test, HDB_BOTH_038,
		ask_access(&target, END, 0, SIZE, WRITE, NULL),
		HDMABUF_STATUS_DENIED,
		"CPU_END with access 2, by the importer, of a buffer of right READ_ONLY");
	do_access(&target, END, 0);
}

static void accesses_are_denied(struct test *test)
{
	struct end *end = test_connect(test);
	struct target target;

	share(end, &target, HDMABUF_RIGHTS_READ_ONLY);
	control(test, "reject %u", HDMABUF_STATUS_DENIED);
	check_status(test, HDB_BOTH_037,
		     ask_access(&target, BEGIN, 0, 1, READ, NULL),
		     HDMABUF_STATUS_DENIED,
		     "CPU_BEGIN that the application does not want");
	check_no_more(&target);
	do_access(&target, BEGIN, 0);
	control(test, "reject %u", HDMABUF_STATUS_DENIED);
	check_status(test, HDB_BOTH_037,
		     ask_access(&target, END, 0, 1, READ, NULL),
		     HDMABUF_STATUS_DENIED,
		     "CPU_END that the application does not want");
	do_access(&target, END, 0);
	check_no_more(&target);
}

/* ---- accesses of the IUT ------------------------------------------------------ */

static struct received *tell_access(struct end *end, const char *command,
				    const char *name, const char *rest)
{
	uint16_t operation = strcmp(command, "cpu-end") ? BEGIN : END;
	struct received *request;

	control(end->test, "%s %s %s", command, name, rest);
	request = end_await_request(end, operation);
	if (!request)
		inconclusive(end->test, "the IUT does not send %s",
			     wire_operation_name(operation));
	return request;
}

static const struct {
	const char *rest;
	uint64_t offset, octets;
	uint32_t access;
} told[] = {
	{ "offset=0 octets=1 access=read", 0, 1, READ },
	{ "offset=17 octets=9983 access=write", 17, 9983, WRITE },
	{ "offset=9999 octets=1 access=both", 9999, 1, READ | WRITE },
};

/* As it was told, of its own buffer and of that of the suite. */
static void check_accesses(const struct target *target, const char *name)
{
	static const char *const commands[] = { "cpu-begin", "cpu-end" };
	struct end *end = target->end;

	for (size_t i = 0; i < COUNT_OF(told); i++)
		for (size_t j = 0; j < COUNT_OF(commands); j++) {
			const struct received *request = tell_access(
				end, commands[j], name, told[i].rest);
			message_t expected;

			access_message(target, j ? END : BEGIN, told[i].offset,
				       told[i].octets, told[i].access,
				       expected);
			check(end->test, HDB_BOTH_001,
			      wire_is_zero(request->octets +
						   wire_offset(CPU_ACCESS_ZERO),
					   WIRE_MESSAGE_OCTETS -
						   wire_offset(CPU_ACCESS_ZERO)),
			      "a zero field of %s is not zero", commands[j]);
			if (memcmp(request->octets + 8, expected + 8,
				   sizeof(message_t) - 8))
				inconclusive(
					end->test,
					"the IUT sends something else than it was told");
			catch_up(end);
		}
}

static void accesses_are_in_order(struct test *test)
{
	struct end *end = test_connect(test);
	struct target target;

	let_share(end, &target, "b", "read-write");
	check_accesses(&target, "b");
}

static void accesses_of_imports_are_in_order(struct test *test)
{
	struct end *end = test_connect(test);
	struct target target;
	char name[33];

	share(end, &target, HDMABUF_RIGHTS_READ_WRITE);
	for (size_t i = 0; i < 16; i++)
		sprintf(name + 2 * i, "%02x", target.id[i]);
	check_accesses(&target, name);
}

#define TAKEN (OPTION_CPU_ACCESS | OPTION_IMPORT)
#define TOLD  (OPTION_CPU_ACCESS | OPTION_CONTROL)

static const struct test_case cases[] = {
	TEST(not_negotiated,
	     "CPU_BEGIN and CPU_END are refused if the feature was not accepted",
	     OF_BOTH, 0, HDB_BOTH_019),
	TEST(accesses_of_the_exporter,
	     "Accesses of the exporter are noted and counted", OF_BOTH, TAKEN,
	     HDB_BOTH_038, HDB_BOTH_039),
	TEST(accesses_of_the_importer,
	     "Accesses of the importer are noted and counted", OF_BOTH, TOLD,
	     HDB_BOTH_038, HDB_BOTH_039),
	TEST(wrong_accesses_of_the_exporter,
	     "Accesses of the exporter outside the data are refused", OF_BOTH,
	     TAKEN, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039, HDB_BOTH_062),
	TEST(wrong_accesses_of_the_importer,
	     "Accesses of the importer outside the data are refused", OF_BOTH,
	     TOLD, HDB_BOTH_037, HDB_BOTH_038, HDB_BOTH_039, HDB_BOTH_062),
	TEST(zeros,
	     "CPU_BEGIN and CPU_END with a zero field that is not are refused",
	     OF_BOTH, TAKEN, HDB_BOTH_002, HDB_BOTH_038, HDB_BOTH_039),
	TEST(read_only_is_not_written,
	     "The importer does not write a buffer of right READ_ONLY", OF_BOTH,
	     TOLD, HDB_BOTH_038, HDB_BOTH_039),
	TEST(accesses_are_denied,
	     "An access that the application does not want does not count",
	     OF_BOTH, TAKEN | OPTION_CONTROL, HDB_BOTH_037, HDB_BOTH_038,
	     HDB_BOTH_039),
	TEST(accesses_are_in_order,
	     "CPU_BEGIN and CPU_END of the IUT's own buffers are in order",
	     OF_BOTH, TOLD, HDB_BOTH_001),
	TEST(accesses_of_imports_are_in_order,
	     "CPU_BEGIN and CPU_END of buffers that it imports are in order",
	     OF_BOTH, TOLD | OPTION_IMPORT, HDB_BOTH_001),
};

TEST_GROUP(cpu_access, cases);
