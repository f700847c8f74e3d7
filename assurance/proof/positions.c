/* SPDX-License-Identifier: MIT */
/*
 * What the proofs of directories take for granted of positions, by induction: a loop.
 * Runs at two times are here two arrays of runs.
 *
 * wp: stays of_single sum_of_single
 * fault OTHER_COUNTS assurance/proof/positions.c s/ensures \\forall integer i; 0 <= i <= n/ensures \\forall integer i; 0 <= i <= n + 1/
 * fault LAST_OF_TWO assurance/proof/positions.h s/from <= i < to/from < i < to/
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assurance/proof/positions.h"

/*@ requires \forall integer i; 0 <= i < n ==> run[i].count == later[i].count;
    assigns \nothing;
    ensures \forall integer i; 0 <= i <= n ==>
	position(run, i) == position(later, i); */
void stays(const struct hdmabuf_run *run, const struct hdmabuf_run *later,
	   uint64_t n)
{
	uint64_t i;

	/*@ loop invariant 0 <= i <= n;
	    loop invariant \forall integer k; 0 <= k <= i ==>
		position(run, k) == position(later, k);
	    loop assigns i;
	    loop variant n - i; */
	for (i = 0; i < n; i++) {
		/*@ assert position(run, i + 1) == position(run, i) +
			run[i].count; */
		/*@ assert position(later, i + 1) == position(later, i) +
			later[i].count; */
	}
}

/*@ requires n <= m && are_single(run, n, m);
    assigns \nothing;
    ensures \forall integer i; n <= i <= m ==>
	position(run, i) == position(run, n) + i - n; */
void of_single(const struct hdmabuf_run *run, uint64_t n, uint64_t m)
{
	uint64_t i;

	/*@ loop invariant n <= i <= m;
	    loop invariant \forall integer k; n <= k <= i ==>
		position(run, k) == position(run, n) + k - n;
	    loop assigns i;
	    loop variant m - i; */
	for (i = n; i < m; i++) {
		/*@ assert position(run, i + 1) == position(run, i) +
			run[i].count; */
	}
}

/*@ requires \forall integer i; 0 <= i < n ==> extent[i].count == 1;
    assigns \nothing;
    ensures pages_of(extent, n) == n; */
void sum_of_single(const struct hdmabuf_extent *extent, uint64_t n)
{
	uint64_t i;

	/*@ loop invariant 0 <= i <= n;
	    loop invariant pages_of(extent, i) == i;
	    loop assigns i;
	    loop variant n - i; */
	for (i = 0; i < n; i++) {
		/*@ assert pages_of(extent, i + 1) == pages_of(extent, i) +
			extent[i].count; */
	}
}
