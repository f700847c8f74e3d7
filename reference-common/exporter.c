/* SPDX-License-Identifier: MIT */
/*
 * Shares pictures: the part of a program whose end exports.
 *
 * Each session is given a *stream*: a source, and a ring of buffers that are
 * exported once. Frame n is drawn into buffer n modulo their number, right
 * where the importer will see it, and handed off with signal point n + 1. When
 * the importer has reached that point, the buffer's turn comes again.
 *
 * A stream whose session ends too early waits for the next session. Memory that
 * a peer has had is never drawn into again; yet what it holds is still this
 * end's, so frames that were not finished with are copied from there into the
 * new buffers and handed off again. None is lost, even if the source is a pipe.
 */

#include "reference-common/describe.h"
#include "reference-common/peer.h"
#include "reference-common/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define NO_END	       UINT64_MAX
#define PATTERN_FRAMES 300

/**
 * struct slot - memory for a frame, and the buffer as which it is exported
 * @memory: its pages
 * @buffer: NULL when it is released: nobody else can see the memory
 * @held: a stream has a use for it
 * @accepted: EXPORT was answered
 * @drawn: there is a frame in it
 * @crc: of the pixels of all frames up to that one
 * @text: the source's private text that belongs to that frame
 * @told: the one that the importer knows
 *
 * It lives as long as either @buffer or @held.
 */
struct slot {
	struct hdmabuf_memory memory;
	struct hdmabuf_buffer *buffer;
	bool held;
	bool accepted;
	bool drawn;
	uint32_t crc;
	char text[PICTURE_PRIVATE_SIZE];
	char told[PICTURE_PRIVATE_SIZE];
};

/**
 * struct stream - pictures from one source to one importer after the other
 * @next: in the exporter's list
 * @exporter: whose list it is
 * @number: the tag of its buffers
 * @source: where the frames come from
 * @session: NULL while it waits for one
 * @timeline: its points are the frames that the importer has finished with
 * @ring: slots of this session
 * @buffers: how many of them take turns
 * @kept: slots of sessions before, frame n at n modulo their number, with
 *	frames that are to be handed off again
 * @limit: frames to share, NO_END for no end
 * @read: frames that the source has given
 * @drawn: frames that lie in the ring, the next one or none of them not sent
 * @sent: frames handed off
 * @taken: frames that were finished with
 * @waiting: point that *reached* will report, 0 for none
 * @due: when the next frame is to be handed off
 * @crc: of the pixels of the frames read
 * @fault: with which the importer ended the timeline, or OK
 * @failed: there is no use in going on
 * @closing: CLOSE is sent
 * @tally: of the frames taken
 */
struct stream {
	struct stream *next;
	struct exporter *exporter;
	uint64_t number;
	struct source *source;
	struct hdmabuf_session *session;
	struct hdmabuf_timeline_handle *timeline;
	struct slot *ring[OPTIONS_BUFFERS_MAX];
	unsigned int buffers;
	struct slot *kept[OPTIONS_BUFFERS_MAX];
	uint64_t limit;
	uint64_t read;
	uint64_t drawn;
	uint64_t sent;
	uint64_t taken;
	uint64_t waiting;
	uint64_t due;
	uint32_t crc;
	uint16_t fault;
	bool failed;
	bool closing;
	struct tally tally;
};

/**
 * struct exporter - the context of this part
 * @peer: the program
 * @streams: those that are not over
 * @count: streams so far
 * @source: opened, for the first stream; later ones open their own
 * @single: the source is a pipe: there is no second stream
 */
struct exporter {
	struct peer *peer;
	struct stream *streams;
	uint64_t count;
	struct source *source;
	bool single;
};

/* What a step of a stream leads to. */
enum progress_made {
	GO_ON, /* there may be more to do at once */
	SLEEP, /* the endpoint, or the source, must have something first */
};

/* ---- Slots -------------------------------------------------------------- */

