/* SPDX-License-Identifier: MIT */
/* Packets that are wrong: who sends one is cut off, and nobody else notices. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "local_raw.h"

#define SHORT	     "a packet that is too short"
#define LONG	     "a packet that is too long"
#define SIZE	     "a packet of the wrong size"
#define UNKNOWN	     "a packet of an unknown type"
#define ZERO	     "a packet with a field that must be zero"
#define NUMBER	     "a packet with the wrong number of descriptors"
#define LONG_RECORD  "a record that is too long"
#define NO_REFERENCE "GRANT of no reference"
#define PASSES	     "GRANT of references that pass the largest"
#define IN_USE	     "GRANT of a reference that is in use"
#define NOT_THERE    "GRANT of pages that the memory does not have"
#define SHRINKS	     "GRANT of a memfd that may shrink"
#define NO_RIGHT     "GRANT of rights that the descriptor does not have"
#define NO_MEMORY    "GRANT of what is neither a memfd nor a dma-buf"
#define NO_GRANT     "REVOKE of what is not one grant"
#define NO_EVENT     "ATTACH with what is no eventfd (or there is no /proc)"
#define TOO_MANY \
	"a packet with too many descriptors, or " \
	"more than this process may open"

#define RECORD_MAX HDMABUF_LOCAL_RECORD_OCTETS

#define THIS	  .version = 1, .page_shift = 12
#define ONE	  .first = 1, .count = 1
#define TEN_TO_13 .first = 10, .count = 4

/*
 * The peer has granted the references 10 to 13.  @size is the octets sent, if not
 * those of the packet; @early is sent before ATTACH.
 */
#define SAID(what, passes, ...) \
	{ \
		.said = what, .passed = passes, .packet = { __VA_ARGS__ } \
	}
#define SAID_EARLY(what, passes, ...) \
	{ \
		.said = what, .passed = passes, .early = true, .packet = { \
			__VA_ARGS__ \
		} \
	}
#define SAID_SIZED(what, octets, passes, ...) \
	{ \
		.said = what, .passed = passes, .size = octets, .packet = { \
			__VA_ARGS__ \
		} \
	}

