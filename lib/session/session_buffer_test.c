/* SPDX-License-Identifier: MIT */
/*
 * The life of a buffer between two endpoints: shared, handed off, updated, queried,
 * released.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/pair.h"

#define PAGE 4096u

/* ---- sharing ------------------------------------------------------------- */

/* What is mapped at the importer is what the exporter wrote, and no copy. */
static void check_contents(struct pair *pair, struct end *from, uint32_t format,
			   uint64_t size, uint32_t data_offset, uint32_t rights)
{
	struct end *to = pair_other(pair, from);
	struct sample sample;
	struct hdmabuf_buffer *buffer;
	uint8_t *ours, *theirs;
	void *data;

	sample_make(&sample, from, size + data_offset, rights);
	memmove((uint8_t *)sample.memory.address + data_offset,
		sample.memory.address, size);
	sample.info.size = size;
	sample.info.data_offset = data_offset;
	sample.info.directory_format = format;
	assert_int_equal(sample_export(&sample, from), 0);
	pair_wait(pair, &from->seen.exported, from->seen.exported + 1);
	assert_int_equal(from->seen.exports_refused, 0);
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_LIVE);

	buffer = to->seen.buffer;
	assert_int_equal(hdmabuf_buffer_state(buffer), HDMABUF_BUFFER_IMPORTED);
	assert_null(hdmabuf_buffer_data(buffer));
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	assert_int_equal(hdmabuf_buffer_state(buffer), HDMABUF_BUFFER_MAPPED);
	assert_ptr_equal(hdmabuf_buffer_data(buffer), data);
	assert_int_equal((uintptr_t)data % PAGE, data_offset);
	assert_true(sample_is_at(data, size));
	ours = hdmabuf_buffer_data(sample.buffer);
	theirs = data;
	ours[size - 1] ^= 0xff;
	assert_int_equal(theirs[size - 1], ours[size - 1]);
	assert_memory_equal(hdmabuf_buffer_id(buffer),
			    hdmabuf_buffer_id(sample.buffer), 16);
	assert_int_equal(hdmabuf_buffer_info(buffer)->directory_format, format);
	pair_unshare(pair, from, &sample);
}

/* A page of a LIST holds 1023 references, one of a TABLE 1024. */
static void check_sizes(uint32_t format)
{
	static const uint64_t pages[] = { 1, 2, 1023, 1024, 1025, 8100 };
	struct pair pair = { 0 };
	size_t i;

	pair_connect(&pair, NULL, NULL);
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		check_contents(&pair, &pair.front, format, pages[i] * PAGE, 0,
			       HDMABUF_RIGHTS_READ_WRITE);
		check_contents(&pair, &pair.back, format, pages[i] * PAGE - 1,
			       0, HDMABUF_RIGHTS_READ_ONLY);
	}
	check_contents(&pair, &pair.front, format, 1, 0,
		       HDMABUF_RIGHTS_READ_ONLY);
	check_contents(&pair, &pair.front, format, 1, PAGE - 1,
		       HDMABUF_RIGHTS_READ_ONLY);
	check_contents(&pair, &pair.back, format, PAGE, 1, HDMABUF_RIGHTS_LEND);
	check_contents(&pair, &pair.back, format, 1023 * PAGE, 100,
		       HDMABUF_RIGHTS_READ_WRITE);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_list(void **state)
{
	(void)state;
	check_sizes(HDMABUF_DIRECTORY_LIST);
}

static void test_table(void **state)
{
	(void)state;
	check_sizes(HDMABUF_DIRECTORY_TABLE);
}

static void test_extents(void **state)
{
	(void)state;
	check_sizes(HDMABUF_DIRECTORY_EXTENTS);
}

/* Without the feature, LIST is used whatever was wished. */
static void test_list_is_the_fallback(void **state)
{
	struct hdmabuf_config config;
	struct sample sample;
	struct pair pair = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.features = 0;
	pair_connect(&pair, &config, &config);
	sample_make(&sample, &pair.front, 5 * PAGE, HDMABUF_RIGHTS_READ_WRITE);
	sample.info.directory_format = HDMABUF_DIRECTORY_TABLE;
	assert_int_equal(sample_export(&sample, &pair.front), 0);
	pair_wait(&pair, &pair.front.seen.exported, 1);
	assert_int_equal(
		hdmabuf_buffer_info(pair.back.seen.buffer)->directory_format,
		HDMABUF_DIRECTORY_LIST);
	assert_int_equal(hdmabuf_buffer_info(sample.buffer)->directory_format,
			 HDMABUF_DIRECTORY_LIST);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

static void make_picture(struct hdmabuf_info *info)
{
	info->type = HDMABUF_TYPE_PICTURE;
	info->tag = 0x0123456789abcdef;
	info->picture = (struct hdmabuf_picture_info){
		.width = 64,
		.height = 32,
		.fourcc = 0x3231564e,
		.planes = 2,
		.modifier = 0xfedcba9876543210,
		.plane_count = 2,
		.plane = { { 0, 64 }, { 2048, 64 } },
	};
}

static void check_info(const struct hdmabuf_info *a,
		       const struct hdmabuf_info *b)
{
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->data_offset, b->data_offset);
	assert_int_equal(a->rights, b->rights);
	assert_int_equal(a->attributes, b->attributes);
	assert_int_equal(a->tag, b->tag);
	assert_int_equal(a->type, b->type);
	if (a->type == HDMABUF_TYPE_PICTURE)
		assert_memory_equal(&a->picture, &b->picture,
				    sizeof(a->picture));
	if (a->type == HDMABUF_TYPE_CYCLIC)
		assert_memory_equal(&a->cyclic, &b->cyclic, sizeof(a->cyclic));
	assert_int_equal(a->private_octets, b->private_octets);
	if (a->private_octets)
		assert_memory_equal(a->private_data, b->private_data,
				    a->private_octets);
}

