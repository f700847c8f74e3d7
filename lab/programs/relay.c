/* SPDX-License-Identifier: MIT */
/*
 * relay.c - runs a program in another domain as if it ran here
 *
 *	relay serve DOMAIN [NAME]	in that domain: for whoever asks from DOMAIN
 *	relay run DOMAIN[/NAME] COMMAND	runs COMMAND there, by sh
 *
 * Standard input, output and error are passed on, as are SIGTERM and the exit status,
 * or the signal that ended it; when `relay run` is killed, so is all that COMMAND has
 * started. There is one command at a time for a NAME, which is 0 by default; who asks
 * meanwhile waits.
 *
 * What is passed on are frames over a vchan: a head, and some octets. Its place in
 * XenStore is data/relay/NAME of the serving domain. That is there only while nobody
 * has come, so that no client meets the remains of another.
 *
 * Exit status of `relay run`: that of COMMAND; 69 if the other domain does not answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <libxenvchan.h>
#include <xenstore.h>

#define RING_OCTETS 16384
#define FRAME_MAX   4096
#define CONNECT_MS  30000

enum frame_kind {
	FRAME_READY,   /* you have been noticed */
	FRAME_COMMAND, /* run this */
	FRAME_INPUT,   /* for its standard input; nothing: that ends */
	FRAME_SIGNAL,  /* send it this signal, one octet */
	FRAME_OUTPUT,  /* from its standard output */
	FRAME_ERRORS,  /* from its standard error */
	FRAME_STATUS   /* it has ended, status as of waitpid(): four octets */
};

struct frame_head {
	uint32_t kind;
	uint32_t length;
};

struct frame {
	struct frame_head head;
	char octets[FRAME_MAX + 1];
};

static int fail(int status, const char *what, const char *why)
{
	fprintf(stderr, "relay: %s: %s\n", what, why);
	return status;
}

/* ---- frames ------------------------------------------------------------- */

static bool send_all(struct libxenvchan *vchan, const void *octets, size_t size)
{
	int sent;

	while (!(sent = libxenvchan_send(vchan, octets, size)))
		if (libxenvchan_is_open(vchan) != 1 || libxenvchan_wait(vchan))
			return false;
	return sent > 0;
}

/* False if there is nobody any more. */
static bool send_frame(struct libxenvchan *vchan, enum frame_kind kind,
		       const void *octets, size_t length)
{
	struct frame_head head = { kind, (uint32_t)length };

	return send_all(vchan, &head, sizeof(head)) &&
	       (!length || send_all(vchan, octets, length));
}

/* 1 if there was one, 0 if it has not come yet, -1 if it makes no sense. */
static int take_frame(struct libxenvchan *vchan, struct frame *frame,
		      bool *has_head)
{
	if (!*has_head &&
	    libxenvchan_recv(vchan, &frame->head, sizeof(frame->head)) <= 0)
		return 0;
	*has_head = true;
	if (frame->head.length > FRAME_MAX)
		return -1;
	if (frame->head.length &&
	    libxenvchan_recv(vchan, frame->octets, frame->head.length) <= 0)
		return 0;
	frame->octets[frame->head.length] = '\0';
	*has_head = false;
	return 1;
}

/* Takes the event that has made the descriptor readable. */
static void take_event(struct libxenvchan *vchan, const struct pollfd *fd)
{
	if (fd->revents & POLLIN)
		libxenvchan_wait(vchan);
}

static bool write_all(int fd, const char *octets, size_t length)
{
	while (length) {
		ssize_t done = write(fd, octets, length);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			octets += done;
			length -= (size_t)done;
		}
	}
	return true;
}

/* Of these signals, one at a time. */
static int listen_for(int first, int second)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int take_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ?
		       (int)info.ssi_signo :
		       0;
}

/* ---- serving ------------------------------------------------------------ */

/**
 * struct served - a command that is run for a client
 * @vchan: to the client
 * @pid: of the command, 0 if there is none
 * @in: its standard input, or -1
 * @out: its standard output
 * @err: its standard error
 * @frame: of the client
 * @has_head: of @frame, that has come already
 * @written: of @frame, if that is input, what the command has taken
 * @holds: @frame is input that the command has not taken
 */
struct served {
	struct libxenvchan *vchan;
	pid_t pid;
	int in, out, err;
	struct frame frame;
	bool has_head;
	size_t written;
	bool holds;
};

static void become(const char *command, int pipes[3][2])
{
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(pipes[0][0], STDIN_FILENO) < 0 ||
	    dup2(pipes[1][1], STDOUT_FILENO) < 0 ||
	    dup2(pipes[2][1], STDERR_FILENO) < 0)
		_exit(126);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static bool start(struct served *served)
{
	int pipes[3][2];

	if (pipe2(pipes[0], O_CLOEXEC) || pipe2(pipes[1], O_CLOEXEC) ||
	    pipe2(pipes[2], O_CLOEXEC))
		return false;
	served->pid = fork();
	if (!served->pid)
		become(served->frame.octets, pipes);
	close(pipes[0][0]);
	close(pipes[1][1]);
	close(pipes[2][1]);
	served->in = pipes[0][1];
	served->out = pipes[1][0];
	served->err = pipes[2][0];
	fcntl(served->in, F_SETFL, O_NONBLOCK);
	fcntl(served->out, F_SETFL, O_NONBLOCK);
	fcntl(served->err, F_SETFL, O_NONBLOCK);
	if (served->pid > 0)
		setpgid(served->pid, served->pid);
	return served->pid > 0;
}

