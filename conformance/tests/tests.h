/* SPDX-License-Identifier: MIT */
/* tests.h - the groups of tests, one a file */
#ifndef CONFORMANCE_TESTS_H
#define CONFORMANCE_TESTS_H

#include "conformance/tests/support.h"

extern const struct test_group session_tests;
extern const struct test_group record_tests;
extern const struct test_group channel_page_tests;
extern const struct test_group import_tests;

#endif
