/* SPDX-License-Identifier: MIT */
/*
 * local_ball.h - two processes that play with shared memory, for the tests of the
 * local platform
 */
#ifndef HDMABUF_PLATFORM_LOCAL_BALL_H
#define HDMABUF_PLATFORM_LOCAL_BALL_H

#include <signal.h>
#include <sys/wait.h>

#include "local.h"
#include "local_ends.h"

/* ---- the other process -------------------------------------------------- */

/* Runs @body in a process of its own; it dies with the test. */
static inline pid_t spawn(void (*body)(const struct place *place),
			  const struct place *place)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	body(place);
	_exit(0);
}

static inline void check_exit(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static inline void end_by(pid_t pid, int signal_number)
{
	int status;

	assert_int_equal(kill(pid, signal_number), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* Both ends tell the other what they share by "channel=REFERENCE". */
static inline void tell(struct end *end, const struct hdmabuf_run *run)
{
	char text[64];

	snprintf(text, sizeof(text), "channel=%u\n",
		 (unsigned int)run->reference);
	end_publish(end, text);
}

static inline struct hdmabuf_run told(struct end *end)
{
	char text[HDMABUF_LOCAL_RECORD_OCTETS + 1] = "";
	struct hdmabuf_run run = { 0, 1 };
	unsigned int reference;

	end->ops->record(end_link(end), text, sizeof(text) - 1);
	assert_int_equal(sscanf(text, "channel=%u", &reference), 1);
	run.reference = reference;
	return run;
}

static inline bool has_told(struct end *end)
{
	return end->ups && end_last(end)->records;
}

/*
 * What either process does: share a page with 'a' in it, map the other's, add one
 * to what is there, until that is 'z'.
 */
struct ball {
	struct end end;
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	volatile char *own;
	volatile char *theirs;
};

static inline void ball_open(struct ball *ball, const struct place *place,
			     enum hdmabuf_role role)
{
	end_open(&ball->end, place->address, role);
	memory_new(&ball->memory, 1);
	ball->own = ball->memory.address;
	*ball->own = 'a';
}

static inline void ball_meet(struct ball *ball)
{
	struct hdmabuf_run run;
	int ups = ball->end.ups;

	ends_until(&ball->end, NULL, ball->end.ups > ups || ups);
	ball->run = end_share(&ball->end, &ball->memory, 0, 1, READ_WRITE);
	tell(&ball->end, &ball->run);
	ends_until(&ball->end, NULL, has_told(&ball->end));
	run = told(&ball->end);
	ball->theirs = end_map(&ball->end, &run, 1, READ_WRITE);
}

static inline void ball_play(struct ball *ball)
{
	while (*ball->own < 'z' || *ball->theirs < 'z') {
		if (*ball->theirs <= *ball->own && *ball->theirs < 'z') {
			++*ball->theirs;
			ball->end.ops->notify(end_link(&ball->end));
		}
		ends_wait(&ball->end, NULL);
	}
}

static inline void ball_drop(struct ball *ball)
{
	struct hdmabuf_link *link = end_link(&ball->end);

	assert_int_equal(ball->end.ops->unmap(link, (void *)ball->theirs, 1),
			 0);
	ends_until(&ball->end, NULL, end_revoke(&ball->end, &ball->run) == 0);
}

static inline void ball_close(struct ball *ball)
{
	hdmabuf_memory_free(&ball->memory);
	end_close(&ball->end);
}

static inline void play(const struct place *place, enum hdmabuf_role role)
{
	struct ball ball;

	ball_open(&ball, place, role);
	ball_meet(&ball);
	ball_play(&ball);
	ball_drop(&ball);
	ball_close(&ball);
}

#endif /* HDMABUF_PLATFORM_LOCAL_BALL_H */
