/* SPDX-License-Identifier: MIT */
/*
 * codec.h - messages in native form
 *
 * A request or answer is decoded from a private copy of its slot, and encoded
 * into one.  Decoding checks everything that can be known from the message and
 * its format alone: reserved fields, ranges, flags.  What depends on a session,
 * its buffers and its timelines is the caller's to check.
 */
#ifndef HDMABUF_CODEC_H
#define HDMABUF_CODEC_H

#include <hdmabuf/fault.h>
#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_limits - what an end is willing to hold for the other
 * @max_octets: octets, in whole pages, of all buffers imported at once
 * @max_buffers: buffers imported at once
 * @max_timelines: timelines that the other end may create
 * @max_private: octets of private data in a descriptor
 * @max_in_flight: requests of the other end that may be unanswered, at least 1
 */
struct hdmabuf_limits {
	uint64_t max_octets;
	uint32_t max_buffers;
	uint32_t max_timelines;
	uint32_t max_private;
	uint32_t max_in_flight;
};

/**
 * struct hdmabuf_hello_body - payload of HELLO and of its answer
 * @epoch_frontend: the frontend's epoch
 * @epoch_backend: the backend's epoch
 * @features: bits accepted
 * @limits: of the end that sends it
 */
struct hdmabuf_hello_body {
	uint64_t epoch_frontend;
	uint64_t epoch_backend;
	uint64_t features;
	struct hdmabuf_limits limits;
};

/**
 * struct hdmabuf_hand_off_body - payload of HAND_OFF
 * @wait_point: to wait for before the buffer is accessed
 * @signal_point: to signal when the receiver has finished
 * @wait_timeline: timeline of @wait_point, or ``HDMABUF_NO_TIMELINE``
 * @signal_timeline: timeline of @signal_point, or ``HDMABUF_NO_TIMELINE``
 * @flags: ``HDMABUF_HAND_OFF_MORE`` or 0
 * @stamp: the application's
 */
struct hdmabuf_hand_off_body {
	uint64_t wait_point;
	uint64_t signal_point;
	uint32_t wait_timeline;
	uint32_t signal_timeline;
	uint32_t flags;
	uint64_t stamp;
};

/**
 * struct hdmabuf_allocate_body - payload of ALLOCATE
 * @size: octets of data, 0 to leave it to the exporter (pictures only)
 * @tag: that the buffer shall have
 * @modifier: of the picture
 * @width: of the picture, in pixels, or 0
 * @height: of the picture, in rows, or 0
 * @fourcc: of the picture, or 0
 * @rights: &enum hdmabuf_rights
 * @attributes: &enum hdmabuf_attribute
 */
struct hdmabuf_allocate_body {
	uint64_t size;
	uint64_t tag;
	uint64_t modifier;
	uint32_t width;
	uint32_t height;
	uint32_t fourcc;
	uint32_t rights;
	uint32_t attributes;
};

/**
 * struct hdmabuf_query_body - payload of the answer to QUERY
 * @state: &enum hdmabuf_buffer_state
 * @rights: &enum hdmabuf_rights
 * @size: octets of data
 * @pages: pages of the buffer
 * @generation: of the metadata
 * @tag: as in the descriptor
 * @hand_offs: hand-offs accepted
 * @type: &enum hdmabuf_type
 * @private_octets: octets of private data
 */
struct hdmabuf_query_body {
	uint32_t state;
	uint32_t rights;
	uint64_t size;
	uint64_t pages;
	uint64_t generation;
	uint64_t tag;
	uint64_t hand_offs;
	uint32_t type;
	uint32_t private_octets;
};

/**
 * struct hdmabuf_request - a request in native form
 * @id: chosen by the requester
 * @operation: &enum hdmabuf_operation; says which of the members below count
 * @buffer: EXPORT, UPDATE, UNEXPORT, RELEASED, HAND_OFF, QUERY, CPU_BEGIN,
 *	CPU_END: the buffer
 * @hello: HELLO
 * @reason: CLOSE: &enum hdmabuf_reason
 * @echo: ECHO
 * @descriptor: EXPORT, UPDATE: reference of the descriptor, and its octets
 * @descriptor.reference: of the page
 * @descriptor.length: octets with private data
 * @grace_ms: UNEXPORT: milliseconds
 * @hand_off: HAND_OFF
 * @allocate: ALLOCATE
 * @cpu_access: CPU_BEGIN, CPU_END
 * @cpu_access.offset: first octet of the data
 * @cpu_access.octets: how many
 * @cpu_access.access: ``HDMABUF_ACCESS_READ`` and ``HDMABUF_ACCESS_WRITE``
 * @timeline: TIMELINE_CREATE, TIMELINE_DESTROY
 * @timeline.number: among those of the sender
 * @timeline.signaller: &enum hdmabuf_signaller
 * @timeline.point: initial point
 */
