/* SPDX-License-Identifier: MIT */
/* backend local:PATH FILE: write each frame of a frontend to FILE, as a PPM */
#include <err.h>
#include <stdio.h>

#include <hdmabuf/session.h>

#define XRGB8888 0x34325258 /* "XR24" of drm_fourcc.h */

struct program {
	const char *file;
	bool over;
};

/* Everything that show() is going to read must lie in the buffer. */
static bool is_picture(const struct hdmabuf_info *info)
{
	const struct hdmabuf_picture_info *picture = &info->picture;
	const struct hdmabuf_plane_info *plane = &picture->plane[0];

	return info->type == HDMABUF_TYPE_PICTURE &&
	       picture->fourcc == XRGB8888 && !picture->modifier &&
	       picture->planes == 1 && picture->width <= plane->stride / 4 &&
	       (uint64_t)plane->stride * picture->height <=
		       info->size - plane->offset;
}

/* Mapped here, once; then handed over as often as there are frames. */
static uint16_t imported(void *user, struct hdmabuf_buffer *buffer)
{
	void *data;

	(void)user;
	if (!is_picture(hdmabuf_buffer_info(buffer)))
		return HDMABUF_STATUS_UNSUPPORTED;
	return hdmabuf_buffer_map(buffer, &data) ? HDMABUF_STATUS_NO_MEMORY :
						   HDMABUF_STATUS_OK;
}

static void show(const struct hdmabuf_buffer *buffer, const char *name)
{
	const struct hdmabuf_picture_info *picture =
		&hdmabuf_buffer_info(buffer)->picture;
	const uint8_t *row = hdmabuf_buffer_data(buffer);
	FILE *file = fopen(name, "wb");

	if (!file)
		err(1, "%s", name);
	row += picture->plane[0].offset;
	fprintf(file, "P6 %u %u 255\n", picture->width, picture->height);
	for (uint32_t y = 0; y < picture->height; y++) {
		for (uint32_t x = 0; x < picture->width; x++) {
			putc(row[4 * x + 2], file); /* red, green, blue */
			putc(row[4 * x + 1], file);
			putc(row[4 * x], file);
		}
		row += picture->plane[0].stride;
	}
	if (fclose(file))
		err(1, "%s", name);
}

static void handed_off(void *user, struct hdmabuf_session *session,
		       const struct hdmabuf_turn *turns, size_t count)
{
	struct program *program = user;

	(void)session;
	for (size_t i = 0; i < count; i++) {
		if (turns[i].wait) { /* it is not drawn yet, perhaps */
			hdmabuf_turn_done(&turns[i],
					  HDMABUF_STATUS_UNSUPPORTED);
			continue;
		}
		show(turns[i].buffer, program->file);
		hdmabuf_turn_done(&turns[i], HDMABUF_STATUS_OK);
	}
}

static void disconnected(void *user, struct hdmabuf_session *session,
			 uint16_t status, const char *why)
{
	struct program *program = user;

	printf("%llu frames: %s\n",
	       (unsigned long long)hdmabuf_session_statistics(session)
		       ->hand_offs_received,
	       why);
	program->over = !status;
}

static const struct hdmabuf_callbacks callbacks = {
	.disconnected = disconnected,
	.imported = imported,
	.handed_off = handed_off,
};

int main(int argc, char **argv)
{
	struct program program = { .file = argc > 2 ? argv[2] : NULL };
	struct hdmabuf_endpoint *endpoint;
	char error[200];

	if (!program.file)
		errx(1, "usage: backend local:PATH FILE");
	if (hdmabuf_endpoint_open(argv[1], HDMABUF_BACKEND, NULL, &callbacks,
				  &program, &endpoint, error, sizeof(error)))
		errx(1, "%s", error);
	while (!program.over) {
		hdmabuf_endpoint_wait(endpoint, -1);
		if (hdmabuf_endpoint_dispatch(endpoint))
			errx(1, "the platform has failed");
	}
	hdmabuf_endpoint_close(endpoint);
	return 0;
}