/* It is freed when nobody needs it any more, here or at the other end. */
static void slot_put(struct slot *slot)
{
	if (slot->held || slot->buffer)
		return;
	hdmabuf_memory_free(&slot->memory);
	free(slot);
}

static void slot_drop(struct slot **place)
{
	struct slot *slot = *place;

	*place = NULL;
	if (!slot)
		return;
	slot->held = false;
	slot_put(slot);
}

static int slot_alloc(struct stream *stream, struct slot *slot)
{
	const struct options *options = stream->exporter->peer->options;
	size_t octets = (size_t)stream->source->format.octets;

	if (options->memory)
		return hdmabuf_memory_open(options->memory, octets,
					   &slot->memory);
	return hdmabuf_session_alloc(stream->session, octets, options->rights,
				     &slot->memory);
}

static struct hdmabuf_info slot_info(const struct stream *stream,
				     const struct slot *slot)
{
	struct hdmabuf_info info = {
		.rights = stream->exporter->peer->options->rights,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.tag = stream->number,
		.directory_format = stream->exporter->peer->options->directory,
		.private_octets = (uint32_t)strlen(slot->text),
		.private_data = slot->text,
	};

	describe_picture(&info, &stream->source->format);
	return info;
}

static int slot_export(struct stream *stream, struct slot *slot)
{
	struct hdmabuf_info info;
	int error = slot_alloc(stream, slot);

	if (error)
		return error;
	if (!slot->memory.address)
		return -ENXIO;
	strcpy(slot->text, stream->source->private_text);
	strcpy(slot->told, slot->text);
	info = slot_info(stream, slot);
	return hdmabuf_export(stream->session, &slot->memory, &info, slot,
			      &slot->buffer);
}

/* ---- Trouble ------------------------------------------------------------ */

/* Nothing more is drawn; what is handed off may still be finished with. */
static void end_early(struct stream *stream)
{
	if (stream->limit > stream->sent)
		stream->limit = stream->sent;
	stream->drawn = stream->sent;
}

/* There is nothing to wait for either. */
static void give_up(struct stream *stream)
{
	end_early(stream);
	stream->failed = true;
}

static void tell_export_error(struct stream *stream, int error)
{
	struct peer *peer = stream->exporter->peer;
	const char *memory = peer->options->memory;
	double octets = (double)stream->source->format.octets / 1e6;

	if (error == -EDQUOT)
		peer_fail(peer, EX_UNAVAILABLE,
			  "cannot share a picture of %.1f MB: the other end "
			  "takes less; share a smaller one",
			  octets);
	else if (error == -EACCES)
		peer_fail(peer, EX_UNAVAILABLE,
			  "cannot share memory of %s read-only; use another "
			  "--memory, or --rights read-write",
			  memory ? memory : "the platform");
	else
		peer_fail(
			peer, EX_UNAVAILABLE,
			"cannot share a picture of %.1f MB in memory of %s: %s",
			octets, memory ? memory : "the platform",
			strerror(-error));
}

/* Then this end will be told that the session is over. */
static bool is_leaving(const struct hdmabuf_fault *fault)
{
	return fault->status == HDMABUF_STATUS_CLOSING ||
	       fault->status == HDMABUF_STATUS_LOST;
}

/* Whatever it was: without it the stream cannot go on. */
static void tell_refusal(struct hdmabuf_session *session, const char *what,
			 const struct hdmabuf_fault *fault)
{
	struct stream *stream = hdmabuf_session_user(session);

	if (!stream || stream->failed)
		return;
	peer_fail(stream->exporter->peer, EX_UNAVAILABLE,
		  "%s refuses %s: %s (%s, at %" PRIu64 ", %" PRIu64 ")",
		  hdmabuf_session_peer(session), what,
		  hdmabuf_status_text(fault->status),
		  hdmabuf_where_text(fault->where), fault->offset,
		  fault->value);
	give_up(stream);
}

