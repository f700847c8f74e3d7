/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 of Jean-Philippe Aumasson and Daniel J. Bernstein, of 16 octets: a
 * short hash that nobody can make collide who does not know the key.
 */
#ifndef HDMABUF_CORE_SIPHASH_H
#define HDMABUF_CORE_SIPHASH_H

#include <hdmabuf/types.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t sip_rotate(uint64_t word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void sip_round(struct sip *sip)
{
	sip->v0 += sip->v1;
	sip->v1 = sip_rotate(sip->v1, 13) ^ sip->v0;
	sip->v0 = sip_rotate(sip->v0, 32);
	sip->v2 += sip->v3;
	sip->v3 = sip_rotate(sip->v3, 16) ^ sip->v2;
	sip->v0 += sip->v3;
	sip->v3 = sip_rotate(sip->v3, 21) ^ sip->v0;
	sip->v2 += sip->v1;
	sip->v1 = sip_rotate(sip->v1, 17) ^ sip->v2;
	sip->v2 = sip_rotate(sip->v2, 32);
}

static inline void sip_word(struct sip *sip, uint64_t word)
{
	sip->v3 ^= word;
	sip_round(sip);
	sip_round(sip);
	sip->v0 ^= word;
}

/* Both the key and the octets are two numbers of 64 bits, little-endian. */
static inline uint64_t siphash(const uint64_t key[2], const uint64_t words[2])
{
	struct sip sip = {
		.v0 = key[0] ^ 0x736f6d6570736575u,
		.v1 = key[1] ^ 0x646f72616e646f6du,
		.v2 = key[0] ^ 0x6c7967656e657261u,
		.v3 = key[1] ^ 0x7465646279746573u,
	};
	int round;

	sip_word(&sip, words[0]);
	sip_word(&sip, words[1]);
	sip_word(&sip, (uint64_t)16 << 56);
	sip.v2 ^= 0xff;
	/*@ loop invariant 0 <= round <= 4;
	    loop assigns round, sip;
	    loop variant 4 - round; */
	for (round = 0; round < 4; round++)
		sip_round(&sip);
	return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

#endif /* HDMABUF_CORE_SIPHASH_H */
