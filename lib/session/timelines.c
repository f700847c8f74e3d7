/* SPDX-License-Identifier: MIT */
/*
 * timelines.c - timelines and waiting
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"
#include "lib/core/note.h"

static void timeline_event(struct hdmabuf_timeline_handle *timeline, int event)
{
	int role = timeline->created_here ? HDMABUF_TIMELINE_CREATOR :
					    HDMABUF_TIMELINE_PEER;
	int next = hdmabuf_timeline_next(role, timeline->state, event);

	if (next != HDMABUF_NO_STATE)
		timeline->state = next;
}

static bool timeline_may(const struct hdmabuf_timeline_handle *timeline,
			 int event)
{
	int role = timeline->created_here ? HDMABUF_TIMELINE_CREATOR :
					    HDMABUF_TIMELINE_PEER;

	return hdmabuf_timeline_next(role, timeline->state, event) !=
	       HDMABUF_NO_STATE;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* One block for both arrays of pointers; the limits bound it. */
int timelines_init(struct hdmabuf_session *session)
{
	const struct hdmabuf_limits *limits = &session->endpoint->config.limits;
	uint32_t cells = session->channel.cells;

	session->timeline_max = cells;
	session->peer_timeline_max = smaller(cells, limits->max_timelines);
	session->own_timelines = calloc((size_t)session->timeline_max +
						session->peer_timeline_max + 1,
					sizeof(*session->own_timelines));
	if (!session->own_timelines)
		return -ENOMEM;
	session->peer_timelines =
		session->own_timelines + session->timeline_max;
	return 0;
}

static void wait_end(struct hdmabuf_timeline_handle *timeline,
		     struct wait *wait, uint16_t status)
{
	struct hdmabuf_endpoint *endpoint = timeline->session->endpoint;
	uint64_t point = wait->point;

	SLIST_REMOVE(&timeline->waits, wait, wait, entry);
	timeline->wait_count--;
	if (!timeline->wait_count)
		LIST_REMOVE(timeline, waited_entry);
	free(wait);
	if (endpoint->callbacks.reached)
		endpoint->callbacks.reached(endpoint->user, timeline, point,
					    status);
}

static void waits_end(struct hdmabuf_timeline_handle *timeline, uint16_t status)
{
	struct wait *wait;

	while ((wait = SLIST_FIRST(&timeline->waits)))
		wait_end(timeline, wait, status);
}

/* The wait for the lowest point, which is the one to be reported first. */
static struct wait *wait_lowest(struct hdmabuf_timeline_handle *timeline)
{
	struct wait *lowest = NULL;
	struct wait *wait;

	SLIST_FOREACH(wait, &timeline->waits, entry)
		if (!lowest || wait->point < lowest->point)
			lowest = wait;
	return lowest;
}

static void timeline_look(struct hdmabuf_timeline_handle *timeline)
{
	uint64_t point = timeline->point;
	uint16_t status = timeline->status;

	if (timeline->signalled_here ||
	    timeline->state == HDMABUF_TIMELINE_NONE)
		return;
	/* In this order, no point that came before the error is missed. */
	if (!timeline->status)
		timeline->status = hdmabuf_cell_error(timeline->cell);
	timeline->point = hdmabuf_cell_point(timeline->cell, timeline->point);
	if (timeline->status)
		timeline_event(timeline, HDMABUF_TIMELINE_ERROR);
	if (timeline->point != point || timeline->status != status)
		trace_point(timeline);
}

/* Waits that callbacks add have their turn, but not all of them now. */
static void waits_report(struct hdmabuf_timeline_handle *timeline)
{
	uint32_t count = timeline->wait_count;
	struct wait *wait;

	while (count-- && (wait = wait_lowest(timeline))) {
		if (wait->point <= timeline->point)
			wait_end(timeline, wait, HDMABUF_STATUS_OK);
		else if (timeline->status)
			wait_end(timeline, wait, timeline->status);
		else
			return;
	}
}

