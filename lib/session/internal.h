/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of the session layer share
 *
 *   support.c     time, randomness, words for the log, and copies
 *   endpoint.c    the endpoint: platform events, timers, dispatch
 *   port.c        links, what is shared over them, and what remains of it
 *   session.c     life of a session: handshake, loss, closing
 *   channel.c     making and mapping the channel
 *   pump.c        the rings: requests and answers in and out
 *   handlers.c    what the peer asks for
 *   answers.c     what the peer has answered
 *   buffers.c     what buffers of either end have in common
 *   exports.c     buffers of this end
 *   imports.c     buffers of the peer
 *   timelines.c   timelines and waiting for them
 *   wait.c        waiting for anything, and looking before that
 *   trace.c       what the application is told for a trace
 */
#ifndef HDMABUF_SESSION_INTERNAL_H
#define HDMABUF_SESSION_INTERNAL_H

#include <sys/queue.h>

#include <hdmabuf/channel.h>
#include <hdmabuf/machine.h>
#include <hdmabuf/ring.h>
#include <hdmabuf/session.h>
#include <hdmabuf/table.h>
#include <hdmabuf/timeline.h>
#include <hdmabuf/waiting.h>

/* A group of hand-offs has at most as many members as a picture has planes. */
#define GROUP_MAX HDMABUF_PLANES

/* How long to try to revoke before it is called a quarantine, and how often. */
#define REVOKE_HOLD_MS	1000
#define REVOKE_RETRY_MS 20
/* The platform has heard of the peer: it may be worth while sooner than that. */
#define REVOKE_SOON_MS 2

/* A frontend that was refused waits, longer each time. */
#define ATTEMPT_DELAY_MS     100
#define ATTEMPT_DELAY_MAX_MS 5000

/* A platform that could not publish or notify is asked again. */
#define PLATFORM_RETRY_MS 100

/* Messages handled for one session before the others have their turn. */
#define WORK_PER_TURN 128

/* What is looked at before an endpoint sleeps: what was busy last. */
#define LOOK_SESSIONS  4
#define LOOK_TIMELINES 4

/* A link, kept as long as something is shared or mapped over it. */
struct port {
	const struct hdmabuf_platform_ops *ops;
	struct hdmabuf_link *link;
	unsigned int users;
	bool disconnected;
};

/* References that were made over a port, until they are revoked. */
struct share {
	struct port *port;
	struct hdmabuf_run *runs;
	size_t count;
};

/* What nobody uses any more and only waits to be revoked and freed. */
struct remains {
	LIST_ENTRY(remains) entry;
	struct share share;
	struct hdmabuf_memory memory;
};

/* A request of this end that is not answered. */
struct pending {
	uint32_t id;
	uint16_t operation;
	bool used;
	struct hdmabuf_buffer *buffer;
	struct hdmabuf_timeline_handle *timeline;
	uint8_t echo[56];
};

struct wait {
	SLIST_ENTRY(wait) entry;
	uint64_t point;
};

struct hdmabuf_timeline_handle {
	SLIST_ENTRY(hdmabuf_timeline_handle) grave;
	LIST_ENTRY(hdmabuf_timeline_handle) waited_entry;
	struct hdmabuf_session *session;
	struct hdmabuf_cell *cell;
	SLIST_HEAD(, wait) waits;
	uint32_t wait_count;
	uint64_t armed; /* the point that a notification was asked for */
	uint64_t point;
	uint64_t shown;
	uint64_t named;
	uint32_t number;
	uint32_t life;
	int state;
	uint16_t status;
	bool created_here;
	bool signalled_here;
	bool destroyed;
};

struct hdmabuf_buffer {
	LIST_ENTRY(hdmabuf_buffer) entry;
	SLIST_ENTRY(hdmabuf_buffer) grave;
	struct hdmabuf_endpoint *endpoint;
	struct hdmabuf_session *session;
	void *user;
	struct hdmabuf_id id;
	struct hdmabuf_info info;
	struct hdmabuf_layout layout;
	uint64_t generation;
	uint64_t hand_offs;
	uint32_t cpu_accesses;
	int state;
	bool exported_here;