static void on_exported(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct slot *slot = hdmabuf_buffer_user(buffer);

	(void)user;
	slot->accepted = !fault;
	if (fault && !is_leaving(fault))
		tell_refusal(hdmabuf_buffer_session(buffer), "the picture",
			     fault);
}

static void on_answered(void *user, struct hdmabuf_session *session,
			uint16_t operation, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	(void)buffer;
	if (!fault || is_leaving(fault))
		return;
	/* It has let go of the buffer while the request was under way. */
	if (fault->status == HDMABUF_STATUS_NO_SUCH_BUFFER)
		peer_note(user, "%s had let go of a buffer: %s is void",
			  hdmabuf_session_peer(session),
			  hdmabuf_operation_text(operation));
	else
		tell_refusal(session, hdmabuf_operation_text(operation), fault);
}

/* Whether a call that needs room in the ring has to be made again later. */
static bool is_for_later(int error)
{
	return error == -EAGAIN || error == -EBUSY || error == -ENOTCONN;
}

static enum progress_made fail_call(struct stream *stream, const char *what,
				    int error)
{
	if (is_for_later(error))
		return SLEEP;
	peer_fail(stream->exporter->peer, EX_UNAVAILABLE, "cannot %s: %s", what,
		  strerror(-error));
	give_up(stream);
	return GO_ON;
}

/* ---- The ring of buffers ------------------------------------------------ */

/* An importer that takes fewer buffers than we would like gets fewer. */
static bool makes_do(struct stream *stream, unsigned int count, int error)
{
	if ((error != -EDQUOT && error != -ENOSPC && error != -ENOMEM) ||
	    !count || stream->drawn != stream->taken)
		return false;
	peer_note(stream->exporter->peer,
		  "buffers that take turns: %u of %u; another one: %s", count,
		  stream->buffers, strerror(-error));
	stream->buffers = count;
	return true;
}

static enum progress_made add_slot(struct stream *stream, unsigned int place)
{
	struct slot *slot = calloc(1, sizeof(*slot));
	int error = slot ? slot_export(stream, slot) : -ENOMEM;

	if (!error) {
		slot->held = true;
		stream->ring[place] = slot;
		return GO_ON;
	}
	if (slot)
		slot_put(slot);
	if (is_for_later(error))
		return SLEEP;
	if (!makes_do(stream, place, error)) {
		tell_export_error(stream, error);
		give_up(stream);
	}
	return GO_ON;
}

static bool is_ring_ready(const struct stream *stream)
{
	for (unsigned int i = 0; i < stream->buffers; i++)
		if (!stream->ring[i] || !stream->ring[i]->accepted)
			return false;
	return true;
}

/* Once for a session, unless the importer lets go of a buffer. */
static enum progress_made fill_ring(struct stream *stream)
{
	for (unsigned int i = 0; i < stream->buffers; i++)
		if (!stream->ring[i])
			return add_slot(stream, i);
	return SLEEP;
}

static struct slot **ring_place(struct stream *stream, uint64_t frame)
{
	return &stream->ring[frame % stream->buffers];
}

static struct slot **kept_place(struct stream *stream, uint64_t frame)
{
	return &stream->kept[frame % OPTIONS_BUFFERS_MAX];
}

/* ---- A frame ------------------------------------------------------------ */

