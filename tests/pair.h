/* SPDX-License-Identifier: MIT */
/*
 * pair.h - two endpoints in one process, and what they were told
 *
 * An end is an endpoint whose callbacks keep a journal and follow a policy. A pair
 * is a frontend and a backend that are linked to each other; nothing happens but
 * when one of the functions below makes it happen.
 */
#ifndef HDMABUF_TESTS_PAIR_H
#define HDMABUF_TESTS_PAIR_H

#include "tests/harness.h"

#include <hdmabuf/session.h>

#define JOURNAL_TURNS 16

/**
 * struct policy - what an end does by itself
 * @map: maps what it imports, at once
 * @keep: does not release what the peer wants back
 * @hold: does not say that it has finished with what was handed to it
 * @import_status: answer to EXPORT, OK unless given
 * @allocate_status: answer to ALLOCATE
 * @cpu_status: answer to CPU_BEGIN and CPU_END
 */
struct policy {
	bool map;
	bool keep;
	bool hold;
	uint16_t import_status;
	uint16_t allocate_status;
	uint16_t cpu_status;
};

/* How often each callback was called, and with what the last time. */
struct journal {
	unsigned int connected;
	unsigned int disconnected;
	uint16_t status;
	char why[128];
	unsigned int imported;
	struct hdmabuf_buffer *buffer;
	unsigned int updated;
	unsigned int handed_off;
	struct hdmabuf_turn turns[JOURNAL_TURNS];
	size_t turn_count;
	unsigned int retired;
	uint32_t grace_ms;
	unsigned int allocates;
	struct hdmabuf_allocate_body wish;
	unsigned int cpu_accesses;
	bool cpu_begin;
	uint64_t cpu_offset, cpu_octets;
	uint32_t cpu_access;
	unsigned int exported;
	unsigned int exports_refused;
	unsigned int allocated;
	struct hdmabuf_id allocated_id;
	unsigned int queried;
	struct hdmabuf_query_body query;
	unsigned int echoed;
	uint8_t echo[56];
	unsigned int answered;
	unsigned int refused;
	uint16_t answered_operation;
	struct hdmabuf_buffer *answered_buffer;
	struct hdmabuf_fault fault;
	unsigned int quarantined;
	unsigned int released;
	struct hdmabuf_buffer *released_buffer;
	unsigned int reached;
	uint64_t reached_point;
	uint16_t reached_status;
	unsigned int errors;
	char error[256];
};

/**
 * struct end - an endpoint under test
 * @endpoint: the endpoint
 * @session: the session that is connected, or NULL
 * @policy: may be changed at any time
 * @seen: may be cleared at any time
 * @hooks: called after the journal is written, with the end as user; of a hook that
 *	returns a status, that counts; a hook for the trace is set before end_open()
 * @context: the test's own
 */
struct end {
	struct hdmabuf_endpoint *endpoint;
	struct hdmabuf_session *session;
	struct policy policy;
	struct journal seen;
	struct hdmabuf_callbacks hooks;
	void *context;
};

/* When to stop waiting, and how many milliseconds that is away. */
uint64_t patience(void);
int patience_left(uint64_t deadline);

/* Opens an end over @platform; what it has seen is cleared. */
void end_open(struct end *end, struct hdmabuf_platform platform,
	      enum hdmabuf_role role, const struct hdmabuf_config *config);
void end_close(struct end *end);

/* Whether dispatch() would find something, after at most @timeout_ms. */
bool end_is_ready(const struct end *end, int timeout_ms);
void end_dispatch(struct end *end);

struct pair {
	struct end front;
	struct end back;
};

/* NULL stands for the usual configuration. */
void pair_open(struct pair *pair, const struct hdmabuf_config *front,
	       const struct hdmabuf_config *back);
void pair_close(struct pair *pair);

/* Waits until there is something to do, if there is; false if there was not. */
bool pair_step(struct pair *pair, int timeout_ms);
/* Runs both until nothing happens any more but by time. */
void pair_run(struct pair *pair);
/* Runs both until @counter has reached @value. */
void pair_wait(struct pair *pair, const unsigned int *counter,
	       unsigned int value);
/* A unit test over rings of @format, to which *state points. */
#define PAIR_TEST_OVER(test, format) \
	{ \
#test "_format_" #format, test, NULL, NULL, \
			(void *)&pair_ring_formats[format] \
	}

extern const uint32_t pair_ring_formats[];

/* Opens both and runs them until they are connected. */
void pair_connect(struct pair *pair, const struct hdmabuf_config *front,
		  const struct hdmabuf_config *back);

/* Proves that a session works, in both directions. */
void pair_check(struct pair *pair);

/* A buffer with everything that belongs to it at its exporter. */
struct sample {
	struct hdmabuf_memory memory;
	struct hdmabuf_info info;
	struct hdmabuf_buffer *buffer;
};

/* Raw data of @size octets with a pattern in it, not yet exported. */
void sample_make(struct sample *sample, struct end *end, uint64_t size,
		 uint32_t rights);
void sample_free(struct sample *sample);
uint8_t sample_octet(uint64_t offset);
/* Whether the data has the pattern. */
bool sample_is_at(const void *data, uint64_t size);

int sample_export(struct sample *sample, struct end *end);
/* Exports from @from to the other end of the pair, which accepts it. */
struct hdmabuf_buffer *pair_share(struct pair *pair, struct end *from,
				  struct sample *sample, uint64_t size,
				  uint32_t rights);
/* Unexports it and waits until it is released. */
void pair_unshare(struct pair *pair, struct end *from, struct sample *sample);

/* hdmabuf_hand_off() in one line. */
int pair_hand_off(struct hdmabuf_buffer *buffer,
		  struct hdmabuf_timeline_handle *wait, uint64_t wait_point,
		  struct hdmabuf_timeline_handle *signal, uint64_t signal_point,
		  uint64_t stamp, bool more);

/* The other end of a pair. */
struct end *pair_other(struct pair *pair, const struct end *end);

#endif
