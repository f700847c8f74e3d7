/* SPDX-License-Identifier: MIT */
#include "conformance/tests/support.h"
#include "conformance/internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void let_pass(struct test *test, unsigned int milliseconds)
{
	uint64_t deadline = test_deadline_in(milliseconds);

	while (test_wait(test, deadline))
		;
}

/* ---- attempts at a session ---------------------------------------------- */

struct end *attempt_open(struct test *test)
{
	struct end *end = test_open(test);

	attempt_again(end);
	return end;
}

void attempt_again(struct end *end)
{
	if (!end_await_offer(end))
		inconclusive(end->test,
			     "the IUT publishes no offer that is new");
	end_make_channel(end);
}

uint16_t attempt_hello(struct end *end, message_t hello, uint8_t *answer)
{
	uint32_t id = end_put(end, hello);
	const uint8_t *got;

	end_push(end);
	end_publish_answer(end);
	got = end_await_answer_to(end, id);
	if (!got)
		return UINT16_MAX;
	if (answer)
		memcpy(answer, got, sizeof(message_t));
	return (uint16_t)wire_get(got, HEADER_STATUS);
}

static bool has_epoch(struct end *end, uint64_t epoch)
{
	char text[1025];
	uint64_t seen;

	return wire_record_get(end_record(end, text), HDMABUF_KEY_EPOCH,
			       &seen) == 1 &&
	       seen == epoch;
}

bool await_record_change(struct end *end, uint64_t epoch)
{
	uint64_t deadline = test_deadline(end->test);

	while (has_epoch(end, epoch))
		if (!test_wait(end->test, deadline))
			return false;
	return true;
}

bool await_same_offer(struct end *end, uint64_t deadline)
{
	return has_epoch(end, end->peer_epoch) &&
	       test_wait(end->test, deadline);
}

/* ---- references --------------------------------------------------------- */

/* As one call has shared them: in runs that are as long as can be. */
static bool take_back(struct end *end, const uint64_t *references,
		      uint64_t count, uint64_t deadline)
{
	struct hdmabuf_run *run = end_array(end, (size_t)count, sizeof(*run));
	size_t runs = 0;

	for (uint64_t i = 0; i < count; i++) {
		if (runs && references[i] == run[runs - 1].reference +
						     run[runs - 1].count)
			run[runs - 1].count++;
		else
			run[runs++] = (struct hdmabuf_run){ references[i], 1 };
	}
	return end_revoke(end, run, runs, deadline);
}

bool is_revoked(struct end *end, const uint64_t *references, uint64_t count)
{
	return take_back(end, references, count, 0);
}

bool await_revoked(struct end *end, const uint64_t *references, uint64_t count)
{
	if (!take_back(end, references, count, test_deadline(end->test)))
		return false;
	note(end->test, SPEAKER_SUITE, "has revoked %u pages",
	     (unsigned int)count);
	return true;
}

/* ---- death -------------------------------------------------------------- */

/*
 * The IUT and its lines are for the process that outlives this one, to which it is
 * something that lives as long as it does itself.
 */
static void let_go_of_iut(struct iut *iut)
{
	if (iut->pid) {
		close(iut->in);
		close(iut->out);
		close(iut->err);
	}
	iut->in = iut->out = iut->err = -1;
	iut->pid = getppid();
}

__attribute__((noreturn)) static void
play(struct test *test, void (*script)(struct end *end, unsigned int step),
     unsigned int step, const char *address, int ready)
{
	struct end *end;

	let_go_of_iut(test->iut);
	test->end_count = 0;
	if (setjmp(test->way_out))
		_exit(1);
	end = end_open(test, TEST_ENDS_MAX, hdmabuf_platform_open, address);
	test->ends[test->end_count++] = end;
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (uint64_t deadline = test_start_deadline(test);
	     !end->link && test_wait(test, deadline);)
		;
	if (!end->link)
		_exit(2);
	script(end, step);
	note(test, SPEAKER_SUITE, "is killed");
	kill(getpid(), SIGKILL);
	_exit(1);
}

static void await_ready(int fd)
{
	char octet;

	while (read(fd, &octet, 1) < 0)
		;
	close(fd);
}

pid_t play_start(struct test *test,
		 void (*script)(struct end *end, unsigned int step),
		 unsigned int step)
{
	bool listens = test->setup->role == HDMABUF_FRONTEND;
	const char *address = test_free_endpoint(test);
	int ready[2];
	pid_t pid;

	if (!listens)
		test_start_iut(test);
	if (pipe(ready))
		error(test, "no pipe");
	pid = fork();
	if (!pid) {
		close(ready[0]);
		play(test, script, step, address, ready[1]);
	}
	close(ready[1]);
	if (pid < 0)
		error(test, "no process");
	await_ready(ready[0]);
	if (listens)
		test_start_iut(test);
	return pid;
}

void play_await_session(struct test *test)
{
	uint64_t deadline = test_start_deadline(test);

	while (!event_find(test, "connected"))
		if (!test_wait(test, deadline))
			inconclusive(test,
				     "the IUT does not tell of a session");
}

void play_await(struct test *test, pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		iut_step(test->iut, test);
		usleep(1000);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		inconclusive(test, "the IUT does not come to %s",
			     test->endpoint);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		inconclusive(test, "the other end did not get that far");
}

void play_and_die(struct test *test,
		  void (*script)(struct end *end, unsigned int step),
		  unsigned int step)
{
	play_await(test, play_start(test, script, step));
}
