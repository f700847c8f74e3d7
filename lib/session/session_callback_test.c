/* SPDX-License-Identifier: MIT */
/*
 * What an application may do from its callbacks, what happens if it has none, and
 * what the functions say to wrong arguments.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pair.h"

#define PAGE 4096u

/* ---- a scene in which every callback is called ----------------------------- */

enum callback {
	CONNECTED,
	DISCONNECTED,
	IMPORTED,
	UPDATED,
	HANDED_OFF,
	RETIRE,
	ALLOCATE,
	CPU_ACCESS,
	EXPORTED,
	ALLOCATED,
	QUERIED,
	ECHOED,
	ANSWERED,
	QUARANTINED,
	RELEASED,
	REACHED,
	CALLBACKS
};

struct actor;
typedef void (*action)(struct actor *actor);

/*
 * Does something from one of its callbacks, once or each time.
 *
 * @when: from which callback
 * @act: what it does; NULL for nothing
 * @acts: how often it may
 * @session: of the callback
 * @theirs: a buffer of the peer, as long as it is valid
 * @sample: a buffer of its own
 * @others: buffers that were exported from callbacks
 */
struct actor {
	struct end *end;
	enum callback when;
	action act;
	unsigned int acts;
	unsigned int acted;
	unsigned int exported;
	struct hdmabuf_session *session;
	struct hdmabuf_buffer *theirs;
	struct hdmabuf_timeline_handle *timeline;
	struct hdmabuf_turn turn;
	struct sample sample;
	struct sample others[4];
};

static void act(void *user, enum callback when)
{
	struct actor *actor = ((struct end *)user)->context;

	if (actor->when != when || !actor->act || actor->acted >= actor->acts)
		return;
	actor->acted++;
	actor->act(actor);
}

static void on_connected(void *user, struct hdmabuf_session *session)
{
	struct actor *actor = ((struct end *)user)->context;

	actor->session = session;
	act(user, CONNECTED);
}

static void on_disconnected(void *user, struct hdmabuf_session *session,
			    uint16_t status, const char *why)
{
	struct actor *actor = ((struct end *)user)->context;

	(void)session;
	(void)status;
	(void)why;
	act(user, DISCONNECTED);
	actor->session = NULL;
	actor->theirs = NULL;
	actor->timeline = NULL;
	actor->turn.signal = NULL;
}

static uint16_t on_imported(void *user, struct hdmabuf_buffer *buffer)
{
	struct actor *actor = ((struct end *)user)->context;
	void *data;

	actor->theirs = buffer;
	if (actor->end->policy.map)
		assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	act(user, IMPORTED);
	/* Who refuses a buffer has it no longer. */
	if (actor->end->policy.import_status)
		actor->theirs = NULL;
	return actor->end->policy.import_status;
}

static uint16_t on_updated(void *user, struct hdmabuf_buffer *buffer,
			   const struct hdmabuf_info *info)
{
	(void)buffer;
	(void)info;
	act(user, UPDATED);
	return HDMABUF_STATUS_OK;
}

static void on_handed_off(void *user, struct hdmabuf_session *session,
			  const struct hdmabuf_turn *turns, size_t count)
{
	struct actor *actor = ((struct end *)user)->context;

	(void)session;
	(void)count;
	actor->turn = turns[0];
	act(user, HANDED_OFF);
}

static void on_retire(void *user, struct hdmabuf_buffer *buffer,
		      uint32_t grace_ms)
{
	struct actor *actor = ((struct end *)user)->context;

	(void)grace_ms;
	act(user, RETIRE);
	if (actor->theirs != buffer)
		return;
	actor->theirs = NULL;
	hdmabuf_buffer_release(buffer);
}

static uint16_t on_allocate(void *user, struct hdmabuf_session *session,
			    const struct hdmabuf_allocate_body *wish,
			    struct hdmabuf_memory *memory,
			    struct hdmabuf_info *info, void **buffer_user)
{
	(void)buffer_user;
	act(user, ALLOCATE);
	*info = (struct hdmabuf_info){
		.size = wish->size,
		.rights = wish->rights,
		.attributes = wish->attributes,
		.type = HDMABUF_TYPE_RAW,
	};
	return hdmabuf_session_alloc(session, (size_t)wish->size, wish->rights,
				     memory) ?
		       HDMABUF_STATUS_NO_MEMORY :
		       HDMABUF_STATUS_OK;
}

