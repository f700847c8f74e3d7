/* SPDX-License-Identifier: MIT */
/* frontend local:PATH [FRAMES]: share a picture and draw into it, over and over */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include <hdmabuf/session.h>

#define WIDTH	 320
#define HEIGHT	 240
#define XRGB8888 0x34325258 /* "XR24" of drm_fourcc.h */

struct program {
	struct hdmabuf_timeline_handle *shown; /* its points count frames */
	struct hdmabuf_buffer *buffer;
	uint64_t frames; /* wanted */
	uint64_t frame;	 /* shown so far */
	bool over;
};

static const struct hdmabuf_info picture = {
	.size = WIDTH * HEIGHT * 4,
	.rights = HDMABUF_RIGHTS_READ_ONLY,
	.attributes = HDMABUF_ATTRIBUTE_CACHED,
	.type = HDMABUF_TYPE_PICTURE,
	.picture = { .width = WIDTH,
		     .height = HEIGHT,
		     .fourcc = XRGB8888,
		     .planes = 1,
		     .plane_count = 1,
		     .plane = { { .stride = WIDTH * 4 } } },
};

/* Every session begins anew: with other memory, another buffer and timeline. */
static void connected(void *user, struct hdmabuf_session *session)
{
	struct program *program = user;
	struct hdmabuf_memory *memory = calloc(1, sizeof(*memory));

	if (!memory || hdmabuf_session_alloc(session, picture.size,
					     picture.rights, memory))
		errx(1, "no memory that can be shared");
	if (hdmabuf_export(session, memory, &picture, memory, &program->buffer))
		errx(1, "the picture cannot be shared");
	if (hdmabuf_timeline_create(session, HDMABUF_SIGNALLER_PEER,
				    program->frame, &program->shown))
		errx(1, "the backend takes no timeline");
}

static void next_frame(struct program *program)
{
	uint8_t *pixel = hdmabuf_buffer_data(program->buffer);
	uint64_t frame = program->frame + 1;
	struct hdmabuf_turn turn = {
		.buffer = program->buffer,
		.signal = program->shown,
		.signal_point = frame,
		.stamp = frame,
	};

	for (int i = 0; i < WIDTH * HEIGHT; i++, pixel += 4) {
		pixel[0] = (uint8_t)(i % WIDTH); /* blue, green, red */
		pixel[1] = (uint8_t)(i / WIDTH);
		pixel[2] = (uint8_t)frame;
	}
	if (hdmabuf_hand_off(&turn, false) ||
	    hdmabuf_timeline_wait(program->shown, frame))
		errx(1, "a frame cannot be handed off");
}

static void exported(void *user, struct hdmabuf_buffer *buffer,
		     const struct hdmabuf_fault *fault)
{
	(void)buffer;
	if (fault)
		errx(1, "refused: %s", hdmabuf_status_text(fault->status));
	next_frame(user);
}

/* The backend has finished with a frame, or never will. */
static void reached(void *user, struct hdmabuf_timeline_handle *timeline,
		    uint64_t point, uint16_t status)
{
	struct program *program = user;

	(void)timeline;
	if (status)
		return; /* the session is lost: see disconnected() */
	program->frame = point;
	if (point < program->frames)
		next_frame(program);
	else
		hdmabuf_session_close(hdmabuf_buffer_session(program->buffer),
				      HDMABUF_REASON_DONE);
}

/* The backend cannot see the memory any more. */
static void released(void *user, struct hdmabuf_buffer *buffer)
{
	(void)user;
	hdmabuf_memory_free(hdmabuf_buffer_user(buffer));
	free(hdmabuf_buffer_user(buffer));
}

static void disconnected(void *user, struct hdmabuf_session *session,
			 uint16_t status, const char *why)
{
	struct program *program = user;

	(void)session;
	(void)status;
	printf("%llu frames: %s\n", (unsigned long long)program->frame, why);
	program->over = program->frame == program->frames;
}

static const struct hdmabuf_callbacks callbacks = {
	.connected = connected,
	.disconnected = disconnected,
	.exported = exported,
	.released = released,
	.reached = reached,
};

int main(int argc, char **argv)
{
	const char *frames = argc > 2 ? argv[2] : "60";
	struct program program = { .frames = strtoull(frames, NULL, 10) };
	struct hdmabuf_endpoint *endpoint;
	char error[200];

	if (argc < 2 || !program.frames)
		errx(1, "usage: frontend local:PATH [FRAMES]");
	if (hdmabuf_endpoint_open(argv[1], HDMABUF_FRONTEND, NULL, &callbacks,
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
