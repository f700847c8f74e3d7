/* SPDX-License-Identifier: MIT */
/* The cell of a timeline: points of 64 bits in words of 32. */
#include <hdmabuf/shared.h>
#include <hdmabuf/timeline.h>

#include "lib/core/octets.h"

static uint32_t high_word(uint64_t point)
{
	return (uint32_t)(point >> 32);
}

static uint32_t low_word(uint64_t point)
{
	return (uint32_t)point;
}

/*
 * The releases are the write barriers of *Signalling*, and keep what the point
 * stands for before the point (HDB-BOTH-057): no point is new to a reader that
 * has not read a new low word, or a new high one that was written last.
 */
static void store_point(struct hdmabuf_cell *cell, uint64_t point)
{
	hdmabuf_shared_write(&cell->point_next, high_word(point));
	hdmabuf_shared_write_release(&cell->point_low, low_word(point));
	hdmabuf_shared_write_release(&cell->point_high, high_word(point));
}

/* The rule of HDB-BOTH-058. */
static bool crossed(uint64_t old, uint64_t point, uint32_t wake)
{
	uint32_t moved = low_word(point) - low_word(old);

	return high_word(point) != high_word(old) ||
	       low_word(point) - wake < moved;
}

/* The other end looks at the cell only after TIMELINE_CREATE, through a ring. */
void hdmabuf_cell_init(struct hdmabuf_cell *cell, uint64_t point)
{
	octets_clear(cell, sizeof(*cell));
	store_point(cell, point);
}

/*
 * HDB-BOTH-058: the full barrier keeps the point before the reading of wake. The
 * waiter does the same the other way round (HDB-BOTH-059), so at least one of the
 * two sees what the other has written.
 */
bool hdmabuf_cell_signal(struct hdmabuf_cell *cell, uint64_t old,
			 uint64_t point)
{
	store_point(cell, point);
	hdmabuf_shared_barrier();
	return crossed(old, point, hdmabuf_shared_read(&cell->wake));
}

/* Released: who sees the error sees the points that came before it. */
void hdmabuf_cell_fail(struct hdmabuf_cell *cell, uint16_t status)
{
	hdmabuf_shared_write_release(&cell->error, status);
}

bool hdmabuf_cell_holds(const struct hdmabuf_cell *cell, uint64_t point)
{
	return hdmabuf_shared_read(&cell->point_high) == high_word(point) &&
	       hdmabuf_shared_read(&cell->point_low) == low_word(point) &&
	       hdmabuf_shared_read(&cell->point_next) == high_word(point) &&
	       !hdmabuf_shared_read(&cell->error);
}

/* The acquires are the read barriers of *Signalling*. */
uint64_t hdmabuf_cell_point(const struct hdmabuf_cell *cell, uint64_t known)
{
	uint32_t high = hdmabuf_shared_read_acquire(&cell->point_high);
	uint32_t low = hdmabuf_shared_read_acquire(&cell->point_low);
	uint32_t next = hdmabuf_shared_read(&cell->point_next);
	uint64_t point = (uint64_t)high << 32 | low;

	if (high != next || point < known)
		return known;
	return point;
}

uint16_t hdmabuf_cell_error(const struct hdmabuf_cell *cell)
{
	uint32_t error = hdmabuf_shared_read_acquire(&cell->error);

	return error > HDMABUF_STATUS_FAILED ? HDMABUF_STATUS_FAILED :
					       (uint16_t)error;
}

/* HDB-BOTH-059: the full barrier keeps wake before the reading of the point. */
void hdmabuf_cell_arm(struct hdmabuf_cell *cell, uint64_t point)
{
	hdmabuf_shared_write(&cell->wake, low_word(point));
	hdmabuf_shared_barrier();
}
