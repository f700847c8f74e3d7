/* SPDX-License-Identifier: MIT */
#include "assurance/fuzz/common/hostile.h"

#include <errno.h>
#include <sys/eventfd.h>

/* So many calls in one dispatch() are more than bounded work needs. */
#define CALLS_MAX 20000

static struct hostile *of(struct hdmabuf_link *link)
{
	must(link && link->there);
	return link->hostile;
}

/* What happens meanwhile, and whether this call fails. */
static int call(struct hostile *hostile)
{
	int fail = hostile->fail;

	must(++hostile->calls < CALLS_MAX);
	if (hostile->interrupt)
		hostile->interrupt(hostile->interrupt_user);
	hostile->fail = 0;
	return fail;
}

/* ---- The peer's memory ----------------------------------------------------- */

/* Where the mapping has the page, from @from on: it may have it more than once. */
static bool next_place(const struct hostile_mapping *mapping, uint32_t page,
		       uint8_t **memory, uint64_t *from)
{
	for (; *from < mapping->pages; ++*from)
		if (mapping->page[*from] == page) {
			*memory =
				mapping->memory + ((*from)++ << HOSTILE_SHIFT);
			return true;
		}
	return false;
}

/* What the peer writes is seen in each mapping of the page. */
static void write_own(struct hostile *hostile, uint32_t page, uint32_t offset,
		      const void *octets, uint32_t count)
{
	uint8_t *memory;
	uint64_t from;
	size_t i;

	memcpy(hostile->page[page] + offset, octets, count);
	for (i = 0; i < HOSTILE_MAPPINGS; i++)
		for (from = 0;
		     hostile->mappings[i].link &&
		     next_place(&hostile->mappings[i], page, &memory, &from);)
			memcpy(memory + offset, octets, count);
}

/* What the library has written is in the mapping. */
static void read_own(struct hostile *hostile, uint32_t page, uint32_t offset,
		     void *octets, uint32_t count)
{
	uint8_t *memory;
	uint64_t from = 0;
	size_t i;

	memcpy(octets, hostile->page[page] + offset, count);
	for (i = 0; i < HOSTILE_MAPPINGS; i++, from = 0)
		if (hostile->mappings[i].link &&
		    hostile->mappings[i].writable &&
		    next_place(&hostile->mappings[i], page, &memory, &from))
			memcpy(octets, memory + offset, count);
}

static struct hostile_share *share_of(struct hostile *hostile,
				      uint64_t reference)
{
	size_t i;

	for (i = 0; i < HOSTILE_SHARES; i++) {
		struct hostile_share *share = &hostile->shares[i];

		if (share->link && reference - share->reference < share->pages)
			return share;
	}
	return NULL;
}

void hostile_write(struct hostile *hostile, uint64_t reference, uint32_t offset,
		   const void *octets, uint32_t count)
{
	struct hostile_share *share = share_of(hostile, reference);

	if (offset + count > HOSTILE_PAGE)
		return;
	if (reference && reference <= HOSTILE_PAGES)
		write_own(hostile, (uint32_t)reference - 1, offset, octets,
			  count);
	else if (share && share->writable)
		memcpy(share->memory +
			       ((reference - share->reference)
				<< HOSTILE_SHIFT) +
			       offset,
		       octets, count);
}

void hostile_read(struct hostile *hostile, uint64_t reference, uint32_t offset,
		  void *octets, uint32_t count)
{
	struct hostile_share *share = share_of(hostile, reference);

	memset(octets, 0, count);
	if (offset + count > HOSTILE_PAGE)
		return;
	if (reference && reference <= HOSTILE_PAGES)
		read_own(hostile, (uint32_t)reference - 1, offset, octets,
			 count);
	else if (share)
		memcpy(octets,
		       share->memory +
			       ((reference - share->reference)
				<< HOSTILE_SHIFT) +
			       offset,
		       count);
}

/* ---- Events ------------------------------------------------------------------ */

