/* SPDX-License-Identifier: MIT */
/* xen_raw.c - XenStore, link page and marks, as the binding "xen" describes them */
#define _GNU_SOURCE
#include "conformance/tests/xen_raw.h"
#include "conformance/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICK_MS		50
#define TRANSACTIONS	20
#define REFERENCE_AT(i) WIRE_PLACE(192 + 4 * (i), 4)

/* ---- XenStore ----------------------------------------------------------- */

static const char *path_of(const char *directory, const char *name,
			   char path[2 * XEN_PATH_OCTETS])
{
	snprintf(path, 2 * XEN_PATH_OCTETS, "%s/%s", directory, name);
	return path;
}

static bool put_node(struct xen_raw *raw, xs_transaction_t in,
		     const char *directory, const char *name, const void *value,
		     size_t octets)
{
	char path[2 * XEN_PATH_OCTETS];

	path_of(directory, name, path);
	if (value)
		return xs_write(raw->store, in, path, value,
				(unsigned int)octets);
	return xs_rm(raw->store, in, path) || errno == ENOENT;
}

void xen_raw_write(struct xen_raw *raw, const char *directory, const char *name,
		   const void *value, size_t octets)
{
	if (put_node(raw, XBT_NULL, directory, name, value, octets))
		return;
	if (errno == EACCES || errno == EPERM)
		skip(raw->end->test,
		     "the suite's domain may not write %s/%s: run it in domain 0",
		     directory, name);
	error(raw->end->test, "cannot write %s/%s: %s", directory, name,
	      strerror(errno));
}

void xen_raw_write_text(struct xen_raw *raw, const char *directory,
			const char *name, const char *value)
{
	note(raw->end->test, SPEAKER_SUITE, "writes %s/%s = %.64s", directory,
	     name, value ? value : "(removed)");
	xen_raw_write(raw, directory, name, value, value ? strlen(value) : 0);
}

char *xen_raw_read(struct xen_raw *raw, const char *directory, const char *name)
{
	char path[2 * XEN_PATH_OCTETS];
	unsigned int octets;

	return xs_read(raw->store, XBT_NULL, path_of(directory, name, path),
		       &octets);
}

static uint64_t number_at(struct xen_raw *raw, const char *directory,
			  const char *name)
{
	char *text = xen_raw_read(raw, directory, name);
	char line[64];
	uint64_t number = 0;

	snprintf(line, sizeof(line), "n=%.32s\n", text ? text : "");
	free(text);
	return wire_record_get(line, "n", &number) == 1 ? number : 0;
}

uint64_t xen_raw_number(struct xen_raw *raw, const char *name)
{
	return number_at(raw, raw->other, name);
}

/* ---- the suite's record ------------------------------------------------- */

static const char *const keys[2][11] = {
	[HDMABUF_FRONTEND] = { "link", "link-ref", "event-channel",
			       "peer-epoch", "channel", NULL },
	[HDMABUF_BACKEND] = { "link-version", "use-pages", "version-min",
			      "version-max", "features", "ring-formats",
			      "ring-order-max", "timeline-max", "error", NULL },
};

/* The text of the lines that the binding adds. */
static void own_lines(const struct xen_raw *raw, char *text, size_t size)
{
	if (raw->role == HDMABUF_BACKEND)
		snprintf(text, size, "link-version=1\nuse-pages=%u\n",
			 raw->use_pages);
	else
		snprintf(text, size,
			 "link=%" PRIu64 "\nlink-ref=%u\nevent-channel=%d\n",
			 raw->link, raw->reference, raw->port);
}

