/* SPDX-License-Identifier: MIT */
/* local.c - the binding "local": the socket, ATTACH, and packets of any form */
#define _GNU_SOURCE
#include "conformance/internal.h"
#include "conformance/tests/local_raw.h"
#include "conformance/tests/raw.h"
#include "conformance/tests/tests.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* References of packets that are wrong, or about to be. */
#define FIRST 5000
#define COUNT 2

/* ---- descriptors to pass ------------------------------------------------ */

enum passed {
	NOTHING,
	EVENT,
	TWO_EVENTS,
	MANY_EVENTS,
	MEMORY,
	TWO_MEMORIES,
	MANY_MEMORIES,
	UNSEALED,
};

#define MANY 20

static size_t make_descriptors(struct test *test, enum passed passed, int *fds)
{
	static const size_t counts[] = {
		[EVENT] = 1,	[TWO_EVENTS] = 2,   [MANY_EVENTS] = MANY,
		[MEMORY] = 1,	[TWO_MEMORIES] = 2, [MANY_MEMORIES] = MANY,
		[UNSEALED] = 1,
	};
	size_t count = counts[passed];

	for (size_t i = 0; i < count; i++)
		fds[i] = passed <= MANY_EVENTS ?
				 eventfd(0, EFD_CLOEXEC) :
			 passed == UNSEALED ?
				 memory_make(test, 8 * page_size(), 0) :
				 memory_make_pages(test, 8);
	return count;
}

static void close_descriptors(const int *fds, size_t count)
{
	while (count)
		close(fds[--count]);
}

/* ---- packets of which something is wrong --------------------------------- */

/**
 * struct wrong_packet - a packet with one thing that is wrong
 * @what: in words
 * @type: of the packet, that is right otherwise
 * @place: of the field that is changed, or 0
 * @value: that it gets
 * @more: octets that it has too many, or few
 * @passed: descriptors that come with it
 */
struct wrong_packet {
	const char *what;
	uint32_t type;
	unsigned int place;
	uint64_t value;
	int more;
	enum passed passed;
};

static const char text_of_record[] = "colour=blue\n";

/* As it should be; how many octets it has. */
static size_t make_packet(uint32_t type, uint8_t *octets)
{
	packet_of_references(octets, type, 0, 0);
	switch (type) {
	case HDMABUF_LOCAL_ATTACH:
		wire_put(octets, PACKET_VERSION, HDMABUF_LOCAL_VERSION);
		wire_put(octets, PACKET_PAGE_SHIFT,
			 (uint64_t)__builtin_ctzll(page_size()));
		break;
	case HDMABUF_LOCAL_RECORD:
		wire_put(octets, PACKET_LENGTH, strlen(text_of_record));
		memcpy(octets + PACKET_OCTETS, text_of_record,
		       strlen(text_of_record));
		return PACKET_OCTETS + strlen(text_of_record);
	case HDMABUF_LOCAL_GRANT:
		wire_put(octets, PACKET_FIRST, FIRST + 100);
		wire_put(octets, PACKET_COUNT, COUNT);
		break;
	case HDMABUF_LOCAL_REVOKE:
		wire_put(octets, PACKET_FIRST, FIRST);
		wire_put(octets, PACKET_COUNT, COUNT);
		break;
	default:
		break;
	}
	return PACKET_OCTETS;
}

static bool send_wrong(struct raw *raw, const struct wrong_packet *wrong)
{
	static const uint8_t none[PACKET_OCTETS + TEXT_MAX];
	uint8_t octets[sizeof(none)];
	int fds[DESCRIPTORS_MAX];
	size_t count = make_descriptors(raw->end->test, wrong->passed, fds);
	size_t size;
	bool sent;

	memcpy(octets, none, sizeof(octets));
	size = make_packet(wrong->type, octets);
	if (wrong->place)
		wire_put(octets, wrong->place, wrong->value);
	comment(raw->end->test, "%s: %s", packet_name(wrong->type),
		wrong->what);
	sent = raw_send(raw, octets, size + (size_t)wrong->more, fds, count);
	close_descriptors(fds, count);
	return sent;
}

/* What REVOKE in make_packet() is about. */
static void grant_some(struct raw *raw)
{
	int fd = memory_make_pages(raw->end->test, 8);

	raw_send_grant(raw, FIRST, COUNT, fd);
	close(fd);
}

static void check_closed(struct raw *raw, enum clause clause,
			 const char *packet, const char *what)
{
	struct test *test = raw->end->test;

	require(test, clause, raw_await_end(raw),
		"%s: %s; the connection is not closed", packet, what);
	raw_start_over(test);
}

