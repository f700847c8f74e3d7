/* SPDX-License-Identifier: MIT */
/* The command line, which is the same for both programs but for its defaults. */

#ifndef REFERENCE_COMMON_OPTIONS_H
#define REFERENCE_COMMON_OPTIONS_H

#include <hyper_dmabuf.h>

#include <stdbool.h>
#include <stdint.h>

/* More buffers than this would only make the picture late. */
#define OPTIONS_BUFFERS_MAX 32

/* What a backend speaks. */
enum options_protocol {
	PROTOCOL_HYPER_DMABUF,
	PROTOCOL_DISPLIF, /* Xen's displays */
	PROTOCOL_SNDIF,	  /* Xen's sound */
};

/**
 * struct options - what the user asked for
 * @role: which end of the channel this program is
 * @program: its name
 * @platform: where to find the other end, as "local:PATH" or "xen:0"
 * @protocol: what it speaks; unless it is the first, it is a backend on Xen
 * @control: this end does what it is told on standard input; what follows but
 *	for @record, @user, @ring_formats and @verbose does not count
 * @record: trace file to write, or NULL
 * @user: whom to become when all is open, or NULL
 * @ring_formats: that it knows, bit n stands for format n; 0 for all there are
 * @exports: this end shares pictures; else it shows them
 * @once: exit when the first session is over
 * @verify: compute the CRC of all pixels
 * @json: print the summary for machines
 * @verbose: 1 for sessions, buffers and frames, 2 for each message
 * @sink: where pictures go; NULL for a window if there is a display. With sndif:
 *	where sound goes, NULL for nowhere
 * @source: where pictures come from. With sndif: where sound comes from
 * @frames: how many, 0 for all; only if @frames_given
 * @frames_given: else it depends on the source
 * @buffers: how many take turns
 * @period: nanoseconds from frame to frame, 0 for as fast as it goes
 * @memory: provider as of hdmabuf_memory_open(), or NULL: the platform's
 * @rights: &enum hdmabuf_rights of the importer
 * @directory: &enum hdmabuf_directory_format
 */
struct options {
	enum hdmabuf_role role;
	const char *program;
	const char *platform;
	enum options_protocol protocol;
	bool control;
	const char *record;
	const char *user;
	uint64_t ring_formats;
	bool exports;
	bool once;
	bool verify;
	bool json;
	unsigned int verbose;
	const char *sink;
	const char *source;
	uint32_t frames;
	bool frames_given;
	uint32_t buffers;
	uint64_t period;
	const char *memory;
	uint32_t rights;
	uint32_t directory;
};

/**
 * options_parse() - read the command line
 * @options: filled in; points into @argv
 * @role: which program this is
 * @argc: of main()
 * @argv: of main()
 * @status: receives the exit status, if there is nothing more to do
 *
 * Return: whether to go on; if not, what there was to say has been said.
 */
bool options_parse(struct options *options, enum hdmabuf_role role, int argc,
		   char **argv, int *status);

/**
 * options_are_local() - whether the other end is on this machine, by the local platform
 * @options: with a platform
 *
 * Return: whether it is.
 */
bool options_are_local(const struct options *options);

#endif
