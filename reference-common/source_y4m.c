/* SPDX-License-Identifier: MIT */
/*
 * YUV4MPEG2 from a file or a pipe. Nothing is read ahead: pixels go from the
 * descriptor into the picture, and poll() on the descriptor tells the truth.
 */

#include "reference-common/source.h"
#include "reference-common/y4m.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "FRAME" and what follows it: a newline, or a space and parameters. */
#define FRAME_HEAD (sizeof(Y4M_FRAME))

struct y4m_source {
	struct source base;
	const char *name;
	int fd;
	bool owned;
	uint64_t frame; /* the one being read, counted from 1 */
	size_t header;	/* length of the stream header in the text */
};

/* For a pipe that somebody made non-blocking. */
static bool wait_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, -1) > 0;
}

/* Less than count only at the end; -1 on errors, as is a signal: stop. */
static ssize_t read_fully(int fd, void *memory, size_t count)
{
	size_t done = 0;

	while (done < count) {
		ssize_t got = read(fd, (char *)memory + done, count - done);

		if (got < 0 && errno == EAGAIN && wait_readable(fd))
			continue;
		if (got < 0)
			return -1;
		if (!got)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Reads up to a newline, which is dropped; returns the length or -1. */
static ssize_t read_line(struct y4m_source *y4m, char *line, size_t size,
			 const char *what, struct failure *failure)
{
	for (size_t i = 0; i < size; i++) {
		ssize_t got = read_fully(y4m->fd, line + i, 1);

		if (got < 0)
			return fail_errno(failure, "%s: cannot read",
					  y4m->name);
		if (!got)
			return fail_with(failure, "%s: cut off in %s",
					 y4m->name, what);
		if (line[i] == '\n') {
			line[i] = '\0';
			return (ssize_t)i;
		}
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return fail_with(failure, "%s: not Y4M: 0x%02x in %s",
					 y4m->name, (unsigned char)line[i],
					 what);
	}
	return fail_with(failure, "%s: %s is too long", y4m->name, what);
}

/* Parameters of one frame are kept as a second line of the private text. */
static int read_frame_parameters(struct y4m_source *y4m,
				 struct failure *failure)
{
	char *text = y4m->base.private_text;
	size_t at = y4m->header;

	if (at + 1 + FRAME_HEAD >= PICTURE_PRIVATE_SIZE)
		return fail_with(failure, "%s: a frame header is too long",
				 y4m->name);
	memcpy(text + at, "\n" Y4M_FRAME " ", 1 + FRAME_HEAD);
	at += 1 + FRAME_HEAD;
	if (read_line(y4m, text + at, PICTURE_PRIVATE_SIZE - at,
		      "a frame header", failure) < 0)
		return -1;
	return 0;
}

/* Returns 1 when a frame follows, 0 at the end, -1 on errors. */
static int read_frame_header(struct y4m_source *y4m, struct failure *failure)
{
	char head[FRAME_HEAD];
	ssize_t got = read_fully(y4m->fd, head, sizeof(head));

	y4m->base.private_text[y4m->header] = '\0';
	if (got < 0)
		return fail_errno(failure, "%s: cannot read", y4m->name);
	if (!got)
		return 0;
	if ((size_t)got < sizeof(head))
		return fail_with(failure,
				 "%s: cut off in the header of frame %llu",
				 y4m->name, (unsigned long long)y4m->frame);
	if (memcmp(head, Y4M_FRAME, FRAME_HEAD - 1) ||
	    (head[FRAME_HEAD - 1] != '\n' && head[FRAME_HEAD - 1] != ' '))
		return fail_with(
			failure,
			"%s: frame %llu does not begin with " Y4M_FRAME,
			y4m->name, (unsigned long long)y4m->frame);
	if (head[FRAME_HEAD - 1] == ' ' && read_frame_parameters(y4m, failure))
		return -1;
	return 1;
}

static int read_plane(struct y4m_source *y4m, unsigned int number, void *memory,
		      struct failure *failure)
{
	const struct picture_plane *plane = &y4m->base.format.plane[number];
	uint32_t rows;
	size_t octets;

	picture_plane_runs(plane, &rows, &octets);
	for (uint32_t y = 0; y < rows; y++) {
		ssize_t got = read_fully(
			y4m->fd, picture_row_mutable(plane, memory, y), octets);

		if (got < 0)
			return fail_errno(failure, "%s: cannot read",
					  y4m->name);
		if ((size_t)got < octets)
			return fail_with(
				failure,
				"%s: cut off in the pixels of frame %llu",
				y4m->name, (unsigned long long)y4m->frame);
	}
	return 0;
}

static int y4m_read(struct source *source, void *memory,
		    struct failure *failure)
{
	struct y4m_source *y4m = (struct y4m_source *)source;
	int result = read_frame_header(y4m, failure);

	if (result <= 0)
		return result;
	for (unsigned int i = 0; i < source->format.planes; i++)
		if (read_plane(y4m, i, memory, failure))
			return -1;
	y4m->frame++;
	return 1;
}

static void y4m_close(struct source *source)
{
	struct y4m_source *y4m = (struct y4m_source *)source;

	if (y4m->owned)
		close(y4m->fd);
	free(y4m);
}

/* How many frames a file holds, if its size is that of whole ones. */
static uint64_t count_frames(int fd, const struct picture_format *format)
{
	uint64_t frame = FRAME_HEAD, left;
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat status;

	if (at < 0 || fstat(fd, &status) || status.st_size < at)
		return 0;
	for (unsigned int i = 0; i < format->planes; i++)
		frame += (uint64_t)format->plane[i].rows *
			 format->plane[i].row_octets;
	left = (uint64_t)(status.st_size - at);
	return left % frame ? 0 : left / frame;
}

static bool is_regular(int fd)
{
	struct stat status;

	return !fstat(fd, &status) && S_ISREG(status.st_mode);
}

static int read_stream_header(struct y4m_source *y4m, struct failure *failure)
{
	struct source *base = &y4m->base;
	struct y4m_header header;
	ssize_t length = read_line(y4m, base->private_text,
				   PICTURE_PRIVATE_SIZE, "the stream header",
				   failure);

	if (length < 0 ||
	    y4m_parse_header(&header, base->private_text, y4m->name, failure))
		return -1;
	y4m->header = (size_t)length;
	base->rate_numerator = header.rate_numerator;
	base->rate_denominator = header.rate_denominator;
	return picture_format_init(&base->format, header.fourcc, header.width,
				   header.height, failure);
}

static int open_file(struct y4m_source *y4m, const char *path,
		     struct failure *failure)
{
	bool is_stdin = !strcmp(path, "-");

	y4m->name = is_stdin ? "standard input" : path;
	y4m->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (y4m->fd < 0)
		return fail_errno(failure, "%s: cannot open", path);
	y4m->owned = !is_stdin;
	return 0;
}

struct source *source_y4m_open(const char *argument, struct failure *failure)
{
	static const struct source_ops ops = { .read = y4m_read,
					       .close = y4m_close };
	struct y4m_source *y4m;

	if (!argument || !*argument) {
		fail_with(failure, "y4m: needs a file name, as in y4m:FILE");
		return NULL;
	}
	y4m = calloc(1, sizeof(*y4m));
	if (!y4m) {
		fail_no_memory(failure, argument);
		return NULL;
	}
	y4m->base.ops = &ops;
	y4m->frame = 1;
	if (open_file(y4m, argument, failure) ||
	    read_stream_header(y4m, failure)) {
		y4m_close(&y4m->base);
		return NULL;
	}
	y4m->base.frames = count_frames(y4m->fd, &y4m->base.format);
	y4m->base.fd = is_regular(y4m->fd) ? -1 : y4m->fd;
	return &y4m->base;
}