/* Within a session that works, and can be had again after the last packet. */
static void refuse_packets(struct test *test, const struct wrong_packet *wrong,
			   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct raw *raw = raw_of(raw_connect(test));

		grant_some(raw);
		send_wrong(raw, &wrong[i]);
		check_closed(raw, HDB_LOCAL_003, packet_name(wrong[i].type),
			     wrong[i].what);
	}
}

static const struct wrong_packet wrong_heads[] = {
	{ "magic 0", HDMABUF_LOCAL_RECORD, PACKET_MAGIC, 0, 0, NOTHING },
	{ "the magic in the other order", HDMABUF_LOCAL_RECORD, PACKET_MAGIC,
	  0x4844424c, 0, NOTHING },
	{ "a magic with one bit that is wrong", HDMABUF_LOCAL_RECORD,
	  PACKET_MAGIC, HDMABUF_LOCAL_MAGIC ^ 1u << 31, 0, NOTHING },
	{ "type 0", 0, 0, 0, 0, NOTHING },
	{ "type 7", 7, 0, 0, 0, NOTHING },
	{ "type 2^31 + 2", 0x80000002, 0, 0, 0, NOTHING },
	{ "type 2^16 + 4", 0x10004, 0, 0, 0, NOTHING },
	{ "type 2^32 - 1", UINT32_MAX, 0, 0, 0, NOTHING },
};

static void wrong_head(struct test *test)
{
	refuse_packets(test, wrong_heads, COUNT_OF(wrong_heads));
}

static const struct wrong_packet wrong_sizes[] = {
	{ "no octet", HDMABUF_LOCAL_RECORD, 0, 0,
	  -PACKET_OCTETS - (int)sizeof(text_of_record) + 1, NOTHING },
	{ "an octet too few", HDMABUF_LOCAL_REVOKE, 0, 0, -1, NOTHING },
	{ "an octet too many", HDMABUF_LOCAL_REVOKE, 0, 0, 1, NOTHING },
	{ "eight octets", HDMABUF_LOCAL_REVOKE, 0, 0, -32, NOTHING },
	{ "an octet too few", HDMABUF_LOCAL_GRANT, 0, 0, -1, MEMORY },
	{ "an octet too many", HDMABUF_LOCAL_GRANT, 0, 0, 1, MEMORY },
	{ "a text that is an octet shorter than its length says",
	  HDMABUF_LOCAL_RECORD, 0, 0, -1, NOTHING },
	{ "a text that is an octet longer than its length says",
	  HDMABUF_LOCAL_RECORD, 0, 0, 1, NOTHING },
	{ "length 0, and a text", HDMABUF_LOCAL_RECORD, PACKET_LENGTH, 0, 0,
	  NOTHING },
	{ "length 2^32 - 1", HDMABUF_LOCAL_RECORD, PACKET_LENGTH, UINT32_MAX, 0,
	  NOTHING },
	{ "a text of 1025 octets", HDMABUF_LOCAL_RECORD, PACKET_LENGTH, 1025,
	  1025 - (int)sizeof(text_of_record) + 1, NOTHING },
	{ "a text of 4000 octets", HDMABUF_LOCAL_RECORD, PACKET_LENGTH, 4000,
	  4000 - (int)sizeof(text_of_record) + 1, NOTHING },
	{ "a text behind it", HDMABUF_LOCAL_REVOKE, PACKET_LENGTH, 8, 8,
	  NOTHING },
};

static void wrong_size(struct test *test)
{
	refuse_packets(test, wrong_sizes, COUNT_OF(wrong_sizes));
}

static const struct wrong_packet wrong_descriptors[] = {
	{ "a descriptor", HDMABUF_LOCAL_RECORD, 0, 0, 0, EVENT },
	{ "twenty descriptors", HDMABUF_LOCAL_RECORD, 0, 0, 0, MANY_EVENTS },
	{ "a descriptor", HDMABUF_LOCAL_REVOKE, 0, 0, 0, MEMORY },
	{ "no descriptor", HDMABUF_LOCAL_GRANT, 0, 0, 0, NOTHING },
	{ "two descriptors", HDMABUF_LOCAL_GRANT, 0, 0, 0, TWO_MEMORIES },
	{ "twenty descriptors", HDMABUF_LOCAL_GRANT, 0, 0, 0, MANY_MEMORIES },
};

static void wrong_number_of_descriptors(struct test *test)
{
	refuse_packets(test, wrong_descriptors, COUNT_OF(wrong_descriptors));
}