/* Of a line KEY=VALUE of this key. */
static bool put_key(struct xen_raw *raw, xs_transaction_t in, const char *text,
		    const char *key)
{
	size_t length = strlen(key);

	if (*text && raw->odd_key && !strcmp(key, raw->odd_key))
		return put_node(raw, in, raw->own, key, raw->odd_value,
				raw->odd_octets);
	for (const char *line = text; line && *line;) {
		if (!strncmp(line, key, length) && line[length] == '=')
			return put_node(raw, in, raw->own, key,
					line + length + 1,
					strcspn(line + length + 1, "\n"));
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return put_node(raw, in, raw->own, key, NULL, 0);
}

static bool put_record(struct xen_raw *raw, xs_transaction_t in,
		       const char *text, enum hdmabuf_xen_state state)
{
	char digit = (char)('0' + state);
	bool done = put_key(raw, in, "", HDMABUF_KEY_EPOCH);

	for (size_t i = 0; keys[raw->role][i] && done; i++)
		done = put_key(raw, in, text, keys[raw->role][i]);
	return done && put_key(raw, in, text, HDMABUF_KEY_EPOCH) &&
	       put_node(raw, in, raw->own, HDMABUF_XEN_NODE_STATE, &digit, 1);
}

static int put_at_once(struct xen_raw *raw, const char *text,
		       enum hdmabuf_xen_state state)
{
	for (unsigned int i = 0; i < TRANSACTIONS; i++) {
		xs_transaction_t in = xs_transaction_start(raw->store);
		bool done = in && put_record(raw, in, text, state);

		if (!in || !done) {
			int code = -errno;

			if (in)
				xs_transaction_end(raw->store, in, true);
			return code;
		}
		if (xs_transaction_end(raw->store, in, false))
			return 0;
		if (errno != EAGAIN)
			return -errno;
	}
	return -EAGAIN;
}

void xen_raw_remove_record(struct xen_raw *raw, enum hdmabuf_xen_state state)
{
	raw->published = 0;
	put_at_once(raw, "", state);
}

static int publish(struct hdmabuf_link *link, const char *text, size_t octets)
{
	struct xen_raw *raw = (struct xen_raw *)link;
	char all[2048], own[128] = "";
	uint64_t epoch = 0;

	snprintf(all, sizeof(all), "%.*s", (int)octets, text);
	raw->published = wire_record_get(all, HDMABUF_KEY_EPOCH, &epoch) == 1 ?
				 epoch :
				 0;
	own_lines(raw, own, sizeof(own));
	if (octets)
		snprintf(all, sizeof(all), "%s%.*s", own, (int)octets, text);
	return put_at_once(raw, all,
			   !octets ? HDMABUF_XEN_INITIALISING :
			   raw->role == HDMABUF_BACKEND ?
				     HDMABUF_XEN_INIT_WAIT :
				     HDMABUF_XEN_INITIALISED);
}

/* ---- the IUT's record --------------------------------------------------- */

static void add_line(char *text, size_t size, const char *key,
		     const char *value)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s=%s\n", key, value);
}

/* By names; what changes meanwhile is looked at again. */
static bool read_record(struct xen_raw *raw, char *text, size_t size)
{
	const char *const *names =
		keys[raw->role == HDMABUF_FRONTEND ? HDMABUF_BACKEND :
						     HDMABUF_FRONTEND];
	char *before = xen_raw_read(raw, raw->other, HDMABUF_KEY_EPOCH);
	char *after;
	bool whole;

	*text = '\0';
	for (; before && *names; names++) {
		char *value = xen_raw_read(raw, raw->other, *names);

		if (value)
			add_line(text, size, *names, value);
		free(value);
	}
	after = xen_raw_read(raw, raw->other, HDMABUF_KEY_EPOCH);
	whole = !before == !after && (!before || !strcmp(before, after));
	if (before && whole)
		add_line(text, size, HDMABUF_KEY_EPOCH, after);
	else
		*text = '\0';
	free(before);
	free(after);
	return whole;
}

static bool is_attached(const struct xen_raw *raw)
{
	return raw->page && raw->role == HDMABUF_BACKEND;
}

