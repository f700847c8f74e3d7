/* SPDX-License-Identifier: MIT */
/* Two processes: starting, dying, stopping, coming back. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <grp.h>
#include <sys/stat.h>

#include "local_ball.h"
#include "local_raw.h"

static void play_frontend(const struct place *place)
{
	play(place, HDMABUF_FRONTEND);
}

static void play_backend(const struct place *place)
{
	play(place, HDMABUF_BACKEND);
}

/* Shares, maps, and stays: dispatching, but letting nothing go. */
static void hold(const struct place *place, enum hdmabuf_role role)
{
	struct ball ball;

	ball_open(&ball, place, role);
	ball_meet(&ball);
	*ball.theirs = 'h';
	ball.end.ops->notify(end_link(&ball.end));
	for (;;)
		ends_wait(&ball.end, NULL);
}

static void hold_frontend(const struct place *place)
{
	hold(place, HDMABUF_FRONTEND);
}

static void hold_backend(const struct place *place)
{
	hold(place, HDMABUF_BACKEND);
}

/* ---- starting ----------------------------------------------------------- */

static void backend_first(void **state)
{
	struct place place;
	struct ball ball;
	pid_t pid;

	(void)state;
	place_new(&place);
	ball_open(&ball, &place, HDMABUF_BACKEND);
	pid = spawn(play_frontend, &place);
	ball_meet(&ball);
	ball_play(&ball);
	ball_drop(&ball);
	ends_until(&ball.end, NULL, end_last(&ball.end)->downs);
	check_exit(pid);
	ball_close(&ball);
	place_free(&place);
}

static void frontend_first(void **state)
{
	struct place place;
	struct ball ball;
	pid_t pid;
	int i;

	(void)state;
	place_new(&place);
	ball_open(&ball, &place, HDMABUF_FRONTEND);
	for (i = 0; i < 20; i++)
		ends_wait(&ball.end, NULL);
	assert_int_equal(ball.end.ups, 0);
	assert_int_equal(ball.end.lines, 0);
	pid = spawn(play_backend, &place);
	ball_meet(&ball);
	ball_play(&ball);
	ball_drop(&ball);
	ends_until(&ball.end, NULL, end_last(&ball.end)->downs);
	check_exit(pid);
	ball_close(&ball);
	place_free(&place);
}

/* ---- notifications ------------------------------------------------------- */

enum {
	ROUNDS = 3000
};

/* Without a time limit: one that is lost is waited for for ever. */
static void answer_notifications(struct end *end)
{
	struct peer *peer = end_last(end);
	int seen = 0;

	while (seen < ROUNDS && !peer->downs) {
		if (peer->notified == seen) {
			end_is_readable(end, -1);
			end_turn(end);
			continue;
		}
		seen++;
		assert_int_equal(peer->notified, seen);
		assert_int_equal(end->ops->notify(peer->link), 0);
	}
	assert_int_equal(seen, ROUNDS);
}

static void answer(const struct place *place)
{
	struct end end;

	end_open(&end, place->address, HDMABUF_FRONTEND);
	ends_until(&end, NULL, end.ups);
	answer_notifications(&end);
	ends_until(&end, NULL, end.peers[0].downs);
	end_close(&end);
}

static void loses_no_notification(void **state)
{
	struct place place;
	struct end end;
	pid_t pid;

	(void)state;
	place_new(&place);
	end_open(&end, place.address, HDMABUF_BACKEND);
	pid = spawn(answer, &place);
	ends_until(&end, NULL, end.ups);
	assert_int_equal(end.ops->notify(end_link(&end)), 0);
	answer_notifications(&end);
	end_close(&end);
	check_exit(pid);
	place_free(&place);
}

/* ---- dying -------------------------------------------------------------- */

/* The peer holds a page of ours: it may be had back when that process is dead. */
static void lose_peer(struct ball *ball, pid_t pid)
{
	struct hdmabuf_link *link = end_link(&ball->end);
	struct peer *peer = end_last(&ball->end);
	int notified, i;

	ends_until(&ball->end, NULL, *ball->own == 'h');
	for (i = 0; i < 10; i++) {
		assert_int_equal(ball->end.ops->revoke(link, &ball->run, 1),
				 -EBUSY);
		ends_wait(&ball->end, NULL);
	}
	notified = peer->notified;
	end_by(pid, SIGKILL);
	ends_until(&ball->end, NULL, peer->downs);
	assert_string_equal(peer->why, "the peer has gone");
	assert_int_equal(peer->notified, notified + 1);
	assert_int_equal(*ball->theirs, 'a'); /* HDB-PLAT-007 */
	*ball->theirs = 'b';
	assert_int_equal(ball->end.ops->revoke(link, &ball->run, 1), 0);
	assert_int_equal(ball->end.ops->unmap(link, (void *)ball->theirs, 1),
			 0);
	peer_free_link(peer);
	*ball->own = 'a';
}

