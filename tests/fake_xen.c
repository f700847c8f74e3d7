/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "tests/fake_xen.h"
#include "tests/harness.h"

#define PAGE	      4096u
#define PATH_OCTETS   256
#define VALUE_OCTETS  4096
#define PERMS_MAX     5
#define FUNCTIONS_MAX 64
/* Xen keeps the first references, and port 0, for itself. */
#define REFERENCE_FIRST 8
#define PORT_FIRST	3

struct process {
	LIST_ENTRY(process) entry;
	int number;
	uint32_t domain;
	bool dead;
};

struct domain {
	LIST_ENTRY(domain) entry;
	uint32_t number;
	bool dead;
	uint32_t next_reference;
	uint32_t next_port;
	size_t limit;
};

/* ---- XenStore's --------------------------------------------------------- */

struct node {
	TAILQ_ENTRY(node) entry;
	char path[PATH_OCTETS];
	char *value;
	unsigned int octets;
	struct xs_permissions perms[PERMS_MAX];
	unsigned int perm_count;
	unsigned long generation;
};

TAILQ_HEAD(tree, node);

struct watch {
	LIST_ENTRY(watch) entry;
	struct xs_handle *handle;
	char path[PATH_OCTETS];
	char token[64];
};

struct fired {
	STAILQ_ENTRY(fired) entry;
	char path[PATH_OCTETS];
	char token[64];
};

/* What a transaction has done, to be done again when it is committed. */
struct step {
	STAILQ_ENTRY(step) entry;
	char path[PATH_OCTETS];
	bool writes;
	bool removes;
	bool permits;
	struct xs_permissions perms[PERMS_MAX];
	unsigned int perm_count;
	char *value;
	unsigned int octets;
	unsigned long generation; /* of the node, when it was looked at */
};

struct transaction {
	LIST_ENTRY(transaction) entry;
	xs_transaction_t number;
	struct tree tree;
	STAILQ_HEAD(, step) steps;
};

struct xs_handle {
	LIST_ENTRY(xs_handle) entry;
	struct process *process;
	int fd;
	STAILQ_HEAD(, fired) fired;
	LIST_HEAD(, transaction) transactions;
};

/* ---- event channels ----------------------------------------------------- */

struct port {
	LIST_ENTRY(port) entry;
	struct xenevtchn_handle *handle;
	uint32_t domain;
	uint32_t number;
	uint32_t remote_domain;
	struct port *remote; /* NULL: not bound */
	bool masked;
	bool pending;
	bool queued;
};

struct xenevtchn_handle {
	LIST_ENTRY(xenevtchn_handle) entry;
	struct process *process;
	int fd;
};

/* ---- grants ------------------------------------------------------------- */

struct notice {
	bool clears;
	size_t offset;
	int port; /* -1 for none */
};

/* Pages of one call to gntalloc. */
struct memory {
	LIST_ENTRY(memory) entry;
	struct xengntdev_handle *handle;
	uint32_t domain;
	int fd;
	int fd_readable;
	uint8_t *address; /* NULL: given back */
	size_t pages;
	size_t grants;
	struct notice notice;
};

struct grant {
	LIST_ENTRY(grant) entry;
	uint32_t domain;
	uint32_t reference;
	uint32_t to;
	bool writable;
	struct memory *memory;
	size_t page;
	size_t mapped;
	bool ended;
};

struct mapping {
	LIST_ENTRY(mapping) entry;
	struct xengntdev_handle *handle;
	uint8_t *address;
	size_t pages;
	struct notice notice;
	struct grant *grants[];
};

/* Of the other domain's pages, or made to references. */
struct dmabuf {
	LIST_ENTRY(dmabuf) entry;
	struct xengntdev_handle *handle;
	uint32_t number;
	int released_fd; /* hangs up then */
	struct mapping *mapping;
	struct memory *memory;
};

/* Where memory was that a dead process had. */
struct ghost {
	LIST_ENTRY(ghost) entry;
	void *address;
	size_t pages;
};

struct xengntdev_handle {
	LIST_ENTRY(xengntdev_handle) entry;
	struct process *process;
};

struct function {
	const char *name;
	size_t calls;
};

struct xen {
	LIST_HEAD(, process) processes;
	LIST_HEAD(, domain) domains;
	struct process *current;
	int next_process;

	struct tree tree;
	unsigned long generation;
	xs_transaction_t next_transaction;
	LIST_HEAD(, watch) watches;
	LIST_HEAD(, xs_handle) stores;

	LIST_HEAD(, xenevtchn_handle) channels;
	LIST_HEAD(, port) ports;

	LIST_HEAD(, xengntdev_handle) grant_handles;
	LIST_HEAD(, memory) memories;
	LIST_HEAD(, grant) grants;
	LIST_HEAD(, mapping) mappings;
	LIST_HEAD(, ghost) ghosts;
	LIST_HEAD(, dmabuf) dmabufs;
	bool offers_dmabuf;
	unsigned int scatter;
	size_t map_limit;

	int (*fails)(void *user, const char *function);
	void *user;
	struct function functions[FUNCTIONS_MAX];
};

/* The one that the libraries' functions stand for. */
static struct xen *xen;

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void *make(size_t size)
{
	return must(calloc(1, size));
}

/* ---- calls -------------------------------------------------------------- */

static struct function *function_of(const char *name)
{
	struct function *function = xen->functions;

	while (function->name && strcmp(function->name, name))
		function++;
	assert_true(function < xen->functions + FUNCTIONS_MAX - 1);
	function->name = name;
	return function;
}

static bool fails(const char *name)
{
	int error = 0;

	function_of(name)->calls++;
	if (xen->fails)
		error = xen->fails(xen->user, name);
	if (error)
		errno = error;
	return error;
}

static bool fail_with(int error)
{
	errno = error;
	return false;
}

size_t fake_xen_calls(const char *function)
{
	return function_of(function)->calls;
}

void fake_xen_fail(int (*hook)(void *user, const char *function), void *user)
{
	xen->fails = hook;
	xen->user = user;
}

/* ---- readiness of descriptors ------------------------------------------- */

static void set_readable(int fd, bool readable)
{
	uint64_t count = 1;
	ssize_t done = read(fd, &count, sizeof(count));

	count = 1;
	if (readable)
		done = write(fd, &count, sizeof(count));
	(void)done;
}

