/* SPDX-License-Identifier: MIT */
/* What the programs tell about their work: a line that moves, a summary. */

#ifndef REFERENCE_COMMON_PROGRESS_H
#define REFERENCE_COMMON_PROGRESS_H

#include "reference-common/picture.h"

#include <stdio.h>

/**
 * struct progress - a line that is rewritten on a terminal; nothing elsewhere
 * @stream: where it is
 * @terminal: whether that is a terminal
 * @shown: whether the line is there now
 * @started: when progress_start() was called
 * @next: when the line is due again; both in nanoseconds of progress_now()
 */
struct progress {
	FILE *stream;
	bool terminal;
	bool shown;
	uint64_t started;
	uint64_t next;
};

/**
 * struct summary - what was done
 * @role: "frontend" or "backend"
 * @format: the last picture's, or NULL when there was none
 * @sessions: how many sessions were established
 * @frames: frames handed over or received
 * @octets: octets of pictures shared by these
 * @notifications: notifications sent
 * @nanoseconds: from the first frame to the last
 * @verified: whether @crc was computed
 * @crc: picture_crc() of all frames
 */
struct summary {
	const char *role;
	const struct picture_format *format;
	uint64_t sessions;
	uint64_t frames;
	uint64_t octets;
	uint64_t notifications;
	uint64_t nanoseconds;
	bool verified;
	uint32_t crc;
};

/**
 * progress_now() - the time
 *
 * Return: nanoseconds of a clock that is never set.
 */
uint64_t progress_now(void);

/**
 * progress_start() - begin
 * @progress: filled in
 * @stream: usually stderr
 * @now: progress_now()
 */
void progress_start(struct progress *progress, FILE *stream, uint64_t now);

/**
 * progress_show() - show the line anew if it was long enough ago; cheap
 * @progress: from progress_start()
 * @frames: how many so far
 * @total: how many there will be, 0 when unknown
 * @octets: octets shared so far
 * @now: progress_now()
 */
void progress_show(struct progress *progress, uint64_t frames, uint64_t total,
		   uint64_t octets, uint64_t now);

/**
 * progress_clear() - remove the line, before anything else is printed
 * @progress: from progress_start()
 */
void progress_clear(struct progress *progress);

/**
 * summary_print() - print one line for people
 * @summary: what was done
 * @stream: where to
 */
void summary_print(const struct summary *summary, FILE *stream);

/**
 * summary_print_json() - print one JSON object, on one line, for machines
 * @summary: what was done
 * @stream: where to
 * @failure: says why not
 *
 * Return: 0, or -1 with @failure set, as when built without jansson.
 */
int summary_print_json(const struct summary *summary, FILE *stream,
		       struct failure *failure);

/**
 * summary_has_json() - to be asked before the work, not after it
 *
 * Return: whether the program was built with jansson.
 */
bool summary_has_json(void);

#endif
