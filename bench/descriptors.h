/* SPDX-License-Identifier: MIT */
/* descriptors.h - memory by its descriptor: what sharing is held against */
#ifndef HDMABUF_BENCH_DESCRIPTORS_H
#define HDMABUF_BENCH_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

/* Pass a descriptor over a socket. */
void descriptor_send(int socket, int fd);
/* Receive one, to be closed. */
int descriptor_receive(int socket);

/* Read an octet of each page. */
void pages_touch(const uint8_t *data, size_t octets);

#endif
