/* SPDX-License-Identifier: MIT */
#include "conformance/checker/judge_trace.h"
#include "conformance/checker/checker.h"
#include "conformance/checker/trace_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

struct judgement {
	const char *path;
	FILE *out;
	struct trace_reader *reader;
	struct checker *checker;
	uint64_t events;
	uint64_t findings[VERDICT_COUNT];
};

static const char *name_of(enum hdmabuf_role role)
{
	return role == HDMABUF_FRONTEND ? "frontend" : "backend";
}

static void on_found(void *user, enum clause clause, enum hdmabuf_role offender,
		     uint32_t link, const char *text)
{
	struct judgement *judgement = user;
	enum verdict verdict = clause_duty(clause) == MUST ? VERDICT_FAIL :
							     VERDICT_WARN;

	judgement->findings[verdict]++;
	fprintf(judgement->out, "%s %s %s, link %u, packet %" PRIu64 ": %s\n",
		verdict_name(verdict), clause_id(clause), name_of(offender),
		link, trace_reader_packet(judgement->reader), text);
}

static void sum_up(const struct judgement *judgement)
{
	fprintf(judgement->out,
		"%" PRIu64 " events: %" PRIu64 " failures, %" PRIu64
		" warnings\n",
		judgement->events, judgement->findings[VERDICT_FAIL],
		judgement->findings[VERDICT_WARN]);
}

static int fail(const struct judgement *judgement, int status, const char *why)
{
	fprintf(stderr, "hdmabuf-conformance: %s: %s\n", judgement->path, why);
	return status;
}

static int judge_events(struct judgement *judgement)
{
	struct hdmabuf_trace_event event;
	char error[TRACE_ERROR_TEXT];
	enum trace_next next;

	while ((next = trace_reader_next(judgement->reader, &event, error)) ==
	       TRACE_EVENT) {
		judgement->events++;
		checker_feed(judgement->checker, &event);
	}
	sum_up(judgement);
	if (fflush(judgement->out))
		return fail(judgement, EX_IOERR,
			    "what was found cannot be "
			    "written");
	if (next == TRACE_DAMAGED)
		return fail(judgement, EX_DATAERR, error);
	if (!judgement->events)
		return fail(judgement, EX_DATAERR, "there are no events in it");
	return judgement->findings[VERDICT_FAIL] ? 1 : EX_OK;
}

static int judge_file(struct judgement *judgement, FILE *file)
{
	int status;

	judgement->reader = trace_reader_new(file);
	judgement->checker = checker_new(on_found, judgement);
	status = judgement->reader && judgement->checker ?
			 judge_events(judgement) :
			 fail(judgement, EX_OSERR, strerror(ENOMEM));
	checker_free(judgement->checker);
	trace_reader_free(judgement->reader);
	return status;
}

int judge_trace(const char *path, FILE *out)
{
	struct judgement judgement = { .path = path, .out = out };
	FILE *file = fopen(path, "rb");
	int status;

	if (!file)
		return fail(&judgement, EX_NOINPUT, strerror(errno));
	status = judge_file(&judgement, file);
	fclose(file);
	return status;
}
