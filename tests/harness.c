/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/harness.h"

#define DEFAULT_SECONDS 10
#define MAX_SECONDS	86400
#define MAX_DESCRIPTORS 1024
#define MAX_NAMED	4 /* leaks and leftover processes named one by one */
#define OUTPUT_SIZE	65536

/* What the child tells its parent, in memory they share. */
struct outcome {
	bool returned; /* the test's function came to its end */
	bool finished; /* so did its teardown and the search for leaks */
	bool failed;
	char skip_reason[256];
	char leaks[512];
};

/* The end of what a test wrote. */
struct output {
	size_t length;
	size_t dropped;
	char text[OUTPUT_SIZE];
};

/* What is wrong with a test, one complaint a line; nothing if all is well. */
struct complaints {
	char text[2048];
};

struct suite {
	const char *name;
	unsigned int seconds;
	const char *filter;
	struct outcome *outcome;
	struct output *output;
	unsigned int number;
	unsigned int passed, failed, skipped;
};

/* cmocka turns these into failures, and would hide them from a sanitizer. */
static const int crash_signals[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS };

#define CRASH_SIGNALS (sizeof(crash_signals) / sizeof(crash_signals[0]))

/* The child's own; cmocka hands no context to a test's function. */
static struct {
	const struct CMUnitTest *test;
	struct outcome *outcome;
	struct sigaction handlers[CRASH_SIGNALS];
} running;

/* The parent's own, for its signal handler. */
static volatile sig_atomic_t child_group;

/* Append to a string in a buffer of the given size; what is too long is cut. */
__attribute__((format(printf, 3, 4))) static void
append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

#define complain(complaints, ...) \
	append((complaints)->text, sizeof((complaints)->text), __VA_ARGS__)

/* ---- in the child ------------------------------------------------------- */

static void save_crash_handlers(void)
{
	size_t i;

	for (i = 0; i < CRASH_SIGNALS; i++)
		sigaction(crash_signals[i], NULL, &running.handlers[i]);
}

static void restore_crash_handlers(void)
{
	size_t i;

	for (i = 0; i < CRASH_SIGNALS; i++)
		sigaction(crash_signals[i], &running.handlers[i], NULL);
}

static int wrapped_setup(void **state)
{
	restore_crash_handlers();
	return running.test->setup_func(state);
}

static void wrapped_test(void **state)
{
	restore_crash_handlers();
	running.test->test_func(state);
	running.outcome->returned = true;
}

static int wrapped_teardown(void **state)
{
	restore_crash_handlers();
	return running.test->teardown_func(state);
}

/* Lists the open descriptors, in no order; -1 if that can't be known. */
static int list_descriptors(int *list)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int count = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)) && count < MAX_DESCRIPTORS) {
		int fd = atoi(entry->d_name);

		if (isdigit((unsigned char)entry->d_name[0]) &&
		    fd != dirfd(dir))
			list[count++] = fd;
	}
	closedir(dir);
	return count;
}

static bool is_listed(int fd, const int *list, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (list[i] == fd)
			return true;
	return false;
}

static void name_descriptor(struct outcome *outcome, int fd)
{
	char path[64], target[128];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	append(outcome->leaks, sizeof(outcome->leaks),
	       "leaked descriptor %d (%s)\n", fd, target);
}

static void find_leaks(struct outcome *outcome, const int *before, int count)
{
	int after[MAX_DESCRIPTORS];
	int now = list_descriptors(after);
	int leaks = 0;
	int i;

	if (count < 0 || now < 0) {
		append(outcome->leaks, sizeof(outcome->leaks),
		       "can't read /proc/self/fd: mount /proc\n");
		return;
	}
	for (i = 0; i < now; i++)
		if (!is_listed(after[i], before, count) && leaks++ < MAX_NAMED)
			name_descriptor(outcome, after[i]);
	if (leaks > MAX_NAMED)
		append(outcome->leaks, sizeof(outcome->leaks),
		       "leaked %d descriptors in all\n", leaks);
}

static void redirect(int output)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	if (null > STDERR_FILENO)
		close(null);
	if (output > STDERR_FILENO)
		close(output);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static void run_through_cmocka(const struct CMUnitTest *test)
{
	const struct CMUnitTest wrapped[] = { {
		.name = test->name,
		.test_func = wrapped_test,
		.setup_func = test->setup_func ? wrapped_setup : NULL,
		.teardown_func = test->teardown_func ? wrapped_teardown : NULL,
		.initial_state = test->initial_state,
	} };

	unsetenv("CMOCKA_MESSAGE_OUTPUT");
	cmocka_set_message_output(CM_OUTPUT_STDOUT);
	save_crash_handlers();
	running.outcome->failed = cmocka_run_group_tests(wrapped, NULL, NULL);
	restore_crash_handlers();
}

