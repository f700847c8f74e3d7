/* SPDX-License-Identifier: MIT */
/*
 * No word of shared memory is read twice on a receive path (HDB-BOTH-009,
 * HDB-BE-001, HDB-IMP-002): between two looks, the other end may change it.
 *
 * Each path is run under valgrind's tool lackey, which tells every load of the
 * machine's code, whatever the compiler has made of the source. Shared memory is at
 * a fixed address; a store to the page before it begins the receiving, another ends
 * it. Within, no octet may be loaded twice, and those that the path is about must
 * be loaded. A producer index is no exception: one call looks at it once.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hdmabuf/channel.h>
#include <hdmabuf/descriptor.h>
#include <hdmabuf/directory.h>
#include <hdmabuf/gref_directory.h>
#include <hdmabuf/ring.h>
#include <hdmabuf/timeline.h>

#include "lib/session/internal.h"

#include "harness.h"

#define PAGE	     4096u
#define SHIFT	     12
#define MARKER	     0x2a0000000ul
#define SHARED	     (MARKER + PAGE)
#define SHARED_PAGES 8
#define SHARED_SIZE  (SHARED_PAGES * PAGE)
#define ENTRIES	     3000
#define LINKED	     300
#define DIRECTORY    50 /* the reference of a directory's first page */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static char *shared_page(uint32_t page)
{
	return (char *)SHARED + (size_t)page * PAGE;
}

static void expect(bool condition)
{
	if (!condition)
		exit(3);
}

/* ---- What is received, and how ------------------------------------------- */

/* Private memory of a path, and what was prepared in it. */
struct work {
	struct hdmabuf_ring requester;
	struct hdmabuf_ring responder;
	struct hdmabuf_layout layout;
	struct hdmabuf_directory_reader reader;
	struct hdmabuf_run runs[ENTRIES];
	struct hdmabuf_gref_walk walk;
	struct hdmabuf_offer offer;
	struct hdmabuf_id id;
	uint32_t references[ENTRIES];
	uint32_t length;
	uint64_t private[512];
	union hdmabuf_message message;
	struct hdmabuf_fault fault;
};

struct path {
	const char *name;
	void (*prepare)(struct work *work);
	void (*receive)(struct work *work);
	uint32_t octets; /* that it reads, at least */
};

static void prepare_rings_of(struct work *work, uint32_t format)
{
	hdmabuf_ring_format(shared_page(0), PAGE, format, 7);
	hdmabuf_ring_init(&work->requester, shared_page(0), PAGE, format, 7);
	hdmabuf_ring_init(&work->responder, shared_page(0), PAGE, format, 7);
}

static void prepare_rings(struct work *work)
{
	prepare_rings_of(work, HDMABUF_RING_FORMAT_0);
}

static void prepare_marked_rings(struct work *work)
{
	prepare_rings_of(work, HDMABUF_RING_FORMAT_1);
}

static void send_request(struct work *work)
{
	hdmabuf_ring_put_request(&work->requester, &work->message);
	hdmabuf_ring_push_requests(&work->requester);
}

static void prepare_request(struct work *work)
{
	prepare_rings(work);
	send_request(work);
}

static void prepare_marked_request(struct work *work)
{
	prepare_marked_rings(work);
	send_request(work);
}

static void receive_request(struct work *work)
{
	expect(hdmabuf_ring_take_request(&work->responder, &work->message) ==
	       HDMABUF_RING_TAKEN);
}

static void prepare_answer(struct work *work)
{
	prepare_request(work);
	receive_request(work);
	hdmabuf_ring_put_answer(&work->responder, &work->message);
	hdmabuf_ring_push_answers(&work->responder);
}

static void prepare_marked_answer(struct work *work)
{
	prepare_marked_request(work);
	receive_request(work);
	hdmabuf_ring_put_answer(&work->responder, &work->message);
	hdmabuf_ring_push_answers(&work->responder);
}

/* Three requests that one mark counts. */
static void prepare_marked_batch(struct work *work)
{
	prepare_marked_rings(work);
	hdmabuf_ring_put_request(&work->requester, &work->message);
	hdmabuf_ring_put_request(&work->requester, &work->message);
	send_request(work);
}

static void receive_batch(struct work *work)
{
	receive_request(work);
	receive_request(work);
	receive_request(work);
}

static void receive_answer(struct work *work)
{
	expect(hdmabuf_ring_take_answer(&work->requester, &work->message) ==
	       HDMABUF_RING_TAKEN);
}

