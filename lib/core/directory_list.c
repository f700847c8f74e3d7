/* SPDX-License-Identifier: MIT */
/* LIST: linked pages of 32-bit references. */
#include "lib/core/directory_formats.h"
#include "lib/core/octets.h"

static uint32_t entries_a_page(uint32_t page_shift)
{
	return HDMABUF_LIST_ENTRIES(1u << page_shift);
}

void hdmabuf_list_write(struct hdmabuf_directory_writer *writer)
{
	uint32_t fit = entries_a_page(writer->page_shift);
	uint64_t left = writer->entries;
	uint32_t page;

	for (page = 0; page < writer->pages; page++) {
		struct hdmabuf_list_page *to =
			hdmabuf_writer_page(writer, page);
		hdmabuf_le32 *word = hdmabuf_list_references(to);
		uint32_t count = hdmabuf_entries_here(left, fit);
		bool last = page + 1 == writer->pages;

		to->next = last ? 0 :
				  hdmabuf_put_le32(
					  (uint32_t)writer->own[page + 1]);
		hdmabuf_references_put(writer, word, count);
		octets_clear(word + count, (fit - count) * sizeof(*word));
		left -= count;
	}
}

uint16_t hdmabuf_list_feed(struct hdmabuf_directory_reader *reader,
			   const void *page, struct hdmabuf_fault *fault)
{
	const struct hdmabuf_list_page *from = page;
	uint32_t fit = entries_a_page(reader->layout.page_shift);
	uint32_t count = hdmabuf_entries_here(
		reader->layout.entries - reader->entries_read, fit);
	uint16_t status;

	status = hdmabuf_references_take(reader,
					 hdmabuf_list_references((void *)page),
					 count, fit, reader->entries_read, 1,
					 fault);
	if (status)
		return status;
	reader->entries_read += count;
	reader->data_pages += count;
	/*@ assert has_runs(reader); */
	return hdmabuf_reader_link(reader, hdmabuf_get_le32(from->next), fault);
}
