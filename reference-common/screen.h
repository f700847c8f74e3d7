/* SPDX-License-Identifier: MIT */
/*
 * Where streams of pictures are shown. Each has a screen, and each screen a sink of its
 * own: the first one what the user asked for, the second the same with a "-2" in the
 * name of its file. Only standard output is shared.
 */

#ifndef REFERENCE_COMMON_SCREEN_H
#define REFERENCE_COMMON_SCREEN_H

#include "reference-common/peer.h"
#include "reference-common/sink.h"

/**
 * struct sinks - what all screens of a program take their sinks from
 * @peer: the program
 * @spec: of the sink that the user asked for, or got
 * @first: opened, for the first screen with a frame; later ones open their own
 * @shared: that sink is standard output, which all screens share
 * @given: how many screens have had one
 */
struct sinks {
	struct peer *peer;
	const char *spec;
	struct sink *first;
	bool shared;
	unsigned int given;
};

/**
 * struct screen - what is shown of one stream of pictures
 * @sink: where its frames go, from the first frame on
 * @spec: the sink's, if it is not the user's own
 * @note: of the sink, as it was told last
 * @crc: of the pixels of all frames
 * @failed: the sink takes no more
 * @closed: the user has closed the window
 * @tally: of the frames shown
 *
 * All zero at first.
 */
struct screen {
	struct sink *sink;
	char *spec;
	const char *note;
	uint32_t crc;
	bool failed;
	bool closed;
	struct tally tally;
};

/**
 * sinks_number_spec() - the name of what one more stream is written to
 * @spec: as "png:a/b.png"
 * @number: of the stream, as 2
 *
 * Return: as "png:a/b-2.png", to be freed; NULL if there is no memory
 */
char *sinks_number_spec(const char *spec, unsigned int number);

/**
 * sinks_open() - open the sink that the user asked for
 * @sinks: filled in
 * @peer: the program; without --sink and without a display, frames are not shown
 *
 * Return: 0, or the exit status, having said why
 */
int sinks_open(struct sinks *sinks, struct peer *peer);

/**
 * sinks_close() - close the first sink, if no screen had it
 * @sinks: of sinks_open(); all screens are closed
 */
void sinks_close(struct sinks *sinks);

/**
 * screen_show() - show a frame
 * @screen: neither failed nor closed
 * @sinks: where it gets its sink
 * @format: checked
 * @text: private data of the picture, or ""
 * @memory: the picture, which may change meanwhile
 * @number: of the frame, to be told
 *
 * Return: 0, or -1 if it could not be shown: @screen says whether it is failed, which
 * has been told, or closed.
 */
int screen_show(struct screen *screen, struct sinks *sinks,
		const struct picture_format *format, const char *text,
		const void *memory, uint64_t number);

/**
 * screen_dispatch() - look after its window
 * @screen: any
 * @now: progress_now()
 * @wanted: lowered to when it wants to be looked after again
 *
 * Return: false if the user has closed it
 */
bool screen_dispatch(struct screen *screen, uint64_t now, uint64_t *wanted);

/**
 * screen_close() - close its sink, if it has one
 * @screen: any
 * @sinks: where it got it
 */
void screen_close(struct screen *screen, struct sinks *sinks);

#endif