static void survives_frontend(void **state)
{
	struct place place;
	struct ball ball;
	pid_t pid;
	int i;

	(void)state;
	place_new(&place);
	ball_open(&ball, &place, HDMABUF_BACKEND);
	for (i = 0; i < 3; i++) {
		pid = spawn(hold_frontend, &place);
		ends_until(&ball.end, NULL, ball.end.ups == i + 1);
		ball_meet(&ball);
		lose_peer(&ball, pid);
	}
	pid = spawn(play_frontend, &place);
	ends_until(&ball.end, NULL, ball.end.ups == i + 1);
	ball_meet(&ball);
	ball_play(&ball);
	ball_drop(&ball);
	ends_until(&ball.end, NULL, end_last(&ball.end)->downs);
	check_exit(pid);
	ball_close(&ball);
	place_free(&place);
}

/* Each backend leaves a socket behind that the next has to replace. */
static void survives_backend(void **state)
{
	struct place place;
	struct ball ball;
	pid_t pid;
	int i;

	(void)state;
	place_new(&place);
	ball_open(&ball, &place, HDMABUF_FRONTEND);
	for (i = 0; i < 3; i++) {
		pid = spawn(hold_backend, &place);
		ends_until(&ball.end, NULL, ball.end.ups == i + 1);
		ball_meet(&ball);
		lose_peer(&ball, pid);
		assert_int_equal(access(place.path, F_OK), 0);
	}
	pid = spawn(play_backend, &place);
	ends_until(&ball.end, NULL, ball.end.ups == i + 1);
	ball_meet(&ball);
	ball_play(&ball);
	ball_drop(&ball);
	ends_until(&ball.end, NULL, end_last(&ball.end)->downs);
	check_exit(pid);
	ball_close(&ball);
	place_free(&place);
}

static void waits_for_the_stopped(void **state)
{
	struct place place;
	struct ball ball;
	pid_t pid;
	int i;

	(void)state;
	place_new(&place);
	ball_open(&ball, &place, HDMABUF_BACKEND);
	pid = spawn(hold_frontend, &place);
	ball_meet(&ball);
	ends_until(&ball.end, NULL, *ball.own == 'h');
	kill(pid, SIGSTOP);
	for (i = 0; i < 20; i++) {
		ends_wait(&ball.end, NULL);
		assert_int_equal(end_revoke(&ball.end, &ball.run), -EBUSY);
	}
	assert_int_equal(ball.end.peers[0].downs, 0);
	ball.end.ops->disconnect(end_link(&ball.end));
	for (i = 0; i < 20; i++) {
		ends_wait(&ball.end, NULL);
		assert_int_equal(end_revoke(&ball.end, &ball.run), -EBUSY);
	}
	end_by(pid, SIGKILL);
	ends_until(&ball.end, NULL, end_revoke(&ball.end, &ball.run) == 0);
	end_free_link(&ball.end, end_last(&ball.end));
	ball_close(&ball);
	place_free(&place);
}

/* Loses its connection without a word, and keeps what it has mapped. */
static void close_and_stay(const struct place *place)
{
	int socket = raw_connect(place->path);

	raw_attach(socket);
	while (raw_wait(socket) != GRANT)
		;
	close(socket);
	for (;;)
		pause();
}

static void waits_for_the_process(void **state)
{
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	struct place place;
	struct end end;
	pid_t pid;
	int i;

	(void)state;
	place_new(&place);
	end_open(&end, place.address, HDMABUF_BACKEND);
	memory_new(&memory, 1);
	pid = spawn(close_and_stay, &place);
	ends_until(&end, NULL, end.ups == 1);
	if (end_link(&end)->pidfd < 0) {
		end_by(pid, SIGKILL);
		hdmabuf_test_skip("this kernel has no pidfds");
	}
	run = end_share(&end, &memory, 0, 1, READ_WRITE);
	ends_until(&end, NULL, end.peers[0].downs);
	for (i = 0; i < 20; i++) {
		ends_wait(&end, NULL);
		assert_int_equal(end_revoke(&end, &run), -EBUSY);
	}
	end_by(pid, SIGKILL);
	ends_until(&end, NULL, end_revoke(&end, &run) == 0);
	hdmabuf_memory_free(&memory);
	end_close(&end);
	place_free(&place);
}

