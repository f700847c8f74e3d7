/* SPDX-License-Identifier: MIT */
/* descriptors.c - memory by its descriptor: what sharing is held against */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/descriptors.h"
#include "bench/measure.h"

#define PAGE 4096

union control {
	struct cmsghdr header;
	char octets[CMSG_SPACE(sizeof(int))];
};

void descriptor_send(int socket, int fd)
{
	union control control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET,
					      SCM_RIGHTS } };
	struct iovec octet = { "", 1 };
	struct msghdr message = { .msg_iov = &octet,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_LEN(sizeof(int)) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must_call(sendmsg(socket, &message, 0) == 1, "sendmsg");
}

int descriptor_receive(int socket)
{
	union control control;
	char octet;
	struct iovec place = { &octet, 1 };
	struct msghdr message = { .msg_iov = &place,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd;

	must_call(recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1, "recvmsg");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

void pages_touch(const uint8_t *data, size_t octets)
{
	const volatile uint8_t *page = data;
	size_t at;

	for (at = 0; at < octets; at += PAGE)
		(void)page[at];
}