/* Everything that is said of a buffer arrives, private data of any size with it. */
static void test_description(void **state)
{
	static const uint32_t octets[] = { 0, 1, 7, 8, 1023, 1024, 3839, 3840 };
	uint8_t private_data[3840];
	struct sample sample;
	struct pair pair = { 0 };
	size_t i;

	(void)state;
	memset(private_data, 0xa5, sizeof(private_data));
	pair_connect(&pair, NULL, NULL);
	for (i = 0; i < sizeof(octets) / sizeof(octets[0]); i++) {
		sample_make(&sample, &pair.front, 4096,
			    HDMABUF_RIGHTS_READ_ONLY);
		make_picture(&sample.info);
		sample.info.private_octets = octets[i];
		sample.info.private_data = private_data;
		private_data[octets[i] ? octets[i] - 1 : 0] = (uint8_t)i;
		assert_int_equal(sample_export(&sample, &pair.front), 0);
		pair_wait(&pair, &pair.back.seen.imported, (unsigned)i + 1);
		check_info(&sample.info,
			   hdmabuf_buffer_info(pair.back.seen.buffer));
		check_info(&sample.info, hdmabuf_buffer_info(sample.buffer));
		pair_wait(&pair, &pair.front.seen.exported, (unsigned)i + 1);
		pair_unshare(&pair, &pair.front, &sample);
	}
	pair_close(&pair);
}

static void test_cyclic(void **state)
{
	struct sample sample;
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	sample_make(&sample, &pair.back, 7680, HDMABUF_RIGHTS_READ_WRITE);
	sample.info.type = HDMABUF_TYPE_CYCLIC;
	sample.info.cyclic = (struct hdmabuf_cyclic_info){
		.format = 2,
		.channels = 2,
		.rate = 48000,
		.frame_octets = 4,
		.period_octets = 1920,
		.position_timeline = HDMABUF_NO_TIMELINE,
	};
	assert_int_equal(sample_export(&sample, &pair.back), 0);
	pair_wait(&pair, &pair.front.seen.imported, 1);
	check_info(&sample.info, hdmabuf_buffer_info(pair.front.seen.buffer));
	pair_run(&pair);
	pair_unshare(&pair, &pair.back, &sample);
	pair_close(&pair);
}

/* What lies around the data is the peer's to see, hence nothing (XSA-403). */
static void test_surroundings_are_zero(void **state)
{
	struct sample sample;
	struct pair pair = { 0 };
	const uint8_t *page;
	void *data;
	size_t i;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	sample_make(&sample, &pair.front, 3 * PAGE, HDMABUF_RIGHTS_READ_ONLY);
	memset(sample.memory.address, 0xee, 3 * PAGE);
	sample.info.data_offset = 10;
	sample.info.size = PAGE + 5;
	assert_int_equal(sample_export(&sample, &pair.front), 0);
	pair_wait(&pair, &pair.front.seen.exported, 1);
	assert_int_equal(hdmabuf_buffer_map(pair.back.seen.buffer, &data), 0);
	page = (uint8_t *)data - 10;
	for (i = 0; i < 2 * PAGE; i++)
		assert_int_equal(page[i], i >= 10 && i < PAGE + 15 ? 0xee : 0);
	/* The third page is not shared. */
	assert_int_equal(((uint8_t *)sample.memory.address)[2 * PAGE], 0xee);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* 0 if a child process could write there. */
static int signal_of_write(volatile uint8_t *data)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		*data = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void check_writing(uint32_t rights, int wanted)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;
	void *data;

	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE, rights);
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	assert_int_equal(signal_of_write(data), wanted);
	/* The exporter's own mapping stays as it was. */
	assert_int_equal(signal_of_write(sample.memory.address), 0);
	assert_int_equal(((uint8_t *)data)[0], 1);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

static void test_read_only_is_read_only(void **state)
{
	(void)state;
	check_writing(HDMABUF_RIGHTS_READ_ONLY, SIGSEGV);
	check_writing(HDMABUF_RIGHTS_READ_WRITE, 0);
	check_writing(HDMABUF_RIGHTS_LEND, 0);
}

