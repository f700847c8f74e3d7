/* SPDX-License-Identifier: MIT */
/* The records of the store, and the channel page. */
#include <hdmabuf/channel.h>

#include "lib/core/octets.h"

#define MAX32 0xffffffffu
#define MAX64 0xffffffffffffffffu

/* ---- Records ------------------------------------------------------------- */

/* A key of a record, and the range that it allows. */
struct key {
	char name[16];
	uint64_t least;
	uint64_t most;
	bool optional;
};

enum offer_key {
	OFFER_VERSION_MIN,
	OFFER_VERSION_MAX,
	OFFER_FEATURES,
	OFFER_RING_FORMATS,
	OFFER_RING_ORDER_MAX,
	OFFER_TIMELINE_MAX,
	OFFER_ERROR,
	OFFER_EPOCH,
	OFFER_KEYS
};

/* Epochs are last: HDB-BOTH-005 is followed by writing line by line. */
static const struct key offer_keys[OFFER_KEYS] = {
	[OFFER_VERSION_MIN] = { HDMABUF_KEY_VERSION_MIN, 0, MAX32, false },
	[OFFER_VERSION_MAX] = { HDMABUF_KEY_VERSION_MAX, 0, MAX32, false },
	[OFFER_FEATURES] = { HDMABUF_KEY_FEATURES, 0, MAX64, false },
	[OFFER_RING_FORMATS] = { HDMABUF_KEY_RING_FORMATS, 0, MAX64, false },
	[OFFER_RING_ORDER_MAX] = { HDMABUF_KEY_RING_ORDER_MAX, 0,
				   HDMABUF_RING_ORDER_MAX, false },
	[OFFER_TIMELINE_MAX] = { HDMABUF_KEY_TIMELINE_MAX, 0,
				 HDMABUF_TIMELINE_PAGES_MAX, false },
	[OFFER_ERROR] = { HDMABUF_KEY_ERROR, 1, 0xffff, true },
	[OFFER_EPOCH] = { HDMABUF_KEY_EPOCH, 1, MAX64, false },
};

enum reply_key {
	REPLY_PEER_EPOCH,
	REPLY_CHANNEL,
	REPLY_EPOCH,
	REPLY_KEYS
};

static const struct key reply_keys[REPLY_KEYS] = {
	[REPLY_PEER_EPOCH] = { HDMABUF_KEY_PEER_EPOCH, 1, MAX64, false },
	[REPLY_CHANNEL] = { HDMABUF_KEY_CHANNEL, 1, MAX64, false },
	[REPLY_EPOCH] = { HDMABUF_KEY_EPOCH, 1, MAX64, false },
};

/* Some octets of a record, not terminated. */
struct text {
	const char *at;
	size_t octets;
};

/* What has been read of a record: bit n of @found stands for keys[n]. */
struct record {
	const struct key *keys;
	unsigned int count;
	unsigned int found;
	uint64_t *values;
};

/* Cut the text in two at the first @mark, which belongs to neither part. */
static bool cut(struct text *text, char mark, struct text *front)
{
	size_t octets = 0;

	/*@ loop invariant 0 <= octets <= text->octets;
	    loop assigns octets;
	    loop variant text->octets - octets; */
	while (octets < text->octets && text->at[octets] != mark)
		octets++;
	if (octets == text->octets)
		return false;
	front->at = text->at;
	front->octets = octets;
	text->at += octets + 1;
	text->octets -= octets + 1;
	return true;
}

static bool is_printable(struct text text)
{
	size_t i;

	/*@ loop invariant 0 <= i <= text.octets;
	    loop assigns i;
	    loop variant text.octets - i; */
	for (i = 0; i < text.octets; i++)
		if (text.at[i] < ' ' || text.at[i] > '~')
			return false;
	return true;
}

static bool is_named(const struct key *key, struct text name)
{
	return name.octets < sizeof(key->name) && !key->name[name.octets] &&
	       octets_equal(key->name, name.at, name.octets);
}

