/* SPDX-License-Identifier: MIT */
/*
 * local_raw.h - a peer made of packets, for the tests of the local platform
 */
#ifndef HDMABUF_PLATFORM_LOCAL_RAW_H
#define HDMABUF_PLATFORM_LOCAL_RAW_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/un.h>

#include "local.h"
#include "local_ends.h"

#define ATTACH	HDMABUF_LOCAL_ATTACH
#define RECORD	HDMABUF_LOCAL_RECORD
#define GRANT	HDMABUF_LOCAL_GRANT
#define REVOKE	HDMABUF_LOCAL_REVOKE
#define REVOKED HDMABUF_LOCAL_REVOKED
#define LEAVE	HDMABUF_LOCAL_LEAVE

/* Fewer connections than there may be by default. */
static inline void end_bound_links(struct end *end, unsigned int links)
{
	((struct local_endpoint *)end->platform.endpoint)->links_max = links;
}

static inline int raw_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Returns false if there is no room. */
static inline bool raw_send(int socket, const void *octets, size_t size,
			    const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(32 * sizeof(int))];
	} control;
	struct iovec part = { (void *)octets, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	memset(&control, 0, sizeof(control));
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, count * sizeof(int));
	}
	if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	assert_int_equal(errno, EAGAIN);
	return false;
}

static inline struct hdmabuf_local_packet
raw_packet(const struct local_packet *native)
{
	return (struct hdmabuf_local_packet){
		.magic = hdmabuf_put_le32(HDMABUF_LOCAL_MAGIC),
		.type = hdmabuf_put_le32(native->type),
		.version = hdmabuf_put_le32(native->version),
		.page_shift = hdmabuf_put_le32(native->page_shift),
		.first = hdmabuf_put_le32(native->first),
		.count = hdmabuf_put_le32(native->count),
		.offset = hdmabuf_put_le64(native->offset),
		.rights = hdmabuf_put_le32(native->rights),
		.length = hdmabuf_put_le32(native->length),
	};
}

static inline bool raw_send_packet(int socket,
				   const struct local_packet *native, int fd)
{
	struct hdmabuf_local_packet packet = raw_packet(native);

	return raw_send(socket, &packet, sizeof(packet), &fd, fd >= 0);
}

static inline void raw_attach(int socket)
{
	struct local_packet packet = { .type = HDMABUF_LOCAL_ATTACH,
				       .version = 1,
				       .page_shift = 12 };
	int fd = eventfd(0, EFD_CLOEXEC);

	assert_true(raw_send_packet(socket, &packet, fd));
	close(fd);
}

static inline bool raw_grant(int socket, uint32_t first, uint32_t count, int fd)
{
	struct local_packet packet = { .type = HDMABUF_LOCAL_GRANT,
				       .first = first,
				       .count = count,
				       .rights = READ_WRITE };

	return raw_send_packet(socket, &packet, fd);
}

static inline bool raw_references(int socket, uint32_t type, uint32_t first,
				  uint32_t count)
{
	struct local_packet packet = { .type = type,
				       .first = first,
				       .count = count };

	return raw_send_packet(socket, &packet, -1);
}

/*
 * What comes from the other end: its type, or 0 at the end of the connection; in
 * @fd its descriptor or -1.
 */
static inline uint32_t raw_receive_fd(int socket, int *fd, int flags)
{
	struct hdmabuf_local_packet packet;
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { &packet, sizeof(packet) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	ssize_t size;

	flags |= MSG_CMSG_CLOEXEC;
	size = recvmsg(socket, &message, flags);
	if (size < 0 && errno == ECONNRESET)
		size = recvmsg(socket, &message, flags);
	assert_true(size >= 0);
	header = CMSG_FIRSTHDR(&message);
	*fd = -1;
	if (header)
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return size ? hdmabuf_get_le32(packet.type) : 0;
}

/* What has come, its descriptor closed. */
static inline uint32_t raw_receive(int socket)
{
	int fd;
	uint32_t type = raw_receive_fd(socket, &fd, MSG_DONTWAIT);

	if (fd >= 0)
		close(fd);
	return type;
}

/* What comes next, the same. */
static inline uint32_t raw_wait(int socket)
{
	int fd;
	uint32_t type = raw_receive_fd(socket, &fd, 0);

	if (fd >= 0)
		close(fd);
	return type;
}

static inline bool raw_is_cut_off(int socket)
{
	struct pollfd state = { .fd = socket, .events = POLLRDHUP };

	return poll(&state, 1, 0) > 0 && state.revents & POLLRDHUP;
}

static inline int memory_fd(uint64_t octets, int seals)
{
	int fd = memfd_create("raw", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)octets), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static inline int reopen(int fd, int flags)
{
	char path[64];
	int copy;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, flags | O_CLOEXEC);
	assert_true(copy >= 0);
	close(fd);
	return copy;
}

static inline int count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

enum passed {
	NOTHING,
	EVENT,
	TWO_EVENTS,
	PIPE,
	FILE_ON_DISK,
	MEMORY,
	TWO_MEMORIES,
	MANY_MEMORIES,
	UNSEALED,
	GROWING_ONLY,
	READER,
	WRITER,
	PATH_ONLY,
	HUGE
};

