/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: a ring whose other end writes what it likes. The input is a script of
 * what this end does and what the other writes, into the indices or the slots.
 */
#include "assurance/fuzz/common/fuzz.h"

#include <hdmabuf/ring.h>

#define PAGE 4096u

struct scene {
	struct hdmabuf_ring ring;
	uint8_t *shared;
	uint8_t *shadow; /* what is there, as far as this end has not written */
	bool requester;
	uint32_t put;	/* messages of this end, for their content */
	uint32_t shown; /* the producer index that this end has shown */
};

enum place {
	REQ_PROD = 0,
	REQ_EVENT = 4,
	RSP_PROD = 8,
	RSP_EVENT = 12
};

static uint32_t word_at(const struct scene *scene, enum place place)
{
	uint32_t word;

	memcpy(&word, scene->shared + place, sizeof(word));
	return word;
}

static enum place own_index(const struct scene *scene)
{
	return scene->requester ? REQ_PROD : RSP_PROD;
}

static enum place peer_index(const struct scene *scene)
{
	return scene->requester ? RSP_PROD : REQ_PROD;
}

static enum place own_event(const struct scene *scene)
{
	return scene->requester ? RSP_EVENT : REQ_EVENT;
}

static uint8_t *slot_of(const struct scene *scene, uint32_t index)
{
	return scene->shared + 64 + (size_t)(index % scene->ring.slots) * 64;
}

/* ---- What this end may have written -------------------------------------- */

/* Nothing but what @place and @octets say. */
static void check_written(struct scene *scene, size_t place, size_t octets)
{
	must(!memcmp(scene->shared, scene->shadow, place));
	memcpy(scene->shadow + place, scene->shared + place, octets);
	must(!memcmp(scene->shared + place + octets,
		     scene->shadow + place + octets, PAGE - place - octets));
}

static void check_nothing_written(struct scene *scene)
{
	check_written(scene, 0, 0);
}

/* HDB-BOTH-010: whatever the other end says, this end keeps count. */
static void check_counts(const struct scene *scene)
{
	const struct hdmabuf_ring *ring = &scene->ring;

	must(ring->mask == ring->slots - 1 && ring->slots == 32);
	if (scene->requester) {
		must(ring->produced - ring->consumed <= ring->slots);
		must(ring->pushed - ring->consumed <= ring->slots);
	} else {
		must(ring->consumed - ring->produced <= ring->slots);
		must(ring->consumed - ring->pushed <= ring->slots);
	}
	must(ring->produced - ring->pushed <= ring->slots);
}

/* ---- What this end does --------------------------------------------------- */

static void put(struct scene *scene)
{
	struct hdmabuf_ring *ring = &scene->ring;
	uint32_t index = ring->produced;
	union hdmabuf_message message;
	bool room, done;

	memset(&message, (int)(scene->put++ | 1), sizeof(message));
	if (scene->requester) {
		room = hdmabuf_ring_free_requests(ring) > 0;
		done = hdmabuf_ring_put_request(ring, &message);
	} else {
		room = ring->produced != ring->consumed;
		done = hdmabuf_ring_put_answer(ring, &message);
	}
	must(done == room);
	must(ring->produced == index + done);
	if (!done) {
		check_nothing_written(scene);
		return;
	}
	must(!memcmp(slot_of(scene, index), &message, sizeof(message)));
	check_written(scene, (size_t)(slot_of(scene, index) - scene->shared),
		      sizeof(message));
}

/* HDB-BOTH-013 */
static void push(struct scene *scene)
{
	struct hdmabuf_ring *ring = &scene->ring;
	uint32_t event =
		word_at(scene, scene->requester ? REQ_EVENT : RSP_EVENT);
	uint32_t count = ring->produced - scene->shown;
	bool wanted = scene->requester ? hdmabuf_ring_push_requests(ring) :
					 hdmabuf_ring_push_answers(ring);

	must(wanted == (ring->produced - event < count));
	scene->shown = ring->produced;
	if (!count) {
		check_nothing_written(scene);
		return;
	}
	must(word_at(scene, own_index(scene)) == ring->produced);
	check_written(scene, own_index(scene), 4);
}

