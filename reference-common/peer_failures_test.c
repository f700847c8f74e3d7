/* SPDX-License-Identifier: MIT */
/*
 * Each allocation and each system call of a whole program fails once: it ends with a status
 * that is documented, says why if it is not 0, and leaves nothing behind; the program at
 * the other end ends in good order. Swept, not sampled.
 *
 * Needs to be linked with --wrap for what is in tests/calls.c, and for privileges_drop: the
 * test goes on in the same process.
 */
#define _GNU_SOURCE /* pipe2 */
#include "reference-common/options.h"
#include "reference-common/peer.h"
#include "reference-common/privileges.h"
#include "reference-common/test_files.h"
#include "tests/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/*
 * What is told to a program by --control when it says a line that begins so; the third
 * word of that stands where a % is.
 */
struct cue {
	const char *line;
	const char *commands;
};

/*
 * Two programs, the arguments of which end with NULL; @role is that of the first. With
 * --control, their cues end with one that is all zero.
 */
struct play {
	enum hdmabuf_role role;
	const char *const *arguments;
	const char *const *other;
	const struct cue *cues;
	const struct cue *other_cues;
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

/* ---- who tells a program what to do ---------------------------------------- */

/*
 * Who is silent for so long in the sweep will not say any more; less so when something could
 * not be done.
 */
#define SILENCE_MS	 300
#define SHORT_SILENCE_MS 30

struct prompter {
	const struct cue *cues;
	unsigned int given; /* bits, one for each cue */
	FILE *lines;
	int commands; /* -1 if there are none any more */
	int patience_ms;
};

static void fall_silent(struct prompter *prompter)
{
	if (prompter->commands >= 0)
		close(prompter->commands);
	prompter->commands = -1;
}

static bool is_refusal(const char *line)
{
	const char *status = strrchr(line, ' ');

	return !strncmp(line, "no ", 3) ||
	       (!strncmp(line, "event exported", 14) && strcmp(status, " 0\n"));
}

static void give(int to, const char *commands, const char *line)
{
	char third[64] = "";

	sscanf(line, "%*s %*s %63s", third);
	for (; *commands; commands++) {
		if (*commands == '%')
			dprintf(to, "%s", third);
		else
			dprintf(to, "%c", *commands);
	}
}

static void answer_line(struct prompter *prompter, const char *line)
{
	const struct cue *cue;
	unsigned int bit;

	if (is_refusal(line))
		prompter->patience_ms = SHORT_SILENCE_MS;
	if (!strncmp(line, "event disconnected", 18))
		fall_silent(prompter);
	for (cue = prompter->cues, bit = 1; cue->line; cue++, bit <<= 1) {
		if (prompter->given & bit || prompter->commands < 0 ||
		    strncmp(line, cue->line, strlen(cue->line)))
			continue;
		prompter->given |= bit;
		give(prompter->commands, cue->commands, line);
	}
}

static bool is_all_given(const struct prompter *prompter)
{
	unsigned int count = 0;

	while (prompter->cues[count].line)
		count++;
	return prompter->given == (1u << count) - 1;
}

/* Until the program has ended. Returns whether it has said all that it should. */
static bool prompt(struct prompter *prompter)
{
	struct pollfd fd = { fileno(prompter->lines), POLLIN, 0 };
	char line[256];

	setvbuf(prompter->lines, NULL, _IONBF, 0);
	for (;;) {
		if (!poll(&fd, 1,
			  prompter->commands < 0 ? -1 : prompter->patience_ms))
			fall_silent(prompter);
		else if (fgets(line, sizeof(line), prompter->lines))
			answer_line(prompter, line);
		else
			return is_all_given(prompter);
	}
}

/* A child that reads what this process writes, and the other way around. */
struct prompted {
	pid_t pid;
	int kept[2];
};

static void prompt_begin(struct prompted *prompted, const struct cue *cues,
			 int patience_ms)
{
	int in[2], out[2], i;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	prompted->pid = fork();
	assert_true(prompted->pid >= 0);
	if (!prompted->pid) {
		struct prompter prompter = { .cues = cues,
					     .lines = fdopen(out[0], "r"),
					     .commands = in[1],
					     .patience_ms = patience_ms };

		signal(SIGPIPE, SIG_IGN);
		close(in[0]);
		close(out[1]);
		_exit(!prompt(&prompter));
	}
	close(in[1]);
	close(out[0]);
	for (i = 0; i < 2; i++)
		prompted->kept[i] = dup(i);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	close(in[0]);
	close(out[1]);
}

/* This process is not prompted any more; one that it has forked may be. */
static void prompt_leave(struct prompted *prompted)
{
	int i;

	fflush(NULL);
	for (i = 0; i < 2; i++) {
		dup2(prompted->kept[i], i);
		close(prompted->kept[i]);
	}
}

/* When the one that is prompted has ended. Returns whether all went as it should. */
static bool prompt_end(const struct prompted *prompted)
{
	int status;

	assert_int_equal(waitpid(prompted->pid, &status, 0), prompted->pid);
	return !status;
}

/* ---- two programs ------------------------------------------------------------ */

static void await_socket(void)
{
	const struct timespec moment = { .tv_nsec = 500000 };

	while (!exists("socket"))
		nanosleep(&moment, NULL);
}

struct other {
	pid_t pid;
	bool is_prompted;
	struct prompted prompted;
};

static int run_other(const struct play *play)
{
	alarm(2 * PATIENCE);
	if (!freopen("other", "w", stderr) ||
	    (!play->other_cues && !freopen("/dev/null", "w", stdout)))
		return EX_OSERR;
	if (play->role == HDMABUF_BACKEND)
		await_socket();
	return run((enum hdmabuf_role) !play->role, play->other);
}

/* A backend comes first, so that nobody has to try again. */
static void start_other(const struct play *play, struct other *other)
{
	other->is_prompted = play->other_cues;
	if (play->other_cues)
		prompt_begin(&other->prompted, play->other_cues,
			     PATIENCE * 1000);
	other->pid = fork();
	assert_true(other->pid >= 0);
	if (!other->pid)
		_exit(run_other(play));
	if (play->other_cues)
		prompt_leave(&other->prompted);
	if (play->role == HDMABUF_FRONTEND)
		await_socket();
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

static int await_end(pid_t pid)
{
	struct timespec moment = { .tv_nsec = 1000000 };
	pid_t ended = 0;
	int status, i;

	/* It may never have seen the one that failed. */
	for (i = 0; !ended && i < 20; i++) {
		ended = waitpid(pid, &status, WNOHANG);
		if (!ended)
			nanosleep(&moment, NULL);
	}
	if (!ended) {
		kill(pid, SIGTERM);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	return status;
}

static void end_other(const struct other *other, const char *failed)
{
	int status = await_end(other->pid);

	if (other->is_prompted)
		prompt_end(&other->prompted);
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

/* A place that cannot be looked at may be another's by now: nothing is removed there. */
static bool is_socket_left(void)
{
	const char *failed = calls_failed();

	return exists("socket") &&
	       (!failed || strncmp(failed, "lstat", 5) != 0);
}

/* What a program did, and what it said about that. */
struct seen {
	int status;
	unsigned int calls;
	bool complete; /* all was said that a prompter wants to hear */
	char said[512];
};

static void run_prompted(const struct play *play, unsigned int at,
			 struct seen *seen)
{
	struct prompted prompted;

	if (play->cues)
		prompt_begin(&prompted, play->cues,
			     at ? SILENCE_MS : PATIENCE * 1000);
	alarm(PATIENCE);
	calls_begin(at);
	seen->status = run(play->role, play->arguments);
	seen->calls = calls_end();
	alarm(0);
	if (play->cues)
		prompt_leave(&prompted);
	seen->complete = !play->cues || prompt_end(&prompted);
}

static void run_diverted(const struct play *play, unsigned int at,
			 struct seen *seen)
{
	int kept[2], words, output;

	words = divert(STDERR_FILENO, "stderr", &kept[0]);
	output = divert(STDOUT_FILENO, "stdout", &kept[1]);
	report = kept[1];
	signal(SIGALRM, tell_hang);
	run_prompted(play, at, seen);
	read_said(words, seen->said, sizeof(seen->said));
	restore(STDOUT_FILENO, kept[1], output);
	restore(STDERR_FILENO, kept[0], words);
}

/* Returns how many calls there were. */
static unsigned int run_failing(const struct play *play, unsigned int at)
{
	int before = descriptors();
	struct other other;
	struct seen seen;

	start_other(play, &other);
	run_diverted(play, at, &seen);
	if (!is_documented(seen.status) || (seen.status && !*seen.said) ||
	    (seen.status && !calls_failed()))
		fail_msg("%s, call %u: status %d, said: %s", calls_failed(), at,
			 seen.status, seen.said);
	end_other(&other, calls_failed());
	if (!at && !seen.complete)
		fail_msg("not all was said that should have been");
	if (is_socket_left() || descriptors() != before)
		fail_msg("%s, call %u: something is left", calls_failed(), at);
	remove_files();
	return seen.calls;
}

/* Mostly they wait. */
#define SWEEPERS 4
/* Who ends otherwise has failed: by an assertion, or by what a sanitizer has found. */
#define SWEPT 10

static void link_inputs(const char *from)
{
	DIR *folder = opendir(from);
	struct dirent *entry;
	char path[2 * FOLDER_NAME_SIZE];

	while ((entry = readdir(folder))) {
		snprintf(path, sizeof(path), "%s/%s", from, entry->d_name);
		if (!strncmp(entry->d_name, "in.", 3))
			assert_int_equal(link(path, entry->d_name), 0);
	}
	closedir(folder);
}

/* Calls from @at on, but for those of the other sweepers, in a folder of its own. */
static void sweep_some(const struct play *play, const char *inputs,
		       unsigned int at, unsigned int calls)
{
	void *folder;

	assert_int_equal(enter_folder(&folder), 0);
	link_inputs(inputs);
	/* Of how often it looks, there is a little more or less. */
	for (; at <= calls + 10; at += SWEEPERS)
		run_failing(play, at);
	assert_int_equal(leave_folder(&folder), 0);
	exit(SWEPT);
}

static void sweep(const struct play *play)
{
	unsigned int calls = run_failing(play, 0), i, swept = 0;
	char inputs[FOLDER_NAME_SIZE];
	pid_t pid[SWEEPERS];
	int status;

	assert_in_range(calls, 50, CALLS_MAX);
	assert_non_null(getcwd(inputs, sizeof(inputs)));
	for (i = 0; i < SWEEPERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (!pid[i])
			sweep_some(play, inputs, 1 + i, calls);
	}
	for (i = 0; i < SWEEPERS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		swept += WIFEXITED(status) && WEXITSTATUS(status) == SWEPT;
	}
	assert_int_equal(swept, SWEEPERS);
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
	sweep(&(struct play){ .role = HDMABUF_FRONTEND,
			      .arguments = WORDS("--once", "--source",
						 "pattern:64x32", "--frames",
						 "2", "--record", "trace"),
			      .other = WORDS("--sink", "null") });
}

static void backend_shows_y4m(void **state)
{
	(void)state;
	write_stream();
	sweep(&(struct play){ .role = HDMABUF_BACKEND,
			      .arguments = WORDS("--once", "--sink",
						 "y4m:out.y4m", "--verify"),
			      .other = WORDS("--source", "y4m:in.y4m",
					     "--directory", "list") });
}

static void backend_shares_y4m(void **state)
{
	(void)state;
	write_stream();
	sweep(&(struct play){
		.role = HDMABUF_BACKEND,
		.arguments = WORDS("--once", "--export-from", "backend",
				   "--source", "y4m:in.y4m", "--directory",
				   "table"),
		.other = WORDS("--export-from", "backend", "--sink", "null") });
}

#define OCTETS_56 \
	"0001020304050607000102030405060700010203040506070001020304" \
	"050607000102030405060700010203040506070001020304050607"

/* What a frontend can be told about buffers of its own, in an order that makes sense. */
static const struct cue tells[] = {
	{ "event connected", "timeline mine signaller=creator\n"
			     "timeline theirs signaller=peer\n"
			     "export a size=5000 directory=table private=100\n"
			     "export b size=4096 directory=list rights=lend\n"
			     "echo " OCTETS_56 "\n"
			     "allocate size=4096 tag=7\n" },
	{ "event exported a 0",
	  "fill a 3\n"
	  "hand-off a wait=mine@1 signal=theirs@1 stamp=1\n"
	  "wait theirs 1\n"
	  "signal mine 1\n"
	  "query a\n"
	  "update a tag=5 private=20\n"
	  "cpu-begin a offset=0 octets=64 access=read\n"
	  "cpu-end a offset=0 octets=64 access=read\n" },
	{ "event exported b 0", "hand-off b stamp=2\n" },
	{ "event turn b", "unexport b grace=100\n" },
	{ "event reached theirs 1 0", "destroy mine\nunexport a grace=100\n" },
	{ "event released a", "close\n" },
	{ NULL, NULL },
};

/* What it does untold is enough. */
static const struct cue obeys[] = { { NULL, NULL } };

static void sweep_controlled(enum hdmabuf_role role, const struct cue *cues,
			     const struct cue *other_cues)
{
	sweep(&(struct play){ .role = role,
			      .arguments = WORDS("--control"),
			      .other = WORDS("--control"),
			      .cues = cues,
			      .other_cues = other_cues });
}

static void frontend_is_told(void **state)
{
	(void)state;
	sweep_controlled(HDMABUF_FRONTEND, tells, obeys);
}

static void backend_obeys(void **state)
{
	(void)state;
	sweep_controlled(HDMABUF_BACKEND, obeys, tells);
}

/* It keeps what it should give back, is late, fails, and refuses. */
static void backend_misbehaves(void **state)
{
	static const struct cue shares[] = {
		{ "event connected",
		  "timeline theirs signaller=peer\n"
		  "export a size=4096 directory=list rights=read-write\n"
		  "export b size=4096 directory=list\n" },
		{ "event exported b 0", "wait theirs 1\n"
					"hand-off a stamp=1\n"
					"hand-off b signal=theirs@1 stamp=2\n"
					"unexport a grace=10000\n" },
		{ "event reached theirs 1 21",
		  "cpu-begin b offset=0 octets=64 access=read\n"
		  "unexport b grace=100\n" },
		{ "event released b", "close\n" },
		{ NULL, NULL },
	};
	static const struct cue misbehaves[] = {
		{ "event connected", "keep on\nhold on\n" },
		{ "event imported", "map %\nfill % 7\n" },
		{ "event retire", "fail peer:1 21\nhold off\nreject 13\n"
				  "unmap %\nrelease %\n" },
		{ NULL, NULL },
	};

	(void)state;
	sweep_controlled(HDMABUF_BACKEND, misbehaves, shares);
}

#ifdef HDMABUF_HAVE_PNG
static void frontend_shows_png(void **state)
{
	(void)state;
	sweep(&(struct play){
		.role = HDMABUF_FRONTEND,
		.arguments = WORDS("--once", "--export-from", "backend",
				   "--sink", "png:out.png"),
		.other = WORDS("--export-from", "backend", "--source",
			       "pattern:64x32", "--frames", "2") });
}

static void frontend_shares_png(void **state)
{
	struct play make = { .role = HDMABUF_FRONTEND,
			     .arguments = WORDS("--source", "pattern:64x32",
						"--frames", "1"),
			     .other = WORDS("--sink", "png:in.png") };

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
		folder_test(frontend_is_told),
		folder_test(backend_obeys),
		folder_test(backend_misbehaves),
#ifdef HDMABUF_HAVE_PNG
		folder_test(frontend_shows_png),
		folder_test(frontend_shares_png),
#endif
	};

	return hdmabuf_test_run("peer_failures", tests,
				sizeof(tests) / sizeof(tests[0]));
}
