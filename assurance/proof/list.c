/* SPDX-License-Identifier: MIT */
/*
 * A page of a LIST of any content
 *
 * wp: entries_a_page hdmabuf_list_references hdmabuf_list_feed
 * fault ONE_ENTRY_MORE lib/core/directory_list.c s/return HDMABUF_LIST_ENTRIES(1u << page_shift)/& + 1/
 */
#include "assurance/proof/directory.h"

/*@ requires is_shift(page_shift);
    assigns \nothing;
    ensures \result == page_octets(page_shift) / 4 - 1; */
static uint32_t entries_a_page(uint32_t page_shift);

#include "lib/core/directory_list.c"
