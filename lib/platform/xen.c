/* SPDX-License-Identifier: MIT */
/*
 * xen.c - the Xen platform: opening and closing of endpoints
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "platform.h"
#include "xen.h"

static int endpoint_fd(void *context)
{
	const struct xen_endpoint *endpoint = context;

	return endpoint->epoll_fd;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void endpoint_close(void *context)
{
	struct xen_endpoint *endpoint = context;
	struct xen_device *device;
	struct hdmabuf_link *link;

	while ((link = TAILQ_FIRST(&endpoint->links)))
		xen_link_free(link);
	while ((device = TAILQ_FIRST(&endpoint->devices))) {
		xen_store_withdraw(device, HDMABUF_XEN_CLOSED);
		xen_device_free(device);
	}
	xs_close(endpoint->store);
	if (endpoint->channels)
		xenevtchn_close(endpoint->channels);
	if (endpoint->grants)
		xengnttab_close(endpoint->grants);
	if (endpoint->pool)
		xen_pool_put(endpoint->pool);
	close_if_open(endpoint->timer_fd);
	close_if_open(endpoint->wake_fd);
	close_if_open(endpoint->epoll_fd);
	free(endpoint);
}

static const struct hdmabuf_platform_ops xen_ops = {
	.name = "xen",
	.page_shift = HDMABUF_XEN_PAGE_SHIFT,
	.reference_max = UINT32_MAX,
	.contiguous = false,
	.fd = endpoint_fd,
	.dispatch = xen_dispatch,
	.close = endpoint_close,
	.peer = xen_link_peer,
	.publish = xen_link_publish,
	.record = xen_link_record,
	.notify = xen_link_notify,
	.disconnect = xen_link_disconnect,
	.free = xen_link_free,
	.alloc = xen_alloc,
	.share = xen_share,
	.revoke = xen_revoke,
	.map = xen_map,
	.unmap = xen_unmap,
};

/* ---- the libraries ------------------------------------------------------ */

/* They would write to stderr what their errors say already. */
static void say_nothing(xentoollog_logger *logger, xentoollog_level level,
			int error, const char *context, const char *format,
			va_list args)
{
	(void)logger;
	(void)level;
	(void)error;
	(void)context;
	(void)format;
	(void)args;
}

static void destroy_nothing(xentoollog_logger *logger)
{
	(void)logger;
}

void xen_logger_init(xentoollog_logger *logger)
{
	*logger = (xentoollog_logger){ .vmessage = say_nothing,
				       .destroy = destroy_nothing };
}

struct trouble {
	char *text;
	size_t size;
};

static int tell(struct trouble *trouble, int error, const char *what,
		const char *remedy)
{
	snprintf(trouble->text, trouble->size, "cannot open %s: %s; %s", what,
		 strerror(error), remedy);
	return -error;
}

static int open_libraries(struct xen_endpoint *endpoint,
			  struct trouble *trouble)
{
	int error;

	endpoint->store = xs_open(0);
	if (!endpoint->store)
		return tell(
			trouble, errno, "XenStore",
			"this has to be a domain of Xen, and xenstored has to run");
	endpoint->channels = xenevtchn_open(&endpoint->logger, 0);
	if (!endpoint->channels)
		return tell(trouble, errno, "/dev/xen/evtchn",
			    "load the module xen-evtchn, and be root");
	endpoint->grants = xengnttab_open(&endpoint->logger, 0);
	if (!endpoint->grants)
		return tell(trouble, errno, "/dev/xen/gntdev",
			    "load the module xen-gntdev, and be root");
	error = xen_pool_open(&endpoint->pool);
	return error ? tell(trouble, -error, "/dev/xen/gntalloc",
			    "load the module xen-gntalloc, and be root") :
		       0;
}

static int read_domain(struct xen_endpoint *endpoint, uint32_t *domain)
{
	unsigned int octets;
	char *text = xs_read(endpoint->store, XBT_NULL, "domid", &octets);
	unsigned long number;
	char *end;
	bool good;

	if (!text)
		return -errno;
	number = strtoul(text, &end, 10);
	good = *text && !*end && number <= XEN_DOMAIN_MAX;
	free(text);
	*domain = (uint32_t)number;
	return good ? 0 : -EINVAL;
}

static int identify(struct xen_endpoint *endpoint, struct trouble *trouble)
{
	int error = read_domain(endpoint, &endpoint->domain);

	return error ? tell(trouble, -error, "'domid' in XenStore",
			    "in domain 0, xen-init-dom0 writes it") :
		       0;
}

/* ---- watching ----------------------------------------------------------- */

static int poll_add(struct xen_endpoint *endpoint, int fd,
		    enum xen_source source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = source };

	return fd < 0 || epoll_ctl(endpoint->epoll_fd, EPOLL_CTL_ADD, fd,
				   &event) ?
		       -errno :
		       0;
}

static int open_descriptors(struct xen_endpoint *endpoint)
{
	int error;

	endpoint->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (endpoint->epoll_fd < 0)
		return -errno;
	endpoint->timer_fd = timer_open();
	if (endpoint->timer_fd < 0)
		return endpoint->timer_fd;
	endpoint->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	error = poll_add(endpoint, endpoint->wake_fd, XEN_WAKE);
	if (!error)
		error = poll_add(endpoint, endpoint->timer_fd, XEN_TIMER);
	if (!error)
		error = poll_add(endpoint, xs_fileno(endpoint->store),
				 XEN_STORE);
	if (!error)
		error = poll_add(endpoint, xenevtchn_fd(endpoint->channels),
				 XEN_CHANNELS);
	return error;
}

