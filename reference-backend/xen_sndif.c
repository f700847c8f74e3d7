/* SPDX-License-Identifier: MIT */
/*
 * sndif: what guests play with Linux's xen-snd-front, or another frontend of the class
 * vsnd, goes into WAV files, and what they record comes from one, or is a tone.
 *
 * A stream's position is what a sound card's would be: it goes on with the clock as long
 * as the stream runs, whether or not there was something to play, as that is how a
 * guest finds out that it was late. What the guest says it has written is what is
 * played, each octet once, in the order in which it is said.
 */

#include "reference-backend/xen_io.h"
#include "reference-backend/xen_ring.h"
#include "reference-common/screen.h"
#include "reference-common/sound.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define SECOND 1000000000u

/* What a frontend may have. */
#define PCMS_MAX	8
#define PCM_STREAMS_MAX 8
#define STREAMS_MAX	16
#define BUFFER_MAX	(16u << 20)

/* The shortest time between two events of a stream: a period may be one frame. */
#define EVENT_INTERVAL (SECOND / 1000)

#define STREAM_NAME_SIZE 8

/* While it is open. */
struct pcm {
	struct sound_format format;
	uint32_t frame; /* octets */
	uint32_t octets;
	uint32_t period; /* octets, 0 for no events */
	struct hdmabuf_gref_buffer buffer;
	struct sound_sink *sink;
	char *spec; /* the sink's, if it is not the user's own */
	struct sound_source *source;
	uint64_t done; /* octets written or read */
	bool running;
	uint64_t started; /* in nanoseconds, when the position was @base */
	uint64_t base;	  /* frames */
	uint64_t told;	  /* frames, the position in the last event */
	int32_t volume[SOUND_CHANNELS_MAX];
	uint8_t mute[SOUND_CHANNELS_MAX];
};

struct stream {
	struct bus_device *device;
	char name[STREAM_NAME_SIZE]; /* "0/1" */
	bool capture;
	bool is_open;
	struct pcm pcm;
	struct front_ring ring;
};

/* What a device has while it is connected. */
struct card {
	unsigned int count;
	struct stream streams[STREAMS_MAX];
};

/* What all devices have in common. */
struct sounds {
	const char *sink;
	const char *source;
	struct sound_format source_format; /* the only one, if it is any */
	unsigned int sinks;
};

static struct sounds *sounds_of(const struct stream *stream)
{
	return stream->device->bus->context;
}

/* ---- Formats ------------------------------------------------------------ */

struct encoding {
	uint8_t sndif;
	enum sound_encoding encoding;
	uint32_t bits;
};

/* Those that WAV files have as they are. */
static const struct encoding encodings[] = {
	{ XENSND_PCM_FORMAT_U8, SOUND_PCM, 8 },
	{ XENSND_PCM_FORMAT_S16_LE, SOUND_PCM, 16 },
	{ XENSND_PCM_FORMAT_S32_LE, SOUND_PCM, 32 },
	{ XENSND_PCM_FORMAT_F32_LE, SOUND_FLOAT, 32 },
	{ XENSND_PCM_FORMAT_F64_LE, SOUND_FLOAT, 64 },
	{ XENSND_PCM_FORMAT_A_LAW, SOUND_A_LAW, 8 },
	{ XENSND_PCM_FORMAT_MU_LAW, SOUND_MU_LAW, 8 },
};
#define ENCODINGS (sizeof(encodings) / sizeof(encodings[0]))

static bool can_be_captured(const struct sounds *sounds,
			    const struct encoding *encoding)
{
	const struct sound_format *only = &sounds->source_format;

	if (!only->channels)
		return encoding->encoding == SOUND_PCM ||
		       encoding->encoding == SOUND_FLOAT;
	return encoding->encoding == only->encoding &&
	       encoding->bits == only->bits;
}

static uint64_t formats_of(const struct stream *stream)
{
	uint64_t formats = 0;

	for (size_t i = 0; i < ENCODINGS; i++)
		if (!stream->capture ||
		    can_be_captured(sounds_of(stream), &encodings[i]))
			formats |= (uint64_t)1 << encodings[i].sndif;
	return formats;
}

static bool get_format(const struct xensnd_open_req *request,
		       struct sound_format *format)
{
	for (size_t i = 0; i < ENCODINGS; i++)
		if (encodings[i].sndif == request->pcm_format) {
			*format = (struct sound_format){
				.encoding = encodings[i].encoding,
				.bits = encodings[i].bits,
				.channels = request->pcm_channels,
				.rate = request->pcm_rate,
			};
			return format->channels &&
			       format->channels <= SOUND_CHANNELS_MAX &&
			       format->rate >= SOUND_RATE_MIN &&
			       format->rate <= SOUND_RATE_MAX;
		}
	return false;
}

