/* SPDX-License-Identifier: MIT */
/*
 * grants.c - what of a domain's grants this one can map, and how
 *
 *	grants DOMAIN FIRST COUNT
 *
 * Tries each reference, from FIRST on, for writing and for reading only. Prints one
 * line: how many can be mapped for writing, and how many for reading only. What is
 * mapped is unmapped at once, and nothing is written. Xen's library tells each failure
 * on standard error.
 *
 * Exit status: 0; 64 for wrong usage; 69 if nothing can be mapped here at all.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <xengnttab.h>

static bool can_map(xengnttab_handle *grants, uint32_t domain,
		    uint32_t reference, int rights)
{
	void *page = xengnttab_map_grant_ref(grants, domain, reference, rights);

	if (!page)
		return false;
	xengnttab_unmap(grants, page, 1);
	return true;
}

static void count(xengnttab_handle *grants, uint32_t domain, uint32_t first,
		  uint32_t number)
{
	uint32_t writable = 0, readable = 0;

	for (uint32_t i = 0; i < number; i++) {
		if (can_map(grants, domain, first + i, PROT_READ | PROT_WRITE))
			writable++;
		else if (can_map(grants, domain, first + i, PROT_READ))
			readable++;
	}
	printf("writable %u read-only %u\n", writable, readable);
}

int main(int argc, char **argv)
{
	xengnttab_handle *grants;

	if (argc != 4) {
		fputs("usage: grants DOMAIN FIRST COUNT\n", stderr);
		return EX_USAGE;
	}
	grants = xengnttab_open(NULL, 0);
	if (!grants) {
		fprintf(stderr, "grants: /dev/xen/gntdev: %s\n",
			strerror(errno));
		return EX_UNAVAILABLE;
	}
	count(grants, (uint32_t)strtoul(argv[1], NULL, 10),
	      (uint32_t)strtoul(argv[2], NULL, 10),
	      (uint32_t)strtoul(argv[3], NULL, 10));
	xengnttab_close(grants);
	return EX_OK;
}
