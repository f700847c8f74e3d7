/* SPDX-License-Identifier: MIT */
/*
 * xen_store.c - records and states in XenStore
 *
 * Within a record, a text of lines is what the library has, and nodes are what
 * XenStore has.  Nothing that the other end wrote is longer than a number, or has
 * other than printable octets, when it leaves this file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen.h"

/* The keys of each end, without its epoch. */
static const char *const frontend_keys[] = {
	HDMABUF_XEN_KEY_LINK,	       HDMABUF_XEN_KEY_LINK_REF,
	HDMABUF_XEN_KEY_EVENT_CHANNEL, HDMABUF_KEY_PEER_EPOCH,
	HDMABUF_KEY_CHANNEL,	       NULL,
};

static const char *const backend_keys[] = {
	HDMABUF_XEN_KEY_LINK_VERSION,
	HDMABUF_XEN_KEY_USE_PAGES,
	HDMABUF_KEY_VERSION_MIN,
	HDMABUF_KEY_VERSION_MAX,
	HDMABUF_KEY_FEATURES,
	HDMABUF_KEY_RING_FORMATS,
	HDMABUF_KEY_RING_ORDER_MAX,
	HDMABUF_KEY_TIMELINE_MAX,
	HDMABUF_KEY_ERROR,
	NULL,
};

struct xen_path xen_path(const char *directory, const char *name)
{
	struct xen_path path;

	snprintf(path.text, sizeof(path.text), "%s%s%s", directory,
		 name ? "/" : "", name ? name : "");
	return path;
}

/* ---- lines -------------------------------------------------------------- */

/* The value of a line, not terminated; NULL if there is none. */
static const char *find_value(const char *text, size_t octets, const char *name,
			      size_t *length)
{
	size_t name_octets = strlen(name);
	const char *end = text + octets;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		if (!stop)
			stop = end;
		if ((size_t)(stop - text) > name_octets &&
		    !memcmp(text, name, name_octets) &&
		    text[name_octets] == '=') {
			*length = (size_t)(stop - text) - name_octets - 1;
			return text + name_octets + 1;
		}
		text = stop + 1;
	}
	return NULL;
}

/* HDB-BOTH-004: decimal, no sign, no leading zero, and in its range. */
static bool parse_number(const char *text, size_t octets, uint64_t max,
			 uint64_t *number)
{
	uint64_t digit;
	size_t i;

	if (!octets || octets > HDMABUF_VALUE_OCTETS ||
	    (text[0] == '0' && octets > 1))
		return false;
	*number = 0;
	for (i = 0; i < octets; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		digit = (uint64_t)(text[i] - '0');
		if (*number > max / 10 || *number * 10 > max - digit)
			return false;
		*number = *number * 10 + digit;
	}
	return true;
}

static uint64_t find_number(const struct xen_record *record, const char *name,
			    uint64_t max)
{
	uint64_t number;
	size_t octets;
	const char *value =
		find_value(record->text, record->octets, name, &octets);

	return value && parse_number(value, octets, max, &number) ? number : 0;
}

uint64_t xen_store_epoch(const char *text, size_t octets)
{
	uint64_t epoch;
	size_t length;
	const char *value =
		find_value(text, octets, HDMABUF_KEY_EPOCH, &length);

	return value && parse_number(value, length, UINT64_MAX, &epoch) ?
		       epoch :
		       0;
}

/* ---- reading ------------------------------------------------------------ */

struct value {
	char text[HDMABUF_VALUE_OCTETS + 1];
};

/* HDB-XEN-006 */
static bool take_value(struct value *value, const char *from, size_t octets)
{
	size_t i;

	if (octets > HDMABUF_VALUE_OCTETS)
		return false;
	for (i = 0; i < octets; i++)
		if (from[i] < ' ' || from[i] > '~')
			return false;
	memcpy(value->text, from, octets);
	value->text[octets] = '\0';
	return true;
}

/* -ENOENT if there is none for us, -EINVAL if it is no good. */
static int read_value(struct xen_endpoint *endpoint, xs_transaction_t in,
		      const char *directory, const char *name,
		      struct value *value)
{
	struct xen_path path = xen_path(directory, name);
	unsigned int octets;
	char *read = xs_read(endpoint->store, in, path.text, &octets);
	bool good;

	if (!read)
		return errno == EACCES ? -ENOENT : -errno;
	good = take_value(value, read, octets);
	free(read);
	return good ? 0 : -EINVAL;
}