__attribute__((noreturn)) static void child(const struct CMUnitTest *test,
					    struct outcome *outcome, int output)
{
	int before[MAX_DESCRIPTORS];
	int count;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	redirect(output);
	running.test = test;
	running.outcome = outcome;
	count = list_descriptors(before);
	run_through_cmocka(test);
	if (outcome->returned)
		find_leaks(outcome, before, count);
	outcome->finished = true;
	fflush(NULL);
	/* A test that was left by longjmp may leak: don't make that a story. */
	if (outcome->failed || !outcome->returned)
		_exit(0);
	exit(0);
}

void hdmabuf_test_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(running.outcome->skip_reason,
		  sizeof(running.outcome->skip_reason), format, args);
	va_end(args);
	skip();
}

/* ---- in the parent ------------------------------------------------------ */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads some of what is there, if any; the end is kept when it's too much. */
static bool read_output(struct output *output, int fd)
{
	const size_t half = OUTPUT_SIZE / 2;
	ssize_t got;

	if (output->length == OUTPUT_SIZE) {
		memmove(output->text, output->text + half, half);
		output->length = half;
		output->dropped += half;
	}
	got = read(fd, output->text + output->length,
		   OUTPUT_SIZE - output->length);
	if (got > 0)
		output->length += got;
	return got > 0;
}

/* Waits for the child to end, but not beyond the deadline: false if it has. */
static bool wait_for_end(int pidfd, int fd, int64_t deadline,
			 struct output *output)
{
	struct pollfd polled[] = { { .fd = pidfd, .events = POLLIN },
				   { .fd = fd, .events = POLLIN } };

	for (;;) {
		int64_t left = deadline ? deadline - now_ms() : 1000;

		if (left <= 0)
			return false;
		if (poll(polled, 2, (int)left) < 0 && errno != EINTR)
			return false;
		if (polled[0].revents)
			return true;
		if (polled[1].revents & POLLIN)
			read_output(output, fd);
		else if (polled[1].revents)
			polled[1].fd = -1; /* closed by the test */
	}
}

/* Splits "pid (name) state parent ..."; the name may contain anything. */
static bool parse_stat(const char *pid, char *name, size_t size, pid_t *parent)
{
	char path[300], text[512];
	const char *start, *end;
	FILE *file;
	size_t got;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[got] = '\0';
	start = strchr(text, '(');
	end = strrchr(text, ')');
	if (!start || !end || sscanf(end + 1, " %*c %d", parent) != 1)
		return false;
	snprintf(name, size, "%.*s", (int)(end - start - 1), start + 1);
	return true;
}

/* One child of this process, dead or alive; 0 if it has none. */
static pid_t find_child(char *name, size_t size)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t parent, found = 0;

	while (dir && !found && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    parse_stat(entry->d_name, name, size, &parent) &&
		    parent == getpid())
			found = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

/* What the test left came to us, since this process is its subreaper. */
static void reap_leftovers(struct complaints *complaints)
{
	char name[64];
	int count = 0;
	pid_t pid;

	while ((pid = find_child(name, sizeof(name)))) {
		if (count++ < MAX_NAMED)
			complain(complaints, "left process %d (%s) behind\n",
				 (int)pid, name);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	if (count > MAX_NAMED)
		complain(complaints, "left %d processes behind\n", count);
}

static void judge(const struct outcome *outcome, int status,
		  struct complaints *complaints)
{
	if (WIFSIGNALED(status))
		complain(complaints, "killed by SIG%s (%s)\n",
			 sigabbrev_np(WTERMSIG(status)),
			 strsignal(WTERMSIG(status)));
	else if (!outcome->finished)
		complain(complaints, "exited with status %d before its end\n",
			 WEXITSTATUS(status));
	else if (outcome->failed)
		complain(complaints, "failed an assertion or a fixture\n");
	else if (WEXITSTATUS(status))
		complain(complaints, "passed, but exited with status %d\n",
			 WEXITSTATUS(status));
	complain(complaints, "%s", outcome->leaks);
}

/* The parent's half of a test's life. */
static void supervise(const struct suite *suite, pid_t pid, int fd,
		      struct complaints *complaints)
{
	struct complaints ignored = { "" };
	int64_t deadline = suite->seconds ? now_ms() + suite->seconds * 1000LL :
					    0;
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	bool ended = wait_for_end(pidfd, fd, deadline, suite->output);
	int status;

	if (!ended)
		kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (pidfd < 0)
		complain(complaints, "can't watch it: pidfd_open failed\n");
	else if (!ended)
		complain(complaints, "took longer than %u s\n", suite->seconds);
	else
		judge(suite->outcome, status, complaints);
	reap_leftovers(ended ? complaints : &ignored);
	while (read_output(suite->output, fd))
		;
	if (pidfd >= 0)
		close(pidfd);
}

static void run_in_child(const struct suite *suite,
			 const struct CMUnitTest *test,
			 struct complaints *complaints)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		complain(complaints, "no pipe: %s\n", strerror(errno));
		return;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		close(ends[0]);
		child(test, suite->outcome, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		complain(complaints, "no process: %s\n", strerror(errno));
	} else {
		setpgid(pid, pid);
		child_group = pid;
		supervise(suite, pid, ends[0], complaints);
		child_group = 0;
	}
	close(ends[0]);
}