static void receive_look(struct work *work)
{
	expect(hdmabuf_ring_has_request(&work->responder) ==
	       HDMABUF_RING_TAKEN);
}

static void prepare_broken(struct work *work)
{
	struct hdmabuf_ring_indices *indices = (void *)shared_page(0);

	prepare_rings(work);
	hdmabuf_shared_write(&indices->req_prod, 107);
}

static void prepare_broken_mark(struct work *work)
{
	prepare_marked_rings(work);
	*(shared_page(0) + 128 + 64 * 7 + 7) = 33;
}

static void receive_broken(struct work *work)
{
	expect(hdmabuf_ring_take_request(&work->responder, &work->message) ==
	       HDMABUF_RING_BROKEN);
}

static void receive_push(struct work *work)
{
	hdmabuf_ring_put_request(&work->requester, &work->message);
	hdmabuf_ring_push_requests(&work->requester);
}

static void receive_arm(struct work *work)
{
	hdmabuf_ring_arm_requests(&work->responder);
}

static void prepare_directory(struct work *work, uint32_t format,
			      uint64_t entries)
{
	uint64_t own[SHARED_PAGES];
	uint32_t i;

	for (i = 0; i < SHARED_PAGES; i++)
		own[i] = DIRECTORY + i;
	for (i = 0; i < entries; i++)
		work->runs[i] = (struct hdmabuf_run){ .reference = 100 + 2 * i,
						      .count = 1 };
	work->layout = (struct hdmabuf_layout){
		.page_shift = SHIFT,
		.pages = entries,
		.entries = entries,
		.directory = DIRECTORY,
		.directory_format = format,
	};
	expect(hdmabuf_directory_pages(format, entries, SHIFT,
				       &work->layout.directory_pages));
	expect(hdmabuf_directory_build(format, work->runs, entries, SHIFT, own,
				       shared_page(0),
				       work->layout.directory_pages));
	memset(work->runs, 0, sizeof(work->runs));
}

static void prepare_list(struct work *work)
{
	prepare_directory(work, HDMABUF_DIRECTORY_LIST, ENTRIES);
}

static void prepare_table(struct work *work)
{
	prepare_directory(work, HDMABUF_DIRECTORY_TABLE, ENTRIES);
}

static void prepare_extents(struct work *work)
{
	prepare_directory(work, HDMABUF_DIRECTORY_EXTENTS, LINKED);
}

static void feed(struct work *work, uint64_t reference)
{
	expect(!hdmabuf_directory_feed(
		&work->reader, shared_page((uint32_t)reference - DIRECTORY),
		work->private, &work->fault));
}

static void receive_directory(struct work *work)
{
	struct hdmabuf_run wanted[SHARED_PAGES];
	uint64_t pages, i;
	size_t count, run;

	hdmabuf_directory_begin(&work->reader, &work->layout, UINT32_MAX,
				work->runs, ENTRIES);
	while ((count = hdmabuf_directory_wanted(&work->reader, wanted,
						 SHARED_PAGES, &pages))) {
		for (run = 0; run < count; run++)
			for (i = 0; i < wanted[run].count; i++)
				feed(work, wanted[run].reference + i);
	}
	expect(work->reader.data_pages == work->layout.pages);
}

static void receive_gref(struct work *work)
{
	expect(!hdmabuf_gref_begin(&work->walk, DIRECTORY, work->references,
				   ENTRIES, &work->fault));
	while (hdmabuf_gref_next(&work->walk))
		expect(!hdmabuf_gref_read(
			&work->walk,
			shared_page(hdmabuf_gref_next(&work->walk) - DIRECTORY),
			&work->fault));
}

static void receive_gref_take(struct work *work)
{
	expect(!hdmabuf_gref_take(shared_page(0), work->references, ENTRIES,
				  &work->fault));
}

static void prepare_channel(struct work *work)
{
	struct hdmabuf_channel_info info = {
		.version = 1,
		.epoch_frontend = 5,
		.epoch_backend = 6,
		.page_shift = SHIFT,
		.timeline_pages = 1,
		.references = 4,
		.reference = { 1, 2, 3, 4 },
	};

	work->offer = (struct hdmabuf_offer){
		.version_min = 1,
		.version_max = 1,
		.ring_formats = 1,
		.timeline_max = 1,
		.epoch = 6,
	};
	hdmabuf_channel_encode(&info, shared_page(0));
}

/* The copy is the session's, the decoding lib/core's. */
static void receive_channel(struct work *work)
{
	struct hdmabuf_channel_info info;

	copy_once(work->private, shared_page(0),
		  sizeof(struct hdmabuf_channel));
	expect(!hdmabuf_channel_decode((void *)work->private, &work->offer, 5,
				       SHIFT, &info, &work->fault));
}

