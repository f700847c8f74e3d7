/* SPDX-License-Identifier: MIT */
/*
 * Messages of any content
 *
 * eva: lib/core/codec.c lib/core/fault.c
 * fault LONG_FIELD lib/core/codec.c s/if (octets <= sizeof(value))/if (octets)/
 */
#include "assurance/proof/eva.h"

#include <hdmabuf/codec.h>

void main(void)
{
	union hdmabuf_message message;
	struct hdmabuf_request request;
	struct hdmabuf_answer answer;
	struct hdmabuf_fault fault;

	ANY_CONTENT(message);
	hdmabuf_request_decode(&message, &request, &fault);
	hdmabuf_answer_decode(&message, &answer);
	hdmabuf_fault_rank(ANY(uint16_t));
}
