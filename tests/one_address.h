/* SPDX-License-Identifier: MIT */
/*
 * one_address.h - two ends in one process that see shared memory at one address
 *
 * The local platform maps what is shared once more, at an address of its own. What
 * looks for races goes by addresses, and would not see that it is the same memory.
 */
#ifndef HDMABUF_TESTS_ONE_ADDRESS_H
#define HDMABUF_TESTS_ONE_ADDRESS_H

#include <hdmabuf/platform.h>

/*
 * Opens the two; each may be used by a thread of its own. There is one such pair at a
 * time. Returns 0, or a negative errno.
 */
int one_address_pair(struct hdmabuf_platform *front,
		     struct hdmabuf_platform *back);

#endif