/* A decimal number with no sign and no leading zero that fits 64 bits. */
static bool read_number(struct text text, uint64_t *number)
{
	unsigned int digit;
	size_t i;

	if (!text.octets || text.octets > HDMABUF_VALUE_OCTETS ||
	    (text.at[0] == '0' && text.octets > 1))
		return false;
	*number = 0;
	/*@ loop invariant 0 <= i <= text.octets;
	    loop invariant *number == decimal(text.at, i);
	    loop assigns i, digit, *number;
	    loop variant text.octets - i; */
	for (i = 0; i < text.octets; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		digit = (unsigned int)(text.at[i] - '0');
		if (*number > MAX64 / 10 ||
		    (*number == MAX64 / 10 && digit > MAX64 % 10))
			return false;
		*number = *number * 10 + digit;
	}
	return true;
}

static bool read_value(struct record *record, unsigned int index,
		       struct text value)
{
	const struct key *key = &record->keys[index];
	uint64_t number;

	if (record->found & 1u << index || !read_number(value, &number) ||
	    number < key->least || number > key->most)
		return false;
	record->found |= 1u << index;
	record->values[index] = number;
	return true;
}

/* A key that is not known is a binding's, or of a later version. */
static bool read_line(struct record *record, struct text line)
{
	unsigned int index = 0;
	struct text name;

	if (!is_printable(line) || !cut(&line, '=', &name) || !name.octets)
		return false;
	/*@ loop invariant 0 <= index <= record->count;
	    loop assigns index;
	    loop variant record->count - index; */
	while (index < record->count && !is_named(&record->keys[index], name))
		index++;
	return index == record->count || read_value(record, index, line);
}

static bool is_complete(const struct record *record)
{
	unsigned int index;

	/*@ loop invariant 0 <= index <= record->count;
	    loop assigns index;
	    loop variant record->count - index; */
	for (index = 0; index < record->count; index++)
		if (!record->keys[index].optional &&
		    !(record->found & 1u << index))
			return false;
	return true;
}

static bool read_record(struct text text, const struct key *keys,
			unsigned int count, uint64_t *values)
{
	struct record record = { .keys = keys,
				 .count = count,
				 .values = values };
	struct text line;

	/*@ loop invariant \valid_read(text.at + (0 .. text.octets - 1));
	    loop invariant record.keys == keys && record.count == count &&
		record.values == values;
	    loop invariant \forall integer i; 0 <= i < count ==>
		values[i] == 0 || keys[i].least <= values[i] <= keys[i].most;
	    loop assigns text, line, record.found, values[0 .. count - 1];
	    loop variant text.octets; */
	while (text.octets)
		if (!cut(&text, '\n', &line) || !read_line(&record, line))
			return false;
	return is_complete(&record);
}

/* Digit by digit: a 32-bit machine has no division of 64 bits without help. */
static char *write_number(char *at, uint64_t number)
{
	static const uint64_t powers[] = {
		10000000000000000000u,
		1000000000000000000,
		100000000000000000,
		10000000000000000,
		1000000000000000,
		100000000000000,
		10000000000000,
		1000000000000,
		100000000000,
		10000000000,
		1000000000,
		100000000,
		10000000,
		1000000,
		100000,
		10000,
		1000,
		100,
		10,
		1,
	};
	unsigned int i = 0;

	while (number < powers[i] && powers[i] > 1)
		i++;
	for (; i < sizeof(powers) / sizeof(powers[0]); i++) {
		*at = '0';
		for (; number >= powers[i]; number -= powers[i])
			++*at;
		at++;
	}
	return at;
}

static char *write_line(char *at, const struct key *key, uint64_t value)
{
	const char *name = key->name;

	while (*name)
		*at++ = *name++;
	*at++ = '=';
	at = write_number(at, value);
	*at++ = '\n';
	return at;
}

