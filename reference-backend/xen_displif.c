/* SPDX-License-Identifier: MIT */
/*
 * displif: what guests draw with Linux's xen-drm-front, or another frontend of the
 * class vdispl, is shown where pictures of our own protocol are.
 *
 * A frontend names its display buffers and framebuffers by numbers of its own
 * (cookies); here they are looked for among those of its device. A framebuffer is
 * checked when it is attached, so that a flip has nothing left to check. Each connector
 * has a screen; a frame has been shown when its sink has taken it, and then the
 * frontend is told.
 */

#include "reference-backend/edid.h"
#include "reference-backend/xen_io.h"
#include "reference-backend/xen_ring.h"
#include "reference-common/parse.h"
#include "reference-common/screen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* What a frontend may have at a time. */
#define CONNECTORS_MAX	 8
#define BUFFERS_MAX	 64
#define FRAMEBUFFERS_MAX 64
#define OCTETS_MAX	 (512u << 20)

/* The largest bits-per-pixel that there is a use for. */
#define BPP_MAX 64

/* A display buffer; free if @cookie is 0, which is no cookie. */
struct dbuf {
	uint64_t cookie;
	uint32_t stride;
	uint32_t data_offset;
	struct hdmabuf_gref_buffer buffer;
};

struct framebuffer {
	uint64_t cookie;
	struct dbuf *dbuf;
	struct picture_format format;
};

struct display;

struct connector {
	struct display *display;
	unsigned int number;
	uint32_t width;
	uint32_t height;
	bool on; /* configured */
	uint64_t frames;
	struct front_ring ring;
	struct screen screen;
};

/* What a device has while it is connected. */
struct display {
	struct bus_device *device;
	bool be_alloc;
	uint64_t octets; /* of all buffers */
	unsigned int count;
	struct connector connectors[CONNECTORS_MAX];
	struct dbuf dbufs[BUFFERS_MAX];
	struct framebuffer framebuffers[FRAMEBUFFERS_MAX];
};

static struct sinks *sinks_of(struct display *display)
{
	return display->device->bus->context;
}

/* ---- Display buffers ---------------------------------------------------- */

/* Of cookie 0: a free one. */
static struct dbuf *find_dbuf(struct display *display, uint64_t cookie)
{
	for (int i = 0; i < BUFFERS_MAX; i++)
		if (display->dbufs[i].cookie == cookie)
			return &display->dbufs[i];
	return NULL;
}

static struct framebuffer *find_framebuffer(struct display *display,
					    uint64_t cookie)
{
	for (int i = 0; i < FRAMEBUFFERS_MAX; i++)
		if (display->framebuffers[i].cookie == cookie)
			return &display->framebuffers[i];
	return NULL;
}

/* Whether it says that it is to be allocated here: only where that was agreed. */
static bool wants_allocation(const struct display *display,
			     const struct xendispl_dbuf_create_req *request)
{
	return display->be_alloc &&
	       request->flags & XENDISPL_DBUF_FLG_REQ_ALLOC;
}

static int share(struct display *display,
		 const struct xendispl_dbuf_create_req *request,
		 struct hdmabuf_gref_buffer *buffer)
{
	struct bus_device *device = display->device;
	int error;

	if (!wants_allocation(display, request))
		error = hdmabuf_gref_map(&device->peer, request->gref_directory,
					 request->buffer_sz, false, buffer);
	else if (!device->peer.shares)
		return -EOPNOTSUPP;
	else
		error = hdmabuf_gref_grant(&device->peer,
					   request->gref_directory,
					   request->buffer_sz, buffer);
	if (error)
		bus_note(device, "%s", device->peer.error);
	return error;
}

static int refuse_dbuf(struct display *display,
		       const struct xendispl_dbuf_create_req *request,
		       int error, const char *why)
{
	bus_note(display->device,
		 "display buffer of %" PRIu32 "x%" PRIu32 ", %" PRIu32
		 " bits, %" PRIu32 " octets: %s",
		 request->width, request->height, request->bpp,
		 request->buffer_sz, why);
	return error;
}

static int check_dbuf(struct display *display,
		      const struct xendispl_dbuf_create_req *request)
{
	const char *why = NULL;
	int error = -EINVAL;

	if (!request->dbuf_cookie || find_dbuf(display, request->dbuf_cookie))
		why = "its cookie is 0, or in use";
	else if (!request->width || request->width > PICTURE_SIDE_MAX ||
		 !request->height || request->height > PICTURE_SIDE_MAX ||
		 !request->bpp || request->bpp > BPP_MAX)
		why = "is no picture";
	else if (request->data_ofs >= request->buffer_sz)
		why = "its data begin behind its end";
	else if (display->octets + request->buffer_sz > OCTETS_MAX ||
		 !find_dbuf(display, 0)) {
		why = "the frontend has too many";
		error = -ENOSPC;
	}
	return why ? refuse_dbuf(display, request, error, why) : 0;
}

