/* SPDX-License-Identifier: MIT */
/*
 * session.c - life of a session: handshake, loss, closing
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static bool is_frontend(const struct hdmabuf_session *session)
{
	return session->endpoint->role == HDMABUF_FRONTEND;
}

bool session_has_rings(const struct hdmabuf_session *session)
{
	return session->state >= HDMABUF_SESSION_GREETING;
}

/* A transition that the table does not have would be an error of this file. */
static void session_event(struct hdmabuf_session *session, int event)
{
	int next = hdmabuf_session_next(session->endpoint->role, session->state,
					event);

	if (next == HDMABUF_NO_STATE) {
		endpoint_log(session->endpoint, HDMABUF_LOG_ERROR,
			     "event %d cannot happen in state %s", event,
			     hdmabuf_session_state_text(session->state));
		return;
	}
	session->state = next;
}

/* Only these are run, flushed and asked for deadlines: most of many sleep. */
void session_touch(struct hdmabuf_session *session)
{
	if (session->active)
		return;
	session->active = true;
	LIST_INSERT_HEAD(&session->endpoint->active, session, active_entry);
}

static void session_deactivate(struct hdmabuf_session *session)
{
	if (session->active)
		LIST_REMOVE(session, active_entry);
	session->active = false;
}

/* Flushed, and nothing to be done until something happens to it. */
void session_rest(struct hdmabuf_session *session)
{
	if (!session->record_changed && !session->look && !session->down &&
	    !session->broken && !session->publish_due && !session->notify &&
	    !session->expire_at)
		session_deactivate(session);
}

void session_break(struct hdmabuf_session *session, const char *format, ...)
{
	va_list args;

	if (session->broken)
		return;
	session->broken = true;
	session_touch(session);
	va_start(args, format);
	vsnprintf(session->broken_why, sizeof(session->broken_why), format,
		  args);
	va_end(args);
}

static void offer_make(const struct hdmabuf_session *session,
		       struct hdmabuf_offer *offer)
{
	const struct hdmabuf_config *config = &session->endpoint->config;

	memset(offer, 0, sizeof(*offer));
	offer->epoch = session->epoch;
	offer->version_min = HDMABUF_VERSION;
	offer->version_max = HDMABUF_VERSION;
	offer->features = config->features;
	offer->ring_formats = config->ring_formats;
	offer->ring_order_max = config->ring_order;
	offer->timeline_max = config->timeline_pages;
	offer->error = session->refused;
}

static size_t offer_text(const struct hdmabuf_session *session, char *text)
{
	struct hdmabuf_offer offer;

	offer_make(session, &offer);
	return hdmabuf_offer_write(&offer, text);
}

static size_t reply_text(const struct hdmabuf_session *session, char *text)
{
	struct hdmabuf_reply reply = {
		.epoch = session->epoch,
		.peer_epoch = session->peer_epoch,
	};

	reply.channel = share_reference(&session->channel.own_pages->share, 0);
	return hdmabuf_reply_write(&reply, text);
}

/* The state says what stands in the record. */
static void session_publish(struct hdmabuf_session *session)
{
	char text[HDMABUF_RECORD_OCTETS] = "";
	size_t octets = 0;

	if (is_frontend(session) && session_has_rings(session))
		octets = reply_text(session, text);
	else if (!is_frontend(session) &&
		 session->state != HDMABUF_SESSION_DOWN)
		octets = offer_text(session, text);
	session->publish_due =
		session->port->ops->publish(session->port->link, text, octets);
	if (session->publish_due)
		session->retry_at = now_ms() + PLATFORM_RETRY_MS;
	else
		trace_record(session, text, octets);
}

/* The peer may come again: there may be some then. */
static void session_without_randomness(struct hdmabuf_session *session)
{
	session->state = HDMABUF_SESSION_DOWN;
	session->down = true;
	snprintf(session->down_why, sizeof(session->down_why),
		 "no random numbers for an epoch");
	endpoint_log(session->endpoint, HDMABUF_LOG_ERROR,
		     "%s is sent away: there are %s", session->peer,
		     session->down_why);
}

/* HDB-BOTH-015: every attempt has an epoch of its own. */
static void session_get_ready(struct hdmabuf_session *session)
{
	session_touch(session);
	session->peer_epoch = 0;
	session->broken = false;
	session->epoch = random_epoch();
	session->record_changed = true;
	if (!session->epoch)
		session_without_randomness(session);
	session_publish(session);
}

