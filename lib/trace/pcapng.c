/* SPDX-License-Identifier: MIT */
/*
 * pcapng.c - traces in the format that Wireshark reads
 *
 * Needs no C library, like lib/core: a kernel may write its own traces.
 */
#include <hdmabuf/trace.h>

#include "lib/core/octets.h"

/* Every block is its type and length, a body, and the length again. */
#define BLOCK_OCTETS 12

#define SECTION_BLOCK	  0x0a0d0d0au
#define SECTION_OCTETS	  (BLOCK_OCTETS + 16)
#define BYTE_ORDER_MAGIC  0x1a2b3c4du
#define SECTION_UNLIMITED UINT64_MAX

#define INTERFACE_BLOCK	 1u
#define INTERFACE_OCTETS (BLOCK_OCTETS + 32)
#define OPTION_NAME	 2u
#define OPTION_TSRESOL	 9u
#define NANOSECONDS	 9u

#define PACKET_BLOCK 6u
/* Interface, time, and two lengths. */
#define PACKET_OCTETS (BLOCK_OCTETS + 20)

_Static_assert(SECTION_OCTETS + INTERFACE_OCTETS ==
		       HDMABUF_TRACE_HEADING_OCTETS,
	       "the heading is as long as trace.h says");

static const char interface_name[] = "hdmabuf";

static uint8_t *put_octets(uint8_t *at, const void *octets, size_t count)
{
	if (count)
		octets_copy(at, octets, count);
	return at + count;
}

static uint8_t *put_16(uint8_t *at, uint16_t number)
{
	hdmabuf_le16 word = hdmabuf_put_le16(number);

	return put_octets(at, &word, sizeof(word));
}

static uint8_t *put_32(uint8_t *at, uint32_t number)
{
	hdmabuf_le32 word = hdmabuf_put_le32(number);

	return put_octets(at, &word, sizeof(word));
}

static uint8_t *put_64(uint8_t *at, uint64_t number)
{
	hdmabuf_le64 word = hdmabuf_put_le64(number);

	return put_octets(at, &word, sizeof(word));
}

/* What is behind the end of anything, up to a multiple of four octets. */
static size_t padding(size_t length)
{
	return -length & 3;
}

static uint8_t *put_padding(uint8_t *at, size_t length)
{
	octets_clear(at, padding(length));
	return at + padding(length);
}

static uint8_t *put_option(uint8_t *at, uint16_t code, const void *value,
			   uint16_t length)
{
	at = put_16(at, code);
	at = put_16(at, length);
	at = put_octets(at, value, length);
	return put_padding(at, length);
}

static uint8_t *put_section(uint8_t *at)
{
	at = put_32(at, SECTION_BLOCK);
	at = put_32(at, SECTION_OCTETS);
	at = put_32(at, BYTE_ORDER_MAGIC);
	at = put_16(at, 1); /* version 1.0 */
	at = put_16(at, 0);
	at = put_64(at, SECTION_UNLIMITED);
	return put_32(at, SECTION_OCTETS);
}

static void put_interface(uint8_t *at)
{
	const uint8_t resolution = NANOSECONDS;

	at = put_32(at, INTERFACE_BLOCK);
	at = put_32(at, INTERFACE_OCTETS);
	at = put_16(at, HDMABUF_TRACE_LINK_TYPE);
	at = put_16(at, 0);
	at = put_32(at, 0); /* packets are not cut short */
	at = put_option(at, OPTION_NAME, interface_name,
			sizeof(interface_name) - 1);
	at = put_option(at, OPTION_TSRESOL, &resolution, sizeof(resolution));
	at = put_option(at, 0, NULL, 0);
	put_32(at, INTERFACE_OCTETS);
}

void hdmabuf_trace_heading(uint8_t *octets)
{
	put_interface(put_section(octets));
}

static uint8_t *put_head(uint8_t *at, const struct hdmabuf_trace_event *event)
{
	struct hdmabuf_trace_head head = {
		.version = HDMABUF_TRACE_VERSION,
		.kind = event->kind,
		.sender = event->sender,
		.observer = event->observer,
		.link = hdmabuf_put_le32(event->link),
	};

	return put_octets(at, &head, sizeof(head));
}

size_t hdmabuf_trace_packet(const struct hdmabuf_trace_event *event,
			    uint8_t *octets, size_t size)
{
	size_t packet = sizeof(struct hdmabuf_trace_head) + event->length;
	size_t block = PACKET_OCTETS + packet + padding(packet);
	uint8_t *at = octets;

	if (event->length > HDMABUF_TRACE_OCTETS_MAX)
		return 0;
	if (block > size)
		return block;
	at = put_32(at, PACKET_BLOCK);
	at = put_32(at, (uint32_t)block);
	at = put_32(at, 0);
	at = put_32(at, (uint32_t)(event->time >> 32));
	at = put_32(at, (uint32_t)event->time);
	at = put_32(at, (uint32_t)packet);
	at = put_32(at, (uint32_t)packet);
	at = put_head(at, event);
	at = put_octets(at, event->octets, event->length);
	at = put_padding(at, packet);
	put_32(at, (uint32_t)block);
	return block;
}
