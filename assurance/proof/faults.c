/* SPDX-License-Identifier: MIT */
/*
 * How readers tell what is wrong: the contracts that other proofs rely on
 *
 * wp: hdmabuf_fault_set hdmabuf_directory_fault hdmabuf_reader_full
 * wp: hdmabuf_reader_link
 * fault ANY_LINK lib/core/directory.c s/ || next > reader->reference_max//
 */
#include "assurance/proof/directory.h"

/* HDB-IMP-012 */
/*@ requires \valid(reader) && \valid(fault) && \separated(reader, fault);
    assigns *fault, reader->next;
    ensures \result == 0 ==> reader->next == next &&
	(reader->entries_read == reader->layout.entries ?
	 next == 0 : 1 <= next <= reader->reference_max); */
uint16_t hdmabuf_reader_link(struct hdmabuf_directory_reader *reader,
			     uint64_t next, struct hdmabuf_fault *fault);

#include "lib/core/directory.c"
#include "lib/core/fault.c"