static uint16_t on_cpu_access(void *user, struct hdmabuf_buffer *buffer,
			      bool begin, uint64_t offset, uint64_t octets,
			      uint32_t access)
{
	(void)buffer;
	(void)begin;
	(void)offset;
	(void)octets;
	(void)access;
	act(user, CPU_ACCESS);
	return HDMABUF_STATUS_OK;
}

static void on_exported(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	(void)buffer;
	(void)fault;
	act(user, EXPORTED);
}

static void on_allocated(void *user, struct hdmabuf_session *session,
			 const struct hdmabuf_id *id,
			 const struct hdmabuf_fault *fault)
{
	(void)session;
	(void)id;
	(void)fault;
	act(user, ALLOCATED);
}

static void on_queried(void *user, struct hdmabuf_buffer *buffer,
		       const struct hdmabuf_query_body *answer,
		       const struct hdmabuf_fault *fault)
{
	(void)buffer;
	(void)answer;
	(void)fault;
	act(user, QUERIED);
}

static void on_echoed(void *user, struct hdmabuf_session *session,
		      const uint8_t *octets, const struct hdmabuf_fault *fault)
{
	(void)session;
	(void)octets;
	(void)fault;
	act(user, ECHOED);
}

static void on_answered(void *user, struct hdmabuf_session *session,
			uint16_t operation, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	(void)session;
	(void)operation;
	(void)buffer;
	(void)fault;
	act(user, ANSWERED);
}

static void on_quarantined(void *user, struct hdmabuf_buffer *buffer)
{
	(void)buffer;
	act(user, QUARANTINED);
}

static void on_released(void *user, struct hdmabuf_buffer *buffer)
{
	struct actor *actor = ((struct end *)user)->context;

	act(user, RELEASED);
	if (actor->sample.buffer == buffer)
		actor->sample.buffer = NULL;
}

static void on_reached(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	(void)timeline;
	(void)point;
	(void)status;
	act(user, REACHED);
}

static const struct hdmabuf_callbacks hooks = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.imported = on_imported,
	.updated = on_updated,
	.handed_off = on_handed_off,
	.retire = on_retire,
	.allocate = on_allocate,
	.cpu_access = on_cpu_access,
	.exported = on_exported,
	.allocated = on_allocated,
	.queried = on_queried,
	.echoed = on_echoed,
	.answered = on_answered,
	.quarantined = on_quarantined,
	.released = on_released,
	.reached = on_reached,
};

/* ---- what is done from the callbacks --------------------------------------- */

static void close_session(struct actor *actor)
{
	if (actor->session)
		hdmabuf_session_close(actor->session, HDMABUF_REASON_DONE);
}

static void release_theirs(struct actor *actor)
{
	struct hdmabuf_buffer *buffer = actor->theirs;

	actor->theirs = NULL;
	if (buffer)
		hdmabuf_buffer_release(buffer);
}

static void unmap_theirs(struct actor *actor)
{
	if (actor->theirs)
		hdmabuf_buffer_unmap(actor->theirs);
}

static void remap_theirs(struct actor *actor)
{
	void *data;

	if (!actor->theirs)
		return;
	hdmabuf_buffer_unmap(actor->theirs);
	hdmabuf_buffer_map(actor->theirs, &data);
}

