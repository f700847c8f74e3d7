/* SPDX-License-Identifier: MIT */
/*
 * session.h - the protocol for a program in user space
 *
 * An *endpoint* is where a program speaks the protocol, in one role, over one
 * platform.  It has one descriptor to poll and one function to call when that is
 * readable; everything that happens is reported by callbacks from that function.
 * There are no threads and no global state.
 *
 * Sessions come and go with the peers: a backend serves many at once, a frontend
 * has one, and both get a new one by themselves after the other end has died and
 * come back.
 *
 * Functions return 0 or a negative errno.  -ENOTCONN means that the session is
 * over; -EAGAIN that the ring is full: try again after the next dispatch().
 *
 * A program that shows what comes in, in its entirety::
 *
 *     static uint16_t imported(void *user, struct hdmabuf_buffer *buffer)
 *     {
 *             void *data;
 *
 *             return hdmabuf_buffer_map(buffer, &data) ?
 *                     HDMABUF_STATUS_NO_MEMORY : HDMABUF_STATUS_OK;
 *     }
 *
 *     static void handed_off(void *user, struct hdmabuf_session *session,
 *                            const struct hdmabuf_turn *turns, size_t count)
 *     {
 *             show(hdmabuf_buffer_data(turns[0].buffer));
 *             hdmabuf_turn_done(&turns[0], HDMABUF_STATUS_OK);
 *     }
 *
 *     static const struct hdmabuf_callbacks callbacks = {
 *             .imported = imported,
 *             .handed_off = handed_off,
 *     };
 *
 *     hdmabuf_endpoint_open("local:/run/screen", HDMABUF_BACKEND, NULL,
 *                           &callbacks, NULL, &endpoint, error, sizeof(error));
 *     for (;;) {
 *             hdmabuf_endpoint_wait(endpoint, -1);
 *             hdmabuf_endpoint_dispatch(endpoint);
 *     }
 */
#ifndef HDMABUF_SESSION_H
#define HDMABUF_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hdmabuf/codec.h>
#include <hdmabuf/descriptor.h>
#include <hdmabuf/fault.h>
#include <hdmabuf/memory.h>
#include <hdmabuf/platform.h>
#include <hdmabuf/trace.h>
#include <hdmabuf/waiting.h>
#include <hyper_dmabuf.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct hdmabuf_endpoint - where a program speaks the protocol
 */
struct hdmabuf_endpoint;

/**
 * struct hdmabuf_session - a session with one peer
 *
 * Valid from *connected* until *disconnected* returns.
 */
struct hdmabuf_session;

/**
 * struct hdmabuf_buffer - a buffer, exported or imported
 *
 * An imported one is valid from *imported*, unless that refuses it, until it is
 * released, or *disconnected* returns.  An exported one is valid from *hdmabuf_export()* until
 * *released* returns, which may be after its session.
 */
struct hdmabuf_buffer;

/**
 * struct hdmabuf_timeline_handle - a timeline, of this end or of the other
 *
 * One of this end is valid until it is destroyed, one of the other until
 * *disconnected* returns.
 */
struct hdmabuf_timeline_handle;

/**
 * enum hdmabuf_log_level - how much a line of the log matters
 * @HDMABUF_LOG_ERROR: something is wrong
 * @HDMABUF_LOG_INFO: a session or buffer came or went
 * @HDMABUF_LOG_DEBUG: a message was sent or received
 */
enum hdmabuf_log_level {
	HDMABUF_LOG_ERROR = 0,
	HDMABUF_LOG_INFO = 1,
	HDMABUF_LOG_DEBUG = 2
};

/**
 * struct hdmabuf_config - what a program wants of its sessions
 * @features: offered (backend) or wanted (frontend)
 * @limits: announced to the other end
 * @ring_formats: offered (backend) or known (frontend): bit n stands for ring format
 *	n; a frontend takes the highest that both know
 * @ring_order: the end's rings have up to 2^order pages
 * @timeline_pages: pages of timelines for each end
 * @max_sessions: a backend refuses more peers than this
 * @looks: so often at most *hdmabuf_endpoint_wait()* looks at rings before it sleeps;
 *	0 for never
 */
struct hdmabuf_config {
	uint64_t features;
	struct hdmabuf_limits limits;
	uint64_t ring_formats;
	uint32_t ring_order;
	uint32_t timeline_pages;
	uint32_t max_sessions;
	uint32_t looks;
};

