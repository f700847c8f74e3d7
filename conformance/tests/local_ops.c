/* SPDX-License-Identifier: MIT */
/* local_ops.c - a connection made of packets as a platform */
#define _GNU_SOURCE
#include "conformance/internal.h"
#include "conformance/tests/local_raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

static struct raw *of(struct hdmabuf_link *link)
{
	return (struct raw *)link;
}

static uint32_t page_shift(void)
{
	return (uint32_t)__builtin_ctzll(page_size());
}

/* An array that grows by one; the new element is zero. */
static void *grow(struct raw *raw, void *array, size_t count, size_t octets)
{
	char *grown = realloc(array, (count + 1) * octets);

	if (!grown)
		error(raw->end->test, "no memory");
	memset(grown + count * octets, 0, octets);
	return grown;
}

/* ---- records and notifications ------------------------------------------ */

static void peer(struct hdmabuf_link *link, char *text, size_t size)
{
	snprintf(text, size, "pid %d, spoken to in packets",
		 (int)of(link)->pid);
}

static int publish(struct hdmabuf_link *link, const char *text, size_t octets)
{
	uint8_t packet[PACKET_OCTETS + HDMABUF_LOCAL_RECORD_OCTETS];

	if (octets > HDMABUF_LOCAL_RECORD_OCTETS)
		return -E2BIG;
	packet_init(packet, HDMABUF_LOCAL_RECORD);
	wire_put(packet, PACKET_LENGTH, octets);
	memcpy(packet + PACKET_OCTETS, text, octets);
	return raw_send(of(link), packet, PACKET_OCTETS + octets, NULL, 0) ?
		       0 :
		       -ENOTCONN;
}

static size_t record(struct hdmabuf_link *link, char *text, size_t size)
{
	size_t octets = strlen(of(link)->record);

	if (octets > size)
		return 0;
	memcpy(text, of(link)->record, octets);
	return octets;
}

static int notify(struct hdmabuf_link *link)
{
	static const uint64_t one = 1;
	int fd = of(link)->peer_event;

	if (fd < 0 || write(fd, &one, sizeof(one)) < 0)
		return 0; /* full, and then it is notified already */
	return 0;
}

/* ---- leaving ------------------------------------------------------------ */

static void disconnect(struct hdmabuf_link *link)
{
	struct raw *raw = of(link);

	if (!raw->has_left && raw->socket >= 0)
		raw_send_leave(raw);
	raw_unmap_all(raw);
	raw_shut(raw);
}

static void free_link(struct hdmabuf_link *link)
{
	raw_unmap_all(of(link));
	raw_vanish(of(link));
}

static void close_endpoint(void *endpoint)
{
	raw_close(endpoint);
}

/* ---- memory of the suite ------------------------------------------------ */

static void free_memory(struct hdmabuf_memory *memory)
{
	munmap(memory->address, memory->octets);
	close(memory->fd);
}

static int alloc(struct hdmabuf_link *link, size_t octets, uint32_t rights,
		 struct hdmabuf_memory *memory)
{
	static const struct hdmabuf_provider provider = { "suite",
							  free_memory };
	int fd = memory_make(of(link)->end->test, octets, 0);
	void *address =
		mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	if (address == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
	if (rights == HDMABUF_RIGHTS_READ_ONLY)
		seals |= F_SEAL_FUTURE_WRITE;
	fcntl(fd, F_ADD_SEALS, seals);
	*memory = (struct hdmabuf_memory){
		.provider = &provider,
		.address = address,
		.octets = octets,
		.fd = fd,
		.device = -1,
	};
	return 0;
}

static int send_grant(struct raw *raw, const struct granted *granted,
		      uint64_t first_page, bool writable, int fd)
{
	packet_t packet;
	bool sent;

	packet_of_references(packet, HDMABUF_LOCAL_GRANT, granted->first,
			     granted->count);
	wire_put(packet, PACKET_OFFSET, first_page * page_size());
	wire_put(packet, PACKET_RIGHTS,
		 writable ? HDMABUF_RIGHTS_READ_WRITE :
			    HDMABUF_RIGHTS_READ_ONLY);
	sent = raw_send_packet(raw, packet, fd);
	return sent ? 0 : -ENOTCONN;
}

static int share(struct hdmabuf_link *link, const struct hdmabuf_memory *memory,
		 uint64_t first, uint64_t pages, uint32_t rights,
		 struct hdmabuf_run *runs, size_t capacity, size_t *count)
{
	struct raw *raw = of(link);
	struct granted *granted;

