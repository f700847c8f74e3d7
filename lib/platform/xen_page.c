/* SPDX-License-Identifier: MIT */
/*
 * xen_page.c - the link page: being there, marks
 *
 * The frontend makes it, the backend attaches to it.  What the other end writes
 * there is looked at one word or octet at a time, and believed only as far as it
 * harms nobody but that end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <hdmabuf/shared.h>

#include "xen.h"

#define PAGE_OCTETS (1u << HDMABUF_XEN_PAGE_SHIFT)

void xen_page_init(struct xen_page *page)
{
	memset(page, 0, sizeof(*page));
	page->port = -1;
}

static void lay_out(struct xen_page *page, enum hdmabuf_role role,
		    uint32_t frontend_pages, uint32_t backend_pages)
{
	uint8_t *of_backend =
		page->marks + (size_t)frontend_pages * PAGE_OCTETS;
	bool frontend = role == HDMABUF_FRONTEND;

	page->own = frontend ? &page->page->frontend : &page->page->backend;
	page->peer = frontend ? &page->page->backend : &page->page->frontend;
	page->own_marks = frontend ? page->marks : of_backend;
	page->peer_marks = frontend ? of_backend : page->marks;
	page->own_count =
		(frontend ? frontend_pages : backend_pages) * HDMABUF_XEN_MARKS;
	page->peer_count =
		(frontend ? backend_pages : frontend_pages) * HDMABUF_XEN_MARKS;
}

static int count_uses(struct xen_page *page)
{
	page->uses = calloc(page->peer_count, sizeof(*page->uses));
	return page->uses ? 0 : -ENOMEM;
}

/* ---- the frontend makes it ---------------------------------------------- */

static uint64_t random_number(void)
{
	uint64_t number = 0;

	while (!number)
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return 0;
	return number;
}

/* HDB-XEN-018: from here on the kernel tells the other end of our death. */
static int share_page(struct hdmabuf_link *link)
{
	struct xen_endpoint *endpoint = link->endpoint;
	struct xen_page *page = &link->page;

	page->port =
		xenevtchn_bind_unbound_port(endpoint->channels, link->domain);
	if (page->port < 0)
		return -errno;
	page->page = xengntshr_share_page_notify(
		endpoint->pool->handle, link->domain, &page->reference, 1,
		offsetof(struct hdmabuf_xen_link, frontend.here),
		(evtchn_port_t)page->port);
	return page->page ? 0 : xen_share_error(endpoint, 1, errno);
}

static void fill(struct xen_page *page, uint32_t backend_pages,
		 const uint32_t *references)
{
	struct hdmabuf_xen_link *link = page->page;
	uint32_t i;

	link->magic = hdmabuf_put_le32(HDMABUF_XEN_LINK_MAGIC);
	link->version = hdmabuf_put_le32(HDMABUF_XEN_LINK_VERSION);
	link->link = hdmabuf_put_le64(page->number);
	link->frontend_use_pages = hdmabuf_put_le32(XEN_USE_PAGES);
	link->backend_use_pages = hdmabuf_put_le32(backend_pages);
	for (i = 0; i < page->use_pages; i++)
		link->reference[i] = hdmabuf_put_le32(references[i]);
}

int xen_page_make(struct hdmabuf_link *link, const struct xen_record *offer)
{
	uint32_t references[2 * HDMABUF_XEN_USE_PAGES_MAX];
	struct xen_page *page = &link->page;
	int error;

	page->number = random_number();
	error = page->number ? share_page(link) : -EIO;
	if (error)
		return error;
	page->use_pages = XEN_USE_PAGES + offer->use_pages;
	page->marks = xengntshr_share_pages(link->endpoint->pool->handle,
					    link->domain, (int)page->use_pages,
					    references, 1);
	if (!page->marks)
		return xen_share_error(link->endpoint, page->use_pages, errno);
	fill(page, offer->use_pages, references);
	lay_out(page, HDMABUF_FRONTEND, XEN_USE_PAGES, offer->use_pages);
	error = count_uses(page);
	if (!error)
		xen_page_set(page, HDMABUF_XEN_HERE);
	return error;
}

