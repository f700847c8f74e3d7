/* SPDX-License-Identifier: MIT */
/*
 * checker_descriptor.c - what a descriptor may say
 */
#include "conformance/checker/checker_state.h"

#include <inttypes.h>
#include <string.h>

/* A descriptor that is judged, and where its faults go. */
struct judgement {
	const struct pair *pair;
	const struct flight *flight;
	const uint8_t *descriptor;
	enum side side;
	struct fault *fault;
};

/*
 * Within what a request refers to, there is the order of HDB-BOTH-038 once more;
 * here the ranks are those of a fault of its own.
 */
#define BLAME(judgement, rank, status, sender, receiver, ...) \
	blame((judgement)->fault, rank, HDMABUF_STATUS_##status, \
	      (judgement)->side == SENDER ? (sender) : (receiver), \
	      __VA_ARGS__)

static uint64_t value_of(const struct judgement *judgement, unsigned int place)
{
	return wire_get(judgement->descriptor, place);
}

static void expect(const struct judgement *judgement, const char *name,
		   unsigned int place, uint64_t low, uint64_t high)
{
	uint64_t value = value_of(judgement, place);

	if (value >= low && value <= high)
		return;
	if (low == high)
		BLAME(judgement, RANK_VALUE, INVALID, HDB_IMP_009, HDB_IMP_009,
		      "descriptor: \"%s\" is %" PRIu64 ", expected %" PRIu64,
		      name, value, low);
	else
		BLAME(judgement, RANK_VALUE, INVALID, HDB_IMP_009, HDB_IMP_009,
		      "descriptor: \"%s\" is %" PRIu64 ", expected %" PRIu64
		      " to %" PRIu64,
		      name, value, low, high);
}

/* ---- Features and zero fields ------------------------------------------- */

uint64_t rights_features(uint64_t rights, uint64_t attributes)
{
	return (rights == HDMABUF_RIGHTS_LEND ? HDMABUF_FEATURE_LEND : 0) |
	       (attributes == HDMABUF_ATTRIBUTE_WRITE_COMBINED ?
			HDMABUF_FEATURE_WRITE_COMBINED :
			0);
}

static void check_features(const struct judgement *judgement)
{
	uint64_t format = value_of(judgement, DESCRIPTOR_DIRECTORY_FORMAT);
	uint64_t needed =
		rights_features(value_of(judgement, DESCRIPTOR_RIGHTS),
				value_of(judgement, DESCRIPTOR_ATTRIBUTES));

	if (format == HDMABUF_DIRECTORY_TABLE)
		needed |= HDMABUF_FEATURE_TABLE;
	if (format == HDMABUF_DIRECTORY_EXTENTS)
		needed |= HDMABUF_FEATURE_EXTENTS;
	if (value_of(judgement, DESCRIPTOR_TYPE) == HDMABUF_TYPE_CYCLIC)
		needed |= HDMABUF_FEATURE_CYCLIC;
	needed &= ~judgement->pair->features;
	if (needed)
		BLAME(judgement, RANK_FEATURE, NOT_NEGOTIATED, HDB_BOTH_018,
		      HDB_BOTH_019,
		      "descriptor: it needs the features 0x%" PRIx64
		      ", which were not accepted",
		      needed);
}

/* Of plane @n, which is behind the last one. */
static bool is_plane_zero(const struct judgement *judgement, uint64_t n)
{
	return wire_is_zero(judgement->descriptor +
				    wire_offset(PICTURE_PLANE0_OFFSET) + 16 * n,
			    16);
}

static void check_planes_zero(const struct judgement *judgement)
{
	uint64_t count = value_of(judgement, PICTURE_PLANE_COUNT);

	for (uint64_t n = count; n < HDMABUF_PLANES; n++)
		if (!is_plane_zero(judgement, n))
			BLAME(judgement, RANK_ZERO, RESERVED, HDB_BOTH_001,
			      HDB_IMP_023,
			      "descriptor: plane %" PRIu64
			      " is not zero, and is behind the last one",
			      n);
}

