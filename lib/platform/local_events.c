/* SPDX-License-Identifier: MIT */
/*
 * local_events.c - what happens at an endpoint: peers come, packets, time
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "local.h"

/* Events taken by one dispatch(), and connections accepted. */
#define EVENTS_MAX  32
#define ACCEPTS_MAX 8
/* How long to wait when no connection can be accepted. */
#define ACCEPT_AGAIN_MS 1000

int local_watch(struct local_endpoint *endpoint, int fd, uint32_t events,
		struct local_source *source)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(endpoint->epoll_fd, EPOLL_CTL_ADD, fd, &event) ?
		       -errno :
		       0;
}

/* dispatch() has something to report, though no descriptor says so. */
void local_wake(struct local_endpoint *endpoint)
{
	static const uint64_t one = 1;

	if (write(endpoint->wake_fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

void local_log(struct local_endpoint *endpoint, const char *format, ...)
{
	char line[256];
	va_list args;

	if (!endpoint->events || !endpoint->events->log)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	endpoint->events->log(endpoint->user, line);
}

/* ---- the frontend connects ---------------------------------------------- */

static void retry_later(struct local_endpoint *endpoint)
{
	endpoint->retry_at = timer_now() + endpoint->retry_ms;
	endpoint->retry_ms *= 2;
	if (endpoint->retry_ms > LOCAL_RETRY_MAX_MS)
		endpoint->retry_ms = LOCAL_RETRY_MAX_MS;
}

/* Nobody being there is what a frontend waits for; else the log says it, once. */
static void connect_failed(struct local_endpoint *endpoint, int error)
{
	bool waiting = error == -ENOENT || error == -ECONNREFUSED ||
		       error == -EAGAIN;

	if (!waiting && error != endpoint->connect_error)
		local_log(endpoint, "cannot connect to %s: %s; trying again",
			  endpoint->path, strerror(-error));
	endpoint->connect_error = error;
	retry_later(endpoint);
}

static void try_to_connect(struct local_endpoint *endpoint)
{
	int fd = local_path_connect(endpoint->path);

	endpoint->retry_at = TIMER_NEVER;
	if (fd < 0) {
		connect_failed(endpoint, fd);
		return;
	}
	endpoint->connect_error = 0;
	endpoint->current = local_link_new(endpoint, fd);
	if (!endpoint->current)
		retry_later(endpoint);
}

/* A link is over: a frontend looks for the next, at once if this one was good. */
void local_link_gone(struct hdmabuf_link *link)
{
	struct local_endpoint *endpoint = link->endpoint;

	if (link != endpoint->current)
		return;
	endpoint->current = NULL;
	if (link->up_at && timer_now() - link->up_at > LOCAL_RETRY_MAX_MS)
		endpoint->retry_ms = LOCAL_RETRY_MIN_MS;
	retry_later(endpoint);
	local_wake(endpoint);
}

/* ---- the backend accepts ------------------------------------------------ */

void local_accept_again(struct local_endpoint *endpoint)
{
	if (endpoint->accepting || endpoint->listen_fd < 0 ||
	    endpoint->link_count >= endpoint->links_max)
		return;
	if (local_watch(endpoint, endpoint->listen_fd, EPOLLIN,
			&endpoint->listener)) {
		endpoint->accept_at = timer_now() + ACCEPT_AGAIN_MS;
		return;
	}
	endpoint->accepting = true;
	endpoint->accept_at = TIMER_NEVER;
}

/* Whoever connects meanwhile waits in the socket. */
static void accept_later(struct local_endpoint *endpoint, uint64_t when)
{
	if (endpoint->accepting)
		epoll_ctl(endpoint->epoll_fd, EPOLL_CTL_DEL,
			  endpoint->listen_fd, NULL);
	endpoint->accepting = false;
	endpoint->accept_at = when;
}

/* Links are in the order in which they came. */
static void drop_oldest_half_open(struct local_endpoint *endpoint)
{
	struct hdmabuf_link *link = TAILQ_FIRST(&endpoint->links);

	while (link && link->state != LOCAL_HALF_OPEN)
		link = TAILQ_NEXT(link, entry);
	if (link)
		local_link_free(link);
}

static void accept_failed(struct local_endpoint *endpoint, int error)
{
	if (error == EAGAIN || error == ECONNABORTED || error == EINTR)
		return;
	local_log(endpoint, "cannot accept a connection: %s; trying again",
		  strerror(error));
	accept_later(endpoint, timer_now() + ACCEPT_AGAIN_MS);
}

static bool accept_one(struct local_endpoint *endpoint)
{
	struct hdmabuf_link *link;
	int fd;

	if (endpoint->link_count >= endpoint->links_max) {
		local_log(endpoint, "there are %u connections: more must wait",
			  endpoint->links_max);
		accept_later(endpoint, TIMER_NEVER);
		return false;
	}
	fd = accept4(endpoint->listen_fd, NULL, NULL,
		     SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		accept_failed(endpoint, errno);
		return false;
	}
	if (endpoint->half_open >= LOCAL_HALF_OPEN_MAX)
		drop_oldest_half_open(endpoint);
	link = local_link_new(endpoint, fd);
	if (!link)
		return true;
	local_receive(link, LOCAL_BUDGET);
	local_link_report(link);
	return true;
}

static void accept_some(struct local_endpoint *endpoint)
{
	int i;

	for (i = 0; i < ACCEPTS_MAX; i++)
		if (!accept_one(endpoint))
			return;
}

/* ---- time --------------------------------------------------------------- */

static struct hdmabuf_link *find_overdue(struct local_endpoint *endpoint,
					 uint64_t now)
{
	struct hdmabuf_link *link;

	TAILQ_FOREACH(link, &endpoint->links, entry)
		if (link->state == LOCAL_HALF_OPEN && link->deadline <= now)
			return link;
	return NULL;
}

static void check_half_open(struct local_endpoint *endpoint, uint64_t now)
{
	struct hdmabuf_link *link;

	while ((link = find_overdue(endpoint, now))) {
		local_log(endpoint, "a connection without ATTACH is dropped");
		local_link_free(link);
	}
}

static void check_time(struct local_endpoint *endpoint)
{
	uint64_t now = timer_now();

	if (!timer_take(endpoint->timer_fd, &endpoint->timer_at))
		return;
	check_half_open(endpoint, now);
	if (endpoint->accept_at <= now)
		local_accept_again(endpoint);
	if (endpoint->retry_at <= now)
		try_to_connect(endpoint);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_deadline(const struct local_endpoint *endpoint)
{
	const struct hdmabuf_link *link;
	uint64_t next = earlier(endpoint->retry_at, endpoint->accept_at);

	if (endpoint->half_open)
		TAILQ_FOREACH(link, &endpoint->links, entry)
			if (link->state == LOCAL_HALF_OPEN)
				next = earlier(next, link->deadline);
	return next;
}

void local_set_timer(struct local_endpoint *endpoint)
{
	timer_set(endpoint->timer_fd, next_deadline(endpoint),
		  &endpoint->timer_at);
}

/* ---- dispatch ----------------------------------------------------------- */

static struct hdmabuf_link *find_unreported(struct local_endpoint *endpoint)
{
	struct hdmabuf_link *link;

	TAILQ_FOREACH(link, &endpoint->links, entry)
		if (local_link_is_unreported(link))
			return link;
	return NULL;
}

/* Searched anew each time: a report may free any link. */
static void report_all(struct local_endpoint *endpoint)
{
	struct hdmabuf_link *link;
	unsigned int budget = LOCAL_LINKS_MAX;
	uint64_t count;

	if (read(endpoint->wake_fd, &count, sizeof(count)) < 0)
		return; /* nothing new */
	while (budget-- && (link = find_unreported(endpoint)))
		local_link_report(link);
	if (find_unreported(endpoint))
		local_wake(endpoint);
	local_accept_again(endpoint);
}

static void handle_socket(struct hdmabuf_link *link, uint32_t events)
{
	if (link->state >= LOCAL_OVER)
		return;
	if (events & EPOLLOUT)
		local_packet_flush(link);
	local_receive(link, LOCAL_BUDGET);
	local_link_report(link);
}

static void handle_event(struct local_endpoint *endpoint,
			 const struct epoll_event *event)
{
	const struct local_source *source = event->data.ptr;

	switch (source->kind) {
	case LOCAL_LISTENER:
		accept_some(endpoint);
		break;
	case LOCAL_TIMER:
		check_time(endpoint);
		break;
	case LOCAL_WAKE:
		report_all(endpoint);
		break;
	case LOCAL_SOCKET:
		handle_socket(source->link, event->events);
		break;
	case LOCAL_EVENT:
		source->link->look = true;
		local_link_report(source->link);
		break;
	}
}

/* Links that were freed while their events were at hand. */
static void bury(struct local_endpoint *endpoint)
{
	struct hdmabuf_link *link;

	while ((link = TAILQ_FIRST(&endpoint->buried))) {
		TAILQ_REMOVE(&endpoint->buried, link, entry);
		local_link_destroy(link);
	}
}

int local_dispatch(void *context, const struct hdmabuf_platform_events *events,
		   void *user)
{
	struct local_endpoint *endpoint = context;
	struct epoll_event ready[EVENTS_MAX];
	int count = epoll_wait(endpoint->epoll_fd, ready, EVENTS_MAX, 0);
	int i;

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	endpoint->events = events;
	endpoint->user = user;
	endpoint->dispatching = true;
	for (i = 0; i < count; i++)
		handle_event(endpoint, &ready[i]);
	endpoint->dispatching = false;
	endpoint->events = NULL;
	bury(endpoint);
	local_set_timer(endpoint);
	return 0;
}
