/* SPDX-License-Identifier: MIT */
/*
 * positions.h - where the pages of a run are, among those of all runs
 */
#ifndef HDMABUF_ASSURANCE_POSITIONS_H
#define HDMABUF_ASSURANCE_POSITIONS_H

#include <hdmabuf/directory.h>
#include <hyper_dmabuf.h>

/*@
// How many pages the runs before number @n have: there, its own begin.
logic integer position(struct hdmabuf_run *run, integer n) =
	n <= 0 ? 0 : position(run, n - 1) + run[n - 1].count;

// Of extents, as they lie in a page.
logic integer pages_of(struct hdmabuf_extent *extent, integer n) =
	n <= 0 ? 0 : pages_of(extent, n - 1) + extent[n - 1].count;

predicate are_single(struct hdmabuf_run *run, integer from, integer to) =
	\forall integer i; from <= i < to ==> run[i].count == 1;
*/

#endif