void hostile_up(struct hostile *hostile)
{
	if (!hostile->link && hostile->link_count < HOSTILE_LINKS)
		hostile->want_up = true;
}

void hostile_publish(struct hostile *hostile, const char *text, size_t octets)
{
	if (octets > sizeof(hostile->record))
		octets = sizeof(hostile->record);
	if (octets)
		memcpy(hostile->record, text, octets);
	hostile->record_octets = octets;
	hostile->want_record = true;
}

static int on_fd(void *endpoint)
{
	static int fd = -1;

	(void)endpoint;
	/* Never readable: the script says when dispatch() is called. */
	if (fd < 0)
		fd = eventfd(0, EFD_CLOEXEC);
	return fd;
}

static void report_up(struct hostile *hostile,
		      const struct hdmabuf_platform_events *events, void *user)
{
	struct hdmabuf_link *link = &hostile->links[hostile->link_count++];

	hostile->want_up = false;
	link->hostile = hostile;
	link->there = true;
	hostile->link = link;
	hostile->record_octets = 0;
	hostile->own_record_octets = 0;
	link->owner = events->up(user, link);
	if (link->owner)
		return;
	link->there = false;
	hostile->link = NULL;
}

static bool is_up(const struct hostile *hostile)
{
	return hostile->link && hostile->link->there && !hostile->link->down;
}

static int on_dispatch(void *endpoint,
		       const struct hdmabuf_platform_events *events, void *user)
{
	struct hostile *hostile = endpoint;

	hostile->calls = 0;
	if (hostile->want_up)
		report_up(hostile, events, user);
	if (hostile->want_record && is_up(hostile))
		events->record(hostile->link->owner);
	if (hostile->want_notified && is_up(hostile))
		events->notified(hostile->link->owner);
	if (hostile->want_down && is_up(hostile)) {
		hostile->link->down = true;
		events->down(hostile->link->owner, "the script says so");
		hostile->link = NULL;
	}
	hostile->want_record = false;
	hostile->want_notified = false;
	hostile->want_down = false;
	return 0;
}

static void on_close(void *endpoint)
{
	struct hostile *hostile = endpoint;
	size_t i;

	for (i = 0; i < hostile->link_count; i++)
		must(!hostile->links[i].there);
	must(!hostile->closed);
	hostile->closed = true;
}

/* ---- Links ------------------------------------------------------------------- */

static void on_peer(struct hdmabuf_link *link, char *text, size_t size)
{
	of(link);
	snprintf(text, size, "the script");
}

static int on_publish(struct hdmabuf_link *link, const char *text,
		      size_t octets)
{
	struct hostile *hostile = of(link);
	int error = call(hostile);

	must(octets <= HDMABUF_RECORD_OCTETS);
	if (error || link->down)
		return error;
	memcpy(hostile->own_record, text, octets);
	hostile->own_record_octets = octets;
	return 0;
}

static size_t on_record(struct hdmabuf_link *link, char *text, size_t size)
{
	struct hostile *hostile = of(link);
	size_t octets = hostile->record_octets;

	if (call(hostile) || link->down)
		return 0;
	if (octets > size)
		octets = size;
	memcpy(text, hostile->record, octets);
	return octets;
}

static int on_notify(struct hdmabuf_link *link)
{
	struct hostile *hostile = of(link);
	int error = call(hostile);

	hostile->notified += !error;
	return error;
}

static void on_disconnect(struct hdmabuf_link *link)
{
	struct hostile *hostile = of(link);

	link->down = true;
	if (hostile->link == link)
		hostile->link = NULL;
}

static void on_free(struct hdmabuf_link *link)
{
	struct hostile *hostile = of(link);
	size_t i;

	must(link->down);
	for (i = 0; i < HOSTILE_MAPPINGS; i++)
		must(hostile->mappings[i].link != link);
	for (i = 0; i < HOSTILE_SHARES; i++)
		if (hostile->shares[i].link == link)
			hostile->shares[i].link = NULL;
	link->there = false;
}

/* ---- Memory of the library ------------------------------------------------------ */

