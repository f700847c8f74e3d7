/* SPDX-License-Identifier: MIT */
/* paths.c - what is sent and described again and again in the benchmark */
#include <string.h>

#include "bench/measure.h"
#include "bench/paths.h"

#define FIRST_REFERENCE 1000
#define OWN_REFERENCE	500000

static void choose_references(struct described *it, bool scattered)
{
	uint64_t i;

	it->run_count = scattered ? FRAME_PAGES : 1;
	it->runs[0] = (struct hdmabuf_run){ FIRST_REFERENCE, FRAME_PAGES };
	/* 4421 has no divisor in common with the number of pages. */
	for (i = 0; scattered && i < FRAME_PAGES; i++)
		it->runs[i] = (struct hdmabuf_run){
			FIRST_REFERENCE + 2 * (i * 4421 % FRAME_PAGES), 1
		};
}

void described_init(struct described *it, uint32_t format, bool scattered)
{
	struct hdmabuf_layout *layout = &it->layout;
	uint32_t i;

	memset(it, 0, sizeof(*it));
	choose_references(it, scattered);
	for (i = 0; i < DIRECTORY_PAGES; i++)
		it->own[i] = OWN_REFERENCE + i;
	memset(&it->id, 0x5a, sizeof(it->id));
	it->info = (struct hdmabuf_info){
		.size = FRAME_OCTETS,
		.rights = HDMABUF_RIGHTS_READ_ONLY,
		.attributes = HDMABUF_ATTRIBUTE_CACHED,
		.directory_format = format,
		.type = HDMABUF_TYPE_PICTURE,
		.picture = { .width = 3840,
			     .height = 2160,
			     .fourcc = 0x34325258 /* XR24 */,
			     .planes = 1,
			     .plane_count = 1,
			     .plane = { { .stride = 3840 * 4 } } },
	};
	*layout = (struct hdmabuf_layout){
		.page_shift = PAGE_SHIFT,
		.pages = FRAME_PAGES,
		.entries = format == HDMABUF_DIRECTORY_EXTENTS ? it->run_count :
								 FRAME_PAGES,
		.directory = OWN_REFERENCE,
		.directory_format = format,
	};
	must(hdmabuf_directory_pages(format, layout->entries, PAGE_SHIFT,
				     &layout->directory_pages) &&
		     layout->directory_pages <= DIRECTORY_PAGES,
	     "counting the pages of a directory");
}

void described_build(struct described *it)
{
	must(hdmabuf_directory_build(it->layout.directory_format, it->runs,
				     it->run_count, PAGE_SHIFT, it->own,
				     it->pages, it->layout.directory_pages),
	     "building a directory");
}

void described_read(struct described *it)
{
	struct hdmabuf_directory_reader reader;
	struct hdmabuf_run wanted[DIRECTORY_PAGES];
	struct hdmabuf_fault fault;
	uint64_t pages, i;
	size_t count, run;

	hdmabuf_directory_begin(&reader, &it->layout, UINT32_MAX, it->found,
				FRAME_PAGES);
	while ((count = hdmabuf_directory_wanted(&reader, wanted,
						 DIRECTORY_PAGES, &pages)))
		for (run = 0; run < count; run++)
			for (i = 0; i < wanted[run].count; i++)
				must(!hdmabuf_directory_feed(
					     &reader,
					     it->pages[wanted[run].reference +
						       i - OWN_REFERENCE],
					     it->scratch, &fault),
				     "reading a directory");
	must(reader.run_count == it->run_count, "finding all references");
}

void described_check_unique(struct described *it)
{
	struct hdmabuf_fault fault;

	must(!hdmabuf_runs_unique(it->found, it->run_count, it->sorted, &fault),
	     "finding no page twice");
}

static void fill_id(struct hdmabuf_id *id)
{
	memset(id, 0x5a, sizeof(*id));
}

void hand_off_encode(union hdmabuf_message *message, uint32_t id,
		     uint64_t stamp)
{
	struct hdmabuf_request request = {
		.id = id,
		.operation = HDMABUF_OP_HAND_OFF,
		.hand_off = { .wait_timeline = HDMABUF_NO_TIMELINE,
			      .signal_timeline = HDMABUF_NO_TIMELINE,
			      .stamp = stamp },
	};

	fill_id(&request.buffer);
	hdmabuf_request_encode(&request, message);
}

bool hand_off_answer(const union hdmabuf_message *message,
		     union hdmabuf_message *answer)
{
	struct hdmabuf_request request;
	struct hdmabuf_answer reply = { 0 };
	struct hdmabuf_id known;

	if (hdmabuf_request_decode(message, &request, &reply.fault))
		return false;
	fill_id(&known);
	if (!hdmabuf_id_equal(&request.buffer, &known))
		return false;
	reply.id = request.id;
	reply.operation = request.operation;
	hdmabuf_answer_encode(&reply, answer);
	return true;
}

bool hand_off_is_answered(const union hdmabuf_message *answer, uint32_t id)
{
	struct hdmabuf_answer reply;

	return hdmabuf_answer_decode(answer, &reply) && reply.id == id &&
	       reply.operation == HDMABUF_OP_HAND_OFF && !reply.fault.status;
}
