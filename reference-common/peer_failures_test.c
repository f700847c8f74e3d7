/* SPDX-License-Identifier: MIT */
/*
 * Each allocation and each system call of a whole program fails once: it ends with a status
 * that is documented, says why if it is not 0, and leaves nothing behind; the program at
 * the other end ends in good order. Swept, not sampled.
 *
 * Needs to be linked with --wrap for what is in tests/calls.c, and for privileges_drop: the
 * test goes on in the same process.
 */
#include "reference-common/options.h"
#include "reference-common/peer.h"
#include "reference-common/privileges.h"
#include "reference-common/test_files.h"
#include "tests/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define PLATFORM "local:socket"
#define PATIENCE 20 /* seconds that a program has */

/* Calls of one program, at most. */
#define CALLS_MAX 3000

int __wrap_privileges_drop(const char *user, bool network,
			   struct failure *failure);

int __wrap_privileges_drop(const char *user, bool network,
			   struct failure *failure)
{
	(void)user;
	(void)network;
	(void)failure;
	return 0;
}

/* Two programs, the arguments of which end with NULL; @role is that of the first. */
struct play {
	enum hdmabuf_role role;
	const char *const *arguments;
	const char *const *other;
};

static int run(enum hdmabuf_role role, const char *const *arguments)
{
	const char *argv[16] = { "program", "--platform", PLATFORM };
	struct options options;
	int argc = 3, status;

	while (*arguments)
		argv[argc++] = *arguments++;
	argv[argc] = NULL;
	if (options_parse(&options, role, argc, (char **)argv, &status))
		status = peer_run(&options);
	fflush(NULL);
	return status;
}

static void await_socket(void)
{
	const struct timespec moment = { .tv_nsec = 500000 };

	while (!exists("socket"))
		nanosleep(&moment, NULL);
}

/* A backend comes first, so that nobody has to try again. */
static pid_t start_other(const struct play *play)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		alarm(2 * PATIENCE);
		if (!freopen("other", "w", stderr) ||
		    !freopen("/dev/null", "w", stdout))
			_exit(EX_OSERR);
		if (play->role == HDMABUF_BACKEND)
			await_socket();
		_exit(run((enum hdmabuf_role) !play->role, play->other));
	}
	if (play->role == HDMABUF_FRONTEND)
		await_socket();
	return pid;
}

static bool is_documented(int status)
{
	return status == EX_OK || status == EX_DATAERR ||
	       status == EX_NOINPUT || status == EX_UNAVAILABLE ||
	       status == EX_CANTCREAT || status == EX_IOERR ||
	       status == EX_TEMPFAIL;
}

/* For the handler of a signal, which is given nothing. */
static int report = STDOUT_FILENO;

static void tell_hang(int number)
{
	(void)number;
	dprintf(report, "hangs after %s\n", calls_failed());
	_exit(1);
}

