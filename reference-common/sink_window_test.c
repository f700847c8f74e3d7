/* SPDX-License-Identifier: MIT */
/* The window, without a screen: SDL's dummy driver draws into memory. */

#include "reference-common/sink.h"
#include "reference-common/source.h"
#include "reference-common/test_files.h"

#ifdef HDMABUF_HAVE_SDL2

#include <SDL.h>

static struct sink *open_window(void)
{
	struct failure failure;
	struct sink *sink;

	setenv("SDL_VIDEODRIVER", "dummy", 1);
	setenv("SDL_RENDER_DRIVER", "software", 1);
	sink = sink_open("window", &failure);
	if (!sink)
		fail_msg("%s", failure.text);
	return sink;
}

static void close_window(struct sink *sink)
{
	struct failure failure;

	assert_int_equal(sink_close(sink, &failure), 0);
}

static void show(struct sink *sink, const struct picture_format *format,
		 const char *private_text, const void *memory)
{
	struct failure failure;

	if (sink_write(sink, format, private_text, memory, &failure))
		fail_msg("%s", failure.text);
}

/* A pixel of the window, as R, G, B in one number. */
static uint32_t pixel_at(int x, int y)
{
	SDL_Renderer *renderer = SDL_GetRenderer(SDL_GetWindowFromID(1));
	SDL_Rect rect = { .x = x, .y = y, .w = 1, .h = 1 };
	uint8_t rgba[4];

	assert_non_null(renderer);
	assert_int_equal(SDL_RenderReadPixels(renderer, &rect,
					      SDL_PIXELFORMAT_RGBA32, rgba, 4),
			 0);
	return (uint32_t)rgba[0] << 16 | (uint32_t)rgba[1] << 8 | rgba[2];
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

static void shows_the_pattern(void **state)
{
	struct failure failure;
	struct source *source = source_open("pattern:320x200", &failure);
	uint8_t *memory = calloc(1, (size_t)source->format.octets);
	struct sink *sink = open_window();

	(void)state;
	for (int frame = 0; frame < 3; frame++) {
		assert_int_equal(source_read(source, memory, &failure), 1);
		show(sink, &source->format, "", memory);
	}
	assert_int_equal(pixel_at(0, 0), 0xffffff);
	assert_int_equal(pixel_at(10, 6), 0x808080);
	assert_int_equal(pixel_at(60, 100), 0xffff00);
	assert_int_equal(pixel_at(319, 100), 0x000000);
	/* Frame 2: its bit is the last but one. */
	assert_int_equal(pixel_at(312, 190), 0xffffff);
	assert_int_equal(pixel_at(317, 190), 0x000000);
	close_window(sink);
	free(memory);
	source_close(source);
}

/* One colour in every format; odd sizes, and strides SDL cannot have. */
static void check_format(struct sink *sink, uint32_t fourcc, uint32_t color,
			 uint32_t stride)
{
	struct picture_format format = format_of(fourcc, 63, 31);
	uint32_t size = format.plane[0].row_octets / 63;
	struct failure failure;
	uint8_t memory[31 * 300 + 1];

	if (stride)
		format.plane[0].stride = stride;
	for (uint32_t y = 0; y < 31; y++)
		for (uint32_t x = 0; x < 63; x++)
			memcpy(picture_row_mutable(&format.plane[0], memory,
						   y) +
				       x * size,
			       (uint8_t[]){ 10, 20, 30, 255 }, size);
	assert_int_equal(
		picture_format_check(&format, sizeof(memory), &failure), 0);
	show(sink, &format, "", memory);
	assert_int_equal(pixel_at(0, 0), color);
	assert_int_equal(pixel_at(62, 30), color);
}

static void shows_every_rgb_format(void **state)
{
	static const struct {
		uint32_t fourcc, color;
	} cases[] = {
		{ PICTURE_R8, 0x0a0a0a },	{ PICTURE_BGR888, 0x0a141e },
		{ PICTURE_RGB888, 0x1e140a },	{ PICTURE_XRGB8888, 0x1e140a },
		{ PICTURE_ARGB8888, 0x1e140a }, { PICTURE_XBGR8888, 0x0a141e },
		{ PICTURE_ABGR8888, 0x0a141e },
	};

	struct sink *sink = open_window();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_format(sink, cases[i].fourcc, cases[i].color, 0);
		check_format(sink, cases[i].fourcc, cases[i].color, 300);
		check_format(sink, cases[i].fourcc, cases[i].color, 257);
	}
	close_window(sink);
}