static struct xen_path devices_path(const struct xen_endpoint *endpoint)
{
	return endpoint->role == HDMABUF_FRONTEND ?
		       xen_path(endpoint->root, HDMABUF_XEN_NODE_BACKEND_ID) :
		       xen_path(endpoint->root, NULL);
}

static int watch_devices(struct xen_endpoint *endpoint)
{
	struct xen_path path = devices_path(endpoint);

	endpoint->search = true;
	return xs_watch(endpoint->store, path.text, XEN_TOKEN_DEVICES) ? 0 :
									 -errno;
}

/* Only the privileged learn that a domain has ended; others ask when it matters. */
static int watch(struct xen_endpoint *endpoint)
{
	int error = watch_devices(endpoint);

	if (!error && !xs_watch(endpoint->store, "domid", XEN_TOKEN_SELF))
		error = -errno;
	xs_watch(endpoint->store, "@releaseDomain", XEN_TOKEN_DOMAINS);
	xen_wake(endpoint);
	return error;
}

static void root_make(struct xen_endpoint *endpoint)
{
	if (endpoint->role == HDMABUF_FRONTEND)
		snprintf(endpoint->root, sizeof(endpoint->root),
			 "/local/domain/%u/device/" HDMABUF_XEN_CLASS "/%u",
			 endpoint->domain, endpoint->only_number);
	else
		snprintf(endpoint->root, sizeof(endpoint->root),
			 "/local/domain/%u/backend/" HDMABUF_XEN_CLASS,
			 endpoint->domain);
}

/* HDB-XEN-030: it was migrated, and nothing that it had before is left. */
void xen_check_self(struct xen_endpoint *endpoint)
{
	struct xen_path path = devices_path(endpoint);
	struct xen_device *device;
	struct hdmabuf_link *link;
	uint32_t domain;

	endpoint->self = false;
	if (read_domain(endpoint, &domain) || domain == endpoint->domain)
		return;
	TAILQ_FOREACH(link, &endpoint->links, entry) {
		link->peer_is_done = true;
		if (link->state == XEN_UP)
			xen_link_end(link, "this domain was %u, and is %u now",
				     endpoint->domain, domain);
	}
	while ((device = TAILQ_FIRST(&endpoint->devices)))
		xen_device_free(device);
	xs_unwatch(endpoint->store, path.text, XEN_TOKEN_DEVICES);
	endpoint->domain = domain;
	root_make(endpoint);
	watch_devices(endpoint);
}

/* ---- opening ------------------------------------------------------------ */

static int start(struct xen_endpoint *endpoint, struct trouble *trouble)
{
	int error;

	if (sysconf(_SC_PAGESIZE) != 1 << HDMABUF_XEN_PAGE_SHIFT)
		return tell(trouble, ENOTSUP, "gntalloc",
			    "it needs a kernel with pages of 4096 octets");
	error = open_libraries(endpoint, trouble);
	if (!error)
		error = identify(endpoint, trouble);
	if (error)
		return error;
	root_make(endpoint);
	error = open_descriptors(endpoint);
	if (!error)
		error = watch(endpoint);
	return error ? tell(trouble, -error, endpoint->root,
			    "XenStore or this process has no room for it") :
		       0;
}

static struct xen_endpoint *endpoint_new(enum hdmabuf_role role)
{
	struct xen_endpoint *endpoint = calloc(1, sizeof(*endpoint));

	if (!endpoint)
		return NULL;
	endpoint->role = role;
	endpoint->epoll_fd = endpoint->timer_fd = endpoint->wake_fd = -1;
	endpoint->timer_at = endpoint->search_at = TIMER_NEVER;
	TAILQ_INIT(&endpoint->devices);
	TAILQ_INIT(&endpoint->links);
	TAILQ_INIT(&endpoint->buried);
	xen_logger_init(&endpoint->logger);
	return endpoint;
}

static bool parse_part(const char **cursor, uint32_t max, uint32_t *number)
{
	char *end;
	unsigned long value;

	if (**cursor < '0' || **cursor > '9')
		return false;
	value = strtoul(*cursor, &end, 10);
	*cursor = end;
	*number = (uint32_t)value;
	return value <= max;
}

static bool parse(const char *text, struct xen_endpoint *endpoint)
{
	bool frontend = endpoint->role == HDMABUF_FRONTEND;

	endpoint->only_domain = XEN_ANY;
	endpoint->only_number = frontend ? 0 : XEN_ANY;
	if (!*text)
		return true;
	if (!frontend) {
		if (!parse_part(&text, XEN_DOMAIN_MAX, &endpoint->only_domain))
			return false;
		if (!*text)
			return true;
		if (*text++ != '/')
			return false;
	}
	return parse_part(&text, XEN_ANY - 1, &endpoint->only_number) && !*text;
}

int platform_open_xen(const char *rest, enum hdmabuf_role role,
		      struct hdmabuf_platform *platform, char *error,
		      size_t error_size)
{
	struct trouble trouble = { error, error_size };
	struct xen_endpoint *endpoint = endpoint_new(role);
	int result;

	if (!endpoint)
		return tell(&trouble, ENOMEM, "xen:", "there is no memory");
	if (!parse(rest, endpoint)) {
		snprintf(
			error, error_size,
			role == HDMABUF_FRONTEND ?
				"'xen:%s' is no device: write xen:DEVICE, as xen:0" :
				"'xen:%s' names no devices: write xen:, xen:DOMAIN or xen:DOMAIN/DEVICE, with numbers",
			rest);
		free(endpoint);
		return -EINVAL;
	}
	result = start(endpoint, &trouble);
	if (result) {
		endpoint_close(endpoint);
		return result;
	}
	*platform = (struct hdmabuf_platform){ &xen_ops, endpoint };
	return 0;
}
