/* SPDX-License-Identifier: MIT */
/* What can be asked for. Each command looks at all of its words first. */

#include "reference-common/control.h"
#include "reference-common/describe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char no_session[] = "there is no session";
static const char no_buffer[] = "there is no such buffer";
static const char no_timeline[] = "there is no such timeline";
static const char no_memory[] = "out of memory";

/* What became of a call of the library: NULL if it went well. */
static const char *result(int error)
{
	switch (error) {
	case 0:
		return NULL;
	case -EAGAIN:
		return "the ring is full, or a group is under way";
	case -ENOTCONN:
		return "the session or the buffer is gone";
	case -EINVAL:
		return "something is not as it must be";
	case -EACCES:
		return "the rights, or whose turn it is, forbid it";
	case -EOPNOTSUPP:
		return "the feature was not negotiated";
	case -EDQUOT:
		return "a limit of the other end would be exceeded";
	case -EBUSY:
		return "it is lent, or the last update is not answered";
	case -EPIPE:
		return "the timeline has ended";
	default:
		return strerror(-error);
	}
}

/* ---- Buffers of this end ------------------------------------------------- */

static const char *const rights_words[] = { "read-only", "read-write", "lend",
					    NULL };
static const char *const directory_words[] = { "list", "table", "extents",
					       NULL };
static const char *const type_words[] = { "raw", "picture", "cyclic", NULL };
static const char *const attribute_words[] = { "cached", "write-combined",
					       NULL };

static struct hdmabuf_info export_info(struct words *words)
{
	return (struct hdmabuf_info){
		.size = words_need_number(words, "size", UINT64_MAX),
		.data_offset = (uint32_t)words_number_option(words, "offset",
							     UINT32_MAX, 0),
		.rights = words_choice_option(words, "rights", rights_words) +
			  HDMABUF_RIGHTS_READ_ONLY,
		.directory_format = words_choice_option(words, "directory",
							directory_words),
		.type = words_choice_option(words, "type", type_words) +
			HDMABUF_TYPE_RAW,
		.tag = words_number_option(words, "tag", UINT64_MAX, 0),
		.private_octets = (uint32_t)words_number_option(
			words, "private", UINT32_MAX, 0),
		.attributes = words_choice_option(words, "attributes",
						  attribute_words) +
			      HDMABUF_ATTRIBUTE_CACHED,
	};
}

static void describe_row(struct hdmabuf_info *info)
{
	info->picture = (struct hdmabuf_picture_info){
		.width = (uint32_t)(info->size / 4),
		.height = 1,
		.fourcc = PICTURE_XRGB8888,
		.planes = 1,
		.plane_count = 1,
		.plane = { { .stride = (uint32_t)(info->size / 4 * 4) } },
	};
}

static void describe_period(struct hdmabuf_info *info)
{
	info->cyclic = (struct hdmabuf_cyclic_info){
		.channels = 1,
		.rate = 48000,
		.frame_octets = 4,
		.period_octets = (uint32_t)info->size,
		.position_timeline = HDMABUF_NO_TIMELINE,
	};
}

static void fill_data(uint8_t *data, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		data[i] = (uint8_t)(i + i / 256 * 7);
}

/* To be freed; NULL if there is none, or no memory. */
static uint8_t *make_private(uint32_t octets)
{
	uint8_t *data = octets ? malloc(octets) : NULL;

	for (uint32_t i = 0; data && i < octets; i++)
		data[i] = (uint8_t)i;
	return data;
}

/* Before anything is allocated for it. */
static int check_limits(const struct control_session *session,
			const struct hdmabuf_info *info)
{
	const struct hdmabuf_limits *limits =
		hdmabuf_session_limits(session->handle);

	if (hdmabuf_info_features(info, info->directory_format) &
	    ~hdmabuf_session_features(session->handle))
		return -EOPNOTSUPP;
	if (info->size > limits->max_octets ||
	    info->data_offset > limits->max_octets ||
	    info->private_octets > limits->max_private)
		return -EDQUOT;
	return 0;
}

static int export_filled(struct control_buffer *buffer,
			 const struct hdmabuf_info *info)
{
	struct hdmabuf_session *session = buffer->session->handle;
	uint8_t *data;
	int error = hdmabuf_session_alloc(session,
					  info->data_offset + info->size,
					  info->rights, &buffer->memory);

	if (error)
		return error;
	data = buffer->memory.address;
	fill_data(data + info->data_offset, info->size);
	return hdmabuf_export(session, &buffer->memory, info, buffer,
			      &buffer->handle);
}

