/* SPDX-License-Identifier: MIT */
/*
 * Two ends that keep to the rules, whatever crosses whatever on the way: neither has
 * anything to be reproached for, from wherever one looks.
 */
#include "conformance/checker/checker.h"
#include "tests/pair.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SAMPLES	  6
#define TIMELINES 3
#define STEPS	  400
#define ROUNDS	  100

/* What an end has shared, and what it has been given. */
struct side {
	struct end *end;
	struct checker *checker;
	struct sample samples[SAMPLES];
	bool taken[SAMPLES];
	struct hdmabuf_buffer *imports[SAMPLES * 2];
	size_t import_count;
	struct hdmabuf_timeline_handle *timelines[TIMELINES];
	uint64_t named[TIMELINES];
	uint64_t seed;
};

struct scene {
	struct pair pair;
	struct side sides[2];
	uint64_t seed;
	uint64_t events;
};

static uint64_t draw(struct scene *scene, uint64_t below)
{
	uint64_t *seed = &scene->seed;

	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (*seed >> 20) % below;
}

/* ---- What is told ------------------------------------------------------- */

static void on_found(void *user, enum clause clause, enum hdmabuf_role offender,
		     uint32_t link, const char *text)
{
	(void)user;
	(void)link;
	print_error("%s %s: %s\n", clause_id(clause),
		    offender == HDMABUF_FRONTEND ? "frontend" : "backend",
		    text);
	fail();
}

static void on_trace(void *user, const struct hdmabuf_trace_event *event)
{
	struct scene *scene = ((struct end *)user)->context;

	scene->events++;
	checker_feed(scene->sides[event->observer].checker, event);
}

static struct side *side_of(void *user)
{
	struct end *end = user;
	struct scene *scene = end->context;

	return &scene->sides[end == &scene->pair.back];
}

static uint16_t on_imported(void *user, struct hdmabuf_buffer *buffer)
{
	struct side *side = side_of(user);
	void *data;

	if (side->import_count == COUNT(side->imports))
		return HDMABUF_STATUS_DENIED;
	if (side->import_count % 2)
		hdmabuf_buffer_map(buffer, &data);
	side->imports[side->import_count++] = buffer;
	return HDMABUF_STATUS_OK;
}

static void let_go(struct side *side, size_t place)
{
	hdmabuf_buffer_release(side->imports[place]);
	side->imports[place] = side->imports[--side->import_count];
}

/* Every other one is let go of later. */
static void on_retire(void *user, struct hdmabuf_buffer *buffer,
		      uint32_t grace_ms)
{
	struct side *side = side_of(user);

	(void)grace_ms;
	for (size_t i = 0; i < side->import_count; i++)
		if (side->imports[i] == buffer && i % 2 == 0) {
			let_go(side, i);
			return;
		}
}

static void on_released(void *user, struct hdmabuf_buffer *buffer)
{
	struct side *side = side_of(user);

	for (size_t i = 0; i < SAMPLES; i++)
		if (side->taken[i] && side->samples[i].buffer == buffer) {
			sample_free(&side->samples[i]);
			side->taken[i] = false;
		}
}

/* ---- What an end does --------------------------------------------------- */

static void do_export(struct scene *scene, struct side *side)
{
	uint64_t i = draw(scene, SAMPLES);

	if (side->taken[i])
		return;
	sample_make(&side->samples[i], side->end, 1 + draw(scene, 9000),
		    (uint32_t)(1 + draw(scene, 3)));
	side->samples[i].info.tag = draw(scene, 5);
	if (sample_export(&side->samples[i], side->end))
		sample_free(&side->samples[i]);
	else
		side->taken[i] = true;
}

/* A buffer of either end, or NULL. */
static struct hdmabuf_buffer *any_buffer(struct scene *scene, struct side *side)
{
	uint64_t i = draw(scene, SAMPLES + COUNT(side->imports));

	if (i < SAMPLES)
		return side->taken[i] ? side->samples[i].buffer : NULL;
	i -= SAMPLES;
	return i < side->import_count ? side->imports[i] : NULL;
}

static void do_hand_off(struct scene *scene, struct side *side)
{
	struct hdmabuf_turn turn = { .buffer = any_buffer(scene, side) };
	uint64_t i = draw(scene, TIMELINES + 1);
	bool more = draw(scene, 3) == 0;

	if (!turn.buffer)
		return;
	if (i < TIMELINES && side->timelines[i]) {
		turn.signal = side->timelines[i];
		turn.signal_point = side->named[i] + 1 + draw(scene, 2);
	}
	if (!hdmabuf_hand_off(&turn, more) && turn.signal)
		side->named[i] = turn.signal_point;
}

