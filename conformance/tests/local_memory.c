/* SPDX-License-Identifier: MIT */
/* local_memory.c - the binding "local": GRANT and REVOKE, and the memory behind them */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "conformance/internal.h"
#include "conformance/tests/local_raw.h"
#include "conformance/tests/tests.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* References of grants that the IUT has to look at. */
#define FIRST 5000
#define COUNT 4
#define PAGES 8

/* ---- memory of all kinds ------------------------------------------------- */

enum kind {
	SEALED,
	UNSEALED,
	GROW_SEALED,
	HALF_A_PAGE_MORE,
	A_FILE,
	A_PIPE,
	A_SOCKET,
	AN_EVENTFD,
	A_FOLDER,
	ZEROS,
	A_PATH,
	READER,
	WRITER,
};

static int make_pipe_end(struct test *test)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		error(test, "no pipe");
	close(fds[0]);
	return fds[1];
}

static int make_file(struct test *test)
{
	int fd = open(test->setup->folder ? test->setup->folder : "/tmp",
		      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)(PAGES * page_size())))
		error(test, "no file: %s", strerror(errno));
	return fd;
}

static int make_kind(struct test *test, enum kind kind)
{
	switch (kind) {
	case UNSEALED:
		return memory_make(test, PAGES * page_size(), 0);
	case GROW_SEALED:
		return memory_make(test, PAGES * page_size(),
				   F_SEAL_GROW | F_SEAL_SEAL);
	case HALF_A_PAGE_MORE:
		return memory_make(test, PAGES * page_size() + page_size() / 2,
				   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	case A_FILE:
		return make_file(test);
	case A_PIPE:
		return make_pipe_end(test);
	case A_SOCKET:
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case AN_EVENTFD:
		return eventfd(0, EFD_CLOEXEC);
	case A_FOLDER:
		return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case ZEROS:
		return open("/dev/zero", O_RDWR | O_CLOEXEC);
	case A_PATH:
		return memory_reopen(test, memory_make_pages(test, PAGES),
				     O_PATH);
	case READER:
		return memory_reopen(test, memory_make_pages(test, PAGES),
				     O_RDONLY);
	case WRITER:
		return memory_reopen(test, memory_make_pages(test, PAGES),
				     O_WRONLY);
	default:
		return memory_make_pages(test, PAGES);
	}
}

/* ---- grants that have to be refused -------------------------------------- */

/**
 * struct wrong_grant - a GRANT of which something is wrong
 * @what: in words
 * @first: reference
 * @count: of references
 * @offset: in the memory
 * @kind: of the memory
 */
struct wrong_grant {
	const char *what;
	uint32_t first;
	uint32_t count;
	uint64_t offset;
	enum kind kind;
};

/* With FIRST to FIRST + COUNT - 1 in use. */
static const struct wrong_grant wrong_numbers[] = {
	{ "of reference 0", 0, 1, 0, SEALED },
	{ "of references from 0 on", 0, 2, 0, SEALED },
	{ "of references that pass 2^32 - 1", UINT32_MAX, 2, 0, SEALED },
	{ "of references that pass 2^32 - 1 by far", UINT32_MAX - 1, UINT32_MAX,
	  0, SEALED },
	{ "of the references that are in use", FIRST, COUNT, 0, SEALED },
	{ "of the first reference in use", FIRST, 1, 0, SEALED },
	{ "of the last reference in use", FIRST + COUNT - 1, 1, 0, SEALED },
	{ "of references of which the last is in use", FIRST - 3, 4, 0,
	  SEALED },
	{ "of references of which the first is in use", FIRST + COUNT - 1, 4, 0,
	  SEALED },
	{ "of references around those in use", FIRST - 1, COUNT + 2, 0,
	  SEALED },
	{ "of references amid those in use", FIRST + 1, 2, 0, SEALED },
};

static const struct wrong_grant wrong_memories[] = {
	{ "of a memfd without seals", FIRST + 100, COUNT, 0, UNSEALED },
	{ "of a memfd that cannot grow, but shrink", FIRST + 100, COUNT, 0,
	  GROW_SEALED },
	{ "of a page more than there are", FIRST + 100, PAGES + 1, 0, SEALED },
	{ "of pages of which the last one is too far", FIRST + 100, COUNT,
	  (PAGES - COUNT + 1) << 12, SEALED },
	{ "of half a page", FIRST + 100, PAGES + 1, 0, HALF_A_PAGE_MORE },
	{ "of a page behind the end", FIRST + 100, 1, PAGES << 12, SEALED },
	{ "with an offset of 2^62", FIRST + 100, 1, 1ull << 62, SEALED },
	{ "with an offset of 2^63", FIRST + 100, 1, 1ull << 63, SEALED },
	{ "that passes 2^64 octets", FIRST + 100, COUNT, -1ull << 12, SEALED },
	{ "of a file", FIRST + 100, COUNT, 0, A_FILE },
	{ "of a pipe", FIRST + 100, COUNT, 0, A_PIPE },
	{ "of a socket", FIRST + 100, COUNT, 0, A_SOCKET },
	{ "of an eventfd", FIRST + 100, COUNT, 0, AN_EVENTFD },
	{ "of a folder", FIRST + 100, COUNT, 0, A_FOLDER },
	{ "of /dev/zero", FIRST + 100, COUNT, 0, ZEROS },
	{ "of a memfd that is only a path", FIRST + 100, COUNT, 0, A_PATH },
};

static void send_kind(struct raw *raw, const struct wrong_grant *grant,
		      uint32_t rights)
{
	int fd = make_kind(raw->end->test, grant->kind);
	uint64_t offset = grant->offset;
	packet_t packet;

	/* Written for pages of 4096 octets. */
	if (offset >> 12 <= PAGES)
		offset = (offset >> 12) * page_size();
	packet_of_references(packet, HDMABUF_LOCAL_GRANT, grant->first,
			     grant->count);
	wire_put(packet, PACKET_OFFSET, offset);
	wire_put(packet, PACKET_RIGHTS, rights);
	raw_send_packet(raw, packet, fd);
	if (fd >= 0)
		close(fd);
}

static void grant_first(struct raw *raw)
{
	const struct wrong_grant right = { "", FIRST, COUNT, 0, SEALED };

	send_kind(raw, &right, HDMABUF_RIGHTS_READ_WRITE);
}

static void refuse_grants(struct test *test, const struct wrong_grant *wrong,
			  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct raw *raw = raw_of(raw_connect(test));

		grant_first(raw);
		comment(test, "GRANT %s", wrong[i].what);
		send_kind(raw, &wrong[i], HDMABUF_RIGHTS_READ_WRITE);
		require(test, HDB_LOCAL_008, raw_await_end(raw),
			"GRANT %s, and the connection is not closed",
			wrong[i].what);
		raw_start_over(test);
	}
}