	/* exporter */
	const struct hdmabuf_memory *memory;
	struct hdmabuf_memory own_memory;
	struct share data;
	struct remains *description;
	uint32_t description_length;
	struct hdmabuf_info *update;
	uint64_t deadline;
	bool export_due;
	bool released;

	/* importer */
	struct port *port;
	struct hdmabuf_run *runs;
	size_t run_count;
	void *mapping;
	uint64_t bad_page;
	bool has_bad_page;
	bool held;
	bool retiring;
	bool let_go;
	bool release_due;
	bool forgotten;
};

LIST_HEAD(buffer_list, hdmabuf_buffer);

/* What the two ends of a channel look like from here. */
struct channel {
	struct hdmabuf_channel_info info;
	struct remains *own_pages;
	void *mapping;
	uint64_t mapped_pages;
	struct hdmabuf_ring own;
	struct hdmabuf_ring peer;
	struct hdmabuf_cell *own_cells;
	struct hdmabuf_cell *peer_cells;
	uint32_t cells;
};

struct hdmabuf_session {
	LIST_ENTRY(hdmabuf_session) entry;
	LIST_ENTRY(hdmabuf_session) active_entry;
	bool active;
	struct hdmabuf_endpoint *endpoint;
	struct port *port;
	uint32_t link;
	struct trace *trace;
	void *user;
	char peer[96];

	int state;
	uint64_t epoch;
	uint64_t peer_epoch;
	uint16_t refused;
	uint32_t delay_ms;
	uint64_t attempt_at;
	struct channel channel;
	bool has_channel;

	uint64_t features;
	struct hdmabuf_limits limits;
	struct hdmabuf_statistics statistics;

	struct pending *pending;
	uint32_t pending_max;
	uint32_t in_flight;
	uint32_t sequence;
	uint32_t taken;
	bool requests_put; /* and not visible yet */
	bool answers_put;

	struct hdmabuf_table table;
	struct buffer_list buffers;
	uint32_t imports;
	uint64_t import_octets;
	uint32_t exports;
	uint64_t export_octets;
	uint64_t expire_at; /* no grace period ends before; 0: none is running */
	bool due;	    /* a buffer may have something to send */

	struct hdmabuf_turn group[GROUP_MAX];
	size_t group_count;
	unsigned int group_due;
	unsigned int group_sent;

	struct hdmabuf_timeline_handle **own_timelines;
	struct hdmabuf_timeline_handle **peer_timelines;
	LIST_HEAD(, hdmabuf_timeline_handle) waited; /* those with waits */
	uint32_t timeline_max;
	uint32_t peer_timeline_max;

	bool record_changed;
	bool look;
	bool down;
	char down_why[96];
	bool notify;
	bool publish_due;
	uint64_t retry_at;
	bool broken;
	char broken_why[128];
	bool told;
	bool hello_done;
	bool hello_refused;
	bool close_received;
	bool peer_closed;
	uint32_t close_id;
	uint32_t close_reason;
	bool close_answered;
	bool close_unmapped;
};

struct hdmabuf_endpoint {
	struct hdmabuf_platform platform;
	enum hdmabuf_role role;
	struct hdmabuf_config config;
	struct hdmabuf_callbacks callbacks;
	void *user;
	int epoll_fd;
	int timer_fd;
	uint64_t timer_at;
	int wake_fd; /* readable if something is to be done at once */
	bool awake;
	struct hdmabuf_waiting waiting;
	bool dispatching;
	bool stopped;
	uint32_t session_count;
	uint32_t links;
	LIST_HEAD(, hdmabuf_session) sessions; /* the busy ones first */
	LIST_HEAD(, hdmabuf_session)
	active; /* those there is something to do for */
	struct buffer_list leaving;
	LIST_HEAD(, remains) remains;
	uint64_t retry_at;
	uint64_t retried_at;
	SLIST_HEAD(, hdmabuf_buffer) buffer_graves;
	SLIST_HEAD(, hdmabuf_timeline_handle) timeline_graves;
};

/* endpoint.c */
void endpoint_wake(struct hdmabuf_endpoint *endpoint);

