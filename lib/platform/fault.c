/* SPDX-License-Identifier: MIT */
/*
 * fault.c - a platform some of whose functions fail
 *
 * Endpoint and links are wrapped: the caller's owners belong to our links, and
 * our links are the owners of the inner ones.
 */
#include <errno.h>
#include <stdlib.h>

#include <hdmabuf/platform.h>

struct fault_endpoint {
	struct hdmabuf_platform_ops ops;
	struct hdmabuf_platform inner;
	int (*fails)(void *user, const char *name);
	void *fails_user;
	const struct hdmabuf_platform_events *events;
	void *user;
};

struct hdmabuf_link {
	struct fault_endpoint *endpoint;
	struct hdmabuf_link *inner;
	void *owner;
};

static int asked(const struct fault_endpoint *endpoint, const char *name)
{
	return endpoint->fails(endpoint->fails_user, name);
}

static const struct hdmabuf_platform_ops *
inner_ops(const struct hdmabuf_link *link)
{
	return link->endpoint->inner.ops;
}

/* ---- events ------------------------------------------------------------- */

static void *on_up(void *user, struct hdmabuf_link *inner)
{
	struct fault_endpoint *endpoint = user;
	struct hdmabuf_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->endpoint = endpoint;
	link->inner = inner;
	link->owner = endpoint->events->up(endpoint->user, link);
	if (link->owner)
		return link;
	free(link);
	return NULL;
}

static void on_record(void *owner)
{
	const struct hdmabuf_link *link = owner;

	link->endpoint->events->record(link->owner);
}

static void on_notified(void *owner)
{
	const struct hdmabuf_link *link = owner;

	link->endpoint->events->notified(link->owner);
}

static void on_down(void *owner, const char *why)
{
	const struct hdmabuf_link *link = owner;

	link->endpoint->events->down(link->owner, why);
}

static void on_log(void *user, const char *line)
{
	const struct fault_endpoint *endpoint = user;

	if (endpoint->events->log)
		endpoint->events->log(endpoint->user, line);
}

static const struct hdmabuf_platform_events relay = {
	.up = on_up,
	.record = on_record,
	.notified = on_notified,
	.down = on_down,
	.log = on_log,
};

/* ---- functions of the endpoint ------------------------------------------ */

static int fault_fd(void *context)
{
	struct fault_endpoint *endpoint = context;
	int error = asked(endpoint, "fd");

	return error ? error :
		       endpoint->inner.ops->fd(endpoint->inner.endpoint);
}

static int fault_dispatch(void *context,
			  const struct hdmabuf_platform_events *events,
			  void *user)
{
	struct fault_endpoint *endpoint = context;
	int error = asked(endpoint, "dispatch");

	if (error)
		return error;
	endpoint->events = events;
	endpoint->user = user;
	return endpoint->inner.ops->dispatch(endpoint->inner.endpoint, &relay,
					     endpoint);
}

static void fault_close(void *context)
{
	struct fault_endpoint *endpoint = context;

	endpoint->inner.ops->close(endpoint->inner.endpoint);
	free(endpoint);
}

/* ---- functions of a link ------------------------------------------------ */

static void fault_peer(struct hdmabuf_link *link, char *text, size_t size)
{
	inner_ops(link)->peer(link->inner, text, size);
}

static int fault_publish(struct hdmabuf_link *link, const char *text,
			 size_t octets)
{
	int error = asked(link->endpoint, "publish");

	return error ? error :
		       inner_ops(link)->publish(link->inner, text, octets);
}

static size_t fault_record(struct hdmabuf_link *link, char *text, size_t size)
{
	if (asked(link->endpoint, "record"))
		return 0;
	return inner_ops(link)->record(link->inner, text, size);
}

static int fault_notify(struct hdmabuf_link *link)
{
	int error = asked(link->endpoint, "notify");

	return error ? error : inner_ops(link)->notify(link->inner);
}

static void fault_disconnect(struct hdmabuf_link *link)
{
	inner_ops(link)->disconnect(link->inner);
}

static void fault_free(struct hdmabuf_link *link)
{
	inner_ops(link)->free(link->inner);
	free(link);
}

static int fault_alloc(struct hdmabuf_link *link, size_t octets,
		       uint32_t rights, struct hdmabuf_memory *memory)
{
	int error = asked(link->endpoint, "alloc");

	return error ? error :
		       inner_ops(link)->alloc(link->inner, octets, rights,
					      memory);
}

static int fault_share(struct hdmabuf_link *link,
		       const struct hdmabuf_memory *memory, uint64_t first,
		       uint64_t pages, uint32_t rights,
		       struct hdmabuf_run *runs, size_t capacity, size_t *count)
{
	int error = asked(link->endpoint, "share");

	return error ? error :
		       inner_ops(link)->share(link->inner, memory, first, pages,
					      rights, runs, capacity, count);
}

static int fault_revoke(struct hdmabuf_link *link,
			const struct hdmabuf_run *runs, size_t count)
{
	int error = asked(link->endpoint, "revoke");

	return error ? error :
		       inner_ops(link)->revoke(link->inner, runs, count);
}

static int fault_map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		     size_t count, uint32_t rights, void **address,
		     uint64_t *bad)
{
	int error = asked(link->endpoint, "map");

	*bad = 0;
	return error ? error :
		       inner_ops(link)->map(link->inner, runs, count, rights,
					    address, bad);
}

static int fault_unmap(struct hdmabuf_link *link, void *address, uint64_t pages)
{
	int error = asked(link->endpoint, "unmap");

	return error ? error :
		       inner_ops(link)->unmap(link->inner, address, pages);
}

int hdmabuf_fault_platform(struct hdmabuf_platform inner,
			   int (*fails)(void *user, const char *name),
			   void *user, struct hdmabuf_platform *outer)
{
	struct fault_endpoint *endpoint = calloc(1, sizeof(*endpoint));

	if (!endpoint)
		return -ENOMEM;
	endpoint->ops = (struct hdmabuf_platform_ops){
		.name = inner.ops->name,
		.page_shift = inner.ops->page_shift,
		.reference_max = inner.ops->reference_max,
		.contiguous = inner.ops->contiguous,
		.fd = fault_fd,
		.dispatch = fault_dispatch,
		.close = fault_close,
		.peer = fault_peer,
		.publish = fault_publish,
		.record = fault_record,
		.notify = fault_notify,
		.disconnect = fault_disconnect,
		.free = fault_free,
		.alloc = fault_alloc,
		.share = fault_share,
		.revoke = fault_revoke,
		.map = fault_map,
		.unmap = fault_unmap,
	};
	endpoint->inner = inner;
	endpoint->fails = fails;
	endpoint->fails_user = user;
	outer->ops = &endpoint->ops;
	outer->endpoint = endpoint;
	return 0;
}