/* Lines of cmocka's that say nothing which the report doesn't. */
static bool is_noise(const char *line)
{
	static const char *const noise[] = { "[==========]", "[ RUN ",
					     "[       OK ", "[  PASSED  ]",
					     "[  FAILED  ]" };
	size_t i;

	for (i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (!strncmp(line, noise[i], strlen(noise[i])))
			return true;
	return false;
}

static void print_lines(const char *prefix, char *text)
{
	char *line, *next;

	for (line = text; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = '\0';
		if (!is_noise(line))
			printf("%s%s\n", prefix, line);
	}
}

static void print_output(struct output *output)
{
	size_t i;

	if (output->dropped)
		printf("# | ... %zu octets left out ...\n", output->dropped);
	for (i = 0; i < output->length; i++)
		if (!output->text[i])
			output->text[i] = '?';
	output->text[output->length < OUTPUT_SIZE ? output->length :
						    OUTPUT_SIZE - 1] = '\0';
	print_lines("# | ", output->text);
}

static void report(struct suite *suite, const char *name,
		   struct complaints *complaints)
{
	const struct outcome *outcome = suite->outcome;
	bool failed = complaints->text[0];

	printf("%s %u - %s.%s", failed ? "not ok" : "ok", ++suite->number,
	       suite->name, name);
	if (failed) {
		suite->failed++;
		printf("\n");
		print_lines("# ", complaints->text);
		print_output(suite->output);
	} else if (!outcome->returned) {
		suite->skipped++;
		printf(" # SKIP %s\n", outcome->skip_reason[0] ?
					       outcome->skip_reason :
					       "no reason given");
	} else {
		suite->passed++;
		printf("\n");
	}
	fflush(stdout);
}

static void run_one(struct suite *suite, const struct CMUnitTest *test)
{
	struct complaints complaints = { "" };

	memset(suite->outcome, 0, sizeof(*suite->outcome));
	suite->output->length = 0;
	suite->output->dropped = 0;
	run_in_child(suite, test, &complaints);
	report(suite, test->name, &complaints);
}

static bool is_wanted(const struct suite *suite, const char *test)
{
	char name[512];

	if (!suite->filter || !*suite->filter)
		return true;
	snprintf(name, sizeof(name), "%s.%s", suite->name, test);
	return !fnmatch(suite->filter, name, 0) ||
	       !fnmatch(suite->filter, test, 0);
}

static bool parse_seconds(const char *text, unsigned int *seconds)
{
	unsigned long value;
	char *end;

	if (!text || !*text)
		return true;
	value = strtoul(text, &end, 10);
	if (*end || !isdigit((unsigned char)*text) || value > MAX_SECONDS) {
		fprintf(stderr,
			"HDMABUF_TEST_SECONDS is '%s': give a whole number of seconds up to %d, 0 for no limit\n",
			text, MAX_SECONDS);
		return false;
	}
	*seconds = value;
	return true;
}

/* An interrupted run must not leave its test running. */
static void kill_child_group(int signal_number)
{
	if (child_group)
		kill(-child_group, SIGKILL);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* Not malloc(): in the child, that would be a leak to LeakSanitizer. */
static void *map_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static bool prepare(struct suite *suite)
{
	suite->seconds = DEFAULT_SECONDS;
	suite->filter = getenv("HDMABUF_TEST_FILTER");
	if (!parse_seconds(getenv("HDMABUF_TEST_SECONDS"), &suite->seconds))
		return false;
	suite->outcome = map_shared(sizeof(*suite->outcome));
	suite->output = map_shared(sizeof(*suite->output));
	if (!suite->outcome || !suite->output) {
		perror("no memory for the results of tests");
		return false;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGINT, kill_child_group);
	signal(SIGTERM, kill_child_group);
	return true;
}

int hdmabuf_test_run(const char *suite_name, const struct CMUnitTest *tests,
		     size_t count)
{
	struct suite suite = { .name = suite_name };
	size_t i;

	if (!prepare(&suite))
		return 2;
	for (i = 0; i < count; i++)
		if (is_wanted(&suite, tests[i].name))
			run_one(&suite, &tests[i]);
	printf("1..%u\n%u passed, %u failed, %u skipped\n", suite.number,
	       suite.passed, suite.failed, suite.skipped);
	fflush(stdout);
	munmap(suite.outcome, sizeof(*suite.outcome));
	munmap(suite.output, sizeof(*suite.output));
	return suite.failed ? 1 : 0;
}