static const struct wrong_packet wrong_values[] = {
	{ "a second one", HDMABUF_LOCAL_ATTACH, 0, 0, 0, EVENT },
	{ "no reference", HDMABUF_LOCAL_GRANT, PACKET_COUNT, 0, 0, MEMORY },
	{ "rights 0", HDMABUF_LOCAL_GRANT, PACKET_RIGHTS, 0, 0, MEMORY },
	{ "rights LEND", HDMABUF_LOCAL_GRANT, PACKET_RIGHTS,
	  HDMABUF_RIGHTS_LEND, 0, MEMORY },
	{ "rights 2^31 + 2", HDMABUF_LOCAL_GRANT, PACKET_RIGHTS, 0x80000002, 0,
	  MEMORY },
	{ "an offset within a page", HDMABUF_LOCAL_GRANT, PACKET_OFFSET, 8, 0,
	  MEMORY },
	{ "an offset of 2048", HDMABUF_LOCAL_GRANT, PACKET_OFFSET, 2048, 0,
	  MEMORY },
	{ "an unknown reference", HDMABUF_LOCAL_REVOKE, PACKET_FIRST, 77777, 0,
	  NOTHING },
	{ "reference 0", HDMABUF_LOCAL_REVOKE, PACKET_FIRST, 0, 0, NOTHING },
	{ "no reference", HDMABUF_LOCAL_REVOKE, PACKET_COUNT, 0, 0, NOTHING },
	{ "a part of a grant", HDMABUF_LOCAL_REVOKE, PACKET_COUNT, COUNT - 1, 0,
	  NOTHING },
	{ "more than a grant", HDMABUF_LOCAL_REVOKE, PACKET_COUNT, COUNT + 1, 0,
	  NOTHING },
	{ "the end of a grant", HDMABUF_LOCAL_REVOKE, PACKET_FIRST, FIRST + 1,
	  0, NOTHING },
	{ "a count of 2^32 - 1", HDMABUF_LOCAL_REVOKE, PACKET_COUNT, UINT32_MAX,
	  0, NOTHING },
	{ "what was not revoked", HDMABUF_LOCAL_REVOKED, PACKET_FIRST, 1, 0,
	  NOTHING },
};

static void wrong_value(struct test *test)
{
	refuse_packets(test, wrong_values, COUNT_OF(wrong_values));
}

/* ---- fields without use ------------------------------------------------- */

/* The fields that each type has no use for, and what it comes with. */
static const struct {
	uint32_t type;
	enum passed passed;
	unsigned int places[7];
} unused[] = {
	{ HDMABUF_LOCAL_RECORD,
	  NOTHING,
	  { PACKET_VERSION, PACKET_PAGE_SHIFT, PACKET_FIRST, PACKET_COUNT,
	    PACKET_OFFSET, PACKET_RIGHTS } },
	{ HDMABUF_LOCAL_GRANT,
	  MEMORY,
	  { PACKET_VERSION, PACKET_PAGE_SHIFT, PACKET_LENGTH } },
	{ HDMABUF_LOCAL_REVOKE,
	  NOTHING,
	  { PACKET_VERSION, PACKET_PAGE_SHIFT, PACKET_OFFSET, PACKET_RIGHTS,
	    PACKET_LENGTH } },
};

static void fields_without_use(struct test *test)
{
	for (size_t i = 0; i < COUNT_OF(unused); i++)
		for (size_t j = 0; unused[i].places[j]; j++) {
			struct wrong_packet wrong = {
				.what = "a field without use is not 0",
				.type = unused[i].type,
				.place = unused[i].places[j],
				.value = j & 1 ? 1 : page_size(),
				.passed = unused[i].passed,
			};

			refuse_packets(test, &wrong, 1);
		}
}

/* ---- ATTACH -------------------------------------------------------------- */

/* All packets of the IUT since the connection was made. */
static size_t count_packets(const struct raw *raw, uint32_t type)
{
	size_t count = 0;

	for (size_t i = 0; i < raw->arrived_count; i++)
		count += wire_get(raw->arrived[i]->head, PACKET_TYPE) == type;
	return count;
}

static bool is_eventfd(int fd)
{
	static const char name[] = "anon_inode:[eventfd]";
	char path[64], target[sizeof(name)] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target)) == sizeof(name) - 1 &&
	       !memcmp(target, name, sizeof(name) - 1);
}