/* support.c */
uint64_t now_ms(void);
int random_octets(void *octets, size_t count);
bool has_processors(void);
void copy_once(void *to, const void *from, size_t octets);
uint64_t random_epoch(void);
__attribute__((format(printf, 3, 4))) void
endpoint_log(const struct hdmabuf_endpoint *endpoint,
	     enum hdmabuf_log_level level, const char *format, ...);
void endpoint_log_fault(const struct hdmabuf_endpoint *endpoint,
			const char *what, const struct hdmabuf_fault *fault);

/* port.c */
struct port *port_new(const struct hdmabuf_platform_ops *ops,
		      struct hdmabuf_link *link);
void port_get(struct port *port);
void port_put(struct port *port);
void port_disconnect(struct port *port);
int share_make(struct share *share, struct port *port,
	       const struct hdmabuf_memory *memory, uint64_t pages,
	       uint32_t rights);
int share_revoke(struct share *share);
void share_drop(struct share *share);
uint64_t runs_reference(const struct hdmabuf_run *runs, size_t count,
			uint64_t page);
uint64_t share_reference(const struct share *share, uint64_t page);
struct remains *remains_new(void);
void remains_leave(struct hdmabuf_endpoint *endpoint, struct remains *remains);
void remains_retry(struct hdmabuf_endpoint *endpoint);
void remains_drop(struct hdmabuf_endpoint *endpoint);

/* session.c */
struct hdmabuf_session *session_new(struct hdmabuf_endpoint *endpoint,
				    struct hdmabuf_link *link);
void session_touch(struct hdmabuf_session *session);
void session_rest(struct hdmabuf_session *session);
void session_run(struct hdmabuf_session *session);
void session_start(struct hdmabuf_session *session);
void session_stop(struct hdmabuf_session *session);
void session_connected(struct hdmabuf_session *session);
bool session_is_open(const struct hdmabuf_session *session);
bool session_has_rings(const struct hdmabuf_session *session);
bool session_wants_run(const struct hdmabuf_session *session, uint64_t now);
uint64_t session_deadline(const struct hdmabuf_session *session);
__attribute__((format(printf, 2, 3))) void
session_break(struct hdmabuf_session *session, const char *format, ...);

/* channel.c */
int channel_make(struct hdmabuf_session *session,
		 const struct hdmabuf_offer *offer);
uint16_t channel_take(struct hdmabuf_session *session,
		      const struct hdmabuf_offer *offer,
		      const struct hdmabuf_reply *reply,
		      struct hdmabuf_fault *fault);
void channel_leave(struct hdmabuf_session *session);

/* pump.c */
void answer_put(struct hdmabuf_session *session,
		const struct hdmabuf_answer *answer);
int request_send(struct hdmabuf_session *session,
		 struct hdmabuf_request *request, struct hdmabuf_buffer *buffer,
		 struct hdmabuf_timeline_handle *timeline);
bool request_fits(const struct hdmabuf_session *session, uint16_t operation);
void pump(struct hdmabuf_session *session);
bool pump_has_news(const struct hdmabuf_session *session);
void pump_hold(struct hdmabuf_session *session);
bool pump_arm(struct hdmabuf_session *session);
void pump_flush(struct hdmabuf_session *session);
void pump_forget(struct hdmabuf_session *session,
		 const struct hdmabuf_buffer *buffer,
		 const struct hdmabuf_timeline_handle *timeline);

/* handlers.c */
bool handle_request(struct hdmabuf_session *session,
		    const union hdmabuf_message *message,
		    struct hdmabuf_answer *answer);

/* answers.c */
void handle_answer(struct hdmabuf_session *session,
		   const struct pending *pending,
		   const struct hdmabuf_answer *answer);
void answers_lost(struct hdmabuf_session *session);

/* buffers.c */
int buffer_insert(struct hdmabuf_session *session,
		  struct hdmabuf_buffer *buffer);
int info_copy(struct hdmabuf_info *to, const struct hdmabuf_info *from);
void info_free(struct hdmabuf_info *info);
void buffer_bury(struct hdmabuf_buffer *buffer);
void buffer_event(struct hdmabuf_buffer *buffer, int event);
bool buffer_may(const struct hdmabuf_buffer *buffer, int event);
uint64_t buffer_octets(const struct hdmabuf_buffer *buffer);
int buffer_hand_off_event(const struct hdmabuf_buffer *buffer,
			  bool by_exporter);
