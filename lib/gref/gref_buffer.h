/* SPDX-License-Identifier: MIT */
/* What the files about whole buffers share. */
#ifndef HDMABUF_LIB_GREF_BUFFER_H
#define HDMABUF_LIB_GREF_BUFFER_H

#include <hdmabuf/gref_buffer.h>

#pragma GCC visibility push(hidden)

/* Says why, and returns -error. */
int gref_fail(struct hdmabuf_gref_peer *peer, int error, const char *format,
	      ...) __attribute__((format(printf, 3, 4)));
void gref_note(struct hdmabuf_gref_buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

int gref_buffer_init(struct hdmabuf_gref_peer *peer, uint32_t octets,
		     struct hdmabuf_gref_buffer *buffer);
/* Gives back what there is, and returns @error, whatever comes of that. */
int gref_give_up(struct hdmabuf_gref_buffer *buffer, int error);

/* Fills references from the other end's directory, or that from references. */
int gref_read_directory(struct hdmabuf_gref_buffer *buffer, uint32_t directory);
int gref_fill_directory(struct hdmabuf_gref_buffer *buffer, uint32_t directory);

int gref_map_references(struct hdmabuf_gref_buffer *buffer, bool writable);
int gref_allocate(struct hdmabuf_gref_buffer *buffer);

/* What of a buffer is a dma-buf. */
int gref_dmabuf_put(struct hdmabuf_gref_buffer *buffer);

#pragma GCC visibility pop

#endif /* HDMABUF_LIB_GREF_BUFFER_H */