static void wrong_references(struct test *test)
{
	refuse_grants(test, wrong_numbers, COUNT_OF(wrong_numbers));
}

static void wrong_memory(struct test *test)
{
	refuse_grants(test, wrong_memories, COUNT_OF(wrong_memories));
}

/* ---- grants that cannot be used ------------------------------------------ */

/* A buffer whose pages are behind a grant that gives too little. */
static void export_over(struct end *end, uint32_t rights)
{
	struct buffer buffer;

	buffer_make(end, &buffer,
		    &(struct plan){ .size = COUNT * page_size(),
				    .rights = rights });
	for (uint64_t i = 0; i < COUNT; i++)
		buffer.references[i] = FIRST + i;
	buffer_list(&buffer);
	if (buffer_export(&buffer, NULL) == HDMABUF_STATUS_OK)
		buffer_hand_off(&buffer, HDMABUF_NO_TIMELINE, 0, NULL);
}

static void use_grant(struct test *test, enum kind kind, uint32_t rights)
{
	const struct wrong_grant grant = { "", FIRST, COUNT, 0, kind };
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);

	send_kind(raw, &grant, rights);
	/* It may be refused as it comes, or when it is mapped. */
	let_pass(test, 20);
	if (!raw->ended)
		export_over(end, rights);
	check(test, HDB_BOTH_063, raw->ended || end_sanity(end),
	      "the IUT does not answer any more");
	raw_start_over(test);
}