/* HDB-BOTH-059: ask for the notification, then look again. */
static void waits_run(struct hdmabuf_timeline_handle *timeline)
{
	struct wait *wait;

	timeline_look(timeline);
	waits_report(timeline);
	wait = wait_lowest(timeline);
	if (!wait)
		return;
	timeline->armed = wait->point;
	hdmabuf_cell_arm(timeline->cell, timeline->armed);
	timeline_look(timeline);
	waits_report(timeline);
	/* That was reached meanwhile: for what comes next, no one has asked yet. */
	wait = wait_lowest(timeline);
	if (wait && wait->point != timeline->armed)
		timeline->session->look = true;
}

/* A callback may create and destroy timelines while this goes on. */
void timelines_run(struct hdmabuf_session *session)
{
	uint32_t i;

	for (i = 0; i < session->timeline_max; i++)
		if (session->own_timelines[i] &&
		    !SLIST_EMPTY(&session->own_timelines[i]->waits))
			waits_run(session->own_timelines[i]);
	for (i = 0; i < session->peer_timeline_max; i++)
		if (session->peer_timelines[i] &&
		    !SLIST_EMPTY(&session->peer_timelines[i]->waits))
			waits_run(session->peer_timelines[i]);
}

static bool has_news(const struct hdmabuf_timeline_handle *timeline)
{
	return hdmabuf_cell_error(timeline->cell) ||
	       hdmabuf_cell_point(timeline->cell, timeline->point) >=
		       timeline->armed;
}

/* Of those that are waited for, the first few: the others stay armed. */
bool timelines_have_news(const struct hdmabuf_session *session)
{
	const struct hdmabuf_timeline_handle *timeline;
	unsigned int left = LOOK_TIMELINES;

	LIST_FOREACH(timeline, &session->waited, waited_entry) {
		if (!left--)
			return false;
		if (has_news(timeline))
			return true;
	}
	return false;
}

/* A point that was passed already is one that the signaller does not cross. */
void timelines_hold(struct hdmabuf_session *session)
{
	struct hdmabuf_timeline_handle *timeline;
	unsigned int left = LOOK_TIMELINES;

	LIST_FOREACH(timeline, &session->waited, waited_entry) {
		if (!left--)
			return;
		hdmabuf_cell_arm(timeline->cell, timeline->point);
	}
}

bool timelines_arm(struct hdmabuf_session *session)
{
	struct hdmabuf_timeline_handle *timeline;
	unsigned int left = LOOK_TIMELINES;
	bool any = false;

	LIST_FOREACH(timeline, &session->waited, waited_entry) {
		if (!left--)
			return any;
		hdmabuf_cell_arm(timeline->cell, timeline->armed);
		any |= has_news(timeline);
	}
	return any;
}

static struct hdmabuf_timeline_handle *
timeline_new(struct hdmabuf_session *session, struct hdmabuf_cell *cell,
	     uint32_t number)
{
	struct hdmabuf_timeline_handle *timeline = calloc(1, sizeof(*timeline));

	if (!timeline)
		return NULL;
	timeline->session = session;
	timeline->cell = cell;
	timeline->number = number;
	SLIST_INIT(&timeline->waits);
	return timeline;
}

/* Callbacks may still hold the pointer: freed at the end of dispatch(). */
void timeline_bury(struct hdmabuf_timeline_handle *timeline, uint16_t status)
{
	struct hdmabuf_session *session = timeline->session;
	struct hdmabuf_timeline_handle **place =
		timeline->created_here ?
			&session->own_timelines[timeline->number] :
			&session->peer_timelines[timeline->number];

	waits_end(timeline, status);
	*place = NULL;
	pump_forget(session, NULL, timeline);
	SLIST_INSERT_HEAD(&session->endpoint->timeline_graves, timeline, grave);
}

