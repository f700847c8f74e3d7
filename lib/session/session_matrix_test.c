/* SPDX-License-Identifier: MIT */
/*
 * Every request about a buffer, in every state of the buffer: what the tables of the
 * protocol allow is done, and all else refused and without effect.
 */
#include <errno.h>
#include <string.h>

#include <hdmabuf/machine.h>

#include "tests/raw_peer.h"

#define PAGE 4096u

static const uint16_t operations[] = {
	HDMABUF_OP_UPDATE,   HDMABUF_OP_UNEXPORT, HDMABUF_OP_RELEASED,
	HDMABUF_OP_HAND_OFF, HDMABUF_OP_QUERY,	  HDMABUF_OP_CPU_BEGIN,
	HDMABUF_OP_CPU_END,
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void make_request(uint16_t operation, const struct hdmabuf_id *id,
			 struct hdmabuf_request *request)
{
	memset(request, 0, sizeof(*request));
	request->operation = operation;
	request->buffer = *id;
	switch (operation) {
	case HDMABUF_OP_UPDATE:
		request->descriptor.reference = 1;
		request->descriptor.length = 256;
		break;
	case HDMABUF_OP_HAND_OFF:
		request->hand_off.wait_timeline = HDMABUF_NO_TIMELINE;
		request->hand_off.signal_timeline = HDMABUF_NO_TIMELINE;
		break;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		request->cpu_access.octets = 1;
		request->cpu_access.access = HDMABUF_ACCESS_READ;
		break;
	}
}

static bool may(int role, int state, int event)
{
	return hdmabuf_buffer_next(role, state, event) != HDMABUF_NO_STATE;
}

static uint16_t ok_if(bool good)
{
	return good ? HDMABUF_STATUS_OK : HDMABUF_STATUS_WRONG_STATE;
}

static uint16_t ask(struct rig *rig, uint16_t operation,
		    const struct hdmabuf_id *id)
{
	struct hdmabuf_request request;

	make_request(operation, id, &request);
	return rig_ask(rig, &request, NULL);
}

/* ---- the end under test has exported the buffer --------------------------- */

/* What its importer may ask; CPU_END comes after no CPU_BEGIN. */
static uint16_t asked_of_exporter(uint16_t operation, int state,
				  uint32_t rights)
{
	bool handed_back;

	switch (operation) {
	case HDMABUF_OP_UPDATE:
	case HDMABUF_OP_UNEXPORT:
		return HDMABUF_STATUS_WRONG_ROLE;
	case HDMABUF_OP_RELEASED:
		/* HDB-EXP-015: after the grace period, too. */
		return ok_if(
			state == HDMABUF_BUFFER_QUARANTINED ||
			may(HDMABUF_EXPORTER, state, HDMABUF_BUFFER_RELEASED));
	case HDMABUF_OP_HAND_OFF:
		handed_back =
			may(HDMABUF_EXPORTER, state, HDMABUF_BUFFER_HAND_BACK);
		/* HDB-BOTH-051: only who has a lent buffer can hand it off. */
		if (rights == HDMABUF_RIGHTS_LEND)
			return ok_if(handed_back &&
				     state == HDMABUF_BUFFER_LENT);
		if (handed_back && rights == HDMABUF_RIGHTS_READ_ONLY)
			return HDMABUF_STATUS_DENIED;
		return ok_if(handed_back);
	case HDMABUF_OP_QUERY:
		return HDMABUF_STATUS_OK;
	case HDMABUF_OP_CPU_BEGIN:
		return ok_if(state == HDMABUF_BUFFER_LIVE ||
			     state == HDMABUF_BUFFER_LENT);
	default:
		return HDMABUF_STATUS_WRONG_STATE;
	}
}

/* The exporter gets its buffer into a state, and its peer helps. */
static void enter_exported(struct rig *rig, struct sample *sample, int state,
			   uint32_t rights)
{
	struct hdmabuf_request request;

	if (state == HDMABUF_BUFFER_EXPORTING) {
		sample_make(sample, &rig->end, PAGE, rights);
		assert_int_equal(sample_export(sample, &rig->end), 0);
		rig_expect(rig, HDMABUF_OP_EXPORT, &request);
		return;
	}
	rig_accept(rig, sample, PAGE, rights);
	if (state == HDMABUF_BUFFER_LENT) {
		assert_int_equal(pair_hand_off(sample->buffer, NULL, 0, NULL, 0,
					       0, false),
				 0);
		rig_grant(rig, HDMABUF_OP_HAND_OFF, &request);
	}
	if (state == HDMABUF_BUFFER_RETIRING ||
	    state == HDMABUF_BUFFER_QUARANTINED) {
		assert_int_equal(hdmabuf_unexport(sample->buffer, 0), 0);
		rig_expect(rig, HDMABUF_OP_UNEXPORT, &request);
	}
	if (state == HDMABUF_BUFFER_QUARANTINED)
		rig_wait(rig, &rig->end.seen.quarantined, 1);
	rig_run(rig);
}

static void check_state_unchanged(struct rig *rig, const struct hdmabuf_id *id,
				  int state)
{
	struct hdmabuf_answer answer;

	assert_int_equal(rig_name(rig, HDMABUF_OP_QUERY, id, &answer), 0);
	assert_int_equal(answer.query.state, state);
}

static void check_exported(int state, uint32_t rights)
{
	struct sample sample;
	struct rig rig = { 0 };
	size_t i;

	/* Those that are refused leave it as it is; RELEASED comes last. */
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	enter_exported(&rig, &sample, state, rights);
	for (i = 0; i < OPERATIONS; i++) {
		uint16_t wanted =
			asked_of_exporter(operations[i], state, rights);
		struct hdmabuf_id id = *hdmabuf_buffer_id(sample.buffer);

		if (wanted == HDMABUF_STATUS_OK)
			continue;
		assert_int_equal(ask(&rig, operations[i], &id), wanted);
		check_state_unchanged(&rig, &id, state);
		rig_check(&rig);
	}
	assert_int_equal(rig.end.seen.handed_off, 0);
	assert_int_equal(rig.end.seen.cpu_accesses, 0);
	rig_close(&rig);
	sample_free(&sample);
}

/* Those that are allowed, each for a buffer of its own. */
static void check_exported_ok(int state, uint32_t rights)
{
	struct hdmabuf_id id;
	struct sample sample;
	struct rig rig = { 0 };
	size_t i;

	for (i = 0; i < OPERATIONS; i++) {
		if (asked_of_exporter(operations[i], state, rights))
			continue;
		rig_connect(&rig, HDMABUF_BACKEND, NULL);
		enter_exported(&rig, &sample, state, rights);
		id = *hdmabuf_buffer_id(sample.buffer);
		assert_int_equal(ask(&rig, operations[i], &id), 0);
		if (operations[i] == HDMABUF_OP_RELEASED) {
			rig_wait(&rig, &rig.end.seen.released, 1);
			assert_int_equal(ask(&rig, HDMABUF_OP_RELEASED, &id),
					 HDMABUF_STATUS_NO_SUCH_BUFFER);
		}
		if (operations[i] == HDMABUF_OP_HAND_OFF)
			assert_int_equal(rig.end.seen.handed_off, 1);
		if (operations[i] == HDMABUF_OP_CPU_BEGIN) {
			assert_int_equal(ask(&rig, HDMABUF_OP_CPU_END, &id), 0);
			assert_int_equal(ask(&rig, HDMABUF_OP_CPU_END, &id),
					 HDMABUF_STATUS_WRONG_STATE);
		}
		rig_check(&rig);
		rig_close(&rig);
		sample_free(&sample);
	}
}

static void check_exported_states(const int *states, size_t count)
{
	uint32_t rights;
	size_t i;

	for (i = 0; i < count; i++) {
		for (rights = HDMABUF_RIGHTS_READ_ONLY;
		     rights <= HDMABUF_RIGHTS_LEND; rights++) {
			if (states[i] == HDMABUF_BUFFER_LENT &&
			    rights != HDMABUF_RIGHTS_LEND)
				continue;
			check_exported(states[i], rights);
			check_exported_ok(states[i], rights);
		}
	}
}

static void test_exported(void **state)
{
	static const int states[] = { HDMABUF_BUFFER_EXPORTING,
				      HDMABUF_BUFFER_LIVE, HDMABUF_BUFFER_LENT,
				      HDMABUF_BUFFER_RETIRING };

	(void)state;
	check_exported_states(states, 4);
}

/* It takes a while to get there. */
static void test_quarantined(void **state)
{
	(void)state;
	check_exported(HDMABUF_BUFFER_QUARANTINED, HDMABUF_RIGHTS_READ_WRITE);
	check_exported_ok(HDMABUF_BUFFER_QUARANTINED,
			  HDMABUF_RIGHTS_READ_WRITE);
}

/* ---- the end under test has imported the buffer ---------------------------- */

enum import_state {
	IMPORTED,
	MAPPED,
	LENT_TO_IT,
	RETIRING,
	IMPORT_STATES
};

static uint16_t asked_of_importer(uint16_t operation, enum import_state state,
				  uint32_t rights)
{
	int role = HDMABUF_IMPORTER;
	int now = state == IMPORTED ? HDMABUF_BUFFER_IMPORTED :
		  state == RETIRING ? HDMABUF_BUFFER_RETIRING :
				      HDMABUF_BUFFER_MAPPED;

	switch (operation) {
	case HDMABUF_OP_UPDATE:
		return ok_if(may(role, now, HDMABUF_BUFFER_UPDATE) &&
			     state != LENT_TO_IT);
	case HDMABUF_OP_UNEXPORT:
		return ok_if(may(role, now, HDMABUF_BUFFER_UNEXPORT));
	case HDMABUF_OP_RELEASED:
		return HDMABUF_STATUS_WRONG_ROLE;
	case HDMABUF_OP_HAND_OFF:
		return ok_if(may(role, now,
				 rights == HDMABUF_RIGHTS_LEND ?
					 HDMABUF_BUFFER_LEND :
					 HDMABUF_BUFFER_HAND_OFF) &&
			     state != LENT_TO_IT);
	case HDMABUF_OP_QUERY:
		return HDMABUF_STATUS_OK;
	case HDMABUF_OP_CPU_BEGIN:
		return ok_if(state != RETIRING);
	default:
		return HDMABUF_STATUS_WRONG_STATE;
	}
}

static void enter_imported(struct rig *rig, struct raw_buffer *buffer,
			   enum import_state state, uint32_t rights)
{
	rig->end.policy.map = state != IMPORTED;
	rig->end.policy.keep = state == RETIRING;
	rig_connect(rig, HDMABUF_FRONTEND, NULL);
	rig_share(rig, buffer, PAGE, rights);
	if (state == LENT_TO_IT)
		assert_int_equal(ask(rig, HDMABUF_OP_HAND_OFF, &buffer->id), 0);
	if (state == RETIRING)
		assert_int_equal(ask(rig, HDMABUF_OP_UNEXPORT, &buffer->id), 0);
}

/* A good UPDATE needs a good descriptor. */
static uint16_t ask_importer(struct rig *rig, struct raw_buffer *buffer,
			     uint16_t operation)
{
	if (operation != HDMABUF_OP_UPDATE)
		return ask(rig, operation, &buffer->id);
	buffer->generation = 2;
	raw_buffer_describe(buffer);
	return rig_update(rig, buffer, NULL);
}

static void check_imported(enum import_state state, uint32_t rights,
			   uint16_t operation)
{
	uint16_t wanted = asked_of_importer(operation, state, rights);
	struct hdmabuf_answer before, after;
	struct raw_buffer buffer, again;
	struct rig rig = { 0 };

	enter_imported(&rig, &buffer, state, rights);
	rig_name(&rig, HDMABUF_OP_QUERY, &buffer.id, &before);
	assert_int_equal(ask_importer(&rig, &buffer, operation), wanted);
	if (wanted != HDMABUF_STATUS_OK) {
		rig_name(&rig, HDMABUF_OP_QUERY, &buffer.id, &after);
		assert_memory_equal(&before.query, &after.query,
				    sizeof(after.query));
	}
	/* In all of its states, its name is taken. */
	if (operation != HDMABUF_OP_UNEXPORT || wanted) {
		raw_buffer_make(&rig.raw, &again, PAGE, rights,
				HDMABUF_DIRECTORY_LIST);
		again.id = buffer.id;
		raw_buffer_describe(&again);
		assert_int_equal(rig_export(&rig, &again, NULL),
				 HDMABUF_STATUS_DUPLICATE);
		raw_buffer_free(&again);
	}
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

static void test_imported(void **state)
{
	enum import_state entered;
	uint32_t rights;
	size_t i;

	(void)state;
	for (entered = IMPORTED; entered < IMPORT_STATES; entered++) {
		for (rights = HDMABUF_RIGHTS_READ_ONLY;
		     rights <= HDMABUF_RIGHTS_LEND; rights++) {
			if (entered == LENT_TO_IT &&
			    rights != HDMABUF_RIGHTS_LEND)
				continue;
			for (i = 0; i < OPERATIONS; i++)
				check_imported(entered, rights, operations[i]);
		}
	}
}

/* What UNEXPORT is answered with, and what it leads to. */
static uint32_t unexport(struct rig *rig, const struct raw_buffer *buffer)
{
	struct hdmabuf_answer answer;

	assert_int_equal(
		rig_name(rig, HDMABUF_OP_UNEXPORT, &buffer->id, &answer), 0);
	return answer.mapped;
}

static void test_unexport(void **state)
{
	struct hdmabuf_request request;
	struct raw_buffer buffers[4];
	struct rig rig = { 0 };
	unsigned int i;

	(void)state;
	rig_connect(&rig, HDMABUF_FRONTEND, NULL);
	rig_share(&rig, &buffers[0], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(unexport(&rig, &buffers[0]), 0);
	rig.end.policy.map = true;
	/* Unmapped while it is asked: that is the answer, and no RELEASED. */
	rig_share(&rig, &buffers[1], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(unexport(&rig, &buffers[1]), 0);
	rig_run(&rig);
	assert_int_equal(rig.raw.requests.count, rig.raw.requests.taken);
	/* Later. */
	rig.end.policy.keep = true;
	rig_share(&rig, &buffers[2], PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(unexport(&rig, &buffers[2]), 1);
	assert_int_equal(rig_name(&rig, HDMABUF_OP_UNEXPORT, &buffers[2].id,
				  NULL),
			 HDMABUF_STATUS_WRONG_STATE);
	rig_run(&rig);
	assert_int_equal(rig.raw.requests.count, rig.raw.requests.taken);
	hdmabuf_buffer_release(rig.end.seen.buffer);
	rig_grant(&rig, HDMABUF_OP_RELEASED, &request);
	assert_memory_equal(&request.buffer, &buffers[2].id, 16);
	/* Known no more once it has said so. */
	for (i = 0; i < 3; i++)
		assert_int_equal(ask(&rig, HDMABUF_OP_QUERY, &buffers[i].id),
				 HDMABUF_STATUS_NO_SUCH_BUFFER);
	rig_check(&rig);
	rig_close(&rig);
	for (i = 0; i < 3; i++)
		raw_buffer_free(&buffers[i]);
}

/*
 * The importer knows the buffer no longer: its RELEASED has crossed UNEXPORT, and
 * until it is there, the buffer is not released.
 */
static void test_unexport_crossed(void **state)
{
	struct hdmabuf_request request;
	struct hdmabuf_id id;
	struct sample sample;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_FRONTEND, NULL);
	rig_accept(&rig, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	id = *hdmabuf_buffer_id(sample.buffer);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 5000), 0);
	rig_expect(&rig, HDMABUF_OP_UNEXPORT, &request);
	raw_answer_plain(&rig.raw, &rig.raw.requests.messages[0],
			 HDMABUF_STATUS_NO_SUCH_BUFFER);
	rig_run(&rig);
	assert_int_equal(rig.end.seen.released, 0);
	assert_int_equal(rig.end.seen.refused, 0);
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_RETIRING);
	assert_int_equal(ask(&rig, HDMABUF_OP_RELEASED, &id), 0);
	rig_wait(&rig, &rig.end.seen.released, 1);
	assert_int_equal(rig.end.seen.quarantined, 0);
	rig_check(&rig);
	rig_close(&rig);
	sample_free(&sample);
}

/* What was promised in the answer to ALLOCATE is not there before its EXPORT. */
static void test_allocated_but_not_exported(void **state)
{
	static const uint16_t asked[] = { HDMABUF_OP_QUERY, HDMABUF_OP_RELEASED,
					  HDMABUF_OP_HAND_OFF };
	struct hdmabuf_request request = { .operation = HDMABUF_OP_ALLOCATE };
	struct hdmabuf_answer answer;
	struct rig rig = { 0 };
	int i;

	(void)state;
	rig.raw.hello.limits.max_in_flight = 1;
	rig_open(&rig, HDMABUF_BACKEND, NULL);
	rig.raw.hello.limits.max_in_flight = 1;
	rig_run(&rig);
	rig_greet(&rig);
	/* With this under way, EXPORT has to wait. */
	assert_int_equal(
		hdmabuf_session_echo(rig.end.session, (uint8_t[56]){ 0 }), 0);
	request.allocate.size = PAGE;
	request.allocate.rights = HDMABUF_RIGHTS_READ_WRITE;
	request.allocate.attributes = HDMABUF_ATTRIBUTE_CACHED;
	assert_int_equal(rig_ask(&rig, &request, &answer), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(ask(&rig, asked[i], &answer.buffer),
				 HDMABUF_STATUS_NO_SUCH_BUFFER);
	rig_expect(&rig, HDMABUF_OP_ECHO, &request);
	raw_answer_plain(&rig.raw, &rig.raw.requests.messages[0],
			 HDMABUF_STATUS_OK);
	rig_grant(&rig, HDMABUF_OP_EXPORT, &request);
	assert_memory_equal(&request.buffer, &answer.buffer, 16);
	rig_wait(&rig, &rig.end.seen.exported, 1);
	rig_check(&rig);
	rig_close(&rig);
	assert_int_equal(rig.end.seen.released, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exported),
		cmocka_unit_test(test_quarantined),
		cmocka_unit_test(test_imported),
		cmocka_unit_test(test_unexport),
		cmocka_unit_test(test_unexport_crossed),
		cmocka_unit_test(test_allocated_but_not_exported),
	};

	return hdmabuf_test_run("session_matrix", tests,
				sizeof(tests) / sizeof(tests[0]));
}
