/* SPDX-License-Identifier: MIT */
/*
 * The whole life of a sound card, with a frontend that a test plays: what it writes is what
 * the file has, what it reads is what the source has, and its position goes on as a card's
 * does; lies and rubbish cost it its connection at most, and nothing is left behind.
 */
#include "reference-backend/xen_io.h"
#include "reference-common/sound.h"
#include "tests/fake_xen_front.h"
#include "tests/harness.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* Two channels of 16 bits, a hundred frames a period, ten milliseconds each. */
#define RATE   10000u
#define FRAME  4u
#define PERIOD (100u * FRAME)
#define BUFFER (10u * PERIOD)

static const struct front_nodes nodes = {
	.ring_ref = XENSND_FIELD_RING_REF,
	.ring_channel = XENSND_FIELD_EVT_CHNL,
	.event_ref = XENSND_FIELD_EVT_RING_REF,
	.event_channel = XENSND_FIELD_EVT_EVT_CHNL,
};

struct scene {
	struct options options;
	struct peer peer;
	struct bus bus;
	struct front front;
	struct fake_ring *play;
	struct fake_ring *record;
	struct hdmabuf_gref_buffer buffer;
};

/* A card that is there, and a bus for it that is not open yet. */
static void start_scene(struct scene *scene, const char *sink,
			const char *source)
{
	fake_xen_start();
	fake_xen_create_domain(FRONT_DOMAIN);
	fake_xen_attach_class("vsnd", FRONT_DOMAIN, 0, 0);
	scene->options = (struct options){ .role = HDMABUF_BACKEND,
					   .program = "test",
					   .platform = "xen:",
					   .sink = sink,
					   .source = source,
					   .protocol = PROTOCOL_SNDIF };
	scene->peer = (struct peer){ .options = &scene->options };
	progress_start(&scene->peer.progress, stderr, 0);
	fake_xen_enter(0);
}

/* All is published, and nothing said yet. */
static void publish_scene(struct scene *scene, const char *sink,
			  const char *source)
{
	start_scene(scene, sink, source);
	assert_int_equal(bus_open(&scene->bus, &scene->peer, &sndif_class), 0);
	front_open(&scene->front, &scene->bus, "vsnd", &nodes);
	front_configure(&scene->front, "0/0/type", "p");
	front_configure(&scene->front, "0/1/type", "c");
	scene->play = front_publish(&scene->front, "0/0/");
	scene->record = front_publish(&scene->front, "0/1/");
	assert_int_equal(hdmabuf_gref_share(&scene->front.peer, BUFFER, true,
					    &scene->buffer),
			 0);
}

static void open_scene(struct scene *scene, const char *sink,
		       const char *source)
{
	publish_scene(scene, sink, source);
	front_connect(&scene->front);
}

static void free_scene(struct scene *scene)
{
	bus_close(&scene->bus);
	assert_int_equal(fake_xen_count().mappings, 0);
	assert_int_equal(hdmabuf_gref_put(&scene->buffer), 0);
	front_close(&scene->front);
	fake_xen_stop();
}

static void close_scene(struct scene *scene)
{
	assert_int_equal(scene->peer.status, 0);
	free_scene(scene);
}

/* ---- What a driver asks ------------------------------------------------- */

static struct xensnd_open_req open_request(const struct scene *scene)
{
	return (struct xensnd_open_req){
		.pcm_rate = RATE,
		.pcm_format = XENSND_PCM_FORMAT_S16_LE,
		.pcm_channels = 2,
		.buffer_sz = BUFFER,
		.period_sz = PERIOD,
		.gref_directory = scene->buffer.directory,
	};
}

static int32_t ask(struct scene *scene, struct fake_ring *ring,
		   uint8_t operation, const void *payload, size_t octets)
{
	return front_request(&scene->front, ring, operation, payload, octets,
			     NULL);
}

static int32_t open_stream(struct scene *scene, struct fake_ring *ring)
{
	struct xensnd_open_req request = open_request(scene);

	return ask(scene, ring, XENSND_OP_OPEN, &request, sizeof(request));
}

static int32_t rw(struct scene *scene, struct fake_ring *ring,
		  uint8_t operation, uint32_t offset, uint32_t length)
{
	struct xensnd_rw_req request = { .offset = offset, .length = length };

	return ask(scene, ring, operation, &request, sizeof(request));
}

