/* SPDX-License-Identifier: MIT */
/*
 * fault.h - what was wrong, and where
 */
#ifndef HDMABUF_FAULT_H
#define HDMABUF_FAULT_H

#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_fault - what was wrong with a request, and where
 * @status: &enum hdmabuf_status; ``HDMABUF_STATUS_OK`` if nothing was
 * @where: &enum hdmabuf_where
 * @offset: of the field, or number of the entry or page
 * @value: the offending value, or the limit
 *
 * The native form of *struct hdmabuf_error* of the protocol.
 */
struct hdmabuf_fault {
	uint16_t status;
	uint32_t where;
	uint64_t offset;
	uint64_t value;
};

/**
 * hdmabuf_fault_set() - fill a fault
 * @fault: to be filled
 * @status: what was wrong
 * @where: in what
 * @offset: where in it
 * @value: the offending value, or the limit
 *
 * Return: @status, so that a check can end with ``return hdmabuf_fault_set(...)``
 */
uint16_t hdmabuf_fault_set(struct hdmabuf_fault *fault, uint16_t status,
			   uint32_t where, uint64_t offset, uint64_t value);

/**
 * hdmabuf_status_text() - a status in words
 * @status: &enum hdmabuf_status, or any other number
 *
 * Return: a few words without a full stop; never NULL
 */
const char *hdmabuf_status_text(uint16_t status);

/**
 * hdmabuf_operation_text() - the name of an operation
 * @operation: &enum hdmabuf_operation, or any other number
 *
 * Return: its name, as in the protocol ("HAND_OFF"); never NULL
 */
const char *hdmabuf_operation_text(uint16_t operation);

/**
 * hdmabuf_where_text() - the name of a place
 * @where: &enum hdmabuf_where, or any other number
 *
 * Return: its name in lower case ("descriptor"); never NULL
 */
const char *hdmabuf_where_text(uint32_t where);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_FAULT_H */
