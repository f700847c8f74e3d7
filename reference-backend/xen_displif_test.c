/* SPDX-License-Identifier: MIT */
/*
 * The whole life of a display, with a frontend that a test plays: what it draws is what
 * is shown, whoever allocates; lies and rubbish cost the frontend its connection at most;
 * and whatever happens in whichever order, nothing is left behind.
 */
#include "reference-backend/edid.h"
#include "reference-backend/xen_io.h"
#include "reference-common/crc32.h"
#include "reference-common/source.h"
#include "tests/fake_xen_front.h"
#include "tests/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH  64u
#define HEIGHT 48u
#define STRIDE (WIDTH * 4)
#define OCTETS (STRIDE * HEIGHT)
#define FOURCC 0x34325258u /* XR24 */

static const struct front_nodes nodes = {
	.ring_ref = XENDISPL_FIELD_REQ_RING_REF,
	.ring_channel = XENDISPL_FIELD_REQ_CHANNEL,
	.event_ref = XENDISPL_FIELD_EVT_RING_REF,
	.event_channel = XENDISPL_FIELD_EVT_CHANNEL,
};

/* Both ends. */
struct scene {
	struct options options;
	struct peer peer;
	struct bus bus;
	int process; /* the backend's */
	struct front front;
	struct fake_ring *ring;
};

static void open_backend(struct scene *scene, const char *sink)
{
	scene->options = (struct options){ .role = HDMABUF_BACKEND,
					   .program = "test",
					   .platform = "xen:",
					   .source = "pattern",
					   .verify = true,
					   .sink = sink,
					   .protocol = PROTOCOL_DISPLIF };
	scene->peer = (struct peer){ .options = &scene->options };
	progress_start(&scene->peer.progress, stderr, 0);
	scene->process = fake_xen_enter(0);
	assert_int_equal(bus_open(&scene->bus, &scene->peer, &displif_class),
			 0);
}

static void open_scene(struct scene *scene, const char *sink,
		       const char *be_alloc)
{
	fake_xen_start();
	fake_xen_create_domain(FRONT_DOMAIN);
	fake_xen_attach_class("vdispl", FRONT_DOMAIN, 0, 0);
	open_backend(scene, sink);
	front_open(&scene->front, &scene->bus, "vdispl", &nodes);
	front_configure(&scene->front, "be-alloc", be_alloc);
	front_configure(&scene->front, "0/resolution", "64x48");
	scene->ring = front_publish(&scene->front, "0/");
}

static void connected(struct scene *scene, const char *sink,
		      const char *be_alloc)
{
	open_scene(scene, sink, be_alloc);
	front_connect(&scene->front);
}

static void close_scene(struct scene *scene)
{
	bus_close(&scene->bus);
	front_close(&scene->front);
	fake_xen_stop();
}

/* ---- What a driver asks ------------------------------------------------- */

static int32_t ask(struct scene *scene, uint8_t operation, const void *payload,
		   size_t octets)
{
	return front_request(&scene->front, scene->ring, operation, payload,
			     octets, NULL);
}

static struct xendispl_dbuf_create_req
dbuf_request(const struct hdmabuf_gref_buffer *buffer, uint64_t cookie)
{
	return (struct xendispl_dbuf_create_req){
		.dbuf_cookie = cookie,
		.width = WIDTH,
		.height = HEIGHT,
		.bpp = 32,
		.buffer_sz = buffer->octets,
		.gref_directory = buffer->directory,
	};
}

static int32_t create(struct scene *scene,
		      const struct hdmabuf_gref_buffer *buffer, uint64_t cookie,
		      uint32_t flags)
{
	struct xendispl_dbuf_create_req request = dbuf_request(buffer, cookie);

	request.flags = flags;
	return ask(scene, XENDISPL_OP_DBUF_CREATE, &request, sizeof(request));
}

static int32_t attach(struct scene *scene, uint64_t dbuf, uint64_t fb)
{
	struct xendispl_fb_attach_req request = {
		.dbuf_cookie = dbuf,
		.fb_cookie = fb,
		.width = WIDTH,
		.height = HEIGHT,
		.pixel_format = FOURCC,
	};

	return ask(scene, XENDISPL_OP_FB_ATTACH, &request, sizeof(request));
}

