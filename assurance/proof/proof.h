/* SPDX-License-Identifier: MIT */
/*
 * proof.h - what stands in for the machine where lib/core is proved
 *
 * Included before all else. Whatever is read from shared memory may be any number:
 * the contracts of the functions below say nothing about what they return.
 */
#ifndef HDMABUF_ASSURANCE_PROOF_H
#define HDMABUF_ASSURANCE_PROOF_H

#define HDMABUF_NO_ACCESSORS
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hyper_dmabuf.h>

/* On a little-endian machine, where they are the identity. */
/*@ assigns \nothing;
    ensures \result == number; */
static inline uint16_t hdmabuf_get_le16(hdmabuf_le16 number)
{
	return number;
}
/*@ assigns \nothing;
    ensures \result == number; */
static inline uint32_t hdmabuf_get_le32(hdmabuf_le32 number)
{
	return number;
}
/*@ assigns \nothing;
    ensures \result == number; */
static inline uint64_t hdmabuf_get_le64(hdmabuf_le64 number)
{
	return number;
}
/*@ assigns \nothing;
    ensures \result == number; */
static inline hdmabuf_le16 hdmabuf_put_le16(uint16_t number)
{
	return number;
}
/*@ assigns \nothing;
    ensures \result == number; */
static inline hdmabuf_le32 hdmabuf_put_le32(uint32_t number)
{
	return number;
}
/*@ assigns \nothing;
    ensures \result == number; */
static inline hdmabuf_le64 hdmabuf_put_le64(uint64_t number)
{
	return number;
}

#endif
