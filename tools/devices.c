/* SPDX-License-Identifier: MIT */

#include "tools/devices.h"
#include "reference-common/parse.h"

#include <bindings/xen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define DOMAINS_PATH "/local/domain"
/* Numbers from here on are not those of domains. */
#define DOMAIN_END 0x7ff0u

/* Somebody else may write at the same time, but not for ever. */
#define TRANSACTIONS_MAX 16

/* ---- Paths and nodes ---------------------------------------------------- */

struct path {
	char text[DEVICE_PATH_SIZE + 32];
};

void device_front_path(const struct device *device, char *path)
{
	snprintf(path, DEVICE_PATH_SIZE,
		 DOMAINS_PATH "/%u/device/" HDMABUF_XEN_CLASS "/%u",
		 device->frontend, device->number);
}

void device_back_path(const struct device *device, char *path)
{
	snprintf(path, DEVICE_PATH_SIZE,
		 DOMAINS_PATH "/%u/backend/" HDMABUF_XEN_CLASS "/%u/%u",
		 device->backend, device->frontend, device->number);
}

static struct path below(const char *directory, const char *name)
{
	struct path path;

	snprintf(path.text, sizeof(path.text), "%s/%s", directory, name);
	return path;
}

/* To be freed; NULL if there is none. */
static char *read_node(struct xs_handle *store, xs_transaction_t in,
		       const char *directory, const char *name)
{
	unsigned int octets;

	return xs_read(store, in, below(directory, name).text, &octets);
}

static bool is_there(struct xs_handle *store, xs_transaction_t in,
		     const char *directory)
{
	char *state = read_node(store, in, directory, HDMABUF_XEN_NODE_STATE);

	free(state);
	return state != NULL;
}

static bool parse_number(const char *text, uint32_t *number)
{
	return parse_u32(&text, number) && !*text;
}

static int fail_store(struct failure *failure, const char *what)
{
	bool denied = errno == EACCES || errno == EPERM;

	fail_errno(failure, "%s in XenStore", what);
	return denied ? EX_NOPERM : EX_UNAVAILABLE;
}

/* ---- Domains ------------------------------------------------------------ */

static void domain_path(uint32_t domain, char *path)
{
	snprintf(path, DEVICE_PATH_SIZE, DOMAINS_PATH "/%u", domain);
}

static bool domain_lives(struct xs_handle *store, uint32_t domain)
{
	char path[DEVICE_PATH_SIZE];
	unsigned int count;
	char **names;

	domain_path(domain, path);
	names = xs_directory(store, XBT_NULL, path, &count);
	free(names);
	return names != NULL;
}

static bool has_name(struct xs_handle *store, uint32_t domain,
		     const char *wanted)
{
	char path[DEVICE_PATH_SIZE];
	bool same;
	char *name;

	domain_path(domain, path);
	name = read_node(store, XBT_NULL, path, "name");
	same = name && !strcmp(name, wanted);
	free(name);
	return same;
}

static bool find_by_name(struct xs_handle *store, const char *name,
			 uint32_t *domain)
{
	unsigned int count = 0, i;
	char **numbers = xs_directory(store, XBT_NULL, DOMAINS_PATH, &count);
	bool found = false;

	for (i = 0; i < count && !found; i++)
		found = parse_number(numbers[i], domain) &&
			has_name(store, *domain, name);
	free(numbers);
	return found;
}

int device_find_domain(struct xs_handle *store, const char *text,
		       bool must_live, uint32_t *domain,
		       struct failure *failure)
{
	bool found =
		parse_number(text, domain) ?
			*domain < DOMAIN_END &&
				(!must_live || domain_lives(store, *domain)) :
			find_by_name(store, text, domain);

	if (found)
		return EX_OK;
	fail_with(failure, "there is no domain '%s'; see 'xl list'", text);
	return EX_NOHOST;
}

/* ---- Transactions ------------------------------------------------------- */

/* Returns false with errno. */
typedef bool change_function(struct xs_handle *store, xs_transaction_t in,
			     const struct device *device);

static bool transact(struct xs_handle *store, const struct device *device,
		     change_function *change)
{
	int i, error;
	bool done;

	for (i = 0; i < TRANSACTIONS_MAX; i++) {
		xs_transaction_t in = xs_transaction_start(store);

		if (in == XBT_NULL)
			return false;
		done = change(store, in, device);
		error = errno;
		if (xs_transaction_end(store, in, !done)) {
			errno = error;
			return done;
		}
		if (errno != EAGAIN)
			return false;
	}
	return false;
}

/* ---- Attaching ---------------------------------------------------------- */