/* HDB-BOTH-027: every wait ends, before the application hears why. */
void timelines_end_waits(struct hdmabuf_session *session, uint16_t status)
{
	uint32_t i;

	for (i = 0; i < session->timeline_max; i++)
		if (session->own_timelines[i])
			waits_end(session->own_timelines[i], status);
	for (i = 0; i < session->peer_timeline_max; i++)
		if (session->peer_timelines[i])
			waits_end(session->peer_timelines[i], status);
}

void timelines_end(struct hdmabuf_session *session, uint16_t status)
{
	uint32_t i;

	for (i = 0; i < session->timeline_max; i++)
		if (session->own_timelines[i])
			timeline_bury(session->own_timelines[i], status);
	for (i = 0; i < session->peer_timeline_max; i++)
		if (session->peer_timelines[i])
			timeline_bury(session->peer_timelines[i], status);
}

struct hdmabuf_timeline_handle *
timeline_of_peer(const struct hdmabuf_session *session, uint32_t number)
{
	struct hdmabuf_timeline_handle *timeline;

	if (number >= session->peer_timeline_max)
		return NULL;
	timeline = session->peer_timelines[number];
	return timeline && timeline->state != HDMABUF_TIMELINE_NONE ? timeline :
								      NULL;
}

static uint16_t take_fault(struct hdmabuf_fault *fault, uint16_t status,
			   size_t offset, uint64_t value)
{
	return hdmabuf_fault_set(fault, status, HDMABUF_WHERE_REQUEST, offset,
				 value);
}

/* A handle of the peer's is kept for its number: turns may still point to it. */
static struct hdmabuf_timeline_handle *
timeline_place(struct hdmabuf_session *session, uint32_t number)
{
	struct hdmabuf_timeline_handle **place =
		&session->peer_timelines[number];

	if (!*place)
		*place = timeline_new(
			session, session->channel.peer_cells + number, number);
	return *place;
}

/* Its number is in use, or the cell is not as it must be. */
void timeline_judge(const struct hdmabuf_session *session,
		    const struct hdmabuf_request *request,
		    struct hdmabuf_fault *fault)
{
	uint32_t number = request->timeline.number;
	uint64_t point = request->timeline.point;

	if (timeline_of_peer(session, number))
		fault_note(fault, HDMABUF_STATUS_DUPLICATE,
			   HDMABUF_WHERE_REQUEST,
			   offsetof(struct hdmabuf_timeline, timeline), number);
	if (number < session->channel.cells &&
	    !hdmabuf_cell_holds(session->channel.peer_cells + number, point))
		fault_note(fault, HDMABUF_STATUS_INVALID, HDMABUF_WHERE_REQUEST,
			   offsetof(struct hdmabuf_timeline, point), point);
}

uint16_t timeline_take(struct hdmabuf_session *session,
		       const struct hdmabuf_request *request,
		       struct hdmabuf_fault *fault)
{
	uint32_t number = request->timeline.number;
	struct hdmabuf_timeline_handle *timeline;

	if (number >= session->peer_timeline_max)
		return take_fault(fault, HDMABUF_STATUS_LIMIT,
				  offsetof(struct hdmabuf_timeline, timeline),
				  session->peer_timeline_max);
	timeline = timeline_place(session, number);
	if (!timeline)
		return take_fault(fault, HDMABUF_STATUS_NO_MEMORY, 0, 0);
	timeline->signalled_here = request->timeline.signaller ==
				   HDMABUF_SIGNALLER_PEER;
	timeline->point = request->timeline.point;
	timeline->shown = request->timeline.point;
	timeline->named = request->timeline.point;
	timeline->status = HDMABUF_STATUS_OK;
	timeline->life++;
	timeline_event(timeline, HDMABUF_TIMELINE_CREATE);
	return HDMABUF_STATUS_OK;
}

