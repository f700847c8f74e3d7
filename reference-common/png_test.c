/* SPDX-License-Identifier: MIT */
/* The PNG source and sink, held against what libpng says of the files. */

#include "reference-common/convert.h"
#include "reference-common/sink.h"
#include "reference-common/source.h"
#include "reference-common/test_files.h"

#define UNTOUCHED 0xa5

#ifdef HDMABUF_HAVE_PNG

#include <fcntl.h>
#include <png.h>
#include <signal.h>
#include <sys/resource.h>

/* A kind of PNG, and what it must be in memory. */
struct kind {
	const char *name;
	int color, depth;
	bool transparent; /* has a tRNS chunk */
	uint32_t fourcc;
};

static const struct kind kinds[] = {
	{ "grey 1", PNG_COLOR_TYPE_GRAY, 1, false, PICTURE_R8 },
	{ "grey 2", PNG_COLOR_TYPE_GRAY, 2, false, PICTURE_R8 },
	{ "grey 4", PNG_COLOR_TYPE_GRAY, 4, false, PICTURE_R8 },
	{ "grey 8", PNG_COLOR_TYPE_GRAY, 8, false, PICTURE_R8 },
	{ "grey 2 tRNS", PNG_COLOR_TYPE_GRAY, 2, true, PICTURE_ABGR8888 },
	{ "grey 8 tRNS", PNG_COLOR_TYPE_GRAY, 8, true, PICTURE_ABGR8888 },
	{ "grey alpha", PNG_COLOR_TYPE_GA, 8, false, PICTURE_ABGR8888 },
	{ "rgb", PNG_COLOR_TYPE_RGB, 8, false, PICTURE_BGR888 },
	{ "rgb tRNS", PNG_COLOR_TYPE_RGB, 8, true, PICTURE_ABGR8888 },
	{ "rgba", PNG_COLOR_TYPE_RGBA, 8, false, PICTURE_ABGR8888 },
	{ "palette 1", PNG_COLOR_TYPE_PALETTE, 1, false, PICTURE_BGR888 },
	{ "palette 2", PNG_COLOR_TYPE_PALETTE, 2, false, PICTURE_BGR888 },
	{ "palette 4 tRNS", PNG_COLOR_TYPE_PALETTE, 4, true, PICTURE_ABGR8888 },
	{ "palette 8", PNG_COLOR_TYPE_PALETTE, 8, false, PICTURE_BGR888 },
	{ "palette 8 tRNS", PNG_COLOR_TYPE_PALETTE, 8, true, PICTURE_ABGR8888 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const uint32_t sizes[][2] = { { 1, 1 },	 { 1, 9 },  { 9, 1 }, { 7, 5 },
				     { 16, 16 }, { 33, 9 }, { 65, 3 } };

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void set_palette(png_structp png, png_infop info,
			const struct kind *kind)
{
	png_color palette[256];

	for (uint32_t i = 0; i < 256; i++)
		palette[i] = (png_color){ .red = noise(i * 3),
					  .green = noise(i * 3 + 1),
					  .blue = noise(i * 3 + 2) };
	png_set_PLTE(png, info, palette, 1 << kind->depth);
}

/* The first pixel's colour is transparent; of a palette, the first half. */
static void set_transparency(png_structp png, png_infop info,
			     const struct kind *kind)
{
	png_color_16 color = { .red = noise(0),
			       .green = noise(1),
			       .blue = noise(2),
			       .gray = noise(0) >> (8 - kind->depth) };
	uint8_t alphas[256];

	for (uint32_t i = 0; i < sizeof(alphas); i++)
		alphas[i] = noise(i + 1000);
	if (kind->color == PNG_COLOR_TYPE_PALETTE)
		png_set_tRNS(png, info, alphas, 1 << kind->depth >> 1, NULL);
	else
		png_set_tRNS(png, info, NULL, 0, &color);
}

/* Writes noise, all of it of the depth and size that are asked for. */
static void make_png(const char *name, const struct kind *kind, uint32_t width,
		     uint32_t height, int interlace)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL,
						  NULL, NULL);
	png_infop info = png_create_info_struct(png);
	FILE *stream = fopen(name, "wb");
	uint8_t row[65 * 4];
	int passes;

	assert_non_null(stream);
	png_init_io(png, stream);
	png_set_IHDR(png, info, width, height, kind->depth, kind->color,
		     interlace, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	if (kind->color == PNG_COLOR_TYPE_PALETTE)
		set_palette(png, info, kind);
	if (kind->transparent)
		set_transparency(png, info, kind);
	png_write_info(png, info);
	passes = png_set_interlace_handling(png);
	for (int pass = 0; pass < passes; pass++)
		for (uint32_t y = 0; y < height; y++) {
			for (uint32_t i = 0; i < sizeof(row); i++)
				row[i] = noise(y * 1000 + i);
			png_write_row(png, row);
		}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	assert_int_equal(fclose(stream), 0);
}

/* The pixels as R, G, B, A by libpng's other interface; the caller frees. */
static uint8_t *rgba_of_file(const char *name, uint32_t *width,
			     uint32_t *height)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *rgba;

	assert_true(png_image_begin_read_from_file(&image, name));
	image.format = PNG_FORMAT_RGBA;
	*width = image.width;
	*height = image.height;
	rgba = malloc(PNG_IMAGE_SIZE(image));
	assert_true(png_image_finish_read(&image, NULL, rgba, 0, NULL));
	return rgba;
}

