/* SPDX-License-Identifier: MIT */
/*
 * desk.h - an end of a session of the library, and what it was told
 */
#ifndef HDMABUF_BENCH_DESK_H
#define HDMABUF_BENCH_DESK_H

#include <hdmabuf/session.h>

/*
 * @endpoint: the end
 * @session: the last that was connected
 * @imported: the last buffer that was imported
 * @connects, @imports, @exports, @hand_offs, @answers, @echoes, @reached, @released:
 *	how often that was reported
 * @notified: notifications that were sent when last asked
 */
struct desk {
	struct hdmabuf_endpoint *endpoint;
	struct hdmabuf_session *session;
	struct hdmabuf_buffer *imported;
	unsigned int connects;
	unsigned int imports;
	unsigned int exports;
	unsigned int hand_offs;
	unsigned int answers;
	unsigned int echoes;
	unsigned int reached;
	unsigned int released;
	uint64_t notified;
};

/* As much as anybody could want, on any processors. */
void desk_config(struct hdmabuf_config *config);

void desk_open(struct desk *desk, const char *address, enum hdmabuf_role role);
/* Both ends in this process, connected. */
void desk_open_pair(struct desk *front, struct desk *back);
void desk_close(struct desk *desk);

/* Waits for something, and does it. */
void desk_run(struct desk *desk);
/* Until a counter has got there. */
void desk_run_until(struct desk *desk, const unsigned int *counter,
		    unsigned int value);
/* The same without sleeping. */
void desk_poll_until(struct desk *desk, const unsigned int *counter,
		     unsigned int value);
/* The same, looking before it sleeps as long as that is of use. */
void desk_wait_until(struct desk *desk, const unsigned int *counter,
		     unsigned int value);
void desk_pair_run_until(struct desk *front, struct desk *back,
			 const unsigned int *counter, unsigned int value);

/* How many notifications were sent since this was last asked. */
uint64_t desk_notifications(struct desk *desk);

/* Raw data that is only read. */
void desk_info(struct hdmabuf_info *info, uint64_t octets);
/* Exports @memory from its start on. */
struct hdmabuf_buffer *desk_export(struct desk *desk,
				   const struct hdmabuf_memory *memory,
				   const struct hdmabuf_info *info);

#endif