static const char *export_named(struct control_session *session,
				const char *name, struct hdmabuf_info *info)
{
	int error = check_limits(session, info);
	struct control_buffer *buffer;
	uint8_t *private_data;

	if (error)
		return result(error);
	private_data = make_private(info->private_octets);
	info->private_data = private_data;
	buffer = buffer_add(session, name, false);
	error = buffer ? export_filled(buffer, info) : -ENOMEM;
	if (buffer && error)
		buffer_remove(buffer);
	free(private_data);
	return result(error);
}

static const char *run_export(struct control *control, struct words *words)
{
	struct control_session *session = control_session(control);
	const char *name = words_next(words);
	struct hdmabuf_info info = export_info(words);
	const char *why = words_end(words);

	if (why)
		return why;
	if (!session)
		return no_session;
	if (!name_is_valid(name) || buffer_is_known(session, name))
		return "the name is taken, or none";
	if (info.type == HDMABUF_TYPE_PICTURE)
		describe_row(&info);
	if (info.type == HDMABUF_TYPE_CYCLIC)
		describe_period(&info);
	return export_named(session, name, &info);
}

static const char *run_update(struct control *control, struct words *words)
{
	const char *name = words_next(words);
	struct control_buffer *buffer = buffer_find(control, name);
	struct hdmabuf_info info = { 0 };
	const char *why;
	uint8_t *data;
	int error;

	if (buffer)
		info = *hdmabuf_buffer_info(buffer->handle);
	info.tag = words_number_option(words, "tag", UINT64_MAX, info.tag);
	info.private_octets = (uint32_t)words_number_option(
		words, "private", UINT32_MAX, info.private_octets);
	why = words_end(words);
	if (why)
		return why;
	if (!buffer)
		return no_buffer;
	error = check_limits(buffer->session, &info);
	if (error)
		return result(error);
	data = make_private(info.private_octets);
	info.private_data = data;
	error = hdmabuf_update(buffer->handle, &info);
	free(data);
	return result(error);
}

static const char *run_unexport(struct control *control, struct words *words)
{
	struct control_buffer *buffer = buffer_find(control, words_next(words));
	uint32_t grace =
		(uint32_t)words_number_option(words, "grace", UINT32_MAX, 0);
	const char *why = words_end(words);
	int error;

	if (why)
		return why;
	if (!buffer)
		return no_buffer;
	error = hdmabuf_unexport(buffer->handle, grace);
	if (!error)
		turns_drop_waiting(buffer->session, buffer);
	return result(error);
}

/* ---- Buffers of either end ----------------------------------------------- */

/* "TIMELINE@POINT" */
static const char *find_point(const struct control_session *session, char *text,
			      struct words *words,
			      struct hdmabuf_timeline_handle **timeline,
			      uint64_t *point)
{
	char *at = strchr(text, '@');

	if (!at)
		return "a point has the form TIMELINE@POINT";
	*at = '\0';
	*point = words_number(words, at + 1, UINT64_MAX);
	*timeline = timeline_find(session, text);
	return *timeline ? NULL : no_timeline;
}

static const char *find_points(const struct control_session *session,
			       struct words *words, char *wait, char *signal,
			       struct hdmabuf_turn *turn)
{
	const char *why = NULL;

	if (wait)
		why = find_point(session, wait, words, &turn->wait,
				 &turn->wait_point);
	if (signal && !why)
		why = find_point(session, signal, words, &turn->signal,
				 &turn->signal_point);
	return why ? why : words_end(words);
}

static bool is_lent(const struct control_buffer *buffer)
{
	return hdmabuf_buffer_info(buffer->handle)->rights ==
	       HDMABUF_RIGHTS_LEND;
}

/* Who hands a lent buffer on has finished with it. */
static const char *pass_on(struct control_buffer *buffer,
			   const struct hdmabuf_turn *turn, bool more)
{
	int error = hdmabuf_hand_off(turn, more);

	if (error)
		return result(error);
	buffer->session->group_open = more;
	if (!is_lent(buffer))
		return NULL;
	buffer->held = false;
	buffer->back_due = false;
	turns_drop(buffer->session, buffer);
	return NULL;
}

