/* SPDX-License-Identifier: MIT */
/*
 * channel.h - the records of the store, and the channel page
 */
#ifndef HDMABUF_CHANNEL_H
#define HDMABUF_CHANNEL_H

#include <hdmabuf/fault.h>
#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/** define HDMABUF_RECORD_OCTETS - longest text of a record, with terminator */
#define HDMABUF_RECORD_OCTETS 512

/**
 * struct hdmabuf_offer - the record of a backend
 * @epoch: its epoch, not 0
 * @version_min: lowest version
 * @version_max: highest version
 * @features: bits offered
 * @ring_formats: bit n stands for ring format n
 * @ring_order_max: largest order of a ring
 * @timeline_max: most timeline pages of an end
 * @error: status of the channel it last refused, or ``HDMABUF_STATUS_OK``
 */
struct hdmabuf_offer {
	uint64_t epoch;
	uint32_t version_min;
	uint32_t version_max;
	uint64_t features;
	uint64_t ring_formats;
	uint32_t ring_order_max;
	uint32_t timeline_max;
	uint16_t error;
};

/**
 * struct hdmabuf_reply - the record of a frontend
 * @epoch: its epoch, not 0
 * @peer_epoch: epoch of the offer that it answers
 * @channel: reference of the channel page, not 0
 */
struct hdmabuf_reply {
	uint64_t epoch;
	uint64_t peer_epoch;
	uint64_t channel;
};

/**
 * hdmabuf_offer_write() - a backend's record as text
 * @offer: native form
 * @text: at least ``HDMABUF_RECORD_OCTETS``; receives one ``key=value`` a line,
 *	``epoch`` the last, each ended by a newline, and a terminating zero
 *
 * Return: octets of the text without the terminator
 */
size_t hdmabuf_offer_write(const struct hdmabuf_offer *offer, char *text);

/**
 * hdmabuf_offer_read() - a backend's record from text
 * @text: lines as *hdmabuf_offer_write()* makes them, in any order, keys that
 *	are not known among them; need not be terminated by a zero
 * @octets: of the text
 * @offer: native form, valid if true is returned
 *
 * Follows HDB-BOTH-004.
 *
 * Return: false if a key is missing, comes twice, or has a value that its range
 * does not allow; if ``version-min`` exceeds ``version-max``; or if the text is
 * not made of such lines
 */
bool hdmabuf_offer_read(const char *text, size_t octets,
			struct hdmabuf_offer *offer);

/**
 * hdmabuf_reply_write() - a frontend's record as text
 * @reply: native form
 * @text: at least ``HDMABUF_RECORD_OCTETS``
 *
 * Return: octets of the text without the terminator
 */
size_t hdmabuf_reply_write(const struct hdmabuf_reply *reply, char *text);

/**
 * hdmabuf_reply_read() - a frontend's record from text
 * @text: as for *hdmabuf_offer_read()*
 * @octets: of the text
 * @reply: native form, valid if true is returned
 *
 * Return: false if a key is missing, comes twice, or has a value that its range
 * does not allow; or if the text is not made of such lines
 */
bool hdmabuf_reply_read(const char *text, size_t octets,
			struct hdmabuf_reply *reply);

/**
 * struct hdmabuf_channel_info - a channel page in native form
 * @version: of the protocol
 * @epoch_frontend: the frontend's epoch
 * @epoch_backend: the backend's epoch
 * @page_shift: binary logarithm of the page size
 * @ring_format: of both rings
 * @frontend_ring_order: the frontend's ring has 2^order pages
 * @backend_ring_order: the backend's ring has 2^order pages
 * @timeline_pages: pages of each of the two timeline areas
 * @references: how many are valid in @reference
 * @frontend_ring_start: where the indices of the frontend's ring begin
 * @backend_ring_start: where those of the backend's ring begin
 * @reference: frontend's ring, backend's ring, frontend's timelines, backend's
 *	timelines
 */
struct hdmabuf_channel_info {
	uint32_t version;
	uint64_t epoch_frontend;
	uint64_t epoch_backend;
	uint32_t page_shift;
	uint32_t ring_format;
	uint32_t frontend_ring_order;
	uint32_t backend_ring_order;
	uint32_t timeline_pages;
	uint32_t references;
	uint32_t frontend_ring_start;
	uint32_t backend_ring_start;
	uint64_t reference[HDMABUF_CHANNEL_REFERENCES_MAX];
};

/**
 * hdmabuf_channel_pages() - how many pages a channel has besides its first
 * @info: orders and timeline pages count
 *
 * Return: the number, at most ``HDMABUF_CHANNEL_REFERENCES_MAX``; or 2^32 - 1 if
 * an order or the timeline pages are more than the protocol has
 */
uint32_t hdmabuf_channel_pages(const struct hdmabuf_channel_info *info);

/**
 * hdmabuf_channel_encode() - fill a channel page
 * @info: native form
 * @page: the page, of ``1 << info->page_shift`` octets; is filled completely
 */
void hdmabuf_channel_encode(const struct hdmabuf_channel_info *info,
			    void *page);

/**
 * hdmabuf_channel_decode() - read and check a channel page
 * @page: private copy of the page's first ``sizeof(struct hdmabuf_channel)``
 *	octets
 * @offer: what the backend offers: version, ring formats and orders, timelines,
 *	epoch
 * @epoch_frontend: epoch of the frontend's record
 * @page_shift: of the platform
 * @info: native form
 * @fault: receives what is wrong
 *
 * Follows HDB-BE-002, and checks in its order; then refuses a reference that is
 * zero.  The status is ``HDMABUF_STATUS_WRONG_EPOCH`` for an epoch, LIMIT for an
 * order or timeline pages, RESERVED for what must be zero, BAD_REFERENCE for a
 * reference, else INVALID.
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault
 */
uint16_t hdmabuf_channel_decode(const struct hdmabuf_channel *page,
				const struct hdmabuf_offer *offer,
				uint64_t epoch_frontend, uint32_t page_shift,
				struct hdmabuf_channel_info *info,
				struct hdmabuf_fault *fault);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_CHANNEL_H */
