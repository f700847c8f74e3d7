/* SPDX-License-Identifier: MIT */
#include "conformance/checker/trace_reader.h"
#include "conformance/checker/judge_trace.h"
#include "conformance/model/wire.h"
#include "tests/harness.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A file in memory, that is written and then read. */
struct file {
	uint8_t octets[200000];
	size_t size;
};

static struct file *file_new(void)
{
	struct file *file = calloc(1, sizeof(*file));

	assert_non_null(file);
	hdmabuf_trace_heading(file->octets);
	file->size = HDMABUF_TRACE_HEADING_OCTETS;
	return file;
}

static void add(struct file *file, const struct hdmabuf_trace_event *event)
{
	file->size += hdmabuf_trace_packet(event, file->octets + file->size,
					   sizeof(file->octets) - file->size);
	assert_true(file->size < sizeof(file->octets));
}

static const uint8_t message[WIRE_MESSAGE_OCTETS] = { 7 };

static const struct hdmabuf_trace_event request = {
	.time = 1700000000123456789,
	.kind = HDMABUF_TRACE_REQUEST,
	.sender = HDMABUF_FRONTEND,
	.observer = HDMABUF_BACKEND,
	.link = 5,
	.octets = message,
	.length = sizeof(message),
};

/* Calls @look for each event; returns what comes after the last one. */
static enum trace_next read_all(const struct file *file,
				struct hdmabuf_trace_event *last, size_t *count,
				char error[TRACE_ERROR_TEXT])
{
	FILE *stream = fmemopen((void *)file->octets, file->size, "rb");
	struct trace_reader *reader;
	enum trace_next next;

	assert_non_null(stream);
	reader = trace_reader_new(stream);
	assert_non_null(reader);
	*count = 0;
	error[0] = '\0';
	while ((next = trace_reader_next(reader, last, error)) == TRACE_EVENT)
		++*count;
	trace_reader_free(reader);
	fclose(stream);
	return next;
}

static void expect_events(const struct file *file, size_t expected)
{
	struct hdmabuf_trace_event last;
	char error[TRACE_ERROR_TEXT];
	size_t count;

	assert_int_equal(read_all(file, &last, &count, error), TRACE_END);
	assert_int_equal(count, expected);
}

/* After @events, damage at the octet @at, whose text has @words. */
static void expect_damage(const struct file *file, size_t events, size_t at,
			  const char *words)
{
	struct hdmabuf_trace_event last;
	char error[TRACE_ERROR_TEXT], place[40];
	size_t count;

	assert_int_equal(read_all(file, &last, &count, error), TRACE_DAMAGED);
	assert_int_equal(count, events);
	snprintf(place, sizeof(place), "at octet %zu: ", at);
	if (strncmp(error, place, strlen(place)) || !strstr(error, words))
		print_error("%s\n", error);
	assert_int_equal(strncmp(error, place, strlen(place)), 0);
	assert_non_null(strstr(error, words));
	assert_null(strchr(error, '\n'));
}

static void put_32(uint8_t *at, uint32_t number)
{
	wire_put(at, WIRE_PLACE(0, 4), number);
}

/* A block of any type, with a body of @octets octets. */
static uint8_t *add_block(struct file *file, uint32_t type, size_t octets)
{
	uint8_t *block = file->octets + file->size;

	put_32(block, type);
	put_32(block + 4, (uint32_t)octets + 12);
	put_32(block + 8 + octets, (uint32_t)octets + 12);
	file->size += octets + 12;
	return block + 8;
}

/* ---- What is right ------------------------------------------------------ */

static void events_are_as_they_were_written(void **state)
{
	struct file *file = file_new();
	struct hdmabuf_trace_event last;
	char error[TRACE_ERROR_TEXT];
	FILE *stream;
	struct trace_reader *reader;

	(void)state;
	add(file, &request);
	stream = fmemopen(file->octets, file->size, "rb");
	assert_non_null(stream);
	reader = trace_reader_new(stream);
	assert_int_equal(trace_reader_next(reader, &last, error), TRACE_EVENT);
	assert_int_equal(trace_reader_packet(reader), 1);
	assert_true(last.time == request.time);
	assert_int_equal(last.kind, request.kind);
	assert_int_equal(last.sender, request.sender);
	assert_int_equal(last.observer, request.observer);
	assert_int_equal(last.link, request.link);
	assert_int_equal(last.length, sizeof(message));
	assert_memory_equal(last.octets, message, sizeof(message));
	assert_int_equal(trace_reader_next(reader, &last, error), TRACE_END);
	assert_int_equal(trace_reader_next(reader, &last, error), TRACE_END);
	trace_reader_free(reader);
	fclose(stream);
	free(file);
}

