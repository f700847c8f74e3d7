# SPDX-License-Identifier: MIT
# A fault in include/hdmabuf/ring.h: each message is copied out of its slot twice.
/^	ring->consumed = consumed + 1;$/i\
	hdmabuf_shared_copy(message, &ring->slot[consumed & ring->mask], sizeof(*message));
