/* SPDX-License-Identifier: MIT */
/*
 * timer.h - the time, and a timer that has one deadline
 */
#ifndef HDMABUF_PLATFORM_TIMER_H
#define HDMABUF_PLATFORM_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

/* Milliseconds of the clock that the deadlines are of. */
uint64_t timer_now(void);

/* A descriptor that is readable when the deadline is reached, or a negative errno. */
int timer_open(void);

/* @set is the deadline that is set, TIMER_NEVER at first, and becomes @deadline. */
void timer_set(int fd, uint64_t deadline, uint64_t *set);

/* Whether the deadline was reached; then it is TIMER_NEVER. */
bool timer_take(int fd, uint64_t *set);

#endif /* HDMABUF_PLATFORM_TIMER_H */