static enum hdmabuf_ring_result expected(const struct scene *scene)
{
	const struct hdmabuf_ring *ring = &scene->ring;
	uint32_t there = word_at(scene, peer_index(scene)) - ring->consumed;
	uint32_t most = scene->requester ?
				scene->shown - ring->consumed :
				ring->slots - (ring->consumed - scene->shown);

	if (!there)
		return HDMABUF_RING_EMPTY;
	return there <= most ? HDMABUF_RING_TAKEN : HDMABUF_RING_BROKEN;
}

static void take(struct scene *scene)
{
	struct hdmabuf_ring *ring = &scene->ring;
	enum hdmabuf_ring_result should = expected(scene), found;
	uint32_t index = ring->consumed;
	union hdmabuf_message message;

	must(should == (scene->requester ? hdmabuf_ring_has_answer(ring) :
					   hdmabuf_ring_has_request(ring)));
	found = scene->requester ? hdmabuf_ring_take_answer(ring, &message) :
				   hdmabuf_ring_take_request(ring, &message);
	must(found == should);
	must(ring->consumed == index + (found == HDMABUF_RING_TAKEN));
	if (found == HDMABUF_RING_TAKEN)
		must(!memcmp(slot_of(scene, index), &message, sizeof(message)));
	check_nothing_written(scene);
}

/* HDB-BOTH-014 */
static void arm(struct scene *scene, uint32_t count)
{
	struct hdmabuf_ring *ring = &scene->ring;
	bool there = word_at(scene, peer_index(scene)) != ring->consumed;

	if (!scene->requester)
		count = 1;
	must(there == (scene->requester ?
			       hdmabuf_ring_arm_answers(ring, count) :
			       hdmabuf_ring_arm_requests(ring)));
	must(word_at(scene, own_event(scene)) == ring->consumed + count);
	check_written(scene, own_event(scene), 4);
}

/* ---- What the other end does ---------------------------------------------- */

static void write_theirs(struct scene *scene, size_t place, uint32_t word)
{
	memcpy(scene->shared + place, &word, sizeof(word));
	memcpy(scene->shadow + place, &word, sizeof(word));
}

/* What it should do, so that scripts get far. */
static void go_on(struct scene *scene, uint8_t count)
{
	write_theirs(scene, peer_index(scene),
		     word_at(scene, peer_index(scene)) + count % 4);
}

static void step(struct scene *scene, struct input *input)
{
	uint8_t octet = input_octet(input);

	switch (octet % 8) {
	case 0:
	case 1:
		put(scene);
		break;
	case 2:
		push(scene);
		break;
	case 3:
		take(scene);
		break;
	case 4:
		arm(scene, 1 + octet / 8);
		break;
	case 5:
		go_on(scene, octet / 8);
		break;
	case 6:
		write_theirs(scene, (octet / 8) % 4 * 4, input_32(input));
		break;
	case 7:
		write_theirs(scene, input_16(input) % (PAGE / 4) * 4,
			     input_32(input));
		break;
	}
	check_counts(scene);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct input input = { octets, size };
	struct scene scene = { 0 };
	uint32_t start;

	scene.requester = input_octet(&input) & 1;
	start = input_32(&input);
	scene.shared = fuzz_alloc(PAGE);
	scene.shadow = fuzz_alloc(PAGE);
	memset(scene.shared, 0xff, PAGE);
	hdmabuf_ring_format(scene.shared, PAGE, HDMABUF_RING_FORMAT_0, start);
	write_theirs(&scene, REQ_PROD, start);
	memcpy(scene.shadow, scene.shared, PAGE);
	hdmabuf_ring_init(&scene.ring, scene.shared, PAGE,
			  HDMABUF_RING_FORMAT_0, start);
	scene.shown = start;
	while (input.left)
		step(&scene, &input);
	free(scene.shared);
	free(scene.shadow);
	return 0;
}
