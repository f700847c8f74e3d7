/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the socket of the local platform. The input is a script of the packets and
 * descriptors that hostile peers send to a backend, and of what the owner of the links
 * does meanwhile. Whatever is sent, no descriptor and no mapping is left behind.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "assurance/fuzz/common/descriptors.h"
#include "assurance/fuzz/common/fuzz.h"

#include "lib/platform/local.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	 4096u
#define PAGES	 4
#define PEERS	 3
#define MAPPINGS 4
#define SHARES	 4

/* What a peer may pass: the first is what it should. */
enum passed {
	MEMORY,
	MEMORY_TOO,
	READ_ONLY,
	UNSEALED,
	EVENT,
	NO_MEMORY,
	PASSED
};

struct mapping {
	uint8_t *address; /* NULL if there is none */
	uint64_t pages;
};

struct share {
	struct hdmabuf_run run; /* count 0 if there is none */
};

/* A peer, its link at the backend, and what the owner has over it. */
struct peer {
	int socket; /* -1 if it is not there */
	struct hdmabuf_link *link;
	bool down;
	struct mapping mappings[MAPPINGS];
	struct share shares[SHARES];
};

struct scene {
	struct input input;
	struct hdmabuf_platform platform;
	struct peer peers[PEERS];
	struct hdmabuf_memory memory;
};

static int passed[PASSED];

/* ---- What there is to pass: the same for all inputs ---------------------------- */

static int memory_new(unsigned int seals)
{
	int fd = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint32_t page;

	must(fd >= 0 && !ftruncate(fd, PAGES * PAGE));
	for (page = 0; page < PAGES; page++)
		must(pwrite(fd, &page, sizeof(page), page * PAGE) ==
		     sizeof(page));
	must(!fcntl(fd, F_ADD_SEALS, seals));
	return fd;
}

static int read_only_new(void)
{
	int fd = memory_new(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE |
			    F_SEAL_SEAL);

	return fd;
}

