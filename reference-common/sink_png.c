/* SPDX-License-Identifier: MIT */
/*
 * PNG files. png:FILE holds the last frame: nobody knows which that is until
 * the end, so each frame is copied and the copy encoded at the end.
 * png:FILE-%04d.png is one file a frame, encoded from the shared memory as it
 * comes. A file appears under its name when it is complete, not before.
 */

#include "reference-common/convert.h"
#include "reference-common/sink.h"
#include "reference-common/y4m.h"

#ifdef HDMABUF_HAVE_PNG

#include <errno.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Good enough, and three times as fast as the default. */
#define COMPRESSION 3

/* How long a frame number can be, or be asked to be. */
#define DIGITS_MAX 20

struct png_sink {
	struct sink base;
	const char *name;
	const char *number; /* where in name the % is, or NULL */
	uint64_t frame;
	bool full_range;
	struct picture_format format; /* of the copy */
	void *copy;		      /* the last frame, or NULL */
};

/* One file being written; all that must outlive a longjmp() of libpng. */
struct writer {
	const struct picture_format *format;
	const void *memory;
	bool full_range;
	const char *path;
	FILE *stream;
	struct failure *failure;
	uint8_t *row;
	png_structp png;
	png_infop info;
};

static void on_error(png_structp png, png_const_charp message)
{
	struct writer *writer = png_get_error_ptr(png);

	fail_with(writer->failure, "%s: cannot write: %s", writer->path,
		  message);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

static void write_octets(png_structp png, png_bytep octets, size_t count)
{
	struct writer *writer = png_get_io_ptr(png);

	if (fwrite(octets, 1, count, writer->stream) != count)
		png_error(png, strerror(errno));
}

/* The stream was flushed; libpng asks for no more. */
static void flush_nothing(png_structp png)
{
	(void)png;
}

static int color_type(uint32_t fourcc)
{
	if (fourcc == PICTURE_R8)
		return PNG_COLOR_TYPE_GRAY;
	return picture_has_alpha(fourcc) ? PNG_COLOR_TYPE_RGB_ALPHA :
					   PNG_COLOR_TYPE_RGB;
}

/* Whether the rows are in memory as PNG wants them. */
static bool is_png_order(uint32_t fourcc)
{
	return fourcc == PICTURE_R8 || fourcc == PICTURE_BGR888 ||
	       fourcc == PICTURE_ABGR8888;
}

static void write_header(struct writer *writer)
{
	uint32_t fourcc = writer->format->fourcc;

	png_set_write_fn(writer->png, writer, write_octets, flush_nothing);
	png_set_user_limits(writer->png, PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);
	png_set_compression_level(writer->png, COMPRESSION);
	png_set_IHDR(writer->png, writer->info, writer->format->width,
		     writer->format->height, 8, color_type(fourcc),
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_write_info(writer->png, writer->info);
	if (!is_png_order(fourcc) && !picture_has_alpha(fourcc))
		png_set_filler(writer->png, 0, PNG_FILLER_AFTER);
}

static void write_rows(struct writer *writer)
{
	const struct picture_format *format = writer->format;
	bool as_it_is = is_png_order(format->fourcc);

	for (uint32_t y = 0; y < format->height; y++) {
		if (!as_it_is)
			convert_row(format, writer->memory, y,
				    writer->full_range, writer->row);
		png_write_row(writer->png,
			      as_it_is ? picture_row(&format->plane[0],
						     writer->memory, y) :
					 writer->row);
	}
	png_write_end(writer->png, writer->info);
}

/* Every error of libpng ends in the setjmp() here. */
static int encode_rows(struct writer *writer)
{
	if (setjmp(png_jmpbuf(writer->png)))
		return -1;
	write_header(writer);
	write_rows(writer);
	return 0;
}

static int encode(struct writer *writer)
{
	int result;

	writer->row = malloc((size_t)writer->format->width * 4);
	writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer,
					      on_error, on_warning);
	writer->info = writer->png ? png_create_info_struct(writer->png) : NULL;
	if (writer->row && writer->info)
		result = encode_rows(writer);
	else
		result = fail_no_memory(writer->failure, writer->path);
	png_destroy_write_struct(&writer->png, &writer->info);
	free(writer->row);
	return result;
}

static int encode_to(const char *path, int fd, struct writer *writer)
{
	int result;

	writer->path = path;
	writer->stream = fd < 0 ? NULL : fdopen(fd, "wb");
	if (!writer->stream) {
		result = fail_errno(writer->failure, "%s: cannot write", path);
		if (fd >= 0)
			close(fd);
		return result;
	}
	result = encode(writer);
	if (fclose(writer->stream) && !result)
		result = fail_errno(writer->failure, "%s: cannot write", path);
	return result;
}

/* Devices, links and the like must keep their names. */
static bool is_replaceable(const char *path)
{
	struct stat status;

	return lstat(path, &status) || S_ISREG(status.st_mode);
}

static int replace_file(const char *path, struct writer *writer)
{
	char temporary[PATH_MAX];
	int length = snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path,
			      (long)getpid());

	if (length < 0 || (size_t)length >= sizeof(temporary))
		return fail_with(writer->failure, "%s: the name is too long",
				 path);
	/* Only a killed process of the same number can have left one. */
	unlink(temporary);
	if (encode_to(path,
		      open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			   0666),
		      writer)) {
		unlink(temporary);
		return -1;
	}
	if (rename(temporary, path)) {
		fail_errno(writer->failure, "%s: cannot write", path);
		unlink(temporary);
		return -1;
	}
	return 0;
}

