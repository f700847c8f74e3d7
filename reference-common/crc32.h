/* SPDX-License-Identifier: MIT */
/* The CRC-32 of zlib, PNG and Ethernet, eight octets at a time. */

#ifndef REFERENCE_COMMON_CRC32_H
#define REFERENCE_COMMON_CRC32_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct crc32_table - what octets do to the CRC
 * @after: @after[n][octet] is what an octet with n octets behind it adds
 *
 * Making it takes some microseconds, so that nobody needs to keep one.
 */
struct crc32_table {
	uint32_t after[8][256];
};

/**
 * crc32_table_init() - make the table
 * @table: filled in
 */
void crc32_table_init(struct crc32_table *table);

/**
 * crc32_continue() - the CRC of a longer text
 * @table: from crc32_table_init()
 * @crc: the CRC of what came before, 0 at the beginning
 * @octets: what follows
 * @count: its length in octets
 *
 * Return: the CRC of all of it.
 */
uint32_t crc32_continue(const struct crc32_table *table, uint32_t crc,
			const void *octets, size_t count);

#endif
