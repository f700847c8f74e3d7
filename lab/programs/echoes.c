/* SPDX-License-Identifier: MIT */
/*
 * echoes.c - requests over a session of ours, to be counted
 *
 *	echoes ADDRESS WINDOW COUNT	a frontend; asks COUNT times, WINDOW at once
 *
 * At its end it prints "N notifications", those it has sent for them.
 *
 * Exit status: 0; 64 for wrong usage; 69 if there is no session, or it is lost.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <hdmabuf/session.h>

#define PATIENCE_MS 60000

struct program {
	uint32_t window;
	uint32_t count;
	uint32_t asked;
	uint32_t answered;
	uint64_t notifications;
	bool over;
	bool lost;
};

static void ask(struct program *program, struct hdmabuf_session *session)
{
	static const uint8_t octets[56];

	while (program->asked < program->count &&
	       program->asked - program->answered < program->window &&
	       !hdmabuf_session_echo(session, octets))
		program->asked++;
}

static uint64_t notified(const struct hdmabuf_session *session)
{
	return hdmabuf_session_statistics(session)->notifications_sent;
}

static void connected(void *user, struct hdmabuf_session *session)
{
	struct program *program = user;

	program->notifications = notified(session);
	ask(program, session);
}

static void echoed(void *user, struct hdmabuf_session *session,
		   const uint8_t *octets, const struct hdmabuf_fault *fault)
{
	struct program *program = user;

	(void)octets;
	program->lost |= fault != NULL;
	program->answered++;
	if (program->answered < program->count) {
		ask(program, session);
		return;
	}
	program->notifications = notified(session) - program->notifications;
	hdmabuf_session_close(session, HDMABUF_REASON_DONE);
}

static void disconnected(void *user, struct hdmabuf_session *session,
			 uint16_t status, const char *why)
{
	struct program *program = user;

	(void)session;
	(void)status;
	(void)why;
	program->lost |= program->answered < program->count;
	program->over = true;
}

static const struct hdmabuf_callbacks callbacks = {
	.connected = connected,
	.echoed = echoed,
	.disconnected = disconnected,
};

static bool run(struct hdmabuf_endpoint *endpoint,
		const struct program *program)
{
	while (!program->over) {
		struct pollfd fd = { hdmabuf_endpoint_fd(endpoint), POLLIN, 0 };

		if (poll(&fd, 1, PATIENCE_MS) != 1 ||
		    hdmabuf_endpoint_dispatch(endpoint))
			return false;
	}
	return !program->lost;
}

int main(int argc, char **argv)
{
	struct program program = { 0 };
	struct hdmabuf_endpoint *endpoint;
	char error[256];
	bool done;

	if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[3]) < 1) {
		fputs("usage: echoes ADDRESS WINDOW COUNT\n", stderr);
		return EX_USAGE;
	}
	program.window = (uint32_t)atoi(argv[2]);
	program.count = (uint32_t)atoi(argv[3]);
	if (hdmabuf_endpoint_open(argv[1], HDMABUF_FRONTEND, NULL, &callbacks,
				  &program, &endpoint, error, sizeof(error))) {
		fprintf(stderr, "echoes: %s\n", error);
		return EX_UNAVAILABLE;
	}
	done = run(endpoint, &program);
	hdmabuf_endpoint_close(endpoint);
	if (!done) {
		fprintf(stderr, "echoes: the session with %s is lost\n",
			argv[1]);
		return EX_UNAVAILABLE;
	}
	printf("%llu notifications\n",
	       (unsigned long long)program.notifications);
	return 0;
}
