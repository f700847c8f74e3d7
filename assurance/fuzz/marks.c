/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: a ring of format 1 whose other end writes what it likes. The input is a
 * script of what this end does and what the other writes, into the events or the slots.
 */
#include "assurance/fuzz/common/fuzz.h"

#include <hdmabuf/ring.h>

#define OCTETS 16384u
#define SLOTS  128u
#define SLOT   64u

struct scene {
	struct hdmabuf_ring ring;
	uint8_t *shared;
	uint8_t *shadow; /* what is there, as far as this end has not written */
	bool requester;
	bool spoilt;	/* the other has written while a batch was put */
	uint8_t put;	/* messages of this end, for their content */
	uint8_t first;	/* the content of the batch begins with it */
	uint32_t shown; /* messages that this end has shown */
	uint32_t ready; /* messages that were counted by a mark and not taken */
	uint32_t peer; /* messages that the other end has marked when it should */
};

enum place {
	REQ_EVENT = 0,
	RSP_EVENT = 64,
	FIRST_SLOT = 128
};

static size_t slot_at(uint32_t index)
{
	return FIRST_SLOT + (size_t)(index % SLOTS) * SLOT;
}

static uint8_t *mark_at(uint8_t *memory, uint32_t index)
{
	return memory + slot_at(index) + 7;
}

static uint32_t own_kind(const struct scene *scene)
{
	return scene->requester ? HDMABUF_MARK_REQUESTS : HDMABUF_MARK_ANSWERS;
}

static uint32_t peer_kind(const struct scene *scene)
{
	return scene->requester ? HDMABUF_MARK_ANSWERS : HDMABUF_MARK_REQUESTS;
}

/* How many more messages the other end may mark. */
static uint32_t may_come(const struct scene *scene, uint32_t index)
{
	return scene->requester ? scene->shown - index :
				  SLOTS - (index - scene->shown);
}

/* ---- What this end may have written -------------------------------------- */

static void check_nothing_written(const struct scene *scene)
{
	must(!memcmp(scene->shared, scene->shadow, OCTETS));
}

/* Nothing but the slots of the batch that is not shown yet. */
static void check_batch_written(struct scene *scene)
{
	uint32_t i;

	for (i = scene->shown; i != scene->ring.produced; i++)
		memcpy(scene->shadow + slot_at(i), scene->shared + slot_at(i),
		       SLOT);
	check_nothing_written(scene);
}

/* HDB-BOTH-010: whatever the other end says, this end keeps count. */
static void check_counts(const struct scene *scene)
{
	const struct hdmabuf_ring *ring = &scene->ring;

	must(ring->slots == SLOTS && ring->mask == SLOTS - 1);
	must(ring->pushed == scene->shown && ring->ready == scene->ready);
	must(may_come(scene, ring->consumed + ring->ready) <= SLOTS);
	if (scene->requester)
		must(ring->produced - ring->consumed <= SLOTS);
	else
		must(ring->consumed - ring->produced <= SLOTS);
	must(ring->produced - ring->pushed <= SLOTS);
}

/* ---- What this end does --------------------------------------------------- */

/* Until it is shown, there is no mark. */
static void put(struct scene *scene)
{
	struct hdmabuf_ring *ring = &scene->ring;
	uint32_t index = ring->produced;
	uint8_t before = *mark_at(scene->shadow, index);
	union hdmabuf_message message;
	bool room = scene->requester ? index - ring->consumed < SLOTS :
				       index != ring->consumed;

	memset(&message, scene->put, sizeof(message));
	must(room == (scene->requester ?
			      hdmabuf_ring_put_request(ring, &message) :
			      hdmabuf_ring_put_answer(ring, &message)));
	must(ring->produced == index + room);
	if (index == scene->shown) {
		must(*mark_at(scene->shared, index) == before);
		scene->first = scene->put;
		scene->spoilt = false;
	} else if (room) {
		must(!*mark_at(scene->shared, index));
	}
	scene->put += room;
	check_batch_written(scene);
}

/* HDB-BOTH-070 */
static uint8_t mark_of(const struct scene *scene, uint32_t number,
		       uint32_t count)
{
	uint32_t left = count - number;

	if (number % HDMABUF_MARK_MAX)
		return 0;
	return (uint8_t)(own_kind(scene) +
			 (left < HDMABUF_MARK_MAX ? left : HDMABUF_MARK_MAX));
}

static void check_shown(const struct scene *scene, uint32_t first,
			uint32_t count)
{
	union hdmabuf_message want;
	uint32_t i;

	for (i = 0; i < count; i++) {
		memset(&want, (uint8_t)(scene->first + i), sizeof(want));
		want.octets[7] = mark_of(scene, i, count);
		if (!scene->spoilt)
			must(!memcmp(scene->shared + slot_at(first + i), &want,
				     SLOT));
		else if (want.octets[7])
			must(*mark_at(scene->shared, first + i) ==
			     want.octets[7]);
	}
}