static void too_few_rights(struct test *test)
{
	comment(test,
		"memory that is open for reading, to be read and written");
	use_grant(test, READER, HDMABUF_RIGHTS_READ_WRITE);
	comment(test, "memory that is open for writing, to be read");
	use_grant(test, WRITER, HDMABUF_RIGHTS_READ_ONLY);
	comment(test,
		"memory that is open for writing, to be read and written");
	use_grant(test, WRITER, HDMABUF_RIGHTS_READ_WRITE);
}

static void huge_pages(struct test *test)
{
	struct end *end;
	struct raw *raw;
	int fd = memfd_create("huge",
			      MFD_CLOEXEC | MFD_HUGETLB | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, 2 << 20))
		skip(test, "there are no huge pages on this machine");
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	end = raw_connect(test);
	raw = raw_of(end);
	comment(test, "GRANT of huge pages, none of which may be there");
	raw_send_grant(raw, FIRST, COUNT, fd);
	close(fd);
	let_pass(test, 20);
	if (!raw->ended)
		export_over(end, HDMABUF_RIGHTS_READ_WRITE);
	check(test, HDB_BOTH_063, raw->ended || end_sanity(end),
	      "the IUT does not answer any more");
}

/* ---- limits --------------------------------------------------------------- */

/* So many grants more may be on their way before the connection is closed. */
#define SLACK 1024

/*
 * Grants until the connection is closed, or far too much is granted. @next opens the
 * memory of the next GRANT, and closes that of the last one if it is another.
 */
static void grant_until_closed(struct test *test, unsigned int most,
			       uint32_t pages,
			       int (*next)(struct test *test, int fd))
{
	struct raw *raw = raw_of(raw_connect(test));
	uint32_t first = 100000;
	unsigned int granted = 0;
	int fd = next(test, -1);

	raw->quiet = true;
	while (granted < most && !raw->ended &&
	       raw_send_grant(raw, first, pages, fd)) {
		granted++;
		first += pages;
		fd = next(test, fd);
		raw_take(raw);
	}
	close(fd);
	comment(test, "%u grants of %u pages were sent", granted, pages);
	require(test, HDB_LOCAL_005, raw_await_end(raw),
		"%u grants of %u pages, and the connection is not closed",
		granted, pages);
	raw_start_over(test);
}

static int same_memory(struct test *test, int fd)
{
	const uint64_t pages = HDMABUF_LOCAL_PAGES_MAX / 4;

	return fd < 0 ? memory_make_pages(test, pages) : fd;
}

static int other_memory(struct test *test, int fd)
{
	if (fd >= 0)
		close(fd);
	return memory_make_pages(test, 1);
}

static void too_many_grants(struct test *test)
{
	grant_until_closed(test, HDMABUF_LOCAL_GRANTS_MAX + SLACK, 1,
			   same_memory);
}

static void too_many_pages(struct test *test)
{
	grant_until_closed(test, 4 + 16, HDMABUF_LOCAL_PAGES_MAX / 4,
			   same_memory);
}

static void too_many_memories(struct test *test)
{
	grant_until_closed(test, HDMABUF_LOCAL_MEMORIES_MAX + SLACK, 1,
			   other_memory);
}

/* ---- REVOKE --------------------------------------------------------------- */