bool xen_page_suits(const struct xen_page *page, uint32_t backend_pages)
{
	return page->peer_count == backend_pages * HDMABUF_XEN_MARKS;
}

/* ---- the backend attaches ----------------------------------------------- */

static int map_page(struct hdmabuf_link *link, const struct xen_record *answer)
{
	struct xen_endpoint *endpoint = link->endpoint;
	struct xen_page *page = &link->page;

	page->port = xenevtchn_bind_interdomain(endpoint->channels,
						link->domain, answer->port);
	if (page->port < 0)
		return -errno;
	page->page = xengnttab_map_grant_ref_notify(
		endpoint->grants, link->domain, answer->link_ref,
		PROT_READ | PROT_WRITE,
		offsetof(struct hdmabuf_xen_link, backend.here),
		(evtchn_port_t)page->port);
	return page->page ? 0 : -errno;
}

static bool is_zero(const void *octets, size_t count)
{
	const uint8_t *octet = octets;

	while (count--)
		if (*octet++)
			return false;
	return true;
}

static bool are_pages(uint32_t pages)
{
	return pages && pages <= HDMABUF_XEN_USE_PAGES_MAX;
}

/* HDB-XEN-016: what is wrong with the copy of a link page, or NULL. */
static const char *check(const struct hdmabuf_xen_link *link, uint64_t number)
{
	uint32_t frontend = hdmabuf_get_le32(link->frontend_use_pages);
	uint32_t backend = hdmabuf_get_le32(link->backend_use_pages);
	uint32_t i;

	if (hdmabuf_get_le32(link->magic) != HDMABUF_XEN_LINK_MAGIC)
		return "a wrong magic";
	if (hdmabuf_get_le32(link->version) != HDMABUF_XEN_LINK_VERSION)
		return "a version that was not offered";
	if (hdmabuf_get_le64(link->link) != number)
		return "another link's number";
	if (!are_pages(frontend) || backend != XEN_USE_PAGES)
		return "a wrong number of pages of marks";
	for (i = 0; i < frontend + backend; i++)
		if (!link->reference[i])
			return "a reference that is zero";
	if (!is_zero(link->zero, sizeof(link->zero)) ||
	    !is_zero(&link->reference[i],
		     sizeof(link->reference) - i * sizeof(*link->reference)))
		return "zero fields that are not zero";
	return NULL;
}

static int map_marks(struct hdmabuf_link *link,
		     const struct hdmabuf_xen_link *copy)
{
	uint32_t references[2 * HDMABUF_XEN_USE_PAGES_MAX];
	uint32_t frontend = hdmabuf_get_le32(copy->frontend_use_pages);
	uint32_t backend = hdmabuf_get_le32(copy->backend_use_pages);
	struct xen_page *page = &link->page;
	uint32_t i;

	page->use_pages = frontend + backend;
	for (i = 0; i < page->use_pages; i++)
		references[i] = hdmabuf_get_le32(copy->reference[i]);
	page->marks = xengnttab_map_domain_grant_refs(link->endpoint->grants,
						      page->use_pages,
						      link->domain, references,
						      PROT_READ | PROT_WRITE);
	if (!page->marks)
		return -errno;
	lay_out(page, HDMABUF_BACKEND, frontend, backend);
	return count_uses(page);
}

/* An earlier life of this end may have left its marks. */
static void enter(struct xen_page *page)
{
	memset(page->peer_marks, 0, page->peer_count / 8);
	xen_page_set(page, HDMABUF_XEN_HERE);
}

static int attach(struct hdmabuf_link *link, const struct xen_record *answer,
		  const char **wrong)
{
	struct hdmabuf_xen_link copy;
	int error = map_page(link, answer);

	if (error)
		return error;
	hdmabuf_shared_copy(&copy, link->page.page, sizeof(copy));
	*wrong = check(&copy, answer->link);
	if (*wrong)
		return -EINVAL;
	error = map_marks(link, &copy);
	if (error)
		return error;
	if (xen_page_peer(&link->page) != HDMABUF_XEN_HERE)
		return -ENOENT; /* it has died */
	link->page.number = answer->link;
	enter(&link->page);
	return 0;
}

