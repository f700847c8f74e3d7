/* SPDX-License-Identifier: MIT */
/*
 * die_at.c - a program that dies at a given step
 *
 *	die_at N COMMAND [ARGUMENT]...
 *
 * Runs COMMAND and kills it, by SIGKILL, when it is about to make its Nth call to
 * the kernel about Xen: one for a file in /dev/xen, or to the daemon of XenStore.
 * It lives as long as such calls are answered, so all steps of a session can be
 * tried one after the other.
 *
 * Exit status: 137 if it was killed, that of COMMAND if it ended before; 64 for
 * wrong usage, 69 if it cannot be watched. The last line on standard error is "N
 * calls" if it ended by itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static void start(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		_exit(EX_UNAVAILABLE);
	execvp(command[0], command);
	fprintf(stderr, "die_at: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

/* The descriptor that a call is about, or -1. */
static int descriptor_of(const struct user_regs_struct *registers)
{
	switch (registers->orig_rax) {
	case SYS_ioctl:
	case SYS_read:
	case SYS_write:
	case SYS_writev:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_close:
		return (int)registers->rdi;
	case SYS_mmap:
		return (int)registers->r8;
	default:
		return -1;
	}
}

static bool is_about_xen(pid_t pid, int descriptor)
{
	char path[64], name[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, descriptor);
	length = readlink(path, name, sizeof(name) - 1);
	if (length < 0)
		return false;
	name[length] = '\0';
	return !strncmp(name, "/dev/xen/", 9) || !strncmp(name, "socket:", 7);
}

/* Whether a thread that has stopped is about to make such a call. */
static bool is_step(pid_t thread)
{
	struct __ptrace_syscall_info info;
	struct user_regs_struct registers;
	int descriptor;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY ||
	    ptrace(PTRACE_GETREGS, thread, NULL, &registers))
		return false;
	descriptor = descriptor_of(&registers);
	return descriptor >= 0 && is_about_xen(thread, descriptor);
}

/* The signal that a stopped thread is to get, if it stopped for one. */
static int signal_of(int status)
{
	int number = WSTOPSIG(status);

	if (number == (SIGTRAP | 0x80) || status >> 16 || number == SIGSTOP)
		return 0;
	return number;
}

static int watch(pid_t child, unsigned long fatal)
{
	unsigned long steps = 0;
	int status;
	pid_t thread;

	while ((thread = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			if (is_step(thread) && ++steps == fatal)
				kill(child, SIGKILL);
			ptrace(PTRACE_SYSCALL, thread, NULL,
			       (void *)(long)signal_of(status));
		} else if (thread == child) {
			break;
		}
	}
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	fprintf(stderr, "%lu calls\n", steps);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	unsigned long fatal;
	char *end = "";
	pid_t child;

	fatal = argc > 2 ? strtoul(argv[1], &end, 10) : 0;
	if (!fatal || *end) {
		fputs("usage: die_at N COMMAND [ARGUMENT]...\n", stderr);
		return EX_USAGE;
	}
	child = fork();
	if (!child)
		start(argv + 2);
	if (child < 0 || waitpid(child, NULL, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)options) ||
	    ptrace(PTRACE_SYSCALL, child, NULL, NULL)) {
		fprintf(stderr, "die_at: cannot watch: %s\n", strerror(errno));
		return EX_UNAVAILABLE;
	}
	return watch(child, fatal);
}
