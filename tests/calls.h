/* SPDX-License-Identifier: MIT */
/*
 * calls.h - calls of the C library that fail when they are told to
 *
 * Those of our own code, not those of other libraries. A test that uses this is to be
 * linked with $(FAILING_CALLS) of the Makefile.
 */
#ifndef HDMABUF_TESTS_CALLS_H
#define HDMABUF_TESTS_CALLS_H

#include <stdbool.h>

/* From now on, call number @at fails, the first being 1; 0 stands for none. */
void calls_begin(unsigned int at);
/* No more. Returns how many calls there were that could have failed. */
unsigned int calls_end(void);
/* The name of the call that failed, or NULL if none did. */
const char *calls_failed(void);

#endif
