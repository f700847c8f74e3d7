/* SPDX-License-Identifier: MIT */
/* What was wrong, where, and how to say it. */
#include <hdmabuf/fault.h>

/* What has no text here does not compile, whatever the warnings are. */
#pragma GCC diagnostic error "-Wswitch"

uint16_t hdmabuf_fault_set(struct hdmabuf_fault *fault, uint16_t status,
			   uint32_t where, uint64_t offset, uint64_t value)
{
	fault->status = status;
	fault->where = where;
	fault->offset = offset;
	fault->value = value;
	return status;
}

const char *hdmabuf_status_text(uint16_t status)
{
	switch ((enum hdmabuf_status)status) {
	case HDMABUF_STATUS_OK:
		return "done";
	case HDMABUF_STATUS_UNKNOWN_OPERATION:
		return "unknown operation";
	case HDMABUF_STATUS_NOT_NEGOTIATED:
		return "needs a feature that was not accepted";
	case HDMABUF_STATUS_WRONG_STATE:
		return "not possible in this state";
	case HDMABUF_STATUS_RESERVED:
		return "a field that must be zero is not";
	case HDMABUF_STATUS_NO_SUCH_BUFFER:
		return "no such buffer in this session";
	case HDMABUF_STATUS_NO_SUCH_TIMELINE:
		return "no such timeline in this session";
	case HDMABUF_STATUS_WRONG_ROLE:
		return "not for this end to ask";
	case HDMABUF_STATUS_INVALID:
		return "a field has a value that is not allowed";
	case HDMABUF_STATUS_DUPLICATE:
		return "already in use";
	case HDMABUF_STATUS_LIMIT:
		return "exceeds a limit of the other end";
	case HDMABUF_STATUS_BAD_REFERENCE:
		return "a reference does not lead to memory";
	case HDMABUF_STATUS_UNSUPPORTED:
		return "the other end cannot do this";
	case HDMABUF_STATUS_DENIED:
		return "forbidden by policy or rights";
	case HDMABUF_STATUS_NO_MEMORY:
		return "no memory left";
	case HDMABUF_STATUS_NO_REFERENCES:
		return "no references left";
	case HDMABUF_STATUS_BUSY:
		return "still in use";
	case HDMABUF_STATUS_WRONG_EPOCH:
		return "meant for another session";
	case HDMABUF_STATUS_CLOSING:
		return "the session is being closed";
	case HDMABUF_STATUS_LOST:
		return "the session was lost";
	case HDMABUF_STATUS_CANCELLED:
		return "given up before it was done";
	case HDMABUF_STATUS_TIMED_OUT:
		return "took too long";
	case HDMABUF_STATUS_FAILED:
		return "failed for a reason that has no name";
	}
	return "unknown status";
}

#define NAME(operation) \
	case HDMABUF_OP_##operation: \
		return #operation

const char *hdmabuf_operation_text(uint16_t operation)
{
	switch ((enum hdmabuf_operation)operation) {
		NAME(HELLO);
		NAME(CLOSE);
		NAME(ECHO);
		NAME(EXPORT);
		NAME(UPDATE);
		NAME(UNEXPORT);
		NAME(RELEASED);
		NAME(HAND_OFF);
		NAME(QUERY);
		NAME(ALLOCATE);
		NAME(CPU_BEGIN);
		NAME(CPU_END);
		NAME(TIMELINE_CREATE);
		NAME(TIMELINE_DESTROY);
	}
	return "unknown operation";
}

const char *hdmabuf_where_text(uint32_t where)
{
	switch ((enum hdmabuf_where)where) {
	case HDMABUF_WHERE_NOWHERE:
		return "nowhere";
	case HDMABUF_WHERE_REQUEST:
		return "request";
	case HDMABUF_WHERE_DESCRIPTOR:
		return "descriptor";
	case HDMABUF_WHERE_DIRECTORY:
		return "directory";
	case HDMABUF_WHERE_PAGE:
		return "page";
	case HDMABUF_WHERE_CHANNEL:
		return "channel";
	}
	return "unknown place";
}
