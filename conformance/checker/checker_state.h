/* SPDX-License-Identifier: MIT */
/*
 * checker_state.h - what the files of the checker share
 *
 *   checker.c             events, pairs of ends, findings, who knew what and when
 *   checker_tables.c      the state tables of the header
 *   checker_session.c     records, the channel page, HELLO and CLOSE
 *   checker_messages.c    what all requests and answers have in common
 *   checker_buffers.c     buffers: shared, updated, released, looked at
 *   checker_descriptor.c  what a descriptor may say
 *   checker_handoffs.c    hand-offs, alone and in groups
 *   checker_timelines.c   timelines and their points
 *
 * The order of the events is that in which the observer saw them. What the observer
 * does is there when the other end can see it. What the other end does is there when
 * the observer has seen it, and was perhaps done long before: of that end only what it
 * must have known is held against it. Two rules say what that is:
 *
 * - The observer takes answers before a request that it finds (HDB-BOTH-017), so an
 *   answer that was given before a request is there before it.
 * - When the other end has answered a request that the observer sent after it saw
 *   something, the observer has looked into the rings in between: all that was sent
 *   before is there.
 *
 * Either end may have made a request before, and shown it after, it saw or did
 * something: what it shows, it shows together. See *settled* and *aware*.
 */
#ifndef CONFORMANCE_CHECKER_STATE_H
#define CONFORMANCE_CHECKER_STATE_H

#include "conformance/checker/checker.h"
#include "conformance/model/wire.h"

#include <stdarg.h>

#define ENDS 2

/* Requests that were answered are remembered, to tell an answer that comes twice. */
#define ANSWERED 64

/* Hand-offs that form a group, at most. */
#define GROUP HDMABUF_PLANES

/* More requests than this have no slots, and more timelines no cells. */
#define FLIGHTS	  (HDMABUF_RING_SLOTS(65536u << HDMABUF_RING_ORDER_MAX))
#define TIMELINES (HDMABUF_TIMELINE_PAGES_MAX * 65536 / HDMABUF_CELL_OCTETS)

#define FAULT_TEXT 256
#define SHORT_ID   9

/**
 * struct record - what an end has published
 * @there: it is published, and in order
 * @text: of it, to see whether it is published once more
 */
struct record {
	bool there;
	char *text;
	uint64_t epoch;
	uint64_t version_min;
	uint64_t version_max;
	uint64_t features;
	uint64_t ring_formats;
	uint64_t ring_order_max;
	uint64_t timeline_max;
	uint64_t error;
	uint64_t peer_epoch;
	uint64_t channel;
};

/**
 * struct limits - what an end has announced in HELLO or its answer
 * @known: it has
 */
struct limits {
	bool known;
	uint64_t max_octets;
	uint32_t max_buffers;
	uint32_t max_timelines;
	uint32_t max_private;
	uint32_t max_in_flight;
};

/**
 * struct channel_page - the channel page
 * @seen: it is there
 * @known: its fields make sense
 * @published: the frontend, who has seen to it, has published its record
 * @wrong: why the backend must refuse it
 */
struct channel_page {
	bool seen;
	bool known;
	bool published;
	char wrong[FAULT_TEXT];
	uint64_t epoch[ENDS];
	uint32_t page_shift;
	uint32_t ring_order[ENDS];
	uint32_t timeline_pages;
};

/**
 * struct buffer - a buffer of a session
 * @next: of the same place in the table
 * @id: its name
 * @exporter: whose it is
 * @state: by &enum hdmabuf_buffer_role; mapped or not makes no difference
 * @vague: an end has accepted what it had to refuse: nobody knows what it is now
 * @described: @descriptor was seen
 * @descriptor: without the private data
 * @octets: of all its pages
 * @held: right LEND, and the importer has it
 * @refused: when EXPORT was refused, or 0
 * @unexported: when UNEXPORT was sent, or 0
 * @retired: when UNEXPORT was answered, or 0
 * @mapped: what that answer said
 * @grace: time at which the grace period is over
 * @released: when RELEASED was sent, or 0
 * @forgotten: when RELEASED was answered with OK, or 0
 * @accepted: hand-offs that an end has accepted
 * @accesses: CPU_BEGIN of an end that have no CPU_END yet
 * @updates_refused: UPDATE was refused before
 * @hand_offs_refused: a hand-off was refused before
 */