static void test_mapping(void **state)
{
	struct pair pair = { 0 };
	struct hdmabuf_buffer *buffer;
	struct sample sample;
	void *data, *again;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, 3 * PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	assert_int_equal(hdmabuf_buffer_map(buffer, &again), 0);
	assert_ptr_equal(data, again);
	hdmabuf_buffer_unmap(buffer);
	assert_null(hdmabuf_buffer_data(buffer));
	assert_int_equal(hdmabuf_buffer_state(buffer), HDMABUF_BUFFER_IMPORTED);
	hdmabuf_buffer_unmap(buffer);
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	assert_true(sample_is_at(data, 3 * PAGE));
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* The importer's answer is what its application says. */
static void test_refused_export(void **state)
{
	static const uint16_t statuses[] = { HDMABUF_STATUS_DENIED,
					     HDMABUF_STATUS_UNSUPPORTED,
					     HDMABUF_STATUS_NO_MEMORY };
	struct pair pair = { 0 };
	struct sample sample;
	unsigned int i;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	for (i = 0; i < 6; i++) {
		pair.back.policy.map = i >= 3;
		pair.back.policy.import_status = statuses[i % 3];
		sample_make(&sample, &pair.front, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
		assert_int_equal(sample_export(&sample, &pair.front), 0);
		pair_wait(&pair, &pair.front.seen.released, i + 1);
		assert_int_equal(pair.front.seen.exports_refused, i + 1);
		assert_int_equal(pair.front.seen.fault.status, statuses[i % 3]);
		assert_ptr_equal(pair.front.seen.released_buffer,
				 sample.buffer);
		sample_free(&sample);
	}
	assert_int_equal(pair.front.seen.quarantined, 0);
	pair_check(&pair);
	pair_close(&pair);
}

/* ---- handing off --------------------------------------------------------- */

/* From a frame that is drawn to one that may be drawn again. */
static void check_frame(struct end *from_end, struct pair *pair)
{
	struct end *to = pair_other(pair, from_end);
	struct hdmabuf_timeline_handle *timeline;
	struct sample sample;
	struct hdmabuf_buffer *buffer;
	uint64_t frame;

	buffer = pair_share(pair, from_end, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_timeline_create(from_end->session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 0);
	for (frame = 1; frame <= 100; frame++) {
		unsigned int handed_off = to->seen.handed_off;
		unsigned int reached = from_end->seen.reached;

		assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, timeline,
					       frame, frame * 3, false),
				 0);
		assert_int_equal(hdmabuf_timeline_wait(timeline, frame), 0);
		pair_wait(pair, &from_end->seen.reached, reached + 1);
		assert_int_equal(from_end->seen.reached_point, frame);
		assert_int_equal(from_end->seen.reached_status, 0);
		assert_int_equal(to->seen.handed_off, handed_off + 1);
		assert_int_equal(to->seen.turn_count, 1);
		assert_ptr_equal(to->seen.turns[0].buffer, buffer);
		assert_int_equal(to->seen.turns[0].stamp, frame * 3);
		assert_int_equal(to->seen.turns[0].signal_point, frame);
		assert_null(to->seen.turns[0].wait);
	}
	assert_int_equal(hdmabuf_timeline_point(timeline), 100);
	assert_int_equal(hdmabuf_timeline_destroy(timeline), 0);
	pair_unshare(pair, from_end, &sample);
}

static void test_frames(void **state)
{
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	check_frame(&pair.front, &pair);
	check_frame(&pair.back, &pair);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_close(&pair);
}

/* The receiver waits for the sender's point before it touches the buffer. */
static void test_wait_point(void **state)
{
	struct hdmabuf_timeline_handle *drawn;
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	pair.back.policy.hold = true;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_CREATOR, 5,
						 &drawn),
			 0);
	assert_int_equal(
		pair_hand_off(sample.buffer, drawn, 6, NULL, 0, 0, false), 0);
	pair_wait(&pair, &pair.back.seen.handed_off, 1);
	assert_non_null(pair.back.seen.turns[0].wait);
	assert_null(pair.back.seen.turns[0].signal);
	assert_int_equal(pair.back.seen.turns[0].wait_point, 6);
	assert_int_equal(hdmabuf_timeline_point(pair.back.seen.turns[0].wait),
			 5);
	assert_int_equal(hdmabuf_timeline_wait(pair.back.seen.turns[0].wait, 6),
			 0);
	pair_run(&pair);
	assert_int_equal(pair.back.seen.reached, 0);
	assert_int_equal(hdmabuf_timeline_signal(drawn, 6), 0);
	pair_wait(&pair, &pair.back.seen.reached, 1);
	assert_int_equal(pair.back.seen.reached_point, 6);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* Of a writable buffer, the importer may hand back; of another, it may not. */
static void test_hand_back(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;
	void *data;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_WRITE);
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	memset(data, 0x42, PAGE);
	assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 9, false), 0);
	pair_wait(&pair, &pair.front.seen.handed_off, 1);
	assert_ptr_equal(pair.front.seen.turns[0].buffer, sample.buffer);
	assert_int_equal(pair.front.seen.turns[0].stamp, 9);
	assert_int_equal(*(uint8_t *)hdmabuf_buffer_data(sample.buffer), 0x42);
	pair_unshare(&pair, &pair.front, &sample);

	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 9, false),
			 -EACCES);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* A lent buffer belongs to one end at a time. */
static void test_lend(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;
	int i;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_LEND);
	assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 0, false),
			 -EACCES);
	for (i = 0; i < 3; i++) {
		unsigned int lent = pair.back.seen.handed_off;
		unsigned int back = pair.front.seen.handed_off;

		assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, NULL, 0,
					       0, false),
				 0);
		assert_int_equal(hdmabuf_buffer_state(sample.buffer),
				 HDMABUF_BUFFER_LENT);
		assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, NULL, 0,
					       0, false),
				 -EACCES);
		assert_int_equal(hdmabuf_update(sample.buffer, &sample.info),
				 -EBUSY);
		pair_wait(&pair, &pair.back.seen.handed_off, lent + 1);
		assert_int_equal(
			pair_hand_off(buffer, NULL, 0, NULL, 0, 0, false), 0);
		assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 0,
					       false),
				 -EACCES);
		pair_wait(&pair, &pair.front.seen.handed_off, back + 1);
		assert_int_equal(hdmabuf_buffer_state(sample.buffer),
				 HDMABUF_BUFFER_LIVE);
	}
	assert_int_equal(pair.front.seen.refused, 0);
	assert_int_equal(pair.back.seen.refused, 0);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* A buffer may be asked back while it is lent. */
static void test_unexport_of_lent(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_LEND);
	assert_int_equal(
		pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false), 0);
	pair_wait(&pair, &pair.back.seen.handed_off, 1);
	pair_unshare(&pair, &pair.front, &sample);
	pair_check(&pair);
	pair_close(&pair);
}