static bool overlaps(uint32_t min, uint32_t max, uint32_t least, uint32_t most)
{
	return min <= max && min <= most && max >= least;
}

/*
 * Whether there is something that both ends can: -EINVAL if not. Only the formats are
 * narrowed down to that. Linux's driver notices nothing else that was, and then believes
 * in buffers that are too large; it asks again when it has chosen.
 */
static int query(const struct stream *stream,
		 struct xensnd_query_hw_param *param)
{
	const struct sound_format *only = &sounds_of(stream)->source_format;
	uint32_t channels_min = 1, channels_max = SOUND_CHANNELS_MAX;
	uint32_t rate_min = SOUND_RATE_MIN, rate_max = SOUND_RATE_MAX;

	if (stream->capture && only->channels) {
		channels_min = channels_max = only->channels;
		rate_min = rate_max = only->rate;
	}
	param->formats &= formats_of(stream);
	if (!param->formats ||
	    !overlaps(param->rates.min, param->rates.max, rate_min, rate_max) ||
	    !overlaps(param->channels.min, param->channels.max, channels_min,
		      channels_max) ||
	    !overlaps(param->buffer.min, param->buffer.max, 1, BUFFER_MAX) ||
	    !overlaps(param->period.min, param->period.max, 1, BUFFER_MAX))
		return -EINVAL;
	return 0;
}

/* ---- Opening and closing ------------------------------------------------ */

static int open_source(struct stream *stream)
{
	struct failure failure;

	if (!stream->capture)
		return 0;
	stream->pcm.source = sound_source_open(sounds_of(stream)->source,
					       &stream->pcm.format, &failure);
	if (stream->pcm.source)
		return 0;
	bus_note(stream->device, "stream %s: %s", stream->name, failure.text);
	return -EINVAL;
}

/* Who opens a stream and plays nothing leaves no file. */
static int open_sink(struct stream *stream)
{
	struct sounds *sounds = sounds_of(stream);
	struct pcm *pcm = &stream->pcm;
	const char *spec = sounds->sink;
	struct failure failure;

	if (pcm->sink)
		return 0;
	if (++sounds->sinks > 1)
		spec = pcm->spec = sinks_number_spec(spec, sounds->sinks);
	if (!spec)
		return -ENOMEM;
	pcm->sink = sound_sink_open(spec, &pcm->format, &failure);
	if (pcm->sink)
		return 0;
	peer_fail(stream->device->bus->peer, EX_CANTCREAT, "%s", failure.text);
	return -EIO;
}

static void tell_opened(const struct stream *stream)
{
	char text[64];

	sound_format_text(&stream->pcm.format, text, sizeof(text));
	bus_tell(stream->device,
		 "stream %s: %s, buffer %" PRIu32 ", period %" PRIu32
		 " octets: %s",
		 stream->name, text, stream->pcm.octets, stream->pcm.period,
		 stream->pcm.buffer.note);
}

static int open_stream(struct stream *stream,
		       const struct xensnd_open_req *request)
{
	struct bus_device *device = stream->device;
	struct pcm *pcm = &stream->pcm;
	int error;

	if (stream->is_open)
		return -EBUSY;
	*pcm = (struct pcm){ 0 };
	if (!get_format(request, &pcm->format))
		return -EINVAL;
	pcm->frame = sound_frame_octets(&pcm->format);
	pcm->octets = request->buffer_sz;
	pcm->period = request->period_sz;
	if (pcm->octets < pcm->frame || pcm->octets > BUFFER_MAX ||
	    pcm->period > pcm->octets)
		return -EINVAL;
	error = open_source(stream);
	if (error)
		return error;
	/* Volumes of a playback are told in it, too. */
	error = hdmabuf_gref_map(&device->peer, request->gref_directory,
				 pcm->octets, true, &pcm->buffer);
	if (error) {
		bus_note(device, "stream %s: %s", stream->name,
			 device->peer.error);
		sound_source_close(pcm->source);
		return error;
	}
	stream->is_open = true;
	tell_opened(stream);
	return 0;
}

