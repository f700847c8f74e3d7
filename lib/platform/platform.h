/* SPDX-License-Identifier: MIT */
/*
 * platform.h - the platforms that there are
 *
 * Each opens an endpoint; @rest is what follows the prefix of an address.
 */
#ifndef HDMABUF_PLATFORM_PLATFORM_H
#define HDMABUF_PLATFORM_PLATFORM_H

#include <hdmabuf/platform.h>

int platform_open_local(const char *rest, enum hdmabuf_role role,
			struct hdmabuf_platform *platform, char *error,
			size_t error_size);
int platform_open_xen(const char *rest, enum hdmabuf_role role,
		      struct hdmabuf_platform *platform, char *error,
		      size_t error_size);

#endif /* HDMABUF_PLATFORM_PLATFORM_H */
