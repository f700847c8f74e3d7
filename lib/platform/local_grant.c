/* SPDX-License-Identifier: MIT */
/*
 * local_grant.c - memory of the peer: GRANT, REVOKE
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "local.h"

/* The grant that a reference belongs to, even if it is being revoked, or NULL. */
struct local_grant *local_grant_of(const struct hdmabuf_link *link,
				   uint64_t reference)
{
	struct local_grant *grant = (struct local_grant *)local_set_at_or_below(
		&link->grants, reference);

	return grant && reference - grant->item.key < grant->count ? grant :
								     NULL;
}

static bool is_in_use(const struct hdmabuf_link *link, uint64_t first,
		      uint64_t count)
{
	const struct local_item *next = local_set_above(&link->grants, first);

	return local_grant_of(link, first) ||
	       (next && next->key - first < count);
}

/* What is wrong with a GRANT by itself, or NULL. */
static const char *check(const struct hdmabuf_link *link,
			 const struct local_packet *packet)
{
	uint32_t page_shift = link->endpoint->ops.page_shift;

	if (!packet->first || !packet->count)
		return "GRANT of no reference";
	if (packet->count - 1 > UINT32_MAX - packet->first)
		return "GRANT of references that pass the largest";
	if (is_in_use(link, packet->first, packet->count))
		return "GRANT of a reference that is in use";
	if (packet->rights != HDMABUF_RIGHTS_READ_ONLY &&
	    packet->rights != HDMABUF_RIGHTS_READ_WRITE)
		return "GRANT with unknown rights";
	if (packet->offset & ((1u << page_shift) - 1))
		return "GRANT with an offset within a page";
	if (link->grants.count >= HDMABUF_LOCAL_GRANTS_MAX)
		return "more grants than may be";
	if (packet->count > HDMABUF_LOCAL_PAGES_MAX - link->granted.pages)
		return "grants of more pages than may be";
	return NULL;
}

static void forget_memory(struct hdmabuf_link *link, struct local_grant *grant)
{
	if (!grant->memory)
		return;
	if (local_memory_put(&link->granted, grant->memory))
		link->endpoint->memories--;
	grant->memory = NULL;
}

/* Descriptors are scarce: when they run short, the link with the most must go. */
static void make_room(struct local_endpoint *endpoint)
{
	struct hdmabuf_link *link, *most = NULL;

	if (endpoint->memories < endpoint->memories_max)
		return;
	TAILQ_FOREACH(link, &endpoint->links, entry)
		if (!link->ending &&
		    (!most || link->granted.count > most->granted.count))
			most = link;
	if (most)
		local_link_break(
			most,
			"more memory than there are descriptors for (ulimit -n)");
}

/* The memory of a GRANT; its descriptor is kept once, however often it comes. */
static const char *take_memory(struct hdmabuf_link *link,
			       struct local_grant *grant, int fd)
{
	int error = local_memory_get(&link->granted, fd, &grant->memory);

	if (error) {
		close(fd);
		return error == -ENOSPC ?
			       "grants of more memories than may be" :
			       "GRANT of what is no memory";
	}
	if (grant->memory->fd >= 0) {
		close(fd);
	} else {
		grant->memory->fd = fd;
		link->endpoint->memories++;
	}
	return local_memory_check(grant->memory->fd, grant->writable,
				  grant->first_page + grant->count,
				  link->endpoint->ops.page_shift);
}

static struct local_grant *grant_new(struct hdmabuf_link *link,
				     const struct local_packet *packet)
{
	struct local_grant *grant = calloc(1, sizeof(*grant));

	if (!grant)
		return NULL;
	grant->item.key = packet->first;
	grant->count = packet->count;
	grant->writable = packet->rights == HDMABUF_RIGHTS_READ_WRITE;
	grant->first_page = packet->offset >> link->endpoint->ops.page_shift;
	return grant;
}

const char *local_grant_add(struct hdmabuf_link *link,
			    const struct local_packet *packet, int fd)
{
	const char *wrong = check(link, packet);
	struct local_grant *grant;

	if (wrong) {
		close(fd);
		return wrong;
	}
	make_room(link->endpoint);
	grant = grant_new(link, packet);
	if (!grant) {
		close(fd);
		return "GRANT, and there is no memory";
	}
	wrong = take_memory(link, grant, fd);
	if (!wrong && local_set_insert(&link->grants, &grant->item))
		wrong = "GRANT, and there is no memory";
	if (wrong) {
		forget_memory(link, grant);
		free(grant);
		return wrong;
	}
	link->granted.pages += grant->count;
	return NULL;
}

static void grant_remove(struct hdmabuf_link *link, struct local_grant *grant)
{
	local_set_remove(&link->grants, &grant->item);
	link->granted.pages -= grant->count;
	forget_memory(link, grant);
	free(grant);
}

/* HDB-LOCAL-010: the answer to a REVOKE, and the end of a grant. */
static void answer_revoke(struct hdmabuf_link *link, struct local_grant *grant)
{
	uint64_t first = grant->item.key;
	uint32_t count = grant->count;

	grant_remove(link, grant);
	if (local_link_is_usable(link))
		local_packet_send_references(link, HDMABUF_LOCAL_REVOKED, first,
					     count);
}

const char *local_grant_revoke(struct hdmabuf_link *link, uint64_t first,
			       uint32_t count)
{
	struct local_grant *grant =
		(struct local_grant *)local_set_exactly(&link->grants, first);

	if (!grant || grant->count != count || grant->revoked)
		return "REVOKE of what is not one grant";
	grant->revoked = true;
	forget_memory(link, grant);
	if (!grant->maps)
		answer_revoke(link, grant);
	return NULL;
}

/* A mapping has let go of a grant. */
void local_grant_unmapped(struct hdmabuf_link *link, struct local_grant *grant)
{
	if (!--grant->maps && grant->revoked)
		answer_revoke(link, grant);
}

/* The link is over: nothing is mapped any more, and what is goes when it goes. */
void local_grants_drop(struct hdmabuf_link *link)
{
	size_t i = link->grants.count;

	while (i--) {
		struct local_grant *grant =
			(struct local_grant *)link->grants.items[i];

		grant->revoked = true;
		if (grant->maps)
			forget_memory(link, grant);
		else
			grant_remove(link, grant);
	}
}