/* A backend sees no answer but over the link that it is attached to. */
static bool is_for_us(struct xen_raw *raw, const char *text)
{
	uint64_t epoch;

	if (raw->role == HDMABUF_FRONTEND || !*text)
		return true;
	if (wire_record_get(text, HDMABUF_KEY_PEER_EPOCH, &epoch) != 1 ||
	    epoch != raw->published)
		return false;
	return raw->silent || is_attached(raw) || xen_raw_attach(raw);
}

static void look_at_record(struct xen_raw *raw)
{
	char text[sizeof(raw->record)];

	if (!read_record(raw, text, sizeof(text)))
		return;
	if (!is_for_us(raw, text))
		*text = '\0';
	if (!strcmp(text, raw->record))
		return;
	strcpy(raw->record, text);
	raw->record_changed = true;
}

static size_t record(struct hdmabuf_link *link, char *text, size_t size)
{
	const struct xen_raw *raw = (const struct xen_raw *)link;
	size_t octets = strlen(raw->record);

	if (octets > size)
		return 0;
	memcpy(text, raw->record, octets);
	return octets;
}

/* ---- the link page ------------------------------------------------------ */

static uint8_t *part(const struct xen_raw *raw, enum hdmabuf_role role)
{
	return raw->page + LINK_END_AT(role);
}

static enum hdmabuf_role iut_role(const struct xen_raw *raw)
{
	return raw->role == HDMABUF_FRONTEND ? HDMABUF_BACKEND :
					       HDMABUF_FRONTEND;
}

uint8_t xen_raw_here(const struct xen_raw *raw, enum hdmabuf_role role)
{
	if (!raw->page)
		return HDMABUF_XEN_GONE;
	return __atomic_load_n(part(raw, role), __ATOMIC_ACQUIRE);
}

void xen_raw_notify(struct xen_raw *raw)
{
	if (raw->port >= 0)
		xenevtchn_notify(raw->channels, (evtchn_port_t)raw->port);
}

void xen_raw_set_here(struct xen_raw *raw, uint8_t here)
{
	if (!raw->page)
		return;
	__atomic_store_n(part(raw, raw->role), here, __ATOMIC_SEQ_CST);
	xen_raw_notify(raw);
}

bool xen_raw_await_here(struct xen_raw *raw, uint8_t here)
{
	struct test *test = raw->end->test;
	uint64_t deadline = test_deadline(test);

	while (xen_raw_here(raw, iut_role(raw)) != here)
		if (!test_wait(test, deadline))
			return false;
	return true;
}

uint8_t *xen_raw_marks(const struct xen_raw *raw, enum hdmabuf_role role,
		       uint32_t *count)
{
	*count = raw->mark_pages[role] * HDMABUF_XEN_MARKS;
	return raw->marks +
	       (role == HDMABUF_FRONTEND ?
			0 :
			(size_t)raw->mark_pages[0] * XEN_PAGE_OCTETS);
}

bool xen_raw_is_marked(const struct xen_raw *raw, uint64_t reference)
{
	uint32_t count;
	const uint8_t *marks = xen_raw_marks(raw, raw->role, &count);
	uint32_t bit = (uint32_t)(reference % count);

	return __atomic_load_n(&marks[bit / 8], __ATOMIC_SEQ_CST) >> bit % 8 &
	       1;
}

uint32_t xen_raw_count_marks(const struct xen_raw *raw, enum hdmabuf_role role)
{
	uint32_t count, set = 0;
	const uint8_t *marks = xen_raw_marks(raw, role, &count);

	for (uint32_t i = 0; i < count / 8; i++)
		set += (uint32_t)__builtin_popcount(
			__atomic_load_n(&marks[i], __ATOMIC_RELAXED));
	return set;
}

static void count_uses(struct xen_raw *raw)
{
	uint32_t count;

	xen_raw_marks(raw, iut_role(raw), &count);
	raw->uses = calloc(count, sizeof(*raw->uses));
	if (!raw->uses)
		error(raw->end->test, "no memory");
}

/* ---- the suite as frontend ---------------------------------------------- */

