/* SPDX-License-Identifier: MIT */
/*
 * trace_reader.h - reads a trace file, event by event
 *
 * Nothing that the file says is believed: damage is told with the place of it.
 */
#ifndef CONFORMANCE_TRACE_READER_H
#define CONFORMANCE_TRACE_READER_H

#include <hdmabuf/trace.h>

#include <stdio.h>

/* Longest text of an error, with its terminator. */
#define TRACE_ERROR_TEXT 160

struct trace_reader;

/* What comes next in a trace. */
enum trace_next {
	TRACE_EVENT,
	TRACE_END,
	TRACE_DAMAGED
};

/* Reads from @file, which the caller closes. NULL if there is no memory. */
struct trace_reader *trace_reader_new(FILE *file);

/*
 * The next event, which is valid until the next call. If the file is damaged, or cannot
 * be read, @error gets one line that says where and how.
 */
enum trace_next trace_reader_next(struct trace_reader *reader,
				  struct hdmabuf_trace_event *event,
				  char error[TRACE_ERROR_TEXT]);

/* The number of the packet of the last event, from 1, as Wireshark counts. */
uint64_t trace_reader_packet(const struct trace_reader *reader);

void trace_reader_free(struct trace_reader *reader);

#endif
