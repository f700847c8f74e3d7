/* SPDX-License-Identifier: MIT */
/* tests.c - all tests there are */
#include "conformance/tests/tests.h"

#define LIST_GROUP(name) &name##_tests,

const struct test_group *const test_groups[] = { TEST_GROUPS(LIST_GROUP) NULL };
