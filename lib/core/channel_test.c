/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdmabuf/channel.h>

#include "tests/harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Records ------------------------------------------------------------- */

static const struct hdmabuf_offer usual_offer = {
	.epoch = 1234567890123,
	.version_min = 1,
	.version_max = 1,
	.features = 0x1ff,
	.ring_formats = 1,
	.ring_order_max = 6,
	.timeline_max = 64,
};

static const struct hdmabuf_reply usual_reply = {
	.epoch = 99,
	.peer_epoch = 1234567890123,
	.channel = 4711,
};

#define USUAL_OFFER \
	"version-min=1\n" \
	"version-max=1\n" \
	"features=511\n" \
	"ring-formats=1\n" \
	"ring-order-max=6\n" \
	"timeline-max=64\n" \
	"epoch=1234567890123\n"
#define USUAL_REPLY \
	"peer-epoch=1234567890123\n" \
	"channel=4711\n" \
	"epoch=99\n"

static void assert_same_offer(const struct hdmabuf_offer *a,
			      const struct hdmabuf_offer *b)
{
	assert_true(a->epoch == b->epoch);
	assert_int_equal(a->version_min, b->version_min);
	assert_int_equal(a->version_max, b->version_max);
	assert_true(a->features == b->features);
	assert_true(a->ring_formats == b->ring_formats);
	assert_int_equal(a->ring_order_max, b->ring_order_max);
	assert_int_equal(a->timeline_max, b->timeline_max);
	assert_int_equal(a->error, b->error);
}

static void assert_same_reply(const struct hdmabuf_reply *a,
			      const struct hdmabuf_reply *b)
{
	assert_true(a->epoch == b->epoch);
	assert_true(a->peer_epoch == b->peer_epoch);
	assert_true(a->channel == b->channel);
}

/* From memory of just that size, so that reading further would be noticed. */
static bool read_offer(const char *text, size_t octets,
		       struct hdmabuf_offer *offer)
{
	char *copy = malloc(octets ? octets : 1);
	bool done;

	assert_non_null(copy);
	memcpy(copy, text, octets);
	done = hdmabuf_offer_read(copy, octets, offer);
	free(copy);
	return done;
}

static bool read_reply(const char *text, size_t octets,
		       struct hdmabuf_reply *reply)
{
	char *copy = malloc(octets ? octets : 1);
	bool done;

	assert_non_null(copy);
	memcpy(copy, text, octets);
	done = hdmabuf_reply_read(copy, octets, reply);
	free(copy);
	return done;
}

static void records_as_text(void **state)
{
	char text[HDMABUF_RECORD_OCTETS];
	struct hdmabuf_offer offer = usual_offer, offered;
	struct hdmabuf_reply replied;

	(void)state;
	assert_int_equal(hdmabuf_offer_write(&offer, text),
			 strlen(USUAL_OFFER));
	assert_string_equal(text, USUAL_OFFER);
	assert_true(read_offer(text, strlen(text), &offered));
	assert_same_offer(&offer, &offered);

	offer.error = HDMABUF_STATUS_WRONG_EPOCH;
	hdmabuf_offer_write(&offer, text);
	assert_non_null(strstr(text, "\nerror=17\n"));
	assert_true(read_offer(text, strlen(text), &offered));
	assert_same_offer(&offer, &offered);

	assert_int_equal(hdmabuf_reply_write(&usual_reply, text),
			 strlen(USUAL_REPLY));
	assert_string_equal(text, USUAL_REPLY);
	assert_true(read_reply(text, strlen(text), &replied));
	assert_same_reply(&usual_reply, &replied);
}

/* The longest texts there are fit, and come back. */
static void the_longest_records(void **state)
{
	const struct hdmabuf_offer most = {
		.epoch = UINT64_MAX,
		.version_min = UINT32_MAX,
		.version_max = UINT32_MAX,
		.features = UINT64_MAX,
		.ring_formats = UINT64_MAX,
		.ring_order_max = 6,
		.timeline_max = 64,
		.error = UINT16_MAX,
	};
	const struct hdmabuf_reply far = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
	char text[2 * HDMABUF_RECORD_OCTETS];
	struct hdmabuf_offer offer;
	struct hdmabuf_reply reply;
	size_t octets;

	(void)state;
	memset(text, 'x', sizeof(text));
	octets = hdmabuf_offer_write(&most, text);
	assert_true(octets < HDMABUF_RECORD_OCTETS);
	assert_int_equal(text[octets], '\0');
	assert_int_equal(text[octets + 1], 'x');
	assert_true(read_offer(text, octets, &offer));
	assert_same_offer(&offer, &most);
	octets = hdmabuf_reply_write(&far, text);
	assert_true(octets < HDMABUF_RECORD_OCTETS);
	assert_true(read_reply(text, octets, &reply));
	assert_same_reply(&reply, &far);
}

