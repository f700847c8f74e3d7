/* SPDX-License-Identifier: MIT */
/*
 * Channel pages of any content, whatever was offered
 *
 * eva: lib/core/channel.c lib/core/fault.c
 * split: check_sizes
 * fault REFERENCES_UNBOUNDED lib/core/channel.c s/pages > HDMABUF_CHANNEL_REFERENCES_MAX ||/0 \&\&/
 */
#include "assurance/proof/eva.h"

#include <hdmabuf/channel.h>

void main(void)
{
	static struct hdmabuf_channel page;
	struct hdmabuf_channel_info info;
	struct hdmabuf_offer offer;
	struct hdmabuf_fault fault;

	ANY_CONTENT(page);
	ANY_CONTENT(offer);
	hdmabuf_channel_decode(&page, &offer, ANY(uint64_t),
			       BETWEEN(HDMABUF_PAGE_SHIFT_MIN,
				       HDMABUF_PAGE_SHIFT_MAX),
			       &info, &fault);
}
