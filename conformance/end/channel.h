/* SPDX-License-Identifier: MIT */
/* channel.h - what end.c, channel.c, serve.c and timeline.c do for each other */
#ifndef CONFORMANCE_CHANNEL_H
#define CONFORMANCE_CHANNEL_H

#include "conformance/end/end.h"

/* Takes what is in the rings and cells; true if there was anything. */
bool channel_step(struct end *end);
/* Like end_ask(), but UINT16_MAX if there is no answer. */
uint16_t end_try_ask(struct end *end, message_t message, uint8_t *answer);

/* A request has come: takes what it refers to before it may be gone. */
void end_prepare(struct end *end, struct received *request);
/* A request of the suite was answered with OK. */
void end_accepted(struct end *end, const message_t request);
/* Takes over the buffer of an EXPORT; the status to answer with. */
uint16_t end_import(struct end *end, const message_t request);
void end_forget_buffer(struct end *end, struct their_buffer *buffer);
/* Unmaps and forgets what the IUT has exported. */
void end_forget_buffers(struct end *end);

/* Looks for points that the IUT has signalled. */
bool timelines_step(struct end *end);
/* Stores what is waited for; true if it is there. */
bool timelines_arm(struct end *end);
/* A timeline of @creator was created; it is watched if the IUT signals it. */
void timeline_opened(struct end *end, enum hdmabuf_role creator,
		     const message_t request);
void timeline_closed(struct end *end, enum hdmabuf_role creator,
		     uint32_t timeline);
void end_forget_timelines(struct end *end);

#endif