/* A key that may be missing is missing if its value is 0. */
static size_t write_record(char *text, const struct key *keys,
			   unsigned int count, const uint64_t *values)
{
	unsigned int index;
	char *at = text;

	for (index = 0; index < count; index++)
		if (!keys[index].optional || values[index])
			at = write_line(at, &keys[index], values[index]);
	*at = '\0';
	return (size_t)(at - text);
}

size_t hdmabuf_offer_write(const struct hdmabuf_offer *offer, char *text)
{
	const uint64_t values[OFFER_KEYS] = {
		[OFFER_VERSION_MIN] = offer->version_min,
		[OFFER_VERSION_MAX] = offer->version_max,
		[OFFER_FEATURES] = offer->features,
		[OFFER_RING_FORMATS] = offer->ring_formats,
		[OFFER_RING_ORDER_MAX] = offer->ring_order_max,
		[OFFER_TIMELINE_MAX] = offer->timeline_max,
		[OFFER_ERROR] = offer->error,
		[OFFER_EPOCH] = offer->epoch,
	};

	return write_record(text, offer_keys, OFFER_KEYS, values);
}

bool hdmabuf_offer_read(const char *text, size_t octets,
			struct hdmabuf_offer *offer)
{
	const struct text record = { text, octets };
	uint64_t values[OFFER_KEYS] = { 0 };

	if (!read_record(record, offer_keys, OFFER_KEYS, values) ||
	    values[OFFER_VERSION_MIN] > values[OFFER_VERSION_MAX])
		return false;
	offer->version_min = (uint32_t)values[OFFER_VERSION_MIN];
	offer->version_max = (uint32_t)values[OFFER_VERSION_MAX];
	offer->features = values[OFFER_FEATURES];
	offer->ring_formats = values[OFFER_RING_FORMATS];
	offer->ring_order_max = (uint32_t)values[OFFER_RING_ORDER_MAX];
	offer->timeline_max = (uint32_t)values[OFFER_TIMELINE_MAX];
	offer->error = (uint16_t)values[OFFER_ERROR];
	offer->epoch = values[OFFER_EPOCH];
	return true;
}

size_t hdmabuf_reply_write(const struct hdmabuf_reply *reply, char *text)
{
	const uint64_t values[REPLY_KEYS] = {
		[REPLY_PEER_EPOCH] = reply->peer_epoch,
		[REPLY_CHANNEL] = reply->channel,
		[REPLY_EPOCH] = reply->epoch,
	};

	return write_record(text, reply_keys, REPLY_KEYS, values);
}

bool hdmabuf_reply_read(const char *text, size_t octets,
			struct hdmabuf_reply *reply)
{
	const struct text record = { text, octets };
	uint64_t values[REPLY_KEYS] = { 0 };

	if (!read_record(record, reply_keys, REPLY_KEYS, values))
		return false;
	reply->peer_epoch = values[REPLY_PEER_EPOCH];
	reply->channel = values[REPLY_CHANNEL];
	reply->epoch = values[REPLY_EPOCH];
	return true;
}

/* ---- The channel page ---------------------------------------------------- */

#define AT(member) offsetof(struct hdmabuf_channel, member)

static uint16_t refuse(struct hdmabuf_fault *fault, uint16_t status,
		       uint64_t offset, uint64_t value)
{
	return hdmabuf_fault_set(fault, status, HDMABUF_WHERE_CHANNEL, offset,
				 value);
}

static uint64_t reference_at(uint32_t index)
{
	return AT(reference) + (uint64_t)index * sizeof(hdmabuf_le64);
}

uint32_t hdmabuf_channel_pages(const struct hdmabuf_channel_info *info)
{
	if (info->frontend_ring_order > HDMABUF_RING_ORDER_MAX ||
	    info->backend_ring_order > HDMABUF_RING_ORDER_MAX ||
	    info->timeline_pages > HDMABUF_TIMELINE_PAGES_MAX)
		return MAX32;
	return (1u << info->frontend_ring_order) +
	       (1u << info->backend_ring_order) + 2 * info->timeline_pages;
}

