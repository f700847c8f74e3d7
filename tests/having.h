/* SPDX-License-Identifier: MIT */
/*
 * having.h - what this process has of what may leak
 */
#ifndef HDMABUF_TESTS_HAVING_H
#define HDMABUF_TESTS_HAVING_H

#include <stddef.h>

/**
 * struct having - what this process has
 * @descriptors: that are open
 * @mappings: of memory that is shared by its descriptor
 * @octets: allocated; with sanitizers, 0
 * @resident: octets of memory that it has in all
 */
struct having {
	int descriptors;
	int mappings;
	size_t octets;
	size_t resident;
};

struct having having_now(void);

#endif
