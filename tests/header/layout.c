/* SPDX-License-Identifier: MIT */
/*
 * layout.c - every size and offset, by a table of its own
 */
#include <hyper_dmabuf.h>
#include <bindings/local.h>

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "layout.h"

struct line {
	const char *type;
	const char *member; /* NULL for the type itself */
	unsigned long is_at, octets;
	unsigned long must_at, must_octets;
};

#define TYPE(type, octets) { #type, NULL, 0, sizeof(type), 0, octets },
#define FIELD(type, member, at, octets) \
	{ #type, #member, offsetof(type, member), sizeof(((type *)0)->member), \
	  at,	 octets },

/* clang-format off */
static const struct line lines[] = {
	LAYOUT(TYPE, FIELD)
	LAYOUT_LOCAL(TYPE, FIELD)
};
/* clang-format on */

#define LINES (sizeof(lines) / sizeof(lines[0]))

static int check_line(const struct line *line)
{
	if (line->is_at == line->must_at && line->octets == line->must_octets)
		return 0;
	printf("%s%s%s: %lu octets at %lu, must be %lu at %lu\n", line->type,
	       line->member ? "." : "", line->member ? line->member : "",
	       line->octets, line->is_at, line->must_octets, line->must_at);
	return 1;
}

static int is_union(const struct line *line)
{
	return strncmp(line->type, "union ", 6) == 0;
}

/* The table leaves out no octet of a type, hence no field. */
static int check_complete(const struct line *type)
{
	const struct line *line;
	unsigned long end = 0;

	for (line = type + 1; line < lines + LINES && line->member; line++) {
		if (line->must_at == (is_union(line) ? 0 : end))
			end = line->must_at + line->must_octets;
	}
	if (end == type->must_octets)
		return 0;
	printf("layout.h has only %lu octets of %s\n", end, type->type);
	return 1;
}

int check_layout(void)
{
	int wrong = 0;
	size_t i;

	for (i = 0; i < LINES; i++) {
		wrong += check_line(&lines[i]);
		if (!lines[i].member)
			wrong += check_complete(&lines[i]);
	}
	return wrong;
}