static int32_t config(struct scene *scene, uint64_t fb)
{
	struct xendispl_set_config_req request = {
		.fb_cookie = fb,
		.width = fb ? WIDTH : 0,
		.height = fb ? HEIGHT : 0,
		.bpp = fb ? 32 : 0,
	};

	return ask(scene, XENDISPL_OP_SET_CONFIG, &request, sizeof(request));
}

static int32_t with_cookie(struct scene *scene, uint8_t operation,
			   uint64_t cookie)
{
	return ask(scene, operation, &cookie, sizeof(cookie));
}

/* The flip, and the event that it is done. */
static void flip(struct scene *scene, uint64_t fb)
{
	struct front_message event;

	assert_int_equal(with_cookie(scene, XENDISPL_OP_PG_FLIP, fb), 0);
	assert_true(front_event(scene->ring, &event));
	assert_int_equal(event.operation, XENDISPL_EVT_PG_FLIP);
	assert_memory_equal(event.payload, &fb, sizeof(fb));
	assert_false(front_event(scene->ring, &event));
}

static void draw(struct hdmabuf_gref_buffer *buffer, uint32_t seed)
{
	uint32_t *pixel = (uint32_t *)buffer->address;

	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		pixel[i] = i * 2654435761u ^ seed;
}

static uint32_t crc_of(uint32_t crc, const struct hdmabuf_gref_buffer *buffer)
{
	struct crc32_table table;

	crc32_table_init(&table);
	return crc32_continue(&table, crc, buffer->address, OCTETS);
}

/* ---- Lives -------------------------------------------------------------- */

/* Two buffers in turn, as a compositor has them. */
static void a_display_lives(struct scene *scene,
			    struct hdmabuf_gref_buffer buffers[2],
			    uint32_t flags)
{
	uint32_t crc = 0;

	for (uint64_t i = 0; i < 2; i++) {
		assert_int_equal(create(scene, &buffers[i], 0x100 + i, flags),
				 0);
		if (flags)
			assert_int_equal(hdmabuf_gref_get(&buffers[i]), 0);
		assert_int_equal(attach(scene, 0x100 + i, 0x200 + i), 0);
	}
	draw(&buffers[0], 1);
	crc = crc_of(crc, &buffers[0]);
	assert_int_equal(config(scene, 0x200), 0);
	for (uint32_t i = 1; i < 9; i++) {
		draw(&buffers[i % 2], i + 1);
		crc = crc_of(crc, &buffers[i % 2]);
		flip(scene, 0x200 + i % 2);
	}
	assert_int_equal(scene->peer.total.frames, 9);
	assert_int_equal(scene->peer.total.crc, crc);
	assert_int_equal(config(scene, 0), 0);
	assert_int_equal(with_cookie(scene, XENDISPL_OP_PG_FLIP, 0x200),
			 -EINVAL);
	assert_int_equal(with_cookie(scene, XENDISPL_OP_FB_DETACH, 0x200), 0);
	assert_int_equal(with_cookie(scene, XENDISPL_OP_FB_DETACH, 0x200),
			 -ENOENT);
	assert_int_equal(with_cookie(scene, XENDISPL_OP_FB_DETACH, 0x201), 0);
}

static void destroy(struct scene *scene, struct hdmabuf_gref_buffer *buffer,
		    uint64_t cookie)
{
	assert_int_equal(with_cookie(scene, XENDISPL_OP_DBUF_DESTROY, cookie),
			 0);
	assert_int_equal(with_cookie(scene, XENDISPL_OP_DBUF_DESTROY, cookie),
			 -ENOENT);
	assert_int_equal(hdmabuf_gref_put(buffer), 0);
}

static void the_frontend_allocates(void **state)
{
	struct hdmabuf_gref_buffer buffers[2];
	struct scene scene;
	size_t mappings;

	(void)state;
	connected(&scene, "null", "0");
	mappings = fake_xen_count().mappings;
	for (int i = 0; i < 2; i++)
		assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS,
						    false, &buffers[i]),
				 0);
	a_display_lives(&scene, buffers, 0);
	destroy(&scene, &buffers[0], 0x100);
	destroy(&scene, &buffers[1], 0x101);
	assert_int_equal(fake_xen_count().mappings, mappings);
	close_scene(&scene);
}

