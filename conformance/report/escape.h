/* SPDX-License-Identifier: MIT */
/*
 * escape.h - text of others, made harmless
 *
 * What an implementation has said may hold anything. Whatever the format, octets that
 * are no UTF-8, control characters and those that turn the direction of writing come
 * out as \xff, \x1b or \u202e, as text; then the format's own marks are escaped.
 */
#ifndef CONFORMANCE_ESCAPE_H
#define CONFORMANCE_ESCAPE_H

#include <stdio.h>

/**
 * enum escape - where a text goes
 * @ESCAPE_LINE: one line of plain text
 * @ESCAPE_TAP: a description or reason in TAP, on one line
 * @ESCAPE_QUOTED: between double quotes, in YAML or JSON
 * @ESCAPE_XML: XML or HTML, as text or between quotes; lines stay lines
 * @ESCAPE_UTF8: where all but broken UTF-8 is welcome
 */
enum escape {
	ESCAPE_LINE,
	ESCAPE_TAP,
	ESCAPE_QUOTED,
	ESCAPE_XML,
	ESCAPE_UTF8
};

/*
 * As fprintf(), with %s, %zu, %u and %% alone: each %s is escaped, or empty if it
 * is NULL, the format is not.
 */
void escape_print(FILE *file, enum escape escape, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The text, to be freed; NULL if there is no memory. */
char *escape_text(enum escape escape, const char *text);

#endif
