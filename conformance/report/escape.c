/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "conformance/report/escape.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Octets of a character of UTF-8 by how it begins, and the least it may say. */
static const struct {
	uint8_t mask, begin, octets;
	uint32_t least;
} forms[] = {
	{ 0x80, 0x00, 1, 0 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static bool is_surrogate(uint32_t character)
{
	return character >= 0xd800 && character <= 0xdfff;
}

/* Octets of the character that a string begins with; 0 if that is no UTF-8. */
static size_t decode(const char *text, uint32_t *character)
{
	const uint8_t *octets = (const uint8_t *)text;
	size_t form = 0;

	while (form < 4 && (octets[0] & forms[form].mask) != forms[form].begin)
		form++;
	if (form == 4)
		return 0;
	*character = octets[0] & (uint8_t)~forms[form].mask;
	for (size_t i = 1; i < forms[form].octets; i++) {
		if ((octets[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (octets[i] & 0x3f);
	}
	if (*character < forms[form].least || *character > 0x10ffff ||
	    is_surrogate(*character))
		return 0;
	return forms[form].octets;
}

static bool is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

/* Ends lines, or turns the direction of writing, where nobody looks for it. */
static bool is_treacherous(uint32_t character)
{
	return character == 0x61c ||
	       (character >= 0x200b && character <= 0x200f) ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2060 && character <= 0x206f) ||
	       character == 0xfeff || (character & 0xfffe) == 0xfffe;
}

static bool may_stay(enum escape escape, uint32_t character)
{
	if (escape == ESCAPE_UTF8)
		return true;
	if (escape == ESCAPE_XML && (character == '\n' || character == '\t'))
		return true;
	return !is_control(character) && !is_treacherous(character);
}

/* What a character of ASCII is in a format; NULL if itself. */
static const char *mark(enum escape escape, char character)
{
	switch (escape) {
	case ESCAPE_LINE:
		return character == '\n' ? "\\n" :
		       character == '\t' ? "\\t" :
					   NULL;
	case ESCAPE_TAP:
		return character == '\\' ? "\\\\" :
		       character == '#'	 ? "\\#" :
		       character == '\n' ? "\\\\n" :
		       character == '\t' ? "\\\\t" :
					   NULL;
	case ESCAPE_QUOTED:
		return character == '\\' ? "\\\\" :
		       character == '"'	 ? "\\\"" :
		       character == '\n' ? "\\n" :
		       character == '\t' ? "\\t" :
					   NULL;
	case ESCAPE_XML:
		return character == '&'	 ? "&amp;" :
		       character == '<'	 ? "&lt;" :
		       character == '>'	 ? "&gt;" :
		       character == '"'	 ? "&quot;" :
		       character == '\'' ? "&#39;" :
					   NULL;
	default:
		return NULL;
	}
}

static void put_marked(FILE *file, enum escape escape, char character)
{
	const char *marked = mark(escape, character);

	if (marked)
		fputs(marked, file);
	else
		putc(character, file);
}

/* \x1b, of which the backslash may itself be a mark. */
static void put_number(FILE *file, enum escape escape, char kind,
		       uint32_t number)
{
	put_marked(file, escape, '\\');
	fprintf(file, "%c%0*x", kind, kind == 'x' ? 2 : 4, number);
}

/* Writes what a string begins with, and returns how many octets that was. */
static size_t put_one(FILE *file, enum escape escape, const char *text)
{
	uint32_t character = 0;
	size_t octets = decode(text, &character);

	if (!octets) {
		put_number(file, escape, 'x', *(const uint8_t *)text);
		return 1;
	}
	if (octets == 1 && mark(escape, *text))
		fputs(mark(escape, *text), file);
	else if (may_stay(escape, character))
		fwrite(text, 1, octets, file);
	else
		put_number(file, escape, character < 0x100 ? 'x' : 'u',
			   character);
	return octets;
}

static void put_text(FILE *file, enum escape escape, const char *text)
{
	while (text && *text)
		text += put_one(file, escape, text);
}

void escape_print(FILE *file, enum escape escape, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	for (; *format; format++) {
		if (*format != '%') {
			putc(*format, file);
			continue;
		}
		switch (*++format) {
		case 's':
			put_text(file, escape, va_arg(args, const char *));
			break;
		case 'u':
			fprintf(file, "%u", va_arg(args, unsigned int));
			break;
		case 'z':
			format++;
			fprintf(file, "%zu", va_arg(args, size_t));
			break;
		default:
			putc(*format, file);
		}
	}
	va_end(args);
}

char *escape_text(enum escape escape, const char *text)
{
	char *escaped = NULL;
	size_t size;
	FILE *memory = open_memstream(&escaped, &size);

	if (!memory)
		return NULL;
	put_text(memory, escape, text);
	if (!fclose(memory))
		return escaped;
	free(escaped);
	return NULL;
}
