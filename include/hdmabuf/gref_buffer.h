/* SPDX-License-Identifier: MIT */
/*
 * gref_buffer.h - whole buffers of displif and sndif, on Xen
 *
 * What a backend or a frontend in user space does with a buffer, in one call each, for
 * each of the ways that the protocols know:
 *
 *	=============== ============================= ==============================
 *	who allocates   backend                       frontend
 *	=============== ============================= ==============================
 *	the frontend    *hdmabuf_gref_map()*          *hdmabuf_gref_share()*
 *	the backend     *hdmabuf_gref_grant()*        *hdmabuf_gref_ask()*, and after
 *	                                              the answer *hdmabuf_gref_get()*
 *	=============== ============================= ==============================
 *
 * and *hdmabuf_gref_put()* gives back what any of them has made.  A backend::
 *
 *	struct hdmabuf_gref_peer peer = { .grants = xengnttab_open(NULL, 0),
 *					  .shares = xengntshr_open(NULL, 0),
 *					  .domain = 7 };
 *	struct hdmabuf_gref_buffer buffer;
 *
 *	error = request->flags & XENDISPL_DBUF_FLG_REQ_ALLOC ?
 *			hdmabuf_gref_grant(&peer, request->gref_directory,
 *					   request->buffer_sz, &buffer) :
 *			hdmabuf_gref_map(&peer, request->gref_directory,
 *					 request->buffer_sz, false, &buffer);
 *	if (error)
 *		complain("%s", peer.error);
 *	else
 *		show(buffer.address + request->data_ofs);
 *
 * The pages of a buffer are mapped, unmapped, granted and given back by one call to
 * Xen's library; those of a directory of the other end one after the other, as each is
 * only known when the one before it has been read.
 *
 * A dma-buf of the pages (what xen-zcopy did) is made where the kernel can
 * (``CONFIG_XEN_GNTDEV_DMABUF``): *hdmabuf_gref_map_dmabuf()*,
 * *hdmabuf_gref_grant_dmabuf()*.  Where it cannot, the pages are mapped or allocated as
 * above, and @note of the buffer says so.
 *
 * There are these functions if the library was built with Xen's libraries.  They need
 * nothing of it but what *gref_directory.h* needs, and the files in *lib/gref*.
 */
#ifndef HDMABUF_GREF_BUFFER_H
#define HDMABUF_GREF_BUFFER_H

#include <hdmabuf/gref_directory.h>

