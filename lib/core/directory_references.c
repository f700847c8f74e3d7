/* SPDX-License-Identifier: MIT */
/* 32-bit references, as they lie in the pages of a LIST or TABLE. */
#include "lib/core/directory_formats.h"

/*
 * References are written, compared and checked in blocks of a fixed length, which a
 * compiler turns into vectors.
 */
#define BLOCK HDMABUF_DIRECTORY_BLOCK

static void put_consecutive(hdmabuf_le32 *word, uint32_t first, uint32_t count)
{
	uint32_t i;

	for (; count >= BLOCK; count -= BLOCK, word += BLOCK, first += BLOCK) {
		HDMABUF_UNROLL
		for (i = 0; i < BLOCK; i++)
			word[i] = hdmabuf_put_le32(first + i);
	}
	for (i = 0; i < count; i++)
		word[i] = hdmabuf_put_le32(first + i);
}

/* As long as each run is a single reference: how many these are. */
static uint32_t put_singles(hdmabuf_le32 *word, const struct hdmabuf_run *run,
			    uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count && run[i].count == 1; i++)
		word[i] = hdmabuf_put_le32((uint32_t)run[i].reference);
	return i;
}

/* What is left of a run; as before, how many references these are. */
static uint32_t put_run(hdmabuf_le32 *word, const struct hdmabuf_run *run,
			uint64_t done, uint32_t count)
{
	uint32_t here = hdmabuf_entries_here(run->count - done, count);

	put_consecutive(word, (uint32_t)(run->reference + done), here);
	return here;
}

/* Where no run has more than one reference, nothing has to be looked at. */
static void put_scattered(hdmabuf_le32 *word, const struct hdmabuf_run *run,
			  uint32_t count)
{
	uint32_t i;

	for (; count >= BLOCK; count -= BLOCK, word += BLOCK, run += BLOCK) {
		HDMABUF_UNROLL
		for (i = 0; i < BLOCK; i++)
			word[i] = hdmabuf_put_le32((uint32_t)run[i].reference);
	}
	for (i = 0; i < count; i++)
		word[i] = hdmabuf_put_le32((uint32_t)run[i].reference);
}

void hdmabuf_references_put(struct hdmabuf_directory_writer *writer,
			    hdmabuf_le32 *word, uint32_t count)
{
	const struct hdmabuf_run *run = writer->run;
	uint64_t done = writer->done;
	uint32_t here;

	if (writer->scattered) {
		put_scattered(word, run, count);
		writer->run += count;
		return;
	}
	for (; count; word += here, count -= here) {
		here = done ? 0 : put_singles(word, run, count);
		if (here) {
			run += here;
			continue;
		}
		here = put_run(word, run, done, count);
		done += here;
		if (done == run->count) {
			run++;
			done = 0;
		}
	}
	writer->run = run;
	writer->done = done;
}

/* Whether a block has consecutive references: @first, which is at @from, and so on. */
static bool is_block(const hdmabuf_le32 *word, uint32_t from, uint32_t first)
{
	const hdmabuf_le32 *block = word + from;
	uint32_t differ = 0;
	uint32_t i;

	/*@ loop invariant 0 <= i <= BLOCK;
	    loop invariant differ == 0 ==>
		follow(word, from, from + i, first - from);
	    loop assigns i, differ;
	    loop variant BLOCK - i; */
	HDMABUF_UNROLL
	for (i = 0; i < BLOCK; i++)
		differ |= hdmabuf_get_le32(block[i]) ^ (first + i);
	return differ == 0;
}

/* How many references, before @end, follow each other from @from on. */
static uint32_t consecutive(const hdmabuf_le32 *word, uint32_t from,
			    uint32_t end)
{
	uint32_t first = hdmabuf_get_le32(word[from]);
	uint32_t i = from + 1;

	if (i == end || hdmabuf_get_le32(word[i]) != first + 1)
		return 1;
	/*@ loop invariant from < i <= end;
	    loop invariant follow(word, from, i, first - from);
	    loop assigns i;
	    loop variant end - i; */
	while (end - i >= BLOCK && is_block(word, i, first + (i - from)))
		i += BLOCK;
	/*@ loop invariant from < i <= end;
	    loop invariant follow(word, from, i, first - from);
	    loop assigns i;
	    loop variant end - i; */
	while (i < end && hdmabuf_get_le32(word[i]) == first + (i - from))
		i++;
	return i - from;
}