struct hdmabuf_session *session_new(struct hdmabuf_endpoint *endpoint,
				    struct hdmabuf_link *link)
{
	struct hdmabuf_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->port = port_new(endpoint->platform.ops, link);
	if (!session->port) {
		free(session);
		return NULL;
	}
	session->endpoint = endpoint;
	session->link = endpoint->links++;
	trace_begin(session);
	LIST_INIT(&session->buffers);
	session->port->ops->peer(link, session->peer, sizeof(session->peer));
	LIST_INSERT_HEAD(&endpoint->sessions, session, entry);
	endpoint->session_count++;
	session_event(session, HDMABUF_SESSION_START);
	session_get_ready(session);
	return session;
}

static void session_free(struct hdmabuf_session *session)
{
	session_deactivate(session);
	LIST_REMOVE(session, entry);
	session->endpoint->session_count--;
	trace_end(session);
	port_disconnect(session->port);
	port_put(session->port);
	free(session);
}

/* What a session needs besides its channel. */
static int session_furnish(struct hdmabuf_session *session)
{
	uint32_t slots = session->channel.own.slots;
	struct hdmabuf_table_entry *entries;
	uint64_t key[2];

	memset(&session->limits, 0, sizeof(session->limits));
	memset(&session->statistics, 0, sizeof(session->statistics));
	session->limits.max_in_flight = 1;
	session->user = NULL;
	session->features = 0;
	session->in_flight = 0;
	session->taken = 0;
	session->requests_put = false;
	session->answers_put = false;
	session->group_count = 0;
	session->group_due = 0;
	session->group_sent = 0;
	session->imports = 0;
	session->import_octets = 0;
	session->exports = 0;
	session->export_octets = 0;
	session->told = false;
	session->hello_done = false;
	session->hello_refused = false;
	session->close_received = false;
	session->close_reason = 0;
	session->peer_closed = false;
	session->close_answered = false;
	session->close_unmapped = false;
	if (random_octets(key, sizeof(key)))
		return -EIO;
	session->pending = calloc(slots, sizeof(*session->pending));
	session->pending_max = slots;
	entries = calloc(16, sizeof(*entries));
	if (!session->pending || !entries || timelines_init(session)) {
		free(session->pending);
		free(entries);
		session->pending = NULL;
		session->table.entries = NULL;
		return -ENOMEM;
	}
	hdmabuf_table_init(&session->table, entries, 16, key);
	return 0;
}

static void session_unfurnish(struct hdmabuf_session *session)
{
	free(session->pending);
	session->pending = NULL;
	session->pending_max = 0;
	session->timeline_max = 0;
	session->peer_timeline_max = 0;
	free(session->table.entries);
	session->table.entries = NULL;
	free(session->own_timelines);
	session->own_timelines = NULL;
	session->peer_timelines = NULL;
	trace_forget(session);
}

/* The frontend's first word: it is in the ring before the record names it. */
static int hello_send(struct hdmabuf_session *session,
		      const struct hdmabuf_offer *offer)
{
	const struct hdmabuf_config *config = &session->endpoint->config;
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_HELLO,
		.hello = {
			.epoch_frontend = session->epoch,
			.epoch_backend = offer->epoch,
			.features = config->features & offer->features,
			.limits = config->limits,
		},
	};

	session->features = request.hello.features;
	return request_send(session, &request, NULL, NULL);
}

static void attempt_later(struct hdmabuf_session *session)
{
	if (!session->delay_ms)
		session->delay_ms = ATTEMPT_DELAY_MS;
	session->attempt_at = now_ms() + session->delay_ms;
	session->delay_ms *= 2;
	if (session->delay_ms > ATTEMPT_DELAY_MAX_MS)
		session->delay_ms = ATTEMPT_DELAY_MAX_MS;
	session->record_changed = true;
}

static bool offer_suits(const struct hdmabuf_session *session,
			const struct hdmabuf_offer *offer)
{
	uint64_t formats = session->endpoint->config.ring_formats;

	if (offer->version_min > HDMABUF_VERSION ||
	    offer->version_max < HDMABUF_VERSION) {
		endpoint_log(session->endpoint, HDMABUF_LOG_ERROR,
			     "%s speaks versions %u to %u, this end %u",
			     session->peer, offer->version_min,
			     offer->version_max, HDMABUF_VERSION);
		return false;
	}
	if (!(offer->ring_formats & formats)) {
		endpoint_log(session->endpoint, HDMABUF_LOG_ERROR,
			     "%s offers none of this end's ring formats",
			     session->peer);
		return false;
	}
	return true;
}