static void close_in(struct served *served)
{
	if (served->in >= 0)
		close(served->in);
	served->in = -1;
}

static void put_input(struct served *served)
{
	size_t length = served->frame.head.length;
	ssize_t done = 0;

	if (served->in >= 0 && served->written < length)
		done = write(served->in, served->frame.octets + served->written,
			     length - served->written);
	if (done > 0)
		served->written += (size_t)done;
	if ((done < 0 && errno != EAGAIN) || !length)
		close_in(served);
	served->holds = served->in >= 0 && served->written < length;
}

static bool carry_out(struct served *served)
{
	switch (served->frame.head.kind) {
	case FRAME_COMMAND:
		return !served->pid && start(served);
	case FRAME_INPUT:
		served->written = 0;
		put_input(served);
		return true;
	case FRAME_SIGNAL:
		if (served->pid)
			kill(-served->pid, served->frame.octets[0]);
		return true;
	default:
		return false;
	}
}

/* False if the client is not one of ours. */
static bool take_frames(struct served *served)
{
	int got = 0;

	while (!served->holds &&
	       (got = take_frame(served->vchan, &served->frame,
				 &served->has_head)) > 0)
		if (!carry_out(served))
			return false;
	return got >= 0;
}

/* Passes on some of what there is; false if there is nothing. */
static bool pass_on(struct served *served, int *fd, enum frame_kind kind)
{
	char octets[FRAME_MAX];
	ssize_t got;

	if (*fd < 0)
		return false;
	got = read(*fd, octets, sizeof(octets));
	if (got > 0)
		return send_frame(served->vchan, kind, octets, (size_t)got);
	if (!got) {
		close(*fd);
		*fd = -1;
	}
	return false;
}

static bool pass_on_both(struct served *served)
{
	bool any = pass_on(served, &served->out, FRAME_OUTPUT);

	return pass_on(served, &served->err, FRAME_ERRORS) || any;
}

/* With all that it has started, which must not outlive it. */
static void end_command(struct served *served)
{
	int status = 0;

	if (!served->pid)
		return;
	kill(-served->pid, SIGKILL);
	waitpid(served->pid, &status, 0);
	served->pid = 0;
}

/* True when it has ended, and the client knows. */
static bool has_ended(struct served *served)
{
	int status;

	if (!served->pid || waitpid(served->pid, &status, WNOHANG) <= 0)
		return false;
	kill(-served->pid, SIGKILL);
	served->pid = 0;
	while (pass_on_both(served))
		;
	send_frame(served->vchan, FRAME_STATUS, &status, sizeof(status));
	return true;
}

static void attend(struct served *served, int signals)
{
	while (libxenvchan_is_open(served->vchan) == 1) {
		struct pollfd fds[] = {
			{ libxenvchan_fd_for_select(served->vchan), POLLIN, 0 },
			{ signals, POLLIN, 0 },
			{ served->out, POLLIN, 0 },
			{ served->err, POLLIN, 0 },
			{ served->holds ? served->in : -1, POLLOUT, 0 },
		};

		poll(fds, 5, -1);
		take_event(served->vchan, &fds[0]);
		while (take_signal(signals))
			;
		if (served->holds)
			put_input(served);
		if (!take_frames(served))
			return;
		pass_on_both(served);
		if (has_ended(served))
			return;
	}
}

/* Nobody who comes from now on finds this one. */
static void hide(struct xs_handle *store, const char *path)
{
	xs_rm(store, XBT_NULL, path);
}

static void serve_one(struct libxenvchan *vchan, struct xs_handle *store,
		      const char *path, int signals)
{
	struct served served = {
		.vchan = vchan, .in = -1, .out = -1, .err = -1
	};

	while (libxenvchan_is_open(vchan) == 2)
		libxenvchan_wait(vchan);
	hide(store, path);
	if (send_frame(vchan, FRAME_READY, NULL, 0))
		attend(&served, signals);
	end_command(&served);
	close_in(&served);
	if (served.out >= 0)
		close(served.out);
	if (served.err >= 0)
		close(served.err);
}

static int serve(int domain, const char *name)
{
	struct xs_handle *store = xs_open(0);
	int signals = listen_for(SIGCHLD, SIGCHLD);
	char path[64];

	if (!store)
		return fail(EX_UNAVAILABLE, "XenStore", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof(path), "data/relay/%s", name);
	for (;;) {
		struct libxenvchan *vchan = libxenvchan_server_init(
			NULL, domain, path, RING_OCTETS, RING_OCTETS);

		if (!vchan)
			return fail(EX_UNAVAILABLE, path, strerror(errno));
		vchan->blocking = 0;
		serve_one(vchan, store, path, signals);
		libxenvchan_close(vchan);
	}
}

