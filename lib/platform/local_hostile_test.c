/* SPDX-License-Identifier: MIT */
/* A peer that lies, floods, and takes all there is: others do not suffer. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <sys/resource.h>

#include "local_raw.h"

/* ---- revoking, out of turn ---------------------------------------------- */

/* A grant that is mapped is in use until it is unmapped, REVOKE or not. */
static void keeps_numbers_in_use(void **state)
{
	static const struct hdmabuf_run run = { 10, 4 };
	struct scene scene;
	void *seen;
	int i;

	(void)state;
	scene_open(&scene);
	for (i = 0; i < 2; i++) {
		int socket = hostile_peer(&scene, false);
		struct hdmabuf_link *link = end_link(&scene.backend);
		int fd = memory_fd(4 * PAGE, F_SEAL_SHRINK);

		scene.backend.on_down = NULL;
		seen = end_map(&scene.backend, &run, 1, READ_WRITE);
		assert_true(raw_references(socket, REVOKE, 10, 4));
		ends_settle(&scene.backend, &scene.honest);
		if (i)
			assert_true(raw_references(socket, REVOKE, 10, 4));
		else
			assert_true(raw_grant(socket, 12, 1, fd));
		close(fd);
		ends_settle(&scene.backend, &scene.honest);
		assert_int_equal(end_last(&scene.backend)->downs, 1);
		assert_int_equal(raw_receive(socket), LEAVE);
		/* HDB-LOCAL-020: no end of the connection before it is unmapped */
		assert_false(raw_is_cut_off(socket));
		memset(seen, 1, 4 * PAGE);
		assert_int_equal(scene.backend.ops->unmap(link, seen, 4), 0);
		assert_true(raw_is_cut_off(socket));
		close(socket);
		peer_free_link(end_last(&scene.backend));
	}
	scene.backend.on_down = peer_free_link;
	scene_close(&scene);
}

static void believes_no_false_revoked(void **state)
{
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	struct scene scene;
	int i;

	(void)state;
	scene_open(&scene);
	memory_new(&memory, 4);
	for (i = 0; i < 4; i++) {
		int socket = hostile_peer(&scene, false);
		uint32_t first;

		scene.backend.on_down = NULL;
		run = end_share(&scene.backend, &memory, 0, 4, READ_WRITE);
		first = (uint32_t)run.reference;
		assert_int_equal(raw_receive(socket), GRANT);
		if (i == 0) /* before it was asked for */
			raw_references(socket, REVOKED, first, 4);
		ends_settle(&scene.backend, &scene.honest);
		assert_int_equal(end_revoke(&scene.backend, &run), -EBUSY);
		if (i == 1) /* for a part */
			raw_references(socket, REVOKED, first, 3);
		if (i == 2) /* for another */
			raw_references(socket, REVOKED, first + 1, 4);
		if (i == 3) { /* twice */
			raw_references(socket, REVOKED, first, 4);
			raw_references(socket, REVOKED, first, 4);
		}
		ends_settle(&scene.backend, &scene.honest);
		assert_int_equal(end_last(&scene.backend)->downs, 1);
		assert_string_equal(end_last(&scene.backend)->why,
				    "REVOKED for what is not being revoked");
		assert_int_equal(end_revoke(&scene.backend, &run),
				 i < 3 ? -EBUSY : 0);
		close(socket);
		if (i < 3)
			assert_int_equal(end_revoke(&scene.backend, &run), 0);
		peer_free_link(end_last(&scene.backend));
	}
	scene.backend.on_down = peer_free_link;
	hdmabuf_memory_free(&memory);
	scene_close(&scene);
}

/* Those who keep what they were shared keep no place of others. */
static void quarantine_takes_no_place(void **state)
{
	enum {
		LINKS = 7,
		COUNT = LINKS + 6
	};
	struct hdmabuf_memory memory;
	struct hdmabuf_run run;
	struct scene scene;
	int sockets[COUNT];
	int i;

	(void)state;
	scene_open(&scene);
	end_bound_links(&scene.backend, LINKS);
	scene.backend.on_down = NULL;
	memory_new(&memory, 1);
	for (i = 0; i < COUNT; i++) {
		sockets[i] = hostile_peer(&scene, false);
		run = end_share(&scene.backend, &memory, 0, 1, READ_WRITE);
		raw_references(sockets[i], REVOKE, 1, 1);
		ends_settle(&scene.backend, &scene.honest);
		assert_int_equal(end_last(&scene.backend)->downs, 1);
		assert_int_equal(end_revoke(&scene.backend, &run), -EBUSY);
	}
	assert_int_equal(scene.backend.lines, COUNT);
	for (i = 0; i < COUNT; i++)
		close(sockets[i]);
	hdmabuf_memory_free(&memory);
	scene_close(&scene);
}

/* ---- floods ------------------------------------------------------------- */