static void longest_event_is_read(void **state)
{
	struct hdmabuf_trace_event event = request;
	struct file *file = file_new();

	(void)state;
	event.kind = HDMABUF_TRACE_DESCRIPTOR;
	event.length = HDMABUF_TRACE_OCTETS_MAX;
	event.octets = calloc(1, event.length);
	add(file, &event);
	event.kind = HDMABUF_TRACE_DOWN;
	event.length = 0;
	add(file, &event);
	expect_events(file, 2);
	free((void *)event.octets);
	free(file);
}

/* Wireshark and its tools add some of these. */
static void other_blocks_are_passed_over(void **state)
{
	struct file *file = file_new();
	uint8_t *packet;

	(void)state;
	add_block(file, 4, 64);	 /* names of hosts */
	add_block(file, 5, 100); /* statistics */
	add_block(file, 0xbad, 100000);
	add_block(file, 3, 16); /* a simple packet */
	/* A packet of another interface */
	add_block(file, 1, 8)[0] = 1;
	packet = add_block(file, 6, 20 + 4);
	put_32(packet, 1);
	put_32(packet + 12, 3);
	put_32(packet + 16, 1500);
	add(file, &request);
	expect_events(file, 1);
	free(file);
}

static void options_are_passed_over(void **state)
{
	struct file *file = file_new();
	uint8_t *packet;

	(void)state;
	packet = add_block(file, 6, 20 + 12 + 12);
	put_32(packet + 12, 10);
	put_32(packet + 16, 10);
	packet[20] = HDMABUF_TRACE_VERSION;
	packet[21] = HDMABUF_TRACE_DOWN;
	packet[32] = 1; /* a comment */
	packet[34] = 4;
	expect_events(file, 1);
	free(file);
}

static void reverse(uint8_t *at, size_t octets)
{
	for (size_t i = 0; i < octets / 2; i++) {
		uint8_t octet = at[i];

		at[i] = at[octets - 1 - i];
		at[octets - 1 - i] = octet;
	}
}

/* What a machine of the other byte order writes, but for the packets themselves. */
static void big_endian_sections_are_read(void **state)
{
	static const struct {
		size_t at, octets;
	} numbers[] = {
		/* section */
		{ 0, 4 },
		{ 4, 4 },
		{ 8, 4 },
		{ 12, 2 },
		{ 14, 2 },
		{ 24, 4 },
		/* interface and its options */
		{ 28, 4 },
		{ 32, 4 },
		{ 36, 2 },
		{ 40, 4 },
		{ 44, 2 },
		{ 46, 2 },
		{ 56, 2 },
		{ 58, 2 },
		{ 68, 4 },
		/* packet */
		{ 72, 4 },
		{ 76, 4 },
		{ 80, 4 },
		{ 84, 4 },
		{ 88, 4 },
		{ 92, 4 },
		{ 96, 4 },
		{ 172, 4 },
	};
	struct file *file = file_new();
	struct hdmabuf_trace_event last = { 0 };
	char error[TRACE_ERROR_TEXT];
	size_t count;

	(void)state;
	add(file, &request);
	for (size_t i = 0; i < COUNT(numbers); i++)
		reverse(file->octets + numbers[i].at, numbers[i].octets);
	assert_int_equal(read_all(file, &last, &count, error), TRACE_END);
	assert_int_equal(count, 1);
	assert_true(last.time == request.time);
	assert_int_equal(last.link, request.link);
	free(file);
}

