/* SPDX-License-Identifier: MIT */
/* descriptors.h - which descriptors are open, for targets that must not leave any */
#ifndef HDMABUF_ASSURANCE_FUZZ_DESCRIPTORS_H
#define HDMABUF_ASSURANCE_FUZZ_DESCRIPTORS_H

#include <poll.h>
#include <stdint.h>

/* A bit for each of the first 64, which are more than a target has open. */
static inline uint64_t fuzz_descriptors(void)
{
	struct pollfd states[64];
	uint64_t open = 0;
	int fd;

	for (fd = 0; fd < 64; fd++)
		states[fd] = (struct pollfd){ .fd = fd };
	poll(states, 64, 0);
	for (fd = 0; fd < 64; fd++)
		if (!(states[fd].revents & POLLNVAL))
			open |= (uint64_t)1 << fd;
	return open;
}

#endif
