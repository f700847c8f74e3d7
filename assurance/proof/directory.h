/* SPDX-License-Identifier: MIT */
/*
 * directory.h - what is proved of the readers of directories
 *
 * The page is the private copy that was made of it, with any content.
 */
#ifndef HDMABUF_ASSURANCE_DIRECTORY_H
#define HDMABUF_ASSURANCE_DIRECTORY_H

#include "assurance/proof/proof.h"

/*@
predicate all_zero(hdmabuf_le32 *word, integer from, integer to) =
	\forall integer i; from <= i < to ==> word[i] == 0;
*/

/*@ requires from + 31 <= 0xffffffff && \valid_read(word + (from .. from + 31));
    assigns \nothing;
    ensures \result ==> all_zero(word, from, from + 32); */
static inline bool hdmabuf_is_zero_block(const hdmabuf_le32 *word,
					 uint32_t from);

/*@ requires from <= to && \valid_read(word + (from .. to - 1));
    assigns \nothing;
    ensures from <= \result <= to && all_zero(word, from, \result);
    ensures \result < to ==> word[\result] != 0; */
static inline uint32_t hdmabuf_nonzero(const hdmabuf_le32 *word, uint32_t from,
				       uint32_t to);

#include "lib/core/directory_formats.h"

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == status; */
uint16_t hdmabuf_fault_set(struct hdmabuf_fault *fault, uint16_t status,
			   uint32_t where, uint64_t offset, uint64_t value);

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == status; */
uint16_t hdmabuf_directory_fault(struct hdmabuf_fault *fault, uint16_t status,
				 uint64_t entry, uint64_t value);

/*@ requires \valid(fault);
    assigns *fault;
    ensures \result == fault->status == HDMABUF_STATUS_NO_MEMORY; */
uint16_t hdmabuf_reader_full(struct hdmabuf_fault *fault);

#endif
