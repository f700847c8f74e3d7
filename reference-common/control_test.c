/* SPDX-License-Identifier: MIT */
/*
 * The control part: programs that are told what to do, against each other. Every
 * command is given at least once, in each role, and what comes of it is looked for.
 */

#define _GNU_SOURCE /* prlimit */

#include "reference-common/control_lines.h"
#include "reference-common/control_words.h"
#include "reference-common/crc32.h"
#include "reference-common/options.h"
#include "reference-common/peer.h"
#include "reference-common/test_files.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define SECONDS	   8
#define LINE_SIZE  256
#define EVENTS_MAX 1024

/* ---- A program, told by lines -------------------------------------------- */

/* What it has answered is taken at once, events when they are asked for. */
struct program {
	pid_t pid;
	int in;
	int out;
	struct lines lines;
	char answer[LINE_SIZE];
	bool answered;
	char events[EVENTS_MAX][LINE_SIZE];
	unsigned int count;
};

static void be_program(enum hdmabuf_role role, const int in[2],
		       const int out[2])
{
	char *argv[] = { "program", "--control", NULL };
	struct options options;
	int status;

	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	/* Among them the ends of other programs' pipes. */
	for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
		close(fd);
	if (!freopen("stderr", "a", stderr))
		_exit(EX_OSERR);
	setenv("HDMABUF_ENDPOINT", "local:socket", 1);
	if (options_parse(&options, role, 2, argv, &status))
		status = peer_run(&options);
	fflush(NULL);
	_exit(status);
}

static void start(struct program *program, enum hdmabuf_role role)
{
	int in[2], out[2];

	*program = (struct program){ 0 };
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	program->pid = fork();
	assert_int_not_equal(program->pid, -1);
	if (!program->pid)
		be_program(role, in, out);
	close(in[0]);
	close(out[1]);
	program->in = in[1];
	program->out = out[0];
}

static void note_line(struct program *program, const char *line)
{
	assert_true(strlen(line) < LINE_SIZE);
	if (strncmp(line, "event ", 6)) {
		assert_false(program->answered);
		program->answered = true;
		strcpy(program->answer, line);
		return;
	}
	assert_true(program->count < EVENTS_MAX);
	strcpy(program->events[program->count++], line + 6);
}

/* Waits a little for something; false when there will be nothing more. */
static bool listen_to(struct program *program)
{
	struct pollfd fd = { program->out, POLLIN, 0 };
	char *line;

	poll(&fd, 1, 10);
	lines_read(&program->lines, program->out);
	while ((line = lines_next(&program->lines)))
		note_line(program, line);
	return !program->lines.ended;
}

static uint64_t deadline(void)
{
	return progress_now() + SECONDS * 1000000000ull;
}

static void tell(struct program *program, const char *command)
{
	size_t count = strlen(command);

	assert_int_equal(write(program->in, command, count), count);
	assert_int_equal(write(program->in, "\n", 1), 1);
}

