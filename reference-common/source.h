/* SPDX-License-Identifier: MIT */
/* Where pictures come from: straight into the memory they are shared in. */

#ifndef REFERENCE_COMMON_SOURCE_H
#define REFERENCE_COMMON_SOURCE_H

#include "reference-common/picture.h"

/* How to choose a source, for help texts. */
#define SOURCE_SPECS "pattern[:WxH], png:FILE or y4m:FILE (- is standard input)"

struct source;

/* What each kind of source does; see source_read() and source_close(). */
struct source_ops {
	int (*read)(struct source *source, void *memory,
		    struct failure *failure);
	void (*close)(struct source *source);
};

/**
 * struct source - an open source; everything here is for reading only
 * @ops: what this kind of source does
 * @format: the pictures' layout, the same for all frames
 * @private_text: what a sink must know to reproduce the source exactly: empty,
 *	or a Y4M header. It may differ after a source_read(): then it belongs
 *	to that frame, and the importer's metadata of the buffer is stale
 * @rate_numerator: frames in @rate_denominator seconds, 0 when there is no rate
 * @rate_denominator: see @rate_numerator, 0 when there is no rate
 * @endless: it never ends by itself
 * @still: all frames are the same, so a buffer need not be filled twice
 * @frames: how many there should be, 0 when unknown
 * @fd: wait until this is readable before source_read(), which else waits
 *	itself; -1 when it never waits
 */
struct source {
	const struct source_ops *ops;
	struct picture_format format;
	char private_text[PICTURE_PRIVATE_SIZE];
	uint32_t rate_numerator;
	uint32_t rate_denominator;
	bool endless;
	bool still;
	uint64_t frames;
	int fd;
};

/**
 * source_open() - open what the user asked for
 * @spec: SOURCE_SPECS; it must stay until the source is closed
 * @failure: says what is wrong with it
 *
 * Return: the source, for source_close(), or NULL with @failure set.
 */
struct source *source_open(const char *spec, struct failure *failure);

/**
 * source_read() - write the next frame
 * @source: the source
 * @memory: at least format.octets; padding is not written
 * @failure: says what is wrong with the file; @memory may be partly written
 *
 * Return: 1 when there is a frame, 0 after the last one, -1 with @failure set.
 */
int source_read(struct source *source, void *memory, struct failure *failure);

/**
 * source_close() - close and free
 * @source: the source, or NULL
 */
void source_close(struct source *source);

/* The kinds; @argument is what follows the colon, NULL without one. */
struct source *source_pattern_open(const char *argument,
				   struct failure *failure);
struct source *source_png_open(const char *argument, struct failure *failure);
struct source *source_y4m_open(const char *argument, struct failure *failure);

/**
 * source_pattern_counter() - read the frame number that the pattern drew
 * @format: the layout, of any pixel format
 * @memory: a picture that came from the pattern, perhaps converted since
 *
 * Return: the number, from 0.
 */
uint64_t source_pattern_counter(const struct picture_format *format,
				const void *memory);

#endif
