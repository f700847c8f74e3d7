/* SPDX-License-Identifier: MIT */
/*
 * timer.c - the time, and a timer that has one deadline
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "timer.h"

uint64_t timer_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int timer_open(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void timer_set(int fd, uint64_t deadline, uint64_t *set)
{
	struct itimerspec timer = { 0 };

	if (deadline == *set)
		return;
	*set = deadline;
	if (deadline != TIMER_NEVER) {
		/* All zero would stop the timer. */
		timer.it_value.tv_sec = (time_t)(deadline / 1000);
		timer.it_value.tv_nsec = (long)(deadline % 1000 * 1000000) + 1;
	}
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

bool timer_take(int fd, uint64_t *set)
{
	uint64_t ticks;

	if (read(fd, &ticks, sizeof(ticks)) < 0)
		return false; /* set anew meanwhile */
	*set = TIMER_NEVER;
	return true;
}
