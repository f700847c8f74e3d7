/* SPDX-License-Identifier: MIT */
/*
 * What the files of the control part share:
 *
 *   control.c           the part: its sessions, and what the library tells it
 *   control_lines.c     lines in and out
 *   control_words.c     words and options of a line
 *   control_commands.c  what can be asked for
 *   control_names.c     buffers and timelines by name
 *   control_turns.c     carrying out what was handed off
 */

#ifndef REFERENCE_COMMON_CONTROL_H
#define REFERENCE_COMMON_CONTROL_H

#include "reference-common/control_lines.h"
#include "reference-common/control_words.h"
#include "reference-common/crc32.h"
#include "reference-common/peer.h"

#include <sys/queue.h>

/* With the NUL; an id as text has 33. */
#define CONTROL_NAME_SIZE 64

/* HDB-BOTH-067: who hands off more than that gets no further. */
#define CONTROL_TURNS_MAX 256

/**
 * struct control_buffer - a buffer with a name
 * @entry: in its session's list
 * @session: NULL when that is over
 * @handle: the library's
 * @memory: its pages, if it was exported by a command
 * @name: as the command has it, or the id
 * @imported: it is the other end's
 * @held: lent to this end
 * @retired: the other end wants it back
 * @back_due: it is to be handed back, with @back_stamp
 * @back_stamp: see there
 */
struct control_buffer {
	LIST_ENTRY(control_buffer) entry;
	struct control_session *session;
	struct hdmabuf_buffer *handle;
	struct hdmabuf_memory memory;
	char name[CONTROL_NAME_SIZE];
	bool imported;
	bool held;
	bool retired;
	bool back_due;
	uint64_t back_stamp;
};

/**
 * struct control_timeline - a timeline with a name
 * @entry: in its session's list
 * @handle: the library's
 * @name: as the command has it
 */
struct control_timeline {
	LIST_ENTRY(control_timeline) entry;
	struct hdmabuf_timeline_handle *handle;
	char name[CONTROL_NAME_SIZE];
};

/**
 * struct control_wait - a wait that a command has asked for
 * @entry: in its session's list
 * @handle: what is waited for
 * @point: until when
 * @name: of the timeline, as the command had it
 */
struct control_wait {
	LIST_ENTRY(control_wait) entry;
	struct hdmabuf_timeline_handle *handle;
	uint64_t point;
	char name[CONTROL_NAME_SIZE];
};

/**
 * struct control_turn - a hand-off that is not finished with
 * @turn: it
 * @buffer: its buffer, NULL if that is out of reach
 * @name: of the buffer
 * @group: number of the group, the same for all that came together
 * @waiting: the wait point is not reached
 * @status: why it will not be carried out, OK if it will
 */
struct control_turn {
	struct hdmabuf_turn turn;
	struct control_buffer *buffer;
	char name[CONTROL_NAME_SIZE];
	unsigned int group;
	bool waiting;
	uint16_t status;
};

/**
 * struct control_session - a session, and all that belongs to it
 * @entry: in the list of sessions, the newest first
 * @control: whose it is
 * @handle: the library's
 * @buffers: with names
 * @timelines: with names
 * @waits: asked for by commands
 * @turns: hand-offs that are not finished with, the oldest first
 * @turn_count: how many
 * @groups: that have come so far
 * @group_open: a command has begun a group, and not ended it
 * @reason: with which it is to be closed, 0 if it is not
 * @closing: CLOSE is sent
 */
struct control_session {
	LIST_ENTRY(control_session) entry;
	struct control *control;
	struct hdmabuf_session *handle;
	LIST_HEAD(, control_buffer) buffers;
	LIST_HEAD(, control_timeline) timelines;
	LIST_HEAD(, control_wait) waits;
	struct control_turn turns[CONTROL_TURNS_MAX];
	unsigned int turn_count;
	unsigned int groups;
	bool group_open;
	uint32_t reason;
	bool closing;
};

/**
 * struct control - the context of this part
 * @peer: the program
 * @lines: from standard input
 * @sessions: those that are not over, the newest first
 * @keep: what the other end wants back stays
 * @hold: hand-offs are not carried out
 * @reject: status to answer the next request with, OK for none
 * @crc: the table for it
 */
struct control {
	struct peer *peer;
	struct lines lines;
	LIST_HEAD(, control_session) sessions;
	bool keep;
	bool hold;
	uint16_t reject;
	struct crc32_table crc;
};

/* ---- control.c ---- */

/* The session that commands without a name go to, or NULL. */
struct control_session *control_session(const struct control *control);
/* Closes it, now or as soon as there is room in the ring. */
void control_close(struct control_session *session, uint32_t reason);

/* ---- control_names.c ---- */

bool name_is_valid(const char *name);
/* What a buffer is called that has no other name. */
void id_name(const struct hdmabuf_id *id, char name[CONTROL_NAME_SIZE]);
/* What events call a buffer. */
const char *buffer_name(const struct hdmabuf_buffer *handle,
			char name[CONTROL_NAME_SIZE]);
/* NULL if there is no memory. */
struct control_buffer *buffer_add(struct control_session *session,
				  const char *name, bool imported);
/* Its turns are not carried out any more. */
void buffer_remove(struct control_buffer *buffer);
/* The session is over, the buffer remains until it is released. */
void buffer_orphan(struct control_buffer *buffer);
struct control_buffer *buffer_find(const struct control *control,
				   const char *name);
bool buffer_is_known(const struct control_session *session, const char *name);
/* Unmaps an imported one and tells the other end; it is gone then. */
void buffer_release(struct control_buffer *buffer);

struct control_timeline *timeline_add(struct control_session *session,
				      const char *name);
void timeline_remove(struct control_timeline *timeline);
/* One of this end by its name, or one of the other's as "peer:N"; NULL for none. */
struct hdmabuf_timeline_handle *
timeline_find(const struct control_session *session, const char *name);

/* ---- control_commands.c ---- */

/* Carries it out, and answers. */
void command_run(struct control *control, char *line);

/* ---- control_turns.c ---- */

void turns_add(struct control_session *session,
	       const struct hdmabuf_turn *turns, size_t count);
void turns_reached(struct control_session *session,
		   const struct hdmabuf_timeline_handle *timeline,
		   uint64_t point, uint16_t status);
/* The buffer is out of reach. */
void turns_drop(struct control_session *session,
		const struct control_buffer *buffer);
/* The same, for those of its turns whose wait point is not reached (HDB-BOTH-065). */
void turns_drop_waiting(struct control_session *session,
			const struct control_buffer *buffer);
bool turns_wait_for(const struct control_session *session,
		    const struct control_buffer *buffer);
/* Does what is due. */
void turns_run(struct control_session *session);

#endif
