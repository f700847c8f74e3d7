/* SPDX-License-Identifier: MIT */
/*
 * local_receive.c - what each packet of the peer does
 *
 * Nothing is reported from here: what there is to report is noted in the link, so
 * that packets can be taken whenever they are needed.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "local.h"

/*
 * What a peer passes is written to: that it is an eventfd, and no file that only
 * this process may write to, can be seen in its name alone.
 */
static bool is_eventfd(int fd)
{
	static const char name[] = "anon_inode:[eventfd]";
	char path[40], target[sizeof(name)];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target));
	return length == sizeof(name) - 1 &&
	       !memcmp(target, name, sizeof(name) - 1);
}

static const char *attach(struct hdmabuf_link *link,
			  const struct local_packet *packet)
{
	int flags = fcntl(packet->fd, F_GETFL);
	const char *wrong = NULL;

	if (packet->version != HDMABUF_LOCAL_VERSION)
		wrong = "ATTACH with an unknown version";
	else if (packet->page_shift != link->endpoint->ops.page_shift)
		wrong = "ATTACH with another page size";
	else if (!is_eventfd(packet->fd))
		wrong = "ATTACH with what is no eventfd (or there is no /proc)";
	else if (flags < 0 ||
		 fcntl(packet->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		wrong = "ATTACH with an eventfd that cannot be used";
	if (wrong) {
		close(packet->fd);
		return wrong;
	}
	link->peer_event = packet->fd;
	link->state = LOCAL_UP;
	link->up_at = timer_now();
	link->endpoint->half_open--;
	return NULL;
}

static const char *record(struct hdmabuf_link *link,
			  const struct local_packet *packet)
{
	memcpy(link->record, packet->text, packet->length);
	link->record_octets = packet->length;
	link->record_changed = true;
	return NULL;
}

static const char *handle_up(struct hdmabuf_link *link,
			     const struct local_packet *packet)
{
	switch (packet->type) {
	case HDMABUF_LOCAL_RECORD:
		return record(link, packet);
	case HDMABUF_LOCAL_GRANT:
		return local_grant_add(link, packet, packet->fd);
	case HDMABUF_LOCAL_REVOKE:
		return local_grant_revoke(link, packet->first, packet->count);
	case HDMABUF_LOCAL_REVOKED:
		return local_share_revoked(link, packet->first, packet->count);
	case HDMABUF_LOCAL_LEAVE:
		link->left = true;
		local_link_end(link, "the peer has left");
		return NULL;
	default:
		close(packet->fd);
		return "a second ATTACH";
	}
}

static const char *handle(struct hdmabuf_link *link,
			  const struct local_packet *packet)
{
	if (link->state == LOCAL_UP)
		return handle_up(link, packet);
	if (packet->type == HDMABUF_LOCAL_ATTACH)
		return attach(link, packet);
	if (packet->fd >= 0)
		close(packet->fd);
	return "a packet before ATTACH";
}

/* Takes what has come, at most @budget packets; false if that was nothing. */
bool local_receive(struct hdmabuf_link *link, unsigned int budget)
{
	struct local_packet packet;
	const char *wrong = NULL;
	bool any = false;
	int result;

	while (!link->ending && budget--) {
		result = local_packet_receive(link, &packet, &wrong);
		if (!result)
			break;
		any = true;
		if (result > 0)
			wrong = handle(link, &packet);
		if (wrong)
			local_link_break(link, "%s", wrong);
		if (result == -EPIPE) {
			link->finished = true;
			local_link_end(link, "the peer has gone");
		}
	}
	return any;
}

/* Outside its turn: dispatch() is called to report what came along. */
bool local_receive_early(struct hdmabuf_link *link, unsigned int budget)
{
	if (!local_link_is_usable(link) || !local_receive(link, budget))
		return false;
	local_wake(link->endpoint);
	return true;
}

/* A link that is over only wants to know what the peer has let go of. */
void local_receive_last(struct hdmabuf_link *link)
{
	struct local_packet packet;
	unsigned int budget = LOCAL_BUDGET;
	const char *wrong;
	int result = 1;

	while (!link->finished && result && budget--) {
		result = local_packet_receive(link, &packet, &wrong);
		if (result == -EPIPE)
			link->finished = true;
		if (result <= 0)
			continue;
		if (packet.fd >= 0)
			close(packet.fd);
		if (packet.type == HDMABUF_LOCAL_LEAVE)
			link->left = true;
		else if (packet.type == HDMABUF_LOCAL_REVOKED)
			local_share_revoked(link, packet.first, packet.count);
	}
}
