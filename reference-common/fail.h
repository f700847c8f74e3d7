/* SPDX-License-Identifier: MIT */
/* One-line error texts, made where a failure is found and printed by main(). */

#ifndef REFERENCE_COMMON_FAIL_H
#define REFERENCE_COMMON_FAIL_H

#include <limits.h>
#include <stdbool.h>

/* Room for a whole path and a sentence, so that neither is ever cut. */
#define FAILURE_SIZE (PATH_MAX + 512)

/**
 * struct failure - what went wrong, in words
 * @text: one line without a newline, terminated by NUL
 * @no_memory: it was not the fault of what was asked for
 */
struct failure {
	bool no_memory;
	char text[FAILURE_SIZE];
};

/**
 * fail_with() - describe a failure
 * @failure: where the text goes
 * @format: as for printf(); control characters come out as '?', so that
 *	names and data of others can be quoted without harm
 *
 * Return: always -1, so that "return fail_with(...)" reads as what it does.
 */
int fail_with(struct failure *failure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * fail_errno() - describe a failed system call
 * @failure: where the text goes
 * @format: as for fail_with(); ": " and the words for errno are put behind it
 *
 * Return: always -1.
 */
int fail_errno(struct failure *failure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * fail_no_memory() - tell that there is no memory
 * @failure: where the text goes
 * @what: it was for
 *
 * Return: always -1.
 */
int fail_no_memory(struct failure *failure, const char *what);

#endif