/* All numbers of digits, and the places where one more is needed. */
static void numbers_are_written_in_full(void **state)
{
	struct hdmabuf_reply reply = usual_reply;
	char text[HDMABUF_RECORD_OCTETS], want[64];
	uint64_t power = 1;
	int digits, away;

	(void)state;
	for (digits = 1; digits <= 20; digits++, power *= 10)
		for (away = -1; away <= 1; away++) {
			reply.channel = power + (uint64_t)away;
			hdmabuf_reply_write(&reply, text);
			snprintf(want, sizeof(want), "\nchannel=%llu\n",
				 (unsigned long long)reply.channel);
			assert_non_null(strstr(text, want));
		}
}

/* Whether the usual offer is good with another text in place of a line. */
static bool offer_with(const char *key, const char *line)
{
	char text[2 * HDMABUF_RECORD_OCTETS], *at, *end;
	struct hdmabuf_offer offer;
	char start[32];

	snprintf(text, sizeof(text), "\n%s", USUAL_OFFER);
	snprintf(start, sizeof(start), "\n%s=", key);
	at = strstr(text, start);
	assert_non_null(at);
	end = strchr(at + 1, '\n') + 1;
	memmove(at + 1 + strlen(line), end, strlen(end) + 1);
	memcpy(at + 1, line, strlen(line));
	return read_offer(text + 1, strlen(text + 1), &offer);
}

static bool offer_with_value(const char *key, const char *value)
{
	char line[256];

	snprintf(line, sizeof(line), "%s=%s\n", key, value);
	return offer_with(key, line);
}

static const char *const offer_keys[] = { "epoch",	  "version-min",
					  "version-max",  "features",
					  "ring-formats", "ring-order-max",
					  "timeline-max" };

static void every_key_must_be_there(void **state)
{
	struct hdmabuf_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(offer_keys); i++)
		assert_false(offer_with(offer_keys[i], ""));
	assert_false(read_reply("peer-epoch=1\nepoch=1\n", 21, &reply));
	assert_false(read_reply("peer-epoch=1\nchannel=1\n", 23, &reply));
	assert_false(read_reply("channel=1\nepoch=1\n", 18, &reply));
	assert_true(
		read_reply("channel=1\nepoch=1\npeer-epoch=1\n", 31, &reply));
	assert_false(read_reply("", 0, &reply));
}

static void no_key_may_come_twice(void **state)
{
	char line[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(offer_keys); i++) {
		snprintf(line, sizeof(line), "%s=1\n%s=1\n", offer_keys[i],
			 offer_keys[i]);
		assert_false(offer_with(offer_keys[i], line));
	}
	assert_true(offer_with("epoch", "epoch=1\nerror=1\n"));
	assert_false(offer_with("epoch", "error=1\nepoch=1\nerror=1\n"));
}

struct range {
	const char *key;
	const char *lowest;
	const char *highest;
	const char *too_low; /* NULL if nothing is */
	const char *too_high;
};

static void every_value_has_its_range(void **state)
{
	static const struct range ranges[] = {
		{ "epoch", "1", "18446744073709551615", "0",
		  "18446744073709551616" },
		{ "version-min", "0", "1", NULL, "2" },
		{ "version-max", "1", "4294967295", "0", "4294967296" },
		{ "features", "0", "18446744073709551615", NULL,
		  "18446744073709551616" },
		{ "ring-formats", "0", "18446744073709551615", NULL,
		  "18446744073709551616" },
		{ "ring-order-max", "0", "6", NULL, "7" },
		{ "timeline-max", "0", "64", NULL, "65" },
	};
	const struct range *range;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(ranges); i++) {
		range = &ranges[i];
		assert_true(offer_with_value(range->key, range->lowest));
		assert_true(offer_with_value(range->key, range->highest));
		if (range->too_low)
			assert_false(
				offer_with_value(range->key, range->too_low));
		assert_false(offer_with_value(range->key, range->too_high));
	}
	assert_true(offer_with("epoch", "epoch=1\nerror=65535\n"));
	assert_false(offer_with("epoch", "epoch=1\nerror=0\n"));
	assert_false(offer_with("epoch", "epoch=1\nerror=65536\n"));
}

static void replies_have_no_zeros(void **state)
{
	static const char *const bad[] = {
		"epoch=0\npeer-epoch=1\nchannel=1\n",
		"epoch=1\npeer-epoch=0\nchannel=1\n",
		"epoch=1\npeer-epoch=1\nchannel=0\n",
		"epoch=1\npeer-epoch=1\nchannel=18446744073709551616\n",
	};
	struct hdmabuf_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_false(read_reply(bad[i], strlen(bad[i]), &reply));
}

