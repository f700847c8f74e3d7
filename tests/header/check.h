/* SPDX-License-Identifier: MIT */
/*
 * check.h - the parts of the program that checks the header as a machine sees it
 *
 * Written so that C89 and C++11 take it, for it is built as both.  Each function
 * prints what is wrong, and returns how much.
 */
#ifndef HDMABUF_TESTS_CHECK_H
#define HDMABUF_TESTS_CHECK_H

int check_layout(void);
int check_accessors(void);
int check_machines(void);

#endif /* HDMABUF_TESTS_CHECK_H */
