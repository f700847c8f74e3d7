/* SPDX-License-Identifier: MIT */
/* xen_records.c - the binding "xen": devices and records in XenStore */
#define _GNU_SOURCE
#include "conformance/internal.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/support.h"
#include "conformance/tests/xen_raw.h"
#include "conformance/tests/xen_tests.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Longer than an end waits before it tries again. */
#define LONG_MS	 1500
#define SHORT_MS 300

/* ---- whom a device is for ----------------------------------------------- */

static void say_who_it_is(struct xen_raw *raw, const char *domain)
{
	static const char *const names[] = { "frontend-id", "domid", "domain" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		xen_raw_write_text(raw, raw->own, names[i], domain);
	xen_raw_write_text(raw, raw->own, "frontend",
			   domain ? "/local/domain/999/device/hdmabuf/0" :
				    NULL);
}

void own_directory_counts(struct test *test)
{
	struct end *end = xen_raw_open(test);
	bool connected;

	comment(test, "the frontend's directory names domain 999");
	say_who_it_is(xen_raw_of(end), "999");
	connected = end_try_greet(end) && end_sanity(end);
	say_who_it_is(xen_raw_of(end), NULL);
	check(test, HDB_XEN_002, connected,
	      "a frontend says that it is of another domain, and there is no session with it");
}

/* ---- directories that go ------------------------------------------------ */

/**
 * struct directory - of an end, as the toolstack makes it
 * @path: of it
 * @other: path of the other end's
 * @owner: domain of its end
 * @reader: domain of the other
 * @role: of its end
 */
struct directory {
	const char *path;
	const char *other;
	uint32_t owner;
	uint32_t reader;
	enum hdmabuf_role role;
};

static struct directory of_suite(const struct xen_raw *raw)
{
	return (struct directory){ raw->own, raw->other, raw->self, raw->domain,
				   raw->role };
}

static struct directory of_iut(const struct xen_raw *raw)
{
	return (struct directory){ raw->other, raw->own, raw->domain, raw->self,
				   test_iut_role(raw->end->test) };
}

/* The first node stays for those who may not do this. */
static void remove_directory(struct xen_raw *raw,
			     const struct directory *directory)
{
	note(raw->end->test, SPEAKER_SUITE, "removes %s", directory->path);
	if (!xs_rm(raw->store, XBT_NULL, directory->path))
		skip(raw->end->test,
		     "the suite's domain may not remove a directory: run it in domain 0");
}

static void make_directory(struct xen_raw *raw,
			   const struct directory *directory)
{
	struct xs_permissions permissions[] = {
		{ .id = directory->owner, .perms = XS_PERM_NONE },
		{ .id = directory->reader, .perms = XS_PERM_READ },
	};
	bool frontend = directory->role == HDMABUF_FRONTEND;
	char number[16];

	snprintf(number, sizeof(number), "%u", directory->reader);
	note(raw->end->test, SPEAKER_SUITE, "makes %s again", directory->path);
	if (!xs_mkdir(raw->store, XBT_NULL, directory->path) ||
	    !xs_set_permissions(raw->store, XBT_NULL, directory->path,
				permissions, 2))
		error(raw->end->test, "cannot make %s", directory->path);
	xen_raw_write_text(raw, directory->path, "state", "1");
	if (!frontend)
		xen_raw_write_text(raw, directory->path, "online", "1");
	xen_raw_write_text(raw, directory->path,
			   frontend ? "backend" : "frontend", directory->other);
	xen_raw_write_text(raw, directory->path,
			   frontend ? "backend-id" : "frontend-id", number);
}

/* It is made again before anything is judged: other tests need it. */
static void without_directory(struct test *test, bool suites)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	struct directory directory = suites ? of_suite(raw) : of_iut(raw);
	uint64_t deadline;
	bool left;

	remove_directory(raw, &directory);
	for (deadline = test_deadline(test);
	     !(left = end->down) && test_wait(test, deadline);)
		;
	make_directory(raw, &directory);
	check(test, HDB_XEN_003, left,
	      "a directory was removed, and the IUT stays");
	test_close_ends(test);
	end = xen_raw_open(test);
	check(test, HDB_XEN_003, end_try_greet(end) && end_sanity(end),
	      "the directory was made again, and there is no session");
}

