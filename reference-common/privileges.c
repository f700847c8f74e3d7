/* SPDX-License-Identifier: MIT */

#define _GNU_SOURCE /* setresuid */

#include "reference-common/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- The user ----------------------------------------------------------- */

static int become(const char *name, struct failure *failure)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (!user && !errno)
		return fail_with(failure, "--user %s: there is no such user",
				 name);
	if (!user || initgroups(name, user->pw_gid) ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return fail_errno(failure, "--user %s: cannot become this user",
				  name);
	return 0;
}

/* ---- Capabilities ------------------------------------------------------- */

/* Who is not root has none, and may not say so: failures are of no interest. */
static void drop_capabilities(void)
{
	const uint32_t kept = 1u << CAP_DAC_OVERRIDE;
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	unsigned long capability;

	for (capability = 0; capability <= CAP_LAST_CAP; capability++)
		if (capability != CAP_DAC_OVERRIDE)
			prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	if (syscall(SYS_capget, &header, data))
		return;
	data[0].effective &= kept;
	data[0].permitted &= kept;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){ 0 };
	syscall(SYS_capset, &header, data);
}

/* ---- System calls ------------------------------------------------------- */

#if defined(__x86_64__) && !defined(__ILP32__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#ifdef MACHINE
/* Those above 423 have the same number on all machines. */
static const unsigned int denied[] = {
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks by tracing */
	SYS_ptrace,
#endif
	SYS_execve,
	SYS_execveat,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_unshare,
	SYS_setns,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_mknodat,
	SYS_open_by_handle_at,
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_capset,
	SYS_userfaultfd,
	425 /* io_uring_setup */,
};

enum {
	DENIED = sizeof(denied) / sizeof(denied[0]),
	DENY = SECCOMP_RET_ERRNO | EPERM,
	CALL = offsetof(struct seccomp_data, nr),
	FIRST_ARGUMENT = offsetof(struct seccomp_data, args),
};

/* A filter is put together from its beginning; a jump goes over the next ones. */
struct filter {
	struct sock_filter lines[2 * DENIED + 16];
	unsigned short count;
};

static void add(struct filter *filter, uint16_t code, uint32_t k,
		uint8_t if_true, uint8_t if_not)
{
	filter->lines[filter->count++] =
		(struct sock_filter){ code, if_true, if_not, k };
}

static void deny_if_equal(struct filter *filter, uint32_t value)
{
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	add(filter, BPF_RET | BPF_K, DENY, 0, 0);
}

/* Calls of other machines than ours have other numbers: none is made. */
static void make_filter(struct filter *filter, bool network)
{
	add(filter, BPF_LD | BPF_W | BPF_ABS,
	    offsetof(struct seccomp_data, arch), 0, 0);
	add(filter, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
	add(filter, BPF_RET | BPF_K, DENY, 0, 0);
	add(filter, BPF_LD | BPF_W | BPF_ABS, CALL, 0, 0);
#ifdef __x86_64__
	add(filter, BPF_JMP | BPF_JGE | BPF_K, 0x40000000 /* x32 */, 0, 1);
	add(filter, BPF_RET | BPF_K, DENY, 0, 0);
#endif
	for (size_t i = 0; i < DENIED; i++)
		deny_if_equal(filter, denied[i]);
	if (!network) {
		/* Little-endian, so the low word comes first. */
		add(filter, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5);
		add(filter, BPF_LD | BPF_W | BPF_ABS, FIRST_ARGUMENT, 0, 0);
		deny_if_equal(filter, AF_INET);
		deny_if_equal(filter, AF_INET6);
	}
	add(filter, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void restrict_calls(bool network)
{
	struct filter filter = { .count = 0 };
	struct sock_fprog program;

	make_filter(&filter, network);
	program = (struct sock_fprog){ filter.count, filter.lines };
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
static void restrict_calls(bool network)
{
	(void)network;
}
#endif

int privileges_drop(const char *user, bool network, struct failure *failure)
{
	if (user && become(user, failure))
		return -1;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	drop_capabilities();
	restrict_calls(network);
	return 0;
}