/* Linux closes also what it has not opened. */
static int close_stream(struct stream *stream)
{
	struct bus_device *device = stream->device;
	struct pcm *pcm = &stream->pcm;
	struct failure failure;

	if (!stream->is_open)
		return 0;
	stream->is_open = false;
	if (hdmabuf_gref_put(&pcm->buffer))
		bus_note(device, "stream %s: %s", stream->name,
			 device->peer.error);
	if (sound_sink_close(pcm->sink, &failure))
		peer_fail(device->bus->peer, EX_IOERR, "%s", failure.text);
	free(pcm->spec);
	sound_source_close(pcm->source);
	bus_tell(device, "stream %s: closed after %" PRIu64 " frames",
		 stream->name, pcm->done / pcm->frame);
	return 0;
}

/* ---- Reading and writing ------------------------------------------------ */

/* What of the buffer a request means; NULL if it is not within it. */
static uint8_t *part_of(const struct pcm *pcm,
			const struct xensnd_rw_req *request)
{
	if (request->offset > pcm->octets ||
	    request->length > pcm->octets - request->offset)
		return NULL;
	return pcm->buffer.address + request->offset;
}

static int write_stream(struct stream *stream,
			const struct xensnd_rw_req *request)
{
	struct pcm *pcm = &stream->pcm;
	const uint8_t *part = part_of(pcm, request);
	struct failure failure;
	int error;

	if (stream->capture || !part)
		return -EINVAL;
	error = open_sink(stream);
	if (error)
		return error;
	if (sound_sink_write(pcm->sink, part, request->length, &failure)) {
		peer_fail(stream->device->bus->peer, EX_IOERR, "%s",
			  failure.text);
		return -EIO;
	}
	pcm->done += request->length;
	return 0;
}

static int read_stream(struct stream *stream,
		       const struct xensnd_rw_req *request)
{
	struct pcm *pcm = &stream->pcm;
	uint8_t *part = part_of(pcm, request);

	if (!stream->capture || !part)
		return -EINVAL;
	sound_source_read(pcm->source, part, request->length);
	pcm->done += request->length;
	return 0;
}

/* ---- Volumes ------------------------------------------------------------ */

/* They are kept and told; what is played stays as the guest wrote it. */
static int volume(struct stream *stream, const struct xensnd_rw_req *request,
		  bool set)
{
	struct pcm *pcm = &stream->pcm;
	size_t octets = pcm->format.channels * sizeof(*pcm->volume);
	uint8_t *part = part_of(pcm, request);

	if (!part || request->length < octets)
		return -EINVAL;
	if (set)
		memcpy(pcm->volume, part, octets);
	else
		memcpy(part, pcm->volume, octets);
	return 0;
}

static int mute(struct stream *stream, const struct xensnd_rw_req *request,
		bool muted)
{
	struct pcm *pcm = &stream->pcm;
	const uint8_t *part = part_of(pcm, request);

	if (!part || request->length < pcm->format.channels)
		return -EINVAL;
	for (uint32_t i = 0; i < pcm->format.channels; i++)
		if (part[i])
			pcm->mute[i] = muted;
	return 0;
}

/* ---- Position ----------------------------------------------------------- */

static uint64_t position_at(const struct pcm *pcm, uint64_t now)
{
	uint64_t passed = now - pcm->started;

	if (!pcm->running)
		return pcm->base;
	return pcm->base + passed / SECOND * pcm->format.rate +
	       passed % SECOND * pcm->format.rate / SECOND;
}

/* When the position will be that; one more, as it is rounded down. */
static uint64_t time_of(const struct pcm *pcm, uint64_t position)
{
	uint64_t frames = position - pcm->base;

	return pcm->started + frames / pcm->format.rate * SECOND +
	       frames % pcm->format.rate * SECOND / pcm->format.rate + 1;
}

static void tell_position(struct stream *stream, uint64_t position)
{
	struct xensnd_cur_pos_evt event = {
		.position = position * stream->pcm.frame,
	};

	stream->pcm.told = position;
	front_ring_tell(&stream->ring, XENSND_EVT_CUR_POS, &event,
			sizeof(event));
}

/*
 * The first position beyond the next period: Linux's driver does not take a period for
 * over when it is, but when the position is greater.
 */
static uint64_t next_told(const struct pcm *pcm)
{
	uint64_t period = pcm->period / pcm->frame;

	period = period ? period : 1;
	return (pcm->told / period + 1) * period + 1;
}

static uint64_t work_stream(struct stream *stream, uint64_t now)
{
	struct pcm *pcm = &stream->pcm;
	uint64_t position = position_at(pcm, now);
	uint64_t due;

	if (!stream->is_open || !pcm->running || !pcm->period)
		return PEER_NEVER;
	if (position >= next_told(pcm))
		tell_position(stream, position);
	due = time_of(pcm, next_told(pcm));
	return due < now + EVENT_INTERVAL ? now + EVENT_INTERVAL : due;
}

