/* SPDX-License-Identifier: MIT */
/*
 * Messages, between a slot and their native form.
 *
 * Whatever is wrong with some fields, all are decoded: what else is wrong with a
 * request, and ranks before it, can only be seen from them (HDB-BOTH-038).
 */
#include <hdmabuf/codec.h>

#include "lib/core/note.h"
#include "lib/core/octets.h"

/* ---- Checks -------------------------------------------------------------- */

static void note(struct hdmabuf_fault *fault, uint16_t status, size_t offset,
		 uint64_t value)
{
	fault_note(fault, status, HDMABUF_WHERE_REQUEST, offset, value);
}

static void invalid(struct hdmabuf_fault *fault, size_t offset, uint64_t value)
{
	note(fault, HDMABUF_STATUS_INVALID, offset, value);
}

static inline void check_range(struct hdmabuf_fault *fault, size_t offset,
			       uint64_t value, uint64_t low, uint64_t high)
{
	if (value < low || value > high)
		invalid(fault, offset, value);
}

/* What fits is told as a number, of longer fields only where they are. */
static void reserved(struct hdmabuf_fault *fault, size_t offset, const void *at,
		     size_t octets)
{
	hdmabuf_le64 value = 0;

	if (octets <= sizeof(value))
		octets_copy(&value, at, octets);
	note(fault, HDMABUF_STATUS_RESERVED, offset, hdmabuf_get_le64(value));
}

/* Zero fields are whole words; most are looked at two words at a time. */
static inline void check_zero(struct hdmabuf_fault *fault, size_t offset,
			      const void *at, size_t octets)
{
	const char *octet = at;
	uint64_t two, any = 0;
	uint32_t one = 0;
	size_t i;

	/*@ loop invariant 0 <= i <= octets && i % sizeof(two) == 0;
	    loop assigns i, two, any;
	    loop variant octets - i; */
	for (i = 0; i + sizeof(two) <= octets; i += sizeof(two)) {
		octets_copy(&two, octet + i, sizeof(two));
		any |= two;
	}
	if (i < octets)
		octets_copy(&one, octet + i, sizeof(one));
	if (any | one)
		reserved(fault, offset, at, octets);
}

#define AT(type, member) offsetof(struct hdmabuf_##type, member)
#define CHECK_ZERO(fault, message, type, member) \
	check_zero(fault, AT(type, member), &(message)->member, \
		   sizeof((message)->member))

unsigned int hdmabuf_fault_rank(uint16_t status)
{
	switch (status) {
	case HDMABUF_STATUS_UNKNOWN_OPERATION:
		return 0;
	case HDMABUF_STATUS_NOT_NEGOTIATED:
		return 1;
	case HDMABUF_STATUS_WRONG_EPOCH:
	case HDMABUF_STATUS_CLOSING:
		return 2;
	case HDMABUF_STATUS_RESERVED:
		return 3;
	case HDMABUF_STATUS_NO_SUCH_BUFFER:
	case HDMABUF_STATUS_NO_SUCH_TIMELINE:
		return 4;
	case HDMABUF_STATUS_WRONG_ROLE:
		return 5;
	case HDMABUF_STATUS_WRONG_STATE:
		return 6;
	case HDMABUF_STATUS_INVALID:
	case HDMABUF_STATUS_DUPLICATE:
		return 7;
	case HDMABUF_STATUS_LIMIT:
		return 8;
	case HDMABUF_STATUS_BAD_REFERENCE:
		return 9;
	case HDMABUF_STATUS_OK:
		return 11;
	}
	return 10;
}

/* ---- Payloads of requests ------------------------------------------------ */