static void the_backend_allocates(void **state)
{
	struct hdmabuf_gref_buffer buffers[2];
	struct scene scene;
	size_t grants;

	(void)state;
	connected(&scene, "null", "1");
	grants = fake_xen_count().grants;
	for (int i = 0; i < 2; i++)
		assert_int_equal(hdmabuf_gref_ask(&scene.front.peer, OCTETS,
						  &buffers[i]),
				 0);
	a_display_lives(&scene, buffers, XENDISPL_DBUF_FLG_REQ_ALLOC);
	/* As Linux does it: first the frontend lets go. */
	assert_int_equal(hdmabuf_gref_put(&buffers[0]), 0);
	assert_int_equal(with_cookie(&scene, XENDISPL_OP_DBUF_DESTROY, 0x100),
			 0);
	destroy(&scene, &buffers[1], 0x101);
	assert_int_equal(fake_xen_count().grants, grants);
	close_scene(&scene);
}

/* Linux does not clear the flags of a request: without be-alloc they are rubbish. */
static void flags_without_agreement_do_not_count(void **state)
{
	struct hdmabuf_gref_buffer buffer;
	struct scene scene;

	(void)state;
	connected(&scene, "null", "0");
	assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS, false,
					    &buffer),
			 0);
	assert_int_equal(create(&scene, &buffer, 5, 0x34324741), 0);
	destroy(&scene, &buffer, 5);
	close_scene(&scene);
}

static void data_may_begin_later(void **state)
{
	struct hdmabuf_gref_buffer buffer;
	struct xendispl_dbuf_create_req request;
	struct scene scene;

	(void)state;
	connected(&scene, "null", "0");
	assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS + 5000,
					    false, &buffer),
			 0);
	request = dbuf_request(&buffer, 5);
	request.data_ofs = OCTETS + 5000;
	assert_int_equal(ask(&scene, XENDISPL_OP_DBUF_CREATE, &request,
			     sizeof(request)),
			 -EINVAL);
	request.data_ofs = 5000;
	assert_int_equal(ask(&scene, XENDISPL_OP_DBUF_CREATE, &request,
			     sizeof(request)),
			 0);
	assert_int_equal(attach(&scene, 5, 6), 0);
	buffer.address += 5000;
	draw(&buffer, 9);
	assert_int_equal(config(&scene, 6), 0);
	assert_int_equal(scene.peer.total.crc, crc_of(0, &buffer));
	buffer.address -= 5000;
	destroy(&scene, &buffer, 5);
	close_scene(&scene);
}

static void a_picture_is_written(void **state)
{
	struct hdmabuf_gref_buffer buffer;
	char path[] = "/tmp/displif-XXXXXX.png", sink[64];
	uint8_t seen[HEIGHT * (WIDTH * 3 + PICTURE_ALIGNMENT)];
	uint32_t *drawn;
	struct scene scene;
	struct source *source;
	struct failure failure;
	int fd = mkstemps(path, 4);

	(void)state;
	close(fd);
	snprintf(sink, sizeof(sink), "png:%s", path);
	connected(&scene, sink, "0");
	assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS, false,
					    &buffer),
			 0);
	draw(&buffer, 1);
	drawn = (uint32_t *)buffer.address;
	assert_int_equal(create(&scene, &buffer, 5, 0), 0);
	assert_int_equal(attach(&scene, 5, 6), 0);
	assert_int_equal(config(&scene, 6), 0);
	front_set_state(&scene.front, BUS_CLOSING);
	front_turn(&scene.front);
	assert_int_equal(scene.peer.status, 0);
	source = source_open(sink, &failure);
	unlink(path);
	if (!source)
		hdmabuf_test_skip("%s", failure.text);
	assert_int_equal(source->format.width, WIDTH);
	assert_int_equal(source->format.height, HEIGHT);
	assert_int_equal(source->format.fourcc, PICTURE_BGR888);
	assert_int_equal(source_read(source, seen, &failure), 1);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
		const uint8_t *at =
			picture_row(&source->format.plane[0], seen, i / WIDTH) +
			i % WIDTH * 3;

		assert_int_equal(at[0] << 16 | at[1] << 8 | at[2],
				 drawn[i] & 0xffffff);
	}
	source_close(source);
	assert_int_equal(hdmabuf_gref_put(&buffer), 0);
	close_scene(&scene);
}

