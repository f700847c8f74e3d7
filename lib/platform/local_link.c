/* SPDX-License-Identifier: MIT */
/*
 * local_link.c - life of a link
 *
 * A link is HALF_OPEN until the peer's ATTACH comes, UP as long as both ends are
 * there, and OVER until its owner frees it: in that time the owner lets go of its
 * mappings, and learns that the peer has done so.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "local.h"

/* Of Linux 6.5: knows the peer in another pid namespace, and no other by mistake. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

bool local_link_is_usable(const struct hdmabuf_link *link)
{
	return link->state == LOCAL_UP && !link->ending;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- coming up ---------------------------------------------------------- */

static int peer_pidfd(const struct hdmabuf_link *link)
{
	socklen_t size = sizeof(int);
	int fd;

	if (link->peer.pid == getpid())
		return -1;
	if (!getsockopt(link->socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size))
		return fd;
	if (link->peer.pid <= 0)
		return -1;
	return (int)syscall(SYS_pidfd_open, link->peer.pid, 0);
}

static void identify_peer(struct hdmabuf_link *link)
{
	socklen_t size = sizeof(link->peer);

	if (getsockopt(link->socket, SOL_SOCKET, SO_PEERCRED, &link->peer,
		       &size))
		memset(&link->peer, 0, sizeof(link->peer));
	link->pidfd = peer_pidfd(link);
}

static int send_attach(struct hdmabuf_link *link)
{
	struct local_packet packet = {
		.type = HDMABUF_LOCAL_ATTACH,
		.version = HDMABUF_LOCAL_VERSION,
		.page_shift = link->endpoint->ops.page_shift,
		.fd = link->own_event,
	};

	return local_packet_send_now(link, &packet);
}

static int start(struct hdmabuf_link *link)
{
	struct local_endpoint *endpoint = link->endpoint;
	int error;

	link->own_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (link->own_event < 0)
		return -errno;
	/* Edges: the counter need not be read to be rid of a notification. */
	error = local_watch(endpoint, link->own_event, EPOLLIN | EPOLLET,
			    &link->event_source);
	if (!error)
		error = local_watch(endpoint, link->socket, EPOLLIN,
				    &link->socket_source);
	if (!error)
		error = send_attach(link);
	return error;
}

/* Takes the socket over, even if it fails. */
struct hdmabuf_link *local_link_new(struct local_endpoint *endpoint, int socket)
{
	struct hdmabuf_link *link = calloc(1, sizeof(*link));

	if (!link) {
		close(socket);
		return NULL;
	}
	link->endpoint = endpoint;
	link->socket = socket;
	link->own_event = -1;
	link->peer_event = -1;
	link->socket_source = (struct local_source){ LOCAL_SOCKET, link };
	link->event_source = (struct local_source){ LOCAL_EVENT, link };
	link->deadline = timer_now() + LOCAL_ATTACH_MS;
	link->next_reference = 1;
	STAILQ_INIT(&link->queue);
	LIST_INIT(&link->shared.list);
	LIST_INIT(&link->granted.list);
	identify_peer(link);
	TAILQ_INSERT_TAIL(&endpoint->links, link, entry);
	endpoint->link_count++;
	endpoint->half_open++;
	if (!start(link))
		return link;
	local_link_free(link);
	return NULL;
}

/* ---- going down --------------------------------------------------------- */

static void end(struct hdmabuf_link *link, const char *format, va_list args)
{
	if (link->ending)
		return;
	link->ending = true;
	vsnprintf(link->why, sizeof(link->why), format, args);
	local_wake(link->endpoint);
}

/* Nothing more is to come; the owner is told by the next dispatch(). */
void local_link_end(struct hdmabuf_link *link, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(link, format, args);
	va_end(args);
}

/* HDB-LOCAL-003: so does a peer that breaks the rules, and it goes to the log. */
void local_link_break(struct hdmabuf_link *link, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end(link, format, args);
	va_end(args);
	link->broken = true;
}

static void shut(struct hdmabuf_link *link)
{
	if (link->shut)
		return;
	link->shut = true;
	shutdown(link->socket, SHUT_WR);
}

/* HDB-LOCAL-020: tells the peer that nothing of it is mapped any more. */
void local_link_finish(struct hdmabuf_link *link)
{
	if (link->state == LOCAL_OVER && !link->mappings.count)
		shut(link);
}

static void stop_watching(struct hdmabuf_link *link)
{
	int epoll_fd = link->endpoint->epoll_fd;

	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, link->socket, NULL);
	if (link->own_event >= 0)
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, link->own_event, NULL);
	close_if_open(&link->own_event);
	close_if_open(&link->peer_event);
}

/* If LEAVE finds no room, the end alone must do: the peer then waits for ours. */
static void leave(struct hdmabuf_link *link)
{
	struct local_packet packet = { .type = HDMABUF_LOCAL_LEAVE, .fd = -1 };

	if (local_packet_send_now(link, &packet))
		shut(link);
	local_packet_drop(link);
}