/* HDB-EXP-005 */
static uint16_t check_rest(const hdmabuf_le32 *word, uint32_t count,
			   uint32_t fit, uint64_t entry, uint64_t span,
			   struct hdmabuf_fault *fault)
{
	uint32_t at = hdmabuf_nonzero(word, count, fit);

	if (at == fit)
		return HDMABUF_STATUS_OK;
	return hdmabuf_directory_fault(fault, HDMABUF_STATUS_RESERVED,
				       entry + at * span,
				       hdmabuf_get_le32(word[at]));
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

/*
 * Whether each of the block of references at @from is at most @max, and none follows
 * the one before it, nor does the one behind the block.
 */
static bool is_block_of_singles(const hdmabuf_le32 *word, uint32_t from,
				uint64_t max)
{
	const hdmabuf_le32 *block = word + from;
	uint32_t bits = 0, follows = 0;
	uint32_t i;

	/*@ loop invariant 0 <= i <= BLOCK;
	    loop invariant \forall integer k; from <= k < from + i ==>
		(word[k] >= 1 ? word[k] - 1 <= bits : bits >= 0xffffffff);
	    loop assigns i, bits, follows;
	    loop variant BLOCK - i; */
	HDMABUF_UNROLL
	for (i = 0; i < BLOCK; i++) {
		uint32_t reference = hdmabuf_get_le32(block[i]);

		bits |= reference - 1;
		follows |= -(uint32_t)(hdmabuf_get_le32(block[i + 1]) ==
				       reference + 1);
	}
	return bits < max && !follows;
}

/* Add a block of them to the @used runs. */
static void add_block(struct hdmabuf_run *runs, uint64_t used,
		      const hdmabuf_le32 *word)
{
	struct hdmabuf_run *run = runs + used;
	uint32_t i;

	/*@ loop invariant 0 <= i <= BLOCK;
	    loop invariant \forall integer k; used <= k < used + i ==>
		runs[k].reference == word[k - used] && runs[k].count == 1;
	    loop assigns i, runs[used .. used + BLOCK - 1];
	    loop variant BLOCK - i; */
	HDMABUF_UNROLL
	for (i = 0; i < BLOCK; i++) {
		run[i].reference = hdmabuf_get_le32(word[i]);
		run[i].count = 1;
	}
}

/*
 * Add references, from number @i to @end, as long as each stands alone, between @next
 * and the one behind it, to the @used runs: the number of the first that does not.
 */
static inline __attribute__((__always_inline__)) uint32_t
add_one_by_one(struct hdmabuf_run *runs, uint64_t used,
	       const hdmabuf_le32 *word, uint32_t i, uint32_t end,
	       uint32_t next, uint64_t max)
{
	struct hdmabuf_run *run = runs + used;

	/*@ loop invariant \at(i, Pre) <= i && (i <= end || i == \at(i, Pre));
	    loop invariant \forall integer k; used + \at(i, Pre) <= k < used + i
		==> 1 <= runs[k].reference <= max && runs[k].count == 1 &&
		    runs[k].reference == word[k - used];
	    loop assigns i, next, runs[used + \at(i, Pre) .. used + end - 1];
	    loop variant end - i; */
	for (; i < end; i++) {
		uint32_t first = hdmabuf_get_le32(word[i]);

		if (!first || first > max || first == next ||
		    hdmabuf_get_le32(word[i + 1]) == first + 1)
			break;
		run[i].reference = first;
		run[i].count = 1;
		next = first + 1;
	}
	return i;
}

/*
 * The same, from the first on, of @count for which there is room: how many. If as many
 * as a block do, the next may as well.
 */
static uint32_t add_singles(struct hdmabuf_run *runs, uint64_t used,
			    const hdmabuf_le32 *word, uint32_t count,
			    uint32_t next, uint64_t max)
{
	uint32_t last = count ? count - 1 : 0;
	uint32_t i = add_one_by_one(runs, used, word, 0,
				    hdmabuf_entries_here(last, BLOCK), next,
				    max);

	if (i < BLOCK)
		return i;
	/*@ loop invariant BLOCK <= i < count;
	    loop invariant \forall integer k; used <= k < used + i ==>
		1 <= runs[k].reference <= max && runs[k].count == 1 &&
		runs[k].reference == word[k - used];
	    loop assigns i, runs[used .. used + count - 1];
	    loop variant count - i; */
	while (count - i > BLOCK && is_block_of_singles(word, i, max)) {
		add_block(runs, used + i, word + i);
		i += BLOCK;
	}
	return add_one_by_one(runs, used, word, i, last,
			      hdmabuf_get_le32(word[i - 1]) + 1, max);
}

/* The last of the @used runs goes on, or there is one more: how many there are now. */
static inline uint64_t add_run(struct hdmabuf_run *runs, uint64_t used,
			       bool goes_on, uint64_t first, uint32_t count)
{
	if (goes_on) {
		runs[used - 1].count += count;
		/*@ assert same_counts{Pre, Here}(runs, used - 1); */
		/*@ assert has_pages_at(runs, used - 1,
			\at(position(runs, used), Pre), first, count); */
		return used;
	}
	runs[used].reference = first;
	runs[used].count = count;
	/*@ assert same_counts{Pre, Here}(runs, used); */
	/*@ assert has_pages_at(runs, used,
		\at(position(runs, used), Pre), first, count); */
	return used + 1;
}

uint16_t hdmabuf_references_take(struct hdmabuf_directory_reader *reader,
				 const hdmabuf_le32 *word, uint32_t count,
				 uint32_t fit, uint64_t entry, uint64_t span,
				 struct hdmabuf_fault *fault)
{
	/* Copies, as the compiler takes the runs for what they are kept in. */
	struct hdmabuf_run *runs = reader->runs;
	uint64_t used = reader->run_count;
	uint64_t room = reader->pending;
	uint64_t max = reader->reference_max;
	uint64_t next = next_reference(reader);
	uint32_t i, here;