static void assert_near(uint32_t color, uint32_t expected)
{
	for (int shift = 0; shift < 24; shift += 8)
		assert_in_range((color >> shift & 0xff) + 3,
				expected >> shift & 0xff,
				(expected >> shift & 0xff) + 6);
}

static void fill_plane(const struct picture_plane *plane, uint8_t *memory,
		       uint8_t value)
{
	for (uint32_t y = 0; y < plane->rows; y++)
		memset(picture_row_mutable(plane, memory, y), value,
		       plane->row_octets);
}

/* Red, and grey of either range; SDL's conversion is near ours. */
static void shows_every_yuv_format(void **state)
{
	static const uint32_t fourccs[] = { PICTURE_YUV420, PICTURE_YUV422,
					    PICTURE_YUV444 };
	static const char full[] = "YUV4MPEG2 W63 H31 XCOLORRANGE=FULL";
	struct sink *sink = open_window();
	uint8_t memory[3 * 64 * 31];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct picture_format format = format_of(fourccs[i], 63, 31);

		fill_plane(&format.plane[0], memory, 81);
		fill_plane(&format.plane[1], memory, 90);
		fill_plane(&format.plane[2], memory, 240);
		show(sink, &format, "", memory);
		assert_near(pixel_at(62, 30), 0xfe0000);
		fill_plane(&format.plane[1], memory, 128);
		fill_plane(&format.plane[2], memory, 128);
		show(sink, &format, "", memory);
		assert_near(pixel_at(62, 30), 0x4c4c4c);
		show(sink, &format, full, memory);
		assert_near(pixel_at(62, 30), 0x515151);
	}
	close_window(sink);
}

static void transparent_is_black(void **state)
{
	struct picture_format format = format_of(PICTURE_ABGR8888, 1, 1);
	struct sink *sink = open_window();
	uint8_t memory[64] = { 200, 200, 200, 0 };

	(void)state;
	show(sink, &format, "", memory);
	assert_int_equal(pixel_at(0, 0), 0x000000);
	memory[3] = 255;
	show(sink, &format, "", memory);
	assert_int_equal(pixel_at(0, 0), 0xc8c8c8);
	close_window(sink);
}

static void window_is_no_larger_than_the_screen(void **state)
{
	struct picture_format format = format_of(PICTURE_R8, 5000, 4000);
	struct sink *sink = open_window();
	uint8_t *memory = calloc(1, (size_t)format.octets);
	SDL_Rect screen;
	int width, height;

	(void)state;
	show(sink, &format, "", memory);
	SDL_GetWindowSize(SDL_GetWindowFromID(1), &width, &height);
	assert_int_equal(SDL_GetDisplayUsableBounds(0, &screen), 0);
	assert_int_equal(width, screen.w);
	assert_int_equal(height, screen.h);
	close_window(sink);
	free(memory);
}

/* What was painted over is there again. */
static void shows_the_last_frame_anew(void **state)
{
	SDL_Event exposed = { .type = SDL_WINDOWEVENT };
	struct picture_format format = format_of(PICTURE_R8, 8, 8);
	struct sink *sink = open_window();
	uint8_t memory[8 * 64];

	(void)state;
	memset(memory, 0x42, sizeof(memory));
	show(sink, &format, "", memory);
	sink_dispatch(sink);
	SDL_RenderClear(SDL_GetRenderer(SDL_GetWindowFromID(1)));
	assert_int_equal(pixel_at(0, 0), 0x000000);
	exposed.window.event = SDL_WINDOWEVENT_EXPOSED;
	assert_int_equal(SDL_PushEvent(&exposed), 1);
	assert_int_equal(sink_dispatch(sink), SINK_OPEN);
	assert_int_equal(pixel_at(0, 0), 0x424242);
	close_window(sink);
}