	if (!capacity)
		return -EINVAL;
	raw->granted = grow(raw, raw->granted, raw->granted_count,
			    sizeof(*raw->granted));
	granted = &raw->granted[raw->granted_count++];
	granted->first = raw->next;
	granted->count = (uint32_t)pages;
	raw->next += (uint32_t)pages;
	runs[0] = (struct hdmabuf_run){ granted->first, pages };
	*count = 1;
	return send_grant(raw, granted, first,
			  rights != HDMABUF_RIGHTS_READ_ONLY, memory->fd);
}

static struct granted *find_granted(const struct raw *raw,
				    const struct hdmabuf_run *run)
{
	for (size_t i = 0; i < raw->granted_count; i++)
		if (raw->granted[i].first == run->reference &&
		    raw->granted[i].count == run->count)
			return &raw->granted[i];
	return NULL;
}

static int take_back(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		     size_t count)
{
	struct raw *raw = of(link);
	bool over = raw->ended && raw->left;
	int result = 0;

	for (size_t i = 0; i < count; i++) {
		struct granted *granted = find_granted(raw, &runs[i]);

		if (!granted)
			return -EINVAL;
		if (!granted->revoking)
			raw_send_references(raw, HDMABUF_LOCAL_REVOKE,
					    granted->first, granted->count);
		granted->revoking = true;
		if (!granted->revoked && !over)
			result = -EBUSY;
	}
	return result;
}

/* ---- memory of the IUT -------------------------------------------------- */

static int map_page(const struct arrived *grant, uint64_t reference,
		    uint32_t rights, uint8_t *at)
{
	uint64_t skipped = reference - wire_get(grant->head, PACKET_FIRST);
	uint64_t offset =
		wire_get(grant->head, PACKET_OFFSET) + skipped * page_size();
	int protection = rights == HDMABUF_RIGHTS_READ_ONLY ?
				 PROT_READ :
				 PROT_READ | PROT_WRITE;

	return mmap(at, page_size(), protection, MAP_SHARED | MAP_FIXED,
		    grant->fd, (off_t)offset) == MAP_FAILED ?
		       -errno :
		       0;
}

/* Page by page: what the IUT allows is asked of the kernel, not of its packets. */
static int map_pages(struct raw *raw, struct mapped *mapped,
		     const struct hdmabuf_run *runs, size_t count,
		     uint32_t rights, uint64_t *done)
{
	*done = 0;
	for (size_t i = 0; i < count; i++)
		for (uint64_t j = 0; j < runs[i].count; j++) {
			struct arrived *grant =
				raw_find_grant(raw, runs[i].reference + j);
			int code;

			if (!grant)
				return -EINVAL;
			code = map_page(grant, runs[i].reference + j, rights,
					(uint8_t *)mapped->address +
						*done * page_size());
			if (code)
				return code;
			mapped->grants[(*done)++] = grant;
		}
	return 0;
}

static void let_go(struct raw *raw, struct mapped *mapped)
{
	for (uint64_t i = 0; i < mapped->pages; i++) {
		mapped->grants[i]->maps--;
		raw_answer_revoke(raw, mapped->grants[i]);
	}
	free(mapped->grants);
	mapped->grants = NULL;
	mapped->address = NULL;
}

static void forget_mapping(struct mapped *mapped)
{
	munmap(mapped->address, (size_t)(mapped->pages * page_size()));
	free(mapped->grants);
	mapped->grants = NULL;
	mapped->address = NULL;
}

static struct mapped *reserve(struct raw *raw, const struct hdmabuf_run *runs,
			      size_t count)
{
	struct mapped *mapped;
	uint64_t pages = 0;

	for (size_t i = 0; i < count; i++)
		pages += runs[i].count;
	raw->mapped =
		grow(raw, raw->mapped, raw->mapped_count, sizeof(*raw->mapped));
	mapped = &raw->mapped[raw->mapped_count++];
	mapped->pages = pages;
	mapped->grants = calloc((size_t)pages, sizeof(*mapped->grants));
	mapped->address = mmap(NULL, (size_t)(pages * page_size()), PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0);
	if (!mapped->grants || mapped->address == MAP_FAILED)
		error(raw->end->test, "no memory");
	return mapped;
}

static int map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
	       size_t count, uint32_t rights, void **address, uint64_t *bad)
{
	struct raw *raw = of(link);
	struct mapped *mapped = reserve(raw, runs, count);
	int code;

	/* HDB-LOCAL-015: what is named has come. */
	raw_take(raw);
	code = map_pages(raw, mapped, runs, count, rights, bad);
	if (code) {
		forget_mapping(mapped);
		return code;
	}
	for (uint64_t i = 0; i < mapped->pages; i++)
		mapped->grants[i]->maps++;
	*address = mapped->address;
	return 0;
}

