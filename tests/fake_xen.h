/* SPDX-License-Identifier: MIT */
/*
 * fake_xen.h - a Xen within this process, in the place of its three libraries
 *
 * Linked instead of libxenstore, libxenevtchn and libxengnttab: XenStore with
 * watches, transactions and permissions, event channels, grants as shared memory,
 * and domains with processes that can be killed.  As these libraries have no
 * argument that could say whose call it is, there is one Xen at a time, and one
 * process that opens what is opened.
 */
#ifndef HDMABUF_TESTS_FAKE_XEN_H
#define HDMABUF_TESTS_FAKE_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What there is of a kind, in all domains. */
struct fake_xen_count {
	size_t grants;	 /* entries of grant tables */
	size_t mappings; /* pages */
	size_t ports;
	size_t nodes; /* of XenStore */
	size_t watches;
	size_t handles;
};

/* Begins with domain 0 alone. */
void fake_xen_start(void);
/* Nothing may be left open; nodes of XenStore may be. */
void fake_xen_stop(void);

void fake_xen_create_domain(uint32_t domain);
/* As xl destroy does: nobody is left who could clear or notify anything. */
void fake_xen_destroy_domain(uint32_t domain);

/* The directories of a device, as a toolstack makes and removes them. */
void fake_xen_attach(uint32_t frontend, uint32_t backend, uint32_t number);
void fake_xen_attach_class(const char *class_name, uint32_t frontend,
			   uint32_t backend, uint32_t number);
void fake_xen_detach(uint32_t frontend, uint32_t backend, uint32_t number);

/* What is opened from now on is of a new process of that domain. */
int fake_xen_enter(uint32_t domain);
/* As by SIGKILL.  What it had may still be closed, which has no effect any more. */
void fake_xen_kill(int process);

struct fake_xen_count fake_xen_count(void);

/* Calls of a function of the three libraries since the start. */
size_t fake_xen_calls(const char *function);

/* Is asked before each call: an errno that it fails with, or 0. */
void fake_xen_fail(int (*fails)(void *user, const char *function), void *user);

/* How many pages gntalloc of a domain may have shared; 1024 at first. */
void fake_xen_limit(uint32_t domain, size_t pages);
/* After so many consecutive references, one is left out; 0 for none. */
void fake_xen_scatter(unsigned int run);
/* How many pages a call may map; more end in EINVAL, as in gntdev. */
void fake_xen_limit_map(size_t pages);

/*
 * Whether gntdev makes dma-bufs, as it does not at first.  Here they are pipes: one is
 * released when the last descriptor of its end is closed.  What is made to
 * references is a memfd.
 */
void fake_xen_offer_dmabuf(bool offered);

/* The value of a node, "" if there is none: for looking at from outside. */
const char *fake_xen_node(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* Writes a node as domain 0 does, or removes it with what is below. */
void fake_xen_write(const char *value, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void fake_xen_remove(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#endif
