/* SPDX-License-Identifier: MIT */
/* Fuzz target: messages. The input is the 64 octets of a slot. */
#include "assurance/fuzz/common/fuzz.h"

#include <hdmabuf/codec.h>

/* All members that count are filled, so what was there before does not matter. */
static uint16_t decode_request(const union hdmabuf_message *message, int before,
			       struct hdmabuf_fault *fault,
			       union hdmabuf_message *again)
{
	struct hdmabuf_request request;
	uint16_t status;

	memset(&request, before, sizeof(request));
	memset(fault, before, sizeof(*fault));
	status = hdmabuf_request_decode(message, &request, fault);
	must(status == fault->status);
	hdmabuf_request_encode(&request, again);
	return status;
}

static void check_request_fault(const struct hdmabuf_fault *fault)
{
	must(fault->status == HDMABUF_STATUS_UNKNOWN_OPERATION ||
	     fault->status == HDMABUF_STATUS_RESERVED ||
	     fault->status == HDMABUF_STATUS_INVALID);
	must(fault->where == HDMABUF_WHERE_REQUEST);
	must(fault->offset < sizeof(union hdmabuf_message));
	must(hdmabuf_fault_rank(fault->status) <
	     hdmabuf_fault_rank(HDMABUF_STATUS_OK));
}

static void try_request(const union hdmabuf_message *message)
{
	union hdmabuf_message again, other;
	struct hdmabuf_fault fault, same;
	uint16_t status = decode_request(message, 0xaa, &fault, &again);

	must(decode_request(message, 0x55, &same, &other) == status);
	must(!memcmp(&again, &other, sizeof(again)));
	must(fault.where == same.where && fault.offset == same.offset &&
	     fault.value == same.value);
	if (status) {
		check_request_fault(&fault);
		return;
	}
	must(!memcmp(&again, message, sizeof(again)));
}

static bool decode_answer(const union hdmabuf_message *message, int before,
			  uint16_t *status, union hdmabuf_message *again)
{
	struct hdmabuf_answer answer;
	bool good;

	memset(&answer, before, sizeof(answer));
	good = hdmabuf_answer_decode(message, &answer);
	*status = answer.fault.status;
	must(*status <= HDMABUF_STATUS_FAILED &&
	     *status != HDMABUF_STATUS_LOST);
	if (good && *status)
		must(answer.fault.where <= HDMABUF_WHERE_PAGE);
	hdmabuf_answer_encode(&answer, again);
	return good;
}

static void try_answer(const union hdmabuf_message *message)
{
	union hdmabuf_message again, other;
	uint16_t status, same;
	bool good = decode_answer(message, 0xaa, &status, &again);

	must(decode_answer(message, 0x55, &same, &other) == good);
	if (!good)
		return;
	must(!memcmp(&again, &other, sizeof(again)));
	/* A status that is not known became another; nothing else does. */
	must(!status == !hdmabuf_get_le16(message->header.status));
	again.header.status = message->header.status;
	must(!memcmp(&again, message, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct input input = { octets, size };
	union hdmabuf_message message;

	input_take(&input, &message, sizeof(message));
	try_request(&message);
	try_answer(&message);
	return 0;
}
