/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "conformance/report/report.h"

#include "conformance/report/report_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef HDMABUF_HAVE_JANSSON
#define WRITE_JSON report_json
#else
#define WRITE_JSON NULL
#endif

static const struct format {
	const char *name;
	int (*write)(const struct run *run, FILE *file);
} formats[] = {
	{ "html", report_html },   { "json", WRITE_JSON },
	{ "junit", report_junit }, { "tap", report_tap },
	{ "text", report_text },
};

static const struct format *find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

const char *report_formats(void)
{
	return "html, json, junit, tap, text";
}

bool report_has(const char *format, const char **why)
{
	const struct format *found = find(format);

	*why = !found	     ? "there is no such format" :
	       !found->write ? "this program was built without jansson" :
			       NULL;
	return !*why;
}

static int write_whole(const char *text, size_t size, FILE *file)
{
	errno = 0;
	if (fwrite(text, 1, size, file) == size && !fflush(file))
		return 0;
	return errno ? -errno : -EIO;
}

/* In memory first: there, nothing but memory can be short, and no half is left. */
int report_write(const char *format, const struct run *run, FILE *file)
{
	const struct format *found = find(format);
	char *text = NULL;
	size_t size = 0;
	FILE *memory;
	int error;

	if (!found || !found->write)
		return -EINVAL;
	memory = open_memstream(&text, &size);
	if (!memory)
		return -ENOMEM;
	error = found->write(run, memory);
	if (ferror(memory) | fclose(memory))
		error = -ENOMEM;
	if (!error)
		error = write_whole(text, size, file);
	free(text);
	return error;
}