void directory_of_the_suite_goes(struct test *test)
{
	without_directory(test, true);
}

void directory_of_the_iut_goes(struct test *test)
{
	without_directory(test, false);
}

/* ---- one transaction ---------------------------------------------------- */

/**
 * struct observed - how often the IUT's record was seen
 * @path: of its directory
 * @key: one that each record of it has
 * @whole: with all of it
 * @torn: with a part
 */
struct observed {
	char path[XEN_PATH_OCTETS];
	const char *key;
	volatile uint32_t whole;
	volatile uint32_t torn;
};

static bool has_node(struct xs_handle *store, xs_transaction_t in,
		     const char *path, const char *name)
{
	char whole[2 * XEN_PATH_OCTETS];
	unsigned int octets;
	char *value;

	snprintf(whole, sizeof(whole), "%s/%s", path, name);
	value = xs_read(store, in, whole, &octets);
	free(value);
	return value;
}

/* In a transaction that does not fail, all is of the same moment. */
static void observe(void *context)
{
	struct observed *observed = context;
	struct xs_handle *store = xs_open(0);

	while (store) {
		xs_transaction_t in = xs_transaction_start(store);
		bool epoch = has_node(store, in, observed->path, "epoch");
		bool key = has_node(store, in, observed->path, observed->key);

		if (!xs_transaction_end(store, in, false))
			continue;
		if (epoch != key)
			observed->torn++;
		else
			observed->whole++;
	}
}