int xen_store_read_number(struct xen_endpoint *endpoint, const char *path,
			  const char *name, uint64_t max, uint64_t *number)
{
	struct value value;
	int error = read_value(endpoint, XBT_NULL, path, name, &value);

	if (error)
		return error;
	return parse_number(value.text, strlen(value.text), max, number) ?
		       0 :
		       -EINVAL;
}

static void add_line(struct xen_record *record, const char *name,
		     const char *value)
{
	size_t room = sizeof(record->text) - record->octets;
	int octets = snprintf(record->text + record->octets, room, "%s=%s\n",
			      name, value);

	if ((size_t)octets < room)
		record->octets += (size_t)octets;
}

/* Some may be missing: whether all are there, the library will see. */
static int read_keys(const struct xen_device *device, const char *const *keys,
		     struct xen_record *record)
{
	struct value value;
	int error;

	for (; *keys; keys++) {
		error = read_value(device->endpoint, XBT_NULL, device->peer,
				   *keys, &value);
		if (!error)
			add_line(record, *keys, value.text);
		else if (error != -ENOENT)
			return error;
	}
	return 0;
}

/* HDB-BOTH-006: the epoch is read before and after the rest. */
static int read_lines(const struct xen_device *device,
		      struct xen_record *record)
{
	bool frontend = device->endpoint->role == HDMABUF_FRONTEND;
	struct value before, after;
	int error = read_value(device->endpoint, XBT_NULL, device->peer,
			       HDMABUF_KEY_EPOCH, &before);

	if (!error)
		error = read_keys(device,
				  frontend ? backend_keys : frontend_keys,
				  record);
	if (!error)
		error = read_value(device->endpoint, XBT_NULL, device->peer,
				   HDMABUF_KEY_EPOCH, &after);
	if (error)
		return error;
	add_line(record, HDMABUF_KEY_EPOCH, after.text);
	return strcmp(before.text, after.text) ? -ENOENT : 0;
}

static bool understand(struct xen_record *record, bool of_backend)
{
	record->epoch = find_number(record, HDMABUF_KEY_EPOCH, UINT64_MAX);
	if (of_backend) {
		record->link_version = (uint32_t)find_number(
			record, HDMABUF_XEN_KEY_LINK_VERSION, UINT32_MAX);
		record->use_pages =
			(uint32_t)find_number(record, HDMABUF_XEN_KEY_USE_PAGES,
					      HDMABUF_XEN_USE_PAGES_MAX);
		return record->epoch && record->link_version &&
		       record->use_pages;
	}
	record->peer_epoch =
		find_number(record, HDMABUF_KEY_PEER_EPOCH, UINT64_MAX);
	record->link = find_number(record, HDMABUF_XEN_KEY_LINK, UINT64_MAX);
	record->link_ref = (uint32_t)find_number(
		record, HDMABUF_XEN_KEY_LINK_REF, UINT32_MAX);
	record->port = (uint32_t)find_number(
		record, HDMABUF_XEN_KEY_EVENT_CHANNEL, UINT32_MAX);
	return record->epoch && record->peer_epoch && record->link &&
	       record->link_ref && record->port;
}

/* The state is only read to see whether the device is still there. */
enum xen_found xen_store_read(const struct xen_device *device,
			      struct xen_record *record)
{
	bool of_backend = device->endpoint->role == HDMABUF_FRONTEND;
	struct value state;
	int error;

	memset(record, 0, sizeof(*record));
	error = read_value(device->endpoint, XBT_NULL, device->peer,
			   HDMABUF_XEN_NODE_STATE, &state);
	if (error == -ENOENT)
		return XEN_REMOVED;
	if (!error || error == -EINVAL)
		error = read_lines(device, record);
	if (!error && understand(record, of_backend))
		return XEN_PRESENT;
	memset(record, 0, sizeof(*record));
	return !error || error == -ENOENT || error == -EINVAL ? XEN_ABSENT :
								XEN_UNREADABLE;
}

/* ---- writing ------------------------------------------------------------ */

/* What is to be written; without @text, the record stays as it is. */
struct change {
	const struct xen_device *device;
	const char *text;
	size_t octets;
	enum hdmabuf_xen_state state;
};

