/* SPDX-License-Identifier: MIT */
/*
 * gref_directory.h - the page directory of displif and sndif
 *
 * Xen's display and sound protocols list the pages of a buffer in the same way: in
 * linked pages of 4096 octets, each of which has the grant reference of the next one
 * and then up to 1023 references of pages of the buffer.  How many there are is not
 * in the directory: it follows from the buffer's size.  The octets are those of a LIST
 * of *protocol/hyper_dmabuf.h*, but that what lies behind the last reference is of no
 * importance.
 *
 * Who allocates the buffer lists its pages.  If that is the frontend, it builds a
 * directory (*hdmabuf_gref_build()*), and the backend reads it (*hdmabuf_gref_read()*).
 * If it is the backend (be-alloc, ``XENDISPL_DBUF_FLG_REQ_ALLOC``), the frontend links
 * empty pages (*hdmabuf_gref_link()*), the backend fills them (*hdmabuf_gref_fill()*),
 * and the frontend takes what they say (*hdmabuf_gref_take()*).
 *
 * Going through the other end's directory is a loop of the caller, who knows how to
 * map a page::
 *
 *	status = hdmabuf_gref_begin(&walk, directory, references, count, &fault);
 *	while (!status && (reference = hdmabuf_gref_next(&walk))) {
 *		page = map(reference);
 *		status = hdmabuf_gref_read(&walk, page, &fault);
 *		unmap(page);
 *	}
 *
 * This needs nothing of the library but *lib/core/gref_directory.c*,
 * *lib/core/runs.c* and *lib/core/fault.c*, no C library and no operating system.  In
 * user space, *gref_buffer.h* does all of it for whole buffers.
 */
#ifndef HDMABUF_GREF_DIRECTORY_H
#define HDMABUF_GREF_DIRECTORY_H

#include <hdmabuf/directory.h>
#include <hdmabuf/fault.h>
#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * define HDMABUF_GREF_PAGE_SHIFT - binary logarithm of the size of a granted page
 */
#define HDMABUF_GREF_PAGE_SHIFT 12
/**
 * define HDMABUF_GREF_PAGE - octets of a granted page, whatever the kernels' pages are
 */
#define HDMABUF_GREF_PAGE (1u << HDMABUF_GREF_PAGE_SHIFT)
/**
 * define HDMABUF_GREF_ENTRIES - references in a page of a directory
 */
#define HDMABUF_GREF_ENTRIES HDMABUF_LIST_ENTRIES(HDMABUF_GREF_PAGE)

/**
 * hdmabuf_gref_pages() - pages of a buffer
 * @octets: its size, as ``buffer_sz`` has it: with what lies before the data
 *
 * Return: how many; 0 if there are no octets
 */
uint32_t hdmabuf_gref_pages(uint32_t octets);

/**
 * hdmabuf_gref_directory_pages() - pages of a directory
 * @count: references of pages of the buffer
 *
 * Return: how many; 0 if there are no references
 */
uint32_t hdmabuf_gref_directory_pages(uint32_t count);

/**
 * hdmabuf_gref_build() - write a directory
 * @references: of the buffer's pages, in order
 * @count: how many
 * @own: references of the directory's pages, of which the first is the one to tell
 * @memory: the directory's pages, contiguous, as many as
 *	*hdmabuf_gref_directory_pages()* says; are filled completely
 */
void hdmabuf_gref_build(const uint32_t *references, uint32_t count,
			const uint32_t *own, void *memory);

/**
 * hdmabuf_gref_link() - write an empty directory, for the backend to fill
 * @count: how many references there will be
 * @own: references of the directory's pages, of which the first is the one to tell
 * @memory: the directory's pages, contiguous; are filled completely
 */
void hdmabuf_gref_link(uint32_t count, const uint32_t *own, void *memory);

/**
 * hdmabuf_gref_take() - read what the backend has filled in
 * @memory: of *hdmabuf_gref_link()*, shared: each word is read once, and the links
 *	not at all
 * @references: receives the references of the buffer's pages
 * @count: how many
 * @fault: receives BAD_REFERENCE, and which of them is 0
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault
 */
uint16_t hdmabuf_gref_take(const void *memory, uint32_t *references,
			   uint32_t count, struct hdmabuf_fault *fault);

/**
 * struct hdmabuf_gref_walk - on the way through a directory of the other end
 * @references: of the buffer's pages
 * @count: how many, in all
 * @done: how many of them are read, or filled in
 * @next: reference of the directory's next page, 0 when there is none
 *
 * The members are the walk's own.  It takes as many pages as @count needs, whatever
 * the pages say: a directory may be linked in a circle.
 */
struct hdmabuf_gref_walk {
	uint32_t *references;
	uint32_t count;
	uint32_t done;
	uint32_t next;
};

/**
 * hdmabuf_gref_begin() - begin to go through a directory
 * @walk: to be filled
 * @directory: reference of the directory's first page, as the other end told it
 * @references: room for what is read, or what is to be filled in
 * @count: how many references, as *hdmabuf_gref_pages()* says; limits are the
 *	caller's to check
 * @fault: receives INVALID if there are none, BAD_REFERENCE if @directory is 0
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault
 */
uint16_t hdmabuf_gref_begin(struct hdmabuf_gref_walk *walk, uint32_t directory,
			    uint32_t *references, uint32_t count,
			    struct hdmabuf_fault *fault);

/**
 * hdmabuf_gref_next() - which page to map next
 * @walk: begun
 *
 * Return: its reference; 0 when all has been gone through
 */
uint32_t hdmabuf_gref_next(const struct hdmabuf_gref_walk *walk);

/**
 * hdmabuf_gref_read() - read the next page of a directory
 * @walk: begun
 * @page: of *hdmabuf_gref_next()*, shared: each word is read once
 * @fault: receives BAD_REFERENCE: of an entry that is 0, or of the entry behind a
 *	link that ends too early or too late
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault; after a fault the walk must
 * not be used any more
 */
uint16_t hdmabuf_gref_read(struct hdmabuf_gref_walk *walk, const void *page,
			   struct hdmabuf_fault *fault);

/**
 * hdmabuf_gref_fill() - fill in the next page of a directory that the frontend linked
 * @walk: begun, with the references to fill in
 * @page: of *hdmabuf_gref_next()*, shared and writable; the link stays as it is
 * @fault: receives BAD_REFERENCE, of the entry behind a link that ends too early or
 *	too late
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault; after a fault the walk must
 * not be used any more
 */
uint16_t hdmabuf_gref_fill(struct hdmabuf_gref_walk *walk, void *page,
			   struct hdmabuf_fault *fault);

/**
 * hdmabuf_gref_unique() - check that no page comes twice
 * @references: of the buffer's pages
 * @count: how many
 * @runs: memory for twice as many runs
 * @fault: receives DUPLICATE, with the reference as value and the second page that
 *	has it as offset
 *
 * Neither protocol forbids it, so who reads a directory decides.  It is how a circle
 * of directory pages is found out.
 *
 * Return: ``HDMABUF_STATUS_OK`` or the status of @fault
 */
uint16_t hdmabuf_gref_unique(const uint32_t *references, uint32_t count,
			     struct hdmabuf_run *runs,
			     struct hdmabuf_fault *fault);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_GREF_DIRECTORY_H */