static int color_of_file(const char *name)
{
	struct test_file file = read_file(name);
	int color = file.octets[25];

	free(file.octets);
	return color;
}

static struct source *open_png(const char *spec)
{
	struct failure failure;
	struct source *source = source_open(spec, &failure);

	if (!source)
		fail_msg("%s", failure.text);
	return source;
}

static uint8_t *picture_of(struct source *source)
{
	uint8_t *memory = malloc((size_t)source->format.octets);
	struct failure failure;

	memset(memory, UNTOUCHED, (size_t)source->format.octets);
	assert_int_equal(source_read(source, memory, &failure), 1);
	return memory;
}

static void assert_padding_untouched(const struct picture_format *format,
				     const uint8_t *memory)
{
	const struct picture_plane *plane = &format->plane[0];

	for (uint32_t y = 0; y < plane->rows; y++)
		for (uint32_t i = plane->row_octets; i < plane->stride; i++)
			assert_int_equal(picture_row(plane, memory, y)[i],
					 UNTOUCHED);
}

static void assert_rgba(const struct picture_format *format,
			const uint8_t *memory, const uint8_t *rgba)
{
	uint8_t row[65 * 4];

	for (uint32_t y = 0; y < format->height; y++) {
		convert_row(format, memory, y, false, row);
		assert_memory_equal(row, rgba + y * format->width * 4,
				    format->width * 4);
	}
}

static void assert_same_pixels(const char *name, const char *other)
{
	uint32_t width, height, other_width, other_height;
	uint8_t *rgba = rgba_of_file(name, &width, &height);
	uint8_t *other_rgba = rgba_of_file(other, &other_width, &other_height);

	assert_int_equal(width, other_width);
	assert_int_equal(height, other_height);
	assert_memory_equal(rgba, other_rgba, width * height * 4);
	free(rgba);
	free(other_rgba);
}

static void write_to(const char *spec, const struct picture_format *format,
		     const char *private_text, const void *memory)
{
	struct failure failure;
	struct sink *sink = sink_open(spec, &failure);

	assert_non_null(sink);
	assert_int_equal(sink_write(sink, format, private_text, memory,
				    &failure),
			 SINK_OPEN);
	assert_int_equal(sink_close(sink, &failure), 0);
}

static void check_file(const struct kind *kind, uint32_t width, uint32_t height)
{
	struct source *source = open_png("png:in.png");
	uint8_t *memory = picture_of(source), *rgba;

	assert_int_equal(source->format.fourcc, kind->fourcc);
	assert_int_equal(source->format.width, width);
	assert_int_equal(source->format.height, height);
	rgba = rgba_of_file("in.png", &width, &height);
	assert_rgba(&source->format, memory, rgba);
	assert_padding_untouched(&source->format, memory);
	write_to("png:out.png", &source->format, "", memory);
	assert_same_pixels("in.png", "out.png");
	free(rgba);
	free(memory);
	source_close(source);
}