static void edid_is_told(void **state)
{
	struct hdmabuf_gref_buffer buffer;
	struct xendispl_get_edid_req request;
	struct front_message response;
	struct scene scene;
	uint32_t octets;
	uint8_t sum = 0;

	(void)state;
	connected(&scene, "null", "0");
	assert_int_equal(hdmabuf_gref_share(&scene.front.peer,
					    XENDISPL_EDID_MAX_SIZE, true,
					    &buffer),
			 0);
	request.buffer_sz = XENDISPL_EDID_MAX_SIZE;
	request.gref_directory = buffer.directory;
	assert_int_equal(front_request(&scene.front, scene.ring,
				       XENDISPL_OP_GET_EDID, &request,
				       sizeof(request), &response),
			 0);
	memcpy(&octets, response.payload, sizeof(octets));
	assert_int_equal(octets, EDID_OCTETS);
	assert_memory_equal(buffer.address, "\0\xff\xff\xff\xff\xff\xff\0", 8);
	for (uint32_t i = 0; i < octets; i++)
		sum = (uint8_t)(sum + buffer.address[i]);
	assert_int_equal(sum, 0);
	assert_int_equal(buffer.address[56], WIDTH);
	assert_int_equal(buffer.address[59], HEIGHT);
	request.buffer_sz = EDID_OCTETS - 1;
	assert_int_equal(ask(&scene, XENDISPL_OP_GET_EDID, &request,
			     sizeof(request)),
			 -EINVAL);
	assert_int_equal(hdmabuf_gref_put(&buffer), 0);
	close_scene(&scene);
}

static void two_connectors_show_each_their_own(void **state)
{
	struct hdmabuf_gref_buffer buffer;
	struct xendispl_set_config_req request = { .fb_cookie = 6,
						   .width = 32,
						   .height = 48 };
	struct fake_ring *second;
	struct scene scene;
	uint64_t cookie = 6;

	(void)state;
	open_scene(&scene, "null", "0");
	front_configure(&scene.front, "1/resolution", "32x48");
	second = front_publish(&scene.front, "1/");
	front_connect(&scene.front);
	assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS, false,
					    &buffer),
			 0);
	assert_int_equal(create(&scene, &buffer, 5, 0), 0);
	assert_int_equal(attach(&scene, 5, 6), 0);
	assert_int_equal(config(&scene, 6), 0);
	assert_int_equal(front_request(&scene.front, second,
				       XENDISPL_OP_PG_FLIP, &cookie, 8, NULL),
			 -EINVAL);
	assert_int_equal(front_request(&scene.front, second,
				       XENDISPL_OP_SET_CONFIG, &request,
				       sizeof(request), NULL),
			 0);
	request.x = 1;
	assert_int_equal(front_request(&scene.front, second,
				       XENDISPL_OP_SET_CONFIG, &request,
				       sizeof(request), NULL),
			 -EINVAL);
	assert_int_equal(front_request(&scene.front, second,
				       XENDISPL_OP_PG_FLIP, &cookie, 8, NULL),
			 0);
	/* Buffers are the first ring's. */
	assert_int_equal(front_request(&scene.front, second,
				       XENDISPL_OP_DBUF_DESTROY, &cookie, 8,
				       NULL),
			 -EINVAL);
	assert_int_equal(scene.peer.streams, 2);
	destroy(&scene, &buffer, 5);
	close_scene(&scene);
}

/* ---- Refusals ----------------------------------------------------------- */