static int readiness(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

/* ---- domains and processes ---------------------------------------------- */

static struct domain *domain_of(uint32_t number)
{
	struct domain *domain;

	LIST_FOREACH(domain, &xen->domains, entry)
		if (domain->number == number)
			return domain;
	return NULL;
}

static bool is_alive(uint32_t number)
{
	const struct domain *domain = domain_of(number);

	return domain && !domain->dead;
}

int fake_xen_enter(uint32_t domain)
{
	struct process *process = make(sizeof(*process));

	assert_true(is_alive(domain));
	process->number = ++xen->next_process;
	process->domain = domain;
	LIST_INSERT_HEAD(&xen->processes, process, entry);
	xen->current = process;
	return process->number;
}

void fake_xen_limit(uint32_t domain, size_t pages)
{
	domain_of(domain)->limit = pages;
}

void fake_xen_limit_map(size_t pages)
{
	xen->map_limit = pages;
}

void fake_xen_scatter(unsigned int run)
{
	xen->scatter = run;
}

/* ---- XenStore: nodes ---------------------------------------------------- */

static struct node *node_of(struct tree *tree, const char *path)
{
	struct node *node;

	TAILQ_FOREACH(node, tree, entry)
		if (!strcmp(node->path, path))
			return node;
	return NULL;
}

static bool is_below(const char *path, const char *parent)
{
	size_t length = strlen(parent);

	return !strncmp(path, parent, length) && path[length] == '/';
}

static void node_free(struct tree *tree, struct node *node)
{
	TAILQ_REMOVE(tree, node, entry);
	free(node->value);
	free(node);
}

static void tree_free(struct tree *tree)
{
	struct node *node;

	while ((node = TAILQ_FIRST(tree)))
		node_free(tree, node);
}

static void set_value(struct node *node, const char *value, unsigned int octets)
{
	char *copy = make(octets + 1);

	memcpy(copy, value, octets);
	free(node->value);
	node->value = copy;
	node->octets = octets;
}

static void tree_copy(struct tree *to, const struct tree *from)
{
	const struct node *node;

	TAILQ_INIT(to);
	TAILQ_FOREACH(node, from, entry) {
		struct node *copy = make(sizeof(*copy));

		*copy = *node;
		copy->value = NULL;
		set_value(copy, node->value, node->octets);
		TAILQ_INSERT_TAIL(to, copy, entry);
	}
}

static bool parent_of(const char *path, char *parent)
{
	char *slash;

	snprintf(parent, PATH_OCTETS, "%s", path);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return false;
	*slash = '\0';
	return true;
}

static bool allows(const struct node *node, uint32_t domain, unsigned int right)
{
	unsigned int i;

	if (!domain || node->perms[0].id == domain)
		return true;
	for (i = 1; i < node->perm_count; i++)
		if (node->perms[i].id == domain)
			return node->perms[i].perms & right;
	return node->perms[0].perms & right;
}

/* A domain creates nodes where it may write, and owns them. */
static struct node *node_create(struct tree *tree, const char *path,
				uint32_t domain)
{
	char parent_path[PATH_OCTETS];
	struct node *parent = NULL, *node;

	if (parent_of(path, parent_path)) {
		parent = node_of(tree, parent_path);
		if (!parent)
			parent = node_create(tree, parent_path, domain);
		if (!parent)
			return NULL;
	}
	if (parent ? !allows(parent, domain, XS_PERM_WRITE) : domain != 0) {
		errno = EACCES;
		return NULL;
	}
	node = make(sizeof(*node));
	snprintf(node->path, sizeof(node->path), "%s", path);
	node->perm_count = 1;
	if (parent) {
		memcpy(node->perms, parent->perms, sizeof(node->perms));
		node->perm_count = parent->perm_count;
	}
	if (domain)
		node->perms[0].id = domain;
	set_value(node, "", 0);
	TAILQ_INSERT_TAIL(tree, node, entry);
	return node;
}

/* ---- XenStore: watches -------------------------------------------------- */

static void fire_one(struct watch *watch, const char *path)
{
	struct fired *fired = make(sizeof(*fired));

	snprintf(fired->path, sizeof(fired->path), "%s", path);
	snprintf(fired->token, sizeof(fired->token), "%s", watch->token);
	STAILQ_INSERT_TAIL(&watch->handle->fired, fired, entry);
	set_readable(watch->handle->fd, true);
}

static void fire(const struct node *node, bool exactly)
{
	struct watch *watch;

	LIST_FOREACH(watch, &xen->watches, entry) {
		bool same = !strcmp(watch->path, node->path);

		if ((same || (!exactly && is_below(node->path, watch->path))) &&
		    allows(node, watch->handle->process->domain, XS_PERM_READ))
			fire_one(watch, node->path);
	}
}

static void fire_special(const char *path)
{
	struct watch *watch;

	LIST_FOREACH(watch, &xen->watches, entry)
		if (!strcmp(watch->path, path) &&
		    !watch->handle->process->domain)
			fire_one(watch, path);
}

/* ---- XenStore: changes -------------------------------------------------- */

static void touched(struct tree *tree, struct node *node)
{
	if (tree == &xen->tree)
		node->generation = ++xen->generation;
}

static bool change_write(struct tree *tree, const char *path, uint32_t domain,
			 const char *value, unsigned int octets)
{
	struct node *node = node_of(tree, path);

	if (octets > VALUE_OCTETS - strlen(path))
		return fail_with(E2BIG);
	if (node && !allows(node, domain, XS_PERM_WRITE))
		return fail_with(EACCES);
	if (!node)
		node = node_create(tree, path, domain);
	if (!node)
		return false;
	set_value(node, value, octets);
	touched(tree, node);
	if (tree == &xen->tree)
		fire(node, false);
	return true;
}

static void remove_below(struct tree *tree, const char *path)
{
	struct node *node = TAILQ_FIRST(tree), *next;

	for (; node; node = next) {
		next = TAILQ_NEXT(node, entry);
		if (!is_below(node->path, path))
			continue;
		if (tree == &xen->tree)
			fire(node, true);
		node_free(tree, node);
	}
}

static bool change_remove(struct tree *tree, const char *path, uint32_t domain)
{
	struct node *node = node_of(tree, path);

	if (!node)
		return fail_with(ENOENT);
	if (!allows(node, domain, XS_PERM_WRITE))
		return fail_with(EACCES);
	remove_below(tree, path);
	if (tree == &xen->tree) {
		fire(node, false);
		xen->generation++;
	}
	node_free(tree, node);
	return true;
}

static bool change_perms(struct tree *tree, const char *path, uint32_t domain,
			 const struct xs_permissions *perms, unsigned int count)
{
	struct node *node = node_of(tree, path);

	if (!node || count > PERMS_MAX)
		return fail_with(node ? ENOSPC : ENOENT);
	if (domain && node->perms[0].id != domain)
		return fail_with(EACCES);
	memcpy(node->perms, perms, count * sizeof(*perms));
	node->perm_count = count;
	touched(tree, node);
	if (tree == &xen->tree)
		fire(node, false);
	return true;
}

/* ---- XenStore: transactions --------------------------------------------- */

static struct transaction *transaction_of(struct xs_handle *handle,
					  xs_transaction_t number)
{
	struct transaction *transaction;

	LIST_FOREACH(transaction, &handle->transactions, entry)
		if (transaction->number == number)
			return transaction;
	return NULL;
}

static struct step *note(struct transaction *transaction, const char *path)
{
	struct step *step = make(sizeof(*step));
	const struct node *node = node_of(&transaction->tree, path);

	snprintf(step->path, sizeof(step->path), "%s", path);
	step->generation = node ? node->generation : 0;
	STAILQ_INSERT_TAIL(&transaction->steps, step, entry);
	return step;
}

static void transaction_free(struct transaction *transaction)
{
	struct step *step;

	while ((step = STAILQ_FIRST(&transaction->steps))) {
		STAILQ_REMOVE_HEAD(&transaction->steps, entry);
		free(step->value);
		free(step);
	}
	tree_free(&transaction->tree);
	LIST_REMOVE(transaction, entry);
	free(transaction);
}

/* Whether a node that it looked at has changed outside, other than by itself. */
static bool conflicts(const struct transaction *transaction)
{
	const struct step *step, *earlier;

	STAILQ_FOREACH(step, &transaction->steps, entry) {
		const struct node *node = node_of(&xen->tree, step->path);

		for (earlier = STAILQ_FIRST(&transaction->steps);
		     earlier != step && strcmp(earlier->path, step->path);)
			earlier = STAILQ_NEXT(earlier, entry);
		if (earlier == step &&
		    (node ? node->generation : 0) != step->generation)
			return true;
	}
	return false;
}

static void replay(struct transaction *transaction, uint32_t domain)
{
	const struct step *step;

	STAILQ_FOREACH(step, &transaction->steps, entry) {
		if (step->writes)
			change_write(&xen->tree, step->path, domain,
				     step->value, step->octets);
		if (step->removes)
			change_remove(&xen->tree, step->path, domain);
		if (step->permits)
			change_perms(&xen->tree, step->path, domain,
				     step->perms, step->perm_count);
	}
}

xs_transaction_t xs_transaction_start(struct xs_handle *handle)
{
	struct transaction *transaction;

	if (fails(__func__) || handle->process->dead)
		return XBT_NULL;
	transaction = make(sizeof(*transaction));
	transaction->number = ++xen->next_transaction;
	tree_copy(&transaction->tree, &xen->tree);
	STAILQ_INIT(&transaction->steps);
	LIST_INSERT_HEAD(&handle->transactions, transaction, entry);
	return transaction->number;
}

bool xs_transaction_end(struct xs_handle *handle, xs_transaction_t number,
			bool abandon)
{
	struct transaction *transaction = transaction_of(handle, number);
	bool failed = fails(__func__);
	int error = errno;
	bool done = !failed;

	assert_non_null(transaction);
	if (done && !abandon && conflicts(transaction)) {
		error = EAGAIN;
		done = false;
	}
	if (done && !abandon)
		replay(transaction, handle->process->domain);
	transaction_free(transaction);
	errno = error;
	return done;
}

/* ---- XenStore: the library ---------------------------------------------- */

struct where {
	char path[PATH_OCTETS];
	struct tree *tree;
	struct transaction *transaction;
	uint32_t domain;
};

static struct where where_of(struct xs_handle *handle, xs_transaction_t number,
			     const char *path)
{
	struct where where = { .tree = &xen->tree,
			       .domain = handle->process->domain };

	if (*path == '/' || *path == '@')
		snprintf(where.path, sizeof(where.path), "%s", path);
	else
		snprintf(where.path, sizeof(where.path), "/local/domain/%u/%s",
			 where.domain, path);
	if (number == XBT_NULL)
		return where;
	where.transaction = transaction_of(handle, number);
	assert_non_null(where.transaction);
	where.tree = &where.transaction->tree;
	return where;
}

static struct node *readable(const struct where *where)
{
	struct node *node = node_of(where->tree, where->path);

	if (where->transaction)
		note(where->transaction, where->path);
	if (!node)
		errno = ENOENT;
	else if (!allows(node, where->domain, XS_PERM_READ))
		errno = EACCES;
	else
		return node;
	return NULL;
}

struct xs_handle *xs_open(unsigned long flags)
{
	struct xs_handle *handle;

	(void)flags;
	if (fails(__func__))
		return NULL;
	handle = make(sizeof(*handle));
	handle->process = xen->current;
	handle->fd = readiness();
	STAILQ_INIT(&handle->fired);
	LIST_INIT(&handle->transactions);
	LIST_INSERT_HEAD(&xen->stores, handle, entry);
	return handle;
}

static void unwatch_all(struct xs_handle *handle)
{
	struct watch *watch = LIST_FIRST(&xen->watches), *next;

	for (; watch; watch = next) {
		next = LIST_NEXT(watch, entry);
		if (watch->handle != handle)
			continue;
		LIST_REMOVE(watch, entry);
		free(watch);
	}
}

static void forget_fired(struct xs_handle *handle)
{
	struct fired *fired;

	while ((fired = STAILQ_FIRST(&handle->fired))) {
		STAILQ_REMOVE_HEAD(&handle->fired, entry);
		free(fired);
	}
}

void xs_close(struct xs_handle *handle)
{
	if (!handle)
		return;
	unwatch_all(handle);
	forget_fired(handle);
	while (!LIST_EMPTY(&handle->transactions))
		transaction_free(LIST_FIRST(&handle->transactions));
	LIST_REMOVE(handle, entry);
	close(handle->fd);
	free(handle);
}

int xs_fileno(struct xs_handle *handle)
{
	return handle->fd;
}

void *xs_read(struct xs_handle *handle, xs_transaction_t in, const char *path,
	      unsigned int *octets)
{
	struct where where = where_of(handle, in, path);
	const struct node *node;
	char *copy;

	if (fails(__func__) || handle->process->dead)
		return NULL;
	node = readable(&where);
	if (!node)
		return NULL;
	copy = make(node->octets + 1);
	memcpy(copy, node->value, node->octets);
	if (octets)
		*octets = node->octets;
	return copy;
}

bool xs_write(struct xs_handle *handle, xs_transaction_t in, const char *path,
	      const void *data, unsigned int octets)
{
	struct where where = where_of(handle, in, path);
	struct step *step = NULL;

	if (fails(__func__) || handle->process->dead)
		return false;
	if (where.transaction) {
		step = note(where.transaction, where.path);
		step->value = make(octets + 1);
		memcpy(step->value, data, octets);
		step->octets = octets;
	}
	if (!change_write(where.tree, where.path, where.domain, data, octets))
		return false;
	if (step)
		step->writes = true;
	return true;
}

bool xs_mkdir(struct xs_handle *handle, xs_transaction_t in, const char *path)
{
	struct where where = where_of(handle, in, path);

	return node_of(where.tree, where.path) ||
	       xs_write(handle, in, path, "", 0);
}

bool xs_rm(struct xs_handle *handle, xs_transaction_t in, const char *path)
{
	struct where where = where_of(handle, in, path);
	struct step *step = NULL;

	if (fails(__func__) || handle->process->dead)
		return false;
	if (where.transaction)
		step = note(where.transaction, where.path);
	if (!change_remove(where.tree, where.path, where.domain))
		return false;
	if (step)
		step->removes = true;
	return true;
}

/* Names and what they point to, all in one piece. */
static char **pack(char **names, unsigned int count)
{
	size_t size = (count + 1) * sizeof(*names);
	char **packed, *at;
	unsigned int i;

	for (i = 0; i < count; i++)
		size += strlen(names[i]) + 1;
	packed = make(size);
	at = (char *)(packed + count + 1);
	for (i = 0; i < count; i++) {
		packed[i] = at;
		at = stpcpy(at, names[i]) + 1;
	}
	return packed;
}

char **xs_directory(struct xs_handle *handle, xs_transaction_t in,
		    const char *path, unsigned int *count)
{
	struct where where = where_of(handle, in, path);
	size_t length = strlen(where.path);
	char *names[256];
	struct node *node;

	if (fails(__func__) || handle->process->dead || !readable(&where))
		return NULL;
	*count = 0;
	TAILQ_FOREACH(node, where.tree, entry)
		if (is_below(node->path, where.path) &&
		    !strchr(node->path + length + 1, '/') && *count < 256)
			names[(*count)++] = node->path + length + 1;
	return pack(names, *count);
}

bool xs_set_permissions(struct xs_handle *handle, xs_transaction_t in,
			const char *path, struct xs_permissions *perms,
			unsigned int count)
{
	struct where where = where_of(handle, in, path);
	struct step *step = NULL;

	if (fails(__func__) || handle->process->dead)
		return false;
	if (where.transaction)
		step = note(where.transaction, where.path);
	if (!change_perms(where.tree, where.path, where.domain, perms, count))
		return false;
	if (step) {
		step->permits = true;
		memcpy(step->perms, perms, count * sizeof(*perms));
		step->perm_count = count;
	}
	return true;
}

struct xs_permissions *xs_get_permissions(struct xs_handle *handle,
					  xs_transaction_t in, const char *path,
					  unsigned int *count)
{
	struct where where = where_of(handle, in, path);
	struct xs_permissions *perms;
	const struct node *node;

	if (fails(__func__) || handle->process->dead)
		return NULL;
	node = readable(&where);
	if (!node)
		return NULL;
	*count = node->perm_count;
	perms = make(sizeof(node->perms));
	memcpy(perms, node->perms, sizeof(node->perms));
	return perms;
}

bool xs_watch(struct xs_handle *handle, const char *path, const char *token)
{
	struct where where = where_of(handle, XBT_NULL, path);
	struct watch *watch;

	if (fails(__func__) || handle->process->dead)
		return false;
	watch = make(sizeof(*watch));
	watch->handle = handle;
	snprintf(watch->path, sizeof(watch->path), "%s", where.path);
	snprintf(watch->token, sizeof(watch->token), "%s", token);
	LIST_INSERT_HEAD(&xen->watches, watch, entry);
	fire_one(watch, watch->path);
	return true;
}

bool xs_unwatch(struct xs_handle *handle, const char *path, const char *token)
{
	struct watch *watch;

	if (fails(__func__))
		return false;
	LIST_FOREACH(watch, &xen->watches, entry)
		if (watch->handle == handle && !strcmp(watch->path, path) &&
		    !strcmp(watch->token, token)) {
			LIST_REMOVE(watch, entry);
			free(watch);
			return true;
		}
	return fail_with(ENOENT);
}

char **xs_check_watch(struct xs_handle *handle)
{
	struct fired *fired;
	char **packed;

	if (fails(__func__))
		return NULL;
	fired = STAILQ_FIRST(&handle->fired);
	if (!fired) {
		errno = EAGAIN;
		return NULL;
	}
	packed = pack((char *[]){ fired->path, fired->token }, 2);
	STAILQ_REMOVE_HEAD(&handle->fired, entry);
	free(fired);
	set_readable(handle->fd, !STAILQ_EMPTY(&handle->fired));
	return packed;
}

char *xs_get_domain_path(struct xs_handle *handle, unsigned int domain)
{
	char path[32];

	(void)handle;
	if (fails(__func__))
		return NULL;
	snprintf(path, sizeof(path), "/local/domain/%u", domain);
	return must(strdup(path));
}

bool xs_is_domain_introduced(struct xs_handle *handle, unsigned int domain)
{
	if (fails(__func__))
		return false;
	if (handle->process->domain)
		return fail_with(EACCES);
	return is_alive(domain);
}

/* ---- event channels ----------------------------------------------------- */

static struct port *port_of(uint32_t domain, uint32_t number)
{
	struct port *port;

	LIST_FOREACH(port, &xen->ports, entry)
		if (port->domain == domain && port->number == number)
			return port;
	return NULL;
}

static struct port *next_queued(const xenevtchn_handle *handle)
{
	struct port *port;

	LIST_FOREACH(port, &xen->ports, entry)
		if (port->handle == handle && port->queued)
			return port;
	return NULL;
}

static void raise_port(struct port *port)
{
	if (port->masked) {
		port->pending = true;
		return;
	}
	port->masked = true;
	port->queued = true;
	set_readable(port->handle->fd, true);
}

static void notify_port(uint32_t domain, int number)
{
	const struct port *port = port_of(domain, (uint32_t)number);

	if (port && port->remote)
		raise_port(port->remote);
}

static void port_free(struct port *port)
{
	if (port->remote)
		port->remote->remote = NULL;
	LIST_REMOVE(port, entry);
	free(port);
}

static struct port *port_new(xenevtchn_handle *handle, uint32_t remote_domain)
{
	struct domain *domain = domain_of(handle->process->domain);
	struct port *port = make(sizeof(*port));

	port->handle = handle;
	port->domain = domain->number;
	port->number = domain->next_port++;
	port->remote_domain = remote_domain;
	LIST_INSERT_HEAD(&xen->ports, port, entry);
	return port;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger,
				 unsigned int flags)
{
	xenevtchn_handle *handle;

	(void)logger;
	(void)flags;
	if (fails(__func__))
		return NULL;
	handle = make(sizeof(*handle));
	handle->process = xen->current;
	handle->fd = readiness();
	LIST_INSERT_HEAD(&xen->channels, handle, entry);
	return handle;
}

static void close_ports(xenevtchn_handle *handle)
{
	struct port *port = LIST_FIRST(&xen->ports), *next;

	for (; port; port = next) {
		next = LIST_NEXT(port, entry);
		if (port->handle == handle)
			port_free(port);
	}
	set_readable(handle->fd, false);
}

int xenevtchn_close(xenevtchn_handle *handle)
{
	close_ports(handle);
	LIST_REMOVE(handle, entry);
	close(handle->fd);
	free(handle);
	return 0;
}

int xenevtchn_fd(xenevtchn_handle *handle)
{
	return handle->fd;
}

static int error_is(int error)
{
	errno = error;
	return -1;
}

int xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t number)
{
	if (fails(__func__))
		return -1;
	if (handle->process->dead)
		return 0;
	if (!port_of(handle->process->domain, number))
		return error_is(ENOTCONN);
	notify_port(handle->process->domain, (int)number);
	return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *handle,
						      uint32_t domain)
{
	if (fails(__func__))
		return -1;
	return (int)port_new(handle, domain)->number;
}

