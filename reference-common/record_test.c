/* SPDX-License-Identifier: MIT */

#include "reference-common/record.h"
#include "tests/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t message[64] = { 1, 2, 3 };

static const struct hdmabuf_trace_event event = {
	.time = 1,
	.kind = HDMABUF_TRACE_REQUEST,
	.octets = message,
	.length = sizeof(message),
};

static void file_has_all_events(void **state)
{
	uint8_t expected[1024], found[1024];
	char path[] = "/tmp/record_test.XXXXXX";
	struct hdmabuf_trace_event longer = event;
	struct failure failure;
	struct record *record;
	size_t size = HDMABUF_TRACE_HEADING_OCTETS;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	/* What was in it is no more. */
	assert_int_equal(write(fd, found, sizeof(found)), sizeof(found));
	record = record_open(path, &failure);
	assert_non_null(record);
	assert_int_equal(record_add(record, &event, &failure), 0);
	longer.octets = found;
	longer.length = 300;
	memset(found, 7, sizeof(found));
	assert_int_equal(record_add(record, &longer, &failure), 0);
	hdmabuf_trace_heading(expected);
	size += hdmabuf_trace_packet(&event, expected + size,
				     sizeof(expected) - size);
	size += hdmabuf_trace_packet(&longer, expected + size,
				     sizeof(expected) - size);
	/* It is there before the record is closed. */
	assert_int_equal(pread(fd, found, sizeof(found), 0), size);
	assert_memory_equal(found, expected, size);
	record_close(record);
	record_close(NULL);
	close(fd);
	unlink(path);
}

static void file_that_cannot_be_made(void **state)
{
	struct failure failure;

	(void)state;
	assert_null(record_open("/nowhere/at/all", &failure));
	assert_non_null(strstr(failure.text, "/nowhere/at/all"));
	assert_null(record_open("/tmp", &failure));
	assert_non_null(strstr(failure.text, "/tmp: "));
}

static void file_that_takes_no_more(void **state)
{
	char folder[] = "/tmp/record_test.XXXXXX", path[64];
	struct failure failure;
	struct record *record;
	int reader;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	record = record_open(path, &failure);
	assert_non_null(record);
	assert_int_equal(record_add(record, &event, &failure), 0);
	close(reader);
	assert_int_equal(record_add(record, &event, &failure), -1);
	assert_non_null(strstr(failure.text, path));
	record_close(record);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_has_all_events),
		cmocka_unit_test(file_that_cannot_be_made),
		cmocka_unit_test(file_that_takes_no_more),
	};

	return hdmabuf_test_run("record", tests,
				sizeof(tests) / sizeof(tests[0]));
}
