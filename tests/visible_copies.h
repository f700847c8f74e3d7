/* SPDX-License-Identifier: MIT */
/*
 * visible_copies.h - copies that ThreadSanitizer sees; included before all else
 *
 * It sees a call to memcpy(); of what gcc copies in line for __builtin_memcpy(), it sees
 * nothing. To go with -fno-builtin-memcpy.
 */
#ifndef HDMABUF_TESTS_VISIBLE_COPIES_H
#define HDMABUF_TESTS_VISIBLE_COPIES_H

void *memcpy(void *to, const void *from, __SIZE_TYPE__ octets);

#define __builtin_memcpy memcpy

#endif
