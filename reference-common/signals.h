/* SPDX-License-Identifier: MIT */
/* SIGINT, SIGTERM and SIGHUP as something to poll for. */

#ifndef REFERENCE_COMMON_SIGNALS_H
#define REFERENCE_COMMON_SIGNALS_H

#include "reference-common/fail.h"

/**
 * signals_open() - have the next signal make a descriptor readable
 * @failure: says what is wrong
 *
 * A read() that waits ends with EINTR. A second signal ends the program at once.
 *
 * Return: the descriptor, for signals_close(), or -1 with @failure set.
 */
int signals_open(struct failure *failure);

/**
 * signals_close() - let signals end the program again
 * @fd: from signals_open()
 */
void signals_close(int fd);

#endif