static void make_passed(void)
{
	if (passed[MEMORY])
		return;
	passed[MEMORY] = memory_new(F_SEAL_SHRINK | F_SEAL_GROW);
	passed[MEMORY_TOO] = memory_new(F_SEAL_SHRINK);
	passed[READ_ONLY] = read_only_new();
	passed[UNSEALED] = memory_new(0);
	passed[EVENT] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	passed[NO_MEMORY] = open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* ---- The owner: what it is told ---------------------------------------------------- */

static struct peer *find_peer(struct scene *scene,
			      const struct hdmabuf_link *link)
{
	size_t i;

	for (i = 0; i < PEERS; i++)
		if (scene->peers[i].link == link)
			return &scene->peers[i];
	return NULL;
}

static void *on_up(void *user, struct hdmabuf_link *link)
{
	struct peer *peer = find_peer(user, link);

	must(peer && !peer->down && link->state == LOCAL_UP);
	return peer;
}

static void on_record(void *owner)
{
	const struct peer *peer = owner;
	char text[HDMABUF_LOCAL_RECORD_OCTETS];

	must(!peer->down);
	must(local_link_record(peer->link, text, sizeof(text)) <= sizeof(text));
}

static void on_notified(void *owner)
{
	const struct peer *peer = owner;

	must(!peer->down);
}

static void on_down(void *owner, const char *why)
{
	struct peer *peer = owner;

	must(!peer->down && *why);
	peer->down = true;
}

static void on_log(void *user, const char *line)
{
	(void)user;
	must(*line && !strchr(line, '\n'));
}

static const struct hdmabuf_platform_events events = {
	.up = on_up,
	.record = on_record,
	.notified = on_notified,
	.down = on_down,
	.log = on_log,
};

static void check_quotas(const struct scene *scene)
{
	size_t i;

	for (i = 0; i < PEERS; i++) {
		const struct hdmabuf_link *link = scene->peers[i].link;

		if (!link)
			continue;
		must(link->grants.count <= HDMABUF_LOCAL_GRANTS_MAX);
		must(link->granted.pages <= HDMABUF_LOCAL_PAGES_MAX);
		must(link->granted.count <= HDMABUF_LOCAL_MEMORIES_MAX);
		must(link->queued <= LOCAL_QUEUE_MAX);
		must(link->pieces <= LOCAL_PIECES_MAX);
	}
}

/* A link that never came up is freed by the platform itself. */
static bool is_there(const struct scene *scene, const struct hdmabuf_link *link)
{
	const struct local_endpoint *endpoint = scene->platform.endpoint;
	const struct hdmabuf_link *other;

	TAILQ_FOREACH(other, &endpoint->links, entry)
		if (other == link)
			return true;
	return false;
}

static void dispatch(struct scene *scene)
{
	size_t i;

	must(!scene->platform.ops->dispatch(scene->platform.endpoint, &events,
					    scene));
	for (i = 0; i < PEERS; i++)
		if (!is_there(scene, scene->peers[i].link))
			scene->peers[i].link = NULL;
	check_quotas(scene);
}

/* ---- The owner: what it does ------------------------------------------------------------ */

static void unmap(struct peer *peer, struct mapping *mapping)
{
	if (!mapping->address)
		return;
	must(!local_unmap(peer->link, mapping->address, mapping->pages));
	mapping->address = NULL;
}

/* Each page is there, and is one of the memories' pages. */
static void touch(const struct mapping *mapping, bool writable)
{
	uint64_t i;

	for (i = 0; i < mapping->pages; i++) {
		volatile uint32_t *word = (void *)(mapping->address + i * PAGE);

		must(*word < PAGES);
		if (writable)
			word[1] = (uint32_t)i;
	}
}

static void map(struct peer *peer, struct mapping *mapping, struct input *input)
{
	uint8_t how = input_octet(input);
	struct hdmabuf_run runs[2] = {
		{ how % 16, 1 + how / 16 % 4 },
		{ input_octet(input) % 16, 1 },
	};
	size_t count = 1 + how / 64 % 2;
	bool writable = how & 128;
	void *address;
	uint64_t bad = 0;
	int error;

	if (mapping->address)
		return;
	mapping->pages = runs[0].count + (count == 2);
	error = local_map(peer->link, runs, count,
			  writable ? HDMABUF_RIGHTS_READ_WRITE :
				     HDMABUF_RIGHTS_READ_ONLY,
			  &address, &bad);
	if (error) {
		must(bad < mapping->pages);
		return;
	}
	mapping->address = address;
	touch(mapping, writable);
}

static void share(struct scene *scene, struct peer *peer, struct share *share,
		  uint8_t how)
{
	size_t count = 0;

	if (share->run.count) {
		if (!local_revoke(peer->link, &share->run, 1))
			share->run.count = 0;
		return;
	}
	if (local_share(peer->link, &scene->memory, how % PAGES, 1,
			HDMABUF_RIGHTS_READ_WRITE, &share->run, 1, &count))
		share->run.count = 0;
	else
		must(count == 1 && share->run.count == 1);
}

static void free_link(struct peer *peer)
{
	size_t i;

	for (i = 0; i < MAPPINGS; i++)
		unmap(peer, &peer->mappings[i]);
	memset(peer->shares, 0, sizeof(peer->shares));
	local_link_free(peer->link);
	peer->link = NULL;
}

/* Only of a link that the owner has been given: one that is half open is not its own. */
static void act(struct scene *scene, struct peer *peer)
{
	uint8_t what = input_octet(&scene->input);

	if (!peer->link || !peer->link->owner)
		return;
	switch (what % 8) {
	case 0:
	case 1:
		map(peer, &peer->mappings[what / 8 % MAPPINGS], &scene->input);
		break;
	case 2:
		unmap(peer, &peer->mappings[what / 8 % MAPPINGS]);
		break;
	case 3:
	case 4:
		share(scene, peer, &peer->shares[what / 8 % SHARES], what / 8);
		break;
	case 5:
		local_link_publish(peer->link, "epoch=1\n", 8);
		break;
	case 6:
		local_link_notify(peer->link);
		break;
	case 7:
		if (what > 128)
			free_link(peer);
		else
			local_link_disconnect(peer->link);
		break;
	}
}

/* ---- The peers ------------------------------------------------------------------------------ */

static void connect_peer(struct scene *scene, struct peer *peer)
{
	int ends[2];

	if (peer->socket >= 0 || peer->link)
		return;
	must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
			 0, ends));
	memset(peer, 0, sizeof(*peer));
	peer->socket = ends[0];
	peer->link = local_link_new(scene->platform.endpoint, ends[1]);
	must(peer->link);
}

static void disconnect_peer(struct peer *peer)
{
	if (peer->socket >= 0)
		close(peer->socket);
	peer->socket = -1;
}

