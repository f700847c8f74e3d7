/* SPDX-License-Identifier: MIT */
/* tests.c - all tests there are, in the order of the specification */
#include "conformance/tests/tests.h"

const struct test_group *const test_groups[] = {
	&session_tests, &record_tests, &channel_page_tests, &import_tests, NULL,
};