int xen_page_attach(struct hdmabuf_link *link, const struct xen_record *answer,
		    const char **wrong)
{
	int error;

	*wrong = NULL;
	error = attach(link, answer, wrong);
	if (error)
		xen_page_release(link);
	return error;
}

/* ---- both let go of it -------------------------------------------------- */

static void give_back(struct hdmabuf_link *link, void *memory, uint32_t pages)
{
	struct xen_endpoint *endpoint = link->endpoint;

	if (!memory)
		return;
	if (endpoint->role == HDMABUF_FRONTEND)
		xengntshr_unshare(endpoint->pool->handle, memory, pages);
	else
		xengnttab_unmap(endpoint->grants, memory, pages);
}

void xen_page_release(struct hdmabuf_link *link)
{
	struct xen_page *page = &link->page;

	give_back(link, page->marks, page->use_pages);
	give_back(link, page->page, 1);
	if (page->port >= 0)
		xenevtchn_unbind(link->endpoint->channels,
				 (evtchn_port_t)page->port);
	free(page->uses);
	xen_page_init(page);
}

/* ---- being there -------------------------------------------------------- */

uint8_t xen_page_peer(const struct xen_page *page)
{
	return __atomic_load_n(&page->peer->here, __ATOMIC_ACQUIRE);
}

void xen_page_set(struct xen_page *page, enum hdmabuf_xen_here here)
{
	__atomic_store_n(&page->own->here, (uint8_t)here, __ATOMIC_RELEASE);
}

/* ---- marks -------------------------------------------------------------- */

static bool is_marked(const struct xen_page *page, uint64_t reference)
{
	uint32_t bit = (uint32_t)(reference % page->own_count);

	return __atomic_load_n(&page->own_marks[bit / 8], __ATOMIC_ACQUIRE) >>
		       bit % 8 &
	       1;
}

bool xen_page_in_use(const struct xen_page *page, const struct hdmabuf_run *run)
{
	uint64_t i;

	for (i = 0; i < run->count; i++)
		if (is_marked(page, run->reference + i))
			return true;
	return false;
}

void xen_page_wait(struct xen_page *page, bool wait)
{
	hdmabuf_shared_write(&page->own->waits, wait);
	hdmabuf_shared_barrier();
}

/* Nobody else writes these octets; an end that does so all the same harms itself. */
static void write_mark(struct xen_page *page, uint32_t bit, bool set)
{
	uint8_t *octet = &page->peer_marks[bit / 8];
	uint8_t mask = (uint8_t)(1u << bit % 8);
	uint8_t old = __atomic_load_n(octet, __ATOMIC_RELAXED);

	__atomic_store_n(octet, (uint8_t)(set ? old | mask : old & ~mask),
			 __ATOMIC_RELAXED);
}

/* HDB-XEN-021 */
void xen_page_mark(struct xen_page *page, const uint32_t *references,
		   uint32_t count)
{
	uint32_t bit, i;

	for (i = 0; i < count; i++) {
		bit = references[i] % page->peer_count;
		if (!page->uses[bit]++)
			write_mark(page, bit, true);
	}
	hdmabuf_shared_barrier();
}

void xen_page_clear(struct xen_page *page, const uint32_t *references,
		    uint32_t count)
{
	uint32_t bit, i;

	hdmabuf_shared_barrier();
	for (i = 0; i < count; i++) {
		bit = references[i] % page->peer_count;
		if (!--page->uses[bit])
			write_mark(page, bit, false);
	}
}

/* HDB-XEN-023 */
bool xen_page_is_waited_for(const struct xen_page *page)
{
	hdmabuf_shared_barrier();
	return hdmabuf_shared_read(&page->peer->waits);
}
