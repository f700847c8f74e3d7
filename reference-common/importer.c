/* SPDX-License-Identifier: MIT */
/*
 * Shows pictures: the part of a program whose end imports.
 *
 * A buffer is looked at and mapped once, when it is imported. A hand-off takes
 * the frame from the shared memory into the sink, and then signals its point.
 * Nothing that the other end says is used before it is checked, and the sinks
 * bear that a picture changes while they read it.
 *
 * Each session has a sink of its own: the first one what the user asked for, the
 * others a window or file beside it.
 */

#include "reference-common/describe.h"
#include "reference-common/peer.h"
#include "reference-common/sink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Turns that wait for a point; a peer that is further ahead is out of its mind. */
#define QUEUE_MAX 64

/* How often a window is looked after. */
#define WINDOW_INTERVAL (1000000000u / 50)

/**
 * struct import - a buffer of the other end
 * @next: in the view's list
 * @buffer: it
 * @format: its layout, checked
 * @text: its private data, checked
 * @usable: neither is known to be wrong
 */
struct import {
	struct import *next;
	struct hdmabuf_buffer *buffer;
	struct picture_format format;
	char text[PICTURE_PRIVATE_SIZE];
	bool usable;
};

/**
 * struct view - what one session shows
 * @next: in the importer's list
 * @importer: whose list it is
 * @session: it
 * @imports: its buffers
 * @turns: hand-offs that are not finished with, the oldest first
 * @turns_count: how many
 * @sink: where its frames go, from the first frame on
 * @spec: the sink's, if it is not the user's own
 * @note: of the sink, as it was told last
 * @crc: of the pixels of all frames
 * @failed: the sink takes no more
 * @closed: the user has closed the window
 * @tally: of the frames shown
 */
struct view {
	struct view *next;
	struct importer *importer;
	struct hdmabuf_session *session;
	struct import *imports;
	struct hdmabuf_turn turns[QUEUE_MAX];
	unsigned int turns_count;
	struct sink *sink;
	char *spec;
	const char *note;
	uint32_t crc;
	bool failed;
	bool closed;
	struct tally tally;
};

/**
 * struct importer - the context of this part
 * @peer: the program
 * @spec: of the sink that the user asked for, or got
 * @sink: opened, for the first view with a frame; later ones open their own
 * @shared: that sink is standard output, which all views share
 * @sinks: that views have had
 * @views: those whose session is not over
 */
struct importer {
	struct peer *peer;
	const char *spec;
	struct sink *sink;
	bool shared;
	unsigned int sinks;
	struct view *views;
};

/* ---- Sinks -------------------------------------------------------------- */

/* A spec that names no file is no better for another number. */
static int sink_status(const char *spec)
{
	const char *file = strchr(spec, ':');

	if (!strcmp(spec, "window"))
		return EX_UNAVAILABLE;
	if ((strncmp(spec, "png:", 4) && strncmp(spec, "y4m:", 4)) || !file[1])
		return EX_USAGE;
	return EX_CANTCREAT;
}

/* "png:a/b.png" as "png:a/b-2.png"; to be freed. */
static char *number_spec(const char *spec, unsigned int number)
{
	const char *slash = strrchr(spec, '/');
	const char *dot = strrchr(slash ? slash : spec, '.');
	size_t size = strlen(spec) + 16;
	int length = dot ? (int)(dot - spec) : (int)strlen(spec);
	char *numbered;

	/* A window has no name to put it in. */
	if (!strchr(spec, ':'))
		return strdup(spec);
	numbered = malloc(size);
	if (numbered)
		snprintf(numbered, size, "%.*s-%u%s", length, spec, number,
			 dot ? dot : "");
	return numbered;
}

static int open_next_sink(struct view *view)
{
	struct importer *importer = view->importer;
	struct failure failure;

	importer->sinks++;
	if (importer->sink) {
		view->sink = importer->sink;
		if (!importer->shared)
			importer->sink = NULL;
		return 0;
	}
	view->spec = number_spec(importer->spec, importer->sinks);
	if (!view->spec) {
		peer_fail(importer->peer, EX_UNAVAILABLE, "out of memory");
		return -1;
	}
	view->sink = sink_open(view->spec, &failure);
	if (view->sink)
		return 0;
	peer_fail(importer->peer, sink_status(view->spec), "%s", failure.text);
	return -1;
}

static void close_sink(struct view *view)
{
	struct failure failure;

	if (view->sink && view->sink != view->importer->sink &&
	    sink_close(view->sink, &failure))
		peer_fail(view->importer->peer, EX_IOERR, "%s", failure.text);
	free(view->spec);
}

