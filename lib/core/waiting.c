/* SPDX-License-Identifier: MIT */
/*
 * Looking before sleeping. While that is of use, the budget follows what was needed, at a
 * distance, so that what comes a little later once is still found. When it is of none, the
 * budget halves, down to nothing. From then on all there may be is tried from time to time,
 * for a try must last until an end that sleeps is awake; each time that fails, the next is
 * further away.
 */
#include <hdmabuf/waiting.h>

/* Times what was needed the last time. */
#define SPARE 4
/* Below this, looking is no more than looking once. */
#define LEAST 16
/* How much of the budget goes, each time that less was needed: an eighth. */
#define DECAY 8
/* Sleeps between two tries. */
#define INTERVAL_FIRST 2
#define INTERVAL_LAST  4096

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void hdmabuf_waiting_init(struct hdmabuf_waiting *waiting, uint32_t most)
{
	waiting->most = most;
	waiting->budget = most;
	waiting->looks = 0;
	waiting->sleeps = 0;
	waiting->interval = INTERVAL_FIRST;
}

static void rest(struct hdmabuf_waiting *waiting)
{
	waiting->sleeps++;
	if (waiting->sleeps < waiting->interval)
		return;
	waiting->sleeps = 0;
	waiting->budget = waiting->most;
	if (waiting->interval < INTERVAL_LAST)
		waiting->interval *= 2;
}

/* With all of it nothing was found: less would do no better. */
static uint32_t half_of(const struct hdmabuf_waiting *waiting)
{
	uint32_t half = waiting->budget / 2;

	return waiting->budget == waiting->most || half < LEAST ? 0 : half;
}

bool hdmabuf_waiting_look_again(struct hdmabuf_waiting *waiting)
{
	if (waiting->looks < waiting->budget) {
		waiting->looks++;
		return true;
	}
	waiting->looks = 0;
	if (waiting->budget)
		waiting->budget = half_of(waiting);
	else
		rest(waiting);
	return false;
}

void hdmabuf_waiting_found(struct hdmabuf_waiting *waiting)
{
	uint32_t looks = waiting->looks;
	uint32_t kept = waiting->budget - waiting->budget / DECAY;
	uint32_t wanted = looks > waiting->most / SPARE ? waiting->most :
							  SPARE * looks;

	if (!looks)
		return;
	waiting->looks = 0;
	waiting->interval = INTERVAL_FIRST;
	waiting->budget = smaller(larger(wanted, larger(kept, SPARE * LEAST)),
				  waiting->most);
}