uint16_t timeline_drop(struct hdmabuf_session *session,
		       const struct hdmabuf_request *request,
		       struct hdmabuf_fault *fault)
{
	struct hdmabuf_timeline_handle *timeline =
		timeline_of_peer(session, request->timeline.number);

	if (!timeline)
		return take_fault(fault, HDMABUF_STATUS_NO_SUCH_TIMELINE,
				  offsetof(struct hdmabuf_timeline, timeline),
				  request->timeline.number);
	timeline_event(timeline, HDMABUF_TIMELINE_DESTROY);
	waits_end(timeline, HDMABUF_STATUS_CANCELLED);
	return HDMABUF_STATUS_OK;
}

static void notify_soon(struct hdmabuf_session *session)
{
	session->notify = true;
	session_touch(session);
	if (!session->endpoint->dispatching)
		pump_flush(session);
}

/*
 * Point and error go into the cell. Not before TIMELINE_CREATE is answered: until
 * then, the peer looks for the initial point there (HDB-BOTH-053).
 */
static void timeline_show(struct hdmabuf_timeline_handle *timeline)
{
	uint64_t shown = timeline->shown;
	bool is_moved = timeline->point > shown;
	bool wanted = false;

	if (!timeline->signalled_here ||
	    (timeline->state != HDMABUF_TIMELINE_OPEN &&
	     timeline->state != HDMABUF_TIMELINE_FAILED))
		return;
	if (is_moved)
		wanted = hdmabuf_cell_signal(timeline->cell, shown,
					     timeline->point);
	timeline->shown = timeline->point;
	if (timeline->status && timeline->state == HDMABUF_TIMELINE_OPEN) {
		timeline_event(timeline, HDMABUF_TIMELINE_ERROR);
		hdmabuf_cell_fail(timeline->cell, timeline->status);
		is_moved = true;
		wanted = true;
	}
	if (is_moved)
		trace_point(timeline);
	if (wanted)
		notify_soon(timeline->session);
}

void timeline_created(struct hdmabuf_timeline_handle *timeline,
		      const struct hdmabuf_fault *fault)
{
	if (!fault) {
		timeline_event(timeline, HDMABUF_TIMELINE_ACCEPTED);
		timeline_show(timeline);
		return;
	}
	/* The handle stays the application's; it only never gets anywhere. */
	timeline_event(timeline, HDMABUF_TIMELINE_REFUSED);
	timeline->status = fault->status;
	waits_end(timeline, fault->status);
}

static uint32_t number_free(const struct hdmabuf_session *session)
{
	uint32_t max =
		smaller(session->timeline_max, session->limits.max_timelines);
	uint32_t i;

	for (i = 0; i < max; i++)
		if (!session->own_timelines[i])
			return i;
	return HDMABUF_NO_TIMELINE;
}

int hdmabuf_timeline_create(struct hdmabuf_session *session,
			    enum hdmabuf_signaller signaller, uint64_t point,
			    struct hdmabuf_timeline_handle **result)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_TIMELINE_CREATE,
	};
	struct hdmabuf_timeline_handle *timeline;
	uint32_t number;
	int error;

	if (!session_is_open(session))
		return -ENOTCONN;
	number = number_free(session);
	if (number == HDMABUF_NO_TIMELINE)
		return -EDQUOT;
	timeline = timeline_new(session, session->channel.own_cells + number,
				number);
	if (!timeline)
		return -ENOMEM;
	timeline->created_here = true;
	timeline->signalled_here = signaller == HDMABUF_SIGNALLER_CREATOR;
	timeline->point = point;
	timeline->shown = point;
	timeline->named = point;
	request.timeline.number = number;
	request.timeline.signaller = signaller;
	request.timeline.point = point;
	hdmabuf_cell_init(timeline->cell, point);
	error = request_send(session, &request, NULL, timeline);
	if (error) {
		free(timeline);
		return error;
	}
	timeline_event(timeline, HDMABUF_TIMELINE_CREATE);
	session->own_timelines[number] = timeline;
	*result = timeline;
	return 0;
}