static const struct wrong_packet {
	const char *said;
	struct local_packet packet;
	enum passed passed;
	size_t size;
	bool early;
} wrong_packets[] = {
	SAID_SIZED(SHORT, 39, NOTHING, .type = RECORD),
	SAID_SIZED(SHORT, 1, NOTHING, .type = RECORD),
	SAID_SIZED(SHORT, 8, EVENT, .type = ATTACH),
	SAID(UNKNOWN, NOTHING, .type = 0),
	SAID(UNKNOWN, NOTHING, .type = 7),
	SAID(UNKNOWN, EVENT, .type = UINT32_MAX),

	SAID(ZERO, NOTHING, .type = RECORD, .version = 1),
	SAID(ZERO, NOTHING, .type = RECORD, .page_shift = 12),
	SAID(ZERO, NOTHING, .type = RECORD, .first = 1),
	SAID(ZERO, NOTHING, .type = RECORD, .count = 1),
	SAID(ZERO, NOTHING, .type = RECORD, .offset = PAGE),
	SAID(ZERO, NOTHING, .type = RECORD, .rights = 1),
	SAID(ZERO, NOTHING, .type = REVOKE, TEN_TO_13, .rights = 2),
	SAID(ZERO, NOTHING, .type = REVOKE, TEN_TO_13, .offset = PAGE),
	SAID_SIZED(ZERO, 41, NOTHING, .type = REVOKE, TEN_TO_13, .length = 1),
	SAID(ZERO, NOTHING, .type = REVOKED, TEN_TO_13, .version = 1),
	SAID(ZERO, NOTHING, .type = LEAVE, TEN_TO_13),
	SAID(ZERO, MEMORY, .type = GRANT, ONE, .rights = 2, .version = 1),
	SAID_EARLY(ZERO, EVENT, .type = ATTACH, THIS, .first = 1),

	SAID_SIZED(LONG_RECORD, 40 + RECORD_MAX, NOTHING, .type = RECORD,
		   .length = RECORD_MAX + 1),
	SAID(LONG_RECORD, NOTHING, .type = RECORD, .length = UINT32_MAX - 39),
	SAID_SIZED(LONG, 41 + RECORD_MAX, NOTHING, .type = RECORD,
		   .length = RECORD_MAX),
	SAID_SIZED(LONG, 4000, MEMORY, .type = GRANT, ONE, .rights = 2),
	SAID_SIZED(SIZE, 49, NOTHING, .type = RECORD, .length = 10),
	SAID_SIZED(SIZE, 51, NOTHING, .type = RECORD, .length = 10),
	SAID_SIZED(SIZE, 44, NOTHING, .type = LEAVE),

	SAID(NUMBER, EVENT, .type = RECORD),
	SAID(NUMBER, MEMORY, .type = REVOKE, TEN_TO_13),
	SAID(NUMBER, EVENT, .type = LEAVE),
	SAID(NUMBER, NOTHING, .type = GRANT, ONE, .rights = 2),
	SAID(NUMBER, TWO_MEMORIES, .type = GRANT, ONE, .rights = 2),
	SAID(TOO_MANY, MANY_MEMORIES, .type = GRANT, ONE, .rights = 2),
	SAID_EARLY(NUMBER, NOTHING, .type = ATTACH, THIS),
	SAID_EARLY(NUMBER, TWO_EVENTS, .type = ATTACH, THIS),

	SAID_EARLY("ATTACH with an unknown version", EVENT, .type = ATTACH,
		   .version = 2, .page_shift = 12),
	SAID_EARLY("ATTACH with an unknown version", EVENT, .type = ATTACH,
		   .version = 0, .page_shift = 12),
	SAID_EARLY("ATTACH with another page size", EVENT, .type = ATTACH,
		   .version = 1, .page_shift = 13),
	SAID_EARLY(NO_EVENT, PIPE, .type = ATTACH, THIS),
	SAID_EARLY(NO_EVENT, MEMORY, .type = ATTACH, THIS),
	SAID_EARLY("a packet before ATTACH", NOTHING, .type = RECORD),
	SAID_EARLY("a packet before ATTACH", NOTHING, .type = LEAVE),
	SAID_EARLY("a packet before ATTACH", MEMORY, .type = GRANT, ONE,
		   .rights = 2),
	SAID("a second ATTACH", EVENT, .type = ATTACH, THIS),

	SAID(NO_REFERENCE, MEMORY, .type = GRANT, .count = 1, .rights = 2),
	SAID(NO_REFERENCE, MEMORY, .type = GRANT, .first = 1, .rights = 2),
	SAID(PASSES, MEMORY, .type = GRANT, .first = UINT32_MAX, .count = 2,
	     .rights = 2),
	SAID(PASSES, MEMORY, .type = GRANT, .first = 2, .count = UINT32_MAX,
	     .rights = 2),
	SAID(IN_USE, MEMORY, .type = GRANT, TEN_TO_13, .rights = 2),
	SAID(IN_USE, MEMORY, .type = GRANT, .first = 13, .count = 1,
	     .rights = 2),
	SAID(IN_USE, MEMORY, .type = GRANT, .first = 8, .count = 3,
	     .rights = 2),
	SAID(IN_USE, MEMORY, .type = GRANT, .first = 1, .count = UINT32_MAX,
	     .rights = 2),
	SAID("GRANT with unknown rights", MEMORY, .type = GRANT, ONE),
	SAID("GRANT with unknown rights", MEMORY, .type = GRANT, ONE,
	     .rights = 3),
	SAID("GRANT with an offset within a page", MEMORY, .type = GRANT, ONE,
	     .rights = 2, .offset = 1),
	SAID("GRANT with an offset within a page", MEMORY, .type = GRANT, ONE,
	     .rights = 2, .offset = PAGE / 2),
	SAID(NOT_THERE, MEMORY, .type = GRANT, .first = 1, .count = 5,
	     .rights = 2),
	SAID(NOT_THERE, MEMORY, .type = GRANT, ONE, .rights = 2,
	     .offset = 4 * PAGE),
	SAID(NOT_THERE, MEMORY, .type = GRANT, ONE, .rights = 2,
	     .offset = -(uint64_t)PAGE),
	SAID("grants of more pages than may be", MEMORY, .type = GRANT,
	     .first = 100, .count = HDMABUF_LOCAL_PAGES_MAX + 1, .rights = 2),

	SAID(SHRINKS, UNSEALED, .type = GRANT, ONE, .rights = 2),
	SAID(SHRINKS, GROWING_ONLY, .type = GRANT, ONE, .rights = 1),
	SAID(NO_RIGHT, READER, .type = GRANT, ONE, .rights = 2),
	SAID(NO_RIGHT, WRITER, .type = GRANT, ONE, .rights = 2),
	SAID(NO_RIGHT, WRITER, .type = GRANT, ONE, .rights = 1),
	SAID(NO_MEMORY, PATH_ONLY, .type = GRANT, ONE, .rights = 1),
	SAID(NO_MEMORY, PIPE, .type = GRANT, ONE, .rights = 2),
	SAID(NO_MEMORY, EVENT, .type = GRANT, ONE, .rights = 2),
	SAID(NO_MEMORY, FILE_ON_DISK, .type = GRANT, ONE, .rights = 1),
	SAID(NO_MEMORY, HUGE, .type = GRANT, ONE, .rights = 1),

	SAID(NO_GRANT, NOTHING, .type = REVOKE, ONE),
	SAID(NO_GRANT, NOTHING, .type = REVOKE, .first = 10, .count = 3),
	SAID(NO_GRANT, NOTHING, .type = REVOKE, .first = 11, .count = 3),
	SAID(NO_GRANT, NOTHING, .type = REVOKE, .first = 10, .count = 5),
	SAID(NO_GRANT, NOTHING, .type = REVOKE),
	SAID("REVOKED for what is not being revoked", NOTHING, .type = REVOKED,
	     TEN_TO_13),
	SAID("REVOKED for what is not being revoked", NOTHING, .type = REVOKED),
};

