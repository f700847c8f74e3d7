/* SPDX-License-Identifier: MIT */
/*
 * trace.h - a session on record
 *
 * What two ends have said to each other, in the order in which one of them saw it, as
 * a file that Wireshark opens and `hdmabuf-conformance --trace` judges.
 */
#ifndef HDMABUF_TRACE_H
#define HDMABUF_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: The trace file
 *
 * A trace is a file in the format pcapng: a section header, one interface description
 * with the link type 147 (``LINKTYPE_USER0``), the name ``hdmabuf`` and a time
 * resolution of nanoseconds, then an enhanced packet block for each event.  A reader
 * passes over all other blocks.
 *
 * A packet is *struct hdmabuf_trace_head*, little-endian whatever the byte order of the
 * section, and what the kind of the event says behind it.
 */

/** define HDMABUF_TRACE_VERSION - version of the packets of a trace */
#define HDMABUF_TRACE_VERSION 1
/** define HDMABUF_TRACE_LINK_TYPE - link type of a trace's interface */
#define HDMABUF_TRACE_LINK_TYPE 147

/**
 * enum hdmabuf_trace_kind - what happened
 * @HDMABUF_TRACE_RECORD: @sender has published a record: its text, empty if withdrawn
 * @HDMABUF_TRACE_CHANNEL: the channel page, with as many references as it says; @sender is
 *	the frontend
 * @HDMABUF_TRACE_REQUEST: a request of @sender: 64 octets
 * @HDMABUF_TRACE_ANSWER: an answer of @sender: 64 octets
 * @HDMABUF_TRACE_DESCRIPTOR: the descriptor that the EXPORT or UPDATE of @sender, which
 *	follows, names, with its private data
 * @HDMABUF_TRACE_POINT: a timeline that @sender signals has moved or failed: *struct
 *	hdmabuf_trace_point*
 * @HDMABUF_TRACE_DOWN: the link is down; @sender is the end that is gone; a line of text says
 *	why
 */
enum hdmabuf_trace_kind {
	HDMABUF_TRACE_RECORD = 1,
	HDMABUF_TRACE_CHANNEL = 2,
	HDMABUF_TRACE_REQUEST = 3,
	HDMABUF_TRACE_ANSWER = 4,
	HDMABUF_TRACE_DESCRIPTOR = 5,
	HDMABUF_TRACE_POINT = 6,
	HDMABUF_TRACE_DOWN = 7
};

/**
 * struct hdmabuf_trace_head - the beginning of a packet
 * @version: ``HDMABUF_TRACE_VERSION``
 * @kind: &enum hdmabuf_trace_kind
 * @sender: &enum hdmabuf_role of the end that did it
 * @observer: &enum hdmabuf_role of the end that recorded it
 * @link: number of the pair of ends in this file, as a backend has many
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  |version| kind  |sender |observ.| link                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_trace_head {
	uint8_t version;
	uint8_t kind;
	uint8_t sender;
	uint8_t observer;
	hdmabuf_le32 link;
};

/**
 * struct hdmabuf_trace_point - what is behind the head of a point
 * @creator: &enum hdmabuf_role of the end that has created the timeline
 * @timeline: its number
 * @point: the point
 * @error: status with which it has ended, or 0
 * @zero: zero
 *
 * Octets::
 *
 *             0       1       2       3       4       5       6       7
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      0  | creator                       | timeline                      |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *      8  | point                                                         |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 *     16  | error                         | zero                          |
 *         +-------+-------+-------+-------+-------+-------+-------+-------+
 */
struct hdmabuf_trace_point {
	hdmabuf_le32 creator;
	hdmabuf_le32 timeline;
	hdmabuf_le64 point;
	hdmabuf_le32 error;
	hdmabuf_le32 zero;
};

/**
 * struct hdmabuf_trace_event - one event in native form
 * @time: nanoseconds since 1970
 * @kind: &enum hdmabuf_trace_kind
 * @sender: &enum hdmabuf_role
 * @observer: &enum hdmabuf_role
 * @link: number of the pair of ends
 * @octets: what is behind the head
 * @length: of @octets
 */
struct hdmabuf_trace_event {
	uint64_t time;
	uint8_t kind;
	uint8_t sender;
	uint8_t observer;
	uint32_t link;
	const void *octets;
	size_t length;
};

/**
 * define HDMABUF_TRACE_HEADING_OCTETS - size of what a trace file begins with
 */
#define HDMABUF_TRACE_HEADING_OCTETS 80

/**
 * hdmabuf_trace_heading() - what a trace file begins with
 * @octets: receives ``HDMABUF_TRACE_HEADING_OCTETS`` octets
 */
void hdmabuf_trace_heading(uint8_t *octets);

/**
 * hdmabuf_trace_packet() - what an event is in a trace file
 * @event: the event; its length is at most 65536
 * @octets: receives the block, or is NULL
 * @size: of @octets
 *
 * Return: octets of the block; if that is more than @size, nothing was written
 */
size_t hdmabuf_trace_packet(const struct hdmabuf_trace_event *event,
			    uint8_t *octets, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_TRACE_H */
