/* SPDX-License-Identifier: MIT */
/*
 * Fields that are zero, and which of several faults is told
 *
 * wp: octets_are_zero check_zero hdmabuf_fault_rank
 * fault ONE_OCTET_MORE lib/core/octets.h s/while (octets--)/while (octets-- + 1)/
 */
#include "assurance/proof/proof.h"

#include <hdmabuf/codec.h>

/*@ requires \valid_read((unsigned char *)at + (0 .. octets - 1));
    assigns \nothing; */
static inline bool octets_are_zero(const void *at, size_t octets);

#include "lib/core/octets.h"

/* Here, it is words that are copied. */
/*@ requires \valid_read(from + (0 .. octets - 1));
    assigns \nothing; */
uint64_t proof_word(const char *from, size_t octets);
#define octets_copy(to, from, octets) \
	(*(to) = proof_word((const char *)(from), octets))

/*@ requires \valid(fault) && \valid_read((char *)at + (0 .. octets - 1));
    assigns *fault; */
static void reserved(struct hdmabuf_fault *fault, size_t offset, const void *at,
		     size_t octets);

/*@ requires \valid(fault) && octets <= 64 && octets % 4 == 0;
    requires \valid_read((char *)at + (0 .. octets - 1));
    assigns *fault; */
static inline void check_zero(struct hdmabuf_fault *fault, size_t offset,
			      const void *at, size_t octets);

/*@ assigns \nothing;
    ensures \result <= 11 && (\result == 11 <==> status == 0); */
unsigned int hdmabuf_fault_rank(uint16_t status);

#include "lib/core/codec.c"
