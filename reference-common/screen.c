/* SPDX-License-Identifier: MIT */

#include "reference-common/screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* How often a window is looked after, in nanoseconds. */
#define WINDOW_INTERVAL (1000000000u / 50)

/* ---- Sinks -------------------------------------------------------------- */

/* A spec that names no file is no better for another number. */
static int sink_status(const char *spec, const struct failure *failure)
{
	const char *file = strchr(spec, ':');

	if (failure->no_memory || !strcmp(spec, "window"))
		return EX_UNAVAILABLE;
	if ((strncmp(spec, "png:", 4) && strncmp(spec, "y4m:", 4)) || !file[1])
		return EX_USAGE;
	return EX_CANTCREAT;
}

char *sinks_number_spec(const char *spec, unsigned int number)
{
	const char *slash = strrchr(spec, '/');
	const char *dot = strrchr(slash ? slash : spec, '.');
	size_t size = strlen(spec) + 16;
	int length = dot ? (int)(dot - spec) : (int)strlen(spec);
	char *numbered;

	/* A window has no name to put it in. */
	if (!strchr(spec, ':'))
		return strdup(spec);
	numbered = malloc(size);
	if (numbered)
		snprintf(numbered, size, "%.*s-%u%s", length, spec, number,
			 dot ? dot : "");
	return numbered;
}

/* Where there is no display, a backend can still be tried. */
int sinks_open(struct sinks *sinks, struct peer *peer)
{
	const char *wish = peer->options->sink;
	struct failure failure;

	*sinks = (struct sinks){ .peer = peer, .spec = wish ? wish : "window" };
	sinks->first = sink_open(sinks->spec, &failure);
	if (!sinks->first && !wish) {
		peer_note(peer, "%s; frames are taken and not shown",
			  failure.text);
		sinks->spec = "null";
		sinks->first = sink_open(sinks->spec, &failure);
	}
	if (!sinks->first) {
		peer_fail(peer, sink_status(sinks->spec, &failure), "%s",
			  failure.text);
		return peer->status;
	}
	sinks->shared = sinks->first->uses_stdout;
	return 0;
}

static void close_one(struct sinks *sinks, struct sink *sink)
{
	struct failure failure;

	if (sink_close(sink, &failure))
		peer_fail(sinks->peer, EX_IOERR, "%s", failure.text);
}

void sinks_close(struct sinks *sinks)
{
	close_one(sinks, sinks->first);
	sinks->first = NULL;
}

static int open_next(struct screen *screen, struct sinks *sinks)
{
	struct failure failure;

	sinks->given++;
	if (sinks->first) {
		screen->sink = sinks->first;
		if (!sinks->shared)
			sinks->first = NULL;
		return 0;
	}
	screen->spec = sinks_number_spec(sinks->spec, sinks->given);
	if (!screen->spec) {
		peer_fail(sinks->peer, EX_UNAVAILABLE, "out of memory");
		return -1;
	}
	screen->sink = sink_open(screen->spec, &failure);
	if (screen->sink)
		return 0;
	peer_fail(sinks->peer, sink_status(screen->spec, &failure), "%s",
		  failure.text);
	return -1;
}

/* ---- Screens ------------------------------------------------------------ */

static void tell_frame(struct screen *screen, struct peer *peer,
		       uint64_t number)
{
	if (screen->sink->note && screen->sink->note != screen->note)
		peer_note(peer, "%s", screen->sink->note);
	screen->note = screen->sink->note;
	if (peer->options->verify)
		peer_tell(peer, "frame %" PRIu64 ": crc32 so far %08x", number,
			  screen->crc);
	else
		peer_tell(peer, "frame %" PRIu64, number);
}

int screen_show(struct screen *screen, struct sinks *sinks,
		const struct picture_format *format, const char *text,
		const void *memory, uint64_t number)
{
	struct peer *peer = sinks->peer;
	struct failure failure;
	int result;

	peer_begin_frame(&screen->tally);
	screen->failed = !screen->sink && open_next(screen, sinks);
	if (screen->failed)
		return -1;
	if (peer->options->verify)
		screen->crc = picture_crc(screen->crc, format, memory);
	result = sink_write(screen->sink, format, text, memory, &failure);
	screen->failed = result < 0;
	screen->closed = result == SINK_CLOSED;
	if (screen->failed)
		peer_fail(peer, EX_IOERR, "%s", failure.text);
	if (screen->failed || screen->closed)
		return -1;
	peer_count_frame(peer, &screen->tally, format, screen->crc);
	tell_frame(screen, peer, number);
	return 0;
}

bool screen_dispatch(struct screen *screen, uint64_t now, uint64_t *wanted)
{
	uint64_t next = now + WINDOW_INTERVAL;

	if (!screen->sink || !screen->sink->ops->dispatch)
		return true;
	if (next < *wanted)
		*wanted = next;
	return sink_dispatch(screen->sink) != SINK_CLOSED;
}

void screen_close(struct screen *screen, struct sinks *sinks)
{
	if (screen->sink && screen->sink != sinks->first)
		close_one(sinks, screen->sink);
	free(screen->spec);
	*screen = (struct screen){ 0 };
}