/* ---- Frames ------------------------------------------------------------- */

static void tell_frame(struct view *view, const struct hdmabuf_turn *turn)
{
	struct peer *peer = view->importer->peer;

	if (view->sink->note && view->sink->note != view->note)
		peer_note(peer, "%s", view->sink->note);
	view->note = view->sink->note;
	if (peer->options->verify)
		peer_tell(peer, "frame %" PRIu64 ": crc32 so far %08x",
			  turn->stamp, view->crc);
	else
		peer_tell(peer, "frame %" PRIu64, turn->stamp);
}

/* Returns the status to end the turn with. */
static uint16_t show(struct view *view, const struct hdmabuf_turn *turn)
{
	struct import *import = hdmabuf_buffer_user(turn->buffer);
	const void *memory = hdmabuf_buffer_data(turn->buffer);
	struct peer *peer = view->importer->peer;
	struct failure failure;
	int result;

	if (view->failed || !import->usable || !memory)
		return HDMABUF_STATUS_FAILED;
	peer_begin_frame(&view->tally);
	view->failed = !view->sink && open_next_sink(view);
	if (view->failed)
		return HDMABUF_STATUS_FAILED;
	if (peer->options->verify)
		view->crc = picture_crc(view->crc, &import->format, memory);
	result = sink_write(view->sink, &import->format, import->text, memory,
			    &failure);
	view->failed = result < 0;
	view->closed = result == SINK_CLOSED;
	if (view->failed)
		peer_fail(peer, EX_IOERR, "%s", failure.text);
	if (view->failed || view->closed)
		return HDMABUF_STATUS_FAILED;
	peer_count_frame(peer, &view->tally, &import->format, view->crc);
	tell_frame(view, turn);
	return HDMABUF_STATUS_OK;
}

static bool may_access(const struct hdmabuf_turn *turn)
{
	return !turn->buffer || !turn->wait ||
	       hdmabuf_timeline_point(turn->wait) >= turn->wait_point;
}

static void remove_turn(struct view *view, unsigned int i)
{
	view->turns_count--;
	memmove(&view->turns[i], &view->turns[i + 1],
		(view->turns_count - i) * sizeof(view->turns[0]));
}

/*
 * In the order in which they came: a point says that all before it are finished
 * with, too. A closed window does not say that anything is wrong: the frame is
 * not finished with, and the session ends.
 */
static void take_turns(struct view *view)
{
	struct peer *peer = view->importer->peer;

	while (view->turns_count && !view->closed &&
	       may_access(&view->turns[0])) {
		struct hdmabuf_turn turn = view->turns[0];
		uint16_t status = turn.buffer ? show(view, &turn) :
						HDMABUF_STATUS_OK;

		remove_turn(view, 0);
		if (!view->closed)
			hdmabuf_turn_done(&turn, status);
	}
	/* A frontend has this view alone, a backend others to look after. */
	if (view->closed ||
	    (view->failed &&
	     (peer->options->role == HDMABUF_FRONTEND || peer->options->once)))
		peer_stop(peer);
}

static void on_handed_off(void *user, struct hdmabuf_session *session,
			  const struct hdmabuf_turn *turns, size_t count)
{
	struct view *view = hdmabuf_session_user(session);

	(void)user;
	if (!view)
		return;
	for (size_t i = 0; i < count; i++) {
		struct hdmabuf_turn turn = turns[i];

		if (view->turns_count == QUEUE_MAX) {
			hdmabuf_session_close(session, HDMABUF_REASON_FAULT);
			return;
		}
		if (turn.wait &&
		    hdmabuf_timeline_wait(turn.wait, turn.wait_point))
			turn.buffer = NULL;
		view->turns[view->turns_count++] = turn;
	}
	take_turns(view);
}

/*
 * A turn that will never come is not carried out, but its point is signalled when
 * it would have been (HDB-BOTH-065).
 */
static void drop_turns(struct view *view,
		       const struct hdmabuf_timeline_handle *timeline,
		       uint64_t point)
{
	for (unsigned int i = 0; i < view->turns_count; i++)
		if (view->turns[i].wait == timeline &&
		    view->turns[i].wait_point == point)
			view->turns[i].buffer = NULL;
}

static void on_reached(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	struct peer *peer = user;
	struct importer *importer = peer->context;

	for (struct view *view = importer->views; view; view = view->next) {
		if (status)
			drop_turns(view, timeline, point);
		take_turns(view);
	}
}