static void fill_page(struct xen_raw *raw)
{
	uint8_t *page = raw->page;
	uint32_t all = raw->mark_pages[0] + raw->mark_pages[1];

	wire_put(page, LINK_MAGIC, HDMABUF_XEN_LINK_MAGIC);
	wire_put(page, LINK_VERSION, HDMABUF_XEN_LINK_VERSION);
	wire_put(page, LINK_NUMBER, raw->link);
	wire_put(page, LINK_FRONTEND_USE_PAGES, raw->mark_pages[0]);
	wire_put(page, LINK_BACKEND_USE_PAGES, raw->mark_pages[1]);
	for (uint32_t i = 0; i < all; i++)
		wire_put(page, REFERENCE_AT(i), raw->mark_references[i]);
	*part(raw, raw->role) = HDMABUF_XEN_HERE;
}

void xen_raw_make_link(struct xen_raw *raw)
{
	struct test *test = raw->end->test;
	uint64_t wanted = 0;

	if (wire_record_get(raw->record, HDMABUF_XEN_KEY_USE_PAGES, &wanted) !=
		    1 ||
	    !wanted || wanted > HDMABUF_XEN_USE_PAGES_MAX)
		inconclusive(test,
			     "the IUT asks for %" PRIu64 " pages of marks",
			     wanted);
	if (getrandom(&raw->link, sizeof(raw->link), 0) != sizeof(raw->link))
		error(test, "no random numbers");
	raw->mark_pages[HDMABUF_FRONTEND] = raw->use_pages;
	raw->mark_pages[HDMABUF_BACKEND] = (uint32_t)wanted;
	raw->port = xenevtchn_bind_unbound_port(raw->channels, raw->domain);
	if (raw->port < 0)
		error(test, "no event channel: %s", strerror(errno));
	raw->page = xengntshr_share_page_notify(raw->pool, raw->domain,
						&raw->reference, 1,
						LINK_END_AT(raw->role),
						(evtchn_port_t)raw->port);
	raw->marks = xengntshr_share_pages(
		raw->pool, raw->domain,
		(int)(raw->mark_pages[0] + raw->mark_pages[1]),
		raw->mark_references, 1);
	if (!raw->page || !raw->marks)
		error(test, "no pages for a link: %s", strerror(errno));
	count_uses(raw);
	fill_page(raw);
}

/* ---- the suite as backend ----------------------------------------------- */

static bool give_up(struct xen_raw *raw, const char *why)
{
	comment(raw->end->test, "cannot attach: %s", why);
	xen_raw_drop_link(raw);
	return false;
}

static bool map_page(struct xen_raw *raw)
{
	raw->link = xen_raw_number(raw, HDMABUF_XEN_KEY_LINK);
	raw->reference =
		(uint32_t)xen_raw_number(raw, HDMABUF_XEN_KEY_LINK_REF);
	raw->port = xenevtchn_bind_interdomain(
		raw->channels, raw->domain,
		(evtchn_port_t)xen_raw_number(raw,
					      HDMABUF_XEN_KEY_EVENT_CHANNEL));
	if (raw->port < 0)
		return give_up(raw, "the event channel is none");
	raw->page = xengnttab_map_grant_ref_notify(raw->grants, raw->domain,
						   raw->reference,
						   PROT_READ | PROT_WRITE,
						   LINK_END_AT(raw->role),
						   (uint32_t)raw->port);
	return raw->page || give_up(raw, "the link page cannot be mapped");
}

static bool map_marks(struct xen_raw *raw)
{
	uint64_t front = wire_get(raw->page, LINK_FRONTEND_USE_PAGES);
	uint64_t back = wire_get(raw->page, LINK_BACKEND_USE_PAGES);

	if (!front || front > HDMABUF_XEN_USE_PAGES_MAX || !back ||
	    back > HDMABUF_XEN_USE_PAGES_MAX)
		return give_up(raw, "no pages of marks can be that many");
	raw->mark_pages[0] = (uint32_t)front;
	raw->mark_pages[1] = (uint32_t)back;
	for (uint32_t i = 0; i < front + back; i++)
		raw->mark_references[i] =
			(uint32_t)wire_get(raw->page, REFERENCE_AT(i));
	raw->marks = xengnttab_map_domain_grant_refs(
		raw->grants, (uint32_t)(front + back), raw->domain,
		raw->mark_references, PROT_READ | PROT_WRITE);
	return raw->marks || give_up(raw, "the marks cannot be mapped");
}

