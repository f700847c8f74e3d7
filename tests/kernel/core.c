/* SPDX-License-Identifier: MIT */
/*
 * core.c - lib/core in a kernel module, as a driver uses it
 *
 * Linked with all of lib/core, so that whatever that needs must be there.
 */
#include <hdmabuf/channel.h>
#include <hdmabuf/codec.h>
#include <hdmabuf/descriptor.h>
#include <hdmabuf/directory.h>
#include <hdmabuf/fault.h>
#include <hdmabuf/machine.h>
#include <hdmabuf/ring.h>
#include <hdmabuf/table.h>
#include <hdmabuf/timeline.h>
#include <hdmabuf/waiting.h>

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/string.h>

/* One request from one end of a ring to the other, the last before the wrap. */
static int exchange(void *page, u32 format)
{
	const u32 start = 0xffffffff;
	union hdmabuf_message sent, received;
	struct hdmabuf_ring here, there;

	hdmabuf_ring_format(page, PAGE_SIZE, format, start);
	hdmabuf_ring_init(&here, page, PAGE_SIZE, format, start);
	hdmabuf_ring_init(&there, page, PAGE_SIZE, format, start);
	memset(&sent, 0, sizeof(sent));
	sent.echo.header.operation = hdmabuf_put_le16(HDMABUF_OP_ECHO);
	if (!hdmabuf_ring_put_request(&here, &sent))
		return -ENOSPC;
	hdmabuf_ring_push_requests(&here);
	if (hdmabuf_ring_take_request(&there, &received) != HDMABUF_RING_TAKEN)
		return -EPROTO;
	return memcmp(&sent, &received, sizeof(sent)) ? -EPROTO : 0;
}

/* One point, across a multiple of 2^32. */
static int signal(struct hdmabuf_cell *cell)
{
	const u64 old = 0xffffffff, new = 0x100000000ULL;

	hdmabuf_cell_init(cell, old);
	hdmabuf_cell_signal(cell, old, new);
	return hdmabuf_cell_point(cell, old) == new ? 0 : -EPROTO;
}

static int __init core_init(void)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	int err;

	if (!page)
		return -ENOMEM;
	err = exchange(page, HDMABUF_RING_FORMAT_0);
	if (!err)
		err = exchange(page, HDMABUF_RING_FORMAT_1);
	if (!err)
		err = signal(page);
	free_page((unsigned long)page);
	return err;
}

static void __exit core_exit(void)
{
}

module_init(core_init);
module_exit(core_exit);
MODULE_DESCRIPTION("lib/core of hdmabuf compiles in a kernel module");
MODULE_LICENSE("Dual MIT/GPL");
