/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: an endpoint, its application, and a hostile peer. The input says which
 * role the endpoint has and which format the rings, and then step by step what the peer
 * writes into records, rings, channel, descriptors, directories and cells, what the
 * application asks for, and how time passes. Some of what the peer does happens while
 * the library is at work.
 *
 * Whatever the script: no quota is exceeded, every request is reported once, everything
 * is given back, and a peer that behaves afterwards gets a session that works.
 */
#include "assurance/fuzz/common/hostile.h"

#include <hdmabuf/ring.h>
#include <hdmabuf/session.h>

#define MAX_PAGES     24
#define MAX_BUFFERS   3
#define MAX_TIMELINES 4
#define MAX_IN_FLIGHT 4
#define CHANNEL_PAGES 5
#define SLOTS	      32u

/* Where the peer has what, among its pages. */
#define CHANNEL 1
#define BUFFERS 8 /* of each, descriptor and directory */
#define DATA	16

#define SAMPLES	  4
#define LATER	  8
#define PENDING	  64
#define TIMELINES 8

/* What the application does in callbacks, a bit each. */
enum policy {
	MAP = 1,
	REFUSE = 2,
	RELEASE_AT_ONCE = 4,
	HOLD = 8,
	KEEP = 16,
	CLOSE_IN_CALLBACK = 32,
	NO_ALLOCATE = 64
};

/* Exported by the application. */
struct sample {
	struct hdmabuf_memory memory;
	struct hdmabuf_buffer *buffer; /* NULL if there is none */
};

/* Something that the peer writes during the next call of the platform. */
struct later {
	uint64_t reference;
	uint32_t offset;
	uint32_t word;
};

/* The library's requests that the peer has yet to answer. */
struct pending {
	uint32_t id;
	uint16_t operation;
	uint8_t octets[56];
};

struct told {
	unsigned int asked;
	unsigned int told;
};

struct scene {
	struct input input;
	struct hostile hostile;
	enum hdmabuf_role role; /* of the library */
	struct hdmabuf_endpoint *endpoint;
	uint64_t now;
	uint64_t random;

	/* the application */
	unsigned int policy;
	struct hdmabuf_session *session;
	struct hdmabuf_buffer *imports[MAX_BUFFERS];
	struct hdmabuf_buffer *retired; /* was never mapped, counts no longer */
	struct sample samples[SAMPLES];
	struct hdmabuf_timeline_handle *timelines[TIMELINES];
	struct hdmabuf_turn turn;
	bool has_turn;
	struct told echoes, exports, hand_offs;
	unsigned int echoed;

	/* the peer */
	uint64_t epoch;
	struct hdmabuf_offer offer;
	struct hdmabuf_reply reply;
	uint32_t ring_format;
	uint64_t own_ring, their_ring, own_cells, their_cells;
	uint32_t requests; /* that it has put into its ring */
	uint32_t taken;	   /* of the library's */
	uint32_t ready;	   /* more that the last mark counts */
	uint32_t answered; /* of the library's */
	struct pending pending[PENDING];
	size_t pending_count;
	struct later later[LATER];
	size_t later_count;
};

static struct scene *running;

/* ---- Time and randomness: the same each time ------------------------------- */

uint64_t __wrap_now_ms(void);
int __wrap_random_octets(void *octets, size_t count);
uint64_t __wrap_random_epoch(void);

uint64_t __wrap_now_ms(void)
{
	return running->now;
}

uint64_t __wrap_random_epoch(void)
{
	running->random = running->random * 6364136223846793005u + 1;
	return running->random >> 16 | 1;
}

int __wrap_random_octets(void *octets, size_t count)
{
	uint8_t *octet = octets;

	while (count--)
		*octet++ = (uint8_t)(__wrap_random_epoch() >> 8);
	return 0;
}

/* ---- The application: what it is told --------------------------------------- */

static size_t import_index(const struct scene *scene,
			   const struct hdmabuf_buffer *buffer)
{
	size_t i = 0;

	while (i < MAX_BUFFERS && scene->imports[i] != buffer)
		i++;
	return i;
}

static uint64_t pages_of(const struct hdmabuf_buffer *buffer)
{
	const struct hdmabuf_info *info = hdmabuf_buffer_info(buffer);
	uint64_t pages = 0;

	must(hdmabuf_buffer_pages(info->data_offset, info->size, HOSTILE_SHIFT,
				  &pages));
	return pages;
}

/* HDB-BOTH-021, and the pages that are mapped besides: a channel, a directory. */
static void check_quotas(const struct scene *scene)
{
	uint64_t pages = 0;
	size_t i;

	for (i = 0; i < MAX_BUFFERS; i++)
		if (scene->imports[i])
			pages += pages_of(scene->imports[i]);
	must(pages <= MAX_PAGES);
	must(scene->hostile.mapped_pages <= MAX_PAGES + CHANNEL_PAGES + 1);
}

static void forget_import(struct scene *scene, size_t i)
{
	scene->imports[i] = NULL;
	scene->has_turn = false;
}

static void release(struct scene *scene, struct hdmabuf_buffer *buffer)
{
	size_t i = import_index(scene, buffer);

	if (i < MAX_BUFFERS)
		forget_import(scene, i);
	hdmabuf_buffer_release(buffer);
}

static void close_session(struct scene *scene)
{
	if (scene->session)
		hdmabuf_session_close(scene->session, HDMABUF_REASON_DONE);
}

