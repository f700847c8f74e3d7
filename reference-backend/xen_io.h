/* SPDX-License-Identifier: MIT */
/* Xen's own headers of displif and sndif, as they want to be included. */

#ifndef REFERENCE_BACKEND_XEN_IO_H
#define REFERENCE_BACKEND_XEN_IO_H

#include <stdint.h>

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/displif.h>
#include <xen/io/sndif.h>

#endif