/* HDB-XEN-001: what is made in it inherits who may do what. */
static bool make_directory(struct xs_handle *store, xs_transaction_t in,
			   const char *path, uint32_t owner, uint32_t reader)
{
	struct xs_permissions permissions[] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ },
	};

	return xs_mkdir(store, in, path) &&
	       xs_set_permissions(store, in, path, permissions, 2);
}

static bool write_text(struct xs_handle *store, xs_transaction_t in,
		       const char *directory, const char *name,
		       const char *value)
{
	return xs_write(store, in, below(directory, name).text, value,
			(unsigned int)strlen(value));
}

static bool write_number(struct xs_handle *store, xs_transaction_t in,
			 const char *directory, const char *name,
			 uint32_t number)
{
	char value[12];

	snprintf(value, sizeof(value), "%u", number);
	return write_text(store, in, directory, name, value);
}

static bool make_front(struct xs_handle *store, xs_transaction_t in,
		       const struct device *device, const char *front,
		       const char *back)
{
	return make_directory(store, in, front, device->frontend,
			      device->backend) &&
	       write_text(store, in, front, HDMABUF_XEN_NODE_BACKEND, back) &&
	       write_number(store, in, front, HDMABUF_XEN_NODE_BACKEND_ID,
			    device->backend) &&
	       write_number(store, in, front, HDMABUF_XEN_NODE_STATE,
			    HDMABUF_XEN_INITIALISING);
}

static bool make_back(struct xs_handle *store, xs_transaction_t in,
		      const struct device *device, const char *front,
		      const char *back)
{
	return make_directory(store, in, back, device->backend,
			      device->frontend) &&
	       write_text(store, in, back, HDMABUF_XEN_NODE_FRONTEND, front) &&
	       write_number(store, in, back, HDMABUF_XEN_NODE_FRONTEND_ID,
			    device->frontend) &&
	       write_number(store, in, back, HDMABUF_XEN_NODE_ONLINE, 1) &&
	       write_number(store, in, back, HDMABUF_XEN_NODE_STATE,
			    HDMABUF_XEN_INITIALISING);
}

static bool attach(struct xs_handle *store, xs_transaction_t in,
		   const struct device *device)
{
	char front[DEVICE_PATH_SIZE], back[DEVICE_PATH_SIZE];

	device_front_path(device, front);
	device_back_path(device, back);
	if (is_there(store, in, front) || is_there(store, in, back)) {
		errno = EEXIST;
		return false;
	}
	return make_front(store, in, device, front, back) &&
	       make_back(store, in, device, front, back);
}

int device_attach(struct xs_handle *store, const struct device *device,
		  struct failure *failure)
{
	if (transact(store, device, attach))
		return EX_OK;
	if (errno != EEXIST)
		return fail_store(failure, "cannot make the device");
	fail_with(failure,
		  "domain %u has a device %u already; see 'hdmabuf-xen list', "
		  "or give another --device",
		  device->frontend, device->number);
	return EX_CANTCREAT;
}

/* ---- Detaching ---------------------------------------------------------- */

static bool is_empty(struct xs_handle *store, xs_transaction_t in,
		     const char *path)
{
	unsigned int count = 1;

	free(xs_directory(store, in, path, &count));
	return !count;
}

/* With what becomes empty by that, up to the directory of the class. */
static bool remove_directory(struct xs_handle *store, xs_transaction_t in,
			     char *path)
{
	bool class = false;

	do {
		if (!xs_rm(store, in, path) && errno != ENOENT)
			return false;
		class = !strcmp(strrchr(path, '/') + 1, HDMABUF_XEN_CLASS);
		*strrchr(path, '/') = '\0';
	} while (!class && is_empty(store, in, path));
	return true;
}

static bool detach(struct xs_handle *store, xs_transaction_t in,
		   const struct device *device)
{
	char front[DEVICE_PATH_SIZE], back[DEVICE_PATH_SIZE];

	device_front_path(device, front);
	device_back_path(device, back);
	return (!device->has_front || remove_directory(store, in, front)) &&
	       (!device->has_back || remove_directory(store, in, back));
}

int device_detach(struct xs_handle *store, const struct device *device,
		  struct failure *failure)
{
	if (transact(store, device, detach))
		return EX_OK;
	return fail_store(failure, "cannot remove the device");
}

/* ---- Listing ------------------------------------------------------------ */

/* What a walk through the directories has come to. */
struct walk {
	struct xs_handle *store;
	struct device_list *list;
	struct device device; /* what its path says so far */
	bool failed;
};

static void each(struct walk *walk, const char *path,
		 void (*visit)(struct walk *walk, uint32_t number))
{
	unsigned int count = 0, i;
	char **names = xs_directory(walk->store, XBT_NULL, path, &count);
	uint32_t number;

	for (i = 0; i < count; i++)
		if (parse_number(names[i], &number))
			visit(walk, number);
	free(names);
}