/* Memory of a provider has no place for a context but this. */
static void free_memory(struct hdmabuf_memory *memory)
{
	struct hostile *hostile = (void *)memory->handle;
	uint8_t *from = memory->address;
	size_t i;

	for (i = 0; i < HOSTILE_SHARES; i++) {
		const struct hostile_share *share = &hostile->shares[i];

		must(hostile->closing || !share->link || share->memory < from ||
		     share->memory >= from + memory->octets);
	}
	must(hostile->memories);
	hostile->memories--;
	free(memory->address);
}

static const struct hdmabuf_provider provider = {
	.name = "script",
	.free = free_memory,
};

static int on_alloc(struct hdmabuf_link *link, size_t octets, uint32_t rights,
		    struct hdmabuf_memory *memory)
{
	struct hostile *hostile = of(link);
	int error = call(hostile);

	(void)rights;
	must(octets && octets % HOSTILE_PAGE == 0);
	if (error)
		return error;
	*memory = (struct hdmabuf_memory){
		.provider = &provider,
		.address = aligned_alloc(HOSTILE_PAGE, octets),
		.octets = octets,
		.fd = -1,
		.handle = (uintptr_t)hostile,
		.device = -1,
	};
	must(memory->address);
	memset(memory->address, 0, octets);
	hostile->memories++;
	return 0;
}

static int on_share(struct hdmabuf_link *link,
		    const struct hdmabuf_memory *memory, uint64_t first,
		    uint64_t pages, uint32_t rights, struct hdmabuf_run *runs,
		    size_t capacity, size_t *count)
{
	struct hostile *hostile = of(link);
	int error = call(hostile);
	size_t i;

	must(pages && capacity);
	must((first + pages) << HOSTILE_SHIFT <= memory->octets);
	if (error)
		return error;
	if (link->down)
		return -ENOTCONN;
	for (i = 0; i < HOSTILE_SHARES && hostile->shares[i].link; i++)
		;
	if (i == HOSTILE_SHARES)
		return -ENOSPC;
	hostile->shares[i] = (struct hostile_share){
		.link = link,
		.reference = hostile->next_reference,
		.pages = pages,
		.memory = (uint8_t *)memory->address + (first << HOSTILE_SHIFT),
		.writable = rights != HDMABUF_RIGHTS_READ_ONLY,
	};
	runs[0] = (struct hdmabuf_run){ hostile->next_reference, pages };
	*count = 1;
	/* A gap, so that a reference too far leads nowhere. */
	hostile->next_reference += pages + 1;
	return 0;
}

/* All or none: HDB-PLAT-005. */
static int on_revoke(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		     size_t count)
{
	struct hostile *hostile = of(link);
	int error = call(hostile);
	size_t i;

	for (i = 0; i < count; i++) {
		struct hostile_share *share =
			share_of(hostile, runs[i].reference);

		must(share && share->link == link &&
		     share->reference == runs[i].reference &&
		     share->pages == runs[i].count);
		if (share->mapped)
			error = -EBUSY;
	}
	if (error)
		return -EBUSY;
	for (i = 0; i < count; i++)
		share_of(hostile, runs[i].reference)->link = NULL;
	return 0;
}

/* ---- Mappings ---------------------------------------------------------------------- */

static void fill_mapping(struct hostile *hostile,
			 struct hostile_mapping *mapping,
			 const struct hdmabuf_run *runs, size_t count)
{
	uint64_t page = 0, k;
	size_t i;

	for (i = 0; i < count; i++) {
		for (k = 0; k < runs[i].count; k++, page++) {
			uint32_t own = (uint32_t)(runs[i].reference + k - 1);

			mapping->page[page] = own;
			memcpy(mapping->memory + (page << HOSTILE_SHIFT),
			       hostile->page[own], HOSTILE_PAGE);
		}
	}
}

