/* SPDX-License-Identifier: MIT */
/*
 * trace.h - what two ends have said to each other, as a file
 *
 * A trace holds everything that passes between two ends, in the order in which one of
 * them, the *observer*, saw it.  Wireshark opens it, and ``hdmabuf-conformance --trace``
 * judges it.
 */
#ifndef HDMABUF_TRACE_H
#define HDMABUF_TRACE_H

#include <hdmabuf/types.h>
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
 * passes over all other blocks, and over the options of those it reads.
 *
 * A packet is *struct hdmabuf_trace_head* and then what the kind of the event says.  Its
 * numbers are little-endian, whatever the byte order of the blocks around it; this
 * library writes these little-endian, too.
 *
 * The order of the packets is the order of the events.  Those of the observer are there as
 * soon as the other end can see them: a request before its answer, a record before
 * anything that follows from it.  Those of the other end are there when the observer has
 * seen them, which may be later than they were done, or, for a point that was followed by
 * another, never.
 */

/** define HDMABUF_TRACE_VERSION - version of the packets of a trace */
#define HDMABUF_TRACE_VERSION 1
/** define HDMABUF_TRACE_LINK_TYPE - link type of a trace's interface */
#define HDMABUF_TRACE_LINK_TYPE 147
/** define HDMABUF_TRACE_OCTETS_MAX - most octets behind the head of a packet */
#define HDMABUF_TRACE_OCTETS_MAX 65536

/**
 * enum hdmabuf_trace_kind - what happened
 * @HDMABUF_TRACE_RECORD: the sender has published a record; its text follows, or
 *	nothing if the record is withdrawn
 * @HDMABUF_TRACE_CHANNEL: the frontend, which is the sender, has made a channel; the channel page
 *	follows, with as many references as it says there are
 * @HDMABUF_TRACE_REQUEST: the sender has made a request; its 64 octets follow
 * @HDMABUF_TRACE_ANSWER: the sender has answered a request; the 64 octets of the answer follow
 * @HDMABUF_TRACE_DESCRIPTOR: a descriptor of the sender, with its private data; the next
 *	request of the sender is the EXPORT or UPDATE that names it
 * @HDMABUF_TRACE_POINT: a timeline that the sender signals has moved or failed; *struct
 *	hdmabuf_trace_point* follows
 * @HDMABUF_TRACE_DOWN: the link is down, as the sender is gone; a line of text, without a
 *	newline, says why
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
 * @link: number of the pair of ends; a backend has one for each of its frontends
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
 * struct hdmabuf_trace_point - what follows the head of a point
 * @creator: &enum hdmabuf_role of the end that has created the timeline
 * @timeline: its number
 * @point: the point that is reached
 * @error: status with which the timeline has ended, or 0
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
 * struct hdmabuf_trace_event - one event, in native form
 * @time: nanoseconds since 1970
 * @kind: &enum hdmabuf_trace_kind
 * @sender: &enum hdmabuf_role of the end that did it
 * @observer: &enum hdmabuf_role of the end that saw it
 * @link: number of the pair of ends
 * @octets: what follows the head of the packet, as it was in memory
 * @length: of @octets, at most ``HDMABUF_TRACE_OCTETS_MAX``
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

/** define HDMABUF_TRACE_HEADING_OCTETS - size of what a trace file begins with */
#define HDMABUF_TRACE_HEADING_OCTETS 72

/**
 * hdmabuf_trace_heading() - what a trace file begins with
 * @octets: receives ``HDMABUF_TRACE_HEADING_OCTETS`` octets
 */
void hdmabuf_trace_heading(uint8_t *octets);

/**
 * hdmabuf_trace_packet() - what an event is in a trace file
 * @event: the event
 * @octets: receives the block, or is NULL
 * @size: of @octets
 *
 * Return: octets of the block; if they are more than @size, nothing was written; 0 if the
 * event is longer than a packet can be
 */
size_t hdmabuf_trace_packet(const struct hdmabuf_trace_event *event,
			    uint8_t *octets, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_TRACE_H */