bool xen_raw_attach(struct xen_raw *raw)
{
	uint32_t count;
	uint8_t *marks;

	if (!map_page(raw) || !map_marks(raw))
		return false;
	count_uses(raw);
	if (!raw->silent) {
		marks = xen_raw_marks(raw, iut_role(raw), &count);
		memset(marks, 0, count / 8);
		xen_raw_set_here(raw, HDMABUF_XEN_HERE);
	}
	return true;
}

/* ---- the end of a link -------------------------------------------------- */

static void give_back(struct xen_raw *raw, void *memory, uint32_t pages)
{
	if (!memory)
		return;
	if (raw->role == HDMABUF_FRONTEND)
		xengntshr_unshare(raw->pool, memory, pages);
	else
		xengnttab_unmap(raw->grants, memory, pages);
}

void xen_raw_drop_link(struct xen_raw *raw)
{
	xen_raw_unmap_all(raw);
	give_back(raw, raw->marks, raw->mark_pages[0] + raw->mark_pages[1]);
	give_back(raw, raw->page, 1);
	if (raw->port >= 0)
		xenevtchn_unbind(raw->channels, (evtchn_port_t)raw->port);
	free(raw->uses);
	raw->uses = NULL;
	raw->marks = raw->page = NULL;
	raw->port = -1;
}

static void disconnect(struct hdmabuf_link *link)
{
	struct xen_raw *raw = (struct xen_raw *)link;

	xen_raw_set_here(raw, HDMABUF_XEN_LEAVING);
	xen_raw_remove_record(raw, HDMABUF_XEN_INITIALISING);
	xen_raw_unmap_all(raw);
	xen_raw_set_here(raw, HDMABUF_XEN_GONE);
}

static void free_link(struct hdmabuf_link *link)
{
	xen_raw_drop_link((struct xen_raw *)link);
}

static void close_endpoint(void *endpoint)
{
	struct xen_raw *raw = endpoint;

	xen_raw_drop_link(raw);
	if (raw->store) {
		xen_raw_remove_record(raw, HDMABUF_XEN_CLOSED);
		xs_close(raw->store);
	}
	if (raw->channels)
		xenevtchn_close(raw->channels);
	if (raw->grants)
		xengnttab_close(raw->grants);
	if (raw->pool)
		xengntshr_close(raw->pool);
	if (raw->timer >= 0)
		close(raw->timer);
	if (raw->poll >= 0)
		close(raw->poll);
	free(raw->mapped);
	free(raw);
}

/* ---- what happens ------------------------------------------------------- */

static void take_watches(struct xen_raw *raw)
{
	char **watch;

	while ((watch = xs_check_watch(raw->store)))
		free(watch);
}

/* Unmasked before anybody looks. */
static bool take_events(struct xen_raw *raw)
{
	int port = xenevtchn_pending(raw->channels);

	if (port < 0)
		return false;
	xenevtchn_unmask(raw->channels, (evtchn_port_t)port);
	return port == raw->port;
}

/* What is behind each descriptor is known by it. */
static bool take_all(struct xen_raw *raw, bool *store)
{
	struct epoll_event events[3];
	int count = epoll_wait(raw->poll, events, 3, 0);
	bool notified = false;
	uint64_t ticks;

	for (int i = 0; i < count; i++) {
		int fd = events[i].data.fd;

		if (fd == raw->timer) {
			if (read(fd, &ticks, sizeof(ticks)) < 0)
				error(raw->end->test, "cannot read a timer");
		} else if (fd == xs_fileno(raw->store)) {
			take_watches(raw);
			*store = true;
		} else {
			notified |= take_events(raw);
		}
	}
	return notified;
}

