/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "conformance/tests/raw.h"
#include "conformance/internal.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Looks at a word before it is worth while to sleep between them. */
#define LOOKS 2000
/* Of a process that shares memory with the test's. */
#define STACK_OCTETS 65536

/* ---- rings -------------------------------------------------------------- */

void ring_read_slot(const struct ring *ring, uint32_t index, message_t message)
{
	memcpy(message, ring_slot(ring, index), sizeof(message_t));
	if (ring->format)
		wire_put(message, SLOT_MARK, 0);
}

/* Each mark leads to the next one; beyond @most there are old ones. */
static uint32_t follow_marks(const struct ring *ring, uint32_t kind,
			     uint32_t most)
{
	uint32_t at = ring->consumed + ring->ready;

	while (at != most) {
		uint32_t word = shared_load(ring_slot(ring, at), SLOT_WORD);
		uint32_t count = (word >> 24) - kind;

		if (!count || count > MARK_MAX || count > most - at)
			break;
		at += count;
	}
	return at;
}

uint32_t ring_answered(const struct ring *ring)
{
	return ring->format ? follow_marks(ring, MARK_ANSWERS, ring->pushed) :
			      shared_load(ring->at, RING_RSP_PROD);
}

uint32_t ring_requested(const struct ring *ring)
{
	return ring->format ?
		       follow_marks(ring, 0, ring->pushed + ring->slots) :
		       shared_load(ring->at, RING_REQ_PROD);
}

unsigned int ring_req_event(const struct ring *ring)
{
	return ring->format ? MARKED_REQ_EVENT : RING_REQ_EVENT;
}

unsigned int ring_rsp_event(const struct ring *ring)
{
	return ring->format ? MARKED_RSP_EVENT : RING_RSP_EVENT;
}

void break_requests(struct end *end)
{
	struct ring *ring = &end->own;

	if (ring->format)
		shared_store(ring_slot(ring, ring->produced), SLOT_WORD,
			     (uint32_t)MARK_MAX << 24);
	else
		shared_store(ring->at, RING_REQ_PROD,
			     ring->consumed + 0x40000000);
	end_notify(end);
}

void need_indices(struct test *test)
{
	if (test_setup(test)->ring_format)
		skip(test, "is about the indices of rings of format 0");
}

uint32_t ring_room(const struct end *end)
{
	return end->peer.max_in_flight < end->own.slots ?
		       end->peer.max_in_flight :
		       end->own.slots;
}

void make_echo(struct test *test, message_t message)
{
	message_init(message, HDMABUF_OP_ECHO);
	test_random_octets(test, message + wire_offset(ECHO_OCTETS),
			   wire_octets(ECHO_OCTETS));
}

bool is_echo_of(const uint8_t *answer, const message_t message)
{
	return answer && !memcmp(answer, message, sizeof(message_t));
}

/* What is waited for, in memory that the IUT writes. */
struct awaited {
	bool (*is_there)(const struct awaited *awaited);
	const struct ring *ring;
	const uint8_t *at;
	unsigned int place;
	uint32_t value;
};

static bool is_word(const struct awaited *awaited)
{
	return shared_load(awaited->at, awaited->place) == awaited->value;
}

static bool is_answered(const struct awaited *awaited)
{
	return ring_answered(awaited->ring) == awaited->value;
}

static bool is_requested(const struct awaited *awaited)
{
	return ring_requested(awaited->ring) == awaited->value;
}

static bool comes_soon(const struct awaited *awaited)
{
	for (unsigned int i = 0; i < LOOKS; i++) {
		if (awaited->is_there(awaited))
			return true;
		sched_yield();
	}
	return false;
}

static bool await_deaf(struct end *end, const struct awaited *awaited)
{
	uint64_t deadline = test_deadline(end->test);
	bool was_deaf = end->deaf;
	bool found;

	end->deaf = true;
	while (!(found = comes_soon(awaited)) && now_ms() < deadline &&
	       test_iut_is_running(end->test))
		test_wait(end->test, test_deadline_in(1));
	end->deaf = was_deaf;
	return found;
}