/* A peer that leaves in good order need not end: its word is enough. */
static void leave_and_stay(const struct place *place)
{
	struct ball ball;

	ball_open(&ball, place, HDMABUF_FRONTEND);
	ball_meet(&ball);
	ends_until(&ball.end, NULL, *ball.own == 'm');
	*ball.theirs = 'l';
	ball.end.ops->unmap(end_link(&ball.end), (void *)ball.theirs, 1);
	end_free_link(&ball.end, end_last(&ball.end));
	for (;;)
		pause();
}

static void takes_leave_for_an_end(void **state)
{
	struct place place;
	struct ball ball;
	pid_t pid;

	(void)state;
	place_new(&place);
	ball_open(&ball, &place, HDMABUF_BACKEND);
	pid = spawn(leave_and_stay, &place);
	ball_meet(&ball);
	*ball.theirs = 'm';
	ends_until(&ball.end, NULL, *ball.own == 'l');
	ends_until(&ball.end, NULL, ball.end.peers[0].downs);
	assert_string_equal(ball.end.peers[0].why, "the peer has left");
	ends_until(&ball.end, NULL, end_revoke(&ball.end, &ball.run) == 0);
	end_by(pid, SIGKILL);
	end_free_link(&ball.end, end_last(&ball.end));
	ball_close(&ball);
	place_free(&place);
}

/* ---- other users -------------------------------------------------------- */

static void become_somebody(void)
{
	assert_int_equal(setgroups(0, NULL), 0);
	assert_int_equal(setgid(65534), 0);
	assert_int_equal(setuid(65534), 0);
}

static void play_as_somebody(const struct place *place)
{
	become_somebody();
	play(place, HDMABUF_FRONTEND);
}

static void serves_other_users(void **state)
{
	struct place place;
	struct ball ball;
	char text[64];
	pid_t pid;

	(void)state;
	if (getuid())
		hdmabuf_test_skip("only root can be two users");
	place_new(&place);
	assert_int_equal(chmod(place.directory, 0755), 0);
	ball_open(&ball, &place, HDMABUF_BACKEND);
	assert_int_equal(chmod(place.path, 0666), 0);
	pid = spawn(play_as_somebody, &place);
	ball_meet(&ball);
	ball.end.ops->peer(end_link(&ball.end), text, sizeof(text));
	assert_non_null(strstr(text, ", uid 65534"));
	ball_play(&ball);
	ball_drop(&ball);
	ends_until(&ball.end, NULL, end_last(&ball.end)->downs);
	check_exit(pid);
	ball_close(&ball);
	place_free(&place);
}

/* By which that process tells that it was not let in. */
static int denied[2];

static void knock_as_somebody(const struct place *place)
{
	char expected[256];
	struct end end;

	become_somebody();
	end_open(&end, place->address, HDMABUF_FRONTEND);
	ends_until(&end, NULL, end.lines);
	snprintf(expected, sizeof(expected),
		 "cannot connect to %s: Permission denied; trying again",
		 place->path);
	assert_string_equal(end.log, expected);
	assert_int_equal(write(denied[1], "", 1), 1);
	ends_until(&end, NULL, has_told(&end));
	assert_int_equal(end.lines, 1);
	end_close(&end);
}

static void obeys_the_permissions_of_the_path(void **state)
{
	struct place place;
	struct end end;
	pid_t pid;
	char byte;

	(void)state;
	if (getuid())
		hdmabuf_test_skip("only root can be two users");
	place_new(&place);
	assert_int_equal(pipe2(denied, O_CLOEXEC), 0);
	assert_int_equal(chmod(place.directory, 0755), 0);
	end_open(&end, place.address, HDMABUF_BACKEND);
	assert_int_equal(chmod(place.path, 0600), 0);
	pid = spawn(knock_as_somebody, &place);
	assert_int_equal(read(denied[0], &byte, 1), 1);
	end_turn(&end);
	assert_int_equal(end.ups, 0);
	assert_int_equal(chmod(place.path, 0666), 0);
	ends_until(&end, NULL, end.ups == 1);
	end_publish(&end, "epoch=1\n");
	ends_until(&end, NULL, end.peers[0].downs);
	check_exit(pid);
	end_close(&end);
	close(denied[0]);
	close(denied[1]);
	place_free(&place);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(backend_first),
	cmocka_unit_test(frontend_first),
	cmocka_unit_test(loses_no_notification),
	cmocka_unit_test(survives_frontend),
	cmocka_unit_test(survives_backend),
	cmocka_unit_test(waits_for_the_stopped),
	cmocka_unit_test(waits_for_the_process),
	cmocka_unit_test(takes_leave_for_an_end),
	cmocka_unit_test(serves_other_users),
	cmocka_unit_test(obeys_the_permissions_of_the_path),
};

int main(void)
{
	return hdmabuf_test_run("local-process", tests,
				sizeof(tests) / sizeof(tests[0]));
}
