/* SPDX-License-Identifier: MIT */
/* 32-bit references, as they lie in the pages of a LIST or TABLE. */
#include "lib/core/directory_formats.h"

/*
 * Consecutive references are written and compared in blocks of a fixed length,
 * which a compiler turns into vectors.
 */
#define BLOCK 32

static void put_consecutive(hdmabuf_le32 *word, uint32_t first, uint32_t count)
{
	uint32_t i;

	for (; count >= BLOCK; count -= BLOCK, word += BLOCK, first += BLOCK) {
		for (i = 0; i < BLOCK; i++)
			word[i] = hdmabuf_put_le32(first + i);
	}
	for (i = 0; i < count; i++)
		word[i] = hdmabuf_put_le32(first + i);
}

void hdmabuf_references_put(struct hdmabuf_directory_writer *writer,
			    hdmabuf_le32 *word, uint32_t count)
{
	const struct hdmabuf_run *run = writer->run;
	uint64_t done = writer->done;

	while (count) {
		uint32_t first = (uint32_t)(run->reference + done);
		uint32_t here = hdmabuf_entries_here(run->count - done, count);

		if (here == 1)
			*word = hdmabuf_put_le32(first);
		else
			put_consecutive(word, first, here);
		word += here;
		count -= here;
		done += here;
		if (done == run->count) {
			run++;
			done = 0;
		}
	}
	writer->run = run;
	writer->done = done;
}

/* Whether each of a block is one more than the one before it. */
static bool is_block(const hdmabuf_le32 *word)
{
	uint32_t differ = 0;
	int i;

	/*@ loop invariant 0 <= i <= BLOCK;
	    loop assigns i, differ;
	    loop variant BLOCK - i; */
	for (i = 0; i < BLOCK; i++)
		differ |= (hdmabuf_get_le32(word[i]) -
			   hdmabuf_get_le32(word[i - 1])) ^
			  1;
	return differ == 0;
}

/* How many references, of @count, follow each other from the first on. */
static uint32_t consecutive(const hdmabuf_le32 *word, uint32_t count)
{
	uint32_t first = hdmabuf_get_le32(*word);
	uint32_t i = 1;

	if (count == 1 || hdmabuf_get_le32(word[1]) != first + 1)
		return 1;
	/*@ loop invariant 1 <= i <= count;
	    loop assigns i;
	    loop variant count - i; */
	while (count - i >= BLOCK && is_block(word + i))
		i += BLOCK;
	/*@ loop invariant 1 <= i <= count;
	    loop assigns i;
	    loop variant count - i; */
	while (i < count && hdmabuf_get_le32(word[i]) == first + i)
		i++;
	return i;
}

/* HDB-EXP-005 */
static uint16_t check_rest(const hdmabuf_le32 *word, uint32_t count,
			   uint32_t fit, uint64_t entry, uint64_t span,
			   struct hdmabuf_fault *fault)
{
	/*@ loop invariant \at(count, Pre) <= count <= fit;
	    loop invariant all_zero(word, \at(count, Pre), count);
	    loop assigns count;
	    loop variant fit - count; */
	for (; count < fit; count++) {
		if (word[count])
			return hdmabuf_directory_fault(
				fault, HDMABUF_STATUS_RESERVED,
				entry + count * span,
				hdmabuf_get_le32(word[count]));
	}
	return HDMABUF_STATUS_OK;
}

/*
 * HDB-IMP-012. Of consecutive references, the first that is too great comes at
 * the latest where they would be 0 again.
 */
static uint16_t bad_reference(uint64_t max, const hdmabuf_le32 *word,
			      uint64_t entry, uint64_t span,
			      struct hdmabuf_fault *fault)
{
	uint64_t first = hdmabuf_get_le32(*word);
	uint32_t bad = first && first <= max ? (uint32_t)(max - first + 1) : 0;

	return hdmabuf_directory_fault(fault, HDMABUF_STATUS_BAD_REFERENCE,
				       entry + bad * span,
				       hdmabuf_get_le32(word[bad]));
}

/* What would go on with the last run; 0, which is no reference, if there is none. */
static uint64_t next_reference(const struct hdmabuf_directory_reader *reader)
{
	const struct hdmabuf_run *run;

	if (!reader->run_count)
		return 0;
	run = &reader->runs[reader->run_count - 1];
	return run->reference + run->count;
}

uint16_t hdmabuf_references_take(struct hdmabuf_directory_reader *reader,
				 const hdmabuf_le32 *word, uint32_t count,
				 uint32_t fit, uint64_t entry, uint64_t span,
				 struct hdmabuf_fault *fault)
{
	uint64_t max = reader->reference_max;
	uint64_t next = next_reference(reader);
	uint32_t i, here;

	if (check_rest(word, count, fit, entry, span, fault))
		return fault->status;
	for (i = 0; i < count; i += here) {
		uint64_t first = hdmabuf_get_le32(word[i]);

		here = consecutive(word + i, count - i);
		if (!first || first + here - 1 > max)
			return bad_reference(max, word + i, entry + i * span,
					     span, fault);
		if (first == next)
			reader->runs[reader->run_count - 1].count += here;
		else if (!hdmabuf_reader_add(reader, first, here))
			return hdmabuf_reader_full(fault);
		next = first + here;
	}
	return HDMABUF_STATUS_OK;
}