static void export_another(struct actor *actor)
{
	struct sample *sample = &actor->others[actor->exported];
	struct hdmabuf_session *session = actor->session;

	if (!session || sample->buffer || sample->memory.provider)
		return;
	actor->end->session = session;
	sample_make(sample, actor->end, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	if (!sample_export(sample, actor->end))
		actor->exported++;
	else
		sample_free(sample);
}

static void hand_off(struct actor *actor)
{
	if (actor->sample.buffer)
		pair_hand_off(actor->sample.buffer, NULL, 0, NULL, 0, 0, false);
	if (actor->theirs)
		pair_hand_off(actor->theirs, NULL, 0, NULL, 0, 0, false);
}

static void hand_off_more(struct actor *actor)
{
	if (actor->sample.buffer)
		pair_hand_off(actor->sample.buffer, NULL, 0, NULL, 0, 0, true);
}

static void ask_back(struct actor *actor)
{
	if (actor->sample.buffer)
		hdmabuf_unexport(actor->sample.buffer, 10);
}

static void change(struct actor *actor)
{
	if (actor->sample.buffer)
		hdmabuf_update(actor->sample.buffer, &actor->sample.info);
}

static void ask(struct actor *actor)
{
	if (actor->sample.buffer)
		hdmabuf_buffer_query(actor->sample.buffer);
	if (actor->theirs)
		hdmabuf_buffer_query(actor->theirs);
	if (actor->session)
		hdmabuf_session_echo(actor->session, (uint8_t[56]){ 0 });
}

static void fill_ring(struct actor *actor)
{
	while (actor->session &&
	       !hdmabuf_session_echo(actor->session, (uint8_t[56]){ 0 }))
		;
}

static void fill_and_release(struct actor *actor)
{
	fill_ring(actor);
	release_theirs(actor);
}

static void create_timeline(struct actor *actor)
{
	struct hdmabuf_timeline_handle *timeline;

	if (actor->session &&
	    !hdmabuf_timeline_create(actor->session, HDMABUF_SIGNALLER_CREATOR,
				     0, &timeline))
		hdmabuf_timeline_signal(timeline, 5);
}

static void destroy_timeline(struct actor *actor)
{
	if (actor->timeline && !hdmabuf_timeline_destroy(actor->timeline))
		actor->timeline = NULL;
}

static void wait_again(struct actor *actor)
{
	if (actor->timeline)
		hdmabuf_timeline_wait(actor->timeline, 1);
}

static void finish_turn(struct actor *actor)
{
	if (actor->turn.signal)
		hdmabuf_turn_done(&actor->turn, HDMABUF_STATUS_OK);
}

static void fail_turn(struct actor *actor)
{
	if (actor->turn.signal)
		hdmabuf_turn_done(&actor->turn, HDMABUF_STATUS_FAILED);
}

static void flush(struct actor *actor)
{
	hdmabuf_endpoint_flush(actor->end->endpoint);
}

static void everything(struct actor *actor)
{
	export_another(actor);
	ask(actor);
	change(actor);
	remap_theirs(actor);
	hand_off(actor);
	finish_turn(actor);
	create_timeline(actor);
	wait_again(actor);
	destroy_timeline(actor);
	ask_back(actor);
	release_theirs(actor);
	flush(actor);
	close_session(actor);
}

static const action actions[] = {
	NULL,
	close_session,
	release_theirs,
	unmap_theirs,
	remap_theirs,
	export_another,
	hand_off,
	hand_off_more,
	ask_back,
	change,
	ask,
	fill_ring,
	create_timeline,
	destroy_timeline,
	wait_again,
	finish_turn,
	fail_turn,
	flush,
	everything,
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

/* ---- the scene ------------------------------------------------------------- */

static void actor_init(struct actor *actor, struct end *end)
{
	actor->end = end;
	end->context = actor;
	end->hooks = hooks;
	end->policy.hold = true;
	end->policy.map = true;
}

/* The session that there is now, if there is one. */
static bool is_on(const struct actor *actor)
{
	return actor->session && actor->end->session;
}

static void share(struct pair *pair, struct actor *actor, uint32_t rights)
{
	if (!is_on(actor))
		return;
	sample_make(&actor->sample, actor->end, PAGE, rights);
	if (sample_export(&actor->sample, actor->end))
		actor->sample.buffer = NULL;
	pair_run(pair);
}

static void begin_to_wait(struct actor *actor)
{
	if (is_on(actor) &&
	    !hdmabuf_timeline_create(actor->session, HDMABUF_SIGNALLER_PEER, 0,
				     &actor->timeline))
		hdmabuf_timeline_wait(actor->timeline, 1);
}

/* Everything is tried, and nothing has to succeed. */
static void play(struct pair *pair, struct actor *a, struct actor *b, bool lose)
{
	struct hdmabuf_allocate_body wish = {
		.size = PAGE,
		.rights = HDMABUF_RIGHTS_READ_WRITE,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
	};

	begin_to_wait(a);
	begin_to_wait(b);
	pair_run(pair);
	share(pair, b, HDMABUF_RIGHTS_LEND);
	share(pair, a, HDMABUF_RIGHTS_READ_WRITE);
	if (a->sample.buffer)
		pair_hand_off(a->sample.buffer, NULL, 0, a->timeline, 1, 0,
			      false);
	pair_run(pair);
	finish_turn(b);
	hand_off(b);
	pair_run(pair);
	change(a);
	ask(b);
	if (a->sample.buffer)
		hdmabuf_buffer_cpu_access(a->sample.buffer, true, 0, 1,
					  HDMABUF_ACCESS_READ);
	/* Refused, as nothing has begun. */
	if (b->sample.buffer)
		hdmabuf_buffer_cpu_access(b->sample.buffer, false, 0, 1,
					  HDMABUF_ACCESS_READ);
	if (is_on(a))
		hdmabuf_session_allocate(a->session, &wish);
	if (is_on(b))
		hdmabuf_session_allocate(b->session, &wish);
	pair_run(pair);
	if (lose) {
		end_close(a->end);
		pair_run(pair);
		return;
	}
	ask_back(b);
	pair_run(pair);
	ask_back(a);
	pair_run(pair);
	close_session(a);
	pair_run(pair);
}

static void clean_up(struct actor *actor)
{
	int i;

	sample_free(&actor->sample);
	for (i = 0; i < 4; i++)
		sample_free(&actor->others[i]);
}

static void check_scene(enum callback when, action wanted, unsigned int acts,
			bool by_front, uint16_t import_status, bool lose)
{
	struct actor actors[2] = { 0 };
	struct pair pair = { 0 };
	struct actor *actor = &actors[by_front ? 0 : 1];

	actor_init(&actors[0], &pair.front);
	actor_init(&actors[1], &pair.back);
	actor->when = when;
	actor->act = wanted;
	actor->acts = acts;
	actor->end->policy.import_status = import_status;
	pair_open(&pair, NULL, NULL);
	pair_wait(&pair, &pair.front.seen.connected, 1);
	pair_wait(&pair, &pair.back.seen.connected, 1);
	pair_run(&pair);
	if (by_front)
		play(&pair, &actors[1], &actors[0], lose);
	else
		play(&pair, &actors[0], &actors[1], lose);
	pair_close(&pair);
	assert_int_equal(pair.front.seen.connected,
			 pair.front.seen.disconnected);
	assert_int_equal(pair.back.seen.connected, pair.back.seen.disconnected);
	clean_up(&actors[0]);
	clean_up(&actors[1]);
}

static void check_callback(enum callback when)
{
	size_t i;

	for (i = 0; i < ACTIONS; i++) {
		check_scene(when, actions[i], 1, true, 0, false);
		check_scene(when, actions[i], 4, false, 0, false);
		check_scene(when, actions[i], 4, true, 0, true);
		check_scene(when, actions[i], 4, true, HDMABUF_STATUS_DENIED,
			    false);
	}
}

static void test_from_session_callbacks(void **state)
{
	(void)state;
	check_callback(CONNECTED);
	check_callback(DISCONNECTED);
}

static void test_from_imported(void **state)
{
	(void)state;
	check_callback(IMPORTED);
}

static void test_from_retire(void **state)
{
	(void)state;
	check_callback(RETIRE);
}

static void test_from_importer_callbacks(void **state)
{
	(void)state;
	check_callback(UPDATED);
	check_callback(HANDED_OFF);
	check_callback(ALLOCATE);
	check_callback(CPU_ACCESS);
}

static void test_from_exporter_callbacks(void **state)
{
	(void)state;
	check_callback(EXPORTED);
	check_callback(RELEASED);
	check_callback(QUARANTINED);
}

static void test_from_answers(void **state)
{
	(void)state;
	check_callback(ALLOCATED);
	check_callback(QUERIED);
	check_callback(ECHOED);
	check_callback(ANSWERED);
	check_callback(REACHED);
}

/* The scene is worth its name: each callback is called in it. */
static unsigned int calls;

static void count_call(struct actor *actor)
{
	(void)actor;
	calls++;
}

static void test_scene_calls_all(void **state)
{
	enum callback when;

	(void)state;
	for (when = CONNECTED; when < CALLBACKS; when++) {
		calls = 0;
		check_scene(when, count_call, 100, true, 0, false);
		check_scene(when, count_call, 100, false, 0, true);
		assert_true(calls);
	}
}

/* Released while it is offered: whatever is said then, it was accepted. */
static void check_release_in_imported(uint16_t status, action release)
{
	struct actor actors[2] = { 0 };
	struct pair pair = { 0 };
	struct sample sample;

	actor_init(&actors[0], &pair.front);
	actor_init(&actors[1], &pair.back);
	actors[1].when = IMPORTED;
	actors[1].act = release;
	actors[1].acts = 1;
	pair.back.policy.import_status = status;
	pair_connect(&pair, NULL, NULL);
	sample_make(&sample, &pair.front, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(sample_export(&sample, &pair.front), 0);
	pair_wait(&pair, &pair.front.seen.released, 1);
	assert_int_equal(pair.front.seen.exported, 1);
	assert_int_equal(pair.front.seen.exports_refused, 0);
	assert_int_equal(pair.front.seen.quarantined, 0);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	sample_free(&sample);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_release_in_imported(void **state)
{
	(void)state;
	check_release_in_imported(HDMABUF_STATUS_OK, release_theirs);
	check_release_in_imported(HDMABUF_STATUS_DENIED, release_theirs);
	/* RELEASED finds no room in the ring, and comes later. */
	check_release_in_imported(HDMABUF_STATUS_OK, fill_and_release);
	check_release_in_imported(HDMABUF_STATUS_DENIED, fill_and_release);
}

/* ---- no callbacks ---------------------------------------------------------- */

static void open_bare(struct pair *pair, bool front,
		      struct hdmabuf_endpoint **bare)
{
	static const struct hdmabuf_callbacks none = { 0 };
	struct hdmabuf_platform platforms[2];
	struct end *end = front ? &pair->back : &pair->front;
	enum hdmabuf_role role = front ? HDMABUF_BACKEND : HDMABUF_FRONTEND;

	assert_int_equal(hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
	end_open(end, platforms[role], role, NULL);
	assert_int_equal(hdmabuf_endpoint_new(platforms[!role],
					      (enum hdmabuf_role) !role, NULL,
					      front ? NULL : &none, NULL, bare),
			 0);
	/* It is run with the other; its journal stays empty. */
	(front ? &pair->front : &pair->back)->endpoint = *bare;
}

/* To the peer, it is like any other, but for what only an application can do. */
static void check_bare(bool front)
{
	struct hdmabuf_allocate_body wish = {
		.size = PAGE,
		.rights = HDMABUF_RIGHTS_READ_WRITE,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
	};
	struct hdmabuf_timeline_handle *timeline;
	struct hdmabuf_endpoint *bare;
	struct pair pair = { 0 };
	struct sample sample;
	struct end *end = front ? &pair.back : &pair.front;

	open_bare(&pair, front, &bare);
	pair_wait(&pair, &end->seen.connected, 1);
	assert_int_equal(hdmabuf_timeline_create(end->session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 0);
	sample_make(&sample, end, PAGE, HDMABUF_RIGHTS_LEND);
	assert_int_equal(sample_export(&sample, end), 0);
	pair_wait(&pair, &end->seen.exported, 1);
	assert_int_equal(end->seen.exports_refused, 0);
	/* Who looks at nothing has finished with it at once. */
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), 0);
	pair_run(&pair);
	assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, timeline, 1, 0,
				       false),
			 0);
	assert_int_equal(hdmabuf_timeline_wait(timeline, 1), 0);
	pair_wait(&pair, &end->seen.reached, 1);
	assert_int_equal(end->seen.reached_status, 0);
	assert_int_equal(hdmabuf_buffer_cpu_access(sample.buffer, true, 0, 1,
						   HDMABUF_ACCESS_WRITE),
			 0);
	assert_int_equal(hdmabuf_buffer_query(sample.buffer), 0);
	pair_wait(&pair, &end->seen.queried, 1);
	assert_int_equal(end->seen.refused, 0);
	assert_int_equal(hdmabuf_session_allocate(end->session, &wish), 0);
	pair_wait(&pair, &end->seen.allocated, 1);
	assert_int_equal(end->seen.fault.status, HDMABUF_STATUS_UNSUPPORTED);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 0), 0);
	pair_wait(&pair, &end->seen.released, 1);
	assert_int_equal(end->seen.quarantined, 0);
	sample_free(&sample);
	assert_int_equal(
		hdmabuf_session_close(end->session, HDMABUF_REASON_DONE), 0);
	pair_wait(&pair, &end->seen.disconnected, 1);
	assert_int_equal(end->seen.status, 0);
	pair_close(&pair);
}

