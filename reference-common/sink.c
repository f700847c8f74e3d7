/* SPDX-License-Identifier: MIT */

#include "reference-common/sink.h"

#include <string.h>

struct kind {
	const char *name;
	struct sink *(*open)(const char *argument, struct failure *failure);
};

static const struct kind *find_kind(const char *name, size_t length)
{
	static const struct kind kinds[] = {
		{ "window", sink_window_open },
		{ "png", sink_png_open },
		{ "y4m", sink_y4m_open },
		{ "null", sink_null_open },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == length &&
		    !memcmp(kinds[i].name, name, length))
			return &kinds[i];
	return NULL;
}

struct sink *sink_open(const char *spec, struct failure *failure)
{
	size_t length = strcspn(spec, ":");
	const struct kind *kind = find_kind(spec, length);

	if (!kind) {
		fail_with(failure, "unknown sink \"%s\": use %s", spec,
			  SINK_SPECS);
		return NULL;
	}
	return kind->open(spec[length] ? spec + length + 1 : NULL, failure);
}

int sink_write(struct sink *sink, const struct picture_format *format,
	       const char *private_text, const void *memory,
	       struct failure *failure)
{
	return sink->ops->write(sink, format, private_text, memory, failure);
}

int sink_dispatch(struct sink *sink)
{
	return sink->ops->dispatch ? sink->ops->dispatch(sink) : SINK_OPEN;
}

int sink_close(struct sink *sink, struct failure *failure)
{
	return sink ? sink->ops->close(sink, failure) : 0;
}
