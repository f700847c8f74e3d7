/* SPDX-License-Identifier: MIT */
/*
 * local_share.c - memory of this end: references, GRANT, REVOKE
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "local.h"

#define REFERENCE_MAX UINT32_MAX

/* ---- numbers ------------------------------------------------------------ */

static uint64_t share_end(const struct local_item *item)
{
	return item->key + ((const struct local_share *)item)->count;
}

/* The first place from @from on where a run fits, or 0. */
static uint64_t find_room(const struct local_set *shares, uint64_t from,
			  uint64_t count)
{
	const struct local_item *item = local_set_at_or_below(shares, from);

	if (item && share_end(item) > from)
		from = share_end(item);
	while ((item = local_set_above(shares, from - 1)) &&
	       item->key - from < count)
		from = share_end(item);
	return from + count - 1 <= REFERENCE_MAX ? from : 0;
}

/* Round and round, so that a stale number leads to nothing for a long time. */
static uint64_t find_references(struct hdmabuf_link *link, uint64_t count)
{
	uint64_t first = find_room(&link->shares, link->next_reference, count);

	if (!first)
		first = find_room(&link->shares, 1, count);
	if (first)
		link->next_reference = first + count > REFERENCE_MAX ?
					       1 :
					       (uint32_t)(first + count);
	return first;
}

/* ---- sharing ------------------------------------------------------------ */

static void share_free(struct hdmabuf_link *link, struct local_share *share)
{
	link->shared.pages -= share->count;
	local_memory_put(&link->shared, share->memory);
	free(share);
}

/* HDB-LOCAL-014: no more than the peer is sure to keep. */
static int share_new(struct hdmabuf_link *link, int fd, uint64_t pages,
		     struct local_share **result)
{
	struct local_share *share;
	int error;

	if (link->shares.count >= HDMABUF_LOCAL_GRANTS_MAX ||
	    pages > HDMABUF_LOCAL_PAGES_MAX - link->shared.pages)
		return -ENOSPC;
	share = calloc(1, sizeof(*share));
	if (!share)
		return -ENOMEM;
	error = local_memory_get(&link->shared, fd, &share->memory);
	if (error) {
		free(share);
		return error;
	}
	share->count = (uint32_t)pages;
	link->shared.pages += pages;
	*result = share;
	return 0;
}

static int insert(struct hdmabuf_link *link, struct local_share *share)
{
	share->item.key = find_references(link, share->count);
	if (!share->item.key)
		return -ENOSPC;
	return local_set_insert(&link->shares, &share->item);
}

/* HDB-LOCAL-015: in the socket before anybody can hear of the reference. */
static int send_grant(struct hdmabuf_link *link,
		      const struct local_share *share, int fd,
		      uint64_t first_page, bool writable)
{
	struct local_packet packet = {
		.type = HDMABUF_LOCAL_GRANT,
		.first = (uint32_t)share->item.key,
		.count = share->count,
		.offset = first_page << link->endpoint->ops.page_shift,
		.rights = writable ? HDMABUF_RIGHTS_READ_WRITE :
				     HDMABUF_RIGHTS_READ_ONLY,
	};
	int error;

	packet.fd = local_memory_open_for_peer(fd, writable);
	if (packet.fd < 0)
		return packet.fd;
	error = local_packet_send_now(link, &packet);
	close(packet.fd);
	return error == -EPIPE ? -ENOTCONN : error;
}

static int grant(struct hdmabuf_link *link, int fd, uint64_t first_page,
		 uint64_t pages, bool writable, uint64_t *reference)
{
	struct local_share *share;
	int error;

	error = share_new(link, fd, pages, &share);
	if (error)
		return error;
	error = insert(link, share);
	if (error) {
		share_free(link, share);
		return error;
	}
	error = send_grant(link, share, fd, first_page, writable);
	if (error) {
		local_set_remove(&link->shares, &share->item);
		share_free(link, share);
		return error;
	}
	*reference = share->item.key;
	return 0;
}

int local_share(struct hdmabuf_link *link, const struct hdmabuf_memory *memory,
		uint64_t first, uint64_t pages, uint32_t rights,
		struct hdmabuf_run *runs, size_t capacity, size_t *count)
{
	uint32_t page_shift = link->endpoint->ops.page_shift;
	uint64_t all = memory->octets >> page_shift;
	bool writable = rights != HDMABUF_RIGHTS_READ_ONLY;
	int error;

	if (memory->fd < 0 || !pages || first >= all || pages > all - first ||
	    !capacity || rights < HDMABUF_RIGHTS_READ_ONLY ||
	    rights > HDMABUF_RIGHTS_LEND)
		return -EINVAL;
	if (!local_link_is_usable(link))
		return -ENOTCONN;
	error = local_memory_seal(memory->fd, writable, first + pages,
				  page_shift);
	if (error)
		return error;
	error = grant(link, memory->fd, first, pages, writable,
		      &runs[0].reference);
	if (error)
		return error;
	runs[0].count = pages;
	*count = 1;
	return 0;
}

/* ---- revoking ----------------------------------------------------------- */

static struct local_share *find(const struct hdmabuf_link *link, uint64_t first,
				uint64_t count)
{
	struct local_share *share =
		(struct local_share *)local_set_exactly(&link->shares, first);

	return share && share->count == count ? share : NULL;
}

static bool are_shared(const struct hdmabuf_link *link,
		       const struct hdmabuf_run *runs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!find(link, runs[i].reference, runs[i].count))
			return false;
	return true;
}

static void send_revoke(struct hdmabuf_link *link, struct local_share *share)
{
	if (share->revoking || !local_link_is_usable(link))
		return;
	share->revoking = true;
	local_packet_send_references(link, HDMABUF_LOCAL_REVOKE,
				     share->item.key, share->count);
}

static bool are_revoked(struct hdmabuf_link *link,
			const struct hdmabuf_run *runs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!find(link, runs[i].reference, runs[i].count)->revoked)
			return false;
	return true;
}

static void remove_all(struct hdmabuf_link *link,
		       const struct hdmabuf_run *runs, size_t count)
{
	struct local_share *share;
	size_t i;

	for (i = 0; i < count; i++) {
		share = find(link, runs[i].reference, runs[i].count);
		if (!share)
			continue;
		local_set_remove(&link->shares, &share->item);
		share_free(link, share);
	}
}

int local_revoke(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		 size_t count)
{
	size_t i;

	if (!are_shared(link, runs, count))
		return -EINVAL;
	for (i = 0; i < count; i++)
		send_revoke(link, find(link, runs[i].reference, runs[i].count));
	local_receive_early(link, LOCAL_BUDGET);
	if (!local_link_peer_is_done(link) && !are_revoked(link, runs, count))
		return -EBUSY;
	remove_all(link, runs, count);
	return 0;
}

/* The peer says REVOKED: what is wrong with that, or NULL. */
const char *local_share_revoked(struct hdmabuf_link *link, uint64_t first,
				uint32_t count)
{
	struct local_share *share = find(link, first, count);

	if (!share || !share->revoking || share->revoked)
		return "REVOKED for what is not being revoked";
	share->revoked = true;
	link->look = true;
	return NULL;
}

void local_shares_drop(struct hdmabuf_link *link)
{
	while (link->shares.count) {
		struct local_item *item =
			link->shares.items[--link->shares.count];

		share_free(link, (struct local_share *)item);
	}
}