/*
 * Neither here nor later anything says where the rows are: Linux has them one behind
 * the other.
 */
static uint32_t stride_of(const struct xendispl_dbuf_create_req *request)
{
	return (request->width * request->bpp + 7) / 8;
}

static int dbuf_create(struct display *display,
		       const struct xendispl_dbuf_create_req *request)
{
	struct dbuf *dbuf = find_dbuf(display, 0);
	int error = check_dbuf(display, request);

	if (!error)
		error = share(display, request, &dbuf->buffer);
	if (error)
		return error;
	dbuf->cookie = request->dbuf_cookie;
	dbuf->stride = stride_of(request);
	dbuf->data_offset = request->data_ofs;
	display->octets += request->buffer_sz;
	bus_tell(display->device,
		 "display buffer of %" PRIu32 "x%" PRIu32 ", %" PRIu32
		 " bits: %s",
		 request->width, request->height, request->bpp,
		 dbuf->buffer.note);
	return 0;
}

static void free_dbuf(struct display *display, struct dbuf *dbuf)
{
	for (int i = 0; i < FRAMEBUFFERS_MAX; i++)
		if (display->framebuffers[i].dbuf == dbuf)
			display->framebuffers[i] = (struct framebuffer){ 0 };
	display->octets -= dbuf->buffer.octets;
	if (hdmabuf_gref_put(&dbuf->buffer))
		bus_note(display->device, "%s", display->device->peer.error);
	*dbuf = (struct dbuf){ 0 };
}

static int dbuf_destroy(struct display *display, uint64_t cookie)
{
	struct dbuf *dbuf = cookie ? find_dbuf(display, cookie) : NULL;

	if (!dbuf)
		return -ENOENT;
	bus_tell(display->device,
		 "display buffer of %" PRIu32 " octets is destroyed",
		 dbuf->buffer.octets);
	free_dbuf(display, dbuf);
	return 0;
}

/* ---- Framebuffers ------------------------------------------------------- */

static int fb_attach(struct display *display,
		     const struct xendispl_fb_attach_req *request)
{
	struct framebuffer *framebuffer = find_framebuffer(display, 0);
	struct dbuf *dbuf = request->dbuf_cookie ?
				    find_dbuf(display, request->dbuf_cookie) :
				    NULL;
	struct picture_format format = {
		.width = request->width,
		.height = request->height,
		.fourcc = request->pixel_format,
		.planes = 1,
	};
	struct failure failure;

	if (!dbuf)
		return -ENOENT;
	if (!request->fb_cookie ||
	    find_framebuffer(display, request->fb_cookie))
		return -EINVAL;
	if (!framebuffer)
		return -ENOSPC;
	format.plane[0].stride = dbuf->stride;
	if (picture_format_check(&format,
				 dbuf->buffer.octets - dbuf->data_offset,
				 &failure)) {
		bus_note(display->device, "framebuffer: %s", failure.text);
		return -EINVAL;
	}
	*framebuffer = (struct framebuffer){ .cookie = request->fb_cookie,
					     .dbuf = dbuf,
					     .format = format };
	return 0;
}

static int fb_detach(struct display *display, uint64_t cookie)
{
	struct framebuffer *framebuffer =
		cookie ? find_framebuffer(display, cookie) : NULL;

	if (!framebuffer)
		return -ENOENT;
	*framebuffer = (struct framebuffer){ 0 };
	return 0;
}

/* ---- What is shown ------------------------------------------------------ */

static int show(struct connector *connector, uint64_t cookie)
{
	struct display *display = connector->display;
	struct framebuffer *framebuffer =
		cookie ? find_framebuffer(display, cookie) : NULL;
	const uint8_t *memory;

	if (!framebuffer)
		return -ENOENT;
	memory = framebuffer->dbuf->buffer.address +
		 framebuffer->dbuf->data_offset;
	if (connector->screen.failed || connector->screen.closed ||
	    screen_show(&connector->screen, sinks_of(display),
			&framebuffer->format, "", memory, connector->frames))
		return -EIO;
	connector->frames++;
	return 0;
}

static bool is_reset(const struct xendispl_set_config_req *request)
{
	return !request->fb_cookie && !request->width && !request->height &&
	       !request->x && !request->y && !request->bpp;
}