static void frontend_attempt(struct hdmabuf_session *session,
			     const struct hdmabuf_offer *offer)
{
	int error = channel_make(session, offer);

	if (!error) {
		error = session_furnish(session);
		if (error)
			channel_leave(session);
	}
	if (error) {
		/* That the link is going is told when it has gone. */
		if (error != -ENOTCONN)
			endpoint_log(session->endpoint, HDMABUF_LOG_ERROR,
				     "cannot make a channel to %s: %s",
				     session->peer, strerror(-error));
		attempt_later(session);
		return;
	}
	session->peer_epoch = offer->epoch;
	session_event(session, HDMABUF_SESSION_PEER_RECORD);
	hello_send(session, offer);
	pump_flush(session);
	session_publish(session);
}

static void frontend_consider(struct hdmabuf_session *session,
			      const struct hdmabuf_offer *offer)
{
	if (!offer_suits(session, offer))
		return;
	if (offer->error && session->refused != offer->error) {
		endpoint_log(session->endpoint, HDMABUF_LOG_ERROR,
			     "%s refused the channel: %s", session->peer,
			     hdmabuf_status_text(offer->error));
		session->refused = offer->error;
		attempt_later(session);
		return;
	}
	session->refused = HDMABUF_STATUS_OK;
	frontend_attempt(session, offer);
}

static void backend_refuse(struct hdmabuf_session *session,
			   const struct hdmabuf_fault *fault)
{
	endpoint_log_fault(session->endpoint, "a channel is refused", fault);
	session->refused = fault->status;
	session_get_ready(session);
}

static void backend_consider(struct hdmabuf_session *session,
			     const struct hdmabuf_reply *reply)
{
	struct hdmabuf_fault fault = { 0 };
	struct hdmabuf_offer offer;

	if (reply->peer_epoch != session->epoch)
		return;
	offer_make(session, &offer);
	if (channel_take(session, &offer, reply, &fault)) {
		backend_refuse(session, &fault);
		return;
	}
	if (session_furnish(session)) {
		channel_leave(session);
		hdmabuf_fault_set(&fault, HDMABUF_STATUS_NO_MEMORY, 0, 0, 0);
		backend_refuse(session, &fault);
		return;
	}
	session->peer_epoch = reply->epoch;
	session_event(session, HDMABUF_SESSION_PEER_RECORD);
	session->look = true;
}

/* HELLO is answered, by this end or the other. */
void session_connected(struct hdmabuf_session *session)
{
	struct hdmabuf_endpoint *endpoint = session->endpoint;

	session_event(session, HDMABUF_SESSION_HELLO_OK);
	session->delay_ms = 0;
	session->refused = HDMABUF_STATUS_OK;
	endpoint_log(endpoint, HDMABUF_LOG_INFO, "connected to %s",
		     session->peer);
	if (endpoint->callbacks.connected)
		endpoint->callbacks.connected(endpoint->user, session);
}

static void session_tell(struct hdmabuf_session *session, uint16_t status,
			 const char *why)
{
	struct hdmabuf_endpoint *endpoint = session->endpoint;

	if (session->told || session->state < HDMABUF_SESSION_CONNECTED)
		return;
	session->told = true;
	timelines_end_waits(session, HDMABUF_STATUS_LOST);
	answers_lost(session);
	endpoint_log(endpoint, HDMABUF_LOG_INFO, "disconnected from %s: %s",
		     session->peer, why);
	if (endpoint->callbacks.disconnected)
		endpoint->callbacks.disconnected(endpoint->user, session,
						 status, why);
}

/* Everything of the session goes; @released says that the peer has unmapped. */
static void session_clear(struct hdmabuf_session *session, bool released)
{
	struct hdmabuf_buffer *buffer;

	imports_release(session);
	while ((buffer = LIST_FIRST(&session->buffers)))
		export_session_over(buffer, released);
	session->expire_at = 0;
	session->due = false;
	timelines_end(session, HDMABUF_STATUS_LOST);
	channel_leave(session);
	session_unfurnish(session);
}

static void session_over(struct hdmabuf_session *session, int event,
			 uint16_t status, const char *why, bool released)
{
	session_tell(session, status, why);
	session_event(session, event);
	session_clear(session, released);
	if (session->state == HDMABUF_SESSION_DOWN &&
	    !session->endpoint->stopped)
		session_event(session, HDMABUF_SESSION_START);
	if (session->state == HDMABUF_SESSION_READY)
		session_get_ready(session);
	else
		session_publish(session);
}

