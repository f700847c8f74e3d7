/* SPDX-License-Identifier: MIT */
/*
 * types.h - the types of C that the library is written with
 *
 * A kernel has them, but not under the names of a C compiler's headers.
 */
#ifndef HDMABUF_TYPES_H
#define HDMABUF_TYPES_H

#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/types.h>
#ifndef UINT32_MAX
#define UINT32_MAX U32_MAX
#endif
#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#endif /* HDMABUF_TYPES_H */
