/* SPDX-License-Identifier: MIT */
/* The header leans on nothing before it, and hinders nothing after it. */
#include <hyper_dmabuf.h>

#include <float.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

uint32_t first(const union hdmabuf_message *message);

uint32_t first(const union hdmabuf_message *message)
{
	return hdmabuf_get_le32(message->header.id);
}
