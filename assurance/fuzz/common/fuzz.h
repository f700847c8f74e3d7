/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share
 *
 * A target is a file with LLVMFuzzerTestOneInput(). It reads its input as a script,
 * calls what is under test, and says by must() what has to hold whatever the input is.
 */
#ifndef HDMABUF_ASSURANCE_FUZZ_H
#define HDMABUF_ASSURANCE_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

_Noreturn static inline void fuzz_broken(const char *promise, const char *file,
					 int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, promise);
	abort();
}

/* A fuzzer takes it for a crash, and keeps the input. */
#define must(promise) \
	((promise) ? (void)0 : fuzz_broken(#promise, __FILE__, __LINE__))

static inline void *fuzz_alloc(size_t octets)
{
	void *memory = calloc(1, octets ? octets : 1);

	must(memory);
	return memory;
}

/* ---- The input ---------------------------------------------------------- */

struct input {
	const uint8_t *at;
	size_t left;
};

/* What is missing at the end is zero. */
static inline void input_take(struct input *input, void *to, size_t octets)
{
	size_t here = octets < input->left ? octets : input->left;

	memset(to, 0, octets);
	if (!here)
		return;
	memcpy(to, input->at, here);
	input->at += here;
	input->left -= here;
}

static inline uint64_t input_number(struct input *input, unsigned int octets)
{
	uint8_t taken[8];
	uint64_t number = 0;

	input_take(input, taken, octets);
	while (octets--)
		number = number << 8 | taken[octets];
	return number;
}

static inline uint8_t input_octet(struct input *input)
{
	return (uint8_t)input_number(input, 1);
}

static inline uint16_t input_16(struct input *input)
{
	return (uint16_t)input_number(input, 2);
}

static inline uint32_t input_32(struct input *input)
{
	return (uint32_t)input_number(input, 4);
}

static inline uint64_t input_64(struct input *input)
{
	return input_number(input, 8);
}

#endif
