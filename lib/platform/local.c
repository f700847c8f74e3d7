/* SPDX-License-Identifier: MIT */
/*
 * local.c - the local platform: opening and closing of endpoints
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "local.h"
#include "platform.h"

static int endpoint_fd(void *context)
{
	const struct local_endpoint *endpoint = context;

	return endpoint->epoll_fd;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void endpoint_close(void *context)
{
	struct local_endpoint *endpoint = context;
	struct hdmabuf_link *link;

	while ((link = TAILQ_FIRST(&endpoint->links)))
		local_link_free(link);
	if (endpoint->listen_fd >= 0)
		local_path_leave(endpoint);
	close_if_open(endpoint->listen_fd);
	close_if_open(endpoint->timer_fd);
	close_if_open(endpoint->wake_fd);
	close_if_open(endpoint->epoll_fd);
	free(endpoint->path);
	free(endpoint);
}

static int alloc(struct hdmabuf_link *link, size_t octets, uint32_t rights,
		 struct hdmabuf_memory *memory)
{
	(void)link;
	(void)rights;
	return hdmabuf_memory_open("memfd", octets, memory);
}

static const struct hdmabuf_platform_ops local_ops = {
	.name = "local",
	.reference_max = UINT32_MAX,
	.contiguous = true,
	.fd = endpoint_fd,
	.dispatch = local_dispatch,
	.close = endpoint_close,
	.peer = local_link_peer,
	.publish = local_link_publish,
	.record = local_link_record,
	.notify = local_link_notify,
	.disconnect = local_link_disconnect,
	.free = local_link_free,
	.alloc = alloc,
	.share = local_share,
	.revoke = local_revoke,
	.map = local_map,
	.unmap = local_unmap,
};

static uint32_t page_shift(void)
{
	long octets = sysconf(_SC_PAGESIZE);
	uint32_t shift = 0;

	while (octets >> shift > 1)
		shift++;
	return shift;
}

/* A quarter of the descriptors is left for everything else. */
static size_t memories_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return (size_t)(limit.rlim_cur - limit.rlim_cur / 4);
}

static int open_descriptors(struct local_endpoint *endpoint)
{
	int error;

	endpoint->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (endpoint->epoll_fd < 0)
		return -errno;
	endpoint->timer_fd = timer_open();
	if (endpoint->timer_fd < 0)
		return endpoint->timer_fd;
	endpoint->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (endpoint->wake_fd < 0)
		return -errno;
	error = local_watch(endpoint, endpoint->timer_fd, EPOLLIN,
			    &endpoint->timer);
	return error ? error :
		       local_watch(endpoint, endpoint->wake_fd, EPOLLIN,
				   &endpoint->wake);
}

static int endpoint_new(enum hdmabuf_role role, const char *path,
			struct local_endpoint **result)
{
	struct local_endpoint *endpoint = calloc(1, sizeof(*endpoint));
	int error;

	if (!endpoint)
		return -ENOMEM;
	endpoint->ops = local_ops;
	endpoint->ops.page_shift = page_shift();
	endpoint->role = role;
	endpoint->epoll_fd = endpoint->listen_fd = -1;
	endpoint->timer_fd = endpoint->wake_fd = -1;
	endpoint->listener.kind = LOCAL_LISTENER;
	endpoint->timer.kind = LOCAL_TIMER;
	endpoint->wake.kind = LOCAL_WAKE;
	TAILQ_INIT(&endpoint->links);
	TAILQ_INIT(&endpoint->buried);
	endpoint->links_max = LOCAL_LINKS_MAX;
	endpoint->memories_max = memories_max();
	endpoint->accept_at = endpoint->retry_at = TIMER_NEVER;
	endpoint->timer_at = TIMER_NEVER;
	endpoint->retry_ms = LOCAL_RETRY_MIN_MS;
	endpoint->path = path ? strdup(path) : NULL;
	error = path && !endpoint->path ? -ENOMEM : open_descriptors(endpoint);
	if (error)
		endpoint_close(endpoint);
	else
		*result = endpoint;
	return error;
}

static struct hdmabuf_platform platform_of(struct local_endpoint *endpoint)
{
	return (struct hdmabuf_platform){ &endpoint->ops, endpoint };
}

static int start(struct local_endpoint *endpoint, char *error,
		 size_t error_size)
{
	int result;

	if (endpoint->role == HDMABUF_FRONTEND) {
		endpoint->retry_at = timer_now();
		local_set_timer(endpoint);
		return 0;
	}
	result = local_path_listen(endpoint, error, error_size);
	if (result)
		return result;
	local_accept_again(endpoint);
	local_set_timer(endpoint);
	return 0;
}

int platform_open_local(const char *path, enum hdmabuf_role role,
			struct hdmabuf_platform *platform, char *error,
			size_t error_size)
{
	struct local_endpoint *endpoint;
	int result;

	if (!*path || strlen(path) > local_path_octets()) {
		snprintf(
			error, error_size,
			"'%s' is no place for a socket: write local:PATH, with a PATH of 1 to %zu octets",
			path, local_path_octets());
		return -EINVAL;
	}
	result = endpoint_new(role, path, &endpoint);
	if (result) {
		snprintf(error, error_size, "cannot open local:%s: %s", path,
			 strerror(-result));
		return result;
	}
	result = start(endpoint, error, error_size);
	if (result)
		endpoint_close(endpoint);
	else
		*platform = platform_of(endpoint);
	return result;
}

static int pair(struct local_endpoint *ends[2])
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0, sockets))
		return -errno;
	if (!local_link_new(ends[0], sockets[0])) {
		close(sockets[1]);
		return -ENOMEM;
	}
	return local_link_new(ends[1], sockets[1]) ? 0 : -ENOMEM;
}

int hdmabuf_local_pair(struct hdmabuf_platform *frontend,
		       struct hdmabuf_platform *backend)
{
	struct local_endpoint *ends[2];
	int error = endpoint_new(HDMABUF_FRONTEND, NULL, &ends[0]);

	if (error)
		return error;
	error = endpoint_new(HDMABUF_BACKEND, NULL, &ends[1]);
	if (error) {
		endpoint_close(ends[0]);
		return error;
	}
	error = pair(ends);
	if (error) {
		endpoint_close(ends[0]);
		endpoint_close(ends[1]);
		return error;
	}
	*frontend = platform_of(ends[0]);
	*backend = platform_of(ends[1]);
	return 0;
}
