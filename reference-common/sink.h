/* SPDX-License-Identifier: MIT */
/* Where pictures go. Frames are read from the memory they are shared in. */

#ifndef REFERENCE_COMMON_SINK_H
#define REFERENCE_COMMON_SINK_H

#include "reference-common/picture.h"

/* How to choose a sink, for help texts. */
#define SINK_SPECS \
	"window, png:FILE, png:FILE-%04d.png (one a frame), " \
	"y4m:FILE (- is standard output) or null"

/* What sink_write() and sink_dispatch() return beside -1. */
#define SINK_OPEN   0
#define SINK_CLOSED 1 /* the user closed the window */

struct sink;

/* What each kind of sink does; dispatch may be NULL. */
struct sink_ops {
	int (*write)(struct sink *sink, const struct picture_format *format,
		     const char *private_text, const void *memory,
		     struct failure *failure);
	int (*dispatch)(struct sink *sink);
	int (*close)(struct sink *sink, struct failure *failure);
};

/**
 * struct sink - an open sink; everything here is for reading only
 * @ops: what this kind of sink does
 * @note: what the user should know about the last frame, as that it was
 *	converted and is not exact; NULL when there is nothing
 * @uses_stdout: frames go to standard output, so nothing else may
 */
struct sink {
	const struct sink_ops *ops;
	const char *note;
	bool uses_stdout;
};

/**
 * sink_open() - open what the user asked for
 * @spec: SINK_SPECS; it must stay until the sink is closed
 * @failure: says what is wrong with it
 *
 * Return: the sink, to be closed by sink_close(), or NULL with @failure set.
 */
struct sink *sink_open(const char *spec, struct failure *failure);

/**
 * sink_write() - take a frame
 * @sink: the sink
 * @format: from picture_format_init() or picture_format_check(), so that all
 *	of it lies in @memory
 * @private_text: the source's, see struct source; may be empty
 * @memory: the picture; not used after the return. It may change meanwhile,
 *	when its other owner does not keep to the rules: that garbles the
 *	picture and nothing else
 * @failure: says why the frame could not be taken
 *
 * Return: SINK_OPEN, SINK_CLOSED, or -1 with @failure set.
 */
int sink_write(struct sink *sink, const struct picture_format *format,
	       const char *private_text, const void *memory,
	       struct failure *failure);

/**
 * sink_dispatch() - look after the window; call it some times a second
 * @sink: the sink
 *
 * Return: SINK_OPEN or SINK_CLOSED.
 */
int sink_dispatch(struct sink *sink);

/**
 * sink_close() - finish what is written, close and free
 * @sink: the sink, freed in any case, or NULL
 * @failure: says what could not be finished
 *
 * Return: 0, or -1 with @failure set.
 */
int sink_close(struct sink *sink, struct failure *failure);

/* The kinds; @argument is what follows the colon, NULL without one. */
struct sink *sink_window_open(const char *argument, struct failure *failure);
struct sink *sink_png_open(const char *argument, struct failure *failure);
struct sink *sink_y4m_open(const char *argument, struct failure *failure);
struct sink *sink_null_open(const char *argument, struct failure *failure);

#endif
