/* SPDX-License-Identifier: MIT */
/*
 * local_ends.h - two ends of the local platform, for its tests
 */
#ifndef HDMABUF_PLATFORM_LOCAL_ENDS_H
#define HDMABUF_PLATFORM_LOCAL_ENDS_H

#include "ends.h"

/* Two ends in this process. */
static inline void ends_open(struct end *frontend, struct end *backend)
{
	memset(frontend, 0, sizeof(*frontend));
	memset(backend, 0, sizeof(*backend));
	assert_int_equal(
		hdmabuf_local_pair(&frontend->platform, &backend->platform), 0);
	frontend->ops = frontend->platform.ops;
	backend->ops = backend->platform.ops;
}

/* Two that have found each other. */
static inline void ends_pair(struct end *frontend, struct end *backend)
{
	ends_open(frontend, backend);
	ends_settle(frontend, backend);
	assert_int_equal(frontend->ups, 1);
	assert_int_equal(backend->ups, 1);
}

static inline void memory_new(struct hdmabuf_memory *memory, size_t pages)
{
	assert_int_equal(hdmabuf_memory_open("memfd", pages * PAGE, memory), 0);
}

/* ---- a place for the socket, in a directory of its own ------------------- */

struct place {
	char directory[64];
	char path[80];
	char address[96];
};

static inline void place_new(struct place *place)
{
	snprintf(place->directory, sizeof(place->directory),
		 "/tmp/hdmabuf-test-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	snprintf(place->path, sizeof(place->path), "%s/socket",
		 place->directory);
	snprintf(place->address, sizeof(place->address), "local:%s",
		 place->path);
}

/* Fails if anything was left there. */
static inline void place_free(struct place *place)
{
	assert_int_equal(rmdir(place->directory), 0);
}

#endif /* HDMABUF_PLATFORM_LOCAL_ENDS_H */