static void test_no_callbacks(void **state)
{
	(void)state;
	check_bare(true);
	check_bare(false);
}

static void test_nobody_has_callbacks(void **state)
{
	struct hdmabuf_endpoint *endpoints[2];
	struct hdmabuf_platform platforms[2];
	int i, k;

	(void)state;
	assert_int_equal(hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(
			hdmabuf_endpoint_new(platforms[i], (enum hdmabuf_role)i,
					     NULL, NULL, NULL, &endpoints[i]),
			0);
	for (k = 0; k < 20; k++)
		for (i = 0; i < 2; i++)
			assert_int_equal(
				hdmabuf_endpoint_dispatch(endpoints[i]), 0);
	hdmabuf_endpoint_close(endpoints[0]);
	for (k = 0; k < 5; k++)
		assert_int_equal(hdmabuf_endpoint_dispatch(endpoints[1]), 0);
	hdmabuf_endpoint_close(endpoints[1]);
}

/* ---- wrong arguments ------------------------------------------------------- */

static int try_export(struct pair *pair, struct sample *sample)
{
	return hdmabuf_export(pair->front.session, &sample->memory,
			      &sample->info, NULL, &sample->buffer);
}

static void test_wrong_exports(void **state)
{
	static uint8_t private_data[4096];
	struct hdmabuf_info good;
	struct sample sample;
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	sample_make(&sample, &pair.front, 3 * PAGE, HDMABUF_RIGHTS_READ_WRITE);
	good = sample.info;
	sample.info.size = 0;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info.size = 3 * PAGE + 1;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info.size = UINT64_MAX;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info = good;
	sample.info.data_offset = 1;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info.data_offset = 4096;
	sample.info.size = 1;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info = good;
	sample.info.rights = 0;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info = good;
	sample.info.attributes = 0;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info = good;
	sample.info.type = HDMABUF_TYPE_PICTURE;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info = good;
	sample.info.private_octets = 1;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	sample.info.private_octets = 3841;
	sample.info.private_data = private_data;
	assert_int_equal(try_export(&pair, &sample), -EINVAL);
	assert_int_equal(pair.back.seen.imported, 0);
	/* None of it has cost anything. */
	sample.info = good;
	assert_int_equal(try_export(&pair, &sample), 0);
	pair_wait(&pair, &pair.front.seen.exported, 1);
	assert_int_equal(pair.front.seen.exports_refused, 0);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* Memory that cannot be shared with these rights any more, or not at all. */
static void test_memory_that_cannot_be_shared(void **state)
{
	struct hdmabuf_memory none = { .fd = -1, .octets = PAGE };
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	sample.info.rights = HDMABUF_RIGHTS_READ_WRITE;
	assert_int_equal(hdmabuf_export(pair.front.session, &sample.memory,
					&sample.info, NULL,
					&(struct hdmabuf_buffer *){ 0 }),
			 -EACCES);
	assert_int_equal(hdmabuf_export(pair.front.session, &none, &sample.info,
					NULL, &(struct hdmabuf_buffer *){ 0 }),
			 -EINVAL);
	pair_unshare(&pair, &pair.front, &sample);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_wrong_buffers(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *theirs;
	void *data;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	sample_make(&sample, &pair.front, PAGE, HDMABUF_RIGHTS_READ_WRITE);
	assert_int_equal(sample_export(&sample, &pair.front), 0);
	/* Not yet accepted. */
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_EXPORTING);
	assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0,
				       false),
			 -EACCES);
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), -EBUSY);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 0), -EINVAL);
	assert_ptr_equal(hdmabuf_buffer_user(sample.buffer), &sample);
	pair_wait(&pair, &pair.front.seen.exported, 1);
	theirs = pair.back.seen.buffer;
	assert_null(hdmabuf_buffer_user(theirs));
	hdmabuf_buffer_set_user(theirs, &pair);
	assert_ptr_equal(hdmabuf_buffer_user(theirs), &pair);

	/* Of the wrong end. */
	assert_int_equal(hdmabuf_buffer_map(sample.buffer, &data), -EINVAL);
	hdmabuf_buffer_unmap(sample.buffer);
	hdmabuf_buffer_release(sample.buffer);
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_LIVE);
	assert_int_equal(hdmabuf_unexport(theirs, 0), -EINVAL);
	assert_int_equal(hdmabuf_update(theirs, &sample.info), -EINVAL);
	assert_ptr_equal(hdmabuf_buffer_data(sample.buffer),
			 sample.memory.address);
	assert_ptr_equal(hdmabuf_buffer_session(sample.buffer),
			 pair.front.session);

	/* Being asked back. */
	pair.back.policy.keep = true;
	assert_int_equal(hdmabuf_buffer_map(theirs, &data), 0);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 5000), 0);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 5000), -EINVAL);
	assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0,
				       false),
			 -EACCES);
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), -EBUSY);
	pair_run(&pair);
	hdmabuf_buffer_release(theirs);
	pair_wait(&pair, &pair.front.seen.released, 1);
	sample_free(&sample);
	pair_close(&pair);
}

