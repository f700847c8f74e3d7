/* SPDX-License-Identifier: MIT */

#define _GNU_SOURCE /* ppoll */

#include "reference-common/peer.h"
#include "reference-common/privileges.h"
#include "reference-common/signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000u

/* How long the other ends have to answer when this one wants to leave. */
#define STOP_TIME SECOND

/* Those of the endpoint and of the signals, beside the part's own. */
#define OWN_FDS 2

/* ---- What is told ------------------------------------------------------- */

static void say(struct peer *peer, const char *format, va_list arguments)
{
	char text[FAILURE_SIZE];
	struct failure line;

	vsnprintf(text, sizeof(text), format, arguments);
	/* It may quote the other end. */
	fail_with(&line, "%s", text);
	progress_clear(&peer->progress);
	fprintf(stderr, "%s: %s\n", peer->options->program, line.text);
}

void peer_fail(struct peer *peer, int status, const char *format, ...)
{
	va_list arguments;

	if (!peer->status)
		peer->status = status;
	va_start(arguments, format);
	say(peer, format, arguments);
	va_end(arguments);
}

void peer_note(struct peer *peer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(peer, format, arguments);
	va_end(arguments);
}

void peer_tell(struct peer *peer, const char *format, ...)
{
	va_list arguments;

	if (!peer->options->verbose)
		return;
	va_start(arguments, format);
	say(peer, format, arguments);
	va_end(arguments);
}

/* With --verbose also what the library has to tell, twice: all of it. */
static void on_log(void *user, enum hdmabuf_log_level level, const char *line)
{
	struct peer *peer = user;

	if ((unsigned int)level <= peer->options->verbose)
		peer_note(peer, "%s", line);
}

/* A trace that has a hole in it is none: the first failure is the last. */
static void on_trace(void *user, const struct hdmabuf_trace_event *event)
{
	struct peer *peer = user;
	struct failure failure;

	if (!peer->record || !record_add(peer->record, event, &failure))
		return;
	peer_fail(peer, EX_IOERR, "%s; nothing more is recorded", failure.text);
	record_close(peer->record);
	peer->record = NULL;
}

/* ---- Sessions and frames ------------------------------------------------ */

bool peer_joined(struct peer *peer, struct hdmabuf_session *session)
{
	peer->sessions++;
	peer->open_sessions++;
	hdmabuf_session_set_user(session, NULL);
	if (!peer->stopping)
		return true;
	hdmabuf_session_close(session, HDMABUF_REASON_SHUTDOWN);
	return false;
}

static struct summary summarize(const struct tally *tally, const char *role)
{
	return (struct summary){
		.role = role,
		.format = tally->frames ? &tally->format : NULL,
		.frames = tally->frames,
		.octets = tally->octets,
		.nanoseconds = tally->ended - tally->begun,
		.crc = tally->crc,
	};
}

static void tell_tally(struct peer *peer, struct hdmabuf_session *session,
		       const struct tally *tally)
{
	struct summary summary;
	char role[256];

	snprintf(role, sizeof(role), "%s: %s", peer->options->program,
		 hdmabuf_session_peer(session));
	summary = summarize(tally, role);
	summary.notifications =
		hdmabuf_session_statistics(session)->notifications_sent;
	summary.verified = peer->options->verify;
	progress_clear(&peer->progress);
	summary_print(&summary, stderr);
}

void peer_left(struct peer *peer, struct hdmabuf_session *session,
	       const struct tally *tally)
{
	const struct options *options = peer->options;

	peer->open_sessions--;
	peer->notifications +=
		hdmabuf_session_statistics(session)->notifications_sent;
	if (options->role == HDMABUF_BACKEND && !options->once && tally &&
	    tally->frames)
		tell_tally(peer, session, tally);
}

void peer_begin_frame(struct tally *tally)
{
	if (!tally->begun)
		tally->begun = progress_now();
}

void peer_count_frame(struct peer *peer, struct tally *tally,
		      const struct picture_format *format, uint32_t crc)
{
	struct tally *total = &peer->total;
	uint64_t now = progress_now();

	if (!tally->frames)
		peer->streams++;
	if (!total->begun)
		total->begun = tally->begun;
	tally->frames++;
	total->frames++;
	tally->octets += format->octets;
	total->octets += format->octets;
	tally->ended = total->ended = now;
	tally->format = total->format = *format;
	tally->crc = total->crc = crc;
	progress_show(&peer->progress, total->frames, peer->expected,
		      total->octets, now);
}

/* The CRC of several streams that came side by side would mean nothing. */
void peer_print_summary(struct peer *peer)
{
	const struct options *options = peer->options;
	struct summary summary = summarize(
		&peer->total,
		options->role == HDMABUF_FRONTEND ? "frontend" : "backend");
	bool stdout_taken = options->sink && !strcmp(options->sink, "y4m:-");
	struct failure failure;

	summary.sessions = peer->sessions;
	summary.notifications = peer->notifications;
	summary.verified = options->verify && peer->streams == 1;
	progress_clear(&peer->progress);
	if (!options->json)
		summary_print(&summary, stdout_taken ? stderr : stdout);
	else if (summary_print_json(&summary, stdout, &failure))
		peer_fail(peer, EX_IOERR, "%s", failure.text);
}

/* ---- The program -------------------------------------------------------- */

void peer_stop(struct peer *peer)
{
	if (peer->stopping)
		return;
	peer->stopping = true;
	peer->deadline = progress_now() + STOP_TIME;
	peer->part->stop(peer);
}

