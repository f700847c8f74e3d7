/* SPDX-License-Identifier: MIT */
/* tests.h - the groups of tests, one a file, in the order of the specification */
#ifndef CONFORMANCE_TESTS_H
#define CONFORMANCE_TESTS_H

#include "conformance/tests/support.h"

/* clang-format off */
#define TEST_GROUPS(G) \
	G(session) \
	G(record) \
	G(channel_page) \
	G(rings) \
	G(marks) \
	G(closing) \
	G(loss) \
	G(messages) \
	G(faults) \
	G(import) \
	G(directories) \
	G(export) \
	G(hand_off) \
	G(update) \
	G(release) \
	G(allocate) \
	G(cpu_access) \
	G(timelines) \
	G(hostile) \
	G(platform) \
	G(local) \
	G(local_memory) \
	G(local_leaving) \
	G(xen)
/* clang-format on */

#define DECLARE_GROUP(name) extern const struct test_group name##_tests;

TEST_GROUPS(DECLARE_GROUP)

#endif
