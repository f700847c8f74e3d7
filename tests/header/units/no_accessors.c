/* SPDX-License-Identifier: MIT */
/* Without accessors their names are free, and all the rest is there. */
#define HDMABUF_NO_ACCESSORS
#include <hyper_dmabuf.h>

enum names {
	hdmabuf_get_le16,
	hdmabuf_get_le32,
	hdmabuf_get_le64,
	hdmabuf_put_le16,
	hdmabuf_put_le32,
	hdmabuf_put_le64
};

union hdmabuf_message no_accessors;