/* HDB-BOTH-004: decimal, no sign, no leading zero, at most 20 digits. */
static void what_is_not_a_number(void **state)
{
	static const char *const bad[] = {
		"",
		"00",
		"01",
		"+1",
		"-1",
		" 1",
		"1 ",
		"0x1",
		"1.0",
		"1e3",
		"1,0",
		"one",
		"1=1",
		"=1",
		"1\r",
		"1\t",
		"\t1",
		"1\n1",
		"1/",
		"1:",
		"1\x7f",
		"1\xb2",
		"\xd9\xa1",
		"000000000000000000001",
		"100000000000000000000",
		"99999999999999999999",
		"18446744073709551620",
		"1844674407370955161500",
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		for (k = 0; k < COUNT(offer_keys); k++)
			assert_false(offer_with_value(offer_keys[k], bad[i]));
}

static void what_is_not_a_line(void **state)
{
	static const char *const bad[] = {
		"epoch=1\n\n",	     "\nepoch=1\n",
		"epoch=1\nx\n",	     "epoch=1\n=\n",
		"epoch=1\n=1\n",     "epoch=1\n=epoch=1\n",
		"epoch=1\r\n",	     "epoch =1\n",
		" epoch=1\n",	     "epochx=1\n",
		"epoc=1\n",	     "EPOCH=1\n",
		"epoch=1\n\t=1\n",   "epoch=1\nx=\xff\n",
		"epoch=1\n\x80=1\n", "epoch=1\nx=\x1b[0m\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_false(offer_with("epoch", bad[i]));
}

static void other_keys_do_not_matter(void **state)
{
	static const char *const good[] = {
		"epoch=1\nevent-channel=7\n",
		"epoch=1\nx=\n",
		"epoch=1\nx=1=2=3\n",
		"epoch=1\nx y z=not a number ~\n",
		"epoch=1\nx=1\nx=1\n",
		"epoch=1\nchannel=0\npeer-epoch=0\n",
		"epoch=1\nversion-minimum=77\n",
		"epoch=1\nversion-mi=77\n",
		"epoch=1\na-key-that-is-much-longer-than-any-that-is-known=0\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++)
		assert_true(offer_with("epoch", good[i]));
}

static void nul_is_no_text(void **state)
{
	char text[] = USUAL_OFFER;
	struct hdmabuf_offer offer;
	size_t i, octets = sizeof(text) - 1;

	(void)state;
	/* The terminator is none of the record's octets. */
	assert_true(read_offer(text, octets, &offer));
	assert_false(read_offer(text, octets + 1, &offer));
	for (i = 0; i < octets; i++) {
		char was = text[i];

		text[i] = '\0';
		assert_false(read_offer(text, octets, &offer));
		text[i] = was;
	}
}

static void what_is_cut_short_is_refused(void **state)
{
	struct hdmabuf_offer offer;
	struct hdmabuf_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < strlen(USUAL_OFFER); i++)
		assert_false(read_offer(USUAL_OFFER, i, &offer));
	for (i = 0; i < strlen(USUAL_REPLY); i++)
		assert_false(read_reply(USUAL_REPLY, i, &reply));
}

/* The reader once more, in another way: with the help of the C library. */
struct oracle_key {
	const char *name;
	unsigned long long least, most, value;
	int times;
};

static bool oracle_value(struct oracle_key *key, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || value[digits] || digits > 20 ||
	    (digits > 1 && value[0] == '0'))
		return false;
	errno = 0;
	key->value = strtoull(value, NULL, 10);
	return !errno && key->value >= key->least && key->value <= key->most &&
	       ++key->times == 1;
}

static bool oracle_line(struct oracle_key *keys, size_t count, char *line)
{
	char *value, *at;
	size_t i;

	for (at = line; *at; at++)
		if ((unsigned char)*at > 0x7f || !isprint((unsigned char)*at))
			return false;
	value = strchr(line, '=');
	if (!value || value == line)
		return false;
	*value++ = '\0';
	for (i = 0; i < count; i++)
		if (!strcmp(line, keys[i].name))
			return oracle_value(&keys[i], value);
	return true;
}

static bool oracle(const char *text, size_t octets, struct hdmabuf_offer *offer)
{
	struct oracle_key keys[] = {
		{ "epoch", 1, UINT64_MAX, 0, 0 },
		{ "version-min", 0, UINT32_MAX, 0, 0 },
		{ "version-max", 0, UINT32_MAX, 0, 0 },
		{ "features", 0, UINT64_MAX, 0, 0 },
		{ "ring-formats", 0, UINT64_MAX, 0, 0 },
		{ "ring-order-max", 0, 6, 0, 0 },
		{ "timeline-max", 0, 64, 0, 0 },
		{ "error", 1, UINT16_MAX, 0, 0 },
	};
	char copy[2 * HDMABUF_RECORD_OCTETS], *line = copy, *end;
	size_t i;

	memcpy(copy, text, octets);
	copy[octets] = '\0';
	if (strlen(copy) != octets)
		return false;
	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			return false;
		*end = '\0';
		if (!oracle_line(keys, COUNT(keys), line))
			return false;
	}
	for (i = 0; i < 7; i++)
		if (!keys[i].times)
			return false;
	*offer = (struct hdmabuf_offer){
		.epoch = keys[0].value,
		.version_min = (uint32_t)keys[1].value,
		.version_max = (uint32_t)keys[2].value,
		.features = keys[3].value,
		.ring_formats = keys[4].value,
		.ring_order_max = (uint32_t)keys[5].value,
		.timeline_max = (uint32_t)keys[6].value,
		.error = (uint16_t)keys[7].value,
	};
	return offer->version_min <= offer->version_max;
}

