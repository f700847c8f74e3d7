/* SPDX-License-Identifier: MIT */

#include "reference-common/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int is_control(char c)
{
	unsigned char octet = (unsigned char)c;

	return octet < 0x20 || octet == 0x7f;
}

static void set_text(struct failure *failure, const char *format,
		     va_list arguments)
{
	failure->no_memory = false;
	vsnprintf(failure->text, sizeof(failure->text), format, arguments);
	for (char *c = failure->text; *c; c++)
		if (is_control(*c))
			*c = '?';
}

int fail_with(struct failure *failure, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set_text(failure, format, arguments);
	va_end(arguments);
	return -1;
}

int fail_errno(struct failure *failure, const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	set_text(failure, format, arguments);
	va_end(arguments);

	length = strlen(failure->text);
	snprintf(failure->text + length, sizeof(failure->text) - length, ": %s",
		 reason);
	return -1;
}

int fail_no_memory(struct failure *failure, const char *what)
{
	fail_with(failure, "%s: out of memory", what);
	failure->no_memory = true;
	return -1;
}
