/* SPDX-License-Identifier: MIT */
/*
 * checker.h - judges what two ends say to each other
 *
 * The checker takes no part. It is fed the events of a trace, be they from a file or
 * from a test that is running, follows them by the state tables of the header, and
 * tells what either end has done that a clause forbids. Where no clause is about who
 * sends a request that is to be refused, it names the one by which it is.
 */
#ifndef CONFORMANCE_CHECKER_H
#define CONFORMANCE_CHECKER_H

#include "conformance/model/clause.h"

#include <hdmabuf/trace.h>

struct checker;

/* What was found: which clause, who broke it, on which link, and how. */
typedef void (*checker_found)(void *user, enum clause clause,
			      enum hdmabuf_role offender, uint32_t link,
			      const char *text);

/* NULL if there is no memory. */
struct checker *checker_new(checker_found found, void *user);
void checker_feed(struct checker *checker,
		  const struct hdmabuf_trace_event *event);
void checker_free(struct checker *checker);

#endif
