/* SPDX-License-Identifier: MIT */
/* local_raw.c - connections, packets, and what can be seen of the IUT's process */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "conformance/tests/local_raw.h"
#include "conformance/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG 8
/* How often it is tried to connect, until somebody listens. */
#define TICK_MS 5
/* So many packets are taken at once: an IUT that never stops must not hold up a test. */
#define PACKETS_A_TURN 64

/* ---- packets ------------------------------------------------------------ */

const char *packet_name(uint32_t type)
{
	static const char *const names[] = { "a packet of type 0",
					     "ATTACH",
					     "RECORD",
					     "GRANT",
					     "REVOKE",
					     "REVOKED",
					     "LEAVE" };

	return type < sizeof(names) / sizeof(names[0]) ?
		       names[type] :
		       "a packet of an unknown type";
}

void packet_init(packet_t packet, uint32_t type)
{
	memset(packet, 0, PACKET_OCTETS);
	wire_put(packet, PACKET_MAGIC, HDMABUF_LOCAL_MAGIC);
	wire_put(packet, PACKET_TYPE, type);
}

void packet_of_references(packet_t packet, uint32_t type, uint32_t first,
			  uint32_t count)
{
	packet_init(packet, type);
	wire_put(packet, PACKET_FIRST, first);
	wire_put(packet, PACKET_COUNT, count);
	if (type == HDMABUF_LOCAL_GRANT)
		wire_put(packet, PACKET_RIGHTS, HDMABUF_RIGHTS_READ_WRITE);
}

/* The fields that are not zero. */
static void print_fields(const uint8_t *head, char *text, size_t size)
{
	static const struct {
		unsigned int place;
		const char *name;
	} fields[] = {
		{ PACKET_VERSION, "version" },
		{ PACKET_PAGE_SHIFT, "page_shift" },
		{ PACKET_FIRST, "first" },
		{ PACKET_COUNT, "count" },
		{ PACKET_OFFSET, "offset" },
		{ PACKET_RIGHTS, "rights" },
		{ PACKET_LENGTH, "length" },
	};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t value = wire_get(head, fields[i].place);

		if (value && used < size)
			used += (size_t)snprintf(text + used, size - used,
						 ", %s %" PRIu64,
						 fields[i].name, value);
	}
}

static void note_packet(struct raw *raw, enum speaker speaker,
			const void *octets, size_t size,
			unsigned int descriptors)
{
	char fields[256] = "", with[64] = "";

	if (raw->quiet || !raw->end)
		return;
	if (descriptors)
		snprintf(with, sizeof(with), ", with %u descriptor%s",
			 descriptors, descriptors > 1 ? "s" : "");
	if (size < PACKET_OCTETS) {
		note(raw->end->test, speaker, "packet of %zu octets%s", size,
		     with);
		return;
	}
	print_fields(octets, fields, sizeof(fields));
	note(raw->end->test, speaker, "packet: %s%s%s",
	     packet_name((uint32_t)wire_get(octets, PACKET_TYPE)), fields,
	     with);
}

/* ---- sending ------------------------------------------------------------ */

