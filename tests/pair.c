/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/fake_xen.h"
#include "tests/pair.h"

const uint32_t pair_ring_formats[] = { HDMABUF_RING_FORMAT_0,
				       HDMABUF_RING_FORMAT_1 };

/* So many things may happen at once, and then a test is taken to hang. */
#define ROUNDS_MAX 5000
/* What is waited for comes sooner, or will not come at all. */
#define PATIENCE_MS 8000

/* ---- callbacks ---------------------------------------------------------- */

static void on_log(void *user, enum hdmabuf_log_level level, const char *line)
{
	struct end *end = user;

	if (getenv("HDMABUF_TEST_LOG"))
		fprintf(stderr, "%p %d %s\n", user, level, line);
	/* What the library says when its own states do not fit together. */
	assert_null(strstr(line, "cannot happen"));
	if (level == HDMABUF_LOG_ERROR) {
		end->seen.errors++;
		snprintf(end->seen.error, sizeof(end->seen.error), "%s", line);
	}
	if (end->hooks.log)
		end->hooks.log(end, level, line);
}

static void on_connected(void *user, struct hdmabuf_session *session)
{
	struct end *end = user;

	end->session = session;
	end->seen.connected++;
	if (end->hooks.connected)
		end->hooks.connected(end, session);
}

static void on_disconnected(void *user, struct hdmabuf_session *session,
			    uint16_t status, const char *why)
{
	struct end *end = user;

	end->seen.disconnected++;
	end->seen.status = status;
	snprintf(end->seen.why, sizeof(end->seen.why), "%s", why);
	if (end->hooks.disconnected)
		end->hooks.disconnected(end, session, status, why);
	if (end->session == session)
		end->session = NULL;
}

static uint16_t on_imported(void *user, struct hdmabuf_buffer *buffer)
{
	struct end *end = user;
	void *data;

	end->seen.imported++;
	end->seen.buffer = buffer;
	if (end->hooks.imported)
		return end->hooks.imported(end, buffer);
	if (end->policy.map && hdmabuf_buffer_map(buffer, &data))
		return HDMABUF_STATUS_NO_MEMORY;
	return end->policy.import_status;
}

static uint16_t on_updated(void *user, struct hdmabuf_buffer *buffer,
			   const struct hdmabuf_info *info)
{
	struct end *end = user;

	end->seen.updated++;
	if (end->hooks.updated)
		return end->hooks.updated(end, buffer, info);
	return HDMABUF_STATUS_OK;
}

static void on_handed_off(void *user, struct hdmabuf_session *session,
			  const struct hdmabuf_turn *turns, size_t count)
{
	struct end *end = user;
	size_t i;

	assert_in_range(count, 1, JOURNAL_TURNS);
	end->seen.handed_off++;
	end->seen.turn_count = count;
	memcpy(end->seen.turns, turns, count * sizeof(*turns));
	if (end->hooks.handed_off)
		end->hooks.handed_off(end, session, turns, count);
	for (i = 0; i < count && !end->policy.hold; i++)
		hdmabuf_turn_done(&turns[i], HDMABUF_STATUS_OK);
}

static void on_retire(void *user, struct hdmabuf_buffer *buffer,
		      uint32_t grace_ms)
{
	struct end *end = user;

	end->seen.retired++;
	end->seen.grace_ms = grace_ms;
	if (end->hooks.retire)
		end->hooks.retire(end, buffer, grace_ms);
	else if (!end->policy.keep)
		hdmabuf_buffer_release(buffer);
}

static uint16_t on_allocate(void *user, struct hdmabuf_session *session,
			    const struct hdmabuf_allocate_body *wish,
			    struct hdmabuf_memory *memory,
			    struct hdmabuf_info *info, void **buffer_user)
{
	struct end *end = user;

	end->seen.allocates++;
	end->seen.wish = *wish;
	if (end->hooks.allocate)
		return end->hooks.allocate(end, session, wish, memory, info,
					   buffer_user);
	if (end->policy.allocate_status)
		return end->policy.allocate_status;
	if (hdmabuf_session_alloc(session, (size_t)wish->size, wish->rights,
				  memory))
		return HDMABUF_STATUS_NO_MEMORY;
	*info = (struct hdmabuf_info){
		.size = wish->size,
		.rights = wish->rights,
		.attributes = wish->attributes,
		.tag = wish->tag,
		.type = HDMABUF_TYPE_RAW,
	};
	*buffer_user = end;
	return HDMABUF_STATUS_OK;
}

