/* SPDX-License-Identifier: MIT */
/*
 * What an importer makes of descriptors and directories that are not as they should
 * be: it says what is wrong, and nothing of it stays mapped or known.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/raw_peer.h"

#define PAGE 4096u

/* ---- helpers ------------------------------------------------------------- */

/* True if the peer has nothing of it mapped any more. */
static void check_revocable(struct rig *rig, struct hdmabuf_run *run)
{
	const struct hdmabuf_platform_ops *ops = rig->raw.platform.ops;
	int i;

	for (i = 0; i < 10; i++) {
		if (!ops->revoke(rig->raw.link, run, 1))
			return;
		rig_run(rig);
	}
	fail();
}

/* The buffer is not known, and another of the same name is welcome. */
static void check_gone(struct rig *rig, struct raw_buffer *buffer)
{
	struct raw_buffer good;

	assert_int_equal(rig_name(rig, HDMABUF_OP_QUERY, &buffer->id, NULL),
			 HDMABUF_STATUS_NO_SUCH_BUFFER);
	check_revocable(rig, &buffer->data_run);
	check_revocable(rig, &buffer->description_run);
	raw_buffer_make(&rig->raw, &good, 3 * PAGE, HDMABUF_RIGHTS_READ_ONLY,
			HDMABUF_DIRECTORY_LIST);
	good.id = buffer->id;
	raw_buffer_describe(&good);
	assert_int_equal(rig_export(rig, &good, NULL), HDMABUF_STATUS_OK);
	assert_int_equal(rig_name(rig, HDMABUF_OP_UNEXPORT, &good.id, NULL),
			 HDMABUF_STATUS_OK);
	rig_check(rig);
	rig_run(rig);
	raw_buffer_free(&good);
	raw_buffer_free(buffer);
}

static void check_refused(struct rig *rig, struct raw_buffer *buffer,
			  uint16_t status, uint32_t where, uint64_t offset)
{
	struct hdmabuf_answer answer;
	unsigned int imported = rig->end.seen.imported;

	assert_int_equal(rig_export(rig, buffer, &answer), status);
	assert_int_equal(answer.fault.where, where);
	if (offset != UINT64_MAX)
		assert_int_equal(answer.fault.offset, offset);
	assert_int_equal(rig->end.seen.imported, imported);
	check_gone(rig, buffer);
}