	if (check_rest(word, count, fit, entry, span, fault))
		return fault->status;
	/*@ assert same_counts{Pre, Here}(runs, used); */
	/*@ loop invariant 0 <= i <= count;
	    loop invariant used <= room && used <= \at(used, LoopEntry) + i;
	    loop invariant are_runs(runs, used, max);
	    loop invariant goes_on(runs, used, next);
	    loop invariant spell(runs, used, \at(end_of(reader), Pre), word, i);
	    loop assigns i, here, next, used, runs[0 .. room - 1];
	    loop variant count - i; */
	for (i = 0; i < count; i += here) {
		uint64_t first = hdmabuf_get_le32(word[i]);

		here = add_singles(runs, used, word + i,
				   hdmabuf_entries_here(room - used, count - i),
				   (uint32_t)next, max);
		/*@ assert are_runs(runs, used + here, max); */
		/*@ assert position(runs, used + here) ==
			\at(end_of(reader), Pre) + i + here; */
		/*@ assert \forall integer k; i <= k < i + here ==>
			position(runs, used + k - i) ==
				\at(end_of(reader), Pre) + k &&
			runs[used + k - i].count == 1 &&
			runs[used + k - i].reference == word[k]; */
		/*@ assert spell(runs, used + here, \at(end_of(reader), Pre),
			word, i + here); */
		if (here) {
			used += here;
			next = runs[used - 1].reference + 1;
			/*@ assert goes_on(runs, used, next); */
			continue;
		}
		here = consecutive(word, i, count);
		if (!first || first + here - 1 > max)
			return bad_reference(max, word + i, entry + i * span,
					     span, fault);
		/*@ assert \forall integer k; i <= k < i + here ==>
			word[k] == first + k - i; */
		if (first != next && used == room)
			return hdmabuf_reader_full(fault);
		used = add_run(runs, used, first == next, first, here);
		next = first + here;
		/*@ assert spell(runs, used, \at(end_of(reader), Pre), word,
			i + here); */
		/*@ assert are_runs(runs, used, max); */
		/*@ assert goes_on(runs, used, next); */
	}
	/*@ ghost Found: ; */
	reader->run_count = used;
	/*@ assert same_counts{Found, Here}(runs, used); */
	/*@ assert keep{Found, Here}(runs, used); */
	return HDMABUF_STATUS_OK;
}