/* The new port begins with an event, as Linux has it. */
xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *handle,
						     uint32_t domain,
						     evtchn_port_t number)
{
	struct port *remote, *port;

	if (fails(__func__))
		return -1;
	if (!is_alive(domain))
		return error_is(ESRCH);
	remote = port_of(domain, number);
	if (!remote || remote->remote ||
	    remote->remote_domain != handle->process->domain)
		return error_is(EINVAL);
	port = port_new(handle, domain);
	port->remote = remote;
	remote->remote = port;
	raise_port(port);
	return (int)port->number;
}

int xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t number)
{
	struct port *port = port_of(handle->process->domain, number);

	if (fails(__func__))
		return -1;
	if (!port || port->handle != handle)
		return handle->process->dead ? 0 : error_is(EINVAL);
	port_free(port);
	set_readable(handle->fd, next_queued(handle));
	return 0;
}

/* The real one would block if there is nothing. */
xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *handle)
{
	struct port *port = next_queued(handle);

	assert_non_null(port);
	if (fails(__func__))
		return -1;
	port->queued = false;
	set_readable(handle->fd, next_queued(handle));
	return (int)port->number;
}

int xenevtchn_unmask(xenevtchn_handle *handle, evtchn_port_t number)
{
	struct port *port = port_of(handle->process->domain, number);

	if (fails(__func__))
		return -1;
	if (!port)
		return error_is(EINVAL);
	port->masked = false;
	if (port->pending) {
		port->pending = false;
		raise_port(port);
	}
	return 0;
}