/* HDB-BOTH-013 */
static void push(struct scene *scene)
{
	struct hdmabuf_ring *ring = &scene->ring;
	uint32_t count = ring->produced - scene->shown;
	uint32_t event;
	bool wanted;

	memcpy(&event,
	       scene->shared + (scene->requester ? REQ_EVENT : RSP_EVENT),
	       sizeof(event));
	wanted = scene->requester ? hdmabuf_ring_push_requests(ring) :
				    hdmabuf_ring_push_answers(ring);
	must(wanted == (ring->produced - event < count));
	check_shown(scene, scene->shown, count);
	check_batch_written(scene);
	scene->shown = ring->produced;
}

/* HDB-BOTH-071, HDB-BOTH-072 */
static enum hdmabuf_ring_result expected(const struct scene *scene)
{
	uint32_t most = may_come(scene, scene->ring.consumed);
	uint32_t mark = *mark_at(scene->shared, scene->ring.consumed);
	uint32_t kind = peer_kind(scene);

	if (scene->ready)
		return HDMABUF_RING_TAKEN;
	if (!most || mark <= kind || mark > kind + HDMABUF_MARK_MAX)
		return HDMABUF_RING_EMPTY;
	return mark - kind <= most ? HDMABUF_RING_TAKEN : HDMABUF_RING_BROKEN;
}

static void check_taken(struct scene *scene, uint32_t index,
			union hdmabuf_message *message)
{
	uint8_t *mark = &message->octets[7];

	if (scene->ready) {
		scene->ready--;
	} else {
		must(!*mark);
		scene->ready =
			*mark_at(scene->shared, index) - peer_kind(scene) - 1;
	}
	*mark = *mark_at(scene->shared, index);
	must(!memcmp(scene->shared + slot_at(index), message, SLOT));
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
		check_taken(scene, index, &message);
	check_nothing_written(scene);
}

/* HDB-BOTH-014 */
static void arm(struct scene *scene, uint32_t count)
{
	struct hdmabuf_ring *ring = &scene->ring;
	bool there = expected(scene) != HDMABUF_RING_EMPTY;
	uint32_t event;

	if (!scene->requester)
		count = 1;
	event = ring->consumed + count;
	must(there == (scene->requester ?
			       hdmabuf_ring_arm_answers(ring, count) :
			       hdmabuf_ring_arm_requests(ring)));
	memcpy(scene->shadow + (scene->requester ? RSP_EVENT : REQ_EVENT),
	       &event, sizeof(event));
	check_nothing_written(scene);
}

/* ---- What the other end does ---------------------------------------------- */

static void write_theirs(struct scene *scene, size_t place, const void *octets,
			 size_t count)
{
	memcpy(scene->shared + place, octets, count);
	memcpy(scene->shadow + place, octets, count);
	scene->spoilt = true;
}

static void write_mark(struct scene *scene, uint32_t index, uint8_t mark)
{
	write_theirs(scene, slot_at(index) + 7, &mark, sizeof(mark));
}

/* What it should do, so that scripts get far. */
static void go_on(struct scene *scene, uint32_t count)
{
	uint32_t known = scene->ring.consumed + scene->ready;
	bool spoilt = scene->spoilt;
	uint32_t room, i;
	uint8_t octets[SLOT];

	if (scene->peer - known > SLOTS)
		scene->peer = known;
	room = may_come(scene, scene->peer);
	if (count > room)
		count = room;
	for (i = count; i--;) {
		memset(octets, (int)(scene->peer + i), sizeof(octets));
		octets[7] = i ? 0 : (uint8_t)(peer_kind(scene) + count);
		write_theirs(scene, slot_at(scene->peer + i), octets, SLOT);
	}
	scene->peer += count;
	scene->spoilt = spoilt;
}

static void write_word(struct scene *scene, size_t place, uint32_t word)
{
	write_theirs(scene, place, &word, sizeof(word));
}

/* ---- ---------------------------------------------------------------------- */

static void put_some(struct scene *scene, uint32_t count)
{
	while (count--)
		put(scene);
}

static void take_some(struct scene *scene, uint32_t count)
{
	while (count--)
		take(scene);
}

static void step(struct scene *scene, struct input *input)
{
	uint8_t octet = input_octet(input), number = octet / 8;

	switch (octet % 8) {
	case 0:
		put_some(scene, number < 16 ? 1u : number * 3u);
		break;
	case 1:
		push(scene);
		break;
	case 2:
		take_some(scene, number < 16 ? 1u : number * 3u);
		break;
	case 3:
		arm(scene, 1u + number);
		break;
	case 4:
		go_on(scene, 1u + number * 2u);
		break;
	case 5:
		write_mark(scene, scene->ring.consumed + number,
			   input_octet(input));
		break;
	case 6:
		write_word(scene, number & 1 ? RSP_EVENT : REQ_EVENT,
			   input_32(input));
		break;
	case 7:
		write_word(scene, input_16(input) % (OCTETS / 4) * 4,
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
	scene.shared = fuzz_alloc(OCTETS);
	scene.shadow = fuzz_alloc(OCTETS);
	hdmabuf_ring_format(scene.shared, OCTETS, HDMABUF_RING_FORMAT_1, start);
	memcpy(scene.shadow, scene.shared, OCTETS);
	hdmabuf_ring_init(&scene.ring, scene.shared, OCTETS,
			  HDMABUF_RING_FORMAT_1, start);
	scene.shown = scene.peer = start;
	while (input.left)
		step(&scene, &input);
	free(scene.shared);
	free(scene.shadow);
	return 0;
}
