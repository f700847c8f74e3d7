/* SPDX-License-Identifier: MIT */
/*
 * Shows pictures: the part of a program whose end imports.
 *
 * A buffer is looked at and mapped once, when it is imported. A hand-off takes
 * the frame from the shared memory into the sink, and then signals its point.
 * Nothing that the other end says is used before it is checked, and the sinks
 * bear that a picture changes while they read it.
 */

#include "reference-common/describe.h"
#include "reference-common/peer.h"
#include "reference-common/screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Turns that wait for a point; a peer that is further ahead is out of its mind. */
#define QUEUE_MAX 64

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
 * @screen: where its frames go
 */
struct view {
	struct view *next;
	struct importer *importer;
	struct hdmabuf_session *session;
	struct import *imports;
	struct hdmabuf_turn turns[QUEUE_MAX];
	unsigned int turns_count;
	struct screen screen;
};

/**
 * struct importer - the context of this part
 * @peer: the program
 * @sinks: that views show their frames in
 * @views: those whose session is not over
 */
struct importer {
	struct peer *peer;
	struct sinks sinks;
	struct view *views;
};

/* ---- Frames ------------------------------------------------------------- */

/* Returns the status to end the turn with. */
static uint16_t show(struct view *view, const struct hdmabuf_turn *turn)
{
	struct import *import = hdmabuf_buffer_user(turn->buffer);
	const void *memory = hdmabuf_buffer_data(turn->buffer);

	if (view->screen.failed || !import->usable || !memory ||
	    screen_show(&view->screen, &view->importer->sinks, &import->format,
			import->text, memory, turn->stamp))
		return HDMABUF_STATUS_FAILED;
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

	while (view->turns_count && !view->screen.closed &&
	       may_access(&view->turns[0])) {
		struct hdmabuf_turn turn = view->turns[0];
		uint16_t status = turn.buffer ? show(view, &turn) :
						HDMABUF_STATUS_OK;

		remove_turn(view, 0);
		if (!view->screen.closed)
			hdmabuf_turn_done(&turn, status);
	}
	/* A frontend has this view alone, a backend others to look after. */
	if (view->screen.closed ||
	    (view->screen.failed &&
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
	screen_close(&view->screen, &view->importer->sinks);
	free(view);
}

static void tell_loss(struct peer *peer, const struct view *view,
		      const char *why)
{
	const char *who = hdmabuf_session_peer(view->session);

	if (peer->options->once)
		peer_fail(peer, EX_TEMPFAIL,
			  "%s was lost after %" PRIu64 " frames: %s", who,
			  view->screen.tally.frames, why);
	else
		peer_note(peer,
			  "%s was lost after %" PRIu64
			  " frames: %s; waiting for a new one",
			  who, view->screen.tally.frames, why);
}

static void on_disconnected(void *user, struct hdmabuf_session *session,
			    uint16_t status, const char *why)
{
	struct view *view = hdmabuf_session_user(session);
	struct peer *peer = user;

	if (status && view && !peer->stopping)
		tell_loss(peer, view, why);
	peer_left(peer, session, view ? &view->screen.tally : NULL);
	if (view)
		free_view(view);
	/* A frontend whose backend has closed has got all there is. */
	if (peer->options->once ||
	    (peer->options->role == HDMABUF_FRONTEND && !status))
		peer_stop(peer);
}

/* ---- The part ----------------------------------------------------------- */

static int importer_open(struct peer *peer, struct hdmabuf_config *config)
{
	struct importer *importer = calloc(1, sizeof(*importer));
	int status;

	if (!importer) {
		peer_fail(peer, EX_UNAVAILABLE, "out of memory");
		return peer->status;
	}
	importer->peer = peer;
	status = sinks_open(&importer->sinks, peer);
	if (status) {
		free(importer);
		return status;
	}
	if (importer->sinks.shared)
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
		closed |= !screen_dispatch(&view->screen, now, &wanted);
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

	sinks_close(&importer->sinks);
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