static uint16_t on_cpu_access(void *user, struct hdmabuf_buffer *buffer,
			      bool begin, uint64_t offset, uint64_t octets,
			      uint32_t access)
{
	struct end *end = user;

	end->seen.cpu_accesses++;
	end->seen.cpu_begin = begin;
	end->seen.cpu_offset = offset;
	end->seen.cpu_octets = octets;
	end->seen.cpu_access = access;
	if (end->hooks.cpu_access)
		return end->hooks.cpu_access(end, buffer, begin, offset, octets,
					     access);
	return end->policy.cpu_status;
}

static void on_exported(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct end *end = user;

	end->seen.exported++;
	if (fault) {
		end->seen.exports_refused++;
		end->seen.fault = *fault;
	}
	if (end->hooks.exported)
		end->hooks.exported(end, buffer, fault);
}

static void on_allocated(void *user, struct hdmabuf_session *session,
			 const struct hdmabuf_id *id,
			 const struct hdmabuf_fault *fault)
{
	struct end *end = user;

	end->seen.allocated++;
	end->seen.fault = fault ? *fault : (struct hdmabuf_fault){ 0 };
	if (!fault)
		end->seen.allocated_id = *id;
	if (end->hooks.allocated)
		end->hooks.allocated(end, session, id, fault);
}

static void on_queried(void *user, struct hdmabuf_buffer *buffer,
		       const struct hdmabuf_query_body *answer,
		       const struct hdmabuf_fault *fault)
{
	struct end *end = user;

	end->seen.queried++;
	end->seen.fault = fault ? *fault : (struct hdmabuf_fault){ 0 };
	if (!fault)
		end->seen.query = *answer;
	if (end->hooks.queried)
		end->hooks.queried(end, buffer, answer, fault);
}

static void on_echoed(void *user, struct hdmabuf_session *session,
		      const uint8_t *octets, const struct hdmabuf_fault *fault)
{
	struct end *end = user;

	end->seen.echoed++;
	end->seen.fault = fault ? *fault : (struct hdmabuf_fault){ 0 };
	if (!fault)
		memcpy(end->seen.echo, octets, sizeof(end->seen.echo));
	if (end->hooks.echoed)
		end->hooks.echoed(end, session, octets, fault);
}

static void on_answered(void *user, struct hdmabuf_session *session,
			uint16_t operation, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct end *end = user;

	end->seen.answered++;
	end->seen.answered_operation = operation;
	end->seen.answered_buffer = buffer;
	if (fault) {
		end->seen.refused++;
		end->seen.fault = *fault;
	}
	if (end->hooks.answered)
		end->hooks.answered(end, session, operation, buffer, fault);
}

static void on_quarantined(void *user, struct hdmabuf_buffer *buffer)
{
	struct end *end = user;

	end->seen.quarantined++;
	if (end->hooks.quarantined)
		end->hooks.quarantined(end, buffer);
}

static void on_released(void *user, struct hdmabuf_buffer *buffer)
{
	struct end *end = user;

	end->seen.released++;
	end->seen.released_buffer = buffer;
	if (end->hooks.released)
		end->hooks.released(end, buffer);
}

static void on_reached(void *user, struct hdmabuf_timeline_handle *timeline,
		       uint64_t point, uint16_t status)
{
	struct end *end = user;

	end->seen.reached++;
	end->seen.reached_point = point;
	end->seen.reached_status = status;
	if (end->hooks.reached)
		end->hooks.reached(end, timeline, point, status);
}

static const struct hdmabuf_callbacks callbacks = {
	.log = on_log,
	.connected = on_connected,
	.disconnected = on_disconnected,
	.imported = on_imported,
	.updated = on_updated,
	.handed_off = on_handed_off,
	.retire = on_retire,
	.allocate = on_allocate,
	.cpu_access = on_cpu_access,
	.exported = on_exported,
	.allocated = on_allocated,
	.queried = on_queried,
	.echoed = on_echoed,
	.answered = on_answered,
	.quarantined = on_quarantined,
	.released = on_released,
	.reached = on_reached,
};

static void on_trace(void *user, const struct hdmabuf_trace_event *event)
{
	struct end *end = user;

	end->hooks.trace(end, event);
}

/* ---- time --------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t patience(void)
{
	return now_ms() + PATIENCE_MS;
}

int patience_left(uint64_t deadline)
{
	uint64_t now = now_ms();

	return now < deadline ? (int)(deadline - now) : 0;
}

/* ---- ends --------------------------------------------------------------- */