static int32_t trigger(struct scene *scene, struct fake_ring *ring,
		       uint8_t type)
{
	struct xensnd_trigger_req request = { .type = type };

	return ask(scene, ring, XENSND_OP_TRIGGER, &request, sizeof(request));
}

static int32_t query(struct scene *scene, struct fake_ring *ring,
		     uint64_t formats, uint32_t rate, uint32_t channels)
{
	struct xensnd_query_hw_param param = {
		.formats = formats,
		.rates = { rate, rate },
		.channels = { channels, channels },
		.buffer = { 1, 1 << 20 },
		.period = { 1, 1 << 20 },
	};

	return ask(scene, ring, XENSND_OP_HW_PARAM_QUERY, &param,
		   sizeof(param));
}

static void sleep_ms(long milliseconds)
{
	struct timespec time = { .tv_nsec = milliseconds * 1000000 };

	nanosleep(&time, NULL);
}

/* The position in octets, after waiting for the event as long as it takes. */
static uint64_t next_position(struct scene *scene, struct fake_ring *ring)
{
	struct front_message event;
	uint64_t position;

	for (int i = 0; !front_event(ring, &event); i++) {
		assert_in_range(i, 0, 5000);
		sleep_ms(1);
		bus_dispatch(&scene->bus);
	}
	assert_int_equal(event.operation, XENSND_EVT_CUR_POS);
	memcpy(&position, event.payload, sizeof(position));
	return position;
}

/* ---- Lives -------------------------------------------------------------- */

struct file {
	char path[40];
	char spec[48];
};

static void make_file(struct file *file)
{
	int fd;

	snprintf(file->path, sizeof(file->path), "/tmp/sndif-XXXXXX.wav");
	fd = mkstemps(file->path, 4);
	close(fd);
	snprintf(file->spec, sizeof(file->spec), "wav:%s", file->path);
}

static void expect_wav(const char *spec, const uint8_t *octets, size_t count)
{
	const struct sound_format format = { SOUND_PCM, 16, 2, RATE };
	uint8_t *seen = malloc(count + 1);
	struct failure failure;
	struct sound_source *source =
		sound_source_open(spec, &format, &failure);

	if (!source)
		fail_msg("%s", failure.text);
	assert_int_equal(sound_source_read(source, seen, count + 1), count);
	assert_memory_equal(seen, octets, count);
	sound_source_close(source);
	free(seen);
}

/* The buffer is gone through two and a half times. */
static void what_is_played_is_in_the_file(void **state)
{
	uint8_t played[25 * PERIOD];
	struct scene scene;
	struct file file;

	(void)state;
	make_file(&file);
	open_scene(&scene, file.spec, "tone");
	assert_int_equal(open_stream(&scene, scene.play), 0);
	for (uint32_t i = 0; i < sizeof(played); i++)
		played[i] = (uint8_t)(i * 11 + i / 256);
	for (uint32_t at = 0; at < sizeof(played); at += PERIOD) {
		uint32_t offset = at % BUFFER;

		memcpy(scene.buffer.address + offset, played + at, PERIOD);
		assert_int_equal(rw(&scene, scene.play, XENSND_OP_WRITE, offset,
				    PERIOD),
				 0);
	}
	assert_int_equal(ask(&scene, scene.play, XENSND_OP_CLOSE, NULL, 0), 0);
	expect_wav(file.spec, played, sizeof(played));
	/* Once more, into another file; and opened only, into none. */
	assert_int_equal(open_stream(&scene, scene.play), 0);
	assert_int_equal(ask(&scene, scene.play, XENSND_OP_CLOSE, NULL, 0), 0);
	assert_int_equal(open_stream(&scene, scene.play), 0);
	memcpy(scene.buffer.address, played, PERIOD);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_WRITE, 0, PERIOD), 0);
	close_scene(&scene);
	snprintf(file.spec + strlen(file.spec) - 4, 8, "-2.wav");
	expect_wav(file.spec, played, PERIOD);
	unlink(file.spec + 4);
	unlink(file.path);
}