static void put(uint8_t *at, uint64_t value, size_t octets)
{
	size_t i;

	for (i = 0; i < octets; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* ---- descriptors --------------------------------------------------------- */

#define AT(member) offsetof(struct hdmabuf_descriptor, member)

/* Of a descriptor of 3 pages of data, read-only, in a LIST, 100 octets private. */
static const struct damage {
	size_t offset;
	size_t octets;
	uint64_t value;
	uint16_t status;
} damages[] = {
	{ AT(magic), 4, 0, HDMABUF_STATUS_INVALID },
	{ AT(length), 4, 256, HDMABUF_STATUS_INVALID },
	{ AT(length), 4, UINT32_MAX, HDMABUF_STATUS_INVALID },
	{ AT(id), 1, 0, HDMABUF_STATUS_INVALID },
	{ AT(id) + 15, 1, 0, HDMABUF_STATUS_INVALID },
	{ AT(generation), 8, 0, HDMABUF_STATUS_INVALID },
	{ AT(generation), 8, 2, HDMABUF_STATUS_INVALID },
	{ AT(size), 8, 0, HDMABUF_STATUS_INVALID },
	{ AT(pages), 8, 0, HDMABUF_STATUS_INVALID },
	{ AT(pages), 8, 2, HDMABUF_STATUS_INVALID },
	{ AT(pages), 8, 4, HDMABUF_STATUS_INVALID },
	{ AT(pages), 8, UINT64_MAX, HDMABUF_STATUS_INVALID },
	{ AT(entries), 8, 0, HDMABUF_STATUS_INVALID },
	{ AT(entries), 8, 2, HDMABUF_STATUS_INVALID },
	{ AT(entries), 8, 4, HDMABUF_STATUS_INVALID },
	{ AT(entries), 8, UINT64_MAX, HDMABUF_STATUS_INVALID },
	{ AT(directory), 8, 0, HDMABUF_STATUS_BAD_REFERENCE },
	{ AT(directory_pages), 4, 0, HDMABUF_STATUS_INVALID },
	{ AT(directory_pages), 4, 2, HDMABUF_STATUS_INVALID },
	{ AT(directory_pages), 4, UINT32_MAX, HDMABUF_STATUS_INVALID },
	{ AT(directory_format), 4, 3, HDMABUF_STATUS_INVALID },
	{ AT(directory_format), 4, UINT32_MAX, HDMABUF_STATUS_INVALID },
	{ AT(data_offset), 4, 4096, HDMABUF_STATUS_INVALID },
	{ AT(data_offset), 4, UINT32_MAX, HDMABUF_STATUS_INVALID },
	{ AT(page_shift), 4, 11, HDMABUF_STATUS_INVALID },
	{ AT(page_shift), 4, 13, HDMABUF_STATUS_INVALID },
	{ AT(page_shift), 4, UINT32_MAX, HDMABUF_STATUS_INVALID },
	{ AT(rights), 4, 0, HDMABUF_STATUS_INVALID },
	{ AT(rights), 4, 4, HDMABUF_STATUS_INVALID },
	{ AT(attributes), 4, 0, HDMABUF_STATUS_INVALID },
	{ AT(attributes), 4, 3, HDMABUF_STATUS_INVALID },
	{ AT(type), 4, 0, HDMABUF_STATUS_INVALID },
	{ AT(type), 4, 4, HDMABUF_STATUS_INVALID },
	{ AT(private_octets), 4, 99, HDMABUF_STATUS_INVALID },
	{ AT(private_octets), 4, 101, HDMABUF_STATUS_INVALID },
	{ AT(private_octets), 4, UINT32_MAX, HDMABUF_STATUS_INVALID },
	{ AT(metadata), 1, 1, HDMABUF_STATUS_RESERVED },
	{ AT(metadata) + 95, 1, 1, HDMABUF_STATUS_RESERVED },
	{ AT(zero), 1, 1, HDMABUF_STATUS_RESERVED },
	{ AT(zero) + 55, 1, 0x80, HDMABUF_STATUS_RESERVED },
};

/* The field that was damaged; of a long one, its beginning. */
static uint64_t field_of(size_t offset)
{
	if (offset >= AT(zero))
		return AT(zero);
	if (offset >= AT(metadata))
		return AT(metadata);
	return offset >= AT(id) && offset < AT(generation) ? AT(id) : offset;
}

static void test_damaged_descriptors(void **state)
{
	static uint8_t private_data[100];
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	size_t i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		raw_buffer_make(&rig.raw, &buffer, 3 * PAGE,
				HDMABUF_RIGHTS_READ_ONLY,
				HDMABUF_DIRECTORY_LIST);
		buffer.info.private_octets = sizeof(private_data);
		buffer.info.private_data = private_data;
		buffer.id.octets[0] = buffer.id.octets[15] = 7;
		raw_buffer_describe(&buffer);
		put((uint8_t *)raw_descriptor(&buffer) + damages[i].offset,
		    damages[i].value, damages[i].octets);
		check_refused(&rig, &buffer, damages[i].status,
			      HDMABUF_WHERE_DESCRIPTOR,
			      field_of(damages[i].offset));
	}
	rig_close(&rig);
}

static uint16_t ask_export(struct rig *rig, const struct raw_buffer *buffer,
			   uint64_t reference, uint32_t length,
			   struct hdmabuf_answer *answer)
{
	struct hdmabuf_request request = {
		.operation = HDMABUF_OP_EXPORT,
		.buffer = buffer->id,
		.descriptor = { reference, length },
	};

	return rig_ask(rig, &request, answer);
}

static void test_lengths(void **state)
{
	static const uint32_t lengths[] = { 0,	  1,	 255,	    4097,
					    4104, 65536, UINT32_MAX };
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	size_t i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	raw_buffer_make(&rig.raw, &buffer, PAGE, HDMABUF_RIGHTS_READ_ONLY,
			HDMABUF_DIRECTORY_LIST);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(ask_export(&rig, &buffer,
					    buffer.description_run.reference,
					    lengths[i], &answer),
				 HDMABUF_STATUS_INVALID);
		assert_int_equal(answer.fault.where, HDMABUF_WHERE_REQUEST);
		assert_int_equal(answer.fault.offset, 32);
		assert_int_equal(answer.fault.value, lengths[i]);
	}
	check_gone(&rig, &buffer);
	rig_close(&rig);
}

