/* SPDX-License-Identifier: MIT */

#include "reference-common/source.h"

#include <string.h>

struct kind {
	const char *name;
	struct source *(*open)(const char *argument, struct failure *failure);
};

static const struct kind *find_kind(const char *name, size_t length)
{
	static const struct kind kinds[] = {
		{ "pattern", source_pattern_open },
		{ "png", source_png_open },
		{ "y4m", source_y4m_open },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].name) == length &&
		    !memcmp(kinds[i].name, name, length))
			return &kinds[i];
	return NULL;
}

struct source *source_open(const char *spec, struct failure *failure)
{
	size_t length = strcspn(spec, ":");
	const struct kind *kind = find_kind(spec, length);

	if (!kind) {
		fail_with(failure, "unknown source \"%s\": use " SOURCE_SPECS,
			  spec);
		return NULL;
	}
	return kind->open(spec[length] ? spec + length + 1 : NULL, failure);
}

int source_read(struct source *source, void *memory, struct failure *failure)
{
	return source->ops->read(source, memory, failure);
}

void source_close(struct source *source)
{
	if (source)
		source->ops->close(source);
}
