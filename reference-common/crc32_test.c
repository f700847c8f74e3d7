/* SPDX-License-Identifier: MIT */

#include "reference-common/crc32.h"
#include "tests/harness.h"

#include <string.h>

static uint32_t crc_of(const void *octets, size_t count)
{
	struct crc32_table table;

	crc32_table_init(&table);
	return crc32_continue(&table, 0, octets, count);
}

/* From the catalogue of CRCs and from the PNG specification's IEND. */
static void known_values(void **state)
{
	(void)state;
	assert_int_equal(crc_of("", 0), 0);
	assert_int_equal(crc_of("a", 1), 0xe8b7be43);
	assert_int_equal(crc_of("123456789", 9), 0xcbf43926);
	assert_int_equal(crc_of("IEND", 4), 0xae426082);
	assert_int_equal(crc_of("The quick brown fox jumps over the lazy dog",
				43),
			 0x414fa339);
}

static uint32_t bit_by_bit(const uint8_t *octets, size_t count)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < count * 8; i++) {
		uint32_t bit = octets[i / 8] >> (i % 8) & 1;

		crc = crc >> 1 ^ ((crc ^ bit) & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void any_length_and_alignment(void **state)
{
	uint8_t octets[64];

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 37 + 11);
	for (size_t from = 0; from < 9; from++)
		for (size_t count = 0; from + count <= sizeof(octets); count++)
			assert_int_equal(crc_of(octets + from, count),
					 bit_by_bit(octets + from, count));
}

static void continues_at_any_place(void **state)
{
	const char text[] = "The quick brown fox jumps over the lazy dog";
	struct crc32_table table;

	(void)state;
	crc32_table_init(&table);
	for (size_t cut = 0; cut <= 43; cut++) {
		uint32_t crc = crc32_continue(&table, 0, text, cut);

		crc = crc32_continue(&table, crc, text + cut, 43 - cut);
		assert_int_equal(crc, 0x414fa339);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(any_length_and_alignment),
		cmocka_unit_test(continues_at_any_place),
	};

	return hdmabuf_test_run("crc32", tests,
				sizeof(tests) / sizeof(tests[0]));
}