static void attach_comes_first(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);
	const struct arrived *first = raw->arrived[0];

	check(test, HDB_LOCAL_002,
	      wire_get(first->head, PACKET_TYPE) == HDMABUF_LOCAL_ATTACH,
	      "the first packet is %s",
	      packet_name((uint32_t)wire_get(first->head, PACKET_TYPE)));
	check(test, HDB_LOCAL_002,
	      first->descriptors == 1 && is_eventfd(first->fd),
	      "ATTACH carries %u descriptors, or not an eventfd",
	      first->descriptors);
	check(test, HDB_LOCAL_002,
	      wire_get(first->head, PACKET_VERSION) == HDMABUF_LOCAL_VERSION &&
		      1ull << wire_get(first->head, PACKET_PAGE_SHIFT) ==
			      page_size(),
	      "ATTACH does not have version 1 and the page size of the machine");
	comment(test, "another session over the same connection");
	end_abandon(end);
	end_greet(end);
	if (!end_sanity(end))
		inconclusive(test, "the second session does not work");
	check(test, HDB_LOCAL_002,
	      count_packets(raw, HDMABUF_LOCAL_ATTACH) == 1,
	      "ATTACH came %zu times",
	      count_packets(raw, HDMABUF_LOCAL_ATTACH));
}

static void attach_is_first(struct test *test)
{
	static const struct wrong_packet others[] = {
		{ "before ATTACH", HDMABUF_LOCAL_RECORD, 0, 0, 0, NOTHING },
		{ "before ATTACH", HDMABUF_LOCAL_GRANT, 0, 0, 0, MEMORY },
		{ "before ATTACH", HDMABUF_LOCAL_REVOKE, 0, 0, 0, NOTHING },
		{ "before ATTACH", HDMABUF_LOCAL_REVOKED, PACKET_FIRST, 1, 0,
		  NOTHING },
	};

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct raw *raw = raw_of(raw_open_silently(test));

		send_wrong(raw, &others[i]);
		check_closed(raw, HDB_LOCAL_003, packet_name(others[i].type),
			     others[i].what);
	}
}

static void refuse_attach(struct test *test, const struct wrong_packet *wrong,
			  enum clause clause)
{
	struct raw *raw = raw_of(raw_open_silently(test));

	send_wrong(raw, wrong);
	check_closed(raw, clause, packet_name(wrong->type), wrong->what);
}

static void wrong_attach(struct test *test)
{
	static const struct wrong_packet wrong[] = {
		{ "no descriptor", HDMABUF_LOCAL_ATTACH, 0, 0, 0, NOTHING },
		{ "two descriptors", HDMABUF_LOCAL_ATTACH, 0, 0, 0,
		  TWO_EVENTS },
		{ "twenty descriptors", HDMABUF_LOCAL_ATTACH, 0, 0, 0,
		  MANY_EVENTS },
		{ "an octet too many", HDMABUF_LOCAL_ATTACH, 0, 0, 1, EVENT },
		{ "an octet too few", HDMABUF_LOCAL_ATTACH, 0, 0, -1, EVENT },
		{ "a first reference", HDMABUF_LOCAL_ATTACH, PACKET_FIRST, 1, 0,
		  EVENT },
		{ "a count", HDMABUF_LOCAL_ATTACH, PACKET_COUNT, 1, 0, EVENT },
		{ "an offset", HDMABUF_LOCAL_ATTACH, PACKET_OFFSET, 4096, 0,
		  EVENT },
		{ "rights", HDMABUF_LOCAL_ATTACH, PACKET_RIGHTS, 1, 0, EVENT },
		{ "a text", HDMABUF_LOCAL_ATTACH, PACKET_LENGTH, 8, 8, EVENT },
		{ "magic 0", HDMABUF_LOCAL_ATTACH, PACKET_MAGIC, 0, 0, EVENT },
	};

	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		refuse_attach(test, &wrong[i], HDB_LOCAL_003);
}

static void other_versions(struct test *test)
{
	struct wrong_packet wrong[] = {
		{ "version 0", HDMABUF_LOCAL_ATTACH, PACKET_VERSION, 0, 0,
		  EVENT },
		{ "version 2", HDMABUF_LOCAL_ATTACH, PACKET_VERSION, 2, 0,
		  EVENT },
		{ "version 2^16 + 1", HDMABUF_LOCAL_ATTACH, PACKET_VERSION,
		  0x10001, 0, EVENT },
		{ "version 2^32 - 1", HDMABUF_LOCAL_ATTACH, PACKET_VERSION,
		  UINT32_MAX, 0, EVENT },
		{ "page_shift 0", HDMABUF_LOCAL_ATTACH, PACKET_PAGE_SHIFT, 0, 0,
		  EVENT },
		{ "pages of half the size", HDMABUF_LOCAL_ATTACH,
		  PACKET_PAGE_SHIFT, 0, 0, EVENT },
		{ "pages of twice the size", HDMABUF_LOCAL_ATTACH,
		  PACKET_PAGE_SHIFT, 0, 0, EVENT },
		{ "page_shift 64", HDMABUF_LOCAL_ATTACH, PACKET_PAGE_SHIFT, 64,
		  0, EVENT },
		{ "page_shift 2^32 - 1", HDMABUF_LOCAL_ATTACH,
		  PACKET_PAGE_SHIFT, UINT32_MAX, 0, EVENT },
	};
	uint64_t shift = (uint64_t)__builtin_ctzll(page_size());

	wrong[5].value = shift - 1;
	wrong[6].value = shift + 1;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		refuse_attach(test, &wrong[i], HDB_LOCAL_023);
}

