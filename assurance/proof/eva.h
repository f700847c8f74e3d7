/* SPDX-License-Identifier: MIT */
/*
 * eva.h - for proofs by abstract interpretation: any content, any number
 */
#ifndef HDMABUF_ASSURANCE_EVA_H
#define HDMABUF_ASSURANCE_EVA_H

#include <__fc_builtin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __builtin_memcpy	    memcpy
#define __builtin_memset	    memset
#define __builtin_memcmp	    memcmp
#define __builtin_prefetch(address) ((void)(address))

/* Memory that the other end has written. */
#define ANY_CONTENT(object) \
	Frama_C_make_unknown((char *)&(object), sizeof(object))
#define ANY(type)	     ((type)Frama_C_unsigned_long_long_interval(0, (type)-1))
#define BETWEEN(least, most) Frama_C_unsigned_int_interval(least, most)

#endif