/* Grants at the borders of what is allowed, each taken back at once. */
static void borders_of_references(struct test *test)
{
	static const struct wrong_grant rights[] = {
		{ "of reference 2^32 - 1", UINT32_MAX, 1, 0, SEALED },
		{ "of references up to 2^32 - 1", UINT32_MAX - 3, 4, 0,
		  SEALED },
		{ "of one reference", FIRST, 1, 0, SEALED },
		{ "of the last page", FIRST, 1, (PAGES - 1) << 12, SEALED },
		{ "of all pages", FIRST, PAGES, 0, SEALED },
		{ "of memory that is open for reading", FIRST, PAGES, 0,
		  READER },
		{ "of whole pages before half a page", FIRST, PAGES, 0,
		  HALF_A_PAGE_MORE },
	};
	struct raw *raw = raw_of(raw_connect(test));

	for (size_t i = 0; i < COUNT_OF(rights); i++) {
		comment(test, "GRANT %s", rights[i].what);
		send_kind(raw, &rights[i],
			  rights[i].kind == READER ? HDMABUF_RIGHTS_READ_ONLY :
						     HDMABUF_RIGHTS_READ_WRITE);
		raw_send_references(raw, HDMABUF_LOCAL_REVOKE, rights[i].first,
				    rights[i].count);
		require(test, HDB_LOCAL_010,
			raw_await_revoked(raw, rights[i].first,
					  rights[i].count),
			"GRANT %s, and REVOKE: REVOKED of the same references does not come",
			rights[i].what);
	}
}

/* The answer names what its REVOKE named, also among many. */
static void many_revokes(struct test *test)
{
	struct raw *raw = raw_of(raw_connect(test));
	int fd = memory_make_pages(test, 16);

	for (uint32_t i = 1; i <= 16; i++)
		raw_send_grant(raw, FIRST + 100 * i, i, fd);
	close(fd);
	for (uint32_t i = 16; i >= 1; i--)
		raw_send_references(raw, HDMABUF_LOCAL_REVOKE, FIRST + 100 * i,
				    i);
	for (uint32_t i = 16; i >= 1; i--)
		check(test, HDB_LOCAL_010,
		      raw_await_revoked(raw, FIRST + 100 * i, i),
		      "REVOKED of %u references from %u on does not come when it is due",
		      i, FIRST + 100 * i);
	check(test, HDB_LOCAL_010, !raw_find(raw, HDMABUF_LOCAL_REVOKED),
	      "REVOKED comes more often than REVOKE");
}

static bool is_mapped(struct raw *raw, const struct hdmabuf_memory *memory)
{
	struct look look;

	look_at(memory->fd, &look);
	return process_maps(raw->pid, look.device, look.inode, false);
}

/* The backend maps the channel for as long as the session lives. */
static void channel_is_revoked(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);
	const struct granted *channel = &raw->granted[0];
	uint32_t first = channel->first, count = channel->count;

	comment(test, "REVOKE of the channel, which is in use");
	raw_send_references(raw, HDMABUF_LOCAL_REVOKE, first, count);
	if (!end_sanity(end))
		inconclusive(test, "the session does not live that long");
	check(test, HDB_LOCAL_010, !raw_find(raw, HDMABUF_LOCAL_REVOKED),
	      "the channel is in use, and REVOKE of it is answered");
	comment(test, "the session ends");
	end_withdraw(end);
	check(test, HDB_LOCAL_010, raw_await_revoked(raw, first, count),
	      "the session is over, and REVOKE of the channel is not answered");
	check(test, HDB_LOCAL_010,
	      !process_is_visible(raw->pid) || !is_mapped(raw, &end->memory),
	      "REVOKE of the channel is answered, and it is still mapped");
	end_abandon(end);
}

static void send_revoke(struct raw *raw, const struct buffer *buffer)
{
	raw_send_references(raw, HDMABUF_LOCAL_REVOKE,
			    (uint32_t)buffer->references[0],
			    (uint32_t)buffer->page_count);
}

static bool await_buffer_revoked(struct raw *raw, const struct buffer *buffer)
{
	return raw_await_revoked(raw, (uint32_t)buffer->references[0],
				 (uint32_t)buffer->page_count);
}

/* A buffer of which the pages are a grant of their own, and nothing else is. */
static void share_alone(struct end *end, struct buffer *buffer)
{
	buffer_share(end, buffer, &(struct plan){ .size = 6 * page_size() });
}