static ssize_t transmit(struct raw *raw, const void *octets, size_t size,
			const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
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
	return sendmsg(raw->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The socket is full, or too many descriptors are under way. */
static bool may_try_again(struct raw *raw, uint64_t deadline)
{
	struct pollfd fd = { .fd = raw->socket, .events = POLLOUT };

	if (errno != EAGAIN && errno != ENOBUFS && errno != ETOOMANYREFS)
		return false;
	raw_take(raw);
	if (poll(&fd, 1, TICK_MS) > 0 && fd.revents & POLLOUT)
		usleep(100);
	return now_ms() < deadline && !raw->ended;
}

bool raw_send(struct raw *raw, const void *octets, size_t size, const int *fds,
	      size_t count)
{
	uint64_t deadline = test_deadline(raw->end->test);

	note_packet(raw, SPEAKER_SUITE, octets, size, (unsigned int)count);
	while (raw->socket >= 0) {
		if (transmit(raw, octets, size, fds, count) >= 0)
			return true;
		if (!may_try_again(raw, deadline))
			break;
	}
	return false;
}

bool raw_try_packet(struct raw *raw, const packet_t packet, int fd)
{
	return raw->socket >= 0 &&
	       transmit(raw, packet, PACKET_OCTETS, &fd, fd >= 0) >= 0;
}

bool raw_send_packet(struct raw *raw, const packet_t packet, int fd)
{
	return raw_send(raw, packet, PACKET_OCTETS, &fd, fd >= 0);
}

bool raw_send_references(struct raw *raw, uint32_t type, uint32_t first,
			 uint32_t count)
{
	packet_t packet;

	packet_of_references(packet, type, first, count);
	return raw_send_packet(raw, packet, -1);
}

bool raw_send_grant(struct raw *raw, uint32_t first, uint32_t count, int fd)
{
	packet_t packet;

	packet_of_references(packet, HDMABUF_LOCAL_GRANT, first, count);
	return raw_send_packet(raw, packet, fd);
}

/**
 * struct pair - GRANT and REVOKE, ready to be sent
 * @packets: both
 * @parts: where they are
 * @control: the descriptor of GRANT
 * @messages: to be sent
 */
struct pair {
	packet_t packets[2];
	struct iovec parts[2];
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control;
	struct mmsghdr messages[2];
};

static void make_pair(struct pair *pair, uint32_t first, uint32_t count, int fd)
{
	memset(pair, 0, sizeof(*pair));
	packet_of_references(pair->packets[0], HDMABUF_LOCAL_GRANT, first,
			     count);
	packet_of_references(pair->packets[1], HDMABUF_LOCAL_REVOKE, first,
			     count);
	pair->control.align.cmsg_level = SOL_SOCKET;
	pair->control.align.cmsg_type = SCM_RIGHTS;
	pair->control.align.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&pair->control.align), &fd, sizeof(fd));
	for (size_t i = 0; i < 2; i++) {
		pair->parts[i] =
			(struct iovec){ pair->packets[i], PACKET_OCTETS };
		pair->messages[i].msg_hdr.msg_iov = &pair->parts[i];
		pair->messages[i].msg_hdr.msg_iovlen = 1;
	}
	pair->messages[0].msg_hdr.msg_control = &pair->control;
	pair->messages[0].msg_hdr.msg_controllen = sizeof(pair->control);
}

void raw_send_pairs(struct raw *raw, uint32_t first, uint32_t count, int fd,
		    unsigned int times)
{
	struct pair pair;

	make_pair(&pair, first, count, fd);
	for (unsigned int i = 0; i < times; i++)
		if (sendmmsg(raw->socket, pair.messages, 2, MSG_NOSIGNAL) != 2)
			inconclusive(raw->end->test,
				     "the IUT does not take its packets");
}

static void make_attach(packet_t packet)
{
	packet_init(packet, HDMABUF_LOCAL_ATTACH);
	wire_put(packet, PACKET_VERSION, HDMABUF_LOCAL_VERSION);
	wire_put(packet, PACKET_PAGE_SHIFT,
		 (uint64_t)__builtin_ctzll(page_size()));
}

void raw_send_attach(struct raw *raw, int fd)
{
	packet_t packet;

	make_attach(packet);
	raw_send_packet(raw, packet, fd < 0 ? raw->event : fd);
}

bool raw_send_leave(struct raw *raw)
{
	packet_t packet;

	packet_init(packet, HDMABUF_LOCAL_LEAVE);
	raw->has_left = true;
	return raw_send_packet(raw, packet, -1);
}

/* ---- receiving ---------------------------------------------------------- */

void look_at(int fd, struct look *look)
{
	struct statfs system = { 0 };
	struct stat status = { 0 };
	int flags = fcntl(fd, F_GETFL);

	memset(look, 0, sizeof(*look));
	if (!fstat(fd, &status) && !fstatfs(fd, &system)) {
		look->device = status.st_dev;
		look->inode = status.st_ino;
		look->octets = (uint64_t)status.st_size;
		look->file_system = (unsigned long)system.f_type;
	}
	if (look->file_system == DMA_BUF_MAGIC)
		look->octets = (uint64_t)lseek(fd, 0, SEEK_END);
	look->seals = fcntl(fd, F_GET_SEALS);
	look->access = flags & O_ACCMODE;
}

/* Keeps the first descriptor, and closes the others. */
static void take_descriptors(struct arrived *arrived, struct msghdr *message)
{
	struct cmsghdr *control;

	for (control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd),
			       sizeof(fd));
			if (arrived->descriptors++)
				close(fd);
			else
				arrived->fd = fd;
		}
	}
	if (arrived->fd >= 0)
		look_at(arrived->fd, &arrived->look);
}

static struct arrived *keep(struct raw *raw, const uint8_t *octets, size_t size)
{
	struct arrived *arrived = calloc(1, sizeof(*arrived));
	struct arrived **grown = realloc(
		raw->arrived, (raw->arrived_count + 1) * sizeof(*grown));

