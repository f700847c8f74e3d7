/* SPDX-License-Identifier: MIT */
/* Connections that come and go, and how many there may be. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <sys/resource.h>

#include "local_raw.h"

static void closes_on_exec(void **state)
{
	struct end backend, frontend;
	struct place place;
	DIR *directory;
	struct dirent *entry;
	int before[256] = { 0 };
	int fd;

	(void)state;
	for (fd = 0; fd < 256; fd++)
		before[fd] = fcntl(fd, F_GETFD) >= 0;
	place_new(&place);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	end_open(&frontend, place.address, HDMABUF_FRONTEND);
	ends_until(&backend, &frontend, backend.ups && frontend.ups);
	directory = opendir("/proc/self/fd");
	while ((entry = readdir(directory))) {
		fd = atoi(entry->d_name);
		if (fd < 256 && !before[fd])
			assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	}
	closedir(directory);
	ends_close(&frontend, &backend);
	place_free(&place);
}

static void serves_many(void **state)
{
	enum {
		COUNT = 20
	};
	struct end *frontends = calloc(COUNT, sizeof(*frontends));
	struct end backend;
	struct place place;
	int i;

	(void)state;
	assert_non_null(frontends);
	place_new(&place);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	for (i = 0; i < COUNT; i++) {
		end_open(&frontends[i], place.address, HDMABUF_FRONTEND);
		ends_until(&backend, &frontends[i], frontends[i].ups);
		end_publish(&frontends[i], "epoch=1\n");
	}
	ends_until(&backend, NULL, backend.peers[COUNT - 1].records);
	for (i = 0; i < COUNT; i++)
		assert_int_equal(backend.peers[i].records, 1);
	for (i = 0; i < COUNT; i += 2)
		end_close(&frontends[i]);
	ends_until(&backend, NULL, backend.peers[COUNT - 2].downs);
	for (i = 0; i < COUNT; i++)
		assert_int_equal(backend.peers[i].downs, i % 2 ? 0 : 1);
	for (i = 1; i < COUNT; i += 2)
		end_close(&frontends[i]);
	end_close(&backend);
	free(frontends);
	place_free(&place);
}

static void bounds_connections(void **state)
{
	enum {
		LINKS = 7
	};
	int sockets[LINKS + 1];
	struct place place;
	struct end backend;
	int i;

	(void)state;
	place_new(&place);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	backend.on_down = peer_free_link;
	end_bound_links(&backend, LINKS);
	for (i = 0; i <= LINKS; i++) {
		sockets[i] = raw_connect(place.path);
		raw_attach(sockets[i]);
		ends_settle(&backend, NULL);
	}
	assert_int_equal(backend.ups, LINKS);
	assert_int_equal(backend.lines, 1);
	assert_string_equal(backend.log,
			    "there are 7 connections: more must wait");
	for (i = 0; i < 5; i++)
		ends_wait(&backend, NULL);
	assert_int_equal(backend.ups, LINKS);
	close(sockets[3]);
	ends_until(&backend, NULL, backend.ups == LINKS + 1);
	assert_int_equal(backend.peers[3].downs, 1);
	for (i = 0; i <= LINKS; i++)
		if (i != 3)
			close(sockets[i]);
	ends_settle(&backend, NULL);
	end_close(&backend);
	place_free(&place);
}

/* Those that connect and say nothing make room for those that say something. */
static void bounds_half_open(void **state)
{
	int sockets[3 * LOCAL_HALF_OPEN_MAX];
	struct end backend, frontend;
	struct place place;
	int open = 0;
	int i;

	(void)state;
	place_new(&place);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	for (i = 0; i < 3 * LOCAL_HALF_OPEN_MAX; i++) {
		sockets[i] = raw_connect(place.path);
		ends_settle(&backend, NULL);
	}
	for (i = 0; i < 3 * LOCAL_HALF_OPEN_MAX; i++)
		open += !raw_is_cut_off(sockets[i]);
	assert_int_equal(open, LOCAL_HALF_OPEN_MAX);
	assert_false(raw_is_cut_off(sockets[3 * LOCAL_HALF_OPEN_MAX - 1]));
	end_open(&frontend, place.address, HDMABUF_FRONTEND);
	ends_until(&backend, &frontend, backend.ups && frontend.ups);
	for (i = 0; i < 3 * LOCAL_HALF_OPEN_MAX; i++)
		close(sockets[i]);
	ends_settle(&backend, &frontend);
	assert_int_equal(backend.ups, 1);
	ends_close(&frontend, &backend);
	place_free(&place);
}

static void drops_who_does_not_attach(void **state)
{
	struct place place;
	struct end backend;
	uint64_t start;
	int socket;

	(void)state;
	place_new(&place);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	start = ends_now_ms();
	socket = raw_connect(place.path);
	ends_until(&backend, NULL, raw_is_cut_off(socket));
	assert_in_range(ends_now_ms() - start, LOCAL_ATTACH_MS - 100,
			LOCAL_ATTACH_MS + 2000);
	assert_string_equal(backend.log,
			    "a connection without ATTACH is dropped");
	assert_int_equal(backend.ups, 0);
	close(socket);
	end_close(&backend);
	place_free(&place);
}

/* A frontend that is refused tries again, slower and slower. */
static void slows_down(void **state)
{
	struct end backend, frontend;
	struct place place;
	uint64_t start;

	(void)state;
	place_new(&place);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	backend.refuse = true;
	end_open(&frontend, place.address, HDMABUF_FRONTEND);
	start = ends_now_ms();
	while (ends_now_ms() < start + 2500)
		ends_wait(&backend, &frontend);
	assert_in_range(backend.ups, 4, 8);
	backend.refuse = false;
	frontend.on_down = peer_free_link;
	ends_until(&backend, &frontend,
		   frontend.ups && end_last(&frontend)->link &&
			   backend.peers[backend.ups - 1].link);
	ends_close(&frontend, &backend);
	place_free(&place);
}

/* With no descriptor left, whoever connects has to wait, and nothing spins. */
static void waits_for_descriptors(void **state)
{
	struct rlimit limit, few;
	struct place place;
	struct end backend;
	int socket, i;

	(void)state;
	place_new(&place);
	end_open(&backend, place.address, HDMABUF_BACKEND);
	socket = raw_connect(place.path);
	raw_attach(socket);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = (rlim_t)socket + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (i = 0; i < 20; i++)
		ends_wait(&backend, NULL);
	assert_int_equal(backend.lines, 1);
	assert_non_null(strstr(backend.log, "Too many open files"));
	assert_false(end_is_readable(&backend, 0));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ends_until(&backend, NULL, backend.ups == 1);
	close(socket);
	end_close(&backend);
	place_free(&place);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(closes_on_exec),
	cmocka_unit_test(serves_many),
	cmocka_unit_test(bounds_connections),
	cmocka_unit_test(bounds_half_open),
	cmocka_unit_test(drops_who_does_not_attach),
	cmocka_unit_test(slows_down),
	cmocka_unit_test(waits_for_descriptors),
};

int main(void)
{
	return hdmabuf_test_run("local-connect", tests,
				sizeof(tests) / sizeof(tests[0]));
}