static void encode_hello(const struct hdmabuf_hello_body *from,
			 struct hdmabuf_hello *to)
{
	to->epoch_frontend = hdmabuf_put_le64(from->epoch_frontend);
	to->epoch_backend = hdmabuf_put_le64(from->epoch_backend);
	to->features = hdmabuf_put_le64(from->features);
	to->max_octets = hdmabuf_put_le64(from->limits.max_octets);
	to->max_buffers = hdmabuf_put_le32(from->limits.max_buffers);
	to->max_timelines = hdmabuf_put_le32(from->limits.max_timelines);
	to->max_private = hdmabuf_put_le32(from->limits.max_private);
	to->max_in_flight = hdmabuf_put_le32(from->limits.max_in_flight);
}

/* HDB-BOTH-041 */
static void check_limits(const struct hdmabuf_limits *limits,
			 struct hdmabuf_fault *fault)
{
	if (limits->max_buffers)
		check_range(fault, AT(hello, max_private), limits->max_private,
			    HDMABUF_PRIVATE_MIN, UINT32_MAX);
	check_range(fault, AT(hello, max_in_flight), limits->max_in_flight, 1,
		    UINT32_MAX);
}

static void decode_hello(const struct hdmabuf_hello *from,
			 struct hdmabuf_hello_body *to,
			 struct hdmabuf_fault *fault)
{
	to->epoch_frontend = hdmabuf_get_le64(from->epoch_frontend);
	to->epoch_backend = hdmabuf_get_le64(from->epoch_backend);
	to->features = hdmabuf_get_le64(from->features);
	to->limits.max_octets = hdmabuf_get_le64(from->max_octets);
	to->limits.max_buffers = hdmabuf_get_le32(from->max_buffers);
	to->limits.max_timelines = hdmabuf_get_le32(from->max_timelines);
	to->limits.max_private = hdmabuf_get_le32(from->max_private);
	to->limits.max_in_flight = hdmabuf_get_le32(from->max_in_flight);
	check_limits(&to->limits, fault);
	CHECK_ZERO(fault, from, hello, zero);
}

static void encode_close(const struct hdmabuf_request *from,
			 struct hdmabuf_close *to)
{
	to->reason = hdmabuf_put_le32(from->reason);
}

static void decode_close(const struct hdmabuf_close *from,
			 struct hdmabuf_request *to,
			 struct hdmabuf_fault *fault)
{
	to->reason = hdmabuf_get_le32(from->reason);
	check_range(fault, AT(close, reason), to->reason, HDMABUF_REASON_DONE,
		    HDMABUF_REASON_FAULT);
	CHECK_ZERO(fault, from, close, zero);
}

static void encode_export(const struct hdmabuf_request *from,
			  struct hdmabuf_export *to)
{
	to->id = from->buffer;
	to->descriptor = hdmabuf_put_le64(from->descriptor.reference);
	to->length = hdmabuf_put_le32(from->descriptor.length);
}

/* UPDATE names a buffer; there is none whose id is zero. */
static void decode_export(const struct hdmabuf_export *from,
			  struct hdmabuf_request *to,
			  struct hdmabuf_fault *fault)
{
	to->buffer = from->id;
	to->descriptor.reference = hdmabuf_get_le64(from->descriptor);
	to->descriptor.length = hdmabuf_get_le32(from->length);
	if (to->operation == HDMABUF_OP_EXPORT &&
	    hdmabuf_id_is_zero(&to->buffer))
		invalid(fault, AT(export, id), 0);
	check_range(fault, AT(export, length), to->descriptor.length,
		    HDMABUF_DESCRIPTOR_OCTETS, 1u << HDMABUF_PAGE_SHIFT_MAX);
	CHECK_ZERO(fault, from, export, zero);
	CHECK_ZERO(fault, from, export, zero1);
}

static void encode_unexport(const struct hdmabuf_request *from,
			    struct hdmabuf_unexport *to)
{
	to->id = from->buffer;
	to->grace_ms = hdmabuf_put_le32(from->grace_ms);
}