/* ---- asking ------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Until the frame comes that says so, one may have found what is about to go. */
static bool is_noticed(struct libxenvchan *vchan, uint64_t deadline)
{
	struct frame frame;
	bool has_head = false;

	while (now_ms() < deadline && libxenvchan_is_open(vchan) == 1) {
		struct pollfd fd = { libxenvchan_fd_for_select(vchan), POLLIN,
				     0 };

		if (take_frame(vchan, &frame, &has_head))
			return frame.head.kind == FRAME_READY;
		poll(&fd, 1, 100);
		take_event(vchan, &fd);
	}
	return false;
}

static struct libxenvchan *connect_to(int domain, const char *name)
{
	uint64_t deadline = now_ms() + CONNECT_MS;
	char path[96];

	snprintf(path, sizeof(path), "/local/domain/%d/data/relay/%s", domain,
		 name);
	for (; now_ms() < deadline; usleep(20000)) {
		struct libxenvchan *vchan =
			libxenvchan_client_init(NULL, domain, path);

		if (!vchan)
			continue;
		vchan->blocking = 0;
		if (is_noticed(vchan, deadline))
			return vchan;
		libxenvchan_close(vchan);
	}
	return NULL;
}

__attribute__((noreturn)) static void end_likewise(int status)
{
	sigset_t none;

	if (WIFSIGNALED(status)) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_UNAVAILABLE);
}

/* False when the command has ended, with this status, or makes no sense. */
static bool take_answers(struct libxenvchan *vchan, struct frame *frame,
			 bool *has_head)
{
	int got;

	while ((got = take_frame(vchan, frame, has_head)) > 0) {
		if (frame->head.kind == FRAME_OUTPUT)
			write_all(STDOUT_FILENO, frame->octets,
				  frame->head.length);
		else if (frame->head.kind == FRAME_ERRORS)
			write_all(STDERR_FILENO, frame->octets,
				  frame->head.length);
		else
			return false;
	}
	return got >= 0;
}

static bool send_input(struct libxenvchan *vchan, bool *open)
{
	char octets[FRAME_MAX];
	ssize_t got = read(STDIN_FILENO, octets, sizeof(octets));

	if (got <= 0)
		*open = false;
	return send_frame(vchan, FRAME_INPUT, octets,
			  got > 0 ? (size_t)got : 0);
}

static void forward(struct libxenvchan *vchan, struct frame *frame, int signals)
{
	bool open = true, has_head = false;

	while (take_answers(vchan, frame, &has_head) &&
	       libxenvchan_is_open(vchan) == 1) {
		struct pollfd fds[] = {
			{ libxenvchan_fd_for_select(vchan), POLLIN, 0 },
			{ signals, POLLIN, 0 },
			{ open ? STDIN_FILENO : -1, POLLIN, 0 },
		};
		char number;

		poll(fds, 3, -1);
		take_event(vchan, &fds[0]);
		number = (char)take_signal(signals);
		if (number && !send_frame(vchan, FRAME_SIGNAL, &number, 1))
			return;
		if (fds[2].revents && !send_input(vchan, &open))
			return;
	}
	/* What was said before the other side was closed. */
	take_answers(vchan, frame, &has_head);
}

static int run(int domain, const char *name, const char *command)
{
	int signals = listen_for(SIGTERM, SIGINT);
	struct libxenvchan *vchan = connect_to(domain, name);
	struct frame frame = { .head.kind = FRAME_READY };
	int status;

	if (!vchan)
		return fail(EX_UNAVAILABLE, name,
			    "`relay serve` does not answer in that domain");
	if (strlen(command) > FRAME_MAX)
		return fail(EX_USAGE, "COMMAND", "is too long");
	if (send_frame(vchan, FRAME_COMMAND, command, strlen(command)))
		forward(vchan, &frame, signals);
	libxenvchan_close(vchan);
	if (frame.head.kind != FRAME_STATUS)
		return fail(EX_UNAVAILABLE, name,
			    "that domain is gone, or its relay");
	memcpy(&status, frame.octets, sizeof(status));
	end_likewise(status);
}

/* ---- usage -------------------------------------------------------------- */

static int usage(void)
{
	fputs("usage: relay serve DOMAIN [NAME]\n"
	      "       relay run DOMAIN[/NAME] COMMAND\n",
	      stderr);
	return EX_USAGE;
}

int main(int argc, char **argv)
{
	const char *name = "0";
	char *end;
	long domain;

	if (argc < 3)
		return usage();
	domain = strtol(argv[2], &end, 10);
	if (end == argv[2] || domain < 0 || domain > INT16_MAX)
		return usage();
	if (*end == '/')
		name = end + 1;
	else if (*end)
		return usage();
	if (!strcmp(argv[1], "serve") && argc <= 4)
		return serve((int)domain, argc == 4 ? argv[3] : name);
	if (!strcmp(argv[1], "run") && argc == 4)
		return run((int)domain, name, argv[3]);
	return usage();
}
