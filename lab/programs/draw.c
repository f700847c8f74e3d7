/* SPDX-License-Identifier: MIT */
/*
 * draw [FLIPS]: for a guest with a display of Xen's own kind, a program as any that draws
 * with the kernel's interface. It finds the card, draws a picture into a dumb buffer,
 * shows it, and then flips to and fro between that and a second one, FLIPS (6) times, each
 * time drawn anew and waited for. It prints the CRC-32 of the pixels of each frame and of
 * all of them, as hdmabuf-backend --verify does.
 *
 * Exit status: 0, 69 if there is no such card, 70 if the kernel refuses something.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>

#include "reference-common/crc32.h"

#define DRIVER	  "xendrm-du"
#define CARDS_MAX 8
#define MODES_MAX 16
#define WAIT_MS	  20000

struct picture {
	uint32_t handle;
	uint32_t framebuffer;
	uint32_t pitch;
	uint32_t *pixels;
};

struct card {
	int fd;
	uint32_t crtc;
	uint32_t connector;
	struct drm_mode_modeinfo mode;
	struct picture pictures[2];
	struct crc32_table table;
	uint32_t crc; /* of all frames */
};

static void must(struct card *card, unsigned long request, void *argument,
		 const char *what)
{
	if (!ioctl(card->fd, request, argument))
		return;
	fprintf(stderr, "draw: %s: %s\n", what, strerror(errno));
	exit(EX_SOFTWARE);
}

/* ---- The card ----------------------------------------------------------- */

static int is_ours(int fd)
{
	char name[32] = "";
	struct drm_version version = { .name = name,
				       .name_len = sizeof(name) - 1 };

	return !ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, DRIVER);
}

static void open_card(struct card *card)
{
	char path[32];
	int i;

	for (i = 0; i < CARDS_MAX; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		card->fd = open(path, O_RDWR | O_CLOEXEC);
		if (card->fd < 0)
			continue;
		if (is_ours(card->fd))
			return;
		close(card->fd);
	}
	fprintf(stderr, "draw: there is no card of %s\n", DRIVER);
	exit(EX_UNAVAILABLE);
}

static void find_connector(struct card *card)
{
	uint32_t crtcs[8], connectors[8], encoders[8];
	struct drm_mode_modeinfo modes[MODES_MAX];
	struct drm_mode_card_res resources = {
		.crtc_id_ptr = (uintptr_t)crtcs,
		.count_crtcs = 8,
		.connector_id_ptr = (uintptr_t)connectors,
		.count_connectors = 8,
		.encoder_id_ptr = (uintptr_t)encoders,
		.count_encoders = 8,
	};
	struct drm_mode_get_connector connector = { 0 };

	must(card, DRM_IOCTL_MODE_GETRESOURCES, &resources, "resources");
	card->crtc = crtcs[0];
	card->connector = connectors[0];
	/* Asked without room for modes, it looks for them. */
	connector.connector_id = card->connector;
	must(card, DRM_IOCTL_MODE_GETCONNECTOR, &connector, "connector");
	connector = (struct drm_mode_get_connector){
		.connector_id = card->connector,
		.modes_ptr = (uintptr_t)modes,
		.count_modes = MODES_MAX,
	};
	must(card, DRM_IOCTL_MODE_GETCONNECTOR, &connector, "modes");
	if (!connector.count_modes) {
		fprintf(stderr, "draw: the connector has no mode\n");
		exit(EX_UNAVAILABLE);
	}
	card->mode = modes[0];
}

/* ---- Pictures ----------------------------------------------------------- */

