/* SPDX-License-Identifier: MIT */
/*
 * share.c - the first time that a buffer is shared, and its parts
 *
 * Both ends are in one process, so that no wake-up is measured along: the exporter
 * exports; the importer is told, maps, and reads an octet of each page. It is held
 * against passing the descriptor of the same memory over a socket, mapping that,
 * and reading the same octets.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/descriptors.h"
#include "bench/desk.h"
#include "bench/groups.h"
#include "bench/measure.h"
#include "bench/paths.h"

struct work {
	const char *name;
	size_t octets;
	struct desk front;
	struct desk back;
	struct hdmabuf_memory memory;
	int sockets[2];
};

static void work_init(struct work *work, const char *name, size_t octets)
{
	work->name = name;
	work->octets = octets;
	desk_open_pair(&work->front, &work->back);
	must(!hdmabuf_session_alloc(work->front.session, octets,
				    HDMABUF_RIGHTS_READ_ONLY, &work->memory),
	     "memory for a buffer");
	memset(work->memory.address, 0x5a, octets);
	must_call(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			      work->sockets),
		  "socketpair");
}

static void work_free(struct work *work)
{
	desk_close(&work->front);
	desk_close(&work->back);
	hdmabuf_memory_free(&work->memory);
	close(work->sockets[0]);
	close(work->sockets[1]);
}

static void tell(const struct work *work, unsigned int round, const char *what,
		 uint64_t nanoseconds)
{
	char name[64];

	snprintf(name, sizeof(name), "share/%s/%s", work->name, what);
	tell_burst(round, name, (double)nanoseconds);
}

static void unshare(struct work *work, struct hdmabuf_buffer *buffer)
{
	unsigned int released = work->front.released;

	must(!hdmabuf_unexport(buffer, 10000), "taking a buffer back");
	desk_pair_run_until(&work->front, &work->back, &work->front.released,
			    released + 1);
}

static void share(struct work *work, unsigned int round)
{
	unsigned int exports = work->front.exports;
	unsigned int imports = work->back.imports;
	struct hdmabuf_buffer *buffer;
	struct hdmabuf_info info;
	uint64_t at[5];
	void *data;

	desk_info(&info, work->octets);
	at[0] = now_ns();
	buffer = desk_export(&work->front, &work->memory, &info);
	at[1] = now_ns();
	hdmabuf_endpoint_flush(work->front.endpoint);
	desk_poll_until(&work->back, &work->back.imports, imports + 1);
	at[2] = now_ns();
	must(!hdmabuf_buffer_map(work->back.imported, &data), "mapping");
	at[3] = now_ns();
	pages_touch(data, work->octets);
	at[4] = now_ns();
	desk_pair_run_until(&work->front, &work->back, &work->front.exports,
			    exports + 1);
	unshare(work, buffer);
	tell(work, round, "export", at[1] - at[0]);
	tell(work, round, "import", at[2] - at[1]);
	tell(work, round, "map", at[3] - at[2]);
	tell(work, round, "touch", at[4] - at[3]);
	tell(work, round, "all", at[4] - at[0]);
}

static void pass(struct work *work, unsigned int round)
{
	uint64_t begin = now_ns();
	void *data;
	int fd;

	descriptor_send(work->sockets[0], work->memory.fd);
	fd = descriptor_receive(work->sockets[1]);
	data = mmap(NULL, work->octets, PROT_READ, MAP_SHARED, fd, 0);
	must_call(data != MAP_FAILED, "mmap");
	pages_touch(data, work->octets);
	tell(work, round, "scm-rights", now_ns() - begin);
	munmap(data, work->octets);
	close(fd);
}

void run_share(const struct plan *plan)
{
	struct work works[2];
	unsigned int round, i;
	int cpu[2];

	processors(cpu);
	pin_to(cpu[0]);
	work_init(&works[0], "4KiB", 4096);
	work_init(&works[1], "33MB", FRAME_OCTETS);
	for (round = 1; round <= plan->rounds; round++) {
		for (i = 0; i < 2; i++) {
			if (round % 2)
				share(&works[i], round);
			pass(&works[i], round);
			if (round % 2 == 0)
				share(&works[i], round);
		}
	}
	for (i = 0; i < 2; i++)
		work_free(&works[i]);
}