/* Planes that lie in several buffers arrive together, in one turn. */
static void check_group(unsigned int count)
{
	struct hdmabuf_timeline_handle *timeline;
	struct hdmabuf_buffer *buffers[HDMABUF_PLANES];
	struct sample samples[HDMABUF_PLANES];
	struct pair pair = { 0 };
	unsigned int i;

	pair_connect(&pair, NULL, NULL);
	assert_int_equal(hdmabuf_timeline_create(pair.front.session,
						 HDMABUF_SIGNALLER_PEER, 0,
						 &timeline),
			 0);
	for (i = 0; i < count; i++)
		buffers[i] = pair_share(&pair, &pair.front, &samples[i], PAGE,
					HDMABUF_RIGHTS_READ_ONLY);
	for (i = 0; i + 1 < count; i++) {
		assert_int_equal(pair_hand_off(samples[i].buffer, NULL, 0, NULL,
					       0, i, true),
				 0);
		pair_run(&pair);
		assert_int_equal(pair.back.seen.handed_off, 0);
	}
	/* Nothing else fits into a group. */
	if (count > 1)
		assert_int_equal(hdmabuf_buffer_query(samples[0].buffer),
				 -EAGAIN);
	assert_int_equal(pair_hand_off(samples[i].buffer, NULL, 0, timeline, 1,
				       i, false),
			 0);
	assert_int_equal(hdmabuf_timeline_wait(timeline, 1), 0);
	pair_wait(&pair, &pair.front.seen.reached, 1);
	assert_int_equal(pair.back.seen.handed_off, 1);
	assert_int_equal(pair.back.seen.turn_count, count);
	for (i = 0; i < count; i++) {
		assert_ptr_equal(pair.back.seen.turns[i].buffer, buffers[i]);
		assert_int_equal(pair.back.seen.turns[i].stamp, i);
	}
	for (i = 0; i < count; i++)
		pair_unshare(&pair, &pair.front, &samples[i]);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_groups(void **state)
{
	unsigned int count;

	(void)state;
	for (count = 1; count <= HDMABUF_PLANES; count++)
		check_group(count);
}

static void test_group_is_at_most_four(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	int i;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	for (i = 0; i < 3; i++)
		assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, NULL, 0,
					       0, true),
				 0);
	assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0,
				       true),
			 -EINVAL);
	assert_int_equal(
		pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false), 0);
	pair_wait(&pair, &pair.back.seen.handed_off, 1);
	assert_int_equal(pair.back.seen.turn_count, 4);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* A member that the importer lets go of meanwhile is missing from the group. */
static void test_group_member_released(void **state)
{
	struct hdmabuf_buffer *first;
	struct sample samples[2];
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	first = pair_share(&pair, &pair.front, &samples[0], PAGE,
			   HDMABUF_RIGHTS_READ_ONLY);
	pair_share(&pair, &pair.front, &samples[1], PAGE,
		   HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(
		pair_hand_off(samples[0].buffer, NULL, 0, NULL, 0, 0, true), 0);
	pair_run(&pair);
	hdmabuf_buffer_release(first);
	pair_wait(&pair, &pair.front.seen.released, 1);
	assert_int_equal(pair_hand_off(samples[1].buffer, NULL, 0, NULL, 0, 7,
				       false),
			 0);
	pair_wait(&pair, &pair.back.seen.handed_off, 1);
	assert_int_equal(pair.back.seen.turn_count, 1);
	assert_int_equal(pair.back.seen.turns[0].stamp, 7);
	assert_int_equal(pair.front.seen.refused, 0);
	sample_free(&samples[0]);
	pair_unshare(&pair, &pair.front, &samples[1]);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_group_without_feature(void **state)
{
	struct hdmabuf_config config;
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	hdmabuf_config_init(&config);
	config.features &= ~HDMABUF_FEATURE_GROUP;
	pair_connect(&pair, &config, NULL);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0,
				       true),
			 -EINVAL);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* ---- updating ------------------------------------------------------------ */

static void test_update(void **state)
{
	uint8_t private_data[3840];
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;
	unsigned int i;

	(void)state;
	memset(private_data, 0x77, sizeof(private_data));
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_WRITE);
	for (i = 1; i <= 10; i++) {
		if (i == 3)
			make_picture(&sample.info);
		if (i == 6)
			sample.info.type = HDMABUF_TYPE_RAW;
		sample.info.tag = i;
		sample.info.private_octets = 384 * i;
		sample.info.private_data = private_data;
		private_data[0] = (uint8_t)i;
		assert_int_equal(hdmabuf_update(sample.buffer, &sample.info),
				 0);
		assert_int_equal(hdmabuf_update(sample.buffer, &sample.info),
				 -EBUSY);
		pair_wait(&pair, &pair.back.seen.updated, i);
		pair_run(&pair);
		check_info(&sample.info, hdmabuf_buffer_info(buffer));
		check_info(&sample.info, hdmabuf_buffer_info(sample.buffer));
	}
	assert_int_equal(hdmabuf_buffer_query(sample.buffer), 0);
	pair_wait(&pair, &pair.front.seen.queried, 1);
	assert_int_equal(pair.front.seen.query.generation, 11);
	assert_int_equal(pair.front.seen.query.tag, 10);
	assert_int_equal(pair.front.seen.query.private_octets, 3840);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* The importer may not want it: then all is as it was. */
static uint16_t judge_update(void *user, struct hdmabuf_buffer *buffer,
			     const struct hdmabuf_info *info)
{
	(void)user;
	assert_int_equal(hdmabuf_buffer_info(buffer)->tag, 0);
	return info->tag == 1 ? HDMABUF_STATUS_UNSUPPORTED : HDMABUF_STATUS_OK;
}

static void test_refused_update(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;

	(void)state;
	pair.back.hooks.updated = judge_update;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_WRITE);
	sample.info.tag = 1;
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), 0);
	pair_wait(&pair, &pair.front.seen.refused, 1);
	assert_int_equal(pair.front.seen.answered_operation, HDMABUF_OP_UPDATE);
	assert_ptr_equal(pair.front.seen.answered_buffer, sample.buffer);
	assert_int_equal(pair.front.seen.fault.status,
			 HDMABUF_STATUS_UNSUPPORTED);
	assert_int_equal(hdmabuf_buffer_info(buffer)->tag, 0);
	assert_int_equal(hdmabuf_buffer_info(sample.buffer)->tag, 0);
	sample.info.tag = 2;
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), 0);
	pair_wait(&pair, &pair.back.seen.updated, 2);
	pair_run(&pair);
	assert_int_equal(hdmabuf_buffer_info(buffer)->tag, 2);
	assert_int_equal(hdmabuf_buffer_info(sample.buffer)->tag, 2);
	assert_int_equal(pair.front.seen.answered, 2);
	assert_int_equal(pair.front.seen.refused, 1);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

