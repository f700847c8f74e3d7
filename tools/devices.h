/* SPDX-License-Identifier: MIT */
/*
 * devices.h - the devices of the class hdmabuf, as they stand in XenStore
 *
 * Functions that can fail return an exit status of sysexits.h, and say why in one
 * line.
 */
#ifndef TOOLS_DEVICES_H
#define TOOLS_DEVICES_H

#include "reference-common/fail.h"

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#define DEVICE_PATH_SIZE 96

/**
 * struct device - a device, or what is left of one
 * @frontend: domain of its frontend
 * @number: of the device, among those of that domain
 * @backend: domain of its backend
 * @has_front: the frontend's directory is there
 * @has_back: the backend's directory is there
 */
struct device {
	uint32_t frontend;
	uint32_t number;
	uint32_t backend;
	bool has_front;
	bool has_back;
};

struct device_list {
	struct device *devices;
	size_t count;
};

/* Where the directories of a device are. */
void device_front_path(const struct device *device, char *path);
void device_back_path(const struct device *device, char *path);

/**
 * device_find_domain() - the number of a domain, which may be given by its name
 * @store: XenStore
 * @text: number or name
 * @must_live: whether a number has to be that of a domain that is there
 * @domain: is filled
 * @failure: is filled if it fails
 *
 * Return: EX_OK; EX_NOHOST if there is no such domain
 */
int device_find_domain(struct xs_handle *store, const char *text,
		       bool must_live, uint32_t *domain,
		       struct failure *failure);

/**
 * device_attach() - make the directories of a device
 * @store: XenStore
 * @device: its numbers
 * @failure: is filled if it fails
 *
 * Return: EX_OK; EX_CANTCREAT if it is there; EX_NOPERM; EX_UNAVAILABLE
 */
int device_attach(struct xs_handle *store, const struct device *device,
		  struct failure *failure);

/**
 * device_detach() - remove what there is of a device
 * @store: XenStore
 * @device: as found by device_list_read()
 * @failure: is filled if it fails
 *
 * Return: EX_OK; EX_NOPERM; EX_UNAVAILABLE
 */
int device_detach(struct xs_handle *store, const struct device *device,
		  struct failure *failure);

/**
 * device_list_read() - find all devices of all domains
 * @store: XenStore
 * @list: is filled; to be given to device_list_free(), also if it fails
 * @failure: is filled if it fails
 *
 * Return: EX_OK; EX_UNAVAILABLE
 */
int device_list_read(struct xs_handle *store, struct device_list *list,
		     struct failure *failure);
void device_list_free(struct device_list *list);

/* The state of an end, in a word. */
const char *device_front_state(struct xs_handle *store,
			       const struct device *device);
const char *device_back_state(struct xs_handle *store,
			      const struct device *device);

#endif