static int set_config(struct connector *connector,
		      const struct xendispl_set_config_req *request)
{
	int error;

	if (is_reset(request)) {
		connector->on = false;
		bus_tell(connector->display->device, "connector %u is off",
			 connector->number);
		return 0;
	}
	if (request->x > connector->width || request->y > connector->height ||
	    request->width > connector->width - request->x ||
	    request->height > connector->height - request->y)
		return -EINVAL;
	error = show(connector, request->fb_cookie);
	connector->on = !error;
	if (!error)
		bus_tell(connector->display->device,
			 "connector %u shows %" PRIu32 "x%" PRIu32 ", %" PRIu32
			 " bits",
			 connector->number, request->width, request->height,
			 request->bpp);
	return error;
}

/* First the answer, then the event that says that it is done. */
static void page_flip(struct connector *connector,
		      const struct front_message *message, uint64_t cookie)
{
	struct xendispl_pg_flip_evt event = { .fb_cookie = cookie };
	int error = connector->on ? show(connector, cookie) : -EINVAL;

	front_ring_answer(&connector->ring, message, error, NULL, 0);
	if (!error)
		front_ring_tell(&connector->ring, XENDISPL_EVT_PG_FLIP, &event,
				sizeof(event));
}

static int write_edid(struct connector *connector,
		      const struct xendispl_get_edid_req *request)
{
	struct bus_device *device = connector->display->device;
	struct hdmabuf_gref_buffer buffer;
	uint8_t edid[EDID_OCTETS];
	int error;

	if (request->buffer_sz < EDID_OCTETS ||
	    request->buffer_sz > XENDISPL_EDID_MAX_SIZE)
		return -EINVAL;
	if (!edid_make(edid, connector->width, connector->height))
		return -EOPNOTSUPP;
	error = hdmabuf_gref_map(&device->peer, request->gref_directory,
				 request->buffer_sz, true, &buffer);
	if (error) {
		bus_note(device, "%s", device->peer.error);
		return error;
	}
	memcpy(buffer.address, edid, sizeof(edid));
	return hdmabuf_gref_put(&buffer);
}

static void get_edid(struct connector *connector,
		     const struct front_message *message,
		     const struct xendispl_get_edid_req *request)
{
	struct xendispl_get_edid_resp response = { 0 };
	int error = write_edid(connector, request);

	if (!error)
		response.edid_sz = EDID_OCTETS;
	front_ring_answer(&connector->ring, message, error, &response,
			  sizeof(response));
}

/* ---- Requests ----------------------------------------------------------- */

/* What is of the device, not of a connector, comes over the first ring. */
static int serve_device(struct connector *connector,
			const struct xendispl_req *request)
{
	struct display *display = connector->display;

	if (connector->number)
		return -EINVAL;
	switch (request->operation) {
	case XENDISPL_OP_DBUF_CREATE:
		return dbuf_create(display, &request->op.dbuf_create);
	case XENDISPL_OP_DBUF_DESTROY:
		return dbuf_destroy(display,
				    request->op.dbuf_destroy.dbuf_cookie);
	case XENDISPL_OP_FB_ATTACH:
		return fb_attach(display, &request->op.fb_attach);
	default:
		return fb_detach(display, request->op.fb_detach.fb_cookie);
	}
}

static void serve(void *user, const struct front_message *message)
{
	struct connector *connector = user;
	struct xendispl_req request;
	int status = -EOPNOTSUPP;

	memcpy(&request, message, sizeof(request));
	switch (request.operation) {
	case XENDISPL_OP_PG_FLIP:
		page_flip(connector, message, request.op.pg_flip.fb_cookie);
		return;
	case XENDISPL_OP_GET_EDID:
		get_edid(connector, message, &request.op.get_edid);
		return;
	case XENDISPL_OP_SET_CONFIG:
		status = set_config(connector, &request.op.set_config);
		break;
	case XENDISPL_OP_DBUF_CREATE:
	case XENDISPL_OP_DBUF_DESTROY:
	case XENDISPL_OP_FB_ATTACH:
	case XENDISPL_OP_FB_DETACH:
		status = serve_device(connector, &request);
		break;
	}
	if (status)
		bus_tell(connector->display->device,
			 "operation %#x of connector %u is refused: %s",
			 request.operation, connector->number,
			 strerror(-status));
	front_ring_answer(&connector->ring, message, status, NULL, 0);
}

/* ---- Connecting --------------------------------------------------------- */

static const struct front_nodes nodes = {
	.ring_ref = XENDISPL_FIELD_REQ_RING_REF,
	.ring_channel = XENDISPL_FIELD_REQ_CHANNEL,
	.event_ref = XENDISPL_FIELD_EVT_RING_REF,
	.event_channel = XENDISPL_FIELD_EVT_CHANNEL,
};