static void on_connected(void *user, struct hdmabuf_session *session)
{
	struct scene *scene = user;

	must(!scene->session);
	scene->session = session;
}

/* Each request of the session was reported by now. */
static void check_told(const struct scene *scene)
{
	must(scene->echoes.told == scene->echoes.asked);
	must(scene->exports.told == scene->exports.asked);
	must(scene->hand_offs.told == scene->hand_offs.asked);
}

static void on_disconnected(void *user, struct hdmabuf_session *session,
			    uint16_t status, const char *why)
{
	struct scene *scene = user;

	must(scene->session == session && why && *why);
	must(status <= HDMABUF_STATUS_FAILED);
	check_told(scene);
	scene->session = NULL;
	scene->has_turn = false;
	memset(scene->imports, 0, sizeof(scene->imports));
	scene->retired = NULL;
	memset(scene->timelines, 0, sizeof(scene->timelines));
}

static uint16_t on_imported(void *user, struct hdmabuf_buffer *buffer)
{
	struct scene *scene = user;
	size_t i = import_index(scene, NULL);
	void *data;

	must(i < MAX_BUFFERS);
	scene->imports[i] = buffer;
	check_quotas(scene);
	if (scene->policy & MAP)
		hdmabuf_buffer_map(buffer, &data);
	if (scene->policy & CLOSE_IN_CALLBACK)
		close_session(scene);
	if (scene->policy & REFUSE) {
		forget_import(scene, i);
		return HDMABUF_STATUS_DENIED;
	}
	if (scene->policy & RELEASE_AT_ONCE)
		release(scene, buffer);
	return HDMABUF_STATUS_OK;
}

static uint16_t on_updated(void *user, struct hdmabuf_buffer *buffer,
			   const struct hdmabuf_info *info)
{
	struct scene *scene = user;
	struct hdmabuf_fault fault;

	must(!hdmabuf_info_check(info, HOSTILE_SHIFT, &fault));
	if (scene->policy & RELEASE_AT_ONCE)
		release(scene, buffer);
	return scene->policy & REFUSE ? HDMABUF_STATUS_DENIED :
					HDMABUF_STATUS_OK;
}

static void on_handed_off(void *user, struct hdmabuf_session *session,
			  const struct hdmabuf_turn *turns, size_t count)
{
	struct scene *scene = user;
	size_t i;

	must(session == scene->session);
	must(count && count <= HDMABUF_PLANES);
	for (i = 0; i < count; i++) {
		must(hdmabuf_buffer_session(turns[i].buffer) == session);
		if (scene->policy & HOLD) {
			scene->turn = turns[i];
			scene->has_turn = true;
		} else {
			hdmabuf_turn_done(&turns[i], HDMABUF_STATUS_OK);
		}
	}
	if (scene->policy & CLOSE_IN_CALLBACK)
		close_session(scene);
}

static void on_retire(void *user, struct hdmabuf_buffer *buffer,
		      uint32_t grace_ms)
{
	struct scene *scene = user;
	size_t i = import_index(scene, buffer);

	(void)grace_ms;
	must(i < MAX_BUFFERS);
	if (!(scene->policy & KEEP)) {
		release(scene, buffer);
		return;
	}
	if (hdmabuf_buffer_data(buffer))
		return;
	/* The protocol knows it no longer; its handle is kept until the next one. */
	forget_import(scene, i);
	if (scene->retired)
		hdmabuf_buffer_release(scene->retired);
	scene->retired = buffer;
}

static uint16_t on_allocate(void *user, struct hdmabuf_session *session,
			    const struct hdmabuf_allocate_body *wish,
			    struct hdmabuf_memory *memory,
			    struct hdmabuf_info *info, void **buffer_user)
{
	struct scene *scene = user;

	if (scene->policy & NO_ALLOCATE || wish->size > 3 * HOSTILE_PAGE ||
	    hdmabuf_session_alloc(session, (size_t)wish->size + 1, wish->rights,
				  memory))
		return HDMABUF_STATUS_NO_MEMORY;
	*info = (struct hdmabuf_info){
		.size = wish->size ? wish->size : 1,
		.rights = wish->rights,
		.attributes = wish->attributes,
		.tag = wish->tag,
		.type = HDMABUF_TYPE_RAW,
	};
	*buffer_user = NULL;
	return HDMABUF_STATUS_OK;
}

static uint16_t on_cpu_access(void *user, struct hdmabuf_buffer *buffer,
			      bool begin, uint64_t offset, uint64_t octets,
			      uint32_t access)
{
	uint64_t size = hdmabuf_buffer_info(buffer)->size;

	(void)user;
	(void)begin;
	must(octets && offset < size && octets <= size - offset);
	must(access && access <= 3);
	return HDMABUF_STATUS_OK;
}

/* The application's buffers have their sample, those of on_allocate() nothing. */
static void on_exported(void *user, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct scene *scene = user;

	(void)fault;
	scene->exports.told += hdmabuf_buffer_user(buffer) != NULL;
}

static void on_echoed(void *user, struct hdmabuf_session *session,
		      const uint8_t *octets, const struct hdmabuf_fault *fault)
{
	struct scene *scene = user;

	(void)octets;
	must(session == scene->session);
	scene->echoes.told++;
	scene->echoed += !fault;
}