static bool is_readable(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

/* From the memory of a session before, which nobody writes to any more. */
static void draw_again(struct stream *stream, struct slot *slot,
		       struct slot **kept)
{
	const struct picture_format *format = &stream->source->format;

	picture_copy(format, slot->memory.address, format,
		     (*kept)->memory.address);
	strcpy(slot->text, (*kept)->text);
	slot->crc = (*kept)->crc;
	slot_drop(kept);
}

static void tell_source_end(struct stream *stream, int result,
			    const struct failure *failure)
{
	struct peer *peer = stream->exporter->peer;

	end_early(stream);
	/* A signal ends the wait for a pipe. */
	if (result < 0 && !peer_interrupted(peer))
		peer_fail(peer, EX_DATAERR, "%s", failure->text);
}

/* Returns false if there is none. */
static bool draw_from_source(struct stream *stream, struct slot *slot)
{
	struct source *source = stream->source;
	struct failure failure;
	int result = 1;

	/* The picture that does not move is there already. */
	if (!source->still || !slot->drawn)
		result = source_read(source, slot->memory.address, &failure);
	if (result <= 0) {
		tell_source_end(stream, result, &failure);
		return false;
	}
	if (stream->exporter->peer->options->verify)
		stream->crc = picture_crc(stream->crc, &source->format,
					  slot->memory.address);
	slot->crc = stream->crc;
	strcpy(slot->text, source->private_text);
	stream->read++;
	return true;
}

static enum progress_made draw(struct stream *stream)
{
	struct slot **place = ring_place(stream, stream->drawn);
	struct slot **kept = kept_place(stream, stream->drawn);
	int fd = stream->source->fd;

	/* The importer has let go of it: it will not be told of it again. */
	if (!(*place)->buffer) {
		slot_drop(place);
		return GO_ON;
	}
	if (*kept)
		draw_again(stream, *place, kept);
	else if (fd >= 0 && !is_readable(fd))
		return SLEEP;
	else if (!draw_from_source(stream, *place))
		return GO_ON;
	(*place)->drawn = true;
	stream->drawn++;
	return GO_ON;
}

/* Y4M has words for single frames; a buffer's metadata must follow. */
static int update(struct stream *stream, struct slot *slot)
{
	struct hdmabuf_info info = slot_info(stream, slot);
	int error;

	if (!strcmp(slot->text, slot->told))
		return 0;
	error = hdmabuf_update(slot->buffer, &info);
	if (error && error != -EOPNOTSUPP)
		return error;
	if (error)
		peer_note(stream->exporter->peer,
			  "the other end takes no updates: \"%s\" is not told",
			  slot->text);
	strcpy(slot->told, slot->text);
	return 0;
}

static enum progress_made hand_off(struct stream *stream, uint64_t now)
{
	struct slot **place = ring_place(stream, stream->sent);
	struct slot *slot = *place;
	uint64_t period = stream->exporter->peer->options->period;
	struct hdmabuf_turn turn = {
		.buffer = slot->buffer,
		.signal = stream->timeline,
		.signal_point = stream->sent + 1,
		.stamp = stream->sent,
	};
	int error;

	/* The importer has let go of it since: draw again, into another. */
	if (!slot->buffer) {
		*kept_place(stream, stream->sent) = slot;
		*place = NULL;
		stream->drawn--;
		return GO_ON;
	}
	error = update(stream, slot);
	if (error)
		return fail_call(stream, "update a buffer", error);
	peer_begin_frame(&stream->tally);
	error = hdmabuf_hand_off(&turn, false);
	if (error)
		return fail_call(stream, "hand off a frame", error);
	stream->sent++;
	stream->due += period;
	if (stream->due < now)
		stream->due = now;
	return GO_ON;
}

/* ---- A stream, step by step --------------------------------------------- */

/* Its point may never come if the importer has let go of the buffer. */
static bool is_taken(struct stream *stream, uint64_t frame)
{
	return frame < hdmabuf_timeline_point(stream->timeline) ||
	       !(*ring_place(stream, frame))->buffer;
}

static void take_points(struct stream *stream)
{
	struct peer *peer = stream->exporter->peer;

	for (; stream->taken < stream->sent && is_taken(stream, stream->taken);
	     stream->taken++) {
		uint32_t crc = (*ring_place(stream, stream->taken))->crc;

		peer_count_frame(peer, &stream->tally, &stream->source->format,
				 crc);
		if (peer->options->verify)
			peer_tell(peer, "frame %" PRIu64 ": crc32 so far %08x",
				  stream->taken, crc);
		else
			peer_tell(peer, "frame %" PRIu64, stream->taken);
	}
}

static enum progress_made wait_for(struct stream *stream, uint64_t point)
{
	int error;

	if (stream->waiting == point)
		return SLEEP;
	error = hdmabuf_timeline_wait(stream->timeline, point);
	if (error)
		return fail_call(stream, "wait for the other end", error);
	stream->waiting = point;
	return SLEEP;
}

static enum progress_made finish(struct stream *stream)
{
	enum hdmabuf_reason reason = stream->exporter->peer->stopping ?
					     HDMABUF_REASON_SHUTDOWN :
					     HDMABUF_REASON_DONE;

	if (stream->taken < stream->sent && !stream->failed)
		return wait_for(stream, stream->sent);
	stream->closing = !hdmabuf_session_close(stream->session, reason);
	return SLEEP;
}

/* The importer could not do with a frame what it should. */
static void check_fault(struct stream *stream)
{
	if (!stream->fault || stream->fault == HDMABUF_STATUS_LOST ||
	    stream->failed)
		return;
	peer_fail(stream->exporter->peer, EX_IOERR,
		  "%s could not take frame %" PRIu64 ": %s",
		  hdmabuf_session_peer(stream->session), stream->taken,
		  hdmabuf_status_text(stream->fault));
	give_up(stream);
}

static enum progress_made step(struct stream *stream, uint64_t now)
{
	if (!stream->failed)
		take_points(stream);
	check_fault(stream);
	if (stream->sent >= stream->limit)
		return finish(stream);
	if (!is_ring_ready(stream))
		return fill_ring(stream);
	if (now < stream->due)
		return SLEEP;
	if (stream->drawn > stream->sent)
		return hand_off(stream, now);
	if (stream->sent - stream->taken >= stream->buffers)
		return wait_for(stream, stream->sent - stream->buffers + 1);
	return draw(stream);
}

/* One frame at a time, so that all streams and the endpoint get their share. */
static uint64_t stream_work(struct stream *stream, uint64_t now)
{
	uint64_t sent = stream->sent;

	if (!stream->session || stream->closing)
		return PEER_NEVER;
	while (step(stream, now) == GO_ON)
		if (stream->sent != sent)
			return 0;
	return stream->due > now ? stream->due : PEER_NEVER;
}

/* ---- Streams come and go ------------------------------------------------ */

static uint64_t frames_wanted(const struct options *options,
			      const struct source *source)
{
	if (options->frames_given)
		return options->frames ? options->frames : NO_END;
	if (source->still)
		return 1;
	return source->endless ? PATTERN_FRAMES : NO_END;
}

/* Whether a source that could not be opened is none at all, or not readable. */
static int source_status(const char *spec, const struct failure *failure)
{
	const char *file = strchr(spec, ':');

	if (failure->no_memory)
		return EX_UNAVAILABLE;
	if ((strncmp(spec, "png:", 4) && strncmp(spec, "y4m:", 4)) || !file[1])
		return EX_USAGE;
	if (strcmp(spec, "y4m:-") && access(file + 1, R_OK))
		return EX_NOINPUT;
	return EX_DATAERR;
}

static struct source *open_source(struct peer *peer)
{
	const char *spec = peer->options->source;
	struct failure failure;
	struct source *source = source_open(spec, &failure);

	if (!source)
		peer_fail(peer, source_status(spec, &failure), "%s",
			  failure.text);
	return source;
}

static struct stream *new_stream(struct exporter *exporter)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream) {
		peer_fail(exporter->peer, EX_UNAVAILABLE, "out of memory");
		return NULL;
	}
	stream->source = exporter->source ? exporter->source :
					    open_source(exporter->peer);
	exporter->source = NULL;
	if (!stream->source) {
		free(stream);
		return NULL;
	}
	stream->exporter = exporter;
	stream->number = ++exporter->count;
	stream->limit = frames_wanted(exporter->peer->options, stream->source);
	stream->next = exporter->streams;
	exporter->streams = stream;
	return stream;
}

