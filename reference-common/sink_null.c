/* SPDX-License-Identifier: MIT */
/* Takes frames and does not look at them. */

#include "reference-common/sink.h"

#include <stdlib.h>

static int null_write(struct sink *sink, const struct picture_format *format,
		      const char *private_text, const void *memory,
		      struct failure *failure)
{
	(void)sink;
	(void)format;
	(void)private_text;
	(void)memory;
	(void)failure;
	return SINK_OPEN;
}

static int null_close(struct sink *sink, struct failure *failure)
{
	(void)failure;
	free(sink);
	return 0;
}

struct sink *sink_null_open(const char *argument, struct failure *failure)
{
	static const struct sink_ops ops = { .write = null_write,
					     .close = null_close };
	struct sink *sink;

	if (argument) {
		fail_with(failure, "null:%s: the null sink takes no argument",
			  argument);
		return NULL;
	}
	sink = calloc(1, sizeof(*sink));
	if (!sink) {
		fail_no_memory(failure, "null");
		return NULL;
	}
	sink->ops = &ops;
	return sink;
}
