/* SPDX-License-Identifier: MIT */
/*
 * stream.c - what a test's process tells the runner
 *
 * It tells everything when it happens, so that nothing is lost if it crashes.
 */
#include "conformance/internal.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void stream_write(int fd, const struct stream_head *head, const char *text)
{
	struct stream_head copy = *head;
	const char *parts[] = { (const char *)&copy, text };
	size_t left[] = { sizeof(copy), text ? strlen(text) : 0 };

	copy.length = (uint32_t)left[1];
	for (size_t i = 0; i < 2; i++)
		while (left[i]) {
			ssize_t done = write(fd, parts[i], left[i]);

			if (done <= 0)
				_exit(1);
			parts[i] += done;
			left[i] -= (size_t)done;
		}
}