static void free_stream(struct stream *stream)
{
	struct stream **place = &stream->exporter->streams;

	while (*place != stream)
		place = &(*place)->next;
	*place = stream->next;
	for (unsigned int i = 0; i < OPTIONS_BUFFERS_MAX; i++) {
		slot_drop(&stream->ring[i]);
		slot_drop(&stream->kept[i]);
	}
	source_close(stream->source);
	free(stream);
}

/* One that has lost its session goes first. */
static struct stream *find_stream(struct exporter *exporter)
{
	for (struct stream *stream = exporter->streams; stream;
	     stream = stream->next)
		if (!stream->session)
			return stream;
	return new_stream(exporter);
}

static void begin_session(struct stream *stream, struct peer *peer,
			  struct hdmabuf_session *session)
{
	int error;

	stream->session = session;
	stream->buffers = peer->options->buffers;
	stream->sent = stream->drawn = stream->taken;
	stream->due = progress_now();
	stream->waiting = 0;
	stream->fault = HDMABUF_STATUS_OK;
	stream->closing = false;
	peer->expected = stream->limit == NO_END ? stream->source->frames :
						   stream->limit;
	hdmabuf_session_set_user(session, stream);
	error = hdmabuf_timeline_create(session, HDMABUF_SIGNALLER_PEER,
					stream->taken, &stream->timeline);
	if (error) {
		peer_fail(peer, EX_UNAVAILABLE,
			  "%s takes no timeline: %s; none can tell when it has "
			  "finished with a frame",
			  hdmabuf_session_peer(session), strerror(-error));
		give_up(stream);
	}
}