/* ---- what is passed in place of an eventfd ------------------------------ */

/**
 * struct stand_in - a descriptor that is no eventfd
 * @what: in words
 * @make: it, and the descriptor at which it shows that somebody has written, or -1
 */
struct stand_in {
	const char *what;
	int (*make)(struct test *test, int *witness);
};

static int make_pipe(struct test *test, int *witness)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		error(test, "no pipe");
	*witness = fds[0];
	return fds[1];
}

static int make_socket(struct test *test, int *witness)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		error(test, "no sockets");
	*witness = fds[0];
	return fds[1];
}

static int make_file(struct test *test, int *witness)
{
	int fd = open(test->setup->folder ? test->setup->folder : "/tmp",
		      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memory_make(test, 0, 0);
	*witness = dup(fd);
	return fd;
}

static int make_memory(struct test *test, int *witness)
{
	int fd = memory_make(test, 0, 0);

	*witness = dup(fd);
	return fd;
}

static int make_timer(struct test *test, int *witness)
{
	(void)test;
	*witness = -1;
	return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
}

static int make_epoll(struct test *test, int *witness)
{
	(void)test;
	*witness = -1;
	return epoll_create1(EPOLL_CLOEXEC);
}

static int make_path_only(struct test *test, int *witness)
{
	(void)test;
	*witness = -1;
	return open("/dev/null", O_PATH | O_CLOEXEC);
}

static const struct stand_in stand_ins[] = {
	{ "a pipe", make_pipe },      { "a socket", make_socket },
	{ "a file", make_file },      { "a memfd", make_memory },
	{ "a timer", make_timer },    { "an epoll set", make_epoll },
	{ "a path", make_path_only },
};

static bool was_written(int witness)
{
	struct stat status;
	int ready = 0;

	if (fstat(witness, &status))
		return false;
	if (S_ISREG(status.st_mode))
		return status.st_size;
	return !ioctl(witness, FIONREAD, &ready) && ready;
}

static void pass_stand_in(struct test *test, const struct stand_in *stand_in)
{
	struct end *end = raw_open_silently(test);
	struct raw *raw = raw_of(end);
	int witness, fd = stand_in->make(test, &witness);

	comment(test, "%s in place of an eventfd", stand_in->what);
	raw_send_attach(raw, fd);
	close(fd);
	/* If it is taken, here is what it would be written for. */
	if (!raw_await_end(raw))
		end_try_greet(end);
	check(test, HDB_LOCAL_022, witness < 0 || !was_written(witness),
	      "%s came with ATTACH, and was written to", stand_in->what);
	if (witness >= 0)
		close(witness);
	require(test, HDB_LOCAL_003, raw->ended,
		"%s came with ATTACH, and the connection is not closed",
		stand_in->what);
	raw_start_over(test);
}

static void no_eventfd(struct test *test)
{
	for (size_t i = 0; i < COUNT_OF(stand_ins); i++)
		pass_stand_in(test, &stand_ins[i]);
}

/* ---- notification ------------------------------------------------------- */

static bool is_blocking(int fd)
{
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void eventfd_is_made_non_blocking(struct test *test)
{
	struct end *end = raw_open_silently(test);
	struct raw *raw = raw_of(end);
	int flags = fcntl(raw->event, F_GETFL);
	uint64_t full = UINT64_MAX - 1;

	comment(test, "ATTACH with an eventfd that blocks, and is full");
	if (write(raw->event, &full, sizeof(full)) != sizeof(full) ||
	    fcntl(raw->event, F_SETFL, flags & ~O_NONBLOCK))
		error(test, "cannot fill an eventfd");
	raw_send_attach(raw, -1);
	raw_tick(raw);
	end_greet(end);
	check(test, HDB_LOCAL_012, end_sanity(end),
	      "the eventfd is full, and the IUT does not answer");
	check(test, HDB_LOCAL_012, !is_blocking(raw->event),
	      "the eventfd of ATTACH blocks who writes to it");
}

/* Takes from the IUT what it may want to read. */
static void drain_event(struct raw *raw)
{
	uint64_t count;
	struct iovec part = { &count, sizeof(count) };

	if (preadv2(raw->peer_event, &part, 1, -1, RWF_NOWAIT) < 0 &&
	    errno != EAGAIN)
		skip(raw->end->test, "an eventfd cannot be drained here: %s",
		     strerror(errno));
}

/* At most so many that the socket has room for. */
#define BUSY_MAX 60

/*
 * Who reads the eventfd until it is empty is stuck at once. Who reads it once may find
 * nothing if that is taken in between: the IUT may have packets to look after when it
 * is notified. Only packets, which do not write to the eventfd, ask whether it is
 * stuck.
 */
static void notify_and_drain(struct raw *raw, int memory)
{
	struct test *test = raw->end->test;
	unsigned int busy = 1 + (unsigned int)(test_random(test) % BUSY_MAX);
	const uint64_t one = 1;

	raw_send_pairs(raw, FIRST, COUNT, memory, busy);
	if (write(raw->peer_event, &one, sizeof(one)) < 0)
		error(test, "cannot write to an eventfd");
	pause_randomly(test, 300);
	drain_event(raw);
	for (unsigned int i = 0; i < busy; i++)
		require(test, HDB_LOCAL_025,
			raw_await_revoked(raw, FIRST, COUNT),
			"the IUT's eventfd blocks and has nothing to read, and the IUT does not answer REVOKE");
}

static void eventfd_is_not_read(struct test *test)
{
	struct raw *raw = raw_of(raw_connect(test));
	int flags = fcntl(raw->peer_event, F_GETFL);
	int memory = memory_make_pages(test, COUNT);

	comment(test, "the IUT's eventfd blocks who reads it");
	fcntl(raw->peer_event, F_SETFL, flags & ~O_NONBLOCK);
	raw->quiet = true;
	for (unsigned int i = 0; i < 300; i++)
		notify_and_drain(raw, memory);
	raw->quiet = false;
	close(memory);
}

/* ---- descriptors that are not kept -------------------------------------- */

/* A descriptor may be closed a little later than its connection. */
static bool await_descriptors(struct test *test, struct raw *raw,
			      unsigned int most)
{
	uint64_t deadline = test_deadline(test);

	while (process_descriptors(raw->pid) > most) {
		if (now_ms() >= deadline)
			return false;
		test_wait(test, now_ms() + 2);
	}
	return true;
}

/* The same, until the number stays. */
static unsigned int settled_descriptors(struct test *test, struct raw *raw)
{
	unsigned int count = process_descriptors(raw->pid), before;

	if (!count)
		skip(test,
		     "the descriptors of the IUT's process cannot be seen");
	do {
		before = count;
		let_pass(test, 50);
		count = process_descriptors(raw->pid);
	} while (count != before);
	return count;
}

static const struct wrong_packet leaky[] = {
	{ "two descriptors", HDMABUF_LOCAL_GRANT, 0, 0, 0, TWO_MEMORIES },
	{ "twenty descriptors", HDMABUF_LOCAL_RECORD, 0, 0, 0, MANY_EVENTS },
	{ "memory that may shrink", HDMABUF_LOCAL_GRANT, 0, 0, 0, UNSEALED },
	{ "pages that are not there", HDMABUF_LOCAL_GRANT, PACKET_COUNT, 99, 0,
	  MEMORY },
	{ "magic 0 and a descriptor", HDMABUF_LOCAL_GRANT, PACKET_MAGIC, 0, 0,
	  MEMORY },
	{ "an unknown type and a descriptor", 99, 0, 0, 0, EVENT },
	{ "a second one", HDMABUF_LOCAL_ATTACH, 0, 0, 0, EVENT },
};

/* The same process over and over, after a first connection that is in order. */
static void descriptors_are_closed(struct test *test)
{
	struct raw *raw = raw_of(raw_connect(test));
	unsigned int most;
	pid_t pid = raw->pid;

	grant_some(raw);
	test_close_ends(test);
	raw = raw_of(raw_open(test));
	most = settled_descriptors(test, raw);
	for (size_t i = 0; i < COUNT_OF(leaky); i++) {
		grant_some(raw);
		send_wrong(raw, &leaky[i]);
		if (!raw_await_end(raw))
			inconclusive(test, "the connection is not closed");
		test_close_ends(test);
		raw = raw_of(raw_open(test));
		if (raw->pid != pid)
			inconclusive(test, "the IUT is another process now");
		require(test, HDB_LOCAL_004, await_descriptors(test, raw, most),
			"%s with %s: %u descriptors before, %u after",
			packet_name(leaky[i].type), leaky[i].what, most,
			process_descriptors(raw->pid));
	}
}

/* ---- peers that take too much ------------------------------------------- */

static void silent_connection(struct test *test)
{
	struct raw *raw = raw_of(raw_open_silently(test));
	uint64_t began = now_ms();

	comment(test, "a connection over which nothing comes");
	while (!raw->ended && test_wait(test, began + 10000))
		;
	check(test, HDB_LOCAL_013, raw->ended,
	      "no ATTACH has come for ten seconds, and the connection is still there");
}

static void many_connections(struct test *test)
{
	int sockets[40];
	struct end *end = test_connect(test);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 test->endpoint + strcspn(test->endpoint, ":") + 1);
	comment(test, "forty connections over which nothing comes");
	for (size_t i = 0; i < COUNT_OF(sockets); i++) {
		sockets[i] = socket(
			AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);
		if (connect(sockets[i], (struct sockaddr *)&address,
			    sizeof(address)))
			note(test, SPEAKER_SUITE, "cannot connect: %s",
			     strerror(errno));
		let_pass(test, 2);
	}
	check(test, HDB_BOTH_030, end_sanity(end),
	      "the session of another peer does not work any more");
	end_close(end);
	end = test_open(test);
	check(test, HDB_BOTH_063, end_try_greet(end) && end_sanity(end),
	      "connections without ATTACH keep others out");
	close_descriptors(sockets, COUNT_OF(sockets));
}

/* GRANT and REVOKE, whose answers are not read, until nothing more goes in. */
static void unread_answers(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);
	uint64_t deadline = test_deadline_in(1000);
	int fd = memory_make_pages(test, 8);
	unsigned int count = 0;
	packet_t grant, revoke;

	comment(test, "REVOKE over and over, and REVOKED is not read");
	packet_of_references(grant, HDMABUF_LOCAL_GRANT, FIRST, COUNT);
	packet_of_references(revoke, HDMABUF_LOCAL_REVOKE, FIRST, COUNT);
	raw->quiet = true;
	while (now_ms() < deadline && raw_try_packet(raw, grant, fd) &&
	       raw_try_packet(raw, revoke, -1))
		count++;
	close(fd);
	comment(test, "%u times", count);
	test_close_ends(test);
	end = test_open(test);
	check(test, HDB_BOTH_063, end_try_greet(end) && end_sanity(end),
	      "a peer does not read its socket, and there can be no session after that");
}