/*
 * ALSA begins at the beginning of the buffer each time. Linux's driver adds up what it
 * is told, and forgets nothing between two starts: so it is told that the buffer has
 * been gone through.
 */
static void start(struct stream *stream, uint64_t now)
{
	struct pcm *pcm = &stream->pcm;
	uint64_t frames = pcm->octets / pcm->frame;
	uint64_t behind = pcm->told % frames;

	pcm->base = pcm->told;
	if (behind) {
		pcm->base += frames - behind;
		tell_position(stream, pcm->base);
	}
	pcm->started = now;
	pcm->running = true;
}

static int trigger(struct stream *stream, uint8_t type)
{
	struct pcm *pcm = &stream->pcm;
	uint64_t now = progress_now();

	switch (type) {
	case XENSND_OP_TRIGGER_START:
		start(stream, now);
		return 0;
	case XENSND_OP_TRIGGER_RESUME:
		pcm->started = now;
		pcm->running = true;
		return 0;
	case XENSND_OP_TRIGGER_PAUSE:
	case XENSND_OP_TRIGGER_STOP:
		pcm->base = position_at(pcm, now);
		pcm->running = false;
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- Requests ----------------------------------------------------------- */

static int serve_open(struct stream *stream, const struct xensnd_req *request)
{
	if (!stream->is_open)
		return -EINVAL;
	switch (request->operation) {
	case XENSND_OP_READ:
		return read_stream(stream, &request->op.rw);
	case XENSND_OP_WRITE:
		return write_stream(stream, &request->op.rw);
	case XENSND_OP_SET_VOLUME:
	case XENSND_OP_GET_VOLUME:
		return volume(stream, &request->op.rw,
			      request->operation == XENSND_OP_SET_VOLUME);
	case XENSND_OP_MUTE:
	case XENSND_OP_UNMUTE:
		return mute(stream, &request->op.rw,
			    request->operation == XENSND_OP_MUTE);
	case XENSND_OP_TRIGGER:
		return trigger(stream, request->op.trigger.type);
	default:
		return -EOPNOTSUPP;
	}
}

static int serve_one(struct stream *stream, struct xensnd_req *request)
{
	switch (request->operation) {
	case XENSND_OP_OPEN:
		return open_stream(stream, &request->op.open);
	case XENSND_OP_CLOSE:
		return close_stream(stream);
	case XENSND_OP_HW_PARAM_QUERY:
		return query(stream, &request->op.hw_param);
	default:
		return serve_open(stream, request);
	}
}

static void serve(void *user, const struct front_message *message)
{
	struct stream *stream = user;
	struct xensnd_req request;
	bool queries;
	int status;

	memcpy(&request, message, sizeof(request));
	queries = request.operation == XENSND_OP_HW_PARAM_QUERY;
	status = serve_one(stream, &request);
	if (status && !queries)
		bus_tell(stream->device,
			 "operation %u of stream %s is refused: %s",
			 request.operation, stream->name, strerror(-status));
	front_ring_answer(&stream->ring, message, status, &request.op.hw_param,
			  queries ? sizeof(request.op.hw_param) : 0);
}

/* ---- Connecting --------------------------------------------------------- */

static const struct front_nodes nodes = {
	.ring_ref = XENSND_FIELD_RING_REF,
	.ring_channel = XENSND_FIELD_EVT_CHNL,
	.event_ref = XENSND_FIELD_EVT_RING_REF,
	.event_channel = XENSND_FIELD_EVT_EVT_CHNL,
};

/* Whether there is such a stream, and if there is, it is one more. */
static bool read_stream_nodes(struct bus_device *device, struct card *card,
			      unsigned int pcm, unsigned int number)
{
	struct stream *stream = &card->streams[card->count];
	char below[STREAM_NAME_SIZE + 1], type[8];

	if (card->count == STREAMS_MAX)
		return false;
	snprintf(below, sizeof(below), "%u/%u/", pcm % PCMS_MAX,
		 number % PCM_STREAMS_MAX);
	if (!bus_read(device, below, XENSND_FIELD_TYPE, type, sizeof(type)) ||
	    (strcmp(type, XENSND_STREAM_TYPE_PLAYBACK) &&
	     strcmp(type, XENSND_STREAM_TYPE_CAPTURE)))
		return false;
	snprintf(stream->name, sizeof(stream->name), "%u/%u", pcm % PCMS_MAX,
		 number % PCM_STREAMS_MAX);
	stream->device = device;
	stream->capture = !strcmp(type, XENSND_STREAM_TYPE_CAPTURE);
	card->count++;
	return true;
}

static void read_configuration(struct bus_device *device, struct card *card)
{
	for (unsigned int pcm = 0; pcm < PCMS_MAX; pcm++) {
		unsigned int number = 0;

		while (number < PCM_STREAMS_MAX &&
		       read_stream_nodes(device, card, pcm, number))
			number++;
		if (!number)
			return;
	}
}

static int open_rings(struct bus_device *device, struct card *card)
{
	char below[STREAM_NAME_SIZE + 1];

	for (unsigned int i = 0; i < card->count; i++) {
		snprintf(below, sizeof(below), "%s/", card->streams[i].name);
		if (front_ring_open(&card->streams[i].ring, device, below,
				    &nodes))
			return -1;
	}
	return 0;
}

static void sndif_disconnect(struct bus_device *device)
{
	struct card *card = device->context;

	for (unsigned int i = 0; i < card->count; i++) {
		struct stream *stream = &card->streams[i];

		close_stream(stream);
		if (stream->ring.device)
			front_ring_close(&stream->ring);
	}
	free(card);
	device->context = NULL;
}

static int sndif_connect(struct bus_device *device)
{
	struct card *card = calloc(1, sizeof(*card));

	if (!card)
		return bus_note(device, "out of memory");
	device->context = card;
	read_configuration(device, card);
	if (card->count && !open_rings(device, card)) {
		bus_tell(device, "%u streams", card->count);
		return 0;
	}
	if (!card->count)
		bus_note(device, "has no stream with a type");
	sndif_disconnect(device);
	return -1;
}

static int serve_stream(struct stream *stream)
{
	return front_ring_serve(&stream->ring, serve, stream);
}

static int sndif_event(struct bus_device *device, evtchn_port_t port)
{
	struct card *card = device->context;

	for (unsigned int i = 0; i < card->count; i++)
		if (card->streams[i].ring.ring_port == (int)port)
			return serve_stream(&card->streams[i]);
	return 0;
}

/* ---- The class ---------------------------------------------------------- */

static uint64_t work_device(struct bus_device *device, uint64_t now)
{
	struct card *card = device->context;
	uint64_t wanted = PEER_NEVER;

	for (unsigned int i = 0; i < card->count; i++) {
		struct stream *stream = &card->streams[i];
		uint64_t next;

		if (stream->ring.more && serve_stream(stream)) {
			bus_give_up(device);
			return now;
		}
		next = stream->ring.more ? now : work_stream(stream, now);
		wanted = next < wanted ? next : wanted;
	}
	return wanted;
}

static uint64_t sndif_work(struct bus *bus, uint64_t now)
{
	uint64_t wanted = PEER_NEVER;
	struct bus_device *device;

	TAILQ_FOREACH(device, &bus->devices, entry)
		if (device->state == BUS_CONNECTED) {
			uint64_t next = work_device(device, now);

			wanted = next < wanted ? next : wanted;
		}
	return wanted;
}

static int sndif_open(struct bus *bus)
{
	const struct options *options = bus->peer->options;
	struct sounds *sounds = calloc(1, sizeof(*sounds));
	struct failure failure;

	if (!sounds) {
		peer_fail(bus->peer, EX_UNAVAILABLE, "out of memory");
		return bus->peer->status;
	}
	sounds->sink = options->sink ? options->sink : "null";
	/* Its default is that of pictures. */
	sounds->source = !strcmp(options->source, "pattern") ? "tone" :
							       options->source;
	if (sound_sink_check(sounds->sink, &failure) ||
	    sound_source_check(sounds->source, &sounds->source_format,
			       &failure)) {
		peer_fail(bus->peer, EX_USAGE, "%s", failure.text);
		free(sounds);
		return bus->peer->status;
	}
	bus->context = sounds;
	return 0;
}

static void sndif_close(struct bus *bus)
{
	free(bus->context);
	bus->context = NULL;
}

const struct bus_class sndif_class = {
	.name = XENSND_DRIVER_NAME,
	.protocol = "sndif",
	.versions = "1,2",
	.open = sndif_open,
	.connect = sndif_connect,
	.disconnect = sndif_disconnect,
	.event = sndif_event,
	.work = sndif_work,
	.close = sndif_close,
};