static void decode_unexport(const struct hdmabuf_unexport *from,
			    struct hdmabuf_request *to,
			    struct hdmabuf_fault *fault)
{
	to->buffer = from->id;
	to->grace_ms = hdmabuf_get_le32(from->grace_ms);
	CHECK_ZERO(fault, from, unexport, zero);
	CHECK_ZERO(fault, from, unexport, zero1);
}

static void encode_buffer_request(const struct hdmabuf_request *from,
				  struct hdmabuf_buffer_request *to)
{
	to->id = from->buffer;
}

static void decode_buffer_request(const struct hdmabuf_buffer_request *from,
				  struct hdmabuf_request *to,
				  struct hdmabuf_fault *fault)
{
	to->buffer = from->id;
	CHECK_ZERO(fault, from, buffer_request, zero);
}

static void encode_hand_off(const struct hdmabuf_request *request,
			    struct hdmabuf_hand_off *to)
{
	const struct hdmabuf_hand_off_body *from = &request->hand_off;

	to->id = request->buffer;
	to->wait_point = hdmabuf_put_le64(from->wait_point);
	to->signal_point = hdmabuf_put_le64(from->signal_point);
	to->wait_timeline = hdmabuf_put_le32(from->wait_timeline);
	to->signal_timeline = hdmabuf_put_le32(from->signal_timeline);
	to->flags = hdmabuf_put_le32(from->flags);
	to->stamp = hdmabuf_put_le64(from->stamp);
}

/* A point without a timeline is 0. */
static void check_point(struct hdmabuf_fault *fault, size_t offset,
			uint32_t timeline, uint64_t point)
{
	if (timeline == HDMABUF_NO_TIMELINE && point)
		invalid(fault, offset, point);
}

static void decode_hand_off(const struct hdmabuf_hand_off *from,
			    struct hdmabuf_request *request,
			    struct hdmabuf_fault *fault)
{
	struct hdmabuf_hand_off_body *to = &request->hand_off;

	request->buffer = from->id;
	to->wait_point = hdmabuf_get_le64(from->wait_point);
	to->signal_point = hdmabuf_get_le64(from->signal_point);
	to->wait_timeline = hdmabuf_get_le32(from->wait_timeline);
	to->signal_timeline = hdmabuf_get_le32(from->signal_timeline);
	to->flags = hdmabuf_get_le32(from->flags);
	to->stamp = hdmabuf_get_le64(from->stamp);
	check_point(fault, AT(hand_off, wait_point), to->wait_timeline,
		    to->wait_point);
	check_point(fault, AT(hand_off, signal_point), to->signal_timeline,
		    to->signal_point);
	check_range(fault, AT(hand_off, flags), to->flags, 0,
		    HDMABUF_HAND_OFF_MORE);
	CHECK_ZERO(fault, from, hand_off, zero);
}

static void encode_allocate(const struct hdmabuf_allocate_body *from,
			    struct hdmabuf_allocate *to)
{
	to->size = hdmabuf_put_le64(from->size);
	to->tag = hdmabuf_put_le64(from->tag);
	to->modifier = hdmabuf_put_le64(from->modifier);
	to->width = hdmabuf_put_le32(from->width);
	to->height = hdmabuf_put_le32(from->height);
	to->fourcc = hdmabuf_put_le32(from->fourcc);
	to->rights = hdmabuf_put_le32(from->rights);
	to->attributes = hdmabuf_put_le32(from->attributes);
}

/* A whole picture, or a size and nothing of a picture. */
static void check_wish(const struct hdmabuf_allocate_body *wish,
		       struct hdmabuf_fault *fault)
{
	if (wish->width || wish->height || wish->fourcc) {
		check_range(fault, AT(allocate, width), wish->width, 1,
			    UINT32_MAX);
		check_range(fault, AT(allocate, height), wish->height, 1,
			    UINT32_MAX);
		check_range(fault, AT(allocate, fourcc), wish->fourcc, 1,
			    UINT32_MAX);
		return;
	}
	check_range(fault, AT(allocate, size), wish->size, 1, UINT64_MAX);
	check_range(fault, AT(allocate, modifier), wish->modifier, 0, 0);
}

