/* SPDX-License-Identifier: MIT */
/* The Y4M source and sink, held against streams that are made here by hand. */

#include "reference-common/sink.h"
#include "reference-common/source.h"
#include "reference-common/test_files.h"
#include "reference-common/y4m.h"

#include <fcntl.h>
#include <sys/wait.h>

#define UNTOUCHED 0xa5

/* The words of a header, and the octets of one frame of a size. */
struct kind {
	const char *words;
	uint32_t fourcc;
	uint32_t across, down; /* 0: no chroma */
};

static const struct kind kinds[] = {
	{ "", PICTURE_YUV420, 2, 2 },
	{ " C420", PICTURE_YUV420, 2, 2 },
	{ " F30000:1001 Ip A1:1 C420jpeg", PICTURE_YUV420, 2, 2 },
	{ " C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=LIMITED", PICTURE_YUV420, 2,
	  2 },
	{ " F25:1 It A128:117 C420paldv", PICTURE_YUV420, 2, 2 },
	{ " F50:1 Im C422 Xwhatever", PICTURE_YUV422, 2, 1 },
	{ " F0:0 A0:0 C444 XCOLORRANGE=FULL", PICTURE_YUV444, 1, 1 },
	{ " F24:1  Cmono Zunknown", PICTURE_R8, 0, 0 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const uint32_t sizes[][2] = { { 1, 1 },	{ 1, 2 },  { 2, 1 },  { 5, 3 },
				     { 64, 4 }, { 65, 7 }, { 128, 9 } };

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static size_t frame_octets(const struct kind *kind, uint32_t width,
			   uint32_t height)
{
	size_t luma = (size_t)width * height, chroma;

	if (!kind->across)
		return luma;
	chroma = (size_t)((width + kind->across - 1) / kind->across) *
		 ((height + kind->down - 1) / kind->down);
	return luma + 2 * chroma;
}

static void write_noise(FILE *stream, size_t count, uint32_t seed)
{
	for (uint32_t i = 0; i < count; i++)
		fputc(noise(seed + i), stream);
}

/* A stream of as many frames, in files named in. */
static void make_y4m(const struct kind *kind, uint32_t width, uint32_t height,
		     uint32_t frames)
{
	FILE *stream = fopen("in.y4m", "wb");

	assert_non_null(stream);
	fprintf(stream, "YUV4MPEG2 W%u H%u%s\n", width, height, kind->words);
	for (uint32_t i = 0; i < frames; i++) {
		fputs("FRAME\n", stream);
		write_noise(stream, frame_octets(kind, width, height),
			    i * 100000);
	}
	assert_int_equal(fclose(stream), 0);
}

static struct source *open_y4m(const char *spec)
{
	struct failure failure;
	struct source *source = source_open(spec, &failure);

	if (!source)
		fail_msg("%s", failure.text);
	assert_false(source->endless);
	assert_false(source->still);
	return source;
}

static uint8_t *memory_for(const struct source *source)
{
	uint8_t *memory = malloc((size_t)source->format.octets);

	assert_non_null(memory);
	memset(memory, UNTOUCHED, (size_t)source->format.octets);
	return memory;
}

/* All frames of a source into a sink; returns how many. */
static uint64_t copy_stream(struct source *source, const char *spec)
{
	uint8_t *memory = memory_for(source);
	struct failure failure;
	struct sink *sink = sink_open(spec, &failure);
	uint64_t frames = 0;

	assert_non_null(sink);
	while (source_read(source, memory, &failure) == 1) {
		if (sink_write(sink, &source->format, source->private_text,
			       memory, &failure))
			fail_msg("%s", failure.text);
		frames++;
	}
	assert_int_equal(sink_close(sink, &failure), 0);
	free(memory);
	return frames;
}

static void every_kind_comes_out_octet_for_octet(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t size = 0; size < SIZES; size++) {
			struct source *source;

			make_y4m(&kinds[kind], sizes[size][0], sizes[size][1],
				 3);
			source = open_y4m("y4m:in.y4m");
			assert_int_equal(source->format.fourcc,
					 kinds[kind].fourcc);
			assert_int_equal(source->format.width, sizes[size][0]);
			assert_int_equal(source->format.height, sizes[size][1]);
			assert_int_equal(source->frames, 3);
			assert_int_equal(source->fd, -1);
			assert_int_equal(copy_stream(source, "y4m:out.y4m"), 3);
			assert_same_file("in.y4m", "out.y4m");
			source_close(source);
		}
}

/* In the planes, in the rows, and nowhere else. */
static void pixels_are_where_the_format_says(void **state)
{
	struct source *source;
	uint8_t *memory;
	struct failure failure;
	uint32_t number = 0;

	(void)state;
	make_y4m(&kinds[0], 65, 7, 1);
	source = open_y4m("y4m:in.y4m");
	memory = memory_for(source);
	assert_int_equal(source_read(source, memory, &failure), 1);
	for (unsigned int i = 0; i < 3; i++) {
		const struct picture_plane *plane = &source->format.plane[i];

		for (uint32_t y = 0; y < plane->rows; y++)
			for (uint32_t x = 0; x < plane->stride; x++)
				assert_int_equal(picture_row(plane, memory,
							     y)[x],
						 x < plane->row_octets ?
							 noise(number++) :
							 UNTOUCHED);
	}
	assert_int_equal(number, 65 * 7 + 2 * 33 * 4);
	assert_int_equal(source_read(source, memory, &failure), 0);
	free(memory);
	source_close(source);
}

static void rates(void **state)
{
	static const struct {
		const char *words;
		uint32_t numerator, denominator;
	} cases[] = {
		{ " F30000:1001", 30000, 1001 },
		{ "", 0, 0 },
		{ " F0:0", 0, 0 },
		{ " F25:0", 0, 0 },
		{ " F0:1", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kind kind = kinds[0];
		struct source *source;

		kind.words = cases[i].words;
		make_y4m(&kind, 2, 2, 1);
		source = open_y4m("y4m:in.y4m");
		assert_int_equal(source->rate_numerator, cases[i].numerator);
		assert_int_equal(source->rate_denominator,
				 cases[i].denominator);
		source_close(source);
	}
}

/* Parameters belong to one frame, and go with it. */
static void frame_parameters_survive(void **state)
{
	static const char stream[] = "YUV4MPEG2 W1 H1 Im C444\n"
				     "FRAME Itsp XPARAM=x\nabc"
				     "FRAME\ndef"
				     "FRAME \nghi"
				     "FRAME Ibsp\njkl";
	static const char *const texts[] = {
		"YUV4MPEG2 W1 H1 Im C444\nFRAME Itsp XPARAM=x",
		"YUV4MPEG2 W1 H1 Im C444",
		"YUV4MPEG2 W1 H1 Im C444\nFRAME ",
		"YUV4MPEG2 W1 H1 Im C444\nFRAME Ibsp",
	};
	struct failure failure;
	struct source *source;
	uint8_t *memory;

	(void)state;
	write_file("in.y4m", stream, sizeof(stream) - 1);
	source = open_y4m("y4m:in.y4m");
	assert_string_equal(source->private_text, "YUV4MPEG2 W1 H1 Im C444");
	assert_int_equal(source->frames, 0);
	memory = memory_for(source);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(source_read(source, memory, &failure), 1);
		assert_string_equal(source->private_text, texts[i]);
	}
	free(memory);
	source_close(source);

	source = open_y4m("y4m:in.y4m");
	assert_int_equal(copy_stream(source, "y4m:out.y4m"), 4);
	assert_same_file("in.y4m", "out.y4m");
	source_close(source);
}

/* What standard input and output are during the test. */
static int replace_descriptor(int fd, int by)
{
	int before = dup(fd);

	assert_true(before >= 0);
	assert_int_equal(dup2(by, fd), fd);
	close(by);
	return before;
}

static void restore_descriptor(int fd, int before)
{
	assert_int_equal(dup2(before, fd), fd);
	close(before);
}

static void standard_input_is_a_pipe(void **state)
{
	struct test_file file;
	struct source *source;
	int ends[2], before;

	(void)state;
	make_y4m(&kinds[5], 65, 7, 4);
	file = read_file("in.y4m");
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], file.octets, file.count), file.count);
	close(ends[1]);
	before = replace_descriptor(STDIN_FILENO, ends[0]);

	source = open_y4m("y4m:-");
	assert_int_equal(source->fd, STDIN_FILENO);
	assert_int_equal(source->frames, 0);
	assert_int_equal(copy_stream(source, "y4m:out.y4m"), 4);
	assert_same_file("in.y4m", "out.y4m");
	source_close(source);

	restore_descriptor(STDIN_FILENO, before);
	free(file.octets);
}

