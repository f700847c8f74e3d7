/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "reference-common/progress.h"
#include "reference-common/test_files.h"

#include <fcntl.h>

#define SECOND 1000000000u

static struct picture_format full_hd(void)
{
	struct picture_format format;
	struct failure failure;

	picture_format_init(&format, PICTURE_XRGB8888, 1920, 1080, &failure);
	return format;
}

static struct summary summary_of(const struct picture_format *format)
{
	return (struct summary){
		.role = "frontend",
		.format = format,
		.sessions = 1,
		.frames = 300,
		.octets = 2488320000,
		.notifications = 612,
		.nanoseconds = 5 * (uint64_t)SECOND,
	};
}

static void nothing_is_shown_but_on_a_terminal(void **state)
{
	FILE *stream = fopen("progress", "wb");
	struct progress progress;
	struct test_file file;

	(void)state;
	progress_start(&progress, stream, 0);
	progress_show(&progress, 1, 2, 3, SECOND);
	progress_clear(&progress);
	fclose(stream);
	file = read_file("progress");
	assert_int_equal(file.count, 0);
	free(file.octets);
}

/* What a terminal was sent since the last time. */
static void assert_sent(int terminal, const char *text)
{
	char sent[512];
	ssize_t count = read(terminal, sent, sizeof(sent) - 1);

	sent[count < 0 ? 0 : count] = '\0';
	assert_string_equal(sent, text);
}

static void line_is_rewritten_on_a_terminal(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	struct progress progress;
	FILE *stream;

	(void)state;
	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
		hdmabuf_test_skip("there are no pseudo-terminals");
	stream = fdopen(open(ptsname(terminal), O_RDWR | O_NOCTTY), "w");
	assert_non_null(stream);

	progress_start(&progress, stream, 10);
	progress_clear(&progress);
	assert_sent(terminal, "");
	progress_show(&progress, 30, 300, 248832000, 10 + SECOND / 2);
	assert_sent(terminal, "\r\033[K30 of 300 frames, 248.83 MB shared, "
			      "60.0 frames/s");
	/* Not again at once, and without the number nobody knows. */
	progress_show(&progress, 31, 0, 999, 10 + SECOND / 2 + SECOND / 20);
	assert_sent(terminal, "");
	progress_show(&progress, 60, 0, 999, 10 + SECOND);
	assert_sent(terminal, "\r\033[K60 frames, 999 B shared, 60.0 frames/s");
	progress_clear(&progress);
	assert_sent(terminal, "\r\033[K");
	progress_clear(&progress);
	assert_sent(terminal, "");

	fclose(stream);
	close(terminal);
}

static void assert_summary(const struct summary *summary, const char *text)
{
	struct test_file file;
	FILE *stream = fopen("summary", "wb");

	summary_print(summary, stream);
	fclose(stream);
	file = read_file("summary");
	file.octets[file.count] = '\0';
	assert_string_equal(file.octets, text);
	free(file.octets);
}

static void summary_is_one_line(void **state)
{
	struct picture_format format = full_hd();
	struct summary summary = summary_of(&format);

	(void)state;
	assert_summary(
		&summary,
		"frontend: 300 frames of 1920x1080 XR24, 2.49 GB shared, "
		"612 notifications, 5.00 s (60.0 frames/s)\n");
	summary.sessions = 2;
	summary.verified = true;
	summary.crc = 0xabcd;
	assert_summary(
		&summary,
		"frontend: 300 frames of 1920x1080 XR24, 2.49 GB shared, "
		"612 notifications, 5.00 s (60.0 frames/s), 2 sessions, "
		"crc32 0000abcd\n");
}

static void summary_of_nothing(void **state)
{
	struct summary summary = { .role = "backend" };

	(void)state;
	assert_summary(&summary, "backend: 0 frames, 0 B shared, "
				 "0 notifications, 0.00 s (0.0 frames/s)\n");
	summary.octets = UINT64_MAX;
	assert_summary(&summary, "backend: 0 frames, 18.45 EB shared, "
				 "0 notifications, 0.00 s (0.0 frames/s)\n");
}