void end_open(struct end *end, struct hdmabuf_platform platform,
	      enum hdmabuf_role role, const struct hdmabuf_config *config)
{
	struct hdmabuf_callbacks wanted = callbacks;

	/* What a trace costs is paid only where there is one. */
	if (end->hooks.trace)
		wanted.trace = on_trace;
	end->session = NULL;
	end->endpoint = NULL;
	memset(&end->seen, 0, sizeof(end->seen));
	assert_int_equal(hdmabuf_endpoint_new(platform, role, config, &wanted,
					      end, &end->endpoint),
			 0);
}

void end_close(struct end *end)
{
	hdmabuf_endpoint_close(end->endpoint);
	end->endpoint = NULL;
	assert_null(end->session);
}

bool end_is_ready(const struct end *end, int timeout_ms)
{
	struct pollfd fd = { .events = POLLIN };

	if (!end->endpoint)
		return false;
	fd.fd = hdmabuf_endpoint_fd(end->endpoint);
	return poll(&fd, 1, timeout_ms) > 0;
}

void end_dispatch(struct end *end)
{
	assert_int_equal(hdmabuf_endpoint_dispatch(end->endpoint), 0);
}

/* ---- pairs -------------------------------------------------------------- */

#ifdef HDMABUF_HAVE_XEN
static bool is_on_xen(void)
{
	const char *name = getenv("HDMABUF_TEST_PLATFORM");

	return name && !strcmp(name, "xen");
}

static void open_xen(uint32_t domain, const char *address,
		     enum hdmabuf_role role, struct hdmabuf_platform *platform)
{
	char error[256] = "";

	fake_xen_enter(domain);
	if (hdmabuf_platform_open(address, role, platform, error,
				  sizeof(error)))
		fail_msg("%s", error);
}

static void start_xen(void)
{
	fake_xen_start();
	fake_xen_create_domain(1);
	fake_xen_limit(0, SIZE_MAX / 2);
	fake_xen_limit(1, SIZE_MAX / 2);
}

/* Those that both ends have left, in order. */
static void detach_closed(uint32_t count)
{
	uint32_t i;

	for (i = 1; i <= count; i++)
		if (*fake_xen_node("/local/domain/1/device/hdmabuf/%u/state",
				   i) == '6' &&
		    *fake_xen_node("/local/domain/0/backend/hdmabuf/1/%u/state",
				   i) == '6')
			fake_xen_detach(1, 0, i);
}

/* There is one Xen in a process; each pair has a device of its own. */
static void open_xen_pair(struct hdmabuf_platform *platforms)
{
	static uint32_t device;
	char address[32];

	if (!device)
		start_xen();
	detach_closed(device);
	fake_xen_attach(1, 0, ++device);
	snprintf(address, sizeof(address), "xen:%u", device);
	open_xen(1, address, HDMABUF_FRONTEND, &platforms[0]);
	snprintf(address, sizeof(address), "xen:1/%u", device);
	open_xen(0, address, HDMABUF_BACKEND, &platforms[1]);
}
#else
static bool is_on_xen(void)
{
	return false;
}

static void open_xen_pair(struct hdmabuf_platform *platforms)
{
	(void)platforms;
}
#endif

void pair_open(struct pair *pair, const struct hdmabuf_config *front,
	       const struct hdmabuf_config *back)
{
	struct hdmabuf_platform platforms[2];

	if (is_on_xen())
		open_xen_pair(platforms);
	else
		assert_int_equal(
			hdmabuf_local_pair(&platforms[0], &platforms[1]), 0);
	end_open(&pair->front, platforms[0], HDMABUF_FRONTEND, front);
	end_open(&pair->back, platforms[1], HDMABUF_BACKEND, back);
}

void pair_close(struct pair *pair)
{
	end_close(&pair->front);
	end_close(&pair->back);
}

static void flush(struct end *end)
{
	if (end->endpoint)
		hdmabuf_endpoint_flush(end->endpoint);
}