/* How many pages there are; the number of the first that leads nowhere is @bad. */
static bool count_pages(const struct hdmabuf_run *runs, size_t count,
			uint64_t *pages, uint64_t *bad)
{
	size_t i;

	*pages = 0;
	for (i = 0; i < count; i++) {
		uint64_t reference = runs[i].reference;

		must(runs[i].count);
		if (!reference || reference > HOSTILE_PAGES) {
			*bad = *pages;
			return false;
		}
		if (runs[i].count > HOSTILE_PAGES - reference + 1) {
			*bad = *pages + HOSTILE_PAGES - reference + 1;
			return false;
		}
		*pages += runs[i].count;
	}
	return true;
}

static int on_map(struct hdmabuf_link *link, const struct hdmabuf_run *runs,
		  size_t count, uint32_t rights, void **address, uint64_t *bad)
{
	struct hostile *hostile = of(link);
	int error = call(hostile);
	struct hostile_mapping *mapping = hostile->mappings;
	uint64_t pages;

	must(count);
	*bad = 0;
	if (error)
		return error;
	if (link->down)
		return -ENOTCONN;
	if (!count_pages(runs, count, &pages, bad))
		return -EINVAL;
	while (mapping->link)
		must(++mapping < hostile->mappings + HOSTILE_MAPPINGS);
	mapping->link = link;
	mapping->pages = pages;
	mapping->writable = rights != HDMABUF_RIGHTS_READ_ONLY;
	mapping->page = fuzz_alloc((size_t)pages * sizeof(*mapping->page));
	mapping->memory =
		aligned_alloc(HOSTILE_PAGE, (size_t)pages << HOSTILE_SHIFT);
	must(mapping->memory);
	fill_mapping(hostile, mapping, runs, count);
	hostile->mapped_pages += pages;
	*address = mapping->memory;
	return 0;
}

/* A page that was mapped for reading is as the peer has left it. */
static void give_back(struct hostile *hostile, struct hostile_mapping *mapping)
{
	uint64_t i;

	for (i = 0; i < mapping->pages; i++) {
		uint8_t *page = hostile->page[mapping->page[i]];
		const uint8_t *memory = mapping->memory + (i << HOSTILE_SHIFT);

		if (mapping->writable)
			memcpy(page, memory, HOSTILE_PAGE);
		else
			must(!memcmp(page, memory, HOSTILE_PAGE));
	}
	hostile->mapped_pages -= mapping->pages;
	free(mapping->page);
	free(mapping->memory);
	mapping->link = NULL;
}

static int on_unmap(struct hdmabuf_link *link, void *address, uint64_t pages)
{
	struct hostile *hostile = of(link);
	struct hostile_mapping *mapping = hostile->mappings;

	while (!mapping->link || mapping->memory != address)
		must(++mapping < hostile->mappings + HOSTILE_MAPPINGS);
	must(mapping->link == link && mapping->pages == pages);
	call(hostile);
	give_back(hostile, mapping);
	return 0;
}

/* ---- ---------------------------------------------------------------------------------- */

static const struct hdmabuf_platform_ops ops = {
	.name = "script",
	.page_shift = HOSTILE_SHIFT,
	.reference_max = UINT32_MAX,
	.fd = on_fd,
	.dispatch = on_dispatch,
	.close = on_close,
	.peer = on_peer,
	.publish = on_publish,
	.record = on_record,
	.notify = on_notify,
	.disconnect = on_disconnect,
	.free = on_free,
	.alloc = on_alloc,
	.share = on_share,
	.revoke = on_revoke,
	.map = on_map,
	.unmap = on_unmap,
};

void hostile_init(struct hostile *hostile, struct hdmabuf_platform *platform)
{
	memset(hostile, 0, sizeof(*hostile));
	hostile->ops = ops;
	hostile->next_reference = HOSTILE_SHARED;
	platform->ops = &hostile->ops;
	platform->endpoint = hostile;
}

void hostile_fini(struct hostile *hostile)
{
	size_t i;

	must(hostile->closed && !hostile->mapped_pages && !hostile->memories);
	for (i = 0; i < HOSTILE_MAPPINGS; i++)
		must(!hostile->mappings[i].link);
}