/* Nor may it still want the buffer. */
static uint16_t release_updated(void *user, struct hdmabuf_buffer *buffer,
				const struct hdmabuf_info *info)
{
	(void)user;
	hdmabuf_buffer_release(buffer);
	return info->tag == 1 ? HDMABUF_STATUS_DENIED : HDMABUF_STATUS_OK;
}

static void test_release_in_updated(void **state)
{
	static uint8_t private_data[100];
	struct pair pair = { 0 };
	struct sample sample;
	unsigned int i;

	(void)state;
	pair.back.hooks.updated = release_updated;
	pair_connect(&pair, NULL, NULL);
	for (i = 0; i < 2; i++) {
		pair.back.policy.map = i;
		pair_share(&pair, &pair.front, &sample, PAGE,
			   HDMABUF_RIGHTS_READ_WRITE);
		sample.info.tag = i;
		sample.info.private_octets = sizeof(private_data);
		sample.info.private_data = private_data;
		assert_int_equal(hdmabuf_update(sample.buffer, &sample.info),
				 0);
		pair_wait(&pair, &pair.front.seen.released, i + 1);
		assert_int_equal(pair.front.seen.refused, 0);
		sample_free(&sample);
	}
	pair_check(&pair);
	pair_close(&pair);
}

static void test_forbidden_updates(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_info info;
	struct hdmabuf_buffer *buffer;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_WRITE);
	info = sample.info;
	info.size--;
	assert_int_equal(hdmabuf_update(sample.buffer, &info), -EINVAL);
	info = sample.info;
	info.data_offset++;
	assert_int_equal(hdmabuf_update(sample.buffer, &info), -EINVAL);
	info = sample.info;
	info.rights = HDMABUF_RIGHTS_READ_ONLY;
	assert_int_equal(hdmabuf_update(sample.buffer, &info), -EINVAL);
	info = sample.info;
	info.attributes = HDMABUF_ATTRIBUTE_WRITE_COMBINED;
	assert_int_equal(hdmabuf_update(sample.buffer, &info), -EINVAL);
	info = sample.info;
	info.type = 9;
	assert_int_equal(hdmabuf_update(sample.buffer, &info), -EINVAL);
	info = sample.info;
	info.private_octets = 1;
	assert_int_equal(hdmabuf_update(sample.buffer, &info), -EINVAL);
	info.private_octets = 3841;
	info.private_data = sample.memory.address;
	assert_int_equal(hdmabuf_update(sample.buffer, &info), -EINVAL);
	assert_int_equal(hdmabuf_update(buffer, &sample.info), -EINVAL);
	assert_int_equal(pair.back.seen.updated, 0);
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info), 0);
	pair_wait(&pair, &pair.back.seen.updated, 1);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

static void test_update_without_feature(void **state)
{
	struct hdmabuf_config config;
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	hdmabuf_config_init(&config);
	config.features &=
		~HDMABUF_FEATURE_UPDATE & ~HDMABUF_FEATURE_CYCLIC &
		~HDMABUF_FEATURE_LEND & ~HDMABUF_FEATURE_WRITE_COMBINED &
		~HDMABUF_FEATURE_CPU_ACCESS & ~HDMABUF_FEATURE_ALLOCATE;
	pair_connect(&pair, NULL, &config);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_update(sample.buffer, &sample.info),
			 -EOPNOTSUPP);
	assert_int_equal(hdmabuf_buffer_cpu_access(sample.buffer, true, 0, 1,
						   HDMABUF_ACCESS_READ),
			 -EOPNOTSUPP);
	assert_int_equal(hdmabuf_session_allocate(
				 pair.front.session,
				 &(struct hdmabuf_allocate_body){ .size = 1 }),
			 -EOPNOTSUPP);
	pair_unshare(&pair, &pair.front, &sample);

	sample_make(&sample, &pair.front, PAGE, HDMABUF_RIGHTS_LEND);
	assert_int_equal(sample_export(&sample, &pair.front), -EOPNOTSUPP);
	sample.info.rights = HDMABUF_RIGHTS_READ_WRITE;
	sample.info.attributes = HDMABUF_ATTRIBUTE_WRITE_COMBINED;
	assert_int_equal(sample_export(&sample, &pair.front), -EOPNOTSUPP);
	sample.info.attributes = HDMABUF_ATTRIBUTE_CACHED;
	sample.info.type = HDMABUF_TYPE_CYCLIC;
	sample.info.cyclic = (struct hdmabuf_cyclic_info){ 1, 1, 1, 1, 1, 0 };
	assert_int_equal(sample_export(&sample, &pair.front), -EOPNOTSUPP);
	sample_free(&sample);
	pair_check(&pair);
	pair_close(&pair);
}

/* ---- asking -------------------------------------------------------------- */

static void check_query(struct pair *pair, struct end *asker,
			struct hdmabuf_buffer *buffer, uint32_t state,
			uint64_t hand_offs)
{
	unsigned int queried = asker->seen.queried;

	assert_int_equal(hdmabuf_buffer_query(buffer), 0);
	pair_wait(pair, &asker->seen.queried, queried + 1);
	assert_int_equal(asker->seen.fault.status, 0);
	assert_int_equal(asker->seen.query.state, state);
	assert_int_equal(asker->seen.query.hand_offs, hand_offs);
	assert_int_equal(asker->seen.query.size, 3 * PAGE);
	assert_int_equal(asker->seen.query.pages, 3);
	assert_int_equal(asker->seen.query.rights, HDMABUF_RIGHTS_READ_WRITE);
	assert_int_equal(asker->seen.query.type, HDMABUF_TYPE_RAW);
}