static void test_descriptor_references(void **state)
{
	static const uint64_t references[] = { 0, 0x10000, UINT32_MAX,
					       1ull << 32, UINT64_MAX };
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	size_t i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	raw_buffer_make(&rig.raw, &buffer, PAGE, HDMABUF_RIGHTS_READ_ONLY,
			HDMABUF_DIRECTORY_LIST);
	for (i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
		assert_int_equal(ask_export(&rig, &buffer, references[i],
					    buffer.length, &answer),
				 HDMABUF_STATUS_BAD_REFERENCE);
		assert_int_equal(answer.fault.where, HDMABUF_WHERE_REQUEST);
		assert_int_equal(answer.fault.offset, 24);
	}
	/* A page of data is no descriptor. */
	memset(buffer.data.address, 0, PAGE);
	assert_int_equal(ask_export(&rig, &buffer, buffer.data_run.reference,
				    buffer.length, &answer),
			 HDMABUF_STATUS_INVALID);
	check_gone(&rig, &buffer);
	rig_close(&rig);
}

static void test_duplicate_id(void **state)
{
	struct hdmabuf_answer answer;
	struct raw_buffer first, second;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_share(&rig, &first, PAGE, HDMABUF_RIGHTS_READ_ONLY);
	raw_buffer_make(&rig.raw, &second, 2 * PAGE, HDMABUF_RIGHTS_READ_ONLY,
			HDMABUF_DIRECTORY_LIST);
	second.id = first.id;
	raw_buffer_describe(&second);
	assert_int_equal(rig_export(&rig, &second, &answer),
			 HDMABUF_STATUS_DUPLICATE);
	assert_int_equal(answer.fault.where, HDMABUF_WHERE_REQUEST);
	assert_int_equal(answer.fault.offset, 8);
	/* Of what is wrong with the request, the lowest offset is told. */
	second.length = 1;
	assert_int_equal(rig_export(&rig, &second, &answer),
			 HDMABUF_STATUS_DUPLICATE);
	/* The first is as it was. */
	assert_int_equal(rig_name(&rig, HDMABUF_OP_QUERY, &first.id, &answer),
			 HDMABUF_STATUS_OK);
	assert_int_equal(answer.query.size, PAGE);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&first);
	raw_buffer_free(&second);
}

/* ---- features ------------------------------------------------------------ */

static void check_feature(uint64_t feature, uint32_t format, uint32_t rights,
			  uint32_t attributes, uint32_t type, uint64_t offset)
{
	struct hdmabuf_config config;
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct rig rig = { 0 };

	hdmabuf_config_init(&config);
	config.features &= ~feature;
	rig_connect(&rig, HDMABUF_BACKEND, &config);
	raw_buffer_make(&rig.raw, &buffer, PAGE, rights, format);
	buffer.info.attributes = attributes;
	buffer.info.type = type;
	if (type == HDMABUF_TYPE_CYCLIC)
		buffer.info.cyclic =
			(struct hdmabuf_cyclic_info){ 1, 1, 1, 1, 1, 0 };
	raw_buffer_describe(&buffer);
	assert_int_equal(rig_export(&rig, &buffer, &answer),
			 HDMABUF_STATUS_NOT_NEGOTIATED);
	assert_int_equal(answer.fault.where, HDMABUF_WHERE_DESCRIPTOR);
	assert_int_equal(answer.fault.offset, offset);
	check_gone(&rig, &buffer);
	rig_close(&rig);
}

