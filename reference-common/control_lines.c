/* SPDX-License-Identifier: MIT */

#include "reference-common/control_lines.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

static void make_room(struct lines *lines)
{
	lines->count -= lines->taken;
	memmove(lines->text, lines->text + lines->taken, lines->count);
	lines->taken = 0;
}

/* The descriptor is perhaps another's too: it is asked, not made non-blocking. */
void lines_read(struct lines *lines, int fd)
{
	ssize_t count;

	make_room(lines);
	if (lines->ended || !is_readable(fd))
		return;
	count = read(fd, lines->text + lines->count,
		     sizeof(lines->text) - lines->count);
	if (count > 0)
		lines->count += (size_t)count;
	else
		lines->ended = !count || errno != EINTR;
}

/* Up to the end of a line, or of what is too long for one. */
static char *take(struct lines *lines, size_t length)
{
	char *line = lines->text + lines->taken;

	line[length] = '\0';
	lines->taken += length + 1;
	return line;
}

char *lines_next(struct lines *lines)
{
	char *line = lines->text + lines->taken;
	size_t left = lines->count - lines->taken;
	char *end = memchr(line, '\n', left);

	if (lines->skipping && end) {
		lines->skipping = false;
		lines->taken += (size_t)(end - line) + 1;
		return lines_next(lines);
	}
	if (lines->skipping) {
		lines->taken = lines->count;
		return NULL;
	}
	if (end)
		return take(lines, (size_t)(end - line));
	if (left < sizeof(lines->text))
		return NULL;
	lines->skipping = true;
	return take(lines, left - 1);
}

void lines_say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}