static void test_query(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;
	void *data;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.back, &sample, 3 * PAGE,
			    HDMABUF_RIGHTS_READ_WRITE);
	check_query(&pair, &pair.back, sample.buffer, HDMABUF_BUFFER_IMPORTED,
		    0);
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false);
	pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false);
	check_query(&pair, &pair.back, sample.buffer, HDMABUF_BUFFER_MAPPED, 2);
	pair_hand_off(buffer, NULL, 0, NULL, 0, 0, false);
	check_query(&pair, &pair.front, buffer, HDMABUF_BUFFER_LIVE, 1);
	pair.front.policy.keep = true;
	assert_int_equal(hdmabuf_unexport(sample.buffer, 5000), 0);
	pair_wait(&pair, &pair.front.seen.retired, 1);
	check_query(&pair, &pair.front, buffer, HDMABUF_BUFFER_RETIRING, 1);
	check_query(&pair, &pair.back, sample.buffer, HDMABUF_BUFFER_RETIRING,
		    2);
	hdmabuf_buffer_release(buffer);
	pair_wait(&pair, &pair.back.seen.released, 1);
	sample_free(&sample);
	pair_close(&pair);
}

static void test_cpu_access(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.back, &sample, 3 * PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_buffer_cpu_access(buffer, true, 16, 1920,
						   HDMABUF_ACCESS_READ),
			 0);
	pair_wait(&pair, &pair.back.seen.cpu_accesses, 1);
	assert_true(pair.back.seen.cpu_begin);
	assert_int_equal(pair.back.seen.cpu_offset, 16);
	assert_int_equal(pair.back.seen.cpu_octets, 1920);
	assert_int_equal(pair.back.seen.cpu_access, HDMABUF_ACCESS_READ);
	assert_int_equal(hdmabuf_buffer_cpu_access(buffer, false, 16, 1920,
						   HDMABUF_ACCESS_READ),
			 0);
	pair_wait(&pair, &pair.back.seen.cpu_accesses, 2);
	assert_false(pair.back.seen.cpu_begin);
	assert_int_equal(pair.front.seen.refused, 0);

	/* Not by the importer, who may not write; not beyond the end. */
	assert_int_equal(hdmabuf_buffer_cpu_access(buffer, true, 0, 1,
						   HDMABUF_ACCESS_WRITE),
			 0);
	pair_wait(&pair, &pair.front.seen.refused, 1);
	assert_int_equal(pair.front.seen.fault.status, HDMABUF_STATUS_DENIED);
	assert_int_equal(pair.front.seen.answered_operation,
			 HDMABUF_OP_CPU_BEGIN);
	assert_ptr_equal(pair.front.seen.answered_buffer, buffer);
	assert_int_equal(hdmabuf_buffer_cpu_access(buffer, true, 3 * PAGE, 1,
						   HDMABUF_ACCESS_READ),
			 0);
	pair_wait(&pair, &pair.front.seen.refused, 2);
	assert_int_equal(pair.front.seen.fault.status, HDMABUF_STATUS_INVALID);

	/* Whose processor may write; and the application may say no. */
	pair.front.policy.cpu_status = HDMABUF_STATUS_FAILED;
	assert_int_equal(hdmabuf_buffer_cpu_access(
				 sample.buffer, true, 0, 3 * PAGE,
				 HDMABUF_ACCESS_READ | HDMABUF_ACCESS_WRITE),
			 0);
	pair_wait(&pair, &pair.back.seen.refused, 1);
	assert_int_equal(pair.back.seen.fault.status, HDMABUF_STATUS_FAILED);
	pair_unshare(&pair, &pair.back, &sample);
	pair_close(&pair);
}

/* ---- allocation ---------------------------------------------------------- */

static void check_allocate(struct pair *pair, struct end *asker)
{
	struct end *giver = pair_other(pair, asker);
	struct hdmabuf_allocate_body wish = {
		.size = 5 * PAGE,
		.tag = 77,
		.rights = HDMABUF_RIGHTS_READ_WRITE,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
	};
	struct hdmabuf_buffer *buffer;
	unsigned int released = giver->seen.released;
	void *data;

	assert_int_equal(hdmabuf_session_allocate(asker->session, &wish), 0);
	pair_wait(pair, &asker->seen.allocated, asker->seen.allocated + 1);
	assert_int_equal(asker->seen.fault.status, 0);
	pair_wait(pair, &giver->seen.exported, giver->seen.exported + 1);
	assert_int_equal(giver->seen.wish.tag, 77);
	buffer = asker->seen.buffer;
	assert_memory_equal(hdmabuf_buffer_id(buffer),
			    &asker->seen.allocated_id, 16);
	assert_int_equal(hdmabuf_buffer_info(buffer)->size, 5 * PAGE);
	assert_int_equal(hdmabuf_buffer_info(buffer)->tag, 77);
	assert_int_equal(hdmabuf_buffer_map(buffer, &data), 0);
	memset(data, 3, 5 * PAGE);
	hdmabuf_buffer_release(buffer);
	pair_wait(pair, &giver->seen.released, released + 1);
}

static void test_allocate(void **state)
{
	struct pair pair = { 0 };

	(void)state;
	pair_connect(&pair, NULL, NULL);
	check_allocate(&pair, &pair.front);
	check_allocate(&pair, &pair.back);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_close(&pair);
}

