/* SPDX-License-Identifier: MIT */
/*
 * many.c - a backend with many sessions
 *
 * Two backends, each a process: one has a single session, the other more and more.
 * Their frontends are in this process, and echo: what an echo takes with many, and
 * what it takes alone, are measured in the same rounds.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/desk.h"
#include "bench/groups.h"
#include "bench/measure.h"

#define ECHOES	   16
#define SILENCE_MS 20

/* What a backend tells of itself whenever it has nothing to do. */
struct statement {
	volatile uint64_t number;
	volatile uint64_t heap;
	volatile uint64_t resident;
};

struct backend {
	char folder[32];
	char address[64];
	struct statement *statement;
	pid_t pid;
};

/* ---- The backend ------------------------------------------------------------------------ */

static uint64_t resident_octets(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	must_call(file, "/proc/self/statm");
	must(fscanf(file, "%*u %lu", &pages) == 1, "/proc/self/statm");
	fclose(file);
	return (uint64_t)pages * 4096;
}

static void state(struct statement *statement)
{
	statement->heap = mallinfo2().uordblks;
	statement->resident = resident_octets();
	statement->number++;
}

static void serve(const char *address, struct statement *statement)
{
	static struct desk desk;
	struct pollfd fd = { .events = POLLIN };

	desk_open(&desk, address, HDMABUF_BACKEND);
	fd.fd = hdmabuf_endpoint_fd(desk.endpoint);
	for (;;) {
		if (poll(&fd, 1, SILENCE_MS))
			hdmabuf_endpoint_dispatch(desk.endpoint);
		else
			state(statement);
	}
}

static void backend_start(struct backend *backend)
{
	int cpu[2];

	processors(cpu);
	snprintf(backend->folder, sizeof(backend->folder),
		 "/tmp/hdmabuf-bench-XXXXXX");
	must_call(mkdtemp(backend->folder), "mkdtemp");
	snprintf(backend->address, sizeof(backend->address), "local:%s/socket",
		 backend->folder);
	backend->statement = mmap(NULL, sizeof(*backend->statement),
				  PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must_call(backend->statement != MAP_FAILED, "mmap");
	fflush(stdout);
	backend->pid = fork();
	must_call(backend->pid >= 0, "fork");
	if (backend->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_to(cpu[0]);
	serve(backend->address, backend->statement);
}

static void backend_stop(struct backend *backend)
{
	kill(backend->pid, SIGKILL);
	waitpid(backend->pid, NULL, 0);
	unlink(backend->address + sizeof("local:") - 1);
	rmdir(backend->folder);
	munmap(backend->statement, sizeof(*backend->statement));
}

/* The next one but the one that may be under way. */
static struct statement wait_for_statement(const struct backend *backend)
{
	uint64_t number = backend->statement->number + 2;

	while (backend->statement->number < number)
		poll(NULL, 0, SILENCE_MS);
	return *backend->statement;
}

/* ---- Frontends ------------------------------------------------------------------------------ */

static void connect_one(struct desk *desk, const struct backend *backend)
{
	desk_open(desk, backend->address, HDMABUF_FRONTEND);
	desk_run_until(desk, &desk->connects, 1);
}

static double echo(struct desk *desk)
{
	static const uint8_t octets[56];
	uint64_t begin = now_ns();
	unsigned int i;

	for (i = 0; i < ECHOES; i++) {
		must(!hdmabuf_session_echo(desk->session, octets), "an echo");
		desk_run_until(desk, &desk->echoes, desk->echoes + 1);
	}
	return (double)(now_ns() - begin) / ECHOES;
}

static void tell(unsigned int count, const char *what, double number)
{
	char name[64];

	snprintf(name, sizeof(name), "growth/sessions/%u/%s", count, what);
	tell_value(name, number);
}

static void measure(struct desk *many, struct desk *one, unsigned int count,
		    unsigned int rounds)
{
	char name_many[64], name_one[64];
	unsigned int round;

	snprintf(name_many, sizeof(name_many), "growth/sessions/%u/echo",
		 count);
	snprintf(name_one, sizeof(name_one), "growth/sessions/%u/alone/echo",
		 count);
	for (round = 1; round <= rounds; round++) {
		tell_burst(round, name_many, echo(many));
		tell_burst(round, name_one, echo(one));
	}
}

/* As many descriptors as are allowed: a session has some at each end. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	must_call(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must_call(!setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

void run_many(const struct plan *plan)
{
	static const unsigned int counts[] = { 10, 100, 1000 };
	unsigned int i, connected = 0, last = plan->quick ? 2 : 3;
	struct desk *desks = calloc(counts[2], sizeof(*desks));
	struct backend many, one;
	struct statement before, after;
	struct desk alone;
	int cpu[2];

	must_call(desks, "memory for frontends");
	raise_descriptors();
	processors(cpu);
	pin_to(cpu[0]);
	backend_start(&one);
	backend_start(&many);
	connect_one(&alone, &one);
	connect_one(&desks[connected++], &many);
	before = wait_for_statement(&many);
	for (i = 0; i < last; i++) {
		unsigned int more = counts[i] - connected;
		uint64_t begin = now_ns();

		while (connected < counts[i])
			connect_one(&desks[connected++], &many);
		tell(counts[i], "connect", (double)(now_ns() - begin) / more);
		after = wait_for_statement(&many);
		tell(counts[i], "heap",
		     (double)(after.heap - before.heap) / (counts[i] - 1));
		tell(counts[i], "resident",
		     (double)(after.resident - before.resident) /
			     (counts[i] - 1));
		measure(&desks[0], &alone, counts[i], plan->rounds);
	}
	while (connected--)
		desk_close(&desks[connected]);
	desk_close(&alone);
	backend_stop(&many);
	backend_stop(&one);
	free(desks);
}
