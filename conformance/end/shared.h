/* SPDX-License-Identifier: MIT */
/* shared.h - words in memory that the IUT reads and writes at the same time */
#ifndef CONFORMANCE_SHARED_H
#define CONFORMANCE_SHARED_H

#include "conformance/model/wire.h"

#include <string.h>

/* The number, of 4 octets, at @place; nothing after it is read before it. */
static inline uint32_t shared_load(const uint8_t *at, unsigned int place)
{
	const void *octets = at + wire_offset(place);
	uint32_t word =
		__atomic_load_n((const uint32_t *)octets, __ATOMIC_ACQUIRE);

	return (uint32_t)wire_get(&word, WIRE_PLACE(0, 4));
}

/* Nothing before it is written after it. */
static inline void shared_store(uint8_t *at, unsigned int place,
				uint32_t number)
{
	void *octets = at + wire_offset(place);
	uint32_t word;

	wire_put(&word, WIRE_PLACE(0, 4), number);
	__atomic_store_n((uint32_t *)octets, word, __ATOMIC_RELEASE);
}

static inline void shared_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