static void test_wrong_points(void **state)
{
	struct hdmabuf_timeline_handle *ours, *theirs, *found;
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	pair.back.policy.hold = true;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_CREATOR, 0,
						 &ours),
			 0);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 7,
						 &theirs),
			 0);
	pair_run(&pair);
	found = hdmabuf_timeline_find(pair.back.session, 0);
	assert_int_equal(pair_hand_off(sample.buffer, theirs, 1, NULL, 0, 0,
				       false),
			 -EINVAL);
	assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, ours, 1, 0,
				       false),
			 -EINVAL);
	assert_int_equal(pair_hand_off(sample.buffer, found, 1, NULL, 0, 0,
				       false),
			 -EINVAL);
	assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, theirs, 7, 0,
				       false),
			 -EINVAL);
	assert_int_equal(
		pair_hand_off(sample.buffer, ours, 1, theirs, 8, 0, false), 0);
	assert_int_equal(pair_hand_off(sample.buffer, ours, 1, theirs, 8, 0,
				       false),
			 -EINVAL);
	pair_wait(&pair, &pair.back.seen.handed_off, 1);
	assert_int_equal(pair.front.seen.refused, 0);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

static void test_alloc(void **state)
{
	struct hdmabuf_memory memory;
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	assert_int_equal(hdmabuf_session_alloc(pair.front.session, 0,
					       HDMABUF_RIGHTS_READ_ONLY,
					       &memory),
			 -EINVAL);
	assert_int_equal(hdmabuf_session_alloc(pair.front.session, SIZE_MAX,
					       HDMABUF_RIGHTS_READ_ONLY,
					       &memory),
			 -EINVAL);
	assert_int_equal(hdmabuf_session_alloc(pair.front.session, PAGE + 1,
					       HDMABUF_RIGHTS_READ_ONLY,
					       &memory),
			 0);
	assert_int_equal(memory.octets, 2 * PAGE);
	hdmabuf_memory_free(&memory);
	pair_close(&pair);
}