static void what_cannot_be_is_refused(void **state)
{
	struct hdmabuf_gref_buffer buffer;
	struct xendispl_fb_attach_req attach_request = {
		.dbuf_cookie = 5,
		.fb_cookie = 6,
		.width = WIDTH,
		.height = HEIGHT,
		.pixel_format = FOURCC,
	};
	struct xendispl_dbuf_create_req request;
	struct scene scene;

	(void)state;
	connected(&scene, "null", "0");
	assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS, false,
					    &buffer),
			 0);
	assert_int_equal(ask(&scene, 0x55, NULL, 0), -EOPNOTSUPP);
	assert_int_equal(create(&scene, &buffer, 0, 0), -EINVAL);
	request = dbuf_request(&buffer, 5);
	request.buffer_sz = UINT32_MAX;
	assert_int_equal(ask(&scene, XENDISPL_OP_DBUF_CREATE, &request,
			     sizeof(request)),
			 -ENOSPC);
	request.buffer_sz = OCTETS + 4096;
	assert_int_equal(ask(&scene, XENDISPL_OP_DBUF_CREATE, &request,
			     sizeof(request)),
			 -EINVAL);
	request.buffer_sz = OCTETS;
	request.width = UINT32_MAX;
	assert_int_equal(ask(&scene, XENDISPL_OP_DBUF_CREATE, &request,
			     sizeof(request)),
			 -EINVAL);
	assert_int_equal(create(&scene, &buffer, 5, 0), 0);
	assert_int_equal(create(&scene, &buffer, 5, 0), -EINVAL);
	attach_request.height++;
	assert_int_equal(ask(&scene, XENDISPL_OP_FB_ATTACH, &attach_request,
			     sizeof(attach_request)),
			 -EINVAL);
	attach_request.height--;
	attach_request.pixel_format = 0x36314752; /* RG16 */
	assert_int_equal(ask(&scene, XENDISPL_OP_FB_ATTACH, &attach_request,
			     sizeof(attach_request)),
			 -EINVAL);
	assert_int_equal(attach(&scene, 0, 6), -ENOENT);
	assert_int_equal(attach(&scene, 9, 6), -ENOENT);
	assert_int_equal(attach(&scene, 5, 0), -EINVAL);
	assert_int_equal(attach(&scene, 5, 6), 0);
	assert_int_equal(attach(&scene, 5, 6), -EINVAL);
	assert_int_equal(config(&scene, 7), -ENOENT);
	assert_int_equal(config(&scene, 6), 0);
	/* What it was in goes, and so does it. */
	destroy(&scene, &buffer, 5);
	assert_int_equal(with_cookie(&scene, XENDISPL_OP_PG_FLIP, 6), -ENOENT);
	assert_int_equal(front_back_state(&scene.front), BUS_CONNECTED);
	close_scene(&scene);
}

static void quotas_hold(void **state)
{
	struct hdmabuf_gref_buffer buffer;
	struct scene scene;
	uint64_t i;

	(void)state;
	connected(&scene, "null", "0");
	assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS, false,
					    &buffer),
			 0);
	for (i = 1; i <= 64; i++)
		assert_int_equal(create(&scene, &buffer, i, 0), 0);
	assert_int_equal(create(&scene, &buffer, i, 0), -ENOSPC);
	for (i = 1; i <= 64; i++)
		assert_int_equal(attach(&scene, 1, i), 0);
	assert_int_equal(attach(&scene, 1, i), -ENOSPC);
	/* All of them go with the connection. */
	front_set_state(&scene.front, BUS_CLOSING);
	front_turn(&scene.front);
	assert_int_equal(front_back_state(&scene.front), BUS_INIT_WAIT);
	assert_int_equal(fake_xen_count().mappings, 0);
	assert_int_equal(hdmabuf_gref_put(&buffer), 0);
	close_scene(&scene);
}

/* ---- States ------------------------------------------------------------- */

static void the_module_is_loaded_again(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, "null", "0");
	for (int i = 0; i < 3; i++) {
		front_connect(&scene.front);
		front_set_state(&scene.front, BUS_CLOSING);
		front_turn(&scene.front);
		assert_int_equal(front_back_state(&scene.front), BUS_INIT_WAIT);
		front_set_state(&scene.front, BUS_CLOSED);
		front_forget(&scene.front);
		front_turn(&scene.front);
		assert_int_equal(fake_xen_count().mappings, 0);
		front_set_state(&scene.front, BUS_INITIALISING);
		scene.ring = front_publish(&scene.front, "0/");
	}
	assert_int_equal(scene.peer.sessions, 3);
	close_scene(&scene);
}

