/* SPDX-License-Identifier: MIT */
/*
 * local_packet.c - packets in and out of a socket
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "local.h"

/* As many descriptors as are taken in to be counted and closed. */
#define DESCRIPTORS_MAX 8

/* A packet as it is on the socket. */
struct octets {
	struct hdmabuf_local_packet head;
	char text[HDMABUF_LOCAL_RECORD_OCTETS];
};

/* ---- in ----------------------------------------------------------------- */

/* Keeps the first descriptor, closes the others, and says how many there were. */
static size_t take_descriptors(struct msghdr *message, int *fd)
{
	struct cmsghdr *control;
	size_t found = 0;

	for (control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		const uint8_t *data = CMSG_DATA(control);
		size_t left;
		int next;

		if (control->cmsg_level != SOL_SOCKET ||
		    control->cmsg_type != SCM_RIGHTS)
			continue;
		for (left = control->cmsg_len - CMSG_LEN(0);
		     left >= sizeof(next); left -= sizeof(next)) {
			memcpy(&next, data, sizeof(next));
			data += sizeof(next);
			if (found++)
				close(next);
			else
				*fd = next;
		}
	}
	return found;
}

static void decode(const struct hdmabuf_local_packet *head,
		   struct local_packet *packet)
{
	packet->type = hdmabuf_get_le32(head->type);
	packet->version = hdmabuf_get_le32(head->version);
	packet->page_shift = hdmabuf_get_le32(head->page_shift);
	packet->first = hdmabuf_get_le32(head->first);
	packet->count = hdmabuf_get_le32(head->count);
	packet->offset = hdmabuf_get_le64(head->offset);
	packet->rights = hdmabuf_get_le32(head->rights);
	packet->length = hdmabuf_get_le32(head->length);
}

/* Whether all fields are zero that this type has no use for. */
static bool unused_are_zero(const struct local_packet *packet)
{
	bool attach = packet->type == HDMABUF_LOCAL_ATTACH;
	bool record = packet->type == HDMABUF_LOCAL_RECORD;
	bool grant = packet->type == HDMABUF_LOCAL_GRANT;
	bool references = grant || packet->type == HDMABUF_LOCAL_REVOKE ||
			  packet->type == HDMABUF_LOCAL_REVOKED;

	return (attach || (!packet->version && !packet->page_shift)) &&
	       (references || (!packet->first && !packet->count)) &&
	       (grant || (!packet->offset && !packet->rights)) &&
	       (record || !packet->length);
}

static const char *check(const struct octets *octets, size_t size,
			 size_t descriptors, struct local_packet *packet)
{
	size_t expected = 0;

	if (size < sizeof(octets->head))
		return "a packet that is too short";
	if (hdmabuf_get_le32(octets->head.magic) != HDMABUF_LOCAL_MAGIC)
		return "a packet with a wrong magic";
	decode(&octets->head, packet);
	if (packet->type < HDMABUF_LOCAL_ATTACH ||
	    packet->type > HDMABUF_LOCAL_LEAVE)
		return "a packet of an unknown type";
	if (!unused_are_zero(packet))
		return "a packet with a field that must be zero";
	if (packet->length > HDMABUF_LOCAL_RECORD_OCTETS)
		return "a record that is too long";
	if (size != sizeof(octets->head) + packet->length)
		return "a packet of the wrong size";
	if (packet->type == HDMABUF_LOCAL_ATTACH ||
	    packet->type == HDMABUF_LOCAL_GRANT)
		expected = 1;
	if (descriptors != expected)
		return "a packet with the wrong number of descriptors";
	memcpy(packet->text, octets->text, packet->length);
	return NULL;
}

/* The kernel tells once that the peer left octets unread; they matter to nobody. */
static ssize_t receive(int socket, struct msghdr *message)
{
	int flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
	ssize_t size = recvmsg(socket, message, flags);

	if (size < 0 && errno == ECONNRESET)
		size = recvmsg(socket, message, flags);
	return size;
}

