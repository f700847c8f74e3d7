/* SPDX-License-Identifier: MIT */
/*
 * How readers tell what is wrong: the contracts that other proofs rely on
 *
 * wp: hdmabuf_fault_set hdmabuf_directory_fault hdmabuf_reader_full
 * wp: hdmabuf_reader_link
 * fault ANY_LINK lib/core/directory.c s/ || next > reader->reference_max//
 */
#include "assurance/proof/directory.h"

#include "lib/core/directory.c"
#include "lib/core/fault.c"