struct buffer {
	struct buffer *next;
	uint8_t id[16];
	unsigned int exporter;
	int state[2];
	bool vague;
	bool described;
	uint8_t descriptor[WIRE_DESCRIPTOR_OCTETS];
	uint64_t octets;
	bool held;
	uint64_t refused;
	uint64_t unexported;
	uint64_t retired;
	bool mapped;
	uint64_t grace;
	uint64_t released;
	uint64_t forgotten;
	uint64_t accepted[ENDS];
	uint64_t accesses[ENDS];
	bool updates_refused;
	bool hand_offs_refused;
};

/**
 * struct wish - ALLOCATE that was answered with OK
 * @next: another one
 * @message: the request
 * @id: of the buffer that will come
 */
struct wish {
	struct wish *next;
	uint8_t message[WIRE_MESSAGE_OCTETS];
	uint8_t id[16];
};

/**
 * struct timeline - a timeline, of the end in whose array it is
 * @state: by &enum hdmabuf_timeline_role
 * @signaller: the end that signals it
 * @life: how often one of this number was created
 * @reached: the last point that was seen
 * @named: the last signal point that was accepted
 */
struct timeline {
	int state[2];
	unsigned int signaller;
	uint64_t life;
	uint64_t reached;
	uint64_t named;
};

/**
 * struct flight - a request that is not answered
 * @next: sent after it
 * @message: 64 octets
 * @operation: from it
 * @id: from it
 * @sender: who sent it
 * @at: when, in events
 * @time: when, in nanoseconds
 * @before_hello: no HELLO had been sent
 * @buffer: that it names, or NULL
 * @timeline: that it creates, destroys, or names as the one to signal, or NULL
 * @life: of @timeline
 * @before: @timeline as it was, if TIMELINE_CREATE has moved it
 * @descriptor: that it brings, or NULL
 * @length: of @descriptor
 * @fresh: it has brought @buffer into being
 * @moved: it has moved what its sender knows
 * @was: that state before
 * @was_held: the sender had the buffer, of right LEND
 * @reached: point of @timeline
 * @accepted: hand-offs of @buffer that its receiver had accepted (QUERY)
 * @undecided: more of them that were not answered
 */
struct flight {
	struct flight *next;
	uint8_t message[WIRE_MESSAGE_OCTETS];
	uint16_t operation;
	uint32_t id;
	unsigned int sender;
	uint64_t at;
	uint64_t time;
	bool before_hello;
	struct buffer *buffer;
	struct timeline *timeline;
	uint64_t life;
	struct timeline before;
	uint8_t *descriptor;
	size_t length;
	bool fresh;
	bool moved;
	int was;
	bool was_held;
	uint64_t reached;
	uint64_t accepted;
	uint64_t undecided;
};

/* A request that was answered. */
struct answered {
	bool used;
	uint32_t id;
	uint16_t operation;
};

/* A hand-off of a group: the point that says that it is done. */
struct member {
	uint32_t timeline;
	uint64_t point;
};

/**
 * struct end - an end in a session
 * @state: &enum hdmabuf_session_state
 * @limits: what it has announced
 * @flights: its requests that are not answered, oldest first
 * @in_flight: how many these are
 * @answered: its last requests that were answered
 * @answered_at: when the youngest of its answered requests was sent
 * @settled: all requests that it made before an answer of its own up to here are there
 * @aware: what the other end did up to here it knew when it made its next request
 * @aware_next: the same, as soon as @settled has come to @aware_from
 * @aware_from: see @aware_next
 * @closing: when it sent CLOSE, or 0
 * @close_answered: when it answered CLOSE with OK, or 0
 * @descriptor: that its next request brings, or NULL
 * @descriptor_length: of @descriptor
 * @timelines: that it has created, by number
 * @timeline_count: of @timelines
 * @exports: buffers that it exports
 * @export_octets: of all their pages
 * @wishes: buffers that it has promised to export
 * @group: hand-offs that it has sent of a group that is not complete
 * @group_count: how many of them were not refused
 * @group_open: the last of the group is not sent
 * @group_due: hand-offs of the group that the other end has accepted
 */
