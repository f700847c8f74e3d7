/* SPDX-License-Identifier: MIT */
/*
 * 32-bit references, as they lie in the pages of a LIST or TABLE
 *
 * wp: hdmabuf_is_zero_block hdmabuf_nonzero is_block consecutive check_rest
 * wp: bad_reference add_singles
 * fault BEYOND_PAGE lib/core/directory_references.c s/while (i < count \&\& hdmabuf/while (i <= count \&\& hdmabuf/
 * fault REST_UNCHECKED lib/core/directory_formats.h s/while (from < to \&\& !word\[from\])/while (from < to)/
 * fault SINGLES_BEYOND lib/core/directory_references.c s/i + 1 < count; i++/i < count; i++/
 */
#include "assurance/proof/directory.h"

/*@ requires \valid_read(word + (0 .. 31));
    assigns \nothing; */
static bool is_block(const hdmabuf_le32 *word, uint32_t first);

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

/*@ requires count >= 1 ==> \valid_read(word + (0 .. count - 1)) &&
	\valid(run + (0 .. count - 1)) &&
	\separated(run + (0 .. count - 1), word + (0 .. count - 1));
    assigns run[0 .. count - 1];
    ensures \result == 0 || 0 < \result < count; */
static uint32_t add_singles(struct hdmabuf_run *run, const hdmabuf_le32 *word,
			    uint32_t count, uint32_t next, uint64_t max);

#include "lib/core/directory_references.c"
