/* SPDX-License-Identifier: MIT */
/*
 * The words of a command: first those that have a place, then options, "key=value"
 * in any order. What is wrong is noted, and told by words_end().
 */

#ifndef REFERENCE_COMMON_CONTROL_WORDS_H
#define REFERENCE_COMMON_CONTROL_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* More than any command has. */
#define WORDS_MAX 16

/**
 * struct words - a line, word by word
 * @word: the words
 * @count: how many
 * @place: the next one that has a place
 * @used: bits of those that were asked for
 * @why: what is wrong, or NULL
 */
struct words {
	char *word[WORDS_MAX];
	unsigned int count;
	unsigned int place;
	uint32_t used;
	const char *why;
};

/* What words_end() returns if there is a word that nobody has asked for. */
extern const char words_unsupported[];

/**
 * words_split() - take a line apart
 * @words: filled in, points into @line
 * @line: is changed
 */
void words_split(struct words *words, char *line);

/**
 * words_next() - the next word that has a place
 * @words: from words_split()
 *
 * Return: the word, or "" if it is missing, which is wrong.
 */
const char *words_next(struct words *words);

/**
 * words_may_next() - the next word that has a place, if it is there
 * @words: from words_split()
 *
 * Return: the word, or NULL.
 */
const char *words_may_next(struct words *words);

/**
 * words_option() - the value of an option
 * @words: from words_split()
 * @key: of the option
 *
 * Return: the value, or NULL if the option is not given.
 */
const char *words_option(struct words *words, const char *key);

/**
 * words_flag() - whether there is an option without a value
 * @words: from words_split()
 * @flag: the option
 */
bool words_flag(struct words *words, const char *flag);

/**
 * words_number() - a word as a number
 * @words: notes if it is none
 * @word: decimal
 * @max: the greatest number allowed
 *
 * Return: the number, or 0.
 */
uint64_t words_number(struct words *words, const char *word, uint64_t max);

/**
 * words_number_option() - the value of an option as a number
 * @words: from words_split()
 * @key: of the option
 * @max: the greatest number allowed
 * @otherwise: what it is if it is not given
 */
uint64_t words_number_option(struct words *words, const char *key, uint64_t max,
			     uint64_t otherwise);

/**
 * words_need_number() - the same, if it must be given
 * @words: from words_split()
 * @key: of the option
 * @max: the greatest number allowed
 */
uint64_t words_need_number(struct words *words, const char *key, uint64_t max);

/**
 * words_choice() - a word as one of several
 * @words: notes that it is unsupported if it is none of them
 * @word: the word
 * @choices: ends with NULL
 *
 * Return: which it is, from 0.
 */
unsigned int words_choice(struct words *words, const char *word,
			  const char *const *choices);

/**
 * words_choice_option() - the value of an option as one of several
 * @words: from words_split()
 * @key: of the option
 * @choices: ends with NULL; the first is meant if it is not given
 */
unsigned int words_choice_option(struct words *words, const char *key,
				 const char *const *choices);

/**
 * words_need_choice() - the same, if it must be given
 * @words: from words_split()
 * @key: of the option
 * @choices: ends with NULL
 */
unsigned int words_need_choice(struct words *words, const char *key,
			       const char *const *choices);

/**
 * words_end() - to be called when everything was asked for
 * @words: from words_split()
 *
 * Return: NULL, or what is wrong, which may be words_unsupported.
 */
const char *words_end(struct words *words);

#endif