static void check_wish(struct pair *pair, struct hdmabuf_allocate_body wish,
		       uint16_t status)
{
	unsigned int allocated = pair->front.seen.allocated;

	assert_int_equal(hdmabuf_session_allocate(pair->front.session, &wish),
			 0);
	pair_wait(pair, &pair->front.seen.allocated, allocated + 1);
	assert_int_equal(pair->front.seen.fault.status, status);
}

static void test_refused_allocations(void **state)
{
	struct hdmabuf_allocate_body good = {
		.size = PAGE,
		.rights = HDMABUF_RIGHTS_READ_WRITE,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
	};
	struct hdmabuf_allocate_body wish;
	struct hdmabuf_config config;
	struct pair pair = { 0 };

	(void)state;
	hdmabuf_config_init(&config);
	config.limits.max_octets = 4 * PAGE;
	pair_connect(&pair, &config, NULL);
	wish = good;
	wish.size = 0;
	check_wish(&pair, wish, HDMABUF_STATUS_INVALID);
	wish.width = 3;
	check_wish(&pair, wish, HDMABUF_STATUS_INVALID);
	wish = good;
	wish.rights = 0;
	check_wish(&pair, wish, HDMABUF_STATUS_INVALID);
	wish = good;
	wish.attributes = 3;
	check_wish(&pair, wish, HDMABUF_STATUS_INVALID);
	/* Nothing is allocated that the asker could not import. */
	wish = good;
	wish.size = 4 * PAGE + 1;
	check_wish(&pair, wish, HDMABUF_STATUS_LIMIT);
	wish.size = UINT64_MAX;
	check_wish(&pair, wish, HDMABUF_STATUS_LIMIT);
	assert_int_equal(pair.back.seen.allocates, 0);
	pair.back.policy.allocate_status = HDMABUF_STATUS_DENIED;
	check_wish(&pair, good, HDMABUF_STATUS_DENIED);
	assert_int_equal(pair.back.seen.allocates, 1);
	pair.back.policy.allocate_status = 0;
	check_wish(&pair, good, HDMABUF_STATUS_OK);
	assert_int_equal(pair.back.seen.allocates, 2);
	pair_wait(&pair, &pair.front.seen.imported, 1);
	pair_close(&pair);
}

/* ---- releasing ----------------------------------------------------------- */

static void test_unexport_unmapped(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	pair.back.policy.keep = true;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &sample, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 123), 0);
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_RETIRING);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 123), -EINVAL);
	pair_wait(&pair, &pair.front.seen.released, 1);
	assert_int_equal(pair.back.seen.retired, 1);
	assert_int_equal(pair.back.seen.grace_ms, 123);
	assert_int_equal(pair.front.seen.quarantined, 0);
	/* The handle lasts until it is let go, good for nothing. */
	assert_int_equal(hdmabuf_buffer_state(pair.back.seen.buffer),
			 HDMABUF_BUFFER_NONE);
	assert_int_equal(hdmabuf_buffer_map(pair.back.seen.buffer,
					    &(void *){ NULL }),
			 -EINVAL);
	assert_int_equal(hdmabuf_buffer_query(pair.back.seen.buffer),
			 -ENOTCONN);
	hdmabuf_buffer_release(pair.back.seen.buffer);
	sample_free(&sample);
	pair_check(&pair);
	assert_int_equal(pair.front.seen.refused + pair.back.seen.refused, 0);
	pair_close(&pair);
}

static void test_unexport_mapped(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;

	(void)state;
	pair.back.policy.keep = true;
	pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 5000), 0);
	pair_wait(&pair, &pair.back.seen.retired, 1);
	pair_run(&pair);
	assert_int_equal(pair.front.seen.released, 0);
	assert_int_equal(hdmabuf_buffer_state(buffer), HDMABUF_BUFFER_RETIRING);
	assert_true(sample_is_at(hdmabuf_buffer_data(buffer), PAGE));
	assert_int_equal(pair_hand_off(buffer, NULL, 0, NULL, 0, 0, false),
			 -EACCES);
	hdmabuf_buffer_release(buffer);
	pair_wait(&pair, &pair.front.seen.released, 1);
	assert_int_equal(pair.front.seen.quarantined, 0);
	sample_free(&sample);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_close(&pair);
}

/* To unmap what the peer wants back is as good as to release it. */
static void test_unmap_after_unexport(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;

	(void)state;
	pair.back.policy.keep = true;
	pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 5000), 0);
	pair_wait(&pair, &pair.back.seen.retired, 1);
	hdmabuf_buffer_unmap(buffer);
	pair_wait(&pair, &pair.front.seen.released, 1);
	assert_int_equal(hdmabuf_buffer_state(buffer), HDMABUF_BUFFER_NONE);
	hdmabuf_buffer_release(buffer);
	sample_free(&sample);
	pair_check(&pair);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_close(&pair);
}

/* Beyond the grace period, the pages stay out of use until the late word comes. */
static void test_quarantine(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	uint32_t buffers;
	uint64_t octets;

	(void)state;
	pair.back.policy.keep = true;
	pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	pair_share(&pair, &pair.front, &sample, 2 * PAGE + 1,
		   HDMABUF_RIGHTS_READ_ONLY);
	hdmabuf_endpoint_quarantined(pair.front.endpoint, &buffers, &octets);
	assert_int_equal(buffers, 0);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 1), 0);
	pair_wait(&pair, &pair.front.seen.quarantined, 1);
	assert_int_equal(pair.front.seen.released, 0);
	assert_int_equal(hdmabuf_buffer_state(sample.buffer),
			 HDMABUF_BUFFER_QUARANTINED);
	hdmabuf_endpoint_quarantined(pair.front.endpoint, &buffers, &octets);
	assert_int_equal(buffers, 1);
	assert_int_equal(octets, 3 * PAGE);
	pair_check(&pair);
	hdmabuf_buffer_release(pair.back.seen.buffer);
	pair_wait(&pair, &pair.front.seen.released, 1);
	assert_int_equal(pair.front.seen.quarantined, 1);
	hdmabuf_endpoint_quarantined(pair.front.endpoint, &buffers, &octets);
	assert_int_equal(buffers, 0);
	assert_int_equal(octets, 0);
	assert_int_equal(pair.back.seen.refused, 0);
	sample_free(&sample);
	pair_close(&pair);
}