static const char *run_hand_off(struct control *control, struct words *words)
{
	struct control_buffer *buffer = buffer_find(control, words_next(words));
	char *wait = (char *)words_option(words, "wait");
	char *signal = (char *)words_option(words, "signal");
	struct hdmabuf_turn turn = {
		.stamp = words_number_option(words, "stamp", UINT64_MAX, 0),
	};
	bool more = words_flag(words, "more");
	const char *why = words_end(words);

	if (why)
		return why;
	if (!buffer)
		return no_buffer;
	turn.buffer = buffer->handle;
	why = find_points(buffer->session, words, wait, signal, &turn);
	return why ? why : pass_on(buffer, &turn, more);
}

static const char *run_query(struct control *control, struct words *words)
{
	struct control_buffer *buffer = buffer_find(control, words_next(words));
	const char *why = words_end(words);

	if (why)
		return why;
	return buffer ? result(hdmabuf_buffer_query(buffer->handle)) :
			no_buffer;
}

static const char *cpu_access(struct control *control, struct words *words,
			      bool begin)
{
	static const char *const accesses[] = { "read", "write", "both", NULL };
	struct control_buffer *buffer = buffer_find(control, words_next(words));
	uint64_t offset = words_need_number(words, "offset", UINT64_MAX);
	uint64_t octets = words_need_number(words, "octets", UINT64_MAX);
	uint32_t access = words_need_choice(words, "access", accesses) +
			  HDMABUF_ACCESS_READ;
	const char *why = words_end(words);

	if (why)
		return why;
	if (!buffer)
		return no_buffer;
	return result(hdmabuf_buffer_cpu_access(buffer->handle, begin, offset,
						octets, access));
}

static const char *run_cpu_begin(struct control *control, struct words *words)
{
	return cpu_access(control, words, true);
}

static const char *run_cpu_end(struct control *control, struct words *words)
{
	return cpu_access(control, words, false);
}

static bool may_write(const struct control_buffer *buffer)
{
	int state = hdmabuf_buffer_state(buffer->handle);

	if (!buffer->imported)
		return state == HDMABUF_BUFFER_EXPORTING ||
		       state == HDMABUF_BUFFER_LIVE;
	if (!hdmabuf_buffer_data(buffer->handle))
		return false;
	if (is_lent(buffer))
		return buffer->held && !turns_wait_for(buffer->session, buffer);
	return hdmabuf_buffer_info(buffer->handle)->rights ==
	       HDMABUF_RIGHTS_READ_WRITE;
}

static const char *run_fill(struct control *control, struct words *words)
{
	struct control_buffer *buffer = buffer_find(control, words_next(words));
	uint64_t octet = words_number(words, words_next(words), UINT8_MAX);
	const char *why = words_end(words);

	if (why)
		return why;
	if (!buffer)
		return no_buffer;
	if (!may_write(buffer))
		return "it is not mapped, or not to be written by this end";
	memset(hdmabuf_buffer_data(buffer->handle), (int)octet,
	       hdmabuf_buffer_info(buffer->handle)->size);
	return NULL;
}

/* ---- Buffers of the other end -------------------------------------------- */

static const char *find_import(struct control *control, struct words *words,
			       struct control_buffer **buffer)
{
	const char *name = words_next(words);
	const char *why = words_end(words);

	if (why)
		return why;
	*buffer = buffer_find(control, name);
	if (!*buffer)
		return no_buffer;
	return (*buffer)->imported ? NULL : "it is not the other end's";
}

static const char *run_map(struct control *control, struct words *words)
{
	struct control_buffer *buffer;
	const char *why = find_import(control, words, &buffer);
	void *data;

	return why ? why : result(hdmabuf_buffer_map(buffer->handle, &data));
}

static const char *run_unmap(struct control *control, struct words *words)
{
	struct control_buffer *buffer;
	const char *why = find_import(control, words, &buffer);

	if (why)
		return why;
	if (!hdmabuf_buffer_data(buffer->handle))
		return "it is not mapped";
	if (buffer->retired)
		buffer_release(buffer);
	else
		hdmabuf_buffer_unmap(buffer->handle);
	return NULL;
}