static int unmap(struct hdmabuf_link *link, void *address, uint64_t pages)
{
	struct raw *raw = of(link);

	for (size_t i = 0; i < raw->mapped_count; i++) {
		struct mapped *mapped = &raw->mapped[i];

		if (mapped->address != address || mapped->pages != pages)
			continue;
		munmap(address, (size_t)(pages * page_size()));
		let_go(raw, mapped);
		return 0;
	}
	return -EINVAL;
}

void raw_unmap_all(struct raw *raw)
{
	for (size_t i = 0; i < raw->mapped_count; i++)
		if (raw->mapped[i].address)
			forget_mapping(&raw->mapped[i]);
	for (size_t i = 0; i < raw->arrived_count; i++)
		raw->arrived[i]->maps = 0;
}

/* ---- what happens ------------------------------------------------------- */

/* HDB-LOCAL-025: that somebody wrote is an edge, and nothing is read. */
static bool is_notified(struct raw *raw)
{
	struct epoll_event events[4];
	int count = epoll_wait(raw->poll, events, 4, 0);
	bool notified = false;
	uint64_t ticks;

	for (int i = 0; i < count; i++) {
		if (events[i].data.fd == raw->event)
			notified = true;
		if (events[i].data.fd == raw->timer &&
		    read(raw->timer, &ticks, sizeof(ticks)) < 0)
			error(raw->end->test, "cannot read a timer");
	}
	return notified;
}

static int dispatch(void *endpoint,
		    const struct hdmabuf_platform_events *events, void *user)
{
	struct raw *raw = endpoint;
	bool notified;

	raw->end = user;
	notified = is_notified(raw);
	if (raw_take(raw))
		raw->end->others++;
	if (!raw->up && raw->socket >= 0 &&
	    (raw->silent || raw->peer_event >= 0)) {
		raw->up = true;
		events->up(user, (struct hdmabuf_link *)raw);
	}
	if (raw->up && !raw->down && raw->record_changed) {
		raw->record_changed = false;
		events->record(user);
	}
	if (notified && raw->up && !raw->down)
		events->notified(user);
	if (raw->up && !raw->down && (raw->left || raw->ended)) {
		raw->down = true;
		events->down(user, raw->left ? "LEAVE has come" :
					       "the connection is over");
	}
	return 0;
}

static int endpoint_fd(void *endpoint)
{
	return ((const struct raw *)endpoint)->poll;
}

/* ---- the table ---------------------------------------------------------- */

void raw_set_ops(struct raw *raw, struct hdmabuf_platform *platform)
{
	static const struct hdmabuf_platform_ops ops = {
		.name = "local",
		.page_shift = HDMABUF_PAGE_SHIFT_MIN,
		.reference_max = UINT32_MAX,
		.contiguous = true,
		.fd = endpoint_fd,
		.dispatch = dispatch,
		.close = close_endpoint,
		.peer = peer,
		.publish = publish,
		.record = record,
		.notify = notify,
		.disconnect = disconnect,
		.free = free_link,
		.alloc = alloc,
		.share = share,
		.revoke = take_back,
		.map = map,
		.unmap = unmap,
	};

	raw->ops = ops;
	raw->ops.page_shift = page_shift();
	platform->ops = &raw->ops;
	platform->endpoint = raw;
}