static void buffer_in_use_is_not_revoked(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);
	struct buffer buffer;
	char name[33];

	control(test, "keep on");
	share_alone(end, &buffer);
	buffer_name(&buffer, name);
	control(test, "map %s", name);
	buffer_unexport(&buffer, 0, NULL);
	comment(test, "the buffer is wanted back, and stays mapped");
	send_revoke(raw, &buffer);
	if (!end_sanity(end))
		inconclusive(test, "the session does not live that long");
	check(test, HDB_LOCAL_010, !raw_find(raw, HDMABUF_LOCAL_REVOKED),
	      "the buffer is mapped, and REVOKE of its pages is answered");
	control(test, "release %s", name);
	check(test, HDB_LOCAL_010, await_buffer_revoked(raw, &buffer),
	      "the buffer is unmapped, and REVOKE of its pages is not answered");
	check(test, HDB_LOCAL_010,
	      !process_is_visible(raw->pid) || !is_mapped(raw, buffer.memory),
	      "REVOKE is answered, and the buffer is still mapped");
}

static void revoked_buffer_is_not_mapped(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);
	struct buffer buffer;
	const char *turn = NULL;
	char name[33];

	share_alone(end, &buffer);
	buffer_name(&buffer, name);
	comment(test, "the pages are revoked before the buffer is mapped");
	send_revoke(raw, &buffer);
	if (!await_buffer_revoked(raw, &buffer))
		inconclusive(test, "the IUT has it mapped already");
	control_try(test, "map %s", name);
	/* If it could not be mapped, it may be released by now. */
	if (buffer_hand_off(&buffer, HDMABUF_NO_TIMELINE, 0, NULL) ==
	    HDMABUF_STATUS_OK)
		turn = event_await(test, "turn %s", name);
	check(test, HDB_LOCAL_010, !turn || !strstr(turn, "crc="),
	      "the pages are revoked, and a hand-off is carried out: %s", turn);
	check(test, HDB_LOCAL_010,
	      !process_is_visible(raw->pid) || !is_mapped(raw, buffer.memory),
	      "the pages are revoked, and the buffer is mapped after that");
}

/* ---- what the IUT grants --------------------------------------------------- */

static void channel_is_granted(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);
	uint64_t reference = end->reference;
	size_t grant = 0, record = 0;

	for (size_t i = 0; i < raw->arrived_count; i++) {
		const struct arrived *packet = raw->arrived[i];
		uint64_t type = wire_get(packet->head, PACKET_TYPE);

		if (type == HDMABUF_LOCAL_RECORD && packet->text)
			record = i;
		if (type == HDMABUF_LOCAL_GRANT &&
		    packet == raw_find_grant(raw, reference))
			grant = i;
	}
	check(test, HDB_LOCAL_015, grant && grant < record,
	      "the record names reference %" PRIu64
	      ", and its GRANT is not before it",
	      reference);
	raw_check_grants(raw);
}

static const char *const exports[] = {
	"a size=20000 offset=100",
	"b size=1",
	"c size=20000 rights=read-write",
	"d size=100000 rights=read-write private=1024",
};

static struct their_buffer *take_export(struct end *end, const char *name)
{
	struct their_buffer *buffer;
	const char *status;

	control(end->test, "export %s", name);
	buffer = end_await_buffer(end);
	status = event_await(end->test, "exported %.*s",
			     (int)strcspn(name, " "), name);
	if (!buffer || !status || strcmp(status, "0"))
		inconclusive(end->test, "the IUT does not export '%s'", name);
	return buffer;
}

static void unexport(struct test *test, const char *name)
{
	int length = (int)strcspn(name, " ");

	control(test, "unexport %.*s grace=1000", length, name);
	if (!event_await(test, "released %.*s", length, name))
		inconclusive(test, "the IUT does not release '%.*s'", length,
			     name);
}

static void buffers_are_granted(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);

	for (unsigned int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT_OF(exports); i++)
			end_map_buffer(end, take_export(end, exports[i]),
				       HDMABUF_RIGHTS_READ_ONLY);
		raw_check_grants(raw);
		for (size_t i = COUNT_OF(exports); i > 0; i--)
			unexport(test, exports[i - 1]);
	}
	raw_check_revokes(raw);
}