/**
 * hdmabuf_config_init() - fill in what suits most programs
 * @config: receives all features, 256 buffers of 1 GiB in all, 64 timelines, 3840
 *	octets of private data, all ring formats, rings and timelines of one page, 64
 *	sessions; ``HDMABUF_WAITING_LOOKS`` looks, or none if the process may use one
 *	processor only
 */
void hdmabuf_config_init(struct hdmabuf_config *config);

/**
 * struct hdmabuf_turn - a hand-off, sent or received
 * @buffer: whose turn it is
 * @wait: timeline to wait for, or NULL; a hand-off is reported at once, so the
 *	receiver calls *hdmabuf_timeline_wait()* before it accesses the buffer
 * @wait_point: point to wait for
 * @signal: timeline to signal when finished, or NULL
 * @signal_point: point to signal
 * @stamp: the sender's
 * @life: the library's: tells the timeline @signal from a later one of its number
 */
struct hdmabuf_turn {
	struct hdmabuf_buffer *buffer;
	struct hdmabuf_timeline_handle *wait;
	uint64_t wait_point;
	struct hdmabuf_timeline_handle *signal;
	uint64_t signal_point;
	uint64_t stamp;
	uint32_t life;
};

/**
 * struct hdmabuf_callbacks - what a program is told
 *
 * All are called from *hdmabuf_endpoint_dispatch()*, and any may be NULL.  They may
 * call every function of this header but dispatch(), wait() and close() of the
 * endpoint.
 *
 * Every request of this end is reported once, with a fault or NULL if it was
 * accepted.  Those that are not answered when the session is over are reported before
 * *disconnected*, with a fault of status LOST.
 *
 * @log: a line for the log, without a newline
 * @connected: a session is established
 * @disconnected: it is over: @status is OK after CLOSE, or if this end stops, else
 *	why it was lost, and @why says it in words.  When this returns, imported buffers are unmapped and
 *	invalid, timelines too; exported buffers stay until they are released
 * @imported: the peer has exported a buffer; the status returned is the answer: OK,
 *	or DENIED, UNSUPPORTED, NO_MEMORY to refuse it
 * @updated: the peer wants to change the metadata of a buffer to @info; the status
 *	returned is the answer, and with OK it is done afterwards
 * @handed_off: it is this end's turn with one buffer, or with the several that form
 *	a group; NULL has finished at once
 * @retire: the peer wants its buffer released within @grace_ms milliseconds: call
 *	*hdmabuf_buffer_release()*, now or soon; NULL stands for at once
 * @allocate: the peer wishes a buffer: fill @memory and @info, and @buffer_user if
 *	wanted, and return OK, or a status to refuse; NULL refuses with UNSUPPORTED;
 *	the memory belongs to the library then, which frees it after *released*
 * @cpu_access: the peer is about to access a buffer by processor (@begin), or has
 *	done so: do cache maintenance and return OK; NULL stands for nothing to do
 * @exported: EXPORT was answered; @fault is NULL if it was accepted, else the buffer
 *	is released next, or quarantined if the session is lost
 * @allocated: ALLOCATE was answered: the buffer @id will come, or @fault is not NULL
 * @queried: QUERY was answered, or @fault is not NULL; not told if the buffer has
 *	been released meanwhile
 * @echoed: ECHO was answered, with 56 octets, or @fault is not NULL
 * @answered: another request than these was answered, UPDATE or HAND_OFF for
 *	instance: @buffer is the one it was about, or NULL if there is none or it has
 *	been released meanwhile.  Of UNEXPORT it is not told that the peer had just
 *	released the buffer
 * @quarantined: an exported buffer is out of use but perhaps still mapped by the peer
 * @released: an exported buffer is all this end's again; its memory may be freed
 * @reached: a point that was waited for is reached, if @status is OK; else it never
 *	will be
 * @trace: something for a trace, see *The trace file*: in the order in which this end
 *	has seen it.  Unlike the others it is called from any function of this header,
 *	and may call none; @event and its octets are valid until it returns
 */