struct hdmabuf_request {
	uint32_t id;
	uint16_t operation;
	struct hdmabuf_id buffer;
	union {
		struct hdmabuf_hello_body hello;
		uint32_t reason;
		uint8_t echo[56];
		struct {
			uint64_t reference;
			uint32_t length;
		} descriptor;
		uint32_t grace_ms;
		struct hdmabuf_hand_off_body hand_off;
		struct hdmabuf_allocate_body allocate;
		struct {
			uint64_t offset;
			uint64_t octets;
			uint32_t access;
		} cpu_access;
		struct {
			uint32_t number;
			uint32_t signaller;
			uint64_t point;
		} timeline;
	};
};

/**
 * struct hdmabuf_answer - an answer in native form
 * @id: of the request
 * @operation: of the request; says which of the members below count
 * @fault: ``fault.status`` is the status; if it is OK the rest is 0, else
 *	nothing below counts
 * @hello: HELLO
 * @echo: ECHO
 * @mapped: UNEXPORT: 0 if the buffer is released, 1 if RELEASED follows
 * @query: QUERY
 * @buffer: ALLOCATE: id of the buffer to come
 */
struct hdmabuf_answer {
	uint32_t id;
	uint16_t operation;
	struct hdmabuf_fault fault;
	union {
		struct hdmabuf_hello_body hello;
		uint8_t echo[56];
		uint32_t mapped;
		struct hdmabuf_query_body query;
		struct hdmabuf_id buffer;
	};
};

/**
 * hdmabuf_request_encode() - a request as it goes into a slot
 * @request: native form
 * @message: is filled completely; reserved fields are zero
 */
void hdmabuf_request_encode(const struct hdmabuf_request *request,
			    union hdmabuf_message *message);

/**
 * hdmabuf_request_decode() - a request out of a slot
 * @message: private copy of the slot
 * @request: native form; all members that count are filled, whatever is wrong
 * @fault: receives what is wrong
 *
 * Checks in the order of HDB-BOTH-038 what a message alone can show: operation,
 * reserved fields, values; of two faults of one rank the one with the lower offset
 * is told.  As reserved fields rank behind features and state, and values behind the
 * existence of buffers, a caller that finds a fault of its own decides by
 * *hdmabuf_fault_rank()* which one to report.
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault
 */
uint16_t hdmabuf_request_decode(const union hdmabuf_message *message,
				struct hdmabuf_request *request,
				struct hdmabuf_fault *fault);

/**
 * hdmabuf_fault_rank() - which of two faults is to be reported
 * @status: &enum hdmabuf_status
 *
 * WRONG_STATE has the place of the state of a buffer or timeline.  The state of
 * the session ranks before everything that *hdmabuf_request_decode()* finds but an
 * unknown operation: a caller checks it, and the features, first.
 *
 * Return: place of @status in the order of HDB-BOTH-038; the lower is reported.
 * OK has the last place
 */
unsigned int hdmabuf_fault_rank(uint16_t status);

/**
 * hdmabuf_answer_encode() - an answer as it goes into a slot
 * @answer: native form
 * @message: is filled completely; reserved fields are zero
 */
void hdmabuf_answer_encode(const struct hdmabuf_answer *answer,
			   union hdmabuf_message *message);

/**
 * hdmabuf_answer_decode() - an answer out of a slot
 * @message: private copy of the slot
 * @answer: native form; a status that is not known becomes
 *	``HDMABUF_STATUS_FAILED`` (HDB-BOTH-040)
 *
 * The operation of an error need not be known: it may be what was refused.
 *
 * Return: false if the answer breaks the format: it has a status of OK and an
 * unknown operation, or reserved fields that are not zero, or values that are not
 * allowed
 */
bool hdmabuf_answer_decode(const union hdmabuf_message *message,
			   struct hdmabuf_answer *answer);

/**
 * hdmabuf_id_equal() - compare two ids
 * @a: one
 * @b: the other
 *
 * Return: true if they are the same
 */
bool hdmabuf_id_equal(const struct hdmabuf_id *a, const struct hdmabuf_id *b);

/**
 * hdmabuf_id_is_zero() - recognise the id that no buffer has
 * @id: an id
 *
 * Return: true if all octets are zero
 */
bool hdmabuf_id_is_zero(const struct hdmabuf_id *id);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_CODEC_H */