static void prepare_descriptor(struct work *work)
{
	struct hdmabuf_info info = {
		.size = 10 * PAGE,
		.rights = HDMABUF_RIGHTS_READ_ONLY,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.type = HDMABUF_TYPE_RAW,
		.private_data = "so what",
		.private_octets = 7,
	};
	struct hdmabuf_layout layout = {
		.page_shift = SHIFT,
		.pages = 10,
		.entries = 10,
		.directory = 9,
		.directory_pages = 1,
	};

	work->id.octets[0] = 1;
	work->length = hdmabuf_descriptor_encode(&info, &layout, &work->id, 1,
						 shared_page(0));
}

static void receive_descriptor(struct work *work)
{
	struct hdmabuf_info info;
	struct hdmabuf_layout layout;
	uint64_t generation;

	copy_once(work->private, shared_page(0), work->length);
	expect(!hdmabuf_descriptor_decode(work->private, work->length,
					  &work->id, SHIFT, &info, &layout,
					  &generation, &work->fault));
}

static struct hdmabuf_cell *cell(void)
{
	return (struct hdmabuf_cell *)shared_page(0);
}

static void prepare_cell(struct work *work)
{
	(void)work;
	hdmabuf_cell_init(cell(), 0x100000003);
}

/* The error first, as a waiter does. */
static void receive_point(struct work *work)
{
	(void)work;
	expect(!hdmabuf_cell_error(cell()));
	expect(hdmabuf_cell_point(cell(), 0) == 0x100000003);
}

static void receive_new_cell(struct work *work)
{
	(void)work;
	expect(hdmabuf_cell_holds(cell(), 0x100000003));
}

static void receive_wake(struct work *work)
{
	(void)work;
	hdmabuf_cell_signal(cell(), 0x100000003, 0x100000004);
}

/* What the test is there to find: validated in place, then used. */
static void receive_validated_in_place(struct work *work)
{
	const volatile uint32_t *count = (void *)shared_page(0);

	if (*count < ENTRIES)
		work->references[*count] = 1;
}

/* A word, and a part of it that another type has. */
static void receive_overlapping(struct work *work)
{
	const volatile uint64_t *whole = (void *)shared_page(0);
	const volatile uint16_t *part = (void *)(shared_page(0) + 6);

	work->private[0] = *whole;
	work->private[1] = *part;
}

static void prepare_nothing(struct work *work)
{
	(void)work;
	memset(shared_page(0), 0, SHARED_SIZE);
}

static const struct path paths[] = {
	{ "request", prepare_request, receive_request, 68 },
	{ "answer", prepare_answer, receive_answer, 68 },
	{ "look", prepare_request, receive_look, 4 },
	{ "broken_ring", prepare_broken, receive_broken, 4 },
	{ "event", prepare_rings, receive_push, 4 },
	{ "index_before_sleep", prepare_rings, receive_arm, 4 },
	{ "marked_request", prepare_marked_request, receive_request, 64 },
	{ "marked_batch", prepare_marked_batch, receive_batch, 192 },
	{ "marked_answer", prepare_marked_answer, receive_answer, 64 },
	{ "mark_look", prepare_marked_request, receive_look, 4 },
	{ "broken_mark", prepare_broken_mark, receive_broken, 4 },
	{ "event_beside_marks", prepare_marked_rings, receive_push, 4 },
	{ "mark_before_sleep", prepare_marked_rings, receive_arm, 4 },
	{ "list", prepare_list, receive_directory, 3 * PAGE },
	{ "table", prepare_table, receive_directory, 4 * PAGE },
	{ "extents", prepare_extents, receive_directory, 2 * PAGE },
	{ "gref_directory", prepare_list, receive_gref, (ENTRIES + 3) * 4 },
	{ "gref_pages", prepare_list, receive_gref_take, ENTRIES * 4 },
	{ "channel_page", prepare_channel, receive_channel,
	  sizeof(struct hdmabuf_channel) },
	{ "descriptor", prepare_descriptor, receive_descriptor, 263 },
	{ "point_and_error", prepare_cell, receive_point, 16 },
	{ "new_cell", prepare_cell, receive_new_cell, 16 },
	{ "wake", prepare_cell, receive_wake, 4 },
};