/* A guest that crashed: its new kernel begins without having closed. */
static void the_frontend_begins_anew(void **state)
{
	struct scene scene;

	(void)state;
	connected(&scene, "null", "0");
	front_set_state(&scene.front, BUS_INITIALISING);
	front_turn(&scene.front);
	assert_int_equal(front_back_state(&scene.front), BUS_INIT_WAIT);
	assert_int_equal(fake_xen_count().mappings, 0);
	/* So fast that nobody saw it but as Initialised. */
	front_forget(&scene.front);
	scene.ring = front_publish(&scene.front, "0/");
	front_connect(&scene.front);
	front_forget(&scene.front);
	scene.ring = front_publish(&scene.front, "0/");
	front_set_state(&scene.front, BUS_INITIALISED);
	front_turn(&scene.front);
	assert_int_equal(front_back_state(&scene.front), BUS_CONNECTED);
	assert_int_equal(ask(&scene, 0x55, NULL, 0), -EOPNOTSUPP);
	assert_int_equal(scene.peer.sessions, 3);
	close_scene(&scene);
}

/* Linux is Reconfiguring as long as a program has the card open. */
static void a_new_backend_waits_for_reconfiguring(void **state)
{
	struct hdmabuf_gref_buffer buffer;
	struct scene scene;

	(void)state;
	connected(&scene, "null", "1");
	assert_int_equal(hdmabuf_gref_ask(&scene.front.peer, OCTETS, &buffer),
			 0);
	assert_int_equal(
		create(&scene, &buffer, 5, XENDISPL_DBUF_FLG_REQ_ALLOC), 0);
	assert_int_equal(hdmabuf_gref_get(&buffer), 0);
	fake_xen_kill(scene.process);
	bus_close(&scene.bus);
	assert_int_equal(front_back_state(&scene.front), BUS_CONNECTED);

	open_backend(&scene, "null");
	front_turn(&scene.front);
	assert_int_equal(front_back_state(&scene.front), BUS_INITIALISING);
	front_set_state(&scene.front, BUS_RECONFIGURING);
	front_forget(&scene.front);
	front_turn(&scene.front);
	assert_int_equal(front_back_state(&scene.front), BUS_INITIALISING);
	assert_int_equal(hdmabuf_gref_put(&buffer), 0);
	front_set_state(&scene.front, BUS_INITIALISING);
	scene.ring = front_publish(&scene.front, "0/");
	front_connect(&scene.front);
	assert_int_equal(ask(&scene, 0x55, NULL, 0), -EOPNOTSUPP);
	close_scene(&scene);
}

static void a_backend_that_ends_says_so(void **state)
{
	struct scene scene;

	(void)state;
	connected(&scene, "null", "0");
	bus_close(&scene.bus);
	assert_int_equal(front_back_state(&scene.front), BUS_CLOSED);
	front_set_state(&scene.front, BUS_RECONFIGURING);
	front_forget(&scene.front);
	open_backend(&scene, "null");
	front_turn(&scene.front);
	assert_int_equal(front_back_state(&scene.front), BUS_INITIALISING);
	front_set_state(&scene.front, BUS_INITIALISING);
	scene.ring = front_publish(&scene.front, "0/");
	front_connect(&scene.front);
	close_scene(&scene);
}

static void the_toolstack_takes_it_away(void **state)
{
	struct scene scene;

	(void)state;
	connected(&scene, "null", "0");
	fake_xen_write("0", "/local/domain/0/backend/vdispl/7/0/online");
	fake_xen_write("5", "/local/domain/0/backend/vdispl/7/0/state");
	front_turn(&scene.front);
	assert_int_equal(front_back_state(&scene.front), BUS_CLOSED);
	assert_int_equal(fake_xen_count().mappings, 0);
	fake_xen_remove("/local/domain/0/backend/vdispl/7/0");
	front_turn(&scene.front);
	assert_int_equal(scene.bus.count, 0);
	close_scene(&scene);
}

static void the_guest_is_destroyed(void **state)
{
	struct scene scene;

	(void)state;
	connected(&scene, "null", "0");
	fake_xen_destroy_domain(FRONT_DOMAIN);
	fake_xen_remove("/local/domain/0/backend/vdispl/7");
	bus_dispatch(&scene.bus);
	assert_int_equal(scene.bus.count, 0);
	assert_int_equal(fake_xen_count().mappings, 0);
	close_scene(&scene);
}

