/* SPDX-License-Identifier: MIT */
/* Of several things that are wrong, the one to report. */
#ifndef HDMABUF_CORE_NOTE_H
#define HDMABUF_CORE_NOTE_H

#include <hdmabuf/codec.h>

static inline void fault_none(struct hdmabuf_fault *fault)
{
	hdmabuf_fault_set(fault, HDMABUF_STATUS_OK, HDMABUF_WHERE_NOWHERE, 0,
			  0);
}

/*
 * Keep the fault that comes first in the order of HDB-BOTH-038 and, where that
 * makes no difference, in memory. @fault holds one already, or OK.
 */
static inline void fault_note(struct hdmabuf_fault *fault, uint16_t status,
			      uint32_t where, uint64_t offset, uint64_t value)
{
	unsigned int rank = hdmabuf_fault_rank(status);
	unsigned int noted = hdmabuf_fault_rank(fault->status);

	if (rank < noted || (rank == noted && offset < fault->offset))
		hdmabuf_fault_set(fault, status, where, offset, value);
}

#endif /* HDMABUF_CORE_NOTE_H */