static void on_connected(void *user, struct hdmabuf_session *session)
{
	struct peer *peer = user;
	struct stream *stream;

	if (!peer_joined(peer, session))
		return;
	stream = find_stream(peer->context);
	if (stream)
		begin_session(stream, peer, session);
	else
		hdmabuf_session_close(session, HDMABUF_REASON_SHUTDOWN);
}

/* The ring is of no use any more, but for frames not finished with. */
static void end_session(struct stream *stream)
{
	if (!stream->failed)
		take_points(stream);
	check_fault(stream);
	for (uint64_t frame = stream->taken; frame < stream->drawn; frame++) {
		struct slot **place = ring_place(stream, frame);

		slot_drop(kept_place(stream, frame));
		*kept_place(stream, frame) = *place;
		*place = NULL;
	}
	for (unsigned int i = 0; i < OPTIONS_BUFFERS_MAX; i++)
		slot_drop(&stream->ring[i]);
	stream->session = NULL;
	stream->timeline = NULL;
}

/* Whether there is nothing left that another session could do. */
static bool is_complete(const struct stream *stream)
{
	return stream->failed || stream->taken >= stream->limit;
}

static void tell_loss(struct peer *peer, const struct stream *stream,
		      struct hdmabuf_session *session, uint16_t status,
		      const char *why)
{
	uint64_t again = stream->read - stream->taken;

	peer_note(peer,
		  "%s %s after %" PRIu64 " frames: %s; waiting for a new "
		  "one, for which frame %" PRIu64 " is next%s",
		  hdmabuf_session_peer(session),
		  status ? "was lost" : "has left", stream->taken, why,
		  stream->taken, again ? ", drawn already" : "");
}

