/* SPDX-License-Identifier: MIT */
/* measure.c - time, processors, and how what was measured is told */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/measure.h"

#define EXIT_FAILED 70

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int processors(int cpu[2])
{
	cpu_set_t set;
	int count = 0;
	int i;

	must_call(!sched_getaffinity(0, sizeof(set), &set),
		  "sched_getaffinity");
	for (i = 0; i < CPU_SETSIZE && count < 2; i++)
		if (CPU_ISSET(i, &set))
			cpu[count++] = i;
	return count;
}

void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must_call(!sched_setaffinity(0, sizeof(set), &set),
		  "sched_setaffinity");
}

void tell_burst(unsigned int round, const char *name, double nanoseconds)
{
	printf("burst\t%u\t%s\t%.3f\n", round, name, nanoseconds);
}

void tell_value(const char *name, double number)
{
	printf("value\t%s\t%.6g\n", name, number);
}

void tell_skip(const char *name, const char *reason)
{
	printf("skip\t%s\t%s\n", name, reason);
}

void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s went wrong\n", what);
	exit(EXIT_FAILED);
}

void must_call(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILED);
}

uint64_t memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long kibibytes = 0;
	char line[128];

	must_call(file, "/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lu kB", &kibibytes) == 1)
			break;
	fclose(file);
	return (uint64_t)kibibytes << 10;
}
