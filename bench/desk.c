/* SPDX-License-Identifier: MIT */
/* desk.c - an end of a session of the library, and what it was told */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/desk.h"
#include "bench/measure.h"

/* ---- What is reported ------------------------------------------------------------ */

static void on_log(void *user, enum hdmabuf_log_level level, const char *line)
{
	(void)user;
	if (level == HDMABUF_LOG_ERROR)
		fprintf(stderr, "bench: %s\n", line);
}

static void on_connected(void *user, struct hdmabuf_session *session)
{
	struct desk *desk = user;

	desk->session = session;
	desk->connects++;
}

static uint16_t on_imported(void *user, struct hdmabuf_buffer *buffer)
{
	struct desk *desk = user;

	desk->imported = buffer;
	desk->imports++;
	return HDMABUF_STATUS_OK;
}

static void on_handed_off(void *user, struct hdmabuf_session *session,
			  const struct hdmabuf_turn *turns, size_t count)
{
	struct desk *desk = user;

	(void)session;
	(void)turns;
	desk->hand_offs += (unsigned int)count;
}

static void on_exported(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct desk *desk = user;

	(void)buffer;
	must(!fault, "an export");
	desk->exports++;
}

static void on_answered(void *user, struct hdmabuf_session *session,
			uint16_t operation, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct desk *desk = user;

	(void)session;
	(void)buffer;
	must(!fault, hdmabuf_operation_text(operation));
	desk->answers++;
}

static void on_echoed(void *user, struct hdmabuf_session *session,
		      const uint8_t *octets, const struct hdmabuf_fault *fault)
{
	struct desk *desk = user;

	(void)session;
	(void)octets;
	must(!fault, "an echo");
	desk->echoes++;
}

static void on_reached(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	struct desk *desk = user;

	(void)timeline;
	(void)point;
	must(!status, "a timeline");
	desk->reached++;
}

static void on_released(void *user, struct hdmabuf_buffer *buffer)
{
	struct desk *desk = user;

	(void)buffer;
	desk->released++;
}

static const struct hdmabuf_callbacks callbacks = {
	.log = on_log,
	.connected = on_connected,
	.imported = on_imported,
	.handed_off = on_handed_off,
	.exported = on_exported,
	.answered = on_answered,
	.echoed = on_echoed,
	.reached = on_reached,
	.released = on_released,
};

/* ---- Opening and running --------------------------------------------------------- */

void desk_config(struct hdmabuf_config *config)
{
	hdmabuf_config_init(config);
	config->limits.max_octets = 1ull << 40;
	config->limits.max_buffers = 1u << 20;
	config->max_sessions = 4096;
	config->looks = HDMABUF_WAITING_LOOKS;
}

void desk_open(struct desk *desk, const char *address, enum hdmabuf_role role)
{
	struct hdmabuf_config config;
	char error[256];

	memset(desk, 0, sizeof(*desk));
	desk_config(&config);
	if (!hdmabuf_endpoint_open(address, role, &config, &callbacks, desk,
				   &desk->endpoint, error, sizeof(error)))
		return;
	fprintf(stderr, "bench: %s\n", error);
	exit(70);
}

void desk_open_pair(struct desk *front, struct desk *back)
{
	struct hdmabuf_platform platforms[2];
	struct hdmabuf_config config;

	memset(front, 0, sizeof(*front));
	memset(back, 0, sizeof(*back));
	desk_config(&config);
	must(!hdmabuf_local_pair(&platforms[0], &platforms[1]), "a pair");
	must(!hdmabuf_endpoint_new(platforms[0], HDMABUF_FRONTEND, &config,
				   &callbacks, front, &front->endpoint),
	     "a frontend");
	must(!hdmabuf_endpoint_new(platforms[1], HDMABUF_BACKEND, &config,
				   &callbacks, back, &back->endpoint),
	     "a backend");
	desk_pair_run_until(front, back, &back->connects, 1);
	desk_pair_run_until(front, back, &front->connects, 1);
}

void desk_close(struct desk *desk)
{
	hdmabuf_endpoint_close(desk->endpoint);
	desk->endpoint = NULL;
}

static void dispatch(struct desk *desk)
{
	must(!hdmabuf_endpoint_dispatch(desk->endpoint), "a platform");
}

void desk_run(struct desk *desk)
{
	struct pollfd fd = { hdmabuf_endpoint_fd(desk->endpoint), POLLIN, 0 };

	must_call(poll(&fd, 1, -1) == 1, "poll");
	dispatch(desk);
}

void desk_run_until(struct desk *desk, const unsigned int *counter,
		    unsigned int value)
{
	hdmabuf_endpoint_flush(desk->endpoint);
	while (*counter < value)
		desk_run(desk);
}

void desk_poll_until(struct desk *desk, const unsigned int *counter,
		     unsigned int value)
{
	hdmabuf_endpoint_flush(desk->endpoint);
	while (*counter < value)
		dispatch(desk);
}

void desk_wait_until(struct desk *desk, const unsigned int *counter,
		     unsigned int value)
{
	while (*counter < value) {
		must(hdmabuf_endpoint_wait(desk->endpoint, -1) == 1, "waiting");
		dispatch(desk);
	}
}

void desk_pair_run_until(struct desk *front, struct desk *back,
			 const unsigned int *counter, unsigned int value)
{
	hdmabuf_endpoint_flush(front->endpoint);
	hdmabuf_endpoint_flush(back->endpoint);
	while (*counter < value) {
		dispatch(back);
		dispatch(front);
	}
}

uint64_t desk_notifications(struct desk *desk)
{
	uint64_t all =
		hdmabuf_session_statistics(desk->session)->notifications_sent;
	uint64_t since = all - desk->notified;

	desk->notified = all;
	return since;
}

/* ---- Buffers ------------------------------------------------------------------------ */

void desk_info(struct hdmabuf_info *info, uint64_t octets)
{
	memset(info, 0, sizeof(*info));
	info->size = octets;
	info->rights = HDMABUF_RIGHTS_READ_ONLY;
	info->attributes = HDMABUF_ATTRIBUTE_CACHED;
	info->directory_format = HDMABUF_DIRECTORY_EXTENTS;
	info->type = HDMABUF_TYPE_RAW;
}

struct hdmabuf_buffer *desk_export(struct desk *desk,
				   const struct hdmabuf_memory *memory,
				   const struct hdmabuf_info *info)
{
	struct hdmabuf_buffer *buffer = NULL;

	must(!hdmabuf_export(desk->session, memory, info, NULL, &buffer),
	     "an export");
	return buffer;
}