static void on_answered(void *user, struct hdmabuf_session *session,
			uint16_t operation, struct hdmabuf_buffer *buffer,
			const struct hdmabuf_fault *fault)
{
	struct scene *scene = user;

	(void)buffer;
	must(session == scene->session);
	must(!fault || fault->status);
	scene->hand_offs.told += operation == HDMABUF_OP_HAND_OFF;
}

static void on_released(void *user, struct hdmabuf_buffer *buffer)
{
	struct sample *sample = hdmabuf_buffer_user(buffer);

	(void)user;
	if (!sample)
		return;
	must(sample->buffer == buffer);
	sample->buffer = NULL;
	hdmabuf_memory_free(&sample->memory);
}

static void on_log(void *user, enum hdmabuf_log_level level, const char *line)
{
	(void)user;
	(void)level;
	must(*line && !strchr(line, '\n'));
	/* That would be an error of the library's own. */
	must(!strstr(line, "cannot happen in state"));
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
	.echoed = on_echoed,
	.answered = on_answered,
	.released = on_released,
};

/* ---- The application: what it asks for ---------------------------------------- */

static void app_echo(struct scene *scene)
{
	static const uint8_t octets[56] = { 1, 2, 3 };

	if (!hdmabuf_session_echo(scene->session, octets))
		scene->echoes.asked++;
}

static void app_export(struct scene *scene, struct sample *sample, uint8_t how)
{
	uint32_t rights = 1 + how % 3;
	struct hdmabuf_info info = {
		.size = 1 + (how / 4u) * 200u,
		.data_offset = how / 16u,
		.rights = rights,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.directory_format = how % 4,
		.type = HDMABUF_TYPE_RAW,
	};

	if (sample->buffer ||
	    hdmabuf_session_alloc(scene->session, 4 * HOSTILE_PAGE, rights,
				  &sample->memory))
		return;
	if (hdmabuf_export(scene->session, &sample->memory, &info, sample,
			   &sample->buffer)) {
		sample->buffer = NULL;
		hdmabuf_memory_free(&sample->memory);
		return;
	}
	scene->exports.asked++;
}

/* Any buffer that there is, NULL if there is none with that number. */
static struct hdmabuf_buffer *any_buffer(struct scene *scene, uint8_t number)
{
	number %= SAMPLES + MAX_BUFFERS;
	return number < SAMPLES ? scene->samples[number].buffer :
				  scene->imports[number - SAMPLES];
}

static void app_hand_off(struct scene *scene, struct hdmabuf_buffer *buffer,
			 uint8_t how)
{
	struct hdmabuf_turn turn = {
		.buffer = buffer,
		.wait = how & 1 ? scene->timelines[how / 4 % TIMELINES] : NULL,
		.signal = how & 2 ? scene->timelines[how / 8 % TIMELINES] :
				    NULL,
		.wait_point = how & 1 ? how : 0,
		.signal_point = how & 2 ? input_octet(&scene->input) : 0,
		.stamp = how,
	};

	if (!hdmabuf_hand_off(&turn, how & 128))
		scene->hand_offs.asked++;
}

static void app_timeline(struct scene *scene, uint8_t how)
{
	struct hdmabuf_timeline_handle **timeline =
		&scene->timelines[how / 8 % TIMELINES];

	if (!*timeline) {
		if (how & 1)
			*timeline = hdmabuf_timeline_find(
				scene->session, input_octet(&scene->input) % 8);
		else
			hdmabuf_timeline_create(scene->session, 1 + how / 2 % 2,
						how, timeline);
		return;
	}
	switch (how % 8) {
	case 0:
		if (!hdmabuf_timeline_destroy(*timeline))
			*timeline = NULL;
		break;
	case 1:
	case 2:
		hdmabuf_timeline_wait(*timeline, input_octet(&scene->input));
		break;
	case 3:
		hdmabuf_timeline_fail(*timeline, HDMABUF_STATUS_FAILED);
		break;
	case 4:
		hdmabuf_timeline_point(*timeline);
		break;
	default:
		hdmabuf_timeline_signal(*timeline, input_octet(&scene->input));
		break;
	}
}

static void app_update(struct hdmabuf_buffer *buffer, uint8_t how)
{
	struct hdmabuf_info info = *hdmabuf_buffer_info(buffer);

	info.tag = how;
	hdmabuf_update(buffer, &info);
}

/* What an application may do with a buffer of its own, and with one of the peer. */
static void app_own(struct scene *scene, struct sample *sample, uint8_t how)
{
	switch (how % 4) {
	case 0:
		hdmabuf_unexport(sample->buffer, how / 4);
		break;
	case 1:
		app_update(sample->buffer, how);
		break;
	default:
		app_hand_off(scene, sample->buffer, how);
		break;
	}
}

static void app_theirs(struct scene *scene, struct hdmabuf_buffer *buffer,
		       uint8_t how)
{
	volatile uint8_t *data;
	void *mapped;

	switch (how % 4) {
	case 0:
		release(scene, buffer);
		return;
	case 1:
		hdmabuf_buffer_unmap(buffer);
		return;
	case 2:
		app_hand_off(scene, buffer, how);
		return;
	}
	if (hdmabuf_buffer_map(buffer, &mapped))
		return;
	/* All of it is there. */
	data = mapped;
	(void)data[0];
	(void)data[hdmabuf_buffer_info(buffer)->size - 1];
}

