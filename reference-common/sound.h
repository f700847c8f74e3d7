/* SPDX-License-Identifier: MIT */
/*
 * Sound as a stream of frames: a WAV file, or nothing, that takes it, and a WAV file, or
 * a tone, that it comes from.
 */

#ifndef REFERENCE_COMMON_SOUND_H
#define REFERENCE_COMMON_SOUND_H

#include "reference-common/fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For help texts. */
#define SOUND_SINK_SPECS   "wav:FILE or null"
#define SOUND_SOURCE_SPECS "tone[:HZ] or wav:FILE"

#define SOUND_CHANNELS_MAX 8
#define SOUND_RATE_MIN	   4000
#define SOUND_RATE_MAX	   192000

/* As a WAV file has it: what a sample is. */
enum sound_encoding {
	SOUND_PCM = 1,
	SOUND_FLOAT = 3,
	SOUND_A_LAW = 6,
	SOUND_MU_LAW = 7,
};

/**
 * struct sound_format - what frames are
 * @encoding: of a sample
 * @bits: of a sample: 8 (unsigned, if PCM), 16 or 32 (signed), or 32 or 64 of FLOAT;
 *	little-endian
 * @channels: samples in a frame
 * @rate: frames a second
 */
struct sound_format {
	enum sound_encoding encoding;
	uint32_t bits;
	uint32_t channels;
	uint32_t rate;
};

/**
 * sound_frame_octets() - how large a frame is
 * @format: of frames
 *
 * Return: octets
 */
uint32_t sound_frame_octets(const struct sound_format *format);

/**
 * sound_format_text() - a format as people read it
 * @format: of frames
 * @text: is filled, "s16, 2 channels, 48000 Hz"
 * @size: of @text
 */
void sound_format_text(const struct sound_format *format, char *text,
		       size_t size);

struct sound_sink;

/**
 * sound_sink_open() - open what takes sound
 * @spec: SOUND_SINK_SPECS
 * @format: of what it will take
 * @failure: says what is wrong
 *
 * Return: it, or NULL with @failure set
 */
struct sound_sink *sound_sink_open(const char *spec,
				   const struct sound_format *format,
				   struct failure *failure);

/**
 * sound_sink_write() - take sound
 * @sink: open
 * @memory: whole frames, or not; they are appended
 * @octets: how many
 * @failure: says what is wrong
 *
 * Return: 0, or -1 with @failure set
 */
int sound_sink_write(struct sound_sink *sink, const void *memory, size_t octets,
		     struct failure *failure);

/**
 * sound_sink_close() - complete what was written
 * @sink: is freed in any case; may be NULL
 * @failure: says what is wrong
 *
 * Return: 0, or -1 with @failure set
 */
int sound_sink_close(struct sound_sink *sink, struct failure *failure);

struct sound_source;

/**
 * sound_sink_check() - whether it can be a sink, before there is sound
 * @spec: SOUND_SINK_SPECS
 * @failure: says what is wrong
 *
 * Return: 0, or -1 with @failure set
 */
int sound_sink_check(const char *spec, struct failure *failure);

/**
 * sound_source_check() - whether it can be a source, and of what
 * @spec: SOUND_SOURCE_SPECS
 * @format: receives the only one that it has; all zero if it has any
 * @failure: says what is wrong
 *
 * Return: 0, or -1 with @failure set
 */
int sound_source_check(const char *spec, struct sound_format *format,
		       struct failure *failure);

/**
 * sound_source_open() - open what sound comes from
 * @spec: SOUND_SOURCE_SPECS
 * @format: of what it has to give: a file has to be of that format, and a tone is of
 *	PCM or FLOAT
 * @failure: says what is wrong
 *
 * Return: it, or NULL with @failure set
 */
struct sound_source *sound_source_open(const char *spec,
				       const struct sound_format *format,
				       struct failure *failure);

/**
 * sound_source_read() - get sound
 * @source: open
 * @memory: is filled; with silence when the source has no more
 * @octets: how many
 *
 * Return: how many of them the source had
 */
size_t sound_source_read(struct sound_source *source, void *memory,
			 size_t octets);

/**
 * sound_source_close() - close it
 * @source: is freed; may be NULL
 */
void sound_source_close(struct sound_source *source);

#endif