void published_at_once(struct test *test)
{
	struct observed *observed = mmap(NULL, sizeof(*observed),
					 PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct end *end = xen_raw_connect(test);
	pid_t pid;

	if (observed == MAP_FAILED)
		error(test, "no memory");
	strcpy(observed->path, xen_raw_of(end)->other);
	observed->key = test_iut_role(test) == HDMABUF_FRONTEND ?
				HDMABUF_KEY_CHANNEL :
				HDMABUF_KEY_FEATURES;
	pid = spoil_apart(test, observe, observed);
	for (unsigned int i = 0; i < 5; i++) {
		end_abandon(end);
		if (!end_try_greet(end))
			inconclusive(test, "there is no other session");
	}
	spoil_end(pid);
	comment(test, "seen %u times whole or absent, %u times in part",
		observed->whole, observed->torn);
	if (!observed->whole)
		inconclusive(test, "the record was not seen at all");
	check(test, HDB_XEN_004, !observed->torn,
	      "the record was seen in part, %u times", observed->torn);
	munmap(observed, sizeof(*observed));
}

/* ---- what may stand in a directory -------------------------------------- */

#define NODES 250

static void put_nodes(struct xen_raw *raw, const char *value)
{
	char name[16];

	for (unsigned int i = 0; i < NODES; i++) {
		snprintf(name, sizeof(name), "more-%u", i);
		xen_raw_write(raw, raw->own, name, value,
			      value ? strlen(value) : 0);
	}
}

void many_nodes(struct test *test)
{
	struct end *end = xen_raw_open(test);
	bool connected;

	comment(test, "%u nodes that nobody knows", NODES);
	put_nodes(xen_raw_of(end), "18446744073709551615");
	connected = end_try_greet(end) && end_sanity(end);
	put_nodes(xen_raw_of(end), NULL);
	check(test, HDB_XEN_005, connected,
	      "there are %u nodes in a directory, and no session", NODES);
}

/* ---- values without form ------------------------------------------------ */

#define TWENTY "00000000000000000000"
#define LONG   TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY

static const struct {
	const char *what;
	const char *octets;
	size_t count;
} odd_values[] = {
	{ "of 21 digits", TWENTY "1", 21 },
	{ "of 1600 octets", LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG,
	  1600 },
	{ "with an octet 0", "1\0001", 3 },
	{ "with a newline", "1\n", 2 },
	{ "with an octet 255", "1\377", 2 },
};

/* Whether the IUT takes what was published last for a record. */
static bool is_taken(struct xen_raw *raw)
{
	uint64_t deadline = test_deadline_in(SHORT_MS);

	do {
		if (raw->role == HDMABUF_BACKEND ?
			    xen_raw_number(raw, HDMABUF_KEY_PEER_EPOCH) ==
				    raw->published :
			    xen_raw_here(raw, HDMABUF_BACKEND) !=
				    HDMABUF_XEN_GONE)
			return true;
	} while (test_wait(raw->end->test, deadline));
	return false;
}

static void publish_odd(struct end *end)
{
	if (end->role == HDMABUF_BACKEND) {
		end_publish_offer(end);
		return;
	}
	if (!end_await_offer(end))
		inconclusive(end->test, "the IUT publishes no offer");
	end_make_channel(end);
	end_publish_answer(end);
}

void values_without_form(struct test *test)
{
	struct end *end = xen_raw_open(test);
	struct xen_raw *raw = xen_raw_of(end);

	raw->odd_key = raw->role == HDMABUF_BACKEND ? HDMABUF_KEY_FEATURES :
						      HDMABUF_KEY_CHANNEL;
	for (size_t i = 0; i < COUNT_OF(odd_values); i++) {
		comment(test, "a value %s", odd_values[i].what);
		raw->odd_value = odd_values[i].octets;
		raw->odd_octets = odd_values[i].count;
		publish_odd(end);
		check(test, HDB_XEN_006, !is_taken(raw),
		      "a record with a value %s is taken", odd_values[i].what);
		end->used = 0;
		end_abandon(end);
	}
	raw->odd_key = NULL;
	check(test, HDB_XEN_006, end_try_greet(end) && end_sanity(end),
	      "after such records, one that is in order is not taken");
}

/* ---- states ------------------------------------------------------------- */

void states_mean_nothing(struct test *test)
{
	static const char *const states[] = { "1",  "2", "3",	   "5", "6",
					      "99", "",	 "banana", "4" };
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);

	for (size_t i = 0; i < COUNT_OF(states); i++) {
		xen_raw_write_text(raw, raw->own, "state", states[i]);
		let_pass(test, SHORT_MS / 3);
		require(test, HDB_XEN_007, !end->down && end_sanity(end),
			"a session ends with the state '%s'", states[i]);
	}
}

/* ---- records of the dead ------------------------------------------------ */

/* Whether the IUT answers, or attaches to, what is over. */
static bool deals_with(struct xen_raw *raw, uint64_t epoch)
{
	uint64_t deadline = test_deadline_in(LONG_MS);

	while (test_wait(raw->end->test, deadline))
		if (raw->role == HDMABUF_BACKEND ?
			    xen_raw_number(raw, HDMABUF_KEY_PEER_EPOCH) ==
				    epoch :
			    xen_raw_here(raw, HDMABUF_BACKEND) ==
				    HDMABUF_XEN_HERE)
			return true;
	return false;
}

static void await_down(struct end *end)
{
	uint64_t deadline = test_deadline(end->test);

	while (!end->down && test_wait(end->test, deadline))
		;
	if (!end->down)
		inconclusive(end->test, "the IUT does not see the end");
}

/* Its record is withdrawn after it has left the link. */
static void await_withdrawal(struct xen_raw *raw, uint64_t epoch)
{
	uint64_t deadline = test_deadline(raw->end->test);

	while (xen_raw_number(raw, HDMABUF_KEY_EPOCH) == epoch)
		if (!test_wait(raw->end->test, deadline))
			inconclusive(raw->end->test,
				     "the IUT's record does not change");
}