static void check_zero(const struct judgement *judgement)
{
	uint32_t type = (uint32_t)value_of(judgement, DESCRIPTOR_TYPE);
	const struct wire_format *format = wire_metadata_format(type);
	const struct wire_field *field;
	size_t offset;

	if (!format)
		return;
	field = wire_find_nonzero(format, judgement->descriptor, &offset);
	if (field)
		BLAME(judgement, RANK_ZERO, RESERVED, HDB_BOTH_001, HDB_IMP_023,
		      "descriptor: the field \"%s\" must be zero, and is not "
		      "at octet %zu",
		      field->name, offset);
	if (type == HDMABUF_TYPE_PICTURE)
		check_planes_zero(judgement);
}

/* ---- Values ------------------------------------------------------------- */

static void check_identity(const struct judgement *judgement)
{
	const uint8_t *message = judgement->flight->message;
	uint64_t length = wire_get(message, EXPORT_LENGTH);

	expect(judgement, "magic", DESCRIPTOR_MAGIC, HDMABUF_DESCRIPTOR_MAGIC,
	       HDMABUF_DESCRIPTOR_MAGIC);
	expect(judgement, "length", DESCRIPTOR_LENGTH, length, length);
	if (memcmp(judgement->descriptor + wire_offset(DESCRIPTOR_ID),
		   message + wire_offset(EXPORT_ID), 16))
		BLAME(judgement, RANK_VALUE, INVALID, HDB_IMP_009, HDB_IMP_009,
		      "descriptor: its id is not that of the request");
	if (length >= WIRE_DESCRIPTOR_OCTETS)
		expect(judgement, "private_octets", DESCRIPTOR_PRIVATE,
		       length - WIRE_DESCRIPTOR_OCTETS,
		       length - WIRE_DESCRIPTOR_OCTETS);
}

static void check_picture(const struct judgement *judgement)
{
	static const struct {
		unsigned int offset, stride;
	} places[HDMABUF_PLANES] = {
		{ PICTURE_PLANE0_OFFSET, PICTURE_PLANE0_STRIDE },
		{ PICTURE_PLANE1_OFFSET, PICTURE_PLANE1_STRIDE },
		{ PICTURE_PLANE2_OFFSET, PICTURE_PLANE2_STRIDE },
		{ PICTURE_PLANE3_OFFSET, PICTURE_PLANE3_STRIDE },
	};
	uint64_t size = value_of(judgement, DESCRIPTOR_SIZE);
	uint64_t planes = value_of(judgement, PICTURE_PLANES);
	uint64_t first = value_of(judgement, PICTURE_PLANE_FIRST);
	uint64_t count = value_of(judgement, PICTURE_PLANE_COUNT);

	expect(judgement, "width", PICTURE_WIDTH, 1, UINT32_MAX);
	expect(judgement, "height", PICTURE_HEIGHT, 1, UINT32_MAX);
	expect(judgement, "fourcc", PICTURE_FOURCC, 1, UINT32_MAX);
	expect(judgement, "planes", PICTURE_PLANES, 1, HDMABUF_PLANES);
	if (planes < 1 || planes > HDMABUF_PLANES)
		return;
	expect(judgement, "plane_first", PICTURE_PLANE_FIRST, 0, planes - 1);
	if (first >= planes)
		return;
	expect(judgement, "plane_count", PICTURE_PLANE_COUNT, 1,
	       planes - first);
	for (uint64_t n = 0; n < count && n < HDMABUF_PLANES && size; n++) {
		expect(judgement, "plane.offset", places[n].offset, 0,
		       size - 1);
		expect(judgement, "plane.stride", places[n].stride, 1, size);
	}
}

static void check_divides(const struct judgement *judgement, const char *name,
			  unsigned int place)
{
	uint64_t size = value_of(judgement, DESCRIPTOR_SIZE);
	uint64_t value = value_of(judgement, place);

	if (!value || size % value)
		BLAME(judgement, RANK_VALUE, INVALID, HDB_IMP_009, HDB_IMP_009,
		      "descriptor: size %" PRIu64
		      " is no multiple of \"%s\" %" PRIu64,
		      size, name, value);
}

static void check_cyclic(const struct judgement *judgement)
{
	expect(judgement, "channels", CYCLIC_CHANNELS, 1, UINT32_MAX);
	expect(judgement, "rate", CYCLIC_RATE, 1, UINT32_MAX);
	check_divides(judgement, "frame_octets", CYCLIC_FRAME_OCTETS);
	check_divides(judgement, "period_octets", CYCLIC_PERIOD_OCTETS);
}

