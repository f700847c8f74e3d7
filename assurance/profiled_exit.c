/* SPDX-License-Identifier: MIT */
/*
 * profiled_exit.c - what a process took is written also if it ends by _exit()
 *
 * Many a test plays the other end in such a process. To be linked with --wrap=_exit.
 */
#include <unistd.h>

int __llvm_profile_write_file(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
	__llvm_profile_write_file();
	__real__exit(status);
}
