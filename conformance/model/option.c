/* SPDX-License-Identifier: MIT */
#include "conformance/model/option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct entry {
	const char *word;
	uint64_t feature;
	const char *text;
};

#define ENTRY(name, word, feature, text) { word, feature, text },

static const struct entry entries[] = { OPTIONS(ENTRY) };

const char *option_word(unsigned int number)
{
	return entries[number].word;
}

const char *option_text(unsigned int number)
{
	return entries[number].text;
}

uint64_t option_feature(unsigned int number)
{
	return entries[number].feature;
}

/* ---- statements --------------------------------------------------------- */

#define SPACE " \t\r\n"

static bool claim(struct statement *statement, const char *word)
{
	for (unsigned int i = 0; i < OPTION_COUNT; i++)
		if (!strcmp(entries[i].word, word)) {
			statement->options |= 1u << i;
			return true;
		}
	return false;
}

/* "name WORDS" or "claims WORD...". */
static bool read_line(struct statement *statement, char *line,
		      const char **wrong)
{
	char *rest = NULL;
	char *word;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, SPACE, &rest);
	if (!word)
		return true;
	*wrong = word;
	if (!strcmp(word, "name")) {
		rest += strspn(rest, SPACE);
		rest[strcspn(rest, "\r\n")] = '\0';
		snprintf(statement->name, sizeof(statement->name), "%s", rest);
		return true;
	}
	if (strcmp(word, "claims"))
		return false;
	while ((word = strtok_r(NULL, SPACE, &rest))) {
		*wrong = word;
		if (!claim(statement, word))
			return false;
	}
	return true;
}

bool statement_read(const char *path, struct statement *statement, char *error,
		    size_t size)
{
	FILE *file = fopen(path, "re");
	unsigned int number = 0;
	const char *wrong = "";
	char line[1024];
	bool right = true;

	memset(statement, 0, sizeof(*statement));
	if (!file) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return false;
	}
	while (right && fgets(line, sizeof(line), file)) {
		number++;
		right = read_line(statement, line, &wrong);
	}
	if (!right)
		snprintf(
			error, size,
			"%s:%u: '%s' is no option; see --help for those there are",
			path, number, wrong);
	fclose(file);
	return right;
}