static void test_features(void **state)
{
	(void)state;
	check_feature(HDMABUF_FEATURE_TABLE, HDMABUF_DIRECTORY_TABLE,
		      HDMABUF_RIGHTS_READ_ONLY, HDMABUF_ATTRIBUTE_CACHED,
		      HDMABUF_TYPE_RAW, AT(directory_format));
	check_feature(HDMABUF_FEATURE_EXTENTS, HDMABUF_DIRECTORY_EXTENTS,
		      HDMABUF_RIGHTS_READ_ONLY, HDMABUF_ATTRIBUTE_CACHED,
		      HDMABUF_TYPE_RAW, AT(directory_format));
	check_feature(HDMABUF_FEATURE_LEND, HDMABUF_DIRECTORY_LIST,
		      HDMABUF_RIGHTS_LEND, HDMABUF_ATTRIBUTE_CACHED,
		      HDMABUF_TYPE_RAW, AT(rights));
	check_feature(HDMABUF_FEATURE_WRITE_COMBINED, HDMABUF_DIRECTORY_LIST,
		      HDMABUF_RIGHTS_READ_ONLY,
		      HDMABUF_ATTRIBUTE_WRITE_COMBINED, HDMABUF_TYPE_RAW,
		      AT(attributes));
	check_feature(HDMABUF_FEATURE_CYCLIC, HDMABUF_DIRECTORY_LIST,
		      HDMABUF_RIGHTS_READ_ONLY, HDMABUF_ATTRIBUTE_CACHED,
		      HDMABUF_TYPE_CYCLIC, AT(type));
}

/* ---- directories --------------------------------------------------------- */

static void make(struct rig *rig, struct raw_buffer *buffer, uint64_t pages,
		 uint32_t format)
{
	raw_buffer_make(&rig->raw, buffer, pages * PAGE,
			HDMABUF_RIGHTS_READ_ONLY, format);
}

static void put_word(const struct raw_buffer *buffer, size_t index,
		     uint32_t value)
{
	hdmabuf_le32 *words = raw_directory(buffer);

	words[index] = hdmabuf_put_le32(value);
}

static uint32_t get_word(const struct raw_buffer *buffer, size_t index)
{
	const hdmabuf_le32 *words = raw_directory(buffer);

	return hdmabuf_get_le32(words[index]);
}

/* A LIST of two pages: words 0 and 1024 are the links. */
static void test_lists(void **state)
{
	const uint16_t bad = HDMABUF_STATUS_BAD_REFERENCE;
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	uint32_t own;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	put_word(&buffer, 5, 0);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, 4);
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	put_word(&buffer, 1025, 0);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, 1023);
	/* Too short. */
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	put_word(&buffer, 0, 0);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	/* Too long, and in circles. */
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	own = get_word(&buffer, 0);
	put_word(&buffer, 1024, own);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	make(&rig, &buffer, 2046, HDMABUF_DIRECTORY_LIST);
	put_word(&buffer, 0, (uint32_t)buffer.layout.directory);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	/* Something behind the last entry. */
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	put_word(&buffer, 1026, 1);
	check_refused(&rig, &buffer, HDMABUF_STATUS_RESERVED,
		      HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	/* Links that lead nowhere. */
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	put_word(&buffer, 0, 0x1000000);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	raw_descriptor(&buffer)->directory = hdmabuf_put_le64(0x1000000);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DESCRIPTOR, 56);
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	raw_descriptor(&buffer)->directory = hdmabuf_put_le64(1ull << 40);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DESCRIPTOR, 56);
	/* Twice the same. */
	make(&rig, &buffer, 1024, HDMABUF_DIRECTORY_LIST);
	put_word(&buffer, 1025, get_word(&buffer, 17));
	check_refused(&rig, &buffer, HDMABUF_STATUS_DUPLICATE,
		      HDMABUF_WHERE_PAGE, UINT64_MAX);
	rig_close(&rig);
}

