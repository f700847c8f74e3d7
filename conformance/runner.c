/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "conformance/runner.h"
#include "conformance/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX 64
/* What the IUT writes to standard error is kept up to this. */
#define OUTPUT_MAX 16384
#define LINES_MAX  5000
/* With an IUT that does not even establish a session, nothing is waited for long. */
#define SHORT_PATIENCE_MS 300

/* ---- in the test's process ---------------------------------------------- */

static unsigned int count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

/* Of a process left behind: by the test, or by the IUT beyond its group. */
static bool end_leftovers(void)
{
	bool any = false;
	siginfo_t info;

	while (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid)
		waitpid(info.si_pid, NULL, 0);
	for (pid_t pid = runner_find_child(); pid; pid = runner_find_child()) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		any = true;
	}
	return any;
}

static void complain(struct test *test, const char *text)
{
	struct stream_head head = { .kind = STREAM_REASON,
				    .detail = VERDICT_ERROR,
				    .clause = CLAUSE_COUNT };

	stream_write(test->stream, &head, text);
}

static uint64_t seed_of(const struct setup *setup, const char *name)
{
	uint64_t seed = setup->seed ^ 0xcbf29ce484222325u;

	while (*name)
		seed = (seed ^ (unsigned char)*name++) * 0x100000001b3u;
	return seed;
}

static void child(const struct plan_of_run *plan, const struct selected *which,
		  const char *endpoint, struct iut *kept, int stream)
{
	struct iut own = { .in = -1, .out = -1, .err = -1 };
	struct test test = {
		.test_case = which->test_case,
		.setup = &plan->setup,
		.stream = stream,
		.began = now_us(),
		.iut = kept ? kept : &own,
		.kept = kept,
		.random = seed_of(&plan->setup, which->name),
	};
	unsigned int before;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	snprintf(test.endpoint, sizeof(test.endpoint), "%s", endpoint);
	before = count_descriptors();
	test_run(&test);
	if (test.finished && count_descriptors() > before)
		complain(&test, "the test leaves a descriptor open");
	if (end_leftovers() && test.finished)
		complain(&test, "a process was left behind");
}

/* ---- what comes from it ------------------------------------------------- */

/**
 * struct worker - a test that is running
 * @pid: of its process, 0 if there is none
 * @fd: what it tells
 * @which: number of the test
 * @deadline: when it has taken too long
 * @began: when it began
 * @octets: what has come and is not yet whole
 * @length: of @octets
 * @size: room of @octets
 * @result: what it has told so far
 * @checked: clauses it has checked
 * @done: it came to its end
 */
struct worker {
	pid_t pid;
	int fd;
	size_t which;
	uint64_t deadline;
	uint64_t began;
	char *octets;
	size_t length;
	size_t size;
	struct result result;
	bool checked[CLAUSE_COUNT];
	bool done;
};

/* An array that grows by one; what there is no memory for is not kept. */
static void *grow(void *array, size_t *count, size_t octets)
{
	char *grown = realloc(array, (*count + 1) * octets);

	if (!grown)
		return array;
	memset(grown + *count * octets, 0, octets);
	(*count)++;
	return grown;
}