static inline size_t make_descriptors(enum passed passed, int *fds)
{
	int sealed = F_SEAL_SHRINK | F_SEAL_GROW;
	size_t i;

	switch (passed) {
	case NOTHING:
		return 0;
	case EVENT:
		fds[0] = eventfd(0, EFD_CLOEXEC);
		return 1;
	case TWO_EVENTS:
		fds[0] = eventfd(0, EFD_CLOEXEC);
		fds[1] = eventfd(0, EFD_CLOEXEC);
		return 2;
	case PIPE:
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		close(fds[0]);
		fds[0] = fds[1];
		return 1;
	case FILE_ON_DISK:
		fds[0] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		return 1;
	case MEMORY:
		fds[0] = memory_fd(4 * PAGE, sealed);
		return 1;
	case TWO_MEMORIES:
	case MANY_MEMORIES:
		for (i = 0; i < (passed == TWO_MEMORIES ? 2 : 20); i++)
			fds[i] = memory_fd(4 * PAGE, sealed);
		return i;
	case UNSEALED:
		fds[0] = memory_fd(4 * PAGE, 0);
		return 1;
	case GROWING_ONLY:
		fds[0] = memory_fd(4 * PAGE, F_SEAL_GROW | F_SEAL_SEAL);
		return 1;
	case READER:
		fds[0] = reopen(memory_fd(4 * PAGE, sealed), O_RDONLY);
		return 1;
	case WRITER:
		fds[0] = reopen(memory_fd(4 * PAGE, sealed), O_WRONLY);
		return 1;
	case PATH_ONLY:
		fds[0] = reopen(memory_fd(4 * PAGE, sealed), O_PATH);
		return 1;
	case HUGE:
		fds[0] = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB |
						      MFD_ALLOW_SEALING);
		if (fds[0] < 0)
			return 0;
		assert_int_equal(ftruncate(fds[0], 4 << 20), 0);
		fcntl(fds[0], F_ADD_SEALS, sealed);
		return 1;
	}
	return 0;
}

/* ---- a backend with an honest frontend ---------------------------------- */

struct scene {
	struct place place;
	struct end backend;
	struct end honest;
	int published;
};

static inline void scene_open(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	place_new(&scene->place);
	end_open(&scene->backend, scene->place.address, HDMABUF_BACKEND);
	scene->backend.on_down = peer_free_link;
	end_open(&scene->honest, scene->place.address, HDMABUF_FRONTEND);
	ends_until(&scene->backend, &scene->honest,
		   scene->backend.ups == 1 && scene->honest.ups == 1);
	ends_settle(&scene->backend, &scene->honest);
}

/* The honest frontend is heard, whatever else goes on. */
static inline void check_honest(struct scene *scene)
{
	char text[32], seen[HDMABUF_LOCAL_RECORD_OCTETS];
	size_t octets;

	snprintf(text, sizeof(text), "epoch=%d\n", ++scene->published);
	end_publish(&scene->honest, text);
	ends_until(&scene->backend, &scene->honest,
		   scene->backend.peers[0].records == scene->published);
	octets = scene->backend.ops->record(scene->backend.peers[0].link, seen,
					    sizeof(seen));
	assert_int_equal(octets, strlen(text));
	assert_memory_equal(seen, text, octets);
	assert_int_equal(scene->honest.peers[0].downs, 0);
}

static inline void scene_close(struct scene *scene)
{
	struct end late;

	check_honest(scene);
	end_open(&late, scene->place.address, HDMABUF_FRONTEND);
	ends_until(&scene->backend, &late, late.ups == 1);
	end_close(&late);
	end_close(&scene->honest);
	end_close(&scene->backend);
	place_free(&scene->place);
}

/* A peer, attached and with a grant, unless what is wrong comes before that. */
static inline int hostile_peer(struct scene *scene, bool early)
{
	int socket = raw_connect(scene->place.path);
	int ups = scene->backend.ups;
	int fd = memory_fd(4 * PAGE, F_SEAL_SHRINK);

	if (!early) {
		raw_attach(socket);
		assert_true(raw_grant(socket, 10, 4, fd));
	}
	close(fd);
	ends_settle(&scene->backend, &scene->honest);
	assert_int_equal(scene->backend.ups, ups + !early);
	assert_int_equal(raw_receive(socket), ATTACH);
	return socket;
}

static inline void check_cut_off(struct scene *scene, int socket,
				 const char *said)
{
	char expected[256];

	snprintf(expected, sizeof(expected),
		 "pid %d, uid %u sent %s: connection closed", (int)getpid(),
		 (unsigned int)getuid(), said);
	assert_string_equal(scene->backend.log, expected);
	assert_int_equal(raw_receive(socket), LEAVE);
	assert_int_equal(raw_receive(socket), 0);
	assert_true(raw_is_cut_off(socket));
}

#endif /* HDMABUF_PLATFORM_LOCAL_RAW_H */