bool pair_step(struct pair *pair, int timeout_ms)
{
	struct end *ends[] = { &pair->front, &pair->back };
	struct pollfd fds[2];
	bool any = false;
	int i;

	for (i = 0; i < 2; i++) {
		flush(ends[i]);
		fds[i].fd = ends[i]->endpoint ?
				    hdmabuf_endpoint_fd(ends[i]->endpoint) :
				    -1;
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	if (poll(fds, 2, timeout_ms) <= 0)
		return false;
	for (i = 0; i < 2; i++) {
		if (!fds[i].revents)
			continue;
		end_dispatch(ends[i]);
		any = true;
	}
	return any;
}

void pair_run(struct pair *pair)
{
	unsigned int rounds = 0;

	while (pair_step(pair, 0))
		assert_in_range(rounds++, 0, ROUNDS_MAX);
}

void pair_wait(struct pair *pair, const unsigned int *counter,
	       unsigned int value)
{
	uint64_t deadline = patience();

	while (*counter < value && patience_left(deadline))
		pair_step(pair, patience_left(deadline));
	assert_in_range(*counter, value, UINT32_MAX);
}

void pair_connect(struct pair *pair, const struct hdmabuf_config *front,
		  const struct hdmabuf_config *back)
{
	pair_open(pair, front, back);
	pair_wait(pair, &pair->front.seen.connected, 1);
	pair_wait(pair, &pair->back.seen.connected, 1);
	pair_run(pair);
}

static void echo(struct pair *pair, struct end *end)
{
	unsigned int before = end->seen.echoed;
	uint8_t octets[56];
	size_t i;

	assert_non_null(end->session);
	for (i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(before + i + 1);
	assert_int_equal(hdmabuf_session_echo(end->session, octets), 0);
	pair_wait(pair, &end->seen.echoed, before + 1);
	assert_memory_equal(end->seen.echo, octets, sizeof(octets));
}

void pair_check(struct pair *pair)
{
	echo(pair, &pair->front);
	echo(pair, &pair->back);
}

struct end *pair_other(struct pair *pair, const struct end *end)
{
	return end == &pair->front ? &pair->back : &pair->front;
}

/* ---- samples ------------------------------------------------------------ */

uint8_t sample_octet(uint64_t offset)
{
	return (uint8_t)(offset * 31 + (offset >> 12) * 7 + 1);
}

static void fill(uint8_t *data, uint64_t size)
{
	uint64_t i;

	for (i = 0; i < size; i++)
		data[i] = sample_octet(i);
}

bool sample_is_at(const void *data, uint64_t size)
{
	const uint8_t *octets = data;
	uint64_t i;

	for (i = 0; i < size; i++)
		if (octets[i] != sample_octet(i))
			return false;
	return true;
}

void sample_make(struct sample *sample, struct end *end, uint64_t size,
		 uint32_t rights)
{
	memset(sample, 0, sizeof(*sample));
	assert_int_equal(hdmabuf_session_alloc(end->session, (size_t)size,
					       rights, &sample->memory),
			 0);
	fill(sample->memory.address, size);
	sample->info = (struct hdmabuf_info){
		.size = size,
		.rights = rights,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.directory_format = HDMABUF_DIRECTORY_EXTENTS,
		.type = HDMABUF_TYPE_RAW,
	};
}

void sample_free(struct sample *sample)
{
	hdmabuf_memory_free(&sample->memory);
}

int sample_export(struct sample *sample, struct end *end)
{
	return hdmabuf_export(end->session, &sample->memory, &sample->info,
			      sample, &sample->buffer);
}

struct hdmabuf_buffer *pair_share(struct pair *pair, struct end *from,
				  struct sample *sample, uint64_t size,
				  uint32_t rights)
{
	struct end *to = pair_other(pair, from);
	unsigned int exported = from->seen.exported;
	unsigned int refused = from->seen.exports_refused;
	unsigned int imported = to->seen.imported;

	sample_make(sample, from, size, rights);
	assert_int_equal(sample_export(sample, from), 0);
	pair_wait(pair, &from->seen.exported, exported + 1);
	assert_int_equal(from->seen.exports_refused, refused);
	assert_int_equal(to->seen.imported, imported + 1);
	return to->seen.buffer;
}

void pair_unshare(struct pair *pair, struct end *from, struct sample *sample)
{
	unsigned int released = from->seen.released;

	assert_int_equal(hdmabuf_unexport(sample->buffer, 100), 0);
	pair_wait(pair, &from->seen.released, released + 1);
	sample_free(sample);
}

int pair_hand_off(struct hdmabuf_buffer *buffer,
		  struct hdmabuf_timeline_handle *wait, uint64_t wait_point,
		  struct hdmabuf_timeline_handle *signal, uint64_t signal_point,
		  uint64_t stamp, bool more)
{
	struct hdmabuf_turn turn = {
		.buffer = buffer,
		.wait = wait,
		.wait_point = wait_point,
		.signal = signal,
		.signal_point = signal_point,
		.stamp = stamp,
	};

	return hdmabuf_hand_off(&turn, more);
}