/* What is named in shared memory, the moment it is seen there. */
static void grants_come_first(struct test *test)
{
	struct end *end = raw_connect(test);
	struct raw *raw = raw_of(end);

	end->serves = false;
	for (unsigned int i = 0; i < 20; i++) {
		struct received *request;
		struct their_buffer *buffer;

		control(test, "export a%u size=9000", i);
		request = end_await_request(end, HDMABUF_OP_EXPORT);
		if (!request)
			inconclusive(test, "the IUT does not export");
		check(test, HDB_LOCAL_015,
		      raw_find_grant(raw, wire_get(request->octets,
						   EXPORT_DESCRIPTOR)),
		      "EXPORT is there, and the GRANT of the descriptor is not");
		end_serve(end, request);
		buffer = end_find_buffer(end, request->octets +
						      wire_offset(EXPORT_ID));
		for (uint64_t j = 0; buffer && j < buffer->pages; j++)
			check(test, HDB_LOCAL_015,
			      raw_find_grant(raw, buffer->references[j]),
			      "EXPORT is there, and the GRANT of page %" PRIu64
			      " is not",
			      j);
	}
	end->serves = true;
}

/* ---- read-only memory ------------------------------------------------------ */

static bool can_be_mapped(int fd, int protection)
{
	void *address = mmap(NULL, page_size(), protection, MAP_SHARED, fd, 0);

	if (address == MAP_FAILED)
		return false;
	munmap(address, page_size());
	return true;
}

static bool can_become_writable(int fd)
{
	void *address = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, fd, 0);
	bool can;

	if (address == MAP_FAILED)
		return false;
	can = !mprotect(address, page_size(), PROT_READ | PROT_WRITE);
	munmap(address, page_size());
	return can;
}

static int open_for_writing(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* All that a process can try that has a descriptor of memory. */
static void try_to_write(struct test *test, int fd)
{
	int other = open_for_writing(fd);

	check(test, HDB_PLAT_004, !can_be_mapped(fd, PROT_READ | PROT_WRITE),
	      "read-only memory can be mapped with write access");
	check(test, HDB_PLAT_004, !can_become_writable(fd),
	      "read-only memory that is mapped can be made writable");
	check(test, HDB_PLAT_004, pwrite(fd, "x", 1, 0) < 0,
	      "read-only memory can be written by a descriptor");
	if (other < 0)
		return;
	check(test, HDB_PLAT_004, !can_be_mapped(other, PROT_READ | PROT_WRITE),
	      "read-only memory that is opened anew can be mapped with write access");
	check(test, HDB_PLAT_004, pwrite(other, "x", 1, 0) < 0,
	      "read-only memory that is opened anew can be written");
	check(test, HDB_PLAT_004,
	      fallocate(other, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			(off_t)page_size()),
	      "a hole can be made in read-only memory");
	close(other);
}

static void check_seals(struct test *test, const struct arrived *grant)
{
	const struct look *look = &grant->look;
	bool kept = look->seals >= 0 && look->seals & F_SEAL_SEAL &&
		    look->seals & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE);

	check(test, HDB_LOCAL_009,
	      look->file_system == DMA_BUF_MAGIC ? look->access == O_RDONLY :
						   kept,
	      "GRANT READ_ONLY of memory with the seals 0x%x",
	      (unsigned int)look->seals);
}

static void read_only_memory(struct test *test)
{
	struct end *end = raw_connect(test);
	struct their_buffer *buffer = take_export(end, "a size=20000");
	struct raw *raw = raw_of(end);
	struct arrived *grant = raw_find_grant(raw, buffer->references[0]);

	if (!grant)
		inconclusive(test, "the page of data is not granted");
	check(test, HDB_LOCAL_009,
	      wire_get(grant->head, PACKET_RIGHTS) == HDMABUF_RIGHTS_READ_ONLY,
	      "a buffer of right READ_ONLY is granted with other rights");
	for (size_t i = 0; i < raw->arrived_count; i++)
		if (wire_get(raw->arrived[i]->head, PACKET_RIGHTS) ==
		    HDMABUF_RIGHTS_READ_ONLY)
			check_seals(test, raw->arrived[i]);
	try_to_write(test, grant->fd);
	check(test, HDB_PLAT_007, ftruncate(grant->fd, 0) < 0,
	      "memory that is shared can be cut off by who it is shared with");
}

