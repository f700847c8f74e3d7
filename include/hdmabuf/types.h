/* SPDX-License-Identifier: MIT */
/*
 * types.h - the types of C that the library is written with
 *
 * A kernel has them, but not under the names of a C compiler's headers.
 */
#ifndef HDMABUF_TYPES_H
#define HDMABUF_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#endif /* HDMABUF_TYPES_H */