static void what_is_recorded_is_the_source(void **state)
{
	const struct sound_format format = { SOUND_PCM, 16, 2, RATE };
	struct xensnd_query_hw_param param = { .formats = UINT64_MAX };
	struct front_message response;
	uint8_t octets[2 * PERIOD];
	struct failure failure;
	struct sound_sink *sink;
	struct scene scene;
	struct file file;

	(void)state;
	make_file(&file);
	for (uint32_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 13 + 1);
	sink = sound_sink_open(file.spec, &format, &failure);
	assert_int_equal(
		sound_sink_write(sink, octets, sizeof(octets), &failure), 0);
	assert_int_equal(sound_sink_close(sink, &failure), 0);
	open_scene(&scene, NULL, file.spec);
	/* Only what the file has is offered. */
	param.rates.max = param.channels.max = param.buffer.max =
		param.period.max = INT32_MAX;
	assert_int_equal(front_request(&scene.front, scene.record,
				       XENSND_OP_HW_PARAM_QUERY, &param,
				       sizeof(param), &response),
			 0);
	memcpy(&param, response.payload, sizeof(param));
	assert_int_equal(param.formats, 1u << XENSND_PCM_FORMAT_S16_LE);
	assert_int_equal(query(&scene, scene.record, UINT64_MAX, RATE, 2), 0);
	assert_int_equal(query(&scene, scene.record, UINT64_MAX, RATE, 1),
			 -EINVAL);
	assert_int_equal(query(&scene, scene.record, UINT64_MAX, RATE + 1, 2),
			 -EINVAL);
	assert_int_equal(open_stream(&scene, scene.record), 0);
	assert_int_equal(rw(&scene, scene.record, XENSND_OP_READ, PERIOD,
			    3 * PERIOD),
			 0);
	assert_memory_equal(scene.buffer.address + PERIOD, octets,
			    sizeof(octets));
	/* And then silence. */
	for (uint32_t i = 0; i < PERIOD; i++)
		assert_int_equal(scene.buffer.address[3 * PERIOD + i], 0);
	assert_int_equal(rw(&scene, scene.record, XENSND_OP_WRITE, 0, PERIOD),
			 -EINVAL);
	assert_int_equal(ask(&scene, scene.record, XENSND_OP_CLOSE, NULL, 0),
			 0);
	close_scene(&scene);
	unlink(file.path);
}

/* As Linux's driver needs it: each time more than a period, and never back. */
static void the_position_goes_on(void **state)
{
	struct scene scene;
	struct front_message event;
	uint64_t last = 0, position;

	(void)state;
	open_scene(&scene, "null", "tone");
	assert_int_equal(open_stream(&scene, scene.play), 0);
	front_turn(&scene.front);
	assert_false(front_event(scene.play, &event));
	assert_int_equal(trigger(&scene, scene.play, XENSND_OP_TRIGGER_START),
			 0);
	for (uint32_t i = 1; i <= 6; i++) {
		position = next_position(&scene, scene.play);
		assert_int_equal(position % FRAME, 0);
		assert_true(position > last);
		assert_true(position > i * PERIOD);
		last = position;
	}
	assert_int_equal(trigger(&scene, scene.play, XENSND_OP_TRIGGER_STOP),
			 0);
	while (front_event(scene.play, &event))
		memcpy(&last, event.payload, sizeof(last));
	sleep_ms(30);
	front_turn(&scene.front);
	assert_false(front_event(scene.play, &event));
	/* From the beginning of the buffer, after one was gone through. */
	assert_int_equal(trigger(&scene, scene.play, XENSND_OP_TRIGGER_START),
			 0);
	position = next_position(&scene, scene.play);
	assert_int_equal(position % BUFFER, 0);
	assert_true(position > last);
	assert_true(next_position(&scene, scene.play) > position + PERIOD);
	assert_int_equal(trigger(&scene, scene.play, XENSND_OP_TRIGGER_PAUSE),
			 0);
	assert_int_equal(trigger(&scene, scene.play, XENSND_OP_TRIGGER_RESUME),
			 0);
	next_position(&scene, scene.play);
	assert_int_equal(trigger(&scene, scene.play, 9), -EINVAL);
	close_scene(&scene);
}

static void no_period_no_events(void **state)
{
	struct xensnd_open_req request;
	struct front_message event;
	struct scene scene;

	(void)state;
	open_scene(&scene, "null", "tone");
	request = open_request(&scene);
	request.period_sz = 0;
	assert_int_equal(ask(&scene, scene.play, XENSND_OP_OPEN, &request,
			     sizeof(request)),
			 0);
	assert_int_equal(trigger(&scene, scene.play, XENSND_OP_TRIGGER_START),
			 0);
	sleep_ms(50);
	front_turn(&scene.front);
	assert_false(front_event(scene.play, &event));
	close_scene(&scene);
}