/* Whether there is another one. */
static bool read_connector(struct display *display, struct connector *connector)
{
	char below[16], text[32];

	snprintf(below, sizeof(below), "%u/", connector->number);
	return bus_read(display->device, below, XENDISPL_FIELD_RESOLUTION, text,
			sizeof(text)) &&
	       parse_u32_pair(text, 'x', &connector->width,
			      &connector->height) &&
	       connector->width && connector->width <= PICTURE_SIDE_MAX &&
	       connector->height && connector->height <= PICTURE_SIDE_MAX;
}

static void read_configuration(struct display *display)
{
	uint32_t be_alloc;

	display->be_alloc = bus_read_number(display->device, "",
					    XENDISPL_FIELD_BE_ALLOC,
					    &be_alloc) &&
			    be_alloc == 1;
	while (display->count < CONNECTORS_MAX) {
		struct connector *connector =
			&display->connectors[display->count];

		connector->display = display;
		connector->number = display->count;
		if (!read_connector(display, connector))
			return;
		display->count++;
	}
}

static int open_rings(struct display *display)
{
	char below[16];

	for (unsigned int i = 0; i < display->count; i++) {
		snprintf(below, sizeof(below), "%u/", i);
		if (front_ring_open(&display->connectors[i].ring,
				    display->device, below, &nodes))
			return -1;
	}
	return 0;
}

static void displif_disconnect(struct bus_device *device)
{
	struct display *display = device->context;

	for (unsigned int i = 0; i < display->count; i++) {
		struct connector *connector = &display->connectors[i];

		if (connector->ring.device)
			front_ring_close(&connector->ring);
		screen_close(&connector->screen, sinks_of(display));
	}
	for (int i = 0; i < BUFFERS_MAX; i++)
		if (display->dbufs[i].cookie)
			free_dbuf(display, &display->dbufs[i]);
	free(display);
	device->context = NULL;
}

static int displif_connect(struct bus_device *device)
{
	struct display *display = calloc(1, sizeof(*display));

	if (!display)
		return bus_note(device, "out of memory");
	display->device = device;
	device->context = display;
	read_configuration(display);
	if (display->count && !open_rings(display)) {
		bus_tell(device, "%u connectors, buffers from the %s",
			 display->count,
			 display->be_alloc ? "backend" : "frontend");
		return 0;
	}
	if (!display->count)
		bus_note(device, "has no connector with a resolution");
	displif_disconnect(device);
	return -1;
}

static int serve_connector(struct connector *connector)
{
	return front_ring_serve(&connector->ring, serve, connector);
}

static int displif_event(struct bus_device *device, evtchn_port_t port)
{
	struct display *display = device->context;

	for (unsigned int i = 0; i < display->count; i++) {
		struct connector *connector = &display->connectors[i];

		if (connector->ring.ring_port == (int)port)
			return serve_connector(connector);
	}
	return 0;
}

/* ---- The class ---------------------------------------------------------- */

static uint64_t work_device(struct bus_device *device, uint64_t now)
{
	struct display *display = device->context;
	uint64_t wanted = PEER_NEVER;

	for (unsigned int i = 0; i < display->count; i++) {
		struct connector *connector = &display->connectors[i];

		if (!screen_dispatch(&connector->screen, now, &wanted))
			connector->screen.closed = true;
		if (connector->screen.closed)
			device->bus->peer->stopping = true;
		if (connector->ring.more) {
			if (serve_connector(connector)) {
				bus_give_up(device);
				return now;
			}
			wanted = connector->ring.more ? now : wanted;
		}
	}
	return wanted;
}

static uint64_t displif_work(struct bus *bus, uint64_t now)
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

static int displif_open(struct bus *bus)
{
	struct sinks *sinks = calloc(1, sizeof(*sinks));
	int status;

	if (!sinks) {
		peer_fail(bus->peer, EX_UNAVAILABLE, "out of memory");
		return bus->peer->status;
	}
	status = sinks_open(sinks, bus->peer);
	if (status) {
		free(sinks);
		return status;
	}
	bus->context = sinks;
	return 0;
}

static void displif_close(struct bus *bus)
{
	sinks_close(bus->context);
	free(bus->context);
	bus->context = NULL;
	peer_print_summary(bus->peer);
}

const struct bus_class displif_class = {
	.name = XENDISPL_DRIVER_NAME,
	.protocol = "displif",
	.versions = "1,2",
	.open = displif_open,
	.connect = displif_connect,
	.disconnect = displif_disconnect,
	.event = displif_event,
	.work = displif_work,
	.close = displif_close,
};