static void test_wrong_addresses(void **state)
{
	static const char *const addresses[] = { "", "local",
						 "local:", "nothing:here" };
	struct hdmabuf_endpoint *endpoint;
	char error[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		error[0] = 0;
		assert_int_equal(hdmabuf_endpoint_open(addresses[i],
						       HDMABUF_BACKEND, NULL,
						       NULL, NULL, &endpoint,
						       error, sizeof(error)),
				 -EINVAL);
		assert_true(strlen(error));
		assert_int_equal(hdmabuf_endpoint_open(
					 addresses[i], HDMABUF_FRONTEND, NULL,
					 NULL, NULL, &endpoint, NULL, 0),
				 -EINVAL);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scene_calls_all),
		cmocka_unit_test(test_from_session_callbacks),
		cmocka_unit_test(test_from_imported),
		cmocka_unit_test(test_from_retire),
		cmocka_unit_test(test_from_importer_callbacks),
		cmocka_unit_test(test_from_exporter_callbacks),
		cmocka_unit_test(test_from_answers),
		cmocka_unit_test(test_release_in_imported),
		cmocka_unit_test(test_no_callbacks),
		cmocka_unit_test(test_nobody_has_callbacks),
		cmocka_unit_test(test_wrong_exports),
		cmocka_unit_test(test_memory_that_cannot_be_shared),
		cmocka_unit_test(test_wrong_buffers),
		cmocka_unit_test(test_wrong_points),
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_wrong_addresses),
	};

	return hdmabuf_test_run("session_callback", tests,
				sizeof(tests) / sizeof(tests[0]));
}
