/* SPDX-License-Identifier: MIT */

#include "reference-common/progress.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND	 1000000000u
#define INTERVAL (SECOND / 10)

/* Clears the line, as all terminals since the VT100 understand. */
#define CLEAR_LINE "\r\033[K"

#define SIZE_TEXT 32

/* 2488320000 as "2.49 GB". */
static const char *size_text(uint64_t octets, char text[SIZE_TEXT])
{
	static const char units[][3] = {
		"B", "kB", "MB", "GB", "TB", "PB", "EB"
	};
	double value = (double)octets;
	size_t unit = 0;

	for (; value >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]);
	     unit++)
		value /= 1000;
	snprintf(text, SIZE_TEXT, "%.*f %s", unit ? 2 : 0, value, units[unit]);
	return text;
}

static double rate(uint64_t frames, uint64_t nanoseconds)
{
	return nanoseconds ? (double)frames * SECOND / (double)nanoseconds : 0;
}

uint64_t progress_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void progress_start(struct progress *progress, FILE *stream, uint64_t now)
{
	*progress = (struct progress){
		.stream = stream,
		.terminal = isatty(fileno(stream)),
		.started = now,
		.next = now,
	};
}

void progress_show(struct progress *progress, uint64_t frames, uint64_t total,
		   uint64_t octets, uint64_t now)
{
	char size[SIZE_TEXT], of[SIZE_TEXT] = "";

	if (!progress->terminal || now < progress->next)
		return;
	progress->next = now + INTERVAL;
	progress->shown = true;
	if (total)
		snprintf(of, sizeof(of), " of %" PRIu64, total);
	fprintf(progress->stream,
		CLEAR_LINE "%" PRIu64 "%s frames, %s shared, %.1f frames/s",
		frames, of, size_text(octets, size),
		rate(frames, now - progress->started));
	fflush(progress->stream);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	progress->shown = false;
	fputs(CLEAR_LINE, progress->stream);
	fflush(progress->stream);
}

void summary_print(const struct summary *summary, FILE *stream)
{
	const struct picture_format *format = summary->format;
	char size[SIZE_TEXT], fourcc[5];

	fprintf(stream, "%s: %" PRIu64 " frames", summary->role,
		summary->frames);
	if (format)
		fprintf(stream, " of %ux%u %s", format->width, format->height,
			picture_fourcc_text(format->fourcc, fourcc));
	fprintf(stream,
		", %s shared, %" PRIu64
		" notifications, %.2f s (%.1f frames/s)",
		size_text(summary->octets, size), summary->notifications,
		(double)summary->nanoseconds / SECOND,
		rate(summary->frames, summary->nanoseconds));
	if (summary->sessions > 1)
		fprintf(stream, ", %" PRIu64 " sessions", summary->sessions);
	if (summary->verified)
		fprintf(stream, ", crc32 %08x", summary->crc);
	fputc('\n', stream);
	fflush(stream);
}

#ifdef HDMABUF_HAVE_JANSSON

#include <jansson.h>

bool summary_has_json(void)
{
	return true;
}

static int add_picture(json_t *object, const struct picture_format *format)
{
	char fourcc[5];

	if (!format)
		return 0;
	return json_object_set_new(object, "width",
				   json_integer(format->width)) ||
	       json_object_set_new(object, "height",
				   json_integer(format->height)) ||
	       json_object_set_new(object, "fourcc",
				   json_string(picture_fourcc_text(
					   format->fourcc, fourcc)));
}

static int add_counts(json_t *object, const struct summary *summary)
{
	return json_object_set_new(object, "role",
				   json_string(summary->role)) ||
	       json_object_set_new(
		       object, "sessions",
		       json_integer((json_int_t)summary->sessions)) ||
	       json_object_set_new(object, "frames",
				   json_integer((json_int_t)summary->frames)) ||
	       json_object_set_new(object, "octets",
				   json_integer((json_int_t)summary->octets)) ||
	       json_object_set_new(
		       object, "notifications",
		       json_integer((json_int_t)summary->notifications)) ||
	       json_object_set_new(
		       object, "seconds",
		       json_real((double)summary->nanoseconds / SECOND));
}

static int add_crc(json_t *object, const struct summary *summary)
{
	char text[9];

	if (!summary->verified)
		return 0;
	snprintf(text, sizeof(text), "%08x", summary->crc);
	return json_object_set_new(object, "crc32", json_string(text));
}

int summary_print_json(const struct summary *summary, FILE *stream,
		       struct failure *failure)
{
	json_t *object = json_object();
	int result = 0;

	if (!object || add_counts(object, summary) ||
	    add_picture(object, summary->format) || add_crc(object, summary))
		result = fail_no_memory(failure, "summary");
	else if (json_dumpf(object, stream, JSON_REAL_PRECISION(9)) ||
		 fputc('\n', stream) == EOF || fflush(stream))
		result = fail_with(failure, "summary: cannot write");
	json_decref(object);
	return result;
}

#else

bool summary_has_json(void)
{
	return false;
}

int summary_print_json(const struct summary *summary, FILE *stream,
		       struct failure *failure)
{
	(void)summary;
	(void)stream;
	return fail_with(failure,
			 "--json: this program was built without jansson");
}

#endif