static void app_any(struct scene *scene, uint8_t how)
{
	struct hdmabuf_buffer *buffer = any_buffer(scene, how / 4);

	if (!buffer)
		return;
	if (how & 1)
		hdmabuf_buffer_query(buffer);
	else
		hdmabuf_buffer_cpu_access(buffer, how & 2, how % 16, 1 + how,
					  1 + how % 3);
}

static void app_wish(struct scene *scene, uint8_t how)
{
	struct hdmabuf_allocate_body wish = {
		.size = 1 + how,
		.rights = 1 + how % 3,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
	};

	hdmabuf_session_allocate(scene->session, &wish);
}

static void app_act(struct scene *scene)
{
	uint8_t what = input_octet(&scene->input);
	uint8_t how = input_octet(&scene->input);
	struct sample *sample = &scene->samples[what / 16 % SAMPLES];
	struct hdmabuf_buffer *import = scene->imports[what / 16 % MAX_BUFFERS];

	if (!scene->session)
		return;
	switch (what % 10) {
	case 0:
		app_echo(scene);
		break;
	case 1:
	case 2:
		app_export(scene, sample, how);
		break;
	case 3:
		if (sample->buffer)
			app_own(scene, sample, how);
		break;
	case 4:
		if (import)
			app_theirs(scene, import, how);
		break;
	case 5:
		app_any(scene, how);
		break;
	case 6:
	case 7:
		app_timeline(scene, how);
		break;
	case 8:
		app_wish(scene, how);
		break;
	case 9:
		if (scene->has_turn)
			hdmabuf_turn_done(&scene->turn, how % 3);
		scene->has_turn = false;
		if (how > 200)
			close_session(scene);
		break;
	}
	hdmabuf_endpoint_flush(scene->endpoint);
}

/* ---- The peer: words and messages ------------------------------------------------ */

static void write_32(struct scene *scene, uint64_t reference, uint32_t offset,
		     uint32_t word)
{
	hdmabuf_le32 le = hdmabuf_put_le32(word);

	hostile_write(&scene->hostile, reference, offset, &le, sizeof(le));
}

static uint32_t read_32(struct scene *scene, uint64_t reference,
			uint32_t offset)
{
	hdmabuf_le32 le;

	hostile_read(&scene->hostile, reference, offset, &le, sizeof(le));
	return hdmabuf_get_le32(le);
}

static uint32_t slot(const struct scene *scene, uint32_t index)
{
	uint32_t first = scene->ring_format ?
				 sizeof(struct hdmabuf_ring_events) :
				 sizeof(struct hdmabuf_ring_indices);

	return first + index % SLOTS * 64;
}

#define REQ_PROD offsetof(struct hdmabuf_ring_indices, req_prod)
#define RSP_PROD offsetof(struct hdmabuf_ring_indices, rsp_prod)

/* One message, shown by its mark or by an index. */
static void peer_show(struct scene *scene, uint64_t ring, uint32_t *index,
		      const union hdmabuf_message *message, bool is_answer)
{
	union hdmabuf_message marked = *message;

	if (scene->ring_format)
		marked.octets[7] = (is_answer ? HDMABUF_MARK_ANSWERS :
						HDMABUF_MARK_REQUESTS) +
				   1;
	hostile_write(&scene->hostile, ring, slot(scene, *index), &marked,
		      sizeof(marked));
	++*index;
	if (!scene->ring_format)
		write_32(scene, ring, is_answer ? RSP_PROD : REQ_PROD, *index);
	scene->hostile.want_notified = true;
}

static void peer_put(struct scene *scene, const union hdmabuf_message *message)
{
	peer_show(scene, scene->own_ring, &scene->requests, message, false);
}

/* How many requests of the library there are, to be taken now. */
static uint32_t peer_sees(struct scene *scene)
{
	uint32_t there, mark;

	if (!scene->ring_format) {
		there = read_32(scene, scene->their_ring, REQ_PROD) -
			scene->taken;
		return there <= SLOTS ? there : 0;
	}
	if (scene->ready || scene->taken - scene->answered == SLOTS)
		return scene->ready;
	mark = read_32(scene, scene->their_ring,
		       slot(scene, scene->taken) + 4) >>
	       24;
	scene->ready = mark <= HDMABUF_MARK_MAX ? mark : 0;
	return scene->ready;
}

/* Looks at what the library asks, as much as there is room to remember. */
static void peer_take(struct scene *scene)
{
	union hdmabuf_message message;

	while (scene->pending_count < PENDING && peer_sees(scene)) {
		struct pending *pending =
			&scene->pending[scene->pending_count++];

		hostile_read(&scene->hostile, scene->their_ring,
			     slot(scene, scene->taken++), &message,
			     sizeof(message));
		if (scene->ready)
			scene->ready--;
		pending->id = hdmabuf_get_le32(message.header.id);
		pending->operation = hdmabuf_get_le16(message.header.operation);
		memcpy(pending->octets, message.octets + 8,
		       sizeof(pending->octets));
	}
}

static void peer_put_answer(struct scene *scene,
			    const union hdmabuf_message *message)
{
	peer_show(scene, scene->their_ring, &scene->answered, message, true);
}

