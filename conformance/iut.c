/* SPDX-License-Identifier: MIT */
/* iut.c - the implementation under test as a process */
#define _GNU_SOURCE
#include "conformance/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long it may take to end when asked to. */
#define STOP_MS 2000

/* ---- starting ----------------------------------------------------------- */

static void become(const struct setup *setup, const char *endpoint,
		   int pipes[3][2])
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(pipes[0][0], STDIN_FILENO) < 0 ||
	    dup2(pipes[1][1], STDOUT_FILENO) < 0 ||
	    dup2(pipes[2][1], STDERR_FILENO) < 0)
		_exit(126);
	setenv("HDMABUF_ENDPOINT", endpoint, 1);
	setenv("HDMABUF_ROLE",
	       setup->role == HDMABUF_FRONTEND ? "frontend" : "backend", 1);
	execl("/bin/sh", "sh", "-c", setup->command, (char *)NULL);
	_exit(127);
}

static void close_all(int pipes[3][2])
{
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 2; j++)
			if (pipes[i][j] >= 0)
				close(pipes[i][j]);
}

static void keep_ours(struct iut *iut, int pipes[3][2])
{
	iut->in = pipes[0][1];
	iut->out = pipes[1][0];
	iut->err = pipes[2][0];
	pipes[0][1] = pipes[1][0] = pipes[2][0] = -1;
	close_all(pipes);
	fcntl(iut->in, F_SETFL, O_NONBLOCK);
	fcntl(iut->out, F_SETFL, O_NONBLOCK);
	fcntl(iut->err, F_SETFL, O_NONBLOCK);
}

int iut_start(struct iut *iut, const struct setup *setup, const char *endpoint)
{
	int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	pid_t pid = -1;

	memset(iut, 0, sizeof(*iut));
	if (!pipe2(pipes[0], O_CLOEXEC) && !pipe2(pipes[1], O_CLOEXEC) &&
	    !pipe2(pipes[2], O_CLOEXEC))
		pid = fork();
	if (pid < 0) {
		int code = -errno;

		close_all(pipes);
		return code;
	}
	if (!pid)
		become(setup, endpoint, pipes);
	setpgid(pid, pid);
	keep_ours(iut, pipes);
	iut->pid = iut->group = pid;
	return 0;
}

/* ---- what it says ------------------------------------------------------- */

/* Lines that nobody waits for are kept, and the oldest forgotten. */
static void keep_line(struct iut *iut, struct test *test)
{
	const size_t most = sizeof(iut->lines) / sizeof(iut->lines[0]);

	iut->line[iut->length] = '\0';
	iut->length = 0;
	note(test, SPEAKER_IUT, "says: %s", iut->line);
	if (iut->count == most) {
		free(iut->lines[0]);
		memmove(iut->lines, iut->lines + 1,
			--iut->count * sizeof(iut->lines[0]));
	}
	iut->lines[iut->count] = strdup(iut->line);
	if (iut->lines[iut->count])
		iut->count++;
}

static void take_octet(struct iut *iut, struct test *test, char octet)
{
	if (octet == '\n')
		keep_line(iut, test);
	else if (iut->length < sizeof(iut->line) - 1)
		iut->line[iut->length++] = octet ? octet : ' ';
}

/* Closes what has come to its end. */
static ssize_t read_some(int *fd, char *octets, size_t size)
{
	ssize_t got = *fd < 0 ? 0 : read(*fd, octets, size);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0 && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return got > 0 ? got : 0;
}

static bool read_output(struct iut *iut, struct test *test)
{
	char octets[4096];
	ssize_t got = read_some(&iut->out, octets, sizeof(octets));

	for (ssize_t i = 0; i < got; i++)
		take_octet(iut, test, octets[i]);
	return got > 0;
}

static bool read_errors(struct iut *iut, struct test *test)
{
	struct stream_head head = { .kind = STREAM_OUTPUT };
	char octets[2049];
	ssize_t got = read_some(&iut->err, octets, sizeof(octets) - 1);

	if (got <= 0)
		return false;
	octets[got] = '\0';
	stream_write(test->stream, &head, octets);
	return true;
}

/* What it has started goes with it, and is ours once it has no parent. */
static void end_group(const struct iut *iut)
{
	kill(-iut->group, SIGKILL);
	while (waitpid(-iut->group, NULL, 0) > 0)
		;
}

static void notice_end(struct iut *iut)
{
	if (iut->pid && waitpid(iut->pid, &iut->status, WNOHANG) == iut->pid) {
		end_group(iut);
		iut->pid = 0;
		iut->ended = true;
	}
}

bool iut_step(struct iut *iut, struct test *test)
{
	bool was_there = iut->pid;
	bool any = read_output(iut, test);

	any |= read_errors(iut, test);
	notice_end(iut);
	return any || (was_there && !iut->pid);
}

bool iut_write(struct iut *iut, const char *line)
{
	size_t left = strlen(line);

	while (left && iut->in >= 0) {
		struct pollfd fd = { .fd = iut->in, .events = POLLOUT };
		ssize_t done = write(iut->in, line, left);

		if (done < 0 && errno != EAGAIN)
			return false;
		if (done < 0 && poll(&fd, 1, STOP_MS) <= 0)
			return false;
		if (done > 0) {
			line += done;
			left -= (size_t)done;
		}
	}
	return !left;
}

char *iut_take_line(struct iut *iut, const char *prefix)
{
	size_t length = strlen(prefix);

	for (size_t i = 0; i < iut->count; i++) {
		char *line = iut->lines[i];

		if (strncmp(line, prefix, length) ||
		    (line[length] && line[length] != ' '))
			continue;
		memmove(iut->lines + i, iut->lines + i + 1,
			(--iut->count - i) * sizeof(iut->lines[0]));
		return line;
	}
	return NULL;
}

void iut_drop_lines(struct iut *iut)
{
	while (iut->count)
		free(iut->lines[--iut->count]);
}

/* ---- ending ------------------------------------------------------------- */

static void forget(struct iut *iut)
{
	int *fds[] = { &iut->in, &iut->out, &iut->err };

	for (size_t i = 0; i < 3; i++)
		if (*fds[i] >= 0) {
			close(*fds[i]);
			*fds[i] = -1;
		}
	iut_drop_lines(iut);
}

/* Its output is read meanwhile, else it might wait for us to do so. */
static bool await_end(struct iut *iut, struct test *test, unsigned int ms)
{
	uint64_t deadline = test_deadline_in(ms);

	while (iut->pid && now_ms() < deadline) {
		struct pollfd fds[] = { { iut->out, POLLIN, 0 },
					{ iut->err, POLLIN, 0 } };

		poll(fds, 2, 2);
		iut_step(iut, test);
	}
	return !iut->pid;
}

int iut_stop(struct iut *iut, struct test *test)
{
	if (iut->in >= 0)
		close(iut->in);
	iut->in = -1;
	if (iut->pid) {
		/* Who does not read commands does not see their end. */
		if (!await_end(iut, test, 50))
			kill(-iut->group, SIGTERM);
		if (!await_end(iut, test, STOP_MS))
			iut_kill(iut, SIGKILL);
	}
	while (iut_step(iut, test))
		;
	forget(iut);
	return iut->status;
}

void iut_kill(struct iut *iut, int number)
{
	if (!iut->pid)
		return;
	kill(-iut->group, number);
	waitpid(iut->pid, &iut->status, 0);
	end_group(iut);
	iut->pid = 0;
	iut->ended = false;
}
