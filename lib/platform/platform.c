/* SPDX-License-Identifier: MIT */
/*
 * platform.c - platforms by the prefix of an address
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "platform.h"

#ifndef HDMABUF_HAVE_XEN
int platform_open_xen(const char *rest, enum hdmabuf_role role,
		      struct hdmabuf_platform *platform, char *error,
		      size_t error_size)
{
	(void)role;
	(void)platform;
	snprintf(
		error, error_size,
		"xen:%s: built without Xen; install libxen-dev and build again",
		rest);
	return -ENOSYS;
}
#endif

static const struct {
	const char *prefix;
	int (*open)(const char *rest, enum hdmabuf_role role,
		    struct hdmabuf_platform *platform, char *error,
		    size_t error_size);
} platforms[] = {
	{ "local:", platform_open_local },
	{ "xen:", platform_open_xen },
};

int hdmabuf_platform_open(const char *address, enum hdmabuf_role role,
			  struct hdmabuf_platform *platform, char *error,
			  size_t error_size)
{
	size_t i;

	for (i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
		size_t length = strlen(platforms[i].prefix);

		if (!strncmp(address, platforms[i].prefix, length))
			return platforms[i].open(address + length, role,
						 platform, error, error_size);
	}
	snprintf(error, error_size,
		 "'%s' is no address: write local:PATH or xen:DEVICE", address);
	return -EINVAL;
}