static void make_answer(const struct pending *pending, uint16_t status,
			struct hdmabuf_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->id = pending->id;
	answer->operation = pending->operation;
	answer->fault.status = status;
	if (status)
		return;
	switch (pending->operation) {
	case HDMABUF_OP_ECHO:
		memcpy(answer->echo, pending->octets, sizeof(answer->echo));
		break;
	case HDMABUF_OP_QUERY:
		answer->query.state = HDMABUF_BUFFER_IMPORTED;
		answer->query.rights = HDMABUF_RIGHTS_READ_WRITE;
		answer->query.type = HDMABUF_TYPE_RAW;
		break;
	case HDMABUF_OP_ALLOCATE:
		answer->buffer.octets[0] = 7;
		break;
	}
}

/* The oldest or another; right, or with a word spoilt. */
static void peer_answer(struct scene *scene, uint16_t status, uint8_t which,
			uint8_t spoilt)
{
	struct hdmabuf_answer answer;
	union hdmabuf_message message;
	size_t i;

	peer_take(scene);
	if (!scene->pending_count)
		return;
	i = which % scene->pending_count;
	make_answer(&scene->pending[i], status, &answer);
	scene->pending[i] = scene->pending[--scene->pending_count];
	hdmabuf_answer_encode(&answer, &message);
	if (spoilt)
		message.octets[spoilt % 64] ^= 1 + spoilt / 64;
	peer_put_answer(scene, &message);
}

/* ---- The peer: establishing a session ---------------------------------------------- */

static void peer_begin(struct scene *scene, uint64_t first_ring,
		       uint64_t second_ring, uint64_t first_cells,
		       uint64_t second_cells, uint32_t own_start,
		       uint32_t their_start)
{
	scene->own_ring = first_ring;
	scene->their_ring = second_ring;
	scene->own_cells = first_cells;
	scene->their_cells = second_cells;
	scene->requests = own_start;
	scene->taken = their_start;
	scene->answered = their_start;
	scene->ready = 0;
	scene->pending_count = 0;
}

static void peer_publish_reply(struct scene *scene)
{
	char text[HDMABUF_RECORD_OCTETS];
	size_t octets = hdmabuf_reply_write(&scene->reply, text);

	hostile_publish(&scene->hostile, text, octets);
}

static void make_hello(const struct scene *scene,
		       struct hdmabuf_hello_body *hello)
{
	*hello = (struct hdmabuf_hello_body){
		.epoch_frontend = scene->reply.epoch,
		.epoch_backend = scene->offer.epoch,
		.features = HDMABUF_FEATURES_ALL,
		.limits = { .max_octets = 16 * HOSTILE_PAGE,
			    .max_buffers = 3,
			    .max_timelines = 4,
			    .max_private = HDMABUF_PRIVATE_MIN,
			    .max_in_flight = 8 },
	};
}

/* The peer is the frontend: a channel in its pages, HELLO in the ring, a record. */
static void peer_make_channel(struct scene *scene, uint32_t start)
{
	static uint8_t page[HOSTILE_PAGE] __attribute__((aligned(8)));
	struct hdmabuf_channel_info info = {
		.version = HDMABUF_VERSION,
		.epoch_frontend = scene->reply.epoch,
		.epoch_backend = scene->offer.epoch,
		.page_shift = HOSTILE_SHIFT,
		.ring_format = scene->ring_format,
		.timeline_pages = 1,
		.references = 4,
		.frontend_ring_start = start,
		.backend_ring_start = start,
		.reference = { CHANNEL + 1, CHANNEL + 2, CHANNEL + 3,
			       CHANNEL + 4 },
	};
	uint32_t i;

	hdmabuf_channel_encode(&info, page);
	hostile_write(&scene->hostile, CHANNEL, 0, page, sizeof(page));
	for (i = 0; i < 2; i++) {
		hdmabuf_ring_format(page, sizeof(page), scene->ring_format,
				    start);
		hostile_write(&scene->hostile, CHANNEL + 1 + i, 0, page,
			      sizeof(page));
	}
	peer_begin(scene, CHANNEL + 1, CHANNEL + 2, CHANNEL + 3, CHANNEL + 4,
		   start, start);
}

static void peer_reply(struct scene *scene, uint32_t start)
{
	struct hdmabuf_request request = { .operation = HDMABUF_OP_HELLO };
	union hdmabuf_message message;

	if (!hdmabuf_offer_read(scene->hostile.own_record,
				scene->hostile.own_record_octets,
				&scene->offer))
		return;
	scene->reply.epoch = ++scene->epoch;
	scene->reply.peer_epoch = scene->offer.epoch;
	scene->reply.channel = CHANNEL;
	peer_make_channel(scene, start);
	make_hello(scene, &request.hello);
	hdmabuf_request_encode(&request, &message);
	peer_put(scene, &message);
	peer_publish_reply(scene);
}

static void peer_offer(struct scene *scene)
{
	char text[HDMABUF_RECORD_OCTETS];
	size_t octets;

	scene->offer = (struct hdmabuf_offer){
		.epoch = ++scene->epoch,
		.version_min = HDMABUF_VERSION,
		.version_max = HDMABUF_VERSION,
		.features = HDMABUF_FEATURES_ALL,
		.ring_formats = 1ull << scene->ring_format,
		.timeline_max = 1,
	};
	octets = hdmabuf_offer_write(&scene->offer, text);
	hostile_publish(&scene->hostile, text, octets);
}

