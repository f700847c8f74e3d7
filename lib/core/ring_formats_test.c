/* SPDX-License-Identifier: MIT */
/* Which formats a program speaks is decided when it is compiled: here, when it is run. */
#include <stdint.h>

static uint32_t spoken;

#define HDMABUF_RING_FORMATS spoken
#include <hdmabuf/ring.h>

#include "tests/harness.h"

#define ONLY_0 (1u << HDMABUF_RING_FORMAT_0)
#define ONLY_1 (1u << HDMABUF_RING_FORMAT_1)

static bool has_marks(uint32_t formats, uint32_t format)
{
	struct hdmabuf_ring ring = { .format = format };

	spoken = formats;
	return hdmabuf_ring_has_marks(&ring);
}

static void one_that_is_spoken_alone_is_not_asked_for(void **state)
{
	(void)state;
	assert_false(has_marks(ONLY_0, HDMABUF_RING_FORMAT_0));
	assert_false(has_marks(ONLY_0, HDMABUF_RING_FORMAT_1));
	assert_true(has_marks(ONLY_1, HDMABUF_RING_FORMAT_0));
	assert_true(has_marks(ONLY_1, HDMABUF_RING_FORMAT_1));
}

static void of_two_the_ring_says_which(void **state)
{
	(void)state;
	assert_false(has_marks(ONLY_0 | ONLY_1, HDMABUF_RING_FORMAT_0));
	assert_true(has_marks(ONLY_0 | ONLY_1, HDMABUF_RING_FORMAT_1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_spoken_alone_is_not_asked_for),
		cmocka_unit_test(of_two_the_ring_says_which),
	};

	return hdmabuf_test_run("ring_formats", tests,
				sizeof(tests) / sizeof(tests[0]));
}
