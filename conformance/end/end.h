/* SPDX-License-Identifier: MIT */
/*
 * end.h - the suite's end of a link to the IUT
 *
 * Left to itself, an end does what the specification says: end_greet() establishes a
 * session, requests of the IUT are answered as they should be. Each of these things is
 * made of small steps, between which a test can do the wrong thing.
 */
#ifndef CONFORMANCE_END_H
#define CONFORMANCE_END_H

#include "conformance/test.h"
#include "conformance/model/wire.h"

#include <hdmabuf/platform.h>

/* Twice the slots of the largest ring. */
#define END_REQUESTS 4096
#define END_BUFFERS  64
#define END_CELLS    64 /* timelines of an end that are watched */

typedef uint8_t message_t[WIRE_MESSAGE_OCTETS];

/**
 * struct received - a request of the IUT
 * @octets: the message
 * @taken: by the test
 * @answered: by the suite
 */
struct received {
	message_t octets;
	bool taken;
	bool answered;
};

/**
 * struct asked - a request of the suite
 * @octets: as sent
 * @answer: as received, if there is one
 * @answers: how many have come
 */
struct asked {
	message_t octets;
	message_t answer;
	unsigned int answers;
};

/**
 * struct greeting - what an end says of itself
 * @version_min: in the offer
 * @version_max: in the offer; in the channel page the version is that
 * @features: offered, or wanted of those that are offered
 * @ring_formats: in the offer
 * @ring_format: in the channel page
 * @ring_order: the most in the offer, or of both rings in the channel page, as
 *	far as the IUT's offer allows
 * @ring_order_less: by how much less it is of the frontend's and of the backend's
 *	ring
 * @timeline_pages: as @ring_order
 * @ring_start: of the frontend's and of the backend's ring
 * @max_octets: in HELLO or its answer, as what follows
 */
struct greeting {
	uint64_t version_min, version_max;
	uint64_t features;
	uint64_t ring_formats;
	uint32_t ring_format;
	uint32_t ring_order;
	uint32_t ring_order_less[2];
	uint32_t timeline_pages;
	uint32_t ring_start[2];
	uint64_t max_octets;
	uint32_t max_buffers;
	uint32_t max_timelines;
	uint32_t max_private;
	uint32_t max_in_flight;
};

/**
 * struct ring - one end's view of a ring
 * @at: the ring in shared memory, NULL if there is none
 * @format: of it
 * @slots: of it
 * @produced: messages put into slots
 * @pushed: of them, visible
 * @consumed: messages taken
 * @ready: messages that the last mark counts and that were not taken yet
 * @word: of the first message that is not visible yet: what its mark is stored with
 */
struct ring {
	uint8_t *at;
	uint32_t format;
	uint32_t slots;
	uint32_t produced;
	uint32_t pushed;
	uint32_t consumed;
	uint32_t ready;
	uint32_t word;
};

/**
 * struct their_buffer - a buffer that the IUT has exported
 * @id: its name
 * @descriptor: copied, with private data
 * @pages: of it
 * @references: of its pages, in order
 * @data: where it is mapped (first octet of its first page), or NULL
 * @turns: hand-offs received
 * @unexported: UNEXPORT was received
 * @gone: released
 */
struct their_buffer {
	uint8_t id[16];
	uint8_t descriptor[4096];
	uint64_t pages;
	uint64_t *references;
	uint8_t *data;
	uint64_t turns;
	bool unexported;
	bool gone;
};

/**
 * struct owned - memory that is freed with its end
 * @next: or NULL
 * @memory: was shared, or is all zero
 * @array: was allocated, or NULL
 */
struct owned {
	struct owned *next;
	struct hdmabuf_memory memory;
	void *array;
};

/**
 * struct watched - a timeline that the IUT signals
 * @open: it was created
 * @point: seen last
 * @failure: status with which it has ended, or 0
 * @wanted: point that is waited for, or 0
 */
struct watched {
	bool open;
	uint64_t point;
	uint32_t failure;
	uint64_t wanted;
};

struct end {
	struct test *test;
	const char *address;
	struct hdmabuf_platform platform;
	struct hdmabuf_link *link;
	struct owned *owned;
	enum hdmabuf_role role;
	uint32_t number;
	bool down;
	unsigned int records;
	unsigned int notified;
	unsigned int others; /* of which only the platform knows */
	bool deaf;	     /* does not look at rings and cells */
	bool silent;	     /* neither noted nor judged: the test interferes */

	/* Of the attempt, or the session. */
	struct greeting greeting;
	uint64_t epoch;
	uint64_t peer_epoch;
	uint64_t used;	      /* epoch of the offer that was answered last */
	uint64_t seen;	      /* epoch of the IUT's record, seen last */
	uint64_t offered;     /* features that were, by the backend */
	uint64_t features;    /* that were accepted */
	struct greeting peer; /* what the IUT says of itself */
	bool connected;
	bool closed; /* CLOSE was answered, by either */

