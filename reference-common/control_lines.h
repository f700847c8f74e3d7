/* SPDX-License-Identifier: MIT */
/* Lines from standard input as they come, and lines to standard output. */

#ifndef REFERENCE_COMMON_CONTROL_LINES_H
#define REFERENCE_COMMON_CONTROL_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* More than the longest command needs. */
#define LINES_SIZE 4096

/**
 * struct lines - what has come and is not taken yet
 * @text: octets
 * @count: how many
 * @taken: how many of them were lines that are taken
 * @skipping: the rest of a line that was too long is passed over
 * @ended: there will be no more
 */
struct lines {
	char text[LINES_SIZE];
	size_t count;
	size_t taken;
	bool skipping;
	bool ended;
};

/**
 * lines_read() - take what there is to read; does not block
 * @lines: all zero at first
 * @fd: where from
 */
void lines_read(struct lines *lines, int fd);

/**
 * lines_next() - the next whole line
 * @lines: of which all that were read before are taken
 *
 * What is too long comes cut off.
 *
 * Return: the line without its end, valid until lines_read(); NULL if there is none.
 */
char *lines_next(struct lines *lines);

/**
 * lines_say() - write a line to standard output, at once
 * @format: as for printf(), without a newline
 */
void lines_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