struct end {
	int state;
	struct limits limits;
	struct flight *flights;
	size_t in_flight;
	struct answered answered[ANSWERED];
	size_t answered_next;
	uint64_t answered_at;
	uint64_t settled;
	uint64_t aware;
	uint64_t aware_next;
	uint64_t aware_from;
	uint64_t closing;
	uint64_t close_answered;
	uint8_t *descriptor;
	size_t descriptor_length;
	struct timeline **timelines;
	uint32_t timeline_count;
	uint32_t exports;
	uint64_t export_octets;
	struct wish *wishes;
	struct member group[GROUP];
	unsigned int group_count;
	bool group_open;
	unsigned int group_due;
};

/* What became of HELLO. */
enum hello {
	HELLO_NONE,
	HELLO_SENT,
	HELLO_ACCEPTED,
	HELLO_REFUSED,
	HELLO_BROKEN /* an answer that the frontend must not believe */
};

/**
 * struct doubt - what is wrong, unless a request explains it that is still on its way
 * @next: another one
 * @clause: broken, if it is not explained
 * @end: who did it, and whose request may explain it
 * @at: when
 * @buffer: that the request would name; NULL if a RELEASED of any would do
 * @text: what is wrong
 */
struct doubt {
	struct doubt *next;
	enum clause clause;
	unsigned int end;
	uint64_t at;
	const struct buffer *buffer;
	char text[];
};

#define BUFFER_PLACES 4096

/**
 * struct pair - two ends
 * @next: another pair
 * @checker: that judges them
 * @link: its number
 * @observer: who has recorded what is judged
 * @now: number of the event that is judged, from 1
 * @time: of it
 * @shown: number of the last event that was a message of the observer
 * @blind: no memory, or far too many requests: nothing more is judged
 * @records: by end
 * @channel: of this session
 * @over: a change of the records has ended the session
 * @hello: what became of it
 * @features: that were accepted
 * @ends: by role
 * @buffers: of this session, by a hash of their id
 * @doubts: not settled
 */
struct pair {
	struct pair *next;
	struct checker *checker;
	uint32_t link;
	unsigned int observer;
	uint64_t now;
	uint64_t time;
	uint64_t shown;
	bool blind;
	struct record records[ENDS];
	struct channel_page channel;
	bool over;
	enum hello hello;
	uint64_t features;
	struct end ends[ENDS];
	struct buffer *buffers[BUFFER_PLACES];
	struct doubt *doubts;
};

/**
 * struct fault - what is wrong with a request, as one of the two ends can know
 * @rank: place in the order of HDB-BOTH-038; FAULT_NONE if nothing is wrong
 * @status: with which it is to be refused
 * @clause: broken by the end that is judged
 * @doubtful: a request of the receiver that is on its way may explain it
 * @referred: it is in what the request refers to
 * @text: what is wrong
 */
struct fault {
	unsigned int rank;
	uint16_t status;
	enum clause clause;
	bool doubtful;
	bool referred;
	char text[FAULT_TEXT];
};

/* The order of HDB-BOTH-038. */
enum rank {
	RANK_OPERATION,
	RANK_FEATURE,
	RANK_SESSION,
	RANK_ZERO,
	RANK_EXISTENCE,
	RANK_ROLE,
	RANK_STATE,
	RANK_VALUE,
	RANK_LIMIT,
	RANK_REFERRED,
	RANK_PROVIDED,
	FAULT_NONE
};

/* Whose fault is looked for: who sends, knowing this, or who answers. */
enum side {
	SENDER,
	RECEIVER
};

static inline unsigned int other_end(unsigned int end)
{
	return !end;
}

/* ---- checker.c ---- */

const char *end_name(unsigned int end);
__attribute__((format(printf, 4, 5))) void report(struct pair *pair,
						  enum clause clause,
						  unsigned int offender,
						  const char *format, ...);
/*
 * Whether @end must have known, when it made the request that is judged, what @by did
 * at @at, which is 0 if it was never done.
 */
bool must_know(const struct pair *pair, unsigned int end, uint64_t at,
	       unsigned int by);
void doubt(struct pair *pair, enum clause clause, unsigned int end,
	   const struct buffer *buffer, const char *text);
/* The other end has answered: what it sent before the request was, is there. */
void request_is_answered(struct pair *pair, const struct flight *flight);
/* A request that may explain what was in doubt. */
void explain(struct pair *pair, const struct flight *flight);
/* False if an end of that role has used @epoch before, or anybody @id. */
bool epoch_is_new(struct pair *pair, unsigned int end, uint64_t epoch);
bool id_is_new(struct pair *pair, const uint8_t *id);
void session_begin(struct pair *pair);
uint64_t page_octets(const struct pair *pair);
/* The first octets of @id in hexadecimal digits. */
const char *short_id(const uint8_t *id, char *text);