/* ---- others ------------------------------------------------------------- */

static const struct wrong_packet harmful[] = {
	{ "magic 0", HDMABUF_LOCAL_RECORD, PACKET_MAGIC, 0, 0, NOTHING },
	{ "a second one", HDMABUF_LOCAL_ATTACH, 0, 0, 0, EVENT },
	{ "memory that may shrink", HDMABUF_LOCAL_GRANT, 0, 0, 0, UNSEALED },
	{ "twenty descriptors", HDMABUF_LOCAL_GRANT, 0, 0, 0, MANY_MEMORIES },
	{ "a part of a grant", HDMABUF_LOCAL_REVOKE, PACKET_COUNT, COUNT - 1, 0,
	  NOTHING },
};

static void others_are_unharmed(struct test *test)
{
	struct end *other = test_connect(test);

	for (size_t i = 0; i < COUNT_OF(harmful); i++) {
		struct end *end = raw_connect(test);
		struct raw *raw = raw_of(end);

		grant_some(raw);
		send_wrong(raw, &harmful[i]);
		if (!raw_await_end(raw))
			inconclusive(test, "the connection is not closed");
		check(test, HDB_BOTH_030, !other->down && end_sanity(other),
		      "%s with %s over one connection harms another",
		      packet_name(harmful[i].type), harmful[i].what);
		end_close(end);
	}
}