bool peer_interrupted(const struct peer *peer)
{
	struct pollfd fd = { .fd = peer->signals, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

static bool is_over(const struct peer *peer, uint64_t now)
{
	return peer->stopping &&
	       (!peer->open_sessions || now >= peer->deadline);
}

/* Until there is something for the endpoint, the part, or a signal. */
static void wait_until(struct peer *peer, uint64_t wanted, uint64_t now)
{
	struct pollfd fds[OWN_FDS + PEER_SESSIONS_MAX] = {
		{ .fd = hdmabuf_endpoint_fd(peer->endpoint), .events = POLLIN },
		{ .fd = peer->stopping ? -1 : peer->signals, .events = POLLIN },
	};
	nfds_t count = OWN_FDS;
	struct timespec time;
	uint64_t left;

	if (peer->part->poll)
		count += peer->part->poll(peer, fds + OWN_FDS);
	if (peer->stopping && wanted > peer->deadline)
		wanted = peer->deadline;
	left = wanted > now ? wanted - now : 0;
	time.tv_sec = (time_t)(left / SECOND);
	time.tv_nsec = (long)(left % SECOND);
	ppoll(fds, count, wanted == PEER_NEVER ? NULL : &time, NULL);
}

static void run_until_over(struct peer *peer)
{
	for (;;) {
		uint64_t now = progress_now();
		uint64_t wanted = peer->part->work(peer, now);
		int error;

		if (is_over(peer, now))
			return;
		hdmabuf_endpoint_flush(peer->endpoint);
		wait_until(peer, wanted, now);
		if (!peer->stopping && peer_interrupted(peer))
			peer_stop(peer);
		error = hdmabuf_endpoint_dispatch(peer->endpoint);
		if (error) {
			peer_fail(peer, EX_UNAVAILABLE, "%s: broken: %s",
				  peer->options->platform, strerror(-error));
			return;
		}
	}
}

static int open_endpoint(struct peer *peer, const struct hdmabuf_config *config)
{
	const struct options *options = peer->options;
	struct hdmabuf_callbacks callbacks = *peer->part->callbacks;
	char why[512] = "";
	int error;

	callbacks.log = on_log;
	if (peer->record)
		callbacks.trace = on_trace;
	error = hdmabuf_endpoint_open(options->platform, options->role, config,
				      &callbacks, peer, &peer->endpoint, why,
				      sizeof(why));
	if (error)
		peer_fail(peer, error == -EINVAL ? EX_USAGE : EX_UNAVAILABLE,
			  "%s", *why ? why : strerror(-error));
	return error;
}

static void configure(struct hdmabuf_config *config,
		      const struct options *options)
{
	hdmabuf_config_init(config);
	/* What these programs have a use for, and no more. */
	config->features = HDMABUF_FEATURE_TABLE | HDMABUF_FEATURE_EXTENTS |
			   HDMABUF_FEATURE_UPDATE;
	if (options->ring_formats)
		config->ring_formats = options->ring_formats;
	config->max_sessions = options->once ? 1 : PEER_SESSIONS_MAX;
}

/* A window may be on the display of another machine. */
static bool may_show(const struct options *options)
{
	return !options->control && !options->exports &&
	       (!options->sink || !strcmp(options->sink, "window"));
}

/* What Xen's drivers want is the system's to say. */
static int drop_privileges(struct peer *peer)
{
	const struct options *options = peer->options;
	struct failure failure;
	int error;

	if (!options_are_local(options))
		return 0;
	error = privileges_drop(options->user, may_show(options), &failure);
	if (error)
		peer_fail(peer, EX_UNAVAILABLE, "%s", failure.text);
	return error;
}

/* Everything between opening the endpoint and closing it. */
static void run_endpoint(struct peer *peer, const struct hdmabuf_config *config)
{
	struct failure failure;

	peer->signals = signals_open(&failure);
	if (peer->signals < 0) {
		peer_fail(peer, EX_UNAVAILABLE, "%s", failure.text);
		return;
	}
	if (!open_endpoint(peer, config)) {
		if (!drop_privileges(peer)) {
			peer_tell(peer, "waiting at %s",
				  peer->options->platform);
			run_until_over(peer);
		}
		hdmabuf_endpoint_close(peer->endpoint);
	}
	signals_close(peer->signals);
}

static bool open_record(struct peer *peer)
{
	struct failure failure;

	if (!peer->options->record)
		return true;
	peer->record = record_open(peer->options->record, &failure);
	if (!peer->record)
		peer_fail(peer, EX_CANTCREAT, "%s", failure.text);
	return peer->record;
}

static const struct part *choose_part(const struct options *options)
{
	if (options->control)
		return &control_part;
	return options->exports ? &exporter_part : &importer_part;
}

int peer_run(const struct options *options)
{
	struct peer peer = {
		.options = options,
		.part = choose_part(options),
	};
	struct hdmabuf_config config;
	int status;

	configure(&config, options);
	progress_start(&peer.progress, stderr, progress_now());
	if (!open_record(&peer))
		return peer.status;
	status = peer.part->open(&peer, &config);
	if (!status) {
		run_endpoint(&peer, &config);
		peer.part->close(&peer);
	}
	record_close(peer.record);
	if (status)
		return status;
	if (peer.endpoint && !options->control)
		peer_print_summary(&peer);
	return peer.status;
}