static void decode_allocate(const struct hdmabuf_allocate *from,
			    struct hdmabuf_allocate_body *to,
			    struct hdmabuf_fault *fault)
{
	to->size = hdmabuf_get_le64(from->size);
	to->tag = hdmabuf_get_le64(from->tag);
	to->modifier = hdmabuf_get_le64(from->modifier);
	to->width = hdmabuf_get_le32(from->width);
	to->height = hdmabuf_get_le32(from->height);
	to->fourcc = hdmabuf_get_le32(from->fourcc);
	to->rights = hdmabuf_get_le32(from->rights);
	to->attributes = hdmabuf_get_le32(from->attributes);
	check_wish(to, fault);
	check_range(fault, AT(allocate, rights), to->rights,
		    HDMABUF_RIGHTS_READ_ONLY, HDMABUF_RIGHTS_LEND);
	check_range(fault, AT(allocate, attributes), to->attributes,
		    HDMABUF_ATTRIBUTE_CACHED, HDMABUF_ATTRIBUTE_WRITE_COMBINED);
	CHECK_ZERO(fault, from, allocate, zero);
	CHECK_ZERO(fault, from, allocate, zero1);
}

static void encode_cpu_access(const struct hdmabuf_request *from,
			      struct hdmabuf_cpu_access *to)
{
	to->id = from->buffer;
	to->offset = hdmabuf_put_le64(from->cpu_access.offset);
	to->octets = hdmabuf_put_le64(from->cpu_access.octets);
	to->access = hdmabuf_put_le32(from->cpu_access.access);
}

/* HDB-BOTH-062: the end of the range fits 64 bits. */
static void decode_cpu_access(const struct hdmabuf_cpu_access *from,
			      struct hdmabuf_request *to,
			      struct hdmabuf_fault *fault)
{
	to->buffer = from->id;
	to->cpu_access.offset = hdmabuf_get_le64(from->offset);
	to->cpu_access.octets = hdmabuf_get_le64(from->octets);
	to->cpu_access.access = hdmabuf_get_le32(from->access);
	check_range(fault, AT(cpu_access, octets), to->cpu_access.octets, 1,
		    UINT64_MAX - to->cpu_access.offset);
	check_range(fault, AT(cpu_access, access), to->cpu_access.access,
		    HDMABUF_ACCESS_READ,
		    HDMABUF_ACCESS_READ | HDMABUF_ACCESS_WRITE);
	CHECK_ZERO(fault, from, cpu_access, zero);
	CHECK_ZERO(fault, from, cpu_access, zero1);
}

/* In TIMELINE_DESTROY, all but the number is a zero field. */
static void encode_timeline(const struct hdmabuf_request *from,
			    struct hdmabuf_timeline *to)
{
	to->timeline = hdmabuf_put_le32(from->timeline.number);
	if (from->operation == HDMABUF_OP_TIMELINE_DESTROY)
		return;
	to->signaller = hdmabuf_put_le32(from->timeline.signaller);
	to->point = hdmabuf_put_le64(from->timeline.point);
}

static void decode_timeline(const struct hdmabuf_timeline *from,
			    struct hdmabuf_request *to,
			    struct hdmabuf_fault *fault)
{
	to->timeline.number = hdmabuf_get_le32(from->timeline);
	to->timeline.signaller = 0;
	to->timeline.point = 0;
	CHECK_ZERO(fault, from, timeline, zero);
	if (to->operation == HDMABUF_OP_TIMELINE_DESTROY) {
		CHECK_ZERO(fault, from, timeline, signaller);
		CHECK_ZERO(fault, from, timeline, point);
		return;
	}
	to->timeline.signaller = hdmabuf_get_le32(from->signaller);
	to->timeline.point = hdmabuf_get_le64(from->point);
	check_range(fault, AT(timeline, signaller), to->timeline.signaller,
		    HDMABUF_SIGNALLER_CREATOR, HDMABUF_SIGNALLER_PEER);
}

