/* SPDX-License-Identifier: MIT */
/* Copying, clearing and comparing octets, where there may be no C library. */
#ifndef HDMABUF_CORE_OCTETS_H
#define HDMABUF_CORE_OCTETS_H

#include <hdmabuf/types.h>

#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/string.h>
/* A kernel has them under other names. */
#ifndef UINT32_MAX
#define UINT32_MAX U32_MAX
#define UINT64_MAX U64_MAX
#endif
#else
/* A compiler may call these even in a freestanding program. */
#define memcpy(to, from, octets)  __builtin_memcpy(to, from, octets)
#define memset(at, octet, octets) __builtin_memset(at, octet, octets)
#define memcmp(a, b, octets)	  __builtin_memcmp(a, b, octets)
#endif

static inline void octets_copy(void *to, const void *from, size_t octets)
{
	memcpy(to, from, octets);
}

static inline void octets_clear(void *at, size_t octets)
{
	memset(at, 0, octets);
}

static inline bool octets_equal(const void *a, const void *b, size_t octets)
{
	return memcmp(a, b, octets) == 0;
}

static inline bool octets_are_zero(const void *at, size_t octets)
{
	const unsigned char *octet = at;
	unsigned char any = 0;

	/*@ loop invariant 0 <= octets <= \at(octets, Pre);
	    loop invariant octet ==
		(unsigned char *)at + (\at(octets, Pre) - octets);
	    loop assigns octets, octet, any;
	    loop variant octets; */
	while (octets--)
		any |= *octet++;
	return any == 0;
}

#ifndef __KERNEL__
#undef memcpy
#undef memset
#undef memcmp
#endif

#endif /* HDMABUF_CORE_OCTETS_H */