static void check_round_trips(int interlace)
{
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t size = 0; size < SIZES; size++) {
			make_png("in.png", &kinds[kind], sizes[size][0],
				 sizes[size][1], interlace);
			check_file(&kinds[kind], sizes[size][0],
				   sizes[size][1]);
		}
}

static void every_kind_comes_out_as_it_went_in(void **state)
{
	(void)state;
	check_round_trips(PNG_INTERLACE_NONE);
}

static void interlaced_comes_out_as_it_went_in(void **state)
{
	(void)state;
	check_round_trips(PNG_INTERLACE_ADAM7);
}

static void source_repeats_the_picture(void **state)
{
	struct source *source;
	uint32_t crc;

	(void)state;
	make_png("in.png", &kinds[7], 33, 9, PNG_INTERLACE_NONE);
	source = open_png("png:in.png");
	assert_true(source->endless && source->still);
	assert_int_equal(source->fd, -1);
	assert_int_equal(source->rate_numerator, 0);
	/* It does not matter what becomes of the file now. */
	write_file("in.png", "", 0);
	for (int i = 0; i < 3; i++) {
		uint8_t *memory = picture_of(source);

		if (!i)
			crc = picture_crc(0, &source->format, memory);
		assert_int_equal(picture_crc(0, &source->format, memory), crc);
		free(memory);
	}
	source_close(source);
}

/* Must be refused at once, before anything is shared. */
static void assert_refused(const char *name, const char *says)
{
	struct failure failure;
	char spec[64];

	snprintf(spec, sizeof(spec), "png:%s", name);
	assert_null(source_open(spec, &failure));
	assert_says(failure.text, name);
	assert_says(failure.text, says);
}

static void every_truncation_is_refused(void **state)
{
	static const int some[] = { 3, 9, 12 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct test_file file;

		make_png("in.png", &kinds[some[i]], 9, 7, (int)i & 1);
		file = read_file("in.png");
		for (size_t count = 0; count < file.count; count++) {
			write_file("cut.png", file.octets, count);
			assert_refused("cut.png", count ? "PNG" : "not a PNG");
		}
		free(file.octets);
	}
}