/* A TABLE of two levels: the first page is the one at the top. */
static void test_tables(void **state)
{
	const uint16_t bad = HDMABUF_STATUS_BAD_REFERENCE;
	struct raw_buffer buffer;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	make(&rig, &buffer, 1025, HDMABUF_DIRECTORY_TABLE);
	assert_int_equal(buffer.layout.directory_pages, 3);
	put_word(&buffer, 0, 0);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	make(&rig, &buffer, 1025, HDMABUF_DIRECTORY_TABLE);
	put_word(&buffer, 1, 0);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	make(&rig, &buffer, 1025, HDMABUF_DIRECTORY_TABLE);
	put_word(&buffer, 1, 0x1000000);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	make(&rig, &buffer, 1025, HDMABUF_DIRECTORY_TABLE);
	put_word(&buffer, 1024 + 1000, 0);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	/* A page of references that comes twice, or is the one at the top. */
	make(&rig, &buffer, 2048, HDMABUF_DIRECTORY_TABLE);
	put_word(&buffer, 1, get_word(&buffer, 0));
	check_refused(&rig, &buffer, HDMABUF_STATUS_DUPLICATE,
		      HDMABUF_WHERE_PAGE, UINT64_MAX);
	make(&rig, &buffer, 1025, HDMABUF_DIRECTORY_TABLE);
	put_word(&buffer, 0, (uint32_t)buffer.layout.directory);
	check_refused(&rig, &buffer, bad, HDMABUF_WHERE_DIRECTORY, UINT64_MAX);
	rig_close(&rig);
}

/* Three extents of a page each, from the octet 16 of the directory on. */
static void make_extents(struct rig *rig, struct raw_buffer *buffer)
{
	struct hdmabuf_run runs[3];
	int i;

	make(rig, buffer, 3, HDMABUF_DIRECTORY_EXTENTS);
	for (i = 0; i < 3; i++)
		runs[i] = (struct hdmabuf_run){
			buffer->data_run.reference + 2 - (unsigned int)i, 1
		};
	buffer->layout.entries = 3;
	raw_buffer_list(buffer, runs, 3);
	raw_buffer_describe(buffer);
}

static void check_extent(struct rig *rig, size_t at, uint64_t value,
			 size_t octets, uint16_t status)
{
	struct raw_buffer buffer;

	make_extents(rig, &buffer);
	put((uint8_t *)raw_directory(&buffer) + at, value, octets);
	check_refused(rig, &buffer, status, HDMABUF_WHERE_DIRECTORY,
		      UINT64_MAX);
}

static void test_extents(void **state)
{
	const uint16_t invalid = HDMABUF_STATUS_INVALID;
	const uint16_t bad = HDMABUF_STATUS_BAD_REFERENCE;
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	uint64_t first;

	(void)state;
	rig.end.policy.map = true;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	make_extents(&rig, &buffer);
	first = buffer.data_run.reference;
	assert_int_equal(rig_export(&rig, &buffer, NULL), 0);
	/* In the order of the directory, which is backwards. */
	assert_true(sample_is_at(
		(uint8_t *)hdmabuf_buffer_data(rig.end.seen.buffer) + 2 * PAGE,
		PAGE));
	assert_int_equal(first, buffer.data_run.reference);
	assert_int_equal(rig_name(&rig, HDMABUF_OP_UNEXPORT, &buffer.id, NULL),
			 0);
	check_gone(&rig, &buffer);

	check_extent(&rig, 0, 1, 8, bad);	   /* next */
	check_extent(&rig, 0, UINT64_MAX, 8, bad); /* next */
	check_extent(&rig, 8, 2, 4, invalid);	   /* count of the page */
	check_extent(&rig, 8, 4, 4, invalid);
	check_extent(&rig, 8, UINT32_MAX, 4, invalid);
	check_extent(&rig, 16, 0, 8, bad); /* reference */
	check_extent(&rig, 24, 0, 8, invalid);
	check_extent(&rig, 24, 2, 8, invalid); /* more pages than there are */
	check_extent(&rig, 24, UINT64_MAX, 8, invalid);
	check_extent(&rig, 24, 1ull << 63, 8, invalid);
	check_extent(&rig, 40, 1ull << 32, 8, invalid);
	check_extent(&rig, 16, UINT64_MAX, 8, invalid); /* beyond the last */
	check_extent(&rig, 16, 1ull << 32, 8, invalid);

	/* Overlapping: 2 pages from the first on, and the second of them again. */
	make_extents(&rig, &buffer);
	first = buffer.data_run.reference;
	buffer.layout.entries = 2;
	raw_buffer_list(
		&buffer,
		(struct hdmabuf_run[]){ { first, 2 }, { first + 1, 1 } }, 2);
	raw_buffer_describe(&buffer);
	check_refused(&rig, &buffer, HDMABUF_STATUS_DUPLICATE,
		      HDMABUF_WHERE_PAGE, UINT64_MAX);
	rig_close(&rig);
}

