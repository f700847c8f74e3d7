/* SPDX-License-Identifier: MIT */
/* local_judge.c - whether the IUT's own packets are as they should be */
#define _GNU_SOURCE
#include "conformance/internal.h"
#include "conformance/tests/local_raw.h"

#include <fcntl.h>
#include <inttypes.h>

static uint32_t type_of(const struct arrived *packet)
{
	return (uint32_t)wire_get(packet->head, PACKET_TYPE);
}

static uint64_t first_of(const struct arrived *packet)
{
	return wire_get(packet->head, PACKET_FIRST);
}

static uint64_t count_of(const struct arrived *packet)
{
	return wire_get(packet->head, PACKET_COUNT);
}

/* Whether a GRANT was in force when packet number @now came. */
static bool is_in_force(const struct raw *raw, size_t grant, size_t now)
{
	const struct arrived *packet = raw->arrived[grant];

	return grant < now && type_of(packet) == HDMABUF_LOCAL_GRANT &&
	       (!packet->revoked || packet->revoked_at > now);
}

/* ---- GRANT --------------------------------------------------------------- */

static void check_numbers(const struct raw *raw, size_t number)
{
	const struct arrived *grant = raw->arrived[number];
	struct test *test = raw->end->test;
	uint64_t first = first_of(grant), count = count_of(grant);

	check(test, HDB_LOCAL_006,
	      first && count && first + count - 1 <= UINT32_MAX,
	      "GRANT of %" PRIu64 " references from %" PRIu64, count, first);
	for (size_t i = 0; i < number; i++)
		if (is_in_force(raw, i, number))
			check(test, HDB_LOCAL_006,
			      first_of(raw->arrived[i]) +
						      count_of(
							      raw->arrived[i]) <=
					      first ||
				      first + count <=
					      first_of(raw->arrived[i]),
			      "GRANT of references from %" PRIu64
			      " on, which are in use",
			      first);
}

static void check_memory(const struct raw *raw, const struct arrived *grant)
{
	struct test *test = raw->end->test;
	const struct look *look = &grant->look;
	bool writable = wire_get(grant->head, PACKET_RIGHTS) ==
			HDMABUF_RIGHTS_READ_WRITE;
	uint64_t end = wire_get(grant->head, PACKET_OFFSET) +
		       count_of(grant) * page_size();

	check(test, HDB_LOCAL_007,
	      look->file_system == DMA_BUF_MAGIC ||
		      (look->seals >= 0 && look->seals & F_SEAL_SHRINK),
	      "GRANT of what is neither a memfd that cannot shrink nor a dma-buf");
	check(test, HDB_LOCAL_007, look->octets >= end,
	      "GRANT of memory up to octet %" PRIu64 ", and it has %" PRIu64,
	      end, look->octets);
	check(test, HDB_LOCAL_016,
	      look->file_system == DMA_BUF_MAGIC ||
		      look->file_system == TMPFS_MAGIC,
	      "GRANT of a memfd on a file system of type 0x%lx",
	      look->file_system);
	check(test, HDB_LOCAL_017,
	      look->access == O_RDWR || (!writable && look->access == O_RDONLY),
	      "GRANT with rights that the descriptor does not have");
}

static bool is_same(const struct arrived *a, const struct arrived *b)
{
	return a->look.device == b->look.device &&
	       a->look.inode == b->look.inode;
}

/* Whether a memory that a grant in force is about is that of a later one, too. */
static bool comes_again(const struct raw *raw, size_t grant)
{
	for (size_t i = grant + 1; i < raw->arrived_count; i++)
		if (is_in_force(raw, i, raw->arrived_count) &&
		    is_same(raw->arrived[grant], raw->arrived[i]))
			return true;
	return false;
}

void raw_check_amount(struct raw *raw)
{
	uint64_t grants = 0, memories = 0, pages = 0;

	for (size_t i = 0; i < raw->arrived_count; i++) {
		if (!is_in_force(raw, i, raw->arrived_count))
			continue;
		grants++;
		pages += count_of(raw->arrived[i]);
		memories += !comes_again(raw, i);
	}
	comment(raw->end->test,
		"%" PRIu64 " grants with %" PRIu64 " pages in %" PRIu64
		" memories",
		grants, pages, memories);
	check(raw->end->test, HDB_LOCAL_014,
	      grants <= HDMABUF_LOCAL_GRANTS_MAX &&
		      pages <= HDMABUF_LOCAL_PAGES_MAX &&
		      memories <= HDMABUF_LOCAL_MEMORIES_MAX,
	      "%" PRIu64 " grants with %" PRIu64 " pages in %" PRIu64
	      " memories",
	      grants, pages, memories);
}

void raw_check_grants(struct raw *raw)
{
	bool any = false;

	for (size_t i = 0; i < raw->arrived_count; i++) {
		if (type_of(raw->arrived[i]) != HDMABUF_LOCAL_GRANT)
			continue;
		any = true;
		check_numbers(raw, i);
		check_memory(raw, raw->arrived[i]);
	}
	if (!any)
		inconclusive(raw->end->test, "the IUT grants nothing");
	raw_check_amount(raw);
}

/* ---- REVOKE and LEAVE ---------------------------------------------------- */

static size_t find_grant(const struct raw *raw, size_t revoke)
{
	for (size_t i = revoke; i > 0; i--)
		if (is_in_force(raw, i - 1, revoke) &&
		    first_of(raw->arrived[i - 1]) ==
			    first_of(raw->arrived[revoke]))
			return i - 1;
	return revoke;
}

static bool was_revoked_before(const struct raw *raw, size_t grant,
			       size_t revoke)
{
	for (size_t i = grant + 1; i < revoke; i++)
		if (type_of(raw->arrived[i]) == HDMABUF_LOCAL_REVOKE &&
		    first_of(raw->arrived[i]) == first_of(raw->arrived[grant]))
			return true;
	return false;
}

void raw_check_revokes(struct raw *raw)
{
	struct test *test = raw->end->test;
	bool any = false;

	for (size_t i = 0; i < raw->arrived_count; i++) {
		const struct arrived *revoke = raw->arrived[i];
		size_t grant;

		if (type_of(revoke) != HDMABUF_LOCAL_REVOKE)
			continue;
		any = true;
		grant = find_grant(raw, i);
		check(test, HDB_LOCAL_018,
		      grant < i &&
			      count_of(raw->arrived[grant]) == count_of(revoke),
		      "REVOKE of %" PRIu64 " references from %" PRIu64
		      " on, which are not one grant",
		      count_of(revoke), first_of(revoke));
		check(test, HDB_LOCAL_018, !was_revoked_before(raw, grant, i),
		      "REVOKE of references from %" PRIu64 " on came twice",
		      first_of(revoke));
	}
	if (!any)
		inconclusive(test, "the IUT revokes nothing");
}

void raw_check_last(struct raw *raw)
{
	struct test *test = raw->end->test;
	const struct arrived *leave = NULL;

	for (size_t i = 0; i < raw->arrived_count; i++) {
		if (leave)
			check(test, HDB_LOCAL_019, false, "%s came after LEAVE",
			      packet_name(type_of(raw->arrived[i])));
		if (type_of(raw->arrived[i]) == HDMABUF_LOCAL_LEAVE)
			leave = raw->arrived[i];
	}
	if (!leave)
		inconclusive(test, "the IUT ends its side without LEAVE");
	check(test, HDB_LOCAL_019, leave, "LEAVE is the last packet");
}