/* ---- Payloads of answers ------------------------------------------------- */

static void encode_error(const struct hdmabuf_fault *from,
			 struct hdmabuf_error *to)
{
	to->where = hdmabuf_put_le32(from->where);
	to->offset = hdmabuf_put_le64(from->offset);
	to->value = hdmabuf_put_le64(from->value);
}

static void decode_error(const struct hdmabuf_error *from,
			 struct hdmabuf_fault *to, struct hdmabuf_fault *fault)
{
	to->where = hdmabuf_get_le32(from->where);
	to->offset = hdmabuf_get_le64(from->offset);
	to->value = hdmabuf_get_le64(from->value);
	/* That a channel page is wrong, no message says. */
	check_range(fault, AT(error, where), to->where, HDMABUF_WHERE_NOWHERE,
		    HDMABUF_WHERE_PAGE);
	CHECK_ZERO(fault, from, error, zero);
	CHECK_ZERO(fault, from, error, zero1);
}

static void encode_unexport_answer(const struct hdmabuf_answer *from,
				   struct hdmabuf_unexport_answer *to)
{
	to->mapped = hdmabuf_put_le32(from->mapped);
}

static void decode_unexport_answer(const struct hdmabuf_unexport_answer *from,
				   struct hdmabuf_answer *to,
				   struct hdmabuf_fault *fault)
{
	to->mapped = hdmabuf_get_le32(from->mapped);
	check_range(fault, AT(unexport_answer, mapped), to->mapped, 0, 1);
	CHECK_ZERO(fault, from, unexport_answer, zero);
	CHECK_ZERO(fault, from, unexport_answer, zero1);
}

static void encode_query_answer(const struct hdmabuf_query_body *from,
				struct hdmabuf_query_answer *to)
{
	to->state = hdmabuf_put_le32(from->state);
	to->rights = hdmabuf_put_le32(from->rights);
	to->size = hdmabuf_put_le64(from->size);
	to->pages = hdmabuf_put_le64(from->pages);
	to->generation = hdmabuf_put_le64(from->generation);
	to->tag = hdmabuf_put_le64(from->tag);
	to->hand_offs = hdmabuf_put_le64(from->hand_offs);
	to->type = hdmabuf_put_le32(from->type);
	to->private_octets = hdmabuf_put_le32(from->private_octets);
}

static void decode_query_answer(const struct hdmabuf_query_answer *from,
				struct hdmabuf_query_body *to,
				struct hdmabuf_fault *fault)
{
	to->state = hdmabuf_get_le32(from->state);
	to->rights = hdmabuf_get_le32(from->rights);
	to->size = hdmabuf_get_le64(from->size);
	to->pages = hdmabuf_get_le64(from->pages);
	to->generation = hdmabuf_get_le64(from->generation);
	to->tag = hdmabuf_get_le64(from->tag);
	to->hand_offs = hdmabuf_get_le64(from->hand_offs);
	to->type = hdmabuf_get_le32(from->type);
	to->private_octets = hdmabuf_get_le32(from->private_octets);
	check_range(fault, AT(query_answer, state), to->state,
		    HDMABUF_BUFFER_EXPORTING, HDMABUF_BUFFER_STATES - 1);
	check_range(fault, AT(query_answer, rights), to->rights,
		    HDMABUF_RIGHTS_READ_ONLY, HDMABUF_RIGHTS_LEND);
	check_range(fault, AT(query_answer, type), to->type, HDMABUF_TYPE_RAW,
		    HDMABUF_TYPE_CYCLIC);
}

static void encode_allocate_answer(const struct hdmabuf_answer *from,
				   struct hdmabuf_allocate_answer *to)
{
	to->id = from->buffer;
}