struct hdmabuf_callbacks {
	void (*log)(void *user, enum hdmabuf_log_level level, const char *line);
	void (*connected)(void *user, struct hdmabuf_session *session);
	void (*disconnected)(void *user, struct hdmabuf_session *session,
			     uint16_t status, const char *why);
	uint16_t (*imported)(void *user, struct hdmabuf_buffer *buffer);
	uint16_t (*updated)(void *user, struct hdmabuf_buffer *buffer,
			    const struct hdmabuf_info *info);
	void (*handed_off)(void *user, struct hdmabuf_session *session,
			   const struct hdmabuf_turn *turns, size_t count);
	void (*retire)(void *user, struct hdmabuf_buffer *buffer,
		       uint32_t grace_ms);
	uint16_t (*allocate)(void *user, struct hdmabuf_session *session,
			     const struct hdmabuf_allocate_body *wish,
			     struct hdmabuf_memory *memory,
			     struct hdmabuf_info *info, void **buffer_user);
	uint16_t (*cpu_access)(void *user, struct hdmabuf_buffer *buffer,
			       bool begin, uint64_t offset, uint64_t octets,
			       uint32_t access);
	void (*exported)(void *user, struct hdmabuf_buffer *buffer,
			 const struct hdmabuf_fault *fault);
	void (*allocated)(void *user, struct hdmabuf_session *session,
			  const struct hdmabuf_id *id,
			  const struct hdmabuf_fault *fault);
	void (*queried)(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_query_body *answer,
			const struct hdmabuf_fault *fault);
	void (*echoed)(void *user, struct hdmabuf_session *session,
		       const uint8_t *octets,
		       const struct hdmabuf_fault *fault);
	void (*answered)(void *user, struct hdmabuf_session *session,
			 uint16_t operation, struct hdmabuf_buffer *buffer,
			 const struct hdmabuf_fault *fault);
	void (*quarantined)(void *user, struct hdmabuf_buffer *buffer);
	void (*released)(void *user, struct hdmabuf_buffer *buffer);
	void (*reached)(void *user, struct hdmabuf_timeline_handle *timeline,
			uint64_t point, uint16_t status);
	void (*trace)(void *user, const struct hdmabuf_trace_event *event);
};

/**
 * hdmabuf_endpoint_open() - begin to speak the protocol
 * @address: of the platform, as ``local:PATH``
 * @role: &enum hdmabuf_role
 * @config: is copied; NULL stands for *hdmabuf_config_init()*
 * @callbacks: are copied; NULL stands for none
 * @user: first argument of every callback
 * @endpoint: is filled; to be closed by *hdmabuf_endpoint_close()*
 * @error: receives one line about what went wrong and what to do; may be NULL
 * @error_size: of @error
 *
 * Return: 0, or a negative errno as *hdmabuf_platform_open()* gives it
 */
int hdmabuf_endpoint_open(const char *address, enum hdmabuf_role role,
			  const struct hdmabuf_config *config,
			  const struct hdmabuf_callbacks *callbacks, void *user,
			  struct hdmabuf_endpoint **endpoint, char *error,
			  size_t error_size);

/**
 * hdmabuf_endpoint_new() - the same, over a platform that is already open
 * @platform: belongs to the endpoint afterwards, also if this fails
 * @role: &enum hdmabuf_role
 * @config: is copied; NULL stands for *hdmabuf_config_init()*
 * @callbacks: are copied; NULL stands for none
 * @user: first argument of every callback
 * @endpoint: is filled
 *
 * Return: 0, -EINVAL if the configuration makes no sense, -ENOMEM
 */
int hdmabuf_endpoint_new(struct hdmabuf_platform platform,
			 enum hdmabuf_role role,
			 const struct hdmabuf_config *config,
			 const struct hdmabuf_callbacks *callbacks, void *user,
			 struct hdmabuf_endpoint **endpoint);

/**
 * hdmabuf_endpoint_fd() - the descriptor to poll for reading
 * @endpoint: open
 *
 * Return: a descriptor that belongs to the endpoint
 */
int hdmabuf_endpoint_fd(const struct hdmabuf_endpoint *endpoint);

/**
 * hdmabuf_endpoint_dispatch() - do what there is to do, and report it
 * @endpoint: open
 *
 * Does a bounded amount of work and never blocks; what is left keeps the
 * descriptor readable.  Requests made by this end since the last call, in or
 * outside callbacks, become visible to the peer at the end of it at the latest.
 *
 * Return: 0, or a negative errno if the platform has failed for good
 */
