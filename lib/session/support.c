/* SPDX-License-Identifier: MIT */
/*
 * support.c - time, randomness, words for the log, and copies
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "internal.h"

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int random_octets(void *octets, size_t count)
{
	ssize_t got = getrandom(octets, count, 0);

	return got == (ssize_t)count ? 0 : -EIO;
}

/* Whether the other end can be at work while this one is; a set too small is full. */
bool has_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) > 1;
}

/* 0 if there is no randomness to be had: no epoch at all. */
uint64_t random_epoch(void)
{
	uint64_t epoch = 0;

	while (!epoch)
		if (random_octets(&epoch, sizeof(epoch)))
			return 0;
	return epoch;
}

void endpoint_log(const struct hdmabuf_endpoint *endpoint,
		  enum hdmabuf_log_level level, const char *format, ...)
{
	char line[256];
	va_list args;

	if (!endpoint->callbacks.log)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	endpoint->callbacks.log(endpoint->user, level, line);
}

void endpoint_log_fault(const struct hdmabuf_endpoint *endpoint,
			const char *what, const struct hdmabuf_fault *fault)
{
	if (fault->where == HDMABUF_WHERE_NOWHERE)
		endpoint_log(endpoint, HDMABUF_LOG_ERROR, "%s: %s", what,
			     hdmabuf_status_text(fault->status));
	else
		endpoint_log(endpoint, HDMABUF_LOG_ERROR,
			     "%s: %s: %s, at %llu, value %llu", what,
			     hdmabuf_status_text(fault->status),
			     hdmabuf_where_text(fault->where),
			     (unsigned long long)fault->offset,
			     (unsigned long long)fault->value);
}

/* In whole words, each of them read once: both places have room for the last. */
void copy_once(void *to, const void *from, size_t octets)
{
	const volatile uint64_t *source = from;
	uint64_t *target = to;
	size_t i;

	for (i = 0; i < (octets + 7) / 8; i++)
		target[i] = source[i];
}
