/* SPDX-License-Identifier: MIT */
/* Two ends in one process, over a Xen that is not there. */
#define _GNU_SOURCE
#include "pair_suite.h"
#include "xen_ends.h"

static const struct CMUnitTest tests[] = {
	PAIR_SUITE(&xen_kind),
};

int main(void)
{
	return hdmabuf_test_run("xen-pair", tests,
				sizeof(tests) / sizeof(tests[0]));
}