/* Who has said CLOSE, and then goes, has nothing mapped (HDB-BOTH-023). */
static void session_lost(struct hdmabuf_session *session, const char *why)
{
	if (session->peer_closed)
		session_over(session, HDMABUF_SESSION_LOST, HDMABUF_STATUS_OK,
			     "closed by both ends", true);
	else
		session_over(session, HDMABUF_SESSION_LOST, HDMABUF_STATUS_LOST,
			     why, false);
}

/* A fault of the peer may repeat at once: do not let it keep us busy. */
static void session_broken(struct hdmabuf_session *session)
{
	char why[sizeof(session->broken_why)];

	memcpy(why, session->broken_why, sizeof(why));
	endpoint_log(session->endpoint, HDMABUF_LOG_ERROR,
		     "%s broke the rules: %s", session->peer, why);
	session_lost(session, why);
	if (is_frontend(session))
		attempt_later(session);
}

static uint64_t peer_epoch_now(struct hdmabuf_session *session,
			       struct hdmabuf_offer *offer,
			       struct hdmabuf_reply *reply)
{
	const struct hdmabuf_platform_ops *ops = session->port->ops;
	char text[HDMABUF_RECORD_OCTETS * 2];
	size_t octets;

	octets = ops->record(session->port->link, text, sizeof(text));
	trace_peer_record(session, text, octets);
	if (!octets)
		return 0;
	if (is_frontend(session))
		return hdmabuf_offer_read(text, octets, offer) ? offer->epoch :
								 0;
	return hdmabuf_reply_read(text, octets, reply) ? reply->epoch : 0;
}

static void session_look_at_record(struct hdmabuf_session *session)
{
	struct hdmabuf_offer offer;
	struct hdmabuf_reply reply;
	uint64_t epoch;

	session->record_changed = false;
	epoch = peer_epoch_now(session, &offer, &reply);
	if (session_has_rings(session)) {
		if (epoch == session->peer_epoch)
			return;
		session_lost(session, "the peer has begun anew");
	}
	if (session->state != HDMABUF_SESSION_READY)
		return;
	session->record_changed = false;
	if (session->endpoint->stopped) {
		session_event(session, HDMABUF_SESSION_STOP);
		session_publish(session);
	} else if (!epoch) {
		return;
	} else if (is_frontend(session)) {
		frontend_consider(session, &offer);
	} else {
		backend_consider(session, &reply);
	}
}

/* HDB-BOTH-024: no request is sent after this end has sent or received CLOSE. */
bool session_is_open(const struct hdmabuf_session *session)
{
	return session->state == HDMABUF_SESSION_CONNECTED && !session->told &&
	       !session->close_received;
}

/* What is behind the peer's CLOSE in the rings was not looked at. */
static void session_cross_close(struct hdmabuf_session *session)
{
	session_event(session, HDMABUF_SESSION_PEER_CLOSE);
	session->peer_closed = true;
	session->look = true;
}

/* The peer's CLOSE: HDB-BOTH-025 wants all unmapped before it is answered. */
static void session_answer_close(struct hdmabuf_session *session)
{
	struct hdmabuf_answer answer = {
		.id = session->close_id,
		.operation = HDMABUF_OP_CLOSE,
	};
	char why[64];

	session->close_received = false;
	snprintf(why, sizeof(why), "closed by the peer, reason %u",
		 session->close_reason);
	if (session->state == HDMABUF_SESSION_CONNECTED)
		session_tell(session, HDMABUF_STATUS_OK, why);
	imports_unmap(session);
	answer_put(session, &answer);
	pump_flush(session);
	if (session->state == HDMABUF_SESSION_CONNECTED)
		session_over(session, HDMABUF_SESSION_PEER_CLOSE,
			     HDMABUF_STATUS_OK, why, true);
	else
		session_cross_close(session);
}

static void session_finish_closing(struct hdmabuf_session *session)
{
	if (session->close_received)
		session_answer_close(session);
	if (session->close_answered)
		session_over(session, HDMABUF_SESSION_CLOSE_ANSWERED,
			     HDMABUF_STATUS_OK, "closed by this end",
			     session->close_unmapped);
}

static void session_finish_hello(struct hdmabuf_session *session)
{
	session->hello_refused = false;
	pump_flush(session);
	session_over(session, HDMABUF_SESSION_HELLO_REFUSED, HDMABUF_STATUS_OK,
		     "HELLO was refused", false);
	if (is_frontend(session))
		attempt_later(session);
}