/* Nothing is read ahead, so that poll() speaks of the next frame. */
static void pipe_is_read_frame_by_frame(void **state)
{
	static const char header[] = "YUV4MPEG2 W1 H1 C444\n";
	struct failure failure;
	struct source *source;
	uint8_t memory[192];
	int ends[2], before;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	before = replace_descriptor(STDIN_FILENO, ends[0]);
	assert_int_equal(write(ends[1], header, sizeof(header) - 1), 21);
	source = open_y4m("y4m:-");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(read(STDIN_FILENO, memory, 1), -1);
		assert_int_equal(write(ends[1], "FRAME\nabc", 9), 9);
		assert_int_equal(source_read(source, memory, &failure), 1);
		assert_int_equal(memory[128], 'c');
	}
	assert_int_equal(write(ends[1], "FRAME\nab", 8), 8);
	close(ends[1]);
	assert_int_equal(source_read(source, memory, &failure), -1);
	assert_says(failure.text, "standard input: cut off in the pixels of "
				  "frame 4");
	source_close(source);
	restore_descriptor(STDIN_FILENO, before);
}

/* A process that writes one octet after the other. */
static pid_t write_slowly(int ends[2], const char *text)
{
	pid_t writer = fork();

	assert_true(writer >= 0);
	if (writer)
		return writer;
	for (; *text; text++) {
		usleep(3000);
		if (write(ends[1], text, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* Also a pipe that somebody else made non-blocking. */
static void slow_pipe_is_waited_for(void **state)
{
	int ends[2], before, status;
	struct failure failure;
	struct source *source;
	uint8_t memory[192];
	pid_t writer;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	writer = write_slowly(ends, "YUV4MPEG2 W1 H1 C444\nFRAME\nabc");
	close(ends[1]);
	before = replace_descriptor(STDIN_FILENO, ends[0]);
	source = open_y4m("y4m:-");
	assert_int_equal(source_read(source, memory, &failure), 1);
	assert_int_equal(memory[128], 'c');
	assert_int_equal(source_read(source, memory, &failure), 0);
	source_close(source);
	restore_descriptor(STDIN_FILENO, before);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
}

static void standard_output_is_a_sink(void **state)
{
	struct source *source;
	struct failure failure;
	struct sink *sink;
	int before;

	(void)state;
	sink = sink_open("y4m:-", &failure);
	assert_true(sink->uses_stdout);
	assert_int_equal(sink_close(sink, &failure), 0);

	make_y4m(&kinds[5], 5, 3, 4);
	fflush(stdout);
	before = replace_descriptor(STDOUT_FILENO,
				    open("out.y4m", O_WRONLY | O_CREAT, 0666));
	source = open_y4m("y4m:in.y4m");
	assert_int_equal(copy_stream(source, "y4m:-"), 4);
	source_close(source);
	restore_descriptor(STDOUT_FILENO, before);
	assert_same_file("in.y4m", "out.y4m");
}

/* Reads all there is; returns the frames, or -1 - frames after an error. */
static int read_all(struct source *source, struct failure *failure)
{
	uint8_t *memory = memory_for(source);
	int frames = 0, result;

	while ((result = source_read(source, memory, failure)) == 1)
		frames++;
	free(memory);
	return result ? -1 - frames : frames;
}

/* A stream may end between frames and nowhere else. */
static void every_truncation_is_noticed(void **state)
{
	static const struct kind kind = { " C422", PICTURE_YUV422, 2, 1 };
	size_t header = strlen("YUV4MPEG2 W5 H3 C422\n");
	size_t frame = 6 + frame_octets(&kind, 5, 3);
	struct test_file file;
	struct failure failure;

	(void)state;
	make_y4m(&kind, 5, 3, 3);
	file = read_file("in.y4m");
	assert_int_equal(file.count, header + 3 * frame);
	for (size_t count = 0; count <= file.count; count++) {
		struct source *source;
		int whole, expected;

		write_file("cut.y4m", file.octets, count);
		source = source_open("y4m:cut.y4m", &failure);
		if (count < header) {
			assert_null(source);
			assert_says(failure.text, "cut.y4m: cut off in the "
						  "stream header");
			continue;
		}
		assert_non_null(source);
		whole = (int)((count - header) / frame);
		expected = (count - header) % frame ? -1 - whole : whole;
		assert_int_equal(read_all(source, &failure), expected);
		if (expected < 0)
			assert_says(failure.text, "cut.y4m: cut off in the ");
		source_close(source);
	}
	free(file.octets);
}

/* Whatever a flipped bit makes of it: an error in words or another picture. */
static void flipped_bits_do_no_harm(void **state)
{
	struct test_file file;
	struct failure failure;
	size_t refused = 0, read = 0;

	(void)state;
	make_y4m(&kinds[2], 5, 3, 2);
	file = read_file("in.y4m");
	for (size_t bit = 0; bit < file.count * 8; bit++) {
		struct source *source;

		failure.text[0] = '\0';
		file.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		write_file("flip.y4m", file.octets, file.count);
		file.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		source = source_open("y4m:flip.y4m", &failure);
		if (source && read_all(source, &failure) == 2)
			read++;
		else
			refused++;
		if (failure.text[0])
			assert_says(failure.text, "flip.y4m: ");
		source_close(source);
	}
	/* Pixels may be anything; magic, size, chroma, FRAME may not. */
	assert_true(read >= 2 * 8 * frame_octets(&kinds[2], 5, 3));
	assert_true(refused >= 8 * (9 + 2 + 2 + 5 + 2 * 5));
	free(file.octets);
}

static void bad_headers_are_refused(void **state)
{
	static const struct {
		const char *header, *says;
	} cases[] = {
		{ "", "cut off" },
		{ "\n", "does not begin with YUV4MPEG2" },
		{ "YUV4MPEG W2 H2\n", "does not begin with YUV4MPEG2" },
		{ "YUV4MPEG2\n", "no width" },
		{ "YUV4MPEG2 H2\n", "no width" },
		{ "YUV4MPEG2 W2\n", "no height" },
		{ "YUV4MPEG2W2 H2\n", "does not begin with" },
		{ "YUV4MPEG2 W0 H2\n", "\"W0\"" },
		{ "YUV4MPEG2 W2 H0\n", "\"H0\"" },
		{ "YUV4MPEG2 W16385 H2\n", "\"W16385\"" },
		{ "YUV4MPEG2 W2 H99999\n", "\"H99999\"" },
		{ "YUV4MPEG2 W4294967298 H2\n", "\"W4294967298\"" },
		{ "YUV4MPEG2 W18446744073709551618 H2\n", "no number" },
		{ "YUV4MPEG2 W-2 H2\n", "\"W-2\"" },
		{ "YUV4MPEG2 W2x H2\n", "\"W2x\"" },
		{ "YUV4MPEG2 W H2\n", "\"W\"" },
		{ "YUV4MPEG2 W2 H2 W3\n", "a second \"W\"" },
		{ "YUV4MPEG2 W2 H2 C420 C422\n", "a second \"C\"" },
		{ "YUV4MPEG2 W2 H2 C420p10\n", "\"C420p10\" is not supported" },
		{ "YUV4MPEG2 W2 H2 C444alpha\n", "\"C444alpha\"" },
		{ "YUV4MPEG2 W2 H2 C411\n", "\"C411\"" },
		{ "YUV4MPEG2 W2 H2 C\n", "\"C\"" },
		{ "YUV4MPEG2 W2 H2 F25\n", "\"F25\"" },
		{ "YUV4MPEG2 W2 H2 F25:x\n", "\"F25:x\"" },
		{ "YUV4MPEG2 W2 H2 F4294967296:1\n", "\"F4294967296:1\"" },
		{ "YUV4MPEG2 W2\tH2\n", "0x09" },
		{ "YUV4MPEG2 W2 H2\r\n", "0x0d" },
		{ "\x89PNG\r\n\x1a\n", "not Y4M" },
	};
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file("bad.y4m", cases[i].header, strlen(cases[i].header));
		assert_null(source_open("y4m:bad.y4m", &failure));
		assert_says(failure.text, "bad.y4m: ");
		assert_says(failure.text, cases[i].says);
	}
}

static void long_headers(void **state)
{
	char line[PICTURE_PRIVATE_SIZE + 1];
	struct failure failure;
	struct source *source;

	(void)state;
	memset(line, 'X', sizeof(line));
	memcpy(line, "YUV4MPEG2 W2 H2 ", 16);
	write_file("long.y4m", line, sizeof(line));
	assert_null(source_open("y4m:long.y4m", &failure));
	assert_says(failure.text, "the stream header is too long");

	/* The longest that fits leaves no room for a frame's parameters. */
	line[PICTURE_PRIVATE_SIZE - 1] = '\n';
	write_file("long.y4m", line, PICTURE_PRIVATE_SIZE);
	source = open_y4m("y4m:long.y4m");
	assert_int_equal(strlen(source->private_text),
			 PICTURE_PRIVATE_SIZE - 1);
	source_close(source);
	for (size_t at = PICTURE_PRIVATE_SIZE - 12; line[at] != '\n'; at++) {
		bool fits = at + sizeof("\nFRAME Ip") <= PICTURE_PRIVATE_SIZE;
		char stream[PICTURE_PRIVATE_SIZE + 16];

		memcpy(stream, line, at);
		memcpy(stream + at, "\nFRAME Ip\n123456", 16);
		write_file("long.y4m", stream, at + 16);
		source = open_y4m("y4m:long.y4m");
		assert_int_equal(read_all(source, &failure), fits ? 1 : -1);
		if (!fits)
			assert_says(failure.text, "header is too long");
		source_close(source);
	}
}

static void bad_frames_are_refused(void **state)
{
	static const struct {
		const char *octets, *says;
	} cases[] = {
		{ "YUV4MPEG2 W1 H1 C444\nFRAMES\nabc", "frame 1 does not" },
		{ "YUV4MPEG2 W1 H1 C444\nframe\nabc", "frame 1 does not" },
		{ "YUV4MPEG2 W1 H1 C444\nFRAME\nabcdFRAME\nabc",
		  "frame 2 does not begin with FRAME" },
		{ "YUV4MPEG2 W1 H1 C444\nFRAME\nabFRAME\nabc",
		  "frame 2 does not begin with FRAME" },
		{ "YUV4MPEG2 W1 H1 C444\nFRAME I\tp\nabc", "0x09" },
		{ "YUV4MPEG2 W1 H1 C444\nFRAME Ip", "cut off in a frame" },
		{ "YUV4MPEG2 W9999 H9999\nFRAME\nabc",
		  "cut off in the pixels" },
	};
	struct failure failure;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source *source;

		write_file("bad.y4m", cases[i].octets, strlen(cases[i].octets));
		source = open_y4m("y4m:bad.y4m");
		assert_true(read_all(source, &failure) < 0);
		assert_says(failure.text, "bad.y4m: ");
		assert_says(failure.text, cases[i].says);
		source_close(source);
	}
}

static void bad_places_are_refused(void **state)
{
	struct failure failure;

	(void)state;
	assert_null(source_open("y4m", &failure));
	assert_says(failure.text, "needs a file name");
	assert_null(source_open("y4m:missing.y4m", &failure));
	assert_says(failure.text, "missing.y4m: cannot open: No such file");
	assert_null(source_open("y4m:.", &failure));
	assert_says(failure.text, ".: cannot read: Is a directory");
	assert_null(source_open("y4m:/dev/zero", &failure));
	assert_says(failure.text, "/dev/zero: not Y4M");
	assert_null(sink_open("y4m:", &failure));
	assert_says(failure.text, "needs a file name");
	assert_null(sink_open("y4m:no/such.y4m", &failure));
	assert_says(failure.text, "no/such.y4m: cannot open: No such file");
}

static struct picture_format format_of(uint32_t fourcc, uint32_t width,
				       uint32_t height)
{
	struct picture_format format;
	struct failure failure;

	assert_int_equal(picture_format_init(&format, fourcc, width, height,
					     &failure),
			 0);
	return format;
}

/* Writes one picture, whose private text is not of a Y4M source. */
static void write_one(uint32_t fourcc, const char *private_text)
{
	struct picture_format format = format_of(fourcc, 1, 1);
	uint8_t memory[192] = { [0] = 'a', [64] = 'b', [128] = 'c' };
	struct failure failure;
	struct sink *sink = sink_open("y4m:out.y4m", &failure);

	assert_int_equal(
		sink_write(sink, &format, private_text, memory, &failure), 0);
	assert_int_equal(sink_close(sink, &failure), 0);
}

static void assert_file(const char *name, const char *text)
{
	struct test_file file = read_file(name);

	assert_int_equal(file.count, strlen(text));
	assert_memory_equal(file.octets, text, file.count);
	free(file.octets);
}

static void header_is_made_when_there_is_none(void **state)
{
	(void)state;
	write_one(PICTURE_YUV420, "");
	assert_file("out.y4m", "YUV4MPEG2 W1 H1 F0:0 Ip A0:0 C420jpeg\n"
			       "FRAME\nabc");
	write_one(PICTURE_YUV422, "something of somebody");
	assert_file("out.y4m", "YUV4MPEG2 W1 H1 F0:0 Ip A0:0 C422\n"
			       "FRAME\nabc");
	write_one(PICTURE_YUV444, "");
	assert_file("out.y4m", "YUV4MPEG2 W1 H1 F0:0 Ip A0:0 C444\n"
			       "FRAME\nabc");
	write_one(PICTURE_R8, "");
	assert_file("out.y4m", "YUV4MPEG2 W1 H1 F0:0 Ip A0:0 Cmono "
			       "XCOLORRANGE=FULL\nFRAME\na");
}

static void assert_not_written(struct sink *sink, uint32_t fourcc,
			       uint32_t width, const char *private_text,
			       const char *says)
{
	struct picture_format format = format_of(fourcc, width, 1);
	struct failure failure;
	uint8_t memory[256] = { 0 };

	assert_int_equal(
		sink_write(sink, &format, private_text, memory, &failure), -1);
	assert_says(failure.text, "out.y4m: ");
	assert_says(failure.text, says);
}

/* Before the first frame, and nothing of them gets into the file. */
static void unsuitable_pictures_are_refused(void **state)
{
	static const uint32_t rgb[] = { PICTURE_BGR888,	  PICTURE_RGB888,
					PICTURE_XRGB8888, PICTURE_ARGB8888,
					PICTURE_XBGR8888, PICTURE_ABGR8888 };
	struct failure failure;
	struct sink *sink = sink_open("y4m:out.y4m", &failure);

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_not_written(sink, rgb[i], 1, "", "cannot hold");
	assert_not_written(sink, PICTURE_YUV444, 1, "YUV4MPEG2 W2 H1 C444",
			   "1x1 YU24 came with a header for 2x1 YU24");
	assert_not_written(sink, PICTURE_YUV444, 1, "YUV4MPEG2 W1 H1 C422",
			   "1x1 YU24 came with a header for 1x1 YU16");
	assert_not_written(sink, PICTURE_YUV444, 1, "YUV4MPEG2 W1 C444",
			   "no height");
	assert_not_written(sink, PICTURE_YUV444, 1,
			   "YUV4MPEG2 W1 H1 C444\nFRAM", "no frame header");
	assert_not_written(sink, PICTURE_YUV444, 1,
			   "YUV4MPEG2 W1 H1 C444\nFRAMEx", "no frame header");
	assert_not_written(sink, PICTURE_YUV444, 1,
			   "YUV4MPEG2 W1 H1 C444\nFRAME a\nFRAME b",
			   "no frame header");
	assert_int_equal(sink_close(sink, &failure), 0);
	assert_file("out.y4m", "");
}

static void pictures_may_not_change_in_mid_stream(void **state)
{
	struct picture_format format = format_of(PICTURE_YUV444, 1, 1);
	uint8_t memory[192] = { [0] = 'a', [64] = 'b', [128] = 'c' };
	struct failure failure;
	struct sink *sink = sink_open("y4m:out.y4m", &failure);

	(void)state;
	assert_int_equal(sink_write(sink, &format, "", memory, &failure), 0);
	assert_not_written(sink, PICTURE_YUV444, 2, "", "mid-stream");
	assert_not_written(sink, PICTURE_YUV422, 1, "", "mid-stream");
	assert_not_written(sink, PICTURE_YUV444, 1, "YUV4MPEG2 W1 H1 It C444",
			   "mid-stream");
	assert_int_equal(sink_write(sink, &format, "", memory, &failure), 0);
	assert_int_equal(sink_close(sink, &failure), 0);
	assert_file("out.y4m", "YUV4MPEG2 W1 H1 F0:0 Ip A0:0 C444\n"
			       "FRAME\nabcFRAME\nabc");
}

static void full_disk_is_told(void **state)
{
	struct picture_format format = format_of(PICTURE_YUV444, 1, 1);
	uint8_t memory[192] = { 0 };
	struct failure failure;
	struct sink *sink = sink_open("y4m:/dev/full", &failure);

	(void)state;
	assert_int_equal(sink_write(sink, &format, "", memory, &failure), -1);
	assert_says(failure.text, "/dev/full: cannot write: No space left");
	sink_close(sink, &failure);
}

static void range_is_in_the_header(void **state)
{
	(void)state;
	assert_false(y4m_is_full_range(""));
	assert_false(y4m_is_full_range("XCOLORRANGE=FULL"));
	assert_false(y4m_is_full_range("YUV4MPEG2 W1 H1"));
	assert_false(y4m_is_full_range("YUV4MPEG2 W1 H1 XCOLORRANGE=LIMITED"));
	assert_true(y4m_is_full_range("YUV4MPEG2 XCOLORRANGE=FULL W1 H1"));
	assert_true(y4m_is_full_range(
		"YUV4MPEG2 W1 H1 XCOLORRANGE=FULL\nFRAME Ip"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(every_kind_comes_out_octet_for_octet),
		folder_test(pixels_are_where_the_format_says),
		folder_test(rates),
		folder_test(frame_parameters_survive),
		folder_test(standard_input_is_a_pipe),
		folder_test(pipe_is_read_frame_by_frame),
		folder_test(slow_pipe_is_waited_for),
		folder_test(standard_output_is_a_sink),
		folder_test(every_truncation_is_noticed),
		folder_test(flipped_bits_do_no_harm),
		folder_test(bad_headers_are_refused),
		folder_test(long_headers),
		folder_test(bad_frames_are_refused),
		folder_test(bad_places_are_refused),
		folder_test(header_is_made_when_there_is_none),
		folder_test(unsuitable_pictures_are_refused),
		folder_test(pictures_may_not_change_in_mid_stream),
		folder_test(full_disk_is_told),
		folder_test(range_is_in_the_header),
	};

	return hdmabuf_test_run("y4m", tests, sizeof(tests) / sizeof(tests[0]));
}
