/* SPDX-License-Identifier: MIT */
/* Keeps what two ends say to each other in a trace file, see <hdmabuf/trace.h>. */

#ifndef REFERENCE_COMMON_RECORD_H
#define REFERENCE_COMMON_RECORD_H

#include "reference-common/fail.h"

#include <hdmabuf/trace.h>

struct record;

/**
 * record_open() - begin a trace file
 * @path: of the file, which is replaced
 * @failure: says why it cannot be
 *
 * Return: the record, or NULL.
 */
struct record *record_open(const char *path, struct failure *failure);

/**
 * record_add() - write an event to it, at once
 * @record: open
 * @event: as the library has told it
 * @failure: says why it cannot be
 *
 * Return: 0 or -1; after that, the record is of no more use.
 */
int record_add(struct record *record, const struct hdmabuf_trace_event *event,
	       struct failure *failure);

/**
 * record_close() - that was the last event
 * @record: open, or NULL
 */
void record_close(struct record *record);

#endif