static int write_file(const char *path, const struct picture_format *format,
		      const void *memory, bool full_range,
		      struct failure *failure)
{
	struct writer writer = {
		.format = format,
		.memory = memory,
		.full_range = full_range,
		.failure = failure,
	};

	if (is_replaceable(path))
		return replace_file(path, &writer);
	return encode_to(path, open(path, O_WRONLY | O_TRUNC | O_CLOEXEC),
			 &writer);
}

/* Puts the frame number in the place of the %d that find_number() found. */
static int write_numbered(const struct png_sink *png,
			  const struct picture_format *format,
			  const void *memory, struct failure *failure)
{
	int prefix = (int)(png->number - png->name);
	const char *end = strchr(png->number, 'd');
	int digits = (int)strtol(png->number + 1, NULL, 10);
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%.*s%0*llu%s", prefix,
			      png->name, digits, (unsigned long long)png->frame,
			      end + 1);

	if (length < 0 || (size_t)length >= sizeof(path))
		return fail_with(failure, "%s: the name is too long",
				 png->name);
	return write_file(path, format, memory, png->full_range, failure);
}

static int keep(struct png_sink *png, const struct picture_format *format,
		const void *memory, struct failure *failure)
{
	struct picture_format packed;
	void *copy;

	if (picture_format_init(&packed, format->fourcc, format->width,
				format->height, failure))
		return -1;
	if (!png->copy || packed.octets != png->format.octets) {
		copy = realloc(png->copy, (size_t)packed.octets);
		if (!copy)
			return fail_no_memory(failure, png->name);
		png->copy = copy;
	}
	png->format = packed;
	picture_copy(&packed, png->copy, format, memory);
	return 0;
}

static int png_write(struct sink *sink, const struct picture_format *format,
		     const char *private_text, const void *memory,
		     struct failure *failure)
{
	struct png_sink *png = (struct png_sink *)sink;
	int result;

	png->full_range = y4m_is_full_range(private_text);
	sink->note =
		picture_is_yuv(format->fourcc) ?
			"converting Y, Cb, Cr to RGB (BT.601) is not exact" :
			NULL;
	if (png->number)
		result = write_numbered(png, format, memory, failure);
	else
		result = keep(png, format, memory, failure);
	png->frame++;
	return result ? -1 : SINK_OPEN;
}

static int png_close(struct sink *sink, struct failure *failure)
{
	struct png_sink *png = (struct png_sink *)sink;
	int result = 0;

	if (png->copy)
		result = write_file(png->name, &png->format, png->copy,
				    png->full_range, failure);
	free(png->copy);
	free(png);
	return result;
}

/* Finds the one %d, %4d or %04d of a name; NULL when there is none. */
static const char *find_number(const char *name)
{
	for (const char *c = strchr(name, '%'); c; c = strchr(c + 1, '%'))
		if (c[1 + strspn(c + 1, "0123456789")] == 'd')
			return c;
	return NULL;
}

static int check_number(const char *number, const char *name,
			struct failure *failure)
{
	if (find_number(number + 1))
		return fail_with(failure,
				 "%s: only one %%d is possible in a name",
				 name);
	if (strtol(number + 1, NULL, 10) > DIGITS_MAX)
		return fail_with(failure,
				 "%s: a frame number has at most %d digits",
				 name, DIGITS_MAX);
	return 0;
}

static int check_folder(const char *name, struct failure *failure)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(name, '/');
	int length = slash ? (int)(slash - name) + 1 : 1;

	if ((size_t)snprintf(folder, sizeof(folder), "%.*s", length,
			     slash ? name : ".") >= sizeof(folder))
		return fail_with(failure, "%s: the name is too long", name);
	if (access(folder, W_OK | X_OK))
		return fail_errno(failure, "%s: cannot write to its folder",
				  name);
	return 0;
}

/* That nothing can be written should not be found out after the last frame. */
static int check_place(const char *name, struct failure *failure)
{
	struct stat status;

	if (is_replaceable(name))
		return check_folder(name, failure);
	if (!stat(name, &status) && S_ISDIR(status.st_mode))
		return fail_with(failure, "%s: cannot write: it is a folder",
				 name);
	return 0;
}

struct sink *sink_png_open(const char *argument, struct failure *failure)
{
	static const struct sink_ops ops = { .write = png_write,
					     .close = png_close };
	const char *number;
	struct png_sink *png;

	if (!argument || !*argument) {
		fail_with(failure, "png: needs a file name, as in png:FILE");
		return NULL;
	}
	number = find_number(argument);
	if (number && check_number(number, argument, failure))
		return NULL;
	if (check_place(argument, failure))
		return NULL;
	png = calloc(1, sizeof(*png));
	if (!png) {
		fail_no_memory(failure, argument);
		return NULL;
	}
	png->base.ops = &ops;
	png->name = argument;
	png->number = number;
	return &png->base;
}

#else

struct sink *sink_png_open(const char *argument, struct failure *failure)
{
	fail_with(failure, "png:%s: this program was built without libpng",
		  argument ? argument : "");
	return NULL;
}

#endif