/* A frontend's link comes up with an offer, a backend's with its device. */
static bool may_come_up(struct xen_raw *raw)
{
	char *state;

	if (raw->role == HDMABUF_FRONTEND)
		return *raw->record;
	state = xen_raw_read(raw, raw->other, HDMABUF_XEN_NODE_STATE);
	free(state);
	return state;
}

static void come_up(struct xen_raw *raw,
		    const struct hdmabuf_platform_events *events)
{
	if (raw->up || !may_come_up(raw))
		return;
	if (raw->role == HDMABUF_FRONTEND && !raw->silent)
		xen_raw_make_link(raw);
	raw->up = true;
	events->up(raw->end, (struct hdmabuf_link *)raw);
}

static bool has_gone(struct xen_raw *raw)
{
	uint8_t here = xen_raw_here(raw, iut_role(raw));

	raw->was_here |= here == HDMABUF_XEN_HERE;
	return raw->was_here && here != HDMABUF_XEN_HERE;
}

static int dispatch(void *endpoint,
		    const struct hdmabuf_platform_events *events, void *user)
{
	struct xen_raw *raw = endpoint;
	bool first = !raw->end, store = first, notified;

	raw->end = user;
	notified = take_all(raw, &store);
	if (store && !raw->down)
		look_at_record(raw);
	if (store)
		come_up(raw, events);
	if (raw->up && !raw->down && raw->record_changed) {
		raw->record_changed = false;
		events->record(user);
	}
	if (notified && raw->up)
		events->notified(user);
	if (raw->up && !raw->down && !raw->silent && has_gone(raw)) {
		raw->down = true;
		*raw->record = '\0';
		events->down(user, "the IUT has left");
	}
	return 0;
}

static int endpoint_fd(void *endpoint)
{
	return ((const struct xen_raw *)endpoint)->poll;
}

static int notify(struct hdmabuf_link *link)
{
	xen_raw_notify((struct xen_raw *)link);
	return 0;
}

static void peer(struct hdmabuf_link *link, char *text, size_t size)
{
	const struct xen_raw *raw = (const struct xen_raw *)link;

	snprintf(text, size, "domain %u, device %u, by hand", raw->domain,
		 raw->number);
}

/* ---- opening ------------------------------------------------------------ */

static bool read_number(struct xen_raw *raw, const char *path, uint32_t *number)
{
	unsigned int octets;
	char *text = xs_read(raw->store, XBT_NULL, path, &octets);
	bool good = text && sscanf(text, "%u", number) == 1;

	free(text);
	return good;
}

/* xen:DEVICE at a frontend, xen:DOMAIN/DEVICE at a backend. */
static bool find_device(struct xen_raw *raw, const char *address)
{
	char path[2 * XEN_PATH_OCTETS];

	if (!read_number(raw, "domid", &raw->self))
		return false;
	if (raw->role == HDMABUF_BACKEND) {
		if (sscanf(address, "xen:%u/%u", &raw->domain, &raw->number) !=
		    2)
			return false;
		snprintf(raw->own, sizeof(raw->own),
			 "/local/domain/%u/backend/hdmabuf/%u/%u", raw->self,
			 raw->domain, raw->number);
		snprintf(raw->other, sizeof(raw->other),
			 "/local/domain/%u/device/hdmabuf/%u", raw->domain,
			 raw->number);
		return true;
	}
	if (sscanf(address, "xen:%u", &raw->number) != 1)
		raw->number = 0;
	snprintf(raw->own, sizeof(raw->own),
		 "/local/domain/%u/device/hdmabuf/%u", raw->self, raw->number);
	if (!read_number(raw, path_of(raw->own, "backend-id", path),
			 &raw->domain))
		return false;
	snprintf(raw->other, sizeof(raw->other),
		 "/local/domain/%u/backend/hdmabuf/%u/%u", raw->domain,
		 raw->self, raw->number);
	return true;
}

