/* SPDX-License-Identifier: MIT */
/*
 * stream.c - what a test's process tells the runner
 *
 * It tells everything when it happens, so that nothing is lost if it crashes. What
 * is told in one write of this size is told whole, or not at all, also if processes
 * of a test tell things at the same time, or one is killed.
 */
#include "conformance/internal.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

void stream_write(int fd, const struct stream_head *head, const char *text)
{
	struct {
		struct stream_head head;
		char text[PIPE_BUF - sizeof(struct stream_head)];
	} packet = { .head = *head };
	size_t length = text ? strlen(text) : 0;

	if (length > sizeof(packet.text))
		length = sizeof(packet.text);
	if (length)
		memcpy(packet.text, text, length);
	packet.head.length = (uint32_t)length;
	if (write(fd, &packet, sizeof(packet.head) + length) < 0)
		_exit(1);
}
