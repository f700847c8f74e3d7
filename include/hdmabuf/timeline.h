/* SPDX-License-Identifier: MIT */
/*
 * timeline.h - the cells of timelines
 *
 * What the signaller and the waiter of a timeline do with its cell.  Nothing here
 * allocates, blocks or knows how to notify.
 */
#ifndef HDMABUF_TIMELINE_H
#define HDMABUF_TIMELINE_H

#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * hdmabuf_cell_init() - set a cell up, before TIMELINE_CREATE is sent
 * @cell: in shared memory
 * @point: the initial point
 *
 * Follows HDB-BOTH-053.
 */
void hdmabuf_cell_init(struct hdmabuf_cell *cell, uint64_t point);

/**
 * hdmabuf_cell_signal() - store a point
 * @cell: in shared memory
 * @old: the point stored before, from the caller's private memory
 * @point: the new one, greater than @old
 *
 * What the point stands for must have been done before.
 *
 * Return: true if the other end wants to be notified
 */
bool hdmabuf_cell_signal(struct hdmabuf_cell *cell, uint64_t old,
			 uint64_t point);

/**
 * hdmabuf_cell_fail() - store an error: no point will follow
 * @cell: in shared memory
 * @status: why, &enum hdmabuf_status, not OK
 *
 * The caller notifies the other end in any case.
 */
void hdmabuf_cell_fail(struct hdmabuf_cell *cell, uint16_t status);

/**
 * hdmabuf_cell_holds() - whether a cell is as a creator leaves it
 * @cell: in shared memory
 * @point: the initial point
 *
 * Follows HDB-BOTH-053.  Reads each word once.
 *
 * Return: true if it holds that point, all of it, and no error
 */
bool hdmabuf_cell_holds(const struct hdmabuf_cell *cell, uint64_t point);

/**
 * hdmabuf_cell_point() - read the point
 * @cell: in shared memory
 * @known: the greatest point seen before, from the caller's private memory
 *
 * Follows HDB-BOTH-056.  Reads each word once.
 *
 * Return: the point, or @known if that is greater or the point is just being
 * moved past a multiple of 2^32
 */
uint64_t hdmabuf_cell_point(const struct hdmabuf_cell *cell, uint64_t known);

/**
 * hdmabuf_cell_error() - read the error
 * @cell: in shared memory
 *
 * A waiter reads the error first and then the point, so that it misses no point
 * that was signalled before the error.
 *
 * Return: ``HDMABUF_STATUS_OK``, or with what the timeline has ended; a number
 * that is no status reads as ``HDMABUF_STATUS_FAILED``
 */
uint16_t hdmabuf_cell_error(const struct hdmabuf_cell *cell);

/**
 * hdmabuf_cell_arm() - ask to be notified when a point is reached
 * @cell: in shared memory
 * @point: the wanted point
 *
 * The caller must read point and error again before it sleeps.
 */
void hdmabuf_cell_arm(struct hdmabuf_cell *cell, uint64_t point);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_TIMELINE_H */