static const char *run_release(struct control *control, struct words *words)
{
	struct control_buffer *buffer;
	const char *why = find_import(control, words, &buffer);

	if (!why)
		buffer_release(buffer);
	return why;
}

static const char *run_allocate(struct control *control, struct words *words)
{
	struct control_session *session = control_session(control);
	struct hdmabuf_allocate_body wish = {
		.size = words_number_option(words, "size", UINT64_MAX, 0),
		.width = (uint32_t)words_number_option(words, "width",
						       UINT32_MAX, 0),
		.height = (uint32_t)words_number_option(words, "height",
							UINT32_MAX, 0),
		.fourcc = (uint32_t)words_number_option(words, "fourcc",
							UINT32_MAX, 0),
		.tag = words_number_option(words, "tag", UINT64_MAX, 0),
		.rights = words_choice_option(words, "rights", rights_words) +
			  HDMABUF_RIGHTS_READ_ONLY,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
	};
	const char *why = words_end(words);

	if (why)
		return why;
	if (!session)
		return no_session;
	return result(hdmabuf_session_allocate(session->handle, &wish));
}

/* ---- Timelines ----------------------------------------------------------- */

static const char *run_timeline(struct control *control, struct words *words)
{
	static const char *const signallers[] = { "creator", "peer", NULL };
	struct control_session *session = control_session(control);
	const char *name = words_next(words);
	unsigned int signaller =
		words_need_choice(words, "signaller", signallers) +
		HDMABUF_SIGNALLER_CREATOR;
	uint64_t point = words_number_option(words, "point", UINT64_MAX, 0);
	const char *why = words_end(words);
	struct control_timeline *timeline;
	int error;

	if (why)
		return why;
	if (!session)
		return no_session;
	if (!name_is_valid(name) || timeline_find(session, name))
		return "the name is taken, or none";
	timeline = timeline_add(session, name);
	if (!timeline)
		return no_memory;
	error = hdmabuf_timeline_create(session->handle,
					(enum hdmabuf_signaller)signaller,
					point, &timeline->handle);
	if (error)
		timeline_remove(timeline);
	return result(error);
}

/* In the newest session that has it. */
static struct hdmabuf_timeline_handle *
find_timeline(const struct control *control, const char *name,
	      struct control_session **session)
{
	struct hdmabuf_timeline_handle *timeline;

	LIST_FOREACH(*session, &control->sessions, entry) {
		timeline = timeline_find(*session, name);
		if (timeline)
			return timeline;
	}
	return NULL;
}

static const char *run_signal(struct control *control, struct words *words)
{
	struct control_session *session;
	struct hdmabuf_timeline_handle *timeline =
		find_timeline(control, words_next(words), &session);
	uint64_t point = words_number(words, words_next(words), UINT64_MAX);
	const char *why = words_end(words);

	if (why)
		return why;
	return timeline ? result(hdmabuf_timeline_signal(timeline, point)) :
			  no_timeline;
}

static const char *run_fail(struct control *control, struct words *words)
{
	struct control_session *session;
	struct hdmabuf_timeline_handle *timeline =
		find_timeline(control, words_next(words), &session);
	uint64_t status = words_number(words, words_next(words), UINT16_MAX);
	const char *why = words_end(words);

	if (why)
		return why;
	return timeline ? result(hdmabuf_timeline_fail(timeline,
						       (uint16_t)status)) :
			  no_timeline;
}

static const char *run_wait(struct control *control, struct words *words)
{
	const char *name = words_next(words);
	struct control_session *session;
	struct hdmabuf_timeline_handle *timeline =
		find_timeline(control, name, &session);
	uint64_t point = words_number(words, words_next(words), UINT64_MAX);
	const char *why = words_end(words);
	struct control_wait *wait;
	int error;

	if (why)
		return why;
	if (!timeline)
		return no_timeline;
	wait = calloc(1, sizeof(*wait));
	if (!wait)
		return no_memory;
	wait->handle = timeline;
	wait->point = point;
	snprintf(wait->name, sizeof(wait->name), "%s", name);
	error = hdmabuf_timeline_wait(timeline, point);
	if (error)
		free(wait);
	else
		LIST_INSERT_HEAD(&session->waits, wait, entry);
	return result(error);
}

