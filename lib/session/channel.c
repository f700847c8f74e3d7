/* SPDX-License-Identifier: MIT */
/*
 * channel.c - making and mapping the channel
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Where the parts of a channel lie, in pages after the first part. */
struct places {
	uint64_t frontend_ring;
	uint64_t backend_ring;
	uint64_t frontend_cells;
	uint64_t backend_cells;
};

static struct places channel_places(const struct hdmabuf_channel_info *info)
{
	struct places places;

	places.frontend_ring = 0;
	places.backend_ring = 1ull << info->frontend_ring_order;
	places.frontend_cells =
		places.backend_ring + (1ull << info->backend_ring_order);
	places.backend_cells = places.frontend_cells + info->timeline_pages;
	return places;
}

static void channel_attach(struct hdmabuf_session *session, uint8_t *parts)
{
	struct channel *channel = &session->channel;
	const struct hdmabuf_channel_info *info = &channel->info;
	struct places at = channel_places(info);
	uint32_t shift = info->page_shift;
	void *front = parts + (at.frontend_ring << shift);
	void *back = parts + (at.backend_ring << shift);
	size_t front_octets = (size_t)1 << (info->frontend_ring_order + shift);
	size_t back_octets = (size_t)1 << (info->backend_ring_order + shift);
	struct hdmabuf_cell *front_cells =
		(void *)(parts + (at.frontend_cells << shift));
	struct hdmabuf_cell *back_cells =
		(void *)(parts + (at.backend_cells << shift));

	channel->cells = (info->timeline_pages << shift) / HDMABUF_CELL_OCTETS;
	if (session->endpoint->role == HDMABUF_FRONTEND) {
		hdmabuf_ring_init(&channel->own, front, front_octets,
				  info->ring_format, info->frontend_ring_start);
		hdmabuf_ring_init(&channel->peer, back, back_octets,
				  info->ring_format, info->backend_ring_start);
		channel->own_cells = front_cells;
		channel->peer_cells = back_cells;
	} else {
		hdmabuf_ring_init(&channel->own, back, back_octets,
				  info->ring_format, info->backend_ring_start);
		hdmabuf_ring_init(&channel->peer, front, front_octets,
				  info->ring_format, info->frontend_ring_start);
		channel->own_cells = back_cells;
		channel->peer_cells = front_cells;
	}
	session->has_channel = true;
}

/* One trip of the ring before the wrap: a fault in it shows at once. */
static uint32_t ring_start(uint32_t order, uint32_t page_shift)
{
	return 0 - HDMABUF_RING_SLOTS(1u << (order + page_shift));
}

/* HDB-FE-011: the highest that both ends know. */
static uint32_t ring_format(uint64_t formats)
{
	return 63 - (uint32_t)__builtin_clzll(formats);
}

static void channel_choose(struct hdmabuf_session *session,
			   const struct hdmabuf_offer *offer)
{
	const struct hdmabuf_config *config = &session->endpoint->config;
	struct hdmabuf_channel_info *info = &session->channel.info;
	uint32_t order = config->ring_order;
	uint32_t pages = config->timeline_pages;

	if (order > offer->ring_order_max)
		order = offer->ring_order_max;
	if (pages > offer->timeline_max)
		pages = offer->timeline_max;
	memset(info, 0, sizeof(*info));
	info->version = HDMABUF_VERSION;
	info->epoch_frontend = session->epoch;
	info->epoch_backend = offer->epoch;
	info->page_shift = session->port->ops->page_shift;
	info->ring_format =
		ring_format(offer->ring_formats & config->ring_formats);
	info->frontend_ring_order = order;
	info->backend_ring_order = order;
	info->timeline_pages = pages;
	info->references = hdmabuf_channel_pages(info);
	info->frontend_ring_start = ring_start(order, info->page_shift);
	info->backend_ring_start = ring_start(order, info->page_shift);
}

static void channel_fill(struct hdmabuf_session *session)
{
	struct channel *channel = &session->channel;
	struct hdmabuf_channel_info *info = &channel->info;
	uint32_t shift = info->page_shift;
	struct places at = channel_places(info);
	uint8_t *page = channel->own_pages->memory.address;
	uint8_t *parts = page + ((size_t)1 << shift);
	uint32_t i;

	for (i = 0; i < info->references; i++)
		info->reference[i] =
			share_reference(&channel->own_pages->share, i + 1);
	hdmabuf_channel_encode(info, page);
	trace_channel(session, (const struct hdmabuf_channel *)page);
	hdmabuf_ring_format(parts + (at.frontend_ring << shift),
			    (size_t)1 << (info->frontend_ring_order + shift),
			    info->ring_format, info->frontend_ring_start);
	hdmabuf_ring_format(parts + (at.backend_ring << shift),
			    (size_t)1 << (info->backend_ring_order + shift),
			    info->ring_format, info->backend_ring_start);
	channel_attach(session, parts);
}