static void check_values(const struct judgement *judgement)
{
	uint32_t shift = judgement->pair->channel.page_shift;
	uint64_t page = page_octets(judgement->pair);

	check_identity(judgement);
	expect(judgement, "size", DESCRIPTOR_SIZE, 1, UINT64_MAX);
	expect(judgement, "rights", DESCRIPTOR_RIGHTS, HDMABUF_RIGHTS_READ_ONLY,
	       HDMABUF_RIGHTS_LEND);
	expect(judgement, "attributes", DESCRIPTOR_ATTRIBUTES,
	       HDMABUF_ATTRIBUTE_CACHED, HDMABUF_ATTRIBUTE_WRITE_COMBINED);
	expect(judgement, "type", DESCRIPTOR_TYPE, HDMABUF_TYPE_RAW,
	       HDMABUF_TYPE_CYCLIC);
	expect(judgement, "directory_format", DESCRIPTOR_DIRECTORY_FORMAT,
	       HDMABUF_DIRECTORY_LIST, HDMABUF_DIRECTORY_EXTENTS);
	if (page) {
		expect(judgement, "page_shift", DESCRIPTOR_PAGE_SHIFT, shift,
		       shift);
		expect(judgement, "data_offset", DESCRIPTOR_DATA_OFFSET, 0,
		       page - 1);
	}
	if (value_of(judgement, DESCRIPTOR_TYPE) == HDMABUF_TYPE_PICTURE)
		check_picture(judgement);
	if (value_of(judgement, DESCRIPTOR_TYPE) == HDMABUF_TYPE_CYCLIC)
		check_cyclic(judgement);
}

/* ---- Counts ------------------------------------------------------------- */

static void expect_count(const struct judgement *judgement, const char *name,
			 unsigned int place, uint64_t low, uint64_t high)
{
	uint64_t value = value_of(judgement, place);

	if (value < low || value > high)
		BLAME(judgement, RANK_VALUE, INVALID, HDB_IMP_011, HDB_IMP_011,
		      "descriptor: \"%s\" is %" PRIu64 ", expected %" PRIu64
		      "%s",
		      name, value, high,
		      low < high ? " at most, and not 0" : "");
}

static void check_counts(const struct judgement *judgement)
{
	uint32_t shift = judgement->pair->channel.page_shift;
	uint64_t offset = value_of(judgement, DESCRIPTOR_DATA_OFFSET);
	uint64_t size = value_of(judgement, DESCRIPTOR_SIZE);
	uint64_t entries = value_of(judgement, DESCRIPTOR_ENTRIES);
	uint32_t format =
		(uint32_t)value_of(judgement, DESCRIPTOR_DIRECTORY_FORMAT);
	bool is_extents = format == HDMABUF_DIRECTORY_EXTENTS;
	uint64_t pages, of_directory;

	if (size > UINT64_MAX - offset) {
		BLAME(judgement, RANK_VALUE, INVALID, HDB_BOTH_062,
		      HDB_BOTH_062,
		      "descriptor: \"data_offset\" and \"size\" exceed 64 bits");
		return;
	}
	pages = wire_pages(offset, size, shift);
	if (!pages || format > HDMABUF_DIRECTORY_EXTENTS)
		return;
	expect_count(judgement, "pages", DESCRIPTOR_PAGES, pages, pages);
	expect_count(judgement, "entries", DESCRIPTOR_ENTRIES,
		     is_extents ? 1 : pages, pages);
	of_directory = wire_directory_pages(
		format, is_extents ? entries : pages, shift);
	expect_count(judgement, "directory_pages", DESCRIPTOR_DIRECTORY_PAGES,
		     of_directory, of_directory);
}

uint64_t descriptor_octets(const struct pair *pair, const uint8_t *descriptor)
{
	uint64_t pages =
		pair->channel.known ?
			wire_pages(wire_get(descriptor, DESCRIPTOR_DATA_OFFSET),
				   wire_get(descriptor, DESCRIPTOR_SIZE),
				   pair->channel.page_shift) :
			0;
	uint64_t octets;

	if (__builtin_mul_overflow(pages, page_octets(pair), &octets))
		return UINT64_MAX;
	return octets;
}

