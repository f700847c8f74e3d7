/* SPDX-License-Identifier: MIT */
/* Shows frames in a window of the first one's size, if the screen has it. */

#include "reference-common/convert.h"
#include "reference-common/sink.h"
#include "reference-common/y4m.h"

#ifdef HDMABUF_HAVE_SDL2

#include <SDL.h>
#include <stdlib.h>
#include <string.h>

#define TITLE "hyper-dmabuf"

struct window_sink {
	struct sink base;
	SDL_Window *window; /* from the first frame on, as is renderer */
	SDL_Renderer *renderer;
	SDL_Texture *texture; /* of the size and format that follow */
	uint32_t width;
	uint32_t height;
	uint32_t format; /* what texture_format() says */
	bool closed;
};

/* SDL's drivers want strides of whole pixels, in an int. */
static bool is_stride_usable(const struct picture_format *format)
{
	for (unsigned int i = 0; i < format->planes; i++)
		if (format->plane[i].stride > INT_MAX ||
		    format->plane[i].stride % 4)
			return false;
	return true;
}

/* The texture that takes the picture as it is; if none, rows are converted. */
static uint32_t texture_format(const struct picture_format *format)
{
	if (!is_stride_usable(format))
		return SDL_PIXELFORMAT_UNKNOWN;
	switch (format->fourcc) {
	case PICTURE_BGR888:
		return SDL_PIXELFORMAT_RGB24;
	case PICTURE_RGB888:
		return SDL_PIXELFORMAT_BGR24;
	case PICTURE_XRGB8888:
	case PICTURE_ARGB8888:
		return SDL_PIXELFORMAT_BGRA32;
	case PICTURE_XBGR8888:
	case PICTURE_ABGR8888:
		return SDL_PIXELFORMAT_RGBA32;
	case PICTURE_YUV420:
		return SDL_PIXELFORMAT_IYUV;
	default:
		return SDL_PIXELFORMAT_UNKNOWN;
	}
}

static SDL_Window *new_window(const struct picture_format *format)
{
	SDL_Rect screen = { .w = 1280, .h = 720 };
	int width = (int)format->width, height = (int)format->height;

	SDL_GetDisplayUsableBounds(0, &screen);
	if (width > screen.w)
		width = screen.w;
	if (height > screen.h)
		height = screen.h;
	return SDL_CreateWindow(TITLE, SDL_WINDOWPOS_UNDEFINED,
				SDL_WINDOWPOS_UNDEFINED, width, height,
				SDL_WINDOW_RESIZABLE);
}

static int open_window(struct window_sink *sink,
		       const struct picture_format *format,
		       struct failure *failure)
{
	if (!sink->window)
		sink->window = new_window(format);
	if (!sink->window)
		return fail_with(failure, "window: cannot open one: %s",
				 SDL_GetError());
	sink->renderer = SDL_CreateRenderer(sink->window, -1, 0);
	if (!sink->renderer)
		return fail_with(failure, "window: cannot draw in it: %s",
				 SDL_GetError());
	return 0;
}

/* A texture for pictures of this size and kind; the window keeps its size. */
static int new_texture(struct window_sink *sink,
		       const struct picture_format *format,
		       struct failure *failure)
{
	int width = (int)format->width, height = (int)format->height;
	uint32_t kind = texture_format(format);

	if (sink->texture)
		SDL_DestroyTexture(sink->texture);
	sink->width = format->width;
	sink->height = format->height;
	sink->format = kind;
	if (kind == SDL_PIXELFORMAT_UNKNOWN)
		kind = SDL_PIXELFORMAT_RGBA32;
	sink->texture = SDL_CreateTexture(sink->renderer, kind,
					  SDL_TEXTUREACCESS_STREAMING, width,
					  height);
	if (!sink->texture)
		return fail_with(failure,
				 "window: cannot show %dx%d pictures: %s",
				 width, height, SDL_GetError());
	SDL_RenderSetLogicalSize(sink->renderer, width, height);
	return 0;
}

static int convert_into(SDL_Texture *texture,
			const struct picture_format *format, const void *memory,
			bool full_range)
{
	uint8_t *pixels;
	int stride;

	if (SDL_LockTexture(texture, NULL, (void **)&pixels, &stride))
		return -1;
	for (uint32_t y = 0; y < format->height; y++)
		convert_row(format, memory, y, full_range,
			    pixels + (size_t)y * (size_t)stride);
	SDL_UnlockTexture(texture);
	return 0;
}

static int fill_texture(SDL_Texture *texture,
			const struct picture_format *format, const void *memory,
			bool full_range)
{
	const struct picture_plane *plane = format->plane;

	switch (texture_format(format)) {
	case SDL_PIXELFORMAT_UNKNOWN:
		return convert_into(texture, format, memory, full_range);
	case SDL_PIXELFORMAT_IYUV:
		SDL_SetYUVConversionMode(full_range ? SDL_YUV_CONVERSION_JPEG :
						      SDL_YUV_CONVERSION_BT601);
		return SDL_UpdateYUVTexture(
			texture, NULL, picture_row(&plane[0], memory, 0),
			(int)plane[0].stride, picture_row(&plane[1], memory, 0),
			(int)plane[1].stride, picture_row(&plane[2], memory, 0),
			(int)plane[2].stride);
	default:
		return SDL_UpdateTexture(texture, NULL,
					 picture_row(&plane[0], memory, 0),
					 (int)plane[0].stride);
	}
}