static char *copy_text(const char *text, size_t length)
{
	char *copy = malloc(length + 1);

	if (copy) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

static void add_line(struct result *result, const struct stream_head *head,
		     const char *text)
{
	struct line *line;

	if (result->line_count == LINES_MAX)
		return;
	result->lines = grow(result->lines, &result->line_count,
			     sizeof(*result->lines));
	line = &result->lines[result->line_count - 1];
	line->speaker = head->detail;
	line->microseconds = head->microseconds;
	line->findings = result->finding_count;
	line->text = copy_text(text, head->length);
}

static void add_finding(struct result *result, enum verdict verdict,
			enum clause clause, const char *text, size_t length)
{
	struct finding *finding;

	result->findings = grow(result->findings, &result->finding_count,
				sizeof(*result->findings));
	finding = &result->findings[result->finding_count - 1];
	finding->verdict = verdict;
	finding->clause = clause;
	finding->text = copy_text(text, length);
	if (verdict > result->verdict)
		result->verdict = verdict;
}

static void add_reason(struct result *result, enum verdict verdict,
		       const char *text, size_t length)
{
	if (verdict > VERDICT_SKIP) {
		add_finding(result, verdict, CLAUSE_COUNT, text, length);
		if (result->reason)
			return;
	}
	free(result->reason);
	result->reason = copy_text(text, length);
}

static void add_output(struct result *result, const char *text, size_t length)
{
	size_t before = result->output ? strlen(result->output) : 0;
	char *grown;

	if (before + length > OUTPUT_MAX)
		return;
	grown = realloc(result->output, before + length + 1);
	if (!grown)
		return;
	memcpy(grown + before, text, length);
	grown[before + length] = '\0';
	result->output = grown;
}

static void take(struct worker *worker, const struct stream_head *head,
		 const char *text)
{
	struct result *result = &worker->result;

	switch (head->kind) {
	case STREAM_LINE:
		add_line(result, head, text);
		break;
	case STREAM_FINDING:
		add_finding(result, head->detail, head->clause, text,
			    head->length);
		break;
	case STREAM_CHECKED:
		worker->checked[head->clause] = true;
		break;
	case STREAM_REASON:
		add_reason(result, head->detail, text, head->length);
		break;
	case STREAM_OUTPUT:
		add_output(result, text, head->length);
		break;
	case STREAM_DONE:
		worker->done = true;
		break;
	}
}

static bool make_room(struct worker *worker)
{
	char *grown;

	if (worker->length < worker->size)
		return true;
	grown = realloc(worker->octets, worker->size + 65536);
	if (!grown)
		return false;
	worker->octets = grown;
	worker->size += 65536;
	return true;
}

static void take_whole(struct worker *worker)
{
	struct stream_head head;
	size_t at = 0;

	while (worker->length - at >= sizeof(head)) {
		memcpy(&head, worker->octets + at, sizeof(head));
		if (worker->length - at - sizeof(head) < head.length)
			break;
		take(worker, &head, worker->octets + at + sizeof(head));
		at += sizeof(head) + head.length;
	}
	memmove(worker->octets, worker->octets + at, worker->length - at);
	worker->length -= at;
}

/* False when there is nothing more to come. */
static bool read_worker(struct worker *worker)
{
	ssize_t got;

	if (!make_room(worker))
		return false;
	got = read(worker->fd, worker->octets + worker->length,
		   worker->size - worker->length);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return false;
	worker->length += (size_t)got;
	take_whole(worker);
	return true;
}

/* ---- running ------------------------------------------------------------ */

struct runner {
	const struct plan_of_run *plan;
	struct plan_of_run own; /* the plan, with what is changed on the way */
	struct result *results;
	size_t *order;
	size_t all;
	size_t begun;
	size_t done;
	struct worker workers[JOBS_MAX];
	struct iut kept;
	char kept_endpoint[256];
};

/* One child of this process that still lives, of all that nobody knows; or 0. */
static bool is_worker(const struct runner *runner, pid_t pid)
{
	for (size_t i = 0; runner && i < JOBS_MAX; i++)
		if (runner->workers[i].pid == pid)
			return true;
	return runner && runner->kept.pid == pid;
}

static pid_t find_child(const struct runner *runner)
{
	char path[64];
	FILE *file;
	int pid, found = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	file = fopen(path, "re");
	while (file && !found && fscanf(file, "%d", &pid) == 1)
		if (!is_worker(runner, pid))
			found = pid;
	if (file)
		fclose(file);
	return found;
}

pid_t runner_find_child(void)
{
	return find_child(NULL);
}

/* What a test's process that was killed has left to us. */
static void end_orphans(const struct runner *runner)
{
	for (pid_t pid = find_child(runner); pid; pid = find_child(runner)) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void make_endpoint(const struct setup *setup, size_t number,
			  char *endpoint, size_t size)
{
	if (setup->endpoint_count)
		snprintf(endpoint, size, "%s", setup->endpoints[0]);
	else
		snprintf(endpoint, size, "local:%s/%zu", setup->folder, number);
}

static bool start_kept(struct runner *runner)
{
	const struct setup *setup = &runner->own.setup;

	if (!setup->keep || runner->kept.pid)
		return true;
	make_endpoint(setup, runner->begun, runner->kept_endpoint,
		      sizeof(runner->kept_endpoint));
	return !iut_start(&runner->kept, setup, runner->kept_endpoint);
}

static int begin(struct runner *runner, struct worker *worker, size_t number)
{
	size_t which = runner->order[number] % runner->plan->count;
	struct iut *kept = runner->own.setup.keep ? &runner->kept : NULL;
	char endpoint[256];
	int fds[2];

	if (!start_kept(runner) || pipe2(fds, O_CLOEXEC))
		return -errno;
	make_endpoint(&runner->own.setup, number, endpoint, sizeof(endpoint));
	memset(worker, 0, sizeof(*worker));
	worker->which = which;
	worker->began = now_ms();
	worker->deadline = worker->began + runner->plan->limit_ms;
	worker->fd = fds[0];
	worker->pid = fork();
	if (!worker->pid) {
		close(fds[0]);
		child(&runner->own, &runner->plan->tests[which],
		      kept ? runner->kept_endpoint : endpoint, kept, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	if (worker->pid < 0) {
		worker->pid = 0;
		close(fds[0]);
		return -EAGAIN;
	}
	return 0;
}

/* A test that says it is about a clause, and then does not look, is no test. */
static void check_clauses(struct worker *worker,
			  const struct test_case *test_case)
{
	static const char nothing[] = "the test checks nothing";
	char text[160];

	if (worker->result.verdict != VERDICT_SKIP || worker->result.reason ||
	    !worker->done)
		return;
	if (!test_case->clause_count)
		add_reason(&worker->result, VERDICT_ERROR, nothing,
			   strlen(nothing));
	for (size_t i = 0; i < test_case->clause_count; i++) {
		enum clause clause = test_case->clauses[i];

		if (worker->checked[clause])
			continue;
		snprintf(text, sizeof(text),
			 "the test is about %s, and did not check it",
			 clause_id(clause));
		add_reason(&worker->result, VERDICT_ERROR, text, strlen(text));
	}
}

static void judge(struct worker *worker, const struct test_case *test_case,
		  int status, bool too_long, unsigned int limit_ms)
{
	static const char unfinished[] = "the test did not come to its end";
	struct result *result = &worker->result;
	char text[160] = "";

	if (too_long)
		snprintf(text, sizeof(text),
			 "the test did not end within %u seconds",
			 limit_ms / 1000);
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "the test ended by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		snprintf(text, sizeof(text),
			 "the test ended with exit status %d",
			 WEXITSTATUS(status));
	else if (!worker->done && !result->reason && !result->finding_count)
		snprintf(text, sizeof(text), "the test ended without a word");
	if (*text)
		add_reason(result, VERDICT_ERROR, text, strlen(text));
	/* Whoever is warned only has yet to show that it lives. */
	else if (!worker->done && result->verdict == VERDICT_WARN)
		add_reason(result, VERDICT_INCONCLUSIVE, unfinished,
			   strlen(unfinished));
	check_clauses(worker, test_case);
	if (worker->done && !result->reason && !result->finding_count)
		result->verdict = VERDICT_PASS;
}

static void free_result(struct result *result)
{
	for (size_t i = 0; i < result->finding_count; i++)
		free(result->findings[i].text);
	for (size_t i = 0; i < result->line_count; i++)
		free(result->lines[i].text);
	free(result->findings);
	free(result->lines);
	free(result->reason);
	free(result->output);
}

/* The first run of a test counts, or the first one that has another verdict. */
static void keep_result(struct runner *runner, struct worker *worker)
{
	const struct selected *test = &runner->plan->tests[worker->which];
	struct result *kept = &runner->results[worker->which];
	struct result *result = &worker->result;

	result->name = test->name;
	result->title = test->test_case->title;
	result->clauses = test->test_case->clauses;
	result->clause_count = test->test_case->clause_count;
	result->milliseconds = (uint32_t)(now_ms() - worker->began);
	result->others = result->verdict;
	if (!kept->name) {
		*kept = *result;
	} else if (result->verdict == kept->verdict) {
		free_result(result);
	} else if (result->verdict > kept->verdict) {
		enum verdict before = kept->verdict;

		free_result(kept);
		*kept = *result;
		kept->others = before;
	} else {
		kept->others = result->verdict;
		free_result(result);
	}
	runner->done++;
	if (runner->plan->progress)
		runner->plan->progress(runner->plan->user, runner->done,
				       runner->all, kept);
}

/* The IUT that is kept has to be there for the next test. */
static void check_kept(struct runner *runner, struct worker *worker)
{
	static const char text[] =
		"the IUT has ended; it is started anew for the next test";

	if (!runner->kept.pid || waitpid(runner->kept.pid, &runner->kept.status,
					 WNOHANG) != runner->kept.pid)
		return;
	runner->kept.pid = 0;
	add_finding(&worker->result, VERDICT_FAIL, HDB_BOTH_063, text,
		    strlen(text));
	close(runner->kept.in);
	close(runner->kept.out);
	close(runner->kept.err);
}

static void finish(struct runner *runner, struct worker *worker, bool too_long)
{
	const struct test_case *test_case =
		runner->plan->tests[worker->which].test_case;
	int status = 0;

	if (too_long)
		kill(worker->pid, SIGKILL);
	waitpid(worker->pid, &status, 0);
	worker->pid = 0;
	while (read_worker(worker) && worker->length)
		;
	close(worker->fd);
	free(worker->octets);
	end_orphans(runner);
	judge(worker, test_case, status, too_long, runner->plan->limit_ms);
	check_kept(runner, worker);
	if (worker->result.verdict == VERDICT_INCONCLUSIVE &&
	    worker->which == 0 && runner->done == 0 &&
	    runner->own.setup.patience_ms > SHORT_PATIENCE_MS)
		runner->own.setup.patience_ms = SHORT_PATIENCE_MS;
	keep_result(runner, worker);
}

/* The first test says whether there can be a session at all. */
static bool may_begin(const struct runner *runner)
{
	return runner->begun < runner->all &&
	       (runner->begun == 0 || runner->done > 0);
}

static struct worker *find_worker(struct runner *runner)
{
	for (size_t i = 0; i < runner->plan->jobs; i++)
		if (!runner->workers[i].pid)
			return &runner->workers[i];
	return NULL;
}

static void look_after(struct runner *runner)
{
	struct pollfd fds[JOBS_MAX];
	size_t jobs = runner->plan->jobs;

	for (size_t i = 0; i < jobs; i++)
		fds[i] = (struct pollfd){
			.fd = runner->workers[i].pid ? runner->workers[i].fd :
						       -1,
			.events = POLLIN,
		};
	poll(fds, (nfds_t)jobs, 100);
	for (size_t i = 0; i < jobs; i++) {
		struct worker *worker = &runner->workers[i];

		if (!worker->pid)
			continue;
		if (fds[i].revents && !read_worker(worker))
			finish(runner, worker, false);
		else if (now_ms() > worker->deadline)
			finish(runner, worker, true);
	}
}

static int run_all(struct runner *runner)
{
	while (runner->done < runner->all) {
		struct worker *worker = find_worker(runner);

		if (worker && may_begin(runner)) {
			int code = begin(runner, worker, runner->begun);

			if (code)
				return code;
			runner->begun++;
		} else {
			look_after(runner);
		}
	}
	return 0;
}

/* All but the first test, which says whether there can be a session. */
static void shuffle(struct runner *runner)
{
	struct test chance = { .random = runner->plan->setup.seed };

	for (size_t i = 0; i < runner->all; i++)
		runner->order[i] = i;
	for (size_t i = runner->all; i > 2; i--) {
		size_t j = 1 + test_random(&chance) % (i - 1);
		size_t held = runner->order[i - 1];

		runner->order[i - 1] = runner->order[j];
		runner->order[j] = held;
	}
}

int runner_run(const struct plan_of_run *plan, struct result *results)
{
	struct runner *runner = calloc(1, sizeof(*runner));
	int code;

	if (!runner)
		return -ENOMEM;
	runner->plan = plan;
	runner->own = *plan;
	runner->results = results;
	runner->all = plan->count * plan->repeat;
	runner->order = calloc(runner->all + 1, sizeof(*runner->order));
	if (!runner->order) {
		free(runner);
		return -ENOMEM;
	}
	memset(results, 0, plan->count * sizeof(*results));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	shuffle(runner);
	code = run_all(runner);
	if (runner->kept.pid) {
		iut_kill(&runner->kept, SIGTERM);
		close(runner->kept.in);
		close(runner->kept.out);
		close(runner->kept.err);
	}
	free(runner->order);
	free(runner);
	return code;
}

void results_free(struct result *results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_result(&results[i]);
}