static void do_update(struct scene *scene, struct side *side)
{
	uint64_t i = draw(scene, SAMPLES);

	if (!side->taken[i])
		return;
	side->samples[i].info.tag++;
	hdmabuf_update(side->samples[i].buffer, &side->samples[i].info);
}

static void do_unexport(struct scene *scene, struct side *side)
{
	uint64_t i = draw(scene, SAMPLES);

	if (side->taken[i])
		hdmabuf_unexport(side->samples[i].buffer,
				 (uint32_t)draw(scene, 2) * 1000);
}

static void do_release(struct scene *scene, struct side *side)
{
	uint64_t i = draw(scene, COUNT(side->imports));

	if (i < side->import_count)
		let_go(side, i);
}

static void do_query(struct scene *scene, struct side *side)
{
	struct hdmabuf_buffer *buffer = any_buffer(scene, side);

	if (buffer)
		hdmabuf_buffer_query(buffer);
}

static void do_cpu(struct scene *scene, struct side *side)
{
	struct hdmabuf_buffer *buffer = any_buffer(scene, side);

	if (buffer)
		hdmabuf_buffer_cpu_access(buffer, draw(scene, 2), 0, 1,
					  HDMABUF_ACCESS_READ);
}

static void do_allocate(struct scene *scene, struct side *side)
{
	const struct hdmabuf_allocate_body wish = {
		.size = 4096,
		.tag = draw(scene, 9),
		.rights = HDMABUF_RIGHTS_READ_WRITE,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
	};

	if (draw(scene, 8) == 0)
		hdmabuf_session_allocate(side->end->session, &wish);
}

static void do_timeline(struct scene *scene, struct side *side)
{
	uint64_t i = draw(scene, TIMELINES);

	side->named[i] = 0;
	if (!side->timelines[i])
		hdmabuf_timeline_create(side->end->session,
					HDMABUF_SIGNALLER_PEER, 0,
					&side->timelines[i]);
	else if (!hdmabuf_timeline_destroy(side->timelines[i]))
		side->timelines[i] = NULL;
}

static void do_echo(struct scene *scene, struct side *side)
{
	const uint8_t octets[56] = { (uint8_t)draw(scene, 256) };

	hdmabuf_session_echo(side->end->session, octets);
}

static void act(struct scene *scene)
{
	static void (*const actions[])(struct scene * scene,
				       struct side * side) = {
		do_export,   do_export,	  do_hand_off, do_hand_off, do_hand_off,
		do_update,   do_unexport, do_release,  do_query,    do_cpu,
		do_allocate, do_timeline, do_echo,
	};
	struct side *side = &scene->sides[draw(scene, 2)];

	if (side->end->session)
		actions[draw(scene, COUNT(actions))](scene, side);
	if (draw(scene, 4) == 0)
		hdmabuf_endpoint_flush(side->end->endpoint);
	if (draw(scene, 3) == 0)
		end_dispatch(scene->sides[draw(scene, 2)].end);
}

/* ---- The scene ---------------------------------------------------------- */

static void prepare(struct scene *scene, struct side *side, struct end *end)
{
	side->end = end;
	side->checker = checker_new(on_found, NULL);
	assert_non_null(side->checker);
	end->context = scene;
	end->hooks.trace = on_trace;
	end->hooks.imported = on_imported;
	end->hooks.retire = on_retire;
	end->hooks.released = on_released;
}

static void finish(struct scene *scene)
{
	struct side *side = &scene->sides[draw(scene, 2)];

	pair_run(&scene->pair);
	if (side->end->session)
		hdmabuf_session_close(side->end->session, HDMABUF_REASON_DONE);
	pair_run(&scene->pair);
	pair_close(&scene->pair);
	for (size_t i = 0; i < 2; i++)
		checker_free(scene->sides[i].checker);
}

static void play(uint64_t seed)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->seed = seed * 0x9e3779b97f4a7c15 + 1;
	prepare(scene, &scene->sides[0], &scene->pair.front);
	prepare(scene, &scene->sides[1], &scene->pair.back);
	pair_connect(&scene->pair, NULL, NULL);
	for (unsigned int i = 0; i < STEPS; i++)
		act(scene);
	assert_int_equal(scene->pair.front.seen.disconnected, 0);
	assert_int_equal(scene->pair.back.seen.disconnected, 0);
	finish(scene);
	free(scene);
}

static void nothing_is_found_of_ends_that_keep_to_the_rules(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		play(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			nothing_is_found_of_ends_that_keep_to_the_rules),
	};

	return hdmabuf_test_run("checker_pair", tests, COUNT(tests));
}