/* ---- grants: gntalloc --------------------------------------------------- */

static void give_notice(const struct notice *notice, uint32_t domain,
			uint8_t *address)
{
	if (notice->clears)
		address[notice->offset] = 0;
	if (notice->port >= 0)
		notify_port(domain, notice->port);
}

static struct notice notice_of(uint32_t offset, evtchn_port_t port,
			       size_t octets)
{
	return (struct notice){ .clears = offset < octets,
				.offset = offset,
				.port = port == (evtchn_port_t)-1 ? -1 :
								    (int)port };
}

static xengnttab_handle *grants_open(void)
{
	xengnttab_handle *handle = make(sizeof(*handle));

	handle->process = xen->current;
	LIST_INSERT_HEAD(&xen->grant_handles, handle, entry);
	return handle;
}

xengntshr_handle *xengntshr_open(struct xentoollog_logger *logger,
				 unsigned int flags)
{
	(void)logger;
	(void)flags;
	return fails(__func__) ? NULL : grants_open();
}

static size_t pages_shared(uint32_t domain)
{
	const struct grant *grant;
	size_t pages = 0;

	LIST_FOREACH(grant, &xen->grants, entry)
		pages += grant->domain == domain;
	return pages;
}

static void memory_put(struct memory *memory)
{
	if (memory->address || memory->grants)
		return;
	close(memory->fd);
	close(memory->fd_readable);
	LIST_REMOVE(memory, entry);
	free(memory);
}

