/* SPDX-License-Identifier: MIT */
/* exchange.c - two processes that ask and answer: links, the worker, bursts */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/exchange.h"
#include "bench/measure.h"

/* What takes longer for its rounds is on a machine that does a lot besides. */
#define PATIENCE_NS 100000000000ull

/* ---- Links ------------------------------------------------------------------ */

static uint8_t *map(size_t octets, int flags, int fd)
{
	void *address = mmap(NULL, octets, PROT_READ | PROT_WRITE,
			     flags | MAP_POPULATE, fd, 0);

	must_call(address != MAP_FAILED, "mmap");
	return address;
}

static void make_descriptors(struct link *link)
{
	int end;

	for (end = ASKER; end <= SERVER; end++) {
		link->event[end] = eventfd(0, EFD_CLOEXEC);
		must_call(link->event[end] >= 0, "eventfd");
		must_call(!pipe2(link->pipe[end], O_CLOEXEC), "pipe2");
	}
	must_call(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			      link->packets),
		  "socketpair");
	must_call(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			      link->stream),
		  "socketpair");
}

void link_make(struct link *link, const char *name, size_t octets)
{
	memset(link, 0, sizeof(*link));
	link->name = name;
	link->octets = octets;
	link->shared = map(SHARED_OCTETS, MAP_SHARED | MAP_ANONYMOUS, -1);
	/* The last page: no exchange comes near. */
	link->notifications = (uint64_t *)(link->shared + SHARED_OCTETS - 4096);
	link->sleeps = link->notifications + 16;
	hdmabuf_waiting_init(&link->waiting, HDMABUF_WAITING_LOOKS);
	make_descriptors(link);
	link->data_fd = memfd_create("frame", MFD_CLOEXEC);
	must_call(link->data_fd >= 0, "memfd_create");
	must_call(!ftruncate(link->data_fd, (off_t)octets), "ftruncate");
	link->data = map(octets, MAP_SHARED, link->data_fd);
	link->copy = map(octets, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memset(link->data, 0x5a, octets);
	memset(link->copy, 0xa5, octets);
}

void link_free(struct link *link)
{
	int end;

	munmap(link->shared, SHARED_OCTETS);
	munmap(link->data, link->octets);
	munmap(link->copy, link->octets);
	close(link->data_fd);
	for (end = ASKER; end <= SERVER; end++) {
		close(link->event[end]);
		close(link->pipe[end][0]);
		close(link->pipe[end][1]);
		close(link->packets[end]);
		close(link->stream[end]);
	}
}

void notify_other(struct link *link, int end)
{
	static const uint64_t one = 1;

	link->notifications[8 * end]++;
	must_call(write(link->event[!end], &one, sizeof(one)) == sizeof(one),
		  "write to an eventfd");
}

void wait_for_other(struct link *link, int end)
{
	uint64_t count;

	link->sleeps[8 * end]++;
	must_call(read(link->event[end], &count, sizeof(count)) ==
			  sizeof(count),
		  "read from an eventfd");
}

/* What a burst has left over would wake an end of the next. */
static void drain(struct link *link)
{
	int end;

	for (end = ASKER; end <= SERVER; end++) {
		struct pollfd fd = { link->event[end], POLLIN, 0 };

		if (poll(&fd, 1, 0) == 1)
			wait_for_other(link, end);
	}
}

/* ---- The worker -------------------------------------------------------------- */

/* What the worker is told over a pipe; it answers READY, and DONE. */
struct worker {
	pid_t pid;
	int orders;
	int answers;
	int cpu[2];
	int cpu_count;
};

enum answer {
	READY = 'r',
	DONE = 'd',
};

struct order {
	uint32_t burst;
};

static void answer(int fd, enum answer what)
{
	uint8_t octet = (uint8_t)what;

	must_call(write(fd, &octet, 1) == 1, "write to the parent");
}

static void expect(const struct worker *worker, enum answer what)
{
	uint8_t octet = 0;

	must(read(worker->answers, &octet, 1) == 1 && octet == what,
	     "the worker");
}

static int cpu_of_server(const struct worker *worker, const struct burst *burst)
{
	return burst->same_processor || worker->cpu_count < 2 ? worker->cpu[0] :
								worker->cpu[1];
}

static void work(const struct worker *worker, const struct bursts *bursts,
		 int orders, int answers)
{
	struct order order;

	while (read(orders, &order, sizeof(order)) == sizeof(order)) {
		const struct burst *burst = &bursts->at[order.burst];

		burst->link->same_processor = burst->same_processor;
		pin_to(cpu_of_server(worker, burst));
		answer(answers, READY);
		burst->exchange->serve(burst->link, burst->count, &burst->pace);
		answer(answers, DONE);
	}
}

static void worker_start(struct worker *worker, struct bursts *bursts)
{
	int orders[2], answers[2];
	unsigned int i;

	worker->cpu_count = processors(worker->cpu);
	must_call(!pipe2(orders, O_CLOEXEC) && !pipe2(answers, O_CLOEXEC),
		  "pipe2");
	fflush(stdout);
	worker->pid = fork();
	must_call(worker->pid >= 0, "fork");
	if (!worker->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(orders[1]);
		close(answers[0]);
		work(worker, bursts, orders[0], answers[1]);
		_exit(0);
	}
	close(orders[0]);
	close(answers[1]);
	worker->orders = orders[1];
	worker->answers = answers[0];
	for (i = 0; i < bursts->count; i++)
		bursts->at[i].link->worker = worker->pid;
	pin_to(worker->cpu[0]);
}

static void worker_stop(struct worker *worker)
{
	int status;

	close(worker->orders);
	close(worker->answers);
	must_call(waitpid(worker->pid, &status, 0) == worker->pid, "waitpid");
	must(!status, "the worker");
}

/* ---- Bursts ------------------------------------------------------------------- */

struct burst *bursts_add(struct bursts *bursts, struct link *link,
			 const struct exchange *exchange, unsigned int count,
			 struct pace pace, bool same_processor)
{
	struct burst *burst = &bursts->at[bursts->count++];

	must(bursts->count <= BURSTS_MAX, "counting bursts");
	*burst = (struct burst){ link, exchange,       pace, count,
				 1,    same_processor, "" };
	snprintf(burst->name, sizeof(burst->name), "%s%s/%s/%u%s", link->name,
		 exchange->name, same_processor ? "same" : "cross", pace.window,
		 pace.stream ? "/stream" : "");
	return burst;
}

/* Nanoseconds for one operation. */
static double run_one(const struct bursts *bursts, unsigned int index,
		      const struct worker *worker)
{
	const struct burst *burst = &bursts->at[index];
	struct link *link = burst->link;
	struct order order = { index };
	uint64_t begin, end;

	drain(link);
	link->sleeps[8 * ASKER] = 0;
	link->sleeps[8 * SERVER] = 0;
	link->same_processor = burst->same_processor;
	if (burst->exchange->prepare)
		burst->exchange->prepare(link);
	if (burst->exchange->serve) {
		must_call(write(worker->orders, &order, sizeof(order)) ==
				  sizeof(order),
			  "write to the worker");
		expect(worker, READY);
	}
	begin = now_ns();
	burst->exchange->ask(link, burst->count, &burst->pace);
	end = now_ns();
	if (burst->exchange->serve)
		expect(worker, DONE);
	return (double)(end - begin) / burst->count;
}

/* How many each burst took, over all rounds that are told. */
struct tally {
	uint64_t notifications;
	uint64_t sleeps;
	uint64_t operations;
};

static void count(struct tally *tally, const struct burst *burst)
{
	tally->operations += burst->count;
	tally->notifications += burst->link->notifications[8 * ASKER] +
				burst->link->notifications[8 * SERVER];
	tally->sleeps += burst->link->sleeps[8 * ASKER] +
			 burst->link->sleeps[8 * SERVER];
}

static void tell_count(const char *what, uint64_t counted,
		       const struct burst *burst, const struct tally *tally)
{
	char name[96];

	snprintf(name, sizeof(name), "%s %s", what, burst->name);
	tell_value(name, (double)counted / (double)tally->operations);
}

static void tell_tally(const struct burst *burst, const struct tally *tally)
{
	if (!burst->exchange->serve || !tally->operations)
		return;
	tell_count("notifications", tally->notifications, burst, tally);
	tell_count("sleeps", tally->sleeps, burst, tally);
}

/* All are run in the first round, which is not told. */
static bool is_due(const struct burst *burst, unsigned int round)
{
	return !round || (burst->every && (round - 1) % burst->every == 0);
}

static void run_round(struct bursts *bursts, unsigned int round,
		      const struct worker *worker, struct tally *tallies)
{
	unsigned int i;

	for (i = 0; i < bursts->count; i++) {
		unsigned int index = (round + i) % bursts->count;
		const struct burst *burst = &bursts->at[index];
		double took;

		if (!is_due(burst, round))
			continue;
		burst->link->notifications[8 * ASKER] = 0;
		burst->link->notifications[8 * SERVER] = 0;
		took = run_one(bursts, index, worker);
		if (!round)
			continue;
		tell_burst(round, burst->name, took);
		count(&tallies[index], burst);
	}
}

/*
 * All in every round, so that whatever else the machine does hits all of them
 * alike; each round begins with another, so that none always follows the same.
 */
void bursts_run(struct bursts *bursts, unsigned int rounds)
{
	struct tally tallies[BURSTS_MAX] = { 0 };
	struct worker worker;
	uint64_t end = now_ns() + PATIENCE_NS;
	unsigned int i;

	worker_start(&worker, bursts);
	for (i = 0; i <= rounds && now_ns() < end; i++)
		run_round(bursts, i, &worker, tallies);
	worker_stop(&worker);
	for (i = 0; i < bursts->count; i++)
		tell_tally(&bursts->at[i], &tallies[i]);
}