static void on_disconnected(void *user, struct hdmabuf_session *session,
			    uint16_t status, const char *why)
{
	struct stream *stream = hdmabuf_session_user(session);
	struct peer *peer = user;
	struct exporter *exporter = peer->context;

	/* There was no memory for it, or this end is stopping. */
	if (!stream) {
		peer_left(peer, session, NULL);
		if (peer->options->role == HDMABUF_FRONTEND ||
		    peer->options->once)
			peer_stop(peer);
		return;
	}
	end_session(stream);
	if (is_complete(stream) || peer->stopping) {
		peer_left(peer, session, &stream->tally);
		free_stream(stream);
		if (peer->options->role == HDMABUF_FRONTEND ||
		    peer->options->once || exporter->single)
			peer_stop(peer);
		return;
	}
	if (peer->options->once) {
		peer_fail(peer, EX_TEMPFAIL,
			  "%s %s after %" PRIu64 " frames: %s",
			  hdmabuf_session_peer(session),
			  status ? "was lost" : "has left", stream->taken, why);
		peer_left(peer, session, &stream->tally);
		peer_stop(peer);
		return;
	}
	tell_loss(peer, stream, session, status, why);
	peer_left(peer, session, NULL);
}

static void on_released(void *user, struct hdmabuf_buffer *buffer)
{
	struct slot *slot = hdmabuf_buffer_user(buffer);

	(void)user;
	slot->buffer = NULL;
	slot_put(slot);
}

static void on_reached(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	struct peer *peer = user;
	struct exporter *exporter = peer->context;

	for (struct stream *stream = exporter->streams; stream;
	     stream = stream->next)
		if (stream->timeline == timeline && stream->waiting == point) {
			stream->waiting = 0;
			stream->fault = status;
		}
}

/* ---- The part ----------------------------------------------------------- */

static int exporter_open(struct peer *peer, struct hdmabuf_config *config)
{
	struct exporter *exporter = calloc(1, sizeof(*exporter));

	if (!exporter) {
		peer_fail(peer, EX_UNAVAILABLE, "out of memory");
		return peer->status;
	}
	exporter->peer = peer;
	exporter->source = open_source(peer);
	if (!exporter->source) {
		free(exporter);
		return peer->status;
	}
	exporter->single = exporter->source->fd >= 0;
	if (exporter->single)
		config->max_sessions = 1;
	/* An end that imports nothing says so. */
	config->limits.max_octets = 0;
	config->limits.max_buffers = 0;
	config->limits.max_timelines = 0;
	config->limits.max_private = 0;
	peer->context = exporter;
	return 0;
}

static uint64_t exporter_work(struct peer *peer, uint64_t now)
{
	struct exporter *exporter = peer->context;
	uint64_t earliest = PEER_NEVER;

	for (struct stream *stream = exporter->streams; stream;
	     stream = stream->next) {
		uint64_t wanted = stream_work(stream, now);

		if (wanted < earliest)
			earliest = wanted;
	}
	return earliest;
}

/* Only those that have nothing but their source to wait for. */
static size_t exporter_poll(struct peer *peer, struct pollfd *fds)
{
	struct exporter *exporter = peer->context;
	struct stream *stream = exporter->streams;
	size_t count = 0;

	for (; stream && count < PEER_SESSIONS_MAX; stream = stream->next)
		if (stream->source->fd >= 0 && stream->session &&
		    stream->sent < stream->limit && is_ring_ready(stream) &&
		    stream->sent - stream->taken < stream->buffers &&
		    stream->due <= progress_now())
			fds[count++] = (struct pollfd){
				.fd = stream->source->fd,
				.events = POLLIN,
			};
	return count;
}

static void exporter_stop(struct peer *peer)
{
	struct exporter *exporter = peer->context;

	for (struct stream *stream = exporter->streams; stream;
	     stream = stream->next)
		end_early(stream);
}

static void exporter_close(struct peer *peer)
{
	struct exporter *exporter = peer->context;

	while (exporter->streams)
		free_stream(exporter->streams);
	source_close(exporter->source);
	free(exporter);
}

static const struct hdmabuf_callbacks callbacks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.exported = on_exported,
	.answered = on_answered,
	.released = on_released,
	.reached = on_reached,
};

const struct part exporter_part = {
	.callbacks = &callbacks,
	.open = exporter_open,
	.work = exporter_work,
	.poll = exporter_poll,
	.stop = exporter_stop,
	.close = exporter_close,
};