static void grant_free(struct grant *grant)
{
	struct memory *memory = grant->memory;

	LIST_REMOVE(grant, entry);
	free(grant);
	memory->grants--;
	memory_put(memory);
}

static void grant_end(struct grant *grant)
{
	grant->ended = true;
	if (!grant->mapped)
		grant_free(grant);
}

static bool memory_map(struct memory *memory)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory->fd);
	memory->fd_readable = open(path, O_RDONLY | O_CLOEXEC);
	memory->address = mmap(NULL, memory->pages * PAGE,
			       PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd,
			       0);
	return memory->fd_readable >= 0 && memory->address != MAP_FAILED;
}

static bool memory_open(struct memory *memory)
{
	memory->fd = memfd_create("fake-xen", MFD_CLOEXEC);
	if (memory->fd < 0 ||
	    ftruncate(memory->fd, (off_t)(memory->pages * PAGE)))
		abort();
	return memory_map(memory);
}

static uint32_t next_reference(struct domain *domain)
{
	uint32_t reference = domain->next_reference++;

	if (xen->scatter && domain->next_reference % (xen->scatter + 1) == 0)
		domain->next_reference++;
	return reference;
}

static void grant_pages(struct memory *memory, uint32_t to, bool writable,
			uint32_t *references)
{
	struct domain *domain = domain_of(memory->domain);
	size_t i;

	for (i = 0; i < memory->pages; i++) {
		struct grant *grant = make(sizeof(*grant));

		grant->domain = memory->domain;
		grant->reference = next_reference(domain);
		grant->to = to;
		grant->writable = writable;
		grant->memory = memory;
		grant->page = i;
		LIST_INSERT_HEAD(&xen->grants, grant, entry);
		memory->grants++;
		references[i] = grant->reference;
	}
}

static void *share(xengntshr_handle *handle, uint32_t to, size_t pages,
		   uint32_t *references, bool writable, struct notice notice)
{
	uint32_t domain = handle->process->domain;
	struct memory *memory;

	if (pages_shared(domain) + pages > domain_of(domain)->limit) {
		errno = ENOSPC;
		return NULL;
	}
	memory = make(sizeof(*memory));
	memory->handle = handle;
	memory->domain = domain;
	memory->pages = pages;
	memory->notice = notice;
	if (!memory_open(memory))
		abort();
	LIST_INSERT_HEAD(&xen->memories, memory, entry);
	grant_pages(memory, to, writable, references);
	return memory->address;
}

void *xengntshr_share_pages(xengntshr_handle *handle, uint32_t domain,
			    int count, uint32_t *references, int writable)
{
	if (fails(__func__))
		return NULL;
	return share(handle, domain, (size_t)count, references, writable,
		     notice_of(-1u, -1u, 0));
}

void *xengntshr_share_page_notify(xengntshr_handle *handle, uint32_t domain,
				  uint32_t *reference, int writable,
				  uint32_t offset, evtchn_port_t port)
{
	if (fails(__func__))
		return NULL;
	return share(handle, domain, 1, reference, writable,
		     notice_of(offset, port, PAGE));
}