/* ---- memory is used once --------------------------------------------------- */

#define SEEN_MAX 256

/**
 * struct seen - all memory that the IUT has granted
 * @first: octet of each grant
 * @end: of each grant
 * @look: at the memory
 * @fd: keeps it, so that its number is not used for another
 * @count: of them
 */
struct seen {
	uint64_t first[SEEN_MAX];
	uint64_t end[SEEN_MAX];
	struct look look[SEEN_MAX];
	int fd[SEEN_MAX];
	size_t count;
};

static void see(struct test *test, struct seen *seen,
		const struct arrived *grant)
{
	uint64_t first = wire_get(grant->head, PACKET_OFFSET);
	uint64_t end =
		first + wire_get(grant->head, PACKET_COUNT) * page_size();

	for (size_t i = 0; i < seen->count; i++)
		check(test, HDB_LOCAL_011,
		      seen->look[i].inode != grant->look.inode ||
			      seen->look[i].device != grant->look.device ||
			      end <= seen->first[i] || seen->end[i] <= first,
		      "memory that was granted before is granted again");
	if (seen->count == SEEN_MAX)
		return;
	seen->first[seen->count] = first;
	seen->end[seen->count] = end;
	seen->look[seen->count] = grant->look;
	seen->fd[seen->count++] = fcntl(grant->fd, F_DUPFD_CLOEXEC, 0);
}

static void see_all(struct seen *seen, const struct raw *raw)
{
	for (size_t i = 0; i < raw->arrived_count; i++)
		if (wire_get(raw->arrived[i]->head, PACKET_TYPE) ==
		    HDMABUF_LOCAL_GRANT)
			see(raw->end->test, seen, raw->arrived[i]);
}

static void forget_seen(struct test *test, struct seen *seen)
{
	if (seen->count < 2)
		inconclusive(test, "the IUT grants too little");
	while (seen->count)
		close(seen->fd[--seen->count]);
}

static void channels_are_new(struct test *test)
{
	struct seen seen = { .count = 0 };

	for (unsigned int i = 0; i < 3; i++) {
		struct end *end = raw_connect(test);

		for (unsigned int j = 0; j < 3; j++) {
			end_abandon(end);
			end_greet(end);
			if (!end_sanity(end))
				inconclusive(test, "the session does not work");
		}
		see_all(&seen, raw_of(end));
		test_close_ends(test);
	}
	forget_seen(test, &seen);
}

static void buffers_are_new(struct test *test)
{
	struct end *end = raw_connect(test);
	struct seen seen = { .count = 0 };

	for (unsigned int i = 0; i < 8; i++) {
		take_export(end, exports[i % COUNT_OF(exports)]);
		unexport(test, exports[i % COUNT_OF(exports)]);
	}
	see_all(&seen, raw_of(end));
	forget_seen(test, &seen);
}

/* ---- limits of the IUT ------------------------------------------------------ */

static void raise_limit(struct test *test)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		error(test, "no limit of descriptors");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 4 * HDMABUF_LOCAL_MEMORIES_MAX)
		skip(test, "a process can have %lu descriptors at most",
		     (unsigned long)limit.rlim_max);
}

/* The suite has room for any number of buffers, and does not map them. */
static void grants_have_limits(struct test *test)
{
	struct end *end;
	struct raw *raw;
	unsigned int count = 0;

	raise_limit(test);
	end = raw_open(test);
	raw = raw_of(end);
	end->greeting.max_buffers = UINT32_MAX;
	end->greeting.max_octets = UINT64_MAX;
	end_greet(end);
	raw->quiet = true;
	end->serves = false;
	while (count < HDMABUF_LOCAL_MEMORIES_MAX + 100 &&
	       control_try(test, "export a%u size=1", count)) {
		struct received *request =
			end_await_request(end, HDMABUF_OP_EXPORT);

		if (!request)
			break;
		end_answer_status(end, request, HDMABUF_STATUS_OK);
		count++;
	}
	end->serves = true;
	comment(test, "the IUT has exported %u buffers", count);
	if (!count)
		inconclusive(test, "the IUT exports nothing");
	raw_check_amount(raw);
}

