/* SPDX-License-Identifier: MIT */

#include "reference-common/y4m.h"

#include "reference-common/parse.h"

#include <stdio.h>
#include <string.h>

/* Longer words are comments, and none that we must understand. */
#define WORD_SIZE 64

struct chroma {
	const char *name;
	uint32_t fourcc;
};

/* The sitings of 4:2:0 differ in where samples are, not in how many. */
static uint32_t find_chroma(const char *name)
{
	static const struct chroma chromas[] = {
		{ "420", PICTURE_YUV420 },	{ "420jpeg", PICTURE_YUV420 },
		{ "420mpeg2", PICTURE_YUV420 }, { "420paldv", PICTURE_YUV420 },
		{ "422", PICTURE_YUV422 },	{ "444", PICTURE_YUV444 },
		{ "mono", PICTURE_R8 },
	};

	for (size_t i = 0; i < sizeof(chromas) / sizeof(chromas[0]); i++)
		if (!strcmp(chromas[i].name, name))
			return chromas[i].fourcc;
	return 0;
}

static int parse_side(uint32_t *side, const char *word, const char *name,
		      struct failure *failure)
{
	const char *cursor = word + 1;

	if (*side)
		return fail_with(failure, "%s: the header has a second \"%c\"",
				 name, *word);
	if (!parse_u32(&cursor, side) || *cursor)
		return fail_with(failure,
				 "%s: \"%s\" in the header is no number", name,
				 word);
	if (!*side || *side > PICTURE_SIDE_MAX)
		return fail_with(failure,
				 "%s: \"%s\" in the header is not from 1 to %d",
				 name, word, PICTURE_SIDE_MAX);
	return 0;
}

static int parse_rate(struct y4m_header *header, const char *word,
		      const char *name, struct failure *failure)
{
	uint32_t *numerator = &header->rate_numerator,
		 *denominator = &header->rate_denominator;

	if (!parse_u32_pair(word + 1, ':', numerator, denominator))
		return fail_with(failure,
				 "%s: the rate \"%s\" is not like F25:1", name,
				 word);
	if (!*numerator || !*denominator)
		*numerator = *denominator = 0;
	return 0;
}

static int parse_chroma(struct y4m_header *header, const char *word,
			const char *name, struct failure *failure)
{
	if (header->fourcc)
		return fail_with(failure, "%s: the header has a second \"C\"",
				 name);
	header->fourcc = find_chroma(word + 1);
	if (!header->fourcc)
		return fail_with(
			failure,
			"%s: \"%s\" is not supported; C420, C422, C444 and mono are",
			name, word);
	return 0;
}

static int parse_word(struct y4m_header *header, const char *word,
		      const char *name, struct failure *failure)
{
	switch (*word) {
	case 'W':
		return parse_side(&header->width, word, name, failure);
	case 'H':
		return parse_side(&header->height, word, name, failure);
	case 'F':
		return parse_rate(header, word, name, failure);
	case 'C':
		return parse_chroma(header, word, name, failure);
	case 'X':
		if (!strcmp(word, "XCOLORRANGE=FULL"))
			header->full_range = true;
		return 0;
	default:
		return 0;
	}
}

/* Copies the next word and steps over it; false at the end of the line. */
static bool next_word(const char **cursor, char word[WORD_SIZE])
{
	size_t length, kept;

	*cursor += strspn(*cursor, " ");
	length = strcspn(*cursor, " \n");
	kept = length < WORD_SIZE ? length : WORD_SIZE - 1;
	memcpy(word, *cursor, kept);
	word[kept] = '\0';
	*cursor += length;
	return length;
}

int y4m_parse_header(struct y4m_header *header, const char *line,
		     const char *name, struct failure *failure)
{
	char word[WORD_SIZE];
	const char *cursor = line;

	*header = (struct y4m_header){ 0 };
	if (!next_word(&cursor, word) || strcmp(word, Y4M_MAGIC))
		return fail_with(
			failure,
			"%s: not Y4M: it does not begin with " Y4M_MAGIC, name);
	while (next_word(&cursor, word))
		if (parse_word(header, word, name, failure))
			return -1;
	if (!header->width || !header->height)
		return fail_with(failure, "%s: the header has no %s", name,
				 header->width ? "height" : "width");
	if (!header->fourcc)
		header->fourcc = PICTURE_YUV420;
	return 0;
}

bool y4m_is_full_range(const char *private_text)
{
	struct y4m_header header;
	struct failure ignored;

	return !y4m_parse_header(&header, private_text, "", &ignored) &&
	       header.full_range;
}

static const char *words_for(uint32_t fourcc)
{
	switch (fourcc) {
	case PICTURE_YUV420:
		return "C420jpeg";
	case PICTURE_YUV422:
		return "C422";
	case PICTURE_YUV444:
		return "C444";
	case PICTURE_R8:
		return "Cmono XCOLORRANGE=FULL";
	default:
		return NULL;
	}
}

bool y4m_make_header(char *line, size_t size,
		     const struct picture_format *format)
{
	const char *words = words_for(format->fourcc);

	if (!words)
		return false;
	snprintf(line, size, Y4M_MAGIC " W%u H%u F0:0 Ip A0:0 %s",
		 format->width, format->height, words);
	return true;
}