static bool poll_add(struct xen_raw *raw, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return !epoll_ctl(raw->poll, EPOLL_CTL_ADD, fd, &event);
}

static bool start_timer(struct xen_raw *raw)
{
	const struct timespec tick = { 0, TICK_MS * 1000000 };
	const struct itimerspec every = { tick, tick };

	raw->timer =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return raw->timer >= 0 && !timerfd_settime(raw->timer, 0, &every, NULL);
}

/* What cannot be mapped is a result, and not for standard error. */
static void say_nothing(xentoollog_logger *logger, xentoollog_level level,
			int error, const char *context, const char *format,
			va_list arguments)
{
	(void)logger;
	(void)level;
	(void)error;
	(void)context;
	(void)format;
	(void)arguments;
}

static bool open_all(struct xen_raw *raw)
{
	raw->logger.vmessage = say_nothing;
	raw->store = xs_open(0);
	raw->channels = xenevtchn_open(&raw->logger, 0);
	raw->grants = xengnttab_open(&raw->logger, 0);
	raw->pool = xengntshr_open(&raw->logger, 0);
	raw->poll = epoll_create1(EPOLL_CLOEXEC);
	return raw->store && raw->channels && raw->grants && raw->pool &&
	       raw->poll >= 0 && start_timer(raw);
}

/* Whatever an earlier end has left is removed. */
static bool start(struct xen_raw *raw)
{
	put_at_once(raw, "", HDMABUF_XEN_INITIALISING);
	return xs_watch(raw->store, raw->other, "other") &&
	       poll_add(raw, xs_fileno(raw->store)) &&
	       poll_add(raw, xenevtchn_fd(raw->channels)) &&
	       poll_add(raw, raw->timer);
}

static int open_raw(const char *address, enum hdmabuf_role role, bool silent,
		    struct hdmabuf_platform *platform, char *why, size_t size)
{
	struct xen_raw *raw = calloc(1, sizeof(*raw));

	if (!raw)
		return -ENOMEM;
	raw->role = role;
	raw->silent = silent;
	raw->port = raw->timer = raw->poll = -1;
	raw->use_pages = XEN_MARK_PAGES;
	if (!open_all(raw))
		snprintf(why, size, "Xen's devices: %s", strerror(errno));
	else if (!find_device(raw, address))
		snprintf(why, size, "is no device, or there is none");
	else if (!start(raw))
		snprintf(why, size, "cannot watch %s", raw->other);
	else {
		xen_raw_set_ops(raw, platform);
		platform->endpoint = raw;
		raw->ops.fd = endpoint_fd;
		raw->ops.dispatch = dispatch;
		raw->ops.close = close_endpoint;
		raw->ops.peer = peer;
		raw->ops.publish = publish;
		raw->ops.record = record;
		raw->ops.notify = notify;
		raw->ops.disconnect = disconnect;
		raw->ops.free = free_link;
		return 0;
	}
	close_endpoint(raw);
	return -ENODEV;
}

static int open_speaking(const char *address, enum hdmabuf_role role,
			 struct hdmabuf_platform *platform, char *why,
			 size_t size)
{
	return open_raw(address, role, false, platform, why, size);
}

static int open_silently(const char *address, enum hdmabuf_role role,
			 struct hdmabuf_platform *platform, char *why,
			 size_t size)
{
	return open_raw(address, role, true, platform, why, size);
}

struct xen_raw *xen_raw_of(const struct end *end)
{
	return end->platform.endpoint;
}

struct end *xen_raw_open(struct test *test)
{
	return test_open_over(test, open_speaking);
}

struct end *xen_raw_open_silently(struct test *test)
{
	return test_open_over(test, open_silently);
}

struct end *xen_raw_connect(struct test *test)
{
	struct end *end = xen_raw_open(test);

	end_greet(end);
	if (!end_sanity(end))
		inconclusive(test, "the IUT does not pass the sanity exchange");
	return end;
}
