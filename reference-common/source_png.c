/* SPDX-License-Identifier: MIT */
/*
 * A PNG file as an endless source of the same picture. The file is kept as it
 * is, compressed, and decoded into each buffer it is asked for.
 */

#include "reference-common/source.h"

#ifdef HDMABUF_HAVE_PNG

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_OCTETS_MAX ((size_t)1 << 30)

/* The signature and the first chunk, checked before libpng sees the file. */
#define SIGNATURE     "\x89PNG\r\n\x1a\n"
#define HEADER_OCTETS 33
#define HEADER_NAME   12
#define HEADER_WIDTH  16
#define HEADER_HEIGHT 20
#define HEADER_DEPTH  24

struct png_source {
	struct source base;
	const char *name;
	uint8_t *file;
	size_t octets;
};

/* One pass through the file; all that must outlive a longjmp() of libpng. */
struct reader {
	const struct png_source *source;
	struct failure *failure;
	size_t at;
	png_structp png;
	png_infop info;
};

static void on_error(png_structp png, png_const_charp message)
{
	struct reader *reader = png_get_error_ptr(png);

	fail_with(reader->failure, "%s: damaged PNG: %s", reader->source->name,
		  message);
	png_longjmp(png, 1);
}

/* Transparency is part of the picture and not dropped, as other extras are. */
static void on_warning(png_structp png, png_const_charp message)
{
	if (!strncmp(message, "tRNS", 4))
		png_error(png, message);
}

static void read_octets(png_structp png, png_bytep to, size_t count)
{
	struct reader *reader = png_get_io_ptr(png);

	if (count > reader->source->octets - reader->at)
		png_error(png, "the file is cut off");
	memcpy(to, reader->source->file + reader->at, count);
	reader->at += count;
}

/* Only what makes the pixels is read: text and colour profiles are not. */
static void prepare(struct reader *reader)
{
	png_set_read_fn(reader->png, reader, read_octets);
	png_set_user_limits(reader->png, PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);
	png_set_crc_action(reader->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
	png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_NEVER, NULL,
				    -1);
}

/* Makes pixels grey, RGB or RGBA of 8 bits, exactly; returns the passes. */
static int read_header(struct reader *reader)
{
	int color, has_alpha, passes;

	png_read_info(reader->png, reader->info);
	color = png_get_color_type(reader->png, reader->info);
	has_alpha = color & PNG_COLOR_MASK_ALPHA ||
		    png_get_valid(reader->png, reader->info, PNG_INFO_tRNS);
	png_set_expand(reader->png);
	if (has_alpha && !(color & PNG_COLOR_MASK_COLOR))
		png_set_gray_to_rgb(reader->png);
	passes = png_set_interlace_handling(reader->png);
	png_read_update_info(reader->png, reader->info);
	return passes;
}

static uint32_t fourcc_of(struct reader *reader)
{
	switch (png_get_channels(reader->png, reader->info)) {
	case 1:
		return PICTURE_R8;
	case 3:
		return PICTURE_BGR888;
	default:
		return PICTURE_ABGR8888;
	}
}

static void decode_format(struct reader *reader, struct picture_format *format,
			  void *memory)
{
	(void)memory;
	read_header(reader);
	if (picture_format_init(format, fourcc_of(reader),
				png_get_image_width(reader->png, reader->info),
				png_get_image_height(reader->png, reader->info),
				reader->failure))
		png_longjmp(reader->png, 1);
	if (png_get_rowbytes(reader->png, reader->info) !=
	    format->plane[0].row_octets)
		png_error(reader->png, "rows of unexpected length");
}

static void decode_pixels(struct reader *reader, struct picture_format *format,
			  void *memory)
{
	int passes = read_header(reader);

	for (int pass = 0; pass < passes; pass++)
		for (uint32_t y = 0; y < format->height; y++)
			png_read_row(reader->png,
				     picture_row_mutable(&format->plane[0],
							 memory, y),
				     NULL);
	png_read_end(reader->png, NULL);
}

/* Runs one of the two above; every error ends in the setjmp() here. */
static int
decode(const struct png_source *source,
       void (*step)(struct reader *, struct picture_format *, void *),
       struct picture_format *format, void *memory, struct failure *failure)
{
	struct reader reader = { .source = source, .failure = failure };

	reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader,
					    on_error, on_warning);
	reader.info = reader.png ? png_create_info_struct(reader.png) : NULL;
	if (!reader.info) {
		png_destroy_read_struct(&reader.png, NULL, NULL);
		return fail_no_memory(failure, source->name);
	}
	if (setjmp(png_jmpbuf(reader.png))) {
		png_destroy_read_struct(&reader.png, &reader.info, NULL);
		return -1;
	}
	prepare(&reader);
	step(&reader, format, memory);
	png_destroy_read_struct(&reader.png, &reader.info, NULL);
	return 0;
}