static struct control_timeline *find_own(const struct control *control,
					 const char *name)
{
	const struct control_session *session;
	struct control_timeline *timeline;

	LIST_FOREACH(session, &control->sessions, entry)
		LIST_FOREACH(timeline, &session->timelines, entry)
			if (!strcmp(timeline->name, name))
				return timeline;
	return NULL;
}

static const char *run_destroy(struct control *control, struct words *words)
{
	struct control_timeline *timeline =
		find_own(control, words_next(words));
	const char *why = words_end(words);
	int error;

	if (why)
		return why;
	if (!timeline)
		return no_timeline;
	error = hdmabuf_timeline_destroy(timeline->handle);
	if (!error)
		timeline_remove(timeline);
	return result(error);
}

/* ---- The session --------------------------------------------------------- */

static int digit_value(char digit)
{
	const char *digits = "0123456789abcdef";
	const char *place = digit ? strchr(digits, digit) : NULL;

	return place ? (int)(place - digits) : -1;
}

static bool parse_hex(const char *text, uint8_t *octets, size_t count)
{
	if (strlen(text) != 2 * count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int high = digit_value(text[2 * i]);
		int low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		octets[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static const char *run_echo(struct control *control, struct words *words)
{
	struct control_session *session = control_session(control);
	const char *hex = words_next(words);
	const char *why = words_end(words);
	uint8_t octets[56];

	if (why)
		return why;
	if (!session)
		return no_session;
	if (!parse_hex(hex, octets, sizeof(octets)))
		return "56 octets are 112 digits, 0 to 9 and a to f";
	return result(hdmabuf_session_echo(session->handle, octets));
}

static const char *run_close(struct control *control, struct words *words)
{
	struct control_session *session = control_session(control);
	const char *word = words_may_next(words);
	uint64_t reason =
		word ? words_number(words, word, HDMABUF_REASON_FAULT) :
		       HDMABUF_REASON_DONE;
	const char *why = words_end(words);
	int error;

	if (why)
		return why;
	if (!reason)
		return "there is no such reason";
	if (!session)
		return no_session;
	error = hdmabuf_session_close(session->handle,
				      (enum hdmabuf_reason)reason);
	session->closing = !error;
	return result(error);
}

/* ---- How to behave ------------------------------------------------------- */

static const char *switch_mode(struct words *words, bool *mode)
{
	static const char *const modes[] = { "off", "on", NULL };
	bool on = words_choice(words, words_next(words), modes);
	const char *why = words_end(words);

	if (!why)
		*mode = on;
	return why;
}

static const char *run_keep(struct control *control, struct words *words)
{
	return switch_mode(words, &control->keep);
}

static const char *run_hold(struct control *control, struct words *words)
{
	return switch_mode(words, &control->hold);
}

static const char *run_reject(struct control *control, struct words *words)
{
	uint64_t status = words_number(words, words_next(words), UINT16_MAX);
	const char *why = words_end(words);

	if (!why)
		control->reject = (uint16_t)status;
	return why;
}

/* ---- All of them --------------------------------------------------------- */

static const struct command {
	const char *name;
	/* Returns NULL if it is done, words_unsupported, or why it is not. */
	const char *(*run)(struct control *control, struct words *words);
} commands[] = {
	{ "export", run_export },     { "update", run_update },
	{ "hand-off", run_hand_off }, { "unexport", run_unexport },
	{ "query", run_query },	      { "cpu-begin", run_cpu_begin },
	{ "cpu-end", run_cpu_end },   { "allocate", run_allocate },
	{ "timeline", run_timeline }, { "signal", run_signal },
	{ "fail", run_fail },	      { "wait", run_wait },
	{ "destroy", run_destroy },   { "echo", run_echo },
	{ "fill", run_fill },	      { "map", run_map },
	{ "unmap", run_unmap },	      { "release", run_release },
	{ "keep", run_keep },	      { "hold", run_hold },
	{ "reject", run_reject },     { "close", run_close },
};

static const char *run(struct control *control, struct words *words)
{
	const char *name = words_next(words);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run(control, words);
	return words_unsupported;
}

void command_run(struct control *control, char *line)
{
	struct words words;
	const char *why;

	words_split(&words, line);
	why = run(control, &words);
	if (!why)
		lines_say("ok");
	else if (why == words_unsupported)
		lines_say("unsupported");
	else
		lines_say("no %s", why);
}