/* ---- Buffers ------------------------------------------------------------ */

/* Returns a status, and says in words what is wrong. */
static uint16_t check_picture(const struct hdmabuf_info *info,
			      struct picture_format *format,
			      struct failure *failure)
{
	const struct hdmabuf_picture_info *picture = &info->picture;
	uint16_t status;

	if (info->type != HDMABUF_TYPE_PICTURE) {
		fail_with(failure, "it is no picture");
		return HDMABUF_STATUS_UNSUPPORTED;
	}
	status = describe_check(info, failure);
	if (status)
		return status;
	if (picture->plane_count != picture->planes) {
		fail_with(failure, "it is no picture in one buffer");
		return HDMABUF_STATUS_UNSUPPORTED;
	}
	*format = (struct picture_format){
		.width = picture->width,
		.height = picture->height,
		.fourcc = picture->fourcc,
		.planes = picture->planes,
	};
	for (unsigned int i = 0; i < picture->planes; i++) {
		format->plane[i].offset = picture->plane[i].offset;
		format->plane[i].stride = picture->plane[i].stride;
	}
	return picture_format_check(format, info->size, failure) ?
		       HDMABUF_STATUS_INVALID :
		       HDMABUF_STATUS_OK;
}

static uint16_t check_info(const struct hdmabuf_info *info,
			   struct import *import, struct failure *failure)
{
	uint16_t status = check_picture(info, &import->format, failure);

	if (!status && picture_private_init(import->text, info->private_data,
					    info->private_octets, failure))
		status = HDMABUF_STATUS_UNSUPPORTED;
	import->usable = !status;
	return status;
}

static uint16_t refuse(struct peer *peer, struct hdmabuf_buffer *buffer,
		       uint16_t status, const char *why)
{
	peer_note(peer, "a buffer of %s is refused: %s",
		  hdmabuf_session_peer(hdmabuf_buffer_session(buffer)), why);
	return status;
}

