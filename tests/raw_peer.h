/* SPDX-License-Identifier: MIT */
/*
 * raw_peer.h - an endpoint under test, and a peer that does what it is told
 *
 * The peer is written on the platform's table and lib/core alone. It can send any
 * message, record and channel page, write any index, and keeps every answer and
 * request that comes; by itself it does nothing. The functions that do the right
 * thing are made of small ones, between which a test can do the wrong thing.
 */
#ifndef HDMABUF_TESTS_RAW_PEER_H
#define HDMABUF_TESTS_RAW_PEER_H

#include "tests/pair.h"

#include <hdmabuf/channel.h>
#include <hdmabuf/codec.h>
#include <hdmabuf/ring.h>
#include <hdmabuf/timeline.h>

#define RAW_MESSAGES 256

/* Messages in the order in which they came. */
struct raw_queue {
	union hdmabuf_message messages[RAW_MESSAGES];
	unsigned int count;
	unsigned int taken;
};

/**
 * struct raw_peer - the peer
 * @platform: its end
 * @link: the link, NULL before it is up
 * @role: its role
 * @down: the link is down
 * @records: how often the other's record has changed
 * @notified: how often it was notified
 * @epoch: of its last attempt
 * @offer: what it offers, or was offered
 * @reply: what it answers, or was answered
 * @hello: what it says in HELLO or in the answer, but for the epochs
 * @ring_format: the only one in a backend's next offer, of a frontend's next channel
 * @ring_order: of both rings, of a frontend's next channel
 * @front_start: where the frontend's ring begins in it
 * @back_start: where the backend's ring begins in it
 * @info: the channel page, in native form
 * @memory: the channel, of a frontend
 * @share: its references
 * @page: the channel page, of a frontend
 * @parts: what follows it
 * @own: its own ring
 * @peer: the ring of the end under test
 * @own_cells: its cells
 * @peer_cells: those of the end under test
 * @answers: to its requests
 * @requests: of the end under test
 * @next_id: of its requests
 * @confused: the rings made no sense
 */
struct raw_peer {
	struct hdmabuf_platform platform;
	struct hdmabuf_link *link;
	enum hdmabuf_role role;
	bool down;
	unsigned int records;
	unsigned int notified;
	uint64_t epoch;
	struct hdmabuf_offer offer;
	struct hdmabuf_reply reply;
	struct hdmabuf_hello_body hello;
	uint32_t ring_format;
	uint32_t ring_order;
	uint32_t front_start;
	uint32_t back_start;
	struct hdmabuf_channel_info info;
	struct hdmabuf_memory memory;
	struct hdmabuf_run share;
	void *page;
	uint8_t *parts;
	struct hdmabuf_ring own;
	struct hdmabuf_ring peer;
	struct hdmabuf_cell *own_cells;
	struct hdmabuf_cell *peer_cells;
	struct raw_queue answers;
	struct raw_queue requests;
	uint32_t next_id;
	bool confused;
};

/* The end under test, and its peer. */
struct rig {
	struct end end;
	struct raw_peer raw;
};

/* ---- the rig ------------------------------------------------------------ */

/* @role is that of the end under test; NULL stands for the usual configuration. */
void rig_open(struct rig *rig, enum hdmabuf_role role,
	      const struct hdmabuf_config *config);
void rig_close(struct rig *rig);
/* Waits until there is something to do, if there is; false if there was not. */
bool rig_step(struct rig *rig, int timeout_ms);
/* Runs both until nothing happens any more but by time. */
void rig_run(struct rig *rig);
void rig_wait(struct rig *rig, const unsigned int *counter, unsigned int value);
/* Opens it and does everything right until both are connected. */
void rig_connect(struct rig *rig, enum hdmabuf_role role,
		 const struct hdmabuf_config *config);
/* The same from where the end under test waits for the peer's next attempt. */
void rig_greet(struct rig *rig);
/* Proves that the session works, in both directions. */
void rig_check(struct rig *rig);
/* Proves that the session is over, and that another one can be had. */
void rig_check_anew(struct rig *rig);

/* ---- records and channel ------------------------------------------------ */