/* It may never have seen the one that failed. */
static void end_other(pid_t pid, const char *failed)
{
	struct timespec moment = { .tv_nsec = 1000000 };
	int status, i;
	pid_t ended = 0;

	for (i = 0; !ended && i < 20; i++) {
		ended = waitpid(pid, &status, WNOHANG);
		if (!ended)
			nanosleep(&moment, NULL);
	}
	if (!ended) {
		kill(pid, SIGTERM);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	/* It may not have got so far as to await signals. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM)
		return;
	if (!WIFEXITED(status) || !is_documented(WEXITSTATUS(status)))
		fail_msg("after %s, the other end's status is %x", failed,
			 status);
}

/* The beginning of it. */
static void read_said(int fd, char *text, size_t size)
{
	ssize_t octets = pread(fd, text, size - 1, 0);

	text[octets > 0 ? octets : 0] = '\0';
}

/* What was said goes to a file, and to who looks for a failure. */
static int divert(int fd, const char *name, int *kept)
{
	int file = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	*kept = dup(fd);
	dup2(file, fd);
	return file;
}

static void restore(int fd, int kept, int file)
{
	fflush(NULL);
	dup2(kept, fd);
	close(kept);
	close(file);
}

static int descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void remove_files(void)
{
	DIR *folder = opendir(".");
	struct dirent *entry;

	while ((entry = readdir(folder)))
		if (strncmp(entry->d_name, "in.", 3))
			remove(entry->d_name);
	closedir(folder);
}

/* Returns how many calls there were. */
static unsigned int run_failing(const struct play *play, unsigned int at)
{
	int before = descriptors(), status, output, words, kept[2];
	unsigned int calls;
	pid_t other = start_other(play);
	char said[512];

	words = divert(STDERR_FILENO, "stderr", &kept[0]);
	output = divert(STDOUT_FILENO, "stdout", &kept[1]);
	report = kept[1];
	signal(SIGALRM, tell_hang);
	alarm(PATIENCE);
	calls_begin(at);
	status = run(play->role, play->arguments);
	calls = calls_end();
	alarm(0);
	read_said(words, said, sizeof(said));
	restore(STDOUT_FILENO, kept[1], output);
	restore(STDERR_FILENO, kept[0], words);
	if (!is_documented(status) || (status && !*said) ||
	    (status && !calls_failed()))
		fail_msg("%s, call %u: status %d, said: %s", calls_failed(), at,
			 status, said);
	end_other(other, calls_failed());
	if (exists("socket") || descriptors() != before)
		fail_msg("%s, call %u: something is left", calls_failed(), at);
	remove_files();
	return calls;
}

static void sweep(const struct play *play)
{
	unsigned int calls = run_failing(play, 0), at;

	assert_in_range(calls, 50, CALLS_MAX);
	/* Of how often it looks, there is a little more or less. */
	for (at = 1; at <= calls + 10; at++)
		run_failing(play, at);
}

/* ---- tests ------------------------------------------------------------------------- */

#define WORDS(...) ((const char *[]){ __VA_ARGS__, NULL })

static void write_stream(void)
{
	static const char stream[] = "YUV4MPEG2 W2 H2 F25:1 C420jpeg\n"
				     "FRAME\nabcdef"
				     "FRAME\nghijkl";

	write_file("in.y4m", stream, sizeof(stream) - 1);
}

static void frontend_shares_a_pattern(void **state)
{
	(void)state;
	sweep(&(struct play){ HDMABUF_FRONTEND,
			      WORDS("--once", "--source", "pattern:64x32",
				    "--frames", "2", "--record", "trace"),
			      WORDS("--sink", "null") });
}

static void backend_shows_y4m(void **state)
{
	(void)state;
	write_stream();
	sweep(&(struct play){
		HDMABUF_BACKEND,
		WORDS("--once", "--sink", "y4m:out.y4m", "--verify"),
		WORDS("--source", "y4m:in.y4m", "--directory", "list") });
}

static void backend_shares_y4m(void **state)
{
	(void)state;
	write_stream();
	sweep(&(struct play){
		HDMABUF_BACKEND,
		WORDS("--once", "--export-from", "backend", "--source",
		      "y4m:in.y4m", "--directory", "table"),
		WORDS("--export-from", "backend", "--sink", "null") });
}

#ifdef HDMABUF_HAVE_PNG
static void frontend_shows_png(void **state)
{
	(void)state;
	sweep(&(struct play){ HDMABUF_FRONTEND,
			      WORDS("--once", "--export-from", "backend",
				    "--sink", "png:out.png"),
			      WORDS("--export-from", "backend", "--source",
				    "pattern:64x32", "--frames", "2") });
}

static void frontend_shares_png(void **state)
{
	struct play make = { HDMABUF_FRONTEND,
			     WORDS("--source", "pattern:64x32", "--frames",
				   "1"),
			     WORDS("--sink", "png:in.png") };

	(void)state;
	run_failing(&make, 0);
	make.arguments = WORDS("--once", "--source", "png:in.png");
	make.other = WORDS("--sink", "null");
	sweep(&make);
}
#endif

int main(void)
{
	static const struct CMUnitTest tests[] = {
		folder_test(frontend_shares_a_pattern),
		folder_test(backend_shows_y4m),
		folder_test(backend_shares_y4m),
#ifdef HDMABUF_HAVE_PNG
		folder_test(frontend_shows_png),
		folder_test(frontend_shares_png),
#endif
	};

	return hdmabuf_test_run("peer_failures", tests,
				sizeof(tests) / sizeof(tests[0]));
}