static int write_node(const struct change *change, xs_transaction_t in,
		      const char *name, const char *value, size_t octets)
{
	struct xen_path path = xen_path(change->device->own, name);

	return xs_write(change->device->endpoint->store, in, path.text, value,
			(unsigned int)octets) ?
		       0 :
		       -errno;
}

static int remove_node(const struct change *change, xs_transaction_t in,
		       const char *name)
{
	struct xen_path path = xen_path(change->device->own, name);

	return xs_rm(change->device->endpoint->store, in, path.text) ||
			       errno == ENOENT ?
		       0 :
		       -errno;
}

static int write_or_remove(const struct change *change, xs_transaction_t in,
			   const char *name)
{
	size_t octets;
	const char *value =
		find_value(change->text, change->octets, name, &octets);

	return value ? write_node(change, in, name, value, octets) :
		       remove_node(change, in, name);
}

/* HDB-BOTH-005: the epoch goes first, and comes last. */
static int write_record(const struct change *change, xs_transaction_t in)
{
	bool frontend = change->device->endpoint->role == HDMABUF_FRONTEND;
	const char *const *keys = frontend ? frontend_keys : backend_keys;
	int error = remove_node(change, in, HDMABUF_KEY_EPOCH);

	for (; *keys && !error; keys++)
		error = write_or_remove(change, in, *keys);
	return error ? error : write_or_remove(change, in, HDMABUF_KEY_EPOCH);
}

/* A device that was removed must not come into being again. */
static int carry_out(const struct change *change, xs_transaction_t in)
{
	char state = (char)('0' + change->state);
	struct value value;
	int error = read_value(change->device->endpoint, in,
			       change->device->own, HDMABUF_XEN_NODE_STATE,
			       &value);

	if (error && error != -EINVAL)
		return error == -ENOENT ? -ENOTCONN : error;
	error = change->text ? write_record(change, in) : 0;
	return error ? error :
		       write_node(change, in, HDMABUF_XEN_NODE_STATE, &state,
				  1);
}

/* HDB-XEN-004 */
static int transact(const struct change *change)
{
	struct xs_handle *store = change->device->endpoint->store;
	xs_transaction_t transaction;
	int error, i;

	for (i = 0; i < XEN_TRANSACTIONS_MAX; i++) {
		transaction = xs_transaction_start(store);
		if (transaction == XBT_NULL)
			return -errno;
		error = carry_out(change, transaction);
		if (xs_transaction_end(store, transaction, error != 0))
			return error;
		if (errno != EAGAIN)
			return -errno;
	}
	return -EAGAIN;
}

static int own_lines(const struct hdmabuf_link *link, char *text, size_t size)
{
	if (link->endpoint->role == HDMABUF_BACKEND)
		return snprintf(text, size, "%s=%d\n%s=%d\n",
				HDMABUF_XEN_KEY_LINK_VERSION,
				HDMABUF_XEN_LINK_VERSION,
				HDMABUF_XEN_KEY_USE_PAGES, XEN_USE_PAGES);
	return snprintf(text, size, "%s=%" PRIu64 "\n%s=%" PRIu32 "\n%s=%d\n",
			HDMABUF_XEN_KEY_LINK, link->page.number,
			HDMABUF_XEN_KEY_LINK_REF, link->page.reference,
			HDMABUF_XEN_KEY_EVENT_CHANNEL, link->page.port);
}

static enum hdmabuf_xen_state state_of(const struct hdmabuf_link *link)
{
	if (link->attached)
		return HDMABUF_XEN_CONNECTED;
	return link->endpoint->role == HDMABUF_BACKEND ?
		       HDMABUF_XEN_INIT_WAIT :
		       HDMABUF_XEN_INITIALISED;
}

int xen_store_publish(const struct hdmabuf_link *link, const char *text,
		      size_t octets)
{
	char all[HDMABUF_RECORD_OCTETS + 128];
	int own = own_lines(link, all, sizeof(all));
	struct change change = {
		.device = link->device,
		.text = all,
		.octets = (size_t)own + octets,
		.state = state_of(link),
	};

	memcpy(all + own, text, octets);
	return transact(&change);
}

int xen_store_withdraw(const struct xen_device *device,
		       enum hdmabuf_xen_state state)
{
	struct change change = { .device = device, .text = "", .state = state };

	return transact(&change);
}

void xen_store_connected(const struct xen_device *device)
{
	struct change change = { .device = device,
				 .state = HDMABUF_XEN_CONNECTED };

	transact(&change);
}
