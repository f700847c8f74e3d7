/* SPDX-License-Identifier: MIT */
/*
 * vchan.c - requests over a vchan of Xen's own, to hold ours against
 *
 *	vchan serve DOMAIN NAME			answers DOMAIN, until that leaves
 *	vchan ask DOMAIN NAME WINDOW COUNT	asks COUNT times, WINDOW at once
 *
 * Requests and answers have 64 octets, as ours have. Each end writes what there is to
 * write before it sleeps. At its end, either prints "N notifications": how often it
 * has called xenevtchn_notify().
 *
 * Exit status: 0; 64 for wrong usage; 69 if there is no vchan, or the other end leaves
 * too early.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <libxenvchan.h>
#include <xenevtchn.h>

#define SLOT_OCTETS 64
#define RING_OCTETS 16384
#define CONNECT_S   30
#define WINDOW_MAX  (RING_OCTETS / SLOT_OCTETS)
#define RETRY_US    20000
#define RETRIES	    (CONNECT_S * 1000000 / RETRY_US)

typedef int notify_function(xenevtchn_handle *handle, evtchn_port_t port);

static uint64_t notifications;

/* libxenvchan comes here, and not to libxenevtchn. */
__attribute__((visibility("default"))) int
xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port)
{
	notify_function *next =
		(notify_function *)dlsym(RTLD_NEXT, "xenevtchn_notify");

	notifications++;
	return next(handle, port);
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "vchan: %s: %s\n", what, why);
	return EX_UNAVAILABLE;
}

/* Sleeps until there are some octets; false if there will be none any more. */
static bool wait_for_octets(struct libxenvchan *vchan)
{
	while (libxenvchan_data_ready(vchan) < SLOT_OCTETS) {
		if (libxenvchan_is_open(vchan) != 1)
			return false;
		if (libxenvchan_wait(vchan))
			return false;
	}
	return true;
}

/* Answers all requests that have come. */
static void answer(struct libxenvchan *vchan)
{
	uint8_t slot[SLOT_OCTETS];

	while (libxenvchan_data_ready(vchan) >= SLOT_OCTETS &&
	       libxenvchan_read(vchan, slot, SLOT_OCTETS) == SLOT_OCTETS)
		if (libxenvchan_write(vchan, slot, SLOT_OCTETS) != SLOT_OCTETS)
			return;
}

static int serve(int domain, const char *name)
{
	struct libxenvchan *vchan;
	char path[64];

	snprintf(path, sizeof(path), "data/vchan/%s", name);
	vchan = libxenvchan_server_init(NULL, domain, path, RING_OCTETS,
					RING_OCTETS);
	if (!vchan)
		return fail(path, strerror(errno));
	vchan->blocking = 1;
	while (libxenvchan_is_open(vchan) == 2)
		libxenvchan_wait(vchan);
	notifications = 0;
	while (wait_for_octets(vchan))
		answer(vchan);
	libxenvchan_close(vchan);
	return 0;
}

static struct libxenvchan *connect_to(int domain, const char *name)
{
	struct libxenvchan *vchan = NULL;
	char path[96];

	snprintf(path, sizeof(path), "/local/domain/%d/data/vchan/%s", domain,
		 name);
	for (unsigned int i = 0; !vchan && i < RETRIES; i++) {
		vchan = libxenvchan_client_init(NULL, domain, path);
		if (!vchan)
			usleep(RETRY_US);
	}
	return vchan;
}

static bool send_one(struct libxenvchan *vchan)
{
	static const uint8_t slot[SLOT_OCTETS];

	return libxenvchan_write(vchan, slot, SLOT_OCTETS) == SLOT_OCTETS;
}

/* As soon as an answer is there, the next request. */
static bool ask_all(struct libxenvchan *vchan, uint32_t window, uint32_t count)
{
	uint8_t slot[SLOT_OCTETS];
	uint32_t asked = 0, answered = 0;

	while (answered < count) {
		for (; asked < count && asked - answered < window; asked++)
			if (!send_one(vchan))
				return false;
		if (!wait_for_octets(vchan))
			return false;
		while (libxenvchan_data_ready(vchan) >= SLOT_OCTETS) {
			if (libxenvchan_read(vchan, slot, SLOT_OCTETS) !=
			    SLOT_OCTETS)
				return false;
			answered++;
		}
	}
	return true;
}

static int ask(int domain, const char *name, uint32_t window, uint32_t count)
{
	struct libxenvchan *vchan = connect_to(domain, name);
	bool done;

	if (!vchan)
		return fail(name, "nobody serves there");
	vchan->blocking = 1;
	notifications = 0;
	done = ask_all(vchan, window, count);
	printf("%llu notifications\n", (unsigned long long)notifications);
	libxenvchan_close(vchan);
	return done ? 0 : fail(name, "the other end has left");
}

static int usage(void)
{
	fputs("usage: vchan serve DOMAIN NAME, or "
	      "vchan ask DOMAIN NAME WINDOW COUNT\n",
	      stderr);
	return EX_USAGE;
}

int main(int argc, char **argv)
{
	uint32_t window;
	int status;

	if (argc == 6 && !strcmp(argv[1], "ask")) {
		window = (uint32_t)atoi(argv[4]);
		if (!window || window > WINDOW_MAX)
			return usage();
		return ask(atoi(argv[2]), argv[3], window,
			   (uint32_t)atoi(argv[5]));
	}
	if (argc != 4 || strcmp(argv[1], "serve") != 0)
		return usage();
	status = serve(atoi(argv[2]), argv[3]);
	if (!status)
		printf("%llu notifications\n",
		       (unsigned long long)notifications);
	return status;
}