/* An importer may be done with a buffer by itself. */
static void check_release_unasked(bool mapped)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;

	pair.front.policy.map = mapped;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.back, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_WRITE);
	hdmabuf_buffer_release(buffer);
	pair_wait(&pair, &pair.back.seen.released, 1);
	assert_ptr_equal(pair.back.seen.released_buffer, sample.buffer);
	assert_int_equal(pair.back.seen.quarantined, 0);
	assert_int_equal(pair.back.seen.refused + pair.front.seen.refused, 0);
	sample_free(&sample);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_release_unasked(void **state)
{
	(void)state;
	check_release_unasked(false);
	check_release_unasked(true);
}

/* RELEASED and a request for the same buffer pass each other on the way. */
static void test_crossing(void **state)
{
	struct pair pair = { 0 };
	struct sample sample;
	struct hdmabuf_buffer *buffer;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	hdmabuf_buffer_release(buffer);
	assert_int_equal(hdmabuf_unexport(sample.buffer, 100), 0);
	pair_wait(&pair, &pair.front.seen.released, 1);
	pair_run(&pair);
	/* Nobody has done anything wrong. */
	assert_int_equal(pair.front.seen.refused, 0);
	assert_int_equal(pair.back.seen.refused, 0);
	sample_free(&sample);

	buffer = pair_share(&pair, &pair.front, &sample, PAGE,
			    HDMABUF_RIGHTS_READ_ONLY);
	hdmabuf_buffer_release(buffer);
	assert_int_equal(
		pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false), 0);
	pair_wait(&pair, &pair.front.seen.released, 2);
	pair_run(&pair);
	assert_int_equal(pair.back.seen.refused, 0);
	sample_free(&sample);
	pair_check(&pair);
	pair_close(&pair);
}

/* Many buffers, both ways, and the ring no bigger than it is. */
static void test_many(void **state)
{
	struct pair pair = { 0 };
	struct sample samples[100];
	unsigned int i;

	(void)state;
	pair.back.policy.map = true;
	pair_connect(&pair, NULL, NULL);
	for (i = 0; i < 100; i++)
		pair_share(&pair, i % 2 ? &pair.front : &pair.back, &samples[i],
			   PAGE, HDMABUF_RIGHTS_READ_ONLY);
	for (i = 0; i < 100; i++) {
		while (hdmabuf_unexport(samples[i].buffer, 5000) == -EAGAIN)
			assert_true(pair_step(&pair, 1000));
	}
	pair_wait(&pair, &pair.front.seen.released, 50);
	pair_wait(&pair, &pair.back.seen.released, 50);
	for (i = 0; i < 100; i++)
		sample_free(&samples[i]);
	assert_int_equal(pair.front.seen.errors, 0);
	assert_int_equal(pair.back.seen.errors, 0);
	pair_check(&pair);
	pair_close(&pair);
}

static void test_statistics(void **state)
{
	const struct hdmabuf_statistics *front, *back;
	struct pair pair = { 0 };
	struct sample sample;

	(void)state;
	pair_connect(&pair, NULL, NULL);
	front = hdmabuf_session_statistics(pair.front.session);
	back = hdmabuf_session_statistics(pair.back.session);
	/* HELLO */
	assert_int_equal(front->requests_sent, 1);
	assert_int_equal(back->requests_received, 1);
	pair_share(&pair, &pair.front, &sample, PAGE + 1,
		   HDMABUF_RIGHTS_READ_ONLY);
	pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false);
	pair_hand_off(sample.buffer, NULL, 0, NULL, 0, 0, false);
	pair_wait(&pair, &pair.back.seen.handed_off, 2);
	assert_int_equal(front->requests_sent, 4);
	assert_int_equal(back->requests_received, 4);
	assert_int_equal(front->hand_offs_sent, 2);
	assert_int_equal(back->hand_offs_received, 2);
	assert_int_equal(front->octets_shared, PAGE + 1);
	assert_int_equal(back->octets_shared, PAGE + 1);
	assert_true(front->notifications_sent);
	assert_true(back->notifications_received);
	pair_unshare(&pair, &pair.front, &sample);
	pair_close(&pair);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_list_is_the_fallback),
		cmocka_unit_test(test_description),
		cmocka_unit_test(test_cyclic),
		cmocka_unit_test(test_surroundings_are_zero),
		cmocka_unit_test(test_read_only_is_read_only),
		cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_refused_export),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_wait_point),
		cmocka_unit_test(test_hand_back),
		cmocka_unit_test(test_lend),
		cmocka_unit_test(test_unexport_of_lent),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_group_is_at_most_four),
		cmocka_unit_test(test_group_member_released),
		cmocka_unit_test(test_group_without_feature),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_refused_update),
		cmocka_unit_test(test_release_in_updated),
		cmocka_unit_test(test_forbidden_updates),
		cmocka_unit_test(test_update_without_feature),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_cpu_access),
		cmocka_unit_test(test_allocate),
		cmocka_unit_test(test_refused_allocations),
		cmocka_unit_test(test_unexport_unmapped),
		cmocka_unit_test(test_unexport_mapped),
		cmocka_unit_test(test_unmap_after_unexport),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_release_unasked),
		cmocka_unit_test(test_crossing),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_statistics),
	};

	return hdmabuf_test_run("session_buffer", tests,
				sizeof(tests) / sizeof(tests[0]));
}