static void what_is_published_wrongly_is_refused(void **state)
{
	static const char *const values[] = { "", "0", "99999", "-1", "x1" };
	struct scene scene;

	(void)state;
	open_scene(&scene, "null", "0");
	for (size_t i = 0; i < 5; i++) {
		front_set_state(&scene.front, BUS_INITIALISING);
		front_turn(&scene.front);
		assert_int_equal(front_back_state(&scene.front), BUS_INIT_WAIT);
		front_configure(&scene.front, "0/evt-ring-ref", values[i]);
		front_set_state(&scene.front, BUS_INITIALISED);
		front_turn(&scene.front);
		assert_int_equal(front_back_state(&scene.front), BUS_CLOSED);
		assert_int_equal(fake_xen_count().mappings, 0);
	}
	front_set_state(&scene.front, BUS_INITIALISING);
	front_forget(&scene.front);
	scene.ring = front_publish(&scene.front, "0/");
	front_connect(&scene.front);
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

static void broken_indices_end_the_connection(void **state)
{
	struct scene scene;
	uint32_t *words;

	(void)state;
	connected(&scene, "null", "0");
	words = (uint32_t *)scene.ring->ring_page;
	words[0] = 33;
	xenevtchn_notify(scene.front.channels,
			 (evtchn_port_t)scene.ring->ports[0]);
	bus_dispatch(&scene.bus);
	assert_int_equal(front_back_state(&scene.front), BUS_CLOSED);
	assert_int_equal(fake_xen_count().mappings, 0);
	front_turn(&scene.front);
	assert_int_equal(front_back_state(&scene.front), BUS_INITIALISING);
	close_scene(&scene);
}

/* One that writes requests as fast as they are taken gets its share and no more. */
static void a_flood_is_bounded(void **state)
{
	struct scene scene;
	uint32_t *words, before;

	(void)state;
	connected(&scene, "null", "0");
	words = (uint32_t *)scene.ring->ring_page;
	words[0] = 32;
	xenevtchn_notify(scene.front.channels,
			 (evtchn_port_t)scene.ring->ports[0]);
	before = words[2];
	bus_dispatch(&scene.bus);
	assert_in_range(words[2] - before, 1, 128);
	assert_int_equal(front_back_state(&scene.front), BUS_CONNECTED);
	close_scene(&scene);
}

/* Some of what is drawn is nearly right, so that it gets further. */
static void fuzz_message(struct front_message *message, uint64_t *seed,
			 const struct hdmabuf_gref_buffer *buffer)
{
	struct xendispl_dbuf_create_req create_request =
		dbuf_request(buffer, draw_number(seed) % 4);
	uint32_t *words = (uint32_t *)message;

	for (int i = 0; i < 16; i++)
		words[i] = draw_number(seed) % 3 ? draw_number(seed) % 8 :
						   draw_number(seed);
	message->operation = (uint8_t)(0x10 + draw_number(seed) % 8);
	if (message->operation == XENDISPL_OP_DBUF_CREATE &&
	    draw_number(seed) % 4)
		memcpy(message->payload, &create_request,
		       sizeof(create_request));
	if (message->operation == XENDISPL_OP_FB_ATTACH &&
	    draw_number(seed) % 4) {
		struct xendispl_fb_attach_req attach_request = {
			.dbuf_cookie = draw_number(seed) % 4,
			.fb_cookie = draw_number(seed) % 4,
			.width = draw_number(seed) % (2 * WIDTH),
			.height = draw_number(seed) % (2 * HEIGHT),
			.pixel_format = FOURCC,
		};

		memcpy(message->payload, &attach_request,
		       sizeof(attach_request));
	}
}

static void fuzz_directory(struct hdmabuf_gref_buffer *buffer, uint64_t *seed)
{
	uint32_t *words =
		(uint32_t *)(buffer->address +
			     (size_t)buffer->pages * HDMABUF_GREF_PAGE);
	uint32_t at = draw_number(seed) % (buffer->pages + 1);
	uint32_t kept = words[at];

	words[at] = draw_number(seed) % 2 ? draw_number(seed) % 40 : kept;
	if (!(draw_number(seed) % 4))
		words[at] = kept;
}

static void fuzz_round(struct scene *scene, uint64_t *seed,
		       struct hdmabuf_gref_buffer *buffer)
{
	struct fake_ring *ring = scene->ring;
	uint32_t *words = (uint32_t *)ring->ring_page;
	struct front_message *slots =
		(struct front_message *)(ring->ring_page + 64);
	uint32_t count = draw_number(seed) % 4;

	for (uint32_t i = 0; i < count; i++)
		fuzz_message(&slots[(words[0] + i) % 32], seed, buffer);
	words[0] += count;
	if (!(draw_number(seed) % 8))
		words[draw_number(seed) % 4] = draw_number(seed);
	if (!(draw_number(seed) % 4))
		fuzz_directory(buffer, seed);
	xenevtchn_notify(scene->front.channels, (evtchn_port_t)ring->ports[0]);
	bus_dispatch(&scene->bus);
}

static void reconnect(struct scene *scene)
{
	front_forget(&scene->front);
	front_set_state(&scene->front, BUS_INITIALISING);
	front_turn(&scene->front);
	scene->ring = front_publish(&scene->front, "0/");
	front_connect(&scene->front);
}

static void rubbish_is_survived(void **state)
{
	for (uint64_t round = 0; round < 2; round++) {
		struct hdmabuf_gref_buffer buffer;
		uint64_t seed = 11 + round;
		struct scene scene;

		(void)state;
		connected(&scene, "null", round ? "1" : "0");
		scene.options.verify = false;
		assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS,
						    true, &buffer),
				 0);
		for (int i = 0; i < 1500; i++) {
			fuzz_round(&scene, &seed, &buffer);
			if (front_back_state(&scene.front) != BUS_CONNECTED)
				reconnect(&scene);
		}
		assert_in_range(scene.peer.sessions, 10, 1500);
		assert_int_equal(hdmabuf_gref_put(&buffer), 0);
		close_scene(&scene);
	}
}

