/* SPDX-License-Identifier: MIT */
/*
 * endpoint.c - the endpoint: platform events, timers, dispatch
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "internal.h"

#define NEVER UINT64_MAX

void hdmabuf_config_init(struct hdmabuf_config *config)
{
	memset(config, 0, sizeof(*config));
	config->features = HDMABUF_FEATURES_ALL;
	config->limits.max_octets = 1ull << 30;
	config->limits.max_buffers = 256;
	config->limits.max_timelines = 64;
	config->limits.max_private = 4096 - HDMABUF_DESCRIPTOR_OCTETS;
	config->limits.max_in_flight = UINT32_MAX;
	config->ring_formats = HDMABUF_RING_FORMATS;
	config->timeline_pages = 1;
	config->max_sessions = 64;
	config->looks = has_processors() ? HDMABUF_WAITING_LOOKS : 0;
}

static bool config_is_sane(const struct hdmabuf_config *config)
{
	const struct hdmabuf_limits *limits = &config->limits;

	return limits->max_in_flight && config->max_sessions &&
	       !(config->features & ~HDMABUF_FEATURES_ALL) &&
	       (!limits->max_buffers ||
		limits->max_private >= HDMABUF_PRIVATE_MIN) &&
	       config->ring_formats &&
	       !(config->ring_formats & ~(uint64_t)HDMABUF_RING_FORMATS) &&
	       config->ring_order <= HDMABUF_RING_ORDER_MAX &&
	       config->timeline_pages <= HDMABUF_TIMELINE_PAGES_MAX;
}

static int poll_add(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int endpoint_poll_init(struct hdmabuf_endpoint *endpoint)
{
	int error;

	endpoint->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	endpoint->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (endpoint->epoll_fd < 0 || endpoint->timer_fd < 0)
		return -errno;
	endpoint->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (endpoint->wake_fd < 0)
		return -errno;
	error = poll_add(endpoint->epoll_fd, endpoint->timer_fd);
	if (!error)
		error = poll_add(endpoint->epoll_fd, endpoint->wake_fd);
	if (error)
		return error;
	return poll_add(
		endpoint->epoll_fd,
		endpoint->platform.ops->fd(endpoint->platform.endpoint));
}

static void endpoint_free(struct hdmabuf_endpoint *endpoint)
{
	if (endpoint->epoll_fd >= 0)
		close(endpoint->epoll_fd);
	if (endpoint->timer_fd >= 0)
		close(endpoint->timer_fd);
	if (endpoint->wake_fd >= 0)
		close(endpoint->wake_fd);
	endpoint->platform.ops->close(endpoint->platform.endpoint);
	free(endpoint);
}

int hdmabuf_endpoint_new(struct hdmabuf_platform platform,
			 enum hdmabuf_role role,
			 const struct hdmabuf_config *config,
			 const struct hdmabuf_callbacks *callbacks, void *user,
			 struct hdmabuf_endpoint **result)
{
	struct hdmabuf_endpoint *endpoint = calloc(1, sizeof(*endpoint));
	int error;

	if (!endpoint) {
		platform.ops->close(platform.endpoint);
		return -ENOMEM;
	}
	endpoint->epoll_fd = -1;
	endpoint->timer_fd = -1;
	endpoint->wake_fd = -1;
	endpoint->platform = platform;
	endpoint->role = role;
	if (callbacks)
		endpoint->callbacks = *callbacks;
	endpoint->user = user;
	endpoint->retry_at = NEVER;
	endpoint->timer_at = NEVER;
	LIST_INIT(&endpoint->sessions);
	LIST_INIT(&endpoint->active);
	LIST_INIT(&endpoint->leaving);
	LIST_INIT(&endpoint->remains);
	if (config)
		endpoint->config = *config;
	else
		hdmabuf_config_init(&endpoint->config);
	hdmabuf_waiting_init(&endpoint->waiting, endpoint->config.looks);
	error = config_is_sane(&endpoint->config) ?
			endpoint_poll_init(endpoint) :
			-EINVAL;
	if (error) {
		endpoint_free(endpoint);
		return error;
	}
	*result = endpoint;
	return 0;
}

int hdmabuf_endpoint_open(const char *address, enum hdmabuf_role role,
			  const struct hdmabuf_config *config,
			  const struct hdmabuf_callbacks *callbacks, void *user,
			  struct hdmabuf_endpoint **endpoint, char *error,
			  size_t error_size)
{
	struct hdmabuf_platform platform;
	char ignored[1];
	int result;

	result = hdmabuf_platform_open(address, role, &platform,
				       error ? error : ignored,
				       error ? error_size : sizeof(ignored));
	if (result)
		return result;
	result = hdmabuf_endpoint_new(platform, role, config, callbacks, user,
				      endpoint);
	if (result && error)
		snprintf(error, error_size, "cannot open %s: %s", address,
			 strerror(-result));
	return result;
}

int hdmabuf_endpoint_fd(const struct hdmabuf_endpoint *endpoint)
{
	return endpoint->epoll_fd;
}

/* Events only leave a note; the sessions are run when all have been taken. */