static uint16_t on_imported(void *user, struct hdmabuf_buffer *buffer)
{
	struct view *view =
		hdmabuf_session_user(hdmabuf_buffer_session(buffer));
	struct import *import = view ? calloc(1, sizeof(*import)) : NULL;
	struct failure failure;
	uint16_t status;
	void *memory;

	if (!import)
		return refuse(user, buffer, HDMABUF_STATUS_NO_MEMORY,
			      "out of memory");
	status = check_info(hdmabuf_buffer_info(buffer), import, &failure);
	if (!status && hdmabuf_buffer_map(buffer, &memory)) {
		status = HDMABUF_STATUS_NO_MEMORY;
		fail_with(&failure, "it cannot be mapped");
	}
	if (status) {
		free(import);
		return refuse(user, buffer, status, failure.text);
	}
	import->buffer = buffer;
	import->next = view->imports;
	view->imports = import;
	hdmabuf_buffer_set_user(buffer, import);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_updated(void *user, struct hdmabuf_buffer *buffer,
			   const struct hdmabuf_info *info)
{
	struct import *import = hdmabuf_buffer_user(buffer);
	struct import updated = *import;
	struct failure failure;
	uint16_t status = check_info(info, &updated, &failure);

	if (status)
		return refuse(user, buffer, status, failure.text);
	*import = updated;
	return HDMABUF_STATUS_OK;
}

static void on_retire(void *user, struct hdmabuf_buffer *buffer,
		      uint32_t grace_ms)
{
	struct view *view =
		hdmabuf_session_user(hdmabuf_buffer_session(buffer));
	struct import *import = hdmabuf_buffer_user(buffer);
	struct import **place = &view->imports;

	(void)user;
	(void)grace_ms;
	for (unsigned int i = 0; i < view->turns_count; i++)
		if (view->turns[i].buffer == buffer)
			view->turns[i].buffer = NULL;
	while (*place != import)
		place = &(*place)->next;
	*place = import->next;
	free(import);
	hdmabuf_buffer_release(buffer);
	take_turns(view);
}

/* ---- Views come and go -------------------------------------------------- */

static void on_connected(void *user, struct hdmabuf_session *session)
{
	struct peer *peer = user;
	struct importer *importer = peer->context;
	struct view *view;

	if (!peer_joined(peer, session))
		return;
	view = calloc(1, sizeof(*view));
	if (!view) {
		peer_fail(peer, EX_UNAVAILABLE, "out of memory");
		hdmabuf_session_close(session, HDMABUF_REASON_SHUTDOWN);
		return;
	}
	view->importer = importer;
	view->session = session;
	view->next = importer->views;
	importer->views = view;
	hdmabuf_session_set_user(session, view);
}

static void free_view(struct view *view)
{
	struct view **place = &view->importer->views;

	while (*place != view)
		place = &(*place)->next;
	*place = view->next;
	while (view->imports) {
		struct import *import = view->imports;

		view->imports = import->next;
		free(import);
	}
	close_sink(view);
	free(view);
}

static void tell_loss(struct peer *peer, const struct view *view,
		      const char *why)
{
	const char *who = hdmabuf_session_peer(view->session);

	if (peer->options->once)
		peer_fail(peer, EX_TEMPFAIL,
			  "%s was lost after %" PRIu64 " frames: %s", who,
			  view->tally.frames, why);
	else
		peer_note(peer,
			  "%s was lost after %" PRIu64
			  " frames: %s; waiting for a new one",
			  who, view->tally.frames, why);
}

static void on_disconnected(void *user, struct hdmabuf_session *session,
			    uint16_t status, const char *why)
{
	struct view *view = hdmabuf_session_user(session);
	struct peer *peer = user;

	if (!view) {
		peer_left(peer, session, NULL);
		return;
	}
	if (status && !peer->stopping)
		tell_loss(peer, view, why);
	peer_left(peer, session, &view->tally);
	free_view(view);
	/* A frontend whose backend has closed has got all there is. */
	if (peer->options->once ||
	    (peer->options->role == HDMABUF_FRONTEND && !status))
		peer_stop(peer);
}

/* ---- The part ----------------------------------------------------------- */

/* Where there is no display, a backend can still be tried. */
static int open_first_sink(struct importer *importer)
{
	struct peer *peer = importer->peer;
	const char *wish = peer->options->sink;
	struct failure failure;

	importer->spec = wish ? wish : "window";
	importer->sink = sink_open(importer->spec, &failure);
	if (!importer->sink && !wish) {
		peer_note(peer, "%s; frames are taken and not shown",
			  failure.text);
		importer->spec = "null";
		importer->sink = sink_open(importer->spec, &failure);
	}
	if (!importer->sink) {
		peer_fail(peer, sink_status(importer->spec), "%s",
			  failure.text);
		return peer->status;
	}
	importer->shared = importer->sink->uses_stdout;
	return 0;
}

static int importer_open(struct peer *peer, struct hdmabuf_config *config)
{
	struct importer *importer = calloc(1, sizeof(*importer));
	int status;

	if (!importer) {
		peer_fail(peer, EX_UNAVAILABLE, "out of memory");
		return peer->status;
	}
	importer->peer = peer;
	status = open_first_sink(importer);
	if (status) {
		free(importer);
		return status;
	}
	if (importer->shared)
		config->max_sessions = 1;
	peer->context = importer;
	return 0;
}

/* Windows want attention also when no frame comes. */
static uint64_t importer_work(struct peer *peer, uint64_t now)
{
	struct importer *importer = peer->context;
	uint64_t wanted = PEER_NEVER;
	bool closed = false;

	if (peer->stopping)
		return PEER_NEVER;
	for (struct view *view = importer->views; view; view = view->next)
		if (view->sink && view->sink->ops->dispatch) {
			wanted = now + WINDOW_INTERVAL;
			if (sink_dispatch(view->sink) == SINK_CLOSED)
				closed = true;
		}
	if (closed)
		peer_stop(peer);
	return wanted;
}

/* The buffers are unmapped thereby, so nothing may be done with a turn. */
static void importer_stop(struct peer *peer)
{
	struct importer *importer = peer->context;

	for (struct view *view = importer->views; view; view = view->next) {
		view->turns_count = 0;
		hdmabuf_session_close(view->session, HDMABUF_REASON_SHUTDOWN);
	}
}

static void importer_close(struct peer *peer)
{
	struct importer *importer = peer->context;
	struct failure failure;

	if (sink_close(importer->sink, &failure))
		peer_fail(peer, EX_IOERR, "%s", failure.text);
	free(importer);
}

static const struct hdmabuf_callbacks callbacks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.imported = on_imported,
	.updated = on_updated,
	.handed_off = on_handed_off,
	.retire = on_retire,
	.reached = on_reached,
};

const struct part importer_part = {
	.callbacks = &callbacks,
	.open = importer_open,
	.work = importer_work,
	.stop = importer_stop,
	.close = importer_close,
};
