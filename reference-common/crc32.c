/* SPDX-License-Identifier: MIT */

#include "reference-common/crc32.h"

#define POLYNOMIAL 0xedb88320

void crc32_table_init(struct crc32_table *table)
{
	for (uint32_t octet = 0; octet < 256; octet++) {
		uint32_t crc = octet;

		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table->after[0][octet] = crc;
	}
	for (unsigned int n = 1; n < 8; n++)
		for (uint32_t octet = 0; octet < 256; octet++) {
			uint32_t crc = table->after[n - 1][octet];

			table->after[n][octet] = crc >> 8 ^
						 table->after[0][crc & 0xff];
		}
}

uint32_t crc32_continue(const struct crc32_table *table, uint32_t crc,
			const void *octets, size_t count)
{
	const uint32_t(*after)[256] = table->after;
	const uint8_t *octet = octets;

	crc = ~crc;
	for (; count >= 8; count -= 8, octet += 8)
		crc = after[7][(octet[0] ^ crc) & 0xff] ^
		      after[6][(octet[1] ^ crc >> 8) & 0xff] ^
		      after[5][(octet[2] ^ crc >> 16) & 0xff] ^
		      after[4][octet[3] ^ crc >> 24] ^ after[3][octet[4]] ^
		      after[2][octet[5]] ^ after[1][octet[6]] ^
		      after[0][octet[7]];
	while (count--)
		crc = crc >> 8 ^ after[0][(crc ^ *octet++) & 0xff];
	return ~crc;
}