/* Return: whether the record was good. */
static bool compare_with_oracle(const char *text, size_t octets)
{
	struct hdmabuf_offer want, got;
	bool good = oracle(text, octets, &want);

	if (read_offer(text, octets, &got) != good)
		fail_msg("should be %s: %.*s", good ? "good" : "bad",
			 (int)octets, text);
	if (good)
		assert_same_offer(&got, &want);
	return good;
}

static void flipped_bits(void **state)
{
	char text[] = USUAL_OFFER "error=10\nsomething-else=1\n";
	size_t i, octets = sizeof(text) - 1;
	unsigned int good = 0;
	int bit;

	(void)state;
	assert_true(compare_with_oracle(text, octets));
	for (i = 0; i < octets; i++)
		for (bit = 0; bit < 8; bit++) {
			text[i] ^= (char)(1 << bit);
			good += compare_with_oracle(text, octets);
			text[i] ^= (char)(1 << bit);
		}
	/* Other digits, other keys that do not matter: some are good, not most. */
	assert_true(good > 50 && good < octets * 3);
}

static uint32_t draw(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Overwrite, insert, delete or copy some octets somewhere. */
static size_t mutate(char *text, size_t octets, uint32_t *seed)
{
	static const char likely[] = "0123456789=\n-epoch";
	size_t at = draw(seed) % octets, from = draw(seed) % octets;
	size_t length = 1 + draw(seed) % 12;

	switch (draw(seed) % 4) {
	case 0:
		text[at] = likely[draw(seed) % (sizeof(likely) - 1)];
		return octets;
	case 1:
		memmove(text + at + 1, text + at, octets - at);
		text[at] = likely[draw(seed) % (sizeof(likely) - 1)];
		return octets + 1;
	case 2:
		memmove(text + at, text + at + 1, octets - at - 1);
		return octets - 1;
	default:
		length = length < octets - from ? length : octets - from;
		length = length < octets - at ? length : octets - at;
		memmove(text + at, text + from, length);
		return octets;
	}
}

static void mutated_records(void **state)
{
	unsigned int round, times, good = 0;
	char text[HDMABUF_RECORD_OCTETS];
	uint32_t seed = 2463534242u;
	size_t octets;

	(void)state;
	for (round = 0; round < 60000; round++) {
		octets = strlen(USUAL_OFFER);
		memcpy(text, USUAL_OFFER, octets);
		for (times = 1 + round % 4; times; times--)
			octets = mutate(text, octets, &seed);
		good += compare_with_oracle(text, octets);
	}
	assert_true(good > 1000 && good < 59000);
}

/* ---- The channel page ---------------------------------------------------- */

#define EPOCH_FRONTEND 0x1122334455667788
#define AT(member)     offsetof(struct hdmabuf_channel, member)

/* One page for each ring, one page of timelines for each end. */
static const struct hdmabuf_channel_info usual_info = {
	.version = 1,
	.epoch_frontend = EPOCH_FRONTEND,
	.epoch_backend = 1234567890123,
	.page_shift = 12,
	.timeline_pages = 1,
	.references = 4,
	.frontend_ring_start = 0xffffffe0,
	.backend_ring_start = 0x12345678,
	.reference = { 0x101, 0x102, 0x8000000000000103, 0x104 },
};

static struct hdmabuf_channel usual_page(void)
{
	unsigned char page[4096] __attribute__((aligned(8)));
	struct hdmabuf_channel channel;

	hdmabuf_channel_encode(&usual_info, page);
	memcpy(&channel, page, sizeof(channel));
	return channel;
}

static uint16_t decode(const struct hdmabuf_channel *page,
		       const struct hdmabuf_offer *offer,
		       struct hdmabuf_fault *fault)
{
	struct hdmabuf_channel_info info;
	uint16_t status;

	memset(fault, 0xff, sizeof(*fault));
	status = hdmabuf_channel_decode(page, offer, EPOCH_FRONTEND, 12, &info,
					fault);
	assert_int_equal(fault->status, status);
	return status;
}

static void assert_fault(const struct hdmabuf_channel *page,
			 const struct hdmabuf_offer *offer, uint16_t status,
			 size_t offset, uint64_t value)
{
	struct hdmabuf_fault fault;

	assert_int_equal(decode(page, offer, &fault), status);
	assert_int_equal(fault.where, HDMABUF_WHERE_CHANNEL);
	assert_int_equal(fault.offset, offset);
	assert_true(fault.value == value);
}

static void assert_accepted(const struct hdmabuf_channel *page,
			    const struct hdmabuf_offer *offer)
{
	struct hdmabuf_fault fault;

	assert_int_equal(decode(page, offer, &fault), HDMABUF_STATUS_OK);
	assert_int_equal(fault.where, HDMABUF_WHERE_NOWHERE);
	assert_true(fault.offset == 0 && fault.value == 0);
}

/* Octet by octet as in the diagram, and the rest of the page is zero. */
static void page_is_as_specified(void **state)
{
	static const unsigned char want[96] = {
		'H',  'D',  'B',  'C',	1,    0,    0,	  0,	0x88, 0x77,
		0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xcb, 0x04, 0xfb, 0x71,
		0x1f, 0x01, 0,	  0,	12,   0,    0,	  0,	0,    0,
		0,    0,    0,	  0,	0,    0,    0,	  0,	0,    0,
		1,    0,    0,	  0,	4,    0,    0,	  0,	0xe0, 0xff,
		0xff, 0xff, 0x78, 0x56, 0x34, 0x12, 0,	  0,	0,    0,
		0,    0,    0,	  0,	1,    1,    0,	  0,	0,    0,
		0,    0,    2,	  1,	0,    0,    0,	  0,	0,    0,
		3,    1,    0,	  0,	0,    0,    0,	  0x80, 4,    1,
		0,    0,    0,	  0,	0,    0,
	};
	unsigned char page[65536] __attribute__((aligned(8)));
	struct hdmabuf_channel_info info = usual_info;
	uint32_t shift;
	size_t i;

	(void)state;
	for (shift = 12; shift < 16; shift++) {
		memset(page, 0xff, sizeof(page));
		info.page_shift = shift;
		hdmabuf_channel_encode(&info, page);
		assert_int_equal(page[24], shift);
		page[24] = 12;
		assert_memory_equal(page, want, sizeof(want));
		for (i = sizeof(want); i < (size_t)1 << shift; i++)
			assert_int_equal(page[i], 0);
		/* Not an octet beyond the page. */
		assert_int_equal(page[i], 0xff);
	}
}

static void page_is_read_as_it_was(void **state)
{
	struct hdmabuf_channel page = usual_page();
	struct hdmabuf_channel_info info;
	struct hdmabuf_fault fault;

	(void)state;
	memset(&info, 0xff, sizeof(info));
	assert_int_equal(hdmabuf_channel_decode(&page, &usual_offer,
						EPOCH_FRONTEND, 12, &info,
						&fault),
			 HDMABUF_STATUS_OK);
	assert_int_equal(info.version, 1);
	assert_true(info.epoch_frontend == usual_info.epoch_frontend);
	assert_true(info.epoch_backend == usual_info.epoch_backend);
	assert_int_equal(info.page_shift, 12);
	assert_int_equal(info.ring_format, 0);
	assert_int_equal(info.frontend_ring_order, 0);
	assert_int_equal(info.backend_ring_order, 0);
	assert_int_equal(info.timeline_pages, 1);
	assert_int_equal(info.references, 4);
	assert_int_equal(info.frontend_ring_start, 0xffffffe0);
	assert_int_equal(info.backend_ring_start, 0x12345678);
	assert_memory_equal(info.reference, usual_info.reference,
			    sizeof(info.reference));
}

/* Every combination of sizes that there is, and what it adds up to. */
static void sizes_add_up(void **state)
{
	struct hdmabuf_channel_info info = { .timeline_pages = 0 };
	uint32_t front, back, pages;

	(void)state;
	for (front = 0; front <= 8; front++)
		for (back = 0; back <= 8; back++)
			for (pages = 0; pages <= 66; pages++) {
				info.frontend_ring_order = front;
				info.backend_ring_order = back;
				info.timeline_pages = pages;
				assert_int_equal(
					hdmabuf_channel_pages(&info),
					front > 6 || back > 6 || pages > 64 ?
						UINT32_MAX :
						(1u << front) + (1u << back) +
							2 * pages);
			}
	info.timeline_pages = 0x80000001;
	assert_int_equal(hdmabuf_channel_pages(&info), UINT32_MAX);
	info.timeline_pages = 1;
	info.frontend_ring_order = 32;
	assert_int_equal(hdmabuf_channel_pages(&info), UINT32_MAX);
}

/* All 256 references, which is as many as a page of 4096 is specified to hold. */
static void the_largest_channel(void **state)
{
	unsigned char page[4096] __attribute__((aligned(8)));
	struct hdmabuf_channel_info info = usual_info;
	struct hdmabuf_channel channel;
	uint32_t i;

	(void)state;
	info.frontend_ring_order = info.backend_ring_order = 6;
	info.timeline_pages = 64;
	info.references = 256;
	for (i = 0; i < 256; i++)
		info.reference[i] = UINT64_MAX - i;
	hdmabuf_channel_encode(&info, page);
	memcpy(&channel, page, sizeof(channel));
	assert_accepted(&channel, &usual_offer);
	for (i = sizeof(channel); i < sizeof(page); i++)
		assert_int_equal(page[i], 0);
	channel.reference[255] = 0;
	assert_fault(&channel, &usual_offer, HDMABUF_STATUS_BAD_REFERENCE, 2104,
		     0);
}

/* A format is a number like others, which the offer judges. */
static void the_ring_format_is_written(void **state)
{
	unsigned char page[4096] __attribute__((aligned(8)));
	struct hdmabuf_offer offer = usual_offer;
	struct hdmabuf_channel_info info = usual_info;
	struct hdmabuf_channel channel;

	(void)state;
	info.ring_format = 5;
	hdmabuf_channel_encode(&info, page);
	memcpy(&channel, page, sizeof(channel));
	assert_int_equal(hdmabuf_get_le32(channel.ring_format), 5);
	offer.ring_formats = 1 << 5;
	assert_accepted(&channel, &offer);
}

/* Too many references are a caller's mistake, and still end with the page. */
static void encode_stays_in_the_page(void **state)
{
	unsigned char page[4097] __attribute__((aligned(8)));
	struct hdmabuf_channel_info info = usual_info;

	(void)state;
	memset(page, 0xff, sizeof(page));
	info.references = UINT32_MAX;
	hdmabuf_channel_encode(&info, page);
	assert_int_equal(page[4095], 0);
	assert_int_equal(page[4096], 0xff);
}

/* What lies behind the last reference in native form is no business of the peer. */
static void encode_stays_with_the_references(void **state)
{
	unsigned char page[4096] __attribute__((aligned(8)));
	struct hdmabuf_channel_info info = usual_info;
	struct hdmabuf_channel channel;

	(void)state;
	info.reference[info.references] = 7;
	hdmabuf_channel_encode(&info, page);
	memcpy(&channel, page, sizeof(channel));
	assert_accepted(&channel, &usual_offer);
}

static void magic_and_epochs(void **state)
{
	struct hdmabuf_channel page = usual_page();
	struct hdmabuf_offer offer = usual_offer;

	(void)state;
	page.magic = hdmabuf_put_le32(HDMABUF_CHANNEL_MAGIC + 1);
	assert_fault(&page, &offer, HDMABUF_STATUS_INVALID, 0, 0x43424449);
	page = usual_page();
	page.epoch_frontend = hdmabuf_put_le64(EPOCH_FRONTEND - 1);
	assert_fault(&page, &offer, HDMABUF_STATUS_WRONG_EPOCH, 8,
		     EPOCH_FRONTEND - 1);
	/* The low half alone is not enough. */
	page.epoch_frontend = hdmabuf_put_le64((uint32_t)EPOCH_FRONTEND);
	assert_fault(&page, &offer, HDMABUF_STATUS_WRONG_EPOCH, 8,
		     (uint32_t)EPOCH_FRONTEND);
	page = usual_page();
	offer.epoch++;
	assert_fault(&page, &offer, HDMABUF_STATUS_WRONG_EPOCH, 16,
		     offer.epoch - 1);
}

static void version_within_the_offer(void **state)
{
	struct hdmabuf_channel page = usual_page();
	struct hdmabuf_offer offer = usual_offer;
	uint32_t version;

	(void)state;
	offer.version_min = 3;
	offer.version_max = 5;
	for (version = 0; version <= 8; version++) {
		page.version = hdmabuf_put_le32(version);
		if (version >= 3 && version <= 5)
			assert_accepted(&page, &offer);
		else
			assert_fault(&page, &offer, HDMABUF_STATUS_INVALID, 4,
				     version);
	}
}

static void page_size_of_the_platform(void **state)
{
	struct hdmabuf_channel page = usual_page();
	uint32_t shift;

	(void)state;
	for (shift = 0; shift <= 70; shift++) {
		page.page_shift = hdmabuf_put_le32(shift);
		if (shift == 12)
			assert_accepted(&page, &usual_offer);
		else
			assert_fault(&page, &usual_offer,
				     HDMABUF_STATUS_INVALID, 24, shift);
	}
}

static void ring_format_that_was_offered(void **state)
{
	static const uint32_t far[] = { 64, 65, 96, 127, 128, UINT32_MAX };
	struct hdmabuf_channel page = usual_page();
	struct hdmabuf_offer offer = usual_offer;
	uint32_t format;
	size_t i;

	(void)state;
	offer.ring_formats = 1ull << 63 | 1ull << 40 | 1 << 2;
	for (format = 0; format < 64; format++) {
		page.ring_format = hdmabuf_put_le32(format);
		if (format == 63 || format == 40 || format == 2)
			assert_accepted(&page, &offer);
		else
			assert_fault(&page, &offer, HDMABUF_STATUS_INVALID, 28,
				     format);
	}
	offer.ring_formats = UINT64_MAX;
	for (i = 0; i < COUNT(far); i++) {
		page.ring_format = hdmabuf_put_le32(far[i]);
		assert_fault(&page, &offer, HDMABUF_STATUS_INVALID, 28, far[i]);
	}
}

/* A page with these sizes, and as many references as they need. */
static struct hdmabuf_channel sized_page(uint32_t front, uint32_t back,
					 uint32_t timelines,
					 uint32_t references)
{
	struct hdmabuf_channel page = usual_page();
	uint32_t i;

	page.frontend_ring_order = hdmabuf_put_le32(front);
	page.backend_ring_order = hdmabuf_put_le32(back);
	page.timeline_pages = hdmabuf_put_le32(timelines);
	page.references = hdmabuf_put_le32(references);
	for (i = 0; i < HDMABUF_CHANNEL_REFERENCES_MAX; i++)
		page.reference[i] = hdmabuf_put_le64(i < references ? 9 : 0);
	return page;
}

static void sizes_within_the_offer(void **state)
{
	struct hdmabuf_offer offer = usual_offer;
	struct hdmabuf_channel page;

	(void)state;
	offer.ring_order_max = 3;
	offer.timeline_max = 5;
	page = sized_page(3, 3, 5, 26);
	assert_accepted(&page, &offer);
	page = sized_page(0, 0, 0, 2);
	assert_accepted(&page, &offer);
	page = sized_page(4, 3, 5, 34);
	assert_fault(&page, &offer, HDMABUF_STATUS_LIMIT, 32, 3);
	page = sized_page(3, 4, 5, 34);
	assert_fault(&page, &offer, HDMABUF_STATUS_LIMIT, 36, 3);
	page = sized_page(3, 3, 6, 28);
	assert_fault(&page, &offer, HDMABUF_STATUS_LIMIT, 40, 5);
	page = sized_page(UINT32_MAX, 3, 5, 18);
	assert_fault(&page, &offer, HDMABUF_STATUS_LIMIT, 32, 3);
	page = sized_page(3, 3, 0x80000005, 26);
	assert_fault(&page, &offer, HDMABUF_STATUS_LIMIT, 40, 5);
}

static void references_are_the_sum(void **state)
{
	static const uint32_t wrong[] = { 0,	      1,	 2,   3,
					  5,	      256,	 257, 65536,
					  0x80000004, UINT32_MAX };
	struct hdmabuf_channel page;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		page = sized_page(0, 0, 1, wrong[i]);
		assert_fault(&page, &usual_offer, HDMABUF_STATUS_INVALID, 44,
			     wrong[i]);
	}
}

