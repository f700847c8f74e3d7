/* SPDX-License-Identifier: MIT */
/*
 * Appends each frame to a YUV4MPEG2 stream. When the pictures came from one,
 * the stream is the same again, octet for octet.
 */

#include "reference-common/sink.h"
#include "reference-common/y4m.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct y4m_sink {
	struct sink base;
	const char *name;
	FILE *stream;
	struct picture_format
		format; /* of the first frame; planes is 0 before it */
	char header[PICTURE_PRIVATE_SIZE];
};

/* A header for other pictures than these would make a broken stream. */
static int check_header(const struct picture_format *format, const char *line,
			const char *name, struct failure *failure)
{
	struct y4m_header header;
	char says[5], is[5];

	if (y4m_parse_header(&header, line, name, failure))
		return -1;
	if (header.width != format->width || header.height != format->height ||
	    header.fourcc != format->fourcc)
		return fail_with(
			failure,
			"%s: pictures of %ux%u %s came with a header for %ux%u %s",
			name, format->width, format->height,
			picture_fourcc_text(format->fourcc, is), header.width,
			header.height,
			picture_fourcc_text(header.fourcc, says));
	return 0;
}

static int make_header(struct y4m_sink *y4m, char header[PICTURE_PRIVATE_SIZE],
		       const struct picture_format *format,
		       const char *private_text, struct failure *failure)
{
	char text[5];

	if (!strncmp(private_text, Y4M_MAGIC, sizeof(Y4M_MAGIC) - 1)) {
		snprintf(header, PICTURE_PRIVATE_SIZE, "%.*s",
			 (int)strcspn(private_text, "\n"), private_text);
		return check_header(format, header, y4m->name, failure);
	}
	if (!y4m_make_header(header, PICTURE_PRIVATE_SIZE, format))
		return fail_with(
			failure,
			"%s: Y4M cannot hold %s pictures unchanged; use png:FILE",
			y4m->name, picture_fourcc_text(format->fourcc, text));
	return 0;
}

/* What the frame begins with may be in a second line of the private text. */
static const char *find_frame_line(const char *private_text)
{
	const char *newline = strchr(private_text, '\n');

	return newline ? newline + 1 : Y4M_FRAME;
}

static bool is_frame_line(const char *line)
{
	size_t length = sizeof(Y4M_FRAME) - 1;

	return !strncmp(line, Y4M_FRAME, length) &&
	       (line[length] == ' ' || !line[length]) && !strchr(line, '\n');
}

/*
 * The first frame decides what the stream is; the others must be like it, and
 * are if their headers are the same.
 */
static int begin_frame(struct y4m_sink *y4m,
		       const struct picture_format *format,
		       const char *private_text, struct failure *failure)
{
	const char *frame = find_frame_line(private_text);
	char header[PICTURE_PRIVATE_SIZE];

	if (!is_frame_line(frame))
		return fail_with(failure, "%s: \"%s\" is no frame header",
				 y4m->name, frame);
	if (make_header(y4m, header, format, private_text, failure))
		return -1;
	if (!y4m->header[0]) {
		strcpy(y4m->header, header);
		fprintf(y4m->stream, "%s\n", header);
	}
	if (strcmp(header, y4m->header))
		return fail_with(failure,
				 "%s: pictures changed to \"%s\" in mid-stream",
				 y4m->name, header);
	fprintf(y4m->stream, "%s\n", frame);
	return 0;
}

static void write_plane(FILE *stream, const struct picture_plane *plane,
			const void *memory)
{
	uint32_t rows;
	size_t octets;

	picture_plane_runs(plane, &rows, &octets);
	for (uint32_t y = 0; y < rows; y++)
		fwrite(picture_row(plane, memory, y), 1, octets, stream);
}

static int y4m_write(struct sink *sink, const struct picture_format *format,
		     const char *private_text, const void *memory,
		     struct failure *failure)
{
	struct y4m_sink *y4m = (struct y4m_sink *)sink;

	if (begin_frame(y4m, format, private_text, failure))
		return -1;
	for (unsigned int i = 0; i < format->planes; i++)
		write_plane(y4m->stream, &format->plane[i], memory);
	if (fflush(y4m->stream) || ferror(y4m->stream))
		return fail_errno(failure, "%s: cannot write", y4m->name);
	return SINK_OPEN;
}

static int y4m_close(struct sink *sink, struct failure *failure)
{
	struct y4m_sink *y4m = (struct y4m_sink *)sink;
	int result = 0;

	if (y4m->stream != stdout && fclose(y4m->stream))
		result = fail_errno(failure, "%s: cannot write", y4m->name);
	free(y4m);
	return result;
}

struct sink *sink_y4m_open(const char *argument, struct failure *failure)
{
	static const struct sink_ops ops = { .write = y4m_write,
					     .close = y4m_close };
	struct y4m_sink *y4m;

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
	y4m->base.uses_stdout = !strcmp(argument, "-");
	y4m->name = y4m->base.uses_stdout ? "standard output" : argument;
	y4m->stream = y4m->base.uses_stdout ? stdout : fopen(argument, "wbe");
	if (!y4m->stream) {
		fail_errno(failure, "%s: cannot open", argument);
		free(y4m);
		return NULL;
	}
	return &y4m->base;
}