void stale_record(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	struct xen_raw *raw = xen_raw_of(end);
	uint64_t epoch = end->epoch;

	comment(test, "the suite's end is GONE, as if it was killed");
	xen_raw_set_here(raw, HDMABUF_XEN_GONE);
	await_down(end);
	await_withdrawal(raw, end->peer_epoch);
	check(test, HDB_XEN_008, !deals_with(raw, epoch),
	      "the record of an end that is dead is taken for one");
	test_close_ends(test);
	end = xen_raw_open(test);
	check(test, HDB_XEN_008, end_try_greet(end) && end_sanity(end),
	      "with another epoch, there is no session");
}

void remains_of_who_died(struct test *test)
{
	bool frontend = test_iut_role(test) == HDMABUF_FRONTEND;
	const char *key = frontend ? HDMABUF_XEN_KEY_LINK : HDMABUF_KEY_ERROR;
	struct xen_raw *raw;
	uint64_t deadline, epoch;
	struct end *end;

	test_iut_may_end(test);
	end = xen_raw_connect(test);
	raw = xen_raw_of(end);
	epoch = end->peer_epoch;
	test_iut_kill(test, SIGKILL);
	end_withdraw(end);
	raw->silent = end->silent = true;
	xen_raw_write_text(raw, raw->other, key, "77");
	xen_raw_write_text(raw, raw->other, HDMABUF_KEY_CHANNEL, "77");
	test_start_iut(test);
	deadline = test_start_deadline(test);
	while (xen_raw_number(raw, HDMABUF_KEY_EPOCH) == epoch &&
	       test_wait(test, deadline))
		;
	check(test, HDB_XEN_009,
	      xen_raw_number(raw, HDMABUF_KEY_EPOCH) != epoch,
	      "the record of an IUT that was killed stands there when its successor has started");
	check(test, HDB_XEN_009, xen_raw_number(raw, key) != 77,
	      "the key %s is left of it", key);
	test_close_ends(test);
}

/* ---- values that change ------------------------------------------------- */

/**
 * struct changing - a directory that is written to all the time
 * @raw: whose
 * @store: of the process that writes
 */
struct changing {
	struct xen_raw *raw;
	struct xs_handle *store;
};

static void write_at(const struct changing *changing, const char *name,
		     const char *value, size_t octets)
{
	char path[2 * XEN_PATH_OCTETS];

	snprintf(path, sizeof(path), "%s/%s", changing->raw->own, name);
	xs_write(changing->store, XBT_NULL, path, value, (unsigned int)octets);
}

/* Of either end, and some that the other end has. */
static const char *const changing_names[] = {
	"epoch",	 "peer-epoch", "channel",   "link",	  "link-ref",
	"event-channel", "features",   "use-pages", "version-max"
};

static void change_values(void *context)
{
	struct changing changing = { context, xs_open(0) };
	char value[32];

	for (uint64_t i = 1; changing.store; i++) {
		const char *name = changing_names[i % COUNT_OF(changing_names)];

		snprintf(value, sizeof(value), "%" PRIu64,
			 i * 0x9e3779b97f4a7c15u >> i % 64);
		if (i % 7)
			write_at(&changing, name, value, strlen(value));
		else
			write_at(&changing, name, LONG LONG, sizeof(LONG LONG));
	}
}

void values_that_change(struct test *test)
{
	struct end *end = xen_raw_connect(test);
	pid_t pid = spoil_apart(test, change_values, xen_raw_of(end));

	comment(test, "all values of the record change all the time");
	let_pass(test, LONG_MS);
	spoil_end(pid);
	for (size_t i = 0; i < COUNT_OF(changing_names); i++)
		xen_raw_write(xen_raw_of(end), xen_raw_of(end)->own,
			      changing_names[i], NULL, 0);
	check(test, HDB_BOTH_063, test_iut_is_running(test),
	      "values change all the time, and the IUT has ended");
	test_close_ends(test);
	end = xen_raw_open(test);
	check(test, HDB_BOTH_063, end_try_greet(end) && end_sanity(end),
	      "after values that changed all the time there is no session");
}