static void *on_up(void *user, struct hdmabuf_link *link)
{
	struct hdmabuf_endpoint *endpoint = user;

	if (endpoint->stopped)
		return NULL;
	if (endpoint->session_count >= endpoint->config.max_sessions) {
		endpoint_log(endpoint, HDMABUF_LOG_ERROR,
			     "a peer is refused: there are %u sessions already",
			     endpoint->session_count);
		return NULL;
	}
	return session_new(endpoint, link);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* It may be that the peer has let go of something. */
static void endpoint_retry_soon(struct hdmabuf_endpoint *endpoint)
{
	endpoint->retry_at = earlier(endpoint->retry_at,
				     endpoint->retried_at + REVOKE_SOON_MS);
}

static void on_record(void *owner)
{
	struct hdmabuf_session *session = owner;

	session->record_changed = true;
	session_touch(session);
}

static void on_notified(void *owner)
{
	struct hdmabuf_session *session = owner;

	session->statistics.notifications_received++;
	session->look = true;
	session_touch(session);
	endpoint_retry_soon(session->endpoint);
}

static void on_down(void *owner, const char *why)
{
	struct hdmabuf_session *session = owner;

	session->down = true;
	session_touch(session);
	snprintf(session->down_why, sizeof(session->down_why), "%s", why);
}

static void on_log(void *user, const char *line)
{
	endpoint_log(user, HDMABUF_LOG_ERROR, "%s", line);
}

static const struct hdmabuf_platform_events platform_events = {
	.up = on_up,
	.record = on_record,
	.notified = on_notified,
	.down = on_down,
	.log = on_log,
};

/* Of the sessions that there is something to do for; the others rest from now on. */
static uint64_t endpoint_deadline(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_session *session = LIST_FIRST(&endpoint->active);
	uint64_t deadline = NEVER;

	while (session) {
		struct hdmabuf_session *next = LIST_NEXT(session, active_entry);

		deadline = earlier(deadline, session_deadline(session));
		session_rest(session);
		session = next;
	}
	if (!LIST_EMPTY(&endpoint->leaving) || !LIST_EMPTY(&endpoint->remains))
		deadline = earlier(deadline, endpoint->retry_at);
	return deadline;
}

/* Setting a timer takes many times as long, in a virtual machine above all. */
void endpoint_wake(struct hdmabuf_endpoint *endpoint)
{
	static const uint64_t one = 1;

	if (!endpoint->awake)
		endpoint->awake = write(endpoint->wake_fd, &one, sizeof(one)) ==
				  sizeof(one);
}

static void endpoint_take_wake(struct hdmabuf_endpoint *endpoint)
{
	uint64_t count;

	if (endpoint->awake)
		endpoint->awake = read(endpoint->wake_fd, &count,
				       sizeof(count)) != sizeof(count);
}

static void endpoint_set_timer(struct hdmabuf_endpoint *endpoint)
{
	uint64_t deadline = endpoint_deadline(endpoint);
	struct itimerspec timer = { 0 };

	if (!deadline) {
		endpoint_wake(endpoint);
		return;
	}
	if (deadline == endpoint->timer_at)
		return;
	endpoint->timer_at = deadline;
	if (deadline != NEVER) {
		timer.it_value.tv_sec = (time_t)(deadline / 1000);
		timer.it_value.tv_nsec = (long)(deadline % 1000 * 1000000);
	}
	timerfd_settime(endpoint->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL);
}

static void endpoint_retry(struct hdmabuf_endpoint *endpoint, uint64_t now)
{
	remains_retry(endpoint);
	exports_retry(endpoint, now);
	endpoint->retried_at = now;
	endpoint->retry_at = now + REVOKE_RETRY_MS;
}

static void endpoint_run_sessions(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_session *session = LIST_FIRST(&endpoint->active);
	uint64_t now = now_ms();

	while (session) {
		struct hdmabuf_session *next = LIST_NEXT(session, active_entry);

		if (session_wants_run(session, now))
			session_run(session);
		session = next;
	}
}

static void endpoint_bury(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_timeline_handle *timeline;
	struct hdmabuf_buffer *buffer;

	while ((buffer = SLIST_FIRST(&endpoint->buffer_graves))) {
		SLIST_REMOVE_HEAD(&endpoint->buffer_graves, grave);
		free(buffer);
	}
	while ((timeline = SLIST_FIRST(&endpoint->timeline_graves))) {
		SLIST_REMOVE_HEAD(&endpoint->timeline_graves, grave);
		free(timeline);
	}
}

static void endpoint_flush_sessions(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_session *session;

	LIST_FOREACH(session, &endpoint->active, active_entry)
		pump_flush(session);
}

/* Reading the timer is only worth a system call if it has expired. */
static void endpoint_take_timer(struct hdmabuf_endpoint *endpoint)
{
	uint64_t ticks;

	if (endpoint->timer_at == NEVER || endpoint->timer_at > now_ms())
		return;
	/* If it is about to expire, it stays as it is, and is set anew. */
	if (read(endpoint->timer_fd, &ticks, sizeof(ticks)) > 0)
		endpoint->timer_at = NEVER;
}

static void endpoint_run_retries(struct hdmabuf_endpoint *endpoint)
{
	uint64_t now;

	if (LIST_EMPTY(&endpoint->remains) && LIST_EMPTY(&endpoint->leaving))
		return;
	now = now_ms();
	if (endpoint->retry_at == NEVER || endpoint->retry_at <= now)
		endpoint_retry(endpoint, now);
}

int hdmabuf_endpoint_dispatch(struct hdmabuf_endpoint *endpoint)
{
	int error;

	endpoint_take_timer(endpoint);
	endpoint_take_wake(endpoint);
	endpoint->dispatching = true;
	error = endpoint->platform.ops->dispatch(endpoint->platform.endpoint,
						 &platform_events, endpoint);
	endpoint_run_sessions(endpoint);
	endpoint_run_retries(endpoint);
	endpoint_flush_sessions(endpoint);
	endpoint->dispatching = false;
	endpoint_bury(endpoint);
	endpoint_set_timer(endpoint);
	return error;
}

/* Within dispatch() answers go out before requests, all at its end. */
void hdmabuf_endpoint_flush(struct hdmabuf_endpoint *endpoint)
{
	if (endpoint->dispatching)
		return;
	endpoint_flush_sessions(endpoint);
	endpoint_set_timer(endpoint);
}

static void quarantine_count(const struct buffer_list *list, uint32_t *buffers,
			     uint64_t *octets)
{
	const struct hdmabuf_buffer *buffer;

	LIST_FOREACH(buffer, list, entry) {
		if (buffer->state != HDMABUF_BUFFER_QUARANTINED)
			continue;
		++*buffers;
		*octets += buffer_octets(buffer);
	}
}

void hdmabuf_endpoint_quarantined(const struct hdmabuf_endpoint *endpoint,
				  uint32_t *buffers, uint64_t *octets)
{
	const struct hdmabuf_session *session;

	*buffers = 0;
	*octets = 0;
	quarantine_count(&endpoint->leaving, buffers, octets);
	LIST_FOREACH(session, &endpoint->sessions, entry)
		quarantine_count(&session->buffers, buffers, octets);
}

void hdmabuf_endpoint_stop(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_session *session;

	endpoint->stopped = true;
	LIST_FOREACH(session, &endpoint->sessions, entry) {
		session->record_changed = true;
		session_touch(session);
	}
	hdmabuf_endpoint_flush(endpoint);
}

void hdmabuf_endpoint_start(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_session *session;

	endpoint->stopped = false;
	LIST_FOREACH(session, &endpoint->sessions, entry)
		session_start(session);
	hdmabuf_endpoint_flush(endpoint);
}

void hdmabuf_endpoint_close(struct hdmabuf_endpoint *endpoint)
{
	struct hdmabuf_session *session;

	if (!endpoint)
		return;
	endpoint->stopped = true;
	while ((session = LIST_FIRST(&endpoint->sessions)))
		session_stop(session);
	exports_drop(endpoint);
	remains_drop(endpoint);
	endpoint_bury(endpoint);
	endpoint_free(endpoint);
}