static void add(struct walk *walk)
{
	struct device_list *list = walk->list;
	struct device *more =
		reallocarray(list->devices, list->count + 1, sizeof(*more));

	if (!more) {
		walk->failed = true;
		return;
	}
	list->devices = more;
	list->devices[list->count++] = walk->device;
}

static bool is_listed(const struct walk *walk)
{
	const struct device *device = walk->list->devices;
	size_t i;

	for (i = 0; i < walk->list->count; i++, device++)
		if (device->frontend == walk->device.frontend &&
		    device->number == walk->device.number &&
		    device->backend == walk->device.backend)
			return true;
	return false;
}

static void visit_front(struct walk *walk, uint32_t number)
{
	struct device *device = &walk->device;
	char front[DEVICE_PATH_SIZE], back[DEVICE_PATH_SIZE];
	char *backend;

	device->number = number;
	device_front_path(device, front);
	backend = read_node(walk->store, XBT_NULL, front,
			    HDMABUF_XEN_NODE_BACKEND_ID);
	if (backend && parse_number(backend, &device->backend)) {
		device_back_path(device, back);
		device->has_front = true;
		device->has_back = is_there(walk->store, XBT_NULL, back);
		add(walk);
	}
	free(backend);
}

static void visit_frontend(struct walk *walk, uint32_t domain)
{
	struct path path;

	walk->device.frontend = domain;
	snprintf(path.text, sizeof(path.text),
		 DOMAINS_PATH "/%u/device/" HDMABUF_XEN_CLASS, domain);
	each(walk, path.text, visit_front);
}

static void visit_back(struct walk *walk, uint32_t number)
{
	walk->device.number = number;
	walk->device.has_front = false;
	walk->device.has_back = true;
	if (!is_listed(walk))
		add(walk);
}

static void visit_back_of(struct walk *walk, uint32_t frontend)
{
	struct path path;

	walk->device.frontend = frontend;
	snprintf(path.text, sizeof(path.text),
		 DOMAINS_PATH "/%u/backend/" HDMABUF_XEN_CLASS "/%u",
		 walk->device.backend, frontend);
	each(walk, path.text, visit_back);
}

static void visit_backend(struct walk *walk, uint32_t domain)
{
	struct path path;

	walk->device.backend = domain;
	snprintf(path.text, sizeof(path.text),
		 DOMAINS_PATH "/%u/backend/" HDMABUF_XEN_CLASS, domain);
	each(walk, path.text, visit_back_of);
}

static int compare(const void *a, const void *b)
{
	const struct device *one = a, *other = b;

	if (one->frontend != other->frontend)
		return one->frontend < other->frontend ? -1 : 1;
	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return one->backend < other->backend ? -1 :
					       one->backend > other->backend;
}

int device_list_read(struct xs_handle *store, struct device_list *list,
		     struct failure *failure)
{
	struct walk walk = { .store = store, .list = list };

	*list = (struct device_list){ 0 };
	each(&walk, DOMAINS_PATH, visit_frontend);
	each(&walk, DOMAINS_PATH, visit_backend);
	if (list->count)
		qsort(list->devices, list->count, sizeof(*list->devices),
		      compare);
	if (!walk.failed)
		return EX_OK;
	fail_with(failure, "there is no memory for a list of devices");
	return EX_UNAVAILABLE;
}

void device_list_free(struct device_list *list)
{
	free(list->devices);
	*list = (struct device_list){ 0 };
}

static const char *state_of(struct xs_handle *store, const char *directory)
{
	static const char *const words[] = {
		[HDMABUF_XEN_INITIALISING] = "initialising",
		[HDMABUF_XEN_INIT_WAIT] = "offers",
		[HDMABUF_XEN_INITIALISED] = "answers",
		[HDMABUF_XEN_CONNECTED] = "connected",
		[HDMABUF_XEN_CLOSING] = "closing",
		[HDMABUF_XEN_CLOSED] = "closed",
	};
	char *text =
		read_node(store, XBT_NULL, directory, HDMABUF_XEN_NODE_STATE);
	uint32_t state;
	const char *word = "gone";

	if (text)
		word = parse_number(text, &state) && state &&
				       state < sizeof(words) / sizeof(*words) ?
			       words[state] :
			       "unknown";
	free(text);
	return word;
}

const char *device_front_state(struct xs_handle *store,
			       const struct device *device)
{
	char path[DEVICE_PATH_SIZE];

	device_front_path(device, path);
	return state_of(store, path);
}

const char *device_back_state(struct xs_handle *store,
			      const struct device *device)
{
	char path[DEVICE_PATH_SIZE];

	device_back_path(device, path);
	return state_of(store, path);
}