/* What a command is answered with. */
static const char *ask(struct program *program, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static const char *ask(struct program *program, const char *format, ...)
{
	uint64_t limit = deadline();
	char command[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	tell(program, command);
	while (!program->answered) {
		if (progress_now() > limit || !listen_to(program))
			fail_msg("no answer to: %s", command);
	}
	program->answered = false;
	return program->answer;
}

#define say(program, ...) assert_string_equal(ask(program, __VA_ARGS__), "ok")
#define refused(program, ...) \
	assert_memory_equal(ask(program, __VA_ARGS__), "no ", 3)
#define unsupported(program, ...) \
	assert_string_equal(ask(program, __VA_ARGS__), "unsupported")

/* The first event that begins so, if there is one; it is taken. */
static bool take_event(struct program *program, const char *beginning,
		       char event[LINE_SIZE])
{
	size_t length = strlen(beginning);

	for (unsigned int i = 0; i < program->count; i++) {
		if (strncmp(program->events[i], beginning, length))
			continue;
		strcpy(event, program->events[i]);
		program->count--;
		memmove(program->events[i], program->events[i + 1],
			(program->count - i) * LINE_SIZE);
		return true;
	}
	return false;
}

/* What follows the beginning of an event that comes, now or soon. */
static const char *wait_event(struct program *program, const char *beginning,
			      char event[LINE_SIZE])
{
	uint64_t limit = deadline();

	while (!take_event(program, beginning, event))
		if (progress_now() > limit || !listen_to(program))
			fail_msg("waited in vain: event %s", beginning);
	return event + strlen(beginning);
}

/* An event that comes, now or soon, and is exactly that. */
static void expect(struct program *program, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void expect(struct program *program, const char *format, ...)
{
	char event[LINE_SIZE], wanted[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(wanted, sizeof(wanted), format, arguments);
	va_end(arguments);
	wait_event(program, wanted, event);
	assert_string_equal(event, wanted);
}

static void expect_turn(struct program *program, const char *id,
			unsigned int stamp, uint32_t crc)
{
	expect(program, "turn %s stamp=%u crc=%08x", id, stamp, crc);
}

/* The other end has taken everything that was sent before. */
static void settle(struct program *program)
{
	char hex[2 * 56 + 1];

	memset(hex, 'e', sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	say(program, "echo %s", hex);
	expect(program, "echoed %s 0", hex);
}

/* What was done before the second answer has been told before it. */
static void expect_none(struct program *program, const char *beginning)
{
	char event[LINE_SIZE];

	unsupported(program, "nothing");
	unsupported(program, "nothing");
	if (take_event(program, beginning, event))
		fail_msg("there should be no event %s", event);
}

static int wait_status(struct program *program)
{
	int status;

	while (listen_to(program))
		;
	assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
	close(program->out);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void stop(struct program *program)
{
	close(program->in);
	assert_int_equal(wait_status(program), 0);
}

/* ---- Two of them --------------------------------------------------------- */

struct ends {
	struct program front;
	struct program back;
};

static struct ends *begin(void)
{
	struct ends *ends = malloc(sizeof(*ends));

	assert_non_null(ends);
	start(&ends->back, HDMABUF_BACKEND);
	start(&ends->front, HDMABUF_FRONTEND);
	expect(&ends->front, "connected");
	expect(&ends->back, "connected");
	return ends;
}

static void end(struct ends *ends)
{
	stop(&ends->front);
	stop(&ends->back);
	free(ends);
}

/* Exports a buffer; @id is what the other end calls it. */
static void share(struct program *from, struct program *to, const char *what,
		  char id[LINE_SIZE])
{
	char event[LINE_SIZE];

	say(from, "export %s", what);
	snprintf(event, sizeof(event), "exported %.*s 0",
		 (int)strcspn(what, " "), what);
	expect(from, "%s", event);
	strcpy(id, wait_event(to, "imported ", event));
	assert_int_equal(strlen(id), 32);
}

/* Of the pattern. */
static uint32_t crc_of_pattern(uint64_t size)
{
	struct crc32_table table;
	uint32_t crc = 0;

	crc32_table_init(&table);
	for (uint64_t i = 0; i < size; i++) {
		uint8_t octet = (uint8_t)((i + i / 256 * 7) % 256);

		crc = crc32_continue(&table, crc, &octet, 1);
	}
	return crc;
}

/* Of data that is all the same. */
static uint32_t crc_of_octet(uint8_t octet, uint64_t size)
{
	struct crc32_table table;
	uint32_t crc = 0;

	crc32_table_init(&table);
	for (uint64_t i = 0; i < size; i++)
		crc = crc32_continue(&table, crc, &octet, 1);
	return crc;
}

/* ---- Sharing ------------------------------------------------------------- */

static void buffers_of_every_kind_arrive(void **state)
{
	static const struct {
		unsigned int size;
		const char *options;
	} kinds[] = {
		{ 1, "" },
		{ 4096, " rights=read-write directory=list" },
		{ 4200000, " directory=table" },
		{ 5000, " offset=4095 directory=extents tag=7 private=1024" },
		{ 12000, " type=picture rights=read-only" },
		{ 12000, " type=cyclic offset=1" },
		{ 300, " attributes=write-combined type=raw" },
		{ 300,
		  " attributes=cached private=0 tag=18446744073709551615" },
	};
	struct ends *ends = begin();
	char what[LINE_SIZE], id[LINE_SIZE];

	(void)state;
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct program *from = i % 2 ? &ends->back : &ends->front;
		struct program *to = i % 2 ? &ends->front : &ends->back;

		snprintf(what, sizeof(what), "b-%u size=%u%s", i, kinds[i].size,
			 kinds[i].options);
		share(from, to, what, id);
		say(from, "hand-off b-%u stamp=%u", i, i + 5);
		expect_turn(to, id, i + 5, crc_of_pattern(kinds[i].size));
		say(from, "unexport b-%u", i);
		expect(to, "retire %s", id);
		expect(from, "released b-%u", i);
	}
	end(ends);
}

static void buffers_that_cannot_be_are_not(void **state)
{
	static const char *const wrong[] = {
		"export a_b size=1",
		"export  size=1",
		"export A",
		"export A size=0",
		"export A size=x",
		"export A size=18446744073709551616",
		"export A size=1073741825",
		"export A size=1 offset=4096",
		"export A size=1 private=2049",
		"export A size=3 type=picture",
		"export A size=5 type=cyclic",
		"export A size=18446744073709551615 offset=4095",
	};
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused(&ends->front, "%s", wrong[i]);
	unsupported(&ends->front, "export A size=1 colour=red");
	unsupported(&ends->front, "export A size=1 rights=all");
	unsupported(&ends->front, "export A size=1 size=1");
	share(&ends->front, &ends->back, "A size=1", id);
	refused(&ends->front, "export A size=1");
	settle(&ends->front);
	expect_none(&ends->back, "imported");
	end(ends);
}

static void updates_are_answered(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	share(&ends->front, &ends->back, "A size=10 tag=3 private=20", id);
	say(&ends->front, "update A tag=4");
	expect(&ends->front, "updated A 0");
	say(&ends->front, "update A private=2048");
	expect(&ends->front, "updated A 0");
	refused(&ends->front, "update A private=2049");
	refused(&ends->front, "update B tag=1");
	refused(&ends->back, "update %s tag=1", id);
	say(&ends->front, "query A");
	expect(&ends->front, "queried A 0");
	say(&ends->back, "query %s", id);
	expect(&ends->back, "queried %s 0", id);
	end(ends);
}

static void what_is_rejected_has_that_status(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	say(&ends->back, "reject 13");
	say(&ends->front, "export A size=10");
	expect(&ends->front, "exported A 13");
	expect(&ends->front, "released A");
	settle(&ends->front);
	expect_none(&ends->back, "imported");
	share(&ends->front, &ends->back, "A size=10", id);
	say(&ends->back, "reject 12");
	say(&ends->front, "update A tag=1");
	expect(&ends->front, "updated A 12");
	say(&ends->front, "update A tag=1");
	expect(&ends->front, "updated A 0");
	say(&ends->back, "reject 14");
	say(&ends->front, "allocate size=10");
	expect(&ends->front, "allocated - 14");
	/* Nothing tells of these two but that the next one is accepted. */
	say(&ends->back, "reject 16");
	say(&ends->front, "cpu-begin A offset=0 octets=10 access=read");
	settle(&ends->front);
	say(&ends->front, "update A tag=2");
	expect(&ends->front, "updated A 0");
	/* What is wrong by itself does not use it up. */
	say(&ends->back, "reject 13");
	say(&ends->front, "allocate rights=read-only");
	expect(&ends->front, "allocated - 8");
	say(&ends->front, "update A tag=3");
	expect(&ends->front, "updated A 13");
	end(ends);
}

static void access_by_processor(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	share(&ends->back, &ends->front, "A size=10 rights=read-write", id);
	say(&ends->back, "cpu-begin A offset=0 octets=10 access=both");
	say(&ends->back, "cpu-end A offset=0 octets=10 access=both");
	say(&ends->front, "cpu-begin %s offset=1 octets=2 access=write", id);
	say(&ends->front, "cpu-end %s octets=2 access=read offset=1", id);
	refused(&ends->front, "cpu-begin %s octets=2", id);
	refused(&ends->front, "cpu-end B offset=0 octets=1");
	unsupported(&ends->front, "cpu-end B offset=0 octets=1 access=all");
	settle(&ends->back);
	end(ends);
}

static void buffers_are_allocated_on_request(void **state)
{
	struct ends *ends = begin();
	char event[LINE_SIZE], id[LINE_SIZE];

	(void)state;
	say(&ends->front, "allocate size=5000 tag=9 rights=read-write");
	strcpy(event, wait_event(&ends->front, "allocated ", id));
	snprintf(id, sizeof(id), "%.32s", event);
	assert_string_equal(event + 32, " 0");
	expect(&ends->front, "imported %s", id);
	expect(&ends->back, "exported %s 0", id);
	say(&ends->front, "map %s", id);
	say(&ends->front, "fill %s 7", id);
	say(&ends->front, "hand-off %s stamp=1", id);
	expect_turn(&ends->back, id, 1, crc_of_octet(7, 5000));
	say(&ends->back, "fill %s 8", id);
	say(&ends->back, "hand-off %s stamp=2", id);
	expect_turn(&ends->front, id, 2, crc_of_octet(8, 5000));
	say(&ends->front, "release %s", id);
	expect(&ends->back, "released %s", id);

	/* XR24, 10x2, in rows of 64 octets. */
	say(&ends->back, "allocate width=10 height=2 fourcc=875713112");
	snprintf(id, sizeof(id), "%.32s",
		 wait_event(&ends->back, "allocated ", event));
	expect(&ends->front, "exported %s 0", id);
	say(&ends->front, "hand-off %s", id);
	expect_turn(&ends->back, id, 0, crc_of_octet(0, 128));
	say(&ends->back, "allocate width=10 height=2 fourcc=1");
	expect(&ends->back, "allocated - 12");
	say(&ends->back, "allocate width=10");
	expect(&ends->back, "allocated - 8");
	say(&ends->back, "allocate size=2000000000");
	expect(&ends->back, "allocated - 10");
	end(ends);
}

/* ---- Handing off --------------------------------------------------------- */

/* Timelines of the frontend: it signals "w", the backend "s". */
static void make_timelines(struct ends *ends)
{
	say(&ends->front, "timeline w signaller=creator");
	say(&ends->front, "timeline s signaller=peer point=0");
}

static void hand_offs_wait_for_their_points(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	share(&ends->front, &ends->back, "A size=100", id);
	make_timelines(ends);
	say(&ends->front, "hand-off A wait=w@1 signal=s@1 stamp=1");
	say(&ends->front, "hand-off A wait=w@3 signal=s@2 stamp=2");
	say(&ends->front, "hand-off A signal=s@3 stamp=3");
	settle(&ends->front);
	expect_none(&ends->back, "turn");
	say(&ends->front, "fill A 1");
	say(&ends->front, "signal w 1");
	say(&ends->front, "wait s 1");
	expect(&ends->front, "reached s 1 0");
	expect_turn(&ends->back, id, 1, crc_of_octet(1, 100));
	settle(&ends->front);
	expect_none(&ends->back, "turn");
	say(&ends->front, "wait s 3");
	say(&ends->front, "signal w 4");
	expect(&ends->front, "reached s 3 0");
	expect_turn(&ends->back, id, 2, crc_of_octet(1, 100));
	expect_turn(&ends->back, id, 3, crc_of_octet(1, 100));
	refused(&ends->front, "hand-off A signal=s@3");
	refused(&ends->front, "hand-off A signal=x@4");
	refused(&ends->front, "hand-off A signal=w@9");
	refused(&ends->front, "hand-off A wait=w");
	refused(&ends->front, "hand-off A wait=w@");
	refused(&ends->front, "hand-off B");
	unsupported(&ends->front, "hand-off A less");
	end(ends);
}

/* The one that waits is passed over by what has nothing to do with it. */
static void hand_offs_pass_over_others(void **state)
{
	struct ends *ends = begin();
	char a[LINE_SIZE], b[LINE_SIZE];

	(void)state;
	share(&ends->front, &ends->back, "A size=100", a);
	share(&ends->front, &ends->back, "B size=100", b);
	make_timelines(ends);
	say(&ends->front, "timeline t signaller=peer");
	say(&ends->front, "hand-off A wait=w@1 signal=s@1 stamp=1");
	say(&ends->front, "hand-off B signal=s@2 stamp=2");
	say(&ends->front, "hand-off A stamp=3");
	say(&ends->front, "hand-off B stamp=4");
	settle(&ends->front);
	expect_none(&ends->back, "turn");
	say(&ends->front, "unexport B");
	expect(&ends->back, "retire %s", b);
	share(&ends->front, &ends->back, "C size=100", b);
	say(&ends->front, "hand-off C signal=t@1 stamp=5");
	say(&ends->front, "wait t 1");
	expect(&ends->front, "reached t 1 0");
	expect_turn(&ends->back, b, 5, crc_of_pattern(100));
	say(&ends->front, "signal w 1");
	expect_turn(&ends->back, a, 1, crc_of_pattern(100));
	expect_turn(&ends->back, a, 3, crc_of_pattern(100));
	say(&ends->front, "wait s 2");
	expect(&ends->front, "reached s 2 0");
	end(ends);
}

/* HDB-BOTH-065 */
static void waits_that_fail_are_signalled(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	share(&ends->front, &ends->back, "A size=100", id);
	make_timelines(ends);
	say(&ends->front, "hand-off A wait=w@1 signal=s@1 stamp=1");
	say(&ends->front, "hand-off A signal=s@2 stamp=2");
	say(&ends->front, "fail w 22");
	refused(&ends->front, "fail w 22");
	refused(&ends->front, "signal w 1");
	say(&ends->front, "wait s 2");
	expect(&ends->front, "reached s 2 0");
	expect(&ends->back, "turn %s stamp=1 status=22", id);
	expect_turn(&ends->back, id, 2, crc_of_pattern(100));
	/* A timeline that is destroyed ends its waits, too. */
	say(&ends->front, "timeline v signaller=creator");
	say(&ends->front, "hand-off A wait=v@1 signal=s@3 stamp=3");
	say(&ends->front, "destroy v");
	refused(&ends->front, "destroy v");
	say(&ends->front, "wait s 3");
	expect(&ends->front, "reached s 3 0");
	expect(&ends->back, "turn %s stamp=3 status=20", id);
	end(ends);
}

/* HDB-BOTH-065, mapped or not, kept or not. */
static void unexported_while_it_waits(void **state)
{
	struct ends *ends = begin();
	unsigned int point = 0;
	char id[LINE_SIZE];

	(void)state;
	make_timelines(ends);
	for (unsigned int kind = 0; kind < 4; kind++) {
		share(&ends->front, &ends->back, "A size=100", id);
		if (kind & 1)
			say(&ends->back, "map %s", id);
		say(&ends->back, "keep %s", kind & 2 ? "on" : "off");
		say(&ends->front, "hand-off A wait=w@9 signal=s@%u stamp=1",
		    ++point);
		say(&ends->front, "unexport A grace=10000");
		say(&ends->front, "wait s %u", point);
		expect(&ends->front, "reached s %u 0", point);
		expect(&ends->back, "retire %s", id);
		expect(&ends->back, "turn %s stamp=1 status=20", id);
		if (kind == 3) {
			settle(&ends->front);
			expect_none(&ends->front, "released");
			refused(&ends->back, "hand-off %s", id);
			say(&ends->back, "release %s", id);
		}
		expect(&ends->front, "released A");
	}
	end(ends);
}

static void groups_come_together_and_in_order(void **state)
{
	struct ends *ends = begin();
	char a[LINE_SIZE], b[LINE_SIZE], event[LINE_SIZE];

	(void)state;
	share(&ends->front, &ends->back, "A size=100", a);
	share(&ends->front, &ends->back, "B size=200", b);
	make_timelines(ends);
	say(&ends->front, "hand-off A wait=w@1 signal=s@1 stamp=1 more");
	refused(&ends->front, "query A");
	settle(&ends->back);
	say(&ends->front, "hand-off B signal=s@2 stamp=2");
	settle(&ends->front);
	expect_none(&ends->back, "turn");
	say(&ends->front, "wait s 2");
	say(&ends->front, "signal w 1");
	expect(&ends->front, "reached s 2 0");
	assert_memory_equal(wait_event(&ends->back, "turn ", event), a, 32);
	assert_memory_equal(wait_event(&ends->back, "turn ", event), b, 32);
	/* More than four are no group. */
	for (int i = 0; i < 3; i++)
		say(&ends->front, "hand-off A more");
	refused(&ends->front, "hand-off A more");
	say(&ends->front, "hand-off B");
	for (int i = 0; i < 3; i++)
		expect_turn(&ends->back, a, 0, crc_of_pattern(100));
	expect_turn(&ends->back, b, 0, crc_of_pattern(200));
	end(ends);
}

static void lent_buffers_come_back(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	make_timelines(ends);
	share(&ends->front, &ends->back, "A size=100 rights=lend", id);
	refused(&ends->back, "fill %s 1", id);
	refused(&ends->back, "hand-off %s", id);
	say(&ends->front, "hand-off A stamp=17 signal=s@1");
	expect_turn(&ends->back, id, 17, crc_of_pattern(100));
	expect_turn(&ends->front, "A", 17, crc_of_pattern(100));

	/* While it is on hold, it is the importer's to write and hand back. */
	say(&ends->back, "hold on");
	say(&ends->front, "hand-off A stamp=18 wait=w@1 signal=s@2");
	settle(&ends->front);
	refused(&ends->front, "fill A 1");
	refused(&ends->front, "update A tag=1");
	refused(&ends->front, "hand-off A");
	refused(&ends->back, "fill %s 1", id);
	say(&ends->front, "signal w 1");
	say(&ends->back, "wait peer:0 1");
	expect(&ends->back, "reached peer:0 1 0");
	say(&ends->back, "fill %s 1", id);
	say(&ends->back, "hand-off %s stamp=19", id);
	refused(&ends->back, "fill %s 2", id);
	expect_turn(&ends->front, "A", 19, crc_of_octet(1, 100));
	expect(&ends->back, "turn %s stamp=18 status=20", id);
	say(&ends->front, "wait s 2");
	expect(&ends->front, "reached s 2 0");
	say(&ends->back, "hold off");

	/* In the middle of the importer's own group, later. */
	share(&ends->back, &ends->front, "B size=1", id);
	say(&ends->back, "hand-off B more");
	say(&ends->front, "hand-off A stamp=20");
	settle(&ends->front);
	expect_none(&ends->front, "turn");
	say(&ends->back, "hand-off B");
	expect_turn(&ends->front, "A", 20, crc_of_octet(1, 100));
	end(ends);
}

static void hold_keeps_hand_offs(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	share(&ends->back, &ends->front, "A size=100 rights=read-write", id);
	say(&ends->front, "hold on");
	say(&ends->back, "hand-off A stamp=1");
	settle(&ends->back);
	expect_none(&ends->front, "turn");
	say(&ends->front, "hold off");
	expect_turn(&ends->front, id, 1, crc_of_pattern(100));
	unsupported(&ends->front, "hold");
	unsupported(&ends->front, "hold maybe");
	unsupported(&ends->front, "hold on off");
	end(ends);
}

/* HDB-BOTH-067: who asks for too much loses the session, and can have a new one. */
static void hand_offs_are_bounded(void **state)
{
	struct ends *ends = begin();
	char event[LINE_SIZE], id[LINE_SIZE];
	uint64_t limit = deadline();
	unsigned int accepted = 0;

	(void)state;
	share(&ends->front, &ends->back, "A size=100", id);
	say(&ends->back, "hold on");
	while (!take_event(&ends->front, "disconnected 0", event)) {
		assert_true(progress_now() < limit);
		ask(&ends->front, "hand-off A");
		while (take_event(&ends->front, "handed-off A 0", event))
			accepted++;
	}
	assert_true(accepted >= 16);
	assert_true(accepted <= 1000);
	expect(&ends->back, "disconnected 0");
	expect(&ends->back, "connected");
	say(&ends->back, "hold off");
	settle(&ends->back);
	expect_none(&ends->back, "turn");
	end(ends);
}

/* ---- Mapping and releasing ----------------------------------------------- */

static void mapped_and_unmapped(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	share(&ends->front, &ends->back, "A size=100 rights=read-write", id);
	refused(&ends->back, "fill %s 3", id);
	refused(&ends->back, "unmap %s", id);
	say(&ends->back, "map %s", id);
	say(&ends->back, "map %s", id);
	say(&ends->back, "fill %s 3", id);
	refused(&ends->back, "fill %s 256", id);
	say(&ends->back, "unmap %s", id);
	say(&ends->front, "hand-off A");
	expect_turn(&ends->back, id, 0, crc_of_octet(3, 100));
	refused(&ends->front, "map A");
	refused(&ends->front, "unmap A");
	refused(&ends->front, "release A");
	say(&ends->back, "release %s", id);
	refused(&ends->back, "release %s", id);
	expect(&ends->front, "released A");
	refused(&ends->front, "unexport A");
	/* Read-only is what it says. */
	share(&ends->front, &ends->back, "A size=100", id);
	say(&ends->back, "map %s", id);
	refused(&ends->back, "fill %s 3", id);
	refused(&ends->back, "hand-off %s", id);
	end(ends);
}

static void keep_keeps_what_is_mapped(void **state)
{
	struct ends *ends = begin();
	char a[LINE_SIZE], b[LINE_SIZE];

	(void)state;
	say(&ends->back, "keep on");
	share(&ends->front, &ends->back, "A size=100", a);
	share(&ends->front, &ends->back, "B size=100", b);
	say(&ends->back, "map %s", a);
	say(&ends->back, "map %s", b);
	say(&ends->back, "hold on");
	say(&ends->front, "hand-off A stamp=1");
	say(&ends->front, "unexport A grace=10000");
	say(&ends->front, "unexport B grace=10000");
	refused(&ends->front, "unexport A");
	expect(&ends->back, "retire %s", a);
	expect(&ends->back, "retire %s", b);
	settle(&ends->front);
	expect_none(&ends->front, "released");
	/* What was handed off before is carried out. */
	say(&ends->back, "hold off");
	expect_turn(&ends->back, a, 1, crc_of_pattern(100));
	say(&ends->back, "release %s", a);
	expect(&ends->front, "released A");
	say(&ends->back, "unmap %s", b);
	expect(&ends->front, "released B");
	refused(&ends->back, "query %s", b);
	end(ends);
}

/* There is room for the program, and no more. */
static void limit_memory(const struct program *program)
{
	struct rlimit limit;
	char name[64];
	unsigned long pages;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%d/statm", (int)program->pid);
	file = fopen(name, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + (1 << 20);
	assert_int_equal(prlimit(program->pid, RLIMIT_AS, &limit, NULL), 0);
}

/* HDB-IMP-014: an importer that finds out later sends RELEASED. */
static void what_cannot_be_mapped_is_released(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	make_timelines(ends);
	share(&ends->front, &ends->back, "A size=8000000", id);
	limit_memory(&ends->back);
	say(&ends->front, "hand-off A stamp=1 signal=s@1");
	say(&ends->front, "wait s 1");
	expect(&ends->back, "turn %s stamp=1 status=14", id);
	expect(&ends->front, "reached s 1 0");
	expect(&ends->front, "released A");
	end(ends);
}

/* ---- Timelines ----------------------------------------------------------- */

static void timelines_in_both_directions(void **state)
{
	struct ends *ends = begin();

	(void)state;
	say(&ends->back, "timeline mine signaller=creator point=10");
	say(&ends->back, "timeline yours signaller=peer");
	refused(&ends->back, "timeline yours signaller=peer");
	refused(&ends->back, "timeline peer:0 signaller=peer");
	unsupported(&ends->back, "timeline x signaller=me");
	settle(&ends->back);
	say(&ends->front, "wait peer:0 10");
	expect(&ends->front, "reached peer:0 10 0");
	say(&ends->front, "wait peer:0 4294967297");
	refused(&ends->back, "signal mine 10");
	say(&ends->back, "signal mine 4294967297");
	expect(&ends->front, "reached peer:0 4294967297 0");
	say(&ends->back, "wait yours 1");
	say(&ends->front, "signal peer:1 1");
	expect(&ends->back, "reached yours 1 0");
	refused(&ends->front, "signal peer:0 1");
	refused(&ends->front, "signal peer:2 1");
	refused(&ends->front, "signal peer:x 1");
	refused(&ends->front, "wait peer:1 2");
	refused(&ends->front, "destroy peer:1");
	say(&ends->back, "wait yours 7");
	say(&ends->front, "fail peer:1 21");
	expect(&ends->back, "reached yours 7 21");
	say(&ends->front, "wait peer:0 18446744073709551615");
	say(&ends->back, "destroy mine");
	expect(&ends->front, "reached peer:0 18446744073709551615 20");
	/* The name can be had again. */
	say(&ends->back, "timeline mine signaller=peer");
	end(ends);
}

/* ---- Sessions ------------------------------------------------------------ */

static void closed_and_opened_again(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	for (unsigned int reason = 1; reason <= 4; reason++) {
		struct program *one = reason % 2 ? &ends->front : &ends->back;

		share(&ends->front, &ends->back, "A size=1", id);
		say(&ends->back, "map %s", id);
		say(&ends->back, "timeline t signaller=peer");
		say(&ends->back, "wait t 1");
		say(one, "close %u", reason);
		expect(&ends->front, "disconnected 0");
		expect(&ends->back, "reached t 1 19");
		expect(&ends->back, "disconnected 0");
		expect(&ends->front, "released A");
		expect(&ends->front, "connected");
		expect(&ends->back, "connected");
		refused(&ends->back, "wait t 1");
		refused(&ends->front, "query A");
		refused(&ends->back, "query %s", id);
	}
	refused(&ends->front, "close 0");
	refused(&ends->front, "close 5");
	settle(&ends->back);
	end(ends);
}

/* The peer is gone without a word, and what it had is not known to be free. */
static void loss_is_told(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];
	int status;

	(void)state;
	share(&ends->front, &ends->back, "A size=1", id);
	say(&ends->back, "map %s", id);
	make_timelines(ends);
	say(&ends->front, "wait s 1");
	assert_int_equal(kill(ends->back.pid, SIGSTOP), 0);
	say(&ends->front, "update A tag=1");
	say(&ends->front, "hand-off A");
	say(&ends->front, "query A");
	say(&ends->front, "allocate size=1");
	say(&ends->front, "export B size=1");
	assert_int_equal(kill(ends->back.pid, SIGKILL), 0);
	assert_int_equal(waitpid(ends->back.pid, &status, 0), ends->back.pid);
	close(ends->back.in);
	close(ends->back.out);
	expect(&ends->front, "reached s 1 19");
	expect(&ends->front, "updated A 19");
	expect(&ends->front, "handed-off A 19");
	expect(&ends->front, "queried A 19");
	expect(&ends->front, "allocated - 19");
	expect(&ends->front, "exported B 19");
	expect(&ends->front, "disconnected 19");
	expect(&ends->front, "quarantined A");
	expect(&ends->front, "quarantined B");
	expect(&ends->front, "released A");
	expect(&ends->front, "released B");
	refused(&ends->front, "close");
	start(&ends->back, HDMABUF_BACKEND);
	expect(&ends->front, "connected");
	settle(&ends->back);
	end(ends);
}

/* Each has its names; what has none goes to the newest. */
static void sessions_side_by_side(void **state)
{
	struct ends *ends = begin();
	struct program *other = malloc(sizeof(*other));
	char first[LINE_SIZE], second[LINE_SIZE];

	(void)state;
	assert_non_null(other);
	share(&ends->back, &ends->front, "A size=1", first);
	say(&ends->back, "timeline t signaller=peer");
	start(other, HDMABUF_FRONTEND);
	expect(other, "connected");
	expect(&ends->back, "connected");
	share(&ends->back, other, "B size=1", second);
	say(&ends->back, "hand-off A stamp=1");
	expect_turn(&ends->front, first, 1, crc_of_pattern(1));
	say(&ends->back, "hand-off B stamp=2");
	expect_turn(other, second, 2, crc_of_pattern(1));
	/* The same name again, in the other session. */
	share(&ends->back, other, "A size=2", second);
	say(&ends->back, "hand-off A stamp=3");
	expect_turn(other, second, 3, crc_of_pattern(2));
	say(&ends->back, "timeline u signaller=peer");
	refused(&ends->back, "hand-off A signal=t@1");
	say(&ends->back, "hand-off A signal=u@1");
	say(&ends->back, "wait t 1");
	say(&ends->front, "signal peer:0 1");
	expect(&ends->back, "reached t 1 0");
	say(&ends->back, "close");
	expect(&ends->back, "disconnected 0");
	expect(other, "disconnected 0");
	expect(other, "connected");
	expect(&ends->back, "connected");
	say(&ends->back, "hand-off A stamp=4");
	expect_turn(&ends->front, first, 4, crc_of_pattern(1));
	stop(other);
	free(other);
	end(ends);
}

static void ends_when_told(void **state)
{
	struct program program;

	(void)state;
	/* Without a session, and without a line. */
	start(&program, HDMABUF_BACKEND);
	refused(&program, "close");
	refused(&program, "echo 00");
	assert_int_equal(kill(program.pid, SIGTERM), 0);
	assert_int_equal(wait_status(&program), 0);
	close(program.in);
	start(&program, HDMABUF_FRONTEND);
	stop(&program);
	/* Nothing but lines has been written, and no summary. */
	assert_int_equal(program.count, 0);
	assert_false(program.answered);
}

/* In good order: what it had is released, not in quarantine. */
static void ends_in_good_order(void **state)
{
	struct ends *ends = begin();
	char id[LINE_SIZE];

	(void)state;
	share(&ends->back, &ends->front, "A size=1", id);
	say(&ends->front, "map %s", id);
	assert_int_equal(kill(ends->front.pid, SIGTERM), 0);
	expect(&ends->back, "disconnected 0");
	expect(&ends->back, "released A");
	expect_none(&ends->back, "quarantined");
	assert_int_equal(wait_status(&ends->front), 0);
	expect(&ends->front, "disconnected 0");
	close(ends->front.in);
	stop(&ends->back);
	free(ends);
}

/* ---- Lines and words ----------------------------------------------------- */

static void nonsense_is_answered(void **state)
{
	struct ends *ends = begin();
	char line[3 * LINES_SIZE];

	(void)state;
	unsupported(&ends->front, "%s", "");
	unsupported(&ends->front, "dance");
	unsupported(&ends->front, "Export A size=1");
	unsupported(&ends->front, " keep on");
	unsupported(&ends->front, "keep  on");
	unsupported(&ends->front, "a b c d e f g h i j k l m n o p q r s");
	refused(&ends->front, "signal");
	refused(&ends->front, "signal x");
	refused(&ends->front, "echo %0111d", 0);
	refused(&ends->front, "echo %0111dg", 0);
	refused(&ends->front, "reject 65536");
	refused(&ends->front, "reject -1");
	say(&ends->front, "reject 0");
	/* What is too long is one line all the same. */
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	tell(&ends->front, line);
	while (!ends->front.answered)
		assert_true(listen_to(&ends->front));
	assert_string_equal(ends->front.answer, "unsupported");
	ends->front.answered = false;
	settle(&ends->front);
	end(ends);
}

/* Many lines in one piece, and one in many. */
static void lines_come_as_they_like(void **state)
{
	static const char text[] = "one\n\ntwo words\nthr";
	struct lines lines = { 0 };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	lines_read(&lines, ends[0]);
	assert_null(lines_next(&lines));
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	lines_read(&lines, ends[0]);
	assert_string_equal(lines_next(&lines), "one");
	assert_string_equal(lines_next(&lines), "");
	assert_string_equal(lines_next(&lines), "two words");
	assert_null(lines_next(&lines));
	assert_int_equal(write(ends[1], "ee\n", 3), 3);
	close(ends[1]);
	lines_read(&lines, ends[0]);
	assert_false(lines.ended);
	assert_string_equal(lines_next(&lines), "three");
	lines_read(&lines, ends[0]);
	assert_true(lines.ended);
	assert_null(lines_next(&lines));
	close(ends[0]);
}

static void words_are_asked_for(void **state)
{
	static const char *const colours[] = { "red", "green", NULL };
	char line[] = "paint house colour=green coats=2 twice";
	struct words words;

	(void)state;
	words_split(&words, line);
	assert_string_equal(words_next(&words), "paint");
	assert_string_equal(words_next(&words), "house");
	assert_int_equal(words_number_option(&words, "coats", 3, 1), 2);
	assert_int_equal(words_number_option(&words, "hours", 3, 1), 1);
	assert_int_equal(words_choice_option(&words, "colour", colours), 1);
	assert_int_equal(words_choice_option(&words, "edge", colours), 0);
	assert_ptr_equal(words_end(&words), words_unsupported);
	words.why = NULL;
	assert_true(words_flag(&words, "twice"));
	assert_false(words_flag(&words, "thrice"));
	assert_null(words_end(&words));
	words_need_number(&words, "metres", 9);
	assert_non_null(words_end(&words));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		folder_test(buffers_of_every_kind_arrive),
		folder_test(buffers_that_cannot_be_are_not),
		folder_test(updates_are_answered),
		folder_test(what_is_rejected_has_that_status),
		folder_test(access_by_processor),
		folder_test(buffers_are_allocated_on_request),
		folder_test(hand_offs_wait_for_their_points),
		folder_test(hand_offs_pass_over_others),
		folder_test(waits_that_fail_are_signalled),
		folder_test(unexported_while_it_waits),
		folder_test(groups_come_together_and_in_order),
		folder_test(lent_buffers_come_back),
		folder_test(hold_keeps_hand_offs),
		folder_test(hand_offs_are_bounded),
		folder_test(mapped_and_unmapped),
		folder_test(keep_keeps_what_is_mapped),
		folder_test(what_cannot_be_mapped_is_released),
		folder_test(timelines_in_both_directions),
		folder_test(closed_and_opened_again),
		folder_test(loss_is_told),
		folder_test(sessions_side_by_side),
		folder_test(ends_when_told),
		folder_test(ends_in_good_order),
		folder_test(nonsense_is_answered),
		cmocka_unit_test(lines_come_as_they_like),
		cmocka_unit_test(words_are_asked_for),
	};

	return hdmabuf_test_run("control", tests,
				sizeof(tests) / sizeof(tests[0]));
}
