/* SPDX-License-Identifier: MIT */
/*
 * What a program may still do once everything is open. Whoever gets hold of it by what
 * the other end sends shall not get hold of the machine.
 */

#ifndef REFERENCE_COMMON_PRIVILEGES_H
#define REFERENCE_COMMON_PRIVILEGES_H

#include "reference-common/fail.h"

#include <stdbool.h>

/**
 * privileges_drop() - do without what is not needed any more
 * @user: become this user, with its groups; NULL to stay who one is
 * @network: connections to other machines are still needed, for a display
 * @failure: receives the reason, if there is one
 *
 * Nothing is run from now on that would gain privileges (no_new_privs). Of root's
 * capabilities, only the one to pass permissions of files is left, for files to be
 * written. System calls of which none is needed fail with EPERM: running another
 * program, tracing and reading other processes, mounting, loading code into the kernel,
 * becoming somebody else, and, unless @network, sockets of the internet. A kernel or a
 * machine without filters goes without this last part.
 *
 * Return: 0 or -1, if the user is not known or one cannot become him.
 */
int privileges_drop(const char *user, bool network, struct failure *failure);

#endif