/* A packet of no octets looks like the end of the connection, but for this. */
static bool is_at_end(int socket)
{
	struct pollfd state = { .fd = socket, .events = POLLRDHUP };

	return poll(&state, 1, 0) > 0 &&
	       state.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

/*
 * Returns 1 and a packet, with its descriptor or -1; 0 if there is none; -EPIPE at
 * the end of the connection; -EPROTO and what is wrong.
 */
int local_packet_receive(struct hdmabuf_link *link, struct local_packet *packet,
			 const char **wrong)
{
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	} control;
	struct octets octets;
	struct iovec part = { &octets, sizeof(octets) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	size_t descriptors;
	ssize_t size;

	packet->fd = -1;
	size = receive(link->socket, &message);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
	descriptors = take_descriptors(&message, &packet->fd);
	if (!size && !descriptors && is_at_end(link->socket))
		return -EPIPE;
	if (message.msg_flags & MSG_CTRUNC)
		*wrong =
			"a packet with too many descriptors, or more than this process may open";
	else if (message.msg_flags & MSG_TRUNC)
		*wrong = "a packet that is too long";
	else
		*wrong = check(&octets, (size_t)size, descriptors, packet);
	if (!*wrong)
		return 1;
	if (packet->fd >= 0)
		close(packet->fd);
	return -EPROTO;
}

/* ---- out ---------------------------------------------------------------- */

static size_t encode(const struct local_packet *packet, struct octets *octets)
{
	octets->head.magic = hdmabuf_put_le32(HDMABUF_LOCAL_MAGIC);
	octets->head.type = hdmabuf_put_le32(packet->type);
	octets->head.version = hdmabuf_put_le32(packet->version);
	octets->head.page_shift = hdmabuf_put_le32(packet->page_shift);
	octets->head.first = hdmabuf_put_le32(packet->first);
	octets->head.count = hdmabuf_put_le32(packet->count);
	octets->head.offset = hdmabuf_put_le64(packet->offset);
	octets->head.rights = hdmabuf_put_le32(packet->rights);
	octets->head.length = hdmabuf_put_le32(packet->length);
	memcpy(octets->text, packet->text, packet->length);
	return sizeof(octets->head) + packet->length;
}

/* -EAGAIN if the socket is full.  A peer that is gone is noticed by receiving. */
static int transmit(int socket, const void *octets, size_t size, int fd)
{
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	struct iovec part = { (void *)octets, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	if (sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	switch (errno) {
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENOMEM:
	case ETOOMANYREFS:
		return -EAGAIN;
	default:
		return -EPIPE;
	}
}

static void watch_for_room(struct hdmabuf_link *link, bool wanted)
{
	struct epoll_event event = {
		.events = EPOLLIN | (wanted ? EPOLLOUT : 0),
		.data.ptr = &link->socket_source,
	};

	if (wanted == link->polled_out)
		return;
	link->polled_out = wanted;
	epoll_ctl(link->endpoint->epoll_fd, EPOLL_CTL_MOD, link->socket,
		  &event);
}

static int enqueue(struct hdmabuf_link *link, const void *octets, size_t size)
{
	struct local_queued *queued;

	if (size > LOCAL_QUEUE_MAX - link->queued)
		return -EAGAIN;
	queued = malloc(sizeof(*queued) + size);
	if (!queued)
		return -ENOMEM;
	memcpy(queued->data, octets, size);
	queued->octets = size;
	STAILQ_INSERT_TAIL(&link->queue, queued, entry);
	link->queued += size;
	watch_for_room(link, true);
	return 0;
}

static void dequeue(struct hdmabuf_link *link)
{
	struct local_queued *queued = STAILQ_FIRST(&link->queue);

	STAILQ_REMOVE_HEAD(&link->queue, entry);
	link->queued -= queued->octets;
	free(queued);
}

void local_packet_flush(struct hdmabuf_link *link)
{
	struct local_queued *queued;

	while ((queued = STAILQ_FIRST(&link->queue))) {
		if (transmit(link->socket, queued->data, queued->octets, -1) ==
		    -EAGAIN)
			return;
		dequeue(link);
	}
	watch_for_room(link, false);
}

void local_packet_drop(struct hdmabuf_link *link)
{
	while (!STAILQ_EMPTY(&link->queue))
		dequeue(link);
}

/* Send now, after all that is queued, or not at all: -EAGAIN. */
int local_packet_send_now(struct hdmabuf_link *link,
			  const struct local_packet *packet)
{
	struct octets octets;
	size_t size = encode(packet, &octets);

	local_packet_flush(link);
	if (!STAILQ_EMPTY(&link->queue))
		return -EAGAIN;
	return transmit(link->socket, &octets, size, packet->fd);
}

/* Send now or later: packets without a descriptor. */
int local_packet_send(struct hdmabuf_link *link,
		      const struct local_packet *packet)
{
	struct octets octets;
	size_t size;
	int error = local_packet_send_now(link, packet);

	if (error != -EAGAIN)
		return error;
	size = encode(packet, &octets);
	error = enqueue(link, &octets, size);
	if (error)
		local_link_end(link, "the peer does not take what it is sent");
	return error;
}

int local_packet_send_references(struct hdmabuf_link *link, uint32_t type,
				 uint64_t first, uint32_t count)
{
	struct local_packet packet = {
		.type = type,
		.first = (uint32_t)first,
		.count = count,
		.fd = -1,
	};

	return local_packet_send(link, &packet);
}