int hdmabuf_endpoint_dispatch(struct hdmabuf_endpoint *endpoint);

/**
 * hdmabuf_endpoint_wait() - wait until there is something for dispatch()
 * @endpoint: open
 * @timeout_ms: milliseconds to sleep at most, -1 for no limit
 *
 * Does what *hdmabuf_endpoint_flush()* does, looks at the rings for a while and then
 * polls the descriptor.  As long as it looks, the peer sends no notifications.  For how
 * long follows from whether looking was of use before, see *struct hdmabuf_waiting*: a
 * fraction of a millisecond at most, and hardly at all if messages are rare.  Of many
 * sessions, only the few that were busy last are looked at; for the others, the descriptor is
 * polled.
 *
 * A program that waits for other descriptors too calls this with a timeout of 0, and
 * polls all of them if it returns 0.  A program that just polls the descriptor is told of
 * everything as well.
 *
 * A peer that sends something now and then can keep one processor looking: who does not
 * want that sets ``looks`` to 0.
 *
 * Return: 1 if dispatch() is to be called, 0 after @timeout_ms, or a negative errno of
 * poll(), as -EINTR
 */
int hdmabuf_endpoint_wait(struct hdmabuf_endpoint *endpoint, int timeout_ms);

/**
 * hdmabuf_endpoint_flush() - make all requests visible to the peers now
 * @endpoint: open
 *
 * To be called after requests that were made outside a callback; within one, it
 * does nothing: dispatch() does it at its end.
 */
void hdmabuf_endpoint_flush(struct hdmabuf_endpoint *endpoint);

/**
 * hdmabuf_endpoint_quarantined() - how much is in quarantine
 * @endpoint: open
 * @buffers: receives the number of buffers
 * @octets: receives the octets of their pages
 */
void hdmabuf_endpoint_quarantined(const struct hdmabuf_endpoint *endpoint,
				  uint32_t *buffers, uint64_t *octets);

/**
 * hdmabuf_endpoint_stop() - seek, or accept, no further session
 * @endpoint: open
 *
 * Sessions that are there go on.
 */
void hdmabuf_endpoint_stop(struct hdmabuf_endpoint *endpoint);

/**
 * hdmabuf_endpoint_start() - seek, or accept, sessions again
 * @endpoint: open
 *
 * After *hdmabuf_endpoint_stop()*, and after *hdmabuf_session_close()* by a frontend
 * that wants another session.
 */
void hdmabuf_endpoint_start(struct hdmabuf_endpoint *endpoint);

/**
 * hdmabuf_endpoint_close() - stop at once
 * @endpoint: open, or NULL
 *
 * Sessions end without a word; *disconnected* and *released* are reported a last
 * time, the latter also for what is in quarantine: the memory may be freed but must
 * not be put to another use.  Close the sessions first to part in good order.
 */
void hdmabuf_endpoint_close(struct hdmabuf_endpoint *endpoint);

/**
 * hdmabuf_session_close() - end a session in good order
 * @session: connected
 * @reason: &enum hdmabuf_reason
 *
 * Imported buffers are unmapped first.  *disconnected* is reported when the other
 * end has answered.  The endpoint seeks no new session afterwards if it is a
 * frontend, until *hdmabuf_endpoint_start()*.
 *
 * Return: 0, -ENOTCONN, -EAGAIN
 */
int hdmabuf_session_close(struct hdmabuf_session *session,
			  enum hdmabuf_reason reason);

/**
 * hdmabuf_session_close_reason() - why the peer closes
 * @session: in *disconnected*
 *
 * Return: &enum hdmabuf_reason of the peer's CLOSE, 0 if it sent none
 */
uint32_t hdmabuf_session_close_reason(const struct hdmabuf_session *session);

/**
 * hdmabuf_session_set_user() - attach something to a session
 * @session: connected
 * @user: anything
 */
void hdmabuf_session_set_user(struct hdmabuf_session *session, void *user);

/**
 * hdmabuf_session_user() - what was attached
 * @session: connected
 *
 * Return: as set, at first NULL
 */
void *hdmabuf_session_user(const struct hdmabuf_session *session);

/**
 * hdmabuf_session_endpoint() - the endpoint of a session
 * @session: connected
 *
 * Return: the endpoint
 */
struct hdmabuf_endpoint *
hdmabuf_session_endpoint(const struct hdmabuf_session *session);

