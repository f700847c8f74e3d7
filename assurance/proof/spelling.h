/* SPDX-License-Identifier: MIT */
/*
 * spelling.h - that runs have the pages that words name, in their order
 */
#ifndef HDMABUF_ASSURANCE_SPELLING_H
#define HDMABUF_ASSURANCE_SPELLING_H

#include "assurance/proof/positions.h"

/*@
predicate same_counts{A, B}(struct hdmabuf_run *run, integer count) =
	\forall integer i; 0 <= i < count ==>
		\at(run[i].count, A) == \at(run[i].count, B);

// What needs induction, which the provers do not do: it is proved in positions.c.
axiomatic Positions {
	axiom stays{A, B}: \forall struct hdmabuf_run *run, integer n, i;
		0 <= i <= n && same_counts{A, B}(run, n) ==>
		position{A}(run, i) == position{B}(run, i);
	axiom of_single{L}: \forall struct hdmabuf_run *run, integer n, m, i;
		0 <= n <= i <= m && are_single(run, n, m) ==>
		position(run, i) == position(run, n) + i - n;
}

// The page at some position is the one of that reference.
predicate has_page_at(struct hdmabuf_run *run, integer count, integer at,
		      integer reference) =
	\exists integer i; 0 <= i < count &&
		position(run, i) <= at < position(run, i) + run[i].count &&
		reference == run[i].reference + at - position(run, i);

// The same of some pages, which are the last of one run.
predicate has_pages_at(struct hdmabuf_run *run, integer n, integer at,
		       integer reference, integer count) =
	0 <= n && position(run, n) <= at &&
	at + count == position(run, n) + run[n].count &&
	reference == run[n].reference + at - position(run, n);

// What was at some position still is.
predicate keep{A, B}(struct hdmabuf_run *run, integer used) =
	(used > 0 ==> same_counts{A, B}(run, used - 1)) &&
	\forall integer i; 0 <= i < used ==>
		\at(run[i].reference, A) == \at(run[i].reference, B) &&
		\at(run[i].count, A) <= \at(run[i].count, B);

lemma kept{A, B}: \forall struct hdmabuf_run *run,
		integer used, more, at, reference;
	keep{A, B}(run, used) && used <= more &&
	has_page_at{A}(run, used, at, reference) ==>
		has_page_at{B}(run, more, at, reference);

// From some position on, the pages of the runs are those that words name, in their order.
predicate spell(struct hdmabuf_run *run, integer used, integer at,
		hdmabuf_le32 *word, integer count) =
	position(run, used) == at + count &&
	\forall integer i; 0 <= i < count ==>
		has_page_at(run, used, at + i, word[i]);
*/

#endif
