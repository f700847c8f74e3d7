/* SPDX-License-Identifier: MIT */
/*
 * 32-bit references, as they lie in the pages of a LIST or TABLE
 *
 * wp: is_block consecutive check_rest bad_reference
 * fault BEYOND_PAGE lib/core/directory_references.c s/while (i < count \&\& hdmabuf/while (i <= count \&\& hdmabuf/
 * fault REST_UNCHECKED lib/core/directory_references.c s/if (word\[count\])/if (0)/
 */
#include "assurance/proof/directory.h"

/*@ requires \valid_read(word + (-1 .. 31));
    assigns \nothing; */
static bool is_block(const hdmabuf_le32 *word);

/*@ requires count >= 1 && \valid_read(word + (0 .. count - 1));
    assigns \nothing;
    ensures 1 <= \result <= count; */
static uint32_t consecutive(const hdmabuf_le32 *word, uint32_t count);

/*@ requires count <= fit && \valid_read(word + (0 .. fit - 1)) &&
	\valid(fault) && \separated(fault, word + (0 .. fit - 1));
    assigns *fault;
    ensures \result == 0 ==> all_zero(word, count, fit);
    ensures \result == 0 || \result == fault->status; */
static uint16_t check_rest(const hdmabuf_le32 *word, uint32_t count,
			   uint32_t fit, uint64_t entry, uint64_t span,
			   struct hdmabuf_fault *fault);

/*@ requires max <= 0xffffffff && \valid(fault) && \valid_read(word);
    requires 1 <= word[0] <= max ==>
	\valid_read(word + (max - word[0] + 1));
    assigns *fault;
    ensures \result == HDMABUF_STATUS_BAD_REFERENCE; */
static uint16_t bad_reference(uint64_t max, const hdmabuf_le32 *word,
			      uint64_t entry, uint64_t span,
			      struct hdmabuf_fault *fault);

#include "lib/core/directory_references.c"