/**
 * hdmabuf_session_peer() - who the peer is
 * @session: connected
 *
 * Return: words for a message; valid as long as the session
 */
const char *hdmabuf_session_peer(const struct hdmabuf_session *session);

/**
 * hdmabuf_session_features() - features that were accepted
 * @session: connected
 *
 * Return: bits
 */
uint64_t hdmabuf_session_features(const struct hdmabuf_session *session);

/**
 * hdmabuf_session_limits() - limits that the peer has announced
 * @session: connected
 *
 * Return: valid as long as the session
 */
const struct hdmabuf_limits *
hdmabuf_session_limits(const struct hdmabuf_session *session);

/**
 * struct hdmabuf_statistics - what a session has done so far
 * @requests_sent: requests of this end
 * @requests_received: requests of the peer
 * @notifications_sent: to the peer
 * @notifications_received: from the peer
 * @ring_writes: how often messages became visible to the peer: once for all requests,
 *	and once for all answers, of a flush() or dispatch()
 * @hand_offs_sent: of these requests, hand-offs
 * @hand_offs_received: of these requests, hand-offs
 * @octets_shared: data of all buffers exported and imported
 */
struct hdmabuf_statistics {
	uint64_t requests_sent;
	uint64_t requests_received;
	uint64_t notifications_sent;
	uint64_t notifications_received;
	uint64_t ring_writes;
	uint64_t hand_offs_sent;
	uint64_t hand_offs_received;
	uint64_t octets_shared;
};

/**
 * hdmabuf_session_statistics() - what a session has done so far
 * @session: connected
 *
 * Return: valid as long as the session
 */
const struct hdmabuf_statistics *
hdmabuf_session_statistics(const struct hdmabuf_session *session);

/**
 * hdmabuf_session_alloc() - allocate memory that this platform can share
 * @session: connected
 * @octets: how much; is rounded up to whole pages, and is zeroed
 * @rights: with which it will be exported, &enum hdmabuf_rights
 * @memory: is filled; to be given to *hdmabuf_memory_free()*
 *
 * Return: 0 or a negative errno
 */
int hdmabuf_session_alloc(struct hdmabuf_session *session, size_t octets,
			  uint32_t rights, struct hdmabuf_memory *memory);

/**
 * hdmabuf_session_echo() - ask whether the peer is alive
 * @session: connected
 * @octets: 56 octets that come back in *echoed*
 *
 * Return: 0, -ENOTCONN, -EAGAIN
 */
int hdmabuf_session_echo(struct hdmabuf_session *session,
			 const uint8_t *octets);

/**
 * hdmabuf_session_allocate() - ask the peer to allocate and export a buffer
 * @session: connected
 * @wish: properties
 *
 * The answer comes as *allocated*, the buffer as *imported*.
 *
 * Return: 0, -ENOTCONN, -EAGAIN, -EOPNOTSUPP if the feature was not negotiated
 */
int hdmabuf_session_allocate(struct hdmabuf_session *session,
			     const struct hdmabuf_allocate_body *wish);

/**
 * hdmabuf_export() - share a buffer with the peer
 * @session: connected
 * @memory: the pages, from its start; is not copied, must live until *released*
 * @info: what it is; is copied, with its private data
 * @user: see *hdmabuf_buffer_user()*
 * @buffer: receives the handle
 *
 * The answer comes as *exported*.  What lies around the data in its pages is cleared.
 *
 * Return: 0; -ENOTCONN; -EAGAIN; -EINVAL if @info is wrong or exceeds @memory;
 * -EOPNOTSUPP if it needs a feature that was not negotiated; -EDQUOT if it exceeds
 * a limit of the peer; -ENOSPC if the platform has no references left; -EACCES if it
 * cannot enforce the rights
 */
int hdmabuf_export(struct hdmabuf_session *session,
		   const struct hdmabuf_memory *memory,
		   const struct hdmabuf_info *info, void *user,
		   struct hdmabuf_buffer **buffer);

/**
 * hdmabuf_update() - change the metadata of an exported buffer
 * @buffer: exported and accepted
 * @info: as in *hdmabuf_export()*; only tag, type, metadata and private data may
 *	differ
 *
 * Return: 0; -ENOTCONN; -EAGAIN; -EINVAL; -EDQUOT; -EOPNOTSUPP; -EBUSY while it is
 * lent or another update is not answered
 */