/* ---- Failures ----------------------------------------------------------- */

/* Every call of the backend once: it ends, refuses, or goes on, and leaks nothing. */
static void each_call_fails_once(void **state)
{
	(void)state;
	for (int call = 0;; call++) {
		struct failing_call plan = { .left = call };
		struct hdmabuf_gref_buffer buffer;
		struct scene scene;

		assert_in_range(call, 0, 300);
		open_scene(&scene, "null", "0");
		assert_int_equal(hdmabuf_gref_share(&scene.front.peer, OCTETS,
						    false, &buffer),
				 0);
		fake_xen_fail(failing_call, &plan);
		front_turn(&scene.front);
		fake_xen_fail(NULL, NULL);
		front_set_state(&scene.front, BUS_INITIALISED);
		fake_xen_fail(failing_call, &plan);
		front_turn(&scene.front);
		fake_xen_fail(NULL, NULL);
		if (front_back_state(&scene.front) == BUS_CONNECTED &&
		    !plan.happened) {
			struct xendispl_dbuf_create_req request =
				dbuf_request(&buffer, 5);

			front_send(&scene.front, scene.ring,
				   XENDISPL_OP_DBUF_CREATE, &request,
				   sizeof(request));
			fake_xen_fail(failing_call, &plan);
			front_turn(&scene.front);
			fake_xen_fail(NULL, NULL);
		}
		bus_close(&scene.bus);
		assert_int_equal(hdmabuf_gref_put(&buffer), 0);
		front_close(&scene.front);
		fake_xen_stop();
		if (!plan.happened)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frontend_allocates),
		cmocka_unit_test(the_backend_allocates),
		cmocka_unit_test(flags_without_agreement_do_not_count),
		cmocka_unit_test(data_may_begin_later),
		cmocka_unit_test(a_picture_is_written),
		cmocka_unit_test(edid_is_told),
		cmocka_unit_test(two_connectors_show_each_their_own),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(quotas_hold),
		cmocka_unit_test(the_module_is_loaded_again),
		cmocka_unit_test(the_frontend_begins_anew),
		cmocka_unit_test(a_new_backend_waits_for_reconfiguring),
		cmocka_unit_test(a_backend_that_ends_says_so),
		cmocka_unit_test(the_toolstack_takes_it_away),
		cmocka_unit_test(the_guest_is_destroyed),
		cmocka_unit_test(what_is_published_wrongly_is_refused),
		cmocka_unit_test(broken_indices_end_the_connection),
		cmocka_unit_test(a_flood_is_bounded),
		cmocka_unit_test(rubbish_is_survived),
		cmocka_unit_test(each_call_fails_once),
	};

	return hdmabuf_test_run("xen_displif", tests,
				sizeof(tests) / sizeof(tests[0]));
}