static void closed_by(SDL_Event event)
{
	struct picture_format format = format_of(PICTURE_R8, 8, 8);
	struct sink *sink = open_window();
	uint8_t memory[8 * 64] = { 0 };
	struct failure failure;

	show(sink, &format, "", memory);
	assert_int_equal(sink_dispatch(sink), SINK_OPEN);
	assert_int_equal(SDL_PushEvent(&event), 1);
	assert_int_equal(sink_write(sink, &format, "", memory, &failure),
			 SINK_CLOSED);
	/* And it stays closed. */
	assert_int_equal(sink_dispatch(sink), SINK_CLOSED);
	assert_int_equal(sink_write(sink, &format, "", memory, &failure),
			 SINK_CLOSED);
	close_window(sink);
}

static void user_closes_it(void **state)
{
	SDL_Event quit = { .type = SDL_QUIT };
	SDL_Event escape = { .type = SDL_KEYDOWN };
	SDL_Event button = { .type = SDL_WINDOWEVENT };

	(void)state;
	escape.key.keysym.sym = SDLK_ESCAPE;
	button.window.event = SDL_WINDOWEVENT_CLOSE;
	closed_by(quit);
	closed_by(escape);
	closed_by(button);
}

static void another_window_may_close(void **state)
{
	struct picture_format format = format_of(PICTURE_R8, 8, 8);
	struct sink *one = open_window(), *other = open_window();
	uint8_t memory[8 * 64];

	(void)state;
	memset(memory, 0x42, sizeof(memory));
	show(one, &format, "", memory);
	show(other, &format, "", memory);
	close_window(other);
	memset(memory, 0x17, sizeof(memory));
	show(one, &format, "", memory);
	assert_int_equal(pixel_at(0, 0), 0x171717);
	close_window(one);
}

static void other_keys_do_not_close_it(void **state)
{
	SDL_Event key = { .type = SDL_KEYDOWN };
	struct sink *sink = open_window();

	(void)state;
	key.key.keysym.sym = SDLK_SPACE;
	assert_int_equal(SDL_PushEvent(&key), 1);
	assert_int_equal(sink_dispatch(sink), SINK_OPEN);
	close_window(sink);
}

static void no_display_is_said(void **state)
{
	struct failure failure;

	(void)state;
	setenv("SDL_VIDEODRIVER", "nonsense", 1);
	assert_null(sink_open("window", &failure));
	assert_says(failure.text, "window: there is no display: ");
	unsetenv("SDL_VIDEODRIVER");
	unsetenv("WAYLAND_DISPLAY");
	unsetenv("DISPLAY");
	assert_null(sink_open("window", &failure));
	assert_says(failure.text, "there is no display: DISPLAY and");
	assert_null(sink_open("window:0", &failure));
	assert_says(failure.text, "window:0: the window takes no argument");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_the_pattern),
		cmocka_unit_test(shows_every_rgb_format),
		cmocka_unit_test(shows_every_yuv_format),
		cmocka_unit_test(transparent_is_black),
		cmocka_unit_test(window_is_no_larger_than_the_screen),
		cmocka_unit_test(shows_the_last_frame_anew),
		cmocka_unit_test(user_closes_it),
		cmocka_unit_test(another_window_may_close),
		cmocka_unit_test(other_keys_do_not_close_it),
		cmocka_unit_test(no_display_is_said),
	};

	return hdmabuf_test_run("sink_window", tests,
				sizeof(tests) / sizeof(tests[0]));
}

#else

static void says_that_it_was_built_without(void **state)
{
	struct failure failure;

	(void)state;
	assert_null(sink_open("window", &failure));
	assert_says(failure.text, "window: built without SDL2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_that_it_was_built_without),
	};

	return hdmabuf_test_run("sink_window", tests, 1);
}

#endif