bool buffer_is_usable(const struct hdmabuf_buffer *buffer);
void hand_off_refused(struct hdmabuf_buffer *buffer);

/* exports.c */
int export_allocated(struct hdmabuf_session *session,
		     const struct hdmabuf_memory *memory,
		     const struct hdmabuf_info *info, void *user,
		     struct hdmabuf_buffer **buffer);
bool export_fits(const struct hdmabuf_session *session, uint64_t octets);
int export_send(struct hdmabuf_buffer *buffer);
void export_answered(struct hdmabuf_buffer *buffer,
		     const struct hdmabuf_fault *fault);
void update_answered(struct hdmabuf_buffer *buffer,
		     const struct hdmabuf_fault *fault);
void export_released(struct hdmabuf_buffer *buffer);
void export_session_over(struct hdmabuf_buffer *buffer, bool released);
void exports_retry(struct hdmabuf_endpoint *endpoint, uint64_t now);
void exports_expire(struct hdmabuf_session *session, uint64_t now);
void exports_drop(struct hdmabuf_endpoint *endpoint);

/* imports.c */
uint16_t import_take(struct hdmabuf_session *session,
		     const struct hdmabuf_request *request,
		     struct hdmabuf_fault *fault);
uint16_t import_update(struct hdmabuf_buffer *buffer,
		       const struct hdmabuf_request *request,
		       struct hdmabuf_fault *fault);
bool import_retire(struct hdmabuf_buffer *buffer, uint32_t grace_ms);
void imports_unmap(struct hdmabuf_session *session);
void imports_release(struct hdmabuf_session *session);
void import_send_released(struct hdmabuf_buffer *buffer);

/* timelines.c */
int timelines_init(struct hdmabuf_session *session);
void timelines_end_waits(struct hdmabuf_session *session, uint16_t status);
void timelines_end(struct hdmabuf_session *session, uint16_t status);
void timelines_run(struct hdmabuf_session *session);
bool timelines_have_news(const struct hdmabuf_session *session);
void timelines_hold(struct hdmabuf_session *session);
bool timelines_arm(struct hdmabuf_session *session);
void timeline_judge(const struct hdmabuf_session *session,
		    const struct hdmabuf_request *request,
		    struct hdmabuf_fault *fault);
uint16_t timeline_take(struct hdmabuf_session *session,
		       const struct hdmabuf_request *request,
		       struct hdmabuf_fault *fault);
uint16_t timeline_drop(struct hdmabuf_session *session,
		       const struct hdmabuf_request *request,
		       struct hdmabuf_fault *fault);
void timeline_created(struct hdmabuf_timeline_handle *timeline,
		      const struct hdmabuf_fault *fault);
void timeline_bury(struct hdmabuf_timeline_handle *timeline, uint16_t status);
struct hdmabuf_timeline_handle *
timeline_of_peer(const struct hdmabuf_session *session, uint32_t number);

/* trace.c: none of it does anything unless the application wants a trace */
void trace_begin(struct hdmabuf_session *session);
void trace_end(struct hdmabuf_session *session);
void trace_record(struct hdmabuf_session *session, const char *text,
		  size_t octets);
void trace_peer_record(struct hdmabuf_session *session, const char *text,
		       size_t octets);
void trace_channel(struct hdmabuf_session *session,
		   const struct hdmabuf_channel *page);
void trace_put_request(struct hdmabuf_session *session,
		       const union hdmabuf_message *message);
void trace_put_answer(struct hdmabuf_session *session,
		      const union hdmabuf_message *message);
void trace_shown(struct hdmabuf_session *session);
void trace_forget(struct hdmabuf_session *session);
void trace_took_answer(struct hdmabuf_session *session,
		       const union hdmabuf_message *message);
void trace_took_request(struct hdmabuf_session *session,
			const union hdmabuf_message *message);
void trace_took_descriptor(struct hdmabuf_session *session,
			   const void *descriptor, size_t octets);
void trace_taken(struct hdmabuf_session *session);
void trace_point(const struct hdmabuf_timeline_handle *timeline);
void trace_down(struct hdmabuf_session *session, bool by_peer, const char *why);

#endif /* HDMABUF_SESSION_INTERNAL_H */