	if (!arrived || !grown)
		error(raw->end->test, "no memory");
	raw->arrived = grown;
	raw->arrived[raw->arrived_count++] = arrived;
	arrived->fd = -1;
	arrived->octets = size;
	memcpy(arrived->head, octets,
	       size < PACKET_OCTETS ? size : PACKET_OCTETS);
	if (size > PACKET_OCTETS)
		arrived->text = strndup((const char *)octets + PACKET_OCTETS,
					size - PACKET_OCTETS);
	return arrived;
}

static void take_references(struct raw *raw, const struct arrived *packet)
{
	for (size_t i = 0; i < raw->arrived_count; i++) {
		struct arrived *grant = raw->arrived[i];

		if (wire_get(grant->head, PACKET_TYPE) != HDMABUF_LOCAL_GRANT ||
		    grant->revoked ||
		    wire_get(grant->head, PACKET_FIRST) !=
			    wire_get(packet->head, PACKET_FIRST))
			continue;
		grant->revoking = true;
		raw_answer_revoke(raw, grant);
	}
}

void raw_answer_revoke(struct raw *raw, struct arrived *grant)
{
	if (!grant->revoking || grant->revoked || grant->maps || raw->withholds)
		return;
	grant->revoked = true;
	grant->revoked_at = raw->arrived_count;
	raw_send_references(raw, HDMABUF_LOCAL_REVOKED,
			    (uint32_t)wire_get(grant->head, PACKET_FIRST),
			    (uint32_t)wire_get(grant->head, PACKET_COUNT));
}

static void take_revoked(struct raw *raw, const struct arrived *packet)
{
	for (size_t i = 0; i < raw->granted_count; i++)
		if (raw->granted[i].revoking &&
		    raw->granted[i].first ==
			    wire_get(packet->head, PACKET_FIRST) &&
		    raw->granted[i].count ==
			    wire_get(packet->head, PACKET_COUNT))
			raw->granted[i].revoked = true;
}

static void obey(struct raw *raw, const struct arrived *packet)
{
	switch (wire_get(packet->head, PACKET_TYPE)) {
	case HDMABUF_LOCAL_ATTACH:
		if (raw->peer_event < 0 && packet->fd >= 0)
			raw->peer_event = dup(packet->fd);
		break;
	case HDMABUF_LOCAL_RECORD:
		snprintf(raw->record, sizeof(raw->record), "%s",
			 packet->text ? packet->text : "");
		raw->record_changed = true;
		break;
	case HDMABUF_LOCAL_REVOKE:
		take_references(raw, packet);
		break;
	case HDMABUF_LOCAL_REVOKED:
		take_revoked(raw, packet);
		break;
	case HDMABUF_LOCAL_LEAVE:
		raw->left = true;
		raw->record[0] = '\0';
		break;
	default:
		break;
	}
}

static void end_of_connection(struct raw *raw)
{
	raw->ended = true;
	raw->record[0] = '\0';
	epoll_ctl(raw->poll, EPOLL_CTL_DEL, raw->socket, NULL);
	if (!raw->quiet)
		note(raw->end->test, SPEAKER_IUT,
		     "ends its side of the connection");
}

static bool take_one(struct raw *raw)
{
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
	} control;
	uint8_t octets[PACKET_OCTETS + TEXT_MAX];
	struct iovec part = { octets, sizeof(octets) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	struct arrived *arrived;
	ssize_t size;

	if (raw->socket < 0 || raw->ended)
		return false;
	size = recvmsg(raw->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* The kernel tells once that octets were left unread. */
	if (size < 0 && errno == ECONNRESET)
		return true;
	if (size <= 0) {
		end_of_connection(raw);
		return true;
	}
	arrived = keep(raw, octets, (size_t)size);
	take_descriptors(arrived, &message);
	note_packet(raw, SPEAKER_IUT, octets, (size_t)size,
		    arrived->descriptors);
	obey(raw, arrived);
	return true;
}

/* ---- connections -------------------------------------------------------- */

static void have_connection(struct raw *raw, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);

	raw->socket = fd;
	epoll_ctl(raw->poll, EPOLL_CTL_ADD, fd, &event);
	epoll_ctl(raw->poll, EPOLL_CTL_DEL,
		  raw->listener >= 0 ? raw->listener : raw->timer, NULL);
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	raw->pid = peer.pid;
	if (!raw->silent)
		raw_send_attach(raw, -1);
}

static int make_socket(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      0);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, path);
	return address;
}