/* ---- the socket's place ------------------------------------------------- */

static int listen_at(struct test *test, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 8))
		error(test, "cannot listen at %s: %s", path, strerror(errno));
	return fd;
}

static ino_t inode_at(const char *path)
{
	struct stat status;

	return lstat(path, &status) ? 0 : status.st_ino;
}

/* The same of the first. */
static void let_try(struct test *test)
{
	uint64_t deadline = test_deadline(test);

	test_start_iut(test);
	while (test_iut_is_running(test) && test_wait(test, deadline))
		;
}

static void living_socket_stays(struct test *test)
{
	const char *path = test->endpoint + strcspn(test->endpoint, ":") + 1;
	ino_t inode;
	int fd;

	if (!test->setup->command || test->kept)
		skip(test, "the IUT is there already");
	comment(test, "somebody listens at %s before the IUT is started", path);
	fd = listen_at(test, path);
	inode = inode_at(path);
	let_try(test);
	check(test, HDB_LOCAL_001, inode_at(path) == inode,
	      "somebody listens at the path, and the socket was replaced");
	comment(test, "and now nobody does");
	close(fd);
	test_iut_kill(test, SIGKILL);
	check(test, HDB_LOCAL_001, raw_of(raw_connect(test))->pid != getpid(),
	      "who connects does not come to the backend");
}