/* The events of one stream go beyond the slots, and past 2^16 ids they begin anew. */
static void events_go_round(void **state)
{
	struct xensnd_open_req request;
	struct scene scene;

	(void)state;
	open_scene(&scene, "null", "tone");
	request = open_request(&scene);
	request.period_sz = FRAME;
	assert_int_equal(ask(&scene, scene.play, XENSND_OP_OPEN, &request,
			     sizeof(request)),
			 0);
	assert_int_equal(trigger(&scene, scene.play, XENSND_OP_TRIGGER_START),
			 0);
	for (int i = 0; i < 200; i++)
		next_position(&scene, scene.play);
	close_scene(&scene);
}

static void volumes_are_kept(void **state)
{
	const int32_t volumes[] = { -6000, 12 };
	struct scene scene;

	(void)state;
	open_scene(&scene, "null", "tone");
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_GET_VOLUME, 0, 8),
			 -EINVAL);
	assert_int_equal(open_stream(&scene, scene.play), 0);
	memcpy(scene.buffer.address + 16, volumes, 8);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_SET_VOLUME, 16, 8),
			 0);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_GET_VOLUME, 64, 8),
			 0);
	assert_memory_equal(scene.buffer.address + 64, volumes, 8);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_GET_VOLUME, 0, 7),
			 -EINVAL);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_MUTE, 0, 2), 0);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_UNMUTE, 0, 2), 0);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_MUTE, 0, 1), -EINVAL);
	close_scene(&scene);
}

/* ---- Refusals ----------------------------------------------------------- */

static void what_cannot_be_is_refused(void **state)
{
	struct xensnd_open_req request;
	struct scene scene;

	(void)state;
	open_scene(&scene, "null", "tone");
	assert_int_equal(query(&scene, scene.play, 1 << XENSND_PCM_FORMAT_U8,
			       8000, 1),
			 0);
	assert_int_equal(query(&scene, scene.play, 1 << XENSND_PCM_FORMAT_S8,
			       8000, 1),
			 -EINVAL);
	assert_int_equal(query(&scene, scene.play, UINT64_MAX, 1000, 1),
			 -EINVAL);
	assert_int_equal(query(&scene, scene.play, UINT64_MAX, 8000, 9),
			 -EINVAL);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_WRITE, 0, 4),
			 -EINVAL);
	assert_int_equal(trigger(&scene, scene.play, XENSND_OP_TRIGGER_START),
			 -EINVAL);
	assert_int_equal(ask(&scene, scene.play, 77, NULL, 0), -EINVAL);
	/* As Linux does when it was never prepared. */
	assert_int_equal(ask(&scene, scene.play, XENSND_OP_CLOSE, NULL, 0), 0);
	request = open_request(&scene);
#define REFUSED(field, value) \
	do { \
		struct xensnd_open_req wrong = request; \
\
		wrong.field = value; \
		assert_int_equal(ask(&scene, scene.play, XENSND_OP_OPEN, \
				     &wrong, sizeof(wrong)), \
				 -EINVAL); \
	} while (0)
	REFUSED(pcm_format, XENSND_PCM_FORMAT_GSM);
	REFUSED(pcm_format, 255);
	REFUSED(pcm_channels, 0);
	REFUSED(pcm_channels, 9);
	REFUSED(pcm_rate, 0);
	REFUSED(pcm_rate, UINT32_MAX);
	REFUSED(buffer_sz, 0);
	REFUSED(buffer_sz, UINT32_MAX);
	REFUSED(buffer_sz, BUFFER + 4096);
	REFUSED(period_sz, BUFFER + 1);
	REFUSED(gref_directory, 0);
	REFUSED(gref_directory, 9999);
	assert_int_equal(open_stream(&scene, scene.play), 0);
	assert_int_equal(open_stream(&scene, scene.play), -EBUSY);
	assert_int_equal(ask(&scene, scene.play, 77, NULL, 0), -EOPNOTSUPP);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_READ, 0, 4), -EINVAL);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_WRITE, BUFFER, 1),
			 -EINVAL);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_WRITE, 4, UINT32_MAX),
			 -EINVAL);
	assert_int_equal(rw(&scene, scene.play, XENSND_OP_WRITE, BUFFER, 0), 0);
	close_scene(&scene);
}

/* ---- States ------------------------------------------------------------- */