static void decode_allocate_answer(const struct hdmabuf_allocate_answer *from,
				   struct hdmabuf_answer *to,
				   struct hdmabuf_fault *fault)
{
	to->buffer = from->id;
	if (hdmabuf_id_is_zero(&to->buffer))
		invalid(fault, AT(allocate_answer, id), 0);
	CHECK_ZERO(fault, from, allocate_answer, zero);
}

/* ---- Messages ------------------------------------------------------------ */

static void encode_header(uint32_t id, uint16_t operation, uint16_t status,
			  union hdmabuf_message *message)
{
	octets_clear(message, sizeof(*message));
	message->header.id = hdmabuf_put_le32(id);
	message->header.operation = hdmabuf_put_le16(operation);
	message->header.status = hdmabuf_put_le16(status);
}

void hdmabuf_request_encode(const struct hdmabuf_request *request,
			    union hdmabuf_message *message)
{
	encode_header(request->id, request->operation, HDMABUF_STATUS_OK,
		      message);
	switch (request->operation) {
	case HDMABUF_OP_HELLO:
		encode_hello(&request->hello, &message->hello);
		break;
	case HDMABUF_OP_CLOSE:
		encode_close(request, &message->close);
		break;
	case HDMABUF_OP_ECHO:
		octets_copy(message->echo.octets, request->echo,
			    sizeof(request->echo));
		break;
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
		encode_export(request, &message->export_request);
		break;
	case HDMABUF_OP_UNEXPORT:
		encode_unexport(request, &message->unexport);
		break;
	case HDMABUF_OP_RELEASED:
	case HDMABUF_OP_QUERY:
		encode_buffer_request(request, &message->buffer_request);
		break;
	case HDMABUF_OP_HAND_OFF:
		encode_hand_off(request, &message->hand_off);
		break;
	case HDMABUF_OP_ALLOCATE:
		encode_allocate(&request->allocate, &message->allocate);
		break;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		encode_cpu_access(request, &message->cpu_access);
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
	case HDMABUF_OP_TIMELINE_DESTROY:
		encode_timeline(request, &message->timeline);
		break;
	}
}

uint16_t hdmabuf_request_decode(const union hdmabuf_message *message,
				struct hdmabuf_request *request,
				struct hdmabuf_fault *fault)
{
	uint16_t status = hdmabuf_get_le16(message->header.status);

	request->id = hdmabuf_get_le32(message->header.id);
	request->operation = hdmabuf_get_le16(message->header.operation);
	fault_none(fault);
	if (status)
		note(fault, HDMABUF_STATUS_RESERVED, AT(header, status),
		     status);

	switch (request->operation) {
	case HDMABUF_OP_HELLO:
		decode_hello(&message->hello, &request->hello, fault);
		break;
	case HDMABUF_OP_CLOSE:
		decode_close(&message->close, request, fault);
		break;
	case HDMABUF_OP_ECHO:
		octets_copy(request->echo, message->echo.octets,
			    sizeof(request->echo));
		break;
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
		decode_export(&message->export_request, request, fault);
		break;
	case HDMABUF_OP_UNEXPORT:
		decode_unexport(&message->unexport, request, fault);
		break;
	case HDMABUF_OP_RELEASED:
	case HDMABUF_OP_QUERY:
		decode_buffer_request(&message->buffer_request, request, fault);
		break;
	case HDMABUF_OP_HAND_OFF:
		decode_hand_off(&message->hand_off, request, fault);
		break;
	case HDMABUF_OP_ALLOCATE:
		decode_allocate(&message->allocate, &request->allocate, fault);
		break;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		decode_cpu_access(&message->cpu_access, request, fault);
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
	case HDMABUF_OP_TIMELINE_DESTROY:
		decode_timeline(&message->timeline, request, fault);
		break;
	default:
		note(fault, HDMABUF_STATUS_UNKNOWN_OPERATION,
		     AT(header, operation), request->operation);
		break;
	}
	return fault->status;
}

