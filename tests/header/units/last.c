/* SPDX-License-Identifier: MIT */
/* The header minds nothing that comes before it. */
#include <float.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <hyper_dmabuf.h>

hdmabuf_le32 last(uint32_t number);

hdmabuf_le32 last(uint32_t number)
{
	return hdmabuf_put_le32(number);
}