bool await_word(struct end *end, const uint8_t *at, unsigned int place,
		uint32_t value)
{
	const struct awaited awaited = {
		.is_there = is_word, .at = at, .place = place, .value = value
	};

	return await_deaf(end, &awaited);
}

bool await_all_answered(struct end *end)
{
	const struct awaited awaited = { .is_there = is_answered,
					 .ring = &end->own,
					 .value = end->own.produced };

	return await_deaf(end, &awaited);
}

bool await_requested(struct end *end, uint32_t index)
{
	const struct awaited awaited = { .is_there = is_requested,
					 .ring = &end->theirs,
					 .value = index };

	return await_deaf(end, &awaited);
}

void settle(struct end *end)
{
	uint64_t deadline = test_deadline_in(10);

	while (now_ms() < deadline)
		test_wait(end->test, deadline);
}

bool is_notified(struct end *end, unsigned int before, bool expected)
{
	uint64_t deadline = expected ? test_deadline(end->test) :
				       test_deadline_in(30);

	while (end->notified == before && test_wait(end->test, deadline))
		;
	return end->notified != before;
}

/* ---- processes ---------------------------------------------------------- */

/**
 * struct work - for another process
 * @work: what it does
 * @context: of @work
 * @parent: without which it does not
 */
struct work {
	void (*work)(void *context);
	void *context;
	pid_t parent;
};

static int carry_out(void *argument)
{
	const struct work *work = argument;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == work->parent)
		work->work(work->context);
	_exit(0);
}

/* Xen's mappings are not there in a process that is forked. */
pid_t spoil(struct test *test, void (*work)(void *context), void *context)
{
	uint8_t *stack = mmap(NULL, STACK_OCTETS, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	struct work *argument = (struct work *)stack;
	pid_t pid = -1;

	if (stack != MAP_FAILED) {
		*argument = (struct work){ work, context, getpid() };
		pid = clone(carry_out, stack + STACK_OCTETS, CLONE_VM | SIGCHLD,
			    argument);
	}
	if (pid < 0)
		error(test, "no process");
	return pid;
}

pid_t spoil_apart(struct test *test, void (*work)(void *context), void *context)
{
	struct work argument = { work, context, getpid() };
	pid_t pid = fork();

	if (pid < 0)
		error(test, "no process");
	if (!pid)
		carry_out(&argument);
	return pid;
}

void spoil_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void spoil_await(pid_t pid)
{
	waitpid(pid, NULL, 0);
}

void pause_randomly(struct test *test, unsigned int most_us)
{
	uint64_t until = now_us() + test_random(test) % (most_us + 1);

	while (now_us() < until)
		;
}

/* ---- broken sessions ---------------------------------------------------- */

static bool has_record_of_session(struct end *end)
{
	char text[1025];
	uint64_t epoch;

	return wire_record_get(end_record(end, text), HDMABUF_KEY_EPOCH,
			       &epoch) == 1 &&
	       epoch == end->peer_epoch;
}

bool await_loss(struct end *end)
{
	uint64_t deadline = test_deadline(end->test);
	bool was_deaf = end->deaf;
	bool lost;

	end->deaf = true;
	while (!(lost = end->down || !has_record_of_session(end)) &&
	       test_wait(end->test, deadline) && test_iut_is_running(end->test))
		;
	end->deaf = was_deaf;
	return lost;
}

void greet(struct end *end)
{
	end_greet(end);
	if (!end_sanity(end))
		inconclusive(end->test, "the session does not work");
}

void speak_again(struct end *end)
{
	end_abandon(end);
	end->silent = false;
	greet(end);
}

void renew(struct end *end)
{
	end->deaf = false;
	end->serves = true;
	end_abandon(end);
	greet(end);
}

void check_broken(struct end *end, enum clause clause, const char *what)
{
	check(end->test, clause, await_loss(end),
	      "%s: the session is broken, and the IUT goes on with it", what);
	end->deaf = false;
	end->serves = true;
	end_abandon(end);
	require(end->test, HDB_BOTH_029, end_try_greet(end) && end_sanity(end),
		"%s: after that there is no new session that works", what);
}