void hdmabuf_answer_encode(const struct hdmabuf_answer *answer,
			   union hdmabuf_message *message)
{
	encode_header(answer->id, answer->operation, answer->fault.status,
		      message);
	if (answer->fault.status != HDMABUF_STATUS_OK) {
		encode_error(&answer->fault, &message->error);
		return;
	}
	switch (answer->operation) {
	case HDMABUF_OP_HELLO:
		encode_hello(&answer->hello, &message->hello);
		break;
	case HDMABUF_OP_ECHO:
		octets_copy(message->echo.octets, answer->echo,
			    sizeof(answer->echo));
		break;
	case HDMABUF_OP_UNEXPORT:
		encode_unexport_answer(answer, &message->unexport_answer);
		break;
	case HDMABUF_OP_QUERY:
		encode_query_answer(&answer->query, &message->query_answer);
		break;
	case HDMABUF_OP_ALLOCATE:
		encode_allocate_answer(answer, &message->allocate_answer);
		break;
	}
}

/* The payload of an answer with status OK; an operation not known has none. */
static void decode_payload(const union hdmabuf_message *message,
			   struct hdmabuf_answer *answer,
			   struct hdmabuf_fault *fault)
{
	switch (answer->operation) {
	case HDMABUF_OP_HELLO:
		decode_hello(&message->hello, &answer->hello, fault);
		break;
	case HDMABUF_OP_ECHO:
		octets_copy(answer->echo, message->echo.octets,
			    sizeof(answer->echo));
		break;
	case HDMABUF_OP_UNEXPORT:
		decode_unexport_answer(&message->unexport_answer, answer,
				       fault);
		break;
	case HDMABUF_OP_QUERY:
		decode_query_answer(&message->query_answer, &answer->query,
				    fault);
		break;
	case HDMABUF_OP_ALLOCATE:
		decode_allocate_answer(&message->allocate_answer, answer,
				       fault);
		break;
	case HDMABUF_OP_CLOSE:
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
	case HDMABUF_OP_RELEASED:
	case HDMABUF_OP_HAND_OFF:
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
	case HDMABUF_OP_TIMELINE_CREATE:
	case HDMABUF_OP_TIMELINE_DESTROY:
		CHECK_ZERO(fault, &message->plain, plain, zero);
		break;
	default:
		note(fault, HDMABUF_STATUS_UNKNOWN_OPERATION,
		     AT(header, operation), answer->operation);
		break;
	}
}

/* HDB-BOTH-040. LOST is never sent: in an answer it means nothing. */
static uint16_t known_status(uint16_t status)
{
	if (status > HDMABUF_STATUS_FAILED || status == HDMABUF_STATUS_LOST)
		return HDMABUF_STATUS_FAILED;
	return status;
}

bool hdmabuf_answer_decode(const union hdmabuf_message *message,
			   struct hdmabuf_answer *answer)
{
	struct hdmabuf_fault fault;

	answer->id = hdmabuf_get_le32(message->header.id);
	answer->operation = hdmabuf_get_le16(message->header.operation);
	fault_none(&answer->fault);
	answer->fault.status =
		known_status(hdmabuf_get_le16(message->header.status));
	fault_none(&fault);
	if (answer->fault.status == HDMABUF_STATUS_OK)
		decode_payload(message, answer, &fault);
	else
		decode_error(&message->error, &answer->fault, &fault);
	return fault.status == HDMABUF_STATUS_OK;
}

/* ---- Ids ----------------------------------------------------------------- */

bool hdmabuf_id_equal(const struct hdmabuf_id *a, const struct hdmabuf_id *b)
{
	return octets_equal(a, b, sizeof(*a));
}

bool hdmabuf_id_is_zero(const struct hdmabuf_id *id)
{
	return octets_are_zero(id, sizeof(*id));
}
