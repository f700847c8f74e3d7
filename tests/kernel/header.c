/* SPDX-License-Identifier: MIT */
/*
 * header.c - the protocol's header in a kernel module, as a driver uses it
 */
#include <hyper_dmabuf.h>

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/string.h>

#include "layout.h"

#define TYPE(type, octets) static_assert(sizeof(type) == (octets));
#define FIELD(type, member, at, octets) \
	static_assert(offsetof(type, member) == (at)); \
	static_assert(sizeof_field(type, member) == (octets));
LAYOUT(TYPE, FIELD)

#define ROW(role, state, event, next) \
	[HDMABUF_SESSION_##state][HDMABUF_SESSION_##event] = \
		HDMABUF_SESSION_##next + 1,

/* The next state plus one; 0 where there is none. */
static const u8 session_next[HDMABUF_SESSION_STATES][HDMABUF_SESSION_EVENTS] = {
	HDMABUF_SESSION_TABLE(ROW)
};

static int session_step(u8 *state, enum hdmabuf_session_event event)
{
	u8 next = session_next[*state][event];

	if (!next)
		return -EPROTO;
	*state = next - 1;
	return 0;
}

static void hello_encode(union hdmabuf_message *slot, u32 id, u64 epoch)
{
	memset(slot, 0, sizeof(*slot));
	slot->hello.header.id = hdmabuf_put_le32(id);
	slot->hello.header.operation = hdmabuf_put_le16(HDMABUF_OP_HELLO);
	slot->hello.epoch_frontend = hdmabuf_put_le64(epoch);
	slot->hello.features = hdmabuf_put_le64(HDMABUF_FEATURE_EXTENTS);
	slot->hello.max_in_flight = hdmabuf_put_le32(32);
}

static int hello_check(const union hdmabuf_message *slot, u32 id, u64 epoch)
{
	if (hdmabuf_get_le16(slot->header.operation) != HDMABUF_OP_HELLO ||
	    hdmabuf_get_le16(slot->header.status) != HDMABUF_STATUS_OK ||
	    hdmabuf_get_le32(slot->header.id) != id ||
	    hdmabuf_get_le64(slot->hello.epoch_frontend) != epoch)
		return -EPROTO;
	return slot->octets[0] == (id & 0xff) ? 0 : -EPROTO;
}

static int __init header_init(void)
{
	union hdmabuf_message slot;
	u8 state = HDMABUF_SESSION_DOWN;
	int err;

	err = session_step(&state, HDMABUF_SESSION_START);
	if (err)
		return err;
	hello_encode(&slot, 0x01020304, 0x0102030405060708ULL);
	return hello_check(&slot, 0x01020304, 0x0102030405060708ULL);
}

static void __exit header_exit(void)
{
}

module_init(header_init);
module_exit(header_exit);
MODULE_DESCRIPTION("hyper_dmabuf.h compiles in a kernel module");
MODULE_LICENSE("Dual MIT/GPL");