/* An offer that is itself beyond the protocol does not lead out of the page. */
static void an_offer_of_too_much(void **state)
{
	struct hdmabuf_offer offer = usual_offer;
	struct hdmabuf_channel page;

	(void)state;
	offer.ring_order_max = UINT32_MAX;
	offer.timeline_max = UINT32_MAX;
	page = sized_page(31, 31, 0, UINT32_MAX);
	assert_fault(&page, &offer, HDMABUF_STATUS_INVALID, 44, UINT32_MAX);
	page = sized_page(7, 0, 0, 129);
	assert_fault(&page, &offer, HDMABUF_STATUS_INVALID, 44, 129);
	page = sized_page(6, 6, 65, 258);
	assert_fault(&page, &offer, HDMABUF_STATUS_INVALID, 44, 258);
}

static void what_must_be_zero(void **state)
{
	struct hdmabuf_channel page;
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof(page.zero); i++) {
		page = usual_page();
		page.zero[i] = 0x80;
		assert_fault(&page, &usual_offer, HDMABUF_STATUS_RESERVED, 56,
			     0);
	}
	for (i = 4; i < HDMABUF_CHANNEL_REFERENCES_MAX; i++) {
		page = usual_page();
		page.reference[i] = hdmabuf_put_le64(1ull << 63);
		assert_fault(&page, &usual_offer, HDMABUF_STATUS_RESERVED,
			     64 + 8 * i, 1ull << 63);
	}
	for (i = 0; i < 4; i++) {
		page = usual_page();
		page.reference[i] = 0;
		assert_fault(&page, &usual_offer, HDMABUF_STATUS_BAD_REFERENCE,
			     64 + 8 * i, 0);
	}
}