void hdmabuf_channel_encode(const struct hdmabuf_channel_info *info, void *page)
{
	struct hdmabuf_channel *channel = page;
	uint32_t i;

	octets_clear(page, (size_t)1 << info->page_shift);
	channel->magic = hdmabuf_put_le32(HDMABUF_CHANNEL_MAGIC);
	channel->version = hdmabuf_put_le32(info->version);
	channel->epoch_frontend = hdmabuf_put_le64(info->epoch_frontend);
	channel->epoch_backend = hdmabuf_put_le64(info->epoch_backend);
	channel->page_shift = hdmabuf_put_le32(info->page_shift);
	channel->ring_format = hdmabuf_put_le32(info->ring_format);
	channel->frontend_ring_order =
		hdmabuf_put_le32(info->frontend_ring_order);
	channel->backend_ring_order =
		hdmabuf_put_le32(info->backend_ring_order);
	channel->timeline_pages = hdmabuf_put_le32(info->timeline_pages);
	channel->references = hdmabuf_put_le32(info->references);
	channel->frontend_ring_start =
		hdmabuf_put_le32(info->frontend_ring_start);
	channel->backend_ring_start =
		hdmabuf_put_le32(info->backend_ring_start);
	for (i = 0; i < info->references && i < HDMABUF_CHANNEL_REFERENCES_MAX;
	     i++)
		channel->reference[i] = hdmabuf_put_le64(info->reference[i]);
}

static void read_fields(const struct hdmabuf_channel *page,
			struct hdmabuf_channel_info *info)
{
	uint32_t i;

	info->version = hdmabuf_get_le32(page->version);
	info->epoch_frontend = hdmabuf_get_le64(page->epoch_frontend);
	info->epoch_backend = hdmabuf_get_le64(page->epoch_backend);
	info->page_shift = hdmabuf_get_le32(page->page_shift);
	info->ring_format = hdmabuf_get_le32(page->ring_format);
	info->frontend_ring_order = hdmabuf_get_le32(page->frontend_ring_order);
	info->backend_ring_order = hdmabuf_get_le32(page->backend_ring_order);
	info->timeline_pages = hdmabuf_get_le32(page->timeline_pages);
	info->references = hdmabuf_get_le32(page->references);
	info->frontend_ring_start = hdmabuf_get_le32(page->frontend_ring_start);
	info->backend_ring_start = hdmabuf_get_le32(page->backend_ring_start);
	/*@ loop invariant 0 <= i <= HDMABUF_CHANNEL_REFERENCES_MAX;
	    loop assigns i,
		info->reference[0 .. HDMABUF_CHANNEL_REFERENCES_MAX - 1];
	    loop variant HDMABUF_CHANNEL_REFERENCES_MAX - i; */
	for (i = 0; i < HDMABUF_CHANNEL_REFERENCES_MAX; i++)
		info->reference[i] = hdmabuf_get_le64(page->reference[i]);
}

static uint16_t check_epochs(const struct hdmabuf_channel_info *info,
			     const struct hdmabuf_offer *offer,
			     uint64_t epoch_frontend,
			     struct hdmabuf_fault *fault)
{
	if (info->epoch_frontend != epoch_frontend)
		return refuse(fault, HDMABUF_STATUS_WRONG_EPOCH,
			      AT(epoch_frontend), info->epoch_frontend);
	if (info->epoch_backend != offer->epoch)
		return refuse(fault, HDMABUF_STATUS_WRONG_EPOCH,
			      AT(epoch_backend), info->epoch_backend);
	return HDMABUF_STATUS_OK;
}

static bool is_offered_format(const struct hdmabuf_offer *offer,
			      uint32_t ring_format)
{
	return ring_format < 64 && offer->ring_formats >> ring_format & 1;
}

