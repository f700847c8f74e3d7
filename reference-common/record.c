/* SPDX-License-Identifier: MIT */

#include "reference-common/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct record {
	const char *path;
	int fd;
	uint8_t *block;
	size_t size;
};

static int write_all(const struct record *record, const uint8_t *octets,
		     size_t count, struct failure *failure)
{
	while (count) {
		ssize_t written = write(record->fd, octets, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fail_errno(failure, "cannot write %s",
					  record->path);
		octets += written;
		count -= (size_t)written;
	}
	return 0;
}

static int write_heading(const struct record *record, struct failure *failure)
{
	uint8_t heading[HDMABUF_TRACE_HEADING_OCTETS];

	hdmabuf_trace_heading(heading);
	return write_all(record, heading, sizeof(heading), failure);
}

struct record *record_open(const char *path, struct failure *failure)
{
	struct record *record = calloc(1, sizeof(*record));

	if (!record) {
		fail_errno(failure, "cannot record to %s", path);
		return NULL;
	}
	record->path = path;
	record->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (record->fd < 0) {
		fail_errno(failure, "cannot record to %s", path);
		free(record);
		return NULL;
	}
	if (write_heading(record, failure)) {
		record_close(record);
		return NULL;
	}
	return record;
}

static int make_room(struct record *record, size_t size,
		     struct failure *failure)
{
	uint8_t *wider;

	if (size <= record->size)
		return 0;
	wider = realloc(record->block, size);
	if (!wider)
		return fail_errno(failure, "cannot record to %s", record->path);
	record->block = wider;
	record->size = size;
	return 0;
}

/* Whole blocks, so that the file is in order whenever the program is killed. */
int record_add(struct record *record, const struct hdmabuf_trace_event *event,
	       struct failure *failure)
{
	size_t size = hdmabuf_trace_packet(event, NULL, 0);

	if (make_room(record, size, failure))
		return -1;
	hdmabuf_trace_packet(event, record->block, size);
	return write_all(record, record->block, size, failure);
}

void record_close(struct record *record)
{
	if (!record)
		return;
	close(record->fd);
	free(record->block);
	free(record);
}