/* The peer is the backend: what the frontend has made, and an answer to its HELLO. */
static void peer_attach(struct scene *scene)
{
	struct hdmabuf_channel_info info;
	struct hdmabuf_channel page;
	struct hdmabuf_answer answer = { .operation = HDMABUF_OP_HELLO };
	union hdmabuf_message message;
	struct hdmabuf_fault fault;

	if (!hdmabuf_reply_read(scene->hostile.own_record,
				scene->hostile.own_record_octets,
				&scene->reply))
		return;
	hostile_read(&scene->hostile, scene->reply.channel, 0, &page,
		     sizeof(page));
	if (hdmabuf_channel_decode(&page, &scene->offer, scene->reply.epoch,
				   HOSTILE_SHIFT, &info, &fault))
		return;
	peer_begin(scene, info.reference[1], info.reference[0],
		   info.reference[3], info.reference[2],
		   info.backend_ring_start, info.frontend_ring_start);
	peer_take(scene);
	if (!scene->pending_count)
		return;
	answer.id = scene->pending[--scene->pending_count].id;
	make_hello(scene, &answer.hello);
	hdmabuf_answer_encode(&answer, &message);
	peer_put_answer(scene, &message);
}

static void dispatch(struct scene *scene)
{
	/* Whatever it finds, and whether it says so. */
	hdmabuf_endpoint_wait(scene->endpoint, 0);
	must(!hdmabuf_endpoint_dispatch(scene->endpoint));
	check_quotas(scene);
}

/* Everything as it should be, whatever was before. */
static void peer_connect(struct scene *scene, uint32_t start)
{
	hostile_up(&scene->hostile);
	dispatch(scene);
	if (scene->role == HDMABUF_BACKEND) {
		peer_reply(scene, start);
		dispatch(scene);
		return;
	}
	peer_offer(scene);
	dispatch(scene);
	peer_attach(scene);
	dispatch(scene);
}

/* ---- The peer: buffers ---------------------------------------------------------------- */

static void make_id(struct hdmabuf_id *id, uint8_t number)
{
	memset(id, 0, sizeof(*id));
	id->octets[0] = number % 4 + 1;
	id->octets[15] = 1;
}

/* A buffer of one directory page, whose pages are the peer's or a few beside them. */
static void peer_describe(struct scene *scene, uint8_t number)
{
	static uint8_t page[HOSTILE_PAGE] __attribute__((aligned(8)));
	uint8_t how = input_octet(&scene->input);
	uint64_t place = BUFFERS + 2 * (number % 4u);
	struct hdmabuf_info info = {
		.size = 1 + input_16(&scene->input),
		.data_offset = how & 64 ? 100 : 0,
		.rights = 1 + how % 3,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.type = HDMABUF_TYPE_RAW,
		.tag = how,
	};
	struct hdmabuf_layout layout = {
		.page_shift = HOSTILE_SHIFT,
		.directory = place + 1,
		.directory_pages = 1,
		.directory_format = how / 4 % 3,
	};
	struct hdmabuf_run run = { DATA + how / 16 % 4, 0 };
	struct hdmabuf_id id;

	make_id(&id, number);
	must(hdmabuf_buffer_pages(info.data_offset, info.size, HOSTILE_SHIFT,
				  &layout.pages));
	run.count = layout.pages;
	layout.entries = layout.directory_format == HDMABUF_DIRECTORY_EXTENTS ?
				 1 :
				 layout.pages;
	hdmabuf_descriptor_encode(&info, &layout, &id, 1 + how / 128u, page);
	hostile_write(&scene->hostile, place, 0, page, sizeof(page));
	must(hdmabuf_directory_build(layout.directory_format, &run, 1,
				     HOSTILE_SHIFT, &layout.directory, page,
				     1));
	hostile_write(&scene->hostile, place + 1, 0, page, sizeof(page));
}

/* ---- The peer: requests ------------------------------------------------------------------ */

static const uint16_t operations[] = {
	HDMABUF_OP_HELLO,
	HDMABUF_OP_CLOSE,
	HDMABUF_OP_ECHO,
	HDMABUF_OP_EXPORT,
	HDMABUF_OP_EXPORT,
	HDMABUF_OP_UPDATE,
	HDMABUF_OP_UNEXPORT,
	HDMABUF_OP_RELEASED,
	HDMABUF_OP_HAND_OFF,
	HDMABUF_OP_HAND_OFF,
	HDMABUF_OP_QUERY,
	HDMABUF_OP_ALLOCATE,
	HDMABUF_OP_CPU_BEGIN,
	HDMABUF_OP_CPU_END,
	HDMABUF_OP_TIMELINE_CREATE,
	HDMABUF_OP_TIMELINE_DESTROY,
};

/* One of its own, or one of the library's. */
static void choose_id(struct scene *scene, uint8_t number,
		      struct hdmabuf_id *id)
{
	struct sample *sample = &scene->samples[number / 4 % SAMPLES];

	if (number & 128 && sample->buffer)
		*id = *hdmabuf_buffer_id(sample->buffer);
	else
		make_id(id, number);
}

static uint32_t choose_timeline(uint8_t octet)
{
	return octet % 8 == 7 ? HDMABUF_NO_TIMELINE : octet % 8;
}

static void fill_hand_off(struct input *input,
			  struct hdmabuf_hand_off_body *body)
{
	uint8_t octet = input_octet(input);