static void serves_others_in_a_flood(void **state)
{
	struct local_packet packet = { .type = RECORD };
	struct scene scene;
	int socket, i;

	(void)state;
	scene_open(&scene);
	socket = hostile_peer(&scene, false);
	for (i = 0; i < 50; i++) {
		int records = scene.backend.peers[1].records;

		while (raw_send_packet(socket, &packet, -1))
			;
		end_publish(&scene.honest, "epoch=1\n");
		end_turn(&scene.backend);
		assert_int_equal(scene.backend.peers[0].records, i + 1);
		assert_int_equal(scene.backend.peers[1].records, records + 1);
		/* There is more of it: it has to wait for its next turn. */
		assert_true(end_is_readable(&scene.backend, 0));
	}
	scene.published = i;
	close(socket);
	scene_close(&scene);
}

/* A peer that asks and does not listen: what is owed to it is bounded. */
static void owes_no_more_than_was_granted(void **state)
{
	struct scene scene;
	int socket, fd;
	uint32_t i;

	(void)state;
	scene_open(&scene);
	socket = hostile_peer(&scene, false);
	fd = memory_fd(PAGE, F_SEAL_SHRINK);
	for (i = 100; i < 100000 && !raw_is_cut_off(socket); i++) {
		while (!raw_grant(socket, i, 1, fd))
			end_turn(&scene.backend);
		while (!raw_references(socket, REVOKE, i, 1))
			end_turn(&scene.backend);
	}
	ends_settle(&scene.backend, &scene.honest);
	assert_int_equal(end_last(&scene.backend)->downs, 0);
	assert_true(end_link(&scene.backend)->queued <= LOCAL_QUEUE_MAX);
	assert_true(end_link(&scene.backend)->queued > 40 * 90000);
	check_honest(&scene);
	close(fd);
	close(socket);
	scene_close(&scene);
}

/* ---- quotas ------------------------------------------------------------- */

static void grant_until_cut_off(struct scene *scene, int socket, uint32_t limit,
				bool same)
{
	int fd = memory_fd(PAGE, F_SEAL_SHRINK);
	uint32_t i;

	for (i = 100; i < 100 + limit && !raw_is_cut_off(socket); i++) {
		if (!same) {
			close(fd);
			fd = memory_fd(PAGE, F_SEAL_SHRINK);
		}
		while (!raw_grant(socket, i, 1, fd))
			end_turn(&scene->backend);
	}
	close(fd);
	ends_settle(&scene->backend, &scene->honest);
}

static void bounds_grants(void **state)
{
	struct scene scene;
	int socket;

	(void)state;
	scene_open(&scene);
	socket = hostile_peer(&scene, false);
	grant_until_cut_off(&scene, socket, HDMABUF_LOCAL_GRANTS_MAX - 1, true);
	assert_int_equal(end_last(&scene.backend)->downs, 0);
	grant_until_cut_off(&scene, socket, 0, true);
	{
		int fd = memory_fd(PAGE, F_SEAL_SHRINK);

		assert_true(raw_grant(socket, 1, 1, fd));
		close(fd);
	}
	ends_settle(&scene.backend, &scene.honest);
	check_cut_off(&scene, socket, "more grants than may be");
	close(socket);
	scene_close(&scene);
}

static void bounds_memories(void **state)
{
	struct rlimit limit;
	struct scene scene;
	int socket;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < 4096)
		hdmabuf_test_skip("only %lu descriptors are allowed",
				  (unsigned long)limit.rlim_max);
	limit.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	scene_open(&scene);
	socket = hostile_peer(&scene, false);
	grant_until_cut_off(&scene, socket, HDMABUF_LOCAL_MEMORIES_MAX - 1,
			    false);
	assert_int_equal(end_last(&scene.backend)->downs, 0);
	{
		int fd = memory_fd(PAGE, F_SEAL_SHRINK);

		assert_true(raw_grant(socket, 1, 1, fd));
		close(fd);
	}
	ends_settle(&scene.backend, &scene.honest);
	check_cut_off(&scene, socket, "grants of more memories than may be");
	close(socket);
	scene_close(&scene);
}

/* With few descriptors, the one who has most of them is cut off. */
static void saves_descriptors(void **state)
{
	struct hdmabuf_memory memory;
	struct rlimit limit;
	struct scene scene;
	int socket, i;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	scene_open(&scene);
	for (i = 0; i < 10; i++) {
		memory_new(&memory, 1);
		end_share(&scene.honest, &memory, 0, 1, READ_WRITE);
		hdmabuf_memory_free(&memory);
	}
	ends_settle(&scene.backend, &scene.honest);
	socket = hostile_peer(&scene, false);
	for (i = 0; i < 200 && !raw_is_cut_off(socket); i += 10)
		grant_until_cut_off(&scene, socket, 10, false);
	check_cut_off(&scene, socket, "GRANT of a reference that is in use");
	close(socket);

	socket = hostile_peer(&scene, false);
	grant_until_cut_off(&scene, socket, 200, false);
	check_cut_off(&scene, socket,
		      "more memory than there are descriptors for (ulimit -n)");
	close(socket);
	assert_int_equal(scene.backend.peers[0].link->granted.count, 10);
	scene_close(&scene);
}

