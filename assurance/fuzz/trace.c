/* SPDX-License-Identifier: MIT */
/* Fuzz target: the reader of traces, and the writer. The input is a file. */
#include "assurance/fuzz/common/fuzz.h"

#include "conformance/checker/trace_reader.h"

#include <hdmabuf/trace.h>

static void check_event(const struct hdmabuf_trace_event *event)
{
	const uint8_t *octets = event->octets;
	uint8_t sum = 0;
	size_t i;

	must(event->length <= HDMABUF_TRACE_OCTETS_MAX);
	must(event->sender <= HDMABUF_BACKEND);
	must(event->observer <= HDMABUF_BACKEND);
	if (event->kind == HDMABUF_TRACE_REQUEST ||
	    event->kind == HDMABUF_TRACE_ANSWER)
		must(event->length == sizeof(union hdmabuf_message));
	/* All of it is there: a sanitizer sees what is not. */
	for (i = 0; i < event->length; i++)
		sum = (uint8_t)(sum + octets[i]);
	(void)*(volatile uint8_t *)&sum;
}

static FILE *open_octets(const void *octets, size_t size)
{
	/* There is no stream of no octets. */
	return size ? fmemopen((void *)octets, size, "rb") :
		      fopen("/dev/null", "rbe");
}

/* An event that is written again is read again. */
static void check_again(const struct hdmabuf_trace_event *event)
{
	size_t packet = hdmabuf_trace_packet(event, NULL, 0);
	size_t size = HDMABUF_TRACE_HEADING_OCTETS + packet;
	struct hdmabuf_trace_event again;
	struct trace_reader *reader;
	char error[TRACE_ERROR_TEXT];
	uint8_t *octets;
	FILE *file;

	must(packet);
	octets = fuzz_alloc(size);
	hdmabuf_trace_heading(octets);
	must(hdmabuf_trace_packet(event, octets + HDMABUF_TRACE_HEADING_OCTETS,
				  packet) == packet);
	file = open_octets(octets, size);
	reader = trace_reader_new(file);
	must(reader);
	must(trace_reader_next(reader, &again, error) == TRACE_EVENT);
	must(again.time == event->time && again.kind == event->kind &&
	     again.sender == event->sender &&
	     again.observer == event->observer && again.link == event->link &&
	     again.length == event->length);
	must(!memcmp(again.octets, event->octets, event->length));
	must(trace_reader_next(reader, &again, error) == TRACE_END);
	trace_reader_free(reader);
	fclose(file);
	free(octets);
}

static void check_error(const char *error)
{
	size_t length = strnlen(error, TRACE_ERROR_TEXT);

	must(length && length < TRACE_ERROR_TEXT);
	must(!strchr(error, '\n'));
	must(!strncmp(error, "at octet ", 9));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	FILE *file = open_octets(octets, size);
	struct trace_reader *reader;
	struct hdmabuf_trace_event event;
	char error[TRACE_ERROR_TEXT] = "";
	enum trace_next next;
	size_t events = 0;

	must(file);
	reader = trace_reader_new(file);
	must(reader);
	while ((next = trace_reader_next(reader, &event, error)) ==
	       TRACE_EVENT) {
		/* A packet has so many octets at least. */
		must(++events <= size / 32);
		check_event(&event);
		if (events == 1)
			check_again(&event);
	}
	if (next == TRACE_DAMAGED)
		check_error(error);
	trace_reader_free(reader);
	fclose(file);
	return 0;
}