static uint16_t check_choice(const struct hdmabuf_channel_info *info,
			     const struct hdmabuf_offer *offer,
			     uint32_t page_shift, struct hdmabuf_fault *fault)
{
	if (info->version < offer->version_min ||
	    info->version > offer->version_max)
		return refuse(fault, HDMABUF_STATUS_INVALID, AT(version),
			      info->version);
	if (info->page_shift != page_shift)
		return refuse(fault, HDMABUF_STATUS_INVALID, AT(page_shift),
			      info->page_shift);
	if (!is_offered_format(offer, info->ring_format))
		return refuse(fault, HDMABUF_STATUS_INVALID, AT(ring_format),
			      info->ring_format);
	return HDMABUF_STATUS_OK;
}

static uint16_t check_most(uint32_t value, uint32_t most, uint64_t offset,
			   struct hdmabuf_fault *fault)
{
	if (value > most)
		return refuse(fault, HDMABUF_STATUS_LIMIT, offset, most);
	return HDMABUF_STATUS_OK;
}

static uint16_t check_sizes(const struct hdmabuf_channel_info *info,
			    const struct hdmabuf_offer *offer,
			    struct hdmabuf_fault *fault)
{
	uint32_t pages = hdmabuf_channel_pages(info);
	uint16_t status;

	status = check_most(info->frontend_ring_order, offer->ring_order_max,
			    AT(frontend_ring_order), fault);
	if (!status)
		status = check_most(info->backend_ring_order,
				    offer->ring_order_max,
				    AT(backend_ring_order), fault);
	if (!status)
		status = check_most(info->timeline_pages, offer->timeline_max,
				    AT(timeline_pages), fault);
	if (!status && (pages > HDMABUF_CHANNEL_REFERENCES_MAX ||
			info->references != pages))
		status = refuse(fault, HDMABUF_STATUS_INVALID, AT(references),
				info->references);
	return status;
}

/* What follows the last reference is padding of the page. */
static uint16_t check_references(const struct hdmabuf_channel_info *info,
				 struct hdmabuf_fault *fault)
{
	uint32_t i;

	/*@ loop invariant i <= HDMABUF_CHANNEL_REFERENCES_MAX;
	    loop assigns i;
	    loop variant HDMABUF_CHANNEL_REFERENCES_MAX - i; */
	for (i = info->references; i < HDMABUF_CHANNEL_REFERENCES_MAX; i++)
		if (info->reference[i])
			return refuse(fault, HDMABUF_STATUS_RESERVED,
				      reference_at(i), info->reference[i]);
	/*@ loop invariant 0 <= i <= info->references;
	    loop invariant \forall integer k; 0 <= k < i ==>
		info->reference[k] != 0;
	    loop assigns i;
	    loop variant info->references - i; */
	for (i = 0; i < info->references; i++)
		if (!info->reference[i])
			return refuse(fault, HDMABUF_STATUS_BAD_REFERENCE,
				      reference_at(i), 0);
	return HDMABUF_STATUS_OK;
}

uint16_t hdmabuf_channel_decode(const struct hdmabuf_channel *page,
				const struct hdmabuf_offer *offer,
				uint64_t epoch_frontend, uint32_t page_shift,
				struct hdmabuf_channel_info *info,
				struct hdmabuf_fault *fault)
{
	uint32_t magic = hdmabuf_get_le32(page->magic);
	uint16_t status;

	hdmabuf_fault_set(fault, HDMABUF_STATUS_OK, HDMABUF_WHERE_NOWHERE, 0,
			  0);
	if (magic != HDMABUF_CHANNEL_MAGIC)
		return refuse(fault, HDMABUF_STATUS_INVALID, AT(magic), magic);
	read_fields(page, info);
	status = check_epochs(info, offer, epoch_frontend, fault);
	if (!status)
		status = check_choice(info, offer, page_shift, fault);
	if (!status)
		status = check_sizes(info, offer, fault);
	if (!status && !octets_are_zero(page->zero, sizeof(page->zero)))
		status = refuse(fault, HDMABUF_STATUS_RESERVED, AT(zero), 0);
	if (!status)
		status = check_references(info, fault);
	return status;
}