static void try_to_connect(struct raw *raw)
{
	struct sockaddr_un address = address_of(raw->path);
	int fd;

	if (raw->listener >= 0) {
		fd = accept4(raw->listener, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			have_connection(raw, fd);
		return;
	}
	fd = make_socket();
	if (fd < 0)
		return;
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		have_connection(raw, fd);
	else
		close(fd);
}

bool raw_take(struct raw *raw)
{
	unsigned int taken = 0;

	if (raw->socket < 0 && !raw->up)
		try_to_connect(raw);
	while (taken < PACKETS_A_TURN && take_one(raw))
		taken++;
	return taken;
}

static int listen_at(struct raw *raw)
{
	struct sockaddr_un address = address_of(raw->path);
	struct epoll_event event = { .events = EPOLLIN };

	raw->listener = make_socket();
	if (raw->listener < 0)
		return -errno;
	unlink(raw->path);
	if (bind(raw->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(raw->listener, BACKLOG))
		return -errno;
	event.data.fd = raw->listener;
	return epoll_ctl(raw->poll, EPOLL_CTL_ADD, raw->listener, &event) ?
		       -errno :
		       0;
}

static int make_timer(struct raw *raw)
{
	const struct itimerspec every = { { 0, TICK_MS * 1000000 },
					  { 0, TICK_MS * 1000000 } };

	raw->timer =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return raw->timer < 0 || timerfd_settime(raw->timer, 0, &every, NULL) ?
		       -errno :
		       0;
}

int raw_tick(struct raw *raw)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = raw->timer };

	return epoll_ctl(raw->poll, EPOLL_CTL_ADD, raw->timer, &event) ?
		       -errno :
		       0;
}

static int make_event(struct raw *raw)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	raw->poll = epoll_create1(EPOLL_CLOEXEC);
	raw->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (raw->poll < 0 || raw->event < 0)
		return -errno;
	event.data.fd = raw->event;
	return epoll_ctl(raw->poll, EPOLL_CTL_ADD, raw->event, &event) ?
		       -errno :
		       0;
}

static int take_path(struct raw *raw, const char *address)
{
	const char *path = address + strcspn(address, ":") + 1;

	if (strlen(path) >= sizeof(raw->path))
		return -ENAMETOOLONG;
	strcpy(raw->path, path);
	return 0;
}

static int open_raw(const char *address, enum hdmabuf_role role, bool silent,
		    struct hdmabuf_platform *platform, char *why, size_t size)
{
	struct raw *raw = calloc(1, sizeof(*raw));
	int code;

	if (!raw)
		return -ENOMEM;
	raw->role = role;
	raw->silent = silent;
	raw->poll = raw->timer = raw->listener = raw->socket = -1;
	raw->event = raw->peer_event = -1;
	raw->next = 1;
	code = take_path(raw, address);
	if (!code)
		code = make_event(raw);
	if (!code)
		code = make_timer(raw);
	if (!code)
		code = role == HDMABUF_BACKEND ? listen_at(raw) : raw_tick(raw);
	if (code) {
		snprintf(why, size, "%s", strerror(-code));
		raw_close(raw);
		return code;
	}
	raw_set_ops(raw, platform);
	return 0;
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

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void raw_vanish(struct raw *raw)
{
	if (raw->socket >= 0 && raw->end && !raw->quiet && !raw->ended)
		note(raw->end->test, SPEAKER_SUITE, "closes the socket");
	close_if_open(&raw->socket);
	raw->ended = true;
}

void raw_shut(struct raw *raw)
{
	if (raw->socket >= 0)
		shutdown(raw->socket, SHUT_WR);
}

void raw_close(struct raw *raw)
{
	for (size_t i = 0; i < raw->arrived_count; i++) {
		close_if_open(&raw->arrived[i]->fd);
		free(raw->arrived[i]->text);
		free(raw->arrived[i]);
	}
	if (raw->listener >= 0)
		unlink(raw->path);
	close_if_open(&raw->listener);
	close_if_open(&raw->socket);
	close_if_open(&raw->timer);
	close_if_open(&raw->event);
	close_if_open(&raw->peer_event);
	close_if_open(&raw->poll);
	free(raw->arrived);
	free(raw->granted);
	free(raw->mapped);
	free(raw);
}

struct raw *raw_of(const struct end *end)
{
	return end->platform.endpoint;
}

struct end *raw_open(struct test *test)
{
	return test_open_over(test, open_speaking);
}

struct end *raw_open_silently(struct test *test)
{
	return test_open_over(test, open_silently);
}

struct end *raw_connect(struct test *test)
{
	struct end *end = raw_open(test);

