/* SPDX-License-Identifier: MIT */
/* Stands in for checker.c and judge_trace.c until they are there; goes with them. */
#include "conformance/checker.h"
#include <stdlib.h>
#include "conformance/judge_trace.h"
struct checker {
	int x;
};
struct checker *checker_new(checker_found f, void *u)
{
	(void)f;
	(void)u;
	return calloc(1, sizeof(struct checker));
}
void checker_feed(struct checker *c, const struct hdmabuf_trace_event *e)
{
	(void)c;
	(void)e;
}
void checker_free(struct checker *c)
{
	free(c);
}
int judge_trace(const char *p, FILE *o)
{
	(void)p;
	(void)o;
	return 0;
}
