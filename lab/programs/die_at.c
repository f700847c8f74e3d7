/* SPDX-License-Identifier: MIT */
/*
 * die_at.c - a program that dies at a given step
 *
 *	die_at [--stop] N COMMAND [ARGUMENT]...
 *
 * Runs COMMAND and kills it, by SIGKILL, when it is about to take its Nth step. A step
 * is a call to the kernel that another domain could see: one for grants, mappings and
 * event channels, or a change in XenStore. What a program does between two of them makes
 * no difference to the other end, but for what it writes into memory that is shared.
 *
 * With --stop it is not killed, but stays where it is, for whoever wants to destroy all
 * of its domain; "at step N" is written then.
 *
 * Exit status: 137 if it was killed, that of COMMAND if it ended before; 64 for
 * wrong usage, 69 if it cannot be watched. The last line on standard error is "N
 * steps" if it ended by itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

/* Calls that may be steps stop the program, all others cost nothing. */
static bool ask_to_be_stopped(void)
{
	static const unsigned int calls[] = { SYS_ioctl,  SYS_close,
					      SYS_mmap,	  SYS_write,
					      SYS_sendto, SYS_writev,
					      SYS_sendmsg };
	enum {
		COUNT = sizeof(calls) / sizeof(calls[0])
	};
	struct sock_filter filter[COUNT + 3];
	struct sock_fprog program = { COUNT + 3, filter };

	filter[0] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < COUNT; i++)
		filter[i + 1] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, calls[i], COUNT - i, 0);
	filter[COUNT + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							 SECCOMP_RET_ALLOW);
	filter[COUNT + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							 SECCOMP_RET_TRACE);
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void start(char **command)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP) ||
	    !ask_to_be_stopped())
		_exit(EX_UNAVAILABLE);
	execvp(command[0], command);
	fprintf(stderr, "die_at: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

/* Whether a descriptor of the program is of a file whose name begins so. */
static bool is_file(pid_t thread, unsigned long long descriptor,
		    const char *beginning)
{
	char path[64], name[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", thread, (int)descriptor);
	length = readlink(path, name, sizeof(name) - 1);
	if (length < 0)
		return false;
	name[length] = '\0';
	return !strncmp(name, beginning, strlen(beginning));
}

static bool is_device(pid_t thread, unsigned long long descriptor)
{
	return is_file(thread, descriptor, "/dev/xen/gnt") ||
	       is_file(thread, descriptor, "/dev/xen/evtchn");
}

static uint64_t peek(pid_t thread, unsigned long long address)
{
	return (uint64_t)ptrace(PTRACE_PEEKDATA, thread, (void *)address, NULL);
}

/*
 * Whether what is written to XenStore's daemon begins a request that others can see the
 * effect of: what is done in a transaction is seen when that ends.
 */
static bool is_change(pid_t thread, unsigned long long descriptor,
		      unsigned long long octets)
{
	unsigned long long transaction =
		octets + offsetof(struct xsd_sockmsg, tx_id);

	if (!is_file(thread, descriptor, "/dev/xen/xenbus") &&
	    !is_file(thread, descriptor, "/proc/xen/xenbus") &&
	    !is_file(thread, descriptor, "socket:"))
		return false;
	switch ((uint32_t)peek(thread, octets)) {
	case XS_WRITE:
	case XS_MKDIR:
	case XS_RM:
	case XS_SET_PERMS:
		return !(uint32_t)peek(thread, transaction);
	case XS_TRANSACTION_END:
		return true;
	default:
		return false;
	}
}

static bool is_step_call(pid_t thread, const struct user_regs_struct *call)
{
	switch (call->orig_rax) {
	case SYS_ioctl:
	case SYS_close:
		return is_device(thread, call->rdi);
	case SYS_mmap:
		return is_device(thread, call->r8);
	case SYS_write:
	case SYS_sendto:
		return is_device(thread, call->rdi) ||
		       is_change(thread, call->rdi, call->rsi);
	case SYS_writev:
		return is_change(thread, call->rdi, peek(thread, call->rsi));
	case SYS_sendmsg:
		return is_change(
			thread, call->rdi,
			peek(thread,
			     peek(thread, call->rsi + offsetof(struct msghdr,
							       msg_iov))));
	default:
		return false;
	}
}

/* Whether a thread that has stopped is about to take a step. */
static bool is_step(pid_t thread, int status)
{
	struct user_regs_struct registers;

	return status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8) &&
	       !ptrace(PTRACE_GETREGS, thread, NULL, &registers) &&
	       is_step_call(thread, &registers);
}

/* The signal that a stopped thread is to get, if it stopped for one. */
static int signal_of(int status)
{
	int number = WSTOPSIG(status);

	return status >> 16 || number == SIGSTOP ? 0 : number;
}

/* A thread that is not continued stays as it is, whatever the others do. */
static void stay(unsigned long step)
{
	fprintf(stderr, "at step %lu\n", step);
	for (;;)
		pause();
}

static int watch(pid_t child, unsigned long fatal, bool stop)
{
	unsigned long steps = 0;
	int status;
	pid_t thread;

	while ((thread = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			if (is_step(thread, status) && ++steps == fatal) {
				if (stop)
					stay(steps);
				kill(child, SIGKILL);
			}
			ptrace(PTRACE_CONT, thread, NULL,
			       (void *)(long)signal_of(status));
		} else if (thread == child) {
			break;
		}
	}
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	fprintf(stderr, "%lu steps\n", steps);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	bool stop = argc > 1 && !strcmp(argv[1], "--stop");
	unsigned long fatal;
	char *end = "";
	pid_t child;

	argv += stop;
	argc -= stop;
	fatal = argc > 2 ? strtoul(argv[1], &end, 10) : 0;
	if (!fatal || *end) {
		fputs("usage: die_at [--stop] N COMMAND [ARGUMENT]...\n",
		      stderr);
		return EX_USAGE;
	}
	child = fork();
	if (!child)
		start(argv + 2);
	if (child < 0 || waitpid(child, NULL, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)options) ||
	    ptrace(PTRACE_CONT, child, NULL, NULL)) {
		fprintf(stderr, "die_at: cannot watch: %s\n", strerror(errno));
		return EX_UNAVAILABLE;
	}
	return watch(child, fatal, stop);
}