uint64_t raw_epoch(void);
void raw_publish_text(struct raw_peer *raw, const char *text);
/* Publishes @raw->offer. */
void raw_publish_offer(struct raw_peer *raw);
/* Publishes @raw->reply. */
void raw_publish_reply(struct raw_peer *raw);
/* The record of the end under test, as text. */
size_t raw_record(struct raw_peer *raw, char *text, size_t size);
/* A backend's next offer; a frontend's next channel, HELLO in it, not published. */
void raw_prepare(struct raw_peer *raw);
/* A backend maps the channel that was answered. */
void raw_take_channel(struct raw_peer *raw);
/* Forgets the rings, and unmaps or frees the channel. */
void raw_leave_channel(struct raw_peer *raw);

/* ---- messages ----------------------------------------------------------- */

/* Puts a message into the ring; it is visible after the next push. */
uint32_t raw_put(struct raw_peer *raw, union hdmabuf_message *message);
/* Notifies in any case. */
void raw_push(struct raw_peer *raw);
uint32_t raw_send(struct raw_peer *raw, struct hdmabuf_request *request);
/* The next message of a queue, which must be there. */
const union hdmabuf_message *raw_take(struct raw_queue *queue);
void raw_answer(struct raw_peer *raw, const struct hdmabuf_answer *answer);
/* Answers a request with OK and no payload, or with a status. */
void raw_answer_plain(struct raw_peer *raw,
		      const union hdmabuf_message *request, uint16_t status);

/* Sends a request and runs until it is answered; the status of the answer. */
uint16_t rig_ask(struct rig *rig, struct hdmabuf_request *request,
		 struct hdmabuf_answer *answer);
uint16_t rig_ask_message(struct rig *rig, union hdmabuf_message *message,
			 union hdmabuf_message *answer);
/* The next request of the end under test, which must be @operation. */
void rig_expect(struct rig *rig, uint16_t operation,
		struct hdmabuf_request *request);
/* The same, and answers it with OK. */
void rig_grant(struct rig *rig, uint16_t operation,
	       struct hdmabuf_request *request);

/* ---- buffers of the peer ------------------------------------------------ */

/**
 * struct raw_buffer - a buffer of the peer
 * @id: its name
 * @info: what it is
 * @layout: where its references are
 * @data: its pages
 * @data_run: their references
 * @description: descriptor, then directory
 * @description_run: their references
 * @length: of the descriptor
 * @generation: of the descriptor
 */
struct raw_buffer {
	struct hdmabuf_id id;
	struct hdmabuf_info info;
	struct hdmabuf_layout layout;
	struct hdmabuf_memory data;
	struct hdmabuf_run data_run;
	struct hdmabuf_memory description;
	struct hdmabuf_run description_run;
	uint32_t length;
	uint64_t generation;
};

/* Allocates, shares and describes raw data of @size octets. */
void raw_buffer_make(struct raw_peer *raw, struct raw_buffer *buffer,
		     uint64_t size, uint32_t rights, uint32_t format);
/* Writes the descriptor, the directory, or both, from the native forms. */
void raw_buffer_describe(struct raw_buffer *buffer);
void raw_buffer_list(struct raw_buffer *buffer, const struct hdmabuf_run *runs,
		     uint64_t count);
struct hdmabuf_descriptor *raw_descriptor(const struct raw_buffer *buffer);
void *raw_directory(const struct raw_buffer *buffer);
void raw_buffer_free(struct raw_buffer *buffer);
/* EXPORT, UPDATE, or any request that names the buffer and nothing else. */
uint16_t rig_export(struct rig *rig, const struct raw_buffer *buffer,
		    struct hdmabuf_answer *answer);
uint16_t rig_update(struct rig *rig, const struct raw_buffer *buffer,
		    struct hdmabuf_answer *answer);
uint16_t rig_name(struct rig *rig, uint16_t operation,
		  const struct hdmabuf_id *id, struct hdmabuf_answer *answer);
uint16_t rig_hand_off(struct rig *rig, const struct hdmabuf_id *id,
		      const struct hdmabuf_hand_off_body *body,
		      struct hdmabuf_answer *answer);
/* A buffer of @size octets that the end under test has accepted. */
void rig_share(struct rig *rig, struct raw_buffer *buffer, uint64_t size,
	       uint32_t rights);
/* The end under test exports a sample, and the peer accepts it. */
void rig_accept(struct rig *rig, struct sample *sample, uint64_t size,
		uint32_t rights);

#endif
