/* SPDX-License-Identifier: MIT */
/*
 * A pipe to oneself. signalfd() would need the signals blocked, and then
 * nothing could end a read() from a pipe that has fallen silent.
 */

#define _GNU_SOURCE /* pipe2 */

#include "reference-common/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int stopping[] = { SIGINT, SIGTERM, SIGHUP };

/* A handler is given nothing, so this cannot be anywhere else. */
static volatile sig_atomic_t write_end = -1;

static void set_handlers(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(stopping) / sizeof(stopping[0]); i++)
		sigaction(stopping[i], &action, NULL);
}

static void on_signal(int number)
{
	int saved = errno;
	char octet = (char)number;
	ssize_t ignored = write(write_end, &octet, 1);

	(void)ignored;
	set_handlers(SIG_DFL);
	errno = saved;
}

int signals_open(struct failure *failure)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return fail_errno(failure, "cannot make a pipe for signals");
	write_end = ends[1];
	set_handlers(on_signal);
	/* Who closes a pipe that we write to is told of as an error. */
	signal(SIGPIPE, SIG_IGN);
	return ends[0];
}

void signals_close(int fd)
{
	set_handlers(SIG_DFL);
	close(write_end);
	close(fd);
	write_end = -1;
}
