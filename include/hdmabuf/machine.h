/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the state machines of the protocol, from its own tables
 */
#ifndef HDMABUF_MACHINE_H
#define HDMABUF_MACHINE_H

#include <hdmabuf/types.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/** define HDMABUF_NO_STATE - no such transition */
#define HDMABUF_NO_STATE (-1)

/**
 * hdmabuf_session_next() - next state of a session
 * @role: &enum hdmabuf_role
 * @state: &enum hdmabuf_session_state
 * @event: &enum hdmabuf_session_event
 *
 * Return: the next state, or ``HDMABUF_NO_STATE`` if the event cannot happen in
 * this state
 */
int hdmabuf_session_next(int role, int state, int event);

/**
 * hdmabuf_buffer_next() - next state of a buffer
 * @role: &enum hdmabuf_buffer_role
 * @state: &enum hdmabuf_buffer_state
 * @event: &enum hdmabuf_buffer_event
 *
 * Return: the next state, or ``HDMABUF_NO_STATE``
 */
int hdmabuf_buffer_next(int role, int state, int event);

/**
 * hdmabuf_timeline_next() - next state of a timeline
 * @role: &enum hdmabuf_timeline_role
 * @state: &enum hdmabuf_timeline_state
 * @event: &enum hdmabuf_timeline_event
 *
 * Return: the next state, or ``HDMABUF_NO_STATE``
 */
int hdmabuf_timeline_next(int role, int state, int event);

/**
 * hdmabuf_session_state_text() - name of a state
 * @state: &enum hdmabuf_session_state
 *
 * Return: as in the table ("CONNECTED"), or "?"
 */
const char *hdmabuf_session_state_text(int state);

/**
 * hdmabuf_buffer_state_text() - name of a state
 * @state: &enum hdmabuf_buffer_state
 *
 * Return: as in the table ("LIVE"), or "?"
 */
const char *hdmabuf_buffer_state_text(int state);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_MACHINE_H */
