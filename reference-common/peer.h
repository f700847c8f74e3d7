/* SPDX-License-Identifier: MIT */
/*
 * A reference program around its endpoint: it opens it, waits, tells what
 * happens, and ends in good order. What it does meanwhile is one of three
 * *parts*: exporter.c or importer.c share pictures, control.c is told what to do.
 */

#ifndef REFERENCE_COMMON_PEER_H
#define REFERENCE_COMMON_PEER_H

#include "reference-common/options.h"
#include "reference-common/progress.h"
#include "reference-common/record.h"

#include <hdmabuf/session.h>

#include <poll.h>

/* When there is nothing to do until something comes. */
#define PEER_NEVER UINT64_MAX

/* Sessions at a time, and so the descriptors that a part may wait for. */
#define PEER_SESSIONS_MAX 64

struct peer;

/**
 * struct part - what an end does
 * @callbacks: called with the peer as their user; the log is the peer's
 * @open: prepare, before there is an endpoint; fill in the features and limits
 *	that it needs. Returns 0, or the exit status, having said why
 * @work: do what is due; called after everything that happens. Returns when it
 *	wants to be called in any case, as of progress_now()
 * @poll: fill in what else to wait for; may be NULL. Returns how many
 * @stop: begin to close all sessions, in good order
 * @close: free everything; the sessions are gone
 */
struct part {
	const struct hdmabuf_callbacks *callbacks;
	int (*open)(struct peer *peer, struct hdmabuf_config *config);
	uint64_t (*work)(struct peer *peer, uint64_t now);
	size_t (*poll)(struct peer *peer, struct pollfd *fds);
	void (*stop)(struct peer *peer);
	void (*close)(struct peer *peer);
};

extern const struct part exporter_part;
extern const struct part importer_part;
extern const struct part control_part;

/**
 * struct tally - what has been shared in one stream of pictures
 * @format: of the last picture
 * @frames: how many
 * @octets: of all of them
 * @begun: when the first one came, as of progress_now()
 * @ended: when the last one was finished with
 * @crc: of the pixels of all
 */
struct tally {
	struct picture_format format;
	uint64_t frames;
	uint64_t octets;
	uint64_t begun;
	uint64_t ended;
	uint32_t crc;
};

/**
 * struct peer - the program
 * @options: what the user asked for
 * @part: what it does
 * @context: the part's own
 * @endpoint: where it speaks the protocol
 * @record: where the trace goes, or NULL
 * @signals: see signals_open()
 * @progress: the moving line
 * @expected: frames there will be, 0 if that is not known
 * @total: of all streams
 * @notifications: sent in sessions that are over
 * @sessions: established so far
 * @open_sessions: those that are not over
 * @streams: with at least one frame
 * @stopping: nothing new is to begin
 * @deadline: when to end even if sessions are not closed yet
 * @status: to exit with
 */
struct peer {
	const struct options *options;
	const struct part *part;
	void *context;
	struct hdmabuf_endpoint *endpoint;
	struct record *record;
	int signals;
	struct progress progress;
	uint64_t expected;
	struct tally total;
	uint64_t notifications;
	uint64_t sessions;
	uint32_t open_sessions;
	uint32_t streams;
	bool stopping;
	uint64_t deadline;
	int status;
};

/**
 * peer_run() - be the program
 * @options: what the user asked for
 *
 * Return: the exit status.
 */
int peer_run(const struct options *options);

/**
 * peer_stop() - end in good order
 * @peer: the program
 *
 * Sessions are closed; it is over when they are, or after a second.
 */
void peer_stop(struct peer *peer);

/**
 * peer_interrupted() - whether a signal asked to stop
 * @peer: the program
 *
 * Return: true also before peer_stop() was called for it.
 */
bool peer_interrupted(const struct peer *peer);

/**
 * peer_fail() - tell what went wrong
 * @peer: the program
 * @status: to exit with, unless something went wrong before; it does not stop
 *	by itself
 * @format: as for printf(), without a newline
 */
void peer_fail(struct peer *peer, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * peer_note() - tell what a user wants to know in any case
 * @peer: the program
 * @format: as for printf(), without a newline
 */
void peer_note(struct peer *peer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * peer_tell() - tell what a user wants to know with --verbose
 * @peer: the program
 * @format: as for printf(), without a newline
 */
void peer_tell(struct peer *peer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * peer_joined() - to be called first when a session is established
 * @peer: the program
 * @session: it
 *
 * Return: false if it was closed at once, as the program is ending.
 */
bool peer_joined(struct peer *peer, struct hdmabuf_session *session);

/**
 * peer_left() - to be called last when a session is over
 * @peer: the program
 * @session: it
 * @tally: what was shared in it, or NULL; a backend that goes on tells of it
 */
void peer_left(struct peer *peer, struct hdmabuf_session *session,
	       const struct tally *tally);

/**
 * peer_begin_frame() - a frame is about to be shared
 * @tally: of its stream
 */
void peer_begin_frame(struct tally *tally);

/**
 * peer_count_frame() - a frame has been shared
 * @peer: the program
 * @tally: of its stream, which peer_begin_frame() was called for
 * @format: of the frame
 * @crc: of the pixels of all frames of the stream
 */
void peer_count_frame(struct peer *peer, struct tally *tally,
		      const struct picture_format *format, uint32_t crc);

/**
 * peer_print_summary() - tell what was done, when all is over
 * @peer: the program
 */
void peer_print_summary(struct peer *peer);

#endif