	/* The channel. */
	struct hdmabuf_memory memory;
	uint64_t reference;
	uint8_t channel[4096];
	uint8_t *page;	/* the channel page, of a frontend */
	uint8_t *parts; /* what follows it */
	uint32_t part_count;
	struct ring own;
	struct ring theirs;
	uint8_t *cells[2]; /* of the frontend, of the backend */
	uint32_t cell_count;

	/* What was said. */
	bool serves; /* requests are answered as they come */
	bool quiet;  /* answers are not notified */
	uint32_t next_id;
	struct asked asked[END_REQUESTS];
	size_t asked_count;
	struct received requests[END_REQUESTS];
	size_t request_count;
	uint8_t descriptor[4096]; /* of the last EXPORT or UPDATE */
	struct their_buffer buffers[END_BUFFERS];
	size_t buffer_count;
	struct watched watched[2][END_CELLS]; /* by their creators */
	bool broken;			      /* the rings make no sense */
};

/* ---- links -------------------------------------------------------------- */

/* Opens a platform by its address, as hdmabuf_platform_open() does. */
typedef int (*platform_opener)(const char *address, enum hdmabuf_role role,
			       struct hdmabuf_platform *platform, char *error,
			       size_t error_size);

/* By test_open(); there is no link yet. @address is one of test_free_endpoint(). */
struct end *end_open(struct test *test, uint32_t number, platform_opener open,
		     const char *address);
/* test_open() over a platform that the test brings along. */
struct end *test_open_over(struct test *test, platform_opener open);
/* Vanishes without a word. */
void end_close(struct end *end);
/* What was opened and is not closed yet, so that it can be waited for. */
int end_fd(const struct end *end);
/* Takes what has come; true if there was anything. */
bool end_step(struct end *end);
/* Asks for notifications; true if something came meanwhile. */
bool end_arm(struct end *end);

/* ---- records ------------------------------------------------------------ */

void end_publish(struct end *end, const char *text);
void end_withdraw(struct end *end);
/* The IUT's record; empty if there is none. */
const char *end_record(struct end *end, char text[1025]);
uint64_t end_new_epoch(struct end *end);

/* ---- establishment, step by step ---------------------------------------- */

/* What an end usually says; end_greet() begins with it unless a test changed it. */
void greeting_init(struct greeting *greeting, uint32_t ring_format);

/* Frontend: waits for an offer that was not used; fills @peer and @peer_epoch. */
bool end_await_offer(struct end *end);
/* Frontend: whether there is another than @peer_epoch, where that may happen. */
bool end_offer_is_replaced(struct end *end);
/* Frontend: a new epoch, and a channel for it. */
void end_make_channel(struct end *end);
/* HELLO of this attempt, not sent. */
void end_hello_message(struct end *end, message_t message);
/* Frontend: HELLO into the ring, visible, without a notification. Its id. */
uint32_t end_put_hello(struct end *end);
/* Frontend: the record. */
void end_publish_answer(struct end *end);
/* Backend: a new epoch, and an offer with it; or with some lines more. */
void end_publish_offer(struct end *end);
void end_publish_offer_with(struct end *end, const char *lines);
/* Backend: waits for a record that answers the offer; or only looks. */
bool end_has_answer(struct end *end);
bool end_await_answer(struct end *end);
/* Backend: copies the channel page, checks it, maps the rest. */
bool end_map_channel(struct end *end);
/* Backend: waits for HELLO and answers it. */
bool end_answer_hello(struct end *end);

/* All of it; the reason why not is a comment. False if there is no session. */
bool end_try_greet(struct end *end);
/* The same; the test is inconclusive if there is no session. */
void end_greet(struct end *end);
/*
 * Ends the session or attempt by a new epoch, or no record, and lets go of the
 * channel; the IUT notices.
 */
void end_abandon(struct end *end);
/* Frees or unmaps the channel. */
void end_leave_channel(struct end *end);

/*
 * Proof that the IUT lives and looks at what it gets: ECHO with random octets,
 * an operation that does not exist, QUERY of an id that does not. False, and a
 * comment, if not. Nothing that does not know the protocol gets through this.
 */
bool end_sanity(struct end *end);

/* ---- references --------------------------------------------------------- */

/* Zeroed memory that can be shared, and plain memory; freed with the end. */
struct hdmabuf_memory *end_allocate(struct end *end, uint64_t pages,
				    uint32_t rights);
void *end_array(struct end *end, size_t count, size_t octets);
/* The references of the channel's parts, as the channel page lists them. */
void end_channel_references(const struct end *end, uint64_t *references);
/* Makes references to pages of this end's memory. */
void end_share(struct end *end, const struct hdmabuf_memory *memory,
	       uint64_t first, uint64_t pages, uint32_t rights,
	       uint64_t *references);
