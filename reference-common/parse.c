/* SPDX-License-Identifier: MIT */

#include "reference-common/parse.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool parse_u64(const char **cursor, uint64_t *value)
{
	const char *c = *cursor;
	uint64_t sum = 0;

	if (!is_digit(*c))
		return false;
	for (; is_digit(*c); c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*cursor = c;
	*value = sum;
	return true;
}

bool parse_u32(const char **cursor, uint32_t *value)
{
	const char *c = *cursor;
	uint64_t number;

	if (!parse_u64(&c, &number) || number > UINT32_MAX)
		return false;
	*cursor = c;
	*value = (uint32_t)number;
	return true;
}

bool parse_u32_pair(const char *text, char separator, uint32_t *first,
		    uint32_t *second)
{
	if (!parse_u32(&text, first) || *text++ != separator)
		return false;
	return parse_u32(&text, second) && !*text;
}