/* A size that is huge, with everything else as it then has to be. */
static void test_huge(void **state)
{
	static const uint64_t sizes[] = { 1ull << 32,	     1ull << 40,
					  1ull << 46,	     1ull << 63,
					  UINT64_MAX - 5000, UINT64_MAX };
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	uint32_t format;
	size_t i;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (format = 0; format < 3; format++) {
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct hdmabuf_layout *layout = &buffer.layout;
			uint16_t status;
			bool possible;

			make(&rig, &buffer, 1, format);
			buffer.info.size = sizes[i];
			hdmabuf_buffer_pages(0, sizes[i], 12, &layout->pages);
			layout->entries = layout->pages;
			possible = hdmabuf_directory_pages(
				format, layout->entries, 12,
				&layout->directory_pages);
			raw_buffer_describe(&buffer);
			status = rig_export(&rig, &buffer, &answer);
			assert_int_equal(status,
					 possible ? HDMABUF_STATUS_LIMIT :
						    HDMABUF_STATUS_INVALID);
			check_gone(&rig, &buffer);
		}
	}
	/* The sum of offset and size does not fit. */
	make(&rig, &buffer, 1, 0);
	buffer.info.size = UINT64_MAX;
	buffer.info.data_offset = 1;
	raw_buffer_describe(&buffer);
	assert_int_equal(rig_export(&rig, &buffer, &answer),
			 HDMABUF_STATUS_INVALID);
	check_gone(&rig, &buffer);
	rig_close(&rig);
}

/* Rubbish in the place of descriptor and directory, seed by seed. */
static void test_rubbish(void **state)
{
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	unsigned int i, k;

	(void)state;
	srand(4);
	rig.end.policy.map = true;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	for (i = 0; i < 300; i++) {
		uint8_t *octets;

		make(&rig, &buffer, 1 + i % 7, i % 3);
		octets = (uint8_t *)(i % 2 ? (void *)raw_descriptor(&buffer) :
					     raw_directory(&buffer));
		for (k = 0; k < 1 + i % 5; k++)
			octets[rand() % 256] =
				(uint8_t)(rand() % 2 ? rand() % 4 : rand());
		if (rig_export(&rig, &buffer, NULL))
			assert_int_equal(rig_name(&rig, HDMABUF_OP_QUERY,
						  &buffer.id, NULL),
					 HDMABUF_STATUS_NO_SUCH_BUFFER);
		else
			assert_int_equal(rig_name(&rig, HDMABUF_OP_UNEXPORT,
						  &buffer.id, NULL),
					 HDMABUF_STATUS_OK);
		check_revocable(&rig, &buffer.data_run);
		check_revocable(&rig, &buffer.description_run);
		raw_buffer_free(&buffer);
	}
	rig_check(&rig);
	rig_close(&rig);
}