int hdmabuf_update(struct hdmabuf_buffer *buffer,
		   const struct hdmabuf_info *info);

/**
 * hdmabuf_unexport() - ask for a buffer to be released
 * @buffer: exported and accepted
 * @grace_ms: milliseconds that the peer has
 *
 * *released* follows; *quarantined* before it, if the peer takes longer.
 *
 * Return: 0, -ENOTCONN, -EAGAIN, -EINVAL if it was asked before
 */
int hdmabuf_unexport(struct hdmabuf_buffer *buffer, uint32_t grace_ms);

/**
 * hdmabuf_hand_off() - pass a buffer on
 * @turn: ``buffer``, exported and accepted, or imported and writable; ``wait``, a
 *	timeline that this end has created and signals, or NULL; ``signal``, one
 *	that this end has created and the peer signals, or NULL; their points; and
 *	any ``stamp``; is copied
 * @more: the next hand-off belongs to this one
 *
 * What the peer gets has the same form.  All hand-offs made since the last flush() or
 * dispatch() become visible by one write to the ring, with one notification at most, at
 * the next.  A batch needs nothing more::
 *
 *     for (i = 0; i < count && !error; i++)
 *             error = hdmabuf_hand_off(&turns[i], false);
 *     hdmabuf_endpoint_flush(endpoint);
 *
 * Those that were made before one that fails remain.  A point that is signalled outside a
 * callback flushes as well.
 *
 * Return: 0; -ENOTCONN; -EAGAIN; -EINVAL if the points or timelines are wrong;
 * -EACCES if the buffer is not this end's to hand off
 */
int hdmabuf_hand_off(const struct hdmabuf_turn *turn, bool more);

/**
 * hdmabuf_turn_done() - tell that this end has finished with a hand-off
 * @turn: as received
 * @status: ``HDMABUF_STATUS_OK``, or why it could not be done, which ends the
 *	timeline
 *
 * Nothing happens if the hand-off names no timeline.  Points below the one already
 * signalled are passed over.
 *
 * Return: 0 or -ENOTCONN
 */
int hdmabuf_turn_done(const struct hdmabuf_turn *turn, uint16_t status);

/**
 * hdmabuf_buffer_query() - ask what the peer knows of a buffer
 * @buffer: exported and accepted, or imported
 *
 * The answer comes as *queried*.
 *
 * Return: 0, -ENOTCONN, -EAGAIN
 */
