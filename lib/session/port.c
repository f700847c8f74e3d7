/* SPDX-License-Identifier: MIT */
/*
 * port.c - links, what is shared over them, and what remains of it
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

struct port *port_new(const struct hdmabuf_platform_ops *ops,
		      struct hdmabuf_link *link)
{
	struct port *port = calloc(1, sizeof(*port));

	if (!port)
		return NULL;
	port->ops = ops;
	port->link = link;
	port->users = 1;
	return port;
}

void port_get(struct port *port)
{
	port->users++;
}

void port_disconnect(struct port *port)
{
	if (port->disconnected)
		return;
	port->disconnected = true;
	port->ops->disconnect(port->link);
}

void port_put(struct port *port)
{
	if (--port->users)
		return;
	port_disconnect(port);
	port->ops->free(port->link);
	free(port);
}

int share_make(struct share *share, struct port *port,
	       const struct hdmabuf_memory *memory, uint64_t pages,
	       uint32_t rights)
{
	size_t capacity = port->ops->contiguous ? 1 : (size_t)pages;
	int error;

	share->runs = calloc(capacity, sizeof(*share->runs));
	if (!share->runs)
		return -ENOMEM;
	error = port->ops->share(port->link, memory, 0, pages, rights,
				 share->runs, capacity, &share->count);
	if (error) {
		free(share->runs);
		share->runs = NULL;
		return error;
	}
	share->port = port;
	port_get(port);
	return 0;
}

/* Afterwards, or if nothing was shared, the share is empty. */
int share_revoke(struct share *share)
{
	struct port *port = share->port;
	int error;

	if (!port)
		return 0;
	error = port->ops->revoke(port->link, share->runs, share->count);
	if (error)
		return error;
	free(share->runs);
	share->runs = NULL;
	share->count = 0;
	share->port = NULL;
	port_put(port);
	return 0;
}

/* The reference of a page, counted from the first of the first run. */
uint64_t runs_reference(const struct hdmabuf_run *runs, size_t count,
			uint64_t page)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (page < runs[i].count)
			return runs[i].reference + page;
		page -= runs[i].count;
	}
	return 0;
}

/* References that cannot be revoked are left to the platform. */
void share_drop(struct share *share)
{
	if (!share->port)
		return;
	free(share->runs);
	port_put(share->port);
	*share = (struct share){ 0 };
}

uint64_t share_reference(const struct share *share, uint64_t page)
{
	return runs_reference(share->runs, share->count, page);
}

struct remains *remains_new(void)
{
	return calloc(1, sizeof(struct remains));
}

static bool remains_gone(struct remains *remains)
{
	if (share_revoke(&remains->share))
		return false;
	hdmabuf_memory_free(&remains->memory);
	free(remains);
	return true;
}

/* Takes the remains over: they are freed now, or as soon as that is allowed. */
void remains_leave(struct hdmabuf_endpoint *endpoint, struct remains *remains)
{
	if (!remains || remains_gone(remains))
		return;
	LIST_INSERT_HEAD(&endpoint->remains, remains, entry);
}

void remains_retry(struct hdmabuf_endpoint *endpoint)
{
	struct remains *remains = LIST_FIRST(&endpoint->remains);

	while (remains) {
		struct remains *next = LIST_NEXT(remains, entry);

		LIST_REMOVE(remains, entry);
		if (!remains_gone(remains))
			LIST_INSERT_HEAD(&endpoint->remains, remains, entry);
		remains = next;
	}
}

/* The process gives up: memory is let go, and with it our hold on the port. */
void remains_drop(struct hdmabuf_endpoint *endpoint)
{
	struct remains *remains;

	while ((remains = LIST_FIRST(&endpoint->remains))) {
		LIST_REMOVE(remains, entry);
		share_drop(&remains->share);
		hdmabuf_memory_free(&remains->memory);
		free(remains);
	}
}