/* What must be found. */
static const struct path seeded[] = {
	{ "validated_in_place", prepare_nothing, receive_validated_in_place,
	  4 },
	{ "overlapping", prepare_nothing, receive_overlapping, 8 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct path *find_path(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(paths); i++)
		if (!strcmp(paths[i].name, name))
			return &paths[i];
	for (i = 0; i < COUNT(seeded); i++)
		if (!strcmp(seeded[i].name, name))
			return &seeded[i];
	return NULL;
}

/* ---- Under valgrind ------------------------------------------------------ */

static int run_path(const char *name)
{
	static struct work work;
	const struct path *path = find_path(name);
	volatile char *marker;

	marker = mmap((void *)MARKER, PAGE + SHARED_SIZE,
		      PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (!path || marker != (void *)MARKER)
		return 2;
	path->prepare(&work);
	*marker = 1;
	path->receive(&work);
	*marker = 2;
	return 0;
}

/* ---- The judge ----------------------------------------------------------- */

struct loads {
	bool receiving;
	unsigned int markers;
	unsigned int times[SHARED_SIZE];
};

static void note_load(struct loads *loads, unsigned long address,
		      unsigned long octets)
{
	for (; octets--; address++)
		if (address >= SHARED && address < SHARED + SHARED_SIZE)
			loads->times[address - SHARED]++;
}

/* " L address,octets" is a load, " S" a store, " M" both. */
static void note_line(struct loads *loads, const char *line)
{
	unsigned long address, octets;
	char kind;

	if (sscanf(line, " %c %lx,%lu", &kind, &address, &octets) != 3)
		return;
	if (kind == 'S' && address == MARKER) {
		loads->receiving = !loads->receiving;
		loads->markers++;
	}
	if (loads->receiving && (kind == 'L' || kind == 'M'))
		note_load(loads, address, octets);
}

static void watch_path(const struct path *path, struct loads *loads)
{
	char command[512], self[256] = "", *line = NULL;
	size_t room = 0;
	FILE *trace;

	if (SANITIZED)
		hdmabuf_test_skip("built with a sanitizer, which valgrind "
				  "cannot run");
	if (system("valgrind --version >/dev/null 2>&1"))
		hdmabuf_test_skip("there is no valgrind");
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(command, sizeof(command),
		 "valgrind --tool=lackey --basic-counts=no --trace-mem=yes "
		 "'%s' --receive '%s' 2>&1",
		 self, path->name);
	trace = popen(command, "r");
	assert_non_null(trace);
	while (getline(&line, &room, trace) > 0)
		note_line(loads, line);
	free(line);
	assert_int_equal(pclose(trace), 0);
	assert_int_equal(loads->markers, 2);
}

static uint32_t count_loaded(const struct loads *loads, unsigned int least)
{
	uint32_t count = 0, i;

	for (i = 0; i < SHARED_SIZE; i++)
		count += loads->times[i] >= least;
	return count;
}

static uint32_t first_twice(const struct loads *loads)
{
	uint32_t i;

	for (i = 0; i < SHARED_SIZE && loads->times[i] < 2; i++)
		;
	return i;
}

static void reads_once(void **state)
{
	const struct path *path = *state;
	static struct loads loads;

	watch_path(path, &loads);
	if (count_loaded(&loads, 2))
		fail_msg(
			"%s: the octet at %u of shared memory is read %u times",
			path->name, first_twice(&loads),
			loads.times[first_twice(&loads)]);
	if (count_loaded(&loads, 1) < path->octets)
		fail_msg("%s: %u octets are read, not %u", path->name,
			 count_loaded(&loads, 1), path->octets);
}

/* The judge itself: these do read twice. */
static void finds_double_fetch(void **state)
{
	static struct loads loads;

	watch_path(&seeded[0], &loads);
	assert_int_equal(count_loaded(&loads, 2), 4);
	assert_int_equal(first_twice(&loads), 0);
	(void)state;
}

static void finds_overlapping_fetch(void **state)
{
	static struct loads loads;

	watch_path(&seeded[1], &loads);
	assert_int_equal(count_loaded(&loads, 2), 2);
	assert_int_equal(first_twice(&loads), 6);
	(void)state;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[COUNT(paths) + 2] = {
		cmocka_unit_test(finds_double_fetch),
		cmocka_unit_test(finds_overlapping_fetch),
	};
	size_t i;

	if (argc == 3 && !strcmp(argv[1], "--receive"))
		return run_path(argv[2]);
	for (i = 0; i < COUNT(paths); i++)
		tests[i + 2] = (struct CMUnitTest){
			.name = paths[i].name,
			.test_func = reads_once,
			.initial_state = (void *)&paths[i],
		};
	return hdmabuf_test_run("double_fetch", tests, COUNT(tests));
}