static void times_have_a_resolution(void **state)
{
	static const struct {
		uint8_t resolution;
		uint64_t time, nanoseconds;
	} cases[] = {
		{ 9, 123456789, 123456789 },
		{ 6, 1700000000123456, 1700000000123456000 },
		{ 0, 17, 17000000000 },
		{ 19, 10000000000000000000u, 1000000000 },
		{ 0x80 | 10, 1024 + 512, 1500000000 },
		{ 0x80 | 63, UINT64_C(1) << 62, 500000000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct hdmabuf_trace_event event = request, last = { 0 };
		struct file *file = file_new();
		char error[TRACE_ERROR_TEXT];
		size_t count;

		file->octets[60] = cases[i].resolution;
		event.time = cases[i].time;
		add(file, &event);
		assert_int_equal(read_all(file, &last, &count, error),
				 TRACE_END);
		assert_true(last.time == cases[i].nanoseconds);
		free(file);
	}
}

static void sections_follow_each_other(void **state)
{
	struct file *file = file_new();
	struct file *other = file_new();

	(void)state;
	add(file, &request);
	add(other, &request);
	memcpy(file->octets + file->size, other->octets, other->size);
	file->size += other->size;
	expect_events(file, 2);
	free(file);
	free(other);
}

/* ---- Damage ------------------------------------------------------------- */

static void what_is_no_trace(void **state)
{
	struct file *file = file_new();

	(void)state;
	assert_int_equal(judge_trace("/dev/null", stdout), EX_DATAERR);
	file->size = 1;
	expect_damage(file, 0, 0, "ends within the block");
	memcpy(file->octets, "\x89PNG\r\n\x1a\n", 8);
	file->size = 8;
	expect_damage(file, 0, 0, "no pcapng file");
	put_32(file->octets, 0x0a0d0d0a);
	put_32(file->octets + 8, 0x12345678);
	file->size = 72;
	expect_damage(file, 0, 0, "magic");
	free(file);
}

static void file_that_ends_too_early(void **state)
{
	struct file *file = file_new();
	size_t whole;

	(void)state;
	add(file, &request);
	whole = file->size;
	for (file->size = 1; file->size < whole; file->size++) {
		size_t at = file->size < 28 ? 0 : file->size < 72 ? 28 : 72;

		if (file->size != 28 && file->size != 72)
			expect_damage(file, 0, at, "ends within the block");
	}
	free(file);
}

static void blocks_of_impossible_lengths(void **state)
{
	static const uint32_t lengths[] = { 0, 4, 8, 11, 13, 111 };
	struct file *file = file_new();

	(void)state;
	add(file, &request);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		put_32(file->octets + 76, lengths[i]);
		expect_damage(file, 0, 72, "a block cannot have");
	}
	put_32(file->octets + 76, 0xfffffffc);
	expect_damage(file, 0, 72, "cannot have");
	put_32(file->octets + 76, 16);
	expect_damage(file, 0, 72, "cannot have");
	put_32(file->octets + 76, 104);
	put_32(file->octets + 172, 100);
	expect_damage(file, 0, 72, "says at its end");
	/* Of a type that is passed over, it is the end of the file that tells. */
	put_32(file->octets + 72, 0xbad);
	put_32(file->octets + 76, 0xfffffffc);
	expect_damage(file, 0, 72, "ends within the block");
	free(file);
}

