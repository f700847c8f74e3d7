/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: records and the channel page. The first octet says which; a record is
 * the text that follows, a channel page is built from an offer and spoilt.
 */
#include "assurance/fuzz/common/fuzz.h"

#include <hdmabuf/channel.h>

static void try_offer(const struct input *input)
{
	struct hdmabuf_offer offer, again;
	char text[HDMABUF_RECORD_OCTETS];
	size_t octets;

	if (!hdmabuf_offer_read((const char *)input->at, input->left, &offer))
		return;
	must(offer.epoch && offer.version_min <= offer.version_max);
	must(offer.ring_order_max <= HDMABUF_RING_ORDER_MAX);
	must(offer.timeline_max <= HDMABUF_TIMELINE_PAGES_MAX);
	octets = hdmabuf_offer_write(&offer, text);
	must(octets < sizeof(text) && !text[octets]);
	must(hdmabuf_offer_read(text, octets, &again));
	must(again.epoch == offer.epoch && again.error == offer.error &&
	     again.version_min == offer.version_min &&
	     again.version_max == offer.version_max &&
	     again.features == offer.features &&
	     again.ring_formats == offer.ring_formats &&
	     again.ring_order_max == offer.ring_order_max &&
	     again.timeline_max == offer.timeline_max);
}

static void try_reply(const struct input *input)
{
	struct hdmabuf_reply reply, again;
	char text[HDMABUF_RECORD_OCTETS];
	size_t octets;

	if (!hdmabuf_reply_read((const char *)input->at, input->left, &reply))
		return;
	must(reply.epoch && reply.peer_epoch && reply.channel);
	octets = hdmabuf_reply_write(&reply, text);
	must(octets < sizeof(text) && !text[octets]);
	must(hdmabuf_reply_read(text, octets, &again));
	must(again.epoch == reply.epoch &&
	     again.peer_epoch == reply.peer_epoch &&
	     again.channel == reply.channel);
}

static void check_channel(const struct hdmabuf_channel_info *info,
			  const struct hdmabuf_offer *offer, uint64_t epoch,
			  uint32_t page_shift)
{
	uint32_t i;

	must(info->epoch_frontend == epoch);
	must(info->epoch_backend == offer->epoch);
	must(info->page_shift == page_shift);
	must(info->frontend_ring_order <= offer->ring_order_max);
	must(info->backend_ring_order <= offer->ring_order_max);
	must(info->timeline_pages <= offer->timeline_max);
	must(info->ring_format < 64 &&
	     offer->ring_formats >> info->ring_format & 1);
	must(info->references == hdmabuf_channel_pages(info));
	must(info->references <= HDMABUF_CHANNEL_REFERENCES_MAX);
	for (i = 0; i < HDMABUF_CHANNEL_REFERENCES_MAX; i++)
		must(!info->reference[i] == (i >= info->references));
}

/* What is right at first, of small numbers, so that faults are seen one by one. */
static void make_info(struct input *input, struct hdmabuf_channel_info *info,
		      const struct hdmabuf_offer *offer, uint64_t epoch)
{
	uint32_t i;

	memset(info, 0, sizeof(*info));
	info->version = offer->version_min;
	info->epoch_frontend = epoch;
	info->epoch_backend = offer->epoch;
	info->page_shift = HDMABUF_PAGE_SHIFT_MIN;
	info->frontend_ring_order = input_octet(input) % 8;
	info->backend_ring_order = input_octet(input) % 8;
	info->timeline_pages = input_octet(input);
	info->references = hdmabuf_channel_pages(info);
	info->frontend_ring_start = input_32(input);
	info->backend_ring_start = input_32(input);
	for (i = 0; i < info->references && i < HDMABUF_CHANNEL_REFERENCES_MAX;
	     i++)
		info->reference[i] = i + 1;
}

static void spoil(struct input *input, uint8_t *page)
{
	while (input->left) {
		uint16_t at = input_16(input);

		page[at % sizeof(struct hdmabuf_channel)] = input_octet(input);
	}
}

static void try_channel(struct input *input)
{
	static uint8_t page[1u << HDMABUF_PAGE_SHIFT_MIN]
		__attribute__((aligned(8)));
	static uint8_t again[sizeof(page)] __attribute__((aligned(8)));
	struct hdmabuf_offer offer = {
		.epoch = 7,
		.version_min = 1,
		.version_max = 2,
		.ring_formats = 1,
	};
	struct hdmabuf_channel_info info;
	struct hdmabuf_fault fault;
	uint16_t status;

	offer.ring_order_max = input_octet(input) % 7;
	offer.timeline_max = input_octet(input) % 65;
	make_info(input, &info, &offer, 9);
	hdmabuf_channel_encode(&info, page);
	spoil(input, page);
	status = hdmabuf_channel_decode((const void *)page, &offer, 9,
					HDMABUF_PAGE_SHIFT_MIN, &info, &fault);
	must(status == fault.status);
	if (status) {
		must(fault.where == HDMABUF_WHERE_CHANNEL);
		must(fault.offset < sizeof(struct hdmabuf_channel));
		return;
	}
	check_channel(&info, &offer, 9, HDMABUF_PAGE_SHIFT_MIN);
	hdmabuf_channel_encode(&info, again);
	must(!memcmp(page, again, sizeof(struct hdmabuf_channel)));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct input input = { octets, size };

	switch (input_octet(&input) % 3) {
	case 0:
		try_offer(&input);
		break;
	case 1:
		try_reply(&input);
		break;
	default:
		try_channel(&input);
		break;
	}
	return 0;
}
