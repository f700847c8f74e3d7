/* SPDX-License-Identifier: MIT */
/* Numbers in options and file headers: digits only, nothing wraps. */

#ifndef REFERENCE_COMMON_PARSE_H
#define REFERENCE_COMMON_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * parse_u64() - read a decimal number and step over it
 * @cursor: points at the first digit; moved behind the last one on success
 * @value: the number
 *
 * Return: false when there is no digit or the number needs more than 64 bits.
 */
bool parse_u64(const char **cursor, uint64_t *value);

/**
 * parse_u32() - the same, with 32 bits
 * @cursor: points at the first digit; moved behind the last one on success
 * @value: the number
 *
 * Return: false when there is no digit or the number needs more than 32 bits.
 */
bool parse_u32(const char **cursor, uint32_t *value);

/**
 * parse_u32_pair() - read exactly "A<separator>B" and nothing behind it
 * @text: the text
 * @separator: the character between the numbers, as 'x' in 640x480
 * @first: A
 * @second: B
 *
 * Return: whether @text was of that form.
 */
bool parse_u32_pair(const char *text, char separator, uint32_t *first,
		    uint32_t *second);

#endif
