/* SPDX-License-Identifier: MIT */
/*
 * shared_pages.c - how many pages this domain's programs have granted
 *
 * The module xen-gntalloc counts them, and compares with its limit, but shows only
 * the limit. So this looks for the lowest limit at which one more page can be had;
 * the limit is then what it was. It needs root, and nobody else may share anything
 * meanwhile. Pages of programs that have ended count as long as somebody has them
 * mapped.
 *
 * Exit status: 0; 69 if the module is not there, or there is no more to be had.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <xengnttab.h>

#define LIMIT "/sys/module/xen_gntalloc/parameters/limit"

static bool get_limit(unsigned int *limit)
{
	FILE *file = fopen(LIMIT, "re");
	bool got = file && fscanf(file, "%u", limit) == 1;

	if (file)
		fclose(file);
	return got;
}

static bool set_limit(unsigned int limit)
{
	FILE *file = fopen(LIMIT, "we");

	if (!file)
		return false;
	fprintf(file, "%u", limit);
	return !fclose(file);
}

static bool has_room(xengntshr_handle *grants, unsigned int limit)
{
	uint32_t reference;
	void *page;

	if (!set_limit(limit))
		return false;
	page = xengntshr_share_pages(grants, 0, 1, &reference, 0);
	if (page)
		xengntshr_unshare(grants, page, 1);
	return page;
}

/* The lowest limit with room for one more, which is one more than what is used. */
static unsigned int find_used(xengntshr_handle *grants, unsigned int limit)
{
	unsigned int full = 0, room = limit;

	while (room - full > 1) {
		unsigned int middle = full + (room - full) / 2;

		if (has_room(grants, middle))
			room = middle;
		else
			full = middle;
	}
	return full;
}

int main(void)
{
	xengntshr_handle *grants = xengntshr_open(NULL, 0);
	unsigned int limit, used;

	if (!grants || !get_limit(&limit)) {
		fprintf(stderr, "shared_pages: xen-gntalloc: %s\n",
			strerror(errno));
		return EX_UNAVAILABLE;
	}
	if (!has_room(grants, limit)) {
		fprintf(stderr, "shared_pages: all %u pages are in use\n",
			limit);
		return EX_UNAVAILABLE;
	}
	used = find_used(grants, limit);
	set_limit(limit);
	printf("%u\n", used);
	xengntshr_close(grants);
	return EX_OK;
}