	body->wait_timeline = choose_timeline(octet);
	body->signal_timeline = choose_timeline(octet / 8);
	if (body->wait_timeline != HDMABUF_NO_TIMELINE)
		body->wait_point = input_octet(input);
	if (body->signal_timeline != HDMABUF_NO_TIMELINE)
		body->signal_point = input_octet(input);
	body->flags = octet / 64 % 2;
}

static void fill_request(struct scene *scene, struct hdmabuf_request *request,
			 uint8_t how)
{
	struct input *input = &scene->input;

	switch (request->operation) {
	case HDMABUF_OP_HELLO:
		make_hello(scene, &request->hello);
		break;
	case HDMABUF_OP_CLOSE:
		request->reason = HDMABUF_REASON_DONE;
		break;
	case HDMABUF_OP_EXPORT:
	case HDMABUF_OP_UPDATE:
		request->descriptor.reference = BUFFERS + 2 * (how % 4u);
		request->descriptor.length = HDMABUF_DESCRIPTOR_OCTETS;
		break;
	case HDMABUF_OP_UNEXPORT:
		request->grace_ms = input_octet(input);
		break;
	case HDMABUF_OP_HAND_OFF:
		fill_hand_off(input, &request->hand_off);
		break;
	case HDMABUF_OP_ALLOCATE:
		request->allocate.size = 1 + input_16(input);
		request->allocate.rights = 1 + how % 3;
		request->allocate.attributes = HDMABUF_ATTRIBUTE_CACHED;
		break;
	case HDMABUF_OP_CPU_BEGIN:
	case HDMABUF_OP_CPU_END:
		request->cpu_access.offset = input_octet(input);
		request->cpu_access.octets = 1 + input_octet(input);
		request->cpu_access.access = 1 + how / 4 % 3;
		break;
	case HDMABUF_OP_TIMELINE_CREATE:
	case HDMABUF_OP_TIMELINE_DESTROY:
		request->timeline.number = how % 8;
		request->timeline.signaller = 1 + how / 8 % 2;
		request->timeline.point = how / 16;
		break;
	}
}

static void peer_request(struct scene *scene, bool spoilt)
{
	uint8_t which = input_octet(&scene->input);
	uint8_t how = input_octet(&scene->input);
	struct hdmabuf_request request = {
		.id = scene->requests,
		.operation = operations[which % 16],
	};
	union hdmabuf_message message;

	choose_id(scene, how, &request.buffer);
	fill_request(scene, &request, how);
	/* A timeline that is made is not there yet. */
	if (request.operation == HDMABUF_OP_TIMELINE_CREATE) {
		write_32(scene, scene->own_cells, request.timeline.number * 64,
			 (uint32_t)request.timeline.point);
	}
	hdmabuf_request_encode(&request, &message);
	if (spoilt) {
		uint8_t at = input_octet(&scene->input);

		message.octets[at % 64] = input_octet(&scene->input);
	}
	peer_put(scene, &message);
}

static void peer_raw(struct scene *scene)
{
	union hdmabuf_message message;

	input_take(&scene->input, &message, sizeof(message));
	peer_put(scene, &message);
}

/* ---- The peer: words anywhere ---------------------------------------------------------------- */

static uint64_t choose_page(struct scene *scene, uint8_t octet)
{
	const uint64_t pages[] = { scene->own_ring, scene->their_ring,
				   scene->own_cells, scene->their_cells,
				   CHANNEL };

	return octet < 160 ? pages[octet % 5] : octet % HOSTILE_PAGES + 1u;
}

static void peer_write(struct scene *scene, bool later)
{
	uint64_t page = choose_page(scene, input_octet(&scene->input));
	uint32_t offset = input_16(&scene->input) % (HOSTILE_PAGE / 4) * 4;
	uint32_t word = input_32(&scene->input);

	if (!later)
		write_32(scene, page, offset, word);
	else if (scene->later_count < LATER)
		scene->later[scene->later_count++] =
			(struct later){ page, offset, word };
}

/* The library has called the platform: the peer is not standing still. */
static void on_interrupt(void *user)
{
	struct scene *scene = user;

	if (!scene->later_count)
		return;
	scene->later_count--;
	write_32(scene, scene->later[scene->later_count].reference,
		 scene->later[scene->later_count].offset,
		 scene->later[scene->later_count].word);
}

/* An index, an event or a mark, a little or a lot beside what it is. */
static void peer_index(struct scene *scene)
{
	uint8_t octet = input_octet(&scene->input);
	bool own = octet & 1;
	uint64_t ring = own ? scene->own_ring : scene->their_ring;
	const uint32_t marked[] = {
		offsetof(struct hdmabuf_ring_events, req_event),
		offsetof(struct hdmabuf_ring_events, rsp_event),
		slot(scene, own ? scene->requests : scene->answered) + 7,
		slot(scene, own ? scene->requests - 1 : scene->taken) + 7,
	};
	uint32_t which = octet / 2 % 4;
	uint32_t offset = scene->ring_format ? marked[which] : which * 4;

	write_32(scene, ring, offset,
		 read_32(scene, ring, offset) + (uint32_t)octet / 8 - 16);
	scene->hostile.want_notified = true;
}

static void peer_cell(struct scene *scene)
{
	uint8_t octet = input_octet(&scene->input);
	uint64_t page = octet & 64 ? scene->own_cells : scene->their_cells;

	write_32(scene, page, octet % 8 * 64u + octet / 8 % 8 * 4,
		 input_octet(&scene->input));
	scene->hostile.want_notified = true;
}