/* Whatever is open, closes with the connection. */
static void the_module_is_loaded_again(void **state)
{
	struct scene scene;
	size_t mappings;

	(void)state;
	open_scene(&scene, "null", "tone");
	mappings = fake_xen_count().mappings;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(open_stream(&scene, scene.play), 0);
		assert_int_equal(open_stream(&scene, scene.record), 0);
		assert_int_equal(trigger(&scene, scene.play,
					 XENSND_OP_TRIGGER_START),
				 0);
		assert_true(fake_xen_count().mappings > mappings);
		front_set_state(&scene.front, BUS_CLOSING);
		front_turn(&scene.front);
		assert_int_equal(front_back_state(&scene.front), BUS_INIT_WAIT);
		assert_int_equal(fake_xen_count().mappings, 0);
		front_set_state(&scene.front, BUS_CLOSED);
		front_forget(&scene.front);
		front_set_state(&scene.front, BUS_INITIALISING);
		scene.play = front_publish(&scene.front, "0/0/");
		scene.record = front_publish(&scene.front, "0/1/");
		front_connect(&scene.front);
	}
	close_scene(&scene);
}

/* ---- A hostile frontend ------------------------------------------------- */

static uint32_t draw_number(uint64_t *seed)
{
	uint64_t number = *seed += 0x9e3779b97f4a7c15;

	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(number ^ number >> 31);
}

/* Some of what is drawn is nearly right, so that it gets further. */
static void fuzz_message(const struct scene *scene,
			 struct front_message *message, uint64_t *seed)
{
	struct xensnd_open_req request = open_request(scene);
	uint32_t *words = (uint32_t *)message;

	for (int i = 0; i < 16; i++)
		words[i] = draw_number(seed) % 3 ?
				   draw_number(seed) % (2 * BUFFER) :
				   draw_number(seed);
	message->operation = (uint8_t)(draw_number(seed) % 11);
	if (message->operation == XENSND_OP_TRIGGER)
		message->payload[0] = draw_number(seed) % 5;
	if (message->operation != XENSND_OP_OPEN || !(draw_number(seed) % 4))
		return;
	request.period_sz = draw_number(seed) % BUFFER;
	request.pcm_channels = (uint8_t)(draw_number(seed) % 9);
	memcpy(message->payload, &request, sizeof(request));
}

static void fuzz_round(struct scene *scene, struct fake_ring *ring,
		       uint64_t *seed)
{
	uint32_t *words = (uint32_t *)ring->ring_page;
	struct front_message *slots =
		(struct front_message *)(ring->ring_page + 64);
	uint32_t count = draw_number(seed) % 4;

	for (uint32_t i = 0; i < count; i++)
		fuzz_message(scene, &slots[(words[0] + i) % 32], seed);
	words[0] += count;
	if (!(draw_number(seed) % 16))
		words[draw_number(seed) % 4] = draw_number(seed);
	xenevtchn_notify(scene->front.channels, (evtchn_port_t)ring->ports[0]);
	bus_dispatch(&scene->bus);
}

static void rubbish_is_survived(void **state)
{
	struct scene scene;
	uint64_t seed = 3;

	(void)state;
	open_scene(&scene, "null", "tone");
	for (int i = 0; i < 3000; i++) {
		fuzz_round(&scene, i % 2 ? scene.play : scene.record, &seed);
		if (front_back_state(&scene.front) == BUS_CONNECTED)
			continue;
		front_forget(&scene.front);
		front_set_state(&scene.front, BUS_INITIALISING);
		front_turn(&scene.front);
		scene.play = front_publish(&scene.front, "0/0/");
		scene.record = front_publish(&scene.front, "0/1/");
		front_connect(&scene.front);
	}
	assert_in_range(scene.peer.sessions, 10, 3000);
	close_scene(&scene);
}

/* ---- Failures ----------------------------------------------------------- */

/* A turn of the backend in which its calls may fail. */
static void failing_turn(struct scene *scene, struct failing_call *plan)
{
	fake_xen_fail(failing_call, plan);
	front_turn(&scene->front);
	fake_xen_fail(NULL, NULL);
}

/* A life of a card, as long as nothing has failed. */
static void try_to_live(struct scene *scene, struct failing_call *plan)
{
	struct xensnd_open_req request = open_request(scene);
	struct xensnd_trigger_req start = { .type = XENSND_OP_TRIGGER_START };

	failing_turn(scene, plan);
	front_set_state(&scene->front, BUS_INITIALISED);
	failing_turn(scene, plan);
	if (plan->happened)
		return;
	assert_int_equal(front_back_state(&scene->front), BUS_CONNECTED);
	front_set_state(&scene->front, BUS_CONNECTED);
	front_send(&scene->front, scene->play, XENSND_OP_OPEN, &request,
		   sizeof(request));
	front_send(&scene->front, scene->record, XENSND_OP_OPEN, &request,
		   sizeof(request));
	failing_turn(scene, plan);
	front_send(&scene->front, scene->play, XENSND_OP_TRIGGER, &start,
		   sizeof(start));
	failing_turn(scene, plan);
	front_send(&scene->front, scene->play, XENSND_OP_CLOSE, NULL, 0);
	failing_turn(scene, plan);
	front_set_state(&scene->front, BUS_CLOSING);
	failing_turn(scene, plan);
}