static int channel_alloc(struct hdmabuf_session *session,
			 struct remains *remains)
{
	const struct hdmabuf_channel_info *info = &session->channel.info;
	struct port *port = session->port;
	uint64_t pages = 1 + (uint64_t)info->references;
	int error;

	error = port->ops->alloc(port->link,
				 (size_t)(pages << info->page_shift),
				 HDMABUF_RIGHTS_READ_WRITE, &remains->memory);
	if (error)
		return error;
	error = share_make(&remains->share, port, &remains->memory, pages,
			   HDMABUF_RIGHTS_READ_WRITE);
	if (error)
		hdmabuf_memory_free(&remains->memory);
	return error;
}

/* The frontend's half: allocate, share, fill. */
int channel_make(struct hdmabuf_session *session,
		 const struct hdmabuf_offer *offer)
{
	struct channel *channel = &session->channel;
	struct remains *remains = remains_new();
	int error;

	if (!remains)
		return -ENOMEM;
	memset(channel, 0, sizeof(*channel));
	channel_choose(session, offer);
	error = channel_alloc(session, remains);
	if (error) {
		free(remains);
		return error;
	}
	channel->own_pages = remains;
	channel_fill(session);
	return 0;
}

static uint16_t channel_read_page(struct hdmabuf_session *session,
				  const struct hdmabuf_offer *offer,
				  const struct hdmabuf_reply *reply,
				  struct hdmabuf_fault *fault)
{
	const struct hdmabuf_platform_ops *ops = session->port->ops;
	struct hdmabuf_run run = { reply->channel, 1 };
	struct hdmabuf_channel copy;
	void *page;
	uint64_t bad;

	if (ops->map(session->port->link, &run, 1, HDMABUF_RIGHTS_READ_ONLY,
		     &page, &bad))
		return hdmabuf_fault_set(fault, HDMABUF_STATUS_BAD_REFERENCE,
					 HDMABUF_WHERE_CHANNEL, 0,
					 reply->channel);
	copy_once(&copy, page, sizeof(copy));
	trace_channel(session, &copy);
	ops->unmap(session->port->link, page, 1);
	return hdmabuf_channel_decode(&copy, offer, reply->epoch,
				      ops->page_shift, &session->channel.info,
				      fault);
}

static uint16_t channel_map(struct hdmabuf_session *session,
			    struct hdmabuf_fault *fault)
{
	struct channel *channel = &session->channel;
	const struct hdmabuf_channel_info *info = &channel->info;
	struct hdmabuf_run runs[HDMABUF_CHANNEL_REFERENCES_MAX];
	uint64_t bad = 0;
	uint32_t i;

	for (i = 0; i < info->references; i++)
		runs[i] = (struct hdmabuf_run){ info->reference[i], 1 };
	if (session->port->ops->map(session->port->link, runs, info->references,
				    HDMABUF_RIGHTS_READ_WRITE,
				    &channel->mapping, &bad))
		return hdmabuf_fault_set(
			fault, HDMABUF_STATUS_BAD_REFERENCE,
			HDMABUF_WHERE_CHANNEL,
			offsetof(struct hdmabuf_channel, reference) + 8 * bad,
			bad < info->references ? info->reference[bad] : 0);
	channel->mapped_pages = info->references;
	return HDMABUF_STATUS_OK;
}

/* The backend's half: copy the page, check it, map the rest. */
uint16_t channel_take(struct hdmabuf_session *session,
		      const struct hdmabuf_offer *offer,
		      const struct hdmabuf_reply *reply,
		      struct hdmabuf_fault *fault)
{
	uint16_t status;

	memset(&session->channel, 0, sizeof(session->channel));
	status = channel_read_page(session, offer, reply, fault);
	if (!status)
		status = channel_map(session, fault);
	if (!status)
		channel_attach(session, session->channel.mapping);
	return status;
}

/* HDB-BE-010, HDB-FE-008: unmap it, or keep its pages until they are revoked. */
void channel_leave(struct hdmabuf_session *session)
{
	struct channel *channel = &session->channel;

	if (!session->has_channel)
		return;
	session->has_channel = false;
	if (session->endpoint->role == HDMABUF_BACKEND) {
		session->port->ops->unmap(session->port->link, channel->mapping,
					  channel->mapped_pages);
		return;
	}
	remains_leave(session->endpoint, channel->own_pages);
	channel->own_pages = NULL;
}
