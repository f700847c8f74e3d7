/* SPDX-License-Identifier: MIT */
/*
 * hypercalls.c - counts what domains asked of Xen while it was traced
 *
 *	xentrace -D -e 0x0020f000 -e ... FILE;  hypercalls FILE
 *
 * Reads a trace with the classes PV (0x0020f000) and SCHED (0x0002f000), and prints a
 * line for each domain that maps, unmaps or notifies:
 *
 *	domain 0: map 3 (8106 grants) unmap 1 (8100 grants) notify 12
 *
 * Exit status: 0; 64 for wrong usage; 65 if the trace is damaged; 66 if it can't be
 * read.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/trace.h>

#define CPUS	32
#define DOMAINS 256
#define EXTRA	7

/**
 * struct counts - of one domain
 * @maps, @unmaps, @notifies: hypercalls
 * @mapped, @unmapped: grants that these were about
 */
struct counts {
	uint64_t maps, mapped, unmaps, unmapped, notifies;
};

/**
 * struct trace - what is known while it is read
 * @file: the trace
 * @cpu: whose records these are
 * @running: the domain on each processor
 * @counts: of each domain
 */
struct trace {
	FILE *file;
	unsigned int cpu;
	unsigned int running[CPUS];
	struct counts counts[DOMAINS];
};

/**
 * struct record - one record
 * @event: what happened
 * @count: of words
 * @words: about it
 */
struct record {
	uint32_t event;
	unsigned int count;
	uint32_t words[EXTRA];
};

/* Returns false at the end, with @damaged set if that is no proper one. */
static bool read_record(FILE *file, struct record *record, bool *damaged)
{
	uint32_t head, cycles[2];

	if (fread(&head, sizeof(head), 1, file) != 1)
		return false;
	*damaged = true;
	record->event = head & 0x0fffffff;
	record->count = head >> 28 & 7;
	if (head >> 31 && fread(cycles, sizeof(cycles), 1, file) != 1)
		return false;
	if (fread(record->words, sizeof(uint32_t), record->count, file) !=
	    record->count)
		return false;
	*damaged = false;
	return true;
}

/* How many words argument @i of a hypercall has in the record. */
static unsigned int words_of(uint32_t flags, unsigned int i)
{
	if (flags & TRC_PV_HYPERCALL_V2_ARG_64(i))
		return 2;
	return flags & TRC_PV_HYPERCALL_V2_ARG_32(i) ? 1 : 0;
}

/* The lower half of argument @which, 0 if it is not told. */
static uint32_t argument(const struct record *record, unsigned int which)
{
	uint32_t flags = record->words[0];
	unsigned int place = 1;

	for (unsigned int i = 0; i < which; i++)
		place += words_of(flags, i);
	return words_of(flags, which) && place < record->count ?
		       record->words[place] :
		       0;
}

static void take_grant_call(struct counts *counts, const struct record *record)
{
	uint32_t grants = argument(record, 2);

	switch (argument(record, 0)) {
	case GNTTABOP_map_grant_ref:
		counts->maps++;
		counts->mapped += grants;
		break;
	case GNTTABOP_unmap_grant_ref:
		counts->unmaps++;
		counts->unmapped += grants;
		break;
	default:
		break;
	}
}

static void take_hypercall(struct trace *trace, const struct record *record)
{
	struct counts *counts = &trace->counts[trace->running[trace->cpu]];

	switch (record->words[0] & ~TRC_PV_HYPERCALL_V2_ARG_MASK) {
	case __HYPERVISOR_grant_table_op:
		take_grant_call(counts, record);
		break;
	case __HYPERVISOR_event_channel_op:
		if (argument(record, 0) == EVTCHNOP_send)
			counts->notifies++;
		break;
	default:
		break;
	}
}

static void take(struct trace *trace, const struct record *record)
{
	switch (record->event) {
	case TRC_TRACE_CPU_CHANGE:
		trace->cpu = record->words[0] % CPUS;
		break;
	/* From which domain, virtual processor, to which. */
	case TRC_SCHED_SWITCH:
		trace->running[trace->cpu] = record->words[2] % DOMAINS;
		break;
	case TRC_PV_HYPERCALL_V2:
	case TRC_PV_HYPERCALL_SUBCALL:
		take_hypercall(trace, record);
		break;
	default:
		break;
	}
}

static void print(const struct trace *trace)
{
	for (unsigned int i = 0; i < DOMAINS; i++) {
		const struct counts *counts = &trace->counts[i];

		if (counts->maps || counts->unmaps || counts->notifies)
			printf("domain %u: map %ju (%ju grants) unmap %ju (%ju grants) notify %ju\n",
			       i, (uintmax_t)counts->maps,
			       (uintmax_t)counts->mapped,
			       (uintmax_t)counts->unmaps,
			       (uintmax_t)counts->unmapped,
			       (uintmax_t)counts->notifies);
	}
}

static int count(FILE *file)
{
	struct trace trace = { .file = file };
	struct record record;
	bool damaged = false;

	while (memset(&record, 0, sizeof(record)),
	       read_record(file, &record, &damaged))
		take(&trace, &record);
	if (damaged) {
		fputs("hypercalls: the trace ends in a record\n", stderr);
		return EX_DATAERR;
	}
	print(&trace);
	return EX_OK;
}

int main(int argc, char **argv)
{
	FILE *file;
	int status;

	if (argc != 2) {
		fputs("usage: hypercalls FILE\n", stderr);
		return EX_USAGE;
	}
	file = fopen(argv[1], "re");
	if (!file) {
		fprintf(stderr, "hypercalls: %s: %s\n", argv[1],
			strerror(errno));
		return EX_NOINPUT;
	}
	status = count(file);
	fclose(file);
	return status;
}