void local_link_disconnect(struct hdmabuf_link *link)
{
	if (link->state >= LOCAL_OVER)
		return;
	if (link->state == LOCAL_HALF_OPEN)
		link->endpoint->half_open--;
	link->endpoint->link_count--;
	link->state = LOCAL_OVER;
	link->ending = true;
	leave(link);
	stop_watching(link);
	local_grants_drop(link);
	local_link_finish(link);
	local_link_gone(link);
}

static bool peer_process_has_ended(const struct hdmabuf_link *link)
{
	struct pollfd state = { .fd = link->pidfd, .events = POLLIN };

	return link->pidfd < 0 || poll(&state, 1, 0) > 0;
}

/*
 * Whether the peer can have nothing mapped any more.  Its end of the connection
 * says so if LEAVE came before; else only the end of its process does.
 */
bool local_link_peer_is_done(struct hdmabuf_link *link)
{
	if (link->state != LOCAL_OVER)
		return false;
	local_receive_last(link);
	return link->finished && (link->left || peer_process_has_ended(link));
}

void local_link_destroy(struct hdmabuf_link *link)
{
	local_set_free(&link->shares);
	local_set_free(&link->grants);
	local_set_free(&link->mappings);
	free(link);
}

void local_link_free(struct hdmabuf_link *link)
{
	struct local_endpoint *endpoint = link->endpoint;

	local_link_disconnect(link);
	local_mappings_drop(link);
	local_shares_drop(link);
	link->state = LOCAL_FREED;
	close(link->socket);
	close_if_open(&link->pidfd);
	TAILQ_REMOVE(&endpoint->links, link, entry);
	if (endpoint->dispatching)
		TAILQ_INSERT_TAIL(&endpoint->buried, link, entry);
	else
		local_link_destroy(link);
	local_wake(endpoint);
}

/* ---- telling the owner -------------------------------------------------- */

static bool take(bool *flag)
{
	bool was = *flag;

	*flag = false;
	return was;
}

static void report_up(struct hdmabuf_link *link)
{
	struct local_endpoint *endpoint = link->endpoint;

	if (link->ending)
		return;
	link->owner = endpoint->events->up(endpoint->user, link);
	if (!link->owner)
		local_link_free(link);
}

static void report_end(struct hdmabuf_link *link)
{
	struct local_endpoint *endpoint = link->endpoint;
	char peer[48];

	if (link->broken) {
		local_link_peer(link, peer, sizeof(peer));
		local_log(endpoint, "%s sent %s: connection closed", peer,
			  link->why);
	}
	if (!link->owner) {
		local_link_free(link);
		return;
	}
	local_link_disconnect(link);
	endpoint->events->down(link->owner, link->why);
}

bool local_link_is_unreported(const struct hdmabuf_link *link)
{
	if (link->state == LOCAL_UP)
		return !link->owner || link->record_changed || link->look ||
		       link->ending;
	return link->state == LOCAL_HALF_OPEN && link->ending;
}

/* Every call may disconnect or free the link, hence all the looking again. */
void local_link_report(struct hdmabuf_link *link)
{
	const struct hdmabuf_platform_events *events = link->endpoint->events;

	if (link->state == LOCAL_UP && !link->owner)
		report_up(link);
	if (link->state == LOCAL_UP && link->owner &&
	    take(&link->record_changed))
		events->record(link->owner);
	if (link->state == LOCAL_UP && link->owner &&
	    (take(&link->look) || link->ending))
		events->notified(link->owner);
	if (link->state < LOCAL_OVER && link->ending)
		report_end(link);
}

/* ---- the owner's -------------------------------------------------------- */

void local_link_peer(struct hdmabuf_link *link, char *text, size_t size)
{
	snprintf(text, size, "pid %ld, uid %lu", (long)link->peer.pid,
		 (unsigned long)link->peer.uid);
}

int local_link_publish(struct hdmabuf_link *link, const char *text,
		       size_t octets)
{
	struct local_packet packet = { .type = HDMABUF_LOCAL_RECORD,
				       .length = (uint32_t)octets,
				       .fd = -1 };

	if (octets > sizeof(packet.text))
		return -E2BIG;
	if (!local_link_is_usable(link))
		return -ENOTCONN;
	memcpy(packet.text, text, octets);
	return local_packet_send(link, &packet) ? -ENOTCONN : 0;
}

/* A record that the caller has no room for is none. */
size_t local_link_record(struct hdmabuf_link *link, char *text, size_t size)
{
	if (link->state != LOCAL_UP || link->record_octets > size)
		return 0;
	memcpy(text, link->record, link->record_octets);
	return link->record_octets;
}

/* Fails if the counter is full, and then the peer is notified already. */
int local_link_notify(struct hdmabuf_link *link)
{
	static const uint64_t one = 1;

	if (link->peer_event >= 0 &&
	    write(link->peer_event, &one, sizeof(one)) < 0 && errno != EAGAIN)
		return -errno;
	return 0;
}