/* Whoever waits looks at those first that were busy last. */
static void session_to_front(struct hdmabuf_session *session)
{
	LIST_REMOVE(session, entry);
	LIST_INSERT_HEAD(&session->endpoint->sessions, session, entry);
}

static void session_turn_rings(struct hdmabuf_session *session)
{
	session_to_front(session);
	session->look = false;
	pump(session);
	timelines_run(session);
	exports_expire(session, now_ms());
	if (session->hello_refused)
		session_finish_hello(session);
	else if (session->broken)
		session_broken(session);
	else
		session_finish_closing(session);
}

void session_run(struct hdmabuf_session *session)
{
	if (session_has_rings(session))
		session_turn_rings(session);
	if (session->down) {
		if (session_has_rings(session))
			session_lost(session, session->down_why);
		trace_down(session, true, session->down_why);
		session_free(session);
		return;
	}
	if (session->record_changed && now_ms() >= session->attempt_at)
		session_look_at_record(session);
	if (session->look && session_has_rings(session))
		session_turn_rings(session);
	if (session->publish_due && now_ms() >= session->retry_at)
		session_publish(session);
	/* A notification without a channel says nothing. */
	if (!session_has_rings(session))
		session->look = false;
}

bool session_wants_run(const struct hdmabuf_session *session, uint64_t now)
{
	return session->record_changed || session_deadline(session) <= now;
}

uint64_t session_deadline(const struct hdmabuf_session *session)
{
	uint64_t deadline = UINT64_MAX;

	if (session->look || session->down || session->broken)
		return 0;
	if (session->record_changed)
		deadline = session->attempt_at;
	if ((session->publish_due || session->notify) &&
	    session->retry_at < deadline)
		deadline = session->retry_at;
	if (session->expire_at && session->expire_at < deadline)
		deadline = session->expire_at;
	return deadline;
}

/* A new session is wanted where there is none, and none in the making. */
void session_start(struct hdmabuf_session *session)
{
	if (session->state != HDMABUF_SESSION_DOWN)
		return;
	session_event(session, HDMABUF_SESSION_START);
	session_get_ready(session);
}

/* The endpoint is closed: no word to the peer. */
void session_stop(struct hdmabuf_session *session)
{
	if (session_has_rings(session)) {
		pump_flush(session);
		session_over(session, HDMABUF_SESSION_STOP, HDMABUF_STATUS_OK,
			     "this end stops", false);
	}
	trace_down(session, false, "this end stops");
	session_free(session);
}

int hdmabuf_session_close(struct hdmabuf_session *session,
			  enum hdmabuf_reason reason)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_CLOSE,
		.reason = reason,
	};
	int error;

	if (!session_is_open(session))
		return -ENOTCONN;
	if (!request_fits(session, HDMABUF_OP_CLOSE))
		return -EAGAIN;
	imports_unmap(session);
	error = request_send(session, &request, NULL, NULL);
	if (error)
		return error;
	if (is_frontend(session))
		hdmabuf_endpoint_stop(session->endpoint);
	session_event(session, HDMABUF_SESSION_CLOSE);
	return 0;
}

uint32_t hdmabuf_session_close_reason(const struct hdmabuf_session *session)
{
	return session->close_reason;
}

void hdmabuf_session_set_user(struct hdmabuf_session *session, void *user)
{
	session->user = user;
}

void *hdmabuf_session_user(const struct hdmabuf_session *session)
{
	return session->user;
}

struct hdmabuf_endpoint *
hdmabuf_session_endpoint(const struct hdmabuf_session *session)
{
	return session->endpoint;
}

const char *hdmabuf_session_peer(const struct hdmabuf_session *session)
{
	return session->peer;
}

uint64_t hdmabuf_session_features(const struct hdmabuf_session *session)
{
	return session->features;
}

const struct hdmabuf_limits *
hdmabuf_session_limits(const struct hdmabuf_session *session)
{
	return &session->limits;
}

const struct hdmabuf_statistics *
hdmabuf_session_statistics(const struct hdmabuf_session *session)
{
	return &session->statistics;
}

int hdmabuf_session_alloc(struct hdmabuf_session *session, size_t octets,
			  uint32_t rights, struct hdmabuf_memory *memory)
{
	size_t page = (size_t)1 << session->port->ops->page_shift;

	if (!octets || octets > SIZE_MAX - page)
		return -EINVAL;
	return session->port->ops->alloc(session->port->link,
					 (octets + page - 1) & ~(page - 1),
					 rights, memory);
}