static void send_octets(const struct peer *peer, const void *octets,
			size_t size, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(4 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { (void *)octets, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, count * sizeof(int));
	}
	sendmsg(peer->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

struct sent {
	struct hdmabuf_local_packet packet;
	char text[HDMABUF_LOCAL_RECORD_OCTETS];
};

/* A packet as it should be, of small numbers, so that packets meet each other. */
static size_t make_packet(struct input *input, uint32_t type, uint8_t how,
			  struct sent *sent)
{
	struct hdmabuf_local_packet *packet = &sent->packet;
	size_t text = 0;

	packet->magic = hdmabuf_put_le32(HDMABUF_LOCAL_MAGIC);
	packet->type = hdmabuf_put_le32(type);
	switch (type) {
	case HDMABUF_LOCAL_ATTACH:
		packet->version = hdmabuf_put_le32(HDMABUF_LOCAL_VERSION);
		packet->page_shift = hdmabuf_put_le32(12);
		break;
	case HDMABUF_LOCAL_RECORD:
		text = how * 5u % (sizeof(sent->text) + 1);
		memset(sent->text, 'x', text);
		packet->length = hdmabuf_put_le32((uint32_t)text);
		break;
	case HDMABUF_LOCAL_GRANT:
		packet->offset = hdmabuf_put_le64(how / 64 * PAGE);
		packet->rights =
			hdmabuf_put_le32(1 + (input_octet(input) & 1 ? 1 : 0));
		/* fall through */
	case HDMABUF_LOCAL_REVOKE:
	case HDMABUF_LOCAL_REVOKED:
		packet->first = hdmabuf_put_le32(how % 16);
		packet->count = hdmabuf_put_le32(1 + how / 16 % 4);
		break;
	}
	return sizeof(*packet) + text;
}

static bool has_descriptor(uint32_t type)
{
	return type == HDMABUF_LOCAL_ATTACH || type == HDMABUF_LOCAL_GRANT;
}

/* The descriptor that belongs to it mostly, or another, or too many. */
static size_t choose_fds(struct input *input, uint32_t type, int *fds)
{
	uint8_t octet = input_octet(input);
	size_t i;

	fds[0] = type == HDMABUF_LOCAL_ATTACH ? passed[EVENT] : passed[MEMORY];
	if (octet < 160)
		return has_descriptor(type);
	for (i = 0; i < 3; i++)
		fds[i] = passed[(octet + i) % PASSED];
	return octet < 240 ? 1 : octet % 4;
}

static void send_packet(struct scene *scene, const struct peer *peer,
			bool spoilt)
{
	uint32_t type = 1 + input_octet(&scene->input) % 7;
	uint8_t how = input_octet(&scene->input);
	struct sent sent = { 0 };
	size_t size = make_packet(&scene->input, type, how, &sent);
	int fds[4];
	size_t count = choose_fds(&scene->input, type, fds);

	if (spoilt) {
		uint8_t at = input_octet(&scene->input);

		((uint8_t *)&sent)[at % sizeof(sent.packet)] =
			input_octet(&scene->input);
		size += at / 64;
	}
	send_octets(peer, &sent, size, fds, count);
}

static void send_raw(struct scene *scene, const struct peer *peer)
{
	uint8_t octets[96];
	size_t size = input_octet(&scene->input) % sizeof(octets);

	input_take(&scene->input, octets, size);
	send_octets(peer, octets, size, NULL, 0);
}

/* What has come is read; REVOKE is answered by an honest REVOKED. */
static void listen_to(const struct peer *peer)
{
	struct sent sent;
	ssize_t size;

	while ((size = recv(peer->socket, &sent, sizeof(sent), MSG_DONTWAIT)) >
	       0) {
		must((size_t)size >= sizeof(sent.packet));
		must(hdmabuf_get_le32(sent.packet.magic) ==
		     HDMABUF_LOCAL_MAGIC);
		if (hdmabuf_get_le32(sent.packet.type) != HDMABUF_LOCAL_REVOKE)
			continue;
		sent.packet.type = hdmabuf_put_le32(HDMABUF_LOCAL_REVOKED);
		send_octets(peer, &sent, sizeof(sent.packet), NULL, 0);
	}
}

/* ---- The script ---------------------------------------------------------------------------------- */

static void step(struct scene *scene)
{
	uint8_t octet = input_octet(&scene->input);
	struct peer *peer = &scene->peers[octet / 16 % PEERS];

	switch (octet % 16) {
	case 0:
		connect_peer(scene, peer);
		break;
	case 1:
	case 2:
	case 3:
		send_packet(scene, peer, false);
		break;
	case 4:
		send_packet(scene, peer, true);
		break;
	case 5:
		send_raw(scene, peer);
		break;
	case 6:
	case 7:
		dispatch(scene);
		break;
	case 8:
		listen_to(peer);
		break;
	case 9:
		if (octet > 128)
			disconnect_peer(peer);
		else
			shutdown(peer->socket, SHUT_WR);
		break;
	default:
		act(scene, peer);
		break;
	}
}

/* A backend that nobody is connected to yet. */
static void open_scene(struct scene *scene)
{
	struct hdmabuf_platform frontend;
	struct local_endpoint *endpoint;
	size_t i;

	must(!hdmabuf_local_pair(&frontend, &scene->platform));
	frontend.ops->close(frontend.endpoint);
	endpoint = scene->platform.endpoint;
	while (!TAILQ_EMPTY(&endpoint->links))
		local_link_free(TAILQ_FIRST(&endpoint->links));
	for (i = 0; i < PEERS; i++)
		scene->peers[i].socket = -1;
	must(!hdmabuf_memory_open("memfd", PAGES * PAGE, &scene->memory));
}

static void close_scene(struct scene *scene)
{
	size_t i;

	for (i = 0; i < PEERS; i++) {
		if (scene->peers[i].link)
			free_link(&scene->peers[i]);
		disconnect_peer(&scene->peers[i]);
	}
	hdmabuf_memory_free(&scene->memory);
	scene->platform.ops->close(scene->platform.endpoint);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct scene scene = { .input = { octets, size } };
	uint64_t open;

	make_passed();
	open = fuzz_descriptors();
	open_scene(&scene);
	connect_peer(&scene, &scene.peers[0]);
	while (scene.input.left)
		step(&scene);
	close_scene(&scene);
	must(fuzz_descriptors() == open);
	return 0;
}