/* The same; @runs has room for as many as there are pages. Returns how many. */
size_t end_share_runs(struct end *end, const struct hdmabuf_memory *memory,
		      uint64_t first, uint64_t pages, uint32_t rights,
		      struct hdmabuf_run *runs);
/* Takes pages back; false if the IUT still has them mapped at @deadline. */
bool end_revoke(struct end *end, const struct hdmabuf_run *runs, size_t count,
		uint64_t deadline);
/* Maps pages of the IUT contiguously; NULL, and a comment, if that cannot be. */
void *end_map(struct end *end, const uint64_t *references, uint64_t count,
	      uint32_t rights);
void end_unmap(struct end *end, void *address, uint64_t pages);

/* ---- rings by hand -------------------------------------------------------- */

uint8_t *ring_slot(const struct ring *ring, uint32_t index);
/* Puts a message into the next slot; not visible. */
void ring_put(struct ring *ring, const message_t message);
/* Makes requests visible; true if the IUT wants to be notified. */
bool ring_show_requests(struct ring *ring);

/* ---- requests of the suite ---------------------------------------------- */

void message_init(message_t message, uint16_t operation);
/* Puts a request into the ring under a new id, which is returned; not visible. */
uint32_t end_put(struct end *end, message_t message);
/* Makes visible what was put, and notifies if the IUT wants that. */
void end_push(struct end *end);
void end_notify(struct end *end);
/* Makes visible what was put, and does not notify. */
void end_show(struct end *end);
uint32_t end_send(struct end *end, message_t message);
/*
 * The answer to the request of that id, if it has come; NULL if it does not come in
 * time.
 */
const uint8_t *end_find_answer_to(const struct end *end, uint32_t id);
const uint8_t *end_await_answer_to(struct end *end, uint32_t id);
/*
 * Sends a request and waits for its answer, which is copied to @answer unless that
 * is NULL. An answer that does not come fails HDB-BOTH-033 and ends the test. The
 * status.
 */
uint16_t end_ask(struct end *end, message_t message, uint8_t *answer);
/* How many requests of the suite are not answered. */
uint32_t end_in_flight(const struct end *end);

/* ---- requests of the IUT ------------------------------------------------ */

/* The next request of this operation that no test has taken yet; NULL if none comes. */
struct received *end_await_request(struct end *end, uint16_t operation);
struct received *end_find_request(struct end *end, uint16_t operation);
/* Answers a request with a message; id and operation are filled in. */
void end_answer(struct end *end, struct received *request, message_t answer);
/* Answers a request with a status and nothing else. */
void end_answer_status(struct end *end, struct received *request,
		       uint16_t status);
/* Puts an answer into the ring, whatever it answers, and shows it. */
void end_answer_raw(struct end *end, const message_t answer);
/* Answers as it should be; or without a notification. */
void end_serve_quietly(struct end *end, struct received *request);
void end_serve(struct end *end, struct received *request);

/* A buffer that the IUT has exported and that is not released, or NULL. */
struct their_buffer *end_find_buffer(struct end *end, const uint8_t id[16]);
/* Waits for the next export of the IUT, and that it was accepted; NULL if none comes. */
struct their_buffer *end_await_buffer(struct end *end);
/* Maps it, if it is not; the first octet of its data. */
uint8_t *end_map_buffer(struct end *end, struct their_buffer *buffer,
			uint32_t rights);
void end_unmap_buffer(struct end *end, struct their_buffer *buffer);

/* ---- timelines ---------------------------------------------------------- */

/* Cell @timeline in the area of @creator, &enum hdmabuf_role. */
uint8_t *end_cell(struct end *end, enum hdmabuf_role creator,
		  uint32_t timeline);
/* The point in a cell, as a reader takes it; false if it is being moved. */
bool cell_point(const uint8_t *cell, uint64_t *point);
/* Stores a point as a signaller does, without notification. */
void cell_signal(uint8_t *cell, uint64_t point);
/* The same with notification if the IUT wants that. */
void end_signal(struct end *end, enum hdmabuf_role creator, uint32_t timeline,
		uint64_t point);
/* Stores an error, and notifies. */
void end_fail_timeline(struct end *end, enum hdmabuf_role creator,
		       uint32_t timeline, uint16_t status);
/* Waits until a timeline that the IUT signals has reached a point or an error. */
bool end_await_point(struct end *end, enum hdmabuf_role creator,
		     uint32_t timeline, uint64_t point);
/* TIMELINE_CREATE of a timeline of the suite, its cell prepared. The status. */
uint16_t end_create_timeline(struct end *end, uint32_t timeline,
			     uint32_t signaller, uint64_t point);

#endif