static uint32_t big_endian(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
	       (uint32_t)octets[2] << 8 | octets[3];
}

/* Plain words for what libpng would call an invalid header. */
static int check_header(const struct png_source *source,
			struct failure *failure)
{
	const uint8_t *file = source->file;
	size_t signature = sizeof(SIGNATURE) - 1;
	uint32_t width, height;

	if (memcmp(file, SIGNATURE,
		   source->octets < signature ? source->octets : signature) ||
	    !source->octets)
		return fail_with(failure, "%s: not a PNG file", source->name);
	if (source->octets < HEADER_OCTETS)
		return fail_with(failure,
				 "%s: damaged PNG: the file is cut off",
				 source->name);
	if (memcmp(file + HEADER_NAME, "IHDR", 4))
		return fail_with(failure, "%s: damaged PNG: it has no header",
				 source->name);
	width = big_endian(file + HEADER_WIDTH);
	height = big_endian(file + HEADER_HEIGHT);
	if (!width || !height || width > PICTURE_SIDE_MAX ||
	    height > PICTURE_SIDE_MAX)
		return fail_with(
			failure,
			"%s: its size of %ux%u is not from 1x1 to %dx%d",
			source->name, width, height, PICTURE_SIDE_MAX,
			PICTURE_SIDE_MAX);
	if (file[HEADER_DEPTH] == 16)
		return fail_with(
			failure,
			"%s: 16 bits a channel; only 8-bit PNGs are supported",
			source->name);
	return 0;
}

static int grow(struct png_source *source, size_t *room,
		struct failure *failure)
{
	size_t more = *room ? *room * 2 : 65536;
	uint8_t *file;

	if (more > FILE_OCTETS_MAX)
		return fail_with(failure, "%s: larger than %zu octets",
				 source->name, FILE_OCTETS_MAX);
	file = realloc(source->file, more);
	if (!file)
		return fail_no_memory(failure, source->name);
	source->file = file;
	*room = more;
	return 0;
}

static int load_stream(struct png_source *source, FILE *stream,
		       struct failure *failure)
{
	size_t room = 0, got;

	do {
		if (source->octets == room && grow(source, &room, failure))
			return -1;
		got = fread(source->file + source->octets, 1,
			    room - source->octets, stream);
		source->octets += got;
	} while (got);
	if (ferror(stream))
		return fail_errno(failure, "%s: cannot read", source->name);
	return 0;
}

static int load(struct png_source *source, struct failure *failure)
{
	FILE *stream = fopen(source->name, "rbe");
	int result;

	if (!stream)
		return fail_errno(failure, "%s: cannot open", source->name);
	result = load_stream(source, stream, failure);
	fclose(stream);
	return result;
}

static int png_read(struct source *base, void *memory, struct failure *failure)
{
	struct png_source *source = (struct png_source *)base;

	if (decode(source, decode_pixels, &base->format, memory, failure))
		return -1;
	return 1;
}

static void png_close(struct source *base)
{
	struct png_source *source = (struct png_source *)base;

	free(source->file);
	free(source);
}

/* Decodes all into one row, so that a damaged file is never shared at all. */
static int try_pixels(const struct png_source *source, struct failure *failure)
{
	struct picture_format format = source->base.format;
	void *row = malloc(format.plane[0].row_octets);
	int result;

	if (!row)
		return fail_no_memory(failure, source->name);
	format.plane[0].stride = 0;
	result = decode(source, decode_pixels, &format, row, failure);
	free(row);
	return result;
}

struct source *source_png_open(const char *argument, struct failure *failure)
{
	static const struct source_ops ops = { .read = png_read,
					       .close = png_close };
	struct png_source *source;

	if (!argument || !*argument) {
		fail_with(failure, "png: needs a file name, as in png:FILE");
		return NULL;
	}
	source = calloc(1, sizeof(*source));
	if (!source) {
		fail_no_memory(failure, argument);
		return NULL;
	}
	source->base.ops = &ops;
	source->base.endless = true;
	source->base.still = true;
	source->base.fd = -1;
	source->name = argument;
	if (load(source, failure) || check_header(source, failure) ||
	    decode(source, decode_format, &source->base.format, NULL,
		   failure) ||
	    try_pixels(source, failure)) {
		png_close(&source->base);
		return NULL;
	}
	return &source->base;
}

#else

struct source *source_png_open(const char *argument, struct failure *failure)
{
	fail_with(failure, "png:%s: this program was built without libpng",
		  argument ? argument : "");
	return NULL;
}

#endif