/* Whichever window it is: they are all of one program. */
static bool is_closing(const SDL_Event *event)
{
	return event->type == SDL_QUIT ||
	       (event->type == SDL_WINDOWEVENT &&
		event->window.event == SDL_WINDOWEVENT_CLOSE) ||
	       (event->type == SDL_KEYDOWN &&
		event->key.keysym.sym == SDLK_ESCAPE);
}

static int draw(struct window_sink *sink)
{
	if (SDL_RenderClear(sink->renderer) ||
	    SDL_RenderCopy(sink->renderer, sink->texture, NULL, NULL))
		return -1;
	SDL_RenderPresent(sink->renderer);
	return 0;
}

/* What was uncovered or resized shows the last frame until the next comes. */
static int window_dispatch(struct sink *base)
{
	struct window_sink *sink = (struct window_sink *)base;
	bool stale = false;
	SDL_Event event;

	while (SDL_PollEvent(&event)) {
		stale |= event.type == SDL_WINDOWEVENT;
		sink->closed |= is_closing(&event);
	}
	if (stale && sink->texture)
		draw(sink);
	return sink->closed ? SINK_CLOSED : SINK_OPEN;
}

/* Strides may differ from buffer to buffer, and with them the texture. */
static bool is_texture_usable(const struct window_sink *sink,
			      const struct picture_format *format)
{
	return sink->texture && format->width == sink->width &&
	       format->height == sink->height &&
	       texture_format(format) == sink->format;
}

static int show(struct window_sink *sink, const struct picture_format *format,
		bool full_range, const void *memory)
{
	SDL_BlendMode mode = picture_has_alpha(format->fourcc) ?
				     SDL_BLENDMODE_BLEND :
				     SDL_BLENDMODE_NONE;

	if (fill_texture(sink->texture, format, memory, full_range) ||
	    SDL_SetTextureBlendMode(sink->texture, mode))
		return -1;
	return draw(sink);
}

static int window_write(struct sink *base, const struct picture_format *format,
			const char *private_text, const void *memory,
			struct failure *failure)
{
	struct window_sink *sink = (struct window_sink *)base;
	bool full_range = y4m_is_full_range(private_text);

	if (window_dispatch(base) == SINK_CLOSED)
		return SINK_CLOSED;
	if (!sink->renderer && open_window(sink, format, failure))
		return -1;
	if (!is_texture_usable(sink, format) &&
	    new_texture(sink, format, failure))
		return -1;
	if (show(sink, format, full_range, memory))
		return fail_with(failure, "window: cannot show a frame: %s",
				 SDL_GetError());
	return SINK_OPEN;
}

static int window_close(struct sink *base, struct failure *failure)
{
	struct window_sink *sink = (struct window_sink *)base;

	(void)failure;
	if (sink->texture)
		SDL_DestroyTexture(sink->texture);
	if (sink->renderer)
		SDL_DestroyRenderer(sink->renderer);
	if (sink->window)
		SDL_DestroyWindow(sink->window);
	/* Not SDL_Quit(), which would take other windows with it. */
	SDL_QuitSubSystem(SDL_INIT_VIDEO);
	free(sink);
	return 0;
}

/* Asked first, as SDL's drivers would complain by themselves. */
static bool is_display_named(void)
{
	return getenv("DISPLAY") || getenv("WAYLAND_DISPLAY") ||
	       getenv("SDL_VIDEODRIVER");
}

/* Where nothing else works, SDL draws into memory that nobody sees. */
static bool is_unseen(void)
{
	return !getenv("SDL_VIDEODRIVER") &&
	       !strcmp(SDL_GetCurrentVideoDriver(), "offscreen");
}

static int open_display(struct failure *failure)
{
	const char *why = "none that can be seen";

	/* Signals are the program's. */
	SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
	if (!is_display_named())
		why = "DISPLAY and WAYLAND_DISPLAY are not set";
	else if (SDL_Init(SDL_INIT_VIDEO))
		why = SDL_GetError();
	else if (!is_unseen())
		return 0;
	fail_with(failure, "window: there is no display: %s; use another sink",
		  why);
	SDL_QuitSubSystem(SDL_INIT_VIDEO);
	return -1;
}

struct sink *sink_window_open(const char *argument, struct failure *failure)
{
	static const struct sink_ops ops = {
		.write = window_write,
		.dispatch = window_dispatch,
		.close = window_close,
	};
	struct window_sink *sink;

	if (argument) {
		fail_with(failure, "window:%s: the window takes no argument",
			  argument);
		return NULL;
	}
	if (open_display(failure))
		return NULL;
	sink = calloc(1, sizeof(*sink));
	if (!sink) {
		fail_no_memory(failure, "window");
		SDL_QuitSubSystem(SDL_INIT_VIDEO);
		return NULL;
	}
	sink->base.ops = &ops;
	return &sink->base;
}

#else

struct sink *sink_window_open(const char *argument, struct failure *failure)
{
	(void)argument;
	fail_with(failure, "window: built without SDL2; use another sink");
	return NULL;
}

#endif
