/* SPDX-License-Identifier: MIT */
/*
 * dmabuf.c - buffers of displif and sndif as dma-bufs, each end of them
 *
 *	dmabuf share DOMAIN OCTETS		a frontend that allocates
 *	dmabuf make DOMAIN DIRECTORY OCTETS	its backend makes a dma-buf of the pages
 *	dmabuf ask DOMAIN OCTETS		a frontend that asks for a buffer
 *	dmabuf grant DOMAIN DIRECTORY OCTETS	its backend grants a graphics card's
 *
 * A frontend writes "directory N", and "crc32 X" of what the buffer has; with "ask" it
 * waits for SIGUSR1, that the backend has filled in the directory, before it looks.
 * What share and grant hold, they hold until SIGTERM. A backend writes how the buffer
 * is shared, make also whether it can be waited for, grant "crc32 X" of what it has put
 * there.
 *
 * Exit status: 0; 1 if something failed, which is told; 64 for wrong usage.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <hdmabuf/gref_buffer.h>
#include <hdmabuf/memory.h>
#include <xengnttab.h>

#include "reference-common/crc32.h"

#define RELEASE_MS 5000

static int say_no(const char *what, const char *why)
{
	fprintf(stderr, "dmabuf: %s: %s\n", what, why);
	return 1;
}

static void tell(const char *what, uint32_t value, const char *format)
{
	printf("%s ", what);
	printf(format, value);
	printf("\n");
	fflush(stdout);
}

static void tell_crc(const void *octets, size_t count)
{
	struct crc32_table table;

	crc32_table_init(&table);
	tell("crc32", crc32_continue(&table, 0, octets, count), "%08x");
}

/* Octets that no two pages have in common. */
static void draw(uint8_t *octets, size_t count)
{
	uint32_t state = 1;
	size_t i;

	for (i = 0; i < count; i++) {
		state = state * 1664525u + 1013904223u;
		octets[i] = (uint8_t)(state >> 24);
	}
}

static void await(int number)
{
	sigset_t set;
	int caught;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigwait(&set, &caught);
}

/* What is granted can be given back when the other end has unmapped it. */
static int put(struct hdmabuf_gref_buffer *buffer)
{
	unsigned int ms = 0;

	while (hdmabuf_gref_put(buffer)) {
		if (ms++ == RELEASE_MS)
			return say_no("giving back", buffer->peer->error);
		usleep(1000);
	}
	return 0;
}

/* ---- frontends ---------------------------------------------------------- */

static int share(struct hdmabuf_gref_peer *peer, uint32_t octets)
{
	struct hdmabuf_gref_buffer buffer;

	if (hdmabuf_gref_share(peer, octets, true, &buffer))
		return say_no("sharing", peer->error);
	draw(buffer.address, octets);
	tell("directory", buffer.directory, "%u");
	tell_crc(buffer.address, octets);
	await(SIGTERM);
	return put(&buffer);
}

static int ask(struct hdmabuf_gref_peer *peer, uint32_t octets)
{
	struct hdmabuf_gref_buffer buffer;

	if (hdmabuf_gref_ask(peer, octets, &buffer))
		return say_no("asking", peer->error);
	tell("directory", buffer.directory, "%u");
	await(SIGUSR1);
	if (hdmabuf_gref_get(&buffer))
		return say_no("mapping", peer->error);
	tell_crc(buffer.address, octets);
	return put(&buffer);
}

/* ---- backends ----------------------------------------------------------- */

/* As long as there is another descriptor of it, it is in use. */
static int make(struct hdmabuf_gref_peer *peer, uint32_t directory,
		uint32_t octets)
{
	struct hdmabuf_gref_buffer buffer;
	int other, error;

	if (hdmabuf_gref_map_dmabuf(peer, directory, octets, &buffer))
		return say_no("making", peer->error);
	printf("%s\n", buffer.note);
	if (buffer.dmabuf < 0)
		return put(&buffer);
	other = dup(buffer.dmabuf);
	error = hdmabuf_gref_wait(&buffer, 0);
	printf("with another user of it: %s\n",
	       error == -ETIMEDOUT ? "in use" : strerror(-error));
	close(other);
	if (hdmabuf_gref_wait(&buffer, RELEASE_MS))
		return say_no("waiting", peer->error);
	printf("without: released\n");
	return put(&buffer);
}

static int grant(struct hdmabuf_gref_peer *peer, uint32_t directory,
		 uint32_t octets)
{
	struct hdmabuf_gref_buffer buffer;
	struct hdmabuf_memory memory;
	int error = hdmabuf_memory_open("drm", octets, &memory);

	if (error)
		return say_no("a graphics card's buffer", strerror(-error));
	draw(memory.address, octets);
	if (hdmabuf_gref_grant_dmabuf(peer, directory, octets,
				      memory.dmabuf ? memory.fd : -1, &buffer))
		return say_no("granting", peer->error);
	printf("%s\n", buffer.note);
	if (buffer.address)
		draw(buffer.address, octets);
	tell_crc(memory.address, octets);
	await(SIGTERM);
	error = put(&buffer);
	hdmabuf_memory_free(&memory);
	return error;
}

/* ---- which -------------------------------------------------------------- */

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static uint32_t number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

static int run(struct hdmabuf_gref_peer *peer, int count, char **words)
{
	const char *what = count ? words[0] : "";

	if (count == 3 && !strcmp(what, "share"))
		return share(peer, number(words[2]));
	if (count == 3 && !strcmp(what, "ask"))
		return ask(peer, number(words[2]));
	if (count == 4 && !strcmp(what, "make"))
		return make(peer, number(words[2]), number(words[3]));
	if (count == 4 && !strcmp(what, "grant"))
		return grant(peer, number(words[2]), number(words[3]));
	fprintf(stderr, "usage: dmabuf share|ask DOMAIN OCTETS\n"
			"       dmabuf make|grant DOMAIN DIRECTORY OCTETS\n");
	return EX_USAGE;
}

int main(int argc, char **argv)
{
	struct hdmabuf_gref_peer peer = {
		.grants = xengnttab_open(NULL, 0),
		.shares = xengntshr_open(NULL, 0),
		.domain = argc > 2 ? number(argv[2]) : 0,
	};
	int status;

	block_signals();
	if (!peer.grants || !peer.shares)
		return say_no("gntdev or gntalloc", strerror(errno));
	status = run(&peer, argc - 1, argv + 1);
	xengntshr_close(peer.shares);
	xengnttab_close(peer.grants);
	return status;
}
