/* SPDX-License-Identifier: MIT */
/* xen_instructions.c - what Xen's own macros take for what instructions.c counts */
#include <stdio.h>

#include "bench/xen_ring.h"

#define TIMES 1024

static _Alignas(4096) uint8_t ring_page[XEN_RING_OCTETS];

__attribute__((noipa)) static void path_xen_ring_round_trip_1024(void)
{
	union hdmabuf_message message = { .octets = { 1 } };
	union ring_state front, back;
	bool good = true;
	unsigned int i;

	xen_attach(&front, ring_page, ASKER);
	xen_attach(&back, ring_page, SERVER);
	for (i = 0; i < TIMES; i++) {
		xen_put_request(&front, &message);
		xen_push_requests(&front);
		good &= xen_take_request(&back, &message);
		xen_put_answer(&back, &message);
		xen_push_answers(&back);
		good &= xen_take_answer(&front, &message);
	}
	must(good, "a round trip");
}

/* Its counts are not recorded: what made it does not matter. */
int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return puts("any") < 0;
	xen_format(ring_page);
	path_xen_ring_round_trip_1024();
	return 0;
}