/* Until it gives up, or could have done harm for long enough. */
static void let_second_try(struct test *test, struct iut *second)
{
	uint64_t deadline = test_deadline(test);

	while (second->pid && now_ms() < deadline) {
		iut_step(second, test);
		test_wait(test, now_ms() + 5);
	}
}

static void second_backend(struct test *test)
{
	struct iut second = { .in = -1, .out = -1, .err = -1 };
	struct end *end = raw_connect(test);
	pid_t first = raw_of(end)->pid;

	if (!test->setup->command)
		skip(test, "the IUT is not a process of ours");
	comment(test, "a second backend is started at the same place");
	if (iut_start(&second, test->setup, test->endpoint))
		error(test, "cannot start a second IUT");
	let_second_try(test, &second);
	iut_stop(&second, test);
	check(test, HDB_LOCAL_001, end_sanity(end),
	      "the session of the first backend does not work any more");
	test_close_ends(test);
	check(test, HDB_LOCAL_001, raw_of(raw_connect(test))->pid == first,
	      "who connects does not come to the first backend");
}

static const struct test_case cases[] = {
	TEST_LOCAL(living_socket_stays,
		   "A socket is replaced only if nobody listens on it",
		   OF_BACKEND, 0, HDB_LOCAL_001),
	TEST_LOCAL(second_backend,
		   "A second backend does not take the place of the first",
		   OF_BACKEND, 0, HDB_LOCAL_001),
	TEST_LOCAL(attach_comes_first, "ATTACH comes first, and once", OF_BOTH,
		   0, HDB_LOCAL_002),
	TEST_LOCAL(
		attach_is_first,
		"A connection that begins with another packet than ATTACH is closed",
		OF_BOTH, 0, HDB_LOCAL_003),
	TEST_LOCAL(wrong_attach, "ATTACH of a wrong form ends the connection",
		   OF_BOTH, 0, HDB_LOCAL_003),
	TEST_LOCAL(
		other_versions,
		"ATTACH with another version or page size ends the connection",
		OF_BOTH, 0, HDB_LOCAL_023),
	TEST_LOCAL(
		no_eventfd,
		"What is no eventfd is not written to, and ends the connection",
		OF_BOTH, 0, HDB_LOCAL_022, HDB_LOCAL_003),
	TEST_LOCAL(silent_connection,
		   "A connection without ATTACH is dropped after a while",
		   OF_BOTH, 0, HDB_LOCAL_013),
	TEST_LOCAL(wrong_head,
		   "A packet with a wrong magic or type ends the connection",
		   OF_BOTH, 0, HDB_LOCAL_003),
	TEST_LOCAL(wrong_size, "A packet of a wrong size ends the connection",
		   OF_BOTH, 0, HDB_LOCAL_003),
	TEST_LOCAL(
		wrong_number_of_descriptors,
		"A packet with too many or few descriptors ends the connection",
		OF_BOTH, 0, HDB_LOCAL_003),
	TEST_LOCAL(
		wrong_value,
		"A packet with a value that is not allowed ends the connection",
		OF_BOTH, 0, HDB_LOCAL_003),
	TEST_LOCAL(fields_without_use,
		   "A field without use that is not zero ends the connection",
		   OF_BOTH, 0, HDB_LOCAL_003),
	TEST_LOCAL(descriptors_are_closed,
		   "Descriptors that are not kept are closed", OF_BOTH, 0,
		   HDB_LOCAL_004),
	TEST_LOCAL(eventfd_is_made_non_blocking,
		   "Whatever the eventfd of a peer is like, it blocks nobody",
		   OF_BOTH, 0, HDB_LOCAL_012),
	TEST_LOCAL(eventfd_is_not_read,
		   "The own eventfd may block who reads it", OF_BOTH, 0,
		   HDB_LOCAL_025),
	TEST_LOCAL(unread_answers,
		   "A peer that does not read its socket does no harm", OF_BOTH,
		   0, HDB_BOTH_063),
	TEST_LOCAL(many_connections,
		   "Connections over which nothing comes keep nobody out",
		   OF_BACKEND, OPTION_MANY, HDB_BOTH_030, HDB_BOTH_063),
	TEST_LOCAL(others_are_unharmed,
		   "Wrong packets over one connection do not harm another",
		   OF_BACKEND, OPTION_MANY, HDB_BOTH_030),
};

TEST_GROUP(local, cases);