static void packets_that_cannot_be(void **state)
{
	static const struct {
		size_t at;
		uint32_t number;
		const char *words;
	} cases[] = {
		{ 80, 1, "no interface 1" },
		{ 92, 73, "is cut off" },
		{ 92, 0xffffffff, "is cut off" },
		{ 92, 7, "only 7 of 72" },
		{ 96, 73, "only 72 of 73" },
		{ 100, 2, "version 2" },
		{ 100, 0x00020301, "there is no end 2" },
		{ 100, 0x09000301, "there is no end 9" },
		{ 100, 0x00000501, "kind 5 cannot have 64" },
		{ 100, 0x00000601, "kind 6 cannot have 64" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct file *file = file_new();

		add(file, &request);
		put_32(file->octets + cases[i].at, cases[i].number);
		expect_damage(file, 0, 72, cases[i].words);
		free(file);
	}
}

static void interfaces_that_cannot_be(void **state)
{
	struct file *file = file_new();

	(void)state;
	file->octets[60] = 20;
	expect_damage(file, 0, 28, "time resolution 0x14");
	file->octets[60] = 0xc0;
	expect_damage(file, 0, 28, "time resolution 0xc0");
	file->octets[60] = 9;
	file->octets[46] = 200;
	expect_damage(file, 0, 28, "an option is cut off");
	file->octets[46] = 7;
	for (int i = 1; i < 256; i++)
		add_block(file, 1, 8);
	expect_events(file, 0);
	add_block(file, 1, 8);
	expect_damage(file, 0, 72 + 255 * 20, "more than 256 interfaces");
	free(file);
}

/* Every octet of a file, damaged in some ways: it is read or refused. */
static void any_damage_does_no_harm(void **state)
{
	struct file *file = file_new();

	(void)state;
	add(file, &request);
	add(file, &request);
	for (size_t at = 0; at < file->size; at++) {
		static const uint8_t changes[] = { 1, 0x80, 0xff, 0x0f };
		uint8_t was = file->octets[at];

		for (size_t i = 0; i < COUNT(changes); i++) {
			struct hdmabuf_trace_event last;
			char error[TRACE_ERROR_TEXT];
			size_t count;

			file->octets[at] = was ^ changes[i];
			read_all(file, &last, &count, error);
			assert_true(count <= 2);
		}
		file->octets[at] = was;
	}
	free(file);
}

/* ---- --trace ------------------------------------------------------------ */

/* Judges @file; what is written goes to @text. */
static int judge(const struct file *file, char *text, size_t size)
{
	char path[] = "/tmp/trace_reader_test.XXXXXX";
	FILE *out = fmemopen(text, size, "w");
	int fd = mkstemp(path);
	int status;

	assert_non_null(out);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file->octets, file->size), file->size);
	close(fd);
	status = judge_trace(path, out);
	fclose(out);
	unlink(path);
	return status;
}

static void trace_is_judged(void **state)
{
	struct file *file = file_new();
	struct hdmabuf_trace_event event = request;
	char text[4096] = "";
	uint8_t hello[WIRE_MESSAGE_OCTETS] = { 0 };

	(void)state;
	wire_put(hello, HEADER_OPERATION, HDMABUF_OP_HELLO);
	wire_put(hello, HELLO_MAX_IN_FLIGHT, 1);
	event.octets = hello;
	add(file, &event);
	assert_int_equal(judge(file, text, sizeof(text)), EX_OK);
	assert_string_equal(text, "1 events: 0 failures, 0 warnings\n");
	event.sender = HDMABUF_BACKEND;
	add(file, &event);
	assert_int_equal(judge(file, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "FAIL HDB-FE-009 backend, link 5, "
				     "packet 2: HELLO"));
	assert_non_null(strstr(text, "\n2 events: 1 failures, 0 warnings\n"));
	free(file);
}

static void trace_that_cannot_be_judged(void **state)
{
	struct file *file = file_new();
	char text[4096] = "";

	(void)state;
	assert_int_equal(judge(file, text, sizeof(text)), EX_DATAERR);
	add(file, &request);
	file->size--;
	assert_int_equal(judge(file, text, sizeof(text)), EX_DATAERR);
	assert_int_equal(judge_trace("/nowhere/at/all", stdout), EX_NOINPUT);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_as_they_were_written),
		cmocka_unit_test(longest_event_is_read),
		cmocka_unit_test(other_blocks_are_passed_over),
		cmocka_unit_test(options_are_passed_over),
		cmocka_unit_test(big_endian_sections_are_read),
		cmocka_unit_test(times_have_a_resolution),
		cmocka_unit_test(sections_follow_each_other),
		cmocka_unit_test(what_is_no_trace),
		cmocka_unit_test(file_that_ends_too_early),
		cmocka_unit_test(blocks_of_impossible_lengths),
		cmocka_unit_test(packets_that_cannot_be),
		cmocka_unit_test(interfaces_that_cannot_be),
		cmocka_unit_test(any_damage_does_no_harm),
		cmocka_unit_test(trace_is_judged),
		cmocka_unit_test(trace_that_cannot_be_judged),
	};

	return hdmabuf_test_run("trace_reader", tests, COUNT(tests));
}