static void make_picture(struct card *card, struct picture *picture)
{
	struct drm_mode_create_dumb dumb = { .width = card->mode.hdisplay,
					     .height = card->mode.vdisplay,
					     .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	struct drm_mode_fb_cmd2 framebuffer = {
		.width = card->mode.hdisplay,
		.height = card->mode.vdisplay,
		.pixel_format = DRM_FORMAT_XRGB8888,
	};

	must(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb, "dumb buffer");
	map.handle = dumb.handle;
	must(card, DRM_IOCTL_MODE_MAP_DUMB, &map, "mapping");
	picture->handle = dumb.handle;
	picture->pitch = dumb.pitch;
	picture->pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE,
			       MAP_SHARED, card->fd, (off_t)map.offset);
	if (picture->pixels == MAP_FAILED) {
		fprintf(stderr, "draw: mmap: %s\n", strerror(errno));
		exit(EX_SOFTWARE);
	}
	framebuffer.handles[0] = dumb.handle;
	framebuffer.pitches[0] = dumb.pitch;
	must(card, DRM_IOCTL_MODE_ADDFB2, &framebuffer, "framebuffer");
	picture->framebuffer = framebuffer.fb_id;
}

/* A gradient with a bar that moves: no two frames, rows or columns are the same. */
static uint32_t pixel_at(uint32_t x, uint32_t y, uint32_t frame)
{
	if (y / 8 == frame)
		return 0xffffff - x;
	return (x & 0xff) << 16 | (y & 0xff) << 8 |
	       ((x >> 8) * 16 + (y >> 8) * 4 + frame * 37) % 256;
}

static void draw(struct card *card, uint32_t frame)
{
	struct picture *picture = &card->pictures[frame % 2];
	uint32_t width = card->mode.hdisplay, crc = 0, x, y;

	for (y = 0; y < card->mode.vdisplay; y++) {
		uint32_t *row = picture->pixels +
				(size_t)y * picture->pitch / sizeof(*row);

		for (x = 0; x < width; x++)
			row[x] = pixel_at(x, y, frame);
		crc = crc32_continue(&card->table, crc, row,
				     width * sizeof(*row));
		card->crc = crc32_continue(&card->table, card->crc, row,
					   width * sizeof(*row));
	}
	printf("frame %u: crc32 %08x, so far %08x\n", frame, crc, card->crc);
}

/* ---- Showing ------------------------------------------------------------ */

static void show(struct card *card)
{
	uint32_t connectors[] = { card->connector };
	struct drm_mode_crtc crtc = {
		.crtc_id = card->crtc,
		.fb_id = card->pictures[0].framebuffer,
		.set_connectors_ptr = (uintptr_t)connectors,
		.count_connectors = 1,
		.mode_valid = 1,
		.mode = card->mode,
	};

	must(card, DRM_IOCTL_MODE_SETCRTC, &crtc, "mode");
}

static void flip(struct card *card, uint32_t frame)
{
	struct drm_mode_crtc_page_flip request = {
		.crtc_id = card->crtc,
		.fb_id = card->pictures[frame % 2].framebuffer,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
		.user_data = frame,
	};
	struct pollfd fd = { .fd = card->fd, .events = POLLIN };
	struct drm_event_vblank event;

	must(card, DRM_IOCTL_MODE_PAGE_FLIP, &request, "page flip");
	if (poll(&fd, 1, WAIT_MS) != 1 ||
	    read(card->fd, &event, sizeof(event)) != sizeof(event) ||
	    event.user_data != frame) {
		fprintf(stderr, "draw: frame %u is not flipped\n", frame);
		exit(EX_SOFTWARE);
	}
}

int main(int argc, char **argv)
{
	uint32_t flips = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 6;
	struct card card = { .fd = -1 };
	uint32_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	crc32_table_init(&card.table);
	open_card(&card);
	find_connector(&card);
	printf("mode %s\n", card.mode.name);
	make_picture(&card, &card.pictures[0]);
	make_picture(&card, &card.pictures[1]);
	draw(&card, 0);
	show(&card);
	for (i = 1; i <= flips; i++) {
		draw(&card, i);
		flip(&card, i);
	}
	printf("all %u frames: crc32 %08x\n", flips + 1, card.crc);
	return EX_OK;
}