int hdmabuf_timeline_destroy(struct hdmabuf_timeline_handle *timeline)
{
	struct hdmabuf_session *session = timeline->session;
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_TIMELINE_DESTROY,
	};
	int error;

	if (!timeline->created_here || timeline->destroyed)
		return -EINVAL;
	if (!session_is_open(session))
		return -ENOTCONN;
	if (timeline->state == HDMABUF_TIMELINE_NONE) {
		timeline->destroyed = true;
		timeline_bury(timeline, HDMABUF_STATUS_CANCELLED);
		return 0;
	}
	request.timeline.number = timeline->number;
	error = request_send(session, &request, NULL, timeline);
	if (error)
		return error;
	timeline->destroyed = true;
	if (timeline_may(timeline, HDMABUF_TIMELINE_DESTROY))
		timeline_event(timeline, HDMABUF_TIMELINE_DESTROY);
	waits_end(timeline, HDMABUF_STATUS_CANCELLED);
	return 0;
}

struct hdmabuf_timeline_handle *
hdmabuf_timeline_find(struct hdmabuf_session *session, uint32_t number)
{
	return timeline_of_peer(session, number);
}

uint32_t hdmabuf_timeline_number(const struct hdmabuf_timeline_handle *timeline)
{
	return timeline->number;
}

uint64_t hdmabuf_timeline_point(struct hdmabuf_timeline_handle *timeline)
{
	timeline_look(timeline);
	return timeline->point;
}

/* Nothing will come of it any more: it was destroyed, or never was. */
static bool timeline_is_gone(const struct hdmabuf_timeline_handle *timeline)
{
	return timeline->destroyed || timeline->state == HDMABUF_TIMELINE_NONE;
}

int hdmabuf_timeline_signal(struct hdmabuf_timeline_handle *timeline,
			    uint64_t point)
{
	if (!timeline->signalled_here || point <= timeline->point)
		return -EINVAL;
	if (timeline->status || timeline_is_gone(timeline))
		return -EPIPE;
	timeline->point = point;
	timeline_show(timeline);
	return 0;
}

int hdmabuf_timeline_fail(struct hdmabuf_timeline_handle *timeline,
			  uint16_t status)
{
	if (!timeline->signalled_here || !status)
		return -EINVAL;
	if (timeline->status || timeline_is_gone(timeline))
		return -EPIPE;
	timeline->status = status;
	timeline_show(timeline);
	return 0;
}

int hdmabuf_timeline_wait(struct hdmabuf_timeline_handle *timeline,
			  uint64_t point)
{
	struct hdmabuf_session *session = timeline->session;
	struct wait *wait;

	if (timeline->signalled_here)
		return -EINVAL;
	if (timeline_is_gone(timeline) || session->told ||
	    session->state < HDMABUF_SESSION_CONNECTED)
		return -EPIPE;
	wait = calloc(1, sizeof(*wait));
	if (!wait)
		return -ENOMEM;
	wait->point = point;
	SLIST_INSERT_HEAD(&timeline->waits, wait, entry);
	if (!timeline->wait_count)
		LIST_INSERT_HEAD(&session->waited, timeline, waited_entry);
	timeline->wait_count++;
	session->look = true;
	session_touch(session);
	/* Requests that were made before stay where they are: a batch may go on. */
	if (!session->endpoint->dispatching)
		endpoint_wake(session->endpoint);
	return 0;
}

int hdmabuf_turn_done(const struct hdmabuf_turn *turn, uint16_t status)
{
	struct hdmabuf_timeline_handle *timeline = turn->signal;

	if (!timeline || timeline->life != turn->life)
		return 0;
	/* A timeline that has ended already takes no more. */
	if (status)
		hdmabuf_timeline_fail(timeline, status);
	else if (turn->signal_point > timeline->point)
		hdmabuf_timeline_signal(timeline, turn->signal_point);
	return 0;
}