/* ---- anything ----------------------------------------------------------- */

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* Values that are near something that matters. */
static uint32_t random_field(uint64_t *seed)
{
	static const uint32_t values[] = { 0,	 1,	2,	  3,
					   4,	 5,	10,	  12,
					   14,	 40,	1024,	  4095,
					   4096, 65536, 1u << 31, UINT32_MAX };
	uint32_t random = next_random(seed);

	return random % 4 ? values[random / 4 % 16] : next_random(seed);
}

static void random_packet(uint64_t *seed, struct local_packet *packet)
{
	memset(packet, 0, sizeof(*packet));
	packet->type = 1 + next_random(seed) % 6;
	if (packet->type == RECORD)
		packet->length = random_field(seed) % 1200;
	if (packet->type >= GRANT && packet->type <= REVOKED) {
		packet->first = 1 + next_random(seed) % 20;
		packet->count = 1 + next_random(seed) % 4;
	}
	if (packet->type == GRANT) {
		packet->rights = 1 + next_random(seed) % 2;
		packet->offset = (uint64_t)PAGE * (next_random(seed) % 4);
	}
	if (next_random(seed) % 4)
		return;
	switch (next_random(seed) % 5) {
	case 0:
		packet->first = random_field(seed);
		break;
	case 1:
		packet->count = random_field(seed);
		break;
	case 2:
		packet->offset = (uint64_t)random_field(seed) << 20 |
				 random_field(seed);
		break;
	case 3:
		packet->rights = random_field(seed);
		break;
	default:
		packet->version = random_field(seed);
	}
}

/* Mappings of what it may or may not have granted come and go meanwhile. */
static void map_something(struct scene *scene, uint64_t *seed)
{
	struct peer *peer = end_last(&scene->backend);
	struct hdmabuf_run run = { 1 + next_random(seed) % 20,
				   1 + next_random(seed) % 4 };
	void *address;
	uint64_t bad;

	if (scene->backend.ups < 2 || !peer->link)
		return;
	if (scene->backend.ops->map(peer->link, &run, 1, READ_ONLY, &address,
				    &bad))
		return;
	assert_true(*(volatile uint8_t *)address < 2);
	if (next_random(seed) % 2)
		scene->backend.ops->unmap(peer->link, address, run.count);
}

static void survives_anything(void **state)
{
	struct scene scene;
	struct local_packet packet;
	uint64_t seed = 4711;
	int socket = -1;
	int descriptors, i;

	(void)state;
	scene_open(&scene);
	descriptors = count_descriptors();
	for (i = 0; i < 20000; i++) {
		int fds[32];
		size_t count = 0, j;
		uint8_t octets[40 + 1200] = { 0 };
		struct hdmabuf_local_packet head;

		if (socket < 0) {
			scene.backend.ups = 1;
			socket = raw_connect(scene.place.path);
			if (next_random(&seed) % 16)
				raw_attach(socket);
		}
		random_packet(&seed, &packet);
		if (packet.type == GRANT || next_random(&seed) % 32 == 0)
			count = make_descriptors(next_random(&seed) % 8 ?
							 MEMORY :
							 next_random(&seed) %
								 HUGE,
						 fds);
		head = raw_packet(&packet);
		memcpy(octets, &head, sizeof(head));
		if (!raw_is_cut_off(socket))
			raw_send(socket, octets,
				 sizeof(head) + packet.length +
					 (next_random(&seed) % 64 == 0),
				 fds, count);
		for (j = 0; j < count; j++)
			close(fds[j]);
		if (next_random(&seed) % 4 == 0)
			map_something(&scene, &seed);
		if (next_random(&seed) % 2)
			end_turn(&scene.backend);
		if (raw_is_cut_off(socket) || next_random(&seed) % 128 == 0) {
			close(socket);
			socket = -1;
			ends_settle(&scene.backend, &scene.honest);
			assert_int_equal(count_descriptors(), descriptors);
		}
		if (i % 1000 == 0)
			check_honest(&scene);
	}
	if (socket >= 0)
		close(socket);
	scene_close(&scene);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(keeps_numbers_in_use),
	cmocka_unit_test(believes_no_false_revoked),
	cmocka_unit_test(quarantine_takes_no_place),
	cmocka_unit_test(serves_others_in_a_flood),
	cmocka_unit_test(owes_no_more_than_was_granted),
	cmocka_unit_test(bounds_grants),
	cmocka_unit_test(bounds_memories),
	cmocka_unit_test(saves_descriptors),
	cmocka_unit_test(survives_anything),
};

int main(void)
{
	return hdmabuf_test_run("local-hostile", tests,
				sizeof(tests) / sizeof(tests[0]));
}