#ifdef __cplusplus
extern "C" {
#endif

/* xengnttab_handle and xengntshr_handle of libxengnttab, which are the same. */
struct xengntdev_handle;

/**
 * struct hdmabuf_gref_peer - the domain that buffers are shared with
 * @grants: xengnttab_handle to map with
 * @shares: xengntshr_handle to share with, NULL if nothing is allocated here
 * @domain: the other end's
 * @error: receives, on one line, why the last call failed
 */
struct hdmabuf_gref_peer {
	struct xengntdev_handle *grants;
	struct xengntdev_handle *shares;
	uint32_t domain;
	char error[256];
};

/**
 * struct hdmabuf_gref_buffer - a buffer that both ends have
 * @address: its first page here, NULL if only @dmabuf has it
 * @octets: its size, as ``buffer_sz`` has it
 * @pages: of the buffer
 * @directory: reference of the directory's first page, to tell to the backend; 0 if the
 *	directory is the other end's
 * @dmabuf: file descriptor of it as a dma-buf, -1 if there is none
 * @note: how it is shared, on one line, to be logged
 * @peer: whom it is shared with
 * @shared: what is allocated here, the directory behind the buffer, or NULL
 * @shared_pages: of @shared
 * @references: of the buffer's pages
 * @imported: @dmabuf was made to references, and is the caller's
 * @closed: @dmabuf was, and its number is waited for
 *
 * The members from @peer on are the functions' own.
 */
struct hdmabuf_gref_buffer {
	uint8_t *address;
	uint32_t octets;
	uint32_t pages;
	uint32_t directory;
	int dmabuf;
	char note[160];
	struct hdmabuf_gref_peer *peer;
	void *shared;
	uint32_t shared_pages;
	uint32_t *references;
	bool imported;
	bool closed;
};

/**
 * hdmabuf_gref_map() - map a buffer of the frontend
 * @peer: the frontend
 * @directory: of the request
 * @octets: of the request; a limit is the caller's to check, before
 * @writable: whether it will be written here
 * @buffer: is filled
 *
 * Return: 0; -EINVAL if the directory is wrong or a page cannot be mapped, -ENOMEM if
 * there is no room, with @peer's error set
 */
int hdmabuf_gref_map(struct hdmabuf_gref_peer *peer, uint32_t directory,
		     uint32_t octets, bool writable,
		     struct hdmabuf_gref_buffer *buffer);

/**
 * hdmabuf_gref_map_dmabuf() - have a buffer of the frontend as a dma-buf
 * @peer: the frontend
 * @directory: of the request
 * @octets: of the request; a limit is the caller's to check, before
 * @buffer: is filled: its dmabuf, or, where the kernel makes none, its address
 *
 * Return: as *hdmabuf_gref_map()*
 */
int hdmabuf_gref_map_dmabuf(struct hdmabuf_gref_peer *peer, uint32_t directory,
			    uint32_t octets,
			    struct hdmabuf_gref_buffer *buffer);

/**
 * hdmabuf_gref_grant() - allocate a buffer for a frontend that asks for it (be-alloc)
 * @peer: the frontend
 * @directory: of the request, whose pages are filled in
 * @octets: of the request; a limit is the caller's to check, before
 * @buffer: is filled; it is zeroed
 *
 * Return: 0; -EINVAL if the directory is wrong, -ENOMEM or -ENOSPC if there is no
 * room, with @peer's error set
 */
int hdmabuf_gref_grant(struct hdmabuf_gref_peer *peer, uint32_t directory,
		       uint32_t octets, struct hdmabuf_gref_buffer *buffer);

/**
 * hdmabuf_gref_grant_dmabuf() - give a dma-buf to a frontend that asks for a buffer
 * @peer: the frontend
 * @directory: of the request, whose pages are filled in
 * @octets: of the request; a limit is the caller's to check, before
 * @dmabuf: of at least as many octets, remains the caller's; or -1
 * @buffer: is filled: its dmabuf is @dmabuf, or, where the kernel cannot grant that, its
 *	address that of memory which was allocated instead
 *
 * Return: as *hdmabuf_gref_grant()*
 */
int hdmabuf_gref_grant_dmabuf(struct hdmabuf_gref_peer *peer,
			      uint32_t directory, uint32_t octets, int dmabuf,
			      struct hdmabuf_gref_buffer *buffer);

/**
 * hdmabuf_gref_share() - allocate a buffer, and a directory that lists it
 * @peer: the backend
 * @octets: not 0
 * @writable: whether the backend may write the buffer
 * @buffer: is filled; it is zeroed
 *
 * Return: 0; -EINVAL if there are no octets, -ENOMEM or -ENOSPC if there is no room,
 * with @peer's error set
 */
int hdmabuf_gref_share(struct hdmabuf_gref_peer *peer, uint32_t octets,
		       bool writable, struct hdmabuf_gref_buffer *buffer);

/**
 * hdmabuf_gref_ask() - allocate a directory that the backend is to fill in (be-alloc)
 * @peer: the backend
 * @octets: not 0
 * @buffer: is filled, but for its address
 *
 * Return: as *hdmabuf_gref_share()*
 */
int hdmabuf_gref_ask(struct hdmabuf_gref_peer *peer, uint32_t octets,
		     struct hdmabuf_gref_buffer *buffer);

/**
 * hdmabuf_gref_get() - map what the backend has filled in
 * @buffer: of *hdmabuf_gref_ask()*, after the backend has answered; its address is set
 *
 * Return: 0; -EINVAL if a page is missing or cannot be mapped, -ENOMEM if there is no
 * room, with the peer's error set
 */
int hdmabuf_gref_get(struct hdmabuf_gref_buffer *buffer);

/**
 * hdmabuf_gref_wait() - wait until nobody uses a dma-buf of the frontend's pages
 * @buffer: of *hdmabuf_gref_map_dmabuf()*; its dmabuf is closed. Of any other there is
 *	nothing to wait for
 * @milliseconds: how long; 0 to look
 *
 * Before a request to destroy the buffer is answered.
 *
 * Return: 0 when nobody does; -ETIMEDOUT when somebody still does
 */
int hdmabuf_gref_wait(struct hdmabuf_gref_buffer *buffer,
		      uint32_t milliseconds);

/**
 * hdmabuf_gref_put() - give back all that there is of a buffer
 * @buffer: of any of the functions above. One that fails gives back what it can: only
 *	if that fails, too, something is left
 *
 * What is granted here is freed by the kernel when the other end has unmapped it.
 *
 * Return: 0; the negative errno of what could not be given back, with the peer's error
 * set: it may be tried again
 */
int hdmabuf_gref_put(struct hdmabuf_gref_buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_GREF_BUFFER_H */