static const struct test_case cases[] = {
	TEST_LOCAL(
		channel_is_granted,
		"The frontend grants the channel before it publishes its record",
		OF_FRONTEND, 0, HDB_LOCAL_006, HDB_LOCAL_007, HDB_LOCAL_014,
		HDB_LOCAL_015, HDB_LOCAL_016, HDB_LOCAL_017),
	TEST_LOCAL(
		buffers_are_granted,
		"What is granted for a buffer is as it should be, and is taken back as it was given",
		OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_LOCAL_006,
		HDB_LOCAL_007, HDB_LOCAL_014, HDB_LOCAL_016, HDB_LOCAL_017,
		HDB_LOCAL_018),
	TEST_LOCAL(grants_come_first,
		   "What an EXPORT names is granted before it is in the ring",
		   OF_BOTH, OPTION_CONTROL, HDB_LOCAL_015),
	TEST_LOCAL(grants_have_limits,
		   "However much is exported, no more is granted than may be",
		   OF_BOTH, OPTION_CONTROL, HDB_LOCAL_014),
	TEST_LOCAL(
		read_only_memory,
		"Memory that is shared read-only cannot be written, whatever is tried",
		OF_BOTH, OPTION_CONTROL | OPTION_EVENTS, HDB_LOCAL_009,
		HDB_PLAT_004, HDB_PLAT_007),
	TEST_LOCAL(channels_are_new,
		   "Memory of a channel is never that of another", OF_FRONTEND,
		   0, HDB_LOCAL_011),
	TEST_LOCAL(buffers_are_new,
		   "Memory of a buffer is never that of another", OF_BOTH,
		   OPTION_CONTROL | OPTION_EVENTS, HDB_LOCAL_011),
	TEST_LOCAL(
		wrong_references,
		"GRANT of references that cannot be given ends the connection",
		OF_BOTH, 0, HDB_LOCAL_008),
	TEST_LOCAL(wrong_memory,
		   "GRANT of what cannot be relied on ends the connection",
		   OF_BOTH, 0, HDB_LOCAL_008),
	TEST_LOCAL(too_few_rights,
		   "Memory that cannot be mapped as its GRANT says does no harm",
		   OF_BOTH, OPTION_IMPORT, HDB_BOTH_063),
	TEST_LOCAL(huge_pages, "Memory of huge pages does no harm", OF_BOTH,
		   OPTION_IMPORT, HDB_BOTH_063),
	TEST_LOCAL(too_many_grants, "Too many grants end the connection",
		   OF_BOTH, 0, HDB_LOCAL_005),
	TEST_LOCAL(too_many_pages,
		   "Grants of too many pages end the connection", OF_BOTH, 0,
		   HDB_LOCAL_005),
	TEST_LOCAL(too_many_memories,
		   "Grants of too many memories end the connection", OF_BOTH, 0,
		   HDB_LOCAL_005),
	TEST_LOCAL(borders_of_references,
		   "All that may be granted can be revoked", OF_BOTH, 0,
		   HDB_LOCAL_010),
	TEST_LOCAL(many_revokes, "Each REVOKE is answered, once", OF_BOTH, 0,
		   HDB_LOCAL_010),
	TEST_LOCAL(channel_is_revoked,
		   "REVOKE of the channel is answered when the session is over",
		   OF_BACKEND, 0, HDB_LOCAL_010),
	TEST_LOCAL(buffer_in_use_is_not_revoked,
		   "REVOKE of a buffer is answered when it is unmapped",
		   OF_BOTH, OPTION_IMPORT | OPTION_CONTROL, HDB_LOCAL_010),
	TEST_LOCAL(revoked_buffer_is_not_mapped,
		   "After REVOKE a buffer is not mapped any more", OF_BOTH,
		   OPTION_IMPORT | OPTION_CONTROL | OPTION_EVENTS,
		   HDB_LOCAL_010),
};

TEST_GROUP(local_memory, cases);