/* Any number may be a reference, or the start of a ring. */
static bool may_be_any_number(size_t offset)
{
	return (offset >= AT(frontend_ring_start) && offset < AT(zero)) ||
	       (offset >= AT(reference) && offset < AT(reference) + 4 * 8);
}

/* One wrong bit anywhere else is noticed. */
static void flipped_bits_of_a_page(void **state)
{
	struct hdmabuf_channel page = usual_page();
	unsigned char *octets = (unsigned char *)&page;
	struct hdmabuf_fault fault;
	uint16_t status;
	size_t i;
	int bit;

	(void)state;
	for (i = 0; i < sizeof(page); i++)
		for (bit = 0; bit < 8; bit++) {
			octets[i] ^= (unsigned char)(1 << bit);
			status = decode(&page, &usual_offer, &fault);
			assert_int_equal(status == HDMABUF_STATUS_OK,
					 may_be_any_number(i));
			if (!may_be_any_number(i))
				assert_int_equal(fault.where,
						 HDMABUF_WHERE_CHANNEL);
			octets[i] ^= (unsigned char)(1 << bit);
		}
}

/* Of several things that are wrong, the first in the order of HDB-BE-002. */
static void the_first_fault_is_reported(void **state)
{
	struct hdmabuf_channel page, good = usual_page();

	(void)state;
	memset(&page, 0xff, sizeof(page));
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_INVALID, AT(magic),
		     UINT32_MAX);
	page.magic = good.magic;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_WRONG_EPOCH,
		     AT(epoch_frontend), UINT64_MAX);
	page.epoch_frontend = good.epoch_frontend;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_WRONG_EPOCH,
		     AT(epoch_backend), UINT64_MAX);
	page.epoch_backend = good.epoch_backend;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_INVALID, AT(version),
		     UINT32_MAX);
	page.version = good.version;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_INVALID,
		     AT(page_shift), UINT32_MAX);
	page.page_shift = good.page_shift;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_INVALID,
		     AT(ring_format), UINT32_MAX);
	page.ring_format = good.ring_format;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_LIMIT,
		     AT(frontend_ring_order), 6);
	page.frontend_ring_order = good.frontend_ring_order;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_LIMIT,
		     AT(backend_ring_order), 6);
	page.backend_ring_order = good.backend_ring_order;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_LIMIT,
		     AT(timeline_pages), 64);
	page.timeline_pages = good.timeline_pages;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_INVALID,
		     AT(references), UINT32_MAX);
	page.references = good.references;
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_RESERVED, AT(zero), 0);
	memset(page.zero, 0, sizeof(page.zero));
	assert_fault(&page, &usual_offer, HDMABUF_STATUS_RESERVED, 64 + 4 * 8,
		     UINT64_MAX);
	memset(&page.reference[4], 0, 252 * 8);
	assert_accepted(&page, &usual_offer);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_as_text),
		cmocka_unit_test(the_longest_records),
		cmocka_unit_test(numbers_are_written_in_full),
		cmocka_unit_test(every_key_must_be_there),
		cmocka_unit_test(no_key_may_come_twice),
		cmocka_unit_test(every_value_has_its_range),
		cmocka_unit_test(replies_have_no_zeros),
		cmocka_unit_test(what_is_not_a_number),
		cmocka_unit_test(what_is_not_a_line),
		cmocka_unit_test(other_keys_do_not_matter),
		cmocka_unit_test(nul_is_no_text),
		cmocka_unit_test(what_is_cut_short_is_refused),
		cmocka_unit_test(flipped_bits),
		cmocka_unit_test(mutated_records),
		cmocka_unit_test(page_is_as_specified),
		cmocka_unit_test(page_is_read_as_it_was),
		cmocka_unit_test(sizes_add_up),
		cmocka_unit_test(the_largest_channel),
		cmocka_unit_test(the_ring_format_is_written),
		cmocka_unit_test(encode_stays_in_the_page),
		cmocka_unit_test(encode_stays_with_the_references),
		cmocka_unit_test(magic_and_epochs),
		cmocka_unit_test(version_within_the_offer),
		cmocka_unit_test(page_size_of_the_platform),
		cmocka_unit_test(ring_format_that_was_offered),
		cmocka_unit_test(sizes_within_the_offer),
		cmocka_unit_test(references_are_the_sum),
		cmocka_unit_test(an_offer_of_too_much),
		cmocka_unit_test(what_must_be_zero),
		cmocka_unit_test(flipped_bits_of_a_page),
		cmocka_unit_test(the_first_fault_is_reported),
	};

	return hdmabuf_test_run("channel", tests, COUNT(tests));
}