static void peer_record(struct scene *scene)
{
	char text[255];
	uint8_t octets = input_octet(&scene->input);

	input_take(&scene->input, text, octets);
	hostile_publish(&scene->hostile, text, octets);
}

/* What of the library's it keeps mapped. */
static void peer_map(struct scene *scene)
{
	uint8_t octet = input_octet(&scene->input);
	size_t i;

	for (i = 0; i < HOSTILE_SHARES; i++)
		if (scene->hostile.shares[i].link)
			scene->hostile.shares[i].mapped =
				octet & 1 && octet / 2 % 8 == i % 8;
	scene->hostile.want_notified = true;
}

/* ---- The script ------------------------------------------------------------------------------------ */

static void set_policy(struct scene *scene)
{
	scene->policy = input_octet(&scene->input);
}

static void pass_time(struct scene *scene)
{
	scene->now += input_16(&scene->input);
	dispatch(scene);
}

static void fail_next(struct scene *scene)
{
	static const int errors[] = { -12, -28, -11, -107, -16, -13 };

	scene->hostile.fail = errors[input_octet(&scene->input) % 6];
}

static void step(struct scene *scene)
{
	uint8_t octet = input_octet(&scene->input);

	switch (octet % 24) {
	case 0:
	case 1:
		dispatch(scene);
		break;
	case 2:
		pass_time(scene);
		break;
	case 3:
		peer_connect(scene, octet > 120 ? 0 : 0xfffffff0u);
		break;
	case 4:
		peer_describe(scene, input_octet(&scene->input));
		break;
	case 5:
	case 6:
	case 7:
		peer_request(scene, octet & 128);
		break;
	case 8:
		peer_raw(scene);
		break;
	case 9:
	case 10:
		peer_answer(scene, 0, octet / 24, 0);
		break;
	case 11:
		peer_answer(scene, octet / 24, 0, 0);
		break;
	case 12:
		peer_answer(scene, 0, octet / 24, input_octet(&scene->input));
		break;
	case 13:
		peer_write(scene, false);
		break;
	case 14:
		peer_write(scene, true);
		break;
	case 15:
		peer_index(scene);
		break;
	case 16:
		peer_cell(scene);
		break;
	case 17:
		peer_record(scene);
		break;
	case 18:
		peer_map(scene);
		break;
	case 19:
		set_policy(scene);
		break;
	case 20:
		if (octet > 120)
			scene->hostile.want_down = true;
		else
			fail_next(scene);
		break;
	default:
		app_act(scene);
		break;
	}
}

/* After all that, a peer that behaves gets what it wants. */
static void heal(struct scene *scene)
{
	unsigned int echoed;

	scene->policy = 0;
	scene->hostile.fail = 0;
	scene->later_count = 0;
	scene->hostile.want_down = true;
	dispatch(scene);
	must(!scene->session);
	if (scene->hostile.link_count == HOSTILE_LINKS)
		return;
	hdmabuf_endpoint_start(scene->endpoint);
	scene->now += 100000;
	peer_connect(scene, 0);
	must(scene->session);
	echoed = scene->echoed;
	app_echo(scene);
	must(scene->echoes.asked > scene->echoes.told);
	hdmabuf_endpoint_flush(scene->endpoint);
	peer_answer(scene, 0, 0, 0);
	dispatch(scene);
	must(scene->echoed == echoed + 1);
}

static void open_scene(struct scene *scene)
{
	struct hdmabuf_config config;
	struct hdmabuf_platform platform;

	hdmabuf_config_init(&config);
	config.limits = (struct hdmabuf_limits){
		.max_octets = MAX_PAGES * HOSTILE_PAGE,
		.max_buffers = MAX_BUFFERS,
		.max_timelines = MAX_TIMELINES,
		.max_private = HDMABUF_PRIVATE_MIN,
		.max_in_flight = MAX_IN_FLIGHT,
	};
	config.max_sessions = 1;
	config.looks = 3;
	hostile_init(&scene->hostile, &platform);
	scene->hostile.interrupt = on_interrupt;
	scene->hostile.interrupt_user = scene;
	scene->now = 1000;
	must(!hdmabuf_endpoint_new(platform, scene->role, &config, &callbacks,
				   scene, &scene->endpoint));
}

static void close_scene(struct scene *scene)
{
	size_t i;

	scene->hostile.closing = true;
	hdmabuf_endpoint_close(scene->endpoint);
	must(!scene->session);
	check_told(scene);
	for (i = 0; i < SAMPLES; i++)
		must(!scene->samples[i].buffer);
	hostile_fini(&scene->hostile);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	static struct scene scene;
	uint8_t octet;

	memset(&scene, 0, sizeof(scene));
	running = &scene;
	scene.input = (struct input){ octets, size };
	octet = input_octet(&scene.input);
	scene.role = octet & 1 ? HDMABUF_BACKEND : HDMABUF_FRONTEND;
	scene.ring_format = octet & 2 ? HDMABUF_RING_FORMAT_1 :
					HDMABUF_RING_FORMAT_0;
	open_scene(&scene);
	while (scene.input.left)
		step(&scene);
	heal(&scene);
	close_scene(&scene);
	return 0;
}