/* ---- What an UPDATE may change ------------------------------------------ */

/* Updates that are not answered may count, or not. */
static uint64_t undecided_updates(const struct judgement *judgement)
{
	const struct flight *flight = judgement->flight;
	const struct flight *other =
		judgement->pair->ends[flight->sender].flights;
	uint64_t count = 0;

	for (; other; other = other->next)
		count += other != flight &&
			 other->operation == HDMABUF_OP_UPDATE &&
			 other->buffer == flight->buffer;
	return count;
}

static void check_generation(const struct judgement *judgement)
{
	const struct flight *flight = judgement->flight;
	uint64_t generation = value_of(judgement, DESCRIPTOR_GENERATION);
	uint64_t ahead = 0;
	uint64_t before;

	if (flight->operation == HDMABUF_OP_EXPORT) {
		expect(judgement, "generation", DESCRIPTOR_GENERATION, 1, 1);
		return;
	}
	before = wire_get(flight->buffer->descriptor, DESCRIPTOR_GENERATION);
	if (judgement->side == SENDER)
		ahead = undecided_updates(judgement);
	if (generation > before && generation - before <= 1 + ahead)
		return;
	BLAME(judgement, RANK_VALUE, INVALID, HDB_IMP_018, HDB_IMP_018,
	      "descriptor: \"generation\" is %" PRIu64 " after %" PRIu64,
	      generation, before);
}

static void check_unchanged(const struct judgement *judgement)
{
	static const struct {
		const char *name;
		unsigned int place;
	} fields[] = {
		{ "size", DESCRIPTOR_SIZE },
		{ "pages", DESCRIPTOR_PAGES },
		{ "entries", DESCRIPTOR_ENTRIES },
		{ "directory", DESCRIPTOR_DIRECTORY },
		{ "directory_pages", DESCRIPTOR_DIRECTORY_PAGES },
		{ "directory_format", DESCRIPTOR_DIRECTORY_FORMAT },
		{ "data_offset", DESCRIPTOR_DATA_OFFSET },
		{ "page_shift", DESCRIPTOR_PAGE_SHIFT },
		{ "rights", DESCRIPTOR_RIGHTS },
		{ "attributes", DESCRIPTOR_ATTRIBUTES },
	};
	const uint8_t *old = judgement->flight->buffer->descriptor;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t was = wire_get(old, fields[i].place);
		uint64_t is = value_of(judgement, fields[i].place);

		if (is != was)
			BLAME(judgement, RANK_VALUE, INVALID, HDB_EXP_011,
			      HDB_IMP_018,
			      "descriptor: \"%s\" was %" PRIu64
			      ", UPDATE makes it %" PRIu64,
			      fields[i].name, was, is);
	}
}

/* ---- The whole of it ---------------------------------------------------- */

static bool is_update_of_known(const struct flight *flight)
{
	return flight->operation == HDMABUF_OP_UPDATE && flight->buffer &&
	       flight->buffer->described && !flight->buffer->vague;
}

/* What an UPDATE changes has a clause of its own: it comes before the values. */
void find_descriptor_fault(const struct pair *pair, const struct flight *flight,
			   enum side side, struct fault *fault)
{
	struct fault found = { .rank = FAULT_NONE };
	struct judgement judgement = { pair, flight, flight->descriptor, side,
				       &found };

	if (!flight->descriptor || fault->rank <= RANK_REFERRED)
		return;
	check_features(&judgement);
	check_zero(&judgement);
	if (is_update_of_known(flight)) {
		check_unchanged(&judgement);
		check_generation(&judgement);
	} else if (flight->operation == HDMABUF_OP_EXPORT) {
		check_generation(&judgement);
	}
	check_values(&judgement);
	if (pair->channel.known)
		check_counts(&judgement);
	if (!value_of(&judgement, DESCRIPTOR_DIRECTORY))
		BLAME(&judgement, RANK_REFERRED, BAD_REFERENCE, HDB_PLAT_003,
		      HDB_BOTH_038, "descriptor: \"directory\" is 0");
	if (found.rank == FAULT_NONE)
		return;
	found.rank = RANK_REFERRED;
	found.referred = true;
	*fault = found;
}
