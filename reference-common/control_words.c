/* SPDX-License-Identifier: MIT */

#include "reference-common/control_words.h"
#include "reference-common/parse.h"

#include <stddef.h>
#include <string.h>

const char words_unsupported[] = "unsupported";

/* The first thing that is wrong is told, but what is not known goes before it. */
static void note(struct words *words, const char *why)
{
	if (!words->why || why == words_unsupported)
		words->why = why;
}

void words_split(struct words *words, char *line)
{
	char *rest = line;

	*words = (struct words){ 0 };
	while (rest && words->count < WORDS_MAX)
		words->word[words->count++] = strsep(&rest, " ");
	if (rest)
		note(words, words_unsupported);
}

const char *words_may_next(struct words *words)
{
	if (words->place == words->count)
		return NULL;
	words->used |= 1u << words->place;
	return words->word[words->place++];
}

const char *words_next(struct words *words)
{
	const char *word = words_may_next(words);

	if (!word)
		note(words, "a word is missing");
	return word ? word : "";
}

const char *words_option(struct words *words, const char *key)
{
	size_t length = strlen(key);

	for (unsigned int i = words->place; i < words->count; i++)
		if (!(words->used & 1u << i) &&
		    !strncmp(words->word[i], key, length) &&
		    words->word[i][length] == '=') {
			words->used |= 1u << i;
			return words->word[i] + length + 1;
		}
	return NULL;
}

bool words_flag(struct words *words, const char *flag)
{
	for (unsigned int i = words->place; i < words->count; i++)
		if (!strcmp(words->word[i], flag)) {
			words->used |= 1u << i;
			return true;
		}
	return false;
}

uint64_t words_number(struct words *words, const char *word, uint64_t max)
{
	const char *cursor = word;
	uint64_t number = 0;

	if (!parse_u64(&cursor, &number) || *cursor)
		note(words, "what should be a number is none");
	else if (number > max)
		note(words, "a number is too great");
	else
		return number;
	return 0;
}

uint64_t words_number_option(struct words *words, const char *key, uint64_t max,
			     uint64_t otherwise)
{
	const char *value = words_option(words, key);

	return value ? words_number(words, value, max) : otherwise;
}

static const char *need_option(struct words *words, const char *key)
{
	const char *value = words_option(words, key);

	if (!value)
		note(words, "an option is missing");
	return value;
}

uint64_t words_need_number(struct words *words, const char *key, uint64_t max)
{
	const char *value = need_option(words, key);

	return value ? words_number(words, value, max) : 0;
}

unsigned int words_choice(struct words *words, const char *word,
			  const char *const *choices)
{
	for (unsigned int i = 0; choices[i]; i++)
		if (!strcmp(choices[i], word))
			return i;
	note(words, words_unsupported);
	return 0;
}

unsigned int words_choice_option(struct words *words, const char *key,
				 const char *const *choices)
{
	const char *value = words_option(words, key);

	return value ? words_choice(words, value, choices) : 0;
}

unsigned int words_need_choice(struct words *words, const char *key,
			       const char *const *choices)
{
	const char *value = need_option(words, key);

	return value ? words_choice(words, value, choices) : 0;
}

const char *words_end(struct words *words)
{
	for (unsigned int i = 0; i < words->count; i++)
		if (!(words->used & 1u << i))
			note(words, words_unsupported);
	return words->why;
}