static void clock_goes_on(void **state)
{
	uint64_t before = progress_now();

	(void)state;
	usleep(2000);
	assert_in_range(progress_now() - before, 2000000, 5 * (uint64_t)SECOND);
}

#ifdef HDMABUF_HAVE_JANSSON

#include <jansson.h>

static json_t *json_of(const struct summary *summary)
{
	struct failure failure;
	FILE *stream = fopen("json", "wb");
	struct test_file file;
	json_t *object;

	assert_int_equal(summary_print_json(summary, stream, &failure), 0);
	fclose(stream);
	file = read_file("json");
	assert_int_equal(file.octets[file.count - 1], '\n');
	assert_null(memchr(file.octets, '\n', file.count - 1));
	object = json_loadb((char *)file.octets, file.count, 0, NULL);
	assert_non_null(object);
	free(file.octets);
	return object;
}

static json_int_t number_in(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *string_in(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	assert_true(json_is_string(value));
	return json_string_value(value);
}

static void json_has_all_of_it(void **state)
{
	struct picture_format format = full_hd();
	struct summary summary = summary_of(&format);
	json_t *object;

	(void)state;
	assert_true(summary_has_json());
	summary.verified = true;
	summary.crc = 0xabcd;
	object = json_of(&summary);
	assert_string_equal(string_in(object, "role"), "frontend");
	assert_int_equal(number_in(object, "sessions"), 1);
	assert_int_equal(number_in(object, "frames"), 300);
	assert_int_equal(number_in(object, "octets"), 2488320000);
	assert_int_equal(number_in(object, "notifications"), 612);
	assert_true(json_number_value(json_object_get(object, "seconds")) ==
		    5.0);
	assert_int_equal(number_in(object, "width"), 1920);
	assert_int_equal(number_in(object, "height"), 1080);
	assert_string_equal(string_in(object, "fourcc"), "XR24");
	assert_string_equal(string_in(object, "crc32"), "0000abcd");
	json_decref(object);
}

static void json_leaves_out_what_is_not_known(void **state)
{
	struct summary summary = { .role = "backend" };
	json_t *object = json_of(&summary);

	(void)state;
	assert_null(json_object_get(object, "width"));
	assert_null(json_object_get(object, "crc32"));
	assert_int_equal(number_in(object, "frames"), 0);
	json_decref(object);
}

static void json_that_cannot_be_written_is_told(void **state)
{
	struct summary summary = { .role = "backend" };
	struct failure failure;
	FILE *stream = fopen("/dev/full", "wb");

	(void)state;
	assert_int_equal(summary_print_json(&summary, stream, &failure), -1);
	assert_says(failure.text, "cannot write");
	fclose(stream);
}

#else

static void json_says_that_it_was_built_without(void **state)
{
	struct summary summary = { .role = "backend" };
	struct failure failure;

	(void)state;
	assert_false(summary_has_json());
	assert_int_equal(summary_print_json(&summary, stdout, &failure), -1);
	assert_says(failure.text, "built without jansson");
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(nothing_is_shown_but_on_a_terminal),
		cmocka_unit_test(line_is_rewritten_on_a_terminal),
		folder_test(summary_is_one_line),
		folder_test(summary_of_nothing),
		cmocka_unit_test(clock_goes_on),
#ifdef HDMABUF_HAVE_JANSSON
		folder_test(json_has_all_of_it),
		folder_test(json_leaves_out_what_is_not_known),
		cmocka_unit_test(json_that_cannot_be_written_is_told),
#else
		cmocka_unit_test(json_says_that_it_was_built_without),
#endif
	};

	return hdmabuf_test_run("progress", tests,
				sizeof(tests) / sizeof(tests[0]));
}