/* ---- pages of data -------------------------------------------------------- */

/* References that do not lead to memory, if the importer maps at once. */
static void check_pages(void (*spoil)(struct rig *, struct raw_buffer *),
			uint64_t page)
{
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct rig rig = { 0 };

	rig.end.policy.map = true;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	make(&rig, &buffer, 3, HDMABUF_DIRECTORY_LIST);
	spoil(&rig, &buffer);
	assert_int_equal(rig_export(&rig, &buffer, &answer),
			 HDMABUF_STATUS_BAD_REFERENCE);
	assert_int_equal(answer.fault.where, HDMABUF_WHERE_PAGE);
	assert_int_equal(answer.fault.offset, page);
	assert_int_equal(rig_name(&rig, HDMABUF_OP_QUERY, &buffer.id, NULL),
			 HDMABUF_STATUS_NO_SUCH_BUFFER);
	check_revocable(&rig, &buffer.description_run);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

static void spoil_unknown(struct rig *rig, struct raw_buffer *buffer)
{
	(void)rig;
	put_word(buffer, 1 + 1, 0x1000000);
}

static void spoil_largest(struct rig *rig, struct raw_buffer *buffer)
{
	(void)rig;
	put_word(buffer, 1 + 2, UINT32_MAX);
}

static void spoil_revoked(struct rig *rig, struct raw_buffer *buffer)
{
	rig_run(rig);
	check_revocable(rig, &buffer->data_run);
}

/* The page is shared, but read-only. */
static void spoil_rights(struct rig *rig, struct raw_buffer *buffer)
{
	(void)rig;
	buffer->info.rights = HDMABUF_RIGHTS_READ_WRITE;
	raw_buffer_describe(buffer);
}

static void test_unmappable_pages(void **state)
{
	(void)state;
	check_pages(spoil_unknown, 1);
	check_pages(spoil_largest, 2);
	check_pages(spoil_revoked, 0);
	check_pages(spoil_rights, 0);
}

/* An importer that maps later finds out later. */
static void test_unmappable_later(void **state)
{
	struct raw_buffer buffer;
	struct rig rig = { 0 };
	void *data;

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	make(&rig, &buffer, 3, HDMABUF_DIRECTORY_LIST);
	put_word(&buffer, 2, 0x1000000);
	assert_int_equal(rig_export(&rig, &buffer, NULL), HDMABUF_STATUS_OK);
	assert_int_equal(hdmabuf_buffer_map(rig.end.seen.buffer, &data),
			 -EINVAL);
	assert_int_equal(hdmabuf_buffer_state(rig.end.seen.buffer),
			 HDMABUF_BUFFER_IMPORTED);
	assert_null(hdmabuf_buffer_data(rig.end.seen.buffer));
	assert_int_equal(rig_name(&rig, HDMABUF_OP_UNEXPORT, &buffer.id, NULL),
			 HDMABUF_STATUS_OK);
	check_gone(&rig, &buffer);
	rig_close(&rig);
}

/* ---- updates ------------------------------------------------------------- */

static void check_update(size_t offset, size_t octets, uint64_t value,
			 uint16_t status)
{
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct rig rig = { 0 };

	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_share(&rig, &buffer, 3 * PAGE - 1, HDMABUF_RIGHTS_READ_ONLY);
	buffer.generation = 2;
	buffer.info.tag = 5;
	raw_buffer_describe(&buffer);
	put((uint8_t *)raw_descriptor(&buffer) + offset, value, octets);
	assert_int_equal(rig_update(&rig, &buffer, &answer), status);
	assert_int_equal(answer.fault.where, HDMABUF_WHERE_DESCRIPTOR);
	assert_int_equal(answer.fault.offset, offset);
	/* It keeps what it had. */
	assert_int_equal(hdmabuf_buffer_info(rig.end.seen.buffer)->tag, 0);
	assert_int_equal(rig.end.seen.updated, 0);
	raw_buffer_describe(&buffer);
	assert_int_equal(rig_update(&rig, &buffer, &answer), 0);
	assert_int_equal(hdmabuf_buffer_info(rig.end.seen.buffer)->tag, 5);
	assert_int_equal(rig.end.seen.updated, 1);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

static void test_updates(void **state)
{
	const uint16_t invalid = HDMABUF_STATUS_INVALID;

	(void)state;
	check_update(AT(magic), 4, 0, invalid);
	check_update(AT(length), 4, 257, invalid);
	check_update(AT(id), 8, 5, invalid);
	check_update(AT(generation), 8, 1, invalid);
	check_update(AT(generation), 8, 3, invalid);
	check_update(AT(generation), 8, UINT64_MAX, invalid);
	check_update(AT(size), 8, 3 * PAGE, invalid);
	check_update(AT(data_offset), 4, 1, invalid);
	check_update(AT(directory), 8, 1, invalid);
	check_update(AT(rights), 4, HDMABUF_RIGHTS_READ_WRITE, invalid);
	check_update(AT(attributes), 4, HDMABUF_ATTRIBUTE_WRITE_COMBINED,
		     invalid);
	check_update(AT(type), 4, 7, invalid);
	check_update(AT(zero), 1, 1, HDMABUF_STATUS_RESERVED);
}

/* HDB-BOTH-038: of all that is wrong, the field that comes first. */
static void test_first_of_wrong_fields(void **state)
{
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	make(&rig, &buffer, 3, HDMABUF_DIRECTORY_LIST);
	buffer.generation = 2;
	raw_buffer_describe(&buffer);
	put((uint8_t *)raw_descriptor(&buffer) + AT(type), 9, 4);
	check_refused(&rig, &buffer, HDMABUF_STATUS_INVALID,
		      HDMABUF_WHERE_DESCRIPTOR, AT(generation));
	rig_share(&rig, &buffer, 3 * PAGE, HDMABUF_RIGHTS_READ_ONLY);
	buffer.generation = 2;
	raw_buffer_describe(&buffer);
	put((uint8_t *)raw_descriptor(&buffer) + AT(directory), 1, 8);
	put((uint8_t *)raw_descriptor(&buffer) + AT(rights), 2, 4);
	put((uint8_t *)raw_descriptor(&buffer) + AT(type), 9, 4);
	assert_int_equal(rig_update(&rig, &buffer, &answer),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(answer.fault.offset, AT(directory));
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

/* Another format, which fits the same pages, is another directory. */
static void test_update_of_format(void **state)
{
	struct hdmabuf_answer answer;
	struct raw_buffer buffer;
	struct rig rig = { 0 };

	(void)state;
	rig_connect(&rig, HDMABUF_BACKEND, NULL);
	rig_share(&rig, &buffer, 3 * PAGE, HDMABUF_RIGHTS_READ_ONLY);
	buffer.generation = 2;
	buffer.layout.directory_format = HDMABUF_DIRECTORY_TABLE;
	raw_buffer_describe(&buffer);
	assert_int_equal(rig_update(&rig, &buffer, &answer),
			 HDMABUF_STATUS_INVALID);
	assert_int_equal(answer.fault.offset, AT(directory_format));
	buffer.layout.directory_format = HDMABUF_DIRECTORY_EXTENTS;
	buffer.layout.entries = 1;
	raw_buffer_describe(&buffer);
	assert_int_equal(rig_update(&rig, &buffer, &answer),
			 HDMABUF_STATUS_INVALID);
	rig_check(&rig);
	rig_close(&rig);
	raw_buffer_free(&buffer);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_descriptors),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_descriptor_references),
		cmocka_unit_test(test_duplicate_id),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_unmappable_pages),
		cmocka_unit_test(test_unmappable_later),
		cmocka_unit_test(test_updates),
		cmocka_unit_test(test_first_of_wrong_fields),
		cmocka_unit_test(test_update_of_format),
	};

	return hdmabuf_test_run("session_import", tests,
				sizeof(tests) / sizeof(tests[0]));
}