	end_greet(end);
	if (!end_sanity(end))
		inconclusive(test, "the IUT does not pass the sanity exchange");
	return end;
}

/* An IUT that has ended before it was killed is found out here. */
static void restart(struct test *test)
{
	struct iut *iut = test->iut;

	if (!test->setup->command || test->kept)
		return;
	test_iut_kill(test, SIGKILL);
	if (!WIFSIGNALED(iut->status) || WTERMSIG(iut->status) != SIGKILL) {
		test_found(test, HDB_BOTH_063, "the IUT has ended by itself");
		inconclusive(test, "the IUT has ended");
	}
}

void raw_start_over(struct test *test)
{
	if (test->setup->role == HDMABUF_FRONTEND)
		restart(test);
	test_close_ends(test);
}

/* ---- waiting ------------------------------------------------------------ */

struct arrived *raw_find(struct raw *raw, uint32_t type)
{
	for (size_t i = 0; i < raw->arrived_count; i++)
		if (!raw->arrived[i]->taken &&
		    wire_get(raw->arrived[i]->head, PACKET_TYPE) == type) {
			raw->arrived[i]->taken = true;
			return raw->arrived[i];
		}
	return NULL;
}

struct arrived *raw_await(struct raw *raw, uint32_t type)
{
	struct test *test = raw->end->test;
	uint64_t deadline = test_deadline(test);
	struct arrived *arrived;

	while (!(arrived = raw_find(raw, type)) && !raw->ended &&
	       test_wait(test, deadline))
		;
	return arrived;
}

static bool is_for(const struct arrived *packet, uint32_t first, uint32_t count)
{
	return packet && wire_get(packet->head, PACKET_FIRST) == first &&
	       wire_get(packet->head, PACKET_COUNT) == count;
}

bool raw_await_revoked(struct raw *raw, uint32_t first, uint32_t count)
{
	return is_for(raw_await(raw, HDMABUF_LOCAL_REVOKED), first, count);
}

bool raw_await_end(struct raw *raw)
{
	struct test *test = raw->end->test;
	uint64_t deadline = test_deadline(test);

	while (!raw->ended && test_wait(test, deadline))
		;
	return raw->ended;
}

struct arrived *raw_find_grant(struct raw *raw, uint64_t reference)
{
	for (size_t i = raw->arrived_count; i > 0; i--) {
		struct arrived *grant = raw->arrived[i - 1];

		if (wire_get(grant->head, PACKET_TYPE) == HDMABUF_LOCAL_GRANT &&
		    !grant->revoked &&
		    reference - wire_get(grant->head, PACKET_FIRST) <
			    wire_get(grant->head, PACKET_COUNT))
			return grant;
	}
	return NULL;
}

/* ---- memory ------------------------------------------------------------- */

uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

int memory_make(struct test *test, uint64_t octets, int seals)
{
	int fd = memfd_create("conformance", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)octets) ||
	    (seals && fcntl(fd, F_ADD_SEALS, seals)))
		error(test, "cannot make a memfd: %s", strerror(errno));
	return fd;
}

int memory_make_pages(struct test *test, uint64_t pages)
{
	return memory_make(test, pages * page_size(),
			   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int memory_reopen(struct test *test, int fd, int flags)
{
	char path[64];
	int copy;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, flags | O_CLOEXEC);
	if (copy < 0)
		error(test, "cannot open a memfd again: %s", strerror(errno));
	close(fd);
	return copy;
}

/* ---- the IUT's process -------------------------------------------------- */

unsigned int process_descriptors(pid_t pid)
{
	char path[64];
	unsigned int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = pid > 0 ? opendir(path) : NULL;
	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

static FILE *open_maps(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	return pid > 0 ? fopen(path, "re") : NULL;
}

bool process_is_visible(pid_t pid)
{
	FILE *maps = open_maps(pid);
	bool visible = maps && fgetc(maps) != EOF;

	if (maps)
		fclose(maps);
	return visible;
}

bool process_maps(pid_t pid, dev_t device, ino_t inode, bool writable)
{
	FILE *maps = open_maps(pid);
	unsigned int high, low;
	unsigned long number;
	bool found = false;
	char line[512], may[8];

	while (maps && !found && fgets(line, sizeof(line), maps))
		found = sscanf(line, "%*x-%*x %7s %*x %x:%x %lu", may, &high,
			       &low, &number) == 4 &&
			number == inode && makedev(high, low) == device &&
			(!writable || may[1] == 'w');
	if (maps)
		fclose(maps);
	return found;
}