static void end_grants(struct memory *memory)
{
	struct grant *grant = LIST_FIRST(&xen->grants), *next;

	for (; grant; grant = next) {
		next = LIST_NEXT(grant, entry);
		if (grant->memory == memory)
			grant_end(grant);
	}
}

/* What was mapped there is not accessed any more; or, for a ghost, harms nobody. */
static void vacate(void *address, size_t pages, bool ghost)
{
	if (!ghost) {
		munmap(address, pages * PAGE);
		return;
	}
	struct ghost *left = make(sizeof(*left));

	if (mmap(address, pages * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		abort();
	left->address = address;
	left->pages = pages;
	LIST_INSERT_HEAD(&xen->ghosts, left, entry);
}

static bool exorcise(void *address)
{
	struct ghost *ghost;

	LIST_FOREACH(ghost, &xen->ghosts, entry)
		if (ghost->address == address) {
			munmap(address, ghost->pages * PAGE);
			LIST_REMOVE(ghost, entry);
			free(ghost);
			return true;
		}
	return false;
}

static void memory_give_back(struct memory *memory, bool notices, bool ghost)
{
	if (notices)
		give_notice(&memory->notice, memory->domain, memory->address);
	vacate(memory->address, memory->pages, ghost);
	memory->address = NULL;
	memory->grants++; /* it is looked at until the end */
	end_grants(memory);
	memory->grants--;
	memory_put(memory);
}

int xengntshr_unshare(xengntshr_handle *handle, void *address, uint32_t count)
{
	struct memory *memory;

	if (fails(__func__))
		return -1;
	LIST_FOREACH(memory, &xen->memories, entry)
		if (memory->address == address && memory->pages == count) {
			memory_give_back(memory, true, false);
			return 0;
		}
	assert_true(handle->process->dead && exorcise(address));
	return 0;
}

static void grants_close(xengnttab_handle *handle)
{
	LIST_REMOVE(handle, entry);
	free(handle);
}

int xengntshr_close(xengntshr_handle *handle)
{
	grants_close(handle);
	return 0;
}

/* ---- grants: gntdev ----------------------------------------------------- */

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger,
				 unsigned int flags)
{
	(void)logger;
	(void)flags;
	return fails(__func__) ? NULL : grants_open();
}

static struct grant *grant_of(uint32_t domain, uint32_t reference, uint32_t to,
			      bool write)
{
	struct grant *grant;

	LIST_FOREACH(grant, &xen->grants, entry)
		if (grant->domain == domain && grant->reference == reference)
			return grant->to == to && (grant->writable || !write) ?
				       grant :
				       NULL;
	return NULL;
}

static bool find_grants(const xengnttab_handle *handle, uint32_t domain,
			const uint32_t *references, struct mapping *mapping,
			bool write)
{
	size_t i;

	for (i = 0; i < mapping->pages; i++) {
		mapping->grants[i] = grant_of(domain, references[i],
					      handle->process->domain, write);
		if (!mapping->grants[i])
			return false;
	}
	return true;
}

/* Pages that follow each other in a memory are one piece. */
static size_t piece_at(const struct mapping *mapping, size_t from)
{
	const struct grant *first = mapping->grants[from];
	size_t count = 1;

	while (from + count < mapping->pages &&
	       mapping->grants[from + count]->memory == first->memory &&
	       mapping->grants[from + count]->page == first->page + count)
		count++;
	return count;
}

static void map_pieces(struct mapping *mapping, int protection)
{
	size_t from, count;

	mapping->address = mmap(NULL, mapping->pages * PAGE, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (from = 0; from < mapping->pages; from += count) {
		const struct grant *first = mapping->grants[from];
		int fd = protection & PROT_WRITE ? first->memory->fd :
						   first->memory->fd_readable;

		count = piece_at(mapping, from);
		if (mmap(mapping->address + from * PAGE, count * PAGE,
			 protection, MAP_SHARED | MAP_FIXED, fd,
			 (off_t)(first->page * PAGE)) == MAP_FAILED)
			abort();
	}
}

static struct mapping *map_all(xengnttab_handle *handle, uint32_t domain,
			       size_t pages, const uint32_t *references,
			       int protection, struct notice notice)
{
	struct mapping *mapping =
		make(sizeof(*mapping) + pages * sizeof(*mapping->grants));
	size_t i;

	mapping->handle = handle;
	mapping->pages = pages;
	mapping->notice = notice;
	if (!is_alive(domain) || (xen->map_limit && pages > xen->map_limit) ||
	    !find_grants(handle, domain, references, mapping,
			 protection & PROT_WRITE)) {
		free(mapping);
		errno = EINVAL;
		return NULL;
	}
	map_pieces(mapping, protection);
	for (i = 0; i < pages; i++)
		mapping->grants[i]->mapped++;
	LIST_INSERT_HEAD(&xen->mappings, mapping, entry);
	return mapping;
}

static void *map(xengnttab_handle *handle, uint32_t domain, size_t pages,
		 const uint32_t *references, int protection,
		 struct notice notice)
{
	struct mapping *mapping =
		map_all(handle, domain, pages, references, protection, notice);

	return mapping ? mapping->address : NULL;
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *handle, uint32_t count,
				      uint32_t domain, uint32_t *references,
				      int protection)
{
	if (fails(__func__))
		return NULL;
	return map(handle, domain, count, references, protection,
		   notice_of(-1u, -1u, 0));
}

void *xengnttab_map_grant_ref_notify(xengnttab_handle *handle, uint32_t domain,
				     uint32_t reference, int protection,
				     uint32_t offset, evtchn_port_t port)
{
	if (fails(__func__))
		return NULL;
	return map(handle, domain, 1, &reference, protection,
		   notice_of(offset, port, PAGE));
}

static void mapping_free(struct mapping *mapping, bool notices, bool ghost)
{
	size_t i;

	if (notices)
		give_notice(&mapping->notice, mapping->handle->process->domain,
			    mapping->address);
	vacate(mapping->address, mapping->pages, ghost);
	for (i = 0; i < mapping->pages; i++) {
		struct grant *grant = mapping->grants[i];

		if (!--grant->mapped && grant->ended)
			grant_free(grant);
	}
	LIST_REMOVE(mapping, entry);
	free(mapping);
}

int xengnttab_unmap(xengnttab_handle *handle, void *address, uint32_t count)
{
	struct mapping *mapping;

	if (fails(__func__))
		return -1;
	LIST_FOREACH(mapping, &xen->mappings, entry)
		if (mapping->handle == handle && mapping->address == address &&
		    mapping->pages == count) {
			mapping_free(mapping, true, false);
			return 0;
		}
	return handle->process->dead && exorcise(address) ? 0 :
							    error_is(EINVAL);
}

static void unmap_all(const xengnttab_handle *handle, bool notices, bool ghost)
{
	struct mapping *mapping = LIST_FIRST(&xen->mappings), *next;

	for (; mapping; mapping = next) {
		next = LIST_NEXT(mapping, entry);
		if (mapping->handle == handle)
			mapping_free(mapping, notices, ghost);
	}
}

/* ---- grants: dma-bufs --------------------------------------------------- */

void fake_xen_offer_dmabuf(bool offered)
{
	xen->offers_dmabuf = offered;
}

static struct dmabuf *dmabuf_new(xengnttab_handle *handle, uint32_t number)
{
	struct dmabuf *dmabuf = make(sizeof(*dmabuf));

	dmabuf->handle = handle;
	dmabuf->number = number;
	dmabuf->released_fd = -1;
	LIST_INSERT_HEAD(&xen->dmabufs, dmabuf, entry);
	return dmabuf;
}

static struct dmabuf *dmabuf_of(const xengnttab_handle *handle, uint32_t number)
{
	struct dmabuf *dmabuf;

	LIST_FOREACH(dmabuf, &xen->dmabufs, entry)
		if (dmabuf->handle == handle && dmabuf->number == number)
			return dmabuf;
	return NULL;
}

static void dmabuf_free(struct dmabuf *dmabuf)
{
	if (dmabuf->mapping)
		mapping_free(dmabuf->mapping, false, false);
	if (dmabuf->memory)
		memory_give_back(dmabuf->memory, false, false);
	if (dmabuf->released_fd >= 0)
		close(dmabuf->released_fd);
	LIST_REMOVE(dmabuf, entry);
	free(dmabuf);
}

static bool has_dmabuf(const char *function)
{
	if (fails(function))
		return false;
	return xen->offers_dmabuf || fail_with(ENOTTY);
}

int xengnttab_dmabuf_exp_from_refs(xengnttab_handle *handle, uint32_t domain,
				   uint32_t flags, uint32_t count,
				   const uint32_t *references, uint32_t *fd)
{
	struct mapping *mapping;
	struct dmabuf *dmabuf;
	int ends[2];

	(void)flags;
	if (!has_dmabuf(__func__))
		return -1;
	mapping = map_all(handle, domain, count, references,
			  PROT_READ | PROT_WRITE, notice_of(-1u, -1u, 0));
	if (!mapping || pipe2(ends, O_CLOEXEC))
		return -1;
	*fd = (uint32_t)ends[1];
	dmabuf = dmabuf_new(handle, *fd);
	dmabuf->mapping = mapping;
	dmabuf->released_fd = ends[0];
	return 0;
}

static bool is_released(const struct dmabuf *dmabuf, uint32_t milliseconds)
{
	struct pollfd fd = { .fd = dmabuf->released_fd, .events = POLLIN };

	return dmabuf->mapping && poll(&fd, 1, (int)milliseconds) == 1;
}

/* As the kernel does at once. */
static void forget_released(void)
{
	struct dmabuf *dmabuf = LIST_FIRST(&xen->dmabufs), *next;

	for (; dmabuf; dmabuf = next) {
		next = LIST_NEXT(dmabuf, entry);
		if (is_released(dmabuf, 0))
			dmabuf_free(dmabuf);
	}
}

int xengnttab_dmabuf_exp_wait_released(xengnttab_handle *handle, uint32_t fd,
				       uint32_t milliseconds)
{
	struct dmabuf *dmabuf;

	if (!has_dmabuf(__func__))
		return -1;
	forget_released();
	dmabuf = dmabuf_of(handle, fd);
	if (!dmabuf || !dmabuf->mapping)
		return error_is(ENOENT);
	if (!is_released(dmabuf, milliseconds))
		return error_is(ETIMEDOUT);
	dmabuf_free(dmabuf);
	return 0;
}

int xengnttab_dmabuf_imp_to_refs(xengnttab_handle *handle, uint32_t domain,
				 uint32_t fd, uint32_t count,
				 uint32_t *references)
{
	struct memory *memory;

	if (!has_dmabuf(__func__))
		return -1;
	memory = make(sizeof(*memory));
	memory->handle = handle;
	memory->domain = handle->process->domain;
	memory->pages = count;
	memory->fd = fcntl((int)fd, F_DUPFD_CLOEXEC, 0);
	if (!memory_map(memory))
		abort();
	LIST_INSERT_HEAD(&xen->memories, memory, entry);
	grant_pages(memory, domain, true, references);
	dmabuf_new(handle, fd)->memory = memory;
	return 0;
}

int xengnttab_dmabuf_imp_release(xengnttab_handle *handle, uint32_t fd)
{
	struct dmabuf *dmabuf = dmabuf_of(handle, fd);

	if (!has_dmabuf(__func__))
		return -1;
	if (!dmabuf || !dmabuf->memory)
		return error_is(ENOENT);
	dmabuf_free(dmabuf);
	return 0;
}

static void free_dmabufs(const xengnttab_handle *handle)
{
	struct dmabuf *dmabuf = LIST_FIRST(&xen->dmabufs), *next;

	for (; dmabuf; dmabuf = next) {
		next = LIST_NEXT(dmabuf, entry);
		if (dmabuf->handle == handle)
			dmabuf_free(dmabuf);
	}
}

int xengnttab_close(xengnttab_handle *handle)
{
	free_dmabufs(handle);
	unmap_all(handle, true, false);
	grants_close(handle);
	return 0;
}

/* ---- death -------------------------------------------------------------- */

static void give_back_all(const xengntshr_handle *handle, bool notices)
{
	struct memory *memory = LIST_FIRST(&xen->memories), *next;

	for (; memory; memory = next) {
		next = LIST_NEXT(memory, entry);
		if (memory->handle == handle && memory->address)
			memory_give_back(memory, notices, true);
	}
}

static void lose_grants(struct process *process, bool notices)
{
	xengnttab_handle *handle;

	LIST_FOREACH(handle, &xen->grant_handles, entry)
		if (handle->process == process) {
			free_dmabufs(handle);
			unmap_all(handle, notices, true);
			give_back_all(handle, notices);
		}
}

static void lose_channels(struct process *process)
{
	xenevtchn_handle *handle;

	LIST_FOREACH(handle, &xen->channels, entry)
		if (handle->process == process)
			close_ports(handle);
}

static void lose_store(struct process *process)
{
	struct xs_handle *handle;

	LIST_FOREACH(handle, &xen->stores, entry)
		if (handle->process == process) {
			unwatch_all(handle);
			forget_fired(handle);
			set_readable(handle->fd, false);
		}
}

/* A kernel tells the others; of a domain that is destroyed, nothing does. */
static void die(struct process *process, bool notices)
{
	if (process->dead)
		return;
	lose_grants(process, notices);
	lose_channels(process);
	lose_store(process);
	process->dead = true;
}

void fake_xen_kill(int number)
{
	struct process *process;

	LIST_FOREACH(process, &xen->processes, entry)
		if (process->number == number)
			die(process, true);
}

void fake_xen_destroy_domain(uint32_t number)
{
	struct domain *domain = domain_of(number);
	struct process *process;

	LIST_FOREACH(process, &xen->processes, entry)
		if (process->domain == number)
			die(process, false);
	domain->dead = true;
	fire_special("@releaseDomain");
	fake_xen_remove("/local/domain/%u", number);
}

struct path {
	char text[PATH_OCTETS];
};

static struct path fake_path(const char *format, ...)
{
	struct path path;
	va_list args;

	va_start(args, format);
	vsnprintf(path.text, sizeof(path.text), format, args);
	va_end(args);
	return path;
}

static void give_to(const char *path, uint32_t owner, uint32_t reader)
{
	struct node *node = node_of(&xen->tree, path);

	node->perms[0] = (struct xs_permissions){ owner, XS_PERM_NONE };
	node->perms[1] = (struct xs_permissions){ reader, XS_PERM_READ };
	node->perm_count = 2;
}

/* Its directory is domain 0's; it may read what is made there, as libxl has it. */
static void make_domain_directory(uint32_t number)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", number);
	fake_xen_write("", "/local/domain/%u", number);
	give_to(fake_path("/local/domain/%u", number).text, 0, number);
	fake_xen_write(value, "/local/domain/%u/domid", number);
}

void fake_xen_create_domain(uint32_t number)
{
	struct domain *domain = domain_of(number);

	if (!domain) {
		domain = make(sizeof(*domain));
		LIST_INSERT_HEAD(&xen->domains, domain, entry);
	}
	domain->number = number;
	domain->dead = false;
	domain->limit = 1024;
	domain->next_reference = REFERENCE_FIRST;
	domain->next_port = PORT_FIRST;
	make_domain_directory(number);
}

/* ---- from outside ------------------------------------------------------- */

const char *fake_xen_node(const char *format, ...)
{
	char path[PATH_OCTETS];
	const struct node *node;
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	node = node_of(&xen->tree, path);
	return node ? node->value : "";
}

void fake_xen_write(const char *value, const char *format, ...)
{
	char path[PATH_OCTETS];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	assert_true(change_write(&xen->tree, path, 0, value,
				 (unsigned int)strlen(value)));
}

void fake_xen_remove(const char *format, ...)
{
	char path[PATH_OCTETS];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	change_remove(&xen->tree, path, 0);
}

/* Nodes come into being with the rights of their directory. */
static void make_directory(const char *path, uint32_t owner, uint32_t reader)
{
	fake_xen_write("", "%s", path);
	give_to(path, owner, reader);
}

void fake_xen_attach_class(const char *class, uint32_t frontend,
			   uint32_t backend, uint32_t number)
{
	char front[PATH_OCTETS], back[PATH_OCTETS], id[16];

	snprintf(front, sizeof(front), "/local/domain/%u/device/%s/%u",
		 frontend, class, number);
	snprintf(back, sizeof(back), "/local/domain/%u/backend/%s/%u/%u",
		 backend, class, frontend, number);
	make_directory(front, frontend, backend);
	make_directory(back, backend, frontend);
	fake_xen_write(back, "%s/backend", front);
	snprintf(id, sizeof(id), "%u", backend);
	fake_xen_write(id, "%s/backend-id", front);
	fake_xen_write("1", "%s/state", front);
	fake_xen_write(front, "%s/frontend", back);
	snprintf(id, sizeof(id), "%u", frontend);
	fake_xen_write(id, "%s/frontend-id", back);
	fake_xen_write("1", "%s/online", back);
	fake_xen_write("1", "%s/state", back);
}

void fake_xen_attach(uint32_t frontend, uint32_t backend, uint32_t number)
{
	fake_xen_attach_class("hdmabuf", frontend, backend, number);
}

void fake_xen_detach(uint32_t frontend, uint32_t backend, uint32_t number)
{
	fake_xen_remove("/local/domain/%u/device/hdmabuf/%u", frontend, number);
	fake_xen_remove("/local/domain/%u/backend/hdmabuf/%u/%u", backend,
			frontend, number);
}

static size_t nodes_count(void)
{
	const struct node *node;
	size_t count = 0;

	TAILQ_FOREACH(node, &xen->tree, entry)
		count++;
	return count;
}

#define COUNT(into, type, list) \
	do { \
		const struct type *item_; \
\
		LIST_FOREACH(item_, list, entry) \
			(into)++; \
	} while (0)

struct fake_xen_count fake_xen_count(void)
{
	struct fake_xen_count count = { .nodes = nodes_count() };
	const struct mapping *mapping;

	forget_released();
	LIST_FOREACH(mapping, &xen->mappings, entry)
		count.mappings += mapping->pages;
	COUNT(count.grants, grant, &xen->grants);
	COUNT(count.ports, port, &xen->ports);
	COUNT(count.watches, watch, &xen->watches);
	COUNT(count.handles, xs_handle, &xen->stores);
	COUNT(count.handles, xenevtchn_handle, &xen->channels);
	COUNT(count.handles, xengntdev_handle, &xen->grant_handles);
	return count;
}

void fake_xen_start(void)
{
	xen = make(sizeof(*xen));
	LIST_INIT(&xen->processes);
	LIST_INIT(&xen->domains);
	TAILQ_INIT(&xen->tree);
	LIST_INIT(&xen->watches);
	LIST_INIT(&xen->stores);
	LIST_INIT(&xen->channels);
	LIST_INIT(&xen->ports);
	LIST_INIT(&xen->grant_handles);
	LIST_INIT(&xen->memories);
	LIST_INIT(&xen->grants);
	LIST_INIT(&xen->mappings);
	LIST_INIT(&xen->ghosts);
	LIST_INIT(&xen->dmabufs);
	xen->scatter = 5;
	fake_xen_create_domain(0);
}

#define FREE_ALL(type, list) \
	do { \
		struct type *item_; \
\
		while ((item_ = LIST_FIRST(list))) { \
			LIST_REMOVE(item_, entry); \
			free(item_); \
		} \
	} while (0)

void fake_xen_stop(void)
{
	struct fake_xen_count count = fake_xen_count();

	assert_int_equal(count.handles, 0);
	assert_int_equal(count.ports, 0);
	assert_int_equal(count.watches, 0);
	assert_int_equal(count.mappings, 0);
	assert_int_equal(count.grants, 0);
	assert_true(LIST_EMPTY(&xen->ghosts));
	assert_true(LIST_EMPTY(&xen->memories));
	assert_true(LIST_EMPTY(&xen->dmabufs));
	tree_free(&xen->tree);
	FREE_ALL(process, &xen->processes);
	FREE_ALL(domain, &xen->domains);
	free(xen);
	xen = NULL;
}