/* Every call once: it refuses, ends, or goes on, and nothing is left behind. */
static void each_call_fails_once(void **state)
{
	struct failing_call plan;
	int call = 0;

	(void)state;
	do {
		struct scene scene;

		plan = (struct failing_call){ .left = call++ };
		publish_scene(&scene, "null", "tone");
		try_to_live(&scene, &plan);
		free_scene(&scene);
	} while (plan.happened);
	assert_in_range(call, 40, 1000);
}

/* A bus that cannot be opened says so, and leaves nothing. */
static void opening_fails(void **state)
{
	struct failing_call plan;
	int call = 0;

	(void)state;
	do {
		struct scene scene = { 0 };
		int error;

		plan = (struct failing_call){ .left = call++ };
		start_scene(&scene, "null", "tone");
		fake_xen_fail(failing_call, &plan);
		error = bus_open(&scene.bus, &scene.peer, &sndif_class);
		fake_xen_fail(NULL, NULL);
		assert_true(!error || plan.happened);
		assert_int_equal(scene.peer.status, error);
		bus_close(&scene.bus);
		fake_xen_stop();
	} while (plan.happened);
	assert_in_range(call, 5, 100);
}

/* ---- Where it serves ---------------------------------------------------- */

struct address {
	const char *text;
	int status;  /* of opening the bus */
	bool serves; /* the card of this test */
};

static const struct address addresses[] = {
	{ "xen:", 0, true },	       { "xen:7", 0, true },
	{ "xen:7/0", 0, true },	       { "xen:99", 0, false },
	{ "xen:7/1", 0, false },       { "local:1", EX_USAGE, false },
	{ "xen:x", EX_USAGE, false },  { "xen:1x", EX_USAGE, false },
	{ "xen:1/", EX_USAGE, false }, { "xen:1/0x", EX_USAGE, false },
};

/* Of all devices that there are, those of its address. */
static void serves_where_it_is_told_to(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		const struct address *address = &addresses[i];
		struct scene scene = { 0 };

		start_scene(&scene, "null", "tone");
		scene.options.platform = address->text;
		assert_int_equal(bus_open(&scene.bus, &scene.peer,
					  &sndif_class),
				 address->status);
		if (!address->status) {
			bus_dispatch(&scene.bus);
			bus_dispatch(&scene.bus);
			assert_int_equal(scene.bus.count, address->serves);
		}
		bus_close(&scene.bus);
		fake_xen_stop();
	}
}

static void stop_soon(int number)
{
	(void)number;
	raise(SIGTERM);
}

/* The program as it is run, from its beginning to a signal. */
static void runs_until_it_is_told_to_stop(void **state)
{
	const struct itimerval soon = { .it_value.tv_usec = 50000 };
	struct scene scene = { 0 };

	(void)state;
	start_scene(&scene, "null", "tone");
	scene.options.verbose = 1;
	signal(SIGALRM, stop_soon);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(bus_run(&scene.options, &sndif_class), 0);
	scene.options.platform = "xen:x";
	assert_int_equal(bus_run(&scene.options, &sndif_class), EX_USAGE);
	fake_xen_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_played_is_in_the_file),
		cmocka_unit_test(what_is_recorded_is_the_source),
		cmocka_unit_test(the_position_goes_on),
		cmocka_unit_test(no_period_no_events),
		cmocka_unit_test(events_go_round),
		cmocka_unit_test(volumes_are_kept),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(the_module_is_loaded_again),
		cmocka_unit_test(rubbish_is_survived),
		cmocka_unit_test(each_call_fails_once),
		cmocka_unit_test(opening_fails),
		cmocka_unit_test(serves_where_it_is_told_to),
		cmocka_unit_test(runs_until_it_is_told_to_stop),
	};

	return hdmabuf_test_run("xen_sndif", tests,
				sizeof(tests) / sizeof(tests[0]));
}