int hdmabuf_buffer_query(struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_buffer_cpu_access() - tell the peer of an access by processor
 * @buffer: exported and accepted, or imported
 * @begin: it is about to begin; else it has ended
 * @offset: first octet of the data
 * @octets: how many
 * @access: ``HDMABUF_ACCESS_READ``, ``HDMABUF_ACCESS_WRITE`` or both
 *
 * Return: 0, -ENOTCONN, -EAGAIN, -EOPNOTSUPP if the feature was not negotiated
 */
int hdmabuf_buffer_cpu_access(struct hdmabuf_buffer *buffer, bool begin,
			      uint64_t offset, uint64_t octets,
			      uint32_t access);

/**
 * hdmabuf_buffer_map() - map an imported buffer
 * @buffer: imported
 * @data: receives the address of its first octet of data; not to be written if the
 *	right is READ_ONLY
 *
 * Mapping again gives the same address.
 *
 * Return: 0; -EINVAL if it was exported by this end or has been asked back;
 * -ENOTCONN if the session is over or being closed; a negative errno of the platform
 */
int hdmabuf_buffer_map(struct hdmabuf_buffer *buffer, void **data);

/**
 * hdmabuf_buffer_unmap() - unmap an imported buffer, but keep it
 * @buffer: imported; nothing happens if it is not mapped
 *
 * A buffer that the peer wants back is released by this, but for the handle.
 */
void hdmabuf_buffer_unmap(struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_buffer_release() - unmap an imported buffer and be done with it
 * @buffer: imported; is invalid afterwards
 */
void hdmabuf_buffer_release(struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_buffer_data() - where a buffer is in this process
 * @buffer: exported, or imported and mapped
 *
 * Return: its first octet of data, or NULL if it is not mapped
 */
void *hdmabuf_buffer_data(const struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_buffer_info() - what is known of a buffer
 * @buffer: any
 *
 * Return: valid until the buffer is updated or gone
 */
const struct hdmabuf_info *
hdmabuf_buffer_info(const struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_buffer_id() - the name of a buffer
 * @buffer: any
 *
 * Return: valid as long as the buffer
 */
const struct hdmabuf_id *hdmabuf_buffer_id(const struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_buffer_state() - the state of a buffer at this end
 * @buffer: any
 *
 * Return: &enum hdmabuf_buffer_state
 */
int hdmabuf_buffer_state(const struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_buffer_session() - the session of a buffer
 * @buffer: any
 *
 * Return: the session, or NULL if that is over
 */
struct hdmabuf_session *
hdmabuf_buffer_session(const struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_buffer_set_user() - attach something to a buffer
 * @buffer: any
 * @user: anything
 */
void hdmabuf_buffer_set_user(struct hdmabuf_buffer *buffer, void *user);

/**
 * hdmabuf_buffer_user() - what was attached
 * @buffer: any
 *
 * Return: as set or as given to *hdmabuf_export()*, at first NULL
 */
void *hdmabuf_buffer_user(const struct hdmabuf_buffer *buffer);

/**
 * hdmabuf_timeline_create() - create a timeline
 * @session: connected
 * @signaller: &enum hdmabuf_signaller: this end, or the peer
 * @point: the initial point
 * @timeline: receives the handle, which may be used at once
 *
 * Return: 0; -ENOTCONN; -EAGAIN; -EDQUOT if the peer or the channel has no room for
 * another one
 */
int hdmabuf_timeline_create(struct hdmabuf_session *session,
			    enum hdmabuf_signaller signaller, uint64_t point,
			    struct hdmabuf_timeline_handle **timeline);

/**
 * hdmabuf_timeline_destroy() - destroy a timeline that this end has created
 * @timeline: is invalid afterwards
 *
 * Return: 0, -ENOTCONN, -EAGAIN, -EINVAL if it is the peer's
 */
int hdmabuf_timeline_destroy(struct hdmabuf_timeline_handle *timeline);

/**
 * hdmabuf_timeline_find() - a timeline that the peer has created
 * @session: connected
 * @number: among the peer's, as in the metadata of a cyclic buffer
 *
 * Return: the handle, or NULL if there is none
 */
struct hdmabuf_timeline_handle *
hdmabuf_timeline_find(struct hdmabuf_session *session, uint32_t number);

/**
 * hdmabuf_timeline_number() - the number of a timeline
 * @timeline: any
 *
 * Return: its number among those of the end that created it
 */
uint32_t
hdmabuf_timeline_number(const struct hdmabuf_timeline_handle *timeline);

/**
 * hdmabuf_timeline_point() - the point reached
 * @timeline: any
 *
 * Return: the greatest point seen or signalled so far
 */
uint64_t hdmabuf_timeline_point(struct hdmabuf_timeline_handle *timeline);

/**
 * hdmabuf_timeline_signal() - move a timeline on
 * @timeline: one that this end signals
 * @point: the new point
 *
 * What the point stands for must have been done before.
 *
 * Return: 0; -EINVAL if @point is not greater than the point reached, or the peer
 * signals this timeline; -EPIPE if it has ended with an error
 */
int hdmabuf_timeline_signal(struct hdmabuf_timeline_handle *timeline,
			    uint64_t point);

/**
 * hdmabuf_timeline_fail() - end a timeline with an error
 * @timeline: one that this end signals
 * @status: &enum hdmabuf_status, not OK
 *
 * Return: 0; -EINVAL; -EPIPE if it has ended already
 */
int hdmabuf_timeline_fail(struct hdmabuf_timeline_handle *timeline,
			  uint16_t status);

/**
 * hdmabuf_timeline_wait() - be told when a point is reached
 * @timeline: one that the peer signals
 * @point: the wanted point
 *
 * *reached* is reported from dispatch(), also if the point is reached already.  Each
 * call is reported once, also if the timeline ends or the session is lost.
 *
 * Return: 0; -EINVAL if this end signals the timeline; -EPIPE if it was destroyed or
 * refused, or its session is over; -ENOMEM
 */
int hdmabuf_timeline_wait(struct hdmabuf_timeline_handle *timeline,
			  uint64_t point);

#ifdef __cplusplus
}
#endif

#endif /* HDMABUF_SESSION_H */