/* All octets of a PNG are under some check, so no flip can go unnoticed. */
static void every_flipped_bit_is_refused(void **state)
{
	static const int some[] = { 3, 9, 12 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct test_file file;

		make_png("in.png", &kinds[some[i]], 5, 4, (int)i & 1);
		file = read_file("in.png");
		for (size_t bit = 0; bit < file.count * 8; bit++) {
			file.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
			write_file("flip.png", file.octets, file.count);
			assert_refused("flip.png", "");
			file.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		free(file.octets);
	}
}

static size_t find(const struct test_file *file, const char *chunk)
{
	for (size_t i = 0; i + 4 <= file->count; i++)
		if (!memcmp(file->octets + i, chunk, 4))
			return i;
	fail_msg("no %s in the file", chunk);
	return 0;
}

static void put_number(uint8_t *octets, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		octets[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Makes the CRC of a chunk right again; at is where its name is. */
static void mend(struct test_file *file, size_t at)
{
	const uint8_t *length = file->octets + at - 4;
	size_t count = (size_t)length[2] << 8 | length[3];
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < (count + 4) * 8; i++)
		crc = crc >> 1 ^
		      (((crc ^ file->octets[at + i / 8] >> i % 8) & 1) ?
			       0xedb88320 :
			       0);
	put_number(file->octets + at + 4 + count, ~crc);
}

/* Changes octets of a chunk so that only their meaning is wrong. */
static void assert_change_refused(const struct kind *kind, const char *chunk,
				  size_t place, uint32_t number,
				  const char *says)
{
	struct test_file file;
	size_t at;

	make_png("in.png", kind, 16, 16, PNG_INTERLACE_NONE);
	file = read_file("in.png");
	at = find(&file, chunk);
	put_number(file.octets + at + 4 + place, number);
	mend(&file, at);
	write_file("lie.png", file.octets, file.count);
	free(file.octets);
	assert_refused("lie.png", says);
}

#define WIDTH  0
#define HEIGHT 4
#define DEPTH  8 /* and colour, compression, filter */

static void lying_headers_are_refused(void **state)
{
	const struct kind *rgba = &kinds[9];

	(void)state;
	assert_change_refused(rgba, "IHDR", WIDTH, 0, "0x16");
	assert_change_refused(rgba, "IHDR", HEIGHT, 0, "16x0");
	assert_change_refused(rgba, "IHDR", WIDTH, 16385, "16385x16");
	assert_change_refused(rgba, "IHDR", HEIGHT, 0xffffffff, "4294967295");
	assert_change_refused(rgba, "IHDR", WIDTH, 17, "damaged");
	assert_change_refused(rgba, "IHDR", HEIGHT, 17, "damaged");
	assert_change_refused(rgba, "IHDR", HEIGHT, 16384, "damaged");
	assert_change_refused(rgba, "IHDR", DEPTH, 0x10060000, "16 bits");
	assert_change_refused(rgba, "IHDR", DEPTH, 0x10000000, "16 bits");
	assert_change_refused(rgba, "IHDR", DEPTH, 0x03000000, "damaged");
	assert_change_refused(rgba, "IHDR", DEPTH, 0x08050000, "damaged");
	assert_change_refused(rgba, "IHDR", DEPTH, 0x08030000, "damaged");
	assert_change_refused(rgba, "IHDR", DEPTH, 0x08060100, "damaged");
}

static void bad_chunks_are_refused(void **state)
{
	const struct kind *grey = &kinds[5], *palette = &kinds[13];
	struct test_file file;
	size_t at;

	(void)state;
	/* No palette at all: its name changed into one nobody knows. */
	make_png("in.png", palette, 16, 16, PNG_INTERLACE_NONE);
	file = read_file("in.png");
	at = find(&file, "PLTE");
	memcpy(file.octets + at, "plTe", 4);
	mend(&file, at);
	write_file("lie.png", file.octets, file.count);
	free(file.octets);
	assert_refused("lie.png", "PLTE");

	/* A transparent colour of one octet: dropping it would lose alpha. */
	make_png("in.png", grey, 16, 16, PNG_INTERLACE_NONE);
	file = read_file("in.png");
	at = find(&file, "tRNS");
	put_number(file.octets + at - 4, 1);
	memmove(file.octets + at + 5, file.octets + at + 6,
		file.count - at - 6);
	file.count--;
	mend(&file, at);
	write_file("lie.png", file.octets, file.count);
	free(file.octets);
	assert_refused("lie.png", "tRNS");

	/* A chunk that goes beyond the end of the file. */
	make_png("in.png", grey, 16, 16, PNG_INTERLACE_NONE);
	file = read_file("in.png");
	put_number(file.octets + find(&file, "IDAT") - 4, 0x7fffffff);
	write_file("lie.png", file.octets, file.count);
	free(file.octets);
	assert_refused("lie.png", "cut off");
}

static void garbage_is_refused(void **state)
{
	uint8_t octets[4096];

	(void)state;
	for (uint32_t i = 0; i < sizeof(octets); i++)
		octets[i] = noise(i);
	write_file("noise", octets, sizeof(octets));
	assert_refused("noise", "not a PNG");
	memcpy(octets, "\x89PNG\r\n\x1a\n", 8);
	write_file("noise", octets, sizeof(octets));
	assert_refused("noise", "no header");
	write_file("text.png", "YUV4MPEG2 W2 H2\n", 16);
	assert_refused("text.png", "not a PNG");
	assert_refused("missing.png", "No such file");
	assert_refused(".", "Is a directory");
	assert_refused("", "needs a file name");
}

static void sink_holds_the_last_frame(void **state)
{
	struct failure failure;
	struct sink *sink;

	(void)state;
	sink = sink_open("png:last.png", &failure);
	assert_non_null(sink);
	/* 9x1, 16x16, 65x3: larger and larger copies. */
	for (uint32_t size = 2; size <= 6; size += 2) {
		struct source *source;
		uint8_t *memory;

		make_png("in.png", &kinds[size], sizes[size][0], sizes[size][1],
			 PNG_INTERLACE_NONE);
		source = open_png("png:in.png");
		memory = picture_of(source);
		assert_int_equal(sink_write(sink, &source->format, "", memory,
					    &failure),
				 SINK_OPEN);
		assert_null(sink->note);
		/* The memory is not used afterwards. */
		memset(memory, 0, (size_t)source->format.octets);
		free(memory);
		source_close(source);
	}
	/* Whoever is killed now leaves nothing. */
	assert_false(exists("last.png"));
	assert_int_equal(sink_close(sink, &failure), 0);
	assert_same_pixels("in.png", "last.png");
}

static void sink_without_a_frame_writes_nothing(void **state)
{
	struct failure failure;
	struct sink *sink = sink_open("png:none.png", &failure);

	(void)state;
	assert_non_null(sink);
	assert_int_equal(sink_close(sink, &failure), 0);
	assert_false(exists("none.png"));
}

static void numbered_files(void **state)
{
	struct failure failure;
	struct source *source;
	struct sink *sink;
	uint8_t *memory;

	(void)state;
	make_png("in.png", &kinds[7], 7, 5, PNG_INTERLACE_NONE);
	source = open_png("png:in.png");
	memory = picture_of(source);
	sink = sink_open("png:100%-%03d%s.png", &failure);
	for (int i = 0; i < 11; i++)
		assert_int_equal(sink_write(sink, &source->format, "", memory,
					    &failure),
				 SINK_OPEN);
	assert_int_equal(sink_close(sink, &failure), 0);
	assert_same_pixels("in.png", "100%-000%s.png");
	assert_same_pixels("in.png", "100%-010%s.png");
	assert_false(exists("100%-011%s.png"));

	write_to("png:%d", &source->format, "", memory);
	assert_same_pixels("in.png", "0");
	assert_null(sink_open("png:%d-%4d.png", &failure));
	assert_says(failure.text, "only one");
	assert_null(sink_open("png:%021d.png", &failure));
	assert_says(failure.text, "at most 20");
	assert_null(sink_open("png:%99999999999999999999d.png", &failure));
	free(memory);
	source_close(source);
}

/* One pixel in each format: what must be in the file. */
static void every_pixel_format_can_be_written(void **state)
{
	static const struct {
		uint32_t fourcc;
		int color;
		uint8_t rgba[4];
	} cases[] = {
		{ PICTURE_R8, PNG_COLOR_TYPE_GRAY, { 10, 10, 10, 255 } },
		{ PICTURE_BGR888, PNG_COLOR_TYPE_RGB, { 10, 20, 30, 255 } },
		{ PICTURE_RGB888, PNG_COLOR_TYPE_RGB, { 30, 20, 10, 255 } },
		{ PICTURE_XRGB8888, PNG_COLOR_TYPE_RGB, { 30, 20, 10, 255 } },
		{ PICTURE_ARGB8888, PNG_COLOR_TYPE_RGBA, { 30, 20, 10, 40 } },
		{ PICTURE_XBGR8888, PNG_COLOR_TYPE_RGB, { 10, 20, 30, 255 } },
		{ PICTURE_ABGR8888, PNG_COLOR_TYPE_RGBA, { 10, 20, 30, 40 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct picture_format format;
		struct failure failure;
		uint8_t memory[64] = { 10, 20, 30, 40 }, *rgba;
		uint32_t width, height;

		picture_format_init(&format, cases[i].fourcc, 1, 1, &failure);
		write_to("png:out.png", &format, "", memory);
		assert_int_equal(color_of_file("out.png"), cases[i].color);
		rgba = rgba_of_file("out.png", &width, &height);
		assert_memory_equal(rgba, cases[i].rgba, 4);
		free(rgba);
	}
}

/* Full-range luma is grey as it is; limited luma is stretched. */
static void yuv_is_converted_and_said_so(void **state)
{
	struct picture_format format;
	struct failure failure;
	struct sink *sink;
	uint8_t memory[192] = { [0] = 81, [64] = 90, [128] = 240 }, *rgba;
	uint32_t width, height;

	(void)state;
	picture_format_init(&format, PICTURE_YUV420, 1, 1, &failure);
	sink = sink_open("png:red.png", &failure);
	assert_int_equal(sink_write(sink, &format, "", memory, &failure), 0);
	assert_says(sink->note, "BT.601");
	assert_int_equal(sink_close(sink, &failure), 0);
	rgba = rgba_of_file("red.png", &width, &height);
	assert_memory_equal(rgba, ((uint8_t[]){ 254, 0, 0, 255 }), 4);
	free(rgba);

	memory[64] = memory[128] = 128;
	write_to("png:grey.png", &format,
		 "YUV4MPEG2 W1 H1 F25:1 C420jpeg XCOLORRANGE=FULL", memory);
	rgba = rgba_of_file("grey.png", &width, &height);
	assert_memory_equal(rgba, ((uint8_t[]){ 81, 81, 81, 255 }), 4);
	free(rgba);
}

/* Rows that are far apart, and a picture that begins later. */
static void layouts_of_others_can_be_written(void **state)
{
	static const char *const specs[] = { "png:out.png", "png:out-%d.png" };
	struct picture_format other;
	struct failure failure;
	struct source *source;
	uint8_t *memory, *copy;

	(void)state;
	make_png("in.png", &kinds[7], 7, 5, PNG_INTERLACE_NONE);
	source = open_png("png:in.png");
	memory = picture_of(source);
	other = source->format;
	other.plane[0].offset = 3;
	other.plane[0].stride = 50;
	/* Not an octet more than is needed, for the sanitizer to see. */
	assert_int_equal(
		picture_format_check(&other, 3 + 4 * 50 + 21, &failure), 0);
	copy = malloc(3 + 4 * 50 + 21);
	picture_copy(&other, copy, &source->format, memory);
	for (size_t i = 0; i < 2; i++)
		write_to(specs[i], &other, "", copy);
	assert_same_pixels("in.png", "out.png");
	assert_same_pixels("in.png", "out-0.png");
	free(copy);
	free(memory);
	source_close(source);
}

static uint8_t *big_noise(struct picture_format *format)
{
	struct failure failure;
	uint8_t *memory;

	picture_format_init(format, PICTURE_BGR888, 300, 300, &failure);
	memory = malloc((size_t)format->octets);
	for (uint32_t i = 0; i < format->octets; i++)
		memory[i] = noise(i);
	return memory;
}

static void count_files(size_t expected)
{
	DIR *folder = opendir(".");
	size_t count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	assert_int_equal(count, expected + 2); /* . and .. */
}

/* When the disk is full, the file that was there is still there. */
static void failed_writing_leaves_no_half_file(void **state)
{
	struct rlimit limit = { .rlim_cur = 20000, .rlim_max = RLIM_INFINITY };
	struct picture_format format;
	uint8_t *memory = big_noise(&format);
	struct failure failure;
	struct sink *sink;

	(void)state;
	make_png("old.png", &kinds[7], 7, 5, PNG_INTERLACE_NONE);
	make_png("copy.png", &kinds[7], 7, 5, PNG_INTERLACE_NONE);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 20000;
	setrlimit(RLIMIT_FSIZE, &limit);

	sink = sink_open("png:old.png", &failure);
	assert_int_equal(sink_write(sink, &format, "", memory, &failure), 0);
	assert_int_equal(sink_close(sink, &failure), -1);
	assert_says(failure.text, "old.png: cannot write: File too large");
	assert_same_pixels("old.png", "copy.png");

	sink = sink_open("png:new-%d.png", &failure);
	assert_int_equal(sink_write(sink, &format, "", memory, &failure), -1);
	assert_says(failure.text, "new-0.png: cannot write: File too large");
	assert_int_equal(sink_close(sink, &failure), 0);
	count_files(2);

	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	free(memory);
}

/* What a killed process of the same number left is in nobody's way. */
static void leftover_is_removed(void **state)
{
	struct picture_format format;
	uint8_t *memory = big_noise(&format);
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "out.png.%ld.tmp", (long)getpid());
	write_file(name, "left", 4);
	write_to("png:out.png", &format, "", memory);
	count_files(1);
	free(memory);
}

/* Through a link, for whatever goes wrong here must not hurt the device. */
static void full_disk_is_told(void **state)
{
	struct picture_format format;
	uint8_t *memory = big_noise(&format);
	struct failure failure;
	struct sink *sink;

	(void)state;
	assert_int_equal(symlink("/dev/full", "full"), 0);
	sink = sink_open("png:full", &failure);
	assert_int_equal(sink_write(sink, &format, "", memory, &failure), 0);
	assert_int_equal(sink_close(sink, &failure), -1);
	assert_says(failure.text, "full: cannot write: No space left");
	count_files(1);
	free(memory);
}

static void links_and_pipes_keep_their_names(void **state)
{
	struct picture_format format;
	uint8_t *memory = big_noise(&format), *longer = calloc(1, 400000);
	struct stat status;
	int pipe;

	(void)state;
	write_to("png:plain.png", &format, "", memory);
	write_file("target", longer, 400000);
	assert_int_equal(symlink("target", "link"), 0);
	write_to("png:link", &format, "", memory);
	assert_int_equal(lstat("link", &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_same_file("target", "plain.png");

	format.height = format.plane[0].rows = 1;
	assert_int_equal(mkfifo("pipe", 0666), 0);
	pipe = open("pipe", O_RDWR);
	write_to("png:pipe", &format, "", memory);
	assert_int_equal(stat("pipe", &status), 0);
	assert_true(S_ISFIFO(status.st_mode));
	assert_int_equal(read(pipe, longer, 8), 8);
	assert_memory_equal(longer, "\x89PNG\r\n\x1a\n", 8);
	close(pipe);
	free(longer);
	free(memory);
}

static void bad_places_are_refused_at_once(void **state)
{
	static const struct {
		const char *spec, *says;
	} cases[] = {
		{ "png", "needs a file name" },
		{ "png:", "needs a file name" },
		{ "png:.", ".: cannot write: it is a folder" },
		{ "png:no/such/a.png", "no/such/a.png: cannot write to its" },
		{ "pngs:a.png", "unknown sink \"pngs:a.png\"" },
		{ "", "unknown sink" },
		{ "null:x", "no argument" },
	};
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(sink_open(cases[i].spec, &failure));
		assert_says(failure.text, cases[i].says);
	}
}

static void null_sink_takes_all(void **state)
{
	struct picture_format format;
	struct failure failure;
	struct sink *sink = sink_open("null", &failure);

	(void)state;
	picture_format_init(&format, PICTURE_R8, 1, 1, &failure);
	assert_non_null(sink);
	assert_int_equal(sink_write(sink, &format, "", NULL, &failure), 0);
	assert_int_equal(sink_dispatch(sink), SINK_OPEN);
	assert_int_equal(sink_close(sink, &failure), 0);
	assert_int_equal(sink_close(NULL, &failure), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(every_kind_comes_out_as_it_went_in),
		folder_test(interlaced_comes_out_as_it_went_in),
		folder_test(source_repeats_the_picture),
		folder_test(every_truncation_is_refused),
		folder_test(every_flipped_bit_is_refused),
		folder_test(lying_headers_are_refused),
		folder_test(bad_chunks_are_refused),
		folder_test(garbage_is_refused),
		folder_test(sink_holds_the_last_frame),
		folder_test(sink_without_a_frame_writes_nothing),
		folder_test(numbered_files),
		folder_test(every_pixel_format_can_be_written),
		folder_test(yuv_is_converted_and_said_so),
		folder_test(layouts_of_others_can_be_written),
		folder_test(failed_writing_leaves_no_half_file),
		folder_test(leftover_is_removed),
		folder_test(full_disk_is_told),
		folder_test(links_and_pipes_keep_their_names),
		folder_test(bad_places_are_refused_at_once),
		folder_test(null_sink_takes_all),
	};

	return hdmabuf_test_run("png", tests, sizeof(tests) / sizeof(tests[0]));
}

#else

static void says_that_it_was_built_without(void **state)
{
	struct failure failure;

	(void)state;
	assert_null(source_open("png:x.png", &failure));
	assert_says(failure.text, "png:x.png: this program was built without");
	assert_null(sink_open("png:x.png", &failure));
	assert_says(failure.text, "png:x.png: this program was built without");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_that_it_was_built_without),
	};

	return hdmabuf_test_run("png", tests, 1);
}

#endif
