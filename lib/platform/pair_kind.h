/* SPDX-License-Identifier: MIT */
/*
 * pair_kind.h - two ends in one process, whatever the platform
 */
#ifndef HDMABUF_PLATFORM_PAIR_KIND_H
#define HDMABUF_PLATFORM_PAIR_KIND_H

#include <hdmabuf/channel.h>

#include "ends.h"

/**
 * struct pair_kind - how a pair is made
 * @name: of the platform
 * @open: both endpoints; nothing has happened yet
 * @meet: lets both come up, and publishes what that takes
 * @close: both, with all that was made for them
 * @memory: memory of an end that can be shared so
 */
struct pair_kind {
	const char *name;
	void (*open)(struct end *frontend, struct end *backend);
	void (*meet)(struct end *frontend, struct end *backend);
	void (*close)(struct end *frontend, struct end *backend);
	void (*memory)(struct end *end, struct hdmabuf_memory *memory,
		       size_t pages, uint32_t rights);
};

/* What was shared at once, in as many runs as the platform makes of it. */
struct shared {
	struct hdmabuf_run runs[16];
	size_t count;
};

static inline struct shared suite_share(struct end *end,
					const struct hdmabuf_memory *memory,
					uint64_t first, uint64_t pages,
					uint32_t rights)
{
	size_t capacity = end->ops->contiguous ? 1 : (size_t)pages;
	struct shared shared = { .count = 0 };
	uint64_t all = 0;
	size_t i;

	assert_in_range(pages, 1, 16);
	assert_int_equal(end->ops->share(end_link(end), memory, first, pages,
					 rights, shared.runs, capacity,
					 &shared.count),
			 0);
	assert_in_range(shared.count, 1, capacity);
	for (i = 0; i < shared.count; i++) {
		assert_in_range(shared.runs[i].reference, 1,
				end->ops->reference_max);
		all += shared.runs[i].count;
	}
	assert_int_equal(all, pages);
	return shared;
}

static inline void *suite_map(struct end *end, const struct shared *shared,
			      uint32_t rights)
{
	return end_map(end, shared->runs, shared->count, rights);
}

static inline int suite_revoke(struct end *end, const struct shared *shared)
{
	return end->ops->revoke(end_link(end), shared->runs, shared->count);
}

/* Revokes what is not mapped: a platform may have to ask the peer first. */
static inline void suite_give_back(struct end *end, struct end *other,
				   const struct shared *shared)
{
	int error = suite_revoke(end, shared);

	if (error == -EBUSY) {
		ends_settle(end, other);
		error = suite_revoke(end, shared);
	}
	assert_int_equal(error, 0);
}

static inline void suite_unmap(struct end *end, void *address, uint64_t pages)
{
	assert_int_equal(end->ops->unmap(end_link(end), address, pages), 0);
}

static inline const struct pair_kind *
suite_pair(void **state, struct end *frontend, struct end *backend)
{
	const struct pair_kind *kind = *state;

	kind->open(frontend, backend);
	kind->meet(frontend, backend);
	assert_int_equal(frontend->ups, 1);
	assert_int_equal(backend->ups, 1);
	return kind;
}

/* ---- records and notifications ------------------------------------------ */

static inline int suite_try_offer(struct peer *peer, uint64_t epoch)
{
	struct hdmabuf_offer offer = {
		.epoch = epoch,
		.version_min = 1,
		.version_max = 1,
		.ring_formats = 1,
	};
	char text[HDMABUF_RECORD_OCTETS];
	size_t octets = hdmabuf_offer_write(&offer, text);

	return peer->end->ops->publish(peer->link, text, octets);
}

static inline void suite_offer(struct end *backend, uint64_t epoch)
{
	assert_int_equal(suite_try_offer(end_last(backend), epoch), 0);
}

static inline int suite_try_answer(struct peer *peer, uint64_t epoch,
				   uint64_t peer_epoch)
{
	struct hdmabuf_reply reply = {
		.epoch = epoch,
		.peer_epoch = peer_epoch,
		.channel = 77,
	};
	char text[HDMABUF_RECORD_OCTETS];
	size_t octets = hdmabuf_reply_write(&reply, text);

	return peer->end->ops->publish(peer->link, text, octets);
}

static inline void suite_answer(struct end *frontend, uint64_t epoch,
				uint64_t peer_epoch)
{
	assert_int_equal(
		suite_try_answer(end_last(frontend), epoch, peer_epoch), 0);
}

static inline uint64_t suite_offered(struct end *frontend)
{
	char text[2 * HDMABUF_RECORD_OCTETS];
	size_t octets =
		frontend->ops->record(end_link(frontend), text, sizeof(text));
	struct hdmabuf_offer offer;

	return hdmabuf_offer_read(text, octets, &offer) ? offer.epoch : 0;
}

static inline uint64_t suite_answered(struct end *backend)
{
	char text[2 * HDMABUF_RECORD_OCTETS];
	size_t octets =
		backend->ops->record(end_link(backend), text, sizeof(text));
	struct hdmabuf_reply reply;

	return hdmabuf_reply_read(text, octets, &reply) ? reply.epoch : 0;
}

/* Everything that is done with a few pages, from one end to the other. */
static inline void share_and_map(const struct pair_kind *kind, struct end *from,
				 struct end *to)
{
	struct hdmabuf_memory memory;
	struct shared all, some;
	uint8_t *seen, *part;
	unsigned int i;

	kind->memory(from, &memory, 12, READ_WRITE);
	for (i = 0; i < 12; i++)
		((uint8_t *)memory.address)[i * PAGE + i] = (uint8_t)(i + 1);
	all = suite_share(from, &memory, 0, 12, READ_WRITE);
	some = suite_share(from, &memory, 9, 3, READ_WRITE);
	ends_settle(from, to);
	seen = suite_map(to, &all, READ_WRITE);
	part = suite_map(to, &some, READ_ONLY);
	for (i = 0; i < 12; i++)
		assert_int_equal(seen[i * PAGE + i], i + 1);
	assert_int_equal(part[9], 10);
	seen[11 * PAGE] = 99;
	assert_int_equal(((uint8_t *)memory.address)[11 * PAGE], 99);
	assert_int_equal(part[2 * PAGE], 99);
	suite_unmap(to, seen, 12);
	assert_int_equal(part[2 * PAGE], 99);
	suite_unmap(to, part, 3);
	assert_int_equal(to->ops->unmap(end_link(to), part, 3), -EINVAL);
	suite_give_back(from, to, &all);
	suite_give_back(from, to, &some);
	hdmabuf_memory_free(&memory);
}

#endif /* HDMABUF_PLATFORM_PAIR_KIND_H */