/* Note what is wrong, unless something was found that comes before it: then false. */
__attribute__((format(printf, 5, 6))) bool
blame(struct fault *fault, enum rank rank, uint16_t status, enum clause clause,
      const char *format, ...);

/* ---- checker_tables.c ---- */

/* The next state; -1 if the table of the header has none. */
int session_next(int state, enum hdmabuf_session_event event);
int buffer_next(enum hdmabuf_buffer_role role, int state,
		enum hdmabuf_buffer_event event);
int timeline_next(enum hdmabuf_timeline_role role, int state,
		  enum hdmabuf_timeline_event event);

/**
 * struct rule - an operation: what is right, and what comes of it
 * @operation: its number; 0 ends a list
 * @feature: that it needs
 * @statuses: that fit it beside those that fit all, as bits
 * @sent: a request was sent
 * @find: find what is wrong with it, after its zero fields
 * @accepted: it was answered with OK
 * @refused: it was answered with another status
 *
 * Any of the functions may be NULL.
 */
struct rule {
	uint16_t operation;
	uint64_t feature;
	uint64_t statuses;
	void (*sent)(struct pair *pair, struct flight *flight);
	void (*find)(struct pair *pair, const struct flight *flight,
		     enum side side, struct fault *fault);
	void (*accepted)(struct pair *pair, struct flight *flight,
			 const uint8_t *answer);
	void (*refused)(struct pair *pair, struct flight *flight,
			const uint8_t *answer);
};

#define STATUS(name) ((uint64_t)1 << HDMABUF_STATUS_##name)

/* ---- checker_session.c ---- */

extern const struct rule session_rules[];

void on_record(struct pair *pair, unsigned int end, const void *text,
	       size_t length);
void on_channel(struct pair *pair, const uint8_t *page, size_t length);
void records_free(struct pair *pair);
/* Whether the session is in a state for the request. */
void find_session_fault(const struct pair *pair, const struct flight *flight,
			enum side side, struct fault *fault);

/* ---- checker_messages.c ---- */

void on_request(struct pair *pair, unsigned int end, const uint8_t *message);
void on_answer(struct pair *pair, unsigned int end, const uint8_t *message);
void on_descriptor(struct pair *pair, unsigned int end, const void *octets,
		   size_t length);
void flights_free(struct end *end);

/* ---- checker_buffers.c ---- */

extern const struct rule buffer_rules[];

/* Whether the end that is judged had the buffer that a request names. */
enum existence {
	THERE,
	GONE,
	UNSURE
};

enum existence buffer_existence(const struct pair *pair,
				const struct flight *flight, enum side side);
/* The same, noted as a fault if it is gone. */
enum existence find_existence_fault(const struct pair *pair,
				    const struct flight *flight, enum side side,
				    struct fault *fault);
void buffer_find(struct pair *pair, struct flight *flight);
/* Whether the sender of the request is the exporter of the buffer that it names. */
bool is_exporter(const struct flight *flight);
/* Whether the receiver of the request knew by then that the buffer is wanted back. */
bool is_retiring(const struct flight *flight);
/* 0 if they are not known. */
uint32_t buffer_rights(const struct buffer *buffer);
void buffers_free(struct pair *pair);

/* ---- checker_descriptor.c ---- */

void find_descriptor_fault(const struct pair *pair, const struct flight *flight,
			   enum side side, struct fault *fault);
/* Of the pages of the buffer that @descriptor describes; 0 if that cannot be. */
uint64_t descriptor_octets(const struct pair *pair, const uint8_t *descriptor);
/* Features that rights and attributes need. */
uint64_t rights_features(uint64_t rights, uint64_t attributes);

/* ---- checker_handoffs.c ---- */

extern const struct rule hand_off_rules[];

/* Whether the hand-off has the flag MORE. */
bool has_more(const struct flight *flight);

/* ---- checker_timelines.c ---- */

extern const struct rule timeline_rules[];

/* NULL unless its creator (SENDER), or the other end (RECEIVER), has it. */
struct timeline *timeline_find(const struct pair *pair, unsigned int creator,
			       uint64_t number, enum side side);
void timelines_free(struct end *end);
void on_point(struct pair *pair, unsigned int end, const uint8_t *octets);

#endif