static void send_wrong(int socket, const struct wrong_packet *wrong)
{
	struct {
		struct hdmabuf_local_packet head;
		uint8_t text[4096];
	} octets = { .head = raw_packet(&wrong->packet) };
	int fds[32];
	size_t count = make_descriptors(wrong->passed, fds);
	size_t size = wrong->size ? wrong->size : sizeof(octets.head);
	size_t i;

	memset(octets.text, 'x', sizeof(octets.text));
	assert_true(raw_send(socket, &octets, size, fds, count));
	for (i = 0; i < count; i++)
		close(fds[i]);
}

static bool there_are_huge_pages(void)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void cuts_off_wrong_packets(void **state)
{
	size_t count = sizeof(wrong_packets) / sizeof(wrong_packets[0]);
	struct scene scene;
	int descriptors;
	size_t i;

	(void)state;
	scene_open(&scene);
	descriptors = count_descriptors();
	for (i = 0; i < count; i++) {
		const struct wrong_packet *wrong = &wrong_packets[i];
		int lines = scene.backend.lines;
		int socket;

		if (wrong->passed == HUGE && !there_are_huge_pages())
			continue;
		socket = hostile_peer(&scene, wrong->early);
		send_wrong(socket, wrong);
		ends_settle(&scene.backend, &scene.honest);
		assert_int_equal(scene.backend.lines, lines + 1);
		check_cut_off(&scene, socket, wrong->said);
		close(socket);
		assert_int_equal(count_descriptors(), descriptors);
		check_honest(&scene);
		scene.backend.ups = 1;
	}
	scene_close(&scene);
}

static void cuts_off_other_packets(void **state)
{
	struct hdmabuf_local_packet packet =
		raw_packet(&(struct local_packet){ .type = RECORD });
	struct scene scene;
	int socket;

	(void)state;
	scene_open(&scene);
	socket = hostile_peer(&scene, false);
	assert_true(raw_send(socket, "", 0, NULL, 0));
	ends_settle(&scene.backend, &scene.honest);
	check_cut_off(&scene, socket, SHORT);
	close(socket);
	socket = hostile_peer(&scene, false);
	packet.magic ^= 1;
	assert_true(raw_send(socket, &packet, sizeof(packet), NULL, 0));
	ends_settle(&scene.backend, &scene.honest);
	check_cut_off(&scene, socket, "a packet with a wrong magic");
	close(socket);
	scene_close(&scene);
}

/* What a privileged end must not be made to write into. */
static void writes_to_eventfds_only(void **state)
{
	struct local_packet packet = { .type = ATTACH,
				       .version = 1,
				       .page_shift = 12 };
	char text[8] = "unharmed";
	struct scene scene;
	int socket, fd;

	(void)state;
	scene_open(&scene);
	fd = memory_fd(8, 0);
	assert_int_equal(pwrite(fd, text, 8, 0), 8);
	socket = hostile_peer(&scene, true);
	assert_true(raw_send_packet(socket, &packet, fd));
	ends_settle(&scene.backend, &scene.honest);
	assert_true(raw_is_cut_off(socket));
	memset(text, 0, sizeof(text));
	assert_int_equal(pread(fd, text, 8, 0), 8);
	assert_memory_equal(text, "unharmed", 8);
	close(fd);
	close(socket);
	scene_close(&scene);
}

static void makes_eventfds_non_blocking(void **state)
{
	struct local_packet packet = { .type = ATTACH,
				       .version = 1,
				       .page_shift = 12 };
	const uint64_t full = UINT64_MAX - 1;
	struct scene scene;
	int socket, fd;

	(void)state;
	scene_open(&scene);
	fd = eventfd(0, EFD_CLOEXEC);
	socket = hostile_peer(&scene, true);
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	assert_true(raw_send_packet(socket, &packet, fd));
	ends_settle(&scene.backend, &scene.honest);
	assert_int_equal(scene.backend.ups, 2);
	assert_int_equal(scene.backend.ops->notify(end_link(&scene.backend)),
			 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	close(socket);
	scene_close(&scene);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cuts_off_wrong_packets),
	cmocka_unit_test(cuts_off_other_packets),
	cmocka_unit_test(writes_to_eventfds_only),
	cmocka_unit_test(makes_eventfds_non_blocking),
};

int main(void)
{
	return hdmabuf_test_run("local-packets", tests,
				sizeof(tests) / sizeof(tests[0]));
}
